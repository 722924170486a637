/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/verb_check.h"

#include "run.h"

#include <jansson.h>

#include "base/diag.h"
#include "base/strbuf.h"

#define RULE(host)                                                                  \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"               \
	"metadata: {name: " host ", namespace: default}\nspec:\n  host: " host "\n" \
	"  trafficPolicy:\n    outlierDetection: {consecutive5xxErrors: 1}\n"
#define NEXT "---\n"
#define WILD(namespace, more)                                                    \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"            \
	"metadata: {name: w, namespace: " namespace "}\nspec: {host: '*', " more \
						    "trafficPolicy: {outlierDetection: {}}}\n"
#define ROOT(name, host)                                              \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: " name ", namespace: istio-system}\nspec: {host: " host "}\n"
#define CONFIG "clusters: [{name: a, directory: d}]\n"

static void make_files(void)
{
	run_write("good.yaml", RULE("reviews"));
	run_write("again.yaml", RULE("reviews"));
	run_write("two.yaml", "localityLbSetting: {nonsense: 1}\n---\nnonsense: 2\n");
	run_write("unread.yaml", "kind: [\n");
	run_write("empty.yaml", "\n");
	run_write("meridian.yaml", CONFIG "policy: [policy]\n");
	run_write("own.yaml", CONFIG "clusterDomain: example.org\npolicy: [domain.yaml]\n");
	run_write("domain.yaml", RULE("reviews.default.svc.example.org"));
	run_write("broken.yaml", "# none\n---\nnode: {nam: a}\npolicy: [two.yaml]\n");
	run_write("policy/a.yaml", RULE("ratings"));
	run_write("policy/b.json", "{\"nonsense\": 3}\n");
	run_write("policy/.hidden.yaml", "nonsense: 4\n");
	run_write("policy/notes.txt", "nonsense: 5\n");
	run_write("mesh.yaml", "rootNamespace: istio-config\nlocalityLbSetting: {nonsense: 1}\n");
	run_write("root.yaml", CONFIG "rootNamespace: istio-config\nnonsense: 1\n");
	run_write("state/all.yaml",
		  "apiVersion: v1\nkind: Service\nmetadata: {name: ratings, "
		  "namespace: default}\nspec: {clusterIP: 172.16.0.1, clusterIPs: "
		  "[172.16.0.1], ports: [{name: http, port: 80}]}\n");
	run_write("served.yaml", "clusters: [{name: a, directory: state}]\npolicy: [hosts.yaml]\n");
	run_write("served-any.yaml",
		  "clusters: [{name: a, directory: state}]\npolicy: [any.yaml]\n");
	run_write("any.yaml", WILD("default", "") NEXT WILD("other", "")
				      NEXT WILD("istio-system", "exportTo: [nope], ")
					      NEXT WILD("istio-system", "exportTo: [default], "));
	run_write("hosts.yaml", RULE("ratings") NEXT RULE("rating") NEXT ROOT("a", "ratings")
					NEXT ROOT("b", "rating.default.svc.cluster.local")
						NEXT ROOT("c", "'*.default.svc.cluster.local'")
							NEXT ROOT("d", "example.org"));
	run_write("frames/all.yaml",
		  "apiVersion: v1\nkind: Service\nmetadata: {name: greeter, "
		  "namespace: default}\nspec: {clusterIP: 172.16.0.1, clusterIPs: "
		  "[172.16.0.1], ports: [{name: http, port: 80}, {name: grpc-x, port: 50051}, "
		  "{name: a, port: 50052, appProtocol: kubernetes.io/h2c}]}\n");
	run_write("framed.yaml",
		  "clusters: [{name: a, directory: frames}]\npolicy: [answers.yaml]\n");
	run_write("answers.yaml", RULE("greeter"));
	run_write("one.yaml",
		  "clusters: [{name: a, directory: frames}]\npolicy: [one-port.yaml]\n");
	run_write("one-port.yaml",
		  ROOT("a", "greeter.default.svc.cluster.local, trafficPolicy: {portLevelSettings: "
			    "[{port: {number: 80}, outlierDetection: {}}, {port: {number: 50052}, "
			    "outlierDetection: {}}]}"));
	run_write("mesh-wide.yaml",
		  "clusters: [{name: a, directory: frames}]\npolicy: [default.yaml]\n");
	run_write("default.yaml", "defaultTrafficPolicy: {outlierDetection: {}}\n");
	run_write("levels.yaml",
		  "clusters: [{name: a, directory: frames}]\npolicy: [ports.yaml]\n");
	run_write("ports.yaml",
		  ROOT("a", "'*.default.svc.cluster.local', trafficPolicy: {portLevelSettings: "
			    "[{port: {number: 80}, outlierDetection: {}}, {port: {number: 8080}, "
			    "outlierDetection: {}}]}"));
	run_write("wild.yaml", "\"a\\e[31m\\nb\": 1\n");
	run_write("\xff.yaml", "nonsense: 1\n");
	run_write("all/meridian.yaml",
		  CONFIG "policy: [rules.yaml]\nkernel: {fastForward: maybe}\n");
	run_write("all/rules.yaml", RULE("details"));
	run_write("all/bad.yaml", CONFIG "policy: [rules.yaml]\n---\n" CONFIG);
}

