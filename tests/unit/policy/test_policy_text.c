/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What holds for a service, as text: read back it means the same. */
#include "policy/policy_text.h"

#include "tests/unit/policy/load_text.h"

#define OBJECT(annotations)                                           \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: r, annotations: {" annotations "}}\n"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const uint16_t ports[] = {80, 7000, 53, 53};
static const struct mrd_policy_ports all_ports = {
	.numbers = ports,
	.count = COUNT(ports),
	.distribution = "",
};

static char *text_of(const struct mrd_policy *policy)
{
	struct mrd_strbuf text = {0};
	char *result;

	mrd_policy_text(policy, "default", "reviews", &all_ports, &text);
	result = mrd_strbuf_steal(&text);
	assert_non_null(result);
	return result;
}

static void check_same(const struct mrd_effective *a, const struct mrd_effective *b)
{
	assert_int_equal(a->lb, b->lb);
	if (a->lb == MRD_LB_PASSTHROUGH) /* nothing acts there */
		return;
	assert_memory_equal(a->pool, b->pool, sizeof(*a->pool));
	assert_int_equal(!a->outlier, !b->outlier);
	if (a->outlier) {
		assert_int_equal(a->outlier->consecutive_5xx, b->outlier->consecutive_5xx);
		assert_int_equal(a->outlier->gateway_off, b->outlier->gateway_off);
		assert_int_equal(a->outlier->cap, b->outlier->cap);
		assert_int_equal(a->outlier->probation_ms, b->outlier->probation_ms);
		assert_int_equal(a->outlier->max_ejection_ms, b->outlier->max_ejection_ms);
		assert_int_equal(a->outlier->max_jitter_ms, b->outlier->max_jitter_ms);
		assert_int_equal(a->outlier->success_rate.stdev_factor,
				 b->outlier->success_rate.stdev_factor);
		assert_int_equal(a->outlier->failure_percentage.on,
				 b->outlier->failure_percentage.on);
		assert_memory_equal(a->outlier->error_codes, b->outlier->error_codes,
				    sizeof(a->outlier->error_codes));
	}
	assert_int_equal(a->min_health_percent, b->min_health_percent);
	assert_int_equal(a->locality_mode, b->locality_mode);
	assert_int_equal(!a->locality, !b->locality);
	if (a->locality) {
		assert_int_equal(a->locality->zone_aware, b->locality->zone_aware);
		assert_int_equal(a->locality->distribute_count, b->locality->distribute_count);
		assert_int_equal(a->locality->failover_count, b->locality->failover_count);
		assert_int_equal(a->locality->priority_count, b->locality->priority_count);
	}
	assert_int_equal(a->hash_source_ip, b->hash_source_ip);
	assert_memory_equal(&a->warmup, &b->warmup, sizeof(a->warmup));
	assert_int_equal(a->overprovisioning_percent, b->overprovisioning_percent);
	assert_int_equal(a->fallback_next_region, b->fallback_next_region);
	assert_int_equal(a->regions_strict, b->regions_strict);
	assert_int_equal(a->unready_drop, b->unready_drop);
	assert_int_equal(a->region_warmup_ms, b->region_warmup_ms);
	assert_int_equal(a->on_eject, b->on_eject);
	assert_int_equal(a->rescue_off, b->rescue_off);
	/* Without effect otherwise, and left out. */
	if (!a->rescue_off)
		assert_int_equal(a->syn_timeout_ms, b->syn_timeout_ms);
}

static bool is_told(const struct mrd_diag *diag, const char *reason)
{
	for (size_t i = 0; i < diag->count; i++)
		if (!strcmp(diag->findings[i].reason, reason))
			return true;
	return false;
}

/* Of what is printed nothing is told that was not told of its source. */
static void check_findings(const char *source, const char *printed)
{
	const char *const sources[] = {source, NULL};
	const char *const texts[] = {printed, NULL};
	MRD_AUTO_DIAG struct mrd_diag before = {0};
	MRD_AUTO_DIAG struct mrd_diag after = {0};
	struct mrd_policy *policy = NULL;

	assert_int_equal(load_texts(sources, &before, &policy), 0);
	mrd_policy_free(policy);
	assert_int_equal(load_texts(texts, &after, &policy), 0);
	mrd_policy_free(policy);
	for (size_t i = 0; i < after.count; i++)
		if (!is_told(&before, after.findings[i].reason))
			fail_msg("%s: %s", after.findings[i].field, after.findings[i].reason);
}

