// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The least that can be done where Meridian's programs stand at interfaces, for
 * bench/scenarios/floor_tc.sh: of TCP over IPv4, without options.
 *
 * least_forward and least_reverse translate whatever goes to 172.16.0.20:80 to 10.0.0.11:9080: a
 * SYN makes two rows in a hash map, each packet is found there, and what acknowledges the second
 * FIN takes them away. Nothing is chosen, counted or checked, nothing is known of time, and no row
 * can be another connection's. The key holds the interface: at others no row is found.
 */
#include "bpf/lib/kern.h"
#include "bpf/lib/packet.h"

enum { ETH_LEN = 14, ADDRS_AT = ETH_LEN + 12, TCP_AT = ETH_LEN + 20 };

struct least_ends {
	__u32 source;
	__u32 destination;
	__u32 ports;
};

struct least_key {
	struct least_ends ends;
	__u32 ifindex;
};

struct least_row {
	struct least_ends ends;
	__u32 is_finished; /* 1: this side has sent a FIN; 2: and the other one behind it */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MRD_FLOWS_MAX);
	__type(key, struct least_key);
	__type(value, struct least_row);
} rows SEC(".maps");

struct least_segment {
	struct least_key key;
	__u32 flags;
	__u16 check; /* of the IP header */
	__u8 ttl;
};

SEC("tc")
int floor_nothing(__attribute__((unused)) struct __sk_buff *skb)
{
	return MRD_TC_NEXT;
}

static __always_inline bool segment_read(struct __sk_buff *skb, struct least_segment *segment)
{
	const struct mrd_ipv4_header *ip = (const void *)((long)skb->data + ETH_LEN);
	const struct mrd_tcp_header *tcp = (const void *)(ip + 1);

	if ((const void *)(tcp + 1) > (const void *)(long)skb->data_end ||
	    skb->protocol != bpf_htons(MRD_ETHERTYPE_IPV4) || ip->version_words != 0x45 ||
	    ip->protocol != MRD_PROTOCOL_TCP)
		return false;
	__builtin_memcpy(&segment->key.ends, ip->source, 8);
	__builtin_memcpy(&segment->key.ends.ports, tcp, 4);
	segment->key.ifindex = skb->ifindex;
	segment->flags = tcp->flags;
	segment->check = ip->check;
	segment->ttl = ip->ttl;
	return true;
}

static __always_inline void ends_turn(struct least_ends *to, const struct least_ends *from)
{
	to->source = from->destination;
	to->destination = from->source;
	to->ports = from->ports << 16 | from->ports >> 16;
}

static __always_inline __u32 diff_of(const struct least_ends *from, const struct least_ends *to)
{
	const __u64 sum = (__u64)(__u32)~from->source + (__u32)~from->destination + to->source +
			  to->destination;

	return (__u32)((sum & 0xffffffff) + (sum >> 32));
}

static __always_inline int translate(struct __sk_buff *skb, const struct least_segment *segment,
				     const struct least_ends *to)
{
	const __u32 diff = diff_of(&segment->key.ends, to), check = TCP_AT + MRD_TCP_CHECK_AT;
	struct mrd_ipv4_ends ends = {
		.tail = {.ttl = segment->ttl,
			 .protocol = MRD_PROTOCOL_TCP,
			 .check = mrd_check_changed(segment->check, diff),
			 .source = to->source,
			 .destination = to->destination},
		.ports = to->ports,
	};

	if (bpf_l4_csum_replace(skb, check, 0, diff, BPF_F_PSEUDO_HDR) ||
	    bpf_l4_csum_replace(skb, check, segment->key.ends.ports, to->ports, 4) ||
	    bpf_skb_store_bytes(skb, ETH_LEN + MRD_IPV4_TAIL_AT, &ends, sizeof(ends), 0))
		return MRD_TC_DROP;
	return MRD_TC_NEXT;
}

static __always_inline void other_key(struct least_key *other, const struct least_segment *segment,
				      const struct least_ends *to)
{
	ends_turn(&other->ends, to);
	other->ifindex = segment->key.ifindex;
}

/* True: nothing is to come. */
static __always_inline bool is_last(const struct least_segment *segment, struct least_row *row)
{
	struct least_key key;
	struct least_row *other;

	if (!(segment->flags & MRD_TCP_FIN))
		return row->is_finished == 2;
	row->is_finished = 1;
	other_key(&key, segment, &row->ends);
	other = bpf_map_lookup_elem(&rows, &key);
	if (other && other->is_finished)
		other->is_finished = 2;
	return false;
}

static __always_inline int pass(struct __sk_buff *skb, const struct least_segment *segment,
				struct least_row *row)
{
	const struct least_ends to = row->ends;
	struct least_key other;

	if (is_last(segment, row)) {
		other_key(&other, segment, &to);
		bpf_map_delete_elem(&rows, &segment->key);
		bpf_map_delete_elem(&rows, &other);
	}
	return translate(skb, segment, &to);
}

static __always_inline int open(struct __sk_buff *skb, const struct least_segment *segment)
{
	struct least_row row = {
		.ends = {.source = segment->key.ends.source,
			 .destination = bpf_htonl(0x0a00000b),
			 .ports = (segment->key.ends.ports & 0xffff) | bpf_htons(9080) << 16},
	};
	struct least_row back = {0};
	struct least_key key;

	other_key(&key, segment, &row.ends);
	ends_turn(&back.ends, &segment->key.ends);
	if (bpf_map_update_elem(&rows, &key, &back, BPF_ANY) ||
	    bpf_map_update_elem(&rows, &segment->key, &row, BPF_ANY))
		return MRD_TC_DROP;
	return translate(skb, segment, &row.ends);
}

SEC("tc")
int least_forward(struct __sk_buff *skb)
{
	struct least_segment segment;
	struct least_row *row;

	if (!segment_read(skb, &segment))
		return MRD_TC_NEXT;
	if ((segment.flags & (MRD_TCP_SYN | MRD_TCP_ACK)) == MRD_TCP_SYN &&
	    segment.key.ends.destination == bpf_htonl(0xac100014))
		return open(skb, &segment);
	row = bpf_map_lookup_elem(&rows, &segment.key);
	return row ? pass(skb, &segment, row) : MRD_TC_NEXT;
}

SEC("tc")
int least_reverse(struct __sk_buff *skb)
{
	struct least_segment segment;
	struct least_row *row;

	if (!segment_read(skb, &segment))
		return MRD_TC_NEXT;
	row = bpf_map_lookup_elem(&rows, &segment.key);
	return row ? pass(skb, &segment, row) : MRD_TC_NEXT;
}

char floor_license[] SEC("license") = "Dual BSD/GPL";
