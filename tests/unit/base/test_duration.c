/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/duration.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void reads_what_go_reads(void **state)
{
	static const struct {
		const char *text;
		int want;
		uint64_t ms;
	} cases[] = {
		{.text = "0"},
		{.text = "0s"},
		{.text = "-0s"},
		{.text = "+5s", .ms = 5000},
		{.text = "30s", .ms = 30000},
		{.text = "1m", .ms = 60000},
		{.text = "1h30m", .ms = 5400000},
		{.text = "500ms", .ms = 500},
		{.text = "1.5s", .ms = 1500},
		{.text = ".5s", .ms = 500},
		{.text = "5.s", .ms = 5000},
		{.text = "0.001s", .ms = 1},
		{.text = "1000us", .ms = 1},
		{.text = "1000\xc2\xb5s", .ms = 1},
		{.text = "1000\xce\xbcs", .ms = 1},
		{.text = "1000000ns", .ms = 1},
		{.text = "1m1m", .ms = 120000},
		{.text = "1s1h", .ms = 3601000},
		{.text = "0.3333333333333333333h", .ms = 1200000},
		{.text = "0.100000000000000000000h", .ms = 360000},
		{.text = "9223372036854ms", .ms = 9223372036854},
		{.text = "", .want = -EINVAL},
		{.text = "-", .want = -EINVAL},
		{.text = "+", .want = -EINVAL},
		{.text = "5", .want = -EINVAL},
		{.text = "s", .want = -EINVAL},
		{.text = ".", .want = -EINVAL},
		{.text = ".s", .want = -EINVAL},
		{.text = "1x", .want = -EINVAL},
		{.text = "1sx", .want = -EINVAL},
		{.text = "1 s", .want = -EINVAL},
		{.text = "1s ", .want = -EINVAL},
		{.text = "1S", .want = -EINVAL},
		{.text = "1d", .want = -EINVAL},
		{.text = "1.2.3s", .want = -EINVAL},
		{.text = "--1s", .want = -EINVAL},
		{.text = "1s-1s", .want = -EINVAL},
		{.text = "-1s", .want = -ERANGE},
		{.text = "9223372036855ms", .want = -ERANGE},
		{.text = "99999999999999999999s", .want = -ERANGE},
		{.text = "2562048h", .want = -ERANGE},
		{.text = "1us", .want = -EDOM},
		{.text = "1.5ms", .want = -EDOM},
		{.text = "1s1ns", .want = -EDOM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ms = 77;

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(mrd_duration_parse(cases[i].text, &ms), cases[i].want);
		assert_int_equal(ms, cases[i].want ? 77 : cases[i].ms);
	}
}

static void writes_as_go_writes(void **state)
{
	static const struct {
		uint64_t ms;
		const char *want;
	} cases[] = {
		{.ms = 0, .want = "0s"},
		{.ms = 1, .want = "1ms"},
		{.ms = 999, .want = "999ms"},
		{.ms = 1000, .want = "1s"},
		{.ms = 1500, .want = "1.5s"},
		{.ms = 1050, .want = "1.05s"},
		{.ms = 1001, .want = "1.001s"},
		{.ms = 59999, .want = "59.999s"},
		{.ms = 60000, .want = "1m0s"},
		{.ms = 3600000, .want = "1h0m0s"},
		{.ms = 5400000, .want = "1h30m0s"},
		{.ms = 3600500, .want = "1h0m0.5s"},
		{.ms = UINT64_MAX, .want = "5124095576030h25m51.615s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[MRD_DURATION_TEXT_MAX];
		uint64_t again;

		print_message("case %s\n", cases[i].want);
		assert_string_equal(mrd_duration_format(cases[i].ms, buf), cases[i].want);
		if (cases[i].ms == UINT64_MAX)
			continue; /* more than Go holds */
		assert_int_equal(mrd_duration_parse(buf, &again), 0);
		assert_int_equal(again, cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_go_reads),
		cmocka_unit_test(writes_as_go_writes),
	};

	return cmocka_run_group_tests_name("base/duration", tests, NULL, NULL);
}
