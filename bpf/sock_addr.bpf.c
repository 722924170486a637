// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Where an application names an address: connect, sendmsg, and where it is told one: recvmsg,
 * getpeername.
 *
 * A call to a VIP is rewritten to one of its endpoints before the kernel acts on it, so that no
 * packet has to be touched. What is no service of ours is left alone after one look-up; what is,
 * but has no usable endpoint, is refused as a closed port is.
 *
 * The two address families differ only in how the context holds an address; an IPv4-mapped one
 * arrives at the IPv6 hooks and is an IPv4 VIP.
 */
#include "lib/kern.h"

#include "lib/addr.h"
#include "lib/choose.h"
#include "lib/conversation.h"
#include "lib/pick.h"
#include "lib/socket.h"

/* One call: what was asked, and what it was turned into. */
struct mrd_call {
	struct mrd_vip_key vip; /* in recvmsg and getpeername: the peer */
	struct mrd_service service;
	struct mrd_picked picked;
};

enum mrd_verdict { MRD_VERDICT_PASS, MRD_VERDICT_REWRITE, MRD_VERDICT_REFUSE };

static __always_inline enum mrd_verdict mrd_pass(enum mrd_reason reason)
{
	mrd_count_one(reason);
	return MRD_VERDICT_PASS;
}

/* Before 5.18 a program cannot choose the error: the application sees EPERM. */
static __always_inline enum mrd_verdict mrd_refuse(enum mrd_reason reason)
{
	mrd_count_one(reason);
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_set_retval))
		bpf_set_retval(-MRD_ECONNREFUSED);
	return MRD_VERDICT_REFUSE;
}

static __always_inline enum mrd_protocol mrd_protocol_of(const struct bpf_sock_addr *ctx)
{
	const __u32 type = ctx->type, protocol = ctx->protocol;

	if (type == MRD_TYPE_STREAM &&
	    (protocol == MRD_PROTOCOL_TCP || protocol == MRD_PROTO_MPTCP))
		return MRD_PROTOCOL_TCP;
	if (type == MRD_TYPE_DGRAM && protocol == MRD_PROTOCOL_UDP)
		return MRD_PROTOCOL_UDP;
	return MRD_PROTOCOL_NONE;
}

static __always_inline void mrd_call_from_ipv4(struct mrd_call *call,
					       const struct bpf_sock_addr *ctx)
{
	mrd_addr_from_ipv4(call->vip.addr, ctx->user_ip4);
	call->vip.family = MRD_FAMILY_IPV4;
	call->vip.protocol = mrd_protocol_of(ctx);
	call->vip.port = bpf_ntohs((__u16)ctx->user_port);
}

static __always_inline void mrd_call_from_ipv6(struct mrd_call *call,
					       const struct bpf_sock_addr *ctx)
{
	const __u32 words[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				ctx->user_ip6[3]};

	call->vip.family = mrd_addr_from_ipv6(call->vip.addr, words);
	call->vip.protocol = mrd_protocol_of(ctx);
	call->vip.port = bpf_ntohs((__u16)ctx->user_port);
}

static __always_inline struct mrd_socket *mrd_call_socket(struct bpf_sock_addr *ctx,
							  const struct mrd_call *call)
{
	return mrd_socket_find(ctx->sk, call->vip.protocol);
}

static __always_inline struct mrd_socket *mrd_call_socket_make(struct bpf_sock_addr *ctx,
							       const struct mrd_call *call)
{
	return mrd_socket_make(ctx->sk, bpf_get_socket_cookie(ctx), call->vip.protocol);
}

static __always_inline void mrd_tell_ipv4(struct bpf_sock_addr *ctx, const __u8 *addr, __u32 port)
{
	ctx->user_ip4 = mrd_addr_to_ipv4(addr);
	ctx->user_port = bpf_htons((__u16)port);
}

static __always_inline void mrd_tell_ipv6(struct bpf_sock_addr *ctx, const __u8 *addr, __u32 port,
					  enum mrd_family family)
{
	__u32 words[4];

