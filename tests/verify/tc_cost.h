/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What packets cost, by a yardstick (yardstick.h). */
#ifndef MRD_TESTS_TC_COST_H
#define MRD_TESTS_TC_COST_H

#include "tc_world.h"

struct tc_cost {
	const char *name;
	unsigned int percent; /* of a look-up */
};

enum { TC_COSTS = 6 };

/* The least of many runs, of packets and of look-ups in turn. */
void tc_cost_measure(const struct world *world, struct tc_cost ret_costs[TC_COSTS]);

#endif
