/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

/* Two pipes that are both readable, so that one round hands out both. */
struct rig {
	struct mrd_loop *loop;
	int pipes[2][2];
	struct mrd_watch *watches[2];
	struct mrd_timer *timer;
	unsigned int calls;
	unsigned int idles;
	int signal_number;
};

static int rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	*state = rig;
	if (!rig || mrd_loop_new(&rig->loop) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++)
		if (pipe2(rig->pipes[i], O_CLOEXEC) < 0 || write(rig->pipes[i][1], "x", 1) != 1)
			return -1;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *rig = *state;

	mrd_loop_free(rig->loop);
	for (size_t i = 0; i < 2; i++) {
		close(rig->pipes[i][0]);
		close(rig->pipes[i][1]);
	}
	free(rig);
	return 0;
}

static void unwatch_both_and_stop(void *self, uint32_t epoll_events)
{
	struct rig *rig = self;

	assert_true(epoll_events & EPOLLIN);
	rig->calls++;
	for (size_t i = 0; i < 2; i++) {
		mrd_loop_unwatch(rig->watches[i]);
		rig->watches[i] = NULL;
	}
	mrd_loop_stop(rig->loop);
}

static void removing_another_inside_a_callback_keeps_it_from_being_called(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(mrd_loop_watch(rig->loop, rig->pipes[i][0], EPOLLIN,
						unwatch_both_and_stop, rig, &rig->watches[i]),
				 0);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	assert_int_equal(rig->calls, 1);
}

static void on_readable(void *self, uint32_t epoll_events)
{
	struct rig *rig = self;
	char byte;

	assert_true(epoll_events & EPOLLIN);
	for (size_t i = 0; i < 2; i++)
		if (rig->watches[i] && read(rig->pipes[i][0], &byte, 1) == 1)
			break;
	if (++rig->calls == 2)
		mrd_loop_stop(rig->loop);
}

static void count_idle(void *self)
{
	struct rig *rig = self;

	rig->idles++;
}

static void idle_runs_before_each_sleep(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(write(rig->pipes[0][1], "y", 1), 1);
	assert_int_equal(mrd_loop_watch(rig->loop, rig->pipes[0][0], EPOLLIN, on_readable, rig,
					&rig->watches[0]),
			 0);
	mrd_loop_set_idle(rig->loop, count_idle, rig);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	assert_int_equal(rig->calls, 2);
	assert_int_equal(rig->idles, 3); /* before the first round, and after both */
}

static void stop_at(void *self)
{
	struct rig *rig = self;

	rig->calls++;
	mrd_loop_stop(rig->loop);
}

static void timers_fire_at_their_time_and_once(void **state)
{
	static const struct {
		const char *name;
		uint64_t after_ms;
		bool past;
	} cases[] = {
		{.name = "20 ms ahead", .after_ms = 20},
		{.name = "past", .past = true},
	};
	struct rig *rig = *state;

	assert_int_equal(mrd_loop_timer(rig->loop, stop_at, rig, &rig->timer), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t start_ns = mrd_clock_ns();
		const uint64_t at_ns = start_ns + cases[i].after_ms * MRD_NS_PER_MS;

		print_message("case %s\n", cases[i].name);
		assert_int_equal(mrd_timer_set(rig->timer, cases[i].past ? 1 : at_ns), 0);
		assert_int_equal(mrd_loop_run(rig->loop), 0);
		assert_int_equal(rig->calls, i + 1);
		assert_true(cases[i].past || mrd_clock_ns() >= at_ns);
	}
	mrd_timer_free(rig->timer);
}

static void set_again(void *self)
{
	struct rig *rig = self;

	rig->calls++;
	assert_int_equal(mrd_timer_set(rig->timer, 0), 0);
	mrd_loop_stop(rig->loop);
}

