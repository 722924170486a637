/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The command line of the verbs that work offline: what plans are made from. */
#ifndef MRD_CTL_ARGUMENTS_H
#define MRD_CTL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ip.h"
#include "ctl/options.h"
#include "plan/start.h"

/* --state NAME=DIR[,region=R][,home] */
struct mrd_state_argument {
	char *name;
	char *path;
	char *region; /* "" if it is not given */
	bool home;
};

struct mrd_ejected_argument {
	struct mrd_ip ip;
	uint16_t port; /* 0: all of them */
};

struct mrd_arguments {
	struct mrd_state_argument *states;
	size_t state_count;
	const char **policy; /* of the command line, as is the rest that is not owned */
	size_t policy_count;
	struct mrd_ejected_argument *ejected;
	size_t ejected_count;
	const char *config;
	const char *from; /* as it is written; NULL: it is not given */
	struct mrd_start start;
	const char *node;
	const char *service; /* "namespace/name", or NULL */
	const char *control; /* of explain alone */
	bool json;
	bool help;
	char **rest; /* what is not an option */
	int rest_count;
};

/*
 * Reads the options behind a verb, argv[0]. control: does the verb know --control, and no
 * --service? Returns MRD_EXIT_GOOD, or the status to exit with after what is wrong was said on err.
 */
int mrd_arguments_read(int argc, char **argv, bool control, FILE *err,
		       struct mrd_arguments *ret_arguments);
void mrd_arguments_free(struct mrd_arguments *arguments); /* frees what is in it */
#define MRD_AUTO_ARGUMENTS __attribute__((cleanup(mrd_arguments_free)))

/* Says what an option takes, what it was given and what is wrong with that. MRD_EXIT_USAGE. */
int mrd_arguments_refuse(FILE *err, const char *takes, const char *given, const char *fault);

/* Options of which at least one is needed to plan offline: the states, or a configuration. */
bool mrd_arguments_name_state(const struct mrd_arguments *arguments);

#endif
