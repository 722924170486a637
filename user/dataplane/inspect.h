/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the kernel holds now, read from the pinned maps: needs no agent. */
#ifndef MRD_DATAPLANE_INSPECT_H
#define MRD_DATAPLANE_INSPECT_H

#include <stddef.h>
#include <stdint.h>

#include "maps/abi.h"
#include "plan/rows.h"

struct mrd_inspect; /* open pinned maps */

/* -ENOENT: nothing is pinned there. -EPERM, or -EPROTO: pinned by another ABI version. */
int mrd_inspect_open(const char *bpffs, struct mrd_inspect **ret_inspect);
void mrd_inspect_close(struct mrd_inspect *inspect); /* NULL is fine */

/* Reading large maps takes a while: fn is called every few hundred rows. It may write rows, but not
 * delete any. */
void mrd_inspect_set_pause(struct mrd_inspect *inspect, void (*fn)(void *self), void *self);

int mrd_inspect_walk(const struct mrd_inspect *inspect, enum mrd_map map,
		     int (*fn)(void *self, const void *key, const void *value), void *self);
int mrd_inspect_get(const struct mrd_inspect *inspect, enum mrd_map map, const void *key,
		    void *ret_value);
/* Sum over CPUs. */
int mrd_inspect_count(const struct mrd_inspect *inspect, enum mrd_reason reason,
		      uint64_t *ret_count);
/* "pick_failover": the name of a reason as status and metrics print it. */
const char *mrd_reason_name(enum mrd_reason reason);

struct mrd_map_fill {
	const char *name;
	uint64_t rows;
	uint64_t limit;
};

/* Every pinned map that has rows to count (arrays and the ring buffer have none); *ret_fills is an
 * array that the caller frees. */
int mrd_inspect_fill(const struct mrd_inspect *inspect, struct mrd_map_fill **ret_fills,
		     size_t *ret_count);

struct mrd_link_info {
	char program[64];
	uint32_t link_id;
	uint32_t prog_id;
};

/* The pinned links; *ret_links is an array that the caller frees. */
int mrd_inspect_links(const struct mrd_inspect *inspect, struct mrd_link_info **ret_links,
		      size_t *ret_count);

#endif
