/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What policy files may say: findings with their places, by the ids of the vectors. */
#include "policy/policy_yaml.h"

#include "tests/unit/policy/rows.h"

/* Line 7 of a rule; the setting starts in column 5. */
#define OUTLIER(inside)	 RULE "    outlierDetection: {" inside "}\n"
#define POOL(inside)	 RULE "    connectionPool: {" inside "}\n"
#define LOCALITY(inside) "localityLbSetting: {" inside "}\n"
#define AT_OUTLIER	 "spec.trafficPolicy.outlierDetection"
#define AT_POOL		 "spec.trafficPolicy.connectionPool"

/* ------------------------------------------------------------------------------- values */

static const struct row outlier_rows[] = {
	{
		.id = "V19",
		.text = OUTLIER("interval: 2s, baseEjectionTime: 2s, "
				"maxEjectionPercent: 50"),
		.want = "",
	},
	{.id = "V15", .text = OUTLIER("interval: 1s"), .want = ""},
	{
		.id = "V21",
		.text = OUTLIER("maxEjectionPercent: 105"),
		.want = "error a:7:44 " AT_OUTLIER ".maxEjectionPercent\n",
		.says = "from 0 to 100",
	},
	{
		.id = "V22: -1",
		.text = OUTLIER("minHealthPercent: -1"),
		.want = "error a:7:42 " AT_OUTLIER ".minHealthPercent\n",
	},
	{
		.id = "V22: 101",
		.text = OUTLIER("minHealthPercent: 101"),
		.want = "error a:7:42 " AT_OUTLIER ".minHealthPercent\n",
	},
	{
		.id = "V23",
		.text = OUTLIER("consecutiveErrors: 101"),
		.want = "warning a:7:24 " AT_OUTLIER ".consecutiveErrors\n",
		.says = "deprecated",
	},
	{
		.id = "a duration without a unit",
		.text = OUTLIER("interval: 10"),
		.want = "error a:7:34 " AT_OUTLIER ".interval\n",
		.says = "write \"10s\"",
	},
	{
		.id = "a duration of no time",
		.text = OUTLIER("interval: 0s"),
		.want = "error a:7:34 " AT_OUTLIER ".interval\n",
		.says = "at least 1ms",
	},
	{
		.id = "a duration below a millisecond",
		.text = OUTLIER("baseEjectionTime: 1500us"),
		.want = "error a:7:42 " AT_OUTLIER ".baseEjectionTime\n",
		.says = "milliseconds",
	},
	{
		.id = "a negative duration",
		.text = OUTLIER("interval: -1s"),
		.want = "error a:7:34 " AT_OUTLIER ".interval\n",
		.says = "negative",
	},
	{
		.id = "no duration",
		.text = OUTLIER("interval: soon"),
		.want = "error a:7:34 " AT_OUTLIER ".interval\n",
		.says = "write it like",
	},
	{
		.id = "local-origin failures without the split",
		.text = OUTLIER("consecutiveLocalOriginFailures: 3"),
		.want = "error a:7:56 " AT_OUTLIER ".consecutiveLocalOriginFailures\n",
		.says = "splitExternalLocalOriginErrors",
	},
	{
		.id = "O30",
		.text = OUTLIER("consecutive5xxErrors: 2, consecutiveGatewayErrors: 2"),
		.want = "warning a:7:75 " AT_OUTLIER ".consecutiveGatewayErrors\n",
		.says = "no effect on who is ejected: consecutive5xxErrors (2) is reached no "
			"later (where all are gateway errors",
	},
	{
		.id = "O30: under codes of its own that are none of a gateway's",
		.text = OUTLIER("consecutive5xxErrors: 3, consecutiveGatewayErrors: 2, "
				"splitExternalLocalOriginErrors: true, "
				"outlierDetectionHttpErrorCodes: [429]"),
		.want = "warning a:7:75 " AT_OUTLIER ".consecutiveGatewayErrors\n",
		.says = "no effect: outlierDetectionHttpErrorCodes has none of 502, 503 and 504",
	},
	{
		.id = "O30: under such codes connections that fail count",
		.text = OUTLIER("consecutive5xxErrors: 3, consecutiveGatewayErrors: 2, "
				"outlierDetectionHttpErrorCodes: [429]"),
		.want = "",
	},
	{
		.id = "O30: and one of a gateway's does",
		.text = OUTLIER("consecutive5xxErrors: 3, consecutiveGatewayErrors: 2, "
				"splitExternalLocalOriginErrors: true, "
				"outlierDetectionHttpErrorCodes: [429, 503]"),
		.want = "",
	},
	{
		.id = "O30: above it",
		.text = OUTLIER("consecutive5xxErrors: 2, consecutiveGatewayErrors: 3"),
		.want = "warning a:7:75 " AT_OUTLIER ".consecutiveGatewayErrors\n",
		.says = "consecutive5xxErrors (2) is reached first",
	},
	{
		.id = "a leading 0",
		.text = OUTLIER("maxEjectionPercent: 010"),
		.want = "error a:7:44 " AT_OUTLIER ".maxEjectionPercent\n",
		.says = "a whole number without a leading 0, not \"010\"",
	},
	{
		.id = "0 per cent",
		.text = OUTLIER("maxEjectionPercent: 0"),
		.want = "warning a:7:44 " AT_OUTLIER ".maxEjectionPercent\n",
		.says = "never",
	},
	{
		.id = "every detector off",
		.text = OUTLIER("consecutive5xxErrors: 0"),
		.want = "warning a:7:5 " AT_OUTLIER "\n",
		.says = "ejects nobody",
	},
	{
		.id = "one of them on",
		.text = OUTLIER("consecutive5xxErrors: 0, consecutiveGatewayErrors: 1"),
		.want = "",
	},
	{
		.id = "0 local-origin failures",
		.text = OUTLIER("splitExternalLocalOriginErrors: true, "
				"consecutiveLocalOriginFailures: 0"),
		.want = "warning a:7:94 " AT_OUTLIER ".consecutiveLocalOriginFailures\n",
		.says = "never",
	},
	{
		.id = "A11",
		.text = OUTLIER("outlierDetectionHttpErrorCodes: [429, 503, 429]"),
		.want = "",
	},
	{
		.id = "codes beyond HTTP's",
		.text = OUTLIER("outlierDetectionHttpErrorCodes: [100, 599, 99, 600, x]"),
		.want = "error a:7:67 " AT_OUTLIER ".outlierDetectionHttpErrorCodes[2]\n"
			"error a:7:71 " AT_OUTLIER ".outlierDetectionHttpErrorCodes[3]\n"
			"error a:7:76 " AT_OUTLIER ".outlierDetectionHttpErrorCodes[4]\n",
		.says = "from 100 to 599",
	},
	{
		.id = "V23: no value is too large or too small",
		.text = OUTLIER("consecutiveErrors: -1"),
		.want = "warning a:7:24 " AT_OUTLIER ".consecutiveErrors\n",
	},
	{
		.id = "V23: but a number it is",
		.text = OUTLIER("consecutiveErrors: many"),
		.want = "error a:7:43 " AT_OUTLIER ".consecutiveErrors\n",
	},
	{
		.id = "kinds of values",
		.text = OUTLIER("interval: [], splitExternalLocalOriginErrors: yea, "
				"consecutive5xxErrors: 1.5"),
		.want = "error a:7:34 " AT_OUTLIER ".interval\n"
			"error a:7:70 " AT_OUTLIER ".splitExternalLocalOriginErrors\n"
			"error a:7:97 " AT_OUTLIER ".consecutive5xxErrors\n",
	},
	{
		.id = "a flag as kubectl reads it",
		.text = OUTLIER("splitExternalLocalOriginErrors: yes, "
				"consecutiveLocalOriginFailures: 3"),
		.want = "",
	},
	{
		.id = "but not in quotes",
		.text = OUTLIER("splitExternalLocalOriginErrors: 'yes'"),
		.want = "error a:7:56 " AT_OUTLIER ".splitExternalLocalOriginErrors\n",
	},
	{
		.id = "nor for a string, as the API server refuses it",
		.text = RULE_NAMED("r", "no") "    {outlierDetection: {}}\n",
		.want = "error a:5:9 spec.host\n",
		.says = "write \"no\" in quotes",
	},
	{
		.id = "numbers in quotes are numbers, words in quotes are not",
		.text = OUTLIER("consecutive5xxErrors: '3', maxEjectionPercent: '3x'"),
		.want = "error a:7:71 " AT_OUTLIER ".maxEjectionPercent\n",
	},
	{
		.id = "whole numbers as protobuf's JSON takes them",
		.text = OUTLIER("consecutive5xxErrors: 5.0, maxEjectionPercent: 1e1, "
				"consecutiveGatewayErrors: '2.00'"),
		.want = "",
	},
	{
		.id = "and numbers that it does not take",
		.text = OUTLIER("consecutive5xxErrors: '05', maxEjectionPercent: '1e-1', "
				"consecutiveGatewayErrors: 1e99"),
		.want = "error a:7:46 " AT_OUTLIER ".consecutive5xxErrors\n"
			"error a:7:72 " AT_OUTLIER ".maxEjectionPercent\n"
			"error a:7:106 " AT_OUTLIER ".consecutiveGatewayErrors\n",
	},
	{
		.id = "beyond 32 and 64 bits",
		.text = OUTLIER("consecutive5xxErrors: 4294967296, "
				"consecutiveGatewayErrors: '99999999999999999999'"),
		.want = "error a:7:46 " AT_OUTLIER ".consecutive5xxErrors\n"
			"error a:7:84 " AT_OUTLIER ".consecutiveGatewayErrors\n",
	},
	{
		.id = "an empty value is not an empty block",
		.text = RULE "    outlierDetection:\n    loadBalancer: {}\n",
		.want = "warning a:7:5 " AT_OUTLIER "\n",
		.says = "not given",
	},
};

