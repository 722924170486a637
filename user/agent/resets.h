/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * on-eject: reset. The agent writes through this: where an endpoint of a service that asks for it
 * is ejected, begins to terminate, or goes, its open connections are ended, a bounded number at a
 * time, and counted.
 */
#ifndef MRD_AGENT_RESETS_H
#define MRD_AGENT_RESETS_H

#include <stdint.h>

#include "dataplane/connections.h"
#include "plan/rows.h"

struct mrd_resets;

struct mrd_resets_config {
	struct mrd_map_writer writer;
	/* Ends connections of these endpoints, sorted; as mrd_connections_reset(). */
	int (*reset)(void *self, const uint32_t *endpoint_ids, size_t count, size_t most,
		     struct mrd_reset *ret_reset);
	/* Could it? As mrd_connections_check(). */
	int (*check)(void *self);
	/* mrd_resets_run() is to be called at that time. */
	void (*wake)(void *self, uint64_t at_ns);
	uint64_t (*now_ns)(void);
	void *self;
};

/* NULL without memory. */
struct mrd_resets *mrd_resets_new(const struct mrd_resets_config *config);
void mrd_resets_free(struct mrd_resets *resets); /* NULL is fine */

/* The same maps; lives as long as it. */
struct mrd_map_writer mrd_resets_writer(struct mrd_resets *resets);
/* One portion of what is to be ended; asks to be called again while there is more. */
void mrd_resets_run(struct mrd_resets *resets);
/*
 * To be asked if a service wants its connections reset: why that cannot be, with the remedy; NULL:
 * nothing is known to be in the way. The log is told once. Rows that are written ask by themselves;
 * those that an earlier agent left do not.
 */
const char *mrd_resets_obstacle(struct mrd_resets *resets);
/* Connections that were ended, since the start. */
uint64_t mrd_resets_count(const struct mrd_resets *resets);

#endif
