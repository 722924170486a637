/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Clusters that are folders and API servers, their rules, and what a reload carries over. */
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

#include "agent/cluster.h"
#include "agent/status.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "tests/unit/source/fake_client.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char root[] = "/tmp/mrd-test-clusters-XXXXXX";
static struct mrd_loop *loop;
static struct mrd_timer *timer;
static int policy_changes;
static int null_fd; /* of the log */

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

static void turn(uint64_t ms)
{
	mrd_timer_set(timer, mrd_clock_ns() + ms * MRD_NS_PER_MS);
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
	if (!mkdtemp(root) || mkdir(in("one"), 0700) || mkdir(in("two"), 0700))
		return -1;
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	mrd_log_set(MRD_LOG_INFO, false);
	mrd_log_set_fd(null_fd);
	return mrd_loop_new(&loop) || mrd_loop_timer(loop, stop, NULL, &timer);
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"one/a.yaml", "two/a.yaml", "meridian.yaml", "policy.yaml", "one", "two",
	};

	(void)state;
	mrd_timer_free(timer);
	mrd_loop_free(loop);
	for (size_t i = 0; i < COUNT(names); i++)
		remove(in(names[i]));
	return rmdir(root);
}

/* ------------------------------------------------------------------------ the agent's part */

static struct mrd_agent_config *config;
static struct mrd_inputs *inputs;
static const char *more_keys = "";

static struct mrd_agent_config *read_config(const char *clusters)
{
	struct mrd_agent_config *fresh = NULL;
	struct mrd_diag diag = {0};
	char text[1024];

	snprintf(text, sizeof(text), "node: {name: n1}\nclusters: [%s]\n%s", clusters, more_keys);
	write_file("meridian.yaml", text);
	assert_int_equal(mrd_agent_config_load(in("meridian.yaml"), &diag, &fresh), 0);
	mrd_diag_free(&diag);
	return fresh;
}

/* As the agent does at its start, and when it is told to read its configuration again. */
static void load(const char *clusters)
{
	const struct mrd_inputs_hooks hooks = {
		.before = before,
		.between = before,
		.dropped = before,
		.policy_changed = policy_changed,
	};
	struct mrd_agent_config *fresh = read_config(clusters);
	struct mrd_rule_docs *rules = inputs ? mrd_inputs_rules_for(inputs, fresh) : NULL;
	struct mrd_policy *policy = NULL;
	struct mrd_inputs *next = NULL;
	struct mrd_diag diag = {0};

	assert_int_equal(mrd_inputs_load_policy(fresh, rules, NULL, &diag, &policy), 0);
	mrd_diag_free(&diag);
	assert_int_equal(mrd_inputs_new(fresh, policy, loop, &hooks, inputs, &next), 0);
	mrd_inputs_free(inputs);
	mrd_agent_config_free(config);
	inputs = next;
	config = fresh;
}

static void unload(void)
{
	mrd_inputs_free(inputs);
	mrd_agent_config_free(config);
	inputs = NULL;
	config = NULL;
	assert_int_equal(fake_count(), 0);
}

#define NODE(name) "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"" name "\"}}"
#define RULE(name)                                                                 \
	"{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"DestinationRule\"," \
	"\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\"},"             \
	"\"spec\":{\"host\":\"" name "\"}}"
#define WRONG(name)                                                                \
	"{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"DestinationRule\"," \
	"\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\"},"             \
	"\"spec\":{\"hots\":\"" name "\"}}"

#define UNREADABLE                                                                 \
	"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n%d\"," \
	"\"labels\":7}}"

/* Nodes of all clusters: "east:n1 west:n2". */
static void expect(const char *want)
{
	static const char *const names[] = {"n1", "n2", "n3"};
	const struct mrd_model *model = mrd_inputs_model(inputs);
	struct mrd_strbuf got = {0};

	mrd_strbuf_add(&got, "", 0);
	for (size_t cluster = 0; cluster < mrd_model_cluster_count(model); cluster++)
		for (size_t i = 0; i < COUNT(names); i++)
			if (mrd_model_find(model, cluster, MRD_KIND_NODE, "", names[i]))
				mrd_strbuf_addf(&got, "%s%s:%s", got.len ? " " : "",
						mrd_model_cluster_name(model, cluster), names[i]);
	print_message("nodes: %s\n", got.text);
	assert_string_equal(got.text, want);
	mrd_strbuf_free(&got);
}

