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

/* Does nothing if it is so already. */
static int be(struct mrd_urgency *urgency, bool urgent)
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

/* What was not used until then is left; what was used beyond is owed. */
static void settle(struct mrd_urgency *urgency, uint64_t now_ns)
{
	if (urgency->until_ns && urgency->is_urgent)
		urgency->left_ns = (int64_t)(urgency->until_ns - now_ns);
	urgency->until_ns = 0;
}

int mrd_urgency_rest(struct mrd_urgency *urgency, uint64_t now_ns)
{
	settle(urgency, now_ns);
	urgency->since_ns = now_ns;
	return be(urgency, true);
}

void mrd_urgency_wake(struct mrd_urgency *urgency, uint64_t now_ns)
{
	const int64_t earned_ns = (int64_t)((now_ns - urgency->since_ns) / MRD_URGENT_PART);
	const int64_t left_ns = urgency->left_ns + earned_ns;

	urgency->until_ns =
		now_ns + (uint64_t)(left_ns < MRD_URGENT_MOST_NS ? left_ns : MRD_URGENT_MOST_NS);
}

void mrd_urgency_ease(struct mrd_urgency *urgency, uint64_t now_ns)
{
	if (now_ns >= urgency->until_ns)
		mrd_urgency_end(urgency, now_ns);
}

void mrd_urgency_end(struct mrd_urgency *urgency, uint64_t now_ns)
{
	settle(urgency, now_ns);
	be(urgency, false);
}
