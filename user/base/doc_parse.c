/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * libyaml's events → a document tree.
 *
 * Nodes whose parent is still open wait on one stack ("pending"); when the parent ends, they are
 * copied into the arena at their exact number. An alias is the anchor's node itself, not a copy, so
 * a tree may share branches. What readers would meet if they walked it whole is counted all the
 * same ("weight"), and so is how deep they would get ("height"): aliases of aliases cannot blow up
 * a reader that was written for trees.
 *
 * One run shows all that is wrong in a file. A mistake that libyaml can read past (a key given
 * twice or that is no word, an alias of nothing, …) is told, and reading goes on: the first value
 * of a key stands, a key without a name goes with its value, null stands for an alias. Behind what
 * libyaml cannot read nothing of that document makes sense, but the next one begins at a line with
 * "---", which nothing else in YAML can look like; there another parser begins.
 *
 * So does one at a "{" behind a document that began with one: JSON needs nothing between two.
 */
#include "base/doc_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/doc_text.h"
#include "base/strbuf.h"
#include "base/table.h"

enum {
	PENDING_MIN = 64,
	MISTAKES_MAX = 100, /* a hostile file shall not fill the log */
};

struct anchor {
	struct mrd_doc_node *node; /* NULL while it is still open */
	size_t weight;
	unsigned int height;
};

/* A map or list that has begun and not ended. */
struct frame {
	enum mrd_doc_kind kind;
	yaml_mark_t mark;
	struct anchor *anchor; /* NULL: it has none */
	size_t first;	       /* of its nodes on the pending stack */
	size_t weight_before;
	unsigned int height;
	bool is_key; /* or inside of one: told already that no map or list can be a key */
};

/* A map's pair on its way from the stack to the arena. */
struct pair {
	struct mrd_doc_node *key;
	struct mrd_doc_node *value;
	bool merged; /* from a "<<": gives way to a key that is written out */
	bool dropped;
};

struct builder {
	struct mrd_doc_file *file;
	struct mrd_diag *diag;
	struct mrd_doc_text text;
	struct mrd_doc_node **pending;
	size_t pending_count;
	size_t pending_room;
	struct frame frames[MRD_DOC_DEPTH_MAX];
	unsigned int depth;
	struct mrd_table *anchors; /* of this document, by name */
	struct pair *pairs;	   /* scratch of the map that ends */
	struct pair **sorted;
	size_t pairs_count;
	size_t pairs_room;
	size_t weight;
	size_t alias_weight; /* what of it aliases added */
	unsigned int mistakes;
	bool is_over;	      /* a bound was met: what follows is not read */
	bool is_json;	      /* the document that is being read began with "{" */
	size_t document_line; /* where the document that is being read begins */
	size_t refused_line;
};

static const char no_key[] = "a key must be a single word or text";

static struct mrd_place place_at(const struct builder *builder, yaml_mark_t mark)
{
	return (struct mrd_place){
		.file = builder->file->name,
		.line = (unsigned int)mark.line + 1,
		.column = (unsigned int)mark.column + 1,
	};
}

static int refuse(struct builder *builder, yaml_mark_t mark, const char *reason)
{
	const struct mrd_place place = place_at(builder, mark);

	mrd_diag_add(builder->diag, MRD_ERROR, &place, "", "%s", reason);
	builder->refused_line = mark.line;
	return -EBADMSG;
}

static int note_mistake(struct builder *builder)
{
	builder->is_over = ++builder->mistakes == MISTAKES_MAX;
	return builder->is_over ? -EBADMSG : 0;
}

/* A way to a frame's child that begins when next nodes wait. */
static void add_step(const struct builder *builder, const struct frame *frame, size_t next,
		     struct mrd_strbuf *way)
{
	if (frame->kind == MRD_DOC_LIST)
		mrd_strbuf_add_index(way, next - frame->first);
	else if ((next - frame->first) % 2)
		mrd_strbuf_add_field(way, builder->pending[next - 1]->text);
}

