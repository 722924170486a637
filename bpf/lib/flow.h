/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: the two rows of a flow, found from each other, and the states that a flow goes through.
 */
#ifndef MRD_BPF_FLOW_H
#define MRD_BPF_FLOW_H

#include <stdbool.h>

#include "addr.h"
#include "maps/abi.h"
#include "packet.h"

static inline void mrd_tuple_copy(struct mrd_flow_tuple *to, const struct mrd_flow_tuple *from)
{
	mrd_addr_copy(to->source, from->source);
	mrd_addr_copy(to->destination, from->destination);
	to->source_port = from->source_port;
	to->destination_port = from->destination_port;
}

/* As the other side writes it; to is another tuple than from. */
static inline void mrd_tuple_turn(struct mrd_flow_tuple *to, const struct mrd_flow_tuple *from)
{
	mrd_addr_copy(to->source, from->destination);
	mrd_addr_copy(to->destination, from->source);
	to->source_port = from->destination_port;
	to->destination_port = from->source_port;
}

/* 0: the same */
static inline __u32 mrd_tuple_differ(const struct mrd_flow_tuple *a, const struct mrd_flow_tuple *b)
{
	return mrd_addr_differ(a->source, b->source) |
	       mrd_addr_differ(a->destination, b->destination) | (a->source_port ^ b->source_port) |
	       (a->destination_port ^ b->destination_port);
}

/* The key of the other row: key's own, to the value of its row. */
static inline void mrd_flow_other(struct mrd_flow_key *other, const struct mrd_flow_key *key,
				  const struct mrd_flow_tuple *value)
{
	mrd_tuple_turn(&other->tuple, value);
	other->family = key->family;
	other->protocol = key->protocol;
}

/* Is the client its own endpoint? Then what it sends goes back to it. */
static inline bool mrd_is_hairpin(const struct mrd_flow_tuple *from,
				  const struct mrd_flow_tuple *to)
{
	return !mrd_addr_differ(from->source, to->destination);
}

/*
 * Can the copy of a row's value belong to this key? A translation leaves the client as it is; of a
 * hairpin its port.
 */
static inline bool mrd_flow_fits(const struct mrd_flow_tuple *key,
				 const struct mrd_flow_tuple *value, enum mrd_flow_way way)
{
	const bool hairpin = mrd_is_hairpin(key, value);

	if (way == MRD_FLOW_FORWARD)
		return key->source_port == value->source_port &&
		       (hairpin || !mrd_addr_differ(key->source, value->source));
	return key->destination_port == value->destination_port &&
	       (hairpin || !mrd_addr_differ(key->destination, value->destination));
}

static inline bool mrd_flags_open(__u32 tcp_flags)
{
	return (tcp_flags & (MRD_TCP_SYN | MRD_TCP_ACK | MRD_TCP_RST | MRD_TCP_FIN)) == MRD_TCP_SYN;
}

/* Does this packet begin a connection, as far as TCP is concerned? */
static inline bool mrd_is_syn(const struct mrd_packet *packet)
{
	return packet->key.protocol == MRD_PROTOCOL_TCP && mrd_flags_open(packet->tcp_flags);
}

/* Of a sequence number as much as a row has room for. One in 256 has another one's. */
static inline __u8 mrd_seq_fold(__u32 seq)
{
	seq ^= seq >> 16;
	return (__u8)(seq ^ seq >> 8);
}

static inline bool mrd_is_opening(const struct mrd_packet *packet)
{
	if (packet->part == MRD_PART_LATER)
		return false;
	return packet->key.protocol == MRD_PROTOCOL_UDP || mrd_is_syn(packet);
}

static inline enum mrd_flow_state mrd_flow_first(enum mrd_protocol protocol)
{
	return protocol == MRD_PROTOCOL_TCP ? MRD_FLOW_SYN_SENT : MRD_FLOW_UDP_UNREPLIED;
}

static inline bool mrd_flow_unreplied(enum mrd_flow_state state)
{
	return state == MRD_FLOW_SYN_SENT || state == MRD_FLOW_UDP_UNREPLIED;
}

/* Once one side has finished, the other may go on for long; who was first is worth a state. */
static inline enum mrd_flow_state mrd_flow_finished(enum mrd_flow_state state,
						    enum mrd_flow_way way)
{
	const enum mrd_flow_state mine =
		way == MRD_FLOW_FORWARD ? MRD_FLOW_FIN_WAIT : MRD_FLOW_CLOSE_WAIT;

	switch (state) {
	case MRD_FLOW_SYN_SENT:
	case MRD_FLOW_SYN_RECV:
	case MRD_FLOW_ESTABLISHED:
		return mine;
	case MRD_FLOW_FIN_WAIT:
	case MRD_FLOW_CLOSE_WAIT:
		return state == mine ? state : MRD_FLOW_CLOSED;
	default:
		return state;
	}
}

