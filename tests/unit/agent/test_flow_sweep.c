/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/flow_sweep.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static const uint64_t ms_ns = MRD_NS_PER_MS;
static const uint64_t second_ns = 1000ULL * MRD_NS_PER_MS;

/* ------------------------------------------------------------------------------------ decision */

static void states_have_the_times_of_connection_tracking(void **state)
{
	static const struct {
		const char *name;
		enum mrd_flow_state state;
		uint64_t seconds;
	} cases[] = {
		{"SYN sent", MRD_FLOW_SYN_SENT, 120},
		{"established", MRD_FLOW_ESTABLISHED, 432000},
		{"half-closed by the client", MRD_FLOW_FIN_WAIT, 120},
		{"half-closed by the endpoint", MRD_FLOW_CLOSE_WAIT, 120},
		{"SYN answered", MRD_FLOW_SYN_RECV, 60},
		{"closed", MRD_FLOW_CLOSED, 10},
		{"reset", MRD_FLOW_RESET, 10},
		{"reset, it seems", MRD_FLOW_DOUBTED, 120},
		{"UDP without a reply", MRD_FLOW_UDP_UNREPLIED, 30},
		{"UDP with replies", MRD_FLOW_UDP_REPLIED, 120},
		{"no state", MRD_FLOW_NONE, 120},
		{"a state of a later version", (enum mrd_flow_state)99, 120},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mrd_flow flow = {.state = cases[i].state, .last_ns = 7 * second_ns};
		const uint64_t over_ns = flow.last_ns + cases[i].seconds * second_ns;

		print_message("%s\n", cases[i].name);
		assert_true(mrd_flow_is_over(&flow, over_ns));
		assert_false(mrd_flow_is_over(&flow, over_ns - ms_ns));
		assert_false(mrd_flow_is_over(&flow, flow.last_ns));
		assert_false(mrd_flow_is_over(&flow, flow.last_ns - second_ns));
	}
}

/* ------------------------------------------------------------------------------------ a fake map
 */

enum { ROWS = 16, BATCH = 4, CLIENT = 10, VIP = 20, ENDPOINT = 30 };

struct row {
	struct mrd_flow_key key;
	struct mrd_flow flow;
	bool is_used;
};

struct stage {
	struct mrd_flow_sweep *sweep;
	struct row rows[ROWS];
	size_t at;
	unsigned int batches;
	uint32_t gone; /* interface */
	uint64_t now_ns;
	uint64_t opened[MRD_PLACE_ANY + 1], settled[MRD_PLACE_ANY + 1];
	unsigned int settlings;
	int places_fail; /* 0 or -errno */
	int next_fails;
	int del_fails;
	/* What a packet does between batch and removal. */
	void (*packet)(struct stage *stage, struct row *row);
};

static struct row *find(struct stage *stage, const struct mrd_flow_key *key)
{
	for (size_t i = 0; i < ROWS; i++)
		if (stage->rows[i].is_used && !memcmp(&stage->rows[i].key, key, sizeof(*key)))
			return &stage->rows[i];
	return NULL;
}

static int fake_next(void *self, int (*fn)(void *fn_self, const void *key, const void *value),
		     void *fn_self)
{
	struct stage *stage = self;
	struct row batch[BATCH];

	if (stage->next_fails)
		return stage->next_fails;
	memcpy(batch, stage->rows + stage->at, sizeof(batch));
	stage->batches++;
	for (size_t i = 0; i < BATCH; i++)
		if (batch[i].is_used)
			assert_int_equal(fn(fn_self, &batch[i].key, &batch[i].flow), 0);
	stage->at = (stage->at + BATCH) % ROWS;
	return stage->at != 0;
}

static int fake_get(void *self, const struct mrd_flow_key *key, struct mrd_flow *ret_flow)
{
	struct stage *stage = self;
	struct row *row = find(stage, key);

	if (!row)
		return -ENOENT;
	if (stage->packet)
		stage->packet(stage, row);
	*ret_flow = row->flow;
	return 0;
}

