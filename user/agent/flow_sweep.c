/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The forward row decides for both. A reverse row without one is what is left of a flow whose
 * removal was cut short; or of one that is being made at this moment, for it is written first. So
 * it goes if it was alone in the pass before, too.
 */
#include "agent/flow_sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/table.h"

enum { PLACES = MRD_PLACE_ANY + 1 };
enum { ALONE_MAX = 4096 }; /* remembered from pass to pass; others wait for the next */

/* Half of the shortest time that a state has. */
static const uint64_t pass_ns = 5000ULL * MRD_NS_PER_MS;

/*
 * nf_conntrack_tcp_timeout_* and nf_conntrack_udp_timeout*, but for four:
 * - When both sides have said their last there are 30 s there for the acknowledgement of that, and
 *   120 s behind it. A row that is left does no harm to the next connection of its ports, but takes
 *   room, and a full map refuses connections: in 120 s all of it would be used up by 1,100
 *   connections a second. So the acknowledgement takes the rows with it, where it is seen; and who
 *   waits for it has the time of a connection that was reset. Whoever says his last again begins it
 *   anew. If it is lost on its way from there, the endpoint says its last again, which nobody
 *   translates any more: the client's kernel knows no such connection and resets it; or nothing
 *   comes of it, and the endpoint gives up in its time. What was sent has arrived by then.
 * - One that is half-closed has 60 s there once that is acknowledged, and 120 s before. Here all
 *   have 120 s: who takes his time to answer is not cut off, and acknowledgements need not be read.
 * - One that goes on after a reset keeps for a while what it had, as if it were unacknowledged.
 * - One that was cut waits for its client as long as it would have without that.
 */
static const uint64_t idle_ms[] = {
	[MRD_FLOW_NONE] = 120000,	    [MRD_FLOW_SYN_SENT] = 120000,
	[MRD_FLOW_ESTABLISHED] = 432000000, [MRD_FLOW_FIN_WAIT] = 120000,
	[MRD_FLOW_CLOSE_WAIT] = 120000,	    [MRD_FLOW_CLOSED] = 10000,
	[MRD_FLOW_UDP_UNREPLIED] = 30000,   [MRD_FLOW_UDP_REPLIED] = 120000,
	[MRD_FLOW_SYN_RECV] = 60000,	    [MRD_FLOW_RESET] = 10000,
	[MRD_FLOW_DOUBTED] = 120000,	    [MRD_FLOW_CUT] = 432000000,
};

struct mrd_flow_sweep {
	struct mrd_flow_port port;
	struct mrd_table *alone;     /* keys of reverse rows that were alone in the last pass */
	struct mrd_table *new_alone; /* and in this one */
	bool is_running;
	bool again;
	uint64_t due_ns; /* of the next pass */
	uint64_t now_ns; /* of this turn */
	uint64_t removed;
	bool knows_places;	  /* opened is of this pass */
	uint64_t opened[PLACES];  /* as the pass began */
	uint64_t settled[PLACES]; /* as the kernel was told */
	bool has_rows[PLACES];	  /* seen in this pass, even if they went */
};

bool mrd_flow_is_over(const struct mrd_flow *flow, uint64_t now_ns)
{
	const size_t states = sizeof(idle_ms) / sizeof(*idle_ms);
	const size_t state = (size_t)flow->state < states ? (size_t)flow->state : MRD_FLOW_NONE;

	/* The packet may have come since the clock was read. */
	return flow->last_ns < now_ns && now_ns - flow->last_ns >= idle_ms[state] * MRD_NS_PER_MS;
}

/* The other row's key: this row's value, turned round. */
static struct mrd_flow_key other_key(const struct mrd_flow_key *key, const struct mrd_flow *flow)
{
	struct mrd_flow_key other = {
		.tuple = {.source_port = flow->tuple.destination_port,
			  .destination_port = flow->tuple.source_port},
		.family = key->family,
		.protocol = key->protocol,
	};

	memcpy(other.tuple.source, flow->tuple.destination, MRD_ADDR_LEN);
	memcpy(other.tuple.destination, flow->tuple.source, MRD_ADDR_LEN);
	return other;
}

/* ----------------------------------------------------------------------------------------- rows */

static void look_at_forward(struct mrd_flow_sweep *sweep, const struct mrd_flow_key *key,
			    const struct mrd_flow *flow)
{
	struct mrd_flow now;

	if (sweep->port.is_there(sweep->port.self, flow->ifindex) &&
	    !mrd_flow_is_over(flow, sweep->now_ns))
		return;
	/* It may have been used, or made anew, since it was read. */
	if (sweep->port.get(sweep->port.self, key, &now) || now.last_ns != flow->last_ns ||
	    now.sent_ns != flow->sent_ns)
		return;
	/* What stays is met again in the next pass. */
	if (sweep->port.del(sweep->port.self, key) == 0)
		sweep->removed++;
}

