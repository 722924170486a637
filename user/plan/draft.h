/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Private to plan/: the route of one port while it is worked out. Borrows from view and policy.
 *
 *   draft_rules.c  which setting holds, and what it says to this node
 *   draft_tier.c   in which order endpoints are tried
 *   draft_route.c  which endpoints take part, as which hops, with which weights
 *   draft_share.c  what each hop gets
 *   draft_join.c   more hops than a route row has room for
 *   draft_warn.c   what a user should know of it
 *
 * plan.c copies the result into a plan that stands alone.
 */
#ifndef MRD_PLAN_DRAFT_H
#define MRD_PLAN_DRAFT_H

#include "base/strbuf.h"
#include "plan/plan.h"

enum mrd_draft_hints { MRD_DRAFT_HINTS_NONE, MRD_DRAFT_HINTS_ZONE, MRD_DRAFT_HINTS_NODE };

/* What holds for this port on this node. Lists are the setting's. */
struct mrd_draft_rules {
	enum mrd_mode mode;
	const struct mrd_distribute *distribute; /* NULL: no rule speaks to this node */
	bool unmatched;				 /* there are rules, but none for this node */
	bool falls_back;       /* localities that are not listed follow those that are */
	const char *preferred; /* the region of the pair for this node, or NULL */
	bool has_pairs;	       /* there are pairs, for this node or for others */
	const struct mrd_failover_label *labels;
	size_t label_count;
	bool zone_aware;
	bool weighted; /* localities of a tier share by weight */
	bool strict;   /* own region and the preferred one only */
	enum mrd_draft_hints hints;
};

struct mrd_draft_endpoint {
	const struct mrd_view_endpoint *seen; /* in the view's order */
	enum mrd_state state;
	bool uncounted; /* no host of Envoy's: in no denominator, nor of the ejection cap */
	uint32_t tier;	/* Istio's priority before compaction: only its order counts */
	double weight;	/* below 1 while it warms up */
};

struct mrd_draft_hop {
	struct mrd_locality_name locality;
	uint32_t tier;
	uint32_t priority;
	bool weighted;	 /* localities of this priority share by weight; else endpoints are equal */
	uint32_t weight; /* of the locality */
	size_t first;	 /* its endpoints stand together in the draft's */
	size_t count;
	uint32_t active; /* by state */
	uint32_t ejected;
	uint32_t draining;
	uint32_t total; /* Envoy's denominator: all but the uncounted */
	enum mrd_hop_accept accept;
	bool panic;
	double warmth; /* of a region that ramps up, below 1 */
	double share;
};

struct mrd_draft {
	struct mrd_draft_rules rules;
	bool joined;	   /* there were too many hops */
	uint64_t again_ms; /* a region or an endpoint ramps up: plan once more then; 0: not */
	bool ramps;	   /* a region does */
	struct mrd_draft_endpoint *endpoints;
	size_t endpoint_count;
	struct mrd_draft_hop *hops; /* by priority, then locality */
	size_t hop_count;
};

struct mrd_draft_input {
	const struct mrd_model *model; /* for its clusters */
	const struct mrd_view *view;
	const struct mrd_view_port *port;
	const struct mrd_effective *effective;
	const struct mrd_plan_node *node;
	const struct mrd_plan_ejections *ejections; /* may be NULL */
};

/* All steps. -ENOMEM. */
int mrd_draft_make(const struct mrd_draft_input *in, struct mrd_draft *ret_draft);
void mrd_draft_free(struct mrd_draft *draft); /* frees the arrays, not draft itself */

void mrd_draft_find_rules(const struct mrd_draft_input *in, struct mrd_draft_rules *ret_rules);
/* Does the Service's own trafficDistribution decide? It goes before the mesh's locality setting,
 * but not before a rule's. */
bool mrd_draft_is_by_service(const struct mrd_view *view, const struct mrd_effective *effective);
/* Below which part of a priority's endpoints its ejected ones are used too; 0: never, as with any
 * trafficDistribution, whichever setting decides on places. */
uint32_t mrd_draft_panic_percent(const struct mrd_view *view,
				 const struct mrd_effective *effective);
/* Istio's priority before compaction. */
uint32_t mrd_draft_tier(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			const struct mrd_view_endpoint *endpoint);
/* The value of a label, or "": this node's, an endpoint's. */
const char *mrd_draft_own_label(const struct mrd_draft_input *in, const char *key);
const char *mrd_draft_label_of(const struct mrd_draft_input *in,
			       const struct mrd_view_endpoint *endpoint, const char *key);
