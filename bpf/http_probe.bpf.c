// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The HTTP/1 probe (lib/http_probe.h) at sockets: of rewritten connections, whose rows have its
 * state. It lets every packet through.
 */
#include "lib/kern.h"

#include "lib/http_probe.h"
#include "lib/report.h"
#include "lib/socket_row.h"

/* Headers are in the linear part: the kernel has pulled or pushed them there. False: no TCP. */
static __always_inline bool mrd_segment_read(struct __sk_buff *skb, struct mrd_segment *ret_segment)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	const struct tcphdr *tcp;
	__u32 offset;

	if (skb->protocol == bpf_htons(MRD_ETHERTYPE_IPV4)) {
		const struct iphdr *ip = data;

		if ((void *)(ip + 1) > end || ip->protocol != MRD_PROTOCOL_TCP)
			return false;
		offset = ip->ihl * 4;
	} else {
		const struct ipv6hdr *ip = data;

		if ((void *)(ip + 1) > end || ip->nexthdr != MRD_PROTOCOL_TCP)
			return false;
		offset = sizeof(*ip);
	}
	tcp = data + offset;
	if ((void *)(tcp + 1) > end)
		return false;
	ret_segment->seq = bpf_ntohl(tcp->seq);
	ret_segment->ack_seq = bpf_ntohl(tcp->ack_seq);
	ret_segment->syn = tcp->syn;
	ret_segment->fin = tcp->fin;
	ret_segment->rst = tcp->rst;
	ret_segment->payload = offset + tcp->doff * 4;
	ret_segment->len = skb->len > ret_segment->payload ? skb->len - ret_segment->payload : 0;
	/* The SYN takes a sequence number of its own. */
	if (ret_segment->syn)
		ret_segment->seq++;
	return true;
}

static __always_inline struct mrd_socket *mrd_probe_socket(struct __sk_buff *skb,
							   enum mrd_protocol protocol)
{
	struct bpf_sock *sk = skb->sk; /* one that only asks for a connection has nothing */
	struct mrd_socket *sock;

	if (!sk)
		return NULL;
	sock = mrd_socket_find(sk, protocol);
	return sock && sock->protocol == protocol ? sock : NULL;
}

/* A connected UDP socket has an answer: errors are the application's from now on. */
static __always_inline void mrd_reply_note(struct __sk_buff *skb)
{
	struct mrd_socket *sock = mrd_probe_socket(skb, MRD_PROTOCOL_UDP);

	if (sock && sock->connected && !sock->replied)
		sock->replied = 1;
}

SEC("cgroup_skb/egress")
int mrd_probe_egress(struct __sk_buff *skb)
{
	struct mrd_segment segment;
	struct mrd_socket *sock;

	/* Most packets out carry nothing: they cost no look-up. */
	if (!mrd_segment_read(skb, &segment) || !segment.len)
		return MRD_ALLOW_CALL;
	sock = mrd_probe_socket(skb, MRD_PROTOCOL_TCP);
	if (!sock)
		return MRD_ALLOW_CALL;
	if (!mrd_request_may_begin(&sock->probe, &segment) ||
	    !mrd_segment_is_request(skb, &segment)) {
		mrd_request_mark(&sock->probe, segment.seq);
		return MRD_ALLOW_CALL;
	}
	/* TCP has looked at CLOCK_MONOTONIC for this very segment. */
	mrd_request_begin(&sock->probe, &segment, skb->tstamp ?: bpf_ktime_get_ns());
	return MRD_ALLOW_CALL;
}

SEC("cgroup_skb/ingress")
int mrd_probe_ingress(struct __sk_buff *skb)
{
	struct mrd_segment segment;
	struct mrd_probe *probe;
	struct mrd_socket *sock;

	if (!mrd_segment_read(skb, &segment)) {
		mrd_reply_note(skb);
		return MRD_ALLOW_CALL;
	}
	if (!segment.len && !segment.fin && !segment.rst)
		return MRD_ALLOW_CALL;
	sock = mrd_probe_socket(skb, MRD_PROTOCOL_TCP);
	if (!sock)
		return MRD_ALLOW_CALL;
	probe = &sock->probe;
	if (probe->stage == MRD_PROBE_IDLE || probe->stage == MRD_PROBE_FASTOPEN)
		return MRD_ALLOW_CALL;
	if (!mrd_answer_at_start(skb, &segment, probe) &&
	    mrd_answer_is_missed(skb, &segment, probe))
		mrd_on_end(&segment, probe);
	return MRD_ALLOW_CALL;
}
