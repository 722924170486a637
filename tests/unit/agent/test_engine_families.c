/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A service with addresses of both IP families: two service ids in the kernel, one cluster to
 * Envoy. One detector watches both, and a pod with two addresses is one host of it.
 */
#include "agent/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stage.h"

/* %s: more of outlierDetection */
#define RULE                                                                                    \
	"apiVersion: networking.istio.io/v1\n"                                                  \
	"kind: DestinationRule\n"                                                               \
	"metadata: {name: web, namespace: default}\n"                                           \
	"spec:\n"                                                                               \
	"  host: web\n"                                                                         \
	"  trafficPolicy:\n"                                                                    \
	"    outlierDetection: {consecutive5xxErrors: 2, interval: 1s, baseEjectionTime: 30s, " \
	"%s}\n"

static struct stage *begin(const char *more)
{
	char rule[1024];

	snprintf(rule, sizeof(rule), RULE, more);
	return stage_new(rule);
}

static void put_slice(struct stage *stage, enum mrd_ip_version family, const char *endpoints)
{
	const struct build build = {
		.name = family == MRD_IPV6 ? "web-6" : "web-4",
		.service = "web",
		.family = family,
		.ports = "http:80/TCP",
		.endpoints = endpoints,
	};

	build_put(stage->model, 0, MRD_KIND_SLICE, &build);
}

/* Two pods with both addresses, and one of each family alone. */
static void put_web(struct stage *stage)
{
	stage_service(stage, "web", "172.16.0.20,fd00::20", "http:80/TCP");
	put_slice(stage, MRD_IPV4, "10.0.0.1 pod=a; 10.0.0.2 pod=b; 10.0.0.3 pod=c");
	put_slice(stage, MRD_IPV6, "fd00::a1 pod=a; fd00::a2 pod=b; fd00::a4 pod=d");
}

