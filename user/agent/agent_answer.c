/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the control socket's verbs do. */
#include "agent/agent_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "dataplane/inspect.h"
#include "plan/start.h"
#include "policy/policy_text.h"
#include "view/view.h"
#include "view/view_explain.h"

static json_t *inspect_document(const struct mrd_agent *agent, const char *verb,
				const char *argument)
{
	struct mrd_inspect *inspect;
	json_t *doc = NULL;

	if (mrd_inspect_open(agent->config->bpffs, &inspect))
		return NULL;
	if (!strcmp(verb, "services"))
		doc = mrd_view_services(inspect);
	else if (!strcmp(verb, "endpoints"))
		doc = mrd_view_endpoints(inspect, *argument ? argument : NULL, mrd_clock_ns());
	else if (!strcmp(verb, "regions"))
		doc = mrd_view_regions(inspect);
	else
		doc = mrd_view_kernel(inspect);
	mrd_inspect_close(inspect);
	return doc;
}

static json_t *status_document(const struct mrd_agent *agent)
{
	struct mrd_status status = {
		.config = agent->config,
		.inputs = agent->inputs,
		.engine = agent->engine,
		.adoption = mrd_dataplane_adoption(agent->dataplane),
		.interfaces = agent->interfaces,
		.tc_mode = mrd_dataplane_tc_mode(agent->dataplane),
		.interfaces_error = mrd_agent_interfaces_error(agent),
		.started_ns = agent->started_ns,
		.resets = agent->resets,
		.web_error = agent->web_error,
		.now_ns = mrd_clock_ns(),
		.waiting = !agent->ready,
	};

	status.features = mrd_dataplane_features(agent->dataplane, &status.feature_count);
	return mrd_status_document(&status, inspect_document(agent, "kernel", ""));
}

static json_t *detach(struct mrd_agent *agent)
{
	char *error MRD_AUTO_FREE = NULL;
	size_t links = 0;
	size_t maps = 0;

	if (mrd_dataplane_detach(agent->config->bpffs, &links, &maps, &error)) {
		mrd_log_error("not detached", MRD_KV("reason", error ? error : "no memory"));
		return json_pack("{s:s}", "error", error ? error : "no memory");
	}
	mrd_log_info("detached", MRD_KV_NUM("links", links), MRD_KV_NUM("maps", maps),
		     MRD_KV("cause", "asked on the control socket"),
		     MRD_KV("consequence", "services are no longer translated; the agent ends"));
	agent->detached = true;
	mrd_loop_stop(agent->loop);
	return json_pack("{s:I, s:I}", "links", (json_int_t)links, "maps", (json_int_t)maps);
}

/* Where a connection starts that is asked about; borrows from start. NULL, or what is wrong. */
static const char *find_start(const struct mrd_agent *agent, const struct mrd_start *start,
			      struct mrd_plan_node *node)
{
	const struct mrd_model *model = mrd_inputs_model(agent->inputs);
	struct mrd_address_place place = {
		.cluster = agent->config->home,
		.locality = {.region = start->region,
			     .zone = start->zone,
			     .subzone = start->subzone},
		.node_name = "",
	};

	if (start->ip.version != MRD_IP_NONE && mrd_model_find_address(model, &start->ip, &place))
		return "no endpoint has that address, so where the pod is is not known: name its "
		       "REGION[/ZONE[/SUBZONE]]";
	mrd_plan_node_at(model, place.cluster, &place.locality, place.node_name, node);
	return NULL;
}

/* argument: "NS/NAME[:PORT] [FROM]" */
static json_t *explain(const struct mrd_agent *agent, const char *argument, const char **ret_error)
{
	char *copy MRD_AUTO_FREE = strdup(argument);
	struct mrd_explanation *explanation;
	struct mrd_explain_target target;
	struct mrd_plan_node node;
	struct mrd_start start;
	char *from;
	json_t *doc;
	int r;

	*ret_error = "no memory";
	if (!copy)
		return NULL;
	from = strchr(copy, ' ');
	if (from)
		*from++ = '\0';
	r = mrd_explain_target_parse(copy, &target);
	if (r) {
		*ret_error = mrd_explain_target_fault(r);
		return NULL;
	}
	if (from) {
		const char *fault =
			mrd_start_parse(from, &start) ?: find_start(agent, &start, &node);

		if (fault) {
			*ret_error = fault;
			return NULL;
		}
	}
	r = mrd_engine_explain(agent->engine, &target, from ? &node : NULL, &explanation);
	if (r) {
		*ret_error = r == -ENOMEM ? "no memory" : mrd_explain_failure(r);
		return NULL;
	}
	doc = mrd_view_explain(explanation);
	mrd_explanation_free(explanation);
	return doc;
}

static int add_policy(const struct mrd_view *view, const struct mrd_policy *policy,
		      struct mrd_strbuf *out)
{
	uint16_t *numbers MRD_AUTO_FREE = calloc(view->port_count + 1, sizeof(*numbers));
	const struct mrd_policy_ports ports = {
		.numbers = numbers,
		.count = view->port_count,
		.distribution = mrd_distribution_name(view->traffic_distribution),
		.stays = view->internal_local,
	};

	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < view->port_count; i++)
		numbers[i] = view->ports[i].number;
	mrd_policy_text(policy, view->namespace_, view->name, &ports, out);
	return out->failed ? -ENOMEM : 0;
}

/* argument: "NS/NAME" */
static json_t *policy_document(const struct mrd_agent *agent, const char *argument,
			       const char **ret_error)
{
	struct mrd_strbuf text MRD_AUTO_STRBUF = {0};
	struct mrd_explain_target target;
	struct mrd_view *view;
	int r;

	*ret_error = "policy takes NAMESPACE/NAME";
	if (mrd_explain_target_parse(argument, &target) || *target.port)
		return NULL;
	r = mrd_model_view(mrd_inputs_model(agent->inputs), target.namespace_, target.service,
			   &view);
	if (!r) {
		r = add_policy(view, mrd_inputs_policy(agent->inputs), &text);
		mrd_view_free(view);
	}
	*ret_error = r == -ENOENT ? mrd_explain_failure(r) : "no memory";
	return r ? NULL : json_pack("{s:s}", "policy", text.text ? text.text : "");
}

json_t *mrd_agent_answer(void *self, const char *verb, const char *argument, const char **ret_error)
{
	static const char *const of_kernel[] = {"services", "endpoints", "regions"};
	struct mrd_agent *agent = self;
	json_t *doc;

	mrd_agent_drain(agent);
	if (!strcmp(verb, "detach"))
		return detach(agent);
	if (!agent->dataplane || agent->detached) {
		*ret_error = "the agent is starting or ending";
		return NULL;
	}
	*ret_error = "the pinned maps cannot be read";
	if (!strcmp(verb, "status"))
		return status_document(agent);
	for (size_t i = 0; i < sizeof(of_kernel) / sizeof(*of_kernel); i++)
		if (!strcmp(verb, of_kernel[i])) {
			doc = inspect_document(agent, verb, argument);
			return doc;
		}
	if (!strcmp(verb, "explain"))
		return explain(agent, argument, ret_error);
	if (!strcmp(verb, "policy"))
		return policy_document(agent, argument, ret_error);
	*ret_error =
		"unknown verb; known are status, services, endpoints, regions, explain, policy, "
		"detach";
	return NULL;
}
