/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/field.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/duration.h"
#include "base/label.h"
#include "base/strbuf.h"

#define NUMBER_EXACT_MAX 9007199254740992.0

/* ------------------------------------------------------------------------------- findings */

static void add_step(struct mrd_strbuf *path, const struct mrd_step *step)
{
	if (!step)
		return;
	add_step(path, step->up);
	if (!step->name)
		mrd_strbuf_add_index(path, step->index);
	else
		mrd_strbuf_add_field(path, step->name);
}

static void add_finding(struct mrd_reader *reader, enum mrd_severity severity,
			const struct mrd_doc_node *node, const char *format, va_list args)
{
	const struct mrd_place place = {
		.file = reader->file,
		.line = node ? node->line : 0,
		.column = node ? node->column : 0,
	};
	MRD_AUTO_STRBUF struct mrd_strbuf path = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};

	if (node && node->is_missing)
		return;
	if (mrd_diag_is_full(reader->diag, severity, reader->file)) {
		mrd_diag_add(reader->diag, severity, &place, "", "%s", "");
		return;
	}
	add_step(&path, reader->at);
	mrd_strbuf_vaddf(&reason, format, args);
	if (path.failed || reason.failed)
		reader->no_memory = true;
	mrd_diag_add(reader->diag, severity, &place, path.text ? path.text : "", "%s",
		     reason.text ? reason.text : "");
}

void mrd_read_error(struct mrd_reader *reader, const struct mrd_doc_node *node, const char *format,
		    ...)
{
	va_list args;

	va_start(args, format);
	add_finding(reader, MRD_ERROR, node, format, args);
	va_end(args);
}

void mrd_read_warning(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const char *format, ...)
{
	va_list args;

	if (reader->muted)
		return;
	va_start(args, format);
	add_finding(reader, MRD_WARNING, node, format, args);
	va_end(args);
}

static const char *kind_name(const struct mrd_doc_node *node)
{
	switch (node->kind) {
	case MRD_DOC_MAP:
		return "a block of fields";
	case MRD_DOC_LIST:
		return "a list";
	case MRD_DOC_SCALAR:
		return "a single value";
	case MRD_DOC_NULL:
		break;
	}
	return "nothing";
}

static bool expect_kind(struct mrd_reader *reader, const struct mrd_doc_node *node,
			enum mrd_doc_kind kind)
{
	const struct mrd_doc_node wanted = {.kind = kind};

	if (node->kind == kind)
		return true;
	mrd_read_error(reader, node, "must be %s, not %s", kind_name(&wanted), kind_name(node));
	return false;
}

/* ------------------------------------------------------------------------------- blocks */

enum { TYPO_MAX = 2, NAME_MAX_LEN = 64 };

