/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* DestinationRules of an API server, and the policy that they make with those of files. */
#include "source/rule_docs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strbuf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What an API server adds to what a user wrote. */
#define SERVER_SIDE(day)                                                                     \
	"\"creationTimestamp\":\"" day "T00:00:00Z\",\"generation\":3,"                      \
	"\"managedFields\":[{\"fieldsV1\":{\"f:spec\":{\".\":{}}},\"operation\":\"Update\"," \
	"\"manager\":\"kubectl\",\"subresource\":\"status\"}],\"ownerReferences\":[],"       \
	"\"resourceVersion\":\"215\",\"selfLink\":\"\",\"uid\":\"f5\","                      \
	"\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\"}"
#define RULE(name, spec) RULE_OF(name, "2026-01-01", spec)
#define RULE_OF(name, day, spec)                                                   \
	"{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"DestinationRule\"," \
	"\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\"," SERVER_SIDE( \
		day) "},"                                                          \
		     "\"spec\":" spec ",\"status\":{\"conditions\":[],\"observedGeneration\":3}}"
#define ERRORS(n)                                                                                \
	"{\"host\":\"web\",\"trafficPolicy\":{\"outlierDetection\":{\"consecutive5xxErrors\":" n \
	"}}}"
#define WRONG "{\"host\":\"web\",\"hots\":1}"

static char path[] = "/tmp/mrd-test-rules-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	const int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static struct mrd_rule_docs *new_docs(void)
{
	struct mrd_rule_docs *docs;

	write_file("");
	assert_int_equal(mrd_rule_docs_new("east", &docs), 0);
	return docs;
}

static void put(struct mrd_rule_docs *docs, const char *key, const char *json)
{
	assert_int_equal(mrd_rule_docs_put(docs, key, json, strlen(json)), 0);
}

/* Loads, with the findings as text. 0: the policy is this many errors until ejection for web, or 0
 * if no rule holds; otherwise the error. */
static int load(struct mrd_rule_docs *docs, uint32_t *ret_errors, struct mrd_strbuf *findings)
{
	static const struct mrd_policy_names names = {"cluster.local", "istio-system"};
	const char *const paths[] = {path};
	struct mrd_effective effective;
	struct mrd_policy *policy = NULL;
	struct mrd_diag diag = {0};
	const int r = mrd_rule_docs_load(docs, paths, 1, &names, &diag, &policy);

	mrd_strbuf_free(findings);
	mrd_strbuf_add(findings, "", 0);
	for (size_t i = 0; i < diag.count; i++) {
		char *text = mrd_finding_text(&diag.findings[i]);

		print_message("  %s\n", text);
		if (diag.findings[i].severity == MRD_ERROR)
			mrd_strbuf_addf(findings, "%s;", text);
		free(text);
	}
	mrd_diag_free(&diag);
	if (r)
		return r;
	mrd_policy_effective(policy, "shop", "web", 80, &effective);
	*ret_errors = effective.outlier ? effective.outlier->consecutive_5xx : 0;
	mrd_policy_free(policy);
	return 0;
}

static void note_rejected(void *self, const char *name, bool has_older,
			  const struct mrd_diag *errors)
{
	assert_true(errors->count > 0);
	mrd_strbuf_addf(self, "%s %s;", name, has_older ? "before" : "nothing");
}

#define FOUND "east/shop/a: error: spec.hots: "

struct step {
	const char *json; /* NULL: it is removed */
	uint32_t want;	  /* errors until ejection; 0: no rule */
	bool news;	  /* its errors are told */
	const char *rejected;
};

struct rule_case {
	const char *name;
	struct step steps[4];
	size_t count;
};

#define BEFORE	"east/shop/a before;"
#define NOTHING "east/shop/a nothing;"

