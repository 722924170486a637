/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From what the hooks saw to who is out. The order of work is the point of this file: the detector
 * decides, the health row is written, and only then, when the events that wait have had their
 * turn, come words and plans (mrd_engine_tell, mrd_engine_round).
 */
#include "agent/engine_state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "plan/hosts.h"

enum {
	NOTES_PER_EVENT = 4, /* a detector has fewer kinds of verdict */
	SWEEPS_SHORT = 128,  /* detectors */
};

/* ------------------------------------------------------------------------------------ hosts */

static uint32_t region_number(struct mrd_engine *engine, const char *region)
{
	uintptr_t number = (uintptr_t)mrd_table_get_str(engine->regions, region);

	if (!number) {
		number = mrd_table_count(engine->regions) + 1;
		if (mrd_table_put_str(engine->regions, region, (void *)number))
			return 0; /* one more region without a name: the cap errs on the safe side
				   */
	}
	return (uint32_t)number;
}

/* Whose names stand for the port: each of them names the service. */
static const struct mrd_entry *entry_of(const struct mrd_watch *watch)
{
	return watch->ipv4 ? watch->ipv4 : watch->ipv6;
}

void mrd_engine_stop_watch(struct mrd_engine *engine, struct mrd_watch *watch)
{
	mrd_table_delete(engine->sweeping, &watch, sizeof(watch));
	mrd_outlier_free(watch->detector);
	watch->detector = NULL;
}

/* Keeps the list of detectors that wait for a sweep. */
static void plan_sweep(struct mrd_engine *engine, struct mrd_watch *watch)
{
	if (mrd_outlier_next_sweep(watch->detector) == UINT64_MAX)
		mrd_table_delete(engine->sweeping, &watch, sizeof(watch));
	else if (!mrd_table_get(engine->sweeping, &watch, sizeof(watch)) &&
		 mrd_table_put(engine->sweeping, &watch, sizeof(watch), watch))
		mrd_log_error("no memory to un-eject in time",
			      MRD_KV("service", entry_of(watch)->service->key));
}

