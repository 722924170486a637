/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/explain_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/strbuf.h"
#include "plan/draft.h"
#include "policy/locality.h"
#include "policy/policy_walk.h"

enum { LISTED_MOST = 8, PERCENT = 100 };

/* While the words of one port are made. */
struct writing {
	const struct mrd_explain_words *words;
	struct mrd_effective effective;
	struct mrd_draft_input in; /* of the port's route, with that policy */
	struct mrd_draft_rules rules;
	struct mrd_explained_port *port;
	bool no_memory;
};

static void __attribute__((format(printf, 4, 5)))
add(struct writing *writing, char ***texts, size_t *count, const char *format, ...)
{
	char **grown = reallocarray(*texts, *count + 1, sizeof(*grown));
	va_list args;
	int len;

	if (!grown) {
		writing->no_memory = true;
		return;
	}
	*texts = grown;
	va_start(args, format);
	len = vasprintf(&grown[*count], format, args);
	va_end(args);
	if (len < 0)
		writing->no_memory = true;
	else
		++*count;
}

#define REASON(writing, ...) \
	add(writing, &(writing)->port->reasons, &(writing)->port->reason_count, __VA_ARGS__)
#define WARNING(writing, ...) \
	add(writing, &(writing)->port->warnings, &(writing)->port->warning_count, __VA_ARGS__)

/* ------------------------------------------------------------------------------------- reasons */

/* Whose locality setting it is. */
static const char *setting_of(const struct mrd_effective *effective)
{
	switch (effective->locality_origin) {
	case MRD_ORIGIN_RULE:
		return "the rule's locality setting";
	case MRD_ORIGIN_MESH:
		return "the mesh's locality setting";
	case MRD_ORIGIN_NONE:
		break;
	}
	return "no locality setting";
}

/* The endpoints that hints keep out of the route, by the zones or nodes that they name: the first
 * few, as the others' hints hardly differ. */
static size_t add_unhinted(const struct writing *writing, struct mrd_strbuf *out)
{
	const bool by_zone = writing->rules.hints == MRD_DRAFT_HINTS_ZONE;
	const struct mrd_view_port *seen = writing->words->seen;
	size_t count = 0;

	for (size_t i = 0; i < seen->endpoint_count; i++) {
		const struct mrd_view_endpoint *endpoint = &seen->endpoints[i];
		char *const *names = by_zone ? endpoint->zone_hints : endpoint->node_hints;
		const size_t hints =
			by_zone ? endpoint->zone_hint_count : endpoint->node_hint_count;
		char text[MRD_IP_TEXT_MAX];

		if (!mrd_draft_is_candidate(&writing->in, &writing->rules, endpoint) ||
		    mrd_draft_is_hinted(&writing->in, &writing->rules, endpoint) ||
		    count++ >= LISTED_MOST)
			continue;
		mrd_strbuf_addf(
			out, "%s%s %s (", count > 1 ? ", " : "",
			mrd_ip_port_format(&endpoint->ip, endpoint->port, text),
			mrd_model_cluster_name(writing->words->input->model, endpoint->cluster));
		for (size_t k = 0; k < hints; k++)
			mrd_strbuf_addf(out, "%s%s", k ? ", " : "for ", names[k]);
		mrd_strbuf_addf(out, "%s)", hints ? "" : "not ready, without a hint");
	}
	return count;
}

static void add_hints_reason(struct writing *writing)
{
	const bool by_zone = writing->rules.hints == MRD_DRAFT_HINTS_ZONE;
	const struct mrd_plan_node *node = writing->words->input->node;
	MRD_AUTO_STRBUF struct mrd_strbuf list = {0};
	const size_t count = add_unhinted(writing, &list);

	REASON(writing,
	       "one pool by topology hints: every ready endpoint has one, and those for %s %s "
	       "are used, as equals; nothing else asks (no locality setting, no "
	       "outlierDetection, no trafficDistribution)",
	       by_zone ? "zone" : "node", by_zone ? node->zone : node->name);
	if (count > LISTED_MOST)
		mrd_strbuf_addf(&list, " and %zu more", count - LISTED_MOST);
	if (count)
		REASON(writing, "left out, as meant for others: %s", list.text ? list.text : "");
	writing->no_memory |= list.failed;
}

