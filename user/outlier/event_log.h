/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An ejection or un-ejection as Envoy's outlier event log writes it: one JSON object a line, so
 * that what reads Envoy's log reads ours.
 */
#ifndef MRD_OUTLIER_EVENT_LOG_H
#define MRD_OUTLIER_EVENT_LOG_H

#include <stdint.h>

#include "base/strbuf.h"
#include "outlier/outlier.h"

/* "CONSECUTIVE_5XX" */
const char *mrd_outlier_type_name(enum mrd_outlier_type type);

struct mrd_event_log_line {
	const struct mrd_outlier_verdict *verdict;
	const char *cluster_name; /* "outbound|9080||reviews.default.svc.cluster.local" */
	const char *upstream_url; /* "10.0.0.5:9080" */
	const char *timestamp;	  /* RFC 3339; NULL: t_ms is printed in its place */
	uint64_t t_ms;
};

/* One JSON object and a newline. Nothing for a detection that the cap has stopped: Envoy counts
 * those, but does not log them. */
void mrd_event_log_add(const struct mrd_event_log_line *line, struct mrd_strbuf *out);

/* Istio's name of the cluster that is a port of a Service, as cluster_name takes it. */
void mrd_event_log_add_cluster(uint16_t port, const char *service, const char *namespace_,
			       const char *cluster_domain, struct mrd_strbuf *out);

#endif
