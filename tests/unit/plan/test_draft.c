/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who takes part, in which order, with which share: Istio's vectors (F: failover, I: distribute)
 * and what Meridian adds. A case's route is written as "priority locality percent", hop by hop. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "draft_case.h"

static struct mrd_failover to_r2[] = {{"r1", "r2"}};
static struct mrd_failover docs_rule[] = {{"region1", "region2"}};
static struct mrd_failover asm_pairs[] = {
	{"cn-shanghai", "cn-hangzhou"},
	{"cn-hangzhou", "cn-shanghai"},
};
static struct mrd_distribute_to i1_to[] = {
	{{"r1", "z1", "s1"}, 80},
	{{"r1", "z1", "s2"}, 15},
	{{"r1", "z1", "s3"}, 5},
};
static struct mrd_distribute_to i4_to[] = {{{"near", "", ""}, 80}, {{"r1", "", ""}, 20}};
static struct mrd_distribute_to asm_to[] = {{{"r1", "", ""}, 90}, {{"r2", "", ""}, 10}};
static struct mrd_distribute_to local_to[] = {{{"r1", "", ""}, 100}};
static struct mrd_distribute_to star_to[] = {{{"r1", "", ""}, 60}, {{"", "", ""}, 40}};
static struct mrd_distribute i1_rules[] = {{{"r1", "z1", "s1"}, i1_to, COUNT(i1_to)}};
static struct mrd_distribute i4_rules[] = {{{"r1", "", ""}, i4_to, COUNT(i4_to)}};
static struct mrd_distribute asm_rules[] = {
	{{"r9", "", ""}, local_to, COUNT(local_to)},
	{{"r1", "", ""}, asm_to, COUNT(asm_to)},
	{{"", "", ""}, local_to, COUNT(local_to)}, /* the first that matches holds */
};
static struct mrd_distribute local_rules[] = {{{"r1", "", ""}, local_to, COUNT(local_to)}};
static struct mrd_distribute star_rules[] = {{{"r1", "", ""}, star_to, COUNT(star_to)}};

#define FAILOVER(list)                                                             \
	{                                                                          \
		.enabled = true, .failover = (list), .failover_count = COUNT(list) \
	}
#define DISTRIBUTE(list)                                                               \
	{                                                                              \
		.enabled = true, .distribute = (list), .distribute_count = COUNT(list) \
	}

static const struct mrd_locality_setting no_list = {.enabled = true};
static const struct mrd_locality_setting r1_r2 = FAILOVER(to_r2);
static const struct mrd_locality_setting docs = FAILOVER(docs_rule);
static const struct mrd_locality_setting asm_failover = FAILOVER(asm_pairs);
static const struct mrd_locality_setting i1 = DISTRIBUTE(i1_rules);
static const struct mrd_locality_setting i4 = DISTRIBUTE(i4_rules);
static const struct mrd_locality_setting asm_distribute = DISTRIBUTE(asm_rules);
static const struct mrd_locality_setting local_only = DISTRIBUTE(local_rules);
static const struct mrd_locality_setting star = DISTRIBUTE(star_rules);

