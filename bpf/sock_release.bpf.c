// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A socket is closed by its owner, and leaves the counters of open ones (TCP may still have to say
 * goodbye to its peer). A UDP socket takes its latest conversation along; older ones go by age.
 */
#include "lib/kern.h"

#include "lib/socket.h"

static __always_inline void mrd_conversation_forget(__u64 cookie, const __u8 *addr, __u32 port,
						    enum mrd_family family, void *map)
{
	struct mrd_udp_key key = {.socket_cookie = cookie, .port = port, .family = family};

	mrd_addr_copy(key.addr, addr);
	bpf_map_delete_elem(map, &key);
}

SEC("cgroup/sock_release")
int mrd_sock_release(struct bpf_sock *ctx)
{
	struct mrd_socket *sock = bpf_sk_storage_get(&mrd_socket, ctx, NULL, 0);
	__u64 cookie;

	if (!sock)
		return MRD_ALLOW_CALL;
	mrd_socket_count_closed(sock);
	mrd_place_return(sock);
	mrd_connection_forget(ctx, sock);
	if (!sock->has_replies || sock->connected)
		return MRD_ALLOW_CALL;
	cookie = bpf_get_socket_cookie(ctx);
	mrd_conversation_forget(cookie, sock->vip, sock->vip_port, sock->family, &mrd_udp_flow);
	mrd_conversation_forget(cookie, sock->endpoint, sock->endpoint_port, sock->family,
				&mrd_udp_reply);
	return MRD_ALLOW_CALL;
}
