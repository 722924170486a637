/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What Kubernetes takes for the key and the value of a label, and labels that tell a place. */
#ifndef MRD_BASE_LABEL_H
#define MRD_BASE_LABEL_H

#include <stdbool.h>
#include <stddef.h>

/* Well-known labels of Kubernetes, and Istio's for what that has no label for. */
#define MRD_LABEL_REGION   "topology.kubernetes.io/region"
#define MRD_LABEL_ZONE	   "topology.kubernetes.io/zone"
#define MRD_LABEL_SUBZONE  "topology.istio.io/subzone"
#define MRD_LABEL_NETWORK  "topology.istio.io/network"
#define MRD_LABEL_CLUSTER  "topology.istio.io/cluster"
#define MRD_LABEL_HOSTNAME "kubernetes.io/hostname"

/* "name" or "prefix/name": the name a value that is not empty, the prefix a DNS name. */
bool mrd_label_is_key(const char *text, size_t len);
/* At most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends; or nothing. */
bool mrd_label_is_value(const char *text, size_t len);
/* One of the above: an endpoint has it by its Node, cluster or network, not by its Pod alone. */
bool mrd_label_is_of_place(const char *key);

/* What Kubernetes takes for the names of objects (RFC 1123): a DNS label, as namespaces have, or
 * such with dots between. */
bool mrd_label_is_dns(const char *text, size_t len);
bool mrd_label_is_dns_name(const char *text, size_t len);

#endif
