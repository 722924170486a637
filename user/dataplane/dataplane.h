/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's side: programs, maps and links, loaded, pinned, adopted or replaced. The only folder
 * that uses libbpf.
 *
 * Pins under <bpffs>: maps by their name (mrd_service, …), links as link_<program>, and those at
 * network interfaces as tcx_<direction>_<number>. A set of
 * another ABI version or other map sizes is built beside the old one under <bpffs>/next, filled,
 * and takes the links over program by program; then it is renamed into place. Whatever happens
 * half-way, each hook runs either the old set or the new one. A folder has one agent, which
 * keeps others out by flock(2) on it.
 */
#ifndef MRD_DATAPLANE_DATAPLANE_H
#define MRD_DATAPLANE_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "maps/abi.h"
#include "maps/event.h"
#include "maps/limits.h"
#include "plan/rows.h"

struct mrd_dataplane;
struct mrd_reset;

struct mrd_dataplane_config {
	const char *cgroup; /* "auto": the root of the cgroup v2 mount */
	const char *bpffs;  /* created, and bpffs mounted, if it must be */
	struct mrd_dataplane_limits limits;
	enum mrd_unknown unknown_service;
	const struct mrd_cidr *service_cidrs; /* for MRD_UNKNOWN_REFUSE */
	size_t service_cidr_count;
	bool probe; /* load the HTTP probe (default true) */
	bool fast_forward;
	bool rescue; /* interfaces are served: SYNs may be sent again sooner than by default */
};

enum mrd_adoption {
	MRD_ADOPTION_FRESH,    /* nothing was there */
	MRD_ADOPTION_ADOPTED,  /* the maps of an earlier agent, with what they hold */
	MRD_ADOPTION_REPLACED, /* another ABI version or size: a new set beside the old */
};

struct mrd_feature {
	const char *name; /* "bpf_set_retval" */
	bool used;
	const char *consequence; /* if it is missing */
};

/*
 * Loads programs and maps; nothing is attached yet. On failure *ret_error is one sentence with the
 * cause and the remedy (what is missing: BTF, a capability, bpffs, cgroup v2, a kernel version), to
 * be freed.
 */
int mrd_dataplane_open(const struct mrd_dataplane_config *config,
		       struct mrd_dataplane **ret_dataplane, char **ret_error);
/* Attaches (or swaps) every hook, and moves a new set into place. To be called once the maps hold
 * the first plan. Undone on failure; but requests of new connections are limited by that plan. */
int mrd_dataplane_attach(struct mrd_dataplane *dataplane, char **ret_error);
/* Frees what this process holds; pinned maps and links stay. NULL is fine. */
void mrd_dataplane_free(struct mrd_dataplane *dataplane);
/* Removes links and maps of a folder from the kernel, needing no agent. Counts them; what is not
 * there is no error. An agent that calls it must end afterwards: its hooks are gone for good. */
int mrd_dataplane_detach(const char *bpffs, size_t *ret_links, size_t *ret_maps, char **ret_error);

/* Is the folder an agent's now: does somebody hold its lock? */
bool mrd_dataplane_is_held(const char *bpffs);

enum mrd_adoption mrd_dataplane_adoption(const struct mrd_dataplane *dataplane);
/* Of a replaced set: does the new one go on with what hooks found out, by the numbers in the old
 * one's rows? Then these are to be taken over from there. */
bool mrd_dataplane_keeps_numbers(const struct mrd_dataplane *dataplane);
/* Do the hooks still know the connections that sockets have open? But what the plan had asked of
 * them goes on by the old one, and without their rows of mrd_connection they are not reset. */
bool mrd_dataplane_keeps_connections(const struct mrd_dataplane *dataplane);
const char *mrd_dataplane_cgroup(const struct mrd_dataplane *dataplane);
/* Where open() had to mount a bpffs, to be told to the user; NULL: it had not. */
const char *mrd_dataplane_mounted(const struct mrd_dataplane *dataplane);
/* Which optional kernel features are in use; *ret_count of them. */
const struct mrd_feature *mrd_dataplane_features(const struct mrd_dataplane *dataplane,
						 size_t *ret_count);

