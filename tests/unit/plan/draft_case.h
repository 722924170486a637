/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A case: a world (world.h), where the node is, what the policy says, and the route it makes,
 * written as "priority locality percent", hop by hop.
 */
#ifndef MRD_TEST_PLAN_DRAFT_CASE_H
#define MRD_TEST_PLAN_DRAFT_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "plan/draft.h"
#include "world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FACTOR = 140, DRAFT_OWN_CLUSTER = 4 };

struct draft_case {
	const char *name;
	const char *world;
	const char *from;    /* the node's locality; default r1/z1/s1 */
	const char *cluster; /* the node's, with its network; default: cluster 0 */
	const char *network;
	struct mrd_label label; /* the node's, if it has a key */
	enum mrd_locality_mode mode;
	const struct mrd_locality_setting *setting;
	enum mrd_origin origin;
	enum mrd_traffic_distribution distribution;
	uint32_t panic_percent;
	uint32_t factor;
	bool nameless; /* the node's name is not known */
	bool internal_local;
	bool cluster_local;
	bool fallback;
	bool strict;
	bool unready_drop;
	bool is_http2;
	enum mrd_origin outlier; /* who gives the default detection */
	enum mrd_ejection_cap cap;
	uint32_t max_ejection; /* with this maxEjectionPercent; 0: not given */
	uint32_t hops;	       /* of the node's configuration; 0: the most */
	enum mrd_mode want_mode;
	const char *want;
};

static inline void draft_node(const struct draft_case *c, struct world_word *word,
			      struct mrd_plan_node *node)
{
	memset(word, 0, sizeof(*word));
	sscanf(c->from ? c->from : "r1/z1/s1", "%47[^/]/%47[^/]/%47s", word->region, word->zone,
	       word->subzone);
	if (c->label.key) {
		word->node_labels[0] = c->label;
		word->of_node = (struct mrd_labels){word->node_labels, 1};
	}
	*node = (struct mrd_plan_node){
		.name = c->nameless ? "" : "node-a",
		.hops_most = c->hops,
		.region = word->region,
		.zone = word->zone,
		.subzone = word->subzone,
		.labels = c->label.key ? &word->of_node : NULL,
		.cluster = c->cluster || c->network ? DRAFT_OWN_CLUSTER : 0,
	};
}

/* Four clusters on two networks, and the node's if it is none of them. */
static inline struct mrd_model *draft_model(const struct draft_case *c)
{
	const struct mrd_model_cluster clusters[] = {
		{"c1", "r1", "n1"},
		{"c2", "r2", "n2"},
		{"c3", "r2", "n1"},
		{"c4", "r2", "n2"},
		[DRAFT_OWN_CLUSTER] = {c->cluster ? c->cluster : "c1", "r1",
				       c->network ? c->network : "n1"},
	};
	struct mrd_model *model;

	assert_int_equal(mrd_model_new(clusters, COUNT(clusters), 0, "", &model), 0);
	return model;
}

/* What a draft is made from; keep it while it is used. */
struct draft_stage {
	struct mrd_model *model;
	struct mrd_effective effective;
	struct mrd_outlier_rule outlier;
	struct mrd_plan_ejections ejections;
	struct mrd_plan_node node;
	struct world_word word;
	struct mrd_draft_input in;
};

static inline void draft_begin(const struct draft_case *c, struct world *world,
			       struct draft_stage *stage)
{
	stage->model = draft_model(c);
	stage->outlier = mrd_outlier_defaults;
	stage->outlier.cap = c->cap;
	if (c->max_ejection) {
		stage->outlier.cap = MRD_CAP_PERCENT;
		stage->outlier.max_ejection_percent = c->max_ejection;
	}
	stage->effective = (struct mrd_effective){
		.locality_mode = c->mode,
		.locality = c->setting,
		.locality_origin = c->origin,
		.min_health_percent = c->panic_percent,
		.overprovisioning_percent = c->factor ? c->factor : FACTOR,
		.cluster_local = c->cluster_local,
		.fallback_next_region = c->fallback,
		.regions_strict = c->strict,
		.unready_drop = c->unready_drop,
		.outlier = c->outlier == MRD_ORIGIN_NONE ? NULL : &stage->outlier,
		.detector = c->outlier == MRD_ORIGIN_NONE ? NULL : &stage->outlier,
		.outlier_origin = c->outlier,
		.outlier_place = "",
		.pool = &mrd_pool_defaults,
		.rule = "",
	};
	stage->ejections =
		(struct mrd_plan_ejections){.is_ejected = world_is_ejected, .self = world};
	draft_node(c, &stage->word, &stage->node);
	world->view.internal_local = c->internal_local;
	world->port.is_http2 = c->is_http2;
	world->view.traffic_distribution = c->distribution;
	stage->in = (struct mrd_draft_input){
		.model = stage->model,
		.view = &world->view,
		.port = &world->port,
		.effective = &stage->effective,
		.node = &stage->node,
		.ejections = &stage->ejections,
	};
}

static inline void draft_end(struct draft_stage *stage)
{
	mrd_model_free(stage->model);
}

static inline void draft_of(const struct draft_case *c, struct world *world,
			    struct mrd_draft *draft)
{
	struct draft_stage stage;

	draft_begin(c, world, &stage);
	assert_int_equal(mrd_draft_make(&stage.in, draft), 0);
	draft_end(&stage);
}

static inline char *draft_text(const struct mrd_draft *draft)
{
	struct mrd_strbuf out = {0};

	mrd_strbuf_add(&out, "", 0);
	for (size_t i = 0; i < draft->hop_count; i++) {
		const struct mrd_draft_hop *hop = &draft->hops[i];

		mrd_strbuf_addf(&out, "%s%u %s%s%s%s%s %.2f%s%s", i ? ", " : "", hop->priority,
				hop->locality.region, *hop->locality.zone ? "/" : "",
				hop->locality.zone, *hop->locality.subzone ? "/" : "",
				hop->locality.subzone, 100 * hop->share, hop->panic ? " panic" : "",
				hop->accept == MRD_ACCEPT_DRAINING ? " draining" : "");
		assert_int_equal(hop->panic, hop->accept == MRD_ACCEPT_EJECTED);
	}
	return mrd_strbuf_steal(&out);
}

static inline void draft_check(const struct draft_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct world *world = world_new(cases[i].world);
		struct mrd_draft draft;
		char *text;

		print_message("%s\n", cases[i].name);
		draft_of(&cases[i], world, &draft);
		text = draft_text(&draft);
		assert_string_equal(text ? text : "", cases[i].want);
		assert_int_equal(draft.rules.mode, cases[i].want_mode);
		free(text);
		mrd_draft_free(&draft);
		world_free(world);
	}
}

#endif
