/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Pure: TCP sequence numbers, which wrap. */
#ifndef MRD_BPF_TCP_SEQ_H
#define MRD_BPF_TCP_SEQ_H

#include <stdbool.h>

#include "maps/abi.h"

static inline bool mrd_seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

/*
 * A mark tells what has been seen from what is new. Behind it lies no more than a window (2^30, by
 * RFC 7323), so the rest of all numbers is new; but only as long as the mark is moved along, before
 * they come round to it. That is a write, so not each number moves it.
 */
enum { MRD_SEQ_WINDOW = 1 << 30, MRD_SEQ_FAR = 1 << 28 };

static inline bool mrd_seq_is_new(__u32 mark, __u32 seq)
{
	return mark - seq > MRD_SEQ_WINDOW;
}

/* What was sent up to here begins no request any more. */
static inline void mrd_request_mark(struct mrd_probe *probe, __u32 seq)
{
	if (seq - probe->request_seq >= MRD_SEQ_FAR && mrd_seq_is_new(probe->request_seq, seq) &&
	    probe->request_ns)
		probe->request_seq = seq;
}

/* Which bytes of a wanted range a segment carries. */
struct mrd_overlap {
	__u32 at;     /* offset in the wanted range */
	__u32 offset; /* offset in the segment's payload */
	__u32 count;  /* 0: none */
};

static inline struct mrd_overlap mrd_seq_overlap(__u32 want_seq, __u32 want_len, __u32 seq,
						 __u32 len)
{
	const __s32 ahead = (__s32)(want_seq - seq); /* of the segment's start */
	struct mrd_overlap overlap = {0};

	if (ahead >= 0) {
		if ((__u32)ahead >= len)
			return overlap;
		overlap.offset = ahead;
	} else {
		if (-(__s64)ahead >= want_len)
			return overlap;
		overlap.at = -ahead;
	}
	overlap.count = len - overlap.offset;
	if (overlap.count > want_len - overlap.at)
		overlap.count = want_len - overlap.at;
	return overlap;
}

#endif
