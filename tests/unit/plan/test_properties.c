/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What holds whatever the world, the policy and the health. A failure prints its seed and its
 * world; MRD_SEED=n runs that one alone.
 */
#include <math.h>

#include "base/label.h"
#include "draft_case.h"
#include "plan/explain.h"
#include "plan/plan_text.h"
#include "plan/rows.h"
#include "stage.h"

#include "../model/build.h"

enum { SEEDS = 10000, TEXT_ROOM = 2048, LABELS = 3 };

static const double noise = 1e-9;

/* -------------------------------------------------------------------------------- random input */

static struct {
	unsigned seed;
	const char *world;
} now;

static void check(bool holds, const char *what)
{
	if (holds)
		return;
	print_error("seed %u, world: %s\n", now.seed, now.world ? now.world : "-");
	fail_msg("%s", what);
}
#define CHECK(condition) check((condition), #condition)

static int chance(int one_in)
{
	return rand() % one_in == 0;
}

/* Settings change with each seed, and what they point to with them. */
struct random_setting {
	struct mrd_locality_setting setting;
	struct mrd_failover failover[2];
	struct mrd_failover_label labels[LABELS];
	struct mrd_distribute rules[2];
	struct mrd_distribute_to to[2][3];
};

static void random_match(struct mrd_locality_match *match)
{
	static char *const regions[] = {"r1", "r2", "r3"};
	static char *const zones[] = {"z1", "z2"};

	*match = (struct mrd_locality_match){regions[rand() % 3], "", ""};
	if (chance(3))
		match->zone = zones[rand() % 2];
}

static void random_rules(struct random_setting *random)
{
	for (size_t i = 0; i < 2; i++) {
		uint32_t left = 100;

		random_match(&random->rules[i].from);
		random->rules[i].to = random->to[i];
		random->rules[i].to_count = 1 + (size_t)rand() % 3;
		for (size_t k = 0; k < random->rules[i].to_count; k++) {
			struct mrd_distribute_to *to = &random->to[i][k];

			random_match(&to->to);
			to->weight = k + 1 == random->rules[i].to_count
					     ? left
					     : 1 + (uint32_t)rand() % (left / 2);
			left -= to->weight;
		}
	}
	random->setting.distribute = random->rules;
	random->setting.distribute_count = 2;
}

static void random_setting(struct random_setting *random)
{
	static char *const regions[] = {"r1", "r2", "r3"};
	static const struct mrd_failover_label labels[] = {
		{.key = MRD_LABEL_NETWORK},
		{.key = MRD_LABEL_REGION},
		{.key = MRD_LABEL_CLUSTER},
		{.key = "app", .value = "b"},
		{.key = "app"},
	};

	*random = (struct random_setting){.setting.enabled = true};
	if (chance(3))
		random_rules(random);
	if (chance(2)) {
		for (size_t i = 0; i < 2; i++)
			random->failover[i] =
				(struct mrd_failover){regions[rand() % 3], regions[rand() % 3]};
		random->setting.failover = random->failover;
		random->setting.failover_count = 2;
	}
	if (chance(3)) {
		for (size_t i = 0; i < LABELS; i++)
			random->labels[i] = labels[(size_t)rand() % COUNT(labels)];
		random->setting.priority = random->labels;
		random->setting.priority_count = LABELS;
	}
	random->setting.zone_aware = chance(5);
}

static void random_case(struct draft_case *c, struct random_setting *random)
{
	static const char *const places[] = {"r1/z1", "r2/z2", "r3/z1/s1"};
	static const struct mrd_label label = {"app", "b"};

	random_setting(random);
	*c = (struct draft_case){
		.from = places[rand() % 3],
		.mode = (enum mrd_locality_mode)(rand() % 3),
		.setting = chance(4) ? NULL : &random->setting,
		.origin = chance(2) ? MRD_ORIGIN_RULE : MRD_ORIGIN_MESH,
		.distribution = chance(5) ? (enum mrd_traffic_distribution)(rand() % 3)
					  : MRD_DISTRIBUTION_NONE,
		.panic_percent = chance(3) ? (uint32_t)rand() % 101 : 0,
		.factor = chance(3) ? 100 + (uint32_t)rand() % 200 : 0,
		.internal_local = chance(12),
		.cluster_local = chance(8),
		.fallback = chance(3),
		.strict = chance(4),
		.unready_drop = chance(3),
	};
	if (chance(2))
		c->label = label;
	if (!c->setting) {
		c->origin = MRD_ORIGIN_NONE;
		if (c->mode == MRD_LOCALITY_DISTRIBUTE)
			c->mode = MRD_LOCALITY_NONE;
	}
}

