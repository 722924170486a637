/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* In which order endpoints are tried, whatever the setting: zones (F12, F14), labels (X1 to X9),
 * the Service's trafficDistribution, hints; strict regions and the fallback of a distribution. */
#include "base/label.h"
#include "draft_case.h"

static struct mrd_failover to_r2[] = {{"r1", "r2"}};
static struct mrd_failover both_ways[] = {{"r2", "r1"}, {"r1", "r2"}};
static struct mrd_failover of_r9[] = {{"r9", "r2"}};
static struct mrd_distribute_to ninety_to[] = {{{"r1", "", ""}, 90}, {{"r2", "", ""}, 10}};
static struct mrd_distribute ninety_rules[] = {{{"r1", "", ""}, ninety_to, COUNT(ninety_to)}};

#define NETWORK                          \
	{                                \
		.key = MRD_LABEL_NETWORK \
	}
#define CLUSTER                          \
	{                                \
		.key = MRD_LABEL_CLUSTER \
	}
#define REGION                          \
	{                               \
		.key = MRD_LABEL_REGION \
	}
#define ZONE                          \
	{                             \
		.key = MRD_LABEL_ZONE \
	}

static struct mrd_failover_label network_cluster[] = {NETWORK, CLUSTER};
static struct mrd_failover_label cluster_network[] = {CLUSTER, NETWORK};
static struct mrd_failover_label key_cluster[] = {{.key = "key"}, CLUSTER};
static struct mrd_failover_label network_n1[] = {{.key = MRD_LABEL_NETWORK, .value = "n1"}};
static struct mrd_failover_label network_region_zone[] = {NETWORK, REGION, ZONE};
static struct mrd_failover_label priority[] = {{.key = "priority"}};
static struct mrd_failover_label version_v2[] = {{.key = "version", .value = "v2"}};
static struct mrd_failover_label of_host[] = {{.key = MRD_LABEL_HOSTNAME}};

#define LABELS(list)                                                               \
	{                                                                          \
		.enabled = true, .priority = (list), .priority_count = COUNT(list) \
	}

static const struct mrd_locality_setting zone_aware = {
	.enabled = true,
	.zone_aware = true,
	.failover = both_ways,
	.failover_count = COUNT(both_ways),
};
static const struct mrd_locality_setting zone_aware_unmatched = {
	.enabled = true,
	.zone_aware = true,
	.failover = of_r9,
	.failover_count = COUNT(of_r9),
};
static const struct mrd_locality_setting pairs = {
	.enabled = true,
	.failover = both_ways,
	.failover_count = COUNT(both_ways),
};
static const struct mrd_locality_setting pairs_unmatched = {
	.enabled = true,
	.failover = of_r9,
	.failover_count = COUNT(of_r9),
};
static const struct mrd_locality_setting off = {.enabled = false};
static const struct mrd_locality_setting x2 = LABELS(network_cluster);
static const struct mrd_locality_setting x3 = LABELS(cluster_network);
static const struct mrd_locality_setting x4 = LABELS(key_cluster);
static const struct mrd_locality_setting x5 = LABELS(network_n1);
static const struct mrd_locality_setting x7 = LABELS(network_region_zone);
static const struct mrd_locality_setting x9 = LABELS(priority);
static const struct mrd_locality_setting v2_first = LABELS(version_v2);
static const struct mrd_locality_setting host_first = LABELS(of_host);
static const struct mrd_locality_setting v2_and_pairs = {
	.enabled = true,
	.priority = version_v2,
	.priority_count = COUNT(version_v2),
	.failover = to_r2,
	.failover_count = COUNT(to_r2),
};
static const struct mrd_locality_setting ninety = {
	.enabled = true,
	.distribute = ninety_rules,
	.distribute_count = COUNT(ninety_rules),
};
static const struct mrd_locality_setting ninety_and_pairs = {
	.enabled = true,
	.distribute = ninety_rules,
	.distribute_count = COUNT(ninety_rules),
	.failover = both_ways,
	.failover_count = COUNT(both_ways),
};
static const struct mrd_locality_setting ninety_and_labels = {
	.enabled = true,
	.distribute = ninety_rules,
	.distribute_count = COUNT(ninety_rules),
	.priority = network_region_zone,
	.priority_count = COUNT(network_region_zone),
};