static void look_at_reverse(struct mrd_flow_sweep *sweep, const struct mrd_flow_key *key,
			    const struct mrd_flow *flow)
{
	const struct mrd_flow_key other = other_key(key, flow);
	struct mrd_flow forward;

	if (sweep->port.get(sweep->port.self, &other, &forward) != -ENOENT)
		return;
	if (mrd_table_get(sweep->alone, key, sizeof(*key)))
		sweep->port.del(sweep->port.self, key);
	else if (mrd_table_count(sweep->new_alone) < ALONE_MAX)
		mrd_table_put(sweep->new_alone, key, sizeof(*key), sweep);
}

static int look_at(void *self, const void *key, const void *value)
{
	struct mrd_flow_sweep *sweep = self;
	const struct mrd_flow *flow = value;

	sweep->has_rows[flow->ifindex & (MRD_PLACES - 1)] = true;
	sweep->has_rows[MRD_PLACE_ANY] = true;
	if (flow->way == MRD_FLOW_FORWARD)
		look_at_forward(self, key, flow);
	else
		look_at_reverse(self, key, flow);
	return 0;
}

/* --------------------------------------------------------------------------------------- passes */

static void free_sweep(struct mrd_flow_sweep **sweep)
{
	mrd_flow_sweep_free(*sweep);
}

int mrd_flow_sweep_new(const struct mrd_flow_port *port, struct mrd_flow_sweep **ret_sweep)
{
	struct mrd_flow_sweep *sweep MRD_CLEANUP(free_sweep) = calloc(1, sizeof(*sweep));

	if (!sweep)
		return -ENOMEM;
	sweep->port = *port;
	sweep->alone = mrd_table_new(NULL);
	sweep->new_alone = mrd_table_new(NULL);
	if (!sweep->alone || !sweep->new_alone)
		return -ENOMEM;
	*ret_sweep = MRD_STEAL_PTR(sweep);
	return 0;
}

void mrd_flow_sweep_free(struct mrd_flow_sweep *sweep)
{
	if (!sweep)
		return;
	mrd_table_free(sweep->alone);
	mrd_table_free(sweep->new_alone);
	free(sweep);
}

static void empty(struct mrd_table *table)
{
	const void *key;
	size_t cursor = 0, len;

	while (mrd_table_next(table, &cursor, &key, &len))
		mrd_table_delete(table, key, len);
}

static void begin_pass(struct mrd_flow_sweep *sweep)
{
	sweep->is_running = true;
	sweep->again = false;
	memset(sweep->has_rows, 0, sizeof(sweep->has_rows));
	/* Before any row is looked at: what is opened later has another number. */
	sweep->knows_places = sweep->port.places(sweep->port.self, sweep->opened) == 0;
}

static void settle_places(struct mrd_flow_sweep *sweep)
{
	for (uint32_t place = 0; place < PLACES; place++) {
		if (sweep->has_rows[place] || sweep->opened[place] == sweep->settled[place])
			continue;
		if (sweep->port.settle(sweep->port.self, place, sweep->opened[place]) == 0)
			sweep->settled[place] = sweep->opened[place];
	}
}

/* saw_all: no row was passed over. */
static void end_pass(struct mrd_flow_sweep *sweep, bool saw_all)
{
	struct mrd_table *const before = sweep->alone;

	if (saw_all && sweep->knows_places)
		settle_places(sweep);
	empty(before);
	sweep->alone = sweep->new_alone;
	sweep->new_alone = before;
	sweep->is_running = false;
}

uint64_t mrd_flow_sweep_turn(struct mrd_flow_sweep *sweep, uint64_t now_ns)
{
	int r;

	if (!sweep->is_running && !sweep->again && now_ns < sweep->due_ns)
		return sweep->due_ns;
	if (!sweep->is_running) {
		begin_pass(sweep);
		sweep->due_ns = now_ns + pass_ns;
	}
	sweep->now_ns = now_ns;
	r = sweep->port.next(sweep->port.self, look_at, sweep);
	if (r > 0)
		return now_ns;
	end_pass(sweep, r == 0);
	return sweep->again ? now_ns : sweep->due_ns;
}

void mrd_flow_sweep_hurry(struct mrd_flow_sweep *sweep)
{
	sweep->again = true;
}

uint64_t mrd_flow_sweep_removed(const struct mrd_flow_sweep *sweep)
{
	return sweep->removed;
}
