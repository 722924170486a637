/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Objects stand in one table for each cluster and kind. Beside them stands what makes a change
 * cheap: each service knows its slices, and three indexes say which services mention a node, a pod
 * or a VIP. A put links the new object first (which may fail, and is then undone), replaces the old
 * one, and unlinks that (which cannot fail).
 *
 * Dirty services are a queue in order of first mention. An entry outlives its Service until its
 * dirtiness has been fetched, so that the reader learns of services that are gone.
 */
#include "model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/internal.h"

#define LABEL_FOREIGN_PROXY "service.kubernetes.io/service-proxy-name"

/* ------------------------------------------------------------------------ small questions */

size_t mrd_model_key(char key[MRD_KEY_MAX], const char *namespace_, const char *name)
{
	const size_t namespace_len = strnlen(namespace_, MRD_KEY_MAX);
	const size_t name_len = strnlen(name, MRD_KEY_MAX);

	if (namespace_len + 1 + name_len + 1 > MRD_KEY_MAX)
		return 0;
	memcpy(key, namespace_, namespace_len);
	key[namespace_len] = '/';
	memcpy(key + namespace_len + 1, name, name_len);
	key[namespace_len + 1 + name_len] = '\0';
	return namespace_len + 1 + name_len;
}

static bool has_label(const struct mrd_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->count; i++)
		if (!strcmp(labels->items[i].key, key))
			return true;
	return false;
}

bool mrd_model_serves(const struct mrd_model *model, const struct mrd_service_object *service)
{
	bool has_port = false;

	for (size_t i = 0; i < service->port_count; i++)
		has_port |= service->ports[i].transport != MRD_TRANSPORT_OTHER;
	return has_port && service->vip_count &&
	       !has_label(&service->meta.labels, LABEL_FOREIGN_PROXY) &&
	       mrd_selector_matches(model->selector, &service->meta.labels);
}

struct mrd_claim mrd_model_claim(const struct mrd_ip *vip, const struct mrd_service_port *port)
{
	struct mrd_claim claim;

	memset(&claim, 0, sizeof(claim));
	claim.vip = *vip;
	claim.port = port->port;
	claim.transport = port->transport;
	return claim;
}

bool mrd_model_is_older(const struct mrd_service_object *a, const struct mrd_service_object *b)
{
	int order = mrd_instant_compare_age(a->meta.created_us, b->meta.created_us);

	if (!order)
		order = strcmp(a->meta.namespace_, b->meta.namespace_);
	if (!order)
		order = strcmp(a->meta.name, b->meta.name);
	return order < 0;
}

/* ------------------------------------------------------------------------ entries */

static void entry_free(void *value)
{
	struct mrd_entry *entry = value;

	free(entry->slices);
	free(entry->key);
	free(entry);
}

static int entry_get(struct mrd_model *model, const char *namespace_, const char *name,
		     struct mrd_entry **ret_entry)
{
	char key[MRD_KEY_MAX];
	const size_t key_len = mrd_model_key(key, namespace_, name);
	struct mrd_entry *entry = mrd_table_get(model->entries, key, key_len);

	if (!key_len)
		return -EINVAL;
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->key = strdup(key);
		entry->serial = model->next_serial++;
		if (!entry->key || mrd_table_put(model->entries, key, key_len, entry) < 0) {
			entry_free(entry);
			return -ENOMEM;
		}
	}
	*ret_entry = entry;
	return 0;
}

static void entry_drop_if_unused(struct mrd_model *model, struct mrd_entry *entry)
{
	if (!entry->service && !entry->slice_count && !entry->dirty)
		mrd_table_delete_str(model->entries, entry->key);
}

static void mark_dirty(struct mrd_model *model, struct mrd_entry *entry)
{
	if (entry->dirty)
		return;
	entry->dirty = true;
	entry->next_dirty = NULL;
	if (model->last_dirty)
		model->last_dirty->next_dirty = entry;
	else
		model->first_dirty = entry;
	model->last_dirty = entry;
}

static void mark_users(struct mrd_model *model, const struct mrd_refs *refs, const void *key,
		       size_t key_len)
{
	const struct mrd_ref_list *users = mrd_refs_get(refs, key, key_len);

	for (size_t i = 0; users && i < users->count; i++)
		mark_dirty(model, users->items[i].entry);
}

