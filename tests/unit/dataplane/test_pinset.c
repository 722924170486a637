/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/pinset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "dataplane/links.h"

enum { PAGE_BYTES = 4096 };

static void defaults_are_those_of_the_contract(void **state)
{
	const struct mrd_dataplane_limits given = {0};
	struct mrd_dataplane_limits limits;

	(void)state;
	assert_int_equal(mrd_limits_resolve(&given, PAGE_BYTES, &limits, NULL), 0);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_SERVICE), MRD_VIPS_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_ROUTE), MRD_SERVICES_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_NAME), MRD_SERVICES_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_MEMBER), MRD_MEMBERS_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_HEALTH), MRD_MEMBERS_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_STAT), MRD_MEMBERS_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_AFFINITY), MRD_AFFINITY_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_UDP_FLOW), MRD_UDP_FLOWS_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_UDP_REPLY), MRD_UDP_FLOWS_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_EVENT), MRD_EVENT_BYTES);
	/* A ticket for every service and every hop; a hop has an endpoint at least. */
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_TICKET),
			 MRD_SERVICES_MAX + MRD_MEMBERS_MAX);
	/* Sizes of the object stay. */
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_LOCALITY), 0);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_COUNTERS), 0);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_CONFIG), 0);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_CIDR), 0);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_SOCKET), 0);
}

/* What a new set of this version takes over from an old one of another size. */
static void what_hooks_found_out_is_told_from_what_was_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < MRD_MAP_COUNT; i++)
		assert_int_equal(mrd_pin_content(i) != MRD_PIN_WRITTEN,
				 mrd_map_is_counter((enum mrd_map)i));
	assert_int_equal(mrd_pin_content(MRD_MAP_TICKET), MRD_PIN_FOUND);
	assert_int_equal(mrd_pin_content(MRD_MAP_STAT), MRD_PIN_OF_SOCKETS);
	assert_int_equal(mrd_pin_content(MRD_MAP_OPEN), MRD_PIN_OF_SOCKETS);
	assert_int_equal(mrd_pin_content(MRD_PIN_SOCKET), MRD_PIN_OF_SOCKETS);
	assert_int_equal(mrd_pin_content(MRD_PIN_STORAGE), MRD_PIN_OF_SOCKETS);
	assert_int_equal(mrd_pin_content(MRD_PIN_REQUEST), MRD_PIN_OF_SOCKETS);
	assert_int_equal(mrd_pin_content(MRD_PIN_FLOW), MRD_PIN_FOUND);
	assert_int_equal(mrd_pin_content(MRD_PIN_UDP_REPLY), MRD_PIN_FOUND);
	assert_int_equal(mrd_pin_content(MRD_PIN_CONFIG), MRD_PIN_WRITTEN);
	assert_int_equal(mrd_pin_content(MRD_PIN_CIDR), MRD_PIN_WRITTEN);
	assert_int_equal(mrd_pin_content(MRD_PIN_INTERFACE), MRD_PIN_WRITTEN);
	assert_int_equal(mrd_pin_content(MRD_PIN_EVENT), MRD_PIN_WRITTEN);
}

static void given_limits_win(void **state)
{
	const struct mrd_dataplane_limits given = {
		.services = 1,
		.vips = 2,
		.members = UINT32_MAX,
		.affinity = 4,
		.udp_flows = 5,
		.event_bytes = 8192,
	};
	struct mrd_dataplane_limits limits;

	(void)state;
	assert_int_equal(mrd_limits_resolve(&given, PAGE_BYTES, &limits, NULL), 0);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_ROUTE), 1);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_SERVICE), 2);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_MEMBER), UINT32_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_MAP_TICKET), UINT32_MAX);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_AFFINITY), 4);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_UDP_REPLY), 5);
	assert_int_equal(mrd_limits_rows(&limits, MRD_PIN_EVENT), 8192);
}

static void the_event_buffer_is_a_power_of_two_pages(void **state)
{
	static const struct {
		uint32_t bytes;
		uint32_t page_bytes;
		int want;
	} cases[] = {
		{.bytes = 4096, .page_bytes = 4096},
		{.bytes = 1U << 31, .page_bytes = 4096},
		{.bytes = 65536, .page_bytes = 65536},
		{.bytes = 2048, .page_bytes = 4096, .want = -EINVAL},
		{.bytes = 4096, .page_bytes = 65536, .want = -EINVAL},
		{.bytes = 12288, .page_bytes = 4096, .want = -EINVAL},
		{.bytes = 4097, .page_bytes = 4096, .want = -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mrd_dataplane_limits given = {.event_bytes = cases[i].bytes};
		struct mrd_dataplane_limits limits;
		MRD_AUTO_FREE char *error = NULL;

		print_message("%u bytes, pages of %u\n", cases[i].bytes, cases[i].page_bytes);
		assert_int_equal(mrd_limits_resolve(&given, cases[i].page_bytes, &limits, &error),
				 cases[i].want);
		if (cases[i].want)
			assert_non_null(strstr(error, "kernel.limits"));
	}
}

static void every_map_and_hook_has_its_own_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		print_message("%s\n", mrd_pin_name(i));
		assert_int_equal(strncmp(mrd_pin_name(i), "mrd_", 4), 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(mrd_pin_name(i), mrd_pin_name(j));
	}
	for (size_t i = 0; i < MRD_HOOK_COUNT; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(mrd_hooks[i].program, mrd_hooks[j].program);
}

/* New connections' hooks come last, and what they rely on before. */
static void connect_is_attached_last(void **state)
{
	(void)state;
	assert_string_equal(mrd_hooks[MRD_HOOK_COUNT - 2].program, "mrd_connect4");
	assert_string_equal(mrd_hooks[MRD_HOOK_COUNT - 1].program, "mrd_connect6");
	assert_string_equal(mrd_hooks[MRD_HOOK_COUNT - 4].program, "mrd_sendmsg4");
	assert_string_equal(mrd_hooks[MRD_HOOK_COUNT - 3].program, "mrd_sendmsg6");
}

static void an_empty_folder_gives_an_empty_set(void **state)
{
	struct mrd_pinset set;
	uint32_t version;
	const int r = mrd_pinset_open("/nonexistent", 0, &set);

	(void)state;
	if (r == -EPERM)
		skip(); /* bpf(2) is closed to this user */
	assert_int_equal(r, 0);
	for (size_t i = 0; i < MRD_PIN_COUNT; i++)
		assert_int_equal(set.fds[i], -1);
	assert_int_equal(mrd_pinset_version(&set, &version), -ENOENT);
	mrd_pinset_close(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_contract),
		cmocka_unit_test(what_hooks_found_out_is_told_from_what_was_written),
		cmocka_unit_test(given_limits_win),
		cmocka_unit_test(the_event_buffer_is_a_power_of_two_pages),
		cmocka_unit_test(every_map_and_hook_has_its_own_name),
		cmocka_unit_test(connect_is_attached_last),
		cmocka_unit_test(an_empty_folder_gives_an_empty_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