/* The endpoints that X1 to X6 share: three groups of two, in clusters c1 to c4 of n1 and n2. */
#define SET_S "g1:A@0 g1:A@1%key=a g2:A@2%key=a g2:A@3%key=a g3:A@0%key=a g3:A@1%key=a"

static const struct draft_case zone_cases[] = {
	{
		.name = "F12",
		.world = "r1/z1/s1:A r1/z1/s1:A r1/z1/s2:A r1/z1/s3:A r1/z2:A r2:A r3:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &zone_aware,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1/s1 40.00, 0 r1/z1/s2 20.00, 0 r1/z1/s3 20.00, 0 r1/z2 20.00, "
			"1 r2 0.00, 2 r3 0.00",
	},
	{
		.name = "F14",
		.world = "r1/z1:A r1/z2:A r2:A r3:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &zone_aware,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1 50.00, 0 r1/z2 50.00, 1 r2 0.00, 2 r3 0.00",
	},
	{
		.name = "zone-aware without a pair for this node: all others are one tier",
		.world = "r1/z1:E r2/z1:A r3/z1:AAA",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &zone_aware_unmatched,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1 0.00, 1 r2/z1 25.00, 1 r3/z1 75.00",
	},
	{
		.name = "zone-aware: what is lost in a zone is not made up by its weight",
		.world = "r1/z1:AEEE r1/z2:AAAA r2:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &zone_aware,
		.want_mode = MRD_MODE_FAILOVER,
		/* floor(140 × 5 / 8) = 87, by number of healthy endpoints */
		.want = "0 r1/z1 17.40, 0 r1/z2 69.60, 1 r2 13.00",
	},
};

static const struct draft_case label_cases[] = {
	{
		.name = "X1",
		.world = SET_S,
		.network = "test",
		.cluster = "test",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x2,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 g1 33.33, 0 g2 33.33, 0 g3 33.33",
	},
	{
		.name = "X2",
		.world = SET_S,
		.network = "n1",
		.cluster = "test",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x2,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 g1 33.33, 0 g2 33.33, 0 g3 33.33, 1 g1 0.00, 1 g2 0.00, 1 g3 0.00",
	},
	{
		.name = "X3 (n1, c1): 0,2,1,2,0,2",
		.world = SET_S,
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x2,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 g1 50.00, 0 g3 50.00, 1 g2 0.00, 2 g1 0.00, 2 g2 0.00, 2 g3 0.00",
	},
	{
		.name = "a network that is not the first label is a condition like others",
		.world = SET_S,
		.cluster = "c3",
		.network = "n2",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x3,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 g2 100.00, 1 g1 0.00, 1 g2 0.00, 1 g3 0.00",
	},
	{
		.name = "X4 (key, then cluster)",
		.world = SET_S,
		.label = {"key", "a"},
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x4,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 g3 100.00, 1 g1 0.00, 1 g2 0.00, 1 g3 0.00, 2 g1 0.00",
	},
	{
		.name = "X5",
		.world = SET_S,
		.network = "n2",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x5,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 g1 33.33, 0 g2 33.33, 0 g3 33.33, 1 g1 0.00, 1 g2 0.00, 1 g3 0.00",
	},
	{
		.name = "X7",
		.world = "r1/z1:A@0 r1/z2:A@1 r2/z2:A@2 r3/z3:A@3 r2/z2:A@1 r3/z3:A@0",
		.from = "r2/z2",
		.network = "n1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x7,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r2/z2 100.00, 1 r1/z1 0.00, 1 r3/z3 0.00, 2 r2/z2 0.00, 3 r1/z2 0.00, "
			"3 r3/z3 0.00",
	},
	{
		.name = "X9",
		.world = "foo:A%priority=1 bar:A",
		.label = {"priority", "1"},
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x9,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 foo 100.00, 1 bar 0.00",
	},
	{
		.name = "a label that neither has is equal, as in Istio",
		.world = "foo:A%priority=1 bar:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x9,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 bar 100.00, 1 foo 0.00",
	},
	{
		.name = "a pod's own network goes before its cluster's",
		.world = "r1:A@0%topology.istio.io/network=n7 r1:A@1",
		.network = "n7",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &x2,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 100.00, 1 r1 0.00",
	},
	{
		.name = "the host name is the node's label, or else its name",
		.world = "r1:A#n1$kubernetes.io/hostname=node-a r2:A#node-a r3:A#node-b",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &host_first,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 50.00, 0 r2 50.00, 1 r3 0.00",
	},
	{
		.name = "labels before places, if both are listed",
		.world = "r1:A%version=v1 r2:A%version=v2 r3:A%version=v2 r3:A%version=v1",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &v2_and_pairs,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r2 100.00, 1 r3 0.00, 2 r1 0.00, 3 r3 0.00",
	},
	{
		.name = "labels alone: places do not count, but localities weigh by health",
		.world = "r1:A%version=v2 r2:AEE%version=v2 r3:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &v2_first,
		.want_mode = MRD_MODE_FAILOVER,
		/* floor(140 × 2 / 4) = 70; 1 and 3 × 1.4 / 3 */
		.want = "0 r1 29.17, 0 r2 40.83, 1 r3 30.00",
	},
	{
		.name = "one locality whose better tier is going away is one hop",
		.world = "r1:D%version=v2 r1:A r2:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &v2_first,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 50.00, 0 r2 50.00",
	},
};

