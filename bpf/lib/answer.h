/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A new flow that is refused is answered as a closed port does, and one that was ended, too: RST
 * for TCP, port unreachable for UDP, in the VIP's name. The answer is made of the packet itself,
 * which goes back.
 *
 * Nothing of the old packet may speak for the new one. Its skb may say that a device fills in the
 * checksum, at the place where UDP has it. The kernel forgets that only if the bytes that are to be
 * summed up have left the packet; so it is made long enough and cut off at the front.
 */
#ifndef MRD_BPF_ANSWER_H
#define MRD_BPF_ANSWER_H

#include "kern.h"
#include "packet.h"
#include "skb.h"

/* What an error quotes: the IP header, without options and extensions, and eight bytes. */
enum { MRD_QUOTED = 8 };

struct mrd_quote_ipv4 {
	struct mrd_ipv4_header ip;
	__u8 ports[MRD_QUOTED];
};

struct mrd_quote_ipv6 {
	struct mrd_ipv6_header ip;
	__u8 ports[MRD_QUOTED];
};

struct mrd_icmp_answer {
	struct mrd_icmp_header icmp;
	union {
		struct mrd_quote_ipv6 ipv6; /* first: it is what an initializer fills with zeros */
		struct mrd_quote_ipv4 ipv4;
	} quote;
};

enum {
	MRD_CUT = 128, /* at the front; transport headers behind it are not answered */
	MRD_ANSWER_TTL = 64,
	MRD_ANSWER_MAX = sizeof(struct mrd_ipv6_header) + sizeof(struct mrd_icmp_answer),
};

/* What the sum over a pseudo header adds up; in network order. */
struct mrd_pseudo {
	struct mrd_flow_tuple addrs; /* the ports are 0 */
	__u32 len;
	__u32 protocol;
};

static __always_inline __u16 mrd_fold(__u32 sum)
{
	return mrd_check_changed(0xffff, sum);
}

/* Makes the packet one of len bytes behind l3, whose content is to be written. */
static __always_inline bool mrd_answer_clear(struct __sk_buff *skb, __u32 l3, __u32 len)
{
	if (bpf_skb_change_tail(skb, l3 + MRD_CUT + MRD_ANSWER_MAX, 0))
		return false;
	/* It does not cut frames with a VLAN's tag in them; their checksums are complete mostly. */
	bpf_skb_adjust_room(skb, -MRD_CUT, BPF_ADJ_ROOM_MAC, 0);
	return !bpf_skb_change_tail(skb, l3 + len, 0);
}

/* The IP header of an answer from the packet's destination; ret_sum: of its pseudo header. */
static __always_inline bool mrd_answer_ip(struct __sk_buff *skb, const struct mrd_packet *packet,
					  __u32 len, __u32 protocol, __u32 *ret_sum)
{
	struct mrd_pseudo pseudo = {.len = bpf_htonl(len), .protocol = bpf_htonl(protocol)};
	struct mrd_ipv6_header ipv6 = {
		.version_class = {0x60},
		.payload = bpf_htons((__u16)len),
		.next = (__u8)protocol,
		.hop_limit = MRD_ANSWER_TTL,
	};
	struct mrd_ipv4_header ipv4 = {
		.version_words = 0x45,
		.total = bpf_htons((__u16)(sizeof(ipv4) + len)),
		.fragment = bpf_htons(0x4000),
		.ttl = MRD_ANSWER_TTL,
		.protocol = (__u8)protocol,
	};

	mrd_addr_copy(pseudo.addrs.source, packet->key.tuple.destination);
	mrd_addr_copy(pseudo.addrs.destination, packet->key.tuple.source);
	*ret_sum = (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(void *)&pseudo, sizeof(pseudo), 0);
	if (packet->key.family == MRD_FAMILY_IPV6) {
		__builtin_memcpy(ipv6.source, pseudo.addrs.source, MRD_ADDR_LEN);
		__builtin_memcpy(ipv6.destination, pseudo.addrs.destination, MRD_ADDR_LEN);
		return !bpf_skb_store_bytes(skb, packet->l3, &ipv6, sizeof(ipv6),
					    BPF_F_RECOMPUTE_CSUM);
	}
	__builtin_memcpy(ipv4.source, pseudo.addrs.source, sizeof(ipv4.source));
	__builtin_memcpy(ipv4.destination, pseudo.addrs.destination, sizeof(ipv4.destination));
	ipv4.check =
		mrd_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)(void *)&ipv4, sizeof(ipv4), 0));
	return !bpf_skb_store_bytes(skb, packet->l3, &ipv4, sizeof(ipv4), BPF_F_RECOMPUTE_CSUM);
}

/*
 * RFC 9293, 3.10.7.1: with the number that the packet acknowledges; to a SYN without one the answer
 * acknowledges that, which counts as a byte, as what it carries does.
 */
