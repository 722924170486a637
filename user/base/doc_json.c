/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * jansson's values → a document tree. jansson keeps the order of keys, refuses a key that is given
 * twice and text that is not UTF-8, and bounds its own recursion; what is bounded here is what
 * readers of the tree rely on.
 *
 * jansson quotes the text around an error. That part is left out: the text may hold a secret.
 *
 * jansson makes a dozen pieces of memory for each object in a document. While a document is read
 * they are the arena's, as the tree is, which points to their text; nothing is taken back one by
 * one.
 */
#include "base/doc_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc_file.h"

enum {
	NUMBER_TEXT_MAX = 32, /* "-1.2345678901234567e-308" */
	DIGITS_MIN = 15,      /* that any double survives as text, and */
	DIGITS_MAX = 17,      /* that bring every double back */
};

struct builder {
	struct mrd_doc_file *file;
	struct mrd_diag *diag;
	size_t weight;
};

/* Whom jansson asks for memory has no argument of its own. NULL: no document is being read. */
static struct mrd_arena *lender;

static void *lend(size_t size)
{
	return lender ? mrd_arena_alloc(lender, size) : malloc(size);
}

static void take_back(void *piece)
{
	if (!lender)
		free(piece);
}

static int build(struct builder *builder, const json_t *value, unsigned int depth,
		 struct mrd_doc_node **ret_node);

static int refuse(const struct builder *builder, const char *reason)
{
	const struct mrd_place place = {.file = builder->file->name};

	mrd_diag_add(builder->diag, MRD_ERROR, &place, "", "%s", reason);
	return -EBADMSG;
}

static int refuse_as_jansson(const struct builder *builder, const json_error_t *error)
{
	const struct mrd_place place = {.file = builder->file->name};
	const char *quote = strstr(error->text, " near ");
	const int len = quote ? (int)(quote - error->text) : (int)strlen(error->text);

	/* Without memory for a value it says nothing at all. */
	if (!len || json_error_code(error) == json_error_out_of_memory)
		return -ENOMEM;
	mrd_diag_add(builder->diag, MRD_ERROR, &place, "", "not JSON: %.*s (line %d, column %d)",
		     len, error->text, error->line, error->column);
	return -EBADMSG;
}

