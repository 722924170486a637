/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ICMP errors: about a packet that was translated comes an error that quotes it as it was then.
 * What it quotes, and the error's own addresses, are translated back, or the sender would not know
 * its packet again: without that, path-MTU discovery finds nothing out.
 */
#ifndef MRD_BPF_QUOTE_H
#define MRD_BPF_QUOTE_H

#include "kern.h"
#include "flow.h"
#include "packet.h"
#include "skb.h"

/* The bytes of a quoted packet that a translation changes; all at even offsets in the error. */
struct mrd_quoted {
	struct mrd_flow_tuple tuple; /* addresses; the ports' words stay 0 */
	struct mrd_ports ports;
	__u16 ip_check; /* IPv4 */
	__u16 l4_check; /* if it is quoted */
};

/* Reads the packet that an ICMP error at packet->l4 quotes: ports, and no more of its transport. */
static __noinline enum mrd_reading
mrd_quote_read(struct __sk_buff *skb, const struct mrd_packet *packet, struct mrd_packet *quoted)
{
	struct mrd_icmp_header icmp;
	struct mrd_ports ports;
	enum mrd_reading reading;

	if (bpf_skb_load_bytes(skb, packet->l4, &icmp, sizeof(icmp)))
		return MRD_READ_MALFORMED;
	if (!mrd_icmp_is_error(packet->key.family, icmp.type))
		return MRD_READ_FOREIGN;
	quoted->l3 = packet->l4 + sizeof(icmp);
	reading = mrd_l3_read(skb, quoted, packet->key.family);
	if (reading != MRD_READ_DONE)
		return reading;
	if (quoted->part == MRD_PART_LATER || !mrd_is_ours(quoted->key.protocol))
		return MRD_READ_FOREIGN;
	mrd_quote_ends(quoted, packet);
	if (quoted->l4 + MRD_QUOTED_MIN > quoted->end)
		return MRD_READ_MALFORMED;
	if (bpf_skb_load_bytes(skb, quoted->l4, &ports, sizeof(ports)))
		return MRD_READ_MALFORMED;
	mrd_ports_set(quoted, ports.source, ports.destination);
	return MRD_READ_DONE;
}

static __always_inline void mrd_quoted_of(struct mrd_quoted *quoted,
					  const struct mrd_flow_tuple *tuple)
{
	mrd_addr_copy(quoted->tuple.source, tuple->source);
	mrd_addr_copy(quoted->tuple.destination, tuple->destination);
	quoted->ports.source = bpf_htons((__u16)tuple->source_port);
	quoted->ports.destination = bpf_htons((__u16)tuple->destination_port);
}

/* A datagram's checksum of 0 is none; what comes out as 0 is written as its other form. */
static __always_inline __u16 mrd_l4_check_changed(__u16 check, __u32 diff, bool is_udp)
{
	__u16 changed = mrd_check_changed(check, diff);

	if (!is_udp)
		return changed;
	if (!check)
		return 0;
	return changed ? changed : 0xffff;
}

static __always_inline __u32 mrd_quoted_diff(const struct mrd_quoted *was,
					     const struct mrd_quoted *is)
{
	return (__u32)bpf_csum_diff((__be32 *)(void *)was, sizeof(*was), (__be32 *)(void *)is,
				    sizeof(*is), 0);
}

/*
 * Writes the quoted packet's new addresses, ports and checksums; ret_diff: what that adds to the
 * sum of the error. Not 0: no memory.
 */
static __noinline long mrd_quote_write(struct __sk_buff *skb, const struct mrd_packet *quoted,
				       const struct mrd_flow_tuple *to, __u32 *ret_diff)
{
	const bool is_udp = quoted->key.protocol == MRD_PROTOCOL_UDP;
	const __u32 check = quoted->l4 + (is_udp ? MRD_UDP_CHECK_AT : MRD_TCP_CHECK_AT);
	const __u32 addrs_diff = mrd_addrs_diff(&quoted->key.tuple, to, quoted->key.family);
	struct mrd_quoted was = {0}, is = {0};
	long failed = 0;
	__u16 l4_check;

	mrd_quoted_of(&was, &quoted->key.tuple);
	mrd_quoted_of(&is, to);
	if (check + sizeof(l4_check) <= quoted->end &&
	    !bpf_skb_load_bytes(skb, check, &l4_check, sizeof(l4_check))) {
		is.l4_check = mrd_l4_check_changed(l4_check, mrd_quoted_diff(&was, &is), is_udp);
		was.l4_check = l4_check;
		failed |= bpf_skb_store_bytes(skb, check, &is.l4_check, sizeof(is.l4_check), 0);
	}
	failed |= bpf_skb_store_bytes(skb, quoted->l4, &is.ports, sizeof(is.ports), 0);
	failed |= mrd_l3_write(skb, quoted, to, addrs_diff, 0);
	if (quoted->key.family == MRD_FAMILY_IPV4) {
		was.ip_check = quoted->check;
		is.ip_check = mrd_check_changed(quoted->check, addrs_diff);
	}
	*ret_diff = mrd_quoted_diff(&was, &is);
	return failed;
}

/* The error's own ends: who is an end of the flow has the flow's new name, a router keeps its own.
 */
static __always_inline void mrd_error_outer(const struct mrd_packet *packet,
					    const struct mrd_flow_tuple *was,
					    const struct mrd_flow_tuple *is,
					    struct mrd_flow_tuple *ret_outer)
{
	const struct mrd_flow_tuple *outer = &packet->key.tuple;

	mrd_tuple_copy(ret_outer, outer);
	if (!mrd_addr_differ(outer->source, was->source))
		mrd_addr_copy(ret_outer->source, is->source);
	if (!mrd_addr_differ(outer->destination, was->destination))
		mrd_addr_copy(ret_outer->destination, is->destination);
}

/*
 * Translates the ends of an error whose quoted packet was: that adds diff to its sum, and ICMPv6
 * covers the ends as well. Not 0: no memory.
 */
static __noinline long mrd_error_write(struct __sk_buff *skb, const struct mrd_packet *packet,
				       const struct mrd_flow_tuple *outer_to, __u32 diff)
{
	const __u32 outer_diff = mrd_addrs_diff(&packet->key.tuple, outer_to, packet->key.family);
	const __u32 check = packet->l4 + MRD_ICMP_CHECK_AT;

	if (bpf_l4_csum_replace(skb, check, 0, diff, 0))
		return -1;
	if (packet->key.family == MRD_FAMILY_IPV6 &&
	    bpf_l4_csum_replace(skb, check, 0, outer_diff, BPF_F_PSEUDO_HDR))
		return -1;
	return mrd_l3_write(skb, packet, outer_to, outer_diff, BPF_F_RECOMPUTE_CSUM);
}

#endif
