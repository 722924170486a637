/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A region that had nothing to offer and is back (meridian.dev/warmup): its part grows with time,
 * as that of an endpoint in Envoy's slow start, straight from a tenth to the whole. Envoy has no
 * such thing for a locality, which returns with its full load at once.
 */
#include "plan/draft.h"

static const double coldest = 0.1; /* Envoy's min_weight_percent, 10 */

enum {
	STEPS = 20,	    /* of a warm-up */
	STEP_MIN_MS = 1000, /* a plan a second is enough */
};

void mrd_draft_warm(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	const struct mrd_plan_ejections *known = in->ejections;
	const uint64_t warmup_ms = in->effective->region_warmup_ms;
	const uint64_t step_ms = warmup_ms / STEPS > STEP_MIN_MS ? warmup_ms / STEPS : STEP_MIN_MS;

	if (!warmup_ms || !known || !known->region_back_ms)
		return;
	for (size_t i = 0; i < draft->hop_count; i++) {
		struct mrd_draft_hop *hop = &draft->hops[i];
		uint64_t back_ms;

		if (!hop->active)
			continue;
		back_ms = known->region_back_ms(known->self, in->view, in->port,
						hop->locality.region);
		if (back_ms >= warmup_ms)
			continue;
		hop->warmth = (double)back_ms / (double)warmup_ms;
		if (hop->warmth < coldest)
			hop->warmth = coldest;
		draft->again_ms = step_ms < warmup_ms - back_ms ? step_ms : warmup_ms - back_ms;
	}
}
