/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>

#include "agent/adopt.h"
#include "agent/agent_state.h"
#include "agent/findings.h"
#include "agent/footprint.h"
#include "agent/notify.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/inspect.h"

/* A round of planning gives way to everything else after this long. */
static const uint64_t round_ns = 10ULL * MRD_NS_PER_MS;
static const uint64_t tick_ns = 1000ULL * MRD_NS_PER_MS;

/* ------------------------------------------------------------------------------------- rounds */

static void hear(struct mrd_agent *agent)
{
	if (agent->dataplane && !agent->detached)
		mrd_dataplane_dispatch(agent->dataplane);
}

void mrd_agent_drain(void *self)
{
	struct mrd_agent *agent = self;

	hear(agent);
	mrd_urgency_end(&agent->urgency, mrd_clock_ns());
}

void mrd_agent_breathe(void *self)
{
	struct mrd_agent *agent = self;

	hear(agent);
	mrd_urgency_ease(&agent->urgency, mrd_clock_ns());
}

/* What is woken for is urgent for a moment, whatever it is. */
static void on_wake(void *self)
{
	struct mrd_agent *agent = self;

	mrd_urgency_wake(&agent->urgency, mrd_clock_ns());
}

static void on_event(void *self, const struct mrd_event *event)
{
	struct mrd_agent *agent = self;

	mrd_engine_event(agent->engine, event);
}

static void on_events(void *self, uint32_t epoll_events)
{
	(void)epoll_events;
	hear(self);
}

void mrd_agent_set_input(struct mrd_agent *agent)
{
	const struct mrd_engine_input input = {
		.model = mrd_inputs_model(agent->inputs),
		.policy = mrd_inputs_policy(agent->inputs),
		.node = mrd_inputs_node(agent->inputs),
		.cluster_domain = agent->config->cluster_domain,
		.is_frozen = mrd_inputs_is_stand_in(agent->inputs),
	};

	mrd_engine_set_input(agent->engine, &input);
}

static bool is_told(void *self, const char *namespace_, const char *name)
{
	const struct mrd_agent *agent = self;

	return mrd_inputs_is_told(agent->inputs, agent->engine, namespace_, name);
}

/*
 * What was adopted is planned anew once nothing speaks against it: without the home cluster there
 * would be no services at all, so it is waited for however long; others for staleAfter. Beside
 * broken files what others tell enough of goes on, and the rest waits until they are whole.
 */
static void release_if_read(struct mrd_agent *agent)
{
	struct mrd_inputs_progress progress;

	if (!mrd_engine_is_holding(agent->engine) || mrd_inputs_is_stand_in(agent->inputs))
		return;
	mrd_inputs_progress(agent->inputs, &progress);
	if (!progress.home_read ||
	    !(progress.all_read || mrd_agent_has_waited(agent, agent->config->stale_after_ms)) ||
	    (!progress.is_whole && agent->is_partly_released))
		return;
	mrd_inputs_keep_unheard(agent->inputs, agent->engine);
	if (progress.is_whole) {
		mrd_engine_release(agent->engine);
		return;
	}
	agent->is_partly_released = true;
	mrd_engine_release_told(agent->engine, is_told, agent);
	mrd_log_warn("files are broken since the start",
		     MRD_KV("consequence", "services that other files do not tell of stay as the "
					   "kernel has them"));
}

bool mrd_agent_plan(struct mrd_agent *agent, uint64_t until_ns)
{
	uint64_t due_ns;
	bool is_over;

	release_if_read(agent);
	if (mrd_inputs_update_node(agent->inputs)) {
		const struct mrd_plan_node *node = mrd_inputs_node(agent->inputs);

		mrd_log_info("node's place or labels changed", MRD_KV("node", node->name),
			     MRD_KV("region", node->region), MRD_KV("zone", node->zone),
			     MRD_KV("consequence", "everything is planned anew"));
		mrd_agent_set_input(agent);
	}
	is_over = !mrd_engine_round(agent->engine, until_ns);
	/* What takes long when it starts is no delay of a change. */
	if (is_over && mrd_engine_is_settled(agent->engine))
		mrd_inputs_settle(agent->inputs, mrd_clock_ns(), agent->ready);
	due_ns = is_over ? mrd_engine_due(agent->engine) : mrd_clock_ns();
	mrd_timer_set(agent->work, due_ns == UINT64_MAX ? 0 : due_ns);
	return is_over;
}

