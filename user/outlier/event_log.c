/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "outlier/event_log.h"

#include <inttypes.h>

enum { MS_PER_S = 1000 };

const char *mrd_outlier_type_name(enum mrd_outlier_type type)
{
	static const char *const names[] = {
		[MRD_CONSECUTIVE_5XX] = "CONSECUTIVE_5XX",
		[MRD_CONSECUTIVE_GATEWAY_FAILURE] = "CONSECUTIVE_GATEWAY_FAILURE",
		[MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE] = "CONSECUTIVE_LOCAL_ORIGIN_FAILURE",
		[MRD_SUCCESS_RATE] = "SUCCESS_RATE",
		[MRD_SUCCESS_RATE_LOCAL_ORIGIN] = "SUCCESS_RATE_LOCAL_ORIGIN",
		[MRD_FAILURE_PERCENTAGE] = "FAILURE_PERCENTAGE",
		[MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN] = "FAILURE_PERCENTAGE_LOCAL_ORIGIN",
	};

	return names[type];
}

static void add_eject_event(struct mrd_strbuf *out, const struct mrd_outlier_verdict *verdict)
{
	const struct mrd_outlier_rates *rates = &verdict->rates;

	switch (verdict->type) {
	case MRD_CONSECUTIVE_5XX:
	case MRD_CONSECUTIVE_GATEWAY_FAILURE:
	case MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE:
		mrd_strbuf_addf(out, ",\"eject_consecutive_event\":{}");
		break;
	case MRD_SUCCESS_RATE:
	case MRD_SUCCESS_RATE_LOCAL_ORIGIN:
		mrd_strbuf_addf(out,
				",\"eject_success_rate_event\":{\"host_success_rate\":%" PRIu32
				",\"cluster_average_success_rate\":%" PRIu32
				",\"cluster_success_rate_ejection_threshold\":%" PRIu32 "}",
				rates->host, rates->average, rates->threshold);
		break;
	case MRD_FAILURE_PERCENTAGE:
	case MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN:
		mrd_strbuf_addf(
			out,
			",\"eject_failure_percentage_event\":{\"host_success_rate\":%" PRIu32 "}",
			rates->host);
		break;
	}
}

void mrd_event_log_add(const struct mrd_event_log_line *line, struct mrd_strbuf *out)
{
	const struct mrd_outlier_verdict *verdict = line->verdict;

	if (verdict->ejected && verdict->capped)
		return;
	mrd_strbuf_addf(out,
			"{\"type\":\"%s\",\"cluster_name\":", mrd_outlier_type_name(verdict->type));
	mrd_strbuf_add_json(out, line->cluster_name);
	mrd_strbuf_addf(out, ",\"upstream_url\":");
	mrd_strbuf_add_json(out, line->upstream_url);
	mrd_strbuf_addf(out, ",\"action\":\"%s\",\"num_ejections\":%" PRIu32 ",\"enforced\":%s",
			verdict->ejected ? "EJECT" : "UNEJECT", verdict->ejections,
			verdict->ejected && verdict->enforced ? "true" : "false");
	if (verdict->ejected)
		add_eject_event(out, verdict);
	if (line->timestamp) {
		mrd_strbuf_addf(out, ",\"timestamp\":");
		mrd_strbuf_add_json(out, line->timestamp);
	} else {
		mrd_strbuf_addf(out, ",\"t_ms\":%" PRIu64, line->t_ms);
	}
	if (verdict->last_action_known)
		mrd_strbuf_addf(out, ",\"secs_since_last_action\":\"%" PRIu64 "\"",
				verdict->since_last_action_ms / MS_PER_S);
	mrd_strbuf_addf(out, "}\n");
}

void mrd_event_log_add_cluster(uint16_t port, const char *service, const char *namespace_,
			       const char *cluster_domain, struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, "outbound|%u||%s.%s.svc.%s", port, service, namespace_,
			cluster_domain);
}
