/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Copies each port's draft (draft.h) into a plan that borrows nothing, with its warnings. */
#include "plan/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/draft.h"

#define MRD_AUTO_DRAFT __attribute__((cleanup(mrd_draft_free)))

static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = strdup(text);
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

/* ------------------------------------------------------------------------------ warnings */

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

static int add_warnings(const struct mrd_draft_input *in, const struct mrd_draft *draft,
			struct mrd_plan_port *port)
{
	int r = 0;

	for (size_t i = 0; !r && i < in->view->warning_count; i++)
		r = warn(port, "%s", in->view->warnings[i]);
	if (!r && draft->rules.mode != MRD_MODE_POOL && !*in->node->region)
		r = warn(port, "the region of this node is not known: no endpoint is near");
	if (!r && draft->joined)
		r = warn(port,
			 "more than %d localities: those of one region and priority are joined",
			 MRD_HOPS_MAX);
	return r ? r : warn_about_use(draft, port);
}

/* --------------------------------------------------------------------------------- copies */

static int copy_endpoint(const struct mrd_model *model, const struct mrd_draft_endpoint *from,
			 const struct mrd_draft_hop *hop, struct mrd_plan_endpoint *to)
{
	const bool usable = mrd_draft_usable(hop->accept, from->state);

	*to = (struct mrd_plan_endpoint){
		.ip = from->seen->ip,
		.port = from->seen->port,
		.cluster = from->seen->cluster,
		.state = from->state,
		.usable = usable,
		.share = usable ? hop->share / mrd_draft_usable_count(hop) : 0,
	};
	return copy_text(mrd_model_cluster_name(model, from->seen->cluster), &to->cluster_name);
}

static int copy_hop(const struct mrd_model *model, const struct mrd_draft *draft,
		    const struct mrd_draft_hop *from, struct mrd_plan_hop *to)
{
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
		r = copy_endpoint(model, &draft->endpoints[from->first + i], from,
				  &to->endpoints[i]);
	}
	return r;
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

static int make_port(const struct mrd_model *model, const struct mrd_draft_input *in,
		     struct mrd_plan_port *port)
{
	MRD_AUTO_DRAFT struct mrd_draft draft = {0};
	int r = copy_identity(in->port, port);

	if (!r)
		r = mrd_draft_make(in, &draft);
	if (r)
		return r;

	port->mode = draft.rules.mode;
	port->has_outlier = in->effective->outlier;
	if (port->has_outlier)
		port->outlier = *in->effective->outlier;
	port->hops = calloc(draft.hop_count + 1, sizeof(*port->hops));
	if (!port->hops)
		return -ENOMEM;
	for (size_t i = 0; !r && i < draft.hop_count; i++) {
		port->hop_count++;
		r = copy_hop(model, &draft, &draft.hops[i], &port->hops[i]);
	}
	return r ? r : add_warnings(in, &draft, port);
}

static int fill_plan(const struct mrd_model *model, const struct mrd_policy *policy,
		     const struct mrd_draft_input *common, struct mrd_plan *plan)
{
	const struct mrd_view *view = common->view;
	int r = copy_text(view->namespace_, &plan->namespace_);

	if (!r)
		r = copy_text(view->name, &plan->service);
	if (r)
		return r;
	plan->affinity_timeout_s = view->affinity_timeout_s;
	plan->ports = calloc(view->port_count + 1, sizeof(*plan->ports));
	if (!plan->ports)
		return -ENOMEM;

	for (size_t i = 0; !r && i < view->port_count; i++) {
		struct mrd_draft_input in = *common;
		struct mrd_effective effective;

		mrd_policy_effective(policy, view->namespace_, view->name, view->ports[i].number,
				     &effective);
		if (effective.lb == MRD_LB_PASSTHROUGH)
			continue;
		in.port = &view->ports[i];
		in.effective = &effective;
		r = make_port(model, &in, &plan->ports[plan->port_count++]);
	}
	return r;
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
		.home = mrd_model_home(model),
	};
	struct mrd_plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return -ENOMEM;
	r = fill_plan(model, policy, &in, plan);
	if (r) {
		mrd_plan_free(plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
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

static void free_port(struct mrd_plan_port *port)
{
	for (size_t i = 0; i < port->hop_count; i++)
		free_hop(&port->hops[i]);
	for (size_t i = 0; i < port->warning_count; i++)
		free(port->warnings[i]);
	free(port->hops);
	free(port->warnings);
	free(port->vips);
	free(port->name);
}

void mrd_plan_free(struct mrd_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->port_count; i++)
		free_port(&plan->ports[i]);
	free(plan->ports);
	free(plan->namespace_);
	free(plan->service);
	free(plan);
}
