/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The model owns the object that won; the others wait here. An object that loses its place to
 * another file's is copied back from the model just before: that is rare, and keeping a second copy
 * of everything would double what a folder costs.
 */
#include "source/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/table.h"

struct held;

/* One file's version of one object. */
struct offer {
	struct mrd_owner *owner;
	struct held *held;
	struct mrd_meta *object; /* NULL: the model has it */
	unsigned int line;
	unsigned int column;
	bool stale;	    /* while its file is being replaced: not mentioned yet */
	bool warned;	    /* that another file wins */
	struct offer *next; /* of the same object */
};

/* One object, as all files know it. */
struct held {
	char *key;
	enum mrd_kind kind;
	char *namespace_;
	char *name;
	struct offer *offers;
	struct offer *applied; /* whose version the model has; NULL: none, or one that is gone */
	bool in_model;
	bool touched;
	struct held *next_touched;
};

struct mrd_owner {
	char *path;
	struct offer **offers;
	size_t count;
	size_t room;
	bool gone;
};

struct mrd_owners {
	struct mrd_model *model;
	size_t cluster;
	struct mrd_table *helds;  /* "kind/namespace/name" → struct held */
	struct mrd_table *owners; /* path → struct mrd_owner */
	struct held *first_touched;
	struct held *last_touched;
};

static const char *const kind_names[MRD_KIND_COUNT] = {
	[MRD_KIND_SERVICE] = "Service",
	[MRD_KIND_SLICE] = "EndpointSlice",
	[MRD_KIND_NODE] = "Node",
	[MRD_KIND_POD] = "Pod",
};

/* ------------------------------------------------------------------------ life */

static void offer_free(struct offer *offer)
{
	mrd_object_free(offer->object);
	free(offer);
}

static void held_free(void *value)
{
	struct held *held = value;

	while (held->offers) {
		struct offer *offer = held->offers;

		held->offers = offer->next;
		offer_free(offer);
	}
	free(held->key);
	free(held->namespace_);
	free(held->name);
	free(held);
}

static void owner_free(void *value)
{
	struct mrd_owner *owner = value;

	free(owner->offers);
	free(owner->path);
	free(owner);
}

int mrd_owners_new(struct mrd_model *model, size_t cluster, struct mrd_owners **ret_owners)
{
	struct mrd_owners *owners = calloc(1, sizeof(*owners));

	if (!owners)
		return -ENOMEM;
	owners->model = model;
	owners->cluster = cluster;
	owners->helds = mrd_table_new(held_free);
	owners->owners = mrd_table_new(owner_free);
	if (!owners->helds || !owners->owners) {
		mrd_owners_free(owners);
		return -ENOMEM;
	}
	*ret_owners = owners;
	return 0;
}

void mrd_owners_free(struct mrd_owners *owners)
{
	if (!owners)
		return;
	mrd_table_free(owners->helds);
	mrd_table_free(owners->owners);
	free(owners);
}

void mrd_owners_move(struct mrd_owners *owners, struct mrd_model *model, size_t cluster)
{
	owners->model = model;
	owners->cluster = cluster;
}

int mrd_owners_add(struct mrd_owners *owners, const char *path, struct mrd_owner **ret_owner)
{
	struct mrd_owner *owner = calloc(1, sizeof(*owner));

	if (!owner)
		return -ENOMEM;
	owner->path = strdup(path);
	if (!owner->path || mrd_table_put_str(owners->owners, path, owner) < 0) {
		owner_free(owner);
		return -ENOMEM;
	}
	*ret_owner = owner;
	return 0;
}

size_t mrd_owner_count(const struct mrd_owner *owner)
{
	return owner->count;
}

/* ------------------------------------------------------------------------ offers */

static void touch(struct mrd_owners *owners, struct held *held)
{
	if (held->touched)
		return;
	held->touched = true;
	held->next_touched = NULL;
	if (owners->last_touched)
		owners->last_touched->next_touched = held;
	else
		owners->first_touched = held;
	owners->last_touched = held;
}

static int held_get(struct mrd_owners *owners, const struct mrd_meta *object,
		    struct held **ret_held)
{
	MRD_AUTO_STRBUF struct mrd_strbuf key = {0};
	struct held *held;

