/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The store, what a plan's rows say, and slots that stay. */
#include "plan/rows.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "maps/seal.h"
#include "stage.h"

/* -------------------------------------------------------------------------------- the store */

static uint32_t port_of(const struct mrd_rows *rows, uint32_t key)
{
	const struct mrd_health *health = mrd_rows_get(rows, MRD_MAP_HEALTH, &key);

	return health ? health->port : 0;
}

static void put_port(struct mrd_rows *rows, uint32_t key, uint32_t port)
{
	const struct mrd_health health = {.port = port};

	assert_int_equal(mrd_rows_put(rows, MRD_MAP_HEALTH, &key, &health), 0);
}

static int keys_rise(void *self, const void *key, const void *value)
{
	uint32_t *last = self;

	(void)value;
	assert_true(*(const uint32_t *)key > *last);
	*last = *(const uint32_t *)key;
	return 0;
}

static int stop_at_once(void *self, const void *key, const void *value)
{
	(void)key, (void)value;
	++*(int *)self;
	return -ECANCELED;
}

static void the_store_keeps_what_was_put_last(void **state)
{
	enum { KEYS = 3000 };
	struct mrd_rows *rows;
	const struct mrd_health *borrowed;
	uint32_t key = 1;
	uint32_t last = 0;
	int calls = 0;

	(void)state;
	assert_int_equal(mrd_rows_new(77, &rows), 0);
	assert_int_equal(mrd_rows_service_id(rows), 77);
	assert_null(mrd_rows_get(rows, MRD_MAP_HEALTH, &key));

	/* Any order (7 is prime to KEYS), each key twice, the second time with another value. */
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < KEYS; i++)
			put_port(rows, i * 7 % KEYS + 1, i * 7 % KEYS + 1 + round * KEYS);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_HEALTH), KEYS);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_STAT), 0);
	for (uint32_t i = 1; i <= KEYS; i++)
		assert_int_equal(port_of(rows, i), i + KEYS);

	/* A borrowed row outlives other puts, and sorting; replacing it changes it in place. */
	borrowed = mrd_rows_get(rows, MRD_MAP_HEALTH, &key);
	put_port(rows, KEYS * 2, 5);
	put_port(rows, KEYS + 1, 6);
	put_port(rows, KEYS + 1, 7);
	assert_int_equal(port_of(rows, KEYS + 1), 7);
	assert_int_equal(port_of(rows, KEYS * 2), 5);
	assert_int_equal(borrowed->port, 1 + KEYS);
	put_port(rows, 1, 9);
	assert_int_equal(borrowed->port, 9);

	assert_int_equal(mrd_rows_walk(rows, MRD_MAP_HEALTH, keys_rise, &last), 0);
	assert_int_equal(last, KEYS * 2);
	assert_int_equal(mrd_rows_walk(rows, MRD_MAP_HEALTH, stop_at_once, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
	mrd_rows_free(rows);
	mrd_rows_free(NULL);
}

static void trimmed_rows_are_the_same_and_can_grow(void **state)
{
	struct mrd_rows *rows;
	uint32_t last = 0;

	(void)state;
	assert_int_equal(mrd_rows_new(7, &rows), 0);
	for (uint32_t key = 11; key > 0; key--)
		put_port(rows, key, key);
	put_port(rows, 3, 300);
	assert_int_equal(mrd_rows_trim(rows), 0);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_HEALTH), 11);
	assert_int_equal(mrd_rows_walk(rows, MRD_MAP_HEALTH, keys_rise, &last), 0);
	assert_int_equal(port_of(rows, 3), 300);
	assert_int_equal(port_of(rows, 11), 11);

	put_port(rows, 3, 301);
	put_port(rows, 12, 12);
	assert_int_equal(port_of(rows, 3), 301);
	assert_int_equal(port_of(rows, 12), 12);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_HEALTH), 12);
	mrd_rows_free(rows);
}

