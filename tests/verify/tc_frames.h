/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One client's packets to one VIP, and what comes of them. */
#ifndef MRD_TESTS_TC_FRAMES_H
#define MRD_TESTS_TC_FRAMES_H

#include "tc_world.h"
#include "wire.h"

#define CLIENT "10.0.0.2"
#define VIP    "172.16.0.10"
#define POD    "10.1.0.2"

enum { FIRST_PORT = 20000 }; /* of the client's */

/* The verdict, and what the frame became. */
int run(const struct world *world, enum way way, const struct wire *wire, uint8_t *out,
	size_t *ret_len);
/* Is that what comes out? */
bool comes_out(const struct world *world, enum way way, const struct wire *in,
	       const struct wire *want, int want_verdict);
struct wire syn_of(uint16_t port, const char *to, uint16_t to_port);
/* Of the row that such a packet of IPv4 asks for. */
void key_of(const struct wire *wire, struct mrd_flow_key *ret_key);

#endif
