/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "config/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/mrd-test-config-XXXXXX";
static char path[128];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/meridian.yaml", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_config(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int load(const char *text, struct mrd_diag *diag, struct mrd_agent_config **ret_config)
{
	write_config(text);
	return mrd_agent_config_load(path, diag, ret_config);
}

#define ONE "clusters: [{name: a, directory: d}]\n"
#define METRICS(place)                                                                  \
	place ": error: metrics: must be an address and a port like 127.0.0.1:9464 or " \
	      "[::1]:9464, or none"

#define INTERFACES(place)                                                                        \
	place ": error: kernel.interfaces: must be auto, none, or a list of names and patterns " \
	      "like [cali*, eth0]"
#define GLOB(place, index)                                                                     \
	place ": error: kernel.interfaces[" index "]: must be the name of an interface, or a " \
	      "pattern like cali*"

#define LABEL                                                                                    \
	"must be at most 63 letters, digits, \"-\", \"_\" and \".\", with a letter or digit at " \
	"both ends (the value of a Kubernetes label)"
#define DNS                                                                                  \
	"lower-case letters, digits and \"-\" with dots between, a letter or digit at both " \
	"ends of each part (RFC 1123)"
#define UNHEARD(place)                                                                       \
	place ": error: metrics: nothing can listen there: give an address of the node, or " \
	      "0.0.0.0 or [::] for all"

struct finding_case {
	const char *name;
	const char *text;
	int want;		      /* result */
	const char *want_findings[6]; /* without "FILE:" */
};

