/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How much room the maps get: what an operator may choose, and the data plane makes them with. */
#ifndef MRD_MAPS_LIMITS_H
#define MRD_MAPS_LIMITS_H

#include <stdint.h>

struct mrd_dataplane_limits {
	uint32_t services; /* 0 = the default of abi.h; likewise below */
	uint32_t vips;
	uint32_t members;
	uint32_t affinity;
	uint32_t udp_flows;
	uint32_t flows;
	uint32_t event_bytes; /* a power of two, at least a page */
};

#endif
