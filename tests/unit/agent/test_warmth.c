/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which regions are back, and since when. */
#include "agent/warmth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct mrd_warmth *first_plan(void)
{
	struct mrd_warmth *warmth = mrd_warmth_new();

	assert_non_null(warmth);
	mrd_warmth_know(warmth, "near");
	return warmth;
}

static void what_was_there_at_first_is_warm(void **state)
{
	struct mrd_warmth *warmth = first_plan();

	(void)state;
	for (uint64_t now_ms = 100; now_ms < 103; now_ms++) {
		assert_true(mrd_warmth_ask(warmth, "near", now_ms) == UINT64_MAX);
		mrd_warmth_settle(warmth);
	}
	mrd_warmth_free(warmth);
}

static void what_comes_later_warms_up_from_its_first_plan(void **state)
{
	struct mrd_warmth *warmth = first_plan();

	(void)state;
	assert_int_equal(mrd_warmth_ask(warmth, "ill", 100), 0);
	assert_int_equal(mrd_warmth_ask(warmth, "new", 100), 0);
	mrd_warmth_settle(warmth);
	assert_int_equal(mrd_warmth_ask(warmth, "ill", 130), 30);
	assert_int_equal(mrd_warmth_ask(warmth, "ill", 130), 30); /* a region of two zones */
	mrd_warmth_free(warmth);
}

static void a_plan_without_a_region_takes_it_down(void **state)
{
	struct mrd_warmth *warmth = first_plan();

	(void)state;
	assert_true(mrd_warmth_ask(NULL, "near", 400) == UINT64_MAX);
	mrd_warmth_settle(warmth);
	assert_int_equal(mrd_warmth_ask(warmth, "near", 500), 0);
	mrd_warmth_settle(warmth);
	assert_int_equal(mrd_warmth_ask(warmth, "near", 600), 100);
	mrd_warmth_settle(warmth);
	mrd_warmth_settle(warmth); /* gone again while it warms up */
	assert_int_equal(mrd_warmth_ask(warmth, "near", 700), 0);
	mrd_warmth_free(warmth);
}

static void a_peek_leaves_all_as_it_is(void **state)
{
	struct mrd_warmth *warmth = first_plan();

	(void)state;
	assert_true(mrd_warmth_peek(NULL, "near", 100, 0) == UINT64_MAX);
	assert_true(mrd_warmth_peek(warmth, "near", 100, 0) == UINT64_MAX);
	assert_int_equal(mrd_warmth_peek(warmth, "new", 100, 0), 0);
	assert_int_equal(mrd_warmth_peek(warmth, "new", 100, 7), 7);
	assert_int_equal(mrd_warmth_ask(warmth, "new", 150), 0); /* not since the peek */
	assert_int_equal(mrd_warmth_peek(warmth, "new", 180, 7), 30);
	mrd_warmth_settle(warmth); /* of near nobody has asked: the peek does not count */
	assert_int_equal(mrd_warmth_peek(warmth, "near", 200, 7), 7);
	mrd_warmth_free(warmth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_there_at_first_is_warm),
		cmocka_unit_test(what_comes_later_warms_up_from_its_first_plan),
		cmocka_unit_test(a_plan_without_a_region_takes_it_down),
		cmocka_unit_test(a_peek_leaves_all_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
