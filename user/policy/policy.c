/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Look-up follows Istio, except that a kernel's key has no client identity: the service's namespace
 * is asked first, then the root namespace; in each the exact host, then the longest wildcard. What
 * a rule does not say comes from the mesh's document, block by block.
 *
 * Exact hosts are found by hash, wildcards by walking them, the longest first: installations have a
 * handful of them.
 */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/host.h"
#include "policy/locality.h"
#include "policy/rules.h"

enum {
	HOST_ROOM = 512,	/* namespace and name are DNS labels, the domain at most 253 */
	KEY_ROOM = 1024,	/* "namespace/host" */
	OVERPROVISIONING = 140, /* Envoy's default */
};

const struct mrd_outlier_rule mrd_outlier_defaults = {
	.consecutive_5xx = 5,
	.consecutive_gateway = 0,
	.split_local_origin = false,
	.consecutive_local_origin = 5,
	.interval_ms = 10000,
	.base_ejection_ms = 30000,
	.max_ejection_ms = 300000,
	.cap = MRD_CAP_REGIONAL,
	.max_ejection_percent = 0,
	.probation_ms = 0,
	.success_rate = {.enforced = true,
			 .minimum_hosts = 5,
			 .request_volume = 100,
			 .stdev_factor = 1900},
	.failure_percentage = {.threshold = 85, .minimum_hosts = 5, .request_volume = 50},
};

const struct mrd_pool_rule mrd_pool_defaults = {
	.connect_timeout_ms = 10000,
	.idle_timeout_ms = 3600000,
	.http_idle_timeout_ms = 3600000,
};

/* ------------------------------------------------------------------------------- making */

void mrd_rule_free(struct mrd_rule *rule)
{
	if (!rule)
		return;
	free(rule->namespace_);
	free(rule->label);
	free(rule->host);
	free(rule->place);
	mrd_locality_setting_free(rule->traffic.locality);
	free(rule);
}

void mrd_policy_free(struct mrd_policy *policy)
{
	if (!policy)
		return;
	free(policy->cluster_domain);
	free(policy->root_namespace);
	mrd_locality_setting_free(policy->mesh.locality);
	for (size_t i = 0; i < policy->local_count; i++)
		free(policy->local_hosts[i].host);
	free(policy->local_hosts);
	for (size_t i = 0; i < policy->rule_count; i++)
		mrd_rule_free(policy->rules[i]);
	free(policy->rules);
	mrd_table_free(policy->by_host);
	free(policy->wildcards);
	free(policy);
}

static void policy_cleanup(struct mrd_policy **policy)
{
	mrd_policy_free(*policy);
}

int mrd_policy_add_local_host(struct mrd_policy *policy, const char *host, bool is_local)
{
	struct mrd_local_host *hosts =
		reallocarray(policy->local_hosts, policy->local_count + 1, sizeof(*hosts));

	if (!hosts)
		return -ENOMEM;
	policy->local_hosts = hosts;
	hosts[policy->local_count].host = strdup(host);
	if (!hosts[policy->local_count].host)
		return -ENOMEM;
	hosts[policy->local_count++].is_local = is_local;
	return 0;
}

/* As Istio's: other clusters must not answer for this one's API and DNS. */
static int add_builtin_local_hosts(struct mrd_policy *policy)
{
	static const char *const formats[] = {"kubernetes.default.svc.", "*.kube-system.svc."};

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		MRD_AUTO_FREE char *host = NULL;
		int r;

		if (asprintf(&host, "%s%s", formats[i], policy->cluster_domain) < 0) {
			host = NULL;
			return -ENOMEM;
		}
		r = mrd_policy_add_local_host(policy, host, true);
		if (r < 0)
			return r;
	}
	return 0;
}

int mrd_policy_new_empty(const struct mrd_policy_names *names, struct mrd_policy **ret_policy)
{
	MRD_CLEANUP(policy_cleanup) struct mrd_policy *policy = calloc(1, sizeof(*policy));
	int r;

	if (!policy)
		return -ENOMEM;
	policy->cluster_domain = strdup(names->cluster_domain);
	policy->root_namespace = strdup(names->root_namespace);
	policy->by_host = mrd_table_new(NULL);
	if (!policy->cluster_domain || !policy->root_namespace || !policy->by_host)
		return -ENOMEM;
	r = add_builtin_local_hosts(policy);
	if (r < 0)
		return r;
	*ret_policy = MRD_STEAL_PTR(policy);
	return 0;
}

/* In order of length, after those of the same length. */
static int add_wildcard(struct mrd_policy *policy, struct mrd_rule *rule)
{
	struct mrd_rule **rules =
		reallocarray(policy->wildcards, policy->wildcard_count + 1, sizeof(*rules));
	size_t at = policy->wildcard_count;

	if (!rules)
		return -ENOMEM;
	policy->wildcards = rules;
	for (; at > 0 && mrd_host_compare(rules[at - 1]->host, rule->host) < 0; at--)
		rules[at] = rules[at - 1];
	rules[at] = rule;
	policy->wildcard_count++;
	return 0;
}

static void replace_wildcard(struct mrd_policy *policy, const struct mrd_rule *former,
			     struct mrd_rule *rule)
{
	for (size_t i = 0; i < policy->wildcard_count; i++)
		if (policy->wildcards[i] == former)
			policy->wildcards[i] = rule;
}

