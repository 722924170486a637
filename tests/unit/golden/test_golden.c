/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * tests/golden/<case>/: manifests and policy in, plan.txt and explain.txt out, byte by byte, by way
 * of the real readers. `make golden` (MRD_GOLDEN=write) rewrites them; the git diff is the review.
 *
 * A case is described by its case.yaml:
 *
 *   from: cn-hangzhou/h          # the node's region/zone/subzone
 *   node: node-a                 # its name; optional
 *   policy: [policy.yaml]        # optional; paths are relative to the case
 *   clusters:                    # the first is home
 *   - { name: ack-hangzhou, region: cn-hangzhou, state: state/ack-hangzhou.yaml }
 *   ejected: ["10.0.0.6:9080"]   # optional
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/doc.h"
#include "base/strbuf.h"
#include "plan/explain.h"
#include "plan/plan_text.h"
#include "policy/policy_yaml.h"
#include "source/object_doc.h"
#include "view/view_explain.h"

enum { PATH_ROOM = 512, LIST_MAX = 16, SERVICES_MAX = 64, CASES_MAX = 64 };

static const char golden[] = "tests/golden";
static const char licence[] = "# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)";

struct golden_case {
	const char *name;
	struct mrd_doc_file *file;
	const struct mrd_doc_node *root;
	struct mrd_model *model;
	struct mrd_policy *policy;
	struct mrd_plan_node node;
	char locality[3][MRD_NAME_LEN];
	size_t cluster; /* whose objects are being read */
};

/* "" if it is not there. */
static const char *text_of(const struct mrd_doc_node *map, const char *key)
{
	const char *text = "";

	mrd_doc_string(mrd_doc_get(map, key), &text);
	return text;
}

static const struct mrd_doc_node *list_of(const struct golden_case *c, const char *key)
{
	static const struct mrd_doc_node none = {.kind = MRD_DOC_LIST};
	const struct mrd_doc_node *list = mrd_doc_get(c->root, key);

	assert_true(!list || (list->kind == MRD_DOC_LIST && list->count <= LIST_MAX));
	return list ? list : &none;
}

static void path_of(const struct golden_case *c, const char *file, char path[PATH_ROOM])
{
	assert_true(snprintf(path, PATH_ROOM, "%s/%s/%s", golden, c->name, file) < PATH_ROOM);
}

static void must_read(const char *path, int result, const struct mrd_diag *diag)
{
	if (!result)
		return;
	mrd_diag_print(diag, stderr);
	print_error("%s: %s\n", path, strerror(-result));
	fail();
}

/* --------------------------------------------------------------------------------------- input */

static void read_case(struct golden_case *c, const char *name)
{
	struct mrd_diag diag MRD_AUTO_DIAG = {0};
	char path[PATH_ROOM];

	*c = (struct golden_case){.name = name};
	path_of(c, "case.yaml", path);
	must_read(path, mrd_doc_read(path, &diag, &c->file), &diag);
	c->root = mrd_doc_root(c->file, 0);
	sscanf(text_of(c->root, "from"), "%63[^/]/%63[^/]/%63s", c->locality[0], c->locality[1],
	       c->locality[2]);
	c->node = (struct mrd_plan_node){
		.name = text_of(c->root, "node"),
		.region = c->locality[0],
		.zone = c->locality[1],
		.subzone = c->locality[2],
	};
}

static int put_object(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	struct golden_case *c = self;

	(void)at;
	return mrd_model_put(c->model, c->cluster, object);
}

static void read_state(struct golden_case *c, const char *file)
{
	struct mrd_diag diag MRD_AUTO_DIAG = {0};
	struct mrd_doc_file *state;
	char path[PATH_ROOM];

	path_of(c, file, path);
	must_read(path, mrd_doc_read(path, &diag, &state), &diag);
	for (size_t i = 0; i < mrd_doc_count(state); i++)
		must_read(path, mrd_object_read(mrd_doc_root(state, i), path, &diag, put_object, c),
			  &diag);
	mrd_doc_free(state);
}

