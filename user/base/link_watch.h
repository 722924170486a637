/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Follows the network interfaces of this process's network namespace. All are told first, as a
 * list; then what changes. If the kernel could not tell everything (its buffer for us was full),
 * all are told again.
 */
#ifndef MRD_BASE_LINK_WATCH_H
#define MRD_BASE_LINK_WATCH_H

#include "base/link_message.h"

struct mrd_link_watch;

struct mrd_link_watch_hooks {
	void (*listing)(void *self); /* a list begins: whatever is there is told from here on */
	void (*listed)(void *self);  /* what has not been told since is not there */
	void (*changed)(void *self, const struct mrd_link *link); /* also for what is new */
	void (*gone)(void *self, uint32_t index);
	void *self;
};

/* -errno of the socket. */
int mrd_link_watch_new(const struct mrd_link_watch_hooks *hooks, struct mrd_link_watch **ret_watch);
void mrd_link_watch_free(struct mrd_link_watch *watch); /* NULL is fine */

int mrd_link_watch_fd(const struct mrd_link_watch *watch);
/* When it is readable: calls the hooks. Reads a bounded number of datagrams; the descriptor stays
 * readable while there are more. */
void mrd_link_watch_dispatch(struct mrd_link_watch *watch);
/* About once a second: asks for the list again if that had failed. */
void mrd_link_watch_tick(struct mrd_link_watch *watch);

#endif
