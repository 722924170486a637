/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The text of a document file as libyaml reads it: by one parser after another, each from a place
 * where a document begins. Of use to doc_parse.c alone. */
#ifndef MRD_BASE_DOC_TEXT_H
#define MRD_BASE_DOC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/strbuf.h"

enum { MRD_DOC_PIECE_MIN = 256, MRD_DOC_PIECE_MAX = 16384 };

struct mrd_doc_text {
	const char *bytes;
	size_t len;
	size_t start; /* of what the parser reads */
	size_t start_line;
	size_t start_column;
	size_t given; /* the end of what the parser has */
	size_t piece; /* so much it gets next */
};

/* Lets a parser read from the start on; the text must outlive it. */
void mrd_doc_text_give(struct mrd_doc_text *text, yaml_parser_t *yaml);

/* From the parser's own count to the text's. */
yaml_mark_t mrd_doc_text_mark(const struct mrd_doc_text *text, yaml_mark_t mark);

/* Where libyaml stopped. Adds its reason in full, put clearer where its own words leave people
 * guessing. */
yaml_mark_t mrd_doc_text_refused(const struct mrd_doc_text *text, const yaml_parser_t *yaml,
				 struct mrd_strbuf *reason);

/* Whether libyaml stopped at a "{" behind the end of a document. The start goes there. */
bool mrd_doc_text_next_json(struct mrd_doc_text *text, const yaml_parser_t *yaml);

/* Whether a line begins a document, this one or later. The start goes there. */
bool mrd_doc_text_next_document(struct mrd_doc_text *text, size_t from_line);

#endif
