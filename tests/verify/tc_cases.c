// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_cases.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
#define ENDS(from_, from_port_, to_, to_port_) \
	.from = (from_), .from_port = (from_port_), .to = (to_), .to_port = (to_port_)
#define TCP_OF(flags_, ...) \
	{__VA_ARGS__, .protocol = TCP, .flags = (flags_), .seq = 1000, .window = 64240, .id = 0x1234}
#define NEXT_OF(flags_, ...) \
	{__VA_ARGS__, .protocol = TCP, .flags = (flags_), .seq = 0x12345678, .window = 64240, .id = 0x1234}
#define UDP_OF(...) {__VA_ARGS__, .protocol = UDP, .payload = 21, .id = 0x1234}

#define TO_VIP4 ENDS(CLIENT4, 40000, VIP4, 80)
#define TO_POD4 ENDS(CLIENT4, 40000, POD4, 8080)
#define OF_POD4 ENDS(POD4, 8080, CLIENT4, 40000)
#define OF_VIP4 ENDS(VIP4, 80, CLIENT4, 40000)
#define TO_VIP6 ENDS(CLIENT6, 40000, VIP6, 80)
#define TO_POD6 ENDS(CLIENT6, 40000, POD6, 8080)
#define OF_POD6 ENDS(POD6, 8080, CLIENT6, 40000)
#define OF_VIP6 ENDS(VIP6, 80, CLIENT6, 40000)
#define ASK_VIP4 ENDS(CLIENT4, 40001, VIP4, 53)
#define ASK_POD4 ENDS(CLIENT4, 40001, POD4, 5353)
#define SAY_POD4 ENDS(POD4, 5353, CLIENT4, 40001)
#define SAY_VIP4 ENDS(VIP4, 53, CLIENT4, 40001)
#define ASK_VIP6 ENDS(CLIENT6, 40001, VIP6, 53)
#define ASK_POD6 ENDS(CLIENT6, 40001, POD6, 5353)
#define SAY_POD6 ENDS(POD6, 5353, CLIENT6, 40001)
#define SAY_VIP6 ENDS(VIP6, 53, CLIENT6, 40001)

#define TO_PAIR4 ENDS(CLIENT4, 40000, PAIR4, 80)
#define OF_PAIR4 ENDS(PAIR4, 80, CLIENT4, 40000)
#define TO_OTHER4 ENDS(CLIENT4, 40000, OTHER4, 8080)
#define OF_OTHER4 ENDS(OTHER4, 8080, CLIENT4, 40000)
#define TO_PAIR6 ENDS(CLIENT6, 40000, PAIR6, 80)
#define OF_PAIR6 ENDS(PAIR6, 80, CLIENT6, 40000)
#define TO_OTHER6 ENDS(CLIENT6, 40000, OTHER6, 8080)
#define OF_OTHER6 ENDS(OTHER6, 8080, CLIENT6, 40000)
#define ASK_PAIR4 ENDS(CLIENT4, 40001, PAIR4, 53)
#define SAY_PAIR4 ENDS(PAIR4, 53, CLIENT4, 40001)
#define ASK_OTHER4 ENDS(CLIENT4, 40001, OTHER4, 5353)
#define SAY_OTHER4 ENDS(OTHER4, 5353, CLIENT4, 40001)
#define ASK_PAIR6 ENDS(CLIENT6, 40001, PAIR6, 53)
#define SAY_PAIR6 ENDS(PAIR6, 53, CLIENT6, 40001)
#define ASK_OTHER6 ENDS(CLIENT6, 40001, OTHER6, 5353)
#define SAY_OTHER6 ENDS(OTHER6, 5353, CLIENT6, 40001)

#define SYN4_STEP {.in = TCP_OF(SYN, TO_VIP4), .out = TCP_OF(SYN, TO_POD4)}
#define SYN6_STEP {.in = TCP_OF(SYN, TO_VIP6), .out = TCP_OF(SYN, TO_POD6)}
#define ASK4_STEP {.in = UDP_OF(ASK_VIP4), .out = UDP_OF(ASK_POD4)}
#define ASK6_STEP {.in = UDP_OF(ASK_VIP6), .out = UDP_OF(ASK_POD6)}

/* Packets that errors quote, as they are on either side of the translation. */
static const struct wire to_vip4 = TCP_OF(ACK, TO_VIP4, .payload = 900, .dont_fragment = true);
static const struct wire to_pod4 = TCP_OF(ACK, TO_POD4, .payload = 900, .dont_fragment = true);
static const struct wire of_pod4 = TCP_OF(ACK, OF_POD4, .payload = 900, .options = 8);
static const struct wire of_vip4 = TCP_OF(ACK, OF_VIP4, .payload = 900, .options = 8);
static const struct wire ask_vip4 = UDP_OF(ASK_VIP4), ask_pod4 = UDP_OF(ASK_POD4);
static const struct wire unchecked_vip4 = UDP_OF(ASK_VIP4, .is_unchecked = true);
static const struct wire unchecked_pod4 = UDP_OF(ASK_POD4, .is_unchecked = true);
static const struct wire to_vip6 = TCP_OF(ACK, TO_VIP6, .payload = 900);
static const struct wire to_pod6 = TCP_OF(ACK, TO_POD6, .payload = 900);
static const struct wire say_pod6 = UDP_OF(SAY_POD6, .extensions = {OPTIONS});
static const struct wire say_vip6 = UDP_OF(SAY_VIP6, .extensions = {OPTIONS});
static const struct wire say_vip4 = UDP_OF(SAY_VIP4), say_pod4 = UDP_OF(SAY_POD4);
static const struct wire no_vip4 = UDP_OF(ENDS(CLIENT4, 40001, NONE4, 53));
static const struct wire no_vip6 = UDP_OF(ENDS(CLIENT6, 40001, NONE6, 53));

