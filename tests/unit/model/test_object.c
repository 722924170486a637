/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "model/object.h"

#include "build.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SERVICE .name = "web", .vips = "10.0.0.1", .ports = "http:80/TCP", .labels = "a=b"
#define SLICE                                                  \
	.name = "s", .service = "web", .ports = "http:80/TCP", \
	.endpoints = "10.1.0.1 node=n zone=z pod=p"

static const struct {
	const char *name;
	enum mrd_kind kind;
	struct build a;
	struct build b;
	bool want;
} rows[] = {
	{.name = "the same service", .a = {SERVICE}, .b = {SERVICE}, .want = true},
	{.name = "its version alone", .a = {SERVICE}, .b = {SERVICE, .version = "9"}, .want = true},
	{.name = "its age", .a = {SERVICE}, .b = {SERVICE, .created = "2026-01-01T00:00:00Z"}},
	{.name = "its labels",
	 .a = {SERVICE},
	 .b = {.name = "web", .vips = "10.0.0.1", .ports = "http:80/TCP", .labels = "a=c"}},
	{.name = "its addresses",
	 .a = {SERVICE},
	 .b = {.name = "web", .vips = "10.0.0.2", .ports = "http:80/TCP", .labels = "a=b"}},
	{.name = "one address more",
	 .a = {SERVICE},
	 .b = {.name = "web",
	       .vips = "10.0.0.1,10.0.0.2",
	       .ports = "http:80/TCP",
	       .labels = "a=b"}},
	{.name = "its port",
	 .a = {SERVICE},
	 .b = {.name = "web", .vips = "10.0.0.1", .ports = "http:81/TCP", .labels = "a=b"}},
	{.name = "its protocol",
	 .a = {SERVICE},
	 .b = {.name = "web", .vips = "10.0.0.1", .ports = "http:80/UDP", .labels = "a=b"}},
	{.name = "its appProtocol",
	 .a = {SERVICE},
	 .b = {.name = "web", .vips = "10.0.0.1", .ports = "http:80/TCP:tcp", .labels = "a=b"}},
	{.name = "internal policy", .a = {SERVICE}, .b = {SERVICE, .internal_local = true}},
	{.name = "affinity", .a = {SERVICE}, .b = {SERVICE, .affinity_s = 5}},
	{.name = "distribution",
	 .a = {SERVICE},
	 .b = {SERVICE, .distribution = MRD_DISTRIBUTION_SAME_NODE}},
	{.name = "the same slice",
	 .kind = MRD_KIND_SLICE,
	 .a = {SLICE},
	 .b = {SLICE, .version = "2"},
	 .want = true},
	{.name = "its family",
	 .kind = MRD_KIND_SLICE,
	 .a = {SLICE},
	 .b = {SLICE, .family = MRD_IPV6}},
	{.name = "its service",
	 .kind = MRD_KIND_SLICE,
	 .a = {.name = "s", .service = "a"},
	 .b = {.name = "s", .service = "b"}},
	{.name = "an endpoint's readiness",
	 .kind = MRD_KIND_SLICE,
	 .a = {.name = "s", .endpoints = "10.0.0.1"},
	 .b = {.name = "s", .endpoints = "10.0.0.1 unready"}},
	{.name = "an endpoint's end",
	 .kind = MRD_KIND_SLICE,
	 .a = {.name = "s", .endpoints = "10.0.0.1"},
	 .b = {.name = "s", .endpoints = "10.0.0.1 terminating"}},
	{.name = "an endpoint's node",
	 .kind = MRD_KIND_SLICE,
	 .a = {.name = "s", .endpoints = "10.0.0.1"},
	 .b = {.name = "s", .endpoints = "10.0.0.1 node=n"}},
	{.name = "the order of endpoints",
	 .kind = MRD_KIND_SLICE,
	 .a = {.name = "s", .endpoints = "10.0.0.1;10.0.0.2"},
	 .b = {.name = "s", .endpoints = "10.0.0.2;10.0.0.1"}},
	{.name = "a node's heartbeat",
	 .kind = MRD_KIND_NODE,
	 .a = {.name = "n", .version = "1"},
	 .b = {.name = "n", .version = "2"},
	 .want = true},
	{.name = "a node's labels",
	 .kind = MRD_KIND_NODE,
	 .a = {.name = "n"},
	 .b = {.name = "n", .labels = "a=b"}},
	{.name = "a pod's labels",
	 .kind = MRD_KIND_POD,
	 .a = {.name = "n", .labels = "a=b"},
	 .b = {.name = "n", .labels = "b=b"}},
};

static void objects_are_equal_if_they_say_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mrd_meta *a = build_object(rows[i].kind, &rows[i].a);
		struct mrd_meta *b = build_object(rows[i].kind, &rows[i].b);

		printf("%s\n", rows[i].name);
		assert_true(mrd_object_equal(a, a));
		assert_int_equal(mrd_object_equal(a, b), rows[i].want);
		assert_int_equal(mrd_object_equal(b, a), rows[i].want);
		mrd_object_free(a);
		mrd_object_free(b);
	}
}

static void copies_are_equal_and_stand_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mrd_meta *a = build_object(rows[i].kind, &rows[i].a);
		struct mrd_meta *again = build_object(rows[i].kind, &rows[i].a);
		struct mrd_meta *copy = mrd_object_copy(a);

		printf("%s\n", rows[i].name);
		assert_non_null(copy);
		assert_string_equal(copy->resource_version, a->resource_version);
		mrd_object_free(a);
		assert_true(mrd_object_equal(copy, again));
		mrd_object_free(again);
		mrd_object_free(copy);
	}
}

static void kinds_do_not_mix(void **state)
{
	struct mrd_meta *node = build_plain(MRD_KIND_NODE, &(struct build){.name = "a"});
	struct mrd_meta *pod = build_plain(MRD_KIND_POD, &(struct build){.name = "a"});

	(void)state;
	assert_false(mrd_object_equal(node, pod));
	mrd_object_free(node);
	mrd_object_free(pod);
	mrd_object_free(NULL);
}

static void distributions_have_kubernetes_newest_words(void **state)
{
	static const char *const want[] = {
		[MRD_DISTRIBUTION_NONE] = "",
		[MRD_DISTRIBUTION_SAME_ZONE] = "PreferSameZone",
		[MRD_DISTRIBUTION_SAME_NODE] = "PreferSameNode",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_string_equal(mrd_distribution_name((enum mrd_traffic_distribution)i),
				    want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_equal_if_they_say_the_same),
		cmocka_unit_test(copies_are_equal_and_stand_alone),
		cmocka_unit_test(kinds_do_not_mix),
		cmocka_unit_test(distributions_have_kubernetes_newest_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
