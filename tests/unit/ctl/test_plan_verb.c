/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl plan: by the command line alone, over the guide's own files and small ones of its
 * own. To be run from the top of the tree. */
#include "ctl/verb_plan.h"

#include "run.h"

#include <jansson.h>
#include <stdbool.h>

#include "base/strbuf.h"

#define SERVICE(namespace, name, vip)                                               \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name                \
	", namespace: " namespace "}\nspec: {clusterIP: " vip ", clusterIPs: [" vip \
				  "], ports: [{name: http, port: 80}]}\n"
#define SLICE(name, endpoints)                                                              \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " name \
	"-1, namespace: default, labels: {kubernetes.io/service-name: " name "}}\n"         \
	"addressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints:\n" endpoints
#define ENDPOINT(ip, node) "- {addresses: [" ip "], nodeName: " node "}\n"
#define NODE(name, region, zone)                                                \
	"---\napiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {" \
	"topology.kubernetes.io/region: " region ", topology.kubernetes.io/zone: " zone "}}\n"

/* A pod with both addresses, and one with the first alone. */
static const char both_families[] =
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 172.16.0.1, "
	"clusterIPs: [172.16.0.1, \"fd00::1\"], ports: [{name: http, port: 80}]}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-4, "
	"labels: "
	"{kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{name: http, port: 8080}]\n"
	"endpoints:\n- {addresses: [10.0.0.1], targetRef: {kind: Pod, name: a}}\n"
	"- {addresses: [10.0.0.2], targetRef: {kind: Pod, name: b}}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-6, "
	"labels: "
	"{kubernetes.io/service-name: web}}\naddressType: IPv6\nports: [{name: http, port: 8080}]\n"
	"endpoints:\n- {addresses: [\"fd00::a1\"], targetRef: {kind: Pod, name: a}}\n";

static void make_files(void)
{
	run_write("both.yaml", both_families);
	run_write("home/all.yaml",
		  SERVICE("default", "web", "172.16.0.1") SERVICE("other", "web", "172.16.0.2")
			  SLICE("web", ENDPOINT("10.0.0.1", "n1") ENDPOINT("10.0.0.2", "n2"))
				  NODE("n1", "r1", "r1-a") NODE("n2", "r1", "r1-b"));
	run_write("away.yaml", SLICE("web", ENDPOINT("10.1.0.1", "m1")));
	run_write("ends.yaml", SLICE("web", "- {addresses: [10.2.0.1], conditions: {ready: false, "
					    "serving: true, terminating: true}}\n"));
	run_write("broken/all.yaml", "kind: Service\napiVersion: v1\nmetadata: []\n");
	run_write("failover.yaml", "localityLbSetting: {failover: [{from: r1, to: r2}]}\n");
	run_write("outlier.yaml", "defaultTrafficPolicy: {outlierDetection: {}}\n");
	run_write("bad.yaml", "nonsense: 1\n");
	run_write("ignored.yaml", "apiVersion: networking.istio.io/v1\nkind: Sidecar\n");
	run_write("meridian.yaml", "node: {name: n1}\nclusters:\n"
				   "- {name: a, home: true, directory: home}\n"
				   "- {name: b, region: r2, directory: away}\n"
				   "policy: [failover.yaml]\n");
	run_write("idle.yaml", "node: {name: n1}\n"
			       "clusters: [{name: a, home: true, directory: home}]\n"
			       "policy: [wbe.yaml]\n");
	run_write("wbe.yaml", "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
			      "metadata: {name: r}\nspec: {host: wbe, trafficPolicy: "
			      "{loadBalancer: {simple: ROUND_ROBIN}}}\n");
	run_write("two.yaml", "node: {name: n1}\nclusters:\n"
			      "- {name: a, home: true, region: r2, directory: away}\n"
			      "- {name: b, kubeconfig: k}\n");
	run_write("server.yaml", "node: {name: n1, region: r1}\n"
				 "clusters: [{name: a, kubeconfig: k}]\n");
	run_write("wrong.yaml", "clusters: [{name: a, home: true, directory: broken}]\n"
				"policy: [bad.yaml]\nnonsense: 1\n");
	run_write("away/all.yaml", SLICE("web", ENDPOINT("10.1.0.1", "m1")));
}

