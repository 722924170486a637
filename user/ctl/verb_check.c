/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Files are told apart by what they say (mrd_agent_config_is). All policy files of the command line
 * are one set, as the agent reads them together; the policy that a configuration names is another,
 * with that configuration's names. A file of the command line that a configuration names too
 * belongs to the configuration's set alone: in both it would be told twice.
 */
#include "ctl/verb_check.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/doc.h"
#include "base/strbuf.h"
#include "base/table.h"
#include "config/config.h"
#include "config/config_model.h"
#include "ctl/idle_rules.h"
#include "ctl/offline.h"
#include "ctl/options.h"
#include "plan/plan.h"
#include "policy/policy_yaml.h"

static const char usage[] =
	"usage: meridianctl check [-o text|json] FILE...\n"
	"\n"
	"Validates policy and configuration files, and folders of them, without agent, kernel or\n"
	"root. What is wrong is printed as file:line:column: error: field: reason, all of it.\n"
	"A configuration is checked together with the policy that it names.\n"
	"\n"
	"Exit status: 0 good, warnings or not; 1 there is an error; 2 wrong usage.\n";

/* Files once each, whatever they are called; owns the names. */
struct file_set {
	struct named_file {
		char *path;
		dev_t device;
		ino_t inode;
	} * files;
	size_t count;
};

struct check {
	struct mrd_diag diag;	/* of the set that is read */
	struct mrd_diag told;	/* of all sets, each finding once */
	struct mrd_table *seen; /* texts of what is told */
	size_t errors;
	struct file_set policies;
	struct file_set configs;
	struct file_set covered; /* policy that a configuration names: files and folders' files */
	struct mrd_agent_config *names; /* whose names hold for the policies */
};

static void set_free(struct file_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->files[i].path);
	free(set->files);
}

static void check_cleanup(struct check *check)
{
	mrd_diag_free(&check->diag);
	mrd_diag_free(&check->told);
	mrd_table_free(check->seen);
	set_free(&check->policies);
	set_free(&check->configs);
	set_free(&check->covered);
	mrd_agent_config_free(check->names);
}

/* --------------------------------------------------------------------------------------- files */

static bool set_has(const struct file_set *set, dev_t device, ino_t inode)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->files[i].device == device && set->files[i].inode == inode)
			return true;
	return false;
}

