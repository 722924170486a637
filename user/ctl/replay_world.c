/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/replay_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/model.h"

enum { PORT_MAX = 65535, DECIMAL = 10 };

#define VIP_IPV4 "192.0.2.1"   /* RFC 5737: of nobody */
#define VIP_IPV6 "2001:db8::1" /* RFC 3849 */

/* --------------------------------------------------------------------------------- endpoints */

int mrd_replay_locality_parse(const char *text, char *region, char *zone, char *subzone)
{
	char *const levels[] = {region, zone, subzone};
	enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

	for (size_t i = 0; i < LEVELS; i++)
		*levels[i] = '\0';
	for (size_t i = 0; i < LEVELS; i++) {
		const size_t len = strcspn(text, "/");

		if (!len || len >= MRD_NAME_LEN)
			return -EINVAL;
		memcpy(levels[i], text, len);
		levels[i][len] = '\0';
		if (!text[len])
			return 0;
		text += len + 1;
	}
	return -EINVAL;
}

static int parse_address(char *text, struct mrd_replay_endpoint *endpoint)
{
	char *colon = strrchr(text, ':');
	char *end;
	unsigned long port;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	*colon = '\0';
	port = strtoul(colon + 1, &end, DECIMAL);
	if (*end || !port || port > PORT_MAX)
		return -EINVAL;
	if (*text == '[') {
		const size_t len = strlen(text);

		if (text[len - 1] != ']')
			return -EINVAL;
		text[len - 1] = '\0';
		text++;
	} else if (strchr(text, ':')) {
		return -EINVAL; /* IPv6 without brackets */
	}
	endpoint->port = (uint16_t)port;
	return mrd_ip_parse(text, &endpoint->ip);
}

int mrd_replay_endpoint_parse(const char *text, struct mrd_replay_endpoint *ret_endpoint)
{
	MRD_AUTO_FREE char *copy = strdup(text);
	struct mrd_replay_endpoint endpoint = {0};
	char *at;

	if (!copy)
		return -ENOMEM;
	at = strchr(copy, '@');
	if (at)
		*at++ = '\0';
	if (at &&
	    mrd_replay_locality_parse(at, endpoint.region, endpoint.zone, endpoint.subzone) < 0)
		return -EINVAL;
	if (parse_address(copy, &endpoint) < 0)
		return -EINVAL;
	mrd_ip_port_format(&endpoint.ip, endpoint.port, endpoint.url);
	*ret_endpoint = endpoint;
	return 0;
}

/* ----------------------------------------------------------------------------------- objects */

/* An object with its name; NULL without memory. */
static void *new_object(size_t size, enum mrd_kind kind, const char *namespace_, const char *name)
{
	struct mrd_meta *meta = calloc(1, size);

	if (!meta)
		return NULL;
	meta->kind = kind;
	meta->namespace_ = mrd_text_copy(namespace_);
	meta->name = mrd_text_copy(name);
	meta->created = mrd_text_copy("");
	meta->resource_version = mrd_text_copy("");
	if (meta->namespace_ && meta->name && meta->created && meta->resource_version)
		return meta;
	mrd_object_free(meta);
	return NULL;
}

static int put(struct mrd_model *model, struct mrd_meta *object, bool whole)
{
	if (whole)
		return mrd_model_put(model, 0, object);
	mrd_object_free(object);
	return -ENOMEM;
}

static int put_service(struct mrd_model *model, const struct mrd_replay_service *replayed)
{
	const bool is_ipv6 = replayed->endpoints[0].ip.version == MRD_IPV6;
	struct mrd_service_object *service = new_object(sizeof(*service), MRD_KIND_SERVICE,
							replayed->namespace_, replayed->name);
	struct mrd_service_port *port;

	if (!service)
		return -ENOMEM;
	service->vips = calloc(1, sizeof(*service->vips));
	service->ports = calloc(1, sizeof(*service->ports));
	if (!service->vips || !service->ports)
		return put(model, &service->meta, false);
	service->vip_count = 1;
	service->port_count = 1;
	port = service->ports;
	*port = (struct mrd_service_port){
		.name = mrd_text_copy(replayed->is_http ? "http" : "tcp"),
		.app_protocol = mrd_text_copy(""),
		.transport = MRD_TRANSPORT_TCP,
		.port = replayed->port,
	};
	mrd_ip_parse(is_ipv6 ? VIP_IPV6 : VIP_IPV4, service->vips);
	return put(model, &service->meta, port->name && port->app_protocol);
}

static int put_label(struct mrd_labels *labels, const char *key, const char *value)
{
	if (!*value)
		return 0;
	labels->items[labels->count++] = (struct mrd_label){
		.key = mrd_text_copy(key),
		.value = mrd_text_copy(value),
	};
	return labels->items[labels->count - 1].key && labels->items[labels->count - 1].value
		       ? 0
		       : -ENOMEM;
}

/* A node for each endpoint: its labels say where the endpoint is. */
static int put_node(struct mrd_model *model, const struct mrd_replay_endpoint *endpoint)
{
	enum { LABELS_MAX = 3 };
	struct mrd_node_object *node = new_object(sizeof(*node), MRD_KIND_NODE, "", endpoint->url);
	struct mrd_labels *labels;
	int r;

	if (!node)
		return -ENOMEM;
	labels = &node->meta.labels;
	labels->items = calloc(LABELS_MAX, sizeof(*labels->items));
	r = labels->items ? 0 : -ENOMEM;
	r = r ?: put_label(labels, "topology.kubernetes.io/region", endpoint->region);
	r = r ?: put_label(labels, "topology.kubernetes.io/zone", endpoint->zone);
	r = r ?: put_label(labels, "topology.istio.io/subzone", endpoint->subzone);
	return put(model, &node->meta, !r);
}

