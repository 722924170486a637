// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_checks.h"

#include <stdio.h>
#include <string.h>

#include "tc_answers.h"
#include "tc_cases.h"
#include "tc_frames.h"
#include "tc_limits.h"
#include "wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	MUTATIONS = 100000,
	MUTATIONS_EACH = 500, /* in the same world of flows */
	STICKY_PORT = 54,
	MARK = 0xa5, /* behind a frame: nobody writes there */
};

/* -------------------------------------------------------------------------------- truncated */

/* The first packets of a case. */
static void run_steps(const struct world *world, const struct packet_case *one, size_t count)
{
	uint8_t out[WIRE_MAX];
	size_t len;

	if (one->moved)
		world_put_move(world, one->moved);
	for (size_t i = 0; i < count && one->steps[i].in.from; i++) {
		if (one->late & STEP(i + 1))
			world_age(world);
		run(world, one->steps[i].way, &one->steps[i].in, out, &len);
	}
}

/*
 * A frame that was cut off is left as it is, or translated as far as it is there, from some length
 * on always. An error without its quoted checksum has another one of its own.
 */
static bool is_cut_well(const struct world *world, const struct packet_case *one, size_t step)
{
	const struct step *last = &one->steps[step];
	const bool is_error = last->in.protocol == ICMP || last->in.protocol == ICMPV6;
	uint8_t in[WIRE_MAX], want[WIRE_MAX], got[WIRE_MAX];
	const size_t in_len = wire_build(&last->in, in);
	bool was_translated = false;
	struct wire_shape shape;

	wire_build(&last->out, want);
	wire_look(in, in_len, &shape);
	for (size_t len = WIRE_ETH; len <= in_len; len++) {
		size_t got_len;
		bool translated;
		int verdict;

		world_reset(world, one->uplink);
		world_forward_fast(world, one->fast);
		run_steps(world, one, step);
		if (one->late & STEP(step + 1))
			world_age(world);
		verdict = world_run(world, last->way, in, len, got, &got_len);
		translated = memcmp(got, in, len) != 0;
		if (verdict != TC_NEXT || got_len != len || (was_translated && !translated))
			return false;
		for (size_t i = 0; i < len && translated; i++)
			if (is_error ? got[i] != in[i] && !shape.may_change[i] : got[i] != want[i])
				return false;
		was_translated = translated;
	}
	return was_translated;
}

static bool check_truncated(const struct world *world)
{
	bool good = true;

	for (size_t i = 0; i < tc_case_count; i++)
		for (size_t step = 0; step < STEPS_MAX && tc_cases[i].steps[step].in.from; step++) {
			const struct step *one = &tc_cases[i].steps[step];

			if (!one->out.from || one->verdict ||
			    is_cut_well(world, &tc_cases[i], step))
				continue;
			printf("  %s, step %zu\n", tc_cases[i].name, step + 1);
			good = false;
		}
	return good;
}

/* ---------------------------------------------------------------------------------- mutated */

static uint64_t random_state;

/* xorshift64: the same numbers on every run. */
static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % limit;
}

static const struct step *random_step(void)
{
	const struct packet_case *one = &tc_cases[random_below((uint32_t)tc_case_count)];
	size_t count = 0;

	while (count < STEPS_MAX && one->steps[count].in.from)
		count++;
	return &one->steps[random_below((uint32_t)count)];
}

/* Changes some bytes, of the headers mostly, and sometimes cuts or garbles all that follows. */
static size_t mutate(uint8_t *frame, size_t len)
{
	const uint32_t headers = len < 80 ? (uint32_t)len : 80;
	const uint32_t kind = random_below(16);

	for (uint32_t i = random_below(4); i > 0; i--) {
		const uint32_t at = random_below(kind < 12 ? headers : (uint32_t)len);

		if (kind % 2)
			frame[at] ^= (uint8_t)(1U << random_below(8));
		else
			frame[at] = (uint8_t)random_below(256);
	}
	if (kind == 15)
		for (size_t i = WIRE_ETH + random_below(40); i < len; i++)
			frame[i] = (uint8_t)random_below(256);
	if (kind >= 13)
		len = WIRE_ETH + random_below((uint32_t)len - WIRE_ETH + 1);
	return len;
}

/* Its checksums are right; what an error quotes is another's. */
static bool is_sound(const uint8_t *frame, size_t len)
{
	struct wire_shape shape;

	wire_look(frame, len, &shape);
	return !shape.residues[SUM_IP] && !shape.residues[SUM_TRANSPORT];
}

