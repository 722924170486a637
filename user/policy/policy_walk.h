/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The rules of a policy one by one, for those that explain it: which say something about a service
 * without being the one that holds. */
#ifndef MRD_POLICY_POLICY_WALK_H
#define MRD_POLICY_POLICY_WALK_H

#include "policy/policy.h"

/* Borrows from the policy. */
struct mrd_rule_name {
	const char *label; /* "namespace/name" */
	const char *namespace_;
	const char *host;     /* expanded */
	bool names_namespace; /* the host does, be it a wildcard */
	const char *place;    /* of its host */
	bool is_root;	      /* in the root namespace: holds for those that it is exported to */
	bool has_policy;      /* a trafficPolicy */
	bool has_annotations; /* ours */
	bool is_wildcard;
};

/* index: below mrd_policy_rule_count(), the oldest first. */
void mrd_policy_rule_name(const struct mrd_policy *policy, size_t index,
			  struct mrd_rule_name *ret_name);
/* The rule that holds for those that are merged with this one, as its label and place: itself, or
 * the one whose trafficPolicy came first. */
void mrd_policy_rule_holder(const struct mrd_policy *policy, size_t index, const char **ret_label,
			    const char **ret_place);

/* A port of portLevelSettings, and where it stands. False beyond the last one. */
bool mrd_policy_rule_port(const struct mrd_policy *policy, size_t index, size_t port,
			  uint16_t *ret_number, const char **ret_place);

/* By its host alone, whatever its namespace. */
bool mrd_policy_rule_matches(const struct mrd_policy *policy, size_t index, const char *namespace_,
			     const char *service);

/* Is a rule that matches looked up for services of this namespace? */
bool mrd_policy_rule_reaches(const struct mrd_policy *policy, size_t index, const char *namespace_);

/* Where exportTo counts, in the root namespace: do services of this namespace see the rule? */
bool mrd_policy_rule_is_exported_to(const struct mrd_policy *policy, size_t index,
				    const char *namespace_);

#endif
