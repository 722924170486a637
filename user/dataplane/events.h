/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The ring buffer of events. */
#ifndef MRD_DATAPLANE_EVENTS_H
#define MRD_DATAPLANE_EVENTS_H

#include "dataplane/dataplane.h"

struct mrd_events;

int mrd_events_open(int ring_fd, struct mrd_events **ret_events);
void mrd_events_close(struct mrd_events *events); /* NULL is fine */
void mrd_events_set(struct mrd_events *events, mrd_event_fn fn, void *self);
int mrd_events_fd(const struct mrd_events *events);
/* Hands out what is there; after a good many events it stops and leaves the rest readable. */
int mrd_events_dispatch(struct mrd_events *events);

#endif
