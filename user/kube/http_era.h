/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The connections of one generation of a credential: a multi handle of libcurl on the loop, and who
 * to be on it. A new generation is a new era; the old one lives until its last request ends.
 */
#ifndef MRD_KUBE_HTTP_ERA_H
#define MRD_KUBE_HTTP_ERA_H

#include "base/loop.h"
#include "kube/credential.h"
#include "kube/http_tls.h"
#include "kube/libraries.h"
#include "kube/secret.h"

struct mrd_http_socket;

struct mrd_http_era {
	struct mrd_loop *loop;
	CURLM *multi;
	struct mrd_timer *timer;
	struct mrd_http_socket *sockets;
	void (*enter)(void *self, struct mrd_http_era *era); /* before libcurl is called… */
	void (*leave)(void *self);			     /* and after; may free the era */
	void *self;
	bool is_held;
	bool timer_is_due; /* since it is held */
	uint64_t generation;
	uint64_t heard_ns; /* when something last came from the server */
	struct mrd_tls_report report;

	char *server;		       /* as in the kubeconfig */
	char *peer;		       /* "host:port", for messages and the Host header */
	char *name;		       /* that its certificate must have */
	char *base;		       /* what a path is appended to */
	struct curl_slist *headers;    /* of all requests; NULL: none */
	struct curl_slist *connect_to; /* NULL: where the URL says */
	struct mrd_secret ca, certificate, key;
	struct mrd_secret proxy, username, password;
	bool insecure;
};

int mrd_http_era_new(struct mrd_loop *loop, const struct mrd_credential_now *credential,
		     struct mrd_http_era **ret_era);
void mrd_http_era_free(struct mrd_http_era *era); /* NULL is fine; it has no handles */

/* libcurl is not called until it is let go: it reads on for paused handles, and keeps all of it,
 * where another handle of their connection is not paused. */
void mrd_http_era_hold(struct mrd_http_era *era);
void mrd_http_era_let_go(struct mrd_http_era *era);

/* Of the sockets that had something to say while it was held the one that was served longest ago:
 * when that was (UINT64_MAX: there is none), and serve it. */
uint64_t mrd_http_era_missed_ns(const struct mrd_http_era *era);
void mrd_http_era_serve_missed(struct mrd_http_era *era);

/* A handle with all that requests of the era share, but for its headers; NULL: no memory. */
CURL *mrd_http_era_handle(struct mrd_http_era *era, const char *path, const char *user_agent);

#endif
