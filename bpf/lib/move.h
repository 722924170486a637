/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A connection whose endpoint does not answer goes to another one before the application notices.
 *
 * Its client goes on talking to the address that it knows: the VIP, if TC translates the
 * connection anyway, or the endpoint that connect() was rewritten to. The rows of a flow turn that
 * into the present endpoint. So a socket's connection has rows only once it was moved, and until
 * then costs nothing here.
 *
 * What moves it: a SYN sent again after the endpoint had its time (rescue.h), an RST or an ICMP
 * error in answer to the SYN, an ICMP error in answer to a datagram while no reply has come. The
 * answer is swallowed, the client's next SYN or datagram finds the new rows. With nowhere left to
 * go all takes its ordinary course.
 *
 * A UDP socket that is not connected asks sendmsg's hook for each datagram, and that asks the row
 * of the conversation: so it is enough to change that one.
 */
#ifndef MRD_BPF_MOVE_H
#define MRD_BPF_MOVE_H

#include "kern.h"
#include "conversation.h"
#include "flow.h"
#include "packet.h"
#include "report.h"
#include "rescue.h"
#include "rescue_walk.h"
#include "socket.h"
#include "track.h"

enum mrd_move {
	MRD_MOVE_NONE,	   /* as if nobody had been asked */
	MRD_MOVE_REREAD,   /* the rows of the flow were changed or made: look the packet up again */
	MRD_MOVE_DROP,	   /* nobody is to see this packet */
	MRD_MOVE_STRAIGHT, /* its socket was rewritten, and goes where it says */
};

enum { MRD_SYN_DATA_MOST = 0xffff };

/* A connection that may be moved, from its forward row or from its socket. */
struct mrd_moving {
	struct mrd_flow_key key; /* of the forward row */
	struct mrd_flow flow;	 /* that row as it is to be */
	__u32 has_row;
	/* Room for the move: it would be too much for the stack. */
	struct mrd_flow reverse;
	struct mrd_flow_key was, is; /* keys of the old reverse row and of the new one */
	struct mrd_picked picked;
	struct mrd_udp_key talk_key; /* a conversation's */
	struct mrd_udp_flow talk;
};

/* One a CPU; programs of this hook are not interrupted by each other. */
struct mrd_moving_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mrd_moving);
};
struct mrd_moving_map mrd_moving SEC(".maps");

static __always_inline struct mrd_moving *mrd_moving_here(void)
{
	const __u32 index = 0;

	return bpf_map_lookup_elem(&mrd_moving, &index);
}

static __always_inline struct mrd_moving *mrd_moving_new(const struct mrd_flow_key *key)
{
	struct mrd_moving *moving = mrd_moving_here();

	if (!moving)
		return NULL;
	__builtin_memset(moving, 0, sizeof(*moving));
	moving->key = *key;
	return moving;
}

/* ------------------------------------------------------------------------------- who it is */

/* The rewritten connection that this socket has, if the packet's destination is its endpoint. */
static __always_inline struct mrd_socket *mrd_socket_of(struct bpf_sock *sk,
							const struct mrd_flow_key *key)
{
	struct mrd_socket *sock = mrd_socket_find(sk, key->protocol);
	struct mrd_vip_key peer = {
		.family = key->family,
		.protocol = key->protocol,
		.port = key->tuple.destination_port,
	};

	if (!sock)
		return NULL;
	mrd_addr_copy(peer.addr, key->tuple.destination);
	return mrd_socket_is_peer(sock, &peer) ? sock : NULL;
}

/* Of a packet on its way out of its socket. */
static __always_inline struct mrd_socket *mrd_sender_of(struct __sk_buff *skb,
							const struct mrd_flow_key *key)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? mrd_socket_of(sk, key) : NULL;
}

