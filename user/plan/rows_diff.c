/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Old and new rows → operations, in an order in which every prefix serves:
 *
 *   create   what no route names yet: can be done at any time, and may meet a full map
 *   improve  members take their slots; endpoints that become usable say so
 *   route    from here on the new plan is picked
 *   vip      new addresses lead to a route that stands
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

enum phase { PHASE_CREATE, PHASE_IMPROVE, PHASE_ROUTE, PHASE_VIP, PHASE_WORSEN, PHASE_REMOVE };

struct diffing {
	const struct mrd_rows *old;
	const struct mrd_rows *new_rows;
	enum phase phase;
	enum mrd_map map;
	struct mrd_ops ops;
};

/* Counters belong to the hooks from the moment that they exist. */
static bool is_counter(enum mrd_map map)
{
	return map == MRD_MAP_STAT || map == MRD_MAP_TICKET;
}

static bool gets_worse(const struct mrd_health *from, const struct mrd_health *to)
{
	return from->state != to->state && to->state != MRD_STATE_ACTIVE &&
	       from->state != MRD_STATE_UNREADY && from->state != MRD_STATE_NONE;
}

static enum phase phase_of(enum mrd_map map, const void *from, const void *to)
{
	if (map == MRD_MAP_ROUTE)
		return PHASE_ROUTE;
	if (map == MRD_MAP_SERVICE)
		return PHASE_VIP;
	if (!from)
		return PHASE_CREATE;
	return map == MRD_MAP_HEALTH && gets_worse(from, to) ? PHASE_WORSEN : PHASE_IMPROVE;
}

static const void *get(const struct mrd_rows *rows, enum mrd_map map, const void *key)
{
	return rows ? mrd_rows_get(rows, map, key) : NULL;
}

static int add_put(void *self, const void *key, const void *value)
{
	struct diffing *diff = self;
	const void *old = get(diff->old, diff->map, key);

	if (phase_of(diff->map, old, value) != diff->phase)
		return 0;
	if (old && (is_counter(diff->map) || !memcmp(old, value, mrd_map_value_size(diff->map))))
		return 0;
	diff->ops.items[diff->ops.count++] = (struct mrd_op){
		.kind = old ? MRD_OP_OVERWRITE : MRD_OP_CREATE,
		.map = diff->map,
		.key = key,
		.value = value,
		.old = old,
	};
	return 0;
}

static int add_delete(void *self, const void *key, const void *value)
{
	struct diffing *diff = self;

	if (!get(diff->new_rows, diff->map, key))
		diff->ops.items[diff->ops.count++] = (struct mrd_op){
			.kind = MRD_OP_DELETE,
			.map = diff->map,
			.key = key,
			.old = value,
		};
	return 0;
}

static void add_puts(struct diffing *diff, enum phase phase)
{
	diff->phase = phase;
	for (enum mrd_map map = 0; map < MRD_MAP_COUNT; map++) {
		diff->map = map;
		mrd_rows_walk(diff->new_rows, map, add_put, diff);
	}
}

/* Localities are shared by services: nobody's to delete. */
static void add_deletes(struct diffing *diff)
{
	for (enum mrd_map map = MRD_MAP_COUNT; map-- > MRD_MAP_LOCALITY + 1;) {
		diff->map = map;
		mrd_rows_walk(diff->old, map, add_delete, diff);
	}
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
	struct diffing diff = {.old = old, .new_rows = new_rows};

	diff.ops.items = calloc(count_all(old) + count_all(new_rows) + 1, sizeof(*diff.ops.items));
	if (!diff.ops.items)
		return -ENOMEM;
	for (enum phase phase = PHASE_CREATE; new_rows && phase < PHASE_REMOVE; phase++)
		add_puts(&diff, phase);
	if (old)
		add_deletes(&diff);
	*ret_ops = diff.ops;
	return 0;
}

void mrd_ops_free(struct mrd_ops *ops)
{
	free(ops->items);
	*ops = (struct mrd_ops){0};
}
