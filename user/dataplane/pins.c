/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"

static const char map_prefix[] = "mrd_";

void mrd_pin_path(char path[PATH_MAX], const char *folder, const char *prefix, const char *name)
{
	/* Too long for the kernel as well: the empty path fails with ENOENT whatever is tried. */
	if (snprintf(path, PATH_MAX, "%s/%s%s", folder, prefix, name) >= PATH_MAX)
		*path = '\0';
}

bool mrd_pins_is_locked(const char *folder)
{
	MRD_AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Shared, so that two who ask do not take each other for an agent. */
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* ------------------------------------------------------------------------------------- names */

void mrd_names_free(struct mrd_names *names)
{
	for (size_t i = 0; names->items && i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct mrd_names){0};
}

int mrd_names_read(const char *folder, const char *prefix, struct mrd_names *ret_names)
{
	MRD_AUTO_NAMES struct mrd_names names = {0};
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort);
	int r = 0;

	if (count < 0)
		return -errno;
	names.items = calloc((size_t)count + 1, sizeof(*names.items));
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		const bool is_dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;

		if (names.items && !is_dots && strncmp(name, prefix, strlen(prefix)) == 0) {
			names.items[names.count] = strdup(name);
			if (names.items[names.count])
				names.count++;
			else
				r = -ENOMEM;
		}
		free(entries[i]);
	}
	free(entries);
	if (!names.items || r < 0)
		return -ENOMEM;
	ret_names->count = names.count;
	ret_names->items = MRD_STEAL_PTR(names.items);
	return 0;
}

/* Unlinks what starts with prefix and keep (may be NULL) does not want. -errno of the first
 * failure, after trying all. */
static int unlink_all(const char *folder, const char *prefix, bool (*keep)(const char *name),
		      size_t *ret_removed)
{
	MRD_AUTO_NAMES struct mrd_names names = {0};
	int r = mrd_names_read(folder, prefix, &names);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.count; i++) {
		char path[PATH_MAX];

		if (keep && keep(names.items[i]))
			continue;
		mrd_pin_path(path, folder, "", names.items[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			r = r < 0 ? r : -errno;
		else if (ret_removed)
			(*ret_removed)++;
	}
	return r;
}

static int remove_subfolder(const char *folder, const char *name)
{
	char path[PATH_MAX];
	int r;

	mrd_pin_path(path, folder, "", name);
	r = unlink_all(path, "", NULL, NULL);
	if (r < 0)
		return r;
	return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* ----------------------------------------------------------------------------------- journal */

bool mrd_pins_present(const char *folder)
{
	static const char *const prefixes[] = {"mrd_", "link_"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		MRD_AUTO_NAMES struct mrd_names names = {0};

		if (mrd_names_read(folder, prefixes[i], &names) == 0 && names.count)
			return true;
	}
	return false;
}

static int pin_all(const char *folder, const struct mrd_pinset *set)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		char path[PATH_MAX];

		mrd_pin_path(path, folder, "", mrd_pin_name(i));
		if (bpf_obj_pin(set->fds[i], path) < 0)
			return -errno;
	}
	return 0;
}

int mrd_pins_stage(const char *folder, const struct mrd_pinset *set)
{
	char next[PATH_MAX], swap[PATH_MAX];
	int r;

	mrd_pin_path(next, folder, "", "next");
	mrd_pin_path(swap, folder, "", "swap");
	if (mkdir(next, 0700) < 0)
		return -errno;
	r = pin_all(next, set);
	if (r == 0 && rename(next, swap) < 0)
		r = -errno;
	if (r < 0)
		remove_subfolder(folder, "next");
	return r;
}

void mrd_pins_unstage(const char *folder)
{
	char next[PATH_MAX], swap[PATH_MAX];

	/* Back under the name that says "of no consequence" before the first pin goes. */
	mrd_pin_path(next, folder, "", "next");
	mrd_pin_path(swap, folder, "", "swap");
	if (rename(swap, next) == 0)
		remove_subfolder(folder, "next");
}

int mrd_pins_promote(const char *folder)
{
	MRD_AUTO_NAMES struct mrd_names names = {0};
	char swap[PATH_MAX];
	int r;

	mrd_pin_path(swap, folder, "", "swap");
	r = mrd_names_read(swap, map_prefix, &names);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.count; i++) {
		char from[PATH_MAX], to[PATH_MAX];

		mrd_pin_path(from, swap, "", names.items[i]);
		mrd_pin_path(to, folder, "", names.items[i]);
		if (rename(from, to) < 0)
			return -errno;
	}
	return remove_subfolder(folder, "swap");
}

int mrd_pins_recover(const char *folder)
{
	int r = remove_subfolder(folder, "next");

	if (r < 0)
		return r;
	/* A link that was to move to another cgroup and did not get into place: links.c. */
	r = unlink_all(folder, "new_link_", NULL, NULL);
	if (r < 0)
		return r;
	return mrd_pins_promote(folder);
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++)
		if (strcmp(name, mrd_pin_name(i)) == 0)
			return true;
	return false;
}

void mrd_pins_sweep(const char *folder)
{
	/* What stays by failure costs memory, and nothing else: the next start tries again. */
	unlink_all(folder, map_prefix, is_known, NULL);
}

int mrd_pins_remove(const char *folder, size_t *ret_maps)
{
	int r = unlink_all(folder, map_prefix, NULL, ret_maps);
	int r_swap = remove_subfolder(folder, "swap");
	int r_next = remove_subfolder(folder, "next");

	/* The folder may be a mount point, or hold what others put there: then it stays. */
	rmdir(folder);
	if (r == 0)
		r = r_swap;
	return r < 0 ? r : r_next;
}
