/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * {"endpoints": [{"service": "default/reviews", "port": "http", "protocol": "TCP", "family":
 * "IPv4", "address": "10.0.0.5:9080", "endpoint_id": 7, "region": "cn-hangzhou", "zone": "",
 *   "subzone": "", "state": "EJECTED", "ejected_for_ms": 41200, "ejections": 1, "open": 2,
 *   "connects": 10, "established": 10, "failed": 0, "responses": {"1xx": 0, "2xx": 9, …},
 *   "handshake_mean_ms": 0.21, "response_mean_ms": 3.4, "last_heard_ms_ago": 120}]}
 *
 * An endpoint in two services is listed in both: it is two to the kernel. ejected_for_ms is what
 * remains (0: not ejected); means and last_heard_ms_ago are null before there is anything to tell.
 */
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "plan/plan_text.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/rowset.h"
#include "view/traffic.h"

struct endpoints {
	struct mrd_rowset health;
	struct mrd_rowset stats;
	struct mrd_rowset names;
	struct mrd_rowset localities;
	size_t *order; /* rows of health */
	uint64_t now_ns;
};

static void endpoints_free(struct endpoints *endpoints)
{
	mrd_rowset_free(&endpoints->health);
	mrd_rowset_free(&endpoints->stats);
	mrd_rowset_free(&endpoints->names);
	mrd_rowset_free(&endpoints->localities);
	free(endpoints->order);
}

/* By service, region and address. */
static int compare_order(const void *a, const void *b, void *self)
{
	static const struct mrd_name unknown;
	const struct endpoints *endpoints = self;
	const struct mrd_health *left = mrd_rowset_value(&endpoints->health, *(const size_t *)a);
	const struct mrd_health *right = mrd_rowset_value(&endpoints->health, *(const size_t *)b);
	const struct mrd_name *left_name = mrd_rowset_find(&endpoints->names, &left->service_id);
	const struct mrd_name *right_name = mrd_rowset_find(&endpoints->names, &right->service_id);
	char left_region[MRD_NAME_LEN + 1], right_region[MRD_NAME_LEN + 1];
	int order = mrd_view_compare_names(left_name ? left_name : &unknown,
					   right_name ? right_name : &unknown);

	mrd_view_region(&endpoints->localities, left->locality_id, left_region);
	mrd_view_region(&endpoints->localities, right->locality_id, right_region);
	order = order ? order : strcmp(left_region, right_region);
	order = order ? order : memcmp(left->addr, right->addr, sizeof(left->addr));
	return order ? order : (int)left->port - (int)right->port;
}

static int endpoints_read(const struct mrd_inspect *inspect, struct endpoints *endpoints)
{
	if (mrd_rowset_read(inspect, MRD_MAP_HEALTH, &endpoints->health) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_STAT, &endpoints->stats) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_NAME, &endpoints->names) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_LOCALITY, &endpoints->localities) < 0)
		return -1;
	endpoints->order = calloc(endpoints->health.count + 1, sizeof(*endpoints->order));
	if (!endpoints->order)
		return -1;
	for (size_t i = 0; i < endpoints->health.count; i++)
		endpoints->order[i] = i;
	qsort_r(endpoints->order, endpoints->health.count, sizeof(*endpoints->order), compare_order,
		endpoints);
	return 0;
}

static json_t *since_ms(uint64_t then_ns, uint64_t now_ns)
{
	if (!then_ns)
		return json_null();
	return mrd_view_number(now_ns > then_ns ? (now_ns - then_ns) / MRD_NS_PER_MS : 0);
}

static int set_counters(json_t *entry, const struct mrd_stat *stat, uint64_t now_ns)
{
	const uint64_t *timed = (const uint64_t *)stat->responses_timed;
	int r;

	r = json_object_set_new(entry, "open", json_integer(stat->open));
	r |= json_object_set_new(entry, "connects", mrd_view_number(stat->connects));
	r |= json_object_set_new(entry, "established", mrd_view_number(stat->established));
	r |= json_object_set_new(entry, "failed", mrd_view_number(stat->failed));
	r |= json_object_set_new(entry, "responses",
				 mrd_view_classes((const uint64_t *)stat->responses));
	r |= json_object_set_new(entry, "handshake_mean_ms",
				 mrd_view_mean_ms(stat->handshake_sum_us, stat->established));
	r |= json_object_set_new(entry, "response_mean_ms",
				 mrd_view_mean_ms(stat->response_sum_us, mrd_traffic_timed(timed)));
	return r | json_object_set_new(entry, "last_heard_ms_ago",
				       since_ms(stat->last_heard_ns, now_ns));
}

static int set_state(json_t *entry, const struct mrd_health *health, uint64_t now_ns)
{
	const bool ejected =
		health->state == MRD_STATE_EJECTED && health->ejected_until_ns > now_ns;
	const uint64_t left_ns = ejected ? health->ejected_until_ns - now_ns : 0;
	int r = json_object_set_new(entry, "state", json_string(mrd_state_name(health->state)));

	r |= json_object_set_new(entry, "ejected_for_ms", mrd_view_number(left_ns / MRD_NS_PER_MS));
	return r | json_object_set_new(entry, "ejections", json_integer(health->ejections));
}

