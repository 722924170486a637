/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Old rows → new rows: which operations, in which order, and what a picker meets at every moment,
 * also when a write fails and the plan is taken back. The picker is the kernel's own (bpf/lib).
 */
#include "plan/rows.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/lib/pick.h"
#include "fake_maps.h"
#include "stage.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PANIC	     STAGE_OUTLIER("minHealthPercent: 50")
#define ASKS(pool)   STAGE_TRAFFIC("connectionPool: { tcp: { " pool " } }")

/* A service on its way from one world to another. */
struct transition {
	struct stage stage;
	struct mrd_ids *ids;
	struct mrd_rows *old; /* NULL: there was none */
	struct mrd_rows *new_rows;
	struct mrd_ops ops;
	uint32_t service_id;
};

/* policy_after: NULL: it is the same one. */
static void begin_with(struct transition *t, const char *policy, const char *before,
		       const char *policy_after, const char *after)
{
	*t = (struct transition){0};
	stage_init(&t->stage, policy);
	assert_int_equal(mrd_ids_new(&t->ids), 0);
	if (before)
		t->old = stage_rows(&t->stage, before, t->ids, NULL);
	if (policy_after) {
		stage_free(&t->stage);
		stage_init(&t->stage, policy_after);
	}
	if (after)
		t->new_rows = stage_rows(&t->stage, after, t->ids, t->old);
	t->service_id = mrd_rows_service_id(t->old ? t->old : t->new_rows);
	assert_int_equal(mrd_rows_diff(t->old, t->new_rows, &t->ops), 0);
}

static void begin(struct transition *t, const char *policy, const char *before, const char *after)
{
	begin_with(t, policy, before, NULL, after);
}

static void end(struct transition *t)
{
	mrd_ops_free(&t->ops);
	mrd_rows_free(t->old);
	mrd_rows_free(t->new_rows);
	mrd_ids_free(t->ids);
	stage_free(&t->stage);
}

static void apply_all(struct fake_maps *maps, const struct mrd_rows *rows)
{
	const struct mrd_map_writer writer = fake_writer(maps);
	struct mrd_ops ops;

	if (!rows)
		return;
	assert_int_equal(mrd_rows_diff(NULL, rows, &ops), 0);
	assert_int_equal(mrd_ops_apply(&ops, mrd_rows_service_id(rows), &writer, NULL, NULL), 0);
	mrd_ops_free(&ops);
	assert_true(fake_holds(maps, rows));
}

/* -------------------------------------------------------------------------------- operations */

static char *describe(const struct mrd_ops *ops)
{
	static const char kinds[] = "+~-";
	char *text = calloc(ops->count + 1, 32);
	size_t len = 0;

	for (size_t i = 0; i < ops->count; i++)
		len += (size_t)sprintf(text + len, "%s%c%s", i ? " " : "",
				       kinds[ops->items[i].kind],
				       mrd_map_name(ops->items[i].map) + strlen("mrd_"));
	return text;
}

