/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who takes part, and in which order. Istio's rules: pilot/pkg/networking/core/loadbalancer
 * (ApplyLocalityLoadBalancer) for tiers and weights, kube-proxy's for internalTrafficPolicy.
 *
 * Tiers are numbered as Istio does before it compacts them. A tier that holds nothing but
 * terminating endpoints does not exist for Envoy; its hops are listed (their connections live on)
 * with the priority that follows, but raise no number.
 */
#include "plan/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum mrd_tier {
	MRD_TIER_SUBZONE, /* region, zone and subzone are the node's; also: no tiers at all */
	MRD_TIER_ZONE,
	MRD_TIER_REGION,
	MRD_TIER_OTHER,
	MRD_TIER_LAST, /* a rule sends this node's region elsewhere first */
};

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

static bool takes_part(const struct mrd_draft_input *in, const struct mrd_view_endpoint *endpoint)
{
	if ((in->effective->cluster_local || in->view->internal_local) &&
	    endpoint->cluster != in->home)
		return false;
	/* Node names are unique in a cluster only, hence the check above. */
	return !in->view->internal_local || !strcmp(endpoint->node_name, in->node->name);
}

static enum mrd_state state_of(const struct mrd_draft_input *in,
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

/* The region that the first rule for this node's region prefers, or NULL. */
static const char *preferred_region(const struct mrd_draft_input *in)
{
	const struct mrd_locality_setting *setting = in->effective->locality;

	for (size_t i = 0; setting && i < setting->failover_count; i++)
		if (!strcmp(setting->failover[i].from, in->node->region))
			return setting->failover[i].to;
	return NULL;
}

static uint32_t tier_of(const struct mrd_plan_node *node, const struct mrd_locality_name *locality,
			const char *preferred)
{
	if (strcmp(locality->region, node->region))
		return !preferred || !strcmp(locality->region, preferred) ? MRD_TIER_OTHER
									  : MRD_TIER_LAST;
	if (strcmp(locality->zone, node->zone))
		return MRD_TIER_REGION;
	return strcmp(locality->subzone, node->subzone) ? MRD_TIER_ZONE : MRD_TIER_SUBZONE;
}

static int collect_endpoints(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	const char *preferred = preferred_region(in);

	draft->endpoints = calloc(in->port->endpoint_count + 1, sizeof(*draft->endpoints));
	if (!draft->endpoints)
		return -ENOMEM;

	for (size_t i = 0; i < in->port->endpoint_count; i++) {
		const struct mrd_view_endpoint *seen = &in->port->endpoints[i];

		if (!takes_part(in, seen))
			continue;
		draft->endpoints[draft->endpoint_count++] = (struct mrd_draft_endpoint){
			.seen = seen,
			.state = state_of(in, seen),
			.tier = draft->mode == MRD_MODE_FAILOVER
					? tier_of(in->node, &seen->locality, preferred)
					: MRD_TIER_SUBZONE,
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
	hop->total += !endpoint->seen->terminating;
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
				.first = i,
			};
		}
		count_endpoint(hop, endpoint);
	}
	for (size_t i = 0; i < draft->hop_count; i++)
		draft->hops[i].weight = draft->hops[i].total;
	return 0;
}

int mrd_draft_compare_hops(const void *left, const void *right)
{
	const struct mrd_draft_hop *a = left;
	const struct mrd_draft_hop *b = right;
	const int order = (a->priority > b->priority) - (a->priority < b->priority);

	return order ? order : mrd_locality_compare(&a->locality, &b->locality);
}

static void number_priorities(struct mrd_draft *draft)
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
}

/* -------------------------------------------------------------------------- distribution */

static bool matches(const struct mrd_locality_match *match, const char *region, const char *zone,
		    const char *subzone)
{
	return (!*match->region || !strcmp(match->region, region)) &&
	       (!*match->zone || !strcmp(match->zone, zone)) &&
	       (!*match->subzone || !strcmp(match->subzone, subzone));
}

/* The first rule for this node, or NULL. */
static const struct mrd_distribute *distribution(const struct mrd_draft_input *in)
{
	const struct mrd_locality_setting *setting = in->effective->locality;

	for (size_t i = 0; setting && i < setting->distribute_count; i++)
		if (matches(&setting->distribute[i].from, in->node->region, in->node->zone,
			    in->node->subzone))
			return &setting->distribute[i];
	return NULL;
}

/* The first entry of the rule that names the locality; rule->to_count: it is not listed. */
static size_t listed_at(const struct mrd_distribute *rule, const struct mrd_locality_name *locality)
{
	size_t i = 0;

	while (i < rule->to_count &&
	       !matches(&rule->to[i].to, locality->region, locality->zone, locality->subzone))
		i++;
	return i;
}

/* Drops hops that are not listed, and spreads each entry's weight over its own by their size. */
static int distribute(struct mrd_draft *draft, const struct mrd_distribute *rule)
{
	uint64_t *sums = calloc(rule->to_count + 1, sizeof(*sums));
	size_t kept = 0;

	if (!sums)
		return -ENOMEM;
	for (size_t i = 0; i < draft->hop_count; i++) {
		const size_t at = listed_at(rule, &draft->hops[i].locality);

		if (at == rule->to_count)
			continue;
		sums[at] += draft->hops[i].weight;
		draft->hops[kept++] = draft->hops[i];
	}
	draft->hop_count = kept;

	for (size_t i = 0; i < kept; i++) {
		struct mrd_draft_hop *hop = &draft->hops[i];
		const size_t at = listed_at(rule, &hop->locality);

		if (sums[at]) /* rounded up, as Istio does; 0 stays 0 */
			hop->weight = (uint32_t)(((uint64_t)hop->weight * rule->to[at].weight +
						  sums[at] - 1) /
						 sums[at]);
	}
	free(sums);
	return 0;
}

/* ---------------------------------------------------------------------------------- whole */

/* A service that stays on its node has nothing to choose between. */
static enum mrd_mode mode_of(const struct mrd_draft_input *in, const struct mrd_distribute *rule)
{
	if (in->view->internal_local)
		return MRD_MODE_POOL;
	switch (in->effective->locality_mode) {
	case MRD_LOCALITY_FAILOVER:
		return MRD_MODE_FAILOVER;
	case MRD_LOCALITY_DISTRIBUTE:
		return rule ? MRD_MODE_DISTRIBUTE : MRD_MODE_POOL;
	case MRD_LOCALITY_NONE:
		break;
	}
	return MRD_MODE_POOL;
}

static int build(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	const struct mrd_distribute *rule = distribution(in);
	int r;

	draft->mode = mode_of(in, rule);
	/* Without a list, Istio leaves localities of a tier alone: its endpoints are equal. */
	draft->weighted = draft->mode == MRD_MODE_DISTRIBUTE ||
			  (draft->mode == MRD_MODE_FAILOVER && in->effective->locality &&
			   in->effective->locality->failover_count);

	r = collect_endpoints(in, draft);
	if (!r)
		r = collect_hops(draft);
	if (!r && draft->mode == MRD_MODE_DISTRIBUTE)
		r = distribute(draft, rule);
	if (r)
		return r;
	number_priorities(draft);
	r = mrd_draft_share(draft, in->effective);
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