	mrd_addr_to_ipv6(words, addr, family);
	ctx->user_ip6[0] = words[0];
	ctx->user_ip6[1] = words[1];
	ctx->user_ip6[2] = words[2];
	ctx->user_ip6[3] = words[3];
	ctx->user_port = bpf_htons((__u16)port);
}

/* No service of ours. Inside the service CIDRs such an address may have to be refused. */
static __noinline enum mrd_verdict mrd_on_unknown(const struct mrd_vip_key *vip)
{
	const __u32 row = 0;
	const struct mrd_config *config = bpf_map_lookup_elem(&mrd_config, &row);
	struct mrd_cidr_key key;

	if (!config || config->unknown_service != MRD_UNKNOWN_REFUSE)
		return mrd_pass(MRD_REASON_PASS_NOT_SERVICE);
	mrd_cidr_key_of(&key, vip->addr, vip->family);
	if (!bpf_map_lookup_elem(&mrd_cidr, &key))
		return mrd_pass(MRD_REASON_PASS_NOT_SERVICE);
	return mrd_refuse(MRD_REASON_REFUSE_UNKNOWN);
}

static __always_inline enum mrd_reason mrd_call_pick(struct bpf_sock_addr *ctx,
						     struct mrd_call *call, bool is_counted)
{
	struct mrd_affinity_key client = {0};

	if (call->service.affinity == MRD_AFFINITY_CLIENT_IP)
		client.client = bpf_get_netns_cookie(ctx);
	return mrd_service_pick(&call->service, &client, NULL, is_counted, &call->picked);
}

/* ------------------------------------------------------------------------------- connect */

/* From then on the endpoint's datagrams are the VIP's, whatever the storage speaks of. */
static __noinline bool mrd_reply_put(const struct mrd_udp_key *key, const __u8 *vip, __u32 vip_port)
{
	const struct mrd_udp_reply *row = bpf_map_lookup_elem(&mrd_udp_reply, key);
	struct mrd_udp_reply reply = {.vip_port = vip_port};

	if (row && row->vip_port == vip_port && !mrd_addr_differ(row->vip, vip))
		return true;
	mrd_addr_copy(reply.vip, vip);
	return !bpf_map_update_elem(&mrd_udp_reply, key, &reply, BPF_ANY);
}

/*
 * The socket may be ours from an earlier connect(): then it gives that up. A UDP socket may have
 * answers of its former endpoint in its queue, and keeps that peer if the kernel finds no route to
 * the new one: so who that was is not forgotten.
 */
static __always_inline void mrd_call_give_up(struct mrd_socket *sock)
{
	struct mrd_udp_key key;

	if (sock->connected && sock->protocol == MRD_PROTOCOL_UDP) {
		mrd_udp_key_of(&key, sock->cookie, sock->endpoint, sock->endpoint_port,
			       sock->family);
		if (mrd_reply_put(&key, sock->vip, sock->vip_port))
			sock->has_replies = 1;
	}
	mrd_connection_forget(sock);
	mrd_socket_clear(sock);
}

/* What it connects to now is to be called by its own name, even if a VIP has led there before. */
static __always_inline void mrd_call_disown(struct bpf_sock_addr *ctx, const struct mrd_call *call)
{
	struct mrd_socket *sock = mrd_call_socket(ctx, call);
	struct mrd_udp_key key;

	if (!sock)
		return;
	if (sock->connected)
		mrd_call_give_up(sock);
	if (!sock->has_replies)
		return;
	mrd_udp_key_of(&key, sock->cookie, call->vip.addr, call->vip.port, call->vip.family);
	bpf_map_delete_elem(&mrd_udp_reply, &key);
}

/* Only TCP's connections are limited. */
static __always_inline bool mrd_call_needs_place(const struct mrd_call *call)
{
	return call->service.has_setting && call->vip.protocol == MRD_PROTOCOL_TCP;
}