static const struct finding_case finding_cases[] = {
	{.name = "the least", .text = ONE},
	{
		.name = "an empty file",
		.text = "",
		.want = -EBADMSG,
		.want_findings = {"error: clusters: at least one cluster is needed"},
	},
	{
		.name = "all errors at once, each at its place",
		.text = "node: {nam: x}\nstaleAfter: soon\n" ONE "unknownService: drop\n",
		.want = -EBADMSG,
		.want_findings = {"1:8: error: node.nam: unknown key; known are name, region, "
				  "zone, subzone",
				  "2:13: error: staleAfter: must be a duration like 60s, 1h30m or "
				  "500ms",
				  "4:17: error: unknownService: must be pass or refuse"},
	},
	{
		.name = "a duration out of its range",
		.text = ONE "staleAfter: 10ms\n",
		.want = -EBADMSG,
		.want_findings = {"2:13: error: staleAfter: must be 1s to 24h0m0s"},
	},
	{
		.name = "no source",
		.text = "clusters: [{name: a}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:12: error: clusters[0]: needs a directory, a kubeconfig, a "
				  "context or inCluster: true"},
	},
	{
		.name = "inCluster: false is no source",
		.text = "clusters: [{name: a, inCluster: false}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:33: error: clusters[0]: needs a directory, a kubeconfig, a "
				  "context or inCluster: true"},
	},
	{
		.name = "a folder and a kubeconfig",
		.text = "clusters: [{name: a, directory: d, kubeconfig: k}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:48: error: clusters[0]: has two sources: directory and "
				  "kubeconfig exclude each other"},
	},
	{
		.name = "a folder and a context",
		.text = "clusters: [{name: a, context: c, directory: d}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:31: error: clusters[0]: has two sources: directory and "
				  "context exclude each other"},
	},
	{
		.name = "a folder and the service account",
		.text = "clusters: [{name: a, directory: d, inCluster: true}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:47: error: clusters[0]: has two sources: directory and "
				  "inCluster exclude each other"},
	},
	{
		.name = "a kubeconfig and the service account",
		.text = "clusters: [{name: a, kubeconfig: k, context: c, inCluster: true}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:60: error: clusters[0]: has two sources: kubeconfig and "
				  "inCluster exclude each other"},
	},
	{
		.name = "all the ways to an API server, and a folder",
		.text = "clusters:\n"
			"  - {name: a, home: true, inCluster: true}\n"
			"  - {name: b, kubeconfig: k}\n"
			"  - {name: c, kubeconfig: k, context: c}\n"
			"  - {name: d, context: d}\n"
			"  - {name: e, directory: e, inCluster: false}\n",
	},
	{
		.name = "an empty context",
		.text = "clusters: [{name: a, context: ''}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:31: error: clusters[0].context: must not be empty"},
	},
	{
		.name = "too long a wait at the start",
		.text = ONE "startupWait: 2h\n",
		.want = -EBADMSG,
		.want_findings = {"2:14: error: startupWait: must be 0s to 1h0m0s"},
	},
	{
		.name = "no name",
		.text = "clusters:\n  - directory: d\n",
		.want = -EBADMSG,
		.want_findings = {"2:5: error: clusters[0]: needs a name"},
	},
	{
		.name = "a key given twice hides no other mistake",
		.text = "clusters:\n  - {name: a, name: b, directory: d}\nstaleAfter: soon\n",
		.want = -EBADMSG,
		.want_findings = {"2:15: error: clusters[0].name: this key is given twice, first "
				  "in line 2",
				  "3:13: error: staleAfter: must be a duration like 60s, "
				  "1h30m or 500ms"},
	},
	{
		.name = "a name twice",
		.text = "clusters:\n  - {name: a, home: true, directory: d}\n"
			"  - {name: a, directory: e}\n",
		.want = -EBADMSG,
		.want_findings = {"3:12: error: clusters[1]: the name a is taken by clusters[0]"},
	},
	{
		.name = "two homes",
		.text = "clusters:\n  - {name: a, home: true, directory: d}\n"
			"  - {name: b, home: true, directory: e}\n",
		.want = -EBADMSG,
		.want_findings = {"3:5: error: clusters: a and b both say home: a node belongs to "
				  "one"},
	},
	{
		.name = "no home among two",
		.text = "clusters:\n  - {name: a, directory: d}\n  - {name: b, directory: e}\n",
		.want = -EBADMSG,
		.want_findings = {"2:3: error: clusters: one of them must say home: true, the one "
				  "this node belongs to"},
	},
	{
		.name = "pod blocks of two clusters overlap",
		.text = "clusters:\n"
			"  - {name: a, home: true, directory: d, podCIDRs: [10.0.0.0/8]}\n"
			"  - {name: b, directory: e, podCIDRs: [10.1.0.0/16]}\n",
		.want = -EBADMSG,
		.want_findings = {"3:40: error: clusters[1].podCIDRs[0]: pod block 10.1.0.0/16 of "
				  "b overlaps pod block 10.0.0.0/8 of a"},
	},
	{
		.name = "a cluster's services overlap its own pods",
		.text = "clusters:\n"
			"  - name: a\n"
			"    directory: d\n"
			"    podCIDRs: [10.0.0.0/16]\n"
			"    serviceCIDRs: [172.16.0.0/16, 10.0.128.0/20]\n",
		.want = -EBADMSG,
		.want_findings = {"5:35: error: clusters[0].serviceCIDRs[1]: service block "
				  "10.0.128.0/20 of a overlaps pod block 10.0.0.0/16 of a"},
	},
	{
		.name = "neighbours do not overlap",
		.text = "clusters:\n"
			"  - {name: a, home: true, directory: d, podCIDRs: [10.0.0.0/16]}\n"
			"  - {name: b, directory: e, podCIDRs: [10.1.0.0/16, 'fd00::/64']}\n",
	},
	{
		.name = "blocks that are none",
		.text = "clusters:\n  - {name: a, directory: d, podCIDRs: [10.0.0.1/16, x]}\n",
		.want = -EBADMSG,
		.want_findings = {"2:40: error: clusters[0].podCIDRs[0]: 10.0.0.1/16 has bits set "
				  "below its prefix",
				  "2:53: error: clusters[0].podCIDRs[1]: must be a block of "
				  "addresses like 10.0.0.0/16"},
	},
	{
		.name = "hops beyond the row",
		.text = ONE "kernel:\n  limits: {hops: 17}\n",
		.want = -EBADMSG,
		.want_findings = {"3:18: error: kernel.limits.hops: must be 1 to 16: the map ABI "
				  "fixes a route row's size at 16 hops"},
	},
	{
		.name = "no hop",
		.text = ONE "kernel:\n  limits: {hops: 0}\n",
		.want = -EBADMSG,
		.want_findings = {"3:18: error: kernel.limits.hops: must be 1 to 16"},
	},
	{
		.name = "limits name their range",
		.text = ONE "kernel:\n  limits: {services: 0, eventBytes: 5000, members: many}\n",
		.want = -EBADMSG,
		.want_findings = {"3:22: error: kernel.limits.services: must be 1 to 1048576",
				  "3:37: error: kernel.limits.eventBytes: must be a power of two",
				  "3:52: error: kernel.limits.members: must be a whole number"},
	},
	{.name = "automatic interfaces", .text = ONE "kernel: {interfaces: auto}\n"},
	{.name = "no interfaces", .text = ONE "kernel: {interfaces: none}\n"},
	{.name = "named interfaces", .text = ONE "kernel: {interfaces: [cali*, eth0]}\n"},
	{
		.name = "interfaces by another word",
		.text = ONE "kernel: {interfaces: all, fastForward: often}\n",
		.want = -EBADMSG,
		.want_findings = {INTERFACES("2:22"), "2:40: error: kernel.fastForward: must be "
						      "true or false"},
	},
	{
		.name = "an empty list of interfaces",
		.text = ONE "kernel: {interfaces: []}\n",
		.want = -EBADMSG,
		.want_findings = {INTERFACES("2:22")},
	},
	{
		.name = "interfaces as a map",
		.text = ONE "kernel: {interfaces: {a: b}}\n",
		.want = -EBADMSG,
		.want_findings = {INTERFACES("2:22")},
	},
	{
		.name = "patterns that name no interface",
		.text = ONE "kernel: {interfaces: ['', a b, a/b, auto, [c], none]}\n",
		.want = -EBADMSG,
		.want_findings = {GLOB("2:23", "0"), GLOB("2:27", "1"), GLOB("2:32", "2"),
				  "2:37: error: kernel.interfaces[3]: auto stands alone, not in a "
				  "list",
				  GLOB("2:43", "4"),
				  "2:48: error: kernel.interfaces[5]: none stands alone, not in a "
				  "list"},
	},
	{
		.name = "what no interface is called",
		.text = ONE "kernel: {interfaces: [eth0123456789ab, eth0123456789abc, '..', "
			    "'a:b', '[c', '[[:alpha:]]0', \"d\\x01\"]}\n",
		.want = -EBADMSG,
		.want_findings = {GLOB("2:40", "1"), GLOB("2:58", "2"), GLOB("2:64", "3"),
				  GLOB("2:71", "4"), GLOB("2:93", "6")},
	},
	{
		.name = "metrics where nothing can listen",
		.text = ONE "metrics: 224.0.0.1:9464\n",
		.want = -EBADMSG,
		.want_findings = {UNHEARD("2:10")},
	},
	{
		.name = "metrics at all hosts' address",
		.text = ONE "metrics: 255.255.255.255:9464\n",
		.want = -EBADMSG,
		.want_findings = {UNHEARD("2:10")},
	},
	{
		.name = "metrics at the last address before",
		.text = ONE "metrics: 223.255.255.255:9464\n",
	},
	{
		.name = "metrics at an address that was reserved once",
		.text = ONE "metrics: 240.0.0.1:9464\n",
	},
	{
		.name = "metrics at every interface's own address",
		.text = ONE "metrics: '[fe80::1]:9464'\n",
		.want = -EBADMSG,
		.want_findings = {UNHEARD("2:10")},
	},
	{
		.name = "metrics without a port",
		.text = ONE "metrics: 127.0.0.1\n",
		.want = -EBADMSG,
		.want_findings = {METRICS("2:10")},
	},
	{
		.name = "metrics on no port",
		.text = ONE "metrics: 127.0.0.1:0\n",
		.want = -EBADMSG,
		.want_findings = {METRICS("2:10")},
	},
	{
		.name = "metrics by a name",
		.text = ONE "metrics: localhost:9464\n",
		.want = -EBADMSG,
		.want_findings = {METRICS("2:10")},
	},
	{
		.name = "metrics as a map",
		.text = ONE "metrics: {port: 9464}\n",
		.want = -EBADMSG,
		.want_findings = {METRICS("2:10")},
	},
	{
		.name = "relative kernel paths",
		.text = ONE "kernel: {cgroup: here, bpffs: there}\n",
		.want = -EBADMSG,
		.want_findings = {"2:18: error: kernel.cgroup: must be auto or an absolute path",
				  "2:31: error: kernel.bpffs: must be an absolute path"},
	},
	{
		.name = "bpffs in the place of all",
		.text = ONE "kernel: {bpffs: //}\n",
		.want = -EBADMSG,
		.want_findings = {"2:17: error: kernel.bpffs: must be a folder of its own, like "
				  "/sys/fs/bpf/meridian"},
	},
	{
		.name = "a folder for a socket",
		.text = ONE "control: /run/meridian/\n",
		.want = -EBADMSG,
		.want_findings = {"2:10: error: control: must be a file like "
				  "/run/meridian/control.sock, not a folder"},
	},
	{
		.name = "paths of two lines",
		.text = "clusters: [{name: a, directory: \"d\\n\"}]\npolicy: [\"p\\n\"]\n"
			"kernel: {cgroup: \"/c\\n\"}\n",
		.want = -EBADMSG,
		.want_findings = {"1:33: error: clusters[0].directory: must have no control "
				  "characters",
				  "2:10: error: policy[0]: must have no control characters",
				  "3:18: error: kernel.cgroup: must have no control characters"},
	},
	{
		.name = "names as they are in use",
		.text = "node: {name: ip-10-0-0-1.ec2.internal, region: us_east.1, zone: '2', "
			"subzone: Rack-7}\n"
			"clusters: [{name: Kubernetes, region: cn-hangzhou, network: vpc_1, "
			"context: 'admin@prod/1 (old)'}]\n"
			"clusterDomain: k8s.example.org\nrootNamespace: istio-config\n",
	},
	{.name = "names left empty", .text = "node: {region: '', zone: '', subzone: ''}\n" ONE},
	{
		.name = "no names of nodes and places",
		.text = "node: {name: Node_A, region: r 2, zone: '*', subzone: z1/s1}\n" ONE,
		.want = -EBADMSG,
		.want_findings =
			{"1:14: error: node.name: must be the node's name in Kubernetes: " DNS,
			 "1:30: error: node.region: " LABEL,
			 "1:41: error: node.zone: must be one place: \"*\" is for rules",
			 "1:55: error: node.subzone: must be one level, without \"/\": a "
			 "zone and a subzone have places of their own"},
	},
	{
		.name = "no names of clusters",
		.text = "clusters: [{name: c 0, region: r1/z1, network: -n, context: \"a\\tb\"}]\n",
		.want = -EBADMSG,
		.want_findings = {"1:19: error: clusters[0].name: " LABEL,
				  "1:32: error: clusters[0].region: must be one level, without "
				  "\"/\": a zone and a subzone have places of their own",
				  "1:48: error: clusters[0].network: " LABEL,
				  "1:61: error: clusters[0].context: must have no control "
				  "characters"},
	},
	{
		.name = "no names of domains and namespaces",
		.text = ONE "clusterDomain: a b\nrootNamespace: A_b\n",
		.want = -EBADMSG,
		.want_findings = {"2:16: error: clusterDomain: must be a domain like "
				  "cluster.local: " DNS,
				  "3:16: error: rootNamespace: must be a namespace: at most 63 "
				  "lower-case letters, digits and \"-\", with a letter or digit "
				  "at both ends (RFC 1123)"},
	},
	{
		.name = "a domain with its last dot",
		.text = ONE "clusterDomain: cluster.local.\n",
		.want = -EBADMSG,
		.want_findings = {"2:16: error: clusterDomain: must be a domain without the dot "
				  "at its end"},
	},
	{
		.name = "an address for a domain",
		.text = ONE "clusterDomain: 10.0.0.1\n",
		.want = -EBADMSG,
		.want_findings = {"2:16: error: clusterDomain: must be a domain like "
				  "cluster.local, not an address"},
	},
	{
		.name = "a selector that is none",
		.text = ONE "serviceSelector: 'app in'\n",
		.want = -EBADMSG,
		.want_findings = {"2:18: error: serviceSelector: must be a label selector like "
				  "\"app=web,tier notin (db)\""},
	},
	{
		.name = "kinds of values",
		.text = "node: []\nclusters: {}\npolicy: p\nkernel: {probe: maybe}\n",
		.want = -EBADMSG,
		.want_findings = {"1:7: error: node: must be a map of keys",
				  "2:11: error: clusters: must be a list of 1 to 64 clusters",
				  "3:9: error: policy: must be a list of files or folders",
				  "4:17: error: kernel.probe: must be true or false"},
	},
	{
		.name = "a second document",
		.text = ONE "---\nnode: {}\n",
		.want = -EBADMSG,
		.want_findings = {"3:1: error: a configuration is one document"},
	},
	{
		.name = "a cluster that is no map",
		.text = "clusters: [a]\n",
		.want = -EBADMSG,
		.want_findings = {"1:12: error: clusters[0]: must be a map of keys"},
	},
};