/* Rows are written through this. */
struct mrd_map_writer mrd_dataplane_writer(struct mrd_dataplane *dataplane);
/* After adoption: every row that the kernel holds, map by map. fn returns 0 to go on. */
int mrd_dataplane_walk(const struct mrd_dataplane *dataplane, enum mrd_map map,
		       int (*fn)(void *self, const void *key, const void *value), void *self);
int mrd_dataplane_get(const struct mrd_dataplane *dataplane, enum mrd_map map, const void *key,
		      void *ret_value);
/* mrd_connections_reset() on these maps. */
int mrd_dataplane_reset(const struct mrd_dataplane *dataplane, const uint32_t *endpoint_ids,
			size_t count, size_t most, struct mrd_reset *ret_reset);
/* Rewrites the live row of mrd_config and the service CIDRs. */
int mrd_dataplane_configure(struct mrd_dataplane *dataplane,
			    const struct mrd_dataplane_config *config);

/* ------------------------------------------------------------------------ network interfaces */

enum mrd_tc_mode {
	MRD_TC_NONE,   /* the kernel did not take the programs */
	MRD_TC_CLSACT, /* as filters of a queueing discipline, before Linux 6.6 */
	MRD_TC_TCX,    /* by pinned links */
};

const char *mrd_tc_mode_name(enum mrd_tc_mode mode); /* "tcx" */
enum mrd_tc_mode mrd_dataplane_tc_mode(const struct mrd_dataplane *dataplane);
/* Why there is none, as a sentence with the remedy; NULL: there is. */
const char *mrd_dataplane_tc_error(const struct mrd_dataplane *dataplane);
/*
 * Puts the programs on an interface of this process's network namespace, or has those that are
 * there replaced in one step. Whole or not at all; on failure *ret_error as above. -ENODEV: there
 * is no such interface.
 */
int mrd_dataplane_tc_serve(struct mrd_dataplane *dataplane, uint32_t index,
			   const struct mrd_interface *row, char **ret_error);
/* Takes them off, also if the interface is gone. */
int mrd_dataplane_tc_leave(struct mrd_dataplane *dataplane, uint32_t index, char **ret_error);
/* Did an earlier agent serve this one? */
bool mrd_dataplane_tc_is_left(const struct mrd_dataplane *dataplane, uint32_t index);
/* The numbers of interfaces, there or gone, of which something is in the kernel; some of them
 * several times. To be freed. */
int mrd_dataplane_tc_left(const struct mrd_dataplane *dataplane, uint32_t **ret_indexes,
			  size_t *ret_count);

/* ----------------------------------------------------------------------------- flows of packets */

/* Some hundred rows of mrd_flow, from where the last call stopped. 1: there may be more, 0: that
 * was the end, and the next call starts over; -errno. fn is to return 0. */
int mrd_dataplane_flows_next(struct mrd_dataplane *dataplane,
			     int (*fn)(void *self, const void *key, const void *value), void *self);
/* How often a hook had this reason, of all CPUs. */
int mrd_dataplane_count(const struct mrd_dataplane *dataplane, enum mrd_reason reason,
			uint64_t *ret_count);
/* -ENOENT: there is none. */
int mrd_dataplane_flow_get(const struct mrd_dataplane *dataplane, const struct mrd_flow_key *key,
			   struct mrd_flow *ret_flow);
/* As mrd_flow_delete(). */
int mrd_dataplane_flow_del(struct mrd_dataplane *dataplane, const struct mrd_flow_key *key);
/* mrd_opened whole, and a number of it put into mrd_settled. */
int mrd_dataplane_places(const struct mrd_dataplane *dataplane,
			 uint64_t ret_opened[MRD_PLACE_ANY + 1]);
int mrd_dataplane_settle(const struct mrd_dataplane *dataplane, uint32_t place, uint64_t opened);

/* Events: the ring buffer's epoll descriptor, and what to do when it is readable. One dispatch
 * hands out a bounded number; the descriptor stays readable while there are more. */
typedef void (*mrd_event_fn)(void *self, const struct mrd_event *event);
void mrd_dataplane_on_event(struct mrd_dataplane *dataplane, mrd_event_fn fn, void *self);
int mrd_dataplane_event_fd(const struct mrd_dataplane *dataplane);
int mrd_dataplane_dispatch(struct mrd_dataplane *dataplane);

#endif
