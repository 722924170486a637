/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * inotify tells which file was written and closed, moved in or out, or deleted. A file is read when
 * its writer closes it, so that one half-written is not read at all. Where events do not tell what
 * changed (the queue overflowed; a mounted ConfigMap swaps the link "..data" that its files go
 * through) the folder is scanned, and files that differ are read.
 *
 * A file that vanishes is given a moment (GONE_GRACE_NS) before its objects go. An editor that
 * saves by renaming, and two files between which an object moves, then lose nothing in between; and
 * when a whole folder is being removed, the folder's end comes before its files'.
 *
 * The folder itself may be a link, be replaced or come later: a look once a second, at the tick,
 * finds that. Files behind links to other folders are not watched there.
 */
#include "source/file_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/doc.h"
#include "base/strbuf.h"
#include "base/table.h"
#include "source/owners.h"
#include "source/unit.h"

enum {
	EVENT_ROOM = 65536, /* many events a read; the longest takes 272 bytes */
	READS_MAX = 16,	    /* a dispatch, so that a busy writer does not keep the loop */
};

#define GONE_GRACE_NS 250000000ULL
#define WATCHED                                                                                  \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ONLYDIR)

struct mrd_file_source {
	struct mrd_file_source_config config;
	char *directory;
	int fd;
	int watch; /* -1: the folder is not there */
	dev_t device;
	ino_t inode;
	struct mrd_table *units; /* file name → struct mrd_unit */
	struct mrd_owners *owners;
	bool must_scan;
	uint64_t opened_ns;
	uint64_t last_heard_ns;
	uint64_t failing_since_ns;
	char *folder_error; /* NULL: none */
};

static void unit_free(void *value)
{
	mrd_unit_free(value);
}

/* ------------------------------------------------------------------------ names, units */

static int path_of(const struct mrd_file_source *source, const char *name, char **ret_path)
{
	return asprintf(ret_path, "%s/%s", source->directory, name) < 0 ? -ENOMEM : 0;
}

static int unit_get(struct mrd_file_source *source, const char *name, struct mrd_unit **ret_unit)
{
	MRD_AUTO_FREE char *path = NULL;
	struct mrd_unit *unit = mrd_table_get_str(source->units, name);
	int ret;

	if (unit) {
		*ret_unit = unit;
		return 0;
	}
	ret = path_of(source, name, &path);
	if (ret < 0)
		return ret;
	ret = mrd_unit_new(source->owners, path, &unit);
	if (ret < 0)
		return ret;
	ret = mrd_table_put_str(source->units, name, unit);
	if (ret < 0) {
		mrd_owners_remove(source->owners, unit->owner);
		mrd_unit_free(unit);
		return ret;
	}
	*ret_unit = unit;
	return 0;
}

static int note_changed(struct mrd_file_source *source, const char *name)
{
	struct mrd_unit *unit;
	int ret = unit_get(source, name, &unit);

	if (ret == 0)
		unit->pending = true;
	return ret;
}

/* ------------------------------------------------------------------------ the folder */

/* Nothing is known of the files any more; all that they said stands, also where one had just gone:
 * it was the folder that went. */
static void lose_folder(struct mrd_file_source *source, int error, uint64_t now_ns)
{
	struct mrd_unit *unit;
	size_t cursor = 0;

	if (source->watch >= 0)
		inotify_rm_watch(source->fd, source->watch);
	source->watch = -1;
	free(source->folder_error);
	if (asprintf(&source->folder_error, "%s: %s", source->directory, strerror(-error)) < 0)
		source->folder_error = NULL;
	if (!source->failing_since_ns)
		source->failing_since_ns = now_ns;
	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL))) {
		unit->pending = false;
		mrd_unit_set_present(unit, source->owners);
	}
}

/* Watches the folder that has this name now, if it is not the one that is watched already. */
static void find_folder(struct mrd_file_source *source, uint64_t now_ns)
{
	struct stat info;

	if (stat(source->directory, &info) < 0) {
		lose_folder(source, -errno, now_ns);
		return;
	}
	if (source->watch >= 0) {
		if (info.st_dev == source->device && info.st_ino == source->inode)
			return;
		inotify_rm_watch(source->fd, source->watch);
	}
	source->watch = inotify_add_watch(source->fd, source->directory, WATCHED);
	if (source->watch < 0) {
		lose_folder(source, -errno, now_ns);
		return;
	}
	source->device = info.st_dev;
	source->inode = info.st_ino;
	source->must_scan = true;
	source->failing_since_ns = 0;
	free(source->folder_error);
	source->folder_error = NULL;
}

