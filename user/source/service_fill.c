/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* v1 Service: the addresses and ports that clients use. */
#include "source/object_fill.h"

#include <string.h>

#include "base/strbuf.h"

enum {
	AFFINITY_DEFAULT_S = 10800, /* Kubernetes' own, three hours */
	AFFINITY_MAX_S = 86400,	    /* what its API admits */
};

#define HEADLESS "None"

enum mrd_transport mrd_transport_read(struct mrd_reading *reading, const struct mrd_field *port)
{
	static const char *const names[] = {"TCP", "UDP", "SCTP", NULL};
	static const enum mrd_transport transports[] = {
		MRD_TRANSPORT_TCP,
		MRD_TRANSPORT_UDP,
		MRD_TRANSPORT_OTHER,
	};
	const struct mrd_field protocol = mrd_field_get(port, "protocol");
	const int choice = mrd_field_choice(reading, &protocol, names, 0);

	return choice < 0 ? MRD_TRANSPORT_OTHER : transports[choice];
}

/* ------------------------------------------------------------------------ addresses */

static void add_vip(struct mrd_reading *reading, const struct mrd_field *field,
		    struct mrd_service_object *service)
{
	if (mrd_field_ip(reading, field, &service->vips[service->vip_count]))
		service->vip_count++;
}

static void add_vips(struct mrd_reading *reading, const struct mrd_field *list,
		     struct mrd_service_object *service)
{
	const size_t count = mrd_field_count(reading, list);

	for (size_t i = 0; i < count; i++) {
		const struct mrd_field item = mrd_field_item(list, i);

		add_vip(reading, &item, service);
	}
}

/* The load balancer's addresses; with ipMode Proxy it ends the connection itself, and packets to
 * that address must reach it. */
static void add_ingress_vips(struct mrd_reading *reading, const struct mrd_field *ingress,
			     struct mrd_service_object *service)
{
	const size_t count = mrd_field_count(reading, ingress);

	for (size_t i = 0; i < count; i++) {
		const struct mrd_field item = mrd_field_item(ingress, i);
		const struct mrd_field ip = mrd_field_get(&item, "ip");
		const struct mrd_field mode = mrd_field_get(&item, "ipMode");

		if (!mrd_field_is_map(reading, &item) || !ip.node)
			continue;
		if (strcmp(mrd_field_text(reading, &mode), "Proxy") != 0)
			add_vip(reading, &ip, service);
	}
}

/* clusterIPs if it names any, else clusterIP: what the older API knew. */
static void add_cluster_vips(struct mrd_reading *reading, const struct mrd_field *spec,
			     struct mrd_service_object *service)
{
	const struct mrd_field many = mrd_field_get(spec, "clusterIPs");
	const struct mrd_field one = mrd_field_get(spec, "clusterIP");

	if (mrd_field_count(reading, &many)) {
		add_vips(reading, &many, service);
		return;
	}
	if (one.node && (one.node->kind != MRD_DOC_SCALAR || one.node->text[0]))
		add_vip(reading, &one, service);
	else
		mrd_field_error(
			reading, &one,
			"missing; a cluster gives every Service one, or None: use the objects as "
			"it has them (kubectl get -o yaml)");
}

/* Says nothing of wrong types: add_cluster_vips() does. */
static bool is_headless(const struct mrd_field *spec)
{
	const struct mrd_doc_node *many = mrd_doc_get(spec->node, "clusterIPs");
	const char *first = "";

	if (many && many->kind == MRD_DOC_LIST && many->count)
		mrd_doc_string(many->items[0], &first);
	else
		mrd_doc_string(mrd_doc_get(spec->node, "clusterIP"), &first);
	return !strcmp(first, HEADLESS);
}

static void fill_vips(struct mrd_reading *reading, const struct mrd_field *object,
		      const struct mrd_field *spec, struct mrd_service_object *service)
{
	const struct mrd_field type = mrd_field_get(spec, "type");
	const struct mrd_field cluster = mrd_field_get(spec, "clusterIPs");
	const struct mrd_field external = mrd_field_get(spec, "externalIPs");
	const struct mrd_field status = mrd_field_get(object, "status");
	const struct mrd_field balancer = mrd_field_get(&status, "loadBalancer");
	const struct mrd_field ingress = mrd_field_get(&balancer, "ingress");
	size_t room;

	if (!strcmp(mrd_field_text(reading, &type), "ExternalName") || is_headless(spec))
		return;
	mrd_field_is_map(reading, &status);
	mrd_field_is_map(reading, &balancer);
	/* Wrong types are named below, where the lists are read. */
	room = 1;
	room += cluster.node ? cluster.node->count : 0;
	room += external.node ? external.node->count : 0;
	room += ingress.node ? ingress.node->count : 0;
	service->vips = mrd_field_alloc(reading, room, sizeof(*service->vips));
	if (!service->vips)
		return;
	add_cluster_vips(reading, spec, service);
	add_vips(reading, &external, service);
	add_ingress_vips(reading, &ingress, service);
}