static void check_findings(const struct finding_case *test, const struct mrd_diag *diag)
{
	size_t want = 0;

	while (want < 6 && test->want_findings[want])
		want++;
	for (size_t i = 0; i < diag->count; i++) {
		char *text = mrd_finding_text(&diag->findings[i]);
		const size_t prefix = strlen(path) + 1;

		assert_non_null(text);
		print_message("  %s\n", text);
		assert_true(i < want);
		assert_memory_equal(text, path, strlen(path));
		/* "FILE: error" without a place, "FILE:3:4: error" with one */
		assert_string_equal(text + prefix + (text[prefix] == ' '), test->want_findings[i]);
		free(text);
	}
	assert_int_equal(diag->count, want);
}

static void finds_everything_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(finding_cases) / sizeof(*finding_cases); i++) {
		struct mrd_agent_config *config = NULL;
		struct mrd_diag diag = {0};
		int r;

		print_message("case: %s\n", finding_cases[i].name);
		r = load(finding_cases[i].text, &diag, &config);
		assert_int_equal(r, finding_cases[i].want);
		assert_true((r == 0) == (config != NULL));
		check_findings(&finding_cases[i], &diag);
		mrd_agent_config_free(config);
		mrd_diag_free(&diag);
	}
}

static const char *metrics_of(const struct mrd_agent_config *config)
{
	static char text[MRD_IP_TEXT_MAX];

	if (!config->metrics_port)
		return "off";
	return mrd_ip_port_format(&config->metrics_ip, config->metrics_port, text);
}

