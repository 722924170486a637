/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Copies each port's draft (draft.h) into a plan that borrows nothing. */
#include "plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/draft.h"

#define MRD_AUTO_DRAFT __attribute__((cleanup(mrd_draft_free)))

/* consistentHash has no time of its own; Kubernetes' longest is as good as for ever. */
enum { HASH_AFFINITY_S = 86400 };

static void free_left_out(struct mrd_plan_left_out *left_out)
{
	free(left_out->why);
	free(left_out->rule);
	free(left_out->rule_place);
	free(left_out->port_name);
}

static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = strdup(text ? text : "");
	return *ret_copy ? 0 : -ENOMEM;
}

static enum mrd_family family_of(enum mrd_ip_version version)
{
	return version == MRD_IPV6 ? MRD_FAMILY_IPV6 : MRD_FAMILY_IPV4;
}

/* The model offers TCP and UDP ports only. */
static enum mrd_protocol protocol_of(enum mrd_transport transport)
{
	return transport == MRD_TRANSPORT_UDP ? MRD_PROTOCOL_UDP : MRD_PROTOCOL_TCP;
}

/* --------------------------------------------------------------------------------- copies */

/* What the weights of those that a hop may hand out add up to. */
static double usable_weight(const struct mrd_draft *draft, const struct mrd_draft_hop *hop)
{
	double sum = 0;

	for (size_t i = hop->first; i < hop->first + hop->count; i++)
		if (mrd_draft_usable(hop->accept, draft->endpoints[i].state))
			sum += draft->endpoints[i].weight;
	return sum;
}

static int copy_endpoint(const struct mrd_model *model, const struct mrd_draft_endpoint *from,
			 const struct mrd_draft_hop *hop, double weights,
			 struct mrd_plan_endpoint *to)
{
	const bool usable = mrd_draft_usable(hop->accept, from->state);

	*to = (struct mrd_plan_endpoint){
		.ip = from->seen->ip,
		.port = from->seen->port,
		.cluster = from->seen->cluster,
		.state = from->state,
		.unheard = from->seen->unheard,
		.uncounted = from->uncounted,
		.usable = usable,
		.weight = from->weight,
		.share = usable ? hop->share * from->weight / weights : 0,
	};
	if (from->seen->twin) {
		to->twin_ip = from->seen->twin->ip;
		to->twin_port = from->seen->twin->port;
	}
	return copy_text(mrd_model_cluster_name(model, from->seen->cluster), &to->cluster_name);
}

static int copy_hop(const struct mrd_model *model, const struct mrd_draft *draft,
		    const struct mrd_draft_hop *from, struct mrd_plan_hop *to)
{
	const double weights = usable_weight(draft, from);
	int r;

	*to = (struct mrd_plan_hop){
		.priority = from->priority,
		.accept = from->accept,
		.panic = from->panic,
		.share = from->share,
		.healthy = from->active,
		.total = from->total,
	};
	r = copy_text(from->locality.region, &to->region);
	if (!r)
		r = copy_text(from->locality.zone, &to->zone);
	if (!r)
		r = copy_text(from->locality.subzone, &to->subzone);
	if (r)
		return r;

	to->endpoints = calloc(from->count + 1, sizeof(*to->endpoints));
	if (!to->endpoints)
		return -ENOMEM;
	for (size_t i = 0; !r && i < from->count; i++) {
		to->endpoint_count++;
		r = copy_endpoint(model, &draft->endpoints[from->first + i], from, weights,
				  &to->endpoints[i]);
	}
	return r;
}

static bool has_unheard(const struct mrd_draft *draft)
{
	bool any = false;

	for (size_t i = 0; i < draft->endpoint_count; i++)
		any |= draft->endpoints[i].seen->unheard;
	return any;
}

static int copy_identity(const struct mrd_view_port *from, struct mrd_plan_port *to)
{
	to->number = from->number;
	to->protocol = protocol_of(from->transport);
	to->family = family_of(from->version);
	to->is_http = from->is_http;
	to->vips = calloc(from->vip_count + 1, sizeof(*to->vips));
	if (!to->vips)
		return -ENOMEM;
	to->vip_count = from->vip_count;
	if (from->vip_count)
		memcpy(to->vips, from->vips, from->vip_count * sizeof(*to->vips));
	return copy_text(from->name, &to->name);
}

/* The Service's own sessionAffinity goes before the rule's consistentHash. */
static uint32_t affinity_of(const struct mrd_draft_input *in)
{
	if (in->view->affinity_timeout_s)
		return in->view->affinity_timeout_s;
	return in->effective->hash_source_ip ? HASH_AFFINITY_S : 0;
}