/* A list of nodes, whole. */
static void list(const char *cluster, const char *a, const char *b)
{
	struct mrd_kube_client *server = fake_of(cluster);

	assert_non_null(server);
	fake_begin(server, NODES);
	if (a)
		assert_int_equal(fake_put(server, NODES, a), 0);
	if (b)
		assert_int_equal(fake_put(server, NODES, b), 0);
	fake_end(server, NODES);
}

static void set_synced(const char *cluster, bool is_rules_too)
{
	struct mrd_kube_client *server = fake_of(cluster);

	for (size_t i = 0; i < RESOURCES_MAX; i++)
		server->reflectors[i].synced = i != RULES || is_rules_too;
	server->config.changed(server->config.self);
}

#define EAST "{name: east, home: true, kubeconfig: /east}"
#define WEST "{name: west, kubeconfig: /west}"

/* ------------------------------------------------------------------------ the first plan */

static void expect_progress(bool home, bool all)
{
	struct mrd_inputs_progress progress;

	mrd_inputs_progress(inputs, &progress);
	assert_int_equal(progress.home_read, home);
	assert_int_equal(progress.all_read, all);
}

static void progress_is_told(void **state)
{
	(void)state;
	load(EAST "," WEST);
	expect_progress(false, false);
	set_synced("west", true);
	expect_progress(false, false);
	set_synced("east", false);
	expect_progress(true, false); /* the rules are not among what home is waited for */
	set_synced("east", true);
	expect_progress(true, true);

	/* Rules that were read must be in the policy before the first plan. */
	fake_begin(fake_of("east"), RULES);
	assert_int_equal(fake_put(fake_of("east"), RULES, RULE("a")), 0);
	expect_progress(true, true);
	fake_end(fake_of("east"), RULES);
	expect_progress(false, false);
	set_synced("east", true);
	turn(100);
	expect_progress(true, true);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
	unload();
}

/* ------------------------------------------------------------------------ rules */

static void a_burst_of_rules_is_one_reload(void **state)
{
	struct mrd_kube_client *server;

	(void)state;
	load(EAST);
	policy_changes = 0;
	server = fake_of("east");
	assert_int_equal(fake_put(server, RULES, RULE("a")), 0);
	server->config.changed(server->config.self);
	turn(10);
	assert_int_equal(policy_changes, 0);
	assert_int_equal(fake_put(server, RULES, RULE("b")), 0);
	server->config.changed(server->config.self);
	assert_int_equal(fake_put(server, RULES, WRONG("c")), 0);
	server->config.changed(server->config.self);
	turn(100);
	assert_int_equal(policy_changes, 1);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 2);
	assert_null(mrd_inputs_rejection(inputs));
	turn(100);
	assert_int_equal(policy_changes, 1);
	assert_int_equal(fake_take(server, RULES, RULE("b")), 0);
	mrd_inputs_tick(inputs, mrd_clock_ns()); /* also if nobody said that something changed */
	turn(100);
	assert_int_equal(policy_changes, 2);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
	unload();
}

static void rules_are_of_the_home_cluster(void **state)
{
	(void)state;
	load(EAST "," WEST);
	assert_int_equal(fake_of("east")->config.resource_count, RESOURCES_MAX);
	assert_int_equal(fake_of("west")->config.resource_count, RULES);
	assert_non_null(mrd_inputs_rules(inputs));
	unload();
	load("{name: east, home: true, directory: one}," WEST);
	assert_null(mrd_inputs_rules(inputs));
	unload();
}

/* ------------------------------------------------------------------------ reloads */

struct reload_case {
	const char *name;
	const char *first;
	const char *second;
	const char *want; /* right after the reload */
	size_t clients;
	const char *relisted;	/* a cluster that lists n3 alone then; NULL: none */
	const char *want_later; /* after that */
};

/* The first configuration is read: east has n1, west has n2; the folders one and two have n1, n2.
 */
