/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/link_watch.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
	int listings;
	int lists;
	int loopbacks;
};

static void on_listing(void *self)
{
	struct rig *rig = self;

	rig->listings++;
}

static void on_listed(void *self)
{
	struct rig *rig = self;

	rig->lists++;
}

static void on_changed(void *self, const struct mrd_link *link)
{
	struct rig *rig = self;

	assert_int_equal(rig->listings, 1);
	rig->loopbacks += link->is_loopback && link->index == 1 && !strcmp(link->name, "lo");
}

static void on_gone(void *self, uint32_t index)
{
	(void)self, (void)index;
}

/* The list of this test's own namespace needs no rights. */
static void tells_what_is_there(void **state)
{
	struct rig rig = {0};
	const struct mrd_link_watch_hooks hooks = {
		.listing = on_listing,
		.listed = on_listed,
		.changed = on_changed,
		.gone = on_gone,
		.self = &rig,
	};
	struct mrd_link_watch *watch = NULL;

	(void)state;
	assert_int_equal(mrd_link_watch_new(&hooks, &watch), 0);
	assert_int_equal(rig.listings, 1);
	while (!rig.lists) {
		struct pollfd at = {.fd = mrd_link_watch_fd(watch), .events = POLLIN};

		assert_int_equal(poll(&at, 1, -1), 1);
		mrd_link_watch_dispatch(watch);
	}
	assert_true(rig.loopbacks >= 1);
	mrd_link_watch_tick(watch);
	assert_int_equal(rig.listings, 1);
	mrd_link_watch_free(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
