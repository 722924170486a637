/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What of a policy's rules is for nobody, where the home cluster's Services are known. */
#ifndef MRD_CTL_IDLE_RULES_H
#define MRD_CTL_IDLE_RULES_H

#include "base/diag.h"
#include "config/config.h"
#include "model/model.h"
#include "policy/policy.h"

/* Adds a warning for each rule, and each port of one, that no Service of the home cluster has. */
void mrd_idle_rules(const struct mrd_agent_config *config, const struct mrd_policy *policy,
		    const struct mrd_model *model, struct mrd_diag *diag);

/* A warning at a place as policy keeps it, "file:line:column". */
void mrd_idle_warn(struct mrd_diag *diag, const char *at, const char *field, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));

#endif
