/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The queueing discipline is shared with whoever else has filters there: it is made if it is
 * missing, and goes only when the last filter has gone. Among filters of one priority each has a
 * handle; ours is of no use to anybody else.
 */
#include "dataplane/clsact.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"

enum {
	PRIORITY = 1,	     /* the first there is */
	HANDLE = 0x006d7264, /* "mrd" */
	ANSWER_BYTES = 32768,
};

static struct bpf_tc_hook hook_of(uint32_t index, enum mrd_tc_direction direction)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)index,
		.attach_point = direction == MRD_TC_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

int mrd_clsact_put(uint32_t index, enum mrd_tc_direction direction, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY,
		    .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE);
	struct bpf_tc_hook hook = hook_of(index, direction);
	int r = bpf_tc_hook_create(&hook);

	if (r < 0 && r != -EEXIST)
		return r;
	return bpf_tc_attach(&hook, &opts);
}

uint32_t mrd_clsact_program(uint32_t index, enum mrd_tc_direction direction)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
	const struct bpf_tc_hook hook = hook_of(index, direction);

	return bpf_tc_query(&hook, &opts) < 0 ? 0 : opts.prog_id;
}

int mrd_clsact_take(uint32_t index, enum mrd_tc_direction direction)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
	const struct bpf_tc_hook hook = hook_of(index, direction);
	int r;

	if (!mrd_clsact_program(index, direction))
		return 0;
	r = bpf_tc_detach(&hook, &opts);
	return r < 0 ? r : 1;
}

/* ----------------------------------------------------------------------- is it anybody else's? */

static int open_netlink(int *ret_fd)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	MRD_AUTO_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret_fd = MRD_STEAL_FD(fd);
	return 0;
}

/* The kernel answers at once, and with one datagram if there is little to say. */
static bool is_empty(int fd, uint32_t index, enum mrd_tc_direction direction)
{
	MRD_AUTO_FREE unsigned char *answer = malloc(ANSWER_BYTES);
	const struct {
		struct nlmsghdr head;
		struct tcmsg body;
	} request = {
		.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = RTM_GETTFILTER,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.tcm_family = AF_UNSPEC,
			 .tcm_ifindex = (int)index,
			 .tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction == MRD_TC_INGRESS
								      ? TC_H_MIN_INGRESS
								      : TC_H_MIN_EGRESS)},
	};
	struct nlmsghdr head;
	ssize_t len;

	if (!answer || send(fd, &request, sizeof(request), 0) < 0)
		return false;
	len = recv(fd, answer, ANSWER_BYTES, 0);
	if (len < (ssize_t)sizeof(head))
		return false;
	memcpy(&head, answer, sizeof(head));
	return head.nlmsg_type == NLMSG_DONE;
}

void mrd_clsact_tidy(uint32_t index)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook),
		.ifindex = (int)index,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS,
	};

	for (int i = 0; i < MRD_TC_DIRECTIONS; i++) {
		MRD_AUTO_FD int fd = -1;

		if (open_netlink(&fd) < 0 || !is_empty(fd, index, (enum mrd_tc_direction)i))
			return;
	}
	bpf_tc_hook_destroy(&hook);
}
