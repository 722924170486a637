/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Envoy's load arithmetic, exact to its integers. Sources: envoy docs
 * .../load_balancing/priority.rst, panic_threshold.rst, locality_weight.rst and
 * LoadBalancerBase::recalculatePerPriorityState.
 */
#ifndef MRD_PLAN_LOAD_H
#define MRD_PLAN_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mrd_load_level {
	uint32_t healthy; /* in: hosts */
	uint32_t total;	  /* in: hosts in the denominator; 0 = an empty level */
	uint32_t unfit;	  /* in: those of total that not even panic may use */
	uint32_t percent; /* out: of new connections, 0 to 100 */
	bool panic;	  /* out: all its hosts are used */
};

/*
 * Shares the load over priorities 0 to count - 1. overprovisioning_percent: Envoy's 140.
 * panic_percent: 0 = no panic. Percents add up to 100, or are all 0 if no level has a healthy host
 * and none may panic.
 */
void mrd_load_levels(struct mrd_load_level *levels, size_t count, uint32_t overprovisioning_percent,
		     uint32_t panic_percent);

/* A locality's effective weight inside its level: weight × min(1, factor × healthy / total). */
double mrd_load_locality(double weight, uint32_t healthy, uint32_t total,
			 uint32_t overprovisioning_percent);

/*
 * Exact shares (adding up to 1) → whole parts of parts_total by largest remainder, ties to the
 * first. A share above 0 never becomes 0 while a larger part can give one away. All 0 stays all 0.
 */
void mrd_load_apportion(const double *shares, size_t count, uint32_t parts_total,
			uint32_t *ret_parts);

#endif
