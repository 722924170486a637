/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Hosts of a cluster that has fallen silent: kept while they answer, given up first. */
#include "script.h"

struct unheard_case {
	const char *name;
	const char *hosts;   /* as in script.h */
	const char *unheard; /* those of them: "13" */
	const char *script;
	uint64_t until_ms;
	const char *want;
	bool is_ruled; /* by a rule of the user: 5 errors in a row, split */
	enum mrd_ejection_cap cap;
};

static const struct unheard_case cases[] = {
	{"it answers", "AB", "1", "0:1:OK 1:1:200 2:1:9*500 3:1:RST", 0, "", false, 0},
	{"a handshake is refused", "AB", "1", "0:1:CF", 0, "0 1 EJECT LOCAL #1; ", false, 0},
	{"a handshake is not answered", "AB", "1", "0:1:TO", 0, "0 1 EJECT LOCAL #1; ", false, 0},
	{"one that is heard has no rule", "AB", "1", "0:2:99*CF 1:2:99*TO", 0, "", false, 0},
	{"it is tried again, and longer away then", "AB", "1", "0:1:CF 30001:1:CF", 91000,
	 "0 1 EJECT LOCAL #1; 30000 1 UNEJECT #1 +30000; 30001 1 EJECT LOCAL #2 +1; "
	 "91000 1 UNEJECT #2 +60999; ",
	 false, 0},
	{"all of them may go while one is left that is heard", "AAAB", "123",
	 "0:1:CF 1:2:CF 2:3:CF", 0, "0 1 EJECT LOCAL #1; 1 2 EJECT LOCAL #1; 2 3 EJECT LOCAL #1; ",
	 false, 0},
	{"also of the region of one that is heard", "AAA", "12", "0:1:CF 1:2:CF", 0,
	 "0 1 EJECT LOCAL #1; 1 2 EJECT LOCAL #1; ", false, 0},
	{"one that is heard but not ready is nothing to turn to", "AAa", "12", "0:1:CF 1:2:CF", 0,
	 "0 1 EJECT LOCAL #1; 1 2 CAPPED LOCAL #0; ", false, 0},
	{"the last ones stay", "AA", "12", "0:1:CF 1:2:CF", 0,
	 "0 1 EJECT LOCAL #1; 1 2 CAPPED LOCAL #0; ", false, 0},
	{"whatever the cap", "AAAB", "12", "0:1:CF 1:2:CF", 0,
	 "0 1 EJECT LOCAL #1; 1 2 EJECT LOCAL #1; ", true, MRD_CAP_ENVOY},
	{"the rule's cap for the last ones", "AA", "12", "0:1:CF", 0, "0 1 CAPPED LOCAL #0; ", true,
	 MRD_CAP_ENVOY},
	{"others need as many errors as the rule says", "AAAB", "1", "0:2:4*CF 1:1:CF 2:2:CF", 0,
	 "1 1 EJECT LOCAL #1; 2 2 EJECT LOCAL #1; ", true, MRD_CAP_REGIONAL},
	{"its answers count by the rule", "AB", "1", "0:1:5*500", 0, "0 1 EJECT 5XX #1; ", true,
	 MRD_CAP_REGIONAL},
	{"out already", "AB", "1", "0:1:CF 1:1:CF", 0, "0 1 EJECT LOCAL #1; ", false, 0},
};

static void set_unheard(struct mrd_outlier *outlier, const struct unheard_case *test)
{
	struct mrd_outlier_host hosts[8];
	uint32_t count = 0;

	for (; test->hosts[count]; count++)
		hosts[count] = (struct mrd_outlier_host){
			.id = count + 1,
			.region = (uint32_t)(test->hosts[count] | 0x20),
			.in_route = true,
			.usable = test->hosts[count] < 'a',
			.unheard = strchr(test->unheard, (int)('1' + count)) != NULL,
		};
	assert_int_equal(mrd_outlier_set_hosts(outlier, hosts, count), 0);
}

static void they_are_given_up_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_outlier_rule rule = mrd_outlier_unheard;
		struct run run = {0};

		print_message("case: %s\n", cases[i].name);
		if (cases[i].is_ruled) {
			rule = mrd_outlier_defaults;
			rule.split_local_origin = true;
			rule.cap = cases[i].cap;
		}
		assert_int_equal(mrd_outlier_new(&rule, true, 0, &run.outlier), 0);
		set_unheard(run.outlier, &cases[i]);
		mrd_strbuf_add(&run.lines, "", 0);
		play(&run, cases[i].script, cases[i].until_ms);
		assert_string_equal(run.lines.text, cases[i].want);
		mrd_strbuf_free(&run.lines);
		mrd_outlier_free(run.outlier);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_given_up_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
