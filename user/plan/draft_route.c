/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who takes part, as which hops, with which weights. Istio's rules: pilot/pkg/networking/core/
 * loadbalancer (ApplyLocalityLoadBalancer), kube-proxy's for internalTrafficPolicy and hints.
 *
 * A tier that holds nothing but terminating endpoints does not exist for Envoy; its hops are listed
 * (their connections live on) with the priority that follows, but raise no number.
 */
#include "plan/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int compare_text(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b); /* names of one object are often one pointer */
}

int mrd_locality_compare(const struct mrd_locality_name *a, const struct mrd_locality_name *b)
{
	int order = compare_text(a->region, b->region);

	if (!order)
		order = compare_text(a->zone, b->zone);
	return order ? order : compare_text(a->subzone, b->subzone);
}

static int compare_endpoints(const void *left, const void *right)
{
	const struct mrd_draft_endpoint *a = left;
	const struct mrd_draft_endpoint *b = right;
	int order = (a->tier > b->tier) - (a->tier < b->tier);

	if (!order)
		order = mrd_locality_compare(&a->seen->locality, &b->seen->locality);
	return order ? order : (a->seen > b->seen) - (a->seen < b->seen);
}

/* ----------------------------------------------------------------------------- endpoints */

static bool is_in_route(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			const struct mrd_locality_name *locality)
{
	if (rules->strict && strcmp(locality->region, in->node->region) &&
	    (!rules->preferred || strcmp(locality->region, rules->preferred)))
		return false;
	return !rules->distribute || rules->falls_back ||
	       mrd_draft_listed_at(rules->distribute, locality) < rules->distribute->to_count;
}

bool mrd_draft_is_candidate(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			    const struct mrd_view_endpoint *endpoint)
{
	if ((in->effective->cluster_local || in->view->internal_local) &&
	    endpoint->cluster != in->node->cluster)
		return false;
	/* Node names are unique in a cluster only, hence the check above. Of no name is no node. */
	if (in->view->internal_local)
		return *in->node->name && !strcmp(endpoint->node_name, in->node->name);
	return is_in_route(in, rules, &endpoint->locality);
}

enum mrd_state mrd_draft_state(const struct mrd_draft_input *in,
			       const struct mrd_view_endpoint *endpoint)
{
	const struct mrd_plan_ejections *ejections = in->ejections;

	if (!endpoint->ready)
		return endpoint->terminating && endpoint->serving ? MRD_STATE_DRAINING
								  : MRD_STATE_UNREADY;
	if (ejections && ejections->is_ejected(ejections->self, in->view, in->port, endpoint))
		return MRD_STATE_EJECTED;
	return MRD_STATE_ACTIVE;
}

bool mrd_draft_is_uncounted(const struct mrd_draft_input *in,
			    const struct mrd_view_endpoint *endpoint)
{
	return endpoint->terminating || (in->effective->unready_drop && !endpoint->ready);
}

static int collect_endpoints(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	draft->endpoints = calloc(in->port->endpoint_count + 1, sizeof(*draft->endpoints));
	if (!draft->endpoints)
		return -ENOMEM;

	for (size_t i = 0; i < in->port->endpoint_count; i++) {
		const struct mrd_view_endpoint *seen = &in->port->endpoints[i];

		if (!mrd_draft_is_candidate(in, &draft->rules, seen) ||
		    !mrd_draft_is_hinted(in, &draft->rules, seen))
			continue;
		draft->endpoints[draft->endpoint_count++] = (struct mrd_draft_endpoint){
			.seen = seen,
			.state = mrd_draft_state(in, seen),
			.uncounted = mrd_draft_is_uncounted(in, seen),
			.tier = mrd_draft_tier(in, &draft->rules, seen),
			.weight = 1,
		};
	}
	qsort(draft->endpoints, draft->endpoint_count, sizeof(*draft->endpoints),
	      compare_endpoints);
	return 0;
}

/* ---------------------------------------------------------------------------------- hops */

static void count_endpoint(struct mrd_draft_hop *hop, const struct mrd_draft_endpoint *endpoint)
{
	hop->count++;
	hop->active += endpoint->state == MRD_STATE_ACTIVE;
	hop->ejected += endpoint->state == MRD_STATE_EJECTED;
	hop->draining += endpoint->state == MRD_STATE_DRAINING;
	hop->total += !endpoint->uncounted;
}

