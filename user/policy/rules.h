/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a policy is made of; for the readers of this folder, who fill it, and policy.c, who answers
 * from it. Places are "file:line:column". */
#ifndef MRD_POLICY_RULES_H
#define MRD_POLICY_RULES_H

#include "base/table.h"
#include "policy/policy.h"

/* ------------------------------------------------------------------------------- annotations */

/* Annotations of ours, on a DestinationRule or, for rules that give none, on the mesh's document.
 */
enum mrd_our_key {
	MRD_OUR_CAP,	       /* enum mrd_ejection_cap */
	MRD_OUR_PROBATION,     /* ms */
	MRD_OUR_OVERPROVISION, /* per cent */
	MRD_OUR_FALLBACK,      /* 1: next-region */
	MRD_OUR_REGIONS,       /* 1: strict */
	MRD_OUR_UNREADY,       /* 1: drop */
	MRD_OUR_ON_EJECT,      /* enum mrd_on_eject */
	MRD_OUR_WARMUP,	       /* ms */
	MRD_OUR_MAX_EJECTION,  /* ms */
	MRD_OUR_MAX_JITTER,    /* ms */
	MRD_OUR_SYN_TIMEOUT,   /* ms */
	MRD_OUR_RESCUE,	       /* 1: off */
	MRD_OUR_SR_ENFORCING,  /* success rate; enum mrd_rate_enforcing */
	MRD_OUR_SR_HOSTS,
	MRD_OUR_SR_VOLUME,
	MRD_OUR_SR_FACTOR,
	MRD_OUR_FP_ENFORCING, /* failure percentage; likewise */
	MRD_OUR_FP_THRESHOLD,
	MRD_OUR_FP_HOSTS,
	MRD_OUR_FP_VOLUME,
	MRD_OUR_COUNT,
};

enum mrd_rate_enforcing {
	MRD_RATE_TELLS,
	MRD_RATE_EJECTS,
	MRD_RATE_OFF, /* as if none of the detector's annotations were given */
};

struct mrd_ours {
	bool given[MRD_OUR_COUNT];
	uint64_t value[MRD_OUR_COUNT];
};

/* enforcing: that of one of the two detectors of rates. */
bool mrd_ours_rate_is_off(const struct mrd_ours *ours, enum mrd_our_key enforcing);
/* What the annotations say about ejection goes into the rule. */
void mrd_ours_apply(const struct mrd_ours *ours, struct mrd_outlier_rule *rule);
/* That, in place of what others said there. */
void mrd_ours_replace(const struct mrd_ours *ours, struct mrd_outlier_rule *rule);

/* What ejects where a failover list stands without outlierDetection: responses mean nothing, failed
 * handshakes do. */
extern const struct mrd_outlier_rule mrd_handshakes_defaults;
/* Into that one goes what holds for any ejection: rates are of answers, which nobody waits for. */
void mrd_ours_apply_to_handshakes(const struct mrd_ours *ours, struct mrd_outlier_rule *rule);

/* ------------------------------------------------------------------------------- rules */

struct mrd_outlier_block {
	bool given;
	struct mrd_outlier_rule rule;
	uint32_t min_health_percent;
	char *place;
	char *path;
};

struct mrd_pool_block {
	bool given;
	struct mrd_pool_rule rule;
	char *place;
};

struct mrd_lb_block {
	bool given;
	enum mrd_lb lb;
	bool hash_source_ip;
	struct mrd_warmup_rule warmup;
	struct mrd_locality_setting *locality; /* owned; NULL: neither of the two was given */
	char *locality_place;
	char *place;
};

/* The blocks of a trafficPolicy that Meridian knows, or those of one port of it. */
struct mrd_blocks {
	struct mrd_outlier_block outlier;
	struct mrd_pool_block pool;
	struct mrd_lb_block lb;
};

struct mrd_port_level {
	uint32_t number;
	char *place; /* of the number; NULL: it was not valid */
	struct mrd_blocks blocks;
};

struct mrd_traffic {
	bool given;
	struct mrd_blocks blocks;
	struct mrd_port_level *ports;
	size_t port_count;
};

