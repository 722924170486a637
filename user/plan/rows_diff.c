/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Old and new rows → operations, in an order in which every prefix serves:
 *
 *   create   what no route names yet: can be done at any time, and may meet a full map
 *   improve  members take their slots; endpoints that become usable say so
 *   route    from here on the new plan is picked
 *   vip      new addresses lead to a route that stands; all of them say whether there is a setting
 *   worsen   endpoints that the new plan no longer uses say so; the old plan had only them, maybe
 *   remove   what nothing names any more
 *
 * An overwritten slot holds an endpoint of the old plan or of the new one at every moment, and a
 * hop's id stands for one kind of endpoints (rows_make.c), so either is good by either route.
 *
 * The one gap: endpoints that are used although ejected (panic) and all begin to terminate at once.
 * No state of theirs is good by both routes, so between those two writes a pick finds nothing.
 */
#include "plan/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum phase {
	PHASE_CREATE,
	PHASE_IMPROVE,
	PHASE_ROUTE,
	PHASE_VIP,
	PHASE_WORSEN,
	PHASE_REMOVE,
};

struct diffing {
	enum mrd_map map;
	struct mrd_op *found; /* in order of maps and keys */
	unsigned char *phases;
	size_t count;
};

static bool gets_worse(const struct mrd_health *from, const struct mrd_health *to)
{
	return from->state != to->state && to->state != MRD_STATE_ACTIVE &&
	       from->state != MRD_STATE_UNREADY && from->state != MRD_STATE_NONE;
}

static enum phase phase_of(enum mrd_map map, const void *from, const void *to)
{
	if (!to)
		return PHASE_REMOVE;
	if (map == MRD_MAP_ROUTE)
		return PHASE_ROUTE;
	if (map == MRD_MAP_SERVICE)
		return PHASE_VIP;
	if (!from)
		return PHASE_CREATE;
	return map == MRD_MAP_HEALTH && gets_worse(from, to) ? PHASE_WORSEN : PHASE_IMPROVE;
}

static enum mrd_op_kind kind_of(const void *from, const void *to)
{
	if (!to)
		return MRD_OP_DELETE;
	return from ? MRD_OP_OVERWRITE : MRD_OP_CREATE;
}

/* Localities are shared by services: nobody's to delete. */
static bool is_same(enum mrd_map map, const void *from, const void *to)
{
	if (!to)
		return map == MRD_MAP_LOCALITY;
	return from && (mrd_map_is_counter(map) || !memcmp(from, to, mrd_map_value_size(map)));
}

static int find_op(void *self, const void *key, const void *from, const void *to)
{
	struct diffing *diff = self;

	if (is_same(diff->map, from, to))
		return 0;
	diff->found[diff->count] = (struct mrd_op){
		.kind = kind_of(from, to),
		.map = diff->map,
		.key = key,
		.value = to,
		.old = from,
	};
	diff->phases[diff->count++] = phase_of(diff->map, from, to);
	return 0;
}

/* Phase by phase; deletions from behind, so that what names goes before what is named. */
static void sort_ops(const struct diffing *diff, struct mrd_ops *ops)
{
	for (enum phase phase = PHASE_CREATE; phase < PHASE_REMOVE; phase++)
		for (size_t i = 0; i < diff->count; i++)
			if (diff->phases[i] == phase)
				ops->items[ops->count++] = diff->found[i];
	for (size_t i = diff->count; i-- > 0;)
		if (diff->phases[i] == PHASE_REMOVE)
			ops->items[ops->count++] = diff->found[i];
}

static size_t count_all(const struct mrd_rows *rows)
{
	size_t count = 0;

	for (enum mrd_map map = 0; rows && map < MRD_MAP_COUNT; map++)
		count += mrd_rows_count(rows, map);
	return count;
}

int mrd_rows_diff(const struct mrd_rows *old, const struct mrd_rows *new_rows,
		  struct mrd_ops *ret_ops)
{
	const size_t room = count_all(old) + count_all(new_rows) + 1;
	MRD_AUTO_FREE struct mrd_op *found = malloc(room * sizeof(*found));
	MRD_AUTO_FREE unsigned char *phases = malloc(room);
	struct diffing diff = {.found = found, .phases = phases};
	struct mrd_ops ops = {0};

	if (!found || !phases)
		return -ENOMEM;
	for (diff.map = 0; diff.map < MRD_MAP_COUNT; diff.map++)
		mrd_rows_walk_both(old, new_rows, diff.map, find_op, &diff);
	ops.items = calloc(diff.count + 1, sizeof(*ops.items));
	if (!ops.items)
		return -ENOMEM;
	sort_ops(&diff, &ops);
	*ret_ops = ops;
	return 0;
}

void mrd_ops_free(struct mrd_ops *ops)
{
	free(ops->items);
	*ops = (struct mrd_ops){0};
}
