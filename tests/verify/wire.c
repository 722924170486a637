// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "wire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDR_MAX = 16, TCP_LEN = 20, UDP_LEN = 8, ICMP_LEN = 8, EXTENSION_LEN = 8 };

struct ends {
	uint8_t from[ADDR_MAX], to[ADDR_MAX];
	size_t len;
};

static bool is_ipv6(const struct wire *wire)
{
	return strchr(wire->from, ':');
}

static void put16(uint8_t *at, uint16_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

static void put32(uint8_t *at, uint32_t number)
{
	put16(at, (uint16_t)(number >> 16));
	put16(at + 2, (uint16_t)number);
}

static struct ends ends_of(const struct wire *wire)
{
	const int family = is_ipv6(wire) ? AF_INET6 : AF_INET;
	struct ends ends = {.len = is_ipv6(wire) ? 16 : 4};

	if (inet_pton(family, wire->from, ends.from) != 1 ||
	    inet_pton(family, wire->to, ends.to) != 1) {
		fprintf(stderr, "%s, %s: no such addresses\n", wire->from, wire->to);
		exit(2);
	}
	return ends;
}

/* RFC 1071, byte by byte. */
static uint32_t sum_up(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t pseudo_sum(const struct wire *wire, size_t len)
{
	const struct ends ends = ends_of(wire);
	uint8_t tail[4] = {0, wire->protocol};

	put16(tail + 2, (uint16_t)len);
	return sum_up(sum_up(sum_up(0, ends.from, ends.len), ends.to, ends.len), tail, 4);
}

static size_t fill_payload(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i * 7 + 3);
	return len;
}

static size_t fill_text(uint8_t *at, const char *text)
{
	size_t len = 0;

	for (; text[len]; len++)
		at[len] = (uint8_t)text[len];
	return len;
}

static size_t build_tcp(const struct wire *wire, uint8_t *at)
{
	const size_t header = TCP_LEN + 4 * (size_t)wire->words;
	const size_t len = header + (wire->text ? fill_text(at + header, wire->text)
						: fill_payload(at + header, wire->payload));

	put16(at, wire->from_port);
	put16(at + 2, wire->to_port);
	put32(at + 4, wire->seq);
	put32(at + 8, wire->ack);
	at[12] = (uint8_t)(header / 4 << 4);
	memset(at + TCP_LEN, 1, header - TCP_LEN); /* "no operation" */
	at[13] = wire->flags;
	put16(at + 14, wire->window);
	put16(at + 16, (uint16_t)~sum_up(pseudo_sum(wire, len), at, len));
	return len;
}

static size_t build_udp(const struct wire *wire, uint8_t *at)
{
	const size_t len = UDP_LEN + fill_payload(at + UDP_LEN, wire->payload);
	uint16_t check;

	put16(at, wire->from_port);
	put16(at + 2, wire->to_port);
	put16(at + 4, (uint16_t)len);
	check = (uint16_t)~sum_up(pseudo_sum(wire, len), at, len);
	if (!wire->is_unchecked)
		put16(at + 6, check ? check : 0xffff);
	return len;
}

static size_t build_icmp(const struct wire *wire, uint8_t *at)
{
	size_t len = ICMP_LEN;

	at[0] = wire->type;
	at[1] = wire->code;
	put32(at + 4, wire->rest);
	if (wire->quoted) {
		uint8_t frame[WIRE_MAX];
		const size_t quoted_len = wire_build(wire->quoted, frame) - WIRE_ETH;

		memcpy(at + ICMP_LEN, frame + WIRE_ETH, quoted_len);
		len += wire->quoted_len ? wire->quoted_len : quoted_len;
	}
	len += fill_payload(at + len, wire->payload);
	put16(at + 2, (uint16_t)~sum_up(is_ipv6(wire) ? pseudo_sum(wire, len) : 0, at, len));
	return len;
}

/* The whole datagram, of which a fragment carries a part. */
static size_t build_transport(const struct wire *wire, uint8_t *at)
{
	switch (wire->protocol) {
	case TCP:
		return build_tcp(wire, at);
	case UDP:
		return build_udp(wire, at);
	case ICMP:
	case ICMPV6:
		return build_icmp(wire, at);
	default:
		return fill_payload(at, wire->payload);
	}
}

static size_t build_ipv4(const struct wire *wire, uint8_t *at, const uint8_t *transport, size_t len)
{
	const size_t carried = wire->cut_len ? wire->cut_len : len;
	const size_t header = 20 + wire->options;
	const struct ends ends = ends_of(wire);
	const bool more = wire->cut_at + carried < len;

	at[0] = (uint8_t)(0x40 | header / 4);
	put16(at + 2, (uint16_t)(header + carried));
	put16(at + 4, (uint16_t)wire->id);
	put16(at + 6, (uint16_t)((wire->dont_fragment ? 0x4000 : 0) | (more ? 0x2000 : 0) |
				 wire->cut_at / 8));
	at[8] = wire->ttl ? wire->ttl : 64;
	at[9] = wire->protocol;
	memcpy(at + 12, ends.from, 4);
	memcpy(at + 16, ends.to, 4);
	memset(at + 20, 1, wire->options); /* "no operation" */
	put16(at + 10, (uint16_t)~sum_up(0, at, header));
	memcpy(at + header, transport + wire->cut_at, carried);
	return header + carried;
}

/* Each of eight bytes; a following length of 0 says that. */
static size_t build_extensions(const struct wire *wire, uint8_t *at, bool more)
{
	size_t len = 0;

	for (size_t i = 0; wire->extensions[i]; i++, len += EXTENSION_LEN) {
		const uint8_t next = wire->extensions[i + 1] ? wire->extensions[i + 1] : wire->next;

		memset(at + len, 0, EXTENSION_LEN);
		at[len] = next == HOP_OPTIONS ? 0 : next ? next : wire->protocol;
		if (wire->extensions[i] == FRAGMENT) {
			put16(at + len + 2, (uint16_t)(wire->cut_at | more));
			put32(at + len + 4, wire->id);
		} else if (wire->extensions[i] == ROUTING) {
			at[len + 2] = 4;
			at[len + 3] = wire->segments_left;
		} else {
			at[len + 2] = 1; /* PadN of four bytes */
			at[len + 3] = 4;
		}
	}
	return len;
}

static size_t build_ipv6(const struct wire *wire, uint8_t *at, const uint8_t *transport, size_t len)
{
	const size_t carried = wire->cut_len ? wire->cut_len : len;
	const struct ends ends = ends_of(wire);
	const uint8_t first = wire->extensions[0];
	const size_t header = 40 + build_extensions(wire, at + 40, wire->cut_at + carried < len);

	at[0] = 0x60;
	put16(at + 4, (uint16_t)(header - 40 + carried));
	at[6] = first == HOP_OPTIONS ? 0 : first ? first : wire->protocol;
	at[7] = wire->ttl ? wire->ttl : 64;
	memcpy(at + 8, ends.from, 16);
	memcpy(at + 24, ends.to, 16);
	memcpy(at + header, transport + wire->cut_at, carried);
	return header + carried;
}

static size_t build_frame(const struct wire *wire, uint8_t *at)
{
	static const uint8_t client[6] = {2, 0, 0, 0, 0, 1}, host[6] = {2, 0, 0, 0, 0, 2};
	size_t len = 12;

	memcpy(at, wire->is_returned ? client : host, sizeof(client));
	memcpy(at + 6, wire->is_returned ? host : client, sizeof(host));
	for (uint8_t i = 0; i < wire->vlans; i++, len += 4) {
		put16(at + len, i + 1 < wire->vlans ? 0x88a8 : 0x8100);
		put16(at + len + 2, (uint16_t)(100 + i));
	}
	put16(at + len, is_ipv6(wire) ? 0x86dd : 0x0800);
	return len + 2;
}

size_t wire_build(const struct wire *wire, uint8_t frame[WIRE_MAX])
{
	uint8_t transport[WIRE_MAX] = {0};
	const size_t transport_len = build_transport(wire, transport);
	size_t len;

	memset(frame, 0, WIRE_MAX);
	len = build_frame(wire, frame);
	len += is_ipv6(wire) ? build_ipv6(wire, frame + len, transport, transport_len)
			     : build_ipv4(wire, frame + len, transport, transport_len);
	memset(frame + len, 0xee, wire->padding);
	return len + wire->padding;
}

/* ------------------------------------------------------------------------------------ looking */

struct look {
	const uint8_t *frame;
	size_t len;
	struct wire_shape *shape;
};

/* Where an IP packet's transport starts, and what it is. */
struct inside {
	size_t l4, end;
	uint8_t protocol;
	bool is_later; /* a fragment without a header */
	bool is_cut;   /* any fragment: no sum tells anything */
};

static void may_change(struct look *look, size_t at, size_t len)
{
	for (size_t i = at; i < at + len && i < look->len; i++)
		look->shape->may_change[i] = true;
}

static void residue(struct look *look, enum wire_sum which, uint32_t start, size_t at, size_t end)
{
	if (at > end || end > look->len)
		return;
	/* 0 and 0xffff are the same number in ones' complement. */
	look->shape->residues[which] = sum_up(start, look->frame + at, end - at) % 0xffff;
}

static uint16_t get16(const struct look *look, size_t at)
{
	return at + 2 <= look->len ? (uint16_t)(look->frame[at] << 8 | look->frame[at + 1]) : 0;
}

static struct inside look_at_ipv4(struct look *look, enum wire_sum which, size_t l3)
{
	const size_t header = (size_t)(look->frame[l3] & 0xf) * 4;
	const uint16_t total = get16(look, l3 + 2), fragment = get16(look, l3 + 6);

	may_change(look, l3 + 10, 10);
	residue(look, which, 0, l3, l3 + header);
	return (struct inside){
		.l4 = l3 + header,
		.end = total ? l3 + total : look->len,
		.protocol = look->frame[l3 + 9],
		.is_later = fragment & 0x1fff,
		.is_cut = fragment & 0x3fff,
	};
}

static struct inside look_at_ipv6(struct look *look, size_t l3)
{
	const uint16_t payload = get16(look, l3 + 4);
	struct inside inside = {
		.l4 = l3 + 40,
		.end = payload ? l3 + 40 + payload : look->len,
		.protocol = look->frame[l3 + 6],
	};

	may_change(look, l3 + 8, 32);
	while (inside.l4 + EXTENSION_LEN <= look->len && !inside.is_later &&
	       (inside.protocol == 0 || inside.protocol == ROUTING || inside.protocol == FRAGMENT ||
		inside.protocol == OPTIONS)) {
		const bool is_fragment = inside.protocol == FRAGMENT;

		inside.is_cut |= is_fragment;
		inside.is_later = is_fragment && get16(look, inside.l4 + 2) >> 3;
		inside.protocol = look->frame[inside.l4];
		inside.l4 += EXTENSION_LEN +
			     (is_fragment ? 0 : (size_t)look->frame[inside.l4 + 1] * EXTENSION_LEN);
	}
	return inside;
}

static struct inside look_at_ip(struct look *look, enum wire_sum which, size_t l3, bool ipv6)
{
	if (l3 + (ipv6 ? 40 : 20) > look->len)
		return (struct inside){.is_later = true};
	return ipv6 ? look_at_ipv6(look, l3) : look_at_ipv4(look, which, l3);
}

static void look_at_sum(struct look *look, enum wire_sum which, size_t l3,
			const struct inside *inside, bool has_pseudo, bool ipv6)
{
	uint8_t tail[4] = {0, inside->protocol};
	uint32_t pseudo = 0;

	if (inside->is_cut || inside->end < inside->l4 || inside->end > look->len)
		return;
	put16(tail + 2, (uint16_t)(inside->end - inside->l4));
	if (has_pseudo)
		pseudo = sum_up(sum_up(0, look->frame + l3 + (ipv6 ? 8 : 12), ipv6 ? 32 : 8), tail,
				sizeof(tail));
	residue(look, which, pseudo, inside->l4, inside->end);
}

static void look_at_transport(struct look *look, enum wire_sum which, size_t l3,
			      const struct inside *inside, bool ipv6)
{
	const size_t check = inside->protocol == UDP ? 6 : 16;

	may_change(look, inside->l4, 4);
	may_change(look, inside->l4 + check, 2);
	look->shape->has_check = inside->protocol != UDP || get16(look, inside->l4 + check);
	if (inside->l4 + check + 2 <= inside->end) /* what is behind is no part of the packet */
		look_at_sum(look, which, l3, inside, true, ipv6);
}

void wire_look(const uint8_t *frame, size_t len, struct wire_shape *ret_shape)
{
	struct look look = {.frame = frame, .len = len, .shape = ret_shape};
	size_t l3 = WIRE_ETH;
	struct inside inside;
	uint16_t type;
	bool ipv6;

	memset(ret_shape, 0, sizeof(*ret_shape));
	for (type = get16(&look, l3 - 2); type == 0x8100 || type == 0x88a8; l3 += 4)
		type = get16(&look, l3 + 2);
	ipv6 = type == 0x86dd;
	if (!ipv6 && type != 0x0800)
		return;
	inside = look_at_ip(&look, SUM_IP, l3, ipv6);
	if (inside.is_later)
		return;
	if (inside.protocol == TCP || inside.protocol == UDP) {
		look_at_transport(&look, SUM_TRANSPORT, l3, &inside, ipv6);
	} else if (inside.protocol == (ipv6 ? ICMPV6 : ICMP)) {
		const size_t quote = inside.l4 + ICMP_LEN;
		struct inside quoted = look_at_ip(&look, SUM_QUOTED_IP, quote, ipv6);

		if (quoted.end > inside.end)
			quoted.end = inside.end;
		may_change(&look, inside.l4 + 2, 2);
		if (!quoted.is_later)
			look_at_transport(&look, SUM_QUOTED_TRANSPORT, quote, &quoted, ipv6);
		look_at_sum(&look, SUM_TRANSPORT, l3, &inside, ipv6, ipv6);
	}
}
