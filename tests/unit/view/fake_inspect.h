/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A kernel without a kernel: the functions of dataplane/inspect.h over rows in memory. To be
 * included once, by a test; the linker then leaves the real ones out.
 */
#ifndef MRD_TESTS_FAKE_INSPECT_H
#define MRD_TESTS_FAKE_INSPECT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/inspect.h"

enum { FAKE_ROWS_MAX = 32, FAKE_ROW_MAX = 512 };

struct mrd_inspect {
	struct {
		unsigned char key[32];
		unsigned char value[FAKE_ROW_MAX];
	} rows[MRD_MAP_COUNT][FAKE_ROWS_MAX];
	size_t counts[MRD_MAP_COUNT];
	uint64_t reasons[MRD_REASON_COUNT];
	struct mrd_map_fill fills[2];
	struct mrd_link_info links[2];
	int fail_at; /* the nth reading of a map fails, from 1; 0: none */
	int reads;
};

static inline void fake_put(struct mrd_inspect *fake, enum mrd_map map, const void *key,
			    const void *value)
{
	const size_t row = fake->counts[map]++;

	memcpy(fake->rows[map][row].key, key, mrd_map_key_size(map));
	memcpy(fake->rows[map][row].value, value, mrd_map_value_size(map));
}

int mrd_inspect_walk(const struct mrd_inspect *inspect, enum mrd_map map,
		     int (*fn)(void *self, const void *key, const void *value), void *self)
{
	struct mrd_inspect *fake = (struct mrd_inspect *)inspect;

	if (++fake->reads == fake->fail_at)
		return -EIO;
	for (size_t i = 0; i < fake->counts[map]; i++) {
		const int r = fn(self, fake->rows[map][i].key, fake->rows[map][i].value);

		if (r)
			return r;
	}
	return 0;
}

int mrd_inspect_get(const struct mrd_inspect *inspect, enum mrd_map map, const void *key,
		    void *ret_value)
{
	(void)inspect, (void)map, (void)key, (void)ret_value;
	return -ENOENT; /* documents are made from whole maps */
}

int mrd_inspect_count(const struct mrd_inspect *inspect, enum mrd_reason reason,
		      uint64_t *ret_count)
{
	*ret_count = inspect->reasons[reason];
	return 0;
}

int mrd_inspect_fill(const struct mrd_inspect *inspect, struct mrd_map_fill **ret_fills,
		     size_t *ret_count)
{
	struct mrd_inspect *fake = (struct mrd_inspect *)inspect;

	if (++fake->reads == fake->fail_at)
		return -EIO;
	*ret_fills = malloc(sizeof(inspect->fills));
	memcpy(*ret_fills, inspect->fills, sizeof(inspect->fills));
	*ret_count = sizeof(inspect->fills) / sizeof(inspect->fills[0]);
	return 0;
}

int mrd_inspect_links(const struct mrd_inspect *inspect, struct mrd_link_info **ret_links,
		      size_t *ret_count)
{
	struct mrd_inspect *fake = (struct mrd_inspect *)inspect;

	if (++fake->reads == fake->fail_at)
		return -EIO;
	*ret_links = malloc(sizeof(inspect->links));
	memcpy(*ret_links, inspect->links, sizeof(inspect->links));
	*ret_count = sizeof(inspect->links) / sizeof(inspect->links[0]);
	return 0;
}

/* The guide's services, in the middle of a failover. */
enum { FAKE_NOW_S = 1000 };
#define FAKE_NS_PER_S UINT64_C(1000000000)

static inline void fake_locality(struct mrd_inspect *fake, uint32_t id, const char *region,
				 const char *zone)
{
	struct mrd_locality locality = {0};

	snprintf(locality.region, sizeof(locality.region), "%s", region);
	snprintf(locality.zone, sizeof(locality.zone), "%s", zone);
	fake_put(fake, MRD_MAP_LOCALITY, &id, &locality);
}

