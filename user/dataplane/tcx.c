/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A link outlives the agent by its pin, and its interface by its pin, too: then it is dead, names
 * interface 0, and its pin is of no use. An interface that moves to another namespace takes a link
 * with it; by the pin it is found there and detached.
 */
#include "dataplane/tcx.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "dataplane/pins.h"

enum { TCX_BEFORE = 1 << 3 }; /* BPF_F_BEFORE: with no other named, before all */

static const char tcx_prefix[] = "tcx_";

static const char *const direction_names[MRD_TC_DIRECTIONS] = {
	[MRD_TC_INGRESS] = "ingress",
	[MRD_TC_EGRESS] = "egress",
};

static void pin_path(char path[PATH_MAX], const char *folder, uint32_t index,
		     enum mrd_tc_direction direction)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_%" PRIu32, direction_names[direction], index);
	mrd_pin_path(path, folder, tcx_prefix, name);
}

/* The interface that a link is at (0: it is dead), and its program. */
static int ask_link(int link_fd, uint32_t *ret_index, uint32_t *ret_program)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &len) < 0)
		return -errno;
	*ret_index = info.xdp.ifindex; /* a tcx link's stands in the same place */
	*ret_program = info.prog_id;
	return 0;
}

static int create(const char *path, uint32_t index, enum mrd_tc_direction direction, int program_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = TCX_BEFORE);
	const int type = direction == MRD_TC_INGRESS ? MRD_TCX_INGRESS : MRD_TCX_EGRESS;
	MRD_AUTO_FD int fd =
		bpf_link_create(program_fd, (int)index, (enum bpf_attach_type)type, &opts);

	if (fd < 0)
		return -errno;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

int mrd_tcx_put(const char *folder, uint32_t index, enum mrd_tc_direction direction, int program_fd)
{
	MRD_AUTO_FD int fd = -1;
	uint32_t present = 0, program = 0;
	char path[PATH_MAX];
	int r;

	pin_path(path, folder, index, direction);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return create(path, index, direction, program_fd);
	if (fd < 0)
		return -errno;
	r = ask_link(fd, &present, &program);
	if (r < 0)
		return r;
	if (present == index)
		return bpf_link_update(fd, program_fd, NULL) < 0 ? -errno : 0;
	if (unlink(path) < 0)
		return -errno;
	return create(path, index, direction, program_fd);
}

int mrd_tcx_take(const char *folder, uint32_t index, enum mrd_tc_direction direction)
{
	MRD_AUTO_FD int fd = -1;
	char path[PATH_MAX];

	pin_path(path, folder, index, direction);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return 0;
	/* For good, even if another process holds a descriptor of it. */
	if (fd >= 0 && bpf_link_detach(fd) < 0 && (errno == EPERM || errno == EACCES))
		return -errno;
	return unlink(path) < 0 ? -errno : 1;
}

uint32_t mrd_tcx_program(const char *folder, uint32_t index, enum mrd_tc_direction direction)
{
	MRD_AUTO_FD int fd = -1;
	uint32_t present = 0, program = 0;
	char path[PATH_MAX];

	pin_path(path, folder, index, direction);
	fd = bpf_obj_get(path);
	if (fd < 0 || ask_link(fd, &present, &program) < 0)
		return 0;
	return program;
}

int mrd_tcx_list(const char *folder, uint32_t **ret_indexes, size_t *ret_count)
{
	MRD_AUTO_NAMES struct mrd_names names = {0};
	MRD_AUTO_FREE uint32_t *indexes = NULL;
	size_t count = 0;
	int r = mrd_names_read(folder, tcx_prefix, &names);

	if (r < 0)
		return r;
	indexes = calloc(names.count + 1, sizeof(*indexes));
	if (!indexes)
		return -ENOMEM;
	for (size_t i = 0; i < names.count; i++) {
		const char *number = strrchr(names.items[i], '_') + 1;
		char *end;
		const unsigned long index = strtoul(number, &end, 10);

		if (end != number && !*end && index <= UINT32_MAX)
			indexes[count++] = (uint32_t)index;
	}
	*ret_indexes = MRD_STEAL_PTR(indexes);
	*ret_count = count;
	return 0;
}
