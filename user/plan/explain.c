/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The plan and what would change it; the words are in explain_words.c. */
#include "plan/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "plan/explain_eject.h"
#include "plan/explain_words.h"
#include "plan/plan_json.h"

/* Shares that differ by less look alike to everybody. */
#define SHARE_STEP 0.00005

/* -------------------------------------------------------------------------------------- target */

static bool copy_part(char to[MRD_NAME_LEN], const char *text, size_t len)
{
	if (!len || len >= MRD_NAME_LEN)
		return false;
	memcpy(to, text, len);
	to[len] = '\0';
	return true;
}

/* Names of ports have a letter (RFC 6335), so that no number is one. */
static bool is_port(const char *text)
{
	uint16_t number;

	return strpbrk(text, "abcdefghijklmnopqrstuvwxyz") || !mrd_port_parse(text, &number);
}

int mrd_explain_target_parse(const char *text, struct mrd_explain_target *ret_target)
{
	struct mrd_explain_target target = {0};
	const char *slash = strchr(text, '/');
	const char *colon = slash ? strchr(slash, ':') : NULL;
	const char *end = text + strlen(text);

	if (!slash || strpbrk(text, " \t\r\n") || strchr(slash + 1, '/'))
		return -EINVAL;
	if (!copy_part(target.namespace_, text, (size_t)(slash - text)) ||
	    !copy_part(target.service, slash + 1, (size_t)((colon ? colon : end) - slash - 1)))
		return -EINVAL;
	if (colon && !copy_part(target.port, colon + 1, (size_t)(end - colon - 1)))
		return -EINVAL;
	if (colon && !is_port(target.port))
		return -EDOM;
	*ret_target = target;
	return 0;
}

const char *mrd_explain_target_fault(int error)
{
	return error == -EDOM ? "explain takes as PORT a name, or a number from 1 to 65535 without "
				"sign or leading zero"
			      : "explain takes NAMESPACE/NAME[:PORT]";
}

static bool is_asked(const struct mrd_explain_target *target, const char *name, uint16_t number)
{
	uint16_t asked;

	if (!*target->port || !strcmp(target->port, name))
		return true;
	return !mrd_port_parse(target->port, &asked) && asked == number;
}

/* ------------------------------------------------------------------------------- planning again */

/* Ejections as they are, with what a "what if" changes. */
struct supposed {
	const struct mrd_plan_ejections *real;
	const struct mrd_what_if *what_if;
};

static bool is_the_one(const struct mrd_what_if *what_if, const struct mrd_view_endpoint *endpoint)
{
	return endpoint->port == what_if->port && !mrd_ip_compare(&endpoint->ip, &what_if->ip);
}

static bool is_supposed(void *self, const struct mrd_view *view, const struct mrd_view_port *port,
			const struct mrd_view_endpoint *endpoint)
{
	const struct supposed *supposed = self;
	const struct mrd_what_if *what_if = supposed->what_if;

	if (what_if->what == MRD_WHAT_RETURN)
		return false;
	if (what_if->what == MRD_WHAT_ENDPOINT_FAILS && is_the_one(what_if, endpoint))
		return true;
	return supposed->real->is_ejected &&
	       supposed->real->is_ejected(supposed->real->self, view, port, endpoint);
}

static uint64_t region_back_ms(void *self, const struct mrd_view *view,
			       const struct mrd_view_port *port, const char *region)
{
	const struct mrd_plan_ejections *real = ((const struct supposed *)self)->real;

	return real->region_back_ms ? real->region_back_ms(real->self, view, port, region)
				    : UINT64_MAX;
}

static uint64_t endpoint_back_ms(void *self, const struct mrd_view *view,
				 const struct mrd_view_port *port,
				 const struct mrd_view_endpoint *endpoint)
{
	const struct mrd_plan_ejections *real = ((const struct supposed *)self)->real;

	return real->endpoint_back_ms ? real->endpoint_back_ms(real->self, view, port, endpoint)
				      : UINT64_MAX;
}

