/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"

static uint32_t number_by_port(void *self, const struct mrd_plan_endpoint *endpoint)
{
	(void)self;
	return endpoint->port;
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
		{.port = 4, .state = MRD_STATE_DRAINING},
	};
	struct mrd_plan_hop hops[] = {
		{.region = (char *)"r1", .endpoints = near, .endpoint_count = 2},
		{.region = (char *)"r2", .endpoints = far, .endpoint_count = 2},
	};
	const struct mrd_plan_port port = {.hops = hops, .hop_count = 2};
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	size_t count;

	(void)state;
	assert_int_equal(mrd_plan_hosts(&port, &numbers, &hosts, &count), 0);
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
	const struct mrd_plan_port port = {0};
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	size_t count = 1;

	(void)state;
	assert_int_equal(mrd_plan_hosts(&port, &numbers, &hosts, &count), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_for_each_endpoint_of_each_hop),
		cmocka_unit_test(no_hop_is_no_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