static enum mrd_eject_action eject_action(enum mrd_on_eject on_eject)
{
	switch (on_eject) {
	case MRD_ON_EJECT_CLOSE:
		return MRD_EJECT_CLOSE;
	case MRD_ON_EJECT_RESET:
		return MRD_EJECT_RESET;
	case MRD_ON_EJECT_KEEP:
		break;
	}
	return MRD_EJECT_KEEP;
}

static void set_setting(const struct mrd_effective *from, struct mrd_plan_port *to)
{
	const struct mrd_pool_rule *pool = from->pool;

	to->setting = (struct mrd_setting){
		.rescue = from->rescue_off ? MRD_RESCUE_OFF : MRD_RESCUE_ON,
		.on_eject = eject_action(from->on_eject),
	};
	if (to->protocol != MRD_PROTOCOL_TCP)
		return;
	to->setting.syn_timeout_ms = (uint32_t)from->syn_timeout_ms;
	to->setting.connect_timeout_ms = (uint32_t)pool->connect_timeout_ms;
	to->setting.max_connections = pool->max_connections;
	to->setting.max_requests = pool->max_requests_per_connection;
	to->setting.keepalive = pool->has_keepalive;
	to->setting.keepalive_idle_s = mrd_keepalive_seconds(pool->keepalive_time_ms);
	to->setting.keepalive_interval_s = mrd_keepalive_seconds(pool->keepalive_interval_ms);
	to->setting.keepalive_probes = mrd_keepalive_probes(pool->keepalive_probes);
}

static int copy_policy(const struct mrd_draft_input *in, struct mrd_plan_port *to)
{
	const struct mrd_effective *from = in->effective;
	const bool is_by_service = mrd_draft_is_by_service(in->view, from);
	const struct mrd_outlier_rule *detector = mrd_effective_detector(
		from, in->view->traffic_distribution != MRD_DISTRIBUTION_NONE);
	int r = copy_text(from->rule, &to->rule);

	if (!r)
		r = copy_text(from->rule_place, &to->rule_place);
	if (!r)
		r = copy_text(is_by_service ? "" : from->locality_place, &to->locality_place);
	if (!r)
		r = copy_text(from->outlier_place, &to->outlier_place);
	to->has_outlier = detector;
	if (to->has_outlier)
		to->outlier = *detector;
	to->warms_regions = from->region_warmup_ms != 0;
	to->warms_endpoints = from->warmup.duration_ms != 0;
	set_setting(from, to);
	return r;
}

int mrd_plan_port_make(const struct mrd_draft_input *in, struct mrd_plan_port *port)
{
	MRD_AUTO_DRAFT struct mrd_draft draft = {0};
	int r = copy_identity(in->port, port);

	if (!r)
		r = copy_policy(in, port);
	if (!r)
		r = mrd_draft_make(in, &draft);
	if (r)
		return r;

	port->mode = draft.rules.mode;
	port->again_ms = draft.again_ms;
	port->has_unheard = has_unheard(&draft);
	port->affinity_timeout_s = affinity_of(in);
	port->hops = calloc(draft.hop_count + 1, sizeof(*port->hops));
	if (!port->hops)
		return -ENOMEM;
	for (size_t i = 0; !r && i < draft.hop_count; i++) {
		port->hop_count++;
		r = copy_hop(in->model, &draft, &draft.hops[i], &port->hops[i]);
	}
	return r ? r : mrd_draft_warn(in, &draft, port);
}

/* What two IP families have in common is said once. */
static bool is_left_out(const struct mrd_plan *plan, const char *why)
{
	return plan->left_out_count && !strcmp(plan->left_out[plan->left_out_count - 1].why, why);
}

/* Takes the text, which may be NULL: no memory. by is NULL for what no rule says. */
static int leave_out(struct mrd_plan *plan, char *why, const char *port_name, uint16_t number,
		     const struct mrd_effective *by)
{
	struct mrd_plan_left_out *grown =
		reallocarray(plan->left_out, plan->left_out_count + 1, sizeof(*grown));
	struct mrd_plan_left_out left_out = {.why = why, .number = number};
	int r = copy_text(port_name, &left_out.port_name);

	plan->left_out = grown ?: plan->left_out;
	r = r ?: copy_text(by ? by->rule : "", &left_out.rule);
	r = r ?: copy_text(by ? by->lb_place : "", &left_out.rule_place);
	if (r || !grown || !why || is_left_out(plan, why)) {
		free_left_out(&left_out);
		return grown && why ? r : -ENOMEM;
	}
	grown[plan->left_out_count++] = left_out;
	return 0;
}