#define NO_FILE "error: cannot be read: No such file or directory\n"
static void findings_are_told_on_stdout(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *want[6]; /* each stands in a line of its own, in this order */
		size_t lines;
	} cases[] = {
		{.line = "good.yaml"},
		{.line = "good.yaml good.yaml ./good.yaml"}, /* once each */
		{.line = "empty.yaml"},
		{
			.line = "again.yaml good.yaml", /* one set: a warning fails nothing */
			.want = {"good.yaml:5:9: warning: spec.host: trafficPolicy has no effect: "
				 "default/reviews (again.yaml:5:9)"},
			.lines = 1,
		},
		{
			.line = "two.yaml nowhere.yaml good.yaml", /* by file, then by line */
			.status = 1,
			.want = {"nowhere.yaml: " NO_FILE,
				 "two.yaml:1:21: error: localityLbSetting.nonsense: ",
				 "two.yaml:3:1: error: nonsense: "},
			.lines = 3,
		},
		{.line = "unread.yaml", .status = 1, .want = {"unread.yaml:2:"}, .lines = 1},
		{
			.line = "policy", /* a folder's files: hidden ones and others are not read
					   */
			.status = 1,
			.want = {"policy/b.json:1:2: error: nonsense: "},
			.lines = 1,
		},
		{
			.line = "meridian.yaml", /* with the policy that it names */
			.status = 1,
			.want = {"policy/b.json:1:2: error: nonsense: "},
			.lines = 1,
		},
		{
			.line = "meridian.yaml policy policy/b.json", /* told once */
			.status = 1,
			.want = {"policy/b.json:1:2: error: nonsense: "},
			.lines = 1,
		},
		{
			.line = "mesh.yaml", /* a MeshConfig, whose key the configuration has too */
			.status = 1,
			.want = {"mesh.yaml:1:1: warning: rootNamespace: not honoured",
				 "mesh.yaml:2:21: error: localityLbSetting.nonsense: "},
			.lines = 2,
		},
		{
			.line = "root.yaml", /* a configuration with it */
			.status = 1,
			.want = {"root.yaml:3:1: error: nonsense: unknown key; known are "},
			.lines = 1,
		},
		{
			.line = "framed.yaml", /* detection by answers that nobody reads: told once
						*/
			.want = {"answers.yaml:7:5: warning: spec.trafficPolicy.outlierDetection: "
				 "port 50051 of "
				 "default/greeter is declared HTTP/2 or gRPC, whose answers are "
				 "not read"},
			.lines = 1,
		},
		{
			.line = "one.yaml", /* by a block of one port */
			.want = {"one-port.yaml:4:153: warning: spec.trafficPolicy."
				 "portLevelSettings[1].outlierDetection: port 50052 of "},
			.lines = 1,
		},
		{.line = "mesh-wide.yaml"}, /* the mesh's need not suit every service */
		{
			.line = "levels.yaml", /* ports of nobody */
			.want = {"ports.yaml:4:141: warning: "
				 "spec.trafficPolicy.portLevelSettings[1].port.number: no effect: "
				 "port 8080 is none of the Service's"},
			.lines = 1,
		},
		{
			.line = "served.yaml", /* rules for nobody, where the home cluster is known
						*/
			.want = {"hosts.yaml:13:9: warning: spec.host: no effect: no Service of "
				 "the "
				 "home cluster is called rating.default.svc.cluster.local",
				 "hosts.yaml:20:14: warning: spec.host: means "
				 "ratings.istio-system.svc.cluster.local, a Service of the root",
				 "hosts.yaml:20:14: warning: spec.host: no effect: no Service",
				 "hosts.yaml:25:14: warning: spec.host: no effect: no Service",
				 "hosts.yaml:35:14: warning: spec.host: no effect: \"example.org\" "
				 "is "
				 "no Service"},
			.lines = 5,
		},
		{
			.line = "served-any.yaml", /* any Service, but of no namespace that has one
						    */
			.want = {"any.yaml:9:14: warning: spec.host: no effect: no Service of the "
				 "home cluster fits * in namespace other",
				 "any.yaml:14:14: warning: spec.host: no effect: no Service of the "
				 "home cluster fits * in the namespaces of exportTo"},
			.lines = 2,
		},
		{
			.line = "hosts.yaml", /* and where it is not */
			.want = {"hosts.yaml:20:14: warning: spec.host: means ",
				 "hosts.yaml:35:14: warning: spec.host: no effect: "
				 "\"example.org\""},
			.lines = 2,
		},
		{.line = "own.yaml"}, /* its policy is read with its names */
		{.line = "own.yaml good.yaml"},
		{
			.line = "broken.yaml", /* its policy is looked at all the same */
			.status = 1,
			.want = {"broken.yaml:3:1: error: clusters: ",
				 "broken.yaml:3:8: error: node.nam: ", "two.yaml:1:21: error: ",
				 "two.yaml:3:1: error: "},
			.lines = 4,
		},
		{
			.line = "all", /* configurations and policy in one folder */
			.status = 1,
			.want = {"all/bad.yaml:4:1: error: a configuration is one document",
				 "all/meridian.yaml:3:23: error: kernel.fastForward: "},
			.lines = 2,
		},
		{
			.line = "/dev/null",
			.status = 1,
			.want = {"/dev/null: error: cannot be read: neither a folder nor"},
			.lines = 1,
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[RUN_ROOM];
		const char *at;
		size_t lines = 0;
		AUTO_RUN struct run run = {0};

		print_message("%s\n", cases[i].line);
		snprintf(line, sizeof(line), "check %s", cases[i].line);
		run = run_line(line);
		print_message("%s", run.out);
		assert_string_equal(run.err, "");
		assert_int_equal(run.status, cases[i].status);
		at = run.out;
		for (size_t k = 0; k < 6 && cases[i].want[k]; k++) {
			assert_int_equal(strncmp(at, cases[i].want[k], strlen(cases[i].want[k])),
					 0);
			at = strchr(at, '\n') + 1;
		}
		for (at = run.out; *at; at++)
			lines += *at == '\n';
		assert_int_equal(lines, cases[i].lines);
	}
}

