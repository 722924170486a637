/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/tc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void programs_have_their_directions(void **state)
{
	(void)state;
	assert_int_equal(mrd_tc_direction(MRD_TC_FORWARD, false), MRD_TC_INGRESS);
	assert_int_equal(mrd_tc_direction(MRD_TC_REVERSE, false), MRD_TC_EGRESS);
	assert_int_equal(mrd_tc_direction(MRD_TC_FORWARD, true), MRD_TC_EGRESS);
	assert_int_equal(mrd_tc_direction(MRD_TC_REVERSE, true), MRD_TC_INGRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_have_their_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