static void maps_have_names_and_sizes(void **state)
{
	(void)state;
	for (enum mrd_map map = 0; map < MRD_MAP_COUNT; map++) {
		assert_non_null(mrd_map_name(map));
		assert_int_equal(strncmp(mrd_map_name(map), "mrd_", 4), 0);
		assert_true(mrd_map_key_size(map) <= MRD_ROW_KEY_MAX);
		assert_int_equal(mrd_map_key_size(map) % 4, 0);
		assert_true(mrd_map_value_size(map) > 0);
	}
	assert_int_equal(mrd_map_value_size(MRD_MAP_ROUTE), sizeof(struct mrd_route));
	assert_int_equal(mrd_map_key_size(MRD_MAP_SERVICE), sizeof(struct mrd_vip_key));
}

/* ------------------------------------------------------------------------ what the rows say */

struct fixture {
	struct stage stage;
	struct mrd_ids *ids;
};

static void begin(struct fixture *fixture, const char *policy)
{
	stage_init(&fixture->stage, policy);
	assert_int_equal(mrd_ids_new(&fixture->ids), 0);
}

static void end(struct fixture *fixture)
{
	stage_free(&fixture->stage);
	mrd_ids_free(fixture->ids);
}

static const struct mrd_route *route_of(const struct mrd_rows *rows)
{
	const uint32_t id = mrd_rows_service_id(rows);

	return mrd_rows_get(rows, MRD_MAP_ROUTE, &id);
}

/* The last byte of the address in a slot, which is the endpoint's letter; -1: nobody. */
static int slot_holder(const struct mrd_rows *rows, size_t hop, uint32_t slot)
{
	const struct mrd_member_key key = {
		mrd_rows_service_id(rows),
		route_of(rows)->hops[hop].hop_id,
		slot,
	};
	const struct mrd_member *member = mrd_rows_get(rows, MRD_MAP_MEMBER, &key);

	if (!member)
		return -1;
	assert_int_equal(member->seal, mrd_member_seal(key.service_id, member));
	assert_int_equal(member->port, 8080);
	return member->addr[3];
}

static const struct mrd_health *health_of(const struct fixture *fixture,
					  const struct mrd_rows *rows, size_t letter)
{
	const struct mrd_ip ip = world_ip(letter);
	const uint32_t id =
		mrd_ids_find_endpoint(fixture->ids, mrd_rows_service_id(rows), &ip, 8080);

	return mrd_rows_get(rows, MRD_MAP_HEALTH, &id);
}

