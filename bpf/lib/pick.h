/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: which member rows a pick looks at, in which order, and whether what it finds may be used.
 *
 * The ticket names a hop, the hop's own counter a slot. If that member cannot be used, the slots
 * behind it are tried, then the other hops take their turn, from the first (the best priority) on,
 * each from its own counter. A turn is short: a hop with a thousand dead members must not keep the
 * next one waiting. When all have had a turn, further rounds go through each hop's slots one after
 * the other, as many as the steps allow: nothing small is refused unseen.
 *
 * The walk holds no map: the caller looks the rows up and asks mrd_judge() about each. Nothing but
 * the turn's number is carried from one turn to the next: so the verifier, which follows every
 * path, finds the paths of a turn alike at its end.
 */
#ifndef MRD_BPF_PICK_H
#define MRD_BPF_PICK_H

#include <stdbool.h>

#include "addr.h"
#include "maps/abi.h"
#include "maps/seal.h"

enum {
	MRD_PICK_TRIES = 2,				/* members tried in a turn */
	MRD_PICK_STEPS = MRD_HOPS_MAX * MRD_PICK_TRIES, /* so every hop has a turn */
};

/* One step: a try of a hop's turn, with what the caller needs of the hop's row, read once. */
struct mrd_turn {
	__u32 is_new; /* 1: the hop's first step */
	__u32 offset; /* to the slot where this hop's walk began */
	__u32 hop_id;
	__u32 locality_id;
	__u32 region_id;
	__u32 member_count;
	enum mrd_hop_accept accept;
};

/* One hop has it all: no ticket is needed. */
static inline bool mrd_pick_is_sure(const struct mrd_route *route)
{
	return route->hops[0].until >= MRD_SHARE_TOTAL;
}

/* 1 if a < b; both below 2^31 */
static inline __u32 mrd_is_less(__u32 a, __u32 b)
{
	__u32 difference = a - b;

	MRD_OPAQUE(difference);
	return difference >> 31;
}

/*
 * The index of the hop that the ticket falls to: how many running shares it has passed. Without
 * any share (nothing was usable when the plan was made) the first hop starts the walk. It counts
 * where a loop that stops would do, for the verifier follows sixteen ways out of that one through
 * everything behind it.
 */
static inline __u32 mrd_pick_hop(const struct mrd_route *route, __u32 ticket)
{
	const __u32 hop_count = route->hop_count;
	__u32 passed = 0;

	for (__u32 i = 0; i < MRD_HOPS_MAX; i++)
		passed += mrd_is_less(i, hop_count) & ~mrd_is_less(ticket, route->hops[i].until);
	return passed * mrd_is_less(passed, hop_count);
}

/*
 * chosen: mrd_pick_hop()'s answer. The order within a round: the chosen hop, then the others from
 * the first on. A route without hops gives turns without members.
 */
static inline void mrd_pick_turn(const struct mrd_route *route, __u32 chosen, __u32 step,
				 struct mrd_turn *ret_turn)
{
	const __u32 is_empty = mrd_is_less(route->hop_count, 1);
	const __u32 hop_count = route->hop_count + is_empty;
	const __u32 number = step / MRD_PICK_TRIES;
	const __u32 order = number % hop_count;
	const __u32 is_first = mrd_is_less(order, 1);
	const __u32 is_behind = mrd_is_less(chosen, order);
	const __u32 index = is_first * chosen + (1 - is_first) * (order - 1 + is_behind);
	const struct mrd_hop *hop = &route->hops[index & (MRD_HOPS_MAX - 1)];
	const __u32 try = step % MRD_PICK_TRIES;
	__u32 round = number / hop_count, is_later;

	MRD_OPAQUE(round);
	is_later = 1 - mrd_is_less(round, 1);
	ret_turn->is_new = !round && !try;
	/* A later round starts over: it only knows the counter that was drawn last. */
	ret_turn->offset = (round - is_later) * MRD_PICK_TRIES + try;
	ret_turn->hop_id = hop->hop_id;
	ret_turn->locality_id = hop->locality_id;
	ret_turn->region_id = hop->region_id;
	ret_turn->member_count = hop->member_count * (1 - is_empty);
	ret_turn->accept = hop->accept;
}

/*
 * first: drawn from the counter of the hop that was entered last. False: no member is left for this
 * step.
 */
static inline bool mrd_turn_slot(const struct mrd_turn *turn, __u64 first, __u32 *ret_slot)
{
	if (turn->offset >= turn->member_count)
		return false;
	*ret_slot = ((__u32)first + turn->offset) % turn->member_count;
	return true;
}

/* For each way to accept, eight bits: the states it takes. */
#define MRD_STATE_BIT(accept, state) (1U << ((accept)*8 + (state)))
#define MRD_STATES_ACCEPTED                                     \
	(MRD_STATE_BIT(MRD_ACCEPT_ACTIVE, MRD_STATE_ACTIVE) |   \
	 MRD_STATE_BIT(MRD_ACCEPT_EJECTED, MRD_STATE_ACTIVE) |  \
	 MRD_STATE_BIT(MRD_ACCEPT_EJECTED, MRD_STATE_EJECTED) | \
	 MRD_STATE_BIT(MRD_ACCEPT_DRAINING, MRD_STATE_ACTIVE) | \
	 MRD_STATE_BIT(MRD_ACCEPT_DRAINING, MRD_STATE_DRAINING))

static inline bool mrd_state_accepted(enum mrd_state state, enum mrd_hop_accept accept)
{
	const __u32 bit = ((__u32)accept & 3) * 8 + ((__u32)state & 7);

	return MRD_STATES_ACCEPTED >> bit & 1;
}

enum mrd_judgement {
	MRD_JUDGED_USABLE,
	MRD_JUDGED_UNUSABLE,
	MRD_JUDGED_RACE, /* the rows do not belong together */
};

/*
 * member is the caller's copy. health may be NULL, and may be handed to another endpoint while it
 * is read: so the state is read first and the identity behind it, against the order in which a row
 * is written.
 */
static inline __attribute__((always_inline)) enum mrd_judgement
mrd_judge(__u32 service_id, const struct mrd_member *member, const struct mrd_health *health,
	  enum mrd_hop_accept accept)
{
	enum mrd_state state;

	if (member->seal != mrd_member_seal(service_id, member) || !health)
		return MRD_JUDGED_RACE;
	state = *(const volatile enum mrd_state *)&health->state;
	__asm__ volatile("" ::: "memory");
	if ((health->service_id ^ service_id) | (health->port ^ member->port) |
	    mrd_addr_differ(health->addr, member->addr))
		return MRD_JUDGED_RACE;
	return mrd_state_accepted(state, accept) ? MRD_JUDGED_USABLE : MRD_JUDGED_UNUSABLE;
}

#endif
