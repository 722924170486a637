/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An interface is served whole or not at all: what is translated one way must be translated back.
 * So the way back comes first and goes last, and if only one of the two can be had the other is
 * put back as it was.
 */
#include "dataplane/tc.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "dataplane/clsact.h"
#include "dataplane/failure.h"
#include "dataplane/tcx.h"

const char *const mrd_tc_program_names[MRD_TC_PROGRAMS] = {
	[MRD_TC_REVERSE] = "mrd_tc_reverse",
	[MRD_TC_FORWARD] = "mrd_tc_forward",
};

enum mrd_tc_direction mrd_tc_direction(enum mrd_tc_program program, bool is_uplink)
{
	return (program == MRD_TC_FORWARD) == is_uplink ? MRD_TC_EGRESS : MRD_TC_INGRESS;
}

/* ------------------------------------------------------------------------------------ both kinds
 */

static int put(const struct mrd_tc *tc, uint32_t index, enum mrd_tc_direction direction,
	       int program_fd)
{
	if (tc->mode == MRD_TC_TCX)
		return mrd_tcx_put(tc->folder, index, direction, program_fd);
	return mrd_clsact_put(index, direction, program_fd);
}

static int take(const struct mrd_tc *tc, uint32_t index, enum mrd_tc_direction direction)
{
	if (tc->mode == MRD_TC_TCX)
		return mrd_tcx_take(tc->folder, index, direction);
	return mrd_clsact_take(index, direction);
}

static uint32_t program_at(const struct mrd_tc *tc, uint32_t index, enum mrd_tc_direction direction)
{
	if (tc->mode == MRD_TC_TCX)
		return mrd_tcx_program(tc->folder, index, direction);
	return mrd_clsact_program(index, direction);
}

/* ----------------------------------------------------------------------------------------- rows */

static int put_row(const struct mrd_tc *tc, uint32_t index, const struct mrd_interface *row)
{
	return bpf_map_update_elem(tc->interface_fd, &index, row, BPF_ANY) < 0 ? -errno : 0;
}

static void del_row(int interface_fd, uint32_t index)
{
	bpf_map_delete_elem(interface_fd, &index);
}

static bool has_row(const struct mrd_tc *tc, uint32_t index)
{
	struct mrd_interface row;

	return bpf_map_lookup_elem(tc->interface_fd, &index, &row) == 0;
}

/* The map's keys; *ret_indexes is to be freed. */
static int list_rows(int interface_fd, uint32_t **ret_indexes, size_t *ret_count)
{
	MRD_AUTO_FREE uint32_t *indexes = NULL;
	size_t count = 0, room = 0;
	uint32_t index;
	int r;

	for (r = bpf_map_get_next_key(interface_fd, NULL, &index); r == 0;
	     r = bpf_map_get_next_key(interface_fd, &index, &index)) {
		if (count == room) {
			uint32_t *more = reallocarray(indexes, room + 64, sizeof(*more));

			if (!more)
				return -ENOMEM;
			indexes = more;
			room += 64;
		}
		indexes[count++] = index;
	}
	if (errno != ENOENT)
		return -errno;
	*ret_indexes = MRD_STEAL_PTR(indexes);
	*ret_count = count;
	return 0;
}

/* ----------------------------------------------------------------------------------------- serve
 */

static int serve_failure(const struct mrd_tc *tc, int error, char **ret_error)
{
	if (error == -EPERM || error == -EACCES)
		return mrd_permission_failure(error, "the programs cannot be attached", ret_error);
	if (error == -ENOENT || error == -EOPNOTSUPP)
		return mrd_failure(ret_error, error,
				   "the kernel lacks what programs are attached by (%s): load "
				   "its modules sch_ingress and cls_bpf",
				   strerror(-error));
	if (error == -ERANGE && tc->mode == MRD_TC_TCX)
		return mrd_failure(ret_error, error,
				   "no room beside the programs of others (bpftool net shows "
				   "them): remove one of them");
	return mrd_failure(ret_error, error,
			   "the programs cannot be attached (%s): see whether others have the "
			   "interface to themselves (bpftool net, tc filter show), or leave it "
			   "out of kernel.interfaces",
			   strerror(-error));
}

static int row_failure(int error, char **ret_error)
{
	if (error == -E2BIG)
		return mrd_failure(ret_error, error,
				   "more than %d interfaces cannot be served: name those that "
				   "are to be in kernel.interfaces",
				   MRD_INTERFACES_MAX);
	return mrd_permission_failure(error, "map mrd_interface cannot be written", ret_error);
}

