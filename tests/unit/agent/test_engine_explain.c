/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage.h"

static const struct mrd_explain_target reviews = {
	.namespace_ = "default",
	.service = "reviews",
};

static void tells_ejections_and_the_time_they_have_left(void **state)
{
	static const struct {
		uint64_t wait_ms;
		uint64_t want_ms;
	} cases[] = {
		{.wait_ms = 0, .want_ms = 60000},
		{.wait_ms = 17000, .want_ms = 43000},
		{.wait_ms = 50000, .want_ms = 0}, /* its sweep has not come */
	};
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_explanation *explanation;
		const struct mrd_explained_port *port;
		char text[MRD_IP_TEXT_MAX];

		stage_wait_ms(cases[i].wait_ms);
		print_message("%u ms later\n", (unsigned int)cases[i].wait_ms);
		assert_int_equal(mrd_engine_explain(stage->engine, &reviews, NULL, &explanation),
				 0);
		assert_string_equal(explanation->from, "hangzhou");
		assert_int_equal(explanation->port_count, 1);
		port = &explanation->ports[0];
		assert_int_equal(port->ejection_count, 1);
		mrd_ip_port_format(&port->ejections[0].ip, port->ejections[0].port, text);
		assert_string_equal(text, "10.0.0.5:9080");
		assert_true(port->ejections[0].is_timed);
		assert_int_equal(port->ejections[0].left_ms, cases[i].want_ms);
		/* Half of the region: what is planned and what was written agree. */
		assert_int_equal(
			stage_share(stage, stage_vip(stage, "172.16.0.20", 9080), "hangzhou"),
			7000);
		assert_true(explanation->plan->ports[0].hops[0].share > 0.699 &&
			    explanation->plan->ports[0].hops[0].share < 0.701);
		mrd_explanation_free(explanation);
	}
	stage_free(stage);
}

static void for_another_node_it_is_another_plan(void **state)
{
	const struct mrd_plan_node far = {
		.name = "",
		.region = "shanghai",
		.zone = "",
		.subzone = "",
	};
	struct stage *stage = stage_new(stage_failover);
	struct mrd_explanation *explanation;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	assert_int_equal(mrd_engine_explain(stage->engine, &reviews, &far, &explanation), 0);
	assert_string_equal(explanation->from, "shanghai");
	assert_string_equal(explanation->plan->ports[0].hops[0].region, "shanghai");
	mrd_explanation_free(explanation);
	stage_free(stage);
}

static void what_is_not_there_is_not_explained(void **state)
{
	static const struct {
		const char *target;
		int want;
	} cases[] = {
		{.target = "default/reviews:9080", .want = 0},
		{.target = "default/reviews:http", .want = 0},
		{.target = "default/reviews:80", .want = -ENXIO},
		{.target = "default/other", .want = -ENOENT},
		{.target = "other/reviews", .want = -ENOENT},
	};
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_explanation *explanation = NULL;
		struct mrd_explain_target target;

		print_message("%s\n", cases[i].target);
		assert_int_equal(mrd_explain_target_parse(cases[i].target, &target), 0);
		assert_int_equal(mrd_engine_explain(stage->engine, &target, NULL, &explanation),
				 cases[i].want);
		assert_int_equal(!explanation, cases[i].want != 0);
		mrd_explanation_free(explanation);
	}
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_ejections_and_the_time_they_have_left),
		cmocka_unit_test(for_another_node_it_is_another_plan),
		cmocka_unit_test(what_is_not_there_is_not_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
