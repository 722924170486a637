/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/diag.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void text_leaves_out_what_is_unknown(void **state)
{
	static const struct {
		struct mrd_place place;
		enum mrd_severity severity;
		const char *field;
		const char *want;
	} cases[] = {
		{.place = {.file = "a.yaml", .line = 3, .column = 5},
		 .severity = MRD_ERROR,
		 .field = "spec.host",
		 .want = "a.yaml:3:5: error: spec.host: is 7"},
		{.place = {.file = "a.yaml", .line = 3},
		 .severity = MRD_WARNING,
		 .field = "",
		 .want = "a.yaml:3: warning: is 7"},
		{.place = {.file = "a.yaml"},
		 .severity = MRD_ERROR,
		 .field = NULL,
		 .want = "a.yaml: error: is 7"},
		{.place = {0}, .severity = MRD_ERROR, .field = "x", .want = "error: x: is 7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		MRD_AUTO_FREE char *text = NULL;

		print_message("case %s\n", cases[i].want);
		mrd_diag_add(&diag, cases[i].severity, &cases[i].place, cases[i].field, "is %d", 7);
		assert_int_equal(diag.count, 1);
		assert_int_equal(diag.errors, cases[i].severity == MRD_ERROR);
		text = mrd_finding_text(&diag.findings[0]);
		assert_string_equal(text, cases[i].want);
	}
}

static void errors_that_were_told_are_the_reason(void **state)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	mrd_diag_add(&diag, MRD_WARNING, NULL, "x", "is odd");
	assert_string_equal(mrd_diag_reason(&diag, -ENOENT), "No such file or directory");
	mrd_diag_add(&diag, MRD_ERROR, NULL, "x", "is 7");
	assert_string_equal(mrd_diag_reason(&diag, -EBADMSG), "it has errors");
}

/* Or a value could end the line, forge another finding, or drive the terminal. */
static void a_finding_is_one_line(void **state)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	MRD_AUTO_FREE char *text = NULL;

	(void)state;
	mrd_diag_add(&diag, MRD_ERROR, &(struct mrd_place){.file = "a\nb", .line = 1},
		     "x[\"\x1b\"]", "is \"%s\"", "a/\nerror: \xff");
	text = mrd_finding_text(&diag.findings[0]);
	assert_string_equal(text, "a\\nb:1: error: x[\"\\x1b\"]: is \"a/\\nerror: \\xff\"");
}

static void a_finding_may_have_no_place(void **state)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	MRD_AUTO_FREE char *text = NULL;

	(void)state;
	mrd_diag_add(&diag, MRD_ERROR, NULL, NULL, "lost");
	text = mrd_finding_text(&diag.findings[0]);
	assert_string_equal(text, "error: lost");
}

static void findings_outlive_what_they_speak_of(void **state)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	char file[] = "a.yaml";
	char field[] = "spec";

	(void)state;
	mrd_diag_add(&diag, MRD_ERROR, &(struct mrd_place){.file = file}, field, "bad");
	memset(file, 'x', sizeof(file) - 1);
	memset(field, 'x', sizeof(field) - 1);
	assert_string_equal(diag.findings[0].file, "a.yaml");
	assert_string_equal(diag.findings[0].field, "spec");
}

static void sorted_by_file_line_and_column(void **state)
{
	static const struct mrd_place unsorted[] = {
		{.file = "b", .line = 1, .column = 1}, {.file = "a", .line = 10, .column = 2},
		{.file = "a", .line = 9, .column = 5}, {.file = "a", .line = 10, .column = 1},
		{.file = "a", .line = 0, .column = 0},
	};
	static const char want[] = "a: error: x\na:9:5: error: x\na:10:1: error: x\n"
				   "a:10:2: error: x\nb:1:1: error: x\n";
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	MRD_AUTO_FREE char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (size_t i = 0; i < sizeof(unsorted) / sizeof(unsorted[0]); i++)
		mrd_diag_add(&diag, MRD_ERROR, &unsorted[i], "", "x");
	mrd_diag_sort(&diag);
	mrd_diag_print(&diag, out);
	fclose(out);
	assert_string_equal(text, want);
}

static void many_findings_are_all_kept(void **state)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	mrd_diag_sort(&diag); /* nothing yet: fine */
	for (unsigned int i = 1; i <= 100; i++)
		mrd_diag_add(&diag, i % 4 ? MRD_WARNING : MRD_ERROR,
			     &(struct mrd_place){.file = "f", .line = i}, "", "%u", i);
	assert_int_equal(diag.count, 100);
	assert_int_equal(diag.errors, 25);
	assert_string_equal(diag.findings[99].reason, "100");
	mrd_diag_free(&diag);
	assert_int_equal(diag.count + diag.errors + diag.room, 0);
}

