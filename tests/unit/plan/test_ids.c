/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/ids.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct mrd_name name_of(const char *service)
{
	struct mrd_name name = {.family = MRD_FAMILY_IPV4, .protocol = MRD_PROTOCOL_TCP};

	snprintf(name.namespace_, sizeof(name.namespace_), "default");
	snprintf(name.service, sizeof(name.service), "%s", service);
	return name;
}

static const struct mrd_ip ip = {.bytes = {10, 0, 0, 5}, .version = MRD_IPV4};

static int make_ids(void **state)
{
	struct mrd_ids *ids;

	if (mrd_ids_new(&ids))
		return -1;
	*state = ids;
	return 0;
}

static int free_ids(void **state)
{
	mrd_ids_free(*state);
	return 0;
}

static void one_thing_has_one_number(void **state)
{
	struct mrd_ids *ids = *state;
	struct mrd_name a = name_of("a");
	const struct mrd_name b = name_of("b");
	uint32_t first, again, other;

	assert_int_equal(mrd_ids_find_service(ids, &a), 0);
	assert_int_equal(mrd_ids_service(ids, &a, &first), 0);
	assert_int_equal(mrd_ids_service(ids, &b, &other), 0);
	assert_int_not_equal(first, 0);
	assert_int_not_equal(first, other);

	/* What stands behind a name's end is no part of the name. */
	memset(a.service + 2, 'x', sizeof(a.service) - 2);
	assert_int_equal(mrd_ids_service(ids, &a, &again), 0);
	assert_int_equal(again, first);
	assert_int_equal(mrd_ids_find_service(ids, &a), first);

	/* Family and protocol are. */
	a = name_of("a");
	a.family = MRD_FAMILY_IPV6;
	assert_int_equal(mrd_ids_find_service(ids, &a), 0);
	a = name_of("a");
	a.protocol = MRD_PROTOCOL_UDP;
	assert_int_equal(mrd_ids_find_service(ids, &a), 0);
}

static void an_endpoint_belongs_to_one_service(void **state)
{
	struct mrd_ids *ids = *state;
	uint32_t of_one, of_two, other_port;

	assert_int_equal(mrd_ids_endpoint(ids, 1, &ip, 80, &of_one), 0);
	assert_int_equal(mrd_ids_endpoint(ids, 2, &ip, 80, &of_two), 0);
	assert_int_equal(mrd_ids_endpoint(ids, 1, &ip, 81, &other_port), 0);
	assert_int_not_equal(of_one, of_two);
	assert_int_not_equal(of_one, other_port);
	assert_int_equal(mrd_ids_find_endpoint(ids, 1, &ip, 80), of_one);
	assert_int_equal(mrd_ids_find_endpoint(ids, 3, &ip, 80), 0);
}

static void a_freed_number_is_not_given_out_soon(void **state)
{
	struct mrd_ids *ids = *state;
	uint32_t first, again, third;

	assert_int_equal(mrd_ids_endpoint(ids, 1, &ip, 80, &first), 0);
	mrd_ids_release_endpoint(ids, first);
	mrd_ids_release_endpoint(ids, first); /* twice is fine */
	mrd_ids_release_endpoint(ids, 0);
	assert_int_equal(mrd_ids_find_endpoint(ids, 1, &ip, 80), 0);
	assert_int_equal(mrd_ids_endpoint(ids, 1, &ip, 80, &again), 0);
	assert_true(again > first);
	assert_int_equal(mrd_ids_endpoint(ids, 1, &ip, 81, &third), 0);
	assert_true(third > again);
}

/* At the end of 32 bits numbers start again, past 0 and past those in use. */
static void numbers_wrap(void **state)
{
	struct mrd_ids *ids = *state;
	uint32_t id;

	assert_int_equal(mrd_ids_adopt_endpoint(ids, UINT32_MAX - 1, 1, &ip, 1), 0);
	assert_int_equal(mrd_ids_adopt_endpoint(ids, 1, 1, &ip, 2), 0);
	assert_int_equal(mrd_ids_adopt_endpoint(ids, 2, 1, &ip, 3), 0);
	assert_int_equal(mrd_ids_endpoint(ids, 1, &ip, 4, &id), 0);
	assert_int_equal(id, UINT32_MAX);
	assert_int_equal(mrd_ids_endpoint(ids, 1, &ip, 5, &id), 0);
	assert_int_equal(id, 3);
}

