/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "config/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/duration.h"
#include "base/name.h"
#include "base/strbuf.h"

void mrd_key_complain(struct mrd_key_reader *reader, enum mrd_severity severity,
		      const struct mrd_doc_node *node, const char *path, const char *format, ...)
{
	const struct mrd_place place = {
		.file = reader->file,
		.line = node ? node->line : 0,
		.column = node ? node->column : 0,
	};
	struct mrd_strbuf reason MRD_AUTO_STRBUF = {0};
	va_list args;

	if (node && node->is_missing)
		return;
	va_start(args, format);
	mrd_strbuf_vaddf(&reason, format, args);
	va_end(args);
	mrd_diag_add(reader->diag, severity, &place, path, "%s",
		     reason.failed ? "(no memory for the reason)" : reason.text);
}

/* The keys of a table as a list for people. */
static void known_keys(const struct mrd_key *fields, size_t count, struct mrd_strbuf *out)
{
	for (size_t i = 0; i < count; i++)
		mrd_strbuf_addf(out, "%s%s", i ? ", " : "", fields[i].key);
}

static const struct mrd_key *find_field(const struct mrd_key *fields, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(fields[i].key, key))
			return &fields[i];
	return NULL;
}

void mrd_keys_read(struct mrd_key_reader *reader, const struct mrd_doc_node *map, const char *path,
		   const struct mrd_key *fields, size_t count, void *into)
{
	if (map->kind != MRD_DOC_MAP) {
		mrd_key_complain(reader, MRD_ERROR, map, path, "must be a map of keys");
		return;
	}
	for (size_t i = 0; i < map->count; i++) {
		const char *key = map->keys[i]->text;
		const struct mrd_key *field = find_field(fields, count, key);
		struct mrd_strbuf full MRD_AUTO_STRBUF = {0};

		mrd_strbuf_addf(&full, "%s%s%s", path, *path ? "." : "", key);
		if (full.failed) {
			reader->no_memory = true;
			return;
		}
		if (!field) {
			struct mrd_strbuf known MRD_AUTO_STRBUF = {0};

			known_keys(fields, count, &known);
			mrd_key_complain(reader, MRD_ERROR, map->keys[i], full.text,
					 "unknown key; known are %s",
					 known.failed ? "others" : known.text);
		} else if (map->items[i]->kind != MRD_DOC_NULL) {
			field->read(reader, field, map->items[i], full.text, into);
		}
	}
}

char *mrd_key_resolve(const struct mrd_key_reader *reader, const char *text)
{
	struct mrd_strbuf whole MRD_AUTO_STRBUF = {0};

	if (*text == '/' || !strcmp(reader->folder, "."))
		return strdup(text);
	mrd_strbuf_addf(&whole, "%s/%s", reader->folder, text);
	return mrd_strbuf_steal(&whole);
}

static void set_string(struct mrd_key_reader *reader, const struct mrd_key *field, char *text,
		       void *into)
{
	char **at = (char **)((char *)into + field->offset);

	if (!text) {
		reader->no_memory = true;
		return;
	}
	free(*at);
	*at = text;
}

/* The scalar's text within its bounds and sound, or NULL after a complaint. */
static const char *sound_text(struct mrd_key_reader *reader, const struct mrd_key *field,
			      const struct mrd_doc_node *node, const char *path)
{
	const char *fault;
	const char *text;

	if (mrd_doc_string(node, &text)) {
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be a string");
		return NULL;
	}
	if ((int64_t)strlen(text) < field->least) {
		mrd_key_complain(reader, MRD_ERROR, node, path, "must not be empty");
		return NULL;
	}
	if (field->most && (int64_t)strlen(text) > field->most) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "is longer than %" PRId64 " characters", field->most);
		return NULL;
	}
	fault = *text && field->fault ? field->fault(text) : NULL;
	if (fault)
		mrd_key_complain(reader, MRD_ERROR, node, path, "%s", fault);
	return fault ? NULL : text;
}

void mrd_key_string(struct mrd_key_reader *reader, const struct mrd_key *field,
		    const struct mrd_doc_node *node, const char *path, void *into)
{
	const char *text = sound_text(reader, field, node, path);

	if (text)
		set_string(reader, field, strdup(text), into);
}

void mrd_key_path(struct mrd_key_reader *reader, const struct mrd_key *field,
		  const struct mrd_doc_node *node, const char *path, void *into)
{
	const char *text = sound_text(reader, field, node, path);
	const char *fault = text ? mrd_name_fault_line(text) : NULL;

	if (fault)
		mrd_key_complain(reader, MRD_ERROR, node, path, "%s", fault);
	else if (text)
		set_string(reader, field, mrd_key_resolve(reader, text), into);
}

void mrd_key_bool(struct mrd_key_reader *reader, const struct mrd_key *field,
		  const struct mrd_doc_node *node, const char *path, void *into)
{
	if (mrd_doc_bool(node, (bool *)((char *)into + field->offset)))
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be true or false");
}

void mrd_key_number(struct mrd_key_reader *reader, const struct mrd_key *field,
		    const struct mrd_doc_node *node, const char *path, void *into)
{
	int64_t number;
	int r = mrd_doc_int(node, &number);

	if (r == -EINVAL)
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be a whole number");
	else if (r || number < field->least || number > field->most)
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be %" PRId64 " to %" PRId64,
				 field->least, field->most);
	else
		*(uint32_t *)((char *)into + field->offset) = (uint32_t)number;
}

void mrd_key_duration(struct mrd_key_reader *reader, const struct mrd_key *field,
		      const struct mrd_doc_node *node, const char *path, void *into)
{
	char least[MRD_DURATION_TEXT_MAX];
	char most[MRD_DURATION_TEXT_MAX];
	const char *text;
	uint64_t ms;
	int r = mrd_doc_string(node, &text);

	if (!r)
		r = mrd_duration_parse(text, &ms);
	if (r == -EINVAL)
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be a duration like 60s, 1h30m or 500ms");
	else if (r == -EDOM)
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be whole milliseconds");
	else if (r || ms < (uint64_t)field->least || ms > (uint64_t)field->most)
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be %s to %s",
				 mrd_duration_format((uint64_t)field->least, least),
				 mrd_duration_format((uint64_t)field->most, most));
	else
		*(uint64_t *)((char *)into + field->offset) = ms;
}

void mrd_key_word(struct mrd_key_reader *reader, const struct mrd_key *field,
		  const struct mrd_doc_node *node, const char *path, void *into)
{
	struct mrd_strbuf known MRD_AUTO_STRBUF = {0};

	for (int i = 0; field->words[i]; i++) {
		if (node->kind == MRD_DOC_SCALAR && !strcmp(node->text, field->words[i])) {
			*(int *)((char *)into + field->offset) = i;
			return;
		}
		mrd_strbuf_addf(&known, "%s%s", i ? " or " : "", field->words[i]);
	}
	mrd_key_complain(reader, MRD_ERROR, node, path, "must be %s",
			 known.failed ? "another word" : known.text);
}
