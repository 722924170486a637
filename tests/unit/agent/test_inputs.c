/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/status.h"
#include "base/clock.h"
#include "base/log.h"

static char root[] = "/tmp/mrd-test-inputs-XXXXXX";
static struct mrd_loop *loop;
static struct mrd_timer *timer;
static int policy_changes;

static const char *in(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void stop(void *self)
{
	(void)self;
	mrd_loop_stop(loop);
}

static void turn(void)
{
	mrd_timer_set(timer, mrd_clock_ns() + 50ULL * MRD_NS_PER_MS);
	assert_int_equal(mrd_loop_run(loop), 0);
}

static void before(void *self)
{
	(void)self;
}

static void policy_changed(void *self)
{
	(void)self;
	policy_changes++;
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(root) || mkdir(in("home"), 0700) || mkdir(in("policy"), 0700))
		return -1;
	mrd_log_set(MRD_LOG_ERROR, false);
	mrd_log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return mrd_loop_new(&loop) || mrd_loop_timer(loop, stop, NULL, &timer);
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"home/node.yaml", "policy/p.yaml", "meridian.yaml", "home", "policy",
	};

	(void)state;
	mrd_timer_free(timer);
	mrd_loop_free(loop);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove(in(names[i]));
	return rmdir(root);
}

static struct mrd_agent_config *read_config(const char *node)
{
	struct mrd_agent_config *config = NULL;
	struct mrd_diag diag = {0};
	char text[512];

	snprintf(text, sizeof(text),
		 "node: {name: n1%s}\n"
		 "clusters:\n"
		 "  - {name: a, home: true, region: of-cluster, directory: home}\n"
		 "  - {name: b, directory: nowhere}\n"
		 "policy: [policy]\n",
		 node);
	write_file("meridian.yaml", text);
	assert_int_equal(mrd_agent_config_load(in("meridian.yaml"), &diag, &config), 0);
	mrd_diag_free(&diag);
	return config;
}

static struct mrd_inputs *open_inputs(const struct mrd_agent_config *config)
{
	const struct mrd_inputs_hooks hooks = {
		.before = before,
		.between = before,
		.dropped = before,
		.policy_changed = policy_changed,
	};
	struct mrd_policy *policy = NULL;
	struct mrd_inputs *inputs = NULL;
	struct mrd_diag diag = {0};

	assert_int_equal(mrd_inputs_load_policy(config, NULL, NULL, &diag, &policy), 0);
	mrd_diag_free(&diag);
	assert_int_equal(mrd_inputs_new(config, policy, loop, &hooks, NULL, &inputs), 0);
	return inputs;
}

struct node_case {
	const char *name;
	const char *config;
	const char *labels; /* of the Node object; NULL: there is none */
	const char *want;   /* region/zone/subzone */
};

#define REGION "topology.kubernetes.io/region"
#define ZONE   "topology.kubernetes.io/zone"

static const struct node_case node_cases[] = {
	{"nothing is said", "", NULL, "of-cluster//"},
	{"labels", "", REGION ": r1, " ZONE ": z1, topology.istio.io/subzone: s1", "r1/z1/s1"},
	{"configured", ", region: r2, zone: z2, subzone: s2", REGION ": r1", "r2/z2/s2"},
	{"a zone of the same region", ", region: r1", REGION ": r1, " ZONE ": z1", "r1/z1/"},
	{"a zone of another region", ", region: r2", REGION ": r1, " ZONE ": z1", "r2//"},
};

static void the_node_has_a_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(node_cases) / sizeof(*node_cases); i++) {
		const struct node_case *test = &node_cases[i];
		struct mrd_agent_config *config = read_config(test->config);
		const struct mrd_plan_node *node;
		struct mrd_inputs *inputs;
		char text[256] = "";
		char got[256];

		print_message("case: %s\n", test->name);
		if (test->labels)
			snprintf(text, sizeof(text),
				 "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {%s}}}",
				 test->labels);
		write_file("home/node.yaml", text);
		inputs = open_inputs(config);
		node = mrd_inputs_node(inputs);
		snprintf(got, sizeof(got), "%s/%s/%s", node->region, node->zone, node->subzone);
		assert_string_equal(got, test->want);
		assert_false(mrd_inputs_update_node(inputs));
		mrd_inputs_free(inputs);
		mrd_agent_config_free(config);
	}
}

static const char good_rule[] = "apiVersion: networking.istio.io/v1\n"
				"kind: DestinationRule\n"
				"metadata: {name: r, namespace: default}\n"
				"spec: {host: r}\n";
static const char broken_rule[] = "apiVersion: networking.istio.io/v1\n"
				  "kind: DestinationRule\n"
				  "metadata: {name: r, namespace: default}\n"
				  "spec: {host: r, hots: r}\n";

