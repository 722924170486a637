/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the TC programs do over more packets than a line of the table has. */
#ifndef MRD_TESTS_TC_CHECKS_H
#define MRD_TESTS_TC_CHECKS_H

#include "tc_world.h"

struct tc_check {
	const char *name;
	bool (*run)(const struct world *world); /* says what is wrong */
};

extern const struct tc_check tc_checks[];
extern const size_t tc_check_count;

#endif
