/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A packet read from its skb, and its addresses and ports written there: the helpers around
 * packet.h.
 *
 * Who fills a checksum in may be the device (the skb then holds the sum of the pseudo header
 * alone), and what the device has summed up may have to stay true. The kernel's helpers know, if
 * they are told which change is one of the pseudo header. Of IPv6, kernels differ in what they then
 * do with the device's sum over the whole packet: storing the addresses with
 * BPF_F_RECOMPUTE_CSUM is right with all of them, for what the checksum's change adds to that sum
 * is what the addresses' change takes away.
 */
#ifndef MRD_BPF_SKB_H
#define MRD_BPF_SKB_H

#include "kern.h"
#include "addr.h"
#include "flow.h"
#include "packet.h"

enum { MRD_ETH_LEN = 14, MRD_MACS_LEN = 12, MRD_VLANS_MAX = 2, MRD_ADDRS_LEN = 2 * MRD_ADDR_LEN };
enum { MRD_HEADERS_MASK = 0x3ff }; /* where headers end, mostly */

struct mrd_vlan_tag {
	__u16 tci;
	__u16 type;
};

struct mrd_ports {
	__u16 source;
	__u16 destination;
};

/* -------------------------------------------------------------------------------- reading */

static __noinline enum mrd_reading mrd_ipv6_follow(struct __sk_buff *skb, struct mrd_packet *packet)
{
	for (int i = 0; i < MRD_IPV6_EXTENSIONS_MAX; i++) {
		struct mrd_ipv6_extension header;
		enum mrd_reading reading;

		if (bpf_skb_load_bytes(skb, packet->l4, &header, sizeof(header)))
			return MRD_READ_MALFORMED;
		reading = mrd_ipv6_step(&header, packet);
		if (reading != MRD_READ_MORE)
			return reading;
	}
	return MRD_READ_HEADERS;
}

/* The IP header at packet->l3, and those behind it up to the transport's. */
static __noinline enum mrd_reading mrd_l3_read(struct __sk_buff *skb, struct mrd_packet *packet,
					       enum mrd_family family)
{
	struct mrd_ipv6_header ipv6;
	struct mrd_ipv4_header ipv4;
	enum mrd_reading reading;

	if (family == MRD_FAMILY_IPV4) {
		if (bpf_skb_load_bytes(skb, packet->l3, &ipv4, sizeof(ipv4)))
			return MRD_READ_MALFORMED;
		return mrd_ipv4_read(&ipv4, packet);
	}
	if (bpf_skb_load_bytes(skb, packet->l3, &ipv6, sizeof(ipv6)))
		return MRD_READ_MALFORMED;
	reading = mrd_ipv6_read(&ipv6, packet);
	return reading == MRD_READ_MORE ? mrd_ipv6_follow(skb, packet) : reading;
}

static __always_inline void mrd_ports_set(struct mrd_packet *packet, __u16 source_be,
					  __u16 destination_be)
{
	packet->key.tuple.source_port = bpf_ntohs(source_be);
	packet->key.tuple.destination_port = bpf_ntohs(destination_be);
}

static __always_inline void mrd_tcp_read(const struct mrd_tcp_header *tcp,
					 struct mrd_packet *packet)
{
	mrd_ports_set(packet, tcp->source, tcp->destination);
	packet->tcp_flags = tcp->flags;
	packet->words = tcp->words >> 4;
	packet->seq = tcp->seq;
	packet->ack_seq = tcp->ack_seq;
	packet->fin_ack = tcp->flags & MRD_TCP_FIN ? mrd_fin_ack_of(packet, tcp) : 0;
}

/* Ports, and what else TCP says. The header must be there as far as the checksum. */
static __always_inline enum mrd_reading mrd_l4_read(struct __sk_buff *skb,
						    struct mrd_packet *packet)
{
	struct mrd_udp_header udp;
	struct mrd_tcp_header tcp;

	if (!mrd_l4_fits(packet))
		return MRD_READ_MALFORMED;
	if (packet->key.protocol == MRD_PROTOCOL_TCP) {
		if (bpf_skb_load_bytes(skb, packet->l4, &tcp, sizeof(tcp)))
			return MRD_READ_MALFORMED;
		mrd_tcp_read(&tcp, packet);
		return MRD_READ_DONE;
	}
	if (bpf_skb_load_bytes(skb, packet->l4, &udp, sizeof(udp)))
		return MRD_READ_MALFORMED;
	mrd_ports_set(packet, udp.source, udp.destination);
	return MRD_READ_DONE;
}

