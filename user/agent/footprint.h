/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The agent's resident memory. */
#ifndef MRD_AGENT_FOOTPRINT_H
#define MRD_AGENT_FOOTPRINT_H

/* Gives back what starting took and running does not need: free memory of the heap, and the pages
 * of programs and libraries, of which those that are needed come back by themselves. */
void mrd_footprint_shrink(void);
/* Gives back the free memory of the heap alone, after much was freed. */
void mrd_footprint_trim(void);

#endif