static void add_dropped_hints(struct writing *writing)
{
	const struct mrd_plan_node *node = writing->words->input->node;
	const enum mrd_draft_hints hints = mrd_draft_hints_unejected(&writing->in, &writing->rules);
	const bool by_zone = hints == MRD_DRAFT_HINTS_ZONE;

	if (hints != writing->rules.hints)
		REASON(writing,
		       "topology hints for %s %s are dropped: all whom they name are ejected, and "
		       "they hold again when one is back",
		       by_zone ? "zone" : "node", by_zone ? node->zone : node->name);
}

static void add_pool_reason(struct writing *writing)
{
	const struct mrd_effective *effective = &writing->effective;

	if (writing->words->view->internal_local)
		return; /* said already */
	if (writing->rules.hints != MRD_DRAFT_HINTS_NONE)
		add_hints_reason(writing);
	else if (effective->locality && !effective->locality->enabled)
		REASON(writing, "one pool: %s is not enabled", setting_of(effective));
	else if (effective->locality_mode == MRD_LOCALITY_DISTRIBUTE)
		REASON(writing, "one pool: %s has no distribution from this node's locality",
		       setting_of(effective));
	else
		REASON(writing,
		       "one pool: nothing asks for failover or distribution (%s, %s "
		       "outlierDetection), so %s endpoints are equal",
		       setting_of(effective), effective->outlier ? "with" : "no",
		       writing->rules.strict ? "this region's" : "all regions'");
}

static void add_mode_reason(struct writing *writing)
{
	const struct mrd_effective *effective = &writing->effective;
	const struct mrd_locality_setting *setting = effective->locality;
	const bool is_listed = mrd_locality_lists_failover(setting);

	switch (writing->words->planned->mode) {
	case MRD_MODE_POOL:
		add_pool_reason(writing);
		add_dropped_hints(writing);
		break;
	case MRD_MODE_DISTRIBUTE:
		REASON(writing, "distribution: by %s", setting_of(effective));
		break;
	case MRD_MODE_FAILOVER:
		if (mrd_draft_is_by_service(writing->words->view, effective))
			REASON(writing, "failover: by the Service's trafficDistribution");
		else if (is_listed)
			REASON(writing, "failover: by %s", setting_of(effective));
		else
			REASON(writing,
			       "failover: outlierDetection alone asks for it, as in Istio");
		break;
	}
}

/* Why a lost endpoint moves no share but its own, however losses are counted; NULL: it may. */
static const char *losses_move_nothing(const struct writing *writing)
{
	const struct mrd_plan_port *planned = writing->words->planned;
	const bool weighted = writing->rules.weighted || writing->rules.distribute;

	if (mrd_draft_panic_percent(writing->words->view, &writing->effective))
		return NULL;
	for (size_t i = 1; i < planned->hop_count; i++)
		if (weighted || planned->hops[i].priority != planned->hops[0].priority)
			return NULL;
	return writing->rules.mode == MRD_MODE_POOL
		       ? "in one pool all endpoints are equal"
		       : "nothing stands behind or beside them that could take over";
}

/* Then it has a cap, which is a part of those that count. */
static bool has_cap(const struct writing *writing)
{
	const struct mrd_plan_port *planned = writing->words->planned;

	return planned->has_outlier && mrd_outlier_ejects(&planned->outlier);
}

/* What an annotation of ours changes about the hops: where no loss moves anything, nothing. */
static void add_own_reasons(struct writing *writing)
{
	const struct mrd_effective *effective = &writing->effective;

	if (writing->rules.strict && writing->rules.preferred)
		REASON(writing, "meridian.dev/regions: strict: only this node's region and the "
				"one that the rule names for it take part");
	else if (writing->rules.strict)
		REASON(writing, "meridian.dev/regions: strict: only this node's region takes part");
	if (writing->rules.falls_back && writing->rules.distribute)
		REASON(writing, "meridian.dev/fallback: next-region: regions that the distribution "
				"does not list come behind it");
	if (losses_move_nothing(writing)) {
		if (effective->unready_drop && has_cap(writing))
			REASON(writing, "meridian.dev/unready: drop: endpoints that are not ready "
					"do not count among those of which a part may be ejected");
		return;
	}
	if (effective->unready_drop)
		REASON(writing, "meridian.dev/unready: drop: endpoints that are not ready do not "
				"count as lost");
	if (effective->overprovisioning_percent != MRD_OVERPROVISIONING_PERCENT)
		REASON(writing,
		       "meridian.dev/overprovisioning-percent: %" PRIu32
		       ": %s when its healthy part falls below 100/%" PRIu32,
		       effective->overprovisioning_percent,
		       writing->rules.mode == MRD_MODE_POOL ? "the pool panics only"
							    : "a region spills over",
		       effective->overprovisioning_percent);
}

