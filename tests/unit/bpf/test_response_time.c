// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Response times: a bound belongs to what it ends, as "le" of a histogram says. */
#include "bpf/lib/response_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define BOUND(us) us,
static const uint32_t bounds_us[] = {MRD_RESPONSE_BOUNDS_US(BOUND)};
enum { BOUNDS = sizeof(bounds_us) / sizeof(*bounds_us) };

static void test_bounds_grow(void **state)
{
	(void)state;
	assert_int_equal(BOUNDS, MRD_RESPONSE_BOUNDS);
	assert_int_equal(MRD_RESPONSE_BUCKETS, BOUNDS + 1);
	assert_true(bounds_us[0] > 0);
	for (size_t i = 1; i < BOUNDS; i++)
		assert_true(bounds_us[i - 1] < bounds_us[i]);
}

static void test_each_bound_is_the_last_of_its_bucket(void **state)
{
	(void)state;
	for (__u32 i = 0; i < BOUNDS; i++) {
		const __u64 bound_ns = bounds_us[i] * 1000ULL;

		printf("bound %u us\n", bounds_us[i]);
		assert_int_equal(mrd_response_bucket(bound_ns - 1), i);
		assert_int_equal(mrd_response_bucket(bound_ns), i);
		assert_int_equal(mrd_response_bucket(bound_ns + 1), i + 1);
	}
}

static void test_times_find_their_place(void **state)
{
	static const struct {
		const char *name;
		__u64 took_ns;
		__u32 want;
	} cases[] = {
		{.name = "none at all", .took_ns = 0, .want = 0},
		{.name = "60 us", .took_ns = 60000, .want = 0},
		{.name = "2 ms", .took_ns = 2000000, .want = 2},
		{.name = "40 ms", .took_ns = 40000000, .want = 5},
		{.name = "5 s, more than 32 bits of ns", .took_ns = 5000000000, .want = 9},
		{.name = "a minute", .took_ns = 60000000000, .want = 10},
		{.name = "centuries", .took_ns = INT64_MAX, .want = 10},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("%s\n", cases[i].name);
		assert_int_equal(mrd_response_bucket(cases[i].took_ns), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_grow),
		cmocka_unit_test(test_each_bound_is_the_last_of_its_bucket),
		cmocka_unit_test(test_times_find_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
