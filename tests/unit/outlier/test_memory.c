/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the detector remembers: times, backoff and its decay, hosts that come and go, a restart. */
#include "outlier/outlier.h"

#include <errno.h>

#include "tests/unit/outlier/script.h"

/* ------------------------------------------------------------------------------- times */

static void test_decay(void **state)
{
	const struct row row = {.threshold = 1, .interval_ms = 1000, .base_ms = 1000};
	struct mrd_outlier *outlier = outlier_of(&row);
	struct run run = {.outlier = outlier};

	(void)state;
	/* Ejected at 0, 1 and 3 seconds, each time right after the return: the multiplier is 3. */
	play(&run, "0:1:500 1001:1:500 4001:1:500", 4001);
	assert_int_equal(state_of(outlier, 1).multiplier, 3);
	sweep_while(&run, 8000);
	assert_false(state_of(outlier, 1).ejected);
	assert_int_equal(state_of(outlier, 1).multiplier, 3);
	sweep_while(&run, 8999);
	assert_int_equal(state_of(outlier, 1).multiplier, 3);
	sweep_while(&run, 9000);
	assert_int_equal(state_of(outlier, 1).multiplier, 2);
	/* An event that nobody swept for meets the multiplier as if somebody had. */
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 10500, ignore, NULL);
	assert_int_equal(state_of(outlier, 1).multiplier, 2);
	assert_int_equal(state_of(outlier, 1).ejected_until_ms, 12500);
	assert_int_equal(state_of(outlier, 1).ejections, 4);
	sweep_while(&run, 20000);
	assert_int_equal(state_of(outlier, 1).multiplier, 0);
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(outlier);
}

/* Back at 12,345 by a health check: the sweep at 20,000 is less than an interval later. */
static void test_decay_after_early_return(void **state)
{
	const struct row row = {.threshold = 1};
	struct mrd_outlier *outlier = outlier_of(&row);
	struct run run = {.outlier = outlier};

	(void)state;
	play(&run, "0:1:500", 0);
	mrd_outlier_uneject(outlier, 1, 12345, ignore, NULL);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 30000);
	mrd_outlier_sweep(outlier, 20000, ignore, NULL);
	assert_int_equal(state_of(outlier, 1).multiplier, 1);
	mrd_outlier_sweep(outlier, 30000, ignore, NULL);
	assert_int_equal(state_of(outlier, 1).multiplier, 0);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(outlier);
}

static void test_event_before_sweep(void **state)
{
	const struct row row = {.threshold = 1, .interval_ms = 1000, .base_ms = 1000};
	struct mrd_outlier *outlier = outlier_of(&row);
	struct run run = {.outlier = outlier};

	(void)state;
	play(&run, "0:1:500", 1000);
	/* At 2,000 a sweep would lower the multiplier to 0; the event of that time comes first. */
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 2000, ignore, NULL);
	assert_int_equal(state_of(outlier, 1).multiplier, 2);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(outlier);
}

/* ------------------------------------------------------------------------------- hosts, rules */

static void test_hosts(void **state)
{
	const struct row row = {.threshold = 2, .hosts = "AAA"};
	struct mrd_outlier *outlier = outlier_of(&row);
	const struct mrd_outlier_host fewer[] = {{.id = 2}, {.id = 9}, {.id = 2}};
	struct mrd_outlier_state got;

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 0, ignore, NULL);
	mrd_outlier_signal(outlier, 2, MRD_SIGNAL_RESPONSE, 500, 0, ignore, NULL);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 1);

	/* O27: an ejected host that leaves is no ejection any more; the other keeps its run. */
	assert_int_equal(mrd_outlier_set_hosts(outlier, fewer, 3), 0);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 0);
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	assert_int_equal(mrd_outlier_get(outlier, 1, &got), -ENOENT);
	mrd_outlier_signal(outlier, 2, MRD_SIGNAL_RESPONSE, 500, 1, ignore, NULL);
	assert_true(state_of(outlier, 2).ejected);

	/* It comes back as a new one. */
	set_hosts(outlier, "AAA");
	assert_true(state_of(outlier, 2).ejected);
	assert_false(state_of(outlier, 1).ejected);
	assert_int_equal(state_of(outlier, 1).ejections, 0);
	assert_int_equal(mrd_outlier_set_hosts(outlier, NULL, 0), 0);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 0);
	mrd_outlier_free(outlier);
}

/* Both numbers of a host mean it, whichever was known first. */
static void test_twins(void **state)
{
	const struct row row = {.threshold = 2, .percent = 50};
	struct mrd_outlier *outlier = outlier_of(&row);
	const struct mrd_outlier_host apart[] = {{.id = 11}, {.id = 1}, {.id = 2}, {.id = 12}};
	const struct mrd_outlier_host more = {.id = 3};
	const struct mrd_outlier_host joined[] = {
		{.id = 1, .twin = 11},
		{.id = 2},
		{.id = 2, .twin = 12},
		{.id = 3},
	};
	const struct mrd_outlier_host after[] = {{.id = 12}, {.id = 3}};
	struct run run = {.outlier = outlier};

	(void)state;
	assert_int_equal(mrd_outlier_set_hosts(outlier, apart, 4), 0);
	play(&run, "0:11:500 1:11:500 2:1:500", 2);
	assert_true(state_of(outlier, 11).ejected);
	assert_false(state_of(outlier, 1).ejected);
	assert_int_equal(mrd_outlier_add_hosts(outlier, &more, 1), 0);
	assert_true(state_of(outlier, 11).ejected);

	assert_int_equal(mrd_outlier_set_hosts(outlier, joined, 4), 0);
	assert_true(state_of(outlier, 1).ejected); /* one of two was */
	assert_int_equal(mrd_outlier_ejected_count(outlier), 1);
	/* One run of both, and a cap over three hosts. */
	play(&run, "3:2:500 4:12:500", 4);
	assert_string_equal(run.lines.text, "1 11 EJECT 5XX #1; 4 2 CAPPED 5XX #0; ");
	sweep_while(&run, 40000);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 0);
	play(&run, "40001:12:2*500", 40001);
	assert_true(state_of(outlier, 2).ejected);

	assert_int_equal(mrd_outlier_set_hosts(outlier, after, 2), 0);
	assert_true(state_of(outlier, 12).ejected);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 1);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(outlier);
}

