/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pieces with alignment grow from a chunk's start, text from its end: neither wastes bytes on the
 * other's alignment. Chunks double up to a limit, so that a small document stays small. Fresh
 * anonymous pages are zero and untouched ones cost nothing.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum {
	CHUNK_MIN = 64 * 1024,
	CHUNK_MAX = 4 * 1024 * 1024,
	CHUNK_KEPT_MAX = 256 * 1024, /* a slice of a hundred endpoints, as a tree */
};

struct mrd_arena_chunk {
	struct mrd_arena_chunk *next;
	size_t size;
	char *low;  /* free from here */
	char *high; /* up to here */
};

static struct mrd_arena_chunk *chunk_new(struct mrd_arena *arena, size_t least)
{
	size_t size = arena->chunks ? arena->chunks->size * 2 : CHUNK_MIN;
	struct mrd_arena_chunk *chunk;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (least > SIZE_MAX - sizeof(*chunk))
		return NULL;
	if (size < least + sizeof(*chunk))
		size = least + sizeof(*chunk);
	chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return NULL;
	*chunk = (struct mrd_arena_chunk){
		.next = arena->chunks,
		.size = size,
		.low = (char *)(chunk + 1),
		.high = (char *)chunk + size,
	};
	arena->chunks = chunk;
	return chunk;
}

static struct mrd_arena_chunk *chunk_with(struct mrd_arena *arena, size_t size)
{
	struct mrd_arena_chunk *chunk = arena->chunks;

	if (chunk && size <= (size_t)(chunk->high - chunk->low))
		return chunk;
	return chunk_new(arena, size);
}

void *mrd_arena_alloc(struct mrd_arena *arena, size_t size)
{
	const size_t mask = alignof(max_align_t) - 1;
	struct mrd_arena_chunk *chunk;
	void *piece;

	if (size > SIZE_MAX - mask)
		return NULL;
	size = (size + mask) & ~mask;
	chunk = chunk_with(arena, size);
	if (!chunk)
		return NULL;
	piece = chunk->low;
	chunk->low += size;
	return piece;
}

char *mrd_arena_copy(struct mrd_arena *arena, const char *text, size_t len)
{
	struct mrd_arena_chunk *chunk = len < SIZE_MAX ? chunk_with(arena, len + 1) : NULL;

	if (!chunk)
		return NULL;
	chunk->high -= len + 1;
	memcpy(chunk->high, text, len);
	chunk->high[len] = '\0';
	return chunk->high;
}

static void drop_newest(struct mrd_arena *arena)
{
	struct mrd_arena_chunk *chunk = arena->chunks;

	arena->chunks = chunk->next;
	munmap(chunk, chunk->size);
}

void mrd_arena_free(struct mrd_arena *arena)
{
	while (arena->chunks)
		drop_newest(arena);
}

void mrd_arena_clear(struct mrd_arena *arena)
{
	struct mrd_arena_chunk *chunk;
	char *end;

	while (arena->chunks && arena->chunks->size > CHUNK_KEPT_MAX)
		drop_newest(arena);
	chunk = arena->chunks;
	if (!chunk)
		return;
	arena->chunks = chunk->next;
	mrd_arena_free(arena);
	arena->chunks = chunk;
	end = (char *)chunk + chunk->size;
	memset(chunk + 1, 0, (size_t)(chunk->low - (char *)(chunk + 1)));
	memset(chunk->high, 0, (size_t)(end - chunk->high));
	*chunk = (struct mrd_arena_chunk){
		.size = chunk->size, .low = (char *)(chunk + 1), .high = end};
}