int mrd_policy_add(struct mrd_policy *policy, struct mrd_rule *rule,
		   const struct mrd_rule **ret_former)
{
	struct mrd_rule **rules =
		reallocarray(policy->rules, policy->rule_count + 1, sizeof(*rules));
	MRD_AUTO_FREE char *key = NULL;
	struct mrd_rule *former;
	int r;

	if (!rules) {
		mrd_rule_free(rule);
		return -ENOMEM;
	}
	policy->rules = rules;
	rules[policy->rule_count++] = rule;
	*ret_former = NULL;

	if (asprintf(&key, "%s/%s", rule->namespace_, rule->host) < 0) {
		key = NULL;
		return -ENOMEM;
	}
	/* Istio merges rules of one host: the first trafficPolicy wins, wherever it comes. */
	former = mrd_table_get_str(policy->by_host, key);
	if (former && (former->traffic.given || !rule->traffic.given)) {
		*ret_former = former->traffic.given && rule->traffic.given ? former : NULL;
		return 0;
	}
	r = mrd_table_put_str(policy->by_host, key, rule);
	if (r < 0 || !mrd_host_is_wildcard(rule->host))
		return r;
	if (!former)
		return add_wildcard(policy, rule);
	replace_wildcard(policy, former, rule);
	return 0;
}

void mrd_ours_apply(const struct mrd_ours *ours, const struct mrd_ours *mesh,
		    struct mrd_outlier_rule *rule)
{
	if (rule->cap != MRD_CAP_PERCENT && (ours->has_cap || mesh->has_cap))
		rule->cap = ours->has_cap ? ours->cap : mesh->cap;
	if (ours->has_probation || mesh->has_probation)
		rule->probation_ms = ours->has_probation ? ours->probation_ms : mesh->probation_ms;
}

/* ------------------------------------------------------------------------------- answering */

static const struct mrd_rule *find_in_namespace(const struct mrd_policy *policy,
						const char *namespace_, const char *host)
{
	char key[KEY_ROOM];
	const struct mrd_rule *rule = NULL;

	if ((size_t)snprintf(key, sizeof(key), "%s/%s", namespace_, host) < sizeof(key))
		rule = mrd_table_get_str(policy->by_host, key);
	for (size_t i = 0; !rule && i < policy->wildcard_count; i++)
		if (!strcmp(policy->wildcards[i]->namespace_, namespace_) &&
		    mrd_host_matches(policy->wildcards[i]->host, host))
			rule = policy->wildcards[i];
	return rule;
}

static bool is_cluster_local(const struct mrd_policy *policy, const char *host)
{
	const struct mrd_local_host *best = NULL;

	for (size_t i = 0; i < policy->local_count; i++) {
		const struct mrd_local_host *local = &policy->local_hosts[i];

		if (mrd_host_matches(local->host, host) &&
		    (!best || mrd_host_compare(local->host, best->host) >= 0))
			best = local;
	}
	return best && best->is_local;
}

/* As Istio, and beyond it: a failover list needs no outlierDetection, readiness is enough. */
static enum mrd_locality_mode locality_mode(const struct mrd_locality_setting *locality,
					    bool has_outlier)
{
	if (locality && !locality->enabled)
		return MRD_LOCALITY_NONE;
	if (locality && locality->distribute_count)
		return MRD_LOCALITY_DISTRIBUTE;
	if (has_outlier || (locality && locality->failover_count))
		return MRD_LOCALITY_FAILOVER;
	return MRD_LOCALITY_NONE;
}

void mrd_policy_effective(const struct mrd_policy *policy, const char *namespace_,
			  const char *service, uint16_t port, struct mrd_effective *ret_effective)
{
	static const struct mrd_rule none = {.label = "", .place = ""};
	const struct mrd_mesh *mesh = &policy->mesh;
	const struct mrd_outlier_block *outlier;
	const struct mrd_rule *rule = NULL;
	uint32_t percent = OVERPROVISIONING;
	char host[HOST_ROOM];

	(void)port; /* no block of a rule holds for one port alone */
	snprintf(host, sizeof(host), "%s.%s.svc.%s", service, namespace_, policy->cluster_domain);
	rule = find_in_namespace(policy, namespace_, host);
	if (!rule)
		rule = find_in_namespace(policy, policy->root_namespace, host);
	if (!rule)
		rule = &none;

	outlier = rule->traffic.outlier.given ? &rule->traffic.outlier : &mesh->outlier;
	if (mesh->ours.overprovisioning_percent)
		percent = mesh->ours.overprovisioning_percent;
	if (rule->ours.overprovisioning_percent)
		percent = rule->ours.overprovisioning_percent;
	*ret_effective = (struct mrd_effective){
		.outlier = outlier->given ? &outlier->rule : NULL,
		.locality = rule->traffic.locality ? rule->traffic.locality : mesh->locality,
		.lb = rule->traffic.lb,
		.min_health_percent = outlier->given ? outlier->min_health_percent : 0,
		.overprovisioning_percent = percent,
		.cluster_local = is_cluster_local(policy, host),
		.rule = rule->label,
		.rule_place = rule->place,
		.outlier_place = "",
		.locality_place = "",
		.locality_origin = rule->traffic.locality ? MRD_ORIGIN_RULE
				   : mesh->locality	  ? MRD_ORIGIN_MESH
							  : MRD_ORIGIN_NONE,
		.pool = &mrd_pool_defaults,
	};
	ret_effective->locality_mode =
		locality_mode(ret_effective->locality, ret_effective->outlier != NULL);
}

size_t mrd_policy_rule_count(const struct mrd_policy *policy)
{
	return policy->rule_count;
}
