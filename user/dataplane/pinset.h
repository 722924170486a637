/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The set of maps that belong together: their names, and their descriptors in this process. */
#ifndef MRD_DATAPLANE_PINSET_H
#define MRD_DATAPLANE_PINSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "plan/rows.h"

/* The maps of enum mrd_map come first, in its order. */
enum mrd_pin {
	MRD_PIN_AFFINITY = MRD_MAP_COUNT,
	MRD_PIN_UDP_FLOW,
	MRD_PIN_UDP_REPLY,
	MRD_PIN_COUNTERS,
	MRD_PIN_FAILURE,
	MRD_PIN_FLOW,
	MRD_PIN_FRAGMENT,
	MRD_PIN_INTERFACE,
	MRD_PIN_OPENED,
	MRD_PIN_SETTLED,
	MRD_PIN_HANDSHAKE,
	MRD_PIN_CONFIG,
	MRD_PIN_CIDR,
	MRD_PIN_EVENT,
	MRD_PIN_SOCKET,
	MRD_PIN_STORAGE,
	MRD_PIN_REQUEST,
	MRD_PIN_FOLLOWED,
	MRD_PIN_CONNECTION,
	MRD_PIN_COUNT,
};

struct mrd_pinset {
	int fds[MRD_PIN_COUNT]; /* -1: not open */
};

const char *mrd_pin_name(size_t pin); /* "mrd_udp_flow" */

/*
 * Who fills a map. What hooks have found out speaks of sockets, addresses, and numbers that a new
 * set takes over from the old one, so both may use the same map.
 */
enum mrd_pin_content {
	MRD_PIN_WRITTEN,    /* the agent */
	MRD_PIN_FOUND,	    /* hooks */
	MRD_PIN_OF_SOCKETS, /* hooks; one says what another counts: kept together, or not at all.
			     * But for mrd_connection, which says nothing of the others */
};
enum mrd_pin_content mrd_pin_content(size_t pin);

void mrd_pinset_init(struct mrd_pinset *set);
void mrd_pinset_close(struct mrd_pinset *set);
#define MRD_AUTO_PINSET __attribute__((cleanup(mrd_pinset_close)))

/*
 * Opens every map that is pinned in a folder; file_flags as in bpf(2): BPF_F_RDONLY or 0. Those
 * that are not there stay -1. 0, or -errno of anything but -ENOENT.
 */
int mrd_pinset_open(const char *folder, uint32_t file_flags, struct mrd_pinset *ret_set);

/* 0 and the version that a set's mrd_config row names, or -errno. */
int mrd_pinset_version(const struct mrd_pinset *set, uint32_t *ret_abi_version);

/* Limits with the defaults filled in. -EINVAL with a sentence if they cannot be. */
int mrd_limits_resolve(const struct mrd_dataplane_limits *given, uint32_t page_bytes,
		       struct mrd_dataplane_limits *ret_limits, char **ret_error);
/* Rows for a map; 0: its size is fixed in the object. */
uint32_t mrd_limits_rows(const struct mrd_dataplane_limits *limits, size_t pin);

#endif