static void random_world(char *text, bool with_hints)
{
	static const char letters[] = "AAAAAAEEUUDT";
	int len = 0;

	*text = '\0';
	for (int words = rand() % 12; words > 0; words--) {
		len += sprintf(text + len, "r%d/z%d:", rand() % 3 + 1, rand() % 3 + 1);
		for (int i = rand() % 5 + 1; i > 0; i--)
			text[len++] = letters[(size_t)rand() % (sizeof(letters) - 1)];
		len += sprintf(text + len, "@%d#node-%c%%app=%c", rand() % 4, 'a' + rand() % 3,
			       'a' + rand() % 3);
		if (with_hints)
			len += sprintf(text + len, "~z%d", rand() % 2 + 1);
		len += sprintf(text + len, " ");
	}
}

/* Runs a property over all seeds, or over the one that was asked for. */
static void over_seeds(void (*property)(void))
{
	const char *one = getenv("MRD_SEED");

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		now.seed = one ? (unsigned)strtoul(one, NULL, 10) : seed;
		now.world = NULL;
		srand(now.seed);
		property();
		if (one)
			return;
	}
}

/* --------------------------------------------------------------------------- one plan's shares */

static const struct mrd_view_endpoint *seen_of(const struct world *world,
					       const struct mrd_plan_endpoint *endpoint)
{
	for (size_t i = 0; i < world->port.endpoint_count; i++)
		if (!mrd_ip_compare(&world->endpoints[i].ip, &endpoint->ip))
			return &world->endpoints[i];
	return NULL;
}

static void check_endpoint(const struct draft_case *c, const struct world *world,
			   const struct mrd_plan_hop *hop, const struct mrd_plan_endpoint *endpoint)
{
	const struct mrd_view_endpoint *seen = seen_of(world, endpoint);
	const bool is_ejected = seen && world->ejected[seen - world->endpoints];

	CHECK(seen);
	CHECK(seen->cluster == endpoint->cluster);
	CHECK(endpoint->share >= 0);
	if (c->cluster_local || c->internal_local)
		CHECK(endpoint->cluster == 0);
	if (c->internal_local)
		CHECK(!strcmp(seen->node_name, "node-a"));
	if (endpoint->share <= 0)
		return;
	CHECK(endpoint->usable);
	if (hop->accept == MRD_ACCEPT_DRAINING) {
		CHECK(seen->terminating && seen->serving);
		return;
	}
	CHECK(seen->ready);
	CHECK(!is_ejected || (hop->panic && c->panic_percent));
}

static void check_rows(const struct world *world, struct mrd_plan_port *port)
{
	const struct mrd_plan plan = {
		.namespace_ = "default",
		.service = "reviews",
		.ports = port,
		.port_count = 1,
	};
	const struct mrd_route *route;
	struct mrd_rows *rows;
	struct mrd_ids *ids;
	uint32_t before = 0;
	uint32_t id;

	(void)world;
	assert_int_equal(mrd_ids_new(&ids), 0);
	assert_int_equal(mrd_rows_make(&plan, port, ids, NULL, NULL, &rows), 0);
	id = mrd_rows_service_id(rows);
	route = mrd_rows_get(rows, MRD_MAP_ROUTE, &id);
	CHECK(route->hop_count == port->hop_count);
	for (uint32_t i = 0; i < route->hop_count; i++) {
		const uint32_t part = route->hops[i].until - before;

		CHECK((part > 0) == (port->hops[i].share > 0));
		if (part)
			CHECK(route->hops[i].member_count);
		before = route->hops[i].until;
	}
	CHECK(before == 0 || before == MRD_SHARE_TOTAL);
	mrd_rows_free(rows);
	mrd_ids_free(ids);
}

