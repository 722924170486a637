/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl explain, by files and by an agent that is played. */
#include "ctl/verb_explain.h"

#include "run.h"

#include <jansson.h>

#include "explain_files.h"
#include "fake_agent.h"

#define STATES "--state a=r1,region=r1 --state b=r2.yaml,region=r2 "

/* Where a setting stands is said only by a policy that knows; the rule's place always is. */
static void drop_places(char *text)
{
	static const char *const starts[] = {"  locality setting at ", "  outlierDetection at "};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		for (char *at; (at = strstr(text, starts[i]));) {
			const char *end = strchr(at, '\n') + 1;

			memmove(at, end, strlen(end) + 1);
		}
}

static void says_why_and_what_would_change_it(void **state)
{
	static const char want[] =
		"default/web:http port 80/TCP IPv4, from r1/r1-a\n"
		"  at 172.16.0.1:80\n"
		"  failover: by the rule's locality setting\n"
		"  outlierDetection: consecutive5xxErrors 3, interval "
		"10s, baseEjectionTime 30s\n"
		"  rule default/web, failover.yaml:6:9\n"
		"    priority 0 r1/r1-a 70%, healthy 1 of 2\n"
		"      10.0.0.1:8080 a EJECTED 0%\n"
		"      10.0.0.2:8080 a ACTIVE 70%\n"
		"    priority 1 r1/r1-b 30%, healthy 1 of 1\n"
		"      10.0.0.3:8080 a ACTIVE 30%\n"
		"    priority 2 r2/r2-a 0%, healthy 1 of 1\n"
		"      10.1.0.1:8080 b ACTIVE 0%\n"
		"  if 1 more endpoint of r1 fails (10.0.0.2:8080): the regions' shares stay\n"
		"  if r1 is lost: r2 100%\n"
		"  when the ejected ones return: the regions' shares stay\n";
	AUTO_RUN struct run run = run_line("explain default/web:80 " STATES
					   "--policy failover.yaml --from r1/r1-a --ejected "
					   "10.0.0.1");

	(void)state;
	drop_places(run.out);
	run_must_be(&run, 0, want, "");
}

static void an_ejection_that_cannot_be_is_not_supposed(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{"web " STATES "--policy failover.yaml --ejected 10.0.0.1",
		 "  if 1 more endpoint of r1 fails (10.0.0.2:8080): "},
		{"web " STATES "--policy capped.yaml",
		 "  if 1 more endpoint of r1 fails (10.0.0.1:8080): "},
		{"web " STATES "--policy capped.yaml --ejected 10.0.0.1",
		 "  if 1 more endpoint of r1 is not ready (10.0.0.2:8080; no more may be ejected "
		 "now): "},
		{"web " STATES "--policy idle.yaml",
		 "  if 1 more endpoint of r1 is not ready (10.0.0.1:8080): "},
		{"web " STATES, "  if 1 more endpoint of r1 is not ready (10.0.0.1:8080): "},
		/* An endpoint that ends is used and cannot be ejected. */
		{"ends --state a=ends.yaml,region=r1 --policy outlier.yaml",
		 "  if 1 more endpoint of r1 is not ready (10.0.0.1:8080): the regions' shares "
		 "stay\n  if r1 is lost: new connections are refused\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		snprintf(line, sizeof(line), "explain --from r1 default/%s", cases[i].line);
		run = run_line(line);
		print_message("%s\n%s", cases[i].line, run.out);
		assert_int_equal(run.status, 0);
		assert_non_null(strstr(run.out, cases[i].want));
	}
}

static void the_service_goes_before_the_mesh(void **state)
{
	AUTO_RUN struct run run =
		run_line("explain default/near:http --state a=near.yaml,region=r1 "
			 "--policy mesh.yaml --from r1");

	(void)state;
	assert_int_equal(run.status, 0);
	print_message("%s", run.out);
	assert_non_null(strstr(run.out, "failover: by the Service's trafficDistribution"));
	assert_non_null(strstr(run.out, "warning: the mesh's locality setting (mesh.yaml:1:"));
	assert_non_null(strstr(run.out, "has no effect here"));
	assert_null(strstr(run.out, "locality setting at"));
	assert_null(strstr(run.out, "r7"));
	assert_null(strstr(run.out, "handshakes in a row"));
}