static const struct wire syn_pod4 = TCP_OF(SYN, TO_POD4), syn_pod6 = TCP_OF(SYN, TO_POD6);
static const struct wire syn_other4 = TCP_OF(SYN, TO_OTHER4), syn_pair4 = TCP_OF(SYN, TO_PAIR4);
static const struct wire ask_pod6 = UDP_OF(ASK_POD6);
static const struct wire ask_pair4 = UDP_OF(ASK_PAIR4), ask_other4 = UDP_OF(ASK_OTHER4);
static const struct wire ask_pair6 = UDP_OF(ASK_PAIR6), ask_other6 = UDP_OF(ASK_OTHER6);

/* Rows of connections of sockets that were rewritten to POD4 or POD6, and moved. */
static const struct world_move moved4 = {CLIENT4, POD4, OTHER4, 40000, 8080, TCP};
static const struct world_move moved6 = {CLIENT6, POD6, OTHER6, 40000, 8080, TCP};

#define ICMP4(from_, to_, quoted_, ...) \
	{.from = (from_), .to = (to_), .protocol = ICMP, .quoted = &(quoted_), .id = 0x77, __VA_ARGS__}
#define ICMP6(from_, to_, quoted_, ...) \
	{.from = (from_), .to = (to_), .protocol = ICMPV6, .quoted = &(quoted_), __VA_ARGS__}
#define NO_HOST4 .type = 3, .code = 1
#define NO_PORT4 .type = 3, .code = 3
#define NO_HOST6 .type = 1, .code = 3
#define NO_PORT6 .type = 1, .code = 4
#define TOO_LARGE4 .type = 3, .code = 4, .rest = 1400
#define TOO_LARGE6 .type = 2, .code = 0, .rest = 1400

