/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A verdict as the agent tells it: a line of Envoy's event log with the time of day, or in words.
 */
#ifndef MRD_AGENT_OUTLIER_LOG_H
#define MRD_AGENT_OUTLIER_LOG_H

#include <stdint.h>

#include "base/strbuf.h"
#include "outlier/outlier.h"

/* cluster: Istio's name of it ("outbound|9080||reviews.default.svc.cluster.local"); upstream:
 * "10.0.0.5:9080"; wall_ms: since 1970. One line, or nothing (outlier/event_log.h). */
void mrd_outlier_log_line(struct mrd_strbuf *out, const struct mrd_outlier_verdict *verdict,
			  const char *cluster, const char *upstream, uint64_t wall_ms);

/* "consecutive 5xx responses or failed connects": the cause in words. */
const char *mrd_outlier_cause(enum mrd_outlier_type type);

#endif
