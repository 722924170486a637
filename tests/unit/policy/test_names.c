/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names of rules: such as objects have, each once. */
#include "policy/policy_yaml.h"

#include "tests/unit/policy/rows.h"

#define NAMED(name, host) RULE_NAMED(name, host) "    outlierDetection: {}\n"

static void test_rule_names(void **state)
{
	static const struct row rows[] = {
		{
			.id = "numbers are no names, however they are written",
			.text = NAMED("1e3", "1.5") "---\n" NAMED("0x1f", "'1.5'"),
			.want = "error a:3:18 metadata.name\n"
				"error a:5:9 spec.host\n"
				"error a:11:18 metadata.name\n",
			.says = "must be a string: write \"1e3\" in quotes",
		},
		{
			.id = "names that no object has",
			.text = NAMED("\"a\\nb\", namespace: A", "reviews"),
			.second = NAMED("R, namespace: ''", "reviews"),
			.want = "error a:3:18 metadata.name\n"
				"error a:3:37 metadata.namespace\n"
				"error b:3:18 metadata.name\n",
		},
		{
			.id = "one name for two hosts",
			.text = NAMED("r", "reviews"),
			.second = NAMED("r, namespace: default", "ratings"),
			.want = "warning b:3:18 metadata.name\n",
			.says = "a.yaml:3:18 already: of two, a cluster would have the one",
		},
		{
			.id = "one host, put in two ways",
			.text = NAMED("r", "reviews"),
			.second = NAMED("r", "reviews.default.svc.cluster.local"),
			.want = "warning b:5:9 spec.host\n",
			.says = "has no effect",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
