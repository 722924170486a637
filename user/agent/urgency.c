/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/urgency.h"

#include <errno.h>
#include <sched.h>

int mrd_urgency_set(bool urgent)
{
	const int policy = urgent ? SCHED_RR : SCHED_OTHER;
	const struct sched_param param = {.sched_priority =
						  urgent ? sched_get_priority_min(policy) : 0};

	return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &param) < 0 ? -errno : 0;
}

int mrd_urgency_be(struct mrd_urgency *urgency, bool urgent)
{
	int r;

	if (urgency->refused || urgency->is_urgent == urgent)
		return 0;
	r = urgency->set(urgent);
	/* Only the way up can be refused. */
	urgency->refused = r != 0;
	if (!r)
		urgency->is_urgent = urgent;
	return r;
}