/* Marks what differs from what was read, and what is missing, to be looked at. */
static int scan(struct mrd_file_source *source)
{
	MRD_AUTO_DIR DIR *directory = opendir(source->directory);
	const struct dirent *entry;
	struct mrd_unit *unit;
	size_t cursor = 0;

	if (!directory)
		return -errno;
	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL)))
		unit->seen = false;
	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		int ret;

		if (!mrd_doc_is_file_name(entry->d_name))
			continue;
		ret = unit_get(source, entry->d_name, &unit);
		if (ret < 0)
			return ret;
		unit->seen = true;
		unit->pending |= unit->gone_since_ns || mrd_unit_differs(unit);
	}
	if (errno)
		return -errno;
	cursor = 0;
	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL)))
		unit->pending |= !unit->seen;
	source->must_scan = false;
	return 0;
}

/* ------------------------------------------------------------------------ events */

/* Links are complete when they are made; a file made otherwise will be closed. */
static bool is_link(const struct mrd_file_source *source, const char *name)
{
	MRD_AUTO_FREE char *path = NULL;
	struct stat info;

	if (path_of(source, name, &path) < 0 || lstat(path, &info) < 0)
		return false;
	return S_ISLNK(info.st_mode) || (S_ISREG(info.st_mode) && info.st_nlink > 1);
}

static int handle_event(struct mrd_file_source *source, const struct inotify_event *event,
			uint64_t now_ns)
{
	if (event->mask & IN_Q_OVERFLOW) {
		source->must_scan = true;
		return 0;
	}
	if (event->wd != source->watch)
		return 0; /* of a folder that is not ours any more */
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) {
		lose_folder(source, -ENOENT, now_ns);
		return 0;
	}
	if (!event->len || ((event->mask & IN_CREATE) && !is_link(source, event->name)))
		return 0;
	if (mrd_doc_is_file_name(event->name))
		return note_changed(source, event->name);
	if (event->mask & (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM))
		source->must_scan = true; /* the manifests may be links that go through it */
	return 0;
}

static int read_events(struct mrd_file_source *source, uint64_t now_ns)
{
	char buf[EVENT_ROOM] __attribute__((aligned(__alignof__(struct inotify_event))));

	for (int i = 0; i < READS_MAX; i++) {
		const ssize_t got = read(source->fd, buf, sizeof(buf));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno != EAGAIN ? -errno : 0;
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(buf + at);
			int ret = handle_event(source, event, now_ns);

			if (ret < 0)
				return ret;
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return 0;
}

/* ------------------------------------------------------------------------ applying */

static int read_pending(struct mrd_file_source *source, uint64_t now_ns, struct mrd_diag *news)
{
	struct mrd_unit *unit;
	size_t cursor = 0;
	int result = 0;

	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL))) {
		bool recovered;
		int ret;

		if (!unit->pending)
			continue;
		unit->pending = false;
		ret = mrd_unit_read(unit, source->owners, now_ns, news, &recovered);
		if (ret < 0)
			result = ret;
		else if (recovered && source->config.recovered)
			source->config.recovered(source->config.self, unit->path);
	}
	return result;
}

static void drop_gone(struct mrd_file_source *source, uint64_t now_ns)
{
	struct mrd_unit *unit;
	const void *name;
	size_t name_len;
	size_t cursor = 0;

	while ((unit = mrd_table_next(source->units, &cursor, &name, &name_len))) {
		if (!unit->gone_since_ns || now_ns - unit->gone_since_ns < GONE_GRACE_NS)
			continue;
		mrd_owners_remove(source->owners, unit->owner);
		mrd_table_delete(source->units, name, name_len);
	}
}

/* Without memory some of it was not applied; all files are read again at the next tick. */
static void ask_again(struct mrd_file_source *source)
{
	struct mrd_unit *unit;
	size_t cursor = 0;

	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL)))
		unit->retry = true;
}

static int apply(struct mrd_file_source *source, uint64_t now_ns)
{
	MRD_AUTO_DIAG struct mrd_diag news = {0};
	int ret = 0;
	int settled;

	if (source->watch >= 0 && source->must_scan)
		ret = scan(source);
	if (ret < 0 && ret != -ENOMEM) {
		lose_folder(source, ret, now_ns);
		ret = 0;
	}
	if (source->watch >= 0) {
		int read = read_pending(source, now_ns, &news);

		ret = read < 0 ? read : ret;
		drop_gone(source, now_ns);
		source->last_heard_ns = now_ns;
	}
	settled = mrd_owners_settle(source->owners, &news);
	if (settled < 0) {
		ask_again(source);
		ret = settled;
	}
	mrd_diag_sort(&news);
	if (news.count && source->config.findings)
		source->config.findings(source->config.self, &news);
	return ret;
}

