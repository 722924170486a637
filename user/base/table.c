/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Entries stand in an array in order of insertion; the hash index holds their numbers, with open
 * addressing. A removed entry leaves a hole in the array (its key is NULL), so that a walk may
 * delete as it goes; holes go when a put finds the array full. Keys may come from manifests, so the
 * hash is seeded per process: nobody outside can choose colliding ones.
 */
#include "base/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"

enum {
	ENTRIES_MIN = 8,
	SLOTS_PER_ENTRY = 2, /* the index is at most half full */
};

#define SLOT_FREE UINT32_MAX

struct entry {
	char *key; /* NULL: a hole */
	size_t key_len;
	void *value;
	uint64_t hash;
};

struct mrd_table {
	mrd_table_free_fn free_value;
	struct entry *entries;
	uint32_t *slots; /* entry numbers; room * SLOTS_PER_ENTRY of them, a power of two */
	size_t used;	 /* entries in use, holes included */
	size_t room;
	size_t count;
};

static uint64_t hash_seed(void)
{
	static uint64_t seed;

	if (!seed) {
		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
			seed = (uintptr_t)&seed;
		seed |= 1;
	}
	return seed;
}

/* Eight bytes at a time, each folded with a multiplication to 128 bits. */
static uint64_t hash_fold(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_key(const void *key, size_t len)
{
	const uint64_t mix = 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio */
	const char *at = key;
	uint64_t hash = hash_seed() ^ len;

	for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t), at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		hash = hash_fold(hash ^ word, mix);
	}
	if (len) {
		uint64_t word = 0;

		memcpy(&word, at, len);
		hash = hash_fold(hash ^ word, mix);
	}
	return hash_fold(hash ^ hash_seed(), mix);
}

struct mrd_table *mrd_table_new(mrd_table_free_fn free_value)
{
	struct mrd_table *table = calloc(1, sizeof(*table));

	if (table)
		table->free_value = free_value;
	return table;
}

void mrd_table_free(struct mrd_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->used; i++) {
		if (!table->entries[i].key)
			continue;
		free(table->entries[i].key);
		if (table->free_value)
			table->free_value(table->entries[i].value);
	}
	free(table->entries);
	free(table->slots);
	free(table);
}

size_t mrd_table_count(const struct mrd_table *table)
{
	return table->count;
}

static size_t slot_mask(const struct mrd_table *table)
{
	return table->room * SLOTS_PER_ENTRY - 1;
}

static void index_entry(struct mrd_table *table, size_t number)
{
	size_t slot = table->entries[number].hash & slot_mask(table);

	while (table->slots[slot] != SLOT_FREE)
		slot = (slot + 1) & slot_mask(table);
	table->slots[slot] = (uint32_t)number;
}

/* Closes the holes and, if that does not free half of the room, doubles it. */
static int make_room(struct mrd_table *table)
{
	MRD_AUTO_FREE struct entry *entries = NULL;
	MRD_AUTO_FREE uint32_t *slots = NULL;
	size_t room = table->room ? table->room : ENTRIES_MIN;
	size_t used = 0;

	if (table->count * 2 > room)
		room *= 2;
	if (room > SLOT_FREE / SLOTS_PER_ENTRY)
		return -ENOMEM;
	entries = calloc(room, sizeof(*entries));
	slots = malloc(room * SLOTS_PER_ENTRY * sizeof(*slots));
	if (!entries || !slots)
		return -ENOMEM;

	for (size_t i = 0; i < table->used; i++)
		if (table->entries[i].key)
			entries[used++] = table->entries[i];
	free(table->entries);
	free(table->slots);
	memset(slots, 0xff, room * SLOTS_PER_ENTRY * sizeof(*slots)); /* all SLOT_FREE */
	table->entries = MRD_STEAL_PTR(entries);
	table->slots = MRD_STEAL_PTR(slots);
	table->used = used;
	table->room = room;
	for (size_t i = 0; i < used; i++)
		index_entry(table, i);
	return 0;
}

/* Holes stay in the index (as numbers of entries without a key) so that chains do not break. */
static struct entry *find(const struct mrd_table *table, const void *key, size_t key_len)
{
	const uint64_t hash = hash_key(key, key_len);

	if (!table->count)
		return NULL;
	for (size_t slot = hash & slot_mask(table); table->slots[slot] != SLOT_FREE;
	     slot = (slot + 1) & slot_mask(table)) {
		struct entry *entry = &table->entries[table->slots[slot]];

		if (entry->key && entry->hash == hash && entry->key_len == key_len &&
		    !memcmp(entry->key, key, key_len))
			return entry;
	}
	return NULL;
}

int mrd_table_put(struct mrd_table *table, const void *key, size_t key_len, void *value)
{
	MRD_AUTO_FREE char *copy = NULL;
	struct entry *entry = find(table, key, key_len);
	int ret;

	if (entry) {
		void *older = entry->value;

		entry->value = value;
		if (table->free_value && older != value)
			table->free_value(older);
		return 0;
	}
	copy = malloc(key_len + 1);
	if (!copy)
		return -ENOMEM;
	if (key_len)
		memcpy(copy, key, key_len);
	copy[key_len] = '\0';
	if (table->used == table->room) {
		ret = make_room(table);
		if (ret < 0)
			return ret;
	}
	table->entries[table->used] = (struct entry){
		.key = MRD_STEAL_PTR(copy),
		.key_len = key_len,
		.value = value,
		.hash = hash_key(key, key_len),
	};
	index_entry(table, table->used++);
	table->count++;
	return 0;
}

void *mrd_table_get(const struct mrd_table *table, const void *key, size_t key_len)
{
	const struct entry *entry = find(table, key, key_len);

	return entry ? entry->value : NULL;
}

static bool take(struct mrd_table *table, const void *key, size_t key_len, void **ret_value)
{
	struct entry *entry = find(table, key, key_len);

	if (!entry)
		return false;
	*ret_value = entry->value;
	free(entry->key);
	entry->key = NULL;
	table->count--;
	return true;
}

void *mrd_table_take(struct mrd_table *table, const void *key, size_t key_len)
{
	void *value = NULL;

	take(table, key, key_len, &value);
	return value;
}

int mrd_table_delete(struct mrd_table *table, const void *key, size_t key_len)
{
	void *value;

	if (!take(table, key, key_len, &value))
		return -ENOENT;
	if (table->free_value)
		table->free_value(value);
	return 0;
}

int mrd_table_put_str(struct mrd_table *table, const char *key, void *value)
{
	return mrd_table_put(table, key, strlen(key), value);
}

void *mrd_table_get_str(const struct mrd_table *table, const char *key)
{
	return mrd_table_get(table, key, strlen(key));
}

int mrd_table_delete_str(struct mrd_table *table, const char *key)
{
	return mrd_table_delete(table, key, strlen(key));
}

void *mrd_table_next(const struct mrd_table *table, size_t *cursor, const void **ret_key,
		     size_t *ret_key_len)
{
	while (*cursor < table->used) {
		const struct entry *entry = &table->entries[(*cursor)++];

		if (!entry->key)
			continue;
		if (ret_key)
			*ret_key = entry->key;
		if (ret_key_len)
			*ret_key_len = entry->key_len;
		return entry->value;
	}
	return NULL;
}