static __always_inline void mrd_moving_from_socket(struct mrd_moving *moving,
						   const struct mrd_socket *sock, __u32 ifindex)
{
	moving->flow.service_id = sock->probe.service_id;
	moving->flow.endpoint_id = sock->probe.endpoint_id;
	moving->flow.locality_id = sock->locality_id;
	moving->flow.state = mrd_flow_first(moving->key.protocol);
	moving->flow.first_ns = sock->connect_ns;
	moving->flow.sent_ns = sock->connect_ns;
	moving->flow.is_socket = 1;
	moving->flow.ifindex = ifindex;
	moving->flow.is_uplink = mrd_is_uplink(ifindex);
	mrd_tuple_copy(&moving->flow.tuple, &moving->key.tuple);
}

static __always_inline void mrd_moving_from_row(struct mrd_moving *moving,
						const struct mrd_flow *row)
{
	moving->flow = *row;
	moving->has_row = true;
}

/* ------------------------------------------------------------------------------- sockets */

/* As this namespace numbers it. */
static __always_inline __u64 mrd_netns_of(__u32 ifindex)
{
	const struct mrd_interface *row = bpf_map_lookup_elem(&mrd_interface, &ifindex);

	return row && row->netns_id >= 0 ? (__u64)row->netns_id : (__u64)MRD_NETNS_CURRENT;
}

/* The ends as the client's socket has them: what comes in is from there. */
static __always_inline void mrd_ends_of(struct bpf_sock_tuple *ends, const struct mrd_flow_key *key)
{
	const struct mrd_flow_tuple *tuple = &key->tuple;

	if (key->family == MRD_FAMILY_IPV4) {
		ends->ipv4.saddr = mrd_addr_to_ipv4(tuple->destination);
		ends->ipv4.daddr = mrd_addr_to_ipv4(tuple->source);
		ends->ipv4.sport = bpf_htons((__u16)tuple->destination_port);
		ends->ipv4.dport = bpf_htons((__u16)tuple->source_port);
		return;
	}
	__builtin_memcpy(ends->ipv6.saddr, tuple->destination, MRD_ADDR_LEN);
	__builtin_memcpy(ends->ipv6.daddr, tuple->source, MRD_ADDR_LEN);
	ends->ipv6.sport = bpf_htons((__u16)tuple->destination_port);
	ends->ipv6.dport = bpf_htons((__u16)tuple->source_port);
}

/* The client's socket, by its forward key; NULL, or to be released. */
static __always_inline struct bpf_sock *mrd_client_sock(struct __sk_buff *skb,
							const struct mrd_flow_key *key)
{
	const bool is_tcp = key->protocol == MRD_PROTOCOL_TCP;
	const __u64 netns = mrd_netns_of(skb->ifindex);
	struct bpf_sock_tuple ends = {0};

	mrd_ends_of(&ends, key);
	if (key->family == MRD_FAMILY_IPV4)
		return is_tcp ? bpf_sk_lookup_tcp(skb, &ends, sizeof(ends.ipv4), netns, 0)
			      : bpf_sk_lookup_udp(skb, &ends, sizeof(ends.ipv4), netns, 0);
	return is_tcp ? bpf_sk_lookup_tcp(skb, &ends, sizeof(ends.ipv6), netns, 0)
		      : bpf_sk_lookup_udp(skb, &ends, sizeof(ends.ipv6), netns, 0);
}

/*
 * Has the client another connection between these two ends, open or just over? It chose its ports
 * for the endpoint that it knows, so they may be in use towards the one where it is to go; answers
 * could not be told apart.
 */
static __noinline bool mrd_is_taken(struct __sk_buff *skb, const struct mrd_flow_key *key)
{
	const __u64 netns = mrd_netns_of(skb->ifindex);
	struct bpf_sock_tuple ends = {0};
	struct bpf_sock *sk;
	bool taken;

	if (key->protocol != MRD_PROTOCOL_TCP)
		return false;
	mrd_ends_of(&ends, key);
	sk = key->family == MRD_FAMILY_IPV4
		     ? bpf_skc_lookup_tcp(skb, &ends, sizeof(ends.ipv4), netns, 0)
		     : bpf_skc_lookup_tcp(skb, &ends, sizeof(ends.ipv6), netns, 0);
	if (!sk)
		return false;
	taken = sk->state != BPF_TCP_LISTEN;
	bpf_sk_release(sk);
	return taken;
}

/* ------------------------------------------------------------------------------- the move */

