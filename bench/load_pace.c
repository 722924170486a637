/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "bench/load_pace.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, WARM_SLOTS = 16, WARM_MS = 40, RECORDS_FIRST = 4096 };

static const uint64_t ns_per_s = 1000000000, ns_per_ms = 1000000;

uint64_t load_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * ns_per_s + (uint64_t)now.tv_nsec;
}

_Noreturn void load_fail(const struct load_side *side, const char *what, int error)
{
	fprintf(stderr, "load: %s: %s: %s\n", side->name, what, strerror(error));
	exit(1);
}

/* Both bind when a socket is made, and whose processor time it is goes by the cgroup. */
static void enter(const struct load_side *side)
{
	static const struct load_side *entered;
	char path[4096];
	int fd;

	if (side == entered)
		return;
	if (side->cgroup[0]) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", side->cgroup);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			load_fail(side, path, errno);
		close(fd);
	}
	if (side->netns[0]) {
		snprintf(path, sizeof(path), "/run/netns/%s", side->netns);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
			load_fail(side, path, errno);
		close(fd);
	}
	entered = side;
}

static void record(struct load *load, const struct load_slot *slot, uint64_t now_ns, int outcome)
{
	if (load->record_count == load->record_room) {
		load->record_room = load->record_room ? load->record_room * 2 : RECORDS_FIRST;
		load->records =
			reallocarray(load->records, load->record_room, sizeof(*load->records));
		if (!load->records)
			abort();
	}
	load->records[load->record_count++] = (struct load_record){
		.intended_ns = slot->intended_ns,
		.connect_ns = slot->connected_ns ? slot->connected_ns - slot->intended_ns : 0,
		.latency_ns = now_ns - slot->intended_ns,
		.outcome = outcome,
	};
}

/* A slot's request has ended. */
static void finish(struct load *load, const struct load_side *side, struct load_slot *slot,
		   uint64_t now_ns, int outcome)
{
	if (load_is_own_error(outcome))
		load_fail(side, "socket", -outcome);
	if (outcome > 0 && !load->goes_on) {
		fprintf(stderr, "load: %s: answer: status %d\n", side->name, outcome);
		exit(1);
	}
	if (outcome < 0 && !load->goes_on)
		load_fail(side, "request", -outcome);
	record(load, slot, now_ns, outcome);
	/* What comes too late must not be taken for the answer of the next one. */
	if (!load->kind.stays || outcome < 0)
		load_slot_close(slot);
	slot->is_busy = false;
	TAILQ_REMOVE(&load->busy, slot, link);
	TAILQ_INSERT_TAIL(&load->idle, slot, link);
}

/* The slot that was idle for longest: connections that stay take turns. */
static void start(struct load *load, struct load_side *side, uint64_t intended_ns, uint64_t now_ns)
{
	struct load_slot *slot = TAILQ_FIRST(&load->idle);
	int outcome;

	slot->intended_ns = intended_ns;
	slot->started_ns = now_ns;
	slot->is_busy = true;
	TAILQ_REMOVE(&load->idle, slot, link);
	TAILQ_INSERT_TAIL(&load->busy, slot, link);
	outcome = load_request_start(side, slot, &load->kind);
	if (outcome != LOAD_UNDER_WAY)
		finish(load, side, slot, load_now_ns(), outcome);
}

/* A connection that stays, and that the server ends, is none of the next request's: it makes
 * another. */
static void on_event(struct load *load, struct load_side *side, const struct epoll_event *event)
{
	struct load_slot *slot = event->data.ptr;
	int outcome;

	if (!slot)
		return; /* the timer */
	if (!slot->is_busy) {
		if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			load_slot_close(slot);
		return;
	}
	outcome = load_request_ready(slot, &load->kind, event->events);
	if (outcome == LOAD_UNDER_WAY)
		return;
	finish(load, side, slot, load_now_ns(), outcome);
	if (event->events & EPOLLRDHUP)
		load_slot_close(slot);
}

/* A slice's plan. */
struct pace {
	uint64_t slice_ns;
	uint64_t start_ns;
	uint64_t until_ns;
	uint64_t per_second; /* 0: as the answers come */
	uint64_t next;	     /* how many have started, at a rate */
};

/* The intended start of the next request; UINT64_MAX: there is none. */
static uint64_t next_ns(const struct pace *pace)
{
	const uint64_t next = pace->per_second
				      ? pace->start_ns + pace->next * ns_per_s / pace->per_second
				      : load_now_ns();

	return next < pace->until_ns ? next : UINT64_MAX;
}

/* Starts what is due, once for each slot at most: one that fails at once must not hold up the
 * others. */
