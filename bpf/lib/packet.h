/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: where the addresses and ports of a packet stand, and what a change of them does to a
 * checksum.
 *
 * The caller loads one header at a time, which may lie in fragments of the skb, and hands a copy of
 * it here; the answer says where the next one starts. Nothing of a packet is believed: a length
 * that does not fit is a packet that is left alone.
 */
#ifndef MRD_BPF_PACKET_H
#define MRD_BPF_PACKET_H

#include <stdbool.h>

#include "addr.h"
#include "maps/abi.h"

/* Headers as they stand in packets; numbers are in network order there. */
struct mrd_ipv4_header {
	__u8 version_words; /* four bits each */
	__u8 tos;
	__u16 total;
	__u16 id;
	__u16 fragment; /* three bits of flags, 13 of the offset in units of eight bytes */
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__u8 source[4];
	__u8 destination[4];
};
_Static_assert(sizeof(struct mrd_ipv4_header) == 20, "RFC 791");

struct mrd_ipv6_header {
	__u8 version_class[4];
	__u16 payload;
	__u8 next;
	__u8 hop_limit;
	__u8 source[16];
	__u8 destination[16];
};
_Static_assert(sizeof(struct mrd_ipv6_header) == 40, "RFC 8200");

/* The first eight bytes of an extension header, which is all of one for fragments. */
struct mrd_ipv6_extension {
	__u8 next;
	__u8 more_units; /* its length in eight bytes, less the first */
	union {
		struct {
			__u8 type;
			__u8 segments_left; /* of a route */
		} route;
		__u16 fragment; /* 13 bits of the offset, two unused, one: more follow */
	};
	__u32 id;
};
_Static_assert(sizeof(struct mrd_ipv6_extension) == 8, "RFC 8200");

struct mrd_tcp_header {
	__u16 source;
	__u16 destination;
	__u32 seq;
	__u32 ack_seq;
	__u8 words; /* in the upper four bits */
	__u8 flags;
	__u16 window;
	__u16 check;
	__u16 urgent;
};
_Static_assert(sizeof(struct mrd_tcp_header) == 20, "RFC 9293");

struct mrd_udp_header {
	__u16 source;
	__u16 destination;
	__u16 length;
	__u16 check;
};
_Static_assert(sizeof(struct mrd_udp_header) == 8, "RFC 768");

struct mrd_icmp_header {
	__u8 type;
	__u8 code;
	__u16 check;
	__u32 rest;
};
_Static_assert(sizeof(struct mrd_icmp_header) == 8, "RFC 792, RFC 4443");

enum {
	MRD_TCP_FIN = 0x01,
	MRD_TCP_SYN = 0x02,
	MRD_TCP_RST = 0x04,
	MRD_TCP_ACK = 0x10,
	MRD_TCP_NEWS = MRD_TCP_SYN | MRD_TCP_FIN | MRD_TCP_RST, /* change a flow's state */
};

enum {
	MRD_PROTO_HOP_OPTIONS = 0,
	MRD_PROTO_ICMP = 1,
	MRD_PROTO_ROUTING = 43,
	MRD_PROTO_FRAGMENT = 44,
	MRD_PROTO_ICMPV6 = 58,
	MRD_PROTO_OPTIONS = 60,
};

enum { MRD_IPV6_EXTENSIONS_MAX = 6 }; /* followed; RFC 8200 foresees no more than five */

enum {
	MRD_ICMP_UNREACHABLE = 3,
	MRD_ICMP_TIME_EXCEEDED = 11,
	MRD_ICMP_PARAMETER = 12,
	MRD_ICMP_CODE_PORT = 3,
	MRD_ICMP_CODE_TOO_BIG = 4,
	MRD_ICMPV6_UNREACHABLE = 1,
	MRD_ICMPV6_ERRORS_MAX = 127, /* informational ones follow */
	MRD_ICMPV6_CODE_PORT = 4,
	MRD_QUOTED_MIN = 8, /* bytes of a transport header */
};

/* Where in TCP and UDP headers the checksum stands. */
enum { MRD_TCP_CHECK_AT = 16, MRD_UDP_CHECK_AT = 6, MRD_ICMP_CHECK_AT = 2 };
enum { MRD_IPV4_TAIL_AT = 8, MRD_IPV6_HOPS_AT = 7, MRD_IPV6_ADDRS_AT = 8 };

/* The rest of an IPv4 header, which a translation writes at once. */
struct mrd_ipv4_tail {
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__u32 source;
	__u32 destination;
};
_Static_assert(sizeof(struct mrd_ipv4_tail) == 12, "RFC 791");

/* With the ports behind it. */
struct mrd_ipv4_ends {
	struct mrd_ipv4_tail tail;
	__u32 ports;
};
_Static_assert(sizeof(struct mrd_ipv4_ends) == 16, "it is stored as it is");

#define MRD_END_UNKNOWN 0xffffffffU

enum mrd_part { MRD_PART_WHOLE, MRD_PART_FIRST, MRD_PART_LATER };

