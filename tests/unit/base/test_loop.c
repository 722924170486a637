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
#include <string.h>
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
	unsigned int wakes;
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

static void stop_soon(void *self)
{
	mrd_loop_stop(self);
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

static void wake_before_idle(void *self)
{
	struct rig *rig = self;

	rig->wakes++;
	assert_int_equal(rig->wakes, rig->idles);
	assert_int_equal(rig->wakes, rig->calls + 1);
}

static void it_is_told_of_each_waking(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(write(rig->pipes[0][1], "y", 1), 1);
	assert_int_equal(mrd_loop_watch(rig->loop, rig->pipes[0][0], EPOLLIN, on_readable, rig,
					&rig->watches[0]),
			 0);
	mrd_loop_set_idle(rig->loop, count_idle, rig);
	mrd_loop_set_wake(rig->loop, wake_before_idle, rig);
	assert_int_equal(mrd_loop_run(rig->loop), 0);
	assert_int_equal(rig->wakes, 2);
}

/* ------------------------------------------------------------------------ work that can wait */

struct worker {
	struct mrd_later *later;
	char letter;
	unsigned int more; /* it asks again so many times */
	struct worker *frees;
};

static char worked[32];
static struct mrd_loop *workplace;

static void note(char letter)
{
	const size_t len = strlen(worked);

	assert_true(len < sizeof(worked) - 1);
	worked[len] = letter;
}

static void work(void *self)
{
	struct worker *worker = self;

	note(worker->letter);
	if (worker->frees) {
		mrd_later_free(worker->frees->later);
		worker->frees->later = NULL;
	}
	if (worker->more) {
		worker->more--;
		mrd_later_ask(worker->later);
		mrd_later_ask(worker->later); /* once is as good */
	}
}

static void note_idle(void *self)
{
	(void)self;
	note('.');
	if (strlen(worked) > 20)
		mrd_loop_stop(workplace);
}

static void event(void *self)
{
	note('!');
	mrd_loop_set_behind(workplace, false);
	(void)self;
}

struct later_row {
	const char *name;
	struct worker workers[3];
	int frees; /* the first worker frees this one; 0: nobody */
	bool is_behind;
	const char *want; /* the beginning */
};

static const struct later_row later_rows[] = {
	{
		.name = "one a round, in turn",
		.workers = {{.letter = 'a', .more = 2},
			    {.letter = 'b', .more = 1},
			    {.letter = 'c'}},
		.want = ".!a.b.c.a.b.a.",
	},
	{
		.name = "none while it is behind",
		.workers = {{.letter = 'a', .more = 1}, {.letter = 'b'}, {.letter = 'c'}},
		.is_behind = true,
		.want = ".!a.b.c.a.",
	},
	{
		.name = "another is freed",
		.workers = {{.letter = 'a', .more = 1}, {.letter = 'b'}, {.letter = 'c'}},
		.frees = 1,
		.want = ".!a.c.a.",
	},
	{
		.name = "the last is freed",
		.workers = {{.letter = 'a', .more = 1}, {.letter = 'b'}, {.letter = 'c'}},
		.frees = 2,
		.want = ".!a.b.a.",
	},
};

static void work_that_can_wait_comes_last_and_in_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(later_rows) / sizeof(later_rows[0]); i++) {
		struct later_row row = later_rows[i];
		struct mrd_timer *stop_timer;
		struct mrd_timer *timer;

		print_message("case %s\n", row.name);
		memset(worked, 0, sizeof(worked));
		assert_int_equal(mrd_loop_new(&workplace), 0);
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(mrd_loop_later(workplace, work, &row.workers[k],
							&row.workers[k].later),
					 0);
			mrd_later_ask(row.workers[k].later);
		}
		row.workers[0].frees = row.frees ? &row.workers[row.frees] : NULL;
		mrd_loop_set_behind(workplace, row.is_behind);
		assert_int_equal(mrd_loop_timer(workplace, event, NULL, &timer), 0);
		assert_int_equal(mrd_loop_timer(workplace, stop_soon, workplace, &stop_timer), 0);
		mrd_timer_set(timer, 1);
		mrd_timer_set(stop_timer, mrd_clock_ns() + 100 * MRD_NS_PER_MS);
		mrd_loop_set_idle(workplace, note_idle, NULL);
		assert_int_equal(mrd_loop_run(workplace), 0);
		print_message("%s\n", worked);
		assert_memory_equal(worked, row.want, strlen(row.want));
		for (size_t k = 0; k < 3; k++)
			mrd_later_free(row.workers[k].later);
		mrd_loop_free(workplace);
	}
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
		LOOP_TEST(it_is_told_of_each_waking),
		LOOP_TEST(work_that_can_wait_comes_last_and_in_turn),
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
