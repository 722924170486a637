/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/dispatch.h"

#include <stdbool.h>
#include <string.h>

#include "ctl/options.h"
#include "ctl/verb_check.h"
#include "ctl/verb_explain.h"
#include "ctl/verb_plan.h"
#include "ctl/verb_replay.h"
#include "ctl/verbs.h"

/* Verbs that read their own command line; options.c has their words for the help. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv, FILE *out, FILE *err); /* argv[0] is the verb */
} own_verbs[] = {
	{"check", mrd_ctl_check},
	{"plan", mrd_ctl_plan},
	{"explain", mrd_ctl_explain},
	{"replay", mrd_ctl_replay},
};

/* Options of the general kind may stand before a verb: those whose value is the next word. */
static bool takes_next_word(const char *option)
{
	static const char *const names[] = {"-o", "--output", "--control", "--bpffs", "--config"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(option, names[i]))
			return true;
	return false;
}

static int find_verb(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-')
		i += takes_next_word(argv[i]) ? 2 : 1;
	return i;
}

static int run_general(int argc, char **argv, FILE *out, FILE *err)
{
	struct mrd_ctl_options options;
	int status = mrd_ctl_options_read(argc, argv, err, &options);

	if (status != MRD_EXIT_GOOD)
		return status;
	status = mrd_ctl_run(&options, out, err);
	mrd_ctl_options_free(&options);
	return status;
}

int mrd_ctl_dispatch(int argc, char **argv, FILE *out, FILE *err)
{
	const int at = find_verb(argc, argv);
	char *const verb = at < argc ? argv[at] : NULL;

	for (size_t i = 0; verb && i < sizeof(own_verbs) / sizeof(own_verbs[0]); i++) {
		if (strcmp(own_verbs[i].name, verb) != 0)
			continue;
		/* The verb goes first; the options before it follow it. */
		memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof(*argv));
		argv[1] = verb;
		return own_verbs[i].run(argc - 1, argv + 1, out, err);
	}
	return run_general(argc, argv, out, err);
}
