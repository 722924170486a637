/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Paths and queries of the Kubernetes API, escaped (RFC 3986). */
#ifndef MRD_KUBE_QUERY_H
#define MRD_KUBE_QUERY_H

#include <stddef.h>

#include "base/strbuf.h"

/* Appends "?key=value" or "&key=value": the first one of query has the question mark. */
void mrd_query_add(struct mrd_strbuf *query, const char *key, const char *value);

/* A kind of object, in a version of its API. */
struct mrd_query_kind {
	const char *group; /* "discovery.k8s.io"; "" = the core */
	const char *version;
	size_t version_len;
	const char *resource; /* "endpointslices" */
};

/* Appends "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"; namespace_ "": of all. */
void mrd_query_add_path(struct mrd_strbuf *query, const struct mrd_query_kind *kind,
			const char *namespace_);
/* Appends "discovery.k8s.io/v1", what objects have for their apiVersion. */
void mrd_query_add_api_version(struct mrd_strbuf *text, const struct mrd_query_kind *kind);

#endif
