/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Private to plan/: the route of one port while it is worked out. Borrows from view and policy.
 *
 *   draft_route.c  which endpoints take part, in which tier, as which hops
 *   draft_share.c  what each hop gets
 *   draft_join.c   more hops than a route row has room for
 *
 * plan.c copies the result into a plan that stands alone.
 */
#ifndef MRD_PLAN_DRAFT_H
#define MRD_PLAN_DRAFT_H

#include "plan/plan.h"

struct mrd_draft_endpoint {
	const struct mrd_view_endpoint *seen; /* in the view's order: cluster, ip, port */
	enum mrd_state state;
	uint32_t tier; /* Istio's priority before compaction: only its order counts */
};

struct mrd_draft_hop {
	struct mrd_locality_name locality;
	uint32_t tier;
	uint32_t priority;
	uint32_t weight; /* of the locality, if the draft is weighted */
	size_t first;	 /* its endpoints stand together in the draft's */
	size_t count;
	uint32_t active; /* by state */
	uint32_t ejected;
	uint32_t draining;
	uint32_t total; /* Envoy's denominator: all but terminating ones */
	enum mrd_hop_accept accept;
	bool panic;
	double share;
};

struct mrd_draft {
	enum mrd_mode mode;
	bool weighted; /* localities of a priority share by weight; else its endpoints are equal */
	bool joined;   /* there were too many hops */
	struct mrd_draft_endpoint *endpoints;
	size_t endpoint_count;
	struct mrd_draft_hop *hops; /* by priority, then locality */
	size_t hop_count;
};

struct mrd_draft_input {
	const struct mrd_view *view;
	const struct mrd_view_port *port;
	const struct mrd_effective *effective;
	const struct mrd_plan_node *node;
	const struct mrd_plan_ejections *ejections; /* may be NULL */
	size_t home;				    /* cluster */
};

/* All three steps. -ENOMEM. */
int mrd_draft_make(const struct mrd_draft_input *in, struct mrd_draft *ret_draft);
void mrd_draft_free(struct mrd_draft *draft); /* frees the arrays, not draft itself */

/* Sets share, accept and panic of the hops. -ENOMEM. */
int mrd_draft_share(struct mrd_draft *draft, const struct mrd_effective *effective);
/* How many hops a route on this node may have. */
uint32_t mrd_draft_hops_most(const struct mrd_plan_node *node);
/* Joins hops until so many are left, or one a priority; their shares add up. -ENOMEM leaves the
 * draft whole. */
int mrd_draft_join(struct mrd_draft *draft, const struct mrd_plan_node *node);

/* May a hop that accepts so hand this endpoint out? */
bool mrd_draft_usable(enum mrd_hop_accept accept, enum mrd_state state);
/* How many of the hop's endpoints it may hand out. */
uint32_t mrd_draft_usable_count(const struct mrd_draft_hop *hop);

/* By priority, then locality; for qsort. */
int mrd_draft_compare_hops(const void *left, const void *right);
int mrd_locality_compare(const struct mrd_locality_name *a, const struct mrd_locality_name *b);

#endif
