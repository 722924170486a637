/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What locality means for one port on this node: which of the settings holds, and what it says to a
 * node in this place. A rule's setting goes before the Service's trafficDistribution, and that
 * before the mesh's setting; topology hints are asked only where no setting speaks.
 */
#include "plan/draft.h"

#include <string.h>

#include "base/label.h"
#include "policy/locality.h"

/* trafficDistribution is, as in Istio, a failoverPriority over all clusters. */
static const struct mrd_failover_label distribution_labels[] = {
	{.key = MRD_LABEL_NETWORK}, {.key = MRD_LABEL_REGION},	 {.key = MRD_LABEL_ZONE},
	{.key = MRD_LABEL_SUBZONE}, {.key = MRD_LABEL_HOSTNAME},
};

enum { SAME_ZONE_LABELS = 3, SAME_NODE_LABELS = 5 };

bool mrd_draft_matches(const struct mrd_locality_match *match, const char *region, const char *zone,
		       const char *subzone)
{
	return (!*match->region || !strcmp(match->region, region)) &&
	       (!*match->zone || !strcmp(match->zone, zone)) &&
	       (!*match->subzone || !strcmp(match->subzone, subzone));
}

size_t mrd_draft_listed_at(const struct mrd_distribute *rule,
			   const struct mrd_locality_name *locality)
{
	size_t i = 0;

	while (i < rule->to_count && !mrd_draft_matches(&rule->to[i].to, locality->region,
							locality->zone, locality->subzone))
		i++;
	return i;
}

/* The first rule for this node, or NULL. */
static const struct mrd_distribute *distribution(const struct mrd_locality_setting *setting,
						 const struct mrd_plan_node *node)
{
	for (size_t i = 0; i < setting->distribute_count; i++)
		if (mrd_draft_matches(&setting->distribute[i].from, node->region, node->zone,
				      node->subzone))
			return &setting->distribute[i];
	return NULL;
}

/* The region that the first pair for this node's region prefers, or NULL. */
static const char *preferred_region(const struct mrd_locality_setting *setting,
				    const struct mrd_plan_node *node)
{
	for (size_t i = 0; i < setting->failover_count; i++)
		if (!strcmp(setting->failover[i].from, node->region))
			return setting->failover[i].to;
	return NULL;
}

/* ------------------------------------------------------------------------------------- hints */

/* A node's name says something in its own cluster only. */
static bool fits(const struct mrd_draft_input *in, const struct mrd_view_endpoint *endpoint,
		 enum mrd_draft_hints hints)
{
	const bool by_zone = hints == MRD_DRAFT_HINTS_ZONE;
	char *const *names = by_zone ? endpoint->zone_hints : endpoint->node_hints;
	const size_t count = by_zone ? endpoint->zone_hint_count : endpoint->node_hint_count;
	const char *wanted = by_zone ? in->node->zone : in->node->name;

	if (!by_zone && endpoint->cluster != in->node->cluster)
		return false;
	for (size_t i = 0; *wanted && i < count; i++)
		if (!strcmp(names[i], wanted))
			return true;
	return false;
}

/* kube-proxy's condition: every ready endpoint has a hint, and one of them is meant for us. An
 * ejected one does not count for that: it would leave us with nobody. Those that the route leaves
 * out anyhow, of other clusters or regions, have no say. */
static bool hints_hold(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
		       enum mrd_draft_hints hints)
{
	const struct mrd_view_port *port = in->port;
	bool one_fits = false;

	for (size_t i = 0; i < port->endpoint_count; i++) {
		const struct mrd_view_endpoint *endpoint = &port->endpoints[i];

		if (!endpoint->ready || !mrd_draft_is_candidate(in, rules, endpoint))
			continue;
		if (!(hints == MRD_DRAFT_HINTS_ZONE ? endpoint->zone_hint_count
						    : endpoint->node_hint_count))
			return false;
		one_fits = one_fits || (fits(in, endpoint, hints) &&
					mrd_draft_state(in, endpoint) == MRD_STATE_ACTIVE);
	}
	return one_fits;
}