static void read_clusters(struct golden_case *c)
{
	const struct mrd_doc_node *list = list_of(c, "clusters");
	struct mrd_model_cluster clusters[LIST_MAX];

	for (size_t i = 0; i < list->count; i++)
		clusters[i] = (struct mrd_model_cluster){
			.name = text_of(list->items[i], "name"),
			.region = text_of(list->items[i], "region"),
			.network = "",
		};
	assert_int_equal(mrd_model_new(clusters, list->count, 0, "", &c->model), 0);
	for (c->cluster = 0; c->cluster < list->count; c->cluster++)
		read_state(c, text_of(list->items[c->cluster], "state"));
}

static void read_policy(struct golden_case *c)
{
	static const struct mrd_policy_names names = {"cluster.local", "istio-system"};
	const struct mrd_doc_node *list = list_of(c, "policy");
	struct mrd_diag diag MRD_AUTO_DIAG = {0};
	char paths[LIST_MAX][PATH_ROOM];
	const char *starts[LIST_MAX];

	for (size_t i = 0; i < list->count; i++) {
		path_of(c, list->items[i]->text, paths[i]);
		starts[i] = paths[i];
	}
	must_read("policy", mrd_policy_load(starts, list->count, &names, &diag, &c->policy), &diag);
}

static bool is_ejected(void *self, const struct mrd_view *view, const struct mrd_view_port *port,
		       const struct mrd_view_endpoint *endpoint)
{
	const struct mrd_doc_node *list = list_of(self, "ejected");
	char text[MRD_IP_TEXT_MAX];

	(void)view, (void)port;
	mrd_ip_port_format(&endpoint->ip, endpoint->port, text);
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i]->text, text))
			return true;
	return false;
}

/* -------------------------------------------------------------------------------------- output */

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void add_rows(const struct mrd_plan *plan, struct mrd_ids *ids, struct mrd_strbuf *out)
{
	for (size_t i = 0; i < plan->port_count; i++) {
		struct mrd_rows *rows;

		assert_int_equal(mrd_rows_make(plan, &plan->ports[i], ids, NULL, NULL, &rows), 0);
		mrd_rows_text(rows, out);
		mrd_rows_free(rows);
	}
}

static void add_service(struct golden_case *c, const char *key, struct mrd_ids *ids,
			struct mrd_strbuf *out)
{
	const struct mrd_plan_ejections ejections = {.is_ejected = is_ejected, .self = c};
	char namespace_[PATH_ROOM];
	struct mrd_view *view;
	struct mrd_plan *plan;
	const char *slash = strchr(key, '/');
	int r;

	snprintf(namespace_, sizeof(namespace_), "%.*s", (int)(slash - key), key);
	r = mrd_model_view(c->model, namespace_, slash + 1, &view);
	if (r == -ENOENT)
		return; /* none of ours */
	assert_int_equal(r, 0);
	assert_int_equal(mrd_plan_make(view, c->model, c->policy, &c->node, &ejections, &plan), 0);
	mrd_view_free(view);
	mrd_plan_text(plan, out);
	add_rows(plan, ids, out);
	mrd_strbuf_addf(out, "\n");
	mrd_plan_free(plan);
}

static void explain_service(struct golden_case *c, const char *key, FILE *out)
{
	struct mrd_explain_target target;
	const struct mrd_explain_input input = {
		.target = &target,
		.model = c->model,
		.policy = c->policy,
		.node = &c->node,
		.ejections = {.is_ejected = is_ejected, .self = c},
	};
	struct mrd_explanation *explanation;
	json_t *doc;
	int r;

	assert_int_equal(mrd_explain_target_parse(key, &target), 0);
	r = mrd_explain_make(&input, &explanation);
	if (r == -ENOENT || r == -ENXIO)
		return; /* none of ours */
	assert_int_equal(r, 0);
	doc = mrd_view_explain(explanation);
	assert_non_null(doc);
	mrd_view_print_explain(doc, out);
	fputc('\n', out);
	json_decref(doc);
	mrd_explanation_free(explanation);
}

