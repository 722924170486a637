/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What blocks of a rule become: codes, pools, balancers, settings, annotations. */
#include "policy/policy.h"

#include "tests/unit/policy/rows.h"

#define HEAD(annotations)                                             \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: r, annotations: {" annotations "}}\n"       \
	"spec:\n  host: reviews\n  trafficPolicy: "
#define ANNOTATED(annotations, traffic) HEAD(annotations) traffic "\n"
#define RULE_OF(inside)			HEAD("") "{" inside "}\n"
#define LB(inside)			RULE_OF("loadBalancer: {" inside "}")
#define AT_LB				"spec.trafficPolicy.loadBalancer"
/* An annotation in line 3. */
#define OURS(column, name) "error a:3:" column " metadata.annotations[\"meridian.dev/" name "\"]\n"

static struct mrd_effective effective(const struct mrd_policy *policy)
{
	struct mrd_effective got;

	mrd_policy_effective(policy, "default", "reviews", 80, &got);
	return got;
}

static bool has_code(const struct mrd_outlier_rule *rule, unsigned int code)
{
	const unsigned int bit = code - MRD_ERROR_CODE_MIN;

	return rule->error_codes[bit / 8] >> bit % 8 & 1;
}

static void test_error_codes(void **state)
{
	static const struct {
		const char *id;
		const char *list;
		unsigned int codes[4]; /* up to a 0 */
	} cases[] = {
		{.id = "A11: one", .list = "[429]", .codes = {429}},
		{.id = "A11: two", .list = "[429, 503]", .codes = {429, 503}},
		{.id = "the limits, twice, in quotes",
		 .list = "[100, '599', 100]",
		 .codes = {100, 599}},
		{.id = "none given", .list = "[]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[512];
		struct mrd_policy *policy;
		struct mrd_effective got;
		size_t count = 0;

		snprintf(text, sizeof(text),
			 RULE_OF("outlierDetection: {outlierDetectionHttpErrorCodes: %s}"),
			 cases[i].list);
		print_message("%s\n", cases[i].id);
		policy = policy_of(text);
		got = effective(policy);
		assert_int_equal(got.outlier->has_error_codes, cases[i].codes[0] != 0);
		for (size_t j = 0; cases[i].codes[j]; j++)
			assert_true(has_code(got.outlier, cases[i].codes[j]));
		for (unsigned int code = MRD_ERROR_CODE_MIN; code <= MRD_ERROR_CODE_MAX; code++)
			count += has_code(got.outlier, code);
		assert_int_equal(count, !cases[i].codes[0] ? 0 : cases[i].codes[1] ? 2 : 1);
		mrd_policy_free(policy);
	}
}

static void test_pool(void **state)
{
	static const struct {
		const char *id;
		const char *inside;
		struct mrd_pool_rule want;
	} cases[] = {
		{
			.id = "V30",
			.inside = "tcp: {maxConnections: 7, connectTimeout: 2s}, http: "
				  "{http1MaxPendingRequests: 2, http2MaxRequests: 11, "
				  "maxRequestsPerConnection: 5, maxRetries: 4, idleTimeout: 30s, "
				  "maxConcurrentStreams: 5}",
			.want = {.max_connections = 7,
				 .connect_timeout_ms = 2000,
				 .idle_timeout_ms = 3600000,
				 .http1_max_pending_requests = 2,
				 .http2_max_requests = 11,
				 .max_requests_per_connection = 5,
				 .max_retries = 4,
				 .max_concurrent_streams = 5,
				 .http_idle_timeout_ms = 30000},
		},
		{
			.id = "V28, and http's falls back to it",
			.inside = "tcp: {idleTimeout: 0s}, http: {maxRetries: 0}",
			.want = {0},
		},
		{
			.id = "V17",
			.inside = "tcp: {connectTimeout: 31s, idleTimeout: 5m, "
				  "maxConnectionDuration: 1h, tcpKeepalive: {probes: 3, time: 1m, "
				  "interval: 5s}}",
			.want = {.connect_timeout_ms = 31000,
				 .has_keepalive = true,
				 .keepalive_probes = 3,
				 .keepalive_time_ms = 60000,
				 .keepalive_interval_ms = 5000,
				 .max_connection_duration_ms = 3600000,
				 .idle_timeout_ms = 300000,
				 .http_idle_timeout_ms = 300000},
		},
		{
			.id = "what is of HTTP/2",
			.inside =
				"http: {h2UpgradePolicy: DO_NOT_UPGRADE, useClientProtocol: true, "
				"http2KeepAlive: {interval: 10s, timeout: 500ms}}",
			.want = {.idle_timeout_ms = 3600000,
				 .http_idle_timeout_ms = 3600000,
				 .h2_upgrade = MRD_H2_UPGRADE_NEVER,
				 .use_client_protocol = true,
				 .http2_keepalive_interval_ms = 10000,
				 .http2_keepalive_timeout_ms = 500},
		},
		{
			.id = "V17: beyond the mesh's limit",
			.inside = "tcp: {connectTimeout: 2h, maxConnections: 2147483647}",
			.want = {.max_connections = INT32_MAX,
				 .connect_timeout_ms = 7200000,
				 .idle_timeout_ms = 3600000,
				 .http_idle_timeout_ms = 3600000},
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[1024];
		struct mrd_policy *policy;

		snprintf(text, sizeof(text), RULE_OF("connectionPool: {%s}"), cases[i].inside);
		print_message("%s\n", cases[i].id);
		policy = policy_of(text);
		assert_memory_equal(effective(policy).pool, &cases[i].want, sizeof(cases[i].want));
		mrd_policy_free(policy);
	}
}

static void test_balancer(void **state)
{
	static const struct {
		const char *id;
		const char *inside;
		enum mrd_lb lb;
		bool source_ip;
		struct mrd_warmup_rule warmup;
	} cases[] = {
		{.id = "nothing", .inside = ""},
		{.id = "source IP",
		 .inside = "consistentHash: {useSourceIp: true}",
		 .source_ip = true},
		{.id = "a header", .inside = "consistentHash: {httpHeaderName: x}"},
		{
			.id = "warmup's defaults",
			.inside = "simple: ROUND_ROBIN, warmup: {duration: 5m}",
			.lb = MRD_LB_ROUND_ROBIN,
			.warmup = {.duration_ms = 300000, .minimum_percent = 10, .aggression = 1},
		},
		{
			.id = "warmup",
			.inside = "warmup: {duration: 30s, minimumPercent: 0, aggression: '1.5'}",
			.warmup = {.duration_ms = 30000, .minimum_percent = 0, .aggression = 1.5},
		},
		{
			.id = "nothing warms up at random",
			.inside = "simple: RANDOM, warmup: {duration: 5m}",
			.lb = MRD_LB_RANDOM,
		},
		{
			.id = "warmup by its old name",
			.inside = "simple: LEAST_REQUEST, warmupDurationSecs: 10s",
			.warmup = {.duration_ms = 10000, .minimum_percent = 10, .aggression = 1},
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[512];
		struct mrd_policy *policy;
		struct mrd_effective got;

		snprintf(text, sizeof(text), LB("%s"), cases[i].inside);
		print_message("%s\n", cases[i].id);
		policy = policy_of(text);
		got = effective(policy);
		assert_int_equal(got.lb, cases[i].lb);
		assert_int_equal(got.hash_source_ip, cases[i].source_ip);
		assert_int_equal(got.warmup.duration_ms, cases[i].warmup.duration_ms);
		assert_true(got.warmup.minimum_percent == cases[i].warmup.minimum_percent);
		assert_true(got.warmup.aggression == cases[i].warmup.aggression);
		mrd_policy_free(policy);
	}
}

static void test_hash_findings(void **state)
{
	static const struct row rows[] = {
		{
			.id = "hash: no key",
			.text = LB("consistentHash: {}"),
			.want = "warning a:6:34 " AT_LB ".consistentHash\n",
			.says = "no effect without one of",
		},
		{
			.id = "hash: no key is true",
			.text = LB("consistentHash: {useSourceIp: false}"),
			.want = "warning a:6:34 " AT_LB ".consistentHash\n",
		},
		{
			.id = "hash: a table without a size, as Istio refuses it",
			.text = LB("consistentHash: {useSourceIp: true, maglev: {}}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.maglev\n"
				"error a:6:78 " AT_LB ".consistentHash.maglev.tableSize\n",
		},
		{
			.id = "hash: the smallest table, a prime to Envoy",
			.text = LB("consistentHash: {useSourceIp: true, maglev: {tableSize: 1}}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.maglev\n",
		},
		{
			.id = "hash: a table alone, as Istio takes it",
			.text = LB("consistentHash: {maglev: {tableSize: 65537}}"),
			.want = "warning a:6:34 " AT_LB ".consistentHash\n"
				"warning a:6:51 " AT_LB ".consistentHash.maglev\n",
		},
		{
			.id = "hash: two keys",
			.text = LB("consistentHash: {useSourceIp: true, httpHeaderName: x}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.httpHeaderName\n"
				"error a:6:70 " AT_LB ".consistentHash.httpHeaderName\n",
			.says = "exclude each other",
		},
		{
			.id = "hash: keys that the socket does not see",
			.text = LB("consistentHash: {httpCookie: {name: c, ttl: 0s}}"),
			.want = "warning a:6:51 " AT_LB ".consistentHash.httpCookie\n",
			.says = "inside the requests",
		},
		{
			.id = "hash: a query parameter",
			.text = LB("consistentHash: {httpQueryParameterName: q}"),
			.want = "warning a:6:51 " AT_LB ".consistentHash.httpQueryParameterName\n",
		},
		{
			.id = "hash: a cookie without a name",
			.text = LB("consistentHash: {httpCookie: {ttl: 1s}}"),
			.want = "warning a:6:51 " AT_LB ".consistentHash.httpCookie\n"
				"error a:6:63 " AT_LB ".consistentHash.httpCookie.name\n",
		},
		{
			.id = "hash: a cookie with an empty one",
			.text = LB("consistentHash: {httpCookie: {name: ''}}"),
			.want = "warning a:6:51 " AT_LB ".consistentHash.httpCookie\n"
				"error a:6:70 " AT_LB ".consistentHash.httpCookie.name\n",
		},
		{
			.id = "hash: rings",
			.text = LB(
				"consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: "
				"1024}, minimumRingSize: -1}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.ringHash\n"
				"error a:6:122 " AT_LB ".consistentHash.minimumRingSize\n",
		},
		{
			.id = "hash: the ring's old place beside a table, and beside the new one",
			.text = LB("consistentHash: {useSourceIp: true, minimumRingSize: 5, "
				   "maglev: {tableSize: 7}, ringHash: {}}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.minimumRingSize\n"
				"error a:6:90 " AT_LB ".consistentHash.maglev\n"
				"warning a:6:90 " AT_LB ".consistentHash.maglev\n"
				"error a:6:114 " AT_LB ".consistentHash.ringHash\n"
				"error a:6:114 " AT_LB ".consistentHash.ringHash\n"
				"warning a:6:114 " AT_LB ".consistentHash.ringHash\n",
			.says = "minimumRingSize (",
		},
		{
			.id = "hash: an empty ring is one, too",
			.text = LB("consistentHash: {useSourceIp: true, ringHash: {}, "
				   "maglev: {tableSize: 7}}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.ringHash\n"
				"warning a:6:84 " AT_LB ".consistentHash.maglev\n"
				"error a:6:84 " AT_LB ".consistentHash.maglev\n",
			.says = "exclude each other",
		},
		{
			.id = "hash: no ring at all",
			.text = LB("consistentHash: {useSourceIp: true, ringHash: null, "
				   "maglev: {tableSize: 7}}"),
			.want = "warning a:6:86 " AT_LB ".consistentHash.maglev\n",
		},
		{
			.id = "hash: a key that is not true is there all the same",
			.text = LB("consistentHash: {useSourceIp: false, httpHeaderName: ''}"),
			.want = "warning a:6:34 " AT_LB ".consistentHash\n"
				"warning a:6:71 " AT_LB ".consistentHash.httpHeaderName\n"
				"error a:6:71 " AT_LB ".consistentHash.httpHeaderName\n",
		},
		{
			.id = "hash: a size of 0 is none",
			.text = LB("consistentHash: {useSourceIp: true, minimumRingSize: 0, "
				   "maglev: {tableSize: 4999999}}"),
			.want = "warning a:6:90 " AT_LB ".consistentHash.maglev\n",
		},
		{
			.id = "hash: the largest table",
			.text = LB("consistentHash: {useSourceIp: true, maglev: {tableSize: "
				   "5000011}}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.maglev\n"
				"error a:6:90 " AT_LB ".consistentHash.maglev.tableSize\n",
			.says = "to 5000010",
		},
		{
			.id = "hash: two tables, and one that is not prime",
			.text = LB(
				"consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: "
				"1}, maglev: {tableSize: 65536}}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.ringHash\n"
				"warning a:6:102 " AT_LB ".consistentHash.maglev\n"
				"error a:6:102 " AT_LB ".consistentHash.maglev\n"
				"error a:6:122 " AT_LB ".consistentHash.maglev.tableSize\n",
			.says = "prime",
		},
		{
			.id = "hash: a prime table",
			.text = LB(
				"consistentHash: {useSourceIp: true, maglev: {tableSize: 65537}}"),
			.want = "warning a:6:70 " AT_LB ".consistentHash.maglev\n",
		},
		{
			.id = "hash beside simple, however empty",
			.text = LB("simple: ROUND_ROBIN, consistentHash: {}"),
			.want = "warning a:6:55 " AT_LB ".consistentHash\n"
				"error a:6:55 " AT_LB ".consistentHash\n",
		},
		{
			.id = "two settings, one of them empty",
			.text = LB("localityLbSetting: {}, zoneAwareLbSetting: {enabled: true}"),
			.want = "warning a:6:57 " AT_LB ".zoneAwareLbSetting\n"
				"error a:6:57 " AT_LB ".zoneAwareLbSetting\n",
		},
		{
			.id = "hash beside simple",
			.text = LB("simple: RANDOM, consistentHash: {useSourceIp: true}"),
			.want = "warning a:6:42 " AT_LB ".simple\n"
				"error a:6:50 " AT_LB ".consistentHash\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_zero_is_not_given(void **state)
{
	static const struct row rows[] = {
		{
			.id = "numbers that nothing acts on",
			.text = RULE "    connectionPool: {http: {http1MaxPendingRequests: 0, "
				     "http2MaxRequests: 0, maxRetries: '0', "
				     "maxConcurrentStreams: 0}}\n",
			.want = "",
		},
		{
			.id = "a list",
			.text = RULE "    connectionPool: {http: {maxRetries: 1}}\n  subsets: []\n",
			.want = "warning a:7:29 "
				"spec.trafficPolicy.connectionPool.http.maxRetries\n",
		},
		{
			.id = "no number",
			.text = RULE "    connectionPool: {http: {maxRetries: -0x}}\n",
			.want = "error a:7:41 spec.trafficPolicy.connectionPool.http.maxRetries\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_codes_that_nobody_counts(void **state)
{
	static const struct row rows[] = {
		{
			.id = "no detector of responses",
			.text = RULE "    outlierDetection: {splitExternalLocalOriginErrors: true, "
				     "consecutive5xxErrors: 0, "
				     "outlierDetectionHttpErrorCodes: [429]}\n",
			.want = "warning a:7:119 spec.trafficPolicy.outlierDetection."
				"outlierDetectionHttpErrorCodes\n",
			.says = "no effect: consecutive5xxErrors is 0",
		},
		{
			.id = "gateway errors",
			.text = RULE "    outlierDetection: {consecutive5xxErrors: 0, "
				     "consecutiveGatewayErrors: 3, "
				     "outlierDetectionHttpErrorCodes: [503]}\n",
			.want = "",
		},
		{
			.id = "rates",
			.text = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				"metadata: {name: r, annotations: "
				"{meridian.dev/success-rate-enforcing: '100'}}\n"
				"spec: {host: a, trafficPolicy: {outlierDetection: "
				"{consecutive5xxErrors: 0, "
				"outlierDetectionHttpErrorCodes: [429]}}}\n",
			.want = "",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_balancer_findings(void **state)
{
	static const struct row rows[] = {
		{
			.id = "simple: what a proxy would choose by",
			.text = LB("simple: LEAST_REQUEST"),
			.want = "warning a:6:42 " AT_LB ".simple\n",
			.says = "spread evenly, in turn",
		},
		{
			.id = "simple: by its old name",
			.text = LB("simple: LEAST_CONN"),
			.want = "warning a:6:42 " AT_LB ".simple\n",
			.says = "deprecated, write LEAST_REQUEST",
		},
		{.id = "simple: in turn", .text = LB("simple: ROUND_ROBIN"), .want = ""},
		{.id = "simple: the default, written",
		 .text = LB("simple: UNSPECIFIED"),
		 .want = ""},
		{.id = "simple: the default", .text = LB(""), .want = ""},
		{.id = "simple: left alone", .text = LB("simple: PASSTHROUGH"), .want = ""},
		{
			.id = "warmup: limits",
			.text = LB("warmup: {minimumPercent: 101, aggression: 0.5}"),
			.want = "error a:6:42 " AT_LB ".warmup.duration\n"
				"error a:6:59 " AT_LB ".warmup.minimumPercent\n"
				"error a:6:76 " AT_LB ".warmup.aggression\n",
			.says = "at least 1",
		},
		{
			.id = "warmup: no numbers",
			.text = LB("warmup: {duration: 1s, minimumPercent: inf, aggression: 0x10}"),
			.want = "error a:6:73 " AT_LB ".warmup.minimumPercent\n"
				"error a:6:90 " AT_LB ".warmup.aggression\n",
			.says = "must be a number",
		},
		{
			.id = "warmup: only where weights are",
			.text = LB("simple: RANDOM, warmup: {duration: 1s}"),
			.want = "warning a:6:42 " AT_LB ".simple\n"
				"warning a:6:50 " AT_LB ".warmup\n",
			.says = "no effect with RANDOM",
		},
		{
			.id = "warmup: not with a hash",
			.text = LB("consistentHash: {useSourceIp: true}, warmupDurationSecs: 1s"),
			.want = "warning a:6:71 " AT_LB ".warmupDurationSecs\n"
				"warning a:6:71 " AT_LB ".warmupDurationSecs\n",
			.says = "no effect with consistentHash",
		},
		{
			.id = "warmup: by both names",
			.text = LB("warmup: {duration: 1s}, warmupDurationSecs: 1s"),
			.want = "warning a:6:58 " AT_LB ".warmupDurationSecs\n"
				"error a:6:58 " AT_LB ".warmupDurationSecs\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* What the settings become: labels, zone-awareness, and the two lists beside each other. */
static void test_settings(void **state)
{
	struct mrd_policy *policy = policy_of(
		LB("zoneAwareLbSetting: {minClusterSize: 6, failover: [{from: r1, to: r2}], "
		   "failoverPriority: [topology.istio.io/network, 'key=a=b', other=]}"));
	const struct mrd_locality_setting *got = effective(policy).locality;

	(void)state;
	assert_true(got->zone_aware);
	assert_true(got->enabled);
	assert_int_equal(got->min_cluster_size, 6);
	assert_int_equal(got->failover_count, 1);
	assert_int_equal(got->priority_count, 3);
	assert_string_equal(got->priority[0].key, "topology.istio.io/network");
	assert_null(got->priority[0].value);
	assert_string_equal(got->priority[1].key, "key");
	assert_null(got->priority[1].value); /* of two "=" Istio makes none */
	assert_string_equal(got->priority[2].value, "");
	assert_int_equal(effective(policy).locality_mode, MRD_LOCALITY_FAILOVER);
	mrd_policy_free(policy);

	policy = policy_of("zoneAwareLbSetting: {enabled: true}\n");
	assert_true(effective(policy).locality->zone_aware);
	assert_int_equal(effective(policy).locality_mode, MRD_LOCALITY_NONE);
	mrd_policy_free(policy);
}

/* ------------------------------------------------------------------------------- annotations */

static void test_annotations(void **state)
{
	struct mrd_policy *policy =
		policy_of("metadata: {annotations: {meridian.dev/fallback: next-region, "
			  "meridian.dev/on-eject: close, meridian.dev/max-ejection-time: 400s, "
			  "meridian.dev/rescue: 'off', "
			  "meridian.dev/failure-percentage-minimum-hosts: '3'}}\n"
			  "defaultTrafficPolicy: {outlierDetection: {}}\n---\n" ANNOTATED(
				  "meridian.dev/regions: strict, meridian.dev/unready: drop, "
				  "meridian.dev/on-eject: reset, meridian.dev/warmup: 5m, "
				  "meridian.dev/syn-timeout: 60ms, meridian.dev/rescue: on, "
				  "meridian.dev/success-rate-minimum-hosts: '4', "
				  "meridian.dev/success-rate-request-volume: '50', "
				  "meridian.dev/success-rate-stdev-factor: '2500', "
				  "meridian.dev/success-rate-enforcing: '0', "
				  "meridian.dev/failure-percentage-enforcing: '100', "
				  "meridian.dev/failure-percentage-threshold: '50', "
				  "meridian.dev/failure-percentage-request-volume: '7', "
				  "meridian.dev/max-ejection-time-jitter: 0s",
				  "{loadBalancer: {}}"));
	struct mrd_effective got = effective(policy);

	(void)state;
	assert_true(got.fallback_next_region);
	assert_true(got.regions_strict);
	assert_true(got.unready_drop);
	assert_int_equal(got.on_eject, MRD_ON_EJECT_RESET);
	assert_int_equal(got.syn_timeout_ms, 60);
	assert_false(got.rescue_off);
	assert_int_equal(got.region_warmup_ms, 300000);
	assert_int_equal(got.outlier->max_ejection_ms, 400000);
	assert_int_equal(got.outlier->max_jitter_ms, 0);
	assert_true(got.outlier->success_rate.on);
	assert_false(got.outlier->success_rate.enforced);
	assert_int_equal(got.outlier->success_rate.minimum_hosts, 4);
	assert_int_equal(got.outlier->success_rate.request_volume, 50);
	assert_int_equal(got.outlier->success_rate.stdev_factor, 2500);
	assert_true(got.outlier->failure_percentage.on);
	assert_true(got.outlier->failure_percentage.enforced);
	assert_int_equal(got.outlier->failure_percentage.threshold, 50);
	assert_int_equal(got.outlier->failure_percentage.minimum_hosts, 3);
	assert_int_equal(got.outlier->failure_percentage.request_volume, 7);

	mrd_policy_effective(policy, "default", "other", 80, &got);
	assert_false(got.regions_strict);
	assert_false(got.unready_drop);
	assert_int_equal(got.on_eject, MRD_ON_EJECT_CLOSE);
	assert_int_equal(got.syn_timeout_ms, 0);
	assert_true(got.rescue_off);
	assert_false(got.outlier->success_rate.on);
	assert_true(got.outlier->failure_percentage.on);
	assert_false(got.outlier->failure_percentage.enforced);
	assert_int_equal(got.outlier->failure_percentage.threshold, 85);
	mrd_policy_free(policy);

	/* A rule that names one of Envoy's detectors means it. */
	policy = policy_of(ANNOTATED("meridian.dev/success-rate-stdev-factor: '1900'",
				     "{outlierDetection: {}}"));
	assert_true(effective(policy).outlier->success_rate.on);
	assert_true(effective(policy).outlier->success_rate.enforced);
	assert_false(effective(policy).outlier->failure_percentage.on);
	mrd_policy_free(policy);
}

#define BOTH_LISTS                                                                             \
	"localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failover: [{from: a, to: " \
	"b}]}"

static void test_annotation_findings(void **state)
{
	static const struct row rows[] = {
		{
			.id = "values",
			.text = ANNOTATED("meridian.dev/success-rate-enforcing: '50', "
					  "meridian.dev/failure-percentage-threshold: '101', "
					  "meridian.dev/max-ejection-time: 0s, "
					  "meridian.dev/success-rate-minimum-hosts: -1, "
					  "meridian.dev/fallback: next-zone, "
					  "meridian.dev/success-rate-min-hosts: '3'",
					  "{loadBalancer: {}}"),
			.want = OURS("72", "success-rate-enforcing") OURS(
				"121", "failure-percentage-threshold") OURS("160",
									    "max-ejection-time")
				OURS("205", "success-rate-minimum-hosts") OURS("232", "fallback")
					OURS("243", "success-rate-min-hosts"),
		},
		{
			.id = "times and words of the rescue",
			.text = ANNOTATED("meridian.dev/syn-timeout: 1, meridian.dev/rescue: "
					  "maybe",
					  "{loadBalancer: {}}"),
			.want = OURS("61", "syn-timeout") OURS("85", "rescue"),
		},
		{
			.id = "an initial timeout beyond the kernel's longest",
			.text = ANNOTATED("meridian.dev/syn-timeout: 121s", "{loadBalancer: {}}"),
			.want = OURS("61", "syn-timeout"),
		},
		{
			.id = "at its limits",
			.text = ANNOTATED("meridian.dev/syn-timeout: 1ms", "{loadBalancer: {}}"),
			.want = "",
		},
		{
			.id = "T6",
			.text = ANNOTATED("meridian.dev/max-ejection-time: 3s",
					  "{outlierDetection: {baseEjectionTime: 10s}}"),
			.want = OURS("67", "max-ejection-time"),
			.says = "less than baseEjectionTime, 10s at ",
		},
		{
			.id = "T6: the base's default",
			.text = ANNOTATED("meridian.dev/max-ejection-time: 29s",
					  "{outlierDetection: {}}"),
			.want = OURS("67", "max-ejection-time"),
			.says = "30s at ",
		},
		{
			.id = "T6: of a port",
			.text = ANNOTATED("meridian.dev/max-ejection-time: 60s",
					  "{portLevelSettings: [{port: {number: 80}, "
					  "outlierDetection: {baseEjectionTime: 61s}}]}"),
			.want = OURS("67", "max-ejection-time"),
		},
		{
			.id = "T6: the mesh's longest, a rule's base",
			.text = "metadata: {annotations: {meridian.dev/max-ejection-time: 40s}}\n"
				"defaultTrafficPolicy: {outlierDetection: {}}\n",
			.second = RULE_OF("outlierDetection: {baseEjectionTime: 50s}"),
			.want = "error a:1:58 "
				"metadata.annotations[\"meridian.dev/max-ejection-time\"]\n",
			.says = "b.yaml:6:56",
		},
		{
			.id = "T6: a rule's longest, the mesh's base",
			.text = ANNOTATED("meridian.dev/max-ejection-time: 40s",
					  "{loadBalancer: {}}"),
			.second = "defaultTrafficPolicy:\n  outlierDetection: {baseEjectionTime: "
				  "1m}\n",
			.want = OURS("67", "max-ejection-time"),
			.says = "b.yaml:2:",
		},
		{
			.id = "T7: as long as the base",
			.text = ANNOTATED("meridian.dev/max-ejection-time: 400s",
					  "{outlierDetection: {baseEjectionTime: 400s}}"),
			.want = "",
		},
		{
			.id = "Z4: both lists",
			.text = LB(BOTH_LISTS),
			.want = "error a:6:93 " AT_LB ".localityLbSetting.failover\n",
			.says = "meridian.dev/fallback: next-region",
		},
		{
			.id = "both lists, by the rule's annotation",
			.text = ANNOTATED("meridian.dev/fallback: next-region",
					  "{outlierDetection: {}, loadBalancer: {" BOTH_LISTS "}}"),
			.want = "",
		},
		{
			.id = "both lists, by the mesh's, wherever it stands",
			.text = BOTH_LISTS "\n",
			.second = "metadata: {annotations: {meridian.dev/fallback: next-region}}\n"
				  "---\n" WATCHED,
			.want = "",
		},
		{
			.id = "both lists of two documents stay two documents",
			.text = "metadata: {annotations: {meridian.dev/fallback: next-region}}\n"
				"localityLbSetting: {distribute: [{from: a, to: {b: 100}}]}\n",
			.second = "localityLbSetting: {failover: [{from: a, to: b}]}\n",
			.want = "error b:1:21 localityLbSetting.failover\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_codes),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_balancer),
		cmocka_unit_test(test_hash_findings),
		cmocka_unit_test(test_balancer_findings),
		cmocka_unit_test(test_zero_is_not_given),
		cmocka_unit_test(test_codes_that_nobody_counts),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_annotation_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
