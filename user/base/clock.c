/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* clock_gettime() cannot fail for these clocks: no error to hand on. */
#include "base/clock.h"

#include <time.h>

uint64_t mrd_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MRD_MS_PER_S * MRD_NS_PER_MS + (uint64_t)now.tv_nsec;
}

uint32_t mrd_clock_jiffies_per_s(void)
{
	struct timespec tick;

	/* The coarse clocks advance with the timers' tick. */
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return (uint32_t)((uint64_t)MRD_MS_PER_S * MRD_NS_PER_MS / (uint64_t)tick.tv_nsec);
}

uint64_t mrd_clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * MRD_MS_PER_S + (uint64_t)now.tv_nsec / MRD_NS_PER_MS;
}
