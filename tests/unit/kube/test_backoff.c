/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SEEDS = 200 };

static const uint64_t ms = 1000000;

/* Each wait lies between its step and twice that, over all seeds nearly at both ends. */
static void steps_and_jitter(void **state)
{
	static const uint64_t steps_ms[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	uint64_t least[sizeof(steps_ms) / sizeof(steps_ms[0])];
	uint64_t most[sizeof(steps_ms) / sizeof(steps_ms[0])];

	(void)state;
	for (uint32_t seed = 0; seed < SEEDS; seed++) {
		struct mrd_backoff backoff;
		uint64_t now_ns = 1000 * ms;

		mrd_backoff_init(&backoff, seed);
		for (size_t i = 0; i < sizeof(steps_ms) / sizeof(steps_ms[0]); i++) {
			const uint64_t wait_ns = mrd_backoff_next_ns(&backoff, now_ns);

			if (!seed || wait_ns < least[i])
				least[i] = wait_ns;
			if (!seed || wait_ns > most[i])
				most[i] = wait_ns;
			now_ns += wait_ns;
		}
	}
	for (size_t i = 0; i < sizeof(steps_ms) / sizeof(steps_ms[0]); i++) {
		const uint64_t step_ns = steps_ms[i] * ms;

		print_message("step %zu: %lu..%lu ms\n", i, (unsigned long)(least[i] / ms),
			      (unsigned long)(most[i] / ms));
		assert_in_range(least[i], step_ns, step_ns + step_ns / 10);
		assert_in_range(most[i], step_ns * 2 - step_ns / 10, step_ns * 2 - 1);
	}
}

static void a_quiet_while_resets(void **state)
{
	static const struct {
		uint64_t quiet_ms;
		uint64_t step_ms;
	} cases[] = {
		{.quiet_ms = 0, .step_ms = 3200},
		{.quiet_ms = 120000, .step_ms = 3200},
		{.quiet_ms = 120001, .step_ms = 800},
		{.quiet_ms = 86400000, .step_ms = 800},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_backoff backoff;
		uint64_t wait_ns;

		print_message("%lu ms after\n", (unsigned long)cases[i].quiet_ms);
		mrd_backoff_init(&backoff, 7);
		mrd_backoff_next_ns(&backoff, 500000 * ms);
		mrd_backoff_next_ns(&backoff, 500000 * ms);
		wait_ns = mrd_backoff_next_ns(&backoff, (500000 + cases[i].quiet_ms) * ms);
		assert_in_range(wait_ns, cases[i].step_ms * ms, cases[i].step_ms * 2 * ms);
	}
}

static void seeds_differ(void **state)
{
	struct mrd_backoff a;
	struct mrd_backoff b;
	struct mrd_backoff again;
	uint64_t wait_ns;

	(void)state;
	mrd_backoff_init(&a, 1);
	mrd_backoff_init(&b, 2);
	mrd_backoff_init(&again, 1);
	wait_ns = mrd_backoff_next_ns(&a, 0);
	assert_int_equal(wait_ns, mrd_backoff_next_ns(&again, 0));
	assert_int_not_equal(wait_ns, mrd_backoff_next_ns(&b, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_and_jitter),
		cmocka_unit_test(a_quiet_while_resets),
		cmocka_unit_test(seeds_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