/* The way to the map or list that is open: each frame's child waits for its end behind its key, or
 * behind the items before it. */
static void add_way(const struct builder *builder, struct mrd_strbuf *way)
{
	for (unsigned int i = 0; i + 1 < builder->depth; i++)
		add_step(builder, &builder->frames[i], builder->frames[i + 1].first, way);
}

/* Tells a mistake at the node that comes now. 0: to be read past. */
static int complain(struct builder *builder, yaml_mark_t mark, const char *reason)
{
	const struct mrd_place place = place_at(builder, mark);
	MRD_AUTO_STRBUF struct mrd_strbuf way = {0};

	add_way(builder, &way);
	if (builder->depth)
		add_step(builder, &builder->frames[builder->depth - 1], builder->pending_count,
			 &way);
	mrd_diag_add(builder->diag, MRD_ERROR, &place, way.text ? way.text : "", "%s", reason);
	return note_mistake(builder);
}

static int refuse_as_libyaml(struct builder *builder, const yaml_parser_t *yaml)
{
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};
	yaml_mark_t mark;

	if (yaml->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	mark = mrd_doc_text_refused(&builder->text, yaml, &reason);
	return refuse(builder, mark, reason.text ? reason.text : "not YAML");
}

/* ------------------------------------------------------------------- nodes */

static struct mrd_doc_node *node_new(struct builder *builder, enum mrd_doc_kind kind,
				     yaml_mark_t mark)
{
	struct mrd_doc_node *node = mrd_arena_alloc(&builder->file->arena, sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct mrd_doc_node){
		.kind = kind,
		.line = (unsigned int)mark.line + 1,
		.column = (unsigned int)mark.column + 1,
		.text = "",
	};
	return node;
}

/* What stands in the file is bounded by the file's size. */
static int add_alias_weight(struct builder *builder, yaml_mark_t mark, size_t weight)
{
	builder->weight += weight;
	builder->alias_weight += weight;
	builder->is_over = builder->alias_weight > MRD_DOC_ALIAS_NODES_MAX;
	if (builder->is_over)
		return refuse(builder, mark,
			      "this file's aliases stand for too many nodes or too long texts");
	return 0;
}

static bool expects_key(const struct builder *builder)
{
	const struct frame *frame = builder->depth ? &builder->frames[builder->depth - 1] : NULL;

	return frame && frame->kind == MRD_DOC_MAP &&
	       (builder->pending_count - frame->first) % 2 == 0;
}

/* Puts a finished node where its parent will find it. */
static int deliver(struct builder *builder, struct mrd_doc_node *node, unsigned int height)
{
	if (builder->pending_count == builder->pending_room) {
		const size_t room = builder->pending_room ? builder->pending_room * 2 : PENDING_MIN;
		struct mrd_doc_node **grown =
			reallocarray(builder->pending, room, sizeof(*builder->pending));

		if (!grown)
			return -ENOMEM;
		builder->pending = grown;
		builder->pending_room = room;
	}
	builder->pending[builder->pending_count++] = node;
	if (builder->depth && builder->frames[builder->depth - 1].height < height + 1)
		builder->frames[builder->depth - 1].height = height + 1;
	return 0;
}

/* Remembers an anchor, if there is one. A later anchor of the same name replaces the first. */
static int anchor_new(struct builder *builder, const yaml_char_t *name, struct anchor **ret_anchor)
{
	struct anchor *anchor;

	*ret_anchor = NULL;
	if (!name)
		return 0;
	anchor = mrd_arena_alloc(&builder->file->arena, sizeof(*anchor));
	if (!anchor)
		return -ENOMEM;
	*ret_anchor = anchor;
	return mrd_table_put_str(builder->anchors, (const char *)name, anchor);
}

