/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An ejection or un-ejection as Envoy's outlier event log writes it: one JSON object a line, so
 * that what reads Envoy's log reads ours.
 */
#ifndef MRD_AGENT_OUTLIER_LOG_H
#define MRD_AGENT_OUTLIER_LOG_H

#include <stdint.h>

#include "base/strbuf.h"
#include "outlier/outlier.h"

/* cluster: Istio's name of it ("outbound|9080||reviews.default.svc.cluster.local"); upstream:
 * "10.0.0.5:9080"; wall_ms: since 1970. Ends with a line feed. */
void mrd_outlier_log_line(struct mrd_strbuf *out, const struct mrd_outlier_verdict *verdict,
			  const char *cluster, const char *upstream, uint64_t wall_ms);

/* "consecutive 5xx responses or failed connects": the cause in words. */
const char *mrd_outlier_cause(enum mrd_outlier_type type);

#endif