/* A port that its policy leaves alone. */
static int leave_out_by_rule(const struct mrd_view_port *port,
			     const struct mrd_effective *effective, struct mrd_plan *plan)
{
	MRD_AUTO_STRBUF struct mrd_strbuf why = {0};

	mrd_strbuf_addf(&why, "port %u is left alone: loadBalancer.simple is PASSTHROUGH",
			port->number);
	return leave_out(plan, mrd_strbuf_steal(&why), port->name, port->number, effective);
}

static bool is_told(const struct mrd_view *view, const struct mrd_view_warning *warning)
{
	for (size_t i = 0; i < view->port_count; i++)
		if (mrd_view_warning_is_about(warning, &view->ports[i]))
			return true;
	return false;
}

/* What an older service's claims left nothing of. */
static int leave_out_claimed(const struct mrd_view *view, struct mrd_plan *plan)
{
	int r = 0;

	for (size_t i = 0; !r && i < view->warning_count; i++) {
		const struct mrd_view_warning *warning = &view->warnings[i];

		if (!is_told(view, warning)) /* the port says so otherwise */
			r = leave_out(plan, strdup(warning->text), warning->port_name,
				      warning->port, NULL);
	}
	return r;
}

static int fill_plan(const struct mrd_policy *policy, const struct mrd_draft_input *common,
		     struct mrd_plan *plan)
{
	const struct mrd_view *view = common->view;
	int r = copy_text(view->namespace_, &plan->namespace_);

	if (!r)
		r = copy_text(view->name, &plan->service);
	if (r)
		return r;
	plan->ports = calloc(view->port_count + 1, sizeof(*plan->ports));
	if (!plan->ports)
		return -ENOMEM;

	for (size_t i = 0; !r && i < view->port_count; i++) {
		struct mrd_draft_input in = *common;
		struct mrd_effective effective;

		mrd_policy_effective(policy, view->namespace_, view->name, view->ports[i].number,
				     &effective);
		if (effective.lb == MRD_LB_PASSTHROUGH) {
			r = leave_out_by_rule(&view->ports[i], &effective, plan);
			continue;
		}
		in.port = &view->ports[i];
		in.effective = &effective;
		r = mrd_plan_port_make(&in, &plan->ports[plan->port_count++]);
	}
	return r ? r : leave_out_claimed(view, plan);
}

void mrd_plan_node_at(const struct mrd_model *model, size_t cluster,
		      const struct mrd_locality_name *at, const char *name,
		      struct mrd_plan_node *ret_node)
{
	const struct mrd_meta *object = mrd_model_find(model, cluster, MRD_KIND_NODE, "", name);

	*ret_node = (struct mrd_plan_node){
		.name = name,
		.region = at->region,
		.zone = at->zone,
		.subzone = at->subzone,
		.cluster = cluster,
		.labels = object ? &object->labels : NULL,
	};
}

int mrd_plan_make(const struct mrd_view *view, const struct mrd_model *model,
		  const struct mrd_policy *policy, const struct mrd_plan_node *node,
		  const struct mrd_plan_ejections *ejections, struct mrd_plan **ret_plan)
{
	const struct mrd_draft_input in = {
		.model = model,
		.view = view,
		.node = node,
		.ejections = ejections,
	};
	struct mrd_plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return -ENOMEM;
	r = fill_plan(policy, &in, plan);
	if (r) {
		mrd_plan_free(plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}

size_t mrd_plan_families_end(const struct mrd_plan *plan, size_t first)
{
	size_t end = first + 1;

	while (end < plan->port_count && plan->ports[end].number == plan->ports[first].number &&
	       plan->ports[end].protocol == plan->ports[first].protocol)
		end++;
	return end;
}

/* ----------------------------------------------------------------------------------- free */

static void free_hop(struct mrd_plan_hop *hop)
{
	for (size_t i = 0; i < hop->endpoint_count; i++)
		free(hop->endpoints[i].cluster_name);
	free(hop->endpoints);
	free(hop->region);
	free(hop->zone);
	free(hop->subzone);
}

void mrd_plan_port_clear(struct mrd_plan_port *port)
{
	for (size_t i = 0; i < port->hop_count; i++)
		free_hop(&port->hops[i]);
	for (size_t i = 0; i < port->warning_count; i++)
		free(port->warnings[i]);
	free(port->hops);
	free(port->warnings);
	free(port->vips);
	free(port->name);
	free(port->rule);
	free(port->rule_place);
	free(port->locality_place);
	free(port->outlier_place);
}

void mrd_plan_free(struct mrd_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->port_count; i++)
		mrd_plan_port_clear(&plan->ports[i]);
	for (size_t i = 0; i < plan->left_out_count; i++)
		free_left_out(&plan->left_out[i]);
	free(plan->left_out);
	free(plan->ports);
	free(plan->namespace_);
	free(plan->service);
	free(plan);
}