/* Tells why there is no node, and puts null in its place. */
static int deliver_missing(struct builder *builder, yaml_mark_t mark, const char *reason)
{
	struct mrd_doc_node *node = node_new(builder, MRD_DOC_NULL, mark);
	const int ret = complain(builder, mark, reason);

	if (!node)
		return -ENOMEM;
	node->is_missing = true;
	return ret < 0 ? ret : deliver(builder, node, 0);
}

static int on_alias(struct builder *builder, const yaml_event_t *event)
{
	const struct anchor *anchor =
		mrd_table_get_str(builder->anchors, (const char *)event->data.alias.anchor);
	int ret;

	if (!anchor)
		return deliver_missing(builder, event->start_mark,
				       "an alias of an anchor that is not set");
	if (!anchor->node)
		return deliver_missing(builder, event->start_mark,
				       "an alias inside of what it stands for");
	if (expects_key(builder) && anchor->node->kind != MRD_DOC_SCALAR)
		return deliver_missing(builder, event->start_mark, no_key);
	if (builder->depth + anchor->height > MRD_DOC_DEPTH_MAX)
		return refuse(builder, event->start_mark, "nested too deep through aliases");
	ret = add_alias_weight(builder, event->start_mark, anchor->weight);
	return ret < 0 ? ret : deliver(builder, anchor->node, anchor->height);
}

/* Only what YAML's own tags say about strings matters here; a program's private tags would change
 * the meaning of what they stand at. */
static int check_tag(struct builder *builder, yaml_mark_t mark, const yaml_char_t *tag)
{
	static const char core[] = "tag:yaml.org,2002:";

	if (!tag || !strcmp((const char *)tag, "!") ||
	    !strncmp((const char *)tag, core, sizeof(core) - 1))
		return 0;
	return complain(builder, mark, "a tag that is not one of YAML's own");
}

static bool is_null(const char *text)
{
	return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") ||
	       !strcmp(text, "NULL");
}

static bool is_string_for_sure(const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;

	if (tag && (!strcmp(tag, "!") || !strcmp(tag, "tag:yaml.org,2002:str")))
		return true;
	return !tag && event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

static int on_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	const size_t len = event->data.scalar.length;
	const size_t weight = 1 + len / MRD_DOC_NODE_TEXT;
	const bool is_key = expects_key(builder);
	struct mrd_doc_node *node;
	struct anchor *anchor;
	int ret;

	if (memchr(text, '\0', len))
		return deliver_missing(builder, event->start_mark, "a zero character in a text");
	ret = check_tag(builder, event->start_mark, event->data.scalar.tag);
	if (ret < 0)
		return ret;
	builder->weight += weight;
	node = node_new(builder, MRD_DOC_SCALAR, event->start_mark);
	if (!node)
		return -ENOMEM;
	node->quoted = is_string_for_sure(event);
	if (!is_key && !node->quoted && is_null(text)) {
		node->kind = MRD_DOC_NULL;
		node->is_blank = !len;
	} else if (len) {
		node->text = mrd_arena_copy(&builder->file->arena, text, len);
	}
	if (!node->text)
		return -ENOMEM;
	ret = anchor_new(builder, event->data.scalar.anchor, &anchor);
	if (ret < 0)
		return ret;
	if (anchor)
		*anchor = (struct anchor){.node = node, .weight = weight};
	return deliver(builder, node, 0);
}

/* ------------------------------------------------------------------- maps and lists */

