/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/engine.h"

#include "stage.h"

static void a_service_gets_into_the_kernel(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	struct mrd_engine_status status;
	uint32_t id;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	id = stage_vip(stage, "172.16.0.20", 9080);
	assert_int_not_equal(id, 0);
	assert_int_equal(stage_share(stage, id, "hangzhou"), MRD_SHARE_TOTAL);
	assert_int_equal(stage_share(stage, id, "shanghai"), 0);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	mrd_engine_get_status(stage->engine, &status);
	assert_int_equal(status.services, 1);
	assert_int_equal(status.ports, 1);
	assert_int_equal(status.ejected, 0);
	assert_int_equal(status.last_plan_ns, stage_ns);
	assert_non_null(strstr(stage_read(stage->log_fds[0]),
			       "info msg=\"plan written\" service=default/reviews port=http "
			       "family=IPv4 mode=failover shares=\"hangzhou 100%, shanghai 0%\""));
	stage_free(stage);
}

static void a_change_touches_its_service_alone(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	const char *log;
	size_t calls;

	(void)state;
	stage_reviews(stage);
	stage_service(stage, "details", "172.16.0.21", "http:9080/TCP");
	stage_round(stage);
	stage_read(stage->log_fds[0]);
	calls = stage->maps.calls;
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6"); /* no change */
	stage_round(stage);
	assert_int_equal(stage->maps.calls, calls);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "");
	stage_round(stage);
	log = stage_read(stage->log_fds[0]);
	assert_non_null(strstr(log, "service=default/reviews"));
	assert_non_null(strstr(log, "shanghai 100%"));
	assert_null(strstr(log, "details"));
	assert_null(stage_health(stage, "10.0.0.5", NULL));
	stage_free(stage);
}

static void the_row_flips_before_the_plan(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	const struct mrd_health *health;
	struct mrd_engine_status status;
	size_t calls;
	uint32_t id;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	id = stage_vip(stage, "172.16.0.20", 9080);
	stage_read(stage->log_fds[0]);
	stage_wait_ms(5);
	calls = stage->maps.calls;
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);

	/* one write, no word yet, and the route as it was */
	assert_int_equal(stage->maps.calls, calls + 1);
	assert_string_equal(stage_read(stage->log_fds[0]), "");
	health = stage_health(stage, "10.0.0.5", NULL);
	assert_int_equal(health->state, MRD_STATE_EJECTED);
	assert_int_equal(health->ejections, 1);
	assert_int_equal(health->changed_ns, stage_ns);
	assert_int_equal(health->ejected_until_ns, stage_ns + 60000000000ULL);
	assert_int_equal(stage_share(stage, id, "hangzhou"), MRD_SHARE_TOTAL);
	mrd_engine_get_status(stage->engine, &status);
	assert_int_equal(status.ejection.count, 1);
	assert_int_equal(status.ejected, 1);

	stage_round(stage);
	assert_int_equal(stage_share(stage, id, "hangzhou"), 7000);
	assert_int_equal(stage_share(stage, id, "shanghai"), 3000);
	health = stage_health(stage, "10.0.0.5", NULL);
	assert_int_equal(health->state, MRD_STATE_EJECTED);
	assert_int_equal(health->changed_ns, stage_ns);
	assert_non_null(strstr(stage_read(stage->log_fds[0]),
			       "warn msg=\"endpoint ejected\" endpoint=10.0.0.5:9080 "
			       "service=default/reviews port=http region=hangzhou "
			       "cause=\"consecutive 5xx responses or failed connects\" for=1m0s "
			       "consequence=\"1 of 2 endpoints of hangzhou left\""));
	assert_non_null(strstr(stage_read(stage->event_fds[0]),
			       "{\"type\":\"CONSECUTIVE_5XX\",\"cluster_name\":\"outbound|9080||"
			       "reviews.default.svc.cluster.local\",\"upstream_url\":"
			       "\"10.0.0.5:9080\",\"action\":\"EJECT\",\"num_ejections\":1,"
			       "\"enforced\":true,\"eject_consecutive_event\":{},"));
	stage_free(stage);
}

/* Errors that are heard while the lines about those before are written. */
static struct stage *heard_on;

static void hear_another(void *self)
{
	struct stage *stage = heard_on;

	(void)self;
	heard_on = NULL;
	if (stage)
		stage_event(stage, "10.0.0.6", MRD_EVENT_RESPONSE, 503);
}

