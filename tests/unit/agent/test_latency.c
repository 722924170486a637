/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct latency_case {
	const char *name;
	uint32_t from_us; /* samples from, from + 1, … to, in a scrambled order */
	uint32_t to_us;
	struct mrd_latency_summary want;
};

static const struct latency_case cases[] = {
	{.name = "one", .from_us = 7, .to_us = 7, .want = {1, 7, 7, 7}},
	{.name = "two", .from_us = 1, .to_us = 2, .want = {2, 1, 2, 2}},
	{.name = "a hundred", .from_us = 1, .to_us = 100, .want = {100, 50, 99, 100}},
	{.name = "all that fit", .from_us = 1, .to_us = 1000, .want = {1000, 500, 990, 1000}},
};

static void percentiles_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const uint32_t count = cases[i].to_us - cases[i].from_us + 1;
		struct mrd_latency_summary got;
		struct mrd_latency latency = {0};

		print_message("case: %s\n", cases[i].name);
		for (uint32_t k = 0; k < count; k++) /* 7 and the counts have no common part */
			mrd_latency_add(&latency,
					(cases[i].from_us + k * 7ULL % count) * 1000 + 999);
		mrd_latency_summarise(&latency, &got);
		assert_int_equal(got.count, cases[i].want.count);
		assert_int_equal(got.p50_us, cases[i].want.p50_us);
		assert_int_equal(got.p99_us, cases[i].want.p99_us);
		assert_int_equal(got.max_us, cases[i].want.max_us);
	}
}

static void old_samples_fall_out(void **state)
{
	struct mrd_latency latency = {0};
	struct mrd_latency_summary got;

	(void)state;
	mrd_latency_summarise(&latency, &got);
	assert_int_equal(got.count, 0);
	assert_int_equal(got.max_us, 0);
	mrd_latency_add(&latency, UINT64_MAX);
	mrd_latency_summarise(&latency, &got);
	assert_int_equal(got.max_us, UINT32_MAX);
	for (int i = 0; i < MRD_LATENCY_SAMPLES; i++)
		mrd_latency_add(&latency, 5000);
	mrd_latency_summarise(&latency, &got);
	assert_int_equal(got.count, MRD_LATENCY_SAMPLES + 1);
	assert_int_equal(got.max_us, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_exact),
		cmocka_unit_test(old_samples_fall_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