static uint64_t random_number(void *self)
{
	uint64_t number = 0;

	(void)self;
	/* Without entropy there is no jitter, which is better than to wait. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		return 0;
	return number;
}

static int set_rule(struct mrd_engine *engine, struct mrd_watch *watch,
		    const struct mrd_outlier_rule *rule)
{
	const uint64_t now_ms = mrd_engine_ms(engine->now_ns());
	int r = 0;

	if (watch->detector)
		mrd_outlier_set_rule(watch->detector, rule, now_ms);
	else
		r = mrd_outlier_new(rule, watch->is_http, now_ms, &watch->detector);
	if (r)
		return r;
	mrd_outlier_set_http(watch->detector, watch->is_http);
	mrd_outlier_set_random(watch->detector, rule->max_jitter_ms ? random_number : NULL, NULL);
	return 0;
}

/* Whose endpoints are numbered. */
struct numbering {
	struct mrd_engine *engine;
	const struct mrd_watch *watch;
};

/* 0: has none. */
static uint32_t find_id(const struct mrd_engine *engine, const struct mrd_watch *watch,
			const struct mrd_ip *ip, uint16_t port)
{
	const struct mrd_entry *entry = ip->version == MRD_IPV6 ? watch->ipv6 : watch->ipv4;

	return entry ? mrd_ids_find_endpoint(engine->ids, entry->id, ip, port) : 0;
}

static uint32_t endpoint_id(void *self, const struct mrd_ip *ip, uint16_t port)
{
	const struct numbering *numbering = self;

	return find_id(numbering->engine, numbering->watch, ip, port);
}

static uint32_t region_id(void *self, const char *region)
{
	return region_number(((const struct numbering *)self)->engine, region);
}

int mrd_engine_watch_hosts(struct mrd_engine *engine, struct mrd_watch *watch,
			   const struct mrd_plan *plan, size_t first)
{
	struct mrd_outlier_host *hosts MRD_AUTO_FREE = NULL;
	const struct mrd_outlier_rule *rule = mrd_plan_hosts_rule(plan, first);
	struct numbering numbering = {engine, watch};
	const struct mrd_host_numbers numbers = {endpoint_id, region_id, &numbering};
	size_t count;
	int r;

	if (!rule) {
		mrd_engine_stop_watch(engine, watch);
		return 0;
	}
	r = mrd_plan_hosts(plan, first, &numbers, &hosts, &count);
	r = r ?: set_rule(engine, watch, rule);
	r = r ?: mrd_outlier_set_hosts(watch->detector, hosts, count);
	if (!r)
		plan_sweep(engine, watch);
	return r;
}

/* ---------------------------------------------------------------------------- after a restart */

struct restoring {
	struct mrd_engine *engine;
	struct mrd_entry *entry;
	const struct mrd_rows *rows;
	struct mrd_outlier_host *hosts;
	size_t count;
	bool is_http;
};

const char *mrd_engine_region_of(const struct mrd_rows *rows, const struct mrd_health *health)
{
	const struct mrd_locality *locality =
		mrd_rows_get(rows, MRD_MAP_LOCALITY, &health->locality_id);

	return locality ? locality->region : "";
}

static int take_number(void *self, const void *key, const void *value)
{
	(void)value;
	((struct mrd_entry *)self)->number = (uint16_t)((const struct mrd_vip_key *)key)->port;
	return 0;
}

static int take_host(void *self, const void *key, const void *value)
{
	struct restoring *restoring = self;
	const struct mrd_health *health = value;

	restoring->hosts[restoring->count++] = (struct mrd_outlier_host){
		.id = *(const uint32_t *)key,
		.region = region_number(restoring->engine,
					mrd_engine_region_of(restoring->rows, health)),
		.in_route = true,
		.usable = health->state == MRD_STATE_ACTIVE || health->state == MRD_STATE_EJECTED,
	};
	restoring->is_http |= health->is_http != 0;
	return 0;
}

static int take_ejection(void *self, const void *key, const void *value)
{
	const struct restoring *restoring = self;
	const struct mrd_health *health = value;
	const struct mrd_outlier_state state = {
		.ejected = health->state == MRD_STATE_EJECTED,
		.ejected_at_ms = mrd_engine_ms(health->changed_ns),
		.ejected_until_ms = mrd_engine_ms(health->ejected_until_ns),
		.ejections = health->ejections,
		.multiplier = health->ejection_multiplier,
	};

	if (!state.ejected && !state.ejections)
		return 0;
	return mrd_outlier_restore(restoring->entry->watch->detector, *(const uint32_t *)key,
				   &state);
}

int mrd_engine_restore(struct mrd_engine *engine, struct mrd_entry *entry,
		       const struct mrd_rows *rows)
{
	struct mrd_outlier_host *hosts MRD_AUTO_FREE =
		calloc(mrd_rows_count(rows, MRD_MAP_HEALTH) + 1, sizeof(*hosts));
	struct restoring restoring = {
		.engine = engine,
		.entry = entry,
		.rows = rows,
		.hosts = hosts,
	};
	struct mrd_outlier_rule rule = mrd_outlier_defaults;
	struct mrd_watch *watch = entry->watch;
	struct mrd_effective effective;
	int r;

	if (!hosts)
		return -ENOMEM;
	mrd_rows_walk(rows, MRD_MAP_SERVICE, take_number, entry);
	mrd_policy_effective(engine->input.policy, entry->name.namespace_, entry->name.service,
			     entry->number, &effective);
	if (effective.detector) {
		rule = *effective.detector;
	} else if (engine->input.is_frozen) {
		rule.consecutive_5xx = 0; /* ejects nobody, but lets return who is ejected */
		rule.gateway_off = true;
		rule.interval_ms = MRD_MS_PER_S;
	} else {
		return 0;
	}
	mrd_rows_walk(rows, MRD_MAP_HEALTH, take_host, &restoring);
	watch->is_http |= restoring.is_http;
	r = set_rule(engine, watch, &rule);
	/* Rows do not say which addresses are one pod's: each is a host until the first plan. */
	r = r ?: mrd_outlier_add_hosts(watch->detector, hosts, restoring.count);
	r = r ?: mrd_rows_walk(rows, MRD_MAP_HEALTH, take_ejection, &restoring);
	if (!r)
		plan_sweep(engine, watch);
	return r;
}

/* --------------------------------------------------------------------------------- health rows */

bool mrd_engine_get_state(const struct mrd_engine *engine, const struct mrd_watch *watch,
			  const struct mrd_engine_address *address,
			  struct mrd_outlier_state *ret_state)
{
	const uint32_t ids[] = {
		find_id(engine, watch, address->ip, address->port),
		address->twin_ip ? find_id(engine, watch, address->twin_ip, address->twin_port) : 0,
	};
	struct mrd_outlier_state state;
	bool found = false;

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		if (!ids[i] || mrd_outlier_get(watch->detector, ids[i], &state))
			continue;
		if (!found || (state.ejected && !ret_state->ejected))
			*ret_state = state;
		found = true;
	}
	return found;
}

