/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * SIGHUP, or another text in the configuration file: it and the policy are read again, whole. The
 * model is built anew beside the old one, with what was known of clusters that stay; their sources
 * go on, or are replaced by others whose first reading says what is gone. The engine compares what
 * it plans with the rows that the kernel has, so nothing is dropped in between, and a cluster that
 * is removed goes as any endpoint does: make before break.
 */
#include "agent/agent_state.h"

#include <stdlib.h>
#include <string.h>

#include "agent/findings.h"
#include "agent/footprint.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

struct mrd_dataplane_config mrd_agent_dataplane_config(const struct mrd_agent_config *config,
						       struct mrd_cidr **ret_cidrs)
{
	struct mrd_dataplane_config out = {
		.cgroup = config->cgroup,
		.bpffs = config->bpffs,
		.limits = config->limits,
		.unknown_service = config->unknown_service,
		.probe = config->probe,
		.fast_forward = config->fast_forward,
		.rescue = config->interfaces.mode != MRD_INTERFACES_NONE,
	};
	size_t count = 0;

	for (size_t i = 0; i < config->cluster_count; i++)
		count += config->clusters[i].service_cidr_count;
	*ret_cidrs = calloc(count + 1, sizeof(**ret_cidrs));
	if (!*ret_cidrs)
		return out; /* then unknown services pass: the harmless side */
	for (size_t i = 0; i < config->cluster_count; i++)
		for (size_t k = 0; k < config->clusters[i].service_cidr_count; k++)
			(*ret_cidrs)[out.service_cidr_count++] =
				config->clusters[i].service_cidrs[k];
	out.service_cidrs = *ret_cidrs;
	return out;
}

static bool same_limits(const struct mrd_dataplane_limits *a, const struct mrd_dataplane_limits *b)
{
	return a->services == b->services && a->vips == b->vips && a->members == b->members &&
	       a->affinity == b->affinity && a->udp_flows == b->udp_flows && a->flows == b->flows &&
	       a->event_bytes == b->event_bytes;
}

/* What a running data plane cannot change keeps its old value until the next start. */
static void keep_fixed(struct mrd_agent_config *fresh, struct mrd_agent_config *old)
{
	char **const pairs[][2] = {
		{&fresh->cgroup, &old->cgroup},
		{&fresh->bpffs, &old->bpffs},
		{&fresh->control, &old->control},
	};
	bool fixed = fresh->probe != old->probe || !same_limits(&fresh->limits, &old->limits);

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		char *text = *pairs[i][0];

		fixed |= strcmp(text, *pairs[i][1]) != 0;
		*pairs[i][0] = *pairs[i][1];
		*pairs[i][1] = text;
	}
	fresh->probe = old->probe;
	fresh->limits = old->limits;
	if (fixed)
		mrd_log_warn("configuration needs a restart",
			     MRD_KV("of", "kernel.cgroup, bpffs, limits, probe, or control"),
			     MRD_KV("consequence", "the old values hold until then"));
}

static void free_config(struct mrd_agent_config **config)
{
	mrd_agent_config_free(*config);
}

static int read_again(struct mrd_agent *agent, struct mrd_agent_config **ret_config,
		      struct mrd_policy **ret_policy)
{
	static const char stays[] = "what was read before stays in force";
	struct mrd_agent_config *config MRD_CLEANUP(free_config) = NULL;
	struct mrd_diag diag MRD_AUTO_DIAG = {0};
	struct mrd_diag policy_diag MRD_AUTO_DIAG = {0};
	int r;

	mrd_config_watch_know(agent->config_watch);
	r = mrd_agent_config_load(agent->config_path, &diag, &config);
	mrd_findings_log(&diag, "reload", stays);
	if (!r) {
		r = mrd_inputs_load_policy(config, mrd_inputs_rules_for(agent->inputs, config),
					   mrd_inputs_policy(agent->inputs), &policy_diag,
					   ret_policy);
		if (r) {
			mrd_inputs_reject(agent->inputs, &policy_diag, r);
			return r;
		}
		mrd_findings_log(&policy_diag, "reload", stays);
	}
	if (r)
		mrd_log_error("not reloaded", MRD_KV("file", agent->config_path),
			      MRD_KV("reason", mrd_diag_reason(&diag, r)),
			      MRD_KV("consequence", stays));
	else
		*ret_config = MRD_STEAL_PTR(config);
	return r;
}

static void configure(struct mrd_agent *agent)
{
	struct mrd_cidr *cidrs MRD_AUTO_FREE = NULL;
	const struct mrd_dataplane_config config =
		mrd_agent_dataplane_config(agent->config, &cidrs);
	int r = mrd_dataplane_configure(agent->dataplane, &config);

	if (r)
		mrd_log_error("kernel not configured", MRD_KV("reason", strerror(-r)),
			      MRD_KV("consequence", "unknown services are treated as before"));
}

void mrd_agent_reload(struct mrd_agent *agent)
{
	struct mrd_agent_config *config = NULL;
	struct mrd_agent_config *old;
	struct mrd_inputs *inputs = NULL;
	struct mrd_policy *policy = NULL;
	int r = read_again(agent, &config, &policy);

	if (r)
		return;
	r = mrd_agent_load_inputs(agent, config, policy, &inputs);
	if (r) {
		mrd_log_error("not reloaded", MRD_KV("reason", strerror(-r)),
			      MRD_KV("consequence", "what was read before stays in force"));
		mrd_agent_config_free(config);
		return;
	}
	agent->waiting_since_ns = mrd_clock_ns();
	keep_fixed(config, agent->config);
	mrd_inputs_free(agent->inputs);
	old = agent->config;
	agent->inputs = inputs;
	agent->config = config;
	mrd_agent_choose_interfaces(agent);
	mrd_agent_config_free(old);
	mrd_agent_set_input(agent);
	configure(agent);
	mrd_agent_serve(agent);
	mrd_log_info("reloaded", MRD_KV("file", agent->config_path),
		     MRD_KV_NUM("clusters", config->cluster_count),
		     MRD_KV_NUM("rules", mrd_policy_rule_count(mrd_inputs_policy(inputs))));
	mrd_footprint_shrink(); /* a cluster that is gone may have been large */
}
