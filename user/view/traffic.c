/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Two maps have a row for each endpoint of all clusters, so neither is copied: health rows say
 * which group an endpoint belongs to, of which only ids are kept, and stat rows are added up as
 * they come.
 */
#include "view/traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "view/rowset.h"

enum { FIRST_ROOM = 64 };

struct place {
	uint32_t service_id;
	uint32_t locality_id;
};

struct member {
	uint32_t endpoint_id;
	struct mrd_traffic *group;
};

struct reading {
	struct mrd_rowset names;
	struct mrd_rowset localities;
	struct mrd_table *groups;
	struct mrd_table *places; /* struct place → group of groups */
	struct member *members;	  /* sorted by id when health was read */
	size_t count;
	size_t room;
};

static void free_reading(struct reading *reading)
{
	mrd_rowset_free(&reading->names);
	mrd_rowset_free(&reading->localities);
	mrd_table_free(reading->groups);
	mrd_table_free(reading->places);
	free(reading->members);
}

/* ----------------------------------------------------------------------------------- arithmetic */

struct mrd_traffic_sums mrd_traffic_of(const struct mrd_stat *stat)
{
	struct mrd_traffic_sums sums = {
		.connects = stat->connects,
		.established = stat->established,
		.failed = stat->failed,
		.response_sum_us = stat->response_sum_us,
		.handshake_sum_us = stat->handshake_sum_us,
	};

	for (size_t i = 0; i < MRD_CLASSES; i++)
		sums.responses[i] = stat->responses[i];
	for (size_t i = 0; i < MRD_RESPONSE_BUCKETS; i++)
		sums.responses_timed[i] = stat->responses_timed[i];
	return sums;
}

uint64_t mrd_traffic_timed(const uint64_t timed[MRD_RESPONSE_BUCKETS])
{
	uint64_t count = 0;

	for (size_t i = 0; i < MRD_RESPONSE_BUCKETS; i++)
		count += timed[i];
	return count;
}

void mrd_traffic_add(struct mrd_traffic_sums *a, const struct mrd_traffic_sums *b)
{
	a->connects += b->connects;
	a->established += b->established;
	a->failed += b->failed;
	for (size_t i = 0; i < MRD_CLASSES; i++)
		a->responses[i] += b->responses[i];
	a->response_sum_us += b->response_sum_us;
	for (size_t i = 0; i < MRD_RESPONSE_BUCKETS; i++)
		a->responses_timed[i] += b->responses_timed[i];
	a->handshake_sum_us += b->handshake_sum_us;
}

void mrd_traffic_subtract(struct mrd_traffic_sums *a, const struct mrd_traffic_sums *b)
{
	a->connects -= b->connects;
	a->established -= b->established;
	a->failed -= b->failed;
	for (size_t i = 0; i < MRD_CLASSES; i++)
		a->responses[i] -= b->responses[i];
	a->response_sum_us -= b->response_sum_us;
	for (size_t i = 0; i < MRD_RESPONSE_BUCKETS; i++)
		a->responses_timed[i] -= b->responses_timed[i];
	a->handshake_sum_us -= b->handshake_sum_us;
}

/* --------------------------------------------------------------------------------------- groups */

struct mrd_traffic *mrd_traffic_group(struct mrd_table *groups, const struct mrd_traffic_key *key)
{
	struct mrd_traffic *group = mrd_table_get(groups, key, sizeof(*key));

	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->key = *key;
	if (mrd_table_put(groups, key, sizeof(*key), group) < 0) {
		free(group);
		return NULL;
	}
	return group;
}

/* *ret_group is NULL for an endpoint of a service without a name. */
static int find_group(struct reading *reading, const struct mrd_health *health,
		      struct mrd_traffic **ret_group)
{
	const struct place place = {health->service_id, health->locality_id};
	const struct mrd_locality *locality;
	const struct mrd_name *name;
	struct mrd_traffic_key key = {0};

	*ret_group = mrd_table_get(reading->places, &place, sizeof(place));
	if (*ret_group)
		return 0;
	name = mrd_rowset_find(&reading->names, &place.service_id);
	locality = mrd_rowset_find(&reading->localities, &place.locality_id);
	if (!name)
		return 0;
	key.name = *name;
	if (locality)
		memcpy(key.region, locality->region, sizeof(key.region));
	*ret_group = mrd_traffic_group(reading->groups, &key);
	if (!*ret_group)
		return -ENOMEM;
	return mrd_table_put(reading->places, &place, sizeof(place), *ret_group);
}

static int add_member(struct reading *reading, uint32_t endpoint_id, struct mrd_traffic *group)
{
	if (reading->count == reading->room) {
		const size_t room = reading->room ? reading->room * 2 : FIRST_ROOM;
		struct member *members = reallocarray(reading->members, room, sizeof(*members));

		if (!members)
			return -ENOMEM;
		reading->members = members;
		reading->room = room;
	}
	reading->members[reading->count++] = (struct member){endpoint_id, group};
	return 0;
}

static int on_health(void *self, const void *key, const void *value)
{
	struct reading *reading = self;
	const struct mrd_health *health = value;
	struct mrd_traffic *group;
	int r = find_group(reading, health, &group);

	if (r || !group)
		return r;
	if ((unsigned int)health->state <= MRD_STATE_UNREADY)
		group->by_state[health->state]++;
	group->ejections += health->ejections;
	return add_member(reading, *(const uint32_t *)key, group);
}

static int compare_members(const void *a, const void *b)
{
	const struct member *left = a, *right = b;

	if (left->endpoint_id == right->endpoint_id)
		return 0;
	return left->endpoint_id < right->endpoint_id ? -1 : 1;
}

static int on_stat(void *self, const void *key, const void *value)
{
	const struct reading *reading = self;
	const struct mrd_stat *stat = value;
	const struct mrd_traffic_sums sums = mrd_traffic_of(stat);
	const struct member wanted = {.endpoint_id = *(const uint32_t *)key};
	const struct member *member = reading->count
					      ? bsearch(&wanted, reading->members, reading->count,
							sizeof(wanted), compare_members)
					      : NULL;

	if (!member)
		return 0;
	mrd_traffic_add(&member->group->sums, &sums);
	member->group->open += stat->open;
	return 0;
}

int mrd_traffic_read(const struct mrd_inspect *inspect, struct mrd_table **ret_groups)
{
	struct reading reading MRD_CLEANUP(free_reading) = {
		.groups = mrd_table_new(free),
		.places = mrd_table_new(NULL),
	};
	int r = reading.groups && reading.places ? 0 : -ENOMEM;

	r = r ?: mrd_rowset_read(inspect, MRD_MAP_NAME, &reading.names);
	r = r ?: mrd_rowset_read(inspect, MRD_MAP_LOCALITY, &reading.localities);
	r = r ?: mrd_inspect_walk(inspect, MRD_MAP_HEALTH, on_health, &reading);
	if (r)
		return r;
	if (reading.count)
		qsort(reading.members, reading.count, sizeof(*reading.members), compare_members);
	r = mrd_inspect_walk(inspect, MRD_MAP_STAT, on_stat, &reading);
	if (r)
		return r;
	*ret_groups = MRD_STEAL_PTR(reading.groups);
	return 0;
}