/* Only the first endpoint may have been chosen by somebody who did not know its region. */
static __always_inline void mrd_moving_remember(struct mrd_moving *moving)
{
	struct mrd_tried *tried = &moving->flow.tried;

	if (!tried->count)
		mrd_tried_add(tried, moving->flow.endpoint_id, 0);
	if (tried->count == 1)
		tried->region_ids[0] =
			(__u16)mrd_region_of(moving->flow.service_id, moving->flow.locality_id);
}

static __always_inline bool mrd_is_rescued(__u32 service_id, __u32 *ret_asked_ms)
{
	const struct mrd_setting *setting = bpf_map_lookup_elem(&mrd_setting, &service_id);

	*ret_asked_ms = setting ? setting->syn_timeout_ms : 0;
	return !setting || setting->rescue != MRD_RESCUE_OFF;
}

/*
 * The new forward row takes the old one's place in mrd_open along. False: it went meanwhile, or
 * another CPU moves it, or there is no room; nothing has changed then.
 */
static __always_inline bool mrd_moving_replace(struct mrd_moving *moving)
{
	struct mrd_flow *row;

	if (!moving->has_row)
		return !bpf_map_update_elem(&mrd_flow, &moving->key, &moving->flow, BPF_ANY);
	row = bpf_map_lookup_elem(&mrd_flow, &moving->key);
	if (!row)
		return false;
	moving->flow.counting = mrd_counting_set(row, MRD_COUNTING_MOVING);
	if (moving->flow.counting == MRD_COUNTING_MOVING)
		return false;
	if (!bpf_map_update_elem(&mrd_flow, &moving->key, &moving->flow, BPF_EXIST))
		return true;
	row->counting = moving->flow.counting;
	return false;
}

/*
 * Writes the rows of the new way, its answers' first; the old way's answers are foreign from then
 * on. False: no room, all is as it was.
 */
static __noinline bool mrd_moving_write(struct mrd_moving *moving)
{
	struct mrd_flow *reverse = &moving->reverse;

	mrd_flow_other(&moving->was, &moving->key, &moving->flow.tuple);
	mrd_flow_target(&moving->key.tuple, &moving->picked.member, &moving->flow.tuple);
	mrd_flow_other(&moving->is, &moving->key, &moving->flow.tuple);
	reverse->way = MRD_FLOW_REVERSE;
	reverse->service_id = moving->flow.service_id;
	reverse->endpoint_id = moving->flow.endpoint_id;
	reverse->ifindex = moving->flow.ifindex;
	reverse->is_uplink = moving->flow.is_uplink;
	reverse->is_socket = moving->flow.is_socket;
	mrd_tuple_turn(&reverse->tuple, &moving->key.tuple);
	if (mrd_reverse_write(&moving->is, reverse) != MRD_REASON_COUNT)
		return false;
	if (!mrd_moving_replace(moving)) {
		bpf_map_delete_elem(&mrd_flow, &moving->is);
		return false;
	}
	if (moving->has_row)
		bpf_map_delete_elem(&mrd_flow, &moving->was);
	mrd_place_open(&moving->flow);
	return true;
}

/*
 * Moves what mrd_moving holds. 0: not now, the next SYN asks again. Not static, as
 * mrd_rescue_step().
 */
