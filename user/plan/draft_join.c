/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A route row holds MRD_HOPS_MAX hops; a node may be configured to have fewer. With more localities
 * than that, the zones of each region become one hop per priority; should that not do, the smallest
 * regions of a priority become one hop without a name, and last, neighbouring priorities become
 * one. What they get together stays exact, since shares are worked out before; only inside a joined
 * hop all endpoints are equal.
 */
#include "plan/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int compare_size(const void *left, const void *right)
{
	const struct mrd_draft_hop *a = *(struct mrd_draft_hop *const *)left;
	const struct mrd_draft_hop *b = *(struct mrd_draft_hop *const *)right;

	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return mrd_draft_compare_hops(a, b);
}

static int compare_seen(const void *left, const void *right)
{
	const struct mrd_draft_endpoint *a = left;
	const struct mrd_draft_endpoint *b = right;

	return (a->seen > b->seen) - (a->seen < b->seen);
}

static void add_hop(struct mrd_draft_hop *into, const struct mrd_draft_hop *hop)
{
	into->weight += hop->weight;
	into->count += hop->count;
	into->active += hop->active;
	into->ejected += hop->ejected;
	into->draining += hop->draining;
	into->total += hop->total;
	into->share += hop->share;
}

int mrd_draft_merge_equal(struct mrd_draft *draft)
{
	struct mrd_draft_endpoint *endpoints =
		calloc(draft->endpoint_count + 1, sizeof(*endpoints));
	size_t filled = 0;
	size_t kept = 0;

	if (!endpoints)
		return -ENOMEM;
	qsort(draft->hops, draft->hop_count, sizeof(*draft->hops), mrd_draft_compare_hops);

	for (size_t i = 0; i < draft->hop_count; i++) {
		struct mrd_draft_hop hop = draft->hops[i];

		memcpy(endpoints + filled, draft->endpoints + hop.first,
		       hop.count * sizeof(*endpoints));
		hop.first = filled;
		filled += hop.count;
		if (kept && !mrd_draft_compare_hops(&draft->hops[kept - 1], &hop))
			add_hop(&draft->hops[kept - 1], &hop);
		else
			draft->hops[kept++] = hop;
	}
	draft->hop_count = kept;
	for (size_t i = 0; i < kept; i++)
		qsort(endpoints + draft->hops[i].first, draft->hops[i].count, sizeof(*endpoints),
		      compare_seen);

	free(draft->endpoints);
	draft->endpoints = endpoints;
	draft->endpoint_count = filled;
	return 0;
}

/* A region's only hop of a priority keeps the name of its zone. */
static void forget_zones(struct mrd_draft *draft)
{
	struct mrd_draft_hop *hops = draft->hops;

	for (size_t first = 0, end; first < draft->hop_count; first = end) {
		for (end = first + 1; end < draft->hop_count; end++)
			if (hops[end].priority != hops[first].priority ||
			    strcmp(hops[end].locality.region, hops[first].locality.region))
				break;
		for (size_t i = first; end - first > 1 && i < end; i++)
			hops[i].locality.zone = hops[i].locality.subzone = "";
	}
}

/* The priority with the most hops: its first one, and their number. */
static void find_most(const struct mrd_draft *draft, size_t *ret_first, size_t *ret_most)
{
	*ret_first = 0;
	*ret_most = 0;
	for (size_t first = 0, end; first < draft->hop_count; first = end) {
		for (end = first; end < draft->hop_count &&
				  draft->hops[end].priority == draft->hops[first].priority;
		     end++)
			;
		if (end - first >= *ret_most) {
			*ret_most = end - first;
			*ret_first = first;
		}
	}
}

/* Each priority has one hop, and there are too many: makes one of the two neighbours that matter
 * least, the last ones of those without a share. */
static void join_priorities(struct mrd_draft *draft)
{
	struct mrd_draft_hop *hop = draft->hops;

	for (size_t i = 1; i + 1 < draft->hop_count; i++)
		if (draft->hops[i].share + draft->hops[i + 1].share <= hop[0].share + hop[1].share)
			hop = &draft->hops[i];
	hop[1].priority = hop[0].priority;
	if (mrd_locality_compare(&hop[0].locality, &hop[1].locality)) {
		if (strcmp(hop[0].locality.region, hop[1].locality.region) != 0)
			hop[0].locality.region = "";
		hop[0].locality.zone = hop[0].locality.subzone = "";
		hop[1].locality = hop[0].locality;
	}
	hop[0].panic = hop[1].panic = hop[0].panic || hop[1].panic;
	hop[0].accept = hop[1].accept = hop[0].panic ? MRD_ACCEPT_EJECTED : hop[0].accept;
}

/* Of the priority with the most hops, takes the names of as many of the smallest as are too many.
 */
static int forget_smallest(struct mrd_draft *draft, uint32_t hops_most)
{
	MRD_AUTO_FREE struct mrd_draft_hop **by_size =
		calloc(draft->hop_count + 1, sizeof(struct mrd_draft_hop *));
	size_t most_first;
	size_t most;
	size_t joined;

	if (!by_size)
		return -ENOMEM;
	find_most(draft, &most_first, &most);
	for (size_t i = 0; i < most; i++)
		by_size[i] = &draft->hops[most_first + i];
	qsort(by_size, most, sizeof(struct mrd_draft_hop *), compare_size);

	joined = draft->hop_count - hops_most + 1;
	for (size_t i = 0; i < joined && i < most; i++)
		by_size[i]->locality = (struct mrd_locality_name){"", "", ""};
	return 0;
}

uint32_t mrd_draft_hops_most(const struct mrd_plan_node *node)
{
	return node->hops_most && node->hops_most < MRD_HOPS_MAX ? node->hops_most : MRD_HOPS_MAX;
}

int mrd_draft_join(struct mrd_draft *draft, const struct mrd_plan_node *node)
{
	const uint32_t hops_most = mrd_draft_hops_most(node);
	int r;

	if (draft->hop_count <= hops_most)
		return 0;
	draft->joined = true;
	forget_zones(draft);
	r = mrd_draft_merge_equal(draft);
	while (!r && draft->hop_count > hops_most) {
		size_t first;
		size_t most;

		find_most(draft, &first, &most);
		if (most > 1)
			r = forget_smallest(draft, hops_most);
		else
			join_priorities(draft);
		if (!r)
			r = mrd_draft_merge_equal(draft);
	}
	return r;
}
