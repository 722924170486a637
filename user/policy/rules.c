/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Rules are kept by namespace and host. Of those for one host that Istio would not merge, because
 * they are exported to others, the one of the widest kind stands first (narrowness()), of equals
 * the oldest: Meridian has no client to ask for.
 */
#include "policy/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/host.h"
#include "policy/locality.h"

/* ------------------------------------------------------------------------------- freeing */

void mrd_outlier_block_free(struct mrd_outlier_block *block)
{
	free(block->place);
	free(block->path);
	*block = (struct mrd_outlier_block){0};
}

void mrd_blocks_free(struct mrd_blocks *blocks)
{
	mrd_outlier_block_free(&blocks->outlier);
	free(blocks->pool.place);
	free(blocks->lb.place);
	free(blocks->lb.locality_place);
	mrd_locality_setting_free(blocks->lb.locality);
	*blocks = (struct mrd_blocks){0};
}

void mrd_traffic_free(struct mrd_traffic *traffic)
{
	mrd_blocks_free(&traffic->blocks);
	for (size_t i = 0; i < traffic->port_count; i++) {
		mrd_blocks_free(&traffic->ports[i].blocks);
		free(traffic->ports[i].place);
	}
	free(traffic->ports);
	*traffic = (struct mrd_traffic){0};
}

void mrd_rule_subset_free(struct mrd_rule_subset *subset)
{
	free(subset->name);
	free(subset->place);
	for (size_t i = 0; i < subset->label_count; i++) {
		free(subset->labels[i].key);
		free(subset->labels[i].value);
	}
	free(subset->labels);
	mrd_traffic_free(&subset->traffic);
}

void mrd_rule_free(struct mrd_rule *rule)
{
	if (!rule)
		return;
	free(rule->namespace_);
	free(rule->label);
	free(rule->host);
	free(rule->place);
	mrd_traffic_free(&rule->traffic);
	for (size_t i = 0; i < rule->export_count; i++)
		free(rule->exports[i]);
	free(rule->exports);
	for (size_t i = 0; i < rule->subset_count; i++)
		mrd_rule_subset_free(&rule->subsets[i]);
	free(rule->subsets);
	free(rule->held);
	mrd_table_free(rule->held_names);
	free(rule);
}

static void free_wildcards(void *value)
{
	struct mrd_wildcards *wildcards = value;

	free(wildcards->rules);
	free(wildcards);
}

void mrd_policy_free(struct mrd_policy *policy)
{
	if (!policy)
		return;
	free(policy->cluster_domain);
	free(policy->root_namespace);
	mrd_outlier_block_free(&policy->mesh.outlier);
	free(policy->mesh.pool.place);
	free(policy->mesh.locality_place);
	mrd_locality_setting_free(policy->mesh.locality);
	for (size_t i = 0; i < policy->local_count; i++)
		free(policy->local_hosts[i].host);
	free(policy->local_hosts);
	for (size_t i = 0; i < policy->rule_count; i++)
		mrd_rule_free(policy->rules[i]);
	free(policy->rules);
	mrd_table_free(policy->by_host);
	mrd_table_free(policy->wildcards);
	mrd_table_free(policy->files);
	free(policy);
}

/* ------------------------------------------------------------------------------- making */

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
	policy->mesh.handshakes = mrd_handshakes_defaults;
	policy->by_host = mrd_table_new(NULL);
	policy->wildcards = mrd_table_new(free_wildcards);
	policy->files = mrd_table_new(NULL);
	if (!policy->cluster_domain || !policy->root_namespace || !policy->by_host ||
	    !policy->wildcards || !policy->files)
		return -ENOMEM;
	r = add_builtin_local_hosts(policy);
	if (r < 0)
		return r;
	*ret_policy = MRD_STEAL_PTR(policy);
	return 0;
}

/* ------------------------------------------------------------------------------- merging */

static char *host_key(const struct mrd_rule *rule)
{
	char *key = NULL;

	if (asprintf(&key, "%s/%s", rule->namespace_, rule->host) < 0)
		return NULL;
	return key;
}

static bool is_merged_with(const struct mrd_rule *a, const struct mrd_rule *b)
{
	if (a->has_selector || b->has_selector || a->export_count != b->export_count)
		return false;
	for (size_t i = 0; i < a->export_count; i++)
		if (strcmp(a->exports[i], b->exports[i]) != 0)
			return false;
	return true;
}

/* The lower, the wider: for all clients, for those of its own namespace and of some others, or of
 * some others alone, however many these are; for some workloads of its own. */
static int narrowness(const struct mrd_rule *rule)
{
	if (rule->has_selector)
		return 3;
	if (!rule->export_count)
		return 0;
	for (size_t i = 0; i < rule->export_count; i++)
		if (!strcmp(rule->exports[i], rule->namespace_))
			return 1;
	return 2;
}

bool mrd_rule_is_exported_to(const struct mrd_rule *rule, const char *namespace_)
{
	for (size_t i = 0; i < rule->export_count; i++)
		if (!strcmp(rule->exports[i], namespace_))
			return true;
	return !rule->export_count;
}

const struct mrd_rule_subset *mrd_rule_held(const struct mrd_rule *rule, const char *name)
{
	return rule->held_names ? mrd_table_get_str(rule->held_names, name) : NULL;
}

