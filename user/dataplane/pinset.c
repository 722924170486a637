/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/pinset.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dataplane/failure.h"
#include "dataplane/pins.h"

static const char *const own_names[] = {
	[MRD_PIN_AFFINITY - MRD_MAP_COUNT] = "mrd_affinity",
	[MRD_PIN_UDP_FLOW - MRD_MAP_COUNT] = "mrd_udp_flow",
	[MRD_PIN_UDP_REPLY - MRD_MAP_COUNT] = "mrd_udp_reply",
	[MRD_PIN_COUNTERS - MRD_MAP_COUNT] = "mrd_count",
	[MRD_PIN_FAILURE - MRD_MAP_COUNT] = "mrd_failure",
	[MRD_PIN_FLOW - MRD_MAP_COUNT] = "mrd_flow",
	[MRD_PIN_FRAGMENT - MRD_MAP_COUNT] = "mrd_fragment",
	[MRD_PIN_INTERFACE - MRD_MAP_COUNT] = "mrd_interface",
	[MRD_PIN_OPENED - MRD_MAP_COUNT] = "mrd_opened",
	[MRD_PIN_SETTLED - MRD_MAP_COUNT] = "mrd_settled",
	[MRD_PIN_HANDSHAKE - MRD_MAP_COUNT] = "mrd_handshake",
	[MRD_PIN_CONFIG - MRD_MAP_COUNT] = "mrd_config",
	[MRD_PIN_CIDR - MRD_MAP_COUNT] = "mrd_cidr",
	[MRD_PIN_EVENT - MRD_MAP_COUNT] = "mrd_event",
	[MRD_PIN_SOCKET - MRD_MAP_COUNT] = "mrd_socket",
	[MRD_PIN_STORAGE - MRD_MAP_COUNT] = "mrd_storage",
	[MRD_PIN_REQUEST - MRD_MAP_COUNT] = "mrd_request",
	[MRD_PIN_FOLLOWED - MRD_MAP_COUNT] = "mrd_followed",
	[MRD_PIN_CONNECTION - MRD_MAP_COUNT] = "mrd_connection",
};
_Static_assert(sizeof(own_names) / sizeof(own_names[0]) == MRD_PIN_COUNT - MRD_MAP_COUNT,
	       "a name for every map");

const char *mrd_pin_name(size_t pin)
{
	return pin < MRD_MAP_COUNT ? mrd_map_name((enum mrd_map)pin)
				   : own_names[pin - MRD_MAP_COUNT];
}

enum mrd_pin_content mrd_pin_content(size_t pin)
{
	switch (pin) {
	case MRD_MAP_STAT:
	case MRD_MAP_OPEN:
	case MRD_PIN_SOCKET:
	case MRD_PIN_STORAGE:
	case MRD_PIN_REQUEST:
	case MRD_PIN_FOLLOWED:
	case MRD_PIN_CONNECTION:
		return MRD_PIN_OF_SOCKETS;
	case MRD_PIN_INTERFACE:
	case MRD_PIN_CONFIG:
	case MRD_PIN_CIDR:
	case MRD_PIN_EVENT: /* whoever reads it is another agent by then */
		return MRD_PIN_WRITTEN;
	default:
		return pin >= MRD_MAP_COUNT || mrd_map_is_counter((enum mrd_map)pin)
			       ? MRD_PIN_FOUND
			       : MRD_PIN_WRITTEN;
	}
}

void mrd_pinset_init(struct mrd_pinset *set)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++)
		set->fds[i] = -1;
}

void mrd_pinset_close(struct mrd_pinset *set)
{
	for (size_t i = 0; i < MRD_PIN_COUNT; i++)
		if (set->fds[i] >= 0)
			close(set->fds[i]);
	mrd_pinset_init(set);
}

