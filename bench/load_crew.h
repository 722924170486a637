/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Several processes that make the same load together, so that a client's one thread is not what
 * bounds it. Each runs the whole schedule with connections of its own; they begin every slice
 * together, and the first of them adds up what all have done.
 */
#ifndef MRD_BENCH_LOAD_CREW_H
#define MRD_BENCH_LOAD_CREW_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/load_pace.h"

enum { LOAD_CREW_MAX = 64 };

/*
 * The other processes are made here, and end with this one, which ends with any of them that fails.
 * Returns which one of count it is, from 0 on; -1 with errno: they could not be made.
 */
int load_crew_begin(size_t count);

/* Waits until all have come here. */
void load_crew_meet(void);

/* Of a slice that this process has done; it becomes the crew's, which has taken as long as the
 * slowest. True: for the first process, which is to tell it. All of them come by here before they
 * meet again. */
bool load_crew_add_up(struct load_sum *sum);

/* Only the first process goes on, once the others have ended. False: one of them has failed. */
bool load_crew_end(void);

#endif
