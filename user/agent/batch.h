/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The rows of several services written as one change: first everything that is created or
 * overwritten, of all of them, then everything that is deleted. So an address that moves from one
 * service to another is never without a service in between: the new owner overwrites it, and the
 * old one's deletion then finds that it no longer names it.
 *
 * Ids of things that are gone are given back with the deletions.
 */
#ifndef MRD_AGENT_BATCH_H
#define MRD_AGENT_BATCH_H

#include "agent/book.h"
#include "plan/ids.h"
#include "plan/rows.h"

struct mrd_removal; /* deletions of one service id that wait */

struct mrd_batch {
	const struct mrd_map_writer *writer;
	struct mrd_ids *ids;
	struct mrd_book *book;
	struct mrd_removal *removals;
	size_t removal_count;
};

/* Where and why a write failed. */
struct mrd_write_failure {
	enum mrd_map map; /* MRD_MAP_COUNT: no map was reached */
	int error;	  /* negative errno */
};

/* Writes an entry's new rows (the batch owns them, also on failure). On failure the old ones stand
 * whole, and *ret_failure says why. *ret_operations counts writes, deletions included. */
int mrd_batch_write(struct mrd_batch *batch, struct mrd_entry *entry, struct mrd_rows *rows,
		    size_t *ret_operations, struct mrd_write_failure *ret_failure);
/* All rows of an entry are to go, and the entry with them. -ENOMEM: nothing is to go. */
int mrd_batch_remove(struct mrd_batch *batch, struct mrd_entry *entry);
/* Carries the deletions out. Returns how many rows went; *ret_undeleted counts those that stayed.
 */
size_t mrd_batch_finish(struct mrd_batch *batch, size_t *ret_undeleted);
/* Forgets deletions that wait. */
void mrd_batch_clear(struct mrd_batch *batch);

#endif