static void of_a_file_and_severity_some_are_kept_and_all_counted(void **state)
{
	enum { TOLD = MRD_FINDINGS_MAX + 3 };
	static const char *const files[] = {"a", "b"};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	for (unsigned int i = 1; i <= TOLD; i++)
		for (size_t k = 0; k < 2; k++)
			mrd_diag_add(&diag, MRD_ERROR,
				     &(struct mrd_place){.file = files[k], .line = i}, "x", "bad");
	assert_int_equal(diag.errors, 2 * TOLD);
	assert_int_equal(diag.count, 2 * (MRD_FINDINGS_MAX + 1));
	assert_true(mrd_diag_is_full(&diag, MRD_ERROR, "a"));
	assert_false(mrd_diag_is_full(&diag, MRD_WARNING, "a"));
	assert_false(mrd_diag_is_full(&diag, MRD_ERROR, "c"));
	mrd_diag_add(&diag, MRD_WARNING, &(struct mrd_place){.file = "a", .line = 1}, "x", "odd");
	assert_int_equal(diag.count, 2 * (MRD_FINDINGS_MAX + 1) + 1);
	mrd_diag_sort(&diag);
	for (size_t i = MRD_FINDINGS_MAX + 1; i < diag.count; i += MRD_FINDINGS_MAX + 1) {
		MRD_AUTO_FREE char *text = mrd_finding_text(&diag.findings[i]);

		assert_string_equal(text + 1, ":1001: error: 3 more errors, not shown");
	}
}

/* From the last line of a file to the first. */
static void add_errors(struct mrd_diag *diag, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		mrd_diag_add(diag, MRD_ERROR, &(struct mrd_place){.file = "a", .line = 5000 - i},
			     "x", "bad");
}

static void last_is(const struct mrd_diag *diag, const char *want)
{
	MRD_AUTO_FREE char *text = mrd_finding_text(&diag->findings[diag->count - 1]);

	assert_int_equal(diag->count, MRD_FINDINGS_MAX + 1);
	assert_string_equal(text, want);
}

static void the_bound_outlives_sorting(void **state)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	add_errors(&diag, MRD_FINDINGS_MAX + 3);
	mrd_diag_sort(&diag);
	last_is(&diag, "a:4000: error: 3 more errors, not shown");
	add_errors(&diag, 2);
	assert_true(mrd_diag_is_full(&diag, MRD_ERROR, "a"));
	mrd_diag_sort(&diag);
	last_is(&diag, "a:4000: error: 5 more errors, not shown");
}

static void a_copy_counts_what_was_counted(void **state)
{
	enum { TOLD = MRD_FINDINGS_MAX + 234 };
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	MRD_AUTO_DIAG struct mrd_diag copy = {0};

	(void)state;
	add_errors(&diag, TOLD);
	for (size_t i = diag.count; i-- > 0;) /* what counts the others comes first */
		mrd_diag_copy(&copy, &diag.findings[i]);
	mrd_diag_sort(&copy);
	assert_int_equal(copy.errors, TOLD);
	last_is(&copy, "a:4000: error: 234 more errors, not shown");
	for (size_t i = 0; i < diag.count; i++)
		mrd_diag_copy(&copy, &diag.findings[i]);
	assert_int_equal(copy.errors, 2 * TOLD);
	last_is(&copy, "a:4000: error: 1468 more errors, not shown");
}

static void long_texts_lose_their_middle(void **state)
{
	static const char head[] = "\"\xc3\xa9";
	static const char tail[] = "\" is no host";
	char value[2 * MRD_FINDING_TEXT_MAX + 1] = "";
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	for (size_t i = 0; i < 2 * MRD_FINDING_TEXT_MAX; i++)
		value[i] = "\xc3\xa9"[i % 2];
	for (size_t shift = 0; shift < 2; shift++) {
		const char *reason;

		mrd_diag_add(&diag, MRD_ERROR, NULL, value, "\"%s%s\" is no host", value,
			     shift ? "x" : "");
		reason = diag.findings[shift].reason;
		assert_in_range(strlen(reason), MRD_FINDING_TEXT_MAX - 16, MRD_FINDING_TEXT_MAX);
		assert_in_range(strlen(diag.findings[shift].field), MRD_FINDING_TEXT_MAX - 16,
				MRD_FINDING_TEXT_MAX);
		assert_memory_equal(reason, head, strlen(head));
		assert_string_equal(reason + strlen(reason) - strlen(tail), tail);
		assert_non_null(strstr(reason, "\xc3\xa9 ... \xc3\xa9"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_leaves_out_what_is_unknown),
		cmocka_unit_test(errors_that_were_told_are_the_reason),
		cmocka_unit_test(a_finding_is_one_line),
		cmocka_unit_test(a_finding_may_have_no_place),
		cmocka_unit_test(findings_outlive_what_they_speak_of),
		cmocka_unit_test(sorted_by_file_line_and_column),
		cmocka_unit_test(many_findings_are_all_kept),
		cmocka_unit_test(of_a_file_and_severity_some_are_kept_and_all_counted),
		cmocka_unit_test(the_bound_outlives_sorting),
		cmocka_unit_test(a_copy_counts_what_was_counted),
		cmocka_unit_test(long_texts_lose_their_middle),
	};

	return cmocka_run_group_tests_name("base/diag", tests, NULL, NULL);
}
