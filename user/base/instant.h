/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Points in time as Kubernetes writes them: RFC 3339, with "Z" or an offset. */
#ifndef MRD_BASE_INSTANT_H
#define MRD_BASE_INSTANT_H

#include <stdint.h>

/* Before every other. */
#define MRD_INSTANT_NONE INT64_MIN

/* Microseconds since 1970; of a longer fraction the rest is cut. -EINVAL: it is no such time, as
 * Go's time.Parse sees it; *ret_us is untouched then. */
int mrd_instant_parse(const char *text, int64_t *ret_us);

/* The older first; what has no date was never in a cluster, and would be the newest there. */
int mrd_instant_compare_age(int64_t a_us, int64_t b_us);

#endif
