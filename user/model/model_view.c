/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One service merged from all clusters. For each port and family the endpoints of all slices are
 * collected first, with repetitions, then sorted so that repetitions stand together with the one
 * that counts in front: a ready one before others, then the home cluster's before others', then the
 * one from the newest slice. What comes out depends on the objects only, never on the order in
 * which they or their clusters came.
 */
#include "model/model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/label.h"
#include "base/strbuf.h"
#include "model/internal.h"

/* An endpoint of one slice, before repetitions are removed. */
struct candidate {
	struct mrd_view_endpoint endpoint;
	const struct mrd_slice_endpoint *from;
	const struct mrd_slice_object *slice;
};

/* ------------------------------------------------------------------------ warnings */

bool mrd_view_warning_is_about(const struct mrd_view_warning *warning,
			       const struct mrd_view_port *port)
{
	return warning->port == port->number && warning->transport == port->transport &&
	       (warning->version == MRD_IP_NONE || warning->version == port->version);
}

__attribute__((format(printf, 4, 5))) static int warn(struct mrd_view *view,
						      const struct mrd_service_port *port,
						      enum mrd_ip_version version,
						      const char *format, ...)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	struct mrd_view_warning *grown =
		reallocarray(view->warnings, view->warning_count + 1, sizeof(*grown));
	va_list args;

	if (!grown)
		return -ENOMEM;
	view->warnings = grown;
	va_start(args, format);
	mrd_strbuf_vaddf(&text, format, args);
	va_end(args);
	grown += view->warning_count;
	*grown = (struct mrd_view_warning){
		.text = mrd_strbuf_steal(&text),
		.port = port->port,
		.port_name = port->name,
		.transport = port->transport,
		.version = version,
	};
	if (!grown->text)
		return -ENOMEM;
	view->warning_count++;
	return 0;
}

static const char *transport_name(enum mrd_transport transport)
{
	return transport == MRD_TRANSPORT_UDP ? "UDP" : "TCP";
}

/* ------------------------------------------------------------------------ ports */

/*
 * Istio's rule: appProtocol decides if there is one, else the port's name up to its first '-'.
 * Names are compared without regard to case.
 */
static const char *protocol_word(const struct mrd_service_port *port, size_t *ret_len)
{
	const char *text = port->app_protocol[0] ? port->app_protocol : port->name;

	*ret_len = strcspn(text, "-");
	return text;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !strncasecmp(text, word, len);
}

static bool is_http(const struct mrd_service_port *port)
{
	static const char *const kubernetes_names[] = {"kubernetes.io/h2c", "kubernetes.io/ws"};
	static const char *const names[] = {"http", "http2", "grpc", "http_proxy"};
	size_t len;
	const char *text = protocol_word(port, &len);

	if (port->transport != MRD_TRANSPORT_TCP)
		return false;
	for (size_t i = 0; i < sizeof(kubernetes_names) / sizeof(kubernetes_names[0]); i++)
		if (!strcmp(port->app_protocol, kubernetes_names[i]))
			return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_word(text, len, names[i]))
			return true;
	return false;
}

/* gRPC-Web is for browsers, which may speak HTTP/1. */
static bool is_http2(const struct mrd_service_port *port)
{
	static const char grpc_web[] = "grpc-web";
	size_t len;
	const char *text = protocol_word(port, &len);

	if (port->transport != MRD_TRANSPORT_TCP)
		return false;
	return !strcmp(port->app_protocol, "kubernetes.io/h2c") || is_word(text, len, "http2") ||
	       (is_word(text, len, "grpc") && strncasecmp(text, grpc_web, strlen(grpc_web)) != 0);
}

/* The oldest Service that asks for an address. */
static const struct mrd_service_object *
holder(const struct mrd_model *model, const struct mrd_ip *vip, const struct mrd_service_port *port)
{
	const struct mrd_claim claim = mrd_model_claim(vip, port);
	const struct mrd_ref_list *users = mrd_refs_get(model->claims, &claim, sizeof(claim));
	const struct mrd_service_object *oldest = NULL;

	for (size_t i = 0; users && i < users->count; i++) {
		const struct mrd_service_object *service = users->items[i].entry->service;

		if (service && (!oldest || mrd_model_is_older(service, oldest)))
			oldest = service;
	}
	return oldest;
}