static const struct draft_case service_cases[] = {
	{
		.name = "PreferClose: network, region, zone, without outlier detection",
		.world = "r1/z1:A@0 r1/z2:A@0 r2:A@2 r2:A@1",
		.from = "r1/z1",
		.distribution = MRD_DISTRIBUTION_SAME_ZONE,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1 100.00, 1 r1/z2 0.00, 2 r2 0.00, 3 r2 0.00",
	},
	{
		.name = "PreferSameNode: then subzone and host",
		.world = "r1/z1/s1:A#node-a r1/z1/s1:A#node-b r1/z1/s2:A r1/z2:A",
		.distribution = MRD_DISTRIBUTION_SAME_NODE,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1/s1 100.00, 1 r1/z1/s1 0.00, 2 r1/z1/s2 0.00, 3 r1/z2 0.00",
	},
	{
		.name = "trafficDistribution goes before the mesh's setting",
		.world = "r1/z1:A r1/z2:A r2:A@2",
		.from = "r1/z1",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.origin = MRD_ORIGIN_MESH,
		.distribution = MRD_DISTRIBUTION_SAME_ZONE,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1 100.00, 1 r1/z2 0.00, 2 r2 0.00",
	},
	{
		.name = "a rule's setting goes before trafficDistribution",
		.world = "r1/z1:A r2:A@2",
		.from = "r1/z1",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.origin = MRD_ORIGIN_RULE,
		.distribution = MRD_DISTRIBUTION_SAME_ZONE,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1/z1 90.00, 0 r2 10.00",
	},
	{
		.name = "so does one that is switched off",
		.world = "r1/z1:A r2:A",
		.setting = &off,
		.origin = MRD_ORIGIN_RULE,
		.distribution = MRD_DISTRIBUTION_SAME_ZONE,
		.want = "0 r1/z1 50.00, 0 r2 50.00",
	},
	{
		.name = "with trafficDistribution nobody panics",
		.world = "r1/z1:AEEE r1/z2:UUUE",
		.from = "r1/z1",
		.distribution = MRD_DISTRIBUTION_SAME_ZONE,
		.panic_percent = 50,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1 100.00, 1 r1/z2 0.00",
	},
	{
		.name = "nor where a rule's setting goes before it",
		.world = "r1/z1:AEEE r2:EE",
		.from = "r1/z1",
		.setting = &off,
		.origin = MRD_ORIGIN_RULE,
		.distribution = MRD_DISTRIBUTION_SAME_ZONE,
		.panic_percent = 50,
		.want = "0 r1/z1 100.00, 0 r2 0.00",
	},
	{
		.name = "zone hints for this node's zone",
		.world = "r1/z1:A~z1 r1/z1:A~z2 r1/z2:A~z1~z2 r2:A@1~z9",
		.want = "0 r1/z1 50.00, 0 r1/z2 50.00",
	},
	{
		.name = "a ready endpoint without a hint: none are followed",
		.world = "r1/z1:A~z1 r2:A@1",
		.want = "0 r1/z1 50.00, 0 r2 50.00",
	},
	{
		.name = "an unready one needs none",
		.world = "r1/z1:A~z1 r1/z2:A~z2 r1/z3:U",
		.want = "0 r1/z1 100.00",
	},
	{
		.name = "no hint for this zone: none are followed",
		.world = "r1/z2:A~z2 r2:A@1~z9",
		.want = "0 r1/z2 50.00, 0 r2 50.00",
	},
	{
		.name = "the only fitting endpoint is ejected: none are followed",
		.world = "r1/z1:E~z1 r1/z2:A~z2",
		.want = "0 r1/z1 0.00, 0 r1/z2 100.00",
	},
	{
		.name = "hints for nodes go before those for zones, in the node's cluster",
		.world = "r1/z1:A~z1^node-a r1/z1:A~z1^node-b r2:A@1~z1^node-a",
		.want = "0 r1/z1 100.00",
	},
	{
		.name = "a local service: hints on another cluster's endpoints are not for us",
		.world = "r1/z1:A~z1 r1/z2:A~z2 r2/z5:A@1~z5",
		.from = "r1/z5",
		.cluster_local = true,
		.want = "0 r1/z1 50.00, 0 r1/z2 50.00",
	},
	{
		.name = "nor does another cluster's endpoint without one switch ours off",
		.world = "r1/z1:A~z1 r1/z2:A~z2 r2/z5:A@1",
		.cluster_local = true,
		.want = "0 r1/z1 100.00",
	},
	{
		.name = "strict: hints on another region's endpoints are not for us",
		.world = "r1/z1:A~z1 r1/z2:A~z2 r2/z5:A@1~z5",
		.from = "r1/z5",
		.strict = true,
		.want = "0 r1/z1 50.00, 0 r1/z2 50.00",
	},
	{
		.name = "strict: another region's endpoint without one does not switch ours off",
		.world = "r1/z1:A~z1 r1/z2:A~z2 r2/z5:A@1",
		.strict = true,
		.want = "0 r1/z1 100.00",
	},
	{
		.name = "hints for nodes too: only endpoints that could be in the route are asked",
		.world = "r1/z1:A^node-a r1/z2:A^node-b r2:A@1",
		.cluster_local = true,
		.want = "0 r1/z1 100.00",
	},
	{
		.name = "where a setting speaks, hints do not",
		.world = "r1/z1:A~z1 r2:A@1~z2",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1/z1 100.00, 1 r2 0.00",
	},
	{
		.name = "nor if it is switched off",
		.world = "r1/z1:A~z1 r2:A@1~z2",
		.setting = &off,
		.want = "0 r1/z1 50.00, 0 r2 50.00",
	},
};

