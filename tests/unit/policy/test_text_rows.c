/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Each field and annotation that the agent honours is in what a service's policy is written out as,
 * where it acts, and not where it does not; and what is written means the same when it is read. */
#include "policy/policy_text.h"

#include "tests/unit/policy/load_text.h"

#define SPEC(annotations, fields)                                                                \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"                            \
	"metadata: {name: r, namespace: default, annotations: {" annotations "}}\nspec: {host: " \
	"reviews, " fields "}\n"
#define A_RULE(annotations, traffic) SPEC(annotations, "trafficPolicy: {" traffic "}")
#define OURS(annotation, traffic)    A_RULE("meridian.dev/" annotation, traffic)
/* Another rule of that host. */
#define AND_SUBSET(annotations, traffic)                                                       \
	"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: s, " \
	"namespace: default, annotations: {" annotations                                       \
	"}}\nspec: {host: reviews, subsets: [{name: "                                          \
	"v2, labels: {v: w}, trafficPolicy: {" traffic "}}]}\n"
#define DETECTION	 "outlierDetection: {}"
#define OUTLIER(fields)	 A_RULE("", "outlierDetection: {" fields "}")
#define POOL(fields)	 A_RULE("", "connectionPool: {" fields "}")
#define BALANCER(fields) A_RULE("", "loadBalancer: {" fields "}")
#define FAILOVER	 "localityLbSetting: {failover: [{from: a, to: b}]}"
#define DISTRIBUTE	 "localityLbSetting: {distribute: [{from: a/*, to: {a: 90, b/z: 10}}]}"
#define BOTH                                                                    \
	"localityLbSetting: {distribute: [{from: a/*, to: {a: 90, b/z: 10}}], " \
	"failover: [{from: a, to: b}]}"

struct row {
	const char *text;
	const char *distribution; /* NULL: none */
	bool stays;
	const char *want[4]; /* each is in it */
	const char *without[3];
};

