/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The part of a region that is back, over time. */
#include <math.h>

#include "draft_case.h"

static struct mrd_failover r1_r2[] = {{"r1", "r2"}};
static struct mrd_distribute_to even_to[] = {{{"r1", "", ""}, 50}, {{"r2", "", ""}, 50}};
static struct mrd_distribute even_rules[] = {{{"r1", "", ""}, even_to, COUNT(even_to)}};

static const struct mrd_locality_setting pair = {
	.enabled = true,
	.failover = r1_r2,
	.failover_count = COUNT(r1_r2),
};
static const struct mrd_locality_setting even = {
	.enabled = true,
	.distribute = even_rules,
	.distribute_count = COUNT(even_rules),
};

enum { WARMUP_MS = 100000 };

/* r1 came back so long ago; every other region always was there. */
static uint64_t r1_back_ms;

static uint64_t back_ms(void *self, const struct mrd_view *view, const struct mrd_view_port *port,
			const char *region)
{
	(void)self, (void)view, (void)port;
	return strcmp(region, "r1") ? UINT64_MAX : r1_back_ms;
}

static void a_region_that_is_back_ramps_up(void **state)
{
	static const struct {
		const char *name;
		const char *world;
		uint64_t since_ms;
		uint32_t panic_percent;
		enum mrd_locality_mode mode;
		const struct mrd_locality_setting *setting;
		const char *want;
		uint64_t again_ms;
	} cases[] = {
#define FAILOVER .mode = MRD_LOCALITY_FAILOVER, .setting = &pair
		{.name = "at first a tenth, by Envoy's factor 1.4",
		 .world = "r1/z1:AAAA r2/z2:AA",
		 FAILOVER,
		 .want = "0 r1/z1 14.00, 1 r2/z2 86.00",
		 .again_ms = 5000},
		{.name = "no less than a tenth",
		 .world = "r1/z1:AAAA r2/z2:AA",
		 FAILOVER,
		 .since_ms = 5000,
		 .want = "0 r1/z1 14.00, 1 r2/z2 86.00",
		 .again_ms = 5000},
		{.name = "half way",
		 .world = "r1/z1:AAAA r2/z2:AA",
		 FAILOVER,
		 .since_ms = 50000,
		 .want = "0 r1/z1 70.00, 1 r2/z2 30.00",
		 .again_ms = 5000},
		{.name = "half way, and half of it ejected",
		 .world = "r1/z1:AAEE r2/z2:AA",
		 FAILOVER,
		 .since_ms = 50000,
		 .want = "0 r1/z1 35.00, 1 r2/z2 65.00",
		 .again_ms = 5000},
		{.name = "the last step",
		 .world = "r1/z1:AAAA r2/z2:AA",
		 FAILOVER,
		 .since_ms = 99000,
		 .want = "0 r1/z1 100.00, 1 r2/z2 0.00",
		 .again_ms = 1000},
		{.name = "warm",
		 .world = "r1/z1:AAAA r2/z2:AA",
		 FAILOVER,
		 .since_ms = WARMUP_MS,
		 .want = "0 r1/z1 100.00, 1 r2/z2 0.00"},
		{.name = "nobody else could take it",
		 .world = "r1/z1:AAAA r2/z2:EE",
		 FAILOVER,
		 .want = "0 r1/z1 100.00, 1 r2/z2 0.00",
		 .again_ms = 5000},
		{.name = "nor does that panic",
		 .world = "r1/z1:AAAE r2/z2:EE",
		 FAILOVER,
		 .panic_percent = 50,
		 .want = "0 r1/z1 100.00, 1 r2/z2 0.00",
		 .again_ms = 5000},
		{.name = "in a distribution its weight is smaller",
		 .world = "r1/z1:AAAA r2/z2:AAAA",
		 .mode = MRD_LOCALITY_DISTRIBUTE,
		 .setting = &even,
		 .since_ms = 25000,
		 .want = "0 r1/z1 20.00, 0 r2/z2 80.00",
		 .again_ms = 5000},
		{.name = "in a pool its endpoints count for less",
		 .world = "r1/z1:AA r2/z2:AA",
		 .since_ms = 25000,
		 .want = "0 r1/z1 20.00, 0 r2/z2 80.00",
		 .again_ms = 5000},
		{.name = "who has no endpoint has nothing to warm up",
		 .world = "r1/z1:EE r2/z2:AA",
		 FAILOVER,
		 .want = "0 r1/z1 0.00, 1 r2/z2 100.00"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct draft_case c = {
			.mode = cases[i].mode,
			.setting = cases[i].setting,
			.panic_percent = cases[i].panic_percent,
		};
		struct world *world = world_new(cases[i].world);
		struct draft_stage stage;
		struct mrd_draft draft;
		char *text;

		print_message("%s\n", cases[i].name);
		r1_back_ms = cases[i].since_ms;
		draft_begin(&c, world, &stage);
		stage.effective.region_warmup_ms = WARMUP_MS;
		stage.ejections.region_back_ms = back_ms;
		assert_int_equal(mrd_draft_make(&stage.in, &draft), 0);
		text = draft_text(&draft);
		assert_string_equal(text, cases[i].want);
		assert_int_equal(draft.again_ms, cases[i].again_ms);
		free(text);
		mrd_draft_free(&draft);
		draft_end(&stage);
		world_free(world);
	}
}

/* The first endpoint is new, the others are old. */
static uint64_t first_back_ms;

static uint64_t endpoint_back(void *self, const struct mrd_view *view,
			      const struct mrd_view_port *port,
			      const struct mrd_view_endpoint *endpoint)
{
	(void)self, (void)view;
	return endpoint == port->endpoints ? first_back_ms : UINT64_MAX;
}

static void a_new_endpoint_starts_slowly(void **state)
{
	static const struct {
		uint64_t since_ms;
		double minimum;
		double aggression;
		double want;
		uint64_t again_ms;
	} cases[] = {
		{.minimum = 10, .aggression = 1, .want = 0.1, .again_ms = 5000},
		{.since_ms = 50000, .minimum = 10, .aggression = 1, .want = 0.5, .again_ms = 5000},
		{.since_ms = 25000, .minimum = 10, .aggression = 2, .want = 0.5, .again_ms = 5000},
		{.since_ms = 20000, .minimum = 40, .aggression = 1, .want = 0.4, .again_ms = 5000},
		{.minimum = 0, .aggression = 1, .want = 0.01, .again_ms = 5000},
		{.since_ms = 98000, .minimum = 10, .aggression = 1, .want = 0.98, .again_ms = 2000},
		{.since_ms = WARMUP_MS, .minimum = 10, .aggression = 1, .want = 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct draft_case c = {.mode = MRD_LOCALITY_FAILOVER, .setting = &pair};
		struct world *world = world_new("r1/z1:AEA");
		struct draft_stage stage;
		struct mrd_draft draft;

		print_message("after %d ms\n", (int)cases[i].since_ms);
		first_back_ms = cases[i].since_ms;
		draft_begin(&c, world, &stage);
		stage.effective.warmup = (struct mrd_warmup_rule){
			.duration_ms = WARMUP_MS,
			.minimum_percent = cases[i].minimum,
			.aggression = cases[i].aggression,
		};
		stage.ejections.endpoint_back_ms = endpoint_back;
		assert_int_equal(mrd_draft_make(&stage.in, &draft), 0);
		assert_true(fabs(draft.endpoints[0].weight - cases[i].want) < 1e-9);
		assert_true(fabs(draft.endpoints[2].weight - 1) < 1e-9);
		assert_int_equal(draft.again_ms, cases[i].again_ms);
		mrd_draft_free(&draft);
		draft_end(&stage);
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_that_is_back_ramps_up),
		cmocka_unit_test(a_new_endpoint_starts_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
