/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Tells when a file may have changed, so that a saved policy or a rotated secret takes effect
 * without a restart. Folders are watched rather than files: editors and Kubernetes' ConfigMaps put
 * a new file in place of the old one.
 */
#ifndef MRD_BASE_PATH_WATCH_H
#define MRD_BASE_PATH_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct mrd_path_watch;

/* paths: files and folders; copied. -ENOMEM, or -errno of inotify. */
int mrd_path_watch_new(char *const *paths, size_t count, struct mrd_path_watch **ret_watch);
void mrd_path_watch_free(struct mrd_path_watch *watch); /* NULL is fine */

int mrd_path_watch_fd(const struct mrd_path_watch *watch);
/* When it is readable: whether something may have changed. */
bool mrd_path_watch_dispatch(struct mrd_path_watch *watch);
/* About once a second: looks for folders that were not there, and at what symbolic links lead to,
 * which is watched by nobody. Whether a folder has come, or a file behind a link has changed. */
bool mrd_path_watch_tick(struct mrd_path_watch *watch);

#endif
