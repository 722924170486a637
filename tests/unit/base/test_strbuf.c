/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void text_grows_and_stays_terminated(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		mrd_strbuf_addf(&buf, "%zu,", i % 10);
		assert_int_equal(buf.len, (i + 1) * 2);
		assert_int_equal(strlen(buf.text), buf.len);
	}
	assert_false(buf.failed);
}

static void bytes_at_the_edge_of_the_room_fit(void **state)
{
	(void)state;
	for (size_t len = 60; len < 70; len++) {
		MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};
		char text[80];

		print_message("case %zu bytes\n", len);
		memset(text, 'x', sizeof(text));
		mrd_strbuf_add(&buf, text, len);
		mrd_strbuf_add(&buf, text, 1);
		assert_int_equal(buf.len, len + 1);
		assert_int_equal(strlen(buf.text), len + 1);
	}
}

static void a_failed_append_stays_failed(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};

	(void)state;
	mrd_strbuf_add(&buf, "before", 6);
	mrd_strbuf_add(&buf, "never read", SIZE_MAX / 2);
	assert_true(buf.failed);
	mrd_strbuf_addf(&buf, "behind");
	assert_string_equal(buf.text, "before");
	assert_null(mrd_strbuf_steal(&buf));
	assert_false(buf.failed);
	assert_null(buf.text);
}

static void stealing_hands_the_text_out_once(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};
	MRD_AUTO_FREE char *text = NULL;
	MRD_AUTO_FREE char *empty = NULL;

	(void)state;
	mrd_strbuf_addf(&buf, "%s-%d", "a", 1);
	text = mrd_strbuf_steal(&buf);
	assert_string_equal(text, "a-1");
	assert_null(buf.text);
	empty = mrd_strbuf_steal(&buf);
	assert_string_equal(empty, "");
}

static void json_strings_are_valid_whatever_comes(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{.text = "", .want = "\"\""},
		{.text = "plain", .want = "\"plain\""},
		{.text = "a\"b\\c", .want = "\"a\\\"b\\\\c\""},
		{.text = "\n\r\t", .want = "\"\\n\\r\\t\""},
		{.text = "\x01\x1f", .want = "\"\\u0001\\u001f\""},
		{.text = "\xc3\xa9 \xf0\x9f\x98\x80", .want = "\"\xc3\xa9 \xf0\x9f\x98\x80\""},
		{.text = "\xff", .want = "\"\\ufffd\""},
		{.text = "a\xc3", .want = "\"a\\ufffd\""},
		{.text = "\xc0\xaf", .want = "\"\\ufffd\\ufffd\""},	       /* "/" too long */
		{.text = "\xed\xa0\x80", .want = "\"\\ufffd\\ufffd\\ufffd\""}, /* surrogate */
		{.text = "\xf4\x90\x80\x80", .want = "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};

		print_message("case %s\n", cases[i].want);
		mrd_strbuf_add_json(&buf, cases[i].text);
		assert_string_equal(buf.text, cases[i].want);
	}
}

static void lines_for_people_are_one_line_whatever_comes(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{.text = "", .want = ""},
		{.text = "pla\\in \"text\"", .want = "pla\\in \"text\""},
		{.text = "a\nb\rc\td", .want = "a\\nb\\rc\\td"},
		{.text = "\x1b[31mred\x07\x01", .want = "\\x1b[31mred\\x07\\x01"},
		{.text = "\x7f", .want = "\\x7f"},
		{.text = "\xc2\x9b"
			 "31m\xc2\xa0",
		 .want = "\\u009b31m\xc2\xa0"},
		{.text = "\xc3\xa9 \xf0\x9f\x98\x80", .want = "\xc3\xa9 \xf0\x9f\x98\x80"},
		{.text = "\xff"
			 "a\xc3",
		 .want = "\\xff"
			 "a\\xc3"},
		{.text = "\xed\xa0\x80", .want = "\\xed\\xa0\\x80"}, /* surrogate */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};

		print_message("case %s\n", cases[i].want);
		mrd_strbuf_add_visible(&buf, cases[i].text);
		assert_string_equal(buf.text ? buf.text : "", cases[i].want);
	}
}

static void steps_of_a_path_are_told_apart(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf path = {0};

	(void)state;
	mrd_strbuf_add_field(&path, "spec");
	mrd_strbuf_add_field(&path, "subsets");
	mrd_strbuf_add_index(&path, 1);
	mrd_strbuf_add_field(&path, "labels");
	mrd_strbuf_add_field(&path, "a.b/c");
	mrd_strbuf_add_field(&path, "");
	assert_string_equal(path.text, "spec.subsets[1].labels[\"a.b/c\"][\"\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows_and_stays_terminated),
		cmocka_unit_test(bytes_at_the_edge_of_the_room_fit),
		cmocka_unit_test(a_failed_append_stays_failed),
		cmocka_unit_test(stealing_hands_the_text_out_once),
		cmocka_unit_test(json_strings_are_valid_whatever_comes),
		cmocka_unit_test(lines_for_people_are_one_line_whatever_comes),
		cmocka_unit_test(steps_of_a_path_are_told_apart),
	};

	return cmocka_run_group_tests_name("base/strbuf", tests, NULL, NULL);
}
