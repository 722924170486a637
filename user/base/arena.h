/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Memory that is given out piece by piece and taken back as a whole. The chunks come straight from
 * the kernel and return there: a big document leaves no holes in the heap behind.
 */
#ifndef MRD_BASE_ARENA_H
#define MRD_BASE_ARENA_H

#include <stddef.h>

struct mrd_arena_chunk;

struct mrd_arena {
	struct mrd_arena_chunk *chunks; /* newest first */
};

/* Zeroed and aligned for pointers. NULL without memory. */
void *mrd_arena_alloc(struct mrd_arena *arena, size_t size);
/* A copy with an ending zero, not aligned. */
char *mrd_arena_copy(struct mrd_arena *arena, const char *text, size_t len);
/* Takes all of it back, for new pieces; keeps one chunk of what there was. */
void mrd_arena_clear(struct mrd_arena *arena);
void mrd_arena_free(struct mrd_arena *arena);

#endif
