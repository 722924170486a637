/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The programs at network interfaces: one for what comes in, one for what goes out. By tcx links
 * where the kernel has them (6.6), each pinned as <folder>/tcx_<direction>_<interface's number>;
 * else by filters of the clsact queueing discipline, known by their priority and handle.
 */
#ifndef MRD_DATAPLANE_TC_H
#define MRD_DATAPLANE_TC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

enum mrd_tc_program { MRD_TC_REVERSE, MRD_TC_FORWARD, MRD_TC_PROGRAMS };

extern const char *const mrd_tc_program_names[MRD_TC_PROGRAMS]; /* "mrd_tc_forward" */

enum mrd_tc_direction { MRD_TC_INGRESS, MRD_TC_EGRESS, MRD_TC_DIRECTIONS };

/* Where a program belongs: a pod's packets come in at the host's end of its veth, and leave the
 * node at an uplink. */
enum mrd_tc_direction mrd_tc_direction(enum mrd_tc_program program, bool is_uplink);

struct mrd_tc {
	const char *folder; /* borrowed */
	enum mrd_tc_mode mode;
	int program_fds[MRD_TC_PROGRAMS]; /* -1: not loaded */
	int interface_fd;		  /* borrowed: mrd_interface */
};

/* See dataplane.h. */
int mrd_tc_serve(const struct mrd_tc *tc, uint32_t index, const struct mrd_interface *row,
		 char **ret_error);
int mrd_tc_leave(const struct mrd_tc *tc, uint32_t index, char **ret_error);
bool mrd_tc_is_left(const struct mrd_tc *tc, uint32_t index);
int mrd_tc_left(const struct mrd_tc *tc, uint32_t **ret_indexes, size_t *ret_count);

/* Takes all programs of a folder's agent off all interfaces, needing no agent. Counts them.
 * interface_fd: the pinned mrd_interface, or -1. */
int mrd_tc_remove(const char *folder, int interface_fd, size_t *ret_programs);

#endif
