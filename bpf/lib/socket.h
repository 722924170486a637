/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What was chosen for a socket, kept from connect() to its end.
 *
 * What is kept of a socket that stops being ours is emptied, but stays its own: a probe on another
 * CPU may be reading it.
 */
#ifndef MRD_BPF_SOCKET_H
#define MRD_BPF_SOCKET_H

#include "kern.h"
#include "addr.h"
#include "limit.h"
#include "report.h"
#include "socket_row.h"

/* A connection is there; stat may be NULL. Its owner may be closing it on another CPU. */
static __always_inline void mrd_socket_count(struct mrd_socket *sock, struct mrd_stat *stat)
{
	const __u32 was = MRD_READ_ONCE(sock->counts);

	if (!stat || (was & (MRD_COUNTS_OPEN | MRD_COUNTS_OVER)) ||
	    !mrd_swap(&sock->counts, was, (was & MRD_COUNTS_PLACE) | MRD_COUNTS_OPEN))
		return;
	if (was & MRD_COUNTS_PICK)
		__sync_fetch_and_add(&stat->connects, 1);
	__sync_fetch_and_add(&stat->open, 1);
}

/* counts: what the socket's word had, and has no more. */
static __always_inline void mrd_socket_uncount(struct mrd_socket *sock, __u32 counts)
{
	struct mrd_stat *stat =
		counts & (MRD_COUNTS_PICK | MRD_COUNTS_OPEN) ? mrd_stat_of(sock) : NULL;

	if (stat && counts & MRD_COUNTS_PICK)
		__sync_fetch_and_add(&stat->connects, 1);
	if (stat && counts & MRD_COUNTS_OPEN) {
		__sync_fetch_and_add(&stat->open, -1);
		mrd_report_untold(&sock->probe, stat);
	}
	if (counts & MRD_COUNTS_PLACE)
		mrd_place_add(sock->probe.service_id, -1);
}

/* is: MRD_COUNTS_OVER, or MRD_COUNTS_NONE where another connection may follow. */
static __always_inline void mrd_socket_count_end(struct mrd_socket *sock, enum mrd_counts is)
{
	mrd_socket_uncount(sock, mrd_exchange(&sock->counts, is));
}

/* The connection goes to another endpoint: so does the row by which the agent finds its socket. */
static __always_inline void mrd_connection_follow(struct mrd_socket *sock, __u32 endpoint_id)
{
	struct mrd_connection_key key = {.socket_cookie = sock->cookie,
					 .endpoint_id = sock->probe.endpoint_id};
	const struct mrd_connection *row;
	struct mrd_connection copy;

	row = sock->has_row ? bpf_map_lookup_elem(&mrd_connection, &key) : NULL;
	if (!row)
		return;
	copy = *row;
	bpf_map_delete_elem(&mrd_connection, &key);
	key.endpoint_id = endpoint_id;
	if (!bpf_map_update_elem(&mrd_connection, &key, &copy, BPF_ANY))
		return;
	mrd_count_one(MRD_REASON_NO_CONNECTION_ROW);
	sock->has_row = 0;
}

/* Before what is kept is cleared. */
static __always_inline void mrd_connection_forget(struct mrd_socket *sock)
{
	const struct mrd_connection_key key = {.socket_cookie = sock->cookie,
					       .endpoint_id = sock->probe.endpoint_id};

	if (!sock->has_row)
		return;
	bpf_map_delete_elem(&mrd_connection, &key);
	sock->has_row = 0;
}

static __always_inline void mrd_socket_clear(struct mrd_socket *sock)
{
	const __u32 has_replies = sock->has_replies;

	mrd_socket_count_end(sock, MRD_COUNTS_NONE);
	mrd_socket_wipe(sock);
	sock->has_replies = has_replies;
}

static __always_inline void mrd_socket_set(struct mrd_socket *sock, const struct mrd_vip_key *vip,
					   __u32 service_id, const struct mrd_member *member)
{
	mrd_addr_copy(sock->vip, vip->addr);
	sock->vip_port = (__u16)vip->port;
	sock->family = (__u8)vip->family;
	sock->protocol = (__u8)vip->protocol;
	sock->probe.service_id = service_id;
	mrd_addr_copy(sock->endpoint, member->addr);
	sock->endpoint_port = (__u16)member->port;
	sock->probe.endpoint_id = member->endpoint_id;
	sock->probe.report = member->report;
}

/* Does it speak of this peer? After connect(AF_UNSPEC) it may be that of an old one. */
static __always_inline bool mrd_socket_is_peer(const struct mrd_socket *sock,
					       const struct mrd_vip_key *peer)
{
	return sock->connected && sock->endpoint_port == peer->port &&
	       sock->family == peer->family && !mrd_addr_differ(sock->endpoint, peer->addr);
}

#endif
