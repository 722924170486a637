/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The maps, declared for every hook; bpf/maps.bpf.c defines them once. Sizes are the defaults of
 * abi.h: the agent sets its own before it loads.
 *
 * Plain hashes take memory as they fill. LRU hashes cannot: they are the ones whose rows the hooks
 * make, and whose least recent row may go.
 */
#ifndef MRD_MAPS_BPF_H
#define MRD_MAPS_BPF_H

#include "abi.h"

#define MRD_HASH(name, map_type, key_type, value_type, limit) \
	struct name##_map {                                   \
		__uint(type, map_type);                       \
		__uint(map_flags, BPF_F_NO_PREALLOC);         \
		__uint(max_entries, limit);                   \
		__type(key, key_type);                        \
		__type(value, value_type);                    \
	};                                                    \
	extern struct name##_map name

#define MRD_LRU(name, key_type, value_type, limit)   \
	struct name##_map {                          \
		__uint(type, BPF_MAP_TYPE_LRU_HASH); \
		__uint(max_entries, limit);          \
		__type(key, key_type);               \
		__type(value, value_type);           \
	};                                           \
	extern struct name##_map name

/* Without atomics that return a value, a number is drawn per CPU. */
#ifdef MRD_LEGACY_ATOMICS
#define MRD_TICKET_MAP BPF_MAP_TYPE_PERCPU_HASH
#else
#define MRD_TICKET_MAP BPF_MAP_TYPE_HASH
#endif

MRD_HASH(mrd_service, BPF_MAP_TYPE_HASH, struct mrd_vip_key, struct mrd_service, MRD_VIPS_MAX)
SEC(".maps");
MRD_HASH(mrd_route, BPF_MAP_TYPE_HASH, __u32, struct mrd_route, MRD_SERVICES_MAX) SEC(".maps");
MRD_HASH(mrd_member, BPF_MAP_TYPE_HASH, struct mrd_member_key, struct mrd_member, MRD_MEMBERS_MAX)
SEC(".maps");
MRD_HASH(mrd_health, BPF_MAP_TYPE_HASH, __u32, struct mrd_health, MRD_MEMBERS_MAX) SEC(".maps");
MRD_HASH(mrd_stat, BPF_MAP_TYPE_HASH, __u32, struct mrd_stat, MRD_MEMBERS_MAX) SEC(".maps");
MRD_HASH(mrd_ticket, MRD_TICKET_MAP, struct mrd_ticket_key, __u64, MRD_MEMBERS_MAX) SEC(".maps");
MRD_HASH(mrd_name, BPF_MAP_TYPE_HASH, __u32, struct mrd_name, MRD_SERVICES_MAX) SEC(".maps");
MRD_HASH(mrd_locality, BPF_MAP_TYPE_HASH, __u32, struct mrd_locality, MRD_LOCALITIES_MAX)
SEC(".maps");
MRD_HASH(mrd_cidr, BPF_MAP_TYPE_LPM_TRIE, struct mrd_cidr_key, __u32, MRD_CIDRS_MAX) SEC(".maps");

MRD_HASH(mrd_setting, BPF_MAP_TYPE_HASH, __u32, struct mrd_setting, MRD_SERVICES_MAX)
SEC(".maps");
MRD_HASH(mrd_open, BPF_MAP_TYPE_HASH, __u32, struct mrd_open, MRD_SERVICES_MAX) SEC(".maps");
MRD_HASH(mrd_connection, BPF_MAP_TYPE_HASH, struct mrd_connection_key, struct mrd_connection,
	 MRD_CONNECTIONS_MAX)
SEC(".maps");
MRD_HASH(mrd_flow, BPF_MAP_TYPE_HASH, struct mrd_flow_key, struct mrd_flow, MRD_FLOWS_MAX)
SEC(".maps");
MRD_HASH(mrd_interface, BPF_MAP_TYPE_HASH, __u32, struct mrd_interface, MRD_INTERFACES_MAX)
SEC(".maps");

MRD_LRU(mrd_fragment, struct mrd_fragment_key, struct mrd_fragment, MRD_FRAGMENTS_MAX)
SEC(".maps");
MRD_LRU(mrd_affinity, struct mrd_affinity_key, struct mrd_affinity, MRD_AFFINITY_MAX) SEC(".maps");
MRD_LRU(mrd_udp_flow, struct mrd_udp_key, struct mrd_udp_flow, MRD_UDP_FLOWS_MAX) SEC(".maps");
MRD_LRU(mrd_udp_reply, struct mrd_udp_key, struct mrd_udp_reply, MRD_UDP_FLOWS_MAX) SEC(".maps");

/* By enum mrd_reason; the kernel wants a plain integer as the key of an array. */
struct mrd_count_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MRD_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct mrd_count_map mrd_count SEC(".maps");

struct mrd_failure_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MRD_FAILURE_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct mrd_failure_map mrd_failure SEC(".maps");

struct mrd_opened_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MRD_PLACES + 1);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct mrd_opened_map mrd_opened SEC(".maps");

struct mrd_settled_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MRD_PLACES + 1);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct mrd_settled_map mrd_settled SEC(".maps");

struct mrd_handshake_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MRD_LOCALITIES_MAX);
	__type(key, __u32);
	__type(value, struct mrd_handshake);
};
extern struct mrd_handshake_map mrd_handshake SEC(".maps");

struct mrd_config_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mrd_config);
};
extern struct mrd_config_map mrd_config SEC(".maps");

struct mrd_event_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MRD_EVENT_BYTES);
};
extern struct mrd_event_map mrd_event SEC(".maps");

struct mrd_request_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mrd_request);
};
extern struct mrd_request_map mrd_request SEC(".maps");

struct mrd_followed_map {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, MRD_FOLLOWED_MAX);
	__type(key, __u64);
	__type(value, __u64);
};
extern struct mrd_followed_map mrd_followed SEC(".maps");

/* BPF_F_MMAPABLE: nobody maps it, but its first row is aligned to a page. */
struct mrd_socket_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MRD_SOCKETS);
	__type(key, __u32);
	__type(value, struct mrd_socket_row);
};
extern struct mrd_socket_map mrd_socket SEC(".maps");

struct mrd_storage_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mrd_socket);
};
extern struct mrd_storage_map mrd_storage SEC(".maps");

#endif