/* The entry of default/web. */
static const json_t *web_of(const json_t *doc)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(doc, "services"), i, entry)
	{
		if (!strcmp(json_string_value(json_object_get(entry, "service")), "default/web"))
			return entry;
	}
	fail_msg("no default/web");
	return NULL;
}

/* "r1/r1-a 0.5, r2/ 0.5" */
static const char *shares_of(const json_t *entry)
{
	static char text[RUN_ROOM];
	const json_t *hop;
	size_t i;

	text[0] = '\0';
	json_array_foreach(json_object_get(entry, "hops"), i, hop)
	{
		const size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s/%s %.4g", i ? ", " : "",
			 json_string_value(json_object_get(hop, "region")),
			 json_string_value(json_object_get(hop, "zone")),
			 json_number_value(json_object_get(hop, "share")));
	}
	return text;
}

#define STATES "--state a=home,home --state b=away.yaml,region=r2 "

/* Parts of new connections, from there. */
#define POOL(options_, from_, shares_)                                                      \
	{                                                                                   \
		.options = (options_), .from = (from_), .mode = "pool", .shares = (shares_) \
	}
#define FAILOVER(options_, from_, shares_)                                                      \
	{                                                                                       \
		.options = (options_), .from = (from_), .mode = "failover", .shares = (shares_) \
	}

