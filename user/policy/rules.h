/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a policy is made of; for the readers of this folder, who fill it, and policy.c, who answers
 * from it. */
#ifndef MRD_POLICY_RULES_H
#define MRD_POLICY_RULES_H

#include "base/table.h"
#include "policy/policy.h"

/* Annotations of ours, on a DestinationRule or, for rules that give none, on the mesh's document.
 */
struct mrd_ours {
	bool has_cap;
	enum mrd_ejection_cap cap;
	bool has_probation;
	uint64_t probation_ms;
	uint32_t overprovisioning_percent; /* 0: not given */
};

struct mrd_outlier_block {
	bool given;
	struct mrd_outlier_rule rule;
	uint32_t min_health_percent;
};

struct mrd_traffic {
	bool given;
	struct mrd_outlier_block outlier;
	enum mrd_lb lb;
	struct mrd_locality_setting *locality; /* owned; NULL: not given */
};

/* A DestinationRule. */
struct mrd_rule {
	char *namespace_;
	char *label; /* "namespace/name" */
	char *host;  /* expanded */
	struct mrd_traffic traffic;
	struct mrd_ours ours;
	char *place; /* "file:line:column" of its host */
};

struct mrd_mesh {
	struct mrd_outlier_block outlier; /* defaultTrafficPolicy.outlierDetection */
	struct mrd_locality_setting *locality;
	struct mrd_ours ours;
};

/* serviceSettings: the most specific host decides, of equals the last. */
struct mrd_local_host {
	char *host;
	bool is_local;
};

struct mrd_policy {
	char *cluster_domain;
	char *root_namespace;
	struct mrd_mesh mesh;
	struct mrd_local_host *local_hosts;
	size_t local_count;
	struct mrd_rule **rules; /* owned, in order of appearance */
	size_t rule_count;
	struct mrd_table *by_host;   /* "namespace/host" → the rule that holds; borrowed */
	struct mrd_rule **wildcards; /* those of by_host with a wildcard, the longest first */
	size_t wildcard_count;
};

void mrd_rule_free(struct mrd_rule *rule); /* NULL is fine */

/*
 * Adds a rule, which becomes the policy's, also on failure. *ret_former is an earlier rule of the
 * same namespace and host that has a trafficPolicy and therefore goes on to hold, or NULL. -ENOMEM.
 */
int mrd_policy_add(struct mrd_policy *policy, struct mrd_rule *rule,
		   const struct mrd_rule **ret_former);
int mrd_policy_add_local_host(struct mrd_policy *policy, const char *host, bool is_local);

/* What the annotations say about ejection goes into the rule; a rule's own before the mesh's. */
void mrd_ours_apply(const struct mrd_ours *ours, const struct mrd_ours *mesh,
		    struct mrd_outlier_rule *rule);

#endif