/* Levenshtein's distance without regard to case; beyond NAME_MAX_LEN it is "far". */
static size_t distance(const char *a, const char *b)
{
	const size_t a_len = strlen(a);
	const size_t b_len = strlen(b);
	size_t row[NAME_MAX_LEN + 1];

	if (a_len > NAME_MAX_LEN || b_len > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const bool same = tolower((unsigned char)a[i - 1]) ==
					  tolower((unsigned char)b[j - 1]);
			size_t best = diagonal + (same ? 0 : 1);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

static const struct mrd_field *find_field(const struct mrd_block *block, const char *name)
{
	for (size_t i = 0; i < block->count; i++)
		if (!strcmp(block->fields[i].name, name))
			return &block->fields[i];
	return NULL;
}

static void unknown_field(struct mrd_reader *reader, const struct mrd_doc_node *key,
			  const struct mrd_block *block)
{
	const char *nearest = NULL;
	size_t nearest_at = TYPO_MAX + 1;

	/* Comparing is slow work, for words that nobody would read. */
	for (size_t i = 0;
	     i < block->count && !mrd_diag_is_full(reader->diag, MRD_ERROR, reader->file); i++) {
		const size_t apart = distance(key->text, block->fields[i].name);

		if (apart < nearest_at) {
			nearest_at = apart;
			nearest = block->fields[i].name;
		}
	}
	if (nearest)
		mrd_read_error(reader, key, "unknown field; did you mean \"%s\"?", nearest);
	else
		mrd_read_error(reader, key, "unknown field");
}

static bool is_unset(const struct mrd_field *field, const struct mrd_doc_node *value);

static bool is_warned(const struct mrd_field *field)
{
	return field->use == MRD_FIELD_IGNORED || field->use == MRD_FIELD_KEPT ||
	       field->use == MRD_FIELD_DEPRECATED;
}

static void warn_field(struct mrd_reader *reader, const struct mrd_field *field,
		       const struct mrd_doc_node *key)
{
	const char *said = field->use == MRD_FIELD_IGNORED ? "not honoured"
			   : field->use == MRD_FIELD_KEPT  ? "not honoured yet"
							   : "deprecated and without effect";

	mrd_read_warning(reader, key, "%s%s%s", said, field->why ? ": " : "",
			 field->why ? field->why : "");
}

static void read_field(struct mrd_reader *reader, const struct mrd_field *field,
		       const struct mrd_doc_node *key, const struct mrd_doc_node *value,
		       void *draft)
{
	const bool kept = field->use == MRD_FIELD_TAKEN || field->use == MRD_FIELD_REQUIRED ||
			  field->use == MRD_FIELD_KEPT;
	const size_t errors = reader->diag->errors;
	const struct mrd_doc_node *key_before = reader->key;

	if (field->use == MRD_FIELD_SILENT)
		return;
	/* One warning an occurrence: what is inside is checked, but not named again. */
	reader->muted += is_warned(field) ? 1 : 0;
	reader->key = key;
	field->read(reader, value, field->spec,
		    kept && draft ? (char *)draft + field->offset : NULL);
	reader->key = key_before;
	reader->muted -= is_warned(field) ? 1 : 0;
	/* A value that is wrong has been told; that it would have no effect is another day's news.
	 */
	if (is_warned(field) && !is_unset(field, value) &&
	    (errors == reader->diag->errors || value->kind != MRD_DOC_SCALAR))
		warn_field(reader, field, key);
}

static void check_required(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   const struct mrd_block *block)
{
	for (size_t i = 0; i < block->count; i++) {
		const struct mrd_doc_node *value = mrd_doc_get(node, block->fields[i].name);
		const struct mrd_step step = {.up = reader->at, .name = block->fields[i].name};

		if (block->fields[i].use != MRD_FIELD_REQUIRED ||
		    (value && value->kind != MRD_DOC_NULL))
			continue;
		reader->at = &step;
		mrd_read_error(reader, value ? value : node, "must be given");
		reader->at = step.up;
	}
}

void mrd_read_one(struct mrd_reader *reader, const struct mrd_block *block,
		  const struct mrd_doc_node *key, const struct mrd_doc_node *value, void *draft)
{
	const struct mrd_field *field = find_field(block, key->text);
	const struct mrd_step step = {.up = reader->at, .name = key->text};

	reader->at = &step;
	if (!field)
		unknown_field(reader, key, block);
	else if (value->kind != MRD_DOC_NULL)
		read_field(reader, field, key, value, draft);
	else if (field->use == MRD_FIELD_TAKEN && !value->is_missing)
		/* As the API server sees it; but somebody may have meant "{}". */
		mrd_read_warning(reader, key, "empty, which is the same as not given");
	reader->at = step.up;
}

const void *mrd_read_first(struct mrd_reader *reader, struct mrd_table *seen, const char *text,
			   const void *value)
{
	const void *first = seen ? mrd_table_get_str(seen, text) : NULL;

	if (!first && (!seen || mrd_table_put_str(seen, text, (void *)value) < 0))
		reader->no_memory = true;
	return first;
}

void mrd_read_forget(struct mrd_table **seen)
{
	mrd_table_free(*seen);
}

char *mrd_read_place(struct mrd_reader *reader, const struct mrd_doc_node *node)
{
	char *place = NULL;
	int len;

	if (node->line)
		len = asprintf(&place, "%s:%u:%u", reader->file, node->line, node->column);
	else
		len = asprintf(&place, "%s", reader->file); /* of no file */
	if (len < 0) {
		reader->no_memory = true;
		return NULL;
	}
	return place;
}

const struct mrd_doc_node *mrd_read_key(const struct mrd_doc_node *map, const char *name)
{
	for (size_t i = 0; map && map->kind == MRD_DOC_MAP && i < map->count; i++)
		if (!strcmp(map->keys[i]->text, name))
			return map->keys[i];
	return NULL;
}

char *mrd_read_path(struct mrd_reader *reader)
{
	struct mrd_strbuf path = {0};
	char *text;

	add_step(&path, reader->at);
	text = mrd_strbuf_steal(&path);
	if (!text)
		reader->no_memory = true;
	return text;
}

void mrd_read_block(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *block,
		    void *draft)
{
	if (!expect_kind(reader, node, MRD_DOC_MAP))
		return;
	for (size_t i = 0; i < node->count; i++)
		mrd_read_one(reader, block, node->keys[i], node->items[i], draft);
	check_required(reader, node, block);
}

void mrd_read_list(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *list_of,
		   void *unused)
{
	const struct mrd_list_of *of = list_of;

	(void)unused;
	if (!expect_kind(reader, node, MRD_DOC_LIST))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct mrd_step step = {.up = reader->at, .index = i};

		reader->at = &step;
		of->read(reader, node->items[i], of->spec, NULL);
		reader->at = step.up;
	}
}

static void read_label(struct mrd_reader *reader, const struct mrd_doc_node *key,
		       const struct mrd_doc_node *value)
{
	struct mrd_text text = {0};

	if (!mrd_label_is_key(key->text, strlen(key->text)))
		mrd_read_error(reader, key, "\"%s\" is no key of a label", key->text);
	mrd_read_text(reader, value, NULL, &text);
	if (text.node && !mrd_label_is_value(text.text, strlen(text.text)))
		mrd_read_error(reader, value, "\"%s\" is no value of a label", text.text);
}

void mrd_read_labels(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		     void *draft)
{
	(void)unused, (void)draft;
	if (!expect_kind(reader, node, MRD_DOC_MAP))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct mrd_step step = {.up = reader->at, .name = node->keys[i]->text};

		reader->at = &step;
		read_label(reader, node->keys[i], node->items[i]);
		reader->at = step.up;
	}
}