static void fills_in_defaults(void **state)
{
	struct mrd_agent_config *config = NULL;
	struct mrd_diag diag = {0};
	char want[160];

	(void)state;
	setenv("NODE_NAME", "node-7", 1);
	assert_int_equal(load("clusters: [{name: a, directory: ./state}]\npolicy: [p, /q]\n", &diag,
			      &config),
			 0);
	unsetenv("NODE_NAME");
	assert_string_equal(config->node_name, "node-7");
	assert_string_equal(config->node_region, "");
	assert_int_equal(config->cluster_count, 1);
	assert_true(config->clusters[0].home);
	assert_string_equal(config->clusters[0].region, "");
	snprintf(want, sizeof(want), "%s/./state", folder);
	assert_string_equal(config->clusters[0].directory, want);
	snprintf(want, sizeof(want), "%s/p", folder);
	assert_string_equal(config->policy[0], want);
	assert_string_equal(config->policy[1], "/q");
	assert_null(config->clusters[0].kubeconfig);
	assert_null(config->clusters[0].context);
	assert_false(config->clusters[0].in_cluster);
	assert_int_equal(config->stale_after_ms, 60000);
	assert_int_equal(config->startup_wait_ms, 10000);
	assert_int_equal(config->unknown_service, MRD_UNKNOWN_PASS);
	assert_string_equal(config->cluster_domain, "cluster.local");
	assert_string_equal(config->root_namespace, "istio-system");
	assert_string_equal(config->service_selector, "");
	assert_string_equal(config->cgroup, "auto");
	assert_string_equal(config->bpffs, "/sys/fs/bpf/meridian");
	assert_string_equal(config->control, "/run/meridian/control.sock");
	assert_true(config->probe);
	assert_int_equal(config->interfaces.mode, MRD_INTERFACES_AUTO);
	assert_false(config->fast_forward);
	assert_string_equal(metrics_of(config), "127.0.0.1:9464");
	assert_int_equal(config->limits.services, 0);
	mrd_agent_config_free(config);
}

