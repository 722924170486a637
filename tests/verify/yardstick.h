/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What programs take, held to a number on whatever machine: not in time, but in look-ups. A
 * yardstick is a program that does nothing but look for a row that is not there.
 */
#ifndef MRD_TESTS_YARDSTICK_H
#define MRD_TESTS_YARDSTICK_H

enum { YARDSTICK_LOOKUPS = 16 };

/*
 * Of TC's type. map_fd: a hash whose keys are those of mrd_flow. lookups: YARDSTICK_LOOKUPS at
 * most; with none it is what a run takes that does nothing. The caller closes it. Exits if it
 * cannot load.
 */
int yardstick_load(int map_fd, unsigned int lookups);

#endif