static int compare_ips(const void *left, const void *right)
{
	return mrd_ip_compare(left, right);
}

/* The addresses of a family that this service holds for a port, each once. */
static int collect_vips(const struct mrd_model *model, const struct mrd_service_object *service,
			const struct mrd_service_port *port, struct mrd_view *view,
			struct mrd_view_port *out)
{
	char text[MRD_IP_TEXT_MAX];
	size_t count = 0;

	out->vips = calloc(service->vip_count, sizeof(*out->vips));
	if (!out->vips)
		return -ENOMEM;
	for (size_t i = 0; i < service->vip_count; i++)
		if (service->vips[i].version == out->version)
			out->vips[count++] = service->vips[i];
	qsort(out->vips, count, sizeof(*out->vips), compare_ips);

	for (size_t i = 0; i < count; i++) {
		const struct mrd_ip vip = out->vips[i];
		const struct mrd_service_object *owner = holder(model, &vip, port);

		if (i && !mrd_ip_compare(&vip, &out->vips[i - 1]))
			continue;
		if (owner && owner != service) {
			int ret = warn(view, port, out->version,
				       "%s/%s belongs to %s/%s, which is older",
				       mrd_ip_port_format(&vip, port->port, text),
				       transport_name(port->transport), owner->meta.namespace_,
				       owner->meta.name);
			if (ret < 0)
				return ret;
			continue;
		}
		out->vips[out->vip_count++] = vip;
	}
	return 0;
}

/* ------------------------------------------------------------------------ endpoints */

int mrd_model_node_locality(const struct mrd_model *model, size_t cluster, const char *node_name,
			    struct mrd_locality_name *ret_locality)
{
	const struct mrd_meta *node = mrd_model_find(model, cluster, MRD_KIND_NODE, "", node_name);

	if (!node)
		return -ENOENT;
	*ret_locality = (struct mrd_locality_name){
		.region = mrd_labels_get(&node->labels, MRD_LABEL_REGION),
		.zone = mrd_labels_get(&node->labels, MRD_LABEL_ZONE),
		.subzone = mrd_labels_get(&node->labels, MRD_LABEL_SUBZONE),
	};
	return 0;
}

/* What the endpoint's node says, else the slice, else the cluster: for each level by itself. */
static struct mrd_locality_name endpoint_locality(const struct mrd_model *model, size_t cluster,
						  const struct mrd_slice_endpoint *from)
{
	struct mrd_locality_name locality = {.region = "", .zone = "", .subzone = ""};

	if (from->node_name[0])
		mrd_model_node_locality(model, cluster, from->node_name, &locality);
	if (!locality.region[0])
		locality.region = model->clusters[cluster].region;
	if (!locality.zone[0])
		locality.zone = from->zone;
	return locality;
}

/* What only the endpoint that counts needs. */
static void fill_endpoint(const struct mrd_model *model, const struct candidate *candidate,
			  struct mrd_view_endpoint *endpoint)
{
	const struct mrd_slice_endpoint *from = candidate->from;
	const size_t cluster = candidate->endpoint.cluster;
	const struct mrd_meta *node =
		from->node_name[0]
			? mrd_model_find(model, cluster, MRD_KIND_NODE, "", from->node_name)
			: NULL;
	const struct mrd_meta *pod =
		from->target_name[0] ? mrd_model_find(model, cluster, MRD_KIND_POD,
						      from->target_namespace, from->target_name)
				     : NULL;