void mrd_engine_fill_health(void *self, uint32_t endpoint_id,
			    const struct mrd_plan_endpoint *endpoint, struct mrd_health *health)
{
	const struct mrd_fill *fill = self;
	const struct mrd_entry *entry = fill->entry;
	const struct mrd_health *old =
		entry->rows ? mrd_rows_get(entry->rows, MRD_MAP_HEALTH, &endpoint_id) : NULL;
	const bool has_twin = endpoint->twin_ip.version != MRD_IP_NONE;
	const struct mrd_engine_address address = {
		.ip = &endpoint->ip,
		.port = endpoint->port,
		.twin_ip = has_twin ? &endpoint->twin_ip : NULL,
		.twin_port = endpoint->twin_port,
	};
	struct mrd_outlier_state state;

	if (entry->watch->detector &&
	    mrd_engine_get_state(fill->engine, entry->watch, &address, &state)) {
		health->ejections = state.ejections;
		health->ejection_multiplier = state.multiplier;
		if (health->state == MRD_STATE_EJECTED)
			health->ejected_until_ns = state.ejected_until_ms * MRD_NS_PER_MS;
	}
	health->changed_ns = old && old->state == health->state ? old->changed_ns : fill->now_ns;
}

/* Whose rows have the endpoint; NULL: nobody's yet. */
static struct mrd_entry *entry_with(const struct mrd_watch *watch, uint32_t id)
{
	struct mrd_entry *const entries[] = {watch->ipv4, watch->ipv6};

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		if (entries[i] && entries[i]->rows &&
		    mrd_rows_get(entries[i]->rows, MRD_MAP_HEALTH, &id))
			return entries[i];
	return NULL;
}

/* What becomes of a health row. Returns whether it is another one. */
typedef bool (*turn_fn)(struct mrd_health *health, const struct mrd_outlier_state *state,
			uint64_t now_ns);

static bool turn_out(struct mrd_health *health, const struct mrd_outlier_state *state,
		     uint64_t now_ns)
{
	/* One that the row has as ejected is back for the detector, but no plan has said so yet. */
	if (health->state == MRD_STATE_ACTIVE || health->state == MRD_STATE_EJECTED) {
		health->state = MRD_STATE_EJECTED;
		health->changed_ns = now_ns;
		health->ejected_until_ns = state->ejected_until_ms * MRD_NS_PER_MS;
	}
	health->ejections = state->ejections;
	health->ejection_multiplier = state->multiplier;
	return true;
}

static bool turn_back(struct mrd_health *health, const struct mrd_outlier_state *state,
		      uint64_t now_ns)
{
	(void)state;
	if (health->state != MRD_STATE_EJECTED)
		return false;
	health->state = MRD_STATE_ACTIVE;
	health->changed_ns = now_ns;
	health->ejected_until_ns = 0;
	return true;
}

/* One address, in the kernel. */
static int flip_row(struct mrd_engine *engine, const struct mrd_watch *watch, uint32_t id,
		    turn_fn turn, const struct mrd_outlier_state *state)
{
	const struct mrd_entry *entry = id ? entry_with(watch, id) : NULL;
	struct mrd_health health;
	int r;

	if (!entry)
		return 0;
	health = *(const struct mrd_health *)mrd_rows_get(entry->rows, MRD_MAP_HEALTH, &id);
	if (!turn(&health, state, engine->now_ns()))
		return 0;
	r = engine->writer.put(engine->writer.self, MRD_MAP_HEALTH, &id, &health, 0);
	if (!r) /* without memory the plan that follows writes the row once more */
		mrd_rows_put(entry->rows, MRD_MAP_HEALTH, &id, &health);
	return r;
}

