/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A pinned link is changed in place: BPF_LINK_UPDATE swaps the program atomically, so that no
 * connection slips through. Only if the configuration names another cgroup (or the old one is gone)
 * a new link is made there; it takes the pin over by rename, and the old link goes with its last
 * descriptor.
 */
#include "dataplane/links.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "dataplane/failure.h"
#include "dataplane/pins.h"

static const char link_prefix[] = "link_";
static const char new_prefix[] = "new_link_";

const struct mrd_hook mrd_hooks[MRD_HOOK_COUNT] = {
	{"mrd_recvmsg4", false},     {"mrd_recvmsg6", false},	  {"mrd_getpeername4", false},
	{"mrd_getpeername6", false}, {"mrd_sock_release", false}, {"mrd_sockops", false},
	{"mrd_probe_ingress", true}, {"mrd_probe_egress", true},  {"mrd_sendmsg4", false},
	{"mrd_sendmsg6", false},     {"mrd_connect4", false},	  {"mrd_connect6", false},
};

/* The kernel's number of a cgroup, as links report it: since Linux 5.5 its inode's, where that has
 * 64 bits (elsewhere links are made anew, which is as good). A handle of the folder would say it
 * too, but container runtimes forbid name_to_handle_at(2). */
static int cgroup_id(int cgroup_fd, uint64_t *ret_id)
{
	struct stat found;

	if (fstat(cgroup_fd, &found) < 0)
		return -errno;
	*ret_id = found.st_ino;
	return 0;
}

static int link_info(int link_fd, struct bpf_link_info *ret_info)
{
	__u32 len = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	return bpf_obj_get_info_by_fd(link_fd, ret_info, &len) < 0 ? -errno : 0;
}

/* Makes a link on the cgroup and gives it the pin, also in the place of an older link. */
static int create_link(const char *folder, int cgroup_fd, size_t hook,
		       const struct mrd_hook_program *program)
{
	char path[PATH_MAX], new_path[PATH_MAX];
	MRD_AUTO_FD int fd = bpf_link_create(program->fd, cgroup_fd,
					     (enum bpf_attach_type)program->attach_type, NULL);

	if (fd < 0)
		return -errno;
	mrd_pin_path(path, folder, link_prefix, mrd_hooks[hook].program);
	mrd_pin_path(new_path, folder, new_prefix, mrd_hooks[hook].program);
	if (bpf_obj_pin(fd, new_path) < 0)
		return -errno;
	if (rename(new_path, path) < 0) {
		const int r = -errno;

		unlink(new_path);
		return r;
	}
	return 0;
}

static int attach_one(const char *folder, int cgroup_fd, uint64_t id, size_t hook,
		      const struct mrd_hook_program *program, struct mrd_link_change *change)
{
	struct bpf_link_info info;
	char path[PATH_MAX];
	int r;

	mrd_pin_path(path, folder, link_prefix, mrd_hooks[hook].program);
	change->old_link_fd = bpf_obj_get(path);
	if (change->old_link_fd < 0) {
		if (errno != ENOENT)
			return -errno;
		r = create_link(folder, cgroup_fd, hook, program);
		if (r == 0)
			change->kind = MRD_LINK_CREATED;
		return r;
	}
	r = link_info(change->old_link_fd, &info);
	if (r < 0)
		return r;
	if (info.cgroup.cgroup_id != id) {
		r = create_link(folder, cgroup_fd, hook, program);
		if (r == 0)
			change->kind = MRD_LINK_MOVED;
		return r;
	}
	change->old_program_fd = bpf_prog_get_fd_by_id(info.prog_id);
	if (bpf_link_update(change->old_link_fd, program->fd, NULL) < 0)
		return -errno;
	change->kind = MRD_LINK_UPDATED;
	return 0;
}

static int attach_failure(int error, size_t hook, char **ret_error)
{
	if (error == -EPERM && geteuid() == 0)
		return mrd_failure(ret_error, error,
				   "%s cannot be attached: a program on this cgroup or one above "
				   "forbids sharing (bpftool cgroup tree shows it), or "
				   "CAP_NET_ADMIN is missing",
				   mrd_hooks[hook].program);
	if (error == -EINVAL)
		return mrd_failure(ret_error, error,
				   "%s cannot be attached: this kernel lacks the hook or "
				   "CONFIG_CGROUP_BPF, or a foreign object is pinned as %s%s",
				   mrd_hooks[hook].program, link_prefix, mrd_hooks[hook].program);
	if (error == -EPERM || error == -EACCES) {
		char what[96];

		snprintf(what, sizeof(what), "%s cannot be attached", mrd_hooks[hook].program);
		return mrd_permission_failure(error, what, ret_error);
	}
	return mrd_failure(ret_error, error, "%s cannot be attached: %s", mrd_hooks[hook].program,
			   strerror(-error));
}

int mrd_links_attach(const char *folder, int cgroup_fd,
		     const struct mrd_hook_program programs[MRD_HOOK_COUNT],
		     struct mrd_link_changes *ret_changes, char **ret_error)
{
	uint64_t id = 0;
	int r;

	for (size_t i = 0; i < MRD_HOOK_COUNT; i++)
		ret_changes->items[i] = (struct mrd_link_change){
			.old_link_fd = -1,
			.old_program_fd = -1,
		};
	r = cgroup_id(cgroup_fd, &id);
	if (r < 0)
		return mrd_failure(ret_error, r, "the cgroup's number cannot be read: %s",
				   strerror(-r));
	for (size_t i = 0; i < MRD_HOOK_COUNT; i++) {
		if (programs[i].fd < 0)
			continue;
		r = attach_one(folder, cgroup_fd, id, i, &programs[i], &ret_changes->items[i]);
		if (r < 0)
			return attach_failure(r, i, ret_error);
	}
	return 0;
}