static void the_service_goes_before_the_rule_in_affinity(void **state)
{
	AUTO_RUN struct run run =
		run_line("explain default/kept:http --state a=kept.yaml,region=r1 "
			 "--policy kept-rule.yaml --from r1");

	(void)state;
	assert_int_equal(run.status, 0);
	print_message("%s", run.out);
	assert_non_null(strstr(run.out, "session affinity by the Service's sessionAffinity: "
					"ClientIP, timeout 10m0s\n"));
	assert_non_null(strstr(run.out, "warning: consistentHash.useSourceIp (kept-rule.yaml:7:19) "
					"has no effect here: the Service's sessionAffinity goes "
					"before it\n"));
}

static void the_service_goes_before_panic(void **state)
{
	AUTO_RUN struct run run =
		run_line("explain default/near:http --state a=near.yaml,region=r1 "
			 "--policy panic.yaml --from r1");

	(void)state;
	assert_int_equal(run.status, 0);
	print_message("%s", run.out);
	assert_non_null(strstr(run.out, "warning: minHealthPercent 50 (panic.yaml:"));
	assert_non_null(strstr(run.out, "has no effect here: with the Service's "
					"trafficDistribution no region panics"));
}

/* Addresses that two clusters claim are the home cluster's, or else the first's by name. */
static void the_order_of_the_clusters_is_nothing(void **state)
{
	static const char *const orders[] = {
		"--state a=r1,region=r1,home --state b=r2.yaml,region=r2 "
		"--state c=overlap.yaml,region=r3 ",
		"--state c=overlap.yaml,region=r3 --state b=r2.yaml,region=r2 "
		"--state a=r1,region=r1,home ",
	};
	static const char *const verbs[] = {"explain default/web", "plan", "-o json plan"};

	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		struct run runs[2];

		for (size_t k = 0; k < 2; k++) {
			char line[RUN_ROOM];

			snprintf(line, sizeof(line), "%s %s--from r1 --policy failover.yaml",
				 verbs[i], orders[k]);
			runs[k] = run_line(line);
			assert_int_equal(runs[k].status, 0);
		}
		print_message("%s", runs[0].out);
		assert_string_equal(runs[0].out, runs[1].out);
		assert_string_equal(runs[0].err, runs[1].err);
		assert_non_null(strstr(runs[0].out, "2 of the endpoints of port"));
		assert_non_null(strstr(runs[0].out, "10.0.0.1:8080 in a and c"));
		run_free(&runs[0]);
		run_free(&runs[1]);
	}
}