enum mrd_state mrd_draft_state(const struct mrd_draft_input *in,
			       const struct mrd_view_endpoint *endpoint);
/* Is it no host of Envoy's: terminating, or not ready where those are to be dropped? */
bool mrd_draft_is_uncounted(const struct mrd_draft_input *in,
			    const struct mrd_view_endpoint *endpoint);
/* May the endpoint take part, hints apart? */
bool mrd_draft_is_candidate(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			    const struct mrd_view_endpoint *endpoint);
/* Which hints would be followed if nobody were ejected. */
enum mrd_draft_hints mrd_draft_hints_unejected(const struct mrd_draft_input *in,
					       const struct mrd_draft_rules *rules);
/* Is the endpoint meant for this node, as far as hints are followed? */
bool mrd_draft_is_hinted(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			 const struct mrd_view_endpoint *endpoint);
bool mrd_draft_matches(const struct mrd_locality_match *match, const char *region, const char *zone,
		       const char *subzone);
/* The first entry of the rule that names the locality; rule->to_count: it is not listed. */
size_t mrd_draft_listed_at(const struct mrd_distribute *rule,
			   const struct mrd_locality_name *locality);

/* Makes one hop of those with equal priority and locality; puts hops in order. -ENOMEM. */
int mrd_draft_merge_equal(struct mrd_draft *draft);
/* Sets the warmth of hops in regions that ramp up, the weight of endpoints that do, and when to
 * plan once more (draft_warm.c). */
void mrd_draft_warm(const struct mrd_draft_input *in, struct mrd_draft *draft);
/* Does a region with an ACTIVE endpoint ramp up, or a ready endpoint, and since when? */
bool mrd_draft_region_warms(const struct mrd_draft_input *in, const char *region,
			    uint64_t *ret_back_ms);
bool mrd_draft_endpoint_warms(const struct mrd_draft_input *in,
			      const struct mrd_view_endpoint *endpoint, uint64_t *ret_back_ms);
/* Sets share, accept and panic of the hops. -ENOMEM. */
int mrd_draft_share(const struct mrd_draft_input *in, struct mrd_draft *draft);
/* How many hops a route on this node may have. */
uint32_t mrd_draft_hops_most(const struct mrd_plan_node *node);
/* Joins hops until so many are left; their shares add up. -ENOMEM leaves the draft whole. */
int mrd_draft_join(struct mrd_draft *draft, const struct mrd_plan_node *node);

/* What a user should know of the port's route (draft_warn.c). -ENOMEM. */
int mrd_draft_warn(const struct mrd_draft_input *in, const struct mrd_draft *draft,
		   struct mrd_plan_port *port);

/* How many more the port's detector watches: of the other IP family, without a twin in this one. */
size_t mrd_draft_hosts_beside(const struct mrd_draft_input *in,
			      const struct mrd_draft_rules *rules);

/* Has the locality an endpoint that may take part? */
bool mrd_draft_has_endpoint(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			    const struct mrd_locality_match *match);
/* Adds who takes the part of the distribution's entry, of a port whose hops are there; false: the
 * entry has endpoints, or no entry has any, which mrd_draft_warn() tells. */
bool mrd_draft_lost_part(const struct mrd_draft_input *in, const struct mrd_draft_rules *rules,
			 const struct mrd_plan_port *port, size_t index, struct mrd_strbuf *out);

/* Behind "has no endpoint": where that is, of a service that does not leave it; or "". */
const char *mrd_draft_stays(const struct mrd_effective *effective);

/* From draft to what a plan says of the port, which is all 0 before. -ENOMEM leaves a part of it to
 * be cleared. */
int mrd_plan_port_make(const struct mrd_draft_input *in, struct mrd_plan_port *port);
void mrd_plan_port_clear(struct mrd_plan_port *port);

/* May a hop that accepts so hand this endpoint out? */
bool mrd_draft_usable(enum mrd_hop_accept accept, enum mrd_state state);
/* How many of the hop's endpoints it may hand out. */
uint32_t mrd_draft_usable_count(const struct mrd_draft_hop *hop);

/* By priority, then locality; for qsort. */
int mrd_draft_compare_hops(const void *left, const void *right);
int mrd_locality_compare(const struct mrd_locality_name *a, const struct mrd_locality_name *b);

#endif
