/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plan/start.h"

#define LABEL                                                                                    \
	"must be at most 63 letters, digits, \"-\", \"_\" and \".\", with a letter or digit at " \
	"both ends (the value of a Kubernetes label)"
#define EMPTY "a region, zone or subzone is empty"
#define TEN   "abcdefghij"

struct start_case {
	const char *id;
	const char *text;
	const char *fault;
	struct mrd_start want;
};

static const struct start_case places[] = {
	{.text = "a", .want = {.region = "a"}},
	{.text = "us_east.1", .want = {.region = "us_east.1"}},
	{.text = "1.2.3", .want = {.region = "1.2.3"}},
	{.text = "a/b", .want = {.region = "a", .zone = "b"}},
	{.text = "a/b/c", .want = {.region = "a", .zone = "b", .subzone = "c"}},
	{.id = "M9", .text = "a/b/c/rack", .want = {.region = "a", .zone = "b", .subzone = "c"}},
	{.text = "a/b/c/rack/slot", .want = {.region = "a", .zone = "b", .subzone = "c"}},
	{.text = "", .fault = EMPTY},
	{.text = "/a", .fault = EMPTY},
	{.text = "a/", .fault = EMPTY},
	{.text = "a//c", .fault = EMPTY},
	{.text = "a/b/c/", .fault = EMPTY},
	{.text = "*", .fault = "must be one place: \"*\" is for rules"},
	{.text = "a/*", .fault = "must be one place: \"*\" is for rules"},
	{.text = "a b", .fault = LABEL},
	{.text = "a/b\n", .fault = LABEL},
	{.text = "a/b/c/d e", .fault = LABEL},
	{.text = "-a", .fault = LABEL},
	{.text = TEN TEN TEN TEN TEN TEN "abcd",
	 .fault = "a region, zone or subzone has at most 63 characters"},
	{.text = "10.0.0.1:8080", .fault = "a pod's address stands alone, without a port"},
	{.text = "[fd00::5]:8080", .fault = "a pod's address stands alone, without a port"},
	{.text = "[fd00::5]", .fault = "a pod's address stands alone, without brackets"},
	{.text = "10.0.0.0/24", .fault = "a pod's address stands alone, without a prefix length"},
	{.text = "10.0.0.1/24", .fault = "a pod's address stands alone, without a prefix length"},
	{.text = "10.0.0.256", .fault = "it is no address"},
	{.text = "10.0.0.1/a", .fault = "it is no address"},
	{.text = "fe80::1%eth0", .fault = "it is no address"},
	{.text = "web:80", .fault = "it is no address"},
};

static void check(const struct start_case *row,
		  const char *(*parse)(const char *text, struct mrd_start *ret_start))
{
	struct mrd_start start = {0};
	const char *fault = parse(row->text, &start);

	print_message("%s \"%s\": %s\n", row->id ? row->id : "", row->text, fault ? fault : "good");
	assert_string_equal(fault ? fault : "", row->fault ? row->fault : "");
	assert_string_equal(start.region, row->want.region);
	assert_string_equal(start.zone, row->want.zone);
	assert_string_equal(start.subzone, row->want.subzone);
	assert_int_equal(start.ip.version, row->want.ip.version);
}

static void a_place_is_up_to_three_levels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		check(&places[i], mrd_start_parse_place);
		check(&places[i], mrd_start_parse);
	}
}

static void an_address_is_a_start_and_no_place(void **state)
{
	static const struct start_case starts[] = {
		{.text = "10.0.0.5", .want = {.ip.version = MRD_IPV4}},
		{.text = "fd00::5", .want = {.ip.version = MRD_IPV6}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		const struct start_case place = {
			.text = starts[i].text,
			.fault = "an address is no place",
		};

		check(&starts[i], mrd_start_parse);
		check(&place, mrd_start_parse_place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_up_to_three_levels),
		cmocka_unit_test(an_address_is_a_start_and_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
