/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What each hop gets: Envoy's load of its priority (load.h), and its part of that. Inside a
 * priority all endpoints are equal, or localities share by effective weight; a priority in panic
 * forgets about weights, as Envoy does.
 *
 * No ready endpoint anywhere in the route, not even an ejected one: endpoints that still serve
 * while they terminate take over, equally (KEP-1669). Envoy has no such step, having forgotten them
 * already.
 */
#include "plan/draft.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "plan/load.h"

/* WEIGHT: of a warm endpoint, so that a cold one's is a whole number too. */
enum { WEIGHT = 1000, FULL_LOAD = 100 };

static const double per_cent = 0.01;

bool mrd_draft_usable(enum mrd_hop_accept accept, enum mrd_state state)
{
	switch (accept) {
	case MRD_ACCEPT_ACTIVE:
		return state == MRD_STATE_ACTIVE;
	case MRD_ACCEPT_EJECTED:
		return state == MRD_STATE_ACTIVE || state == MRD_STATE_EJECTED;
	case MRD_ACCEPT_DRAINING:
		return state == MRD_STATE_DRAINING;
	}
	return false;
}

uint32_t mrd_draft_usable_count(const struct mrd_draft_hop *hop)
{
	switch (hop->accept) {
	case MRD_ACCEPT_ACTIVE:
		return hop->active;
	case MRD_ACCEPT_EJECTED:
		return hop->active + hop->ejected;
	case MRD_ACCEPT_DRAINING:
		return hop->draining;
	}
	return 0;
}

/* A hop's claim on the load of its priority; of a region that ramps up, a part of it. */
static double claim(const struct mrd_draft_hop *hop, uint32_t overprovisioning_percent)
{
	if (hop->weighted && hop->accept == MRD_ACCEPT_ACTIVE)
		return hop->warmth * mrd_load_locality(hop->weight, hop->active, hop->total,
						       overprovisioning_percent);
	return hop->warmth * mrd_draft_usable_count(hop);
}

/* Shares load (0 to 1) over the hops from first to end - 1. */
static void share_out(struct mrd_draft *draft, size_t first, size_t end, double load,
		      uint32_t overprovisioning_percent)
{
	double sum = 0;

	for (size_t i = first; i < end; i++)
		sum += claim(&draft->hops[i], overprovisioning_percent);
	for (size_t i = first; sum > 0 && i < end; i++)
		draft->hops[i].share =
			load * claim(&draft->hops[i], overprovisioning_percent) / sum;
}

/* Envoy rounds a level of one healthy host in 141 down to nothing. The first that has any is given
 * everything then: refusing would help nobody. Returns whether there is one. */
static bool give_to_first_usable(struct mrd_draft *draft, uint32_t overprovisioning_percent)
{
	for (size_t first = 0, end; first < draft->hop_count; first = end) {
		uint32_t usable = 0;

		for (end = first; end < draft->hop_count &&
				  draft->hops[end].priority == draft->hops[first].priority;
		     end++)
			usable += mrd_draft_usable_count(&draft->hops[end]);
		if (!usable)
			continue;
		share_out(draft, first, end, 1, overprovisioning_percent);
		return true;
	}
	return false;
}

static void fall_back_to_draining(struct mrd_draft *draft)
{
	uint32_t draining = 0;
	uint32_t ready = 0;

	for (size_t i = 0; i < draft->hop_count; i++) {
		draining += draft->hops[i].draining;
		ready += draft->hops[i].active + draft->hops[i].ejected;
	}
	if (!draining || ready)
		return;

	for (size_t i = 0; i < draft->hop_count; i++) {
		draft->hops[i].accept = MRD_ACCEPT_DRAINING;
		draft->hops[i].panic = false;
	}
	share_out(draft, 0, draft->hop_count, 1, 0);
}

static size_t count_levels(const struct mrd_draft *draft, struct mrd_load_level *levels)
{
	size_t count = 0;

	for (size_t i = 0; i < draft->hop_count; i++) {
		const struct mrd_draft_hop *hop = &draft->hops[i];
		struct mrd_load_level *level = &levels[hop->priority];

		level->healthy += hop->active;
		level->total += hop->total;
		level->unfit += hop->total - hop->active - hop->ejected;
		count = hop->priority + 1;
	}
	return count;
}

/* Endpoints of a region that ramps up weigh less when the health of their level is asked. */
static void weigh_levels(const struct mrd_draft *draft, struct mrd_load_level *levels)
{
	for (size_t i = 0; i < draft->hop_count; i++) {
		const struct mrd_draft_hop *hop = &draft->hops[i];
		struct mrd_load_level *level = &levels[hop->priority];

		level->healthy_weight += (uint64_t)lround(hop->active * WEIGHT * hop->warmth);
		level->total_weight += (uint64_t)hop->total * WEIGHT;
	}
}

/* What a region that ramps up leaves must be taken by others; if they cannot, it is warm enough. */
static void load_levels(const struct mrd_draft_input *in, const struct mrd_draft *draft,
			struct mrd_load_level *levels)
{
	const size_t count = count_levels(draft, levels);
	const uint32_t overprovisioning = in->effective->overprovisioning_percent;
	const uint32_t panic = mrd_draft_panic_percent(in->view, in->effective);

	if (draft->ramps) {
		weigh_levels(draft, levels);
		if (mrd_load_levels(levels, count, overprovisioning, panic) == FULL_LOAD)
			return;
		for (size_t i = 0; i < count; i++)
			levels[i].healthy_weight = levels[i].total_weight = 0;
	}
	mrd_load_levels(levels, count, overprovisioning, panic);
}

int mrd_draft_share(const struct mrd_draft_input *in, struct mrd_draft *draft)
{
	const uint32_t overprovisioning = in->effective->overprovisioning_percent;
	MRD_AUTO_FREE struct mrd_load_level *levels = calloc(draft->hop_count + 1, sizeof(*levels));
	double used = 0;

	if (!levels)
		return -ENOMEM;
	load_levels(in, draft, levels);

	for (size_t first = 0, end; first < draft->hop_count; first = end) {
		const struct mrd_load_level *level = &levels[draft->hops[first].priority];

		for (end = first; end < draft->hop_count &&
				  draft->hops[end].priority == draft->hops[first].priority;
		     end++) {
			draft->hops[end].panic = level->panic;
			draft->hops[end].accept =
				level->panic ? MRD_ACCEPT_EJECTED : MRD_ACCEPT_ACTIVE;
		}
		share_out(draft, first, end, level->percent * per_cent, overprovisioning);
		for (size_t i = first; i < end; i++)
			used += draft->hops[i].share;
	}
	if (used <= 0 && !give_to_first_usable(draft, overprovisioning))
		fall_back_to_draining(draft);
	return 0;
}
