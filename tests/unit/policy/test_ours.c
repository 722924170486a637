/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Annotations of ours beside what a rule says: what they change, and where they change nothing. */
#include "policy/policy_text.h"

#include "tests/unit/policy/rows.h"

/* The value of a lone annotation is in column 26 behind its name. */
#define OURS(inside, policy)                                            \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"   \
	"metadata: {name: r, annotations: {meridian.dev/" inside "}}\n" \
	"spec: {host: reviews, trafficPolicy: {" policy "}}\n"
#define SUBSET(inside, policy, subset)                                      \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"       \
	"metadata: {name: r, annotations: {meridian.dev/" inside "}}\n"     \
	"spec: {host: reviews, subsets: [{name: v, trafficPolicy: {" subset \
	"}}], trafficPolicy: {" policy "}}\n"
#define OF_PORTS(of) \
	"portLevelSettings: [{port: {number: 80}, " of "}, {port: {number: 81}, " of "}]"
#define TEN_SECONDS "outlierDetection: {baseEjectionTime: 10s}"
#define A_MINUTE    "defaultTrafficPolicy: {outlierDetection: {baseEjectionTime: 60s}}\n"
#define A_POOL	    "connectionPool: {tcp: {maxConnections: 1}}"
#define AT(name)    "metadata.annotations[\"meridian.dev/" name "\"]\n"
#define LIST_AT	    "spec.trafficPolicy.loadBalancer.localityLbSetting.failover\n"
#define FAILOVER    "localityLbSetting: {failover: [{from: a, to: b}]}"
#define DISTRIBUTE  "localityLbSetting: {distribute: [{from: a, to: {b: 100}}]}"
#define BALANCED(s) "loadBalancer: {" s "}"

/* Places of several findings of one row. */
#define LONGEST_IDLE	    "warning a:3:67 " AT("max-ejection-time")
#define JITTER_IDLE	    "warning a:3:110 " AT("max-ejection-time-jitter")
#define CAP_IDLE	    "warning a:3:141 " AT("ejection-cap")
#define LIST_UNWATCHED	    "warning a:4:84 " LIST_AT
#define HOSTS_NOT_ASKED	    "warning a:3:76 " AT("success-rate-minimum-hosts")
#define THRESHOLD_NOT_ASKED "warning a:3:124 " AT("failure-percentage-threshold")
#define HOSTS_OFF	    "warning a:3:120 " AT("success-rate-minimum-hosts")
#define MESH_PROBATION	    "warning a:1:50 " AT("probation")
#define MESH_FALLBACK	    "warning a:1:78 " AT("fallback")
#define LONGEST_TOO_SHORT   "error a:3:67 " AT("max-ejection-time")
#define A_SUBSET	    "warning a:4:23 spec.subsets\n"

