/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the engine counts for whoever watches it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stage.h"

#define RULE(outlier)                                     \
	"apiVersion: networking.istio.io/v1\n"            \
	"kind: DestinationRule\n"                         \
	"metadata: {name: reviews, namespace: default}\n" \
	"spec:\n"                                         \
	"  host: reviews\n"                               \
	"  trafficPolicy: {outlierDetection: {" outlier "}}\n"

static struct mrd_engine_status status_of(const struct stage *stage)
{
	struct mrd_engine_status status;

	mrd_engine_get_status(stage->engine, &status);
	return status;
}

static void ejections_are_counted_as_envoy_does(void **state)
{
	static const struct {
		const char *name;
		const char *rule;
		enum mrd_event_kind kind;
		uint32_t status;
		enum mrd_outlier_type type;
		struct mrd_ejection_counts want;
		size_t want_active;
	} cases[] = {
		{
			.name = "all are enforced",
			.rule = RULE("consecutive5xxErrors: 1, maxEjectionPercent: 100"),
			.kind = MRD_EVENT_RESPONSE,
			.status = 500,
			.type = MRD_CONSECUTIVE_5XX,
			.want = {.detected = 3, .enforced = 3},
			.want_active = 3,
		},
		{
			.name = "the cap stops some",
			.rule = RULE("consecutive5xxErrors: 1, maxEjectionPercent: 50"),
			.kind = MRD_EVENT_RESPONSE,
			.status = 500,
			.type = MRD_CONSECUTIVE_5XX,
			.want = {.detected = 3, .enforced = 1, .overflow = 2},
			.want_active = 1,
		},
		{
			.name = "another type",
			.rule = RULE("consecutive5xxErrors: 0, consecutiveGatewayErrors: 1, "
				     "maxEjectionPercent: 100"),
			.kind = MRD_EVENT_REFUSED,
			.type = MRD_CONSECUTIVE_GATEWAY_FAILURE,
			.want = {.detected = 3, .enforced = 3},
			.want_active = 3,
		},
		{
			.name = "nothing is detected",
			.rule = RULE("consecutive5xxErrors: 2"),
			.kind = MRD_EVENT_RESPONSE,
			.status = 500,
			.type = MRD_CONSECUTIVE_5XX,
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static const char *const endpoints[] = {"10.0.0.5", "10.0.0.6", "10.1.0.7"};
		struct stage *stage = stage_new(cases[i].rule);
		struct mrd_engine_status status;

		print_message("case: %s\n", cases[i].name);
		stage_reviews(stage);
		stage_round(stage);
		for (size_t k = 0; k < 3; k++)
			stage_event(stage, endpoints[k], cases[i].kind, cases[i].status);
		status = status_of(stage);
		for (size_t type = 0; type < MRD_OUTLIER_TYPES; type++) {
			static const struct mrd_ejection_counts none;
			const struct mrd_ejection_counts *want =
				type == cases[i].type ? &cases[i].want : &none;

			assert_int_equal(status.ejections[type].detected, want->detected);
			assert_int_equal(status.ejections[type].enforced, want->enforced);
			assert_int_equal(status.ejections[type].overflow, want->overflow);
		}
		assert_int_equal(status.ejected, cases[i].want_active);
		/* Returns are no ejections. */
		stage_wait_ms(600000);
		mrd_engine_tick(stage->engine);
		stage_round(stage);
		status = status_of(stage);
		assert_int_equal(status.ejected, 0);
		assert_int_equal(status.ejections[cases[i].type].enforced, cases[i].want.enforced);
		stage_free(stage);
	}
}

static void plans_are_counted(void **state)
{
	struct stage *stage = stage_new("");
	struct mrd_engine_status status;

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	status = status_of(stage);
	assert_int_equal(status.plans_written, 1);
	assert_int_equal(status.plans_failed, 0);
	assert_int_equal(status.unwritten, 0);

	mrd_model_touch_all(stage->model); /* planned anew, but nothing is to be written */
	stage_round(stage);
	assert_int_equal(status_of(stage).plans_written, 1);

	stage->maps.limit[MRD_MAP_MEMBER] = fake_count(&stage->maps, MRD_MAP_MEMBER);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8");
	stage_round(stage);
	stage_wait_ms(1000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	status = status_of(stage);
	assert_int_equal(status.plans_written, 1);
	assert_int_equal(status.plans_failed, 2);
	assert_int_equal(status.unwritten, 1);

	stage->maps.limit[MRD_MAP_MEMBER] = 0;
	stage_wait_ms(2000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	status = status_of(stage);
	assert_int_equal(status.plans_written, 2);
	assert_int_equal(status.plans_failed, 2);
	assert_int_equal(status.unwritten, 0);
	stage_free(stage);
}

/* The clock stands still but here: what is drained takes time before the plan, and each write. */
static void slow_drain(void *self)
{
	(void)self;
	stage_wait_ms(1);
}

static void slow_write(struct fake_maps *maps, void *self)
{
	(void)maps;
	(void)self;
	stage_wait_ms(3);
}

static void what_takes_time_is_counted_by_size(void **state)
{
	struct stage *stage = stage_new(RULE("consecutive5xxErrors: 1, maxEjectionPercent: 100"));
	struct mrd_engine_status status;

	(void)state;
	stage->drain = slow_drain;
	stage_reviews(stage);
	stage_round(stage);
	status = status_of(stage);
	assert_int_equal(mrd_histogram_count(&status.planning), 1);
	assert_int_equal(mrd_histogram_count(&status.writing), 1);
	assert_int_equal(status.planning.sum_us + status.writing.sum_us, 0);
	assert_int_equal(mrd_histogram_count(&status.ejection_delay), 0);

	stage->maps.after = slow_write;
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8");
	stage_round(stage);
	status = status_of(stage);
	assert_int_equal(status.planning.sum_us, 0);
	assert_in_range(status.writing.sum_us, 3000, 300000);

	stage_event(stage, "10.0.0.5", MRD_EVENT_RESPONSE, 500);
	status = status_of(stage);
	assert_int_equal(mrd_histogram_count(&status.ejection_delay), 1);
	assert_int_equal(status.ejection_delay.sum_us, 3000);
	stage_free(stage);
}

/* In the kernel is what was written, of a service that is not held, by a policy. */
static void it_is_settled_when_all_is_written(void **state)
{
	struct stage *stage = stage_new("");

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	assert_true(mrd_engine_is_settled(stage->engine));
	stage->maps.limit[MRD_MAP_MEMBER] = fake_count(&stage->maps, MRD_MAP_MEMBER);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6; 10.0.0.8");
	stage_round(stage);
	assert_false(mrd_engine_is_settled(stage->engine));
	stage->maps.limit[MRD_MAP_MEMBER] = 0;
	stage_wait_ms(1000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_true(mrd_engine_is_settled(stage->engine));
	stage->is_frozen = true;
	stage_set_input(stage);
	stage_round(stage);
	assert_false(mrd_engine_is_settled(stage->engine));
	stage_free(stage);
}

static void rows_are_counted_as_the_maps_hold_them(void **state)
{
	struct stage *stage = stage_new("");
	uint64_t rows[MRD_MAP_COUNT];

	(void)state;
	for (size_t step = 0; step < 3; step++) {
		print_message("step %zu\n", step);
		if (step == 1)
			stage_reviews(stage);
		else if (step == 2)
			stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5");
		stage_round(stage);
		mrd_engine_count_rows(stage->engine, rows);
		for (enum mrd_map map = 0; map < MRD_MAP_COUNT; map++)
			assert_int_equal(rows[map], map == MRD_MAP_LOCALITY
							    ? UINT64_MAX
							    : fake_count(&stage->maps, map));
		assert_int_equal(rows[MRD_MAP_HEALTH], step == 0 ? 0 : 4 - step);
	}
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ejections_are_counted_as_envoy_does),
		cmocka_unit_test(plans_are_counted),
		cmocka_unit_test(what_takes_time_is_counted_by_size),
		cmocka_unit_test(it_is_settled_when_all_is_written),
		cmocka_unit_test(rows_are_counted_as_the_maps_hold_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