static const struct {
	const char *name;
	const char *policy;
	const char *before;
	const char *policy_after;
	const char *after;
	const char *want;
} diff_cases[] = {
	{"nothing to do", NULL, "r1:AE r2:U", NULL, "r1:AE r2:U", ""},
	{
		.name = "a new service",
		.after = "r1:A",
		.want = "+locality +name +stat +health +ticket +ticket +member +route +service",
	},
	{
		.name = "a service goes",
		.before = "r1:A",
		.want = "-service -route -member -ticket -ticket -health -stat -name",
	},
	{
		.name = "an endpoint comes",
		.before = "r1:A-",
		.after = "r1:AA",
		.want = "+stat +health +member ~route",
	},
	{
		.name = "the last of a hop goes",
		.before = "r1:AA",
		.after = "r1:A-",
		.want = "~route -member -health -stat",
	},
	{
		.name = "the first of three goes: the last one moves",
		.before = "r1:AAA",
		.after = "r1:-AA",
		.want = "~member ~route -member -health -stat",
	},
	{
		.name = "an endpoint is lost: said behind the route",
		.before = "r1:AA",
		.after = "r1:AU",
		.want = "~route ~health -member",
	},
	{
		.name = "and comes back: said before the route",
		.before = "r1:AU",
		.after = "r1:AA",
		.want = "+member ~health ~route",
	},
	{
		.name = "only states nobody picks change",
		.before = "r1:AU",
		.after = "r1:AD",
		.want = "~health",
	},
	{
		.name = "a new region",
		.before = "r1:A",
		.after = "r1:A r2:A",
		.want = "+locality +stat +health +ticket +member ~route",
	},
	{
		.name = "a region goes; its locality is not ours to delete",
		.before = "r1:A r2:A",
		.after = "r1:A",
		.want = "~route -member -ticket -health -stat",
	},
	{
		.name = "a new service that asks for something",
		.policy = ASKS("maxConnections: 5"),
		.after = "r1:A",
		.want = "+locality +name +setting +open +stat +health +ticket +ticket +member "
			"+route "
			"+service",
	},
	{
		.name = "and goes",
		.policy = ASKS("maxConnections: 5"),
		.before = "r1:A",
		.want = "-service -route -member -ticket -ticket -health -stat -open -setting "
			"-name",
	},
	{
		.name = "a service gains a setting: there before its VIP says so",
		.before = "r1:A",
		.policy_after = ASKS("connectTimeout: 1s"),
		.after = "r1:A",
		.want = "+setting ~service",
	},
	{
		.name = "asks for something else",
		.policy = ASKS("maxConnections: 5"),
		.before = "r1:A",
		.policy_after = ASKS("maxConnections: 6"),
		.after = "r1:A",
		.want = "~setting",
	},
	{
		.name = "a limit goes; connections that it counts do not",
		.policy = ASKS("maxConnections: 5"),
		.before = "r1:A",
		.policy_after = "",
		.after = "r1:A",
		.want = "~service -setting",
	},
	{
		.name = "loses it: there until no VIP says so",
		.policy = ASKS("tcpKeepalive: {}"),
		.before = "r1:A",
		.policy_after = "",
		.after = "r1:A",
		.want = "~service -setting",
	},
	{
		.name = "only shares change",
		.policy = STAGE_FAILOVER,
		.before = "r1/z1:AU r2:A",
		.after = "r1/z1:AT r2:A",
		.want = "~route",
	},
};

static void changes_only_what_differs_in_this_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(diff_cases); i++) {
		struct transition t;
		char *text;

		print_message("%s\n", diff_cases[i].name);
		begin_with(&t, diff_cases[i].policy, diff_cases[i].before,
			   diff_cases[i].policy_after, diff_cases[i].after);
		text = describe(&t.ops);
		assert_string_equal(text, diff_cases[i].want);
		free(text);
		end(&t);
	}
}

static void counters_are_never_overwritten(void **state)
{
	struct transition t;
	const struct mrd_stat counted = {.connects = 5};
	const uint64_t number = 6;
	struct mrd_ticket_key ticket;
	const struct mrd_ip ip = world_ip(0);
	uint32_t endpoint;
	struct mrd_ops ops;

	(void)state;
	begin(&t, NULL, "r1:A", "r1:A");
	ticket = (struct mrd_ticket_key){t.service_id, MRD_SERVICE_TICKET};
	endpoint = mrd_ids_find_endpoint(t.ids, t.service_id, &ip, 8080);
	/* As read from the kernel after a restart. */
	assert_int_equal(mrd_rows_put(t.old, MRD_MAP_STAT, &endpoint, &counted), 0);
	assert_int_equal(mrd_rows_put(t.old, MRD_MAP_TICKET, &ticket, &number), 0);
	assert_int_equal(mrd_rows_diff(t.old, t.new_rows, &ops), 0);
	assert_int_equal(ops.count, 0);
	mrd_ops_free(&ops);
	assert_null(ops.items);
	end(&t);
}

static void both_sides_may_be_missing(void **state)
{
	struct mrd_ops ops;

	(void)state;
	assert_int_equal(mrd_rows_diff(NULL, NULL, &ops), 0);
	assert_int_equal(ops.count, 0);
	mrd_ops_free(&ops);
}

/* -------------------------------------------------------------------------------- the picker */