/* What was let through has changed in nothing but addresses, ports, and the sums of both. */
static bool is_translation(const uint8_t *in, const uint8_t *got, size_t len)
{
	struct wire_shape was, is;

	wire_look(in, len, &was);
	wire_look(got, len, &is);
	for (size_t i = 0; i < len; i++)
		if (in[i] != got[i] && !was.may_change[i])
			return false;
	return !was.has_check || !memcmp(was.residues, is.residues, sizeof(is.residues));
}

static bool is_mutation_well(const struct world *world, uint32_t number)
{
	const struct step *step = random_step();
	uint8_t in[WIRE_MAX], got[WIRE_MAX];
	const size_t in_len = mutate(in, wire_build(&step->in, in));
	size_t got_len;
	bool good;
	int verdict;

	memset(got, MARK, sizeof(got));
	verdict = world_run(world, step->way, in, in_len, got, &got_len);
	if (verdict ==
	    TC_REDIRECT) /* an answer, or a pod's own: the frame's addresses are turned */
		good = !memcmp(got, in + 6, 6) && !memcmp(got + 6, in, 6) &&
		       (got_len == in_len || is_sound(got, got_len));
	else
		good = got_len == in_len &&
		       (verdict == TC_DROP ||
			(verdict == TC_NEXT && is_translation(in, got, in_len)));
	for (size_t i = got_len; i < sizeof(got); i++)
		good &= got[i] == MARK;
	if (good)
		return true;
	printf("  mutation %u: verdict %d, %zu bytes from %zu\n  in", number, verdict, got_len,
	       in_len);
	for (size_t i = 0; i < in_len && i < 120; i++)
		printf("%s%02x", i % 2 ? "" : " ", in[i]);
	printf("\n  got");
	for (size_t i = 0; i < got_len && i < 120; i++)
		printf("%s%02x", i % 2 ? "" : " ", got[i]);
	printf("\n");
	return false;
}

static bool check_mutated(const struct world *world)
{
	uint32_t bad = 0;

	random_state = 0x6d65726964ULL;
	for (uint32_t i = 0; i < MUTATIONS && bad < 5; i++) {
		if (i % MUTATIONS_EACH == 0) {
			world_reset(world, false);
			for (size_t j = 0; j < tc_case_count; j++)
				run_steps(world, &tc_cases[j], STEPS_MAX);
		}
		bad += !is_mutation_well(world, i);
	}
	return bad == 0;
}

/* --------------------------------------------------------------------------------- map full */

/* With one row to spare, too: a flow of one row is none. */
static bool check_full(const struct world *world)
{
	const struct mrd_flow_key odd = {.family = MRD_FAMILY_IPV4};
	const struct wire first = syn_of(FIRST_PORT, VIP, 80);
	const struct wire first_out = syn_of(FIRST_PORT, POD, 8080);
	const struct wire over = syn_of(FIRST_PORT + WORLD_FLOWS, VIP, 80);
	const struct wire over_out = {
		.from = VIP,
		.to = CLIENT,
		.from_port = 80,
		.to_port = over.from_port,
		.protocol = TCP,
		.flags = RST | ACK,
		.ack = 1,
		.dont_fragment = true,
		.is_returned = true,
	};
	const uint64_t before = world_count(world, MRD_REASON_REFUSE_FLOWS);
	bool good = true;

	for (int spare = 0; spare < 2; spare++) {
		world_reset(world, false);
		if (spare)
			world_put_flow(world, &odd);
		for (int i = 0; i < (WORLD_FLOWS - spare) / 2; i++) {
			const uint16_t port = (uint16_t)(FIRST_PORT + i);
			const struct wire in = syn_of(port, VIP, 80);
			const struct wire out = syn_of(port, POD, 8080);

			good &= comes_out(world, FORWARD, &in, &out, TC_NEXT);
		}
		good &= comes_out(world, FORWARD, &over, &over_out, TC_REDIRECT);
		good &= comes_out(world, FORWARD, &first, &first_out, TC_NEXT);
		good &= world_flows(world) == WORLD_FLOWS - (unsigned)spare;
	}
	return good && world_count(world, MRD_REASON_REFUSE_FLOWS) == before + 2;
}

/* ------------------------------------------------------------------------------------- rows */

