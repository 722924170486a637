/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The flows of TC: rows made, found and dropped; and the fragments that belong to them.
 *
 * A flow has two rows. The reverse one is written first, so that an answer never comes before what
 * translates it; a flow whose second row cannot be written has none.
 */
#ifndef MRD_BPF_TRACK_H
#define MRD_BPF_TRACK_H

#include "kern.h"
#include "choose.h"
#include "flow.h"
#include "limit.h"
#include "packet.h"
#include "report.h"
#include "rescue.h"
#include "skb.h"
#include "tcp_seq.h"

#define MRD_EEXIST 17
/* Both the kernels' own: net.ipv4.ipfrag_time, and RFC 8200. */
#define MRD_FRAGMENT_IPV4_NS (30 * MRD_SECOND_NS)
#define MRD_FRAGMENT_IPV6_NS (60 * MRD_SECOND_NS)

/* What was chosen for a new flow. */
struct mrd_choice {
	struct mrd_service service;
	struct mrd_picked picked;
	enum mrd_counting counting; /* NOW: it has a place in mrd_open, which no row holds yet */
};

/* --------------------------------------------------------------------------------- places */

static __always_inline bool mrd_is_fast(void)
{
	const __u32 index = 0;
	const struct mrd_config *config = bpf_map_lookup_elem(&mrd_config, &index);

	return config && config->fast_forward;
}

/* Are responses read at all? */
static __always_inline bool mrd_is_probed(void)
{
	const __u32 index = 0;
	const struct mrd_config *config = bpf_map_lookup_elem(&mrd_config, &index);

	return config && config->probe;
}

static __always_inline __u32 mrd_place_of(__u32 ifindex)
{
	return ifindex & (MRD_PLACES - 1);
}

static __always_inline void mrd_place_count(__u32 place)
{
	__u64 *opened = bpf_map_lookup_elem(&mrd_opened, &place);

	if (opened)
		__sync_fetch_and_add(opened, 1);
}

/*
 * Once the rows of a flow are there: the sweep takes the number first and looks for rows then. So
 * what it does not see was counted later, and keeps the place open.
 */
static __always_inline void mrd_place_open(const struct mrd_flow *row)
{
	mrd_place_count(mrd_place_of(row->ifindex));
	if (row->is_uplink || (!row->is_socket && mrd_is_fast()))
		mrd_place_count(MRD_PLACE_ANY);
}

static __always_inline bool mrd_place_is_open(__u32 place)
{
	const __u64 *opened = bpf_map_lookup_elem(&mrd_opened, &place);
	const __u64 *settled = bpf_map_lookup_elem(&mrd_settled, &place);

	return !opened || !settled || *opened != *settled;
}

/*
 * May there be a row for a packet that comes by here? Rows that hold at any interface concern one
 * that leaves by a pod's only if it began there.
 */
static __always_inline bool mrd_may_have_rows(__u32 ifindex, enum mrd_flow_way way)
{
	if (mrd_place_is_open(mrd_place_of(ifindex)))
		return true;
	return mrd_place_is_open(MRD_PLACE_ANY) &&
	       (way == MRD_FLOW_FORWARD || mrd_is_uplink(ifindex));
}

/* --------------------------------------------------------------------------------- flows */

/* Where connections are limited, a new one needs a place. False: there is none. */
static __noinline bool mrd_choice_place_take(const struct mrd_packet *packet,
					     struct mrd_choice *choice)
{
	enum mrd_place place = MRD_PLACE_UNLIMITED;

	if (choice->service.has_setting && packet->key.protocol == MRD_PROTOCOL_TCP)
		place = mrd_place_take(choice->service.service_id);
	choice->counting = place == MRD_PLACE_TAKEN ? MRD_COUNTING_NOW : MRD_COUNTING_NEVER;
	return place != MRD_PLACE_FULL;
}

/* Of a flow that could not be, or that another CPU has opened. */
static __always_inline void mrd_choice_place_return(const struct mrd_choice *choice)
{
	if (choice->counting == MRD_COUNTING_NOW)
		mrd_place_add(choice->service.service_id, -1);
}

