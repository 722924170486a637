/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From view and policy to a plan that stands alone: what is copied, what is warned about. Shares
 * and tiers are test_draft.c's. */
#include "plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/plan_text.h"
#include "stage.h"

#define PASSTHROUGH                                         \
	"apiVersion: networking.istio.io/v1\n"              \
	"kind: DestinationRule\n"                           \
	"metadata: { name: reviews, namespace: default }\n" \
	"spec: { host: reviews, trafficPolicy: { loadBalancer: { simple: PASSTHROUGH } } }\n"

/* ------------------------------------------------------------------------------- whole plans */

static const struct {
	const char *name;
	const char *policy;
	const char *world;
	const char *want;
} cases[] = {
	{
		.name = "one pool over two clusters",
		.world = "r1/z1:AE r2:A@1",
		.want = "service default/reviews\n"
			"  port http 80/TCP IPv4 pool\n"
			"    vip 172.16.0.20:80\n"
			"    priority 0 r1/z1 50.0000% healthy 1 of 2\n"
			"      10.0.0.0:8080 home ACTIVE 50.0000%\n"
			"      10.0.0.1:8080 home EJECTED 0.0000%\n"
			"    priority 0 r2 50.0000% healthy 1 of 1\n"
			"      10.0.0.2:8080 away ACTIVE 50.0000%\n",
	},
	{
		.name = "failover, half of the own region lost",
		.policy = STAGE_FAILOVER,
		.world = "r1/z1:AU r2/z9/s:AA@1 r3:A@1",
		.want = "service default/reviews\n"
			"  port http 80/TCP IPv4 failover outlier\n"
			"    vip 172.16.0.20:80\n"
			"    priority 0 r1/z1 70.0000% healthy 1 of 2\n"
			"      10.0.0.0:8080 home ACTIVE 70.0000%\n"
			"      10.0.0.1:8080 home UNREADY 0.0000%\n"
			"    priority 1 r2/z9/s 30.0000% healthy 2 of 2\n"
			"      10.0.0.2:8080 away ACTIVE 15.0000%\n"
			"      10.0.0.3:8080 away ACTIVE 15.0000%\n"
			"    priority 2 r3 0.0000% healthy 1 of 1\n"
			"      10.0.0.4:8080 away ACTIVE 0.0000%\n",
	},
	{
		.name = "panic, and what the detector is told",
		.policy = STAGE_OUTLIER("minHealthPercent: 50"),
		.world = "r1/z1:EEU",
		.want = "service default/reviews\n"
			"  port http 80/TCP IPv4 failover outlier\n"
			"    vip 172.16.0.20:80\n"
			"    priority 0 r1/z1 100.0000% healthy 0 of 3 panic\n"
			"      10.0.0.0:8080 home EJECTED 50.0000%\n"
			"      10.0.0.1:8080 home EJECTED 50.0000%\n"
			"      10.0.0.2:8080 home UNREADY 0.0000%\n",
	},
	{
		.name = "nobody is ready",
		.world = "r1:DT r2:U@1",
		.want = "service default/reviews\n"
			"  port http 80/TCP IPv4 pool\n"
			"    vip 172.16.0.20:80\n"
			"    priority 0 r1 100.0000% healthy 0 of 0 draining\n"
			"      10.0.0.0:8080 home DRAINING 100.0000%\n"
			"      10.0.0.1:8080 home UNREADY 0.0000%\n"
			"    priority 0 r2 0.0000% healthy 0 of 1 draining\n"
			"      10.0.0.2:8080 away UNREADY 0.0000%\n"
			"    warning: no endpoint is ready: 1 that still serve while they "
			"terminate are "
			"used\n",
	},
	{
		.name = "no endpoint at all",
		.world = "",
		.want = "service default/reviews\n"
			"  port http 80/TCP IPv4 pool\n"
			"    vip 172.16.0.20:80\n"
			"    warning: no endpoint in the route: new connections are refused\n",
	},
	{
		.name = "nobody is usable",
		.world = "r1:EU",
		.want = "service default/reviews\n"
			"  port http 80/TCP IPv4 pool\n"
			"    vip 172.16.0.20:80\n"
			"    priority 0 r1 0.0000% healthy 0 of 2\n"
			"      10.0.0.0:8080 home EJECTED 0.0000%\n"
			"      10.0.0.1:8080 home UNREADY 0.0000%\n"
			"    warning: no endpoint is usable (1 ejected, none ready otherwise): new "
			"connections are refused\n",
	},
	{
		.name = "PASSTHROUGH leaves the address alone",
		.policy = PASSTHROUGH,
		.world = "r1:A",
		.want = "service default/reviews\n"
			"  warning: port 80 is left alone: loadBalancer.simple is PASSTHROUGH\n",
	},
};

static void plans_as_the_case_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_strbuf text = {0};
		struct mrd_plan *plan;
		struct stage stage;

		print_message("%s\n", cases[i].name);
		stage_init(&stage, cases[i].policy);
		plan = stage_plan(&stage, cases[i].world);
		mrd_plan_text(plan, &text);
		assert_string_equal(text.text, cases[i].want);
		mrd_strbuf_free(&text);
		mrd_plan_free(plan);
		stage_free(&stage);
	}
}

/* ------------------------------------------------------------------------------------ warnings */

static bool warns_of(const struct mrd_plan_port *port, const char *words)
{
	for (size_t i = 0; i < port->warning_count; i++)
		if (strstr(port->warnings[i], words))
			return true;
	return false;
}