static const struct draft_case our_cases[] = {
	{
		.name = "strict: own region and the pair's",
		.world = "r1:E r2:A r3:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &pairs,
		.strict = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 1 r2 100.00",
	},
	{
		.name = "strict: no other region even as the last resort",
		.world = "r1:E r2:E r3:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &pairs,
		.strict = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 1 r2 0.00",
	},
	{
		.name = "strict without a pair for this node: own region alone",
		.world = "r1:A r2:A r3:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &pairs_unmatched,
		.strict = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 100.00",
	},
	{
		.name = "strict changes nothing about a distribution",
		.world = "r1:A r2:A r3:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.strict = true,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 90.00, 0 r2 10.00",
	},
	{
		.name = "strict where no rule of the distribution is for this node: own region "
			"alone",
		.world = "r1:A r2:A r3:A",
		.from = "r3",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.strict = true,
		.want = "0 r3 100.00",
	},
	{
		.name = "strict, the fallback, and no rule for this node: the pair's beside its "
			"own",
		.world = "r1:A r2:E r3:A",
		.from = "r2",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety_and_pairs,
		.fallback = true,
		.strict = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r2 0.00, 1 r1 100.00",
	},
	{
		.name = "strict and a pool",
		.world = "r1:A r2:A",
		.strict = true,
		.want = "0 r1 100.00",
	},
	{
		.name = "fallback: all is well",
		.world = "r1:AAAA r2:A r3:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.fallback = true,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 90.00, 0 r2 10.00, 1 r3 0.00",
	},
	{
		.name = "fallback: what the listed ones cannot carry goes on",
		.world = "r1:EEEE r2:A r3:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.fallback = true,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 0.00, 0 r2 28.00, 1 r3 72.00",
	},
	{
		.name = "fallback: nobody of the listed is left",
		.world = "r1:EEEE r2:E r3:AA r4:A",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.fallback = true,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 0.00, 0 r2 0.00, 1 r3 66.67, 1 r4 33.33",
	},
	{
		.name = "without it they are refused",
		.world = "r1:EEEE r2:E r3:AA",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.want_mode = MRD_MODE_DISTRIBUTE,
		.want = "0 r1 0.00, 0 r2 0.00",
	},
	{
		.name = "fallback on a node that no rule speaks to: the pairs beside them hold",
		.world = "r1:A r2:E r3:A",
		.from = "r2",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety_and_pairs,
		.fallback = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r2 0.00, 1 r1 100.00, 2 r3 0.00",
	},
	{
		.name = "fallback on such a node: a list of labels beside them holds, too",
		.world = "r1:A r2:A r3:A",
		.from = "r2",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety_and_labels,
		.fallback = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r2 100.00, 1 r1 0.00, 1 r3 0.00",
	},
	{
		.name = "fallback on such a node: outlierDetection alone asks for failover",
		.world = "r1:A r2:A r3:A",
		.from = "r2",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.fallback = true,
		.outlier = MRD_ORIGIN_RULE,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r2 100.00, 1 r1 0.00, 1 r3 0.00",
	},
	{
		.name = "nothing asks for it: one pool",
		.world = "r1:A r2:A",
		.from = "r2",
		.mode = MRD_LOCALITY_DISTRIBUTE,
		.setting = &ninety,
		.fallback = true,
		.want = "0 r1 50.00, 0 r2 50.00",
	},
	{
		.name = "unready endpoints dropped: they are no loss",
		.world = "r1:AUUU r2:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.unready_drop = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 100.00, 1 r2 0.00",
	},
	{
		.name = "unready endpoints dropped: a tier of them is none",
		.world = "r1:UU r2:AE r3:A",
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &pairs,
		.unready_drop = true,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 0 r2 70.00, 1 r3 30.00",
	},
	{
		.name = "one healthy endpoint of many is too little for Envoy, but is there",
		.world = "r1:EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE"
			 "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE"
			 "EEEEEEEEEE r2:UUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUU"
			 "UUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUU"
			 "UUUUUUUUUUUUUUUUUUUUUUUUUUUA",
		.from = "r1",
		.mode = MRD_LOCALITY_FAILOVER,
		.want_mode = MRD_MODE_FAILOVER,
		.want = "0 r1 0.00, 1 r2 100.00",
	},
};

