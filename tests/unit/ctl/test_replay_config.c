/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whom replay's detector watches: what the agent's plan, and its configuration, say of that. */
#include "ctl/verb_replay.h"

#include "replay.h"

#define CLUSTER_LOCAL                                                                      \
	"---\nserviceSettings: [{settings: {clusterLocal: true}, hosts: [web.default.svc." \
	"cluster.local]}]\n"

struct config_case {
	const char *policy;
	const char *endpoints;
	const char *want;
	const char *want_err;
};

/* The first errors of two endpoints, by a policy and endpoints that differ, and these options. */
static void must_watch(const struct config_case *cases, size_t count, const char *options)
{
	write_events("0 a 503, 0 b 503");
	for (size_t i = 0; i < count; i++) {
		MRD_AUTO_FREE char *got = NULL;
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		print_message("%zu %s\n", i, cases[i].endpoints);
		run_write("policy.yaml", cases[i].policy);
		snprintf(line, sizeof(line),
			 "replay %s --host web -o json --endpoints %s events.jsonl", options,
			 cases[i].endpoints);
		run = run_line(line);
		got = shorten(run.out);
		assert_int_equal(run.status, 0);
		assert_string_equal(got, cases[i].want);
		assert_string_equal(run.err, cases[i].want_err);
	}
}

static void what_the_agent_leaves_alone(void **state)
{
	static const struct config_case cases[] = {
		{
			POLICY("", DETECTION ", loadBalancer: {simple: PASSTHROUGH}"),
			"10.0.0.1:80@r1,10.0.0.2:80@r2",
			"",
			"policy.yaml:4:35: warning: spec.trafficPolicy.outlierDetection: no "
			"effect: "
			"loadBalancer.simple is PASSTHROUGH, which leaves the port alone\n"
			"meridianctl: default/web: port 80 is left alone: loadBalancer.simple is "
			"PASSTHROUGH\n",
		},
		{
			POLICY("", DETECTION ", portLevelSettings: [{port: {number: 81}, "
					     "loadBalancer: {simple: PASSTHROUGH}}]"),
			"10.0.0.1:80@r1,10.0.0.2:80@r2",
			"0 a EJECT 5XX, 0 b EJECT 5XX",
			"",
		},
		{
			POLICY("", DETECTION) CLUSTER_LOCAL,
			"10.0.0.1:80@r1,10.0.0.2:80@r2",
			"0 a EJECT 5XX, 0 b EJECT 5XX",
			"warning: the service is cluster-local, and all endpoints count as the "
			"home cluster's: name another's IP:PORT@REGION=CLUSTER\n",
		},
		{
			POLICY("", DETECTION) CLUSTER_LOCAL,
			"10.0.0.1:80@r1,10.0.0.2:80@r2=far",
			"0 a EJECT 5XX",
			"warning: 10.0.0.2:80 is not in the route: the detector does not hear of "
			"it\n",
		},
		{
			POLICY("", DETECTION),
			"10.0.0.1:80@r1,10.0.0.2:80=far",
			"0 a EJECT 5XX, 0 b EJECT 5XX",
			"",
		},
	};

	(void)state;
	must_watch(cases, sizeof(cases) / sizeof(cases[0]), "--policy policy.yaml --from r1");
}

static void a_configuration_says_what_options_do_not(void **state)
{
	static const struct {
		const char *options;
		int status;
		const char *want; /* in the log, or else in what is said */
	} cases[] = {
		{"--config meridian.yaml --host web", 0,
		 "outbound|80||web.default.svc.example.org"},
		{"--config meridian.yaml --host web.default.svc.example.org", 0, "EJECT"},
		{"--config meridian.yaml --host web.default.svc.cluster.local", 2, "--host takes"},
		{"--config meridian.yaml --host web", 0, "10.0.0.2:80 is not in the route"},
		{"--config meridian.yaml --from r2 --host web", 0,
		 "10.0.0.1:80 is not in the route"},
		{"--config meridian.yaml --policy none.yaml --host web", 0,
		 "no outlierDetection holds"},
		{"--config broken.yaml --host web", 1,
		 "broken.yaml:1:16: error: clusterDomain: must be"},
		{"--config nowhere.yaml --host web", 1, "nowhere.yaml: error: "},
	};

	(void)state;
	run_write("meridian.yaml", "node: {region: r1}\nclusterDomain: example.org\npolicy: "
				   "[full.yaml]\nclusters: [{name: a, directory: d}]\n");
	run_write("broken.yaml", "clusterDomain: A_b\nclusters: [{name: a, directory: d}]\n");
	run_write("none.yaml", "");
	run_write("full.yaml",
		  "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
		  "metadata: {name: web, namespace: default, annotations: {meridian.dev/regions: "
		  "strict}}\n"
		  "spec: {host: web.default.svc.example.org, trafficPolicy: {" DETECTION "}}\n");
	write_events("0 a 503, 0 b 503");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		AUTO_RUN struct run run = {0};

		print_message("%s\n", cases[i].options);
		snprintf(line, sizeof(line),
			 "replay %s --endpoints 10.0.0.1:80@r1,10.0.0.2:80@r2 events.jsonl",
			 cases[i].options);
		run = run_line(line);
		print_message("%s%s", run.out, run.err);
		assert_int_equal(run.status, cases[i].status);
		assert_true(strstr(run.out, cases[i].want) || strstr(run.err, cases[i].want));
	}
}

static void a_configuration_says_what_clusters_are(void **state)
{
	static const struct config_case cases[] = {
		/* The home cluster has its name there. */
		{
			POLICY("", DETECTION) CLUSTER_LOCAL,
			"10.0.0.1:80@r1=near,10.0.0.2:80@r2=far,10.0.0.3:80@r2=other",
			"0 a EJECT 5XX",
			"warning: 10.0.0.2:80 is not in the route: the detector does not hear of "
			"it\n"
			"warning: 10.0.0.3:80 is not in the route: the detector does not hear of "
			"it\n",
		},
		{
			POLICY("", DETECTION) CLUSTER_LOCAL,
			"10.0.0.1:80=far,10.0.0.2:80=near,10.0.0.3:80=other",
			"0 b EJECT 5XX",
			"warning: 10.0.0.1:80 is not in the route: the detector does not hear of "
			"it\n"
			"warning: 10.0.0.3:80 is not in the route: the detector does not hear of "
			"it\n",
		},
		/* So has it a region, where the node is, too. */
		{
			POLICY("meridian.dev/regions: strict", DETECTION),
			"10.0.0.1:80@r1,10.0.0.2:80,10.0.0.3:80=far",
			"0 a EJECT 5XX, 0 b EJECT 5XX",
			"warning: 10.0.0.3:80 is not in the route: the detector does not hear of "
			"it\n",
		},
		/* Nobody says that it is elsewhere. */
		{
			POLICY("", DETECTION) CLUSTER_LOCAL,
			"10.0.0.1:80@r1,10.0.0.2:80",
			"0 a EJECT 5XX, 0 b EJECT 5XX",
			"",
		},
	};

	(void)state;
	run_write("meridian.yaml",
		  "node: {name: n0}\npolicy: [policy.yaml]\nclusters: [{name: far, region: r2, "
		  "directory: d}, {name: near, region: r1, home: true, directory: d}]\n");
	must_watch(cases, sizeof(cases) / sizeof(cases[0]), "--config meridian.yaml");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_agent_leaves_alone),
		cmocka_unit_test(a_configuration_says_what_options_do_not),
		cmocka_unit_test(a_configuration_says_what_clusters_are),
	};

	return cmocka_run_group_tests(tests, run_enter, run_leave);
}
