// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The HTTP/1 probe: reads the status line of every response on rewritten connections.
 *
 * Outgoing: a payload that starts like a request, while no response is due, says where the
 * response must start: at the sequence number that this side acknowledges, for all that came before
 * it belongs to earlier responses. Incoming: the twelve bytes at that place are gathered, in
 * whatever order and pieces they come. Everything else is passed over by its sequence number alone,
 * bodies are never searched. So a body may hold "HTTP/1.1 500" and a request body "GET ".
 * Pipelined requests count as one.
 *
 * The probe lets every packet through. Payload may lie in fragments of the skb (over veth it always
 * does): only headers are read in place.
 */
#include "lib/kern.h"

#include "lib/addr.h"
#include "lib/http_status.h"
#include "lib/report.h"
#include "lib/response_time.h"
#include "lib/tcp_seq.h"

enum {
	MRD_STATUS_ROOM = 16, /* MRD_STATUS_LEN up to a power of two */
	MRD_SKIP_CHUNK = 64,  /* bytes of an interim header, read at a time */
	MRD_STEPS = 16,	      /* status lines and such chunks, in one segment */
};

struct mrd_segment {
	__u32 seq;
	__u32 ack_seq;
	__u32 payload; /* offset in the skb */
	__u32 len;     /* of the payload; 0: none */
	bool syn;
	bool fin;
	bool rst;
};

/* Headers are in the linear part: the kernel has pulled or pushed them there. False: no TCP. */
static __always_inline bool mrd_segment_read(struct __sk_buff *skb, struct mrd_segment *ret_segment)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	const struct tcphdr *tcp;
	__u32 offset;

	if (skb->protocol == bpf_htons(MRD_ETHERTYPE_IPV4)) {
		const struct iphdr *ip = data;

		if ((void *)(ip + 1) > end || ip->protocol != MRD_PROTOCOL_TCP)
			return false;
		offset = ip->ihl * 4;
	} else {
		const struct ipv6hdr *ip = data;

		if ((void *)(ip + 1) > end || ip->nexthdr != MRD_PROTOCOL_TCP)
			return false;
		offset = sizeof(*ip);
	}
	tcp = data + offset;
	if ((void *)(tcp + 1) > end)
		return false;
	ret_segment->seq = bpf_ntohl(tcp->seq);
	ret_segment->ack_seq = bpf_ntohl(tcp->ack_seq);
	ret_segment->syn = tcp->syn;
	ret_segment->fin = tcp->fin;
	ret_segment->rst = tcp->rst;
	ret_segment->payload = offset + tcp->doff * 4;
	ret_segment->len = skb->len > ret_segment->payload ? skb->len - ret_segment->payload : 0;
	/* The SYN takes a sequence number of its own. */
	if (ret_segment->syn)
		ret_segment->seq++;
	return true;
}

static __always_inline struct mrd_socket *mrd_probe_socket(struct __sk_buff *skb,
							   enum mrd_protocol protocol)
{
	struct bpf_sock *sk = skb->sk; /* one that only asks for a connection has no storage */
	struct mrd_socket *sock;

	if (!sk)
		return NULL;
	sock = bpf_sk_storage_get(&mrd_socket, sk, NULL, 0);
	return sock && sock->protocol == protocol ? sock : NULL;
}

/* A connected UDP socket has an answer: errors are the application's from now on. */
static __always_inline void mrd_reply_note(struct __sk_buff *skb)
{
	struct mrd_socket *sock = mrd_probe_socket(skb, MRD_PROTOCOL_UDP);

	if (sock && sock->connected && !sock->replied)
		sock->replied = 1;
}

/*
 * Reads count bytes, 1 to room (a power of two; the buffer has as many). Written so that verifiers
 * before 5.13, which learn nothing from "not 0", see the bounds.
 */
static __always_inline long mrd_load_some(struct __sk_buff *skb, __u32 offset, void *to,
					  __u32 count, __u32 room)
{
	__u32 last = (count - 1) & (room - 1);

	MRD_OPAQUE(last);
	last &= room - 1;
	return bpf_skb_load_bytes(skb, offset, to, last + 1);
}

/* ------------------------------------------------------------------------------- requests */

static __always_inline bool mrd_segment_is_request(struct __sk_buff *skb,
						   const struct mrd_segment *segment)
{
	__u8 start[MRD_METHOD_LEN] = {0};
	const __u32 count = segment->len < sizeof(start) ? segment->len : sizeof(start);

	return !mrd_load_some(skb, segment->payload, start, count, sizeof(start)) &&
	       mrd_is_request(start, count);
}

/*
 * Is a response due whose bytes were received and acknowledged unseen (an interim header in
 * segments out of order)? Then waiting is in vain, and the next request starts anew.
 */
