/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Validated policy: DestinationRules and the mesh-wide document, with Istio's names and defaults,
 * and the answer to "which settings hold for this port of this service".
 */
#ifndef MRD_POLICY_POLICY_H
#define MRD_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct mrd_policy; /* an immutable set; a reload makes a new one */

/* ------------------------------------------------------------------------------ outlierDetection
 */

/* What an absent maxEjectionPercent means (design.md, "where Meridian differs"). */
enum mrd_ejection_cap {
	MRD_CAP_REGIONAL,   /* ours: a region may be emptied while another of the route can serve */
	MRD_CAP_ENVOY,	    /* 10 % of the cluster, strict (Envoy since 1.28) */
	MRD_CAP_ALWAYS_ONE, /* that, but one may always go (Envoy's always_eject_one_host) */
	MRD_CAP_PERCENT,    /* max_ejection_percent was given: Envoy's formula exactly */
};

/* Istio's OutlierDetection and Envoy's names behind it; defaults from semantics.md §1. */
struct mrd_outlier_rule {
	uint32_t consecutive_5xx;     /* 0 = off; default 5 */
	uint32_t consecutive_gateway; /* 0 = not enforced (Envoy's 5 still runs, unenforced) */
	bool gateway_off; /* consecutiveGatewayErrors: 0 was written: not even detected */
	bool split_local_origin;
	uint32_t consecutive_local_origin; /* default 5; only with split_local_origin */
	uint64_t interval_ms;		   /* default 10,000 */
	uint64_t base_ejection_ms;	   /* default 30,000 */
	uint64_t max_ejection_ms;	   /* Envoy's: 300,000, or base if that is larger */
	enum mrd_ejection_cap cap;
	uint32_t max_ejection_percent; /* 1 to 100, with MRD_CAP_PERCENT */
	uint64_t probation_ms;	       /* 0 = off: within it after a return one error ejects */
};

/* The rule that "outlierDetection: {}" means. */
extern const struct mrd_outlier_rule mrd_outlier_defaults;

/* ----------------------------------------------------------------------------- localityLbSetting
 */

/* "region/zone/subzone" of a rule: missing and "*" segments are "", which matches anything. */
struct mrd_locality_match {
	char *region;
	char *zone;
	char *subzone;
};

struct mrd_distribute_to {
	struct mrd_locality_match to;
	uint32_t weight; /* 1 to 100; a rule's add up to 100 */
};

struct mrd_distribute {
	struct mrd_locality_match from;
	struct mrd_distribute_to *to;
	size_t to_count;
};

struct mrd_failover {
	char *from; /* regions */
	char *to;
};

enum mrd_locality_mode {
	MRD_LOCALITY_NONE, /* one pool */
	MRD_LOCALITY_FAILOVER,
	MRD_LOCALITY_DISTRIBUTE,
};

struct mrd_locality_setting {
	bool enabled; /* default true */
	struct mrd_distribute *distribute;
	size_t distribute_count;
	struct mrd_failover *failover;
	size_t failover_count;
};

/* ------------------------------------------------------------------------------ what holds */

enum mrd_lb { MRD_LB_LEAST_REQUEST, MRD_LB_ROUND_ROBIN, MRD_LB_RANDOM, MRD_LB_PASSTHROUGH };

/* For one port of one service. Borrows from the policy. */
struct mrd_effective {
	const struct mrd_outlier_rule *outlier; /* NULL: no outlier detection */
	enum mrd_locality_mode locality_mode;
	const struct mrd_locality_setting *locality; /* NULL: none was given */
	enum mrd_lb lb;
	uint32_t min_health_percent;	   /* 0 = no panic; 1 to 100 */
	uint32_t overprovisioning_percent; /* Envoy's factor, default 140 */
	bool cluster_local;		   /* endpoints of the home cluster only */
	const char *rule;		   /* "namespace/name" of the DestinationRule, "" = none */
};

/* The words under which Istio's documents look a service up. */
struct mrd_policy_names {
	const char *cluster_domain; /* cluster.local */
	const char *root_namespace; /* istio-system */
};

/* The settings that hold: rules of the service's namespace, then of the root namespace; the most
 * specific host; DestinationRule over Service trafficDistribution over mesh. Never fails. */
void mrd_policy_effective(const struct mrd_policy *policy, const char *namespace_,
			  const char *service, uint16_t port, struct mrd_effective *ret_effective);

size_t mrd_policy_rule_count(const struct mrd_policy *policy);
void mrd_policy_free(struct mrd_policy *policy); /* NULL is fine */

/* An empty policy: no rule, built-in cluster-local hosts. */
int mrd_policy_new_empty(const struct mrd_policy_names *names, struct mrd_policy **ret_policy);

#endif
