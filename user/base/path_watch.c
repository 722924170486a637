/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/path_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A file counts when it is closed, not when it is made: before that it may be half written. A
 * symbolic link is whole at once. */
static const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
			     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

struct place {
	char *folder;
	char *name;	     /* of the one file that counts; NULL: all of the folder */
	int wd;		     /* -1: not there */
	uint64_t seen_links; /* behind_links() at the last look */
	uint64_t told_links; /* and when the reader was last told of a change */
};

struct mrd_path_watch {
	int fd;
	struct place *places;
	size_t count;
};

static bool is_folder(const char *path)
{
	struct stat found;

	return !stat(path, &found) && S_ISDIR(found.st_mode);
}

static int set_place(struct place *place, const char *path)
{
	const char *slash = strrchr(path, '/');

	place->wd = -1;
	if (is_folder(path)) {
		place->folder = strdup(path);
		return place->folder ? 0 : -ENOMEM;
	}
	place->name = strdup(slash ? slash + 1 : path);
	if (!slash)
		place->folder = strdup(".");
	else
		place->folder = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	return place->name && place->folder ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------------ behind links */

/* A number that changes with what the link leads to; 0: it is none, or leads nowhere. */
static uint64_t behind_link(const struct place *place, const char *name)
{
	char path[PATH_MAX];
	struct stat found;
	const int len = snprintf(path, sizeof(path), "%s/%s", place->folder, name);
	uint64_t sum;

	if (len < 0 || (size_t)len >= sizeof(path) || lstat(path, &found) ||
	    !S_ISLNK(found.st_mode) || stat(path, &found))
		return 0;
	sum = found.st_ino;
	sum = sum * 31 + (uint64_t)found.st_size;
	sum = sum * 31 + (uint64_t)found.st_ctim.tv_sec;
	return sum * 31 + (uint64_t)found.st_ctim.tv_nsec;
}

/* The same of all links that count. */
static uint64_t behind_links(const struct place *place)
{
	MRD_AUTO_DIR DIR *folder = place->name ? NULL : opendir(place->folder);
	const struct dirent *entry;
	uint64_t sum = 0;

	if (place->name)
		return behind_link(place, place->name);
	while (folder && (entry = readdir(folder)))
		sum += behind_link(place, entry->d_name);
	return sum;
}

/* A file behind a link is watched by nobody. Whether one has changed, and has been left alone since
 * the last look: it may be half written. */
static bool look_behind_links(struct mrd_path_watch *watch)
{
	bool changed = false;

	for (size_t i = 0; i < watch->count; i++) {
		struct place *place = &watch->places[i];
		const uint64_t now = behind_links(place);

		if (now == place->seen_links && now != place->told_links) {
			place->told_links = now;
			changed = true;
		}
		place->seen_links = now;
	}
	return changed;
}

/* All that links lead to is about to be read. */
static void note_links(struct mrd_path_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct place *place = &watch->places[i];

		place->seen_links = place->told_links = behind_links(place);
	}
}

/* ------------------------------------------------------------------------ folders */

/* Whether a folder has come. */
static bool look(struct mrd_path_watch *watch)
{
	bool come = false;

	for (size_t i = 0; i < watch->count; i++) {
		struct place *place = &watch->places[i];

		if (place->wd >= 0)
			continue;
		place->wd = inotify_add_watch(watch->fd, place->folder, mask);
		come = come || place->wd >= 0;
	}
	return come;
}

static void free_watch(struct mrd_path_watch **watch)
{
	mrd_path_watch_free(*watch);
}

int mrd_path_watch_new(char *const *paths, size_t count, struct mrd_path_watch **ret_watch)
{
	struct mrd_path_watch *watch MRD_CLEANUP(free_watch) = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return -errno;
	watch->places = calloc(count + 1, sizeof(*watch->places));
	if (!watch->places)
		return -ENOMEM;
	for (; watch->count < count; watch->count++) {
		int r = set_place(&watch->places[watch->count], paths[watch->count]);

		if (r) {
			watch->count++; /* what it has is freed */
			return r;
		}
	}
	look(watch);
	note_links(watch);
	*ret_watch = MRD_STEAL_PTR(watch);
	return 0;
}

void mrd_path_watch_free(struct mrd_path_watch *watch)
{
	if (!watch)
		return;
	for (size_t i = 0; i < watch->count; i++) {
		free(watch->places[i].folder);
		free(watch->places[i].name);
	}
	free(watch->places);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}

int mrd_path_watch_fd(const struct mrd_path_watch *watch)
{
	return watch->fd;
}

static bool is_link(const struct place *place, const char *name)
{
	char path[PATH_MAX];
	struct stat found;
	const int len = snprintf(path, sizeof(path), "%s/%s", place->folder, name);

	return len > 0 && (size_t)len < sizeof(path) && !lstat(path, &found) &&
	       S_ISLNK(found.st_mode);
}

static bool concerns(const struct place *place, const struct inotify_event *event)
{
	if (event->wd != place->wd)
		return false;
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
		return true;
	if (!event->len)
		return false;
	/* Names with two dots are a ConfigMap's links to the files. */
	if (place->name && strcmp(place->name, event->name) != 0 &&
	    strncmp(event->name, "..", 2) != 0)
		return false;
	return !(event->mask & IN_CREATE) || is_link(place, event->name);
}

static bool take_event(struct mrd_path_watch *watch, const struct inotify_event *event)
{
	bool changed = event->mask & IN_Q_OVERFLOW;

	for (size_t i = 0; i < watch->count; i++) {
		struct place *place = &watch->places[i];

		if (!concerns(place, event))
			continue;
		changed = true;
		if (event->mask & IN_MOVE_SELF) /* it would tell of a folder elsewhere */
			inotify_rm_watch(watch->fd, place->wd);
		if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
			place->wd = -1;
	}
	return changed;
}

bool mrd_path_watch_dispatch(struct mrd_path_watch *watch)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool changed = false;
	ssize_t len;

	while ((len = read(watch->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < len;) {
			const struct inotify_event *event = (const void *)(buf + at);

			changed |= take_event(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	if (changed)
		note_links(watch);
	return changed;
}

bool mrd_path_watch_tick(struct mrd_path_watch *watch)
{
	const bool come = look(watch);

	return look_behind_links(watch) || come;
}
