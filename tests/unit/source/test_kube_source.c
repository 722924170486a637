/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What an API server says, by a client that says what the test wants. */
#include "source/kube_source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "fake_client.h"
#include "kube/backoff.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { OPENED_NS = 5 };

/* ------------------------------------------------------------------------ the stage */

struct stage {
	struct mrd_model *model;
	struct mrd_rule_docs *rules;
	struct mrd_kube_source *source;
	struct mrd_strbuf news; /* "title field: reason;" and "title whole;" */
	int before;
	int changed;
	int dropped;
};

static void note_before(void *self)
{
	((struct stage *)self)->before++;
}

static void note_changed(void *self)
{
	((struct stage *)self)->changed++;
}

static void note_dropped(void *self)
{
	((struct stage *)self)->dropped++;
}

static void note_findings(void *self, const struct mrd_diag *diag)
{
	struct stage *stage = self;

	for (size_t i = 0; i < diag->count; i++)
		mrd_strbuf_addf(&stage->news, "%s %s;", diag->findings[i].file,
				diag->findings[i].field);
}

static void note_recovered(void *self, const char *object)
{
	mrd_strbuf_addf(&((struct stage *)self)->news, "%s whole;", object);
}

static const struct mrd_kube_source_hooks hooks = {
	.before = note_before,
	.changed = note_changed,
	.findings = note_findings,
	.recovered = note_recovered,
	.dropped = note_dropped,
};

static struct mrd_model *new_model(void)
{
	static const struct mrd_model_cluster clusters[] = {{.name = "east"}, {.name = "west"}};
	struct mrd_model *model;

	assert_int_equal(mrd_model_new(clusters, COUNT(clusters), 0, "", &model), 0);
	return model;
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct mrd_kube_source_config config = {
		.name = "east",
		.where = {.kubeconfig = "/etc/east", .context = ""},
		.services_max = 1,
		.members_max = 16,
		.hooks = hooks,
	};

	assert_non_null(stage);
	stage->model = new_model();
	assert_int_equal(mrd_rule_docs_new("east", &stage->rules), 0);
	config.rules = stage->rules;
	config.model = stage->model;
	config.hooks.self = stage;
	assert_int_equal(mrd_kube_source_new(&config, NULL, OPENED_NS, &stage->source), 0);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	mrd_kube_source_free(stage->source);
	mrd_rule_docs_free(stage->rules);
	mrd_model_free(stage->model);
	mrd_strbuf_free(&stage->news);
	free(stage);
	return 0;
}

/* The nodes of a cluster, and what was said since the last time. */
static void expect(struct stage *stage, size_t cluster, const char *want, const char *want_news)
{
	static const char *const names[] = {"n1", "n2", "n3"};
	struct mrd_strbuf nodes = {0};

	mrd_strbuf_add(&nodes, "", 0);
	mrd_strbuf_add(&stage->news, "", 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct mrd_meta *node =
			mrd_model_find(stage->model, cluster, MRD_KIND_NODE, "", names[i]);

		if (node)
			mrd_strbuf_addf(&nodes, "%s%s=%s", nodes.len ? " " : "", names[i],
					mrd_labels_get(&node->labels, "v"));
	}
	print_message("nodes: %s, news: %s\n", nodes.text, stage->news.text);
	assert_string_equal(nodes.text, want);
	assert_string_equal(stage->news.text, want_news);
	mrd_strbuf_free(&nodes);
	mrd_strbuf_free(&stage->news);
}

#define NODE(name, v)                                                                   \
	"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" name "\"," \
	"\"labels\":{\"v\":\"" v "\"},\"managedFields\":[{\"f:x\":{}}]},\"status\":{}}"
/* What a server sends of it to who asks for its metadata alone. */
#define LABELS(name, v)                                                          \
	"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\"," \
	"\"metadata\":{\"name\":\"" name "\",\"labels\":{\"v\":\"" v "\"}}}"
