/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/doc.h"

static const char default_control[] = "/run/meridian/control.sock";
static const char default_bpffs[] = "/sys/fs/bpf/meridian";

/* Those with a command line of their own (dispatch.c). */
static const struct {
	const char *name;
	const char *help;
} own_verbs[] = {
	{"check", "FILE...: validates policy and configuration, offline"},
	{"plan", "what the agent would write, from files, offline"},
	{"explain", "NS/NAME[:PORT]: why traffic goes where it goes; offline with --state"},
	{"replay", "EVENTS.jsonl: whom the outlier detector would eject, offline"},
};

static const struct {
	const char *name;
	const char *help; /* NULL: not among the verbs of help */
} verbs[] = {
	[MRD_VERB_STATUS] = {"status", "agent, kernel features, clusters, maps' fill, counters"},
	[MRD_VERB_SERVICES] = {"services",
			       "[NS/NAME]: VIPs and where connections go; -o yaml: its policy"},
	[MRD_VERB_ENDPOINTS] = {"endpoints", "[NS/NAME]: health, connections, responses, times"},
	[MRD_VERB_REGIONS] = {"regions", "the same, added up by region"},
	[MRD_VERB_DETACH] = {"detach", "removes links and maps from the kernel; the agent ends"},
	[MRD_VERB_HELP] = {"help", NULL},
	[MRD_VERB_VERSION] = {"version", NULL},
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

const char *mrd_verb_name(enum mrd_verb verb)
{
	return verbs[verb].name;
}

void mrd_ctl_print_help(FILE *out)
{
	fprintf(out, "usage: meridianctl [OPTION]... VERB [ARGUMENT]\n\nverbs\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (verbs[i].help)
			fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
	for (size_t i = 0; i < sizeof(own_verbs) / sizeof(own_verbs[0]); i++)
		fprintf(out, "  %-10s %s\n", own_verbs[i].name, own_verbs[i].help);
	fprintf(out,
		"\nmeridianctl VERB --help says more of check, plan, explain and replay.\n"
		"\noptions\n"
		"  -o, --output text|json  how to print the answer (text)\n"
		"      --control PATH      the agent's control socket (%s)\n"
		"      --bpffs PATH        the agent's pinned maps (%s)\n"
		"      --config FILE       takes both from the agent's configuration\n"
		"      --stay              detach: once it is done, waits for SIGTERM\n"
		"  -h, --help              this text\n"
		"      --version\n"
		"\nExit status: 0 good, 1 the answer is bad news, 2 wrong usage.\n",
		default_control, default_bpffs);
}

void mrd_ctl_options_free(struct mrd_ctl_options *options)
{
	free(options->control);
	free(options->bpffs);
	free(options->argument);
	*options = (struct mrd_ctl_options){0};
}

/* ---------------------------------------------------------------------------- configuration */

/* Fills a path that no option has set. A key that is missing leaves it. */
static int take_path(const struct mrd_doc_node *node, char **path)
{
	const char *text;

	if (*path || !node || mrd_doc_string(node, &text) < 0)
		return 0;
	*path = strdup(text);
	return *path ? 0 : -ENOMEM;
}

static void doc_cleanup(struct mrd_doc_file **file)
{
	mrd_doc_free(*file);
}

static int read_config(const char *path, FILE *err, struct mrd_ctl_options *options)
{
	MRD_CLEANUP(doc_cleanup) struct mrd_doc_file *file = NULL;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	const struct mrd_doc_node *root;
	int r = mrd_doc_read(path, &diag, &file);

	if (r < 0) {
		if (diag.count)
			mrd_diag_print(&diag, err);
		else
			fprintf(err, "meridianctl: %s: %s\n", path, strerror(-r));
		return MRD_EXIT_BAD_NEWS;
	}
	root = mrd_doc_count(file) ? mrd_doc_root(file, 0) : NULL;
	r = take_path(mrd_doc_get(root, "control"), &options->control);
	if (r == 0)
		r = take_path(mrd_doc_get(mrd_doc_get(root, "kernel"), "bpffs"), &options->bpffs);
	if (r < 0)
		fprintf(err, "meridianctl: no memory\n");
	return r < 0 ? MRD_EXIT_BAD_NEWS : MRD_EXIT_GOOD;
}

/* ------------------------------------------------------------------------------ command line */

int mrd_ctl_usage(FILE *err, const char *what, const char *subject)
{
	fprintf(err, "meridianctl: %s%s%s\nTry: meridianctl help\n", what, subject ? " " : "",
		subject ? subject : "");
	return MRD_EXIT_USAGE;
}

int mrd_ctl_no_memory(FILE *err)
{
	fprintf(err, "meridianctl: no memory\n");
	return MRD_EXIT_BAD_NEWS;
}

int mrd_ctl_flush(FILE *out, FILE *err)
{
	if (fflush(out) != EOF)
		return MRD_EXIT_GOOD;
	fprintf(err, "meridianctl: the answer cannot be written: %s\n", strerror(errno));
	return MRD_EXIT_BAD_NEWS;
}

static int replace(char **path, const char *text)
{
	free(*path);
	*path = strdup(text);
	return *path ? MRD_EXIT_GOOD : MRD_EXIT_BAD_NEWS;
}

int mrd_ctl_read_output(const char *text, FILE *err, bool *ret_json)
{
	*ret_json = strcmp(text, "json") == 0;
	if (!*ret_json && strcmp(text, "text") != 0)
		return mrd_ctl_usage(err, "-o takes text or json, not", text);
	return MRD_EXIT_GOOD;
}

struct flags {
	const char *config;
	bool help;
	bool version;
};

static int read_flags(int argc, char **argv, FILE *err, struct mrd_ctl_options *options,
		      struct flags *flags)
{
	enum { CONTROL = 256, BPFFS, CONFIG, STAY, VERSION };
	static const struct option longs[] = {
		{"control", required_argument, NULL, CONTROL},
		{"bpffs", required_argument, NULL, BPFFS},
		{"config", required_argument, NULL, CONFIG},
		{"stay", no_argument, NULL, STAY},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, VERSION},
		{0},
	};
	int status = MRD_EXIT_GOOD;
	int flag;

	optind = 0; /* GNU: starts anew */
	opterr = 0;
	while (status == MRD_EXIT_GOOD &&
	       (flag = getopt_long(argc, argv, ":o:h", longs, NULL)) >= 0) {
		switch (flag) {
		case CONTROL:
			status = replace(&options->control, optarg);
			break;
		case BPFFS:
			status = replace(&options->bpffs, optarg);
			break;
		case CONFIG:
			flags->config = optarg;
			break;
		case STAY:
			options->stay = true;
			break;
		case 'o':
			options->yaml = !strcmp(optarg, "yaml");
			if (!options->yaml)
				status = mrd_ctl_read_output(optarg, err, &options->json);
			break;
		case 'h':
			flags->help = true;
			break;
		case VERSION:
			flags->version = true;
			break;
		case ':':
			return mrd_ctl_usage(err, "a value is missing after", argv[optind - 1]);
		default:
			return mrd_ctl_usage(err, "unknown option", argv[optind - 1]);
		}
	}
	return status;
}

bool mrd_ctl_is_service_name(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && slash != text && slash[1] && !strchr(slash + 1, '/') &&
	       !strpbrk(text, " \t\r\n");
}

/* The name of a service, which some verbs may have. */
static int read_service(int argc, char **argv, FILE *err, struct mrd_ctl_options *options)
{
	const bool may_be =
		options->verb == MRD_VERB_ENDPOINTS || options->verb == MRD_VERB_SERVICES;

	if (!may_be || optind >= argc)
		return MRD_EXIT_GOOD;
	if (!mrd_ctl_is_service_name(argv[optind]))
		return mrd_ctl_usage(err, "the verb takes NAMESPACE/NAME, not", argv[optind]);
	options->argument = strdup(argv[optind++]);
	return options->argument ? MRD_EXIT_GOOD : mrd_ctl_no_memory(err);
}

static int read_verb(int argc, char **argv, FILE *err, struct mrd_ctl_options *options)
{
	const char *name = optind < argc ? argv[optind++] : NULL;
	size_t i = 0;
	int status;

	if (!name)
		return mrd_ctl_usage(err, "a verb is missing", NULL);
	while (i < VERB_COUNT && strcmp(verbs[i].name, name) != 0)
		i++;
	if (i == VERB_COUNT)
		return mrd_ctl_usage(err, "unknown verb", name);
	options->verb = (enum mrd_verb)i;
	status = read_service(argc, argv, err, options);
	if (status != MRD_EXIT_GOOD)
		return status;
	if (optind < argc && options->verb != MRD_VERB_HELP)
		return mrd_ctl_usage(err, "unexpected argument", argv[optind]);
	if (options->yaml && (options->verb != MRD_VERB_SERVICES || !options->argument))
		return mrd_ctl_usage(err, "-o yaml is for services NAMESPACE/NAME alone, not for",
				     name);
	if (options->stay && options->verb != MRD_VERB_DETACH)
		return mrd_ctl_usage(err, "--stay is for detach alone, not for", name);
	return MRD_EXIT_GOOD;
}

/* Paths that no option gave: from the configuration, or else the defaults. */
static int complete(struct mrd_ctl_options *options, const char *config, FILE *err)
{
	const int status = config ? read_config(config, err, options) : MRD_EXIT_GOOD;

	if (status != MRD_EXIT_GOOD)
		return status;
	if (!options->control)
		options->control = strdup(default_control);
	if (!options->bpffs)
		options->bpffs = strdup(default_bpffs);
	return options->control && options->bpffs ? MRD_EXIT_GOOD : mrd_ctl_no_memory(err);
}

static void options_cleanup(struct mrd_ctl_options *options)
{
	mrd_ctl_options_free(options);
}

int mrd_ctl_options_read(int argc, char **argv, FILE *err, struct mrd_ctl_options *ret_options)
{
	MRD_CLEANUP(options_cleanup) struct mrd_ctl_options options = {0};
	struct flags flags = {0};
	int status = read_flags(argc, argv, err, &options, &flags);

	if (status != MRD_EXIT_GOOD)
		return status;
	if (flags.help || flags.version)
		options.verb = flags.help ? MRD_VERB_HELP : MRD_VERB_VERSION;
	else
		status = read_verb(argc, argv, err, &options);
	if (status == MRD_EXIT_GOOD)
		status = complete(&options, flags.config, err);
	if (status != MRD_EXIT_GOOD)
		return status;
	*ret_options = options;
	options = (struct mrd_ctl_options){0};
	return MRD_EXIT_GOOD;
}

int mrd_ctl_find_paths(const char *control, const char *config, FILE *err,
		       struct mrd_ctl_options *ret_options)
{
	MRD_CLEANUP(options_cleanup) struct mrd_ctl_options options = {0};
	int status = control ? replace(&options.control, control) : MRD_EXIT_GOOD;

	if (status == MRD_EXIT_GOOD)
		status = complete(&options, config, err);
	if (status != MRD_EXIT_GOOD)
		return status;
	*ret_options = options;
	options = (struct mrd_ctl_options){0};
	return MRD_EXIT_GOOD;
}
