/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The set against the rule as it is written down: each entry compared with all earlier ones. */
#include "policy/locality_set.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "policy/locality.h"

enum { LIST_MAX = 40, ROUNDS = 20000, LONG = 200000 };

static bool segment_covers(const char *outer, const char *inner)
{
	return !*outer || !strcmp(outer, inner);
}

static bool covers(const struct mrd_locality_match *outer, const struct mrd_locality_match *inner)
{
	return segment_covers(outer->region, inner->region) &&
	       segment_covers(outer->zone, inner->zone) &&
	       segment_covers(outer->subzone, inner->subzone);
}

/* The first earlier entry that this one overlaps with, or index itself. */
static size_t first_overlap(const struct mrd_locality_match *list, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (covers(&list[i], &list[index]) ||
		    (covers(&list[index], &list[i]) && *list[index].region))
			return i;
	return index;
}

static size_t told_by(struct mrd_locality_set *set, const struct mrd_locality_match *match,
		      size_t index)
{
	size_t earlier = SIZE_MAX;
	const int r = mrd_locality_set_add(set, match, index, &earlier);

	assert_true(r == 0 || r == 1);
	assert_int_equal(r, earlier != SIZE_MAX);
	return r ? earlier : index;
}

static void overlaps_are_equal_inside_or_around(void **state)
{
	static const struct {
		const char *list[4];
		size_t want; /* of the last one; as many as there are: none */
	} cases[] = {
		{{"r1", "r2"}, 2},
		{{"r1", "r1/*"}, 0},
		{{"r1/*", "r1/z1/s1"}, 0},
		{{"r1/z1/s1", "r1"}, 0},
		{{"r1/z1", "r1/z2", "r1/z1/s1"}, 0},
		{{"r1/z2/s1", "r1/z1/s1", "r1/z1"}, 1},
		{{"r1/z1/s1", "r1/z1/s2", "r1/z1/*"}, 0},
		{{"r1", "r2", "*"}, 3},
		{{"r1", "*", "*"}, 1},
		{{"*", "r1", "r1"}, 0},
		{{"r1/z1", "r1z1", "r1/z"}, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_locality_set *set = mrd_locality_set_new();
		size_t count = 0;
		size_t told = 0;

		assert_non_null(set);
		for (; count < 4 && cases[i].list[count]; count++) {
			struct mrd_locality_match match = {0};

			print_message("%s ", cases[i].list[count]);
			assert_int_equal(mrd_locality_parse(cases[i].list[count], &match), 0);
			told = told_by(set, &match, count);
			told = told == count ? count + 1 : told;
			mrd_locality_match_free(&match);
		}
		print_message("\n");
		assert_int_equal(told, cases[i].want);
		mrd_locality_set_free(set);
	}
}

/* Few names, so that everything meets everything. */
static void random_match(struct mrd_locality_match *match)
{
	static char *const names[] = {(char *)"a", (char *)"b", (char *)"ab", (char *)"c"};
	const int depth = rand() % 8 ? 1 + rand() % 3 : 0;

	match->region = depth > 0 ? names[rand() % 4] : (char *)"";
	match->zone = depth > 1 ? names[rand() % 4] : (char *)"";
	match->subzone = depth > 2 ? names[rand() % 4] : (char *)"";
}

static void the_set_says_what_all_comparisons_say(void **state)
{
	size_t overlaps = 0;

	(void)state;
	srand(29);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct mrd_locality_match list[LIST_MAX];
		struct mrd_locality_set *set = mrd_locality_set_new();
		const size_t count = (size_t)rand() % LIST_MAX;

		assert_non_null(set);
		for (size_t i = 0; i < count; i++) {
			size_t want;
			size_t told;

			random_match(&list[i]);
			want = first_overlap(list, i);
			told = told_by(set, &list[i], i);
			overlaps += want != i;
			if (told != want)
				fail_msg("round %zu, entry %zu: told %zu, not %zu", round, i, told,
					 want);
		}
		mrd_locality_set_free(set);
	}
	assert_true(overlaps > ROUNDS);
}

/* Compared with each other these are 20 billion pairs: minutes. */
static void a_long_list_takes_no_time(void **state)
{
	struct mrd_locality_set *set = mrd_locality_set_new();
	const clock_t start = clock();

	(void)state;
	assert_non_null(set);
	for (size_t i = 0; i < LONG; i++) {
		char zone[32];
		struct mrd_locality_match match = {(char *)"r", zone, (char *)""};

		snprintf(zone, sizeof(zone), "z%zu", i);
		assert_int_equal(told_by(set, &match, i), i);
	}
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
	mrd_locality_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlaps_are_equal_inside_or_around),
		cmocka_unit_test(the_set_says_what_all_comparisons_say),
		cmocka_unit_test(a_long_list_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
