/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Rules are judged together, since one may contradict another. So a load tries the newest version
 * of each; those that errors name step back to their last good version, and from there to none,
 * until nothing is wrong with any. What is left are errors of files, which refuse the whole.
 */
#include "source/rule_docs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "policy/policy_yaml.h"

struct version {
	char *json; /* NULL: none */
	size_t len;
};

enum use { USE_FRESH, USE_GOOD, USE_NONE };

struct rule_doc {
	char *title; /* "cluster/namespace/name" */
	struct version fresh;
	struct version good;	/* the last one in force, if that is not the fresh one */
	bool is_good;		/* the fresh one is in force */
	bool met;		/* by the list that is under way */
	bool listed;		/* there was a whole list since, or none was under way */
	enum use use;		/* in the last load, or the one that is under way */
	struct mrd_diag errors; /* of the fresh one */
	struct mrd_diag found;	/* likewise, by the load that is under way */
};

struct mrd_rule_docs {
	char *cluster;
	struct mrd_table *by_key; /* "namespace/name" → struct rule_doc */
	bool changed;
	bool listing;
};

/* ------------------------------------------------------------------------ life */

static void doc_free(void *value)
{
	struct rule_doc *doc = value;

	free(doc->title);
	free(doc->fresh.json);
	free(doc->good.json);
	mrd_diag_free(&doc->errors);
	mrd_diag_free(&doc->found);
	free(doc);
}

int mrd_rule_docs_new(const char *cluster, struct mrd_rule_docs **ret_docs)
{
	struct mrd_rule_docs *docs = calloc(1, sizeof(*docs));

	if (!docs)
		return -ENOMEM;
	docs->cluster = strdup(cluster);
	docs->by_key = mrd_table_new(doc_free);
	if (!docs->cluster || !docs->by_key) {
		mrd_rule_docs_free(docs);
		return -ENOMEM;
	}
	*ret_docs = docs;
	return 0;
}

void mrd_rule_docs_free(struct mrd_rule_docs *docs)
{
	if (!docs)
		return;
	mrd_table_free(docs->by_key);
	free(docs->cluster);
	free(docs);
}

/* ------------------------------------------------------------------------ what is heard */

static void cleanup_fresh(struct rule_doc **doc)
{
	if (*doc)
		doc_free(*doc);
}

static int doc_get(struct mrd_rule_docs *docs, const char *key, struct rule_doc **ret_doc)
{
	MRD_CLEANUP(cleanup_fresh) struct rule_doc *doc = NULL;
	int ret;

	*ret_doc = mrd_table_get_str(docs->by_key, key);
	if (*ret_doc)
		return 0;
	doc = calloc(1, sizeof(*doc));
	if (!doc)
		return -ENOMEM;
	if (asprintf(&doc->title, "%s/%s", docs->cluster, key) < 0) {
		doc->title = NULL;
		return -ENOMEM;
	}
	ret = mrd_table_put_str(docs->by_key, key, doc);
	if (ret < 0)
		return ret;
	*ret_doc = MRD_STEAL_PTR(doc);
	return 0;
}

int mrd_rule_docs_put(struct mrd_rule_docs *docs, const char *key, const char *json, size_t len)
{
	MRD_AUTO_FREE char *copy = strndup(json, len);
	struct rule_doc *doc;
	int ret;

	if (!copy)
		return -ENOMEM;
	ret = doc_get(docs, key, &doc);
	if (ret < 0)
		return ret;
	doc->met = true;
	doc->listed |= !docs->listing;
	if (doc->fresh.json && !strcmp(doc->fresh.json, copy))
		return 0;
	if (doc->is_good) {
		free(doc->good.json);
		doc->good = doc->fresh;
		doc->fresh = (struct version){0};
	}
	free(doc->fresh.json);
	doc->fresh = (struct version){.json = MRD_STEAL_PTR(copy), .len = len};
	doc->is_good = false;
	docs->changed = true;
	return 0;
}

void mrd_rule_docs_remove(struct mrd_rule_docs *docs, const char *key)
{
	docs->changed |= !mrd_table_delete_str(docs->by_key, key);
}

void mrd_rule_docs_mark(struct mrd_rule_docs *docs)
{
	struct rule_doc *doc;
	size_t cursor = 0;

	docs->listing = true;
	while ((doc = mrd_table_next(docs->by_key, &cursor, NULL, NULL)))
		doc->met = false;
}

void mrd_rule_docs_sweep(struct mrd_rule_docs *docs)
{
	struct rule_doc *doc;
	const void *key;
	size_t key_len;
	size_t cursor = 0;

	docs->listing = false;
	while ((doc = mrd_table_next(docs->by_key, &cursor, &key, &key_len))) {
		doc->listed = true;
		if (!doc->met)
			docs->changed |= !mrd_table_delete(docs->by_key, key, key_len);
	}
}

void mrd_rule_docs_forget(struct mrd_rule_docs *docs)
{
	const struct rule_doc *doc;
	const void *key;
	size_t key_len;
	size_t cursor = 0;

	while ((doc = mrd_table_next(docs->by_key, &cursor, &key, &key_len)))
		if (!doc->listed)
			mrd_table_delete(docs->by_key, key, key_len);
}

size_t mrd_rule_docs_count(const struct mrd_rule_docs *docs)
{
	return mrd_table_count(docs->by_key);
}