static int on_begin(struct builder *builder, yaml_mark_t mark, enum mrd_doc_kind kind,
		    const yaml_char_t *anchor_name, const yaml_char_t *tag)
{
	const size_t weight_before = builder->weight;
	const bool in_key = builder->depth && builder->frames[builder->depth - 1].is_key;
	const bool is_key = in_key || expects_key(builder);
	struct anchor *anchor;
	int ret;

	ret = is_key && !in_key ? complain(builder, mark, no_key) : 0;
	if (ret < 0)
		return ret;
	if (builder->depth == MRD_DOC_DEPTH_MAX)
		return refuse(builder, mark, "nested too deep");
	ret = check_tag(builder, mark, tag);
	if (ret < 0)
		return ret;
	builder->weight++;
	ret = anchor_new(builder, anchor_name, &anchor);
	if (ret < 0)
		return ret;
	builder->frames[builder->depth++] = (struct frame){
		.kind = kind,
		.mark = mark,
		.anchor = anchor,
		.first = builder->pending_count,
		.weight_before = weight_before,
		.is_key = is_key,
	};
	return 0;
}

static int add_pair(struct builder *builder, struct mrd_doc_node *key, struct mrd_doc_node *value,
		    bool merged)
{
	if (builder->pairs_count == builder->pairs_room) {
		const size_t room = builder->pairs_room ? builder->pairs_room * 2 : PENDING_MIN;
		struct pair *pairs = reallocarray(builder->pairs, room, sizeof(*pairs));
		struct pair **sorted;

		if (!pairs)
			return -ENOMEM;
		builder->pairs = pairs;
		sorted = reallocarray(builder->sorted, room, sizeof(*sorted));
		if (!sorted)
			return -ENOMEM;
		builder->sorted = sorted;
		builder->pairs_room = room;
	}
	builder->pairs[builder->pairs_count++] =
		(struct pair){.key = key, .value = value, .merged = merged};
	return 0;
}

static bool is_merge_key(const struct mrd_doc_node *key)
{
	return !key->quoted && !strcmp(key->text, "<<");
}

static int add_merged_map(struct builder *builder, const struct mrd_doc_node *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const int ret = add_pair(builder, map->keys[i], map->items[i], true);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Tells a mistake of the map that ends now: at a node, about a key. 0: to be read past. */
static int tell_key(struct builder *builder, const struct mrd_doc_node *at, const char *key,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
static int tell_key(struct builder *builder, const struct mrd_doc_node *at, const char *key,
		    const char *format, ...)
{
	const struct mrd_place place = {
		.file = builder->file->name, .line = at->line, .column = at->column};
	MRD_AUTO_STRBUF struct mrd_strbuf way = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};
	va_list args;

	add_way(builder, &way);
	mrd_strbuf_add_field(&way, key);
	va_start(args, format);
	mrd_strbuf_vaddf(&reason, format, args);
	va_end(args);
	mrd_diag_add(builder->diag, MRD_ERROR, &place, way.text ? way.text : "", "%s",
		     reason.text ? reason.text : "");
	return note_mistake(builder);
}

/* The pairs of "<<: map" or "<<: [map, map]": earlier maps win over later ones. */
static int add_merged(struct builder *builder, const struct mrd_doc_node *value)
{
	bool is_bad = value->kind != MRD_DOC_LIST;
	int ret = 0;

	if (value->kind == MRD_DOC_MAP)
		return add_merged_map(builder, value);
	for (size_t i = 0; i < value->count && ret == 0; i++) {
		if (value->items[i]->kind == MRD_DOC_MAP)
			ret = add_merged_map(builder, value->items[i]);
		else
			is_bad |= !value->items[i]->is_missing;
	}
	if (ret < 0 || !is_bad || value->is_missing)
		return ret;
	return tell_key(builder, value, "<<", "only maps can be merged with <<");
}

/* By name; pairs of one name keep their order, which is that of their addresses. */
static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = *(const struct pair *const *)left;
	const struct pair *b = *(const struct pair *const *)right;
	const int order = strcmp(a->key->text, b->key->text);

	return order ? order : (a > b) - (a < b);
}

static int tell_duplicate(struct builder *builder, const struct mrd_doc_node *key,
			  const struct mrd_doc_node *first)
{
	return tell_key(builder, key, key->text, "this key is given twice, first in line %u",
			first->line);
}