/* ------------------------------------------------------------------------------- values */

void mrd_read_any(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		  void *draft)
{
	(void)reader, (void)node, (void)unused, (void)draft;
}

void mrd_read_list_node(struct mrd_reader *reader, const struct mrd_doc_node *node,
			const void *unused, void *node_at)
{
	(void)unused;
	if (expect_kind(reader, node, MRD_DOC_LIST) && node_at)
		*(const struct mrd_doc_node **)node_at = node;
}

void mrd_read_map_node(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *node_at)
{
	(void)unused;
	if (expect_kind(reader, node, MRD_DOC_MAP) && node_at)
		*(const struct mrd_doc_node **)node_at = node;
}

/* The API server refuses these where a string is asked for, so a file that is valid here would not
 * be valid there. But a letter alone is let pass: tools write "y" without quotes, and mean a name.
 */
static bool is_no_string(const struct mrd_doc_node *node)
{
	bool flag;

	return mrd_doc_is_number(node) || (!mrd_doc_bool(node, &flag) && node->text[1]);
}

void mrd_read_string(struct mrd_reader *reader, const struct mrd_doc_node *node)
{
	if (!expect_kind(reader, node, MRD_DOC_SCALAR) || !is_no_string(node))
		return;
	mrd_read_warning(reader, node,
			 "an API server takes nothing but a string here: write \"%s\" in quotes",
			 node->text);
}

void mrd_read_text(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *text)
{
	(void)unused;
	if (!expect_kind(reader, node, MRD_DOC_SCALAR))
		return;
	if (is_no_string(node)) {
		mrd_read_error(reader, node, "must be a string: write \"%s\" in quotes",
			       node->text);
		return;
	}
	if (text)
		*(struct mrd_text *)text = (struct mrd_text){.node = node, .text = node->text};
}

/* JSON's grammar of numbers. */
static bool is_json_number(const char *text)
{
	static const char digits[] = "0123456789";
	size_t len;

	text += *text == '-';
	len = *text == '0' ? 1 : strspn(text, digits);
	if (!len)
		return false;
	text += len;
	if (*text == '.') {
		len = strspn(text + 1, digits);
		if (!len)
			return false;
		text += len + 1;
	}
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '-' || *text == '+';
		len = strspn(text, digits);
		if (!len)
			return false;
		text += len;
	}
	return !*text;
}

/*
 * As protobuf's JSON has it, which Istio and kubectl's API server follow where it matters: a number
 * may stand in quotes, and may have a point or an exponent if it is whole all the same ("5.0",
 * "1e1"). Below 2^53 a double is exact, which all limits are far below.
 */
static int parse_number(const struct mrd_doc_node *node, int64_t *ret_number)
{
	const int r = mrd_doc_int(node, ret_number);
	double value;

	if (r != -EINVAL || !is_json_number(node->text))
		return r;
	value = strtod(node->text, NULL);
	if (value < -NUMBER_EXACT_MAX || value > NUMBER_EXACT_MAX)
		return -ERANGE;
	if (value != (double)(int64_t)value)
		return -EINVAL;
	*ret_number = (int64_t)value;
	return 0;
}

/* As Istio has it: a number of 0, and a list without items, are not given. */
static bool is_unset(const struct mrd_field *field, const struct mrd_doc_node *value)
{
	int64_t number;

	if (value->kind == MRD_DOC_LIST)
		return !value->count;
	return field->read == mrd_read_number && !parse_number(value, &number) && !number;
}

/* YAML's readers do not agree whether such a number is octal. */
static bool has_leading_zero(const char *text)
{
	text += *text == '-' || *text == '+';
	return text[0] == '0' && text[1] && !text[strspn(text, "0123456789")];
}

