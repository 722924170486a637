// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The pick over rows of the test's own: what the hooks do with maps (bpf/lib/choose.h), done here
 * with arrays. Even-ness, the order of tries, races.
 */
#include "bpf/lib/pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/lib/ticket.h"

enum { SERVICE = 7, FOREIGN_SERVICE = 8, FIRST_HOP_ID = 100, MEMBERS = 64, NOBODY = -1 };

/* One service. Member m of hop h is endpoint h × MEMBERS + m + 1. */
struct world {
	struct mrd_route route;
	__u64 ticket; /* the service's counter */
	__u64 numbers[MRD_HOPS_MAX];
	struct mrd_member members[MRD_HOPS_MAX][MEMBERS];
	struct mrd_health health[MRD_HOPS_MAX][MEMBERS];
	bool has_no_health[MRD_HOPS_MAX][MEMBERS];
	/* What the last pick did. */
	__u32 tried[MRD_PICK_STEPS];
	__u32 tried_count;
	__u32 races;
};

static void world_fill(struct world *world, __u32 hop, __u32 slot)
{
	struct mrd_member *member = &world->members[hop][slot];
	struct mrd_health *health = &world->health[hop][slot];

	member->addr[0] = 10;
	member->addr[2] = (__u8)hop;
	member->addr[3] = (__u8)slot;
	member->port = 8080;
	member->endpoint_id = hop * MEMBERS + slot + 1;
	member->seal = mrd_member_seal(SERVICE, member);
	memcpy(health->addr, member->addr, MRD_ADDR_LEN);
	health->port = member->port;
	health->service_id = SERVICE;
	health->state = MRD_STATE_ACTIVE;
}

/* shares: in 1/10,000 */
static void world_init(struct world *world, __u32 hops, const __u32 *shares, const __u32 *members)
{
	__u32 until = 0;

	memset(world, 0, sizeof(*world));
	world->route.service_id = SERVICE;
	world->route.hop_count = hops;
	for (__u32 h = 0; h < hops; h++) {
		until += shares[h];
		world->route.hops[h].hop_id = FIRST_HOP_ID + h;
		world->route.hops[h].until = until;
		world->route.hops[h].member_count = members[h];
		for (__u32 m = 0; m < members[h]; m++)
			world_fill(world, h, m);
	}
}

static void world_set_all(struct world *world, __u32 hop, enum mrd_state state)
{
	for (__u32 m = 0; m < MEMBERS; m++)
		world->health[hop][m].state = state;
}

/* The endpoint picked (hop × MEMBERS + slot), or NOBODY. */
static int world_pick(struct world *world)
{
	const struct mrd_route *route = &world->route;
	__u64 first = 0;
	__u32 chosen = 0;

	world->tried_count = 0;
	world->races = 0;
	if (!mrd_pick_is_sure(route))
		chosen = mrd_pick_hop(route, mrd_ticket_of(world->ticket++));
	for (__u32 step = 0; step < MRD_PICK_STEPS; step++) {
		enum mrd_judgement judgement;
		struct mrd_turn turn;
		__u32 slot, hop;

		mrd_pick_turn(route, chosen, step, &turn);
		hop = turn.hop_id - FIRST_HOP_ID;
		if (turn.is_new && turn.member_count > 1)
			first = world->numbers[hop]++;
		if (!mrd_turn_slot(&turn, first, &slot))
			continue;
		world->tried[world->tried_count++] = hop * MEMBERS + slot;
		judgement = mrd_judge(SERVICE, &world->members[hop][slot],
				      world->has_no_health[hop][slot] ? NULL
								      : &world->health[hop][slot],
				      turn.accept);
		if (judgement == MRD_JUDGED_USABLE)
			return (int)(hop * MEMBERS + slot);
		world->races += judgement == MRD_JUDGED_RACE;
	}
	return NOBODY;
}

