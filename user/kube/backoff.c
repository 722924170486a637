/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/backoff.h"

static const uint64_t first_ns = 800000000;
static const uint64_t cap_ns = 30000000000;
static const uint64_t quiet_ns = 120000000000;

void mrd_backoff_init(struct mrd_backoff *backoff, uint32_t seed)
{
	*backoff = (struct mrd_backoff){.base_ns = first_ns, .random = seed};
}

void mrd_backoff_restart(struct mrd_backoff *backoff)
{
	backoff->base_ns = first_ns;
}

/* SplitMix64 (Steele, Lea, Flood 2014): any seed is as good as another. */
uint64_t mrd_backoff_random(struct mrd_backoff *backoff, uint64_t from, uint64_t to)
{
	uint64_t number = backoff->random += 0x9e3779b97f4a7c15;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return from + (number ^ number >> 31) % (to - from);
}

uint64_t mrd_backoff_next_ns(struct mrd_backoff *backoff, uint64_t now_ns)
{
	uint64_t wait_ns;

	if (now_ns - backoff->last_ns > quiet_ns)
		mrd_backoff_restart(backoff);
	backoff->last_ns = now_ns;
	wait_ns = mrd_backoff_random(backoff, backoff->base_ns, backoff->base_ns * 2);
	backoff->base_ns = backoff->base_ns * 2 < cap_ns ? backoff->base_ns * 2 : cap_ns;
	return wait_ns;
}
