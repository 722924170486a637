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

#include "agent/engine.h"
#include "agent/rejection.h"
#include "base/histogram.h"
#include "base/loop.h"
#include "config/config.h"
#include "kube/reflector.h"
#include "model/model.h"
#include "plan/plan.h"
#include "policy/policy.h"
#include "source/rule_docs.h"
#include "source/source_status.h"

struct mrd_inputs;

struct mrd_inputs_hooks {
	void (*before)(void *self); /* each time before files are read, which takes a while */
	/* Before and behind each piece of what an API server says, which are short. */
	void (*between)(void *self);
	void (*dropped)(void *self);	    /* much of what was read is gone */
	void (*policy_changed)(void *self); /* mrd_inputs_policy() is another one now */
	void *self;
};

/*
 * Reads the clusters and follows them in the loop. config is borrowed. policy is taken over, also
 * on failure. -ENOMEM, -errno of inotify.
 *
 * former: the inputs of the configuration before, or NULL. What they know of a cluster that there
 * still is is known from the start, and sources that have not changed go on as they are: after
 * success the former inputs are good for nothing but freeing.
 */
int mrd_inputs_new(const struct mrd_agent_config *config, struct mrd_policy *policy,
		   struct mrd_loop *loop, const struct mrd_inputs_hooks *hooks,
		   struct mrd_inputs *former, struct mrd_inputs **ret_inputs);
void mrd_inputs_free(struct mrd_inputs *inputs); /* NULL is fine */

/* The policy that a configuration names, with the rules of an API server (NULL: none). -EBADMSG:
 * diag says why. before: the policy that this one follows, whose files may not just be emptied; or
 * NULL. */
int mrd_inputs_load_policy(const struct mrd_agent_config *config, struct mrd_rule_docs *rules,
			   const struct mrd_policy *before, struct mrd_diag *diag,
			   struct mrd_policy **ret_policy);
/* The rules that are known already for another configuration; NULL: none are. */
struct mrd_rule_docs *mrd_inputs_rules_for(const struct mrd_inputs *inputs,
					   const struct mrd_agent_config *config);

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
void mrd_inputs_tick(struct mrd_inputs *inputs, uint64_t now_ns);
/* Looks the node's locality and labels up again. Whether they have changed. */
bool mrd_inputs_update_node(struct mrd_inputs *inputs);

struct mrd_model *mrd_inputs_model(const struct mrd_inputs *inputs);
const struct mrd_policy *mrd_inputs_policy(const struct mrd_inputs *inputs);
/* Hands the policy out, to be owned by the caller; inputs is good for nothing but freeing then. */
struct mrd_policy *mrd_inputs_take_policy(struct mrd_inputs *inputs);
const struct mrd_plan_node *mrd_inputs_node(const struct mrd_inputs *inputs);
void mrd_inputs_source_status(const struct mrd_inputs *inputs, size_t cluster,
			      struct mrd_source_status *ret_status);
/* As mrd_cluster_settle(), of all clusters; mrd_cluster_delays(); mrd_cluster_behind_since(). */
void mrd_inputs_settle(struct mrd_inputs *inputs, uint64_t now_ns, bool counted);
const struct mrd_histogram *mrd_inputs_delays(const struct mrd_inputs *inputs, size_t cluster);
uint64_t mrd_inputs_behind_since(const struct mrd_inputs *inputs, size_t cluster);
/* It has been silent for staleAfter. */
bool mrd_inputs_is_stale(const struct mrd_inputs *inputs, size_t cluster);
/* As mrd_cluster_each_broken(). */
void mrd_inputs_each_broken(const struct mrd_inputs *inputs, size_t cluster, mrd_broken_fn fn,
			    void *self);
/* As mrd_cluster_get_resource(). */
const char *mrd_inputs_resource(const struct mrd_inputs *inputs, size_t cluster, size_t index,
				struct mrd_reflector_status *ret_status);
const struct mrd_rule_docs *mrd_inputs_rules(const struct mrd_inputs *inputs); /* may be NULL */

/* Of clusters that were not read yet the rows that are held tell; see mrd_unheard_keep(). */
void mrd_inputs_keep_unheard(struct mrd_inputs *inputs, const struct mrd_engine *engine);

/* As mrd_unheard_is_told(), of all clusters of which a file is broken. */
bool mrd_inputs_is_told(const struct mrd_inputs *inputs, const struct mrd_engine *engine,
			const char *namespace_, const char *name);

/* How far the clusters were read at least once; "all" speaks of the home cluster's rules, too. */
struct mrd_inputs_progress {
	bool home_read;
	bool all_read;
	/* Of no cluster that was read a file is broken. Asked while adopted rows are held: of a
	 * file that was broken before this agent knew it, the kernel's rows are the last good
	 * state. */
	bool is_whole;
};

void mrd_inputs_progress(const struct mrd_inputs *inputs, struct mrd_inputs_progress *ret_progress);

#endif
