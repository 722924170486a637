/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An engine between a model of two clusters (c0 in hangzhou, home; c1 in shanghai) and maps that
 * are arrays. Time stands still unless a test moves it.
 */
#ifndef MRD_TEST_AGENT_STAGE_H
#define MRD_TEST_AGENT_STAGE_H

#include <fcntl.h>
#include <unistd.h>

#include "agent/adopt.h"
#include "agent/engine.h"
#include "base/log.h"
#include "policy/policy_yaml.h"

#include "../model/build.h"
#include "../plan/fake_maps.h"

static uint64_t stage_ns;

static inline uint64_t stage_now(void)
{
	return stage_ns;
}

static inline void stage_wait_ms(uint64_t ms)
{
	stage_ns += ms * 1000000;
}

struct stage {
	struct fake_maps maps;
	struct mrd_model *model;
	struct mrd_policy *policy;
	struct mrd_engine *engine;
	int event_fds[2]; /* read, write: Envoy's event log */
	int log_fds[2];
	bool is_frozen;
	void (*drain)(void *self); /* the events that wait; NULL: none */
};

static inline void stage_drain(void *self)
{
	const struct stage *stage = self;

	if (stage->drain)
		stage->drain(self);
}

static const struct mrd_plan_node stage_node = {
	.name = "n1",
	.region = "hangzhou",
	.zone = "",
	.subzone = "",
};

/* The guide's rule: one error ejects, regions fail over. */
static const char stage_failover[] =
	"apiVersion: networking.istio.io/v1\n"
	"kind: DestinationRule\n"
	"metadata: {name: reviews, namespace: default}\n"
	"spec:\n"
	"  host: reviews\n"
	"  trafficPolicy:\n"
	"    outlierDetection: {consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m}\n"
	"    loadBalancer:\n"
	"      localityLbSetting:\n"
	"        failover: [{from: hangzhou, to: shanghai}]\n";

static inline struct mrd_policy *stage_policy(const char *text)
{
	const struct mrd_policy_names names = {"cluster.local", "istio-system"};
	char path[] = "/tmp/mrd-test-policy-XXXXXX.yaml";
	const char *const paths[] = {path};
	struct mrd_diag diag = {0};
	struct mrd_policy *policy = NULL;
	int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(mrd_policy_load(paths, 1, &names, &diag, &policy), 0);
	mrd_diag_free(&diag);
	unlink(path);
	return policy;
}

static inline struct mrd_model *stage_model(void)
{
	static const struct mrd_model_cluster clusters[] = {
		{.name = "c0", .region = "hangzhou", .network = ""},
		{.name = "c1", .region = "shanghai", .network = ""},
	};
	struct mrd_model *model;

	assert_int_equal(mrd_model_new(clusters, 2, 0, "", &model), 0);
	return model;
}

static inline void stage_set_input(struct stage *stage)
{
	const struct mrd_engine_input input = {
		.model = stage->model,
		.policy = stage->policy,
		.node = &stage_node,
		.cluster_domain = "cluster.local",
		.is_frozen = stage->is_frozen,
	};

	mrd_engine_set_input(stage->engine, &input);
}

/* A second agent on the same maps, if stage has some already. */
static inline void stage_start_engine(struct stage *stage)
{
	const struct mrd_engine_config config = {
		.writer = fake_writer(&stage->maps),
		.now_ns = stage_now,
		.drain = stage_drain,
		.self = stage,
		.event_fd = stage->event_fds[1],
	};

	assert_int_equal(mrd_engine_new(&config, &stage->engine), 0);
	stage_set_input(stage);
}

static inline struct stage *stage_new(const char *policy)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage_ns = 1000ULL * 1000000000;
	stage->policy = stage_policy(policy);
	stage->model = stage_model();
	assert_int_equal(pipe2(stage->event_fds, O_NONBLOCK), 0);
	assert_int_equal(pipe2(stage->log_fds, O_NONBLOCK), 0);
	mrd_log_set_fd(stage->log_fds[1]);
	stage_start_engine(stage);
	return stage;
}

static inline void stage_free(struct stage *stage)
{
	mrd_log_set_fd(STDERR_FILENO);
	mrd_engine_free(stage->engine);
	mrd_model_free(stage->model);
	mrd_policy_free(stage->policy);
	for (int i = 0; i < 2; i++) {
		close(stage->event_fds[i]);
		close(stage->log_fds[i]);
	}
	free(stage);
}

/* The maps, read back as a new agent reads them. */
static inline int stage_walk(const void *self, enum mrd_map map,
			     int (*fn)(void *fn_self, const void *key, const void *value),
			     void *fn_self)
{
	const struct fake_maps *maps = self;
	int r = 0;

	for (size_t i = 0; !r && i < maps->count; i++)
		if (maps->rows[i].map == map)
			r = fn(fn_self, maps->rows[i].key, maps->rows[i].value);
	return r;
}

