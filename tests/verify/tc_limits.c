// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_limits.h"

#include <stdio.h>

#include "tc_frames.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LIMITED_ID = 31, LIMITED_PORT = 8001 };

/* One more connection than the limit is answered by a reset; each gives its place back once. */
static const struct {
	const char *name;
	bool is_pair; /* of two endpoints */
	struct limit_step {
		enum way way;
		uint8_t flags;
		uint8_t client; /* which of its ports */
		uint32_t seq;
		bool late;
		bool refused;
		bool straight; /* to the endpoint */
		uint8_t open;  /* then */
	} steps[8];
} limits[] = {
	{.name = "one more is refused",
	 .steps = {{FORWARD, SYN, .open = 1},
		   {FORWARD, SYN, .client = 1, .refused = true, .open = 1},
		   {FORWARD, SYN, .open = 1},
		   {REVERSE, SYN | ACK, .open = 1},
		   {FORWARD, ACK, .open = 1},
		   {FORWARD, SYN, .client = 1, .refused = true, .open = 1}}},
	{.name = "both sides say their last",
	 .steps = {{FORWARD, SYN, .open = 1},
		   {REVERSE, SYN | ACK, .open = 1},
		   {FORWARD, FIN | ACK, .open = 1},
		   {REVERSE, FIN | ACK, .open = 0},
		   {FORWARD, ACK, .open = 0},
		   {FORWARD, SYN, .client = 1, .open = 1},
		   {FORWARD, SYN, .client = 2, .refused = true, .open = 1}}},
	{.name = "a client resets, and goes on all the same",
	 .steps = {{FORWARD, SYN, .open = 1},
		   {REVERSE, SYN | ACK, .open = 1},
		   {FORWARD, RST, .open = 0},
		   {REVERSE, RST, .open = 0},
		   {FORWARD, SYN, .client = 1, .open = 1},
		   {FORWARD, ACK, .open = 2},
		   {FORWARD, RST, .client = 1, .open = 2},
		   {FORWARD, RST, .open = 1}}},
	{.name = "an endpoint refuses",
	 .steps = {{FORWARD, SYN, .open = 1},
		   {REVERSE, RST | ACK, .open = 0},
		   {FORWARD, SYN, .open = 1},
		   {FORWARD, SYN, .client = 1, .refused = true, .open = 1}}},
	{.name = "the same ports are used again",
	 .steps = {{FORWARD, SYN, .open = 1},
		   {FORWARD, SYN, .seq = 9, .open = 1},
		   {REVERSE, SYN | ACK, .open = 1},
		   {REVERSE, RST, .open = 0},
		   {FORWARD, ACK, .open = 1},
		   {FORWARD, SYN, .seq = 20, .open = 1},
		   {REVERSE, RST, .open = 0}}},
	{.name = "the same ports are used straight to the endpoint",
	 .steps = {{FORWARD, SYN, .open = 1}, {FORWARD, SYN, .straight = true, .open = 0}}},
	{.name = "a SYN goes to another endpoint",
	 .is_pair = true,
	 .steps = {{FORWARD, SYN, .open = 1},
		   {FORWARD, SYN, .late = true, .open = 1},
		   {FORWARD, SYN, .client = 1, .refused = true, .open = 1},
		   {FORWARD, SYN, .seq = 9, .open = 1}}},
};

static void put_limited(const struct world *world, bool is_pair, uint32_t most)
{
	const struct world_service service = {.vip = VIP,
					      .port = LIMITED_PORT,
					      .protocol = TCP,
					      .id = LIMITED_ID,
					      .members = {POD, is_pair ? "10.1.0.3" : NULL},
					      .member_port = 8080};
	const struct world_setting setting = {LIMITED_ID, {.max_connections = most}};

	world_reset(world, false);
	world_add(world, &service);
	world_set(world, &setting);
	world_put_open(world, LIMITED_ID, 0);
}

static bool is_limit_step_well(const struct world *world, const struct limit_step *step)
{
	const uint16_t port = FIRST_PORT + step->client;
	struct wire wire = syn_of(port, VIP, LIMITED_PORT);
	const struct wire refusal = {.from = VIP,
				     .to = CLIENT,
				     .from_port = LIMITED_PORT,
				     .to_port = port,
				     .protocol = TCP,
				     .flags = RST | ACK,
				     .ack = step->seq + 1,
				     .dont_fragment = true,
				     .is_returned = true};
	uint8_t out[WIRE_MAX];
	size_t len;
	bool good;

	if (step->way == REVERSE)
		wire = (struct wire){.from = POD,
				     .to = CLIENT,
				     .from_port = 8080,
				     .to_port = port,
				     .protocol = TCP};
	if (step->straight)
		wire = syn_of(port, POD, 8080);
	wire.flags = step->flags;
	wire.seq = step->seq;
	if (step->late)
		world_age(world);
	good = step->refused ? comes_out(world, FORWARD, &wire, &refusal, TC_REDIRECT)
			     : run(world, step->way, &wire, out, &len) == TC_NEXT;
	return good && world_open_of(world, LIMITED_ID) == step->open;
}