static void suppose_endpoint(struct mrd_view_endpoint *endpoint, const struct mrd_what_if *what_if)
{
	if (what_if->what == MRD_WHAT_READY)
		endpoint->ready = endpoint->ready || !endpoint->terminating;
	else if (what_if->what == MRD_WHAT_REGION_FAILS
			 ? !strcmp(endpoint->locality.region, what_if->region)
			 : what_if->what == MRD_WHAT_ENDPOINT_UNREADY &&
				   is_the_one(what_if, endpoint))
		endpoint->ready = endpoint->serving = false;
}

static void supposed_view_free(struct mrd_view *view)
{
	for (size_t i = 0; i < view->port_count; i++)
		free(view->ports[i].endpoints);
	free(view->ports);
}

/* The view with what the "what if" says of readiness; borrows the rest. -ENOMEM: nothing is there.
 */
static int supposed_view(const struct mrd_view *view, const struct mrd_what_if *what_if,
			 struct mrd_view *ret_view)
{
	*ret_view = *view;
	ret_view->ports = calloc(view->port_count + 1, sizeof(*ret_view->ports));
	if (!ret_view->ports)
		return -ENOMEM;
	for (ret_view->port_count = 0; ret_view->port_count < view->port_count;) {
		const struct mrd_view_port *seen = &view->ports[ret_view->port_count];
		struct mrd_view_port *port = &ret_view->ports[ret_view->port_count++];

		*port = *seen;
		port->endpoints = calloc(seen->endpoint_count + 1, sizeof(*port->endpoints));
		if (!port->endpoints) {
			supposed_view_free(ret_view);
			return -ENOMEM;
		}
		for (size_t i = 0; i < seen->endpoint_count; i++) {
			port->endpoints[i] = seen->endpoints[i];
			suppose_endpoint(&port->endpoints[i], what_if);
		}
	}
	return 0;
}

static struct mrd_region_share *find_share(struct mrd_region_share *shares, size_t count,
					   const char *region)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(shares[i].region, region))
			return &shares[i];
	return NULL;
}

static void free_shares(struct mrd_region_share *shares, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(shares[i].region);
	free(shares);
}

/* The hops' shares added up by region. */
static int add_up(const struct mrd_plan_port *port, struct mrd_region_share **ret_shares,
		  size_t *ret_count)
{
	struct mrd_region_share *shares = calloc(port->hop_count + 1, sizeof(*shares));
	size_t count = 0;

	if (!shares)
		return -ENOMEM;
	for (size_t i = 0; i < port->hop_count; i++) {
		const struct mrd_plan_hop *hop = &port->hops[i];
		struct mrd_region_share *at = find_share(shares, count, hop->region);

		if (!at) {
			at = &shares[count++];
			at->region = strdup(hop->region);
		}
		if (!at->region) {
			free_shares(shares, count);
			return -ENOMEM;
		}
		at->share += hop->share;
	}
	*ret_shares = shares;
	*ret_count = count;
	return 0;
}

static bool differs(struct mrd_region_share *now, size_t now_count, const struct mrd_what_if *then)
{
	for (size_t i = 0; i < then->share_count; i++) {
		const struct mrd_region_share *before =
			find_share(now, now_count, then->shares[i].region);
		const double difference = then->shares[i].share - (before ? before->share : 0);

		if (difference > SHARE_STEP || difference < -SHARE_STEP)
			return true;
	}
	return now_count != then->share_count;
}

/* One port while it is explained. */
struct explaining {
	const struct mrd_explain_input *input;
	const struct mrd_view *view;
	const struct mrd_view_port *seen;
	const struct mrd_plan_port *planned;
	struct mrd_explained_port *port;
	struct mrd_explain_detector detector;
	struct mrd_region_share *shares; /* as they are */
	size_t share_count;
};