/* ------------------------------------------------------------------------ what objects mention */

/* A row of an index: the n-th thing that an object mentions. */
struct mention {
	struct mrd_refs *refs;
	char key[MRD_KEY_MAX];
	size_t key_len;
};

static size_t mention_count(const struct mrd_model *model, const struct mrd_meta *object)
{
	const struct mrd_service_object *service = (const void *)object;
	const struct mrd_slice_object *slice = (const void *)object;

	if (object->kind == MRD_KIND_SERVICE)
		return mrd_model_serves(model, service) ? service->port_count * service->vip_count
							: 0;
	return object->kind == MRD_KIND_SLICE ? slice->endpoint_count * 2 : 0;
}

/* False: the n-th one is nothing that could be looked up. */
static bool mention_get(const struct mrd_model *model, size_t cluster,
			const struct mrd_meta *object, size_t n, struct mention *ret_mention)
{
	const struct mrd_cluster_state *state = &model->clusters[cluster];
	const struct mrd_slice_endpoint *endpoint;

	if (object->kind == MRD_KIND_SERVICE) {
		const struct mrd_service_object *service = (const void *)object;
		const struct mrd_service_port *port = &service->ports[n / service->vip_count];
		const struct mrd_claim claim =
			mrd_model_claim(&service->vips[n % service->vip_count], port);

		if (port->transport == MRD_TRANSPORT_OTHER)
			return false;
		ret_mention->refs = model->claims;
		ret_mention->key_len = sizeof(claim);
		memcpy(ret_mention->key, &claim, sizeof(claim));
		return true;
	}
	endpoint = &((const struct mrd_slice_object *)object)->endpoints[n / 2];
	if (n % 2) {
		if (!state->pod_users || !endpoint->target_name[0])
			return false;
		ret_mention->refs = state->pod_users;
		ret_mention->key_len = mrd_model_key(ret_mention->key, endpoint->target_namespace,
						     endpoint->target_name);
	} else {
		if (!endpoint->node_name[0])
			return false;
		ret_mention->refs = state->node_users;
		ret_mention->key_len = mrd_model_key(ret_mention->key, "", endpoint->node_name);
	}
	return ret_mention->key_len;
}

static void mentions_drop(const struct mrd_model *model, size_t cluster, struct mrd_entry *entry,
			  const struct mrd_meta *object, size_t count)
{
	struct mention mention;

	for (size_t i = 0; i < count; i++)
		if (mention_get(model, cluster, object, i, &mention))
			mrd_refs_drop(mention.refs, mention.key, mention.key_len, entry);
}

static int mentions_add(const struct mrd_model *model, size_t cluster, struct mrd_entry *entry,
			const struct mrd_meta *object)
{
	const size_t count = mention_count(model, object);
	struct mention mention;

	for (size_t i = 0; i < count; i++) {
		if (!mention_get(model, cluster, object, i, &mention))
			continue;
		if (mrd_refs_add(mention.refs, mention.key, mention.key_len, entry) < 0) {
			mentions_drop(model, cluster, entry, object, i);
			return -ENOMEM;
		}
	}
	return 0;
}

/* ------------------------------------------------------------------------ linking */

/* The entry that an object belongs to; *ret_entry is NULL if it belongs to none. */
static int entry_of(struct mrd_model *model, size_t cluster, const struct mrd_meta *object,
		    struct mrd_entry **ret_entry)
{
	const struct mrd_slice_object *slice = (const void *)object;

	*ret_entry = NULL;
	if (object->kind == MRD_KIND_SERVICE && cluster == model->home)
		return entry_get(model, object->namespace_, object->name, ret_entry);
	if (object->kind == MRD_KIND_SLICE && slice->service_name[0])
		return entry_get(model, object->namespace_, slice->service_name, ret_entry);
	return 0;
}

