/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The HTTP/1 probe of a connection, wherever its packets come by: reads the status line of every
 * response.
 *
 * What the client sends: a payload that starts like a request, while no response is due, says where
 * the response must start: at the sequence number that it acknowledges, for all that came before
 * it belongs to earlier responses. What it is sent: the twelve bytes at that place are gathered, in
 * whatever order and pieces they come. Everything else is passed over by its sequence number alone,
 * bodies are never searched. So a body may hold "HTTP/1.1 500" and a request body "GET ".
 * Pipelined requests count as one.
 *
 * Payload may lie in fragments of the skb (over veth it always does): it is never read in place.
 */
#ifndef MRD_BPF_HTTP_PROBE_H
#define MRD_BPF_HTTP_PROBE_H

#include "kern.h"
#include "addr.h"
#include "http_status.h"
#include "report.h"
#include "tcp_seq.h"

enum {
	MRD_STATUS_ROOM = 16,  /* MRD_STATUS_LEN up to a power of two */
	MRD_SKIP_CHUNK = 64,   /* bytes of an interim header, read at a time */
	MRD_SKIP_CHUNKS = 256, /* so many in a segment; 16 KiB is more than servers take */
	MRD_STEPS = 16,	       /* status lines and interim headers, in one segment */
	MRD_CLASSES_ROOM = 8,  /* MRD_CLASSES up to a power of two; the row goes on behind them */
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
static __always_inline bool mrd_response_missed(const struct mrd_probe *probe,
						const struct mrd_segment *segment)
{
	return probe->stage != MRD_PROBE_FASTOPEN &&
	       mrd_seq_is_new(probe->expect_seq + MRD_STATUS_LEN, segment->ack_seq);
}

static __always_inline bool mrd_request_may_begin(const struct mrd_probe *probe,
						  const struct mrd_segment *segment)
{
	if (probe->have == MRD_STATUS_NO_MORE ||
	    (probe->stage != MRD_PROBE_IDLE && !mrd_response_missed(probe, segment)))
		return false;
	/* A request sent again, though its answer has come: nothing new. */
	return !probe->request_ns || mrd_seq_is_new(probe->request_seq, segment->seq);
}

static __always_inline void mrd_request_begin(struct mrd_probe *probe,
					      const struct mrd_segment *segment, __u64 now_ns)
{
	probe->request_seq = segment->seq;
	probe->request_ns = now_ns;
	probe->expect_seq = segment->ack_seq;
	probe->have = 0;
	/* Last: a response's segment on another CPU goes by it. */
	*(volatile __u8 *)&probe->stage = segment->syn ? MRD_PROBE_FASTOPEN : MRD_PROBE_STATUS_LINE;
}

/* ------------------------------------------------------------------------------- responses */

/*
 * A success that changes nothing but counters, and has company: a row that all CPUs write costs
 * more than all else that a response meets here.
 */
static __always_inline bool mrd_response_waits(const struct mrd_probe *probe, __u32 class)
{
	return class == MRD_CLASS_SUCCESS && probe->report != MRD_REPORT_ALL &&
	       probe->untold < MRD_TOLD_EACH - 1 &&
	       probe->request_ns - probe->told_ns < MRD_UNTOLD_NS &&
	       !mrd_failure_waits(probe->endpoint_id, probe->told_ns);
}

/* The same number. Verifiers before 5.13 forget what they saw of one that was put aside. */
static __always_inline __u32 mrd_class_place(__u32 class)
{
	MRD_OPAQUE(class);
	return class & (MRD_CLASSES_ROOM - 1);
}

/* The first of a connection waits with its time, or, if it was slow, not at all. */
static __always_inline bool mrd_first_waits(struct mrd_probe *probe)
{
	const __u64 took_us = (bpf_ktime_get_ns() - probe->request_ns) / 1000 + 1;

	if (took_us > MRD_WAITING_MOST_US)
		return false;
	probe->waiting_us = (__u16)took_us;
	return true;
}

static __always_inline void mrd_response_count(struct mrd_probe *probe, struct mrd_stat *stat,
					       __u32 class)
{
	mrd_report_untold(probe, stat);
	if (class < MRD_CLASSES)
		__sync_fetch_and_add(&stat->responses[mrd_class_place(class)], 1);
	stat->last_heard_ns = probe->request_ns;
	if (class < MRD_CLASS_SUCCESS)
		return;
	mrd_response_time(stat, bpf_ktime_get_ns() - probe->request_ns);
}

static __always_inline void mrd_response_done(struct mrd_probe *probe, __u32 status, __u32 class)
{
	const struct mrd_party party = mrd_probe_party(probe);
	const __u32 is_first = probe->is_first;
	struct mrd_stat *stat;

	mrd_count_one(MRD_REASON_RESPONSE);
	if (class >= MRD_CLASS_SUCCESS)
		probe->is_first = 0;
	if (mrd_response_waits(probe, class) && (!is_first || mrd_first_waits(probe))) {
		probe->untold++;
		return;
	}
	/* Before the run is read: failures from now on are later. An interim one does not read it.
	 */
	if (class >= MRD_CLASS_SUCCESS)
		probe->told_ns = probe->request_ns;
	stat = mrd_party_stat(&party);
	if (stat)
		mrd_response_count(probe, stat, class);
	if (status >= 500)
		mrd_party_failed(&party, stat, MRD_EVENT_RESPONSE, status);
	else if (status >= 200)
		mrd_party_succeeded(&party, stat, MRD_EVENT_RESPONSE, status);
}

/* Takes the segment's part of the status line. True: the line is whole. */
static __always_inline bool
mrd_line_gather(struct __sk_buff *skb, const struct mrd_segment *segment, struct mrd_probe *probe)
{
	const struct mrd_overlap overlap =
		mrd_seq_overlap(probe->expect_seq, MRD_STATUS_LEN, segment->seq, segment->len);
	const __u32 offset = segment->payload + overlap.offset;
	__u8 piece[2 * MRD_STATUS_ROOM] = {0};
	__u32 at = overlap.at, count = overlap.count;

	if (!count || count > MRD_STATUS_LEN || at >= MRD_STATUS_LEN)
		return false;
	if (mrd_load_some(skb, offset, piece + at, count, MRD_STATUS_ROOM))
		return false;
	probe->have =
		mrd_status_gather(probe->line, probe->have, piece, mrd_status_bits(at, count));
	return probe->have == MRD_STATUS_HAVE_ALL;
}

static __always_inline void mrd_line_finish(struct mrd_probe *probe, const __u8 *line)
{
	const __u32 status = mrd_status_code(line);

	probe->have = status == MRD_SWITCHING_PROTOCOLS ? MRD_STATUS_NO_MORE : 0;
	if (status && mrd_status_is_interim(status)) {
		probe->expect_seq += MRD_STATUS_LEN;
		probe->skip_window = 0;
		probe->stage = MRD_PROBE_SKIP_1XX;
	} else {
		probe->stage = MRD_PROBE_IDLE;
	}
	if (status)
		mrd_response_done(probe, status, mrd_status_class(line));
}

/*
 * Reads on in a header until it ends, and no further than MRD_SKIP_CHUNK. The window in the upper
 * half, the bytes read in the lower one. Neither this nor the next is static, so that the verifier
 * looks at them once; weak, as more than one object has them.
 */
__weak __noinline __u64 mrd_header_read(struct __sk_buff *skb, __u32 offset, __u32 count,
					__u32 window)
{
	__u8 chunk[MRD_SKIP_CHUNK] = {0};

	if (count > sizeof(chunk))
		count = sizeof(chunk);
	if (!count || mrd_load_some(skb, offset, chunk, count, sizeof(chunk)))
		return (__u64)window << 32;
	for (__u32 i = 0; i < sizeof(chunk) && i < count; i++) {
		window = mrd_header_step(window, chunk[i]);
		if (window == MRD_HEADER_END)
			return (__u64)window << 32 | (i + 1);
	}
	return (__u64)window << 32 | count;
}

/* The same, no further than count and MRD_SKIP_CHUNKS. */
__weak __noinline __u64 mrd_header_skip(struct __sk_buff *skb, __u32 offset, __u32 count,
					__u32 window)
{
	__u32 done = 0;

	for (__u32 i = 0; i < MRD_SKIP_CHUNKS; i++) {
		const __u64 read = mrd_header_read(skb, offset + done, count - done, window);

		if (!(__u32)read)
			break;
		done += (__u32)read;
		window = (__u32)(read >> 32);
		if (window == MRD_HEADER_END)
			break;
	}
	return (__u64)window << 32 | done;
}

/* Passes over what the segment has of an interim header. False: nothing. */
static __always_inline bool
mrd_interim_skip(struct __sk_buff *skb, const struct mrd_segment *segment, struct mrd_probe *probe)
{
	const struct mrd_overlap overlap = mrd_seq_overlap(
		probe->expect_seq, MRD_SKIP_CHUNK * MRD_SKIP_CHUNKS, segment->seq, segment->len);
	__u64 read;

	if (overlap.at || !overlap.count)
		return false;
	read = mrd_header_skip(skb, segment->payload + overlap.offset, overlap.count,
			       probe->skip_window);
	probe->expect_seq += (__u32)read;
	probe->skip_window = (__u32)(read >> 32);
	if (probe->skip_window == MRD_HEADER_END)
		probe->stage = MRD_PROBE_STATUS_LINE;
	return (__u32)read;
}

/* One status line, or one interim header. True: there may be more to read in this segment. */
static __noinline bool mrd_probe_step(struct __sk_buff *skb, const struct mrd_segment *segment,
				      struct mrd_probe *probe)
{
	if (probe->stage == MRD_PROBE_SKIP_1XX)
		return mrd_interim_skip(skb, segment, probe);
	if (!mrd_line_gather(skb, segment, probe))
		return false;
	mrd_line_finish(probe, probe->line);
	return probe->stage != MRD_PROBE_IDLE;
}

/* All that is not one segment with a final status line at its start. */
static __noinline void mrd_probe_steps(struct __sk_buff *skb, const struct mrd_segment *segment,
				       struct mrd_probe *probe)
{
	for (int i = 0; i < MRD_STEPS; i++)
		if (!mrd_probe_step(skb, segment, probe))
			break;
}

/* As good as always: the response starts where the segment does. */
static __always_inline bool
mrd_line_at_start(struct __sk_buff *skb, const struct mrd_segment *segment, struct mrd_probe *probe)
{
	__u8 line[MRD_STATUS_LEN];

	if (probe->stage != MRD_PROBE_STATUS_LINE || segment->seq != probe->expect_seq ||
	    segment->len < MRD_STATUS_LEN ||
	    bpf_skb_load_bytes(skb, segment->payload, line, MRD_STATUS_LEN))
		return false;
	mrd_line_finish(probe, line);
	return true;
}

/*
 * The peer ends the connection while a response is due. In order and without a byte of it (its
 * process died), or by a reset that the kernel will take: one inside the status line or before it.
 * What looked like a request may be none on a port that is not known as HTTP.
 */
static __noinline void mrd_on_end(const struct mrd_segment *segment, struct mrd_probe *probe)
{
	const struct mrd_party party = mrd_probe_party(probe);
	const __u32 end_seq = segment->seq + segment->len;

	if (mrd_seq_before(end_seq, probe->expect_seq) ||
	    mrd_seq_before(probe->expect_seq + MRD_STATUS_LEN, end_seq))
		return;
	if (segment->rst || (end_seq == probe->expect_seq &&
			     mrd_speaks_http(mrd_health_of(&party), mrd_party_stat(&party)))) {
		mrd_request_failed(probe);
	}
}

/* What the endpoint sends while a response is due. */
static __always_inline bool mrd_answer_at_start(struct __sk_buff *skb,
						const struct mrd_segment *segment,
						struct mrd_probe *probe)
{
	return mrd_line_at_start(skb, segment, probe) && probe->stage == MRD_PROBE_IDLE;
}

/* If it was not that. True: it ends the connection while the response is due yet. */
static __always_inline bool mrd_answer_is_missed(struct __sk_buff *skb,
						 const struct mrd_segment *segment,
						 struct mrd_probe *probe)
{
	if (segment->len)
		mrd_probe_steps(skb, segment, probe);
	return (segment->fin || segment->rst) && probe->stage != MRD_PROBE_IDLE;
}

#endif