static bool check_rows(const struct world *world)
{
	const struct wire in = syn_of(FIRST_PORT, VIP, 80), out = syn_of(FIRST_PORT, POD, 8080);
	const struct wire back = {.from = POD,
				  .to = CLIENT,
				  .from_port = 8080,
				  .to_port = FIRST_PORT,
				  .protocol = TCP};
	struct mrd_flow_key key, target, reverse, origin;
	struct mrd_flow row;

	key_of(&in, &key);
	key_of(&out, &target);
	key_of(&back, &reverse);
	key_of(&(struct wire){.from = VIP, .to = CLIENT, .from_port = 80, .to_port = FIRST_PORT},
	       &origin);
	world_reset(world, false);
	comes_out(world, FORWARD, &in, &out, TC_NEXT);
	if (world_flows(world) != 2 || !world_flow(world, &key, &row))
		return false;
	if (memcmp(&row.tuple, &target.tuple, sizeof(row.tuple)) || row.way != MRD_FLOW_FORWARD ||
	    row.state != MRD_FLOW_SYN_SENT || row.service_id != 1 || row.endpoint_id != 17 ||
	    !row.sent_ns || !row.last_ns || row.is_uplink || row.ifindex != WORLD_IFINDEX ||
	    row.tried.count != 1 || row.tried.endpoint_ids[0] != 17 || row.locality_id != 3)
		return false;
	return world_flow(world, &reverse, &row) && row.way == MRD_FLOW_REVERSE &&
	       !memcmp(&row.tuple, &origin.tuple, sizeof(row.tuple)) && !row.last_ns;
}

/* The state that the forward row has after each packet. */
static bool check_states(const struct world *world)
{
	static const struct {
		enum way way;
		uint8_t flags;
		enum mrd_flow_state state;
	} steps[] = {
		{FORWARD, SYN, MRD_FLOW_SYN_SENT},     {REVERSE, SYN | ACK, MRD_FLOW_SYN_RECV},
		{FORWARD, ACK, MRD_FLOW_ESTABLISHED},  {FORWARD, RST, MRD_FLOW_RESET},
		{REVERSE, ACK, MRD_FLOW_RESET},	       {FORWARD, ACK, MRD_FLOW_DOUBTED},
		{REVERSE, ACK, MRD_FLOW_ESTABLISHED},  {FORWARD, FIN | ACK, MRD_FLOW_FIN_WAIT},
		{REVERSE, ACK, MRD_FLOW_FIN_WAIT},     {FORWARD, FIN | ACK, MRD_FLOW_FIN_WAIT},
		{REVERSE, FIN | ACK, MRD_FLOW_CLOSED}, {FORWARD, SYN, MRD_FLOW_SYN_SENT},
		{REVERSE, RST | ACK, MRD_FLOW_RESET},  {FORWARD, ACK, MRD_FLOW_DOUBTED},
		{FORWARD, SYN, MRD_FLOW_SYN_SENT},
	};
	struct wire there = syn_of(FIRST_PORT, VIP, 80);
	struct wire back = {.from = POD,
			    .to = CLIENT,
			    .from_port = 8080,
			    .to_port = FIRST_PORT,
			    .protocol = TCP};
	struct mrd_flow_key key;
	uint8_t out[WIRE_MAX];
	size_t len;

	key_of(&there, &key);
	world_reset(world, false);
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct wire *wire = steps[i].way == FORWARD ? &there : &back;
		struct mrd_flow row;

		wire->flags = steps[i].flags;
		run(world, steps[i].way, wire, out, &len);
		if (!world_flow(world, &key, &row) || row.state != steps[i].state) {
			printf("  after packet %zu: state %d\n", i + 1, row.state);
			return false;
		}
	}
	return true;
}