/* Drops merged pairs that have been given before; a written one that has is an error. */
static int check_duplicates(struct builder *builder)
{
	const struct pair *first;
	int ret = 0;

	if (builder->pairs_count < 2)
		return 0;
	for (size_t i = 0; i < builder->pairs_count; i++)
		builder->sorted[i] = &builder->pairs[i];
	qsort(builder->sorted, builder->pairs_count, sizeof(*builder->sorted), compare_pairs);
	first = builder->sorted[0];
	for (size_t i = 1; i < builder->pairs_count && ret == 0; i++) {
		struct pair *pair = builder->sorted[i];

		if (strcmp(first->key->text, pair->key->text) != 0) {
			first = pair;
			continue;
		}
		pair->dropped = true;
		if (!pair->merged)
			ret = tell_duplicate(builder, pair->key, first->key);
	}
	return ret;
}

/* The written pairs first, then the merged ones, so that order decides who wins. */
static int collect_pairs(struct builder *builder, const struct frame *frame)
{
	const struct mrd_doc_node *merge_key = NULL;
	const struct mrd_doc_node *merge = NULL;
	int ret = 0;

	builder->pairs_count = 0;
	for (size_t i = frame->first; i < builder->pending_count && ret == 0; i += 2) {
		struct mrd_doc_node *key = builder->pending[i];

		if (key->kind != MRD_DOC_SCALAR)
			continue; /* that was a mistake */
		if (!is_merge_key(key)) {
			ret = add_pair(builder, key, builder->pending[i + 1], false);
		} else if (merge_key) {
			ret = tell_duplicate(builder, key, merge_key);
		} else {
			merge_key = key;
			merge = builder->pending[i + 1];
		}
	}
	if (ret == 0 && merge)
		ret = add_merged(builder, merge);
	return ret < 0 ? ret : check_duplicates(builder);
}

static int fill_map(struct builder *builder, const struct frame *frame, struct mrd_doc_node *node)
{
	int ret = collect_pairs(builder, frame);

	if (ret < 0 || !builder->pairs_count)
		return ret;
	node->keys = mrd_arena_alloc(&builder->file->arena,
				     builder->pairs_count * sizeof(*node->keys) * 2);
	if (!node->keys)
		return -ENOMEM;
	node->items = node->keys + builder->pairs_count;
	for (size_t i = 0; i < builder->pairs_count; i++) {
		if (builder->pairs[i].dropped) {
			node->has_doubles |= !builder->pairs[i].merged;
			continue;
		}
		node->keys[node->count] = builder->pairs[i].key;
		node->items[node->count++] = builder->pairs[i].value;
	}
	return 0;
}

static int fill_list(struct builder *builder, const struct frame *frame, struct mrd_doc_node *node)
{
	node->count = builder->pending_count - frame->first;
	if (!node->count)
		return 0;
	node->items = mrd_arena_alloc(&builder->file->arena, node->count * sizeof(*node->items));
	if (!node->items)
		return -ENOMEM;
	memcpy(node->items, builder->pending + frame->first, node->count * sizeof(*node->items));
	return 0;
}

static int on_end(struct builder *builder)
{
	const struct frame *frame = &builder->frames[builder->depth - 1];
	struct mrd_doc_node *node = node_new(builder, frame->kind, frame->mark);
	int ret;

	if (!node)
		return -ENOMEM;
	ret = frame->kind == MRD_DOC_MAP ? fill_map(builder, frame, node)
					 : fill_list(builder, frame, node);
	if (ret < 0)
		return ret;
	if (frame->anchor)
		*frame->anchor = (struct anchor){
			.node = node,
			.weight = builder->weight - frame->weight_before,
			.height = frame->height,
		};
	builder->pending_count = frame->first;
	builder->depth--;
	return deliver(builder, node, frame->height);
}

/* ------------------------------------------------------------------- documents */

