/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How long something took, over the last samples: exact, not estimated. */
#ifndef MRD_AGENT_LATENCY_H
#define MRD_AGENT_LATENCY_H

#include <stdint.h>

enum { MRD_LATENCY_SAMPLES = 1000 }; /* the least for which a p99 says something */

struct mrd_latency {
	uint32_t us[MRD_LATENCY_SAMPLES]; /* a ring */
	uint64_t count;			  /* for life */
};

struct mrd_latency_summary {
	uint64_t count; /* for life */
	uint32_t p50_us;
	uint32_t p99_us;
	uint32_t max_us;
};

void mrd_latency_add(struct mrd_latency *latency, uint64_t ns);
/* Nearest-rank percentiles of the last samples; zeros if there are none. */
void mrd_latency_summarise(const struct mrd_latency *latency,
			   struct mrd_latency_summary *ret_summary);

#endif
