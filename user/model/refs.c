/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A sorted array for each key: most keys are pods, which one or two services mention, so it must be
 * small; nodes are mentioned by thousands, so it must be searched by halves.
 */
#include "model/refs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "model/internal.h"

struct mrd_refs {
	struct mrd_table *lists; /* key → struct mrd_ref_list */
};

static void list_free(void *value)
{
	struct mrd_ref_list *list = value;

	free(list->items);
	free(list);
}

struct mrd_refs *mrd_refs_new(void)
{
	struct mrd_refs *refs = calloc(1, sizeof(*refs));

	if (!refs)
		return NULL;
	refs->lists = mrd_table_new(list_free);
	if (!refs->lists) {
		free(refs);
		return NULL;
	}
	return refs;
}

void mrd_refs_free(struct mrd_refs *refs)
{
	if (!refs)
		return;
	mrd_table_free(refs->lists);
	free(refs);
}

/* The place of an entry's reference, or where it would have to be. */
static size_t find(const struct mrd_ref_list *list, const struct mrd_entry *entry)
{
	size_t low = 0;
	size_t high = list->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (list->items[middle].entry->serial < entry->serial)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int list_of(struct mrd_refs *refs, const void *key, size_t key_len,
		   struct mrd_ref_list **ret_list)
{
	struct mrd_ref_list *list = mrd_table_get(refs->lists, key, key_len);

	if (!list) {
		list = calloc(1, sizeof(*list));
		if (!list || mrd_table_put(refs->lists, key, key_len, list) < 0) {
			free(list);
			return -ENOMEM;
		}
	}
	*ret_list = list;
	return 0;
}

int mrd_refs_add(struct mrd_refs *refs, const void *key, size_t key_len, struct mrd_entry *entry)
{
	struct mrd_ref_list *list;
	size_t at;
	int ret = list_of(refs, key, key_len, &list);

	if (ret < 0)
		return ret;
	at = find(list, entry);
	if (at < list->count && list->items[at].entry == entry) {
		list->items[at].count++;
		return 0;
	}
	if (list->count == list->room) {
		const size_t room = list->room ? list->room * 2 : 1;
		struct mrd_ref *grown = reallocarray(list->items, room, sizeof(*grown));

		if (!grown) {
			if (!list->count)
				mrd_table_delete(refs->lists, key, key_len);
			return -ENOMEM;
		}
		list->items = grown;
		list->room = room;
	}
	memmove(&list->items[at + 1], &list->items[at],
		(list->count - at) * sizeof(list->items[0]));
	list->items[at] = (struct mrd_ref){.entry = entry, .count = 1};
	list->count++;
	return 0;
}

void mrd_refs_drop(struct mrd_refs *refs, const void *key, size_t key_len, struct mrd_entry *entry)
{
	struct mrd_ref_list *list = mrd_table_get(refs->lists, key, key_len);
	size_t at;

	if (!list)
		return;
	at = find(list, entry);
	if (at == list->count || list->items[at].entry != entry || --list->items[at].count)
		return;
	list->count--;
	memmove(&list->items[at], &list->items[at + 1],
		(list->count - at) * sizeof(list->items[0]));
	if (!list->count)
		mrd_table_delete(refs->lists, key, key_len);
}

const struct mrd_ref_list *mrd_refs_get(const struct mrd_refs *refs, const void *key,
					size_t key_len)
{
	return mrd_table_get(refs->lists, key, key_len);
}
