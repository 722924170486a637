/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "source/object_doc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define META(n)	     "metadata: {name: " n "}\n"
#define SERVICE_HEAD "apiVersion: v1\nkind: Service\n" META("web")
#define SLICE_HEAD                                                                               \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, labels: " \
	"{kubernetes.io/service-name: web}}\n"

/* ------------------------------------------------------------------------ objects as text */

static void add_service(struct mrd_strbuf *text, const struct mrd_service_object *service)
{
	static const char *const distributions[] = {"", " same-zone", " same-node"};
	char ip[MRD_IP_TEXT_MAX];

	for (size_t i = 0; i < service->vip_count; i++)
		mrd_strbuf_addf(text, " %s", mrd_ip_format(&service->vips[i], ip));
	for (size_t i = 0; i < service->port_count; i++)
		mrd_strbuf_addf(text, " %s:%u/%d%s%s", service->ports[i].name,
				service->ports[i].port, (int)service->ports[i].transport,
				service->ports[i].app_protocol[0] ? ":" : "",
				service->ports[i].app_protocol);
	if (service->internal_local)
		mrd_strbuf_addf(text, " local");
	if (service->affinity_timeout_s)
		mrd_strbuf_addf(text, " affinity=%u", service->affinity_timeout_s);
	mrd_strbuf_addf(text, "%s", distributions[service->traffic_distribution]);
}

static void add_endpoint(struct mrd_strbuf *text, const struct mrd_slice_endpoint *endpoint)
{
	char ip[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(text, " [%s %c%c%c", mrd_ip_format(&endpoint->ip, ip),
			endpoint->ready ? 'R' : '-', endpoint->serving ? 'S' : '-',
			endpoint->terminating ? 'T' : '-');
	if (endpoint->node_name[0] || endpoint->zone[0] || endpoint->hostname[0])
		mrd_strbuf_addf(text, " on %s/%s/%s", endpoint->node_name, endpoint->zone,
				endpoint->hostname);
	if (endpoint->target_name[0])
		mrd_strbuf_addf(text, " pod %s/%s", endpoint->target_namespace,
				endpoint->target_name);
	for (size_t i = 0; i < endpoint->zone_hint_count; i++)
		mrd_strbuf_addf(text, " zone %s", endpoint->zone_hints[i]);
	for (size_t i = 0; i < endpoint->node_hint_count; i++)
		mrd_strbuf_addf(text, " node %s", endpoint->node_hints[i]);
	mrd_strbuf_addf(text, "]");
}

static int add_object(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	static const char *const names[] = {"Service", "Slice", "Node", "Pod"};
	struct mrd_strbuf *text = self;
	const struct mrd_slice_object *slice = (const void *)object;

	mrd_strbuf_addf(text, "%u:%u %s %s/%s", at->line, at->column, names[object->kind],
			object->namespace_, object->name);
	if (object->created_us != MRD_INSTANT_NONE || object->resource_version[0])
		mrd_strbuf_addf(text, " (%" PRId64 " %s)", object->created_us,
				object->resource_version);
	for (size_t i = 0; i < object->labels.count; i++)
		mrd_strbuf_addf(text, " %s=%s", object->labels.items[i].key,
				object->labels.items[i].value);
	if (object->kind == MRD_KIND_SERVICE)
		add_service(text, (const void *)object);
	if (object->kind == MRD_KIND_SLICE) {
		mrd_strbuf_addf(text, " of \"%s\" v%d", slice->service_name, (int)slice->version);
		for (size_t i = 0; i < slice->port_count; i++)
			mrd_strbuf_addf(text, " %s:%u/%d", slice->ports[i].name,
					slice->ports[i].port, (int)slice->ports[i].transport);
		for (size_t i = 0; i < slice->endpoint_count; i++)
			add_endpoint(text, &slice->endpoints[i]);
	}
	mrd_strbuf_addf(text, "\n");
	mrd_object_free(object);
	return 0;
}

static void add_findings(struct mrd_strbuf *text, struct mrd_diag *diag)
{
	mrd_diag_sort(diag);
	for (size_t i = 0; i < diag->count; i++) {
		char *line = mrd_finding_text(&diag->findings[i]);

		mrd_strbuf_addf(text, "%s\n", line);
		free(line);
	}
}

/* What a file gives: its objects a line each, then its findings. */
static char *read_text(const char *yaml, size_t len, int *ret_result)
{
	struct mrd_strbuf text = {0};
	struct mrd_diag diag = {0};
	struct mrd_doc_file *doc = NULL;

	*ret_result = mrd_doc_parse("f", yaml, len, &diag, &doc);
	mrd_strbuf_add(&text, "", 0);
	for (size_t i = 0; doc && i < mrd_doc_count(doc); i++) {
		int ret = mrd_object_read(mrd_doc_root(doc, i), "f", &diag, add_object, &text);

		if (ret < 0)
			*ret_result = ret;
	}
	add_findings(&text, &diag);
	mrd_doc_free(doc);
	mrd_diag_free(&diag);
	return mrd_strbuf_steal(&text);
}

struct read_case {
	const char *name;
	const char *yaml;
	const char *want;
	int want_ret;
};

static void check(const struct read_case *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *text;
		int ret;

		printf("%s\n", rows[i].name);
		text = read_text(rows[i].yaml, strlen(rows[i].yaml), &ret);
		if (strcmp(text, rows[i].want) != 0) /* cmocka cuts long texts */
			printf("-- got:\n%s-- want:\n%s--\n", text, rows[i].want);
		assert_string_equal(text, rows[i].want);
		assert_int_equal(ret, rows[i].want_ret);
		free(text);
	}
}

