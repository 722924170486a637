/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* An agent that starts while a cluster cannot be heard goes by the rows of the one before. */
#include "agent/unheard.h"

#include "stage.h"

/* Another agent starts, to which only the home cluster has spoken. */
static void restart(struct stage *stage, const char *home_endpoints)
{
	stage_restart(stage);
	stage_service(stage, "reviews", "172.16.0.20", "http:9080/TCP");
	stage_slice(stage, 0, "reviews", "http:9080/TCP", home_endpoints);
}

struct keep_case {
	const char *name;
	const char *region; /* of the cluster that is not heard */
	const char *home_endpoints;
	size_t kept;
	enum mrd_state far; /* of its endpoint, after the release */
};

static const struct keep_case keep_cases[] = {
	{"its endpoints are known by their region", "shanghai", "10.0.0.5; 10.0.0.6", 1,
	 MRD_STATE_ACTIVE},
	{"another region is no word of it", "paris", "10.0.0.5; 10.0.0.6", 0, MRD_STATE_NONE},
	{"without a region nobody knows", "", "10.0.0.5; 10.0.0.6", 0, MRD_STATE_NONE},
	{"what the home cluster no longer names is gone", "shanghai", "10.0.0.5", 1,
	 MRD_STATE_ACTIVE},
	{"what another cluster names is that cluster's", "shanghai", "10.0.0.5; 10.1.0.7", 0,
	 MRD_STATE_ACTIVE},
};

static void the_kernel_speaks_for_who_is_not_heard(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(keep_cases) / sizeof(*keep_cases); i++) {
		const struct keep_case *test = &keep_cases[i];
		struct stage *stage = stage_new(stage_failover);
		size_t kept;

		print_message("case: %s\n", test->name);
		stage_reviews(stage);
		stage_round(stage);
		restart(stage, test->home_endpoints);
		assert_int_equal(
			mrd_unheard_keep(stage->engine, stage->model, 1, test->region, &kept), 0);
		assert_int_equal(kept, test->kept);
		mrd_engine_release(stage->engine);
		stage_round(stage);
		assert_int_equal(stage_state(stage, "10.1.0.7"), test->far);
		assert_int_equal(stage_state(stage, "10.0.0.6"),
				 strstr(test->home_endpoints, "10.0.0.6") ? MRD_STATE_ACTIVE
									  : MRD_STATE_NONE);
		stage_free(stage);
	}
}

static void what_is_kept_is_as_it_was(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	size_t calls;
	size_t kept;

	(void)state;
	stage_reviews(stage);
	stage_slice(stage, 1, "reviews", "http:9080/TCP", "10.1.0.7 zone=z1; 10.1.0.8 unready");
	stage_round(stage);
	calls = stage->maps.calls;
	restart(stage, "10.0.0.5; 10.0.0.6");
	assert_int_equal(mrd_unheard_keep(stage->engine, stage->model, 1, "shanghai", &kept), 0);
	assert_int_equal(kept, 2);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage->maps.calls, calls);
	stage_free(stage);
}

static void it_goes_when_the_cluster_speaks(void **state)
{
	struct stage *stage = stage_new(stage_failover);
	size_t kept;

	(void)state;
	stage_reviews(stage);
	stage_slice(stage, 1, "reviews", "http:9080/TCP", "10.1.0.7; 10.1.0.8");
	stage_round(stage);
	restart(stage, "10.0.0.5; 10.0.0.6");
	mrd_model_mark(stage->model, 1, MRD_KIND_SLICE); /* its list has begun, and is slow */
	assert_int_equal(mrd_unheard_keep(stage->engine, stage->model, 1, "shanghai", &kept), 0);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_ACTIVE);
	stage_slice(stage, 1, "reviews", "http:9080/TCP", "10.1.0.8");
	mrd_model_sweep(stage->model, 1, MRD_KIND_SLICE);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.1.0.7"), MRD_STATE_NONE);
	assert_int_equal(stage_state(stage, "10.1.0.8"), MRD_STATE_ACTIVE);
	stage_free(stage);
}

struct told_case {
	const char *name;
	const char *region; /* of the other cluster, of which a file is broken */
	const char *its_endpoints;
	bool told;
};

static const struct told_case told_cases[] = {
	{"its slice is among those that can be read", "shanghai", "10.1.0.9", true},
	{"if only to say that there are none", "shanghai", "", true},
	{"its endpoint is known from the kernel alone", "shanghai", NULL, false},
	{"no endpoint stands where that cluster is", "paris", NULL, true},
	{"or who knows where it is", "", NULL, false},
};

static const struct told_case *told_case;

static bool is_told(void *self, const char *namespace_, const char *name)
{
	const struct stage *stage = self;

	return mrd_unheard_is_told(stage->engine, stage->model, 1, told_case->region, namespace_,
				   name);
}

/* What other files tell of goes on beside a broken one, and at once when they say something new. */
static void beside_a_broken_file_others_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(told_cases) / sizeof(*told_cases); i++) {
		struct stage *stage = stage_new(stage_failover);
		struct mrd_engine_status status;

		told_case = &told_cases[i];
		print_message("case: %s\n", told_case->name);
		stage_reviews(stage);
		stage_round(stage);
		restart(stage, "10.0.0.5");
		if (told_case->its_endpoints)
			stage_slice(stage, 1, "reviews", "http:9080/TCP", told_case->its_endpoints);
		stage_round(stage);
		assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_ACTIVE);
		mrd_engine_release_told(stage->engine, is_told, stage);
		stage_round(stage);
		mrd_engine_get_status(stage->engine, &status);
		assert_true(status.holding);
		assert_int_equal(status.held, !told_case->told);
		assert_int_equal(stage_state(stage, "10.0.0.6"),
				 told_case->told ? MRD_STATE_NONE : MRD_STATE_ACTIVE);

		/* Its slice comes to be read. */
		stage_slice(stage, 1, "reviews", "http:9080/TCP", "10.1.0.9");
		stage_round(stage);
		mrd_engine_get_status(stage->engine, &status);
		assert_int_equal(status.held, 0);
		assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_NONE);
		assert_int_equal(stage_state(stage, "10.1.0.9"), MRD_STATE_ACTIVE);
		stage_free(stage);
	}
}

static void a_service_that_is_gone_waits(void **state)
{
	struct stage *stage = stage_new(stage_failover);

	(void)state;
	told_case = &told_cases[0];
	stage_reviews(stage);
	stage_round(stage);
	stage_restart(stage);
	mrd_engine_release_told(stage->engine, is_told, stage);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_ACTIVE);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.6"), MRD_STATE_NONE);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_speaks_for_who_is_not_heard),
		cmocka_unit_test(what_is_kept_is_as_it_was),
		cmocka_unit_test(it_goes_when_the_cluster_speaks),
		cmocka_unit_test(beside_a_broken_file_others_count),
		cmocka_unit_test(a_service_that_is_gone_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