static int hold_subset(struct mrd_rule *rule, struct mrd_rule_subset *subset)
{
	struct mrd_rule_subset **held;

	if (!rule->held_names)
		rule->held_names = mrd_table_new(NULL);
	if (!rule->held_names)
		return -ENOMEM;
	if (mrd_rule_held(rule, subset->name))
		return 0;
	held = reallocarray(rule->held, rule->held_count + 1, sizeof(struct mrd_rule_subset *));
	if (!held)
		return -ENOMEM;
	rule->held = held;
	held[rule->held_count++] = subset;
	return mrd_table_put_str(rule->held_names, subset->name, subset);
}

static int hold_subsets(struct mrd_rule *holder, const struct mrd_rule *rule)
{
	int r = 0;

	for (size_t i = 0; !r && i < rule->subset_count; i++)
		r = hold_subset(holder, &rule->subsets[i]);
	return r;
}

/* The rule of the two that goes on to hold takes all subsets. */
static int merge(struct mrd_rule *former, struct mrd_rule *rule, struct mrd_rule **ret_holder)
{
	struct mrd_rule *holder = former->traffic.given || !rule->traffic.given ? former : rule;

	*ret_holder = holder;
	if (holder == rule) {
		rule->held = MRD_STEAL_PTR(former->held);
		rule->held_names = MRD_STEAL_PTR(former->held_names);
		rule->held_count = former->held_count;
		former->held_count = 0;
		rule->next = former->next;
	}
	return hold_subsets(holder, rule);
}

/* Puts a rule behind those that are for more clients, or for as many and earlier. */
static void line_up(struct mrd_rule **first, struct mrd_rule *rule)
{
	while (*first && narrowness(*first) <= narrowness(rule))
		first = &(*first)->next;
	rule->next = *first;
	*first = rule;
}

const struct mrd_rule *mrd_policy_first(const struct mrd_policy *policy,
					const struct mrd_rule *rule)
{
	MRD_AUTO_FREE char *key = host_key(rule);

	return key ? mrd_table_get_str(policy->by_host, key) : NULL;
}

const struct mrd_rule *mrd_policy_peer(const struct mrd_policy *policy, const struct mrd_rule *rule)
{
	const struct mrd_rule *peer = mrd_policy_first(policy, rule);

	while (peer && !is_merged_with(peer, rule))
		peer = peer->next;
	return peer;
}

static int add_to_host(struct mrd_policy *policy, const char *key, struct mrd_rule *rule)
{
	struct mrd_rule *first = mrd_table_get_str(policy->by_host, key);
	struct mrd_rule **at = &first;
	int r;

	while (*at && !is_merged_with(*at, rule))
		at = &(*at)->next;
	if (*at) {
		r = merge(*at, rule, at);
	} else {
		r = hold_subsets(rule, rule);
		line_up(&first, rule);
	}
	return r ? r : mrd_table_put_str(policy->by_host, key, first);
}

int mrd_policy_add(struct mrd_policy *policy, struct mrd_rule *rule)
{
	struct mrd_rule **rules =
		reallocarray(policy->rules, policy->rule_count + 1, sizeof(*rules));
	MRD_AUTO_FREE char *key = NULL;

	if (!rules) {
		mrd_rule_free(rule);
		return -ENOMEM;
	}
	policy->rules = rules;
	rules[policy->rule_count++] = rule;
	key = host_key(rule);
	return key ? add_to_host(policy, key, rule) : -ENOMEM;
}

/* ------------------------------------------------------------------------------- finishing */

static int compare_rules(const void *left, const void *right)
{
	return mrd_host_compare((*(struct mrd_rule *const *)right)->host,
				(*(struct mrd_rule *const *)left)->host);
}

static int add_wildcard(struct mrd_policy *policy, struct mrd_rule *rule)
{
	struct mrd_wildcards *of = mrd_table_get_str(policy->wildcards, rule->namespace_);
	struct mrd_rule **rules;

	if (!of) {
		of = calloc(1, sizeof(*of));
		if (!of)
			return -ENOMEM;
		if (mrd_table_put_str(policy->wildcards, rule->namespace_, of) < 0) {
			free(of);
			return -ENOMEM;
		}
	}
	rules = reallocarray(of->rules, of->count + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	of->rules = rules;
	rules[of->count++] = rule;
	return 0;
}

static void annotate(const struct mrd_ours *ours, struct mrd_traffic *traffic)
{
	mrd_ours_replace(ours, &traffic->blocks.outlier.rule);
	for (size_t i = 0; i < traffic->port_count; i++)
		mrd_ours_replace(ours, &traffic->ports[i].blocks.outlier.rule);
}

/* The annotations of the rule that holds count for all subsets that were merged into it. */
static void annotate_held(struct mrd_rule *rule)
{
	for (; rule; rule = rule->next)
		for (size_t i = 0; i < rule->held_count; i++)
			annotate(&rule->ours, &rule->held[i]->traffic);
}

int mrd_policy_finish(struct mrd_policy *policy)
{
	struct mrd_wildcards *wildcards;
	struct mrd_rule *rule;
	size_t cursor = 0;

	while ((rule = mrd_table_next(policy->by_host, &cursor, NULL, NULL)))
		annotate_held(rule);
	cursor = 0;

	while ((rule = mrd_table_next(policy->by_host, &cursor, NULL, NULL)))
		if (mrd_host_is_wildcard(rule->host) && add_wildcard(policy, rule) < 0)
			return -ENOMEM;
	cursor = 0;
	while ((wildcards = mrd_table_next(policy->wildcards, &cursor, NULL, NULL)))
		qsort(wildcards->rules, wildcards->count, sizeof(*wildcards->rules), compare_rules);
	return 0;
}
