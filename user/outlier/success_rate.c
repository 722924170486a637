/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "outlier/success_rate.h"

#include <math.h>

static const double FACTOR_UNIT = 1000.0;

/* In Envoy's order of operations: a host that stands on the threshold is judged as there. */
struct mrd_success_rate_limit mrd_success_rate_limit(const double *rates, size_t count,
						     uint32_t stdev_factor)
{
	const double hosts = (double)count;
	double variance = 0;
	double average = 0;

	for (size_t i = 0; i < count; i++)
		average += rates[i];
	average /= hosts;
	for (size_t i = 0; i < count; i++)
		variance += (rates[i] - average) * (rates[i] - average);
	variance /= hosts;
	return (struct mrd_success_rate_limit){
		.average = average,
		.threshold = average - stdev_factor / FACTOR_UNIT * sqrt(variance),
	};
}
