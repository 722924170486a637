/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * {"services": [{"service": "default/reviews", "port": "http", "protocol": "TCP", "family": "IPv4",
 *   "service_id": 3, "vips": ["172.16.0.20:9080"], "affinity_timeout_s": 0, "mode": "failover",
 *   "hops": [{"region": "cn-hangzhou", "zone": "", "subzone": "", "priority": 0,
 *     "share_percent": 70.0, "members": 2, "accept": "active"}]}]}
 *
 * One entry for each service, port and family, as the kernel has it; members are the usable ones.
 */
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/plan_text.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/rowset.h"

struct vip {
	const struct mrd_vip_key *key;
	const struct mrd_service *service;
};

/* Everything that the document joins. */
struct services {
	struct mrd_rowset names;
	struct mrd_rowset routes;
	struct mrd_rowset localities;
	struct mrd_rowset vip_rows;
	struct vip *vips; /* by service id, then address */
	size_t *order;	  /* rows of names, by name */
};

static void services_free(struct services *services)
{
	mrd_rowset_free(&services->names);
	mrd_rowset_free(&services->routes);
	mrd_rowset_free(&services->localities);
	mrd_rowset_free(&services->vip_rows);
	free(services->vips);
	free(services->order);
}

static int compare_vips(const void *a, const void *b)
{
	const struct vip *left = a, *right = b;

	if (left->service->service_id != right->service->service_id)
		return left->service->service_id < right->service->service_id ? -1 : 1;
	return memcmp(left->key, right->key, sizeof(*left->key));
}

static int compare_order(const void *a, const void *b, void *self)
{
	const struct mrd_rowset *names = self;

	return mrd_view_compare_names(mrd_rowset_value(names, *(const size_t *)a),
				      mrd_rowset_value(names, *(const size_t *)b));
}

static int services_read(const struct mrd_inspect *inspect, struct services *services)
{
	size_t count;

	if (mrd_rowset_read(inspect, MRD_MAP_NAME, &services->names) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_ROUTE, &services->routes) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_LOCALITY, &services->localities) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_SERVICE, &services->vip_rows) < 0)
		return -1;
	count = services->vip_rows.count;
	services->vips = calloc(count + 1, sizeof(*services->vips));
	services->order = calloc(services->names.count + 1, sizeof(*services->order));
	if (!services->vips || !services->order)
		return -1;
	for (size_t i = 0; i < count; i++)
		services->vips[i] = (struct vip){
			.key = mrd_rowset_key(&services->vip_rows, i),
			.service = mrd_rowset_value(&services->vip_rows, i),
		};
	qsort(services->vips, count, sizeof(*services->vips), compare_vips);
	for (size_t i = 0; i < services->names.count; i++)
		services->order[i] = i;
	qsort_r(services->order, services->names.count, sizeof(*services->order), compare_order,
		&services->names);
	return 0;
}

