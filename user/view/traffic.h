/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The hooks' counters added up: for each port and IP family of a service, and each region. */
#ifndef MRD_VIEW_TRAFFIC_H
#define MRD_VIEW_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "dataplane/inspect.h"
#include "maps/abi.h"

/* Rows of the maps as they stand there, all bytes of which count. */
struct mrd_traffic_key {
	struct mrd_name name;
	char region[MRD_NAME_LEN]; /* of mrd_locality; zeros if it is not known */
};
_Static_assert(sizeof(struct mrd_traffic_key) == sizeof(struct mrd_name) + MRD_NAME_LEN,
	       "a key has no padding");

/* What only grows while the endpoints stay; members as of struct mrd_stat. */
struct mrd_traffic_sums {
	uint64_t connects;
	uint64_t established;
	uint64_t failed;
	uint64_t responses[MRD_CLASSES];
	uint64_t response_sum_us;
	uint64_t responses_timed[MRD_RESPONSE_BUCKETS];
	uint64_t handshake_sum_us;
};

struct mrd_traffic {
	struct mrd_traffic_key key;
	struct mrd_traffic_sums sums;
	int64_t open;
	uint64_t by_state[MRD_STATE_UNREADY + 1]; /* endpoints */
	uint64_t ejections;			  /* of these endpoints, for life */
};

struct mrd_traffic_sums mrd_traffic_of(const struct mrd_stat *stat);
/* How many responses were timed, whatever they took. */
uint64_t mrd_traffic_timed(const uint64_t timed[MRD_RESPONSE_BUCKETS]);
/* a += b, a -= b; the numbers may wrap, and wrap back. */
void mrd_traffic_add(struct mrd_traffic_sums *a, const struct mrd_traffic_sums *b);
void mrd_traffic_subtract(struct mrd_traffic_sums *a, const struct mrd_traffic_sums *b);

/* Key → struct mrd_traffic, to be freed as a table. Endpoints whose service has no name any more
 * are left out. -ENOMEM, -errno of the reading. */
int mrd_traffic_read(const struct mrd_inspect *inspect, struct mrd_table **ret_groups);
/* A group's place in the table, made if need be. NULL without memory. */
struct mrd_traffic *mrd_traffic_group(struct mrd_table *groups, const struct mrd_traffic_key *key);

#endif