/* How connections end; the numbers of what is sent and acknowledged count from 0 on each side. */
static const struct {
	const char *name;
	struct end_step {
		enum way way;
		uint8_t flags;
		uint32_t seq, ack;
		uint16_t payload;
		unsigned rows; /* that are left */
	} steps[5];
} ends[] = {
	{.name = "the endpoint ends it",
	 .steps = {{REVERSE, FIN | ACK, 7, 3, 10, 2},
		   {FORWARD, ACK, 3, 18, 0, 2},
		   {FORWARD, FIN | ACK, 3, 18, 0, 2},
		   {REVERSE, ACK, 18, 4, 0, 0}}},
	{.name = "the client ends it",
	 .steps = {{FORWARD, FIN | ACK, 3, 7, 0, 2},
		   {REVERSE, ACK, 7, 4, 100, 2},
		   {REVERSE, FIN | ACK, 107, 4, 0, 2},
		   {FORWARD, ACK, 4, 107, 0, 2},
		   {FORWARD, ACK, 4, 108, 0, 0}}},
	{.name = "the last is said twice",
	 .steps = {{FORWARD, FIN | ACK, 3, 7, 0, 2},
		   {REVERSE, FIN | ACK, 7, 4, 0, 2},
		   {REVERSE, FIN | ACK, 7, 4, 0, 2},
		   {FORWARD, ACK, 4, 8, 0, 0}}},
	{.name = "both at once, so two acknowledgements are to come",
	 .steps = {{FORWARD, FIN | ACK, 3, 7, 0, 2},
		   {REVERSE, FIN | ACK, 7, 3, 0, 2},
		   {FORWARD, ACK, 4, 8, 0, 2},
		   {REVERSE, ACK, 8, 4, 0, 2}}},
	{.name = "a reset is no acknowledgement",
	 .steps = {{FORWARD, FIN | ACK, 3, 7, 0, 2},
		   {REVERSE, FIN | ACK, 7, 4, 0, 2},
		   {FORWARD, RST | ACK, 4, 8, 0, 2}}},
};

/* The answer to what syn_of() sends, from the endpoint. */
static struct wire syn_ack_of(uint16_t port)
{
	return (struct wire){
		.from = POD,
		.to = CLIENT,
		.from_port = 8080,
		.to_port = port,
		.protocol = TCP,
		.flags = SYN | ACK,
	};
}

static bool check_ends(const struct world *world)
{
	bool good = true;

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct wire there = syn_of(FIRST_PORT, VIP, 80);
		struct wire back = syn_ack_of(FIRST_PORT);
		uint8_t out[WIRE_MAX];
		size_t len;

		world_reset(world, false);
		run(world, FORWARD, &there, out, &len);
		run(world, REVERSE, &back, out, &len);
		for (size_t j = 0; j < COUNT(ends[i].steps) && ends[i].steps[j].flags; j++) {
			const struct end_step *step = &ends[i].steps[j];
			struct wire *wire = step->way == FORWARD ? &there : &back;

			wire->flags = step->flags;
			wire->seq = step->seq;
			wire->ack = step->ack;
			wire->payload = step->payload;
			run(world, step->way, wire, out, &len);
			if (world_flows(world) == step->rows)
				continue;
			printf("  %s: %u rows after packet %zu\n", ends[i].name, world_flows(world),
			       j + 1);
			good = false;
		}
	}
	return good;
}

/* The ports of a connection that was reset lead by another VIP to the same endpoint. */
static bool check_taken_over(const struct world *world)
{
	const struct world_service other = {VIP, 8002, TCP, 32, MRD_AFFINITY_NONE, {POD}, 8080};
	struct wire first = syn_of(FIRST_PORT, VIP, 80);
	const struct wire next = syn_of(FIRST_PORT, VIP, 8002);
	const struct wire next_out = syn_of(FIRST_PORT, POD, 8080);
	const struct wire back = syn_ack_of(FIRST_PORT);
	uint8_t out[WIRE_MAX];
	size_t len;

	world_reset(world, false);
	world_add(world, &other);
	run(world, FORWARD, &first, out, &len);
	run(world, REVERSE, &back, out, &len);
	first.flags = RST;
	run(world, FORWARD, &first, out, &len);
	return comes_out(world, FORWARD, &next, &next_out, TC_NEXT) && world_flows(world) == 2;
}

/* ------------------------------------------------------------------------------------- runs */

/*
 * Where nobody reads responses a handshake makes failed ones good: as often as it is answered, and
 * nothing behind one.
 */
