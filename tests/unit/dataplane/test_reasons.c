/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/inspect.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_reason_has_its_own_name(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < MRD_REASON_COUNT; i++) {
		const char *name = mrd_reason_name((enum mrd_reason)i);

		print_message("%u %s\n", i, name);
		assert_string_not_equal(name, "unknown");
		for (const char *at = name; *at; at++)
			assert_true(islower((unsigned char)*at) || *at == '_');
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(name, mrd_reason_name((enum mrd_reason)j));
	}
}

/* A row of the counters array that a later version added. */
static void what_is_no_reason_is_unknown(void **state)
{
	(void)state;
	assert_string_equal(mrd_reason_name(MRD_REASON_COUNT), "unknown");
	assert_string_equal(mrd_reason_name((enum mrd_reason)0x7fffffff), "unknown");
}

static void names_that_users_script_against(void **state)
{
	(void)state;
	assert_string_equal(mrd_reason_name(MRD_REASON_PICK_FAILOVER), "pick_failover");
	assert_string_equal(mrd_reason_name(MRD_REASON_PICK_DISTRIBUTE), "pick_distribute");
	assert_string_equal(mrd_reason_name(MRD_REASON_REFUSE_NO_ENDPOINT), "refuse_no_endpoint");
	assert_string_equal(mrd_reason_name(MRD_REASON_EVENT_LOST), "event_lost");
	assert_string_equal(mrd_reason_name(MRD_REASON_REFUSE_FLOWS), "refuse_flows");
	assert_string_equal(mrd_reason_name(MRD_REASON_PASS_FRAGMENT), "pass_fragment");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_its_own_name),
		cmocka_unit_test(what_is_no_reason_is_unknown),
		cmocka_unit_test(names_that_users_script_against),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
