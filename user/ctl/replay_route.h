/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which of replay's endpoints a detector watches, and in which region each is: what the agent's own
 * plan says of a Service with these endpoints.
 */
#ifndef MRD_CTL_REPLAY_ROUTE_H
#define MRD_CTL_REPLAY_ROUTE_H

#include "ctl/replay_arguments.h"
#include "outlier/outlier.h"
#include "policy/policy.h"

/* A host's number, by its endpoint's index. */
static inline uint32_t mrd_replay_host(size_t index)
{
	return (uint32_t)index + 1;
}

/* The hosts by their numbers. The caller frees the hosts, also if there are none.
 * -ENOMEM. */
int mrd_replay_route(const struct mrd_replay_arguments *arguments, const struct mrd_policy *policy,
		     struct mrd_outlier_host **ret_hosts, size_t *ret_count);

#endif
