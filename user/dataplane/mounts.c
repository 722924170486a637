/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * There is one cgroup v2 hierarchy, but it may be mounted several times, at unusual places, and in
 * part: a bind mount of a child, or what a cgroup namespace shows of it. The "root" field of
 * mountinfo tells how much a mount shows, as seen from this process's cgroup namespace: "/" is that
 * namespace's own root, "/kubepods" a part of it, and "/../.." reaches above it, which is what a
 * container sees of its host's mount. Hooks belong at the widest.
 *
 * A container to which nobody gave the node's mount sees its own cgroup as if there were no other.
 * Hooks there would see the agent alone, and nothing would tell: so "auto" refuses that.
 */
#include "dataplane/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dataplane/failure.h"

static const char *const bpffs_home = "/sys/fs/bpf";

struct cgroup_mount {
	char *path;
	char *root;
	int depth; /* of the root below this namespace's; negative: above */
};

static bool is_octal(const char *digits)
{
	return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' &&
	       digits[2] >= '0' && digits[2] <= '7';
}

/* mountinfo writes blanks and backslashes as three octal digits. In place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && is_octal(from + 1)) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static int root_depth(const char *root)
{
	int depth = 0;

	for (const char *name = root; *name;) {
		const size_t len = strcspn(name, "/");

		if (len == 2 && strncmp(name, "..", 2) == 0)
			depth--;
		else if (len)
			depth++;
		name += len + (name[len] == '/');
	}
	return depth;
}

/*
 * A line: id parent major:minor ROOT MOUNTPOINT options [tags...] - FSTYPE source options.
 * False: it does not read as one.
 */
static bool parse_line(char *line, char **ret_root, char **ret_path, char **ret_type)
{
	char *separator = strstr(line, " - ");
	char *rest = NULL;
	char *fields[5];

	if (!separator)
		return false;
	*separator = '\0';
	for (size_t i = 0; i < 5; i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &rest);
		if (!fields[i])
			return false;
	}
	*ret_root = fields[3];
	*ret_path = fields[4];
	*ret_type = strtok_r(separator + strlen(" - "), " ", &rest);
	unescape(*ret_root);
	unescape(*ret_path);
	return *ret_type != NULL;
}

struct cgroup_mounts {
	struct cgroup_mount *items;
	size_t count;
};

static void mounts_free(struct cgroup_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->items[i].path);
		free(mounts->items[i].root);
	}
	free(mounts->items);
}

/* Mounted over: what was seen at this path before cannot be reached any more. */
static void hide(struct cgroup_mounts *mounts, const char *path)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->items[i].path && strcmp(mounts->items[i].path, path) == 0) {
			free(mounts->items[i].path);
			mounts->items[i].path = NULL;
		}
}

static int note(struct cgroup_mounts *mounts, const char *root, const char *path)
{
	struct cgroup_mount *items = reallocarray(mounts->items, mounts->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	mounts->items = items;
	items[mounts->count] = (struct cgroup_mount){
		.path = strdup(path),
		.root = strdup(root),
		.depth = root_depth(root),
	};
	items += mounts->count++;
	return items->path && items->root ? 0 : -ENOMEM;
}

int mrd_mounts_cgroup2(FILE *mountinfo, char **ret_path, char **ret_root)
{
	MRD_CLEANUP(mounts_free) struct cgroup_mounts mounts = {0};
	struct cgroup_mount *best = NULL;
	MRD_AUTO_FREE char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, mountinfo) >= 0) {
		char *root, *path, *type;

		if (!parse_line(line, &root, &path, &type))
			continue;
		hide(&mounts, path);
		if (strcmp(type, "cgroup2") == 0 && note(&mounts, root, path) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < mounts.count; i++)
		if (mounts.items[i].path && (!best || mounts.items[i].depth < best->depth))
			best = &mounts.items[i];
	if (!best)
		return -ENOENT;
	*ret_path = MRD_STEAL_PTR(best->path);
	*ret_root = MRD_STEAL_PTR(best->root);
	return 0;
}