/* ------------------------------------------------------------------------ good documents */

static const struct read_case services[] = {
	{
		.name = "as kubectl prints it",
		.yaml = "apiVersion: v1\n"
			"kind: Service\n"
			"metadata:\n"
			"  annotations: {x: \"{}\"}\n"
			"  creationTimestamp: \"2026-01-01T00:00:00Z\"\n"
			"  labels: {b: \"2\", a: \"1\"}\n"
			"  name: web\n"
			"  namespace: shop\n"
			"  resourceVersion: \"42\"\n"
			"spec:\n"
			"  clusterIP: 10.0.0.1\n"
			"  clusterIPs:\n"
			"  - 10.0.0.1\n"
			"  - fd00::1\n"
			"  internalTrafficPolicy: Cluster\n"
			"  ports:\n"
			"  - name: http\n"
			"    port: 80\n"
			"    protocol: TCP\n"
			"    targetPort: web\n"
			"  - {appProtocol: dns, name: dns, port: 53, protocol: UDP}\n"
			"  - {name: sip, port: 5060, protocol: SCTP}\n"
			"  sessionAffinity: None\n"
			"  type: ClusterIP\n"
			"status:\n"
			"  loadBalancer: {}\n",
		.want = "1:1 Service shop/web (1767225600000000 42) a=1 b=2 10.0.0.1 fd00::1 "
			"http:80/1 dns:53/2:dns sip:5060/0\n",
	},
	{
		.name = "an age that is none",
		.yaml = "apiVersion: v1\nkind: Service\nmetadata: {name: web, creationTimestamp: "
			"yesterday}\nspec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}",
		.want = "1:1 Service default/web 10.0.0.1 :80/1\n"
			"f:3:42: warning: metadata.creationTimestamp: is no time as RFC 3339 has "
			"it: taken as not given\n",
	},
	{
		.name = "no namespace, no protocol, no port name; clusterIP alone",
		.yaml = SERVICE_HEAD "spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}",
		.want = "1:1 Service default/web 10.0.0.1 :80/1\n",
	},
	{
		.name = "external and load balancer addresses, but for ipMode Proxy and host names",
		.yaml = SERVICE_HEAD
		"spec: {clusterIP: 10.0.0.1, externalIPs: [1.1.1.1], ports: [{port: 80}]}\n"
		"status: {loadBalancer: {ingress: [{ip: 2.2.2.2}, {ip: 3.3.3.3, ipMode: Proxy},\n"
		"  {ip: 4.4.4.4, ipMode: VIP}, {hostname: lb.example.com}]}}",
		.want = "1:1 Service default/web 10.0.0.1 1.1.1.1 2.2.2.2 4.4.4.4 :80/1\n",
	},
	{
		.name = "headless",
		.yaml = SERVICE_HEAD "spec: {clusterIP: None, clusterIPs: [None], externalIPs: "
				     "[1.1.1.1], ports: [{port: 80}]}",
		.want = "1:1 Service default/web :80/1\n",
	},
	{
		.name = "ExternalName",
		.yaml = SERVICE_HEAD "spec: {type: ExternalName, externalName: example.com}",
		.want = "1:1 Service default/web\n",
	},
	{
		.name = "policies",
		.yaml = SERVICE_HEAD
		"spec: {clusterIP: 10.0.0.1, internalTrafficPolicy: Local, "
		"sessionAffinity: ClientIP, trafficDistribution: PreferClose, ports: [{port: 80}]}",
		.want = "1:1 Service default/web 10.0.0.1 :80/1 local affinity=10800 same-zone\n",
	},
	{
		.name = "other policies",
		.yaml = SERVICE_HEAD
		"spec: {clusterIP: 10.0.0.1, sessionAffinity: ClientIP, trafficDistribution: "
		"PreferSameNode, sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}, ports: "
		"[{port: 80}]}",
		.want = "1:1 Service default/web 10.0.0.1 :80/1 affinity=60 same-node\n",
	},
	{
		.name = "a timeout without affinity",
		.yaml = SERVICE_HEAD
		"spec: {clusterIP: 10.0.0.1, sessionAffinity: None, "
		"trafficDistribution: PreferSameZone, "
		"sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}, ports: [{port: 80}]}",
		.want = "1:1 Service default/web 10.0.0.1 :80/1 same-zone\n",
	},
	{
		.name = "nulls are absent",
		.yaml = SERVICE_HEAD
		"spec: {clusterIP: 10.0.0.1, clusterIPs: null, externalIPs: ~, "
		"ports: [{port: 80}], sessionAffinityConfig: null}\nstatus: null\n",
		.want = "1:1 Service default/web 10.0.0.1 :80/1\n",
	},
	{
		.name = "a distribution of tomorrow",
		.yaml = SERVICE_HEAD
		"spec: {clusterIP: 10.0.0.1, trafficDistribution: PreferMoon, ports: [{port: 80}]}",
		.want = "1:1 Service default/web 10.0.0.1 :80/1\n"
			"f:4:50: warning: spec.trafficDistribution: not known (PreferClose, "
			"PreferSameZone, PreferSameNode), ignored\n",
	},
};

