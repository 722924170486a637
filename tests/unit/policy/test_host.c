/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_expand(void **state)
{
	static const struct {
		const char *id;
		const char *host;
		const char *namespace_;
		const char *want;
	} cases[] = {
		{.id = "H1",
		 .host = "foo",
		 .namespace_ = "default",
		 .want = "foo.default.svc.cluster.local"},
		{.id = "H3", .host = "*", .namespace_ = "default", .want = "*"},
		{.id = "H4", .host = "foo", .namespace_ = "", .want = "foo.svc.cluster.local"},
		{.id = "H6",
		 .host = "42.185.131.210",
		 .namespace_ = "default",
		 .want = "42.185.131.210"},
		{.id = "H6", .host = "2a00:4000::614", .namespace_ = "x", .want = "2a00:4000::614"},
		{.id = "dot", .host = "foo.bar", .namespace_ = "default", .want = "foo.bar"},
		{.id = "a dot at the end",
		 .host = "foo.bar.svc.cluster.local.",
		 .namespace_ = "default",
		 .want = "foo.bar.svc.cluster.local"},
		{.id = "no short name", .host = "foo.", .namespace_ = "x", .want = "foo"},
		{.id = "a wildcard's", .host = "*.bar.", .namespace_ = "x", .want = "*.bar"},
		{.id = "short wildcard",
		 .host = "*foo",
		 .namespace_ = "x",
		 .want = "*foo.x.svc.cluster.local"},
		{.id = "empty", .host = "", .namespace_ = "x", .want = ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *host = NULL;

		print_message("%s %s\n", cases[i].id, cases[i].host);
		assert_int_equal(
			mrd_host_expand(cases[i].host, cases[i].namespace_, "cluster.local", &host),
			0);
		assert_string_equal(host, cases[i].want);
		free(host);
	}
}

static void test_valid(void **state)
{
	static const struct {
		const char *host;
		bool want;
	} cases[] = {
		{.host = "reviews", .want = true},
		{.host = "*", .want = true},
		{.host = "*.foo.com", .want = true},
		{.host = "*foo.com", .want = true},
		{.host = "*-blue.foo.com", .want = true},
		{.host = "10.0.0.1", .want = true},
		{.host = "fd00::1", .want = true},
		{.host = "foo.com.", .want = true},
		{.host = "foo.", .want = true},
		{.host = "*.foo.com.", .want = true},
		{.host = "123", .want = true},
		{.host = "foo.123", .want = false},
		{.host = "*.123", .want = false},
		{.host = "foo.com..", .want = false},
		{.host = ".", .want = false},
		{.host = "", .want = false},
		{.host = "foo.*.com", .want = false},
		{.host = "**.com", .want = false},
		{.host = "foo..com", .want = false},
		{.host = ".foo", .want = false},
		{.host = "-foo", .want = false},
		{.host = "foo-", .want = false},
		{.host = "foo/bar", .want = false},
		{.host = "foo_bar", .want = false},
		{.host = "a123456789a123456789a123456789a123456789a123456789a123456789abcd",
		 .want = false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("%s\n", cases[i].host);
		assert_int_equal(mrd_host_is_valid(cases[i].host), cases[i].want);
	}
}

/* Which of two rules holds for a host: 0, 1, or -1 for neither. */
static int better(const char *const rules[2], const char *host)
{
	const bool first = mrd_host_matches(rules[0], host);
	const bool second = mrd_host_matches(rules[1], host);

	if (first && second)
		return mrd_host_compare(rules[0], rules[1]) > 0 ? 0 : 1;
	return first ? 0 : second ? 1 : -1;
}

static void test_most_specific(void **state)
{
	static const struct {
		const char *id;
		const char *rules[2];
		const char *host;
		int want;
	} cases[] = {
		{.id = "H7", .rules = {"*.foo.com", "*.com"}, .host = "bar.foo.com", .want = 0},
		{.id = "H7 turned",
		 .rules = {"*.com", "*.foo.com"},
		 .host = "a.foo.com",
		 .want = 1},
		{.id = "H9", .rules = {"*.foo.com", "foo.com"}, .host = "foo.com", .want = 1},
		{.id = "H10",
		 .rules = {"*.bar.com", "foo.bar.com"},
		 .host = "foo.bar.com",
		 .want = 1},
		{.id = "H12",
		 .rules = {"bar.foo.com", "foo.bar.com"},
		 .host = "*.foo.com",
		 .want = -1},
		{.id = "K12", .rules = {"*.org", "*.app.org"}, .host = "foo.app.org", .want = 1},
		{.id = "any", .rules = {"*", "*.org"}, .host = "foo.com", .want = 0},
		{.id = "a name within",
		 .rules = {"foo.com", "*.o.com"},
		 .host = "bar.foo.com",
		 .want = -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("%s\n", cases[i].id);
		assert_int_equal(better(cases[i].rules, cases[i].host), cases[i].want);
	}
}

static void test_services(void **state)
{
	static const struct {
		const char *host;
		bool may_be;
		const char *namespace_; /* NULL: none */
	} cases[] = {
		{.host = "a.ns.svc.cluster.local", .may_be = true, .namespace_ = "ns"},
		{.host = "*.ns.svc.cluster.local", .may_be = true, .namespace_ = "ns"},
		{.host = "*-a.ns.svc.cluster.local", .may_be = true, .namespace_ = "ns"},
		{.host = "*ns.svc.cluster.local", .may_be = true},
		{.host = "*.svc.cluster.local", .may_be = true},
		{.host = "*.local", .may_be = true},
		{.host = "*", .may_be = true},
		{.host = "a.ns"},
		{.host = "a.ns.svc"},
		{.host = "*.foo.com"},
		{.host = "a.ns.svc.cluster.other"},
		{.host = "10.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = 0;
		const char *namespace_ = mrd_host_namespace(cases[i].host, "cluster.local", &len);

		print_message("%s\n", cases[i].host);
		assert_int_equal(mrd_host_may_be_service(cases[i].host, "cluster.local"),
				 cases[i].may_be);
		assert_int_equal(!namespace_, !cases[i].namespace_);
		if (!namespace_)
			continue;
		assert_int_equal(len, strlen(cases[i].namespace_));
		assert_memory_equal(namespace_, cases[i].namespace_, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_most_specific),
		cmocka_unit_test(test_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
