/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The events of a replay, one JSON object a line:
 *   {"t_ms": 0, "endpoint": "10.0.0.5:9080", "code": 503}
 *   {"t_ms": 5, "endpoint": "10.0.0.5:9080", "event": "connect-failed"}
 * Events are connect-failed, reset, timeout and connected; one may carry a code, which then stands
 * for the one that the event would be taken for.
 */
#ifndef MRD_CTL_REPLAY_EVENTS_H
#define MRD_CTL_REPLAY_EVENTS_H

#include <stdio.h>

#include "base/diag.h"
#include "ctl/replay_world.h"

struct mrd_replay_event {
	uint64_t t_ms;
	uint32_t endpoint; /* index */
	enum mrd_outlier_signal signal;
	uint32_t code; /* 0: none */
};

struct mrd_replay_events {
	struct mrd_replay_event *items;
	size_t count;
	size_t room;
};

/* All lines; what is wrong with them goes to diag. -ENOMEM, -errno of the read. */
int mrd_replay_events_read(FILE *in, const char *name, const struct mrd_replay_service *service,
			   struct mrd_diag *diag, struct mrd_replay_events *ret_events);
void mrd_replay_events_free(struct mrd_replay_events *events); /* frees what is in it */

#endif