static void check_port(const struct draft_case *c, const struct world *world,
		       struct mrd_plan_port *port)
{
	double of_hops = 0;
	double of_endpoints = 0;
	bool usable = false;

	CHECK(port->hop_count <= MRD_HOPS_MAX);
	for (size_t i = 0; i < port->hop_count; i++) {
		const struct mrd_plan_hop *hop = &port->hops[i];

		CHECK(!i || hop[-1].priority <= hop->priority);
		of_hops += hop->share;
		for (size_t k = 0; k < hop->endpoint_count; k++) {
			check_endpoint(c, world, hop, &hop->endpoints[k]);
			of_endpoints += hop->endpoints[k].share;
			usable = usable || hop->endpoints[k].usable;
		}
	}
	CHECK(fabs(of_hops - (usable ? 1 : 0)) < noise);
	CHECK(fabs(of_endpoints - of_hops) < noise);
	CHECK(usable || port->warning_count);
}

static void check_one_plan(void)
{
	static char text[TEXT_ROOM];
	struct random_setting random;
	struct mrd_plan_port port = {0};
	struct draft_stage stage;
	struct draft_case c;
	struct world *world;

	random_case(&c, &random);
	random_world(text, chance(4));
	now.world = text;
	world = world_new(text);
	draft_begin(&c, world, &stage);
	assert_int_equal(mrd_plan_port_make(&stage.in, &port), 0);
	check_port(&c, world, &port);
	if (chance(4))
		check_rows(world, &port);
	mrd_plan_port_clear(&port);
	draft_end(&stage);
	world_free(world);
}

static void shares_go_to_those_who_may_have_them(void **state)
{
	(void)state;
	over_seeds(check_one_plan);
}

/* ------------------------------------------------------------------------------- more is more */

/* The share of the hop that an endpoint is in; -1: in none. */
static double share_around(const struct mrd_draft *draft, const struct mrd_view_endpoint *seen)
{
	for (size_t i = 0; i < draft->hop_count; i++)
		for (size_t k = 0; k < draft->hops[i].count; k++)
			if (draft->endpoints[draft->hops[i].first + k].seen == seen)
				return draft->hops[i].share;
	return -1;
}

static double share_of_region(const struct mrd_draft *draft, const char *region)
{
	double share = 0;

	for (size_t i = 0; i < draft->hop_count; i++)
		if (!strcmp(draft->endpoints[draft->hops[i].first].seen->locality.region, region))
			share += draft->hops[i].share;
	return share;
}

/* Envoy gives levels whole per cents, and what rounding leaves to the first of them. */
static double rounding_of(const struct mrd_draft *draft)
{
	return 0.01 * (draft->hop_count ? draft->hops[draft->hop_count - 1].priority + 1 : 0);
}

/*
 * An endpoint gets well: its locality gets no less, nor does its region. Without
 * panic, which is left when things get better, and without hints, which an endpoint that has none
 * puts out of force by getting well.
 */
static void check_more_health(void)
{
	static char text[TEXT_ROOM];
	struct random_setting random;
	struct mrd_draft before;
	struct mrd_draft after;
	struct draft_case c;
	struct world *world;
	size_t n;

	random_case(&c, &random);
	c.panic_percent = 0;
	random_world(text, false);
	now.world = text;
	world = world_new(text);
	if (world->port.endpoint_count) {
		n = (size_t)rand() % world->port.endpoint_count;
		draft_of(&c, world, &before);
		if (!world->endpoints[n].terminating) {
			world->ejected[n] = false;
			world->endpoints[n].ready = world->endpoints[n].serving = true;
		}
		draft_of(&c, world, &after);
		if (!before.joined && !after.joined) {
			const char *region = world->endpoints[n].locality.region;

			CHECK(share_around(&after, &world->endpoints[n]) >=
			      share_around(&before, &world->endpoints[n]) - rounding_of(&after) -
				      noise);
			CHECK(share_of_region(&after, region) >=
			      share_of_region(&before, region) - rounding_of(&after) - noise);
		}
		mrd_draft_free(&before);
		mrd_draft_free(&after);
	}
	world_free(world);
}

