/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * All files are read first, then the annotations of mesh-wide documents, then these documents, then
 * rules: what each inherits is known when it is read, whatever the order of the files. The
 * documents stay until the end, so that a finding can name the place of an earlier one.
 *
 * Rules are read from the oldest to the newest, as Istio sorts them before it merges those of one
 * host: a dump of a cluster is sorted by name, and must not say something else than the cluster.
 */
#include "policy/policy_yaml.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/instant.h"
#include "base/doc_json.h"
#include "policy/host.h"
#include "policy/read.h"

#define GROUP "networking.istio.io/"

enum { RULE_ROOM_MIN = 16 };

enum load_pass { PASS_NOTES, PASS_MESH, PASS_RULES };

/* A DestinationRule that waits for those that are older. */
struct waiting_rule {
	const char *file;
	const struct mrd_step *at; /* in the loader's arena */
	const struct mrd_doc_node *root;
	int64_t created_us; /* or MRD_INSTANT_NONE */
	const char *name;
	bool is_document; /* not from a file */
	size_t index;	  /* in order of appearance */
};

/* Borrows from its document. */
struct named_rule {
	const char *file;
	const struct mrd_doc_node *name;
	const char *host;
};

struct loader {
	struct mrd_reader reader;
	struct mrd_policy *policy;
	struct mrd_doc_file **files; /* owned */
	size_t file_count;
	struct mrd_table *seen;	 /* keys of mesh-wide documents */
	struct mrd_table *named; /* "namespace/name" → the first of the files' rules */
	struct mrd_notes notes;	 /* their annotations */
	enum load_pass pass;
	bool in_documents;
	size_t read_from_files;
	struct waiting_rule *rules; /* owned */
	size_t rule_count;
	size_t rule_room;
	struct mrd_arena steps;
};

static void loader_cleanup(struct loader *loader)
{
	mrd_policy_free(loader->policy);
	mrd_table_free(loader->seen);
	mrd_table_free(loader->named);
	for (size_t i = 0; i < loader->file_count; i++)
		mrd_doc_free(loader->files[i]);
	free(loader->files);
	free(loader->rules);
	mrd_arena_free(&loader->steps);
}

/* ------------------------------------------------------------------------------- files */

static void path_error(struct loader *loader, const char *path, int error)
{
	const struct mrd_place place = {.file = path};

	mrd_diag_add(loader->reader.diag, MRD_ERROR, &place, "", "cannot be read: %s",
		     strerror(-error));
}

static int reserve_file(struct loader *loader)
{
	struct mrd_doc_file **files =
		reallocarray(loader->files, loader->file_count + 1, sizeof(struct mrd_doc_file *));

	if (!files)
		return -ENOMEM;
	loader->files = files;
	return 0;
}

/* What is wrong with a file is a finding; only a lack of memory is an error of this function. */
static int read_one_file(struct loader *loader, const char *path)
{
	const size_t errors = loader->reader.diag->errors;
	struct mrd_doc_file *file = NULL;
	int r = reserve_file(loader);

	if (r)
		return r;
	r = mrd_doc_read(path, loader->reader.diag, &file);
	if (file)
		loader->files[loader->file_count++] = file;
	if (r == -ENOMEM)
		return r;
	if (r < 0 && loader->reader.diag->errors == errors)
		path_error(loader, path, r);
	return 0;
}

/* Likewise. */
static int read_document(struct loader *loader, const struct mrd_policy_document *document)
{
	struct mrd_doc_file *file = NULL;
	int r = reserve_file(loader);

	if (r)
		return r;
	r = mrd_doc_parse_json(document->name, document->json, document->len, loader->reader.diag,
			       &file);
	if (file)
		loader->files[loader->file_count++] = file;
	return r == -EBADMSG ? 0 : r;
}

static int is_policy_file(const struct dirent *entry)
{
	return mrd_doc_is_file_name(entry->d_name);
}

