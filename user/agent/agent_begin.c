/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From an agent that reads to one that acts: the first plan, then the hooks, then "ready". */
#include "agent/agent_state.h"

#include <errno.h>

#include "agent/footprint.h"
#include "agent/notify.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

bool mrd_agent_has_waited(const struct mrd_agent *agent, uint64_t ms)
{
	return mrd_clock_ns() - agent->waiting_since_ns >= ms * MRD_NS_PER_MS;
}

int mrd_agent_complain(const char *msg, const char *subject, const char *reason)
{
	mrd_log_error(msg, MRD_KV("of", subject), MRD_KV("reason", reason),
		      MRD_KV("consequence", "the agent does not start"));
	return -EIO;
}

/*
 * Is it time for the first plan? Without the home cluster there would be none; others, and the home
 * cluster's rules, have startupWait to be part of it.
 */
static bool may_plan(const struct mrd_agent *agent)
{
	struct mrd_inputs_progress progress;

	if (mrd_inputs_is_stand_in(agent->inputs))
		return true; /* to hold what the kernel has is all there is to do */
	mrd_inputs_progress(agent->inputs, &progress);
	return progress.home_read &&
	       (progress.all_read || mrd_agent_has_waited(agent, agent->config->startup_wait_ms));
}

static int attach(struct mrd_agent *agent)
{
	char *error MRD_AUTO_FREE = NULL;

	if (mrd_dataplane_attach(agent->dataplane, &error))
		return mrd_agent_complain("hooks not attached",
					  mrd_dataplane_cgroup(agent->dataplane),
					  error ? error : "no memory");
	return 0;
}

static void tell_ready(struct mrd_agent *agent)
{
	static const char *const adoptions[] = {
		[MRD_ADOPTION_FRESH] = "fresh",
		[MRD_ADOPTION_ADOPTED] = "adopted",
		[MRD_ADOPTION_REPLACED] = "replaced",
	};
	const struct mrd_plan_node *node = mrd_inputs_node(agent->inputs);
	struct mrd_engine_status status;
	size_t count;
	const struct mrd_feature *features = mrd_dataplane_features(agent->dataplane, &count);

	for (size_t i = 0; i < count; i++)
		if (!features[i].used)
			mrd_log_warn("kernel feature missing", MRD_KV("feature", features[i].name),
				     MRD_KV("consequence", features[i].consequence
								   ? features[i].consequence
								   : ""));
	if (!*node->region)
		mrd_log_warn("node has no region", MRD_KV("node", node->name),
			     MRD_KV("cause", "neither node.region nor a label of its Node object"),
			     MRD_KV("consequence", "every region is as good as any other"));
	mrd_engine_get_status(agent->engine, &status);
	if (status.resetting)
		mrd_resets_obstacle(agent->resets);
	mrd_log_info("ready", MRD_KV("version", MRD_VERSION), MRD_KV("node", node->name),
		     MRD_KV("region", node->region), MRD_KV_NUM("services", status.services),
		     MRD_KV("maps", adoptions[mrd_dataplane_adoption(agent->dataplane)]),
		     MRD_KV("cgroup", mrd_dataplane_cgroup(agent->dataplane)));
	agent->ready = true;
	mrd_notify("READY=1");
}

/*
 * Maps that are written beside an earlier agent's, for other kernel.limits, take its place only if
 * they hold what it holds: a limit that is too small is no reason to stop serving.
 */
static int check_replacement(const struct mrd_agent *agent)
{
	const char *error = "";
	const char *service = mrd_engine_lost(agent->engine, &error);

	return service ? mrd_agent_complain("maps not replaced, which go on as they are: the new "
					    "ones have no room",
					    service, error)
		       : 0;
}

/* What is to be in the kernel, and then the hooks that act on it. */
static int begin(struct mrd_agent *agent)
{
	int r;

	agent->begun = true;
	mrd_agent_plan(agent, UINT64_MAX);
	r = check_replacement(agent);
	r = r ?: attach(agent);
	r = r ?: mrd_agent_open_flows(agent);
	if (r)
		return r;
	mrd_agent_open_interfaces(agent);
	mrd_agent_be_ready(agent);
	return 0;
}

bool mrd_agent_begin_if_read(struct mrd_agent *agent)
{
	/* What an earlier agent left is held: its hooks are taken over at once. */
	if (agent->result || !(mrd_engine_is_holding(agent->engine) || may_plan(agent)))
		return false;
	agent->result = begin(agent);
	if (agent->result)
		mrd_loop_stop(agent->loop);
	return !agent->result;
}

void mrd_agent_be_ready(struct mrd_agent *agent)
{
	if (agent->ready || agent->result || !may_plan(agent))
		return;
	mrd_footprint_shrink();
	tell_ready(agent);
}

void mrd_agent_wait(struct mrd_agent *agent)
{
	if (!agent->is_waiting)
		mrd_log_info("waiting for clusters",
			     MRD_KV("consequence",
				    agent->begun ? "the kernel goes on by the plan that it has"
						 : "no connection is touched until then"));
	agent->is_waiting = true;
	mrd_notify("EXTEND_TIMEOUT_USEC=30000000\nSTATUS=waiting for clusters");
	if (!agent->begun && !mrd_agent_has_waited(agent, agent->config->startup_wait_ms))
		mrd_timer_set(agent->work, agent->waiting_since_ns +
						   agent->config->startup_wait_ms * MRD_NS_PER_MS);
}
