/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Everything that a configuration names and that may change while the agent runs: the clusters'
 * state, the policy, the node's locality. Made anew, whole, when the configuration is reloaded.
 */
#ifndef MRD_AGENT_INPUTS_H
#define MRD_AGENT_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/rejection.h"
#include "base/loop.h"
#include "config/config.h"
#include "model/model.h"
#include "plan/plan.h"
#include "policy/policy.h"
#include "source/file_source.h"

struct mrd_inputs;

struct mrd_inputs_hooks {
	void (*before)(void *self); /* each time before files are read, which takes a while */
	void (*policy_changed)(void *self); /* mrd_inputs_policy() is another one now */
	void *self;
};

/*
 * Reads the clusters and follows them in the loop. config is borrowed. policy is taken over, also
 * on failure. -ENOMEM, -errno of inotify.
 */
int mrd_inputs_new(const struct mrd_agent_config *config, struct mrd_policy *policy,
		   struct mrd_loop *loop, const struct mrd_inputs_hooks *hooks,
		   struct mrd_inputs **ret_inputs);
void mrd_inputs_free(struct mrd_inputs *inputs); /* NULL is fine */

/* The policy that a configuration names. -EBADMSG: diag says why. */
int mrd_inputs_load_policy(const struct mrd_agent_config *config, struct mrd_diag *diag,
			   struct mrd_policy **ret_policy);

/* A policy without rules, for inputs whose own is broken from the start. */
int mrd_inputs_empty_policy(struct mrd_policy **ret_policy);
/* The policy of these inputs only stands in for one that was refused; logged, like every refusal.
 * Nothing may be planned by it. It ends when the files are whole. */
void mrd_inputs_stand_in(struct mrd_inputs *inputs, const struct mrd_diag *diag, int error);
bool mrd_inputs_is_stand_in(const struct mrd_inputs *inputs);
/* A newer policy was refused: the one before holds. */
void mrd_inputs_reject(struct mrd_inputs *inputs, const struct mrd_diag *diag, int error);
/* Why the files are not what holds; NULL: they are. */
const struct mrd_rejection *mrd_inputs_rejection(const struct mrd_inputs *inputs);

/* To be called about once a second. */
void mrd_inputs_tick(struct mrd_inputs *inputs);
/* Looks the node's locality and labels up again. Whether they have changed. */
bool mrd_inputs_update_node(struct mrd_inputs *inputs);

struct mrd_model *mrd_inputs_model(const struct mrd_inputs *inputs);
const struct mrd_policy *mrd_inputs_policy(const struct mrd_inputs *inputs);
/* Hands the policy out, to be owned by the caller; inputs is good for nothing but freeing then. */
struct mrd_policy *mrd_inputs_take_policy(struct mrd_inputs *inputs);
const struct mrd_plan_node *mrd_inputs_node(const struct mrd_inputs *inputs);
void mrd_inputs_source_status(const struct mrd_inputs *inputs, size_t cluster,
			      struct mrd_source_status *ret_status);
/* Whether the home cluster, and every cluster, was read at least once and has no broken file. Asked
 * while adopted rows are held: of a file that was broken before this agent knew it, the kernel's
 * rows are the last good state. */
void mrd_inputs_progress(const struct mrd_inputs *inputs, bool *ret_home, bool *ret_all);

/* Logs findings, one line each. consequence: of errors. */
void mrd_inputs_log_findings(const struct mrd_diag *diag, const char *msg, const char *consequence);

#endif
