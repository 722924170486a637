// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Packets of connections that no socket hook has seen: their destination is a VIP still. The first
 * packet of a connection is given an endpoint by the same pick as a connect() is; it and all that
 * follow are translated by the flow's row, and what comes back by the other row.
 *
 * mrd_tc_forward stands where packets of clients come by: at the host's end of a pod's veth on
 * ingress, at an uplink, for clients in the host's own namespace, on egress. mrd_tc_reverse stands
 * on the same interface the other way round. A flow is translated at the interface that it began
 * at and nowhere else: so the host's stack, its routes, its packet filter and its connection
 * tracking see both ways alike, from client to endpoint. Only with fastForward, which passes by
 * the stack, an endpoint's packet is translated where it comes in and handed to the client's
 * interface; and whatever is for a pod of this node goes straight to the other end of its veth. A
 * client in the host's namespace is behind the stack: what comes for it is translated wherever that
 * comes in.
 *
 * Where no flow began, a packet that neither opens nor moves one is let go at a glance. Elsewhere
 * one that is none of ours costs a look-up, or two if it may open a connection. All that is not
 * understood goes on as it is, by a named counter, and other programs of the hook run.
 */
#include "lib/kern.h"

#include "lib/answer.h"
#include "lib/choose.h"
#include "lib/flow.h"
#include "lib/flow_probe.h"
#include "lib/move.h"
#include "lib/packet.h"
#include "lib/quote.h"
#include "lib/skb.h"
#include "lib/track.h"

enum { MRD_AF_INET = 2, MRD_AF_INET6 = 10 };
enum { MRD_CLASH_PICKS = MRD_TRIED_MAX / 2 };

/* How a packet goes on past the host's stack. */
struct mrd_onward {
	__u32 ifindex;		 /* 0: it does not */
	__u32 is_peer;		 /* 1: straight to the other end of that veth */
	__u8 macs[MRD_MACS_LEN]; /* for that: to and from, as the frame has them */
	struct bpf_redir_neigh next;
};

/*
 * What a program works on, a packet at a time on each CPU. The stack would hold it, but of numbers
 * there the verifier remembers each, and goes through all that follows once for every way to read a
 * packet. Of what stands in a map it knows nothing.
 */
struct mrd_work {
	struct mrd_packet packet;
	struct mrd_onward onward;
	struct mrd_packet quoted; /* of an ICMP error */
	struct mrd_flow_key key;  /* of the row that translates the error */
	struct mrd_flow_key sent; /* of the row by which the quoted packet went */
	struct mrd_flow_tuple to; /* what the row makes of the packet, or of the error's key */
	struct mrd_flow_tuple quoted_to;
	struct mrd_flow_tuple outer;
	struct mrd_choice choice;
	struct mrd_tried clashed; /* endpoints that this connection cannot have */
	__u32 quote_diff;	  /* what a quoted packet's translation adds to the error's sum */
	__u64 tick;		  /* of the kernel, in which the clock was read last */
	__u64 tick_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mrd_work);
} mrd_work SEC(".maps");

static __always_inline struct mrd_work *mrd_work_here(void)
{
	const __u32 index = 0;

	return bpf_map_lookup_elem(&mrd_work, &index);
}

/* For what is known to a second: the clock is asked once in a tick, which costs a load. */
static __always_inline __u64 mrd_tick_ns(struct mrd_work *work)
{
	const __u64 tick = bpf_jiffies64();

	if (work->tick != tick) {
		work->tick = tick;
		work->tick_ns = mrd_now_coarse_ns();
	}
	return work->tick_ns;
}

static __always_inline int mrd_leave(enum mrd_reading reading)
{
	if (reading == MRD_READ_MALFORMED)
		mrd_count_one(MRD_REASON_PASS_MALFORMED);
	else if (reading == MRD_READ_HEADERS)
		mrd_count_one(MRD_REASON_PASS_HEADERS);
	else if (reading == MRD_READ_PROTOCOL)
		mrd_count_one(MRD_REASON_PASS_PROTOCOL);
	return MRD_TC_NEXT;
}

