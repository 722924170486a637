/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Follows the configuration file, so that a saved change takes effect without a signal: in a pod
 * nobody can send one. What counts is its text, not that somebody wrote it.
 */
#ifndef MRD_AGENT_CONFIG_WATCH_H
#define MRD_AGENT_CONFIG_WATCH_H

#include "base/loop.h"

struct mrd_config_watch;

/* changed is called from the loop once the file has settled with another text. -ENOMEM, -errno of
 * inotify or the loop. */
int mrd_config_watch_new(const char *path, struct mrd_loop *loop, void (*changed)(void *self),
			 void *self, struct mrd_config_watch **ret_watch);
void mrd_config_watch_free(struct mrd_config_watch *watch); /* NULL is fine */

/* What the file says now is about to be read: it is no change. */
void mrd_config_watch_know(struct mrd_config_watch *watch);
/* About once a second: looks for a folder that was not there. */
void mrd_config_watch_tick(struct mrd_config_watch *watch);

#endif