/* A packet as it came, by offsets in the skb. */
struct mrd_packet {
	struct mrd_flow_key key; /* protocol may be another number than those of the enum */
	__u32 l3;
	__u32 l4;
	__u32 end; /* what follows is the link's padding; MRD_END_UNKNOWN: not told */
	__u32 fragment_id;
	enum mrd_part part;
	__u32 tcp_flags; /* 0 but for TCP */
	__u32 seq;	 /* of TCP, in network order, as are the next two */
	__u32 ack_seq;	 /* what it acknowledges */
	__u32 fin_ack;	 /* what acknowledges all of it, if its last is a FIN; 0: not known */
	__u8 ttl;	 /* or hop limit */
	__u8 words;	 /* of TCP: its header's length in fours of bytes */
	__u16 check;	 /* of IPv4 */
};

enum mrd_reading {
	MRD_READ_DONE,
	MRD_READ_MORE,	    /* an extension header stands at l4 */
	MRD_READ_FOREIGN,   /* not IP, or ICMP that is no error about a connection */
	MRD_READ_PROTOCOL,  /* another transport */
	MRD_READ_MALFORMED, /* cut short, or it contradicts itself */
	MRD_READ_HEADERS,   /* IPv6 headers that are not followed */
};

static inline __u16 mrd_swap16(__u16 number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap16(number);
#else
	return number;
#endif
}

static inline __u32 mrd_swap32(__u32 number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap32(number);
#else
	return number;
#endif
}

/* packet->l3 is set. A length of 0 is that of a packet too large for the field (big TCP). */
static inline enum mrd_reading mrd_ipv4_read(const struct mrd_ipv4_header *ip,
					     struct mrd_packet *packet)
{
	const __u32 header = (ip->version_words & 0xf) * 4, total = mrd_swap16(ip->total);
	const __u32 fragment = mrd_swap16(ip->fragment);
	__u32 addr;

	if (ip->version_words >> 4 != 4 || header < sizeof(*ip) || (total && total < header))
		return MRD_READ_MALFORMED;
	__builtin_memcpy(&addr, ip->source, sizeof(addr));
	mrd_addr_from_ipv4(packet->key.tuple.source, addr);
	__builtin_memcpy(&addr, ip->destination, sizeof(addr));
	mrd_addr_from_ipv4(packet->key.tuple.destination, addr);
	packet->key.family = MRD_FAMILY_IPV4;
	packet->key.protocol = (enum mrd_protocol)ip->protocol;
	packet->l4 = packet->l3 + header;
	packet->end = total ? packet->l3 + total : MRD_END_UNKNOWN;
	packet->fragment_id = mrd_swap16(ip->id);
	packet->ttl = ip->ttl;
	packet->check = ip->check;
	packet->part = fragment & 0x1fff   ? MRD_PART_LATER
		       : fragment & 0x2000 ? MRD_PART_FIRST
					   : MRD_PART_WHOLE;
	return MRD_READ_DONE;
}

static inline bool mrd_is_extension(__u32 protocol)
{
	return protocol == MRD_PROTO_HOP_OPTIONS || protocol == MRD_PROTO_ROUTING ||
	       protocol == MRD_PROTO_FRAGMENT || protocol == MRD_PROTO_OPTIONS;
}

static inline enum mrd_reading mrd_ipv6_read(const struct mrd_ipv6_header *ip,
					     struct mrd_packet *packet)
{
	const __u32 payload = mrd_swap16(ip->payload);

	if (ip->version_class[0] >> 4 != 6)
		return MRD_READ_MALFORMED;
	__builtin_memcpy(mrd_addr_aligned(packet->key.tuple.source), ip->source, MRD_ADDR_LEN);
	__builtin_memcpy(mrd_addr_aligned(packet->key.tuple.destination), ip->destination,
			 MRD_ADDR_LEN);
	packet->key.family = MRD_FAMILY_IPV6;
	packet->key.protocol = (enum mrd_protocol)ip->next;
	packet->l4 = packet->l3 + sizeof(*ip);
	packet->end = payload ? packet->l4 + payload : MRD_END_UNKNOWN;
	packet->ttl = ip->hop_limit;
	packet->part = MRD_PART_WHOLE;
	return mrd_is_extension(ip->next) ? MRD_READ_MORE : MRD_READ_DONE;
}

/*
 * One more extension header, loaded from l4. A route with stations to go has another destination
 * in its checksums than in its header. Behind a later fragment's header is payload.
 */
static inline enum mrd_reading mrd_ipv6_step(const struct mrd_ipv6_extension *header,
					     struct mrd_packet *packet)
{
	const __u32 protocol = packet->key.protocol;
	__u32 len = 8 + header->more_units * 8;

	if (protocol == MRD_PROTO_ROUTING && header->route.segments_left)
		return MRD_READ_HEADERS;
	if (protocol == MRD_PROTO_FRAGMENT) {
		const __u32 fragment = mrd_swap16(header->fragment);

		len = sizeof(*header);
		packet->fragment_id = mrd_swap32(header->id);
		packet->part = fragment >> 3  ? MRD_PART_LATER
			       : fragment & 1 ? MRD_PART_FIRST
					      : MRD_PART_WHOLE;
	}
	packet->l4 += len;
	packet->key.protocol = (enum mrd_protocol)header->next;
	if (packet->part == MRD_PART_LATER || !mrd_is_extension(header->next))
		return MRD_READ_DONE;
	return MRD_READ_MORE;
}

