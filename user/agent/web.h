/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A few pages over HTTP/1, by libmicrohttpd on the agent's loop: GET and HEAD of a known path, 404
 * and 405 for the rest.
 *
 * No client can hold the agent: nothing blocks, a page is made whole and sent as the client reads,
 * a connection carries one request, has MRD_WEB_REQUEST_MS to say it and ends MRD_WEB_TIMEOUT_MS
 * after that however busy it looks, and those beyond MRD_WEB_CLIENTS_MAX wait in the backlog.
 */
#ifndef MRD_AGENT_WEB_H
#define MRD_AGENT_WEB_H

#include "base/ip.h"
#include "base/loop.h"
#include "base/strbuf.h"

enum {
	MRD_WEB_CLIENTS_MAX = 64,
	MRD_WEB_REQUEST_MS = 1000,
	MRD_WEB_TIMEOUT_MS = 10000,	 /* Prometheus' own, too */
	MRD_WEB_REQUEST_BYTES = 8 << 10, /* request line and headers; more is refused */
};

struct mrd_web;

struct mrd_web_page {
	const char *path;
	const char *content_type;
	/* Writes the body and returns the status. Must not close the server. */
	unsigned int (*write)(void *self, struct mrd_strbuf *body);
};

struct mrd_web_config {
	struct mrd_ip ip;		  /* "::" takes IPv4, too */
	uint16_t port;			  /* 0: any that is free */
	const struct mrd_web_page *pages; /* borrowed */
	size_t page_count;
	uint64_t timeout_ms;
	void *self; /* of the pages */
};

/* -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -errno, -ENOMEM. */
int mrd_web_open(struct mrd_loop *loop, const struct mrd_web_config *config,
		 struct mrd_web **ret_web);
uint16_t mrd_web_port(const struct mrd_web *web);
/* Answers that are under way are cut. NULL is fine. */
void mrd_web_close(struct mrd_web *web);

#endif
