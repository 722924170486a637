/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/interfaces.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

static const uint64_t second_ns = 1000ULL * MRD_NS_PER_MS;

static struct mrd_interface_choice choice_of(const char *first, const char *second, char *globs[2])
{
	globs[0] = (char *)(uintptr_t)first;
	globs[1] = (char *)(uintptr_t)second;
	return (struct mrd_interface_choice){
		.mode = MRD_INTERFACES_GLOBS,
		.globs = globs,
		.glob_count = second ? 2 : 1,
	};
}

static const struct mrd_interface_choice automatic = {.mode = MRD_INTERFACES_AUTO};
static const struct mrd_interface_choice none = {.mode = MRD_INTERFACES_NONE};

/* -------------------------------------------------------------------------------- the decision */

static void decides_what_an_interface_is(void **state)
{
	static const struct {
		const char *name;
		enum mrd_interface_mode mode;
		const char *globs[2];
		struct mrd_link link;
		enum mrd_interface_kind want;
	} cases[] = {
		{
			.name = "auto: the host's end of a pod's veth",
			.link = {.name = "cali1", .kind = "veth", .is_ethernet = true},
			.want = MRD_INTERFACE_POD,
		},
		{
			.name = "auto: both ends in this namespace",
			.link = {.name = "a", .kind = "veth", .netns_id = -1, .is_ethernet = true},
		},
		{
			.name = "auto: another kind across namespaces",
			.link = {.name = "m", .kind = "macvlan", .is_ethernet = true},
		},
		{
			.name = "auto: hardware",
			.link = {.name = "eth0", .netns_id = -1, .is_ethernet = true},
		},
		{
			.name = "none: a pod's veth",
			.mode = MRD_INTERFACES_NONE,
			.link = {.name = "cali1", .kind = "veth", .is_ethernet = true},
		},
		{
			.name = "named: a pod's veth by a pattern",
			.mode = MRD_INTERFACES_GLOBS,
			.globs = {"cali*", "eth0"},
			.link = {.name = "cali1", .kind = "veth", .is_ethernet = true},
			.want = MRD_INTERFACE_POD,
		},
		{
			.name = "named: a veth with both ends here is a pod's if the user says so",
			.mode = MRD_INTERFACES_GLOBS,
			.globs = {"cali*"},
			.link = {.name = "cali1",
				 .kind = "veth",
				 .netns_id = -1,
				 .is_ethernet = true},
			.want = MRD_INTERFACE_POD,
		},
		{
			.name = "named: the second name, an uplink",
			.mode = MRD_INTERFACES_GLOBS,
			.globs = {"cali*", "eth0"},
			.link = {.name = "eth0", .netns_id = -1, .is_ethernet = true},
			.want = MRD_INTERFACE_UPLINK,
		},
		{
			.name = "named: a bond is one, too",
			.mode = MRD_INTERFACES_GLOBS,
			.globs = {"bond[0-9]"},
			.link = {.name = "bond0",
				 .kind = "bond",
				 .netns_id = -1,
				 .is_ethernet = true},
			.want = MRD_INTERFACE_UPLINK,
		},
		{
			.name = "named: no other's",
			.mode = MRD_INTERFACES_GLOBS,
			.globs = {"cali*"},
			.link = {.name = "xcali1", .kind = "veth", .is_ethernet = true},
		},
		{
			.name = "named: loopback never",
			.mode = MRD_INTERFACES_GLOBS,
			.globs = {"*"},
			.link = {.name = "lo",
				 .netns_id = -1,
				 .is_ethernet = true,
				 .is_loopback = true},
		},
		{
			.name = "named: nothing without Ethernet",
			.mode = MRD_INTERFACES_GLOBS,
			.globs = {"*"},
			.link = {.name = "tun0", .kind = "tun", .netns_id = -1},
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *globs[2];
		struct mrd_interface_choice choice =
			choice_of(cases[i].globs[0], cases[i].globs[1], globs);

		print_message("%s\n", cases[i].name);
		choice.mode = cases[i].mode;
		assert_int_equal(mrd_interface_kind(&choice, &cases[i].link), cases[i].want);
	}
}

/* -------------------------------------------------------------------------------------- a stage */

struct stage {
	struct mrd_interfaces *interfaces;
	char done[512]; /* "serve 5 pod 3, leave 6, " */
	int result;	/* of what comes next */
	uint32_t left;	/* an earlier agent's */
	uint64_t now_ns;
};

static int fake_serve(void *self, uint32_t index, const struct mrd_interface *row, char **ret_error)
{
	struct stage *stage = self;
	const size_t len = strlen(stage->done);

	if (stage->result) {
		*ret_error = strdup(strerror(-stage->result));
		return stage->result;
	}
	snprintf(stage->done + len, sizeof(stage->done) - len, "serve %u %s %d, ", index,
		 row->is_uplink ? "uplink" : "pod", row->netns_id);
	return 0;
}

static int fake_leave(void *self, uint32_t index, char **ret_error)
{
	struct stage *stage = self;
	const size_t len = strlen(stage->done);

	(void)ret_error;
	snprintf(stage->done + len, sizeof(stage->done) - len, "leave %u, ", index);
	return 0;
}

static bool fake_is_left(void *self, uint32_t index)
{
	const struct stage *stage = self;

	return stage->left == index;
}

static int stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	const struct mrd_interface_port port = {
		.self = stage,
		.serve = fake_serve,
		.leave = fake_leave,
		.is_left = fake_is_left,
	};

	*state = stage;
	mrd_log_set(MRD_LOG_ERROR, false);
	if (!stage || mrd_interfaces_new(&port, &stage->interfaces))
		return -1;
	stage->now_ns = 100 * second_ns;
	mrd_interfaces_choose(stage->interfaces, &automatic);
	mrd_interfaces_listing(stage->interfaces);
	return 0;
}

