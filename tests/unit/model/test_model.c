/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a change touches: exactly the services whose view it may change. */
#include "model/model.h"

#include "base/clock.h"
#include "build.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define A_SERVICE .name = "a", .vips = "10.0.0.1", .ports = "http:80/TCP"
#define A_SLICE                                                \
	.name = "a-1", .service = "a", .ports = "http:80/TCP", \
	.endpoints = "10.1.0.1 node=n1 pod=p1"

static const struct mrd_model_cluster clusters[] = {
	{.name = "home", .region = "r1"},
	{.name = "far", .region = "r2"},
};

/* Services a, b and c; a has endpoints on n1 and n2, b on n1; a and c ask for one address. */
static const struct {
	enum mrd_kind kind;
	size_t cluster;
	struct build object;
} scene[] = {
	{.kind = MRD_KIND_SERVICE, .object = {A_SERVICE, .created = "2026-01-01T00:00:00Z"}},
	{.kind = MRD_KIND_SERVICE,
	 .object = {.name = "b", .vips = "10.0.0.2", .ports = "http:80/TCP"}},
	{.kind = MRD_KIND_SERVICE,
	 .object = {.name = "c",
		    .vips = "10.0.0.1,10.0.0.3",
		    .ports = "http:80/TCP",
		    .created = "2026-02-01T00:00:00Z"}},
	{.kind = MRD_KIND_SLICE, .object = {A_SLICE}},
	{.kind = MRD_KIND_SLICE,
	 .object = {.name = "a-2", .service = "a", .endpoints = "10.1.0.2 node=n2 pod=p2"}},
	{.kind = MRD_KIND_SLICE,
	 .object = {.name = "b-1", .service = "b", .endpoints = "10.1.0.3 node=n1 pod=p3"}},
	{.kind = MRD_KIND_SLICE,
	 .cluster = 1,
	 .object = {.name = "b-1", .service = "b", .endpoints = "10.2.0.3 node=n2 pod=p2"}},
	{.kind = MRD_KIND_NODE, .object = {.name = "n1", .labels = "x=1"}},
	{.kind = MRD_KIND_NODE, .cluster = 1, .object = {.name = "n2"}},
	{.kind = MRD_KIND_POD, .object = {.name = "p1", .labels = "x=1"}},
};

struct change {
	const char *name;
	enum mrd_kind kind;
	size_t cluster;
	bool gone;
	struct build object;
	const char *want;
};

