/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Walking asks for batches. The other way, next key by next key, starts over from the first row
 * whenever the row it stands on was deleted meanwhile, and takes two calls a row instead of one for
 * some hundred.
 */
#include "dataplane/map_io.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

enum {
	BATCH_ROWS = 256, /* of the first try; a bucket with more rows than that doubles it */
	TOKEN_BYTES =
		64, /* where a batch ended: a bucket number or a key, none of ours is larger */
};

static bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

int mrd_map_io_init(int fd, struct mrd_map_io *ret_io)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	int cpus = 0;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	if (is_per_cpu(info.type)) {
		if (info.value_size != sizeof(uint64_t))
			return -EOPNOTSUPP;
		cpus = libbpf_num_possible_cpus();
		if (cpus < 0)
			return cpus;
	}
	*ret_io = (struct mrd_map_io){
		.fd = fd,
		.type = info.type,
		.key_size = info.key_size,
		.value_size = info.value_size,
		.limit = info.max_entries,
		.cpus = (unsigned int)cpus,
	};
	return 0;
}

bool mrd_map_io_has_rows(const struct mrd_map_io *io)
{
	switch (io->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
		return true;
	default:
		return false;
	}
}

static uint64_t sum(const uint64_t *values, unsigned int cpus)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < cpus; i++)
		total += values[i];
	return total;
}

int mrd_map_io_put(const struct mrd_map_io *io, const void *key, const void *value,
		   bool create_only)
{
	MRD_AUTO_FREE uint64_t *values = NULL;

	if (io->cpus) {
		values = calloc(io->cpus, sizeof(*values));
		if (!values)
			return -ENOMEM;
		for (unsigned int i = 0; i < io->cpus; i++)
			memcpy(&values[i], value, sizeof(*values));
		value = values;
	}
	if (bpf_map_update_elem(io->fd, key, value, create_only ? BPF_NOEXIST : BPF_ANY) == 0)
		return 0;
	return create_only && errno == EEXIST ? 0 : -errno;
}

int mrd_map_io_get(const struct mrd_map_io *io, const void *key, void *ret_value)
{
	MRD_AUTO_FREE uint64_t *values = NULL;
	uint64_t total;

	if (!io->cpus)
		return bpf_map_lookup_elem(io->fd, key, ret_value) < 0 ? -errno : 0;
	values = calloc(io->cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(io->fd, key, values) < 0)
		return -errno;
	total = sum(values, io->cpus);
	memcpy(ret_value, &total, sizeof(total));
	return 0;
}

int mrd_map_io_del(const struct mrd_map_io *io, const void *key)
{
	return bpf_map_delete_elem(io->fd, key) < 0 && errno != ENOENT ? -errno : 0;
}

/* ------------------------------------------------------------------------------------ walking */

struct mrd_map_cursor {
	const struct mrd_map_io *io;
	unsigned char *keys;
	unsigned char *values;
	size_t value_bytes; /* of one row, all CPUs */
	uint32_t room;
	uint32_t count;
	bool started;
	unsigned char token[TOKEN_BYTES];
};

static int grow(struct mrd_map_cursor *cursor, uint32_t room)
{
	unsigned char *keys = reallocarray(cursor->keys, room, cursor->io->key_size);
	unsigned char *values;

	if (!keys)
		return -ENOMEM;
	cursor->keys = keys;
	values = reallocarray(cursor->values, room, cursor->value_bytes);
	if (!values)
		return -ENOMEM;
	cursor->values = values;
	cursor->room = room;
	return 0;
}

void mrd_map_cursor_free(struct mrd_map_cursor *cursor)
{
	if (!cursor)
		return;
	free(cursor->keys);
	free(cursor->values);
	free(cursor);
}

static void cursor_cleanup(struct mrd_map_cursor **cursor)
{
	mrd_map_cursor_free(*cursor);
}

