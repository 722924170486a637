/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The plan of one service, pure: merged service + policy + ejections + this node → for each port
 * and IP family its hops with exact shares. Rows for the kernel come from it in rows.h, text in
 * plan_text.h.
 *
 * A hop is one locality (region/zone/subzone) within one priority, as Envoy's locality entries.
 * Load arithmetic is Envoy's (load.h): priorities with overprovisioning, panic, locality weights.
 */
#ifndef MRD_PLAN_PLAN_H
#define MRD_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "maps/abi.h"
#include "model/model.h"
#include "policy/policy.h"

/* The node for which the plan is made. */
struct mrd_plan_node {
	const char *name;
	const char *region;
	const char *zone;
	const char *subzone;
	uint32_t hops_most;		 /* of a route; 0: MRD_HOPS_MAX */
	size_t cluster;			 /* it is one of this cluster's nodes */
	const struct mrd_labels *labels; /* of its Node object; NULL: not known */
};

/* The node of that name, whose labels are looked up. Borrows. */
void mrd_plan_node_at(const struct mrd_model *model, size_t cluster,
		      const struct mrd_locality_name *at, const char *name,
		      struct mrd_plan_node *ret_node);

/* Is this endpoint of this service, port and family ejected? */
struct mrd_plan_ejections {
	bool (*is_ejected)(void *self, const struct mrd_view *view,
			   const struct mrd_view_port *port,
			   const struct mrd_view_endpoint *endpoint);
	void *self;
	/* How long ago a region that had no usable endpoint of this port got one again, ms;
	 * UINT64_MAX: it always had. NULL: of every region. Asked for regions with a usable
	 * endpoint, and only if the port's policy has a warm-up. */
	uint64_t (*region_back_ms)(void *self, const struct mrd_view *view,
				   const struct mrd_view_port *port, const char *region);
	/* The same of an endpoint that was not ready, or not there. Asked for ready ones, ejected
	 * or not, of ports with loadBalancer.warmup. */
	uint64_t (*endpoint_back_ms)(void *self, const struct mrd_view *view,
				     const struct mrd_view_port *port,
				     const struct mrd_view_endpoint *endpoint);
};

struct mrd_plan_endpoint {
	struct mrd_ip ip;
	uint16_t port;
	/* The same pod's address of the other family; MRD_IP_NONE: it has none. */
	struct mrd_ip twin_ip;
	uint16_t twin_port;
	size_t cluster;
	char *cluster_name;
	enum mrd_state state;
	bool unheard;	/* its cluster has fallen silent: the first to be given up */
	bool uncounted; /* not in its hop's total, nor among those of whom some may be ejected */
	bool usable;	/* the hop may hand it out now */
	double weight;	/* below 1 while it warms up */
	double share;	/* of the service's new connections, 0 to 1 */
};

struct mrd_plan_hop {
	char *region;
	char *zone;
	char *subzone;
	uint32_t priority;
	enum mrd_hop_accept accept;
	bool panic;
	double share;	  /* 0 to 1; all hops' shares add up to 1, or to 0 */
	uint32_t healthy; /* ACTIVE */
	uint32_t total;	  /* ready, ejected and unready ones; terminating ones do not count */
	struct mrd_plan_endpoint *endpoints; /* in the view's order */
	size_t endpoint_count;
};

/* One port and family of the service. */
struct mrd_plan_port {
	char *name;
	uint16_t number;
	enum mrd_protocol protocol;
	enum mrd_family family;
	bool is_http;
	struct mrd_ip *vips;
	size_t vip_count;
	uint32_t affinity_timeout_s; /* 0: none; a client keeps its endpoint so long */
	struct mrd_setting setting;  /* all zero: its connections ask for nothing */
	enum mrd_mode mode;
	bool has_outlier;
	struct mrd_outlier_rule outlier; /* if has_outlier */
	bool has_unheard;		 /* endpoints that are given up first */
	bool warms_regions;		 /* those that return ramp up */
	bool warms_endpoints;		 /* so do new ones */
	uint64_t again_ms; /* one is ramping up: plan once more in so many ms; 0: not */
	struct mrd_plan_hop
		*hops; /* by priority, then region, zone, subzone; at most MRD_HOPS_MAX */
	size_t hop_count;
	/* What decided: "namespace/name" of the DestinationRule, and places as "file:line:column";
	 * "" for what nobody wrote. */
	char *rule;
	char *rule_place;
	char *locality_place;
	char *outlier_place;
	char **warnings;
	size_t warning_count;
};

/* A port that is not among the plan's, or not by all its addresses. */
struct mrd_plan_left_out {
	char *why;	  /* a sentence that names it */
	char *rule;	  /* "namespace/name" of the DestinationRule that decided, "" = none */
	char *rule_place; /* of what it says */
	char *port_name;
	uint16_t number;
};

struct mrd_plan {
	char *namespace_;
	char *service;
	struct mrd_plan_port *ports; /* without those of loadBalancer PASSTHROUGH: left alone */
	size_t port_count;
	struct mrd_plan_left_out *left_out;
	size_t left_out_count;
};

/* The ports of a plan that are one port of the Service, by its IP families, stand together; where
 * those that begin at first end. */
size_t mrd_plan_families_end(const struct mrd_plan *plan, size_t first);

/* -ENOMEM. ejections may be NULL: none. The plan borrows nothing. */
int mrd_plan_make(const struct mrd_view *view, const struct mrd_model *model,
		  const struct mrd_policy *policy, const struct mrd_plan_node *node,
		  const struct mrd_plan_ejections *ejections, struct mrd_plan **ret_plan);
void mrd_plan_free(struct mrd_plan *plan); /* NULL is fine */

/* What a port is whose answers outlier detection waits for in vain, in words; NULL: it is not. */
const char *mrd_plan_unread_answers(const struct mrd_view_port *port,
				    const struct mrd_effective *effective);

/* Is a rule's host that of any Service of the home cluster? index: as mrd_policy_rule_name(). */
bool mrd_plan_rule_has_service(const struct mrd_policy *policy, size_t index,
			       const struct mrd_model *model);

#endif