/* Endpoints are sorted: each run of equal tier and locality is a hop. */
static int collect_hops(struct mrd_draft *draft)
{
	struct mrd_draft_hop *hop = NULL;

	draft->hops = calloc(draft->endpoint_count + 1, sizeof(*draft->hops));
	if (!draft->hops)
		return -ENOMEM;

	for (size_t i = 0; i < draft->endpoint_count; i++) {
		const struct mrd_draft_endpoint *endpoint = &draft->endpoints[i];

		if (!hop || hop->tier != endpoint->tier ||
		    mrd_locality_compare(&hop->locality, &endpoint->seen->locality)) {
			hop = &draft->hops[draft->hop_count++];
			*hop = (struct mrd_draft_hop){
				.locality = endpoint->seen->locality,
				.tier = endpoint->tier,
				.weighted = draft->rules.weighted,
				.first = i,
				.warmth = 1,
			};
		}
		count_endpoint(hop, endpoint);
		hop->weight = hop->total;
	}
	return 0;
}

int mrd_draft_compare_hops(const void *left, const void *right)
{
	const struct mrd_draft_hop *a = left;
	const struct mrd_draft_hop *b = right;
	const int order = (a->priority > b->priority) - (a->priority < b->priority);

	return order ? order : mrd_locality_compare(&a->locality, &b->locality);
}

/* Of two tiers with one number both may have a hop of the same locality: those become one. */
static int number_priorities(struct mrd_draft *draft)
{
	uint32_t next = 0;

	for (size_t i = 0; i < draft->hop_count;) {
		const uint32_t tier = draft->hops[i].tier;
		bool exists = false;

		for (; i < draft->hop_count && draft->hops[i].tier == tier; i++) {
			draft->hops[i].priority = next;
			exists = exists || draft->hops[i].total;
		}
		next += exists;
	}
	qsort(draft->hops, draft->hop_count, sizeof(*draft->hops), mrd_draft_compare_hops);
	for (size_t i = 1; i < draft->hop_count; i++)
		if (!mrd_draft_compare_hops(&draft->hops[i - 1], &draft->hops[i]))
			return mrd_draft_merge_equal(draft);
	return 0;
}

/* -------------------------------------------------------------------------- distribution */

/* Spreads the weight of each of the rule's entries over its hops by their size. */
static int distribute(struct mrd_draft *draft)
{
	const struct mrd_distribute *rule = draft->rules.distribute;
	uint64_t *sums MRD_AUTO_FREE = calloc(rule->to_count + 1, sizeof(*sums));

	if (!sums)
		return -ENOMEM;
	/* What is not listed stands behind to_count, and has no weight to share. */
	for (size_t i = 0; i < draft->hop_count; i++)
		sums[mrd_draft_listed_at(rule, &draft->hops[i].locality)] += draft->hops[i].weight;

	for (size_t i = 0; i < draft->hop_count; i++) {
		struct mrd_draft_hop *hop = &draft->hops[i];
		const size_t at = mrd_draft_listed_at(rule, &hop->locality);

		if (at == rule->to_count)
			continue;
		hop->weighted = true;
		if (sums[at]) /* rounded up, as Istio does; 0 stays 0 */
			hop->weight = (uint32_t)(((uint64_t)hop->weight * rule->to[at].weight +
						  sums[at] - 1) /
						 sums[at]);
	}
	return 0;
}

/* ---------------------------------------------------------------------------------- whole */

static int build(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	int r;

	mrd_draft_find_rules(in, &draft->rules);
	r = collect_endpoints(in, draft);
	if (!r)
		r = collect_hops(draft);
	if (!r && draft->rules.distribute)
		r = distribute(draft);
	if (!r)
		r = number_priorities(draft);
	mrd_draft_warm(in, draft);
	if (!r)
		r = mrd_draft_share(in, draft);
	return r ? r : mrd_draft_join(draft, in->node);
}

int mrd_draft_make(const struct mrd_draft_input *in, struct mrd_draft *ret_draft)
{
	struct mrd_draft draft = {0};
	const int r = build(in, &draft);

	if (r) {
		mrd_draft_free(&draft);
		return r;
	}
	*ret_draft = draft;
	return 0;
}

void mrd_draft_free(struct mrd_draft *draft)
{
	free(draft->endpoints);
	free(draft->hops);
	*draft = (struct mrd_draft){0};
}
