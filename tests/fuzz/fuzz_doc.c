/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Any bytes as a document. What was read must be a tree within its bounds, with every place set. */
#include "base/doc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void walk(const struct mrd_doc_node *node, unsigned int depth)
{
	int64_t number;
	bool flag;

	require(depth <= MRD_DOC_DEPTH_MAX);
	require(node->line && node->column && node->text);
	mrd_doc_int(node, &number);
	mrd_doc_bool(node, &flag);
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == MRD_DOC_MAP)
			require(mrd_doc_get(node, node->keys[i]->text) == node->items[i]);
		walk(node->items[i], depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const int ret = mrd_doc_parse("fuzz", (const char *)data, size, &diag, &file);

	require(!ret == !diag.errors);
	for (size_t i = 0; file && i < mrd_doc_count(file); i++)
		if (mrd_doc_root(file, i))
			walk(mrd_doc_root(file, i), 0);
	mrd_doc_free(file);
	mrd_diag_free(&diag);
	return 0;
}
