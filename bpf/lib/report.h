/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the hooks tell about an endpoint: counters in mrd_stat, records through mrd_event.
 *
 * `run` counts failures since the last success. The agent must hear every failure, but a success
 * only if it ends a run: so a healthy endpoint sends nothing. A handshake is a success of a port
 * that is not HTTP; of one that is, only responses are, and a handshake leaves the run alone. Where
 * nobody reads responses (at TC, if none ejects an endpoint) a handshake ends a run of failed
 * handshakes, whatever the port.
 * An ejected endpoint is silent: the detector ignores what it does until it is back.
 *
 * Where the agent watches rates, or codes of its own (MRD_REPORT_ALL), it hears everything.
 */
#ifndef MRD_BPF_REPORT_H
#define MRD_BPF_REPORT_H

#include "kern.h"
#include "response_time.h"

enum {
	MRD_STATUS_UNREAD = 200,      /* what a handshake counts as behind which nobody reads */
	MRD_WAITING_MOST_US = 0xffff, /* what mrd_probe.waiting_us can hold */
};

/* An endpoint, the service whose member it was when it was chosen, and what is told of it. */
struct mrd_party {
	__u32 service_id;
	__u32 endpoint_id;
	__u32 report; /* enum mrd_report */
};

static __always_inline struct mrd_party mrd_probe_party(const struct mrd_probe *probe)
{
	const struct mrd_party party = {probe->service_id, probe->endpoint_id, probe->report};

	return party;
}

static __always_inline struct mrd_party mrd_party_of(const struct mrd_socket *sock)
{
	return mrd_probe_party(&sock->probe);
}

static __always_inline struct mrd_stat *mrd_party_stat(const struct mrd_party *party)
{
	const __u32 endpoint_id = party->endpoint_id;

	return bpf_map_lookup_elem(&mrd_stat, &endpoint_id);
}

static __always_inline struct mrd_stat *mrd_stat_of(const struct mrd_socket *sock)
{
	const struct mrd_party party = mrd_party_of(sock);

	return mrd_party_stat(&party);
}

static __always_inline const struct mrd_health *mrd_health_of(const struct mrd_party *party)
{
	const __u32 endpoint_id = party->endpoint_id;
	const struct mrd_health *health = bpf_map_lookup_elem(&mrd_health, &endpoint_id);

	return health && health->service_id == party->service_id ? health : NULL;
}

/* False: the ring buffer was full. */
static __always_inline bool mrd_event_send(const struct mrd_party *party, enum mrd_event_kind kind,
					   __u32 status)
{
	const struct mrd_event event = {
		.kind = kind,
		.service_id = party->service_id,
		.endpoint_id = party->endpoint_id,
		.status = status,
		.time_ns = bpf_ktime_get_ns(),
	};

	if (!bpf_ringbuf_output(&mrd_event, (void *)&event, sizeof(event), 0))
		return true;
	mrd_count_one(MRD_REASON_EVENT_LOST);
	return false;
}

/* Declared HTTP, or the probe has read a response of it. */
static __always_inline bool mrd_speaks_http(const struct mrd_health *health,
					    const struct mrd_stat *stat)
{
	if (health && health->is_http)
		return true;
	for (int i = 0; stat && i < MRD_CLASSES; i++)
		if (stat->responses[i])
			return true;
	return false;
}

/* To be called once the run is counted: who sees this time looks at the run. */
static __always_inline void mrd_failure_note(__u32 endpoint_id)
{
	const __u32 slot = endpoint_id % MRD_FAILURE_SLOTS;
	__u64 *latest_ns = bpf_map_lookup_elem(&mrd_failure, &slot);

	if (latest_ns)
		*latest_ns = bpf_ktime_get_ns();
}

/* May a failure since a connection told a success, or shortly before, wait for one? */
static __always_inline bool mrd_failure_waits(__u32 endpoint_id, __u64 told_ns)
{
	const __u32 slot = endpoint_id % MRD_FAILURE_SLOTS;
	const __u64 *latest_ns = bpf_map_lookup_elem(&mrd_failure, &slot);

	return !latest_ns || MRD_READ_ONCE(*latest_ns) + MRD_UNTOLD_NS >= told_ns;
}

