/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The HTTP/1 probe of flows: connections that no socket hook has seen, packet by packet.
 *
 * Its state is in the reverse row, which is at hand for what the endpoint sends: the most of it is
 * passed over by one number there. A request has to look that row up. What the client sends besides
 * is passed over by what it acknowledges, which is the request's own as long as nothing of the
 * response has arrived: so of an upload only the first segment is looked at.
 */
#ifndef MRD_BPF_FLOW_PROBE_H
#define MRD_BPF_FLOW_PROBE_H

#include "kern.h"
#include "flow.h"
#include "http_probe.h"
#include "packet.h"
#include "track.h"

enum { MRD_TCP_WORDS_MIN = 5 }; /* RFC 9293 */

static __always_inline void mrd_segment_of(const struct __sk_buff *skb,
					   const struct mrd_packet *packet,
					   struct mrd_segment *ret_segment)
{
	const __u32 end = packet->end < skb->len ? packet->end : skb->len;
	const __u32 payload = packet->l4 + packet->words * 4;

	ret_segment->seq = bpf_ntohl(packet->seq);
	ret_segment->ack_seq = bpf_ntohl(packet->ack_seq);
	ret_segment->payload = payload;
	ret_segment->len = packet->words >= MRD_TCP_WORDS_MIN && end > payload ? end - payload : 0;
	ret_segment->syn = packet->tcp_flags & MRD_TCP_SYN;
	ret_segment->fin = packet->tcp_flags & MRD_TCP_FIN;
	ret_segment->rst = packet->tcp_flags & MRD_TCP_RST;
	/* The SYN takes a sequence number of its own. */
	if (ret_segment->syn)
		ret_segment->seq++;
}

/* Has it payload, all of which is in this packet? */
static __always_inline bool mrd_has_payload(const struct mrd_packet *packet)
{
	return packet->part == MRD_PART_WHOLE && packet->l4 + packet->words * 4 < packet->end;
}

/* ------------------------------------------------------------------------------- requests */

/* row: the forward row. An acknowledgement of 0 is a SYN's, as good as always. */
static __always_inline bool mrd_may_be_request(const struct mrd_packet *packet,
					       const struct mrd_flow *row)
{
	return mrd_flow_is_read(row) && packet->key.protocol == MRD_PROTOCOL_TCP &&
	       mrd_has_payload(packet) &&
	       (packet->ack_seq != row->request_ack || packet->tcp_flags & MRD_TCP_SYN);
}

static __noinline void mrd_flow_ask(struct __sk_buff *skb, const struct mrd_packet *packet,
				    struct mrd_flow *row)
{
	struct mrd_segment segment;
	struct mrd_flow_key other;
	struct mrd_flow *reverse;

	mrd_segment_of(skb, packet, &segment);
	if (!segment.len || !mrd_is_probed() || !mrd_segment_is_request(skb, &segment))
		return;
	mrd_flow_other(&other, &packet->key, &row->tuple);
	reverse = bpf_map_lookup_elem(&mrd_flow, &other);
	if (!reverse || reverse->way != MRD_FLOW_REVERSE ||
	    !mrd_request_may_begin(&reverse->probe, &segment))
		return;
	mrd_flow_note_request(row, packet->ack_seq);
	reverse->probe.report = row->report;
	mrd_request_begin(&reverse->probe, &segment, bpf_ktime_get_ns());
}

/* ------------------------------------------------------------------------------- responses */

/* row: the reverse row. */
static __always_inline bool mrd_may_be_answer(const struct mrd_packet *packet,
					      const struct mrd_flow *row)
{
	const __u32 flags = packet->tcp_flags;

	if (row->probe.stage == MRD_PROBE_IDLE)
		return row->probe.untold && flags & (MRD_TCP_FIN | MRD_TCP_RST);
	return mrd_has_payload(packet) || flags & (MRD_TCP_SYN | MRD_TCP_FIN | MRD_TCP_RST);
}

/* False: there is more to it. */
static __noinline bool mrd_flow_hear(struct __sk_buff *skb, const struct mrd_packet *packet,
				     struct mrd_probe *probe)
{
	struct mrd_segment segment;

	mrd_segment_of(skb, packet, &segment);
	if (probe->stage == MRD_PROBE_FASTOPEN) {
		if (!segment.syn)
			return true;
		probe->expect_seq = segment.seq;
		probe->stage = MRD_PROBE_STATUS_LINE;
	}
	if (probe->stage != MRD_PROBE_IDLE && !mrd_answer_at_start(skb, &segment, probe))
		return false;
	if (segment.fin || segment.rst)
		mrd_probe_tell(probe);
	return true;
}

/* Has the client ended the connection? row: the reverse row. */
static __noinline bool mrd_client_has_left(const struct mrd_packet *packet,
					   const struct mrd_flow *row)
{
	const struct mrd_flow *forward;
	struct mrd_flow_key key;

	mrd_flow_other(&key, &packet->key, &row->tuple);
	forward = bpf_map_lookup_elem(&mrd_flow, &key);
	return forward &&
	       (forward->state == MRD_FLOW_FIN_WAIT || mrd_flow_is_ended(forward->state));
}

/* To a client that did not wait for its answer none is due; one that comes yet is read. */
static __always_inline void mrd_flow_hear_otherwise(struct __sk_buff *skb,
						    const struct mrd_packet *packet,
						    struct mrd_flow *row)
{
	struct mrd_segment segment;

	mrd_segment_of(skb, packet, &segment);
	if (mrd_answer_is_missed(skb, &segment, &row->probe) && !mrd_client_has_left(packet, row))
		mrd_on_end(&segment, &row->probe);
	if (segment.fin || segment.rst)
		mrd_probe_tell(&row->probe);
}

#endif
