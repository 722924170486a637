/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whether the server still has what it has told. Its storage may have been set back, to a snapshot
 * from before: then it is asked about by a list of one object, which is cheap.
 *
 * Either its version is lower than ours; or it has passed ours already, in another history, where
 * our newest change was not: of all that we know this is the one that a snapshot lacks first. It
 * is enough to see that the object has not got to that version. One that is not there may as well
 * have been deleted; a list is right in either case.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/doc_json.h"
#include "kube/reflector_state.h"

enum { VERSION_MAX = 64 };

static const char digits[] = "0123456789";

/* Versions are numbers without a limit (KEP-5504). Of others nothing is known: false. */
static bool is_before(const char *version, const char *other)
{
	const size_t len = strlen(version);
	const size_t other_len = strlen(other);

	if (!len || strspn(version, digits) != len || !other_len ||
	    strspn(other, digits) != other_len)
		return false;
	return len != other_len ? len < other_len : strcmp(version, other) < 0;
}

static const char *text_of(const struct mrd_strbuf *buf)
{
	return buf->text ? buf->text : "";
}

/* ------------------------------------------------------------------- the newest change */

void mrd_reflector_forget_newest(struct mrd_reflector *reflector)
{
	struct mrd_reflector_newest *newest = &reflector->newest;

	mrd_strbuf_free(&newest->json);
	mrd_strbuf_free(&newest->version);
}

static void note(struct mrd_reflector *reflector, const char *json, size_t len, const char *version,
		 bool is_gone)
{
	struct mrd_reflector_newest *newest = &reflector->newest;

	if (!*version || (newest->version.len && !is_before(newest->version.text, version)))
		return;
	newest->is_gone = is_gone;
	newest->json.len = newest->version.len = 0;
	mrd_strbuf_add(&newest->json, json, len);
	mrd_strbuf_add(&newest->version, version, strlen(version));
	if (newest->json.failed || newest->version.failed)
		mrd_reflector_forget_newest(reflector);
}

void mrd_reflector_note_event(struct mrd_reflector *reflector, const struct mrd_watch_event *event)
{
	note(reflector, event->object, event->object_len, event->version,
	     event->type == MRD_WATCH_DELETED);
}

/* Where an item's version stands. */
struct span {
	size_t from;
	size_t to;
};

static int begin_version(void *self, unsigned int path, size_t at)
{
	(void)path;
	((struct span *)self)->from = at;
	return 0;
}

static int end_version(void *self, unsigned int path, size_t at)
{
	(void)path;
	((struct span *)self)->to = at;
	return 0;
}

void mrd_reflector_note_item(struct mrd_reflector *reflector, const char *json, size_t len)
{
	static const struct mrd_json_path version = {.steps = {"metadata", "resourceVersion"},
						     .count = 2};
	struct span span = {0};
	const struct mrd_json_scan_hooks hooks = {
		.begin = begin_version, .end = end_version, .self = &span};
	char text[VERSION_MAX + 1] = "";
	struct mrd_json_scan scan;

	mrd_json_scan_begin(&scan, &version, 1, false, &hooks);
	if (mrd_json_scan_feed(&scan, json, len) < 0 || span.to < span.from + 2 ||
	    span.to - span.from - 2 > VERSION_MAX)
		return;
	memcpy(text, json + span.from + 1, span.to - span.from - 2); /* without its quotes */
	note(reflector, json, len, text, false);
}

/* ------------------------------------------------------------------- the request */

/* The names of an object, and its version; what it does not have is "". */
struct names {
	struct mrd_doc_file *doc; /* to be freed */
	const char *namespace_;
	const char *name;
	const char *version;
};

static struct names names_of(const char *json, size_t len)
{
	struct names names = {.namespace_ = "", .name = "", .version = ""};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	const struct mrd_doc_node *metadata;

	if (mrd_doc_parse_json("object", json, len, &diag, &names.doc) < 0)
		return names;
	metadata = mrd_doc_get(mrd_doc_root(names.doc, 0), "metadata");
	mrd_doc_string(mrd_doc_get(metadata, "namespace"), &names.namespace_);
	mrd_doc_string(mrd_doc_get(metadata, "name"), &names.name);
	mrd_doc_string(mrd_doc_get(metadata, "resourceVersion"), &names.version);
	return names;
}

/* By its name and in its namespace: that is a look at one key, however many there are. */
void mrd_reflector_ask_check(struct mrd_reflector *reflector)
{
	const struct mrd_query_kind kind = mrd_reflector_kind(reflector);
	const struct mrd_strbuf *json = &reflector->newest.json;
	struct names newest = names_of(text_of(json), json->len);
	MRD_AUTO_STRBUF struct mrd_strbuf selector = {0};

	reflector->check_names = *newest.name;
	reflector->is_set_back = *newest.name && !reflector->newest.is_gone;
	mrd_query_add_path(&reflector->request, &kind, newest.namespace_);
	mrd_query_add(&reflector->request, "limit", "1");
	if (*newest.name) {
		mrd_strbuf_addf(&selector, "metadata.name=%s", newest.name);
		mrd_query_add(&reflector->request, "fieldSelector", text_of(&selector));
	}
	mrd_doc_free(newest.doc);
}

/* ------------------------------------------------------------------- the answer */

void mrd_reflector_check_item(struct mrd_reflector *reflector, const char *json, size_t len)
{
	struct names item;

	if (!reflector->check_names)
		return;
	item = names_of(json, len);
	reflector->is_set_back = is_before(item.version, text_of(&reflector->newest.version));
	mrd_doc_free(item.doc);
}

void mrd_reflector_check_end(struct mrd_reflector *reflector, const char *version)
{
	reflector->is_set_back |= is_before(version, text_of(&reflector->version));
}
