/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where cgroup v2 is mounted, and a folder on bpffs. */
#ifndef MRD_DATAPLANE_MOUNTS_H
#define MRD_DATAPLANE_MOUNTS_H

#include <stdbool.h>
#include <stdio.h>

/*
 * The mount point of the widest cgroup v2 tree in a mountinfo file (proc(5)), and the cgroup that
 * it shows as its root, as seen from this process's cgroup namespace; to be freed. -ENOENT: there
 * is none.
 */
int mrd_mounts_cgroup2(FILE *mountinfo, char **ret_path, char **ret_root);
/* A process's cgroup v2, from its cgroup file (cgroups(7)), as seen from the same namespace; to be
 * freed. -ENOENT: the file names none. */
int mrd_mounts_own_cgroup(FILE *cgroup, char **ret_path);

/*
 * Opens the cgroup to attach to: "auto", or a path, which must lie on cgroup v2. *ret_path is what
 * it came out as; to be freed. "auto" in a container that sees its own cgroup only: -ENXIO.
 */
int mrd_mounts_open_cgroup(const char *cgroup, char **ret_path, int *ret_fd, char **ret_error);

/*
 * Makes sure that the folder is there and on bpffs. If nothing of the path is on one, a bpffs is
 * mounted: at /sys/fs/bpf for folders below that, else on the folder itself. *ret_mounted is where
 * (to be freed), or NULL if none had to be.
 */
int mrd_mounts_make_bpffs(const char *folder, char **ret_mounted, char **ret_error);
bool mrd_mounts_is_bpffs(const char *path);

#endif
