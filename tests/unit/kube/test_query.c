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

static void paths(void **state)
{
	static const struct {
		struct mrd_query_kind kind;
		const char *namespace_;
		const char *path;
		const char *api_version;
	} cases[] = {
		{{"", "v1", 2, "services"}, "", "/api/v1/services", "v1"},
		{{"", "v1", 2, "services"}, "shop", "/api/v1/namespaces/shop/services", "v1"},
		{{"discovery.k8s.io", "v1 v1beta1", 2, "endpointslices"},
		 "",
		 "/apis/discovery.k8s.io/v1/endpointslices",
		 "discovery.k8s.io/v1"},
		{{"discovery.k8s.io", "v1beta1", 7, "endpointslices"},
		 "a/../b?c",
		 "/apis/discovery.k8s.io/v1beta1/namespaces/a%2F..%2Fb%3Fc/endpointslices",
		 "discovery.k8s.io/v1beta1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf path = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf version = {0};

		print_message("case %s\n", cases[i].path);
		mrd_query_add_path(&path, &cases[i].kind, cases[i].namespace_);
		assert_string_equal(path.text, cases[i].path);
		mrd_query_add_api_version(&version, &cases[i].kind);
		assert_string_equal(version.text, cases[i].api_version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
