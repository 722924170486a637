/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* discovery.k8s.io/v1 EndpointSlice: where the pods of a service are. */
#include "source/object_fill.h"

#include <string.h>

#define LABEL_SERVICE "kubernetes.io/service-name"

static void fill_ports(struct mrd_reading *reading, const struct mrd_field *ports,
		       struct mrd_slice_object *slice)
{
	const size_t count = mrd_field_count(reading, ports);

	slice->ports = mrd_field_alloc(reading, count, sizeof(*slice->ports));
	for (size_t i = 0; slice->ports && i < count; i++) {
		const struct mrd_field item = mrd_field_item(ports, i);
		const struct mrd_field name = mrd_field_get(&item, "name");
		const struct mrd_field app = mrd_field_get(&item, "appProtocol");
		const struct mrd_field number = mrd_field_get(&item, "port");
		struct mrd_slice_port *port = &slice->ports[slice->port_count++];

		if (!item.node)
			mrd_field_error(reading, &item, "must be a port, and is null");
		mrd_field_is_map(reading, &item);
		port->name = mrd_field_copy(reading, &name);
		port->app_protocol = mrd_field_copy(reading, &app);
		port->port = (uint16_t)mrd_field_int(reading, &number, 1, MRD_PORT_MAX, 0);
		port->transport = mrd_transport_read(reading, &item);
	}
}

/* A list of names, each in a map of its own. */
static void fill_names(struct mrd_reading *reading, const struct mrd_field *list, char ***ret_names,
		       size_t *ret_count)
{
	const size_t count = mrd_field_count(reading, list);
	char **names = mrd_field_alloc(reading, count, sizeof(*names));

	if (!names)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct mrd_field item = mrd_field_item(list, i);
		const struct mrd_field name = mrd_field_get(&item, "name");

		mrd_field_is_map(reading, &item);
		names[i] = mrd_field_copy(reading, &name);
	}
	*ret_names = names;
	*ret_count = count;
}

static void fill_hints(struct mrd_reading *reading, const struct mrd_field *object,
		       struct mrd_slice_endpoint *endpoint)
{
	const struct mrd_field hints = mrd_field_get(object, "hints");
	const struct mrd_field zones = mrd_field_get(&hints, "forZones");
	const struct mrd_field nodes = mrd_field_get(&hints, "forNodes");

	mrd_field_is_map(reading, &hints);
	fill_names(reading, &zones, &endpoint->zone_hints, &endpoint->zone_hint_count);
	fill_names(reading, &nodes, &endpoint->node_hints, &endpoint->node_hint_count);
}

static void fill_target(struct mrd_reading *reading, const struct mrd_field *object,
			const struct mrd_slice_object *slice, struct mrd_slice_endpoint *endpoint)
{
	const struct mrd_field target = mrd_field_get(object, "targetRef");
	const struct mrd_field kind = mrd_field_get(&target, "kind");
	const struct mrd_field name = mrd_field_get(&target, "name");
	const struct mrd_field namespace_ = mrd_field_get(&target, "namespace");
	const bool is_pod = mrd_field_is_map(reading, &target) &&
			    !strcmp(mrd_field_text(reading, &kind), "Pod");
	const char *in = is_pod ? mrd_field_text(reading, &namespace_) : "";

	endpoint->target_name = mrd_text_copy(is_pod ? mrd_field_text(reading, &name) : "");
	if (is_pod && !in[0])
		in = slice->meta.namespace_ ? slice->meta.namespace_ : "";
	endpoint->target_namespace = mrd_text_copy(in);
	reading->no_memory |= !endpoint->target_name || !endpoint->target_namespace;
}