static const struct rule_case rule_cases[] = {
	{"comes, changes, goes",
	 {{RULE("a", ERRORS("3")), 3, false, ""},
	  {RULE("a", ERRORS("4")), 4, false, ""},
	  {NULL, 0, false, ""}},
	 3},
	{"wrong from the start",
	 {{RULE("a", WRONG), 0, true, NOTHING}, {RULE("a", ERRORS("3")), 3, false, ""}},
	 2},
	{"wrong later",
	 {{RULE("a", ERRORS("3")), 3, false, ""},
	  {RULE("a", WRONG), 3, true, BEFORE},
	  {RULE("a", WRONG), 3, false, BEFORE},
	  {RULE("a", ERRORS("4")), 4, false, ""}},
	 4},
	{"wrong twice: what was good is still what holds",
	 {{RULE("a", ERRORS("3")), 3, false, ""},
	  {RULE("a", WRONG), 3, true, BEFORE},
	  {RULE("a", "{\"host\":\"web\",\"hots\":1,\"x\":1}"), 3, true, BEFORE}},
	 3},
	{"gone while it was wrong: nothing holds",
	 {{RULE("a", ERRORS("3")), 3, false, ""},
	  {RULE("a", WRONG), 3, true, BEFORE},
	  {NULL, 0, false, ""}},
	 3},
	{"no JSON", {{"{", 0, true, NOTHING}}, 1},
};

static void a_wrong_rule_stands_on_its_last_good_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rule_cases); i++) {
		const struct rule_case *test = &rule_cases[i];
		struct mrd_rule_docs *docs = new_docs();
		struct mrd_strbuf findings = {0};

		print_message("case: %s\n", test->name);
		put(docs, "shop/b", RULE("b", "{\"host\":\"other\"}"));
		for (size_t k = 0; k < test->count; k++) {
			const struct step *step = &test->steps[k];
			struct mrd_strbuf rejected = {0};
			uint32_t got = 0;

			if (step->json)
				put(docs, "shop/a", step->json);
			else
				mrd_rule_docs_remove(docs, "shop/a");
			assert_int_equal(load(docs, &got, &findings), 0);
			assert_false(mrd_rule_docs_is_due(docs));
			assert_int_equal(got, step->want);
			assert_int_equal(findings.len != 0, step->news);
			mrd_strbuf_add(&rejected, "", 0);
			mrd_rule_docs_rejected(docs, note_rejected, &rejected);
			assert_string_equal(rejected.text, step->rejected);
			mrd_strbuf_free(&rejected);
		}
		mrd_strbuf_free(&findings);
		mrd_rule_docs_free(docs);
	}
}

static void the_findings_name_cluster_and_rule(void **state)
{
	struct mrd_rule_docs *docs = new_docs();
	struct mrd_strbuf findings = {0};
	uint32_t got;

	(void)state;
	put(docs, "shop/a", RULE("a", WRONG));
	assert_int_equal(load(docs, &got, &findings), 0);
	assert_int_equal(strncmp(findings.text, FOUND, strlen(FOUND)), 0);
	mrd_strbuf_free(&findings);
	mrd_rule_docs_free(docs);
}

#define FILE_RULE(n)                                                  \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: f, namespace: shop}\n"                      \
	"spec: {host: web, trafficPolicy: {outlierDetection: {consecutive5xxErrors: " n "}}}\n"

static void files_come_first_and_refuse_the_whole(void **state)
{
	struct mrd_rule_docs *docs = new_docs();
	struct mrd_strbuf findings = {0};
	uint32_t got = 0;

	(void)state;
	put(docs, "shop/a", RULE("a", ERRORS("3")));
	write_file(FILE_RULE("7"));
	assert_int_equal(load(docs, &got, &findings), 0);
	assert_int_equal(got, 7);
	write_file(FILE_RULE("x"));
	put(docs, "shop/a", RULE("a", WRONG));
	assert_int_equal(load(docs, &got, &findings), -EBADMSG);
	assert_non_null(strstr(findings.text, path));
	write_file("");
	assert_int_equal(load(docs, &got, &findings), 0);
	assert_int_equal(got, 3);
	assert_int_equal(strncmp(findings.text, FOUND, strlen(FOUND)), 0);
	mrd_strbuf_free(&findings);
	mrd_rule_docs_free(docs);
	docs = NULL;
	write_file(FILE_RULE("7"));
	assert_int_equal(load(docs, &got, &findings), 0);
	assert_int_equal(got, 7);
	mrd_strbuf_free(&findings);
}

