/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: how long a response took → its place in mrd_stat.responses_timed.
 *
 * Each bound that is exceeded adds one, by the sign of a difference (times are below 2^63) and so
 * without a branch: the verifier goes one way through it, and knows that the sum finds an element
 * of the array.
 */
#ifndef MRD_BPF_RESPONSE_TIME_H
#define MRD_BPF_RESPONSE_TIME_H

#include "maps/abi.h"

static inline __u32 mrd_response_bucket(__u64 took_ns)
{
	__u64 bucket = 0;

#define MRD_RESPONSE_EXCEEDS(us) bucket += (us##ULL * 1000 - took_ns) >> 63;
	MRD_RESPONSE_BOUNDS_US(MRD_RESPONSE_EXCEEDS)
#undef MRD_RESPONSE_EXCEEDS
	return bucket;
}

#endif
