// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the agent deletes may hold a place in mrd_open, and have successes to tell to mrd_stat,
 * where hooks count at the same time. User space cannot add to a row, so the agent has this do it:
 * a packet is an order, with the key of a forward row, which takes the other one along, or of a
 * reverse row.
 *
 * Of a connection that is to be reset the forward row stays, in a state of its own: nobody here
 * knows the numbers that a reset must have, but the client's next packet does.
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

/* Is the client yet to hear of its end? Of a socket's connection the kernel tells it. */
static __always_inline bool mrd_is_to_hear(const struct mrd_flow_order *order,
					   const struct mrd_flow *row)
{
	return order->is_reset && order->key.protocol == MRD_PROTOCOL_TCP && !row->is_socket &&
	       !mrd_flow_is_ended(row->state);
}

/* Not 0: what is left stays for now. */
SEC("tc")
int mrd_flow_delete(struct __sk_buff *skb)
{
	struct mrd_flow_order order;
	struct mrd_flow_key reverse;
	struct mrd_flow *row;

	if (bpf_skb_load_bytes(skb, 0, &order, sizeof(order)))
		return MRD_TC_DROP;
	row = bpf_map_lookup_elem(&mrd_flow, &order.key);
	if (!row)
		return 0;
	if (row->way == MRD_FLOW_REVERSE)
		return mrd_reverse_delete(&order.key);
	if (!mrd_flow_leave(row))
		return MRD_TC_DROP;
	mrd_flow_other(&reverse, &order.key, &row->tuple);
	if (mrd_is_to_hear(&order, row))
		row->state = MRD_FLOW_CUT;
	else if (mrd_row_delete(&order.key))
		return MRD_TC_DROP;
	return mrd_reverse_delete(&reverse);
}
