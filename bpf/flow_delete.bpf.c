// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the agent deletes may hold a place in mrd_open, and have successes to tell to mrd_stat,
 * where hooks count at the same time. User space cannot add to a row, so the agent has this do it:
 * a packet is the key of a forward row, which takes the other one along, or of a reverse row.
 */
#include "lib/kern.h"

#include "lib/flow.h"
#include "lib/limit.h"
#include "lib/report.h"

#define MRD_ENOENT 2

/* Kernels before 6.4 leave the upper half of what this helper returns as it was. */
static __always_inline int mrd_row_delete(const struct mrd_flow_key *key)
{
	const int r = (int)bpf_map_delete_elem(&mrd_flow, key);

	return r && r != -MRD_ENOENT ? MRD_TC_DROP : 0;
}

static __always_inline int mrd_reverse_delete(const struct mrd_flow_key *key)
{
	struct mrd_flow *row = bpf_map_lookup_elem(&mrd_flow, key);

	if (row && row->way == MRD_FLOW_REVERSE)
		mrd_probe_tell(&row->probe);
	return mrd_row_delete(key);
}

/* Not 0: what is left stays for now. */
SEC("tc")
int mrd_flow_delete(struct __sk_buff *skb)
{
	struct mrd_flow_key key, reverse;
	struct mrd_flow *row;

	if (bpf_skb_load_bytes(skb, 0, &key, sizeof(key)))
		return MRD_TC_DROP;
	row = bpf_map_lookup_elem(&mrd_flow, &key);
	if (!row)
		return 0;
	if (row->way == MRD_FLOW_REVERSE)
		return mrd_reverse_delete(&key);
	if (!mrd_flow_leave(row))
		return MRD_TC_DROP;
	mrd_flow_other(&reverse, &key, &row->tuple);
	return mrd_row_delete(&key) ?: mrd_reverse_delete(&reverse);
}