__noinline int mrd_move(struct __sk_buff *skb, __u32 reason)
{
	struct mrd_moving *moving = mrd_moving_here();
	const struct mrd_picked *picked;
	struct mrd_flow *flow;

	if (!moving)
		return 0;
	picked = &moving->picked;
	flow = &moving->flow;
	mrd_moving_remember(moving);
	if (!mrd_rescue_pick(flow->service_id, &flow->tried, moving->key.tuple.source,
			     &moving->picked) ||
	    !mrd_tried_add(&flow->tried, picked->member.endpoint_id, picked->region_id)) {
		mrd_count_one(MRD_REASON_RESCUE_NOWHERE);
		return 0;
	}
	mrd_tuple_copy(&moving->is.tuple, &moving->key.tuple);
	mrd_addr_copy(moving->is.tuple.destination, picked->member.addr);
	moving->is.tuple.destination_port = picked->member.port;
	moving->is.family = moving->key.family;
	moving->is.protocol = moving->key.protocol;
	if (mrd_is_taken(skb, &moving->is)) {
		mrd_count_one(MRD_REASON_RESCUE_NOWHERE);
		return 0;
	}
	flow->endpoint_id = picked->member.endpoint_id;
	flow->locality_id = (__u16)picked->locality_id;
	flow->report = (__u8)picked->member.report;
	flow->last_ns = bpf_ktime_get_ns();
	/* A SYN that was not answered goes on at once; after a no the client has to send one. */
	flow->sent_ns = reason == MRD_REASON_RESCUE_TIMEOUT ? flow->last_ns : 0;
	flow->is_resent = 0;
	if (!mrd_moving_write(moving)) {
		mrd_count_one(MRD_REASON_RESCUE_NOWHERE);
		return 0;
	}
	mrd_count_one((enum mrd_reason)reason);
	mrd_pick_count(flow->endpoint_id);
	return 1;
}

/* What is kept for the socket follows: what comes now is the new endpoint's. */
static __noinline void mrd_socket_follow(struct mrd_socket *sock, const struct mrd_moving *moving)
{
	const __u32 was = MRD_READ_ONCE(sock->counts);

	if (sock->protocol == MRD_PROTOCOL_UDP && !sock->moved)
		sock->first_id = sock->probe.endpoint_id;
	mrd_connection_follow(sock, moving->flow.endpoint_id);
	if (mrd_swap(&sock->counts, was, was & ~(MRD_COUNTS_PICK | MRD_COUNTS_OPEN)))
		mrd_socket_uncount(sock, was & (MRD_COUNTS_PICK | MRD_COUNTS_OPEN));
	sock->probe.endpoint_id = moving->flow.endpoint_id;
	if (was & MRD_COUNTS_OPEN)
		mrd_socket_count(sock, mrd_stat_of(sock));
	sock->locality_id = moving->flow.locality_id;
	sock->probe.report = (__u8)moving->picked.member.report;
	sock->reported = 0;
	sock->moved = 1;
}

/* Was the failure of an endpoint that is not left told, or will sockops tell it? */
static __always_inline bool mrd_is_told(const struct mrd_moving *moving)
{
	if (moving->flow.is_socket && moving->key.protocol == MRD_PROTOCOL_TCP)
		return true;
	return moving->flow.is_blamed;
}

/*
 * Moves, and blames the endpoint that is left; one that stays, too, but once. sock: the client's,
 * or NULL.
 */
static __always_inline bool mrd_move_away(struct __sk_buff *skb, struct mrd_moving *moving,
					  struct mrd_socket *sock, enum mrd_event_kind kind,
					  enum mrd_reason reason)
{
	const struct mrd_party party = {moving->flow.service_id, moving->flow.endpoint_id,
					moving->flow.report};
	const bool moved = mrd_move(skb, reason);
	struct mrd_stat *stat;

	if (moved && sock)
		mrd_socket_follow(sock, moving);
	if (!moved && mrd_is_told(moving))
		return false;
	stat = mrd_party_stat(&party);
	if (stat && moving->key.protocol == MRD_PROTOCOL_TCP)
		__sync_fetch_and_add(&stat->failed, 1);
	mrd_party_failed(&party, stat, kind, 0);
	return moved;
}

/* ------------------------------------------------------------------------------- SYNs */

/* Has the present endpoint had its time? A SYN that comes before that goes where the last went. */
static __always_inline bool mrd_is_unanswered(const struct mrd_flow *flow, __u32 asked_ms)
{
	const __u32 locality_id = flow->locality_id;
	const struct mrd_handshake *known = bpf_map_lookup_elem(&mrd_handshake, &locality_id);
	const __u32 timeout_us = mrd_syn_timeout_us(asked_ms, known ? known->known_us : 0);

	return mrd_syn_is_late(bpf_ktime_get_ns() - flow->sent_ns, timeout_us);
}

/*
 * A new connection straight to an endpoint. An earlier one from the same port, translated or moved
 * there, has left a row that would take this one's answers for its own: it goes, unless it is still
 * open.
 */