static void rows_say_what_the_plan_says(void **state)
{
	struct fixture fixture;
	struct mrd_rows *rows;
	const struct mrd_route *route;
	const struct mrd_health *health;
	const struct mrd_locality *locality;
	const struct mrd_name *name;
	struct mrd_vip_key vip = {
		.addr = {172, 16, 0, 20},
		.family = MRD_FAMILY_IPV4,
		.protocol = MRD_PROTOCOL_TCP,
		.port = 80,
	};
	struct mrd_ticket_key ticket;
	const struct mrd_service *service;
	uint32_t id;

	(void)state;
	begin(&fixture, STAGE_FAILOVER);
	rows = stage_rows(&fixture.stage, "r1/z1:AEU r2:A@1 r2/z9:D@1", fixture.ids, NULL);
	id = mrd_rows_service_id(rows);
	route = route_of(rows);

	assert_int_equal(route->service_id, id);
	assert_int_equal(route->mode, MRD_MODE_FAILOVER);
	assert_int_equal(route->hop_count, 3);
	assert_int_equal(route->hops[0].until, 4600); /* floor(140 / 3) per cent */
	assert_int_equal(route->hops[0].member_count, 1);
	assert_int_equal(route->hops[0].priority, 0);
	assert_int_equal(route->hops[0].accept, MRD_ACCEPT_ACTIVE);
	assert_int_equal(route->hops[1].until, MRD_SHARE_TOTAL);
	assert_int_equal(route->hops[1].priority, 1);
	assert_int_equal(route->hops[2].until, MRD_SHARE_TOTAL);
	assert_int_equal(route->hops[2].member_count, 0);

	assert_int_equal(mrd_rows_count(rows, MRD_MAP_MEMBER), 2);
	assert_int_equal(slot_holder(rows, 0, 0), 0);
	assert_int_equal(slot_holder(rows, 1, 0), 3);

	/* Health and counters for everybody, used or not. */
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_HEALTH), 5);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_STAT), 5);
	health = health_of(&fixture, rows, 1);
	assert_int_equal(health->state, MRD_STATE_EJECTED);
	assert_int_equal(health->service_id, id);
	assert_int_equal(health->family, MRD_FAMILY_IPV4);
	assert_int_equal(health->locality_id, route->hops[0].locality_id);
	assert_int_equal(health_of(&fixture, rows, 2)->state, MRD_STATE_UNREADY);
	assert_int_equal(health_of(&fixture, rows, 4)->state, MRD_STATE_DRAINING);

	/* A counter for the service and one for each hop. */
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_TICKET), 4);
	ticket = (struct mrd_ticket_key){id, MRD_SERVICE_TICKET};
	assert_non_null(mrd_rows_get(rows, MRD_MAP_TICKET, &ticket));
	ticket.hop_id = route->hops[1].hop_id;
	assert_non_null(mrd_rows_get(rows, MRD_MAP_TICKET, &ticket));

	locality = mrd_rows_get(rows, MRD_MAP_LOCALITY, &route->hops[0].locality_id);
	assert_string_equal(locality->region, "r1");
	assert_string_equal(locality->zone, "z1");
	assert_string_equal(locality->subzone, "");
	name = mrd_rows_get(rows, MRD_MAP_NAME, &id);
	assert_string_equal(name->namespace_, "default");
	assert_string_equal(name->service, "reviews");
	assert_string_equal(name->port_name, "http");
	assert_int_equal(name->protocol, MRD_PROTOCOL_TCP);

	service = mrd_rows_get(rows, MRD_MAP_SERVICE, &vip);
	assert_int_equal(service->service_id, id);
	assert_int_equal(service->affinity, MRD_AFFINITY_NONE);
	assert_int_equal(service->seal, mrd_service_seal(&vip, service));
	mrd_rows_free(rows);
	end(&fixture);
}

static void a_service_without_endpoints_still_has_its_route(void **state)
{
	struct fixture fixture;
	struct mrd_rows *rows;

	(void)state;
	begin(&fixture, NULL);
	rows = stage_rows(&fixture.stage, "", fixture.ids, NULL);
	assert_non_null(route_of(rows)); /* so connect() is refused, not passed on */
	assert_int_equal(route_of(rows)->hop_count, 0);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_SERVICE), 1);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_MEMBER), 0);
	mrd_rows_free(rows);
	end(&fixture);
}

