/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How soon the scheduler lets the agent run. Between an error and its ejection the agent needs some
 * 30 µs, between a watch's line and its row about a millisecond; on a busy CPU it waits
 * milliseconds for its turn before. So it waits for events, and writes health rows, as a real-time
 * task of the lowest priority, and stays one for the first moments of what it is woken for.
 * Everything that takes longer (long plans, files, answers) it does as anybody else, and it has
 * such moments for a tenth of the time that it sleeps, no more, and pays back what a piece of work
 * took beyond: so it never takes a CPU from the applications.
 */
#ifndef MRD_AGENT_URGENCY_H
#define MRD_AGENT_URGENCY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	MRD_URGENT_MOST_NS = 2 * 1000 * 1000, /* after being woken */
	MRD_URGENT_PART = 10,		      /* of the time asleep, one part in so many */
};

struct mrd_urgency {
	int (*set)(bool urgent); /* mrd_urgency_set(), or a test's */
	bool is_urgent;
	bool refused;	   /* said so by the kernel: not asked again */
	int64_t left_ns;   /* that it may be urgent; below 0: was too long */
	uint64_t since_ns; /* asleep */
	uint64_t until_ns; /* urgent; 0: nothing is counted */
};

/* Whether this thread is a real-time task. -EPERM: CAP_SYS_NICE is missing. */
int mrd_urgency_set(bool urgent);
/* There is nothing to do: urgent until it is woken, and a moment longer. Returns what the kernel
 * said when it refused for the first time, else 0. */
int mrd_urgency_rest(struct mrd_urgency *urgency, uint64_t now_ns);
void mrd_urgency_wake(struct mrd_urgency *urgency, uint64_t now_ns);
/* Not urgent any more if the moment is over. To be called often, before what is short. */
void mrd_urgency_ease(struct mrd_urgency *urgency, uint64_t now_ns);
/* Not urgent any more: what follows may take long. */
void mrd_urgency_end(struct mrd_urgency *urgency, uint64_t now_ns);

#endif
