/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "model/selector.h"

#include "build.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LABELS "app=web,tier=front,example.com/owner=ops,weight=10,empty="

static const struct {
	const char *selector;
	bool want;
} rows[] = {
	{.selector = "", .want = true},
	{.selector = " ", .want = true},
	{.selector = "app", .want = true},
	{.selector = "none", .want = false},
	{.selector = "!app", .want = false},
	{.selector = "!none", .want = true},
	{.selector = "! none", .want = true},
	{.selector = "app=web", .want = true},
	{.selector = "app==web", .want = true},
	{.selector = "app = web", .want = true},
	{.selector = "app=db", .want = false},
	{.selector = "app=we", .want = false},
	{.selector = "none=web", .want = false},
	{.selector = "empty=", .want = true},
	{.selector = "app=", .want = false},
	{.selector = "none=", .want = false},
	{.selector = "app!=db", .want = true},
	{.selector = "app!=web", .want = false},
	{.selector = "none!=web", .want = true},
	{.selector = "app in (web)", .want = true},
	{.selector = "app in (db, web)", .want = true},
	{.selector = "app in(db,api)", .want = false},
	{.selector = "none in (web)", .want = false},
	{.selector = "empty in ()", .want = true},
	{.selector = "app notin (db,api)", .want = true},
	{.selector = "app notin (db,web)", .want = false},
	{.selector = "none notin (web)", .want = true},
	{.selector = "app=web,tier=front", .want = true},
	{.selector = "app=web, tier=back", .want = false},
	{.selector = "app in (web,db),!none,tier", .want = true},
	{.selector = "example.com/owner=ops", .want = true},
	{.selector = "weight>9", .want = true},
	{.selector = "weight>10", .want = false},
	{.selector = "weight < 11", .want = true},
	{.selector = "weight<10", .want = false},
	{.selector = "app>1", .want = false},
	{.selector = "none<1", .want = false},
};

static void selectors_choose_as_in_kubernetes(void **state)
{
	struct mrd_meta *node = build_plain(MRD_KIND_NODE, &(struct build){
								   .name = "n",
								   .labels = LABELS,
							   });

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mrd_selector *selector;

		printf("\"%s\"\n", rows[i].selector);
		assert_int_equal(mrd_selector_parse(rows[i].selector, &selector), 0);
		assert_int_equal(mrd_selector_matches(selector, &node->labels), rows[i].want);
		mrd_selector_free(selector);
	}
	mrd_object_free(node);
}

static void what_is_no_selector_is_refused(void **state)
{
	static const char *const broken[] = {
		",",
		"app,",
		",app",
		"app,,tier",
		"=web",
		"app=web tier",
		"app=a=b",
		"app in",
		"app in web",
		"app in (a",
		"app in (a b)",
		"app notin",
		"!app=web",
		"!",
		"!!app",
		"a b",
		"-app",
		"app=-web",
		"app=we b",
		"app>",
		"app>x",
		"app>1x",
		"/app",
		"a/b/c",
		"example/",
		"app=(web)",
		"(app)",
		"app in (a))",
		"app<99999999999999999999",
		"app=0123456789012345678901234567890123456789012345678901234567890123",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct mrd_selector *selector = NULL;

		printf("\"%s\"\n", broken[i]);
		assert_int_equal(mrd_selector_parse(broken[i], &selector), -EINVAL);
		assert_null(selector);
	}
}

static void every_beginning_of_a_selector_is_read_safely(void **state)
{
	static const char whole[] = "app in (web, db),!none,tier!=back,example.com/owner,weight>9";

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		struct mrd_selector *selector = NULL;
		char *text = strndup(whole, len);
		int ret = mrd_selector_parse(text, &selector);

		printf("\"%s\" gives %d\n", text, ret);
		assert_true(ret == 0 ? !!selector : ret == -EINVAL && !selector);
		mrd_selector_free(selector);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_choose_as_in_kubernetes),
		cmocka_unit_test(what_is_no_selector_is_refused),
		cmocka_unit_test(every_beginning_of_a_selector_is_read_safely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