/* As the kernel's program does: a forward row takes the other one along. */
static int fake_del(void *self, const struct mrd_flow_key *key)
{
	struct stage *stage = self;
	struct row *row = find(stage, key);
	struct mrd_flow_key other = *key;

	if (stage->del_fails || !row)
		return stage->del_fails;
	row->is_used = false;
	if (row->flow.way == MRD_FLOW_REVERSE)
		return 0;
	memcpy(other.tuple.source, row->flow.tuple.destination, MRD_ADDR_LEN);
	memcpy(other.tuple.destination, row->flow.tuple.source, MRD_ADDR_LEN);
	other.tuple.source_port = row->flow.tuple.destination_port;
	other.tuple.destination_port = row->flow.tuple.source_port;
	return fake_del(self, &other);
}

static bool fake_is_there(void *self, uint32_t ifindex)
{
	const struct stage *stage = self;

	return ifindex != stage->gone;
}

static int fake_places(void *self, uint64_t ret_opened[MRD_PLACE_ANY + 1])
{
	const struct stage *stage = self;

	if (!stage->places_fail)
		memcpy(ret_opened, stage->opened, sizeof(stage->opened));
	return stage->places_fail;
}

static int fake_settle(void *self, uint32_t place, uint64_t opened)
{
	struct stage *stage = self;

	stage->settled[place] = opened;
	stage->settlings++;
	return 0;
}

static int stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	const struct mrd_flow_port port = {
		.self = stage,
		.next = fake_next,
		.get = fake_get,
		.del = fake_del,
		.is_there = fake_is_there,
		.places = fake_places,
		.settle = fake_settle,
	};

	*state = stage;
	if (!stage)
		return -1;
	stage->now_ns = 1000 * second_ns;
	return mrd_flow_sweep_new(&port, &stage->sweep);
}

static int stage_teardown(void **state)
{
	struct stage *stage = *state;

	mrd_flow_sweep_free(stage->sweep);
	free(stage);
	return 0;
}

static struct mrd_flow_tuple tuple(uint8_t from, uint32_t from_port, uint8_t to, uint32_t to_port)
{
	return (struct mrd_flow_tuple){
		.source = {10, 0, 0, from},
		.destination = {10, 0, 0, to},
		.source_port = from_port,
		.destination_port = to_port,
	};
}

static struct mrd_flow_key key_of(const struct mrd_flow_tuple *of)
{
	return (struct mrd_flow_key){
		.tuple = *of, .family = MRD_FAMILY_IPV4, .protocol = MRD_PROTOCOL_TCP};
}

static struct row *put(struct stage *stage, const struct mrd_flow_tuple *from,
		       const struct mrd_flow *flow)
{
	size_t i = 0;

	while (stage->rows[i].is_used)
		i++;
	assert_true(i < ROWS);
	stage->rows[i] = (struct row){.key = key_of(from), .flow = *flow, .is_used = true};
	return &stage->rows[i];
}

static struct row *put_forward(struct stage *stage, uint32_t port, enum mrd_flow_state flow_state,
			       uint64_t idle_ns)
{
	const struct mrd_flow_tuple from = tuple(CLIENT, port, VIP, 80);
	const struct mrd_flow flow = {
		.tuple = tuple(CLIENT, port, ENDPOINT, 9080),
		.way = MRD_FLOW_FORWARD,
		.state = flow_state,
		.last_ns = stage->now_ns - idle_ns,
		.ifindex = 5,
	};

	return put(stage, &from, &flow);
}

static struct row *put_reverse(struct stage *stage, uint32_t port)
{
	const struct mrd_flow_tuple from = tuple(ENDPOINT, 9080, CLIENT, port);
	const struct mrd_flow flow = {
		.tuple = tuple(VIP, 80, CLIENT, port), .way = MRD_FLOW_REVERSE, .ifindex = 5};

	return put(stage, &from, &flow);
}

static uint64_t pass(struct stage *stage)
{
	uint64_t due_ns;

	do {
		due_ns = mrd_flow_sweep_turn(stage->sweep, stage->now_ns);
	} while (due_ns <= stage->now_ns);
	return due_ns;
}

