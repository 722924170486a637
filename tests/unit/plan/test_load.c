/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Envoy's published numbers; the ids are those of the vectors' list (P: priorities, Q and N: panic,
 * G: degraded hosts, L: localities). Levels of an id that say "per cent" have 100 hosts. */
#include "plan/load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/lib/pick.h"
#include "bpf/lib/ticket.h"

enum { ENVOY_FACTOR = 140, LEVELS_MAX = 4, NOTHING = 1000 };

struct level_case {
	const char *name;
	struct {
		uint32_t total;
		uint32_t healthy;
		uint32_t degraded;
		uint32_t excluded;
		uint32_t unfit;
		uint32_t healthy_weight;
		uint32_t total_weight;
	} in[LEVELS_MAX];
	size_t count;
	uint32_t factor; /* 0: Envoy's */
	uint32_t panic_percent;
	uint32_t want_percent[LEVELS_MAX];
	uint32_t want_degraded[LEVELS_MAX];
	bool want_panic[LEVELS_MAX];
	uint32_t want_total; /* normalised; 0: 100 */
};

static const struct level_case level_cases[] = {
	{.name = "P1", .in = {{100, 100}, {100, 100}}, .count = 2, .want_percent = {100, 0}},
	{.name = "P2", .in = {{100, 72}, {100, 100}}, .count = 2, .want_percent = {100, 0}},
	{.name = "P3 (71)", .in = {{100, 71}, {100, 100}}, .count = 2, .want_percent = {99, 1}},
	{.name = "P4", .in = {{100, 50}, {100, 100}}, .count = 2, .want_percent = {70, 30}},
	{.name = "P6", .in = {{100, 0}, {100, 100}}, .count = 2, .want_percent = {0, 100}},
	{.name = "P7", .in = {{100, 72}, {100, 72}}, .count = 2, .want_percent = {100, 0}},
	{.name = "P9", .in = {{100, 50}, {100, 50}}, .count = 2, .want_percent = {70, 30}},
	{.name = "P10", .in = {{100, 25}, {100, 100}}, .count = 2, .want_percent = {35, 65}},
	{
		.name = "P13",
		.in = {{100, 100}, {100, 100}, {100, 100}},
		.count = 3,
		.want_percent = {100, 0, 0},
	},
	{
		.name = "P14",
		.in = {{100, 72}, {100, 72}, {100, 100}},
		.count = 3,
		.want_percent = {100, 0, 0},
	},
	{
		.name = "P16",
		.in = {{100, 50}, {100, 50}, {100, 100}},
		.count = 3,
		.want_percent = {70, 30, 0},
	},
	{
		.name = "P17",
		.in = {{100, 25}, {100, 100}, {100, 100}},
		.count = 3,
		.want_percent = {35, 65, 0},
	},
	{
		.name = "P19, panic 50",
		.in = {{100, 25}, {100, 25}, {100, 20}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {34, 33, 33},
		.want_panic = {true, true, true},
		.want_total = 98,
	},
	{
		.name = "P19, no panic",
		.in = {{100, 25}, {100, 25}, {100, 20}},
		.count = 3,
		.want_percent = {37, 35, 28},
		.want_total = 98,
	},
	{
		.name = "25 : 25",
		.in = {{100, 25}, {100, 25}},
		.count = 2,
		.want_percent = {50, 50},
		.want_total = 70,
	},
	{
		.name = "25 : 25 : 100",
		.in = {{100, 25}, {100, 25}, {100, 100}},
		.count = 3,
		.want_percent = {35, 35, 30},
	},
	{
		.name = "71 : 71 : 100",
		.in = {{100, 71}, {100, 71}, {100, 100}},
		.count = 3,
		.want_percent = {99, 1, 0},
	},
	{
		.name = "Q1",
		.in = {{1, 0}, {1, 0}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {50, 50},
		.want_panic = {true, true},
		.want_total = NOTHING,
	},
	{
		.name = "Q3",
		.in = {{1, 0}, {2, 0}, {1, 1}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {0, 0, 100},
	},
	{
		.name = "Q4, P0 has the healthy host beside the one it had",
		.in = {{2, 1}, {2, 0}, {1, 1}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {70, 0, 30},
	},
	{
		.name = "Q4, the healthy host is all of P0",
		.in = {{1, 1}, {2, 0}, {1, 1}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {100, 0, 0},
	},
	{
		.name = "Q7",
		.in = {{1, 1}, {1, 1}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {100, 0},
	},
	{
		.name = "Q8",
		.in = {{2, 1}, {2, 1}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {70, 30},
	},
	{
		.name = "Q10",
		.in = {{4, 1}, {4, 1}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {50, 50},
		.want_panic = {true, true},
		.want_total = 70,
	},
	{
		.name = "Q12",
		.in = {{4, 0, 0, 4}, {4, 1}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {50, 50},
		.want_panic = {true, true},
		.want_total = 35,
	},
	{
		.name = "Q14",
		.in = {{2, 1}, {2, 1}, {2, 1}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {70, 30, 0},
	},
	{
		.name = "Q16",
		.in = {{4, 1}, {4, 1}, {4, 1}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {35, 35, 30},
	},
	{
		.name = "Q18",
		.in = {{5, 0}, {5, 0}, {5, 5}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {0, 0, 100},
	},
	{
		.name = "Q20",
		.in = {{5, 0}, {5, 0}, {5, 2}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {34, 33, 33},
		.want_panic = {true, true, true},
		.want_total = 56,
	},
	{
		.name = "Q22",
		.in = {{5, 0}, {3, 0}, {2, 0}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {50, 30, 20},
		.want_panic = {true, true, true},
		.want_total = NOTHING,
	},
	{
		.name = "Q27",
		.in = {{3, 0}, {3, 0}, {3, 0}},
		.count = 3,
		.panic_percent = 50,
		.want_percent = {34, 33, 33},
		.want_panic = {true, true, true},
		.want_total = NOTHING,
	},
	{
		/* And then "no healthy upstream": nobody is there to take what P0 is given. */
		.name = "Q29",
		.in = {{5, 0}, {5, 0}},
		.count = 2,
		.want_percent = {100, 0},
		.want_total = NOTHING,
	},
	{
		.name = "Q25",
		.in = {{5, 0}, {5, 0, 2}, {5, 0, 1}},
		.count = 3,
		.want_percent = {0, 0, 0},
		.want_degraded = {0, 67, 33},
		.want_total = 84,
	},
	{
		.name = "Q30, hosts weigh 6 and 4",
		.in = {{.total = 2, .healthy = 1, .healthy_weight = 6, .total_weight = 10}, {1, 1}},
		.count = 2,
		.factor = 100,
		.panic_percent = 50,
		.want_percent = {60, 40},
	},
	{
		.name = "panic counts hosts, whatever they weigh",
		.in = {{.total = 4, .healthy = 1, .healthy_weight = 6, .total_weight = 10}},
		.count = 1,
		.factor = 100,
		.panic_percent = 50,
		.want_percent = {100},
		.want_panic = {true},
		.want_total = 60,
	},
	{.name = "G1", .in = {{100, 100, 0}}, .count = 1, .want_percent = {100}},
	{.name = "G2", .in = {{100, 71, 0}}, .count = 1, .want_percent = {100}, .want_total = 99},
	{
		.name = "G3 (71/29)",
		.in = {{100, 71, 29}},
		.count = 1,
		.want_percent = {99},
		.want_degraded = {1},
	},
	{
		.name = "G4",
		.in = {{100, 25, 65}},
		.count = 1,
		.want_percent = {35},
		.want_degraded = {65},
	},
	{
		.name = "degraded hosts of the first level come after healthy ones of the second",
		.in = {{100, 25, 75}, {100, 50}},
		.count = 2,
		.want_percent = {35, 65},
	},
	{
		.name = "degraded hosts keep a level from panic",
		.in = {{10, 1, 4}, {10, 0}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {20, 0},
		.want_degraded = {80, 0},
		.want_panic = {false, true},
		.want_total = 70,
	},
	{
		.name = "excluded hosts leave the denominator",
		.in = {{10, 5, 0, 5}, {1, 1}},
		.count = 2,
		.want_percent = {100, 0},
	},
	{
		.name = "N1",
		.in = {{100, 72}, {100, 72}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {100, 0},
	},
	{
		.name = "N2",
		.in = {{100, 71}, {100, 71}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {99, 1},
	},
	{
		.name = "N4",
		.in = {{100, 25}, {100, 100}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {35, 65},
	},
	{
		.name = "N5 (25 : 25)",
		.in = {{100, 25}, {100, 25}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {50, 50},
		.want_panic = {true, true},
		.want_total = 70,
	},
	{
		.name = "N6",
		.in = {{100, 5}, {100, 65}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {8, 92},
		.want_panic = {true, false},
		.want_total = 98,
	},
	{
		.name = "N7",
		.in = {{5, 0}, {5, 0}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {50, 50},
		.want_panic = {true, true},
		.want_total = NOTHING,
	},
	{
		.name = "panic counts fit hosts only",
		.in = {{.total = 4, .unfit = 3}, {.total = 3}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {25, 75},
		.want_panic = {true, true},
		.want_total = NOTHING,
	},
	{
		.name = "panic with nobody fit",
		.in = {{.total = 4, .unfit = 4}, {.total = 3, .unfit = 3}},
		.count = 2,
		.panic_percent = 50,
		.want_percent = {100, 0},
		.want_panic = {true, true},
		.want_total = NOTHING,
	},
	{
		.name = "exactly at the threshold is no panic",
		.in = {{10, 5}},
		.count = 1,
		.panic_percent = 50,
		.want_percent = {100},
		.want_total = 70,
	},
	{
		.name = "an empty level takes nothing",
		.in = {{0, 0}, {2, 1}, {1, 1}},
		.count = 3,
		.want_percent = {0, 70, 30},
	},
	{
		.name = "one level has it all",
		.in = {{10, 1}},
		.count = 1,
		.want_percent = {100},
		.want_total = 14,
	},
	{.name = "no level", .count = 0, .want_total = NOTHING},
};

static uint32_t load_case(const struct level_case *c, struct mrd_load_level *levels)
{
	for (size_t k = 0; k < c->count; k++)
		levels[k] = (struct mrd_load_level){
			.total = c->in[k].total,
			.healthy = c->in[k].healthy,
			.degraded = c->in[k].degraded,
			.excluded = c->in[k].excluded,
			.unfit = c->in[k].unfit,
			.healthy_weight = c->in[k].healthy_weight,
			.total_weight = c->in[k].total_weight,
			.percent = 77, /* must be overwritten */
			.degraded_percent = 77,
			.panic = true,
		};
	return mrd_load_levels(levels, c->count, c->factor ? c->factor : ENVOY_FACTOR,
			       c->panic_percent);
}

static void loads_levels_as_envoy_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(level_cases) / sizeof(level_cases[0]); i++) {
		const struct level_case *c = &level_cases[i];
		struct mrd_load_level levels[LEVELS_MAX] = {0};
		const uint32_t want = c->want_total == NOTHING ? 0
				      : c->want_total	       ? c->want_total
							       : 100;

		print_message("%s\n", c->name);
		assert_int_equal(load_case(c, levels), want);
		for (size_t k = 0; k < c->count; k++) {
			assert_int_equal(levels[k].percent, c->want_percent[k]);
			assert_int_equal(levels[k].degraded_percent, c->want_degraded[k]);
			assert_int_equal(levels[k].panic, c->want_panic[k]);
		}
	}
}

/* Two levels, the second whole: "local hosts, ejected, what stays local". */
static void spills_over_as_the_table_says(void **state)
{
	static const uint32_t table[][3] = {
		{1, 1, 0},    {2, 1, 70},  {3, 1, 93},	{3, 2, 46},  {4, 1, 100},
		{4, 2, 70},   {5, 1, 100}, {5, 2, 84},	{7, 2, 100}, {7, 3, 80},
		{10, 2, 100}, {10, 3, 98}, {10, 5, 70}, {10, 10, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct mrd_load_level levels[] = {
			{.total = table[i][0], .healthy = table[i][0] - table[i][1]},
			{.total = 1, .healthy = 1},
		};

		print_message("%u hosts, %u ejected\n", table[i][0], table[i][1]);
		mrd_load_levels(levels, 2, ENVOY_FACTOR, 0);
		assert_int_equal(levels[0].percent, table[i][2]);
		assert_int_equal(levels[1].percent, 100 - table[i][2]);
	}
}

static const struct {
	const char *name;
	double weight[2];
	double healthy[2];
	uint32_t total[2]; /* without excluded hosts */
	uint32_t factor;
	double want_percent; /* of the first, exact to 0.005 */
} locality_cases[] = {
	{"L1", {1, 2}, {100, 100}, {100, 100}, 140, 33.33},
	{"L2", {1, 2}, {70, 100}, {100, 100}, 140, 32.89},
	{"L3 (69)", {1, 2}, {69, 100}, {100, 100}, 140, 32.57},
	{"L4", {1, 2}, {50, 100}, {100, 100}, 140, 25.93},
	{"L5 (25)", {1, 2}, {25, 100}, {100, 100}, 140, 14.89},
	{"L6", {1, 2}, {0, 100}, {100, 100}, 140, 0},
	{"as many of one host as of three", {1, 1}, {3, 1}, {3, 1}, 140, 50},
	{"L13, 2 of 4 hosts are not warmed", {1, 1}, {2, 4}, {4 - 2, 4}, 140, 50},
	{"half a host", {1, 1}, {0.5, 1}, {1, 1}, 100, 33.33},
	{"L16, factor 200", {1, 1}, {50, 100}, {100, 100}, 200, 50},
	{"I8, one of four", {90, 10}, {3, 1}, {4, 1}, 140, 90},
	{"I8, two of four", {90, 10}, {2, 1}, {4, 1}, 140, 86.30},
	{"I8, three of four", {90, 10}, {1, 1}, {4, 1}, 140, 75.90},
	{"I8, all of four", {90, 10}, {0, 1}, {4, 1}, 140, 0},
	{"an empty locality is never picked", {1, 1}, {0, 1}, {0, 1}, 140, 0},
};

static void weighs_localities_as_envoy_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(locality_cases) / sizeof(locality_cases[0]); i++) {
		double eff[2];

		print_message("%s\n", locality_cases[i].name);
		for (size_t k = 0; k < 2; k++)
			eff[k] = mrd_load_locality(
				locality_cases[i].weight[k], locality_cases[i].healthy[k],
				locality_cases[i].total[k], locality_cases[i].factor);
		assert_true(fabs(100 * eff[0] / (eff[0] + eff[1]) -
				 locality_cases[i].want_percent) < 0.0051);
	}
}

enum { SHARES_MAX = 40, PARTS = 10000, LOCALITIES_MAX = 3 };

/* Of one host each. The cycle of L8 is that of Envoy's scheduler, which keeps a queue for each
 * worker; here a ticket decides, so that what holds is the cycle's shares, over any long run of
 * picks (bpf/lib/ticket.h), and not the order inside it. */
static const struct {
	const char *id;
	size_t count;
	double weight[LOCALITIES_MAX];
	double healthy[LOCALITIES_MAX];
	uint32_t want[LOCALITIES_MAX]; /* of PARTS picks */
	uint32_t slack; /* of 30 picks in a row that much may be missing or too many */
} pick_cases[] = {
	{"L8", 3, {1, 1, 1}, {1, 1, 1}, {3334, 3333, 3333}, 4},
	{"L10", 3, {1, 0, 1}, {1, 1, 1}, {5000, 0, 5000}, 2},
	{"L11", 2, {0, 0}, {1, 1}, {0, 0}, 0},
	{"L14", 2, {1, 1}, {0, 0}, {0, 0}, 0},
};

/* Picks of so many tickets from this one on. */
static void pick(const struct mrd_route *route, uint32_t first, uint32_t count,
		 uint32_t picks[LOCALITIES_MAX])
{
	memset(picks, 0, LOCALITIES_MAX * sizeof(*picks));
	for (uint32_t i = first; i < first + count; i++)
		picks[mrd_pick_hop(route, mrd_ticket_of(i))]++;
}

static void picks_localities_by_weight(void **state)
{
	enum { RUN = 30 };

	(void)state;
	for (size_t i = 0; i < sizeof(pick_cases) / sizeof(pick_cases[0]); i++) {
		struct mrd_route route = {.hop_count = (uint32_t)pick_cases[i].count};
		double shares[LOCALITIES_MAX] = {0};
		uint32_t parts[LOCALITIES_MAX] = {0};
		uint32_t picks[LOCALITIES_MAX];
		double sum = 0;

		print_message("%s\n", pick_cases[i].id);
		for (size_t k = 0; k < pick_cases[i].count; k++)
			sum += mrd_load_locality(pick_cases[i].weight[k], pick_cases[i].healthy[k],
						 1, ENVOY_FACTOR);
		for (size_t k = 0; sum > 0 && k < pick_cases[i].count; k++)
			shares[k] = mrd_load_locality(pick_cases[i].weight[k],
						      pick_cases[i].healthy[k], 1, ENVOY_FACTOR) /
				    sum;
		mrd_load_apportion(shares, pick_cases[i].count, PARTS, parts);
		assert_memory_equal(parts, pick_cases[i].want, sizeof(parts));
		if (sum <= 0)
			continue; /* no pick */
		for (size_t k = 0; k < pick_cases[i].count; k++)
			route.hops[k].until = parts[k] + (k ? route.hops[k - 1].until : 0);
		pick(&route, 0, PARTS, picks);
		assert_memory_equal(picks, pick_cases[i].want, sizeof(picks));
		for (uint32_t first = 0; first + RUN <= PARTS; first++) {
			pick(&route, first, RUN, picks);
			for (size_t k = 0; k < pick_cases[i].count; k++)
				assert_true(fabs(picks[k] - RUN * shares[k]) <=
					    (shares[k] > 0 ? pick_cases[i].slack : 0));
		}
	}
}

static const struct {
	const char *name;
	double shares[4];
	size_t count;
	uint32_t parts;
	uint32_t want[4];
} apportion_cases[] = {
	{"whole parts", {0.7, 0.3}, 2, PARTS, {7000, 3000}},
	{"thirds: ties go to the first", {1.0 / 3, 1.0 / 3, 1.0 / 3}, 3, PARTS, {3334, 3333, 3333}},
	{"largest remainder", {0.5, 0.25, 0.25}, 3, 10, {5, 3, 2}},
	{"a small share is not lost", {0.99999, 0.00001}, 2, PARTS, {9999, 1}},
	{"three small shares", {0.0001, 0.0001, 0.0001, 0.9997}, 4, 100, {1, 1, 1, 97}},
	{"nothing to give away", {0.5, 0.3, 0.2}, 3, 2, {1, 1, 0}},
	{"a share of 0 gets nothing", {0, 1, 0}, 3, PARTS, {0, PARTS, 0}},
	{"all 0", {0, 0}, 2, PARTS, {0, 0}},
	{"noise in the sum", {0.1 + 0.2, 0.7}, 2, PARTS, {3000, 7000}},
	{"no shares", {0}, 0, PARTS, {0}},
};

static void apportions_by_largest_remainder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(apportion_cases) / sizeof(apportion_cases[0]); i++) {
		uint32_t parts[4] = {1, 1, 1, 1};

		print_message("%s\n", apportion_cases[i].name);
		mrd_load_apportion(apportion_cases[i].shares, apportion_cases[i].count,
				   apportion_cases[i].parts, parts);
		for (size_t k = 0; k < apportion_cases[i].count; k++)
			assert_int_equal(parts[k], apportion_cases[i].want[k]);
	}
}

/* Whatever the shares: the sum is exact, nobody vanishes, and without lifted zeros nobody is a
 * whole part away from what is due. */
static void apportions_any_shares(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		const size_t count = 1 + (size_t)rand() % SHARES_MAX;
		double shares[SHARES_MAX];
		uint32_t parts[SHARES_MAX];
		double sum = 0;
		uint32_t given = 0;
		bool lifted = false;

		for (size_t i = 0; i < count; i++) {
			shares[i] = rand() % 3 ? pow(rand() / (double)RAND_MAX, rand() % 12) : 0;
			sum += shares[i];
		}
		for (size_t i = 0; i < count; i++)
			shares[i] = sum > 0 ? shares[i] / sum : 0;

		mrd_load_apportion(shares, count, PARTS, parts);
		for (size_t i = 0; i < count; i++) {
			given += parts[i];
			assert_int_equal(parts[i] > 0, shares[i] > 0);
			lifted = lifted || (shares[i] > 0 && shares[i] * PARTS < 1);
		}
		assert_int_equal(given, sum > 0 ? PARTS : 0);
		for (size_t i = 0; !lifted && i < count; i++)
			assert_true(fabs(parts[i] - shares[i] * PARTS) < 1.000001);
	}
}

/* Percents add up to 100, and what is left for somebody goes to him, whatever the health, the
 * factor and the threshold. */
static void loads_any_levels(void **state)
{
	(void)state;
	srand(11);
	for (int round = 0; round < 50000; round++) {
		const size_t count = 1 + (size_t)rand() % LEVELS_MAX;
		const uint32_t panic_percent = rand() % 2 ? (uint32_t)rand() % 101 : 0;
		const uint32_t factor = 100 + (uint32_t)rand() % 200;
		struct mrd_load_level levels[LEVELS_MAX] = {0};
		uint32_t available = 0;
		uint32_t fit = 0;
		uint32_t sum = 0;

		for (size_t i = 0; i < count; i++) {
			struct mrd_load_level *level = &levels[i];

			level->total = (uint32_t)rand() % 12;
			level->healthy = (uint32_t)rand() % (level->total + 1);
			level->degraded = (uint32_t)rand() % (level->total - level->healthy + 1);
			level->unfit = (uint32_t)rand() %
				       (level->total - level->healthy - level->degraded + 1);
			available += level->healthy + level->degraded;
			fit += level->total - level->unfit;
		}
		mrd_load_levels(levels, count, factor, panic_percent);
		for (size_t i = 0; i < count; i++) {
			sum += levels[i].percent + levels[i].degraded_percent;
			if (!available && !(panic_percent && fit))
				continue; /* nobody can take it */
			if (levels[i].percent)
				assert_true(levels[i].panic ? levels[i].total - levels[i].unfit
							    : levels[i].healthy);
			if (levels[i].degraded_percent)
				assert_true(levels[i].degraded);
		}
		assert_int_equal(sum, 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_levels_as_envoy_does),
		cmocka_unit_test(spills_over_as_the_table_says),
		cmocka_unit_test(weighs_localities_as_envoy_does),
		cmocka_unit_test(picks_localities_by_weight),
		cmocka_unit_test(apportions_by_largest_remainder),
		cmocka_unit_test(apportions_any_shares),
		cmocka_unit_test(loads_any_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
