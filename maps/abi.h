/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between kernel and user space: the rows of every pinned map.
 *
 * Rules of this file
 * - Fixed-width members, no pointers, no implicit padding, sizes asserted.
 * - Addresses are bytes in network order (IPv4 in the first four, the rest zero), ports and all
 *   other numbers are in host order, states are enums: `bpftool map dump` then reads as text.
 * - A row that hooks follow to another row names itself (service_id, endpoint_id) or carries a
 *   seal, because a hash map may hand the memory of a deleted row to a new one while a hook still
 *   reads it. What does not match is treated as a race, never as an answer.
 * - Counters that hooks write stand in maps of their own (mrd_ticket, mrd_stat, mrd_count), so that
 *   the agent can rewrite a row without losing a count.
 *
 * Any change of a size, of a meaning or of a map's key raises MRD_ABI_VERSION.
 */
#ifndef MRD_MAPS_ABI_H
#define MRD_MAPS_ABI_H

#ifndef __VMLINUX_H__ /* in a BPF program the kernel's own types serve */
#include <linux/types.h>
#endif

#define MRD_ABI_VERSION 6

/* Default sizes of the maps; the agent may set others at load (configuration: kernel.limits). */
enum mrd_limit {
	MRD_SERVICES_MAX = 65536,  /* service ids: one per service, port and IP family */
	MRD_VIPS_MAX = 262144,	   /* addresses × ports of those services */
	MRD_MEMBERS_MAX = 1048576, /* endpoints, each a member of one service */
	MRD_AFFINITY_MAX = 65536,  /* clients with session affinity; the least recent goes first */
	MRD_UDP_FLOWS_MAX = 65536, /* unconnected UDP conversations; the least recent goes first */
	MRD_FLOWS_MAX = 262144,	   /* rows of mrd_flow: two for a connection that TC translates */
	MRD_FRAGMENTS_MAX = 4096,  /* datagrams in fragments; the least recent goes first */
	MRD_INTERFACES_MAX = 4096,
	MRD_CONNECTIONS_MAX = 262144, /* that an ejection resets */
	MRD_FOLLOWED_MAX = 65536,     /* connections whose requests are followed */
	MRD_LOCALITIES_MAX = 4096,
	MRD_CIDRS_MAX = 256,
	MRD_SOCKETS = 16384,	   /* rows of mrd_socket; a power of two */
	MRD_PLACES = 4096,	   /* of mrd_opened and mrd_settled; a power of two */
	MRD_EVENT_BYTES = 1 << 20, /* ring buffer; a power of two and a multiple of the page size */
};

enum {
	MRD_ADDR_LEN = 16,
	MRD_HOPS_MAX = 16,	 /* one row of mrd_route; more localities are joined by the plan */
	MRD_SHARE_TOTAL = 10000, /* shares are in 1/10,000 of new connections */
	MRD_SERVICE_TICKET = 0xffffffffU, /* "hop" of the service's own counter in mrd_ticket */
	MRD_NAME_LEN = 64,		  /* DNS label (63) and its zero; RFC 1035 */
};

enum mrd_family { MRD_FAMILY_NONE, MRD_FAMILY_IPV4, MRD_FAMILY_IPV6 };

/* IANA numbers, so that a dump and a packet agree. */
enum mrd_protocol { MRD_PROTOCOL_NONE = 0, MRD_PROTOCOL_TCP = 6, MRD_PROTOCOL_UDP = 17 };

/* ------------------------------------------------------------------ mrd_service: VIP → service */

struct mrd_vip_key {
	__u8 addr[MRD_ADDR_LEN];
	enum mrd_family family;
	enum mrd_protocol protocol;
	__u32 port;
};
_Static_assert(sizeof(struct mrd_vip_key) == 28, "map ABI");

enum mrd_affinity_mode { MRD_AFFINITY_NONE, MRD_AFFINITY_CLIENT_IP };

struct mrd_service {
	__u32 service_id; /* never 0 */
	enum mrd_affinity_mode affinity;
	__u32 affinity_timeout_s; /* after the last use; 1 to 86400 (Kubernetes' own range) */
	__u32 has_setting;	  /* 1: mrd_setting has a row of this service, 0: nothing to ask */
	__u32 seal;		  /* mrd_service_seal() over key and value */
};
_Static_assert(sizeof(struct mrd_service) == 20, "map ABI");

/* ------------------------------------------- mrd_setting: service → what its connections ask for
 */

enum mrd_rescue { MRD_RESCUE_ON, MRD_RESCUE_OFF };
enum mrd_eject_action { MRD_EJECT_KEEP, MRD_EJECT_CLOSE, MRD_EJECT_RESET };

