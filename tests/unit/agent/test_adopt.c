/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/adopt.h"

#include "stage.h"

static int walk_fails(const void *self, enum mrd_map map,
		      int (*fn)(void *fn_self, const void *key, const void *value), void *fn_self)
{
	(void)self;
	(void)fn;
	(void)fn_self;
	return map == MRD_MAP_MEMBER ? -EIO : 0;
}

/* Its connections ask for something. */
static const char asking[] = "apiVersion: networking.istio.io/v1\n"
			     "kind: DestinationRule\n"
			     "metadata: { name: reviews, namespace: default }\n"
			     "spec: { host: reviews, trafficPolicy: { outlierDetection: {}, "
			     "connectionPool: { tcp: { maxConnections: 5 } } } }\n";

static void nothing_is_rewritten(void **state)
{
	struct stage *stage = stage_new(asking);
	struct mrd_adopted adopted;
	size_t calls;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	calls = stage->maps.calls;
	adopted = stage_restart(stage);
	assert_int_equal(adopted.ports, 1);
	assert_int_equal(adopted.endpoints, 3);
	assert_int_equal(adopted.ejected, 0);
	assert_int_equal(adopted.orphans, 0);
	stage_reviews(stage);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage->maps.calls, calls);
	assert_int_equal(fake_count(&stage->maps, MRD_MAP_SETTING), 1);
	stage_free(stage);
}

/* A new agent without a policy: the rows stay, an ejection still ends, and once there is a policy
 * those that last are known. */
static void without_a_policy_the_rows_stay(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	struct mrd_policy *whole = stage->policy;
	size_t calls;
	uint32_t id;

	(void)state;
	stage_reviews(stage);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8");
	stage_round(stage);
	id = stage_vip(stage, "172.16.0.20", 9080);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_wait_ms(30000);
	stage_event(stage, "10.0.0.6", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);

	stage->policy = stage_policy("");
	stage->is_frozen = true;
	stage_restart(stage);
	calls = stage->maps.calls;
	stage_reviews(stage);
	stage_service(stage, "details", "172.16.0.21", "http:9080/TCP");
	stage_round(stage);
	stage_event(stage, "10.1.0.7", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	assert_int_equal(stage->maps.calls, calls);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);
	stage_wait_ms(30000);
	assert_true(mrd_engine_due(stage->engine) <= stage_ns + 1000000000);
	stage_wait_ms(1000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_EJECTED);
	assert_int_equal(stage_vip(stage, "172.16.0.20", 9080), id);
	assert_int_equal(stage_vip(stage, "172.16.0.21", 9080), 0);

	stage->is_frozen = false;
	mrd_policy_free(stage->policy);
	stage->policy = whole;
	stage_set_input(stage);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_EJECTED);
	assert_int_not_equal(stage_vip(stage, "172.16.0.21", 9080), 0);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	stage_free(stage);
}

static void a_cluster_not_read_yet_empties_nothing(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	size_t calls;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_restart(stage);
	calls = stage->maps.calls;
	/* Shanghai has not been heard; the service would lose an endpoint */
	stage_service(stage, "reviews", "172.16.0.20", "http:9080/TCP");
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6");
	stage_round(stage);
	assert_int_equal(stage->maps.calls, calls);
	assert_true(mrd_engine_is_holding(stage->engine));
	/* a new service need not wait */
	stage_service(stage, "details", "172.16.0.21", "http:9080/TCP");
	stage_round(stage);
	assert_int_not_equal(stage_vip(stage, "172.16.0.21", 9080), 0);
	assert_non_null(stage_health(stage, "10.1.0.7", NULL));

	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_null(stage_health(stage, "10.1.0.7", NULL));
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	stage_free(stage);
}

static void what_went_meanwhile_goes_at_release(void **state)
{
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_service(stage, "gone", "172.16.0.50", "http:80/TCP");
	stage_round(stage);
	stage_restart(stage);
	stage_reviews(stage);
	stage_round(stage);
	assert_int_not_equal(stage_vip(stage, "172.16.0.50", 80), 0);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_vip(stage, "172.16.0.50", 80), 0);
	assert_int_not_equal(stage_vip(stage, "172.16.0.20", 9080), 0);
	assert_int_equal(fake_count(&stage->maps, MRD_MAP_NAME), 1);
	stage_free(stage);
}

static void an_ejection_keeps_its_remaining_time(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	struct mrd_adopted adopted;
	uint64_t until_ns;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	until_ns = stage_health(stage, "10.0.0.5", NULL)->ejected_until_ns;
	stage_wait_ms(20000);
	adopted = stage_restart(stage);
	assert_int_equal(adopted.ejected, 1);
	stage_reviews(stage);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->ejected_until_ns, until_ns);
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->ejections, 1);
	stage_wait_ms(39000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	stage_wait_ms(1000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	/* the second one is twice as long, and the second for life */
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->ejections, 2);
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->ejected_until_ns,
			 stage_ns + 120000000000ULL);
	stage_free(stage);
}

/* Its time is over and it is out again before anybody has planned its return: whoever reads the
 * row next, another agent among them, reads the later time. */
static void an_ejection_before_the_return_is_planned_counts(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	uint64_t until_ns;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	stage_wait_ms(60000);
	mrd_engine_tick(stage->engine);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	until_ns = stage_ns + 120000000000ULL;
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->ejected_until_ns, until_ns);
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->changed_ns, stage_ns);
	stage_restart(stage);
	stage_wait_ms(119000);
	mrd_engine_tick(stage->engine);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	stage_reviews(stage);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_health(stage, "10.0.0.5", NULL)->ejected_until_ns, until_ns);
	stage_free(stage);
}