/* Every address of the host. */
static void flip(struct mrd_engine *engine, const struct mrd_watch *watch, struct mrd_note *note,
		 turn_fn turn, const struct mrd_outlier_state *state)
{
	const int r = flip_row(engine, watch, note->verdict.twin, turn, state);

	note->error = flip_row(engine, watch, note->verdict.host, turn, state) ?: r;
}

static void flip_out(struct mrd_engine *engine, const struct mrd_watch *watch,
		     struct mrd_note *note, uint64_t seen_ns)
{
	struct mrd_outlier_state state;
	uint64_t now_ms;

	if (mrd_outlier_get(watch->detector, note->verdict.host, &state))
		return;
	flip(engine, watch, note, turn_out, &state);
	if (!note->error) {
		const uint64_t took_ns = engine->now_ns() - seen_ns;

		mrd_latency_add(&engine->latency, took_ns);
		mrd_histogram_add(&engine->ejection_delay, took_ns);
	}
	now_ms = mrd_engine_ms(engine->now_ns());
	if (state.ejected_until_ms > now_ms)
		note->for_ms = state.ejected_until_ms - now_ms;
}

/* ------------------------------------------------------------------------------------- verdicts */

static int reserve_notes(struct mrd_engine *engine, size_t more)
{
	const size_t room = engine->note_room * 2 + more;
	struct mrd_note *notes;

	if (engine->note_count + more <= engine->note_room)
		return 0;
	notes = reallocarray(engine->notes, room, sizeof(*notes));
	if (!notes)
		return -ENOMEM;
	engine->notes = notes;
	engine->note_room = room;
	return 0;
}

struct hearing {
	struct mrd_engine *engine;
	struct mrd_watch *watch;
	size_t first; /* note of this hearing */
	bool changed; /* the kernel should do something else now */
};

static void count_verdict(struct mrd_engine *engine, const struct mrd_outlier_verdict *verdict)
{
	struct mrd_ejection_counts *counts = &engine->ejections[verdict->type];

	if (!verdict->ejected)
		return;
	counts->detected++;
	counts->enforced += mrd_verdict_is_effective(verdict);
	counts->overflow += verdict->capped;
}

static void on_verdict(void *self, const struct mrd_outlier_verdict *verdict)
{
	struct hearing *hearing = self;
	struct mrd_engine *engine = hearing->engine;
	const struct mrd_entry *entry = entry_with(hearing->watch, verdict->host);

	count_verdict(engine, verdict);
	hearing->changed |= mrd_verdict_is_effective(verdict);
	if (reserve_notes(engine, 1))
		return; /* the next plan does what must be done, without words */
	engine->notes[engine->note_count++] = (struct mrd_note){
		.service_id = entry ? entry->id : 0,
		.verdict = *verdict,
	};
}

/* Plans wait until no more ejections come. */
static void note_burst(struct mrd_engine *engine)
{
	engine->last_burst_ns = engine->now_ns();
	if (!engine->burst_since_ns)
		engine->burst_since_ns = engine->last_burst_ns;
}

/* Ejections go to the kernel now; returns with the next plan, but of a held service now as well. */
static void act_on(const struct hearing *hearing, uint64_t seen_ns)
{
	struct mrd_engine *engine = hearing->engine;
	const struct mrd_entry *entry = entry_of(hearing->watch);

	for (size_t i = hearing->first; i < engine->note_count; i++) {
		struct mrd_note *note = &engine->notes[i];

		if (!note->verdict.ejected) {
			if (entry->service->held)
				flip(engine, hearing->watch, note, turn_back, NULL);
		} else if (mrd_verdict_is_effective(&note->verdict)) {
			flip_out(engine, hearing->watch, note, seen_ns);
			note_burst(engine);
		}
	}
	if (hearing->changed)
		mrd_model_touch(engine->input.model, entry->name.namespace_, entry->name.service);
}

