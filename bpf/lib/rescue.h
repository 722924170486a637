/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: when a SYN counts as unanswered, and where the connection goes then.
 *
 * A first choice has one SYN timeout to answer, a later one at least as long. Time is measured, not
 * counted in retransmissions: the timer belongs to the first choice, and a second one that is
 * farther away must not be given up because of it.
 *
 * The order of a rescue: first the hops of regions where the connection has not been, best priority
 * first, for a region that is silent is silent as a whole; when there is none, every endpoint where
 * it has not been, of one hop after the other: a silent region may have more endpoints than can be
 * remembered, and must not take all the tries.
 */
#ifndef MRD_BPF_RESCUE_H
#define MRD_BPF_RESCUE_H

#include <stdbool.h>

#include "pick.h"

enum {
	MRD_SYN_TIMEOUT_LEAST_US = 50 * 1000,
	MRD_SYN_TIMEOUT_MOST_US = 1000 * 1000, /* the kernel's own, RFC 6298 */
	MRD_SYN_RETRIES_MOST = 127,	       /* TCP_SYNCNT takes no more */
	MRD_SYN_RETRIES_MORE = 16,	       /* that a shorter first timer may need */
	MRD_SYN_DOUBLINGS = 6,		       /* of a second, below TCP_RTO_MAX */
	MRD_SYN_LONGEST_S = 120,	       /* TCP_RTO_MAX */
	/* Every hop has its turn in the first round, and of as many as a service has, further ones.
	 */
	MRD_RESCUE_STEPS = MRD_HOPS_MAX + 8,
	/* An endpoint's kernel says its answer again after a second, if it was lost: so what takes
	 * as long tells nothing. Nor could it be used: the client's kernel waits no longer. */
	MRD_HANDSHAKE_MOST_US = 1000 * 1000 - 1,
	MRD_HANDSHAKE_EASE = 8, /* a slower past is forgotten by one eighth a second */
};

/* How long an endpoint may take to answer. asked_ms: meridian.dev/syn-timeout; either may be 0. */
static inline __u32 mrd_syn_timeout_us(__u32 asked_ms, __u32 known_us)
{
	if (asked_ms)
		return asked_ms * 1000;
	if (!known_us)
		return MRD_SYN_TIMEOUT_MOST_US;
	return known_us > MRD_SYN_TIMEOUT_LEAST_US / 2 ? 2 * known_us : MRD_SYN_TIMEOUT_LEAST_US;
}

/* The SYN timer to set, in jiffies; 0: the kernel's own. A timer is never made longer than that. */
static inline __u32 mrd_syn_timer(__u32 timeout_us, __u32 jiffies_per_s)
{
	const __u64 jiffies = ((__u64)timeout_us * jiffies_per_s + 999999) / 1000000;

	return timeout_us >= MRD_SYN_TIMEOUT_MOST_US ? 0 : (__u32)jiffies;
}

/* Timers run in jiffies, and may be one early. */
static inline bool mrd_syn_is_late(__u64 waited_ns, __u32 timeout_us)
{
	return waited_ns >= (__u64)timeout_us * 1000 / 8 * 7;
}

/* What a handshake answered to its first SYN teaches. True: the row changed. */
static inline bool mrd_handshake_learn(struct mrd_handshake *row, __u32 took_us, __u64 now_ns)
{
	const __u32 known_us = row->known_us;

	if (took_us < known_us && now_ns - row->seen_ns < 1000ULL * 1000 * 1000)
		return false;
	if (took_us == known_us || took_us > MRD_HANDSHAKE_MOST_US)
		return false;
	row->known_us = took_us > known_us ? took_us
					   : known_us - (known_us - took_us + MRD_HANDSHAKE_EASE -
							 1) / MRD_HANDSHAKE_EASE;
	row->seen_ns = now_ns;
	return true;
}

/* A first timer and so many retries, each twice as long as the one before. */
static inline __u32 mrd_doubled_ms(__u32 timer_ms, __u32 retries)
{
	return timer_ms * ((2U << retries) - 1);
}

