/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How soon the scheduler lets the agent run. Between an error and its ejection the agent needs some
 * 30 µs; on a busy CPU it waits milliseconds for its turn before. So it waits for events, and
 * writes health rows, as a real-time task of the lowest priority; everything that takes longer
 * (plans, files, answers) it does as anybody else, so that it never takes a CPU from the
 * applications.
 */
#ifndef MRD_AGENT_URGENCY_H
#define MRD_AGENT_URGENCY_H

#include <stdbool.h>

struct mrd_urgency {
	int (*set)(bool urgent); /* mrd_urgency_set(), or a test's */
	bool is_urgent;
	bool refused; /* said so by the kernel: not asked again */
};

/* Whether this thread is a real-time task. -EPERM: CAP_SYS_NICE is missing. */
int mrd_urgency_set(bool urgent);
/* Does nothing if it is so already. Returns what the kernel said when it refused for the first
 * time, else 0. */
int mrd_urgency_be(struct mrd_urgency *urgency, bool urgent);

#endif
