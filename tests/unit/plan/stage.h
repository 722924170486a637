/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Two clusters, a policy and the node r1/z1 of "node-a": from a world (world.h) to plan and rows.
 */
#ifndef MRD_TEST_PLAN_STAGE_H
#define MRD_TEST_PLAN_STAGE_H

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "plan/ids.h"
#include "plan/plan.h"
#include "plan/rows.h"
#include "policy/policy_yaml.h"
#include "world.h"

#define STAGE_FAILOVER "localityLbSetting: { failover: [ { from: r1, to: r2 } ] }\n"
#define STAGE_DISTRIBUTE \
	"localityLbSetting: { distribute: [ { from: r1, to: { r1: 90, r2: 10 } } ] }\n"
#define STAGE_OUTLIER(more)                                 \
	"apiVersion: networking.istio.io/v1\n"              \
	"kind: DestinationRule\n"                           \
	"metadata: { name: reviews, namespace: default }\n" \
	"spec: { host: reviews, trafficPolicy: { outlierDetection: { " more " } } }\n"

#define STAGE_TRAFFIC(inside)                               \
	"apiVersion: networking.istio.io/v1\n"              \
	"kind: DestinationRule\n"                           \
	"metadata: { name: reviews, namespace: default }\n" \
	"spec: { host: reviews, trafficPolicy: { " inside " } }\n"

struct stage {
	struct mrd_model *model;
	struct mrd_policy *policy;
	struct mrd_plan_node node;
};

/* policy: YAML, or NULL for none. */
static inline void stage_init(struct stage *stage, const char *policy)
{
	static const struct mrd_model_cluster clusters[] = {{"home", "r1", ""}, {"away", "r2", ""}};
	static const struct mrd_policy_names names = {"cluster.local", "istio-system"};
	struct mrd_diag diag = {0};

	stage->node = (struct mrd_plan_node){
		.name = "node-a", .region = "r1", .zone = "z1", .subzone = ""};
	if (mrd_model_new(clusters, 2, 0, "", &stage->model))
		abort();
	if (!policy) {
		if (mrd_policy_new_empty(&names, &stage->policy))
			abort();
		return;
	}
	{
		char path[] = "/tmp/mrd-test-plan-XXXXXX.yaml";
		const char *const paths[] = {path};
		const int fd = mkstemps(path, (int)strlen(".yaml"));

		if (fd < 0 || write(fd, policy, strlen(policy)) != (ssize_t)strlen(policy))
			abort();
		close(fd);
		if (mrd_policy_load(paths, 1, &names, &diag, &stage->policy)) {
			mrd_diag_print(&diag, stderr);
			abort();
		}
		unlink(path);
		mrd_diag_free(&diag);
	}
}

static inline void stage_free(struct stage *stage)
{
	mrd_model_free(stage->model);
	mrd_policy_free(stage->policy);
}

static inline struct mrd_plan *stage_plan_of(const struct stage *stage, const char *text,
					     enum mrd_transport transport)
{
	struct world *world = world_new(text);
	const struct mrd_plan_ejections ejections = {.is_ejected = world_is_ejected, .self = world};
	struct mrd_plan *plan;

	world->port.transport = transport;
	if (mrd_plan_make(&world->view, stage->model, stage->policy, &stage->node, &ejections,
			  &plan))
		abort();
	world_free(world); /* a plan borrows nothing */
	return plan;
}

static inline struct mrd_plan *stage_plan(const struct stage *stage, const char *text)
{
	return stage_plan_of(stage, text, MRD_TRANSPORT_TCP);
}

static inline struct mrd_rows *stage_rows(const struct stage *stage, const char *text,
					  struct mrd_ids *ids, const struct mrd_rows *old)
{
	struct mrd_plan *plan = stage_plan(stage, text);
	struct mrd_rows *rows;

	if (mrd_rows_make(plan, &plan->ports[0], ids, NULL, old, &rows))
		abort();
	mrd_plan_free(plan);
	return rows;
}

#endif