static void test_tickets_fall_to_hops_by_their_shares_exactly(void **state)
{
	(void)state;
	for (__u32 hops = 1; hops <= MRD_HOPS_MAX; hops++) {
		__u32 shares[MRD_HOPS_MAX], counts[MRD_HOPS_MAX] = {0};
		__u32 rest = MRD_SHARE_TOTAL;
		struct mrd_route route = {.hop_count = hops};

		for (__u32 h = 0, until = 0; h < hops; h++) {
			shares[h] = h + 1 == hops ? rest : (h % 3 ? rest / 3 : 17);
			rest -= shares[h];
			until += shares[h];
			route.hops[h].until = until;
		}
		/* Rows behind the last hop may hold anything. */
		for (__u32 h = hops; h < MRD_HOPS_MAX; h++)
			route.hops[h].until = 1;
		for (__u32 ticket = 0; ticket < MRD_TICKETS; ticket++)
			counts[mrd_pick_hop(&route, ticket)]++;
		for (__u32 h = 0; h < hops; h++) {
			printf("%u hops, hop %u\n", hops, h);
			assert_int_equal(counts[h], shares[h]);
		}
	}
}

static void test_a_hop_of_share_0_is_no_first_choice(void **state)
{
	const struct mrd_route route = {
		.hop_count = 3,
		.hops = {{.until = 0}, {.until = 10000}, {.until = 10000}},
	};

	(void)state;
	for (__u32 ticket = 0; ticket < MRD_TICKETS; ticket++)
		assert_int_equal(mrd_pick_hop(&route, ticket), 1);
}

static void test_without_shares_the_first_hop_begins(void **state)
{
	const struct mrd_route route = {.hop_count = 2};

	(void)state;
	assert_int_equal(mrd_pick_hop(&route, 0), 0);
	assert_int_equal(mrd_pick_hop(&route, 9999), 0);
}

/* Each endpoint of a hop gets its part of what the hop gets, to one connection. */
static void test_regions_and_endpoints_do_not_resonate(void **state)
{
	static struct world world;
	const __u32 picks = 2000;

	(void)state;
	for (__u32 hops = 1; hops <= MRD_HOPS_MAX; hops++)
		for (__u32 count = 1; count <= 16; count++) {
			__u32 shares[MRD_HOPS_MAX] = {0}, members[MRD_HOPS_MAX];
			__u32 hits[MRD_HOPS_MAX * MEMBERS] = {0};

			for (__u32 h = 0; h < hops; h++) {
				shares[h] = MRD_SHARE_TOTAL / hops;
				members[h] = (h + count - 1) % 16 + 1;
			}
			shares[0] += MRD_SHARE_TOTAL % hops;
			world_init(&world, hops, shares, members);
			for (__u32 i = 0; i < picks; i++)
				hits[world_pick(&world)]++;
			for (__u32 h = 0; h < hops; h++) {
				double want = 0;

				for (__u32 m = 0; m < members[h]; m++)
					want += (double)hits[h * MEMBERS + m] / members[h];
				for (__u32 m = 0; m < members[h]; m++)
					if (hits[h * MEMBERS + m] < want - 1 ||
					    hits[h * MEMBERS + m] > want + 1)
						fail_msg("%u hops, hop %u, member %u of %u", hops,
							 h, m, members[h]);
			}
		}
}

/* Of any so many connections in a row, so many take the second hop. */
static void test_the_split_holds_for_a_few_connections(void **state)
{
	static const struct {
		const char *id;
		__u32 shares[2];
		__u32 picks;
		int want;
	} cases[] = {
		{.id = "Z3: ten requests, one to v2",
		 .shares = {9000, 1000},
		 .picks = 10,
		 .want = 1},
		{.id = "Z2: ten requests, all to v2",
		 .shares = {0, 10000},
		 .picks = 10,
		 .want = 10},
		{.id = "a hundred, a hundredth", .shares = {9900, 100}, .picks = 100, .want = 1},
	};
	static struct world world;
	const __u32 members[] = {2, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		printf("%s\n", cases[i].id);
		for (__u32 start = 0; start < MRD_TICKETS; start += 7) {
			int hits = 0;

			world_init(&world, 2, cases[i].shares, members);
			world.ticket = start;
			for (__u32 pick = 0; pick < cases[i].picks; pick++)
				hits += world_pick(&world) >= MEMBERS;
			assert_int_equal(hits, cases[i].want);
		}
	}
}

