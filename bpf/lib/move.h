/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A connection whose endpoint does not answer: where the TC programs ask what is to become of it.
 * So far the answer is always that the packet goes its ordinary way.
 */
#ifndef MRD_BPF_MOVE_H
#define MRD_BPF_MOVE_H

#include "kern.h"
#include "flow.h"
#include "packet.h"

enum mrd_move {
	MRD_MOVE_NONE,	 /* as if nobody had been asked */
	MRD_MOVE_REREAD, /* the rows of the flow were changed or made: look the packet up again */
	MRD_MOVE_DROP,	 /* nobody is to see this packet */
};

/*
 * A SYN of the client. row: its forward row, in whatever state; NULL if it has none, as those have
 * that a hook rewrote at their socket.
 */
static __always_inline enum mrd_move
mrd_move_on_syn(struct __sk_buff *skb, const struct mrd_packet *packet, struct mrd_flow *row)
{
	(void)skb, (void)packet, (void)row;
	return MRD_MOVE_NONE;
}

/* RST or SYN+ACK of an endpoint. row: the reverse row, or NULL as above. */
static __always_inline enum mrd_move
mrd_move_on_reply(struct __sk_buff *skb, const struct mrd_packet *packet, struct mrd_flow *row)
{
	(void)skb, (void)packet, (void)row;
	return MRD_MOVE_NONE;
}

/*
 * An ICMP error on its way to the client about a packet of the flow. quoted: that packet, as the
 * error has it; row: the reverse row, or NULL as above.
 */
static __always_inline enum mrd_move mrd_move_on_error(struct __sk_buff *skb,
						       const struct mrd_packet *packet,
						       const struct mrd_packet *quoted,
						       struct mrd_flow *row)
{
	(void)skb, (void)packet, (void)quoted, (void)row;
	return MRD_MOVE_NONE;
}

#endif