#define BROKEN(name, why)                                                               \
	"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" name "\"," \
	"\"labels\":" why "}}"

/* ------------------------------------------------------------------------ what is asked for */

static void what_is_asked_for(void **state)
{
	static const struct {
		const char *group;
		const char *versions;
		const char *resource;
		const char *selector;
		bool metadata_only;
		bool may_be_missing;
	} wants[] = {
		{"", "v1", "services",
		 "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name", false,
		 false},
		{"discovery.k8s.io", "v1", "endpointslices",
		 "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name", false,
		 false},
		{"", "v1", "nodes", "", true, false},
		{"networking.istio.io", "v1 v1beta1 v1alpha3", "destinationrules", "", false, true},
	};
	struct mrd_kube_source_config far = {
		.name = "west", .where = {.in_cluster = true, .kubeconfig = "", .context = ""}};
	struct stage *stage = *state;
	struct mrd_kube_source *source;

	assert_int_equal(client->config.resource_count, COUNT(wants));
	assert_string_equal(client->config.where.kubeconfig, "/etc/east");
	for (size_t i = 0; i < COUNT(wants); i++) {
		print_message("case: %s\n", wants[i].resource);
		assert_string_equal(client->resources[i].group, wants[i].group);
		assert_string_equal(client->resources[i].versions, wants[i].versions);
		assert_string_equal(client->resources[i].resource, wants[i].resource);
		assert_int_equal(client->resources[i].metadata_only, wants[i].metadata_only);
		assert_string_equal(client->resources[i].label_selector, wants[i].selector);
		assert_int_equal(client->resources[i].may_be_missing, wants[i].may_be_missing);
	}
	far.model = stage->model;
	assert_int_equal(mrd_kube_source_new(&far, NULL, OPENED_NS, &source), 0);
	assert_int_equal(client->config.resource_count, RULES);
	mrd_kube_source_free(source);
	refuse_clients = -EMFILE;
	assert_int_equal(mrd_kube_source_new(&far, NULL, OPENED_NS, &source), -EMFILE);
	refuse_clients = 0;
}

/* When a kind asks again whose first request failed. */
static uint64_t first_wait_ns(const struct mrd_reflector_config *config)
{
	struct mrd_backoff backoff;

	mrd_backoff_init(&backoff, config->seed);
	return mrd_backoff_next_ns(&backoff, 0);
}

/* A server that comes back is not asked for everything by everybody at once: neither by all kinds
 * of a node, nor by the nodes. */
static void no_two_wait_alike(void **state)
{
	static const uint64_t opened_ns[] = {OPENED_NS, 1000000, (1ULL << 32) + 2000000};
	uint64_t waits_ns[COUNT(opened_ns) * RULES];
	struct stage *stage = *state;
	struct mrd_kube_source_config config = {
		.name = "west",
		.where = {.kubeconfig = "/etc/west", .context = ""},
		.model = stage->model,
		.cluster = 1,
	};

	for (size_t i = 0; i < COUNT(waits_ns); i++) {
		struct mrd_kube_source *source;

		assert_int_equal(mrd_kube_source_new(&config, NULL, opened_ns[i / RULES], &source),
				 0);
		waits_ns[i] = first_wait_ns(&client->resources[i % RULES]);
		mrd_kube_source_free(source);
		for (size_t other = 0; other < i; other++) {
			print_message("case: %zu after %llu ns, %zu after %llu ns\n", i,
				      (unsigned long long)waits_ns[i], other,
				      (unsigned long long)waits_ns[other]);
			assert_int_not_equal(waits_ns[i], waits_ns[other]);
		}
	}
}

/* ------------------------------------------------------------------------ lists and changes */

enum act { END_OF_ACTS, BEGIN, END, PUT, REMOVE };

struct act_case {
	const char *name;
	struct {
		enum act act;
		const char *json;
		int want;
	} acts[10];
	const char *want;
	const char *news;
};