static const struct reload_case reload_cases[] = {
	{"nothing has changed", EAST "," WEST, EAST "," WEST, "east:n1 west:n2", 2, "west",
	 "east:n1 west:n3"},
	{"a cluster is removed", EAST "," WEST, EAST, "east:n1", 1, NULL, NULL},
	{"a cluster is added", EAST, EAST "," WEST, "east:n1", 2, "west", "east:n1 west:n3"},
	{"they change places", EAST "," WEST, WEST "," EAST, "west:n2 east:n1", 2, "west",
	 "west:n3 east:n1"},
	{"another kubeconfig: what was known stays until it was read", EAST "," WEST,
	 EAST ", {name: west, kubeconfig: /other}", "east:n1 west:n2", 2, "west",
	 "east:n1 west:n3"},
	{"another context", EAST "," WEST, EAST ", {name: west, kubeconfig: /west, context: c}",
	 "east:n1 west:n2", 2, "west", "east:n1 west:n3"},
	{"renamed: what was known stays until it was read", EAST "," WEST,
	 EAST ", {name: south, kubeconfig: /west}", "east:n1 south:n2", 2, "south",
	 "east:n1 south:n3"},
	{"a folder is renamed", EAST ", {name: west, directory: two}",
	 EAST ", {name: south, directory: two}", "east:n1 south:n2", 1, NULL, NULL},
	{"another name and source is another cluster", EAST "," WEST,
	 EAST ", {name: south, kubeconfig: /south}", "east:n1", 2, "south", "east:n1 south:n3"},
	{"a second of the same source is another cluster", EAST "," WEST,
	 EAST "," WEST ", {name: south, kubeconfig: /west}", "east:n1 west:n2", 3, "south",
	 "east:n1 west:n2 south:n3"},
	{"from an API server to a folder", EAST "," WEST, EAST ", {name: west, directory: one}",
	 "east:n1 west:n1", 1, NULL, NULL},
	{"from an API server to a folder that is not there", EAST "," WEST,
	 EAST ", {name: west, directory: nowhere}", "east:n1 west:n2", 1, NULL, NULL},
	{"from a folder to an API server", EAST ", {name: west, directory: two}", EAST "," WEST,
	 "east:n1 west:n2", 2, "west", "east:n1 west:n3"},
	{"a folder stays", EAST ", {name: west, directory: two}",
	 EAST ", {name: west, region: r, directory: two}", "east:n1 west:n2", 1, NULL, NULL},
	{"another home", EAST "," WEST,
	 "{name: east, kubeconfig: /east}, {name: west, home: true, kubeconfig: /west}",
	 "east:n1 west:n2", 2, "east", "east:n3 west:n2"},
};

static void a_reload_carries_over_what_is_known(void **state)
{
	(void)state;
	write_file("one/a.yaml", NODE("n1"));
	write_file("two/a.yaml", NODE("n2"));
	for (size_t i = 0; i < COUNT(reload_cases); i++) {
		const struct reload_case *test = &reload_cases[i];

		print_message("case: %s\n", test->name);
		load(test->first);
		list("east", NODE("n1"), NULL);
		if (fake_of("west"))
			list("west", NODE("n2"), NULL);
		load(test->second);
		expect(test->want);
		assert_int_equal(fake_count(), test->clients);
		if (test->relisted) {
			list(test->relisted, NODE("n3"), NULL);
			expect(test->want_later);
		}
		mrd_inputs_tick(inputs, mrd_clock_ns());
		turn(1);
		unload();
	}
}

static void a_source_that_stays_is_not_opened_anew(void **state)
{
	const struct mrd_kube_client *east;
	const struct mrd_kube_client *west;

	(void)state;
	load(EAST "," WEST);
	east = fake_of("east");
	west = fake_of("west");
	load(WEST ", {name: east, home: true, kubeconfig: /east, region: r}");
	assert_ptr_equal(fake_of("east"), east);
	assert_ptr_equal(fake_of("west"), west);
	load(EAST ", {name: west, kubeconfig: /other}");
	assert_ptr_equal(fake_of("east"), east);
	assert_int_equal(fake_count(), 2);
	unload();
}

