// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A socket is closed by its owner, and leaves the counters of open ones (TCP may still have to say
 * goodbye to its peer). A UDP socket takes its latest conversation along; older ones go by age.
 */
#include "lib/kern.h"

#include "lib/socket.h"

static __always_inline void mrd_conversation_forget(__u64 cookie, const __u8 *addr, __u32 port,
						    __u32 family, void *map)
{
	struct mrd_udp_key key = {
		.socket_cookie = cookie, .port = port, .family = (enum mrd_family)family};

	mrd_addr_copy(key.addr, addr);
	bpf_map_delete_elem(map, &key);
}

/*
 * Who closes before the handshake is done or a response is there may have lost patience: whether
 * the endpoint was silent, TCP tells when it gives up in its turn.
 */
static __always_inline bool mrd_is_over(const struct bpf_sock *ctx, const struct mrd_socket *sock)
{
	return !sock->connected ||
	       (ctx->state != BPF_TCP_SYN_SENT && sock->probe.stage == MRD_PROBE_IDLE);
}

SEC("cgroup/sock_release")
int mrd_sock_release(struct bpf_sock *ctx)
{
	const enum mrd_protocol protocol = (enum mrd_protocol)ctx->protocol;
	struct mrd_socket *sock;

	/* Here is no way to ask whether a socket has a cookie yet. */
	if (MRD_HAS_ROWS && protocol == MRD_PROTOCOL_TCP)
		sock = mrd_row_find(ctx, bpf_get_socket_cookie(ctx));
	else
		sock = mrd_storage_find(ctx);
	if (!sock)
		return MRD_ALLOW_CALL;
	mrd_socket_count_end(sock, MRD_COUNTS_OVER);
	mrd_connection_forget(sock);
	if (protocol == MRD_PROTOCOL_TCP) {
		mrd_socket_leave(ctx, sock, sock->cookie, mrd_is_over(ctx, sock));
		return MRD_ALLOW_CALL;
	}
	if (!sock->has_replies || sock->connected)
		return MRD_ALLOW_CALL;
	mrd_conversation_forget(sock->cookie, sock->vip, sock->vip_port, sock->family,
				&mrd_udp_flow);
	mrd_conversation_forget(sock->cookie, sock->endpoint, sock->endpoint_port, sock->family,
				&mrd_udp_reply);
	return MRD_ALLOW_CALL;
}
