/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The look-ups behind rescue.h: where a connection goes that has been in vain to some endpoints. */
#ifndef MRD_BPF_RESCUE_WALK_H
#define MRD_BPF_RESCUE_WALK_H

#include "kern.h"
#include "choose.h"
#include "rescue.h"

/*
 * Stands in a map: of numbers on the stack the verifier remembers each, and finds no two steps
 * alike.
 */
struct mrd_rescue_walk {
	struct mrd_tried tried;
	struct mrd_picked picked;
	struct mrd_turn turn;
	struct mrd_member_key key;
	__u64 first; /* drawn from the counter of the hop that was entered last */
};

/* One step, for the verifier a function of its own (see mrd_walk_step()). True: found. */
static __noinline bool mrd_rescue_step(const struct mrd_route *route, struct mrd_rescue_walk *walk,
				       __u32 step)
{
	const struct mrd_turn *turn = &walk->turn;

	mrd_rescue_turn(route, &walk->tried, step, &walk->turn);
	if (MRD_READ_ONCE(route->service_id) != walk->key.service_id) {
		mrd_count_one(MRD_REASON_RACE);
		return false;
	}
	if (turn->is_new && turn->member_count)
		walk->first = mrd_number_next(walk->key.service_id, turn->hop_id);
	walk->key.hop_id = turn->hop_id;
	walk->picked.locality_id = turn->locality_id;
	walk->picked.region_id = turn->region_id;
	return mrd_turn_slot(turn, walk->first, &walk->key.slot) &&
	       mrd_slot_usable(&walk->key, turn->accept, &walk->picked.member) &&
	       !mrd_tried_has(&walk->tried, walk->picked.member.endpoint_id);
}

/* tried is set. True: picked is. False: the connection has been everywhere, or the service is gone.
 */
static __noinline bool mrd_rescue_pick(__u32 service_id, struct mrd_rescue_walk *walk)
{
	const struct mrd_route *route = bpf_map_lookup_elem(&mrd_route, &service_id);

	if (!route)
		return false;
	walk->key.service_id = service_id;
	for (__u32 step = 0; step < MRD_RESCUE_STEPS; step++)
		if (mrd_rescue_step(route, walk, step))
			return true;
	return false;
}

/* The region of a hop of the service in this locality; 0: there is none (any more). */
static __noinline __u32 mrd_region_of(__u32 service_id, __u32 locality_id)
{
	const struct mrd_route *route = bpf_map_lookup_elem(&mrd_route, &service_id);
	__u32 region_id = 0;

	if (!route)
		return 0;
	for (__u32 i = 0; i < MRD_HOPS_MAX; i++)
		if (i < route->hop_count && route->hops[i].locality_id == locality_id)
			region_id = route->hops[i].region_id;
	return region_id;
}

#endif
