/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a user should know of a port's route: policy that has no effect here, and connections that
 * will be refused. The words do not change while what they speak of does not, since each change is
 * logged.
 */
#include "plan/draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/label.h"
#include "base/strbuf.h"
#include "policy/locality.h"
#include "policy/policy_walk.h"

enum { PERCENT_ALL = 100 };

static int __attribute__((format(printf, 2, 3)))
warn(struct mrd_plan_port *port, const char *format, ...)
{
	char **warnings = reallocarray(port->warnings, port->warning_count + 1, sizeof(*warnings));
	va_list args;
	int len;

	if (!warnings)
		return -ENOMEM;
	port->warnings = warnings;
	va_start(args, format);
	len = vasprintf(&warnings[port->warning_count], format, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	port->warning_count++;
	return 0;
}

static int warn_about_use(const struct mrd_draft *draft, struct mrd_plan_port *port)
{
	uint32_t usable = 0;
	uint32_t ejected = 0;
	bool draining = false;

	for (size_t i = 0; i < draft->hop_count; i++) {
		usable += mrd_draft_usable_count(&draft->hops[i]);
		ejected += draft->hops[i].ejected;
		draining = draining || draft->hops[i].accept == MRD_ACCEPT_DRAINING;
	}
	if (draining)
		return warn(port,
			    "no endpoint is ready: %u that still serve while they terminate "
			    "are used",
			    usable);
	if (usable)
		return 0;
	if (!draft->hop_count)
		return warn(port, "no endpoint in the route: new connections are refused");
	return warn(port,
		    "no endpoint is usable (%u ejected, none ready otherwise): new connections "
		    "are refused",
		    ejected);
}

/* -------------------------------------------------------------------------- policy and place */

bool mrd_draft_has_endpoint(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			    const struct mrd_locality_match *match)
{
	for (size_t i = 0; i < in->port->endpoint_count; i++) {
		const struct mrd_view_endpoint *endpoint = &in->port->endpoints[i];
		const struct mrd_locality_name *at = &endpoint->locality;

		if (mrd_draft_matches(match, at->region, at->zone, at->subzone) &&
		    mrd_draft_is_candidate(in, rules, endpoint))
			return true;
	}
	return false;
}

static bool has_region(const struct mrd_draft_input *in, const struct mrd_draft *draft,
		       const char *region)
{
	static char any[] = "";
	const struct mrd_locality_match match = {
		.region = (char *)region, .zone = any, .subzone = any};

	return mrd_draft_has_endpoint(in, &draft->rules, &match);
}

const char *mrd_draft_stays(const struct mrd_effective *effective)
{
	return effective->cluster_local
		       ? " in this node's cluster, which the service does not leave"
		       : "";
}

static size_t count_empty(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules)
{
	size_t empty = 0;

	for (size_t i = 0; i < rules->distribute->to_count; i++)
		empty += !mrd_draft_has_endpoint(in, rules, &rules->distribute->to[i].to);
	return empty;
}

/* Who has what a listed locality without endpoints leaves, as shares are now. */
static const char *who_takes(const struct mrd_distribute *rule, const struct mrd_plan_port *port)
{
	bool behind = false;

	for (size_t i = 0; i < port->hop_count; i++) {
		const struct mrd_plan_hop *hop = &port->hops[i];
		const struct mrd_locality_name at = {
			.region = hop->region, .zone = hop->zone, .subzone = hop->subzone};

		if (hop->share <= 0)
			continue;
		if (mrd_draft_listed_at(rule, &at) < rule->to_count)
			return "fall to the others listed";
		behind = true;
	}
	return behind ? "fall to what comes behind those listed"
		      : "fall to nobody, as no other has a usable endpoint";
}

bool mrd_draft_lost_part(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			 const struct mrd_plan_port *port, size_t index, struct mrd_strbuf *out)
{
	const struct mrd_distribute_to *entry = &rules->distribute->to[index];

	if (mrd_draft_has_endpoint(in, rules, &entry->to) ||
	    count_empty(in, rules) == rules->distribute->to_count)
		return false;
	mrd_strbuf_addf(out, "distribute: ");
	mrd_locality_match_format(&entry->to, out);
	mrd_strbuf_addf(out, " has no endpoint%s: its %u %% %s", mrd_draft_stays(in->effective),
			entry->weight, who_takes(rules->distribute, port));
	return true;
}

/* A mesh-wide rule need not suit every service, so of those only what breaks one is told. */
static int warn_about_distribution(const struct mrd_draft_input *in, const struct mrd_draft *draft,
				   struct mrd_plan_port *port)
{
	const struct mrd_distribute *rule = draft->rules.distribute;
	int r = 0;

	if (draft->rules.unmatched)
		return warn(port,
			    "distribute: no rule's from is where this node is (%s/%s/%s): it has "
			    "no effect here",
			    *in->node->region ? in->node->region : "-",
			    *in->node->zone ? in->node->zone : "-",
			    *in->node->subzone ? in->node->subzone : "-");
	if (!rule || !in->port->endpoint_count)
		return 0;
	if (count_empty(in, &draft->rules) == rule->to_count)
		return warn(port,
			    "distribute: no locality of the rule for this node has an endpoint%s",
			    mrd_draft_stays(in->effective));
	for (size_t i = 0;
	     !r && in->effective->locality_origin == MRD_ORIGIN_RULE && i < rule->to_count; i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

		if (mrd_draft_lost_part(in, &draft->rules, port, i, &text))
			r = text.failed ? -ENOMEM : warn(port, "%s", text.text);
	}
	return r;
}

/* value: NULL: any. */
static bool some_endpoint_has(const struct mrd_draft_input *in, const char *key, const char *value)
{
	for (size_t i = 0; i < in->port->endpoint_count; i++) {
		const char *seen = mrd_draft_label_of(in, &in->port->endpoints[i], key);

		if (value ? !strcmp(seen, value) : *seen)
			return true;
	}
	return false;
}

/* What is missing in one place is taken for "", which no other value is like. */
static int warn_about_labels(const struct mrd_draft_input *in, const struct mrd_draft *draft,
			     struct mrd_plan_port *port)
{
	const struct mrd_draft_rules *rules = &draft->rules;
	int r = 0;

	for (size_t i = 0; !r && i < rules->label_count; i++) {
		const struct mrd_failover_label *label = &rules->labels[i];

		if (mrd_label_is_of_place(label->key))
			continue;
		if (!label->value && !*mrd_draft_own_label(in, label->key))
			r = warn(port,
				 "failoverPriority: %s is a label that this node does not have, "
				 "and a client's pod is not asked",
				 label->key);
		else if (in->port->endpoint_count &&
			 !some_endpoint_has(in, label->key, label->value))
			r = warn(port,
				 "failoverPriority: %s%s%s is a label that no endpoint's Pod has: "
				 "what follows it in the list is not asked",
				 label->key, label->value ? "=" : "",
				 label->value ? label->value : "");
	}
	return r;
}

static int warn_about_failover(const struct mrd_draft_input *in, const struct mrd_draft *draft,
			       struct mrd_plan_port *port)
{
	const struct mrd_draft_rules *rules = &draft->rules;
	const char *words;
	int r = 0;

	if (rules->preferred && in->effective->locality_origin == MRD_ORIGIN_RULE &&
	    in->port->endpoint_count && !has_region(in, draft, rules->preferred))
		r = warn(port, "failover: region %s, to which %s fails over, has no endpoint%s",
			 rules->preferred, in->node->region, mrd_draft_stays(in->effective));
	words = rules->zone_aware ? mrd_locality_unweighed(in->effective->locality) : NULL;
	if (!r && words)
		r = warn(port, "zoneAwareLbSetting: %s", words);
	if (!r)
		r = warn_about_labels(in, draft, port);
	return r;
}

/* Ejection by answers does nothing there, which nobody would see before it is needed. */
const char *mrd_plan_unread_answers(const struct mrd_view_port *port,
				    const struct mrd_effective *effective)
{
	/* Mesh-wide detection need not suit every service. */
	if (!port->is_http2 || !effective->outlier || effective->outlier_origin != MRD_ORIGIN_RULE)
		return NULL;
	return "declared HTTP/2 or gRPC, whose answers are not read: failed connections alone "
	       "eject";
}

struct search {
	const struct mrd_policy *policy;
	size_t index;
};

static int is_match(void *self, const char *namespace_, const char *name)
{
	const struct search *search = self;

	return mrd_policy_rule_matches(search->policy, search->index, namespace_, name);
}

bool mrd_plan_rule_has_service(const struct mrd_policy *policy, size_t index,
			       const struct mrd_model *model)
{
	struct search search = {.policy = policy, .index = index};

	return mrd_model_walk_services(model, is_match, &search);
}

static int warn_about_answers(const struct mrd_draft_input *in, struct mrd_plan_port *port)
{
	const char *words = mrd_plan_unread_answers(in->port, in->effective);

	return words ? warn(port, "outlierDetection: the port is %s", words) : 0;
}

/* A rule's lists for a service that stays on each node. */
static int warn_about_staying(const struct mrd_draft_input *in, struct mrd_plan_port *port)
{
	const struct mrd_locality_setting *setting = in->effective->locality;

	if (!in->view->internal_local || in->effective->locality_origin != MRD_ORIGIN_RULE ||
	    !setting->enabled ||
	    !(setting->distribute_count || mrd_locality_lists_failover(setting)))
		return 0;
	return warn(port, "the rule's locality setting has no effect: internalTrafficPolicy is "
			  "Local");
}

size_t mrd_draft_hosts_beside(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules)
{
	size_t count = 0;

	for (size_t i = 0; i < in->view->port_count; i++) {
		const struct mrd_view_port *other = &in->view->ports[i];

		if (other == in->port || other->number != in->port->number ||
		    other->transport != in->port->transport)
			continue;
		for (size_t k = 0; k < other->endpoint_count; k++)
			count += !other->endpoints[k].twin &&
				 !mrd_draft_is_uncounted(in, &other->endpoints[k]) &&
				 mrd_draft_is_candidate(in, rules, &other->endpoints[k]);
	}
	return count;
}

/* Envoy's cap is of the whole cluster, so that of a few endpoints none may go. */
static int warn_about_cap(const struct mrd_draft_input *in, const struct mrd_draft *draft,
			  struct mrd_plan_port *port)
{
	const struct mrd_effective *effective = in->effective;
	const struct mrd_outlier_rule *rule = &port->outlier;
	const enum mrd_origin origin =
		effective->outlier ? effective->outlier_origin : effective->locality_origin;
	size_t count = mrd_draft_hosts_beside(in, &draft->rules);
	uint32_t percent;
	uint32_t wanted;

	if (!port->has_outlier || origin != MRD_ORIGIN_RULE ||
	    (rule->cap != MRD_CAP_PERCENT && rule->cap != MRD_CAP_ENVOY))
		return 0;
	percent = rule->cap == MRD_CAP_ENVOY ? MRD_CAP_ENVOY_PERCENT : rule->max_ejection_percent;
	wanted = (PERCENT_ALL + percent - 1) / percent;
	for (size_t i = 0; i < draft->hop_count; i++)
		count += draft->hops[i].total;
	if (!draft->endpoint_count || count >= wanted)
		return 0;
	return warn(port, "%s: nobody is ejected, as %s %u lets none of fewer than %u endpoints go",
		    effective->outlier ? "outlierDetection" : "failover",
		    rule->cap == MRD_CAP_ENVOY ? "Envoy's own maxEjectionPercent"
					       : "maxEjectionPercent",
		    percent, wanted);
}

/* Is there a hop of several regions? */
static bool joins_regions(const struct mrd_draft *draft)
{
	for (size_t i = 0; i < draft->hop_count; i++) {
		const struct mrd_draft_hop *hop = &draft->hops[i];

		if (!*hop->locality.region && hop->count &&
		    *draft->endpoints[hop->first].seen->locality.region)
			return true;
	}
	return false;
}

int mrd_draft_warn(const struct mrd_draft_input *in, const struct mrd_draft *draft,
		   struct mrd_plan_port *port)
{
	int r = 0;

	for (size_t i = 0; !r && i < in->view->warning_count; i++)
		if (mrd_view_warning_is_about(&in->view->warnings[i], in->port))
			r = warn(port, "%s", in->view->warnings[i].text);
	if (!r && in->view->internal_local && !*in->node->name)
		r = warn(port, "internalTrafficPolicy is Local, but the name of this node is not "
			       "known: no endpoint is its own");
	if (!r && draft->rules.mode != MRD_MODE_POOL && !*in->node->region)
		r = warn(port, "the region of this node is not known: no endpoint is near");
	if (!r)
		r = warn_about_distribution(in, draft, port);
	if (!r)
		r = warn_about_failover(in, draft, port);
	if (!r)
		r = warn_about_staying(in, port);
	if (!r)
		r = warn_about_answers(in, port);
	if (!r)
		r = warn_about_cap(in, draft, port);
	if (!r && draft->joined)
		r = warn(port,
			 "more than %u localities: those of one region and priority are joined%s",
			 mrd_draft_hops_most(in->node),
			 joins_regions(draft) ? ", and regions as one without a name" : "");
	return r ? r : warn_about_use(draft, port);
}
