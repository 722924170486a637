/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/config_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path_watch.h"

/* Editors write in several steps, and a ConfigMap comes as several links. */
static const uint64_t settle_ns = UINT64_C(100) * 1000 * 1000;

struct mrd_config_watch {
	char *path;
	char *text; /* as it was last read; NULL: could not be */
	void (*changed)(void *self);
	void *self;
	struct mrd_path_watch *files;
	struct mrd_watch *events;
	struct mrd_timer *settled;
};

/* NULL: cannot be read, as for a moment while it is replaced. */
static char *read_text(const char *path)
{
	MRD_AUTO_FILE FILE *file = fopen(path, "re");
	MRD_AUTO_FREE char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &room, '\0', file) < 0)
		return feof(file) ? strdup("") : NULL;
	return MRD_STEAL_PTR(text);
}

void mrd_config_watch_know(struct mrd_config_watch *watch)
{
	free(watch->text);
	watch->text = read_text(watch->path);
}

static void on_settled(void *self)
{
	struct mrd_config_watch *watch = self;
	MRD_AUTO_FREE char *text = read_text(watch->path);

	if (text && (!watch->text || strcmp(text, watch->text) != 0))
		watch->changed(watch->self);
}

static void settle(struct mrd_config_watch *watch)
{
	mrd_timer_set(watch->settled, mrd_clock_ns() + settle_ns);
}

static void on_events(void *self, uint32_t epoll_events)
{
	struct mrd_config_watch *watch = self;

	(void)epoll_events;
	if (mrd_path_watch_dispatch(watch->files))
		settle(watch);
}

void mrd_config_watch_tick(struct mrd_config_watch *watch)
{
	if (mrd_path_watch_tick(watch->files))
		settle(watch);
}

void mrd_config_watch_free(struct mrd_config_watch *watch)
{
	if (!watch)
		return;
	mrd_loop_unwatch(watch->events);
	mrd_timer_free(watch->settled);
	mrd_path_watch_free(watch->files);
	free(watch->path);
	free(watch->text);
	free(watch);
}

static void free_watch(struct mrd_config_watch **watch)
{
	mrd_config_watch_free(*watch);
}

int mrd_config_watch_new(const char *path, struct mrd_loop *loop, void (*changed)(void *self),
			 void *self, struct mrd_config_watch **ret_watch)
{
	struct mrd_config_watch *watch MRD_CLEANUP(free_watch) = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->changed = changed;
	watch->self = self;
	watch->path = strdup(path);
	if (!watch->path)
		return -ENOMEM;
	r = mrd_path_watch_new(&watch->path, 1, &watch->files);
	r = r ?: mrd_loop_timer(loop, on_settled, watch, &watch->settled);
	r = r
		    ?: mrd_loop_watch(loop, mrd_path_watch_fd(watch->files), EPOLLIN, on_events,
				      watch, &watch->events);
	if (r)
		return r;
	mrd_config_watch_know(watch);
	*ret_watch = MRD_STEAL_PTR(watch);
	return 0;
}