static void events_are_heard_between_lines(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	const char *log;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_read(stage->log_fds[0]);
	stage->drain = hear_another;
	heard_on = stage;
	stage_round(stage);
	assert_null(heard_on);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_EJECTED);
	log = stage_read(stage->log_fds[0]);
	assert_non_null(strstr(log, "\"endpoint ejected\" endpoint=10.0.0.5:9080"));
	assert_non_null(strstr(log, "\"endpoint ejected\" endpoint=10.0.0.6:9080"));
	/* the row of the second was there before the line of the first was written */
	assert_non_null(strstr(log, "0 of 2 endpoints of hangzhou left"));
	assert_null(strstr(log, "1 of 2 endpoints of hangzhou left"));
	stage_free(stage);
}

static void rounds_wait_for_the_end_of_a_burst(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	uint64_t first_ns;

	(void)state;
	stage_reviews(stage);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8; 10.0.0.9");
	stage_round(stage);
	assert_int_equal(mrd_engine_settles_at(stage->engine), 0);
	first_ns = stage_ns;
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	assert_int_equal(mrd_engine_settles_at(stage->engine), first_ns + MRD_SETTLE_NS);
	stage_ns += MRD_SETTLE_NS / 2;
	stage_event(stage, "10.0.0.6", MRD_EVENT_RESPONSE, 404); /* not an ejection */
	assert_int_equal(mrd_engine_settles_at(stage->engine), first_ns + MRD_SETTLE_NS);
	stage_event(stage, "10.0.0.6", MRD_EVENT_RESPONSE, 503);
	assert_int_equal(mrd_engine_settles_at(stage->engine), stage_ns + MRD_SETTLE_NS);
	stage_ns = first_ns + MRD_SETTLE_MOST_NS - 1;
	stage_event(stage, "10.0.0.8", MRD_EVENT_RESPONSE, 503);
	assert_int_equal(mrd_engine_settles_at(stage->engine), first_ns + MRD_SETTLE_MOST_NS);
	stage_round(stage);
	assert_int_equal(mrd_engine_settles_at(stage->engine), 0);
	stage_free(stage);
}

/* Two services are to be planned when an error comes: the round ends, and goes on later. */
static void a_burst_ends_a_round(void **state)
{
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_service(stage, "a", "172.16.0.31", "http:9080/TCP");
	stage_service(stage, "b", "172.16.0.32", "http:9080/TCP");
	stage->drain = hear_another;
	heard_on = stage;
	assert_true(mrd_engine_round(stage->engine, stage_ns + 10 * MRD_SETTLE_MOST_NS));
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_EJECTED);
	assert_int_equal(
		!stage_vip(stage, "172.16.0.31", 9080) + !stage_vip(stage, "172.16.0.32", 9080), 1);
	stage_ns = mrd_engine_settles_at(stage->engine);
	assert_false(mrd_engine_round(stage->engine, stage_ns + 10 * MRD_SETTLE_MOST_NS));
	assert_int_not_equal(stage_vip(stage, "172.16.0.31", 9080), 0);
	assert_int_not_equal(stage_vip(stage, "172.16.0.32", 9080), 0);
	stage_free(stage);
}

/* Every write fails from the nth on, so undoing fails too; when writes work again, what the kernel
 * has must become exactly the plan, whatever was left half. */
static void what_could_not_be_undone_is_read_back(void **state)
{
	size_t unwritten = 0;

	(void)state;
	for (size_t n = 1; unwritten == n - 1; n++) {
		struct stage *fresh = stage_new(stage_failover);
		struct stage *stage = stage_new(stage_failover);
		uint32_t id;

		print_message("case: from write %zu on\n", n);
		stage_reviews(stage);
		stage_round(stage);
		stage->maps.fail_at = stage->maps.calls + n;
		stage->maps.fail_on = true;
		stage_service(stage, "reviews", "172.16.0.25", "http:9080/TCP");
		stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.15; 10.0.0.16; 10.0.0.6");
		stage_read(stage->log_fds[0]);
		stage_round(stage);
		if (!strstr(stage_read(stage->log_fds[0]), "plan not written")) {
			stage_free(stage); /* only deletions were left to fail */
			stage_free(fresh);
			break;
		}
		unwritten++;
		/* the plan goes back to the one before the failure: only what is left over differs
		 */
		stage->maps.fail_at = 0;
		stage_service(stage, "reviews", "172.16.0.20", "http:9080/TCP");
		stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6");
		stage_round(stage);
		id = stage_vip(stage, "172.16.0.20", 9080);
		assert_int_not_equal(id, 0);
		assert_int_equal(stage_vip(stage, "172.16.0.25", 9080), 0);
		assert_int_equal(stage_share(stage, id, "hangzhou"), MRD_SHARE_TOTAL);
		stage_reviews(fresh);
		stage_round(fresh);
		for (enum mrd_map map = MRD_MAP_NAME; map < MRD_MAP_COUNT; map++)
			assert_int_equal(fake_count(&stage->maps, map),
					 fake_count(&fresh->maps, map));
		stage_free(fresh);
		stage_free(stage);
	}
	assert_true(unwritten >= 8);
}

