/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/inputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/cluster.h"
#include "agent/findings.h"
#include "agent/unheard.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path_watch.h"
#include "config/config_model.h"
#include "policy/policy_yaml.h"

/* Rules of an API server seldom change alone: after the first there is so much time for others. */
static const uint64_t gather_ns = 50ULL * MRD_NS_PER_MS;

struct mrd_inputs {
	const struct mrd_agent_config *config;
	struct mrd_inputs_hooks hooks;
	struct mrd_model *model;
	struct mrd_policy *policy;
	bool is_stand_in; /* no policy was ever read: this one is empty */
	struct mrd_rejection rejection;
	struct mrd_path_watch *policy_watch;
	struct mrd_watch *policy_fd;
	struct mrd_cluster **clusters; /* one for each of the configuration */
	size_t cluster_count;
	struct mrd_rule_docs *rules; /* of the home cluster's API server; NULL: it has none */
	struct mrd_timer *gathering; /* until then changes of rules are gathered */
	bool is_gathering;
	bool borrows_rules; /* while these inputs are made in the place of others */
	char region[MRD_NAME_LEN];
	char zone[MRD_NAME_LEN];
	char subzone[MRD_NAME_LEN];
	struct mrd_meta *own; /* a copy of this node's object, for its labels; NULL: not known */
	struct mrd_plan_node node;
};

/* ------------------------------------------------------------------------------------- policy */

int mrd_inputs_load_policy(const struct mrd_agent_config *config, struct mrd_rule_docs *rules,
			   const struct mrd_policy *before, struct mrd_diag *diag,
			   struct mrd_policy **ret_policy)
{
	const struct mrd_policy_names names = {
		.cluster_domain = config->cluster_domain,
		.root_namespace = config->root_namespace,
	};
	const size_t errors = diag->errors;

	if (before)
		mrd_policy_check_emptied(before, diag);
	if (diag->errors != errors)
		return -EBADMSG;
	return mrd_rule_docs_load(rules, (const char *const *)config->policy, config->policy_count,
				  &names, diag, ret_policy);
}

int mrd_inputs_empty_policy(struct mrd_policy **ret_policy)
{
	const struct mrd_policy_names names = {.cluster_domain = "", .root_namespace = ""};
	struct mrd_diag diag MRD_AUTO_DIAG = {0};

	return mrd_policy_load(NULL, 0, &names, &diag, ret_policy);
}

void mrd_inputs_reject(struct mrd_inputs *inputs, const struct mrd_diag *diag, int error)
{
	const char *holds = inputs->is_stand_in ? "what the kernel holds stays as it is"
						: "the policy that was read before stays in force";

	mrd_rejection_set(&inputs->rejection, diag, error, mrd_clock_ns());
	mrd_findings_log(diag, "policy", holds);
	if (diag->errors)
		mrd_log_error(inputs->is_stand_in ? "policy not taken: nothing is planned"
						  : "policy not taken: the one before holds",
			      MRD_KV_NUM("errors", diag->errors));
	else
		mrd_log_error("policy not taken", MRD_KV("reason", strerror(-error)),
			      MRD_KV("consequence", holds));
}

void mrd_inputs_stand_in(struct mrd_inputs *inputs, const struct mrd_diag *diag, int error)
{
	inputs->is_stand_in = true;
	mrd_inputs_reject(inputs, diag, error);
}

bool mrd_inputs_is_stand_in(const struct mrd_inputs *inputs)
{
	return inputs->is_stand_in;
}

const struct mrd_rejection *mrd_inputs_rejection(const struct mrd_inputs *inputs)
{
	return inputs->rejection.since_ns ? &inputs->rejection : NULL;
}

