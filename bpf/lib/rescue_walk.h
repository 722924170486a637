/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The look-ups behind rescue.h: where a connection goes that has been in vain to some endpoints. */
#ifndef MRD_BPF_RESCUE_WALK_H
#define MRD_BPF_RESCUE_WALK_H

#include "kern.h"
#include "choose.h"
#include "rescue.h"

struct mrd_rescue_walk {
	struct mrd_tried tried;
	struct mrd_picked picked;
	struct mrd_turn turn;
	struct mrd_member_key key;
	__u64 first; /* drawn by chance, for the hop that was entered last */
	__u8 client[MRD_ADDR_LEN];
};

/* One a CPU. Functions that the verifier is to look at once find it here: kernels before 5.12 let
 * them take nothing but numbers and the context. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mrd_rescue_walk);
} mrd_rescue_walk SEC(".maps");

static __always_inline struct mrd_rescue_walk *mrd_rescue_walk_here(void)
{
	const __u32 index = 0;

	return bpf_map_lookup_elem(&mrd_rescue_walk, &index);
}

/* One step; not 0: picked is where to go. In a second walk that may be the client itself. Not
 * static, so that the verifier looks at it once, and not as often as there are steps and ways to
 * them. */
__noinline int mrd_rescue_step(__u32 step)
{
	struct mrd_rescue_walk *walk = mrd_rescue_walk_here();
	const struct mrd_route *route;
	const struct mrd_turn *turn;

	if (!walk)
		return 0;
	route = bpf_map_lookup_elem(&mrd_route, &walk->key.service_id);
	if (!route)
		return 0;
	turn = &walk->turn;
	mrd_rescue_turn(route, &walk->tried, step % MRD_RESCUE_STEPS, &walk->turn);
	if (MRD_READ_ONCE(route->service_id) != walk->key.service_id) {
		mrd_count_one(MRD_REASON_RACE);
		return 0;
	}
	/* Not the hop's counter: that is drawn from for the next connection's first choice, which
	 * would be the endpoint that this one has left, time and again. */
	if (turn->is_new && turn->member_count)
		walk->first = bpf_get_prandom_u32();
	walk->key.hop_id = turn->hop_id;
	walk->picked.locality_id = turn->locality_id;
	walk->picked.region_id = turn->region_id;
	return mrd_turn_slot(turn, walk->first, &walk->key.slot) &&
	       mrd_slot_usable(&walk->key, turn->accept, &walk->picked.member) &&
	       !mrd_tried_has(&walk->tried, walk->picked.member.endpoint_id) &&
	       (step >= MRD_RESCUE_STEPS ||
		mrd_addr_differ(walk->client, walk->picked.member.addr));
}

/* False: the connection has been everywhere, or the service is gone. client: its address. */
static __always_inline bool mrd_rescue_pick(__u32 service_id, const struct mrd_tried *tried,
					    const __u8 *client, struct mrd_picked *ret_picked)
{
	struct mrd_rescue_walk *walk = mrd_rescue_walk_here();

	if (!walk)
		return false;
	walk->key.service_id = service_id;
	walk->tried = *tried;
	mrd_addr_copy(walk->client, client);
	for (__u32 step = 0; step < 2 * MRD_RESCUE_STEPS; step++) {
		if (!mrd_rescue_step(step))
			continue;
		*ret_picked = walk->picked;
		return true;
	}
	return false;
}

/* The region of a hop of the service in this locality; 0: there is none (any more). Not static, as
 * mrd_rescue_step(). */
__noinline __u32 mrd_region_of(__u32 service_id, __u32 locality_id)
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
