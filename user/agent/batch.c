/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct mrd_removal {
	uint32_t service_id;
	struct mrd_rows *old; /* owns what the operations point to */
	struct mrd_ops ops;
	size_t first; /* of the deletions, which stand at the end */
};

static void free_removal(struct mrd_removal *removal)
{
	mrd_ops_free(&removal->ops);
	mrd_rows_free(removal->old);
}

static size_t first_deletion(const struct mrd_ops *ops)
{
	size_t i = ops->count;

	while (i && ops->items[i - 1].kind == MRD_OP_DELETE)
		i--;
	return i;
}

/* Room for one more, so that what was written cannot fail to be remembered. */
static int reserve(struct mrd_batch *batch)
{
	struct mrd_removal *more =
		reallocarray(batch->removals, batch->removal_count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	batch->removals = more;
	return 0;
}

struct release {
	struct mrd_ids *ids;
	const struct mrd_rows *keep;
};

static int release_endpoint(void *self, const void *key, const void *value)
{
	struct release *release = self;

	(void)value;
	if (!release->keep || !mrd_rows_get(release->keep, MRD_MAP_HEALTH, key))
		mrd_ids_release_endpoint(release->ids, *(const uint32_t *)key);
	return 0;
}

/* Ids that were made for rows which did not reach the kernel. */
static void release_unwritten(struct mrd_batch *batch, const struct mrd_rows *rows,
			      const struct mrd_rows *keep)
{
	struct release release = {.ids = batch->ids, .keep = keep};

	mrd_rows_walk(rows, MRD_MAP_HEALTH, release_endpoint, &release);
}

static int fail(struct mrd_batch *batch, struct mrd_entry *entry, struct mrd_rows *rows, int error,
		enum mrd_map map, struct mrd_write_failure *ret_failure)
{
	release_unwritten(batch, rows, entry->rows);
	mrd_rows_free(rows);
	*ret_failure = (struct mrd_write_failure){.map = map, .error = error};
	return error;
}

struct rereading {
	const struct mrd_map_writer *writer;
	enum mrd_map map;
	struct mrd_rows *rows;
};

static int reread_row(void *self, const void *key, const void *of_a, const void *of_b)
{
	const struct rereading *reading = self;
	_Alignas(8) unsigned char value[sizeof(struct mrd_route)];
	const struct mrd_service *vip = (const void *)value;
	int r = reading->writer->get(reading->writer->self, reading->map, key, value);

	(void)of_b;
	if (r == -ENOENT)
		return 0;
	if (r) /* as good as what is known of it: the next write will tell */
		return of_a ? mrd_rows_put(reading->rows, reading->map, key, of_a) : 0;
	if (reading->map == MRD_MAP_SERVICE &&
	    vip->service_id != mrd_rows_service_id(reading->rows))
		return 0; /* another service's by now */
	return mrd_rows_put(reading->rows, reading->map, key, value);
}

/* Some of a plan was written and could not be undone: which, only the kernel knows. */
static int reread(const struct mrd_batch *batch, struct mrd_entry *entry,
		  const struct mrd_rows *wanted)
{
	struct rereading reading = {.writer = batch->writer};
	int r = mrd_rows_new(entry->id, &reading.rows);

	for (enum mrd_map map = 0; !r && map < MRD_MAP_COUNT; map++) {
		reading.map = map;
		r = mrd_rows_walk_both(entry->rows, wanted, map, reread_row, &reading);
	}
	if (r) {
		mrd_rows_free(reading.rows);
		return r;
	}
	mrd_rows_free(entry->rows);
	entry->rows = reading.rows;
	return 0;
}

int mrd_batch_write(struct mrd_batch *batch, struct mrd_entry *entry, struct mrd_rows *rows,
		    size_t *ret_operations, struct mrd_write_failure *ret_failure)
{
	struct mrd_removal removal = {.service_id = entry->id};
	struct mrd_ops head;
	size_t failed = 0;
	int r = reserve(batch);

	r = r ?: mrd_rows_diff(entry->rows, rows, &removal.ops);
	if (r)
		return fail(batch, entry, rows, r, MRD_MAP_COUNT, ret_failure);
	removal.first = first_deletion(&removal.ops);
	head = (struct mrd_ops){.items = removal.ops.items, .count = removal.first};
	r = mrd_ops_apply(&head, entry->id, batch->writer, &failed, NULL);
	if (r) {
		const enum mrd_map map =
			failed < head.count ? head.items[failed].map : MRD_MAP_COUNT;

		mrd_ops_free(&removal.ops);
		if (r == -EUCLEAN)
			reread(batch, entry, rows); /* without memory the old rows are the guess */
		return fail(batch, entry, rows, r, map, ret_failure);
	}
	*ret_operations = removal.ops.count;
	removal.old = entry->rows;
	entry->rows = rows;
	if (removal.first < removal.ops.count)
		batch->removals[batch->removal_count++] = removal;
	else
		free_removal(&removal);
	return 0;
}

int mrd_batch_remove(struct mrd_batch *batch, struct mrd_entry *entry)
{
	struct mrd_removal removal = {.service_id = entry->id};
	int r = reserve(batch);

	r = r ?: mrd_rows_diff(entry->rows, NULL, &removal.ops);
	if (r)
		return r;
	removal.old = MRD_STEAL_PTR(entry->rows);
	batch->removals[batch->removal_count++] = removal;
	return 0;
}

/* A service that was planned again before the deletions of its former plan came to their turn may
 * have rows back: those stay. */
static void keep_what_is_back(struct mrd_removal *removal, const struct mrd_entry *entry)
{
	size_t kept = removal->first;

	if (!entry || !entry->rows)
		return;
	for (size_t i = removal->first; i < removal->ops.count; i++)
		if (!mrd_rows_get(entry->rows, removal->ops.items[i].map,
				  removal->ops.items[i].key))
			removal->ops.items[kept++] = removal->ops.items[i];
	removal->ops.count = kept;
}

static size_t finish_one(struct mrd_batch *batch, struct mrd_removal *removal)
{
	struct mrd_entry *entry = mrd_book_find_entry(batch->book, removal->service_id);
	struct mrd_ops tail;
	size_t undeleted = 0;

	keep_what_is_back(removal, entry);
	tail = (struct mrd_ops){.items = removal->ops.items + removal->first,
				.count = removal->ops.count - removal->first};
	if (mrd_ops_apply(&tail, removal->service_id, batch->writer, NULL, &undeleted))
		undeleted = tail.count;
	for (size_t i = 0; i < tail.count; i++)
		if (tail.items[i].map == MRD_MAP_HEALTH)
			mrd_ids_release_endpoint(batch->ids, *(const uint32_t *)tail.items[i].key);
	if (entry && !entry->rows) {
		struct mrd_book_service *service = entry->service;

		mrd_ids_release_service(batch->ids, entry->id);
		mrd_book_drop_entry(batch->book, entry);
		mrd_book_drop_service(batch->book, service);
	}
	return undeleted;
}

size_t mrd_batch_finish(struct mrd_batch *batch, size_t *ret_undeleted)
{
	size_t deleted = 0;
	size_t undeleted = 0;

	for (size_t i = 0; i < batch->removal_count; i++) {
		struct mrd_removal *removal = &batch->removals[i];
		const size_t left = finish_one(batch, removal);

		undeleted += left;
		deleted += removal->ops.count - removal->first - left;
	}
	mrd_batch_clear(batch);
	*ret_undeleted = undeleted;
	return deleted;
}

void mrd_batch_clear(struct mrd_batch *batch)
{
	for (size_t i = 0; i < batch->removal_count; i++)
		free_removal(&batch->removals[i]);
	free(batch->removals);
	batch->removals = NULL;
	batch->removal_count = 0;
}