/* The first of a service's VIPs; they stand together. */
static size_t first_vip(const struct services *services, uint32_t service_id)
{
	size_t low = 0, high = services->vip_rows.count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (services->vips[middle].service->service_id < service_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int set_vips(json_t *entry, const struct services *services, uint32_t service_id)
{
	json_t *vips = json_array();
	uint32_t affinity_timeout_s = 0;
	int r = 0;

	for (size_t i = first_vip(services, service_id);
	     i < services->vip_rows.count && services->vips[i].service->service_id == service_id;
	     i++) {
		const struct vip *vip = &services->vips[i];
		char text[MRD_IP_TEXT_MAX];

		if (vip->service->affinity == MRD_AFFINITY_CLIENT_IP)
			affinity_timeout_s = vip->service->affinity_timeout_s;
		r |= json_array_append_new(
			vips, json_string(mrd_view_address(vip->key->addr, vip->key->family,
							   vip->key->port, text)));
	}
	r |= json_object_set_new(entry, "vips", vips);
	return r |
	       json_object_set_new(entry, "affinity_timeout_s", json_integer(affinity_timeout_s));
}

static int add_hop(json_t *hops, const struct services *services, const struct mrd_hop *hop,
		   uint32_t share)
{
	json_t *object = json_object();

	if (mrd_view_set_locality(object, &services->localities, hop->locality_id) < 0 ||
	    json_object_set_new(object, "priority", json_integer(hop->priority)) < 0 ||
	    json_object_set_new(object, "share_percent",
				json_real(share * 100.0 / MRD_SHARE_TOTAL)) < 0 ||
	    json_object_set_new(object, "members", json_integer(hop->member_count)) < 0 ||
	    json_object_set_new(object, "accept", json_string(mrd_accept_name(hop->accept))) < 0) {
		json_decref(object);
		return -1;
	}
	return json_array_append_new(hops, object);
}

static int set_route(json_t *entry, const struct services *services, uint32_t service_id)
{
	const struct mrd_route *route = mrd_rowset_find(&services->routes, &service_id);
	json_t *hops = json_array();
	uint32_t before = 0;
	int r = 0;

	for (uint32_t i = 0; route && i < route->hop_count && i < MRD_HOPS_MAX; i++) {
		const struct mrd_hop *hop = &route->hops[i];

		/* Torn between two writes of the agent, shares might fall: then 0. */
		r |= add_hop(hops, services, hop, hop->until > before ? hop->until - before : 0);
		before = hop->until;
	}
	r |= json_object_set_new(entry, "mode",
				 json_string(route ? mrd_mode_name(route->mode) : "none"));
	return r | json_object_set_new(entry, "hops", hops);
}

static json_t *service_entry(const struct services *services, size_t row)
{
	const uint32_t *id = mrd_rowset_key(&services->names, row);
	json_t *entry = mrd_view_name(mrd_rowset_value(&services->names, row));

	if (json_object_set_new(entry, "service_id", json_integer(*id)) < 0 ||
	    set_vips(entry, services, *id) < 0 || set_route(entry, services, *id) < 0) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

json_t *mrd_view_services(const struct mrd_inspect *inspect)
{
	__attribute__((cleanup(services_free))) struct services services = {0};
	json_t *list;

	if (services_read(inspect, &services) < 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < services.names.count; i++)
		if (json_array_append_new(list, service_entry(&services, services.order[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:o}", "services", list);
}

/* -------------------------------------------------------------------------------------- text */

static void add_vips(struct mrd_strbuf *out, const json_t *vips)
{
	const json_t *vip;
	size_t i;

	json_array_foreach(vips, i, vip)
		mrd_strbuf_addf(out, "%s%s", i ? "," : "", json_string_value(vip));
}

/* "cn-hangzhou 70% (2), cn-shanghai 30% (1)": the number in brackets is the usable members. */
static void add_route(struct mrd_strbuf *out, const json_t *hops)
{
	const json_t *hop;
	double total = 0;
	char place[256];
	size_t i;

	json_array_foreach(hops, i, hop) total += mrd_view_real(hop, "share_percent");
	if (total <= 0)
		mrd_strbuf_addf(out, "refused: nothing usable%s",
				json_array_size(hops) ? "; " : "");
	json_array_foreach(hops, i, hop)
	{
		const char *accept = mrd_view_text(hop, "accept");
		const bool ordinary = strcmp(accept, "active") == 0;

		mrd_strbuf_addf(out, "%s%s %.4g%% (%lld%s%s)", i ? ", " : "",
				*mrd_view_place(hop, place, sizeof(place)) ? place : "-",
				mrd_view_real(hop, "share_percent"),
				mrd_view_integer(hop, "members"), ordinary ? "" : " ",
				ordinary ? "" : accept);
	}
}

void mrd_view_print_services(const json_t *doc, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"SERVICE", 0}, {"PORT", 0}, {"VIP", 0}, {"MODE", 0}, {"ROUTE", 0},
	};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(doc, "services"), i, entry)
	{
		MRD_AUTO_STRBUF struct mrd_strbuf vips = {0}, route = {0};
		const char *port = mrd_view_text(entry, "port");

		add_vips(&vips, json_object_get(entry, "vips"));
		add_route(&route, json_object_get(entry, "hops"));
		mrd_columns_add(table, "%s", mrd_view_text(entry, "service"));
		mrd_columns_add(table, "%s%s%s", port, *port ? "/" : "",
				mrd_view_text(entry, "protocol"));
		mrd_columns_add(table, "%s", vips.text ? vips.text : "");
		mrd_columns_add(table, "%s%s", mrd_view_text(entry, "mode"),
				mrd_view_integer(entry, "affinity_timeout_s") ? "+affinity" : "");
		mrd_columns_add(table, "%s", route.text ? route.text : "");
	}
	mrd_columns_print(table, 0, out);
}
