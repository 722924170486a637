/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Why a service goes where it goes: the pure part is plan/explain.h's, what is ejected is ours. */
#include "agent/engine_state.h"

#include <stdio.h>
#include <string.h>

static bool left_ms(void *self, const struct mrd_view *view, const struct mrd_view_port *port,
		    const struct mrd_view_endpoint *endpoint, uint64_t *ret_ms)
{
	struct mrd_asking *asking = self;
	const uint64_t now_ms = mrd_engine_ms(asking->engine->now_ns());
	struct mrd_outlier_state state;

	if (!mrd_engine_find_ejection(asking, view, port, endpoint, &state))
		return false;
	*ret_ms = state.ejected_until_ms > now_ms ? state.ejected_until_ms - now_ms : 0;
	return true;
}

static bool is_elsewhere(const struct mrd_engine *engine, const struct mrd_plan_node *node)
{
	const struct mrd_plan_node *here = engine->input.node;

	return node && (!*node->name || node->cluster != here->cluster ||
			strcmp(node->name, here->name) != 0);
}

/* Why the kernel does not hold the service's plan, as far as this node's agent is at fault. */
static void find_unwritten(const struct mrd_engine *engine, const struct mrd_explain_target *target,
			   struct mrd_explain_input *input)
{
	const struct mrd_book_service *service;
	char key[2 * MRD_NAME_LEN + 1];

	snprintf(key, sizeof(key), "%s/%s", target->namespace_, target->service);
	service = mrd_book_find_service(&engine->book, key);
	input->unwritten_ms = UINT64_MAX;
	if (engine->input.is_frozen) {
		input->unwritten = "there is no policy to plan by, and what follows goes without "
				   "one";
	} else if (service && service->error) {
		input->unwritten = service->error;
		input->unwritten_ms =
			mrd_engine_ms(engine->now_ns()) - mrd_engine_ms(service->failing_since_ns);
	} else if (service && service->held) {
		input->unwritten = "not every cluster has been read since the agent's start";
	}
}

int mrd_engine_explain(struct mrd_engine *engine, const struct mrd_explain_target *target,
		       const struct mrd_plan_node *node, struct mrd_explanation **ret_explanation)
{
	struct mrd_asking asking = {
		.engine = engine,
		.asker = is_elsewhere(engine, node) ? MRD_ASKER_ELSEWHERE : MRD_ASKER_HERE,
	};
	struct mrd_explain_input input = {
		.target = target,
		.model = engine->input.model,
		.policy = engine->input.policy,
		.node = node ? node : engine->input.node,
		.ejections = mrd_engine_ejections(&asking),
		.left_ms = left_ms,
	};

	if (asking.asker == MRD_ASKER_HERE)
		find_unwritten(engine, target, &input);
	return mrd_explain_make(&input, ret_explanation);
}
