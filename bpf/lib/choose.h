/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * VIP → service → endpoint: the look-ups behind ticket.h and pick.h.
 *
 * A row may be replaced, deleted, or its memory handed to another key while a hook reads it. So
 * every row is copied or read once, and then asked who it is. An answer that does not match is a
 * race: read again, try the next, or refuse; never use it.
 */
#ifndef MRD_BPF_CHOOSE_H
#define MRD_BPF_CHOOSE_H

#include "kern.h"
#include "pick.h"
#include "ticket.h"

#define MRD_SECOND_NS (1000ULL * 1000 * 1000)

/* The next number of a counter. Whoever adds a service makes its row; lost ones are made here. */
static __always_inline __u64 mrd_number_next(__u32 service_id, __u32 hop_id)
{
	const struct mrd_ticket_key key = {.service_id = service_id, .hop_id = hop_id};
	__u64 *number = bpf_map_lookup_elem(&mrd_ticket, &key);

	if (!number) {
		const __u64 first = 0;

		mrd_count_one(MRD_REASON_RACE);
		bpf_map_update_elem(&mrd_ticket, &key, &first, BPF_NOEXIST);
		number = bpf_map_lookup_elem(&mrd_ticket, &key);
		if (!number) /* the map is full: even in the long run only */
			return bpf_get_prandom_u32();
	}
#ifdef MRD_LEGACY_ATOMICS
	return (*number)++; /* per CPU */
#else
	return __sync_fetch_and_add(number, 1);
#endif
}

static __always_inline bool mrd_service_copy(const struct mrd_vip_key *vip,
					     struct mrd_service *ret_service)
{
	const struct mrd_service *row = bpf_map_lookup_elem(&mrd_service, vip);

	if (!row)
		return false;
	*ret_service = *row;
	return true;
}

/* False: no service of ours, or none any more. */
static __noinline bool mrd_service_find(const struct mrd_vip_key *vip,
					struct mrd_service *ret_service)
{
	if (!mrd_service_copy(vip, ret_service))
		return false;
	if (ret_service->seal == mrd_service_seal(vip, ret_service))
		return true;
	mrd_count_one(MRD_REASON_RACE);
	return mrd_service_copy(vip, ret_service) &&
	       ret_service->seal == mrd_service_seal(vip, ret_service);
}

/*
 * Does the plan use endpoints in this state there, as it does where no better ones are left? Not
 * static, so that the verifier looks at it once; weak, as more than one object has it.
 */
__weak __noinline int mrd_state_planned(__u32 service_id, __u32 locality_id, __u32 state)
{
	const struct mrd_route *route = bpf_map_lookup_elem(&mrd_route, &service_id);
	__u32 is_planned = 0;

	if (!route)
		return 0;
	for (__u32 i = 0; i < MRD_HOPS_MAX; i++)
		is_planned |= mrd_is_less(i, route->hop_count) &
			      mrd_is_less(route->hops[i].locality_id ^ locality_id, 1) &
			      (__u32)mrd_state_accepted(state, route->hops[i].accept);
	return (int)is_planned;
}

/* Is a remembered endpoint still this service's, and one for new connections? */
static __always_inline bool mrd_member_usable(__u32 service_id, const struct mrd_member *member)
{
	const struct mrd_health *health = bpf_map_lookup_elem(&mrd_health, &member->endpoint_id);
	const enum mrd_judgement judgement =
		mrd_judge(service_id, member, health, MRD_ACCEPT_ACTIVE);

	if (judgement != MRD_JUDGED_UNUSABLE || !health)
		return judgement == MRD_JUDGED_USABLE;
	return mrd_state_planned(service_id, health->locality_id, MRD_READ_ONCE(health->state));
}

/* 0: the endpoint is gone. */
static __always_inline __u32 mrd_locality_of(__u32 endpoint_id)
{
	const struct mrd_health *health = bpf_map_lookup_elem(&mrd_health, &endpoint_id);

	return health ? health->locality_id : 0;
}

/* Looks a member up. The copy is the caller's only if it is usable. */
static __always_inline bool mrd_slot_usable(const struct mrd_member_key *key,
					    enum mrd_hop_accept accept,
					    struct mrd_member *ret_member)
{
	const struct mrd_member *row = bpf_map_lookup_elem(&mrd_member, key);
	enum mrd_judgement judgement = MRD_JUDGED_RACE;

