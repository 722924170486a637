/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Plan → the rows of the kernel's maps, and back from the kernel after a restart; old and new rows
 * → ordered operations. A row is (map, key, value) as bytes; what belongs to one service id is one
 * set.
 */
#ifndef MRD_PLAN_ROWS_H
#define MRD_PLAN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/abi.h"
#include "plan/ids.h"
#include "plan/plan.h"

/* The maps that the agent writes, in the order in which new rows are created: what is named comes
 * before what names it. Rows are deleted in the opposite order. */
enum mrd_map {
	MRD_MAP_LOCALITY, /* created only: shared by services, and few */
	MRD_MAP_NAME,
	MRD_MAP_SETTING, /* only of services that ask for something; their VIPs say that it is there
			  */
	MRD_MAP_OPEN, /* created with 0, never overwritten; of services that have or had a limit */
	MRD_MAP_STAT, /* created with zeros, never overwritten: the hooks' counters */
	MRD_MAP_HEALTH,
	MRD_MAP_TICKET, /* created with 0, never overwritten */
	MRD_MAP_MEMBER,
	MRD_MAP_ROUTE,
	MRD_MAP_SERVICE, /* a VIP; deleted only while it still names this service */
	MRD_MAP_COUNT,
};

enum {
	MRD_ROW_KEY_MAX = sizeof(struct mrd_vip_key),
};

size_t mrd_map_key_size(enum mrd_map map);
size_t mrd_map_value_size(enum mrd_map map);
const char *mrd_map_name(enum mrd_map map); /* "mrd_route" */
/* Does the map count for the hooks, from the moment that a row exists? Rows know of such a value
 * that it begins as zeros, whatever was put. */
bool mrd_map_is_counter(enum mrd_map map);

/* The rows of one service id. */
struct mrd_rows;

int mrd_rows_new(uint32_t service_id, struct mrd_rows **ret_rows);
void mrd_rows_free(struct mrd_rows *rows); /* NULL is fine */
uint32_t mrd_rows_service_id(const struct mrd_rows *rows);
/* Puts or replaces a row (copies). -ENOMEM. */
int mrd_rows_put(struct mrd_rows *rows, enum mrd_map map, const void *key, const void *value);
/* For rows that are whole and will be kept: gives back the room that growing took. Moves the rows.
 * -ENOMEM leaves them usable. */
int mrd_rows_trim(struct mrd_rows *rows);
/* The value, or NULL; lives until the row is replaced. */
const void *mrd_rows_get(const struct mrd_rows *rows, enum mrd_map map, const void *key);
size_t mrd_rows_count(const struct mrd_rows *rows, enum mrd_map map);
/* Walks the rows of a map in an order that depends on the keys alone. fn returns 0 to go on. */
int mrd_rows_walk(const struct mrd_rows *rows, enum mrd_map map,
		  int (*fn)(void *self, const void *key, const void *value), void *self);

/* Walks the keys of two sets (either may be NULL), each once, in that order; a value is NULL where
 * its set lacks the key. fn returns 0 to go on. */
int mrd_rows_walk_both(const struct mrd_rows *a, const struct mrd_rows *b, enum mrd_map map,
		       int (*fn)(void *self, const void *key, const void *of_a, const void *of_b),
		       void *self);

/* What outlier detection knows of an endpoint, for its health row. */
struct mrd_rows_ejections {
	/* Fills state-related members (state stays as planned unless ejected, ejections,
	 * ejection_multiplier, ejected_until_ns, changed_ns); others are set already. */
	void (*fill)(void *self, uint32_t endpoint_id, const struct mrd_plan_endpoint *endpoint,
		     struct mrd_health *health);
	void *self;
};

/*
 * The rows of one port of a plan. Ids come from ids (taken or made). Slots of a hop hold its usable
 * endpoints; those that keep their slot from old (may be NULL) keep it, so that little is
 * rewritten. -ENOMEM, -ENOSPC (more localities than MRD_LOCALITIES_MAX).
 */
int mrd_rows_make(const struct mrd_plan *plan, const struct mrd_plan_port *port,
		  struct mrd_ids *ids, const struct mrd_rows_ejections *ejections,
		  const struct mrd_rows *old, struct mrd_rows **ret_rows);

/* ------------------------------------------------------------------------------- diff and apply */

enum mrd_op_kind {
	MRD_OP_CREATE,	  /* the key is not in the old rows */
	MRD_OP_OVERWRITE, /* same key, other value */
	MRD_OP_DELETE,
};

struct mrd_op {
	enum mrd_op_kind kind;
	enum mrd_map map;
	const void *key;   /* borrowed from the rows */
	const void *value; /* NULL for a delete */
	const void *old;   /* NULL for a create */
};

struct mrd_ops {
	struct mrd_op *items;
	size_t count;
};

/*
 * Ordered so that every prefix leaves a working service: (1) all creations but routes and VIPs, in
 * map order, (2) overwritten members, and health rows that get better, (3) the route, (4) VIPs, (5)
 * health rows that get worse, (6) deletions in opposite map order. Creations come first because
 * only they can meet a full map. Either side may be NULL.
 */
int mrd_rows_diff(const struct mrd_rows *old, const struct mrd_rows *new_rows,
		  struct mrd_ops *ret_ops);
void mrd_ops_free(struct mrd_ops *ops); /* frees the items, not ops itself */

/* The one seam to the kernel; a fake in unit tests. All return 0 or -errno. */
struct mrd_map_writer {
	void *self;
	/* Creates or replaces; with create_only an existing row is left alone (success). */
	int (*put)(void *self, enum mrd_map map, const void *key, const void *value,
		   int create_only);
	/* -ENOENT counts as success. For MRD_MAP_SERVICE only if the row names service_id. */
	int (*del)(void *self, enum mrd_map map, const void *key, uint32_t service_id);
	/* The value as the kernel has it; -ENOENT. */
	int (*get)(void *self, enum mrd_map map, const void *key, void *ret_value);
};

/*
 * Carries the operations out. On a failure what was done is undone in opposite order, so that the
 * old rows stand whole, and *ret_failed (may be NULL) is the index of the operation that failed.
 * Failed deletions are no failure of the plan: they are skipped, as is all that the rows left
 * behind may name, and counted in *ret_undeleted (may be NULL). -EUCLEAN: undoing failed as well,
 * the caller must read its rows back from the kernel. Rows of MRD_MAP_LOCALITY are shared, so they
 * stay, as do counters that have counted.
 */
int mrd_ops_apply(const struct mrd_ops *ops, uint32_t service_id,
		  const struct mrd_map_writer *writer, size_t *ret_failed, size_t *ret_undeleted);

#endif