static void affinity_is_told_with_its_time(void **state)
{
	static const struct {
		uint32_t timeout_s;
		enum mrd_affinity_mode want;
		uint32_t want_timeout_s;
	} cases[] = {
		{0, MRD_AFFINITY_NONE, 0},
		{10800, MRD_AFFINITY_CLIENT_IP, 10800},
		{1000000, MRD_AFFINITY_CLIENT_IP, 86400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mrd_vip_key vip = {{172, 16, 0, 20}, 1, MRD_PROTOCOL_TCP, 80};
		const struct mrd_service *service;
		struct fixture fixture;
		struct mrd_plan *plan;
		struct mrd_rows *rows;

		print_message("%u s\n", cases[i].timeout_s);
		begin(&fixture, NULL);
		plan = stage_plan(&fixture.stage, "r1:A");
		plan->ports[0].affinity_timeout_s = cases[i].timeout_s;
		assert_int_equal(
			mrd_rows_make(plan, &plan->ports[0], fixture.ids, NULL, NULL, &rows), 0);
		service = mrd_rows_get(rows, MRD_MAP_SERVICE, &vip);
		assert_int_equal(service->affinity, cases[i].want);
		assert_int_equal(service->affinity_timeout_s, cases[i].want_timeout_s);
		mrd_rows_free(rows);
		mrd_plan_free(plan);
		end(&fixture);
	}
}

#define RULE_ASKS(annotations, traffic)                   \
	"apiVersion: networking.istio.io/v1\n"            \
	"kind: DestinationRule\n"                         \
	"metadata: { name: reviews, namespace: default, " \
	"annotations: { " annotations " } }\n"            \
	"spec: { host: reviews, trafficPolicy: { " traffic " } }\n"
#define KEEPALIVE(inside) RULE_ASKS("", "connectionPool: { tcp: { tcpKeepalive: { " inside " } } }")

static const struct {
	const char *name;
	const char *policy;
	struct mrd_setting want; /* all zero: no row */
} setting_cases[] = {
	{"nothing", "", {0}},
	{
		.name = "what is the default anyway",
		.policy = RULE_ASKS("meridian.dev/on-eject: keep, meridian.dev/rescue: 'on'",
				    "connectionPool: { http: { maxRequestsPerConnection: 0 } }"),
	},
	{
		.name = "Istio's default of connectTimeout is nobody's wish",
		.policy =
			"defaultTrafficPolicy: { connectionPool: { tcp: { idleTimeout: 1m } } }\n",
	},
	{
		.name = "the same, given",
		.policy = "defaultTrafficPolicy: { connectionPool: { tcp: { connectTimeout: 10s } "
			  "} }\n",
		.want = {.connect_timeout_ms = 10000},
	},
	{
		.name = "all",
		.policy = RULE_ASKS("meridian.dev/syn-timeout: 60ms, meridian.dev/rescue: 'off', "
				    "meridian.dev/on-eject: close",
				    "connectionPool: { tcp: { maxConnections: 7, connectTimeout: "
				    "30ms, tcpKeepalive: { time: 1m, interval: 5s, probes: 3 } }, "
				    "http: { maxRequestsPerConnection: 9 } }"),
		.want = {.syn_timeout_ms = 60,
			 .connect_timeout_ms = 30,
			 .max_connections = 7,
			 .max_requests = 9,
			 .keepalive_idle_s = 60,
			 .keepalive_interval_s = 5,
			 .keepalive_probes = 3,
			 .keepalive = 1,
			 .rescue = MRD_RESCUE_OFF,
			 .on_eject = MRD_EJECT_CLOSE},
	},
	{
		.name = "an empty tcpKeepalive",
		.policy = KEEPALIVE(""),
		.want = {.keepalive = 1},
	},
	{
		.name = "parts of seconds, and what the kernel does not take",
		.policy = KEEPALIVE("time: 1ms, interval: 100h, probes: 1000"),
		.want = {.keepalive_idle_s = 1,
			 .keepalive_interval_s = 32767,
			 .keepalive_probes = 127,
			 .keepalive = 1},
	},
	{
		.name = "reset",
		.policy = RULE_ASKS("meridian.dev/on-eject: reset", "loadBalancer: {}"),
		.want = {.on_eject = MRD_EJECT_RESET},
	},
};

static void settings_have_a_row_if_something_is_asked_for(void **state)
{
	static const struct mrd_setting nothing;
	const struct mrd_vip_key vip = {{172, 16, 0, 20}, 1, MRD_PROTOCOL_TCP, 80};

	(void)state;
	for (size_t i = 0; i < sizeof(setting_cases) / sizeof(setting_cases[0]); i++) {
		const struct mrd_setting *want = &setting_cases[i].want;
		const bool asks = memcmp(want, &nothing, sizeof(nothing)) != 0;
		const struct mrd_setting *setting;
		const struct mrd_service *service;
		struct fixture fixture;
		struct mrd_rows *rows;
		uint32_t id;

		print_message("%s\n", setting_cases[i].name);
		begin(&fixture, setting_cases[i].policy);
		rows = stage_rows(&fixture.stage, "r1:A", fixture.ids, NULL);
		id = mrd_rows_service_id(rows);
		setting = mrd_rows_get(rows, MRD_MAP_SETTING, &id);
		service = mrd_rows_get(rows, MRD_MAP_SERVICE, &vip);
		assert_int_equal(setting != NULL, asks);
		if (asks)
			assert_memory_equal(setting, want, sizeof(*want));
		assert_int_equal(service->has_setting, asks);
		assert_int_equal(service->seal, mrd_service_seal(&vip, service));
		mrd_rows_free(rows);
		end(&fixture);
	}
}

/* What the kernel has to tell of a member: TC reads no responses of one that none ejects. */
static void a_member_says_what_its_detector_must_hear(void **state)
{
	static const struct {
		const char *policy;
		enum mrd_report want;
	} cases[] = {
		{"", MRD_REPORT_NOTHING},
		{RULE_ASKS("", "outlierDetection: {}"), MRD_REPORT_ERRORS},
		{RULE_ASKS("", "outlierDetection: { consecutive5xxErrors: 0, "
			       "consecutiveGatewayErrors: 2 }"),
		 MRD_REPORT_ERRORS},
		{RULE_ASKS("",
			   "outlierDetection: { consecutive5xxErrors: 0, "
			   "consecutiveGatewayErrors: 0, splitExternalLocalOriginErrors: true }"),
		 MRD_REPORT_NOTHING},
		{RULE_ASKS("", "loadBalancer: { localityLbSetting: { failover: [ { from: r1, "
			       "to: r2 } ] } }"),
		 MRD_REPORT_NOTHING},
		{RULE_ASKS("meridian.dev/failure-percentage-threshold: '50'",
			   "outlierDetection: {}"),
		 MRD_REPORT_ALL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mrd_member *member;
		struct mrd_member_key key = {0};
		struct fixture fixture;
		struct mrd_rows *rows;

		print_message("%s\n", cases[i].policy);
		begin(&fixture, cases[i].policy);
		rows = stage_rows(&fixture.stage, "r1:A", fixture.ids, NULL);
		key.service_id = mrd_rows_service_id(rows);
		key.hop_id = route_of(rows)->hops[0].hop_id;
		member = mrd_rows_get(rows, MRD_MAP_MEMBER, &key);
		assert_non_null(member);
		assert_int_equal(member->report, cases[i].want);
		mrd_rows_free(rows);
		end(&fixture);
	}
}

/* A datagram has no handshake and no requests. */
static void a_udp_port_asks_for_less(void **state)
{
	struct fixture fixture;
	struct mrd_plan *plan;

	(void)state;
	begin(&fixture, setting_cases[4].policy);
	plan = stage_plan_of(&fixture.stage, "r1:A", MRD_TRANSPORT_UDP);
	assert_int_equal(plan->ports[0].protocol, MRD_PROTOCOL_UDP);
	assert_int_equal(plan->ports[0].setting.max_connections, 0);
	assert_int_equal(plan->ports[0].setting.connect_timeout_ms, 0);
	assert_int_equal(plan->ports[0].setting.max_requests, 0);
	assert_int_equal(plan->ports[0].setting.keepalive, 0);
	assert_int_equal(plan->ports[0].setting.rescue, MRD_RESCUE_OFF);
	assert_int_equal(plan->ports[0].setting.on_eject, MRD_EJECT_CLOSE);
	mrd_plan_free(plan);
	end(&fixture);
}

static uint32_t peer_of(const struct mrd_plan *plan, size_t port, struct mrd_ids *ids,
			uint32_t *ret_id)
{
	const struct mrd_setting *setting;
	struct mrd_rows *rows;
	uint32_t peer_id;

	assert_int_equal(mrd_rows_make(plan, &plan->ports[port], ids, NULL, NULL, &rows), 0);
	*ret_id = mrd_rows_service_id(rows);
	setting = mrd_rows_get(rows, MRD_MAP_SETTING, ret_id);
	assert_non_null(setting);
	peer_id = setting->peer_id;
	mrd_rows_free(rows);
	return peer_id;
}

/* Whichever family is planned first. A limit of one family has no peer. */
static void a_limit_is_that_of_both_families(void **state)
{
	struct mrd_plan_port ports[2];
	struct fixture fixture;
	struct mrd_plan *plan;
	struct mrd_plan both;
	uint32_t ids[2];
	uint32_t peers[2];

	(void)state;
	begin(&fixture, setting_cases[4].policy);
	plan = stage_plan(&fixture.stage, "r1:A");
	assert_int_equal(plan->port_count, 1);
	assert_int_equal(peer_of(plan, 0, fixture.ids, &ids[0]), 0);
	ports[0] = ports[1] = plan->ports[0];
	ports[1].family = MRD_FAMILY_IPV6;
	both = *plan;
	both.ports = ports;
	both.port_count = 2;
	for (size_t i = 0; i < 2; i++)
		peers[i] = peer_of(&both, i, fixture.ids, &ids[i]);
	assert_int_not_equal(ids[0], ids[1]);
	assert_int_equal(peers[0], ids[1]);
	assert_int_equal(peers[1], ids[0]);
	ports[1].setting.max_connections = 0;
	assert_int_equal(peer_of(&both, 1, fixture.ids, &ids[1]), 0);
	mrd_plan_free(plan);
	end(&fixture);
}

/* ---------------------------------------------------------------------------------- slots */

static const struct {
	const char *name;
	const char *before;
	const char *after;
	int want[8]; /* letters by slot of the first hop, -1 behind the last */
} slot_cases[] = {
	{"nothing changes", "r1:AAA", "r1:AAA", {0, 1, 2, -1}},
	{"the last goes", "r1:AAA", "r1:AA-", {0, 1, -1}},
	{"one in the middle goes, the last fills the hole", "r1:AAAA", "r1:A-AA", {0, 3, 2, -1}},
	{"the first goes", "r1:AAA", "r1:-AA", {2, 1, -1}},
	{"one is replaced", "r1:AAA-", "r1:A-AA", {0, 3, 2, -1}},
	{"one comes", "r1:A-A", "r1:AAA", {0, 2, 1, -1}},
	{"all are others", "r1:AA--", "r1:--AA", {2, 3, -1}},
	{"an ejected one gives its slot up", "r1:AAA", "r1:AEA", {0, 2, -1}},
	{"and comes back behind", "r1:AEA", "r1:AAA", {0, 2, 1, -1}},
	{"unready ones too", "r1:AAAA", "r1:UAUA", {3, 1, -1}},
	{"all go", "r1:AAA", "r1:UUU", {-1}},
};

static void slots_stay_where_they_can(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(slot_cases) / sizeof(slot_cases[0]); i++) {
		struct fixture fixture;
		struct mrd_rows *before;
		struct mrd_rows *after;

		print_message("%s\n", slot_cases[i].name);
		begin(&fixture, NULL);
		before = stage_rows(&fixture.stage, slot_cases[i].before, fixture.ids, NULL);
		after = stage_rows(&fixture.stage, slot_cases[i].after, fixture.ids, before);
		for (uint32_t slot = 0;; slot++) {
			assert_int_equal(slot_holder(after, 0, slot), slot_cases[i].want[slot]);
			if (slot_cases[i].want[slot] < 0) {
				assert_int_equal(route_of(after)->hops[0].member_count, slot);
				break;
			}
		}
		mrd_rows_free(before);
		mrd_rows_free(after);
		end(&fixture);
	}
}

/* While one warms up everybody has slots by weight, spread evenly; then one each, as before. */
static void slots_go_by_weight_while_somebody_warms_up(void **state)
{
	enum { WARM_SLOTS = 10, COLD_SLOTS = 3, SLOTS = 2 * WARM_SLOTS + COLD_SLOTS };
	struct fixture fixture;
	struct mrd_plan *plan;
	struct mrd_rows *rows;
	struct mrd_rows *warm;
	uint32_t of[3] = {0};
	uint32_t last_cold = 0;

	(void)state;
	begin(&fixture, NULL);
	plan = stage_plan(&fixture.stage, "r1:AAA");
	plan->ports[0].hops[0].endpoints[1].weight = 0.3;
	assert_int_equal(mrd_rows_make(plan, &plan->ports[0], fixture.ids, NULL, NULL, &rows), 0);
	assert_int_equal(route_of(rows)->hops[0].member_count, SLOTS);
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		const int holder = slot_holder(rows, 0, slot);

		assert_true(holder >= 0 && holder < 3);
		of[holder]++;
		if (holder != 1)
			continue;
		assert_true(of[1] == 1 || slot - last_cold >= SLOTS / COLD_SLOTS - 1);
		last_cold = slot;
	}
	assert_int_equal(of[0], WARM_SLOTS);
	assert_int_equal(of[1], COLD_SLOTS);
	assert_int_equal(of[2], WARM_SLOTS);
	assert_int_equal(slot_holder(rows, 0, SLOTS), -1);

	warm = stage_rows(&fixture.stage, "r1:AAA", fixture.ids, rows);
	assert_int_equal(route_of(warm)->hops[0].member_count, 3);
	assert_int_equal(route_of(warm)->hops[0].hop_id, route_of(rows)->hops[0].hop_id);
	for (uint32_t id = 0; id < 3; id++)
		assert_true(slot_holder(warm, 0, 0) == (int)id ||
			    slot_holder(warm, 0, 1) == (int)id ||
			    slot_holder(warm, 0, 2) == (int)id);
	mrd_rows_free(warm);
	mrd_rows_free(rows);
	mrd_plan_free(plan);
	end(&fixture);
}