/* What a pick that reads the route from one moment and everything else from a later one finds. */
struct picker {
	const struct fake_maps *route_maps;
	const struct fake_maps *maps;
	uint32_t service_id;
};

static const struct mrd_health *look_at(const struct picker *picker, const struct mrd_turn *turn,
					uint64_t first)
{
	struct mrd_member_key key = {picker->service_id, turn->hop_id, 0};
	const struct mrd_member *member;
	const struct mrd_health *health;

	if (!mrd_turn_slot(turn, first, &key.slot))
		return NULL;
	member = fake_get(picker->maps, MRD_MAP_MEMBER, &key);
	if (!member)
		return NULL;
	health = fake_get(picker->maps, MRD_MAP_HEALTH, &member->endpoint_id);
	return mrd_judge(picker->service_id, member, health, turn->accept) == MRD_JUDGED_USABLE
		       ? health
		       : NULL;
}

static const struct mrd_health *pick_once(const struct picker *picker, uint32_t chosen,
					  uint64_t first)
{
	const struct mrd_route *route =
		fake_get(picker->route_maps, MRD_MAP_ROUTE, &picker->service_id);
	const struct mrd_health *found = NULL;

	if (!route || !route->hop_count)
		return NULL;
	for (uint32_t step = 0; !found && step < MRD_PICK_STEPS; step++) {
		struct mrd_turn turn;

		mrd_pick_turn(route, chosen, step, &turn);
		found = look_at(picker, &turn, first);
	}
	return found;
}

struct search {
	const unsigned char *addr;
	bool found;
};

static int match_member(void *self, const void *key, const void *value)
{
	struct search *search = self;
	const struct mrd_member *member = value;

	(void)key;
	if (!memcmp(member->addr, search->addr, sizeof(member->addr)))
		search->found = true;
	return 0;
}

/* Members are the usable ones. */
static bool is_member(const struct mrd_rows *rows, const unsigned char *addr)
{
	struct search search = {.addr = addr};

	if (rows)
		mrd_rows_walk(rows, MRD_MAP_MEMBER, match_member, &search);
	return search.found;
}

static bool can_serve(const struct mrd_rows *rows)
{
	return rows && mrd_rows_count(rows, MRD_MAP_MEMBER);
}

/* Every hop that a ticket may choose, and every slot to start at. */
static void check_picks(const struct transition *t, const struct picker *picker, bool must_find)
{
	const struct mrd_route *route =
		fake_get(picker->route_maps, MRD_MAP_ROUTE, &picker->service_id);

	for (uint32_t hop = 0; route && hop < route->hop_count; hop++) {
		for (uint64_t number = 0; number <= route->hops[hop].member_count; number++) {
			const struct mrd_health *found = pick_once(picker, hop, number);

			if (must_find)
				assert_non_null(found);
			if (found)
				assert_true(is_member(t->old, found->addr) ||
					    is_member(t->new_rows, found->addr));
		}
	}
	if (must_find)
		assert_non_null(route);
}

/* A VIP that is there leads to a route, and to a setting if it says so. */
static void check_vips(const struct fake_maps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct mrd_service *service = (const void *)maps->rows[i].value;

		if (maps->rows[i].map != MRD_MAP_SERVICE)
			continue;
		assert_non_null(fake_get(maps, MRD_MAP_ROUTE, &service->service_id));
		if (service->has_setting)
			assert_non_null(fake_get(maps, MRD_MAP_SETTING, &service->service_id));
	}
}

static void check_moment(struct fake_maps *maps, void *self)
{
	const struct transition *t = self;
	const struct picker picker = {maps, maps, t->service_id};

	check_vips(maps);
	check_picks(t, &picker, can_serve(t->old) && can_serve(t->new_rows));
}

/* What a row that cannot be deleted may name stays with it. */
static size_t left_behind(const struct mrd_ops *ops, size_t n)
{
	size_t count = 1;

	for (size_t i = n + 1; i < ops->count; i++)
		count += ops->items[i].map < ops->items[n].map;
	return count;
}

