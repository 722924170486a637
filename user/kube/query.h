/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Paths and queries of the Kubernetes API, escaped (RFC 3986). */
#ifndef MRD_KUBE_QUERY_H
#define MRD_KUBE_QUERY_H

#include <stddef.h>

#include "base/strbuf.h"

/* Appends "?key=value" or "&key=value": the first one of query has the question mark. */
void mrd_query_add(struct mrd_strbuf *query, const char *key, const char *value);

/* What of "/apis/<group>/<version>/<resource>" or "/api/v1/<resource>" RBAC calls by name. Points
 * into path; the group of the latter is "". */
struct mrd_query_names {
	const char *group;
	size_t group_len;
	const char *resource;
};

struct mrd_query_names mrd_query_names(const char *path);

#endif
