/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The one place where a plan becomes real: operations → a map writer, undone if one of them fails.
 */
#include "plan/rows.h"

#include <errno.h>
#include <stdbool.h>

/* Rows that others may own already are left as they are: shared names, and the hooks' counters. */
static bool create_only(enum mrd_map map)
{
	return map == MRD_MAP_LOCALITY || map == MRD_MAP_STAT || map == MRD_MAP_TICKET ||
	       map == MRD_MAP_OPEN;
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

/* A locality stays: another service may have written the same row before. */
static int undo(const struct mrd_op *op, uint32_t service_id, const struct mrd_map_writer *writer)
{
	if (op->kind == MRD_OP_OVERWRITE)
		return writer->put(writer->self, op->map, op->key, op->old, 0);
	if (op->map == MRD_MAP_LOCALITY)
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
