/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names of rules: such as objects have, each once. */
#include "policy/policy_yaml.h"

#include "tests/unit/policy/rows.h"

static void test_rule_names(void **state)
{
	static const struct row rows[] = {
		{
			.id = "numbers are no names, however they are written",
			.text = RULE_NAMED("1e3", "1.5") "    outlierDetection: "
							 "{}\n---\n" RULE_NAMED(
								 "0x1f",
								 "'1.5'") "    outlierDetection: "
									  "{}\n",
			.want = "error a:3:18 metadata.name\n"
				"error a:5:9 spec.host\n"
				"error a:11:18 metadata.name\n",
			.says = "must be a string: write \"1e3\" in quotes",
		},
		{
			.id = "names that no object has",
			.text = RULE_NAMED("\"a\\nb\", namespace: A",
					   "reviews") "    outlierDetection: {}\n",
			.second = RULE_NAMED("R, namespace: ''",
					     "reviews") "    outlierDetection: {}\n",
			.want = "error a:3:18 metadata.name\n"
				"error a:3:37 metadata.namespace\n"
				"error b:3:18 metadata.name\n",
		},
		{
			.id = "one name for two hosts",
			.text = RULE "    outlierDetection: {}\n",
			.second = RULE_NAMED("r, namespace: default",
					     "ratings") "    outlierDetection: {}\n",
			.want = "warning b:3:18 metadata.name\n",
			.says = "a.yaml:3:18 already: of two, a cluster would have the one",
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
