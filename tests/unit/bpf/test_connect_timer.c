// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The timers of a connect with a time limit, at the kernel's usual clock rates. */
#include "bpf/lib/connect_timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct timer_case {
	const char *name;
	__u32 timeout_ms;
	__u32 hz;
	__u32 want;
};

static void check(__u32 (*timer)(__u32 timeout_ms, __u32 initial), const struct timer_case *cases,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", cases[i].name);
		assert_int_equal(timer(cases[i].timeout_ms, cases[i].hz), cases[i].want);
	}
}

static void rings_before_the_time_is_over(void **state)
{
	static const struct timer_case cases[] = {
		{"half of it", 500, 1000, 250},
		{"in jiffies", 500, 250, 62},
		{"of few", 500, 100, 25},
		{"at least one", 1, 100, 1},
		{"so short that none would be left", 10, 100, 1},
		{"the kernel's own second is soon enough", 2000, 1000, 0},
		{"just not", 1999, 1000, 999},
		{"long", 3600000, 250, 0},
		{"a socket whose timer is not the first one", 500, 4, 0},
		{"or has grown", 500, 120000, 0},
	};

	(void)state;
	check(mrd_connect_timer, cases, sizeof(cases) / sizeof(cases[0]));
}

static void is_set_for_a_timer_that_rings_late(void **state)
{
	static const struct timer_case cases[] = {
		{"a jiffy less", 50, 250, 46},
		{"of a millisecond", 50, 1000, 49},
		{"of ten", 500, 100, 490},
		{"so short that nothing would be left", 4, 250, 4},
		{"just not", 5, 250, 1},
		{"a socket whose timer is not the first one", 500, 4, 500},
		{"or has grown", 500, 120000, 500},
		{"the longest", INT32_MAX, 250, INT32_MAX - 4},
	};

	(void)state;
	check(mrd_connect_limit_ms, cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_set_for_a_timer_that_rings_late),
		cmocka_unit_test(rings_before_the_time_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
