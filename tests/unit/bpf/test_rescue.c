// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* When a SYN is unanswered, where its connection goes, and what a handshake teaches. */
#include "bpf/lib/rescue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MS_NS = 1000 * 1000, S_MS = 1000 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void timeout_follows_what_is_known(void **state)
{
	static const struct {
		const char *what;
		__u32 asked_ms, known_us, want_us;
	} cases[] = {
		{"nothing known: the kernel's own", 0, 0, 1000000},
		{"near: never below 50 ms", 0, 1, 50000},
		{"at the edge", 0, 25000, 50000},
		{"twice what is known", 0, 25001, 50002},
		{"150 ms away", 0, 150000, 300000},
		{"asked for, over what is known", 80, 150000, 80000},
		{"asked for, nothing known", 20, 0, 20000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].what);
		assert_int_equal(mrd_syn_timeout_us(cases[i].asked_ms, cases[i].known_us),
				 cases[i].want_us);
	}
}

static void timer_is_in_jiffies(void **state)
{
	static const struct {
		__u32 timeout_us, jiffies_per_s, want;
	} cases[] = {
		{50000, 250, 13}, /* 12.5: rather later than sooner */
		{50000, 100, 5},   {50000, 1000, 50},
		{1, 1000, 1},	   {1000000, 250, 0}, /* the kernel's own */
		{3000000, 250, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%u us at %u Hz\n", cases[i].timeout_us, cases[i].jiffies_per_s);
		assert_int_equal(mrd_syn_timer(cases[i].timeout_us, cases[i].jiffies_per_s),
				 cases[i].want);
	}
}

/* The first choice is 1 ms away, the second 150 ms: its SYNs sent again at 100 and 300 ms by the
 * first one's timer are no reason to leave it, until 300 ms have passed. */
static void a_far_second_choice_has_its_time(void **state)
{
	const __u32 timeout_us = mrd_syn_timeout_us(0, 150000);

	(void)state;
	assert_false(mrd_syn_is_late(100ULL * MS_NS, timeout_us));
	assert_true(mrd_syn_is_late(300ULL * MS_NS, timeout_us));
	assert_true(mrd_syn_is_late(300ULL * MS_NS - 4ULL * MS_NS, timeout_us)); /* a jiffy early */
	assert_false(mrd_syn_is_late(750ULL * MS_NS, mrd_syn_timeout_us(0, 0)));
	assert_true(mrd_syn_is_late(1000ULL * MS_NS, mrd_syn_timeout_us(0, 0)));
}

static void handshakes_teach(void **state)
{
	struct mrd_handshake row = {0};
	const __u64 second_ns = 1000ULL * MS_NS;

	(void)state;
	assert_true(mrd_handshake_learn(&row, 500, 7));
	assert_int_equal(row.known_us, 500);
	assert_int_equal(row.seen_ns, 7);
	assert_true(mrd_handshake_learn(&row, 8000, 8)); /* slower: at once */
	assert_int_equal(row.known_us, 8000);
	assert_false(mrd_handshake_learn(&row, 800, 9)); /* faster: once a second, an eighth */
	assert_true(mrd_handshake_learn(&row, 800, 8 + second_ns));
	assert_int_equal(row.known_us, 7100);
	for (__u64 i = 2; i < 100; i++)
		mrd_handshake_learn(&row, 800, 8 + i * second_ns);
	assert_int_equal(row.known_us, 800);
	assert_false(mrd_handshake_learn(&row, 7000000, 200 * second_ns)); /* said again */
	assert_false(mrd_handshake_learn(&row, 1000000, 200 * second_ns)); /* so it may be here */
	assert_int_equal(row.known_us, 800);
}

static void the_whole_time_stays(void **state)
{
	static const struct {
		const char *what;
		__u32 retries, linear, timer_ms, want_ms, want_retries;
	} cases[] = {
		/* 1 + 2 + 4 + … + 64 s */
		{"6 retries", 6, 0, 50, 127 * S_MS, 11},
		{"one", 1, 0, 50, 3 * S_MS, 5},
		{"a slow region", 6, 0, 300, 127 * S_MS, 8},
		/* Linux 6.18 rings at 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 and 131 s: measured for 2 to
		   4 */
		{"one, linear", 1, 4, 50, 3 * S_MS, 5},
		{"two, linear", 2, 4, 50, 7 * S_MS, 7},
		{"three, linear", 3, 4, 50, 19 * S_MS, 8},
		{"four, linear", 4, 4, 50, 35 * S_MS, 9},
		{"six, linear", 6, 4, 50, 131 * S_MS, 11},
		/* By more linear ones: at 1 to 6, 8, 12, 20 s; at 1 to 21 s; and by one: at 1, 2,
		   4, 8 s. */
		{"two, five linear", 2, 5, 50, 8 * S_MS, 7},
		{"three, twenty linear", 3, 20, 50, 15 * S_MS, 8},
		{"one, one linear", 1, 1, 50, 4 * S_MS, 6},
		{"none, linear", 0, 4, 50, 1 * S_MS, 4},
		/* None is longer than 120 s. */
		{"seven", 7, 0, 50, 247 * S_MS, 13},
		{"eight, linear", 8, 4, 50, 371 * S_MS, 14},
		{"as many as can be", 127, 0, 50, (127 + 121 * 120) * S_MS, 127},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const __u32 total_ms = mrd_connect_total_ms(cases[i].retries, cases[i].linear);
		const __u32 retries =
			mrd_connect_retries(total_ms, cases[i].timer_ms, cases[i].retries);

		print_message("%s\n", cases[i].what);
		assert_int_equal(total_ms, cases[i].want_ms);
		assert_int_equal(retries, cases[i].want_retries);
		/* No retry less would do. */
		if (cases[i].retries > MRD_SYN_DOUBLINGS)
			continue;
		assert_true(mrd_doubled_ms(cases[i].timer_ms, retries) >= total_ms);
		assert_true(mrd_doubled_ms(cases[i].timer_ms, retries - 1) < total_ms);
	}
}

static void tried_ones_are_remembered(void **state)
{
	struct mrd_tried tried = {0};

	(void)state;
	assert_false(mrd_tried_has(&tried, 0));
	for (__u32 i = 0; i < MRD_TRIED_MAX; i++)
		assert_true(mrd_tried_add(&tried, 100 + i, i / 2 + 1));
	assert_false(mrd_tried_add(&tried, 999, 9));
	assert_true(mrd_tried_has(&tried, 100));
	assert_true(mrd_tried_has(&tried, 100 + MRD_TRIED_MAX - 1));
	assert_false(mrd_tried_has(&tried, 999));
	assert_true(mrd_tried_has_region(&tried, 1));
	assert_false(mrd_tried_has_region(&tried, 9));
}

/* The hops that a rescue visits, in order, as "hop_id:offset". */
static void turns(const struct mrd_route *route, const struct mrd_tried *tried, char *text,
		  size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (__u32 step = 0; step < MRD_RESCUE_STEPS && len < size; step++) {
		struct mrd_turn turn;

		mrd_rescue_turn(route, tried, step, &turn);
		if (turn.offset < turn.member_count)
			len += (size_t)snprintf(text + len, size - len, "%u:%u ", turn.hop_id,
						turn.offset);
	}
}

static void other_regions_come_first(void **state)
{
	static const struct {
		const char *what;
		__u32 regions[3], members[3];
		__u32 been[2]; /* regions */
		const char *want;
	} cases[] = {
		{"the next region", {1, 2}, {1, 1}, {1}, "2:0 1:0 2:0 "},
		{"not the next zone of the silent one",
		 {1, 1, 2},
		 {1, 1, 1},
		 {1},
		 "3:0 1:0 2:0 3:0 "},
		{"once everywhere: where it was last", {1, 2}, {1, 1}, {1, 2}, "2:0 1:0 "},
		{"one region: another member", {1}, {3}, {1}, "1:0 1:1 1:2 "},
		{"nothing at all", {0}, {0}, {1}, ""},
		{"a hop without members", {1, 2, 3}, {1, 0, 2}, {1}, "3:0 1:0 3:0 3:1 "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mrd_route route = {0};
		struct mrd_tried tried = {0};
		char text[2048];

		for (__u32 h = 0; h < 3 && cases[i].regions[h]; h++) {
			route.hops[h].hop_id = h + 1;
			route.hops[h].region_id = cases[i].regions[h];
			route.hops[h].member_count = cases[i].members[h];
			route.hop_count++;
		}
		for (__u32 t = 0; t < 2 && cases[i].been[t]; t++)
			mrd_tried_add(&tried, t + 1, cases[i].been[t]);
		turns(&route, &tried, text, sizeof(text));
		print_message("%s\n", cases[i].what);
		assert_string_equal(text, cases[i].want);
	}
}

/* The home region is silent, and has more endpoints than can be remembered; the first abroad
 * refuses.
 */
static void regions_take_turns(void **state)
{
	struct mrd_route route = {
		.hop_count = 2,
		.hops = {{.hop_id = 1, .region_id = 1, .member_count = MRD_TRIED_MAX},
			 {.hop_id = 2, .region_id = 2, .member_count = 3}},
	};
	struct mrd_tried tried = {0};
	char text[64] = "";

	(void)state;
	mrd_tried_add(&tried, 10, 1);
	for (size_t len = 0, moves = 0; moves < 4; moves++) {
		struct mrd_turn turn;
		__u32 step = 0, endpoint_id;

		do {
			mrd_rescue_turn(&route, &tried, step++, &turn);
			endpoint_id = turn.hop_id * 10 + turn.offset;
		} while (turn.offset >= turn.member_count || mrd_tried_has(&tried, endpoint_id));
		assert_true(mrd_tried_add(&tried, endpoint_id, turn.region_id));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u ", endpoint_id);
	}
	assert_string_equal(text, "20 21 11 22 ");
}

/* With all sixteen hops each still has a turn, and where they are of one region, some have. */
static void many_hops_all_have_turns(void **state)
{
	struct mrd_route route = {.hop_count = MRD_HOPS_MAX};
	struct mrd_tried tried = {0};
	__u32 seen[MRD_HOPS_MAX] = {0};
	__u32 inside = 0;

	(void)state;
	for (__u32 h = 0; h < MRD_HOPS_MAX; h++) {
		route.hops[h].hop_id = h;
		route.hops[h].region_id = h + 1;
		route.hops[h].member_count = 5;
	}
	mrd_tried_add(&tried, 1, 1);
	for (__u32 step = 0; step < MRD_RESCUE_STEPS; step++) {
		struct mrd_turn turn;

		mrd_rescue_turn(&route, &tried, step, &turn);
		seen[turn.hop_id] += turn.offset < turn.member_count;
	}
	for (__u32 h = 1; h < MRD_HOPS_MAX; h++)
		assert_true(seen[h] >= 1);
	for (__u32 h = 0; h < MRD_HOPS_MAX; h++)
		route.hops[h].region_id = 1;
	for (__u32 step = 0; step < MRD_RESCUE_STEPS; step++) {
		struct mrd_turn turn;

		mrd_rescue_turn(&route, &tried, step, &turn);
		inside += turn.offset < turn.member_count;
	}
	assert_true(inside >= MRD_TRIED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timeout_follows_what_is_known),
		cmocka_unit_test(timer_is_in_jiffies),
		cmocka_unit_test(a_far_second_choice_has_its_time),
		cmocka_unit_test(handshakes_teach),
		cmocka_unit_test(the_whole_time_stays),
		cmocka_unit_test(tried_ones_are_remembered),
		cmocka_unit_test(other_regions_come_first),
		cmocka_unit_test(regions_take_turns),
		cmocka_unit_test(many_hops_all_have_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
