/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which function answers a command line: a verb with a file and a parser of its own, or one of
 * those that ask the agent and the kernel (verbs.h). */
#ifndef MRD_CTL_DISPATCH_H
#define MRD_CTL_DISPATCH_H

#include <stdio.h>

/* Returns the exit status. The words of argv may change places. */
int mrd_ctl_dispatch(int argc, char **argv, FILE *out, FILE *err);

#endif