static void warns_of_an_unknown_region_where_it_matters(void **state)
{
	static const struct {
		const char *policy;
		bool want;
	} policies[] = {{NULL, false}, {STAGE_FAILOVER, true}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mrd_plan *plan;
		struct stage stage;

		print_message("%s\n", policies[i].policy ? policies[i].policy : "no policy");
		stage_init(&stage, policies[i].policy);
		stage.node.region = "";
		plan = stage_plan(&stage, "r1:A r2:A@1");
		assert_int_equal(warns_of(&plan->ports[0], "region of this node is not known"),
				 policies[i].want);
		mrd_plan_free(plan);
		stage_free(&stage);
	}
}

static void warns_of_joined_localities(void **state)
{
	struct mrd_strbuf text = {0};
	struct mrd_plan *plan;
	struct stage stage;

	(void)state;
	stage_init(&stage, NULL);
	for (int i = 0; i < 17; i++)
		mrd_strbuf_addf(&text, "r1/z%d:A ", i);
	plan = stage_plan(&stage, text.text);
	assert_int_equal(plan->ports[0].hop_count, 1);
	assert_true(warns_of(&plan->ports[0], "more than 16 localities"));
	mrd_plan_free(plan);
	mrd_strbuf_free(&text);
	stage_free(&stage);
}

/* -------------------------------------------------------------------------------------- fields */

/* Two ports and families, affinity, the model's own warnings; nobody asks about ejections. */
static void copies_what_the_view_says(void **state)
{
	static char warning[] = "an address is claimed by an older service";
	struct mrd_view_warning warnings[] = {
		{.text = warning, .port = 80, .transport = MRD_TRANSPORT_TCP, .version = MRD_IPV4},
		{.text = (char *)"a port without an entry", .port = 81, .port_name = ""},
		{.text = (char *)"the other family",
		 .port = 80,
		 .port_name = "",
		 .transport = MRD_TRANSPORT_TCP,
		 .version = MRD_IPV6},
		{.text = (char *)"both families", .port = 53, .transport = MRD_TRANSPORT_UDP},
	};
	struct world *world = world_new("r1/z1:AE r2:A@1");
	struct mrd_view_port ports[2];
	struct mrd_plan *plan;
	struct stage stage;

	(void)state;
	stage_init(&stage, STAGE_OUTLIER("consecutive5xxErrors: 1, interval: 1s"));
	ports[0] = world->port;
	ports[0].is_http = true;
	ports[1] = world->port;
	ports[1].name = "";
	ports[1].number = 53;
	ports[1].transport = MRD_TRANSPORT_UDP;
	ports[1].version = MRD_IPV6;
	ports[1].vip_count = 0;
	ports[1].endpoint_count = 0;
	world->view.ports = ports;
	world->view.port_count = 2;
	world->view.affinity_timeout_s = 600;
	world->view.warnings = warnings;
	world->view.warning_count = sizeof(warnings) / sizeof(warnings[0]);
	assert_int_equal(
		mrd_plan_make(&world->view, stage.model, stage.policy, &stage.node, NULL, &plan),
		0);
	world_free(world);
	warning[0] = '?';

	assert_string_equal(plan->namespace_, "default");
	assert_int_equal(plan->ports[0].affinity_timeout_s, 600);
	assert_int_equal(plan->ports[1].affinity_timeout_s, 600);
	assert_string_equal(plan->ports[0].rule, "default/reviews");
	assert_non_null(strstr(plan->ports[0].rule_place, ".yaml:4:"));
	assert_int_equal(plan->port_count, 2);
	assert_true(plan->ports[0].is_http);
	assert_true(plan->ports[0].has_outlier);
	assert_int_equal(plan->ports[0].outlier.consecutive_5xx, 1);
	assert_int_equal(plan->ports[0].outlier.interval_ms, 1000);
	assert_int_equal(plan->ports[0].protocol, MRD_PROTOCOL_TCP);
	assert_int_equal(plan->ports[0].vips[0].bytes[0], 172);
	assert_true(warns_of(&plan->ports[0], "an address is claimed"));
	assert_false(warns_of(&plan->ports[0], "the other family"));
	assert_false(warns_of(&plan->ports[1], "an address is claimed"));
	assert_true(warns_of(&plan->ports[1], "both families"));
	assert_int_equal(plan->left_out_count, 2);
	assert_string_equal(plan->left_out[0].why, "a port without an entry");
	assert_string_equal(plan->left_out[1].why, "the other family");
	assert_int_equal(plan->ports[0].hops[0].endpoints[1].state, MRD_STATE_ACTIVE);
	assert_int_equal(plan->ports[0].hops[1].endpoints[0].cluster, 1);
	assert_string_equal(plan->ports[0].hops[1].endpoints[0].cluster_name, "away");

	assert_string_equal(plan->ports[1].name, "");
	assert_int_equal(plan->ports[1].number, 53);
	assert_int_equal(plan->ports[1].protocol, MRD_PROTOCOL_UDP);
	assert_int_equal(plan->ports[1].family, MRD_FAMILY_IPV6);
	assert_false(plan->ports[1].is_http);
	assert_int_equal(plan->ports[1].vip_count, 0);
	mrd_plan_free(plan);
	mrd_plan_free(NULL);
	stage_free(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_as_the_case_says),
		cmocka_unit_test(warns_of_an_unknown_region_where_it_matters),
		cmocka_unit_test(warns_of_joined_localities),
		cmocka_unit_test(copies_what_the_view_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
