// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Tickets: every one once, and no window of connections strays from a hop's share. */
#include "bpf/lib/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void test_every_ticket_comes_once_in_a_round(void **state)
{
	static unsigned char seen[MRD_TICKETS];

	(void)state;
	for (__u32 n = 0; n < MRD_TICKETS; n++) {
		const __u32 ticket = mrd_ticket_of(n);

		assert_in_range(ticket, 0, MRD_TICKETS - 1);
		assert_int_equal(seen[ticket], 0);
		seen[ticket] = 1;
	}
}

static void test_a_ticket_is_the_number_read_backwards_with_its_digits_changed(void **state)
{
	static const struct {
		__u64 number;
		__u32 want;
	} cases[] = {
		{.number = 0, .want = 0},
		{.number = 1, .want = 5000},
		{.number = 2, .want = 2000},
		{.number = 3, .want = 7000},
		{.number = 4, .want = 4000},
		{.number = 5, .want = 9000},
		{.number = 6, .want = 1000},
		{.number = 7, .want = 6000},
		{.number = 8, .want = 3000},
		{.number = 9, .want = 8000},
		{.number = 12, .want = 2500},
		{.number = 1234, .want = 4725},
		{.number = 9999, .want = 8888},
		{.number = 10000, .want = 0},
		{.number = 0xffffffffULL, .want = 9826},
		{.number = 0x100000000ULL, .want = 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("number %llu\n", cases[i].number);
		assert_int_equal(mrd_ticket_of(cases[i].number), cases[i].want);
	}
}

/*
 * How far any window, of any length and starting anywhere, strays from its share: with the running
 * difference between count and share, that is the difference of its extremes, for a window is the
 * difference between two points and a whole round comes out even.
 */
static double worst_window(__u32 from, __u32 until)
{
	const double share = (until - from) / (double)MRD_TICKETS;
	double difference = 0, least = 0, most = 0;

	for (__u32 n = 0; n < MRD_TICKETS; n++) {
		const __u32 ticket = mrd_ticket_of(n);

		difference += (ticket >= from && ticket < until) - share;
		if (difference < least)
			least = difference;
		if (difference > most)
			most = difference;
	}
	return most - least;
}

static void test_no_window_strays_from_its_share(void **state)
{
	static const struct {
		const char *name;
		__u32 from, until;
		double at_most;
	} cases[] = {
		{.name = "1 %, first", .from = 0, .until = 100, .at_most = 1},
		{.name = "1 %, last", .from = 9900, .until = 10000, .at_most = 1},
		{.name = "99 %", .from = 0, .until = 9900, .at_most = 1},
		{.name = "33 %", .from = 0, .until = 3300, .at_most = 2.2},
		{.name = "67 %", .from = 3300, .until = 10000, .at_most = 2.2},
		{.name = "first third", .from = 0, .until = 3333, .at_most = 4.2},
		{.name = "second third", .from = 3333, .until = 6667, .at_most = 4.2},
		{.name = "last third", .from = 6667, .until = 10000, .at_most = 4.2},
	};
	const double rounding = 1e-6;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const double worst = worst_window(cases[i].from, cases[i].until);

		printf("%s: %.3f\n", cases[i].name, worst);
		assert_true(worst <= cases[i].at_most + rounding);
	}
}

static void test_whole_tenths_stray_least(void **state)
{
	const __u32 tenth = MRD_TICKETS / 10;

	(void)state;
	for (__u32 from = 0; from < MRD_TICKETS; from += tenth)
		for (__u32 until = from + tenth; until <= MRD_TICKETS; until += tenth) {
			const bool is_tenth = until - from == tenth || until - from == 9 * tenth;
			const double worst = worst_window(from, until);

			printf("%u to %u: %.3f\n", from, until, worst);
			assert_true(worst <= (is_tenth ? 0.9 : 1.6) + 1e-6);
		}
}

/* Whole tens in whole tens of connections: exactly. */
static void test_any_ten_connections_hold_each_tenth_once(void **state)
{
	(void)state;
	for (__u32 start = 0; start + 10 <= MRD_TICKETS; start++) {
		__u32 tenths = 0;

		for (__u32 n = start; n < start + 10; n++)
			tenths |= 1U << mrd_ticket_of(n) / 1000;
		if (tenths != 0x3ff)
			printf("from number %u\n", start);
		assert_int_equal(tenths, 0x3ff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_ticket_comes_once_in_a_round),
		cmocka_unit_test(
			test_a_ticket_is_the_number_read_backwards_with_its_digits_changed),
		cmocka_unit_test(test_no_window_strays_from_its_share),
		cmocka_unit_test(test_whole_tenths_stray_least),
		cmocka_unit_test(test_any_ten_connections_hold_each_tenth_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
