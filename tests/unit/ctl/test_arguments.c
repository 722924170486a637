/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ctl/arguments.h"

static void test_locality(void **state)
{
	static const struct {
		const char *text;
		bool is_bad;
		struct mrd_locality_argument want;
	} cases[] = {
		{.text = "a", .want = {.region = "a"}},
		{.text = "a/b", .want = {.region = "a", .zone = "b"}},
		{.text = "a/b/c", .want = {.region = "a", .zone = "b", .subzone = "c"}},
		/* M9 */
		{.text = "a/b/c/rack", .want = {.region = "a", .zone = "b", .subzone = "c"}},
		{.text = "a/b/c/rack/slot", .want = {.region = "a", .zone = "b", .subzone = "c"}},
		{.text = "", .is_bad = true},
		{.text = "/a", .is_bad = true},
		{.text = "a/", .is_bad = true},
		{.text = "a//c", .is_bad = true},
		{.text = "a/b/c/", .is_bad = true},
		{.text = "*", .is_bad = true},
		{.text = "a/*", .is_bad = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_locality_argument locality = {0};

		print_message("\"%s\"\n", cases[i].text);
		assert_int_equal(mrd_arguments_read_locality(cases[i].text, &locality),
				 !cases[i].is_bad);
		assert_string_equal(locality.region, cases[i].want.region);
		assert_string_equal(locality.zone, cases[i].want.zone);
		assert_string_equal(locality.subzone, cases[i].want.subzone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_locality)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