static const struct row idle_rows[] = {
	{
		.id = "a time of ejections, and none of these",
		.text = OURS("probation: 30s", BALANCED(DISTRIBUTE)),
		.want = "warning a:3:59 " AT("probation"),
		.says = "nothing is ejected without outlierDetection or a failover list",
	},
	{
		.id = "the longest, the jitter and the cap",
		.text = OURS("max-ejection-time: 1m, meridian.dev/max-ejection-time-jitter: 1s, "
			     "meridian.dev/ejection-cap: envoy",
			     "connectionPool: {tcp: {maxConnections: 1}}"),
		.want = LONGEST_IDLE JITTER_IDLE CAP_IDLE,
	},
	{
		.id = "a list asks for ejections by handshakes",
		.text = OURS("probation: 30s, meridian.dev/ejection-cap: envoy",
			     BALANCED(FAILOVER)),
		.want = LIST_UNWATCHED,
	},
	{
		.id = "one behind a distribution, with a fallback",
		.text = OURS("fallback: next-region, meridian.dev/probation: 30s",
			     "loadBalancer: {localityLbSetting: {distribute: [{from: r1, to: {r1: "
			     "100}}], failover: [{from: r1, to: r3}]}}"),
		.want = "warning a:4:125 " LIST_AT,
		.says = "works from readiness and failed handshakes",
	},
	{
		.id = "the mesh's list does, too",
		.text = OURS("probation: 30s", "connectionPool: {tcp: {maxConnections: 1}}"),
		.second = FAILOVER "\n",
		.want = "warning b:1:31 localityLbSetting.failover\n",
	},
	{
		.id = "beside ports that are left alone, and no other; on is what holds anyway",
		.text = OURS("on-eject: reset, meridian.dev/rescue: 'on', meridian.dev/warmup: 1m",
			     BALANCED("simple: PASSTHROUGH")),
		.want = "warning a:3:58 " AT("on-eject") "warning a:3:113 " AT("warmup"),
		.says = "no effect: loadBalancer.simple is PASSTHROUGH, which leaves the port "
			"alone",
	},
	{
		.id = "beside one, and others",
		.text = OURS("on-eject: reset",
			     BALANCED("simple: PASSTHROUGH") ", "
							     "portLevelSettings: [{port: {number: "
							     "80}, outlierDetection: {}}]"),
		.want = "",
	},
	{
		.id = "a fallback without which a subset would be an error",
		.text = OURS(
			"fallback: next-region",
			"outlierDetection: {}}, subsets: [{name: a, trafficPolicy: {loadBalancer: "
			"{localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failover: "
			"[{from: a, to: b}]}}}}], workloadSelector: {"),
		.want = "warning a:4:62 spec.subsets\n"
			"warning a:4:207 spec.workloadSelector\n",
	},
	{
		.id = "a port's outlierDetection",
		.text = OURS("probation: 30s", "portLevelSettings: [{port: {number: 80}, "
					       "outlierDetection: {}}]"),
		.want = "",
	},
	{
		.id = "rates are of answers",
		.text = OURS("success-rate-minimum-hosts: '3', "
			     "meridian.dev/failure-percentage-threshold: '50'",
			     BALANCED(FAILOVER)),
		.want = HOSTS_NOT_ASKED THRESHOLD_NOT_ASKED LIST_UNWATCHED,
		.says = "no effect: there is no outlierDetection",
	},
	{
		.id = "rates that are off",
		.text = OURS("success-rate-enforcing: 'off', "
			     "meridian.dev/success-rate-minimum-hosts: '3'",
			     "outlierDetection: {}"),
		.want = HOSTS_OFF,
		.says = "no effect: meridian.dev/success-rate-enforcing is off",
	},
	{
		.id = "rates that are off where nobody asks",
		.text = OURS("failure-percentage-enforcing: 'off'", BALANCED(DISTRIBUTE)),
		.want = "",
	},
	{
		.id = "a fallback of nothing",
		.text = OURS("fallback: next-region", "outlierDetection: {}"),
		.want = "warning a:3:58 " AT("fallback"),
		.says = "no effect: there is no distribute",
	},
	{
		.id = "a fallback of the mesh's distribution",
		.text = OURS("fallback: next-region", "outlierDetection: {}"),
		.second = DISTRIBUTE "\n",
		.want = "",
	},
	{
		.id = "the defaults, written out",
		.text = OURS("fallback: none, meridian.dev/regions: all", BALANCED(DISTRIBUTE)),
		.want = "",
	},
	{
		.id = "no fallback: failover cannot stand beside",
		.text = OURS("fallback: none",
			     BALANCED("localityLbSetting: {distribute: [{from: a, to: {b: "
				      "100}}], failover: [{from: a, to: b}]}")),
		.want = "error a:4:113 " LIST_AT,
	},
	{
		.id = "strict beside a distribution, which need not speak to every node",
		.text = OURS("regions: strict", BALANCED(DISTRIBUTE)),
		.want = "",
	},
	{
		.id = "a cap beside a port's maxEjectionPercent",
		.text = OURS("ejection-cap: envoy",
			     "outlierDetection: {maxEjectionPercent: 5}, portLevelSettings: "
			     "[{port: {number: 80}, outlierDetection: {}}]"),
		.want = "",
	},
	{
		.id = "a SYN timeout of nobody",
		.text = OURS("syn-timeout: 50ms, meridian.dev/rescue: 'off'",
			     "outlierDetection: {}"),
		.want = "warning a:3:61 " AT("syn-timeout"),
		.says = "rescue is off",
	},
	{
		.id = "the mesh's, that no rule asks either",
		.text = "metadata: {annotations: {meridian.dev/probation: 30s, "
			"meridian.dev/fallback: next-region}}\n",
		.want = MESH_PROBATION MESH_FALLBACK,
	},
	{
		.id = "the mesh's, that one rule asks",
		.text = "metadata: {annotations: {meridian.dev/probation: 30s}}\n",
		.second = RULE "    outlierDetection: {}\n",
		.want = "",
	},
	{
		.id = "the longest is shorter than handshakes' first",
		.text = OURS("max-ejection-time: 10s", BALANCED(FAILOVER)),
		.want = LONGEST_TOO_SHORT LIST_UNWATCHED,
		.says = "10s is less than baseEjectionTime, 30s without outlierDetection",
	},
	{
		.id = "the longest is shorter than the mesh's first, which ports are left with",
		.text = OURS("max-ejection-time: 40s", TEN_SECONDS ", " OF_PORTS(A_POOL)),
		.second = A_MINUTE,
		.want = LONGEST_TOO_SHORT,
		.says = "40s is less than baseEjectionTime, 1m0s at ",
	},
	{
		.id = "a port that is left alone",
		.text = OURS("max-ejection-time: 40s",
			     TEN_SECONDS ", " OF_PORTS("loadBalancer: {simple: PASSTHROUGH}")),
		.second = A_MINUTE,
		.want = "",
	},
	{
		.id = "a subset's port",
		.text = SUBSET("max-ejection-time: 40s", TEN_SECONDS, OF_PORTS(A_POOL)),
		.second = A_MINUTE,
		.want = LONGEST_TOO_SHORT A_SUBSET,
		.says = "40s is less than baseEjectionTime, 1m0s at ",
	},
	{
		.id = "a subset over a rule that is left alone",
		.text = SUBSET("max-ejection-time: 40s", "loadBalancer: {simple: PASSTHROUGH}",
			       "loadBalancer: {simple: RANDOM}"),
		.second = A_MINUTE,
		.want = LONGEST_TOO_SHORT A_SUBSET,
	},
	{
		.id = "a subset's list, by handshakes",
		.text = SUBSET("max-ejection-time: 20s", A_POOL, BALANCED(FAILOVER)),
		.want = LONGEST_TOO_SHORT A_SUBSET,
		.says = "20s is less than baseEjectionTime, 30s without outlierDetection",
	},
	{
		.id = "a subset's list over a port of the rule",
		.text = SUBSET("max-ejection-time: 20s", TEN_SECONDS ", " OF_PORTS(A_POOL),
			       BALANCED(FAILOVER)),
		.want = LONGEST_TOO_SHORT A_SUBSET,
	},
	{
		.id = "a subset has its rule's outlierDetection, or its own",
		.text = SUBSET("max-ejection-time: 20s", TEN_SECONDS,
			       BALANCED(FAILOVER) ", " OF_PORTS(TEN_SECONDS)),
		.second = A_MINUTE,
		.want = A_SUBSET,
	},
	{
		.id = "the mesh's is told once, however many rules there are",
		.text = "metadata: {annotations: {meridian.dev/max-ejection-time: 10s}}\n" FAILOVER
			"\n",
		.second = RULE "    connectionPool: {tcp: {maxConnections: 1}}\n",
		.want = "error a:1:58 " AT("max-ejection-time") "warning a:2:31 "
								"localityLbSetting.failover\n",
	},
	{
		.id = "nothing asks for ejections, and nothing for the defaults that are written",
		.text = OURS("probation: 0s, meridian.dev/ejection-cap: regional, "
			     "meridian.dev/max-ejection-time-jitter: 0s",
			     BALANCED(DISTRIBUTE)),
		.want = "",
	},
	{
		.id = "what is wrong is told before what changes nothing",
		.text = OURS("probation: 30s", "outlierDetecton: {}"),
		.want = "error a:4:39 spec.trafficPolicy.outlierDetecton\n",
	},
};

