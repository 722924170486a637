/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Lines of Envoy's event log: each member, its order, and when it is there. */
#include "outlier/event_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct line_case {
	const char *name;
	struct mrd_outlier_verdict verdict;
	const char *cluster_name; /* NULL: c */
	const char *upstream_url; /* NULL: 10.0.0.1:443 */
	const char *timestamp;
	uint64_t t_ms;
	const char *want;
};

#define WHERE "\"cluster_name\":\"c\",\"upstream_url\":\"10.0.0.1:443\","

static const struct line_case cases[] = {
	{
		.name = "the published line",
		.verdict = {.type = MRD_CONSECUTIVE_5XX, .ejected = true, .enforced = true},
		.cluster_name = "fake_cluster",
		.timestamp = "2018-12-18T09:00:00Z",
		.want = "{\"type\":\"CONSECUTIVE_5XX\",\"cluster_name\":\"fake_cluster\","
			"\"upstream_url\":\"10.0.0.1:443\",\"action\":\"EJECT\","
			"\"num_ejections\":0,\"enforced\":true,\"eject_consecutive_event\":{},"
			"\"timestamp\":\"2018-12-18T09:00:00Z\"}\n",
	},
	{
		.name = "t_ms in the timestamp's place; whole seconds since the last action",
		.verdict = {.type = MRD_CONSECUTIVE_GATEWAY_FAILURE,
			    .ejected = true,
			    .last_action_known = true,
			    .since_last_action_ms = 30999,
			    .ejections = 3},
		.t_ms = 1234567890123,
		.want = "{\"type\":\"CONSECUTIVE_GATEWAY_FAILURE\"," WHERE
			"\"action\":\"EJECT\",\"num_ejections\":3,\"enforced\":false,"
			"\"eject_consecutive_event\":{},\"t_ms\":1234567890123,"
			"\"secs_since_last_action\":\"30\"}\n",
	},
	{
		.name = "un-ejection: no event, never enforced",
		.verdict = {.type = MRD_CONSECUTIVE_5XX,
			    .enforced = true,
			    .last_action_known = true,
			    .since_last_action_ms = 30000,
			    .ejections = 1},
		.t_ms = 40000,
		.want = "{\"type\":\"CONSECUTIVE_5XX\"," WHERE "\"action\":\"UNEJECT\","
			"\"num_ejections\":1,\"enforced\":false,\"t_ms\":40000,"
			"\"secs_since_last_action\":\"30\"}\n",
	},
	{
		.name = "local origin",
		.verdict = {.type = MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE, .ejected = true},
		.want = "{\"type\":\"CONSECUTIVE_LOCAL_ORIGIN_FAILURE\"," WHERE
			"\"action\":\"EJECT\",\"num_ejections\":0,\"enforced\":false,"
			"\"eject_consecutive_event\":{},\"t_ms\":0}\n",
	},
	{
		.name = "success rate",
		.verdict = {.type = MRD_SUCCESS_RATE,
			    .ejected = true,
			    .enforced = true,
			    .ejections = 1,
			    .rates = {.host = 50, .average = 90, .threshold = 52}},
		.t_ms = 10000,
		.want = "{\"type\":\"SUCCESS_RATE\"," WHERE "\"action\":\"EJECT\","
			"\"num_ejections\":1,\"enforced\":true,\"eject_success_rate_event\":"
			"{\"host_success_rate\":50,\"cluster_average_success_rate\":90,"
			"\"cluster_success_rate_ejection_threshold\":52},\"t_ms\":10000}\n",
	},
	{
		.name = "success rate of connects",
		.verdict = {.type = MRD_SUCCESS_RATE_LOCAL_ORIGIN, .ejected = true},
		.want = "{\"type\":\"SUCCESS_RATE_LOCAL_ORIGIN\"," WHERE "\"action\":\"EJECT\","
			"\"num_ejections\":0,\"enforced\":false,\"eject_success_rate_event\":"
			"{\"host_success_rate\":0,\"cluster_average_success_rate\":0,"
			"\"cluster_success_rate_ejection_threshold\":0},\"t_ms\":0}\n",
	},
	{
		.name = "failure percentage",
		.verdict = {.type = MRD_FAILURE_PERCENTAGE, .ejected = true, .rates = {.host = 14}},
		.want = "{\"type\":\"FAILURE_PERCENTAGE\"," WHERE "\"action\":\"EJECT\","
			"\"num_ejections\":0,\"enforced\":false,"
			"\"eject_failure_percentage_event\":{\"host_success_rate\":14},"
			"\"t_ms\":0}\n",
	},
	{
		.name = "failure percentage of connects",
		.verdict = {.type = MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN, .ejected = true},
		.want = "{\"type\":\"FAILURE_PERCENTAGE_LOCAL_ORIGIN\"," WHERE
			"\"action\":\"EJECT\",\"num_ejections\":0,\"enforced\":false,"
			"\"eject_failure_percentage_event\":{\"host_success_rate\":0},"
			"\"t_ms\":0}\n",
	},
	{
		.name = "strings are escaped",
		.verdict = {.type = MRD_CONSECUTIVE_5XX, .ejected = true},
		.cluster_name = "a\"b\\c\nd",
		.upstream_url = "[fd00::1]:\t1",
		.timestamp = "\"",
		.want = "{\"type\":\"CONSECUTIVE_5XX\",\"cluster_name\":\"a\\\"b\\\\c\\nd\","
			"\"upstream_url\":\"[fd00::1]:\\t1\",\"action\":\"EJECT\","
			"\"num_ejections\":0,\"enforced\":false,\"eject_consecutive_event\":{},"
			"\"timestamp\":\"\\\"\"}\n",
	},
	{
		.name = "stopped by the cap",
		.verdict = {.type = MRD_CONSECUTIVE_5XX, .ejected = true, .capped = true},
		.want = "",
	},
};

static void lines_are_envoys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct line_case *at = &cases[i];
		const struct mrd_event_log_line line = {
			.verdict = &at->verdict,
			.cluster_name = at->cluster_name ?: "c",
			.upstream_url = at->upstream_url ?: "10.0.0.1:443",
			.timestamp = at->timestamp,
			.t_ms = at->t_ms,
		};
		struct mrd_strbuf out MRD_AUTO_STRBUF = {0};

		print_message("case: %s\n", at->name);
		mrd_event_log_add(&line, &out);
		assert_string_equal(out.text ?: "", at->want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_envoys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