/* ------------------------------------------------------------------------------ undo or keep */

void mrd_links_keep(struct mrd_link_changes *changes)
{
	for (size_t i = 0; i < MRD_HOOK_COUNT; i++) {
		struct mrd_link_change *change = &changes->items[i];

		mrd_cleanup_fd(&change->old_link_fd);
		mrd_cleanup_fd(&change->old_program_fd);
		change->old_link_fd = -1;
		change->old_program_fd = -1;
	}
}

static int undo_move(const char *folder, size_t hook, int old_link_fd)
{
	char path[PATH_MAX], new_path[PATH_MAX];

	mrd_pin_path(path, folder, link_prefix, mrd_hooks[hook].program);
	mrd_pin_path(new_path, folder, new_prefix, mrd_hooks[hook].program);
	if (bpf_obj_pin(old_link_fd, new_path) < 0 || rename(new_path, path) < 0)
		return -errno;
	return 0;
}

static int undo_one(const char *folder, size_t hook, const struct mrd_link_change *change)
{
	char path[PATH_MAX];

	switch (change->kind) {
	case MRD_LINK_CREATED:
		mrd_pin_path(path, folder, link_prefix, mrd_hooks[hook].program);
		return unlink(path) < 0 ? -errno : 0;
	case MRD_LINK_UPDATED:
		if (change->old_program_fd < 0)
			return -EPERM;
		return bpf_link_update(change->old_link_fd, change->old_program_fd, NULL) < 0
			       ? -errno
			       : 0;
	case MRD_LINK_MOVED:
		return undo_move(folder, hook, change->old_link_fd);
	case MRD_LINK_UNCHANGED:
		break;
	}
	return 0;
}

int mrd_links_undo(const char *folder, struct mrd_link_changes *changes)
{
	int r = 0;

	for (size_t i = MRD_HOOK_COUNT; i-- > 0;) {
		const int r_one = undo_one(folder, i, &changes->items[i]);

		r = r_one < 0 ? r_one : r;
	}
	mrd_links_keep(changes);
	return r;
}

/* --------------------------------------------------------------------------------- removing */

/* A link is detached for good even if another process holds a descriptor of it. */
static int remove_link(const char *folder, const char *program)
{
	MRD_AUTO_FD int fd = -1;
	char path[PATH_MAX];

	mrd_pin_path(path, folder, link_prefix, program);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0 && bpf_link_detach(fd) < 0 && (errno == EPERM || errno == EACCES))
		return -errno;
	return unlink(path) < 0 ? -errno : 1;
}

static size_t find_hook(const char *program)
{
	size_t i = 0;

	while (i < MRD_HOOK_COUNT && strcmp(mrd_hooks[i].program, program) != 0)
		i++;
	return i;
}

void mrd_links_sweep(const char *folder, const struct mrd_hook_program programs[MRD_HOOK_COUNT])
{
	MRD_AUTO_NAMES struct mrd_names names = {0};

	if (mrd_names_read(folder, link_prefix, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		const char *program = names.items[i] + strlen(link_prefix);
		const size_t hook = find_hook(program);

		if (hook == MRD_HOOK_COUNT || programs[hook].fd < 0)
			remove_link(folder, program);
	}
}

int mrd_links_remove(const char *folder, size_t *ret_links)
{
	MRD_AUTO_NAMES struct mrd_names names = {0};
	size_t links = 0;
	int failure = 0;
	int r;

	for (size_t i = MRD_HOOK_COUNT; i-- > 0;) {
		r = remove_link(folder, mrd_hooks[i].program);
		links += r > 0;
		failure = r < 0 ? r : failure;
	}
	/* Hooks of other versions. */
	r = mrd_names_read(folder, link_prefix, &names);
	failure = r < 0 ? r : failure;
	for (size_t i = 0; i < names.count; i++) {
		r = remove_link(folder, names.items[i] + strlen(link_prefix));
		links += r > 0;
		failure = r < 0 ? r : failure;
	}
	*ret_links = links;
	return failure;
}

int mrd_links_read(const char *folder, struct mrd_link_info **ret_links, size_t *ret_count)
{
	MRD_AUTO_NAMES struct mrd_names names = {0};
	MRD_AUTO_FREE struct mrd_link_info *links = NULL;
	size_t count = 0;
	int r = mrd_names_read(folder, link_prefix, &names);

	if (r < 0)
		return r;
	links = calloc(names.count + 1, sizeof(*links));
	if (!links)
		return -ENOMEM;
	for (size_t i = 0; i < names.count; i++) {
		const char *program = names.items[i] + strlen(link_prefix);
		MRD_AUTO_FD int fd = -1;
		struct bpf_link_info info;
		char path[PATH_MAX];

		mrd_pin_path(path, folder, link_prefix, program);
		fd = bpf_obj_get(path);
		if (fd < 0 || link_info(fd, &info) < 0)
			continue; /* gone between reading the folder and opening it */
		snprintf(links[count].program, sizeof(links[count].program), "%s", program);
		links[count].link_id = info.id;
		links[count++].prog_id = info.prog_id;
	}
	*ret_links = MRD_STEAL_PTR(links);
	*ret_count = count;
	return 0;
}