/* How many may go and when one goes sooner, as far as that is not the default. */
static void add_limits(struct mrd_strbuf *out, const struct mrd_outlier_rule *outlier,
		       uint32_t min_health_percent)
{
	switch (outlier->cap) {
	case MRD_CAP_PERCENT:
		mrd_strbuf_addf(out, ", maxEjectionPercent %" PRIu32,
				outlier->max_ejection_percent);
		break;
	case MRD_CAP_ENVOY:
		mrd_strbuf_addf(out, ", meridian.dev/ejection-cap: envoy");
		break;
	case MRD_CAP_ALWAYS_ONE:
		mrd_strbuf_addf(out, ", meridian.dev/ejection-cap: always-one");
		break;
	case MRD_CAP_REGIONAL:
		break;
	}
	if (min_health_percent)
		mrd_strbuf_addf(out, ", minHealthPercent %" PRIu32, min_health_percent);
	if (outlier->probation_ms)
		mrd_strbuf_addf(out, ", meridian.dev/probation");
	if (outlier->success_rate.on)
		mrd_strbuf_addf(out, ", success rate%s",
				outlier->success_rate.enforced ? "" : " (only told)");
	if (outlier->failure_percentage.on)
		mrd_strbuf_addf(out, ", failure percentage%s",
				outlier->failure_percentage.enforced ? "" : " (only told)");
}

/* As far as they were given, or are on by themselves. */
static void add_outlier_reason(struct writing *writing, const struct mrd_outlier_rule *outlier)
{
	MRD_AUTO_STRBUF struct mrd_strbuf more = {0};
	char interval[MRD_DURATION_TEXT_MAX];
	char base[MRD_DURATION_TEXT_MAX];

	if (outlier->consecutive_gateway || outlier->gateway_off)
		mrd_strbuf_addf(&more, ", consecutiveGatewayErrors %" PRIu32,
				outlier->consecutive_gateway);
	if (outlier->split_local_origin)
		mrd_strbuf_addf(&more, ", consecutiveLocalOriginFailures %" PRIu32,
				outlier->consecutive_local_origin);
	if (outlier->has_error_codes)
		mrd_strbuf_addf(&more, ", by outlierDetectionHttpErrorCodes");
	mrd_strbuf_addf(&more, ", interval %s, baseEjectionTime %s",
			mrd_duration_format(outlier->interval_ms, interval),
			mrd_duration_format(outlier->base_ejection_ms, base));
	add_limits(&more, outlier, writing->effective.min_health_percent);
	writing->no_memory |= more.failed;
	REASON(writing, "outlierDetection: consecutive5xxErrors %" PRIu32 "%s",
	       outlier->consecutive_5xx, more.text ? more.text : "");
}

/* Of datagrams no handshake can fail. */
static bool is_udp(const struct writing *writing)
{
	return writing->words->planned->protocol == MRD_PROTOCOL_UDP;
}

static void add_health_reason(struct writing *writing)
{
	const struct mrd_outlier_rule *handshakes = &writing->words->planned->outlier;
	char base[MRD_DURATION_TEXT_MAX];

	if (writing->effective.outlier)
		add_outlier_reason(writing, writing->effective.outlier);
	else if (writing->words->planned->has_outlier)
		REASON(writing,
		       "no outlierDetection: an endpoint counts as failed when it is not ready, "
		       "and is ejected for %s when %" PRIu32 " %s",
		       mrd_duration_format(handshakes->base_ejection_ms, base),
		       handshakes->consecutive_local_origin,
		       is_udp(writing) ? "ICMP errors in a row have come instead of answers"
				       : "handshakes in a row have failed");
	else
		REASON(writing,
		       "no outlierDetection: an endpoint counts as failed when it is not ready");
}

