/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The detectors that judge an interval's results at its sweep: S1 to S8 by their ids, how long what
 * they eject stays out, and when they ask for a sweep. */
#include "outlier/outlier.h"
#include "outlier/success_rate.h"

#include "tests/unit/outlier/script.h"

static void judge_rate(struct mrd_outlier_rule *rule)
{
	rule->consecutive_local_origin = 0;
	rule->success_rate = (struct mrd_success_rate_rule){
		.on = true,
		.enforced = true,
		.minimum_hosts = 5,
		.request_volume = 100,
		.stdev_factor = 1900,
	};
}

static void judge_failures(struct mrd_outlier_rule *rule)
{
	rule->consecutive_local_origin = 0;
	rule->failure_percentage = (struct mrd_failure_percentage_rule){
		.on = true,
		.enforced = true,
		.threshold = 85,
		.minimum_hosts = 5,
		.request_volume = 50,
	};
}

static void log_failures(struct mrd_outlier_rule *rule)
{
	judge_failures(rule);
	rule->failure_percentage.enforced = false;
}

static void judge_both(struct mrd_outlier_rule *rule)
{
	judge_rate(rule);
	judge_failures(rule);
}

static void judge_rate_log_failures(struct mrd_outlier_rule *rule)
{
	judge_rate(rule);
	log_failures(rule);
}

static void judge_429(struct mrd_outlier_rule *rule)
{
	judge_rate(rule);
	rule->has_error_codes = true;
	rule->error_codes[(429 - MRD_ERROR_CODE_MIN) / 8] |= 1 << (429 - MRD_ERROR_CODE_MIN) % 8;
}

#define ROWS_OF_RATES .hosts = "AAAAA", .no_5xx = true, .gateway_off = true

#define FIVE_TIMES_200 "0:1:200*200 0:2:200*200 0:3:200*200 0:4:200*200 0:5:200*200 "
#define FOUR_TIMES_50  "0:1:50*200 0:2:50*200 0:3:50*200 0:4:50*200 "
#define FOUR_CONNECTED "0:1:100*OK 0:2:100*OK 0:3:100*OK 0:4:100*OK "

