/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where that stands which is kept for a socket (maps/abi.h): in the row of mrd_socket that its
 * cookie names, or in a storage of its own.
 *
 * A row is taken by one swap and given back by one, so it is one socket's. Who has found it before
 * may write to it a moment longer. By then it can be another's only if the two cookies are a
 * multiple of MRD_SOCKETS apart and that one connects within this moment: what the row counts (a
 * response, an open connection, a place of maxConnections) may then be counted wrongly once.
 *
 * Without atomics (MRD_LEGACY_ATOMICS) a row cannot be taken: every socket has a storage.
 */
#ifndef MRD_BPF_SOCKET_ROW_H
#define MRD_BPF_SOCKET_ROW_H

#include "kern.h"

#ifdef MRD_LEGACY_ATOMICS
enum { MRD_HAS_ROWS = 0 };
#else
enum { MRD_HAS_ROWS = 1 };
#endif

static __always_inline struct mrd_socket *mrd_storage_find(struct bpf_sock *sk)
{
	return bpf_sk_storage_get(&mrd_storage, sk, NULL, 0);
}

static __always_inline struct mrd_socket *mrd_storage_make(struct bpf_sock *sk, __u64 cookie)
{
	struct mrd_socket *sock =
		bpf_sk_storage_get(&mrd_storage, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (sock)
		sock->cookie = cookie;
	return sock;
}

/* All but whose row it is. */
enum {
	MRD_SOCKET_OWN =
		sizeof(struct mrd_socket) - __builtin_offsetof(struct mrd_socket, protocol),
};

static __always_inline void mrd_socket_wipe(struct mrd_socket *sock)
{
	__builtin_memset(&sock->protocol, 0, MRD_SOCKET_OWN);
}

/* NULL: the kernel cannot tell, or it is no TCP. */
static __always_inline const struct tcp_sock *mrd_tcp_of(struct bpf_sock *sk)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_skc_to_tcp_sock))
		return NULL;
	return bpf_skc_to_tcp_sock(sk);
}

/* 0: nobody has asked for it, so the socket has no row. Of TCP's sockets. */
static __always_inline __u64 mrd_cookie_of(struct bpf_sock *sk)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp ? (__u64)tcp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter : 0;
}

/*
 * The kernel's own, as those beneath MPTCP's and of file systems: nobody closes it by
 * cgroup/sock_release, so nobody would give a row back whose connection fails before it begins.
 */
static __always_inline bool mrd_is_ownerless(struct bpf_sock *sk)
{
	const struct tcp_sock *tcp = mrd_tcp_of(sk);

	return tcp && BPF_CORE_READ_BITFIELD(&tcp->inet_conn.icsk_inet.sk, sk_kern_sock);
}

/* The row of its place, whoever has that. */
static __always_inline struct mrd_socket_row *mrd_row_at(__u64 cookie)
{
	const __u32 place = cookie % MRD_SOCKETS;

	return bpf_map_lookup_elem(&mrd_socket, &place);
}

static __always_inline bool mrd_row_is_of(const struct mrd_socket_row *row, __u64 cookie)
{
	return MRD_READ_ONCE(row->socket.cookie) == cookie;
}

/* NULL: the socket is none of ours. sk: may be what a hook has for its context. */
static __always_inline struct mrd_socket *mrd_row_find(struct bpf_sock *sk, __u64 cookie)
{
	struct mrd_socket_row *row = mrd_row_at(cookie);
	struct mrd_socket *storage;

	if (!row)
		return NULL;
	if (mrd_row_is_of(row, cookie))
		return &row->socket;
	storage = MRD_READ_ONCE(row->stored) ? mrd_storage_find(sk) : NULL;
	return storage && storage->cookie == cookie ? storage : NULL;
}

/* NULL: the socket is none of ours. */
static __always_inline struct mrd_socket *mrd_socket_find(struct bpf_sock *sk,
							  enum mrd_protocol protocol)
{
	__u64 cookie;

	if (!MRD_HAS_ROWS || protocol != MRD_PROTOCOL_TCP)
		return mrd_storage_find(sk);
	cookie = mrd_cookie_of(sk);
	return cookie ? mrd_row_find(sk, cookie) : NULL;
}

/* NULL: there is no memory. */
static __always_inline struct mrd_socket *mrd_socket_make(struct bpf_sock *sk, __u64 cookie,
							  enum mrd_protocol protocol)
{
	struct mrd_socket_row *row;
	struct mrd_socket *sock;

	if (!MRD_HAS_ROWS || protocol != MRD_PROTOCOL_TCP)
		return mrd_storage_make(sk, cookie);
	sock = mrd_row_find(sk, cookie);
	if (sock)
		return sock;
	row = mrd_row_at(cookie);
	if (!row)
		return NULL;
	if (!row->socket.cookie && !mrd_is_ownerless(sk) &&
	    !__sync_val_compare_and_swap(&row->socket.cookie, 0, cookie)) {
		mrd_socket_wipe(&row->socket);
		return &row->socket;
	}
	sock = mrd_storage_make(sk, cookie);
	if (sock)
		__sync_fetch_and_add(&row->stored, 1);
	return sock;
}

/*
 * A TCP socket is closed by its owner. is_over: nothing is to be heard of its connection any more.
 * Otherwise what is kept moves to a storage, where mrd_storage_find() has it to TCP's own end.
 */
static __always_inline void mrd_socket_leave(struct bpf_sock *sk, struct mrd_socket *sock,
					     __u64 cookie, bool is_over)
{
	struct mrd_socket_row *row = mrd_row_at(cookie);
	struct mrd_socket *storage;

	if (!MRD_HAS_ROWS || !row)
		return;
	if (!mrd_row_is_of(row, cookie)) {
		if (is_over)
			sock->connected = 0;
		sock->cookie = 0;
		__sync_fetch_and_add(&row->stored, -1);
		return;
	}
	storage = is_over ? NULL : mrd_storage_make(sk, 0);
	if (storage)
		__builtin_memcpy(&storage->protocol, &sock->protocol, MRD_SOCKET_OWN);
	__sync_lock_test_and_set(&row->socket.cookie, 0);
}

#endif