static int stage_teardown(void **state)
{
	struct stage *stage = *state;

	mrd_interfaces_free(stage->interfaces);
	free(stage);
	return 0;
}

static struct mrd_link veth(uint32_t index, int32_t netns_id)
{
	struct mrd_link link = {
		.index = index, .kind = "veth", .netns_id = netns_id, .is_ethernet = true};

	snprintf(link.name, sizeof(link.name), "veth%u", index);
	return link;
}

static void tell(struct stage *stage, uint32_t index, int32_t netns_id)
{
	const struct mrd_link link = veth(index, netns_id);

	mrd_interfaces_changed(stage->interfaces, &link);
}

static void list(struct stage *stage, uint32_t first, uint32_t last)
{
	for (uint32_t index = first; index <= last; index++) {
		struct mrd_link link = veth(index, 3);

		link.is_listed = true;
		mrd_interfaces_changed(stage->interfaces, &link);
	}
}

/* Everything that is to be done, and what it was. */
static void expect_done(struct stage *stage, const char *want)
{
	int steps = 0;

	stage->done[0] = '\0';
	while (mrd_interfaces_step(stage->interfaces, stage->now_ns))
		assert_true(++steps < 100);
	assert_string_equal(stage->done, want);
}

static void serves_what_comes(void **state)
{
	struct stage *stage = *state;

	tell(stage, 5, 3);
	tell(stage, 6, -1);
	assert_true(mrd_interfaces_is_there(stage->interfaces, 1)); /* not told of yet */
	mrd_interfaces_listed(stage->interfaces);
	expect_done(stage, "serve 5 pod 3, ");
	tell(stage, 7, 4);
	tell(stage, 5, 3); /* it comes up, say: no news */
	expect_done(stage, "serve 7 pod 4, ");
	tell(stage, 5, 8); /* its pod's namespace has another number */
	expect_done(stage, "serve 5 pod 8, ");
	tell(stage, 6, 2); /* its other end has moved into a pod */
	expect_done(stage, "serve 6 pod 2, ");
	assert_true(mrd_interfaces_is_there(stage->interfaces, 6));
	assert_false(mrd_interfaces_is_there(stage->interfaces, 1));
}

static void does_one_a_step(void **state)
{
	struct stage *stage = *state;

	for (uint32_t i = 1; i <= 3; i++)
		tell(stage, i, 0);
	assert_true(mrd_interfaces_step(stage->interfaces, stage->now_ns));
	assert_string_equal(stage->done, "serve 1 pod 0, ");
	assert_true(mrd_interfaces_step(stage->interfaces, stage->now_ns));
	assert_false(mrd_interfaces_step(stage->interfaces, stage->now_ns));
	assert_string_equal(stage->done, "serve 1 pod 0, serve 2 pod 0, serve 3 pod 0, ");
	assert_false(mrd_interfaces_step(stage->interfaces, stage->now_ns));
}