/* The same where it lies in the skb's first part. False: it is not all there. */
static __always_inline bool mrd_l4_read_plain(const void *l4, const void *end,
					      struct mrd_packet *packet)
{
	const struct mrd_udp_header *udp = l4;
	const struct mrd_tcp_header *tcp = l4;

	if (!mrd_l4_fits(packet))
		return false;
	if (packet->key.protocol == MRD_PROTOCOL_TCP && (const void *)(tcp + 1) <= end)
		mrd_tcp_read(tcp, packet);
	else if (packet->key.protocol == MRD_PROTOCOL_UDP && (const void *)(udp + 1) <= end)
		mrd_ports_set(packet, udp->source, udp->destination);
	else
		return false;
	return true;
}

/*
 * Most packets: TCP or UDP behind an IP header without anything special, in the skb's first part,
 * where they can be read without a helper. False: it is none of these, and is to be read anew.
 */
static __always_inline bool mrd_packet_read_plain(struct __sk_buff *skb, struct mrd_packet *packet)
{
	const void *ip = (const void *)(long)skb->data + MRD_ETH_LEN;
	const void *end = (const void *)(long)skb->data_end;
	const struct mrd_ipv6_header *ipv6 = ip;
	const struct mrd_ipv4_header *ipv4 = ip;

	packet->l3 = MRD_ETH_LEN;
	packet->tcp_flags = 0;
	packet->seq = 0;
	if (skb->protocol == bpf_htons(MRD_ETHERTYPE_IPV4))
		return (const void *)(ipv4 + 1) <= end &&
		       mrd_ipv4_read(ipv4, packet) == MRD_READ_DONE && mrd_is_plain(packet) &&
		       packet->part != MRD_PART_LATER && mrd_l4_read_plain(ipv4 + 1, end, packet);
	return skb->protocol == bpf_htons(MRD_ETHERTYPE_IPV6) && (const void *)(ipv6 + 1) <= end &&
	       mrd_ipv6_read(ipv6, packet) == MRD_READ_DONE &&
	       mrd_l4_read_plain(ipv6 + 1, end, packet);
}

static __always_inline bool mrd_is_vlan(__u16 type)
{
	return type == bpf_htons(MRD_ETHERTYPE_VLAN) || type == bpf_htons(MRD_ETHERTYPE_QINQ);
}

/* A tag that the kernel keeps beside the packet does not concern us; those within are skipped. */
static __always_inline enum mrd_family mrd_l2_read(struct __sk_buff *skb, struct mrd_packet *packet)
{
	__u16 type = skb->protocol;

	packet->l3 = MRD_ETH_LEN;
	for (int i = 0; i < MRD_VLANS_MAX && mrd_is_vlan(type); i++) {
		struct mrd_vlan_tag tag;

		if (bpf_skb_load_bytes(skb, packet->l3, &tag, sizeof(tag)))
			return MRD_FAMILY_NONE;
		type = tag.type;
		packet->l3 += sizeof(tag);
	}
	if (type == bpf_htons(MRD_ETHERTYPE_IPV4))
		return MRD_FAMILY_IPV4;
	return type == bpf_htons(MRD_ETHERTYPE_IPV6) ? MRD_FAMILY_IPV6 : MRD_FAMILY_NONE;
}

/* The same of any packet, by helpers. */
static __noinline enum mrd_reading mrd_packet_read_any(struct __sk_buff *skb,
						       struct mrd_packet *packet)
{
	const enum mrd_family family = mrd_l2_read(skb, packet);
	enum mrd_reading reading;

	if (family == MRD_FAMILY_NONE)
		return MRD_READ_FOREIGN;
	packet->tcp_flags = 0;
	packet->seq = 0;
	reading = mrd_l3_read(skb, packet, family);
	if (reading != MRD_READ_DONE || packet->part == MRD_PART_LATER)
		return reading;
	if (mrd_is_ours(packet->key.protocol))
		return mrd_l4_read(skb, packet);
	return packet->key.protocol == mrd_icmp_of(family) ? MRD_READ_DONE : MRD_READ_PROTOCOL;
}

/*
 * MRD_READ_DONE: TCP, UDP, or what has no ports: ICMP of the packet's family, or a later fragment
 * of anything.
 */