int mrd_file_source_dispatch(struct mrd_file_source *source, uint64_t now_ns)
{
	int ret = read_events(source, now_ns);
	int applied;

	if (ret < 0)
		source->must_scan = true;
	if (source->watch < 0)
		find_folder(source, now_ns);
	applied = apply(source, now_ns);
	return ret < 0 ? ret : applied;
}

int mrd_file_source_tick(struct mrd_file_source *source, uint64_t now_ns)
{
	struct mrd_unit *unit;
	size_t cursor = 0;

	find_folder(source, now_ns);
	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL)))
		unit->pending |= unit->retry || (unit->is_link && mrd_unit_differs(unit));
	return apply(source, now_ns);
}

/* ------------------------------------------------------------------------ life, status */

int mrd_file_source_fd(const struct mrd_file_source *source)
{
	return source->fd;
}

void mrd_file_source_get_status(const struct mrd_file_source *source,
				struct mrd_source_status *ret_status)
{
	struct mrd_source_status status = {
		.where = source->directory,
		.readable = source->watch >= 0,
		.last_heard_ns = source->last_heard_ns,
		.failing_since_ns = source->failing_since_ns,
		.error = "",
		.files = mrd_table_count(source->units),
	};
	const struct mrd_unit *unit;
	uint64_t newest = 0;
	size_t cursor = 0;

	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL))) {
		status.broken_files += unit->broken;
		if (unit->broken &&
		    (!status.broken_since_ns || unit->broken_ns < status.broken_since_ns))
			status.broken_since_ns = unit->broken_ns;
		if (!unit->error || unit->error_ns < newest)
			continue;
		newest = unit->error_ns;
		status.error = unit->error;
	}
	if (source->folder_error)
		status.error = source->folder_error;
	status.read = status.last_heard_ns;
	status.rules_read = true;
	status.complete = status.read && !status.broken_files;
	if (!status.readable)
		status.silent_since_ns = status.last_heard_ns ?: source->opened_ns;
	status.alive_ns = status.silent_since_ns ?: UINT64_MAX;
	*ret_status = status;
}

void mrd_file_source_each_broken(const struct mrd_file_source *source, mrd_broken_fn fn, void *self)
{
	const struct mrd_unit *unit;
	size_t cursor = 0;

	while ((unit = mrd_table_next(source->units, &cursor, NULL, NULL)))
		if (unit->broken && !fn(self, unit->error ?: unit->path))
			return;
}

void mrd_file_source_move(struct mrd_file_source *source,
			  const struct mrd_file_source_config *config)
{
	source->config = *config;
	source->must_scan = true;
	mrd_owners_move(source->owners, config->model, config->cluster);
}

void mrd_file_source_free(struct mrd_file_source *source)
{
	if (!source)
		return;
	if (source->fd >= 0)
		close(source->fd);
	mrd_table_free(source->units);
	mrd_owners_free(source->owners);
	free(source->folder_error);
	free(source->directory);
	free(source);
}

static void cleanup_source(struct mrd_file_source **source)
{
	mrd_file_source_free(*source);
}

int mrd_file_source_new(const struct mrd_file_source_config *config, uint64_t now_ns,
			struct mrd_file_source **ret_source)
{
	MRD_CLEANUP(cleanup_source) struct mrd_file_source *source = calloc(1, sizeof(*source));
	size_t len = strlen(config->directory);
	int ret;

	if (!source)
		return -ENOMEM;
	source->config = *config;
	source->opened_ns = now_ns;
	source->fd = -1;
	source->watch = -1;
	while (len > 1 && config->directory[len - 1] == '/')
		len--;
	source->directory = strndup(config->directory, len);
	source->units = mrd_table_new(unit_free);
	if (!source->directory || !source->units)
		return -ENOMEM;
	ret = mrd_owners_new(config->model, config->cluster, &source->owners);
	if (ret < 0)
		return ret;
	source->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (source->fd < 0)
		return -errno;
	find_folder(source, now_ns);
	ret = apply(source, now_ns);
	if (ret < 0)
		return ret;
	*ret_source = MRD_STEAL_PTR(source);
	return 0;
}
