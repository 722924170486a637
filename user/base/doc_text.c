/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A parser gets the text in pieces that begin small: libyaml decodes what it has, and that is for
 * nothing where the next parser begins behind a few bytes.
 */
#include "base/doc_text.h"

#include <string.h>

static int give_piece(void *self, unsigned char *buffer, size_t room, size_t *ret_len)
{
	struct mrd_doc_text *text = self;
	size_t len = text->len - text->given;

	if (len > text->piece)
		len = text->piece;
	if (len > room)
		len = room;
	if (len)
		memcpy(buffer, text->bytes + text->given, len);
	text->given += len;
	if (text->piece < MRD_DOC_PIECE_MAX)
		text->piece *= 2;
	*ret_len = len;
	return 1;
}

void mrd_doc_text_give(struct mrd_doc_text *text, yaml_parser_t *yaml)
{
	text->given = text->start;
	text->piece = MRD_DOC_PIECE_MIN;
	yaml_parser_set_input(yaml, give_piece, text);
}

/* ------------------------------------------------------------------- places */

yaml_mark_t mrd_doc_text_mark(const struct mrd_doc_text *text, yaml_mark_t mark)
{
	if (!mark.line)
		mark.column += text->start_column;
	mark.line += text->start_line;
	return mark;
}

static yaml_mark_t mark_of_offset(const struct mrd_doc_text *text, size_t offset)
{
	yaml_mark_t mark = {0};

	for (size_t i = 0; i < offset && i < text->len; i++) {
		if (text->bytes[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)text->bytes[i] & 0xc0) != 0x80) {
			mark.column++; /* columns count characters, not bytes */
		}
	}
	return mark;
}

/* The byte at a mark that counts from the byte at offset; NULL: behind the end. */
static const char *find_mark(const struct mrd_doc_text *text, size_t offset, yaml_mark_t mark)
{
	const char *at = text->bytes + offset;
	const char *end = text->bytes + text->len;

	for (size_t line = 0; at && line < mark.line; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	for (size_t column = 0; at && at < end && column < mark.column; column++) {
		do
			at++;
		while (at < end && ((unsigned char)*at & 0xc0) == 0x80);
	}
	return at && at < end ? at : NULL;
}

/* ------------------------------------------------------------------- where a parser stops */

yaml_mark_t mrd_doc_text_refused(const struct mrd_doc_text *text, const yaml_parser_t *yaml,
				 struct mrd_strbuf *reason)
{
	const char *problem = yaml->problem ? yaml->problem : "not YAML";
	yaml_mark_t mark = mrd_doc_text_mark(text, yaml->problem_mark);
	const char *at;
	char byte;

	/* libyaml names a byte when the text is not UTF-8, and a mark in all other cases. */
	if (yaml->error == YAML_READER_ERROR)
		mark = mark_of_offset(text, text->start + yaml->problem_offset);
	at = find_mark(text, 0, mark);
	byte = (char)(at ? *at : '\0');
	if (byte == '\t' && (strstr(problem, "tab character") || strstr(problem, "start any"))) {
		mrd_strbuf_addf(reason, "a tab cannot indent YAML: use spaces");
		return mark;
	}
	if (strstr(problem, "start any") && byte > ' ') {
		mrd_strbuf_addf(reason, "'%c' cannot start a value: put the value in quotes", byte);
		return mark;
	}
	mrd_strbuf_addf(reason, "%s", problem);
	if (yaml->context)
		mrd_strbuf_addf(reason, " %s", yaml->context);
	if (yaml->context && yaml->context_mark.line + text->start_line != mark.line)
		mrd_strbuf_addf(reason, " that starts in line %zu",
				yaml->context_mark.line + text->start_line + 1);
	return mark;
}

bool mrd_doc_text_next_json(struct mrd_doc_text *text, const yaml_parser_t *yaml)
{
	const yaml_mark_t mark = mrd_doc_text_mark(text, yaml->problem_mark);
	const char *at;

	if (yaml->error != YAML_PARSER_ERROR ||
	    strcmp(yaml->problem, "did not find expected <document start>") != 0)
		return false;
	at = find_mark(text, text->start, yaml->problem_mark);
	if (!at || *at != '{')
		return false;
	text->start = (size_t)(at - text->bytes);
	text->start_line = mark.line;
	text->start_column = mark.column;
	return true;
}

static bool begins_document(const char *at, const char *end)
{
	return end - at >= 3 && !memcmp(at, "---", 3) &&
	       (end - at == 3 || strchr(" \t\r\n", at[3]));
}

bool mrd_doc_text_next_document(struct mrd_doc_text *text, size_t from_line)
{
	const char *end = text->bytes + text->len;
	const char *at = text->bytes + text->start;
	size_t line = text->start_line;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		line++;
		if (line < from_line || !begins_document(at, end))
			continue;
		text->start = (size_t)(at - text->bytes);
		text->start_line = line;
		text->start_column = 0;
		return true;
	}
	return false;
}
