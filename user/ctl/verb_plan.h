/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl plan: the plan that the agent would write, offline. */
#ifndef MRD_CTL_VERB_PLAN_H
#define MRD_CTL_VERB_PLAN_H

#include <stdio.h>

/* argv[0] is the verb. Returns the exit status. */
int mrd_ctl_plan(int argc, char **argv, FILE *out, FILE *err);

#endif
