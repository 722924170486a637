/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * tcp.maxConnections: a connection takes a place in connect(), and gives it back at the end of a
 * failed handshake, when the socket is connected anew, or when its owner closes it, whichever
 * comes first. Two of them may meet on two CPUs; the socket's mark says which was the first.
 *
 * The place is taken before it is known to be free, and given back if it is not: so there are never
 * more than the limit, whoever counts at the same time. Each IP family of a service has a row, and
 * looks at the other's once it has counted in its own: so that holds for both together, too.
 *
 * A connection that no socket hook sees takes its place with its first SYN. Its forward row holds
 * that until both sides have said their last, one has reset the connection, or the row goes,
 * whichever comes first; here the row's mark says which (counting.h). A connection that goes to
 * another endpoint takes it along: until its row is written anew nobody else changes the mark.
 */
#ifndef MRD_BPF_LIMIT_H
#define MRD_BPF_LIMIT_H

#include "kern.h"
#include "counting.h"

enum mrd_place { MRD_PLACE_UNLIMITED, MRD_PLACE_TAKEN, MRD_PLACE_FULL };

static __always_inline void mrd_place_add(__u32 service_id, __s64 count)
{
	struct mrd_open *open = bpf_map_lookup_elem(&mrd_open, &service_id);

	/* Of a service that came anew under an old number, others may have been counted. */
	if (open && (count > 0 || MRD_READ_ONCE(open->connections) > 0))
		__sync_fetch_and_add(&open->connections, count);
}

static __always_inline __s64 mrd_places_of(__u32 service_id)
{
	const struct mrd_open *open = bpf_map_lookup_elem(&mrd_open, &service_id);

	return open ? MRD_READ_ONCE(open->connections) : 0;
}

static __always_inline enum mrd_place mrd_place_take(__u32 service_id)
{
	const struct mrd_setting *setting = bpf_map_lookup_elem(&mrd_setting, &service_id);
	struct mrd_open *open;
	__s64 before;

	if (!setting || !setting->max_connections)
		return MRD_PLACE_UNLIMITED;
	open = bpf_map_lookup_elem(&mrd_open, &service_id);
	if (!open)
		return MRD_PLACE_UNLIMITED;
#ifdef MRD_LEGACY_ATOMICS
	__sync_fetch_and_add(&open->connections, 1);
	before = MRD_READ_ONCE(open->connections) - 1; /* two at once may both find it full */
#else
	before = __sync_fetch_and_add(&open->connections, 1);
#endif
	if (setting->peer_id)
		before += mrd_places_of(setting->peer_id);
	if (before < (__s64)setting->max_connections)
		return MRD_PLACE_TAKEN;
	mrd_place_add(service_id, -1);
	return MRD_PLACE_FULL;
}

/* The row is to go, and gives its place back. False: its connection is being moved, and it stays.
 */
static __always_inline bool mrd_flow_leave(struct mrd_flow *forward)
{
	const enum mrd_counting was = mrd_counting_set(forward, MRD_COUNTING_NEVER);

	if (was == MRD_COUNTING_NOW)
		mrd_place_add(forward->service_id, -1);
	return was != MRD_COUNTING_MOVING;
}

/* The flow's state has changed: one that is over has no place, one that goes on all the same has.
 */
static __always_inline void mrd_flow_count(struct mrd_flow *forward)
{
	const __s32 adds = mrd_counting_follow(forward);

	if (adds)
		mrd_place_add(forward->service_id, adds);
}

#endif