static const struct change changes[] = {
	{.name = "the same Service again",
	 .object = {A_SERVICE, .created = "2026-01-01T00:00:00Z", .version = "7"},
	 .want = ""},
	{.name = "a label of a Service",
	 .object = {A_SERVICE, .created = "2026-01-01T00:00:00Z", .labels = "a=b"},
	 .want = "default/a"},
	{.name = "a port of a Service that shares an address",
	 .object = {.name = "a",
		    .vips = "10.0.0.1",
		    .ports = "http:81/TCP",
		    .created = "2026-01-01T00:00:00Z"},
	 .want = "default/a default/c"},
	{.name = "a port of another Service",
	 .object = {.name = "b", .vips = "10.0.0.2", .ports = "http:81/TCP"},
	 .want = "default/b"},
	{.name = "a Service takes another's address",
	 .object = {.name = "b", .vips = "10.0.0.3", .ports = "http:80/TCP"},
	 .want = "default/b default/c"},
	{.name = "a new Service with an address of its own",
	 .object = {.name = "d", .vips = "10.0.0.4", .ports = "http:80/TCP"},
	 .want = "default/d"},
	{.name = "a new Service with another's address",
	 .object = {.name = "d", .vips = "10.0.0.2", .ports = "http:80/TCP"},
	 .want = "default/d default/b"},
	{.name = "the other protocol is another address",
	 .object = {.name = "d", .vips = "10.0.0.2", .ports = "http:80/UDP"},
	 .want = "default/d"},
	{.name = "the older goes",
	 .gone = true,
	 .object = {.name = "a"},
	 .want = "default/a default/c"},
	{.name = "the older becomes younger",
	 .object = {A_SERVICE, .created = "2026-03-01T00:00:00Z"},
	 .want = "default/a default/c"},
	{.name = "the older becomes another proxy's",
	 .object = {A_SERVICE, .created = "2026-01-01T00:00:00Z",
		    .labels = "service.kubernetes.io/service-proxy-name=x"},
	 .want = "default/a default/c"},
	{.name = "a Service without rivals goes",
	 .gone = true,
	 .object = {.name = "b"},
	 .want = "default/b"},
	{.name = "a Service of another cluster is of no account",
	 .cluster = 1,
	 .object = {A_SERVICE},
	 .want = ""},
	{.name = "the same slice again", .kind = MRD_KIND_SLICE, .object = {A_SLICE}, .want = ""},
	{.name = "an endpoint",
	 .kind = MRD_KIND_SLICE,
	 .object = {.name = "a-1", .service = "a", .endpoints = "10.1.0.9"},
	 .want = "default/a"},
	{.name = "a slice of another cluster",
	 .kind = MRD_KIND_SLICE,
	 .cluster = 1,
	 .object = {.name = "b-1", .service = "b"},
	 .want = "default/b"},
	{.name = "a slice changes hands",
	 .kind = MRD_KIND_SLICE,
	 .object = {.name = "a-1", .service = "b"},
	 .want = "default/a default/b"},
	{.name = "a slice loses its service",
	 .kind = MRD_KIND_SLICE,
	 .object = {.name = "a-1"},
	 .want = "default/a"},
	{.name = "a slice goes",
	 .kind = MRD_KIND_SLICE,
	 .gone = true,
	 .object = {.name = "a-2"},
	 .want = "default/a"},
	{.name = "a slice of a service that is not there",
	 .kind = MRD_KIND_SLICE,
	 .object = {.name = "x-1", .service = "x"},
	 .want = "default/x"},
	{.name = "a node's labels",
	 .kind = MRD_KIND_NODE,
	 .object = {.name = "n1", .labels = "x=2"},
	 .want = "default/a default/b"},
	{.name = "a node's heartbeat",
	 .kind = MRD_KIND_NODE,
	 .object = {.name = "n1", .labels = "x=1", .version = "8"},
	 .want = ""},
	{.name = "a node appears",
	 .kind = MRD_KIND_NODE,
	 .object = {.name = "n2"},
	 .want = "default/a"},
	{.name = "a node of the other cluster",
	 .kind = MRD_KIND_NODE,
	 .cluster = 1,
	 .object = {.name = "n2", .labels = "x=1"},
	 .want = "default/b"},
	{.name = "a node without endpoints",
	 .kind = MRD_KIND_NODE,
	 .object = {.name = "n9"},
	 .want = ""},
	{.name = "a node goes",
	 .kind = MRD_KIND_NODE,
	 .gone = true,
	 .object = {.name = "n1"},
	 .want = "default/a default/b"},
	{.name = "a pod's labels",
	 .kind = MRD_KIND_POD,
	 .object = {.name = "p1", .labels = "x=2"},
	 .want = "default/a"},
	{.name = "a pod appears",
	 .kind = MRD_KIND_POD,
	 .object = {.name = "p3"},
	 .want = "default/b"},
	{.name = "a pod of the same name in the other cluster",
	 .kind = MRD_KIND_POD,
	 .cluster = 1,
	 .object = {.name = "p2"},
	 .want = "default/b"},
	{.name = "a pod that is no endpoint",
	 .kind = MRD_KIND_POD,
	 .object = {.name = "p9"},
	 .want = ""},
	{.name = "a pod of another namespace",
	 .kind = MRD_KIND_POD,
	 .object = {.name = "p1", .namespace_ = "shop"},
	 .want = ""},
	{.name = "a pod goes",
	 .kind = MRD_KIND_POD,
	 .gone = true,
	 .object = {.name = "p1"},
	 .want = "default/a"},
};

static struct mrd_model *scene_model(void)
{
	struct mrd_model *model;

	assert_int_equal(mrd_model_new(clusters, COUNT(clusters), 0, "", &model), 0);
	for (size_t i = 0; i < COUNT(scene); i++)
		build_put(model, scene[i].cluster, scene[i].kind, &scene[i].object);
	return model;
}

static void assert_dirty(struct mrd_model *model, const char *want)
{
	char *dirty = build_take_dirty(model);

	assert_string_equal(dirty, want);
	free(dirty);
}

static void a_change_touches_its_services_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		const struct change *change = &changes[i];
		struct mrd_model *model = scene_model();

		printf("%s\n", change->name);
		assert_dirty(model, "default/a default/b default/c");
		if (change->gone)
			assert_int_equal(
				mrd_model_delete(model, change->cluster, change->kind,
						 change->kind == MRD_KIND_NODE ? "" : "default",
						 change->object.name),
				0);
		else
			build_put(model, change->cluster, change->kind, &change->object);
		assert_dirty(model, change->want);
		mrd_model_free(model);
	}
}

