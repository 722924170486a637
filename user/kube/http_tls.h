/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What libcurl's errors do not say about a server's certificate: whose it is, who issued it, which
 * names it has. OpenSSL's part of http.c; the verification itself is OpenSSL's and libcurl's.
 */
#ifndef MRD_KUBE_HTTP_TLS_H
#define MRD_KUBE_HTTP_TLS_H

#include "base/strbuf.h"
#include "kube/libraries.h"

/* Of the last handshake. Must live as long as the connections that it watches. */
struct mrd_tls_report {
	struct mrd_strbuf fault; /* "" = the chain is good */
	struct mrd_strbuf names; /* the certificate's, as a list */
};

void mrd_tls_watch(CURL *easy, struct mrd_tls_report *report);
void mrd_tls_report_free(struct mrd_tls_report *report);

#endif
