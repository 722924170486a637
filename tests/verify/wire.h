/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Packets from their description, every checksum summed up from the whole: what a program makes of
 * one packet is held against the bytes of another description, by no line of the program's own.
 */
#ifndef MRD_TESTS_WIRE_H
#define MRD_TESTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_MAX = 2048, WIRE_ETH = 14, WIRE_EXTENSIONS = 8 };

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { ICMP = 1, TCP = 6, UDP = 17, ROUTING = 43, FRAGMENT = 44, ICMPV6 = 58, OPTIONS = 60 };
enum { HOP_OPTIONS = 0xff }; /* its number is 0, which here ends a list */

struct wire {
	const char *from, *to; /* addresses; of IPv6 if they have a colon */
	uint16_t from_port, to_port;
	uint8_t protocol;
	uint8_t flags; /* TCP */
	uint32_t seq, ack;
	uint16_t window;
	uint16_t payload; /* bytes behind the transport's header */
	const char *text; /* TCP: the payload instead */
	uint8_t words;	  /* TCP: options behind the header, in fours of bytes */
	uint8_t vlans;	  /* tags in the frame */
	uint8_t options;  /* bytes of IPv4 options: a multiple of four */
	uint8_t ttl;	  /* 0: 64 */
	uint32_t id;
	bool dont_fragment;
	bool is_returned;		     /* the frame's addresses have changed places */
	bool is_unchecked;		     /* UDP without a checksum */
	uint8_t extensions[WIRE_EXTENSIONS]; /* IPv6, FRAGMENT where the datagram is cut */
	uint8_t segments_left;		     /* of ROUTING */
	uint8_t next; /* what the last of them says that follows; 0: the protocol */
	/* A fragment: which bytes of transport header and payload; id is the datagram's. */
	uint16_t cut_at, cut_len;
	/* ICMP: quotes the first bytes of a packet, counted from its IP header. */
	uint8_t type, code;
	uint32_t rest; /* the next hop's MTU, for one */
	const struct wire *quoted;
	uint16_t quoted_len;
	uint8_t padding; /* behind the packet, of the link */
};

/* Fills frame, and says how many bytes of it. */
size_t wire_build(const struct wire *wire, uint8_t frame[WIRE_MAX]);

/*
 * What of a frame a translation may change, whatever the frame is. residues: what its checksums
 * leave over, which a translation keeps as it is, right or wrong.
 */
enum wire_sum { SUM_IP, SUM_TRANSPORT, SUM_QUOTED_IP, SUM_QUOTED_TRANSPORT, WIRE_SUMS };

struct wire_shape {
	bool may_change[WIRE_MAX];
	uint32_t residues[WIRE_SUMS];
	bool has_check; /* of the transport, quoted or not */
};
void wire_look(const uint8_t *frame, size_t len, struct wire_shape *ret_shape);

#endif