static enum mrd_outlier_signal signal_of(const struct mrd_event *event)
{
	switch (event->kind) {
	case MRD_EVENT_CONNECTED:
		return event->status ? MRD_SIGNAL_ANSWERED : MRD_SIGNAL_CONNECTED;
	case MRD_EVENT_CONNECT_TIMEOUT:
		return MRD_SIGNAL_TIMEOUT;
	case MRD_EVENT_RESET:
		return MRD_SIGNAL_RESET;
	case MRD_EVENT_RESPONSE:
		return MRD_SIGNAL_RESPONSE;
	default:
		return MRD_SIGNAL_CONNECT_FAILED; /* refused, unreachable */
	}
}

void mrd_engine_event(struct mrd_engine *engine, const struct mrd_event *event)
{
	const struct mrd_entry *entry = mrd_book_find_entry(&engine->book, event->service_id);
	struct mrd_watch *watch = entry ? entry->watch : NULL;
	struct hearing hearing = {.engine = engine, .watch = watch, .first = engine->note_count};

	if (!entry || !watch->detector || !entry->rows || event->kind == MRD_EVENT_NONE ||
	    reserve_notes(engine, NOTES_PER_EVENT))
		return;
	if (event->kind == MRD_EVENT_RESPONSE && !watch->is_http) {
		watch->is_http = true;
		mrd_outlier_set_http(watch->detector, true);
	}
	mrd_outlier_signal(watch->detector, event->endpoint_id, signal_of(event),
			   event->kind == MRD_EVENT_RESPONSE ? event->status : 0,
			   mrd_engine_ms(engine->now_ns()), on_verdict, &hearing);
	act_on(&hearing, event->time_ns);
	plan_sweep(engine, watch);
}

uint64_t mrd_engine_settles_at(const struct mrd_engine *engine)
{
	const uint64_t most_ns = engine->burst_since_ns + MRD_SETTLE_MOST_NS;
	const uint64_t quiet_ns = engine->last_burst_ns + MRD_SETTLE_NS;

	if (!engine->burst_since_ns)
		return 0;
	return quiet_ns < most_ns ? quiet_ns : most_ns;
}

uint64_t mrd_engine_due(const struct mrd_engine *engine)
{
	uint64_t due_ns = engine->retry_at_ns ?: UINT64_MAX;
	const struct mrd_entry *entry;
	const struct mrd_watch *watch;
	size_t cursor = 0;

	while ((entry = mrd_table_next(engine->warming, &cursor, NULL, NULL)))
		if (entry->again_ns < due_ns)
			due_ns = entry->again_ns;
	cursor = 0;

	while ((watch = mrd_table_next(engine->sweeping, &cursor, NULL, NULL))) {
		const uint64_t sweep_ms = mrd_outlier_next_sweep(watch->detector);

		if (sweep_ms < due_ns / MRD_NS_PER_MS)
			due_ns = sweep_ms * MRD_NS_PER_MS;
	}
	return due_ns;
}

static void sweep(struct mrd_engine *engine, uint64_t now_ns)
{
	struct mrd_watch *watch;
	size_t cursor = 0;

	while ((watch = mrd_table_next(engine->sweeping, &cursor, NULL, NULL))) {
		const uint64_t due_ms = mrd_outlier_next_sweep(watch->detector);
		struct hearing hearing = {
			.engine = engine,
			.watch = watch,
			.first = engine->note_count,
		};

		if (due_ms > mrd_engine_ms(now_ns))
			continue;
		mrd_outlier_sweep(watch->detector, mrd_engine_ms(now_ns), on_verdict, &hearing);
		act_on(&hearing, due_ms * MRD_NS_PER_MS);
		plan_sweep(engine, watch);
	}
}

void mrd_engine_tick(struct mrd_engine *engine)
{
	struct mrd_entry *entry;
	size_t cursor = 0;
	uint64_t now_ns;

	mrd_engine_breathe(engine);
	if (mrd_table_count(engine->sweeping) > SWEEPS_SHORT)
		mrd_engine_relax(engine);
	now_ns = engine->now_ns();
	sweep(engine, now_ns);
	while ((entry = mrd_table_next(engine->warming, &cursor, NULL, NULL))) {
		if (entry->again_ns > now_ns)
			continue;
		mrd_table_delete(engine->warming, &entry->id, sizeof(entry->id));
		mrd_model_touch(engine->input.model, entry->name.namespace_, entry->name.service);
	}
	if (engine->retry_at_ns && engine->retry_at_ns <= now_ns)
		mrd_engine_revisit_failed(engine);
}