static __noinline void mrd_flow_drop(const struct mrd_flow_key *key,
				     const struct mrd_flow_tuple *value)
{
	struct mrd_flow_key other;

	mrd_flow_other(&other, key, value);
	bpf_map_delete_elem(&mrd_flow, key);
	bpf_map_delete_elem(&mrd_flow, &other);
}

/* Where a packet of the client goes. If that is the client itself, its source is the VIP. */
static __always_inline void mrd_flow_target(const struct mrd_flow_tuple *from,
					    const struct mrd_member *member,
					    struct mrd_flow_tuple *ret_to)
{
	mrd_addr_copy(ret_to->source, mrd_addr_differ(from->source, member->addr)
					      ? from->source
					      : from->destination);
	mrd_addr_copy(ret_to->destination, member->addr);
	ret_to->source_port = from->source_port;
	ret_to->destination_port = member->port;
}

/*
 * A row of these two ends is there already. It may be what is left of a flow like this one, or one
 * that is over, whose other row then goes, lest its end takes ours along; otherwise its answers
 * could not be told from ours.
 */
static __noinline bool mrd_reverse_is_free(const struct mrd_flow_key *key,
					   const struct mrd_flow_tuple *wanted)
{
	struct mrd_flow *row = bpf_map_lookup_elem(&mrd_flow, key);
	struct mrd_flow_key other;

	if (!row)
		return true;
	if (row->way == MRD_FLOW_REVERSE && !mrd_tuple_differ(&row->tuple, wanted))
		return true;
	mrd_flow_other(&other, key, &row->tuple);
	row = bpf_map_lookup_elem(&mrd_flow, &other);
	if (!row)
		return true;
	if (!mrd_flow_is_ended(row->state) || !mrd_flow_leave(row))
		return false;
	bpf_map_delete_elem(&mrd_flow, &other);
	return true;
}

/* Kernels before 6.4 leave the upper half of what this helper returns as it was. */
static __always_inline int mrd_flow_insert(const struct mrd_flow_key *key,
					   const struct mrd_flow *row)
{
	return (int)bpf_map_update_elem(&mrd_flow, key, row, BPF_NOEXIST);
}

/* MRD_REASON_COUNT: the reverse row is there; or why the flow must be refused. */
static __always_inline enum mrd_reason mrd_reverse_write(const struct mrd_flow_key *key,
							 const struct mrd_flow *row)
{
	const int r = mrd_flow_insert(key, row);

	if (!r)
		return MRD_REASON_COUNT;
	if (r != -MRD_EEXIST)
		return MRD_REASON_REFUSE_FLOWS;
	if (!mrd_reverse_is_free(key, &row->tuple))
		return MRD_REASON_REFUSE_CLASH;
	return bpf_map_update_elem(&mrd_flow, key, row, BPF_ANY) ? MRD_REASON_REFUSE_FLOWS
								 : MRD_REASON_COUNT;
}

/*
 * Another CPU may have opened the same flow meanwhile: then that one holds, and ours goes. ret_to:
 * where the packet goes.
 */
static __always_inline enum mrd_reason mrd_forward_write(const struct mrd_packet *packet,
							 struct mrd_flow_key *reverse,
							 const struct mrd_flow *row,
							 struct mrd_choice *choice,
							 struct mrd_flow_tuple *ret_to)
{
	const int r = mrd_flow_insert(&packet->key, row);
	const struct mrd_flow *there;

	mrd_tuple_copy(ret_to, &row->tuple);
	if (!r) {
		choice->counting = MRD_COUNTING_NEVER;
		mrd_place_open(row);
		return MRD_REASON_COUNT;
	}
	there = r == -MRD_EEXIST ? bpf_map_lookup_elem(&mrd_flow, &packet->key) : NULL;
	if (there)
		mrd_tuple_copy(ret_to, &there->tuple);
	if (!there || mrd_tuple_differ(ret_to, &row->tuple))
		bpf_map_delete_elem(&mrd_flow, reverse);
	return there ? MRD_REASON_COUNT : MRD_REASON_REFUSE_FLOWS;
}

