/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/locality.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *region;
		const char *zone;
		const char *subzone;
	} cases[] = {
		{.text = "*", .region = "", .zone = "", .subzone = ""},
		{.text = "r", .region = "r", .zone = "", .subzone = ""},
		{.text = "r/*", .region = "r", .zone = "", .subzone = ""},
		{.text = "r/z", .region = "r", .zone = "z", .subzone = ""},
		{.text = "r/z/*", .region = "r", .zone = "z", .subzone = ""},
		{.text = "r/z/s", .region = "r", .zone = "z", .subzone = "s"},
		{.text = "", .want = -EINVAL},
		{.text = "/z", .want = -EINVAL},
		{.text = "r/", .want = -EINVAL},
		{.text = "r//s", .want = -EINVAL},
		{.text = "*/z", .want = -EDOM},
		{.text = "*/zone/*", .want = -EDOM},
		{.text = "r/*/s", .want = -EDOM},
		{.text = "cn-*", .want = -EDOM},
		{.text = "r/z*", .want = -EDOM},
		{.text = "**", .want = -EDOM},
		{.text = "r/z/s/rack", .want = -E2BIG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_locality_match match = {0};

		print_message("\"%s\"\n", cases[i].text);
		assert_int_equal(mrd_locality_parse(cases[i].text, &match), cases[i].want);
		if (cases[i].want < 0) {
			assert_null(match.region);
			continue;
		}
		assert_string_equal(match.region, cases[i].region);
		assert_string_equal(match.zone, cases[i].zone);
		assert_string_equal(match.subzone, cases[i].subzone);
		mrd_locality_match_free(&match);
	}
}

static void test_covers(void **state)
{
	static const struct {
		const char *id;
		const char *outer;
		const char *inner;
		bool want;
	} cases[] = {
		{.id = "M1", .outer = "*", .inner = "r1/z1/s1", .want = true},
		{.id = "M2", .outer = "r1/*", .inner = "r1/z1/s1", .want = true},
		{.id = "M3", .outer = "r1/z1/*", .inner = "r1/z1/s1", .want = true},
		{.id = "M5", .outer = "r1", .inner = "r1/z1/s1", .want = true},
		{.id = "M6", .outer = "r1/z1", .inner = "r1/z1/s1", .want = true},
		{.id = "M7", .outer = "r1/z1", .inner = "r1/z1", .want = true},
		{.id = "other region", .outer = "r2", .inner = "r1/z1", .want = false},
		{.id = "other zone", .outer = "r1/z2", .inner = "r1/z1/s1", .want = false},
		{.id = "narrower", .outer = "r1/z1/s1", .inner = "r1/z1", .want = false},
		{.id = "same", .outer = "r1/*", .inner = "r1", .want = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_locality_match outer = {0};
		struct mrd_locality_match inner = {0};

		print_message("%s\n", cases[i].id);
		assert_int_equal(mrd_locality_parse(cases[i].outer, &outer), 0);
		assert_int_equal(mrd_locality_parse(cases[i].inner, &inner), 0);
		assert_int_equal(mrd_locality_covers(&outer, &inner), cases[i].want);
		assert_int_equal(mrd_locality_is_any(&outer), !strcmp(cases[i].outer, "*"));
		mrd_locality_match_free(&outer);
		mrd_locality_match_free(&inner);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
