/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2]; /* a pipe: what is logged comes out of the first */

static int open_pipe(void **state)
{
	(void)state;
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	mrd_log_set_fd(ends[1]);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	mrd_log_set_fd(STDERR_FILENO);
	mrd_log_set(MRD_LOG_INFO, false);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* One line, without the time at its end, whose form is checked. */
static const char *logged(const char *ts_prefix, const char *ts_suffix)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	static char line[4096];
	ssize_t len = read(ends[0], line, sizeof(line) - 1);
	char *ts;

	if (len < 0)
		return "";
	line[len] = '\0';
	ts = strstr(line, ts_prefix);
	assert_non_null(ts);
	assert_string_equal(ts + strlen(ts_prefix) + strlen(form), ts_suffix);
	for (size_t i = 0; form[i]; i++) {
		const char c = ts[strlen(ts_prefix) + i];

		if (form[i] == 'd')
			assert_in_range(c, '0', '9');
		else
			assert_int_equal(c, form[i]);
	}
	*ts = '\0';
	return line;
}

static void text_lines(void **state)
{
	static const struct {
		struct mrd_kv kv;
		const char *want;
	} cases[] = {
		{.kv = {.key = "a", .text = "default/reviews"}, .want = "a=default/reviews"},
		{.kv = {.key = "a", .number = -5}, .want = "a=-5"},
		{.kv = {.key = "a", .number = INT64_MIN}, .want = "a=-9223372036854775808"},
		{.kv = {.key = "a", .text = ""}, .want = "a=\"\""},
		{.kv = {.key = "a", .text = "two words"}, .want = "a=\"two words\""},
		{.kv = {.key = "a", .text = "say \"x\""}, .want = "a=\"say \\\"x\\\"\""},
		{.kv = {.key = "a", .text = "k=v"}, .want = "a=\"k=v\""},
		{.kv = {.key = "a", .text = "line\ninfo msg=forged"},
		 .want = "a=\"line\\ninfo msg=forged\""},
		{.kv = {.key = "a", .text = "10.0.0.5:9080"}, .want = "a=10.0.0.5:9080"},
	};

	(void)state;
	mrd_log_set(MRD_LOG_INFO, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[256];

		snprintf(want, sizeof(want), "warn msg=\"a message\" %s b=1", cases[i].want);
		print_message("case %s\n", want);
		mrd_log_warn("a message", cases[i].kv, MRD_KV_NUM("b", 1));
		assert_string_equal(logged(" ts=", "\n"), want);
	}
}

static void json_lines(void **state)
{
	(void)state;
	mrd_log_set(MRD_LOG_INFO, true);
	mrd_log_error("it \"broke\"", MRD_KV("service", "default/reviews"), MRD_KV_NUM("errno", -5),
		      MRD_KV("why", "a\nb"));
	assert_string_equal(logged(",\"ts\":\"", "\"}\n"),
			    "{\"level\":\"error\",\"msg\":\"it \\\"broke\\\"\","
			    "\"service\":\"default/reviews\",\"errno\":-5,\"why\":\"a\\nb\"");
}

static void levels_below_the_least_are_silent(void **state)
{
	(void)state;
	mrd_log_set(MRD_LOG_WARN, false);
	mrd_log_debug("no", MRD_KV_NUM("n", 1));
	mrd_log_info("no", MRD_KV_NUM("n", 1));
	assert_string_equal(logged(" ts=", "\n"), "");
	mrd_log_set(MRD_LOG_DEBUG, false);
	mrd_log_debug("yes", MRD_KV_NUM("n", 1));
	assert_string_equal(logged(" ts=", "\n"), "debug msg=\"yes\" n=1");
	mrd_log_write(MRD_LOG_INFO, "bare", NULL, 0);
	assert_string_equal(logged(" ts=", "\n"), "info msg=\"bare\"");
}

static void a_line_that_cannot_be_written_is_dropped(void **state)
{
	(void)state;
	mrd_log_set_fd(-1);
	mrd_log_error("nobody hears this", MRD_KV_NUM("n", 1));
	mrd_log_set_fd(ends[1]);
	mrd_log_error("this one", MRD_KV_NUM("n", 1));
	assert_string_equal(logged(" ts=", "\n"), "error msg=\"this one\" n=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text_lines, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(json_lines, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(levels_below_the_least_are_silent, open_pipe,
						close_pipe),
		cmocka_unit_test_setup_teardown(a_line_that_cannot_be_written_is_dropped, open_pipe,
						close_pipe),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