/* For what is known to a second; half as dear where it is to be had (Linux 5.11). */
static __always_inline __u64 mrd_now_coarse_ns(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_ktime_get_coarse_ns))
		return bpf_ktime_get_coarse_ns();
	return bpf_ktime_get_ns();
}

/* MRD_REASON_COUNT: the rows are there; anything else is why the flow must be refused. */
static __noinline enum mrd_reason mrd_flow_open(const struct mrd_packet *packet,
						struct mrd_choice *choice, __u32 ifindex,
						bool is_uplink, struct mrd_flow_tuple *ret_to)
{
	struct mrd_flow row = {
		.way = MRD_FLOW_REVERSE,
		.service_id = choice->service.service_id,
		.endpoint_id = choice->picked.member.endpoint_id,
		.ifindex = ifindex,
		.is_uplink = is_uplink,
	};
	struct mrd_flow_key reverse;
	enum mrd_reason reason;

	mrd_flow_target(&packet->key.tuple, &choice->picked.member, &row.tuple);
	mrd_flow_other(&reverse, &packet->key, &row.tuple);
	mrd_tuple_turn(&row.tuple, &packet->key.tuple);
	reason = mrd_reverse_write(&reverse, &row);
	if (reason != MRD_REASON_COUNT)
		return reason;

	mrd_flow_target(&packet->key.tuple, &choice->picked.member, &row.tuple);
	row.way = MRD_FLOW_FORWARD;
	row.state = mrd_flow_first(packet->key.protocol);
	row.sent_ns = bpf_ktime_get_ns();
	row.last_ns = mrd_now_coarse_ns();
	row.first_ns = row.sent_ns;
	row.locality_id = (__u16)choice->picked.locality_id;
	row.report = (__u8)choice->picked.member.report;
	row.first_seq = mrd_seq_fold(packet->seq);
	row.counting = choice->counting;
	mrd_tried_add(&row.tried, row.endpoint_id, choice->picked.region_id);
	return mrd_forward_write(packet, &reverse, &row, choice, ret_to);
}

static __always_inline void mrd_answer_teach(__u32 locality_id, __u64 sent_ns)
{
	struct mrd_handshake *row = bpf_map_lookup_elem(&mrd_handshake, &locality_id);
	const __u64 now_ns = bpf_ktime_get_ns();

	if (row)
		mrd_handshake_learn(row, (__u32)((now_ns - sent_ns) / 1000), now_ns);
}

/* Of a socket's connection the probe at sockets reads responses. */
static __always_inline bool mrd_flow_is_read(const struct mrd_flow *forward)
{
	return forward->report != MRD_REPORT_NOTHING && !forward->is_socket;
}

/* The endpoint of a connection at TC has answered. */
static __noinline void mrd_report_answer(const struct mrd_flow *flow, bool is_tcp)
{
	const bool is_read = is_tcp && mrd_flow_is_read(flow) && mrd_is_probed();
	const struct mrd_party party = {flow->service_id, flow->endpoint_id, flow->report};

	if (flow->report != MRD_REPORT_ALL && mrd_never_failed(party.endpoint_id))
		return;
	mrd_party_succeeded(&party, mrd_party_stat(&party), MRD_EVENT_CONNECTED,
			    is_read ? 0 : MRD_STATUS_UNREAD);
}

/*
 * The client has reset the connection, goes on all the same, or begins a new one. What waits to be
 * told is told now, and the endpoint's next packet is to be looked at, whenever its last one was.
 */
static __noinline void mrd_reverse_heed(const struct mrd_flow_key *key,
					const struct mrd_flow_tuple *value)
{
	struct mrd_flow_key other;
	struct mrd_flow *row;

	mrd_flow_other(&other, key, value);
	row = bpf_map_lookup_elem(&mrd_flow, &other);
	if (!row || row->way != MRD_FLOW_REVERSE)
		return;
	mrd_probe_tell(&row->probe);
	row->last_ns = 0;
}

