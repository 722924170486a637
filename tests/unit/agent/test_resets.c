/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which rows make the agent end connections, and in what portions. */
#include "agent/resets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/plan/fake_maps.h"

enum { ASKS = 7, KEEPS = 8, NONE = 9, ENDPOINT = 42 };

static const uint64_t now_ns = 5000ULL * MRD_NS_PER_MS;

struct stage {
	struct fake_maps maps;
	struct mrd_resets *resets;
	struct mrd_map_writer writer;
	uint64_t woken_ns; /* 0: not */
	uint32_t ids[8];   /* of the last call */
	size_t count;
	size_t calls;
	struct mrd_reset answer;
	int error;
	size_t checks;
	int check;
};

static uint64_t clock_now(void)
{
	return now_ns;
}

static void wake(void *self, uint64_t at_ns)
{
	((struct stage *)self)->woken_ns = at_ns;
}

static int reset(void *self, const uint32_t *endpoint_ids, size_t count, size_t most,
		 struct mrd_reset *ret_reset)
{
	struct stage *stage = self;

	assert_true(most > 0);
	assert_true(count <= sizeof(stage->ids) / sizeof(stage->ids[0]));
	memcpy(stage->ids, endpoint_ids, count * sizeof(*endpoint_ids));
	stage->count = count;
	stage->calls++;
	*ret_reset = stage->answer;
	return stage->error;
}

static int check(void *self)
{
	struct stage *stage = self;

	stage->checks++;
	return stage->check;
}

static void put_health(struct stage *stage, uint32_t id, uint32_t service_id, enum mrd_state state)
{
	const struct mrd_health health = {.service_id = service_id, .state = state};

	assert_int_equal(stage->writer.put(stage->writer.self, MRD_MAP_HEALTH, &id, &health, 0), 0);
}

static void put_setting(struct stage *stage, uint32_t service_id, enum mrd_eject_action action)
{
	const struct mrd_setting setting = {.on_eject = action};

	stage->writer.put(stage->writer.self, MRD_MAP_SETTING, &service_id, &setting, 0);
}

static struct stage *begin_without_settings(void)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	const struct mrd_resets_config config = {
		.writer = fake_writer(&stage->maps),
		.reset = reset,
		.check = check,
		.wake = wake,
		.now_ns = clock_now,
		.self = stage,
	};

	stage->resets = mrd_resets_new(&config);
	stage->writer = mrd_resets_writer(stage->resets);
	return stage;
}

static struct stage *begin(void)
{
	struct stage *stage = begin_without_settings();

	put_setting(stage, ASKS, MRD_EJECT_RESET);
	put_setting(stage, KEEPS, MRD_EJECT_CLOSE);
	return stage;
}

static void end(struct stage *stage)
{
	mrd_resets_free(stage->resets);
	free(stage);
}