/* Fails the n-th operation; afterwards everything must be as before. */
static void fail_at(struct transition *t, const struct fake_maps *before, size_t n)
{
	struct fake_maps *maps = malloc(sizeof(*maps));
	const struct mrd_map_writer writer = fake_writer(maps);
	const struct mrd_op *op = &t->ops.items[n];
	size_t failed = SIZE_MAX;
	size_t undeleted = SIZE_MAX;
	int r;

	*maps = *before;
	maps->calls = 0;
	maps->fail_at = n + 1;
	maps->after = check_moment;
	maps->self = t;
	r = mrd_ops_apply(&t->ops, t->service_id, &writer, &failed, &undeleted);
	if (op->kind == MRD_OP_DELETE) {
		assert_int_equal(r, 0);
		assert_int_equal(undeleted, left_behind(&t->ops, n));
		assert_int_equal(failed, SIZE_MAX);
		assert_non_null(fake_get(maps, op->map, op->key));
	} else {
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(failed, n);
		assert_true(fake_holds(maps, t->old));
	}
	free(maps);
}

/* A picker that took the route at one moment and reads the rest at a later one may find nothing,
 * but never a stranger. */
static void check_races(const struct transition *t, const struct fake_maps *before)
{
	struct fake_maps *maps = calloc(t->ops.count + 1, sizeof(*maps));
	const struct mrd_ops one = {.count = 1};

	maps[0] = *before;
	for (size_t i = 0; i < t->ops.count; i++) {
		struct mrd_map_writer writer = fake_writer(&maps[i + 1]);
		struct mrd_ops ops = one;

		maps[i + 1] = maps[i];
		ops.items = &t->ops.items[i];
		assert_int_equal(mrd_ops_apply(&ops, t->service_id, &writer, NULL, NULL), 0);
	}
	for (size_t from = 0; from <= t->ops.count; from++) {
		for (size_t to = from + 1; to <= t->ops.count; to++) {
			const struct picker picker = {&maps[from], &maps[to], t->service_id};

			check_picks(t, &picker, false);
		}
	}
	free(maps);
}

static void run_transition_with(const char *policy, const char *before, const char *policy_after,
				const char *after)
{
	struct fake_maps *maps = calloc(1, sizeof(*maps));
	struct fake_maps *start = malloc(sizeof(*start));
	const struct mrd_map_writer writer = fake_writer(maps);
	struct transition t;
	size_t undeleted = SIZE_MAX;

	begin_with(&t, policy, before, policy_after, after);
	apply_all(maps, t.old);
	*start = *maps;
	for (size_t i = 0; i < t.ops.count; i++)
		fail_at(&t, start, i);
	check_races(&t, start);

	maps->after = check_moment;
	maps->self = &t;
	assert_int_equal(mrd_ops_apply(&t.ops, t.service_id, &writer, NULL, &undeleted), 0);
	assert_int_equal(undeleted, 0);
	assert_true(fake_holds(maps, t.new_rows));
	end(&t);
	free(start);
	free(maps);
}

static void run_transition(const char *policy, const char *before, const char *after)
{
	run_transition_with(policy, before, NULL, after);
}

static const struct {
	const char *name;
	const char *policy;
	const char *before;
	const char *after;
} transitions[] = {
	{"a new service", NULL, NULL, "r1:AA r2:A@1"},
	{"a service goes", NULL, "r1:AA r2:A@1", NULL},
	{"a service without endpoints", NULL, NULL, ""},
	{"the first endpoint", NULL, "", "r1:A"},
	{"the last endpoint", NULL, "r1:A", ""},
	{"all endpoints replaced", NULL, "r1:AAA---", "r1:---AAA"},
	{"all endpoints replaced by fewer", NULL, "r1:AAAA-", "r1:----A"},
	{"another region", NULL, "r1:AA", "r1:-- r2:AA@1"},
	{"scaled down in failover", STAGE_FAILOVER, "r1:AAAA r2:AA@1", "r1:A--- r2:AA@1"},
	{"own region lost", STAGE_FAILOVER, "r1:AAA r2:AA@1 r3:A@1", "r1:EEE r2:AA@1 r3:A@1"},
	{"own region lost, others change", STAGE_FAILOVER, "r1:AAA r2:A-@1", "r1:UUU r2:-A@1"},
	{"own region back", STAGE_FAILOVER, "r1:UUU r2:AA@1", "r1:AAA r2:UU@1"},
	{"to another split", STAGE_DISTRIBUTE, "r1:AAAA r2:A@1", "r1:AAEE r2:A@1"},
	{"ready to terminating", NULL, "r1:AA", "r1:DD"},
	{"terminating to ready", NULL, "r1:DD", "r1:AA"},
	{"others terminating", NULL, "r1:A-", "r1:-D"},
	{"others ready", NULL, "r1:D-", "r1:-A"},
	{"some terminating, far away", STAGE_FAILOVER, "r1:AAA r2:DD@1", "r1:UUU r2:DD@1"},
	{"into panic", PANIC, "r1:AAAA", "r1:EEEA"},
	{"deeper into panic", PANIC, "r1:AEEE", "r1:EEEE"},
	{"out of panic by others", PANIC, "r1:EEE-", "r1:UUUA"},
	{"out of panic", PANIC, "r1:EEEE", "r1:AAAE"},
	{"from panic to terminating others", PANIC, "r1:EE-", "r1:--D"},
};

