/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A copy of one map's rows, sorted by key, so that documents can be joined from several maps
 * without a call to the kernel for every row.
 */
#ifndef MRD_VIEW_ROWSET_H
#define MRD_VIEW_ROWSET_H

#include <stddef.h>

#include "dataplane/inspect.h"
#include "plan/rows.h"

struct mrd_rowset {
	unsigned char *rows;
	size_t count;
	size_t room;
	size_t key_size;
	size_t value_size;
	size_t value_offset;
	size_t stride;
};

/* -ENOMEM, or -errno of the reading. */
int mrd_rowset_read(const struct mrd_inspect *inspect, enum mrd_map map,
		    struct mrd_rowset *ret_set);
void mrd_rowset_free(struct mrd_rowset *set);
#define MRD_AUTO_ROWSET __attribute__((cleanup(mrd_rowset_free)))

const void *mrd_rowset_key(const struct mrd_rowset *set, size_t row);
const void *mrd_rowset_value(const struct mrd_rowset *set, size_t row);
/* The value of a key, or NULL. */
const void *mrd_rowset_find(const struct mrd_rowset *set, const void *key);

#endif
