/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A set of rows: per map an array of pointers, sorted by key when it is read. Rows themselves stand
 * in blocks that never move, so a borrowed key or value stays valid while other rows are put. A
 * thousand rows put in any order cost one sort. An agent keeps the rows of all its services, and
 * most maps have a single row of a service: so nothing here is larger than it must be. Counters
 * are not kept at all.
 */
#include "plan/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS_MAX = 1024 };

/* Key and value follow each other in bytes, either one aligned; a map says how long they are. */
struct row {
	uint64_t order; /* of rows with one key, the last put counts */
	_Alignas(uint64_t) unsigned char bytes[];
};

struct block {
	struct block *next;
	size_t used;
	size_t room;
	_Alignas(uint64_t) unsigned char bytes[];
};

struct row_set {
	enum mrd_map map;
	struct block *blocks; /* the newest first */
	struct row **rows;
	size_t count;
	size_t room;
	uint64_t appended;
	bool sorted; /* by key, each key once */
};

struct mrd_rows {
	uint32_t service_id;
	struct row_set *sets; /* behind a pointer: reading const rows may sort them */
};

static const struct {
	const char *name;
	size_t key_size;
	size_t value_size;
} map_types[MRD_MAP_COUNT] = {
	[MRD_MAP_LOCALITY] = {"mrd_locality", sizeof(uint32_t), sizeof(struct mrd_locality)},
	[MRD_MAP_NAME] = {"mrd_name", sizeof(uint32_t), sizeof(struct mrd_name)},
	[MRD_MAP_SETTING] = {"mrd_setting", sizeof(uint32_t), sizeof(struct mrd_setting)},
	[MRD_MAP_OPEN] = {"mrd_open", sizeof(uint32_t), sizeof(struct mrd_open)},
	[MRD_MAP_STAT] = {"mrd_stat", sizeof(uint32_t), sizeof(struct mrd_stat)},
	[MRD_MAP_HEALTH] = {"mrd_health", sizeof(uint32_t), sizeof(struct mrd_health)},
	[MRD_MAP_TICKET] = {"mrd_ticket", sizeof(struct mrd_ticket_key), sizeof(uint64_t)},
	[MRD_MAP_MEMBER] = {"mrd_member", sizeof(struct mrd_member_key), sizeof(struct mrd_member)},
	[MRD_MAP_ROUTE] = {"mrd_route", sizeof(uint32_t), sizeof(struct mrd_route)},
	[MRD_MAP_SERVICE] = {"mrd_service", sizeof(struct mrd_vip_key), sizeof(struct mrd_service)},
};

size_t mrd_map_key_size(enum mrd_map map)
{
	return map_types[map].key_size;
}

size_t mrd_map_value_size(enum mrd_map map)
{
	return map_types[map].value_size;
}

const char *mrd_map_name(enum mrd_map map)
{
	return map_types[map].name;
}

bool mrd_map_is_counter(enum mrd_map map)
{
	return map == MRD_MAP_STAT || map == MRD_MAP_TICKET || map == MRD_MAP_OPEN;
}