static void zones_as_the_case_says(void **state)
{
	(void)state;
	draft_check(zone_cases, COUNT(zone_cases));
}

static void labels_as_the_case_says(void **state)
{
	(void)state;
	draft_check(label_cases, COUNT(label_cases));
}

static void services_as_the_case_says(void **state)
{
	(void)state;
	draft_check(service_cases, COUNT(service_cases));
}

static void ours_as_the_case_says(void **state)
{
	(void)state;
	draft_check(our_cases, COUNT(our_cases));
}

/* Every endpoint a tier of its own: a route has no room for that many priorities. */
static void joins_priorities_at_last(void **state)
{
	static struct mrd_failover_label labels[24];
	static char keys[COUNT(labels)][8];
	const struct mrd_locality_setting setting = LABELS(labels);
	const struct draft_case c = {
		.mode = MRD_LOCALITY_FAILOVER,
		.setting = &setting,
	};
	struct mrd_strbuf text = {0};
	struct mrd_draft draft;
	struct world *world;
	double sum = 0;
	size_t in_hops = 0;

	(void)state;
	/* The i-th endpoint differs from the node in the i-th label. */
	for (size_t i = 0; i < COUNT(labels); i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		labels[i].key = keys[i];
		mrd_strbuf_addf(&text, "r%zu:%s%%k%zu=x ", i % 5, i == 20 ? "A" : "E", i);
	}
	world = world_new(text.text);
	draft_of(&c, world, &draft);
	assert_true(draft.joined);
	assert_int_equal(draft.hop_count, MRD_HOPS_MAX);
	for (size_t i = 0; i < draft.hop_count; i++) {
		sum += draft.hops[i].share;
		in_hops += draft.hops[i].count;
		if (draft.hops[i].share > 0) /* the one that is healthy: alone, where it was */
			assert_int_equal(draft.hops[i].count, 1);
	}
	assert_true(sum > 0.999999 && sum < 1.000001);
	assert_int_equal(in_hops, COUNT(labels));
	mrd_draft_free(&draft);
	world_free(world);
	mrd_strbuf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_as_the_case_says),
		cmocka_unit_test(labels_as_the_case_says),
		cmocka_unit_test(services_as_the_case_says),
		cmocka_unit_test(ours_as_the_case_says),
		cmocka_unit_test(joins_priorities_at_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
