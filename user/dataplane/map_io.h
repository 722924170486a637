/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Rows of one map. A per-CPU map of 64-bit numbers (counters; tickets on kernels without atomic
 * results) looks from here like one of plain numbers: put writes the number on every CPU, reading
 * gives the sum.
 */
#ifndef MRD_DATAPLANE_MAP_IO_H
#define MRD_DATAPLANE_MAP_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mrd_map_io {
	int fd; /* borrowed */
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t limit;	   /* rows at most */
	unsigned int cpus; /* copies of a value; 0: the map is not per CPU */
	/* Called between batches of a walk, for what cannot wait; may be NULL. */
	void (*pause)(void *self);
	void *pause_self;
};

/* -EOPNOTSUPP: a per-CPU map of something else than 64-bit numbers. */
int mrd_map_io_init(int fd, struct mrd_map_io *ret_io);

/* Can its rows be counted and walked? Arrays are always full, rings and storage have no rows. */
bool mrd_map_io_has_rows(const struct mrd_map_io *io);

/* With create_only an existing row is left alone, which is success. */
int mrd_map_io_put(const struct mrd_map_io *io, const void *key, const void *value,
		   bool create_only);
int mrd_map_io_get(const struct mrd_map_io *io, const void *key, void *ret_value);
/* No such row is success. */
int mrd_map_io_del(const struct mrd_map_io *io, const void *key);

/*
 * Every row of a hash map, in no order. Rows that come or go meanwhile may be missed; none is seen
 * twice. fn returns 0 to go on, anything else ends the walk and is returned.
 */
int mrd_map_io_walk(const struct mrd_map_io *io,
		    int (*fn)(void *self, const void *key, const void *value), void *self);
/* The same in parts, for maps that are large while other things are to be done. */
struct mrd_map_cursor;
int mrd_map_cursor_new(const struct mrd_map_io *io, struct mrd_map_cursor **ret_cursor);
void mrd_map_cursor_free(struct mrd_map_cursor *cursor); /* NULL is fine */
/* Some hundred rows. 1: there may be more, 0: that was the end, -errno, or what fn returned. */
int mrd_map_cursor_next(struct mrd_map_cursor *cursor,
			int (*fn)(void *self, const void *key, const void *value), void *self);

int mrd_map_io_count(const struct mrd_map_io *io, uint64_t *ret_rows);

#endif
