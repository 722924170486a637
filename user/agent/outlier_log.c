/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/outlier_log.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"

static const char *type_name(enum mrd_outlier_type type)
{
	static const char *const names[] = {
		[MRD_CONSECUTIVE_5XX] = "CONSECUTIVE_5XX",
		[MRD_CONSECUTIVE_GATEWAY_FAILURE] = "CONSECUTIVE_GATEWAY_FAILURE",
		[MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE] = "CONSECUTIVE_LOCAL_ORIGIN_FAILURE",
	};

	return names[type];
}

const char *mrd_outlier_cause(enum mrd_outlier_type type)
{
	static const char *const causes[] = {
		[MRD_CONSECUTIVE_5XX] = "consecutive 5xx responses or failed connects",
		[MRD_CONSECUTIVE_GATEWAY_FAILURE] = "consecutive 502, 503 or 504 responses",
		[MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE] = "consecutive failed connects",
	};

	return causes[type];
}

static void add_timestamp(struct mrd_strbuf *out, uint64_t wall_ms)
{
	const time_t seconds = (time_t)(wall_ms / MRD_MS_PER_S);
	char text[32];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	mrd_strbuf_addf(out, "\"timestamp\":\"%s.%03uZ\"", text,
			(unsigned int)(wall_ms % MRD_MS_PER_S));
}

void mrd_outlier_log_line(struct mrd_strbuf *out, const struct mrd_outlier_verdict *verdict,
			  const char *cluster, const char *upstream, uint64_t wall_ms)
{
	mrd_strbuf_addf(out, "{\"type\":\"%s\",\"cluster_name\":", type_name(verdict->type));
	mrd_strbuf_add_json(out, cluster);
	mrd_strbuf_addf(out, ",\"upstream_url\":");
	mrd_strbuf_add_json(out, upstream);
	mrd_strbuf_addf(out, ",\"action\":\"%s\",\"num_ejections\":%" PRIu32 ",\"enforced\":%s,",
			verdict->ejected ? "EJECT" : "UNEJECT", verdict->ejections,
			verdict->ejected && verdict->enforced ? "true" : "false");
	if (verdict->ejected)
		mrd_strbuf_addf(out, "\"eject_consecutive_event\":{},");
	add_timestamp(out, wall_ms);
	if (verdict->last_action_known)
		mrd_strbuf_addf(out, ",\"secs_since_last_action\":\"%" PRIu64 "\"",
				verdict->since_last_action_ms / MRD_MS_PER_S);
	mrd_strbuf_addf(out, "}\n");
}