int mrd_pinset_open(const char *folder, uint32_t file_flags, struct mrd_pinset *ret_set)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = file_flags);
	MRD_AUTO_PINSET struct mrd_pinset set;

	mrd_pinset_init(&set);
	for (size_t i = 0; i < MRD_PIN_COUNT; i++) {
		char path[PATH_MAX];

		mrd_pin_path(path, folder, "", mrd_pin_name(i));
		set.fds[i] = bpf_obj_get_opts(path, &opts);
		if (set.fds[i] >= 0)
			continue;
		set.fds[i] = -1;
		if (errno != ENOENT)
			return -errno;
	}
	*ret_set = set;
	mrd_pinset_init(&set);
	return 0;
}

int mrd_pinset_version(const struct mrd_pinset *set, uint32_t *ret_abi_version)
{
	const int fd = set->fds[MRD_PIN_CONFIG];
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	struct mrd_config config;
	const __u32 key = 0;

	if (fd < 0)
		return -ENOENT;
	/* The kernel writes a whole value: of another version's size it would not fit. */
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	if (info.key_size != sizeof(key) || info.value_size != sizeof(config))
		return -EPROTO;
	if (bpf_map_lookup_elem(fd, &key, &config) < 0)
		return -errno;
	*ret_abi_version = config.abi_version;
	return 0;
}

/* ------------------------------------------------------------------------------------ limits */

static uint32_t or_default(uint32_t given, uint32_t fallback)
{
	return given ? given : fallback;
}

int mrd_limits_resolve(const struct mrd_dataplane_limits *given, uint32_t page_bytes,
		       struct mrd_dataplane_limits *ret_limits, char **ret_error)
{
	const struct mrd_dataplane_limits limits = {
		.services = or_default(given->services, MRD_SERVICES_MAX),
		.vips = or_default(given->vips, MRD_VIPS_MAX),
		.members = or_default(given->members, MRD_MEMBERS_MAX),
		.affinity = or_default(given->affinity, MRD_AFFINITY_MAX),
		.udp_flows = or_default(given->udp_flows, MRD_UDP_FLOWS_MAX),
		.flows = or_default(given->flows, MRD_FLOWS_MAX),
		.event_bytes = or_default(given->event_bytes, MRD_EVENT_BYTES),
	};
	const uint32_t bytes = limits.event_bytes;

	if ((bytes & (bytes - 1)) || bytes < page_bytes)
		return mrd_failure(ret_error, -EINVAL,
				   "kernel.limits: the event buffer cannot have %u bytes: give a "
				   "power of two of at least %u",
				   bytes, page_bytes);
	*ret_limits = limits;
	return 0;
}

/*
 * A service has one ticket row of its own and one for each hop, and a hop has a member at least, so
 * tickets never outnumber services and members together.
 */
static uint32_t ticket_rows(const struct mrd_dataplane_limits *limits)
{
	const uint64_t rows = (uint64_t)limits->services + limits->members;

	return rows > UINT32_MAX ? UINT32_MAX : (uint32_t)rows;
}

uint32_t mrd_limits_rows(const struct mrd_dataplane_limits *limits, size_t pin)
{
	switch (pin) {
	case MRD_MAP_SERVICE:
		return limits->vips;
	case MRD_MAP_ROUTE:
	case MRD_MAP_NAME:
	case MRD_MAP_SETTING:
	case MRD_MAP_OPEN:
		return limits->services;
	case MRD_MAP_MEMBER:
	case MRD_MAP_HEALTH:
	case MRD_MAP_STAT:
		return limits->members;
	case MRD_MAP_TICKET:
		return ticket_rows(limits);
	case MRD_PIN_AFFINITY:
		return limits->affinity;
	case MRD_PIN_UDP_FLOW:
	case MRD_PIN_UDP_REPLY:
		return limits->udp_flows;
	case MRD_PIN_FLOW:
	case MRD_PIN_CONNECTION:
		return limits->flows;
	case MRD_PIN_EVENT:
		return limits->event_bytes;
	default:
		return 0;
	}
}
