/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "source/kube_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/doc_json.h"
#include "base/strbuf.h"
#include "base/table.h"
#include "source/object_doc.h"

/* What kube-proxy leaves out as well: nobody can connect to these by an address of the service. */
#define SERVED "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"

static const struct resource {
	const char *group;
	const char *plural;
	const char *versions; /* the best one first */
	const char *kind_name;
	const char *selector;
	enum mrd_kind kind; /* MRD_KIND_COUNT: none of the model's */
	bool labels_only;
} resources[] = {
	{"", "services", "v1", "Service", SERVED, MRD_KIND_SERVICE, false},
	{"discovery.k8s.io", "endpointslices", "v1", "EndpointSlice", SERVED, MRD_KIND_SLICE,
	 false},
	/* A node's status has all of its images. */
	{"", "nodes", "v1", "Node", "", MRD_KIND_NODE, true},
	/* Istio before 1.22 serves no v1, before 1.6 no v1beta1. The group's list of versions would
	 * not tell: other kinds of it may have come to another. */
	{"networking.istio.io", "destinationrules", "v1 v1beta1 v1alpha3", "DestinationRule", "",
	 MRD_KIND_COUNT, false},
};

enum { RESOURCES = sizeof(resources) / sizeof(*resources), RULES = RESOURCES - 1, SLICES = 1 };

/*
 * How long a list may be. What nobody else gives room has kernel.limits.services as its bound; a
 * service may have more slices than one, each of a hundred endpoints as a rule, of other
 * controllers fewer, and each node is of use by an endpoint.
 */
enum { SLICE_MEMBERS = 16 };

static const char says_services[] = "kernel.limits.services";
static const char says_members[] = "kernel.limits.members";

/* An object whose last version could not be understood. */
struct broken {
	char *error; /* the first one, as a text without its place in the object */
	bool met;    /* by the list that is under way */
};

/* One kind of object; self of its reflector's callbacks. */
struct part {
	struct mrd_kube_source *source;
	const struct resource *resource;
	struct mrd_table *broken; /* "namespace/name" → struct broken */
	size_t most;		  /* objects; 0 = any number */
	bool is_listing;	  /* since a list that was not whole */
};

struct mrd_kube_source {
	struct mrd_kube_source_hooks hooks;
	char *name;
	char *fallback; /* what is told of the server before its URL is known */
	struct mrd_model *model;
	size_t cluster;
	uint64_t opened_ns;
	size_t part_count;
	struct part parts[RESOURCES];
	struct mrd_rule_docs *rules; /* borrowed; NULL: not followed */
	struct mrd_kube_client *client;
	struct mrd_doc_file *doc; /* the object that is being read, or was last */
};

static void broken_free(void *value)
{
	struct broken *broken = value;

	free(broken->error);
	free(broken);
}

/* ------------------------------------------------------------------------ which object it is */

/* An object's text, and what it calls itself. */
struct heard {
	const struct mrd_doc_node *root; /* of the source's document */
	const char *namespace_;
	const char *name;
	char *key;   /* "namespace/name"; of one without namespace "name" */
	char *title; /* "cluster/plural/namespace/name", for findings */
};

static void heard_clear(struct heard *heard)
{
	free(heard->key);
	free(heard->title);
}

static const char *text_of(const struct mrd_doc_node *map, const char *key)
{
	const char *text = "";

	return mrd_doc_string(mrd_doc_get(map, key), &text) ? "" : text;
}

/* -EBADMSG: it is no JSON, or has no name; diag says so. */
static int hear(const struct part *part, const char *json, size_t len, struct mrd_diag *diag,
		struct heard *heard)
{
	struct mrd_doc_file **doc = &part->source->doc;
	const struct mrd_doc_node *metadata;
	const char *slash;
	int ret;

