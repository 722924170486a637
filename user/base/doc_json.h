/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A JSON document as the tree of doc.h, so that one reader serves files and API servers. Read by
 * jansson; nodes have no place in a file (line and column 0), strings count as quoted.
 */
#ifndef MRD_BASE_DOC_JSON_H
#define MRD_BASE_DOC_JSON_H

#include "doc.h"

/* Exactly one JSON value, no deeper than doc.h has it and of no more than MRD_DOC_NODES_MAX nodes.
 * Errors go to diag, with file as their place. 0, -EBADMSG or -ENOMEM. Free it with mrd_doc_free.
 */
int mrd_doc_parse_json(const char *file, const char *text, size_t len, struct mrd_diag *diag,
		       struct mrd_doc_file **ret_file);
/* The same for one document after the other: *file is NULL at first, then the document before,
 * whose memory is used again. After a failure it has no root. */
int mrd_doc_parse_next_json(const char *name, const char *text, size_t len, struct mrd_diag *diag,
			    struct mrd_doc_file **file);

#endif
