/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Envoy's success-rate formula: how low is too low, from the rates of all hosts. */
#ifndef MRD_OUTLIER_SUCCESS_RATE_H
#define MRD_OUTLIER_SUCCESS_RATE_H

#include <stddef.h>
#include <stdint.h>

/* In per cent. */
struct mrd_success_rate_limit {
	double average;
	double threshold; /* a host below it is an outlier */
};

/* stdev_factor: in 1/1000. count: at least 1. */
struct mrd_success_rate_limit mrd_success_rate_limit(const double *rates, size_t count,
						     uint32_t stdev_factor);

#endif