/* --------------------------------------------------------------------------------- hop ids */

/* Who accepts other states has other members: the id must not be the same. */
static void a_hop_id_stands_for_one_kind_of_members(void **state)
{
	struct fixture fixture;
	struct mrd_rows *active;
	struct mrd_rows *draining;

	(void)state;
	begin(&fixture, NULL);
	active = stage_rows(&fixture.stage, "r1:AA", fixture.ids, NULL);
	draining = stage_rows(&fixture.stage, "r1:DD", fixture.ids, active);
	assert_int_equal(route_of(active)->hops[0].locality_id,
			 route_of(draining)->hops[0].locality_id);
	assert_int_not_equal(route_of(active)->hops[0].hop_id, route_of(draining)->hops[0].hop_id);
	assert_int_equal(route_of(draining)->hops[0].accept, MRD_ACCEPT_DRAINING);
	assert_int_equal(route_of(draining)->hops[0].member_count, 2);
	mrd_rows_free(active);
	mrd_rows_free(draining);
	end(&fixture);
}

static void a_locality_in_two_priorities_has_two_ids(void **state)
{
	struct fixture fixture;
	struct mrd_plan *plan;
	struct mrd_rows *rows;
	const struct mrd_route *route;

	(void)state;
	begin(&fixture, NULL);
	plan = stage_plan(&fixture.stage, "r1:A r2:A r3:A");
	plan->ports[0].hops[1].priority = 1;
	plan->ports[0].hops[1].region[1] = '1';
	plan->ports[0].hops[2].priority = 2;
	plan->ports[0].hops[2].region[1] = '1';
	assert_int_equal(mrd_rows_make(plan, &plan->ports[0], fixture.ids, NULL, NULL, &rows), 0);
	route = route_of(rows);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_LOCALITY), 1);
	assert_int_not_equal(route->hops[0].hop_id, route->hops[1].hop_id);
	assert_int_not_equal(route->hops[0].hop_id, route->hops[2].hop_id);
	assert_int_not_equal(route->hops[1].hop_id, route->hops[2].hop_id);
	mrd_rows_free(rows);
	mrd_plan_free(plan);
	end(&fixture);
}

