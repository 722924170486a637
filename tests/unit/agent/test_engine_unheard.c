/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A cluster that has fallen silent, in the kernel's rows. */
#include "stage.h"

/* Of pools too: who does not answer goes at once, whoever is heard stays whatever happens. */
static void without_a_rule_the_unheard_go_alone(void **state)
{
	struct stage *stage = stage_new("");

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	stage_event(stage, "10.1.0.7", MRD_EVENT_REFUSED, 0);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);

	mrd_model_set_unheard(stage->model, 1, true);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);
	stage_event(stage, "10.1.0.7", MRD_EVENT_RESPONSE, 503);
	stage_event(stage, "10.0.0.5", MRD_EVENT_REFUSED, 0);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);
	assert_int_equal(stage_state(stage, "10.0.0.5"), MRD_STATE_ACTIVE);
	stage_event(stage, "10.1.0.7", MRD_EVENT_CONNECT_TIMEOUT, 0);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_EJECTED);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_EJECTED);

	/* The cluster says that it is there. */
	mrd_model_set_unheard(stage->model, 1, false);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);
	stage_event(stage, "10.1.0.7", MRD_EVENT_REFUSED, 0);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);
	assert_int_equal(mrd_engine_due(stage->engine), UINT64_MAX);
	stage_free(stage);
}

static void a_region_that_is_given_up_is_left(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	uint32_t id;

	(void)state;
	stage_reviews(stage);
	mrd_model_set_unheard(stage->model, 0, true);
	stage_round(stage);
	id = stage_vip(stage, "172.16.0.20", 9080);
	assert_int_equal(stage_share(stage, id, "hangzhou"), 10000);
	stage_event(stage, "10.0.0.5", MRD_EVENT_REFUSED, 0);
	stage_event(stage, "10.0.0.6", MRD_EVENT_REFUSED, 0);
	stage_round(stage);
	assert_int_equal(stage_share(stage, id, "hangzhou"), 0);
	assert_int_equal(stage_share(stage, id, "shanghai"), 10000);
	stage_free(stage);
}

static void who_is_given_up_is_tried_again(void **state)
{
	struct stage *stage = stage_new("");

	(void)state;
	stage_reviews(stage);
	mrd_model_set_unheard(stage->model, 1, true);
	stage_round(stage);
	stage_event(stage, "10.1.0.7", MRD_EVENT_REFUSED, 0);
	stage_round(stage);
	stage_wait_ms(30000);
	assert_true(mrd_engine_due(stage->engine) <= stage_now());
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rule_the_unheard_go_alone),
		cmocka_unit_test(a_region_that_is_given_up_is_left),
		cmocka_unit_test(who_is_given_up_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
