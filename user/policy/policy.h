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

enum { MRD_CAP_ENVOY_PERCENT = 10 }; /* Envoy's default for max_ejection_percent */

/* What an absent maxEjectionPercent means (design.md, "where Meridian differs"). */
enum mrd_ejection_cap {
	MRD_CAP_REGIONAL,   /* ours: a region may be emptied while another of the route can serve */
	MRD_CAP_ENVOY,	    /* 10 % of the cluster, strict (Envoy since 1.28) */
	MRD_CAP_ALWAYS_ONE, /* that, but one may always go (Envoy's always_eject_one_host) */
	MRD_CAP_PERCENT,    /* max_ejection_percent was given: Envoy's formula exactly */
};

enum {
	MRD_ERROR_CODE_MIN = 100,
	MRD_ERROR_CODE_MAX = 599,
	MRD_ERROR_CODE_BYTES = (MRD_ERROR_CODE_MAX - MRD_ERROR_CODE_MIN) / 8 + 1,
};

/* Envoy's success-rate detector, by meridian.dev/success-rate-…; off unless one of them is given.
 */
struct mrd_success_rate_rule {
	bool on;
	bool enforced;		 /* Envoy's enforcing_success_rate, 100 or 0; default 100 */
	uint32_t minimum_hosts;	 /* default 5 */
	uint32_t request_volume; /* a host's requests in an interval; default 100 */
	uint32_t stdev_factor;	 /* in 1/1000, default 1900 */
};

/* Envoy's failure-percentage detector, by meridian.dev/failure-percentage-…; off unless given. */
struct mrd_failure_percentage_rule {
	bool on;
	bool enforced;		 /* Envoy's enforcing_failure_percentage, 100 or 0; default 0 */
	uint32_t threshold;	 /* per cent, default 85 */
	uint32_t minimum_hosts;	 /* default 5 */
	uint32_t request_volume; /* default 50 */
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
	uint64_t max_jitter_ms; /* Envoy's max_ejection_time_jitter, default 0; ours to give */
	enum mrd_ejection_cap cap;
	uint32_t max_ejection_percent; /* 1 to 100, with MRD_CAP_PERCENT */
	uint64_t probation_ms;	       /* 0 = off: within it after a return one error ejects */
	bool has_error_codes;	       /* outlierDetectionHttpErrorCodes: they replace 500 to 599 */
	uint8_t error_codes[MRD_ERROR_CODE_BYTES]; /* bit i: status MRD_ERROR_CODE_MIN + i */
	struct mrd_success_rate_rule success_rate;
	struct mrd_failure_percentage_rule failure_percentage;
};

/* The rule that "outlierDetection: {}" means. */
extern const struct mrd_outlier_rule mrd_outlier_defaults;

/* The longest ejection if nobody gives one: Envoy's max_ejection_time, which Istio never sets. */
uint64_t mrd_outlier_longest(uint64_t base_ms);

/* Has it a detector that is on and does more than tell? */
bool mrd_outlier_ejects(const struct mrd_outlier_rule *rule);
/* What is said of one that does not. */
extern const char mrd_outlier_ejects_nobody[];

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

/* One label of failoverPriority: compared with the node's own value, or with the one given. */
struct mrd_failover_label {
	char *key;
	char *value; /* NULL: the node's */
};

enum mrd_locality_mode {
	MRD_LOCALITY_NONE, /* one pool */
	MRD_LOCALITY_FAILOVER,
	MRD_LOCALITY_DISTRIBUTE,
};

/* localityLbSetting, or zoneAwareLbSetting with zone_aware set: a service has one of them. */
struct mrd_locality_setting {
	bool enabled;	 /* default true */
	bool zone_aware; /* tiers are own region, the pair's to, the others; no distribute */
	uint32_t min_cluster_size; /* with zone_aware; 0: not given */
	struct mrd_distribute *distribute;
	size_t distribute_count;
	struct mrd_failover *failover;
	size_t failover_count;
	struct mrd_failover_label *priority; /* failoverPriority, in order */
	size_t priority_count;
};

/* ------------------------------------------------------------------------------ what holds */

enum mrd_lb { MRD_LB_LEAST_REQUEST, MRD_LB_ROUND_ROBIN, MRD_LB_RANDOM, MRD_LB_PASSTHROUGH };

/* h2UpgradePolicy */
enum mrd_h2_upgrade {
	MRD_H2_UPGRADE_DEFAULT,
	MRD_H2_UPGRADE_NEVER,
	MRD_H2_UPGRADE_ALWAYS,
	MRD_H2_UPGRADES,
};

extern const char *const mrd_h2_upgrade_words[MRD_H2_UPGRADES];

/* connectionPool, for the data plane. What was not given, and Istio's zeros, are 0 = not limited.
 */
struct mrd_pool_rule {
	uint32_t max_connections;
	/* 0: not given. Istio's default of 10 s is for the connections of a proxy, which retries.
	 */
	uint64_t connect_timeout_ms;
	bool has_keepalive;	   /* tcpKeepalive was given, be it empty */
	uint32_t keepalive_probes; /* 0: the OS default; so are the next two */
	uint64_t keepalive_time_ms;
	uint64_t keepalive_interval_ms;
	uint64_t max_connection_duration_ms;
	uint64_t idle_timeout_ms; /* tcp's; default 1 h, 0 = off */
	uint32_t http1_max_pending_requests;
	uint32_t http2_max_requests;
	uint32_t max_requests_per_connection; /* 1 = no keep-alive */
	uint32_t max_retries;
	uint32_t max_concurrent_streams;
	uint64_t http_idle_timeout_ms; /* default: tcp's */
	enum mrd_h2_upgrade h2_upgrade;
	bool use_client_protocol;
	uint64_t http2_keepalive_interval_ms; /* 0: http2KeepAlive was not given */
	uint64_t http2_keepalive_timeout_ms;
};