static const struct read_case slices[] = {
	{
		.name = "as kubectl prints it",
		.yaml = SLICE_HEAD
		"addressType: IPv4\n"
		"endpoints:\n"
		"- addresses:\n"
		"  - 10.1.0.1\n"
		"  - 10.1.0.9\n"
		"  conditions:\n"
		"    ready: true\n"
		"    serving: true\n"
		"    terminating: false\n"
		"  hints: {forZones: [{name: z1}, {name: z2}], forNodes: [{name: n1}]}\n"
		"  hostname: web-0\n"
		"  nodeName: n1\n"
		"  targetRef: {kind: Pod, name: web-0, namespace: shop, uid: x}\n"
		"  zone: z1\n"
		"ports:\n"
		"- name: http\n"
		"  port: 8080\n"
		"  protocol: TCP\n"
		"- {name: dns, port: 53, protocol: UDP}\n",
		.want = "1:1 Slice default/web-1 kubernetes.io/service-name=web of \"web\" v4 "
			"http:8080/1 dns:53/2 [10.1.0.1 RS- on n1/z1/web-0 pod shop/web-0 zone z1 "
			"zone z2 node n1]\n",
	},
	{
		.name = "conditions and what their absence means",
		.yaml = SLICE_HEAD
		"addressType: IPv6\n"
		"endpoints:\n"
		"- {addresses: [\"fd00::1\"]}\n"
		"- {addresses: [\"fd00::2\"], conditions: {}}\n"
		"- {addresses: [\"fd00::3\"], conditions: {ready: false}}\n"
		"- {addresses: [\"fd00::4\"], conditions: {ready: false, serving: true, "
		"terminating: true}}\n"
		"- {addresses: [\"fd00::5\"], conditions: {ready: null, serving: false}}\nports: "
		"[]\n",
		.want = "1:1 Slice default/web-1 kubernetes.io/service-name=web of \"web\" v6 "
			"[fd00::1 RS-] [fd00::2 RS-] [fd00::3 ---] [fd00::4 -ST] [fd00::5 R--]\n",
	},
	{
		.name = "nulls, an empty port name, a port without number",
		.yaml = SLICE_HEAD "addressType: IPv4\nendpoints: null\nports: [{name: \"\", port: "
				   "80}, {name: null}]\n",
		.want = "1:1 Slice default/web-1 kubernetes.io/service-name=web of \"web\" v4 "
			":80/1 "
			":0/1\n",
	},
	{
		.name = "no endpoints, no ports, no service",
		.yaml = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n" META(
			"x") "addressType: IPv4\nendpoints: null\nports: null\n",
		.want = "1:1 Slice default/x of \"\" v4\n",
	},
	{
		.name = "host names are not looked at",
		.yaml = SLICE_HEAD
		"addressType: FQDN\nendpoints: [{addresses: [example.com]}]\nports: []\n",
		.want = "1:1 Slice default/web-1 kubernetes.io/service-name=web of \"web\" v0\n",
	},
	{
		.name = "a target without namespace is in the slice's; one that is no pod is none",
		.yaml = SLICE_HEAD
		"addressType: IPv4\nendpoints:\n"
		"- {addresses: [10.1.0.1], targetRef: {kind: Pod, name: p}}\n"
		"- {addresses: [10.1.0.2], targetRef: {kind: Node, name: n}}\nports: []\n",
		.want = "1:1 Slice default/web-1 kubernetes.io/service-name=web of \"web\" v4 "
			"[10.1.0.1 RS- pod default/p] [10.1.0.2 RS-]\n",
	},
};