static void test_success_rate(void **state)
{
	static const struct row rows[] = {
		{
			.id = "S1",
			.script = FIVE_TIMES_200 "0:5:200*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 50/90/52; ",
		},
		{
			.id = "S1: back at a sweep",
			.script = FIVE_TIMES_200 "0:5:200*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 50000,
			.want = "10000 5 EJECT RATE #1 50/90/52; 40000 5 UNEJECT #1 +30000; ",
		},
		{
			.id = "S1 under a cap",
			.script = FIVE_TIMES_200 "0:5:200*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.percent = 19,
			.until_ms = 20000,
			.want = "10000 5 CAPPED RATE #0 50/90/52; ",
		},
		{
			.id = "S1: events of a sweep's time come before it",
			.script = FIVE_TIMES_200 "10000:5:200*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 50/90/52; ",
		},
		{
			.id = "S1: a sweep judges its own interval alone",
			.script = FIVE_TIMES_200 "10001:5:200*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 40000,
			.want = "",
		},
		{
			.id = "S1: events are results too, if not split",
			.script = FIVE_TIMES_200 "0:5:200*CF",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 50/90/52; ",
		},
		{
			.id = "S1 split: of local origin",
			.script = FOUR_CONNECTED "0:5:50*OK 0:5:50*CF",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.split = true,
			.until_ms = 10000,
			.want = "10000 5 EJECT LOCAL_RATE #1 50/90/52; ",
		},
		{
			.id = "S1 split: connects do not dilute the answers",
			.script = FIVE_TIMES_200 "0:5:200*503 0:5:999*OK",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.split = true,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 50/90/52; ",
		},
		{
			.id = "A11: rates go by the list too",
			.script = FIVE_TIMES_200 "0:4:200*503 0:5:200*429",
			.tune = judge_429,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 50/90/52; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_failure_percentage(void **state)
{
	static const struct row rows[] = {
		{
			.id = "S5",
			.script = FOUR_TIMES_50 "0:5:50*200 0:5:300*503",
			.tune = judge_failures,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT FAILURES #1 14; ",
		},
		{
			.id = "S5, not enforced",
			.script = FOUR_TIMES_50 "0:5:50*200 0:5:300*503",
			.tune = log_failures,
			ROWS_OF_RATES,
			.until_ms = 40000,
			.want = "10000 5 DETECT FAILURES #0 14; ",
		},
		{
			.id = "S5: the threshold itself is too much",
			.script = FOUR_TIMES_50 "0:5:15*200 0:5:85*503",
			.tune = judge_failures,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT FAILURES #1 15; ",
		},
		{
			.id = "S5: below the threshold",
			.script = FOUR_TIMES_50 "0:5:151*200 0:5:849*503",
			.tune = judge_failures,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "",
		},
		{
			.id = "S5 split: of local origin",
			.script = FOUR_CONNECTED "0:5:10*OK 0:5:90*TO",
			.tune = judge_failures,
			ROWS_OF_RATES,
			.split = true,
			.until_ms = 10000,
			.want = "10000 5 EJECT LOCAL_FAILURES #1 10; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_both(void **state)
{
	static const struct row rows[] = {
		{
			.id = "both at one sweep eject once",
			.script = FIVE_TIMES_200 "0:5:9999*503",
			.tune = judge_both,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 1/80/5; ",
		},
		{
			.id = "both at one sweep: the unenforced one is logged, as Envoy does",
			.script = FIVE_TIMES_200 "0:5:9999*503",
			.tune = judge_rate_log_failures,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 1/80/5; 10000 5 DETECT FAILURES #1 1; ",
		},
		{
			.id = "both at one sweep: it is not, if the cap has no room for one more",
			.script = FIVE_TIMES_200 "0:5:9999*503",
			.tune = judge_rate_log_failures,
			ROWS_OF_RATES,
			.percent = 20,
			.until_ms = 10000,
			.want = "10000 5 EJECT RATE #1 1/80/5; ",
		},
		{
			.id = "an ejected host is not judged",
			.script = FIVE_TIMES_200 "0:5:200*503 10001:1:100*200 10001:2:100*200 "
						 "10001:3:100*200 10001:4:100*200 10001:5:300*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 20000,
			.want = "10000 5 EJECT RATE #1 50/90/52; ",
		},
		{
			.id = "S7: four hosts of five have the volume",
			.script = "0:1:100*200 0:2:100*200 0:3:100*200 0:4:100*503 0:5:99*200",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "",
		},
		{
			.id = "S7: failure percentage",
			.script = "0:1:50*200 0:2:50*200 0:3:50*200 0:4:50*503 0:5:49*200",
			.tune = judge_failures,
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "",
		},
		{
			.id = "S7: for that sweep",
			.script = "0:1:100*200 0:2:100*200 0:3:100*200 0:4:100*200 0:5:99*503 "
				  "10001:1:100*200 10001:2:100*200 10001:3:100*200 "
				  "10001:4:100*200 10001:5:100*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 20000,
			.want = "20000 5 EJECT RATE #1 0/80/4; ",
		},
		{
			.id = "S8: as Istio leaves it",
			.script = FIVE_TIMES_200 "0:5:9999*503",
			ROWS_OF_RATES,
			.until_ms = 10000,
			.want = "",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/*
 * Out from the sweep at 10 s to the one at 40 s, and found again at 50 s: that is the second time,
 * so it stays out for 60 s. The multiplier goes down at a sweep's end, for hosts that it left in.
 */
#define AGAIN_200	"45000:1:200*200 45000:2:200*200 45000:3:200*200 45000:4:200*200 45000:5:200*200 "
#define AGAIN_CONNECTED "45000:1:100*OK 45000:2:100*OK 45000:3:100*OK 45000:4:100*OK "

static void test_second_ejection(void **state)
{
	static const struct row rows[] = {
		{
			.id = "success rate",
			.script = FIVE_TIMES_200 "0:5:200*503 " AGAIN_200 "45000:5:200*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 110000,
			.want = "10000 5 EJECT RATE #1 50/90/52; 40000 5 UNEJECT #1 +30000; "
				"50000 5 EJECT RATE #2 +10000 50/90/52; "
				"110000 5 UNEJECT #2 +60000; ",
		},
		{
			.id = "success rate of local origin",
			.script = FOUR_CONNECTED "0:5:50*OK 0:5:50*CF " AGAIN_CONNECTED
						 "45000:5:50*OK 45000:5:50*CF",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.split = true,
			.until_ms = 110000,
			.want = "10000 5 EJECT LOCAL_RATE #1 50/90/52; "
				"40000 5 UNEJECT #1 +30000; "
				"50000 5 EJECT LOCAL_RATE #2 +10000 50/90/52; "
				"110000 5 UNEJECT #2 +60000; ",
		},
		{
			.id = "failure percentage",
			.script = FIVE_TIMES_200 "0:5:9999*503 " AGAIN_200 "45000:5:9999*503",
			.tune = judge_failures,
			ROWS_OF_RATES,
			.until_ms = 110000,
			.want = "10000 5 EJECT FAILURES #1 1; 40000 5 UNEJECT #1 +30000; "
				"50000 5 EJECT FAILURES #2 +10000 1; "
				"110000 5 UNEJECT #2 +60000; ",
		},
		{
			.id = "failure percentage of local origin",
			.script = FOUR_CONNECTED "0:5:10*OK 0:5:90*TO " AGAIN_CONNECTED
						 "45000:5:10*OK 45000:5:90*TO",
			.tune = judge_failures,
			ROWS_OF_RATES,
			.split = true,
			.until_ms = 110000,
			.want = "10000 5 EJECT LOCAL_FAILURES #1 10; "
				"40000 5 UNEJECT #1 +30000; "
				"50000 5 EJECT LOCAL_FAILURES #2 +10000 10; "
				"110000 5 UNEJECT #2 +60000; ",
		},
		{
			.id = "a sweep later one step is forgotten",
			.script = FIVE_TIMES_200 "0:5:200*503 55000:1:200*200 55000:2:200*200 "
						 "55000:3:200*200 55000:4:200*200 "
						 "55000:5:200*200 55000:5:200*503",
			.tune = judge_rate,
			ROWS_OF_RATES,
			.until_ms = 90000,
			.want = "10000 5 EJECT RATE #1 50/90/52; 40000 5 UNEJECT #1 +30000; "
				"60000 5 EJECT RATE #2 +20000 50/90/52; "
				"90000 5 UNEJECT #2 +30000; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_formula(void **state)
{
	static const struct {
		const char *id;
		double rates[5];
		uint32_t factor;
		double average;
		double threshold;
	} cases[] = {
		{
			.id = "S3",
			.rates = {50, 100, 100, 100, 100},
			.factor = 1900,
			.average = 90,
			.threshold = 52,
		},
		{
			.id = "S3: hosts that are equal set no one apart",
			.rates = {70, 70, 70, 70, 70},
			.factor = 1900,
			.average = 70,
			.threshold = 70,
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mrd_success_rate_limit limit =
			mrd_success_rate_limit(cases[i].rates, 5, cases[i].factor);

		print_message("%s\n", cases[i].id);
		assert_float_equal(limit.average, cases[i].average, 1e-9);
		assert_float_equal(limit.threshold, cases[i].threshold, 1e-9);
	}
}

static void test_when(void **state)
{
	const struct row row = {.tune = judge_failures};
	struct mrd_outlier *outlier = outlier_of(&row);
	struct mrd_outlier_rule rule = rule_of(&row);
	struct run run = {.outlier = outlier};

	(void)state;
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	play(&run, "1:1:200", 0);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 10000);
	sweep_while(&run, 10000);
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	/* What comes in the millisecond of a sweep, but after it, is the next one's. */
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 200, 10000, ignore, NULL);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 20000);

	/* Another interval starts a new row; a rule without rates wants none. */
	rule.interval_ms = 3000;
	mrd_outlier_set_rule(outlier, &rule, 12000);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 15000);
	rule.failure_percentage.on = false;
	mrd_outlier_set_rule(outlier, &rule, 12000);
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 200, 12001, ignore, NULL);
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	mrd_outlier_free(outlier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success_rate), cmocka_unit_test(test_failure_percentage),
		cmocka_unit_test(test_both),	     cmocka_unit_test(test_second_ejection),
		cmocka_unit_test(test_formula),	     cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
