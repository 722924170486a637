/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Everything in the loop is a watch: a timer is one on a timerfd, the signals are one on a
 * signalfd. Those two contain the watch as their first member, so that freeing a watch frees the
 * whole.
 *
 * A watch that is removed while events are being handed out may still stand among those events. It
 * is marked dead, skipped, and freed after the round.
 */
#include "base/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { EVENTS_PER_ROUND = 64 };

struct mrd_watch {
	struct mrd_loop *loop;
	struct mrd_watch *next;
	struct mrd_watch **link; /* what points to this one */
	int fd;
	bool owns_fd;
	bool dead;
	mrd_loop_fd_fn fn;
	void *self;
};

struct mrd_timer {
	struct mrd_watch watch; /* first */
	mrd_loop_fn fn;
	void *self;
};

struct signals {
	struct mrd_watch watch; /* first */
	mrd_loop_signal_fn fn;
	void *self;
};

struct mrd_later {
	struct mrd_loop *loop;
	struct mrd_later *next; /* who asked after it */
	bool asked;
	mrd_loop_fn fn;
	void *self;
};

_Static_assert(offsetof(struct mrd_timer, watch) == 0, "freed as its watch");
_Static_assert(offsetof(struct signals, watch) == 0, "freed as its watch");

struct mrd_loop {
	int epoll_fd;
	bool stopped;
	bool in_round;
	bool has_signals;
	struct mrd_watch *watches;
	struct mrd_watch *dead;	 /* to be freed after the round */
	struct mrd_later *later; /* who asked, the first of them first */
	bool is_behind;
	mrd_loop_fn wake;
	void *wake_self;
	mrd_loop_fn idle;
	void *idle_self;
};

static void link_watch(struct mrd_watch *watch, struct mrd_watch **list)
{
	watch->next = *list;
	watch->link = list;
	if (watch->next)
		watch->next->link = &watch->next;
	*list = watch;
}

static void unlink_watch(struct mrd_watch *watch)
{
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
}

static void free_list(struct mrd_watch **list)
{
	while (*list) {
		struct mrd_watch *watch = *list;

		*list = watch->next;
		if (watch->owns_fd)
			close(watch->fd);
		free(watch);
	}
}

int mrd_loop_new(struct mrd_loop **ret_loop)
{
	MRD_AUTO_FREE struct mrd_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	*ret_loop = MRD_STEAL_PTR(loop);
	return 0;
}

void mrd_loop_free(struct mrd_loop *loop)
{
	if (!loop)
		return;
	free_list(&loop->watches);
	free_list(&loop->dead);
	close(loop->epoll_fd);
	free(loop);
}

static void run_round(struct mrd_loop *loop, const struct epoll_event *events, int count)
{
	loop->in_round = true;
	for (int i = 0; i < count; i++) {
		const struct mrd_watch *watch = events[i].data.ptr;

		if (!watch->dead)
			watch->fn(watch->self, events[i].events);
	}
	loop->in_round = false;
	free_list(&loop->dead);
}

static bool has_later(const struct mrd_loop *loop)
{
	return loop->later && !loop->is_behind;
}

static void run_later(struct mrd_loop *loop)
{
	struct mrd_later *later = loop->later;

	loop->later = later->next;
	later->asked = false;
	later->fn(later->self);
}

int mrd_loop_run(struct mrd_loop *loop)
{
	for (;;) {
		struct epoll_event events[EVENTS_PER_ROUND];
		int count;

		if (loop->idle)
			loop->idle(loop->idle_self);
		if (loop->stopped)
			break;
		count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND,
				   has_later(loop) ? 0 : -1);
		if (count < 0 && errno != EINTR)
			return -errno;
		if (loop->wake)
			loop->wake(loop->wake_self);
		run_round(loop, events, count);
		if (has_later(loop))
			run_later(loop);
	}
	loop->stopped = false; /* it may run again */
	return 0;
}

void mrd_loop_stop(struct mrd_loop *loop)
{
	loop->stopped = true;
}

/* On failure the watch is still the caller's to free, and its fd to close. */
static int add_watch(struct mrd_loop *loop, struct mrd_watch *watch, uint32_t epoll_events)
{
	struct epoll_event event = {.events = epoll_events, .data.ptr = watch};

	watch->loop = loop;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0)
		return -errno;
	link_watch(watch, &loop->watches);
	return 0;
}

int mrd_loop_watch(struct mrd_loop *loop, int fd, uint32_t epoll_events, mrd_loop_fd_fn fn,
		   void *self, struct mrd_watch **ret_watch)
{
	MRD_AUTO_FREE struct mrd_watch *watch = calloc(1, sizeof(*watch));
	int ret;

	if (!watch)
		return -ENOMEM;
	*watch = (struct mrd_watch){.fd = fd, .fn = fn, .self = self};
	ret = add_watch(loop, watch, epoll_events);
	if (ret < 0)
		return ret;
	*ret_watch = MRD_STEAL_PTR(watch);
	return 0;
}