static bool check_runs(const struct world *world)
{
	static const struct {
		const char *name;
		uint32_t run, answers;
		uint8_t protocol, flags;
		uint32_t want;
	} cases[] = {
		{"SYNs that went unanswered", 2, 0, TCP, SYN | ACK, 0},
		{"one of them a response", 2, 1, TCP, SYN | ACK, 2},
		{"no failure", 0, 0, TCP, SYN | ACK, 0},
		{"an acknowledgement of something else", 2, 0, TCP, ACK, 2},
		{"an RST", 2, 0, TCP, RST | ACK, 3},
		{"datagrams that were refused", 2, 0, UDP, 0, 0},
	};
	bool good = true;

	world_put_probe(world, false);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const bool is_tcp = cases[i].protocol == TCP;
		struct wire in = syn_of(FIRST_PORT, VIP, is_tcp ? 80 : 53);
		struct wire back = {.from = POD,
				    .to = CLIENT,
				    .from_port = is_tcp ? 8080 : 5353,
				    .to_port = FIRST_PORT,
				    .protocol = cases[i].protocol,
				    .flags = cases[i].flags};
		const uint32_t endpoint_id = is_tcp ? 17 : 49;
		uint8_t out[WIRE_MAX];
		size_t len;

		in.protocol = cases[i].protocol;
		world_reset(world, false);
		world_put_run(world, endpoint_id, cases[i].run, cases[i].answers);
		run(world, FORWARD, &in, out, &len);
		run(world, REVERSE, &back, out, &len);
		if (world_run_of(world, endpoint_id) == cases[i].want)
			continue;
		printf("  %s: a run of %u\n", cases[i].name, world_run_of(world, endpoint_id));
		good = false;
	}
	world_put_probe(world, true);
	return good;
}

/* ------------------------------------------------------------------------------------- plan */

/* A connection stays with its endpoint when the plan no longer has that. */
static bool check_plan_changes(const struct world *world)
{
	const struct world_service was = {VIP, 8000, TCP, 30, MRD_AFFINITY_NONE, {POD}, 8080};
	const struct world_service is = {VIP, 8000, TCP, 30, MRD_AFFINITY_NONE, {"10.1.0.9"}, 8080};
	struct wire in = syn_of(FIRST_PORT, VIP, 8000), out = syn_of(FIRST_PORT, POD, 8080);
	const struct wire next = syn_of(FIRST_PORT + 1, VIP, 8000);
	const struct wire next_out = syn_of(FIRST_PORT + 1, "10.1.0.9", 8080);
	bool good;

	world_reset(world, false);
	world_add(world, &was);
	good = comes_out(world, FORWARD, &in, &out, TC_NEXT);
	world_add(world, &is);
	good &= comes_out(world, FORWARD, &in, &out, TC_NEXT);
	in.flags = out.flags = ACK;
	good &= comes_out(world, FORWARD, &in, &out, TC_NEXT);
	return good && comes_out(world, FORWARD, &next, &next_out, TC_NEXT);
}

/* The byte of the endpoint's address that tells the members of the sticky service apart. */
static uint8_t sticky_pick(const struct world *world, const char *client, uint16_t port)
{
	const struct wire in = {.from = client,
				.to = VIP,
				.from_port = port,
				.to_port = STICKY_PORT,
				.protocol = UDP};
	uint8_t out[WIRE_MAX];
	size_t len;

	run(world, FORWARD, &in, out, &len);
	return out[WIRE_ETH + 19];
}

static bool check_affinity(const struct world *world)
{
	uint8_t first, other;

	world_reset(world, false);
	first = sticky_pick(world, "10.0.0.50", FIRST_PORT);
	other = sticky_pick(world, "10.0.0.51", FIRST_PORT);
	for (uint16_t i = 1; i < 6; i++)
		if (sticky_pick(world, "10.0.0.50", FIRST_PORT + i) != first ||
		    sticky_pick(world, "10.0.0.51", FIRST_PORT + i) != other)
			return false;
	return first != other;
}

/* ----------------------------------------------------------------------------------- places */

/*
 * Where the agent has seen no rows none is looked for, until a flow is opened there: rows that a
 * settled place has all the same show it.
 */
static bool check_places(const struct world *world)
{
	struct wire in = syn_of(FIRST_PORT, VIP, 80), out = syn_of(FIRST_PORT, POD, 8080);
	struct wire back = {.from = POD,
			    .to = CLIENT,
			    .from_port = 8080,
			    .to_port = FIRST_PORT,
			    .protocol = TCP};
	struct wire back_out = {
		.from = VIP, .to = CLIENT, .from_port = 80, .to_port = FIRST_PORT, .protocol = TCP};
	const struct wire next = syn_of(FIRST_PORT + 1, VIP, 80);
	const struct wire next_out = syn_of(FIRST_PORT + 1, POD, 8080);
	bool good;

	world_reset(world, false);
	world_settle(world, MRD_PLACE_ANY);
	good = comes_out(world, FORWARD, &in, &out, TC_NEXT);
	in.flags = out.flags = back.flags = back_out.flags = ACK;
	good &= comes_out(world, FORWARD, &in, &out, TC_NEXT);
	good &= comes_out(world, REVERSE, &back, &back_out, TC_NEXT);
	world_settle(world, WORLD_IFINDEX);
	good &= comes_out(world, FORWARD, &in, &in, TC_NEXT);
	good &= comes_out(world, REVERSE, &back, &back, TC_NEXT);
	good &= comes_out(world, FORWARD, &next, &next_out, TC_NEXT);
	good &= comes_out(world, FORWARD, &in, &out, TC_NEXT);
	return good && comes_out(world, REVERSE, &back, &back_out, TC_NEXT);
}

