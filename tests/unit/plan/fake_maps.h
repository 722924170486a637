/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps as small arrays, with limits and with failures on demand, behind the writer's seam. */
#ifndef MRD_TEST_PLAN_FAKE_MAPS_H
#define MRD_TEST_PLAN_FAKE_MAPS_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plan/rows.h"

enum { FAKE_ROWS_MAX = 2048 };

struct fake_row {
	enum mrd_map map;
	unsigned char key[MRD_ROW_KEY_MAX];
	_Alignas(8) unsigned char value[sizeof(struct mrd_route)];
};

struct fake_maps {
	struct fake_row rows[FAKE_ROWS_MAX];
	size_t count;
	size_t limit[MRD_MAP_COUNT]; /* 0: none */
	size_t calls;
	size_t fail_at;					   /* this call fails, from 1; 0: none */
	bool fail_on;					   /* and all after it */
	void (*after)(struct fake_maps *maps, void *self); /* after each call; may be NULL */
	void *self;
};

static inline struct fake_row *fake_find(const struct fake_maps *maps, enum mrd_map map,
					 const void *key)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->rows[i].map == map &&
		    !memcmp(maps->rows[i].key, key, mrd_map_key_size(map)))
			return (struct fake_row *)&maps->rows[i];
	return NULL;
}

static inline const void *fake_get(const struct fake_maps *maps, enum mrd_map map, const void *key)
{
	const struct fake_row *row = fake_find(maps, map, key);

	return row ? row->value : NULL;
}

static inline bool fake_fails(struct fake_maps *maps)
{
	++maps->calls;
	return maps->fail_at &&
	       (maps->fail_on ? maps->calls >= maps->fail_at : maps->calls == maps->fail_at);
}

static inline size_t fake_count(const struct fake_maps *maps, enum mrd_map map)
{
	size_t count = 0;

	for (size_t i = 0; i < maps->count; i++)
		count += maps->rows[i].map == map;
	return count;
}

static inline int fake_put(void *self, enum mrd_map map, const void *key, const void *value,
			   int create_only)
{
	struct fake_maps *maps = self;
	struct fake_row *row = fake_find(maps, map, key);

	if (fake_fails(maps))
		return -ENOMEM;
	if (row && create_only)
		return 0;
	if (!row) {
		if (maps->limit[map] && fake_count(maps, map) >= maps->limit[map])
			return -E2BIG;
		if (maps->count == FAKE_ROWS_MAX)
			abort();
		row = &maps->rows[maps->count++];
		memset(row, 0, sizeof(*row));
		row->map = map;
		memcpy(row->key, key, mrd_map_key_size(map));
	}
	memcpy(row->value, value, mrd_map_value_size(map));
	if (maps->after)
		maps->after(maps, maps->self);
	return 0;
}

static inline int fake_del(void *self, enum mrd_map map, const void *key, uint32_t service_id)
{
	struct fake_maps *maps = self;
	struct fake_row *row = fake_find(maps, map, key);

	if (fake_fails(maps))
		return -EIO;
	if (!row)
		return 0;
	if (map == MRD_MAP_SERVICE &&
	    ((const struct mrd_service *)(const void *)row->value)->service_id != service_id)
		return 0;
	*row = maps->rows[--maps->count];
	if (maps->after)
		maps->after(maps, maps->self);
	return 0;
}

static inline int fake_read(void *self, enum mrd_map map, const void *key, void *ret_value)
{
	const struct fake_maps *maps = self;
	const void *value = fake_get(maps, map, key);

	if (!value)
		return -ENOENT;
	memcpy(ret_value, value, mrd_map_value_size(map));
	return 0;
}

static inline struct mrd_map_writer fake_writer(struct fake_maps *maps)
{
	return (struct mrd_map_writer){
		.self = maps, .put = fake_put, .del = fake_del, .get = fake_read};
}

struct fake_comparison {
	const struct fake_maps *maps;
	enum mrd_map map;
	bool same;
};

static inline int fake_compare_row(void *self, const void *key, const void *value)
{
	struct fake_comparison *comparison = self;
	const void *held = fake_get(comparison->maps, comparison->map, key);

	if (!held || memcmp(held, value, mrd_map_value_size(comparison->map)))
		comparison->same = false;
	return 0;
}

/* Do the maps hold exactly these rows (NULL: none)? Localities are shared: more of them may stay.
 */
static inline bool fake_holds(const struct fake_maps *maps, const struct mrd_rows *rows)
{
	struct fake_comparison comparison = {.maps = maps, .same = true};

	for (enum mrd_map map = 0; map < MRD_MAP_COUNT; map++) {
		comparison.map = map;
		if (rows)
			mrd_rows_walk(rows, map, fake_compare_row, &comparison);
		if (map != MRD_MAP_LOCALITY &&
		    fake_count(maps, map) != (rows ? mrd_rows_count(rows, map) : 0))
			comparison.same = false;
	}
	return comparison.same;
}

#endif
