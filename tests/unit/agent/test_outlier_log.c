/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Lines as Envoy's event log writes them. */
#include "agent/outlier_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct line_case {
	const char *name;
	struct mrd_outlier_verdict verdict;
	uint64_t wall_ms;
	const char *want;
};

#define WHERE "\"cluster_name\":\"c\",\"upstream_url\":\"10.0.0.1:443\","

static const struct line_case cases[] = {
	{
		.name = "the published vector",
		.verdict = {.type = MRD_CONSECUTIVE_5XX, .ejected = true, .enforced = true},
		.wall_ms = 1545123600000,
		.want = "{\"type\":\"CONSECUTIVE_5XX\"," WHERE "\"action\":\"EJECT\","
			"\"num_ejections\":0,\"enforced\":true,\"eject_consecutive_event\":{},"
			"\"timestamp\":\"2018-12-18T09:00:00.000Z\"}\n",
	},
	{
		.name = "detected, not enforced, with an earlier action",
		.verdict = {.type = MRD_CONSECUTIVE_GATEWAY_FAILURE,
			    .ejected = true,
			    .last_action_known = true,
			    .since_last_action_ms = 61999,
			    .ejections = 3},
		.wall_ms = 7,
		.want = "{\"type\":\"CONSECUTIVE_GATEWAY_FAILURE\"," WHERE
			"\"action\":\"EJECT\",\"num_ejections\":3,\"enforced\":false,"
			"\"eject_consecutive_event\":{},\"timestamp\":"
			"\"1970-01-01T00:00:00.007Z\",\"secs_since_last_action\":\"61\"}\n",
	},
	{
		.name = "back, which Envoy never calls enforced",
		.verdict = {.type = MRD_CONSECUTIVE_5XX,
			    .enforced = true,
			    .last_action_known = true,
			    .since_last_action_ms = 30000,
			    .ejections = 1},
		.want = "{\"type\":\"CONSECUTIVE_5XX\"," WHERE "\"action\":\"UNEJECT\","
			"\"num_ejections\":1,\"enforced\":false,\"timestamp\":"
			"\"1970-01-01T00:00:00.000Z\",\"secs_since_last_action\":\"30\"}\n",
	},
	{
		.name = "local origin",
		.verdict = {.type = MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE,
			    .ejected = true,
			    .enforced = true,
			    .ejections = 1},
		.want = "{\"type\":\"CONSECUTIVE_LOCAL_ORIGIN_FAILURE\"," WHERE
			"\"action\":\"EJECT\",\"num_ejections\":1,\"enforced\":true,"
			"\"eject_consecutive_event\":{},\"timestamp\":"
			"\"1970-01-01T00:00:00.000Z\"}\n",
	},
};

static void lines_are_envoys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_strbuf line MRD_AUTO_STRBUF = {0};

		print_message("case: %s\n", cases[i].name);
		mrd_outlier_log_line(&line, &cases[i].verdict, "c", "10.0.0.1:443",
				     cases[i].wall_ms);
		assert_string_equal(line.text, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_envoys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
