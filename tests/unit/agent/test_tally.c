/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/tally.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "view/traffic.h"

#include "../plan/fake_maps.h"

enum { REVIEWS = 7, DETAILS = 8, HANGZHOU = 1, SHANGHAI = 2, ENDPOINT = 21, OTHER = 22 };

struct stage {
	struct fake_maps maps;
	struct mrd_tally *tally;
	struct mrd_map_writer writer; /* through the tally */
};

static void put_name(struct stage *stage, uint32_t service_id, const char *service)
{
	struct mrd_name name = {.family = MRD_FAMILY_IPV4, .protocol = MRD_PROTOCOL_TCP};

	snprintf(name.namespace_, sizeof(name.namespace_), "default");
	snprintf(name.service, sizeof(name.service), "%s", service);
	assert_int_equal(stage->writer.put(stage->writer.self, MRD_MAP_NAME, &service_id, &name, 0),
			 0);
}

static void put_locality(struct stage *stage, uint32_t locality_id, const char *region)
{
	struct mrd_locality locality = {0};

	snprintf(locality.region, sizeof(locality.region), "%s", region);
	assert_int_equal(
		stage->writer.put(stage->writer.self, MRD_MAP_LOCALITY, &locality_id, &locality, 1),
		0);
}

static int put_health(struct stage *stage, uint32_t id, uint32_t service_id, uint32_t locality_id,
		      enum mrd_state state)
{
	const struct mrd_health health = {
		.service_id = service_id,
		.locality_id = locality_id,
		.state = state,
	};

	return stage->writer.put(stage->writer.self, MRD_MAP_HEALTH, &id, &health, 0);
}

/* As the plan creates an endpoint: the counter first, then the health row. */
static void put_endpoint(struct stage *stage, uint32_t id, uint32_t service_id,
			 uint32_t locality_id)
{
	const struct mrd_stat zero = {0};

	assert_int_equal(stage->writer.put(stage->writer.self, MRD_MAP_STAT, &id, &zero, 1), 0);
	assert_int_equal(put_health(stage, id, service_id, locality_id, MRD_STATE_ACTIVE), 0);
}

static int delete_row(struct stage *stage, enum mrd_map map, uint32_t id)
{
	return stage->writer.del(stage->writer.self, map, &id, REVIEWS);
}

/* What the hooks do. */
static void connects(struct stage *stage, uint32_t id, uint64_t times)
{
	struct mrd_stat *stat = (void *)fake_find(&stage->maps, MRD_MAP_STAT, &id)->value;

	stat->connects += times;
	stat->established += times;
	stat->failed += times;
	stat->responses[0] += times;
	stat->responses[MRD_CLASSES - 1] += times;
	stat->response_sum_us += times;
	stat->responses_timed[0] += times;
	stat->responses_timed[MRD_RESPONSE_BUCKETS - 1] += times;
	stat->handshake_sum_us += times;
}

/* Groups as mrd_traffic_read() makes them. */
static struct mrd_table *read_groups(const struct fake_maps *maps)
{
	struct mrd_table *groups = mrd_table_new(free);

	for (size_t i = 0; i < maps->count; i++) {
		const struct mrd_health *health = (const void *)maps->rows[i].value;
		struct mrd_traffic_key key = {0};
		struct mrd_traffic_sums sums;

		if (maps->rows[i].map != MRD_MAP_HEALTH)
			continue;
		key.name =
			*(const struct mrd_name *)fake_get(maps, MRD_MAP_NAME, &health->service_id);
		memcpy(key.region, fake_get(maps, MRD_MAP_LOCALITY, &health->locality_id),
		       sizeof(key.region));
		sums = mrd_traffic_of(fake_get(maps, MRD_MAP_STAT, maps->rows[i].key));
		mrd_traffic_add(&mrd_traffic_group(groups, &key)->sums, &sums);
	}
	return groups;
}

/* The total of a service in a region; UINT64_MAX: there is no such group. All members agree. */
static uint64_t total(const struct stage *stage, const char *service, const char *region)
{
	struct mrd_table *groups = read_groups(&stage->maps);
	const struct mrd_traffic *group;
	uint64_t found = UINT64_MAX;
	size_t cursor = 0;

	assert_int_equal(mrd_tally_complete(stage->tally, groups), 0);
	while ((group = mrd_table_next(groups, &cursor, NULL, NULL))) {
		if (strcmp(group->key.name.service, service) || strcmp(group->key.region, region))
			continue;
		assert_int_equal(found, UINT64_MAX);
		found = group->sums.connects;
		assert_int_equal(group->sums.established, found);
		assert_int_equal(group->sums.failed, found);
		assert_int_equal(group->sums.responses[0], found);
		assert_int_equal(group->sums.responses[1], 0);
		assert_int_equal(group->sums.responses[MRD_CLASSES - 1], found);
		assert_int_equal(group->sums.response_sum_us, found);
		assert_int_equal(group->sums.responses_timed[0], found);
		assert_int_equal(group->sums.responses_timed[1], 0);
		assert_int_equal(group->sums.responses_timed[MRD_RESPONSE_BUCKETS - 1], found);
		assert_int_equal(group->sums.handshake_sum_us, found);
	}
	mrd_table_free(groups);
	return found;
}

static int start(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	const struct mrd_map_writer writer = fake_writer(&stage->maps);

	stage->tally = mrd_tally_new(&writer);
	assert_non_null(stage->tally);
	stage->writer = mrd_tally_writer(stage->tally);
	put_name(stage, REVIEWS, "reviews");
	put_name(stage, DETAILS, "details");
	put_locality(stage, HANGZHOU, "hangzhou");
	put_locality(stage, SHANGHAI, "shanghai");
	put_endpoint(stage, ENDPOINT, REVIEWS, HANGZHOU);
	put_endpoint(stage, OTHER, REVIEWS, HANGZHOU);
	connects(stage, ENDPOINT, 100);
	connects(stage, OTHER, 10);
	*state = stage;
	return 0;
}

