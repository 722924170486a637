/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* on-eject: reset: the open connections of endpoints, ended in the namespaces of their pods. */
#ifndef MRD_DATAPLANE_CONNECTIONS_H
#define MRD_DATAPLANE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mrd_reset {
	size_t ended;  /* sockets */
	size_t flows;  /* rows of mrd_flow dropped */
	size_t unseen; /* sockets whose network namespace is not in sight: they stay */
	bool more;     /* there are others: call again */
};

/*
 * Could they be ended, as far as can be told before? -EPERM: network namespaces cannot be entered
 * (CAP_SYS_ADMIN); -EOPNOTSUPP: the kernel lacks SO_NETNS_COOKIE (Linux 5.14).
 */
int mrd_connections_check(void);

/*
 * Ends the connections of these endpoints (sorted by id) that the maps know, about `most` of them,
 * but not those that nobody has answered yet: they may be rescued. What was dealt with is
 * forgotten. 0, or -errno: those of mrd_connections_check(), and -EOPNOTSUPP also if the kernel
 * lacks INET_DIAG_DESTROY. delete_fd: for mrd_flow_delete().
 */
int mrd_connections_reset(int connection_fd, int flow_fd, int delete_fd,
			  const uint32_t *endpoint_ids, size_t count, size_t most,
			  struct mrd_reset *ret_reset);

#endif