/* Only services that ask for something have a row. 0: not asked for; the kernel's own holds. */
struct mrd_setting {
	__u32 syn_timeout_ms;	  /* 0: adaptive (mrd_handshake) */
	__u32 connect_timeout_ms; /* tcp.connectTimeout */
	__u32 max_connections;	  /* tcp.maxConnections: of the service, on this node */
	__u32 max_requests;	  /* http.maxRequestsPerConnection */
	__u32 keepalive_idle_s;	  /* tcp.tcpKeepalive: TCP_KEEPIDLE; so are the next two */
	__u32 keepalive_interval_s;
	__u16 keepalive_probes;
	__u16 keepalive; /* 1: tcpKeepalive was given, be it empty */
	enum mrd_rescue rescue;
	enum mrd_eject_action on_eject;
	__u32 peer_id; /* the same port by the other IP family, counted with; 0: none, or no limit
			*/
};
_Static_assert(sizeof(struct mrd_setting) == 40, "map ABI");

/* ------------------------------- mrd_open: service → its open connections, as far as it has a
 * limit
 */

/* Made with the limit, and kept until the service goes: those that it counts may outlive the limit.
 */
struct mrd_open {
	__s64 connections; /* from connect() to the failed handshake or the close; flows of TC */
};
_Static_assert(sizeof(struct mrd_open) == 8, "map ABI");

/* ------------- mrd_connection: endpoint, socket → where it is; of services with on-eject: reset
 */

/* Made by connect(), gone with the socket, or once the agent has ended the connection. */
struct mrd_connection_key {
	__u64 socket_cookie;
	__u32 endpoint_id;
	__u32 reserved; /* 0 */
};
_Static_assert(sizeof(struct mrd_connection_key) == 16, "map ABI");

struct mrd_connection {
	__u64 netns_cookie;
	enum mrd_protocol protocol;
	__u32 service_id;
};
_Static_assert(sizeof(struct mrd_connection) == 16, "map ABI");

/* --------------------------------------------------- mrd_route: service → hops, with their shares
 */

enum mrd_mode { MRD_MODE_POOL, MRD_MODE_FAILOVER, MRD_MODE_DISTRIBUTE };

/* Which states of an endpoint a hop may hand out. */
enum mrd_hop_accept {
	MRD_ACCEPT_ACTIVE,   /* the ordinary case */
	MRD_ACCEPT_EJECTED,  /* panic (Envoy): ready endpoints, ejected or not */
	MRD_ACCEPT_DRAINING, /* KEP-1669: nothing is ready, so those serving while they terminate */
};

struct mrd_hop {
	__u32 hop_id; /* names the member rows; stable while the hop means the same endpoints */
	__u32 locality_id;  /* → mrd_locality */
	__u32 region_id;    /* → mrd_locality: of the region as a whole */
	__u32 until;	    /* running share: a ticket below it falls here; 0 to MRD_SHARE_TOTAL */
	__u32 member_count; /* slots 0 to member_count - 1 are filled */
	enum mrd_hop_accept accept;
	__u32 priority; /* as Envoy numbers it: 0 is tried first */
};
_Static_assert(sizeof(struct mrd_hop) == 28, "map ABI");

/*
 * until[] never falls and ends at MRD_SHARE_TOTAL, or is 0 throughout when nothing is usable. A hop
 * of share 0 (until equal to its forerunner's) is a reserve: taken only when the hop that the
 * ticket chose has nothing usable. Hops stand in order of priority.
 */
struct mrd_route {
	__u32 service_id; /* first, so that a reader who checks it last sees a reuse of this memory
			   */
	enum mrd_mode mode;
	__u32 hop_count;
	__u32 reserved; /* 0 */
	struct mrd_hop hops[MRD_HOPS_MAX];
};
_Static_assert(sizeof(struct mrd_route) == 16 + 28 * MRD_HOPS_MAX, "map ABI");

/* -------------------------------------------------- mrd_member: service, hop, slot → one endpoint
 */

struct mrd_member_key {
	__u32 service_id;
	__u32 hop_id;
	__u32 slot;
};
_Static_assert(sizeof(struct mrd_member_key) == 12, "map ABI");

/* What the agent must hear of a connection's endpoint. */
enum mrd_report {
	MRD_REPORT_ERRORS,  /* errors, and the success that ends a run of them */
	MRD_REPORT_ALL,	    /* each response: rates are watched, or codes that are no 5xx */
	MRD_REPORT_NOTHING, /* as errors; but no response ejects it, so TC need not read any */
};

struct mrd_member {
	__u8 addr[MRD_ADDR_LEN];
	__u32 port;
	__u32 endpoint_id; /* never 0 */
	__u32 seal; /* mrd_member_seal(): service, endpoint, address and port belong together */
	enum mrd_report report; /* kept by a connection as it was when that was made */
};
_Static_assert(sizeof(struct mrd_member) == 32, "map ABI");

/* --------------------------------------------- mrd_health: endpoint → state; written by the agent
 */