static json_t *endpoint_entry(const struct endpoints *endpoints, size_t row)
{
	static const struct mrd_stat no_stat;
	const uint32_t *id = mrd_rowset_key(&endpoints->health, row);
	const struct mrd_health *health = mrd_rowset_value(&endpoints->health, row);
	const struct mrd_stat *stat = mrd_rowset_find(&endpoints->stats, id);
	json_t *entry = mrd_view_name(mrd_rowset_find(&endpoints->names, &health->service_id));
	char address[MRD_IP_TEXT_MAX];

	mrd_view_address(health->addr, health->family, health->port, address);
	if (json_object_set_new(entry, "address", json_string(address)) < 0 ||
	    json_object_set_new(entry, "endpoint_id", json_integer(*id)) < 0 ||
	    mrd_view_set_locality(entry, &endpoints->localities, health->locality_id) < 0 ||
	    set_state(entry, health, endpoints->now_ns) < 0 ||
	    set_counters(entry, stat ? stat : &no_stat, endpoints->now_ns) < 0) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

/* "namespace/name", as a user names it. */
static bool is_service(const struct mrd_name *name, const char *service)
{
	const size_t len = name ? strnlen(name->namespace_, MRD_NAME_LEN) : 0;

	return name && strncmp(service, name->namespace_, len) == 0 && service[len] == '/' &&
	       strlen(service + len + 1) <= MRD_NAME_LEN &&
	       strncmp(service + len + 1, name->service, MRD_NAME_LEN) == 0;
}

json_t *mrd_view_endpoints(const struct mrd_inspect *inspect, const char *service, uint64_t now_ns)
{
	__attribute__((cleanup(endpoints_free))) struct endpoints endpoints = {.now_ns = now_ns};
	json_t *list;

	if (endpoints_read(inspect, &endpoints) < 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < endpoints.health.count; i++) {
		const size_t row = endpoints.order[i];
		const struct mrd_health *health = mrd_rowset_value(&endpoints.health, row);

		if (service &&
		    !is_service(mrd_rowset_find(&endpoints.names, &health->service_id), service))
			continue;
		if (json_array_append_new(list, endpoint_entry(&endpoints, row)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o}", "endpoints", list);
}

/* -------------------------------------------------------------------------------------- text */

/* A mean time, or nothing if there is none. */
static void add_time(struct mrd_columns *table, const json_t *entry, const char *key)
{
	const json_t *mean = json_object_get(entry, key);

	if (json_is_number(mean))
		mrd_columns_add(table, "%.2fms", json_number_value(mean));
	else
		mrd_columns_add(table, "%s", "");
}

static void add_state(struct mrd_columns *table, const json_t *entry)
{
	const long long left_ms = mrd_view_integer(entry, "ejected_for_ms");
	char span[32];

	if (left_ms)
		mrd_columns_add(table, "%s %s", mrd_view_text(entry, "state"),
				mrd_view_span(left_ms, span, sizeof(span)));
	else
		mrd_columns_add(table, "%s", mrd_view_text(entry, "state"));
}

void mrd_view_print_endpoints(const json_t *doc, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"SERVICE", 0},	  {"PORT", 0}, {"ADDRESS", 0},	{"REGION", 0},	  {"STATE", 0},
		{"EJECTIONS", 1}, {"OPEN", 1}, {"CONNECTS", 1}, {"FAILED", 1},	  {"2XX", 1},
		{"3XX", 1},	  {"4XX", 1},  {"5XX", 1},	{"HANDSHAKE", 1}, {"RESPONSE", 1},
	};
	static const char *const classes[] = {"2xx", "3xx", "4xx", "5xx"};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *entry;
	char place[256];
	size_t i;

	json_array_foreach(json_object_get(doc, "endpoints"), i, entry)
	{
		const json_t *responses = json_object_get(entry, "responses");

		mrd_columns_add(table, "%s", mrd_view_text(entry, "service"));
		mrd_columns_add(table, "%s", mrd_view_text(entry, "port"));
		mrd_columns_add(table, "%s", mrd_view_text(entry, "address"));
		mrd_columns_add(table, "%s", mrd_view_place(entry, place, sizeof(place)));
		add_state(table, entry);
		mrd_columns_add(table, "%lld", mrd_view_integer(entry, "ejections"));
		mrd_columns_add(table, "%lld", mrd_view_integer(entry, "open"));
		mrd_columns_add(table, "%lld", mrd_view_integer(entry, "connects"));
		mrd_columns_add(table, "%lld", mrd_view_integer(entry, "failed"));
		for (size_t c = 0; c < sizeof(classes) / sizeof(classes[0]); c++)
			mrd_columns_add(table, "%lld", mrd_view_integer(responses, classes[c]));
		add_time(table, entry, "handshake_mean_ms");
		add_time(table, entry, "response_mean_ms");
	}
	mrd_columns_print(table, 0, out);
}