/* By whom a client keeps its endpoint; the Service's own goes before the rule's. */
static void add_affinity_reason(struct writing *writing)
{
	const struct mrd_effective *effective = &writing->effective;
	const uint64_t timeout_ms =
		(uint64_t)writing->words->planned->affinity_timeout_s * MRD_MS_PER_S;
	char timeout[MRD_DURATION_TEXT_MAX];

	if (writing->words->view->affinity_timeout_s)
		REASON(writing,
		       "session affinity by the Service's sessionAffinity: ClientIP, timeout %s",
		       mrd_duration_format(timeout_ms, timeout));
	else if (effective->hash_source_ip)
		REASON(writing,
		       "session affinity by consistentHash.useSourceIp (%s), by client IP, timeout "
		       "%s",
		       effective->lb_place, mrd_duration_format(timeout_ms, timeout));
	if (writing->words->view->affinity_timeout_s && effective->hash_source_ip)
		WARNING(writing,
			"consistentHash.useSourceIp (%s) has no effect here: the Service's "
			"sessionAffinity goes before it",
			effective->lb_place);
}

/* "60% of its 10s are over, 4s left" */
static void add_progress(struct mrd_strbuf *out, uint64_t back_ms, uint64_t warmup_ms)
{
	char whole[MRD_DURATION_TEXT_MAX];
	char left[MRD_DURATION_TEXT_MAX];

	mrd_strbuf_addf(out, "%" PRIu64 "%% of its %s are over, %s left",
			back_ms * PERCENT / warmup_ms, mrd_duration_format(warmup_ms, whole),
			mrd_duration_format(warmup_ms - back_ms, left));
}

/* Is the hop the first of its region with an ACTIVE endpoint? */
static bool is_first_active(const struct mrd_plan_port *planned, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (planned->hops[i].healthy &&
		    !strcmp(planned->hops[i].region, planned->hops[index].region))
			return false;
	return planned->hops[index].healthy;
}

static void add_warm_regions(struct writing *writing)
{
	const struct mrd_plan_port *planned = writing->words->planned;

	for (size_t i = 0; i < planned->hop_count; i++) {
		const char *region = planned->hops[i].region;
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
		uint64_t back_ms;

		if (!is_first_active(planned, i) ||
		    !mrd_draft_region_warms(&writing->in, region, &back_ms))
			continue;
		add_progress(&text, back_ms, writing->effective.region_warmup_ms);
		REASON(writing,
		       "%s is back and warms up (meridian.dev/warmup), as far as others can take "
		       "what it leaves: %s",
		       *region ? region : "(no region)", text.text ? text.text : "");
		writing->no_memory |= text.failed;
	}
}

static void add_warm_endpoints(struct writing *writing)
{
	const struct mrd_view_port *seen = writing->words->seen;
	MRD_AUTO_STRBUF struct mrd_strbuf list = {0};
	size_t count = 0;

	for (size_t i = 0; i < seen->endpoint_count; i++) {
		const struct mrd_view_endpoint *endpoint = &seen->endpoints[i];
		char text[MRD_IP_TEXT_MAX];
		uint64_t back_ms;

		if (!endpoint->ready ||
		    !mrd_draft_is_candidate(&writing->in, &writing->rules, endpoint) ||
		    !mrd_draft_is_hinted(&writing->in, &writing->rules, endpoint) ||
		    !mrd_draft_endpoint_warms(&writing->in, endpoint, &back_ms) ||
		    count++ >= LISTED_MOST)
			continue;
		mrd_strbuf_addf(&list, "%s%s ", count > 1 ? "; " : "",
				mrd_ip_port_format(&endpoint->ip, endpoint->port, text));
		add_progress(&list, back_ms, writing->effective.warmup.duration_ms);
	}
	if (count > LISTED_MOST)
		mrd_strbuf_addf(&list, "; and %zu more", count - LISTED_MOST);
	if (count)
		REASON(writing, "new endpoints warm up (loadBalancer.warmup): %s",
		       list.text ? list.text : "");
	writing->no_memory |= list.failed;
}

