/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One service, from what is known to what the kernel holds: view → plan → rows → writes. Here also
 * the words about it: which plan was written, and why one was not.
 */
#include "agent/engine_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "plan/plan_text.h"

enum { ENDPOINTS_SHORT = 512 }; /* planned and written in a millisecond or two */

/* ---------------------------------------------------------------------------------- ejections */

static bool fill_name(struct mrd_name *name, const char *namespace_, const char *service,
		      const char *port)
{
	*name = (struct mrd_name){0};
	return snprintf(name->namespace_, MRD_NAME_LEN, "%s", namespace_) < MRD_NAME_LEN &&
	       snprintf(name->service, MRD_NAME_LEN, "%s", service) < MRD_NAME_LEN &&
	       snprintf(name->port_name, MRD_NAME_LEN, "%s", port) < MRD_NAME_LEN;
}

static struct mrd_entry *entry_of_family(const struct mrd_engine *engine,
					 const struct mrd_view *view,
					 const struct mrd_view_port *port, enum mrd_family family)
{
	struct mrd_name name;

	if (!fill_name(&name, view->namespace_, view->name, port->name))
		return NULL;
	name.family = family;
	name.protocol = port->transport == MRD_TRANSPORT_UDP ? MRD_PROTOCOL_UDP : MRD_PROTOCOL_TCP;
	return mrd_book_find_entry(&engine->book, mrd_ids_find_service(engine->ids, &name));
}

static struct mrd_entry *entry_of_port(const struct mrd_engine *engine, const struct mrd_view *view,
				       const struct mrd_view_port *port)
{
	return entry_of_family(engine, view, port,
			       port->version == MRD_IPV6 ? MRD_FAMILY_IPV6 : MRD_FAMILY_IPV4);
}

static void ask_of_port(struct mrd_asking *asking, const struct mrd_view *view,
			const struct mrd_view_port *port)
{
	const struct mrd_engine *engine = asking->engine;
	const struct mrd_entry *entry =
		entry_of_family(engine, view, port, MRD_FAMILY_IPV4)
			?: entry_of_family(engine, view, port, MRD_FAMILY_IPV6);
	struct mrd_effective effective;

	asking->port = port->number;
	asking->transport = port->transport;
	asking->watch = entry && entry->watch->detector ? entry->watch : NULL;
	if (!asking->watch)
		return;
	/* A rule that is gone takes its ejections with it, at once. */
	mrd_policy_effective(engine->input.policy, view->namespace_, view->name, port->number,
			     &effective);
	asking->is_ruled = effective.detector;
}

bool mrd_engine_find_ejection(struct mrd_asking *asking, const struct mrd_view *view,
			      const struct mrd_view_port *port,
			      const struct mrd_view_endpoint *endpoint,
			      struct mrd_outlier_state *ret_state)
{
	const struct mrd_view_endpoint *twin = endpoint->twin;
	const struct mrd_engine_address address = {
		.ip = &endpoint->ip,
		.port = endpoint->port,
		.twin_ip = twin ? &twin->ip : NULL,
		.twin_port = twin ? twin->port : 0,
	};

	if (asking->port != port->number || asking->transport != port->transport)
		ask_of_port(asking, view, port);
	if (!asking->watch || (!asking->is_ruled && !endpoint->unheard))
		return false;
	return mrd_engine_get_state(asking->engine, asking->watch, &address, ret_state) &&
	       ret_state->ejected;
}

static bool is_ejected(void *self, const struct mrd_view *view, const struct mrd_view_port *port,
		       const struct mrd_view_endpoint *endpoint)
{
	struct mrd_outlier_state state;

	return mrd_engine_find_ejection(self, view, port, endpoint, &state);
}

static uint64_t back_ms(const struct mrd_asking *asking, struct mrd_warmth *warmth,
			const char *name)
{
	const uint64_t now_ms = mrd_engine_ms(asking->engine->now_ns());

	if (asking->asker == MRD_ASKER_PLAN)
		return mrd_warmth_ask(warmth, name, now_ms);
	return mrd_warmth_peek(warmth, name, now_ms,
			       asking->asker == MRD_ASKER_HERE ? 0 : UINT64_MAX);
}

