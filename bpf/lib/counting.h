/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: what a forward row says that several CPUs may change at once: its state, with that whether
 * the flow counts in mrd_open, and what acknowledges its last FIN or latest request.
 *
 * Whoever changes how a flow counts, and nobody else, owes mrd_open the difference. Such a change
 * is one swap, so each of them is owed once.
 */
#ifndef MRD_BPF_COUNTING_H
#define MRD_BPF_COUNTING_H

#include "flow.h"
#include "once.h"

/* More than CPUs can be in each other's way with one row. */
enum { MRD_COUNTING_TRIES = 4 };

/*
 * What it was: something else than is, and now it is that; or it stays: as it is already, NEVER, or
 * MOVING, which another CPU has made it, or as good as that: they all change it at once.
 */
static inline enum mrd_counting mrd_counting_set(struct mrd_flow *forward, enum mrd_counting is)
{
	for (int i = 0; i < MRD_COUNTING_TRIES; i++) {
		const __u32 was = MRD_READ_ONCE(forward->counting);

		if (was == MRD_COUNTING_NEVER || was == MRD_COUNTING_MOVING || was == is ||
		    mrd_swap((__u32 *)&forward->counting, was, (__u32)is))
			return (enum mrd_counting)was;
	}
	return MRD_COUNTING_MOVING;
}

/*
 * Counts a flow as its state wants it, also if that changes meanwhile: as long as the two disagree.
 * What it adds to mrd_open.
 */
static inline __s32 mrd_counting_follow(struct mrd_flow *forward)
{
	__s32 adds = 0;

	for (int i = 0; i < MRD_COUNTING_TRIES; i++) {
		const bool is_over = mrd_flow_is_ended(MRD_READ_ONCE(forward->state));
		const __u32 was = is_over ? MRD_COUNTING_NOW : MRD_COUNTING_OVER;
		const __u32 is = is_over ? MRD_COUNTING_OVER : MRD_COUNTING_NOW;

		if (MRD_READ_ONCE(forward->counting) != was)
			break;
		if (mrd_swap((__u32 *)&forward->counting, was, is))
			adds += is_over ? -1 : 1;
	}
	return adds;
}

/*
 * A packet brings the flow to another state. Who sees that state before the number that
 * acknowledges the FIN sees none: neither the last FIN's nor a request's.
 */
static inline void mrd_flow_turn(struct mrd_flow *forward, const struct mrd_packet *packet,
				 enum mrd_flow_state state)
{
	const bool is_fin = packet->tcp_flags & MRD_TCP_FIN;
	const __u32 fin_ack = mrd_flow_fin_ack(forward->fin_ack, packet, state);

	if (is_fin)
		*(volatile __u32 *)&forward->fin_ack = 0;
#ifdef MRD_LEGACY_ATOMICS
	forward->state = state;
#else
	/* With a barrier: how the flow counts is looked at behind it. */
	__sync_lock_test_and_set((__u32 *)&forward->state, (__u32)state);
#endif
	if (is_fin)
		*(volatile __u32 *)&forward->fin_ack = fin_ack;
}

/* What a request acknowledges; a FIN's number, which has its place, stays. */
static inline void mrd_flow_note_request(struct mrd_flow *forward, __u32 ack_seq)
{
	const __u32 was = MRD_READ_ONCE(forward->request_ack);

	if (MRD_READ_ONCE(forward->state) == MRD_FLOW_ESTABLISHED)
		mrd_swap(&forward->request_ack, was, ack_seq);
}

#endif
