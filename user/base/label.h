/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What Kubernetes takes for the key and the value of a label. */
#ifndef MRD_BASE_LABEL_H
#define MRD_BASE_LABEL_H

#include <stdbool.h>
#include <stddef.h>

/* "name" or "prefix/name": the name a value that is not empty, the prefix a DNS name. */
bool mrd_label_is_key(const char *text, size_t len);
/* At most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends; or nothing. */
bool mrd_label_is_value(const char *text, size_t len);

/* What Kubernetes takes for the names of objects (RFC 1123): a DNS label, as namespaces have, or
 * such with dots between. */
bool mrd_label_is_dns(const char *text, size_t len);
bool mrd_label_is_dns_name(const char *text, size_t len);

#endif