static int suppose(struct explaining *explaining, const struct mrd_what_if *what)
{
	const struct mrd_explain_input *input = explaining->input;
	struct mrd_explained_port *port = explaining->port;
	struct mrd_what_if *ifs = reallocarray(port->ifs, port->if_count + 1, sizeof(*ifs));
	struct mrd_what_if *what_if;
	struct supposed supposed = {.real = &input->ejections};
	const struct mrd_plan_ejections ejections = {
		.is_ejected = is_supposed,
		.region_back_ms = region_back_ms,
		.endpoint_back_ms = endpoint_back_ms,
		.self = &supposed,
	};
	struct mrd_view view;
	struct mrd_plan *plan;
	int r;

	if (!ifs)
		return -ENOMEM;
	port->ifs = ifs;
	what_if = &ifs[port->if_count++];
	*what_if = *what;
	what_if->region = strdup(what->region);
	if (!what_if->region)
		return -ENOMEM;
	supposed.what_if = what_if;
	r = supposed_view(explaining->view, what_if, &view);
	if (r)
		return r;
	r = mrd_plan_make(&view, input->model, input->policy, input->node, &ejections, &plan);
	supposed_view_free(&view);
	if (r)
		return r;
	/* The same ports in the same order: they come from view and policy alone. */
	r = add_up(&plan->ports[port->index], &what_if->shares, &what_if->share_count);
	what_if->warms_up = plan->ports[port->index].again_ms != 0;
	mrd_plan_free(plan);
	if (!r)
		what_if->changes = differs(explaining->shares, explaining->share_count, what_if);
	return r;
}

/* How many of the region's endpoints may be handed out, and the first that could fail yet. */
static size_t usable_in(const struct mrd_plan_port *port, const char *region,
			const struct mrd_plan_endpoint **ret_first)
{
	size_t count = 0;

	for (size_t i = 0; i < port->hop_count; i++) {
		const struct mrd_plan_hop *hop = &port->hops[i];

		for (size_t k = 0; k < hop->endpoint_count; k++)
			if (!strcmp(hop->region, region) && hop->endpoints[k].usable) {
				if (!*ret_first && hop->endpoints[k].state != MRD_STATE_EJECTED)
					*ret_first = &hop->endpoints[k];
				count++;
			}
	}
	return count;
}

/* What stands outside the route on this node has no say in it. */
static bool is_in_route(const struct mrd_plan_port *planned,
			const struct mrd_view_endpoint *endpoint)
{
	for (size_t i = 0; i < planned->hop_count; i++)
		for (size_t k = 0; k < planned->hops[i].endpoint_count; k++) {
			const struct mrd_plan_endpoint *at = &planned->hops[i].endpoints[k];

			if (at->port == endpoint->port && !mrd_ip_compare(&at->ip, &endpoint->ip))
				return true;
		}
	return false;
}

static bool waits_for_readiness(const struct explaining *explaining)
{
	const struct mrd_view_port *seen = explaining->seen;

	for (size_t i = 0; i < seen->endpoint_count; i++)
		if (!seen->endpoints[i].ready && !seen->endpoints[i].terminating &&
		    is_in_route(explaining->planned, &seen->endpoints[i]))
			return true;
	return false;
}

/* An ejection that cannot be is not supposed; every endpoint can stop being ready. */
static int suppose_failure(struct explaining *explaining, char *region,
			   const struct mrd_plan_endpoint *endpoint)
{
	const enum mrd_explain_eject eject = mrd_explain_eject(&explaining->detector, endpoint);

	return suppose(explaining,
		       &(struct mrd_what_if){
			       .what = eject == MRD_EXPLAIN_EJECT_MAY ? MRD_WHAT_ENDPOINT_FAILS
								      : MRD_WHAT_ENDPOINT_UNREADY,
			       .region = region,
			       .ip = endpoint->ip,
			       .port = endpoint->port,
			       .capped = eject == MRD_EXPLAIN_EJECT_CAPPED,
		       });
}

