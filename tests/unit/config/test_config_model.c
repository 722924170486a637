/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "config/config_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *const label_keys[] = {
	(char *)"topology.kubernetes.io/region",
	(char *)"topology.kubernetes.io/zone",
	(char *)"topology.istio.io/subzone",
};

static void put_node(struct mrd_model *model, size_t cluster, const char *const labels[3])
{
	struct mrd_label items[3];
	struct mrd_node_object node = {
		.meta = {.kind = MRD_KIND_NODE,
			 .namespace_ = (char *)"",
			 .name = (char *)"node-a",
			 .created_us = MRD_INSTANT_NONE,
			 .resource_version = (char *)"",
			 .labels = {.items = items, .count = 3}},
	};
	struct mrd_meta *copy;

	for (size_t i = 0; i < 3; i++)
		items[i] = (struct mrd_label){.key = label_keys[i], .value = (char *)labels[i]};
	copy = mrd_object_copy(&node.meta);
	assert_non_null(copy);
	assert_int_equal(mrd_model_put(model, cluster, copy), 0);
}

static void the_node_is_where_the_nearest_word_says(void **state)
{
	static const struct {
		const char *name;
		const char *config[3];
		const char *labels[3];
		const char *want[3];
	} cases[] = {
		{.name = "labels",
		 .config = {"", "", ""},
		 .labels = {"r2", "r2-a", "s"},
		 .want = {"r2", "r2-a", "s"}},
		{.name = "neither: the home cluster's region, the labels' zone",
		 .config = {"", "", ""},
		 .labels = {"", "z", "s"},
		 .want = {"home", "z", "s"}},
		{.name = "a region where the labels name none: the labels' zone is in it",
		 .config = {"r3", "", ""},
		 .labels = {"", "z", "s"},
		 .want = {"r3", "z", "s"}},
		{.name = "no labels at all",
		 .config = {"", "", ""},
		 .labels = {"", "", ""},
		 .want = {"home", "", ""}},
		{.name = "the same region: the labels' zone",
		 .config = {"r2", "", ""},
		 .labels = {"r2", "r2-a", ""},
		 .want = {"r2", "r2-a", ""}},
		{.name = "another region: the labels' zone is none of it",
		 .config = {"r3", "", ""},
		 .labels = {"r2", "r2-a", "s"},
		 .want = {"r3", "", ""}},
		{.name = "all of it",
		 .config = {"r3", "r3-b", "t"},
		 .labels = {"r2", "r2-a", "s"},
		 .want = {"r3", "r3-b", "t"}},
	};
	struct mrd_cluster_config clusters[] = {
		{.name = (char *)"other", .region = (char *)"r9", .network = (char *)""},
		{.name = (char *)"mine", .region = (char *)"home", .network = (char *)""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mrd_agent_config config = {
			.node_name = (char *)"node-a",
			.node_region = (char *)cases[i].config[0],
			.node_zone = (char *)cases[i].config[1],
			.node_subzone = (char *)cases[i].config[2],
			.clusters = clusters,
			.cluster_count = 2,
			.home = 1,
			.service_selector = (char *)"",
		};
		static const char *const elsewhere[3] = {"x", "y", "z"};
		struct mrd_locality_name at;
		struct mrd_model *model;

		print_message("%s\n", cases[i].name);
		assert_int_equal(mrd_config_model_new(&config, &model), 0);
		put_node(model, 0, elsewhere); /* another cluster's node of that name */
		put_node(model, 1, cases[i].labels);
		mrd_config_locality(&config, model, &at);
		assert_string_equal(at.region, cases[i].want[0]);
		assert_string_equal(at.zone, cases[i].want[1]);
		assert_string_equal(at.subzone, cases[i].want[2]);
		mrd_model_free(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_node_is_where_the_nearest_word_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