static void test_ten_percent_over_ten_endpoints_reaches_them_all(void **state)
{
	static struct world world;
	const __u32 shares[] = {9000, 1000}, members[] = {10, 10};
	__u32 hits[2 * MEMBERS] = {0};

	(void)state;
	world_init(&world, 2, shares, members);
	for (__u32 i = 0; i < 1000; i++)
		hits[world_pick(&world)]++;
	for (__u32 m = 0; m < 10; m++) {
		printf("member %u\n", m);
		assert_int_equal(hits[m], 90);
		assert_int_equal(hits[MEMBERS + m], 10);
	}
}

static void test_the_next_member_then_the_next_hop(void **state)
{
	static struct world world;
	const __u32 shares[] = {0, 0, 10000, 0}, members[] = {1, 3, 5, 1};
	/* The chosen hop, then the others from the first on, two members a turn. */
	const __u32 want[] = {2 * MEMBERS, 2 * MEMBERS + 1, 0, MEMBERS, MEMBERS + 1, 3 * MEMBERS};

	(void)state;
	world_init(&world, 4, shares, members);
	for (__u32 h = 0; h < 3; h++)
		world_set_all(&world, h, MRD_STATE_EJECTED);
	assert_int_equal(world_pick(&world), 3 * MEMBERS);
	assert_int_equal(world.tried_count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < world.tried_count; i++) {
		printf("try %zu\n", i);
		assert_int_equal(world.tried[i], want[i]);
	}
}