static enum mrd_draft_hints find_hints(const struct mrd_draft_input *in,
				       const struct mrd_draft_rules *rules)
{
	if (hints_hold(in, rules, MRD_DRAFT_HINTS_NODE))
		return MRD_DRAFT_HINTS_NODE;
	return hints_hold(in, rules, MRD_DRAFT_HINTS_ZONE) ? MRD_DRAFT_HINTS_ZONE
							   : MRD_DRAFT_HINTS_NONE;
}

enum mrd_draft_hints mrd_draft_hints_unejected(const struct mrd_draft_input *in,
					       const struct mrd_draft_rules *rules)
{
	struct mrd_draft_input unejected = *in;

	unejected.ejections = NULL;
	return rules->mode == MRD_MODE_POOL && !in->effective->locality && !in->view->internal_local
		       ? find_hints(&unejected, rules)
		       : MRD_DRAFT_HINTS_NONE;
}

bool mrd_draft_is_hinted(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			 const struct mrd_view_endpoint *endpoint)
{
	return rules->hints == MRD_DRAFT_HINTS_NONE || fits(in, endpoint, rules->hints);
}

/* ------------------------------------------------------------------------------------- rules */

static void use_traffic_distribution(enum mrd_traffic_distribution distribution,
				     struct mrd_draft_rules *rules)
{
	rules->mode = MRD_MODE_FAILOVER;
	rules->labels = distribution_labels;
	rules->label_count =
		distribution == MRD_DISTRIBUTION_SAME_NODE ? SAME_NODE_LABELS : SAME_ZONE_LABELS;
	rules->weighted = true;
}

static void use_failover(const struct mrd_locality_setting *setting,
			 const struct mrd_plan_node *node, struct mrd_draft_rules *rules)
{
	rules->mode = MRD_MODE_FAILOVER;
	if (!setting)
		return;
	rules->preferred = preferred_region(setting, node);
	rules->has_pairs = setting->failover_count;
	rules->labels = setting->priority;
	rules->label_count = setting->priority_count;
	rules->zone_aware = setting->zone_aware;
	/* Without a list, Istio leaves localities of a tier alone: its endpoints are equal. */
	rules->weighted = !setting->zone_aware && mrd_locality_lists_failover(setting);
}

/* A node that no rule speaks to sees one pool; with the fallback, what it would without rules. */
static void use_distribution(const struct mrd_draft_input *in, struct mrd_draft_rules *rules)
{
	const struct mrd_locality_setting *setting = in->effective->locality;
	const struct mrd_distribute *rule = setting ? distribution(setting, in->node) : NULL;

	rules->unmatched = !rule;
	rules->falls_back = in->effective->fallback_next_region;
	if (rules->falls_back &&
	    (rule || in->effective->outlier || mrd_locality_lists_failover(setting)))
		use_failover(setting, in->node, rules);
	if (rule)
		rules->mode = MRD_MODE_DISTRIBUTE;
	rules->distribute = rule;
}

bool mrd_draft_is_by_service(const struct mrd_view *view, const struct mrd_effective *effective)
{
	return mrd_effective_is_by_service(effective,
					   view->traffic_distribution != MRD_DISTRIBUTION_NONE);
}

uint32_t mrd_draft_panic_percent(const struct mrd_view *view, const struct mrd_effective *effective)
{
	return mrd_effective_panic_percent(effective,
					   view->traffic_distribution != MRD_DISTRIBUTION_NONE);
}

void mrd_draft_find_rules(const struct mrd_draft_input *in, struct mrd_draft_rules *ret_rules)
{
	const struct mrd_effective *effective = in->effective;

	*ret_rules = (struct mrd_draft_rules){.mode = MRD_MODE_POOL};
	if (in->view->internal_local)
		return; /* a service that stays on its node has nothing to choose between */

	if (mrd_draft_is_by_service(in->view, effective))
		use_traffic_distribution(in->view->traffic_distribution, ret_rules);
	else if (effective->locality_mode == MRD_LOCALITY_DISTRIBUTE)
		use_distribution(in, ret_rules);
	else if (effective->locality_mode == MRD_LOCALITY_FAILOVER)
		use_failover(effective->locality, in->node, ret_rules);

	/* A distribution lists who takes part. Before hints: it says who is asked. */
	ret_rules->strict = effective->regions_strict && !ret_rules->distribute;
	if (ret_rules->mode == MRD_MODE_POOL && !effective->locality)
		ret_rules->hints = find_hints(in, ret_rules);
}
