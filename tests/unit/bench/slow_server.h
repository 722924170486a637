/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A server of HTTP/1.1 and of datagrams on a loopback port of its own, whose delays and failures
 * are known. A thread for every connection and every datagram, so that one that waits delays no
 * other.
 */
#ifndef MRD_TESTS_SLOW_SERVER_H
#define MRD_TESTS_SLOW_SERVER_H

#include <stdbool.h>
#include <stdint.h>

enum slow_ending {
	SLOW_ANSWERS,
	SLOW_ANSWERS_AND_CLOSES, /* the end of the connection comes with the answer */
	SLOW_SAYS_503,
	SLOW_SAYS_NONSENSE,
	SLOW_CLOSES,
	SLOW_RESETS,
	SLOW_IS_SILENT,
};

struct slow_server {
	bool is_udp;
	enum slow_ending ending;
	unsigned int delay_every;    /* this answer of so many comes later, */
	unsigned int delay_ms;	     /* by this */
	unsigned int stall_after_ms; /* once, so long after the first request, no answer is given */
	unsigned int stall_ms;	     /* for this time */
};

/* Returns the port. The server goes on until the program ends. */
uint16_t slow_server_start(const struct slow_server *like);

#endif