	if (row) {
		const struct mrd_health *health;

		*ret_member = *row;
		health = bpf_map_lookup_elem(&mrd_health, &ret_member->endpoint_id);
		judgement = mrd_judge(key->service_id, ret_member, health, accept);
	}
	if (judgement == MRD_JUDGED_USABLE)
		return true;
	mrd_count_one(judgement == MRD_JUDGED_RACE ? MRD_REASON_RACE : MRD_REASON_NEXT_MEMBER);
	return false;
}

static __always_inline enum mrd_reason mrd_reason_of(enum mrd_mode mode)
{
	switch (mode) {
	case MRD_MODE_FAILOVER:
		return MRD_REASON_PICK_FAILOVER;
	case MRD_MODE_DISTRIBUTE:
		return MRD_REASON_PICK_DISTRIBUTE;
	default:
		return MRD_REASON_PICK_POOL;
	}
}

/* A pick's answer. */
struct mrd_picked {
	struct mrd_member member;
	__u32 locality_id;
	__u32 region_id; /* 0: not known */
};

/* What a walk over the hops of a route keeps from step to step. */
struct mrd_walk {
	const struct mrd_route *route;
	__u64 first; /* drawn from the present hop's counter */
	struct mrd_member_key key;
	__u32 chosen;
	const __u8 *avoid; /* an address, or NULL */
	/* A usable member of that address, if its endpoint_id is not 0, and its route's mode. */
	struct mrd_picked own;
	enum mrd_mode own_mode;
};

/* Nothing yet; but the verifier is not to tell that from something, or it walks once for each. */
static __always_inline void mrd_walk_own_nothing(struct mrd_walk *walk)
{
	__u32 nothing = 0;

	MRD_OPAQUE(nothing);
	for (int i = 0; i < MRD_ADDR_LEN; i += 4)
		__builtin_memcpy(mrd_addr_aligned(walk->own.member.addr) + i, &nothing,
				 sizeof(nothing));
	walk->own.member.port = nothing;
	walk->own.member.endpoint_id = nothing;
	walk->own.member.seal = nothing;
	walk->own.member.report = (enum mrd_report)nothing;
	walk->own.locality_id = nothing;
	walk->own.region_id = nothing;
	walk->own_mode = (enum mrd_mode)nothing;
}

/*
 * One step. MRD_REASON_COUNT: go on. A function of its own, so that the verifier forgets its paths
 * at its end: they differ in nothing that the next step could see.
 */
static __noinline enum mrd_reason mrd_walk_step(struct mrd_walk *walk, __u32 step,
						struct mrd_picked *ret_picked)
{
	const __u32 service_id = walk->key.service_id;
	const struct mrd_route *route = walk->route;
	struct mrd_turn turn;

	mrd_pick_turn(route, walk->chosen, step, &turn);
	if (MRD_READ_ONCE(route->service_id) != service_id) {
		mrd_count_one(MRD_REASON_RACE); /* another service's hops: read anew */
		route = bpf_map_lookup_elem(&mrd_route, &walk->key.service_id);
		if (!route)
			return MRD_REASON_REFUSE_NO_ROUTE;
		walk->route = route;
		return MRD_REASON_COUNT;
	}
	if (turn.is_new && turn.member_count) {
		if (step)
			mrd_count_one(MRD_REASON_NEXT_HOP);
		if (turn.member_count > 1) /* of one any number is the same */
			walk->first = mrd_number_next(service_id, turn.hop_id);
	}
	walk->key.hop_id = turn.hop_id;
	ret_picked->locality_id = turn.locality_id;
	ret_picked->region_id = turn.region_id;
	if (!mrd_turn_slot(&turn, walk->first, &walk->key.slot) ||
	    !mrd_slot_usable(&walk->key, turn.accept, &ret_picked->member))
		return MRD_REASON_COUNT;
	if (walk->avoid && !mrd_addr_differ(walk->avoid, ret_picked->member.addr)) {
		mrd_count_one(MRD_REASON_NEXT_MEMBER);
		walk->own = *ret_picked;
		walk->own_mode = MRD_READ_ONCE(route->mode);
		return MRD_REASON_COUNT;
	}
	return mrd_reason_of(MRD_READ_ONCE(route->mode));
}

