/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/histogram.h"

enum { NS_PER_US = 1000 };

const uint32_t mrd_histogram_bounds_us[MRD_HISTOGRAM_BOUNDS] = {
	50,    100,    250,    500,    1000,	2500,	 5000,	  10000,    25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

void mrd_histogram_add(struct mrd_histogram *histogram, uint64_t ns)
{
	size_t i = 0;

	while (i < MRD_HISTOGRAM_BOUNDS && ns > (uint64_t)mrd_histogram_bounds_us[i] * NS_PER_US)
		i++;
	histogram->counts[i]++;
	histogram->sum_us += ns / NS_PER_US;
}

uint64_t mrd_histogram_count(const struct mrd_histogram *histogram)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= MRD_HISTOGRAM_BOUNDS; i++)
		count += histogram->counts[i];
	return count;
}