static void reload_policy(struct mrd_inputs *inputs)
{
	struct mrd_diag diag MRD_AUTO_DIAG = {0};
	struct mrd_policy *old = inputs->policy;
	struct mrd_policy *policy;
	int r;

	inputs->hooks.before(inputs->hooks.self);
	r = mrd_inputs_load_policy(inputs->config, inputs->rules, old, &diag, &policy);
	if (r) {
		mrd_inputs_reject(inputs, &diag, r);
		return;
	}
	mrd_findings_log(&diag, "policy", "the rule's last good version holds, if there is one");
	mrd_rejection_clear(&inputs->rejection);
	inputs->is_stand_in = false;
	inputs->policy = policy;
	mrd_log_info("policy read", MRD_KV_NUM("rules", mrd_policy_rule_count(policy)));
	inputs->hooks.policy_changed(inputs->hooks.self);
	mrd_policy_free(old); /* after nobody borrows it any more */
}

static void on_policy(void *self, uint32_t epoll_events)
{
	struct mrd_inputs *inputs = self;

	(void)epoll_events;
	if (mrd_path_watch_dispatch(inputs->policy_watch))
		reload_policy(inputs);
}

/* ------------------------------------------------------------------------------------ clusters */

static void gather_rules(struct mrd_inputs *inputs)
{
	if (!inputs->rules || !mrd_rule_docs_is_due(inputs->rules) || inputs->is_gathering)
		return;
	inputs->is_gathering = !mrd_timer_set(inputs->gathering, mrd_clock_ns() + gather_ns);
}

static void on_gathered(void *self)
{
	struct mrd_inputs *inputs = self;

	inputs->is_gathering = false;
	if (mrd_rule_docs_is_due(inputs->rules))
		reload_policy(inputs);
}

static void on_before(void *self)
{
	const struct mrd_inputs *inputs = self;

	inputs->hooks.before(inputs->hooks.self);
}

static void on_between(void *self)
{
	const struct mrd_inputs *inputs = self;

	inputs->hooks.between(inputs->hooks.self);
}

static void on_changed(void *self)
{
	gather_rules(self);
}

static void on_dropped(void *self)
{
	const struct mrd_inputs *inputs = self;

	inputs->hooks.dropped(inputs->hooks.self);
}

static struct mrd_cluster_place place_of(struct mrd_inputs *inputs, size_t cluster)
{
	return (struct mrd_cluster_place){
		.config = &inputs->config->clusters[cluster],
		.model = inputs->model,
		.index = cluster,
		.stale_after_ms = inputs->config->stale_after_ms,
		.services_max = inputs->config->limits.services ?: MRD_SERVICES_MAX,
		.members_max = inputs->config->limits.members ?: MRD_MEMBERS_MAX,
		.rules = cluster == inputs->config->home ? inputs->rules : NULL,
		.before = on_before,
		.between = on_between,
		.changed = on_changed,
		.dropped = on_dropped,
		.self = inputs,
	};
}

static const struct mrd_cluster_config *find_config(const struct mrd_agent_config *config,
						    const char *name)
{
	for (size_t i = 0; i < config->cluster_count; i++)
		if (!strcmp(config->clusters[i].name, name))
			return &config->clusters[i];
	return NULL;
}

/* What a configured cluster was before: that of its name; or, if there was none, one of its source
 * whose name is gone, for then it was renamed. former->cluster_count: it is new. */
static size_t find_former(const struct mrd_inputs *former, const struct mrd_agent_config *config,
			  size_t cluster)
{
	const struct mrd_cluster_config *wanted = &config->clusters[cluster];
	const struct mrd_cluster_config *clusters = former->config->clusters;
	size_t i = 0;

	while (i < former->cluster_count && strcmp(clusters[i].name, wanted->name) != 0)
		i++;
	if (i < former->cluster_count)
		return i;
	for (i = 0; i < former->cluster_count; i++)
		if (mrd_cluster_has_source_of(&clusters[i], wanted) &&
		    !find_config(config, clusters[i].name))
			break;
	return i;
}

