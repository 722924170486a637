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
 * Duplicate keys do not stop the reading, so that one run shows them all, and whatever else is
 * wrong in the file; the first value stands.
 */
#include "base/doc_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/table.h"

enum {
	PENDING_MIN = 64,
	DUPLICATES_MAX = 100, /* a hostile file shall not fill the log */
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
	const char *text;
	size_t len;
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
	unsigned int duplicates;
};

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
	return -EBADMSG;
}

/* ------------------------------------------------------------------- what libyaml refuses */

/* libyaml names a byte when the text is not UTF-8, and a mark in all other cases. */
static yaml_mark_t mark_of_offset(const struct builder *builder, size_t offset)
{
	yaml_mark_t mark = {0};

	for (size_t i = 0; i < offset && i < builder->len; i++) {
		if (builder->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)builder->text[i] & 0xc0) != 0x80) {
			mark.column++; /* columns count characters, not bytes */
		}
	}
	return mark;
}

/* The byte at a mark, or 0. */
static char byte_of_mark(const struct builder *builder, yaml_mark_t mark)
{
	const char *at = builder->text;
	const char *end = at + builder->len;

	for (size_t line = 0; at && line < mark.line; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	for (size_t column = 0; at && at < end && column < mark.column; column++) {
		do
			at++;
		while (at < end && ((unsigned char)*at & 0xc0) == 0x80);
	}
	if (!at || at >= end)
		return '\0';
	return *at;
}

/* libyaml's reason in full, put clearer where its own words leave people guessing. */
static int refuse_as_libyaml(struct builder *builder, const yaml_parser_t *yaml)
{
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};
	const char *problem = yaml->problem ? yaml->problem : "not YAML";
	yaml_mark_t mark = yaml->problem_mark;
	char byte;

	if (yaml->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (yaml->error == YAML_READER_ERROR)
		mark = mark_of_offset(builder, yaml->problem_offset);
	byte = byte_of_mark(builder, mark);
	if (byte == '\t' && (strstr(problem, "tab character") || strstr(problem, "start any")))
		return refuse(builder, mark, "a tab cannot indent YAML: use spaces");

	if (strstr(problem, "start any") && byte > ' ') {
		mrd_strbuf_addf(&reason, "'%c' cannot start a value: put the value in quotes",
				byte);
		return refuse(builder, mark, reason.text ? reason.text : problem);
	}
	mrd_strbuf_addf(&reason, "%s", problem);
	if (yaml->context)
		mrd_strbuf_addf(&reason, " %s", yaml->context);
	if (yaml->context && yaml->context_mark.line != mark.line)
		mrd_strbuf_addf(&reason, " that starts in line %zu", yaml->context_mark.line + 1);
	return refuse(builder, mark, reason.text ? reason.text : problem);
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

static int add_weight(struct builder *builder, yaml_mark_t mark, size_t weight)
{
	builder->weight += weight;
	if (builder->weight > MRD_DOC_NODES_MAX)
		return refuse(builder, mark,
			      "too many nodes in this file, counting what its aliases stand for");
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

static int on_alias(struct builder *builder, const yaml_event_t *event)
{
	const struct anchor *anchor =
		mrd_table_get_str(builder->anchors, (const char *)event->data.alias.anchor);
	int ret;

	if (!anchor)
		return refuse(builder, event->start_mark, "an alias of an anchor that is not set");
	if (!anchor->node)
		return refuse(builder, event->start_mark, "an alias inside of what it stands for");
	if (expects_key(builder) && anchor->node->kind != MRD_DOC_SCALAR)
		return refuse(builder, event->start_mark, "a key must be a single word or text");
	if (builder->depth + anchor->height > MRD_DOC_DEPTH_MAX)
		return refuse(builder, event->start_mark, "nested too deep through aliases");
	ret = add_weight(builder, event->start_mark, anchor->weight);
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
	return refuse(builder, mark, "a tag that is not one of YAML's own");
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
	const bool is_key = expects_key(builder);
	struct mrd_doc_node *node;
	struct anchor *anchor;
	int ret;

	if (memchr(text, '\0', len))
		return refuse(builder, event->start_mark, "a zero character in a text");
	ret = check_tag(builder, event->start_mark, event->data.scalar.tag);
	if (ret < 0)
		return ret;
	ret = add_weight(builder, event->start_mark, 1);
	if (ret < 0)
		return ret;
	node = node_new(builder, MRD_DOC_SCALAR, event->start_mark);
	if (!node)
		return -ENOMEM;
	node->quoted = is_string_for_sure(event);
	if (!is_key && !node->quoted && is_null(text))
		node->kind = MRD_DOC_NULL;
	else if (len)
		node->text = mrd_arena_copy(&builder->file->arena, text, len);
	if (!node->text)
		return -ENOMEM;
	ret = anchor_new(builder, event->data.scalar.anchor, &anchor);
	if (ret < 0)
		return ret;
	if (anchor)
		*anchor = (struct anchor){.node = node, .weight = 1};
	return deliver(builder, node, 0);
}

/* ------------------------------------------------------------------- maps and lists */

static int on_begin(struct builder *builder, yaml_mark_t mark, enum mrd_doc_kind kind,
		    const yaml_char_t *anchor_name, const yaml_char_t *tag)
{
	const size_t weight_before = builder->weight;
	struct anchor *anchor;
	int ret;

	if (expects_key(builder))
		return refuse(builder, mark, "a key must be a single word or text");
	if (builder->depth == MRD_DOC_DEPTH_MAX)
		return refuse(builder, mark, "nested too deep");
	ret = check_tag(builder, mark, tag);
	if (ret < 0)
		return ret;
	ret = add_weight(builder, mark, 1);
	if (ret < 0)
		return ret;
	ret = anchor_new(builder, anchor_name, &anchor);
	if (ret < 0)
		return ret;
	builder->frames[builder->depth++] = (struct frame){
		.kind = kind,
		.mark = mark,
		.anchor = anchor,
		.first = builder->pending_count,
		.weight_before = weight_before,
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

/* The pairs of "<<: map" or "<<: [map, map]": earlier maps win over later ones. */
static int add_merged(struct builder *builder, const struct mrd_doc_node *value)
{
	const yaml_mark_t mark = {.line = value->line - 1, .column = value->column - 1};
	int ret = 0;

	if (value->kind == MRD_DOC_MAP)
		return add_merged_map(builder, value);
	for (size_t i = 0; i < value->count && ret == 0; i++) {
		if (value->items[i]->kind != MRD_DOC_MAP)
			return refuse(builder, mark, "only maps can be merged with <<");
		ret = add_merged_map(builder, value->items[i]);
	}
	if (value->kind != MRD_DOC_LIST)
		return refuse(builder, mark, "only maps can be merged with <<");
	return ret;
}

/* By name; pairs of one name keep their order, which is that of their addresses. */
static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = *(const struct pair *const *)left;
	const struct pair *b = *(const struct pair *const *)right;
	const int order = strcmp(a->key->text, b->key->text);

	return order ? order : (a > b) - (a < b);
}

/* The way to the map that ends now: each frame's child waits for its end behind its key, or behind
 * the items before it. */
static void add_way(const struct builder *builder, struct mrd_strbuf *way)
{
	for (unsigned int i = 0; i + 1 < builder->depth; i++) {
		const struct frame *frame = &builder->frames[i];
		const size_t next = builder->frames[i + 1].first;

		if (frame->kind == MRD_DOC_LIST)
			mrd_strbuf_add_index(way, next - frame->first);
		else
			mrd_strbuf_add_field(way, builder->pending[next - 1]->text);
	}
}

static int refuse_duplicate(struct builder *builder, const struct mrd_doc_node *key,
			    const struct mrd_doc_node *first)
{
	const struct mrd_place place = {
		.file = builder->file->name, .line = key->line, .column = key->column};
	MRD_AUTO_STRBUF struct mrd_strbuf way = {0};

	add_way(builder, &way);
	mrd_strbuf_add_field(&way, key->text);
	mrd_diag_add(builder->diag, MRD_ERROR, &place, way.text ? way.text : "",
		     "this key is given twice, first in line %u", first->line);
	return ++builder->duplicates == DUPLICATES_MAX ? -EBADMSG : 0;
}

/* Drops merged pairs that have been given before; a written one that has is an error. */
static int check_duplicates(struct builder *builder)
{
	int ret = 0;

	if (builder->pairs_count < 2)
		return 0;
	for (size_t i = 0; i < builder->pairs_count; i++)
		builder->sorted[i] = &builder->pairs[i];
	qsort(builder->sorted, builder->pairs_count, sizeof(*builder->sorted), compare_pairs);
	for (size_t i = 1; i < builder->pairs_count && ret == 0; i++) {
		const struct pair *before = builder->sorted[i - 1];
		struct pair *pair = builder->sorted[i];

		if (strcmp(before->key->text, pair->key->text) != 0)
			continue;
		pair->dropped = true;
		if (!pair->merged)
			ret = refuse_duplicate(builder, pair->key, before->key);
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

		if (!is_merge_key(key)) {
			ret = add_pair(builder, key, builder->pending[i + 1], false);
		} else if (merge_key) {
			ret = refuse_duplicate(builder, key, merge_key);
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
		if (builder->pairs[i].dropped)
			continue;
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

static int on_document_begin(struct builder *builder)
{
	builder->pending_count = 0;
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
		return on_document_begin(builder);
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
		return on_begin(builder, event->start_mark, MRD_DOC_MAP,
				event->data.mapping_start.anchor, event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(builder);
	default: /* start and end of the stream */
		return 0;
	}
}

static int read_events(struct builder *builder, yaml_parser_t *yaml)
{
	bool more = true;

	while (more) {
		yaml_event_t event;
		int ret;

		if (!yaml_parser_parse(yaml, &event))
			return refuse_as_libyaml(builder, yaml);
		more = event.type != YAML_STREAM_END_EVENT;
		ret = on_event(builder, &event);
		yaml_event_delete(&event);
		if (ret < 0)
			return ret;
	}
	return builder->duplicates ? -EBADMSG : 0;
}

int mrd_doc_parse_events(struct mrd_doc_file *file, const char *text, size_t len,
			 struct mrd_diag *diag)
{
	struct builder builder = {.file = file, .diag = diag, .text = text, .len = len};
	yaml_parser_t yaml;
	int ret;

	if (!yaml_parser_initialize(&yaml))
		return -ENOMEM;
	yaml_parser_set_input_string(&yaml, (const unsigned char *)text, len);
	ret = read_events(&builder, &yaml);
	yaml_parser_delete(&yaml);
	mrd_table_free(builder.anchors);
	free(builder.pending);
	free(builder.pairs);
	free(builder.sorted);
	return ret;
}
