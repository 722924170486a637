/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"

static uint32_t number_by_port(void *self, const struct mrd_ip *ip, uint16_t port)
{
	(void)self, (void)ip;
	return port;
}

static uint32_t number_by_letter(void *self, const char *region)
{
	(void)self;
	return (uint32_t)region[1];
}

static const struct mrd_host_numbers numbers = {number_by_port, number_by_letter, NULL};

static void a_host_for_each_endpoint_of_each_hop(void **state)
{
	static const struct {
		uint32_t id;
		uint32_t region;
		bool usable;
		bool unheard;
	} want[] = {
		{.id = 1, .region = '1', .usable = true},
		{.id = 2, .region = '1', .usable = true},
		{.id = 3, .region = '2', .unheard = true},
		{.id = 4, .region = '2'},
	};
	struct mrd_plan_endpoint near[] = {
		{.port = 1, .state = MRD_STATE_ACTIVE},
		{.port = 2, .state = MRD_STATE_EJECTED},
	};
	struct mrd_plan_endpoint far[] = {
		{.port = 3, .state = MRD_STATE_UNREADY, .unheard = true},
		{.port = 4, .state = MRD_STATE_UNREADY},
		{.port = 5, .state = MRD_STATE_DRAINING, .uncounted = true},
	};
	struct mrd_plan_hop hops[] = {
		{.region = (char *)"r1", .endpoints = near, .endpoint_count = 2},
		{.region = (char *)"r2", .endpoints = far, .endpoint_count = 3},
	};
	struct mrd_plan_port port = {.hops = hops, .hop_count = 2};
	const struct mrd_plan plan = {.ports = &port, .port_count = 1};
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	size_t count;

	(void)state;
	assert_int_equal(mrd_plan_hosts(&plan, 0, &numbers, &hosts, &count), 0);
	assert_int_equal(count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < count; i++) {
		print_message("%u\n", want[i].id);
		assert_int_equal(hosts[i].id, want[i].id);
		assert_int_equal(hosts[i].region, want[i].region);
		assert_int_equal(hosts[i].usable, want[i].usable);
		assert_int_equal(hosts[i].unheard, want[i].unheard);
		assert_true(hosts[i].in_route);
	}
}

static void no_hop_is_no_host(void **state)
{
	struct mrd_plan_port port = {0};
	const struct mrd_plan plan = {.ports = &port, .port_count = 1};
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	size_t count = 1;

	(void)state;
	assert_int_equal(mrd_plan_hosts(&plan, 0, &numbers, &hosts, &count), 0);
	assert_int_equal(count, 0);
}

/* Ports are the numbers: 1 and 11 are one pod, so are 3 and 13 whose IPv4 side is not in the plan;
 * 2 has no IPv6 address, and 4 none that has a number. */
static void a_pod_of_both_families_goes_by_its_ipv4_number(void **state)
{
	static const struct {
		uint32_t id;
		uint32_t twin;
	} want[] = {{1, 11}, {2, 0}, {4, 0}, {1, 11}, {3, 13}};
	const struct mrd_ip ipv4 = {.version = MRD_IPV4};
	const struct mrd_ip ipv6 = {.version = MRD_IPV6};
	struct mrd_plan_endpoint four[] = {
		{.ip = ipv4, .port = 1, .twin_ip = ipv6, .twin_port = 11},
		{.ip = ipv4, .port = 2},
		{.ip = ipv4, .port = 4, .twin_ip = ipv6, .twin_port = 0},
	};
	struct mrd_plan_endpoint six[] = {
		{.ip = ipv6, .port = 11, .twin_ip = ipv4, .twin_port = 1},
		{.ip = ipv6, .port = 13, .twin_ip = ipv4, .twin_port = 3},
		{.ip = ipv6, .port = 0},
	};
	struct mrd_plan_hop hops[] = {
		{.region = (char *)"r1", .endpoints = four, .endpoint_count = 3},
		{.region = (char *)"r1", .endpoints = six, .endpoint_count = 3},
	};
	struct mrd_plan_port ports[] = {
		{.number = 80, .hops = &hops[0], .hop_count = 1},
		{.number = 80, .hops = &hops[1], .hop_count = 1},
		{.number = 81, .hops = &hops[0], .hop_count = 1},
	};
	const struct mrd_plan plan = {.ports = ports, .port_count = 3};
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	size_t count;

	(void)state;
	assert_int_equal(mrd_plan_hosts(&plan, 0, &numbers, &hosts, &count), 0);
	assert_int_equal(count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < count; i++) {
		print_message("%u and %u\n", want[i].id, want[i].twin);
		assert_int_equal(hosts[i].id, want[i].id);
		assert_int_equal(hosts[i].twin, want[i].twin);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_for_each_endpoint_of_each_hop),
		cmocka_unit_test(no_hop_is_no_host),
		cmocka_unit_test(a_pod_of_both_families_goes_by_its_ipv4_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
