// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_cost.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tc_frames.h"
#include "tc_services.h"
#include "yardstick.h"

enum {
	RUNS = 2000,
	RUNS_EACH = WORLD_FLOWS / 4, /* in the same world of flows: two rows each */
	REPEATS = 1000,		     /* of what leaves packets as they are */
	PERCENT = 100,
};

/* The nanoseconds that the kernel counts for a run, and for the clock itself. */
static unsigned int run_ns(int program, const struct wire *wire, unsigned int repeats)
{
	uint8_t in[WIRE_MAX], out[WIRE_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = (int)repeats);

	opts.data_size_in = (uint32_t)wire_build(wire, in);
	if (bpf_prog_test_run_opts(program, &opts)) {
		fprintf(stderr, "a test run: %s\n", strerror(errno));
		exit(2);
	}
	return opts.duration;
}

/* --------------------------------------------------------------------------------- the packets */

/* One of a kind, number i; what goes before it is done. */
struct kind {
	const char *name;
	bool is_probe;
	enum way way;
	unsigned int repeats;
	struct wire (*make)(const struct world *world, unsigned int number);
};

/* Of nobody, where no flow is known: it is let go at a glance. */
static struct wire foreign(const struct world *world, unsigned int number)
{
	if (!number) {
		world_settle(world, WORLD_IFINDEX);
		world_settle(world, MRD_PLACE_ANY);
	}
	return (struct wire){.from = CLIENT4,
			     .to = "10.9.9.9",
			     .from_port = FIRST_PORT,
			     .to_port = 9,
			     .protocol = TCP,
			     .flags = ACK};
}

static struct wire first(const struct world *world, unsigned int number)
{
	(void)world;
	return syn_of((uint16_t)(FIRST_PORT + number), VIP4, 80);
}

static struct wire answer_of(uint16_t port, uint8_t flags)
{
	return (struct wire){.from = POD4,
			     .to = CLIENT4,
			     .from_port = 8080,
			     .to_port = port,
			     .protocol = TCP,
			     .flags = flags};
}

/* Of a connection that stands. */
static void stand(const struct world *world, struct wire *ret_next)
{
	struct wire syn = syn_of(FIRST_PORT, VIP4, 80), answer = answer_of(FIRST_PORT, SYN | ACK);
	uint8_t out[WIRE_MAX];
	size_t len;

	run(world, FORWARD, &syn, out, &len);
	run(world, REVERSE, &answer, out, &len);
	syn.flags = ACK;
	run(world, FORWARD, &syn, out, &len);
	*ret_next = syn;
}

static struct wire next(const struct world *world, unsigned int number)
{
	struct wire wire = syn_of(FIRST_PORT, VIP4, 80);

	if (number)
		wire.flags = ACK;
	else
		stand(world, &wire);
	return wire;
}

static struct wire answer(const struct world *world, unsigned int number)
{
	struct wire wire;

	if (!number)
		stand(world, &wire);
	return answer_of(FIRST_PORT, ACK);
}

static const struct kind kinds[TC_COSTS] = {
	{"foreign", false, FORWARD, REPEATS, foreign},
	{"first", false, FORWARD, 1, first},
	{"next", false, FORWARD, 1, next},
	{"answer", false, REVERSE, 1, answer},
	{"sent", true, FORWARD, REPEATS, foreign},
	{"received", true, REVERSE, REPEATS, foreign},
};

/* ------------------------------------------------------------------------------------ measured */

static void keep_least(unsigned int *least, unsigned int number)
{
	if (number < *least)
		*least = number;
}

/* Three programs in turn: the packet's, a yardstick of many look-ups, and of none. */
static unsigned int measure(const struct world *world, const struct kind *kind, int many, int none)
{
	const int program = (kind->is_probe ? world->probes : world->programs)[kind->way];
	unsigned int packet_ns = UINT32_MAX, many_ns = UINT32_MAX, none_ns = UINT32_MAX;

	for (unsigned int i = 0; i < RUNS / (kind->repeats > 1 ? RUNS_EACH : 1); i++) {
		struct wire wire;

		if (i % RUNS_EACH == 0)
			world_reset(world, false);
		wire = kind->make(world, i % RUNS_EACH);
		keep_least(&packet_ns, run_ns(program, &wire, kind->repeats));
		keep_least(&many_ns, run_ns(many, &wire, kind->repeats));
		keep_least(&none_ns, run_ns(none, &wire, kind->repeats));
	}
	if (many_ns <= none_ns)
		return UINT32_MAX; /* look-ups that take no time: the clock is none */
	if (packet_ns < none_ns)
		return 0;
	return (packet_ns - none_ns) * YARDSTICK_LOOKUPS * PERCENT / (many_ns - none_ns);
}

void tc_cost_measure(const struct world *world, struct tc_cost ret_costs[TC_COSTS])
{
	const int many = yardstick_load(world->flow, YARDSTICK_LOOKUPS),
		  none = yardstick_load(world->flow, 0);

	for (size_t i = 0; i < TC_COSTS; i++)
		ret_costs[i] = (struct tc_cost){
			.name = kinds[i].name,
			.percent = measure(world, &kinds[i], many, none),
		};
	close(many);
	close(none);
}
