/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The hooks: programs on a cgroup, each by a link pinned as <folder>/link_<program>. */
#ifndef MRD_DATAPLANE_LINKS_H
#define MRD_DATAPLANE_LINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/inspect.h"

enum { MRD_HOOK_COUNT = 12 };

struct mrd_hook {
	const char *program;
	bool is_probe; /* left out when the probe is switched off */
};

/*
 * In the order of attaching: what serves connections that exist (replies, names, counting) before
 * what makes new ones, so that a connection never meets only half of the hooks.
 */
extern const struct mrd_hook mrd_hooks[MRD_HOOK_COUNT];

struct mrd_hook_program {
	int fd;		 /* -1: this hook is not wanted */
	int attach_type; /* enum bpf_attach_type */
};

enum mrd_link_change_kind {
	MRD_LINK_UNCHANGED,
	MRD_LINK_CREATED,
	MRD_LINK_UPDATED, /* the same link runs another program */
	MRD_LINK_MOVED,	  /* a new link on another cgroup stands in the place of the old one */
};

/* What was done to a hook, and what is needed to undo it. */
struct mrd_link_change {
	enum mrd_link_change_kind kind;
	int old_link_fd; /* kept open: a link lives as long as one descriptor or pin */
	int old_program_fd;
};

struct mrd_link_changes {
	struct mrd_link_change items[MRD_HOOK_COUNT];
};

/*
 * Puts the programs on the cgroup. On failure the changes made so far stand, to be undone by
 * mrd_links_undo(). changes is to be finished by that or by mrd_links_keep() in either case.
 */
int mrd_links_attach(const char *folder, int cgroup_fd,
		     const struct mrd_hook_program programs[MRD_HOOK_COUNT],
		     struct mrd_link_changes *ret_changes, char **ret_error);
/* 0: everything is as it was. Otherwise some hooks go on with the new program (without
 * CAP_SYS_ADMIN the old one cannot be got back from its id). */
int mrd_links_undo(const char *folder, struct mrd_link_changes *changes);
void mrd_links_keep(struct mrd_link_changes *changes);

/* Removes links of hooks that are not wanted or not known. */
void mrd_links_sweep(const char *folder, const struct mrd_hook_program programs[MRD_HOOK_COUNT]);
/* Detaches and removes every link, new connections' hooks first. */
int mrd_links_remove(const char *folder, size_t *ret_links);

/* What is pinned; *ret_links is an array that the caller frees. -ENOENT: no such folder. */
int mrd_links_read(const char *folder, struct mrd_link_info **ret_links, size_t *ret_count);

#endif
