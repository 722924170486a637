/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The only place that asks the kernel for the time; everything else takes it as an argument. */
#ifndef MRD_BASE_CLOCK_H
#define MRD_BASE_CLOCK_H

#include <stdint.h>

enum { MRD_NS_PER_MS = 1000000, MRD_MS_PER_S = 1000 };

/* CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns(). */
uint64_t mrd_clock_ns(void);

/* Ticks of the kernel's timers in a second: its HZ. */
uint32_t mrd_clock_jiffies_per_s(void);

/* The wall clock, for log lines, event logs and what others date by it: milliseconds since
 * 1970-01-01 UTC. */
uint64_t mrd_clock_wall_ms(void);

#endif