/* Nor is it a node of another cluster that has the same name. */
static void a_pod_is_of_its_own_cluster(void **state)
{
	static const struct {
		const char *options;
		const char *want; /* who is first */
	} cases[] = {
		{"--from 10.0.0.1 --policy clusters.yaml", "priority 0 r1/r1-a 66.67%"},
		{"--from 10.1.0.1 --policy clusters.yaml", "priority 0 r2/r2-a 100%"},
		{"--from r2 --policy clusters.yaml", "priority 0 r1/r1-a 66.67%"},
		{"--from 10.1.0.1 --policy local.yaml", "priority 0 r2/r2-a 100%"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		snprintf(line, sizeof(line), "explain default/web:http " STATES "%s",
			 cases[i].options);
		run = run_line(line);
		print_message("%s\n%s", cases[i].options, run.out);
		assert_int_equal(run.status, 0);
		assert_non_null(strstr(run.out, cases[i].want));
	}
}

static const struct {
	const char *options;
	const char *want[5]; /* parts of the text, in this order */
	const char *never;
} effects[] = {
	{.options = "--from r1",
	 .want = {"one pool: nothing asks for failover", "no outlierDetection",
		  "no rule is for this host",
		  "if 1 more endpoint of r1 is not ready (10.0.0.1:8080): r1 66.67%, r2 "
		  "33.33%"},
	 .never = "warning"},
	{.options = "--from r1 --policy failover.yaml",
	 .want = {"if 1 more endpoint of r1 fails (10.0.0.1:8080): r1 93%, r2 7%",
		  "if r1 is lost: r2 100%"},
	 .never = "if 1 more endpoint of r2"},
	{.options = "--from r2 --policy failover.yaml",
	 .want = {"if r2 is lost: r1 100%",
		  "warning: no failover of the rule's locality setting is from r2"}},
	{.options = "--from r1 --policy nowhere.yaml",
	 .want = {"failover: by the rule's locality setting",
		  "warning: failover: region r7, to which r1 fails over, has no endpoint\n",
		  "warning: without outlierDetection no response"}},
	{.options = "--from r1 --policy strict.yaml",
	 .want = {"meridian.dev/regions: strict: only this node's region"},
	 .never = "nothing can take over"},
	{.options = "--from r1 --policy off.yaml",
	 .want = {"one pool: the rule's locality setting is not enabled",
		  "warning: the rule's locality setting has a list that has no effect"}},
	{.options = "--from r1 --policy outlier.yaml",
	 .want = {"failover: outlierDetection alone asks for it"},
	 .never = "warning"},
	{.options = "--from r1 --policy distribute.yaml",
	 .want = {"distribution: by the mesh's locality setting",
		  "if r1 is lost: new connections are refused",
		  "warning: distribute: r7 has no endpoint: its 20 % fall to the others "
		  "listed\n"}},
	{.options = "--from r1 --policy subzone.yaml",
	 .want = {"warning: distribute: r7/z/s has no endpoint: its 20 % fall to the "
		  "others "
		  "listed\n"}},
	/* Neither the ejection nor the readiness of whom the rule does not list matters. */
	{.options = "--state c=far.yaml,region=r2 --from r1 --policy distribute.yaml "
		    "--ejected 10.1.0.1",
	 .want = {"if r1 is lost"},
	 .never = "  when "},
	{.options = "--from r1 --policy subzone.yaml --ejected 10.0.0.1,10.0.0.2,10.0.0.3",
	 .want = {"warning: distribute: r7/z/s has no endpoint: its 20 % fall to nobody, "
		  "as no "
		  "other has a usable endpoint\n"}},
	{.options = "--from r1 --policy subzone.yaml --policy fallback.yaml --ejected "
		    "10.0.0.1,10.0.0.2,10.0.0.3",
	 .want = {"warning: distribute: r7/z/s has no endpoint: its 20 % fall to what "
		  "comes "
		  "behind those listed\n"}},
	{.options = "--from r1 --policy absent.yaml",
	 .want = {"warning: distribute: no locality of the rule for this node has an "
		  "endpoint\n"},
	 .never = "% fall to"},
	{.options = "--from r1 --policy hash.yaml",
	 .want = {"session affinity by consistentHash.useSourceIp (hash.yaml:7:19), by "
		  "client "
		  "IP, timeout 24h0m0s\n"}},
	{.options = "--from r2 --policy distribute.yaml",
	 .want = {"one pool: the mesh's locality setting has no distribution from this"}},
	{.options = "--from r1 --policy others.yaml",
	 .want = {"warning: rule default/wild (others.yaml:13:9) is for this host too, but "
		  "default/web goes before it",
		  "warning: rule istio-system/root (others.yaml:20:9) is for this host too",
		  "warning: rule default/typo (others.yaml:27:9) has no effect: no Service "
		  "is called wbe.default.svc.cluster.local"},
	 .never = "rule default/web (others.yaml:6:9) is"},
	{.options = "--from r1 --policy roots.yaml",
	 .want = {"warning: rule istio-system/short (roots.yaml:13:9) has no effect: no "
		  "Service "
		  "is called web.istio-system.svc.cluster.local",
		  "warning: rule istio-system/typo (roots.yaml:20:9) has no effect: no "
		  "Service is called wbe.default.svc.cluster.local"}},
	{.options = "--from r1 --policy merged.yaml",
	 .want = {"warning: rule default/later (merged.yaml:13:9) is merged with "
		  "default/web, whose trafficPolicy came first: its own has no effect"},
	 .never = "default/more"},
	{.options = "--from r1 --policy noted.yaml",
	 .want = {"warning: rule default/notes (noted.yaml:12:14) is merged with "
		  "default/web, "
		  "which holds for this host: its annotations have no effect\n"}},
	{.options = "--from r1 --policy ports.yaml",
	 .want = {"warning: portLevelSettings of port 8080 (ports.yaml:7:55) has no "
		  "effect: the Service has no such port"}},
	{.options = "--from r1 --policy idle.yaml",
	 .want = {"outlierDetection: consecutive5xxErrors 0, consecutiveGatewayErrors 0, ",
		  "warning: outlierDetection (idle.yaml:7:19) ejects nobody: each of its "
		  "detectors is off, or only tells; readiness alone triggers"}},
	{.options = "--from r1 --policy local.yaml",
	 .want = {"the host is cluster-local",
		  "warning: failover names r2, which has no endpoint of this service in "
		  "this node's cluster, which the service does not leave"}},
	{.options = "--from r1 --policy fallback.yaml",
	 .want = {"one pool:", "meridian.dev/regions: strict"},
	 .never = "come behind it"},
	{.options = "--from r1 --policy fallback.yaml --policy distribute.yaml",
	 .want = {"meridian.dev/fallback: next-region: regions that", "meridian.dev/unready: drop",
		  "meridian.dev/overprovisioning-percent: 200",
		  "warning: meridian.dev/regions: strict has no effect here",
		  "triggers the failover: only its readiness does"},
	 .never = "only this node's region"},
	{.options = "--from r1 --policy both-lists.yaml",
	 .want = {"warning: without outlierDetection no response of an endpoint triggers "
		  "the failover: only its readiness and failed handshakes do"},
	 .never = "no effect"},
	{.options = "--from r1 --policy lifted.yaml",
	 .want = {"has a failover list that has no effect beside its distribution: "
		  "meridian.dev/fallback is none"}},
	{.options = "--from r2 --policy both-lists.yaml",
	 .want = {"failover: by the rule's", "warning: without outlierDetection no response",
		  "only its readiness and failed handshakes do"},
	 .never = "no effect:"},
	{.options = "--from r1 --policy panics.yaml --ejected 10.0.0.1,10.0.0.2,10.0.0.3",
	 .want = {"one pool:",
		  "meridian.dev/overprovisioning-percent: 400: the pool panics only when "
		  "its healthy part falls below 100/400",
		  "r2/r2-a 100%"},
	 .never = "panic: ejected ones too"},
	{.options = "--from r1 --policy losses.yaml --policy dropped.yaml",
	 .want = {"one pool:",
		  "meridian.dev/unready: drop: endpoints that are not ready do not count "
		  "among those of which a part may be ejected",
		  "warning: meridian.dev/overprovisioning-percent has no effect here: in "
		  "one pool"},
	 .never = "unready: drop has no effect"},
	{.options = "--from r1/r1-a --policy zones-apart.yaml",
	 .want = {"priority 0 r1/r1-a"},
	 .never = "by its capacity"},
	{.options = "--from r1/r1-a --policy zones-together.yaml",
	 .want = {"warning: zoneAwareLbSetting: endpoints of one priority are equal; Envoy "
		  "would prefer those of the own zone by its capacity"},
	 .never = "inside a region"},
	{.options = "--from r1 --policy stray.yaml",
	 .want = {"no rule is for this host",
		  "warning: rule other/stray (stray.yaml:6:9) has no effect: no Service is "
		  "called web.other.svc.cluster.local; a rule for this one stands in its "
		  "namespace, default"},
	 .never = "typo"},
	{.options = "--from r1 --policy losses.yaml --policy distribute.yaml",
	 .want = {"distribution: by the mesh's",
		  "meridian.dev/overprovisioning-percent: 200: a region spills over"}},
	{.options = "--from r1 --policy private.yaml",
	 .want = {"rule default/web, private.yaml:6:9",
		  "warning: rule istio-system/own (private.yaml:13:9) is for this host, "
		  "but "
		  "not exported to its namespace: it is not applied"}},
	{.options = "--from r1 --policy outlier.yaml --ejected "
		    "10.0.0.1,10.0.0.2,10.0.0.3,10.1.0.1",
	 .want = {"healthy 0 of 2", "healthy 0 of 1", "when the ejected ones return: r1 100%",
		  "warning: no endpoint is usable"}},
};

static void names_what_has_no_effect(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};
		const char *at;

		print_message("%s\n", effects[i].options);
		snprintf(line, sizeof(line), "explain default/web:http " STATES "%s",
			 effects[i].options);
		run = run_line(line);
		print_message("%s", run.out);
		assert_int_equal(run.status, 0);
		at = run.out;
		for (size_t k = 0; k < 5 && effects[i].want[k]; k++) {
			print_message("must say: %s\n", effects[i].want[k]);
			at = strstr(at, effects[i].want[k]);
			assert_non_null(at);
		}
		assert_true(!effects[i].never || !strstr(run.out, effects[i].never));
	}
}

