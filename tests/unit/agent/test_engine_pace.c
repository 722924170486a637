/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the engine does in short pieces, between which events are heard, and what it says takes
 * long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stage.h"

enum { FEW = 500, MANY = 513 }; /* endpoints */

static size_t drained;
static size_t relaxed;

static void count_drain(void *self)
{
	(void)self;
	drained++;
	stage_wait_ms(1);
}

static void count_relax(void *self)
{
	(void)self;
	relaxed++;
}

static struct stage *counted_stage(const char *policy)
{
	struct stage *stage = stage_new(policy);
	const struct mrd_engine_config config = {
		.writer = fake_writer(&stage->maps),
		.now_ns = stage_now,
		.drain = count_drain,
		.relax = count_relax,
		.event_fd = -1,
	};

	mrd_engine_free(stage->engine);
	assert_int_equal(mrd_engine_new(&config, &stage->engine), 0);
	stage_set_input(stage);
	drained = relaxed = 0;
	return stage;
}

static void a_long_round_gives_way(void **state)
{
	struct stage *stage = counted_stage("");
	size_t rounds = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		char name[16];
		char vip[32];

		snprintf(name, sizeof(name), "s%d", i);
		snprintf(vip, sizeof(vip), "172.16.1.%d", i);
		stage_service(stage, name, vip, ":80/TCP");
	}
	while (mrd_engine_round(stage->engine, stage_ns + 3000000))
		rounds++;
	assert_int_equal(rounds, 3);
	assert_int_equal(drained, 10);
	assert_int_equal(fake_count(&stage->maps, MRD_MAP_SERVICE), 10);
	stage_free(stage);
}

/* What takes long is no longer urgent before it begins, whether it was planned before or not. */
static void long_plans_are_told_before(void **state)
{
	struct stage *stage = counted_stage("");
	struct build slice = {.service = "reviews", .ports = "http:9080/TCP"};
	char name[16];

	(void)state;
	stage_reviews(stage);
	stage_round(stage);
	assert_int_equal(relaxed, 0);
	slice.name = name;
	for (int i = 0; i < MANY; i++) {
		char address[32];

		snprintf(name, sizeof(name), "many-%d", i);
		snprintf(address, sizeof(address), "10.2.%d.%d", i / 256, i % 256);
		slice.endpoints = address;
		build_put(stage->model, 0, MRD_KIND_SLICE, &slice);
		if (i == FEW)
			stage_round(stage);
	}
	assert_int_equal(relaxed, 0);
	stage_round(stage);
	assert_int_equal(relaxed, 1);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many-%d", i);
		mrd_model_delete(stage->model, 0, MRD_KIND_SLICE, "default", name);
	}
	stage_round(stage);
	assert_int_equal(relaxed, 2);
	stage_slice(stage, 0, "reviews", "http:9080/TCP", "10.0.0.6");
	stage_round(stage);
	assert_int_equal(relaxed, 2);
	stage_free(stage);
}

static const char any_service[] =
	"apiVersion: networking.istio.io/v1\n"
	"kind: DestinationRule\n"
	"metadata: {name: any, namespace: istio-system}\n"
	"spec:\n"
	"  host: \"*.svc.cluster.local\"\n"
	"  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 1, interval: 1s}}\n";

/* One of two endpoints of each service is ejected, and waits for a sweep. */
static void eject(struct stage *stage, int services)
{
	char name[16];
	char address[64];

	for (int i = 0; i < services; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(address, sizeof(address), "172.16.1.%d", i);
		stage_service(stage, name, address, "http:80/TCP");
		snprintf(address, sizeof(address), "10.0.1.%d; 10.0.2.%d", i, i);
		stage_slice(stage, 0, name, "http:80/TCP", address);
	}
	stage_round(stage);
	for (int i = 0; i < services; i++) {
		snprintf(address, sizeof(address), "10.0.1.%d", i);
		stage_event(stage, address, MRD_EVENT_RESPONSE, 503);
		assert_int_equal(stage_state(stage, address), MRD_STATE_EJECTED);
	}
	drained = relaxed = 0;
}

/* An error that comes while one returns is heard before; few returns are no reason to be less
 * urgent, for then it would wait. */
static void many_sweeps_are_told_before(void **state)
{
	static const struct {
		int services;
		size_t want;
	} cases[] = {
		{.services = 1, .want = 0},
		{.services = 128, .want = 0},
		{.services = 129, .want = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stage *stage = counted_stage(any_service);

		print_message("case: %d services\n", cases[i].services);
		eject(stage, cases[i].services);
		mrd_engine_tick(stage->engine);
		assert_int_equal(drained, 1);
		assert_int_equal(relaxed, cases[i].want);
		stage_free(stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_round_gives_way),
		cmocka_unit_test(long_plans_are_told_before),
		cmocka_unit_test(many_sweeps_are_told_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