/* Regions without a share are left out: losing them changes nothing now. */
static int suppose_all(struct explaining *explaining)
{
	static char nowhere[] = "";
	int r = 0;

	for (size_t i = 0; !r && i < explaining->share_count; i++) {
		const struct mrd_plan_endpoint *first = NULL;
		const struct mrd_what_if lost = {
			.what = MRD_WHAT_REGION_FAILS,
			.region = explaining->shares[i].region,
		};
		const size_t usable = usable_in(explaining->planned, lost.region, &first);

		if (explaining->shares[i].share <= 0 || !usable)
			continue;
		if (usable > 1 && first)
			r = suppose_failure(explaining, lost.region, first);
		r = r ?: suppose(explaining, &lost);
	}
	if (!r && explaining->port->ejection_count)
		r = suppose(explaining,
			    &(struct mrd_what_if){.what = MRD_WHAT_RETURN, .region = nowhere});
	if (!r && waits_for_readiness(explaining))
		r = suppose(explaining,
			    &(struct mrd_what_if){.what = MRD_WHAT_READY, .region = nowhere});
	return r;
}

/* ----------------------------------------------------------------------------------- ejections */

static const struct mrd_view_port *seen_port(const struct mrd_view *view,
					     const struct mrd_plan_port *planned)
{
	const enum mrd_ip_version version =
		planned->family == MRD_FAMILY_IPV6 ? MRD_IPV6 : MRD_IPV4;
	const enum mrd_transport transport =
		planned->protocol == MRD_PROTOCOL_UDP ? MRD_TRANSPORT_UDP : MRD_TRANSPORT_TCP;

	for (size_t i = 0; i < view->port_count; i++)
		if (view->ports[i].number == planned->number &&
		    view->ports[i].transport == transport && view->ports[i].version == version)
			return &view->ports[i];
	return NULL; /* not met: the plan was made of this view */
}

static int add_ejections(struct explaining *explaining, const struct mrd_view_port *seen)
{
	const struct mrd_explain_input *input = explaining->input;
	struct mrd_explained_port *port = explaining->port;

	port->ejections = calloc(seen->endpoint_count + 1, sizeof(*port->ejections));
	if (!port->ejections)
		return -ENOMEM;
	for (size_t i = 0; input->ejections.is_ejected && i < seen->endpoint_count; i++) {
		const struct mrd_view_endpoint *endpoint = &seen->endpoints[i];
		struct mrd_explained_ejection *ejection = &port->ejections[port->ejection_count];

		if (!endpoint->ready ||
		    !input->ejections.is_ejected(input->ejections.self, explaining->view, seen,
						 endpoint) ||
		    !is_in_route(explaining->planned, endpoint))
			continue;
		*ejection = (struct mrd_explained_ejection){
			.ip = endpoint->ip,
			.port = endpoint->port,
		};
		ejection->is_timed =
			input->left_ms && input->left_ms(input->ejections.self, explaining->view,
							 seen, endpoint, &ejection->left_ms);
		port->ejection_count++;
	}
	return 0;
}

/* --------------------------------------------------------------------------------------- whole */

static int explain_port(const struct mrd_explain_input *input, const struct mrd_view *view,
			const struct mrd_plan *plan, struct mrd_explained_port *port)
{
	struct explaining explaining = {
		.input = input,
		.view = view,
		.seen = seen_port(view, &plan->ports[port->index]),
		.planned = &plan->ports[port->index],
		.port = port,
	};
	const struct mrd_explain_words words = {
		.input = input,
		.view = view,
		.planned = explaining.planned,
		.seen = explaining.seen,
	};
	int r = explaining.seen ? add_ejections(&explaining, explaining.seen) : -ENXIO;

	r = r ?: mrd_explain_add_words(&words, port);
	r = r ?: add_up(explaining.planned, &explaining.shares, &explaining.share_count);
	if (!r)
		r = mrd_explain_detector_make(input, view, explaining.seen, plan, port->index,
					      &explaining.detector);
	r = r ?: suppose_all(&explaining);
	mrd_explain_detector_clear(&explaining.detector);
	free_shares(explaining.shares, explaining.share_count);
	return r;
}

static int add_left_out(const struct mrd_explain_target *target,
			struct mrd_explanation *explanation)
{
	const struct mrd_plan *plan = explanation->plan;