/* Until something comes: an error, which cannot wait, or anything else, which can. */
static void be_urgent(struct mrd_agent *agent)
{
	const int r = mrd_urgency_rest(&agent->urgency, mrd_clock_ns());

	if (r)
		mrd_log_warn("no real-time priority", MRD_KV("reason", strerror(-r)),
			     MRD_KV("remedy", "CAP_SYS_NICE"),
			     MRD_KV("consequence",
				    "on a busy node an ejection, or a change, takes milliseconds"));
}

static void give_back(struct mrd_agent *agent)
{
	if (!agent->has_garbage)
		return;
	agent->has_garbage = false;
	mrd_urgency_end(&agent->urgency, mrd_clock_ns());
	mrd_footprint_trim();
}

static void on_idle(void *self)
{
	struct mrd_agent *agent = self;
	uint64_t settles_ns;

	if (!agent->begun && !mrd_agent_begin_if_read(agent))
		return;
	hear(agent);
	settles_ns = mrd_engine_settles_at(agent->engine);
	if (agent->detached)
		return;
	/* What streams without end must not fill the queue of what is to be planned. */
	mrd_loop_set_behind(agent->loop, true);
	if (settles_ns > mrd_clock_ns()) {
		mrd_timer_set(agent->work, settles_ns);
	} else if (mrd_agent_plan(agent, mrd_clock_ns() + round_ns)) {
		mrd_loop_set_behind(agent->loop, false);
		give_back(agent);
		mrd_agent_be_ready(agent);
	}
	be_urgent(agent);
}

static void on_work(void *self)
{
	const struct mrd_agent *agent = self;

	mrd_engine_tick(agent->engine);
}

/* By on-eject: close. The hook that does it can only count. */
static void tell_closings(struct mrd_agent *agent)
{
	uint64_t count;

	if (agent->detached ||
	    mrd_dataplane_count(agent->dataplane, MRD_REASON_REQUEST_EJECTED, &count))
		return;
	if (agent->knows_closings && count > agent->closings)
		mrd_log_info("connections closed",
			     MRD_KV_NUM("connections", count - agent->closings),
			     MRD_KV("reason", "their endpoints are ejected, or terminate"));
	agent->knows_closings = true;
	agent->closings = count;
}

static void on_tick(void *self)
{
	struct mrd_agent *agent = self;

	mrd_agent_drain(agent);
	mrd_inputs_tick(agent->inputs, mrd_clock_ns());
	mrd_config_watch_tick(agent->config_watch);
	mrd_agent_tick_interfaces(agent);
	if (!agent->ready)
		mrd_agent_wait(agent);
	mrd_agent_serve(agent);
	tell_closings(agent);
	mrd_timer_set(agent->tick, mrd_clock_ns() + tick_ns);
}

static void on_config_changed(void *self)
{
	mrd_agent_drain(self);
	mrd_agent_reload(self);
}

static void on_dropped(void *self)
{
	struct mrd_agent *agent = self;

	agent->has_garbage = true;
}

static void on_policy_changed(void *self)
{
	mrd_agent_set_input(self);
}

/* ------------------------------------------------------------------------------- start and end */

