/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/plan_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/plan_text.h"

/* Where an entry is from: entries of all plans are sorted together. */
struct listed {
	const struct mrd_plan *plan;
	const struct mrd_plan_port *port;
};

static int compare_numbers(unsigned int a, unsigned int b)
{
	return (a > b) - (a < b);
}

static int compare_listed(const void *left, const void *right)
{
	const struct listed *a = left;
	const struct listed *b = right;
	int order = strcmp(a->plan->namespace_, b->plan->namespace_);

	order = order ?: strcmp(a->plan->service, b->plan->service);
	order = order ?: compare_numbers(a->port->number, b->port->number);
	order = order ?: compare_numbers(a->port->protocol, b->port->protocol);
	return order ?: compare_numbers(a->port->family, b->port->family);
}

static void add_text(struct mrd_strbuf *out, const char *key, const char *text)
{
	mrd_strbuf_addf(out, "\"%s\":", key);
	mrd_strbuf_add_json(out, text);
	mrd_strbuf_addf(out, ",");
}

/* 15 digits are what a double keeps of any decimal: 0.7 is printed as 0.7, and noise of the
 * arithmetic behind them is not printed. */
static void add_share(struct mrd_strbuf *out, double share)
{
	mrd_strbuf_addf(out, "\"share\":%.15g", share);
}

static void add_endpoint(const struct mrd_plan_endpoint *endpoint, struct mrd_strbuf *out)
{
	char text[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(out, "{");
	add_text(out, "address", mrd_ip_port_format(&endpoint->ip, endpoint->port, text));
	add_text(out, "cluster", endpoint->cluster_name);
	add_text(out, "state", mrd_state_name(endpoint->state));
	add_share(out, endpoint->share);
	mrd_strbuf_addf(out, "}");
}

static void add_hop(const struct mrd_plan_hop *hop, struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, "{");
	add_text(out, "region", hop->region);
	add_text(out, "zone", hop->zone);
	add_text(out, "subzone", hop->subzone);
	mrd_strbuf_addf(out, "\"priority\":%u,", hop->priority);
	add_share(out, hop->share);
	mrd_strbuf_addf(out, ",\"panic\":%s,\"healthy\":%u,\"total\":%u,\"endpoints\":[",
			hop->panic ? "true" : "false", hop->healthy, hop->total);
	for (size_t i = 0; i < hop->endpoint_count; i++) {
		mrd_strbuf_addf(out, "%s", i ? "," : "");
		add_endpoint(&hop->endpoints[i], out);
	}
	mrd_strbuf_addf(out, "]}");
}

void mrd_plan_port_json(const struct mrd_plan *plan, const struct mrd_plan_port *port,
			struct mrd_strbuf *out)
{
	MRD_AUTO_STRBUF struct mrd_strbuf service = {0};
	char text[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(&service, "%s/%s", plan->namespace_, plan->service);
	mrd_strbuf_addf(out, "{");
	add_text(out, "service", service.text ? service.text : "");
	add_text(out, "port", port->name);
	mrd_strbuf_addf(out, "\"number\":%u,", port->number);
	add_text(out, "protocol", mrd_protocol_name(port->protocol));
	add_text(out, "family", mrd_family_name(port->family));
	mrd_strbuf_addf(out, "\"vips\":[");
	for (size_t i = 0; i < port->vip_count; i++) {
		mrd_strbuf_addf(out, "%s", i ? "," : "");
		mrd_strbuf_add_json(out, mrd_ip_port_format(&port->vips[i], port->number, text));
	}
	mrd_strbuf_addf(out, "],");
	add_text(out, "mode", mrd_mode_name(port->mode));
	mrd_strbuf_addf(out, "\"hops\":[");
	for (size_t i = 0; i < port->hop_count; i++) {
		mrd_strbuf_addf(out, "%s", i ? "," : "");
		add_hop(&port->hops[i], out);
	}
	mrd_strbuf_addf(out, "],\"warnings\":[");
	for (size_t i = 0; i < port->warning_count; i++) {
		mrd_strbuf_addf(out, "%s", i ? "," : "");
		mrd_strbuf_add_json(out, port->warnings[i]);
	}
	mrd_strbuf_addf(out, "]}");
	out->failed |= service.failed;
}

void mrd_plan_node_text(const struct mrd_plan_node *node, struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, "%s", node->region);
	if (*node->zone || *node->subzone)
		mrd_strbuf_addf(out, "/%s", node->zone);
	if (*node->subzone)
		mrd_strbuf_addf(out, "/%s", node->subzone);
}

/* What has no entry, and why: "warnings", only if there is such a thing. */
static void add_left_out(struct mrd_plan *const *plans, size_t count, struct mrd_strbuf *out)
{
	const char *before = ",\"warnings\":[";

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < plans[i]->left_out_count; k++) {
			MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

			mrd_strbuf_addf(&text, "%s/%s: %s", plans[i]->namespace_, plans[i]->service,
					plans[i]->left_out[k].why);
			mrd_strbuf_addf(out, "%s", before);
			mrd_strbuf_add_json(out, text.text ? text.text : "");
			out->failed |= text.failed;
			before = ",";
		}
	}
	if (*before == ',' && !before[1])
		mrd_strbuf_addf(out, "]");
}

void mrd_plans_json(const struct mrd_plan_node *node, struct mrd_plan *const *plans, size_t count,
		    struct mrd_strbuf *out)
{
	MRD_AUTO_FREE struct listed *list = NULL;
	MRD_AUTO_STRBUF struct mrd_strbuf from = {0};
	size_t total = 0;
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		total += plans[i]->port_count;
	list = calloc(total + 1, sizeof(*list));
	mrd_plan_node_text(node, &from);
	if (!list || from.failed) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < plans[i]->port_count; k++)
			list[at++] = (struct listed){plans[i], &plans[i]->ports[k]};
	qsort(list, total, sizeof(*list), compare_listed);

	mrd_strbuf_addf(out, "{");
	add_text(out, "from", from.text);
	mrd_strbuf_addf(out, "\"services\":[");
	for (size_t i = 0; i < total; i++) {
		mrd_strbuf_addf(out, "%s", i ? "," : "");
		mrd_plan_port_json(list[i].plan, list[i].port, out);
	}
	mrd_strbuf_addf(out, "]");
	add_left_out(plans, count, out);
	mrd_strbuf_addf(out, "}\n");
}
