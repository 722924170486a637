/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Programs at interfaces by filters of the clsact queueing discipline, as kernels before 6.6 have
 * them. */
#ifndef MRD_DATAPLANE_CLSACT_H
#define MRD_DATAPLANE_CLSACT_H

#include "dataplane/tc.h"

/* Puts a program in, or in the place of the one of ours that is there, in one step. */
int mrd_clsact_put(uint32_t index, enum mrd_tc_direction direction, int program_fd);
/* 1: a program was taken out, 0: there was none. */
int mrd_clsact_take(uint32_t index, enum mrd_tc_direction direction);
/* The number of the program of ours that is there; 0: none. */
uint32_t mrd_clsact_program(uint32_t index, enum mrd_tc_direction direction);
/* Removes the queueing discipline if nobody's filter is left in it. */
void mrd_clsact_tidy(uint32_t index);

#endif