static void one_that_comes_does_not_wait_for_the_list(void **state)
{
	struct stage *stage = *state;

	mrd_interfaces_listing(stage->interfaces);
	list(stage, 5, 6);
	assert_false(mrd_interfaces_has_news(stage->interfaces));
	tell(stage, 20, 4);
	list(stage, 7, 7);
	assert_true(mrd_interfaces_has_news(stage->interfaces));
	assert_true(mrd_interfaces_step(stage->interfaces, stage->now_ns));
	assert_string_equal(stage->done, "serve 20 pod 4, ");
	assert_false(mrd_interfaces_has_news(stage->interfaces));
	mrd_interfaces_listed(stage->interfaces);
	assert_true(mrd_interfaces_step(stage->interfaces, stage->now_ns));
	assert_string_equal(stage->done, "serve 20 pod 4, serve 7 pod 3, ");
	tell(stage, 21, 4);
	tell(stage, 22, 4);
	expect_done(stage, "serve 21 pod 4, serve 22 pod 4, serve 6 pod 3, serve 5 pod 3, ");
}

/* Its news were lost, so another list tells of it, while the first one is still being served. */
static void the_youngest_of_a_list_does_not_wait_for_the_others(void **state)
{
	struct stage *stage = *state;

	list(stage, 5, 8);
	mrd_interfaces_listed(stage->interfaces);
	assert_true(mrd_interfaces_step(stage->interfaces, stage->now_ns));
	mrd_interfaces_listing(stage->interfaces);
	list(stage, 5, 9);
	mrd_interfaces_listed(stage->interfaces);
	expect_done(stage, "serve 9 pod 3, serve 7 pod 3, serve 6 pod 3, serve 5 pod 3, ");
}

static void leaves_what_goes(void **state)
{
	struct stage *stage = *state;

	tell(stage, 5, 3);
	tell(stage, 6, -1);
	mrd_interfaces_listed(stage->interfaces);
	expect_done(stage, "serve 5 pod 3, ");
	mrd_interfaces_gone(stage->interfaces, 5);
	mrd_interfaces_gone(stage->interfaces, 6);
	mrd_interfaces_gone(stage->interfaces, 77);
	assert_false(mrd_interfaces_is_there(stage->interfaces, 5));
	expect_done(stage, "leave 5, ");
	tell(stage, 5, 3); /* another of that number */
	expect_done(stage, "serve 5 pod 3, ");
	tell(stage, 5, -1); /* the pod's end has moved here */
	expect_done(stage, "leave 5, ");
}

static void an_interface_that_was_away_is_served_anew(void **state)
{
	struct stage *stage = *state;

	tell(stage, 5, 3);
	expect_done(stage, "serve 5 pod 3, ");
	mrd_interfaces_gone(stage->interfaces, 5);
	tell(stage, 5, 3);
	expect_done(stage, "serve 5 pod 3, ");
}

static void one_that_goes_before_its_turn_is_not_served(void **state)
{
	struct stage *stage = *state;

	tell(stage, 5, 3);
	mrd_interfaces_gone(stage->interfaces, 5);
	tell(stage, 6, 3);
	tell(stage, 6, -1);
	expect_done(stage, "leave 5, ");
}

static void what_a_new_list_does_not_tell_of_is_gone(void **state)
{
	struct stage *stage = *state;

	tell(stage, 5, 3);
	tell(stage, 6, 4);
	mrd_interfaces_listed(stage->interfaces);
	expect_done(stage, "serve 5 pod 3, serve 6 pod 4, ");
	mrd_interfaces_listing(stage->interfaces);
	tell(stage, 6, 4);
	expect_done(stage, "");
	mrd_interfaces_listed(stage->interfaces);
	expect_done(stage, "leave 5, ");
}

static void clears_up_behind_an_earlier_agent(void **state)
{
	struct stage *stage = *state;

	stage->left = 6;
	tell(stage, 5, -1);
	tell(stage, 6, -1);
	mrd_interfaces_listed(stage->interfaces);
	mrd_interfaces_stale(stage->interfaces, 9);
	mrd_interfaces_stale(stage->interfaces, 5);
	expect_done(stage, "leave 6, leave 9, ");
	expect_done(stage, "");
}

static void another_choice_takes_effect(void **state)
{
	struct stage *stage = *state;
	const struct mrd_link eth0 = {
		.index = 2, .name = "eth0", .netns_id = -1, .is_ethernet = true};
	char *globs[2];
	const struct mrd_interface_choice named = choice_of("veth6", "eth*", globs);

	mrd_interfaces_changed(stage->interfaces, &eth0);
	tell(stage, 5, 3);
	tell(stage, 6, 4);
	expect_done(stage, "serve 5 pod 3, serve 6 pod 4, ");
	mrd_interfaces_choose(stage->interfaces, &named);
	expect_done(stage, "leave 5, serve 2 uplink -1, ");
	mrd_interfaces_choose(stage->interfaces, &none);
	expect_done(stage, "leave 6, leave 2, ");
}

