/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which settings hold for a service. */
#include "policy/policy.h"

#include "tests/unit/policy/load_text.h"

#define OBJECT(namespace_, name)               \
	"apiVersion: networking.istio.io/v1\n" \
	"kind: DestinationRule\n"              \
	"metadata: {name: " name ", namespace: " namespace_ "}\n"
#define SPEC(host, policy) "spec: {host: '" host "', trafficPolicy: {" policy "}}\n"
#define NEXT		   "---\n"
#define OUTLIER		   "outlierDetection: {}"
#define LOCALITY(inside)   "loadBalancer: {localityLbSetting: {" inside "}}"
#define FAILOVER	   "failover: [{from: r1, to: r2}]"
#define DISTRIBUTE	   "distribute: [{from: r1, to: {r1: 90, r2: 10}}]"
#define MESH(inside)	   "localityLbSetting: {" inside "}\n"

static struct mrd_effective effective(const struct mrd_policy *policy, const char *service)
{
	/* "name" or "namespace/name" */
	const char *slash = strchr(service, '/');
	char namespace_[64] = "default";
	struct mrd_effective got;

	if (slash)
		snprintf(namespace_, sizeof(namespace_), "%.*s", (int)(slash - service), service);
	mrd_policy_effective(policy, namespace_, slash ? slash + 1 : service, 80, &got);
	return got;
}