void mrd_read_number(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *limits,
		     void *number)
{
	static const struct mrd_number_limits all = {.min = 0, .max = UINT32_MAX};
	const struct mrd_number_limits *in = limits ? limits : &all;
	int64_t value = 0;
	int r;

	if (!expect_kind(reader, node, MRD_DOC_SCALAR))
		return;
	r = parse_number(node, &value);
	if (r == -EINVAL) {
		mrd_read_error(reader, node, "must be a whole number%s, not \"%s\"",
			       has_leading_zero(node->text) ? " without a leading 0" : "",
			       node->text);
		return;
	}
	if (r < 0 || value < in->min || value > in->max) {
		mrd_read_error(reader, node, "must be from %lld to %lld, not %s",
			       (long long)in->min, (long long)in->max, node->text);
		return;
	}
	if (number)
		*(struct mrd_number *)number =
			(struct mrd_number){.node = node, .value = (uint32_t)value};
}

void mrd_read_real(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *limits,
		   void *real)
{
	const struct mrd_real_limits *in = limits;
	double value;
	char *end;

	if (!expect_kind(reader, node, MRD_DOC_SCALAR))
		return;
	value = strtod(node->text, &end);
	/* C also reads hexadecimal numbers, infinities and such. */
	if (!*node->text || *end || node->text[strspn(node->text, "0123456789+-.eE")]) {
		mrd_read_error(reader, node, "must be a number, not \"%s\"", node->text);
		return;
	}
	if (!(value >= in->min && value <= in->max)) {
		if (isinf(in->max))
			mrd_read_error(reader, node, "must be at least %g, not %s", in->min,
				       node->text);
		else
			mrd_read_error(reader, node, "must be from %g to %g, not %s", in->min,
				       in->max, node->text);
		return;
	}
	if (real)
		*(struct mrd_real *)real = (struct mrd_real){.node = node, .value = value};
}

void mrd_read_flag(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *flag)
{
	bool value;

	(void)unused;
	if (!expect_kind(reader, node, MRD_DOC_SCALAR))
		return;
	if (node->quoted || mrd_doc_bool(node, &value) < 0) {
		mrd_read_error(reader, node, "must be true or false, not \"%s\"", node->text);
		return;
	}
	if (flag)
		*(struct mrd_flag *)flag = (struct mrd_flag){.node = node, .value = value};
}

static void bad_span(struct mrd_reader *reader, const struct mrd_doc_node *node, int error)
{
	const char *digits = node->text;

	while (isdigit((unsigned char)*digits))
		digits++;
	if (error == -EINVAL && digits != node->text && !*digits)
		mrd_read_error(reader, node, "\"%s\" has no unit: write \"%ss\" for seconds",
			       node->text, node->text);
	else if (error == -ERANGE)
		mrd_read_error(reader, node, "\"%s\" is negative or too long", node->text);
	else if (error == -EDOM)
		mrd_read_error(reader, node,
			       "\"%s\" is no whole number of milliseconds: round it to some",
			       node->text);
	else
		mrd_read_error(reader, node,
			       "\"%s\" is no duration: write it like \"10s\", \"500ms\" or "
			       "\"1h30m\"",
			       node->text);
}

void mrd_read_span(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *limits,
		   void *span)
{
	static const struct mrd_span_limits some = {.min_ms = 1};
	const struct mrd_span_limits *in = limits ? limits : &some;
	char buf[MRD_DURATION_TEXT_MAX];
	uint64_t ms = 0;
	int r;

	if (!expect_kind(reader, node, MRD_DOC_SCALAR))
		return;
	r = mrd_duration_parse(node->text, &ms);
	if (r < 0) {
		bad_span(reader, node, r);
		return;
	}
	if (ms < in->min_ms || (in->max_ms && ms > in->max_ms)) {
		mrd_read_error(reader, node, "must be at %s %s, not \"%s\"",
			       ms < in->min_ms ? "least" : "most",
			       mrd_duration_format(ms < in->min_ms ? in->min_ms : in->max_ms, buf),
			       node->text);
		return;
	}
	if (span)
		*(struct mrd_span *)span = (struct mrd_span){.node = node, .ms = ms};
}

void mrd_read_word(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *words,
		   void *word)
{
	const struct mrd_words *known = words;
	MRD_AUTO_STRBUF struct mrd_strbuf list = {0};

	if (!expect_kind(reader, node, MRD_DOC_SCALAR))
		return;
	for (size_t i = 0; i < known->count; i++) {
		if (!strcmp(known->words[i], node->text)) {
			if (word)
				*(struct mrd_word *)word =
					(struct mrd_word){.node = node, .index = i};
			return;
		}
		mrd_strbuf_addf(&list, "%s%s",
				!i			? ""
				: i + 1 == known->count ? " or "
							: ", ",
				known->words[i]);
	}
	if (list.failed)
		reader->no_memory = true;
	mrd_read_error(reader, node, "must be %s, not \"%s\"", list.text ? list.text : "",
		       node->text);
}