	*endpoint = candidate->endpoint;
	endpoint->serving = from->serving;
	endpoint->unheard = model->clusters[candidate->endpoint.cluster].unheard;
	endpoint->terminating = from->terminating;
	endpoint->locality = endpoint_locality(model, cluster, from);
	endpoint->node_name = from->node_name;
	endpoint->hostname = from->hostname;
	endpoint->pod = from->target_name;
	endpoint->pod_namespace = from->target_namespace;
	endpoint->pod_labels = pod ? &pod->labels : NULL;
	endpoint->node_labels = node ? &node->labels : NULL;
	endpoint->zone_hints = from->zone_hints;
	endpoint->zone_hint_count = from->zone_hint_count;
	endpoint->node_hints = from->node_hints;
	endpoint->node_hint_count = from->node_hint_count;
}

/* kube-proxy's rule: a slice's port belongs to the port of the same name and protocol. */
static const struct mrd_slice_port *matching_port(const struct mrd_slice_object *slice,
						  const struct mrd_service_port *port)
{
	for (size_t i = 0; i < slice->port_count; i++)
		if (slice->ports[i].port && slice->ports[i].transport == port->transport &&
		    !strcmp(slice->ports[i].name, port->name))
			return &slice->ports[i];
	return NULL;
}

static int collect_candidates(const struct mrd_entry *entry, const struct mrd_service_port *port,
			      enum mrd_ip_version version, struct candidate **ret_candidates,
			      size_t *ret_count)
{
	struct candidate *candidates;
	size_t room = 0;
	size_t count = 0;

	for (size_t i = 0; i < entry->slice_count; i++)
		room += entry->slices[i].slice->endpoint_count;
	candidates = calloc(room ? room : 1, sizeof(*candidates));
	if (!candidates)
		return -ENOMEM;
	for (size_t i = 0; i < entry->slice_count; i++) {
		const struct mrd_slice_object *slice = entry->slices[i].slice;
		const struct mrd_slice_port *slice_port = matching_port(slice, port);

		for (size_t j = 0; slice_port && j < slice->endpoint_count; j++) {
			const struct mrd_slice_endpoint *from = &slice->endpoints[j];

			if (slice->version != version || from->ip.version != version)
				continue;
			candidates[count++] = (struct candidate){
				.endpoint = {.ip = from->ip,
					     .port = slice_port->port,
					     .cluster = entry->slices[i].cluster,
					     .ready = from->ready && !from->terminating},
				.from = from,
				.slice = slice,
			};
		}
	}
	*ret_candidates = candidates;
	*ret_count = count;
	return 0;
}

