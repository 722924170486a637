/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/events.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

enum {
	/* Of one dispatch, so that a storm of errors does not keep the agent from its other work.
	 * The descriptor is level-triggered: the loop comes back at once. */
	EVENTS_AT_ONCE = 1024,
};

struct mrd_events {
	struct ring_buffer *ring;
	mrd_event_fn fn;
	void *self;
	unsigned int left;
};

static int on_record(void *self, void *data, size_t size)
{
	struct mrd_events *events = self;

	if (events->fn && size >= sizeof(struct mrd_event))
		events->fn(events->self, data);
	/* A negative answer ends the reading; the record counts as read. */
	return --events->left ? 0 : -EAGAIN;
}

int mrd_events_open(int ring_fd, struct mrd_events **ret_events)
{
	struct mrd_events *events = calloc(1, sizeof(*events));
	int r;

	if (!events)
		return -ENOMEM;
	events->ring = ring_buffer__new(ring_fd, on_record, events, NULL);
	if (!events->ring) {
		r = -errno;
		free(events);
		return r;
	}
	*ret_events = events;
	return 0;
}

void mrd_events_close(struct mrd_events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	free(events);
}

void mrd_events_set(struct mrd_events *events, mrd_event_fn fn, void *self)
{
	events->fn = fn;
	events->self = self;
}

int mrd_events_fd(const struct mrd_events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

int mrd_events_dispatch(struct mrd_events *events)
{
	int r;

	events->left = EVENTS_AT_ONCE;
	r = ring_buffer__consume(events->ring);
	return r < 0 && r != -EAGAIN ? r : 0;
}