static void only_who_was_in_and_goes_out(void **state)
{
	static const struct {
		const char *name;
		uint32_t service_id;
		enum mrd_state before; /* NONE: no row */
		enum mrd_state after;  /* NONE: the row goes */
		bool want;
	} cases[] = {
		{"ejected", ASKS, MRD_STATE_ACTIVE, MRD_STATE_EJECTED, true},
		{"terminates", ASKS, MRD_STATE_ACTIVE, MRD_STATE_DRAINING, true},
		{"terminates while it is ejected", ASKS, MRD_STATE_EJECTED, MRD_STATE_DRAINING,
		 true},
		{"goes", ASKS, MRD_STATE_ACTIVE, MRD_STATE_NONE, true},
		{"is new, and out", ASKS, MRD_STATE_NONE, MRD_STATE_EJECTED, false},
		{"stays out", ASKS, MRD_STATE_EJECTED, MRD_STATE_EJECTED, false},
		{"returns", ASKS, MRD_STATE_EJECTED, MRD_STATE_ACTIVE, false},
		{"is not ready", ASKS, MRD_STATE_ACTIVE, MRD_STATE_UNREADY, false},
		{"another wish", KEEPS, MRD_STATE_ACTIVE, MRD_STATE_EJECTED, false},
		{"and goes", KEEPS, MRD_STATE_ACTIVE, MRD_STATE_NONE, false},
		{"no wish", NONE, MRD_STATE_ACTIVE, MRD_STATE_EJECTED, false},
		{"none, and goes", NONE, MRD_STATE_ACTIVE, MRD_STATE_NONE, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage *stage = begin();
		const uint32_t id = ENDPOINT;

		print_message("%s\n", cases[i].name);
		if (cases[i].before)
			put_health(stage, id, cases[i].service_id, cases[i].before);
		assert_int_equal(stage->woken_ns, 0);
		if (cases[i].after)
			put_health(stage, id, cases[i].service_id, cases[i].after);
		else
			stage->writer.del(stage->writer.self, MRD_MAP_HEALTH, &id,
					  cases[i].service_id);
		assert_int_equal(stage->woken_ns, cases[i].want ? now_ns : 0);
		mrd_resets_run(stage->resets);
		assert_int_equal(stage->calls, cases[i].want);
		if (cases[i].want)
			assert_int_equal(stage->ids[0], ENDPOINT);
		end(stage);
	}
}

static void a_row_that_is_not_written_ends_nothing(void **state)
{
	struct stage *stage = begin();
	const struct mrd_health health = {.service_id = ASKS, .state = MRD_STATE_EJECTED};
	const uint32_t id = ENDPOINT;

	(void)state;
	put_health(stage, id, ASKS, MRD_STATE_ACTIVE);
	stage->maps.fail_at = stage->maps.calls + 1;
	assert_int_equal(stage->writer.put(stage->writer.self, MRD_MAP_HEALTH, &id, &health, 0),
			 -ENOMEM);
	assert_int_equal(stage->woken_ns, 0);
	end(stage);
}

static void many_go_in_portions(void **state)
{
	struct stage *stage = begin();

	(void)state;
	for (uint32_t id = 3; id; id--)
		put_health(stage, id, ASKS, MRD_STATE_ACTIVE);
	for (uint32_t id = 3; id; id--)
		put_health(stage, id, ASKS, MRD_STATE_EJECTED);
	stage->answer = (struct mrd_reset){.ended = 500, .more = true};
	mrd_resets_run(stage->resets);
	assert_int_equal(stage->count, 3);
	assert_int_equal(stage->ids[0], 1); /* sorted */
	assert_int_equal(stage->ids[2], 3);
	assert_true(stage->woken_ns > now_ns); /* not at once: the rate is bounded */
	assert_int_equal(mrd_resets_count(stage->resets), 500);

	put_health(stage, 5, ASKS, MRD_STATE_ACTIVE);
	put_health(stage, 5, ASKS, MRD_STATE_DRAINING);
	stage->answer = (struct mrd_reset){.ended = 20};
	mrd_resets_run(stage->resets);
	assert_int_equal(stage->count, 4);
	assert_int_equal(mrd_resets_count(stage->resets), 520);
	mrd_resets_run(stage->resets);
	assert_int_equal(stage->calls, 2); /* nothing is left */
	end(stage);
}

static void what_cannot_be_done_is_given_up(void **state)
{
	struct stage *stage = begin();

	(void)state;
	put_health(stage, ENDPOINT, ASKS, MRD_STATE_ACTIVE);
	put_health(stage, ENDPOINT, ASKS, MRD_STATE_EJECTED);
	stage->error = -EPERM;
	stage->answer = (struct mrd_reset){.more = true};
	mrd_resets_run(stage->resets);
	mrd_resets_run(stage->resets);
	assert_int_equal(stage->calls, 1);
	end(stage);
}

static void whether_it_could_is_asked_once_and_only_if_it_matters(void **state)
{
	static const struct {
		int check;
		const char *want; /* NULL: nothing is in the way */
	} cases[] = {
		{0, NULL},
		{-EPERM, "CAP_SYS_ADMIN, in Kubernetes by the component deploy/daemonset/reset"},
		{-EOPNOTSUPP, "Linux 5.14"},
		{-EMFILE, "Too many open files"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage *stage = begin_without_settings();

		print_message("%s\n", cases[i].want ?: "nothing");
		stage->check = cases[i].check;
		put_setting(stage, KEEPS, MRD_EJECT_CLOSE);
		put_health(stage, ENDPOINT, KEEPS, MRD_STATE_ACTIVE);
		assert_int_equal(stage->checks, 0);
		put_setting(stage, ASKS, MRD_EJECT_RESET);
		assert_int_equal(stage->checks, 1);
		put_setting(stage, ASKS, MRD_EJECT_RESET);
		if (cases[i].want)
			assert_non_null(strstr(mrd_resets_obstacle(stage->resets), cases[i].want));
		else
			assert_null(mrd_resets_obstacle(stage->resets));
		assert_int_equal(stage->checks, 1);
		end(stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_was_in_and_goes_out),
		cmocka_unit_test(a_row_that_is_not_written_ends_nothing),
		cmocka_unit_test(many_go_in_portions),
		cmocka_unit_test(what_cannot_be_done_is_given_up),
		cmocka_unit_test(whether_it_could_is_asked_once_and_only_if_it_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
