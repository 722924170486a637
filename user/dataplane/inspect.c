/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/inspect.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataplane/links.h"
#include "dataplane/map_io.h"
#include "dataplane/pinset.h"

struct mrd_inspect {
	char *folder;
	struct mrd_pinset set;
	struct mrd_map_io maps[MRD_PIN_COUNT];
};

static void inspect_cleanup(struct mrd_inspect **inspect)
{
	mrd_inspect_close(*inspect);
}

/* Rows of other sizes than this version's would be read past their end. */
static int check_sizes(const struct mrd_inspect *inspect)
{
	for (size_t i = 0; i < MRD_MAP_COUNT; i++)
		if (inspect->maps[i].key_size != mrd_map_key_size((enum mrd_map)i) ||
		    inspect->maps[i].value_size != mrd_map_value_size((enum mrd_map)i))
			return -EPROTO;
	return 0;
}

int mrd_inspect_open(const char *bpffs, struct mrd_inspect **ret_inspect)
{
	MRD_CLEANUP(inspect_cleanup) struct mrd_inspect *inspect = calloc(1, sizeof(*inspect));
	uint32_t version;
	int r;

	if (!inspect)
		return -ENOMEM;
	mrd_pinset_init(&inspect->set);
	inspect->folder = strdup(bpffs);
	if (!inspect->folder)
		return -ENOMEM;
	r = mrd_pinset_open(bpffs, BPF_F_RDONLY, &inspect->set);
	if (r < 0)
		return r;
	r = mrd_pinset_version(&inspect->set, &version);
	if (r < 0)
		return r;
	if (version != MRD_ABI_VERSION)
		return -EPROTO;
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		if (inspect->set.fds[i] < 0)
			return -ENOENT;
		r = mrd_map_io_init(inspect->set.fds[i], &inspect->maps[i]);
		if (r < 0)
			return r;
	}
	r = check_sizes(inspect);
	if (r < 0)
		return r;
	*ret_inspect = MRD_STEAL_PTR(inspect);
	return 0;
}

void mrd_inspect_close(struct mrd_inspect *inspect)
{
	if (!inspect)
		return;
	mrd_pinset_close(&inspect->set);
	free(inspect->folder);
	free(inspect);
}

void mrd_inspect_set_pause(struct mrd_inspect *inspect, void (*fn)(void *self), void *self)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		inspect->maps[i].pause = fn;
		inspect->maps[i].pause_self = self;
	}
}

int mrd_inspect_walk(const struct mrd_inspect *inspect, enum mrd_map map,
		     int (*fn)(void *self, const void *key, const void *value), void *self)
{
	return mrd_map_io_walk(&inspect->maps[map], fn, self);
}

int mrd_inspect_get(const struct mrd_inspect *inspect, enum mrd_map map, const void *key,
		    void *ret_value)
{
	return mrd_map_io_get(&inspect->maps[map], key, ret_value);
}

int mrd_inspect_count(const struct mrd_inspect *inspect, enum mrd_reason reason,
		      uint64_t *ret_count)
{
	const uint32_t key = (uint32_t)reason;

	return mrd_map_io_get(&inspect->maps[MRD_PIN_COUNTERS], &key, ret_count);
}

int mrd_inspect_fill(const struct mrd_inspect *inspect, struct mrd_map_fill **ret_fills,
		     size_t *ret_count)
{
	MRD_AUTO_FREE struct mrd_map_fill *fills = calloc(MRD_PIN_COUNT, sizeof(*fills));
	size_t count = 0;

	if (!fills)
		return -ENOMEM;
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		const struct mrd_map_io *map = &inspect->maps[i];
		int r;

		if (!mrd_map_io_has_rows(map))
			continue;
		r = mrd_map_io_count(map, &fills[count].rows);
		if (r < 0)
			return r;
		fills[count].name = mrd_pin_name(i);
		fills[count++].limit = map->limit;
	}
	*ret_fills = MRD_STEAL_PTR(fills);
	*ret_count = count;
	return 0;
}

int mrd_inspect_links(const struct mrd_inspect *inspect, struct mrd_link_info **ret_links,
		      size_t *ret_count)
{
	return mrd_links_read(inspect->folder, ret_links, ret_count);
}