/* Whichever of them is the last one alive, and wherever the counters stand. */
static void test_a_lone_survivor_is_found(void **state)
{
	static struct world world;
	static const struct {
		__u32 hops, members;
	} cases[] = {
		{.hops = 1, .members = 1},  {.hops = 1, .members = 2},	{.hops = 1, .members = 7},
		{.hops = 1, .members = 30}, {.hops = 2, .members = 3},	{.hops = 2, .members = 14},
		{.hops = 3, .members = 8},  {.hops = 4, .members = 6},	{.hops = 8, .members = 2},
		{.hops = 16, .members = 2}, {.hops = 16, .members = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const __u32 hops = cases[i].hops, count = cases[i].members;
		__u32 shares[MRD_HOPS_MAX] = {0}, members[MRD_HOPS_MAX];

		for (__u32 h = 0; h < hops; h++) {
			shares[h] = MRD_SHARE_TOTAL / hops;
			members[h] = count;
		}
		shares[0] += MRD_SHARE_TOTAL % hops;
		world_init(&world, hops, shares, members);
		printf("%u hops of %u\n", hops, count);
		for (__u32 alive = 0; alive < hops * count; alive++) {
			for (__u32 h = 0; h < hops; h++)
				world_set_all(&world, h, MRD_STATE_EJECTED);
			world.health[alive / count][alive % count].state = MRD_STATE_ACTIVE;
			for (__u32 start = 0; start < count; start++)
				assert_int_equal(world_pick(&world),
						 alive / count * MEMBERS + alive % count);
		}
	}
}

static void test_nobody_is_picked_where_nobody_is(void **state)
{
	static struct world world;
	const __u32 shares[] = {5000, 5000}, members[] = {3, 2}, none[] = {0, 0};

	(void)state;
	world_init(&world, 2, shares, members);
	world_set_all(&world, 0, MRD_STATE_UNREADY);
	world_set_all(&world, 1, MRD_STATE_DRAINING);
	assert_int_equal(world_pick(&world), NOBODY);
	assert_int_equal(world.races, 0);

	world_init(&world, 2, shares, none);
	assert_int_equal(world_pick(&world), NOBODY);
	assert_int_equal(world.tried_count, 0);

	/* hops[0] may still hold an old hop when there is none any more. */
	world_init(&world, 1, shares, members);
	world.route.hop_count = 0;
	assert_int_equal(world_pick(&world), NOBODY);
	assert_int_equal(world.tried_count, 0);
}

static void test_an_empty_hop_hands_on(void **state)
{
	static struct world world;
	const __u32 shares[] = {10000, 0}, members[] = {0, 1};

	(void)state;
	world_init(&world, 2, shares, members);
	assert_int_equal(world_pick(&world), MEMBERS);
}

static void test_which_states_a_hop_accepts(void **state)
{
	static const bool want[][5] = {
		/* NONE, ACTIVE, EJECTED, DRAINING, UNREADY */
		[MRD_ACCEPT_ACTIVE] = {false, true, false, false, false},
		[MRD_ACCEPT_EJECTED] = {false, true, true, false, false},
		[MRD_ACCEPT_DRAINING] = {false, true, false, true, false},
	};

	(void)state;
	for (int accept = MRD_ACCEPT_ACTIVE; accept <= MRD_ACCEPT_DRAINING; accept++)
		for (int s = MRD_STATE_NONE; s <= MRD_STATE_UNREADY; s++) {
			printf("accept %d, state %d\n", accept, s);
			assert_int_equal(
				mrd_state_accepted((enum mrd_state)s, (enum mrd_hop_accept)accept),
				want[accept][s]);
		}
	/* What no agent of this version writes is nothing usable. */
	assert_false(mrd_state_accepted(MRD_STATE_ACTIVE, (enum mrd_hop_accept)3));
	assert_false(mrd_state_accepted((enum mrd_state)7, MRD_ACCEPT_EJECTED));
}

/* Each spoils slot 0, the one that would be picked. */
static void spoil_service(struct world *world)
{
	world->members[0][0].seal = mrd_member_seal(FOREIGN_SERVICE, &world->members[0][0]);
}

static void spoil_address(struct world *world)
{
	world->members[0][0].addr[3] ^= 1;
}

static void spoil_endpoint(struct world *world)
{
	world->members[0][0].endpoint_id++;
}

static void spoil_port(struct world *world)
{
	world->members[0][0].port++;
}

static void spoil_health_gone(struct world *world)
{
	world->has_no_health[0][0] = true;
}

static void spoil_health_service(struct world *world)
{
	world->health[0][0].service_id = FOREIGN_SERVICE;
}

static void spoil_health_address(struct world *world)
{
	world->health[0][0].addr[15] = 1;
}

static void spoil_health_port(struct world *world)
{
	world->health[0][0].port = 1;
}

static void test_rows_that_do_not_belong_together_are_passed_over(void **state)
{
	static struct world world;
	static const struct {
		const char *name;
		void (*spoil)(struct world *world);
	} cases[] = {
		{.name = "member of another service", .spoil = spoil_service},
		{.name = "member's address half written", .spoil = spoil_address},
		{.name = "member's endpoint changed", .spoil = spoil_endpoint},
		{.name = "member's port changed", .spoil = spoil_port},
		{.name = "health deleted", .spoil = spoil_health_gone},
		{.name = "health of another service", .spoil = spoil_health_service},
		{.name = "health of another address", .spoil = spoil_health_address},
		{.name = "health of another port", .spoil = spoil_health_port},
	};
	const __u32 shares[] = {10000}, members[] = {2}, one[] = {1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("%s\n", cases[i].name);
		world_init(&world, 1, shares, members);
		cases[i].spoil(&world);
		assert_int_equal(world_pick(&world), 1);
		assert_int_equal(world.races, 1);

		world_init(&world, 1, shares, one);
		cases[i].spoil(&world);
		assert_int_equal(world_pick(&world), NOBODY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tickets_fall_to_hops_by_their_shares_exactly),
		cmocka_unit_test(test_a_hop_of_share_0_is_no_first_choice),
		cmocka_unit_test(test_without_shares_the_first_hop_begins),
		cmocka_unit_test(test_regions_and_endpoints_do_not_resonate),
		cmocka_unit_test(test_the_split_holds_for_a_few_connections),
		cmocka_unit_test(test_ten_percent_over_ten_endpoints_reaches_them_all),
		cmocka_unit_test(test_the_next_member_then_the_next_hop),
		cmocka_unit_test(test_a_lone_survivor_is_found),
		cmocka_unit_test(test_nobody_is_picked_where_nobody_is),
		cmocka_unit_test(test_an_empty_hop_hands_on),
		cmocka_unit_test(test_which_states_a_hop_accepts),
		cmocka_unit_test(test_rows_that_do_not_belong_together_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