static void a_timer_that_is_set_to_never_stays_silent(void **state)
{
	struct rig *rig = *state;
	struct mrd_timer *end;

	assert_int_equal(mrd_loop_timer(rig->loop, stop_at, rig, &rig->timer), 0);
	assert_int_equal(mrd_loop_timer(rig->loop, set_again, rig, &end), 0);
	assert_int_equal(mrd_timer_set(rig->timer, mrd_clock_ns() + 5 * MRD_NS_PER_MS), 0);
	assert_int_equal(mrd_timer_set(rig->timer, 0), 0);
	assert_int_equal(mrd_timer_set(end, mrd_clock_ns() + 30 * MRD_NS_PER_MS), 0);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	assert_int_equal(rig->calls, 1);
}

static void free_own_timer(void *self)
{
	struct rig *rig = self;

	mrd_timer_free(rig->timer);
	rig->timer = NULL;
	rig->calls++;
	mrd_loop_stop(rig->loop);
}

static void a_timer_may_free_itself(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(mrd_loop_timer(rig->loop, free_own_timer, rig, &rig->timer), 0);
	assert_int_equal(mrd_timer_set(rig->timer, 1), 0);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	assert_int_equal(rig->calls, 1);
}

static void on_signal(void *self, int signal_number)
{
	struct rig *rig = self;

	rig->signal_number = signal_number;
	mrd_loop_stop(rig->loop);
}

static void signals_come_as_calls(void **state)
{
	struct rig *rig = *state;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	assert_int_equal(mrd_loop_signals(rig->loop, &set, on_signal, rig), 0);
	assert_int_equal(mrd_loop_signals(rig->loop, &set, on_signal, rig), -EBUSY);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	assert_int_equal(rig->signal_number, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void on_writable(void *self, uint32_t epoll_events)
{
	struct rig *rig = self;

	assert_int_equal(epoll_events, EPOLLOUT);
	rig->calls++;
	mrd_loop_stop(rig->loop);
}

static void a_watch_can_change_what_it_waits_for(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(
		mrd_loop_watch(rig->loop, rig->pipes[0][1], 0, on_writable, rig, &rig->watches[0]),
		0);
	assert_int_equal(mrd_loop_rewatch(rig->watches[0], EPOLLOUT), 0);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	assert_int_equal(rig->calls, 1);
	mrd_loop_unwatch(rig->watches[0]);
	mrd_loop_unwatch(NULL);
}

static void what_cannot_be_watched_is_refused(void **state)
{
	struct rig *rig = *state;
	struct mrd_watch *untouched = NULL;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(mrd_loop_watch(rig->loop, -1, EPOLLIN, on_readable, rig, &untouched),
			 -EBADF);
	assert_int_equal(mrd_loop_watch(rig->loop, fd, EPOLLIN, on_readable, rig, &untouched),
			 -EPERM);
	assert_int_equal(mrd_loop_watch(rig->loop, rig->pipes[0][0], EPOLLIN, on_readable, rig,
					&rig->watches[0]),
			 0);
	assert_int_equal(
		mrd_loop_watch(rig->loop, rig->pipes[0][0], EPOLLIN, on_readable, rig, &untouched),
		-EEXIST);
	assert_null(untouched);
	close(fd);
}

static void stopped_before_it_runs_it_returns_at_once(void **state)
{
	struct rig *rig = *state;

	mrd_loop_stop(rig->loop);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	mrd_loop_free(NULL);
}

#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(removing_another_inside_a_callback_keeps_it_from_being_called),
		LOOP_TEST(idle_runs_before_each_sleep),
		LOOP_TEST(timers_fire_at_their_time_and_once),
		LOOP_TEST(a_timer_that_is_set_to_never_stays_silent),
		LOOP_TEST(a_timer_may_free_itself),
		LOOP_TEST(signals_come_as_calls),
		LOOP_TEST(a_watch_can_change_what_it_waits_for),
		LOOP_TEST(what_cannot_be_watched_is_refused),
		LOOP_TEST(stopped_before_it_runs_it_returns_at_once),
	};

	return cmocka_run_group_tests_name("base/loop", tests, NULL, NULL);
}
