/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void escapes(void **state)
{
	static const struct {
		const char *value;
		const char *want;
	} cases[] = {
		{.value = "", .want = "/p?k="},
		{.value = "aZ09-._~", .want = "/p?k=aZ09-._~"},
		{.value = "a b+c&d=e?f#g/h%", .want = "/p?k=a%20b%2Bc%26d%3De%3Ff%23g%2Fh%25"},
		{.value = "\xc3\xa9\x01\"", .want = "/p?k=%C3%A9%01%22"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf query = {0};

		print_message("case '%s'\n", cases[i].value);
		mrd_strbuf_addf(&query, "/p");
		mrd_query_add(&query, "k", cases[i].value);
		assert_string_equal(query.text, cases[i].want);
		mrd_query_add(&query, "l", "?");
		assert_string_equal(query.text + strlen(cases[i].want), "&l=%3F");
	}
}

static void names(void **state)
{
	static const struct {
		const char *path;
		const char *group;
		const char *resource;
	} cases[] = {
		{.path = "/api/v1/services", .group = "", .resource = "services"},
		{.path = "/apis/discovery.k8s.io/v1/endpointslices",
		 .group = "discovery.k8s.io",
		 .resource = "endpointslices"},
		{.path = "/apis/networking.istio.io/v1beta1/destinationrules",
		 .group = "networking.istio.io",
		 .resource = "destinationrules"},
		{.path = "odd", .group = "", .resource = "odd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mrd_query_names got = mrd_query_names(cases[i].path);

		print_message("case %s\n", cases[i].path);
		assert_int_equal(got.group_len, strlen(cases[i].group));
		assert_memory_equal(got.group, cases[i].group, got.group_len);
		assert_string_equal(got.resource, cases[i].resource);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