int mrd_map_cursor_new(const struct mrd_map_io *io, struct mrd_map_cursor **ret_cursor)
{
	MRD_CLEANUP(cursor_cleanup) struct mrd_map_cursor *cursor = calloc(1, sizeof(*cursor));
	int r;

	if (!cursor)
		return -ENOMEM;
	cursor->io = io;
	/* The kernel rounds each CPU's copy up to eight bytes. */
	cursor->value_bytes = io->cpus ? io->cpus * sizeof(uint64_t) : io->value_size;
	r = grow(cursor, BATCH_ROWS);
	if (r < 0)
		return r;
	*ret_cursor = MRD_STEAL_PTR(cursor);
	return 0;
}

/* 1: there may be more, 0: that was the end. */
static int read_batch(struct mrd_map_cursor *cursor)
{
	unsigned char token[TOKEN_BYTES] = {0};

	for (;;) {
		int r;

		cursor->count = cursor->room;
		r = bpf_map_lookup_batch(cursor->io->fd, cursor->started ? cursor->token : NULL,
					 token, cursor->keys, cursor->values, &cursor->count, NULL);
		if (r < 0 && errno == ENOENT)
			return 0;
		if (r == 0) {
			memcpy(cursor->token, token, sizeof(token));
			cursor->started = true;
			return 1;
		}
		if (errno != ENOSPC || cursor->room > cursor->io->limit)
			return -errno;
		r = grow(cursor, cursor->room * 2);
		if (r < 0)
			return r;
	}
}

static int hand_out(const struct mrd_map_cursor *cursor,
		    int (*fn)(void *self, const void *key, const void *value), void *self)
{
	const struct mrd_map_io *io = cursor->io;

	for (uint32_t i = 0; i < cursor->count; i++) {
		const void *value = cursor->values + i * cursor->value_bytes;
		uint64_t total;
		int r;

		if (io->cpus) {
			total = sum(value, io->cpus);
			value = &total;
		}
		r = fn(self, cursor->keys + (size_t)i * io->key_size, value);
		if (r != 0)
			return r;
	}
	return 0;
}

int mrd_map_cursor_next(struct mrd_map_cursor *cursor,
			int (*fn)(void *self, const void *key, const void *value), void *self)
{
	const int more = read_batch(cursor);
	const int r = more < 0 ? more : hand_out(cursor, fn, self);

	return r ? r : more;
}

int mrd_map_io_walk(const struct mrd_map_io *io,
		    int (*fn)(void *self, const void *key, const void *value), void *self)
{
	MRD_CLEANUP(cursor_cleanup) struct mrd_map_cursor *cursor = NULL;
	int more, r;

	r = mrd_map_cursor_new(io, &cursor);
	if (r < 0)
		return r;
	do {
		more = read_batch(cursor);
		if (more < 0)
			return more;
		r = hand_out(cursor, fn, self);
		if (r != 0)
			return r;
		if (more && io->pause)
			io->pause(io->pause_self);
	} while (more);
	return 0;
}

static int count_row(void *self, const void *key, const void *value)
{
	uint64_t *rows = self;

	(void)key, (void)value;
	(*rows)++;
	return 0;
}

/* Tries know no batches before Linux 5.13; ours are small and written by the agent alone. */
static int count_trie(const struct mrd_map_io *io, uint64_t *ret_rows)
{
	unsigned char key[TOKEN_BYTES];
	uint64_t rows = 0;
	int r;

	if (io->key_size > sizeof(key))
		return -EOPNOTSUPP;
	for (r = bpf_map_get_next_key(io->fd, NULL, key); r == 0 && rows < io->limit;
	     r = bpf_map_get_next_key(io->fd, key, key))
		rows++;
	if (r < 0 && errno != ENOENT)
		return -errno;
	*ret_rows = rows;
	return 0;
}

int mrd_map_io_count(const struct mrd_map_io *io, uint64_t *ret_rows)
{
	uint64_t rows = 0;
	int r;

	if (io->type == BPF_MAP_TYPE_LPM_TRIE)
		return count_trie(io, ret_rows);
	r = mrd_map_io_walk(io, count_row, &rows);
	if (r < 0)
		return r;
	*ret_rows = rows;
	return 0;
}