static uint64_t region_back_ms(void *self, const struct mrd_view *view,
			       const struct mrd_view_port *port, const char *region)
{
	const struct mrd_asking *asking = self;
	const struct mrd_entry *entry = entry_of_port(asking->engine, view, port);

	return entry ? back_ms(asking, entry->regions, region) : UINT64_MAX;
}

static uint64_t endpoint_back_ms(void *self, const struct mrd_view *view,
				 const struct mrd_view_port *port,
				 const struct mrd_view_endpoint *endpoint)
{
	const struct mrd_asking *asking = self;
	const struct mrd_entry *entry = entry_of_port(asking->engine, view, port);
	char text[MRD_IP_TEXT_MAX];

	if (!entry)
		return UINT64_MAX;
	mrd_ip_port_format(&endpoint->ip, endpoint->port, text);
	return back_ms(asking, entry->ready, text);
}

struct mrd_plan_ejections mrd_engine_ejections(struct mrd_asking *asking)
{
	return (struct mrd_plan_ejections){
		.is_ejected = is_ejected,
		.region_back_ms = region_back_ms,
		.endpoint_back_ms = endpoint_back_ms,
		.self = asking,
	};
}

static void know_regions(struct mrd_warmth *warmth, const struct mrd_plan_port *port)
{
	for (size_t i = 0; i < port->hop_count; i++)
		if (port->hops[i].healthy)
			mrd_warmth_know(warmth, port->hops[i].region);
}

static void know_endpoints(struct mrd_warmth *warmth, const struct mrd_plan_port *port)
{
	for (size_t i = 0; i < port->hop_count; i++)
		for (size_t k = 0; k < port->hops[i].endpoint_count; k++) {
			const struct mrd_plan_endpoint *endpoint = &port->hops[i].endpoints[k];
			char text[MRD_IP_TEXT_MAX];

			mrd_ip_port_format(&endpoint->ip, endpoint->port, text);
			if (endpoint->state == MRD_STATE_ACTIVE ||
			    endpoint->state == MRD_STATE_EJECTED)
				mrd_warmth_know(warmth, text);
		}
}

/* What the first plan finds up always was. */
static void note_up(struct mrd_warmth **warmth, bool is_wanted,
		    void (*know)(struct mrd_warmth *warmth, const struct mrd_plan_port *port),
		    const struct mrd_plan_port *port)
{
	if (!is_wanted) {
		mrd_warmth_free(*warmth);
		*warmth = NULL;
	} else if (*warmth) {
		mrd_warmth_settle(*warmth);
	} else {
		*warmth = mrd_warmth_new();
		know(*warmth, port);
	}
}

/* What is to be remembered of the port, and when to look at it again. */
static void note_warmth(struct mrd_engine *engine, struct mrd_entry *entry,
			const struct mrd_plan_port *port)
{
	note_up(&entry->regions, port->warms_regions, know_regions, port);
	note_up(&entry->ready, port->warms_endpoints, know_endpoints, port);
	mrd_table_delete(engine->warming, &entry->id, sizeof(entry->id));
	entry->again_ns = engine->now_ns() + port->again_ms * MRD_NS_PER_MS;
	if (port->again_ms && mrd_table_put(engine->warming, &entry->id, sizeof(entry->id), entry))
		mrd_log_error("no memory to warm up", MRD_KV("service", entry->service->key));
}

/* -------------------------------------------------------------------------------------- words */

/* "cn-hangzhou 70%, cn-shanghai 30%": by region, in the order of the hops. */
static void shares_text(const struct mrd_plan_port *port, struct mrd_strbuf *out)
{
	for (size_t i = 0; i < port->hop_count; i++) {
		const char *region = port->hops[i].region;
		double share = 0;
		bool told = false;

		for (size_t k = 0; k < port->hop_count; k++) {
			if (strcmp(port->hops[k].region, region) != 0)
				continue;
			told = told || k < i;
			share += port->hops[k].share;
		}
		if (!told)
			mrd_strbuf_addf(out, "%s%s %.4g%%", out->len ? ", " : "",
					*region ? region : "(no region)", share * 100);
	}
}