int mrd_loop_rewatch(struct mrd_watch *watch, uint32_t epoll_events)
{
	struct epoll_event event = {.events = epoll_events, .data.ptr = watch};

	if (epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		return -errno;
	return 0;
}

void mrd_loop_unwatch(struct mrd_watch *watch)
{
	struct mrd_loop *loop;

	if (!watch || watch->dead)
		return;
	loop = watch->loop;
	/* Fails only if the owner closed the fd before, which took it out of epoll as well. */
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->dead = true;
	unlink_watch(watch);
	link_watch(watch, &loop->dead);
	if (!loop->in_round)
		free_list(&loop->dead);
}

static void on_timer(void *self, uint32_t epoll_events)
{
	const struct mrd_timer *timer = self;
	uint64_t expirations;

	(void)epoll_events;
	/* Nothing to read: it was set anew by a callback of the same round. */
	if (read(timer->watch.fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		timer->fn(timer->self);
}

int mrd_loop_timer(struct mrd_loop *loop, mrd_loop_fn fn, void *self, struct mrd_timer **ret_timer)
{
	MRD_AUTO_FREE struct mrd_timer *timer = calloc(1, sizeof(*timer));
	MRD_AUTO_FD int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	int ret;

	if (!timer)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	*timer = (struct mrd_timer){
		.watch = {.fd = fd, .owns_fd = true, .fn = on_timer, .self = timer},
		.fn = fn,
		.self = self,
	};
	ret = add_watch(loop, &timer->watch, EPOLLIN);
	if (ret < 0)
		return ret;
	MRD_STEAL_FD(fd);
	*ret_timer = MRD_STEAL_PTR(timer);
	return 0;
}

int mrd_timer_set(struct mrd_timer *timer, uint64_t at_ns)
{
	const uint64_t ns_per_s = (uint64_t)MRD_NS_PER_MS * MRD_MS_PER_S;
	const struct itimerspec when = {
		.it_value = {.tv_sec = (time_t)(at_ns / ns_per_s),
			     .tv_nsec = (long)(at_ns % ns_per_s)},
	};

	if (timerfd_settime(timer->watch.fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	return 0;
}

void mrd_timer_free(struct mrd_timer *timer)
{
	if (timer)
		mrd_loop_unwatch(&timer->watch);
}

int mrd_loop_later(struct mrd_loop *loop, mrd_loop_fn fn, void *self, struct mrd_later **ret_later)
{
	struct mrd_later *later = malloc(sizeof(*later));

	if (!later)
		return -ENOMEM;
	*later = (struct mrd_later){.loop = loop, .fn = fn, .self = self};
	*ret_later = later;
	return 0;
}

static struct mrd_later **find_later(struct mrd_loop *loop, const struct mrd_later *later)
{
	struct mrd_later **at = &loop->later;

	while (*at && *at != later)
		at = &(*at)->next;
	return at;
}

void mrd_later_ask(struct mrd_later *later)
{
	if (later->asked)
		return;
	later->asked = true;
	later->next = NULL;
	*find_later(later->loop, NULL) = later;
}

void mrd_later_free(struct mrd_later *later)
{
	if (later && later->asked)
		*find_later(later->loop, later) = later->next;
	free(later);
}

void mrd_loop_set_behind(struct mrd_loop *loop, bool behind)
{
	loop->is_behind = behind;
}

static void on_signal(void *self, uint32_t epoll_events)
{
	const struct signals *signals = self;
	struct signalfd_siginfo info;

	(void)epoll_events;
	if (read(signals->watch.fd, &info, sizeof(info)) == sizeof(info))
		signals->fn(signals->self, (int)info.ssi_signo);
}

int mrd_loop_signals(struct mrd_loop *loop, const sigset_t *set, mrd_loop_signal_fn fn, void *self)
{
	MRD_AUTO_FREE struct signals *signals = calloc(1, sizeof(*signals));
	MRD_AUTO_FD int fd = -1;
	int ret;

	if (!signals)
		return -ENOMEM;
	if (loop->has_signals)
		return -EBUSY;
	fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	*signals = (struct signals){
		.watch = {.fd = fd, .owns_fd = true, .fn = on_signal, .self = signals},
		.fn = fn,
		.self = self,
	};
	/* Blocked last: a failure before must not leave the program deaf. */
	ret = add_watch(loop, &signals->watch, EPOLLIN);
	if (ret < 0)
		return ret;
	MRD_STEAL_FD(fd);
	loop->has_signals = true;
	MRD_STEAL_PTR(signals);
	return sigprocmask(SIG_BLOCK, set, NULL) < 0 ? -errno : 0;
}

void mrd_loop_set_wake(struct mrd_loop *loop, mrd_loop_fn fn, void *self)
{
	loop->wake = fn;
	loop->wake_self = self;
}

void mrd_loop_set_idle(struct mrd_loop *loop, mrd_loop_fn fn, void *self)
{
	loop->idle = fn;
	loop->idle_self = self;
}