/* However many configurations name it. */
static void of_very_many_errors_the_rest_is_counted(void **state)
{
	enum { ERRORS = MRD_FINDINGS_MAX + 100 };
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	AUTO_RUN struct run run = {0};
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < ERRORS; i++)
		mrd_strbuf_addf(&text, "nonsense%zu: 1\n", i);
	run_write("many.yaml", text.text);
	run_write("one.yaml", CONFIG "policy: [many.yaml]\n");
	run_write("other.yaml", CONFIG "policy: [many.yaml]\n");
	run = run_line("check one.yaml other.yaml");
	assert_int_equal(run.status, 1);
	for (const char *at = run.out; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, MRD_FINDINGS_MAX + 1);
	assert_non_null(strstr(run.out, "many.yaml:1001:1: error: 100 more errors, not shown\n"));
}

static void json_is_an_array_of_findings(void **state)
{
	static const char *const keys[] = {"file", "line", "column", "severity", "field", "reason"};
	AUTO_RUN struct run run = run_line("-o json check again.yaml good.yaml two.yaml");
	AUTO_RUN struct run good = run_line("check --output=json good.yaml");
	json_t *list = json_loads(run.out, 0, NULL);
	const json_t *first = json_array_get(list, 0);

	(void)state;
	print_message("%s", run.out);
	assert_int_equal(run.status, 1);
	assert_int_equal(json_array_size(list), 3);
	assert_int_equal(json_object_size(first), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(json_object_get(first, keys[i]));
	assert_string_equal(json_string_value(json_object_get(first, "file")), "good.yaml");
	assert_int_equal(json_integer_value(json_object_get(first, "line")), 5);
	assert_int_equal(json_integer_value(json_object_get(first, "column")), 9);
	assert_string_equal(json_string_value(json_object_get(first, "severity")), "warning");
	assert_string_equal(json_string_value(json_object_get(first, "field")), "spec.host");
	first = json_array_get(list, 2);
	assert_string_equal(json_string_value(json_object_get(first, "severity")), "error");
	json_decref(list);
	run_must_be(&good, 0, "[]\n", "");
}

/* A finding is a line, and JSON is JSON, whatever stands in a file or in its name. */
static void nothing_that_is_named_breaks_the_output(void **state)
{
	AUTO_RUN struct run text = run_line("check wild.yaml \xff.yaml");
	AUTO_RUN struct run json = run_line("check -o json wild.yaml \xff.yaml");
	json_t *list = json_loads(json.out, 0, NULL);
	const json_t *wild = json_array_get(list, 0);
	const json_t *named = json_array_get(list, 1);

	(void)state;
	print_message("%s%s", text.out, json.out);
	run_must_be(&text, 1,
		    "wild.yaml:1:1: error: [\"a\\x1b[31m\\nb\"]: unknown field\n"
		    "\\xff.yaml:1:1: error: nonsense: unknown field\n",
		    "");
	assert_string_equal(json_string_value(json_object_get(wild, "field")),
			    "[\"a\x1b[31m\nb\"]");
	assert_string_equal(json_string_value(json_object_get(named, "file")), "\ufffd.yaml");
	json_decref(list);
}

static void wrong_usage_is_status_2(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{.line = "check", .want = "a file is missing"},
		{.line = "check -o json", .want = "a file is missing"},
		{.line = "check -o xml good.yaml", .want = "not xml"},
		{.line = "check good.yaml -o", .want = "a value is missing after -o"},
		{.line = "check --nonsense good.yaml", .want = "unknown option --nonsense"},
		{.line = "--control /x check good.yaml", .want = "unknown option"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN struct run run = run_line(cases[i].line);

		print_message("%s: %s", cases[i].line, run.err);
		assert_int_equal(run.status, 2);
		assert_string_equal(run.out, "");
		assert_non_null(strstr(run.err, cases[i].want));
	}
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
		cmocka_unit_test(findings_are_told_on_stdout),
		cmocka_unit_test(of_very_many_errors_the_rest_is_counted),
		cmocka_unit_test(json_is_an_array_of_findings),
		cmocka_unit_test(nothing_that_is_named_breaks_the_output),
		cmocka_unit_test(wrong_usage_is_status_2),
	};

	return cmocka_run_group_tests(tests, enter, run_leave);
}