/* As in Istio: the older rule of one host is the first. */
static void the_older_rule_holds(void **state)
{
	struct mrd_rule_docs *docs = new_docs();
	struct mrd_strbuf findings = {0};
	uint32_t got = 0;

	(void)state;
	put(docs, "shop/a", RULE_OF("a", "2026-02-01", ERRORS("3")));
	put(docs, "shop/z", RULE_OF("z", "2026-01-31", ERRORS("9")));
	assert_int_equal(load(docs, &got, &findings), 0);
	assert_int_equal(got, 9);
	mrd_strbuf_free(&findings);
	mrd_rule_docs_free(docs);
}

static void lists_are_gathered(void **state)
{
	struct mrd_rule_docs *docs = new_docs();
	struct mrd_strbuf findings = {0};
	uint32_t got = 0;

	(void)state;
	mrd_rule_docs_mark(docs);
	put(docs, "shop/a", RULE("a", ERRORS("3")));
	put(docs, "shop/b", RULE("b", "{\"host\":\"other\"}"));
	assert_false(mrd_rule_docs_is_due(docs));
	mrd_rule_docs_sweep(docs);
	assert_true(mrd_rule_docs_is_due(docs));
	assert_int_equal(load(docs, &got, &findings), 0);
	assert_int_equal(got, 3);

	/* A list that says the same is no change; one that is cut takes nothing away. */
	mrd_rule_docs_mark(docs);
	put(docs, "shop/b", RULE("b", "{\"host\":\"other\"}"));
	mrd_rule_docs_mark(docs);
	put(docs, "shop/b", RULE("b", "{\"host\":\"other\"}"));
	put(docs, "shop/a", RULE("a", ERRORS("3")));
	mrd_rule_docs_sweep(docs);
	assert_false(mrd_rule_docs_is_due(docs));

	mrd_rule_docs_mark(docs);
	put(docs, "shop/b", RULE("b", "{\"host\":\"other\"}"));
	mrd_rule_docs_sweep(docs);
	assert_true(mrd_rule_docs_is_due(docs));
	assert_int_equal(mrd_rule_docs_count(docs), 1);
	assert_int_equal(load(docs, &got, &findings), 0);
	assert_int_equal(got, 0);
	mrd_rule_docs_remove(docs, "shop/nobody");
	assert_false(mrd_rule_docs_is_due(docs));

	/* Of a list that is not to be believed nothing stays that was not known. */
	put(docs, "shop/c", RULE("c", "{\"host\":\"another\"}"));
	mrd_rule_docs_mark(docs);
	put(docs, "shop/b", RULE("b", "{\"host\":\"other\"}"));
	put(docs, "shop/d", RULE("d", "{\"host\":\"more\"}"));
	assert_int_equal(mrd_rule_docs_count(docs), 3);
	mrd_rule_docs_forget(docs);
	assert_int_equal(mrd_rule_docs_count(docs), 2);
	mrd_strbuf_free(&findings);
	mrd_rule_docs_free(docs);
}

/* Of a file, whose errors refuse the whole. */
static void of_very_many_errors_the_rest_is_counted(void **state)
{
	enum { ERRORS = MRD_FINDINGS_MAX + 100 };
	MRD_AUTO_STRBUF struct mrd_strbuf findings = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	struct mrd_rule_docs *docs = new_docs();
	uint32_t errors;

	(void)state;
	for (size_t i = 0; i < ERRORS; i++)
		mrd_strbuf_addf(&text, "nonsense%zu: 1\n", i);
	write_file(text.text);
	assert_int_equal(load(docs, &errors, &findings), -EBADMSG);
	assert_non_null(strstr(findings.text, ": error: 100 more errors, not shown;"));
	mrd_rule_docs_free(docs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_rule_stands_on_its_last_good_version),
		cmocka_unit_test(the_findings_name_cluster_and_rule),
		cmocka_unit_test(files_come_first_and_refuse_the_whole),
		cmocka_unit_test(of_very_many_errors_the_rest_is_counted),
		cmocka_unit_test(the_older_rule_holds),
		cmocka_unit_test(lists_are_gathered),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