static void a_picker_is_served_at_every_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(transitions); i++) {
		print_message("%s\n", transitions[i].name);
		run_transition(transitions[i].policy, transitions[i].before, transitions[i].after);
	}
}

static void settings_come_and_go_without_a_gap(void **state)
{
	static const char *const policies[] = {
		"",
		ASKS("maxConnections: 5"),
		ASKS("maxConnections: 6, connectTimeout: 1s"),
	};

	(void)state;
	for (size_t from = 0; from < COUNT(policies); from++) {
		for (size_t to = 0; to < COUNT(policies); to++) {
			print_message("%zu to %zu\n", from, to);
			run_transition_with(policies[from], "r1:AA", policies[to], "r1:AA");
			run_transition_with(policies[from], "r1:AA-", policies[to], "r1:-AA");
		}
	}
}

/*
 * Any two states of one set of endpoints. Endpoints that are usable only because nothing else is
 * (panic), and then terminate all together, are the one gap (rows_diff.c): no case of that here.
 */
static void random_pair(char *before, char *after, size_t room)
{
	static const char *const letters[] = {"AAAEUT--", "AAADUT--", "AAEEDUT--"};
	static const char *const words[] = {"r1/z1:", " r1/z2:", " r2:", " r3/z1:"};
	const char *of_before = letters[rand() % 3];
	const char *of_after = letters[rand() % 3];
	size_t len = 0;

	for (size_t word = 0; word < COUNT(words); word++) {
		const int count = rand() % 4;

		if (!count)
			continue;
		assert_true(len + strlen(words[word]) + 4 < room);
		strcpy(before + len, words[word]);
		strcpy(after + len, words[word]);
		len += strlen(words[word]);
		for (int i = 0; i < count; i++, len++) {
			before[len] = of_before[(size_t)rand() % strlen(of_before)];
			after[len] = rand() % 2 ? before[len]
						: of_after[(size_t)rand() % strlen(of_after)];
		}
	}
	before[len] = after[len] = '\0';
}

static void any_transition_serves(void **state)
{
	static const char *const policies[] = {NULL, STAGE_FAILOVER, STAGE_DISTRIBUTE};

	(void)state;
	srand(13);
	for (int round = 0; round < 150; round++) {
		char before[64];
		char after[64];

		random_pair(before, after, sizeof(before));
		print_message("%s → %s\n", before, after);
		run_transition(policies[round % 3], before, after);
	}
}

/* ---------------------------------------------------------------------------------- failures */

static void a_full_map_leaves_the_old_plan(void **state)
{
	(void)state;
	for (enum mrd_map map = MRD_MAP_STAT; map < MRD_MAP_COUNT; map++) {
		struct fake_maps *maps = calloc(1, sizeof(*maps));
		const struct mrd_map_writer writer = fake_writer(maps);
		struct transition t;
		size_t failed = SIZE_MAX;
		int r;

		print_message("%s is full\n", mrd_map_name(map));
		begin(&t, NULL, "r1:AA", "r1:AAA r2:AA@1");
		apply_all(maps, t.old);
		maps->limit[map] = fake_count(maps, map);
		r = mrd_ops_apply(&t.ops, t.service_id, &writer, &failed, NULL);
		if (map == MRD_MAP_ROUTE || map == MRD_MAP_SERVICE) {
			assert_int_equal(r, 0); /* these are overwritten only */
		} else {
			assert_int_equal(r, -E2BIG);
			assert_int_equal(t.ops.items[failed].map, map);
			assert_true(fake_holds(maps, t.old));
		}
		end(&t);
		free(maps);
	}
}