static __always_inline bool mrd_is_pick(enum mrd_reason reason)
{
	return reason >= MRD_REASON_PICK_POOL && reason <= MRD_REASON_PICK_UDP_FLOW;
}

/* avoid: an address whose members are the last choice, or NULL. */
static __noinline enum mrd_reason mrd_route_pick(__u32 service_id, const __u8 *avoid,
						 struct mrd_picked *ret_picked)
{
	struct mrd_walk walk = {.key.service_id = service_id, .avoid = avoid};

	walk.route = bpf_map_lookup_elem(&mrd_route, &walk.key.service_id);
	if (!walk.route)
		return MRD_REASON_REFUSE_NO_ROUTE;
	mrd_walk_own_nothing(&walk);
	if (!mrd_pick_is_sure(walk.route))
		walk.chosen = mrd_pick_hop(
			walk.route, mrd_ticket_of(mrd_number_next(service_id, MRD_SERVICE_TICKET)));
	for (__u32 step = 0; step < MRD_PICK_STEPS; step++) {
		const enum mrd_reason reason = mrd_walk_step(&walk, step, ret_picked);

		if (reason != MRD_REASON_COUNT)
			return reason;
	}
	if (!walk.own.member.endpoint_id)
		return MRD_REASON_REFUSE_NO_ENDPOINT;
	*ret_picked = walk.own;
	return mrd_reason_of(walk.own_mode);
}

/*
 * Session affinity: the client's remembered endpoint, while it is usable. Each use renews it, in
 * place: should the row have become another client's meanwhile, that one stays a little longer.
 */
static __noinline bool mrd_affinity_find(const struct mrd_affinity_key *key, __u64 now_ns,
					 __u64 until_ns, struct mrd_member *ret_member)
{
	struct mrd_affinity *row = bpf_map_lookup_elem(&mrd_affinity, key);
	struct mrd_member member;

	if (!row || row->until_ns <= now_ns)
		return false;
	member = row->member;
	if (!mrd_member_usable(key->service_id, &member))
		return false;
	*ret_member = member;
	row->until_ns = until_ns;
	return true;
}

static __always_inline void mrd_affinity_keep(const struct mrd_affinity_key *key, __u64 until_ns,
					      const struct mrd_member *member)
{
	const struct mrd_affinity fresh = {.member = *member, .until_ns = until_ns};

	bpf_map_update_elem(&mrd_affinity, key, &fresh, BPF_ANY);
}

/* A pick was made use of. */
static __always_inline void mrd_pick_count(__u32 endpoint_id)
{
	struct mrd_stat *stat = bpf_map_lookup_elem(&mrd_stat, &endpoint_id);

	if (stat)
		__sync_fetch_and_add(&stat->connects, 1);
}

/*
 * The endpoint of a new connection or conversation. client: as mrd_affinity_key has it, where the
 * service asks for it. is_counted: in mrd_stat; otherwise that is the caller's.
 */
static __always_inline enum mrd_reason mrd_service_pick(const struct mrd_service *service,
							struct mrd_affinity_key *client,
							const __u8 *avoid, bool is_counted,
							struct mrd_picked *ret_picked)
{
	const bool sticky = service->affinity == MRD_AFFINITY_CLIENT_IP;
	enum mrd_reason reason = MRD_REASON_PICK_AFFINITY;
	__u64 until_ns = 0;
	bool found = false;

	client->service_id = service->service_id;
	if (sticky) {
		const __u64 now_ns = bpf_ktime_get_ns();

		until_ns = now_ns + service->affinity_timeout_s * MRD_SECOND_NS;
		found = mrd_affinity_find(client, now_ns, until_ns, &ret_picked->member);
	}
	MRD_OPAQUE(until_ns); /* sticky or not, one walk */
	if (found) {
		ret_picked->locality_id = mrd_locality_of(ret_picked->member.endpoint_id);
	} else {
		reason = mrd_route_pick(service->service_id, avoid, ret_picked);
		if (!mrd_is_pick(reason))
			return reason;
		if (sticky)
			mrd_affinity_keep(client, until_ns, &ret_picked->member);
	}
	mrd_count_one(reason);
	if (is_counted)
		mrd_pick_count(ret_picked->member.endpoint_id);
	return reason;
}

#endif