static void plans_what_the_options_say(void **state)
{
	static const struct {
		const char *options;
		const char *from;
		const char *mode;
		const char *shares;
	} cases[] = {
		POOL(STATES "--from r1", "r1", "r1/r1-a 0.3333, r1/r1-b 0.3333, r2/ 0.3333"),
		FAILOVER(STATES "--from r1 --policy failover.yaml", "r1",
			 "r1/r1-a 0.5, r1/r1-b 0.5, r2/ 0"),
		FAILOVER(STATES "--from r1/r1-a --policy failover.yaml --policy outlier.yaml",
			 "r1/r1-a", "r1/r1-a 1, r1/r1-b 0, r2/ 0"),
		FAILOVER(STATES "--from r2 --policy failover.yaml --service default/web", "r2",
			 "r2/ 1, r1/r1-a 0, r1/r1-b 0"),
		/* Half of a region is 70 % by Envoy's factor. */
		FAILOVER(STATES "--from r1 --policy failover.yaml --ejected 10.0.0.1", "r1",
			 "r1/r1-a 0, r1/r1-b 0.7, r2/ 0.3"),
		FAILOVER(STATES "--from r1 --policy failover.yaml --ejected 10.0.0.1:8080", "r1",
			 "r1/r1-a 0, r1/r1-b 0.7, r2/ 0.3"),
		FAILOVER(STATES "--from r1 --policy failover.yaml --ejected 10.0.0.1:80", "r1",
			 "r1/r1-a 0.5, r1/r1-b 0.5, r2/ 0"),
		FAILOVER(STATES "--from r1 --policy failover.yaml --ejected 10.0.0.1,10.0.0.2",
			 "r1", "r1/r1-a 0, r1/r1-b 0, r2/ 1"),
		FAILOVER(STATES "--from r1 --policy failover.yaml --ejected 10.0.0.1 "
				"--ejected [::ffff:10.0.0.2]:8080",
			 "r1", "r1/r1-a 0, r1/r1-b 0, r2/ 1"),
		/* The node's labels in the home cluster, unless --from says it all. */
		FAILOVER(STATES "--node n2 --policy failover.yaml --policy outlier.yaml", "r1/r1-b",
			 "r1/r1-b 1, r1/r1-a 0, r2/ 0"),
		FAILOVER(STATES "--node n2 --from r1 --policy failover.yaml", "r1",
			 "r1/r1-a 0.5, r1/r1-b 0.5, r2/ 0"),
		/* The first is home if none says so. */
		POOL("--state a=home/ --from r1", "r1", "r1/r1-a 0.5, r1/r1-b 0.5"),
		POOL("--state b=away.yaml,region=r2 --state a=home,home --from r2", "r2",
		     "r1/r1-a 0.3333, r1/r1-b 0.3333, r2/ 0.3333"),
		/* All from a file; then options before it. */
		FAILOVER("--config meridian.yaml", "r1/r1-a", "r1/r1-a 1, r1/r1-b 0, r2/ 0"),
		FAILOVER("--config meridian.yaml --from r2", "r2", "r2/ 1, r1/r1-a 0, r1/r1-b 0"),
		FAILOVER("--config meridian.yaml --node n2", "r1/r1-b",
			 "r1/r1-b 1, r1/r1-a 0, r2/ 0"),
		POOL("--config meridian.yaml --policy ignored.yaml --from r1", "r1",
		     "r1/r1-a 0.3333, r1/r1-b 0.3333, r2/ 0.3333"),
		/* A state stands for the cluster of its name; the others stay, and its region. */
		FAILOVER("--config meridian.yaml --state a=home", "r1/r1-a",
			 "r1/r1-a 1, r1/r1-b 0, r2/ 0"),
		FAILOVER("--config meridian.yaml --state b=away.yaml --from r2", "r2",
			 "r2/ 1, r1/r1-a 0, r1/r1-b 0"),
		FAILOVER("--config meridian.yaml --state b=away.yaml,region=r3 --from r2", "r2",
			 "r1/r1-a 0.3333, r1/r1-b 0.3333, r3/ 0.3333"),
		POOL("--config server.yaml --state a=home --state b=away.yaml,region=r2", "r1/r1-a",
		     "r1/r1-a 0.3333, r1/r1-b 0.3333, r2/ 0.3333"),
		POOL("--config two.yaml --state b=home,home --node n2", "r1/r1-b",
		     "r1/r1-a 0.3333, r1/r1-b 0.3333, r2/ 0.3333"),
		/* A pod is where its endpoint is. */
		FAILOVER(STATES "--from 10.0.0.2 --policy failover.yaml --policy outlier.yaml",
			 "r1/r1-b", "r1/r1-b 1, r1/r1-a 0, r2/ 0"),
		FAILOVER(STATES "--from 10.1.0.1 --policy failover.yaml", "r2",
			 "r2/ 1, r1/r1-a 0, r1/r1-b 0"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};
		json_t *doc;

		print_message("%s\n", cases[i].options);
		snprintf(line, sizeof(line), "plan -o json %s", cases[i].options);
		run = run_line(line);
		print_message("%s", run.err);
		assert_int_equal(run.status, 0);
		doc = json_loads(run.out, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(doc, "from")), cases[i].from);
		print_message("%s\n", shares_of(web_of(doc)));
		assert_string_equal(shares_of(web_of(doc)), cases[i].shares);
		assert_string_equal(json_string_value(json_object_get(web_of(doc), "mode")),
				    cases[i].mode);
		json_decref(doc);
	}
}

