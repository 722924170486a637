/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NS_PER_US = 1000 };

static void bounds_grow(void **state)
{
	(void)state;
	assert_true(mrd_histogram_bounds_us[0] > 0);
	for (size_t i = 1; i < MRD_HISTOGRAM_BOUNDS; i++)
		assert_true(mrd_histogram_bounds_us[i - 1] < mrd_histogram_bounds_us[i]);
}

static void expect_in(uint64_t ns, size_t place)
{
	struct mrd_histogram histogram = {0};

	mrd_histogram_add(&histogram, ns);
	for (size_t i = 0; i <= MRD_HISTOGRAM_BOUNDS; i++)
		assert_int_equal(histogram.counts[i], i == place);
	assert_int_equal(histogram.sum_us, ns / NS_PER_US);
}

/* A bound belongs to what is below it, as "le" says. */
static void times_find_their_place(void **state)
{
	(void)state;
	expect_in(0, 0);
	for (size_t i = 0; i < MRD_HISTOGRAM_BOUNDS; i++) {
		const uint64_t ns = (uint64_t)mrd_histogram_bounds_us[i] * NS_PER_US;

		print_message("bound %zu\n", i);
		expect_in(ns, i);
		expect_in(ns + 1, i + 1);
	}
	expect_in(UINT64_MAX, MRD_HISTOGRAM_BOUNDS);
}

static void counts_and_sums_add_up(void **state)
{
	struct mrd_histogram histogram = {0};

	(void)state;
	assert_int_equal(mrd_histogram_count(&histogram), 0);
	mrd_histogram_add(&histogram, 1999);
	mrd_histogram_add(&histogram, 2000);
	mrd_histogram_add(&histogram, 60000000000);
	assert_int_equal(mrd_histogram_count(&histogram), 3);
	assert_int_equal(histogram.counts[0], 2);
	assert_int_equal(histogram.counts[MRD_HISTOGRAM_BOUNDS], 1);
	assert_int_equal(histogram.sum_us, 60000003);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_grow),
		cmocka_unit_test(times_find_their_place),
		cmocka_unit_test(counts_and_sums_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