static __always_inline int mrd_unwritten(void)
{
	mrd_count_one(MRD_REASON_DROP_UNWRITTEN);
	return MRD_TC_DROP;
}

/* ------------------------------------------------------------------- past the host's stack */

/*
 * A VLAN's tag in the packet, or beside it, where the kernel keeps that of a packet that came in.
 * The stack has an interface for it, whose routes hold; and a tag would go on with the packet.
 */
static __always_inline bool mrd_is_tagged(const struct __sk_buff *skb,
					  const struct mrd_packet *packet)
{
	return packet->l3 != MRD_ETH_LEN || skb->vlan_present;
}

/*
 * A packet that may pass by the stack. Not a fragment: the stack may put a datagram together again,
 * and needs all of it then. Not a reset: the client's interface asks whether its connection goes
 * elsewhere. Not what a router has more to do with than to count a hop.
 */
static __always_inline bool mrd_may_be_fast(const struct __sk_buff *skb,
					    const struct mrd_packet *packet)
{
	return packet->part == MRD_PART_WHOLE && !mrd_is_tagged(skb, packet) &&
	       !(packet->tcp_flags & MRD_TCP_RST) && mrd_is_plain(packet) && packet->ttl > 1;
}

/* A pod's, and it is another namespace's: then what stands behind it is a veth's other end. */
static __always_inline bool mrd_is_pod(__u32 ifindex)
{
	const struct mrd_interface *row = bpf_map_lookup_elem(&mrd_interface, &ifindex);

	return row && !row->is_uplink && row->netns_id >= 0;
}

/*
 * Where the host's routes send such a packet, and by whom; nowhere, if it is too large. Into a
 * pod's namespace it goes at once, if its frame can be told to whom: the pod may be a bridge to a
 * virtual machine.
 */
static __noinline void mrd_route_find(struct __sk_buff *skb, const struct mrd_flow_tuple *to,
				      enum mrd_family family, struct mrd_onward *ret_onward)
{
	struct bpf_fib_lookup route = {.ifindex = skb->ifindex};
	long r;

	if (family == MRD_FAMILY_IPV4) {
		route.family = MRD_AF_INET;
		route.ipv4_src = mrd_addr_to_ipv4(to->source);
		route.ipv4_dst = mrd_addr_to_ipv4(to->destination);
	} else {
		route.family = MRD_AF_INET6;
		__builtin_memcpy(route.ipv6_src, to->source, MRD_ADDR_LEN);
		__builtin_memcpy(route.ipv6_dst, to->destination, MRD_ADDR_LEN);
	}
	r = bpf_fib_lookup(skb, &route, sizeof(route), 0);
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH)
		return;
	ret_onward->ifindex = route.ifindex;
	ret_onward->is_peer = r == BPF_FIB_LKUP_RET_SUCCESS && mrd_is_pod(route.ifindex);
	__builtin_memcpy(ret_onward->macs, route.dmac, sizeof(route.dmac));
	__builtin_memcpy(ret_onward->macs + sizeof(route.dmac), route.smac, sizeof(route.smac));
	ret_onward->next.nh_family = route.family; /* a next hop may be of the other one */
	__builtin_memcpy(ret_onward->next.ipv6_nh, route.ipv6_dst, MRD_ADDR_LEN);
}

/*
 * Sends on what is translated. A namespace takes what is for its host alone, and knows nothing of
 * the host's marks.
 */
static __noinline int mrd_send_on(struct __sk_buff *skb, struct mrd_onward *onward)
{
	if (!onward->is_peer)
		return (int)bpf_redirect_neigh(onward->ifindex, &onward->next, sizeof(onward->next),
					       0);
	if (bpf_skb_store_bytes(skb, 0, onward->macs, MRD_MACS_LEN, 0))
		return mrd_unwritten();
	if (skb->pkt_type == MRD_PACKET_OTHERHOST)
		bpf_skb_change_type(skb, MRD_PACKET_HOST);
	skb->mark = 0;
	return (int)bpf_redirect_peer(onward->ifindex, 0);
}

/* ------------------------------------------------------------------------------------- rows */

