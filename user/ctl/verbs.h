/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What meridianctl does: asks the agent, or looks into the kernel itself if there is none. */
#ifndef MRD_CTL_VERBS_H
#define MRD_CTL_VERBS_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "ctl/options.h"

/* Returns the exit status. */
int mrd_ctl_run(const struct mrd_ctl_options *options, FILE *out, FILE *err);

/* Is the answer bad news: a cluster that fails, a service that could not be written, a service
 * without any endpoint row? */
bool mrd_ctl_is_bad_news(enum mrd_verb verb, const char *argument, const json_t *answer);

#endif
