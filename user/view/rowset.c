/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/rowset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 8, FIRST_ROOM = 64 };

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int add_row(void *self, const void *key, const void *value)
{
	struct mrd_rowset *set = self;
	unsigned char *row;

	if (set->count == set->room) {
		const size_t room = set->room ? set->room * 2 : FIRST_ROOM;
		unsigned char *rows = reallocarray(set->rows, room, set->stride);

		if (!rows)
			return -ENOMEM;
		set->rows = rows;
		set->room = room;
	}
	row = set->rows + set->count++ * set->stride;
	memcpy(row, key, set->key_size);
	memcpy(row + set->value_offset, value, set->value_size);
	return 0;
}

static int compare_keys(const void *a, const void *b, void *self)
{
	const struct mrd_rowset *set = self;

	return memcmp(a, b, set->key_size);
}

int mrd_rowset_read(const struct mrd_inspect *inspect, enum mrd_map map, struct mrd_rowset *ret_set)
{
	struct mrd_rowset set = {
		.key_size = mrd_map_key_size(map),
		.value_size = mrd_map_value_size(map),
	};
	int r;

	set.value_offset = aligned(set.key_size);
	set.stride = set.value_offset + aligned(set.value_size);
	r = mrd_inspect_walk(inspect, map, add_row, &set);
	if (r < 0) {
		mrd_rowset_free(&set);
		return r;
	}
	if (set.count)
		qsort_r(set.rows, set.count, set.stride, compare_keys, &set);
	*ret_set = set;
	return 0;
}

void mrd_rowset_free(struct mrd_rowset *set)
{
	free(set->rows);
	*set = (struct mrd_rowset){0};
}

const void *mrd_rowset_key(const struct mrd_rowset *set, size_t row)
{
	return set->rows + row * set->stride;
}

const void *mrd_rowset_value(const struct mrd_rowset *set, size_t row)
{
	return set->rows + row * set->stride + set->value_offset;
}

const void *mrd_rowset_find(const struct mrd_rowset *set, const void *key)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = memcmp(mrd_rowset_key(set, middle), key, set->key_size);

		if (order == 0)
			return mrd_rowset_value(set, middle);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