static int on_document_begin(struct builder *builder, yaml_mark_t mark)
{
	builder->document_line = mark.line;
	builder->is_json = false;
	builder->pending_count = 0;
	builder->depth = 0;
	mrd_table_free(builder->anchors);
	builder->anchors = mrd_table_new(NULL); /* anchors do not reach into the next document */
	return builder->anchors ? 0 : -ENOMEM;
}

static int on_document_end(struct builder *builder)
{
	struct mrd_doc_file *file = builder->file;

	if (!builder->pending_count)
		return 0;
	if (file->count == file->room) {
		const size_t room = file->room ? file->room * 2 : 1;
		const struct mrd_doc_node **grown =
			reallocarray(file->roots, room, sizeof(*file->roots));

		if (!grown)
			return -ENOMEM;
		file->roots = grown;
		file->room = room;
	}
	file->roots[file->count++] = builder->pending[0];
	return 0;
}

static int on_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document_begin(builder, event->start_mark);
	case YAML_DOCUMENT_END_EVENT:
		return on_document_end(builder);
	case YAML_ALIAS_EVENT:
		return on_alias(builder, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_begin(builder, event->start_mark, MRD_DOC_LIST,
				event->data.sequence_start.anchor, event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		if (!builder->depth)
			builder->is_json =
				event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		return on_begin(builder, event->start_mark, MRD_DOC_MAP,
				event->data.mapping_start.anchor, event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(builder);
	default: /* start and end of the stream */
		return 0;
	}
}

/* Up to the end of the text, or to what nothing can be made of. 1: another parser is to go on. */
static int read_events(struct builder *builder, yaml_parser_t *yaml)
{
	bool more = true;

	while (more) {
		yaml_event_t event;
		int ret;

		if (!yaml_parser_parse(yaml, &event))
			return builder->is_json && mrd_doc_text_next_json(&builder->text, yaml)
				       ? 1
				       : refuse_as_libyaml(builder, yaml);
		more = event.type != YAML_STREAM_END_EVENT;
		event.start_mark = mrd_doc_text_mark(&builder->text, event.start_mark);
		ret = on_event(builder, &event);
		yaml_event_delete(&event);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Behind the beginning of the document that was refused, and not before the place where it was. */
static bool find_next_document(struct builder *builder)
{
	const size_t behind = builder->document_line + 1;

	return mrd_doc_text_next_document(
		&builder->text, builder->refused_line > behind ? builder->refused_line : behind);
}

static int read_from_start(struct builder *builder)
{
	yaml_parser_t yaml;
	int ret;

	if (!yaml_parser_initialize(&yaml))
		return -ENOMEM;
	mrd_doc_text_give(&builder->text, &yaml);
	ret = read_events(builder, &yaml);
	yaml_parser_delete(&yaml);
	return ret;
}

static int read_documents(struct builder *builder)
{
	int ret;

	do {
		ret = read_from_start(builder);
		if (ret == -EBADMSG && !builder->is_over)
			note_mistake(builder);
	} while (ret == 1 || (ret == -EBADMSG && !builder->is_over && find_next_document(builder)));
	if (builder->mistakes == MISTAKES_MAX) {
		const struct mrd_place place = {.file = builder->file->name};

		mrd_diag_add(builder->diag, MRD_ERROR, &place, "",
			     "%d mistakes, and no more are looked for: mend these first",
			     MISTAKES_MAX);
	}
	return ret == 0 && builder->mistakes ? -EBADMSG : ret;
}

int mrd_doc_parse_events(struct mrd_doc_file *file, const char *text, size_t len,
			 struct mrd_diag *diag)
{
	struct builder builder = {.file = file, .diag = diag, .text = {.bytes = text, .len = len}};
	const int ret = read_documents(&builder);

	mrd_table_free(builder.anchors);
	free(builder.pending);
	free(builder.pairs);
	free(builder.sorted);
	return ret;
}
