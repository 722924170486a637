/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One run of an exec plugin (client.authentication.k8s.io): a program that prints a credential. It
 * runs beside the loop, with nothing on its standard input and its errors thrown away, since they
 * may hold secrets. Its answer and its time are bounded.
 */
#ifndef MRD_KUBE_PLUGIN_H
#define MRD_KUBE_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "kube/access.h"
#include "kube/secret.h"

enum { MRD_PLUGIN_ANSWER_MAX = 256 * 1024 };

struct mrd_plugin_answer {
	struct mrd_secret token; /* data NULL: none */
	struct mrd_secret certificate;
	struct mrd_secret key;
	uint64_t expires_wall_ms; /* 0: it does not say */
};

void mrd_plugin_answer_free(struct mrd_plugin_answer *answer); /* what it holds, not itself */

struct mrd_plugin;

/* Called once, from the loop; the plugin is free when it returns. error "": answer may be emptied
 * by who is called. Else one sentence that names the command, and answer holds nothing. */
typedef void (*mrd_plugin_fn)(void *self, const char *error, struct mrd_plugin_answer *answer);

/* access->exec is to be run; ca: the contents of the authority, may be empty. Nothing is borrowed
 * after the call. -errno when it cannot be started. */
int mrd_plugin_start(struct mrd_loop *loop, const struct mrd_kube_access *access,
		     const struct mrd_secret *ca, uint64_t timeout_ms, mrd_plugin_fn done,
		     void *self, struct mrd_plugin **ret_plugin);
void mrd_plugin_free(struct mrd_plugin *plugin); /* NULL is fine; ends the program */

/* An ExecCredential of that apiVersion. On -EBADMSG, *ret_reason says why. */
int mrd_plugin_answer_read(const char *text, size_t len, const char *api_version,
			   const char **ret_reason, struct mrd_plugin_answer *ret_answer);

#endif
