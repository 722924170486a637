/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Random numbers for streams of events. */
#ifndef MRD_TESTS_OUTLIER_DRAW_H
#define MRD_TESTS_OUTLIER_DRAW_H

#include <stdint.h>

/* xorshift: the same streams on every machine. */
static inline uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

#endif