static void a_folder_comes_after_an_api_server(void **state)
{
	(void)state;
	load(EAST "," WEST);
	list("west", NODE("n2"), NODE("n3"));
	load(EAST ", {name: west, directory: later}");
	expect("west:n2 west:n3");
	assert_int_equal(mkdir(in("later"), 0700), 0);
	write_file("later/a.yaml", NODE("n1"));
	mrd_inputs_tick(inputs, mrd_clock_ns());
	expect("west:n1");
	remove(in("later/a.yaml"));
	rmdir(in("later"));
	unload();
}

static void rules_outlive_a_reload(void **state)
{
	(void)state;
	load(EAST);
	assert_int_equal(fake_put(fake_of("east"), RULES, RULE("a")), 0);
	set_synced("east", true);
	turn(100);
	load(EAST "," WEST);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
	load("{name: eastern, home: true, kubeconfig: /east}");
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
	load("{name: eastern, home: true, kubeconfig: /other}");
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 1);
	fake_begin(fake_of("eastern"), RULES);
	fake_end(fake_of("eastern"), RULES);
	set_synced("eastern", true);
	turn(100);
	assert_int_equal(mrd_policy_rule_count(mrd_inputs_policy(inputs)), 0);
	unload();
}

static void a_reload_that_fails_changes_nothing(void **state)
{
	const struct mrd_inputs_hooks hooks = {
		.before = before,
		.between = before,
		.dropped = before,
		.policy_changed = policy_changed,
	};
	struct mrd_agent_config *fresh;
	struct mrd_policy *policy = NULL;
	struct mrd_inputs *next = NULL;
	struct mrd_diag diag = {0};

	(void)state;
	load(EAST "," WEST);
	list("west", NODE("n2"), NULL);
	assert_int_equal(fake_put(fake_of("east"), RULES, RULE("a")), 0);
	fresh = read_config(EAST "," WEST ", {name: south, kubeconfig: /south}");
	assert_int_equal(mrd_inputs_load_policy(fresh, mrd_inputs_rules_for(inputs, fresh), NULL,
						&diag, &policy),
			 0);
	refuse_clients = -EMFILE;
	assert_int_equal(mrd_inputs_new(fresh, policy, loop, &hooks, inputs, &next), -EMFILE);
	refuse_clients = 0;
	mrd_agent_config_free(fresh);
	expect("west:n2");
	list("west", NODE("n3"), NULL);
	expect("west:n3");
	assert_int_equal(mrd_rule_docs_count(mrd_inputs_rules(inputs)), 1);
	unload();
}

/* ------------------------------------------------------------------------ silence */

static bool is_unheard(const char *service)
{
	struct mrd_view *view;
	bool unheard;

	assert_int_equal(mrd_model_view(mrd_inputs_model(inputs), "shop", service, &view), 0);
	assert_int_equal(view->ports[0].endpoint_count, 1);
	unheard = view->ports[0].endpoints[0].unheard;
	mrd_view_free(view);
	return unheard;
}

struct silence_step {
	uint64_t at_ms;
	uint64_t heard_ms; /* the last byte, of anything */
	bool fails;
	bool want;
};

static const struct silence_step silence_steps[] = {
	{.at_ms = 1000, .heard_ms = 500},
	{.at_ms = 2499, .heard_ms = 500},
	{.at_ms = 2500, .heard_ms = 500, .want = true},
	{.at_ms = 3000, .heard_ms = 2600},
	{.at_ms = 4500, .heard_ms = 2600, .fails = true},
	{.at_ms = 4599, .heard_ms = 2600, .fails = true},
	{.at_ms = 4600, .heard_ms = 2600, .fails = true, .want = true},
	{.at_ms = 9000, .heard_ms = 8999, .fails = true},
	{.at_ms = 9001, .heard_ms = 9001},
	{.at_ms = 11001, .heard_ms = 9001, .want = true},
};

/* It does so by itself, when nobody looks. */
static void a_cluster_that_was_never_heard_becomes_stale(void **state)
{
	(void)state;
	more_keys = "staleAfter: 1s\n";
	load(EAST "," WEST);
	assert_false(mrd_inputs_is_stale(inputs, 1));
	while (!mrd_inputs_is_stale(inputs, 1))
		turn(50);
	more_keys = "";
	unload();
}

