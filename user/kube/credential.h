/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who to be at an API server just now. Follows the kubeconfig and every file that it names (a
 * rotated secret takes effect with the next request), and runs an exec plugin when there is no
 * answer of it or its answer has expired. Never blocks: a plugin runs beside the loop.
 */
#ifndef MRD_KUBE_CREDENTIAL_H
#define MRD_KUBE_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "kube/access.h"

struct mrd_credential;

/* Called from the loop when something changed: ready to be used, another secret, or an error. */
typedef void (*mrd_credential_fn)(void *self);

/* where is copied. Cannot be read yet: no failure, it is looked for again each second. warn is
 * called with findings that are new. -ENOMEM, -errno of inotify or the loop. */
int mrd_credential_new(struct mrd_loop *loop, const struct mrd_kube_where *where,
		       mrd_credential_fn changed,
		       void (*findings)(void *self, const struct mrd_diag *diag), void *self,
		       struct mrd_credential **ret_credential);
void mrd_credential_free(struct mrd_credential *credential); /* NULL is fine; ends a plugin */

/* What a request needs. Borrowed until the next callback or call. */
struct mrd_credential_now {
	const struct mrd_kube_access *access;
	uint64_t generation;	 /* another one: connections made with the old one are not reused */
	const char *token;	 /* for "Authorization: Bearer"; "" = none */
	const void *certificate; /* PEM; NULL = none */
	size_t certificate_len;
	const void *key;
	size_t key_len;
	const void *ca; /* PEM; NULL: the system's */
	size_t ca_len;
};

/* 0, or -EAGAIN: not yet (mrd_credential_error says why, "" = a plugin is under way). */
int mrd_credential_get(struct mrd_credential *credential, uint64_t now_ns,
		       struct mrd_credential_now *ret_now);
/* "" = all is well. Names files, hosts and commands, never secrets. */
const char *mrd_credential_error(const struct mrd_credential *credential);
/* The server answered 401: everything is read again, a plugin runs again. false: that was tried for
 * this generation already, so back off. */
bool mrd_credential_refuse(struct mrd_credential *credential, uint64_t generation);

#endif
