/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Any document as Kubernetes objects: no crash, no leak, and no error without a reason. */
#include "source/object_doc.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	(void)self, (void)at;
	mrd_object_free(object);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;

	mrd_doc_parse("fuzz", (const char *)data, size, &diag, &file);
	for (size_t i = 0; file && i < mrd_doc_count(file); i++)
		if (mrd_object_read(mrd_doc_root(file, i), "fuzz", &diag, take, NULL) == -EBADMSG &&
		    !diag.errors)
			abort();
	mrd_doc_free(file);
	mrd_diag_free(&diag);
	return 0;
}
