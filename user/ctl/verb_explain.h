/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl explain: why traffic goes where it goes, by an agent or by files. */
#ifndef MRD_CTL_VERB_EXPLAIN_H
#define MRD_CTL_VERB_EXPLAIN_H

#include <stdio.h>

/* argv[0] is the verb. Returns the exit status. */
int mrd_ctl_explain(int argc, char **argv, FILE *out, FILE *err);

#endif