static void test_reads_back(void **state)
{
	static const struct {
		const char *id;
		const char *text;
	} cases[] = {
		{.id = "nothing", .text = ""},
		{
			.id = "the mesh",
			.text = "metadata: {annotations: {meridian.dev/fallback: "
				"next-region, "
				"meridian.dev/regions: strict, "
				"meridian.dev/probation: 30s}}\n"
				"localityLbSetting: {distribute: [{from: a/*, to: "
				"{a/*: 90, b/z/s: "
				"10}}, {from: '*', to: {'*': 100}}], failover: "
				"[{from: a, to: b}]}\n"
				"defaultTrafficPolicy: {outlierDetection: {}, "
				"connectionPool: "
				"{tcp: {idleTimeout: 0s, tcpKeepalive: {}}}}\n",
		},
		{
			.id = "all of a rule",
			.text = OBJECT("meridian.dev/ejection-cap: always-one, "
				       "meridian.dev/unready: drop, "
				       "meridian.dev/on-eject: reset, "
				       "meridian.dev/rescue: 'off', "
				       "meridian.dev/syn-timeout: 75ms, "
				       "meridian.dev/warmup: 90s, "
				       "meridian.dev/overprovisioning-percent: "
				       "'200', "
				       "meridian.dev/max-ejection-time: 10m, "
				       "meridian.dev/max-ejection-time-jitter: 1s, "
				       "meridian.dev/success-rate-stdev-factor: "
				       "'1500', "
				       "meridian.dev/failure-percentage-threshold: "
				       "'60'") "spec:\n  host: reviews\n  "
					       "trafficPolicy:\n"
					       "    connectionPool: {tcp: "
					       "{maxConnections: 7, tcpKeepalive: "
					       "{probes: 3, time: 1m}}, http: "
					       "{maxRetries: 4, idleTimeout: "
					       "30s}}\n"
					       "    outlierDetection: "
					       "{consecutiveGatewayErrors: 0, "
					       "splitExternalLocalOriginErrors: "
					       "true, minHealthPercent: 10, "
					       "outlierDetectionHttpErrorCodes: "
					       "[429, 503]}\n"
					       "    loadBalancer: {simple: "
					       "ROUND_ROBIN, warmup: {duration: "
					       "30s, "
					       "minimumPercent: 2.5}, "
					       "localityLbSetting: {failover: "
					       "[{from: a, to: "
					       "b}], failoverPriority: "
					       "[topology.istio.io/network, "
					       "'k=\"v']}}\n",
		},
		{
			.id = "source addresses, zones, a share",
			.text = OBJECT("") "spec: {host: reviews, trafficPolicy: "
					   "{loadBalancer: "
					   "{consistentHash: {useSourceIp: true}, "
					   "zoneAwareLbSetting: {minClusterSize: 6}}, "
					   "outlierDetection: {maxEjectionPercent: 50, "
					   "consecutiveGatewayErrors: 2}}}\n",
		},
		{
			.id = "ports that are left alone, under a mesh that would act",
			.text = "localityLbSetting: {failover: [{from: a, to: b}]}\n"
				"defaultTrafficPolicy: {outlierDetection: {}}\n---\n" OBJECT(
					"") "spec: {host: reviews, trafficPolicy: "
					    "{portLevelSettings: "
					    "[{port: {number: 80}, loadBalancer: "
					    "{simple: PASSTHROUGH}}]}}\n",
		},
		{
			.id = "off",
			.text = OBJECT("") "spec: {host: reviews, trafficPolicy: "
					   "{loadBalancer: "
					   "{simple: PASSTHROUGH, "
					   "localityLbSetting: {enabled: "
					   "false}}}}\n",
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_policy *policy = policy_of(cases[i].text);
		char *text = text_of(policy);
		struct mrd_policy *again = policy_of(text);
		char *text_again = text_of(again);
		struct mrd_effective a;
		struct mrd_effective b;

		print_message("%s\n", cases[i].id);
		mrd_policy_effective(policy, "default", "reviews", 80, &a);
		mrd_policy_effective(again, "default", "reviews", 80, &b);
		check_same(&a, &b);
		check_findings(cases[i].text, text);
		free(text_again);
		mrd_policy_free(again);
		free(text);
		mrd_policy_free(policy);
	}
}

/* The text itself, without the folder of its places. */
static void test_text(void **state)
{
	static const char want[] = "apiVersion: networking.istio.io/v1\n"
				   "kind: DestinationRule\n"
				   "metadata: # default/r, a.yaml:7:14\n"
				   "  name: \"reviews\"\n"
				   "  namespace: \"default\"\n"
				   "  annotations:\n"
				   "    meridian.dev/fallback: none\n"
				   "    meridian.dev/overprovisioning-percent: \"140\"\n"
				   "    meridian.dev/regions: all\n"
				   "    meridian.dev/unready: count\n"
				   "    meridian.dev/on-eject: keep\n"
				   "    meridian.dev/rescue: \"on\"\n"
				   "    meridian.dev/syn-timeout: 0s # by what handshakes take\n"
				   "    meridian.dev/ejection-cap: regional\n"
				   "    meridian.dev/max-ejection-time: 5m0s\n"
				   "spec:\n"
				   "  host: \"reviews\"\n"
				   "  trafficPolicy:\n"
				   "    connectionPool: # default\n"
				   "      http:\n"
				   "        maxRequestsPerConnection: 0\n"
				   "    outlierDetection: # a.yaml:8:19\n"
				   "      consecutive5xxErrors: 5\n"
				   "      splitExternalLocalOriginErrors: false\n"
				   "      interval: 10s\n"
				   "      baseEjectionTime: 30s\n"
				   "      minHealthPercent: 0\n"
				   "    loadBalancer: # default\n"
				   "      simple: UNSPECIFIED # LEAST_REQUEST\n"
				   "      localityLbSetting: # mesh, a.yaml:1:1\n"
				   "        enabled: true\n"
				   "        distribute:\n"
				   "        - from: \"a\"\n"
				   "          to:\n"
				   "            \"b\": 100\n"
				   "  subsets: # without effect: no VirtualService is applied\n"
				   "  - name: \"v1\" # a.yaml:9:20\n"
				   "    labels:\n"
				   "      \"version\": \"v1\"\n"
				   "    trafficPolicy:\n"
				   "      connectionPool: # default\n"
				   "        http:\n"
				   "          maxRequestsPerConnection: 0\n"
				   "      outlierDetection: # a.yaml:8:19\n"
				   "        consecutive5xxErrors: 5\n"
				   "        splitExternalLocalOriginErrors: false\n"
				   "        interval: 10s\n"
				   "        baseEjectionTime: 30s\n"
				   "        minHealthPercent: 0\n"
				   "      loadBalancer: # a.yaml:9:63\n"
				   "        simple: RANDOM\n"
				   "        localityLbSetting: # mesh, a.yaml:1:1\n"
				   "          enabled: true\n"
				   "          distribute:\n"
				   "          - from: \"a\"\n"
				   "            to:\n"
				   "              \"b\": 100\n";
	struct mrd_policy *policy = policy_of(
		"localityLbSetting: {distribute: [{from: a/*, to: {b: 100}}]}\n---\n" OBJECT(
			"") "spec: {\n"
			    "  host:      reviews,\n"
			    "  trafficPolicy: {outlierDetection: {}},\n"
			    "  subsets: [{name: v1, labels: {version: v1}, trafficPolicy: "
			    "{loadBalancer: "
			    "{simple: RANDOM}}}]}\n");
	char *text = text_of(policy);
	char *at;

	(void)state;
	while ((at = strstr(text, "/tmp/")))
		memmove(at, strstr(at, "a.yaml"), strlen(strstr(at, "a.yaml")) + 1);
	assert_string_equal(text, want);
	free(text);
	mrd_policy_free(policy);
}

/* One document for all ports, whatever they are called; names that YAML reads as something else. */
static void test_ports_and_names(void **state)
{
	struct mrd_policy *policy = policy_of(OBJECT(
		"") "spec:\n  host: reviews\n  trafficPolicy:\n"
		    "    outlierDetection: {consecutive5xxErrors: 3}\n"
		    "    portLevelSettings:\n"
		    "    - {port: {number: 53}, connectionPool: {tcp: {maxConnections: 3}}}\n"
		    "    - {port: {number: 9}, loadBalancer: {simple: ROUND_ROBIN}}\n"
		    "  subsets:\n"
		    "  - {name: '123', labels: {on: 'yes', '1': '2'}}\n"
		    "  - {name: 'on', labels: {v: '0x1'}}\n"
		    "  - {name: 'null', labels: {v: '1e3'}}\n");
	char *text = text_of(policy);
	struct mrd_policy *again = policy_of(text);
	static const char *const names[] = {"123", "on", "null"};

	(void)state;
	assert_null(strstr(text, "---"));
	assert_null(strstr(text, "number: 9\n"));
	assert_null(strstr(text, "number: 80\n"));
	for (size_t i = 0; i < COUNT(ports); i++) {
		struct mrd_effective a;
		struct mrd_effective b;

		mrd_policy_effective(policy, "default", "reviews", ports[i], &a);
		mrd_policy_effective(again, "default", "reviews", ports[i], &b);
		check_same(&a, &b);
		assert_int_equal(!b.outlier, ports[i] == 53);
	}
	assert_int_equal(mrd_policy_subset_count(again, "default", "reviews"), 3);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct mrd_subset subset;

		assert_int_equal(mrd_policy_subset(again, "default", "reviews", 53, i, &subset), 0);
		assert_string_equal(subset.name, names[i]);
		assert_null(subset.effective.outlier);
	}
	mrd_policy_free(again);
	free(text);
	mrd_policy_free(policy);
}

