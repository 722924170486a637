/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whom an outlier detector watches: the endpoints of a port's plan, of both IP families. To Envoy a
 * pod with two addresses is one host, ejected as one, so it is one here: under the number of its
 * IPv4 address, the other is its twin. Those that terminate, or are dropped while they are not
 * ready, are no hosts of Envoy's, nor here.
 */
#ifndef MRD_PLAN_HOSTS_H
#define MRD_PLAN_HOSTS_H

#include "outlier/outlier.h"
#include "plan/plan.h"

/* The caller's numbers: of endpoints (0: has none, and is no host), and of regions (equal numbers =
 * one region). */
struct mrd_host_numbers {
	uint32_t (*of_endpoint)(void *self, const struct mrd_ip *ip, uint16_t port);
	uint32_t (*of_region)(void *self, const char *region);
	void *self;
};

/* The hosts of a port, which begins at first among the plan's; a pod with two addresses may stand
 * there twice. The caller frees them, also if there are none. -ENOMEM. */
int mrd_plan_hosts(const struct mrd_plan *plan, size_t first,
		   const struct mrd_host_numbers *numbers, struct mrd_outlier_host **ret_hosts,
		   size_t *ret_count);

/* The rule by which they are watched, borrowed from the plan; NULL: nobody is. */
const struct mrd_outlier_rule *mrd_plan_hosts_rule(const struct mrd_plan *plan, size_t first);

#endif