enum mrd_station {
	MRD_STATION_ELSEWHERE,
	MRD_STATION_HERE,
	MRD_STATION_AHEAD,  /* an endpoint's packet comes in, fastForward is on */
	MRD_STATION_AROUND, /* one of a pod of this node, for a client in the host's namespace */
};

/*
 * Of a flow that began elsewhere. A client in the host's namespace may be answered by way of
 * another uplink, or by a pod of this node: that answer goes in by the uplink, for the stack may
 * take it for forged if it came from the VIP by another interface than the one that leads there
 * (rp_filter).
 */
static __noinline enum mrd_station mrd_station_away(__u32 here, const struct mrd_flow *row,
						    enum mrd_flow_way way)
{
	const bool is_in = mrd_is_uplink(here) == (way == MRD_FLOW_REVERSE);

	if (row->is_uplink && is_in && row->way == MRD_FLOW_REVERSE)
		return mrd_is_uplink(here) ? MRD_STATION_HERE : MRD_STATION_AROUND;
	if (row->is_uplink && is_in)
		return MRD_STATION_ELSEWHERE;
	if (row->is_uplink)
		return row->way == way && mrd_is_uplink(here) ? MRD_STATION_HERE
							      : MRD_STATION_ELSEWHERE;
	/* Of a socket's connection an answer must not come translated: it would look late. */
	return is_in && row->way == MRD_FLOW_REVERSE && !row->is_socket && mrd_is_fast()
		       ? MRD_STATION_AHEAD
		       : MRD_STATION_ELSEWHERE;
}

/*
 * Is this where the flow is translated? At its own interface; a client that is its own endpoint
 * sends both ways there.
 */
static __always_inline enum mrd_station mrd_station_of(__u32 here, const struct mrd_flow *row,
						       enum mrd_flow_way way, bool hairpin)
{
	if (row->ifindex != here)
		return mrd_station_away(here, row, way);
	return row->way == way || hairpin ? MRD_STATION_HERE : MRD_STATION_ELSEWHERE;
}

static __noinline void mrd_onward_route(struct __sk_buff *skb, struct mrd_work *work,
					const struct mrd_flow_tuple *to, bool is_uplink)
{
	const struct mrd_packet *packet = &work->packet;
	struct mrd_onward *onward = &work->onward;

	if (is_uplink ? mrd_is_tagged(skb, packet) : !mrd_may_be_fast(skb, packet))
		return;
	mrd_route_find(skb, to, packet->key.family, onward);
	if (is_uplink && onward->ifindex == skb->ifindex)
		onward->ifindex = 0;
	onward->is_peer &= !is_uplink;
}

/*
 * Does a packet pass by the stack, to where? A client's, with fastForward. At an uplink the host
 * has routed it by the VIP: if its endpoint is not behind that interface, it goes to the one where
 * it is, in fragments, too: from outside the host would not take them, as they are its own.
 */
static __always_inline void mrd_onward_find(struct __sk_buff *skb, struct mrd_work *work,
					    const struct mrd_flow_tuple *to, bool is_uplink)
{
	if (is_uplink || mrd_is_fast())
		mrd_onward_route(skb, work, to, is_uplink);
}

/* What went around has the frame of where it came in. */
static __always_inline void mrd_take_in(struct __sk_buff *skb, const struct mrd_flow *row,
					enum mrd_flow_way way)
{
	if (row->is_uplink && way == MRD_FLOW_REVERSE && skb->pkt_type == MRD_PACKET_OTHERHOST)
		bpf_skb_change_type(skb, MRD_PACKET_HOST);
}

/* False: the memory of the row that was copied is another flow's by now. */
static __always_inline bool mrd_copy_fits(const struct mrd_flow_key *key,
					  const struct mrd_flow_tuple *to, enum mrd_flow_way way)
{
	if (mrd_flow_fits(&key->tuple, to, way))
		return true;
	mrd_count_one(MRD_REASON_RACE);
	return false;
}

static __always_inline bool mrd_row_copy(const struct mrd_flow_key *key, const struct mrd_flow *row,
					 struct mrd_flow_tuple *ret_to)
{
	mrd_tuple_copy(ret_to, &row->tuple);
	return mrd_copy_fits(key, ret_to, row->way);
}