static void tell_written(struct mrd_engine *engine, const struct mrd_entry *entry,
			 const struct mrd_plan_port *port, size_t operations)
{
	struct mrd_strbuf shares MRD_AUTO_STRBUF = {0};

	engine->last_plan_ns = engine->now_ns();
	if (!operations)
		return;
	engine->plans_written++;
	engine->round.ports++;
	engine->round.operations += operations;
	if (engine->round.lines >= MRD_LINES_PER_ROUND)
		return;
	engine->round.lines++;
	shares_text(port, &shares);
	mrd_log_info("plan written", MRD_KV("service", entry->service->key),
		     MRD_KV("port", *port->name ? port->name : "-"),
		     MRD_KV("family", mrd_family_name(port->family)),
		     MRD_KV("mode", mrd_mode_name(port->mode)),
		     MRD_KV("shares", shares.text ? shares.text : "none: no endpoint"),
		     MRD_KV_NUM("operations", operations));
}

/* What a full map needs is said in the words of the configuration. */
static char *failure_text(const struct mrd_write_failure *failure)
{
	static const char *const limits[MRD_MAP_COUNT] = {
		[MRD_MAP_NAME] = "services",  [MRD_MAP_SETTING] = "services",
		[MRD_MAP_OPEN] = "services",  [MRD_MAP_STAT] = "members",
		[MRD_MAP_HEALTH] = "members", [MRD_MAP_TICKET] = "services",
		[MRD_MAP_MEMBER] = "members", [MRD_MAP_ROUTE] = "services",
		[MRD_MAP_SERVICE] = "vips",
	};
	struct mrd_strbuf text MRD_AUTO_STRBUF = {0};
	const bool full = failure->error == -E2BIG || failure->error == -ENOSPC;

	if (failure->map == MRD_MAP_COUNT && full)
		mrd_strbuf_addf(&text, "more than %d localities", MRD_LOCALITIES_MAX);
	else if (failure->map == MRD_MAP_COUNT)
		mrd_strbuf_addf(&text, "%s", strerror(-failure->error));
	else if (full && limits[failure->map])
		mrd_strbuf_addf(&text, "%s is full (kernel.limits.%s)", mrd_map_name(failure->map),
				limits[failure->map]);
	else
		mrd_strbuf_addf(&text, "%s: %s", mrd_map_name(failure->map),
				strerror(-failure->error));
	return mrd_strbuf_steal(&text);
}

static void note_failure(struct mrd_engine *engine, struct mrd_book_service *service,
			 const struct mrd_write_failure *failure)
{
	char *text = failure_text(failure);

	engine->plans_failed++;
	engine->round.failed++;
	if (!text)
		text = strdup("no memory");
	if (!service->error) {
		engine->failing++;
		service->failing_since_ns = engine->now_ns();
	} else if (text && !strcmp(service->error, text)) {
		free(text);
		engine->round.failure_lines++; /* said before */
		return;
	}
	free(service->error);
	service->error = text;
	if (engine->round.failure_lines >= MRD_LINES_PER_ROUND)
		return;
	engine->round.failure_lines++;
	mrd_log_error(
		"plan not written", MRD_KV("service", service->key),
		MRD_KV("map", failure->map == MRD_MAP_COUNT ? "-" : mrd_map_name(failure->map)),
		MRD_KV("reason", text ? text : "no memory"),
		MRD_KV("consequence", mrd_book_has_rows(service)
					      ? "what the maps hold of it stands; tried again"
					      : "the maps hold nothing of it; tried again"));
}

static void note_success(struct mrd_engine *engine, struct mrd_book_service *service)
{
	if (!service->error)
		return;
	free(service->error);
	service->error = NULL;
	engine->failing--;
}