static const struct read_case collections[] = {
	{
		.name = "a List as kubectl prints it, with kinds that are not for us",
		.yaml = "apiVersion: v1\n"
			"items:\n"
			"- apiVersion: v1\n"
			"  kind: Node\n"
			"  metadata: {name: n1, namespace: ignored, labels: "
			"{topology.kubernetes.io/zone: z}}\n"
			"- apiVersion: apps/v1\n"
			"  kind: Deployment\n"
			"  metadata: {}\n"
			"- apiVersion: v1\n"
			"  kind: Pod\n"
			"  metadata: {name: p, namespace: shop, labels: {app: web}}\n"
			"kind: List\n"
			"metadata: {resourceVersion: \"\"}\n",
		.want = "3:3 Node /n1 topology.kubernetes.io/zone=z\n9:3 Pod shop/p app=web\n",
	},
	{
		.name = "a list as the API writes it, in JSON, its items without kind",
		.yaml = "{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":"
			"[{\"metadata\":{\"name\":\"n1\"}},{\"metadata\":{\"name\":\"n2\"}}]}",
		.want = "1:61 Node /n1\n1:88 Node /n2\n",
	},
	{
		.name = "slices, in pretty JSON",
		.yaml = "{\n    \"kind\": \"EndpointSliceList\",\n"
			"    \"apiVersion\": \"discovery.k8s.io/v1\",\n    \"items\": [\n        "
			"{\n"
			"            \"metadata\": { \"name\": \"s\" },\n"
			"            \"addressType\": \"IPv4\",\n            \"endpoints\": null,\n"
			"            \"ports\": [ { \"name\": \"\", \"port\": 8080 } ]\n        "
			"}\n    ]\n}\n",
		.want = "5:9 Slice default/s of \"\" v4 :8080/1\n",
	},
	{
		.name = "several documents, empty ones among them",
		.yaml = "---\n---\napiVersion: v1\nkind: Node\n" META(
			"n1") "---\n# nothing\n---\napiVersion: v1\nkind: Node\n" META("n2") "..."
											     "\n",
		.want = "3:1 Node /n1\n9:1 Node /n2\n",
	},
	{
		.name = "lists in a list; lists of nothing",
		.yaml = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: "
			"[{apiVersion: v1, kind: Node, metadata: {name: n1}}]}\n"
			"- {apiVersion: v1, kind: List, items: null}\n- {apiVersion: v1, kind: "
			"List}\n",
		.want = "4:40 Node /n1\n"
			"f:6:3: warning: items[2].items: not given: the list is empty\n",
	},
	{
		.name = "kinds that only sound alike",
		.yaml = "apiVersion: serving.knative.dev/v1\nkind: Service\nspec: 1\n---\n"
			"apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\n---\n"
			"apiVersion: example.com/v1\nkind: List\nitems: 3\n---\nkind: Other\n",
		.want = "",
	},
	{.name = "nothing", .yaml = "", .want = ""},
};