static int read_folder(struct loader *loader, const char *folder)
{
	const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
	struct dirent **entries = NULL;
	const int count = scandir(folder, &entries, is_policy_file, alphasort);
	int r = 0;

	if (count < 0) {
		path_error(loader, folder, -errno);
		return 0;
	}
	for (int i = 0; i < count; i++) {
		MRD_AUTO_FREE char *path = NULL;
		struct stat st;

		if (asprintf(&path, "%s%s%s", folder, slash, entries[i]->d_name) < 0) {
			path = NULL;
			r = -ENOMEM;
		}
		free(entries[i]);
		if (!r && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
			r = read_one_file(loader, path);
	}
	free(entries);
	return r;
}

static int read_path(struct loader *loader, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		path_error(loader, path, -errno);
		return 0;
	}
	return S_ISDIR(st.st_mode) ? read_folder(loader, path) : read_one_file(loader, path);
}

/* ------------------------------------------------------------------------------- documents */

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

static void error_at(struct loader *loader, const char *field, const struct mrd_doc_node *node,
		     const char *reason, const char *value)
{
	const struct mrd_step step = {.up = loader->reader.at, .name = field};

	loader->reader.at = &step;
	mrd_read_error(&loader->reader, node, "%s%s%s%s", reason, *value ? " \"" : "", value,
		       *value ? "\"" : "");
	loader->reader.at = step.up;
}

/* The steps of a way that outlives the visit. */
static const struct mrd_step *keep_steps(struct loader *loader, const struct mrd_step *at)
{
	struct mrd_step *copy;

	if (!at)
		return NULL;
	copy = mrd_arena_alloc(&loader->steps, sizeof(*copy));
	if (!copy) {
		loader->reader.no_memory = true;
		return NULL;
	}
	*copy = *at;
	copy->up = keep_steps(loader, at->up);
	return copy;
}

static const char *text_at(const struct mrd_doc_node *map, const char *key)
{
	const struct mrd_doc_node *value = mrd_doc_get(map, key);

	return value ? value->text : "";
}

/* What is no time is told where metadata is read. */
static int64_t created_at(const struct mrd_doc_node *metadata)
{
	int64_t created_us = MRD_INSTANT_NONE;

	mrd_instant_parse(text_at(metadata, "creationTimestamp"), &created_us);
	return created_us;
}

static bool is_same_host(struct loader *loader, const char *a, const char *b,
			 const char *namespace_)
{
	const char *domain = loader->policy->cluster_domain;
	MRD_AUTO_FREE char *full_a = NULL;
	MRD_AUTO_FREE char *full_b = NULL;

	if (mrd_host_expand(a, namespace_, domain, &full_a) < 0 ||
	    mrd_host_expand(b, namespace_, domain, &full_b) < 0) {
		loader->reader.no_memory = true;
		return true;
	}
	return !strcmp(full_a, full_b);
}

/* An API server has one object of a name: with the second, applied later, the first would be gone.
 * Of two for one host the merging is told anyhow. */
static void check_named(struct loader *loader, const struct mrd_doc_node *root)
{
	const struct mrd_step above = {.up = loader->reader.at, .name = "metadata"};
	const struct mrd_step step = {.up = &above, .name = "name"};
	const struct mrd_doc_node *metadata = mrd_doc_get(root, above.name);
	const struct mrd_doc_node *name = mrd_doc_get(metadata, step.name);
	const char *given = text_at(metadata, "namespace");
	const char *namespace_ = *given ? given : "default";
	const struct named_rule now = {
		.file = loader->reader.file,
		.name = name,
		.host = text_at(mrd_doc_get(root, "spec"), "host"),
	};
	MRD_AUTO_FREE struct named_rule *copy = NULL;
	MRD_AUTO_FREE char *key = NULL;
	const struct named_rule *first;

	if (!name || !*name->text || loader->in_documents)
		return;
	copy = malloc(sizeof(*copy));
	if (asprintf(&key, "%s/%s", namespace_, name->text) < 0)
		key = NULL;
	first = key ? mrd_table_get_str(loader->named, key) : NULL;
	if (first && !is_same_host(loader, first->host, now.host, namespace_)) {
		loader->reader.at = &step;
		mrd_read_warning(&loader->reader, name,
				 "%s is at %s:%u:%u already: of two, a cluster would have the one "
				 "that was applied last; here both count",
				 key, first->file, first->name->line, first->name->column);
		loader->reader.at = above.up;
	}
	if (first)
		return;
	if (copy)
		*copy = now;
	if (copy && key && !mrd_table_put_str(loader->named, key, copy))
		(void)MRD_STEAL_PTR(copy);
	else
		loader->reader.no_memory = true;
}

