/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Conversations of unconnected UDP sockets, found by what hooks know of them: the socket's cookie
 * with the VIP, or with the endpoint that a datagram came from.
 */
#ifndef MRD_BPF_CONVERSATION_H
#define MRD_BPF_CONVERSATION_H

#include "kern.h"
#include "addr.h"

static __always_inline void mrd_udp_key_of(struct mrd_udp_key *key, __u64 cookie, const __u8 *addr,
					   __u32 port, enum mrd_family family)
{
	key->socket_cookie = cookie;
	mrd_addr_copy(key->addr, addr);
	key->port = port;
	key->family = family;
}

/*
 * The conversation with an endpoint. key: the endpoint's, which becomes the VIP's; addr and port:
 * the endpoint. NULL: by that VIP the socket talks to another one, or no more.
 */
static __always_inline struct mrd_udp_flow *mrd_conversation_with(struct mrd_udp_key *key,
								  const struct mrd_udp_reply *reply,
								  const __u8 *addr, __u32 port)
{
	struct mrd_udp_flow *row;

	mrd_addr_copy(key->addr, reply->vip);
	key->port = reply->vip_port;
	row = bpf_map_lookup_elem(&mrd_udp_flow, key);
	if (!row || (row->member.port ^ port) | mrd_addr_differ(row->member.addr, addr))
		return NULL;
	return row;
}

#endif