	mrd_strbuf_addf(&key, "%d/%s/%s", (int)object->kind, object->namespace_, object->name);
	if (key.failed)
		return -ENOMEM;
	held = mrd_table_get(owners->helds, key.text, key.len);
	if (!held) {
		held = calloc(1, sizeof(*held));
		if (!held)
			return -ENOMEM;
		held->kind = object->kind;
		held->key = strdup(key.text);
		held->namespace_ = strdup(object->namespace_);
		held->name = strdup(object->name);
		if (!held->key || !held->namespace_ || !held->name ||
		    mrd_table_put_str(owners->helds, held->key, held) < 0) {
			held_free(held);
			return -ENOMEM;
		}
		touch(owners, held); /* settling removes it if nothing comes of it */
	}
	*ret_held = held;
	return 0;
}

static struct offer *offer_of(const struct held *held, const struct mrd_owner *owner)
{
	struct offer *offer = held->offers;

	while (offer && offer->owner != owner)
		offer = offer->next;
	return offer;
}

/* Finds or makes the file's offer for an object, still without content; a new one is stale. */
static int offer_get(struct mrd_owners *owners, struct mrd_owner *owner,
		     const struct mrd_meta *object, struct offer **ret_offer)
{
	struct offer *offer;
	struct held *held;
	int ret = held_get(owners, object, &held);

	if (ret < 0)
		return ret;
	offer = offer_of(held, owner);
	if (!offer) {
		offer = calloc(1, sizeof(*offer));
		if (!offer)
			return -ENOMEM;
		offer->owner = owner;
		offer->held = held;
		offer->stale = true;
		offer->next = held->offers;
		held->offers = offer;
		owner->offers[owner->count++] = offer;
	}
	*ret_offer = offer;
	return 0;
}

/* Takes an offer away; its place in the file's array is the caller's to close. */
static void offer_drop(struct mrd_owners *owners, struct offer *offer)
{
	struct held *held = offer->held;
	struct offer **at = &held->offers;

	while (*at != offer)
		at = &(*at)->next;
	*at = offer->next;
	if (held->applied == offer)
		held->applied = NULL;
	touch(owners, held);
	offer_free(offer);
}

/* Drops the offers that are still stale. With only_empty those that were never filled, to undo a
 * replacement that failed. */
static void drop_stale(struct mrd_owners *owners, struct mrd_owner *owner, bool only_empty)
{
	size_t kept = 0;

	for (size_t i = 0; i < owner->count; i++) {
		struct offer *offer = owner->offers[i];
		const bool is_empty = !offer->object && offer->held->applied != offer;

		if (offer->stale && (is_empty || !only_empty)) {
			offer_drop(owners, offer);
			continue;
		}
		offer->stale = false;
		owner->offers[kept++] = offer;
	}
	owner->count = kept;
}

static void fill_offer(struct mrd_owners *owners, struct offer *offer,
		       struct mrd_owned_object *from, struct mrd_diag *diag)
{
	const struct mrd_place place = {
		.file = offer->owner->path,
		.line = offer->line,
		.column = offer->column,
	};

	if (!offer->stale)
		mrd_diag_add(diag, MRD_WARNING, &place, "",
			     "%s %s%s%s stands twice in this file; the one in line %u wins",
			     kind_names[offer->held->kind], offer->held->namespace_,
			     offer->held->namespace_[0] ? "/" : "", offer->held->name, from->line);
	mrd_object_free(offer->object);
	offer->object = MRD_STEAL_PTR(from->object);
	offer->line = from->line;
	offer->column = from->column;
	offer->stale = false;
	touch(owners, offer->held);
}

int mrd_owners_replace(struct mrd_owners *owners, struct mrd_owner *owner,
		       struct mrd_owned_object *objects, size_t count, struct mrd_diag *diag)
{
	MRD_AUTO_FREE struct offer **targets = calloc(count ? count : 1, sizeof(struct offer *));
	const size_t room = owner->count + count;

