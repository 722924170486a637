/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A verb called by a command line, its words split at blanks; and files to call it with, in a
 * folder of their own. */
#ifndef MRD_TESTS_CTL_RUN_H
#define MRD_TESTS_CTL_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/dispatch.h"

enum { RUN_WORDS_MAX = 32, RUN_ROOM = 512 };

struct run {
	int status;
	char *out;
	char *err;
};

/* "meridianctl" stands before the line. */
static inline struct run run_line(const char *line)
{
	char *copy = strdup(line);
	char *argv[RUN_WORDS_MAX + 1] = {(char *)"meridianctl"};
	size_t out_size = 0, err_size = 0;
	struct run run = {0};
	char *rest = NULL;
	int argc = 1;
	FILE *out = open_memstream(&run.out, &out_size);
	FILE *err = open_memstream(&run.err, &err_size);

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(argc < RUN_WORDS_MAX);
		argv[argc++] = word;
	}
	run.status = mrd_ctl_dispatch(argc, argv, out, err);
	fclose(out);
	fclose(err);
	free(copy);
	return run;
}

static inline void run_free(struct run *run)
{
	free(run->out);
	free(run->err);
}
#define AUTO_RUN __attribute__((cleanup(run_free)))

/* Says what the line gave if it is not what it must be. */
static inline void run_must_be(const struct run *run, int status, const char *out, const char *err)
{
	if (run->status != status || strcmp(run->out, out) != 0 || strcmp(run->err, err) != 0)
		print_error("status %d\nstdout:\n%s\nstderr:\n%s\n", run->status, run->out,
			    run->err);
	assert_string_equal(run->out, out);
	assert_string_equal(run->err, err);
	assert_int_equal(run->status, status);
}

/* ------------------------------------------------------------------------------------- a folder */

/* Enters a new folder under /tmp, so that names in findings are short. Group set-up. */
static char run_home[RUN_ROOM];
static char run_folder[] = "/tmp/mrd-test-ctl-XXXXXX";

static inline int run_enter(void **state)
{
	(void)state;
	if (!getcwd(run_home, sizeof(run_home)) || !mkdtemp(run_folder))
		return -1;
	return chdir(run_folder);
}

static inline int run_leave(void **state)
{
	char command[RUN_ROOM];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", run_folder);
	return chdir(run_home) || system(command);
}

static inline void run_write(const char *path, const char *text)
{
	FILE *file;

	if (strrchr(path, '/')) {
		char folder[RUN_ROOM];

		snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
		mkdir(folder, 0700);
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

#endif