static void test_which_rule(void **state)
{
	static const struct {
		const char *id;
		const char *text;
		const char *service;
		const char *want;
	} cases[] = {
		{
			.id = "short host",
			.text = OBJECT("default", "a") SPEC("reviews", OUTLIER),
			.service = "reviews",
			.want = "default/a",
		},
		{
			.id = "short host is of the rule's namespace",
			.text = OBJECT("shop", "a") SPEC("reviews", OUTLIER),
			.service = "reviews",
			.want = "",
		},
		{
			.id = "full host",
			.text = OBJECT("shop", "a") SPEC("cart.shop.svc.cluster.local", OUTLIER),
			.service = "shop/cart",
			.want = "shop/a",
		},
		{
			.id = "no namespace is default",
			.text = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, "
				"metadata: {name: a}, spec: {host: reviews}}\n",
			.service = "reviews",
			.want = "default/a",
		},
		{
			.id = "a rule of another namespace does not hold",
			.text = OBJECT("other", "a") SPEC("cart.shop.svc.cluster.local", OUTLIER),
			.service = "shop/cart",
			.want = "",
		},
		{
			.id = "K9: the root namespace comes last",
			.text = OBJECT("istio-system", "root") SPEC("*.svc.cluster.local", OUTLIER),
			.service = "shop/cart",
			.want = "istio-system/root",
		},
		{
			.id = "K1: the service's namespace comes first, however unspecific",
			.text = OBJECT("istio-system", "root")
				SPEC("cart.shop.svc.cluster.local", OUTLIER)
					NEXT OBJECT("shop", "own") SPEC("*", OUTLIER),
			.service = "shop/cart",
			.want = "shop/own",
		},
		{
			.id = "H9: exact before wildcard",
			.text = OBJECT("default", "wild")
				SPEC("*.default.svc.cluster.local", OUTLIER)
					NEXT OBJECT("default", "exact") SPEC("reviews", OUTLIER),
			.service = "reviews",
			.want = "default/exact",
		},
		{
			.id = "K12: the longest wildcard",
			.text = OBJECT("istio-system", "any") SPEC("*", OUTLIER) NEXT OBJECT(
				"istio-system", "shop") SPEC("*.shop.svc.cluster.local", OUTLIER)
				NEXT OBJECT("istio-system", "svc")
					SPEC("*.svc.cluster.local", OUTLIER),
			.service = "shop/cart",
			.want = "istio-system/shop",
		},
		{
			.id = "the first trafficPolicy of a host wins",
			.text = OBJECT("default", "a") SPEC("reviews", OUTLIER) NEXT OBJECT(
				"default", "b") SPEC("reviews.default.svc.cluster.local", OUTLIER),
			.service = "reviews",
			.want = "default/a",
		},
		{
			.id = "B1: a rule without one leaves it to the next",
			.text = OBJECT("default", "a") "spec: {host: reviews}\n" NEXT OBJECT(
				"default", "b") SPEC("reviews", OUTLIER),
			.service = "reviews",
			.want = "default/b",
		},
		{
			.id = "the same with wildcards",
			.text = OBJECT("default", "a") "spec: {host: '*'}\n" NEXT OBJECT(
				"default", "b") SPEC("*", OUTLIER),
			.service = "reviews",
			.want = "default/b",
		},
		{
			.id = "kind: List",
			.text = "apiVersion: v1\nkind: List\nitems:\n"
				"- apiVersion: networking.istio.io/v1beta1\n"
				"  kind: DestinationRule\n"
				"  metadata: {name: a}\n"
				"  spec: {host: reviews}\n"
				"- apiVersion: networking.istio.io/v1alpha3\n"
				"  kind: DestinationRule\n"
				"  metadata: {name: b}\n"
				"  spec: {host: ratings}\n",
			.service = "ratings",
			.want = "default/b",
		},
		{
			.id = "JSON",
			.text = "{\"apiVersion\": \"networking.istio.io/v1\","
				"\"kind\": \"DestinationRule\", \"metadata\": {\"name\": \"a\"},"
				"\"spec\": {\"host\": \"reviews\"}}",
			.service = "reviews",
			.want = "default/a",
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_policy *policy = policy_of(cases[i].text);

		print_message("%s\n", cases[i].id);
		assert_string_equal(effective(policy, cases[i].service).rule, cases[i].want);
		mrd_policy_free(policy);
	}
}

static void test_locality_mode(void **state)
{
	static const struct {
		const char *id;
		const char *text;
		enum mrd_locality_mode want;
		bool zone_aware;
	} cases[] = {
		{.id = "V14, F7: nothing", .text = "", .want = MRD_LOCALITY_NONE},
		{
			.id = "F2: outlierDetection alone",
			.text = OBJECT("default", "a") SPEC("reviews", OUTLIER),
			.want = MRD_LOCALITY_FAILOVER,
		},
		{
			.id = "F4: enabled: false",
			.text = OBJECT("default", "a")
				SPEC("reviews", OUTLIER ", " LOCALITY("enabled: false")),
			.want = MRD_LOCALITY_NONE,
		},
		{
			.id = "enabled: false beats its own lists",
			.text = OBJECT("default", "a")
				SPEC("reviews", LOCALITY("enabled: false, " FAILOVER)),
			.want = MRD_LOCALITY_NONE,
		},
		{
			.id = "F5: an empty list with outlierDetection",
			.text = OBJECT("default", "a")
				SPEC("reviews", OUTLIER ", " LOCALITY("failover: []")),
			.want = MRD_LOCALITY_FAILOVER,
		},
		{
			.id = "an empty list without",
			.text = OBJECT("default", "a") SPEC("reviews", LOCALITY("failover: []")),
			.want = MRD_LOCALITY_NONE,
		},
		{
			.id = "enabled: true alone",
			.text = OBJECT("default", "a") SPEC("reviews", LOCALITY("enabled: true")),
			.want = MRD_LOCALITY_NONE,
		},
		{
			.id = "a list without outlierDetection",
			.text = OBJECT("default", "a") SPEC("reviews", LOCALITY(FAILOVER)),
			.want = MRD_LOCALITY_FAILOVER,
		},
		{
			.id = "distribute needs none",
			.text = OBJECT("default", "a") SPEC("reviews", LOCALITY(DISTRIBUTE)),
			.want = MRD_LOCALITY_DISTRIBUTE,
		},
		{
			.id = "distribute with outlierDetection",
			.text = OBJECT("default", "a")
				SPEC("reviews", OUTLIER ", " LOCALITY(DISTRIBUTE)),
			.want = MRD_LOCALITY_DISTRIBUTE,
		},
		{.id = "W3: the mesh", .text = MESH(DISTRIBUTE), .want = MRD_LOCALITY_DISTRIBUTE},
		{
			.id = "W1: the rule replaces the mesh",
			.text = MESH(DISTRIBUTE) NEXT OBJECT("default", "a")
				SPEC("reviews", LOCALITY(FAILOVER)),
			.want = MRD_LOCALITY_FAILOVER,
		},
		{
			.id = "W1: whole, also by an empty block",
			.text = MESH(DISTRIBUTE) NEXT OBJECT("default", "a")
				SPEC("reviews", LOCALITY("")),
			.want = MRD_LOCALITY_NONE,
		},
		{
			.id = "W5: the rule's zone-aware setting replaces the mesh's locality",
			.text = MESH(DISTRIBUTE) NEXT OBJECT("default", "a")
				SPEC("reviews", "loadBalancer: {zoneAwareLbSetting: {failover: "
						"[{from: a, to: b}]}}"),
			.want = MRD_LOCALITY_FAILOVER,
			.zone_aware = true,
		},
		{
			.id = "a rule of another block leaves the mesh's",
			.text = OBJECT("default", "a") SPEC("reviews", OUTLIER)
				NEXT MESH(DISTRIBUTE),
			.want = MRD_LOCALITY_DISTRIBUTE,
		},
		{
			.id = "the mesh's outlierDetection",
			.text = "defaultTrafficPolicy: {outlierDetection: {}}\n",
			.want = MRD_LOCALITY_FAILOVER,
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_policy *policy = policy_of(cases[i].text);
		struct mrd_effective got;

		print_message("%s\n", cases[i].id);
		got = effective(policy, "reviews");
		assert_int_equal(got.locality_mode, cases[i].want);
		assert_int_equal(got.locality && got.locality->zone_aware, cases[i].zone_aware);
		if (got.outlier || cases[i].want != MRD_LOCALITY_FAILOVER)
			assert_ptr_equal(got.detector, got.outlier);
		else
			assert_true(got.detector && got.detector->split_local_origin &&
				    !got.detector->consecutive_5xx && got.detector->gateway_off);
		mrd_policy_free(policy);
	}
}

static void test_locality_values(void **state)
{
	struct mrd_policy *policy =
		policy_of(OBJECT("default", "a") SPEC("reviews", LOCALITY(FAILOVER)) NEXT MESH(
			"distribute: [{from: cn-hangzhou/*, to: {\"cn-hangzhou/*\": \"90\", "
			"\"cn-shanghai/b/s\": 10}}, {from: '*', to: {'*': 100}}]"));
	const struct mrd_locality_setting *got = effective(policy, "reviews").locality;

	(void)state;
	assert_int_equal(got->failover_count, 1);
	assert_string_equal(got->failover[0].from, "r1");
	assert_string_equal(got->failover[0].to, "r2");
	assert_true(got->enabled);

	got = effective(policy, "ratings").locality;
	assert_int_equal(got->distribute_count, 2);
	assert_string_equal(got->distribute[0].from.region, "cn-hangzhou");
	assert_string_equal(got->distribute[0].from.zone, "");
	assert_int_equal(got->distribute[0].to_count, 2);
	assert_int_equal(got->distribute[0].to[0].weight, 90);
	assert_string_equal(got->distribute[0].to[1].to.subzone, "s");
	assert_string_equal(got->distribute[1].from.region, "");
	assert_int_equal(got->distribute[1].to[0].weight, 100);
	mrd_policy_free(policy);
}

static void test_outlier_values(void **state)
{
	struct expect {
		uint32_t five_xx, gateway, local;
		uint64_t interval_ms, base_ms, max_ms;
		enum mrd_ejection_cap cap;
		uint32_t percent, min_health;
		bool gateway_off, split;
	};
	static const struct {
		const char *id;
		const char *inside;
		struct expect want;
	} cases[] = {
		{
			.id = "A2",
			.inside = "",
			.want = {5, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "A3",
			.inside = "consecutive5xxErrors: 4, consecutiveGatewayErrors: 3",
			.want = {4, 3, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "A5",
			.inside = "consecutive5xxErrors: 3",
			.want = {3, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "A6",
			.inside = "consecutiveGatewayErrors: 0",
			.want = {5, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, true,
				 false},
		},
		{
			.id = "A7",
			.inside = "consecutive5xxErrors: 0",
			.want = {0, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "A9",
			.inside = "minHealthPercent: 10",
			.want = {5, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 10, false,
				 false},
		},
		{
			.id = "the guide's sample",
			.inside = "consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m",
			.want = {1, 0, 5, 1000, 60000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "V19",
			.inside = "interval: 2s, baseEjectionTime: 2s, maxEjectionPercent: 50",
			.want = {5, 0, 5, 2000, 2000, 300000, MRD_CAP_PERCENT, 50, 0, false, false},
		},
		{
			.id = "T7: a base above 300 s",
			.inside = "baseEjectionTime: 1h30m, interval: '500ms'",
			.want = {5, 0, 5, 500, 5400000, 5400000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "whole numbers with a point and with an exponent",
			.inside = "maxEjectionPercent: '0', consecutive5xxErrors: 0.7e1",
			.want = {7, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "0 percent is not given; numbers in quotes",
			.inside = "maxEjectionPercent: 0, consecutive5xxErrors: '7'",
			.want = {7, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 false},
		},
		{
			.id = "split",
			.inside = "splitExternalLocalOriginErrors: true, "
				  "consecutiveLocalOriginFailures: 2",
			.want = {5, 0, 2, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 true},
		},
		{
			.id = "0 local-origin failures are not given",
			.inside = "splitExternalLocalOriginErrors: true, "
				  "consecutiveLocalOriginFailures: 0",
			.want = {5, 0, 5, 10000, 30000, 300000, MRD_CAP_REGIONAL, 0, 0, false,
				 true},
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[512];
		struct mrd_policy *policy;
		struct mrd_effective got;
		struct expect is;

		snprintf(text, sizeof(text),
			 "%sspec: {host: reviews, trafficPolicy: "
			 "{outlierDetection: {%s}}}\n",
			 OBJECT("default", "a"), cases[i].inside);
		policy = policy_of(text);
		got = effective(policy, "reviews");
		print_message("%s\n", cases[i].id);
		assert_non_null(got.outlier);
		is = (struct expect){
			.five_xx = got.outlier->consecutive_5xx,
			.gateway = got.outlier->consecutive_gateway,
			.local = got.outlier->consecutive_local_origin,
			.interval_ms = got.outlier->interval_ms,
			.base_ms = got.outlier->base_ejection_ms,
			.max_ms = got.outlier->max_ejection_ms,
			.cap = got.outlier->cap,
			.percent = got.outlier->max_ejection_percent,
			.min_health = got.min_health_percent,
			.gateway_off = got.outlier->gateway_off,
			.split = got.outlier->split_local_origin,
		};
		assert_int_equal(is.five_xx, cases[i].want.five_xx);
		assert_int_equal(is.gateway, cases[i].want.gateway);
		assert_int_equal(is.local, cases[i].want.local);
		assert_int_equal(is.interval_ms, cases[i].want.interval_ms);
		assert_int_equal(is.base_ms, cases[i].want.base_ms);
		assert_int_equal(is.max_ms, cases[i].want.max_ms);
		assert_int_equal(is.cap, cases[i].want.cap);
		assert_int_equal(is.percent, cases[i].want.percent);
		assert_int_equal(is.min_health, cases[i].want.min_health);
		assert_int_equal(is.gateway_off, cases[i].want.gateway_off);
		assert_int_equal(is.split, cases[i].want.split);
		mrd_policy_free(policy);
	}
}

static void test_no_outlier(void **state)
{
	static const struct {
		const char *id;
		const char *text;
		bool want;
	} cases[] = {
		{.id = "A1: no outlierDetection",
		 .text = OBJECT("default", "a") SPEC("reviews", "loadBalancer: {}")},
		{.id = "A1: no rule", .text = ""},
		{.id = "A1: a rule for another host",
		 .text = OBJECT("default", "a") SPEC("ratings", OUTLIER)},
		{.id = "A1: null is none",
		 .text = OBJECT("default", "a")
			 SPEC("reviews", "outlierDetection: null, loadBalancer: {}")},
		{.id = "A2: {}",
		 .text = OBJECT("default", "a") SPEC("reviews", "outlierDetection: {}"),
		 .want = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_policy *policy = policy_of(cases[i].text);

		print_message("%s\n", cases[i].id);
		assert_int_equal(effective(policy, "reviews").outlier != NULL, cases[i].want);
		assert_int_equal(effective(policy, "reviews").detector != NULL, cases[i].want);
		mrd_policy_free(policy);
	}
}

static void test_defaults(void **state)
{
	struct mrd_policy *policy =
		policy_of(OBJECT("default", "a") SPEC("reviews", "loadBalancer: {simple: RANDOM}"));
	const struct mrd_effective got = effective(policy, "reviews");

	(void)state;
	assert_null(got.locality);
	assert_int_equal(got.lb, MRD_LB_RANDOM);
	assert_int_equal(got.min_health_percent, 0);
	assert_int_equal(got.overprovisioning_percent, 140);
	assert_int_equal(mrd_policy_rule_count(policy), 1);
	mrd_policy_free(policy);
}

static void test_simple(void **state)
{
	static const struct {
		const char *word;
		enum mrd_lb want;
	} cases[] = {
		{.word = "UNSPECIFIED", .want = MRD_LB_LEAST_REQUEST},
		{.word = "LEAST_REQUEST", .want = MRD_LB_LEAST_REQUEST},
		{.word = "LEAST_CONN", .want = MRD_LB_LEAST_REQUEST},
		{.word = "ROUND_ROBIN", .want = MRD_LB_ROUND_ROBIN},
		{.word = "RANDOM", .want = MRD_LB_RANDOM},
		{.word = "PASSTHROUGH", .want = MRD_LB_PASSTHROUGH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		struct mrd_policy *policy;

		snprintf(text, sizeof(text), "%s    loadBalancer: {simple: %s}\n", RULE,
			 cases[i].word);
		policy = policy_of(text);
		print_message("%s\n", cases[i].word);
		assert_int_equal(effective(policy, "reviews").lb, cases[i].want);
		mrd_policy_free(policy);
	}
}

/* A rule's own annotation before the mesh's; maxEjectionPercent before both. */
static void test_annotations(void **state)
{
	struct mrd_policy *policy = policy_of(
		"metadata: {annotations: {meridian.dev/ejection-cap: envoy, "
		"meridian.dev/probation: 10s, meridian.dev/overprovisioning-percent: '200'}}\n"
		"defaultTrafficPolicy: {outlierDetection: {consecutive5xxErrors: 9}}\n" NEXT
		"apiVersion: networking.istio.io/v1\n"
		"kind: DestinationRule\n"
		"metadata: {name: own, annotations: {meridian.dev/ejection-cap: always-one, "
		"meridian.dev/probation: 30s, meridian.dev/overprovisioning-percent: '300', "
		"other.example/x: y}}\n"
		"spec: {host: own}\n" NEXT OBJECT("default", "percent")
			SPEC("percent", "outlierDetection: {maxEjectionPercent: 7}")
				NEXT OBJECT("default", "plain") SPEC("plain", OUTLIER));
	struct mrd_effective got = effective(policy, "own");

	(void)state;
	assert_int_equal(got.outlier->consecutive_5xx, 9);
	assert_int_equal(got.outlier->cap, MRD_CAP_ALWAYS_ONE);
	assert_int_equal(got.outlier->probation_ms, 30000);
	assert_int_equal(got.overprovisioning_percent, 300);

	got = effective(policy, "percent");
	assert_int_equal(got.outlier->cap, MRD_CAP_PERCENT);
	assert_int_equal(got.outlier->max_ejection_percent, 7);
	assert_int_equal(got.outlier->probation_ms, 10000);

	got = effective(policy, "plain");
	assert_int_equal(got.outlier->consecutive_5xx, 5);
	assert_int_equal(got.outlier->cap, MRD_CAP_ENVOY);
	assert_int_equal(got.overprovisioning_percent, 200);

	got = effective(policy, "nobody");
	assert_string_equal(got.rule, "");
	assert_int_equal(got.outlier->consecutive_5xx, 9);
	assert_int_equal(got.outlier->cap, MRD_CAP_ENVOY);
	assert_int_equal(got.outlier->probation_ms, 10000);
	mrd_policy_free(policy);
}

static void test_cluster_local(void **state)
{
	static const struct {
		const char *id;
		const char *text;
		const char *service;
		bool want;
	} cases[] = {
		{.id = "API", .text = "", .service = "kubernetes", .want = true},
		{.id = "DNS", .text = "", .service = "kube-system/kube-dns", .want = true},
		{.id = "others", .text = "", .service = "reviews", .want = false},
		{.id = "namesake", .text = "", .service = "shop/kubernetes", .want = false},
		{
			.id = "by wildcard",
			.text = "serviceSettings: [{settings: {clusterLocal: true}, "
				"hosts: ['*.shop.svc.cluster.local']}]\n",
			.service = "shop/cart",
			.want = true,
		},
		{
			.id = "with a dot at the end",
			.text = "serviceSettings: [{settings: {clusterLocal: true}, "
				"hosts: ['*.shop.svc.cluster.local.']}]\n",
			.service = "shop/cart",
			.want = true,
		},
		{
			.id = "lifted for a host",
			.text = "serviceSettings: [{settings: {clusterLocal: false}, "
				"hosts: [kube-dns.kube-system.svc.cluster.local]}]\n",
			.service = "kube-system/kube-dns",
			.want = false,
		},
		{
			.id = "and for no other",
			.text = "serviceSettings: [{settings: {clusterLocal: false}, "
				"hosts: [kube-dns.kube-system.svc.cluster.local]}]\n",
			.service = "kube-system/metrics",
			.want = true,
		},
		{
			.id = "lifted whole",
			.text = "serviceSettings: [{settings: {clusterLocal: false}, "
				"hosts: ['*.kube-system.svc.cluster.local']}]\n",
			.service = "kube-system/kube-dns",
			.want = false,
		},
		{
			.id = "a wider wildcard does not lift",
			.text = "serviceSettings: [{settings: {clusterLocal: false}, "
				"hosts: ['*.svc.cluster.local']}]\n",
			.service = "kube-system/kube-dns",
			.want = true,
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_policy *policy = policy_of(cases[i].text);

		print_message("%s\n", cases[i].id);
		assert_int_equal(effective(policy, cases[i].service).cluster_local, cases[i].want);
		mrd_policy_free(policy);
	}
}

static void test_empty(void **state)
{
	struct mrd_policy *policy = NULL;
	char name[600];
	struct mrd_effective got;

	(void)state;
	assert_int_equal(mrd_policy_new_empty(&test_names, &policy), 0);
	assert_true(effective(policy, "kubernetes").cluster_local);
	assert_int_equal(mrd_policy_rule_count(policy), 0);
	/* A name beyond DNS's limits is no rule's business. */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	mrd_policy_effective(policy, name, name, 80, &got);
	assert_string_equal(got.rule, "");
	mrd_policy_free(policy);
	mrd_policy_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_rule),	cmocka_unit_test(test_locality_mode),
		cmocka_unit_test(test_locality_values), cmocka_unit_test(test_outlier_values),
		cmocka_unit_test(test_no_outlier),	cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_simple),		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_cluster_local),	cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