static __always_inline void mrd_party_failed(const struct mrd_party *party, struct mrd_stat *stat,
					     enum mrd_event_kind kind, __u32 status)
{
	const struct mrd_health *health = mrd_health_of(party);

	/* Told before it is counted: the success that ends the run must be told behind it. */
	if (health && health->state != MRD_STATE_EJECTED)
		mrd_event_send(party, kind, status);
	if (stat && (kind == MRD_EVENT_RESPONSE || kind == MRD_EVENT_RESET))
		__sync_fetch_and_add(&stat->run_answers, 1);
	if (stat)
		__sync_fetch_and_add(&stat->run, 1);
	mrd_failure_note(party->endpoint_id);
}

static __always_inline void mrd_report_failure(const struct mrd_socket *sock, struct mrd_stat *stat,
					       enum mrd_event_kind kind, __u32 status)
{
	const struct mrd_party party = mrd_party_of(sock);

	mrd_party_failed(&party, stat, kind, status);
}

/* The connection ended before the answer: for HTTP that is an error like a 503. */
static __always_inline void mrd_request_failed(struct mrd_probe *probe)
{
	const struct mrd_party party = mrd_probe_party(probe);

	probe->stage = MRD_PROBE_IDLE;
	mrd_count_one(MRD_REASON_RESET_IN_REQUEST);
	mrd_party_failed(&party, mrd_party_stat(&party), MRD_EVENT_RESET, 0);
}

static __always_inline void mrd_response_time(struct mrd_stat *stat, __u64 took_ns)
{
	__sync_fetch_and_add(&stat->response_sum_us, took_ns / 1000);
	__sync_fetch_and_add(&stat->responses_timed[mrd_response_bucket(took_ns)], 1);
}

/* Writes the successes that wait in a connection's row. */
static __always_inline void mrd_report_untold(struct mrd_probe *probe, struct mrd_stat *stat)
{
	if (!probe->untold)
		return;
	__sync_fetch_and_add(&stat->responses[MRD_CLASS_SUCCESS], probe->untold);
	probe->untold = 0;
	if (!probe->waiting_us)
		return;
	mrd_response_time(stat, probe->waiting_us * 1000ULL);
	probe->waiting_us = 0;
}

/* The connection ends, for all that is known here. */
static __always_inline void mrd_probe_tell(struct mrd_probe *probe)
{
	const struct mrd_party party = mrd_probe_party(probe);
	struct mrd_stat *stat = probe->untold ? mrd_party_stat(&party) : NULL;

	if (stat)
		mrd_report_untold(probe, stat);
}

/* Is this handshake nothing that the run is about? */
static __always_inline bool mrd_run_goes_on(const struct mrd_health *health,
					    const struct mrd_stat *stat, enum mrd_event_kind kind,
					    __u32 status)
{
	if (kind != MRD_EVENT_CONNECTED)
		return false;
	return status ? stat->run_answers : mrd_speaks_http(health, stat);
}

static __always_inline void mrd_party_succeeded(const struct mrd_party *party,
						struct mrd_stat *stat, enum mrd_event_kind kind,
						__u32 status)
{
	const struct mrd_health *health;

	if (party->report == MRD_REPORT_ALL) {
		if (stat)
			stat->run = 0;
		mrd_event_send(party, kind, status);
		return;
	}
	if (!stat || !stat->run)
		return;
	health = mrd_health_of(party);
	if (mrd_run_goes_on(health, stat, kind, status))
		return;
	stat->run_answers = 0;
	stat->run = 0;
	if (health && health->state != MRD_STATE_EJECTED && !mrd_event_send(party, kind, status))
		__sync_fetch_and_add(&stat->run, 1); /* the next one is told */
}

static __always_inline void mrd_report_success(const struct mrd_socket *sock, struct mrd_stat *stat,
					       enum mrd_event_kind kind, __u32 status)
{
	const struct mrd_party party = mrd_party_of(sock);

	mrd_party_succeeded(&party, stat, kind, status);
}

/* No endpoint of its slot has failed yet, so there is no run to be ended. */
static __always_inline bool mrd_never_failed(__u32 endpoint_id)
{
	const __u32 slot = endpoint_id % MRD_FAILURE_SLOTS;
	const __u64 *latest_ns = bpf_map_lookup_elem(&mrd_failure, &slot);

	return latest_ns && !MRD_READ_ONCE(*latest_ns);
}

#endif