static inline void fake_service(struct mrd_inspect *fake, uint32_t id, const char *name,
				const char *port, uint8_t last_byte)
{
	struct mrd_name row = {.family = MRD_FAMILY_IPV4, .protocol = MRD_PROTOCOL_TCP};
	struct mrd_vip_key vip = {
		.addr = {172, 16, 0, last_byte},
		.family = MRD_FAMILY_IPV4,
		.protocol = MRD_PROTOCOL_TCP,
		.port = 9080,
	};
	struct mrd_service service = {.service_id = id};

	strcpy(row.namespace_, "default");
	snprintf(row.service, sizeof(row.service), "%s", name);
	snprintf(row.port_name, sizeof(row.port_name), "%s", port);
	fake_put(fake, MRD_MAP_NAME, &id, &row);
	fake_put(fake, MRD_MAP_SERVICE, &vip, &service);
}

static inline void fake_endpoint(struct mrd_inspect *fake, uint32_t id, struct mrd_health health,
				 const struct mrd_stat *stat)
{
	health.port = 9080;
	health.family = MRD_FAMILY_IPV4;
	fake_put(fake, MRD_MAP_HEALTH, &id, &health);
	if (stat)
		fake_put(fake, MRD_MAP_STAT, &id, stat);
}

static inline struct mrd_inspect *fake_guide(void)
{
	struct mrd_inspect *fake = calloc(1, sizeof(*fake));
	const uint32_t reviews = 7, details = 3;
	struct mrd_route route = {
		.service_id = reviews,
		.mode = MRD_MODE_FAILOVER,
		.hop_count = 2,
		.hops = {{.hop_id = 1, .locality_id = 1, .until = 7000, .member_count = 1},
			 {.hop_id = 2,
			  .locality_id = 2,
			  .until = 10000,
			  .member_count = 1,
			  .priority = 1}},
	};

	fake_locality(fake, 1, "cn-hangzhou", "cn-hangzhou-h");
	fake_locality(fake, 2, "cn-shanghai", "");
	fake_service(fake, reviews, "reviews", "http", 20);
	fake_service(fake, details, "details", "", 10);
	fake_put(fake, MRD_MAP_ROUTE, &reviews, &route);
	fake_endpoint(fake, 21,
		      (struct mrd_health){.addr = {10, 1, 0, 7},
					  .service_id = reviews,
					  .state = MRD_STATE_ACTIVE,
					  .locality_id = 2},
		      &(struct mrd_stat){.connects = 30,
					 .established = 30,
					 .open = 2,
					 .responses = {1, 28, 0, 2, 0},
					 .handshake_sum_us = 906000,
					 .response_sum_us = 1200000,
					 .responses_timed = {[5] = 29, [10] = 1},
					 .last_heard_ns = (FAKE_NOW_S - 2) * FAKE_NS_PER_S});
	fake_endpoint(fake, 12,
		      (struct mrd_health){.addr = {10, 0, 0, 6},
					  .service_id = reviews,
					  .state = MRD_STATE_EJECTED,
					  .locality_id = 1,
					  .ejections = 2,
					  .ejected_until_ns = (FAKE_NOW_S + 75) * FAKE_NS_PER_S},
		      &(struct mrd_stat){.connects = 10,
					 .established = 8,
					 .failed = 2,
					 .responses = {0, 3, 0, 0, 5},
					 .handshake_sum_us = 1680,
					 .response_sum_us = 8000,
					 .responses_timed = {6, 0, 2}});
	fake_endpoint(fake, 11,
		      (struct mrd_health){.addr = {10, 0, 0, 5},
					  .service_id = reviews,
					  .state = MRD_STATE_ACTIVE,
					  .locality_id = 1},
		      NULL);
	fake->reasons[MRD_REASON_PICK_FAILOVER] = 40;
	fake->reasons[MRD_REASON_PASS_NOT_SERVICE] = 1234567;
	fake->fills[0] = (struct mrd_map_fill){.name = "mrd_name", .rows = 2, .limit = 8};
	fake->fills[1] = (struct mrd_map_fill){.name = "mrd_service", .rows = 2, .limit = 262144};
	strcpy(fake->links[0].program, "mrd_connect4");
	fake->links[0].link_id = 12;
	fake->links[0].prog_id = 345;
	strcpy(fake->links[1].program, "mrd_sockops");
	fake->links[1].link_id = 9;
	fake->links[1].prog_id = 67;
	return fake;
}

#endif
