// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The handshake of a rewritten TCP connection: done, or failed and why. Sockets that are none of
 * ours pay one look-up in their first SYN. What ends a request early is seen by the probe, in
 * packets that it reads anyway; so state changes are asked for while the handshake lasts, and again
 * only when an established connection goes unanswered, which may end in a timeout.
 *
 * The kernel tells of a failed handshake only by the state change, and of its cause only by sk_err,
 * which is set before it:
 *   RST → ECONNREFUSED, ICMP → EHOSTUNREACH and its like, SYNs all used up → ETIMEDOUT.
 *   0: the application closed. If a SYN had gone unanswered till its timer ran out, that is why it
 *   gave up (applications have shorter timeouts than the kernel's two minutes): a timeout. If not,
 *   it lost interest, which tells nothing about the endpoint.
 * An application that waits longer than MRD_CONNECT_TIMEOUT_NS is not waited for: the timeout is
 * reported at the first retransmission behind it.
 */
#include "lib/kern.h"

#include "lib/connect_timer.h"
#include "lib/report.h"
#include "lib/rescue.h"
#include "lib/socket.h"

/* Istio's mesh-wide connectTimeout, 10 s. */
#define MRD_CONNECT_TIMEOUT_NS (10ULL * 1000 * 1000 * 1000)

/* Others may have flags of their own on this socket; the kernel has one set for all. */
static __always_inline void mrd_flags_change(struct bpf_sock_ops *ctx, __u32 set, __u32 clear)
{
	bpf_sock_ops_cb_flags_set(ctx, (ctx->bpf_sock_ops_cb_flags & ~clear) | set);
}

static __always_inline int mrd_sock_error(struct bpf_sock *sk)
{
	const struct tcp_sock *tcp = mrd_tcp_of(sk);

	return tcp ? tcp->inet_conn.icsk_inet.sk.sk_err : 0;
}

/* CLOCK_MONOTONIC: TCP has just looked at it, for the segment that it has received. */
static __always_inline __u64 mrd_heard_ns(struct bpf_sock *sk)
{
	const struct tcp_sock *tcp = mrd_tcp_of(sk);

	return tcp ? tcp->tcp_mstamp * 1000 : bpf_ktime_get_ns();
}

/* ------------------------------------------------------------------------------- settings */

enum {
	MRD_SOL_SOCKET = 1,
	MRD_SO_KEEPALIVE = 9,
	MRD_TCP_KEEPIDLE = 4,
	MRD_TCP_KEEPINTVL = 5,
	MRD_TCP_KEEPCNT = 6,
	MRD_TCP_SYNCNT = 7,
	MRD_TCP_USER_TIMEOUT = 18,
};

static __always_inline const struct mrd_setting *mrd_setting_of(const struct mrd_socket *sock)
{
	const __u32 service_id = sock->probe.service_id;

	return sock->has_setting ? bpf_map_lookup_elem(&mrd_setting, &service_id) : NULL;
}

static __always_inline long mrd_tcp_option(struct bpf_sock_ops *ctx, int option, int value)
{
	return bpf_setsockopt(ctx, MRD_PROTOCOL_TCP, option, &value, sizeof(value));
}

/* Over what the application had set before connect(); what it sets later holds. */
static __always_inline void mrd_keepalive_set(struct bpf_sock_ops *ctx,
					      const struct mrd_setting *setting)
{
	int on = 1;

	if (!setting->keepalive)
		return;
	if (setting->keepalive_idle_s)
		mrd_tcp_option(ctx, MRD_TCP_KEEPIDLE, (int)setting->keepalive_idle_s);
	if (setting->keepalive_interval_s)
		mrd_tcp_option(ctx, MRD_TCP_KEEPINTVL, (int)setting->keepalive_interval_s);
	if (setting->keepalive_probes)
		mrd_tcp_option(ctx, MRD_TCP_KEEPCNT, (int)setting->keepalive_probes);
	bpf_setsockopt(ctx, MRD_SOL_SOCKET, MRD_SO_KEEPALIVE, &on, sizeof(on));
}

/* The kernel gives a SYN up when TCP_USER_TIMEOUT is over, but looks only when its timer rings. */
static __always_inline void mrd_connect_timeout_set(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
						    struct mrd_socket *sock,
						    const struct mrd_setting *setting)
{
	const struct tcp_sock *tcp = mrd_tcp_of(sk);
	__u32 own_ms;

	if (!setting->connect_timeout_ms || !tcp)
		return;
	own_ms = tcp->inet_conn.icsk_user_timeout;
	if (own_ms && own_ms <= setting->connect_timeout_ms)
		return; /* the application is less patient */
	if (!mrd_tcp_option(ctx, MRD_TCP_USER_TIMEOUT,
			    (int)mrd_connect_limit_ms(setting->connect_timeout_ms,
						      tcp->inet_conn.icsk_rto)))
		sock->user_timeout_ms = own_ms + 1;
}

/*
 * The connection is there, or given up: its silences are the application's business again, and the
 * next connect() of this socket is to last as long as its first.
 */
static __always_inline void mrd_options_return(struct bpf_sock_ops *ctx, struct mrd_socket *sock)
{
	if (sock->syn_retries)
		mrd_tcp_option(ctx, MRD_TCP_SYNCNT, sock->syn_retries);
	sock->syn_retries = 0;
	if (!sock->user_timeout_ms)
		return;
	mrd_tcp_option(ctx, MRD_TCP_USER_TIMEOUT, (int)(sock->user_timeout_ms - 1));
	sock->user_timeout_ms = 0;
}

static __noinline void mrd_on_connect_begins(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
					     struct mrd_socket *sock,
					     const struct mrd_setting *setting)
{
	mrd_keepalive_set(ctx, setting);
	mrd_connect_timeout_set(ctx, sk, sock, setting);
}

/* What rescues a SYN must be there, or a shorter timer is only more packets. 0: it is not. */
static __always_inline __u32 mrd_rescue_jiffies_per_s(void)
{
	const __u32 row = 0;
	const struct mrd_config *config = bpf_map_lookup_elem(&mrd_config, &row);

	return config ? config->jiffies_per_s : 0;
}

static __always_inline __u32 mrd_known_us(const struct mrd_socket *sock)
{
	const __u32 locality_id = sock->locality_id;
	const struct mrd_handshake *row = bpf_map_lookup_elem(&mrd_handshake, &locality_id);

	return row ? row->known_us : 0;
}

/* Jiffies after which an unanswered SYN may be rescued; 0: the kernel's own time. */
static __always_inline __u32 mrd_rescue_timer(const struct mrd_socket *sock,
					      const struct mrd_setting *setting)
{
	const __u32 jiffies_per_s = mrd_rescue_jiffies_per_s();

	if (!jiffies_per_s || (setting && setting->rescue == MRD_RESCUE_OFF))
		return 0;
	return mrd_syn_timer(
		mrd_syn_timeout_us(setting ? setting->syn_timeout_ms : 0, mrd_known_us(sock)),
		jiffies_per_s);
}

/*
 * The kernel asks for the first SYN's timer: one that rings when it may be rescued, and before a
 * short connectTimeout is over. Until it is answered the socket has the initial timer, 1 s, in
 * jiffies, which tells their length. Later it asks again, to know how long it shall try in all:
 * then it is left its own.
 */
static __always_inline void mrd_on_timeout_init(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
						struct mrd_socket *sock)
{
	const struct mrd_setting *setting = mrd_setting_of(sock);
	__u32 jiffies, limit = 0;

	if (ctx->state != BPF_TCP_SYN_SENT || sock->retransmitted)
		return;
	mrd_flags_change(ctx, BPF_SOCK_OPS_STATE_CB_FLAG | BPF_SOCK_OPS_RTO_CB_FLAG, 0);
	if (setting)
		mrd_on_connect_begins(ctx, sk, sock, setting);
	jiffies = mrd_rescue_timer(sock, setting);
	if (setting && setting->connect_timeout_ms) {
		const struct tcp_sock *tcp = mrd_tcp_of(sk);

		if (tcp)
			limit = mrd_connect_timer(setting->connect_timeout_ms,
						  tcp->inet_conn.icsk_rto);
	}
	if (limit && (!jiffies || limit < jiffies))
		jiffies = limit;
	if (jiffies)
		ctx->reply = jiffies;
}

/* An int before 5.15, a byte since: an unsigned word fits either, libbpf narrows the load. */
struct netns_ipv4___any {
	__u32 sysctl_tcp_syn_retries;
	__u8 sysctl_tcp_syn_linear_timeouts; /* Linux 6.5 */
} __attribute__((preserve_access_index));

struct net___any {
	struct netns_ipv4___any ipv4;
} __attribute__((preserve_access_index));

static __always_inline const struct netns_ipv4___any *mrd_netns_of(const struct tcp_sock *tcp)
{
	const struct net___any *net =
		(const void *)tcp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;

	return &net->ipv4;
}

static __always_inline __u32 mrd_syn_retries(const struct tcp_sock *tcp)
{
	const __u32 own = tcp->inet_conn.icsk_syn_retries;

	return own ? own : mrd_netns_of(tcp)->sysctl_tcp_syn_retries;
}

static __always_inline __u32 mrd_syn_linear_timeouts(const struct tcp_sock *tcp)
{
	const struct netns_ipv4___any *ipv4 = mrd_netns_of(tcp);

	if (!bpf_core_field_exists(ipv4->sysctl_tcp_syn_linear_timeouts))
		return 0;
	return ipv4->sysctl_tcp_syn_linear_timeouts;
}

/*
 * A first SYN went unanswered. With a shorter timer the kernel would give up sooner than without:
 * so it gets more retries, and TCP_USER_TIMEOUT ends them at the time at which it would have given
 * up, unless the application has asked for an earlier one. Connections that are answered pay
 * nothing for it.
 */
static __always_inline void mrd_connect_time_keep(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
						  struct mrd_socket *sock, __u32 jiffies_per_s)
{
	const __u32 timer_ms = ctx->args[1] * 1000 / jiffies_per_s;
	const struct tcp_sock *tcp = mrd_tcp_of(sk);
	__u32 total_ms, own_ms, retries;

	if (!tcp || !timer_ms || timer_ms >= MRD_SYN_TIMEOUT_MOST_US / 1000)
		return;
	own_ms = tcp->inet_conn.icsk_user_timeout;
	retries = mrd_syn_retries(tcp);
	total_ms = mrd_connect_total_ms(retries, mrd_syn_linear_timeouts(tcp));
	if (!mrd_tcp_option(ctx, MRD_TCP_SYNCNT,
			    (int)mrd_connect_retries(total_ms, timer_ms, retries)))
		sock->syn_retries = (__u8)retries;
	if (own_ms && own_ms <= total_ms)
		return; /* so is it where connectTimeout has set it */
	/* If connectTimeout was set before, what the application had is known already. */
	if (!mrd_tcp_option(ctx, MRD_TCP_USER_TIMEOUT, (int)total_ms) && !sock->user_timeout_ms)
		sock->user_timeout_ms = own_ms + 1;
}

static __always_inline void mrd_handshake_note(const struct mrd_socket *sock, __u32 took_us,
					       __u64 now_ns)
{
	const __u32 locality_id = sock->locality_id;
	struct mrd_handshake *row;

	if (sock->retransmitted || sock->moved)
		return;
	row = bpf_map_lookup_elem(&mrd_handshake, &locality_id);
	if (row)
		mrd_handshake_learn(row, took_us, now_ns);
}

/*
 * Are the connection's requests to be followed? From the first one on, or not at all: one that left
 * in the SYN was not seen.
 */
static __noinline void mrd_requests_follow(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
					   const struct mrd_socket *sock)
{
	const struct mrd_setting *setting = mrd_setting_of(sock);
	struct mrd_request *request;
	__u64 cookie;

	if (!setting || (!setting->max_requests && setting->on_eject != MRD_EJECT_CLOSE))
		return;
	request = bpf_sk_storage_get(&mrd_request, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	cookie = bpf_get_socket_cookie(ctx);
	if (request) {
		__builtin_memset(request, 0, sizeof(*request)); /* an earlier connection's */
		request->service_id = sock->probe.service_id;
		request->endpoint_id = sock->probe.endpoint_id;
	}
	if (!request || ctx->data_segs_out ||
	    bpf_sock_hash_update(ctx, &mrd_followed, &cookie, BPF_ANY))
		mrd_count_one(MRD_REASON_REQUEST_UNSURE);
}

/* ------------------------------------------------------------------------------- handshake */

static __always_inline void mrd_handshake_failed(struct mrd_socket *sock, enum mrd_reason reason,
						 enum mrd_event_kind kind)
{
	struct mrd_stat *stat = mrd_stat_of(sock);

	if (sock->reported)
		return;
	sock->reported = 1;
	mrd_count_one(reason);
	if (stat)
		__sync_fetch_and_add(&stat->failed, 1);
	mrd_report_failure(sock, stat, kind, 0);
}

/* Of a connection: neither ends it a run of failures, nor is it news that the endpoint speaks HTTP.
 */
static __always_inline bool mrd_first_may_wait(const struct mrd_stat *stat)
{
	return !stat->run && stat->responses[MRD_CLASS_SUCCESS];
}

static __always_inline void mrd_on_established(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
					       struct mrd_socket *sock)
{
	const __u64 now_ns = mrd_heard_ns(sk), connect_ns = sock->connect_ns;
	struct mrd_stat *stat = mrd_stat_of(sock);

	mrd_count_one(MRD_REASON_HANDSHAKE_DONE);
	if (sock->probe.stage == MRD_PROBE_FASTOPEN) {
		sock->probe.expect_seq = ctx->rcv_nxt;
		sock->probe.stage = MRD_PROBE_STATUS_LINE;
	}
	sock->reported = 0;
	sock->probe.told_ns = stat && mrd_first_may_wait(stat) ? now_ns : 0;
	sock->probe.is_first = 1;
	mrd_handshake_note(sock, (__u32)((now_ns - connect_ns) / 1000), now_ns);
	mrd_options_return(ctx, sock);
	if (!stat)
		return;
	mrd_socket_count(sock, stat);
	__sync_fetch_and_add(&stat->established, 1);
	__sync_fetch_and_add(&stat->handshake_sum_us, (now_ns - connect_ns) / 1000);
	stat->last_heard_ns = now_ns;
	mrd_report_success(sock, stat, MRD_EVENT_CONNECTED, 0);
}

static __always_inline void mrd_on_syn_closed(struct mrd_socket *sock, int error)
{
	switch (error) {
	case MRD_ECONNREFUSED:
	case MRD_ECONNRESET:
		mrd_handshake_failed(sock, MRD_REASON_HANDSHAKE_REFUSED, MRD_EVENT_REFUSED);
		break;
	case MRD_ETIMEDOUT:
		mrd_handshake_failed(sock, MRD_REASON_HANDSHAKE_TIMEOUT, MRD_EVENT_CONNECT_TIMEOUT);
		break;
	case 0:
	case MRD_ECONNABORTED: /* destroyed by an administrator's tool */
		if (sock->retransmitted)
			mrd_handshake_failed(sock, MRD_REASON_HANDSHAKE_TIMEOUT,
					     MRD_EVENT_CONNECT_TIMEOUT);
		else
			mrd_count_one(MRD_REASON_HANDSHAKE_ABANDONED);
		break;
	default:
		mrd_handshake_failed(sock, MRD_REASON_HANDSHAKE_UNREACHABLE, MRD_EVENT_UNREACHABLE);
	}
}

/* Established, then silent until the kernel gave up: the request, if there is one, has failed. */
static __always_inline void mrd_on_silence(struct mrd_socket *sock, int error)
{
	if (sock->probe.stage != MRD_PROBE_IDLE && error == MRD_ETIMEDOUT)
		mrd_request_failed(&sock->probe);
}

static __always_inline void mrd_on_closed(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
					  struct mrd_socket *sock)
{
	const int error = mrd_sock_error(sk);

	mrd_socket_count_end(sock, MRD_COUNTS_NONE);
	if (ctx->args[0] == BPF_TCP_SYN_SENT) {
		mrd_options_return(ctx, sock);
		mrd_on_syn_closed(sock, error);
	} else {
		mrd_on_silence(sock, error);
	}
	if (mrd_is_ownerless(sk))
		mrd_socket_leave(sk, sock, sock->cookie, true);
}

/* A timer ran out without an answer: while connecting, that of the SYN. */
static __always_inline void mrd_on_timer(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
					 struct mrd_socket *sock)
{
	__u32 jiffies_per_s;

	if (ctx->state != BPF_TCP_SYN_SENT) {
		mrd_flags_change(ctx, BPF_SOCK_OPS_STATE_CB_FLAG, 0);
		return;
	}
	jiffies_per_s = mrd_rescue_jiffies_per_s();
	if (jiffies_per_s && !sock->retransmitted)
		mrd_connect_time_keep(ctx, sk, sock, jiffies_per_s);
	sock->retransmitted = 1;
	if (bpf_ktime_get_ns() - sock->connect_ns >= MRD_CONNECT_TIMEOUT_NS)
		mrd_handshake_failed(sock, MRD_REASON_HANDSHAKE_TIMEOUT, MRD_EVENT_CONNECT_TIMEOUT);
}

/* Told only of who has flags set, as our connections have, also once their owner is gone. */
static __always_inline bool mrd_is_asked_for(__u32 op)
{
	return op == BPF_SOCK_OPS_STATE_CB || op == BPF_SOCK_OPS_RTO_CB;
}

SEC("sockops")
int mrd_sockops(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct mrd_socket *sock;

	switch (ctx->op) {
	case BPF_SOCK_OPS_STATE_CB:
		if (ctx->args[1] != BPF_TCP_CLOSE)
			return MRD_ALLOW_CALL;
		break;
	case BPF_SOCK_OPS_TIMEOUT_INIT:
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_RTO_CB:
		break;
	default:
		return MRD_ALLOW_CALL;
	}
	if (!sk)
		return MRD_ALLOW_CALL;
	sock = mrd_socket_find(sk, MRD_PROTOCOL_TCP);
	if (!sock && mrd_is_asked_for(ctx->op))
		sock = mrd_storage_find(sk);
	if (!sock || !sock->connected)
		return MRD_ALLOW_CALL;

	switch (ctx->op) {
	case BPF_SOCK_OPS_TIMEOUT_INIT:
		mrd_on_timeout_init(ctx, sk, sock);
		break;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		if (!mrd_is_ownerless(sk))
			mrd_flags_change(ctx, 0, BPF_SOCK_OPS_STATE_CB_FLAG);
		mrd_on_established(ctx, sk, sock);
		mrd_requests_follow(ctx, sk, sock);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		mrd_on_closed(ctx, sk, sock);
		break;
	case BPF_SOCK_OPS_RTO_CB:
		mrd_on_timer(ctx, sk, sock);
		break;
	}
	return MRD_ALLOW_CALL;
}