static void add_waiting(struct loader *loader, const struct mrd_doc_node *root)
{
	const struct mrd_doc_node *metadata = mrd_doc_get(root, "metadata");

	check_named(loader, root);
	if (loader->rule_count == loader->rule_room) {
		const size_t room = loader->rule_room ? loader->rule_room * 2 : RULE_ROOM_MIN;
		struct waiting_rule *grown = reallocarray(loader->rules, room, sizeof(*grown));

		if (!grown) {
			loader->reader.no_memory = true;
			return;
		}
		loader->rules = grown;
		loader->rule_room = room;
	}
	loader->rules[loader->rule_count] = (struct waiting_rule){
		.file = loader->reader.file,
		.at = keep_steps(loader, loader->reader.at),
		.root = root,
		.created_us = created_at(metadata),
		.name = text_at(metadata, "name"),
		.is_document = loader->in_documents,
		.index = loader->rule_count,
	};
	loader->rule_count++;
}

/* Files before documents. Those without a date stay in their order. */
static int compare_ages(const void *left, const void *right)
{
	const struct waiting_rule *a = left;
	const struct waiting_rule *b = right;
	int order = a->is_document - b->is_document
			    ?: mrd_instant_compare_age(a->created_us, b->created_us);

	if (!order && a->created_us != MRD_INSTANT_NONE)
		order = strcmp(a->name, b->name);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static void read_rules(struct loader *loader)
{
	if (loader->rule_count)
		qsort(loader->rules, loader->rule_count, sizeof(*loader->rules), compare_ages);
	for (size_t i = 0; i < loader->rule_count; i++) {
		loader->reader.file = loader->rules[i].file;
		loader->reader.at = loader->rules[i].at;
		mrd_read_rule(&loader->reader, loader->rules[i].root, loader->policy);
	}
	loader->reader.at = NULL;
}

/* What a cluster's dump holds beside rules is passed over: it is no mistake to have it there. */
static void pass_over(struct loader *loader, const struct mrd_doc_node *kind)
{
	const struct mrd_step step = {.up = loader->reader.at, .name = "kind"};

	loader->reader.at = &step;
	mrd_read_warning(&loader->reader, kind, "a %s is not applied", kind->text);
	loader->reader.at = step.up;
}

/* Kinds of Istio's own group are known: what is none of them is a typo. */
static void visit_istio(struct loader *loader, const struct mrd_doc_node *root, const char *version,
			const struct mrd_doc_node *kind)
{
	static const char *const versions[] = {"v1", "v1beta1", "v1alpha3"};
	static const char *const others[] = {
		"EnvoyFilter", "Gateway",	 "ProxyConfig",	  "ServiceEntry",
		"Sidecar",     "VirtualService", "WorkloadEntry", "WorkloadGroup",
	};

	if (is_one_of(kind->text, others, sizeof(others) / sizeof(*others)))
		pass_over(loader, kind);
	else if (strcmp(kind->text, "DestinationRule") != 0)
		error_at(loader, "kind", kind, "unknown kind of networking.istio.io:", kind->text);
	else if (!is_one_of(version, versions, sizeof(versions) / sizeof(*versions)))
		error_at(loader, "apiVersion", mrd_doc_get(root, "apiVersion"),
			 "must be " GROUP "v1, v1beta1 or v1alpha3, not", version);
	else
		add_waiting(loader, root);
}

static void visit(struct loader *loader, const struct mrd_doc_node *node);

static const struct mrd_field list_fields[] = {
	{.name = "apiVersion", .use = MRD_FIELD_SILENT, .read = mrd_read_any},
	{.name = "kind", .use = MRD_FIELD_SILENT, .read = mrd_read_any},
	{.name = "metadata", .use = MRD_FIELD_SILENT, .read = mrd_read_any},
	{.name = "items", .read = mrd_read_list_node},
};
static const struct mrd_block list_block = MRD_BLOCK(list_fields);

/* A field that no list has may have been meant to be its items. */
static void check_list(struct mrd_reader *reader, const struct mrd_doc_node *root)
{
	const struct mrd_step step = {.up = reader->at, .name = "items"};

	mrd_read_block(reader, root, &list_block, NULL);
	if (mrd_doc_get(root, step.name))
		return;
	reader->at = &step;
	mrd_read_warning(reader, root, "not given: the list is empty");
	reader->at = step.up;
}

static void visit_items(struct loader *loader, const struct mrd_doc_node *root)
{
	const struct mrd_step step = {.up = loader->reader.at, .name = "items"};
	const struct mrd_doc_node *items = mrd_doc_get(root, "items");

	for (size_t i = 0; items && items->kind == MRD_DOC_LIST && i < items->count; i++) {
		const struct mrd_step item = {.up = &step, .index = i};

		loader->reader.at = &item;
		visit(loader, items->items[i]);
	}
	loader->reader.at = step.up;
	if (loader->pass == PASS_RULES)
		check_list(&loader->reader, root);
}

/* "v1", "apps/v1", "gateway.networking.k8s.io/v1beta1", and a kind such as these have. */
static bool is_kubernetes(const char *version, const char *kind)
{
	static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char small[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const char *slash = strchr(version, '/');
	const char *word = slash ? slash + 1 : version;

	if (slash == version)
		return false;
	for (const char *at = version; slash && at < slash; at++)
		if (!strchr(small, *at) && *at != '.' && *at != '-')
			return false;
	return word[0] == 'v' && word[1] >= '1' && word[1] <= '9' && !word[strspn(word, small)] &&
	       strchr(capitals, kind[0]) && !kind[strcspn(kind, " /.:")];
}

static void visit_object(struct loader *loader, const struct mrd_doc_node *root)
{
	const struct mrd_doc_node *api = mrd_doc_get(root, "apiVersion");
	const struct mrd_doc_node *kind = mrd_doc_get(root, "kind");

	if (!api || !*api->text || !kind || !*kind->text)
		error_at(loader, !api || !*api->text ? "apiVersion" : "kind", root, "must be given",
			 "");
	else if (!strncmp(api->text, GROUP, strlen(GROUP)))
		visit_istio(loader, root, api->text + strlen(GROUP), kind);
	else if (strcmp(kind->text, "DestinationRule") != 0 && is_kubernetes(api->text, kind->text))
		pass_over(loader, kind);
	else
		error_at(loader, "kind", kind,
			 "expected a DestinationRule of " GROUP "v1, or a mesh-wide document "
			 "(without apiVersion and kind), not",
			 kind->text);
}

static bool is_list(const struct mrd_doc_node *root)
{
	const struct mrd_doc_node *kind = mrd_doc_get(root, "kind");

	return kind && (!strcmp(kind->text, "List") || !strcmp(kind->text, "DestinationRuleList"));
}

static void visit(struct loader *loader, const struct mrd_doc_node *node)
{
	if (!node || node->kind == MRD_DOC_NULL)
		return;
	if (node->kind != MRD_DOC_MAP) {
		if (loader->pass == PASS_RULES)
			mrd_read_error(&loader->reader, node,
				       "expected a document with fields, such as apiVersion");
		return;
	}
	if (is_list(node))
		visit_items(loader, node);
	else if (mrd_doc_get(node, "apiVersion") || mrd_doc_get(node, "kind")) {
		if (loader->pass == PASS_RULES)
			visit_object(loader, node);
	} else if (loader->pass == PASS_NOTES)
		mrd_read_mesh_notes(&loader->reader, node, &loader->notes);
	else if (loader->pass == PASS_MESH)
		mrd_read_mesh(&loader->reader, node, loader->seen, loader->policy);
}

static void visit_all(struct loader *loader, enum load_pass pass)
{
	loader->pass = pass;
	for (size_t i = 0; i < loader->file_count; i++) {
		loader->reader.file = mrd_doc_name(loader->files[i]);
		loader->in_documents = i >= loader->read_from_files;
		for (size_t j = 0; j < mrd_doc_count(loader->files[i]); j++)
			visit(loader, mrd_doc_root(loader->files[i], j));
	}
}

/* Which files said something, for mrd_policy_check_emptied(). */
static int keep_files(const struct loader *loader)
{
	for (size_t i = 0; i < loader->read_from_files; i++) {
		const char *name = mrd_doc_name(loader->files[i]);
		size_t said = 0;

		for (size_t j = 0; j < mrd_doc_count(loader->files[i]); j++)
			said += mrd_doc_root(loader->files[i], j) != NULL;
		if (said && mrd_table_put_str(loader->policy->files, name, loader->policy) < 0)
			return -ENOMEM;
	}
	return 0;
}

void mrd_policy_check_emptied(const struct mrd_policy *before, struct mrd_diag *diag)
{
	const void *path;
	size_t cursor = 0;

	while (mrd_table_next(before->files, &cursor, &path, NULL)) {
		const struct mrd_place place = {.file = path, .line = 1, .column = 1};
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size)
			mrd_diag_add(diag, MRD_ERROR, &place, "",
				     "is empty; delete the file to take its rules away");
	}
}

int mrd_policy_load(const char *const *paths, size_t count, const struct mrd_policy_names *names,
		    struct mrd_diag *diag, struct mrd_policy **ret_policy)
{
	return mrd_policy_load_with(paths, count, NULL, 0, names, diag, ret_policy);
}

int mrd_policy_load_with(const char *const *paths, size_t count,
			 const struct mrd_policy_document *documents, size_t document_count,
			 const struct mrd_policy_names *names, struct mrd_diag *diag,
			 struct mrd_policy **ret_policy)
{
	MRD_CLEANUP(loader_cleanup) struct loader loader = {.reader.diag = diag};
	const size_t errors = diag->errors;
	int r = mrd_policy_new_empty(names, &loader.policy);

	*ret_policy = NULL;
	if (r < 0)
		return r;
	loader.seen = mrd_table_new(free);
	loader.named = mrd_table_new(free);
	if (!loader.seen || !loader.named)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		r = read_path(&loader, paths[i]);
		if (r < 0)
			return r;
	}
	loader.read_from_files = loader.file_count;
	for (size_t i = 0; i < document_count; i++) {
		r = read_document(&loader, &documents[i]);
		if (r < 0)
			return r;
	}
	visit_all(&loader, PASS_NOTES);
	loader.policy->mesh.ours = loader.notes.ours;
	mrd_ours_apply_to_handshakes(&loader.notes.ours, &loader.policy->mesh.handshakes);
	loader.reader.notes = &loader.notes;
	visit_all(&loader, PASS_MESH);
	loader.reader.mesh = &loader.policy->mesh;
	visit_all(&loader, PASS_RULES);
	read_rules(&loader);
	mrd_read_mesh_end(&loader.reader, loader.seen, loader.policy);
	mrd_check_mesh_notes(&loader.reader, loader.policy, diag->errors == errors);
	mrd_diag_sort(diag);
	if (loader.reader.no_memory || mrd_policy_finish(loader.policy) < 0 ||
	    keep_files(&loader) < 0)
		return -ENOMEM;
	if (diag->errors != errors)
		return -EBADMSG;
	*ret_policy = MRD_STEAL_PTR(loader.policy);
	return 0;
}