static void adopted_numbers_stand(void **state)
{
	struct mrd_ids *ids = *state;
	const struct mrd_name a = name_of("a");
	const struct mrd_name b = name_of("b");
	const struct mrd_locality r1 = {.region = "r1"};
	uint32_t id;

	assert_int_equal(mrd_ids_adopt_service(ids, 41, &a), 0);
	assert_int_equal(mrd_ids_adopt_service(ids, 41, &a), 0); /* the same again */
	assert_int_equal(mrd_ids_adopt_service(ids, 41, &b), -EEXIST);
	assert_int_equal(mrd_ids_adopt_service(ids, 42, &a), -EEXIST);
	assert_int_equal(mrd_ids_adopt_service(ids, 0, &b), -EINVAL);
	assert_int_equal(mrd_ids_service(ids, &a, &id), 0);
	assert_int_equal(id, 41);
	assert_int_equal(mrd_ids_service(ids, &b, &id), 0);
	assert_int_equal(id, 42); /* goes on behind the highest */

	assert_int_equal(mrd_ids_adopt_locality(ids, 7, &r1), 0);
	assert_int_equal(mrd_ids_locality(ids, &r1, &id), 0);
	assert_int_equal(id, 7);
	assert_int_equal(mrd_ids_adopt_locality(ids, 0x10000, &r1), -EINVAL);

	mrd_ids_release_service(ids, 41);
	assert_int_equal(mrd_ids_find_service(ids, &a), 0);
	assert_int_equal(mrd_ids_adopt_service(ids, 41, &a), 0);
}

static void names_must_fit(void **state)
{
	struct mrd_ids *ids = *state;
	struct mrd_name name = name_of("a");
	struct mrd_locality locality = {.region = "r"};
	uint32_t id = 99;

	memset(name.port_name, 'p', sizeof(name.port_name));
	memset(locality.subzone, 's', sizeof(locality.subzone));
	assert_int_equal(mrd_ids_service(ids, &name, &id), -ENAMETOOLONG);
	assert_int_equal(mrd_ids_adopt_service(ids, 5, &name), -ENAMETOOLONG);
	assert_int_equal(mrd_ids_find_service(ids, &name), 0);
	assert_int_equal(mrd_ids_locality(ids, &locality, &id), -ENAMETOOLONG);
	assert_int_equal(mrd_ids_adopt_locality(ids, 5, &locality), -ENAMETOOLONG);
	assert_int_equal(id, 99); /* untouched on failure */
}

static void localities_are_bounded(void **state)
{
	struct mrd_ids *ids = *state;
	struct mrd_locality locality = {.region = "r"};
	uint32_t id;

	for (int i = 0; i < MRD_LOCALITIES_MAX; i++) {
		snprintf(locality.zone, sizeof(locality.zone), "z%d", i);
		assert_int_equal(mrd_ids_locality(ids, &locality, &id), 0);
	}
	snprintf(locality.zone, sizeof(locality.zone), "one too many");
	assert_int_equal(mrd_ids_locality(ids, &locality, &id), -ENOSPC);
	assert_int_equal(mrd_ids_adopt_locality(ids, 5000, &locality), -ENOSPC);
	snprintf(locality.zone, sizeof(locality.zone), "z0");
	assert_int_equal(mrd_ids_locality(ids, &locality, &id), 0); /* known ones still answer */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_thing_has_one_number, make_ids, free_ids),
		cmocka_unit_test_setup_teardown(an_endpoint_belongs_to_one_service, make_ids,
						free_ids),
		cmocka_unit_test_setup_teardown(a_freed_number_is_not_given_out_soon, make_ids,
						free_ids),
		cmocka_unit_test_setup_teardown(numbers_wrap, make_ids, free_ids),
		cmocka_unit_test_setup_teardown(adopted_numbers_stand, make_ids, free_ids),
		cmocka_unit_test_setup_teardown(names_must_fit, make_ids, free_ids),
		cmocka_unit_test_setup_teardown(localities_are_bounded, make_ids, free_ids),
	};

	mrd_ids_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