static size_t aligned(size_t size)
{
	return (size + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

static const unsigned char *key_of(const struct row *row)
{
	return row->bytes;
}

static size_t kept_size(enum mrd_map map)
{
	return mrd_map_is_counter(map) ? 0 : map_types[map].value_size;
}

static void keep_value(enum mrd_map map, struct row *row, const void *value)
{
	memcpy(row->bytes + aligned(map_types[map].key_size), value, kept_size(map));
}

static const void *value_of(enum mrd_map map, const struct row *row)
{
	static const struct mrd_stat none; /* the largest of the counters */

	return mrd_map_is_counter(map) ? (const void *)&none
				       : row->bytes + aligned(map_types[map].key_size);
}

/* --------------------------------------------------------------------------------- order */

/* VIPs by address, then port, family and protocol; all other keys are numbers, one by one. */
static int compare_keys(enum mrd_map map, const unsigned char *a, const unsigned char *b)
{
	size_t from = 0;

	if (map == MRD_MAP_SERVICE) {
		const int order = memcmp(a, b, MRD_ADDR_LEN);

		if (order)
			return order;
		from = MRD_ADDR_LEN;
	}
	for (; from < map_types[map].key_size; from += sizeof(uint32_t)) {
		uint32_t left, right;

		memcpy(&left, a + from, sizeof(left));
		memcpy(&right, b + from, sizeof(right));
		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

static int compare_rows(const void *left, const void *right, void *set)
{
	const struct row *a = *(struct row *const *)left;
	const struct row *b = *(struct row *const *)right;
	const int order = compare_keys(((const struct row_set *)set)->map, key_of(a), key_of(b));

	return order ? order : (a->order > b->order) - (a->order < b->order);
}

static void sort_set(struct row_set *set)
{
	size_t kept = 0;

	if (set->sorted)
		return;
	qsort_r(set->rows, set->count, sizeof(struct row *), compare_rows, set);
	for (size_t i = 0; i < set->count; i++) {
		if (kept &&
		    !compare_keys(set->map, key_of(set->rows[kept - 1]), key_of(set->rows[i])))
			kept--; /* the later one replaces it */
		set->rows[kept++] = set->rows[i];
	}
	set->count = kept;
	set->sorted = true;
}

static struct row *find_row(struct row_set *set, const void *key)
{
	size_t low = 0;
	size_t high;

	sort_set(set);
	high = set->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = compare_keys(set->map, key_of(set->rows[middle]), key);

		if (!order)
			return set->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ------------------------------------------------------------------------------- storage */

static size_t row_size(enum mrd_map map)
{
	return sizeof(struct row) + aligned(map_types[map].key_size) + aligned(kept_size(map));
}

static struct row *new_row(struct row_set *set)
{
	struct block *block = set->blocks;

	if (!block || block->used == block->room) {
		/* As many as there are already, so blocks are at most half empty together. */
		size_t room = set->count ? set->count : 1;

		if (room > BLOCK_ROWS_MAX)
			room = BLOCK_ROWS_MAX;
		block = malloc(sizeof(*block) + room * row_size(set->map));
		if (!block)
			return NULL;
		block->next = set->blocks;
		block->used = 0;
		block->room = room;
		set->blocks = block;
	}
	return (struct row *)(block->bytes + block->used++ * row_size(set->map));
}

static int grow(struct row_set *set)
{
	const size_t room = set->room ? set->room * 2 : 1;
	struct row **rows = reallocarray(set->rows, room, sizeof(struct row *));

	if (!rows)
		return -ENOMEM;
	set->rows = rows;
	set->room = room;
	return 0;
}

static int append_row(struct row_set *set, const void *key, const void *value)
{
	struct row *row;
	int r = set->count < set->room ? 0 : grow(set);

	if (r)
		return r;
	row = new_row(set);
	if (!row)
		return -ENOMEM;
	row->order = set->appended++;
	memcpy(row->bytes, key, map_types[set->map].key_size);
	keep_value(set->map, row, value);
	if (set->count &&
	    compare_keys(set->map, key_of(set->rows[set->count - 1]), row->bytes) >= 0)
		set->sorted = false;
	set->rows[set->count++] = row;
	return 0;
}

static void free_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

/* One block and one array of just the right size. */
static int trim_set(struct row_set *set)
{
	const size_t size = row_size(set->map);
	struct block *block;
	struct row **rows;

	sort_set(set);
	if (!set->count)
		return 0;
	block = malloc(sizeof(*block) + set->count * size);
	if (!block)
		return -ENOMEM;
	*block = (struct block){.used = set->count, .room = set->count};
	for (size_t i = 0; i < set->count; i++) {
		memcpy(block->bytes + i * size, set->rows[i], size);
		set->rows[i] = (struct row *)(block->bytes + i * size);
	}
	free_blocks(set->blocks);
	set->blocks = block;
	rows = reallocarray(set->rows, set->count, sizeof(struct row *));
	if (rows) {
		set->rows = rows;
		set->room = set->count;
	}
	return 0;
}

int mrd_rows_trim(struct mrd_rows *rows)
{
	int r = 0;

	for (enum mrd_map map = 0; !r && map < MRD_MAP_COUNT; map++)
		r = trim_set(&rows->sets[map]);
	return r;
}

int mrd_rows_new(uint32_t service_id, struct mrd_rows **ret_rows)
{
	struct mrd_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	rows->sets = calloc(MRD_MAP_COUNT, sizeof(*rows->sets));
	if (!rows->sets) {
		free(rows);
		return -ENOMEM;
	}
	for (enum mrd_map map = 0; map < MRD_MAP_COUNT; map++) {
		rows->sets[map].map = map;
		rows->sets[map].sorted = true;
	}
	rows->service_id = service_id;
	*ret_rows = rows;
	return 0;
}

void mrd_rows_free(struct mrd_rows *rows)
{
	if (!rows)
		return;
	for (enum mrd_map map = 0; map < MRD_MAP_COUNT; map++) {
		free_blocks(rows->sets[map].blocks);
		free(rows->sets[map].rows);
	}
	free(rows->sets);
	free(rows);
}

uint32_t mrd_rows_service_id(const struct mrd_rows *rows)
{
	return rows->service_id;
}

/* Once sorted, a known key is replaced in place: a row that changes often takes no new room. */
int mrd_rows_put(struct mrd_rows *rows, enum mrd_map map, const void *key, const void *value)
{
	struct row_set *set = &rows->sets[map];
	struct row *row = set->sorted ? find_row(set, key) : NULL;

	if (!row)
		return append_row(set, key, value);
	keep_value(map, row, value);
	return 0;
}

const void *mrd_rows_get(const struct mrd_rows *rows, enum mrd_map map, const void *key)
{
	struct row *row = find_row(&rows->sets[map], key);

	return row ? value_of(map, row) : NULL;
}

size_t mrd_rows_count(const struct mrd_rows *rows, enum mrd_map map)
{
	sort_set(&rows->sets[map]);
	return rows->sets[map].count;
}

int mrd_rows_walk(const struct mrd_rows *rows, enum mrd_map map,
		  int (*fn)(void *self, const void *key, const void *value), void *self)
{
	const struct row_set *set = &rows->sets[map];
	int r = 0;

	sort_set(&rows->sets[map]);
	for (size_t i = 0; !r && i < set->count; i++)
		r = fn(self, key_of(set->rows[i]), value_of(map, set->rows[i]));
	return r;
}

int mrd_rows_walk_both(const struct mrd_rows *a, const struct mrd_rows *b, enum mrd_map map,
		       int (*fn)(void *self, const void *key, const void *of_a, const void *of_b),
		       void *self)
{
	static struct row_set none = {.sorted = true};
	struct row_set *left = a ? &a->sets[map] : &none;
	struct row_set *right = b ? &b->sets[map] : &none;
	size_t i = 0;
	size_t k = 0;
	int r = 0;

	sort_set(left);
	sort_set(right);
	while (!r && (i < left->count || k < right->count)) {
		struct row *of_a = i < left->count ? left->rows[i] : NULL;
		struct row *of_b = k < right->count ? right->rows[k] : NULL;
		const int order = !of_a	  ? 1
				  : !of_b ? -1
					  : compare_keys(map, key_of(of_a), key_of(of_b));

		i += order <= 0;
		k += order >= 0;
		/* Of a key in both, b's is told: it is the newer one by custom. */
		r = fn(self, key_of(order < 0 ? of_a : of_b),
		       order <= 0 ? value_of(map, of_a) : NULL,
		       order >= 0 ? value_of(map, of_b) : NULL);
	}
	return r;
}