/* The agent dies; another one starts, with a model that knows nothing yet. */
static inline struct mrd_adopted stage_restart(struct stage *stage)
{
	const struct mrd_row_reader reader = {.self = &stage->maps, .walk = stage_walk};
	const struct mrd_map_writer writer = fake_writer(&stage->maps);
	struct mrd_adopted adopted;

	mrd_engine_free(stage->engine);
	mrd_model_free(stage->model);
	stage->model = stage_model();
	stage_start_engine(stage);
	assert_int_equal(mrd_adopt(stage->engine, &reader, &writer, &adopted), 0);
	return adopted;
}

static inline void stage_round(struct stage *stage)
{
	assert_false(mrd_engine_round(stage->engine, UINT64_MAX));
}

/* What was written to a pipe since the last call; lives until the next one. */
static inline const char *stage_read(int fd)
{
	static char text[65536];
	const ssize_t len = read(fd, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static inline void stage_service(struct stage *stage, const char *name, const char *vips,
				 const char *ports)
{
	const struct build build = {.name = name, .vips = vips, .ports = ports};

	build_put(stage->model, 0, MRD_KIND_SERVICE, &build);
}

static inline void stage_slice(struct stage *stage, size_t cluster, const char *service,
			       const char *ports, const char *endpoints)
{
	const struct build build = {
		.name = service,
		.service = service,
		.ports = ports,
		.endpoints = endpoints,
	};

	build_put(stage->model, cluster, MRD_KIND_SLICE, &build);
}

/* The guide's service: two endpoints at home, one in Shanghai. */
static inline void stage_reviews(struct stage *stage)
{
	stage_service(stage, "reviews", "172.16.0.20", "http:9080/TCP");
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.5; 10.0.0.6");
	stage_slice(stage, 1, "reviews", "http:9080/TCP", "10.1.0.7");
}

/* The service id that an address leads to; 0: none. */
static inline uint32_t stage_vip(const struct stage *stage, const char *ip, uint16_t port)
{
	struct mrd_vip_key key = {
		.family = MRD_FAMILY_IPV4,
		.protocol = MRD_PROTOCOL_TCP,
		.port = port,
	};
	const struct mrd_service *service;
	struct mrd_ip parsed;

	assert_int_equal(mrd_ip_parse(ip, &parsed), 0);
	memcpy(key.addr, parsed.bytes, sizeof(key.addr));
	service = fake_get(&stage->maps, MRD_MAP_SERVICE, &key);
	return service ? service->service_id : 0;
}

/* The endpoint's id and health row; NULL: there is none. */
static inline const struct mrd_health *stage_health(const struct stage *stage, const char *ip,
						    uint32_t *ret_id)
{
	struct mrd_ip parsed;

	assert_int_equal(mrd_ip_parse(ip, &parsed), 0);
	for (size_t i = 0; i < stage->maps.count; i++) {
		const struct fake_row *row = &stage->maps.rows[i];
		const struct mrd_health *health = (const void *)row->value;

		if (row->map != MRD_MAP_HEALTH || memcmp(health->addr, parsed.bytes, MRD_ADDR_LEN))
			continue;
		if (ret_id)
			memcpy(ret_id, row->key, sizeof(*ret_id));
		return health;
	}
	return NULL;
}

static inline enum mrd_state stage_state(const struct stage *stage, const char *ip)
{
	const struct mrd_health *health = stage_health(stage, ip, NULL);

	return health ? health->state : MRD_STATE_NONE;
}

/* The share of a region's hops in 1/10,000. */
static inline uint32_t stage_share(const struct stage *stage, uint32_t service_id,
				   const char *region)
{
	const struct mrd_route *route = fake_get(&stage->maps, MRD_MAP_ROUTE, &service_id);
	uint32_t before = 0;
	uint32_t share = 0;

	assert_non_null(route);
	for (uint32_t i = 0; i < route->hop_count; i++) {
		const struct mrd_locality *locality =
			fake_get(&stage->maps, MRD_MAP_LOCALITY, &route->hops[i].locality_id);

		assert_non_null(locality);
		if (!strcmp(locality->region, region))
			share += route->hops[i].until - before;
		before = route->hops[i].until;
	}
	return share;
}

static inline void stage_event(struct stage *stage, const char *ip, enum mrd_event_kind kind,
			       uint32_t status)
{
	struct mrd_event event = {.kind = kind, .status = status, .time_ns = stage_ns};
	const struct mrd_health *health = stage_health(stage, ip, &event.endpoint_id);

	assert_non_null(health);
	event.service_id = health->service_id;
	mrd_engine_event(stage->engine, &event);
}

#endif