static inline bool mrd_is_ours(__u32 protocol)
{
	return protocol == MRD_PROTOCOL_TCP || protocol == MRD_PROTOCOL_UDP;
}

static inline __u32 mrd_icmp_of(enum mrd_family family)
{
	return family == MRD_FAMILY_IPV4 ? MRD_PROTO_ICMP : MRD_PROTO_ICMPV6;
}

/* Of a packet that ends with a FIN: see struct mrd_packet. */
static inline __u32 mrd_fin_ack_of(const struct mrd_packet *packet,
				   const struct mrd_tcp_header *tcp)
{
	const __u32 data = packet->l4 + (tcp->words >> 4) * 4;

	if (packet->end == MRD_END_UNKNOWN || packet->end < data)
		return 0;
	return mrd_swap32(mrd_swap32(tcp->seq) + packet->end - data + 1);
}

/* Does it quote a packet? */
static inline bool mrd_icmp_is_error(enum mrd_family family, __u32 type)
{
	if (family == MRD_FAMILY_IPV6)
		return type && type <= MRD_ICMPV6_ERRORS_MAX;
	return type == MRD_ICMP_UNREACHABLE || type == MRD_ICMP_TIME_EXCEEDED ||
	       type == MRD_ICMP_PARAMETER;
}

/* Is the transport's header within what the IP header calls the packet? */
static inline bool mrd_l4_fits(const struct mrd_packet *packet)
{
	const __u32 len = packet->key.protocol == MRD_PROTOCOL_TCP ? sizeof(struct mrd_tcp_header)
								   : sizeof(struct mrd_udp_header);

	return packet->l4 + len <= packet->end;
}

/* Of an IP header without options and extensions. */
static inline __u32 mrd_ip_len(const struct mrd_packet *packet)
{
	return packet->key.family == MRD_FAMILY_IPV4 ? sizeof(struct mrd_ipv4_header)
						     : sizeof(struct mrd_ipv6_header);
}

static inline bool mrd_is_plain(const struct mrd_packet *packet)
{
	return packet->l4 - packet->l3 == mrd_ip_len(packet);
}

/* A quoted packet ends where it says, or where the error that quotes it does. */
static inline void mrd_quote_ends(struct mrd_packet *quoted, const struct mrd_packet *error)
{
	if (quoted->end > error->end)
		quoted->end = error->end;
}

/* ------------------------------------------------------------------------------ checksums */

/* The sum of ones' complement. */
static inline __u16 mrd_sum_add(__u16 sum, __u32 diff)
{
	__u32 more = (__u32)sum + (diff & 0xffff) + (diff >> 16);

	more = (more & 0xffff) + (more >> 16);
	return (__u16)((more & 0xffff) + (more >> 16));
}

/* diff: what was added to the bytes that a checksum covers */
static inline __u16 mrd_check_changed(__u16 check, __u32 diff)
{
	return (__u16)~mrd_sum_add((__u16)~check, diff);
}

/*
 * Was the sum of a pseudo header changed, which the device completes? A checksum would have become
 * another number, unless diff is nothing: 0 or, in ones' complement, 0xffff.
 */
static inline bool mrd_check_is_partial(__u16 was, __u16 is, __u32 diff)
{
	return is == mrd_sum_add(was, diff) && (__u16)(mrd_sum_add(0, diff) + 1) > 1;
}

/* The checksum of an IPv4 header whose packet has one hop less to go: the upper byte of its word.
 */
static inline __u16 mrd_check_hop(__u16 check)
{
	return mrd_check_changed(check, (__u16)~mrd_swap16(0x0100));
}

/* What the fourth part of each address that begins at i adds to a sum, if it is another. */
static inline __u64 mrd_words_diff(const struct mrd_flow_tuple *from,
				   const struct mrd_flow_tuple *to, int i)
{
	__u32 words[4];

	__builtin_memcpy(&words[0], mrd_addr_aligned(from->source) + i, 4);
	__builtin_memcpy(&words[1], mrd_addr_aligned(from->destination) + i, 4);
	__builtin_memcpy(&words[2], mrd_addr_aligned(to->source) + i, 4);
	__builtin_memcpy(&words[3], mrd_addr_aligned(to->destination) + i, 4);
	return (__u64)(__u32)~words[0] + (__u32)~words[1] + words[2] + words[3];
}

/* What other addresses add to a sum that covers them. Those of IPv4 have no more than one part. */
static inline __u32 mrd_addrs_diff(const struct mrd_flow_tuple *from,
				   const struct mrd_flow_tuple *to, enum mrd_family family)
{
	__u64 sum = mrd_words_diff(from, to, 0);

	if (family != MRD_FAMILY_IPV4)
		sum += mrd_words_diff(from, to, 4) + mrd_words_diff(from, to, 8) +
		       mrd_words_diff(from, to, 12);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)sum + (__u32)(sum >> 32);
}

#endif
