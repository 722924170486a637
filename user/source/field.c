/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "source/field.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "model/object.h"

enum { SHOWN_MAX = 48 }; /* of a wrong value: enough to recognise it */

static struct mrd_field field_of(const struct mrd_field *up, const char *key, size_t index,
				 const struct mrd_doc_node *written)
{
	return (struct mrd_field){
		.up = up,
		.key = key,
		.index = index,
		.node = written && written->kind != MRD_DOC_NULL ? written : NULL,
		.written = written,
	};
}

struct mrd_field mrd_field_root(const struct mrd_doc_node *node)
{
	return field_of(NULL, NULL, 0, node);
}

struct mrd_field mrd_field_get(const struct mrd_field *up, const char *key)
{
	return field_of(up, key, 0, mrd_doc_get(up->node, key));
}

struct mrd_field mrd_field_member(const struct mrd_field *up, size_t index)
{
	return field_of(up, up->node->keys[index]->text, index, up->node->items[index]);
}

struct mrd_field mrd_field_item(const struct mrd_field *up, size_t index)
{
	return field_of(up, NULL, index, up->node->items[index]);
}

/* ------------------------------------------------------------------------ findings */

/* As deep as a document may be nested. */
static void add_path(struct mrd_strbuf *path, const struct mrd_field *field)
{
	if (!field->up)
		return;
	add_path(path, field->up);
	if (!field->key)
		mrd_strbuf_addf(path, "[%zu]", field->index);
	else if (strpbrk(field->key, "./"))
		mrd_strbuf_addf(path, "[\"%s\"]", field->key);
	else
		mrd_strbuf_addf(path, "%s%s", path->len ? "." : "", field->key);
}

struct mrd_place mrd_field_place(const struct mrd_reading *reading, const struct mrd_field *field)
{
	while (field->up && !field->written)
		field = field->up; /* what is missing is missing in there */
	return (struct mrd_place){
		.file = reading->file,
		.line = field->written ? field->written->line : 1,
		.column = field->written ? field->written->column : 1,
	};
}

static void add_finding(struct mrd_reading *reading, enum mrd_severity severity,
			const struct mrd_field *field, const char *format, va_list args)
{
	const struct mrd_place place = mrd_field_place(reading, field);
	MRD_AUTO_STRBUF struct mrd_strbuf path = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};

	if (mrd_diag_is_full(reading->diag, severity, place.file)) {
		mrd_diag_add(reading->diag, severity, &place, "", "%s", "");
		return;
	}
	add_path(&path, field);
	mrd_strbuf_vaddf(&reason, format, args);
	mrd_diag_add(reading->diag, severity, &place, path.text ? path.text : "", "%s",
		     reason.text ? reason.text : "");
}

void mrd_field_error(struct mrd_reading *reading, const struct mrd_field *field, const char *format,
		     ...)
{
	va_list args;

	reading->errors++;
	va_start(args, format);
	add_finding(reading, MRD_ERROR, field, format, args);
	va_end(args);
}

void mrd_field_warn(struct mrd_reading *reading, const struct mrd_field *field, const char *format,
		    ...)
{
	va_list args;

	va_start(args, format);
	add_finding(reading, MRD_WARNING, field, format, args);
	va_end(args);
}

/* The value as written, short and on one line. */
static const char *shown(const struct mrd_field *field, char buf[SHOWN_MAX])
{
	snprintf(buf, SHOWN_MAX, "%s", field->node->text);
	for (char *at = buf; *at; at++)
		if (iscntrl((unsigned char)*at))
			*at = '?';
	return buf;
}

static const char *kind_name(enum mrd_doc_kind kind)
{
	return kind == MRD_DOC_MAP ? "a map" : kind == MRD_DOC_LIST ? "a list" : "a value";
}

