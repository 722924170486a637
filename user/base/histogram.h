/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How long something of the agent's took, counted by size: a few nanoseconds for each, and no
 * memory of any. All have the same bounds, from a plan of one service to a cluster that was away:
 * 1, 2.5, 5 of each decade, among them what Meridian promises (an ejection in 1 ms, a change in 5
 * ms).
 */
#ifndef MRD_BASE_HISTOGRAM_H
#define MRD_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { MRD_HISTOGRAM_BOUNDS = 18 };

struct mrd_histogram {
	/* Up to and with a bound, each beyond the bound before; the last is beyond all of them. */
	uint64_t counts[MRD_HISTOGRAM_BOUNDS + 1];
	uint64_t sum_us;
};

extern const uint32_t mrd_histogram_bounds_us[MRD_HISTOGRAM_BOUNDS];

void mrd_histogram_add(struct mrd_histogram *histogram, uint64_t ns);
uint64_t mrd_histogram_count(const struct mrd_histogram *histogram);

#endif
