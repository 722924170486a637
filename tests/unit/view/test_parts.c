/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "view/columns.h"

static void spans_read_well(void **state)
{
	static const struct {
		long long ms;
		const char *want;
	} cases[] = {
		{.ms = 0, .want = "0ms"},	   {.ms = 999, .want = "999ms"},
		{.ms = 1000, .want = "1s"},	   {.ms = 59999, .want = "59s"},
		{.ms = 60000, .want = "1m00s"},	   {.ms = 3599999, .want = "59m59s"},
		{.ms = 3600000, .want = "1h00m"},  {.ms = 86399999, .want = "23h59m"},
		{.ms = 86400000, .want = "1d00h"}, {.ms = 400LL * 86400000, .want = "400d00h"},
	};
	char span[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%lld\n", cases[i].ms);
		assert_string_equal(mrd_view_span(cases[i].ms, span, sizeof(span)), cases[i].want);
	}
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const struct mrd_column columns[] = {{"NAME", 0}, {"N", 1}, {"LAST", 0}};
	MRD_AUTO_COLUMNS struct mrd_columns *table = mrd_columns_new(columns, 3);
	MRD_AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	mrd_columns_add(table, "%s", "a");
	mrd_columns_add(table, "%d", 1000);
	mrd_columns_add(table, "%s", "x");
	mrd_columns_add(table, "%s", "a long name");
	mrd_columns_add(table, "%d", 7);
	mrd_columns_add(table, "%s", "");
	mrd_columns_add(table, "%s", "short row");
	mrd_columns_print(table, 2, out);
	fclose(out);
	assert_string_equal(text, "  NAME            N  LAST\n"
				  "  a            1000  x\n"
				  "  a long name     7  -\n"
				  "  short row       -  -\n");
}

static void a_table_that_could_not_be_made_prints_nothing(void **state)
{
	MRD_AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	mrd_columns_add(NULL, "%s", "lost");
	mrd_columns_print(NULL, 0, out);
	mrd_columns_free(NULL);
	fclose(out);
	assert_string_equal(text, "");
}

static void names_sort_as_people_read_them(void **state)
{
	static const struct mrd_name sorted[] = {
		{.namespace_ = "a", .service = "z", .port_name = "z"},
		{.namespace_ = "b", .service = "a", .port_name = "z"},
		{.namespace_ = "b", .service = "b", .port_name = ""},
		{.namespace_ = "b", .service = "b", .port_name = "a", .protocol = 6, .family = 2},
		{.namespace_ = "b", .service = "b", .port_name = "a", .protocol = 17, .family = 1},
		{.namespace_ = "b", .service = "b", .port_name = "a", .protocol = 17, .family = 2},
	};
	const size_t count = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			const int order = mrd_view_compare_names(&sorted[i], &sorted[j]);

			print_message("%zu %zu\n", i, j);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void a_mean_of_nothing_is_null(void **state)
{
	json_t *none = mrd_view_mean_ms(5, 0);
	json_t *some = mrd_view_mean_ms(3000, 2);

	(void)state;
	assert_true(json_is_null(none));
	assert_true(json_real_value(some) == 1.5);
	json_decref(none);
	json_decref(some);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_read_well),
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(a_table_that_could_not_be_made_prints_nothing),
		cmocka_unit_test(names_sort_as_people_read_them),
		cmocka_unit_test(a_mean_of_nothing_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