/* A flow that is translated at any uplink keeps all of them open. */
static bool check_any_place(const struct world *world)
{
	const struct wire opening = syn_of(FIRST_PORT, VIP, 80);
	const struct wire in = {.from = POD,
				.to = CLIENT,
				.from_port = 8080,
				.to_port = FIRST_PORT,
				.protocol = TCP,
				.flags = ACK};
	struct wire out = in;
	uint8_t sent[WIRE_MAX];
	size_t len;
	bool good;

	out.from = VIP;
	out.from_port = 80;
	world_reset(world, true);
	run(world, FORWARD, &opening, sent, &len);
	world_settle(world, WORLD_IFINDEX);
	good = comes_out(world, REVERSE, &in, &out, TC_NEXT);
	world_settle(world, MRD_PLACE_ANY);
	return good && comes_out(world, REVERSE, &in, &in, TC_NEXT);
}

/* The client hears of it as often as it asks; its ports are another connection's when it says so.
 */
static bool check_cut(const struct world *world)
{
	const struct wire syn = syn_of(FIRST_PORT, VIP, 80);
	struct wire data = syn, end = syn;
	const struct wire answer = {.from = VIP,
				    .to = CLIENT,
				    .from_port = 80,
				    .to_port = FIRST_PORT,
				    .protocol = TCP,
				    .flags = RST,
				    .seq = 5001,
				    .dont_fragment = true,
				    .is_returned = true};
	struct mrd_flow_key key;
	uint8_t out[WIRE_MAX];
	size_t len;
	bool good;

	data.flags = ACK;
	data.seq++;
	data.ack = 5001;
	data.payload = 100;
	end.flags = RST;
	key_of(&syn, &key);
	world_reset(world, false);
	good = run(world, FORWARD, &syn, out, &len) == TC_NEXT && world_flows(world) == 2;
	good &= world_cut(world, &key) == 0 && world_flows(world) == 1;
	for (int i = 0; i < 2; i++)
		good &= comes_out(world, FORWARD, &data, &answer, TC_REDIRECT);
	good &= run(world, FORWARD, &end, out, &len) == TC_DROP && world_flows(world) == 1;
	good &= run(world, FORWARD, &syn, out, &len) == TC_NEXT && world_flows(world) == 2;
	data.payload = 0;
	return good && run(world, FORWARD, &data, out, &len) == TC_NEXT;
}

const struct tc_check tc_checks[] = {
	{"frames cut off at every length", check_truncated},
	{"100,000 frames with bytes changed", check_mutated},
	{"the map of flows is full: new ones are refused, those known go on", check_full},
	{"the two rows of a flow", check_rows},
	{"the states of a connection", check_states},
	{"what ends a connection leaves no rows", check_ends},
	{"a connection that takes a reset one's place takes its rows", check_taken_over},
	{"what ends an endpoint's run of failures", check_runs},
	{"a connection that an ejection resets", check_cut},
	{"connections of a service are limited, and leave their places", check_limits},
	{"a flow that could not be has no place", check_limit_full},
	{"a row that is deleted leaves its place, if it has one", check_limit_deleted},
	{"a connection whose ports lead elsewhere leaves its place", check_limit_taken_over},
	{"a connection that is being moved keeps its row and its place", check_limit_moving},
	{"a connection keeps its endpoint when the plan changes", check_plan_changes},
	{"a client keeps its endpoint where the service asks for it", check_affinity},
	{"where no rows are none is looked for, until a flow is opened", check_places},
	{"a flow of an uplink is looked for at all of them", check_any_place},
	{"what is read of answers", tc_check_answers},
	{"a status line in pieces", tc_check_pieces},
	{"answers that nobody reads", tc_check_unread},
	{"a request longer than numbers count", tc_check_long},
	{"successes that wait are told when the rows go", tc_check_deleted},
	{"requests and answers cut off at every length", tc_check_cut_off},
	{"a handshake ends no run of an HTTP port's failures", tc_check_handshake},
};
const size_t tc_check_count = COUNT(tc_checks);