/* What was there comes back; what cannot, for want of rights, leaves neither of the two. */
static void undo(const struct mrd_tc *tc, uint32_t index, bool is_uplink, int old_fd)
{
	const enum mrd_tc_direction back = mrd_tc_direction(MRD_TC_REVERSE, is_uplink);

	if (old_fd >= 0 && put(tc, index, back, old_fd) == 0)
		return;
	take(tc, index, mrd_tc_direction(MRD_TC_FORWARD, is_uplink));
	take(tc, index, back);
	del_row(tc->interface_fd, index);
}

int mrd_tc_serve(const struct mrd_tc *tc, uint32_t index, const struct mrd_interface *row,
		 char **ret_error)
{
	const enum mrd_tc_direction forth = mrd_tc_direction(MRD_TC_FORWARD, row->is_uplink);
	const enum mrd_tc_direction back = mrd_tc_direction(MRD_TC_REVERSE, row->is_uplink);
	MRD_AUTO_FD int old_fd = -1;
	uint32_t old_program;
	int r = put_row(tc, index, row);

	if (r < 0)
		return row_failure(r, ret_error);
	old_program = program_at(tc, index, back);
	if (old_program)
		old_fd = bpf_prog_get_fd_by_id(old_program);
	r = put(tc, index, back, tc->program_fds[MRD_TC_REVERSE]);
	if (r == 0) {
		r = put(tc, index, forth, tc->program_fds[MRD_TC_FORWARD]);
		if (r < 0)
			undo(tc, index, row->is_uplink, old_fd);
	} else if (!old_program) {
		del_row(tc->interface_fd, index);
	}
	return r < 0 ? serve_failure(tc, r, ret_error) : 0;
}

/* ----------------------------------------------------------------------------------------- leave
 */

int mrd_tc_leave(const struct mrd_tc *tc, uint32_t index, char **ret_error)
{
	struct mrd_interface row = {0};
	int r;

	bpf_map_lookup_elem(tc->interface_fd, &index, &row);
	r = take(tc, index, mrd_tc_direction(MRD_TC_FORWARD, row.is_uplink));
	if (r >= 0)
		r = take(tc, index, mrd_tc_direction(MRD_TC_REVERSE, row.is_uplink));
	if (r < 0 && r != -ENODEV)
		return mrd_permission_failure(r, "the programs cannot be removed", ret_error);
	if (tc->mode == MRD_TC_CLSACT)
		mrd_clsact_tidy(index);
	del_row(tc->interface_fd, index);
	return 0;
}

bool mrd_tc_is_left(const struct mrd_tc *tc, uint32_t index)
{
	return has_row(tc, index) || program_at(tc, index, MRD_TC_INGRESS) ||
	       program_at(tc, index, MRD_TC_EGRESS);
}

int mrd_tc_left(const struct mrd_tc *tc, uint32_t **ret_indexes, size_t *ret_count)
{
	MRD_AUTO_FREE uint32_t *rows = NULL;
	MRD_AUTO_FREE uint32_t *pins = NULL;
	size_t row_count = 0, pin_count = 0;
	uint32_t *all;
	int r = list_rows(tc->interface_fd, &rows, &row_count);

	r = r < 0 ? r : mrd_tcx_list(tc->folder, &pins, &pin_count);
	if (r < 0)
		return r;
	all = reallocarray(pins, row_count + pin_count + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	pins = all;
	if (row_count)
		memcpy(all + pin_count, rows, row_count * sizeof(*all));
	*ret_indexes = MRD_STEAL_PTR(pins);
	*ret_count = row_count + pin_count;
	return 0;
}

/* ---------------------------------------------------------------------------------------- remove
 */

static int remove_at(const char *folder, uint32_t index, size_t *programs)
{
	int failure = 0;

	for (int i = 0; i < MRD_TC_DIRECTIONS; i++) {
		const enum mrd_tc_direction direction = (enum mrd_tc_direction)i;
		const int r_tcx = mrd_tcx_take(folder, index, direction);
		const int r_clsact = mrd_clsact_take(index, direction);

		*programs += (r_tcx > 0) + (r_clsact > 0);
		failure = r_tcx < 0 ? r_tcx : failure;
		if (r_clsact > 0)
			mrd_clsact_tidy(index);
	}
	return failure;
}

int mrd_tc_remove(const char *folder, int interface_fd, size_t *ret_programs)
{
	const struct mrd_tc tc = {.folder = folder, .interface_fd = interface_fd};
	MRD_AUTO_FREE uint32_t *indexes = NULL;
	size_t count = 0;
	int r;

	*ret_programs = 0;
	r = interface_fd < 0 ? mrd_tcx_list(folder, &indexes, &count)
			     : mrd_tc_left(&tc, &indexes, &count);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		const int r_one = remove_at(folder, indexes[i], ret_programs);

		r = r_one < 0 ? r_one : r;
	}
	return r;
}