static const struct act_case act_cases[] = {
	{"a list",
	 {{.act = BEGIN},
	  {.act = PUT, .json = NODE("n1", "1")},
	  {.act = PUT, .json = NODE("n2", "1")},
	  {.act = END}},
	 "n1=1 n2=1",
	 ""},
	{"a list is applied as it comes",
	 {{.act = BEGIN}, {.act = PUT, .json = NODE("n1", "1")}},
	 "n1=1",
	 ""},
	{"labels alone, or the whole node",
	 {{.act = BEGIN},
	  {.act = PUT, .json = LABELS("n1", "1")},
	  {.act = PUT, .json = NODE("n2", "1")},
	  {.act = END},
	  {.act = PUT, .json = LABELS("n2", "2")},
	  {.act = REMOVE, .json = LABELS("n1", "1")}},
	 "n2=2",
	 ""},
	{"changes",
	 {{.act = BEGIN},
	  {.act = PUT, .json = NODE("n1", "1")},
	  {.act = END},
	  {.act = PUT, .json = NODE("n1", "2")},
	  {.act = PUT, .json = NODE("n2", "1")},
	  {.act = REMOVE, .json = NODE("n2", "1")}},
	 "n1=2",
	 ""},
	{"a second list that lacks one",
	 {{.act = BEGIN},
	  {.act = PUT, .json = NODE("n1", "1")},
	  {.act = PUT, .json = NODE("n2", "1")},
	  {.act = END},
	  {.act = BEGIN},
	  {.act = PUT, .json = NODE("n2", "2")},
	  {.act = END}},
	 "n2=2",
	 ""},
	{"a second list that is cut",
	 {{.act = BEGIN},
	  {.act = PUT, .json = NODE("n1", "1")},
	  {.act = PUT, .json = NODE("n2", "1")},
	  {.act = END},
	  {.act = BEGIN},
	  {.act = PUT, .json = NODE("n2", "2")}},
	 "n1=1 n2=2",
	 ""},
	{"cut, and begun again",
	 {{.act = BEGIN},
	  {.act = PUT, .json = NODE("n1", "1")},
	  {.act = END},
	  {.act = BEGIN},
	  {.act = PUT, .json = NODE("n2", "2")},
	  {.act = BEGIN},
	  {.act = PUT, .json = NODE("n3", "3")},
	  {.act = END}},
	 "n3=3",
	 ""},
	{"an object that cannot be read",
	 {{.act = BEGIN},
	  {.act = PUT, .json = NODE("n1", "1")},
	  {.act = END},
	  {.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG}},
	 "n1=1",
	 "east/nodes/n1 metadata.labels;"},
	{"and again: said once",
	 {{.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG},
	  {.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG}},
	 "",
	 "east/nodes/n1 metadata.labels;"},
	{"broken otherwise: said anew",
	 {{.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG},
	  {.act = PUT, .json = BROKEN("n1", "{\"a\":[]}"), .want = -EBADMSG}},
	 "",
	 "east/nodes/n1 metadata.labels;east/nodes/n1 metadata.labels.a;"},
	{"a list with one that cannot be read keeps what was known of it",
	 {{.act = BEGIN},
	  {.act = PUT, .json = NODE("n1", "1")},
	  {.act = PUT, .json = NODE("n2", "1")},
	  {.act = END},
	  {.act = BEGIN},
	  {.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG},
	  {.act = END}},
	 "n1=1",
	 "east/nodes/n1 metadata.labels;"},
	{"whole again",
	 {{.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG},
	  {.act = PUT, .json = NODE("n1", "2")},
	  {.act = PUT, .json = NODE("n1", "3")}},
	 "n1=3",
	 "east/nodes/n1 metadata.labels;east/nodes/n1 whole;"},
	{"gone while it was broken, then back: nothing to say",
	 {{.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG},
	  {.act = REMOVE, .json = NODE("n1", "")},
	  {.act = PUT, .json = NODE("n1", "3")}},
	 "n1=3",
	 "east/nodes/n1 metadata.labels;"},
	{"gone with a list while it was broken",
	 {{.act = PUT, .json = NODE("n1", "1")},
	  {.act = PUT, .json = BROKEN("n1", "7"), .want = -EBADMSG},
	  {.act = BEGIN},
	  {.act = END},
	  {.act = PUT, .json = NODE("n1", "3")}},
	 "n1=3",
	 "east/nodes/n1 metadata.labels;"},
	{"no JSON", {{.act = PUT, .json = "{\"kind\":", .want = -EBADMSG}}, "", "east/nodes ;"},
	{"no name",
	 {{.act = PUT, .json = "{\"kind\":\"Node\"}", .want = -EBADMSG}},
	 "",
	 "east/nodes metadata.name;"},
	{"of another kind",
	 {{.act = PUT,
	   .json = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\"}}",
	   .want = -EBADMSG}},
	 "",
	 "east/nodes/n1 kind;"},
	{"of a kind that nobody knows",
	 {{.act = PUT,
	   .json = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\"}}",
	   .want = -EBADMSG}},
	 "",
	 "east/nodes/n1 kind;"},
	{"removed without being there", {{.act = REMOVE, .json = NODE("n1", "")}}, "", ""},
	{"removed without a name",
	 {{.act = REMOVE, .json = "{}", .want = -EBADMSG}},
	 "",
	 "east/nodes metadata.name;"},
};

