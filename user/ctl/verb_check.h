/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl check: validates policy and configuration files, offline. */
#ifndef MRD_CTL_VERB_CHECK_H
#define MRD_CTL_VERB_CHECK_H

#include <stdio.h>

/* argv[0] is the verb. Returns the exit status. */
int mrd_ctl_check(int argc, char **argv, FILE *out, FILE *err);

#endif