static __always_inline bool mrd_response_missed(const struct mrd_socket *sock,
						const struct mrd_segment *segment)
{
	return sock->stage != MRD_PROBE_FASTOPEN &&
	       mrd_seq_before(sock->expect_seq + MRD_STATUS_LEN, segment->ack_seq);
}

SEC("cgroup_skb/egress")
int mrd_probe_egress(struct __sk_buff *skb)
{
	struct mrd_segment segment;
	struct mrd_socket *sock;

	/* Most packets out carry nothing: they cost no look-up. */
	if (!mrd_segment_read(skb, &segment) || !segment.len)
		return MRD_ALLOW_CALL;
	sock = mrd_probe_socket(skb, MRD_PROTOCOL_TCP);
	if (!sock)
		return MRD_ALLOW_CALL;
	if (sock->stage != MRD_PROBE_IDLE && !mrd_response_missed(sock, &segment))
		return MRD_ALLOW_CALL;
	/* A request sent again, though its answer has come: nothing new. */
	if (sock->request_ns && !mrd_seq_before(sock->request_seq, segment.seq))
		return MRD_ALLOW_CALL;
	if (!mrd_segment_is_request(skb, &segment))
		return MRD_ALLOW_CALL;

	sock->request_seq = segment.seq;
	/* TCP has looked at CLOCK_MONOTONIC for this very segment. */
	sock->request_ns = skb->tstamp ?: bpf_ktime_get_ns();
	sock->expect_seq = segment.ack_seq;
	sock->have = 0;
	sock->reported = 0;
	/* Last: an incoming segment on another CPU goes by it. */
	*(volatile enum mrd_probe_stage *)&sock->stage =
		segment.syn ? MRD_PROBE_FASTOPEN : MRD_PROBE_STATUS_LINE;
	return MRD_ALLOW_CALL;
}

/* ------------------------------------------------------------------------------- responses */

/*
 * A success that changes nothing but counters, and has company: a row that all CPUs write costs
 * more than all else that a response meets here. The first of a connection never waits.
 */
static __always_inline bool mrd_response_waits(const struct mrd_socket *sock, __u32 class)
{
	return class == MRD_CLASS_SUCCESS && sock->report == MRD_REPORT_ERRORS &&
	       sock->untold < MRD_TOLD_EACH - 1 &&
	       sock->request_ns - sock->told_ns < MRD_UNTOLD_NS && !mrd_failure_waits(sock);
}

static __always_inline void mrd_response_count(struct mrd_socket *sock, struct mrd_stat *stat,
					       __u32 class)
{
	__u64 took_ns;

	mrd_report_untold(sock, stat);
	if (class < MRD_CLASSES)
		__sync_fetch_and_add(&stat->responses[class], 1);
	stat->last_heard_ns = sock->request_ns;
	if (class < MRD_CLASS_SUCCESS)
		return;
	took_ns = bpf_ktime_get_ns() - sock->request_ns;
	__sync_fetch_and_add(&stat->response_sum_us, took_ns / 1000);
	__sync_fetch_and_add(&stat->responses_timed[mrd_response_bucket(took_ns)], 1);
}

static __always_inline void mrd_response_done(struct mrd_socket *sock, __u32 status)
{
	const __u32 class = status / 100 - 1;
	struct mrd_stat *stat;

	mrd_count_one(MRD_REASON_RESPONSE);
	if (mrd_response_waits(sock, class)) {
		sock->untold++;
		return;
	}
	/* Before the run is read: failures from now on are later. An interim one does not read it.
	 */
	if (class >= MRD_CLASS_SUCCESS)
		sock->told_ns = sock->request_ns;
	stat = mrd_stat_of(sock);
	if (stat)
		mrd_response_count(sock, stat, class);
	if (status >= 500)
		mrd_report_failure(sock, stat, MRD_EVENT_RESPONSE, status);
	else if (status >= 200)
		mrd_report_success(sock, stat, MRD_EVENT_RESPONSE, status);
}

/* Takes the segment's part of the status line. True: the line is whole. */
static __always_inline bool
mrd_line_gather(struct __sk_buff *skb, const struct mrd_segment *segment, struct mrd_socket *sock)
{
	const struct mrd_overlap overlap =
		mrd_seq_overlap(sock->expect_seq, MRD_STATUS_LEN, segment->seq, segment->len);
	const __u32 offset = segment->payload + overlap.offset;
	__u8 piece[2 * MRD_STATUS_ROOM] = {0};
	__u32 at = overlap.at, count = overlap.count;

	if (!count || count > MRD_STATUS_LEN || at >= MRD_STATUS_LEN)
		return false;
	if (mrd_load_some(skb, offset, piece + at, count, MRD_STATUS_ROOM))
		return false;
	sock->have = mrd_status_gather(sock->line, sock->have, piece, mrd_status_bits(at, count));
	return sock->have == MRD_STATUS_HAVE_ALL;
}