static void services_are_read(void **state)
{
	(void)state;
	check(services, COUNT(services));
}

static void slices_are_read(void **state)
{
	(void)state;
	check(slices, COUNT(slices));
}

static void lists_and_documents_are_read(void **state)
{
	(void)state;
	check(collections, COUNT(collections));
}

/* ------------------------------------------------------------------------ broken documents */

static const struct read_case broken[] = {
	{
		.name = "no object",
		.yaml = "just words\n",
		.want = "f:1:1: error: must be an object: a map with apiVersion, kind and "
			"metadata\n",
	},
	{
		.name = "an item that is none",
		.yaml = "apiVersion: v1\nkind: List\nitems: [null, 5]\n",
		.want = "f:3:9: error: items[0]: must be an object: a map with apiVersion, kind "
			"and metadata\n"
			"f:3:15: error: items[1]: must be an object: a map with apiVersion, kind "
			"and metadata\n",
	},
	{
		.name = "a manifest that no cluster has seen",
		.yaml = SERVICE_HEAD "spec: {ports: [{port: 80}]}",
		.want = "f:4:7: error: spec.clusterIP: missing; a cluster gives every Service one, "
			"or None: use the objects as it has them (kubectl get -o yaml)\n",
	},
	{
		.name = "cut off before the ports, or the endpoints",
		.yaml = SERVICE_HEAD "spec: {clusterIP: 10.0.0.1}",
		.want = "f:4:7: error: spec.ports: missing; a Service with an address has a port\n",
	},
	{
		.name = "behind the ports' name",
		.yaml = SERVICE_HEAD "spec:\n  clusterIP: 10.0.0.1\n  ports:\n",
		.want = "f:6:9: error: spec.ports: missing; a Service with an address has a port\n",
	},
	{
		.name = "of a slice, too",
		.yaml = SLICE_HEAD "addressType: IPv4\nports: []\nendpoints:",
		.want = "f:6:11: error: endpoints: missing; a slice of none has null or []\n",
	},
	{
		.name = "of a slice",
		.yaml = SLICE_HEAD "addressType: IPv4\nports: [null]\n---\n" SLICE_HEAD
				   "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1]}]\n",
		.want = "f:1:1: error: endpoints: missing; a slice of none has null or []\n"
			"f:5:9: error: ports[0]: must be a port, and is null\n"
			"f:7:1: error: ports: missing; a slice of none has null or []\n",
	},
	{
		.name = "no kind",
		.yaml = "apiVersion: v1\nmetadata: {name: x}\n",
		.want = "f:1:1: error: kind: missing; an object says what it is\n",
	},
	{
		.name = "no apiVersion",
		.yaml = "kind: EndpointSlice\n",
		.want = "f:1:1: error: apiVersion: missing; must be discovery.k8s.io/v1\n",
	},
	{
		.name = "no name",
		.yaml = "apiVersion: v1\nkind: Node\nmetadata:\n  labels: {}\n",
		.want = "f:4:3: error: metadata.name: missing; every Node needs a name\n",
	},
	{
		.name = "no metadata",
		.yaml = "apiVersion: v1\nkind: Pod\n",
		.want = "f:1:1: error: metadata.name: missing; every Pod needs a name\n",
	},
	{
		.name = "names that Kubernetes would not have",
		.yaml = "apiVersion: v1\nkind: Pod\nmetadata: {name: A_b, namespace: a/b}\n",
		.want = "f:3:18: error: metadata.name: must consist of lower-case letters, digits, "
			"'-' and '.'\n"
			"f:3:34: error: metadata.namespace: must consist of lower-case letters, "
			"digits, '-' and '.'\n",
	},
	{
		.name = "wrong types of metadata",
		.yaml = "apiVersion: v1\nkind: Node\nmetadata: {name: [a], labels: {a.b/c: {}, d: "
			"[]}}\n",
		.want = "f:3:18: error: metadata.name: must be a string, not a list\n"
			"f:3:39: error: metadata.labels[\"a.b/c\"]: must be a string, not a map\n"
			"f:3:46: error: metadata.labels.d: must be a string, not a list\n",
	},
	{
		.name = "a Service without spec",
		.yaml = SERVICE_HEAD,
		.want = "f:1:1: error: spec: missing; a Service needs it\n",
	},
	{
		.name = "bad addresses",
		.yaml = SERVICE_HEAD
		"spec:\n  clusterIPs: [10.0.0.256, \"fe80::1%eth0\"]\n  externalIPs: [a.b, null]\n"
		"status: {loadBalancer: {ingress: [{ip: 010.0.0.1}]}}\n",
		.want = "f:5:16: error: spec.clusterIPs[0]: must be an IP address, not "
			"\"10.0.0.256\"\n"
			"f:5:28: error: spec.clusterIPs[1]: must be an IP address, not "
			"\"fe80::1%eth0\"\n"
			"f:6:17: error: spec.externalIPs[0]: must be an IP address, not \"a.b\"\n"
			"f:6:22: error: spec.externalIPs[1]: must be an IP address, and there is "
			"none\n"
			"f:7:40: error: status.loadBalancer.ingress[0].ip: must be an IP address, "
			"not \"010.0.0.1\"\n",
	},
	{
		.name = "bad ports",
		.yaml = SERVICE_HEAD
		"spec:\n  clusterIP: 10.0.0.1\n  ports:\n"
		"  - {port: 0}\n  - {port: 65536}\n  - {port: \"80\"}\n"
		"  - {name: x}\n  - {port: 80, protocol: tcp}\n  - http\n  - {port: -1}\n"
		"  - {port: 99999999999999999999}\n",
		.want = "f:7:12: error: spec.ports[0].port: must be from 1 to 65535, not 0\n"
			"f:8:12: error: spec.ports[1].port: must be from 1 to 65535, not 65536\n"
			"f:9:12: error: spec.ports[2].port: must be a whole number, not \"80\" in "
			"quotes\n"
			"f:10:5: error: spec.ports[3].port: missing; a port needs its number\n"
			"f:11:26: error: spec.ports[4].protocol: must be TCP, UDP or SCTP, not "
			"\"tcp\"\n"
			"f:12:5: error: spec.ports[5]: must be a map, not \"http\"\n"
			"f:13:12: error: spec.ports[6].port: must be from 1 to 65535, not -1\n"
			"f:14:12: error: spec.ports[7].port: must be from 1 to 65535, not "
			"99999999999999999999\n",
	},
	{
		.name = "wrong types in a Service",
		.yaml = SERVICE_HEAD
		"spec:\n  clusterIPs: 10.0.0.1\n  clusterIP: [10.0.0.1]\n  ports: {}\n"
		"  sessionAffinity: Client\n  internalTrafficPolicy: local\n"
		"  sessionAffinityConfig: 5\n  trafficDistribution: []\nstatus: 5\n",
		.want = "f:5:15: error: spec.clusterIPs: must be a list, not \"10.0.0.1\"\n"
			"f:6:14: error: spec.clusterIP: must be a string, not a list\n"
			"f:7:10: error: spec.ports: must be a list, not a map\n"
			"f:8:20: error: spec.sessionAffinity: must be None or ClientIP, not "
			"\"Client\"\n"
			"f:9:26: error: spec.internalTrafficPolicy: must be Cluster or Local, not "
			"\"local\"\n"
			"f:10:26: error: spec.sessionAffinityConfig: must be a map, not \"5\"\n"
			"f:11:24: error: spec.trafficDistribution: must be a string, not a list\n"
			"f:12:9: error: status: must be a map, not \"5\"\n",
	},
	{
		.name = "a timeout out of range",
		.yaml = SERVICE_HEAD
		"spec: {clusterIP: 10.0.0.1, sessionAffinity: ClientIP, "
		"sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}, ports: [{port: 80}]}",
		.want = "f:4:107: error: spec.sessionAffinityConfig.clientIP.timeoutSeconds: must "
			"be from 1 to 86400, not 86401\n",
	},
	{
		.name = "a slice without addressType",
		.yaml = SLICE_HEAD "endpoints: []\n",
		.want = "f:1:1: error: addressType: missing; must be IPv4, IPv6 or FQDN\n",
	},
	{
		.name = "a slice of another type",
		.yaml = SLICE_HEAD "addressType: ipv4\nendpoints: []\n",
		.want = "f:4:14: error: addressType: must be IPv4, IPv6 or FQDN, not \"ipv4\"\n",
	},
	{
		.name = "bad endpoints",
		.yaml = SLICE_HEAD
		"addressType: IPv4\nendpoints:\n- {addresses: [x]}\n- {addresses: []}\n- {}\n"
		"- {addresses: [\"fd00::1\"]}\n- null\n- {addresses: 10.1.0.1}\n- {addresses: "
		"[[]]}\nports: []\n",
		.want = "f:6:16: error: endpoints[0].addresses[0]: must be an IP address, not "
			"\"x\"\n"
			"f:7:15: error: endpoints[1].addresses: missing; an endpoint needs an "
			"address\n"
			"f:8:3: error: endpoints[2].addresses: missing; an endpoint needs an "
			"address\n"
			"f:9:16: error: endpoints[3].addresses[0]: must be of the slice's "
			"addressType, IPv4\n"
			"f:10:3: error: endpoints[4]: must be an endpoint, and is null\n"
			"f:11:15: error: endpoints[5].addresses: must be a list, not \"10.1.0.1\"\n"
			"f:12:16: error: endpoints[6].addresses[0]: must be a string, not a list\n",
	},
	{
		.name = "wrong types in an endpoint",
		.yaml = SLICE_HEAD
		"addressType: IPv4\nendpoints:\n- addresses: [10.1.0.1]\n  conditions: {ready: "
		"\"true\", serving: maybe}\n"
		"  nodeName: {}\n  hints: 7\n- addresses: [10.1.0.2]\n  conditions: []\n  hints: "
		"{forZones: [z1]}\nports: [{port: web}]\n",
		.want = "f:7:23: error: endpoints[0].conditions.ready: must be true or false, not "
			"\"true\" in quotes\n"
			"f:7:40: error: endpoints[0].conditions.serving: must be true or false, "
			"not \"maybe\"\n"
			"f:8:13: error: endpoints[0].nodeName: must be a string, not a map\n"
			"f:9:10: error: endpoints[0].hints: must be a map, not \"7\"\n"
			"f:11:15: error: endpoints[1].conditions: must be a map, not a list\n"
			"f:12:22: error: endpoints[1].hints.forZones[0]: must be a map, not "
			"\"z1\"\n"
			"f:13:16: error: ports[0].port: must be a whole number, not \"web\"\n",
	},
	{
		.name = "one broken item breaks its document, and no other",
		.yaml = "apiVersion: v1\nkind: List\nitems:\n"
			"- {apiVersion: v1, kind: Node, metadata: {name: good}}\n"
			"- {apiVersion: v1, kind: Node}\n---\n"
			"apiVersion: v1\nkind: Node\nmetadata: {name: other}\n",
		.want = "7:1 Node /other\n"
			"f:5:3: error: items[1].metadata.name: missing; every Node needs a name\n",
	},
	{
		.name = "control characters are not repeated",
		.yaml = SERVICE_HEAD "spec: {clusterIP: \"a\\nb\", ports: []}\n",
		.want = "f:4:19: error: spec.clusterIP: must be an IP address, not \"a?b\"\n",
	},
};

