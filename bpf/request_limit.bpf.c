// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * http.maxRequestsPerConnection, and on-eject: close: what an application sends is followed,
 * request by request (lib/http_request.h), and the last request that the connection may carry is
 * given a "Connection: close". The server answers it and closes; the application connects anew and
 * gets another endpoint. Only sockets that sockops has put into mrd_followed come here; a socket
 * whose last request has gone, or that cannot be followed, leaves by one look at its storage.
 *
 * A message is read in parts. Each is a call of a global function, which the verifier checks once,
 * for all of them; so it gets the context and a number, and finds the rest by itself.
 */
#include "lib/kern.h"

#include "lib/addr.h"
#include "lib/http_request.h"
#include "lib/report.h"

enum {
	MRD_PART = 64,	   /* bytes that a part reads */
	MRD_PARTS = 1024,  /* of a message: 64 KB of headers, or as many chunks of a body */
	MRD_PART_DROP = -1 /* the message cannot be repaired */
};

static __always_inline struct mrd_request *mrd_request_of(struct sk_msg_md *msg)
{
	struct bpf_sock *sk = msg->sk;

	return sk ? bpf_sk_storage_get(&mrd_request, sk, NULL, 0) : NULL;
}

static __always_inline void mrd_request_give_up(struct mrd_request *request)
{
	request->stage = MRD_REQUEST_UNSURE;
}

/* What holds for requests that begin in this message. */
static __always_inline void mrd_request_ask(struct mrd_request *request)
{
	const struct mrd_party party = {request->service_id, request->endpoint_id,
					MRD_REPORT_ERRORS};
	const struct mrd_setting *setting = bpf_map_lookup_elem(&mrd_setting, &request->service_id);
	const struct mrd_health *health;

	request->limit = 0;
	request->eject_close = 0;
	if (!setting)
		return;
	request->limit = setting->max_requests;
	if (setting->on_eject != MRD_EJECT_CLOSE)
		return;
	health = mrd_health_of(&party);
	request->eject_close = !health || health->state == MRD_STATE_EJECTED ||
			       health->state == MRD_STATE_DRAINING;
}

/* 0, or the message has to be dropped. */
static __noinline int mrd_request_insert(struct sk_msg_md *msg, struct mrd_request *request,
					 __u32 at)
{
	void *data;

	if (bpf_msg_push_data(msg, at, MRD_CLOSE_LINE_LEN, 0)) {
		mrd_request_give_up(request);
		return 0;
	}
	if (!bpf_msg_pull_data(msg, at, at + MRD_CLOSE_LINE_LEN, 0)) {
		data = (void *)(long)msg->data;
		if (data + MRD_CLOSE_LINE_LEN <= (void *)(long)msg->data_end) {
			__builtin_memcpy(data, MRD_CLOSE_LINE, MRD_CLOSE_LINE_LEN);
			mrd_request_closed(request);
			return 0;
		}
	}
	mrd_request_give_up(request);
	return bpf_msg_pop_data(msg, at, MRD_CLOSE_LINE_LEN, 0) ? MRD_PART_DROP : 0;
}

static __noinline void mrd_request_overwrite(struct sk_msg_md *msg, struct mrd_request *request,
					     __u32 end)
{
	void *data;

	if (end < MRD_KEEP_ALIVE_LEN || bpf_msg_pull_data(msg, end - MRD_KEEP_ALIVE_LEN, end, 0))
		return; /* it has gone in part: the line will say it */
	data = (void *)(long)msg->data;
	if (data + MRD_KEEP_ALIVE_LEN > (void *)(long)msg->data_end)
		return;
	__builtin_memcpy(data, MRD_CLOSE_TOKEN, MRD_KEEP_ALIVE_LEN);
	mrd_request_closed(request);
}

/* Reads up to count bytes. How many were taken; *ret_act: what is to be done in front of the next.
 */
static __noinline __u32 mrd_request_read(struct sk_msg_md *msg, struct mrd_request *request,
					 __u32 *ret_act)
{
	const __u8 *data = (void *)(long)msg->data, *end = (void *)(long)msg->data_end;
	__u32 i;

	for (i = 0; i < MRD_PART; i++) {
		if (data + i + 1 > end || mrd_request_skips(request) ||
		    mrd_request_is_over(request))
			break;
		*ret_act = mrd_request_step(request, data[i]);
		if (*ret_act != MRD_REQUEST_GO_ON)
			break;
	}
	return i;
}

/*
 * How many bytes of the message, from offset on, were dealt with; 0: nothing more to do. A body, or
 * a chunk, costs no part of its own: what follows it is read at once.
 */
__noinline int mrd_request_part(struct sk_msg_md *msg, __u32 offset)
{
	struct mrd_request *request = mrd_request_of(msg);
	const __u32 size = msg->size;
	__u32 skipped = 0, count, act = MRD_REQUEST_GO_ON;

	if (!request || offset >= size || mrd_request_is_over(request))
		return 0;
	if (mrd_request_skips(request))
		skipped = mrd_request_skip(request, size - offset);
	offset += skipped;
	if (offset >= size)
		return (int)skipped;
	count = size - offset;
	if (count > MRD_PART)
		count = MRD_PART;
	if (bpf_msg_pull_data(msg, offset, offset + count, 0)) {
		mrd_request_give_up(request);
		return 0;
	}
	count = mrd_request_read(msg, request, &act);
	if (act == MRD_REQUEST_OVERWRITE)
		mrd_request_overwrite(msg, request, offset + count);
	if (act != MRD_REQUEST_INSERT)
		return (int)(skipped + count);
	if (mrd_request_insert(msg, request, offset + count))
		return MRD_PART_DROP;
	return (int)(skipped + count) + MRD_CLOSE_LINE_LEN;
}

static __always_inline void mrd_request_count(const struct mrd_request *request)
{
	if (request->stage == MRD_REQUEST_UNSURE)
		mrd_count_one(MRD_REASON_REQUEST_UNSURE);
	else if (request->wants_close)
		mrd_count_one(request->eject_close ? MRD_REASON_REQUEST_EJECTED
						   : MRD_REASON_REQUEST_LAST);
}

SEC("sk_msg")
int mrd_request_limit(struct sk_msg_md *msg)
{
	struct mrd_request *request = mrd_request_of(msg);
	__u32 offset = 0;

	if (!request || mrd_request_is_over(request))
		return SK_PASS;
	mrd_request_ask(request);
	for (int i = 0; i < MRD_PARTS; i++) {
		const int done = mrd_request_part(msg, offset);

		if (done < 0)
			return SK_DROP;
		if (!done)
			break;
		offset += done;
	}
	if (offset < msg->size && !mrd_request_is_over(request))
		mrd_request_give_up(request);
	if (mrd_request_is_over(request))
		mrd_request_count(request);
	return SK_PASS;
}