static int set_add(struct file_set *set, const char *path, const struct stat *info)
{
	struct named_file *files;
	char *copy;

	if (set_has(set, info->st_dev, info->st_ino))
		return 0;
	files = reallocarray(set->files, set->count + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	set->files = files;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	files[set->count++] = (struct named_file){copy, info->st_dev, info->st_ino};
	return 0;
}

static void unreadable(struct check *check, const char *path, const char *reason)
{
	const struct mrd_place place = {.file = path};

	mrd_diag_add(&check->diag, MRD_ERROR, &place, "", "cannot be read: %s", reason);
}

static void doc_cleanup(struct mrd_doc_file **file)
{
	mrd_doc_free(*file);
}

/* By its first document that says anything. One that cannot be parsed that far is called a policy;
 * its reader will say why. */
static bool is_config(const char *path)
{
	MRD_CLEANUP(doc_cleanup) struct mrd_doc_file *file = NULL;
	MRD_AUTO_DIAG struct mrd_diag unused = {0};

	mrd_doc_read(path, &unused, &file);
	for (size_t i = 0; file && i < mrd_doc_count(file); i++)
		if (mrd_doc_root(file, i))
			return mrd_agent_config_is(mrd_doc_root(file, i));
	return false;
}

static int add_named(void *self, const char *path, const struct stat *info)
{
	struct check *check = self;

	return set_add(is_config(path) ? &check->configs : &check->policies, path, info);
}

static int add_covered(void *self, const char *path, const struct stat *info)
{
	struct check *check = self;

	return set_add(&check->covered, path, info);
}

static int is_wanted(const struct dirent *entry)
{
	return mrd_doc_is_file_name(entry->d_name);
}

typedef int (*file_fn)(void *self, const char *path, const struct stat *info);

static int each_of_folder(struct check *check, const char *folder, file_fn fn)
{
	const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
	struct dirent **entries = NULL;
	const int count = scandir(folder, &entries, is_wanted, alphasort);
	int r = 0;

	if (count < 0)
		unreadable(check, folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		MRD_AUTO_FREE char *path = NULL;
		struct stat info;

		if (asprintf(&path, "%s%s%s", folder, slash, entries[i]->d_name) < 0) {
			path = NULL;
			r = -ENOMEM;
		}
		free(entries[i]);
		if (r)
			continue;
		if (stat(path, &info) < 0)
			unreadable(check, path, strerror(errno));
		else if (S_ISREG(info.st_mode))
			r = fn(check, path, &info);
	}
	free(entries);
	return r;
}

/* The file, or those of the folder, not deeper. A pipe could be read but once. */
static int each_file(struct check *check, const char *path, file_fn fn)
{
	struct stat info;

	if (stat(path, &info) < 0) {
		unreadable(check, path, strerror(errno));
		return 0;
	}
	if (S_ISDIR(info.st_mode))
		return each_of_folder(check, path, fn);
	if (S_ISREG(info.st_mode))
		return fn(check, path, &info);
	unreadable(check, path, "neither a folder nor a plain file");
	return 0;
}

/* ------------------------------------------------------------------------------------ checking */

struct answers {
	struct check *check;
	const struct mrd_policy *policy;
	const struct mrd_model *model;
	struct mrd_table *told; /* places: a rule for many services is told by one of them */
};

/* Detection that waits for answers of a service that nobody reads. */
static int check_answers(void *self, const char *namespace_, const char *name)
{
	const struct answers *answers = self;
	struct mrd_view *view = NULL;
	int r = mrd_model_view(answers->model, namespace_, name, &view);

	for (size_t i = 0; !r && i < view->port_count; i++) {
		const struct mrd_view_port *port = &view->ports[i];
		struct mrd_effective effective;
		const char *words;

		mrd_policy_effective(answers->policy, namespace_, name, port->number, &effective);
		words = mrd_plan_unread_answers(port, &effective);
		if (!words || mrd_table_get_str(answers->told, effective.outlier_place))
			continue;
		mrd_idle_warn(&answers->check->diag, effective.outlier_place,
			      effective.outlier_path, "port %u of %s/%s is %s", port->number,
			      namespace_, name, words);
		r = mrd_table_put_str(answers->told, effective.outlier_place, answers->check);
	}
	mrd_view_free(view);
	return r == -ENOMEM ? r : 0;
}

/* Where the configuration's home cluster can be looked at: what the rules would do to its Services.
 * What is wrong with its objects is not asked here; but then there may be a Service that was not
 * read. */
static int check_services(struct check *check, const struct mrd_agent_config *config,
			  const struct mrd_policy *policy)
{
	MRD_AUTO_DIAG struct mrd_diag unread = {0};
	struct answers answers = {.check = check, .policy = policy};
	struct mrd_model *model;
	int r;

	if (config->home >= config->cluster_count)
		return 0;
	r = mrd_config_model_new(config, &model);
	if (r)
		return r;
	r = mrd_offline_read_home(config, model, &unread);
	if (!r && !unread.errors) {
		mrd_idle_rules(config, policy, model, &check->diag);
		answers.model = model;
		answers.told = mrd_table_new(NULL);
		r = answers.told ? mrd_model_walk_services(model, check_answers, &answers)
				 : -ENOMEM;
		mrd_table_free(answers.told);
	}
	mrd_model_free(model);
	return r == -ENOMEM ? r : 0;
}

/* sound: the configuration's own; its home cluster is asked for its Services. */
static int check_policy(struct check *check, const char *const *paths, size_t count,
			const struct mrd_agent_config *config, bool sound)
{
	const struct mrd_policy_names names = {
		.cluster_domain = config->cluster_domain,
		.root_namespace = config->root_namespace,
	};
	struct mrd_policy *policy = NULL;
	int r = mrd_policy_load(paths, count, &names, &check->diag, &policy);

	if (!r && sound)
		r = check_services(check, config, policy);
	mrd_policy_free(policy);
	return r == -ENOMEM ? r : 0; /* anything else is a finding */
}

static int check_config(struct check *check, const char *path)
{
	struct mrd_agent_config *config;
	int r = mrd_agent_config_survey(path, &check->diag, &config);

	if (r == -ENOMEM || !config)
		return r == -ENOMEM ? r : 0;
	r = check_policy(check, (const char *const *)config->policy, config->policy_count, config,
			 !r);
	for (size_t i = 0; !r && i < config->policy_count; i++) {
		struct stat info;

		/* One that is not there was told by the policy's reader. */
		if (!stat(config->policy[i], &info))
			r = each_file(check, config->policy[i], add_covered);
	}
	if (check->names)
		mrd_agent_config_free(config);
	else
		check->names = config;
	return r;
}

/* Those of the command line that no configuration names. */
static int check_rest(struct check *check)
{
	MRD_AUTO_FREE const char **paths = calloc(check->policies.count + 1, sizeof(*paths));
	size_t count = 0;
	int r = paths ? 0 : -ENOMEM;

	if (!r && !check->names) {
		check->names = calloc(1, sizeof(*check->names));
		r = check->names ? mrd_config_set_defaults(check->names) : -ENOMEM;
	}
	for (size_t i = 0; !r && i < check->policies.count; i++) {
		const struct named_file *file = &check->policies.files[i];

		if (!set_has(&check->covered, file->device, file->inode))
			paths[count++] = file->path;
	}
	return r ? r : check_policy(check, paths, count, check->names, false);
}

/* A set is read. Two configurations may name one policy, which is then read twice. */
static int tell(struct check *check)
{
	for (size_t i = 0; i < check->diag.count; i++) {
		MRD_AUTO_FREE char *text = mrd_finding_text(&check->diag.findings[i]);

		if (!text)
			return -ENOMEM;
		if (mrd_table_get_str(check->seen, text))
			continue;
		if (mrd_table_put_str(check->seen, text, check))
			return -ENOMEM;
		mrd_diag_copy(&check->told, &check->diag.findings[i]);
	}
	check->errors += check->diag.errors;
	mrd_diag_free(&check->diag);
	return 0;
}

static int check_all(struct check *check, char **paths, int count)
{
	int r;

	check->seen = mrd_table_new(NULL);
	r = check->seen ? 0 : -ENOMEM;
	for (int i = 0; !r && i < count; i++)
		r = each_file(check, paths[i], add_named);
	for (size_t i = 0; !r && i < check->configs.count; i++)
		r = check_config(check, check->configs.files[i].path) ?: tell(check);
	r = r ?: check_rest(check) ?: tell(check);
	mrd_diag_sort(&check->told);
	return r;
}

/* ------------------------------------------------------------------------------------ printing */

/* Not by jansson, which refuses what is no UTF-8, as a file's name may be. */
static void add_finding(struct mrd_strbuf *json, const struct mrd_finding *finding)
{
	mrd_strbuf_addf(json, "{\"file\": ");
	mrd_strbuf_add_json(json, finding->file);
	mrd_strbuf_addf(json, ", \"line\": %u, \"column\": %u, \"severity\": \"%s\", \"field\": ",
			finding->line, finding->column,
			finding->severity == MRD_ERROR ? "error" : "warning");
	mrd_strbuf_add_json(json, finding->field);
	mrd_strbuf_addf(json, ", \"reason\": ");
	mrd_strbuf_add_json(json, finding->reason);
	mrd_strbuf_addf(json, "}");
}

static int print_json(const struct mrd_diag *diag, FILE *out, FILE *err)
{
	MRD_AUTO_STRBUF struct mrd_strbuf json = {0};
	const char *before = "\n  ";

	mrd_strbuf_addf(&json, "[");
	for (size_t i = 0; i < diag->count; i++) {
		mrd_strbuf_addf(&json, "%s", before);
		add_finding(&json, &diag->findings[i]);
		before = ",\n  ";
	}
	mrd_strbuf_addf(&json, "%s]\n", diag->count ? "\n" : "");
	if (json.failed)
		return mrd_ctl_no_memory(err);
	fputs(json.text, out);
	return MRD_EXIT_GOOD;
}

/* -------------------------------------------------------------------------------- command line */

struct check_options {
	bool json;
	bool help;
};

static int read_options(int argc, char **argv, FILE *err, struct check_options *options)
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int status = MRD_EXIT_GOOD;
	int option;

	optind = 0; /* GNU: starts anew */
	opterr = 0;
	while (status == MRD_EXIT_GOOD &&
	       (option = getopt_long(argc, argv, ":o:h", longs, NULL)) >= 0) {
		if (option == 'o')
			status = mrd_ctl_read_output(optarg, err, &options->json);
		else if (option == 'h')
			options->help = true;
		else
			status = mrd_ctl_usage(
				err, option == ':' ? "a value is missing after" : "unknown option",
				argv[optind - 1]);
	}
	if (status == MRD_EXIT_GOOD && !options->help && optind >= argc)
		status = mrd_ctl_usage(err, "a file is missing: check FILE...", NULL);
	return status;
}

int mrd_ctl_check(int argc, char **argv, FILE *out, FILE *err)
{
	MRD_CLEANUP(check_cleanup) struct check check = {0};
	struct check_options options = {0};
	int status = read_options(argc, argv, err, &options);

	if (status != MRD_EXIT_GOOD)
		return status;
	if (options.help) {
		fputs(usage, out);
		return MRD_EXIT_GOOD;
	}
	if (check_all(&check, argv + optind, argc - optind))
		return mrd_ctl_no_memory(err);
	if (!options.json)
		mrd_diag_print(&check.told, out);
	else if (print_json(&check.told, out, err))
		return MRD_EXIT_BAD_NEWS;
	status = mrd_ctl_flush(out, err);
	return check.errors ? MRD_EXIT_BAD_NEWS : status;
}