/*
 * An endpoint's packet is handed to the client's interface from where it comes in. If the stack
 * would send it elsewhere, or could not without cutting it up, it is left to the stack.
 */
static __always_inline bool mrd_is_left(const struct mrd_work *work, const struct mrd_flow *row,
					enum mrd_station station)
{
	return station == MRD_STATION_ELSEWHERE ||
	       (station == MRD_STATION_AHEAD && work->onward.ifindex != row->ifindex);
}

/* Gives the packet its new ends, and sends it where they lead. is_uplink: the host sent it. */
static __noinline int mrd_translate(struct __sk_buff *skb, struct mrd_work *work, bool is_uplink)
{
	struct mrd_packet *packet = &work->packet;

	if ((work->onward.ifindex && !is_uplink && mrd_hop_write(skb, packet)) ||
	    mrd_packet_write(skb, packet, &work->to))
		return mrd_unwritten();
	if (mrd_is_hairpin(&packet->key.tuple, &work->to))
		return mrd_send_back(skb);
	return work->onward.ifindex ? mrd_send_on(skb, &work->onward) : MRD_TC_NEXT;
}

/*
 * Of answers those that are not a status line at a segment's start. Not static, as
 * mrd_rescue_step(): so it has to find the row again.
 */
__noinline int mrd_answer_read(struct __sk_buff *skb)
{
	struct mrd_work *work = mrd_work_here();
	struct mrd_flow *row = work ? bpf_map_lookup_elem(&mrd_flow, &work->packet.key) : NULL;

	if (row && row->way == MRD_FLOW_REVERSE)
		mrd_flow_hear_otherwise(skb, &work->packet, row);
	return 0;
}

/* What the probe has to do with a packet that its row translates. */
static __always_inline void mrd_on_payload(struct __sk_buff *skb, const struct mrd_packet *packet,
					   struct mrd_flow *row)
{
	if (row->way == MRD_FLOW_FORWARD) {
		if (mrd_may_be_request(packet, row))
			mrd_flow_ask(skb, packet, row);
	} else if (mrd_may_be_answer(packet, row) && !mrd_flow_hear(skb, packet, &row->probe)) {
		mrd_answer_read(skb);
	}
}

static __always_inline int mrd_on_row(struct __sk_buff *skb, struct mrd_work *work,
				      struct mrd_flow *row, enum mrd_flow_way way)
{
	const struct mrd_packet *packet = &work->packet;
	enum mrd_station station;
	bool hairpin, is_last, is_uplink;

	if (!mrd_row_copy(&packet->key, row, &work->to))
		return MRD_TC_NEXT;
	hairpin = mrd_is_hairpin(&packet->key.tuple, &work->to);
	station = mrd_station_of(skb->ifindex, row, way, hairpin);
	work->onward.ifindex = 0;
	if (station == MRD_STATION_AHEAD ||
	    (station == MRD_STATION_HERE && !hairpin && way == MRD_FLOW_FORWARD))
		mrd_onward_find(skb, work, &work->to, row->is_uplink);
	if (mrd_is_left(work, row, station))
		return MRD_TC_NEXT;
	if (packet->part == MRD_PART_FIRST)
		mrd_fragment_keep(packet);
	if (station == MRD_STATION_AROUND)
		return (int)bpf_redirect(row->ifindex, BPF_F_INGRESS);
	mrd_on_payload(skb, packet, row);
	/* Of a connection that was moved the rows stay a while: what the endpoint that was left
	 * says yet tells how long it takes. */
	is_last = mrd_flow_touch(packet, row, mrd_tick_ns(work)) && !row->is_socket;
	mrd_take_in(skb, row, way);
	is_uplink = row->is_uplink;
	if (is_last) /* and from here on the row may be another's */
		mrd_flow_drop(&packet->key, &work->to);
	return mrd_translate(skb, work, is_uplink);
}

/* -------------------------------------------------------------------------------- new flows */