/* Nothing is to come but what is late: the ports may be another connection's. */
static inline bool mrd_flow_is_ended(enum mrd_flow_state state)
{
	return state == MRD_FLOW_CLOSED || state == MRD_FLOW_RESET || state == MRD_FLOW_CUT;
}

/* Of a row in these states every packet may be news, of the others those with flags. */
static inline bool mrd_flow_is_unsettled(enum mrd_flow_state state)
{
	return state == MRD_FLOW_SYN_RECV || mrd_flow_is_ended(state);
}

/*
 * What acknowledges the latest FIN, as a packet brings its flow from one state to another. Of the
 * second FIN only if that acknowledges the first: else more than one answer is to come.
 */
static inline __u32 mrd_flow_fin_ack(__u32 fin_ack, const struct mrd_packet *packet,
				     enum mrd_flow_state is)
{
	if (!(packet->tcp_flags & MRD_TCP_FIN))
		return fin_ack;
	return is != MRD_FLOW_CLOSED || packet->ack_seq == fin_ack ? packet->fin_ack : 0;
}

/* Has everything been said, and acknowledged with this packet? Then nothing is to come. */
static inline bool mrd_flow_is_last(const struct mrd_flow *forward, const struct mrd_packet *packet)
{
	return forward->state == MRD_FLOW_CLOSED && forward->fin_ack &&
	       (packet->tcp_flags & (MRD_TCP_SYN | MRD_TCP_FIN | MRD_TCP_RST | MRD_TCP_ACK)) ==
		       MRD_TCP_ACK &&
	       packet->ack_seq == forward->fin_ack;
}

/*
 * Who is told to reset a connection takes no heed of a number out of its window. That is not known
 * here; but who took it says no more. What is under way may still come: so the client must go on,
 * and the endpoint behind that.
 */
static inline enum mrd_flow_state mrd_flow_unreset(enum mrd_flow_state state, enum mrd_flow_way way)
{
	if (way == MRD_FLOW_FORWARD)
		return state == MRD_FLOW_RESET ? MRD_FLOW_DOUBTED : state;
	return state == MRD_FLOW_DOUBTED ? MRD_FLOW_ESTABLISHED : state;
}

/*
 * The state after a packet; way: who sent it. What is not an answer to the SYN changes nothing
 * while that is out: an endpoint that remembers an earlier connection of these ports answers with
 * an acknowledgement, and the client resets that, not the present one.
 */
static inline enum mrd_flow_state mrd_flow_next(enum mrd_flow_state state, enum mrd_flow_way way,
						__u32 tcp_flags)
{
	if (tcp_flags & MRD_TCP_RST)
		return state == MRD_FLOW_CLOSED ||
				       (way == MRD_FLOW_FORWARD && state == MRD_FLOW_SYN_SENT)
			       ? state
			       : MRD_FLOW_RESET;
	if (way == MRD_FLOW_REVERSE && state == MRD_FLOW_SYN_SENT && (tcp_flags & MRD_TCP_SYN))
		state = MRD_FLOW_SYN_RECV;
	if (way == MRD_FLOW_FORWARD && state == MRD_FLOW_SYN_RECV && !(tcp_flags & MRD_TCP_SYN))
		state = MRD_FLOW_ESTABLISHED;
	if (!(tcp_flags & MRD_TCP_SYN))
		state = mrd_flow_unreset(state, way);
	if (way == MRD_FLOW_REVERSE && state == MRD_FLOW_UDP_UNREPLIED)
		state = MRD_FLOW_UDP_REPLIED;
	return tcp_flags & MRD_TCP_FIN ? mrd_flow_finished(state, way) : state;
}

/* Has the endpoint answered for the first time? */
static inline bool mrd_flow_is_answer(enum mrd_flow_state was, enum mrd_flow_state is)
{
	return (was == MRD_FLOW_SYN_SENT && is == MRD_FLOW_SYN_RECV) ||
	       (was == MRD_FLOW_UDP_UNREPLIED && is == MRD_FLOW_UDP_REPLIED);
}

/* The client of session affinity, by its address. Two that share a number share an endpoint. */
static inline __u64 mrd_affinity_client(const __u8 *addr)
{
	__u64 high, low;

	__builtin_memcpy(&high, mrd_addr_aligned(addr), sizeof(high));
	__builtin_memcpy(&low, mrd_addr_aligned(addr) + sizeof(high), sizeof(low));
	return low ^ high * 0x9e3779b97f4a7c15ULL; /* odd: no two of IPv4 are alike */
}

#endif