	if (!targets)
		return -ENOMEM;
	if (room > owner->room) {
		struct offer **grown = reallocarray(owner->offers, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		owner->offers = grown;
		owner->room = room;
	}
	for (size_t i = 0; i < owner->count; i++)
		owner->offers[i]->stale = true;
	for (size_t i = 0; i < count; i++) {
		int ret = offer_get(owners, owner, objects[i].object, &targets[i]);

		if (ret < 0) {
			drop_stale(owners, owner, true);
			return ret;
		}
	}
	for (size_t i = 0; i < count; i++)
		fill_offer(owners, targets[i], &objects[i], diag);
	drop_stale(owners, owner, false);
	return 0;
}

void mrd_owners_remove(struct mrd_owners *owners, struct mrd_owner *owner)
{
	for (size_t i = 0; i < owner->count; i++)
		offer_drop(owners, owner->offers[i]);
	owner->count = 0;
	mrd_table_delete_str(owners->owners, owner->path);
}

void mrd_owners_set_gone(struct mrd_owners *owners, struct mrd_owner *owner, bool gone)
{
	if (owner->gone == gone)
		return;
	owner->gone = gone;
	for (size_t i = 0; i < owner->count; i++)
		touch(owners, owner->offers[i]->held);
}

/* ------------------------------------------------------------------------ settling */

static bool beats(const struct mrd_owner *a, const struct mrd_owner *b)
{
	if (a->gone != b->gone)
		return b->gone;
	return strcmp(a->path, b->path) > 0;
}

/* The offer that counts; one whose object was lost for want of memory cannot. */
static struct offer *winner(const struct held *held)
{
	struct offer *best = NULL;

	for (struct offer *offer = held->offers; offer; offer = offer->next) {
		if (!offer->object && held->applied != offer)
			continue;
		if (!best || beats(offer->owner, best->owner))
			best = offer;
	}
	return best;
}

/* Gives the model the winner's version, if it does not have it yet. */
static int apply(struct mrd_owners *owners, struct held *held, struct offer *best)
{
	struct offer *older = held->applied;
	int ret;

	if (older == best && !best->object)
		return 0;
	if (older && older != best && !older->object) {
		const struct mrd_meta *object = mrd_model_find(
			owners->model, owners->cluster, held->kind, held->namespace_, held->name);

		older->object = object ? mrd_object_copy(object) : NULL;
		if (!older->object)
			return -ENOMEM;
	}
	held->applied = NULL;
	ret = mrd_model_put(owners->model, owners->cluster, MRD_STEAL_PTR(best->object));
	if (ret < 0)
		return ret;
	held->applied = best;
	held->in_model = true;
	return 0;
}

static void warn_losers(const struct held *held, struct offer *best, struct mrd_diag *diag)
{
	best->warned = false;
	for (struct offer *offer = held->offers; offer; offer = offer->next) {
		const struct mrd_place place = {
			.file = offer->owner->path,
			.line = offer->line,
			.column = offer->column,
		};

		if (offer == best || offer->warned || offer->owner->gone)
			continue;
		offer->warned = true;
		mrd_diag_add(diag, MRD_WARNING, &place, "",
			     "%s %s%s%s stands in %s:%u:%u too, which wins (the last file by name)",
			     kind_names[held->kind], held->namespace_,
			     held->namespace_[0] ? "/" : "", held->name, best->owner->path,
			     best->line, best->column);
	}
}

int mrd_owners_settle(struct mrd_owners *owners, struct mrd_diag *diag)
{
	struct held *next;
	int result = 0;

	for (struct held *held = owners->first_touched; held; held = held->next_touched) {
		struct offer *best = winner(held);
		int ret = best ? apply(owners, held, best) : 0;

		if (ret < 0)
			result = ret;
		else if (best)
			warn_losers(held, best, diag);
	}
	for (struct held *held = owners->first_touched; held; held = next) {
		next = held->next_touched;
		held->touched = false;
		if (held->offers)
			continue;
		if (held->in_model)
			mrd_model_delete(owners->model, owners->cluster, held->kind,
					 held->namespace_, held->name);
		mrd_table_delete_str(owners->helds, held->key);
	}
	owners->first_touched = NULL;
	owners->last_touched = NULL;
	return result;
}