int mrd_mounts_own_cgroup(FILE *cgroup, char **ret_path)
{
	static const char hierarchy[] = "0::"; /* v2's; those of v1 have numbers and controllers */
	MRD_AUTO_FREE char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, cgroup) >= 0) {
		if (strncmp(line, hierarchy, strlen(hierarchy)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*ret_path = strdup(line + strlen(hierarchy));
		return *ret_path ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static bool is_on(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

static int find_cgroup2(char **ret_path, char **ret_root)
{
	MRD_AUTO_FILE FILE *mountinfo = fopen("/proc/self/mountinfo", "re");

	if (!mountinfo)
		return -errno;
	return mrd_mounts_cgroup2(mountinfo, ret_path, ret_root);
}

/*
 * Is the mount at path, which shows the tree from root down, this process's own cgroup and no more?
 * The root of all cgroups is everybody's: it alone has no type. What is unknown is not refused.
 */
static bool shows_only_own(const char *path, const char *root)
{
	MRD_AUTO_FILE FILE *cgroup = fopen("/proc/self/cgroup", "re");
	MRD_AUTO_FREE char *own = NULL;
	char type[PATH_MAX];

	if (!cgroup || mrd_mounts_own_cgroup(cgroup, &own) < 0 || !own || strcmp(own, root) != 0)
		return false;
	snprintf(type, sizeof(type), "%s/cgroup.type", path);
	return access(type, F_OK) == 0;
}

int mrd_mounts_open_cgroup(const char *cgroup, char **ret_path, int *ret_fd, char **ret_error)
{
	const bool is_auto = strcmp(cgroup, "auto") == 0;
	MRD_AUTO_FREE char *mount = NULL;
	MRD_AUTO_FREE char *root = NULL;
	MRD_AUTO_FREE char *path = NULL;
	MRD_AUTO_FD int fd = -1;
	int r = find_cgroup2(&mount, &root);

	if (r < 0 || !mount || !root)
		return mrd_failure(ret_error, r,
				   "cgroup v2 is not mounted (%s): mount -t cgroup2 none "
				   "/sys/fs/cgroup/unified",
				   strerror(-r));
	if (is_auto && shows_only_own(mount, root))
		return mrd_failure(ret_error, -ENXIO,
				   "of the node's cgroups only this container's own is mounted "
				   "(at %s), so no other pod's connections would be seen: mount "
				   "the node's /sys/fs/cgroup into the container (hostPath), or "
				   "name a cgroup in kernel.cgroup",
				   mount);
	path = strdup(is_auto ? mount : cgroup);
	if (!path)
		return mrd_failure(ret_error, -ENOMEM, "no memory");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		return mrd_failure(ret_error, r,
				   "cgroup %s cannot be opened (%s): create it, or set "
				   "kernel.cgroup to auto",
				   path, strerror(-r));
	}
	if (!is_on(path, CGROUP2_SUPER_MAGIC))
		return mrd_failure(ret_error, -EINVAL,
				   "%s is not on cgroup v2, which is mounted at %s: name a "
				   "folder there in kernel.cgroup, or auto",
				   path, mount);
	*ret_path = MRD_STEAL_PTR(path);
	*ret_fd = MRD_STEAL_FD(fd);
	return 0;
}

/* ------------------------------------------------------------------------------------- bpffs */

bool mrd_mounts_is_bpffs(const char *path)
{
	return is_on(path, BPF_FS_MAGIC);
}

/* mkdir -p */
static int make_folders(const char *folder)
{
	MRD_AUTO_FREE char *path = strdup(folder);

	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/* Is the folder, or its nearest parent that exists, on bpffs? */
static bool lies_on_bpffs(const char *folder)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s", folder);
	while (stat(path, &st) < 0) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return false;
		*slash = '\0';
	}
	return mrd_mounts_is_bpffs(path);
}

static bool lies_below(const char *path, const char *folder)
{
	const size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int mount_bpffs(const char *at, char **ret_mounted, char **ret_error)
{
	int r = make_folders(at);

	if (r == 0 && mount("bpf", at, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		r = -errno;
	if (r < 0)
		return mrd_failure(ret_error, r,
				   "bpffs cannot be mounted at %s (%s): mount -t bpf bpf %s as "
				   "root, or set kernel.bpffs to a folder on one",
				   at, strerror(-r), at);
	*ret_mounted = strdup(at);
	return *ret_mounted ? 0 : mrd_failure(ret_error, -ENOMEM, "no memory");
}

int mrd_mounts_make_bpffs(const char *folder, char **ret_mounted, char **ret_error)
{
	MRD_AUTO_FREE char *mounted = NULL;
	int r;

	if (*folder != '/' || strlen(folder) >= PATH_MAX / 2)
		return mrd_failure(ret_error, -EINVAL, "kernel.bpffs is %s: give an absolute path",
				   folder);
	if (!lies_on_bpffs(folder)) {
		r = mount_bpffs(lies_below(folder, bpffs_home) ? bpffs_home : folder, &mounted,
				ret_error);
		if (r < 0)
			return r;
	}
	r = make_folders(folder);
	if (r == -EPERM && strchr(folder, '.'))
		return mrd_failure(ret_error, r,
				   "%s cannot be created: bpffs allows no dots in names, choose "
				   "another kernel.bpffs",
				   folder);
	if (r < 0)
		return mrd_failure(ret_error, r,
				   "%s cannot be created (%s): run as root, or create it for "
				   "this user",
				   folder, strerror(-r));
	*ret_mounted = MRD_STEAL_PTR(mounted);
	return 0;
}
