/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/idle_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/plan.h"
#include "policy/host.h"
#include "policy/policy_walk.h"

enum { DECIMAL = 10, FIELD_ROOM = 80 };

struct search {
	const struct mrd_policy *policy;
	size_t index;
};

static int is_reached(void *self, const char *namespace_, const char *name)
{
	const struct search *search = self;

	return mrd_policy_rule_matches(search->policy, search->index, namespace_, name) &&
	       mrd_policy_rule_reaches(search->policy, search->index, namespace_);
}

void mrd_idle_warn(struct mrd_diag *diag, const char *at, const char *field, const char *format,
		   ...)
{
	MRD_AUTO_FREE char *file = strdup(at);
	MRD_AUTO_FREE char *reason = NULL;
	char *column = file ? strrchr(file, ':') : NULL;
	struct mrd_place place = {.file = file};
	va_list args;
	char *line;

	if (column) {
		*column = '\0';
		line = strrchr(file, ':');
		place.column = (unsigned int)strtoul(column + 1, NULL, DECIMAL);
		place.line = line ? (unsigned int)strtoul(line + 1, NULL, DECIMAL) : 0;
		if (line)
			*line = '\0';
	}
	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);
	mrd_diag_add(diag, MRD_WARNING, &place, field, "%s", reason ?: "no memory");
}

/* A rule's port, and whether any of the Services that the rule is for has it. */
struct port_search {
	struct search rule;
	const struct mrd_model *model;
	uint16_t number;
};

static int has_port(void *self, const char *namespace_, const char *name)
{
	const struct port_search *search = self;
	struct mrd_view *view = NULL;
	int found = 0;

	if (mrd_policy_rule_matches(search->rule.policy, search->rule.index, namespace_, name) &&
	    !mrd_model_view(search->model, namespace_, name, &view))
		found = mrd_view_has_port(view, search->number);
	mrd_view_free(view);
	return found;
}

static void check_ports(const struct mrd_policy *policy, size_t index,
			const struct mrd_model *model, struct mrd_diag *diag)
{
	struct port_search search = {.rule = {policy, index}, .model = model};
	const char *place;

	for (size_t i = 0; mrd_policy_rule_port(policy, index, i, &search.number, &place); i++) {
		char field[FIELD_ROOM];

		if (mrd_model_walk_services(model, has_port, &search))
			continue;
		snprintf(field, sizeof(field),
			 "spec.trafficPolicy.portLevelSettings[%zu].port.number", i);
		mrd_idle_warn(
			diag, place, field,
			"no effect: port %u is none of the Service's (those of its pods do not "
			"count)",
			search.number);
	}
}

void mrd_idle_rules(const struct mrd_agent_config *config, const struct mrd_policy *policy,
		    const struct mrd_model *model, struct mrd_diag *diag)
{
	for (size_t i = 0; i < mrd_policy_rule_count(policy); i++) {
		const struct search search = {.policy = policy, .index = i};
		struct mrd_rule_name rule;

		mrd_policy_rule_name(policy, i, &rule);
		/* One that no Service can have was told by the policy's reader. */
		if (!mrd_host_may_be_service(rule.host, config->cluster_domain))
			continue;
		if (!mrd_plan_rule_has_service(policy, i, model))
			mrd_idle_warn(diag, rule.place, "spec.host",
				      "no effect: no Service of the home cluster is called %s",
				      rule.host);
		else if (mrd_model_walk_services(model, is_reached, (void *)&search))
			check_ports(policy, i, model, diag);
		else if (!rule.names_namespace) /* or the reader has told it, too */
			mrd_idle_warn(diag, rule.place, "spec.host",
				      "no effect: no Service of the home cluster fits %s in %s%s",
				      rule.host,
				      rule.is_root ? "the namespaces of exportTo" : "namespace ",
				      rule.is_root ? "" : rule.namespace_);
	}
}