/*
 * Where connections are limited, this one needs a place; its socket's former one comes free. The
 * socket's row keeps it over the pick: carried along, it would double the verifier's paths through
 * that.
 */
static __noinline bool mrd_call_is_beyond(struct bpf_sock_addr *ctx, const struct mrd_call *call)
{
	const __u32 service_id = call->service.service_id;
	struct mrd_socket *sock;
	enum mrd_place place;

	if (!mrd_call_needs_place(call))
		return false;
	sock = mrd_call_socket_make(ctx, call);
	if (!sock)
		return false; /* who could not give it back does not take one */
	mrd_connection_forget(sock);
	mrd_socket_clear(sock);
	place = mrd_place_take(service_id);
	if (place == MRD_PLACE_TAKEN) {
		sock->probe.service_id = service_id;
		sock->counts = MRD_COUNTS_PLACE;
	}
	return place == MRD_PLACE_FULL;
}

/* No endpoint after all. */
static __always_inline void mrd_call_place_return(struct bpf_sock_addr *ctx,
						  const struct mrd_call *call)
{
	struct mrd_socket *sock;

	if (!mrd_call_needs_place(call))
		return;
	sock = mrd_call_socket(ctx, call);
	if (sock)
		mrd_socket_clear(sock);
}

/* So that the agent finds the socket, should its endpoint be ejected. */
static __noinline void mrd_call_register(struct bpf_sock_addr *ctx, const struct mrd_call *call,
					 struct mrd_socket *sock)
{
	const struct mrd_setting *setting =
		bpf_map_lookup_elem(&mrd_setting, &call->service.service_id);
	const struct mrd_connection_key key = {.socket_cookie = sock->cookie,
					       .endpoint_id = call->picked.member.endpoint_id};
	const struct mrd_connection row = {.netns_cookie = bpf_get_netns_cookie(ctx),
					   .protocol = call->vip.protocol,
					   .service_id = call->service.service_id};

	if (!setting || setting->on_eject != MRD_EJECT_RESET)
		return;
	if (bpf_map_update_elem(&mrd_connection, &key, &row, BPF_ANY)) {
		mrd_count_one(MRD_REASON_NO_CONNECTION_ROW);
		return;
	}
	sock->has_row = 1;
}

static __always_inline void mrd_call_remember(struct bpf_sock_addr *ctx,
					      const struct mrd_call *call)
{
	struct mrd_socket *sock = mrd_call_socket_make(ctx, call);

	if (!sock) {
		mrd_count_one(MRD_REASON_NO_SOCKET_STORAGE);
		mrd_pick_count(call->picked.member.endpoint_id);
		return;
	}
	if (sock->protocol && !mrd_call_needs_place(call)) /* it was cleared for its place */
		mrd_call_give_up(sock);
	if (call->service.has_setting)
		sock->has_setting = 1;
	mrd_socket_set(sock, &call->vip, call->service.service_id, &call->picked.member);
	sock->locality_id = (__u16)call->picked.locality_id;
	sock->connected = 1;
	sock->connect_ns = bpf_ktime_get_ns();
	if (call->service.has_setting)
		mrd_call_register(ctx, call, sock);
	sock->counts |= MRD_COUNTS_PICK;
	if (call->vip.protocol == MRD_PROTOCOL_UDP) /* TCP counts when the handshake is done */
		mrd_socket_count(sock, mrd_stat_of(sock));
}

static __noinline enum mrd_verdict mrd_on_connect(struct bpf_sock_addr *ctx, struct mrd_call *call)
{
	enum mrd_reason reason;

	if (!call->vip.protocol)
		return mrd_pass(MRD_REASON_PASS_PROTOCOL);
	if (!mrd_service_find(&call->vip, &call->service)) {
		const enum mrd_verdict verdict = mrd_on_unknown(&call->vip);

		if (verdict == MRD_VERDICT_PASS)
			mrd_call_disown(ctx, call);
		return verdict;
	}
	if (mrd_call_is_beyond(ctx, call))
		return mrd_refuse(MRD_REASON_REFUSE_LIMIT);
	reason = mrd_call_pick(ctx, call, false);
	if (!mrd_is_pick(reason)) {
		mrd_call_place_return(ctx, call);
		return mrd_refuse(reason);
	}
	mrd_call_remember(ctx, call);
	return MRD_VERDICT_REWRITE;
}