static void test_outlier(void **state)
{
	(void)state;
	CHECK_ROWS(outlier_rows);
}

static void test_pool(void **state)
{
	static const struct row rows[] = {
		{
			.id = "the guide's sample",
			.text = POOL("http: {maxRequestsPerConnection: 1}"),
			.want = "",
		},
		{
			.id = "V25",
			.text = POOL(""),
			.want = "error a:7:21 " AT_POOL "\n",
		},
		{
			.id = "V25: nothing inside is no block either",
			.text = POOL("tcp: "),
			.want = "error a:7:21 " AT_POOL "\n"
				"warning a:7:22 " AT_POOL ".tcp\n",
		},
		{
			.id = "V26",
			.text = POOL("tcp: {maxConnections: -1}, http: {"
				     "http1MaxPendingRequests: -1, http2MaxRequests: -1, "
				     "maxRequestsPerConnection: -1, maxRetries: -1, "
				     "maxConcurrentStreams: -1}"),
			.want = "error a:7:44 " AT_POOL ".tcp.maxConnections\n"
				"error a:7:81 " AT_POOL ".http.http1MaxPendingRequests\n"
				"error a:7:103 " AT_POOL ".http.http2MaxRequests\n"
				"error a:7:133 " AT_POOL ".http.maxRequestsPerConnection\n"
				"error a:7:149 " AT_POOL ".http.maxRetries\n"
				"error a:7:175 " AT_POOL ".http.maxConcurrentStreams\n",
		},
		{
			.id = "V28",
			.text = POOL("tcp: {idleTimeout: 0s}"),
			.want = "warning a:7:28 " AT_POOL ".tcp.idleTimeout\n",
		},
		{
			.id = "V17",
			.text = POOL("tcp: {connectTimeout: 31s}"),
			.want = "",
		},
		{
			.id = "connectTimeout: more than the kernel takes",
			.text = POOL("tcp: {connectTimeout: 999999999s}"),
			.want = "error a:7:44 " AT_POOL ".tcp.connectTimeout\n",
			.says = "at most 596h31m23.647s",
		},
		{
			.id = "V18 in the mesh",
			.text = "connectTimeout: 999999999s\n",
			.want = "error a:1:17 connectTimeout\n",
		},
		{
			.id = "V29: no interval",
			.text = POOL("http: {http2KeepAlive: {timeout: 1s}}"),
			.want = "warning a:7:29 " AT_POOL ".http.http2KeepAlive\n"
				"error a:7:45 " AT_POOL ".http.http2KeepAlive.interval\n",
			.says = "must be given",
		},
		{
			.id = "V29: no timeout",
			.text = POOL("http: {http2KeepAlive: {interval: 1s}}"),
			.want = "warning a:7:29 " AT_POOL ".http.http2KeepAlive\n"
				"error a:7:45 " AT_POOL ".http.http2KeepAlive.timeout\n",
		},
		{
			.id = "V30",
			.text = POOL("tcp: {maxConnections: 7, connectTimeout: 2s, "
				     "idleTimeout: 30s}, http: {maxRetries: 4}"),
			.want = "warning a:7:67 " AT_POOL ".tcp.idleTimeout\n"
				"warning a:7:93 " AT_POOL ".http.maxRetries\n",
		},
		{
			.id = "more than the kernel takes of tcpKeepalive",
			.text = POOL("tcp: {tcpKeepalive: {time: 12h, interval: 500ms, probes: "
				     "200}}"),
			.want = "warning a:7:49 " AT_POOL ".tcp.tcpKeepalive\n"
				"warning a:7:64 " AT_POOL ".tcp.tcpKeepalive\n"
				"warning a:7:79 " AT_POOL ".tcp.tcpKeepalive\n",
			.says = "32767s holds",
		},
		{
			.id = "as much as it takes",
			.text = POOL("tcp: {tcpKeepalive: {time: 32767s, interval: 1s, probes: "
				     "127}}"),
			.want = "",
		},
		{
			.id = "two ways of choosing the protocol",
			.text = POOL("http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}"),
			.want = "warning a:7:29 " AT_POOL ".http.h2UpgradePolicy\n"
				"error a:7:55 " AT_POOL ".http.useClientProtocol\n"
				"warning a:7:55 " AT_POOL ".http.useClientProtocol\n",
			.says = "exclude each other",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* ------------------------------------------------------------------------------- documents */

static void test_fields(void **state)
{
	static const struct row rows[] = {
		{
			.id = "a typo",
			.text = OUTLIER("consecutive5xxErorrs: 1"),
			.want = "error a:7:24 " AT_OUTLIER ".consecutive5xxErorrs\n",
			.says = "did you mean \"consecutive5xxErrors\"?",
		},
		{
			.id = "a field that nobody knows, with an odd name",
			.text = "'foo.bar': 1\n",
			.want = "error a:1:1 [\"foo.bar\"]\n",
		},
		{
			.id = "all mistakes of all files",
			.text = OUTLIER("intervall: 1s, interval: x"),
			.second = "apiVersion: networking.istio.io/v1\n"
				  "kind: DestinationRule\n"
				  "metadata: {nam: x}\n"
				  "spec: {hosts: a}\n",
			.want = "error a:7:24 " AT_OUTLIER ".intervall\n"
				"error a:7:49 " AT_OUTLIER ".interval\n"
				"error b:3:11 metadata\n"
				"error b:3:12 metadata.nam\n"
				"error b:4:7 spec.host\n"
				"error b:4:8 spec.hosts\n",
		},
		{
			.id = "left empty, as a template does",
			.text = "apiVersion: networking.istio.io/v1\n"
				"kind: DestinationRule\n"
				"metadata: {name: }\n"
				"spec: {host: }\n",
			.want = "error a:3:11 metadata\n"
				"warning a:3:12 metadata.name\n"
				"error a:4:14 spec.host\n",
		},
		{
			.id = "known to Istio: one warning an occurrence, strict inside",
			.text = RULE "    tls: {mode: SIMPLE, mod: x}\n"
				     "    portLevelSettings:\n"
				     "    - {port: {number: 0}, outlierDetection: {interval: 1s}}\n"
				     "    - {port: {number: 80}, connectionPool: {tcp: "
				     "{maxConnections: 1}}}\n"
				     "  subsets:\n"
				     "  - {name: v1, labels: {version: v1}, trafficPolicy: "
				     "{outlierDetection: {consecutiveErrors: 1}}}\n"
				     "  - {labels: {version: 2}}\n",
			.want = "warning a:7:5 spec.trafficPolicy.tls\n"
				"error a:7:25 spec.trafficPolicy.tls.mod\n"
				"error a:9:23 spec.trafficPolicy.portLevelSettings[0].port.number\n"
				"warning a:11:3 spec.subsets\n"
				"error a:13:5 spec.subsets[1].name\n"
				"error a:13:24 spec.subsets[1].labels.version\n",
			.says = "in quotes",
		},
		{
			.id = "balancers",
			.text = RULE "    loadBalancer: {simple: BEST}\n",
			.want = "error a:7:28 spec.trafficPolicy.loadBalancer.simple\n",
			.says = "RANDOM, PASSTHROUGH or LEAST_CONN, not \"BEST\"",
		},
		{
			.id = "a deprecated name",
			.text = RULE "    loadBalancer: {simple: LEAST_CONN}\n",
			.want = "warning a:7:28 spec.trafficPolicy.loadBalancer.simple\n",
		},
		{
			.id = "exportTo",
			.text = RULE "    {outlierDetection: {}}\n  exportTo: ['*']\n",
			.want = "",
		},
		{
			.id = "exportTo: own",
			.text = RULE "    {outlierDetection: {}}\n  exportTo: [.]\n",
			.want = "warning a:8:13 spec.exportTo\n",
		},
		{
			.id = "exportTo: mixed, and twice",
			.text = RULE "    {outlierDetection: {}}\n  exportTo: ['*', a, a]\n",
			.want = "error a:8:14 spec.exportTo[0]\n"
				"error a:8:22 spec.exportTo[2]\n",
			.says = "\"*\" must stand alone",
		},
		{
			.id = "exportTo: one namespace twice, in the same words",
			.text = RULE "    {outlierDetection: {}}\n  exportTo: [default, default]\n",
			.want = "error a:8:23 spec.exportTo[1]\n",
			.says = "\"default\" is there twice",
			.never = "own namespace",
		},
		{
			.id = "exportTo: one namespace twice, in two words",
			.text = RULE "    {outlierDetection: {}}\n  exportTo: [., default]\n",
			.want = "error a:8:17 spec.exportTo[1]\n",
			.says = "twice: \".\" is the rule's own namespace",
		},
		{
			.id = "what kubectl prints beside",
			.text = RULE "    {outlierDetection: {}}\nstatus: {}\n",
			.want = "",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_annotations(void **state)
{
#define ANNOTATED(inside)                                             \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: r, annotations: {" inside "}}\n"            \
	"spec: {host: reviews, trafficPolicy: {outlierDetection: {maxEjectionPercent: 5}}}\n"
#define AT_OURS "metadata.annotations[\"meridian.dev/"
	static const struct row rows[] = {
		{
			.id = "others' are others' business",
			.text = ANNOTATED("example.org/a: b, kubectl.kubernetes.io/x: '{}'"),
			.want = "",
		},
		{
			.id = "unknown",
			.text = ANNOTATED("meridian.dev/fallbak: next-region"),
			.want = "error a:3:35 " AT_OURS "fallbak\"]\n",
			.says = "did you mean",
		},
		{
			.id = "what an API server refuses, whosever it is",
			.text = ANNOTATED(
				"example.org/a: true, meridian.dev/overprovisioning-percent: "
				"200, example.org/b: 1.5, example.org/c: y"),
			.want = "warning a:3:50 metadata.annotations[\"example.org/a\"]\n"
				"warning a:3:95 " AT_OURS "overprovisioning-percent\"]\n"
				"warning a:3:115 metadata.annotations[\"example.org/b\"]\n",
			.says = "write \"200\" in quotes",
		},
		{
			.id = "bad values",
			.text = ANNOTATED("meridian.dev/probation: soon, "
					  "meridian.dev/overprovisioning-percent: '99', "
					  "meridian.dev/unready: maybe"),
			.want = "error a:3:59 " AT_OURS "probation\"]\n"
				"error a:3:104 " AT_OURS "overprovisioning-percent\"]\n"
				"error a:3:132 " AT_OURS "unready\"]\n",
		},
		{
			.id = "known",
			.text = ANNOTATED("meridian.dev/fallback: next-region, "
					  "meridian.dev/regions: strict, meridian.dev/warmup: 5m, "
					  "meridian.dev/on-eject: keep"),
			.second = "localityLbSetting: {distribute: [{from: a, to: {b: 100}}]}\n",
			.want = "",
		},
		{
			.id = "a cap beside maxEjectionPercent",
			.text = ANNOTATED("meridian.dev/ejection-cap: envoy"),
			.want = "warning a:3:62 " AT_OURS "ejection-cap\"]\n",
			.says = "no effect",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_hosts(void **state)
{
#define HOSTED(host)                                                  \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: r, namespace: shop}\nspec: {host: '" host "'}\n"
	static const struct row rows[] = {
		{.id = "short", .text = HOSTED("cart"), .want = ""},
		{.id = "any", .text = HOSTED("*"), .want = ""},
		{
			.id = "no host name",
			.text = HOSTED("cart/shop"),
			.want = "error a:4:14 spec.host\n",
		},
		{
			.id = "no service",
			.text = HOSTED("cart.shop"),
			.want = "warning a:4:14 spec.host\n",
			.says = ".svc.cluster.local",
		},
		{
			.id = "a service of another namespace",
			.text = HOSTED("cart.other.svc.cluster.local"),
			.want = "warning a:4:14 spec.host\n",
			.says = "(other)",
		},
		{
			.id = "a second trafficPolicy for a host",
			.text = RULE_NAMED("one", "reviews") "    {outlierDetection: {}}\n",
			.second = RULE_NAMED(
				"two",
				"reviews.default.svc.cluster.local") "    {outlierDetection: {}}\n",
			.want = "warning b:5:9 spec.host\n",
			.says = "default/one",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_mesh(void **state)
{
	static const struct row rows[] = {
		{
			.id = "one mode in each of two documents",
			.text = LOCALITY("distribute: [{from: a, to: {b: 100}}]"),
			.second = "---\n" LOCALITY("failover: [{from: a, to: b}]"),
			.want = "error b:2:21 localityLbSetting.failover\n",
			.says = "a.yaml:1:21) and failover (",
		},
		{
			.id = "a key twice",
			.text = LOCALITY("failover: [{from: a, to: b}]") "---\n" LOCALITY(
				"failover: [{from: a, to: b}]"),
			.second = WATCHED,
			.want = "error a:3:1 localityLbSetting\n",
			.says = "a.yaml:1:1 and again at ",
		},
		{
			.id = "an annotation twice",
			.text = "metadata: {annotations: {meridian.dev/probation: 1s}}\n",
			.second = "metadata: {annotations: {meridian.dev/probation: 1s}}\n",
			.want = "error b:1:26 metadata.annotations[\"meridian.dev/probation\"]\n",
		},
		{
			.id = "what others note at two documents",
			.text = "metadata: {annotations: {example.org/owner: a, meridian.dev: "
				"b}}\n",
			.second =
				"metadata: {annotations: {example.org/owner: c, meridian.dev: d}}\n"
				"---\nmetadata: {annotations: {meridian.dev/probatoin: 1s}}\n",
			.want = "error b:3:26 metadata.annotations[\"meridian.dev/probatoin\"]\n",
		},
		{
			.id = "spread over documents",
			.text = LOCALITY("failover: [{from: a, to: b}]"),
			.second = "serviceSettings: [{settings: {clusterLocal: true}, hosts: "
				  "['*.svc.cluster.local']}]\n---\n"
				  "metadata: {annotations: {meridian.dev/probation: 1s}}\n"
				  "---\n" WATCHED,
			.want = "",
		},
		{
			.id = "serviceSettings",
			.text = "serviceSettings:\n"
				"- {settings: {clusterLocal: 1}, hosts: [a.b, 'x y', 5]}\n"
				"- {settings: {}}\n",
			.want = "error a:2:29 serviceSettings[0].settings.clusterLocal\n"
				"warning a:2:41 serviceSettings[0].hosts[0]\n"
				"error a:2:46 serviceSettings[0].hosts[1]\n"
				"error a:2:53 serviceSettings[0].hosts[2]\n"
				"error a:3:3 serviceSettings[1].hosts\n",
		},
		{
			.id = "ages",
			.text = "metadata: {creationTimestamp: 2026-01-01T08:00:00.5+08:00}\n---\n"
				"metadata: {creationTimestamp: null, name: a}\n---\n"
				"metadata: {creationTimestamp: yesterday}\n---\n"
				"metadata: {creationTimestamp: ''}\n",
			.want = "warning a:5:31 metadata.creationTimestamp\n"
				"warning a:7:31 metadata.creationTimestamp\n",
			.says = "is no time as RFC 3339 has it: taken as not given",
		},
		{
			.id = "a key given twice hides no other mistake",
			.text = "enableTracking: true\n"
				"localityLbSetting: {enabled: true, enabled: 1, failover: 5}\n"
				"---\nenableHacking: true\n",
			.want = "error a:1:1 enableTracking\n"
				"error a:2:36 localityLbSetting.enabled\n"
				"error a:2:58 localityLbSetting.failover\n"
				"error a:4:1 enableHacking\n",
		},
		{
			.id = "known to Istio, unknown to anybody",
			.text = "enableTracing: true\nenableTracking: true\n",
			.want = "warning a:1:1 enableTracing\n"
				"error a:2:1 enableTracking\n",
		},
		{
			.id = "a rule that lost its head",
			.text = "metadata: {name: a}\nspec: {host: a}\n",
			.want = "error a:1:1\n",
			.says = "neither apiVersion nor kind",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_documents(void **state)
{
	static const struct row rows[] = {
		{.id = "nothing", .text = "", .want = ""},
		{.id = "empty documents", .text = "---\n---\n# nothing\n---\n", .want = ""},
		{
			.id = "V31: a VirtualService is one note",
			.text = "apiVersion: networking.istio.io/v1beta1\nkind: VirtualService\n"
				"spec: {whatever: 1}\n",
			.want = "warning a:2:7 kind\n",
			.says = "not applied",
		},
		{
			.id = "unknown version and kind of Istio's",
			.text = "apiVersion: networking.istio.io/v2\nkind: DestinationRule\n---\n"
				"apiVersion: networking.istio.io/v1\nkind: DestinationRules\n",
			.want = "error a:1:13 apiVersion\nerror a:5:7 kind\n",
			.says = "v1alpha3",
		},
		{
			.id = "a kind in small letters",
			.text = "apiVersion: networking.istio.io/v1\nkind: destinationrule\n",
			.want = "error a:2:7 kind\n",
			.says = "unknown kind of networking.istio.io: \"destinationrule\"",
		},
		{
			.id = "what a cluster's dump holds is passed over, each with a word",
			.text = "apiVersion: v1\nkind: List\nitems:\n"
				"- {apiVersion: v1, kind: Service, spec: 1}\n"
				"- {apiVersion: apps/v1, kind: Deployment}\n"
				"- {apiVersion: security.istio.io/v1, kind: PeerAuthentication}\n"
				"- {apiVersion: telemetry.istio.io/v1alpha1, kind: Telemetry}\n"
				"- {apiVersion: gateway.networking.k8s.io/v1beta1, kind: "
				"HTTPRoute}\n"
				"- {apiVersion: networking.istio.io/v1alpha2, kind: EnvoyFilter}\n"
				"- {apiVersion: example.org/v1, kind: Other}\n",
			.want = "warning a:4:26 items[0].kind\n"
				"warning a:5:31 items[1].kind\n"
				"warning a:6:44 items[2].kind\n"
				"warning a:7:51 items[3].kind\n"
				"warning a:8:57 items[4].kind\n"
				"warning a:9:52 items[5].kind\n"
				"warning a:10:38 items[6].kind\n",
			.says = "a PeerAuthentication is not applied",
		},
		{
			.id = "a rule of another group is a typo",
			.text = "apiVersion: networking.istoi.io/v1\nkind: DestinationRule\n",
			.want = "error a:2:7 kind\n",
			.says = "expected a DestinationRule",
		},
		{
			.id = "what is no object of Kubernetes'",
			.text = "{apiVersion: 1, kind: Service}\n---\n"
				"{apiVersion: v1, kind: service}\n---\n"
				"{apiVersion: /v1, kind: Service}\n---\n"
				"{apiVersion: a b/v1, kind: Service}\n---\n"
				"{apiVersion: apps/vx, kind: Service}\n---\n"
				"{apiVersion: v1, kind: [Service]}\n",
			.want = "error a:1:23 kind\nerror a:3:24 kind\nerror a:5:25 kind\n"
				"error a:7:28 kind\nerror a:9:29 kind\nerror a:11:1 kind\n",
		},
		{
			.id = "half a head",
			.text = "kind: DestinationRule\n---\napiVersion: v1\n",
			.want = "error a:1:1 apiVersion\nerror a:3:1 kind\n",
		},
		{
			.id = "no document",
			.text = "- a\n---\nb\n",
			.want = "error a:1:1\nerror a:3:1\n",
		},
		{
			.id = "lists keep the way to an item",
			.text = "apiVersion: v1\nkind: List\nitems:\n"
				"- apiVersion: networking.istio.io/v1\n  kind: DestinationRule\n"
				"  metadata: {name: a}\n  spec: {host: a, hots: b}\n",
			.want = "error a:7:19 items[0].spec.hots\n",
		},
		{
			.id = "what a list may hold",
			.text = "apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\n"
				"items: []\n---\n"
				"{apiVersion: networking.istio.io/v1, kind: DestinationRuleList, "
				"items: null}\n",
			.want = "warning a:6:65 items\n",
			.says = "the same as not given",
		},
		{
			.id = "a list with a typo",
			.text = "apiVersion: v1\nkind: List\nitem:\n- {kind: x}\n",
			.want = "warning a:1:1 items\nerror a:3:1 item\n",
		},
		{
			.id = "a list in a list, with one field too many and no items",
			.text = "apiVersion: v1\nkind: List\nitems:\n"
				"- {apiVersion: v1, kind: List, spec: 1, items: []}\n"
				"- {apiVersion: v1, kind: List}\n",
			.want = "error a:4:32 items[0].spec\nwarning a:5:3 items[1].items\n",
		},
		{
			.id = "items that are none",
			.text = "apiVersion: v1\nkind: List\nitems: {}\n",
			.want = "error a:3:8 items\n",
		},
		{
			.id = "anchors, aliases and merged keys",
			.text = "apiVersion: v1\nkind: List\nitems:\n"
				"- apiVersion: &v networking.istio.io/v1\n  kind: &k "
				"DestinationRule\n"
				"  metadata: {name: a}\n  spec: &s\n    host: a\n"
				"    trafficPolicy: {outlierDetection: {interval: x}}\n"
				"- {apiVersion: *v, kind: *k, metadata: {name: b}, spec: {<<: *s, "
				"host: 'a b'}}\n",
			.want = "error a:9:50 "
				"items[0].spec.trafficPolicy.outlierDetection.interval\n"
				"error a:9:50 "
				"items[1].spec.trafficPolicy.outlierDetection.interval\n"
				"error a:10:72 items[1].spec.host\n",
		},
		{
			.id = "a byte-order mark, and lines that end as elsewhere",
			.text = "\xef\xbb\xbf"
				"connectTimeout: 1s\r\ntrustDomain:\r\n  a: b\r\n",
			.want = "warning a:1:1 connectTimeout\nwarning a:2:1 trustDomain\n",
		},
		{
			.id = "a tab",
			.text = "localityLbSetting:\n\tenabled: true\n",
			.want = "error a:2:1\n",
			.says = "use spaces",
		},
		{
			.id = "what is no YAML hides no other document, and what is missing is "
			      "told once",
			.text = "localityLbSetting:\n\tenabled: true\n---\n" OUTLIER(
				"interval: *x, baseEjectionTime: 0s, ? {a: 1} : 2"),
			.want = "error a:2:1\n"
				"error a:10:34 " AT_OUTLIER ".interval\n"
				"error a:10:56 " AT_OUTLIER ".baseEjectionTime\n"
				"error a:10:62 " AT_OUTLIER "\n",
		},
		{
			.id = "a duplicate key",
			.text = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				"metadata: {name: a}\nspec:\n  host: a\n  host: b\n",
			.want = "error a:6:3 spec.host\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outlier),	  cmocka_unit_test(test_pool),
		cmocka_unit_test(test_fields),	  cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_hosts),	  cmocka_unit_test(test_mesh),
		cmocka_unit_test(test_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
