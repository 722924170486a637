/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * json_scan.h finds where values begin and end; here they are held until they are whole. A piece is
 * copied at its end, or where the outermost value ends, so never byte by byte.
 *
 * Items of a list say neither kind nor apiVersion unless they are custom resources. Room for both
 * is kept before an item, so that putting them in costs nothing but their own bytes.
 */
#include "kube/json_split.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/doc_json.h"

enum list_path {
	ITEMS,
	ITEM,
	ITEM_KIND,
	ITEM_API,
	ITEM_MANAGED,
	LIST_VERSION,
	LIST_CONTINUE,
	LIST_REMAINING
};

static const struct mrd_json_path list_paths[] = {
	[ITEMS] = {{"items"}, 1},
	[ITEM] = {{"items", NULL}, 2},
	[ITEM_KIND] = {{"items", NULL, "kind"}, 3},
	[ITEM_API] = {{"items", NULL, "apiVersion"}, 3},
	[ITEM_MANAGED] = {{"items", NULL, "metadata", "managedFields"}, 4},
	[LIST_VERSION] = {{"metadata", "resourceVersion"}, 2},
	[LIST_CONTINUE] = {{"metadata", "continue"}, 2},
	[LIST_REMAINING] = {{"metadata", "remainingItemCount"}, 2},
};

enum watch_path { TYPE, OBJECT, OBJECT_VERSION, OBJECT_INITIAL_END, OBJECT_MANAGED };

static const struct mrd_json_path watch_paths[] = {
	[TYPE] = {{"type"}, 1},
	[OBJECT] = {{"object"}, 1},
	[OBJECT_VERSION] = {{"object", "metadata", "resourceVersion"}, 3},
	[OBJECT_INITIAL_END] = {{"object", "metadata", "annotations", "k8s.io/initial-events-end"},
				4},
	[OBJECT_MANAGED] = {{"object", "metadata", "managedFields"}, 3},
};

static bool was_seen(const struct mrd_json_split *split, unsigned int path)
{
	return split->seen >> path & 1;
}

/* Takes what is still in the piece before to, of the value that is open. */
static int hold(struct mrd_json_split *split, size_t to)
{
	mrd_strbuf_add(&split->held, split->piece + split->from, to - split->from);
	split->from = to;
	if (split->held.failed)
		return -ENOMEM;
	return split->held.len > MRD_JSON_OBJECT_MAX ? -EMSGSIZE : 0;
}

/* Begins and ends of values in held: what of the piece is not in it yet would stand behind it. */
static size_t held_at(const struct mrd_json_split *split, size_t at)
{
	return split->held.len + (at - split->from);
}

static int check_gap(const struct mrd_json_split *split, size_t at)
{
	return split->before + at - split->object_at > MRD_JSON_GAP_MAX ? -EMSGSIZE : 0;
}

static void empty(struct mrd_strbuf *buf)
{
	buf->len = 0;
	mrd_strbuf_add(buf, "", 0);
}

/* null is empty. */
static int parse_word(const char *json, size_t len, struct mrd_strbuf *out)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const char *text = "";
	int ret = mrd_doc_parse_json("word", json, len, &diag, &file);

	if (ret < 0)
		return ret;
	if (mrd_doc_root(file, 0))
		ret = mrd_doc_string(mrd_doc_root(file, 0), &text);
	mrd_strbuf_add(out, text, strlen(text));
	mrd_doc_free(file);
	return ret < 0 ? -EBADMSG : 0;
}

/* A word that was held, without quotes and escapes. */
static int take_word(const struct mrd_json_split *split, unsigned int path, struct mrd_strbuf *out)
{
	const char *json = split->held.text + split->spans[path].from;
	const size_t len = split->spans[path].to - split->spans[path].from;
	int ret = 0;

	empty(out);
	if (len > MRD_JSON_WORD_MAX)
		return -EMSGSIZE;
	if (json[0] == '"' && !memchr(json, '\\', len))
		mrd_strbuf_add(out, json + 1, len - 2); /* each event has one: without a parser */
	else
		ret = parse_word(json, len, out);
	return ret == 0 && out->failed ? -ENOMEM : ret;
}

/* ------------------------------------------------------------------- values */

