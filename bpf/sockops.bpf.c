// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The life of a rewritten TCP connection: handshake done or failed and why, open and closed, ended
 * while an answer was due. Sockets without our storage pay one look-up in their first SYN.
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

#include "lib/report.h"
#include "lib/socket.h"

/* Istio's mesh-wide connectTimeout, 10 s. */
#define MRD_CONNECT_TIMEOUT_NS (10ULL * 1000 * 1000 * 1000)

static __always_inline int mrd_sock_error(struct bpf_sock *sk)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_skc_to_tcp_sock)) {
		const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

		if (tcp)
			return tcp->inet_conn.icsk_inet.sk.sk_err;
	}
	return 0;
}

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
	mrd_report_failure(sock, stat, kind, 0, bpf_ktime_get_ns());
}

static __always_inline void mrd_on_established(struct bpf_sock_ops *ctx, struct mrd_socket *sock)
{
	const __u64 now_ns = bpf_ktime_get_ns();
	struct mrd_stat *stat = mrd_stat_of(sock);

	mrd_count_one(MRD_REASON_HANDSHAKE_DONE);
	if (sock->stage == MRD_PROBE_FASTOPEN) {
		sock->expect_seq = ctx->rcv_nxt;
		sock->stage = MRD_PROBE_STATUS_LINE;
	}
	sock->reported = 0; /* the handshake's; requests follow */
	mrd_socket_count_open(sock);
	if (!stat)
		return;
	__sync_fetch_and_add(&stat->established, 1);
	__sync_fetch_and_add(&stat->handshake_sum_us, (now_ns - sock->connect_ns) / 1000);
	stat->last_heard_ns = now_ns;
	mrd_report_success(sock, stat, MRD_EVENT_CONNECTED, 0, now_ns);
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

/* The connection ended before the answer: for HTTP that is an error like a 503. */
static __always_inline void mrd_request_failed(struct mrd_socket *sock)
{
	if (sock->reported)
		return;
	sock->reported = 1;
	mrd_count_one(MRD_REASON_RESET_IN_REQUEST);
	mrd_report_failure(sock, mrd_stat_of(sock), MRD_EVENT_RESET, 0, bpf_ktime_get_ns());
}

/*
 * The peer closed its side in order, without a byte of the answer that was due: its process died.
 * What looked like a request may be none on a port that is not known as HTTP.
 */
static __always_inline void mrd_on_peer_closed(struct bpf_sock_ops *ctx, struct mrd_socket *sock)
{
	const __u32 fin_len = 1;

	if (sock->stage != MRD_PROBE_STATUS_LINE || ctx->rcv_nxt != sock->expect_seq + fin_len)
		return;
	if (mrd_speaks_http(mrd_health_of(sock), mrd_stat_of(sock)))
		mrd_request_failed(sock);
}

static __always_inline void mrd_on_state(struct bpf_sock_ops *ctx, struct bpf_sock *sk,
					 struct mrd_socket *sock)
{
	const __u32 old = ctx->args[0], new = ctx->args[1];
	int error;

	if (new == BPF_TCP_CLOSE_WAIT)
		mrd_on_peer_closed(ctx, sock);
	if (new != BPF_TCP_CLOSE)
		return;
	mrd_socket_count_closed(sock);
	error = mrd_sock_error(sk);
	if (old == BPF_TCP_SYN_SENT)
		mrd_on_syn_closed(sock, error);
	else if (sock->stage != MRD_PROBE_IDLE &&
		 (error == MRD_ECONNRESET || error == MRD_ETIMEDOUT))
		mrd_request_failed(sock);
	sock->stage = MRD_PROBE_IDLE;
}

/* A timer ran out without an answer: while connecting, that of the SYN. */
static __always_inline void mrd_on_timer(struct bpf_sock_ops *ctx, struct mrd_socket *sock)
{
	if (ctx->state != BPF_TCP_SYN_SENT)
		return;
	sock->retransmitted = 1;
	if (bpf_ktime_get_ns() - sock->connect_ns >= MRD_CONNECT_TIMEOUT_NS)
		mrd_handshake_failed(sock, MRD_REASON_HANDSHAKE_TIMEOUT, MRD_EVENT_CONNECT_TIMEOUT);
}

SEC("sockops")
int mrd_sockops(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct mrd_socket *sock;

	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_STATE_CB:
	case BPF_SOCK_OPS_RTO_CB:
		break;
	default:
		return MRD_ALLOW_CALL;
	}
	if (!sk)
		return MRD_ALLOW_CALL;
	sock = bpf_sk_storage_get(&mrd_socket, sk, NULL, 0);
	if (!sock || !sock->connected)
		return MRD_ALLOW_CALL;

	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		/* Others may have flags of their own on this socket. */
		bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags |
						       BPF_SOCK_OPS_STATE_CB_FLAG |
						       BPF_SOCK_OPS_RTO_CB_FLAG);
		break;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		mrd_on_established(ctx, sock);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		mrd_on_state(ctx, sk, sock);
		break;
	case BPF_SOCK_OPS_RTO_CB:
		mrd_on_timer(ctx, sock);
		break;
	}
	return MRD_ALLOW_CALL;
}