SEC("cgroup/connect4")
int mrd_connect4(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	enum mrd_verdict verdict;

	mrd_call_from_ipv4(&call, ctx);
	verdict = mrd_on_connect(ctx, &call);
	if (verdict == MRD_VERDICT_REWRITE)
		mrd_tell_ipv4(ctx, call.picked.member.addr, call.picked.member.port);
	return verdict == MRD_VERDICT_REFUSE ? MRD_REFUSE_CALL : MRD_ALLOW_CALL;
}

SEC("cgroup/connect6")
int mrd_connect6(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	enum mrd_verdict verdict;

	mrd_call_from_ipv6(&call, ctx);
	verdict = mrd_on_connect(ctx, &call);
	if (verdict == MRD_VERDICT_REWRITE)
		mrd_tell_ipv6(ctx, call.picked.member.addr, call.picked.member.port,
			      call.vip.family);
	return verdict == MRD_VERDICT_REFUSE ? MRD_REFUSE_CALL : MRD_ALLOW_CALL;
}

/* ------------------------------------------------------------------------------- sendmsg */

/* The conversation's endpoint: the remembered one, or a new pick. */
static __always_inline enum mrd_reason
mrd_flow_pick(struct bpf_sock_addr *ctx, struct mrd_call *call, const struct mrd_udp_key *key)
{
	const __u64 now_ns = bpf_ktime_get_ns();
	const struct mrd_udp_flow *row = bpf_map_lookup_elem(&mrd_udp_flow, key);
	enum mrd_reason reason;
	struct mrd_udp_flow flow;

	if (row) {
		const __u64 idle_ns = now_ns - row->last_ns;

		flow = *row;
		if (idle_ns < MRD_UDP_IDLE_NS &&
		    mrd_member_usable(call->service.service_id, &flow.member)) {
			call->picked.member = flow.member;
			flow.last_ns = now_ns;
			if (idle_ns > MRD_SECOND_NS)
				bpf_map_update_elem(&mrd_udp_flow, key, &flow, BPF_ANY);
			mrd_count_one(MRD_REASON_PICK_UDP_FLOW);
			return MRD_REASON_PICK_UDP_FLOW;
		}
	}
	reason = mrd_call_pick(ctx, call, true);
	if (!mrd_is_pick(reason))
		return reason;
	__builtin_memset(&flow, 0, sizeof(flow));
	flow.last_ns = now_ns;
	flow.service_id = call->service.service_id;
	flow.member = call->picked.member;
	bpf_map_update_elem(&mrd_udp_flow, key, &flow, BPF_ANY);
	return reason;
}

/*
 * The way back must be known before the datagram leaves. The storage says that there is one at
 * all, so that other sockets need not look for it.
 */
static __always_inline bool mrd_reply_ready(struct bpf_sock_addr *ctx, const struct mrd_call *call,
					    __u64 cookie)
{
	struct mrd_socket *sock = mrd_storage_make(ctx->sk, cookie);
	struct mrd_udp_key key;

	if (!sock)
		return false;
	if (!sock->connected)
		mrd_socket_set(sock, &call->vip, call->service.service_id, &call->picked.member);
	sock->has_replies = 1;
	mrd_udp_key_of(&key, cookie, call->picked.member.addr, call->picked.member.port,
		       call->vip.family);
	return mrd_reply_put(&key, call->vip.addr, call->vip.port);
}

/*
 * A datagram that names the VIP to which its socket is connected anyway goes where that went. A
 * socket that connect(AF_UNSPEC) set free is asked for its endpoint no more.
 */