/* Broken, still broken, whole: what is told of the files that are not in force. */
static void a_rejected_policy_is_told(void **state)
{
	static const bool cases[] = {false, true}; /* from the start on? */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_agent_config *config = read_config("");
		const struct mrd_rejection *rejection;
		struct mrd_inputs *inputs;
		struct mrd_diag diag = {0};
		uint64_t since_ns;

		print_message("case: broken %s\n", cases[i] ? "at start" : "later");
		write_file("policy/p.yaml", cases[i] ? "" : good_rule);
		inputs = open_inputs(config);
		assert_null(mrd_inputs_rejection(inputs));
		assert_false(mrd_inputs_is_stand_in(inputs));
		if (cases[i])
			mrd_inputs_stand_in(inputs, &diag, -EIO);
		write_file("policy/p.yaml", broken_rule);
		turn();
		rejection = mrd_inputs_rejection(inputs);
		assert_non_null(rejection);
		assert_int_equal(mrd_inputs_is_stand_in(inputs), cases[i]);
		assert_int_equal(rejection->count, 1);
		assert_non_null(strstr(rejection->findings[0], "policy/p.yaml:4:17: error: "));
		assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), !cases[i]);
		since_ns = rejection->since_ns;
		write_file("policy/p.yaml", broken_rule);
		turn();
		assert_int_equal(mrd_inputs_rejection(inputs)->since_ns, since_ns);
		policy_changes = 0;
		write_file("policy/p.yaml", good_rule);
		turn();
		assert_null(mrd_inputs_rejection(inputs));
		assert_false(mrd_inputs_is_stand_in(inputs));
		assert_int_equal(policy_changes, 1);
		assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
		mrd_inputs_free(inputs);
		mrd_agent_config_free(config);
		remove(in("policy/p.yaml"));
	}
}

static void an_unreadable_policy_has_a_reason(void **state)
{
	struct mrd_rejection rejection = {0};
	struct mrd_diag diag = {0};

	(void)state;
	mrd_rejection_set(&rejection, &diag, -EACCES, 7);
	assert_int_equal(rejection.since_ns, 7);
	assert_int_equal(rejection.count, 1);
	assert_string_equal(rejection.findings[0], strerror(EACCES));
	mrd_rejection_clear(&rejection);
	assert_int_equal(rejection.since_ns, 0);
}

static void a_node_may_move(void **state)
{
	struct mrd_agent_config *config = read_config("");
	struct mrd_inputs *inputs;

	(void)state;
	write_file("home/node.yaml", "");
	inputs = open_inputs(config);
	write_file("home/node.yaml",
		   "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {" REGION ": r9}}}");
	turn();
	assert_true(mrd_inputs_update_node(inputs));
	assert_string_equal(mrd_inputs_node(inputs)->region, "r9");

	/* Its other labels count, too; what the node says of its health does not. */
	write_file("home/node.yaml",
		   "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {" REGION
		   ": r9, rack: k7}}}");
	turn();
	assert_true(mrd_inputs_update_node(inputs));
	assert_string_equal(mrd_labels_get(mrd_inputs_node(inputs)->labels, "rack"), "k7");
	write_file("home/node.yaml",
		   "{apiVersion: v1, kind: Node, metadata: {name: n1, resourceVersion: '7', "
		   "labels: {" REGION ": r9, rack: k7}}}");
	turn();
	assert_false(mrd_inputs_update_node(inputs));
	assert_int_equal(mrd_inputs_node(inputs)->cluster, config->home);
	write_file("home/node.yaml", "{apiVersion: v1, kind: Node, metadata: {name: n2}}");
	turn();
	assert_true(mrd_inputs_update_node(inputs));
	assert_null(mrd_inputs_node(inputs)->labels);
	mrd_inputs_free(inputs);
	mrd_agent_config_free(config);
}

static void a_cluster_that_is_not_there_is_known(void **state)
{
	struct mrd_agent_config *config = read_config("");
	struct mrd_inputs *inputs = open_inputs(config);
	struct mrd_inputs_progress progress;
	struct mrd_source_status status;

	(void)state;
	mrd_inputs_progress(inputs, &progress);
	assert_true(progress.home_read && progress.is_whole);
	assert_false(progress.all_read);
	mrd_inputs_source_status(inputs, 1, &status);
	assert_false(status.readable);
	assert_int_equal(mkdir(in("nowhere"), 0700), 0);
	mrd_inputs_tick(inputs, mrd_clock_ns());
	mrd_inputs_progress(inputs, &progress);
	assert_true(progress.all_read && progress.is_whole);
	rmdir(in("nowhere"));
	mrd_inputs_free(inputs);
	mrd_agent_config_free(config);
}

