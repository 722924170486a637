/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The one place where a plan becomes real: operations → a map writer, undone if one of them fails.
 */
#include "plan/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Rows that others may own already are left as they are: shared names, and the hooks' counters. */
static bool create_only(enum mrd_map map)
{
	return map == MRD_MAP_LOCALITY || mrd_map_is_counter(map);
}

static int apply(const struct mrd_op *op, uint32_t service_id, const struct mrd_map_writer *writer)
{
	switch (op->kind) {
	case MRD_OP_CREATE:
		return writer->put(writer->self, op->map, op->key, op->value, create_only(op->map));
	case MRD_OP_OVERWRITE:
		return writer->put(writer->self, op->map, op->key, op->value, 0);
	case MRD_OP_DELETE:
		return writer->del(writer->self, op->map, op->key, service_id);
	}
	return -EINVAL;
}

/*
 * Does a row say anything? One of a counter that was made for the plan does not, for no VIP names
 * it yet: if it does, it was there before, and was left as it was.
 */
static bool has_counted(const struct mrd_op *op, const struct mrd_map_writer *writer)
{
	static const unsigned char zeros[sizeof(struct mrd_stat)];
	_Alignas(struct mrd_stat) unsigned char value[sizeof(zeros)];
	const size_t size = mrd_map_value_size(op->map);

	return size <= sizeof(value) && !writer->get(writer->self, op->map, op->key, value) &&
	       memcmp(value, zeros, size) != 0;
}

/* A locality stays: another service may have written the same row before. */
static int undo(const struct mrd_op *op, uint32_t service_id, const struct mrd_map_writer *writer)
{
	if (op->kind == MRD_OP_OVERWRITE)
		return writer->put(writer->self, op->map, op->key, op->old, 0);
	if (op->map == MRD_MAP_LOCALITY || (mrd_map_is_counter(op->map) && has_counted(op, writer)))
		return 0;
	return writer->del(writer->self, op->map, op->key, service_id);
}

/* Deletions come last, so nothing of what is undone is one. */
static int undo_all(const struct mrd_ops *ops, size_t done, uint32_t service_id,
		    const struct mrd_map_writer *writer)
{
	int failed = 0;

	while (done--) {
		const int r = undo(&ops->items[done], service_id, writer);

		if (r && r != -ENOENT)
			failed = r;
	}
	return failed;
}

int mrd_ops_apply(const struct mrd_ops *ops, uint32_t service_id,
		  const struct mrd_map_writer *writer, size_t *ret_failed, size_t *ret_undeleted)
{
	enum mrd_map stuck = MRD_MAP_LOCALITY; /* nothing stands below it */
	size_t undeleted = 0;

	for (size_t i = 0; i < ops->count; i++) {
		const struct mrd_op *op = &ops->items[i];
		int r;

		if (op->kind == MRD_OP_DELETE && op->map < stuck) {
			undeleted++;
			continue;
		}
		r = apply(op, service_id, writer);
		if (!r)
			continue;
		if (op->kind == MRD_OP_DELETE) {
			stuck = op->map;
			undeleted++;
			continue;
		}
		if (ret_failed)
			*ret_failed = i;
		return undo_all(ops, i, service_id, writer) ? -EUCLEAN : r;
	}
	if (ret_undeleted)
		*ret_undeleted = undeleted;
	return 0;
}