static __noinline void mrd_leftover_drop(struct __sk_buff *skb, const struct mrd_flow_key *straight)
{
	struct mrd_flow_key reverse, key;
	struct mrd_flow *row, *answers;

	if (!mrd_may_have_rows(skb->ifindex, MRD_FLOW_FORWARD))
		return;
	mrd_flow_other(&reverse, straight, &straight->tuple);
	answers = bpf_map_lookup_elem(&mrd_flow, &reverse);
	if (!answers || answers->way != MRD_FLOW_REVERSE)
		return;
	if (answers->ifindex != skb->ifindex && !answers->is_uplink)
		return; /* what began elsewhere is translated there, and may be this very packet */
	mrd_flow_other(&key, &reverse, &answers->tuple);
	row = bpf_map_lookup_elem(&mrd_flow, &key);
	if (row && !mrd_flow_is_ended(row->state) && mrd_is_taken(skb, &key))
		return;
	if (row && !mrd_flow_leave(row))
		return;
	mrd_probe_tell(&answers->probe);
	bpf_map_delete_elem(&mrd_flow, &key);
	bpf_map_delete_elem(&mrd_flow, &reverse);
}

/*
 * Is the row an earlier connection's of these ports? Of a socket's: this one has not been moved.
 * Otherwise: nobody answered that one, and a SYN that is sent again has the same number.
 */
static __always_inline bool mrd_is_earlier(const struct mrd_packet *packet,
					   const struct mrd_flow *row,
					   const struct mrd_socket *sock)
{
	if (row->is_socket)
		return !sock || !sock->moved;
	return row->state == MRD_FLOW_SYN_SENT && row->first_seq != mrd_seq_fold(packet->seq);
}

/*
 * A SYN of the client. row: its forward row, in whatever state; NULL if it has none, as those have
 * that a hook rewrote at their socket. Of these sockops says that the SYN is not the first.
 */
static __noinline enum mrd_move
mrd_move_on_syn(struct __sk_buff *skb, const struct mrd_packet *packet, struct mrd_flow *row)
{
	struct mrd_socket *sock = mrd_sender_of(skb, &packet->key);
	struct mrd_moving *moving;
	__u32 asked_ms;

	if (row && mrd_is_earlier(packet, row, sock)) {
		if (!mrd_flow_leave(row))
			return MRD_MOVE_DROP; /* it will be sent again */
		mrd_flow_drop(&packet->key, &row->tuple);
		return MRD_MOVE_REREAD;
	}
	if (!row && sock)
		mrd_leftover_drop(skb, &packet->key);
	if (!row && sock && (!sock->retransmitted || sock->moved))
		return MRD_MOVE_STRAIGHT;
	if (row ? row->state != MRD_FLOW_SYN_SENT : !sock)
		return MRD_MOVE_NONE;
	if (row && !row->sent_ns) {
		row->sent_ns = bpf_ktime_get_ns();
		return MRD_MOVE_NONE;
	}
	moving = mrd_moving_new(&packet->key);
	if (!moving)
		return MRD_MOVE_NONE;
	if (row)
		mrd_moving_from_row(moving, row);
	else
		mrd_moving_from_socket(moving, sock, skb->ifindex);
	if (row)
		row->is_resent = 1;
	if (!mrd_is_rescued(moving->flow.service_id, &asked_ms) ||
	    !mrd_is_unanswered(&moving->flow, asked_ms))
		return MRD_MOVE_NONE;
	if (mrd_move_away(skb, moving, sock, MRD_EVENT_CONNECT_TIMEOUT, MRD_REASON_RESCUE_TIMEOUT))
		return MRD_MOVE_REREAD;
	if (row)
		row->is_blamed = 1;
	return MRD_MOVE_NONE;
}

/*
 * A datagram to an endpoint that another one of these ports had to leave. row: its forward row. Of
 * another socket it stays where it was sent.
 */