static void what_is_said_is_in_the_model(void **state)
{
	tear_down(state);
	for (size_t i = 0; i < COUNT(act_cases); i++) {
		const struct act_case *test = &act_cases[i];

		print_message("case: %s\n", test->name);
		set_up(state);
		for (size_t k = 0; test->acts[k].act; k++) {
			if (test->acts[k].act == BEGIN)
				fake_begin(client, NODES);
			else if (test->acts[k].act == END)
				fake_end(client, NODES);
			else
				assert_int_equal((test->acts[k].act == PUT ? fake_put : fake_take)(
							 client, NODES, test->acts[k].json),
						 test->acts[k].want);
		}
		expect(*state, 0, test->want, test->news);
		tear_down(state);
	}
	set_up(state);
}

/* As a server writes them: managed fields, nulls and zeros. */
static void services_and_slices_are_read(void **state)
{
	static const char service[] =
		"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web\","
		"\"namespace\":\"shop\",\"uid\":\"1\",\"managedFields\":[]},\"spec\":{"
		"\"clusterIP\":\"172.16.0.9\",\"clusterIPs\":[\"172.16.0.9\"],\"ports\":[{"
		"\"port\":80,\"protocol\":\"TCP\",\"targetPort\":8080}]},"
		"\"status\":{\"loadBalancer\":{}}}";
	static const char slice[] =
		"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",\"metadata\":{"
		"\"name\":\"web-x\",\"namespace\":\"shop\",\"labels\":{"
		"\"kubernetes.io/service-name\":\"web\"}},\"addressType\":\"IPv4\",\"endpoints\":[{"
		"\"addresses\":[\"10.0.0.7\"],\"conditions\":{}}],\"ports\":[{\"name\":\"\","
		"\"port\":8080,\"protocol\":\"TCP\"}]}";
	static const char empty[] =
		"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",\"metadata\":{"
		"\"name\":\"web-x\",\"namespace\":\"shop\",\"labels\":{"
		"\"kubernetes.io/service-name\":\"web\"}},\"addressType\":\"IPv4\","
		"\"endpoints\":null,\"ports\":null}";
	struct stage *stage = *state;
	struct mrd_view *view;

	assert_int_equal(fake_put(client, SERVICES, service), 0);
	assert_int_equal(fake_put(client, SLICES, slice), 0);
	assert_int_equal(mrd_model_view(stage->model, "shop", "web", &view), 0);
	assert_int_equal(view->port_count, 1);
	assert_int_equal(view->ports[0].endpoint_count, 1);
	assert_true(view->ports[0].endpoints[0].ready);
	mrd_view_free(view);
	assert_int_equal(fake_put(client, SLICES, empty), 0);
	assert_int_equal(mrd_model_view(stage->model, "shop", "web", &view), 0);
	assert_int_equal(view->ports[0].endpoint_count, 0);
	mrd_view_free(view);
	expect(stage, 0, "", "");
	/* Of these the metadata alone says nothing. */
	assert_int_equal(fake_put(client, SERVICES, LABELS("web", "1")), -EBADMSG);
	expect(stage, 0, "", "east/services/web kind;");
}

