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

/* Hosts of one priority. Those that are neither healthy nor degraded count in total alone. */
struct mrd_load_level {
	uint32_t healthy;
	uint32_t degraded; /* behind the healthy ones of every level; Meridian itself has none */
	uint32_t excluded; /* of total: not warmed yet, they leave the denominator */
	uint32_t total;
	uint32_t unfit; /* those of total that not even panic may use */
	/* Envoy's weighted_priority_health, if total_weight is not 0: weights (of hosts that are
	 * not excluded) say how healthy the level is. Panic counts hosts all the same. */
	uint64_t healthy_weight;
	uint64_t degraded_weight;
	uint64_t total_weight;

	uint32_t percent;	   /* out: of new connections to its healthy hosts, 0 to 100 */
	uint32_t degraded_percent; /* out: to its degraded ones */
	bool panic;		   /* out: all its hosts are used */
};

/*
 * Shares the load over priorities 0 to count - 1; all percents together are 100. As in Envoy, the
 * first level has them all if nobody is there to take them. overprovisioning_percent: Envoy's 140.
 * panic_percent: 0 = no panic. Returns the normalised total: what the levels together could carry,
 * at most 100.
 */
uint32_t mrd_load_levels(struct mrd_load_level *levels, size_t count,
			 uint32_t overprovisioning_percent, uint32_t panic_percent);

/* A locality's effective weight inside its level: weight × min(1, factor × healthy / total). total
 * is without excluded hosts; healthy may be a part of a host that warms up. */
double mrd_load_locality(double weight, double healthy, uint32_t total,
			 uint32_t overprovisioning_percent);

/*
 * Exact shares (adding up to 1) → whole parts of parts_total by largest remainder, ties to the
 * first. A share above 0 never becomes 0 while a larger part can give one away. All 0 stays all 0.
 */
void mrd_load_apportion(const double *shares, size_t count, uint32_t parts_total,
			uint32_t *ret_parts);

#endif
