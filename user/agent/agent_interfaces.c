/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Network interfaces: from what the kernel tells of them to programs on them. Begins once the maps
 * hold a plan and the socket hooks are attached. Without the rights or the kernel for it the agent
 * goes on with the socket hooks.
 */
#include "agent/agent_state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

/*
 * A first start may find hundreds, and each takes the kernel some 30 ms, in which nobody else can
 * make an interface. Between two of them is a pause: who waits to make one does, and it is heard of
 * before the next of the hundreds is begun.
 */
static const uint64_t turn_ns = 10ULL * MRD_NS_PER_MS;
static const uint64_t pause_ns = 5ULL * MRD_NS_PER_MS;

/* ----------------------------------------------------------------------------------- data plane */

static int serve(void *self, uint32_t index, const struct mrd_interface *row, char **ret_error)
{
	return mrd_dataplane_tc_serve(self, index, row, ret_error);
}

static int leave(void *self, uint32_t index, char **ret_error)
{
	return mrd_dataplane_tc_leave(self, index, ret_error);
}

static bool is_left(void *self, uint32_t index)
{
	return mrd_dataplane_tc_is_left(self, index);
}

/* ------------------------------------------------------------------------------------------ told
 */

static void on_listing(void *self)
{
	const struct mrd_agent *agent = self;

	mrd_interfaces_listing(agent->interfaces);
}

static void on_listed(void *self)
{
	struct mrd_agent *agent = self;
	uint32_t *indexes MRD_AUTO_FREE = NULL;
	size_t count = 0;

	mrd_interfaces_listed(agent->interfaces);
	mrd_agent_hurry_flows(agent);
	if (agent->are_interfaces_listed)
		return;
	agent->are_interfaces_listed = true;
	/* What cannot be read now stays until the next start. */
	if (mrd_dataplane_tc_left(agent->dataplane, &indexes, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		mrd_interfaces_stale(agent->interfaces, indexes[i]);
}

static void on_changed(void *self, const struct mrd_link *link)
{
	const struct mrd_agent *agent = self;

	mrd_interfaces_changed(agent->interfaces, link);
}

static void on_gone(void *self, uint32_t index)
{
	struct mrd_agent *agent = self;

	mrd_interfaces_gone(agent->interfaces, index);
	mrd_agent_hurry_flows(agent);
}

static void on_links(void *self, uint32_t epoll_events)
{
	struct mrd_agent *agent = self;

	(void)epoll_events;
	mrd_agent_drain(agent);
	mrd_link_watch_dispatch(agent->link_watch);
	mrd_timer_set(agent->interface_work, mrd_clock_ns());
}

/* ------------------------------------------------------------------------------------------ done
 */

static void tell_first(struct mrd_agent *agent)
{
	struct mrd_interfaces_status status;

	if (agent->are_interfaces_told || !agent->are_interfaces_listed)
		return;
	agent->are_interfaces_told = true;
	mrd_interfaces_get_status(agent->interfaces, &status);
	mrd_log_info("interfaces served",
		     MRD_KV("mode", mrd_tc_mode_name(mrd_dataplane_tc_mode(agent->dataplane))),
		     MRD_KV_NUM("pods", status.served[MRD_INTERFACE_POD]),
		     MRD_KV_NUM("uplinks", status.served[MRD_INTERFACE_UPLINK]),
		     MRD_KV_NUM("failed", status.failed));
}

/* Some, and the rest in the loop's next turn. Before each it is heard who has come. */
static void on_work(void *self)
{
	struct mrd_agent *agent = self;
	const uint64_t until_ns = mrd_clock_ns() + turn_ns;
	uint64_t due_ns;
	bool more;

	do {
		mrd_agent_drain(agent);
		if (agent->detached)
			return;
		mrd_link_watch_dispatch(agent->link_watch);
		more = mrd_interfaces_step(agent->interfaces, mrd_clock_ns());
	} while (more && mrd_clock_ns() < until_ns);
	if (!more)
		tell_first(agent);
	if (mrd_interfaces_has_news(agent->interfaces))
		due_ns = mrd_clock_ns();
	else if (more)
		due_ns = mrd_clock_ns() + pause_ns;
	else
		due_ns = mrd_interfaces_due(agent->interfaces);
	mrd_timer_set(agent->interface_work, due_ns == UINT64_MAX ? 0 : due_ns);
}

/* ---------------------------------------------------------------------------------- start and end
 */

static int open_all(struct mrd_agent *agent)
{
	const struct mrd_interface_port port = {
		.self = agent->dataplane,
		.serve = serve,
		.leave = leave,
		.is_left = is_left,
	};
	const struct mrd_link_watch_hooks hooks = {
		.listing = on_listing,
		.listed = on_listed,
		.changed = on_changed,
		.gone = on_gone,
		.self = agent,
	};
	int r = mrd_interfaces_new(&port, &agent->interfaces);

	if (r)
		return r;
	mrd_interfaces_choose(agent->interfaces, &agent->config->interfaces);
	r = mrd_loop_timer(agent->loop, on_work, agent, &agent->interface_work);
	r = r ?: mrd_link_watch_new(&hooks, &agent->link_watch);
	return r
		       ?: mrd_loop_watch(agent->loop, mrd_link_watch_fd(agent->link_watch), EPOLLIN,
					 on_links, agent, &agent->links);
}

const char *mrd_agent_interfaces_error(const struct mrd_agent *agent)
{
	const char *error = mrd_dataplane_tc_error(agent->dataplane);

	if (agent->config->interfaces.mode == MRD_INTERFACES_NONE)
		return NULL;
	if (mrd_dataplane_tc_mode(agent->dataplane) == MRD_TC_NONE)
		return error ? error : "no memory";
	return agent->interfaces_error ? strerror(-agent->interfaces_error) : NULL;
}

void mrd_agent_open_interfaces(struct mrd_agent *agent)
{
	const char *error;

	if (mrd_dataplane_tc_mode(agent->dataplane) != MRD_TC_NONE) {
		agent->interfaces_error = open_all(agent);
		if (agent->interfaces_error)
			mrd_agent_close_interfaces(agent);
	}
	error = mrd_agent_interfaces_error(agent);
	if (error)
		mrd_log_warn("interfaces not served", MRD_KV("reason", error),
			     MRD_KV("consequence", "socket hooks alone translate"));
}

void mrd_agent_close_interfaces(struct mrd_agent *agent)
{
	mrd_loop_unwatch(agent->links);
	mrd_link_watch_free(agent->link_watch);
	mrd_timer_free(agent->interface_work);
	mrd_interfaces_free(agent->interfaces);
	agent->links = NULL;
	agent->link_watch = NULL;
	agent->interface_work = NULL;
	agent->interfaces = NULL;
}

void mrd_agent_choose_interfaces(struct mrd_agent *agent)
{
	if (!agent->interfaces)
		return;
	mrd_interfaces_choose(agent->interfaces, &agent->config->interfaces);
	mrd_timer_set(agent->interface_work, mrd_clock_ns());
}

void mrd_agent_tick_interfaces(struct mrd_agent *agent)
{
	if (agent->link_watch)
		mrd_link_watch_tick(agent->link_watch);
}
