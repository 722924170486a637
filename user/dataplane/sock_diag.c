/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A dump names the sockets, then each that is wanted is ended: not while the dump goes on, for both
 * would answer on one netlink socket. */
#include "dataplane/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { ANSWER_BYTES = 32768, TIMEOUT_S = 1 };

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

struct found {
	struct inet_diag_sockid *ids;
	size_t count;
};

struct dump {
	mrd_sock_diag_wants *is_wanted;
	void *self;
	struct found *found;
};

static int open_socket(void)
{
	const struct timeval limit = {.tv_sec = TIMEOUT_S};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static int ask(int fd, uint16_t type, uint16_t flags, const struct inet_diag_req_v2 *body)
{
	struct request request = {
		.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = type,
			 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
		.body = *body,
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

static int take_socket(const struct dump *dump, const struct inet_diag_msg *msg)
{
	const uint64_t cookie = msg->id.idiag_cookie[0] | (uint64_t)msg->id.idiag_cookie[1] << 32;
	struct found *found = dump->found;
	struct inet_diag_sockid *more;

	if (!dump->is_wanted(dump->self, cookie, msg->idiag_state == TCP_SYN_SENT))
		return 0;
	more = reallocarray(found->ids, found->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	found->ids = more;
	more[found->count++] = msg->id;
	return 0;
}

static int error_of(const struct nlmsghdr *head)
{
	return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
}

/* 1: the dump goes on. dump: NULL: an acknowledgement is awaited. */
static int take_answer(const char *bytes, size_t len, const struct dump *dump)
{
	const struct nlmsghdr *head = (const void *)bytes;
	int r = 0;

	for (; !r && NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
		if (head->nlmsg_type == NLMSG_DONE)
			return 0;
		if (head->nlmsg_type == NLMSG_ERROR)
			return error_of(head);
		if (dump && head->nlmsg_type == SOCK_DIAG_BY_FAMILY)
			r = take_socket(dump, NLMSG_DATA(head));
	}
	return r ? r : 1;
}

static int await(int fd, const struct dump *dump)
{
	MRD_AUTO_FREE char *bytes = malloc(ANSWER_BYTES);
	int r = bytes ? 1 : -ENOMEM;

	while (r == 1) {
		const ssize_t len = recv(fd, bytes, ANSWER_BYTES, 0);

		r = len < 0 ? -errno : take_answer(bytes, (size_t)len, dump);
	}
	return r;
}

static int end_family(int fd, int family, int protocol, const struct dump *dump, size_t *ended)
{
	struct inet_diag_req_v2 body = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = (uint8_t)protocol,
		.idiag_states = UINT32_MAX,
	};
	struct found *found = dump->found;
	int r;

	found->count = 0;
	r = ask(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &body);
	r = r ? r : await(fd, dump);
	for (size_t i = 0; !r && i < found->count; i++) {
		body.id = found->ids[i];
		r = ask(fd, SOCK_DESTROY, NLM_F_ACK, &body);
		r = r ? r : await(fd, NULL);
		*ended += !r;
		if (r == -ENOENT)
			r = 0; /* it has ended by itself */
	}
	return r;
}

int mrd_sock_diag_end(int protocol, mrd_sock_diag_wants *is_wanted, void *self, size_t *ended)
{
	static const int families[] = {AF_INET, AF_INET6};
	MRD_AUTO_FD int fd = open_socket();
	struct found found = {0};
	const struct dump dump = {.is_wanted = is_wanted, .self = self, .found = &found};
	int r = fd < 0 ? fd : 0;

	for (size_t i = 0; !r && i < sizeof(families) / sizeof(families[0]); i++)
		r = end_family(fd, families[i], protocol, &dump, ended);
	free(found.ids);
	return r;
}