struct mrd_rule_subset {
	char *name;
	char *place;
	struct mrd_subset_label *labels;
	size_t label_count;
	struct mrd_traffic traffic;
};

/* A DestinationRule. */
struct mrd_rule {
	char *namespace_;
	char *label; /* "namespace/name" */
	char *host;  /* expanded */
	char *place; /* of its host */
	struct mrd_traffic traffic;
	struct mrd_ours ours;		    /* its own over the mesh's */
	bool has_own;			    /* any of them its own */
	struct mrd_outlier_rule inherited;  /* the mesh's, under ours */
	struct mrd_outlier_rule handshakes; /* mrd_handshakes_defaults, under ours */
	char **exports;			    /* namespaces, sorted, "." written out; none: all */
	size_t export_count;
	bool has_selector; /* workloadSelector: for some clients of its namespace */
	struct mrd_rule_subset *subsets;
	size_t subset_count;
	/* Of the rule that holds for its host: the subsets of all that were merged; borrowed. */
	struct mrd_rule_subset **held;
	size_t held_count;
	struct mrd_table *held_names; /* name → one of them; NULL: there is none */
	struct mrd_rule *next;	      /* for the same namespace and host, exported to others */
};

struct mrd_mesh {
	struct mrd_outlier_block outlier; /* defaultTrafficPolicy.outlierDetection */
	struct mrd_pool_block pool;
	struct mrd_locality_setting *locality;
	char *locality_place;
	struct mrd_ours ours;
	struct mrd_outlier_rule handshakes; /* mrd_handshakes_defaults, under ours */
};

/* serviceSettings: the most specific host decides, of equals the last. */
struct mrd_local_host {
	char *host;
	bool is_local;
};

/* Rules of one namespace whose host is a wildcard, the longest first; borrowed. */
struct mrd_wildcards {
	struct mrd_rule **rules;
	size_t count;
};

struct mrd_policy {
	char *cluster_domain;
	char *root_namespace;
	struct mrd_mesh mesh;
	struct mrd_local_host *local_hosts;
	size_t local_count;
	struct mrd_rule **rules; /* owned, the oldest first */
	size_t rule_count;
	struct mrd_table *by_host; /* "namespace/host" → the first of those that hold; borrowed */
	struct mrd_table *wildcards; /* namespace → struct mrd_wildcards */
	struct mrd_table *files;     /* path of each that said something → this policy */
};

void mrd_outlier_block_free(struct mrd_outlier_block *block); /* these four free the members */
void mrd_blocks_free(struct mrd_blocks *blocks);
void mrd_traffic_free(struct mrd_traffic *traffic);
void mrd_rule_subset_free(struct mrd_rule_subset *subset);
void mrd_rule_free(struct mrd_rule *rule); /* NULL is fine */

/* What blocks of a rule, or of one port of it, come to over the mesh's, with its annotations. */
void mrd_blocks_effective(const struct mrd_mesh *mesh, const struct mrd_ours *ours,
			  const struct mrd_blocks *blocks, struct mrd_effective *ret_effective);

/* The rule that this one would be merged with: same namespace, host, exportTo; or NULL. */
const struct mrd_rule *mrd_policy_peer(const struct mrd_policy *policy,
				       const struct mrd_rule *rule);
bool mrd_rule_is_exported_to(const struct mrd_rule *rule, const char *namespace_);
/* The subset of this name among those that a rule holds, or NULL. */
const struct mrd_rule_subset *mrd_rule_held(const struct mrd_rule *rule, const char *name);
/* The rule that holds for this one's namespace and host before others; or NULL. */
const struct mrd_rule *mrd_policy_first(const struct mrd_policy *policy,
					const struct mrd_rule *rule);
/*
 * Adds a rule, which becomes the policy's, also on failure. Istio merges rules of one host,
 * namespace and exportTo: the first trafficPolicy holds, wherever it comes; subsets are lined up,
 * and of two of one name the first counts. -ENOMEM.
 */
int mrd_policy_add(struct mrd_policy *policy, struct mrd_rule *rule);
int mrd_policy_add_local_host(struct mrd_policy *policy, const char *host, bool is_local);
/* After the last rule, before the first question. -ENOMEM. */
int mrd_policy_finish(struct mrd_policy *policy);

#endif
