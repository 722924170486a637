/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The words about ejections: a line of the log, and one of Envoy's event log. Said when the events
 * that wait have had their turn, so after the kernel was told. */
#include "agent/engine_state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/outlier_log.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "outlier/event_log.h"

struct census {
	const struct mrd_rows *rows;
	const char *region;
	size_t total;
	size_t active;
};

static int count_host(void *self, const void *key, const void *value)
{
	struct census *census = self;
	const struct mrd_health *health = value;

	(void)key;
	if (strcmp(mrd_engine_region_of(census->rows, health), census->region) != 0)
		return 0;
	census->total++;
	census->active += health->state == MRD_STATE_ACTIVE;
	return 0;
}

static void tell_text(const struct mrd_entry *entry, const struct mrd_note *note,
		      const struct mrd_health *health, const char *endpoint)
{
	struct census census = {.rows = entry->rows,
				.region = mrd_engine_region_of(entry->rows, health)};
	const char *port = *entry->name.port_name ? entry->name.port_name : "-";
	char duration[MRD_DURATION_TEXT_MAX];
	char consequence[128];

	mrd_rows_walk(entry->rows, MRD_MAP_HEALTH, count_host, &census);
	snprintf(consequence, sizeof(consequence), "%zu of %zu endpoints of %s left", census.active,
		 census.total, *census.region ? census.region : "its region");
	if (note->error)
		mrd_log_error("endpoint to be ejected, but its row could not be written",
			      MRD_KV("endpoint", endpoint), MRD_KV("service", entry->service->key),
			      MRD_KV("port", port), MRD_KV("reason", strerror(-note->error)),
			      MRD_KV("consequence", "tried again with the next plan"));
	else if (!note->verdict.ejected)
		mrd_log_info("endpoint returned", MRD_KV("endpoint", endpoint),
			     MRD_KV("service", entry->service->key), MRD_KV("port", port),
			     MRD_KV("region", census.region), MRD_KV("cause", "its time is over"),
			     MRD_KV_NUM("ejections", note->verdict.ejections));
	else if (mrd_verdict_is_effective(&note->verdict))
		mrd_log_warn("endpoint ejected", MRD_KV("endpoint", endpoint),
			     MRD_KV("service", entry->service->key), MRD_KV("port", port),
			     MRD_KV("region", census.region),
			     MRD_KV("cause", mrd_outlier_cause(note->verdict.type)),
			     MRD_KV("for", mrd_duration_format(note->for_ms, duration)),
			     MRD_KV("consequence", consequence));
	else if (note->verdict.capped)
		mrd_log_warn("endpoint not ejected", MRD_KV("endpoint", endpoint),
			     MRD_KV("service", entry->service->key), MRD_KV("port", port),
			     MRD_KV("region", census.region),
			     MRD_KV("cause", "too many are ejected already"),
			     MRD_KV("consequence", "it goes on being used"));
}

static void tell_event(const struct mrd_engine *engine, const struct mrd_entry *entry,
		       const struct mrd_note *note, const char *endpoint)
{
	struct mrd_strbuf cluster MRD_AUTO_STRBUF = {0};
	struct mrd_strbuf line MRD_AUTO_STRBUF = {0};

	mrd_event_log_add_cluster(entry->number, entry->name.service, entry->name.namespace_,
				  engine->input.cluster_domain, &cluster);
	if (cluster.failed)
		return;
	mrd_outlier_log_line(&line, &note->verdict, cluster.text, endpoint, mrd_clock_wall_ms());
	/* A log that cannot be written is no reason to stop. */
	if (line.len && !line.failed && write(engine->event_fd, line.text, line.len) < 0)
		return;
}

static void tell_note(const struct mrd_engine *engine, const struct mrd_note *note)
{
	const struct mrd_entry *entry = mrd_book_find_entry(&engine->book, note->service_id);
	const struct mrd_health *health;
	struct mrd_ip ip = {.version = MRD_IPV4};
	char endpoint[MRD_IP_TEXT_MAX];

	if (!entry || !entry->rows)
		return; /* its service is gone already */
	health = mrd_rows_get(entry->rows, MRD_MAP_HEALTH, &note->verdict.host);
	if (!health)
		return;
	memcpy(ip.bytes, health->addr, sizeof(ip.bytes));
	if (health->family == MRD_FAMILY_IPV6)
		ip.version = MRD_IPV6;
	mrd_ip_port_format(&ip, (uint16_t)health->port, endpoint);
	tell_text(entry, note, health, endpoint);
	if (engine->event_fd >= 0)
		tell_event(engine, entry, note, endpoint);
}

void mrd_engine_tell(struct mrd_engine *engine)
{
	/* Events that are heard meanwhile add notes of their own. */
	for (size_t i = 0; i < engine->note_count; i++) {
		mrd_engine_breathe(engine);
		tell_note(engine, &engine->notes[i]);
	}
	engine->note_count = 0;
}