static void names_of_nobody_are_told(void **state)
{
	static const struct {
		const char *options;
		const char *want;
	} cases[] = {
		{.options = "--from r1 --ejected 10.0.0.1,10.0.0.2:8080 --node n1", .want = ""},
		{.options = "--from r1 --ejected 10.0.0.1,10.9.9.9",
		 .want = "warning: --ejected: no service has the endpoint 10.9.9.9\n"},
		{.options = "--from r1 --ejected 10.0.0.1:80",
		 .want = "warning: --ejected: no service has the endpoint 10.0.0.1:80\n"},
		{.options = "--state c=ends.yaml,region=r1 --from r1 --ejected 10.2.0.1",
		 .want = "warning: --ejected: 10.2.0.1 terminates: what ends is not ejected\n"},
		{.options = "--from r1 --node nope",
		 .want = "warning: --node: the home cluster (a) has no node nope: its labels are "
			 "not known\n"},
	};
	AUTO_RUN struct run nodeless = run_line("plan --state a=both.yaml --from r1 --node n1");

	(void)state;
	assert_string_equal(nodeless.err, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		print_message("%s\n", cases[i].options);
		snprintf(line, sizeof(line), "plan " STATES "%s", cases[i].options);
		run = run_line(line);
		assert_int_equal(run.status, 0);
		assert_string_equal(run.err, cases[i].want);
	}
}

static void where_nobody_is_is_told(void **state)
{
	static const struct {
		const char *options;
		int status;
		const char *want;
	} cases[] = {
		{.options = STATES "--from r1/elsewhere", .want = ""},
		{.options = STATES "--from r9",
		 .want = "warning: --from: no endpoint is in a region of that name; regions: "
			 "r1, r2\n"},
		{.options = STATES "--from 10.9.9.9",
		 .status = 1,
		 .want = "meridianctl: no endpoint has the address 10.9.9.9, so where the pod is "
			 "is not known: name its REGION[/ZONE[/SUBZONE]]; regions: r1, r2\n"},
		{.options = STATES "--from 10.0.0.1 --node n1", .want = ""},
		{.options = STATES "--from 10.0.0.1 --node n2",
		 .status = 2,
		 .want = "meridianctl: the pod of --from 10.0.0.1 runs on node n1, and --node says "
			 "n2: leave one of them out\n"},
		{.options = "--state a=both.yaml,region=r1 --from 10.0.0.1 --node n1", .want = ""},
		{.options = "--config two.yaml --from r1",
		 .status = 1,
		 .want = "b: error: cannot be read: its state comes from an API server, which is "
			 "not asked here: say --state\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		print_message("%s\n", cases[i].options);
		snprintf(line, sizeof(line), "plan %s", cases[i].options);
		run = run_line(line);
		assert_int_equal(run.status, cases[i].status);
		assert_string_equal(run.err, cases[i].want);
	}
}

static void names_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{"plan --state a=home,region=r1/z1 --from r1",
		 "--state: a region is not \"r1/z1\": must be one level"},
		{"plan --state a=home,region=* --from r1", "--state: a region is not \"*\": "},
		{"plan --state a/b=home --from r1", "--state: a cluster's name is not \"a/b\": "},
		{"plan --state a=home --from 10.0.0.1:8080",
		 "--from takes POD-IP or REGION[/ZONE[/SUBZONE]], not \"10.0.0.1:8080\": a pod's "
		 "address stands alone, without a port"},
		{"explain default/web --state a=home --from [fd00::a1]:8080",
		 "not \"[fd00::a1]:8080\": a pod's address stands alone, without a port"},
		{"explain default/web --from r1/*", "not \"r1/*\": must be one place"},
		{"plan --state a=home --from r1\n", "not \"r1\\n\": must be"},
		{"plan --state a=home --from r1 --node N_1",
		 "--node takes a node's name, not \"N_1\": must be"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN struct run run = run_line(cases[i].line);

		print_message("%s\n%s", cases[i].line, run.err);
		assert_int_equal(run.status, 2);
		assert_non_null(strstr(run.err, cases[i].want));
	}
}

