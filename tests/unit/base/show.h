/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A document tree as one line of text, in which JSON's signs stand for the kinds of nodes. */
#ifndef MRD_TESTS_BASE_SHOW_H
#define MRD_TESTS_BASE_SHOW_H

#include "base/doc.h"
#include "base/strbuf.h"

static inline void show(struct mrd_strbuf *out, const struct mrd_doc_node *node)
{
	switch (node ? node->kind : MRD_DOC_NULL) {
	case MRD_DOC_NULL:
		mrd_strbuf_addf(out, "null");
		break;
	case MRD_DOC_SCALAR:
		if (node->quoted)
			mrd_strbuf_add_json(out, node->text);
		else
			mrd_strbuf_addf(out, "%s", node->text);
		break;
	case MRD_DOC_MAP:
	case MRD_DOC_LIST:
		mrd_strbuf_addf(out, node->kind == MRD_DOC_MAP ? "{" : "[");
		for (size_t i = 0; i < node->count; i++) {
			mrd_strbuf_addf(out, i ? " " : "");
			if (node->kind == MRD_DOC_MAP)
				mrd_strbuf_addf(out, "%s:", node->keys[i]->text);
			show(out, node->items[i]);
		}
		mrd_strbuf_addf(out, node->kind == MRD_DOC_MAP ? "}" : "]");
		break;
	}
}

#endif