/* A slice for each endpoint: their ports may differ. */
static int put_slice(struct mrd_model *model, const struct mrd_replay_service *replayed,
		     const struct mrd_replay_endpoint *endpoint)
{
	struct mrd_slice_object *slice =
		new_object(sizeof(*slice), MRD_KIND_SLICE, replayed->namespace_, endpoint->url);
	struct mrd_slice_endpoint *at;

	if (!slice)
		return -ENOMEM;
	slice->service_name = mrd_text_copy(replayed->name);
	slice->version = endpoint->ip.version;
	slice->ports = calloc(1, sizeof(*slice->ports));
	slice->endpoints = calloc(1, sizeof(*slice->endpoints));
	if (!slice->service_name || !slice->ports || !slice->endpoints)
		return put(model, &slice->meta, false);
	slice->port_count = 1;
	slice->ports[0] = (struct mrd_slice_port){
		.name = mrd_text_copy(replayed->is_http ? "http" : "tcp"),
		.app_protocol = mrd_text_copy(""),
		.transport = MRD_TRANSPORT_TCP,
		.port = endpoint->port,
	};
	slice->endpoint_count = 1;
	at = slice->endpoints;
	*at = (struct mrd_slice_endpoint){
		.ip = endpoint->ip,
		.ready = true,
		.serving = true,
		.node_name = mrd_text_copy(endpoint->url),
		.zone = mrd_text_copy(""),
		.hostname = mrd_text_copy(""),
		.target_name = mrd_text_copy(""),
		.target_namespace = mrd_text_copy(""),
	};
	return put(model, &slice->meta,
		   slice->ports[0].name && slice->ports[0].app_protocol && at->node_name &&
			   at->zone && at->hostname && at->target_name && at->target_namespace);
}

static void model_cleanup(struct mrd_model **model)
{
	mrd_model_free(*model);
}

static int make_model(const struct mrd_replay_service *replayed, struct mrd_model **ret_model)
{
	static const struct mrd_model_cluster cluster = {"replay", "", ""};
	MRD_CLEANUP(model_cleanup) struct mrd_model *model = NULL;
	int r = mrd_model_new(&cluster, 1, 0, "", &model);

	r = r ?: put_service(model, replayed);
	for (size_t i = 0; !r && i < replayed->endpoint_count; i++) {
		r = put_node(model, &replayed->endpoints[i]);
		r = r ?: put_slice(model, replayed, &replayed->endpoints[i]);
	}
	if (!r)
		*ret_model = MRD_STEAL_PTR(model);
	return r;
}

/* ------------------------------------------------------------------------------------- hosts */

static size_t find_endpoint(const struct mrd_replay_service *replayed,
			    const struct mrd_plan_endpoint *planned)
{
	size_t i = 0;

	while (replayed->endpoints[i].port != planned->port ||
	       mrd_ip_compare(&replayed->endpoints[i].ip, &planned->ip))
		i++;
	return i;
}

/* Equal numbers for equal names: that of the first endpoint of the region. */
static uint32_t region_number(const struct mrd_replay_service *replayed, const char *region)
{
	uint32_t i = 0;

	while (strcmp(replayed->endpoints[i].region, region) != 0)
		i++;
	return i;
}

static void mark_route(const struct mrd_replay_service *replayed, const struct mrd_plan *plan,
		       struct mrd_outlier_host *hosts)
{
	for (size_t p = 0; p < plan->port_count; p++)
		for (size_t i = 0; i < plan->ports[p].hop_count; i++) {
			const struct mrd_plan_hop *hop = &plan->ports[p].hops[i];

			for (size_t k = 0; k < hop->endpoint_count; k++)
				hosts[find_endpoint(replayed, &hop->endpoints[k])].in_route = true;
		}
}

int mrd_replay_hosts(const struct mrd_replay_service *replayed, const struct mrd_policy *policy,
		     const struct mrd_plan_node *node, struct mrd_outlier_host **ret_hosts)
{
	MRD_AUTO_FREE struct mrd_outlier_host *hosts =
		calloc(replayed->endpoint_count + 1, sizeof(*hosts));
	MRD_CLEANUP(model_cleanup) struct mrd_model *model = NULL;
	struct mrd_view *view = NULL;
	struct mrd_plan *plan = NULL;
	int r = hosts ? make_model(replayed, &model) : -ENOMEM;

	r = r ?: mrd_model_view(model, replayed->namespace_, replayed->name, &view);
	r = r ?: mrd_plan_make(view, model, policy, node, NULL, &plan);
	for (uint32_t i = 0; !r && i < replayed->endpoint_count; i++)
		hosts[i] = (struct mrd_outlier_host){
			.id = i + 1,
			.region = region_number(replayed, replayed->endpoints[i].region),
			.usable = true,
		};
	if (!r) {
		mark_route(replayed, plan, hosts);
		*ret_hosts = MRD_STEAL_PTR(hosts);
	}
	mrd_plan_free(plan);
	mrd_view_free(view);
	return r;
}
