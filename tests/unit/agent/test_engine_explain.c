/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "view/view_explain.h"

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

/* ------------------------------------------------------------------------------------ warm-ups */

#define WARM_RULE(annotations, policy, failover)                                          \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"                     \
	"metadata: {name: reviews, namespace: default, annotations: {" annotations "}}\n" \
	"spec: {host: reviews, trafficPolicy: {loadBalancer: {" policy                    \
	"localityLbSetting: {failover: [{" failover "}]}}}}\n"
#define TO_SHANGHAI "from: hangzhou, to: shanghai"

/* The shares as planned, in 1/10,000 by endpoint, and the reason that names the warm-up. */
static char *explained_text(const struct stage *stage, const struct mrd_plan_node *node)
{
	struct mrd_strbuf text = {0};
	struct mrd_explanation *explanation;
	const struct mrd_explained_port *port;

	assert_int_equal(mrd_engine_explain(stage->engine, &reviews, node, &explanation), 0);
	for (size_t i = 0; i < explanation->plan->ports[0].hop_count; i++) {
		const struct mrd_plan_hop *hop = &explanation->plan->ports[0].hops[i];

		mrd_strbuf_addf(&text, "%s%s %.0f", i ? ", " : "", hop->region, hop->share * 10000);
		for (size_t k = 0; hop->endpoint_count > 1 && k < hop->endpoint_count; k++)
			mrd_strbuf_addf(&text, " %.0f", hop->endpoints[k].share * 10000);
	}
	port = &explanation->ports[0];
	for (size_t i = 0; i < port->reason_count; i++)
		if (strstr(port->reasons[i], "warm"))
			mrd_strbuf_addf(&text, "; %s", port->reasons[i]);
	mrd_explanation_free(explanation);
	return mrd_strbuf_steal(&text);
}

static void assert_explained(const struct stage *stage, const struct mrd_plan_node *node,
			     const char *want)
{
	char *text = explained_text(stage, node);

	assert_string_equal(text, want);
	free(text);
}

#define REGION_WARMS                                                                        \
	"; hangzhou is back and warms up (meridian.dev/warmup), as far as others can take " \
	"what it leaves: "

static void a_region_that_warms_up_is_explained_as_it_was_written(void **state)
{
	static const struct {
		uint64_t wait_ms;
		const char *want;
	} cases[] = {
		{0, "hangzhou 1400, shanghai 8600" REGION_WARMS
		    "0% of its 1m40s are over, 1m40s left"},
		{50000,
		 "hangzhou 7000, shanghai 3000" REGION_WARMS "50% of its 1m40s are over, 50s left"},
		{50000, "hangzhou 10000, shanghai 0"},
	};
	struct stage *stage = stage_new(WARM_RULE("meridian.dev/warmup: 100s", "", TO_SHANGHAI));
	uint32_t id;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	assert_explained(stage, NULL, "hangzhou 10000 5000 5000, shanghai 0");
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "");
	stage_round(stage);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5");
	assert_explained(stage, NULL, cases[0].want);
	stage_wait_ms(10000); /* it was the question alone: the warm-up begins with the plan */
	stage_round(stage);
	id = stage_vip(stage, "172.16.0.20", 9080);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char written[64];

		stage_wait_ms(cases[i].wait_ms);
		mrd_engine_tick(stage->engine);
		stage_round(stage);
		assert_explained(stage, NULL, cases[i].want);
		snprintf(written, sizeof(written), "hangzhou %u, shanghai %u",
			 (unsigned int)stage_share(stage, id, "hangzhou"),
			 (unsigned int)stage_share(stage, id, "shanghai"));
		assert_memory_equal(written, cases[i].want, strlen(written));
	}
	stage_free(stage);
}

static void an_endpoint_that_warms_up_is_named(void **state)
{
	struct stage *stage = stage_new(
		WARM_RULE("", "simple: ROUND_ROBIN, warmup: {duration: 20s}, ", TO_SHANGHAI));

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8");
	stage_round(stage);
	stage_wait_ms(10000);
	assert_explained(stage, NULL,
			 "hangzhou 10000 4000 4000 2000, shanghai 0; new endpoints warm up "
			 "(loadBalancer.warmup): 10.0.0.8:9080 50% of its 20s are over, 10s left");
	stage_wait_ms(10000);
	assert_explained(stage, NULL, "hangzhou 10000 3333 3333 3333, shanghai 0");
	stage_free(stage);
}