/* One that is open already in the same way is left out: it moves when nothing can fail any more. */
static int open_cluster(struct mrd_inputs *inputs, size_t cluster, const struct mrd_inputs *former,
			struct mrd_loop *loop)
{
	const struct mrd_cluster_place place = place_of(inputs, cluster);
	const size_t old = former ? find_former(former, inputs->config, cluster) : 0;
	int r;

	if (!former || old == former->cluster_count)
		return mrd_cluster_open(&place, loop, &inputs->clusters[cluster]);
	r = mrd_model_copy(former->model, old, inputs->model, cluster);
	if (r || mrd_cluster_is_of(former->clusters[old], &place))
		return r;
	return mrd_cluster_replace(&place, loop, &inputs->clusters[cluster]);
}

static void take_over(struct mrd_inputs *inputs, struct mrd_inputs *former)
{
	for (size_t i = 0; i < inputs->cluster_count; i++) {
		const struct mrd_cluster_place place = place_of(inputs, i);
		const size_t old = find_former(former, inputs->config, i);

		if (inputs->clusters[i])
			continue;
		inputs->clusters[i] = MRD_STEAL_PTR(former->clusters[old]);
		mrd_cluster_move(inputs->clusters[i], &place);
	}
	if (inputs->rules == former->rules)
		former->rules = NULL;
	inputs->borrows_rules = false;
}

/* ---------------------------------------------------------------------------------------- life */

static void free_inputs(struct mrd_inputs **inputs)
{
	mrd_inputs_free(*inputs);
}

struct mrd_rule_docs *mrd_inputs_rules_for(const struct mrd_inputs *inputs,
					   const struct mrd_agent_config *config)
{
	const struct mrd_cluster_config *home = &config->clusters[config->home];

	if (home->directory || find_former(inputs, config, config->home) != inputs->config->home)
		return NULL;
	return inputs->rules;
}

static int make_rules(struct mrd_inputs *inputs, const struct mrd_inputs *former)
{
	const struct mrd_cluster_config *home = &inputs->config->clusters[inputs->config->home];

	inputs->rules = former ? mrd_inputs_rules_for(former, inputs->config) : NULL;
	inputs->borrows_rules = inputs->rules;
	if (inputs->rules || home->directory)
		return 0;
	return mrd_rule_docs_new(home->name, &inputs->rules);
}

static int open_clusters(struct mrd_inputs *inputs, const struct mrd_inputs *former,
			 struct mrd_loop *loop)
{
	const struct mrd_agent_config *config = inputs->config;
	int r = make_rules(inputs, former);

	inputs->clusters = calloc(config->cluster_count, sizeof(struct mrd_cluster *));
	if (!r && !inputs->clusters)
		r = -ENOMEM;
	r = r ?: mrd_loop_timer(loop, on_gathered, inputs, &inputs->gathering);
	r = r ?: mrd_config_model_new(config, &inputs->model);
	for (; !r && inputs->cluster_count < config->cluster_count; inputs->cluster_count++)
		r = open_cluster(inputs, inputs->cluster_count, former, loop);
	return r;
}

static int watch_policy(struct mrd_inputs *inputs, struct mrd_loop *loop)
{
	const struct mrd_agent_config *config = inputs->config;
	int r = mrd_path_watch_new(config->policy, config->policy_count, &inputs->policy_watch);

	return r
		       ?: mrd_loop_watch(loop, mrd_path_watch_fd(inputs->policy_watch), EPOLLIN,
					 on_policy, inputs, &inputs->policy_fd);
}

int mrd_inputs_new(const struct mrd_agent_config *config, struct mrd_policy *policy,
		   struct mrd_loop *loop, const struct mrd_inputs_hooks *hooks,
		   struct mrd_inputs *former, struct mrd_inputs **ret_inputs)
{
	struct mrd_inputs *inputs MRD_CLEANUP(free_inputs) = calloc(1, sizeof(*inputs));
	int r;

