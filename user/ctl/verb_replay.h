/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl replay: timed responses through the outlier detector, offline. */
#ifndef MRD_CTL_VERB_REPLAY_H
#define MRD_CTL_VERB_REPLAY_H

#include <stdio.h>

/* argv[0] is the verb. Returns the exit status. */
int mrd_ctl_replay(int argc, char **argv, FILE *out, FILE *err);

#endif