static void wrong_type(struct mrd_reading *reading, const struct mrd_field *field, const char *want)
{
	char buf[SHOWN_MAX];

	if (field->node->kind == MRD_DOC_SCALAR)
		mrd_field_error(reading, field, "must be %s, not \"%s\"%s", want, shown(field, buf),
				field->node->quoted ? " in quotes" : "");
	else
		mrd_field_error(reading, field, "must be %s, not %s", want,
				kind_name(field->node->kind));
}

/* ------------------------------------------------------------------------ values */

bool mrd_field_is_given(const struct mrd_field *field)
{
	return field->written && !field->written->is_blank;
}

bool mrd_field_is_map(struct mrd_reading *reading, const struct mrd_field *field)
{
	if (!field->node || field->node->kind == MRD_DOC_MAP)
		return field->node;
	wrong_type(reading, field, "a map");
	return false;
}

size_t mrd_field_count(struct mrd_reading *reading, const struct mrd_field *field)
{
	if (!field->node)
		return 0;
	if (field->node->kind == MRD_DOC_LIST)
		return field->node->count;
	wrong_type(reading, field, "a list");
	return 0;
}

const char *mrd_field_text(struct mrd_reading *reading, const struct mrd_field *field)
{
	const char *text = "";

	if (field->node && mrd_doc_string(field->node, &text) < 0)
		wrong_type(reading, field, "a string");
	return text;
}

char *mrd_field_copy(struct mrd_reading *reading, const struct mrd_field *field)
{
	char *copy = mrd_text_copy(mrd_field_text(reading, field));

	reading->no_memory |= !copy;
	return copy;
}

bool mrd_field_bool(struct mrd_reading *reading, const struct mrd_field *field, bool otherwise)
{
	bool flag = otherwise;

	if (field->node && mrd_doc_bool(field->node, &flag) < 0)
		wrong_type(reading, field, "true or false");
	return flag;
}

int64_t mrd_field_int(struct mrd_reading *reading, const struct mrd_field *field, int64_t least,
		      int64_t most, int64_t otherwise)
{
	char buf[SHOWN_MAX];
	int64_t number;
	int ret;

	if (!field->node)
		return otherwise;
	ret = mrd_doc_int(field->node, &number);
	if (ret == -EINVAL) {
		wrong_type(reading, field, "a whole number");
		return otherwise;
	}
	if (ret < 0 || number < least || number > most) {
		mrd_field_error(reading, field, "must be from %" PRId64 " to %" PRId64 ", not %s",
				least, most, shown(field, buf));
		return otherwise;
	}
	return number;
}

bool mrd_field_ip(struct mrd_reading *reading, const struct mrd_field *field, struct mrd_ip *ret_ip)
{
	char buf[SHOWN_MAX];
	const size_t errors = reading->errors;
	const char *text = mrd_field_text(reading, field);

	if (reading->errors != errors)
		return false;
	if (mrd_ip_parse(text, ret_ip) == 0)
		return true;
	if (!text[0])
		mrd_field_error(reading, field, "must be an IP address, and there is none");
	else
		mrd_field_error(reading, field, "must be an IP address, not \"%s\"",
				shown(field, buf));
	return false;
}

int mrd_field_choice(struct mrd_reading *reading, const struct mrd_field *field,
		     const char *const *choices, int otherwise)
{
	MRD_AUTO_STRBUF struct mrd_strbuf all = {0};
	const size_t errors = reading->errors;
	const char *text = mrd_field_text(reading, field);
	char buf[SHOWN_MAX];

	if (reading->errors != errors)
		return -1;
	if (!text[0])
		return otherwise;
	for (int i = 0; choices[i]; i++) {
		if (!strcmp(text, choices[i]))
			return i;
		mrd_strbuf_addf(&all, "%s%s", !i ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
	}
	mrd_field_error(reading, field, "must be %s, not \"%s\"", all.text ? all.text : "known",
			shown(field, buf));
	return -1;
}

void *mrd_field_alloc(struct mrd_reading *reading, size_t count, size_t size)
{
	void *rows = count ? calloc(count, size) : NULL;

	reading->no_memory |= count && !rows;
	return rows;
}