static void add_reasons(struct writing *writing)
{
	if (writing->words->view->internal_local)
		REASON(writing, "internalTrafficPolicy: Local: endpoints of this node alone");
	else if (writing->effective.cluster_local)
		REASON(writing,
		       "the host is cluster-local: endpoints of this node's cluster alone");
	if (*writing->effective.port_place)
		REASON(writing,
		       "portLevelSettings (%s) replace the rule's trafficPolicy for this port",
		       writing->effective.port_place);
	add_mode_reason(writing);
	add_own_reasons(writing);
	add_health_reason(writing);
	add_affinity_reason(writing);
	add_warm_regions(writing);
	add_warm_endpoints(writing);
}

/* ------------------------------------------------------------------- what is named and not there
 */

static bool has_other_region(const struct writing *writing)
{
	const struct mrd_plan_port *planned = writing->words->planned;

	for (size_t i = 1; i < planned->hop_count; i++)
		if (strcmp(planned->hops[i].region, planned->hops[0].region) != 0)
			return true;
	return false;
}

/* A region of a rule's own setting that is empty is among the plan's warnings. */
static bool is_told(const struct writing *writing)
{
	return writing->effective.locality_origin == MRD_ORIGIN_RULE;
}

static void check_failover(struct writing *writing)
{
	static char any[] = "";
	const struct mrd_locality_match to = {
		.region = (char *)writing->rules.preferred, .zone = any, .subzone = any};

	if (!to.region)
		WARNING(writing, "no failover of %s is from %s, where this node is: %s",
			setting_of(&writing->effective), writing->words->input->node->region,
			writing->rules.strict ? "no other region takes over"
					      : "all other regions come behind it as equals");
	else if (!is_told(writing) && !mrd_draft_has_endpoint(&writing->in, &writing->rules, &to))
		WARNING(writing, "failover names %s, which has no endpoint of this service%s",
			to.region, mrd_draft_stays(&writing->effective));
}

static void check_distribute(struct writing *writing)
{
	const struct mrd_distribute *rule = writing->rules.distribute;

	for (size_t i = 0; rule && !is_told(writing) && i < rule->to_count; i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

		if (mrd_draft_lost_part(&writing->in, &writing->rules, writing->words->planned, i,
					&text))
			WARNING(writing, "%s", text.text ? text.text : "");
		writing->no_memory |= text.failed;
	}
}

static void check_losses(struct writing *writing)
{
	const struct mrd_effective *effective = &writing->effective;
	const char *reason = losses_move_nothing(writing);

	if (!reason || !writing->words->planned->hop_count)
		return;
	if (effective->unready_drop && !has_cap(writing))
		WARNING(writing, "meridian.dev/unready: drop has no effect here: %s", reason);
	if (effective->overprovisioning_percent != MRD_OVERPROVISIONING_PERCENT)
		WARNING(writing, "meridian.dev/overprovisioning-percent has no effect here: %s",
			reason);
}

/* By the default cap; what others let go is among the plan's warnings. */
static bool is_only_one(const struct writing *writing)
{
	const struct mrd_plan_port *planned = writing->words->planned;
	size_t count = mrd_draft_hosts_beside(&writing->in, &writing->rules);

	for (size_t i = 0; i < planned->hop_count; i++)
		count += planned->hops[i].total;
	return count == 1 && planned->outlier.cap == MRD_CAP_REGIONAL;
}

static void check_detectors(struct writing *writing)
{
	const struct mrd_effective *effective = &writing->effective;

	if (effective->outlier && !mrd_outlier_ejects(effective->outlier))
		WARNING(writing, "outlierDetection (%s) %s%s", effective->outlier_place,
			mrd_outlier_ejects_nobody,
			writing->rules.mode == MRD_MODE_FAILOVER
				? "; readiness alone triggers the failover"
				: "");
	else if (effective->outlier && is_only_one(writing))
		WARNING(writing,
			"outlierDetection (%s) ejects nobody here: the only endpoint stays, since "
			"no other could take over",
			effective->outlier_place);
	else if (writing->words->planned->has_outlier && !effective->outlier &&
		 is_only_one(writing))
		WARNING(writing,
			"failed handshakes eject nobody here: the only endpoint stays, since no "
			"other could take over");
}

