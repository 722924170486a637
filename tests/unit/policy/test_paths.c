/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which files of the paths that a configuration names are policy. */
#include "policy/policy_yaml.h"

#include <errno.h>

#include "tests/unit/policy/load_text.h"

static void test_paths(void **state)
{
	const char *const paths[] = {"/nonexistent/policy", "/dev/null"};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_policy *policy = NULL;

	(void)state;
	assert_int_equal(mrd_policy_load(paths, 2, &test_names, &diag, &policy), -EBADMSG);
	assert_null(policy);
	assert_int_equal(diag.errors, 1);
	assert_string_equal(diag.findings[0].file, "/nonexistent/policy");
	assert_int_equal(diag.findings[0].line, 0);
	assert_int_equal(mrd_policy_load(paths + 1, 1, &test_names, &diag, &policy), 0);
	mrd_policy_free(policy);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	free(path);
}

static void remove_file(const char *folder, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	assert_int_equal(remove(path), 0);
	free(path);
}

/* Other files, hidden ones and folders are passed over; .yaml, .yml and .json are taken. */
static void test_folder(void **state)
{
	static const char *const names[] = {"a.yaml",  "b.yml",	       "c.json",   "d.txt",
					    "e.yaml~", ".hidden.yaml", "README.md"};
	char folder[] = "/tmp/mrd-policy-XXXXXX";
	const char *const paths[] = {folder};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_policy *policy = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		write_file(folder, names[i], RULE "    {outlierDetection: {}}\n");
	assert_int_equal(mrd_policy_load(paths, 1, &test_names, &diag, &policy), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove_file(folder, names[i]);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mrd_policy_rule_count(policy), 3);
	/* The second and the third say what the first said. */
	assert_int_equal(diag.count, 2);
	mrd_policy_free(policy);
}

/* A file that said something is not taken for one that says nothing; what never did may be empty.
 */
static void test_emptied(void **state)
{
	char folder[] = "/tmp/mrd-policy-XXXXXX";
	const char *const paths[] = {folder};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_policy *policy = NULL;
	char *want = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file(folder, "a.yaml", RULE "    {outlierDetection: {}}\n");
	write_file(folder, "b.yaml", "localityLbSetting: {enabled: false}\n");
	write_file(folder, "c.yaml", "");
	assert_int_equal(mrd_policy_load(paths, 1, &test_names, &diag, &policy), 0);
	write_file(folder, "a.yaml", "");
	write_file(folder, "b.yaml", "# not any more\n");
	mrd_policy_check_emptied(policy, &diag);
	assert_int_equal(diag.errors, 1);
	assert_true(asprintf(&want, "%s/a.yaml", folder) > 0);
	assert_string_equal(diag.findings[0].file, want);
	assert_int_equal(diag.findings[0].line, 1);
	assert_string_equal(diag.findings[0].reason,
			    "is empty; delete the file to take its rules away");
	remove_file(folder, "a.yaml");
	mrd_diag_free(&diag);
	diag = (struct mrd_diag){0};
	mrd_policy_check_emptied(policy, &diag);
	assert_int_equal(diag.count, 0);
	remove_file(folder, "b.yaml");
	remove_file(folder, "c.yaml");
	assert_int_equal(rmdir(folder), 0);
	free(want);
	mrd_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
