/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a kubeconfig and the files that it names say at one moment. */
#ifndef MRD_KUBE_CONTENTS_H
#define MRD_KUBE_CONTENTS_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "kube/access.h"
#include "kube/secret.h"

struct mrd_contents {
	struct mrd_kube_access *access;
	struct mrd_secret token; /* data NULL: none, so of all of them */
	struct mrd_secret certificate;
	struct mrd_secret key;
	struct mrd_secret ca;
};

/* Opens what access names and takes access over (on failure too). -errno: error has one sentence.
 */
int mrd_contents_read(struct mrd_kube_access *access, struct mrd_strbuf *error,
		      struct mrd_contents *ret_contents);
void mrd_contents_free(struct mrd_contents *contents); /* empties it */
bool mrd_contents_equal(const struct mrd_contents *a, const struct mrd_contents *b);

#endif