static void test_indent(void **state)
{
	struct mrd_policy *policy = policy_of("");
	struct mrd_strbuf text = {0};
	struct mrd_effective effective;

	(void)state;
	mrd_policy_effective(policy, "kube-system", "kube-dns", 53, &effective);
	mrd_effective_text(&effective, 4, &text);
	assert_memory_equal(text.text, "    connectionPool: # default\n      http:\n",
			    strlen("    connectionPool: # default\n      http:\n"));
	assert_non_null(strstr(text.text, "\n    # no outlierDetection: nothing is ejected\n"));
	mrd_strbuf_free(&text);
	text = (struct mrd_strbuf){0};
	mrd_policy_text(policy, "kube-system", "kube-dns", &all_ports, &text);
	assert_memory_equal(text.text, "# cluster-local", strlen("# cluster-local"));
	mrd_strbuf_free(&text);
	mrd_policy_free(policy);
}

/* What the mesh says does not hold then; what a rule says does. */
static void test_distribution(void **state)
{
	static const char said[] = "    # by the Service's trafficDistribution, PreferSameZone";
	struct mrd_policy *policy =
		policy_of("localityLbSetting: {failover: [{from: a, to: b}]}\n---\n" OBJECT(
			"") "spec: {host: reviews, trafficPolicy: {loadBalancer: "
			    "{localityLbSetting: {failover: [{from: a, to: c}]}}}}\n");
	const struct mrd_policy_ports near = {
		.numbers = ports,
		.count = COUNT(ports),
		.distribution = "PreferSameZone",
	};
	struct mrd_strbuf text = {0};

	(void)state;
	mrd_policy_text(policy, "default", "others", &near, &text);
	assert_non_null(strstr(text.text, said));
	assert_null(strstr(text.text, "localityLbSetting"));
	assert_non_null(strstr(text.text, "# no outlierDetection: nothing is ejected\n"));
	mrd_strbuf_free(&text);
	text = (struct mrd_strbuf){0};
	mrd_policy_text(policy, "default", "reviews", &near, &text);
	assert_null(strstr(text.text, said));
	assert_non_null(strstr(text.text, "localityLbSetting"));
	mrd_strbuf_free(&text);
	mrd_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_back),	cmocka_unit_test(test_text),
		cmocka_unit_test(test_ports_and_names), cmocka_unit_test(test_indent),
		cmocka_unit_test(test_distribution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
