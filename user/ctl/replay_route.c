/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The endpoints become manifests of their clusters, with a Node for each of them that says where it
 * is; from there on it is what the agent does. Once is enough: ejections change shares, not who
 * belongs to the route.
 */
#include "ctl/replay_route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/doc.h"
#include "base/label.h"
#include "base/strbuf.h"
#include "model/model.h"
#include "plan/hosts.h"
#include "plan/plan.h"
#include "source/object_doc.h"

/* ----------------------------------------------------------------------------------- manifests */

static const char *comma_before(const struct mrd_strbuf *out)
{
	return out->len && out->text[out->len - 1] != '{' ? "," : "";
}

static void add_label(struct mrd_strbuf *out, const char *key, const char *value)
{
	if (!*value)
		return;
	mrd_strbuf_addf(out, "%s\"%s\":", comma_before(out), key);
	mrd_strbuf_add_json(out, value);
}

static void add_node(struct mrd_strbuf *out, size_t index, const struct mrd_start *at)
{
	mrd_strbuf_addf(out,
			",{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n%zu\","
			"\"labels\":{",
			index);
	add_label(out, MRD_LABEL_REGION, at->region);
	add_label(out, MRD_LABEL_ZONE, at->zone);
	add_label(out, MRD_LABEL_SUBZONE, at->subzone);
	mrd_strbuf_addf(out, "}}}");
}

