/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the hooks tell the agent, one record each through the ring buffer mrd_event.
 *
 * Only what can change a decision is told: every failure of an endpoint that is not ejected, and
 * the first success after a failure (which ends a run of consecutive errors). Everything else is
 * counted in mrd_stat.
 */
#ifndef MRD_MAPS_EVENT_H
#define MRD_MAPS_EVENT_H

#ifndef __VMLINUX_H__ /* as in abi.h */
#include <linux/types.h>
#endif

enum mrd_event_kind {
	MRD_EVENT_NONE,
	MRD_EVENT_RESPONSE,	   /* an HTTP status; status is set */
	MRD_EVENT_CONNECTED,	   /* handshake completed, after a run of failures */
	MRD_EVENT_REFUSED,	   /* RST in answer to the SYN */
	MRD_EVENT_UNREACHABLE,	   /* ICMP host, net or port unreachable */
	MRD_EVENT_CONNECT_TIMEOUT, /* no answer to the SYN */
	MRD_EVENT_RESET,	   /* the connection ended while a response was due */
};

struct mrd_event {
	enum mrd_event_kind kind;
	__u32 service_id;
	__u32 endpoint_id;
	/* 100 to 599 for MRD_EVENT_RESPONSE; 200 for MRD_EVENT_CONNECTED if nobody reads what
	 * follows, and the handshake must stand for it; else 0. */
	__u32 status;
	__u64 time_ns; /* CLOCK_MONOTONIC when the hook saw it */
};
_Static_assert(sizeof(struct mrd_event) == 24, "map ABI");

#endif
