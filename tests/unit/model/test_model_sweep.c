/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reading all of a kind anew, and carrying a cluster from model to model. */
#include "model/model.h"

#include "build.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct mrd_model_cluster clusters[] = {{.name = "home"}, {.name = "far"}};

static struct mrd_model *new_model(void)
{
	struct mrd_model *model;

	assert_int_equal(mrd_model_new(clusters, COUNT(clusters), 0, "", &model), 0);
	return model;
}

static void put_node(struct mrd_model *model, size_t cluster, const char *name)
{
	const struct build build = {.name = name};

	assert_int_equal(mrd_model_put(model, cluster, build_object(MRD_KIND_NODE, &build)), 0);
}

static void put_unmet(struct mrd_model *model, const char *name)
{
	const struct build build = {.name = name};

	assert_int_equal(mrd_model_put_unmet(model, 0, build_object(MRD_KIND_NODE, &build)), 0);
}

/* What is there: "n1 n2 far:n1". */
static void expect(const struct mrd_model *model, const char *want)
{
	static const char *const names[] = {"n1", "n2", "n3"};
	struct mrd_strbuf got = {0};

	mrd_strbuf_add(&got, "", 0);
	for (size_t cluster = 0; cluster < COUNT(clusters); cluster++)
		for (size_t i = 0; i < COUNT(names); i++)
			if (mrd_model_find(model, cluster, MRD_KIND_NODE, "", names[i]))
				mrd_strbuf_addf(&got, "%s%s%s", got.len ? " " : "",
						cluster ? "far:" : "", names[i]);
	print_message("holds: %s\n", got.text);
	assert_string_equal(got.text, want);
	mrd_strbuf_free(&got);
}

static struct mrd_model *copied(struct mrd_model *old)
{
	struct mrd_model *model = new_model();

	for (size_t i = 0; i < COUNT(clusters); i++)
		assert_int_equal(mrd_model_copy(old, i, model, i), 0);
	mrd_model_free(old);
	return model;
}

struct step {
	char what; /* 'm'ark, 's'weep, 'p'ut, 'k'eep, put 'u'nmet, 'f'orget, 'c'opy to and fro */
	const char *name;
};

struct sweep_case {
	const char *name;
	struct step steps[8];
	size_t gone; /* of the last sweep */
	const char *want;
};

/* All begin with n1 and n2 at home, and n1 far away. */
static const struct sweep_case sweep_cases[] = {
	{"a list without one of them", {{'m', ""}, {'p', "n2"}, {'s', ""}}, 1, "n2 far:n1"},
	{"a list with another",
	 {{'m', ""}, {'p', "n3"}, {'p', "n1"}, {'s', ""}},
	 1,
	 "n1 n3 far:n1"},
	{"an empty list", {{'m', ""}, {'s', ""}}, 2, "far:n1"},
	{"one that cannot be understood", {{'m', ""}, {'k', "n1"}, {'s', ""}}, 1, "n1 far:n1"},
	{"a list that is cut", {{'m', ""}, {'p', "n3"}}, 0, "n1 n2 n3 far:n1"},
	{"cut, then whole",
	 {{'m', ""}, {'p', "n1"}, {'p', "n3"}, {'m', ""}, {'p', "n2"}, {'s', ""}},
	 2,
	 "n2 far:n1"},
	{"what nobody met goes with the next sweep", {{'u', "n3"}, {'s', ""}}, 1, "n1 n2 far:n1"},
	{"also within a list", {{'m', ""}, {'p', "n1"}, {'u', "n3"}, {'s', ""}}, 2, "n1 far:n1"},
	{"unless it is met", {{'u', "n3"}, {'p', "n3"}, {'s', ""}}, 0, "n1 n2 n3 far:n1"},
	{"a sweep without a list", {{'s', ""}}, 0, "n1 n2 far:n1"},
	{"a list that is not to be believed",
	 {{'m', ""}, {'p', "n3"}, {'p', "n1"}, {'f', ""}},
	 1,
	 "n1 n2 far:n1"},
	{"two of them, the first one cut",
	 {{'m', ""}, {'p', "n3"}, {'m', ""}, {'p', "n1"}, {'f', ""}},
	 1,
	 "n1 n2 far:n1"},
	{"what changed since the last whole one stays",
	 {{'m', ""}, {'p', "n1"}, {'s', ""}, {'p', "n3"}, {'m', ""}, {'f', ""}},
	 0,
	 "n1 n3 far:n1"},
	{"what nobody met stays", {{'u', "n3"}, {'m', ""}, {'f', ""}}, 0, "n1 n2 n3 far:n1"},
	{"another model knows", {{'m', ""}, {'p', "n3"}, {'c', ""}, {'f', ""}}, 1, "n1 n2 far:n1"},
	{"put between two lists",
	 {{'m', ""}, {'p', "n1"}, {'s', ""}, {'p', "n3"}, {'s', ""}},
	 0,
	 "n1 n3 far:n1"},
};

