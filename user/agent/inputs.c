/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/inputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path_watch.h"
#include "config/config_model.h"
#include "policy/policy_yaml.h"

struct input_source {
	struct mrd_inputs *inputs;
	const struct mrd_cluster_config *config;
	struct mrd_file_source *source;
	struct mrd_watch *watch;
	bool is_lost; /* said so */
};

struct mrd_inputs {
	const struct mrd_agent_config *config;
	struct mrd_inputs_hooks hooks;
	struct mrd_model *model;
	struct mrd_policy *policy;
	bool is_stand_in; /* no policy was ever read: this one is empty */
	struct mrd_rejection rejection;
	struct mrd_path_watch *policy_watch;
	struct mrd_watch *policy_fd;
	struct input_source *sources; /* one per cluster */
	size_t source_count;
	char region[MRD_NAME_LEN];
	char zone[MRD_NAME_LEN];
	char subzone[MRD_NAME_LEN];
	struct mrd_meta *own; /* a copy of this node's object, for its labels; NULL: not known */
	struct mrd_plan_node node;
};

void mrd_inputs_log_findings(const struct mrd_diag *diag, const char *msg, const char *consequence)
{
	for (size_t i = 0; i < diag->count; i++) {
		const struct mrd_finding *finding = &diag->findings[i];
		char *text MRD_AUTO_FREE = mrd_finding_text(finding);

		if (!text)
			continue;
		if (finding->severity == MRD_ERROR)
			mrd_log_error(msg, MRD_KV("reason", text),
				      MRD_KV("consequence", consequence));
		else
			mrd_log_warn(msg, MRD_KV("reason", text));
	}
}

/* ------------------------------------------------------------------------------------- policy */

int mrd_inputs_load_policy(const struct mrd_agent_config *config, struct mrd_diag *diag,
			   struct mrd_policy **ret_policy)
{
	const struct mrd_policy_names names = {
		.cluster_domain = config->cluster_domain,
		.root_namespace = config->root_namespace,
	};

	return mrd_policy_load((const char *const *)config->policy, config->policy_count, &names,
			       diag, ret_policy);
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
	mrd_inputs_log_findings(diag, "policy", holds);
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
	r = mrd_inputs_load_policy(inputs->config, &diag, &policy);
	if (r) {
		mrd_inputs_reject(inputs, &diag, r);
		return;
	}
	mrd_inputs_log_findings(&diag, "policy", "");
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

static void on_findings(void *self, const struct mrd_diag *diag)
{
	(void)self;
	mrd_inputs_log_findings(diag, "manifest", "the file's last good state stays in force");
}

static void on_recovered(void *self, const char *file)
{
	const struct input_source *source = self;

	mrd_log_info("manifest whole again", MRD_KV("file", file),
		     MRD_KV("cluster", source->config->name));
}

/* Says once that a cluster is lost, and once that it is back. */
static void watch_over(struct input_source *source)
{
	struct mrd_source_status status;

	mrd_file_source_get_status(source->source, &status);
	if (status.readable == !source->is_lost)
		return;
	source->is_lost = !status.readable;
	if (source->is_lost)
		mrd_log_error("cluster cannot be read", MRD_KV("cluster", source->config->name),
			      MRD_KV("directory", source->config->directory),
			      MRD_KV("reason",
				     status.error && *status.error ? status.error : "not there"),
			      MRD_KV("consequence", status.last_heard_ns
							    ? "its last good state stays in force"
							    : "it is waited for"));
	else
		mrd_log_info("cluster read again", MRD_KV("cluster", source->config->name),
			     MRD_KV("directory", source->config->directory));
}

static void on_source(void *self, uint32_t epoll_events)
{
	struct input_source *source = self;

	(void)epoll_events;
	source->inputs->hooks.before(source->inputs->hooks.self);
	mrd_file_source_dispatch(source->source, mrd_clock_ns());
	watch_over(source);
}

static int open_source(struct mrd_inputs *inputs, size_t cluster, struct mrd_loop *loop)
{
	struct input_source *source = &inputs->sources[cluster];
	const struct mrd_file_source_config config = {
		.directory = inputs->config->clusters[cluster].directory,
		.model = inputs->model,
		.cluster = cluster,
		.findings = on_findings,
		.recovered = on_recovered,
		.self = source,
	};
	int r;

	source->inputs = inputs;
	source->config = &inputs->config->clusters[cluster];
	r = mrd_file_source_new(&config, mrd_clock_ns(), &source->source);
	if (r)
		return r;
	watch_over(source);
	return mrd_loop_watch(loop, mrd_file_source_fd(source->source), EPOLLIN, on_source, source,
			      &source->watch);
}

static void free_inputs(struct mrd_inputs **inputs)
{
	mrd_inputs_free(*inputs);
}

int mrd_inputs_new(const struct mrd_agent_config *config, struct mrd_policy *policy,
		   struct mrd_loop *loop, const struct mrd_inputs_hooks *hooks,
		   struct mrd_inputs **ret_inputs)
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
		.cluster = config->clusters[config->home].name,
		.network = config->clusters[config->home].network,
	};
	inputs->sources = calloc(config->cluster_count, sizeof(*inputs->sources));
	r = inputs->sources ? mrd_config_model_new(config, &inputs->model) : -ENOMEM;
	for (; !r && inputs->source_count < config->cluster_count; inputs->source_count++)
		r = open_source(inputs, inputs->source_count, loop);
	r = r ?: mrd_path_watch_new(config->policy, config->policy_count, &inputs->policy_watch);
	r = r
		    ?: mrd_loop_watch(loop, mrd_path_watch_fd(inputs->policy_watch), EPOLLIN,
				      on_policy, inputs, &inputs->policy_fd);
	if (r)
		return r;
	mrd_inputs_update_node(inputs);
	*ret_inputs = MRD_STEAL_PTR(inputs);
	return 0;
}

void mrd_inputs_free(struct mrd_inputs *inputs)
{
	if (!inputs)
		return;
	for (size_t i = 0; i < inputs->source_count; i++) {
		mrd_loop_unwatch(inputs->sources[i].watch);
		mrd_file_source_free(inputs->sources[i].source);
	}
	mrd_loop_unwatch(inputs->policy_fd);
	mrd_path_watch_free(inputs->policy_watch);
	free(inputs->sources);
	mrd_object_free(inputs->own);
	mrd_model_free(inputs->model);
	mrd_policy_free(inputs->policy);
	mrd_rejection_clear(&inputs->rejection);
	free(inputs);
}

void mrd_inputs_tick(struct mrd_inputs *inputs)
{
	for (size_t i = 0; i < inputs->source_count; i++) {
		mrd_file_source_tick(inputs->sources[i].source, mrd_clock_ns());
		watch_over(&inputs->sources[i]);
	}
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
	mrd_file_source_get_status(inputs->sources[cluster].source, ret_status);
}

void mrd_inputs_progress(const struct mrd_inputs *inputs, bool *ret_home, bool *ret_all)
{
	*ret_all = true;
	*ret_home = false;
	for (size_t i = 0; i < inputs->source_count; i++) {
		struct mrd_source_status status;

		mrd_inputs_source_status(inputs, i, &status);
		*ret_all = *ret_all && status.complete;
		if (i == inputs->config->home)
			*ret_home = status.complete;
	}
}
