/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Rows do not say which cluster an endpoint is of; its region does, as far as clusters are told
 * apart by it. Each endpoint becomes a slice of its own. The model changes under the view that is
 * looked at: of that nothing is read but numbers.
 */
#include "agent/unheard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct keeping {
	struct mrd_model *model;
	size_t cluster;
	const char *region;
	size_t kept;
	/* Of the port whose rows are walked. */
	const struct mrd_name *name;
	const struct mrd_rows *rows;
	const struct mrd_view_port *port; /* NULL: the Service has none of that name any more */
};

static void free_view(struct mrd_view **view)
{
	mrd_view_free(*view);
}

static const struct mrd_view_port *find_port(const struct mrd_view *view,
					     const struct mrd_name *name)
{
	for (size_t i = 0; i < view->port_count; i++) {
		const struct mrd_view_port *port = &view->ports[i];

		if (!strcmp(port->name, name->port_name) &&
		    (port->version == MRD_IPV6) == (name->family == MRD_FAMILY_IPV6) &&
		    (port->transport == MRD_TRANSPORT_UDP) == (name->protocol == MRD_PROTOCOL_UDP))
			return port;
	}
	return NULL;
}

static struct mrd_ip ip_of(const struct mrd_health *health)
{
	struct mrd_ip ip = {
		.version = health->family == MRD_FAMILY_IPV6 ? MRD_IPV6 : MRD_IPV4,
	};

	memcpy(ip.bytes, health->addr, sizeof(ip.bytes));
	return ip;
}

static bool is_known(const struct mrd_view_port *port, const struct mrd_ip *ip, uint32_t number)
{
	for (size_t i = 0; i < port->endpoint_count; i++)
		if (port->endpoints[i].port == number &&
		    !mrd_ip_compare(&port->endpoints[i].ip, ip))
			return true;
	return false;
}

static int keep_endpoint(struct keeping *keeping, uint32_t id, const struct mrd_health *health,
			 const struct mrd_locality *locality)
{
	char name[32];
	char zone[MRD_NAME_LEN];
	struct mrd_slice_port port = {
		.name = (char *)keeping->name->port_name,
		.app_protocol = "",
		.transport = keeping->port->transport,
		.port = (uint16_t)health->port,
	};
	struct mrd_slice_endpoint endpoint = {
		.ip = ip_of(health),
		.ready = health->state == MRD_STATE_ACTIVE || health->state == MRD_STATE_EJECTED,
		.serving = health->state != MRD_STATE_UNREADY,
		.terminating = health->state == MRD_STATE_DRAINING,
		.node_name = "",
		.zone = zone,
		.hostname = "",
		.target_name = "",
		.target_namespace = "",
	};
	struct mrd_slice_object slice = {
		.meta = {.kind = MRD_KIND_SLICE,
			 .namespace_ = (char *)keeping->name->namespace_,
			 .name = name,
			 .created_us = MRD_INSTANT_NONE,
			 .resource_version = ""},
		.service_name = (char *)keeping->name->service,
		.version = keeping->port->version,
		.ports = &port,
		.port_count = 1,
		.endpoints = &endpoint,
		.endpoint_count = 1,
	};
	struct mrd_meta *copy;

	snprintf(name, sizeof(name), "endpoint-%u", id);
	memcpy(zone, locality->zone, sizeof(zone));
	copy = mrd_object_copy(&slice.meta);
	keeping->kept++;
	return copy ? mrd_model_put_unmet(keeping->model, keeping->cluster, copy) : -ENOMEM;
}

static int look_at_endpoint(void *self, const void *key, const void *value)
{
	struct keeping *keeping = self;
	const struct mrd_health *health = value;
	const struct mrd_locality *locality =
		mrd_rows_get(keeping->rows, MRD_MAP_LOCALITY, &health->locality_id);
	const struct mrd_ip ip = ip_of(health);

	if (!locality || strcmp(locality->region, keeping->region) != 0 ||
	    is_known(keeping->port, &ip, health->port))
		return 0;
	return keep_endpoint(keeping, *(const uint32_t *)key, health, locality);
}

static int look_at_port(void *self, const struct mrd_name *name, const struct mrd_rows *rows)
{
	struct mrd_view *view MRD_CLEANUP(free_view) = NULL;
	struct keeping *keeping = self;
	const int r = mrd_model_view(keeping->model, name->namespace_, name->service, &view);

	if (r)
		return r == -ENOENT ? 0 : r; /* the home cluster has no such Service any more */
	keeping->name = name;
	keeping->rows = rows;
	keeping->port = find_port(view, name);
	return keeping->port ? mrd_rows_walk(rows, MRD_MAP_HEALTH, look_at_endpoint, keeping) : 0;
}

int mrd_unheard_keep(const struct mrd_engine *engine, struct mrd_model *model, size_t cluster,
		     const char *region, size_t *ret_kept)
{
	struct keeping keeping = {.model = model, .cluster = cluster, .region = region};
	int r = 0;

	if (*region)
		r = mrd_engine_walk_held(engine, look_at_port, &keeping);
	*ret_kept = keeping.kept;
	return r;
}

/* ------------------------------------------------------------------------ of a broken folder */

struct telling {
	const struct mrd_view *view;
	const char *region;
	/* Of the port whose rows are walked. */
	const struct mrd_rows *rows;
	const struct mrd_view_port *port;
};

/* -ENOENT: nobody names this endpoint, which may be the cluster's. */
static int find_told(void *self, const void *key, const void *value)
{
	const struct telling *telling = self;
	const struct mrd_health *health = value;
	const struct mrd_locality *locality =
		mrd_rows_get(telling->rows, MRD_MAP_LOCALITY, &health->locality_id);
	const struct mrd_ip ip = ip_of(health);

	(void)key;
	if (*telling->region && locality && strcmp(locality->region, telling->region) != 0)
		return 0;
	return is_known(telling->port, &ip, health->port) ? 0 : -ENOENT;
}

static int find_told_of_port(void *self, const struct mrd_name *name, const struct mrd_rows *rows)
{
	struct telling *telling = self;

	telling->rows = rows;
	telling->port = find_port(telling->view, name);
	return telling->port ? mrd_rows_walk(rows, MRD_MAP_HEALTH, find_told, telling) : 0;
}

bool mrd_unheard_is_told(const struct mrd_engine *engine, const struct mrd_model *model,
			 size_t cluster, const char *region, const char *namespace_,
			 const char *name)
{
	struct mrd_view *view MRD_CLEANUP(free_view) = NULL;
	struct telling telling = {.region = region};

	if (mrd_model_view(model, namespace_, name, &view))
		return false;
	if (mrd_model_has_slice(model, cluster, namespace_, name))
		return true;
	telling.view = view;
	return !mrd_engine_walk_service(engine, namespace_, name, find_told_of_port, &telling);
}
