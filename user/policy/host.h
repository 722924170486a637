/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Host names of rules as Istio reads them: "reviews" is reviews.NAMESPACE.svc.DOMAIN, a name with a
 * dot is used as is, a "*" at the start stands for anything. A dot at the end, as DNS has it, says
 * that the name is a full one, and no more. Sources: istio pkg/config/host and
 * pilot/pkg/model (ResolveShortnameToFQDN).
 */
#ifndef MRD_POLICY_HOST_H
#define MRD_POLICY_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Without the dot at its end, to be freed; NULL without memory. */
char *mrd_host_trim(const char *host);

/* namespace_ and domain may be "". -ENOMEM. */
int mrd_host_expand(const char *host, const char *namespace_, const char *domain, char **ret_host);

/* DNS labels, the first of which may be "*" or start with it; or an IP address. */
bool mrd_host_is_valid(const char *host);
bool mrd_host_is_wildcard(const char *host);
bool mrd_host_matches(const char *pattern, const char *host);
/* Above 0: a says more than b (exact before wildcard, then the longer). */
int mrd_host_compare(const char *a, const char *b);

/* Can any Service of a cluster of this domain match? */
bool mrd_host_may_be_service(const char *host, const char *domain);
/* The namespace of the Services that an expanded host names: a part of host, with its length. NULL:
 * it names none, or Services of several namespaces. */
const char *mrd_host_namespace(const char *host, const char *domain, size_t *ret_len);

#endif