/* What this node's plan leaves out was never asked about: it is not new elsewhere. */
static void elsewhere_nothing_is_new_that_is_not_in_the_plan_here(void **state)
{
	const struct mrd_plan_node far = {
		.name = "",
		.region = "shanghai",
		.zone = "",
		.subzone = "",
	};
	struct stage *stage =
		stage_new(WARM_RULE("meridian.dev/warmup: 100s, meridian.dev/regions: strict", "",
				    "from: shanghai, to: hangzhou"));

	(void)state;
	stage_reviews(stage);
	stage_slice(stage, 1, "reviews", "http:9080/TCP", "");
	stage_round(stage);
	stage_slice(stage, 1, "reviews", "http:9080/TCP", "10.1.0.7");
	assert_explained(stage, &far, "shanghai 10000, hangzhou 0 0 0");
	stage_free(stage);
}

static void what_would_return_warms_up_first(void **state)
{
	struct stage *stage = stage_new(WARM_RULE("meridian.dev/warmup: 100s", "", TO_SHANGHAI));
	struct mrd_explanation *explanation;
	const struct mrd_explained_port *port;
	const struct mrd_what_if *ready;

	(void)state;
	stage_reviews(stage);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5 unready");
	stage_round(stage);
	assert_int_equal(mrd_engine_explain(stage->engine, &reviews, NULL, &explanation), 0);
	port = &explanation->ports[0];
	assert_true(port->if_count > 1);
	assert_false(port->ifs[0].warms_up); /* nobody is left that could */
	ready = &port->ifs[port->if_count - 1];
	assert_int_equal(ready->what, MRD_WHAT_READY);
	assert_true(ready->warms_up);
	assert_string_equal(ready->shares[0].region, "hangzhou");
	assert_true(ready->shares[0].share > 0.139 && ready->shares[0].share < 0.141);
	mrd_explanation_free(explanation);
	stage_free(stage);
}

/* ----------------------------------------------------------------------- what is not written */

static void assert_unwritten(const struct stage *stage, const struct mrd_plan_node *node,
			     const char *want, uint64_t want_ms)
{
	struct mrd_explanation *explanation;
	const json_t *since_ms;
	json_t *unwritten;
	json_t *doc;

	assert_int_equal(mrd_engine_explain(stage->engine, &reviews, node, &explanation), 0);
	doc = mrd_view_explain(explanation);
	mrd_explanation_free(explanation);
	unwritten = json_object_get(doc, "unwritten");
	since_ms = json_object_get(unwritten, "since_ms");
	if (want)
		assert_string_equal(json_string_value(json_object_get(unwritten, "error")), want);
	else
		assert_null(unwritten);
	if (want && want_ms == UINT64_MAX)
		assert_true(json_is_null(since_ms));
	else if (want)
		assert_int_equal(json_integer_value(since_ms), want_ms);
	json_decref(doc);
}

static void a_plan_that_is_not_written_is_told_with_its_reason(void **state)
{
	static const char full[] = "mrd_member is full (kernel.limits.members)";
	const struct mrd_plan_node here = stage_node;
	const struct mrd_plan_node far = {
		.name = "n9",
		.region = "shanghai",
		.zone = "",
		.subzone = "",
	};
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	assert_unwritten(stage, NULL, NULL, 0);
	stage->maps.limit[MRD_MAP_MEMBER] = fake_count(&stage->maps, MRD_MAP_MEMBER);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8");
	stage_round(stage);
	stage_wait_ms(700);
	assert_unwritten(stage, NULL, full, 700);
	assert_unwritten(stage, &here, full, 700);
	assert_unwritten(stage, &far, NULL, 0); /* its own agent writes it */
	stage->maps.limit[MRD_MAP_MEMBER] = 0;
	stage_wait_ms(300);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_unwritten(stage, NULL, NULL, 0);
	stage_free(stage);
}

static void what_was_adopted_stands_until_it_is_released(void **state)
{
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_restart(stage);
	stage_reviews(stage);
	stage_round(stage);
	assert_unwritten(stage, NULL, "not every cluster has been read since the agent's start",
			 UINT64_MAX);
	stage->is_frozen = true;
	stage_set_input(stage);
	assert_unwritten(stage, NULL,
			 "there is no policy to plan by, and what follows goes without one",
			 UINT64_MAX);
	stage->is_frozen = false;
	stage_set_input(stage);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_unwritten(stage, NULL, NULL, 0);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_ejections_and_the_time_they_have_left),
		cmocka_unit_test(for_another_node_it_is_another_plan),
		cmocka_unit_test(what_is_not_there_is_not_explained),
		cmocka_unit_test(a_region_that_warms_up_is_explained_as_it_was_written),
		cmocka_unit_test(an_endpoint_that_warms_up_is_named),
		cmocka_unit_test(elsewhere_nothing_is_new_that_is_not_in_the_plan_here),
		cmocka_unit_test(what_would_return_warms_up_first),
		cmocka_unit_test(a_plan_that_is_not_written_is_told_with_its_reason),
		cmocka_unit_test(what_was_adopted_stands_until_it_is_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
