/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int freed; /* calls of count_free(), reset by each test that looks at it */

static void count_free(void *value)
{
	(void)value;
	freed++;
}

static void *number(size_t n)
{
	return (void *)(uintptr_t)(n + 1); /* never NULL */
}

static void an_empty_table_has_nothing(void **state)
{
	struct mrd_table *table = mrd_table_new(NULL);
	size_t cursor = 0;

	(void)state;
	assert_non_null(table);
	assert_int_equal(mrd_table_count(table), 0);
	assert_null(mrd_table_get_str(table, "a"));
	assert_null(mrd_table_take(table, "a", 1));
	assert_int_equal(mrd_table_delete_str(table, "a"), -ENOENT);
	assert_null(mrd_table_next(table, &cursor, NULL, NULL));
	mrd_table_free(table);
	mrd_table_free(NULL);
}

static void keys_are_bytes_not_strings(void **state)
{
	static const struct {
		const char *key;
		size_t len;
	} cases[] = {
		{.key = "", .len = 0},	       {.key = "\0", .len = 1},
		{.key = "\0\0", .len = 2},     {.key = "a", .len = 1},
		{.key = "a\0", .len = 2},      {.key = "a\0b", .len = 3},
		{.key = "12345678", .len = 8}, {.key = "12345678\0", .len = 9},
		{.key = "1234567", .len = 7},
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	struct mrd_table *table = mrd_table_new(NULL);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(mrd_table_put(table, cases[i].key, cases[i].len, number(i)), 0);
	assert_int_equal(mrd_table_count(table), count);
	for (size_t i = 0; i < count; i++) {
		print_message("case %zu\n", i);
		assert_ptr_equal(mrd_table_get(table, cases[i].key, cases[i].len), number(i));
	}
	mrd_table_free(table);
}

static void putting_again_replaces_and_frees_the_older_value(void **state)
{
	struct mrd_table *table = mrd_table_new(count_free);

	(void)state;
	freed = 0;
	assert_int_equal(mrd_table_put_str(table, "a", number(1)), 0);
	assert_int_equal(mrd_table_put_str(table, "a", number(1)), 0);
	assert_int_equal(freed, 0); /* the same value: still in use */
	assert_int_equal(mrd_table_put_str(table, "a", number(2)), 0);
	assert_int_equal(freed, 1);
	assert_int_equal(mrd_table_count(table), 1);
	assert_ptr_equal(mrd_table_take(table, "a", 1), number(2));
	assert_int_equal(freed, 1); /* taking hands the value over */
	assert_int_equal(mrd_table_put_str(table, "b", number(3)), 0);
	assert_int_equal(mrd_table_delete_str(table, "b"), 0);
	assert_int_equal(freed, 2);
	assert_int_equal(mrd_table_put_str(table, "c", number(4)), 0);
	mrd_table_free(table);
	assert_int_equal(freed, 3);
}

static void walks_in_order_of_insertion(void **state)
{
	struct mrd_table *table = mrd_table_new(NULL);
	const void *key;
	size_t cursor = 0;
	size_t len;
	char text[32];

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "key-%zu", i * 7919 % 1000);
		assert_int_equal(mrd_table_put_str(table, text, number(i)), 0);
	}
	for (size_t i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "key-%zu", i * 7919 % 1000);
		assert_ptr_equal(mrd_table_next(table, &cursor, &key, &len), number(i));
		assert_int_equal(len, strlen(text));
		assert_string_equal(key, text); /* terminated beyond its length */
	}
	assert_null(mrd_table_next(table, &cursor, NULL, NULL));
	mrd_table_free(table);
}

static void a_walk_may_delete_what_it_sees(void **state)
{
	struct mrd_table *table = mrd_table_new(NULL);
	const void *key;
	size_t cursor = 0;
	size_t seen = 0;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(mrd_table_put(table, &i, sizeof(i), number(i)), 0);
	for (const void *value; (value = mrd_table_next(table, &cursor, &key, &len)); seen++) {
		size_t i;

		memcpy(&i, key, sizeof(i));
		assert_ptr_equal(value, number(i));
		if (i % 2)
			assert_int_equal(mrd_table_delete(table, key, len), 0);
	}
	assert_int_equal(seen, 100);
	assert_int_equal(mrd_table_count(table), 50);
	for (size_t i = 0; i < 100; i++)
		assert_ptr_equal(mrd_table_get(table, &i, sizeof(i)), i % 2 ? NULL : number(i));
	mrd_table_free(table);
}

/* Against a plain array as the truth: puts, deletes and look-ups in a fixed mixed order. */
static void holds_up_under_churn(void **state)
{
	enum { KEYS = 257, STEPS = 100000 };
	struct mrd_table *table = mrd_table_new(NULL);
	size_t truth[KEYS] = {0};
	size_t count = 0;
	uint32_t dice = 1;

	(void)state;
	for (size_t step = 1; step <= STEPS; step++) {
		uint32_t key;

		dice = dice * 1664525 + 1013904223;
		key = (dice >> 8) % KEYS;
		if (dice >> 31) {
			assert_int_equal(mrd_table_put(table, &key, sizeof(key), number(step)), 0);
			count += !truth[key];
			truth[key] = step;
		} else {
			assert_int_equal(mrd_table_delete(table, &key, sizeof(key)),
					 truth[key] ? 0 : -ENOENT);
			count -= !!truth[key];
			truth[key] = 0;
		}
		assert_int_equal(mrd_table_count(table), count);
		assert_ptr_equal(mrd_table_get(table, &key, sizeof(key)),
				 truth[key] ? number(truth[key]) : NULL);
	}
	for (uint32_t key = 0; key < KEYS; key++)
		assert_ptr_equal(mrd_table_get(table, &key, sizeof(key)),
				 truth[key] ? number(truth[key]) : NULL);
	mrd_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(keys_are_bytes_not_strings),
		cmocka_unit_test(putting_again_replaces_and_frees_the_older_value),
		cmocka_unit_test(walks_in_order_of_insertion),
		cmocka_unit_test(a_walk_may_delete_what_it_sees),
		cmocka_unit_test(holds_up_under_churn),
	};

	return cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
}