	if (asprintf(&heard->title, "%s/%s", part->source->name, part->resource->plural) < 0) {
		heard->title = NULL;
		return -ENOMEM;
	}
	ret = mrd_doc_parse_next_json(heard->title, json, len, diag, doc);
	if (ret < 0)
		return ret;
	heard->root = mrd_doc_root(*doc, 0);
	metadata = mrd_doc_get(heard->root, "metadata");
	heard->namespace_ = text_of(metadata, "namespace");
	heard->name = text_of(metadata, "name");
	if (!*heard->name) {
		const struct mrd_place place = {.file = heard->title};

		mrd_diag_add(diag, MRD_ERROR, &place, "metadata.name", "missing");
		return -EBADMSG;
	}
	slash = *heard->namespace_ ? "/" : "";
	free(MRD_STEAL_PTR(heard->title));
	if (asprintf(&heard->key, "%s%s%s", heard->namespace_, slash, heard->name) < 0) {
		heard->key = NULL;
		return -ENOMEM;
	}
	if (asprintf(&heard->title, "%s/%s/%s", part->source->name, part->resource->plural,
		     heard->key) < 0) {
		heard->title = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* ------------------------------------------------------------------------ what is broken */

/* An object of an API server is one line of JSON: columns of it are of no use to anybody, and
 * change with every other field. NULL without memory. */
static char *first_error(const struct mrd_diag *diag)
{
	for (size_t i = 0; i < diag->count; i++) {
		struct mrd_finding finding = diag->findings[i];

		if (finding.severity != MRD_ERROR)
			continue;
		finding.line = 0;
		finding.column = 0;
		return mrd_finding_text(&finding);
	}
	return NULL;
}

static void tell(const struct part *part, const struct mrd_diag *diag)
{
	if (part->source->hooks.findings && diag->count)
		part->source->hooks.findings(part->source->hooks.self, diag);
}

/* Remembers it and keeps what the model has of it. Said again only when something else is wrong:
 * every list brings it anew. */
static int note_broken(struct part *part, const struct heard *heard, const struct mrd_diag *diag)
{
	char *error MRD_AUTO_FREE = first_error(diag);
	struct broken *broken = mrd_table_get_str(part->broken, heard->key);

	if (part->resource->kind != MRD_KIND_COUNT)
		mrd_model_keep(part->source->model, part->source->cluster, part->resource->kind,
			       heard->namespace_, heard->name);
	if (!error)
		return -ENOMEM;
	if (!broken || strcmp(broken->error, error) != 0) {
		broken = calloc(1, sizeof(*broken));
		if (!broken)
			return -ENOMEM;
		broken->error = MRD_STEAL_PTR(error);
		if (mrd_table_put_str(part->broken, heard->key, broken) < 0) {
			broken_free(broken);
			return -ENOMEM;
		}
		tell(part, diag);
	}
	broken->met = true;
	return -EBADMSG;
}

static void note_whole(struct part *part, const struct heard *heard)
{
	if (mrd_table_delete_str(part->broken, heard->key))
		return;
	if (part->source->hooks.recovered)
		part->source->hooks.recovered(part->source->hooks.self, heard->title);
}

/* ------------------------------------------------------------------------ objects */

struct reception {
	const struct part *part;
	size_t count;
};

static int receive(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	struct reception *reception = self;
	const struct part *part = reception->part;

	(void)at;
	if (object->kind != part->resource->kind) {
		mrd_object_free(object);
		return 0; /* not counted, so told below */
	}
	reception->count++;
	return mrd_model_put(part->source->model, part->source->cluster, object);
}

static int read_object(struct part *part, const struct heard *heard, struct mrd_diag *diag)
{
	const struct mrd_place place = {.file = heard->title};
	struct reception reception = {.part = part};
	const enum mrd_kind expected =
		part->resource->labels_only ? part->resource->kind : MRD_KIND_COUNT;
	int ret =
		mrd_object_read_as(expected, heard->root, heard->title, diag, receive, &reception);

	if (!ret && !reception.count) {
		mrd_diag_add(diag, MRD_ERROR, &place, "kind", "is no %s of %s%s%s",
			     part->resource->kind_name, part->resource->group,
			     *part->resource->group ? "/" : "", part->resource->versions);
		return -EBADMSG;
	}
	return ret;
}

static size_t count(const struct part *part)
{
	const struct mrd_kube_source *source = part->source;

	return part->resource->kind == MRD_KIND_COUNT
		       ? mrd_rule_docs_count(source->rules)
		       : mrd_model_count(source->model, source->cluster, part->resource->kind);
}

/* Many more than a list may have: of lists that were cut, or of a watch. */
static bool has_too_many(const struct part *part)
{
	return part->most && count(part) / 2 > part->most;
}

static int on_put(void *self, const char *json, size_t len)
{
	struct part *part = self;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	MRD_CLEANUP(heard_clear) struct heard heard = {0};
	int ret;

	if (!part->is_listing && has_too_many(part))
		return -E2BIG;
	ret = hear(part, json, len, &diag, &heard);
	if (ret == -EBADMSG)
		tell(part, &diag);
	if (ret < 0)
		return ret;
	if (part->resource->kind == MRD_KIND_COUNT)
		return mrd_rule_docs_put(part->source->rules, heard.key, json, len);
	ret = read_object(part, &heard, &diag);
	if (ret == -EBADMSG)
		return note_broken(part, &heard, &diag);
	if (ret < 0)
		return ret;
	tell(part, &diag);
	note_whole(part, &heard);
	return 0;
}

static int on_remove(void *self, const char *json, size_t len)
{
	struct part *part = self;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	MRD_CLEANUP(heard_clear) struct heard heard = {0};
	int ret = hear(part, json, len, &diag, &heard);

	if (ret == -EBADMSG)
		tell(part, &diag);
	if (ret < 0)
		return ret;
	if (part->resource->kind == MRD_KIND_COUNT)
		mrd_rule_docs_remove(part->source->rules, heard.key);
	else
		mrd_model_delete(part->source->model, part->source->cluster, part->resource->kind,
				 heard.namespace_, heard.name);
	mrd_table_delete_str(part->broken, heard.key);
	return 0;
}

static void on_list_drop(void *self)
{
	const struct part *part = self;
	const struct mrd_kube_source *source = part->source;

	if (part->resource->kind == MRD_KIND_COUNT)
		mrd_rule_docs_forget(source->rules);
	else
		mrd_model_forget(source->model, source->cluster, part->resource->kind);
	if (source->hooks.dropped)
		source->hooks.dropped(source->hooks.self);
}

static void on_list_begin(void *self)
{
	struct part *part = self;
	struct broken *broken;
	size_t cursor = 0;

	if (part->is_listing && has_too_many(part))
		on_list_drop(part);
	part->is_listing = true;
	while ((broken = mrd_table_next(part->broken, &cursor, NULL, NULL)))
		broken->met = false;
	if (part->resource->kind == MRD_KIND_COUNT)
		mrd_rule_docs_mark(part->source->rules);
	else
		mrd_model_mark(part->source->model, part->source->cluster, part->resource->kind);
}

static void on_list_end(void *self)
{
	struct part *part = self;
	const struct broken *broken;
	const void *key;
	size_t key_len;
	size_t cursor = 0;

	part->is_listing = false;
	while ((broken = mrd_table_next(part->broken, &cursor, &key, &key_len)))
		if (!broken->met)
			mrd_table_delete(part->broken, key, key_len);
	if (part->resource->kind == MRD_KIND_COUNT)
		mrd_rule_docs_sweep(part->source->rules);
	else
		mrd_model_sweep(part->source->model, part->source->cluster, part->resource->kind);
}

/* ------------------------------------------------------------------------ the client's hooks */

static void on_before(void *self)
{
	const struct mrd_kube_source *source = self;

	if (source->hooks.before)
		source->hooks.before(source->hooks.self);
}

static void on_changed(void *self)
{
	const struct mrd_kube_source *source = self;

	if (source->hooks.changed)
		source->hooks.changed(source->hooks.self);
}

static void on_findings(void *self, const struct mrd_diag *diag)
{
	const struct mrd_kube_source *source = self;

	if (source->hooks.findings)
		source->hooks.findings(source->hooks.self, diag);
}

/* ------------------------------------------------------------------------ life */

void mrd_kube_source_free(struct mrd_kube_source *source)
{
	if (!source)
		return;
	mrd_kube_client_free(source->client);
	for (size_t i = 0; i < RESOURCES; i++)
		mrd_table_free(source->parts[i].broken);
	mrd_doc_free(source->doc);
	free(source->name);
	free(source->fallback);
	free(source);
}

static void cleanup_source(struct mrd_kube_source **source)
{
	mrd_kube_source_free(*source);
}

static const char *fallback_of(const struct mrd_kube_where *where)
{
	if (where->in_cluster)
		return "in cluster";
	return *where->kubeconfig ? where->kubeconfig : where->context;
}

/* Where the key of the kernel's limits is that bounds a kind. */
static const char *says_most(const struct part *part)
{
	const enum mrd_kind kind = part->resource->kind;

	return kind == MRD_KIND_SLICE || kind == MRD_KIND_NODE ? says_members : says_services;
}

static size_t most_of(const struct part *part, const struct mrd_kube_source_config *config)
{
	return says_most(part) == says_services
		       ? config->services_max
		       : config->services_max + config->members_max / SLICE_MEMBERS;
}

static int make_parts(struct mrd_kube_source *source, const struct mrd_kube_source_config *config)
{
	source->part_count = source->rules ? RESOURCES : RULES;
	for (size_t i = 0; i < source->part_count; i++) {
		source->parts[i] = (struct part){
			.source = source,
			.resource = &resources[i],
			.broken = mrd_table_new(broken_free),
		};
		source->parts[i].most = most_of(&source->parts[i], config);
		if (!source->parts[i].broken)
			return -ENOMEM;
	}
	return 0;
}

static int make_client(struct mrd_kube_source *source, const struct mrd_kube_where *where,
		       struct mrd_loop *loop, uint64_t now_ns)
{
	struct mrd_reflector_config reflectors[RESOURCES];
	const struct mrd_kube_client_config config = {
		.name = source->name,
		.where = *where,
		.resources = reflectors,
		.resource_count = source->part_count,
		.before = on_before,
		.changed = on_changed,
		.findings = on_findings,
		.self = source,
	};

	for (size_t i = 0; i < source->part_count; i++)
		reflectors[i] = (struct mrd_reflector_config){
			.group = resources[i].group,
			.versions = resources[i].versions,
			.resource = resources[i].plural,
			.kind = resources[i].kind_name,
			.label_selector = resources[i].selector,
			.may_be_missing = i == RULES,
			.metadata_only = resources[i].labels_only,
			/* Nodes do not start to the ns, and no two kinds wait alike. */
			.seed = (uint32_t)(now_ns + i),
			.put = on_put,
			.remove = on_remove,
			.list_begin = on_list_begin,
			.list_end = on_list_end,
			.list_drop = on_list_drop,
			.objects_max = source->parts[i].most,
			.objects_says = says_most(&source->parts[i]),
			.self = &source->parts[i],
		};
	return mrd_kube_client_new(&config, loop, &source->client);
}

int mrd_kube_source_new(const struct mrd_kube_source_config *config, struct mrd_loop *loop,
			uint64_t now_ns, struct mrd_kube_source **ret_source)
{
	MRD_CLEANUP(cleanup_source) struct mrd_kube_source *source = calloc(1, sizeof(*source));
	int ret;

	if (!source)
		return -ENOMEM;
	source->hooks = config->hooks;
	source->model = config->model;
	source->cluster = config->cluster;
	source->rules = config->rules;
	source->opened_ns = now_ns;
	source->name = strdup(config->name);
	source->fallback = strdup(fallback_of(&config->where));
	if (!source->name || !source->fallback)
		return -ENOMEM;
	ret = make_parts(source, config);
	if (ret < 0)
		return ret;
	ret = make_client(source, &config->where, loop, now_ns);
	if (ret < 0)
		return ret;
	*ret_source = MRD_STEAL_PTR(source);
	return 0;
}

void mrd_kube_source_move(struct mrd_kube_source *source, struct mrd_model *model, size_t cluster,
			  const struct mrd_kube_source_hooks *hooks)
{
	source->model = model;
	source->cluster = cluster;
	source->hooks = *hooks;
}

void mrd_kube_source_set_ping(struct mrd_kube_source *source, uint64_t ping_ms)
{
	mrd_kube_client_set_ping(source->client, ping_ms);
}

/* ------------------------------------------------------------------------ status */

/* A kind that cannot be asked for want of a credential does not fail itself, and is not heard all
 * the same, once its watch has ended. */
static uint64_t silent_since(const struct mrd_reflector_status *part,
			     const struct mrd_kube_client_status *client)
{
	if (part->failing_since_ns || part->watching)
		return part->failing_since_ns;
	return client->failing_since_ns;
}

void mrd_kube_source_get_status(const struct mrd_kube_source *source,
				struct mrd_source_status *ret_status)
{
	struct mrd_kube_client_status client;

	mrd_kube_client_get_status(source->client, &client);
	*ret_status = (struct mrd_source_status){
		.where = *client.server ? client.server : source->fallback,
		.readable = !client.failing_since_ns,
		.read = true,
		.rules_read = true,
		.last_heard_ns = client.last_heard_ns,
		.alive_ns = client.last_heard_ns ?: source->opened_ns,
		.failing_since_ns = client.failing_since_ns,
		.settling = client.settling,
		.error = client.error,
	};
	for (size_t i = 0; i < source->part_count; i++) {
		struct mrd_reflector_status part;

		mrd_kube_client_get_resource(source->client, i, &part);
		ret_status->broken_objects += mrd_table_count(source->parts[i].broken);
		*(i == RULES ? &ret_status->rules_read : &ret_status->read) &= part.synced;
		if (i == SLICES)
			ret_status->silent_since_ns = silent_since(&part, &client);
	}
	ret_status->complete = ret_status->read;
}

void mrd_kube_source_each_broken(const struct mrd_kube_source *source, mrd_broken_fn fn, void *self)
{
	for (size_t i = 0; i < source->part_count; i++) {
		const struct broken *broken;
		size_t cursor = 0;

		while ((broken = mrd_table_next(source->parts[i].broken, &cursor, NULL, NULL)))
			if (!fn(self, broken->error))
				return;
	}
}

const char *mrd_kube_source_get_resource(const struct mrd_kube_source *source, size_t index,
					 struct mrd_reflector_status *ret_status)
{
	if (index >= source->part_count)
		return NULL;
	mrd_kube_client_get_resource(source->client, index, ret_status);
	return source->parts[index].resource->plural;
}