static void more_health_is_never_less(void **state)
{
	(void)state;
	over_seeds(check_more_health);
}

/* --------------------------------------------------------------------------- order and locality */

enum { OBJECTS = 12, SERVICES = 3, CLUSTERS = 3 };

#define STAGE_LABELS                                                           \
	"localityLbSetting: { failoverPriority: [ topology.istio.io/network, " \
	"topology.istio.io/cluster ] }\n"

static struct {
	struct mrd_policy *policies[4];
	size_t count;
} stock;

/* Objects of a few services, slices of them in three clusters, and nodes. */
struct random_objects {
	struct build builds[OBJECTS];
	enum mrd_kind kinds[OBJECTS];
	size_t clusters[OBJECTS];
	char names[OBJECTS][16];
	char services[OBJECTS][16];
	char texts[OBJECTS][512];
};

static void random_endpoints(char *text, size_t cluster)
{
	static const char *const states[] = {"", "", "", " unready",
					     " unready serving terminating"};
	int len = 0;

	for (int i = rand() % 5 + 1; i > 0; i--)
		len += sprintf(text + len, "%s10.%zu.0.%d node=n%d zone=z%d%s", len ? "; " : "",
			       chance(3) ? CLUSTERS : cluster, /* some overlap */
			       rand() % 9 + 1, rand() % 3, rand() % 2,
			       states[(size_t)rand() % COUNT(states)]);
}

static void random_object(struct random_objects *objects, size_t i)
{
	struct build *build = &objects->builds[i];

	*build = (struct build){.name = objects->names[i], .ports = "http:80/TCP"};
	objects->clusters[i] = i < SERVICES ? 0 : (size_t)rand() % CLUSTERS;
	if (i < SERVICES) {
		objects->kinds[i] = MRD_KIND_SERVICE;
		sprintf(objects->names[i], "s%zu", i);
		sprintf(objects->texts[i], "172.16.0.%zu", i + 1);
		build->vips = objects->texts[i];
		build->distribution = chance(4) ? MRD_DISTRIBUTION_SAME_ZONE : 0;
	} else if (i < OBJECTS - 2) {
		objects->kinds[i] = MRD_KIND_SLICE;
		sprintf(objects->names[i], "slice%zu", i);
		sprintf(objects->services[i], "s%zu", i % SERVICES);
		build->service = objects->services[i];
		build->created = chance(2) ? "2026-01-01T00:00:00Z" : "2026-02-01T00:00:00Z";
		random_endpoints(objects->texts[i], objects->clusters[i]);
		build->endpoints = objects->texts[i];
	} else {
		objects->kinds[i] = MRD_KIND_NODE;
		sprintf(objects->names[i], "n%d", rand() % 3);
		sprintf(objects->texts[i], "%s=r%d", MRD_LABEL_REGION, rand() % 3 + 1);
		build->labels = objects->texts[i];
	}
}

/* Of objects and of clusters; the first of these is home. */
struct order {
	size_t objects[OBJECTS];
	size_t clusters[CLUSTERS];
};

static void shuffle(size_t *items, size_t count)
{
	for (size_t i = count - 1; i > 0; i--) {
		const size_t k = (size_t)rand() % (i + 1);
		const size_t kept = items[i];

		items[i] = items[k];
		items[k] = kept;
	}
}

static struct order written_order(void)
{
	struct order order;

	for (size_t i = 0; i < OBJECTS; i++)
		order.objects[i] = i;
	for (size_t i = 0; i < CLUSTERS; i++)
		order.clusters[i] = i;
	return order;
}