/* ------------------------------------------------------------------------------- ejections */

static void fill_two(void *self, uint32_t endpoint_id, const struct mrd_plan_endpoint *endpoint,
		     struct mrd_health *health)
{
	assert_non_null(endpoint);
	++*(int *)self;
	assert_int_not_equal(endpoint_id, 0);
	health->ejections = 2;
	if (health->state == MRD_STATE_EJECTED)
		health->ejected_until_ns = 1234;
}

static void what_the_detector_knows_is_filled_in_and_kept(void **state)
{
	int calls = 0;
	const struct mrd_rows_ejections ejections = {fill_two, &calls};
	struct fixture fixture;
	struct mrd_plan *plan;
	struct mrd_rows *rows;
	struct mrd_rows *later;

	(void)state;
	begin(&fixture, NULL);
	plan = stage_plan(&fixture.stage, "r1:AE");
	assert_int_equal(mrd_rows_make(plan, &plan->ports[0], fixture.ids, &ejections, NULL, &rows),
			 0);
	assert_int_equal(calls, 2);
	assert_int_equal(health_of(&fixture, rows, 0)->ejections, 2);
	assert_int_equal(health_of(&fixture, rows, 0)->ejected_until_ns, 0);
	assert_int_equal(health_of(&fixture, rows, 1)->ejected_until_ns, 1234);

	/* Nobody to ask: what the old row knew stays, while it holds. */
	later = stage_rows(&fixture.stage, "r1:EA", fixture.ids, rows);
	assert_int_equal(health_of(&fixture, later, 0)->ejections, 2);
	assert_int_equal(health_of(&fixture, later, 1)->ejections, 2);
	assert_int_equal(health_of(&fixture, later, 1)->ejected_until_ns, 0);
	mrd_rows_free(later);
	later = stage_rows(&fixture.stage, "r1:AE", fixture.ids, rows);
	assert_int_equal(health_of(&fixture, later, 1)->ejected_until_ns, 1234);
	mrd_rows_free(later);
	mrd_rows_free(rows);
	mrd_plan_free(plan);
	end(&fixture);
}

