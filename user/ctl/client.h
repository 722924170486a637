/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Asks the agent through its control socket: one line there, one JSON document back. */
#ifndef MRD_CTL_CLIENT_H
#define MRD_CTL_CLIENT_H

#include <jansson.h>

enum {
	MRD_CLIENT_TIMEOUT_MS = 20000, /* an agent that starts is busy loading programs */
	MRD_CLIENT_VIEW_MS = 5000,     /* what the kernel holds can be shown instead */
	MRD_CLIENT_DETACH_MS = 300000, /* each of hundreds of interfaces takes some 30 ms */
};

/*
 * 0 and the answer, a new reference. -ENOENT, -ECONNREFUSED: no agent runs; -ETIMEDOUT; -EBADMSG:
 * the answer is no JSON document (cut off, say); -errno of the socket.
 */
int mrd_client_ask(const char *control, const char *verb, const char *argument, int timeout_ms,
		   json_t **ret_answer);

#endif
