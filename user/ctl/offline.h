/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the agent would plan from, read by the agent's own readers, without agent, kernel or root:
 * the state of clusters, the policy, the node, and which endpoints are taken to be ejected.
 */
#ifndef MRD_CTL_OFFLINE_H
#define MRD_CTL_OFFLINE_H

#include <stdio.h>

#include "base/diag.h"
#include "config/config.h"
#include "ctl/arguments.h"
#include "model/model.h"
#include "plan/plan.h"
#include "policy/policy.h"

struct mrd_offline {
	struct mrd_agent_config *config; /* as the arguments and the file they name say together */
	struct mrd_model *model;
	struct mrd_policy *policy;
	struct mrd_plan_node node;
	struct mrd_plan_ejections ejections;
	const struct mrd_arguments *arguments; /* borrowed */
};

/* Returns MRD_EXIT_GOOD, or the status to exit with. Findings, warnings too, are said on err. */
int mrd_offline_open(const struct mrd_arguments *arguments, FILE *err,
		     struct mrd_offline *ret_offline);
void mrd_offline_close(struct mrd_offline *offline); /* frees what is in it */
#define MRD_AUTO_OFFLINE __attribute__((cleanup(mrd_offline_close)))

/* The home cluster's folder alone, into a model of that configuration. -ENOENT: there is no such
 * folder. */
int mrd_offline_read_home(const struct mrd_agent_config *config, struct mrd_model *model,
			  struct mrd_diag *diag);

/* Says the findings on err, sorted. result: of what found them. Returns MRD_EXIT_GOOD, or the
 * status to exit with. */
int mrd_offline_conclude(int result, struct mrd_diag *diag, FILE *err);

#endif
