/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * List and news come through one socket, in the order in which they happened: an interface that is
 * deleted while it is listed is told first and gone afterwards. The socket listens before it asks,
 * so nothing falls in between.
 */
#include "base/link_watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	DATAGRAM_BYTES = 32768, /* what the kernel fills of a list's datagram at most */
	DATAGRAMS = 8,		/* of one dispatch */
};

struct mrd_link_watch {
	int fd;
	struct mrd_link_watch_hooks hooks;
	bool is_listing;
	bool again; /* something was lost: the list is to be asked for */
	unsigned char *buf;
};

static int open_socket(int *ret_fd)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	MRD_AUTO_FD int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret_fd = MRD_STEAL_FD(fd);
	return 0;
}

/* Counters, which make half of a list, are left out. */
static int ask(struct mrd_link_watch *watch)
{
	const struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
		struct rtattr filter_head;
		uint32_t filter;
	} request = {
		.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.ifi_family = AF_UNSPEC},
		.filter_head = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK},
		.filter = RTEXT_FILTER_SKIP_STATS,
	};

	if (send(watch->fd, &request, sizeof(request), 0) < 0)
		return -errno;
	watch->is_listing = true;
	watch->again = false;
	watch->hooks.listing(watch->hooks.self);
	return 0;
}

/* A list that is under way is waited for: the kernel makes one at a time. */
static void ask_if_due(struct mrd_link_watch *watch)
{
	if (watch->again && !watch->is_listing)
		ask(watch);
}

static void free_watch(struct mrd_link_watch **watch)
{
	mrd_link_watch_free(*watch);
}

int mrd_link_watch_new(const struct mrd_link_watch_hooks *hooks, struct mrd_link_watch **ret_watch)
{
	struct mrd_link_watch *watch MRD_CLEANUP(free_watch) = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->hooks = *hooks;
	watch->fd = -1;
	watch->buf = malloc(DATAGRAM_BYTES);
	if (!watch->buf)
		return -ENOMEM;
	r = open_socket(&watch->fd);
	r = r ?: ask(watch);
	if (r)
		return r;
	*ret_watch = MRD_STEAL_PTR(watch);
	return 0;
}

void mrd_link_watch_free(struct mrd_link_watch *watch)
{
	if (!watch)
		return;
	mrd_cleanup_fd(&watch->fd);
	free(watch->buf);
	free(watch);
}

int mrd_link_watch_fd(const struct mrd_link_watch *watch)
{
	return watch->fd;
}

static void end_list(struct mrd_link_watch *watch, bool is_whole)
{
	watch->is_listing = false;
	watch->again |= !is_whole;
	if (!watch->again)
		watch->hooks.listed(watch->hooks.self);
}

static void take(struct mrd_link_watch *watch, enum mrd_link_word word, const struct mrd_link *link)
{
	switch (word) {
	case MRD_LINK_IS:
		watch->again |= link->is_torn;
		watch->hooks.changed(watch->hooks.self, link);
		break;
	case MRD_LINK_GONE:
		watch->hooks.gone(watch->hooks.self, link->index);
		break;
	case MRD_LINK_END:
		end_list(watch, true);
		break;
	case MRD_LINK_ERROR:
		end_list(watch, false);
		break;
	case MRD_LINK_OTHER:
		break;
	}
}

static void take_datagram(struct mrd_link_watch *watch, size_t len)
{
	enum mrd_link_word word = MRD_LINK_OTHER;
	struct mrd_link link;
	size_t offset = 0;
	int r;

	while ((r = mrd_link_message(watch->buf, len, &offset, &word, &link)) > 0)
		take(watch, word, &link);
	watch->again |= r < 0;
}

void mrd_link_watch_dispatch(struct mrd_link_watch *watch)
{
	for (int i = 0; i < DATAGRAMS; i++) {
		struct sockaddr_nl from = {0};
		struct iovec part = {.iov_base = watch->buf, .iov_len = DATAGRAM_BYTES};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1};
		const ssize_t len = recvmsg(watch->fd, &message, 0);

		if (len < 0 && errno != ENOBUFS)
			break;
		if (len < 0 || message.msg_flags & MSG_TRUNC)
			watch->again = true;
		else if (from.nl_pid == 0) /* of the kernel, and nobody else */
			take_datagram(watch, (size_t)len);
	}
	ask_if_due(watch);
}

void mrd_link_watch_tick(struct mrd_link_watch *watch)
{
	ask_if_due(watch);
}
