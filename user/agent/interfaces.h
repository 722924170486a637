/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The network interfaces at which connections are translated that no socket hook sees: which of
 * those that come and go are to be served, which are, and what could not be done.
 *
 * Knows neither sockets nor libbpf: what the kernel has is told by the calls below, what is to be
 * done goes through a struct mrd_interface_port, one interface a step, for a step may take some 30
 * ms: for either direction the kernel waits until nobody runs by the old list of programs. To have
 * them replaced takes none of that.
 */
#ifndef MRD_AGENT_INTERFACES_H
#define MRD_AGENT_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/link_message.h"
#include "config/config.h"
#include "maps/abi.h"

enum mrd_interface_kind {
	MRD_INTERFACE_OTHER,
	MRD_INTERFACE_POD, /* the host's end of a pod's veth: what comes in is the pod's */
	MRD_INTERFACE_UPLINK,
	MRD_INTERFACE_KINDS,
};

const char *mrd_interface_kind_name(enum mrd_interface_kind kind); /* "pod" */

/* Pure: what an interface is to this configuration. */
enum mrd_interface_kind mrd_interface_kind(const struct mrd_interface_choice *choice,
					   const struct mrd_link *link);

struct mrd_interface_port {
	void *self;
	/* Also for what is served already: then by the present programs. On failure *ret_error is
	 * a sentence with reason and remedy, to be freed (NULL without memory). -ENODEV: there is
	 * no such interface any more, which will be told. */
	int (*serve)(void *self, uint32_t index, const struct mrd_interface *row, char **ret_error);
	/* What is not served is no error; nor is what does not exist any more. */
	int (*leave)(void *self, uint32_t index, char **ret_error);
	/* Did an earlier agent leave something there? */
	bool (*is_left)(void *self, uint32_t index);
};

struct mrd_interfaces;

int mrd_interfaces_new(const struct mrd_interface_port *port,
		       struct mrd_interfaces **ret_interfaces);
void mrd_interfaces_free(struct mrd_interfaces *interfaces); /* NULL is fine; nothing is left */

/* choice is borrowed until the next call. */
void mrd_interfaces_choose(struct mrd_interfaces *interfaces,
			   const struct mrd_interface_choice *choice);

/* What the kernel tells: see base/link_watch.h. */
void mrd_interfaces_listing(struct mrd_interfaces *interfaces);
void mrd_interfaces_listed(struct mrd_interfaces *interfaces);
void mrd_interfaces_changed(struct mrd_interfaces *interfaces, const struct mrd_link *link);
void mrd_interfaces_gone(struct mrd_interfaces *interfaces, uint32_t index);
/* index is no interface, but an earlier agent left something of it. */
void mrd_interfaces_stale(struct mrd_interfaces *interfaces, uint32_t index);

/* One interface's share of what is to be done. false: nothing is left to do. */
bool mrd_interfaces_step(struct mrd_interfaces *interfaces, uint64_t now_ns);
/* Is the next one of those that came while the agent runs, and not of a list? */
bool mrd_interfaces_has_news(const struct mrd_interfaces *interfaces);
/* When a failed one is to be tried again; UINT64_MAX: none. To be asked once nothing is left. */
uint64_t mrd_interfaces_due(const struct mrd_interfaces *interfaces);

/* Is there an interface of that number? Before the first list is complete, there may be. */
bool mrd_interfaces_is_there(const struct mrd_interfaces *interfaces, uint32_t index);

struct mrd_interfaces_status {
	size_t served[MRD_INTERFACE_KINDS];
	size_t failed;
	size_t waiting; /* to be done yet */
};
void mrd_interfaces_get_status(const struct mrd_interfaces *interfaces,
			       struct mrd_interfaces_status *ret_status);

/* Those that are served, or should be. error: why not, with the remedy; NULL: it is, or waits. */
typedef void (*mrd_interface_fn)(void *self, const struct mrd_link *link,
				 enum mrd_interface_kind kind, bool is_served, const char *error);
void mrd_interfaces_each(const struct mrd_interfaces *interfaces, mrd_interface_fn fn, void *self);

#endif