/* A running agent adopts: an event between adoption and the first plan is not lost. */
static void an_adopted_endpoint_can_be_ejected_while_held(void **state)
{
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_restart(stage);
	stage_event(stage, "10.0.0.6", MRD_EVENT_REFUSED, 0);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_EJECTED);
	stage_round(stage);
	stage_reviews(stage);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_EJECTED);
	assert_int_equal(stage_share(stage, stage_vip(stage, "172.16.0.20", 9080), "hangzhou"),
			 7000);
	stage_free(stage);
}

/* A handshake is no success of a port that speaks HTTP: of one that nobody declared, counted
 * responses tell. */
static void responses_of_before_tell_of_http(void **state)
{
	static const char policy[] =
		"apiVersion: networking.istio.io/v1\n"
		"kind: DestinationRule\n"
		"metadata: {name: reviews, namespace: default}\n"
		"spec:\n"
		"  host: reviews\n"
		"  trafficPolicy:\n"
		"    outlierDetection: {consecutive5xxErrors: 2, baseEjectionTime: 1m}\n";
	static const struct {
		uint64_t responses[MRD_CLASSES];
		enum mrd_state state;
	} cases[] = {
		{.responses = {0}, .state = MRD_STATE_ACTIVE},
		{.responses = {0, 1}, .state = MRD_STATE_EJECTED},
		{.responses = {0, 0, 0, 0, 1}, .state = MRD_STATE_EJECTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stage *stage = stage_new(policy);
		struct mrd_stat *stat;
		uint32_t id;

		print_message("case %zu\n", i);
		stage_service(stage, "reviews", "172.16.0.20", "db:9080/TCP");
		stage_slice(stage, 0, "reviews", "db:9080/TCP", "10.0.0.5; 10.0.0.6");
		stage_round(stage);
		assert_non_null(stage_health(stage, "10.0.0.5", &id));
		stat = (void *)fake_find(&stage->maps, MRD_MAP_STAT, &id)->value;
		memcpy(stat->responses, cases[i].responses, sizeof(stat->responses));
		stage_restart(stage);
		stage_event(stage, "10.0.0.6", MRD_EVENT_REFUSED, 0);
		stage_event(stage, "10.0.0.6", MRD_EVENT_CONNECTED, 0);
		stage_event(stage, "10.0.0.6", MRD_EVENT_REFUSED, 0);
		assert_int_equal(stage_state(stage, "10.0.0.6"), cases[i].state);
		stage_free(stage);
	}
}

/* The maps are new (other sizes): ejections come from the old ones, all rows are written anew. */
static void ejections_come_over_from_an_older_set(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	struct fake_maps *old = calloc(1, sizeof(*old));
	struct mrd_row_reader reader = {.self = old, .walk = stage_walk};
	struct mrd_adopted adopted;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	*old = stage->maps;
	memset(&stage->maps, 0, sizeof(stage->maps));
	mrd_engine_free(stage->engine);
	stage_start_engine(stage);
	assert_int_equal(mrd_adopt(stage->engine, &reader, NULL, &adopted), 0);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_EJECTED);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_ACTIVE);
	assert_int_equal(stage_share(stage, stage_vip(stage, "172.16.0.20", 9080), "shanghai"),
			 3000);
	assert_int_equal(stage->maps.count, old->count);
	free(old);
	stage_free(stage);
}

/* Killed at every write: what nobody names is swept, and the next agent brings the rest to what it
 * should be, with nothing left over. */
static void an_agent_killed_anywhere_leaves_no_orphans(void **state)
{
	bool killed = true;

	(void)state;
	for (size_t at = 0; killed; at++) {
		struct stage *stage = stage_new(asking);
		struct fake_maps *whole = calloc(1, sizeof(*whole));

		print_message("case: killed after %zu writes\n", at);
		stage_reviews(stage);
		stage_round(stage);
		*whole = stage->maps;
		stage_restart(stage);
		mrd_engine_release(stage->engine);
		stage->maps.fail_at = stage->maps.calls + at + 1;
		stage->maps.fail_on = true;
		stage_round(stage); /* the model is empty: everything goes */
		killed = stage->maps.calls >= stage->maps.fail_at;
		stage->maps.fail_at = 0;
		stage_restart(stage);
		stage_reviews(stage);
		mrd_engine_release(stage->engine);
		stage_round(stage);
		assert_int_equal(stage->maps.count, whole->count);
		assert_int_not_equal(stage_vip(stage, "172.16.0.20", 9080), 0);
		free(whole);
		stage_free(stage);
	}
}

static void a_reader_that_fails_is_reported(void **state)
{
	struct stage *stage = stage_new("");
	const struct mrd_row_reader reader = {.self = &stage->maps, .walk = walk_fails};
	struct mrd_adopted adopted;

	(void)state;
	assert_int_equal(mrd_adopt(stage->engine, &reader, NULL, &adopted), -EIO);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_rewritten),
		cmocka_unit_test(without_a_policy_the_rows_stay),
		cmocka_unit_test(a_cluster_not_read_yet_empties_nothing),
		cmocka_unit_test(what_went_meanwhile_goes_at_release),
		cmocka_unit_test(an_ejection_keeps_its_remaining_time),
		cmocka_unit_test(an_ejection_before_the_return_is_planned_counts),
		cmocka_unit_test(an_adopted_endpoint_can_be_ejected_while_held),
		cmocka_unit_test(responses_of_before_tell_of_http),
		cmocka_unit_test(ejections_come_over_from_an_older_set),
		cmocka_unit_test(an_agent_killed_anywhere_leaves_no_orphans),
		cmocka_unit_test(a_reader_that_fails_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