/* ------------------------------------------------------------------------ another model */

static void a_source_moves_to_another_model(void **state)
{
	struct stage *stage = *state;
	struct stage heir = {.model = new_model()};
	struct mrd_kube_source_hooks moved = hooks;

	moved.self = &heir;
	fake_begin(client, NODES);
	assert_int_equal(fake_put(client, NODES, NODE("n1", "1")), 0);
	assert_int_equal(fake_put(client, NODES, NODE("n2", "1")), 0);
	fake_end(client, NODES);
	fake_begin(client, NODES); /* in the middle of a list */
	assert_int_equal(fake_put(client, NODES, NODE("n2", "2")), 0);
	assert_int_equal(mrd_model_copy(stage->model, 0, heir.model, 1), 0);
	mrd_kube_source_move(stage->source, heir.model, 1, &moved);
	expect(&heir, 1, "n1=1 n2=2", "");
	fake_end(client, NODES);
	expect(&heir, 1, "n2=2", "");
	expect(stage, 0, "n1=1 n2=2", "");
	assert_int_equal(fake_put(client, NODES, BROKEN("n2", "7")), -EBADMSG);
	expect(&heir, 1, "n2=2", "east/nodes/n2 metadata.labels;");
	client->config.changed(client->config.self);
	assert_int_equal(heir.changed, 1);
	assert_int_equal(stage->changed, 0);
	mrd_model_free(heir.model);
}

/* ------------------------------------------------------------------------ status */

struct status_case {
	const char *name;
	/* Which kinds were read, in the order in which they are asked for. */
	bool synced[RESOURCES_MAX];
	uint64_t slices_failing_ns;
	uint64_t failing_ns; /* of any */
	bool watching;	     /* slices */
	bool want_read;
	bool want_rules;
	uint64_t want_silent_ns;
};

static const struct status_case status_cases[] = {
	{.name = "nothing yet"},
	{.name = "nothing, for want of a credential", .failing_ns = 8, .want_silent_ns = 8},
	{
		.name = "a credential has expired behind an open watch",
		.synced = {true, true, true, true},
		.watching = true,
		.failing_ns = 8,
		.want_read = true,
		.want_rules = true,
	},
	{
		.name = "and the watch has ended",
		.synced = {true, true, true, true},
		.failing_ns = 8,
		.want_read = true,
		.want_rules = true,
		.want_silent_ns = 8,
	},
	{
		.name = "all",
		.synced = {true, true, true, true},
		.want_read = true,
		.want_rules = true,
	},
	{.name = "all but the rules", .synced = {true, true, true}, .want_read = true},
	{.name = "all but the nodes", .synced = {true, true, false, true}, .want_rules = true},
	{
		.name = "slices have fallen silent",
		.synced = {true, true, true, true},
		.slices_failing_ns = 9,
		.failing_ns = 8,
		.want_read = true,
		.want_rules = true,
		.want_silent_ns = 9,
	},
	{
		.name = "slices in the middle of their first list",
		.synced = {true},
	},
};