static void text_is_for_people(void **state)
{
	static const char want[] = "service default/web\n"
				   "  port http 80/TCP IPv4 pool http\n"
				   "    vip 172.16.0.1:80\n"
				   "    priority 0 r1/r1-a 50.0000% healthy 1 of 1\n"
				   "      10.0.0.1:8080 a ACTIVE 50.0000%\n"
				   "    priority 0 r1/r1-b 50.0000% healthy 1 of 1\n"
				   "      10.0.0.2:8080 a ACTIVE 50.0000%\n"
				   "\n"
				   "service other/web\n"
				   "  port http 80/TCP IPv4 pool http\n"
				   "    vip 172.16.0.2:80\n"
				   "    warning: no endpoint in the route: new connections are "
				   "refused\n";
	AUTO_RUN struct run run = run_line("plan --state a=home --from r1");

	(void)state;
	run_must_be(&run, 0, want, "");
}

static void a_pod_is_ejected_with_both_addresses(void **state)
{
	static const struct {
		const char *ejected;
		bool ipv6; /* ejected as well */
	} cases[] = {
		{"10.0.0.1", true},
		{"10.0.0.1:8080", true},
		{"10.0.0.2", false},
		{"fd00::a1", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];

		snprintf(line, sizeof(line), "plan --state a=both.yaml --from r1 --ejected %s",
			 cases[i].ejected);
		AUTO_RUN struct run run = run_line(line);

		print_message("%s\n", cases[i].ejected);
		assert_int_equal(run.status, 0);
		assert_int_equal(!!strstr(run.out, "10.0.0.1:8080 a EJECTED"), cases[i].ipv6);
		assert_int_equal(!!strstr(run.out, "[fd00::a1]:8080 a EJECTED"), cases[i].ipv6);
		assert_int_equal(!!strstr(run.out, "10.0.0.2:8080 a EJECTED"), !cases[i].ipv6);
	}
}

/* On their way through the source of a folder. */
static void of_very_many_errors_the_rest_is_counted(void **state)
{
	enum { ERRORS = 1234 };
	static const char node[] = "---\napiVersion: v1\nkind: Node\nmetadata: {name: n, labels: "
				   "5}\n";
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	AUTO_RUN struct run run = {0};

	(void)state;
	for (size_t i = 0; i < ERRORS; i++)
		mrd_strbuf_addf(&text, "%s", node);
	run_write("many/all.yaml", text.text);
	run = run_line("plan --state a=many --from r1");
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.err, ": error: 234 more errors, not shown\n"));
}