/* Services by name, so that nothing depends on the order of the files. */
static void write_texts(struct golden_case *c, struct mrd_strbuf *plan, FILE *explain)
{
	char *keys[SERVICES_MAX];
	struct mrd_ids *ids;
	size_t count = 0;
	const char *key;

	assert_int_equal(mrd_ids_new(&ids), 0);
	mrd_strbuf_addf(plan, "%s\n\n", licence);
	fprintf(explain, "%s\n\n", licence);
	while ((key = mrd_model_next_dirty(c->model))) {
		assert_true(count < SERVICES_MAX);
		keys[count++] = strdup(key);
	}
	qsort(keys, count, sizeof(keys[0]), compare_texts);
	for (size_t i = 0; i < count; i++) {
		add_service(c, keys[i], ids, plan);
		explain_service(c, keys[i], explain);
		free(keys[i]);
	}
	mrd_ids_free(ids);
}

/* ------------------------------------------------------------------------------------ the cases */

static char *read_golden(const char *path)
{
	MRD_AUTO_FILE FILE *file = fopen(path, "re");
	struct mrd_strbuf text MRD_AUTO_STRBUF = {0};
	char chunk[4096];
	size_t len;

	mrd_strbuf_add(&text, "", 0);
	while (file && (len = fread(chunk, 1, sizeof(chunk), file)))
		mrd_strbuf_add(&text, chunk, len);
	return mrd_strbuf_steal(&text);
}

static void write_golden(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The first line that differs says more than two whole texts. */
static bool is_golden(const char *path, const char *text)
{
	char *want = read_golden(path);
	size_t at = 0;
	size_t line = 1;
	bool same;

	assert_non_null(want);
	for (; text[at] && text[at] == want[at]; at++)
		line += text[at] == '\n';
	same = text[at] == want[at];
	while (at && text[at - 1] != '\n')
		at--;
	if (!same)
		print_error("%s:%zu: is      %.*s\n%s:%zu: must be %.*s\n", path, line,
			    (int)strcspn(text + at, "\n"), text + at, path, line,
			    (int)strcspn(want + at, "\n"), want + at);
	free(want);
	return same;
}

static bool compare_golden(const struct golden_case *c, const char *file, const char *text)
{
	const char *mode = getenv("MRD_GOLDEN");
	char path[PATH_ROOM];

	assert_non_null(text);
	path_of(c, file, path);
	if (!mode || strcmp(mode, "write") != 0)
		return is_golden(path, text);
	write_golden(path, text);
	return true;
}

static bool run_case(const char *name)
{
	MRD_AUTO_STRBUF struct mrd_strbuf plan = {0};
	MRD_AUTO_FREE char *explained = NULL;
	size_t explained_size = 0;
	FILE *explain = open_memstream(&explained, &explained_size);
	struct golden_case c;
	bool good;

	print_message("%s\n", name);
	read_case(&c, name);
	read_clusters(&c);
	read_policy(&c);
	assert_non_null(explain);
	write_texts(&c, &plan, explain);
	assert_int_equal(fclose(explain), 0);
	good = compare_golden(&c, "plan.txt", plan.text);
	good = compare_golden(&c, "explain.txt", explained) && good;
	mrd_policy_free(c.policy);
	mrd_model_free(c.model);
	mrd_doc_free(c.file);
	return good;
}

static void plans_are_as_written_down(void **state)
{
	MRD_AUTO_DIR DIR *folder = opendir(golden);
	char *names[CASES_MAX];
	const struct dirent *entry;
	size_t count = 0;
	size_t bad = 0;

	(void)state;
	assert_non_null(folder); /* to be run from the top of the tree */
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(count < CASES_MAX);
		names[count++] = strdup(entry->d_name);
	}
	assert_true(count > 0);
	qsort(names, count, sizeof(names[0]), compare_texts);
	for (size_t i = 0; i < count; i++) {
		bad += !run_case(names[i]);
		free(names[i]);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_as_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