static void start_due(struct load *load, struct load_side *side, struct pace *pace)
{
	for (size_t i = 0; i < load->slot_count && !TAILQ_EMPTY(&load->idle); i++) {
		const uint64_t due_ns = next_ns(pace), now_ns = load_now_ns();

		if (due_ns > now_ns)
			return;
		pace->next++;
		start(load, side, due_ns, now_ns);
	}
}

/* Ends requests that have taken too long. Returns for how many ms there are none, rounded up. */
static int end_late(struct load *load, struct load_side *side)
{
	struct load_slot *slot;

	while ((slot = TAILQ_FIRST(&load->busy))) {
		const uint64_t now_ns = load_now_ns(),
			       deadline_ns = slot->started_ns + load->timeout_ns;

		if (now_ns < deadline_ns)
			return (int)((deadline_ns - now_ns) / ns_per_ms) + 1;
		finish(load, side, slot, now_ns, -ETIMEDOUT);
	}
	return -1;
}

/* epoll waits whole milliseconds, which is too coarse for a rate. */
static void wake_at(const struct load_side *side, uint64_t at_ns)
{
	const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(at_ns / ns_per_s),
						   .tv_nsec = (long)(at_ns % ns_per_s)}};

	if (timerfd_settime(side->timer, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		load_fail(side, "timer", errno);
}

static void run(struct load *load, struct load_side *side, struct pace pace)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		uint64_t due_ns;
		int patience_ms, count;

		start_due(load, side, &pace);
		patience_ms = end_late(load, side);
		due_ns = next_ns(&pace);
		if (due_ns == UINT64_MAX && TAILQ_EMPTY(&load->busy))
			return;
		if (due_ns <= load_now_ns() && !TAILQ_EMPTY(&load->idle))
			continue;
		if (pace.per_second && due_ns != UINT64_MAX && !TAILQ_EMPTY(&load->idle))
			wake_at(side, due_ns);
		count = epoll_wait(side->epoll, events, EVENTS, patience_ms);
		if (count < 0 && errno != EINTR)
			load_fail(side, "wait", errno);
		for (int i = 0; i < count; i++)
			on_event(load, side, &events[i]);
	}
}

/* A slice with so many of the side's slots. */
static struct load_sum run_with(struct load *load, struct load_side *side, size_t slots,
				struct pace pace)
{
	struct load_sum sum = {0};
	uint64_t end_ns;

	enter(side);
	TAILQ_INIT(&load->busy);
	TAILQ_INIT(&load->idle);
	for (size_t i = 0; i < slots; i++)
		TAILQ_INSERT_TAIL(&load->idle, &side->slots[i], link);
	load->record_count = 0;
	pace.start_ns = load_now_ns();
	pace.until_ns = pace.start_ns + pace.slice_ns;
	run(load, side, pace);
	end_ns = load_now_ns();
	if (end_ns < pace.until_ns)
		end_ns = pace.until_ns; /* the last one at a rate is answered before its time is
					   over */
	for (size_t i = 0; i < load->record_count; i++)
		sum.good += !load->records[i].outcome;
	sum.requests = load->record_count;
	sum.took_ns = end_ns - pace.start_ns;
	return sum;
}

struct load_sum load_open_side(struct load *load, struct load_side *side)
{
	const struct pace warm_up = {.slice_ns = WARM_MS * ns_per_ms};
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	size_t slots = load->slot_count;

	side->epoll = epoll_create1(EPOLL_CLOEXEC);
	side->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	side->slots = calloc(load->slot_count, sizeof(*side->slots));
	if (side->epoll < 0 || side->timer < 0 || !side->slots ||
	    epoll_ctl(side->epoll, EPOLL_CTL_ADD, side->timer, &event) < 0)
		load_fail(side, "start", errno);
	for (size_t i = 0; i < load->slot_count; i++)
		side->slots[i].fd = -1;
	/* At a rate there may be many more slots than ever are under way. */
	if (!load->kind.stays && slots > WARM_SLOTS)
		slots = WARM_SLOTS;
	return run_with(load, side, slots, warm_up);
}

void load_close_side(struct load *load, struct load_side *side)
{
	for (size_t i = 0; i < load->slot_count; i++)
		load_slot_close(&side->slots[i]);
	free(side->slots);
	close(side->timer);
	close(side->epoll);
}

struct load_sum load_run_slice(struct load *load, struct load_side *side)
{
	const struct pace pace = {.slice_ns = load->slice_ns, .per_second = load->per_second};

	return run_with(load, side, load->slot_count, pace);
}