static void a_silent_cluster_becomes_stale(void **state)
{
	static const char service[] =
		"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web\","
		"\"namespace\":\"shop\"},\"spec\":{\"clusterIP\":\"172.16.0.9\","
		"\"clusterIPs\":[\"172.16.0.9\"],\"ports\":[{\"port\":80}]}}";
	static const char slice[] =
		"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",\"metadata\":{"
		"\"name\":\"web-x\",\"namespace\":\"shop\",\"labels\":{"
		"\"kubernetes.io/service-name\":\"web\"}},\"addressType\":\"IPv4\",\"endpoints\":[{"
		"\"addresses\":[\"10.1.0.7\"]}],\"ports\":[{\"name\":\"\",\"port\":8080}]}";

	uint64_t start_ns;

	(void)state;
	more_keys = "staleAfter: 2s\n";
	load(EAST "," WEST);
	start_ns = mrd_clock_ns();
	assert_int_equal(fake_put(fake_of("east"), SERVICES, service), 0);
	assert_int_equal(fake_put(fake_of("west"), SLICES, slice), 0);
	set_synced("east", true);
	set_synced("west", true);
	assert_false(is_unheard("web"));
	assert_int_equal(fake_of("west")->ping_ms, 2000 / 3);
	assert_int_equal(fake_of("west")->resources[SERVICES].objects_max, 65536);
	for (size_t i = 0; i < COUNT(silence_steps); i++) {
		const struct silence_step *step = &silence_steps[i];
		struct mrd_source_status status;

		print_message("step %zu: at %llu ms\n", i, (unsigned long long)step->at_ms);
		fake_of("east")->status.last_heard_ns = start_ns + step->at_ms * MRD_NS_PER_MS;
		fake_of("west")->status.last_heard_ns = start_ns + step->heard_ms * MRD_NS_PER_MS;
		/* Whether a request fails is another question. */
		fake_of("west")->reflectors[SLICES].failing_since_ns = step->fails ? start_ns : 0;
		mrd_inputs_tick(inputs, start_ns + step->at_ms * MRD_NS_PER_MS);
		mrd_inputs_source_status(inputs, 1, &status);
		assert_int_equal(status.last_heard_ns, start_ns + step->heard_ms * MRD_NS_PER_MS);
		assert_int_equal(is_unheard("web"), step->want);
		assert_int_equal(mrd_inputs_is_stale(inputs, 1), step->want);
		assert_false(mrd_inputs_is_stale(inputs, 0));
	}

	more_keys = "staleAfter: 3s\n";
	load(WEST "," EAST); /* goes on being so */
	assert_true(is_unheard("web"));
	assert_int_equal(fake_of("west")->ping_ms, 1000);
	fake_of("west")->status.last_heard_ns = mrd_clock_ns();
	set_synced("west", true);
	assert_false(is_unheard("web"));
	more_keys = "";
	unload();
}

/* ------------------------------------------------------------------------ how late */

/* A piece that the server sends, as the client brings it. */
static void piece(const char *cluster, size_t resource, const char *json)
{
	struct mrd_kube_client *server = fake_of(cluster);

	server->config.before(server->config.self);
	if (json)
		assert_int_equal(fake_put(server, resource, json), 0);
	server->config.before(server->config.self);
}

static uint64_t delays_of(size_t cluster)
{
	return mrd_histogram_count(mrd_inputs_delays(inputs, cluster));
}

