/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* For JSON both readers of documents must agree. */
#include "base/doc_json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "tests/unit/base/show.h"

static void good_documents(void **state)
{
	static const struct {
		const char *text;
		const char *want;
		bool not_yaml; /* that doc.h's reader says otherwise, or refuses */
	} cases[] = {
		{.text = "{}", .want = "{}"},
		{.text = "[]", .want = "[]"},
		{.text = "null", .want = "null"},
		{.text = " \r\n\t{\"b\":1,\"a\":2}\n", .want = "{b:1 a:2}", .not_yaml = true},
		{.text = "{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\\/\"}",
		 .want = "{a:[1 2 {b:null}] c:\"\xc3\xa9/\"}"},
		{.text = "{\"a\":\"\",\"\":\"b\"}", .want = "{a:\"\" :\"b\"}"},
		{.text = "[true,false,\"true\",\"null\",\"5\"]",
		 .want = "[true false \"true\" \"null\" \"5\"]"},
		{.text = "[0,-1,9223372036854775807,-9223372036854775808]",
		 .want = "[0 -1 9223372036854775807 -9223372036854775808]"},
		{.text = "[0.1,33.3,-2.5]", .want = "[0.1 33.3 -2.5]"},
		{.text = "[1e3,0.30000000000000004]",
		 .want = "[1000.0 0.30000000000000004]",
		 .not_yaml = true},
		{.text = "{\"<<\":{\"a\":1}}", .want = "{<<:{a:1}}"},
		{.text = "[\"\\ud83d\\ude00\\n\"]",
		 .want = "[\"\xf0\x9f\x98\x80\\n\"]",
		 .not_yaml = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf shown = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf as_yaml = {0};
		struct mrd_doc_file *file = NULL;
		struct mrd_doc_file *yaml = NULL;

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(
			mrd_doc_parse_json("f", cases[i].text, strlen(cases[i].text), &diag, &file),
			0);
		assert_int_equal(diag.count, 0);
		assert_int_equal(mrd_doc_count(file), 1);
		assert_string_equal(mrd_doc_name(file), "f");
		show(&shown, mrd_doc_root(file, 0));
		assert_string_equal(shown.text, cases[i].want);
		mrd_doc_parse("f", cases[i].text, strlen(cases[i].text), &diag, &yaml);
		show(&as_yaml, mrd_doc_root(yaml, 0));
		if (!cases[i].not_yaml)
			assert_string_equal(shown.text, as_yaml.text);
		mrd_doc_free(file);
		mrd_doc_free(yaml);
	}
}

static void numbers_are_numbers(void **state)
{
	static const struct {
		const char *text;
		int want;
		int64_t number;
	} cases[] = {
		{.text = "80", .number = 80},	     {.text = "-7", .number = -7},
		{.text = "80.0", .want = -EINVAL},   {.text = "8e1", .want = -EINVAL},
		{.text = "\"80\"", .want = -EINVAL}, {.text = "true", .want = -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;
		int64_t number = 77;

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(
			mrd_doc_parse_json("f", cases[i].text, strlen(cases[i].text), &diag, &file),
			0);
		assert_int_equal(mrd_doc_int(mrd_doc_root(file, 0), &number), cases[i].want);
		assert_int_equal(number, cases[i].want ? 77 : cases[i].number);
		mrd_doc_free(file);
	}
}

/* The reason in full, so that no case can slip a part of its text into it. */
static void broken_documents(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{.text = "", .want = "f: error: not JSON: unexpected token (line 1, column 0)"},
		{.text = "{\"token\":\"s3cret\" \"x\"}",
		 .want = "f: error: not JSON: '}' expected (line 1, column 21)"},
		{.text = "{\"token\":\"s3cret",
		 .want = "f: error: not JSON: premature end of input (line 1, column 16)"},
		{.text = "{} {}",
		 .want = "f: error: not JSON: end of file expected (line 1, column 4)"},
		{.text = "{\"a\":1,\n\"a\":2}",
		 .want = "f: error: not JSON: duplicate object key (line 2, column 3)"},
		{.text = "a: 1", .want = "f: error: not JSON: invalid token (line 1, column 1)"},
		{.text = "[18446744073709551616]",
		 .want = "f: error: not JSON: too big integer (line 1, column 21)"},
		{.text = "[\"a\\u0000b\"]",
		 .want = "f: error: not JSON: \\u0000 is not allowed without JSON_ALLOW_NUL"
			 " (line 1, column 11)"},
		{.text = "[\"\xff\"]",
		 .want = "f: error: not JSON: unable to decode byte 0xff (line 1, column 2)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;
		MRD_AUTO_FREE char *line = NULL;

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(
			mrd_doc_parse_json("f", cases[i].text, strlen(cases[i].text), &diag, &file),
			-EBADMSG);
		assert_null(file);
		assert_int_equal(diag.count, 1);
		line = mrd_finding_text(&diag.findings[0]);
		assert_string_equal(line, cases[i].want);
	}
}

static void depth_is_bounded(void **state)
{
	(void)state;
	for (unsigned int depth = MRD_DOC_DEPTH_MAX - 1; depth < MRD_DOC_DEPTH_MAX + 3; depth++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
		struct mrd_doc_file *file = NULL;
		const bool fits = depth <= MRD_DOC_DEPTH_MAX;

		print_message("depth %u\n", depth);
		for (unsigned int i = 0; i < depth; i++)
			mrd_strbuf_addf(&text, "[");
		for (unsigned int i = 0; i < depth; i++)
			mrd_strbuf_addf(&text, "]");
		assert_int_equal(mrd_doc_parse_json("f", text.text, text.len, &diag, &file),
				 fits ? 0 : -EBADMSG);
		assert_int_equal(diag.errors, !fits);
		mrd_doc_free(file);
	}
}

/* Cut anywhere, a document is refused, and nothing is left behind (ASan looks). */
static void cut_documents(void **state)
{
	static const char text[] = "{\"a\":[1,{\"b\":\"c\\u00e9\"}],\"d\":null}";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;

		print_message("length %zu\n", len);
		assert_int_equal(mrd_doc_parse_json("f", text, len, &diag, &file), -EBADMSG);
		assert_null(file);
	}
}

/* One document's memory for the next: good ones, broken ones and large ones in turn. What jansson
 * makes meanwhile for others is not touched. */
static void one_after_the_other(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: broken */
	} cases[] = {
		{.text = "{\"a\":[1,\"b\"]}", .want = "{a:[1 \"b\"]}"},
		{.text = "{\"a\":[1,\"b\""},
		{.text = "[\"longer than the one before\",{\"c\":{}}]",
		 .want = "[\"longer than the one before\" {c:{}}]"},
		{.text = "5", .want = "5"},
		{.text = "{\"a\":1,\"a\":2}"},
		{.text = "null", .want = ""},
		{.text = "{\"a\":0.5}", .want = "{a:0.5}"},
	};
	MRD_AUTO_STRBUF struct mrd_strbuf large = {0};
	json_t *other = json_pack("{s:[s]}", "kept", "as it was");
	struct mrd_doc_file *file = NULL;

	(void)state;
	mrd_strbuf_addf(&large, "[0");
	for (unsigned int i = 0; i < 100000; i++)
		mrd_strbuf_addf(&large, ",%u", i);
	mrd_strbuf_addf(&large, "]");
	for (size_t i = 0; i < 3 * sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i % (sizeof(cases) / sizeof(cases[0]))].text;
		const char *want = cases[i % (sizeof(cases) / sizeof(cases[0]))].want;
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf shown = {0};

		print_message("case '%s'\n", text);
		assert_int_equal(mrd_doc_parse_next_json("f", large.text, large.len, &diag, &file),
				 0);
		assert_int_equal(mrd_doc_root(file, 0)->count, 100001);
		assert_int_equal(mrd_doc_parse_next_json("g", text, strlen(text), &diag, &file),
				 want ? 0 : -EBADMSG);
		assert_string_equal(mrd_doc_name(file), "g");
		assert_int_equal(mrd_doc_count(file), want ? 1 : 0);
		if (want && *want) {
			show(&shown, mrd_doc_root(file, 0));
			assert_string_equal(shown.text, want);
		} else {
			assert_null(mrd_doc_root(file, 0));
		}
	}
	mrd_doc_free(file);
	assert_string_equal(json_string_value(json_array_get(json_object_get(other, "kept"), 0)),
			    "as it was");
	json_decref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_documents),   cmocka_unit_test(numbers_are_numbers),
		cmocka_unit_test(broken_documents), cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(cut_documents),    cmocka_unit_test(one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