/* MRD_REASON_PASS_NOT_SERVICE: the destination is none of ours. */
static __noinline enum mrd_reason mrd_choose(const struct mrd_packet *packet,
					     struct mrd_choice *ret_choice)
{
	struct mrd_affinity_key client;
	struct mrd_vip_key vip = {
		.family = packet->key.family,
		.protocol = packet->key.protocol,
		.port = packet->key.tuple.destination_port,
	};

	mrd_addr_copy(vip.addr, packet->key.tuple.destination);
	if (!mrd_service_find(&vip, &ret_choice->service))
		return MRD_REASON_PASS_NOT_SERVICE;
	if (!mrd_choice_place_take(packet, ret_choice))
		return MRD_REASON_REFUSE_LIMIT;
	client.client = mrd_affinity_client(packet->key.tuple.source);
	client.service_id = 0; /* the pick sets it */
	client.is_address = 1;
	return mrd_service_pick(&ret_choice->service, &client, packet->key.tuple.source, true,
				&ret_choice->picked);
}

/*
 * The client's port is in use with the endpoint that was chosen, by way of another VIP: answers
 * could not be told apart. The pick has its turns first, as it keeps to the plan; then whatever
 * endpoint has not been asked. Not static, as mrd_rescue_step().
 */
__noinline int mrd_open_elsewhere(struct __sk_buff *skb, __u32 turn)
{
	struct mrd_work *work = mrd_work_here();
	enum mrd_reason reason = MRD_REASON_PICK_POOL;
	struct mrd_picked *picked;
	__u32 service_id;

	if (!work)
		return MRD_REASON_REFUSE_CLASH;
	picked = &work->choice.picked;
	service_id = work->choice.service.service_id;
	if (!mrd_tried_has(&work->clashed, picked->member.endpoint_id))
		mrd_tried_add(&work->clashed, picked->member.endpoint_id, picked->region_id);
	if (turn < MRD_CLASH_PICKS)
		reason = mrd_route_pick(service_id, work->packet.key.tuple.source, picked);
	else if (!mrd_rescue_pick(service_id, &work->clashed, work->packet.key.tuple.source,
				  picked))
		return MRD_REASON_REFUSE_CLASH;
	if (!mrd_is_pick(reason))
		return reason;
	if (mrd_tried_has(&work->clashed, picked->member.endpoint_id))
		return MRD_REASON_REFUSE_CLASH;
	mrd_count_one(MRD_REASON_NEXT_MEMBER);
	mrd_pick_count(picked->member.endpoint_id);
	return mrd_flow_open(&work->packet, &work->choice, skb->ifindex,
			     mrd_is_uplink(skb->ifindex), &work->to);
}

/* A request that comes with its SYN (Fast Open). */
static __noinline void mrd_on_early_payload(struct __sk_buff *skb, const struct mrd_packet *packet)
{
	struct mrd_flow *row = bpf_map_lookup_elem(&mrd_flow, &packet->key);

	if (row && row->way == MRD_FLOW_FORWARD && mrd_may_be_request(packet, row))
		mrd_flow_ask(skb, packet, row);
}

static __noinline int mrd_on_new(struct __sk_buff *skb, struct mrd_work *work)
{
	const struct mrd_packet *packet = &work->packet;
	enum mrd_reason reason = mrd_choose(packet, &work->choice);
	bool is_uplink;

	if (reason == MRD_REASON_PASS_NOT_SERVICE) {
		if (mrd_is_syn(packet))
			mrd_leftover_drop(skb, &packet->key);
		return MRD_TC_NEXT;
	}
	is_uplink = mrd_is_uplink(skb->ifindex);
	if (mrd_is_pick(reason))
		reason = mrd_flow_open(packet, &work->choice, skb->ifindex, is_uplink, &work->to);
	work->clashed.count = 0;
	for (__u32 turn = 0; turn < MRD_TRIED_MAX && reason == MRD_REASON_REFUSE_CLASH; turn++)
		reason = mrd_open_elsewhere(skb, turn);
	mrd_choice_place_return(&work->choice);
	if (reason != MRD_REASON_COUNT)
		return mrd_answer_refusal(skb, packet, reason);
	/* The row may be one that another CPU has made meanwhile. */
	if (!mrd_copy_fits(&packet->key, &work->to, MRD_FLOW_FORWARD))
		return MRD_TC_NEXT;
	if (!mrd_addr_differ(packet->key.tuple.source, work->choice.picked.member.addr))
		mrd_count_one(MRD_REASON_HAIRPIN);
	if (mrd_is_syn(packet) && mrd_has_payload(packet))
		mrd_on_early_payload(skb, packet);
	if (packet->part == MRD_PART_FIRST)
		mrd_fragment_keep(packet);
	work->onward.ifindex = 0;
	if (!mrd_is_hairpin(&packet->key.tuple, &work->to))
		mrd_onward_find(skb, work, &work->to, is_uplink);
	return mrd_translate(skb, work, is_uplink);
}