enum mrd_state {
	MRD_STATE_NONE,
	MRD_STATE_ACTIVE,   /* ready */
	MRD_STATE_EJECTED,  /* ready, but outlier detection took it out until ejected_until_ns */
	MRD_STATE_DRAINING, /* terminating */
	MRD_STATE_UNREADY,
};

struct mrd_health {
	__u8 addr[MRD_ADDR_LEN];
	__u32 port;
	enum mrd_family family;
	__u32 service_id;
	enum mrd_state state;
	__u32 locality_id;
	__u32 is_http;	 /* 1: the port is declared HTTP (appProtocol or name), 0: not known */
	__u32 ejections; /* for life: Envoy's num_ejections */
	__u32 ejection_multiplier; /* grows at each ejection, falls at sweeps: Envoy's backoff */
	__u64 ejected_until_ns;	   /* CLOCK_MONOTONIC; 0: not ejected */
	__u64 changed_ns;	   /* CLOCK_MONOTONIC of the last change of state */
};
_Static_assert(sizeof(struct mrd_health) == 64, "map ABI");

/* ------------------------------------------------------ mrd_stat: endpoint → counters of the hooks
 */

enum { MRD_CLASS_SUCCESS = 1, MRD_CLASSES = 5 }; /* 1xx to 5xx, from 0 on */

/*
 * A connection's successes (2xx) that come quickly one behind the other wait in its row: at the
 * latest every MRD_TOLD_EACH-th is written here with those that waited, and timed. So are one that
 * comes MRD_UNTOLD_NS after the last that was told, all other classes, and the rest at the close.
 * At a socket the first may wait, too, if it comes as quickly behind the handshake, and if others
 * have told before it that the endpoint speaks HTTP; it is timed.
 */
enum { MRD_TOLD_EACH = 32 };
#define MRD_UNTOLD_NS (50ULL * 1000 * 1000)

/*
 * Upper bounds in microseconds by which response times are counted, each part of what it ends: two
 * in a decade, from a pod on the same node to a client that gives up. Hooks make comparisons of
 * this list, readers an array.
 */
#define MRD_RESPONSE_BOUNDS_US(bound)                                                            \
	bound(300) bound(1000) bound(3000) bound(10000) bound(30000) bound(100000) bound(300000) \
		bound(1000000) bound(3000000) bound(10000000)

/* The place of each bound, and so their number. */
#define MRD_RESPONSE_WITHIN(us) MRD_RESPONSE_WITHIN_##us,
enum {
	MRD_RESPONSE_BOUNDS_US(MRD_RESPONSE_WITHIN) MRD_RESPONSE_BOUNDS,
	MRD_RESPONSE_BUCKETS, /* one more, for what is beyond the last bound */
};

/*
 * In the order in which hooks touch them. A hash row has 56 bytes in front of its value before 6.1,
 * and 64 since: either way a handshake and a close write one cache line, and a response that is
 * timed two, unless it is a slow one (beyond 3 ms). A row takes 256 bytes; with one counter more it
 * would take 512.
 */
struct mrd_stat {
	__u64 connects;	   /* picks that handed this endpoint out; those of connect() by TCP are
			    * counted once the handshake is done, or has failed */
	__u64 established; /* TCP handshakes completed */
	__s64 open;	   /* TCP connections and connected UDP sockets not closed yet */
	__u64 handshake_sum_us; /* ÷ established = mean handshake time */
	__u64 last_heard_ns; /* CLOCK_MONOTONIC of the last handshake, or request that was answered
			      */
	__u32 run; /* failures since the last success; not 0: the next success is reported */
	__u32 run_answers; /* of these, errors behind a handshake, which no handshake makes good */
	__u64 responses[MRD_CLASSES]; /* HTTP status lines seen, by class */
	__u64 response_sum_us; /* request's first byte out → status line in, of those below */
	/* Those that were told at once, each counted by its time; the sum ÷ all of them = mean. */
	__u64 responses_timed[MRD_RESPONSE_BUCKETS];
	__u64 failed; /* TCP handshakes refused, reset, unreachable or unanswered */
};
_Static_assert(sizeof(struct mrd_stat) == 192, "map ABI");

/* --------------------------------------------- mrd_failure: endpoint id % slots → latest failure
 */

/*
 * CLOCK_MONOTONIC of the latest failure of any endpoint of the slot. Successes look here, for
 * mrd_stat.run is written by every CPU: a connection that has told a success well after that time
 * knows that none of its endpoint's failures waits for one.
 */
enum { MRD_FAILURE_SLOTS = 1024 };

/* ------------------------------------------------------------ mrd_ticket: service, hop → counter
 */

struct mrd_ticket_key {
	__u32 service_id;
	__u32 hop_id; /* MRD_SERVICE_TICKET: the counter that chooses the hop */
};
_Static_assert(sizeof(struct mrd_ticket_key) == 8, "map ABI");

