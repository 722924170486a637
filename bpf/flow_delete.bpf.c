// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A row that the agent deletes may hold a place in mrd_open, which hooks count in at the same time.
 * User space cannot add to a row, so the agent has this do it: a packet is the row's key.
 */
#include "lib/kern.h"

#include "lib/limit.h"

SEC("tc")
int mrd_flow_delete(struct __sk_buff *skb)
{
	struct mrd_flow_key key;
	struct mrd_flow *row;

	if (bpf_skb_load_bytes(skb, 0, &key, sizeof(key)))
		return MRD_TC_DROP;
	row = bpf_map_lookup_elem(&mrd_flow, &key);
	if (row && !mrd_flow_leave(row))
		return MRD_TC_DROP;
	bpf_map_delete_elem(&mrd_flow, &key);
	return 0;
}
