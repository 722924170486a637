/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "dataplane/failure.h"
#include "meridian.skel.h"
#include "meridian_legacy.skel.h"

struct mrd_object {
	struct bpf_object *bpf;
	struct bpf_map *maps[MRD_PIN_COUNT];
	struct bpf_program *programs[MRD_HOOK_COUNT]; /* NULL: not wanted */
	struct bpf_program *tc[MRD_TC_PROGRAMS];      /* likewise */
	struct bpf_program *request_limit;
	struct bpf_program *flow_delete;
};

static int find_maps(struct mrd_object *object, const struct mrd_dataplane_limits *limits,
		     char **ret_error)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		const uint32_t rows = mrd_limits_rows(limits, i);
		struct bpf_map *map = bpf_object__find_map_by_name(object->bpf, mrd_pin_name(i));
		int r;

		if (!map)
			return mrd_failure(ret_error, -EPROTO,
					   "the embedded BPF object has no map %s: build anew",
					   mrd_pin_name(i));
		r = rows ? bpf_map__set_max_entries(map, rows) : 0;
		if (r < 0)
			return mrd_failure(ret_error, r, "map %s cannot have %u rows: %s",
					   mrd_pin_name(i), rows, strerror(-r));
		object->maps[i] = map;
	}
	return 0;
}

/* *ret_program stays NULL if the program is not wanted. */
static int find_program(const struct mrd_object *object, const char *name, bool is_wanted,
			struct bpf_program **ret_program, char **ret_error)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object->bpf, name);

	if (!program)
		return mrd_failure(ret_error, -EPROTO,
				   "the embedded BPF object has no program %s: build anew", name);
	if (is_wanted)
		*ret_program = program;
	else
		bpf_program__set_autoload(program, false);
	return 0;
}

static int find_programs(struct mrd_object *object, const struct mrd_object_wishes *wishes,
			 char **ret_error)
{
	int r = find_program(object, "mrd_request_limit", true, &object->request_limit, ret_error);

	if (r == 0)
		r = find_program(object, "mrd_flow_delete", true, &object->flow_delete, ret_error);
	for (size_t i = 0; r == 0 && i < MRD_HOOK_COUNT; i++)
		r = find_program(object, mrd_hooks[i].program,
				 wishes->probe || !mrd_hooks[i].is_probe, &object->programs[i],
				 ret_error);
	for (size_t i = 0; r == 0 && i < MRD_TC_PROGRAMS; i++)
		r = find_program(object, mrd_tc_program_names[i], wishes->tc, &object->tc[i],
				 ret_error);
	return r;
}

static void object_cleanup(struct mrd_object **object)
{
	mrd_object_close(*object);
}

int mrd_object_open(const struct mrd_object_wishes *wishes,
		    const struct mrd_dataplane_limits *limits, struct mrd_object **ret_object,
		    char **ret_error)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "meridian");
	MRD_CLEANUP(object_cleanup) struct mrd_object *object = calloc(1, sizeof(*object));
	const void *bytes;
	size_t size;
	int r;

	if (!object)
		return mrd_failure(ret_error, -ENOMEM, "no memory");
	bytes = wishes->atomic_result ? meridian__elf_bytes(&size)
				      : meridian_legacy__elf_bytes(&size);
	object->bpf = bpf_object__open_mem(bytes, size, &opts);
	if (!object->bpf)
		return mrd_failure(ret_error, -errno,
				   "the embedded BPF object cannot be read (%s): build anew",
				   strerror(errno));
	r = find_maps(object, limits, ret_error);
	if (r == 0)
		r = find_programs(object, wishes, ret_error);
	if (r < 0)
		return r;
	*ret_object = MRD_STEAL_PTR(object);
	return 0;
}

void mrd_object_close(struct mrd_object *object)
{
	if (!object)
		return;
	bpf_object__close(object->bpf);
	free(object);
}

static bool has_shape_of(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
	       info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

bool mrd_object_fits(const struct mrd_object *object, const struct mrd_pinset *set)
{
	uint32_t version;

	for (size_t i = 0; i < MRD_PIN_COUNT; i++)
		if (!has_shape_of(set->fds[i], object->maps[i]))
			return false;
	return mrd_pinset_version(set, &version) == 0 && version == MRD_ABI_VERSION;
}

int mrd_object_reuse(struct mrd_object *object, const struct mrd_pinset *set)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		const int r = bpf_map__reuse_fd(object->maps[i], set->fds[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * A socket that is known has been counted: it must leave the same counters when it closes. The rows
 * by which the agent finds sockets that it is to reset are counted nowhere: they may be missing.
 */
static bool may_keep_sockets(const struct mrd_object *object, const struct mrd_pinset *set)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++)
		if (mrd_pin_content(i) == MRD_PIN_OF_SOCKETS && i != MRD_PIN_CONNECTION &&
		    !has_shape_of(set->fds[i], object->maps[i]))
			return false;
	return true;
}

int mrd_object_keep(struct mrd_object *object, const struct mrd_pinset *set, bool *ret_sockets)
{
	int r = 0;

	*ret_sockets = may_keep_sockets(object, set);
	for (size_t i = 0; r == 0 && i < MRD_PIN_COUNT; i++) {
		const enum mrd_pin_content content = mrd_pin_content(i);

		if (content == MRD_PIN_WRITTEN || (content == MRD_PIN_OF_SOCKETS && !*ret_sockets))
			continue;
		if (has_shape_of(set->fds[i], object->maps[i]))
			r = bpf_map__reuse_fd(object->maps[i], set->fds[i]);
	}
	return r;
}

int mrd_object_load(struct mrd_object *object, char **ret_error)
{
	const int r = bpf_object__load(object->bpf);

	return r < 0 ? mrd_load_failure(r, mrd_libbpf_log_text(), ret_error) : 0;
}

static int duplicate(int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

int mrd_object_take(const struct mrd_object *object, struct mrd_pinset *ret_set,
		    struct mrd_hook_program ret_programs[MRD_HOOK_COUNT],
		    int ret_tc_fds[MRD_TC_PROGRAMS], int *ret_limit_fd, int *ret_delete_fd)
{
	*ret_limit_fd = duplicate(bpf_program__fd(object->request_limit));
	if (*ret_limit_fd < 0)
		return *ret_limit_fd;
	*ret_delete_fd = duplicate(bpf_program__fd(object->flow_delete));
	if (*ret_delete_fd < 0)
		return *ret_delete_fd;
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		ret_set->fds[i] = duplicate(bpf_map__fd(object->maps[i]));
		if (ret_set->fds[i] < 0)
			return ret_set->fds[i];
	}
	for (size_t i = 0; i < MRD_HOOK_COUNT; i++) {
		const struct bpf_program *program = object->programs[i];

		if (!program)
			continue;
		ret_programs[i].attach_type = (int)bpf_program__expected_attach_type(program);
		ret_programs[i].fd = duplicate(bpf_program__fd(program));
		if (ret_programs[i].fd < 0)
			return ret_programs[i].fd;
	}
	for (size_t i = 0; i < MRD_TC_PROGRAMS; i++) {
		if (!object->tc[i])
			continue;
		ret_tc_fds[i] = duplicate(bpf_program__fd(object->tc[i]));
		if (ret_tc_fds[i] < 0)
			return ret_tc_fds[i];
	}
	return 0;
}