static const struct draft_case cases[] = {
	{
		.name = "Z1: no rule, one pool over all clusters",
		.world = "hz:AA sh:A@1",
		.want = "0 hz 66.67, 0 sh 33.33",
	},
	{
		.name = "a pool's endpoints are equal whatever is lost",
		.world = "r1:AEE r2:A r3:AA",
		.want = "0 r1 25.00, 0 r2 25.00, 0 r3 50.00",
	},
	{
		.name = "F2: no rule",
		.world = "r1/z1/s2:A r2/z1:A r2/z2:A",
		.from = "r1/z1/s1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1/s2 100.00, 1 r2/z1 0.00, 1 r2/z2 0.00",
	},
	{
		.name = "F4: locality off",
		.world = "r1/z1/s1:A r1/z2:A r2:A",
		.mode = MRD_LOCALITY_NONE,
		.setting = &r1_r2,
		.want = "0 r1/z1/s1 33.33, 0 r1/z2 33.33, 0 r2 33.33",
	},
	{
		.name = "F5: empty list",
		.world = "r1/z1/s1:A r1/z1/s2:A r2/z1/s1:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &no_list,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1/s1 100.00, 1 r1/z1/s2 0.00, 2 r2/z1/s1 0.00",
	},
	{
		.name = "F9: the documentation's task",
		.world = "region1/zone1:A region1/zone2:A region2/zone3:A region3/zone4:A",
		.from = "region1/zone1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &docs,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 region1/zone1 100.00, 1 region1/zone2 0.00, 2 region2/zone3 0.00, "
			"3 region3/zone4 0.00",
	},
	{
		.name = "F9, F10: the first fails",
		.world = "region1/zone1:E region1/zone2:A region2/zone3:A region3/zone4:A",
		.from = "region1/zone1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &docs,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 region1/zone1 0.00, 1 region1/zone2 100.00, 2 region2/zone3 0.00, "
			"3 region3/zone4 0.00",
	},
	{
		.name = "F9: all but the last fail",
		.world = "region1/zone1:E region1/zone2:U region2/zone3:E region3/zone4:A",
		.from = "region1/zone1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &docs,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 region1/zone1 0.00, 1 region1/zone2 0.00, 2 region2/zone3 0.00, "
			"3 region3/zone4 100.00",
	},
	{
		.name = "F15: the ASM pair, and no compaction gap",
		.world = "cn-hangzhou/h:A cn-hangzhou/i:A cn-shanghai/b:A cn-beijing/c:A",
		.from = "cn-hangzhou/h",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &asm_failover,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 cn-hangzhou/h 100.00, 1 cn-hangzhou/i 0.00, 2 cn-shanghai/b 0.00, "
			"3 cn-beijing/c 0.00",
	},
	{
		.name = "Z2: own region empty, the rule's takes it all",
		.world = "cn-shanghai:AA@1 cn-beijing:A@1",
		.from = "cn-hangzhou",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &asm_failover,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 cn-shanghai 100.00, 1 cn-beijing 0.00",
	},
	{
		.name = "an unready endpoint counts as lost",
		.world = "r1:AU r2:A",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 70.00, 1 r2 30.00",
	},
	{
		.name = "a terminating endpoint is no loss",
		.world = "r1:ADDT r2:A",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 100.00, 1 r2 0.00",
	},
	{
		.name = "a tier of terminating endpoints raises no number",
		.world = "r1:DD r2:A r3:A",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &r1_r2,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 0 r2 100.00, 1 r3 0.00",
	},
	{
		.name = "without a list a tier's endpoints are equal",
		.world = "r1:E r2/z1:A r2/z2:AAE",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 1 r2/z1 33.33, 1 r2/z2 66.67",
	},
	{
		.name = "with a list a tier's localities weigh by size and health",
		.world = "r1:E r2/z1:A r2/z2:AEE",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &r1_r2,
		.want_mode = MRD_MODE_FAILOVER,
		/* 1 and 3 × min(1, 1.4 / 3) */
		.want = "0 r1 0.00, 1 r2/z1 41.67, 1 r2/z2 58.33",
	},
	{
		.name = "an unknown zone equals an unknown zone",
		.world = "r1:A r1/z1:A",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 100.00, 1 r1/z1 0.00",
	},
	{
		.name = "the factor of a policy",
		.world = "r1:AAAAE r2:A",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.factor = 100,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 80.00, 1 r2 20.00",
	},
	{
		.name = "I1",
		.world = "r1/z1/s1:A r1/z1/s1:A r1/z1/s2:A r1/z1/s3:A r1/z2:A r2:A r3:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &i1,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1/z1/s1 80.00, 0 r1/z1/s2 15.00, 0 r1/z1/s3 5.00",
	},
	{
		.name = "I4",
		.world = "r1/z1:A near/z1:A far:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &i4,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 near/z1 80.00, 0 r1/z1 20.00",
	},
	{
		.name = "I6: no rule for this node",
		.world = "r1:A r2:A r3:AA",
		.from = "r3",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &i4,
		.want = "0 r1 25.00, 0 r2 25.00, 0 r3 50.00",
	},
	{
		.name = "I8: all four",
		.world = "r1:AAAA r2:A@1",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 90.00, 0 r2 10.00",
	},
	{
		.name = "Z3: a tenth to Shanghai, nine tenths stay",
		.world = "r1:AA r2:A@1",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 90.00, 0 r2 10.00",
	},
	{
		.name = "I8: two of four",
		.world = "r1:AAEE r2:A@1",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 86.30, 0 r2 13.70",
	},
	{
		.name = "I8: one of four",
		.world = "r1:AEEE r2:A@1",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 75.90, 0 r2 24.10",
	},
	{
		.name = "I8: none of four",
		.world = "r1:EEEE r2:A@1",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 0.00, 0 r2 100.00",
	},
	{
		.name = "I10: the only listed locality is gone",
		.world = "r2:AA",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &local_only,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "",
	},
	{
		.name = "a listed locality without endpoints leaves its part to the others",
		.world = "r2:AA r3:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r2 100.00",
	},
	{
		.name = "a weight is spread by size, rounded up, and the rest follows",
		.world = "r1/z1:A r1/z2:AA r1/z3:AAAA r2:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		/* 13 + 26 + 52 + 10 of 101 */
		.want = "0 r1/z1 12.87, 0 r1/z2 25.74, 0 r1/z3 51.49, 0 r2 9.90",
	},
	{
		.name = "each locality's health acts on its own part",
		.world = "r1/z1:EA r1/z2:AA r1/z3:AA r1/z4:AA r2:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		/* ceil(22.5) = 23 each; z1 × 0.7 = 16.1; 95.1 in all */
		.want = "0 r1/z1 16.93, 0 r1/z2 24.19, 0 r1/z3 24.19, 0 r1/z4 24.19, 0 r2 10.52",
	},
	{
		.name = "a bare star takes what is left",
		.world = "r1:A r2:A r3:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &star,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 60.00, 0 r2 20.00, 0 r3 20.00",
	},
	{
		.name = "nothing ready anywhere: those that still serve, by number",
		.world = "r1:DDU r2:DT r3:U",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 66.67 draining, 1 r2 33.33 draining, 1 r3 0.00 draining",
	},
	{
		.name = "the fallback looks at the route only",
		.world = "r1:D r2:T r3:AAA",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 100.00 draining, 0 r2 0.00 draining",
	},
	{
		.name = "one ready endpoint far away is better than terminating ones here",
		.world = "r1:DDD r2:A",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 0 r2 100.00",
	},
	{
		.name = "ready but ejected is ready: terminating ones are not used",
		.world = "r1:ED r2:D",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 1 r2 0.00",
	},
	{
		.name = "all ejected, no panic",
		.world = "r1:EE r2:E",
		.want = "0 r1 0.00, 0 r2 0.00",
	},
	{
		.name = "all ejected, panic: by number of ready ones",
		.world = "r1:EEUU r2:E",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.panic_percent = 50,
		.want_mode = MRD_MODE_FAILOVER,
		/* floor of thirds, the rest to the first */
		.want = "0 r1 67.00 panic, 1 r2 33.00 panic",
	},
	{
		.name = "a pool in panic uses its ready endpoints, equally",
		.world = "r1:AEEE r2:EUD",
		.panic_percent = 50,
		.want = "0 r1 80.00 panic, 0 r2 20.00 panic",
	},
	{
		.name = "a distribution in panic forgets its weights",
		.world = "r1:EEE r2:E",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.panic_percent = 50,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 75.00 panic, 0 r2 25.00 panic",
	},
	{
		.name = "no panic while the levels together carry everything",
		.world = "r1:AEEE r2:AA",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.panic_percent = 50,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 35.00, 1 r2 65.00",
	},
	{
		.name = "panic with nobody ready falls back to those that still serve",
		.world = "r1:UUD",
		.panic_percent = 50,
		.want = "0 r1 100.00 draining",
	},
	{
		.name = "internalTrafficPolicy Local: this node, no failover",
		.world = "r1:AA#node-b r1:A#node-a r2:A@1#node-a",
		.mode = MRD_LOCALITY_FAILOVER,
		.internal_local = true,
		.want = "0 r1 100.00",
	},
	{
		.name = "internalTrafficPolicy Local with nobody here",
		.world = "r1:AA#node-b r2:A@1#node-a",
		.internal_local = true,
		.want = "",
	},
	{
		.name = "internalTrafficPolicy Local on a node without a name: no endpoint is here",
		.world = "r1:AA",
		.nameless = true,
		.internal_local = true,
		.want = "",
	},
	{
		.name = "a cluster-local service stays at home",
		.world = "r1:A r1:A@1 r2:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.from = "r1",
		.cluster_local = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 100.00, 1 r2 0.00",
	},
	{.name = "no endpoint at all", .world = "", .want = ""},
	{
		.name = "as many hops as a route holds",
		.world = "a:A b:A c:A d:A e:A f:A g:A h:A i:A j:A k:A l:A m:A n:A o:A p:A",
		.want = "0 a 6.25, 0 b 6.25, 0 c 6.25, 0 d 6.25, 0 e 6.25, 0 f 6.25, 0 g 6.25, "
			"0 h 6.25, 0 i 6.25, 0 j 6.25, 0 k 6.25, 0 l 6.25, 0 m 6.25, 0 n 6.25, "
			"0 o 6.25, 0 p 6.25",
	},
	{
		.name = "17 localities: zones of a region are joined, a lone one keeps its name",
		.world = "r1/a:A r1/b:A r1/c:A r1/d:A r1/e:A r1/f:A r1/g:A r1/h:A r1/i:A r1/j:A "
			 "r1/k:A r1/l:A r1/m:A r1/n:A r1/o:A r1/p:A r2/z:AAAA",
		.want = "0 r1 80.00, 0 r2/z 20.00",
	},
	{
		.name = "joined zones keep what they get together",
		.world = "r1/a:AE r1/b:A r1/c:A r1/d:A r1/e:A r1/f:A r1/g:A r1/h:A r1/i:A r1/j:A "
			 "r1/k:A r1/l:A r1/m:A r1/n:A r1/o:A r1/p:A r2/z:AAAA",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &asm_distribute,
		.want_mode = MRD_MODE_DISTRIBUTE,
		/* 15 × ceil(90 / 17) = 90, and ceil(180 / 17) × 0.7 = 7.7; 10 for r2 */
		.want = "0 r1 90.71, 0 r2/z 9.29",
	},
	{
		.name = "18 regions: the smallest are joined without a name",
		.world = "a:AA b:AA c:AA d:AA e:AA f:AA g:AA h:AA i:AA j:AA k:AA l:AA m:AA n:AA "
			 "o:AA p:A q:AA r:A",
		.want = "0  11.76, 0 b 5.88, 0 c 5.88, 0 d 5.88, 0 e 5.88, 0 f 5.88, 0 g 5.88, "
			"0 h 5.88, 0 i 5.88, 0 j 5.88, 0 k 5.88, 0 l 5.88, 0 m 5.88, 0 n 5.88, "
			"0 o 5.88, 0 q 5.88",
	},
};