static int end(void **state)
{
	struct stage *stage = *state;

	mrd_tally_free(stage->tally);
	free(stage);
	return 0;
}

static void an_endpoint_that_goes_leaves_its_counts(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(delete_row(stage, MRD_MAP_STAT, ENDPOINT), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	connects(stage, OTHER, 1);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 111);
	/* Another one, by the same number. */
	put_endpoint(stage, ENDPOINT, REVIEWS, HANGZHOU);
	connects(stage, ENDPOINT, 5);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 116);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, OTHER), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 116); /* nobody is left */
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 116); /* nor to go */
}

static void one_that_moves_takes_nothing_along(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(put_health(stage, ENDPOINT, REVIEWS, HANGZHOU, MRD_STATE_EJECTED), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(put_health(stage, ENDPOINT, REVIEWS, SHANGHAI, MRD_STATE_ACTIVE), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(total(stage, "reviews", "shanghai"), 0);
	connects(stage, ENDPOINT, 3);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(total(stage, "reviews", "shanghai"), 3);
	/* And back. */
	assert_int_equal(put_health(stage, ENDPOINT, REVIEWS, HANGZHOU, MRD_STATE_ACTIVE), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(total(stage, "reviews", "shanghai"), 3);
	connects(stage, ENDPOINT, 1);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 111);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 111);
	assert_int_equal(total(stage, "reviews", "shanghai"), 3);
}

static void what_was_adopted_is_not_counted(void **state)
{
	struct stage *stage = *state;
	struct mrd_table *groups = read_groups(&stage->maps);

	assert_int_equal(mrd_tally_start(stage->tally, groups), 0);
	mrd_table_free(groups);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 0);
	connects(stage, OTHER, 2);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 2);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, OTHER), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 2);
}

/* The counters are an older set's, whose other rows are written anew. */
static void what_an_older_set_counted_is_not_counted_again(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, OTHER), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_NAME, REVIEWS), 0);
	put_name(stage, REVIEWS, "reviews");
	put_endpoint(stage, OTHER, REVIEWS, HANGZHOU);
	connects(stage, OTHER, 2);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, OTHER), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), 0);
	put_endpoint(stage, OTHER, REVIEWS, HANGZHOU);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 102);
	connects(stage, OTHER, 1);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 103);
}

static void what_a_service_had_goes_with_its_name(void **state)
{
	struct stage *stage = *state;

	put_endpoint(stage, 30, DETAILS, HANGZHOU);
	connects(stage, 30, 4);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, 30), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, OTHER), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_NAME, REVIEWS), 0);
	assert_int_equal(total(stage, "reviews", "hangzhou"), UINT64_MAX);
	assert_int_equal(total(stage, "details", "hangzhou"), 4);
	/* It is back: as if it had never been. */
	put_name(stage, REVIEWS, "reviews");
	put_endpoint(stage, ENDPOINT, REVIEWS, SHANGHAI);
	assert_int_equal(total(stage, "reviews", "hangzhou"), UINT64_MAX);
	assert_int_equal(total(stage, "reviews", "shanghai"), 0); /* though its row never went */
}

static void a_write_that_fails_moves_nothing(void **state)
{
	struct stage *stage = *state;
	const struct mrd_tally_writes *writes = mrd_tally_get_writes(stage->tally);
	const uint64_t done = writes->done[MRD_MAP_HEALTH];

	stage->maps.fail_at = stage->maps.calls + 1;
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, ENDPOINT), -EIO);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	stage->maps.fail_at = stage->maps.calls + 1;
	assert_int_equal(put_health(stage, ENDPOINT, REVIEWS, SHANGHAI, MRD_STATE_ACTIVE), -ENOMEM);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(total(stage, "reviews", "shanghai"), 0);
	assert_int_equal(delete_row(stage, MRD_MAP_HEALTH, OTHER), 0);
	stage->maps.fail_at = stage->maps.calls + 1;
	assert_int_equal(delete_row(stage, MRD_MAP_NAME, REVIEWS), -EIO);
	assert_int_equal(total(stage, "reviews", "hangzhou"), 110);
	assert_int_equal(writes->done[MRD_MAP_HEALTH], done + 1);
	assert_int_equal(writes->failed[MRD_MAP_HEALTH], 2);
	assert_int_equal(writes->failed[MRD_MAP_NAME], 1);
	assert_int_equal(writes->done[MRD_MAP_NAME], 2);
}

static void reads_are_the_maps_own(void **state)
{
	struct stage *stage = *state;
	const uint32_t id = OTHER, none = 99;
	struct mrd_stat stat;

	assert_int_equal(stage->writer.get(stage->writer.self, MRD_MAP_STAT, &id, &stat), 0);
	assert_int_equal(stat.connects, 10);
	assert_int_equal(stage->writer.get(stage->writer.self, MRD_MAP_STAT, &none, &stat),
			 -ENOENT);
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, start, end)
	const struct CMUnitTest tests[] = {
		STAGED(an_endpoint_that_goes_leaves_its_counts),
		STAGED(one_that_moves_takes_nothing_along),
		STAGED(what_was_adopted_is_not_counted),
		STAGED(what_an_older_set_counted_is_not_counted_again),
		STAGED(what_a_service_had_goes_with_its_name),
		STAGED(a_write_that_fails_moves_nothing),
		STAGED(reads_are_the_maps_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