/* --------------------------------------------------------------------------------- packets */

/*
 * An ICMP error. What it quotes went the other way, translated; so the row that translates the
 * error's way is found by the quoted packet turned round.
 */
static __noinline int mrd_on_error(struct __sk_buff *skb, struct mrd_work *work,
				   enum mrd_flow_way way)
{
	const struct mrd_packet *packet = &work->packet;
	struct mrd_packet *quoted = &work->quoted;
	const enum mrd_reading reading = mrd_quote_read(skb, packet, quoted);
	enum mrd_station station;
	struct mrd_flow *row;

	if (reading != MRD_READ_DONE)
		return mrd_leave(reading);
	mrd_flow_other(&work->key, &quoted->key, &quoted->key.tuple);
	row = bpf_map_lookup_elem(&mrd_flow, &work->key);
	if (way == MRD_FLOW_REVERSE &&
	    mrd_move_on_error(skb, packet, quoted, row, &work->sent) == MRD_MOVE_DROP)
		return MRD_TC_DROP;
	if (!row || !mrd_row_copy(&work->key, row, &work->to))
		return MRD_TC_NEXT;
	station =
		mrd_station_of(skb->ifindex, row, way, mrd_is_hairpin(&work->key.tuple, &work->to));
	if (station == MRD_STATION_AROUND)
		return (int)bpf_redirect(row->ifindex, BPF_F_INGRESS);
	if (station != MRD_STATION_HERE)
		return MRD_TC_NEXT;
	mrd_take_in(skb, row, way);
	mrd_error_outer(packet, &work->key.tuple, &work->to, &work->outer);
	mrd_tuple_turn(&work->quoted_to, &work->to);
	if (mrd_quote_write(skb, quoted, &work->quoted_to, &work->quote_diff) ||
	    mrd_error_write(skb, packet, &work->outer, work->quote_diff))
		return mrd_unwritten();
	mrd_count_one(MRD_REASON_ICMP_ERROR);
	if (mrd_is_hairpin(&work->key.tuple, &work->to))
		return mrd_send_back(skb);
	work->onward.ifindex = 0;
	if (way == MRD_FLOW_FORWARD && row->is_uplink)
		mrd_onward_find(skb, work, &work->outer, true);
	return work->onward.ifindex ? mrd_send_on(skb, &work->onward) : MRD_TC_NEXT;
}

static __always_inline bool mrd_is_moved_datagram(const struct mrd_packet *packet,
						  const struct mrd_flow *row)
{
	return row->is_socket && row->way == MRD_FLOW_FORWARD &&
	       packet->key.protocol == MRD_PROTOCOL_UDP && packet->part != MRD_PART_LATER;
}

/* May this be a packet of a connection that is to go elsewhere? Of most packets it is not asked. */
static __always_inline enum mrd_move mrd_move_of(struct __sk_buff *skb,
						 const struct mrd_packet *packet,
						 struct mrd_flow *row, enum mrd_flow_way way)
{
	const __u32 flags = packet->tcp_flags;

	if (way == MRD_FLOW_FORWARD && mrd_is_syn(packet))
		return mrd_move_on_syn(skb, packet, row);
	if (way == MRD_FLOW_FORWARD)
		return row && mrd_is_moved_datagram(packet, row)
			       ? mrd_move_on_datagram(skb, packet, row)
			       : MRD_MOVE_NONE;
	if (flags & MRD_TCP_RST || (flags & MRD_TCP_SYN && !row))
		return mrd_move_on_reply(skb, packet, row);
	return MRD_MOVE_NONE;
}