static const struct row rows[] = {
	/* What nobody wrote. */
	{
		.text = "",
		.want = {"overprovisioning-percent: \"140\"\n    meridian.dev/regions: all\n    "
			 "meridian.dev/unready: count\n    meridian.dev/on-eject: keep\n    "
			 "meridian.dev/rescue: \"on\"\n    meridian.dev/syn-timeout: 0s # by what "
			 "handshakes take\n",
			 "simple: UNSPECIFIED # LEAST_REQUEST\n", "maxRequestsPerConnection: 0\n",
			 "# no outlierDetection: nothing is ejected\n"},
		.without = {"ejection-cap", "fallback", "interval"},
	},
	{
		.text = A_RULE("", DETECTION),
		.want = {"meridian.dev/ejection-cap: regional\n    meridian.dev/max-ejection-time: "
			 "5m0s\n",
			 "consecutive5xxErrors: 5\n      splitExternalLocalOriginErrors: false\n   "
			 "   interval: 10s\n      baseEjectionTime: 30s\n      minHealthPercent: "
			 "0\n"},
		.without = {"maxEjectionPercent", "consecutiveGatewayErrors",
			    "LocalOriginFailures"},
	},
	/* Both lists, which only a fallback reconciles: what would be an error is not written. */
	{
		.text = "metadata: {annotations: {meridian.dev/fallback: next-region}}\n"
			"localityLbSetting: {distribute: [{from: r1, to: {r1: 90, r2: 10}}], "
			"failover: [{from: r1, to: r3}]}\n---\n" OURS(
				"fallback: none", "connectionPool: {tcp: {maxConnections: 5}}"),
		.want = {"distribute:\n", "# failover: no effect beside distribute without a "
					  "fallback\n"},
		.without = {"failover:\n", "fallback: next-region"},
	},
	{
		.text = OURS(
			"fallback: next-region",
			"loadBalancer: {localityLbSetting: {enabled: false, distribute: "
			"[{from: r1, to: {r1: 90, r2: 10}}], failover: [{from: r1, to: r3}]}}"),
		.want = {"fallback: next-region\n", "enabled: false\n"},
	},
	/* Annotations. */
	{.text = OURS("ejection-cap: regional", DETECTION), .want = {"ejection-cap: regional\n"}},
	{.text = OURS("ejection-cap: envoy", DETECTION), .want = {"ejection-cap: envoy\n"}},
	{
		.text = OURS("ejection-cap: always-one", "loadBalancer: {" FAILOVER "}"),
		.want = {"ejection-cap: always-one\n", "failed handshakes alone eject"},
	},
	{
		.text = OURS("ejection-cap: envoy", "outlierDetection: {maxEjectionPercent: 50}"),
		.want = {"maxEjectionPercent: 50\n"},
		.without = {"ejection-cap"},
	},
	{.text = OURS("probation: 20s", DETECTION), .want = {"meridian.dev/probation: 20s\n"}},
	{
		.text = OURS("overprovisioning-percent: '200'", DETECTION),
		.want = {"overprovisioning-percent: \"200\"\n"},
	},
	{
		.text = A_RULE("", "loadBalancer: {" DISTRIBUTE "}"),
		.want = {"meridian.dev/fallback: none\n"},
	},
	{
		.text = OURS("fallback: next-region", "loadBalancer: {" BOTH "}"),
		.want = {"meridian.dev/fallback: next-region\n"},
	},
	{.text = OURS("regions: strict", DETECTION), .want = {"meridian.dev/regions: strict\n"}},
	{.text = OURS("unready: drop", DETECTION), .want = {"meridian.dev/unready: drop\n"}},
	{.text = OURS("on-eject: close", DETECTION), .want = {"meridian.dev/on-eject: close\n"}},
	{.text = OURS("on-eject: reset", DETECTION), .want = {"meridian.dev/on-eject: reset\n"}},
	{
		.text = OURS("syn-timeout: 75ms", DETECTION),
		.want = {"rescue: \"on\"\n    meridian.dev/syn-timeout: 75ms\n"},
	},
	{
		.text = OURS("rescue: 'off'", DETECTION),
		.want = {"meridian.dev/rescue: \"off\"\n"},
		.without = {"syn-timeout"},
	},
	{.text = OURS("warmup: 90s", DETECTION), .want = {"meridian.dev/warmup: 1m30s\n"}},
	{
		.text = OURS("max-ejection-time: 10m", DETECTION),
		.want = {"meridian.dev/max-ejection-time: 10m0s\n"},
	},
	{
		.text = OURS("max-ejection-time-jitter: 1s", DETECTION),
		.want = {"meridian.dev/max-ejection-time-jitter: 1s\n"},
	},
	{
		.text = OURS("success-rate-enforcing: '0'", DETECTION),
		.want = {"success-rate-enforcing: \"0\"\n    "
			 "meridian.dev/success-rate-minimum-hosts: \"5\"\n    "
			 "meridian.dev/success-rate-request-volume: \"100\"\n    "
			 "meridian.dev/success-rate-stdev-factor: \"1900\"\n"},
	},
	{
		.text = OURS("success-rate-minimum-hosts: '3', "
			     "meridian.dev/success-rate-request-volume: '7', "
			     "meridian.dev/success-rate-stdev-factor: '1500'",
			     DETECTION),
		.want = {"success-rate-enforcing: \"100\"\n    "
			 "meridian.dev/success-rate-minimum-hosts: \"3\"\n    "
			 "meridian.dev/success-rate-request-volume: \"7\"\n    "
			 "meridian.dev/success-rate-stdev-factor: \"1500\"\n"},
	},
	{
		.text = OURS("failure-percentage-enforcing: '100'", DETECTION),
		.want = {"failure-percentage-enforcing: \"100\"\n    "
			 "meridian.dev/failure-percentage-threshold: \"85\"\n    "
			 "meridian.dev/failure-percentage-minimum-hosts: \"5\"\n    "
			 "meridian.dev/failure-percentage-request-volume: \"50\"\n"},
	},
	{
		.text = OURS("failure-percentage-threshold: '60', "
			     "meridian.dev/failure-percentage-minimum-hosts: '2', "
			     "meridian.dev/failure-percentage-request-volume: '9'",
			     DETECTION),
		.want = {"failure-percentage-enforcing: \"0\"\n    "
			 "meridian.dev/failure-percentage-threshold: \"60\"\n    "
			 "meridian.dev/failure-percentage-minimum-hosts: \"2\"\n    "
			 "meridian.dev/failure-percentage-request-volume: \"9\"\n"},
	},
	/* For what a subset alone says: without it, that could not be read. */
	{
		.text = SPEC(
			"meridian.dev/fallback: next-region",
			"subsets: [{name: v, labels: {v: w}, trafficPolicy: {loadBalancer: {" BOTH
			"}}}]"),
		.want = {"fallback: next-region\n"},
	},
	{
		.text = SPEC("meridian.dev/fallback: next-region",
			     "trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}, subsets: "
			     "[{name: v, labels: {v: w}, trafficPolicy: {portLevelSettings: "
			     "[{port: {number: 80}, loadBalancer: {" BOTH "}}]}}]"),
		.want = {"annotations:\n    meridian.dev/fallback: next-region\nspec:\n"},
	},
	/* What another rule's subset says has this one's annotations. */
	{
		.text = OURS("max-ejection-time: 10m", DETECTION)
			AND_SUBSET("", "outlierDetection: {interval: 5s}"),
		.want = {"max-ejection-time: 10m0s\n", "- name: \"v2\"", "interval: 5s\n"},
	},
	{
		.text = OURS("max-ejection-time: 10m", DETECTION)
			AND_SUBSET("meridian.dev/max-ejection-time: 7m", DETECTION),
		.want = {"max-ejection-time: 10m0s\n", "- name: \"v2\""},
	},
	{
		.text = OURS("max-ejection-time: 40s", DETECTION)
			AND_SUBSET("", "outlierDetection: {baseEjectionTime: 1m}"),
		.want = {"max-ejection-time: 40s\n",
			 "# subset v2 is left out: its baseEjectionTime is more than "
			 "meridian.dev/max-ejection-time # /tmp/"},
		.without = {"subsets:", "1m0s"},
	},
	{
		.text = OURS("max-ejection-time: 20s",
			     "outlierDetection: {baseEjectionTime: 1s}, "
			     "portLevelSettings: [{port: {number: 80}, "
			     "connectionPool: {tcp: {maxConnections: 1}}}]")
			AND_SUBSET("", "loadBalancer: {" FAILOVER "}"),
		.want = {"max-ejection-time: 20s\n", "# subset v2 is left out"},
		.without = {"subsets:"},
	},
	/* The mesh's, for a service without a rule. */
	{
		.text = "metadata: {annotations: {meridian.dev/regions: strict, "
			"meridian.dev/rescue: 'off'}}\ndefaultTrafficPolicy: {outlierDetection: "
			"{consecutive5xxErrors: 2}}\n",
		.want = {"regions: strict\n", "rescue: \"off\"\n", "ejection-cap: regional\n",
			 "consecutive5xxErrors: 2\n"},
	},
	/* outlierDetection. */
	{.text = OUTLIER("consecutive5xxErrors: 0"), .want = {"consecutive5xxErrors: 0\n"}},
	{.text = OUTLIER("consecutiveGatewayErrors: 2"), .want = {"consecutiveGatewayErrors: 2\n"}},
	{.text = OUTLIER("consecutiveGatewayErrors: 0"), .want = {"consecutiveGatewayErrors: 0\n"}},
	{
		.text = OUTLIER("splitExternalLocalOriginErrors: true"),
		.want = {"splitExternalLocalOriginErrors: true\n      "
			 "consecutiveLocalOriginFailures: 5\n"},
	},
	{
		.text = OUTLIER("splitExternalLocalOriginErrors: true, "
				"consecutiveLocalOriginFailures: 3"),
		.want = {"consecutiveLocalOriginFailures: 3\n"},
	},
	{.text = OUTLIER("interval: 250ms"), .want = {"interval: 250ms\n"}},
	{
		.text = OUTLIER("baseEjectionTime: 400s"),
		.want = {"baseEjectionTime: 6m40s\n", "max-ejection-time: 6m40s\n"},
	},
	{.text = OUTLIER("minHealthPercent: 40"), .want = {"minHealthPercent: 40\n"}},
	{
		.text = OUTLIER("outlierDetectionHttpErrorCodes: [429, 503]"),
		.want = {"outlierDetectionHttpErrorCodes: [429, 503]\n"},
	},
	/* connectionPool. */
	{.text = POOL("tcp: {maxConnections: 7}"), .want = {"maxConnections: 7\n"}},
	{.text = POOL("tcp: {connectTimeout: 2s}"), .want = {"connectTimeout: 2s\n"}},
	{.text = POOL("tcp: {tcpKeepalive: {}}"), .want = {"tcpKeepalive: {}\n"}},
	{
		.text = POOL("tcp: {tcpKeepalive: {probes: 3, time: 60s, interval: 5s}}"),
		.want = {"probes: 3\n          time: 1m0s\n          interval: 5s\n"},
	},
	{.text = POOL("tcp: {maxConnectionDuration: 1h}"), .want = {"maxConnectionDuration: 1h"}},
	{.text = POOL("tcp: {idleTimeout: 0s}"), .want = {"idleTimeout: 0s\n"}},
	{.text = POOL("http: {idleTimeout: 30s}"), .want = {"idleTimeout: 30s\n"}},
	{
		.text = POOL("http: {http1MaxPendingRequests: 2, http2MaxRequests: 3, "
			     "maxRetries: 4, maxConcurrentStreams: 5}"),
		.want = {"http1MaxPendingRequests: 2\n", "http2MaxRequests: 3\n", "maxRetries: 4\n",
			 "maxConcurrentStreams: 5\n"},
	},
	{
		.text = POOL("http: {maxRequestsPerConnection: 1}"),
		.want = {"maxRequestsPerConnection: 1\n"},
	},
	/* loadBalancer. */
	{.text = BALANCER("simple: ROUND_ROBIN"), .want = {"simple: ROUND_ROBIN\n"}},
	{.text = BALANCER("simple: RANDOM"), .want = {"simple: RANDOM\n"}},
	{.text = BALANCER("simple: PASSTHROUGH"),
	 .want = {"simple: PASSTHROUGH # the port is left alone\n"}},
	{.text = BALANCER("consistentHash: {useSourceIp: true}"), .want = {"useSourceIp: true\n"}},
	{
		.text = BALANCER("simple: ROUND_ROBIN, warmup: {duration: 30s}"),
		.want = {"duration: 30s\n        minimumPercent: 10\n        aggression: 1\n"},
	},
	{
		.text = BALANCER("simple: ROUND_ROBIN, warmup: {duration: 30s, minimumPercent: "
				 "12.3456789, aggression: 1.0000000000000002}"),
		.want = {"minimumPercent: 12.3456789\n        aggression: "
			 "1.0000000000000002\n"},
	},
	{
		.text = BALANCER("warmup: {duration: 30s, minimumPercent: 0.1, aggression: 1e300}"),
		.want = {"minimumPercent: 0.1\n        aggression: 1e+300\n"},
	},
	{
		.text = BALANCER("localityLbSetting: {enabled: false}"),
		.want = {"localityLbSetting:", "enabled: false\n"},
	},
	{
		.text = BALANCER(FAILOVER),
		.want = {"enabled: true\n        failover:\n        - from: \"a\"\n          to: "
			 "\"b\"\n",
			 "max-ejection-time: 5m0s\n"},
	},
	{
		.text = BALANCER("localityLbSetting: {failoverPriority: [k, 'l=v']}"),
		.want = {"failoverPriority:\n        - \"k\"\n        - \"l=v\"\n"},
	},
	{
		.text = BALANCER(DISTRIBUTE),
		.want = {"distribute:\n        - from: \"a\"\n          to:\n            \"a\": "
			 "90\n            \"b/z\": 10\n"},
	},
	{
		.text = BALANCER("zoneAwareLbSetting: {minClusterSize: 6}"),
		.want = {"zoneAwareLbSetting:", "minClusterSize: 6\n"},
	},
	/* What the Service says. */
	{
		.text = OUTLIER("minHealthPercent: 40"),
		.distribution = "PreferSameZone",
		.want = {"minHealthPercent: 40 # no effect: with the Service's trafficDistribution "
			 "no region panics\n",
			 "# by the Service's trafficDistribution, PreferSameZone\n"},
	},
	{
		.text = A_RULE("", DETECTION),
		.distribution = "PreferSameZone",
		.want = {"minHealthPercent: 0\n"},
	},
	{
		.text = DISTRIBUTE "\n",
		.distribution = "PreferSameNode",
		.want = {"# by the Service's trafficDistribution, PreferSameNode: the mesh's "
			 "setting has no effect\n"},
		.without = {"localityLbSetting:", "fallback"},
	},
	{
		.text = A_RULE("meridian.dev/fallback: next-region, meridian.dev/regions: strict",
			       DETECTION ", loadBalancer: {" BOTH "}"),
		.stays = true,
		.want = {"# by the Service's internalTrafficPolicy, Local: the locality setting "
			 "has no effect\n",
			 "ejection-cap: regional\n"},
		.without = {"localityLbSetting:", "fallback", "meridian.dev/regions"},
	},
	{
		.text = BALANCER(FAILOVER),
		.stays = true,
		.want = {"# by the Service's internalTrafficPolicy, Local: of the locality setting "
			 "all that acts is that failed handshakes eject\n",
			 "localityLbSetting:", "ejection-cap: regional\n"},
	},
	{
		.text = FAILOVER "\n",
		.distribution = "PreferSameZone",
		.stays = true,
		.want = {"# by the Service's internalTrafficPolicy, Local: the locality setting "
			 "has no effect\n"},
		.without = {"localityLbSetting:", "ejection-cap", "trafficDistribution"},
	},
	{
		.text = "",
		.stays = true,
		.want = {"# by the Service's internalTrafficPolicy, Local\n"},
	},
};