static struct mrd_model *model_of(const struct random_objects *objects, const struct order *order)
{
	static const struct mrd_model_cluster clusters[CLUSTERS] = {
		{"home", "r1", "n1"}, {"near", "r2", "n1"}, {"away", "r3", "n2"}};
	struct mrd_model_cluster placed[CLUSTERS];
	struct mrd_model *model;
	size_t at[CLUSTERS];

	for (size_t i = 0; i < CLUSTERS; i++) {
		placed[i] = clusters[order->clusters[i]];
		at[order->clusters[i]] = i;
	}
	assert_int_equal(mrd_model_new(placed, CLUSTERS, at[0], "", &model), 0);
	for (size_t i = 0; i < OBJECTS; i++) {
		const size_t n = order->objects[i];

		build_put(model, at[objects->clusters[n]], objects->kinds[n], &objects->builds[n]);
	}
	return model;
}

static const struct mrd_policy *policy_now(void)
{
	return stock.policies[now.seed % stock.count];
}

static void add_lines(char *const *lines, size_t count, struct mrd_strbuf *out)
{
	for (size_t i = 0; i < count; i++)
		mrd_strbuf_addf(out, "%s\n", lines[i]);
}

static void add_what_if(const struct mrd_what_if *what_if, struct mrd_strbuf *out)
{
	char text[MRD_IP_TEXT_MAX] = "";

	if (what_if->what == MRD_WHAT_ENDPOINT_FAILS)
		mrd_ip_port_format(&what_if->ip, what_if->port, text);
	mrd_strbuf_addf(out, "if %d %s %s", what_if->what, what_if->region, text);
	for (size_t i = 0; i < what_if->share_count; i++)
		mrd_strbuf_addf(out, " %s %f", what_if->shares[i].region, what_if->shares[i].share);
	mrd_strbuf_addf(out, "\n");
}

static void add_explanation(const struct mrd_model *model, const struct mrd_plan_node *node,
			    const char *name, struct mrd_strbuf *out)
{
	struct mrd_explain_target target = {.namespace_ = "default"};
	const struct mrd_explain_input input = {
		.target = &target, .model = model, .policy = policy_now(), .node = node};
	struct mrd_explanation *explanation;

	snprintf(target.service, sizeof(target.service), "%s", name);
	assert_int_equal(mrd_explain_make(&input, &explanation), 0);
	for (size_t i = 0; i < explanation->port_count; i++) {
		const struct mrd_explained_port *port = &explanation->ports[i];

		add_lines(port->reasons, port->reason_count, out);
		add_lines(port->warnings, port->warning_count, out);
		for (size_t k = 0; k < port->if_count; k++)
			add_what_if(&port->ifs[k], out);
	}
	mrd_explanation_free(explanation);
}

static void add_rows_of(const struct mrd_plan *plan, struct mrd_ids *ids, struct mrd_strbuf *out)
{
	for (size_t i = 0; i < plan->port_count; i++) {
		struct mrd_rows *rows;

		assert_int_equal(mrd_rows_make(plan, &plan->ports[i], ids, NULL, NULL, &rows), 0);
		mrd_rows_text(rows, out);
		mrd_rows_free(rows);
	}
}

/* The plan of a service and its rows as text, with its explanation if wanted; "" if it has none. */
static char *plan_text(const struct mrd_model *model, struct mrd_ids *ids, const char *name,
		       bool explained)
{
	const struct mrd_plan_node node = {.name = "n0",
					   .region = "r1",
					   .zone = "z1",
					   .subzone = "",
					   .cluster = mrd_model_home(model)};
	struct mrd_strbuf text = {0};
	struct mrd_view *view;
	struct mrd_plan *plan;

	mrd_strbuf_add(&text, "", 0);
	if (mrd_model_view(model, "default", name, &view))
		return mrd_strbuf_steal(&text);
	assert_int_equal(mrd_plan_make(view, model, policy_now(), &node, NULL, &plan), 0);
	mrd_plan_text(plan, &text);
	add_rows_of(plan, ids, &text);
	if (explained)
		add_explanation(model, &node, name, &text);
	mrd_plan_free(plan);
	mrd_view_free(view);
	return mrd_strbuf_steal(&text);
}