static void fill_address(struct mrd_reading *reading, const struct mrd_field *object,
			 const struct mrd_slice_object *slice, struct mrd_slice_endpoint *endpoint)
{
	const struct mrd_field addresses = mrd_field_get(object, "addresses");
	struct mrd_field first;

	if (!mrd_field_count(reading, &addresses)) {
		if (!addresses.node || addresses.node->kind == MRD_DOC_LIST)
			mrd_field_error(reading, &addresses,
					"missing; an endpoint needs an address");
		return;
	}
	first = mrd_field_item(&addresses, 0);
	if (mrd_field_ip(reading, &first, &endpoint->ip) && endpoint->ip.version != slice->version)
		mrd_field_error(reading, &first, "must be of the slice's addressType, IPv%d",
				(int)slice->version);
}

static void fill_endpoint(struct mrd_reading *reading, const struct mrd_field *object,
			  const struct mrd_slice_object *slice, struct mrd_slice_endpoint *endpoint)
{
	const struct mrd_field conditions = mrd_field_get(object, "conditions");
	const struct mrd_field ready = mrd_field_get(&conditions, "ready");
	const struct mrd_field serving = mrd_field_get(&conditions, "serving");
	const struct mrd_field terminating = mrd_field_get(&conditions, "terminating");
	const struct mrd_field node_name = mrd_field_get(object, "nodeName");
	const struct mrd_field zone = mrd_field_get(object, "zone");
	const struct mrd_field hostname = mrd_field_get(object, "hostname");

	if (!object->node)
		mrd_field_error(reading, object, "must be an endpoint, and is null");
	if (!mrd_field_is_map(reading, object))
		return;
	mrd_field_is_map(reading, &conditions);
	fill_address(reading, object, slice, endpoint);
	endpoint->ready = mrd_field_bool(reading, &ready, true);
	endpoint->serving = mrd_field_bool(reading, &serving, endpoint->ready);
	endpoint->terminating = mrd_field_bool(reading, &terminating, false);
	endpoint->node_name = mrd_field_copy(reading, &node_name);
	endpoint->zone = mrd_field_copy(reading, &zone);
	endpoint->hostname = mrd_field_copy(reading, &hostname);
	fill_target(reading, object, slice, endpoint);
	fill_hints(reading, object, endpoint);
}

void mrd_slice_fill(struct mrd_reading *reading, const struct mrd_field *object,
		    struct mrd_slice_object *slice)
{
	static const char *const types[] = {"IPv4", "IPv6", "FQDN", NULL};
	static const enum mrd_ip_version versions[] = {MRD_IPV4, MRD_IPV6, MRD_IP_NONE};
	const struct mrd_field type = mrd_field_get(object, "addressType");
	const struct mrd_field endpoints = mrd_field_get(object, "endpoints");
	const struct mrd_field ports = mrd_field_get(object, "ports");
	const size_t count = mrd_field_count(reading, &endpoints);
	const int choice = mrd_field_choice(reading, &type, types, -1);

	slice->service_name = mrd_text_copy(mrd_labels_get(&slice->meta.labels, LABEL_SERVICE));
	reading->no_memory |= !slice->service_name;
	if (!type.node)
		mrd_field_error(reading, &type, "missing; must be IPv4, IPv6 or FQDN");
	/* The API writes both fields; a file without one may have been cut off before. */
	if (!mrd_field_is_given(&endpoints))
		mrd_field_error(reading, &endpoints, "missing; a slice of none has null or []");
	if (count && !mrd_field_is_given(&ports))
		mrd_field_error(reading, &ports, "missing; a slice of none has null or []");
	fill_ports(reading, &ports, slice);
	if (choice < 0)
		return;
	slice->version = versions[choice];
	if (slice->version == MRD_IP_NONE)
		return;
	slice->endpoints = mrd_field_alloc(reading, count, sizeof(*slice->endpoints));
	for (size_t i = 0; slice->endpoints && i < count; i++) {
		const struct mrd_field item = mrd_field_item(&endpoints, i);

		slice->endpoint_count++;
		fill_endpoint(reading, &item, slice, &slice->endpoints[i]);
	}
}
