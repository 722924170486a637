/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What doc.c and doc_parse.c share: the inside of a document file. Nobody else includes this. */
#ifndef MRD_BASE_DOC_FILE_H
#define MRD_BASE_DOC_FILE_H

#include "base/arena.h"
#include "base/doc.h"

struct mrd_doc_file {
	struct mrd_arena arena; /* holds the name, the nodes and their text */
	const char *name;
	const struct mrd_doc_node **roots;
	size_t count;
	size_t room;
};

/* Appends the documents of text to file. Results as for mrd_doc_parse(). */
int mrd_doc_parse_events(struct mrd_doc_file *file, const char *text, size_t len,
			 struct mrd_diag *diag);

#endif