static void what_is_broken_is_told_on_stderr(void **state)
{
	static const struct {
		const char *options;
		int status;
		const char *want;
	} cases[] = {
		{.options = "--state a=broken --from r1",
		 .status = 1,
		 .want = "broken/all.yaml:3:"},
		{.options = "--state a=broken/all.yaml --from r1",
		 .status = 1,
		 .want = "broken/all.yaml:3:"},
		{.options = "--state a=nowhere --from r1",
		 .status = 1,
		 .want = "nowhere: error: cannot be read: No such file"},
		{.options = "--state a=/dev/null --from r1",
		 .status = 1,
		 .want = "/dev/null: error: cannot be read: neither a folder nor a plain file"},
		{.options = "--state a=home --from r1 --policy bad.yaml",
		 .status = 1,
		 .want = "bad.yaml:1:1: error: nonsense: "},
		{.options = "--state a=broken --from r1 --policy bad.yaml",
		 .status = 1,
		 .want = "bad.yaml:1:1: error: nonsense: "},
		{.options = "--state a=home --from r1 --policy nowhere.yaml",
		 .status = 1,
		 .want = "nowhere.yaml: error: cannot be read"},
		{.options = "--config server.yaml",
		 .status = 1,
		 .want = "a: error: cannot be read: its state comes from an API server"},
		{.options = "--config server.yaml --state a=home", .status = 0, .want = ""},
		{.options = "--config idle.yaml",
		 .want = "wbe.yaml:4:14: warning: spec.host: no effect: no Service of the home "
			 "cluster is called wbe.default.svc.cluster.local\n"},
		{.options = "--config idle.yaml --service default/web", .want = ""},
		{.options = "--config bad.yaml", .status = 1, .want = "bad.yaml:1:1: error: "},
		{.options = "--config nowhere.yaml", .status = 1, .want = "nowhere.yaml: error: "},
		{.options = "--state a=home --from r1 --service default/none",
		 .status = 1,
		 .want = "a has no Service default/none"},
		{.options = "--state a=home --from r1 --policy ignored.yaml",
		 .status = 0,
		 .want = "ignored.yaml:2:7: warning: kind: "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		print_message("%s\n", cases[i].options);
		snprintf(line, sizeof(line), "plan %s", cases[i].options);
		run = run_line(line);
		print_message("%s", run.err);
		assert_int_equal(run.status, cases[i].status);
		assert_non_null(strstr(run.err, cases[i].want));
		assert_int_equal(!*run.out, cases[i].status != 0);
	}
}

/* What is wrong in one place hides nothing in another. */
static void one_run_tells_all_of_it(void **state)
{
	static const struct {
		const char *options;
		const char *want[3];
	} cases[] = {
		{.options = "--config wrong.yaml --from r1",
		 .want = {"wrong.yaml:3:1: error: nonsense: ", "bad.yaml:1:1: error: nonsense: "}},
		{.options = "--config wrong.yaml --from r1 --policy nowhere.yaml",
		 .want = {"wrong.yaml:3:1: error: nonsense: ", "nowhere.yaml: error: "}},
		{.options = "--config wrong.yaml --state a=broken --from r1",
		 .want = {"wrong.yaml:3:1: error: nonsense: ", "broken/all.yaml:3:",
			  "bad.yaml:1:1: error: nonsense: "}},
		{.options = "--state a=broken --from r1 --policy bad.yaml",
		 .want = {"broken/all.yaml:3:", "bad.yaml:1:1: error: nonsense: "}},
	};
	static const char *const verbs[] = {"plan", "explain default/web"};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		/* Without --state, explain asks the agent. */
		if (i % 2 && !strstr(cases[i / 2].options, "--state"))
			continue;
		snprintf(line, sizeof(line), "%s %s", verbs[i % 2], cases[i / 2].options);
		print_message("%s\n", line);
		run = run_line(line);
		print_message("%s", run.err);
		assert_int_equal(run.status, 1);
		assert_string_equal(run.out, "");
		for (size_t k = 0; k < 3 && cases[i / 2].want[k]; k++)
			assert_non_null(strstr(run.err, cases[i / 2].want[k]));
	}
}

static void wrong_usage_is_status_2(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{.line = "plan", .want = "a state is missing"},
		{.line = "plan --from r1", .want = "a state is missing"},
		{.line = "plan --state a=home", .want = "where the node is must be said"},
		{.line = "plan --state home --from r1", .want = "NAME=DIR"},
		{.line = "plan --state =home --from r1", .want = "NAME=DIR"},
		{.line = "plan --state a= --from r1", .want = "NAME=DIR"},
		{.line = "plan --state a=,home --from r1", .want = "NAME=DIR"},
		{.line = "plan --state a=home,house --from r1", .want = "not house"},
		{.line = "plan --state a=home, --from r1", .want = "region=R and home"},
		{.line = "plan --state a=home --state a=away --from r1",
		 .want = "names two clusters a"},
		{.line = "plan --state a=home,home --state b=away,home --from r1",
		 .want = "home twice"},
		{.line = "plan --state a=home --from /r1", .want = "REGION[/ZONE[/SUBZONE]], not"},
		{.line = "plan --state a=home --from r1/", .want = "REGION[/ZONE[/SUBZONE]], not"},
		{.line = "plan --state a=home --from r//s", .want = "REGION[/ZONE[/SUBZONE]], not"},
		{.line = "plan --state a=home --from r1 --ejected x", .want = "IP[:PORT]"},
		{.line = "plan --state a=home --from r1 --ejected 10.0.0.1,", .want = "IP[:PORT]"},
		{.line = "plan --state a=home --from r1 --ejected 10.0.0.1:0", .want = "IP[:PORT]"},
		{.line = "plan --state a=home --from r1 --ejected 10.0.0.1:65536",
		 .want = "IP[:PORT]"},
		{.line = "plan --state a=home --from r1 --ejected [fd00::1", .want = "IP[:PORT]"},
		{.line = "plan --state a=home --from r1 --service web", .want = "NAMESPACE/NAME"},
		{.line = "plan --state a=home --from r1 -o yaml", .want = "not yaml"},
		{.line = "plan --state a=home --from r1 more", .want = "unexpected argument more"},
		{.line = "plan --state a=home --from r1 --control x", .want = "unknown option"},
		{.line = "plan --state a=home --nonsense", .want = "unknown option --nonsense"},
		{.line = "plan --state", .want = "a value is missing after --state"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN struct run run = run_line(cases[i].line);

		print_message("%s\n%s", cases[i].line, run.err);
		assert_int_equal(run.status, 2);
		assert_string_equal(run.out, "");
		assert_non_null(strstr(run.err, cases[i].want));
	}
}