static size_t line_count(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void expect_states(const struct stage *stage, const char *want)
{
	static const char *const ips[] = {
		"10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::a1", "fd00::a2", "fd00::a4",
	};

	for (size_t i = 0; i < sizeof(ips) / sizeof(*ips); i++) {
		print_message("%s\n", ips[i]);
		assert_int_equal(stage_state(stage, ips[i]),
				 want[i] == 'E' ? MRD_STATE_EJECTED : MRD_STATE_ACTIVE);
	}
}

static void errors_of_both_addresses_are_one_run_and_eject_both(void **state)
{
	struct stage *stage = begin("maxEjectionPercent: 50");
	struct mrd_engine_status status;

	(void)state;
	put_web(stage);
	stage_round(stage);
	stage_event(stage, "10.0.0.1", MRD_EVENT_RESPONSE, 503);
	expect_states(stage, "------");
	stage_event(stage, "fd00::a1", MRD_EVENT_RESPONSE, 503);
	expect_states(stage, "E--E--"); /* before any plan */
	stage_round(stage);
	expect_states(stage, "E--E--");
	assert_int_equal(stage_health(stage, "fd00::a1", NULL)->ejected_until_ns,
			 stage_ns + 30000000000ULL);
	assert_int_equal(stage_health(stage, "10.0.0.1", NULL)->ejections, 1);
	assert_int_equal(stage_health(stage, "fd00::a1", NULL)->ejections, 1);

	mrd_engine_get_status(stage->engine, &status);
	assert_int_equal(status.ejected, 1);
	assert_int_equal(line_count(stage_read(stage->event_fds[0])), 1); /* Envoy's log */

	stage_wait_ms(31000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	expect_states(stage, "------");
	assert_int_equal(line_count(stage_read(stage->event_fds[0])), 1);
	stage_free(stage);
}

/* Four hosts, not six; of four 25 % is one. A detector for each family would eject one of each. */
static void the_cap_is_over_the_hosts_of_both(void **state)
{
	struct stage *stage = begin("maxEjectionPercent: 25");

	(void)state;
	put_web(stage);
	stage_round(stage);
	for (int i = 0; i < 2; i++)
		stage_event(stage, "10.0.0.3", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	for (int i = 0; i < 2; i++)
		stage_event(stage, "fd00::a4", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	expect_states(stage, "--E---");
	stage_free(stage);
}

static void an_address_that_comes_later_is_ejected_with_its_pod(void **state)
{
	struct stage *stage = begin("maxEjectionPercent: 50");

	(void)state;
	stage_service(stage, "web", "172.16.0.20,fd00::20", "http:80/TCP");
	put_slice(stage, MRD_IPV6, "fd00::a1 pod=a; fd00::a2 pod=b");
	stage_round(stage);
	for (int i = 0; i < 2; i++)
		stage_event(stage, "fd00::a1", MRD_EVENT_RESPONSE, 503);
	put_slice(stage, MRD_IPV4, "10.0.0.1 pod=a; 10.0.0.2 pod=b");
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.1"), MRD_STATE_EJECTED);
	assert_int_equal(stage_health(stage, "10.0.0.1", NULL)->ejected_until_ns,
			 stage_health(stage, "fd00::a1", NULL)->ejected_until_ns);
	assert_int_equal(stage_state(stage, "10.0.0.2"), MRD_STATE_ACTIVE);

	/* A family that goes takes nothing of the other's with it. */
	put_slice(stage, MRD_IPV6, "");
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.1"), MRD_STATE_EJECTED);
	stage_free(stage);
}

static void an_ejection_outlives_the_agent_in_both_families(void **state)
{
	struct stage *stage = begin("maxEjectionPercent: 50");

	(void)state;
	put_web(stage);
	stage_round(stage);
	for (int i = 0; i < 2; i++)
		stage_event(stage, "10.0.0.2", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	expect_states(stage, "-E--E-");

	stage_restart(stage);
	stage_round(stage);
	expect_states(stage, "-E--E-");
	put_web(stage);
	mrd_engine_release(stage->engine);
	stage_round(stage);
	expect_states(stage, "-E--E-");
	stage_read(stage->event_fds[0]);
	stage_wait_ms(31000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	expect_states(stage, "------");
	assert_int_equal(line_count(stage_read(stage->event_fds[0])), 1);
	stage_free(stage);
}

/* While an adopted service is held nobody plans it, so the detector returns both by itself. */
static void both_return_while_the_service_is_held(void **state)
{
	struct stage *stage = begin("maxEjectionPercent: 50");

	(void)state;
	put_web(stage);
	stage_round(stage);
	for (int i = 0; i < 2; i++)
		stage_event(stage, "10.0.0.2", MRD_EVENT_RESPONSE, 503);
	stage_restart(stage);
	stage_wait_ms(31000);
	mrd_engine_tick(stage->engine);
	expect_states(stage, "------");
	stage_free(stage);
}

/* The family that has lost its address goes; the other one's detector stays. */
static void a_family_that_goes_leaves_the_detector(void **state)
{
	struct stage *stage = begin("maxEjectionPercent: 50");

	(void)state;
	put_web(stage);
	stage_round(stage);
	for (int i = 0; i < 2; i++)
		stage_event(stage, "10.0.0.2", MRD_EVENT_RESPONSE, 503);
	stage_round(stage);
	stage_service(stage, "web", "fd00::20", "http:80/TCP");
	stage_round(stage);
	assert_int_equal(stage_state(stage, "10.0.0.2"), MRD_STATE_NONE);
	assert_int_equal(stage_state(stage, "fd00::a2"), MRD_STATE_EJECTED);
	stage_wait_ms(31000);
	mrd_engine_tick(stage->engine);
	stage_round(stage);
	assert_int_equal(stage_state(stage, "fd00::a2"), MRD_STATE_ACTIVE);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_both_addresses_are_one_run_and_eject_both),
		cmocka_unit_test(the_cap_is_over_the_hosts_of_both),
		cmocka_unit_test(an_address_that_comes_later_is_ejected_with_its_pod),
		cmocka_unit_test(an_ejection_outlives_the_agent_in_both_families),
		cmocka_unit_test(both_return_while_the_service_is_held),
		cmocka_unit_test(a_family_that_goes_leaves_the_detector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
