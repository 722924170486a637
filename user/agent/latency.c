/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/latency.h"

#include <stdlib.h>
#include <string.h>

enum { NS_PER_US = 1000 };

void mrd_latency_add(struct mrd_latency *latency, uint64_t ns)
{
	const uint64_t us = ns / NS_PER_US;

	latency->us[latency->count++ % MRD_LATENCY_SAMPLES] =
		us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a;
	const uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t rank(const uint32_t *sorted, size_t count, unsigned int percent)
{
	return sorted[(count * percent + 99) / 100 - 1];
}

void mrd_latency_summarise(const struct mrd_latency *latency,
			   struct mrd_latency_summary *ret_summary)
{
	const size_t count =
		latency->count < MRD_LATENCY_SAMPLES ? (size_t)latency->count : MRD_LATENCY_SAMPLES;
	uint32_t sorted[MRD_LATENCY_SAMPLES];

	*ret_summary = (struct mrd_latency_summary){.count = latency->count};
	if (!count)
		return;
	memcpy(sorted, latency->us, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_size);
	ret_summary->p50_us = rank(sorted, count, 50);
	ret_summary->p99_us = rank(sorted, count, 99);
	ret_summary->max_us = sorted[count - 1];
}
