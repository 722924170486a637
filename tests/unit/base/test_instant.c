/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/instant.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void reads_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{.text = "1970-01-01T00:00:00Z"},
		{.text = "1970-01-01T00:00:01Z", .us = 1000000},
		{.text = "1969-12-31T23:59:59.5Z", .us = -500000},
		{.text = "1970-01-01T00:00:00.0000019Z", .us = 1},
		{.text = "1970-01-01T00:00:00.25+00:00", .us = 250000},
		{.text = "1970-01-01T08:00:00+08:00"},
		{.text = "1969-12-31T18:30:00-05:30"},
		{.text = "2024-02-29T12:00:00Z", .us = INT64_C(1709208000000000)},
		{.text = "9999-12-31T23:59:59Z", .us = INT64_C(253402300799000000)},
		{.text = "0000-01-01T00:00:00Z", .us = INT64_C(-62167219200000000)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t us = 1;

		print_message("%s\n", cases[i].text);
		assert_int_equal(mrd_instant_parse(cases[i].text, &us), 0);
		assert_true(us == cases[i].us);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const cases[] = {
		"",
		"yesterday",
		"2026-01-01",
		"2026-01-01T00:00:00",
		"2026-01-01 00:00:00Z",
		"2026-01-01t00:00:00z",
		"2026-1-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00+8:00",
		"2026-01-01T00:00:00+0800",
		"2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00+08:60",
		"2026-01-01T00:00:00+08:00Z",
		"2026-01-01T00:00:00Zz",
		" 2026-01-01T00:00:00Z",
		"1767225600",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t us = 7;

		print_message("%s\n", cases[i]);
		assert_int_equal(mrd_instant_parse(cases[i], &us), -EINVAL);
		assert_int_equal(us, 7);
	}
}

static void what_has_no_date_is_the_newest(void **state)
{
	static const struct {
		int64_t a;
		int64_t b;
		int want;
	} cases[] = {
		{1, 2, -1},
		{2, 1, 1},
		{2, 2, 0},
		{INT64_MAX, MRD_INSTANT_NONE, -1},
		{MRD_INSTANT_NONE, -5, 1},
		{MRD_INSTANT_NONE, MRD_INSTANT_NONE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mrd_instant_compare_age(cases[i].a, cases[i].b), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rfc_3339),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(what_has_no_date_is_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