static __always_inline bool mrd_call_connected(struct bpf_sock_addr *ctx, struct mrd_call *call)
{
	struct mrd_socket *sock = mrd_storage_find(ctx->sk);

	if (!sock || !sock->connected)
		return false;
	if (ctx->sk->state != BPF_TCP_ESTABLISHED) {
		mrd_call_give_up(sock);
		return false;
	}
	if (sock->vip_port != call->vip.port || sock->family != call->vip.family ||
	    mrd_addr_differ(sock->vip, call->vip.addr))
		return false;
	mrd_addr_copy(call->picked.member.addr, sock->endpoint);
	call->picked.member.port = sock->endpoint_port;
	mrd_count_one(MRD_REASON_PICK_UDP_FLOW);
	return true;
}

/*
 * A pod is asked by its own address: its answers come from there, also if the socket has asked it
 * by a VIP before. A connected one's peer may come by here as the pod that its VIP was.
 */
static __always_inline void mrd_reply_forget(struct bpf_sock_addr *ctx, const struct mrd_call *call,
					     __u64 cookie, struct mrd_udp_key *key)
{
	const struct mrd_socket *sock = mrd_storage_find(ctx->sk);

	if (!sock || !sock->has_replies || ctx->sk->state == BPF_TCP_ESTABLISHED)
		return;
	mrd_udp_key_of(key, cookie, call->vip.addr, call->vip.port, call->vip.family);
	bpf_map_delete_elem(&mrd_udp_reply, key);
}

static __noinline enum mrd_verdict mrd_on_sendmsg(struct bpf_sock_addr *ctx, struct mrd_call *call)
{
	const __u64 cookie = bpf_get_socket_cookie(ctx);
	enum mrd_reason reason;
	struct mrd_udp_key key;

	if (call->vip.protocol != MRD_PROTOCOL_UDP)
		return mrd_pass(MRD_REASON_PASS_PROTOCOL);
	if (!mrd_service_find(&call->vip, &call->service)) {
		mrd_reply_forget(ctx, call, cookie, &key);
		return mrd_on_unknown(&call->vip);
	}
	if (mrd_call_connected(ctx, call))
		return MRD_VERDICT_REWRITE;
	mrd_udp_key_of(&key, cookie, call->vip.addr, call->vip.port, call->vip.family);
	reason = mrd_flow_pick(ctx, call, &key);
	if (!mrd_is_pick(reason))
		return mrd_refuse(reason);
	if (!mrd_reply_ready(ctx, call, cookie))
		return mrd_refuse(MRD_REASON_NO_UDP_FLOW);
	return MRD_VERDICT_REWRITE;
}

SEC("cgroup/sendmsg4")
int mrd_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	enum mrd_verdict verdict;

	mrd_call_from_ipv4(&call, ctx);
	verdict = mrd_on_sendmsg(ctx, &call);
	if (verdict == MRD_VERDICT_REWRITE)
		mrd_tell_ipv4(ctx, call.picked.member.addr, call.picked.member.port);
	return verdict == MRD_VERDICT_REFUSE ? MRD_REFUSE_CALL : MRD_ALLOW_CALL;
}

SEC("cgroup/sendmsg6")
int mrd_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	enum mrd_verdict verdict;

	mrd_call_from_ipv6(&call, ctx);
	verdict = mrd_on_sendmsg(ctx, &call);
	if (verdict == MRD_VERDICT_REWRITE)
		mrd_tell_ipv6(ctx, call.picked.member.addr, call.picked.member.port,
			      call.vip.family);
	return verdict == MRD_VERDICT_REFUSE ? MRD_REFUSE_CALL : MRD_ALLOW_CALL;
}

/* ------------------------------------------------------------------------------- recvmsg */

enum mrd_peer { MRD_PEER_FOREIGN, MRD_PEER_CONNECTED, MRD_PEER_TALK };