static void test_what_changes_nothing(void **state)
{
	(void)state;
	CHECK_ROWS(idle_rows);
}

/* A list alone ejects by failed handshakes, as the annotations have it. */
static void test_handshakes(void **state)
{
	const uint16_t port = 80;
	struct mrd_policy *policy = policy_of(
		OURS("probation: 20s, meridian.dev/ejection-cap: always-one, "
		     "meridian.dev/max-ejection-time: 40s, "
		     "meridian.dev/max-ejection-time-jitter: 2s, "
		     "meridian.dev/success-rate-minimum-hosts: '3'",
		     BALANCED(FAILOVER)) "---\nmetadata: {annotations: {meridian.dev/probation: "
					 "7s}}\n" FAILOVER "\n");
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	struct mrd_effective got;

	(void)state;
	mrd_policy_effective(policy, "default", "reviews", 80, &got);
	assert_null(got.outlier);
	assert_non_null(got.detector);
	assert_int_equal(got.detector->probation_ms, 20000);
	assert_int_equal(got.detector->cap, MRD_CAP_ALWAYS_ONE);
	assert_int_equal(got.detector->max_ejection_ms, 40000);
	assert_int_equal(got.detector->max_jitter_ms, 2000);
	assert_false(got.detector->success_rate.on);
	mrd_policy_text(policy, "default", "reviews",
			&(struct mrd_policy_ports){&port, 1, "", false}, &text);
	assert_non_null(strstr(text.text, "meridian.dev/probation: 20s\n"));
	mrd_policy_effective(policy, "default", "others", 80, &got);
	assert_int_equal(got.detector->probation_ms, 7000);
	mrd_policy_free(policy);
}

