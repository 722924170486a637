/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What trafficPolicy may say as a whole, its TLS and tunnel, and labels beside it: Istio's checks.
 */
#include "policy/read.h"

#include "tests/unit/policy/rows.h"

#define AT_TRAFFIC "spec.trafficPolicy"
/* tls is told to have no effect, whatever else is wrong with it: that stands in its errors. */
#define TLS(inside, errors)                                                                \
	.text = RULE "    tls: {" inside "}\n", .want = "warning a:7:5 " AT_TRAFFIC ".tls" \
							"\n" errors
#define TLS_ERROR(column, field) "error a:7:" column " " AT_TRAFFIC ".tls." field "\n"
#define TUNNEL(inside)		 RULE "    tunnel: {" inside "}\n"
static const struct row traffic_rows[] = {
	{
		.id = "a policy that says nothing",
		.text = RULE "    {}\n",
		.want = "error a:7:5 " AT_TRAFFIC "\n",
		.says = "must have a field, or be left out",
	},
	{
		.id = "nor with empty values",
		.text = RULE "    {outlierDetection: , portLevelSettings: []}\n",
		.want = "error a:7:5 " AT_TRAFFIC "\n"
			"warning a:7:6 " AT_TRAFFIC ".outlierDetection"
			"\n",
	},
	{
		.id = "a typo says enough",
		.text = RULE "    {outlier: {}}\n",
		.want = "error a:7:6 " AT_TRAFFIC ".outlier\n",
	},
	{
		.id = "a subset's, and a port's",
		.text = RULE "    portLevelSettings: [{port: {number: 80}}]\n"
			     "  subsets: [{name: v1, trafficPolicy: {}}]\n",
		.want = "error a:7:25 " AT_TRAFFIC ".portLevelSettings[0]\n"
			"warning a:8:3 spec.subsets\n"
			"error a:8:39 spec.subsets[0].trafficPolicy\n",
		.says = "loadBalancer, connectionPool, outlierDetection or tls",
	},
	{
		.id = "what would act on a port that is left alone",
		.text = RULE "    loadBalancer: {simple: PASSTHROUGH, localityLbSetting: "
			     "{failover: [{from: a, to: b}]}}\n"
			     "    outlierDetection: {}\n"
			     "    connectionPool: {tcp: {maxConnections: 1, connectTimeout: "
			     "1s, tcpKeepalive: {}}, http: {maxRequestsPerConnection: 1}}\n",
		.want = "warning a:7:41 " AT_TRAFFIC ".loadBalancer.localityLbSetting\n"
			"warning a:8:5 " AT_TRAFFIC ".outlierDetection\n"
			"warning a:9:28 " AT_TRAFFIC ".connectionPool.tcp.maxConnections\n"
			"warning a:9:47 " AT_TRAFFIC ".connectionPool.tcp.connectTimeout\n"
			"warning a:9:67 " AT_TRAFFIC ".connectionPool.tcp.tcpKeepalive\n"
			"warning a:9:93 " AT_TRAFFIC
			".connectionPool.http.maxRequestsPerConnection\n",
		.says = "no effect: loadBalancer.simple is PASSTHROUGH, which leaves the "
			"port alone",
	},
	{
		.id = "limits and times of 0 would not",
		.text = RULE "    loadBalancer: {simple: PASSTHROUGH}\n"
			     "    connectionPool: {tcp: {maxConnections: 0}, http: "
			     "{maxRequestsPerConnection: 0}}\n",
		.want = "",
	},
	{
		.id = "a time that begins with one does",
		.text = RULE "    loadBalancer: {simple: PASSTHROUGH}\n"
			     "    connectionPool: {tcp: {connectTimeout: 0m30s}}\n",
		.want = "warning a:8:28 " AT_TRAFFIC ".connectionPool.tcp.connectTimeout\n",
	},
	{
		.id = "by the port's own settings, not by the rule's",
		.text = RULE "    outlierDetection: {}\n"
			     "    portLevelSettings:\n"
			     "    - port: {number: 80}\n"
			     "      loadBalancer: {simple: PASSTHROUGH, localityLbSetting: {}}\n"
			     "      outlierDetection: {}\n"
			     "    - port: {number: 81}\n"
			     "      outlierDetection: {}\n",
		.want = "warning a:10:43 " AT_TRAFFIC
			".portLevelSettings[0].loadBalancer.localityLbSetting\n"
			"warning a:11:7 " AT_TRAFFIC ".portLevelSettings[0].outlierDetection\n",
		.says = "PASSTHROUGH",
	},
	{
		.id = "a port's under a rule's",
		.text = RULE "    loadBalancer: {simple: PASSTHROUGH}\n"
			     "    portLevelSettings:\n"
			     "    - port: {number: 80}\n"
			     "      outlierDetection: {}\n",
		.want = "",
	},
	{
		.id = "blocks without effect are blocks",
		.text = RULE "    {tls: {mode: DISABLE}}\n",
		.want = "warning a:7:6 " AT_TRAFFIC ".tls\n",
	},
	{.id = "MUTUAL with it",
	 TLS("mode: MUTUAL, clientCertificate: /a, privateKey: /b, "
	     "caCertificates: /c",
	     "")},
	{.id = "MUTUAL with a name for it", TLS("mode: MUTUAL, credentialName: a", "")},
	{.id = "MUTUAL without it",
	 TLS("mode: MUTUAL, caCertificates: /c",
	     TLS_ERROR("17", "clientCertificate") TLS_ERROR("17", "privateKey")),
	 .says = "must be given with mode: MUTUAL, or else credentialName"},
	{.id = "MUTUAL with half of it, and an empty name",
	 TLS("mode: MUTUAL, clientCertificate: /a, privateKey: '', "
	     "credentialName: ''",
	     TLS_ERROR("17", "privateKey"))},
	{.id = "SIMPLE needs nothing", TLS("mode: SIMPLE", "")},
	{.id = "MUTUAL and no checks, with what would check, but a name",
	 TLS("mode: MUTUAL, credentialName: a, insecureSkipVerify: true, "
	     "caCrl: /r",
	     TLS_ERROR("70", "caCrl"))},
	{.id = "ISTIO_MUTUAL needs none", TLS("mode: ISTIO_MUTUAL", "")},
	{.id = "a name beside files",
	 TLS("mode: SIMPLE, credentialName: a, caCertificates: /c",
	     TLS_ERROR("44", "caCertificates")),
	 .says = "beside credentialName"},
	{.id = "checks that are not made",
	 TLS("mode: SIMPLE, insecureSkipVerify: true, "
	     "subjectAltNames: [a], credentialName: b",
	     TLS_ERROR("51", "subjectAltNames") TLS_ERROR("73", "credentialName")),
	 .says = "beside insecureSkipVerify: true"},
	{
		.id = "a port's tls",
		.text = RULE "    portLevelSettings: [{port: {number: 80}, tls: {mode: "
			     "MUTUAL, nonsense: a}}]\n",
		.want = "warning a:7:46 " AT_TRAFFIC ".portLevelSettings[0].tls\n"
			"error a:7:58 " AT_TRAFFIC ".portLevelSettings[0].tls.clientCertificate\n"
			"error a:7:58 " AT_TRAFFIC ".portLevelSettings[0].tls.privateKey\n"
			"error a:7:66 " AT_TRAFFIC ".portLevelSettings[0].tls.nonsense\n",
	},
	{
		.id = "a tunnel beside proxyProtocol",
		.text = TUNNEL("targetHost: a.b, targetPort: 1") "    proxyProtocol: "
								 "{version: V1}\n",
		.want = "warning a:7:5 " AT_TRAFFIC ".tunnel\n"
			"warning a:8:5 " AT_TRAFFIC ".proxyProtocol\n"
			"error a:8:5 " AT_TRAFFIC ".proxyProtocol\n",
		.says = "exclude each other",
	},
	{
		.id = "or beside an empty one",
		.text = TUNNEL("targetHost: a.b, targetPort: 1") "    proxyProtocol: {}\n",
		.want = "warning a:7:5 " AT_TRAFFIC ".tunnel\n"
			"warning a:8:5 " AT_TRAFFIC ".proxyProtocol\n"
			"error a:8:5 " AT_TRAFFIC ".proxyProtocol\n",
	},
	{
		.id = "a tunnel to nowhere",
		.text = TUNNEL("protocol: GET, targetHost: '*.b', targetPort: 0"),
		.want = "warning a:7:5 " AT_TRAFFIC ".tunnel\n"
			"error a:7:24 " AT_TRAFFIC ".tunnel.protocol\n"
			"error a:7:41 " AT_TRAFFIC ".tunnel.targetHost\n"
			"error a:7:60 " AT_TRAFFIC ".tunnel.targetPort\n",
		.says = "CONNECT or POST",
	},
	{
		.id = "labels that no pod has",
		.text = RULE "    {outlierDetection: {}}\n"
			     "  subsets: [{name: a, labels: {'a b': 'c d', '': x, a.b/c: d_e, "
			     "v: ''}}]\n"
			     "  workloadSelector: {matchLabels: {'': x, a: '*', b: c}}\n"
			     "  exportTo: [.]\n",
		.want = "warning a:8:3 spec.subsets\n"
			"error a:8:32 spec.subsets[0].labels[\"a b\"]\n"
			"error a:8:39 spec.subsets[0].labels[\"a b\"]\n"
			"error a:8:46 spec.subsets[0].labels[\"\"]\n"
			"warning a:9:3 spec.workloadSelector\n"
			"error a:9:36 spec.workloadSelector.matchLabels[\"\"]\n"
			"error a:9:46 spec.workloadSelector.matchLabels.a\n"
			"warning a:10:13 spec.exportTo\n",
		.says = "\"*\" is no value of a label",
	},
};

static void test_traffic(void **state)
{
	(void)state;
	CHECK_ROWS(traffic_rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
