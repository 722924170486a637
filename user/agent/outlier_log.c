/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/outlier_log.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "outlier/event_log.h"

const char *mrd_outlier_cause(enum mrd_outlier_type type)
{
	static const char *const causes[] = {
		[MRD_CONSECUTIVE_5XX] = "consecutive 5xx responses or failed connects",
		[MRD_CONSECUTIVE_GATEWAY_FAILURE] = "consecutive 502, 503 or 504 responses",
		[MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE] = "consecutive failed connects",
		[MRD_SUCCESS_RATE] = "success rate far below that of the others",
		[MRD_SUCCESS_RATE_LOCAL_ORIGIN] =
			"success rate of connects far below that of the others",
		[MRD_FAILURE_PERCENTAGE] = "too many failed responses in an interval",
		[MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN] = "too many failed connects in an interval",
	};

	return causes[type];
}

void mrd_outlier_log_line(struct mrd_strbuf *out, const struct mrd_outlier_verdict *verdict,
			  const char *cluster, const char *upstream, uint64_t wall_ms)
{
	const time_t seconds = (time_t)(wall_ms / MRD_MS_PER_S);
	char timestamp[40];
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(timestamp, sizeof(timestamp), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(timestamp + len, sizeof(timestamp) - len, ".%03uZ",
		 (unsigned int)(wall_ms % MRD_MS_PER_S));
	mrd_event_log_add(
		&(struct mrd_event_log_line){
			.verdict = verdict,
			.cluster_name = cluster,
			.upstream_url = upstream,
			.timestamp = timestamp,
		},
		out);
}