/* ----------------------------------------------------------------------------------------- tests
 */

static void what_cannot_go_stays_whole_and_is_asked_again(void **state)
{
	struct stage *stage = *state;
	const struct row *forward = put_forward(stage, 1, MRD_FLOW_CLOSED, 11 * second_ns);
	const struct row *reverse = put_reverse(stage, 1);

	stage->del_fails = -EBUSY;
	pass(stage);
	assert_true(forward->is_used);
	assert_true(reverse->is_used);
	assert_int_equal(mrd_flow_sweep_removed(stage->sweep), 0);
	stage->del_fails = 0;
	stage->now_ns += 5 * second_ns;
	pass(stage);
	assert_false(forward->is_used);
	assert_false(reverse->is_used);
	assert_int_equal(mrd_flow_sweep_removed(stage->sweep), 1);
}

static void removes_both_rows_of_what_is_over(void **state)
{
	struct stage *stage = *state;
	const struct row *over[2] = {
		put_forward(stage, 1, MRD_FLOW_CLOSED, 11 * second_ns),
		put_reverse(stage, 1),
	};
	const struct row *alive[2] = {
		put_forward(stage, 2, MRD_FLOW_ESTABLISHED, 11 * second_ns),
		put_reverse(stage, 2),
	};

	pass(stage);
	assert_false(over[0]->is_used);
	assert_false(over[1]->is_used);
	assert_true(alive[0]->is_used);
	assert_true(alive[1]->is_used);
	assert_int_equal(mrd_flow_sweep_removed(stage->sweep), 1);
}

static void a_turn_is_one_batch_and_passes_have_their_time(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(mrd_flow_sweep_turn(stage->sweep, stage->now_ns), stage->now_ns);
	assert_int_equal(stage->batches, 1);
	assert_int_equal(pass(stage), stage->now_ns + 5 * second_ns);
	assert_int_equal(stage->batches, ROWS / BATCH);
	stage->now_ns += second_ns;
	assert_int_equal(mrd_flow_sweep_turn(stage->sweep, stage->now_ns),
			 stage->now_ns + 4 * second_ns);
	assert_int_equal(stage->batches, ROWS / BATCH);
	stage->now_ns += 4 * second_ns;
	pass(stage);
	assert_int_equal(stage->batches, 2 * ROWS / BATCH);
}

static void connections_of_a_pod_that_is_gone_go_at_once(void **state)
{
	struct stage *stage = *state;
	const struct row *forward, *reverse;

	pass(stage);
	forward = put_forward(stage, 1, MRD_FLOW_ESTABLISHED, 0);
	reverse = put_reverse(stage, 1);
	stage->gone = 5;
	mrd_flow_sweep_hurry(stage->sweep);
	pass(stage);
	assert_false(forward->is_used);
	assert_false(reverse->is_used);
}

static void an_interface_that_goes_in_mid_pass_has_one_of_its_own(void **state)
{
	struct stage *stage = *state;
	const struct row *forward = put_forward(stage, 1, MRD_FLOW_ESTABLISHED, 0);

	mrd_flow_sweep_turn(stage->sweep, stage->now_ns);
	stage->gone = 5;
	mrd_flow_sweep_hurry(stage->sweep);
	pass(stage);
	assert_false(forward->is_used);
	assert_int_equal(stage->batches, 2 * ROWS / BATCH);
}

static void touch(struct stage *stage, struct row *row)
{
	row->flow.last_ns = stage->now_ns;
}

static void one_that_is_used_meanwhile_stays(void **state)
{
	struct stage *stage = *state;
	const struct row *forward = put_forward(stage, 1, MRD_FLOW_CLOSED, 11 * second_ns);
	const struct row *reverse = put_reverse(stage, 1);

	stage->packet = touch;
	pass(stage);
	assert_true(forward->is_used);
	assert_true(reverse->is_used);
}