static void a_change_waits_until_it_is_in_the_kernel(void **state)
{
	uint64_t start_ns, since_ns, now_ns;

	(void)state;
	load(EAST "," WEST);
	set_synced("east", true);
	set_synced("west", true);
	assert_int_equal(mrd_inputs_behind_since(inputs, 1), 0);
	start_ns = mrd_clock_ns();
	piece("west", NODES, NODE("n1"));
	since_ns = mrd_inputs_behind_since(inputs, 1);
	assert_in_range(since_ns, start_ns, mrd_clock_ns());
	assert_int_equal(mrd_inputs_behind_since(inputs, 0), 0);
	piece("west", NODES, NODE("n2")); /* the first counts */
	assert_int_equal(mrd_inputs_behind_since(inputs, 1), since_ns);
	now_ns = since_ns + 3000ULL * MRD_NS_PER_MS;
	mrd_inputs_settle(inputs, now_ns, true);
	assert_int_equal(mrd_inputs_behind_since(inputs, 1), 0);
	assert_int_equal(delays_of(0), 0);
	assert_int_equal(delays_of(1), 1);
	assert_int_equal(mrd_inputs_delays(inputs, 1)->sum_us, 3000000);

	/* A bookmark is no change, nor is what is known already. */
	piece("west", NODES, NULL);
	piece("west", NODES, NODE("n2"));
	set_synced("west", true);
	assert_int_equal(mrd_inputs_behind_since(inputs, 1), 0);
	mrd_inputs_settle(inputs, now_ns, true);
	assert_int_equal(delays_of(1), 1);

	piece("east", NODES, NODE("n1"));
	mrd_inputs_settle(inputs, now_ns, false); /* not yet ready */
	assert_int_equal(mrd_inputs_behind_since(inputs, 0), 0);
	assert_int_equal(delays_of(0), 0);

	load(WEST "," EAST); /* what was counted goes along; a copy is no change */
	assert_int_equal(delays_of(0), 1);
	mrd_inputs_tick(inputs, mrd_clock_ns());
	assert_int_equal(mrd_inputs_behind_since(inputs, 0), 0);
	assert_int_equal(mrd_inputs_behind_since(inputs, 1), 0);
	unload();
}

/* The older of the two: a change that is not in the kernel, and silence. */
static void an_unheard_cluster_is_behind(void **state)
{
	(void)state;
	load(EAST "," WEST);
	set_synced("west", true);
	fake_of("west")->reflectors[SLICES].failing_since_ns = 5;
	assert_int_equal(mrd_inputs_behind_since(inputs, 1), 5);
	piece("west", NODES, NODE("n1"));
	assert_int_equal(mrd_inputs_behind_since(inputs, 1), 5);
	fake_of("west")->reflectors[SLICES].failing_since_ns = UINT64_MAX;
	assert_in_range(mrd_inputs_behind_since(inputs, 1), 6, mrd_clock_ns());
	unload();
}

static void folders_are_timed_too(void **state)
{
	(void)state;
	write_file("one/a.yaml", NODE("n1"));
	load("{name: home, home: true, directory: one}");
	assert_true(mrd_inputs_behind_since(inputs, 0)); /* what was read at the start */
	mrd_inputs_settle(inputs, mrd_clock_ns(), false);
	write_file("one/a.yaml", NODE("n2"));
	for (int i = 0; i < 100 && !mrd_inputs_behind_since(inputs, 0); i++)
		turn(20);
	assert_true(mrd_inputs_behind_since(inputs, 0));
	expect("home:n2");
	mrd_inputs_settle(inputs, mrd_clock_ns(), true);
	assert_int_equal(delays_of(0), 1);
	unload();
}

/* ------------------------------------------------------------------------ status */

static int no_put(void *self, enum mrd_map map, const void *key, const void *value, int create_only)
{
	(void)self;
	(void)map;
	(void)key;
	(void)value;
	(void)create_only;
	return 0;
}

