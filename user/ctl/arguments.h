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
#include "maps/abi.h"

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
	const char *from;
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

/* "R[/Z[/S]]"; what is not said is "". */
struct mrd_locality_argument {
	char region[MRD_NAME_LEN];
	char zone[MRD_NAME_LEN];
	char subzone[MRD_NAME_LEN];
};
bool mrd_arguments_read_locality(const char *text, struct mrd_locality_argument *ret_locality);

/* Options of which at least one is needed to plan offline: the states, or a configuration. */
bool mrd_arguments_name_state(const struct mrd_arguments *arguments);

#endif