/* Of its own cluster alone, and only if something is new. */
static void changes_are_counted_by_cluster(void **state)
{
	static const struct build slice = {A_SLICE};
	static const struct build unready = {.name = "a-1",
					     .service = "a",
					     .ports = "http:80/TCP",
					     .endpoints = "10.1.0.1 node=n1 pod=p1 unready"};
	struct mrd_model *model = scene_model();
	const uint64_t home = mrd_model_changes(model, 0);
	const uint64_t far = mrd_model_changes(model, 1);

	(void)state;
	assert_int_equal(home, 8);
	assert_int_equal(far, 2);
	build_put(model, 0, MRD_KIND_SLICE, &slice);
	assert_int_equal(mrd_model_changes(model, 0), home);
	build_put(model, 0, MRD_KIND_SLICE, &unready); /* in its place */
	assert_int_equal(mrd_model_changes(model, 0), home + 1);
	build_put(model, 1, MRD_KIND_SLICE, &slice);
	assert_int_equal(mrd_model_changes(model, 1), far + 1);
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_NODE, "", "n1"), 0);
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_NODE, "", "n1"), -ENOENT);
	assert_int_equal(mrd_model_changes(model, 0), home + 2);
	mrd_model_touch_all(model);
	mrd_model_set_unheard(model, 0, true);
	assert_int_equal(mrd_model_changes(model, 0), home + 2);
	mrd_model_free(model);
}

static void assert_view(const struct mrd_model *model, const char *name, const char *want)
{
	struct mrd_view *view = NULL;
	char *text;

	assert_int_equal(mrd_model_view(model, "default", name, &view), want ? 0 : -ENOENT);
	if (!want)
		return;
	text = build_view_text(view);
	assert_string_equal(text, want);
	free(text);
	mrd_view_free(view);
}

static void the_younger_gets_the_address_when_the_older_goes(void **state)
{
	struct mrd_model *model = scene_model();

	(void)state;
	assert_view(model, "c",
		    "http 80/TCP http [10.0.0.3]\n"
		    "! 10.0.0.1:80/TCP belongs to default/a, which is older\n");
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SERVICE, "default", "a"), 0);
	assert_view(model, "c", "http 80/TCP http [10.0.0.1 10.0.0.3]\n");
	assert_view(model, "a", NULL);
	mrd_model_free(model);
}

static void a_service_that_is_gone_is_returned_once_more(void **state)
{
	struct mrd_model *model;

	(void)state;
	assert_int_equal(mrd_model_new(clusters, 1, 0, "", &model), 0);
	build_put(model, 0, MRD_KIND_SERVICE, &(struct build){A_SERVICE});
	assert_dirty(model, "default/a");
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SERVICE, "default", "a"), 0);
	assert_int_equal(mrd_model_count(model, 0, MRD_KIND_SERVICE), 0);
	assert_dirty(model, "default/a");
	assert_dirty(model, "");
	mrd_model_touch(model, "default", "a"); /* a removal that failed is asked for again */
	assert_dirty(model, "default/a");
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SERVICE, "default", "a"), -ENOENT);
	assert_dirty(model, "");
	mrd_model_free(model);
}

static void a_service_that_came_and_went_unseen_is_returned(void **state)
{
	struct mrd_model *model;

	(void)state;
	assert_int_equal(mrd_model_new(clusters, 1, 0, "", &model), 0);
	build_put(model, 0, MRD_KIND_SLICE, &(struct build){A_SLICE});
	build_put(model, 0, MRD_KIND_SERVICE, &(struct build){A_SERVICE});
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SERVICE, "default", "a"), 0);
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SLICE, "default", "a-1"), 0);
	build_put(model, 0, MRD_KIND_SERVICE,
		  &(struct build){.name = "b", .vips = "10.0.0.2", .ports = "x:1/TCP"});
	assert_dirty(model, "default/a default/b");
	mrd_model_free(model);
}