/* --------------------------------------------------------------------------------- failures */

static void names_that_do_not_fit_are_refused(void **state)
{
	struct fixture fixture;
	struct mrd_rows *rows = NULL;
	char world[128];

	(void)state;
	begin(&fixture, NULL);
	for (int what = 0; what < 2; what++) {
		struct mrd_plan *plan = stage_plan(&fixture.stage, "r1:A");
		char **name = what ? &plan->service : &plan->ports[0].hops[0].zone;

		free(*name);
		memset(world, 'x', MRD_NAME_LEN);
		world[MRD_NAME_LEN] = '\0';
		*name = strdup(world);
		assert_int_equal(
			mrd_rows_make(plan, &plan->ports[0], fixture.ids, NULL, NULL, &rows),
			-ENAMETOOLONG);
		assert_null(rows);
		mrd_plan_free(plan);
	}
	end(&fixture);
}

/* Counters are the hooks': what was read of them is not kept, and a row that is made begins at 0.
 */
static void counters_are_not_kept(void **state)
{
	const struct mrd_stat counted = {.connects = 5, .handshake_sum_us = 6};
	const struct mrd_stat none = {0};
	const struct mrd_ticket_key ticket = {.service_id = 77, .hop_id = 1};
	const uint64_t number = 7;
	const uint32_t id = 1;
	struct mrd_rows *rows;

	(void)state;
	assert_int_equal(mrd_rows_new(77, &rows), 0);
	for (int put = 0; put < 2; put++) {
		assert_int_equal(mrd_rows_put(rows, MRD_MAP_STAT, &id, &counted), 0);
		assert_int_equal(mrd_rows_put(rows, MRD_MAP_TICKET, &ticket, &number), 0);
		assert_memory_equal(mrd_rows_get(rows, MRD_MAP_STAT, &id), &none, sizeof(none));
		assert_int_equal(*(const uint64_t *)mrd_rows_get(rows, MRD_MAP_TICKET, &ticket), 0);
	}
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_STAT), 1);
	assert_int_equal(mrd_rows_count(rows, MRD_MAP_TICKET), 1);
	mrd_rows_free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_store_keeps_what_was_put_last),
		cmocka_unit_test(trimmed_rows_are_the_same_and_can_grow),
		cmocka_unit_test(counters_are_not_kept),
		cmocka_unit_test(maps_have_names_and_sizes),
		cmocka_unit_test(rows_say_what_the_plan_says),
		cmocka_unit_test(a_service_without_endpoints_still_has_its_route),
		cmocka_unit_test(affinity_is_told_with_its_time),
		cmocka_unit_test(settings_have_a_row_if_something_is_asked_for),
		cmocka_unit_test(a_member_says_what_its_detector_must_hear),
		cmocka_unit_test(a_udp_port_asks_for_less),
		cmocka_unit_test(a_limit_is_that_of_both_families),
		cmocka_unit_test(slots_stay_where_they_can),
		cmocka_unit_test(slots_go_by_weight_while_somebody_warms_up),
		cmocka_unit_test(a_hop_id_stands_for_one_kind_of_members),
		cmocka_unit_test(a_locality_in_two_priorities_has_two_ids),
		cmocka_unit_test(what_the_detector_knows_is_filled_in_and_kept),
		cmocka_unit_test(names_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