static __always_inline enum mrd_reading mrd_packet_read(struct __sk_buff *skb,
							struct mrd_packet *packet)
{
	return mrd_packet_read_plain(skb, packet) ? MRD_READ_DONE
						  : mrd_packet_read_any(skb, packet);
}

/* What may open a flow: a SYN of a client, or any of its datagrams. What may move one: an RST. */
static __always_inline bool mrd_l4_is_under_way(const void *l4, const void *end, __u8 protocol,
						enum mrd_flow_way way)
{
	const struct mrd_tcp_header *tcp = l4;

	if (protocol == MRD_PROTOCOL_UDP)
		return way == MRD_FLOW_REVERSE;
	if (protocol != MRD_PROTOCOL_TCP || (const void *)(tcp + 1) > end)
		return false;
	return way == MRD_FLOW_FORWARD ? !mrd_flags_open(tcp->flags) : !(tcp->flags & MRD_TCP_RST);
}

/*
 * Sees at a glance, without a helper, what most packets are: they open no flow and move none, so
 * they concern only flows that are there. Of IP headers without anything special, in the skb's
 * first part.
 */
static __always_inline bool mrd_is_under_way(struct __sk_buff *skb, enum mrd_flow_way way)
{
	const void *ip = (const void *)(long)skb->data + MRD_ETH_LEN;
	const void *end = (const void *)(long)skb->data_end;
	const struct mrd_ipv6_header *ipv6 = ip;
	const struct mrd_ipv4_header *ipv4 = ip;

	if (skb->protocol == bpf_htons(MRD_ETHERTYPE_IPV4))
		return (const void *)(ipv4 + 1) <= end && ipv4->version_words == 0x45 &&
		       !(ipv4->fragment & bpf_htons(0x3fff)) &&
		       mrd_l4_is_under_way(ipv4 + 1, end, ipv4->protocol, way);
	return skb->protocol == bpf_htons(MRD_ETHERTYPE_IPV6) && (const void *)(ipv6 + 1) <= end &&
	       mrd_l4_is_under_way(ipv6 + 1, end, ipv6->next, way);
}

/* -------------------------------------------------------------------------------- writing */

static __always_inline __u32 mrd_ports_word(const struct mrd_flow_tuple *tuple)
{
	const struct mrd_ports ports = {bpf_htons((__u16)tuple->source_port),
					bpf_htons((__u16)tuple->destination_port)};
	__u32 word;

	__builtin_memcpy(&word, &ports, sizeof(word));
	return word;
}

/* A checksum where it stands, in the skb's first part. False: it is not there. */
static __always_inline bool mrd_check_load(struct __sk_buff *skb, __u32 at, __u16 *ret_check)
{
	const __u16 *check = (const void *)((long)skb->data + (at & MRD_HEADERS_MASK));

	if ((at & ~MRD_HEADERS_MASK) ||
	    (const void *)(check + 1) > (const void *)(long)skb->data_end)
		return false;
	*ret_check = *check;
	return true;
}

/*
 * diff: of the addresses. For the ports' part see RFC 768: a checksum of 0 is none. Where the
 * device sums up, as for most packets of a host's own sockets, the ports are its concern; and the
 * first call has shown it by how it changed what stands there.
 */
static __always_inline long mrd_l4_sum(struct __sk_buff *skb, const struct mrd_packet *packet,
				       __u32 was_ports, __u32 is_ports, __u32 diff)
{
	const bool is_udp = packet->key.protocol == MRD_PROTOCOL_UDP;
	const __u64 flags = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	const __u32 at = packet->l4 + (is_udp ? MRD_UDP_CHECK_AT : MRD_TCP_CHECK_AT);
	__u16 was = 0, is = 0;
	const bool is_seen = !is_udp && mrd_check_load(skb, at, &was);

	if (bpf_l4_csum_replace(skb, at, 0, diff, flags | BPF_F_PSEUDO_HDR))
		return -1;
	if (was_ports == is_ports ||
	    (is_seen && mrd_check_load(skb, at, &is) && mrd_check_is_partial(was, is, diff)))
		return 0;
	return bpf_l4_csum_replace(skb, at, was_ports, is_ports, flags | sizeof(is_ports));
}

static __always_inline struct mrd_ipv4_tail
mrd_ipv4_tail_of(const struct mrd_packet *packet, const struct mrd_flow_tuple *to, __u32 diff)
{
	return (struct mrd_ipv4_tail){
		.ttl = packet->ttl,
		.protocol = (__u8)packet->key.protocol,
		.check = mrd_check_changed(packet->check, diff),
		.source = mrd_addr_to_ipv4(to->source),
		.destination = mrd_addr_to_ipv4(to->destination),
	};
}

