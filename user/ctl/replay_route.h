/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the agent's own plan says of a Service with replay's endpoints: the rule that a detector
 * goes by, which endpoints it watches, and in which region each is.
 */
#ifndef MRD_CTL_REPLAY_ROUTE_H
#define MRD_CTL_REPLAY_ROUTE_H

#include "config/config.h"
#include "ctl/replay_arguments.h"
#include "outlier/outlier.h"
#include "plan/plan.h"
#include "policy/policy.h"

/* A host's number, by its endpoint's index. */
static inline uint32_t mrd_replay_host(size_t index)
{
	return (uint32_t)index + 1;
}

struct mrd_replay_route {
	struct mrd_plan *plan; /* of the one port, which may be left out */
	struct mrd_outlier_host *hosts;
	size_t host_count;
};

/* Into an empty one, which the caller frees, also after -ENOMEM. config: what it says of the
 * arguments' clusters holds. */
int mrd_replay_route_make(const struct mrd_replay_arguments *arguments,
			  const struct mrd_agent_config *config, const struct mrd_policy *policy,
			  struct mrd_replay_route *ret_route);
void mrd_replay_route_free(struct mrd_replay_route *route); /* frees what is in it */

#endif