static void what_is_broken_is_named_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct read_case row = broken[i];

		row.want_ret = -EBADMSG;
		check(&row, 1);
	}
}

/* A reading that was cut anywhere gives the whole document or nothing of it. */
static void check_prefixes(const char *whole, const char *object)
{
	const size_t len = strlen(whole);

	for (size_t cut = 0; cut < len; cut++) {
		char *part = malloc(cut ? cut : 1); /* no ending zero: reading behind it shows */
		char *text;
		int ret;

		memcpy(part, whole, cut);
		text = read_text(part, cut, &ret);
		if (strstr(text, object) && strstr(text, "error"))
			printf("cut at %zu: %s\n", cut, text);
		assert_false(strstr(text, object) && strstr(text, "error"));
		assert_true(ret == 0 || ret == -EBADMSG);
		free(text);
		free(part);
	}
}

static void every_beginning_of_a_manifest_is_read_safely(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(services); i++)
		check_prefixes(services[i].yaml, "1:1 Service ");
	for (size_t i = 0; i < COUNT(slices); i++)
		check_prefixes(slices[i].yaml, "1:1 Slice ");
	for (size_t i = 0; i < COUNT(broken); i++)
		if (strcmp(broken[i].name, "one broken item breaks its document, and no other") !=
		    0)
			check_prefixes(broken[i].yaml, "1:1 Service ");
}