	if (!inputs) {
		mrd_policy_free(policy);
		return -ENOMEM;
	}
	inputs->config = config;
	inputs->hooks = *hooks;
	inputs->policy = policy;
	inputs->node = (struct mrd_plan_node){
		.name = config->node_name,
		.region = inputs->region,
		.zone = inputs->zone,
		.subzone = inputs->subzone,
		.hops_most = config->hops,
		.cluster = config->home,
	};
	r = open_clusters(inputs, former, loop);
	r = r ?: watch_policy(inputs, loop);
	if (r)
		return r;
	if (former)
		take_over(inputs, former);
	gather_rules(inputs);
	mrd_inputs_update_node(inputs);
	*ret_inputs = MRD_STEAL_PTR(inputs);
	return 0;
}

void mrd_inputs_free(struct mrd_inputs *inputs)
{
	if (!inputs)
		return;
	for (size_t i = 0; i < inputs->cluster_count; i++)
		mrd_cluster_free(inputs->clusters[i]);
	free(inputs->clusters);
	mrd_timer_free(inputs->gathering);
	if (!inputs->borrows_rules)
		mrd_rule_docs_free(inputs->rules);
	mrd_loop_unwatch(inputs->policy_fd);
	mrd_path_watch_free(inputs->policy_watch);
	mrd_object_free(inputs->own);
	mrd_model_free(inputs->model);
	mrd_policy_free(inputs->policy);
	mrd_rejection_clear(&inputs->rejection);
	free(inputs);
}

void mrd_inputs_tick(struct mrd_inputs *inputs, uint64_t now_ns)
{
	for (size_t i = 0; i < inputs->cluster_count; i++)
		mrd_cluster_tick(inputs->clusters[i], now_ns);
	gather_rules(inputs);
	if (mrd_path_watch_tick(inputs->policy_watch))
		reload_policy(inputs);
}

/* ---------------------------------------------------------------------------------------- node */

static bool set_name(char name[MRD_NAME_LEN], const char *text)
{
	char fresh[MRD_NAME_LEN];

	snprintf(fresh, sizeof(fresh), "%s", text);
	if (!strcmp(fresh, name))
		return false;
	memcpy(name, fresh, sizeof(fresh));
	return true;
}

/* The model's object does not last, so a copy serves. Without memory for one the old labels stay.
 */
static bool update_labels(struct mrd_inputs *inputs)
{
	const struct mrd_agent_config *config = inputs->config;
	const struct mrd_meta *object =
		mrd_model_find(inputs->model, config->home, MRD_KIND_NODE, "", config->node_name);
	struct mrd_meta *copy = NULL;

	if (object ? inputs->own && mrd_object_equal(object, inputs->own) : !inputs->own)
		return false;
	if (object) {
		copy = mrd_object_copy(object);
		if (!copy)
			return false;
	}
	mrd_object_free(inputs->own);
	inputs->own = copy;
	inputs->node.labels = copy ? &copy->labels : NULL;
	return true;
}

bool mrd_inputs_update_node(struct mrd_inputs *inputs)
{
	struct mrd_locality_name at;
	bool changed;

	mrd_config_locality(inputs->config, inputs->model, &at);
	changed = update_labels(inputs);
	changed |= set_name(inputs->region, at.region);
	changed |= set_name(inputs->zone, at.zone);
	changed |= set_name(inputs->subzone, at.subzone);
	return changed;
}

struct mrd_model *mrd_inputs_model(const struct mrd_inputs *inputs)
{
	return inputs->model;
}

const struct mrd_policy *mrd_inputs_policy(const struct mrd_inputs *inputs)
{
	return inputs->policy;
}

struct mrd_policy *mrd_inputs_take_policy(struct mrd_inputs *inputs)
{
	return MRD_STEAL_PTR(inputs->policy);
}

const struct mrd_plan_node *mrd_inputs_node(const struct mrd_inputs *inputs)
{
	return &inputs->node;
}