bool mrd_rule_docs_is_due(const struct mrd_rule_docs *docs)
{
	return docs->changed && !docs->listing;
}

/* ------------------------------------------------------------------------ loading */

/* All documents in order of their names, and what is handed to the policy's reader. */
struct loading {
	struct rule_doc **docs;
	size_t count;
	struct mrd_policy_document *documents;
	size_t document_count;
};

static void loading_clear(struct loading *loading)
{
	free(loading->docs);
	free(loading->documents);
}

static int compare(const void *left, const void *right)
{
	const struct rule_doc *a = *(struct rule_doc *const *)left;
	const struct rule_doc *b = *(struct rule_doc *const *)right;

	return strcmp(a->title, b->title);
}

static int start_loading(const struct mrd_rule_docs *docs, struct loading *loading)
{
	const size_t room = docs ? mrd_table_count(docs->by_key) : 0;
	struct rule_doc *doc;
	size_t cursor = 0;

	loading->docs = calloc(room + 1, sizeof(*loading->docs));
	loading->documents = calloc(room + 1, sizeof(*loading->documents));
	if (!loading->docs || !loading->documents)
		return -ENOMEM;
	while (docs && (doc = mrd_table_next(docs->by_key, &cursor, NULL, NULL))) {
		doc->use = USE_FRESH;
		mrd_diag_free(&doc->found);
		doc->found = (struct mrd_diag){0};
		loading->docs[loading->count++] = doc;
	}
	qsort(loading->docs, loading->count, sizeof(struct rule_doc *), compare);
	return 0;
}

static void fill_documents(struct loading *loading)
{
	loading->document_count = 0;
	for (size_t i = 0; i < loading->count; i++) {
		const struct rule_doc *doc = loading->docs[i];
		const struct version *version = doc->use == USE_FRESH ? &doc->fresh : &doc->good;

		if (doc->use != USE_NONE)
			loading->documents[loading->document_count++] =
				(struct mrd_policy_document){
					.name = doc->title,
					.json = version->json,
					.len = version->len,
				};
	}
}

static void copy_findings(const struct mrd_diag *from, struct mrd_diag *to)
{
	for (size_t i = 0; i < from->count; i++)
		mrd_diag_copy(to, &from->findings[i]);
}

/* Those that the errors name step back. Returns whether there is one. */
static bool step_back(struct loading *loading, const struct mrd_diag *errors)
{
	bool any = false;

	for (size_t i = 0; i < loading->count; i++) {
		struct rule_doc *doc = loading->docs[i];
		bool is_named = false;

		for (size_t k = 0; k < errors->count && doc->use != USE_NONE; k++) {
			const struct mrd_finding *finding = &errors->findings[k];

			if (finding->severity != MRD_ERROR ||
			    strcmp(finding->file, doc->title) != 0)
				continue;
			is_named = true;
			if (doc->use == USE_FRESH)
				mrd_diag_copy(&doc->found, finding);
		}
		if (!is_named)
			continue;
		any = true;
		/* What was in force until now is where a fresh version that is good steps to. */
		doc->use = doc->use == USE_FRESH && doc->good.json ? USE_GOOD : USE_NONE;
	}
	return any;
}

static bool same_findings(const struct mrd_diag *a, const struct mrd_diag *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->findings[i].field, b->findings[i].field) != 0 ||
		    strcmp(a->findings[i].reason, b->findings[i].reason) != 0)
			return false;
	return true;
}

/* The policy stands: what each document is worth is known. */
static void settle(struct loading *loading, struct mrd_diag *news)
{
	for (size_t i = 0; i < loading->count; i++) {
		struct rule_doc *doc = loading->docs[i];

		doc->is_good = doc->use == USE_FRESH;
		if (doc->is_good) {
			free(doc->good.json);
			doc->good = (struct version){0};
		}
		if (!same_findings(&doc->errors, &doc->found))
			copy_findings(&doc->found, news);
		mrd_diag_free(&doc->errors);
		doc->errors = doc->found;
		doc->found = (struct mrd_diag){0};
	}
}

int mrd_rule_docs_load(struct mrd_rule_docs *docs, const char *const *paths, size_t count,
		       const struct mrd_policy_names *names, struct mrd_diag *diag,
		       struct mrd_policy **ret_policy)
{
	MRD_CLEANUP(loading_clear) struct loading loading = {0};
	int ret = start_loading(docs, &loading);

	if (ret < 0)
		return ret;
	for (;;) {
		MRD_AUTO_DIAG struct mrd_diag attempt = {0};

		fill_documents(&loading);
		ret = mrd_policy_load_with(paths, count, loading.documents, loading.document_count,
					   names, &attempt, ret_policy);
		if (ret == -EBADMSG && step_back(&loading, &attempt))
			continue;
		copy_findings(&attempt, diag);
		break;
	}
	if (docs && ret != -ENOMEM)
		docs->changed = false;
	if (!ret)
		settle(&loading, diag);
	return ret;
}

void mrd_rule_docs_rejected(const struct mrd_rule_docs *docs,
			    void (*fn)(void *self, const char *name, bool has_older,
				       const struct mrd_diag *errors),
			    void *self)
{
	const struct rule_doc *doc;
	size_t cursor = 0;

	while (docs && (doc = mrd_table_next(docs->by_key, &cursor, NULL, NULL)))
		if (doc->errors.count)
			fn(self, doc->title, doc->use == USE_GOOD, &doc->errors);
}