static __noinline enum mrd_move mrd_move_on_datagram(struct __sk_buff *skb,
						     const struct mrd_packet *packet,
						     const struct mrd_flow *row)
{
	const struct mrd_socket *sock = mrd_sender_of(skb, &packet->key);

	if (sock && sock->moved)
		return MRD_MOVE_NONE;
	mrd_flow_drop(&packet->key, &row->tuple);
	return MRD_MOVE_REREAD;
}

/* ------------------------------------------------------------------------------- answers */

/*
 * Is it one that waits for an answer to its SYN, and this number the answer's? With Fast Open a
 * segment of data may be acknowledged, too. snd_nxt is no help: the kernel sets it once the SYN is
 * sent, and the answer of a neighbour may come before.
 */
static __always_inline bool mrd_is_asking(struct bpf_sock *sk, bool is_tcp, __u32 ack_seq)
{
	const struct bpf_tcp_sock *tcp;

	if (!is_tcp)
		return true;
	if (sk->state != BPF_TCP_SYN_SENT)
		return false;
	tcp = bpf_tcp_sock(sk);
	return tcp && (!ack_seq || ack_seq - tcp->snd_una - 1 <= MRD_SYN_DATA_MOST);
}

/*
 * What has no rows in mrd_flow, from its socket; false: not to be moved. Rows of datagrams are
 * swept while their socket stays: then the first endpoint has its turn again, as in a new flow.
 */
static __always_inline bool mrd_moving_begin(struct mrd_moving *moving, struct mrd_socket *sock,
					     __u32 ifindex)
{
	const bool is_udp = moving->key.protocol == MRD_PROTOCOL_UDP;

	if (!sock || (sock->moved ? !is_udp : is_udp && sock->replied))
		return false;
	mrd_moving_from_socket(moving, sock, ifindex);
	if (sock->moved) {
		moving->flow.endpoint_id = sock->first_id;
		moving->flow.locality_id = (__u16)mrd_locality_of(sock->first_id);
	}
	return true;
}

static __always_inline bool mrd_move_refused(struct __sk_buff *skb, struct mrd_moving *moving,
					     struct mrd_socket *sock, enum mrd_event_kind kind)
{
	__u32 asked_ms;

	if (!moving->has_row && !mrd_moving_begin(moving, sock, skb->ifindex))
		return false;
	if (!mrd_is_rescued(moving->flow.service_id, &asked_ms))
		return false;
	return mrd_move_away(skb, moving, sock, kind,
			     kind == MRD_EVENT_REFUSED ? MRD_REASON_RESCUE_REFUSED
						       : MRD_REASON_RESCUE_UNREACHABLE);
}

/* Where the conversation has been so far, the present endpoint last. */
static __always_inline void mrd_talk_remember(struct mrd_tried *tried,
					      const struct mrd_udp_flow *talk)
{
	for (int i = 0; i < MRD_UDP_LEFT_MAX; i++)
		if (talk->left[i])
			mrd_tried_add(
				tried, talk->left[i],
				mrd_region_of(talk->service_id, mrd_locality_of(talk->left[i])));
	mrd_tried_add(tried, talk->member.endpoint_id,
		      mrd_region_of(talk->service_id, mrd_locality_of(talk->member.endpoint_id)));
}

/* The row goes on to another endpoint; where there is none, sendmsg's hook begins anew. */
static __always_inline bool mrd_talk_go_on(struct mrd_moving *moving)
{
	struct mrd_udp_flow *talk = &moving->talk;
	const __u32 count = moving->flow.tried.count;

	if (count > MRD_UDP_LEFT_MAX || !count ||
	    !mrd_rescue_pick(talk->service_id, &moving->flow.tried, moving->key.tuple.source,
			     &moving->picked)) {
		mrd_count_one(MRD_REASON_RESCUE_NOWHERE);
		bpf_map_delete_elem(&mrd_udp_flow, &moving->talk_key);
		return false;
	}
	talk->left[(count - 1) & (MRD_UDP_LEFT_MAX - 1)] = talk->member.endpoint_id;
	talk->member = moving->picked.member;
	if (bpf_map_update_elem(&mrd_udp_flow, &moving->talk_key, talk, BPF_ANY))
		return false;
	mrd_count_one(MRD_REASON_RESCUE_UNREACHABLE);
	mrd_pick_count(talk->member.endpoint_id);
	return true;
}

