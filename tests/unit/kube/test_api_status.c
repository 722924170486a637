/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/api_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void statuses(void **state)
{
	static const struct {
		const char *text;
		unsigned int code;
		bool expired;
		bool too_large;
		uint64_t retry_after_ms;
		const char *token;
		const char *message;
	} cases[] = {
		{.text = ""},
		{.text = "{}"},
		{.text = "null"},
		{.text = "[1]"},
		{.text = "{\"code\":503,\"message\":\"m\",\"details\":{\"retryAfterSeconds\":5}}",
		 .code = 503,
		 .retry_after_ms = 5000,
		 .message = "m"},
		{.text = "{\"code\":410,\"metadata\":{\"continue\":\"t\"}}",
		 .code = 410,
		 .expired = true,
		 .token = "t"},
		{.text = "{\"reason\":\"Expired\"}", .expired = true},
		{.text = "{\"reason\":\"Gone\"}", .expired = true},
		{.text = "{\"details\":{\"causes\":[{},{\"reason\":\"ResourceVersionTooLarge\"}]}}",
		 .too_large = true},
		/* Of another kind than they should be. */
		{.text = "{\"code\":\"410\",\"message\":5,\"reason\":[],\"metadata\":1,"
			 "\"details\":{\"causes\":{},\"retryAfterSeconds\":\"5\"}}",
		 .message = "5"},
		{.text = "{\"details\":{\"causes\":[1,null]}}"},
		{.text = "{\"code\":-1,\"details\":{\"retryAfterSeconds\":-1}}"},
		{.text = "{\"code\":1000,\"details\":{\"retryAfterSeconds\":9223372036854775807}}",
		 .retry_after_ms = 86400000},
		/* Plain text, as of overload, and pages of proxies. */
		{.text = "Too many requests, please try again later.\n",
		 .message = "Too many requests, please try again later."},
		{.text = "<html>\r\n<b>no\x1b[31m</b>\n\n", .message = "<html>  <b>no [31m</b>"},
		{.text = "{\"message\":\"a\\nb\\u007f\"}", .message = "a b "},
		{.text = "{\"code\":410", .message = "{\"code\":410"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want_token = cases[i].token ? cases[i].token : "";
		const char *want_message = cases[i].message ? cases[i].message : "";
		struct mrd_api_status status = {0};

		print_message("case %s\n", cases[i].text);
		assert_int_equal(mrd_api_status_read(cases[i].text, strlen(cases[i].text), &status),
				 0);
		assert_int_equal(status.code, cases[i].code);
		assert_int_equal(status.expired, cases[i].expired);
		assert_int_equal(status.too_large, cases[i].too_large);
		assert_int_equal(status.retry_after_ms, cases[i].retry_after_ms);
		assert_string_equal(status.continue_token.text, want_token);
		assert_string_equal(status.message.text ? status.message.text : "", want_message);
		mrd_api_status_clear(&status);
	}
}

/* A message that is cut is not cut within a character. */
static void long_messages(void **state)
{
	enum { LETTERS = 400 };

	(void)state;
	for (size_t before = 0; before < 2; before++) {
		struct mrd_api_status status = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

		print_message("%zu bytes before\n", before);
		mrd_strbuf_addf(&text, "%.*s", (int)before, "a");
		for (int i = 0; i < LETTERS; i++)
			mrd_strbuf_addf(&text, "\xc3\xa9");
		assert_int_equal(mrd_api_status_read(text.text, text.len, &status), 0);
		assert_int_equal(status.message.len, 300 - before);
		assert_int_equal(status.message.len % 2, before);
		mrd_api_status_clear(&status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(long_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
