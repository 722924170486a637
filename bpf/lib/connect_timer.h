/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: the timers of a SYN whose connect has a time limit.
 *
 * The kernel looks whether a connect has taken its time only when a SYN's timer rings, but not when
 * the first one does, and sets every later one so that it rings when the time is over. So the first
 * one must ring before that: at half the time, if that is less than its usual second.
 */
#ifndef MRD_BPF_CONNECT_TIMER_H
#define MRD_BPF_CONNECT_TIMER_H

#include <stdbool.h>

#include "maps/abi.h"

enum {
	MRD_INITIAL_TIMER_MS = 1000, /* the kernel's TCP_TIMEOUT_INIT */
	MRD_JIFFIES_LEAST = 24,	     /* of a second, over all architectures; and the most */
	MRD_JIFFIES_MOST = 1200,
};

static inline bool mrd_is_initial_timer(__u32 jiffies)
{
	return jiffies >= MRD_JIFFIES_LEAST && jiffies <= MRD_JIFFIES_MOST;
}

/*
 * What to set for the limit, in ms: a jiffy less, since a timer never rings early, but up to one
 * late. initial: the kernel's own first timer, in jiffies.
 */
static inline __u32 mrd_connect_limit_ms(__u32 connect_timeout_ms, __u32 initial)
{
	const __u32 jiffy_ms = mrd_is_initial_timer(initial) ? MRD_INITIAL_TIMER_MS / initial : 0;

	return connect_timeout_ms > jiffy_ms ? connect_timeout_ms - jiffy_ms : connect_timeout_ms;
}

/* In jiffies, 0: as it is. */
static inline __u32 mrd_connect_timer(__u32 connect_timeout_ms, __u32 initial)
{
	const __u32 half_ms = connect_timeout_ms / 2;
	__u32 jiffies;

	if (half_ms >= MRD_INITIAL_TIMER_MS || !mrd_is_initial_timer(initial))
		return 0;
	jiffies = half_ms * initial / MRD_INITIAL_TIMER_MS;
	return jiffies ? jiffies : 1;
}

#endif