bool check_limits(const struct world *world)
{
	bool good = true;

	for (size_t i = 0; i < COUNT(limits); i++) {
		uint64_t refused = world_count(world, MRD_REASON_REFUSE_LIMIT);

		put_limited(world, limits[i].is_pair, 1);
		for (size_t j = 0; j < COUNT(limits[i].steps) && limits[i].steps[j].flags; j++) {
			refused += limits[i].steps[j].refused;
			if (is_limit_step_well(world, &limits[i].steps[j]))
				continue;
			printf("  %s: %lld open after packet %zu\n", limits[i].name,
			       (long long)world_open_of(world, LIMITED_ID), j + 1);
			good = false;
		}
		good &= world_count(world, MRD_REASON_REFUSE_LIMIT) == refused;
	}
	return good;
}

/* With no room, and with room for one row of two. */
bool check_limit_full(const struct world *world)
{
	const struct wire syn = syn_of(FIRST_PORT, VIP, LIMITED_PORT);
	bool good = true;

	for (unsigned int room = 0; room < 2; room++) {
		uint8_t out[WIRE_MAX];
		size_t len;

		put_limited(world, false, 1);
		for (uint32_t i = room; i < WORLD_FLOWS; i++) {
			const struct mrd_flow_key odd = {.family = MRD_FAMILY_IPV4,
							 .tuple.source_port = i};

			world_put_flow(world, &odd);
		}
		good &= run(world, FORWARD, &syn, out, &len) == TC_REDIRECT;
		good &= world_open_of(world, LIMITED_ID) == 0;
	}
	return good;
}

/* What began without a limit takes no place and gives none back; what the agent deletes does. */
bool check_limit_deleted(const struct world *world)
{
	const struct world_setting limited = {LIMITED_ID, {.max_connections = 2}};
	struct wire before = syn_of(FIRST_PORT, VIP, LIMITED_PORT), counted = before;
	struct mrd_flow_key before_key, counted_key;
	uint8_t out[WIRE_MAX];
	size_t len;
	bool good;

	counted.from_port++;
	key_of(&before, &before_key);
	key_of(&counted, &counted_key);
	put_limited(world, false, 0);
	run(world, FORWARD, &before, out, &len);
	good = world_open_of(world, LIMITED_ID) == 0;
	world_set(world, &limited);
	run(world, FORWARD, &counted, out, &len);
	good &= world_open_of(world, LIMITED_ID) == 1;
	good &= world_delete(world, &before_key) == 0;
	good &= world_open_of(world, LIMITED_ID) == 1 && world_flows(world) == 2;
	for (int i = 0; i < 2; i++) {
		good &= world_delete(world, &counted_key) == 0;
		good &= world_open_of(world, LIMITED_ID) == 0 && world_flows(world) == 0;
	}
	return good;
}

/*
 * Ports lead by another VIP to the same endpoint once their connection is over: its row goes with
 * the place that it has, whatever that says of its end.
 */
bool check_limit_taken_over(const struct world *world)
{
	const struct world_service other = {VIP, 8002, TCP, 32, MRD_AFFINITY_NONE, {POD}, 8080};
	const struct wire first = syn_of(FIRST_PORT, VIP, LIMITED_PORT);
	const struct wire next = syn_of(FIRST_PORT, VIP, 8002);
	struct mrd_flow_key key;
	struct mrd_flow row;
	uint8_t out[WIRE_MAX];
	size_t len;

	key_of(&first, &key);
	put_limited(world, false, 1);
	world_add(world, &other);
	run(world, FORWARD, &first, out, &len);
	if (!world_flow(world, &key, &row))
		return false;
	row.state = MRD_FLOW_RESET; /* which another CPU has not counted yet */
	world_put_row(world, &key, &row);
	return run(world, FORWARD, &next, out, &len) == TC_NEXT &&
	       world_open_of(world, LIMITED_ID) == 0 && world_flows(world) == 2;
}

/* What is being moved stays, and its place with it, whoever else would end it. */
bool check_limit_moving(const struct world *world)
{
	struct wire syn = syn_of(FIRST_PORT, VIP, LIMITED_PORT);
	struct mrd_flow_key key;
	struct mrd_flow row;
	uint8_t out[WIRE_MAX];
	size_t len;
	bool good;

	key_of(&syn, &key);
	put_limited(world, true, 1);
	run(world, FORWARD, &syn, out, &len);
	if (!world_flow(world, &key, &row))
		return false;
	row.counting = MRD_COUNTING_MOVING;
	world_put_row(world, &key, &row);
	good = world_delete(world, &key) != 0 && world_flows(world) == 2;
	world_age(world);
	good &= run(world, FORWARD, &syn, out, &len) == TC_NEXT && world_flows(world) == 2;
	syn.seq = 9;
	good &= run(world, FORWARD, &syn, out, &len) == TC_DROP && world_flows(world) == 2;
	return good && world_open_of(world, LIMITED_ID) == 1;
}
