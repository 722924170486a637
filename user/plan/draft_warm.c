/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is back, or new, gets its part little by little.
 *
 * A region that had nothing to offer (meridian.dev/warmup): straight from a tenth to the whole.
 * Envoy has no such thing for a locality, which returns with its full load at once. An endpoint
 * that was not ready (loadBalancer.warmup): Envoy's slow start, its weight is max(minimum, (age /
 * duration) ^ (1 / aggression)).
 */
#include "plan/draft.h"

#include <math.h>

static const double coldest = 0.1; /* Envoy's min_weight_percent, 10 */
static const double per_cent = 0.01;
static const double least = 0.01; /* with minimumPercent 0, it is there all the same */

enum {
	STEPS = 20,	    /* of a warm-up */
	STEP_MIN_MS = 1000, /* a plan a second is enough */
};

static void plan_again(struct mrd_draft *draft, uint64_t back_ms, uint64_t warmup_ms)
{
	const uint64_t step_ms = warmup_ms / STEPS > STEP_MIN_MS ? warmup_ms / STEPS : STEP_MIN_MS;
	const uint64_t left_ms = warmup_ms - back_ms;
	const uint64_t next_ms = step_ms < left_ms ? step_ms : left_ms;

	if (!draft->again_ms || next_ms < draft->again_ms)
		draft->again_ms = next_ms;
}

bool mrd_draft_region_warms(const struct mrd_draft_input *in, const char *region,
			    uint64_t *ret_back_ms)
{
	const struct mrd_plan_ejections *known = in->ejections;

	if (!known || !known->region_back_ms || !in->effective->region_warmup_ms)
		return false;
	*ret_back_ms = known->region_back_ms(known->self, in->view, in->port, region);
	return *ret_back_ms < in->effective->region_warmup_ms;
}

bool mrd_draft_endpoint_warms(const struct mrd_draft_input *in,
			      const struct mrd_view_endpoint *endpoint, uint64_t *ret_back_ms)
{
	const struct mrd_plan_ejections *known = in->ejections;

	if (!known || !known->endpoint_back_ms || !in->effective->warmup.duration_ms)
		return false;
	*ret_back_ms = known->endpoint_back_ms(known->self, in->view, in->port, endpoint);
	return *ret_back_ms < in->effective->warmup.duration_ms;
}

static void warm_regions(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	const uint64_t warmup_ms = in->effective->region_warmup_ms;

	for (size_t i = 0; i < draft->hop_count; i++) {
		struct mrd_draft_hop *hop = &draft->hops[i];
		uint64_t back_ms;

		if (!hop->active || !mrd_draft_region_warms(in, hop->locality.region, &back_ms))
			continue;
		hop->warmth = fmax(coldest, (double)back_ms / (double)warmup_ms);
		draft->ramps = true;
		plan_again(draft, back_ms, warmup_ms);
	}
}

static void warm_endpoints(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	const struct mrd_warmup_rule *rule = &in->effective->warmup;

	for (size_t i = 0; i < draft->endpoint_count; i++) {
		struct mrd_draft_endpoint *endpoint = &draft->endpoints[i];
		uint64_t back_ms;
		double part;

		if (!endpoint->seen->ready ||
		    !mrd_draft_endpoint_warms(in, endpoint->seen, &back_ms))
			continue;
		part = pow((double)back_ms / (double)rule->duration_ms, 1 / rule->aggression);
		endpoint->weight = fmax(least, fmax(rule->minimum_percent * per_cent, part));
		plan_again(draft, back_ms, rule->duration_ms);
	}
}

void mrd_draft_warm(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	warm_regions(in, draft);
	warm_endpoints(in, draft);
}
