/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void pieces_are_zero_aligned_and_apart(void **state)
{
	enum { PIECES = 5000 };
	static unsigned char *pieces[PIECES];
	static char *texts[PIECES];
	struct mrd_arena arena = {0};

	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		const size_t size = i % 97 + 1;

		pieces[i] = mrd_arena_alloc(&arena, size);
		texts[i] = mrd_arena_copy(&arena, "0123456789", i % 10);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		for (size_t at = 0; at < size; at++)
			assert_int_equal(pieces[i][at], 0);
		memset(pieces[i], 0xff, size); /* whoever overlaps this one will see it */
	}
	for (size_t i = 0; i < PIECES; i++) {
		assert_int_equal(strlen(texts[i]), i % 10);
		assert_memory_equal(texts[i], "0123456789", i % 10);
	}
	mrd_arena_free(&arena);
	assert_null(arena.chunks);
}

static void big_and_impossible_pieces(void **state)
{
	static const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 8, SIZE_MAX / 2, SIZE_MAX - 64};
	struct mrd_arena arena = {0};
	char *big = mrd_arena_alloc(&arena, 16u << 20);

	(void)state;
	assert_non_null(big);
	big[(16u << 20) - 1] = 'x';
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		print_message("case %zx\n", impossible[i]);
		assert_null(mrd_arena_alloc(&arena, impossible[i]));
	}
	assert_non_null(mrd_arena_copy(&arena, "still works", 11));
	mrd_arena_free(&arena);
}

/* What was taken back comes zeroed again, whatever was written to it. */
static void cleared(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, 30000, 60000, 100000, 200000, 1 << 20, 5};
	struct mrd_arena arena = {0};

	(void)state;
	mrd_arena_clear(&arena);
	assert_null(arena.chunks);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t size = sizes[i] + 1;
		const struct mrd_arena_chunk *kept;
		unsigned char *piece;

		print_message("case %zu\n", sizes[i]);
		for (unsigned int k = 0; k < 3; k++) {
			piece = mrd_arena_alloc(&arena, size);
			for (size_t at = 0; at < size; at++)
				assert_int_equal(piece[at], 0);
			memset(piece, 0xff, size);
			assert_non_null(mrd_arena_copy(&arena, (const char *)piece, sizes[i]));
		}
		mrd_arena_clear(&arena);
		kept = arena.chunks;
		piece = mrd_arena_alloc(&arena, 1000);
		for (size_t at = 0; at < 1000; at++)
			assert_int_equal(piece[at], 0);
		memset(piece, 0xff, 1000);
		if (kept)
			assert_ptr_equal(arena.chunks, kept);
		mrd_arena_clear(&arena);
	}
	mrd_arena_free(&arena);
}

static void clocks_go_forward(void **state)
{
	const uint64_t year_2020_ms = UINT64_C(1577836800000);
	const uint64_t before_ns = mrd_clock_ns();

	(void)state;
	assert_true(before_ns > 0);
	assert_true(mrd_clock_ns() >= before_ns);
	assert_true(mrd_clock_wall_ms() > year_2020_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zero_aligned_and_apart),
		cmocka_unit_test(big_and_impossible_pieces),
		cmocka_unit_test(cleared),
		cmocka_unit_test(clocks_go_forward),
	};

	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
