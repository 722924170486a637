// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What CPUs do to one row at the same time, by threads: whatever their order, it comes out even. */
#include "bpf/lib/counting.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 50000, REQUESTS = 8 };

static struct mrd_flow row;
static __s32 open; /* as mrd_open has it */
/* Rounds begun and done; who waits for one looks on, to begin at the same time. */
static int begun, done;

static void add(__s32 count)
{
	__sync_fetch_and_add(&open, count);
}

static void await(const int *round, int i)
{
	while (__atomic_load_n(round, __ATOMIC_ACQUIRE) < i)
		;
}

/* The other CPU: does its part in each round. */
static void *run_rounds(void *part)
{
	void (*const *fn)(void) = part;

	for (int i = 1; i <= ROUNDS; i++) {
		await(&begun, i);
		(*fn)();
		__atomic_store_n(&done, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Both at once, from a connection that counts; then it must be as it has to be. */
static void race(void (*here)(void), void (*there)(void), void (*check)(void))
{
	pthread_t other;

	begun = done = 0;
	assert_int_equal(pthread_create(&other, NULL, run_rounds, &there), 0);
	for (int i = 1; i <= ROUNDS; i++) {
		row = (struct mrd_flow){.state = MRD_FLOW_ESTABLISHED,
					.counting = MRD_COUNTING_NOW,
					.request_ack = 1};
		open = 1;
		__atomic_store_n(&begun, i, __ATOMIC_RELEASE);
		here();
		await(&done, i);
		check();
	}
	pthread_join(other, NULL);
}

/* --------------------------------------------------------------------------------- parts */

static void turn(enum mrd_flow_state state)
{
	const struct mrd_packet packet = {.tcp_flags = MRD_TCP_ACK};

	mrd_flow_turn(&row, &packet, state);
	add(mrd_counting_follow(&row));
}

static void reset(void)
{
	turn(MRD_FLOW_RESET);
}

static void go_on(void)
{
	turn(MRD_FLOW_DOUBTED);
}

static void reset_and_go_on(void)
{
	turn(MRD_FLOW_RESET);
	turn(MRD_FLOW_DOUBTED);
}

static void leave(void)
{
	if (mrd_counting_set(&row, MRD_COUNTING_NEVER) == MRD_COUNTING_NOW)
		add(-1);
}

static struct mrd_flow moved;

static void move(void)
{
	moved.counting = mrd_counting_set(&row, MRD_COUNTING_MOVING);
}

static void finish(void)
{
	const struct mrd_packet packet = {.tcp_flags = MRD_TCP_FIN | MRD_TCP_ACK, .fin_ack = 77};

	mrd_flow_turn(&row, &packet, MRD_FLOW_CLOSE_WAIT);
}

static void ask(void)
{
	for (__u32 i = 0; i < REQUESTS; i++)
		mrd_flow_note_request(&row, 100 + i);
}

/* --------------------------------------------------------------------------------- tests */

static void check_state(void)
{
	const bool is_over = mrd_flow_is_ended(row.state);

	assert_int_equal(row.counting, is_over ? MRD_COUNTING_OVER : MRD_COUNTING_NOW);
	assert_int_equal(open, is_over ? 0 : 1);
}

static void a_flow_counts_as_its_last_state_says(void **state)
{
	(void)state;
	race(reset, go_on, check_state);
}

static void check_left(void)
{
	assert_int_equal(row.counting, MRD_COUNTING_NEVER);
	assert_int_equal(open, 0);
}

static void a_row_that_went_never_counts_again(void **state)
{
	(void)state;
	race(reset_and_go_on, leave, check_left);
	race(leave, leave, check_left);
}

/* One has the place, and the row that was left has none to give back. */
static void check_moved(void)
{
	const bool has_place = moved.counting == MRD_COUNTING_NOW;

	assert_int_equal(row.counting, has_place || moved.counting == MRD_COUNTING_OVER
					       ? MRD_COUNTING_MOVING
					       : MRD_COUNTING_NEVER);
	assert_int_equal(open, has_place);
}

static void a_place_goes_along_or_is_given_back_once(void **state)
{
	(void)state;
	race(move, leave, check_moved);
	race(move, reset_and_go_on, check_moved);
}

static void check_finished(void)
{
	assert_int_equal(row.state, MRD_FLOW_CLOSE_WAIT);
	assert_int_equal(row.fin_ack, 77);
}

static void a_request_leaves_the_number_of_a_fin(void **state)
{
	(void)state;
	race(ask, finish, check_finished);
}

static void what_is_moved_has_no_second_mover(void **state)
{
	(void)state;
	row = (struct mrd_flow){.counting = MRD_COUNTING_NOW};
	assert_int_equal(mrd_counting_set(&row, MRD_COUNTING_MOVING), MRD_COUNTING_NOW);
	assert_int_equal(mrd_counting_set(&row, MRD_COUNTING_MOVING), MRD_COUNTING_MOVING);
	assert_int_equal(mrd_counting_set(&row, MRD_COUNTING_NEVER), MRD_COUNTING_MOVING);
	assert_int_equal(row.counting, MRD_COUNTING_MOVING);
	row.counting = MRD_COUNTING_NEVER; /* of a service without a limit */
	assert_int_equal(mrd_counting_set(&row, MRD_COUNTING_MOVING), MRD_COUNTING_NEVER);
	assert_int_equal(row.counting, MRD_COUNTING_NEVER);
}

static void a_request_is_noted_until_a_fin(void **state)
{
	(void)state;
	row = (struct mrd_flow){.state = MRD_FLOW_ESTABLISHED};
	mrd_flow_note_request(&row, 5);
	assert_int_equal(row.request_ack, 5);
	row.state = MRD_FLOW_FIN_WAIT;
	mrd_flow_note_request(&row, 6);
	assert_int_equal(row.request_ack, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_counts_as_its_last_state_says),
		cmocka_unit_test(a_row_that_went_never_counts_again),
		cmocka_unit_test(a_place_goes_along_or_is_given_back_once),
		cmocka_unit_test(a_request_leaves_the_number_of_a_fin),
		cmocka_unit_test(what_is_moved_has_no_second_mover),
		cmocka_unit_test(a_request_is_noted_until_a_fin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