static void cut_json_gives_nothing(void **state)
{
	const char *whole = collections[1].yaml;

	(void)state;
	for (size_t cut = 1; cut < strlen(whole); cut++) {
		char *text;
		int ret;

		text = read_text(whole, cut, &ret);
		printf("cut at %zu: %s", cut, text);
		assert_int_equal(ret, -EBADMSG);
		assert_null(strstr(text, "Node /"));
		free(text);
	}
}

static int stop_at_second(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	int *calls = self;

	(void)at;
	mrd_object_free(object);
	return ++*calls == 2 ? 7 : 0;
}

/* One endpoint that stands for many, with an address that is none. */
static void few_words_for_many_mistakes(void **state)
{
	enum { TIMES = 50000 };
	MRD_AUTO_STRBUF struct mrd_strbuf yaml = {0};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *doc;
	int calls = 0;

	(void)state;
	mrd_strbuf_addf(&yaml, "%s",
			SLICE_HEAD "addressType: IPv4\nports: []\nendpoints: [&e {addresses: [x]}");
	for (size_t i = 0; i < TIMES; i++)
		mrd_strbuf_addf(&yaml, ", *e");
	mrd_strbuf_addf(&yaml, "]\n");
	assert_int_equal(mrd_doc_parse("f", yaml.text, yaml.len, &diag, &doc), 0);
	assert_int_equal(mrd_object_read(mrd_doc_root(doc, 0), "f", &diag, stop_at_second, &calls),
			 -EBADMSG);
	assert_int_equal(diag.count, MRD_FINDINGS_MAX + 1);
	assert_int_equal(diag.errors, TIMES + 1);
	mrd_doc_free(doc);
}

static void the_receivers_refusal_ends_the_delivery(void **state)
{
	static const char yaml[] = "apiVersion: v1\nkind: NodeList\nitems: [{metadata: {name: a}}, "
				   "{metadata: {name: b}}, {metadata: {name: c}}]\n";
	struct mrd_doc_file *doc;
	struct mrd_diag diag = {0};
	int calls = 0;

	(void)state;
	assert_int_equal(mrd_doc_parse("f", yaml, strlen(yaml), &diag, &doc), 0);
	assert_int_equal(mrd_object_read(mrd_doc_root(doc, 0), "f", &diag, stop_at_second, &calls),
			 7);
	assert_int_equal(calls, 2);
	mrd_doc_free(doc);
	mrd_diag_free(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_read),
		cmocka_unit_test(slices_are_read),
		cmocka_unit_test(lists_and_documents_are_read),
		cmocka_unit_test(what_is_broken_is_named_with_its_place),
		cmocka_unit_test(every_beginning_of_a_manifest_is_read_safely),
		cmocka_unit_test(cut_json_gives_nothing),
		cmocka_unit_test(few_words_for_many_mistakes),
		cmocka_unit_test(the_receivers_refusal_ends_the_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
