/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The sweep of connections that packets are translated for, in the agent's loop. */
#include "agent/agent_state.h"

#include "base/clock.h"

static int next_rows(void *self, int (*fn)(void *fn_self, const void *key, const void *value),
		     void *fn_self)
{
	const struct mrd_agent *agent = self;

	return mrd_dataplane_flows_next(agent->dataplane, fn, fn_self);
}

static int get_row(void *self, const struct mrd_flow_key *key, struct mrd_flow *ret_flow)
{
	const struct mrd_agent *agent = self;

	return mrd_dataplane_flow_get(agent->dataplane, key, ret_flow);
}

static int del_rows(void *self, const struct mrd_flow_key *key)
{
	const struct mrd_agent *agent = self;

	return mrd_dataplane_flow_del(agent->dataplane, key);
}

static int places(void *self, uint64_t ret_opened[MRD_PLACE_ANY + 1])
{
	const struct mrd_agent *agent = self;

	return mrd_dataplane_places(agent->dataplane, ret_opened);
}

static int settle(void *self, uint32_t place, uint64_t opened)
{
	const struct mrd_agent *agent = self;

	return mrd_dataplane_settle(agent->dataplane, place, opened);
}

/* Who does not follow interfaces does not know. */
static bool is_there(void *self, uint32_t ifindex)
{
	const struct mrd_agent *agent = self;

	return !agent->interfaces || mrd_interfaces_is_there(agent->interfaces, ifindex);
}

static void on_turn(void *self)
{
	struct mrd_agent *agent = self;

	mrd_agent_drain(agent);
	if (!agent->detached)
		mrd_timer_set(agent->flow_work,
			      mrd_flow_sweep_turn(agent->flow_sweep, mrd_clock_ns()));
}

int mrd_agent_open_flows(struct mrd_agent *agent)
{
	const struct mrd_flow_port port = {
		.self = agent,
		.next = next_rows,
		.get = get_row,
		.del = del_rows,
		.is_there = is_there,
		.places = places,
		.settle = settle,
	};
	int r = mrd_flow_sweep_new(&port, &agent->flow_sweep);

	r = r ?: mrd_loop_timer(agent->loop, on_turn, agent, &agent->flow_work);
	return r ?: mrd_timer_set(agent->flow_work, mrd_clock_ns());
}

void mrd_agent_close_flows(struct mrd_agent *agent)
{
	mrd_timer_free(agent->flow_work);
	mrd_flow_sweep_free(agent->flow_sweep);
}

void mrd_agent_hurry_flows(struct mrd_agent *agent)
{
	mrd_flow_sweep_hurry(agent->flow_sweep);
	mrd_timer_set(agent->flow_work, mrd_clock_ns());
}
