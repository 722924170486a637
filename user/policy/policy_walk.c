/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/policy_walk.h"

#include <stdio.h>
#include <string.h>

#include "policy/host.h"
#include "policy/rules.h"

enum { HOST_ROOM = 512 }; /* namespace and name are DNS labels, the domain at most 253 */

void mrd_policy_rule_name(const struct mrd_policy *policy, size_t index,
			  struct mrd_rule_name *ret_name)
{
	const struct mrd_rule *rule = policy->rules[index];
	size_t len;

	*ret_name = (struct mrd_rule_name){
		.label = rule->label,
		.namespace_ = rule->namespace_,
		.host = rule->host,
		.names_namespace = mrd_host_namespace(rule->host, policy->cluster_domain, &len),
		.place = rule->place,
		.is_root = !strcmp(rule->namespace_, policy->root_namespace),
		.has_policy = rule->traffic.given,
		.has_annotations = rule->has_own,
		.is_wildcard = mrd_host_is_wildcard(rule->host),
	};
}

void mrd_policy_rule_holder(const struct mrd_policy *policy, size_t index, const char **ret_label,
			    const char **ret_place)
{
	const struct mrd_rule *rule = policy->rules[index];
	const struct mrd_rule *holder = mrd_policy_peer(policy, rule) ?: rule;

	*ret_label = holder->label;
	*ret_place = holder->place;
}

bool mrd_policy_rule_port(const struct mrd_policy *policy, size_t index, size_t port,
			  uint16_t *ret_number, const char **ret_place)
{
	const struct mrd_traffic *traffic = &policy->rules[index]->traffic;

	if (port >= traffic->port_count)
		return false;
	*ret_number = (uint16_t)traffic->ports[port].number;
	*ret_place = traffic->ports[port].place ?: "";
	return true;
}

bool mrd_policy_rule_matches(const struct mrd_policy *policy, size_t index, const char *namespace_,
			     const char *service)
{
	char host[HOST_ROOM];

	snprintf(host, sizeof(host), "%s.%s.svc.%s", service, namespace_, policy->cluster_domain);
	return mrd_host_matches(policy->rules[index]->host, host);
}

bool mrd_policy_rule_reaches(const struct mrd_policy *policy, size_t index, const char *namespace_)
{
	const struct mrd_rule *rule = policy->rules[index];

	if (!strcmp(rule->namespace_, namespace_))
		return true;
	return !strcmp(rule->namespace_, policy->root_namespace) &&
	       mrd_rule_is_exported_to(rule, namespace_);
}

bool mrd_policy_rule_is_exported_to(const struct mrd_policy *policy, size_t index,
				    const char *namespace_)
{
	return mrd_rule_is_exported_to(policy->rules[index], namespace_);
}