static void what_a_list_does_not_name_is_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sweep_cases); i++) {
		const struct sweep_case *test = &sweep_cases[i];
		struct mrd_model *model = new_model();
		size_t gone = 0;

		print_message("case: %s\n", test->name);
		put_node(model, 0, "n1");
		put_node(model, 0, "n2");
		put_node(model, 1, "n1");
		for (size_t k = 0; k < COUNT(test->steps) && test->steps[k].what; k++) {
			const struct step *step = &test->steps[k];

			if (step->what == 'm')
				mrd_model_mark(model, 0, MRD_KIND_NODE);
			else if (step->what == 's')
				gone = mrd_model_sweep(model, 0, MRD_KIND_NODE);
			else if (step->what == 'p')
				put_node(model, 0, step->name);
			else if (step->what == 'u')
				put_unmet(model, step->name);
			else if (step->what == 'f')
				gone = mrd_model_forget(model, 0, MRD_KIND_NODE);
			else if (step->what == 'c')
				model = copied(model);
			else
				assert_int_equal(
					mrd_model_keep(model, 0, MRD_KIND_NODE, "", step->name), 0);
		}
		assert_int_equal(gone, test->gone);
		expect(model, test->want);
		mrd_model_free(model);
	}
}

static void what_is_not_there_cannot_be_kept(void **state)
{
	struct mrd_model *model = new_model();

	(void)state;
	assert_int_equal(mrd_model_keep(model, 0, MRD_KIND_NODE, "", "n1"), -ENOENT);
	put_node(model, 0, "n1");
	assert_int_equal(mrd_model_keep(model, 1, MRD_KIND_NODE, "", "n1"), -ENOENT);
	assert_int_equal(mrd_model_keep(model, 0, MRD_KIND_POD, "", "n1"), -ENOENT);
	mrd_model_free(model);
}

static void a_sweep_touches_what_it_deletes(void **state)
{
	static const struct build service = {.name = "a", .vips = "10.0.0.1", .ports = ":80/TCP"};
	static const struct build slice = {
		.name = "a-1", .service = "a", .ports = ":80/TCP", .endpoints = "10.1.0.1"};
	struct mrd_model *model = new_model();

	(void)state;
	assert_int_equal(mrd_model_put(model, 0, build_object(MRD_KIND_SERVICE, &service)), 0);
	assert_int_equal(mrd_model_put(model, 1, build_object(MRD_KIND_SLICE, &slice)), 0);
	while (mrd_model_next_dirty(model))
		;
	mrd_model_mark(model, 1, MRD_KIND_SLICE);
	assert_null(mrd_model_next_dirty(model));
	assert_int_equal(mrd_model_sweep(model, 1, MRD_KIND_SLICE), 1);
	assert_string_equal(mrd_model_next_dirty(model), "default/a");
	mrd_model_free(model);
}

static void a_cluster_is_carried_to_another_model(void **state)
{
	static const struct build service = {.name = "a", .vips = "10.0.0.1", .ports = ":80/TCP"};
	struct mrd_model *from = new_model();
	struct mrd_model *to = new_model();

	(void)state;
	put_node(from, 0, "n1");
	put_node(from, 1, "n2");
	put_node(from, 1, "n3");
	mrd_model_mark(from, 1, MRD_KIND_NODE);
	put_node(from, 1, "n2");
	assert_int_equal(mrd_model_put(from, 1, build_object(MRD_KIND_SERVICE, &service)), 0);
	assert_int_equal(mrd_model_copy(from, 1, to, 0), 0);
	expect(to, "n2 n3");
	expect(from, "n1 far:n2 far:n3");
	assert_string_equal(mrd_model_next_dirty(to), "default/a");
	mrd_model_free(from);
	assert_non_null(mrd_model_find(to, 0, MRD_KIND_SERVICE, "default", "a"));
	assert_int_equal(mrd_model_sweep(to, 0, MRD_KIND_NODE), 1);
	expect(to, "n2");
	mrd_model_free(to);
}

static void a_silent_cluster_is_told_of(void **state)
{
	static const struct build service = {.name = "a", .vips = "10.0.0.1", .ports = ":80/TCP"};
	static const struct build other = {.name = "b", .vips = "10.0.0.2", .ports = ":80/TCP"};
	static const struct build near = {
		.name = "a-1", .service = "a", .ports = ":80/TCP", .endpoints = "10.1.0.1"};
	static const struct build far = {
		.name = "a-2", .service = "a", .ports = ":80/TCP", .endpoints = "10.2.0.1"};
	struct mrd_model *model = new_model();
	struct mrd_view *view;

	(void)state;
	build_put(model, 0, MRD_KIND_SERVICE, &service);
	build_put(model, 0, MRD_KIND_SERVICE, &other);
	build_put(model, 0, MRD_KIND_SLICE, &near);
	build_put(model, 1, MRD_KIND_SLICE, &far);
	free(build_take_dirty(model));
	mrd_model_set_unheard(model, 1, false);
	assert_null(mrd_model_next_dirty(model));
	mrd_model_set_unheard(model, 1, true);
	assert_string_equal(mrd_model_next_dirty(model), "default/a");
	assert_null(mrd_model_next_dirty(model));
	assert_int_equal(mrd_model_view(model, "default", "a", &view), 0);
	assert_int_equal(view->ports[0].endpoint_count, 2);
	assert_false(view->ports[0].endpoints[0].unheard);
	assert_true(view->ports[0].endpoints[1].unheard);
	mrd_view_free(view);
	mrd_model_set_unheard(model, 1, false);
	assert_string_equal(mrd_model_next_dirty(model), "default/a");
	mrd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_list_does_not_name_is_gone),
		cmocka_unit_test(what_is_not_there_cannot_be_kept),
		cmocka_unit_test(a_sweep_touches_what_it_deletes),
		cmocka_unit_test(a_cluster_is_carried_to_another_model),
		cmocka_unit_test(a_silent_cluster_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