/* As mrd_flow_touch(), of a packet that may be news. */
static __noinline bool mrd_flow_learn(const struct mrd_packet *packet, struct mrd_flow *row,
				      __u64 now_ns)
{
	const __u32 flags = packet->tcp_flags & MRD_TCP_NEWS;
	const enum mrd_flow_way way = row->way;
	struct mrd_flow *forward = row;
	enum mrd_flow_state state;

	row->last_ns = now_ns;
	if (way == MRD_FLOW_REVERSE) {
		struct mrd_flow_key key;

		if (flags & MRD_TCP_FIN)
			row->state = MRD_FLOW_CLOSED;
		if (packet->tcp_flags & MRD_TCP_ACK)
			mrd_request_mark(&row->probe, bpf_ntohl(packet->ack_seq) - 1);
		mrd_flow_other(&key, &packet->key, &row->tuple);
		forward = bpf_map_lookup_elem(&mrd_flow, &key);
		if (!forward || forward->way != MRD_FLOW_FORWARD)
			return false;
	}
	forward->last_ns = now_ns;
	state = mrd_flow_next(forward->state, way, flags);
	if (state == forward->state)
		return mrd_flow_is_last(forward, packet);
	if (state == MRD_FLOW_SYN_RECV && !forward->is_resent)
		mrd_answer_teach(forward->locality_id, forward->sent_ns);
	/* Of a socket's connection sockops tells. */
	if (mrd_flow_is_answer(forward->state, state) && !forward->is_socket)
		mrd_report_answer(forward, state == MRD_FLOW_SYN_RECV);
	mrd_flow_turn(forward, packet, state);
	mrd_flow_count(forward);
	if (way == MRD_FLOW_FORWARD && (state == MRD_FLOW_DOUBTED || state == MRD_FLOW_RESET))
		mrd_reverse_heed(&packet->key, &row->tuple);
	return false;
}

/*
 * What a packet tells of its flow. The forward row is looked for only if it may have to be changed:
 * at flags that matter, and once a second. True: that was its last one.
 */
static __always_inline bool mrd_flow_touch(const struct mrd_packet *packet, struct mrd_flow *row,
					   __u64 now_ns)
{
	if (!(packet->tcp_flags & MRD_TCP_NEWS) && !mrd_flow_is_unsettled(row->state) &&
	    now_ns - row->last_ns < MRD_SECOND_NS)
		return false;
	return mrd_flow_learn(packet, row, now_ns);
}

/* ----------------------------------------------------------------------------- fragments */

static __always_inline void mrd_fragment_key_of(struct mrd_fragment_key *key,
						const struct mrd_packet *packet)
{
	mrd_addr_copy(key->source, packet->key.tuple.source);
	mrd_addr_copy(key->destination, packet->key.tuple.destination);
	key->id = packet->fragment_id;
	key->family = (__u16)packet->key.family;
	key->protocol = packet->key.family == MRD_FAMILY_IPV4 ? (__u16)packet->key.protocol : 0;
}

/* The first fragment of a datagram that is translated. */
static __noinline void mrd_fragment_keep(const struct mrd_packet *packet)
{
	const struct mrd_fragment ports = {
		.source_port = (__u16)packet->key.tuple.source_port,
		.destination_port = (__u16)packet->key.tuple.destination_port,
		.protocol = packet->key.protocol,
		.first_ns = bpf_ktime_get_ns(),
	};
	struct mrd_fragment_key key;

	mrd_fragment_key_of(&key, packet);
	bpf_map_update_elem(&mrd_fragment, &key, &ports, BPF_ANY);
}

/* Gives a later fragment the ports that its first one has told. */
static __noinline bool mrd_fragment_find(struct mrd_packet *packet)
{
	const __u64 life_ns =
		packet->key.family == MRD_FAMILY_IPV4 ? MRD_FRAGMENT_IPV4_NS : MRD_FRAGMENT_IPV6_NS;
	const struct mrd_fragment *row;
	struct mrd_fragment_key key;

	mrd_fragment_key_of(&key, packet);
	row = bpf_map_lookup_elem(&mrd_fragment, &key);
	if (!row || bpf_ktime_get_ns() - row->first_ns > life_ns)
		return false;
	packet->key.tuple.source_port = row->source_port;
	packet->key.tuple.destination_port = row->destination_port;
	packet->key.protocol = row->protocol;
	return true;
}

#endif
