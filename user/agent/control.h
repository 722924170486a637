/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The control socket: how meridianctl asks the agent.
 *
 * A stream socket of the Unix family, readable and writable by its owner alone. A client sends one
 * line, "verb" or "verb argument", and gets one JSON document and the end of the stream. What went
 * wrong is a document too: {"error": "one sentence"}.
 *
 *	status               what the agent and the kernel do
 *	services             what the kernel holds now, as of view/view.h
 *	endpoints [NS/NAME]
 *	regions
 *	explain NS/NAME[:PORT] [FROM]   why traffic goes where it goes, as of view/view_explain.h;
 *	                     FROM: a pod's address, or REGION[/ZONE[/SUBZONE]]
 *	policy NS/NAME       what holds for a service: {"policy": "YAML"}
 *	detach               links and maps are removed, then the agent ends: {"links": 9, "maps":
 *14}
 *
 * No client can hold the loop: nothing blocks, a client that has not asked and read within
 * MRD_CONTROL_TIMEOUT_MS is dropped, and those beyond MRD_CONTROL_CLIENTS_MAX wait in the backlog.
 */
#ifndef MRD_AGENT_CONTROL_H
#define MRD_AGENT_CONTROL_H

#include <jansson.h>

#include "base/loop.h"

enum {
	MRD_CONTROL_CLIENTS_MAX = 8,
	MRD_CONTROL_TIMEOUT_MS = 5000,
	MRD_CONTROL_LINE_MAX = 512, /* the longest request: a verb and two DNS labels */
};

struct mrd_control;

/* Answers a verb with a new reference. argument is "" if there is none. Returns NULL with
 * *ret_error set to a static sentence otherwise. */
typedef json_t *(*mrd_control_fn)(void *self, const char *verb, const char *argument,
				  const char **ret_error);

/*
 * Makes the socket, its folder too. A socket that nobody answers on is replaced. -EADDRINUSE:
 * another agent answers on it. -ENAMETOOLONG, -errno.
 */
int mrd_control_open(struct mrd_loop *loop, const char *path, mrd_control_fn fn, void *self,
		     struct mrd_control **ret_control);
/* Serves a socket that is connected already. -EBUSY: as many clients as there may be. */
int mrd_control_serve(struct mrd_control *control, int fd);
/* Removes the socket. NULL is fine. */
void mrd_control_close(struct mrd_control *control);

#endif