static void a_saved_policy_takes_effect_a_broken_one_does_not(void **state)
{
	static const char rule[] = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				   "metadata: {name: r, namespace: default}\n"
				   "spec: {host: r, trafficPolicy: {outlierDetection: {}}}\n";
	struct mrd_agent_config *config = read_config("");
	struct mrd_inputs *inputs = open_inputs(config);

	(void)state;
	policy_changes = 0;
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 0);
	write_file("policy/p.yaml", rule);
	turn();
	assert_int_equal(policy_changes, 1);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
	write_file("policy/p.yaml", "kind: DestinationRule\nspec: {hots: r}\n");
	turn();
	assert_int_equal(policy_changes, 1);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
	unlink(in("policy/p.yaml"));
	turn();
	assert_int_equal(policy_changes, 2);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 0);
	mrd_inputs_free(inputs);
	mrd_agent_config_free(config);
}

static int no_put(void *self, enum mrd_map map, const void *key, const void *value, int create_only)
{
	(void)self;
	(void)map;
	(void)key;
	(void)value;
	(void)create_only;
	return 0;
}

static const char *text_of(const json_t *doc, const char *key)
{
	return json_string_value(json_object_get(doc, key));
}

static void status_tells_of_agent_and_clusters(void **state)
{
	static const struct mrd_feature features[] = {{"ringbuf", true, NULL},
						      {"bpf_set_retval", false, "EPERM"}};
	const struct mrd_engine_config engine_config = {
		.writer = {.put = no_put},
		.now_ns = mrd_clock_ns,
		.event_fd = -1,
	};
	struct mrd_agent_config *config = read_config(", region: r1");
	struct mrd_inputs *inputs = open_inputs(config);
	struct mrd_status status = {
		.config = config,
		.inputs = inputs,
		.adoption = MRD_ADOPTION_ADOPTED,
		.features = features,
		.feature_count = 2,
		.started_ns = 1,
		.web_error = -EADDRINUSE,
		.now_ns = 5000000001,
	};
	const json_t *metrics;
	struct mrd_engine *engine;
	const json_t *clusters;
	const json_t *agent;
	json_t *doc;

	(void)state;
	assert_int_equal(mrd_engine_new(&engine_config, &engine), 0);
	status.engine = engine;
	doc = mrd_status_document(&status, json_pack("{s:i}", "maps", 7));
	assert_non_null(doc);
	agent = json_object_get(doc, "agent");
	assert_string_equal(text_of(agent, "version"), MRD_VERSION);
	assert_string_equal(text_of(agent, "node"), "n1");
	assert_string_equal(text_of(agent, "region"), "r1");
	assert_string_equal(text_of(agent, "adoption"), "adopted");
	assert_int_equal(json_integer_value(json_object_get(agent, "uptime_s")), 5);
	assert_true(json_is_null(json_object_get(agent, "last_plan_ms_ago")));
	assert_int_equal(json_array_size(json_object_get(agent, "features")), 2);
	assert_string_equal(
		text_of(json_array_get(json_object_get(agent, "features"), 1), "consequence"),
		"EPERM");
	assert_int_equal(json_array_size(json_object_get(agent, "unwritten")), 0);
	metrics = json_object_get(agent, "metrics");
	assert_string_equal(text_of(metrics, "address"), "127.0.0.1:9464");
	assert_string_equal(text_of(metrics, "error"), "Address already in use");
	clusters = json_object_get(doc, "clusters");
	assert_int_equal(json_array_size(clusters), 2);
	assert_string_equal(text_of(json_array_get(clusters, 0), "name"), "a");
	assert_string_equal(text_of(json_array_get(clusters, 0), "error"), "");
	assert_string_not_equal(text_of(json_array_get(clusters, 1), "error"), "");
	assert_true(
		json_is_null(json_object_get(json_array_get(clusters, 1), "last_heard_ms_ago")));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(doc, "kernel"), "maps")), 7);
	json_decref(doc);
	status.web_error = 0;
	doc = mrd_status_document(&status, NULL);
	metrics = json_object_get(json_object_get(doc, "agent"), "metrics");
	assert_string_equal(text_of(metrics, "error"), "");
	json_decref(doc);
	config->metrics_port = 0;
	doc = mrd_status_document(&status, NULL);
	assert_true(json_is_null(json_object_get(json_object_get(doc, "agent"), "metrics")));
	json_decref(doc);
	mrd_engine_free(engine);
	mrd_inputs_free(inputs);
	mrd_agent_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_node_has_a_place),
		cmocka_unit_test(a_rejected_policy_is_told),
		cmocka_unit_test(an_unreadable_policy_has_a_reason),
		cmocka_unit_test(a_node_may_move),
		cmocka_unit_test(a_cluster_that_is_not_there_is_known),
		cmocka_unit_test(a_saved_policy_takes_effect_a_broken_one_does_not),
		cmocka_unit_test(status_tells_of_agent_and_clusters),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
