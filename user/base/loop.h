/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One thread, one epoll loop. Callbacks never block. Objects are owned by the loop's user and
 * removed by it; removing from inside a callback, also another's, is safe.
 */
#ifndef MRD_BASE_LOOP_H
#define MRD_BASE_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct mrd_loop;
struct mrd_watch; /* a file descriptor in the loop */
struct mrd_timer;
struct mrd_later; /* work that others go before */

typedef void (*mrd_loop_fd_fn)(void *self, uint32_t epoll_events);
typedef void (*mrd_loop_fn)(void *self);
typedef void (*mrd_loop_signal_fn)(void *self, int signal_number);

int mrd_loop_new(struct mrd_loop **ret_loop);
void mrd_loop_free(struct mrd_loop *loop); /* NULL is fine; frees what is still in it */

/* Runs until mrd_loop_stop(). 0, or -errno of epoll. */
int mrd_loop_run(struct mrd_loop *loop);
void mrd_loop_stop(struct mrd_loop *loop);

/* Calls fn when fd has one of the EPOLL* events. The fd stays the caller's. */
int mrd_loop_watch(struct mrd_loop *loop, int fd, uint32_t epoll_events, mrd_loop_fd_fn fn,
		   void *self, struct mrd_watch **ret_watch);
int mrd_loop_rewatch(struct mrd_watch *watch, uint32_t epoll_events);
void mrd_loop_unwatch(struct mrd_watch *watch); /* NULL is fine */

/* A timer, not yet set. mrd_timer_set: once, at a CLOCK_MONOTONIC time (0 = never; the past = at
 * once). */
int mrd_loop_timer(struct mrd_loop *loop, mrd_loop_fn fn, void *self, struct mrd_timer **ret_timer);
int mrd_timer_set(struct mrd_timer *timer, uint64_t at_ns);
void mrd_timer_free(struct mrd_timer *timer); /* NULL is fine */

/* Blocks the signals of set and has them delivered to fn. Once per loop. */
int mrd_loop_signals(struct mrd_loop *loop, const sigset_t *set, mrd_loop_signal_fn fn, void *self);

/*
 * Work in pieces, of which the next can wait: fn is called once for each mrd_later_ask(), and one
 * of all who asked in each round, in turn, after everything else that has come. None while the loop
 * is said to be behind.
 */
int mrd_loop_later(struct mrd_loop *loop, mrd_loop_fn fn, void *self, struct mrd_later **ret_later);
void mrd_later_ask(struct mrd_later *later);  /* does nothing if it has asked already */
void mrd_later_free(struct mrd_later *later); /* NULL is fine */
/* What came before is not all worked off yet. */
void mrd_loop_set_behind(struct mrd_loop *loop, bool behind);

/* Called after each sleep, before the first callback. */
void mrd_loop_set_wake(struct mrd_loop *loop, mrd_loop_fn fn, void *self);
/* Called after each round of callbacks, before the loop sleeps: work that several events share. */
void mrd_loop_set_idle(struct mrd_loop *loop, mrd_loop_fn fn, void *self);

#endif