/* What the log says of east, which fails or does not, in a second of its life. */
static void expect_log(bool fails, bool settling, const char *want)
{
	const int fd = open(in("log"), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	char log[1024] = "";

	assert_return_code(fd, errno);
	fake_of("east")->status.failing_since_ns = fails ? mrd_clock_ns() : 0;
	fake_of("east")->status.settling = settling;
	fake_of("east")->status.error = fails ? "may not list" : "";
	mrd_log_set_fd(fd);
	mrd_inputs_tick(inputs, mrd_clock_ns());
	mrd_log_set_fd(null_fd);
	assert_true(pread(fd, log, sizeof(log) - 1, 0) >= 0);
	close(fd);
	print_message("%s\n", log);
	if (*want)
		assert_non_null(strstr(log, want));
	else
		assert_string_equal(log, "");
}

/* What may be well in a moment is no news until it is not. */
static void a_right_that_is_missing_for_a_moment_is_no_news(void **state)
{
	(void)state;
	load(EAST);
	set_synced("east", true);
	expect_log(false, false, "");
	expect_log(true, true, "");
	expect_log(false, false, ""); /* nor is that it is back */
	expect_log(true, true, "");
	expect_log(true, false, "cluster cannot be read");
	expect_log(true, true, "");
	expect_log(false, false, "cluster read again");
	unload();
}

static const char *text_of(const json_t *doc, const char *key)
{
	return json_string_value(json_object_get(doc, key));
}

static void status_tells_of_api_servers(void **state)
{
	const struct mrd_engine_config engine_config = {
		.writer = {.put = no_put},
		.now_ns = mrd_clock_ns,
		.event_fd = -1,
	};
	struct mrd_status status = {.now_ns = 9000000000, .waiting = true};
	struct mrd_engine *engine;
	const json_t *resource;
	const json_t *cluster;
	const json_t *broken;
	const json_t *rule;
	char node[256];
	json_t *doc;

	(void)state;
	load(EAST);
	fake_of("east")->status = (struct mrd_kube_client_status){
		.last_heard_ns = 1000000000,
		.failing_since_ns = 4000000000,
		.server = "https://east:6443",
		.error = "refused",
	};
	fake_of("east")->reflectors[SLICES] =
		(struct mrd_reflector_status){.version = "77", .synced = true};
	assert_int_equal(fake_put(fake_of("east"), RULES, WRONG("a")), 0);
	for (int i = 0; i < 12; i++) {
		snprintf(node, sizeof(node), UNREADABLE, i);
		assert_int_equal(fake_put(fake_of("east"), NODES, node), -EBADMSG);
	}
	set_synced("east", true);
	turn(100);
	assert_int_equal(mrd_engine_new(&engine_config, &engine), 0);
	status.config = config;
	status.inputs = inputs;
	status.engine = engine;
	doc = mrd_status_document(&status, NULL);
	assert_non_null(doc);
	assert_true(json_is_true(json_object_get(json_object_get(doc, "agent"), "waiting")));
	rule = json_array_get(json_object_get(json_object_get(doc, "agent"), "rules_rejected"), 0);
	assert_string_equal(text_of(rule, "rule"), "east/shop/a");
	assert_string_equal(text_of(rule, "holds"), "nothing");
	assert_non_null(
		strstr(json_string_value(json_array_get(json_object_get(rule, "findings"), 0)),
		       "east/shop/a: error: spec"));
	cluster = json_array_get(json_object_get(doc, "clusters"), 0);
	assert_string_equal(text_of(cluster, "source"), "https://east:6443");
	assert_string_equal(text_of(cluster, "error"), "refused");
	assert_int_equal(json_integer_value(json_object_get(cluster, "last_heard_ms_ago")), 8000);
	assert_int_equal(json_integer_value(json_object_get(cluster, "failing_for_ms")), 5000);
	assert_int_equal(json_integer_value(json_object_get(cluster, "broken_objects")), 12);
	broken = json_object_get(cluster, "broken");
	assert_int_equal(json_array_size(broken), 10); /* the first ones */
	assert_non_null(strstr(json_string_value(json_array_get(broken, 9)),
			       "east/nodes/n9: error: metadata.labels: "));
	assert_int_equal(json_array_size(json_object_get(cluster, "resources")), RESOURCES_MAX);
	resource = json_array_get(json_object_get(cluster, "resources"), SLICES);
	assert_string_equal(text_of(resource, "resource"), "endpointslices");
	assert_string_equal(text_of(resource, "version"), "77");
	json_decref(doc);
	mrd_engine_free(engine);
	unload();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_is_told),
		cmocka_unit_test(a_burst_of_rules_is_one_reload),
		cmocka_unit_test(rules_are_of_the_home_cluster),
		cmocka_unit_test(a_reload_carries_over_what_is_known),
		cmocka_unit_test(a_source_that_stays_is_not_opened_anew),
		cmocka_unit_test(a_folder_comes_after_an_api_server),
		cmocka_unit_test(rules_outlive_a_reload),
		cmocka_unit_test(a_reload_that_fails_changes_nothing),
		cmocka_unit_test(a_silent_cluster_becomes_stale),
		cmocka_unit_test(a_change_waits_until_it_is_in_the_kernel),
		cmocka_unit_test(an_unheard_cluster_is_behind),
		cmocka_unit_test(folders_are_timed_too),
		cmocka_unit_test(a_cluster_that_was_never_heard_becomes_stale),
		cmocka_unit_test(a_right_that_is_missing_for_a_moment_is_no_news),
		cmocka_unit_test(status_tells_of_api_servers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