/*
 * The checksum of an IPv4 header makes up for what it covers. ipv6_flags: how IPv6 addresses are
 * stored, see above; of a quoted packet, the error's checksum makes up for them.
 */
static __always_inline long mrd_l3_write(struct __sk_buff *skb, const struct mrd_packet *packet,
					 const struct mrd_flow_tuple *to, __u32 diff,
					 __u64 ipv6_flags)
{
	const struct mrd_ipv4_tail tail = mrd_ipv4_tail_of(packet, to, diff);

	if (packet->key.family == MRD_FAMILY_IPV4)
		return bpf_skb_store_bytes(skb, packet->l3 + MRD_IPV4_TAIL_AT, &tail, sizeof(tail),
					   0);
	return bpf_skb_store_bytes(skb, packet->l3 + MRD_IPV6_ADDRS_AT, to, MRD_ADDRS_LEN,
				   ipv6_flags);
}

/*
 * Gives the packet the addresses and ports of another tuple. Not 0: no memory, and the packet is
 * to be dropped: it may be written in part.
 */
static __always_inline long mrd_packet_write(struct __sk_buff *skb, const struct mrd_packet *packet,
					     const struct mrd_flow_tuple *to)
{
	const __u32 diff = mrd_addrs_diff(&packet->key.tuple, to, packet->key.family);
	const __u32 was_ports = mrd_ports_word(&packet->key.tuple), is_ports = mrd_ports_word(to);

	if (packet->part != MRD_PART_LATER && mrd_l4_sum(skb, packet, was_ports, is_ports, diff))
		return -1;
	if (packet->part != MRD_PART_LATER && packet->key.family == MRD_FAMILY_IPV4 &&
	    mrd_is_plain(packet)) {
		const struct mrd_ipv4_ends ends = {mrd_ipv4_tail_of(packet, to, diff), is_ports};

		return bpf_skb_store_bytes(skb, packet->l3 + MRD_IPV4_TAIL_AT, &ends, sizeof(ends),
					   0);
	}
	if (packet->part != MRD_PART_LATER && was_ports != is_ports &&
	    bpf_skb_store_bytes(skb, packet->l4, &is_ports, sizeof(is_ports), 0))
		return -1;
	return mrd_l3_write(skb, packet, to, diff, BPF_F_RECOMPUTE_CSUM);
}

/* One more hop, as who forwards counts them; of IPv4, mrd_packet_write() is to follow. */
static __always_inline long mrd_hop_write(struct __sk_buff *skb, struct mrd_packet *packet)
{
	packet->ttl--;
	if (packet->key.family == MRD_FAMILY_IPV6)
		return bpf_skb_store_bytes(skb, packet->l3 + MRD_IPV6_HOPS_AT, &packet->ttl,
					   sizeof(packet->ttl), BPF_F_RECOMPUTE_CSUM);
	packet->check = mrd_check_hop(packet->check);
	return 0;
}

/* ----------------------------------------------------------------------------- sending back */

static __always_inline bool mrd_is_uplink(__u32 ifindex)
{
	const struct mrd_interface *interface = bpf_map_lookup_elem(&mrd_interface, &ifindex);

	return interface && interface->is_uplink;
}

/*
 * To whom the packet came from, without asking the host's stack, which might drop it for its source
 * (rp_filter): the frame's addresses change places. On an uplink that is the host itself.
 */
static __noinline int mrd_send_back(struct __sk_buff *skb)
{
	const __u32 ifindex = skb->ifindex;
	__u8 macs[MRD_MACS_LEN], turned[MRD_MACS_LEN];

	if (bpf_skb_load_bytes(skb, 0, macs, sizeof(macs)))
		return MRD_TC_DROP;
	__builtin_memcpy(turned, macs + 6, 6);
	__builtin_memcpy(turned + 6, macs, 6);
	if (bpf_skb_store_bytes(skb, 0, turned, sizeof(turned), 0)) {
		mrd_count_one(MRD_REASON_DROP_UNWRITTEN);
		return MRD_TC_DROP;
	}
	return (int)bpf_redirect(ifindex, mrd_is_uplink(ifindex) ? BPF_F_INGRESS : 0);
}

#endif
