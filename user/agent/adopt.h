/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * After a restart: the kernel's rows, sorted by the service they belong to, and handed to the
 * engine. Numbers stay what they were, so nothing is rewritten that has not changed.
 *
 * An agent that was killed in the middle of a change leaves rows that no service names (writes go
 * from what is named to what names it). They are deleted: nothing can reach them.
 */
#ifndef MRD_AGENT_ADOPT_H
#define MRD_AGENT_ADOPT_H

#include <stddef.h>

#include "agent/engine.h"
#include "plan/rows.h"

/* Where the rows are read: the maps that are written, or those of an older set beside them. */
struct mrd_row_reader {
	const void *self;
	int (*walk)(const void *self, enum mrd_map map,
		    int (*fn)(void *fn_self, const void *key, const void *value), void *fn_self);
};

struct mrd_adopted {
	size_t ports; /* service ids */
	size_t endpoints;
	size_t ejected;
	size_t orphans;
};

/* writer: of the maps that are read, for orphans; NULL: the rows are of another set, they tell of
 * ids and ejections alone. -ENOMEM, or what the reader fails with. */
int mrd_adopt(struct mrd_engine *engine, const struct mrd_row_reader *reader,
	      const struct mrd_map_writer *writer, struct mrd_adopted *ret_adopted);

#endif