/* The rule as if its document had asked for this: rates and jitter are no matter of the reader's.
 */
static void judge_failures(const struct stage *stage)
{
	struct mrd_effective effective;
	struct mrd_outlier_rule *rule;

	mrd_policy_effective(stage->policy, "default", "reviews", 9080, &effective);
	rule = (struct mrd_outlier_rule *)(uintptr_t)effective.outlier;
	rule->consecutive_5xx = 0;
	rule->max_jitter_ms = 5000;
	rule->failure_percentage = (struct mrd_failure_percentage_rule){
		.on = true,
		.enforced = true,
		.threshold = 50,
		.minimum_hosts = 1,
		.request_volume = 2,
	};
}

static void a_sweep_may_eject(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	const struct mrd_health *health;
	uint64_t seen_ns;
	uint32_t id;

	(void)state;
	judge_failures(stage);
	stage_reviews(stage);
	stage_round(stage);
	id = stage_vip(stage, "172.16.0.20", 9080);
	seen_ns = stage_ns;
	for (int i = 0; i < 2; i++)
		stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	assert_true(mrd_engine_due(stage->engine) > seen_ns);
	assert_true(mrd_engine_due(stage->engine) <= seen_ns + 60000000000ULL);

	/* in the kernel at once, in the plan with the round */
	stage_ns = mrd_engine_due(stage->engine);
	mrd_engine_tick(stage->engine);
	health = stage_health(stage, "10.0.0.5", NULL);
	assert_int_equal(health->state, MRD_STATE_EJECTED);
	assert_true(health->ejected_until_ns >= stage_ns + 60000000000ULL);
	assert_true(health->ejected_until_ns <= stage_ns + 65000000000ULL);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	assert_int_equal(stage_share(stage, id, "hangzhou"), 7000);
	assert_non_null(strstr(stage_read(stage->event_fds[0]),
			       "\"eject_failure_percentage_event\":{\"host_success_rate\":0}"));
	assert_non_null(strstr(stage_read(stage->log_fds[0]),
			       "cause=\"too many failed responses in an interval\""));
	stage_free(stage);
}

