/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The embedded BPF object, from bytes to programs and maps in the kernel. There are two builds of
 * the same sources: one draws tickets by atomic operations that return a result, the other is for
 * kernels that reject those. Names are the same in both, so one path serves either.
 */
#ifndef MRD_DATAPLANE_OBJECT_H
#define MRD_DATAPLANE_OBJECT_H

#include <stdbool.h>

#include "dataplane/links.h"
#include "dataplane/pinset.h"
#include "dataplane/tc.h"

struct mrd_object;

struct mrd_object_wishes {
	bool atomic_result; /* which of the two builds */
	bool probe;	    /* with the HTTP probe */
	bool tc;	    /* with the programs of network interfaces */
};

/* Reads the object and sizes its maps; nothing is in the kernel yet. */
int mrd_object_open(const struct mrd_object_wishes *wishes,
		    const struct mrd_dataplane_limits *limits, struct mrd_object **ret_object,
		    char **ret_error);
void mrd_object_close(struct mrd_object *object); /* NULL is fine; what was loaded goes too */

/* Is the set whole, and every map of it just as this object would make it? */
bool mrd_object_fits(const struct mrd_object *object, const struct mrd_pinset *set);
/* Has the object use the set's maps instead of making its own. */
int mrd_object_reuse(struct mrd_object *object, const struct mrd_pinset *set);
/*
 * Of a set of this version, whole, but of other sizes: has the object use what hooks have found out
 * of it, as far as a map is just as this object would make it. What is said there of endpoints
 * holds only if those keep their numbers. *ret_sockets: do hooks still know the connections that
 * sockets have open?
 *
 * Nobody deletes there what speaks of endpoints that went while no agent ran, before a next agent
 * adopts the maps as they are. One that replaces them again may give such a number anew: then its
 * endpoint begins with the counts of the one that went.
 */
int mrd_object_keep(struct mrd_object *object, const struct mrd_pinset *set, bool *ret_sockets);
/* Nothing runs by it yet: no map that hooks use already is given a program. */
int mrd_object_load(struct mrd_object *object, char **ret_error);
/* After loading: descriptors of its own for all maps and wanted programs, so that the object, which
 * holds some megabytes, can be closed. *ret_limit_fd: of the program for mrd_followed;
 * *ret_delete_fd: of mrd_flow_delete(). */
int mrd_object_take(const struct mrd_object *object, struct mrd_pinset *ret_set,
		    struct mrd_hook_program ret_programs[MRD_HOOK_COUNT],
		    int ret_tc_fds[MRD_TC_PROGRAMS], int *ret_limit_fd, int *ret_delete_fd);

#endif