static void shares_as_the_case_says(void **state)
{
	(void)state;
	draft_check(cases, COUNT(cases));
}

/* ------------------------------------------------------------------------- random worlds */

static void random_world(char *text, size_t room)
{
	static const char letters[] = "AAAAAAEEUUDT";
	size_t len = 0;

	*text = '\0';
	for (int words = rand() % 24; words > 0; words--) {
		len += (size_t)snprintf(text + len, room - len, "r%d/z%d:", rand() % 3 + 1,
					rand() % 8 + 1);
		for (int i = rand() % 5 + 1; i > 0; i--)
			text[len++] = letters[(size_t)rand() % (sizeof(letters) - 1)];
		len += (size_t)snprintf(text + len, room - len, "@%d ", rand() % 2);
	}
}

/* What holds of every draft: each endpoint stands in one hop at most, hops are in order, and the
 * shares add up to 1, or to 0 if nobody may be handed out. */
static void check_draft(const struct mrd_draft *draft)
{
	double sum = 0;
	uint32_t usable = 0;

	assert_true(draft->hop_count <= MRD_HOPS_MAX);
	for (size_t i = 0; i < draft->hop_count; i++) {
		const struct mrd_draft_hop *hop = &draft->hops[i];
		uint32_t usable_here = 0;

		if (i)
			assert_true(mrd_draft_compare_hops(hop - 1, hop) < 0);
		assert_true(hop->first + hop->count <= draft->endpoint_count);
		for (size_t k = hop->first; k < hop->first + hop->count; k++) {
			usable_here += mrd_draft_usable(hop->accept, draft->endpoints[k].state);
			if (k > hop->first)
				assert_true(draft->endpoints[k - 1].seen <
					    draft->endpoints[k].seen);
		}
		assert_int_equal(usable_here, mrd_draft_usable_count(hop));
		assert_true(hop->share >= 0);
		if (hop->share > 0)
			assert_true(usable_here > 0);
		sum += hop->share;
		usable += usable_here;
	}
	assert_true(fabs(sum - (usable ? 1 : 0)) < 1e-9);
}