static void detach(struct mrd_model *model, size_t cluster, struct mrd_entry *entry,
		   const struct mrd_meta *object)
{
	mentions_drop(model, cluster, entry, object, mention_count(model, object));
	if ((const void *)entry->service == object)
		entry->service = NULL;
	for (size_t i = 0; object->kind == MRD_KIND_SLICE && i < entry->slice_count; i++) {
		if ((const void *)entry->slices[i].slice != object)
			continue;
		entry->slices[i] = entry->slices[--entry->slice_count];
		break;
	}
	entry_drop_if_unused(model, entry);
}

static int attach_slice(struct mrd_entry *entry, size_t cluster, const struct mrd_meta *object)
{
	if (entry->slice_count == entry->slice_room) {
		const size_t room = entry->slice_room ? entry->slice_room * 2 : 1;
		struct mrd_slice_ref *grown = reallocarray(entry->slices, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		entry->slices = grown;
		entry->slice_room = room;
	}
	entry->slices[entry->slice_count++] = (struct mrd_slice_ref){
		.cluster = cluster,
		.slice = (const void *)object,
	};
	return 0;
}

static int attach(struct mrd_model *model, size_t cluster, struct mrd_entry *entry,
		  const struct mrd_meta *object)
{
	int ret = mentions_add(model, cluster, entry, object);

	if (ret < 0) {
		entry_drop_if_unused(model, entry);
		return ret;
	}
	if (object->kind == MRD_KIND_SLICE) {
		ret = attach_slice(entry, cluster, object);
		if (ret < 0)
			detach(model, cluster, entry, object);
	}
	return ret;
}

/* An index of pods is made when there is the first one: of an API server none are asked for, and
 * one of 100,000 endpoints is large. */
static int index_pods(struct mrd_model *model, size_t cluster)
{
	struct mrd_cluster_state *state = &model->clusters[cluster];
	const struct mrd_meta *slice;
	size_t cursor = 0;
	int ret = 0;

	state->pod_users = mrd_refs_new();
	if (!state->pod_users)
		return -ENOMEM;
	while (!ret &&
	       (slice = mrd_table_next(state->objects[MRD_KIND_SLICE], &cursor, NULL, NULL))) {
		const size_t count = mention_count(model, slice);
		struct mention mention;
		struct mrd_entry *entry;

		ret = entry_of(model, cluster, slice, &entry); /* exists: cannot fail */
		for (size_t i = 0; entry && i < count && !ret; i++)
			if (mention_get(model, cluster, slice, i, &mention) &&
			    mention.refs == state->pod_users)
				ret = mrd_refs_add(mention.refs, mention.key, mention.key_len,
						   entry);
	}
	if (ret < 0) {
		mrd_refs_free(state->pod_users);
		state->pod_users = NULL;
	}
	return ret;
}

/* ------------------------------------------------------------------------ what a change touches */

static bool claims_equal(const struct mrd_model *model, const struct mrd_service_object *a,
			 const struct mrd_service_object *b)
{
	if (mention_count(model, &a->meta) != mention_count(model, &b->meta) ||
	    a->meta.created_us != b->meta.created_us || a->vip_count != b->vip_count ||
	    a->port_count != b->port_count)
		return false;
	for (size_t i = 0; i < a->vip_count; i++)
		if (mrd_ip_compare(&a->vips[i], &b->vips[i]))
			return false;
	for (size_t i = 0; i < a->port_count; i++)
		if (a->ports[i].port != b->ports[i].port ||
		    a->ports[i].transport != b->ports[i].transport)
			return false;
	return true;
}

/* Those with whom the Service shares an address: who has it may have changed. */
static void mark_rivals(struct mrd_model *model, size_t cluster, const struct mrd_meta *object)
{
	const size_t count = mention_count(model, object);
	struct mention mention;

	for (size_t i = 0; i < count; i++)
		if (mention_get(model, cluster, object, i, &mention))
			mark_users(model, mention.refs, mention.key, mention.key_len);
}

/* Marks whom an object concerns, as the old or the new state of a change. */
static void mark_touched(struct mrd_model *model, size_t cluster, const struct mrd_meta *object,
			 struct mrd_entry *entry)
{
	const struct mrd_cluster_state *state = &model->clusters[cluster];
	char key[MRD_KEY_MAX];
	const size_t key_len = mrd_model_key(key, object->namespace_, object->name);

	switch (object->kind) {
	case MRD_KIND_SERVICE:
	case MRD_KIND_SLICE:
		if (entry)
			mark_dirty(model, entry);
		break;
	case MRD_KIND_NODE:
		mark_users(model, state->node_users, key, key_len);
		break;
	case MRD_KIND_POD:
		mark_users(model, state->pod_users, key, key_len);
		break;
	case MRD_KIND_COUNT:
		break;
	}
}

static void mark_change(struct mrd_model *model, size_t cluster, const struct mrd_meta *old,
			struct mrd_entry *old_entry, const struct mrd_meta *fresh,
			struct mrd_entry *fresh_entry)
{
	model->clusters[cluster].changes++;
	if (old)
		mark_touched(model, cluster, old, old_entry);
	if (fresh)
		mark_touched(model, cluster, fresh, fresh_entry);
	if (fresh ? fresh->kind != MRD_KIND_SERVICE : old->kind != MRD_KIND_SERVICE)
		return;
	if (cluster != model->home)
		return;
	if (old && fresh && claims_equal(model, (const void *)old, (const void *)fresh))
		return;
	if (old)
		mark_rivals(model, cluster, old);
	if (fresh)
		mark_rivals(model, cluster, fresh);
}

/* ------------------------------------------------------------------------ put, delete */

/* Do a slice's two versions mention the same? Most changes are of readiness. */
static bool mentions_stay(const struct mrd_model *model, size_t cluster, const struct mrd_meta *old,
			  const struct mrd_meta *fresh)
{
	const bool has_pods = model->clusters[cluster].pod_users;
	const struct mrd_slice_object *a = (const void *)old;
	const struct mrd_slice_object *b = (const void *)fresh;

	if (fresh->kind != MRD_KIND_SLICE || a->endpoint_count != b->endpoint_count)
		return false;
	for (size_t i = 0; i < a->endpoint_count; i++)
		if (strcmp(a->endpoints[i].node_name, b->endpoints[i].node_name) != 0 ||
		    (has_pods &&
		     (strcmp(a->endpoints[i].target_name, b->endpoints[i].target_name) != 0 ||
		      strcmp(a->endpoints[i].target_namespace, b->endpoints[i].target_namespace) !=
			      0)))
			return false;
	return true;
}

/* A slice's new version in the place of the one before: nothing is linked anew. */
static void replace_slice(struct mrd_model *model, size_t cluster, struct mrd_entry *entry,
			  const struct mrd_meta *old, const struct mrd_meta *fresh)
{
	for (size_t i = 0; i < entry->slice_count; i++)
		if ((const void *)entry->slices[i].slice == old)
			entry->slices[i].slice = (const void *)fresh;
	if (mrd_object_equal(old, fresh))
		return;
	model->clusters[cluster].changes++;
	mark_dirty(model, entry);
}

static int put(struct mrd_model *model, size_t cluster, struct mrd_meta *fresh)
{
	struct mrd_table *table = model->clusters[cluster].objects[fresh->kind];
	char key[MRD_KEY_MAX];
	const size_t key_len = mrd_model_key(key, fresh->namespace_, fresh->name);
	struct mrd_meta *old = mrd_table_get(table, key, key_len);
	struct mrd_entry *old_entry = NULL;
	struct mrd_entry *entry;
	int ret;

	if (!key_len)
		return -EINVAL;
	if (fresh->kind == MRD_KIND_POD && !model->clusters[cluster].pod_users) {
		ret = index_pods(model, cluster);
		if (ret < 0)
			return ret;
	}
	fresh->round = model->clusters[cluster].rounds[fresh->kind];
	fresh->born = old ? old->born : fresh->round;
	if (old) {
		ret = entry_of(model, cluster, old, &old_entry); /* exists: cannot fail */
		if (ret < 0)
			return ret;
	}
	ret = entry_of(model, cluster, fresh, &entry);
	if (ret < 0)
		return ret;
	if (entry && entry == old_entry && mentions_stay(model, cluster, old, fresh)) {
		replace_slice(model, cluster, entry, old, fresh);
		ret = mrd_table_put(table, key, key_len, fresh); /* has the key: cannot fail */
		mrd_object_free(old);
		return ret;
	}
	if (entry) {
		ret = attach(model, cluster, entry, fresh);
		if (ret < 0)
			return ret;
	}
	ret = mrd_table_put(table, key, key_len, fresh);
	if (ret < 0) {
		if (entry)
			detach(model, cluster, entry, fresh);
		return ret;
	}
	if (!old || !mrd_object_equal(old, fresh))
		mark_change(model, cluster, old, old_entry, fresh, entry);
	if (entry && fresh->kind == MRD_KIND_SERVICE)
		entry->service = (const void *)fresh;
	if (old_entry)
		detach(model, cluster, old_entry, old);
	mrd_object_free(old);
	return 0;
}

int mrd_model_put(struct mrd_model *model, size_t cluster, struct mrd_meta *object)
{
	int ret = put(model, cluster, object);

	if (ret < 0)
		mrd_object_free(object);
	return ret;
}

int mrd_model_delete(struct mrd_model *model, size_t cluster, enum mrd_kind kind,
		     const char *namespace_, const char *name)
{
	char key[MRD_KEY_MAX];
	const size_t key_len = mrd_model_key(key, namespace_, name);
	struct mrd_meta *old = NULL;
	struct mrd_entry *entry;
	int ret;

	if (key_len)
		old = mrd_table_take(model->clusters[cluster].objects[kind], key, key_len);
	if (!old)
		return -ENOENT;
	ret = entry_of(model, cluster, old, &entry); /* exists: cannot fail */
	mark_change(model, cluster, old, ret < 0 ? NULL : entry, NULL, NULL);
	if (ret == 0 && entry)
		detach(model, cluster, entry, old);
	mrd_object_free(old);
	return 0;
}

/* ------------------------------------------------------------------------ dirty services */

const char *mrd_model_next_dirty(struct mrd_model *model)
{
	struct mrd_entry *entry = model->first_dirty;

	free(model->returned);
	model->returned = NULL;
	if (!entry)
		return NULL;
	model->first_dirty = entry->next_dirty;
	if (!model->first_dirty)
		model->last_dirty = NULL;
	entry->next_dirty = NULL;
	entry->dirty = false;
	if (entry->service || entry->slice_count)
		return entry->key;

	/* The last trace of it: only its name is left, for the reader. */
	mrd_table_take(model->entries, entry->key, strlen(entry->key));
	model->returned = MRD_STEAL_PTR(entry->key);
	entry_free(entry);
	return model->returned;
}

void mrd_model_touch_all(struct mrd_model *model)
{
	struct mrd_entry *entry;
	size_t cursor = 0;

	while ((entry = mrd_table_next(model->entries, &cursor, NULL, NULL)))
		if (entry->service)
			mark_dirty(model, entry);
}

void mrd_model_touch(struct mrd_model *model, const char *namespace_, const char *name)
{
	struct mrd_entry *entry;

	if (entry_get(model, namespace_, name, &entry) == 0)
		mark_dirty(model, entry);
}

void mrd_model_set_unheard(struct mrd_model *model, size_t cluster, bool unheard)
{
	struct mrd_entry *entry;
	size_t cursor = 0;

	if (model->clusters[cluster].unheard == unheard)
		return;
	model->clusters[cluster].unheard = unheard;
	while ((entry = mrd_table_next(model->entries, &cursor, NULL, NULL)))
		for (size_t i = 0; i < entry->slice_count; i++)
			if (entry->slices[i].cluster == cluster)
				mark_dirty(model, entry);
}

/* ------------------------------------------------------------------------ what is there */

size_t mrd_model_cluster_count(const struct mrd_model *model)
{
	return model->cluster_count;
}

const char *mrd_model_cluster_name(const struct mrd_model *model, size_t cluster)
{
	return model->clusters[cluster].name;
}

const char *mrd_model_cluster_network(const struct mrd_model *model, size_t cluster)
{
	return model->clusters[cluster].network;
}

size_t mrd_model_home(const struct mrd_model *model)
{
	return model->home;
}

bool mrd_model_has_slice(const struct mrd_model *model, size_t cluster, const char *namespace_,
			 const char *name)
{
	char key[MRD_KEY_MAX];
	const size_t len = mrd_model_key(key, namespace_, name);
	const struct mrd_entry *entry = len ? mrd_table_get(model->entries, key, len) : NULL;

	for (size_t i = 0; entry && i < entry->slice_count; i++)
		if (entry->slices[i].cluster == cluster)
			return true;
	return false;
}

size_t mrd_model_count(const struct mrd_model *model, size_t cluster, enum mrd_kind kind)
{
	return mrd_table_count(model->clusters[cluster].objects[kind]);
}

uint64_t mrd_model_changes(const struct mrd_model *model, size_t cluster)
{
	return model->clusters[cluster].changes;
}

const struct mrd_meta *mrd_model_find(const struct mrd_model *model, size_t cluster,
				      enum mrd_kind kind, const char *namespace_, const char *name)
{
	char key[MRD_KEY_MAX];
	const size_t key_len = mrd_model_key(key, namespace_, name);

	if (!key_len)
		return NULL;
	return mrd_table_get(model->clusters[cluster].objects[kind], key, key_len);
}

/* ------------------------------------------------------------------------ life */

static int cluster_init(struct mrd_cluster_state *state, const struct mrd_model_cluster *config)
{
	state->name = strdup(config->name);
	state->region = strdup(config->region ? config->region : "");
	state->network = strdup(config->network ? config->network : "");
	state->node_users = mrd_refs_new();
	if (!state->name || !state->region || !state->network || !state->node_users)
		return -ENOMEM;
	for (size_t i = 0; i < MRD_KIND_COUNT; i++) {
		state->objects[i] = mrd_table_new(NULL); /* put() frees what it replaces */
		if (!state->objects[i])
			return -ENOMEM;
	}
	return 0;
}

/* Where clusters say different things, what counts must not depend on the order of a list. */
static void rank_clusters(struct mrd_model *model)
{
	for (size_t i = 0; i < model->cluster_count; i++)
		for (size_t k = 0; k < model->cluster_count; k++) {
			const int order = strcmp(model->clusters[k].name, model->clusters[i].name);
			const bool is_before = order ? order < 0 : k < i;

			if (i != model->home && (k == model->home || is_before))
				model->clusters[i].rank++;
		}
}

static void cluster_clear(struct mrd_cluster_state *state)
{
	for (size_t i = 0; i < MRD_KIND_COUNT; i++) {
		struct mrd_meta *object;
		size_t cursor = 0;

		if (!state->objects[i])
			continue;
		while ((object = mrd_table_next(state->objects[i], &cursor, NULL, NULL)))
			mrd_object_free(object);
		mrd_table_free(state->objects[i]);
	}
	mrd_refs_free(state->node_users);
	mrd_refs_free(state->pod_users);
	free(state->name);
	free(state->region);
	free(state->network);
}

void mrd_model_free(struct mrd_model *model)
{
	if (!model)
		return;
	for (size_t i = 0; i < model->cluster_count; i++)
		cluster_clear(&model->clusters[i]);
	free(model->clusters);
	mrd_selector_free(model->selector);
	mrd_refs_free(model->claims);
	mrd_table_free(model->entries);
	free(model->returned);
	free(model);
}

static void cleanup_model(struct mrd_model **model)
{
	mrd_model_free(*model);
}

int mrd_model_new(const struct mrd_model_cluster *clusters, size_t count, size_t home,
		  const char *service_selector, struct mrd_model **ret_model)
{
	MRD_CLEANUP(cleanup_model) struct mrd_model *model = calloc(1, sizeof(*model));
	int ret;

	if (!model)
		return -ENOMEM;
	if (count > MRD_CLUSTERS_MAX || home >= count)
		return -EINVAL;
	ret = mrd_selector_parse(service_selector ? service_selector : "", &model->selector);
	if (ret < 0)
		return ret;
	model->home = home;
	model->claims = mrd_refs_new();
	model->entries = mrd_table_new(entry_free);
	model->clusters = calloc(count, sizeof(*model->clusters));
	if (!model->claims || !model->entries || !model->clusters)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		model->cluster_count++;
		ret = cluster_init(&model->clusters[i], &clusters[i]);
		if (ret < 0)
			return ret;
	}
	rank_clusters(model);
	*ret_model = MRD_STEAL_PTR(model);
	return 0;
}