/* The folder of the pins is the lock: who holds it writes these maps. */
static int lock_maps(struct mrd_agent *agent)
{
	MRD_AUTO_FD int fd = open(agent->config->bpffs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (agent->lock_fd >= 0 || (fd < 0 && errno == ENOENT))
		return 0;
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	agent->lock_fd = MRD_STEAL_FD(fd);
	return 0;
}

static int walk_dataplane(const void *self, enum mrd_map map,
			  int (*fn)(void *fn_self, const void *key, const void *value),
			  void *fn_self)
{
	return mrd_dataplane_walk(self, map, fn, fn_self);
}

static int walk_inspect(const void *self, enum mrd_map map,
			int (*fn)(void *fn_self, const void *key, const void *value), void *fn_self)
{
	return mrd_inspect_walk(self, map, fn, fn_self);
}

static void close_inspect(struct mrd_inspect **inspect)
{
	mrd_inspect_close(*inspect);
}

/* What an earlier agent left: in the very maps, or in an older set beside them. */
static int adopt(struct mrd_agent *agent)
{
	struct mrd_inspect *old MRD_CLEANUP(close_inspect) = NULL;
	const struct mrd_map_writer writer = mrd_dataplane_writer(agent->dataplane);
	struct mrd_row_reader reader = {.self = agent->dataplane, .walk = walk_dataplane};
	const enum mrd_adoption adoption = mrd_dataplane_adoption(agent->dataplane);
	struct mrd_adopted adopted = {0};
	int r;

	if (adoption == MRD_ADOPTION_FRESH)
		return 0;
	if (adoption == MRD_ADOPTION_REPLACED) {
		mrd_log_info(
			"maps replaced",
			MRD_KV("connections", mrd_dataplane_keeps_connections(agent->dataplane)
						      ? "of sockets: those that are open stay known"
						      : "of sockets: those that are open go on, "
							"but are forgotten"));
		/* Of another ABI version, or not whole: its rows say nothing to us. */
		if (!mrd_dataplane_keeps_numbers(agent->dataplane))
			return 0;
		r = mrd_inspect_open(agent->config->bpffs, &old);
		if (r)
			return r;
		reader = (struct mrd_row_reader){.self = old, .walk = walk_inspect};
	}
	r = mrd_adopt(agent->engine, &reader, old ? NULL : &writer, &adopted);
	if (r)
		return r;
	mrd_log_info(old ? "ejections taken over" : "maps adopted",
		     MRD_KV_NUM("ports", adopted.ports), MRD_KV_NUM("endpoints", adopted.endpoints),
		     MRD_KV_NUM("ejected", adopted.ejected),
		     MRD_KV_NUM("orphans", adopted.orphans));
	if (!old)
		return mrd_agent_start_tally(agent);
	/* The new maps are empty: what is known must be written at once. */
	mrd_engine_release(agent->engine);
	return 0;
}

static bool is_denied(int error)
{
	return error == -EACCES || error == -EPERM;
}

static int complain_of_lock(const struct mrd_agent *agent, int error)
{
	const char *reason = strerror(-error);

	if (error == -EWOULDBLOCK)
		reason = "another agent writes them";
	else if (is_denied(error))
		reason = "Permission denied: the folder is its owner's; run as root";
	return mrd_agent_complain("maps not locked", agent->config->bpffs, reason);
}

static int open_dataplane(struct mrd_agent *agent)
{
	char *error MRD_AUTO_FREE = NULL;
	struct mrd_cidr *cidrs MRD_AUTO_FREE = NULL;
	const struct mrd_dataplane_config config =
		mrd_agent_dataplane_config(agent->config, &cidrs);
	int r = lock_maps(agent);

	if (!r && mrd_dataplane_open(&config, &agent->dataplane, &error))
		return mrd_agent_complain("data plane not loaded", config.bpffs,
					  error ? error : "no memory");
	r = r ?: lock_maps(agent);
	if (r)
		return complain_of_lock(agent, r);
	mrd_dataplane_on_event(agent->dataplane, on_event, agent);
	return 0;
}

static int reset_connections(void *self, const uint32_t *endpoint_ids, size_t count, size_t most,
			     struct mrd_reset *ret_reset)
{
	const struct mrd_agent *agent = self;

	return mrd_dataplane_reset(agent->dataplane, endpoint_ids, count, most, ret_reset);
}

static int check_resets(void *self)
{
	(void)self;
	return mrd_connections_check();
}

static void wake_resets(void *self, uint64_t at_ns)
{
	const struct mrd_agent *agent = self;

	mrd_timer_set(agent->reset, at_ns);
}

static void on_reset(void *self)
{
	struct mrd_agent *agent = self;

	mrd_agent_drain(agent);
	mrd_resets_run(agent->resets);
}

/* The way of a row: engine, tally, resets, maps. */
static int open_writers(struct mrd_agent *agent, struct mrd_map_writer *ret_writer)
{
	const struct mrd_resets_config config = {
		.writer = mrd_dataplane_writer(agent->dataplane),
		.reset = reset_connections,
		.check = check_resets,
		.wake = wake_resets,
		.now_ns = mrd_clock_ns,
		.self = agent,
	};
	struct mrd_map_writer writer;
	int r = mrd_loop_timer(agent->loop, on_reset, agent, &agent->reset);

	if (r)
		return r;
	agent->resets = mrd_resets_new(&config);
	if (!agent->resets)
		return -ENOMEM;
	writer = mrd_resets_writer(agent->resets);
	agent->tally = mrd_tally_new(&writer);
	if (!agent->tally)
		return -ENOMEM;
	*ret_writer = mrd_tally_writer(agent->tally);
	return 0;
}

static int open_engine(struct mrd_agent *agent)
{
	struct mrd_engine_config config = {
		.now_ns = mrd_clock_ns,
		.drain = mrd_agent_breathe,
		.relax = mrd_agent_drain,
		.self = agent,
		.event_fd = STDERR_FILENO,
	};
	int r = open_writers(agent, &config.writer);

	r = r ?: mrd_engine_new(&config, &agent->engine);
	if (r)
		return r;
	mrd_agent_set_input(agent);
	return adopt(agent);
}

int mrd_agent_load_inputs(struct mrd_agent *agent, struct mrd_agent_config *config,
			  struct mrd_policy *policy, struct mrd_inputs **ret_inputs)
{
	const struct mrd_inputs_hooks hooks = {
		.before = mrd_agent_drain,
		.between = mrd_agent_breathe,
		.dropped = on_dropped,
		.policy_changed = on_policy_changed,
		.self = agent,
	};

	return mrd_inputs_new(config, policy, agent->loop, &hooks, agent->inputs, ret_inputs);
}

static void on_signal(void *self, int signal_number)
{
	struct mrd_agent *agent = self;

	mrd_agent_drain(agent);
	if (signal_number == SIGHUP) {
		mrd_agent_reload(agent);
		return;
	}
	mrd_log_info("ending", MRD_KV("cause", strsignal(signal_number)),
		     MRD_KV("consequence", "the kernel goes on by the last plan"));
	mrd_notify("STOPPING=1");
	mrd_loop_stop(agent->loop);
}

/* ---------------------------------------------------------------------------------------- run */

static int open_loop(struct mrd_agent *agent)
{
	sigset_t signals;
	int r = mrd_loop_new(&agent->loop);

	signal(SIGPIPE, SIG_IGN); /* a log that nobody reads is no reason to die */
	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	r = r ?: mrd_loop_signals(agent->loop, &signals, on_signal, agent);
	r = r ?: mrd_loop_timer(agent->loop, on_work, agent, &agent->work);
	r = r ?: mrd_loop_timer(agent->loop, on_tick, agent, &agent->tick);
	return r
		       ?: mrd_config_watch_new(agent->config_path, agent->loop, on_config_changed,
					       agent, &agent->config_watch);
}

static int open_control(struct mrd_agent *agent)
{
	int r = mrd_control_open(agent->loop, agent->config->control, mrd_agent_answer, agent,
				 &agent->control);
	const char *reason;

	if (!r)
		return 0;
	reason = strerror(-r);
	if (r == -EADDRINUSE)
		reason = "another agent answers on it";
	else if (is_denied(r))
		reason = "Permission denied: run as root, or have control: name a socket in a "
			 "folder that this user may write";
	return mrd_agent_complain("control socket not opened", agent->config->control, reason);
}

/* Whether an earlier agent's plan is in the maps that this agent would write. */
static bool has_plan(const struct mrd_agent *agent)
{
	struct mrd_inspect *old MRD_CLEANUP(close_inspect) = NULL;

	return !mrd_inspect_open(agent->config->bpffs, &old);
}

/* The policy, or one that stands in for a broken one if the kernel has a plan to hold. */
static int load_inputs(struct mrd_agent *agent)
{
	struct mrd_diag diag MRD_AUTO_DIAG = {0};
	struct mrd_policy *policy = NULL;
	const int broken = mrd_inputs_load_policy(agent->config, NULL, NULL, &diag, &policy);
	int r = broken;

	if (broken && has_plan(agent))
		r = mrd_inputs_empty_policy(&policy);
	if (r || !broken)
		mrd_findings_log(&diag, "policy", "the agent does not start");
	r = r ?: open_control(agent);
	if (r) {
		mrd_policy_free(policy);
		return r;
	}
	r = mrd_agent_load_inputs(agent, agent->config, policy, &agent->inputs);
	if (!r && broken)
		mrd_inputs_stand_in(agent->inputs, &diag, broken);
	return r;
}

/* New maps must be filled before they take over, which needs a policy. */
static int check_frozen(const struct mrd_agent *agent)
{
	if (!mrd_inputs_is_stand_in(agent->inputs) ||
	    mrd_dataplane_adoption(agent->dataplane) == MRD_ADOPTION_ADOPTED)
		return 0;
	return mrd_agent_complain(
		"policy not taken", agent->config->bpffs,
		"the maps there are of another version or size and cannot be held");
}

static int start(struct mrd_agent *agent)
{
	int r = open_loop(agent);

	r = r ?: load_inputs(agent);
	if (!r)
		mrd_agent_serve(agent);
	r = r ?: open_dataplane(agent);
	r = r ?: check_frozen(agent);
	r = r ?: open_engine(agent);
	if (r)
		return r;
	r = mrd_loop_watch(agent->loop, mrd_dataplane_event_fd(agent->dataplane), EPOLLIN,
			   on_events, agent, &agent->events);
	if (r)
		return r;
	tell_closings(agent); /* what was before is not its own */
	mrd_timer_set(agent->tick, mrd_clock_ns() + tick_ns);
	mrd_loop_set_wake(agent->loop, on_wake, agent);
	mrd_loop_set_idle(agent->loop, on_idle, agent);
	mrd_agent_begin_if_read(agent);
	if (!agent->ready && !agent->result)
		mrd_agent_wait(agent);
	return agent->result;
}

static void end(struct mrd_agent *agent)
{
	if (agent->knows_closings)
		tell_closings(agent); /* since the last tick */
	mrd_control_close(agent->control);
	mrd_web_close(agent->web);
	mrd_loop_unwatch(agent->events);
	mrd_config_watch_free(agent->config_watch);
	mrd_agent_close_interfaces(agent);
	mrd_agent_close_flows(agent);
	mrd_timer_free(agent->work);
	mrd_timer_free(agent->tick);
	mrd_timer_free(agent->reset);
	mrd_engine_free(agent->engine);
	mrd_tally_free(agent->tally);
	mrd_resets_free(agent->resets);
	mrd_inputs_free(agent->inputs);
	mrd_dataplane_free(agent->dataplane);
	mrd_loop_free(agent->loop);
	mrd_agent_config_free(agent->config);
	if (agent->lock_fd >= 0)
		close(agent->lock_fd);
}

int mrd_agent_run(const char *config_path, struct mrd_agent_config *config)
{
	struct mrd_agent agent = {
		.config_path = config_path,
		.config = config,
		.started_ns = mrd_clock_ns(),
		.waiting_since_ns = mrd_clock_ns(),
		.urgency = {.set = mrd_urgency_set},
		.lock_fd = -1,
	};
	int r = start(&agent);

	if (!r)
		r = mrd_loop_run(agent.loop) ?: agent.result;
	if (r && r != -EIO && r != -EBADMSG)
		mrd_log_error("agent ends", MRD_KV("reason", strerror(-r)));
	end(&agent);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
