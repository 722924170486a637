/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a plan says of a port besides its route: warnings, affinity, and what decided. */
#include "base/label.h"
#include "draft_case.h"

#define SETTING(list, items)                                                   \
	{                                                                      \
		.enabled = true, .list = (items), .list##_count = COUNT(items) \
	}

static struct mrd_failover pairs_list[] = {{"r1", "r2"}};
static struct mrd_distribute_to to_two[] = {{{"r1", "", ""}, 90}, {{"r2", "z9", ""}, 10}};
static struct mrd_distribute_to to_far[] = {{{"r8", "", ""}, 100}};
static struct mrd_distribute two_rules[] = {{{"r1", "", ""}, to_two, COUNT(to_two)}};
static struct mrd_distribute far_rules[] = {{{"r1", "", ""}, to_far, COUNT(to_far)}};
static struct mrd_failover_label labels_list[] = {
	{.key = MRD_LABEL_NETWORK},
	{.key = "version"},
};

static const struct mrd_locality_setting pairs = SETTING(failover, pairs_list);
static const struct mrd_locality_setting zone_aware = {
	.enabled = true,
	.zone_aware = true,
};
static const struct mrd_locality_setting labels = SETTING(priority, labels_list);
static struct mrd_failover_label values_list[] = {{.key = "version", .value = "v2"}};
static const struct mrd_locality_setting values = SETTING(priority, values_list);
static struct mrd_failover_label nothing_list[] = {{.key = "version", .value = ""}};
static const struct mrd_locality_setting nothing = SETTING(priority, nothing_list);
static const struct mrd_locality_setting two = SETTING(distribute, two_rules);
static const struct mrd_locality_setting far = SETTING(distribute, far_rules);

#define FAILOVER(list, whose) .mode = MRD_LOCALITY_FAILOVER, .setting = &(list), .origin = (whose)
#define DISTRIBUTE(list, whose) \
	.mode = MRD_LOCALITY_DISTRIBUTE, .setting = &(list), .origin = (whose)