void mrd_inputs_source_status(const struct mrd_inputs *inputs, size_t cluster,
			      struct mrd_source_status *ret_status)
{
	mrd_cluster_get_status(inputs->clusters[cluster], ret_status);
}

void mrd_inputs_settle(struct mrd_inputs *inputs, uint64_t now_ns, bool counted)
{
	for (size_t i = 0; i < inputs->cluster_count; i++)
		mrd_cluster_settle(inputs->clusters[i], now_ns, counted);
}

const struct mrd_histogram *mrd_inputs_delays(const struct mrd_inputs *inputs, size_t cluster)
{
	return mrd_cluster_delays(inputs->clusters[cluster]);
}

uint64_t mrd_inputs_behind_since(const struct mrd_inputs *inputs, size_t cluster)
{
	return mrd_cluster_behind_since(inputs->clusters[cluster]);
}

bool mrd_inputs_is_stale(const struct mrd_inputs *inputs, size_t cluster)
{
	return mrd_cluster_is_stale(inputs->clusters[cluster]);
}

void mrd_inputs_each_broken(const struct mrd_inputs *inputs, size_t cluster, mrd_broken_fn fn,
			    void *self)
{
	mrd_cluster_each_broken(inputs->clusters[cluster], fn, self);
}

const char *mrd_inputs_resource(const struct mrd_inputs *inputs, size_t cluster, size_t index,
				struct mrd_reflector_status *ret_status)
{
	return mrd_cluster_get_resource(inputs->clusters[cluster], index, ret_status);
}

const struct mrd_rule_docs *mrd_inputs_rules(const struct mrd_inputs *inputs)
{
	return inputs->rules;
}

void mrd_inputs_keep_unheard(struct mrd_inputs *inputs, const struct mrd_engine *engine)
{
	for (size_t i = 0; i < inputs->cluster_count; i++) {
		const struct mrd_cluster_config *config = &inputs->config->clusters[i];
		struct mrd_source_status status;
		size_t kept;
		int r;

		mrd_inputs_source_status(inputs, i, &status);
		if (status.read || i == inputs->config->home)
			continue;
		r = mrd_unheard_keep(engine, inputs->model, i, config->region, &kept);
		if (r)
			mrd_log_error("endpoints of a cluster not kept",
				      MRD_KV("cluster", config->name),
				      MRD_KV("reason", strerror(-r)));
		if (!kept)
			continue;
		mrd_cluster_has_leftovers(inputs->clusters[i]);
		mrd_log_warn("cluster was not read since the start",
			     MRD_KV("cluster", config->name), MRD_KV_NUM("endpoints", kept),
			     MRD_KV("consequence", "what the kernel has of it is kept"));
	}
}

bool mrd_inputs_is_told(const struct mrd_inputs *inputs, const struct mrd_engine *engine,
			const char *namespace_, const char *name)
{
	for (size_t i = 0; i < inputs->cluster_count; i++) {
		struct mrd_source_status status;

		mrd_inputs_source_status(inputs, i, &status);
		if (status.read && !status.complete &&
		    !mrd_unheard_is_told(engine, inputs->model, i,
					 inputs->config->clusters[i].region, namespace_, name))
			return false;
	}
	return true;
}

void mrd_inputs_progress(const struct mrd_inputs *inputs, struct mrd_inputs_progress *ret_progress)
{
	struct mrd_inputs_progress progress = {.all_read = true, .is_whole = true};

	for (size_t i = 0; i < inputs->cluster_count; i++) {
		struct mrd_source_status status;

		mrd_inputs_source_status(inputs, i, &status);
		progress.all_read &= status.read && status.rules_read;
		progress.is_whole &= status.complete || !status.read;
		if (i == inputs->config->home)
			progress.home_read = status.read;
	}
	/* Rules that were read are part of the first plan. */
	if (inputs->rules && mrd_rule_docs_is_due(inputs->rules))
		progress = (struct mrd_inputs_progress){0};
	*ret_progress = progress;
}
