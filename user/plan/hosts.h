/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whom an outlier detector watches: the endpoints of a port's plan. */
#ifndef MRD_PLAN_HOSTS_H
#define MRD_PLAN_HOSTS_H

#include "outlier/outlier.h"
#include "plan/plan.h"

/* The caller's numbers: of its endpoints, and of regions (equal numbers = one region). */
struct mrd_host_numbers {
	uint32_t (*of_endpoint)(void *self, const struct mrd_plan_endpoint *endpoint);
	uint32_t (*of_region)(void *self, const char *region);
	void *self;
};

/* The hosts in the order of the plan; the caller frees them, also if there are none. -ENOMEM. */
int mrd_plan_hosts(const struct mrd_plan_port *port, const struct mrd_host_numbers *numbers,
		   struct mrd_outlier_host **ret_hosts, size_t *ret_count);

#endif