	explanation->left_out = calloc(plan->left_out_count + 1, sizeof(*explanation->left_out));
	if (!explanation->left_out)
		return -ENOMEM;
	for (size_t i = 0; i < plan->left_out_count; i++)
		if (is_asked(target, plan->left_out[i].port_name, plan->left_out[i].number))
			explanation->left_out[explanation->left_out_count++] = &plan->left_out[i];
	return 0;
}

/* Of ports that are not planned there is no entry that could say what rules do not. */
static int add_warnings(const struct mrd_explain_input *input, const struct mrd_view *view,
			uint16_t number, struct mrd_explanation *explanation)
{
	struct mrd_explained_port port = {0};
	const int r = mrd_explain_add_rule_warnings(input, view, number, &port);

	explanation->warnings = port.warnings;
	explanation->warning_count = port.warning_count;
	return r;
}

static int explain(const struct mrd_explain_input *input, const struct mrd_view *view,
		   struct mrd_explanation *explanation)
{
	MRD_AUTO_STRBUF struct mrd_strbuf from = {0};
	const struct mrd_plan_left_out *first;
	int r = mrd_plan_make(view, input->model, input->policy, input->node,
			      input->ejections.is_ejected ? &input->ejections : NULL,
			      &explanation->plan);

	if (r)
		return r;
	mrd_plan_node_text(input->node, &from);
	explanation->from = mrd_strbuf_steal(&from);
	explanation->unwritten = input->unwritten ? strdup(input->unwritten) : NULL;
	explanation->unwritten_ms = input->unwritten_ms;
	explanation->ports = calloc(explanation->plan->port_count + 1, sizeof(*explanation->ports));
	if (!explanation->from || !explanation->ports ||
	    (input->unwritten && !explanation->unwritten))
		return -ENOMEM;
	r = add_left_out(input->target, explanation);
	for (size_t i = 0; !r && i < explanation->plan->port_count; i++) {
		const struct mrd_plan_port *planned = &explanation->plan->ports[i];
		struct mrd_explained_port *port = &explanation->ports[explanation->port_count];

		if (!is_asked(input->target, planned->name, planned->number))
			continue;
		port->index = i;
		explanation->port_count++;
		r = explain_port(input, view, explanation->plan, port);
	}
	if (r || explanation->port_count)
		return r;
	first = explanation->left_out[0];
	return first ? add_warnings(input, view, first->number, explanation) : -ENXIO;
}

static void explanation_cleanup(struct mrd_explanation **explanation)
{
	mrd_explanation_free(*explanation);
}

int mrd_explain_make(const struct mrd_explain_input *input,
		     struct mrd_explanation **ret_explanation)
{
	MRD_CLEANUP(explanation_cleanup)
	struct mrd_explanation *explanation = calloc(1, sizeof(*explanation));
	struct mrd_view *view;
	int r;

	if (!explanation)
		return -ENOMEM;
	r = mrd_model_view(input->model, input->target->namespace_, input->target->service, &view);
	if (r)
		return r;
	r = explain(input, view, explanation);
	mrd_view_free(view);
	if (!r)
		*ret_explanation = MRD_STEAL_PTR(explanation);
	return r;
}

const char *mrd_explain_failure(int error)
{
	return error == -ENXIO ? "the service has no such port"
			       : "the home cluster has no such Service with an address to serve";
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void mrd_explanation_free(struct mrd_explanation *explanation)
{
	if (!explanation)
		return;
	for (size_t i = 0; i < explanation->port_count; i++) {
		struct mrd_explained_port *port = &explanation->ports[i];

		for (size_t k = 0; k < port->if_count; k++) {
			free(port->ifs[k].region);
			free_shares(port->ifs[k].shares, port->ifs[k].share_count);
		}
		free(port->ifs);
		free(port->ejections);
		free_texts(port->reasons, port->reason_count);
		free_texts(port->warnings, port->warning_count);
		free(port->rule);
		free(port->rule_place);
		free(port->locality_place);
		free(port->outlier_place);
	}
	free(explanation->ports);
	free(explanation->left_out);
	free_texts(explanation->warnings, explanation->warning_count);
	free(explanation->from);
	free(explanation->unwritten);
	mrd_plan_free(explanation->plan);
	free(explanation);
}