static void what_was_read_is_told(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < COUNT(status_cases); i++) {
		const struct status_case *test = &status_cases[i];
		struct mrd_source_status status;

		print_message("case: %s\n", test->name);
		for (size_t k = 0; k < RESOURCES_MAX; k++)
			client->reflectors[k] =
				(struct mrd_reflector_status){.synced = test->synced[k]};
		client->reflectors[SLICES].failing_since_ns = test->slices_failing_ns;
		client->reflectors[SLICES].watching = test->watching;
		client->status.failing_since_ns = test->failing_ns;
		mrd_kube_source_get_status(stage->source, &status);
		assert_int_equal(status.read, test->want_read);
		assert_int_equal(status.complete, test->want_read);
		assert_int_equal(status.rules_read, test->want_rules);
		assert_int_equal(status.silent_since_ns, test->want_silent_ns);
	}
}

struct broken_list {
	size_t most; /* 0: all */
	size_t count;
	char first[256];
};

static bool note_broken(void *self, const char *finding)
{
	struct broken_list *list = self;

	if (!list->count++)
		snprintf(list->first, sizeof(list->first), "%s", finding);
	return list->count != list->most;
}

static void the_status_is_told(void **state)
{
	struct stage *stage = *state;
	struct broken_list broken = {0};
	struct mrd_reflector_status resource;
	struct mrd_source_status status;

	mrd_kube_source_get_status(stage->source, &status);
	assert_string_equal(status.where, "/etc/east");
	assert_true(status.readable);
	assert_int_equal(status.alive_ns, OPENED_NS);
	assert_int_equal(fake_put(client, NODES, BROKEN("n1", "7")), -EBADMSG);
	client->status = (struct mrd_kube_client_status){
		.last_heard_ns = 7,
		.failing_since_ns = 9,
		.server = "https://east",
		.error = "refused",
	};
	client->reflectors[SLICES].version = "123";
	mrd_kube_source_get_status(stage->source, &status);
	assert_string_equal(status.where, "https://east");
	assert_false(status.readable);
	assert_int_equal(status.last_heard_ns, 7);
	assert_int_equal(status.alive_ns, 7);
	assert_int_equal(status.failing_since_ns, 9);
	assert_string_equal(status.error, "refused");
	assert_int_equal(status.broken_objects, 1);
	assert_int_equal(status.broken_files, 0);
	assert_int_equal(fake_put(client, SLICES, BROKEN("s1", "7")), -EBADMSG);
	mrd_kube_source_each_broken(stage->source, note_broken, &broken);
	assert_int_equal(broken.count, 2);
	assert_non_null(strstr(broken.first, ": error: metadata.labels: "));
	broken = (struct broken_list){.most = 1};
	mrd_kube_source_each_broken(stage->source, note_broken, &broken);
	assert_int_equal(broken.count, 1);
	assert_string_equal(mrd_kube_source_get_resource(stage->source, SLICES, &resource),
			    "endpointslices");
	assert_string_equal(resource.version, "123");
	assert_null(mrd_kube_source_get_resource(stage->source, RESOURCES_MAX, &resource));
}

static void the_clients_words_are_handed_on(void **state)
{
	struct stage *stage = *state;
	const struct mrd_place place = {.file = "/etc/east"};
	struct mrd_diag diag = {0};

	mrd_diag_add(&diag, MRD_WARNING, &place, "insecure", "why");
	client->config.before(client->config.self);
	client->config.changed(client->config.self);
	client->config.findings(client->config.self, &diag);
	assert_int_equal(stage->before, 1);
	assert_int_equal(stage->changed, 1);
	expect(stage, 0, "", "/etc/east insecure;");
	mrd_diag_free(&diag);
}

/* ------------------------------------------------------------------------ rules */

#define RULE(name)                                                                 \
	"{\"kind\":\"DestinationRule\",\"apiVersion\":\"networking.istio.io/v1\"," \
	"\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\","              \
	"\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},\"spec\":{\"host\":\"web\"}}"