static void auto_is_a_word_and_no_path(void **state)
{
	struct mrd_agent_config *config = NULL;
	struct mrd_diag diag = {0};

	(void)state;
	assert_int_equal(load("node: {name: n}\nclusters: [{name: a, directory: /a}]\n"
			      "kernel: {cgroup: auto}\n",
			      &diag, &config),
			 0);
	assert_string_equal(config->cgroup, "auto");
	mrd_agent_config_free(config);
}

static void reads_every_key(void **state)
{
	static const char text[] =
		"node: {name: n, region: r, zone: z, subzone: s}\n"
		"clusters:\n"
		"  - {name: a, region: r, network: net, directory: /a, podCIDRs: [10.0.0.0/16],\n"
		"     serviceCIDRs: [172.16.0.0/16, 'fd00::/108']}\n"
		"  - {name: b, home: true, region: q, directory: /b}\n"
		"policy: []\n"
		"staleAfter: 90s\n"
		"unknownService: refuse\n"
		"clusterDomain: k8s.example\n"
		"rootNamespace: root\n"
		"serviceSelector: app=web\n"
		"kernel:\n"
		"  cgroup: /sys/fs/cgroup/x\n"
		"  bpffs: /sys/fs/bpf/x\n"
		"  probe: false\n"
		"  interfaces: [cali*, eth0]\n"
		"  fastForward: true\n"
		"  limits: {services: 10, vips: 20, members: 30, affinity: 40, udpFlows: 50,\n"
		"           eventBytes: 8192, hops: 6}\n"
		"control: /run/x.sock\n"
		"metrics: '[::1]:9465'\n";
	struct mrd_agent_config *config = NULL;
	struct mrd_diag diag = {0};

	(void)state;
	assert_int_equal(load(text, &diag, &config), 0);
	assert_int_equal(diag.count, 0);
	assert_string_equal(config->node_name, "n");
	assert_string_equal(config->node_region, "r");
	assert_string_equal(config->node_zone, "z");
	assert_string_equal(config->node_subzone, "s");
	assert_int_equal(config->cluster_count, 2);
	assert_int_equal(config->home, 1);
	assert_string_equal(config->clusters[0].network, "net");
	assert_int_equal(config->clusters[0].pod_cidr_count, 1);
	assert_int_equal(config->clusters[0].service_cidr_count, 2);
	assert_int_equal(config->clusters[0].service_cidrs[1].prefix_len, 108);
	assert_string_equal(config->clusters[1].region, "q");
	assert_int_equal(config->policy_count, 0);
	assert_int_equal(config->stale_after_ms, 90000);
	assert_int_equal(config->unknown_service, MRD_UNKNOWN_REFUSE);
	assert_string_equal(config->cluster_domain, "k8s.example");
	assert_string_equal(config->root_namespace, "root");
	assert_string_equal(config->service_selector, "app=web");
	assert_string_equal(config->cgroup, "/sys/fs/cgroup/x");
	assert_string_equal(config->bpffs, "/sys/fs/bpf/x");
	assert_false(config->probe);
	assert_int_equal(config->interfaces.mode, MRD_INTERFACES_GLOBS);
	assert_int_equal(config->interfaces.glob_count, 2);
	assert_string_equal(config->interfaces.globs[0], "cali*");
	assert_string_equal(config->interfaces.globs[1], "eth0");
	assert_true(config->fast_forward);
	assert_int_equal(config->limits.services, 10);
	assert_int_equal(config->limits.vips, 20);
	assert_int_equal(config->limits.members, 30);
	assert_int_equal(config->limits.affinity, 40);
	assert_int_equal(config->limits.udp_flows, 50);
	assert_int_equal(config->limits.event_bytes, 8192);
	assert_int_equal(config->hops, 6);
	assert_string_equal(config->control, "/run/x.sock");
	assert_string_equal(metrics_of(config), "[::1]:9465");
	mrd_agent_config_free(config);
}

