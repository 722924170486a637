/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What replay is fed with: one JSON object a line. */
#ifndef MRD_CTL_REPLAY_EVENTS_H
#define MRD_CTL_REPLAY_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "ctl/replay_arguments.h"
#include "outlier/outlier.h"

struct mrd_replay_event {
	uint64_t t_ms;
	size_t endpoint; /* its index among the arguments' */
	enum mrd_outlier_signal signal;
	uint32_t code; /* 0: none */
};

struct mrd_replay_events {
	struct mrd_replay_event *events; /* in order of time */
	size_t count;
	size_t room;
};

/*
 * Reads all of the file that the arguments name. What is wrong goes to diag, all of it, each with
 * its place. 0 also then; -ENOMEM.
 */
int mrd_replay_events_read(const struct mrd_replay_arguments *arguments, struct mrd_diag *diag,
			   struct mrd_replay_events *ret_events);
void mrd_replay_events_free(struct mrd_replay_events *events); /* frees what is in it */
#define MRD_AUTO_REPLAY_EVENTS __attribute__((cleanup(mrd_replay_events_free)))

#endif