static int node_new(struct builder *builder, enum mrd_doc_kind kind, struct mrd_doc_node **ret_node)
{
	struct mrd_doc_node *node;

	if (builder->weight++ == MRD_DOC_NODES_MAX)
		return refuse(builder, "the document is too large");
	node = mrd_arena_alloc(&builder->file->arena, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->kind = kind;
	node->text = "";
	*ret_node = node;
	return 0;
}

/* text lives as long as the arena. */
static int build_scalar(struct builder *builder, const char *text, bool quoted,
			struct mrd_doc_node **ret_node)
{
	const int ret = node_new(builder, MRD_DOC_SCALAR, ret_node);

	if (ret < 0)
		return ret;
	(*ret_node)->quoted = quoted;
	(*ret_node)->text = text;
	return 0;
}

/* The shortest text that reads as the same number; a real one keeps its point or exponent. */
static int build_number(struct builder *builder, const json_t *value,
			struct mrd_doc_node **ret_node)
{
	char text[NUMBER_TEXT_MAX];
	const char *copy;
	size_t len = 0;

	for (size_t digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
		len = json_dumpb(value, text, sizeof(text) - 1,
				 JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
		if (!len || len >= sizeof(text))
			return -ENOMEM;
		text[len] = '\0';
		if (json_is_integer(value) || strtod(text, NULL) == json_real_value(value))
			break;
	}
	copy = mrd_arena_copy(&builder->file->arena, text, len);
	return copy ? build_scalar(builder, copy, false, ret_node) : -ENOMEM;
}

static int build_list(struct builder *builder, const json_t *value, unsigned int depth,
		      struct mrd_doc_node *node)
{
	const size_t count = json_array_size(value);
	int ret = 0;

	if (!count)
		return 0;
	node->items = mrd_arena_alloc(&builder->file->arena, count * sizeof(*node->items));
	if (!node->items)
		return -ENOMEM;
	while (node->count < count && ret == 0) {
		ret = build(builder, json_array_get(value, node->count), depth,
			    &node->items[node->count]);
		node->count++;
	}
	return ret;
}

static int build_map(struct builder *builder, json_t *value, unsigned int depth,
		     struct mrd_doc_node *node)
{
	const size_t count = json_object_size(value);
	int ret = 0;

	if (!count)
		return 0;
	node->keys = mrd_arena_alloc(&builder->file->arena, count * sizeof(*node->keys) * 2);
	if (!node->keys)
		return -ENOMEM;
	node->items = node->keys + count;
	for (void *at = json_object_iter(value); at && ret == 0;
	     at = json_object_iter_next(value, at)) {
		ret = build_scalar(builder, json_object_iter_key(at), true,
				   &node->keys[node->count]);
		if (ret == 0)
			ret = build(builder, json_object_iter_value(at), depth,
				    &node->items[node->count]);
		node->count++;
	}
	return ret;
}

static int build(struct builder *builder, const json_t *value, unsigned int depth,
		 struct mrd_doc_node **ret_node)
{
	int ret;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (depth == MRD_DOC_DEPTH_MAX)
			return refuse(builder, "nested too deep");
		ret = node_new(builder, json_is_object(value) ? MRD_DOC_MAP : MRD_DOC_LIST,
			       ret_node);
		if (ret < 0)
			return ret;
		/* Iterating asks for a value that may be changed, and does not change it. */
		return json_is_object(value)
			       ? build_map(builder, (json_t *)value, depth + 1, *ret_node)
			       : build_list(builder, value, depth + 1, *ret_node);
	case JSON_STRING:
		return build_scalar(builder, json_string_value(value), true, ret_node);
	case JSON_INTEGER:
	case JSON_REAL:
		return build_number(builder, value, ret_node);
	case JSON_TRUE:
		return build_scalar(builder, "true", false, ret_node);
	case JSON_FALSE:
		return build_scalar(builder, "false", false, ret_node);
	case JSON_NULL:
	default:
		return node_new(builder, MRD_DOC_NULL, ret_node);
	}
}

static int read_value(struct mrd_doc_file *file, const char *text, size_t len,
		      struct mrd_diag *diag)
{
	struct builder builder = {.file = file, .diag = diag};
	struct mrd_doc_node *root = NULL;
	json_error_t error = {0};
	json_t *value;
	int ret;

	json_set_alloc_funcs(lend, take_back);
	lender = &file->arena;
	value = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	ret = value ? build(&builder, value, 0, &root) : refuse_as_jansson(&builder, &error);
	lender = NULL;
	if (ret < 0)
		return ret;
	if (!file->roots)
		file->roots = calloc(1, sizeof(*file->roots));
	if (!file->roots)
		return -ENOMEM;
	file->roots[0] = root;
	file->count = file->room = 1;
	return 0;
}

int mrd_doc_parse_next_json(const char *name, const char *text, size_t len, struct mrd_diag *diag,
			    struct mrd_doc_file **file)
{
	struct mrd_doc_file *doc = *file ?: calloc(1, sizeof(*doc));

	if (!doc)
		return -ENOMEM;
	*file = doc;
	doc->count = 0;
	mrd_arena_clear(&doc->arena);
	doc->name = mrd_arena_copy(&doc->arena, name, strlen(name));
	return doc->name ? read_value(doc, text, len, diag) : -ENOMEM;
}

int mrd_doc_parse_json(const char *file, const char *text, size_t len, struct mrd_diag *diag,
		       struct mrd_doc_file **ret_file)
{
	struct mrd_doc_file *doc = NULL;
	const int ret = mrd_doc_parse_next_json(file, text, len, diag, &doc);

	if (ret < 0) {
		mrd_doc_free(doc);
		return ret;
	}
	*ret_file = doc;
	return 0;
}