/* Warnings are said once, and again when they change. */
static void tell_warnings(struct mrd_book_service *service, const struct mrd_view *view,
			  const struct mrd_plan *plan)
{
	struct mrd_strbuf all MRD_AUTO_STRBUF = {0};

	for (size_t i = 0; i < view->warning_count; i++)
		mrd_strbuf_addf(&all, "%s%s", all.len ? "; " : "", view->warnings[i].text);
	for (size_t p = 0; p < plan->port_count; p++)
		for (size_t i = 0; i < plan->ports[p].warning_count; i++)
			if (!all.text || !strstr(all.text, plan->ports[p].warnings[i]))
				mrd_strbuf_addf(&all, "%s%s", all.len ? "; " : "",
						plan->ports[p].warnings[i]);
	if (all.text && (!service->warnings || strcmp(service->warnings, all.text) != 0))
		mrd_log_warn("plan has warnings", MRD_KV("service", service->key),
			     MRD_KV("warnings", all.text));
	free(service->warnings);
	service->warnings = mrd_strbuf_steal(&all);
}

/* ------------------------------------------------------------------------------------ writing */

static int write_port(struct mrd_engine *engine, struct mrd_book_service *service,
		      const struct mrd_plan *plan, const struct mrd_plan_port *port,
		      struct mrd_entry **ret_entry, struct mrd_write_failure *ret_failure)
{
	struct mrd_fill fill = {.engine = engine, .now_ns = engine->now_ns()};
	const struct mrd_rows_ejections ejections = {.fill = mrd_engine_fill_health, .self = &fill};
	struct mrd_rows *rows = NULL;
	struct mrd_entry *entry;
	struct mrd_name name;
	size_t operations = 0;
	uint32_t id;
	int r;

	*ret_failure = (struct mrd_write_failure){.map = MRD_MAP_COUNT, .error = -ENAMETOOLONG};
	if (!fill_name(&name, plan->namespace_, plan->service, port->name))
		return -ENAMETOOLONG;
	name.family = port->family;
	name.protocol = port->protocol;
	r = mrd_ids_service(engine->ids, &name, &id);
	entry = r ? NULL : mrd_book_entry(&engine->book, service, id, &name);
	r = r ?: entry ? 0 : -ENOMEM;
	if (!r) {
		entry->number = port->number;
		entry->watch->is_http |= port->is_http;
		entry->planned = true;
		note_warmth(engine, entry, port);
		fill.entry = entry;
		r = mrd_rows_make(plan, port, engine->ids, &ejections, entry->rows, &rows);
	}
	if (r) {
		ret_failure->error = r;
		return r;
	}
	r = mrd_batch_write(&engine->batch, entry, rows, &operations, ret_failure);
	if (r)
		return r;
	tell_written(engine, entry, port, operations);
	*ret_entry = entry;
	return 0;
}

/* The IP families of a port, which begin at first among the plan's, and whom to watch in them. One
 * that cannot be written holds up no other. */
static int write_families(struct mrd_engine *engine, struct mrd_book_service *service,
			  const struct mrd_plan *plan, size_t first,
			  struct mrd_write_failure *ret_failure)
{
	const size_t end = mrd_plan_families_end(plan, first);
	struct mrd_entry *written = NULL;
	int result = 0;
	int r = 0;

	for (size_t i = first; i < end; i++) {
		struct mrd_write_failure failure;

		r = write_port(engine, service, plan, &plan->ports[i], &written, &failure);
		if (r && !result) {
			result = r;
			*ret_failure = failure;
		}
	}
	r = written ? mrd_engine_watch_hosts(engine, written->watch, plan, first) : 0;
	if (r && !result) {
		result = r;
		*ret_failure = (struct mrd_write_failure){.map = MRD_MAP_COUNT, .error = r};
	}
	return result;
}

static bool is_planned(const struct mrd_entry *entry)
{
	return entry && entry->planned;
}

/* Ports that the service no longer has, or all of them. */
static int remove_unplanned(struct mrd_engine *engine, struct mrd_book_service *service)
{
	size_t gone = 0;

	for (size_t i = 0; i < service->entry_count; i++) {
		struct mrd_entry *entry = service->entries[i];
		int r;

		if (entry->planned)
			continue;
		mrd_table_delete(engine->warming, &entry->id, sizeof(entry->id));
		if (!is_planned(entry->watch->ipv4) && !is_planned(entry->watch->ipv6))
			mrd_engine_stop_watch(engine, entry->watch);
		r = mrd_batch_remove(&engine->batch, entry);
		if (r)
			return r;
		gone++;
	}
	if (gone && gone == service->entry_count)
		mrd_log_info("service removed", MRD_KV("service", service->key),
			     MRD_KV("cause", "no cluster's state gives it an address of ours"),
			     MRD_KV("consequence", "its addresses are passed by"));
	return 0;
}

