/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * In which order endpoints are tried. Istio's rules: pilot/pkg/networking/core/loadbalancer, by
 * place (applyLocalityFailover) and by labels (applyFailoverPriorityPerLocality). Only the order of
 * the numbers counts; gaps vanish later.
 */
#include "plan/draft.h"

#include <string.h>

#include "base/label.h"

enum mrd_tier {
	MRD_TIER_SUBZONE, /* region, zone and subzone are the node's */
	MRD_TIER_ZONE,
	MRD_TIER_REGION,
	MRD_TIER_OTHER,
	MRD_TIER_LAST, /* a pair sends this node's region elsewhere first */
	MRD_TIER_COUNT,
};

static const char *label_of(const struct mrd_labels *labels, const char *key)
{
	return labels ? mrd_labels_get(labels, key) : "";
}

static const char *first_known(const char *a, const char *b)
{
	return a && *a ? a : b;
}

/* ----------------------------------------------------------------------------------- by place */

static uint32_t tier_by_place(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			      const struct mrd_locality_name *locality)
{
	const struct mrd_plan_node *node = in->node;

	if (strcmp(locality->region, node->region))
		return !rules->preferred || !strcmp(locality->region, rules->preferred)
			       ? MRD_TIER_OTHER
			       : MRD_TIER_LAST;
	if (rules->zone_aware)
		return MRD_TIER_REGION;
	if (strcmp(locality->zone, node->zone))
		return MRD_TIER_REGION;
	return strcmp(locality->subzone, node->subzone) ? MRD_TIER_ZONE : MRD_TIER_SUBZONE;
}

/* ---------------------------------------------------------------------------------- by labels */

const char *mrd_draft_own_label(const struct mrd_draft_input *in, const char *key)
{
	const struct mrd_plan_node *node = in->node;
	const char *label = label_of(node->labels, key);

	if (!strcmp(key, MRD_LABEL_REGION))
		return node->region;
	if (!strcmp(key, MRD_LABEL_ZONE))
		return node->zone;
	if (!strcmp(key, MRD_LABEL_SUBZONE))
		return node->subzone;
	if (!strcmp(key, MRD_LABEL_HOSTNAME))
		return first_known(label, node->name);
	if (!strcmp(key, MRD_LABEL_CLUSTER))
		return mrd_model_cluster_name(in->model, node->cluster);
	if (!strcmp(key, MRD_LABEL_NETWORK))
		return first_known(label, mrd_model_cluster_network(in->model, node->cluster));
	return label;
}

const char *mrd_draft_label_of(const struct mrd_draft_input *in,
			       const struct mrd_view_endpoint *endpoint, const char *key)
{
	const char *label = label_of(endpoint->pod_labels, key);
	const char *of_node = label_of(endpoint->node_labels, key);

	if (!strcmp(key, MRD_LABEL_REGION))
		return endpoint->locality.region;
	if (!strcmp(key, MRD_LABEL_ZONE))
		return endpoint->locality.zone;
	if (!strcmp(key, MRD_LABEL_SUBZONE))
		return endpoint->locality.subzone;
	if (!strcmp(key, MRD_LABEL_HOSTNAME))
		return first_known(of_node, endpoint->node_name);
	if (!strcmp(key, MRD_LABEL_CLUSTER))
		return mrd_model_cluster_name(in->model, endpoint->cluster);
	if (!strcmp(key, MRD_LABEL_NETWORK))
		return first_known(
			label, first_known(of_node, mrd_model_cluster_network(in->model,
									      endpoint->cluster)));
	return label;
}

/* The first label that differs decides, the earlier the worse. A network at the head of the list is
 * a preference above all others, not a condition for them. */
static uint32_t tier_by_labels(const struct mrd_draft_input *in,
			       const struct mrd_draft_rules *rules,
			       const struct mrd_view_endpoint *endpoint)
{
	const uint32_t count = (uint32_t)rules->label_count;
	uint32_t tier = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct mrd_failover_label *label = &rules->labels[i];
		const char *own = label->value ? label->value : mrd_draft_own_label(in, label->key);

		if (!strcmp(own, mrd_draft_label_of(in, endpoint, label->key)))
			continue;
		if (i || strcmp(label->key, MRD_LABEL_NETWORK) != 0)
			return tier + count - i;
		tier = count;
	}
	return tier;
}

uint32_t mrd_draft_tier(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			const struct mrd_view_endpoint *endpoint)
{
	const struct mrd_locality_name *locality = &endpoint->locality;
	uint32_t tier = 0;

	if (rules->distribute) {
		if (mrd_draft_listed_at(rules->distribute, locality) < rules->distribute->to_count)
			return 0;
		tier = 1; /* behind those that are listed */
	} else if (rules->mode == MRD_MODE_POOL) {
		return 0;
	}
	if (!rules->label_count)
		return tier + tier_by_place(in, rules, locality);
	tier += tier_by_labels(in, rules, endpoint) * (rules->has_pairs ? MRD_TIER_COUNT : 1);
	return rules->has_pairs ? tier + tier_by_place(in, rules, locality) : tier;
}
