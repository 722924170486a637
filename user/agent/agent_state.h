/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The running agent's parts, shared by its files alone: agent.c (start, rounds, end),
 * agent_begin.c (from the start to the first plan), agent_answer.c (the control socket's verbs),
 * agent_web.c (metrics), agent_reload.c (SIGHUP, a changed configuration), agent_interfaces.c
 * (programs at network interfaces), agent_flows.c (the rows that their connections leave). */
#ifndef MRD_AGENT_AGENT_STATE_H
#define MRD_AGENT_AGENT_STATE_H

#include "agent/config_watch.h"
#include "agent/control.h"
#include "agent/engine.h"
#include "agent/flow_sweep.h"
#include "agent/inputs.h"
#include "agent/interfaces.h"
#include "agent/resets.h"
#include "agent/tally.h"
#include "agent/urgency.h"
#include "agent/web.h"
#include "base/link_watch.h"
#include "base/loop.h"
#include "config/config.h"
#include "dataplane/dataplane.h"

struct mrd_agent {
	const char *config_path;
	struct mrd_agent_config *config;
	struct mrd_config_watch *config_watch;
	struct mrd_loop *loop;
	struct mrd_control *control;
	struct mrd_inputs *inputs;
	struct mrd_engine *engine;
	struct mrd_dataplane *dataplane;
	struct mrd_tally *tally;   /* between engine and resets */
	struct mrd_resets *resets; /* between tally and dataplane */
	struct mrd_web *web;	   /* NULL: not served */
	struct mrd_ip web_ip;	   /* where it is, or is to be; port 0: nowhere */
	uint16_t web_port;
	int web_error;			   /* why it is not: -errno */
	struct mrd_interfaces *interfaces; /* NULL: none can be served, so are the next three */
	struct mrd_link_watch *link_watch;
	struct mrd_watch *links;
	struct mrd_timer *interface_work;
	int interfaces_error; /* why they cannot be, if it is not the data plane's reason: -errno */
	bool are_interfaces_listed; /* at least once */
	bool are_interfaces_told;   /* to the log */
	struct mrd_flow_sweep *flow_sweep;
	struct mrd_timer *flow_work;
	struct mrd_watch *events;
	struct mrd_timer *work;	 /* sweeps, retries, the rest of a long round */
	struct mrd_timer *tick;	 /* once a second */
	struct mrd_timer *reset; /* of connections, while some are to be */
	struct mrd_urgency urgency;
	uint64_t started_ns;
	uint64_t waiting_since_ns; /* for clusters to be read: since the start, or a reload */
	bool is_waiting;	   /* said so */
	bool is_partly_released;   /* beside broken files; see mrd_engine_release_told() */
	bool begun;		   /* a plan is in the kernel, its own or one from before */
	int result;		   /* of beginning, if that ended the loop */
	int lock_fd;		   /* on the bpffs folder: one agent writes one set of maps */
	bool has_garbage;	   /* memory to be given back, when there is time */
	bool ready;		   /* its own first plan is, and the hooks are attached */
	bool detached;
	bool knows_closings; /* has looked once */
	uint64_t closings;   /* connections that a hook has had closed, as far as they were told */
};

/* Hands the kernel's events over that wait; first thing in every callback that takes long, and so
 * is not urgent any more. self: the agent. */
void mrd_agent_drain(void *self);
/* The same between short pieces of work, of which the first may be urgent. */
void mrd_agent_breathe(void *self);
/* Tells the engine what inputs and config say now. */
void mrd_agent_set_input(struct mrd_agent *agent);
/* mrd_inputs_new() with the agent's loop and hooks. */
int mrd_agent_load_inputs(struct mrd_agent *agent, struct mrd_agent_config *config,
			  struct mrd_policy *policy, struct mrd_inputs **ret_inputs);

/* A round of planning, until that time. Whether nothing is left to be planned. */
bool mrd_agent_plan(struct mrd_agent *agent, uint64_t until_ns);

/* agent_begin.c */
/* Logs why the agent does not start; -EIO. */
int mrd_agent_complain(const char *msg, const char *subject, const char *reason);
/* For clusters to be read. */
bool mrd_agent_has_waited(const struct mrd_agent *agent, uint64_t ms);
/* Whether it has begun. On failure agent->result says why, and the loop ends. */
bool mrd_agent_begin_if_read(struct mrd_agent *agent);
/* Says so once it is true: what is planned is in the kernel, and the clusters were waited for. */
void mrd_agent_be_ready(struct mrd_agent *agent);
/* Tells those who wait for the agent that it waits; to be called about once a second. */
void mrd_agent_wait(struct mrd_agent *agent);

/* agent_answer.c: a mrd_control_fn. */
json_t *mrd_agent_answer(void *self, const char *verb, const char *argument,
			 const char **ret_error);

/* agent_web.c: serves metrics where the configuration says, or tries to; to be called when that has
 * changed, and each second. */
void mrd_agent_serve(struct mrd_agent *agent);
/* What adopted maps hold does not count. */
int mrd_agent_start_tally(struct mrd_agent *agent);

/* agent_interfaces.c */
/* To be called once the hooks are attached. What fails is told, and no reason to end. */
void mrd_agent_open_interfaces(struct mrd_agent *agent);
void mrd_agent_close_interfaces(struct mrd_agent *agent); /* their programs stay */
/* Another configuration; to be called before the one before is freed. */
void mrd_agent_choose_interfaces(struct mrd_agent *agent);
void mrd_agent_tick_interfaces(struct mrd_agent *agent);
/* Why none can be served that should be; NULL: nothing speaks against it. */
const char *mrd_agent_interfaces_error(const struct mrd_agent *agent);

/* agent_flows.c */
int mrd_agent_open_flows(struct mrd_agent *agent); /* once the hooks are attached */
void mrd_agent_close_flows(struct mrd_agent *agent);
/* An interface is gone, and so are the connections that began there. */
void mrd_agent_hurry_flows(struct mrd_agent *agent);

/* agent_reload.c */
void mrd_agent_reload(struct mrd_agent *agent);
/* The data plane's part of a configuration. It borrows *ret_cidrs, which the caller frees. */
struct mrd_dataplane_config mrd_agent_dataplane_config(const struct mrd_agent_config *config,
						       struct mrd_cidr **ret_cidrs);

#endif