static void test_restore(void **state)
{
	const struct row row = {.threshold = 1, .interval_ms = 1000, .base_ms = 1000};
	const struct mrd_outlier_state ejected = {
		.ejected = true,
		.ejected_at_ms = 95000,
		.ejected_until_ms = 104200,
		.ejections = 7,
		.multiplier = 3,
	};
	const struct mrd_outlier_state healthy = {.ejections = 2, .multiplier = 2};
	const struct mrd_outlier_rule rule = rule_of(&row);
	struct run run = {0};

	(void)state;
	assert_int_equal(mrd_outlier_new(&rule, true, 100000, &run.outlier), 0);
	set_hosts(run.outlier, "AAAA");
	assert_int_equal(mrd_outlier_restore(run.outlier, 9, &ejected), -ENOENT);
	assert_int_equal(mrd_outlier_restore(run.outlier, 1, &ejected), 0);
	assert_int_equal(mrd_outlier_restore(run.outlier, 2, &healthy), 0);
	assert_int_equal(mrd_outlier_ejected_count(run.outlier), 1);
	assert_int_equal(mrd_outlier_next_sweep(run.outlier), 101000);

	/* 1 returns at its own time; 2 forgets one step a sweep; both count on from what they had.
	 */
	sweep_while(&run, 101000);
	assert_int_equal(state_of(run.outlier, 2).multiplier, 1);
	sweep_while(&run, 105000);
	assert_string_equal(run.lines.text, "105000 1 UNEJECT #7 +10000; ");
	play(&run, "105001:1:500 105001:2:500", 105001);
	assert_int_equal(state_of(run.outlier, 1).ejections, 8);
	assert_int_equal(state_of(run.outlier, 1).multiplier, 4);
	assert_int_equal(state_of(run.outlier, 2).ejections, 3);
	assert_int_equal(state_of(run.outlier, 2).multiplier, 1);

	/* A time that ran out while nobody watched: back at the first sweep. */
	assert_int_equal(mrd_outlier_restore(run.outlier, 1, &healthy), 0);
	assert_int_equal(mrd_outlier_ejected_count(run.outlier), 1);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(run.outlier);
}

static void test_restore_overdue(void **state)
{
	const struct row row = {.interval_ms = 1000};
	const struct mrd_outlier_rule rule = rule_of(&row);
	const struct mrd_outlier_state overdue = {
		.ejected = true, .ejected_until_ms = 5, .ejections = 1, .multiplier = 1};
	struct run run = {0};

	(void)state;
	assert_int_equal(mrd_outlier_new(&rule, true, 100000, &run.outlier), 0);
	set_hosts(run.outlier, "A");
	assert_int_equal(mrd_outlier_restore(run.outlier, 1, &overdue), 0);
	assert_int_equal(mrd_outlier_next_sweep(run.outlier), 101000);
	sweep_while(&run, 101000);
	assert_false(state_of(run.outlier, 1).ejected);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(run.outlier);
}

static void test_changed_rule(void **state)
{
	const struct row row = {.threshold = 3, .interval_ms = 1000, .base_ms = 2000};
	struct mrd_outlier_rule rule = rule_of(&row);
	struct mrd_outlier *outlier = outlier_of(&row);

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 0, ignore, NULL);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 2000);

	/* Another threshold leaves the row of sweeps alone, another interval starts a new one. */
	rule.consecutive_5xx = 1;
	mrd_outlier_set_rule(outlier, &rule, 1500);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 2000);
	rule.interval_ms = 700;
	mrd_outlier_set_rule(outlier, &rule, 1500);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 2200);
	mrd_outlier_sweep(outlier, 2200, ignore, NULL);
	assert_false(state_of(outlier, 1).ejected);
	assert_int_equal(state_of(outlier, 1).multiplier, 1);
	mrd_outlier_set_http(outlier, false);
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 2300, ignore, NULL);
	assert_true(state_of(outlier, 1).ejected);
	mrd_outlier_free(outlier);
}

static void test_zero_rule(void **state)
{
	const struct mrd_outlier_rule zero = {.consecutive_5xx = 1, .cap = MRD_CAP_ALWAYS_ONE};
	struct mrd_outlier *outlier = NULL;

	(void)state;
	assert_int_equal(mrd_outlier_new(&zero, true, 0, &outlier), 0);
	set_hosts(outlier, "A");
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 10, ignore, NULL);
	mrd_outlier_sweep(outlier, 1000, ignore, NULL);
	assert_false(state_of(outlier, 1).ejected);
	mrd_outlier_free(outlier);
	mrd_outlier_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decay),
		cmocka_unit_test(test_decay_after_early_return),
		cmocka_unit_test(test_event_before_sweep),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_restore_overdue),
		cmocka_unit_test(test_changed_rule),
		cmocka_unit_test(test_zero_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
