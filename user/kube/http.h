/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * GET over HTTPS on the agent's loop, by libcurl's multi interface: HTTP/2 where it is offered, all
 * requests of one client over one connection, gzip.
 *
 * A client is one API server. Its requests never wait for another client's: in each round of the
 * loop no more is read than a piece, and what streams without pause comes after everything else
 * (mrd_loop_later). Of its own requests the one that was served longest ago goes on first.
 */
#ifndef MRD_KUBE_HTTP_H
#define MRD_KUBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "kube/credential.h"

struct mrd_http;	 /* one API server's connections */
struct mrd_http_request; /* one under way */

struct mrd_http_head {
	unsigned int status;
	const char *content_type; /* "" = none */
	uint64_t retry_after_ms;  /* 0 = none said */
};

/* All called from the loop, in this order: head once, body any number of times, end once. end is
 * not called for a request that mrd_http_cancel ended. */
struct mrd_http_hooks {
	void (*head)(void *self, const struct mrd_http_head *head);
	/* Not 0: the transfer is given up, and ends with an error. */
	int (*body)(void *self, const void *data, size_t len);
	/* error: "" = the answer is whole; else one sentence that names host and cause (a
	 * certificate's wrong name or unknown issuer, refused, cut in the middle, silent for 30 s).
	 * The request is free when it returns. */
	void (*end)(void *self, const char *error);
	void *self;
};

/* credential is borrowed and outlives the client. -ENOSYS: without the libraries for it
 * (libraries.h); -ENOMEM. */
int mrd_http_new(struct mrd_loop *loop, struct mrd_credential *credential, const char *user_agent,
		 struct mrd_http **ret_http);
/* How long a server is silent until it is asked for a sign of life, and how long it may take to
 * give one: 10 s each unless it is set. */
void mrd_http_set_ping(struct mrd_http *http, uint64_t ping_ms, uint64_t answer_ms);
/* When a byte last came from the server, whatever it was: also a ping's answer. 0: never. */
uint64_t mrd_http_heard_ns(const struct mrd_http *http);
void mrd_http_free(struct mrd_http *http); /* NULL is fine; cancels what is under way */

/*
 * Sends GET path ("/api/v1/services?limit=500", escaped by the caller). accept: the header
 * "Accept: …", a literal. silence_ms: without a byte of its answer for so long it ends with an
 * error. 0: its head must come within the time that a ping and its answer have; then it may be
 * silent as long as its connection lives, which TCP's keep-alive tells, and over HTTP/2 a small
 * request on it; that it does not is noticed within 30 s. -EAGAIN: no credential yet. No hook is
 * called before it returns.
 */
int mrd_http_get(struct mrd_http *http, const char *path, const char *accept, uint64_t silence_ms,
		 const struct mrd_http_hooks *hooks, struct mrd_http_request **ret_request);
void mrd_http_cancel(struct mrd_http_request *request); /* NULL is fine */
/* The credential's generation that the request was sent with. */
uint64_t mrd_http_generation(const struct mrd_http_request *request);

#endif