static void check_order(void)
{
	struct random_objects objects = {0};
	struct order order = written_order();
	struct mrd_model *models[2];
	struct mrd_ids *ids[2];

	for (size_t i = 0; i < OBJECTS; i++)
		random_object(&objects, i);
	/* Two nodes of one name in one cluster are one object that was changed. */
	if (!strcmp(objects.names[OBJECTS - 1], objects.names[OBJECTS - 2]))
		objects.clusters[OBJECTS - 1] = (objects.clusters[OBJECTS - 2] + 1) % CLUSTERS;
	models[0] = model_of(&objects, &order);
	shuffle(order.objects, OBJECTS);
	shuffle(order.clusters, CLUSTERS);
	models[1] = model_of(&objects, &order);
	assert_int_equal(mrd_ids_new(&ids[0]) | mrd_ids_new(&ids[1]), 0);
	for (size_t i = 0; i < SERVICES; i++) {
		char *a = plan_text(models[0], ids[0], objects.names[i], true);
		char *b = plan_text(models[1], ids[1], objects.names[i], true);

		now.world = a;
		CHECK(!strcmp(a, b));
		now.world = NULL;
		free(a);
		free(b);
	}
	mrd_model_free(models[0]);
	mrd_model_free(models[1]);
	mrd_ids_free(ids[0]);
	mrd_ids_free(ids[1]);
}

static void the_order_of_the_input_is_nothing(void **state)
{
	(void)state;
	over_seeds(check_order);
}

/* One slice is written anew: only its service is to be planned, and the rows of others stay. */
static void check_one_slice(void)
{
	struct random_objects objects = {0};
	char *before[SERVICES];
	struct mrd_model *model;
	struct mrd_ids *ids;
	const struct order order = written_order();
	const size_t slice = SERVICES + (size_t)rand() % (OBJECTS - 2 - SERVICES);
	char *dirty;
	char want[32];

	for (size_t i = 0; i < OBJECTS; i++)
		random_object(&objects, i);
	model = model_of(&objects, &order);
	assert_int_equal(mrd_ids_new(&ids), 0);
	for (size_t i = 0; i < SERVICES; i++)
		before[i] = plan_text(model, ids, objects.names[i], false);
	free(build_take_dirty(model));

	random_endpoints(objects.texts[slice], objects.clusters[slice]);
	build_put(model, objects.clusters[slice], MRD_KIND_SLICE, &objects.builds[slice]);
	dirty = build_take_dirty(model);
	snprintf(want, sizeof(want), "default/%s", objects.services[slice]);
	CHECK(!*dirty || !strcmp(dirty, want)); /* it may say the same again */
	for (size_t i = 0; i < SERVICES; i++) {
		char *after = plan_text(model, ids, objects.names[i], false);

		if (!*dirty || strcmp(objects.names[i], objects.services[slice]) != 0)
			CHECK(!strcmp(before[i], after));
		free(before[i]);
		free(after);
	}
	free(dirty);
	mrd_model_free(model);
	mrd_ids_free(ids);
}

static void one_slice_is_one_service(void **state)
{
	(void)state;
	over_seeds(check_one_slice);
}

static int stock_up(void **state)
{
	static const char *const texts[] = {NULL, STAGE_FAILOVER, STAGE_DISTRIBUTE, STAGE_LABELS};

	(void)state;
	for (; stock.count < COUNT(stock.policies); stock.count++) {
		struct stage stage;

		stage_init(&stage, texts[stock.count]);
		mrd_model_free(stage.model);
		stock.policies[stock.count] = stage.policy;
	}
	return 0;
}

static int clear_stock(void **state)
{
	(void)state;
	while (stock.count)
		mrd_policy_free(stock.policies[--stock.count]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_go_to_those_who_may_have_them),
		cmocka_unit_test(more_health_is_never_less),
		cmocka_unit_test(the_order_of_the_input_is_nothing),
		cmocka_unit_test(one_slice_is_one_service),
	};

	return cmocka_run_group_tests(tests, stock_up, clear_stock);
}