static void rules_are_collected(void **state)
{
	struct stage *stage = *state;
	const struct mrd_rule_docs *docs = stage->rules;

	fake_begin(client, RULES);
	assert_int_equal(fake_put(client, RULES, RULE("a")), 0);
	assert_int_equal(fake_put(client, RULES, RULE("b")), 0);
	assert_false(mrd_rule_docs_is_due(docs));
	fake_end(client, RULES);
	assert_true(mrd_rule_docs_is_due(docs));
	assert_int_equal(mrd_rule_docs_count(docs), 2);
	assert_int_equal(fake_take(client, RULES, RULE("a")), 0);
	assert_int_equal(mrd_rule_docs_count(docs), 1);
	fake_begin(client, RULES);
	fake_end(client, RULES);
	assert_int_equal(mrd_rule_docs_count(docs), 0);
	expect(stage, 0, "", "");
}

/* ------------------------------------------------------------------------ bounds */

static void what_lists_may_hold_is_said(void **state)
{
	static const struct {
		size_t most;
		const char *says;
	} want[] = {
		[SERVICES] = {1, "kernel.limits.services"},
		[SLICES] = {2, "kernel.limits.members"},
		[NODES] = {2, "kernel.limits.members"},
		[RULES] = {1, "kernel.limits.services"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(client->resources[i].objects_max, want[i].most);
		assert_string_equal(client->resources[i].objects_says, want[i].says);
	}
}

/* Of a list that is not to be believed nothing stays that was not known; what was, stays. */
static void a_list_is_dropped(void **state)
{
	struct stage *stage = *state;

	fake_begin(client, NODES);
	assert_int_equal(fake_put(client, NODES, NODE("n1", "1")), 0);
	fake_end(client, NODES);
	fake_begin(client, NODES);
	assert_int_equal(fake_put(client, NODES, NODE("n2", "1")), 0);
	assert_int_equal(fake_put(client, NODES, NODE("n1", "2")), 0);
	client->resources[NODES].list_drop(client->resources[NODES].self);
	assert_int_equal(stage->dropped, 1);
	expect(stage, 0, "n1=2", "");

	fake_begin(client, RULES);
	assert_int_equal(fake_put(client, RULES, RULE("a")), 0);
	client->resources[RULES].list_drop(client->resources[RULES].self);
	assert_int_equal(mrd_rule_docs_count(stage->rules), 0);
	assert_int_equal(stage->dropped, 2);
}

/* Neither lists that are cut, each with other objects, nor a watch fill the memory. */
static void what_comes_is_bounded_also_without_a_list(void **state)
{
	struct stage *stage = *state;
	char text[200];

	for (int i = 0; i < 3; i++) {
		fake_begin(client, NODES);
		for (int k = 0; k < 2; k++) {
			snprintf(text, sizeof(text), NODE("n%d", ""), 10 * i + k);
			assert_int_equal(fake_put(client, NODES, text), 0);
		}
	}
	assert_int_equal(stage->dropped, 0);
	assert_int_equal(mrd_model_count(stage->model, 0, MRD_KIND_NODE), 6);
	fake_begin(client, NODES);
	assert_int_equal(stage->dropped, 1);
	assert_int_equal(mrd_model_count(stage->model, 0, MRD_KIND_NODE), 0);
	fake_end(client, NODES);
	for (int i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), NODE("n%d", ""), i);
		assert_int_equal(fake_put(client, NODES, text), 0);
	}
	assert_int_equal(fake_put(client, NODES, NODE("more", "")), -E2BIG);
	fake_begin(client, NODES);
	assert_int_equal(fake_put(client, NODES, NODE("n1", "3")), 0);
	fake_end(client, NODES);
	expect(stage, 0, "n1=3", "");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_asked_for),
		TEST(no_two_wait_alike),
		TEST(what_is_said_is_in_the_model),
		TEST(services_and_slices_are_read),
		TEST(a_source_moves_to_another_model),
		TEST(the_status_is_told),
		TEST(what_was_read_is_told),
		TEST(the_clients_words_are_handed_on),
		TEST(rules_are_collected),
		TEST(what_lists_may_hold_is_said),
		TEST(a_list_is_dropped),
		TEST(what_comes_is_bounded_also_without_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