extern const struct mrd_pool_rule mrd_pool_defaults;

/* What TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT take (tcp(7)). */
enum { MRD_KEEPALIVE_MAX_S = 32767, MRD_KEEPALIVE_PROBES_MAX = 127 };

/* Of a time as it was given, and of a number: what holds in the kernel. */
uint32_t mrd_keepalive_seconds(uint64_t ms);
uint32_t mrd_keepalive_probes(uint32_t probes);

/* loadBalancer.warmup (Envoy's slow start): a new endpoint's part grows over duration. */
struct mrd_warmup_rule {
	uint64_t duration_ms;	/* 0: off */
	double minimum_percent; /* default 10 */
	double aggression;	/* default 1 */
};

enum mrd_on_eject { MRD_ON_EJECT_KEEP, MRD_ON_EJECT_CLOSE, MRD_ON_EJECT_RESET };

/* Which document a setting came from. */
enum mrd_origin { MRD_ORIGIN_NONE, MRD_ORIGIN_RULE, MRD_ORIGIN_MESH };

enum { MRD_OVERPROVISIONING_PERCENT = 140 }; /* Envoy's default factor */

/*
 * For one port of one service. Borrows from the policy. Places are "file:line:column", "" for what
 * nobody wrote.
 */
struct mrd_effective {
	const struct mrd_outlier_rule *outlier; /* NULL: no outlier detection */
	enum mrd_origin outlier_origin;
	const char *outlier_place, *outlier_path; /* its path in the document there */
	/* By what endpoints are ejected: that; or, where a list alone asks for failover, failed
	 * handshakes by Envoy's defaults for local-origin failures; NULL: nothing ejects. */
	const struct mrd_outlier_rule *detector;
	/* What locality says if the Service has no trafficDistribution, which goes before the
	 * mesh's setting but not before a rule's. */
	enum mrd_locality_mode locality_mode;
	const struct mrd_locality_setting *locality; /* NULL: none was given */
	enum mrd_origin locality_origin;
	const char *locality_place;
	enum mrd_lb lb;
	bool hash_source_ip; /* consistentHash.useSourceIp: a client keeps its endpoint */
	struct mrd_warmup_rule warmup;
	const struct mrd_pool_rule *pool; /* never NULL */
	const char *lb_place, *pool_place;
	uint32_t min_health_percent;	   /* 0 = no panic; 1 to 100 */
	uint32_t overprovisioning_percent; /* MRD_OVERPROVISIONING_PERCENT */
	bool cluster_local;		   /* endpoints of the home cluster only */
	bool fallback_next_region;	   /* meridian.dev/fallback: next-region */
	bool regions_strict;		   /* meridian.dev/regions: strict */
	bool unready_drop;		   /* meridian.dev/unready: drop */
	uint64_t
		region_warmup_ms; /* meridian.dev/warmup, 0 = off: a region that returns ramps up */
	enum mrd_on_eject on_eject;
	uint64_t syn_timeout_ms; /* meridian.dev/syn-timeout, 0: adaptive */
	bool rescue_off;	 /* meridian.dev/rescue: off */
	const char *rule;	 /* "namespace/name" of the DestinationRule, "" = none */
	const char *rule_place;	 /* of its host */
	/* Of the portLevelSettings that replace the rule's trafficPolicy for this port; "": none.
	 */
	const char *port_place;
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

/*
 * What a Service's trafficDistribution leaves of that: it goes before the mesh's locality setting,
 * but not before a rule's; a mesh's list that does not hold asks for no detector; and no level
 * panics.
 */
bool mrd_effective_is_by_service(const struct mrd_effective *effective, bool has_distribution);
const struct mrd_outlier_rule *mrd_effective_detector(const struct mrd_effective *effective,
						      bool has_distribution);
uint32_t mrd_effective_panic_percent(const struct mrd_effective *effective, bool has_distribution);

/* A subset of the rule that holds for a port, for printing: without a VirtualService none acts. */
struct mrd_subset_label {
	char *key;
	char *value;
};

struct mrd_subset {
	const char *name;
	const char *place; /* of its name */
	const struct mrd_subset_label *labels;
	size_t label_count;
	/* What would hold for it: its blocks, each whole, over the rule's. */
	struct mrd_effective effective;
};

size_t mrd_policy_subset_count(const struct mrd_policy *policy, const char *namespace_,
			       const char *service);
/* -ENOENT beyond the last one. */
int mrd_policy_subset(const struct mrd_policy *policy, const char *namespace_, const char *service,
		      uint16_t port, size_t index, struct mrd_subset *ret_subset);

size_t mrd_policy_rule_count(const struct mrd_policy *policy);
void mrd_policy_free(struct mrd_policy *policy); /* NULL is fine */

/* An empty policy: no rule, built-in cluster-local hosts. */
int mrd_policy_new_empty(const struct mrd_policy_names *names, struct mrd_policy **ret_policy);

#endif
