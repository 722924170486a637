/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which localities a rule's words mean, by the ids of the vectors. */
#include "plan/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/locality.h"

static void a_level_that_is_not_named_is_any(void **state)
{
	static const struct {
		const char *id;
		const char *rule;
		const char *at[3];
		bool want;
	} cases[] = {
		{"M1", "*", {"region1", "zone1", "subzone1"}, true},
		{"M2", "region1/*", {"region1", "zone1", "subzone1"}, true},
		{"M3", "region1/zone1/*", {"region1", "zone1", "subzone1"}, true},
		{"M5", "region1", {"region1", "zone1", "subzone1"}, true},
		{"M6", "region1/zone1", {"region1", "zone1", "subzone1"}, true},
		{"M7", "region1/zone1", {"region1", "zone1", ""}, true},
		{"other region", "region2", {"region1", "zone1", ""}, false},
		{"other zone", "region1/zone2", {"region1", "zone1", "subzone1"}, false},
		{"narrower", "region1/zone1/subzone1", {"region1", "zone1", ""}, false},
		{"no part of a name", "region", {"region1", "", ""}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_locality_match match = {0};

		print_message("%s\n", cases[i].id);
		assert_int_equal(mrd_locality_parse(cases[i].rule, &match), 0);
		assert_int_equal(
			mrd_draft_matches(&match, cases[i].at[0], cases[i].at[1], cases[i].at[2]),
			cases[i].want);
		mrd_locality_match_free(&match);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_that_is_not_named_is_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