static void add_slice(struct mrd_strbuf *out, const struct mrd_replay_arguments *arguments,
		      size_t index, const struct mrd_ip *ip, uint16_t port, const char *port_name)
{
	char text[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(
		out,
		",{\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\","
		"\"metadata\":{\"name\":\"s%zu-%d\",\"namespace\":\"%s\",\"labels\":"
		"{\"kubernetes.io/service-name\":\"%s\"}},\"addressType\":\"%s\",\"ports\":"
		"[{\"name\":\"%s\",\"port\":%u}],\"endpoints\":[{\"addresses\":[\"%s\"],"
		"\"nodeName\":\"n%zu\",\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p%zu\"}}]}",
		index, ip->version, arguments->namespace_, arguments->service,
		ip->version == MRD_IPV6 ? "IPv6" : "IPv4", port_name, port, mrd_ip_format(ip, text),
		index, index);
}

/* The VIPs are of blocks that RFC 5737 and RFC 3849 keep for examples; nobody connects to them. */
static void write_manifests(const struct mrd_replay_arguments *arguments, size_t cluster,
			    struct mrd_strbuf *out)
{
	const char *port_name = arguments->is_http ? "http" : "tcp";

	mrd_strbuf_addf(
		out,
		"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\","
		"\"kind\":\"Service\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},"
		"\"spec\":{\"clusterIP\":\"192.0.2.1\",\"clusterIPs\":[\"192.0.2.1\","
		"\"2001:db8::1\"],\"ports\":[{\"name\":\"%s\",\"port\":%u}]}}",
		arguments->service, arguments->namespace_, port_name, arguments->port);
	for (size_t i = 0; i < arguments->endpoint_count; i++) {
		const struct mrd_replay_endpoint *endpoint = &arguments->endpoints[i];

		if (endpoint->cluster != cluster)
			continue;
		add_node(out, i, &endpoint->at);
		add_slice(out, arguments, i, &endpoint->ip, endpoint->port, port_name);
		if (endpoint->twin_ip.version != MRD_IP_NONE)
			add_slice(out, arguments, i, &endpoint->twin_ip, endpoint->twin_port,
				  port_name);
	}
	mrd_strbuf_addf(out, "]}");
}

static void doc_cleanup(struct mrd_doc_file **file)
{
	mrd_doc_free(*file);
}

struct filling {
	struct mrd_model *model;
	size_t cluster;
};

static int put_object(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	const struct filling *filling = self;

	(void)at;
	return mrd_model_put(filling->model, filling->cluster, object);
}

static int fill_cluster(const struct mrd_replay_arguments *arguments, struct filling *filling)
{
	MRD_CLEANUP(doc_cleanup) struct mrd_doc_file *file = NULL;
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	int r;

	write_manifests(arguments, filling->cluster, &text);
	if (text.failed)
		return -ENOMEM;
	r = mrd_doc_parse("", text.text, text.len, &diag, &file);
	return r ?: mrd_object_read(mrd_doc_root(file, 0), "", &diag, put_object, filling);
}

static struct mrd_model_cluster describe_cluster(const struct mrd_agent_config *config,
						 const char *name)
{
	for (size_t i = 0; i < config->cluster_count; i++)
		if (!strcmp(config->clusters[i].name, name))
			return (struct mrd_model_cluster){
				.name = name,
				.region = config->clusters[i].region,
				.network = config->clusters[i].network,
			};
	return (struct mrd_model_cluster){.name = name, .region = "", .network = ""};
}

static int make_model(const struct mrd_replay_arguments *arguments,
		      const struct mrd_agent_config *config, struct mrd_model **ret_model)
{
	struct mrd_model_cluster clusters[MRD_CLUSTERS_MAX];
	struct filling filling = {0};
	int r;

	for (size_t i = 0; i < arguments->cluster_count; i++)
		clusters[i] = describe_cluster(config, arguments->clusters[i]);
	r = mrd_model_new(clusters, arguments->cluster_count, 0, "", &filling.model);
	for (; !r && filling.cluster < arguments->cluster_count; filling.cluster++)
		r = fill_cluster(arguments, &filling);
	if (r)
		mrd_model_free(filling.model);
	else
		*ret_model = filling.model;
	return r;
}

/* ---------------------------------------------------------------------------------------- hosts */

struct numbering {
	const struct mrd_replay_arguments *arguments;
	struct mrd_table *regions; /* name → number */
	bool failed;
};

static uint32_t number_endpoint(void *self, const struct mrd_ip *ip, uint16_t port)
{
	const struct numbering *numbering = self;
	size_t index;

	if (mrd_replay_find_endpoint(numbering->arguments, ip, port, &index))
		return 0;
	return mrd_replay_host(index);
}

static uint32_t number_region(void *self, const char *region)
{
	struct numbering *numbering = self;
	uintptr_t number = (uintptr_t)mrd_table_get_str(numbering->regions, region);

	if (!number) {
		number = mrd_table_count(numbering->regions) + 1;
		if (mrd_table_put_str(numbering->regions, region, (void *)number))
			numbering->failed = true;
	}
	return (uint32_t)number;
}

static int make_plan(const struct mrd_replay_arguments *arguments, const struct mrd_model *model,
		     const struct mrd_policy *policy, struct mrd_plan **ret_plan)
{
	const struct mrd_plan_node node = {
		.name = "",
		.region = arguments->from.region,
		.zone = arguments->from.zone,
		.subzone = arguments->from.subzone,
	};
	struct mrd_view *view;
	int r = mrd_model_view(model, arguments->namespace_, arguments->service, &view);

	if (r)
		return r;
	r = mrd_plan_make(view, model, policy, &node, NULL, ret_plan);
	mrd_view_free(view);
	return r;
}

void mrd_replay_route_free(struct mrd_replay_route *route)
{
	mrd_plan_free(route->plan);
	free(route->hosts);
	*route = (struct mrd_replay_route){0};
}

int mrd_replay_route_make(const struct mrd_replay_arguments *arguments,
			  const struct mrd_agent_config *config, const struct mrd_policy *policy,
			  struct mrd_replay_route *ret_route)
{
	struct numbering numbering = {.arguments = arguments, .regions = mrd_table_new(NULL)};
	const struct mrd_host_numbers numbers = {number_endpoint, number_region, &numbering};
	struct mrd_model *model = NULL;
	int r = numbering.regions ? 0 : -ENOMEM;

	r = r ?: make_model(arguments, config, &model);
	r = r ?: make_plan(arguments, model, policy, &ret_route->plan);
	if (!r && ret_route->plan->port_count)
		r = mrd_plan_hosts(ret_route->plan, 0, &numbers, &ret_route->hosts,
				   &ret_route->host_count);
	r = r ?: numbering.failed ? -ENOMEM : 0;
	mrd_table_free(numbering.regions);
	mrd_model_free(model);
	return r;
}
