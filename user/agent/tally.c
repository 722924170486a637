/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * For each group of endpoints: what is to be added to the sum over the rows, so that no write of
 * the agent changes the total. It may be "less than nothing": the numbers wrap.
 *
 * An endpoint is in a sum as long as it has a health row, which says whose it is, so only writes of
 * those rows matter. What is kept of a service goes with its name row, the last one to go.
 */
#include "agent/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "view/traffic.h"

struct mrd_tally {
	struct mrd_map_writer writer;
	struct mrd_tally_writes writes;
	struct mrd_table *kept; /* key → struct mrd_traffic, of which sums count */
};

struct mrd_tally *mrd_tally_new(const struct mrd_map_writer *writer)
{
	struct mrd_tally *tally = calloc(1, sizeof(*tally));

	if (!tally)
		return NULL;
	tally->writer = *writer;
	tally->kept = mrd_table_new(free);
	if (!tally->kept) {
		free(tally);
		return NULL;
	}
	return tally;
}

void mrd_tally_free(struct mrd_tally *tally)
{
	if (!tally)
		return;
	mrd_table_free(tally->kept);
	free(tally);
}

/* --------------------------------------------------------------------------------------- writes */

static int get(const struct mrd_tally *tally, enum mrd_map map, const void *key, void *ret_value)
{
	return tally->writer.get(tally->writer.self, map, key, ret_value);
}

/* Where an endpoint's counts go to or come from; NULL: its service has no name, or no memory. */
static struct mrd_traffic *group_of(struct mrd_tally *tally, const struct mrd_health *health)
{
	struct mrd_traffic_key key = {0};
	struct mrd_locality locality = {0};

	if (get(tally, MRD_MAP_NAME, &health->service_id, &key.name))
		return NULL;
	if (!get(tally, MRD_MAP_LOCALITY, &health->locality_id, &locality))
		memcpy(key.region, locality.region, sizeof(key.region));
	return mrd_traffic_group(tally->kept, &key);
}

static bool is_same_group(const struct mrd_health *a, const struct mrd_health *b)
{
	return a->service_id == b->service_id && a->locality_id == b->locality_id;
}

/* A health row becomes another one: its group keeps what was counted, and the other must not count
 * it again. All zero: nothing moves. */
struct move {
	struct mrd_traffic *from;
	struct mrd_traffic *to;
	struct mrd_traffic_sums sums;
};

/*
 * to: NULL if the row is to go. A counter may be there before the health row that says whose it is:
 * what another agent's endpoint was counted.
 */
static struct move plan_move(struct mrd_tally *tally, uint32_t endpoint_id,
			     const struct mrd_health *to)
{
	struct move move = {0};
	struct mrd_health from;
	const bool had_row = !get(tally, MRD_MAP_HEALTH, &endpoint_id, &from);
	struct mrd_stat stat;

	if ((had_row && to && is_same_group(&from, to)) ||
	    get(tally, MRD_MAP_STAT, &endpoint_id, &stat))
		return move;
	move.sums = mrd_traffic_of(&stat);
	move.from = had_row ? group_of(tally, &from) : NULL;
	move.to = to ? group_of(tally, to) : NULL;
	return move;
}

static void carry_out(const struct move *move)
{
	if (move->from)
		mrd_traffic_add(&move->from->sums, &move->sums);
	if (move->to)
		mrd_traffic_subtract(&move->to->sums, &move->sums);
}

/* What a service's name is before it goes; "" for any other row, or a name that is not known. */
static struct mrd_name name_of(const struct mrd_tally *tally, enum mrd_map map, const void *key)
{
	struct mrd_name name = {0};

	if (map == MRD_MAP_NAME && get(tally, map, key, &name))
		name = (struct mrd_name){0};
	return name;
}

static void forget(struct mrd_tally *tally, const struct mrd_name *name)
{
	const struct mrd_traffic *group;
	size_t cursor = 0;

	while (*name->service && (group = mrd_table_next(tally->kept, &cursor, NULL, NULL))) {
		const struct mrd_traffic_key key = group->key;

		if (!memcmp(&key.name, name, sizeof(*name)))
			mrd_table_delete(tally->kept, &key, sizeof(key));
	}
}

static int count(struct mrd_tally *tally, enum mrd_map map, int result)
{
	if (result)
		tally->writes.failed[map]++;
	else
		tally->writes.done[map]++;
	return result;
}

static int put(void *self, enum mrd_map map, const void *key, const void *value, int create_only)
{
	struct mrd_tally *tally = self;
	struct move move = {0};
	int r;

	if (map == MRD_MAP_HEALTH)
		move = plan_move(tally, *(const uint32_t *)key, value);
	r = tally->writer.put(tally->writer.self, map, key, value, create_only);
	if (!r)
		carry_out(&move);
	return count(tally, map, r);
}

static int del(void *self, enum mrd_map map, const void *key, uint32_t service_id)
{
	struct mrd_tally *tally = self;
	const struct mrd_name name = name_of(tally, map, key);
	struct move move = {0};
	int r;

	if (map == MRD_MAP_HEALTH)
		move = plan_move(tally, *(const uint32_t *)key, NULL);
	r = tally->writer.del(tally->writer.self, map, key, service_id);
	if (!r) {
		carry_out(&move);
		forget(tally, &name);
	}
	return count(tally, map, r);
}

static int look_up(void *self, enum mrd_map map, const void *key, void *ret_value)
{
	return get(self, map, key, ret_value);
}

struct mrd_map_writer mrd_tally_writer(struct mrd_tally *tally)
{
	return (struct mrd_map_writer){.self = tally, .put = put, .del = del, .get = look_up};
}

const struct mrd_tally_writes *mrd_tally_get_writes(const struct mrd_tally *tally)
{
	return &tally->writes;
}

/* ----------------------------------------------------------------------------------------- sums */

int mrd_tally_start(struct mrd_tally *tally, const struct mrd_table *groups)
{
	const struct mrd_traffic *group;
	size_t cursor = 0;

	while ((group = mrd_table_next(groups, &cursor, NULL, NULL))) {
		struct mrd_traffic *kept = mrd_traffic_group(tally->kept, &group->key);

		if (!kept)
			return -ENOMEM;
		mrd_traffic_subtract(&kept->sums, &group->sums);
	}
	return 0;
}

int mrd_tally_complete(const struct mrd_tally *tally, struct mrd_table *groups)
{
	const struct mrd_traffic *kept;
	size_t cursor = 0;

	while ((kept = mrd_table_next(tally->kept, &cursor, NULL, NULL))) {
		struct mrd_traffic *group = mrd_traffic_group(groups, &kept->key);

		if (!group)
			return -ENOMEM;
		mrd_traffic_add(&group->sums, &kept->sums);
	}
	return 0;
}
