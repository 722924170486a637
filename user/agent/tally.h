/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Keeps the sums over a service's endpoints growing. The hooks' counters go with the endpoint that
 * they are of, and a sum over those that are left would fall; whoever watches takes that for a
 * counter that began at zero again, and adds all of it once more.
 *
 * So the agent writes through a tally: where an endpoint's row goes, or moves to another region,
 * what it had counted is kept. Sums count from the agent's start: what adopted maps hold by then is
 * taken off, because what earlier agents had kept is not known. Also counts writes.
 */
#ifndef MRD_AGENT_TALLY_H
#define MRD_AGENT_TALLY_H

#include <stdint.h>

#include "base/table.h"
#include "plan/rows.h"

struct mrd_tally;

struct mrd_tally_writes {
	uint64_t done[MRD_MAP_COUNT];
	uint64_t failed[MRD_MAP_COUNT];
};

/* NULL without memory. */
struct mrd_tally *mrd_tally_new(const struct mrd_map_writer *writer);
void mrd_tally_free(struct mrd_tally *tally); /* NULL is fine */

/* The same maps, as seen through the tally. Lives as long as it. */
struct mrd_map_writer mrd_tally_writer(struct mrd_tally *tally);
const struct mrd_tally_writes *mrd_tally_get_writes(const struct mrd_tally *tally);

/* groups: of the maps now, as of mrd_traffic_read(); they count as zero from here on. -ENOMEM. */
int mrd_tally_start(struct mrd_tally *tally, const struct mrd_table *groups);
/* groups: likewise; what is kept is added to them. -ENOMEM. */
int mrd_tally_complete(const struct mrd_tally *tally, struct mrd_table *groups);

#endif