static void what_is_not_mentioned_any_more_touches_nobody(void **state)
{
	struct mrd_model *model = scene_model();

	(void)state;
	build_put(model, 0, MRD_KIND_SLICE,
		  &(struct build){.name = "a-1", .service = "a", .endpoints = "10.1.0.1 node=n3"});
	build_put(model, 0, MRD_KIND_SERVICE,
		  &(struct build){.name = "c", .vips = "10.0.0.3", .ports = "http:80/TCP"});
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SERVICE, "default", "b"), 0);
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SLICE, "default", "b-1"), 0);
	assert_int_equal(mrd_model_delete(model, 1, MRD_KIND_SLICE, "default", "b-1"), 0);
	assert_dirty(model, "default/a default/b default/c");

	build_put(model, 0, MRD_KIND_NODE, &(struct build){.name = "n1", .labels = "x=9"});
	build_put(model, 0, MRD_KIND_POD, &(struct build){.name = "p1", .labels = "x=9"});
	build_put(model, 1, MRD_KIND_NODE, &(struct build){.name = "n2", .labels = "x=9"});
	assert_dirty(model, "");
	assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SERVICE, "default", "a"), 0);
	build_put(model, 0, MRD_KIND_SERVICE,
		  &(struct build){.name = "d", .vips = "10.0.0.2", .ports = "http:80/TCP"});
	assert_dirty(model, "default/a default/d");
	mrd_model_free(model);
}

static void touching_all_returns_the_services_only(void **state)
{
	struct mrd_model *model = scene_model();

	(void)state;
	build_put(model, 0, MRD_KIND_SLICE, &(struct build){.name = "x-1", .service = "x"});
	assert_dirty(model, "default/a default/b default/c default/x");
	mrd_model_touch_all(model);
	assert_dirty(model, "default/a default/b default/c");
	mrd_model_touch(model, "default", "b");
	mrd_model_touch(model, "default", "b");
	assert_dirty(model, "default/b");
	mrd_model_free(model);
}

static void the_model_tells_what_it_holds(void **state)
{
	struct mrd_model *model = scene_model();
	const struct mrd_meta *found;

	(void)state;
	assert_int_equal(mrd_model_cluster_count(model), 2);
	assert_string_equal(mrd_model_cluster_name(model, 1), "far");
	assert_int_equal(mrd_model_home(model), 0);
	assert_int_equal(mrd_model_count(model, 0, MRD_KIND_SERVICE), 3);
	assert_int_equal(mrd_model_count(model, 0, MRD_KIND_SLICE), 3);
	assert_int_equal(mrd_model_count(model, 1, MRD_KIND_SLICE), 1);
	assert_int_equal(mrd_model_count(model, 1, MRD_KIND_POD), 0);
	found = mrd_model_find(model, 0, MRD_KIND_NODE, "", "n1");
	assert_non_null(found);
	assert_string_equal(found->name, "n1");
	assert_null(mrd_model_find(model, 1, MRD_KIND_NODE, "", "n1"));
	mrd_model_free(model);
}

static void wrong_arguments_are_refused(void **state)
{
	char long_name[600];
	struct mrd_model *model = NULL;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(mrd_model_new(clusters, 2, 2, "", &model), -EINVAL);
	assert_int_equal(mrd_model_new(clusters, 2, 0, "a=(", &model), -EINVAL);
	assert_null(model);
	assert_int_equal(mrd_model_new(clusters, 2, 1, "", &model), 0);
	assert_int_equal(mrd_model_put(model, 0, build_service(&(struct build){.name = long_name})),
			 -EINVAL);
	assert_null(mrd_model_find(model, 0, MRD_KIND_SERVICE, "default", long_name));
	build_put(model, 0, MRD_KIND_SLICE,
		  &(struct build){.name = "s", .service = "a", .endpoints = "10.0.0.1"});
	mrd_model_free(model);
}

/* ------------------------------------------------------------------------ size */

enum {
	SERVICES = 10000,
	PER_SERVICE = 10,
	NODES = 100,
	TEXT_MAX = 32,
	LOAD_LIMIT_MS = 5000, /* about 0.3 s without sanitizers; a quadratic load takes minutes */
};

static char *numbered(const char *before, unsigned int number, const char *behind)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "%s%u%s", before, number, behind);
	return strdup(text);
}

static struct mrd_ip numbered_ip(uint8_t first, unsigned int number)
{
	return (struct mrd_ip){
		.bytes = {first, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number},
		.version = MRD_IPV4,
	};
}

static struct mrd_meta *big_service(unsigned int n)
{
	struct mrd_service_object *service = calloc(1, sizeof(*service));