/* ------------------------------------------------------------------------ ports, policies */

static void fill_ports(struct mrd_reading *reading, const struct mrd_field *spec,
		       struct mrd_service_object *service)
{
	const struct mrd_field ports = mrd_field_get(spec, "ports");
	const size_t count = mrd_field_count(reading, &ports);

	/* The API requires one; a file without may have been cut off before. */
	if (service->vip_count && !count && (!ports.node || ports.node->kind == MRD_DOC_LIST))
		mrd_field_error(reading, &ports, "missing; a Service with an address has a port");
	service->ports = mrd_field_alloc(reading, count, sizeof(*service->ports));
	for (size_t i = 0; service->ports && i < count; i++) {
		const struct mrd_field item = mrd_field_item(&ports, i);
		const struct mrd_field name = mrd_field_get(&item, "name");
		const struct mrd_field app = mrd_field_get(&item, "appProtocol");
		const struct mrd_field number = mrd_field_get(&item, "port");
		struct mrd_service_port *port = &service->ports[service->port_count++];

		if (!item.node)
			mrd_field_error(reading, &item, "must be a port, and is null");
		else if (mrd_field_is_map(reading, &item) && !number.node)
			mrd_field_error(reading, &number, "missing; a port needs its number");
		port->name = mrd_field_copy(reading, &name);
		port->app_protocol = mrd_field_copy(reading, &app);
		port->port = (uint16_t)mrd_field_int(reading, &number, 1, MRD_PORT_MAX, 0);
		port->transport = mrd_transport_read(reading, &item);
	}
}

static void fill_affinity(struct mrd_reading *reading, const struct mrd_field *spec,
			  struct mrd_service_object *service)
{
	static const char *const kinds[] = {"None", "ClientIP", NULL};
	const struct mrd_field affinity = mrd_field_get(spec, "sessionAffinity");
	const struct mrd_field config = mrd_field_get(spec, "sessionAffinityConfig");
	const struct mrd_field client = mrd_field_get(&config, "clientIP");
	const struct mrd_field timeout = mrd_field_get(&client, "timeoutSeconds");

	mrd_field_is_map(reading, &config);
	mrd_field_is_map(reading, &client);
	if (mrd_field_choice(reading, &affinity, kinds, 0) == 1)
		service->affinity_timeout_s = (uint32_t)mrd_field_int(
			reading, &timeout, 1, AFFINITY_MAX_S, AFFINITY_DEFAULT_S);
}

/* A value of a newer Kubernetes is no reason to refuse the Service: its own rule is to ignore it.
 */
static void fill_distribution(struct mrd_reading *reading, const struct mrd_field *spec,
			      struct mrd_service_object *service)
{
	const struct mrd_field field = mrd_field_get(spec, "trafficDistribution");
	const char *text = mrd_field_text(reading, &field);
	enum mrd_traffic_distribution meaning;
	MRD_AUTO_STRBUF struct mrd_strbuf known = {0};
	const char *word;

	if (!*text)
		return;
	for (size_t i = 0; (word = mrd_distribution_word(i, &meaning)); i++) {
		if (!strcmp(text, word)) {
			service->traffic_distribution = meaning;
			return;
		}
		mrd_strbuf_addf(&known, "%s%s", i ? ", " : "", word);
	}
	mrd_field_warn(reading, &field, "not known (%s), ignored",
		       known.failed ? "no memory" : known.text);
}

void mrd_service_fill(struct mrd_reading *reading, const struct mrd_field *object,
		      struct mrd_service_object *service)
{
	static const char *const policies[] = {"Cluster", "Local", NULL};
	const struct mrd_field spec = mrd_field_get(object, "spec");
	const struct mrd_field internal = mrd_field_get(&spec, "internalTrafficPolicy");

	if (!spec.node)
		mrd_field_error(reading, &spec, "missing; a Service needs it");
	if (!mrd_field_is_map(reading, &spec))
		return;
	fill_vips(reading, object, &spec, service);
	fill_ports(reading, &spec, service);
	fill_affinity(reading, &spec, service);
	fill_distribution(reading, &spec, service);
	service->internal_local = mrd_field_choice(reading, &internal, policies, 0) == 1;
}