static void check_setting(struct writing *writing)
{
	const struct mrd_locality_setting *setting = writing->effective.locality;
	const enum mrd_mode mode = writing->words->planned->mode;

	if (setting && !setting->enabled &&
	    (mrd_locality_lists_failover(setting) || setting->distribute_count))
		WARNING(writing, "%s has a list that has no effect: it is not enabled",
			setting_of(&writing->effective));
	if (mode == MRD_MODE_FAILOVER && setting && setting->failover_count)
		check_failover(writing);
	if (mode == MRD_MODE_DISTRIBUTE && mrd_locality_lists_both(setting) &&
	    !writing->effective.fallback_next_region)
		WARNING(writing,
			"%s has a failover list that has no effect beside its distribution: "
			"meridian.dev/fallback is none",
			setting_of(&writing->effective));
	check_distribute(writing);
	if (writing->rules.distribute && writing->effective.regions_strict)
		WARNING(writing, "meridian.dev/regions: strict has no effect here: %s",
			writing->rules.falls_back ? "meridian.dev/fallback lets all regions follow"
						  : "the distribution lists who takes part");
	if (mode == MRD_MODE_FAILOVER && writing->words->planned->hop_count &&
	    !writing->effective.regions_strict && !has_other_region(writing) &&
	    !(writing->effective.cluster_local && writing->rules.preferred)) /* told already */
		WARNING(writing, "no other region than %s has an endpoint%s: nothing can take over",
			*writing->words->planned->hops[0].region
				? writing->words->planned->hops[0].region
				: "(unknown)",
			mrd_draft_stays(&writing->effective));
	if ((mode == MRD_MODE_FAILOVER ||
	     (writing->rules.distribute && writing->rules.falls_back)) &&
	    !writing->effective.outlier)
		WARNING(writing,
			"without outlierDetection no response of an endpoint triggers the "
			"failover: only its readiness %s",
			!writing->words->planned->has_outlier ? "does"
			: is_udp(writing)		      ? "and ICMP errors do"
							      : "and failed handshakes do");
}

/* --------------------------------------------------------------------------------- other rules */

/* Ports of the rule that holds, of which a wildcard's may be other services'. */
static void check_ports(struct writing *writing, size_t index, const struct mrd_rule_name *rule)
{
	const struct mrd_view *view = writing->words->view;
	const char *place;
	uint16_t number;

	for (size_t i = 0; !rule->is_wildcard && mrd_policy_rule_port(writing->words->input->policy,
								      index, i, &number, &place);
	     i++)
		if (!mrd_view_has_port(view, number))
			WARNING(writing,
				"portLevelSettings of port %" PRIu16 " (%s) has no effect: the "
				"Service has no such port (those of its pods do not count)",
				number, place);
}

/* Another rule for this service, in a namespace where it is looked for. */
static void check_rival(struct writing *writing, size_t index, const struct mrd_rule_name *rule)
{
	const char *holder;
	const char *place;

	mrd_policy_rule_holder(writing->words->input->policy, index, &holder, &place);
	if (strcmp(place, writing->effective.rule_place) != 0)
		WARNING(writing, "rule %s (%s) is for this host too, but %s goes before it",
			rule->label, rule->place, writing->effective.rule);
	else if (rule->has_policy) /* or it is there for its subsets */
		WARNING(writing,
			"rule %s (%s) is merged with %s, whose trafficPolicy came first: its own "
			"has no effect%s",
			rule->label, rule->place, holder,
			rule->has_annotations ? ", nor have its annotations" : "");
	else if (rule->has_annotations)
		WARNING(writing,
			"rule %s (%s) is merged with %s, which holds for this host: its "
			"annotations have no effect",
			rule->label, rule->place, holder);
}

/* A rule that says something about this service, but does not hold; or one beside it that says
 * something about nobody: its host, or its namespace, may be meant for this one. */