/* A connection's ports are used again once it is over, as its client should know. */
static __always_inline bool mrd_is_over(const struct mrd_packet *packet, const struct mrd_flow *row)
{
	return mrd_is_syn(packet) && row->way == MRD_FLOW_FORWARD &&
	       (mrd_flow_is_ended(row->state) || row->state == MRD_FLOW_DOUBTED);
}

/*
 * The row of a connection that the agent has ended, and no SYN for a new one. Its client is told,
 * unless the packet has no numbers to tell it by, or says the same.
 */
static __always_inline bool mrd_is_cut(const struct __sk_buff *skb, const struct mrd_flow *row)
{
	return row->state == MRD_FLOW_CUT && row->way == MRD_FLOW_FORWARD &&
	       row->ifindex == skb->ifindex;
}

static __always_inline int mrd_on_cut(struct __sk_buff *skb, const struct mrd_packet *packet)
{
	if (packet->part != MRD_PART_LATER && !(packet->tcp_flags & MRD_TCP_RST))
		return mrd_answer_refusal(skb, packet, MRD_REASON_FLOW_CUT);
	mrd_count_one(MRD_REASON_FLOW_CUT);
	return MRD_TC_DROP;
}

/* Of TCP and UDP, with ports. has_rows: it is worth looking for one. */
static __always_inline int mrd_on_ports(struct __sk_buff *skb, struct mrd_work *work,
					enum mrd_flow_way way, bool has_rows)
{
	const struct mrd_packet *packet = &work->packet;
	struct mrd_flow *row = has_rows ? bpf_map_lookup_elem(&mrd_flow, &packet->key) : NULL;
	const enum mrd_move move = mrd_move_of(skb, packet, row, way);

	if (move == MRD_MOVE_DROP)
		return MRD_TC_DROP;
	if (move == MRD_MOVE_STRAIGHT)
		return MRD_TC_NEXT;
	if (move == MRD_MOVE_REREAD)
		row = bpf_map_lookup_elem(&mrd_flow, &packet->key);
	if (row && way == MRD_FLOW_FORWARD && mrd_is_over(packet, row) && mrd_flow_leave(row)) {
		mrd_reverse_heed(&packet->key, &row->tuple);
		mrd_flow_drop(&packet->key, &row->tuple);
		row = NULL;
	}
	if (row && mrd_is_cut(skb, row))
		return mrd_on_cut(skb, packet);
	if (row)
		return mrd_on_row(skb, work, row, way);
	if (way == MRD_FLOW_FORWARD && mrd_is_opening(packet))
		return mrd_on_new(skb, work);
	return MRD_TC_NEXT;
}

static __always_inline int mrd_on_packet(struct __sk_buff *skb, enum mrd_flow_way way)
{
	const bool has_rows = mrd_may_have_rows(skb->ifindex, way);
	struct mrd_work *work;
	enum mrd_reading reading;

	if (!has_rows && mrd_is_under_way(skb, way))
		return MRD_TC_NEXT;
	work = mrd_work_here();
	if (!work)
		return MRD_TC_NEXT;
	reading = mrd_packet_read(skb, &work->packet);
	if (reading != MRD_READ_DONE)
		return mrd_leave(reading);
	if (work->packet.part == MRD_PART_LATER && !mrd_fragment_find(&work->packet)) {
		mrd_count_one(MRD_REASON_PASS_FRAGMENT);
		return MRD_TC_NEXT;
	}
	if (!mrd_is_ours(work->packet.key.protocol))
		return mrd_on_error(skb, work, way);
	return mrd_on_ports(skb, work, way, has_rows);
}

SEC("tc")
int mrd_tc_forward(struct __sk_buff *skb)
{
	return mrd_on_packet(skb, MRD_FLOW_FORWARD);
}

SEC("tc")
int mrd_tc_reverse(struct __sk_buff *skb)
{
	return mrd_on_packet(skb, MRD_FLOW_REVERSE);
}
