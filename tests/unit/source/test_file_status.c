/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A folder as a cluster among others: its silence, and its way to another model. */
#include "file_stage.h"

/* ------------------------------------------------------------------------ another model */

static void a_source_moves_to_another_model(void **state)
{
	static const struct mrd_model_cluster clusters[] = {{.name = "x"}, {.name = "y"}};
	struct stage *stage = *state;
	struct mrd_file_source_config config = {.directory = stage->dir, .cluster = 1};

	save(stage, "a.yaml", NODE("n1", "1"));
	save(stage, "b.yaml", NODE("n2", "1"));
	start(stage);
	assert_int_equal(mrd_model_new(clusters, 2, 0, "", &config.model), 0);
	assert_int_equal(mrd_model_copy(stage->model, 0, config.model, 1), 0);
	mrd_file_source_move(stage->source, &config);
	save(stage, "a.yaml", NODE("n1", "2"));
	discard(stage, "b.yaml");
	tick(stage);
	tick(stage);
	expect(stage, "n1=1 n2=1", ""); /* of the old model */
	assert_non_null(mrd_model_find(config.model, 1, MRD_KIND_NODE, "", "n1"));
	assert_string_equal(
		mrd_labels_get(&mrd_model_find(config.model, 1, MRD_KIND_NODE, "", "n1")->labels,
			       "v"),
		"2");
	assert_null(mrd_model_find(config.model, 1, MRD_KIND_NODE, "", "n2"));
	mrd_file_source_free(stage->source);
	stage->source = NULL;
	mrd_model_free(config.model);
}

/* Since when a folder is silent: since it was there last, or since somebody looks for it. */
static void a_folder_that_is_away_is_silent(void **state)
{
	struct stage *stage = *state;
	uint64_t last_ns;

	start(stage);
	assert_true(status_of(stage).read && status_of(stage).complete);
	assert_int_equal(status_of(stage).silent_since_ns, 0);
	assert_int_equal(status_of(stage).alive_ns, UINT64_MAX);
	last_ns = stage->now_ns;
	move(stage, "/state", "/away");
	tick(stage);
	tick(stage);
	assert_int_equal(status_of(stage).silent_since_ns, last_ns);
	assert_int_equal(status_of(stage).alive_ns, last_ns);
	assert_true(status_of(stage).read);
	mrd_file_source_free(stage->source);
	start(stage);
	last_ns = stage->now_ns;
	tick(stage);
	assert_int_equal(status_of(stage).silent_since_ns, last_ns);
	assert_int_equal(status_of(stage).alive_ns, last_ns);
	assert_false(status_of(stage).read);
	move(stage, "/away", "/state");
	tick(stage);
	assert_int_equal(status_of(stage).silent_since_ns, 0);
	assert_int_equal(status_of(stage).alive_ns, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_source_moves_to_another_model),
		TEST(a_folder_that_is_away_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