static void metrics_have_an_address_or_none(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{.text = "", .want = "127.0.0.1:9464"},
		{.text = "metrics:\n", .want = "127.0.0.1:9464"},
		{.text = "metrics: 10.0.0.1:80\n", .want = "10.0.0.1:80"},
		{.text = "metrics: 0.0.0.0:9464\n", .want = "0.0.0.0:9464"},
		{.text = "metrics: '[::]:9464'\n", .want = "[::]:9464"},
		{.text = "metrics: none\n", .want = "off"},
		{.text = "metrics: ''\n", .want = "off"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_agent_config *config = NULL;
		struct mrd_diag diag MRD_AUTO_DIAG = {0};
		char text[256];

		print_message("case: %s\n", cases[i].text);
		snprintf(text, sizeof(text), ONE "%s", cases[i].text);
		assert_int_equal(load(text, &diag, &config), 0);
		assert_int_equal(diag.count, 0);
		assert_string_equal(metrics_of(config), cases[i].want);
		mrd_agent_config_free(config);
	}
}

static void says_why_a_file_cannot_be_read(void **state)
{
	struct mrd_agent_config *config = NULL;
	struct mrd_diag diag = {0};

	(void)state;
	assert_int_equal(mrd_agent_config_load("/nowhere/m.yaml", &diag, &config), -ENOENT);
	assert_null(config);
	assert_int_equal(diag.errors, 1);
	assert_string_equal(diag.findings[0].file, "/nowhere/m.yaml");
	mrd_diag_free(&diag);
}