/* The command that the guide's own files are tried with. */
static void the_guides_files_plan_as_the_guide_says(void **state)
{
	static const struct {
		const char *policy;
		const char *ejected;
		const char *shares;
	} cases[] = {
		{.policy = "failover",
		 .ejected = "",
		 .shares = "cn-hangzhou/cn-hangzhou-h 1, cn-shanghai/cn-shanghai-b 0"},
		{.policy = "failover",
		 .ejected = "--ejected 10.0.0.20",
		 .shares = "cn-hangzhou/cn-hangzhou-h 0.7, cn-shanghai/cn-shanghai-b 0.3"},
		{.policy = "failover",
		 .ejected = "--ejected 10.0.0.20,10.0.0.21",
		 .shares = "cn-hangzhou/cn-hangzhou-h 0, cn-shanghai/cn-shanghai-b 1"},
		{.policy = "distribution",
		 .ejected = "",
		 .shares = "cn-hangzhou/cn-hangzhou-h 0.9, cn-shanghai/cn-shanghai-b 0.1"},
	};

	(void)state;
	assert_int_equal(chdir(run_home), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};
		json_t *doc;

		print_message("%s %s\n", cases[i].policy, cases[i].ejected);
		snprintf(line, sizeof(line),
			 "plan --state ack-hangzhou=demo/state/hangzhou,region=cn-hangzhou,home "
			 "--state ack-shanghai=demo/state/shanghai,region=cn-shanghai "
			 "--policy demo/policy/%s.yaml --from cn-hangzhou "
			 "--service default/reviews -o json %s",
			 cases[i].policy, cases[i].ejected);
		run = run_line(line);
		assert_int_equal(run.status, 0);
		doc = json_loads(run.out, 0, NULL);
		assert_int_equal(json_array_size(json_object_get(doc, "services")), 1);
		assert_string_equal(shares_of(json_array_get(json_object_get(doc, "services"), 0)),
				    cases[i].shares);
		json_decref(doc);
	}
	assert_int_equal(chdir(run_folder), 0);
}

static int enter(void **state)
{
	const int r = run_enter(state);

	if (!r)
		make_files();
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_what_the_options_say),
		cmocka_unit_test(where_nobody_is_is_told),
		cmocka_unit_test(names_that_cannot_be_are_refused),
		cmocka_unit_test(text_is_for_people),
		cmocka_unit_test(a_pod_is_ejected_with_both_addresses),
		cmocka_unit_test(names_of_nobody_are_told),
		cmocka_unit_test(of_very_many_errors_the_rest_is_counted),
		cmocka_unit_test(what_is_broken_is_told_on_stderr),
		cmocka_unit_test(one_run_tells_all_of_it),
		cmocka_unit_test(wrong_usage_is_status_2),
		cmocka_unit_test(the_guides_files_plan_as_the_guide_says),
	};

	return cmocka_run_group_tests(tests, enter, run_leave);
}
