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
		const char *id;
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
		{.text = "cn-*", .region = "cn-*", .zone = "", .subzone = ""}, /* of no place */
		{.text = "r/z*", .region = "r", .zone = "z*", .subzone = ""},
		{.text = "*n", .want = -EDOM},
		{.text = "r*/z", .want = -EDOM},
		{.text = "**", .want = -EDOM},
		{.id = "M9", .text = "a/b/c/rack", .region = "a", .zone = "b", .subzone = "c"},
		{.text = "r/z/s/*", .region = "r", .zone = "z", .subzone = "s"},
		{.text = "r/z/*/rack", .want = -EDOM},
		{.text = "r/z/s/rack/*", .region = "r", .zone = "z", .subzone = "s"},
		{.text = "r/z/s/*/*", .want = -EDOM},
		{.text = "r/z/s/*/x", .want = -EDOM},
		{.text = "r/z/s/a*b", .want = -EDOM},
		{.text = "r/z/s/rack/a*", .region = "r", .zone = "z", .subzone = "s"},
		{.text = "r/z/s//x", .want = -EINVAL},
		{.text = "r/z/s/", .want = -EINVAL},
		{.text = "r/z/s/rack/", .want = -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_locality_match match = {0};

		print_message("%s \"%s\"\n", cases[i].id ? cases[i].id : "", cases[i].text);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
