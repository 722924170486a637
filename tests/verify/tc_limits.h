/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* tcp.maxConnections of what no socket hook sees: checks for the list of tc_checks.c. */
#ifndef MRD_TESTS_TC_LIMITS_H
#define MRD_TESTS_TC_LIMITS_H

#include "tc_world.h"

bool check_limits(const struct world *world);
bool check_limit_full(const struct world *world);
bool check_limit_deleted(const struct world *world);
bool check_limit_taken_over(const struct world *world);
bool check_limit_moving(const struct world *world);

#endif
