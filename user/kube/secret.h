/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Memory that held a secret is overwritten before it is given back. */
#ifndef MRD_KUBE_SECRET_H
#define MRD_KUBE_SECRET_H

#include <stddef.h>

struct mrd_secret {
	char *data; /* NULL: none. A zero stands behind the end */
	size_t len;
};

enum { MRD_SECRET_FILE_MAX = 8 * 1024 * 1024 };

/* A regular file, whole; what blocks (a pipe) is -EINVAL, what is larger than the limit -EFBIG.
 * -errno of the failed read. */
int mrd_secret_read(const char *path, struct mrd_secret *ret_secret);
/* -ENOMEM. */
int mrd_secret_copy(const void *data, size_t len, struct mrd_secret *ret_secret);
void mrd_secret_free(struct mrd_secret *secret); /* empties it; an empty one is fine */
#define MRD_AUTO_SECRET __attribute__((cleanup(mrd_secret_free)))

void mrd_secret_text_free(char *text); /* NULL is fine */

#endif