/* The VIP behind the address in call->vip. key: becomes the row's, of a peer that has one. */
static __always_inline enum mrd_peer mrd_peer_of(struct bpf_sock_addr *ctx,
						 const struct mrd_call *call,
						 struct mrd_udp_key *key,
						 struct mrd_udp_reply *ret_vip)
{
	const struct mrd_socket *sock = mrd_call_socket(ctx, call);
	const struct mrd_udp_reply *row;

	if (!sock)
		return MRD_PEER_FOREIGN;
	if (mrd_socket_is_peer(sock, &call->vip)) {
		mrd_addr_copy(ret_vip->vip, sock->vip);
		ret_vip->vip_port = sock->vip_port;
		return MRD_PEER_CONNECTED;
	}
	if (!sock->has_replies)
		return MRD_PEER_FOREIGN;
	mrd_udp_key_of(key, sock->cookie, call->vip.addr, call->vip.port, call->vip.family);
	row = bpf_map_lookup_elem(&mrd_udp_reply, key);
	if (!row)
		return MRD_PEER_FOREIGN;
	*ret_vip = *row;
	return MRD_PEER_TALK;
}

/* Where a datagram came from, as the application knows it. False: from no endpoint of ours. */
static __noinline bool mrd_on_recvmsg(struct bpf_sock_addr *ctx, struct mrd_call *call,
				      struct mrd_udp_reply *ret_reply)
{
	struct mrd_udp_flow *flow;
	struct mrd_udp_key key;
	const enum mrd_peer peer = mrd_peer_of(ctx, call, &key, ret_reply);

	if (peer == MRD_PEER_FOREIGN)
		return false;
	if (peer == MRD_PEER_TALK) {
		flow = mrd_conversation_with(&key, ret_reply, call->vip.addr, call->vip.port);
		if (flow && !flow->replied)
			flow->replied = 1;
	}
	mrd_count_one(MRD_REASON_REPLY_UDP);
	return true;
}

SEC("cgroup/recvmsg4")
int mrd_recvmsg4(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	struct mrd_udp_reply reply = {0};

	mrd_call_from_ipv4(&call, ctx);
	if (mrd_on_recvmsg(ctx, &call, &reply))
		mrd_tell_ipv4(ctx, reply.vip, reply.vip_port);
	return MRD_ALLOW_CALL;
}

SEC("cgroup/recvmsg6")
int mrd_recvmsg6(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	struct mrd_udp_reply reply = {0};

	mrd_call_from_ipv6(&call, ctx);
	if (mrd_on_recvmsg(ctx, &call, &reply))
		mrd_tell_ipv6(ctx, reply.vip, reply.vip_port, call.vip.family);
	return MRD_ALLOW_CALL;
}

/* ------------------------------------------------------------------------------- getpeername */

static __noinline bool mrd_on_getpeername(struct bpf_sock_addr *ctx, const struct mrd_call *call,
					  struct mrd_udp_reply *ret_vip)
{
	struct mrd_udp_key key;

	if (mrd_peer_of(ctx, call, &key, ret_vip) == MRD_PEER_FOREIGN)
		return false;
	mrd_count_one(MRD_REASON_PEER_NAME);
	return true;
}

SEC("cgroup/getpeername4")
int mrd_getpeername4(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	struct mrd_udp_reply vip = {0};

	mrd_call_from_ipv4(&call, ctx);
	if (mrd_on_getpeername(ctx, &call, &vip))
		mrd_tell_ipv4(ctx, vip.vip, vip.vip_port);
	return MRD_ALLOW_CALL;
}

SEC("cgroup/getpeername6")
int mrd_getpeername6(struct bpf_sock_addr *ctx)
{
	struct mrd_call call = {0};
	struct mrd_udp_reply vip = {0};

	mrd_call_from_ipv6(&call, ctx);
	if (mrd_on_getpeername(ctx, &call, &vip))
		mrd_tell_ipv6(ctx, vip.vip, vip.vip_port, call.vip.family);
	return MRD_ALLOW_CALL;
}