static __noinline bool mrd_answer_reset(struct __sk_buff *skb, const struct mrd_packet *packet)
{
	const __u32 end = packet->end < skb->len ? packet->end : skb->len;
	struct mrd_tcp_header tcp;
	__u32 sum, data;
	bool has_ack;

	if (bpf_skb_load_bytes(skb, packet->l4, &tcp, sizeof(tcp)))
		return false;
	data = end - packet->l4 - (tcp.words >> 4) * 4;
	if (data > end)
		data = 0;
	has_ack = tcp.flags & MRD_TCP_ACK;
	tcp = (struct mrd_tcp_header){
		.source = tcp.destination,
		.destination = tcp.source,
		.seq = has_ack ? tcp.ack_seq : 0,
		.ack_seq = has_ack ? 0 : bpf_htonl(bpf_ntohl(tcp.seq) + 1 + data),
		.words = sizeof(tcp) / 4 << 4,
		.flags = has_ack ? MRD_TCP_RST : MRD_TCP_RST | MRD_TCP_ACK,
	};
	if (!mrd_answer_clear(skb, packet->l3, mrd_ip_len(packet) + sizeof(tcp)) ||
	    !mrd_answer_ip(skb, packet, sizeof(tcp), MRD_PROTOCOL_TCP, &sum))
		return false;
	tcp.check =
		mrd_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)(void *)&tcp, sizeof(tcp), sum));
	return !bpf_skb_store_bytes(skb, packet->l3 + mrd_ip_len(packet), &tcp, sizeof(tcp),
				    BPF_F_RECOMPUTE_CSUM);
}

/*
 * The datagram's head as if it had been sent without options and extensions: all that is asked of a
 * quote is whose it is, and the length of one is then known to the verifier.
 */
static __always_inline bool mrd_answer_quote(struct __sk_buff *skb, const struct mrd_packet *packet,
					     struct mrd_icmp_answer *answer)
{
	struct mrd_quote_ipv4 *ipv4 = &answer->quote.ipv4;
	struct mrd_quote_ipv6 *ipv6 = &answer->quote.ipv6;
	const __u32 extra = packet->l4 - packet->l3 - mrd_ip_len(packet);

	if (packet->key.family == MRD_FAMILY_IPV6) {
		if (bpf_skb_load_bytes(skb, packet->l3, &ipv6->ip, sizeof(ipv6->ip)) ||
		    bpf_skb_load_bytes(skb, packet->l4, ipv6->ports, sizeof(ipv6->ports)))
			return false;
		ipv6->ip.payload = bpf_htons((__u16)(bpf_ntohs(ipv6->ip.payload) - extra));
		ipv6->ip.next = (__u8)packet->key.protocol;
		return true;
	}
	if (bpf_skb_load_bytes(skb, packet->l3, &ipv4->ip, sizeof(ipv4->ip)) ||
	    bpf_skb_load_bytes(skb, packet->l4, ipv4->ports, sizeof(ipv4->ports)))
		return false;
	ipv4->ip.version_words = 0x45;
	ipv4->ip.total = bpf_htons((__u16)(bpf_ntohs(ipv4->ip.total) - extra));
	ipv4->ip.check = 0;
	ipv4->ip.check = mrd_fold(
		(__u32)bpf_csum_diff(NULL, 0, (__be32 *)(void *)&ipv4->ip, sizeof(ipv4->ip), 0));
	return true;
}

static __noinline bool mrd_answer_unreachable(struct __sk_buff *skb,
					      const struct mrd_packet *packet)
{
	const bool is_ipv4 = packet->key.family == MRD_FAMILY_IPV4;
	const __u32 len = sizeof(struct mrd_icmp_header) +
			  (is_ipv4 ? sizeof(struct mrd_quote_ipv4) : sizeof(struct mrd_quote_ipv6));
	const __u32 at = packet->l3 + mrd_ip_len(packet);
	struct mrd_icmp_answer answer = {
		.icmp.type = is_ipv4 ? MRD_ICMP_UNREACHABLE : MRD_ICMPV6_UNREACHABLE,
		.icmp.code = is_ipv4 ? MRD_ICMP_CODE_PORT : MRD_ICMPV6_CODE_PORT,
	};
	__u32 sum;
	long r;

	if (!mrd_answer_quote(skb, packet, &answer) ||
	    !mrd_answer_clear(skb, packet->l3, mrd_ip_len(packet) + len) ||
	    !mrd_answer_ip(skb, packet, len, mrd_icmp_of(packet->key.family), &sum))
		return false;
	if (is_ipv4) /* without a pseudo header */
		sum = 0;
	answer.icmp.check = mrd_fold(
		(__u32)bpf_csum_diff(NULL, 0, (__be32 *)(void *)&answer, sizeof(answer), sum));
	r = is_ipv4 ? bpf_skb_store_bytes(skb, at, &answer,
					  sizeof(answer.icmp) + sizeof(answer.quote.ipv4),
					  BPF_F_RECOMPUTE_CSUM)
		    : bpf_skb_store_bytes(skb, at, &answer, sizeof(answer), BPF_F_RECOMPUTE_CSUM);
	return !r;
}

/* The verdict on a packet that opens a flow which cannot be, or belongs to one that was ended. */
static __always_inline int
mrd_answer_refusal(struct __sk_buff *skb, const struct mrd_packet *packet, enum mrd_reason reason)
{
	bool answered = false;

	mrd_count_one(reason);
	if (packet->l4 < MRD_CUT && packet->key.protocol == MRD_PROTOCOL_TCP)
		answered = mrd_answer_reset(skb, packet);
	else if (packet->l4 < MRD_CUT)
		answered = mrd_answer_unreachable(skb, packet);
	return answered ? mrd_send_back(skb) : MRD_TC_DROP;
}

#endif
