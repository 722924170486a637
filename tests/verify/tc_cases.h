/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the TC programs make of packets: a table. */
#ifndef MRD_TESTS_TC_CASES_H
#define MRD_TESTS_TC_CASES_H

#include "tc_services.h"
#include "wire.h"

enum { STEPS_MAX = 5 };

struct step {
	enum way way;
	struct wire in;
	struct wire out; /* without addresses: the packet stays as it is */
	int verdict;	 /* 0: TC_NEXT */
};

#define STEP(number) (1U << ((number)-1))

/* One packet after the other, in a world without flows. */
struct packet_case {
	const char *name;
	bool uplink;
	bool fast;			/* fastForward */
	const struct world_move *moved; /* a socket's connection, before all steps */
	unsigned int late; /* the steps before which endpoints have had their time to answer */
	struct step steps[STEPS_MAX];
	/* What the last step counts, if it counts. */
	bool counts;
	enum mrd_reason reason;
};

extern const struct packet_case tc_cases[];
extern const size_t tc_case_count;

#endif