const struct packet_case tc_cases[] = {
	/* ---------------------------------------------------------------------- connections */
	{
		.name = "a SYN goes to the endpoint",
		.steps = {SYN4_STEP},
		.counts = true, .reason = MRD_REASON_PICK_POOL,
	},
	{
		.name = "a SYN goes to the endpoint, IPv6",
		.steps = {SYN6_STEP},
		.counts = true, .reason = MRD_REASON_PICK_POOL,
	},
	{
		.name = "what follows goes the same way, and what comes back is the VIP's",
		.steps = {
			SYN4_STEP,
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4), TCP_OF(SYN | ACK, OF_VIP4), 0},
			{FORWARD, TCP_OF(ACK, TO_VIP4, .payload = 501),
			 TCP_OF(ACK, TO_POD4, .payload = 501), 0},
			{REVERSE, TCP_OF(ACK, OF_POD4, .payload = 1400),
			 TCP_OF(ACK, OF_VIP4, .payload = 1400), 0},
		},
	},
	{
		.name = "what follows and what comes back, IPv6",
		.steps = {
			SYN6_STEP,
			{REVERSE, TCP_OF(SYN | ACK, OF_POD6), TCP_OF(SYN | ACK, OF_VIP6), 0},
			{FORWARD, TCP_OF(ACK, TO_VIP6, .payload = 501),
			 TCP_OF(ACK, TO_POD6, .payload = 501), 0},
			{REVERSE, TCP_OF(ACK, OF_POD6, .payload = 1400),
			 TCP_OF(ACK, OF_VIP6, .payload = 1400), 0},
		},
	},
	{
		.name = "an endpoint's RST comes back, and the next SYN is a new connection",
		.steps = {
			SYN4_STEP,
			{REVERSE, TCP_OF(RST | ACK, OF_POD4), TCP_OF(RST | ACK, OF_VIP4), 0},
			SYN4_STEP,
		},
		.counts = true, .reason = MRD_REASON_PICK_POOL,
	},
	{
		.name = "a SYN with another number is another connection",
		.steps = {SYN4_STEP, {.in = NEXT_OF(SYN, TO_VIP4), .out = NEXT_OF(SYN, TO_POD4)}},
		.counts = true, .reason = MRD_REASON_PICK_POOL,
	},
	{
		.name = "but not once the first was answered: the endpoint knows better",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4), TCP_OF(SYN | ACK, OF_PAIR4), 0},
			{FORWARD, NEXT_OF(SYN, TO_PAIR4), NEXT_OF(SYN, TO_POD4), 0},
		},
	},
	{
		.name = "datagrams go and come back",
		.steps = {
			ASK4_STEP,
			{REVERSE, UDP_OF(SAY_POD4), UDP_OF(SAY_VIP4), 0},
			ASK4_STEP,
		},
	},
	{
		.name = "datagrams go and come back, IPv6",
		.steps = {
			ASK6_STEP,
			{REVERSE, UDP_OF(SAY_POD6), UDP_OF(SAY_VIP6), 0},
			ASK6_STEP,
		},
	},
	{
		.name = "a datagram without a checksum stays without",
		.steps = {{.in = UDP_OF(ASK_VIP4, .is_unchecked = true),
			   .out = UDP_OF(ASK_POD4, .is_unchecked = true)}},
	},
	{
		.name = "a datagram without a checksum stays without, IPv6",
		.steps = {{.in = UDP_OF(ASK_VIP6, .is_unchecked = true),
			   .out = UDP_OF(ASK_POD6, .is_unchecked = true)}},
	},
	{
		.name = "padding of the link stays",
		.steps = {{.in = TCP_OF(SYN, TO_VIP4, .padding = 6),
			   .out = TCP_OF(SYN, TO_POD4, .padding = 6)}},
	},
	/* -------------------------------------------------------------------------- headers */
	{
		.name = "IPv4 options",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_VIP4, .options = 40),
			 TCP_OF(SYN, TO_POD4, .options = 40), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4, .options = 4),
			 TCP_OF(SYN | ACK, OF_VIP4, .options = 4), 0},
		},
	},
	{
		.name = "IPv6 options, a finished route, and a fragment that is the whole",
		.steps = {
			{FORWARD,
			 TCP_OF(SYN, TO_VIP6,
				.extensions = {HOP_OPTIONS, OPTIONS, ROUTING, FRAGMENT, OPTIONS}),
			 TCP_OF(SYN, TO_POD6,
				.extensions = {HOP_OPTIONS, OPTIONS, ROUTING, FRAGMENT, OPTIONS}),
			 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD6, .extensions = {OPTIONS}),
			 TCP_OF(SYN | ACK, OF_VIP6, .extensions = {OPTIONS}), 0},
		},
	},
	{
		.name = "an IPv6 route with a station to go is not understood",
		.steps = {{.in = TCP_OF(SYN, TO_VIP6, .extensions = {ROUTING},
					.segments_left = 1)}},
		.counts = true, .reason = MRD_REASON_PASS_HEADERS,
	},
	{
		.name = "seven extension headers are too many",
		.steps = {{.in = TCP_OF(SYN, TO_VIP6,
					.extensions = {HOP_OPTIONS, OPTIONS, OPTIONS, OPTIONS,
						       OPTIONS, OPTIONS, OPTIONS})}},
		.counts = true, .reason = MRD_REASON_PASS_HEADERS,
	},
	{
		.name = "a VLAN's tag within the frame",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_VIP4, .vlans = 1),
			 TCP_OF(SYN, TO_POD4, .vlans = 1), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4, .vlans = 1),
			 TCP_OF(SYN | ACK, OF_VIP4, .vlans = 1), 0},
		},
	},
	{
		.name = "two tags within the frame, IPv6",
		.steps = {{.in = UDP_OF(ASK_VIP6, .vlans = 2), .out = UDP_OF(ASK_POD6, .vlans = 2)}},
	},
	{
		.name = "three tags are no packet of ours",
		.steps = {{.in = TCP_OF(SYN, TO_VIP4, .vlans = 3)}},
	},
	/* ------------------------------------------------------------------- not to be touched */
	{
		.name = "another address",
		.steps = {{.in = TCP_OF(SYN, ENDS(CLIENT4, 40000, "172.16.0.99", 80))}},
	},
	{
		.name = "another port of a VIP",
		.steps = {{.in = UDP_OF(ENDS(CLIENT4, 40000, VIP4, 80))}},
	},
	{
		.name = "a segment of a connection that is not known",
		.steps = {{.in = TCP_OF(ACK, TO_VIP4, .payload = 10)}},
	},
	{
		.name = "a SYN+ACK to a VIP",
		.steps = {{.in = TCP_OF(SYN | ACK, TO_VIP4)}},
	},
	{
		.name = "a SYN on its way to a pod is no client's",
		.steps = {{.way = REVERSE, .in = TCP_OF(SYN, TO_VIP4)}},
	},
	{
		.name = "a connection of the endpoint's that a socket hook made",
		.steps = {{.in = TCP_OF(SYN, TO_POD4)},
			  {.way = REVERSE, .in = TCP_OF(SYN | ACK, OF_POD4)}},
	},
	{
		.name = "a packet of the other way at the wrong hook",
		.steps = {SYN4_STEP, {.in = TCP_OF(SYN | ACK, OF_POD4)}},
	},
	{
		.name = "an echo request to a VIP",
		.steps = {{.in = {.from = CLIENT4, .to = VIP4, .protocol = ICMP, .type = 8,
				  .rest = 0x00010001, .payload = 56}}},
	},
	{
		.name = "an echo request to a VIP, IPv6",
		.steps = {{.in = {.from = CLIENT6, .to = VIP6, .protocol = ICMPV6, .type = 128,
				  .rest = 0x00010001, .payload = 56}}},
	},
	{
		.name = "another protocol",
		.steps = {{.in = {.from = CLIENT4, .to = VIP4, .protocol = 132, .payload = 40}}},
		.counts = true, .reason = MRD_REASON_PASS_PROTOCOL,
	},
	/* ------------------------------------------------------------------------ ICMP errors */
	{
		.name = "too large: a router tells the client, quoting the whole",
		.steps = {SYN4_STEP,
			  {REVERSE, ICMP4(ROUTER4, CLIENT4, to_pod4, TOO_LARGE4),
			   ICMP4(ROUTER4, CLIENT4, to_vip4, TOO_LARGE4), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "too large, with no more of TCP than ports and sequence number",
		.steps = {SYN4_STEP,
			  {REVERSE, ICMP4(ROUTER4, CLIENT4, to_pod4, TOO_LARGE4, .quoted_len = 28),
			   ICMP4(ROUTER4, CLIENT4, to_vip4, TOO_LARGE4, .quoted_len = 28), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "too large, with padding of the link where TCP's checksum would be",
		.steps = {SYN4_STEP,
			  {REVERSE, ICMP4(ROUTER4, CLIENT4, to_pod4, TOO_LARGE4, .quoted_len = 28,
					  .padding = 20),
			   ICMP4(ROUTER4, CLIENT4, to_vip4, TOO_LARGE4, .quoted_len = 28,
				 .padding = 20), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "too large, IPv6",
		.steps = {SYN6_STEP,
			  {REVERSE, ICMP6(ROUTER6, CLIENT6, to_pod6, TOO_LARGE6),
			   ICMP6(ROUTER6, CLIENT6, to_vip6, TOO_LARGE6), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "too large, from the client, about what the endpoint sent, with options",
		.steps = {SYN4_STEP,
			  {FORWARD, ICMP4(CLIENT4, VIP4, of_vip4, TOO_LARGE4),
			   ICMP4(CLIENT4, POD4, of_pod4, TOO_LARGE4), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "the endpoint's port is closed, as the VIP says it",
		.steps = {ASK4_STEP,
			  {REVERSE, ICMP4(POD4, CLIENT4, ask_pod4, .type = 3, .code = 3),
			   ICMP4(VIP4, CLIENT4, ask_vip4, .type = 3, .code = 3), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "an error about a datagram without a checksum",
		.steps = {ASK4_STEP,
			  {REVERSE, ICMP4(POD4, CLIENT4, unchecked_pod4, .type = 3, .code = 3),
			   ICMP4(VIP4, CLIENT4, unchecked_vip4, .type = 3, .code = 3), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "the client's port is closed",
		.steps = {ASK4_STEP,
			  {FORWARD, ICMP4(CLIENT4, VIP4, say_vip4, .type = 3, .code = 3),
			   ICMP4(CLIENT4, POD4, say_pod4, .type = 3, .code = 3), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "the client's port is closed, IPv6 with an extension header",
		.steps = {ASK6_STEP,
			  {FORWARD, ICMP6(CLIENT6, VIP6, say_vip6, .type = 1, .code = 4),
			   ICMP6(CLIENT6, POD6, say_pod6, .type = 1, .code = 4), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "time exceeded",
		.steps = {SYN4_STEP,
			  {REVERSE, ICMP4(ROUTER4, CLIENT4, to_pod4, .type = 11, .quoted_len = 28),
			   ICMP4(ROUTER4, CLIENT4, to_vip4, .type = 11, .quoted_len = 28), 0}},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "an error about a connection that is not ours",
		.steps = {{.way = REVERSE, .in = ICMP4(ROUTER4, CLIENT4, to_pod4, TOO_LARGE4)}},
	},
	{
		.name = "an error that quotes too little",
		.steps = {SYN4_STEP, {.way = REVERSE, .in = ICMP4(ROUTER4, CLIENT4, to_pod4, TOO_LARGE4,
								   .quoted_len = 22)}},
		.counts = true, .reason = MRD_REASON_PASS_MALFORMED,
	},
	/* -------------------------------------------------------------------------- fragments */
	{
		.name = "fragments of a datagram, and of the answer",
		.steps = {
			{FORWARD, {ASK_VIP4, .protocol = UDP, .payload = 1200, .id = 9, .cut_len = 808},
			 {ASK_POD4, .protocol = UDP, .payload = 1200, .id = 9, .cut_len = 808}, 0},
			{FORWARD, {ASK_VIP4, .protocol = UDP, .payload = 1200, .id = 9, .cut_at = 808,
				   .cut_len = 400},
			 {ASK_POD4, .protocol = UDP, .payload = 1200, .id = 9, .cut_at = 808,
			  .cut_len = 400}, 0},
			{REVERSE, {SAY_POD4, .protocol = UDP, .payload = 1200, .id = 9, .cut_len = 808},
			 {SAY_VIP4, .protocol = UDP, .payload = 1200, .id = 9, .cut_len = 808}, 0},
			{REVERSE, {SAY_POD4, .protocol = UDP, .payload = 1200, .id = 9, .cut_at = 808,
				   .cut_len = 400},
			 {SAY_VIP4, .protocol = UDP, .payload = 1200, .id = 9, .cut_at = 808,
			  .cut_len = 400}, 0},
		},
	},
	{
		.name = "fragments of a datagram, IPv6, options before and behind",
		.steps = {
			{FORWARD, {ASK_VIP6, .protocol = UDP, .payload = 1200, .id = 0x90009,
				   .cut_len = 808, .extensions = {OPTIONS, FRAGMENT}},
			 {ASK_POD6, .protocol = UDP, .payload = 1200, .id = 0x90009,
			  .cut_len = 808, .extensions = {OPTIONS, FRAGMENT}}, 0},
			{FORWARD, {ASK_VIP6, .protocol = UDP, .payload = 1200, .id = 0x90009,
				   .cut_at = 808, .cut_len = 400, .extensions = {OPTIONS, FRAGMENT}},
			 {ASK_POD6, .protocol = UDP, .payload = 1200, .id = 0x90009,
			  .cut_at = 808, .cut_len = 400, .extensions = {OPTIONS, FRAGMENT}}, 0},
		},
	},
	{
		.name = "options within a datagram that is cut: later fragments say nothing of UDP",
		.steps = {
			{FORWARD, {ASK_VIP6, .protocol = UDP, .payload = 1200, .id = 0x90009,
				   .cut_len = 808, .extensions = {FRAGMENT, OPTIONS}},
			 {ASK_POD6, .protocol = UDP, .payload = 1200, .id = 0x90009,
			  .cut_len = 808, .extensions = {FRAGMENT, OPTIONS}}, 0},
			{FORWARD, {ASK_VIP6, .protocol = UDP, .payload = 1200, .id = 0x90009,
				   .cut_at = 808, .cut_len = 400, .extensions = {FRAGMENT},
				   .next = OPTIONS},
			 {ASK_POD6, .protocol = UDP, .payload = 1200, .id = 0x90009, .cut_at = 808,
			  .cut_len = 400, .extensions = {FRAGMENT}, .next = OPTIONS}, 0},
		},
	},
	{
		.name = "a later fragment alone",
		.steps = {ASK4_STEP, {.in = {ASK_VIP4, .protocol = UDP, .payload = 1200, .id = 9,
					      .cut_at = 808, .cut_len = 400}}},
		.counts = true, .reason = MRD_REASON_PASS_FRAGMENT,
	},
	{
		.name = "a later fragment of another datagram",
		.steps = {
			{FORWARD, {ASK_VIP4, .protocol = UDP, .payload = 1200, .id = 9, .cut_len = 808},
			 {ASK_POD4, .protocol = UDP, .payload = 1200, .id = 9, .cut_len = 808}, 0},
			{.in = {ASK_VIP4, .protocol = UDP, .payload = 1200, .id = 10, .cut_at = 808,
				.cut_len = 400}},
		},
		.counts = true, .reason = MRD_REASON_PASS_FRAGMENT,
	},
	/* ----------------------------------------------------------------------------- rescue */
	{
		.name = "a SYN sent again in time goes where the first one went",
		.steps = {
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, SLOW4, 80)), TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, SLOW4, 80)), TCP_OF(SYN, TO_POD4), 0},
		},
	},
	{
		.name = "a SYN sent again later goes to another endpoint",
		.late = STEP(2),
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR4, .options = 12),
			 TCP_OF(SYN, TO_OTHER4, .options = 12), 0},
		},
		.counts = true, .reason = MRD_REASON_RESCUE_TIMEOUT,
	},
	{
		.name = "and so does what follows, which comes back as the VIP's",
		.late = STEP(2),
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_OTHER4), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_OTHER4), TCP_OF(SYN | ACK, OF_PAIR4), 0},
			{FORWARD, TCP_OF(ACK, TO_PAIR4, .payload = 501),
			 TCP_OF(ACK, TO_OTHER4, .payload = 501), 0},
			{REVERSE, TCP_OF(ACK, OF_OTHER4, .payload = 1400),
			 TCP_OF(ACK, OF_PAIR4, .payload = 1400), 0},
		},
	},
	{
		.name = "likewise of IPv6",
		.late = STEP(2),
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR6), TCP_OF(SYN, TO_POD6), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR6), TCP_OF(SYN, TO_OTHER6), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_OTHER6), TCP_OF(SYN | ACK, OF_PAIR6), 0},
			{FORWARD, TCP_OF(ACK, TO_PAIR6, .payload = 501),
			 TCP_OF(ACK, TO_OTHER6, .payload = 501), 0},
			{REVERSE, TCP_OF(ACK, OF_OTHER6, .payload = 1400),
			 TCP_OF(ACK, OF_PAIR6, .payload = 1400), 0},
		},
	},
	{
		.name = "once it is answered a connection stays, however late a SYN comes",
		.late = STEP(3),
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4), TCP_OF(SYN | ACK, OF_PAIR4), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
		},
	},
	{
		.name = "a late SYN+ACK of the first choice is none of the VIP's",
		.late = STEP(2),
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_OTHER4), 0},
			{.way = REVERSE, .in = TCP_OF(SYN | ACK, OF_POD4)},
			{.in = TCP_OF(RST, TO_POD4)}, /* the client's answer to that */
			{REVERSE, TCP_OF(SYN | ACK, OF_OTHER4), TCP_OF(SYN | ACK, OF_PAIR4), 0},
		},
	},
	{
		.name = "an RST in answer to a SYN is swallowed",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{.way = REVERSE, .in = TCP_OF(RST | ACK, OF_POD4), .verdict = TC_DROP},
		},
		.counts = true, .reason = MRD_REASON_RESCUE_REFUSED,
	},
	{
		.name = "and the next SYN goes elsewhere at once, and on",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR6), TCP_OF(SYN, TO_POD6), 0},
			{.way = REVERSE, .in = TCP_OF(RST | ACK, OF_POD6), .verdict = TC_DROP},
			{FORWARD, TCP_OF(SYN, TO_PAIR6), TCP_OF(SYN, TO_OTHER6), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_OTHER6), TCP_OF(SYN | ACK, OF_PAIR6), 0},
			{FORWARD, TCP_OF(ACK, TO_PAIR6), TCP_OF(ACK, TO_OTHER6), 0},
		},
	},
	{
		.name = "no endpoint is left: the RST comes through",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{.way = REVERSE, .in = TCP_OF(RST | ACK, OF_POD4), .verdict = TC_DROP},
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_OTHER4), 0},
			{REVERSE, TCP_OF(RST | ACK, OF_OTHER4), TCP_OF(RST | ACK, OF_PAIR4), 0},
		},
		.counts = true, .reason = MRD_REASON_RESCUE_NOWHERE,
	},
	{
		.name = "no endpoint is left: the SYN goes to the last one still",
		.late = STEP(2) | STEP(3),
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_OTHER4), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_OTHER4), 0},
		},
		.counts = true, .reason = MRD_REASON_RESCUE_NOWHERE,
	},
	{
		.name = "a service that is not to be rescued",
		.late = STEP(2),
		.steps = {
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, ALONE4, 80)), TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, ALONE4, 80)), TCP_OF(SYN, TO_POD4), 0},
			{REVERSE, TCP_OF(RST | ACK, OF_POD4),
			 TCP_OF(RST | ACK, ENDS(ALONE4, 80, CLIENT4, 40000)), 0},
		},
	},
	{
		.name = "host unreachable in answer to a SYN is swallowed",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{.way = REVERSE, .in = ICMP4(ROUTER4, CLIENT4, syn_pod4, NO_HOST4),
			 .verdict = TC_DROP},
		},
		.counts = true, .reason = MRD_REASON_RESCUE_UNREACHABLE,
	},
	{
		.name = "likewise of IPv6, and the next SYN goes elsewhere",
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR6), TCP_OF(SYN, TO_POD6), 0},
			{.way = REVERSE, .in = ICMP6(ROUTER6, CLIENT6, syn_pod6, NO_HOST6),
			 .verdict = TC_DROP},
			{FORWARD, TCP_OF(SYN, TO_PAIR6), TCP_OF(SYN, TO_OTHER6), 0},
		},
	},
	{
		.name = "no endpoint is left: host unreachable comes through",
		.late = STEP(2),
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_OTHER4), 0},
			{REVERSE, ICMP4(ROUTER4, CLIENT4, syn_other4, NO_HOST4),
			 ICMP4(ROUTER4, CLIENT4, syn_pair4, NO_HOST4), 0},
		},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "port unreachable in answer to a datagram is swallowed, until a reply has come",
		.steps = {
			{FORWARD, UDP_OF(ASK_PAIR4), UDP_OF(ASK_POD4), 0},
			{.way = REVERSE, .in = ICMP4(POD4, CLIENT4, ask_pod4, NO_PORT4),
			 .verdict = TC_DROP},
			{FORWARD, UDP_OF(ASK_PAIR4), UDP_OF(ASK_OTHER4), 0},
			{REVERSE, UDP_OF(SAY_OTHER4), UDP_OF(SAY_PAIR4), 0},
			{REVERSE, ICMP4(OTHER4, CLIENT4, ask_other4, NO_PORT4),
			 ICMP4(PAIR4, CLIENT4, ask_pair4, NO_PORT4), 0},
		},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "likewise of IPv6",
		.steps = {
			{FORWARD, UDP_OF(ASK_PAIR6), UDP_OF(ASK_POD6), 0},
			{.way = REVERSE, .in = ICMP6(POD6, CLIENT6, ask_pod6, NO_PORT6),
			 .verdict = TC_DROP},
			{FORWARD, UDP_OF(ASK_PAIR6), UDP_OF(ASK_OTHER6), 0},
			{REVERSE, UDP_OF(SAY_OTHER6), UDP_OF(SAY_PAIR6), 0},
			{REVERSE, ICMP6(OTHER6, CLIENT6, ask_other6, NO_PORT6),
			 ICMP6(PAIR6, CLIENT6, ask_pair6, NO_PORT6), 0},
		},
		.counts = true, .reason = MRD_REASON_ICMP_ERROR,
	},
	{
		.name = "a socket's connection that was moved, both ways",
		.moved = &moved4,
		.steps = {
			{REVERSE, TCP_OF(SYN | ACK, OF_OTHER4), TCP_OF(SYN | ACK, OF_POD4), 0},
			{FORWARD, TCP_OF(ACK, TO_POD4, .payload = 99),
			 TCP_OF(ACK, TO_OTHER4, .payload = 99), 0},
			{REVERSE, TCP_OF(ACK, OF_OTHER4, .payload = 700),
			 TCP_OF(ACK, OF_POD4, .payload = 700), 0},
		},
	},
	{
		.name = "a late SYN+ACK to it is dropped",
		.moved = &moved4,
		.steps = {{.way = REVERSE, .in = TCP_OF(SYN | ACK, OF_POD4), .verdict = TC_DROP}},
		.counts = true, .reason = MRD_REASON_LATE_ANSWER,
	},
	{
		.name = "so is a late RST, IPv6, and the connection goes on",
		.moved = &moved6,
		.steps = {
			{REVERSE, TCP_OF(SYN | ACK, OF_OTHER6), TCP_OF(SYN | ACK, OF_POD6), 0},
			{FORWARD, TCP_OF(ACK, TO_POD6), TCP_OF(ACK, TO_OTHER6), 0},
			{.way = REVERSE, .in = TCP_OF(RST | ACK, OF_POD6), .verdict = TC_DROP},
			{FORWARD, TCP_OF(ACK, TO_POD6, .payload = 8),
			 TCP_OF(ACK, TO_OTHER6, .payload = 8), 0},
		},
	},
	{
		.name = "a new connection from the same port, of a socket that was not moved",
		.moved = &moved4,
		.steps = {
			{.in = TCP_OF(SYN, TO_POD4)},
			{.way = REVERSE, .in = TCP_OF(SYN | ACK, OF_POD4)},
		},
	},
	/* ---------------------------------------------------------------------------- hairpin */
	{
		.name = "a pod that is an endpoint is given another one",
		.steps = {{.in = TCP_OF(SYN, ENDS(CLIENT4, 40000, SELF4, 80)),
			   .out = TCP_OF(SYN, TO_POD4)}},
		.counts = true, .reason = MRD_REASON_NEXT_MEMBER,
	},
	{
		.name = "a pod that is the only endpoint speaks to itself as the VIP",
		.steps = {
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, LONE4, 80)),
			 TCP_OF(SYN, ENDS(LONE4, 40000, CLIENT4, 8080), .is_returned = true),
			 TC_REDIRECT},
			{FORWARD, TCP_OF(SYN | ACK, ENDS(CLIENT4, 8080, LONE4, 40000)),
			 TCP_OF(SYN | ACK, ENDS(LONE4, 80, CLIENT4, 40000), .is_returned = true),
			 TC_REDIRECT},
			{FORWARD, TCP_OF(ACK, ENDS(CLIENT4, 40000, LONE4, 80), .payload = 7),
			 TCP_OF(ACK, ENDS(LONE4, 40000, CLIENT4, 8080), .payload = 7,
				.is_returned = true),
			 TC_REDIRECT},
		},
	},
	{
		.name = "likewise of UDP and IPv6",
		.steps = {
			{FORWARD, UDP_OF(ENDS(CLIENT6, 40001, LONE6, 53)),
			 UDP_OF(ENDS(LONE6, 40001, CLIENT6, 5353), .is_returned = true),
			 TC_REDIRECT},
			{FORWARD, UDP_OF(ENDS(CLIENT6, 5353, LONE6, 40001)),
			 UDP_OF(ENDS(LONE6, 53, CLIENT6, 40001), .is_returned = true),
			 TC_REDIRECT},
		},
	},
	/* ---------------------------------------------------------------------------- refused */
	{
		.name = "no endpoint: RST",
		.steps = {{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, NONE4, 80), .options = 8),
			   {ENDS(NONE4, 80, CLIENT4, 40000), .protocol = TCP, .flags = RST | ACK,
			    .ack = 1001, .dont_fragment = true, .is_returned = true},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "no endpoint, and the SYN carries data, on an uplink",
		.uplink = true,
		.steps = {{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, NONE4, 80), .payload = 99,
					   .padding = 3),
			   {ENDS(NONE4, 80, CLIENT4, 40000), .protocol = TCP, .flags = RST | ACK,
			    .ack = 1100, .dont_fragment = true, .is_returned = true},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "no endpoint: RST, IPv6 with extension headers",
		.steps = {{FORWARD, TCP_OF(SYN, ENDS(CLIENT6, 40000, NONE6, 80),
					   .extensions = {HOP_OPTIONS, OPTIONS}),
			   {ENDS(NONE6, 80, CLIENT6, 40000), .protocol = TCP, .flags = RST | ACK,
			    .ack = 1001, .is_returned = true},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "no endpoint: port unreachable",
		.steps = {{FORWARD, UDP_OF(ENDS(CLIENT4, 40001, NONE4, 53)),
			   {.from = NONE4, .to = CLIENT4, .protocol = ICMP, .type = 3, .code = 3,
			    .quoted = &no_vip4, .quoted_len = 28, .dont_fragment = true,
			    .is_returned = true},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "no endpoint: port unreachable, IPv6",
		.steps = {{FORWARD, UDP_OF(ENDS(CLIENT6, 40001, NONE6, 53)),
			   {.from = NONE6, .to = CLIENT6, .protocol = ICMPV6, .type = 1, .code = 4,
			    .quoted = &no_vip6, .quoted_len = 48, .is_returned = true},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "no endpoint: port unreachable, which quotes no options",
		.steps = {{FORWARD, UDP_OF(ENDS(CLIENT4, 40001, NONE4, 53), .options = 40),
			   {.from = NONE4, .to = CLIENT4, .protocol = ICMP, .type = 3, .code = 3,
			    .quoted = &no_vip4, .quoted_len = 28, .dont_fragment = true,
			    .is_returned = true},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "no endpoint: port unreachable, which quotes no extensions",
		.steps = {{FORWARD, UDP_OF(ENDS(CLIENT6, 40001, NONE6, 53),
					   .extensions = {HOP_OPTIONS, OPTIONS}),
			   {.from = NONE6, .to = CLIENT6, .protocol = ICMPV6, .type = 1, .code = 4,
			    .quoted = &no_vip6, .quoted_len = 48, .is_returned = true},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "no endpoint: RST within a VLAN",
		.steps = {{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, NONE4, 80), .vlans = 1),
			   {ENDS(NONE4, 80, CLIENT4, 40000), .protocol = TCP, .flags = RST | ACK,
			    .ack = 1001, .dont_fragment = true, .is_returned = true, .vlans = 1},
			   TC_REDIRECT}},
		.counts = true, .reason = MRD_REASON_REFUSE_NO_ENDPOINT,
	},
	{
		.name = "two connections of a client's port to the same endpoint",
		.steps = {
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, SELF4, 80)),
			 TCP_OF(SYN, TO_POD4), 0},
			{FORWARD, TCP_OF(SYN, TO_VIP4),
			 {OF_VIP4, .protocol = TCP, .flags = RST | ACK, .ack = 1001,
			  .dont_fragment = true, .is_returned = true},
			 TC_REDIRECT},
		},
		.counts = true, .reason = MRD_REASON_REFUSE_CLASH,
	},
	{
		.name = "the second one is given another endpoint where there is one, until there is none",
		.steps = {
			SYN4_STEP,
			{FORWARD, TCP_OF(SYN, TO_PAIR4), TCP_OF(SYN, TO_OTHER4), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_OTHER4), TCP_OF(SYN | ACK, OF_PAIR4), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4), TCP_OF(SYN | ACK, OF_VIP4), 0},
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, SLOW4, 80)),
			 {ENDS(SLOW4, 80, CLIENT4, 40000), .protocol = TCP, .flags = RST | ACK,
			  .ack = 1001, .dont_fragment = true, .is_returned = true},
			 TC_REDIRECT},
		},
		.counts = true, .reason = MRD_REASON_REFUSE_CLASH,
	},
	{
		.name = "likewise of datagrams, IPv6",
		.steps = {
			ASK6_STEP,
			{FORWARD, UDP_OF(ASK_PAIR6), UDP_OF(ASK_OTHER6), 0},
			{REVERSE, UDP_OF(SAY_OTHER6), UDP_OF(SAY_PAIR6), 0},
			{REVERSE, UDP_OF(SAY_POD6), UDP_OF(SAY_VIP6), 0},
		},
	},
	{
		.name = "the first of them is over",
		.steps = {
			{FORWARD, TCP_OF(SYN, ENDS(CLIENT4, 40000, SELF4, 80)),
			 TCP_OF(SYN, TO_POD4), 0},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4),
			 TCP_OF(SYN | ACK, ENDS(SELF4, 80, CLIENT4, 40000)), 0},
			{FORWARD, TCP_OF(RST, ENDS(CLIENT4, 40000, SELF4, 80)),
			 TCP_OF(RST, TO_POD4), 0},
			SYN4_STEP,
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4), TCP_OF(SYN | ACK, OF_VIP4), 0},
		},
	},
	{
		.name = "fastForward: past the stack with a hop less; what comes back is for the stack",
		.fast = true,
		.steps = {
			{FORWARD, TCP_OF(SYN, TO_VIP4), TCP_OF(SYN, TO_POD4, .ttl = 63), TC_REDIRECT},
			{REVERSE, TCP_OF(SYN | ACK, OF_POD4), TCP_OF(SYN | ACK, OF_VIP4), 0},
			{FORWARD, UDP_OF(ASK_VIP4), UDP_OF(ASK_POD4, .ttl = 63), TC_REDIRECT},
			{FORWARD, TCP_OF(ACK, TO_VIP4, .ttl = 1), TCP_OF(ACK, TO_POD4, .ttl = 1), 0},
			{FORWARD, TCP_OF(RST, TO_VIP4), TCP_OF(RST, TO_POD4), 0},
		},
	},
	{
		.name = "fastForward: pieces, options, and where no route leads (IPv6) are for the stack",
		.fast = true,
		.steps = {
			{FORWARD, UDP_OF(ASK_VIP4, .cut_len = 16), UDP_OF(ASK_POD4, .cut_len = 16), 0},
			{FORWARD, UDP_OF(ASK_VIP4, .cut_at = 16, .cut_len = 13),
			 UDP_OF(ASK_POD4, .cut_at = 16, .cut_len = 13), 0},
			{FORWARD, TCP_OF(SYN, TO_VIP4, .options = 4),
			 TCP_OF(SYN, TO_POD4, .options = 4), 0},
			SYN6_STEP,
		},
	},
};
/* clang-format on */
const size_t tc_case_count = COUNT(tc_cases);