	service->meta = (struct mrd_meta){
		.kind = MRD_KIND_SERVICE,
		.namespace_ = strdup("default"),
		.name = numbered("s", n, ""),
		.created_us = MRD_INSTANT_NONE,
		.resource_version = build_text(""),
	};
	service->vips = calloc(1, sizeof(*service->vips));
	service->vips[0] = numbered_ip(10, n);
	service->vip_count = 1;
	service->ports = calloc(1, sizeof(*service->ports));
	service->ports[0] = (struct mrd_service_port){
		.name = build_text(""),
		.app_protocol = build_text(""),
		.transport = MRD_TRANSPORT_TCP,
		.port = 80,
	};
	service->port_count = 1;
	return &service->meta;
}

static struct mrd_meta *big_slice(unsigned int n, uint8_t net)
{
	struct mrd_slice_object *slice = calloc(1, sizeof(*slice));

	slice->meta = (struct mrd_meta){
		.kind = MRD_KIND_SLICE,
		.namespace_ = strdup("default"),
		.name = numbered("s", n, "-1"),
		.created_us = MRD_INSTANT_NONE,
		.resource_version = build_text(""),
	};
	slice->service_name = numbered("s", n, "");
	slice->version = MRD_IPV4;
	slice->endpoints = calloc(PER_SERVICE, sizeof(*slice->endpoints));
	slice->endpoint_count = PER_SERVICE;
	for (unsigned int i = 0; i < PER_SERVICE; i++) {
		const unsigned int number = n * PER_SERVICE + i;

		slice->endpoints[i] = (struct mrd_slice_endpoint){
			.ip = numbered_ip(net, number),
			.ready = true,
			.serving = true,
			.node_name = numbered("n", number % NODES, ""),
			.zone = build_text(""),
			.hostname = build_text(""),
			.target_name = numbered("p", number, ""),
			.target_namespace = strdup("default"),
		};
	}
	return &slice->meta;
}

static unsigned int drain(struct mrd_model *model)
{
	unsigned int count = 0;

	while (mrd_model_next_dirty(model))
		count++;
	return count;
}

static void loading_and_unloading_scales(void **state)
{
	const uint64_t start_ns = mrd_clock_ns();
	struct mrd_model *model;

	(void)state;
	assert_int_equal(mrd_model_new(clusters, 1, 0, "", &model), 0);
	for (unsigned int i = 0; i < SERVICES; i++) {
		assert_int_equal(mrd_model_put(model, 0, big_service(i)), 0);
		assert_int_equal(mrd_model_put(model, 0, big_slice(i, 20)), 0);
	}
	assert_int_equal(drain(model), SERVICES);
	for (unsigned int i = 0; i < SERVICES; i++)
		assert_int_equal(mrd_model_put(model, 0, big_slice(i, 20)), 0);
	assert_int_equal(drain(model), 0);
	for (unsigned int i = 0; i < SERVICES; i++) {
		assert_int_equal(mrd_model_put(model, 0, big_slice(i, 21)), 0);
		assert_non_null(mrd_model_next_dirty(model));
		assert_null(mrd_model_next_dirty(model));
	}
	for (unsigned int i = 0; i < SERVICES; i++) {
		char *name = numbered("s", i, "");
		char *slice = numbered("s", i, "-1");

		assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SLICE, "default", slice), 0);
		assert_int_equal(mrd_model_delete(model, 0, MRD_KIND_SERVICE, "default", name), 0);
		free(name);
		free(slice);
	}
	assert_int_equal(drain(model), SERVICES);
	mrd_model_free(model);
	printf("%llu ms\n", (unsigned long long)(mrd_clock_ns() - start_ns) / MRD_NS_PER_MS);
	assert_true(mrd_clock_ns() - start_ns < (uint64_t)LOAD_LIMIT_MS * MRD_NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_touches_its_services_and_no_other),
		cmocka_unit_test(changes_are_counted_by_cluster),
		cmocka_unit_test(the_younger_gets_the_address_when_the_older_goes),
		cmocka_unit_test(a_service_that_is_gone_is_returned_once_more),
		cmocka_unit_test(a_service_that_came_and_went_unseen_is_returned),
		cmocka_unit_test(what_is_not_mentioned_any_more_touches_nobody),
		cmocka_unit_test(touching_all_returns_the_services_only),
		cmocka_unit_test(the_model_tells_what_it_holds),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(loading_and_unloading_scales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