static const struct {
	struct draft_case draft;
	const char *want; /* the warnings, one a line */
} warning_cases[] = {
	{{.name = "nothing to say", .world = "r1:A r2:A"}, ""},
	{
		{
			.name = "the pair's region is empty",
			.world = "r1:A r3:A",
			FAILOVER(pairs, MRD_ORIGIN_RULE),
		},
		"failover: region r2, to which r1 fails over, has no endpoint\n",
	},
	{
		{
			.name = "a mesh-wide pair need not suit every service",
			.world = "r1:A r3:A",
			FAILOVER(pairs, MRD_ORIGIN_MESH),
		},
		"",
	},
	{
		{
			.name = "what a cluster-local service has elsewhere is nothing to it",
			.world = "r1:A r2:A@1",
			FAILOVER(pairs, MRD_ORIGIN_RULE),
			.cluster_local = true,
		},
		"failover: region r2, to which r1 fails over, has no endpoint in this node's "
		"cluster, which the service does not leave\n",
	},
	{
		{
			.name = "nor is what a distribution lists there",
			.world = "r1:A r2/z9:A@1",
			DISTRIBUTE(two, MRD_ORIGIN_RULE),
			.cluster_local = true,
		},
		"distribute: r2/z9 has no endpoint in this node's cluster, which the service does "
		"not leave: its 10 % fall to the others listed\n",
	},
	{
		{
			.name = "a home cluster of two regions",
			.world = "r1:A r2:A",
			FAILOVER(pairs, MRD_ORIGIN_RULE),
			.cluster_local = true,
		},
		"",
	},
	{
		{
			.name = "a service that stays on its node",
			.world = "r1:A#node-a r2:A",
			FAILOVER(pairs, MRD_ORIGIN_RULE),
			.internal_local = true,
		},
		"the rule's locality setting has no effect: internalTrafficPolicy is Local\n",
	},
	{
		{
			.name = "so few that Envoy's own limit lets none go",
			.world = "r1:A r1:A r2:A",
			.outlier = MRD_ORIGIN_RULE,
			.cap = MRD_CAP_ENVOY,
		},
		"outlierDetection: nobody is ejected, as Envoy's own maxEjectionPercent 10 lets "
		"none of fewer than 10 endpoints go\n",
	},
	{
		{
			.name = "so few that none may be ejected",
			.world = "r1:A r1:A r2:A",
			.outlier = MRD_ORIGIN_RULE,
			.max_ejection = 30,
		},
		"outlierDetection: nobody is ejected, as maxEjectionPercent 30 lets none of fewer "
		"than 4 endpoints go\n",
	},
	{
		{
			.name = "those that terminate are not counted for it",
			.world = "r1:A r1:A r2:A r2:D r2:T",
			.outlier = MRD_ORIGIN_RULE,
			.max_ejection = 30,
		},
		"outlierDetection: nobody is ejected, as maxEjectionPercent 30 lets none of fewer "
		"than 4 endpoints go\n",
	},
	{
		{
			.name = "nor are those that are dropped while they are not ready",
			.world = "r1:A r1:A r2:A r2:U",
			.outlier = MRD_ORIGIN_RULE,
			.max_ejection = 30,
			.unready_drop = true,
		},
		"outlierDetection: nobody is ejected, as maxEjectionPercent 30 lets none of fewer "
		"than 4 endpoints go\n",
	},
	{
		{
			.name = "which those that are counted may be of",
			.world = "r1:A r1:A r2:A r2:U",
			.outlier = MRD_ORIGIN_RULE,
			.max_ejection = 30,
		},
		"",
	},
	{
		{
			.name = "as many as one may be of",
			.world = "r1:A r1:A r2:A r2:A",
			.outlier = MRD_ORIGIN_RULE,
			.max_ejection = 30,
		},
		"",
	},
	{
		{
			.name = "more zones than a route has room for",
			.world = "r1/a:A r1/b:A r1/c:A r1/d:A r1/e:A r1/f:A r1/g:A r1/h:A r1/i:A "
				 "r1/j:A r1/k:A r1/l:A r1/m:A r1/n:A r1/o:A r1/p:A r2:A",
		},
		"more than 16 localities: those of one region and priority are joined\n",
	},
	{
		{
			.name = "more regions",
			.world = "a:A b:A c:A d:A e:A f:A g:A h:A i:A j:A k:A l:A m:A n:A o:A p:A "
				 "q:A",
		},
		"more than 16 localities: those of one region and priority are joined, and regions "
		"as one without a name\n",
	},
	{
		{
			.name = "zone-aware",
			.world = "r1:A",
			FAILOVER(zone_aware, MRD_ORIGIN_NONE),
		},
		"zoneAwareLbSetting: inside a region the split is even; Envoy would prefer the own "
		"zone by its capacity\n",
	},
	{
		{
			.name = "a label that only a client's pod could have",
			.world = "r1:A",
			FAILOVER(labels, MRD_ORIGIN_NONE),
		},
		"failoverPriority: version is a label that this node does not have, and a client's "
		"pod is not asked\n",
	},
	{
		{
			.name = "a label that node and Pods have",
			.world = "r1:A%version=v1",
			.label = {"version", "v2"},
			FAILOVER(labels, MRD_ORIGIN_NONE),
		},
		"",
	},
	{
		{
			.name = "a label that no Pod has",
			.world = "r1:A%app=x",
			.label = {"version", "v2"},
			FAILOVER(labels, MRD_ORIGIN_NONE),
		},
		"failoverPriority: version is a label that no endpoint's Pod has: what follows it "
		"in the list is not asked\n",
	},
	{
		{
			.name = "a value that no Pod has just now",
			.world = "r1:A%version=v1",
			FAILOVER(values, MRD_ORIGIN_NONE),
		},
		"failoverPriority: version=v2 is a label that no endpoint's Pod has: what follows "
		"it in the list is not asked\n",
	},
	{
		{
			.name = "a value of a label that no Pod has",
			.world = "r1:A",
			FAILOVER(values, MRD_ORIGIN_NONE),
		},
		"failoverPriority: version=v2 is a label that no endpoint's Pod has: what follows "
		"it in the list is not asked\n",
	},
	{
		{
			.name = "an empty value of a label that no Pod has: all have it",
			.world = "r1:A",
			FAILOVER(nothing, MRD_ORIGIN_NONE),
		},
		"",
	},
	{
		{
			.name = "a service that stays on a node of which the name is not known",
			.world = "r1:A",
			.nameless = true,
			.internal_local = true,
		},
		"internalTrafficPolicy is Local, but the name of this node is not known: no "
		"endpoint is its own\n"
		"no endpoint in the route: new connections are refused\n",
	},
	{
		{
			.name = "trafficDistribution on a node without a subzone",
			.world = "r1:A",
			.from = "r1",
			.distribution = MRD_DISTRIBUTION_SAME_NODE,
		},
		"",
	},
	{
		{
			.name = "no from is here",
			.world = "r1:A",
			.from = "r5/z1",
			DISTRIBUTE(two, MRD_ORIGIN_MESH),
		},
		"distribute: no rule's from is where this node is (r5/z1/-): it has no effect "
		"here\n",
	},
	{
		{
			.name = "one listed locality is empty",
			.world = "r1:A r2:A",
			DISTRIBUTE(two, MRD_ORIGIN_RULE),
		},
		"distribute: r2/z9 has no endpoint: its 10 % fall to the others listed\n",
	},
	{
		{
			.name = "one listed by a mesh-wide rule is",
			.world = "r1:A r2:A",
			DISTRIBUTE(two, MRD_ORIGIN_MESH),
		},
		"",
	},
	{
		{
			.name = "all listed ones are",
			.world = "r1:A",
			DISTRIBUTE(far, MRD_ORIGIN_MESH),
		},
		"distribute: no locality of the rule for this node has an endpoint\n"
		"no endpoint in the route: new connections are refused\n",
	},
	{
		{
			.name = "answers that nobody reads",
			.world = "r1:A",
			.is_http2 = true,
			.outlier = MRD_ORIGIN_RULE,
		},
		"outlierDetection: the port is declared HTTP/2 or gRPC, whose answers are not "
		"read: failed connections alone eject\n",
	},
	{
		{
			.name = "mesh-wide detection need not suit every service",
			.world = "r1:A",
			.is_http2 = true,
			.outlier = MRD_ORIGIN_MESH,
		},
		"",
	},
	{
		{
			.name = "answers that are read",
			.world = "r1:A",
			.outlier = MRD_ORIGIN_RULE,
		},
		"",
	},
	{
		{
			.name = "nor is anybody judged by them",
			.world = "r1:A",
			.is_http2 = true,
		},
		"",
	},
	{
		{
			.name = "a service without endpoints has other worries",
			.world = "",
			DISTRIBUTE(far, MRD_ORIGIN_RULE),
		},
		"no endpoint in the route: new connections are refused\n",
	},
};