static void it_returns_at_a_sweep(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	uint32_t id;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	id = stage_vip(stage, "172.16.0.20", 9080);
	assert_int_equal(mrd_engine_due(stage->engine), UINT64_MAX);
	stage_event(stage, "10.0.0.5", MRD_EVENT_REFUSED, 0);
	stage_round(stage);
	assert_true(mrd_engine_due(stage->engine) <= stage_ns + 60000000000ULL);
	stage_wait_ms(59000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	stage_wait_ms(1000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->ejected_until_ns, 0);
	assert_int_equal(stage_share(stage, id, "hangzhou"), MRD_SHARE_TOTAL);
	assert_non_null(strstr(stage_read(stage->event_fds[0]), "\"action\":\"UNEJECT\""));
	/* its memory of the ejection fades with the next sweep */
	stage_wait_ms(2000);
	mrd_engine_tick(stage->engine);
	assert_int_equal(mrd_engine_due(stage->engine), UINT64_MAX);
	stage_free(stage);
}

struct signal_case {
	const char *name;
	const char *rule; /* of outlierDetection */
	enum mrd_event_kind kind;
	uint32_t status;
	enum mrd_state want;
};

static const struct signal_case signal_cases[] = {
	{"a 500", "consecutive5xxErrors: 1", MRD_EVENT_RESPONSE, 500, MRD_STATE_EJECTED},
	{"a 404", "consecutive5xxErrors: 1", MRD_EVENT_RESPONSE, 404, MRD_STATE_ACTIVE},
	{"refused", "consecutive5xxErrors: 1", MRD_EVENT_REFUSED, 0, MRD_STATE_EJECTED},
	{"unreachable", "consecutive5xxErrors: 1", MRD_EVENT_UNREACHABLE, 0, MRD_STATE_EJECTED},
	{"no answer", "consecutive5xxErrors: 1", MRD_EVENT_CONNECT_TIMEOUT, 0, MRD_STATE_EJECTED},
	{"a reset", "consecutive5xxErrors: 1", MRD_EVENT_RESET, 0, MRD_STATE_EJECTED},
	{"a success", "consecutive5xxErrors: 1", MRD_EVENT_CONNECTED, 0, MRD_STATE_ACTIVE},
	{"a success of a client at TC", "consecutive5xxErrors: 1", MRD_EVENT_CONNECTED, 200,
	 MRD_STATE_ACTIVE},
	{"nothing", "consecutive5xxErrors: 1", MRD_EVENT_NONE, 0, MRD_STATE_ACTIVE},
	{"one of two", "consecutive5xxErrors: 2", MRD_EVENT_RESPONSE, 500, MRD_STATE_ACTIVE},
	{"a timeout is a gateway's 504", "consecutiveGatewayErrors: 1", MRD_EVENT_CONNECT_TIMEOUT,
	 0, MRD_STATE_EJECTED},
	{"a 500 is none", "consecutiveGatewayErrors: 1", MRD_EVENT_RESPONSE, 500, MRD_STATE_ACTIVE},
};

static void events_become_signals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(signal_cases) / sizeof(*signal_cases); i++) {
		const struct signal_case *test = &signal_cases[i];
		char policy[512];
		struct stage *stage;

		print_message("case: %s\n", test->name);
		snprintf(policy, sizeof(policy),
			 "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
			 "metadata: {name: r, namespace: default}\n"
			 "spec: {host: reviews, trafficPolicy: {outlierDetection: {%s}}}\n",
			 test->rule);
		stage = stage_new(policy);
		stage_reviews(stage);
		stage_round(stage);
		stage_event(stage, "10.0.0.5", test->kind, test->status);
		assert_int_equal(stage_state(stage, "10.0.0.5"), test->want);
		stage_free(stage);
	}
}

static void without_a_rule_events_mean_nothing(void **state)
{
	struct stage *stage = stage_new("");
	size_t calls;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	calls = stage->maps.calls;
	for (int i = 0; i < 100; i++)
		stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	assert_int_equal(stage->maps.calls, calls);
	stage_free(stage);
}

static void a_rule_that_goes_takes_its_ejections_along(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	struct mrd_policy *old;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	old = stage->policy;
	stage->policy = stage_policy("");
	stage_set_input(stage);
	mrd_policy_free(old);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	assert_int_equal(mrd_engine_due(stage->engine), UINT64_MAX);
	stage_free(stage);
}

/* An address must lead somewhere after every single write. */
struct watched_vip {
	const struct stage *stage;
	const char *ip;
	size_t gaps;
};

static void look_at_vip(struct fake_maps *maps, void *self)
{
	struct watched_vip *watched = self;

	(void)maps;
	watched->gaps += !stage_vip(watched->stage, watched->ip, 9080);
}