/* Makes ready to hold a value from at on. */
static int open_value(struct mrd_json_split *split, size_t at)
{
	int ret;

	if (split->open++)
		return 0;
	ret = check_gap(split, at);
	split->from = at;
	return ret;
}

/* *ret_last: nothing is open any more. */
static int close_value(struct mrd_json_split *split, size_t at, bool *ret_last)
{
	*ret_last = !--split->open;
	if (!*ret_last)
		return 0;
	split->object_at = split->before + at;
	return hold(split, at);
}

static void remember_begin(struct mrd_json_split *split, unsigned int path, size_t at)
{
	split->seen |= 1U << path;
	split->spans[path].from = held_at(split, at);
}

/* Who wrote which field is a third of many objects, and nobody reads it: none of it is held. */
static int begin_managed(struct mrd_json_split *split, unsigned int path, size_t at)
{
	const int ret = hold(split, at);

	split->spans[path].from = split->held.len;
	return ret;
}

static int end_managed(struct mrd_json_split *split, unsigned int path, size_t at)
{
	static const char none[] = "[]";

	split->held.len = split->spans[path].from; /* what earlier pieces had of it */
	mrd_strbuf_add(&split->held, none, strlen(none));
	split->from = at;
	return split->held.failed ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------- lists */

static int list_begin(void *self, unsigned int path, size_t at)
{
	struct mrd_json_split *split = self;
	int ret;

	if (path == ITEMS) {
		const char first = split->piece[at];

		/* No items at all are null, of some servers. */
		if (split->has_items || (first != '[' && first != 'n'))
			return -EBADMSG;
		split->has_items = true;
		return 0;
	}
	if (path == ITEM_MANAGED)
		return begin_managed(split, path, at);
	if (!split->open) {
		empty(&split->held);
		split->seen = 0;
		if (path == ITEM)
			mrd_strbuf_add(&split->held, split->prefix.text, split->prefix.len - 1);
	}
	ret = open_value(split, at);
	remember_begin(split, path, at);
	return ret;
}

/* Where the item begins. What it does not say goes over the room before it, and over its bracket.
 */
static size_t complete_item(struct mrd_json_split *split)
{
	const size_t from = split->spans[ITEM].from;
	char *text = split->held.text;
	size_t next = from + 1;

	/* No server says one without the other: such an item is its reader's to refuse. */
	if (text[from] != '{' || was_seen(split, ITEM_KIND) || was_seen(split, ITEM_API))
		return from;
	memcpy(text + next - split->prefix.len, split->prefix.text, split->prefix.len);
	while (strchr(" \t\r\n", text[next]))
		next++;
	if (text[next] == '}')
		text[from] = ' '; /* instead of a comma with nothing behind it */
	return from + 1 - split->prefix.len;
}

static int list_end(void *self, unsigned int path, size_t at)
{
	struct mrd_json_split *split = self;
	size_t from;
	bool last;
	int ret;

	if (path == ITEMS)
		return 0;
	if (path == ITEM_MANAGED)
		return end_managed(split, path, at);
	split->spans[path].to = held_at(split, at);
	ret = close_value(split, at, &last);
	if (ret < 0 || !last)
		return ret;
	switch (path) {
	case LIST_VERSION:
		return take_word(split, path, &split->version);
	case LIST_CONTINUE:
		return take_word(split, path, &split->continue_token);
	case LIST_REMAINING:
		return take_word(split, path, &split->remaining);
	default:
		from = complete_item(split);
		return split->hooks.item(split->hooks.self, split->held.text + from,
					 split->held.len - from);
	}
}

/* ------------------------------------------------------------------- watches */

static int watch_begin(void *self, unsigned int path, size_t at)
{
	struct mrd_json_split *split = self;
	int ret;

	if ((path == TYPE || path == OBJECT) && was_seen(split, path))
		return -EBADMSG;
	if (path == OBJECT && split->piece[at] != '{')
		return -EBADMSG;
	if (path == OBJECT_MANAGED)
		return begin_managed(split, path, at);
	ret = open_value(split, at);
	remember_begin(split, path, at);
	return ret;
}

static int watch_end(void *self, unsigned int path, size_t at)
{
	struct mrd_json_split *split = self;
	bool last;

	if (path == OBJECT_MANAGED)
		return end_managed(split, path, at);
	split->spans[path].to = held_at(split, at);
	return close_value(split, at, &last);
}

static bool span_is(const struct mrd_json_split *split, unsigned int path, const char *word)
{
	const struct mrd_json_span span = split->spans[path];
	const size_t len = strlen(word);

	return was_seen(split, path) && span.to - span.from == len &&
	       !memcmp(split->held.text + span.from, word, len);
}

static enum mrd_watch_type type_of(const struct mrd_json_split *split)
{
	static const char *const types[] = {
		[MRD_WATCH_ADDED] = "\"ADDED\"",     [MRD_WATCH_MODIFIED] = "\"MODIFIED\"",
		[MRD_WATCH_DELETED] = "\"DELETED\"", [MRD_WATCH_BOOKMARK] = "\"BOOKMARK\"",
		[MRD_WATCH_ERROR] = "\"ERROR\"",
	};
	enum mrd_watch_type type = 0;

	while (type < MRD_WATCH_UNKNOWN && !span_is(split, TYPE, types[type]))
		type++;
	return type;
}

static int watch_document(void *self, size_t at)
{
	struct mrd_json_split *split = self;
	struct mrd_watch_event event = {0};
	int ret = 0;

	if (!was_seen(split, TYPE) || !was_seen(split, OBJECT))
		return -EBADMSG;
	empty(&split->version);
	if (was_seen(split, OBJECT_VERSION))
		ret = take_word(split, OBJECT_VERSION, &split->version);
	if (ret < 0)
		return ret;
	event = (struct mrd_watch_event){
		.type = type_of(split),
		.object = split->held.text + split->spans[OBJECT].from,
		.object_len = split->spans[OBJECT].to - split->spans[OBJECT].from,
		.version = split->version.text,
		.initial_end = span_is(split, OBJECT_INITIAL_END, "\"true\""),
	};
	split->object_at = split->before + at;
	ret = split->hooks.event(split->hooks.self, &event);
	empty(&split->held);
	split->seen = 0;
	return ret;
}

/* ------------------------------------------------------------------- both */

void mrd_json_split_list(struct mrd_json_split *split, const char *kind, const char *api_version,
			 const struct mrd_json_split_hooks *hooks)
{
	const struct mrd_json_scan_hooks scan_hooks = {
		.begin = list_begin, .end = list_end, .self = split};

	split->hooks = *hooks;
	mrd_strbuf_addf(&split->prefix, "{\"kind\":");
	mrd_strbuf_add_json(&split->prefix, kind);
	mrd_strbuf_addf(&split->prefix, ",\"apiVersion\":");
	mrd_strbuf_add_json(&split->prefix, api_version);
	mrd_strbuf_addf(&split->prefix, ",");
	mrd_json_scan_begin(&split->scan, list_paths, sizeof(list_paths) / sizeof(list_paths[0]),
			    false, &scan_hooks);
}

void mrd_json_split_watch(struct mrd_json_split *split, const struct mrd_json_split_hooks *hooks)
{
	const struct mrd_json_scan_hooks scan_hooks = {
		.begin = watch_begin, .end = watch_end, .document = watch_document, .self = split};

	split->hooks = *hooks;
	split->watch = true;
	mrd_json_scan_begin(&split->scan, watch_paths, sizeof(watch_paths) / sizeof(watch_paths[0]),
			    true, &scan_hooks);
}

void mrd_json_split_clear(struct mrd_json_split *split)
{
	mrd_strbuf_free(&split->version);
	mrd_strbuf_free(&split->continue_token);
	mrd_strbuf_free(&split->remaining);
	mrd_strbuf_free(&split->prefix);
	mrd_strbuf_free(&split->held);
	*split = (struct mrd_json_split){0};
}

int mrd_json_split_feed(struct mrd_json_split *split, const char *data, size_t len)
{
	int ret;

	if (split->prefix.failed)
		return -ENOMEM;
	split->piece = data;
	split->from = 0;
	ret = mrd_json_scan_feed(&split->scan, data, len);
	if (ret == 0)
		ret = split->open ? hold(split, len) : check_gap(split, len);
	split->before += len;
	return ret;
}

int mrd_json_split_end(const struct mrd_json_split *split)
{
	if (!mrd_json_scan_is_whole(&split->scan))
		return -EBADMSG;
	if (split->watch)
		return 0;
	return split->has_items && split->version.len ? 0 : -EBADMSG;
}