static int compare_numbers(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_addresses(const struct mrd_view_endpoint *a, const struct mrd_view_endpoint *b)
{
	int order = mrd_ip_compare(&a->ip, &b->ip);

	return order ? order : compare_numbers(a->port, b->port);
}

static int compare_clusters(const struct mrd_model *model, size_t a, size_t b)
{
	return compare_numbers(model->clusters[a].rank, model->clusters[b].rank);
}

/* Of slices of one cluster the newest first. */
static int compare_slices(const struct mrd_slice_object *a, const struct mrd_slice_object *b)
{
	int order = (b->meta.created_us > a->meta.created_us) -
		    (b->meta.created_us < a->meta.created_us);

	if (!order)
		order = strcmp(a->meta.namespace_, b->meta.namespace_);
	return order ? order : strcmp(a->meta.name, b->meta.name);
}

/* By address; of one address the one that counts first. */
static int compare_candidates(const void *left, const void *right, void *model)
{
	const struct candidate *a = left;
	const struct candidate *b = right;
	int order = compare_addresses(&a->endpoint, &b->endpoint);

	if (!order)
		order = b->endpoint.ready - a->endpoint.ready;
	if (!order)
		order = compare_clusters(model, a->endpoint.cluster, b->endpoint.cluster);
	if (!order)
		order = compare_slices(a->slice, b->slice);
	/* One slice that names an address twice: the first mention counts. */
	return order ? order : (a->from > b->from) - (a->from < b->from);
}

static int compare_endpoints(const void *left, const void *right, void *model)
{
	const struct mrd_view_endpoint *a = left;
	const struct mrd_view_endpoint *b = right;
	int order = compare_clusters(model, a->cluster, b->cluster);

	return order ? order : compare_addresses(a, b);
}

static int warn_shared(const struct mrd_model *model, struct mrd_view *view,
		       const struct mrd_service_port *port, const struct candidate *kept,
		       const struct candidate *other, size_t count)
{
	char text[MRD_IP_TEXT_MAX];

	return warn(view, port, view->ports[view->port_count].version,
		    "%zu of the endpoints of port \"%s\" stand in more than one cluster (%s in %s "
		    "and %s): "
		    "do their pod addresses overlap?",
		    count, port->name,
		    mrd_ip_port_format(&kept->endpoint.ip, kept->endpoint.port, text),
		    model->clusters[kept->endpoint.cluster].name,
		    model->clusters[other->endpoint.cluster].name);
}

/* Keeps the first of each address. */
static int collect_endpoints(const struct mrd_model *model, const struct mrd_entry *entry,
			     const struct mrd_service_port *port, struct mrd_view *view,
			     struct mrd_view_port *out)
{
	MRD_AUTO_FREE struct candidate *candidates = NULL;
	const struct candidate *shared[2] = {NULL, NULL};
	const struct candidate *kept = NULL;
	size_t shared_count = 0;
	bool is_shared = false;
	size_t count;
	int ret = collect_candidates(entry, port, out->version, &candidates, &count);

	if (ret < 0)
		return ret;
	out->endpoints = calloc(count ? count : 1, sizeof(*out->endpoints));
	if (!out->endpoints)
		return -ENOMEM;
	qsort_r(candidates, count, sizeof(*candidates), compare_candidates, (void *)model);
	for (size_t i = 0; i < count; i++) {
		const struct candidate *at = &candidates[i];

		if (!kept || compare_addresses(&kept->endpoint, &at->endpoint)) {
			kept = at;
			fill_endpoint(model, at, &out->endpoints[out->endpoint_count++]);
			is_shared = false;
		} else if (kept->endpoint.cluster != at->endpoint.cluster && !is_shared) {
			is_shared = true;
			if (!shared_count++) {
				shared[0] = kept;
				shared[1] = at;
			}
		}
	}
	qsort_r(out->endpoints, out->endpoint_count, sizeof(*out->endpoints), compare_endpoints,
		(void *)model);
	if (shared_count)
		return warn_shared(model, view, port, shared[0], shared[1], shared_count);
	return 0;
}

/* ------------------------------------------------------------------------ both families */

static int compare_pods(const struct mrd_view_endpoint *a, const struct mrd_view_endpoint *b)
{
	int order = compare_numbers(a->cluster, b->cluster);

	order = order ? order : strcmp(a->pod_namespace, b->pod_namespace);
	return order ? order : strcmp(a->pod, b->pod);
}

/* Of one pod the first address first, so that the order of slices decides nothing. */
static int compare_by_pod(const void *left, const void *right)
{
	const struct mrd_view_endpoint *a = *(struct mrd_view_endpoint *const *)left;
	const struct mrd_view_endpoint *b = *(struct mrd_view_endpoint *const *)right;
	int order = compare_pods(a, b);

	return order ? order : compare_addresses(a, b);
}

/* Those of a port that are known to be a pod's, by pod. */
static size_t sort_by_pod(const struct mrd_view_port *port, struct mrd_view_endpoint **sorted)
{
	size_t count = 0;

	for (size_t i = 0; i < port->endpoint_count; i++)
		if (port->endpoints[i].pod[0])
			sorted[count++] = &port->endpoints[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_by_pod);
	return count;
}

/* Lets the two addresses of a pod know each other. */
static int find_twins(const struct mrd_view_port *port, const struct mrd_view_port *other)
{
	MRD_AUTO_FREE struct mrd_view_endpoint **ones =
		calloc(port->endpoint_count + 1, sizeof(struct mrd_view_endpoint *));
	MRD_AUTO_FREE struct mrd_view_endpoint **others =
		calloc(other->endpoint_count + 1, sizeof(struct mrd_view_endpoint *));
	size_t one_count;
	size_t other_count;

	if (!ones || !others)
		return -ENOMEM;
	one_count = sort_by_pod(port, ones);
	other_count = sort_by_pod(other, others);
	for (size_t i = 0, k = 0; i < one_count && k < other_count;) {
		const int order = compare_pods(ones[i], others[k]);

		if (!order) {
			ones[i]->twin = others[k];
			others[k]->twin = ones[i];
		}
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

/* ------------------------------------------------------------------------ the view */

/* One port and family; it is counted in only if an address is left for it. */
static int add_port(const struct mrd_model *model, const struct mrd_entry *entry,
		    const struct mrd_service_port *port, enum mrd_ip_version version,
		    struct mrd_view *view)
{
	struct mrd_view_port *out = &view->ports[view->port_count];
	int ret;

	*out = (struct mrd_view_port){
		.name = port->name,
		.number = port->port,
		.transport = port->transport,
		.version = version,
		.is_http = is_http(port),
		.is_http2 = is_http2(port),
	};
	ret = collect_vips(model, entry->service, port, view, out);
	if (ret == 0 && out->vip_count)
		ret = collect_endpoints(model, entry, port, view, out);
	if (ret < 0 || !out->vip_count) {
		free(out->vips);
		free(out->endpoints);
		return ret;
	}
	view->port_count++;
	return 0;
}

static int add_both_families(const struct mrd_model *model, const struct mrd_entry *entry,
			     const struct mrd_service_port *port, struct mrd_view *view)
{
	const size_t first = view->port_count;
	int ret = add_port(model, entry, port, MRD_IPV4, view);

	if (ret == 0)
		ret = add_port(model, entry, port, MRD_IPV6, view);
	if (ret == 0 && view->port_count == first + 2)
		ret = find_twins(&view->ports[first], &view->ports[first + 1]);
	return ret;
}

static int compare_ports(const void *left, const void *right)
{
	const struct mrd_service_port *a = *(const struct mrd_service_port *const *)left;
	const struct mrd_service_port *b = *(const struct mrd_service_port *const *)right;
	int order = compare_numbers(a->port, b->port);

	if (!order)
		order = compare_numbers(a->transport, b->transport);
	return order ? order : (a > b) - (a < b); /* as they stand in the Service */
}

static int add_ports(const struct mrd_model *model, const struct mrd_entry *entry,
		     struct mrd_view *view)
{
	const struct mrd_service_object *service = entry->service;
	MRD_AUTO_FREE const struct mrd_service_port **sorted =
		calloc(service->port_count, sizeof(*sorted));
	size_t count = 0;
	int ret;

	view->ports = calloc(service->port_count * 2, sizeof(*view->ports)); /* two families */
	if (!view->ports || !sorted)
		return -ENOMEM;
	for (size_t i = 0; i < service->port_count; i++)
		if (service->ports[i].transport != MRD_TRANSPORT_OTHER)
			sorted[count++] = &service->ports[i];
	qsort(sorted, count, sizeof(*sorted), compare_ports);

	for (size_t i = 0; i < count; i++) {
		const struct mrd_service_port *port = sorted[i];

		if (i && port->port == sorted[i - 1]->port &&
		    port->transport == sorted[i - 1]->transport) {
			ret = warn(view, port, MRD_IP_NONE,
				   "port %u/%s is given twice; the first one, \"%s\", counts",
				   port->port, transport_name(port->transport),
				   sorted[i - 1]->name);
			if (ret < 0)
				return ret;
			sorted[i] = sorted[i - 1];
			continue;
		}
		ret = add_both_families(model, entry, port, view);
		if (ret < 0)
			return ret;
	}
	return 0;
}

bool mrd_view_has_port(const struct mrd_view *view, uint16_t number)
{
	for (size_t i = 0; i < view->port_count; i++)
		if (view->ports[i].number == number)
			return true;
	return false;
}

void mrd_view_free(struct mrd_view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->port_count; i++) {
		free(view->ports[i].vips);
		free(view->ports[i].endpoints);
	}
	free(view->ports);
	for (size_t i = 0; i < view->warning_count; i++)
		free(view->warnings[i].text);
	free(view->warnings);
	free(view);
}

static void cleanup_view(struct mrd_view **view)
{
	mrd_view_free(*view);
}

int mrd_model_view(const struct mrd_model *model, const char *namespace_, const char *name,
		   struct mrd_view **ret_view)
{
	MRD_CLEANUP(cleanup_view) struct mrd_view *view = NULL;
	char key[MRD_KEY_MAX];
	const size_t key_len = mrd_model_key(key, namespace_, name);
	const struct mrd_entry *entry = mrd_table_get(model->entries, key, key_len);
	int ret;

	if (!key_len || !entry || !entry->service || !mrd_model_serves(model, entry->service))
		return -ENOENT;
	view = calloc(1, sizeof(*view));
	if (!view)
		return -ENOMEM;
	view->namespace_ = entry->service->meta.namespace_;
	view->name = entry->service->meta.name;
	view->labels = &entry->service->meta.labels;
	view->internal_local = entry->service->internal_local;
	view->affinity_timeout_s = entry->service->affinity_timeout_s;
	view->traffic_distribution = entry->service->traffic_distribution;
	ret = add_ports(model, entry, view);
	if (ret < 0)
		return ret;
	*ret_view = MRD_STEAL_PTR(view);
	return 0;
}

/* ------------------------------------------------------------------------ looking around */

int mrd_model_walk_services(const struct mrd_model *model,
			    int (*fn)(void *self, const char *namespace_, const char *name),
			    void *self)
{
	const struct mrd_entry *entry;
	size_t cursor = 0;
	int ret = 0;

	while (!ret && (entry = mrd_table_next(model->entries, &cursor, NULL, NULL)))
		if (entry->service && mrd_model_serves(model, entry->service))
			ret = fn(self, entry->service->meta.namespace_, entry->service->meta.name);
	return ret;
}

/* What one cluster says of an address: a ready endpoint before others, then the newest slice's. */
static const struct mrd_slice_endpoint *find_in_cluster(const struct mrd_model *model,
							size_t cluster, const struct mrd_ip *ip)
{
	const struct mrd_slice_endpoint *best = NULL;
	const struct mrd_slice_object *best_slice = NULL;
	const struct mrd_slice_object *slice;
	size_t cursor = 0;

	while ((slice = mrd_table_next(model->clusters[cluster].objects[MRD_KIND_SLICE], &cursor,
				       NULL, NULL)))
		for (size_t i = 0; i < slice->endpoint_count; i++) {
			const struct mrd_slice_endpoint *at = &slice->endpoints[i];

			if (mrd_ip_compare(&at->ip, ip) || (best && best->ready > at->ready))
				continue;
			if (!best || at->ready > best->ready ||
			    compare_slices(slice, best_slice) < 0) {
				best = at;
				best_slice = slice;
			}
		}
	return best;
}

static size_t cluster_of_rank(const struct mrd_model *model, size_t rank)
{
	size_t cluster = 0;

	while (model->clusters[cluster].rank != rank)
		cluster++;
	return cluster;
}

int mrd_model_find_address(const struct mrd_model *model, const struct mrd_ip *ip,
			   struct mrd_address_place *ret_place)
{
	const struct mrd_slice_endpoint *best = NULL;

	for (size_t rank = 0; rank < model->cluster_count; rank++) {
		const size_t cluster = cluster_of_rank(model, rank);
		const struct mrd_slice_endpoint *endpoint = find_in_cluster(model, cluster, ip);

		if (!endpoint || (best && best->ready >= endpoint->ready))
			continue;
		best = endpoint;
		*ret_place = (struct mrd_address_place){
			.cluster = cluster,
			.locality = endpoint_locality(model, cluster, endpoint),
			.node_name = endpoint->node_name,
		};
	}
	return best ? 0 : -ENOENT;
}
