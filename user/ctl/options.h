/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl's command line. */
#ifndef MRD_CTL_OPTIONS_H
#define MRD_CTL_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

enum mrd_verb {
	MRD_VERB_STATUS,
	MRD_VERB_SERVICES,
	MRD_VERB_ENDPOINTS,
	MRD_VERB_REGIONS,
	MRD_VERB_DETACH,
	MRD_VERB_HELP,
	MRD_VERB_VERSION,
};

/* Exit statuses, the same for every verb. */
enum { MRD_EXIT_GOOD = 0, MRD_EXIT_BAD_NEWS = 1, MRD_EXIT_USAGE = 2 };

struct mrd_ctl_options {
	char *control;
	char *bpffs;
	bool json;
	bool yaml; /* of a service: its effective policy */
	bool stay; /* detach: waits for a signal once it is done */
	enum mrd_verb verb;
	char *argument; /* of services and endpoints: "namespace/name", or NULL */
};

/*
 * Reads the command line, and the configuration file if it names one: explicit options go before
 * it. Returns MRD_EXIT_GOOD, or the status to exit with after what is wrong was said on err.
 */
int mrd_ctl_options_read(int argc, char **argv, FILE *err, struct mrd_ctl_options *ret_options);
void mrd_ctl_options_free(struct mrd_ctl_options *options);

/* The same paths for a verb that reads its own command line: control and config may be NULL. */
int mrd_ctl_find_paths(const char *control, const char *config, FILE *err,
		       struct mrd_ctl_options *ret_options);

void mrd_ctl_print_help(FILE *out);
/* Says what is wrong with the command line. Returns MRD_EXIT_USAGE. subject may be NULL. */
int mrd_ctl_usage(FILE *err, const char *what, const char *subject);
/* Says so. Returns MRD_EXIT_BAD_NEWS. */
int mrd_ctl_no_memory(FILE *err);
/* The value of -o. Returns an exit status. */
int mrd_ctl_read_output(const char *text, FILE *err, bool *ret_json);
/* Hands the answer over; MRD_EXIT_BAD_NEWS if it cannot be written, which is said on err. */
int mrd_ctl_flush(FILE *out, FILE *err);
/* "namespace/name"? */
bool mrd_ctl_is_service_name(const char *text);
const char *mrd_verb_name(enum mrd_verb verb);

#endif
