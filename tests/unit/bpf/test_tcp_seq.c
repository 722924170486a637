// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "bpf/lib/tcp_seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MIB = 1 << 20, SEGMENT = 1 << 16 };

static const __u32 begins[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffff0};

/* A request, however long, in segments that each may move the mark. */
static void behind_a_request_of_any_length_is_a_new_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(begins); i++) {
		struct mrd_probe probe = {.request_seq = begins[i], .request_ns = 1};
		__u32 seq = begins[i];

		assert_false(mrd_seq_is_new(probe.request_seq, seq));
		for (__u64 sent = SEGMENT; sent <= 9216ULL * MIB; sent += SEGMENT) {
			seq += SEGMENT;
			assert_true(mrd_seq_is_new(probe.request_seq, seq));
			mrd_request_mark(&probe, seq);
			assert_true(mrd_seq_is_new(probe.request_seq, seq + 1));
		}
	}
}

/* Marks that come less often: 2 GiB apart, from wherever the request began. */
static void marks_may_be_far_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(begins); i++) {
		struct mrd_probe probe = {.request_seq = begins[i], .request_ns = 1};
		__u32 seq = begins[i];

		for (int mark = 0; mark < 8; mark++) {
			seq += 1U << 31;
			mrd_request_mark(&probe, seq);
			assert_int_equal(probe.request_seq, seq);
		}
	}
}

static void what_is_sent_again_is_not_new(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(begins); i++) {
		struct mrd_probe probe = {.request_seq = begins[i], .request_ns = 1};

		for (__u32 back = 0; back <= 1024; back++) {
			const __u32 seq = begins[i] - back * MIB;

			assert_false(mrd_seq_is_new(begins[i], seq));
			mrd_request_mark(&probe, seq);
			assert_int_equal(probe.request_seq, begins[i]);
		}
	}
}

/* Shortly behind the request it stays with that, to know it when it is sent again. */
static void a_mark_stays_as_long_as_it_can(void **state)
{
	struct mrd_probe probe = {.request_seq = 5, .request_ns = 1};

	(void)state;
	mrd_request_mark(&probe, 5 + MRD_SEQ_FAR - 1);
	assert_int_equal(probe.request_seq, 5);
	mrd_request_mark(&probe, 5 + MRD_SEQ_FAR);
	assert_int_equal(probe.request_seq, 5 + MRD_SEQ_FAR);
}

static void without_a_request_there_is_none(void **state)
{
	struct mrd_probe probe = {.request_seq = 5};

	(void)state;
	mrd_request_mark(&probe, 5 + MRD_SEQ_FAR);
	assert_int_equal(probe.request_seq, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behind_a_request_of_any_length_is_a_new_one),
		cmocka_unit_test(marks_may_be_far_apart),
		cmocka_unit_test(what_is_sent_again_is_not_new),
		cmocka_unit_test(a_mark_stays_as_long_as_it_can),
		cmocka_unit_test(without_a_request_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