static char *text_of(const struct mrd_policy *policy, const struct row *row)
{
	const uint16_t port = 80;
	const struct mrd_policy_ports ports = {
		.numbers = &port,
		.count = 1,
		.distribution = row->distribution ? row->distribution : "",
		.stays = row->stays,
	};
	struct mrd_strbuf text = {0};

	mrd_policy_text(policy, "default", "reviews", &ports, &text);
	assert_false(text.failed);
	return mrd_strbuf_steal(&text);
}

static void check_words(const struct row *row, const char *text)
{
	for (size_t i = 0; i < sizeof(row->want) / sizeof(*row->want) && row->want[i]; i++)
		if (!strstr(text, row->want[i]))
			fail_msg("\"%s\" is not in\n%s", row->want[i], text);
	for (size_t i = 0; i < sizeof(row->without) / sizeof(*row->without) && row->without[i]; i++)
		if (strstr(text, row->without[i]))
			fail_msg("\"%s\" is in\n%s", row->without[i], text);
}

static void check_rule(const struct mrd_outlier_rule *a, const struct mrd_outlier_rule *b)
{
	assert_int_equal(!a, !b);
	if (!a)
		return;
	assert_int_equal(a->max_ejection_percent, b->max_ejection_percent);
	assert_memory_equal(a, b, sizeof(*a));
}

