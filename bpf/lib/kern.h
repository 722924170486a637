/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What every hook includes first: the kernel's types, helpers, the contract and the maps. Macros
 * of UAPI headers are in no BTF, so the few that hooks need stand here.
 */
#ifndef MRD_BPF_KERN_H
#define MRD_BPF_KERN_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps/abi.h"
#include "maps/event.h"
#include "maps/maps.bpf.h"
#include "maps/seal.h"

#include "once.h"

enum {
	MRD_ECONNRESET = 104,
	MRD_ETIMEDOUT = 110,
	MRD_ECONNREFUSED = 111,
	MRD_ECONNABORTED = 103,
};

enum { MRD_PROTO_MPTCP = 262, MRD_TYPE_STREAM = 1, MRD_TYPE_DGRAM = 2 };
enum {
	MRD_ETHERTYPE_IPV4 = 0x0800,
	MRD_ETHERTYPE_IPV6 = 0x86dd,
	MRD_ETHERTYPE_VLAN = 0x8100,
	MRD_ETHERTYPE_QINQ = 0x88a8,
};

/* What a cgroup program answers. */
enum { MRD_REFUSE_CALL = 0, MRD_ALLOW_CALL = 1 };

/* For socket look-ups: the namespace of the packet's interface. */
#define MRD_NETNS_CURRENT (-1L)

/* What a TC program answers: the next one of the hook runs, or the packet goes no further. */
enum { MRD_TC_NEXT = -1, MRD_TC_DROP = 2 };

/* PACKET_HOST and the like of linux/if_packet.h. */
enum { MRD_PACKET_HOST = 0, MRD_PACKET_OTHERHOST = 3 };

static __always_inline void mrd_count_one(enum mrd_reason reason)
{
	__u32 index = reason;
	__u64 *count = bpf_map_lookup_elem(&mrd_count, &index);

	if (count)
		*count += 1; /* per CPU, and hooks of one CPU lose at most a tick to each other */
}

#endif