/* A counter that was there before the plan, and one of a connection that hooks know, is kept. */
static void undoing_keeps_what_was_counted(void **state)
{
	struct fake_maps *maps = calloc(1, sizeof(*maps));
	const struct mrd_map_writer writer = fake_writer(maps);
	const struct mrd_stat counted = {.open = 1};
	const struct mrd_stat *left;
	const void *key = NULL;
	struct transition t;

	(void)state;
	begin(&t, NULL, NULL, "r1:AA");
	for (size_t i = 0; i < t.ops.count; i++)
		if (t.ops.items[i].map == MRD_MAP_STAT)
			key = t.ops.items[i].key;
	assert_non_null(key);
	assert_int_equal(fake_put(maps, MRD_MAP_STAT, key, &counted, 0), 0);
	maps->calls = 0;
	maps->fail_at = t.ops.count;
	assert_int_equal(mrd_ops_apply(&t.ops, t.service_id, &writer, NULL, NULL), -ENOMEM);
	left = fake_get(maps, MRD_MAP_STAT, key);
	assert_non_null(left);
	assert_int_equal(left->open, 1);
	assert_int_equal(fake_count(maps, MRD_MAP_STAT), 1);
	assert_int_equal(fake_count(maps, MRD_MAP_TICKET), 0);
	assert_int_equal(fake_count(maps, MRD_MAP_NAME), 0);
	end(&t);
	free(maps);
}

static void a_failed_undo_is_told(void **state)
{
	struct fake_maps *maps = calloc(1, sizeof(*maps));
	const struct mrd_map_writer writer = fake_writer(maps);
	struct transition t;

	(void)state;
	begin(&t, NULL, "r1:AA", "r1:AAA");
	apply_all(maps, t.old);
	maps->calls = 0;
	maps->fail_at = 2;
	maps->fail_on = true;
	assert_int_equal(mrd_ops_apply(&t.ops, t.service_id, &writer, NULL, NULL), -EUCLEAN);
	end(&t);
	free(maps);
}

/* A VIP that another service has taken over meanwhile is not taken from it. */
static void a_vip_of_another_service_stays(void **state)
{
	struct fake_maps *maps = calloc(1, sizeof(*maps));
	const struct mrd_map_writer writer = fake_writer(maps);
	const struct mrd_vip_key vip = {{172, 16, 0, 20}, 1, MRD_PROTOCOL_TCP, 80};
	const struct mrd_service other = {.service_id = 4711};
	const struct mrd_service *left;
	struct transition t;

	(void)state;
	begin(&t, NULL, "r1:A", NULL);
	apply_all(maps, t.old);
	assert_int_equal(fake_put(maps, MRD_MAP_SERVICE, &vip, &other, 0), 0);
	assert_int_equal(mrd_ops_apply(&t.ops, t.service_id, &writer, NULL, NULL), 0);
	left = fake_get(maps, MRD_MAP_SERVICE, &vip);
	assert_non_null(left);
	assert_int_equal(left->service_id, 4711);
	end(&t);
	free(maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_only_what_differs_in_this_order),
		cmocka_unit_test(counters_are_never_overwritten),
		cmocka_unit_test(both_sides_may_be_missing),
		cmocka_unit_test(a_picker_is_served_at_every_moment),
		cmocka_unit_test(settings_come_and_go_without_a_gap),
		cmocka_unit_test(any_transition_serves),
		cmocka_unit_test(a_full_map_leaves_the_old_plan),
		cmocka_unit_test(undoing_keeps_what_was_counted),
		cmocka_unit_test(a_failed_undo_is_told),
		cmocka_unit_test(a_vip_of_another_service_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