static void a_reverse_row_alone_goes_at_the_second_sight(void **state)
{
	struct stage *stage = *state;
	const struct row *alone = put_reverse(stage, 1);
	const struct row *young = put_reverse(stage, 2);

	pass(stage);
	assert_true(alone->is_used);
	put_forward(stage, 2, MRD_FLOW_SYN_SENT, 0);
	stage->now_ns += 5 * second_ns;
	pass(stage);
	assert_false(alone->is_used);
	assert_true(young->is_used);
	assert_int_equal(mrd_flow_sweep_removed(stage->sweep), 0);
	/* What was seen alone once is forgotten a pass later. */
	alone = put_reverse(stage, 1);
	stage->now_ns += 5 * second_ns;
	pass(stage);
	assert_true(alone->is_used);
}

/* IFINDEX is the one that put_forward() and put_reverse() write. */
enum { IFINDEX = 5, OTHER_IFINDEX = 6 };

static void a_place_without_rows_is_settled_once(void **state)
{
	struct stage *stage = *state;

	stage->opened[IFINDEX] = 3;
	stage->opened[OTHER_IFINDEX] = 4;
	stage->opened[MRD_PLACE_ANY] = 5;
	put_reverse(stage, 1);
	put_forward(stage, 1, MRD_FLOW_ESTABLISHED, 0);
	pass(stage);
	assert_int_equal(stage->settled[IFINDEX], 0);
	assert_int_equal(stage->settled[OTHER_IFINDEX], 4);
	assert_int_equal(stage->settled[MRD_PLACE_ANY], 0);
	stage->now_ns += 5 * second_ns;
	pass(stage);
	assert_int_equal(stage->settlings, 1);
}

static void a_place_whose_last_row_goes_is_settled_a_pass_later(void **state)
{
	struct stage *stage = *state;

	stage->opened[IFINDEX] = 1;
	put_forward(stage, 1, MRD_FLOW_CLOSED, 11 * second_ns);
	put_reverse(stage, 1);
	pass(stage);
	assert_int_equal(mrd_flow_sweep_removed(stage->sweep), 1);
	assert_int_equal(stage->settled[IFINDEX], 0);
	stage->now_ns += 5 * second_ns;
	pass(stage);
	assert_int_equal(stage->settled[IFINDEX], 1);
}

/* Its rows may stand where the pass has been already. */
static void what_is_opened_during_a_pass_stays_open(void **state)
{
	struct stage *stage = *state;

	stage->opened[IFINDEX] = 1;
	mrd_flow_sweep_turn(stage->sweep, stage->now_ns);
	stage->opened[IFINDEX] = 2;
	pass(stage);
	assert_int_equal(stage->settled[IFINDEX], 1);
	stage->now_ns += 5 * second_ns;
	pass(stage);
	assert_int_equal(stage->settled[IFINDEX], 2);
}

static void nothing_is_settled_by_a_pass_that_did_not_see_all(void **state)
{
	struct stage *stage = *state;

	stage->opened[IFINDEX] = 1;
	stage->next_fails = -EIO;
	pass(stage);
	stage->next_fails = 0;
	stage->places_fail = -EIO;
	stage->now_ns += 5 * second_ns;
	pass(stage);
	assert_int_equal(stage->settlings, 0);
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_have_the_times_of_connection_tracking),
		STAGED(what_cannot_go_stays_whole_and_is_asked_again),
		STAGED(removes_both_rows_of_what_is_over),
		STAGED(a_turn_is_one_batch_and_passes_have_their_time),
		STAGED(connections_of_a_pod_that_is_gone_go_at_once),
		STAGED(an_interface_that_goes_in_mid_pass_has_one_of_its_own),
		STAGED(one_that_is_used_meanwhile_stays),
		STAGED(a_place_without_rows_is_settled_once),
		STAGED(a_place_whose_last_row_goes_is_settled_a_pass_later),
		STAGED(what_is_opened_during_a_pass_stays_open),
		STAGED(nothing_is_settled_by_a_pass_that_did_not_see_all),
		STAGED(a_reverse_row_alone_goes_at_the_second_sight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