/* value: __u64, the next number */

/* ----------------------------------------------------------- mrd_affinity: client → its endpoint
 */

struct mrd_affinity_key {
	__u64 client; /* at a socket: its network namespace's cookie; at TC: the source address */
	__u32 service_id;
	__u32 is_address; /* 1: the latter (mrd_affinity_client()) */
};
_Static_assert(sizeof(struct mrd_affinity_key) == 16, "map ABI");

struct mrd_affinity {
	struct mrd_member member;
	__u64 until_ns; /* CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct mrd_affinity) == 40, "map ABI");

/* ------------------------------------ mrd_udp_flow, mrd_udp_reply: unconnected UDP conversations
 */

/*
 * A conversation is (socket, VIP): it keeps its endpoint while that is usable and datagrams follow
 * each other within MRD_UDP_IDLE_NS, as a kube-proxy flow does through conntrack. The reply row
 * turns the endpoint's address back into the VIP for recvmsg; so it does for the former peer of a
 * socket that was connected, which may be its peer still. An ICMP error in answer to a conversation
 * without replies gives it another endpoint.
 */
#define MRD_UDP_IDLE_NS (30ULL * 1000 * 1000 * 1000) /* nf_conntrack_udp_timeout, 30 s */

struct mrd_udp_key {
	__u64 socket_cookie;
	__u8 addr[MRD_ADDR_LEN]; /* flow: the VIP; reply: the endpoint */
	__u32 port;
	enum mrd_family family;
};
_Static_assert(sizeof(struct mrd_udp_key) == 32, "map ABI");

enum { MRD_UDP_LEFT_MAX = 4 };

struct mrd_udp_flow {
	struct mrd_member member;
	__u64 last_ns; /* CLOCK_MONOTONIC */
	__u32 service_id;
	__u32 replied;		      /* 1: the endpoint has answered */
	__u32 left[MRD_UDP_LEFT_MAX]; /* endpoints that an ICMP error came from; 0: none */
};
_Static_assert(sizeof(struct mrd_udp_flow) == 64, "map ABI");

struct mrd_udp_reply {
	__u8 vip[MRD_ADDR_LEN];
	__u32 vip_port;
	__u32 reserved; /* 0 */
};
_Static_assert(sizeof(struct mrd_udp_reply) == 24, "map ABI");

/* ---------------------------------------- what the HTTP probe knows of a connection, in its row */

enum mrd_probe_stage {
	MRD_PROBE_IDLE,	       /* no response is due */
	MRD_PROBE_FASTOPEN,    /* the request left in the SYN: expect_seq comes with the SYN-ACK */
	MRD_PROBE_STATUS_LINE, /* the status line must start at expect_seq */
	MRD_PROBE_SKIP_1XX, /* an interim response's header is being skipped, from expect_seq on */
};

enum { MRD_STATUS_LEN = 12 }; /* "HTTP/1.1 200" */

/* What a request and a common answer touch stands first: in a row of mrd_flow in one cache line. */
struct mrd_probe {
	__u32 service_id;
	__u32 endpoint_id; /* whose responses these are */
	__u32 expect_seq;  /* TCP sequence number, host order */
	__u32 request_seq; /* TCP sequence number of the latest request's first byte, host order; of
			    * a long one a later byte's */
	__u16 have;	  /* bit i: byte i of the status line is in line[]; behind a 101 one more */
	__u16 waiting_us; /* how long the connection's first response took, while it waits; or 0 */
	__u8 stage;	  /* enum mrd_probe_stage */
	__u8 untold;	  /* successes that wait to be told: below MRD_TOLD_EACH */
	__u8 report;	  /* enum mrd_report */
	__u8 is_first;	  /* 1: no response has come, and the first one may wait */
	__u64 request_ns; /* of the request whose response is due */
	__u64 told_ns;	  /* of the request whose success was told last; 0: of none; or of the
			   * handshake, if its first success may wait */
	__u8 line[MRD_STATUS_LEN];
	__u32 skip_window; /* the last four bytes of an interim header */
};
_Static_assert(sizeof(struct mrd_probe) == 56, "map ABI");

/* ------------------------------------------------- mrd_flow: what TC translates, both directions
 */

/*
 * A packet whose addresses and ports are the key leaves with those of the value. A connection has
 * two rows, and each is found from the other: the key of one is the value of the other, turned
 * round. The forward row (client → VIP, or client → an endpoint that did not answer) holds the
 * state; the reverse row only translates, and is MRD_FLOW_CLOSED once the endpoint has said its
 * last. What the probe waits for stands where it comes by, in the reverse row. Both go with the
 * packet that acknowledges the last FIN; the agent sweeps what was left otherwise.
 */
enum mrd_flow_way { MRD_FLOW_FORWARD, MRD_FLOW_REVERSE };

/* As in the kernel's connection tracking, whose default times, for most, they are swept by. */
enum mrd_flow_state {
	MRD_FLOW_NONE,
	MRD_FLOW_SYN_SENT,
	MRD_FLOW_ESTABLISHED,
	MRD_FLOW_FIN_WAIT, /* the client has said its last */
	MRD_FLOW_CLOSED,   /* both have */
	MRD_FLOW_UDP_UNREPLIED,
	MRD_FLOW_UDP_REPLIED,
	MRD_FLOW_CLOSE_WAIT, /* the endpoint has said its last */
	MRD_FLOW_SYN_RECV,   /* the endpoint has answered the SYN, and waits for the client */
	MRD_FLOW_RESET,	     /* one side has reset the connection, if the other took it so */
	MRD_FLOW_DOUBTED,    /* the client goes on after that: so it may not be over */
	MRD_FLOW_CUT,	     /* by on-eject: reset; its client is told when it sends something */
};

struct mrd_flow_tuple {
	__u8 source[MRD_ADDR_LEN];
	__u8 destination[MRD_ADDR_LEN];
	__u32 source_port;
	__u32 destination_port;
};
_Static_assert(sizeof(struct mrd_flow_tuple) == 40, "map ABI");

struct mrd_flow_key {
	struct mrd_flow_tuple tuple;
	enum mrd_family family;
	enum mrd_protocol protocol;
};
_Static_assert(sizeof(struct mrd_flow_key) == 48, "map ABI");

enum { MRD_TRIED_MAX = 8 };

/* The endpoints that a connection has been sent to so far, the present one last. */
struct mrd_tried {
	__u32 endpoint_ids[MRD_TRIED_MAX];
	__u16 region_ids[MRD_TRIED_MAX]; /* 0: not known */
	__u32 count;
};
_Static_assert(sizeof(struct mrd_tried) == 52, "map ABI");

/* Does the flow count in mrd_open? Of forward rows, if the service had a limit when the flow began.
 */
enum mrd_counting {
	MRD_COUNTING_NEVER,
	MRD_COUNTING_NOW,
	MRD_COUNTING_OVER,   /* it has ended; but one that goes on after a reset counts again */
	MRD_COUNTING_MOVING, /* while its row is written anew, with the place that it had */
};

struct mrd_flow {
	struct mrd_flow_tuple tuple;
	enum mrd_flow_way way;
	enum mrd_flow_state state;
	__u64 last_ns; /* CLOCK_MONOTONIC of the latest packet, to a second; 0: none yet */
	union {
		struct {
			__u32 service_id; /* of both rows, as is the next */
			__u32 endpoint_id;
			__u64 first_ns; /* CLOCK_MONOTONIC of the connection's first packet */
			__u64 sent_ns;	/* CLOCK_MONOTONIC of the first packet to the present
					 * endpoint; 0: none yet */
			struct mrd_tried tried;
			enum mrd_counting counting;
		};
		struct mrd_probe probe; /* of a reverse row */
	};
	__u32 ifindex;	   /* the interface at which the flow is translated, both ways */
	__u16 locality_id; /* of the present endpoint, as is the next */
	__u8 report;	   /* enum mrd_report */
	__u8 is_socket;	   /* 1: the client's socket was rewritten by connect() */
	__u8 is_uplink;	   /* 1: so its row of mrd_interface said when the flow began */
	__u8 is_resent;	   /* 1: the present endpoint was sent more than one SYN */
	__u8 is_blamed;	   /* 1: its failure was told */
	__u8 first_seq;	   /* the first packet's sequence number, folded; of TCP without a socket */
	union {		   /* in network order, of a forward row */
		__u32 request_ack; /* until a FIN comes: what the latest request acknowledges */
		__u32 fin_ack;	   /* what acknowledges the latest FIN; 0: not known */
	};
};
_Static_assert(sizeof(struct mrd_flow) == 152, "map ABI");
_Static_assert(__builtin_offsetof(struct mrd_flow, endpoint_id) ==
		       __builtin_offsetof(struct mrd_flow, probe.endpoint_id),
	       "both rows say whose they are");

/* What mrd_flow_delete takes for a packet. */
struct mrd_flow_order {
	struct mrd_flow_key key;
	__u32 is_reset; /* 1: a connection's client is to hear of its end, see MRD_FLOW_CUT */
};
_Static_assert(sizeof(struct mrd_flow_order) == 52, "map ABI");

/* mrd_fragment: a datagram → the ports that its first fragment has told */
struct mrd_fragment_key {
	__u8 source[MRD_ADDR_LEN];
	__u8 destination[MRD_ADDR_LEN];
	__u32 id; /* IPv4's 16 bits, IPv6's 32 */
	__u16 family;
	__u16 protocol; /* of IPv6 0: later fragments need not know it */
};
_Static_assert(sizeof(struct mrd_fragment_key) == 40, "map ABI");

struct mrd_fragment {
	__u16 source_port;
	__u16 destination_port;
	enum mrd_protocol protocol;
	__u64 first_ns; /* CLOCK_MONOTONIC: an id comes round again */
};
_Static_assert(sizeof(struct mrd_fragment) == 16, "map ABI");

/* mrd_interface: interface index → what the TC programs must know of it; written by the agent */
struct mrd_interface {
	__s32 netns_id; /* of the pod behind it, as this namespace numbers it; -1: this namespace */
	__u32 is_uplink; /* 1: not a pod's; the directions are the other way round */
};
_Static_assert(sizeof(struct mrd_interface) == 8, "map ABI");

/*
 * mrd_opened, mrd_settled: place → how often a flow was given rows there; and what that number was
 * when the agent last saw no row of such a flow. While both are the same, packets of a connection
 * under way need not be looked up there. A place is an interface's index, less its upper bits, or
 * the one that stands for them all: of flows that are translated wherever their packets come by.
 */
enum { MRD_PLACE_ANY = MRD_PLACES };

/*
 * mrd_handshake: locality id → how long a handshake with it is known to take. Of connections that
 * were answered to their first SYN alone: one that was moved, or lost a packet, tells nothing.
 */
struct mrd_handshake {
	__u32 known_us; /* 0: not known */
	__u32 reserved; /* 0 */
	__u64 seen_ns;	/* CLOCK_MONOTONIC of the latest */
};
_Static_assert(sizeof(struct mrd_handshake) == 16, "map ABI");

/* ------------------------------------------- names: the kernel's rows explain themselves by these
 */

/* mrd_name: service id → what it is called; written with the service */
struct mrd_name {
	char namespace_[MRD_NAME_LEN];
	char service[MRD_NAME_LEN];
	char port_name[MRD_NAME_LEN]; /* "" if the port has none */
	enum mrd_family family;
	enum mrd_protocol protocol;
};
_Static_assert(sizeof(struct mrd_name) == 200, "map ABI");

/* mrd_locality: locality id → region/zone/subzone; never deleted while a hop names it */
struct mrd_locality {
	char region[MRD_NAME_LEN];
	char zone[MRD_NAME_LEN];
	char subzone[MRD_NAME_LEN];
};
_Static_assert(sizeof(struct mrd_locality) == 192, "map ABI");

/* ------------------------------------------------------------------- mrd_count: reason → counter
 */

/* Why a call was passed, rewritten or refused, and what else the hooks saw. Order is ABI. */
enum mrd_reason {
	MRD_REASON_PASS_NOT_SERVICE, /* the address is no service of ours: left alone */
	MRD_REASON_PASS_PROTOCOL,    /* neither TCP nor UDP */
	MRD_REASON_PICK_POOL,
	MRD_REASON_PICK_FAILOVER,
	MRD_REASON_PICK_DISTRIBUTE,
	MRD_REASON_PICK_AFFINITY, /* the client's remembered endpoint */
	MRD_REASON_PICK_UDP_FLOW, /* the conversation's remembered endpoint */
	MRD_REASON_NEXT_MEMBER,	  /* a member was unusable, the next one was tried */
	MRD_REASON_NEXT_HOP,	  /* a hop had nothing usable, the next one was tried */
	MRD_REASON_RACE,	  /* a row was rewritten while it was read (a seal did not match) */
	MRD_REASON_REFUSE_NO_ROUTE,    /* the service has no route row */
	MRD_REASON_REFUSE_NO_ENDPOINT, /* nothing usable in any hop */
	MRD_REASON_REFUSE_UNKNOWN,     /* unknownService: refuse */
	MRD_REASON_NO_SOCKET_STORAGE,  /* no memory (or MPTCP): rewritten, but not seen by the probe
					*/
	MRD_REASON_NO_UDP_FLOW,	       /* a reply row could not be written: the call was refused */
	MRD_REASON_REPLY_UDP,	       /* a datagram's source was turned back into the VIP */
	MRD_REASON_PEER_NAME,	       /* getpeername told the VIP */
	MRD_REASON_HANDSHAKE_DONE,
	MRD_REASON_HANDSHAKE_REFUSED,
	MRD_REASON_HANDSHAKE_UNREACHABLE,
	MRD_REASON_HANDSHAKE_TIMEOUT,
	MRD_REASON_HANDSHAKE_ABANDONED, /* closed by the application before any retransmission */
	MRD_REASON_RESET_IN_REQUEST, /* an established connection was reset while a response was due
				      */
	MRD_REASON_RESPONSE,	     /* HTTP status lines read */
	MRD_REASON_EVENT_LOST,	     /* the ring buffer was full */
	/* Of packets at TC. */
	MRD_REASON_PASS_MALFORMED, /* headers that are cut short or contradict themselves */
	MRD_REASON_PASS_HEADERS,   /* more IPv6 headers than are followed, or a route to go yet */
	MRD_REASON_PASS_FRAGMENT,  /* a later fragment whose first one was not seen, or not ours */
	MRD_REASON_HAIRPIN,    /* the one endpoint of a service is the client itself: masqueraded */
	MRD_REASON_ICMP_ERROR, /* an error that speaks of a flow was translated */
	MRD_REASON_REFUSE_FLOWS,       /* mrd_flow is full: a new flow was refused */
	MRD_REASON_REFUSE_CLASH,       /* another flow has the same two ends behind the VIP */
	MRD_REASON_RESCUE_TIMEOUT,     /* a SYN went unanswered: the connection went elsewhere */
	MRD_REASON_RESCUE_REFUSED,     /* likewise, for an RST in answer to the SYN */
	MRD_REASON_RESCUE_UNREACHABLE, /* likewise, for an ICMP error; datagrams, too */
	MRD_REASON_RESCUE_NOWHERE,     /* there was nowhere to go: the error took its course */
	MRD_REASON_LATE_ANSWER,	       /* of an endpoint that the connection had left: dropped */
	MRD_REASON_DROP_UNWRITTEN,     /* no memory to write a packet's headers: it was dropped */
	/* Of what a service's settings ask for. */
	MRD_REASON_REFUSE_LIMIT,      /* tcp.maxConnections are open */
	MRD_REASON_REQUEST_LAST,      /* the last of maxRequestsPerConnection was told that it is */
	MRD_REASON_REQUEST_EJECTED,   /* so was one to an endpoint that is ejected, or terminates */
	MRD_REASON_NO_CONNECTION_ROW, /* the map was full: an ejection will not reset this one */
	MRD_REASON_REQUEST_UNSURE, /* requests of a connection could not be followed, or no more */
	MRD_REASON_FLOW_CUT,	   /* a packet of a flow that on-eject: reset has ended: refused */
	MRD_REASON_COUNT,
};

/* ------------------------------------------------------- mrd_config: one row, and read-only data
 */

enum mrd_unknown { MRD_UNKNOWN_PASS, MRD_UNKNOWN_REFUSE };

struct mrd_config {
	__u32 abi_version;
	enum mrd_unknown
		unknown_service; /* what to do with a service CIDR's address that is no service */
	__u32 fast_forward;	 /* 1: TC hands translated packets on past the host's stack */
	__u32 jiffies_per_s; /* the kernel's HZ; 0: nothing rescues, SYN timers stay as they are */
	__u32 probe; /* 1: responses are read at TC, too; by sockets' probe, if it is loaded */
};
_Static_assert(sizeof(struct mrd_config) == 20, "map ABI");

/* mrd_cidr (LPM trie): service CIDRs, for unknownService: refuse. IPv4 as ::ffff:a.b.c.d. */
struct mrd_cidr_key {
	__u32 prefix_len; /* 0 to 128; IPv4 prefixes count from 96 */
	__u8 addr[MRD_ADDR_LEN];
};
_Static_assert(sizeof(struct mrd_cidr_key) == 20, "map ABI");

/* --------------------------------------- mrd_socket, mrd_storage: what was chosen for a
 * socket
 */

/*
 * Where a socket is counted. One word, so that of its owner, who closes it on one CPU, and of what
 * its packets tell on another, each finds what the other has done.
 */
enum mrd_counts {
	MRD_COUNTS_NONE,
	MRD_COUNTS_PICK = 1,  /* in mrd_stat.connects from the end of its handshake on */
	MRD_COUNTS_OPEN = 2,  /* in mrd_stat.open */
	MRD_COUNTS_PLACE = 4, /* in mrd_open */
	MRD_COUNTS_OVER = 8,  /* nowhere any more: its owner has closed it */
};

/*
 * What connect() chose for a socket; or, on an unconnected UDP socket, the latest conversation.
 * All zero but cookie and has_replies: the socket is no longer ours.
 *
 * A TCP socket has the row of mrd_socket, an array, whose place is its cookie modulo MRD_SOCKETS:
 * nothing is allocated for it. Where an open socket has that place already, the later one gets a
 * socket storage, as have all UDP sockets; the row at the place counts those. Who asks for a socket
 * that has neither looks once.
 *
 * What packets touch stands first, within one cache line (mrd_socket is mapped as user space could
 * map it, so that rows begin with one). A storage fits the kernel's objects of 192 bytes with its
 * own 72 in front.
 */
struct mrd_socket {
	__u64 cookie;	/* whose row it is; 0: nobody's */
	__u8 protocol;	/* enum mrd_protocol */
	__u8 family;	/* enum mrd_family: of the addresses, which may be IPv4 on an IPv6 socket */
	__u8 connected; /* 1: chosen by connect(), 0: by a datagram */
	__u8 moved;	/* 1: mrd_flow sends this connection elsewhere than to endpoint */
	__u16 locality_id;  /* of the endpoint */
	__u8 reported;	    /* 1: this handshake's failure was reported */
	__u8 retransmitted; /* 1: the SYN was sent more than once */
	union {
		struct mrd_probe probe; /* of UDP: whom the socket talks to */
		/* While TCP connects, and of UDP: in the place of what comes with responses. */
		struct {
			__u32 asked[8]; /* probe up to request_ns: a request may leave in the SYN */
			__u64 connect_ns; /* CLOCK_MONOTONIC of connect() */
			__u32 first_id;	  /* of UDP, if moved: the endpoint that connect() chose */
			__u32 user_timeout_ms; /* the application's own, plus 1 */
		};
	};
	__u8 vip[MRD_ADDR_LEN];
	__u8 endpoint[MRD_ADDR_LEN];
	__u16 vip_port;
	__u16 endpoint_port;
	__u8 syn_retries; /* while connecting: the application's own; 0: they hold */
	__u8 replied;	  /* of UDP: 1: a datagram has come since connect() */
	__u8 has_replies; /* of UDP: 1: mrd_udp_reply may have rows of this socket */
	__u8 has_setting; /* 1: mrd_setting has a row of this service */
	__u8 has_row;	  /* 1: mrd_connection has a row of this socket */
	__u8 reserved[3]; /* 0 */
	__u32 counts;	  /* enum mrd_counts */
};
_Static_assert(sizeof(struct mrd_socket) == 120, "map ABI");
_Static_assert(__builtin_offsetof(struct mrd_socket, connect_ns) ==
		       __builtin_offsetof(struct mrd_socket, probe.told_ns),
	       "what a request writes is not in its place");

struct mrd_socket_row {
	struct mrd_socket socket;
	__u32 stored;	/* sockets of this place that have a storage */
	__u32 reserved; /* 0 */
};
_Static_assert(sizeof(struct mrd_socket_row) == 128, "map ABI");

/* mrd_followed: socket cookie → such a socket; user space sees only the cookie. */

/* ---------------------- mrd_request: socket storage, of connections whose requests are followed */

/* What comes next on the connection, from this side. */
enum mrd_request_stage {
	MRD_REQUEST_START, /* a request's first byte */
	MRD_REQUEST_METHOD,
	MRD_REQUEST_TARGET,
	MRD_REQUEST_VERSION,
	MRD_REQUEST_LINE_END, /* the LF of a line */
	MRD_REQUEST_LINE,     /* a header line, or the empty one */
	MRD_REQUEST_NAME,
	MRD_REQUEST_VALUE,	/* of no interest */
	MRD_REQUEST_LENGTH,	/* value of Content-Length */
	MRD_REQUEST_CODING,	/* of Transfer-Encoding */
	MRD_REQUEST_CONNECTION, /* of Connection */
	MRD_REQUEST_HEADER_END, /* the LF of the empty line */
	MRD_REQUEST_BODY,
	MRD_REQUEST_CHUNK_SIZE,
	MRD_REQUEST_CHUNK_NOTE,	 /* a chunk's extensions */
	MRD_REQUEST_CHUNK_START, /* the LF behind its size */
	MRD_REQUEST_CHUNK,
	MRD_REQUEST_CHUNK_END, /* the CR behind it */
	MRD_REQUEST_CHUNK_LF,
	MRD_REQUEST_TRAILER, /* a line behind the last chunk, or the empty one */
	MRD_REQUEST_TRAILER_TEXT,
	MRD_REQUEST_TRAILER_LF,
	MRD_REQUEST_TRAILER_END,
	MRD_REQUEST_DONE,   /* the last request was told that it is */
	MRD_REQUEST_UNSURE, /* not followed any further */
};

struct mrd_request {
	__u64 left;    /* bytes of the body or chunk to come; or its length, while it is read */
	__u64 word[2]; /* the first 16 letters of the word being read */
	__u32 word_len;
	__u32 requests; /* begun */
	__u32 limit;	/* http.maxRequestsPerConnection; 0: none */
	enum mrd_request_stage stage;
	__u8 word_last;	  /* the last letter of the word */
	__u8 eject_close; /* 1: the endpoint is ejected, and connections to it are to end */
	__u8 wants_close; /* 1: this request is the last one */
	__u8 closes;	  /* 1: and says so */
	__u8 has_length;
	__u8 is_chunked;
	__u8 is_old; /* 1: HTTP/1.0 */
	__u8 reserved;
	__u32 service_id; /* as the connection's row had them when it was made */
	__u32 endpoint_id;
};
_Static_assert(sizeof(struct mrd_request) == 56, "map ABI");

#endif