static void what_cannot_act_is_told(void **state)
{
#define WEB "default/web:http " STATES "--from r1 "
#define ONE "default/one:http --state a=one.yaml,region=r1 --from r1 --policy outlier.yaml "
	static const struct {
		const char *options;
		const char *want; /* NULL: none of them is told */
	} cases[] = {
		{WEB "--policy losses.yaml",
		 "meridian.dev/unready: drop has no effect here: in one pool all endpoints"},
		{WEB "--policy losses.yaml",
		 "meridian.dev/overprovisioning-percent has no effect here: in one pool"},
		{WEB "--policy losses.yaml --policy outlier.yaml", NULL},
		{WEB "--policy losses.yaml --policy distribute.yaml", NULL},
		{ONE "--policy losses.yaml",
		 "percent has no effect here: nothing stands behind or beside them that could"},
		{ONE, "warning: no other region than r1 has an endpoint: nothing can take over"},
		{ONE, "warning: outlierDetection (outlier.yaml:1:24) ejects nobody here: the only "
		      "endpoint stays, since no other could take over"},
		{ONE "--policy none.yaml", "ejects nobody here: the only endpoint stays"},
		{ONE "--policy home.yaml", "ejects nobody here: the only endpoint stays"},
		{ONE "--state b=one-ends.yaml,region=r1", "ejects nobody here: the only endpoint "},
		{"default/one:http --state a=one.yaml,region=r1 --from r1 --policy one-list.yaml",
		 "warning: failed handshakes eject nobody here: the only endpoint stays, since no "
		 "other could take over"},
		{WEB "--policy home.yaml --policy outlier.yaml",
		 "warning: no other region than r1 has an endpoint in this node's cluster, which "
		 "the service does not leave: nothing can take over"},
		{WEB "--policy none.yaml --policy outlier.yaml", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		snprintf(line, sizeof(line), "explain %s", cases[i].options);
		run = run_line(line);
		print_message("%s\n%s%s", line, run.err, run.out);
		assert_int_equal(run.status, 0);
		if (cases[i].want)
			assert_non_null(strstr(run.out, cases[i].want));
		else
			assert_null(strstr(run.out, "has no effect here"));
		assert_true(cases[i].want || !strstr(run.out, "ejects nobody"));
	}
}

static void json_has_the_plan_and_the_reasons(void **state)
{
	AUTO_RUN struct run run = run_line("-o json explain default/web " STATES
					   "--policy failover.yaml --from r1 --ejected 10.0.0.1");
	json_t *doc = json_loads(run.out, 0, NULL);
	const json_t *ports = json_object_get(doc, "ports");
	const json_t *http = json_array_get(ports, 1);
	const json_t *what_if = json_array_get(json_object_get(http, "what_if"), 0);
	const json_t *ejection = json_array_get(json_object_get(http, "ejections"), 0);

	(void)state;
	print_message("%s", run.out);
	assert_int_equal(run.status, 0);
	assert_string_equal(json_string_value(json_object_get(doc, "from")), "r1");
	assert_string_equal(json_string_value(json_object_get(doc, "service")), "default/web");
	assert_int_equal(json_array_size(ports), 2); /* every port is explained */
	assert_string_equal(json_string_value(json_object_get(http, "port")), "http");
	assert_int_equal(json_array_size(json_object_get(http, "hops")), 3);
	assert_string_equal(json_string_value(json_object_get(http, "rule")), "default/web");
	assert_string_equal(json_string_value(json_object_get(http, "rule_place")),
			    "failover.yaml:6:9");
	assert_string_equal(json_string_value(json_object_get(ejection, "address")),
			    "10.0.0.1:8080");
	assert_true(json_is_null(json_object_get(ejection, "left_ms")));
	assert_string_equal(json_string_value(json_object_get(what_if, "what")), "endpoint-fails");
	assert_string_equal(json_string_value(json_object_get(what_if, "endpoint")),
			    "10.0.0.2:8080");
	assert_true(json_is_true(json_object_get(what_if, "changes")));
	assert_int_equal(json_array_size(json_object_get(what_if, "shares")), 2);
	json_decref(doc);
}

static void what_cannot_be_explained(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *want;
	} cases[] = {
		{.line = "explain default/none " STATES "--from r1",
		 .status = 1,
		 .want = "no such Service"},
		{.line = "explain default/web:81 " STATES "--from r1",
		 .status = 1,
		 .want = "no such port"},
		{.line = "explain default/web:htt " STATES "--from r1",
		 .status = 1,
		 .want = "no such port"},
		{.line = "explain default/late:81 --state a=late.yaml,region=r1 "
			 "--from r1",
		 .status = 1,
		 .want = "no such port"},
		{.line = "explain default/web --state a=missing --from r1",
		 .status = 1,
		 .want = "missing: error: cannot be read"},
		{.line = "explain default/web --control /nonexistent/c",
		 .status = 1,
		 .want = "no agent answers (control socket /nonexistent/c: No such file"},
		{.line = "explain", .status = 2, .want = "a service is missing"},
		{.line = "explain web", .status = 2, .want = "NAMESPACE/NAME[:PORT], not web"},
		{.line = "explain default/web:", .status = 2, .want = "NAMESPACE/NAME[:PORT]"},
		{.line = "explain default/:80", .status = 2, .want = "NAMESPACE/NAME[:PORT]"},
		{.line = "explain /web", .status = 2, .want = "NAMESPACE/NAME[:PORT]"},
		{.line = "explain default/web:080",
		 .status = 2,
		 .want = "explain takes as PORT a name, or a number from 1 to 65535 without sign "
			 "or "
			 "leading zero, not default/web:080\n"},
		{.line = "explain default/web:+80", .status = 2, .want = "not default/web:+80\n"},
		{.line = "explain default/web:-80", .status = 2, .want = "not default/web:-80\n"},
		{.line = "explain default/web:0", .status = 2, .want = "not default/web:0\n"},
		{.line = "explain default/web:65536",
		 .status = 2,
		 .want = "not default/web:65536\n"},
		{.line = "explain a/b/c", .status = 2, .want = "NAMESPACE/NAME[:PORT]"},
		{.line = "explain a/b c/d", .status = 2, .want = "unexpected argument c/d"},
		{.line = "explain a/b --service a/b", .status = 2, .want = "unknown option"},
		{.line = "explain a/b --policy x", .status = 2, .want = "need --state"},
		{.line = "explain a/b --ejected 10.0.0.1", .status = 2, .want = "need --state"},
		{.line = "explain a/b -o yaml", .status = 2, .want = "not yaml"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN struct run run = run_line(cases[i].line);

		print_message("%s\n%s", cases[i].line, run.err);
		assert_int_equal(run.status, cases[i].status);
		assert_string_equal(run.out, "");
		assert_non_null(strstr(run.err, cases[i].want));
	}
}

static void an_agent_is_asked_in_one_line(void **state)
{
	static const struct {
		const char *options;
		const char *answer;
		const char *request;
		int status;
		const char *out;
		const char *err;
	} cases[] = {
		{.options = "",
		 .answer = "{\"from\": \"r1\", \"ports\": [{\"service\": \"a/b\", \"port\": \"\", "
			   "\"rule\": \"a/r\", \"rule_place\": \"p.yaml:1:2\", \"locality_place\": "
			   "\"p.yaml:3:4\", "
			   "\"number\": 80, \"protocol\": \"TCP\", \"family\": \"IPv4\", \"vips\": "
			   "[\"1.2.3.4:80\"], \"ejections\": [{\"address\": \"10.0.0.1:8080\", "
			   "\"left_ms\": 43000}], \"hops\": [{\"region\": \"r1\", \"zone\": \"\", "
			   "\"subzone\": \"\", \"priority\": 0, \"share\": 0, \"panic\": false, "
			   "\"healthy\": 0, \"total\": 1, \"endpoints\": [{\"address\": "
			   "\"10.0.0.1:8080\", \"cluster\": \"c\", \"state\": \"EJECTED\", "
			   "\"share\": 0}]}], \"what_if\": [{\"what\": \"return\", "
			   "\"region\": \"\", \"changes\": true, \"warms_up\": true, "
			   "\"shares\": [{\"region\": \"r1\", \"share\": 0.14}]}]}]}",
		 .request = "explain a/b:80\n",
		 .out = "a/b port 80/TCP IPv4, from r1\n  at 1.2.3.4:80\n"
			"  rule a/r, p.yaml:1:2\n  locality setting at p.yaml:3:4\n"
			"    priority 0 r1 0%, healthy 0 of 1\n"
			"      10.0.0.1:8080 c EJECTED for 43s more 0%\n"
			"  when the ejected ones return: at first r1 14%\n",
		 .err = ""},
		{.options = "",
		 .answer = "{\"from\": \"r1\", \"service\": \"a/b\", \"ports\": [], "
			   "\"unwritten\": {\"error\": \"mrd_member is full\", \"since_ms\": "
			   "5000}}",
		 .request = "explain a/b:80\n",
		 .out = "a/b NOT WRITTEN to the kernel: mrd_member is full, for 5s; what the "
			"kernel "
			"holds of it stands, and what follows holds once it is written\n\n",
		 .err = ""},
		{.options = "--from 10.0.0.9",
		 .answer = "{\"error\": \"no endpoint has that address\"}",
		 .request = "explain a/b:80 10.0.0.9\n",
		 .status = 1,
		 .out = "",
		 .err = "meridianctl: no endpoint has that address\n"},
		{.options = "--from r1/z -o json",
		 .answer = "{\"ports\": []}",
		 .request = "explain a/b:80 r1/z\n",
		 .out = "{\n  \"ports\": []\n}\n",
		 .err = ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_agent agent = {0};
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		print_message("%s\n", cases[i].options);
		fake_agent_start(&agent, cases[i].answer);
		snprintf(line, sizeof(line), "explain a/b:80 --control %s %s", agent.path,
			 cases[i].options);
		run = run_line(line);
		fake_agent_stop(&agent);
		assert_string_equal(agent.request, cases[i].request);
		run_must_be(&run, cases[i].status, cases[i].out, cases[i].err);
	}
}

/* A port that is not planned is told in place of its plan. */
static void ports_that_are_left_out_are_told(void **state)
{
	static const struct {
		const char *line;
		const char *want;
		const char *never;
	} cases[] = {
		{"explain default/web:http " STATES "--from r1 --policy through.yaml",
		 "default/web: port 80 is left alone: loadBalancer.simple is PASSTHROUGH (rule "
		 "default/web, through.yaml:7:60)\n",
		 "priority"},
		{"explain default/web " STATES "--from r1 --policy through.yaml",
		 "\n\ndefault/web: port 80 is left alone", NULL},
		{"explain default/web:53 " STATES "--from r1 --policy through.yaml",
		 "default/web:dns port 53/UDP", "left alone"},
		{"explain default/web " STATES "--from r1 --policy all-through.yaml",
		 "default/web: port 53 is left alone: loadBalancer.simple is PASSTHROUGH (rule "
		 "default/web, all-through.yaml:7:19)\ndefault/web: port 80 is left alone",
		 "priority"},
		{"explain default/web:80 -o json " STATES "--from r1 --policy all-through.yaml",
		 "  \"ports\": [],\n  \"warnings\": [\n    \"default/web: port 80 is left alone: "
		 "loadBalancer.simple is PASSTHROUGH (rule default/web, all-through.yaml:7:19)\"\n",
		 "port 53"},
		{"explain default/web:80 " STATES "--from r1 --policy through-others.yaml",
		 "through-others.yaml:7:19)\ndefault/web: rule default/typo "
		 "(through-others.yaml:13:9) "
		 "has no effect: no Service is called wbe.default.svc.cluster.local\n",
		 "priority"},
		{"explain default/web:80 " STATES "--from r1 --policy through.yaml "
		 "--policy noted.yaml",
		 "is merged with default/web, which holds for this host: its annotations have no "
		 "effect\n",
		 "priority"},
		{"explain default/late:http --state a=late.yaml,region=r1 --from r1",
		 "default/late: 172.16.0.9:80/TCP belongs to default/early, which is older\n",
		 "priority"},
		{"explain default/late:53 --state a=late.yaml,region=r1 --from r1",
		 "default/late:dns port 53/UDP", "older"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN struct run run = run_line(cases[i].line);

		print_message("%s\n%s%s", cases[i].line, run.out, run.err);
		assert_int_equal(run.status, 0);
		assert_non_null(strstr(run.out, cases[i].want));
		assert_true(!cases[i].never || !strstr(run.out, cases[i].never));
	}
}

static void hints_are_named_where_they_decide(void **state)
{
	static const char want[] =
		"default/hinted:http port 80/TCP IPv4, from r1/r1-a\n"
		"  at 172.16.0.8:80\n"
		"  one pool by topology hints: every ready endpoint has one, and those for zone "
		"r1-a are used, as equals; nothing else asks (no locality setting, no "
		"outlierDetection, no trafficDistribution)\n"
		"  left out, as meant for others: 10.0.0.2:8080 a (for r1-b, r1-c), 10.0.0.3:8080 "
		"a (not ready, without a hint)\n"
		"  no outlierDetection: an endpoint counts as failed when it is not ready\n"
		"  no rule is for this host\n";
	AUTO_RUN struct run hinted = run_line("explain default/hinted:http --state "
					      "a=hints.yaml,region=r1 --from r1/r1-a");
	AUTO_RUN struct run other = run_line("explain default/hinted:http --state "
					     "a=hints.yaml,region=r1 --from r1/r1-z");
	AUTO_RUN struct run dropped =
		run_line("explain default/hinted:http --state "
			 "a=hints.yaml,region=r1 --from r1/r1-a --ejected 10.0.0.1");

	(void)state;
	print_message("%s%s%s", hinted.out, other.out, dropped.out);
	assert_memory_equal(hinted.out, want, strlen(want));
	assert_non_null(strstr(other.out, "one pool: nothing asks for failover"));
	assert_null(strstr(other.out, "dropped"));
	assert_non_null(strstr(dropped.out,
			       "endpoints are equal\n  topology hints for zone r1-a are "
			       "dropped: all whom they name are ejected, and they "
			       "hold again when one is back\n"));
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
		cmocka_unit_test(says_why_and_what_would_change_it),
		cmocka_unit_test(an_ejection_that_cannot_be_is_not_supposed),
		cmocka_unit_test(names_what_has_no_effect),
		cmocka_unit_test(what_cannot_act_is_told),
		cmocka_unit_test(the_order_of_the_clusters_is_nothing),
		cmocka_unit_test(a_pod_is_of_its_own_cluster),
		cmocka_unit_test(the_service_goes_before_the_mesh),
		cmocka_unit_test(the_service_goes_before_panic),
		cmocka_unit_test(the_service_goes_before_the_rule_in_affinity),
		cmocka_unit_test(json_has_the_plan_and_the_reasons),
		cmocka_unit_test(what_cannot_be_explained),
		cmocka_unit_test(ports_that_are_left_out_are_told),
		cmocka_unit_test(hints_are_named_where_they_decide),
		cmocka_unit_test(an_agent_is_asked_in_one_line),
	};

	return cmocka_run_group_tests(tests, enter, run_leave);
}
