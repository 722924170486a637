/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * {"regions": [{"region": "cn-hangzhou", "endpoints": {"ACTIVE": 2, "EJECTED": 1, "DRAINING": 0,
 *   "UNREADY": 0}, "connects": 90, "connects_percent": 90.0, "failed": 0, "open": 3,
 *   "responses": {"1xx": 0, …}}]}
 *
 * connects_percent is the region's part of all connects of this node since the maps were made; what
 * endpoints that are gone have counted is gone with them.
 */
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "plan/plan_text.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/rowset.h"

static const enum mrd_state states[] = {
	MRD_STATE_ACTIVE,
	MRD_STATE_EJECTED,
	MRD_STATE_DRAINING,
	MRD_STATE_UNREADY,
};

struct region {
	char name[MRD_NAME_LEN + 1];
	uint64_t by_state[MRD_STATE_UNREADY + 1];
	uint64_t connects;
	uint64_t failed;
	int64_t open;
	uint64_t responses[MRD_CLASSES];
};

static void add_endpoint(struct region *region, const struct mrd_health *health,
			 const struct mrd_stat *stat)
{
	if ((unsigned int)health->state <= MRD_STATE_UNREADY)
		region->by_state[health->state]++;
	if (!stat)
		return;
	region->connects += stat->connects;
	region->failed += stat->failed;
	region->open += stat->open;
	for (size_t i = 0; i < MRD_CLASSES; i++)
		region->responses[i] += stat->responses[i];
}

static struct region *region_of(struct mrd_table *regions, const char *name)
{
	struct region *region = mrd_table_get_str(regions, name);

	if (region)
		return region;
	region = calloc(1, sizeof(*region));
	if (!region)
		return NULL;
	snprintf(region->name, sizeof(region->name), "%s", name);
	if (mrd_table_put_str(regions, name, region) < 0) {
		free(region);
		return NULL;
	}
	return region;
}

static int add_up(const struct mrd_inspect *inspect, struct mrd_table *regions)
{
	MRD_AUTO_ROWSET struct mrd_rowset health = {0}, stats = {0}, localities = {0};

	if (mrd_rowset_read(inspect, MRD_MAP_HEALTH, &health) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_STAT, &stats) < 0 ||
	    mrd_rowset_read(inspect, MRD_MAP_LOCALITY, &localities) < 0)
		return -1;
	for (size_t i = 0; i < health.count; i++) {
		const struct mrd_health *row = mrd_rowset_value(&health, i);
		char name[MRD_NAME_LEN + 1];
		struct region *region =
			region_of(regions, mrd_view_region(&localities, row->locality_id, name));

		if (!region)
			return -1;
		add_endpoint(region, row, mrd_rowset_find(&stats, mrd_rowset_key(&health, i)));
	}
	return 0;
}

static json_t *region_entry(const struct region *region, uint64_t connects)
{
	json_t *endpoints = json_object();
	const double percent = connects ? 100.0 * (double)region->connects / (double)connects : 0.0;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (json_object_set_new(endpoints, mrd_state_name(states[i]),
					mrd_view_number(region->by_state[states[i]])) < 0) {
			json_decref(endpoints);
			return NULL;
		}
	return json_pack("{s:s, s:o, s:I, s:f, s:I, s:I, s:o}", "region", region->name, "endpoints",
			 endpoints, "connects", (json_int_t)region->connects, "connects_percent",
			 percent, "failed", (json_int_t)region->failed, "open",
			 (json_int_t)region->open, "responses",
			 mrd_view_classes(region->responses));
}

static int compare_regions(const void *a, const void *b)
{
	return strcmp((*(struct region *const *)a)->name, (*(struct region *const *)b)->name);
}

static json_t *region_list(const struct mrd_table *regions)
{
	const size_t count = mrd_table_count(regions);
	struct region **sorted = calloc(count + 1, sizeof(struct region *));
	json_t *list = json_array();
	uint64_t connects = 0;
	size_t cursor = 0;

	if (!sorted)
		goto fail;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = mrd_table_next(regions, &cursor, NULL, NULL);
		connects += sorted[i]->connects;
	}
	qsort(sorted, count, sizeof(struct region *), compare_regions);
	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list, region_entry(sorted[i], connects)) < 0)
			goto fail;
	free(sorted);
	return list;
fail:
	free(sorted);
	json_decref(list);
	return NULL;
}

json_t *mrd_view_regions(const struct mrd_inspect *inspect)
{
	struct mrd_table *regions = mrd_table_new(free);
	json_t *list = NULL;

	if (regions && add_up(inspect, regions) == 0)
		list = region_list(regions);
	mrd_table_free(regions);
	return list ? json_pack("{s:o}", "regions", list) : NULL;
}

/* -------------------------------------------------------------------------------------- text */

void mrd_view_print_regions(const json_t *doc, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"REGION", 0}, {"ACTIVE", 1},	{"EJECTED", 1}, {"DRAINING", 1}, {"UNREADY", 1},
		{"OPEN", 1},   {"CONNECTS", 1}, {"SHARE", 1},	{"FAILED", 1},	 {"2XX", 1},
		{"3XX", 1},    {"4XX", 1},	{"5XX", 1},
	};
	static const char *const classes[] = {"2xx", "3xx", "4xx", "5xx"};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(doc, "regions"), i, entry)
	{
		const json_t *endpoints = json_object_get(entry, "endpoints");
		const json_t *responses = json_object_get(entry, "responses");

		mrd_columns_add(table, "%s", mrd_view_text(entry, "region"));
		for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++)
			mrd_columns_add(table, "%lld",
					mrd_view_integer(endpoints, mrd_state_name(states[s])));
		mrd_columns_add(table, "%lld", mrd_view_integer(entry, "open"));
		mrd_columns_add(table, "%lld", mrd_view_integer(entry, "connects"));
		mrd_columns_add(table, "%.1f%%", mrd_view_real(entry, "connects_percent"));
		mrd_columns_add(table, "%lld", mrd_view_integer(entry, "failed"));
		for (size_t c = 0; c < sizeof(classes) / sizeof(classes[0]); c++)
			mrd_columns_add(table, "%lld", mrd_view_integer(responses, classes[c]));
	}
	mrd_columns_print(table, 0, out);
}
