/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* on-eject: reset: the open connections of endpoints, ended in the namespaces of their pods. */
#ifndef MRD_DATAPLANE_CONNECTIONS_H
#define MRD_DATAPLANE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mrd_reset {
	size_t ended; /* sockets */
	size_t flows; /* rows of mrd_flow dropped */
	bool more;    /* there are others: call again */
};

/*
 * Ends the connections of these endpoints (sorted by id) that the maps know, about `most` of them;
 * what was dealt with is forgotten. 0, or -errno: -EPERM: network namespaces of pods cannot be
 * entered (CAP_SYS_ADMIN, and the host's processes in sight); -EOPNOTSUPP: the kernel lacks
 * SO_NETNS_COOKIE (Linux 5.14) or INET_DIAG_DESTROY.
 */
int mrd_connections_reset(int connection_fd, int flow_fd, const uint32_t *endpoint_ids,
			  size_t count, size_t most, struct mrd_reset *ret_reset);

#endif
