/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The bpffs folder: which set of maps is the one in force, also after a kill at any point.
 *
 *	<folder>/mrd_*	  the set in force
 *	<folder>/link_*	  the links (links.h)
 *	<folder>/next/	  a set that is being pinned. Of no consequence: removed at the next start
 *	<folder>/swap/	  a whole, filled set that is taking over. What is left in it at the next
 *start is moved into place
 *
 * next becomes swap by one rename, which is the point of no return. Links are swapped after it, so
 * wherever the agent dies, every hook runs a whole set: the old one before its link was swapped,
 * the new one after.
 */
#ifndef MRD_DATAPLANE_PINS_H
#define MRD_DATAPLANE_PINS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "dataplane/pinset.h"

/* "<folder>/<prefix><name>" */
void mrd_pin_path(char path[PATH_MAX], const char *folder, const char *prefix, const char *name);

/* Does an agent hold the folder (flock)? */
bool mrd_pins_is_locked(const char *folder);

/* Clears up after an agent that died on the way. */
int mrd_pins_recover(const char *folder);
/* Is anything of ours in force: a map or a link? */
bool mrd_pins_present(const char *folder);

/* Pins a set as swap/. Undone on failure. */
int mrd_pins_stage(const char *folder, const struct mrd_pinset *set);
/* Takes a staged set back. */
void mrd_pins_unstage(const char *folder);
/* Moves the staged set into force. */
int mrd_pins_promote(const char *folder);
/* Removes maps in force that this version does not know. */
void mrd_pins_sweep(const char *folder);
/* Removes every map, and the folder if it can be. */
int mrd_pins_remove(const char *folder, size_t *ret_maps);

/* The names of a folder's entries that start with prefix, sorted; to be freed by mrd_names_free. */
struct mrd_names {
	char **items;
	size_t count;
};
int mrd_names_read(const char *folder, const char *prefix, struct mrd_names *ret_names);
void mrd_names_free(struct mrd_names *names);
#define MRD_AUTO_NAMES __attribute__((cleanup(mrd_names_free)))

#endif
