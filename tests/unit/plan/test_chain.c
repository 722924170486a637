/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Vectors that need all of it: policy as it is written, the detector, and the plan. */
#include "plan/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "outlier/outlier.h"
#include "stage.h"

enum { MS = 1, SECOND = 1000 * MS };

/* "PRIORITY LOCALITY SHARE" of each hop, as the draft's tests have it. */
static const char *hops_of(const struct mrd_plan *plan)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan->ports[0].hop_count; i++) {
		const struct mrd_plan_hop *hop = &plan->ports[0].hops[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u %s/%s%s%s %.0f",
					i ? ", " : "", hop->priority, hop->region, hop->zone,
					*hop->subzone ? "/" : "", hop->subzone, hop->share * 100);
	}
	return text;
}

static void f7_an_empty_list_is_none(void **state)
{
	struct mrd_plan *plan;
	struct stage stage;

	(void)state;
	stage_init(&stage, STAGE_TRAFFIC("loadBalancer: { localityLbSetting: { failover: [] } }"));
	plan = stage_plan(&stage, "r1/z1/s1:A r1/z1/s2:A r2/z1/s1:A@1");
	assert_string_equal(hops_of(plan), "0 r1/z1/s1 33, 0 r1/z1/s2 33, 0 r2/z1/s1 33");
	mrd_plan_free(plan);
	stage_free(&stage);
}

static uint32_t number_by_ip(void *self, const struct mrd_ip *ip, uint16_t port)
{
	(void)self, (void)port;
	return ip->bytes[3] + 1U;
}

static uint32_t number_by_digit(void *self, const char *region)
{
	(void)self;
	return (uint32_t)region[1];
}

static void note_ejection(void *self, const struct mrd_outlier_verdict *verdict)
{
	struct world *world = self;

	if (verdict->enforced || !verdict->ejected)
		world->ejected[verdict->host - 1] = verdict->ejected;
}

static struct mrd_plan *plan_of(const struct stage *stage, struct world *world)
{
	const struct mrd_plan_ejections ejections = {.is_ejected = world_is_ejected, .self = world};
	struct mrd_plan *plan;

	assert_int_equal(mrd_plan_make(&world->view, stage->model, stage->policy, &stage->node,
				       &ejections, &plan),
			 0);
	return plan;
}

static void expect_hops(const struct stage *stage, struct world *world, const char *want)
{
	struct mrd_plan *plan = plan_of(stage, world);

	print_message("%s\n", hops_of(plan));
	assert_string_equal(hops_of(plan), want);
	mrd_plan_free(plan);
}

/* What Istio's documentation has one do: one answer is an error, and later ones come from the next
 * locality; and by the first sweep behind the ejection's time from the first again. */
static void f10_one_error_moves_what_follows(void **state)
{
	static const struct mrd_host_numbers numbers = {number_by_ip, number_by_digit, NULL};
	struct world *world = world_new("r1/z1:A r1/z2:A r2/z3:A@1 r3/z4:A@1");
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	const struct mrd_outlier_rule *rule;
	struct mrd_outlier *outlier;
	struct mrd_plan *plan;
	struct stage stage;
	size_t count;

	(void)state;
	stage_init(&stage,
		   STAGE_TRAFFIC("outlierDetection: { consecutive5xxErrors: 1, interval: 1s, "
				 "baseEjectionTime: 1m }, loadBalancer: { localityLbSetting: { "
				 "failover: [ { from: r1, to: r2 } ] } }"));
	plan = plan_of(&stage, world);
	assert_int_equal(mrd_plan_hosts(plan, 0, &numbers, &hosts, &count), 0);
	rule = mrd_plan_hosts_rule(plan, 0);
	assert_int_equal(mrd_outlier_new(rule, true, 0, &outlier), 0);
	assert_int_equal(mrd_outlier_set_hosts(outlier, hosts, count), 0);
	mrd_plan_free(plan);

	expect_hops(&stage, world, "0 r1/z1 100, 1 r1/z2 0, 2 r2/z3 0, 3 r3/z4 0");
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 503, 1 * MS, note_ejection, world);
	expect_hops(&stage, world, "0 r1/z1 0, 1 r1/z2 100, 2 r2/z3 0, 3 r3/z4 0");
	mrd_outlier_signal(outlier, 2, MRD_SIGNAL_RESPONSE, 200, 2 * MS, note_ejection, world);
	mrd_outlier_sweep(outlier, 60 * SECOND, note_ejection, world);
	expect_hops(&stage, world, "0 r1/z1 0, 1 r1/z2 100, 2 r2/z3 0, 3 r3/z4 0");
	mrd_outlier_sweep(outlier, 61 * SECOND, note_ejection, world);
	expect_hops(&stage, world, "0 r1/z1 100, 1 r1/z2 0, 2 r2/z3 0, 3 r3/z4 0");

	mrd_outlier_free(outlier);
	world_free(world);
	stage_free(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f7_an_empty_list_is_none),
		cmocka_unit_test(f10_one_error_moves_what_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