static void warns_as_the_case_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(warning_cases); i++) {
		const struct draft_case *c = &warning_cases[i].draft;
		struct world *world = world_new(c->world);
		struct mrd_plan_port port = {0};
		struct mrd_strbuf text = {0};
		struct draft_stage stage;

		print_message("%s\n", c->name);
		draft_begin(c, world, &stage);
		assert_int_equal(mrd_plan_port_make(&stage.in, &port), 0);
		for (size_t k = 0; k < port.warning_count; k++)
			mrd_strbuf_addf(&text, "%s\n", port.warnings[k]);
		assert_string_equal(text.text ? text.text : "", warning_cases[i].want);
		mrd_strbuf_free(&text);
		mrd_plan_port_clear(&port);
		draft_end(&stage);
		world_free(world);
	}
}

/* A pod with two addresses is one host, as it is to the detector. */
static void a_cap_is_of_both_families(void **state)
{
	static const struct {
		const char *name;
		bool are_twins;
		size_t want;
	} cases[] = {
		{.name = "pods of one family each", .want = 0},
		{.name = "pods with two addresses", .are_twins = true, .want = 1},
	};
	const struct draft_case c = {.outlier = MRD_ORIGIN_RULE, .max_ejection = 30};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new("r1:AA");
		struct world *other = world_new("r1:AA");
		struct mrd_view_port ports[] = {world->port, other->port};
		struct mrd_plan_port port = {0};
		struct draft_stage stage;

		print_message("%s\n", cases[i].name);
		for (size_t k = 0; cases[i].are_twins && k < other->port.endpoint_count; k++) {
			world->endpoints[k].twin = &other->endpoints[k];
			other->endpoints[k].twin = &world->endpoints[k];
		}
		draft_begin(&c, world, &stage);
		ports[1].version = MRD_IPV6;
		world->view.ports = ports;
		world->view.port_count = COUNT(ports);
		stage.in.port = &ports[0];
		assert_int_equal(mrd_plan_port_make(&stage.in, &port), 0);
		assert_int_equal(port.warning_count, cases[i].want);
		mrd_plan_port_clear(&port);
		draft_end(&stage);
		world_free(other);
		world_free(world);
	}
}

static void affinity_is_the_services_or_the_rules(void **state)
{
	static const struct {
		const char *name;
		uint32_t of_service_s;
		bool hash_source_ip;
		uint32_t want_s;
	} cases[] = {
		{.name = "none"},
		{.name = "the Service's", .of_service_s = 600, .want_s = 600},
		{.name = "the rule's", .hash_source_ip = true, .want_s = 86400},
		{.name = "both", .of_service_s = 600, .hash_source_ip = true, .want_s = 600},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct draft_case c = {.world = "r1:A"};
		struct world *world = world_new(c.world);
		struct mrd_plan_port port = {0};
		struct draft_stage stage;

		print_message("%s\n", cases[i].name);
		draft_begin(&c, world, &stage);
		world->view.affinity_timeout_s = cases[i].of_service_s;
		stage.effective.hash_source_ip = cases[i].hash_source_ip;
		assert_int_equal(mrd_plan_port_make(&stage.in, &port), 0);
		assert_int_equal(port.affinity_timeout_s, cases[i].want_s);
		mrd_plan_port_clear(&port);
		draft_end(&stage);
		world_free(world);
	}
}

static void names_what_decided(void **state)
{
	const struct draft_case c = {.world = "r1:A"};
	struct world *world = world_new(c.world);
	struct mrd_plan_port port = {0};
	struct draft_stage stage;

	(void)state;
	draft_begin(&c, world, &stage);
	stage.effective.rule = "default/reviews";
	stage.effective.rule_place = "a.yaml:5:9";
	stage.effective.locality_place = "mesh.yaml:1:1";
	assert_int_equal(mrd_plan_port_make(&stage.in, &port), 0);
	assert_string_equal(port.rule, "default/reviews");
	assert_string_equal(port.rule_place, "a.yaml:5:9");
	assert_string_equal(port.locality_place, "mesh.yaml:1:1");
	assert_string_equal(port.outlier_place, "");
	mrd_plan_port_clear(&port);
	draft_end(&stage);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warns_as_the_case_says),
		cmocka_unit_test(a_cap_is_of_both_families),
		cmocka_unit_test(affinity_is_the_services_or_the_rules),
		cmocka_unit_test(names_what_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