/* An error came to a socket that is not connected, from an endpoint that it sent a datagram to. */
static __noinline bool mrd_talk_refused(struct mrd_moving *moving, const struct mrd_socket *sock)
{
	struct mrd_udp_key *key = &moving->talk_key;
	const struct mrd_flow_tuple *sent = &moving->key.tuple;
	struct mrd_udp_flow *talk = &moving->talk;
	const struct mrd_udp_flow *row = NULL;
	const struct mrd_udp_reply *reply;
	struct mrd_party party;
	__u32 asked_ms;
	bool moved;

	mrd_udp_key_of(key, sock->cookie, sent->destination, sent->destination_port,
		       moving->key.family);
	reply = bpf_map_lookup_elem(&mrd_udp_reply, key);
	if (reply)
		row = mrd_conversation_with(key, reply, sent->destination, sent->destination_port);
	if (!row)
		return false;
	*talk = *row;
	if (talk->replied ||
	    talk->member.seal != mrd_member_seal(talk->service_id, &talk->member) ||
	    !mrd_is_rescued(talk->service_id, &asked_ms))
		return false;
	party.service_id = talk->service_id;
	party.endpoint_id = talk->member.endpoint_id;
	party.report = talk->member.report;
	mrd_talk_remember(&moving->flow.tried, talk);
	moved = mrd_talk_go_on(moving);
	mrd_party_failed(&party, mrd_party_stat(&party), MRD_EVENT_UNREACHABLE, 0);
	return moved;
}

/*
 * The endpoint has said no. row: the forward row; NULL: the connection has none, and only its
 * socket tells whether it is one of ours. ack_seq: what the answer acknowledges, 0: nothing.
 */
static __noinline enum mrd_move mrd_move_on_no(struct __sk_buff *skb,
					       const struct mrd_flow_key *key,
					       const struct mrd_flow *row, enum mrd_event_kind kind,
					       __u32 ack_seq)
{
	struct mrd_moving *moving = mrd_moving_new(key);
	struct mrd_socket *sock = NULL;
	struct bpf_sock *sk = NULL;
	bool moved = false;

	if (!moving)
		return MRD_MOVE_NONE;
	if (row)
		mrd_moving_from_row(moving, row);
	if (!row || row->is_socket) {
		sk = mrd_client_sock(skb, key);
		if (!sk)
			return MRD_MOVE_NONE;
		if (mrd_is_asking(sk, key->protocol == MRD_PROTOCOL_TCP, ack_seq))
			sock = mrd_socket_of(sk, key);
	}
	if (!sk || sock) {
		moved = mrd_move_refused(skb, moving, sock, kind);
	} else if (!row && key->protocol == MRD_PROTOCOL_UDP) {
		sock = mrd_storage_find(sk);
		moved = sock && sock->has_replies && mrd_talk_refused(moving, sock);
	}
	if (sk)
		bpf_sk_release(sk);
	return moved ? MRD_MOVE_DROP : MRD_MOVE_NONE;
}

/*
 * Back to the first endpoint, which the client's socket believes to talk to all the time: so no
 * rows are needed. It has answered the SYN, and the present one has not. No further move of this
 * connection: where it has been is forgotten.
 */
static __noinline bool mrd_move_back(struct __sk_buff *skb, const struct mrd_flow_key *key,
				     struct mrd_flow *forward, __u32 ack_seq)
{
	struct mrd_socket *sock = NULL;
	struct mrd_moving *moving;
	struct bpf_sock *sk;

	if (forward->state != MRD_FLOW_SYN_SENT)
		return false;
	moving = mrd_moving_new(key);
	sk = moving ? mrd_client_sock(skb, key) : NULL;
	if (!sk)
		return false;
	if (mrd_is_asking(sk, true, ack_seq))
		sock = mrd_socket_of(sk, key);
	if (sock && sock->moved && mrd_flow_leave(forward)) {
		moving->flow.endpoint_id = forward->tried.endpoint_ids[0];
		moving->flow.locality_id = (__u16)mrd_locality_of(moving->flow.endpoint_id);
		moving->picked.member.report = sock->probe.report;
		mrd_socket_follow(sock, moving);
		mrd_flow_drop(key, &forward->tuple);
	} else {
		sock = NULL;
	}
	bpf_sk_release(sk);
	return sock;
}

