/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What localityLbSetting and zoneAwareLbSetting may say, by the ids of the vectors. */
#include "policy/read.h"

#include "tests/unit/policy/rows.h"

#define LOCALITY(inside) "localityLbSetting: {" inside "}\n"
#define AT_LOCALITY	 "spec.trafficPolicy.loadBalancer.localityLbSetting"

static void test_distribute(void **state)
{
	static const struct row rows[] = {
		{
			.id = "V1",
			.text = LOCALITY("distribute: [{from: a, to: {b: 80, c: 25}}]"),
			.want = "error a:1:48 localityLbSetting.distribute[0].to\n",
			.says = "add up to 105",
		},
		{
			.id = "V3",
			.text = LOCALITY("distribute: [{from: a, to: {b: 0, c: 100}}]"),
			.want = "error a:1:52 localityLbSetting.distribute[0].to.b\n",
		},
		{
			.id = "I1",
			.text = LOCALITY("distribute: [{from: r1/z1/s1, to: {r1/z1/s1: 80, "
					 "r1/z1/s2: 15, r1/z1/s3: 5}}]"),
			.want = "",
		},
		{
			.id = "V4, Z4",
			.text = LOCALITY("distribute: [{from: a, to: {b: 100}}], "
					 "failover: [{from: a, to: b}]"),
			.second = WATCHED,
			.want = "error a:1:60 localityLbSetting.failover\n",
			.says = "a.yaml:1:21) and failover (",
		},
		{
			.id = "V4 the other way round",
			.text = LOCALITY("failover: [{from: a, to: b}], "
					 "distribute: [{from: a, to: {b: 100}}]"),
			.second = WATCHED,
			.want = "error a:1:51 localityLbSetting.distribute\n",
			.says = "a.yaml:1:51",
		},
		{
			.id = "an empty list excludes nothing",
			.text = LOCALITY("failover: [], distribute: [{from: a, to: {b: 100}}]"),
			.want = "",
		},
		{
			.id = "V5",
			.text = LOCALITY("failover: [{from: a, to: a}]"),
			.second = WATCHED,
			.want = "error a:1:46 localityLbSetting.failover[0].to\n",
			.says = "different regions",
		},
		{
			.id = "failover is by region",
			.text = LOCALITY("failover: [{from: a/z, to: 'b*'}, {from: '', to: c}, "
					 "{from: d}]"),
			.second = WATCHED,
			.want = "error a:1:39 localityLbSetting.failover[0].from\n"
				"error a:1:48 localityLbSetting.failover[0].to\n"
				"error a:1:62 localityLbSetting.failover[1].from\n"
				"error a:1:74 localityLbSetting.failover[2].to\n",
		},
		{
			.id = "the first pair of a region decides",
			.text = LOCALITY("failover: [{from: a, to: b}, {from: a, to: c}]"),
			.second = WATCHED,
			.want = "warning a:1:57 localityLbSetting.failover[1].from\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_localities(void **state)
{
	static const struct row rows[] = {
		{
			.id = "V10",
			.text = LOCALITY("distribute: [{from: '*/zone/*', to: {b: 100}}]"),
			.want = "error a:1:41 localityLbSetting.distribute[0].from\n",
		},
		{
			.id = "V13",
			.text = LOCALITY("distribute: [{from: a, to: {a1/*: 20, a2/*: 20, "
					 "a3/b3/c3: 20, a4/b4: 20, a5/b5/*: 20}}]"),
			.want = "",
		},
		{
			.id = "a part of a segment is no wildcard",
			.text = LOCALITY("distribute: [{from: a, to: {\"cn-*\": 100}}]"),
			.want = "warning a:1:49 localityLbSetting.distribute[0].to[\"cn-*\"]\n",
			.says = "matches nothing: \"cn-*\" ",
		},
		{
			.id = "a weight that is given twice is not added up",
			.text = LOCALITY("distribute: [{from: a, to: {a: 90, a: 10}}]"),
			.want = "error a:1:56 localityLbSetting.distribute[0].to.a\n",
			.says = "given twice",
		},
		{
			.id = "an empty segment",
			.text = LOCALITY("distribute: [{from: a//c, to: {a: 100}}]"),
			.want = "error a:1:41 localityLbSetting.distribute[0].from\n",
		},
		{
			.id = "M9",
			.text = LOCALITY("distribute: [{from: a, to: {a/b/c/rack: 100}}]"),
			.want = "warning a:1:49 "
				"localityLbSetting.distribute[0].to[\"a/b/c/rack\"]\n",
			.says = "levels below the subzone are passed over",
		},
		{
			.id = "where no node can be",
			.text = LOCALITY("distribute: [{from: r 1/*, to: {us_east.1/Z: 100}}]"),
			.want = "warning a:1:41 localityLbSetting.distribute[0].from\n",
			.says = "matches nothing: \"r 1\" must be at most 63 letters, digits",
		},
		{
			.id = "a region that none can be in",
			.text = LOCALITY("failover: [{from: a, to: b c}]"),
			.second = WATCHED,
			.want = "warning a:1:46 localityLbSetting.failover[0].to\n",
			.says = "matches nothing: \"b c\"",
		},
		{
			.id = "from: equal to an earlier one",
			.text = LOCALITY("distribute: [{from: a, to: {b: 100}}, "
					 "{from: a/*, to: {b: 100}}]"),
			.want = "error a:1:66 localityLbSetting.distribute[1].from\n",
			.says = "overlaps with \"a\"",
		},
		{
			.id = "from: inside",
			.text = LOCALITY("distribute: [{from: a/*, to: {b: 100}}, "
					 "{from: a/z/s, to: {b: 100}}]"),
			.want = "error a:1:68 localityLbSetting.distribute[1].from\n",
		},
		{
			.id = "from: around",
			.text = LOCALITY("distribute: [{from: a/z/s, to: {b: 100}}, "
					 "{from: a/*, to: {b: 100}}]"),
			.want = "error a:1:70 localityLbSetting.distribute[1].from\n",
		},
		{
			.id = "a last * takes the rest",
			.text = LOCALITY("distribute: [{from: a/z, to: {b: 50, '*': 50}}, "
					 "{from: '*', to: {b: 100}}]"),
			.want = "",
		},
		{
			.id = "nothing may follow it in a list; a map has no order",
			.text = LOCALITY("distribute: [{from: '*', to: {'*': 50, b: 50}}, "
					 "{from: a, to: {b: 100}}]"),
			.want = "error a:1:76 localityLbSetting.distribute[1].from\n",
		},
		{
			.id = "no weights at all",
			.text = LOCALITY("distribute: [{from: a, to: {}}, {from: b}, {to: []}]"),
			.want = "error a:1:48 localityLbSetting.distribute[0].to\n"
				"error a:1:53 localityLbSetting.distribute[1].to\n"
				"error a:1:64 localityLbSetting.distribute[2].from\n"
				"error a:1:69 localityLbSetting.distribute[2].to\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* As an API server gives a map back, with its keys in order. */
static void test_rest_of_a_map(void **state)
{
	static const char text[] =
		LOCALITY("distribute: [{from: a, to: {'*': 30, b: 50, c/z: 20}}]");
	static const char *const regions[] = {"b", "c", ""};
	static const uint32_t weights[] = {50, 20, 30};
	struct mrd_policy *policy = policy_of(text);
	struct mrd_effective effective;

	(void)state;
	mrd_policy_effective(policy, "default", "a", 80, &effective);
	assert_int_equal(effective.locality->distribute[0].to_count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct mrd_distribute_to *to = &effective.locality->distribute[0].to[i];

		assert_string_equal(to->to.region, regions[i]);
		assert_int_equal(to->weight, weights[i]);
	}
	mrd_policy_free(policy);
}

static void test_failover_priority(void **state)
{
	static const struct row rows[] = {
		{
			.id = "V8: a list without outlierDetection works here",
			.text = RULE
			"    loadBalancer: {" LOCALITY("failover: [{from: a, to: b}]") "    }\n",
			.want = "warning a:7:50 " AT_LOCALITY ".failover\n",
			.says = "Istio would ignore it",
		},
		{
			.id = "V8: no warning with the mesh's outlierDetection",
			.text = RULE
			"    loadBalancer: {" LOCALITY("failover: [{from: a, to: b}]") "    }\n",
			.second = "defaultTrafficPolicy: {outlierDetection: {}}\n",
			.want = "",
		},
		{
			.id = "V8: failoverPriority",
			.text = RULE "    loadBalancer: {" LOCALITY(
				"failoverPriority: [topology.istio.io/network, "
				"'a=b', b=]") "    }\n",
			.want = "warning a:7:58 " AT_LOCALITY ".failoverPriority\n",
			.says = "Istio would ignore it",
		},
		{
			.id = "failoverPriority: what no object can have",
			.text = LOCALITY("failoverPriority: [a b, 'a=b=c', d=-]"),
			.second = WATCHED,
			.want = "warning a:1:40 localityLbSetting.failoverPriority[0]\n"
				"warning a:1:40 localityLbSetting.failoverPriority[0]\n"
				"warning a:1:45 localityLbSetting.failoverPriority[1]\n"
				"warning a:1:54 localityLbSetting.failoverPriority[2]\n",
			.says = "more than one \"=\": taken as \"a\", as in Istio",
		},
		{
			.id = "failoverPriority: several values of a key",
			.text = LOCALITY("failoverPriority: [app=x, app, key, app=y, key=v]"),
			.second = WATCHED,
			.want = "warning a:1:40 localityLbSetting.failoverPriority[0]\n"
				"warning a:1:47 localityLbSetting.failoverPriority[1]\n"
				"warning a:1:52 localityLbSetting.failoverPriority[2]\n"
				"warning a:1:57 localityLbSetting.failoverPriority[3]\n"
				"warning a:1:64 localityLbSetting.failoverPriority[4]\n",
			.says = "taken as \"app=y\": the last value of a key counts, as in Istio",
		},
		{
			.id = "failoverPriority: a network that heads the list and comes again",
			.text = LOCALITY("failoverPriority: [topology.istio.io/network, app=x, "
					 "topology.istio.io/network]"),
			.second = WATCHED,
			.want = "",
		},
		{
			.id = "failoverPriority: keys",
			.text = LOCALITY(
				"failoverPriority: ['', =a, key, topology.kubernetes.io/zone, "
				"kubernetes.io/hostname, yek=v, yek=v]"),
			.second = WATCHED,
			.want = "error a:1:40 localityLbSetting.failoverPriority[0]\n"
				"error a:1:44 localityLbSetting.failoverPriority[1]\n"
				"warning a:1:48 localityLbSetting.failoverPriority[2]\n"
				"warning a:1:113 localityLbSetting.failoverPriority[6]\n",
			.says = "this node's label is compared",
		},
		{
			.id = "failoverPriority of the failover's own labels",
			.text = LOCALITY(
				"failover: [{from: a, to: b}], "
				"failoverPriority: [key=v, topology.kubernetes.io/zone, "
				"topology.kubernetes.io/region, topology.istio.io/subzone, "
				"topology.kubernetes.io/zone=z]"),
			.second = WATCHED,
			.want = "error a:1:77 localityLbSetting.failoverPriority[1]\n"
				"error a:1:106 localityLbSetting.failoverPriority[2]\n"
				"error a:1:137 localityLbSetting.failoverPriority[3]\n"
				"warning a:1:164 localityLbSetting.failoverPriority[4]\n",
			.says = "cannot stand beside failover",
		},
		{
			.id = "distribute decides before failoverPriority",
			.text = LOCALITY("distribute: [{from: a, to: {b: 100}}], "
					 "failoverPriority: [a=b]"),
			.second = WATCHED,
			.want = "warning a:1:78 localityLbSetting.failoverPriority\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* Each keeps its place; the last value is that of all, as in Istio. */
static void test_last_value(void **state)
{
	static const char text[] = LOCALITY("failoverPriority: [app=x, key, app, app=y, z=b=c, z]");
	static const struct mrd_failover_label want[] = {
		{(char *)"app", (char *)"y"}, {(char *)"key", NULL}, {(char *)"app", (char *)"y"},
		{(char *)"app", (char *)"y"}, {(char *)"z", NULL},   {(char *)"z", NULL},
	};
	struct mrd_policy *policy = policy_of(text);
	struct mrd_effective effective;

	(void)state;
	mrd_policy_effective(policy, "default", "a", 80, &effective);
	assert_int_equal(effective.locality->priority_count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct mrd_failover_label *label = &effective.locality->priority[i];

		assert_string_equal(label->key, want[i].key);
		assert_string_equal(label->value ? label->value : "none",
				    want[i].value ? want[i].value : "none");
	}
	mrd_policy_free(policy);
}

/* One list, one warning, and only what is true of it. */
static void test_unwatched(void **state)
{
#define BALANCED(inside) RULE "    loadBalancer: {" LOCALITY(inside) "    }\n"
#define ANNOTATED                                                                  \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"              \
	"metadata: {name: r, annotations: {meridian.dev/fallback: next-region}}\n" \
	"spec:\n  host: reviews\n  trafficPolicy:\n    loadBalancer: {"
	static const char pair[] = LOCALITY("failover: [{from: a, to: b}]");
	static const struct row rows[] = {
		{
			.id = "V8: the mesh's list, and no outlierDetection anywhere",
			.text = pair,
			.want = "warning a:1:31 localityLbSetting.failover\n",
			.says = "works from readiness and failed handshakes",
		},
		{
			.id = "V8: the mesh's failoverPriority",
			.text = LOCALITY("failoverPriority: [kubernetes.io/hostname]"),
			.want = "warning a:1:39 localityLbSetting.failoverPriority\n",
			.says = "Istio would ignore it",
		},
		{
			.id = "V8: the mesh's zone-aware list, in a later document",
			.text = "zoneAwareLbSetting: {failover: [{from: a, to: b}]}\n",
			.second = RULE "    connectionPool: {http: {maxRetries: 1}}\n",
			.want = "warning a:1:1 zoneAwareLbSetting\n"
				"warning a:1:32 zoneAwareLbSetting.failover\n"
				"warning b:7:29 "
				"spec.trafficPolicy.connectionPool.http.maxRetries\n",
		},
		{
			.id = "V8: the mesh's list beside a rule's outlierDetection",
			.text = pair,
			.second = RULE "    outlierDetection: {}\n",
			.want = "",
		},
		{
			.id = "V8: or beside that of a port",
			.text = pair,
			.second = RULE "    portLevelSettings: [{port: {number: 80}, "
				       "outlierDetection: {}}]\n",
			.want = "",
		},
		{
			.id = "V8: the mesh's list that is off",
			.text = LOCALITY("enabled: false, failover: [{from: a, to: b}]"),
			.want = "warning a:1:47 localityLbSetting.failover\n",
			.says = "no effect: the setting is not enabled",
		},
		{
			.id = "a rule's lists that are off",
			.text = BALANCED("enabled: no, failoverPriority: [kubernetes.io/hostname], "
					 "distribute: [{from: a, to: {b: 100}}]"),
			.want = "warning a:7:71 " AT_LOCALITY ".failoverPriority\n"
				"warning a:7:109 " AT_LOCALITY ".distribute\n",
			.says = "no effect: the setting is not enabled",
		},
		{
			.id = "a zone-aware list that is off",
			.text = "zoneAwareLbSetting: {enabled: false, failover: [{from: a, to: "
				"b}]}\n",
			.want = "warning a:1:48 zoneAwareLbSetting.failover\n",
			.says = "not enabled",
		},
		{
			.id = "distribute decides, so that nothing is ignored for want of a watch",
			.text = BALANCED("distribute: [{from: a, to: {b: 100}}], "
					 "failoverPriority: [kubernetes.io/hostname]"),
			.want = "warning a:7:97 " AT_LOCALITY ".failoverPriority\n",
			.says = "no effect: distribute decides",
		},
		{
			.id = "behind a distribution with a fallback the list does work",
			.text = ANNOTATED LOCALITY("distribute: [{from: a, to: {b: 100}}], "
						   "failover: [{from: a, to: b}]") "    }\n",
			.want = "warning a:7:89 " AT_LOCALITY ".failover\n",
			.says = "works from readiness",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_zone_aware(void **state)
{
	static const struct row rows[] = {
		{
			.id = "zone-aware",
			.text = "zoneAwareLbSetting: {enabled: true, failover: [{from: a, to: a}], "
				"failoverPriority: [topology.kubernetes.io/zone], minClusterSize: "
				"-1, "
				"distribute: []}\n",
			.second = WATCHED,
			.want = "error a:1:62 zoneAwareLbSetting.failover[0].to\n"
				"error a:1:86 zoneAwareLbSetting.failoverPriority[0]\n"
				"error a:1:132 zoneAwareLbSetting.minClusterSize\n"
				"error a:1:136 zoneAwareLbSetting.distribute\n",
			.never = "the own zone by its capacity",
		},
		{
			.id = "zone-aware: what is not weighed",
			.text = "zoneAwareLbSetting: {failover: [{from: a, to: b}]}\n",
			.second = WATCHED,
			.want = "warning a:1:1 zoneAwareLbSetting\n",
			.says = "inside a region the split is even; Envoy would prefer the own "
				"zone by its capacity",
		},
		{
			.id = "zone-aware: by labels that leave zones together",
			.text = "zoneAwareLbSetting: {failoverPriority: "
				"[topology.istio.io/network, "
				"topology.kubernetes.io/zone=z]}\n",
			.second = WATCHED,
			.want = "warning a:1:1 zoneAwareLbSetting\n",
			.says = "endpoints of one priority are equal; Envoy would prefer those of "
				"the own zone by its capacity",
		},
		{
			.id = "zone-aware: the list keeps the own zone apart",
			.text = "zoneAwareLbSetting: {failoverPriority: "
				"[topology.kubernetes.io/region, topology.kubernetes.io/zone]}\n",
			.second = WATCHED,
			.want = "",
		},
		{
			.id = "zone-aware: the size",
			.text = "zoneAwareLbSetting: {enabled: false, minClusterSize: 6}\n",
			.want = "warning a:1:38 zoneAwareLbSetting.minClusterSize\n",
		},
		{
			.id = "both settings in a rule",
			.text = RULE "    loadBalancer: {localityLbSetting: {enabled: true}, "
				     "zoneAwareLbSetting: {enabled: true}}\n",
			.want = "warning a:7:56 "
				"spec.trafficPolicy.loadBalancer.zoneAwareLbSetting\n"
				"error a:7:56 spec.trafficPolicy.loadBalancer.zoneAwareLbSetting\n",
			.says = "a.yaml:7:20) and zoneAwareLbSetting (",
		},
		{
			.id = "both settings in two documents",
			.text = LOCALITY("enabled: true"),
			.second = "zoneAwareLbSetting: {enabled: false}\n",
			.want = "error b:1:1 zoneAwareLbSetting\n",
			.says = "a.yaml:1:1) and zoneAwareLbSetting (",
		},
		{
			.id = "two settings of one balancer",
			.text = LOCALITY("enabled: true") "zoneAwareLbSetting: {enabled: true}\n",
			.want = "warning a:2:1 zoneAwareLbSetting\n"
				"error a:2:1 zoneAwareLbSetting\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distribute),    cmocka_unit_test(test_localities),
		cmocka_unit_test(test_rest_of_a_map), cmocka_unit_test(test_failover_priority),
		cmocka_unit_test(test_last_value),    cmocka_unit_test(test_unwatched),
		cmocka_unit_test(test_zone_aware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