/* A file with errors still says where its policy is: a check looks at that, too. */
static void a_survey_keeps_what_is_valid(void **state)
{
	struct mrd_diag diag MRD_AUTO_DIAG = {0};
	struct mrd_agent_config *config;

	(void)state;
	write_config("clusters: [{name: a, region: 7}]\npolicy: [p.yaml]\nnonsense: 1\n");
	assert_int_equal(mrd_agent_config_survey(path, &diag, &config), -EBADMSG);
	assert_int_equal(diag.errors, 2);
	assert_non_null(config);
	assert_int_equal(config->policy_count, 1);
	assert_non_null(strstr(config->policy[0], "/p.yaml"));
	assert_string_equal(config->root_namespace, "istio-system");
	mrd_agent_config_free(config);

	write_config("clusters: [\n");
	assert_int_equal(mrd_agent_config_survey(path, &diag, &config), -EBADMSG);
	assert_null(config);
}

static void tells_a_configuration_from_a_policy(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{.text = "clusters: []\n", .want = true},
		{.text = "node: {name: a}\nlocalityLbSetting: {}\n", .want = true},
		{.text = "policy: [./policy]\n", .want = true},
		{.text = "metrics: 127.0.0.1:9464\n", .want = true},
		{.text = "localityLbSetting: {}\n", .want = false},
		{.text = "serviceSettings: []\n", .want = false},
		/* A key of both says nothing. */
		{.text = "rootNamespace: a\naccessLogFile: /dev/stdout\n", .want = false},
		{.text = "rootNamespace: a\n", .want = false},
		{.text = "rootNamespace: a\ncontrol: /run/a\n", .want = true},
		{.text = "kind: DestinationRule\nnode: 1\n", .want = false},
		{.text = "apiVersion: v1\npolicy: 1\n", .want = false},
		{.text = "- clusters\n", .want = false},
		{.text = "clusters\n", .want = false},
		{.text = "", .want = false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_diag diag MRD_AUTO_DIAG = {0};
		struct mrd_doc_file *file;

		print_message("%s", cases[i].text);
		assert_int_equal(
			mrd_doc_parse("a.yaml", cases[i].text, strlen(cases[i].text), &diag, &file),
			0);
		assert_int_equal(
			mrd_agent_config_is(mrd_doc_count(file) ? mrd_doc_root(file, 0) : NULL),
			cases[i].want);
		mrd_doc_free(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_everything_at_its_place),
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(auto_is_a_word_and_no_path),
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(metrics_have_an_address_or_none),
		cmocka_unit_test(says_why_a_file_cannot_be_read),
		cmocka_unit_test(a_survey_keeps_what_is_valid),
		cmocka_unit_test(tells_a_configuration_from_a_policy),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
