/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * When requests start. Either each slot sends its next request when it has its answer, or requests
 * start at a constant rate, whether or not earlier ones were answered.
 *
 * A constant rate has no coordinated omission: each request has a time at which it is to start,
 * which no answer moves, and latencies are counted from it. If every slot is busy then, the request
 * waits for one, and this wait is part of its latency. So a server that stands still for 200 ms
 * delays all the requests of these 200 ms, and not only those that were under way.
 */
#ifndef MRD_BENCH_LOAD_PACE_H
#define MRD_BENCH_LOAD_PACE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load_request.h"

struct load_record {
	uint64_t intended_ns;
	uint64_t connect_ns; /* from intended_ns on; 0: the connection was there */
	uint64_t latency_ns; /* from the intended start */
	int outcome;
};

/* What was done in a slice. */
struct load_sum {
	size_t requests;
	size_t good;
	uint64_t took_ns;
};

struct load {
	struct load_kind kind;
	size_t slot_count;
	uint64_t slice_ns;
	uint64_t per_second; /* 0: as the answers come */
	uint64_t timeout_ns; /* from a request's real start */
	bool goes_on;	     /* a failed request does not end the program */

	/* of the slice that runs */
	TAILQ_HEAD(load_slots, load_slot) busy; /* the one that started first stands first */
	struct load_slots idle;
	size_t record_count;
	size_t record_room;
	struct load_record *records;
};

uint64_t load_now_ns(void);

/* Says what ended the program, and ends it. */
_Noreturn void load_fail(const struct load_side *side, const char *what, int error);

/* Makes a side ready: its sockets, if they are to stay, and caches that are warm. This is a short
 * slice without a rate. */
struct load_sum load_open_side(struct load *load, struct load_side *side);
void load_close_side(struct load *load, struct load_side *side);

/* Runs a slice of this side, and returns once all of its requests have ended. load->records has
 * them, in the order in which they ended. */
struct load_sum load_run_slice(struct load *load, struct load_side *side);

#endif