/*
 * How long the kernel tries to connect, by its first timer of a second: each of the others is twice
 * as long as the one before, up to TCP_RTO_MAX. Where there are linear ones of a second in front
 * (tcp_syn_linear_timeouts, Linux 6.5) it holds to the time without them, but looks at that only
 * when a timer rings: so until the first ring at or behind it.
 */
static inline __u32 mrd_connect_total_ms(__u32 retries, __u32 linear)
{
	const __u32 longest = retries < MRD_SYN_DOUBLINGS ? 0 : retries - MRD_SYN_DOUBLINGS;
	const __u32 whole = mrd_doubled_ms(1, retries - longest);
	__u32 ring = linear + 1;

	if (whole < ring)
		ring = whole;
	for (__u32 i = 1; i <= MRD_SYN_DOUBLINGS; i++)
		ring += mrd_is_less(ring, whole) << i;
	return (ring + longest * MRD_SYN_LONGEST_S) * 1000;
}

/*
 * As many retries as fill that time with a shorter timer; TCP_USER_TIMEOUT then ends it. Of those
 * that are as long as can be the own ones do.
 */
static inline __u32 mrd_connect_retries(__u32 total_ms, __u32 timer_ms, __u32 own)
{
	__u32 retries = 1;

	for (int i = 0; i < MRD_SYN_RETRIES_MORE; i++)
		retries += mrd_is_less(mrd_doubled_ms(timer_ms, retries), total_ms);
	if (own > MRD_SYN_DOUBLINGS)
		retries += own - MRD_SYN_DOUBLINGS;
	return retries < MRD_SYN_RETRIES_MOST ? retries : MRD_SYN_RETRIES_MOST;
}

static inline __u32 mrd_tried_has(const struct mrd_tried *tried, __u32 endpoint_id)
{
	__u32 has = 0;

	for (__u32 i = 0; i < MRD_TRIED_MAX; i++)
		has |= mrd_is_less(i, tried->count) &
		       mrd_is_less(tried->endpoint_ids[i] ^ endpoint_id, 1);
	return has;
}

static inline __u32 mrd_tried_has_region(const struct mrd_tried *tried, __u32 region_id)
{
	__u32 has = 0;

	for (__u32 i = 0; i < MRD_TRIED_MAX; i++)
		has |= mrd_is_less(i, tried->count) &
		       mrd_is_less(tried->region_ids[i] ^ region_id, 1);
	return has;
}

/* False: the connection has been to as many endpoints as can be remembered. */
static inline bool mrd_tried_add(struct mrd_tried *tried, __u32 endpoint_id, __u32 region_id)
{
	const __u32 at = tried->count;

	if (at >= MRD_TRIED_MAX)
		return false;
	tried->endpoint_ids[at & (MRD_TRIED_MAX - 1)] = endpoint_id;
	tried->region_ids[at & (MRD_TRIED_MAX - 1)] = (__u16)region_id;
	tried->count = at + 1;
	return true;
}

/*
 * One step of a rescue: a hop's turn, one try. The first round passes over regions tried before;
 * the others begin with another hop at each move, the first time with the one that is worst: its
 * region was the last to be tried, and what moves a connection on may be a single endpoint.
 */
static inline void mrd_rescue_turn(const struct mrd_route *route, const struct mrd_tried *tried,
				   __u32 step, struct mrd_turn *ret_turn)
{
	const __u32 is_empty = mrd_is_less(route->hop_count, 1);
	const __u32 hop_count = route->hop_count + is_empty;
	__u32 round = step / hop_count, is_first, skip;
	const struct mrd_hop *hop;

	MRD_OPAQUE(round);
	is_first = mrd_is_less(round, 1);
	step += (1 - is_first) * (tried->count - 1);
	hop = &route->hops[step % hop_count & (MRD_HOPS_MAX - 1)];
	skip = is_empty | (is_first & mrd_tried_has_region(tried, hop->region_id));
	ret_turn->is_new = mrd_is_less(round, 2);
	ret_turn->offset = round - (1 - is_first);
	ret_turn->hop_id = hop->hop_id;
	ret_turn->locality_id = hop->locality_id;
	ret_turn->region_id = hop->region_id;
	ret_turn->member_count = hop->member_count * (1 - skip);
	ret_turn->accept = hop->accept;
}

#endif
