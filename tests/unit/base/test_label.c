/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void keys_and_values_are_told_from_others(void **state)
{
	static const struct {
		const char *text;
		bool is_key;
		bool is_value;
	} cases[] = {
		{"", false, true},
		{"a", true, true},
		{"app.kubernetes.io", true, true},
		{"A_b-c.9", true, true},
		{"-a", false, false},
		{"a-", false, false},
		{"a b", false, false},
		{"*", false, false},
		{"a*", false, false},
		{"\xc3\xa9", false, false},
		{SIXTY "123", true, true},
		{SIXTY "1234", false, false},
		{"app.kubernetes.io/name", true, false},
		{"example.org/" SIXTY "123", true, false},
		{"example.org/" SIXTY "1234", false, false},
		{"/name", false, false},
		{"example.org/", false, false},
		{"a/b/c", false, false},
		{"a..b/name", false, false},
		{"a./name", false, false},
		{".a/name", false, false},
		{"a_b/name", false, false},
		{"-a.b/name", false, false},
		{SIXTY "." SIXTY "." SIXTY "." SIXTY ".012345678/name", true, false},
		{SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN "/name", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("\"%s\"\n", cases[i].text);
		assert_int_equal(mrd_label_is_key(cases[i].text, strlen(cases[i].text)),
				 cases[i].is_key);
		assert_int_equal(mrd_label_is_value(cases[i].text, strlen(cases[i].text)),
				 cases[i].is_value);
	}
	assert_true(mrd_label_is_dns("a-1", 3));
	assert_false(mrd_label_is_dns("a.b", 3));
	assert_false(mrd_label_is_dns("A", 1));
	assert_false(mrd_label_is_dns("", 0));
	assert_false(mrd_label_is_dns("a\nb", 3));
	assert_true(mrd_label_is_dns_name("a.b-c", 5));
	assert_false(mrd_label_is_dns_name("a..b", 4));
	assert_false(mrd_label_is_dns_name("a.B", 3));
	/* The length counts, and not what stands behind it. */
	assert_true(mrd_label_is_key("a*", 1));
	assert_false(mrd_label_is_value("a\0b", 3));
}

static void places_are_told_from_what_a_pod_says(void **state)
{
	(void)state;
	assert_true(mrd_label_is_of_place("topology.kubernetes.io/zone"));
	assert_true(mrd_label_is_of_place("topology.istio.io/cluster"));
	assert_true(mrd_label_is_of_place("kubernetes.io/hostname"));
	assert_false(mrd_label_is_of_place("kubernetes.io/arch"));
	assert_false(mrd_label_is_of_place("topology.kubernetes.io/rack"));
	assert_false(mrd_label_is_of_place("app"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_values_are_told_from_others),
		cmocka_unit_test(places_are_told_from_what_a_pod_says),
	};

	return cmocka_run_group_tests_name("base/label", tests, NULL, NULL);
}