/* So does one behind a distribution, where a fallback makes something of it. */
static void test_handshakes_behind_a_distribution(void **state)
{
	static const struct {
		const char *lists;
		bool ejects;
	} cases[] = {
		{"distribute: [{from: r1, to: {r1: 80, r2: 20}}], failover: [{from: r1, to: r3}]",
		 true},
		{"distribute: [{from: r1, to: {r1: 80, r2: 20}}]", false},
		{"enabled: false, failover: [{from: r1, to: r3}]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
		const uint16_t port = 80;
		struct mrd_policy *policy;
		struct mrd_effective got;
		char yaml[1024];

		snprintf(yaml, sizeof(yaml),
			 OURS("fallback: next-region", "loadBalancer: {localityLbSetting: {%s}}"),
			 cases[i].lists);
		print_message("%s\n", yaml);
		policy = policy_of(yaml);
		mrd_policy_effective(policy, "default", "reviews", 80, &got);
		assert_null(got.outlier);
		assert_int_equal(got.detector != NULL, cases[i].ejects);
		mrd_policy_text(policy, "default", "reviews",
				&(struct mrd_policy_ports){&port, 1, "", false}, &text);
		assert_non_null(strstr(text.text, cases[i].ejects ? "failed handshakes alone eject"
								  : "nothing is ejected"));
		mrd_policy_free(policy);
	}
}

/* What the mesh's document sets, a rule's own value lifts. */
static void test_a_rule_lifts_the_mesh(void **state)
{
	struct mrd_policy *policy = policy_of(
		"metadata: {annotations: {meridian.dev/regions: strict, meridian.dev/fallback: "
		"next-region, meridian.dev/probation: 30s, meridian.dev/warmup: 1m, "
		"meridian.dev/syn-timeout: 80ms, meridian.dev/ejection-cap: envoy}}\n" DISTRIBUTE
		"\n---\n" OURS("regions: all, meridian.dev/fallback: none, "
			       "meridian.dev/probation: 0s, meridian.dev/warmup: 0s, "
			       "meridian.dev/syn-timeout: 0s, meridian.dev/ejection-cap: regional",
			       "outlierDetection: {}"));
	struct mrd_effective got;

	(void)state;
	mrd_policy_effective(policy, "default", "reviews", 80, &got);
	assert_false(got.regions_strict);
	assert_false(got.fallback_next_region);
	assert_int_equal(got.detector->probation_ms, 0);
	assert_int_equal(got.detector->cap, MRD_CAP_REGIONAL);
	assert_int_equal(got.region_warmup_ms, 0);
	assert_int_equal(got.syn_timeout_ms, 0);
	mrd_policy_effective(policy, "default", "others", 80, &got);
	assert_true(got.regions_strict);
	assert_true(got.fallback_next_region);
	assert_int_equal(got.region_warmup_ms, 60000);
	assert_int_equal(got.syn_timeout_ms, 80);
	mrd_policy_free(policy);
}

static void test_a_rule_lifts_detectors_of_rates(void **state)
{
	struct mrd_policy *policy = policy_of(
		"metadata: {annotations: {meridian.dev/success-rate-minimum-hosts: '3', "
		"meridian.dev/failure-percentage-enforcing: '100'}}\n"
		"defaultTrafficPolicy: {outlierDetection: {}}\n---\n" OURS(
			"success-rate-enforcing: 'off', meridian.dev/failure-percentage-enforcing: "
			"\"off\"",
			"outlierDetection: {}"));
	const uint16_t port = 80;
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	struct mrd_effective got;

	(void)state;
	mrd_policy_effective(policy, "default", "reviews", port, &got);
	assert_false(got.outlier->success_rate.on);
	assert_false(got.outlier->failure_percentage.on);
	mrd_policy_text(policy, "default", "reviews",
			&(struct mrd_policy_ports){&port, 1, "", false}, &text);
	assert_null(strstr(text.text, "success-rate"));
	assert_null(strstr(text.text, "failure-percentage"));
	mrd_policy_effective(policy, "default", "others", port, &got);
	assert_true(got.outlier->success_rate.on);
	assert_int_equal(got.outlier->success_rate.minimum_hosts, 3);
	assert_true(got.outlier->failure_percentage.enforced);
	mrd_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_changes_nothing),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_handshakes_behind_a_distribution),
		cmocka_unit_test(test_a_rule_lifts_the_mesh),
		cmocka_unit_test(test_a_rule_lifts_detectors_of_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
