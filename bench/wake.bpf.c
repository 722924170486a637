// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * For bench/wake.c: tells of each answer of 503 when it was seen, from where Meridian's probe tells
 * its own. Nobody is looked up, and nothing is counted.
 */
#include "bpf/lib/kern.h"

enum { ROOM = 64 * 1024, STATUS_LEN = 12, STATUS_AT = 9 };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ROOM);
} wake_event SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} wake_row SEC(".maps");

SEC("cgroup_skb/ingress")
int wake_error(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct tcphdr tcp;
	char line[STATUS_LEN];
	__u32 at;
	__u64 now_ns;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) || ip.version != 4 ||
	    ip.protocol != MRD_PROTOCOL_TCP)
		return MRD_ALLOW_CALL;
	at = ip.ihl * 4;
	if (bpf_skb_load_bytes(skb, at, &tcp, sizeof(tcp)) ||
	    bpf_skb_load_bytes(skb, at + tcp.doff * 4, line, sizeof(line)) ||
	    line[STATUS_AT] != '5' || line[STATUS_AT + 1] != '0' || line[STATUS_AT + 2] != '3')
		return MRD_ALLOW_CALL;
	now_ns = bpf_ktime_get_ns();
	bpf_ringbuf_output(&wake_event, &now_ns, sizeof(now_ns), 0);
	return MRD_ALLOW_CALL;
}

char wake_license[] SEC("license") = "Dual BSD/GPL";