/*
 * An answer of an endpoint that the client's socket still believes to talk to, while its rows lead
 * elsewhere: it came late, which tells how long this locality takes; too late, if another one has
 * answered.
 */
static __always_inline enum mrd_move mrd_answer_late(struct __sk_buff *skb,
						     const struct mrd_packet *packet,
						     const struct mrd_flow_key *key,
						     struct mrd_flow *forward)
{
	if (packet->tcp_flags & MRD_TCP_SYN) {
		mrd_answer_teach(mrd_locality_of(forward->tried.endpoint_ids[0]),
				 forward->first_ns);
		if (mrd_move_back(skb, key, forward, bpf_ntohl(packet->ack_seq)))
			return MRD_MOVE_NONE;
	}
	mrd_count_one(MRD_REASON_LATE_ANSWER);
	return MRD_MOVE_DROP;
}

/* RST, or a SYN+ACK without a row. row: the reverse row, or NULL as above. */
static __noinline enum mrd_move mrd_move_on_reply(struct __sk_buff *skb,
						  const struct mrd_packet *packet,
						  const struct mrd_flow *row)
{
	struct mrd_flow_key key;
	struct mrd_flow *forward;

	mrd_flow_other(&key, &packet->key, row ? &row->tuple : &packet->key.tuple);
	forward = bpf_map_lookup_elem(&mrd_flow, &key);
	if (forward && forward->way != MRD_FLOW_FORWARD)
		return MRD_MOVE_NONE;
	/* A pod's answer to itself leaves by the interface by which it came, translated already. */
	if (!row && forward && !forward->is_uplink && skb->ingress_ifindex == skb->ifindex)
		return MRD_MOVE_NONE;
	if (!row && forward && forward->is_socket)
		return mrd_answer_late(skb, packet, &key, forward);
	if (row ? !forward || forward->state != MRD_FLOW_SYN_SENT : !!forward)
		return MRD_MOVE_NONE;
	if (!(packet->tcp_flags & MRD_TCP_RST))
		return MRD_MOVE_NONE;
	return mrd_move_on_no(skb, &key, forward, MRD_EVENT_REFUSED, bpf_ntohl(packet->ack_seq));
}

/* That nothing arrives there; not that it was too large or came too late. */
static __always_inline bool mrd_is_unreachable(enum mrd_family family,
					       const struct mrd_icmp_header *icmp)
{
	if (family == MRD_FAMILY_IPV6)
		return icmp->type == MRD_ICMPV6_UNREACHABLE;
	return icmp->type == MRD_ICMP_UNREACHABLE && icmp->code != MRD_ICMP_CODE_TOO_BIG;
}

/*
 * An ICMP error on its way to the client about a packet of the flow. quoted: that packet, as the
 * error has it; row: the reverse row, or NULL as above. key: room for the forward row's.
 */
static __noinline enum mrd_move mrd_move_on_error(struct __sk_buff *skb,
						  const struct mrd_packet *packet,
						  const struct mrd_packet *quoted,
						  const struct mrd_flow *row,
						  struct mrd_flow_key *key)
{
	const struct mrd_flow *forward;
	struct mrd_icmp_header icmp;

	if (bpf_skb_load_bytes(skb, packet->l4, &icmp, sizeof(icmp)) ||
	    !mrd_is_unreachable(packet->key.family, &icmp))
		return MRD_MOVE_NONE;
	*key = quoted->key;
	if (row)
		mrd_flow_other(key, &quoted->key, &row->tuple);
	forward = bpf_map_lookup_elem(&mrd_flow, key);
	if (forward && (forward->way != MRD_FLOW_FORWARD || !mrd_flow_unreplied(forward->state)))
		return MRD_MOVE_NONE;
	if (row && !forward)
		return MRD_MOVE_NONE;
	return mrd_move_on_no(skb, key, forward, MRD_EVENT_UNREACHABLE, 0);
}

#endif