/* All but places, lists, which test_policy_text.c compares, and what the Service leaves out. */
static void check_same(const struct row *row, const struct mrd_effective *a,
		       const struct mrd_effective *b)
{
	const bool by_service = row->distribution || row->stays;

	check_rule(a->outlier, b->outlier);
	check_rule(mrd_effective_detector(a, row->distribution),
		   mrd_effective_detector(b, row->distribution));
	assert_memory_equal(a->pool, b->pool, sizeof(*a->pool));
	assert_int_equal(a->lb, b->lb);
	assert_int_equal(a->hash_source_ip, b->hash_source_ip);
	assert_memory_equal(&a->warmup, &b->warmup, sizeof(a->warmup));
	assert_int_equal(a->min_health_percent, b->min_health_percent);
	assert_int_equal(a->overprovisioning_percent, b->overprovisioning_percent);
	assert_int_equal(a->unready_drop, b->unready_drop);
	assert_int_equal(a->region_warmup_ms, b->region_warmup_ms);
	assert_int_equal(a->on_eject, b->on_eject);
	assert_int_equal(a->syn_timeout_ms, b->syn_timeout_ms);
	assert_int_equal(a->rescue_off, b->rescue_off);
	if (by_service)
		return;
	assert_int_equal(a->locality_mode, b->locality_mode);
	assert_int_equal(a->fallback_next_region, b->fallback_next_region);
	assert_int_equal(a->regions_strict, b->regions_strict);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mrd_policy *policy = policy_of(rows[i].text);
		char *text = text_of(policy, &rows[i]);
		struct mrd_policy *again = policy_of(text);
		struct mrd_effective a;
		struct mrd_effective b;

		print_message("%zu\n", i);
		check_words(&rows[i], text);
		mrd_policy_effective(policy, "default", "reviews", 80, &a);
		mrd_policy_effective(again, "default", "reviews", 80, &b);
		check_same(&rows[i], &a, &b);
		mrd_policy_free(again);
		free(text);
		mrd_policy_free(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