static void an_address_moves_without_a_gap(void **state)
{
	/* both orders in which the model may call the two dirty */
	static const char *const names[][2] = {{"aaa", "zzz"}, {"zzz", "aaa"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_new("");
		struct watched_vip watched = {.stage = stage, .ip = "172.16.0.20"};
		uint32_t first;

		print_message("case: from %s to %s\n", names[i][0], names[i][1]);
		stage_service(stage, names[i][0], "172.16.0.20", "http:9080/TCP");
		stage_service(stage, names[i][1], "172.16.0.21", "http:9080/TCP");
		stage_round(stage);
		first = stage_vip(stage, "172.16.0.20", 9080);
		assert_int_not_equal(first, 0);
		stage->maps.after = look_at_vip;
		stage->maps.self = &watched;
		stage_service(stage, names[i][0], "172.16.0.22", "http:9080/TCP");
		stage_service(stage, names[i][1], "172.16.0.20,172.16.0.21", "http:9080/TCP");
		stage_round(stage);
		assert_int_equal(watched.gaps, 0);
		assert_int_not_equal(stage_vip(stage, "172.16.0.20", 9080), first);
		assert_int_equal(stage_vip(stage, "172.16.0.22", 9080), first);
		stage_free(stage);
	}
}

static void a_renamed_port_keeps_its_address(void **state)
{
	struct stage *stage = stage_new("");
	struct watched_vip watched = {.stage = stage, .ip = "172.16.0.20"};
	uint32_t first;

	(void)state;
	stage_service(stage, "web", "172.16.0.20", "http:9080/TCP");
	stage_round(stage);
	first = stage_vip(stage, "172.16.0.20", 9080);
	stage->maps.after = look_at_vip;
	stage->maps.self = &watched;
	stage_service(stage, "web", "172.16.0.20", "web:9080/TCP");
	stage_round(stage);
	assert_int_equal(watched.gaps, 0);
	assert_int_not_equal(stage_vip(stage, "172.16.0.20", 9080), first);
	assert_int_equal(fake_count(&stage->maps, MRD_MAP_NAME), 1);
	stage_free(stage);
}

static void what_is_gone_leaves_nothing(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	struct mrd_engine_status status;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	assert_int_equal(mrd_model_delete(stage->model, 0, MRD_KIND_SERVICE, "default", "reviews"),
			 0);
	stage_round(stage);
	assert_int_equal(stage->maps.count, fake_count(&stage->maps, MRD_MAP_LOCALITY));
	assert_int_equal(mrd_engine_due(stage->engine), UINT64_MAX);
	mrd_engine_get_status(stage->engine, &status);
	assert_int_equal(status.services, 0);
	assert_int_equal(status.ports, 0);
	assert_int_equal(status.ejected, 0);
	stage_free(stage);
}

/* ------------------------------------------------------------------------------- failed writes */

struct told {
	size_t count;
	char error[128];
	bool has_plan;
};

static void take_unwritten(void *self, const char *service, const char *error, uint64_t since_ns,
			   bool has_plan)
{
	struct told *told = self;

	(void)service;
	(void)since_ns;
	told->count++;
	told->has_plan = has_plan;
	snprintf(told->error, sizeof(told->error), "%s", error);
}

static void a_full_map_leaves_the_old_plan(void **state)
{
	struct stage *stage = stage_new("");
	struct told told = {0};
	const char *log;
	uint32_t id;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_read(stage->log_fds[0]);
	id = stage_vip(stage, "172.16.0.20", 9080);
	stage->maps.limit[MRD_MAP_MEMBER] = fake_count(&stage->maps, MRD_MAP_MEMBER);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8");
	stage_round(stage);
	assert_null(stage_health(stage, "10.0.0.8", NULL));
	assert_int_equal(stage_vip(stage, "172.16.0.20", 9080), id);
	log = stage_read(stage->log_fds[0]);
	assert_non_null(strstr(log, "error msg=\"plan not written\" service=default/reviews "
				    "map=mrd_member reason=\"mrd_member is full "
				    "(kernel.limits.members)\""));
	mrd_engine_unwritten(stage->engine, take_unwritten, &told);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.error, "mrd_member is full (kernel.limits.members)");
	assert_true(told.has_plan);

	/* tried again in its time, said once */
	assert_int_equal(mrd_engine_due(stage->engine), stage_ns + 1000000000);
	stage_wait_ms(1000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_string_equal(stage_read(stage->log_fds[0]), "");
	assert_int_equal(mrd_engine_due(stage->engine), stage_ns + 2000000000);

	stage->maps.limit[MRD_MAP_MEMBER] = 0;
	stage_wait_ms(2000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.8"), MRD_STATE_ACTIVE);
	assert_int_equal(mrd_engine_due(stage->engine), UINT64_MAX);
	told.count = 0;
	mrd_engine_unwritten(stage->engine, take_unwritten, &told);
	assert_int_equal(told.count, 0);
	stage_free(stage);
}

static void another_reason_is_said_again(void **state)
{
	struct stage *stage = stage_new("");

	(void)state;
	stage_reviews(stage);
	stage->maps.limit[MRD_MAP_MEMBER] = 1;
	stage_round(stage);
	assert_non_null(strstr(stage_read(stage->log_fds[0]), "mrd_member is full"));
	stage->maps.limit[MRD_MAP_MEMBER] = 0;
	stage->maps.limit[MRD_MAP_ROUTE] = 1;
	stage_service(stage, "other", "172.16.0.99", "http:80/TCP");
	stage_round(stage);
	stage_read(stage->log_fds[0]);
	stage_wait_ms(1000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_non_null(strstr(stage_read(stage->log_fds[0]),
			       "service=default/reviews map=mrd_route reason=\"mrd_route is full "
			       "(kernel.limits.services)\""));
	stage_free(stage);
}

static void room_that_comes_free_is_used_at_once(void **state)
{
	struct stage *stage = stage_new("");

	(void)state;
	stage_service(stage, "old", "172.16.0.30", "http:80/TCP");
	stage_round(stage);
	stage->maps.limit[MRD_MAP_ROUTE] = 1;
	stage_service(stage, "new", "172.16.0.31", "http:80/TCP");
	stage_round(stage);
	assert_int_equal(stage_vip(stage, "172.16.0.31", 80), 0);
	assert_int_equal(mrd_model_delete(stage->model, 0, MRD_KIND_SERVICE, "default", "old"), 0);
	stage_round(stage);
	assert_int_equal(stage_vip(stage, "172.16.0.30", 80), 0);
	assert_int_not_equal(stage_vip(stage, "172.16.0.31", 80), 0);
	stage_free(stage);
}

/* Every write may fail once; a later round brings everything to what it should be. */
static void a_failure_anywhere_heals(void **state)
{
	bool failed = true;

	(void)state;
	for (size_t at = 1; failed; at++) {
		struct stage *stage = stage_new(stage_failover);
		uint32_t id;

		print_message("case: write %zu fails\n", at);
		stage_reviews(stage);
		stage_round(stage);
		stage->maps.fail_at = stage->maps.calls + at;
		stage_service(stage, "reviews", "172.16.0.20,172.16.0.40", "http:9080/TCP");
		stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.6; 10.0.0.9");
		stage_round(stage);
		failed = stage->maps.calls >= stage->maps.fail_at;
		id = stage_vip(stage, "172.16.0.20", 9080);
		assert_int_not_equal(id, 0);
		assert_non_null(fake_get(&stage->maps, MRD_MAP_ROUTE, &id));
		stage_wait_ms(1000);
		mrd_engine_tick(stage->engine);
		stage_round(stage);
		assert_int_equal(stage_vip(stage, "172.16.0.40", 9080), id);
		assert_int_equal(stage_state(stage, "10.0.0.9"), MRD_STATE_ACTIVE);
		stage_free(stage);
	}
}

static void an_ejection_that_cannot_be_written_follows(void **state)
{
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage->maps.fail_at = stage->maps.calls + 1;
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	assert_non_null(strstr(stage_read(stage->log_fds[0]), "row could not be written"));
	stage_free(stage);
}

/* -------------------------------------------------------------------------------- long rounds */

static void many_services_are_told_in_one_line(void **state)
{
	struct stage *stage = stage_new("");
	const char *log;
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char name[16];
		char vip[32];

		snprintf(name, sizeof(name), "s%d", i);
		snprintf(vip, sizeof(vip), "172.16.1.%d", i);
		stage_service(stage, name, vip, ":80/TCP");
	}
	stage_round(stage);
	log = stage_read(stage->log_fds[0]);
	for (const char *at = log; (at = strstr(at, "plan written")); at++)
		lines++;
	assert_int_equal(lines, 16);
	assert_non_null(strstr(log, "msg=\"plans written\" services=40 ports=40"));
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_gets_into_the_kernel),
		cmocka_unit_test(a_change_touches_its_service_alone),
		cmocka_unit_test(the_row_flips_before_the_plan),
		cmocka_unit_test(events_are_heard_between_lines),
		cmocka_unit_test(rounds_wait_for_the_end_of_a_burst),
		cmocka_unit_test(a_burst_ends_a_round),
		cmocka_unit_test(what_could_not_be_undone_is_read_back),
		cmocka_unit_test(a_sweep_may_eject),
		cmocka_unit_test(it_returns_at_a_sweep),
		cmocka_unit_test(events_become_signals),
		cmocka_unit_test(without_a_rule_events_mean_nothing),
		cmocka_unit_test(a_rule_that_goes_takes_its_ejections_along),
		cmocka_unit_test(an_address_moves_without_a_gap),
		cmocka_unit_test(a_renamed_port_keeps_its_address),
		cmocka_unit_test(what_is_gone_leaves_nothing),
		cmocka_unit_test(a_full_map_leaves_the_old_plan),
		cmocka_unit_test(another_reason_is_said_again),
		cmocka_unit_test(room_that_comes_free_is_used_at_once),
		cmocka_unit_test(a_failure_anywhere_heals),
		cmocka_unit_test(an_ejection_that_cannot_be_written_follows),
		cmocka_unit_test(many_services_are_told_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