static void a_new_name_counts(void **state)
{
	struct stage *stage = *state;
	struct mrd_link link = veth(5, 3);
	char *globs[2];
	const struct mrd_interface_choice named = choice_of("cali*", NULL, globs);

	mrd_interfaces_choose(stage->interfaces, &named);
	mrd_interfaces_changed(stage->interfaces, &link);
	expect_done(stage, "");
	strcpy(link.name, "cali5");
	mrd_interfaces_changed(stage->interfaces, &link);
	expect_done(stage, "serve 5 pod 3, ");
	strcpy(link.name, "old");
	mrd_interfaces_changed(stage->interfaces, &link);
	expect_done(stage, "leave 5, ");
}

static void count_error(void *self, const struct mrd_link *link, enum mrd_interface_kind kind,
			bool is_served, const char *error)
{
	int *errors = self;

	assert_int_equal(kind, MRD_INTERFACE_POD);
	assert_string_equal(link->name, "veth5");
	assert_true(is_served == !error);
	*errors += error && !strcmp(error, strerror(EPERM));
}

static void tries_again_what_failed(void **state)
{
	struct stage *stage = *state;
	struct mrd_interfaces_status status;
	int errors = 0;

	stage->result = -EPERM;
	tell(stage, 5, 3);
	expect_done(stage, "");
	mrd_interfaces_each(stage->interfaces, count_error, &errors);
	assert_int_equal(errors, 1);
	mrd_interfaces_get_status(stage->interfaces, &status);
	assert_int_equal(status.failed, 1);
	assert_int_equal(status.served[MRD_INTERFACE_POD], 0);
	assert_int_equal(mrd_interfaces_due(stage->interfaces), stage->now_ns + second_ns);
	stage->now_ns += second_ns;
	expect_done(stage, "");
	/* Twice as long each time. */
	assert_int_equal(mrd_interfaces_due(stage->interfaces), stage->now_ns + 2 * second_ns);
	for (int i = 0; i < 10; i++) {
		stage->now_ns = mrd_interfaces_due(stage->interfaces);
		expect_done(stage, "");
	}
	assert_int_equal(mrd_interfaces_due(stage->interfaces), stage->now_ns + 60 * second_ns);
	stage->result = 0;
	stage->now_ns += 60 * second_ns - 1;
	expect_done(stage, "");
	stage->now_ns++;
	expect_done(stage, "serve 5 pod 3, ");
	assert_true(mrd_interfaces_due(stage->interfaces) == UINT64_MAX);
	mrd_interfaces_get_status(stage->interfaces, &status);
	assert_int_equal(status.failed, 0);
	assert_int_equal(status.served[MRD_INTERFACE_POD], 1);
}

static void what_failed_and_is_not_wanted_any_more_is_no_failure(void **state)
{
	struct stage *stage = *state;
	struct mrd_interfaces_status status;

	stage->result = -EPERM;
	tell(stage, 5, 3);
	tell(stage, 6, 3);
	expect_done(stage, "");
	mrd_interfaces_choose(stage->interfaces, &none);
	mrd_interfaces_gone(stage->interfaces, 6);
	mrd_interfaces_get_status(stage->interfaces, &status);
	assert_int_equal(status.failed, 0);
	assert_true(mrd_interfaces_due(stage->interfaces) == UINT64_MAX);
	stage->now_ns += 100 * second_ns;
	expect_done(stage, "");
}

static void one_that_is_being_deleted_is_no_failure(void **state)
{
	struct stage *stage = *state;
	struct mrd_interfaces_status status;

	stage->result = -ENODEV;
	tell(stage, 5, 3);
	expect_done(stage, "");
	mrd_interfaces_get_status(stage->interfaces, &status);
	assert_int_equal(status.failed, 0);
	assert_true(mrd_interfaces_due(stage->interfaces) == UINT64_MAX);
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_what_an_interface_is),
		STAGED(serves_what_comes),
		STAGED(does_one_a_step),
		STAGED(one_that_comes_does_not_wait_for_the_list),
		STAGED(the_youngest_of_a_list_does_not_wait_for_the_others),
		STAGED(leaves_what_goes),
		STAGED(an_interface_that_was_away_is_served_anew),
		STAGED(one_that_goes_before_its_turn_is_not_served),
		STAGED(what_a_new_list_does_not_tell_of_is_gone),
		STAGED(clears_up_behind_an_earlier_agent),
		STAGED(another_choice_takes_effect),
		STAGED(a_new_name_counts),
		STAGED(tries_again_what_failed),
		STAGED(one_that_is_being_deleted_is_no_failure),
		STAGED(what_failed_and_is_not_wanted_any_more_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