static int write_plan(struct mrd_engine *engine, struct mrd_book_service *service,
		      const struct mrd_plan *plan, struct mrd_write_failure *ret_failure)
{
	int result = 0;
	int r;

	for (size_t i = 0; i < service->entry_count; i++)
		service->entries[i]->planned = false;
	for (size_t i = 0; plan && i < plan->port_count; i = mrd_plan_families_end(plan, i)) {
		struct mrd_write_failure failure;

		r = write_families(engine, service, plan, i, &failure);
		if (r && !result) {
			result = r;
			*ret_failure = failure;
		}
	}
	if (result)
		return result; /* what the unwritten port replaces must stay */
	r = remove_unplanned(engine, service);
	if (r)
		*ret_failure = (struct mrd_write_failure){.map = MRD_MAP_COUNT, .error = r};
	return r;
}

static void free_view(struct mrd_view **view)
{
	mrd_view_free(*view);
}

static void relax_if_long(const struct mrd_engine *engine, size_t endpoints)
{
	if (endpoints > ENDPOINTS_SHORT)
		mrd_engine_relax(engine);
}

static size_t count_planned(const struct mrd_book_service *service)
{
	size_t count = 0;

	for (size_t i = 0; service && i < service->entry_count; i++)
		if (service->entries[i]->rows)
			count += mrd_rows_count(service->entries[i]->rows, MRD_MAP_HEALTH);
	return count;
}

static size_t count_seen(const struct mrd_view *view)
{
	size_t count = 0;

	for (size_t i = 0; view && i < view->port_count; i++)
		count += view->ports[i].endpoint_count;
	return count;
}

static void free_plan(struct mrd_plan **plan)
{
	mrd_plan_free(*plan);
}

void mrd_engine_plan_service(struct mrd_engine *engine, const char *namespace_, const char *name)
{
	struct mrd_asking asking = {.engine = engine, .asker = MRD_ASKER_PLAN};
	const struct mrd_plan_ejections ejections = mrd_engine_ejections(&asking);
	struct mrd_write_failure failure = {.map = MRD_MAP_COUNT};
	struct mrd_view *view MRD_CLEANUP(free_view) = NULL;
	struct mrd_plan *plan MRD_CLEANUP(free_plan) = NULL;
	struct mrd_book_service *service;
	uint64_t begun_ns, planned_ns;
	char key[512];
	int r;

	snprintf(key, sizeof(key), "%s/%s", namespace_, name);
	service = mrd_book_find_service(&engine->book, key);
	begun_ns = engine->now_ns();
	relax_if_long(engine, count_planned(service));
	r = mrd_model_view(engine->input.model, namespace_, name, &view);
	if (r == -ENOENT && !service)
		return; /* none of ours, and never was */
	relax_if_long(engine, count_seen(view));
	if (!service)
		service = mrd_book_service(&engine->book, key);
	if (!service) {
		mrd_log_error("service not planned", MRD_KV("service", key),
			      MRD_KV("reason", "no memory"));
		return;
	}
	if (!r)
		r = mrd_plan_make(view, engine->input.model, engine->input.policy,
				  engine->input.node, &ejections, &plan);
	planned_ns = engine->now_ns();
	mrd_histogram_add(&engine->planning, planned_ns - begun_ns);
	engine->round.services++;
	failure.error = r;
	if (!r || r == -ENOENT)
		r = write_plan(engine, service, plan, &failure);
	mrd_histogram_add(&engine->writing, engine->now_ns() - planned_ns);
	if (plan)
		tell_warnings(service, view, plan);
	if (r)
		note_failure(engine, service, &failure);
	else
		note_success(engine, service);
}