static __always_inline void mrd_line_finish(struct mrd_socket *sock)
{
	const __u32 status = mrd_status_code(sock->line);

	sock->have = 0;
	if (status && mrd_status_is_interim(status)) {
		sock->expect_seq += MRD_STATUS_LEN;
		sock->skip_window = 0;
		sock->stage = MRD_PROBE_SKIP_1XX;
	} else {
		sock->stage = MRD_PROBE_IDLE;
	}
	if (status)
		mrd_response_done(sock, status);
}

/* Passes over a chunk of an interim header. False: the segment has none of it. */
static __always_inline bool mrd_chunk_skip(struct __sk_buff *skb, const struct mrd_segment *segment,
					   struct mrd_socket *sock)
{
	const struct mrd_overlap overlap =
		mrd_seq_overlap(sock->expect_seq, MRD_SKIP_CHUNK, segment->seq, segment->len);
	__u8 chunk[MRD_SKIP_CHUNK] = {0};
	__u32 count = overlap.count, window = sock->skip_window;

	if (overlap.at || !count || count > sizeof(chunk))
		return false;
	if (mrd_load_some(skb, segment->payload + overlap.offset, chunk, count, sizeof(chunk)))
		return false;
	for (__u32 i = 0; i < sizeof(chunk) && i < count; i++) {
		window = mrd_header_step(window, chunk[i]);
		if (window == MRD_HEADER_END) {
			sock->expect_seq += i + 1;
			sock->stage = MRD_PROBE_STATUS_LINE;
			return true;
		}
	}
	sock->expect_seq += count;
	sock->skip_window = window;
	return true;
}

/* One status line, or one chunk. True: there may be more to read in this segment. */
static __noinline bool mrd_probe_step(struct __sk_buff *skb, const struct mrd_segment *segment,
				      struct mrd_socket *sock)
{
	if (sock->stage == MRD_PROBE_SKIP_1XX)
		return mrd_chunk_skip(skb, segment, sock);
	if (!mrd_line_gather(skb, segment, sock))
		return false;
	mrd_line_finish(sock);
	return sock->stage != MRD_PROBE_IDLE;
}

/* All that is not one segment with a final status line at its start. */
static __noinline void mrd_probe_steps(struct __sk_buff *skb, const struct mrd_segment *segment,
				       struct mrd_socket *sock)
{
	for (int i = 0; i < MRD_STEPS; i++)
		if (!mrd_probe_step(skb, segment, sock))
			break;
}

/* As good as always: the response starts where the segment does. */
static __always_inline bool
mrd_line_at_start(struct __sk_buff *skb, const struct mrd_segment *segment, struct mrd_socket *sock)
{
	if (sock->stage != MRD_PROBE_STATUS_LINE || segment->seq != sock->expect_seq ||
	    segment->len < MRD_STATUS_LEN ||
	    bpf_skb_load_bytes(skb, segment->payload, sock->line, MRD_STATUS_LEN))
		return false;
	mrd_line_finish(sock);
	return true;
}

/*
 * The peer ends the connection while a response is due. In order and without a byte of it (its
 * process died), or by a reset that the kernel will take: one inside the status line or before it.
 * What looked like a request may be none on a port that is not known as HTTP.
 */
static __noinline void mrd_on_end(const struct mrd_segment *segment, struct mrd_socket *sock)
{
	const __u32 end_seq = segment->seq + segment->len;
	const struct mrd_party party = mrd_party_of(sock);

	if (mrd_seq_before(end_seq, sock->expect_seq) ||
	    mrd_seq_before(sock->expect_seq + MRD_STATUS_LEN, end_seq))
		return;
	if (segment->rst || (end_seq == sock->expect_seq &&
			     mrd_speaks_http(mrd_health_of(&party), mrd_stat_of(sock)))) {
		mrd_request_failed(sock);
		sock->stage = MRD_PROBE_IDLE;
	}
}

SEC("cgroup_skb/ingress")
int mrd_probe_ingress(struct __sk_buff *skb)
{
	struct mrd_segment segment;
	struct mrd_socket *sock;

	if (!mrd_segment_read(skb, &segment)) {
		mrd_reply_note(skb);
		return MRD_ALLOW_CALL;
	}
	if (!segment.len && !segment.fin && !segment.rst)
		return MRD_ALLOW_CALL;
	sock = mrd_probe_socket(skb, MRD_PROTOCOL_TCP);
	if (!sock || sock->stage == MRD_PROBE_IDLE || sock->stage == MRD_PROBE_FASTOPEN)
		return MRD_ALLOW_CALL;
	if (segment.len &&
	    (!mrd_line_at_start(skb, &segment, sock) || sock->stage != MRD_PROBE_IDLE))
		mrd_probe_steps(skb, &segment, sock);
	if ((segment.fin || segment.rst) && sock->stage != MRD_PROBE_IDLE)
		mrd_on_end(&segment, sock);
	return MRD_ALLOW_CALL;
}
