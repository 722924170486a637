/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sockets of the calling thread's network namespace, found and ended through NETLINK_SOCK_DIAG. */
#ifndef MRD_DATAPLANE_SOCK_DIAG_H
#define MRD_DATAPLANE_SOCK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* cookie: the socket's; is_connecting: TCP's, whose SYN has not been answered. */
typedef bool mrd_sock_diag_wants(void *self, uint64_t cookie, bool is_connecting);

/*
 * Ends every socket of a protocol (IPPROTO_TCP, IPPROTO_UDP) for which is_wanted says so; each by
 * its exact addresses, ports and cookie. Its owner sees ECONNABORTED. Adds to *ended. 0, or the
 * first -errno: -EOPNOTSUPP: the kernel cannot; -EPERM: CAP_NET_ADMIN is missing.
 */
int mrd_sock_diag_end(int protocol, mrd_sock_diag_wants *is_wanted, void *self, size_t *ended);

#endif