static void check_rule(struct writing *writing, size_t index)
{
	const struct mrd_policy *policy = writing->words->input->policy;
	const struct mrd_view *view = writing->words->view;
	struct mrd_rule_name rule;
	bool is_own;

	mrd_policy_rule_name(policy, index, &rule);
	is_own = !strcmp(rule.namespace_, view->namespace_);
	if (mrd_policy_rule_matches(policy, index, view->namespace_, view->name)) {
		if (!strcmp(rule.place, writing->effective.rule_place) &&
		    !strcmp(rule.label, writing->effective.rule)) {
			check_ports(writing, index, &rule);
			return;
		}
		if (!is_own && rule.is_root &&
		    !mrd_policy_rule_is_exported_to(policy, index, view->namespace_))
			WARNING(writing,
				"rule %s (%s) is for this host, but not exported to its "
				"namespace: it is not applied",
				rule.label, rule.place);
		else if (is_own || rule.is_root)
			check_rival(writing, index, &rule);
		else
			WARNING(writing,
				"rule %s (%s) is for this host, but not in its namespace: it is "
				"not applied",
				rule.label, rule.place);
		return;
	}
	if (mrd_plan_rule_has_service(policy, index, writing->words->input->model))
		return;
	if (is_own || rule.is_root)
		WARNING(writing, "rule %s (%s) has no effect: no Service is called %s", rule.label,
			rule.place, rule.host);
	else if (!rule.is_wildcard &&
		 mrd_policy_rule_matches(policy, index, rule.namespace_, view->name))
		WARNING(writing,
			"rule %s (%s) has no effect: no Service is called %s; a rule for this one "
			"stands in its namespace, %s",
			rule.label, rule.place, rule.host, view->namespace_);
}

/* --------------------------------------------------------------------------------------- whole */

static void copy(struct writing *writing, const char *text, char **ret_copy)
{
	*ret_copy = strdup(text);
	writing->no_memory |= !*ret_copy;
}

/* The Service's trafficDistribution goes before the mesh's locality setting. */
static void pass_over_mesh(struct writing *writing)
{
	struct mrd_effective *effective = &writing->effective;

	if (effective->locality)
		WARNING(writing,
			"%s (%s) has no effect here: the Service's trafficDistribution goes before "
			"it",
			setting_of(effective), effective->locality_place);
	effective->locality = NULL;
	effective->locality_origin = MRD_ORIGIN_NONE;
	effective->locality_place = "";
}

static void check_panic(struct writing *writing)
{
	const struct mrd_effective *effective = &writing->effective;

	if (effective->min_health_percent !=
	    mrd_draft_panic_percent(writing->words->view, effective))
		WARNING(writing,
			"minHealthPercent %" PRIu32 " (%s) has no effect here: with the Service's "
			"trafficDistribution no region panics",
			effective->min_health_percent, effective->outlier_place);
}

static void check_rules(struct writing *writing)
{
	for (size_t i = 0; i < mrd_policy_rule_count(writing->words->input->policy); i++)
		check_rule(writing, i);
}

int mrd_explain_add_rule_warnings(const struct mrd_explain_input *input,
				  const struct mrd_view *view, uint16_t number,
				  struct mrd_explained_port *port)
{
	const struct mrd_explain_words words = {.input = input, .view = view};
	struct writing writing = {.words = &words, .port = port};

	mrd_policy_effective(input->policy, view->namespace_, view->name, number,
			     &writing.effective);
	check_rules(&writing);
	return writing.no_memory ? -ENOMEM : 0;
}

int mrd_explain_add_words(const struct mrd_explain_words *words, struct mrd_explained_port *port)
{
	const struct mrd_policy *policy = words->input->policy;
	struct writing writing = {.words = words, .port = port};

	mrd_policy_effective(policy, words->view->namespace_, words->view->name,
			     words->planned->number, &writing.effective);
	if (mrd_draft_is_by_service(words->view, &writing.effective))
		pass_over_mesh(&writing);
	writing.in = (struct mrd_draft_input){
		.model = words->input->model,
		.view = words->view,
		.port = words->seen,
		.effective = &writing.effective,
		.node = words->input->node,
		.ejections = words->input->ejections.is_ejected ? &words->input->ejections : NULL,
	};
	mrd_draft_find_rules(&writing.in, &writing.rules);
	copy(&writing, writing.effective.rule, &port->rule);
	copy(&writing, writing.effective.rule_place, &port->rule_place);
	copy(&writing, writing.effective.locality_place, &port->locality_place);
	copy(&writing, writing.effective.outlier_place, &port->outlier_place);
	add_reasons(&writing);
	check_setting(&writing);
	check_losses(&writing);
	check_detectors(&writing);
	check_panic(&writing);
	check_rules(&writing);
	return writing.no_memory ? -ENOMEM : 0;
}