static void any_world_adds_up(void **state)
{
	static const struct mrd_locality_setting *const settings[] = {&no_list, &r1_r2,
								      &asm_distribute, &star};
	char text[1024];

	(void)state;
	srand(3);
	for (int round = 0; round < 2000; round++) {
		const struct draft_case c = {
			.world = text,
			.from = rand() % 2 ? "r1/z1" : "r3/z2",
			.mode = (enum mrd_locality_mode)(rand() % 3),
			.setting = settings[(size_t)rand() % COUNT(settings)],
			.panic_percent = rand() % 3 ? 0 : (uint32_t)rand() % 101,
			.cluster_local = rand() % 5 == 0,
		};
		struct world *world;
		struct mrd_draft draft;

		random_world(text, sizeof(text));
		world = world_new(text);
		draft_of(&c, world, &draft);
		check_draft(&draft);
		mrd_draft_free(&draft);
		world_free(world);
	}
}

/* More localities than hops, in every mode: nobody is lost. */
static void joining_loses_nobody(void **state)
{
	static const struct mrd_locality_setting *const settings[] = {&no_list, &r1_r2, &star};

	(void)state;
	srand(5);
	for (int round = 0; round < 300; round++) {
		const struct draft_case c = {
			.from = "r1/z1",
			.mode = (enum mrd_locality_mode)(round % 3),
			.setting = settings[round % 3],
			.hops = (uint32_t)(round / 3 % 13), /* 0 to 12 */
		};
		struct mrd_strbuf text = {0};
		struct world *world;
		struct mrd_draft draft;
		size_t in_hops = 0;

		for (int words = 17 + rand() % 60; words > 0; words--)
			mrd_strbuf_addf(&text, "r%d/z%d:%s ", rand() % (round % 40 + 1) + 1,
					rand() % 30, words % 3 ? "AE" : "A");
		assert_false(text.failed);
		world = world_new(text.text ? text.text : "");
		draft_of(&c, world, &draft);
		check_draft(&draft);
		if (c.hops)
			assert_true(draft.hop_count <= c.hops);
		for (size_t i = 0; i < draft.hop_count; i++)
			in_hops += draft.hops[i].count;
		assert_int_equal(in_hops, world->port.endpoint_count);
		mrd_draft_free(&draft);
		world_free(world);
		mrd_strbuf_free(&text);
	}
}

/* Not a benchmark, but a guard against loops over all pairs: those would take seconds here. */
static void a_thousand_endpoints_are_quick(void **state)
{
	const struct draft_case c = {
		.from = "r1/z1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &r1_r2,
	};
	struct mrd_strbuf text = {0};
	struct timespec from, to;
	struct world *world;
	double ms;

	(void)state;
	for (int i = 0; i < 1000; i++)
		mrd_strbuf_addf(&text, "r%d/z%d:A ", i % 3 + 1, i % 5);
	world = world_new(text.text);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int round = 0; round < 20; round++) {
		struct mrd_draft draft;

		draft_of(&c, world, &draft);
		mrd_draft_free(&draft);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	print_message("%.3f ms a draft\n", ms / 20);
	assert_true(ms / 20 < 20);
	world_free(world);
	mrd_strbuf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_as_the_case_says),
		cmocka_unit_test(any_world_adds_up),
		cmocka_unit_test(joining_loses_nobody),
		cmocka_unit_test(a_thousand_endpoints_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
