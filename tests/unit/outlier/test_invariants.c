/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What holds whatever happens: random rules, hosts and events, and after each verdict a mirror that
 * knows only the verdicts is asked whether it may be. The cap is computed anew from its words; when
 * an ejection ends, from a multiplier that the mirror keeps as Envoy does: sweep by sweep.
 */
#include "outlier/outlier.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "tests/unit/outlier/draw.h"

enum {
	HOSTS_MAX = 24,
	STREAMS = 4000,
	EVENTS = 250,
	LONG_STREAMS = 100,
	LONG_EVENTS = 20000,
	SEED_STEP = 0x9e3779b9, /* any odd number: seeds that have little in common */
};

struct stream {
	uint64_t seed;
	struct mrd_outlier *outlier;
	struct mrd_outlier_rule rule;
	struct mrd_outlier_host hosts[HOSTS_MAX];
	size_t count;
	uint64_t epoch_ms;
	uint64_t now_ms;
	bool is_sweeping;
	bool is_helped; /* an early un-ejection is under way */

	bool ejected[HOSTS_MAX];
	uint64_t until_ms[HOSTS_MAX];
	uint32_t ejections[HOSTS_MAX];
	uint64_t multiplier[HOSTS_MAX];
	uint64_t returned_ms[HOSTS_MAX]; /* UINT64_MAX: it was never out */
	uint64_t mirrored_ms;		 /* the last sweep that multiplier knows of */
	struct mrd_strbuf story;
};

/* What the streams together have seen: tests of things that never happen are none. */
struct tally {
	unsigned int ejects[MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN + 1];
	unsigned int returns;
	unsigned int capped[MRD_CAP_PERCENT + 1];
	unsigned int again;  /* ejections of a multiplier above 1 */
	unsigned int topped; /* of the longest time */
};

static struct tally tally;

/* ------------------------------------------------------------------------------- the cap */

static bool region_may(const struct stream *stream, size_t out)
{
	size_t elsewhere = 0;
	size_t ejected = 0;
	size_t all = 0;

	for (size_t i = 0; i < stream->count; i++) {
		const struct mrd_outlier_host *host = &stream->hosts[i];

		if (host->region != stream->hosts[out].region) {
			elsewhere += host->in_route && host->usable && !stream->ejected[i];
			continue;
		}
		all++;
		ejected += i != out && stream->ejected[i];
	}
	return elsewhere || 100 * (ejected + 1) <= 10 * all || (all >= 2 && !ejected);
}

static bool may_be_out(const struct stream *stream, size_t out)
{
	size_t ejected = 1;

	for (size_t i = 0; i < stream->count; i++)
		ejected += i != out && stream->ejected[i];
	switch (stream->rule.cap) {
	case MRD_CAP_REGIONAL:
		return region_may(stream, out);
	case MRD_CAP_ENVOY:
		return 100 * ejected <= 10 * stream->count;
	case MRD_CAP_ALWAYS_ONE:
		return ejected == 1 || 100 * ejected <= 10 * stream->count;
	case MRD_CAP_PERCENT:
		return 100 * ejected <= stream->rule.max_ejection_percent * stream->count;
	}
	return false;
}

/* ------------------------------------------------------------------------------- the time */

/* Sweeps before time_ms end: who is in, and back for an interval, forgets a step. */
static void mirror_before(struct stream *stream, uint64_t time_ms)
{
	const uint64_t interval_ms = stream->rule.interval_ms;

	while (stream->mirrored_ms + interval_ms < time_ms) {
		stream->mirrored_ms += interval_ms;
		for (size_t i = 0; i < stream->count; i++)
			if (!stream->ejected[i] && stream->multiplier[i] &&
			    stream->mirrored_ms - stream->returned_ms[i] >= interval_ms)
				stream->multiplier[i]--;
	}
}

static void check_end(struct stream *stream, size_t host, uint64_t until_ms)
{
	const struct mrd_outlier_rule *rule = &stream->rule;
	uint64_t *multiplier = &stream->multiplier[host];
	uint64_t least_ms;

	if (*multiplier * rule->base_ejection_ms < rule->max_ejection_ms + rule->base_ejection_ms)
		++*multiplier;
	least_ms = *multiplier * rule->base_ejection_ms;
	tally.again += *multiplier > 1;
	tally.topped += least_ms > rule->max_ejection_ms;
	if (least_ms > rule->max_ejection_ms)
		least_ms = rule->max_ejection_ms;
	assert_in_range(until_ms, stream->now_ms + least_ms,
			stream->now_ms + least_ms + rule->max_jitter_ms);
	stream->until_ms[host] = until_ms;
}

/* ------------------------------------------------------------------------------- verdicts */

static void check_return(struct stream *stream, size_t host)
{
	assert_true(stream->ejected[host]);
	stream->ejected[host] = false;
	stream->returned_ms[host] = stream->now_ms;
	tally.returns++;
	if (stream->is_helped)
		return;
	assert_true(stream->is_sweeping);
	assert_true(stream->now_ms >= stream->until_ms[host]);
	assert_int_equal((stream->now_ms - stream->epoch_ms) % stream->rule.interval_ms, 0);
}

static void check_detection(struct stream *stream, size_t host,
			    const struct mrd_outlier_verdict *verdict)
{
	const bool may = may_be_out(stream, host);

	assert_int_equal(verdict->capped, !may);
	assert_false(verdict->capped && stream->ejected[host]);
	tally.capped[stream->rule.cap] += verdict->capped;
	if (!verdict->enforced)
		return;
	assert_true(may);
	assert_false(stream->ejected[host]);
	stream->ejected[host] = true;
	stream->ejections[host]++;
	tally.ejects[verdict->type]++;
	/* Rates are judged at sweeps, runs at events. */
	assert_int_equal(verdict->type >= MRD_SUCCESS_RATE, stream->is_sweeping);
}

static void on_verdict(void *self, const struct mrd_outlier_verdict *verdict)
{
	struct stream *stream = self;
	const size_t host = verdict->host - 1;
	struct mrd_outlier_state state;

	assert_true(host < stream->count);
	mirror_before(stream, stream->now_ms);
	if (verdict->ejected)
		check_detection(stream, host, verdict);
	else
		check_return(stream, host);
	assert_int_equal(verdict->ejections, stream->ejections[host]);
	assert_int_equal(mrd_outlier_get(stream->outlier, verdict->host, &state), 0);
	assert_int_equal(state.ejected, stream->ejected[host]);
	if (verdict->enforced)
		check_end(stream, host, state.ejected_until_ms);
	mrd_strbuf_addf(&stream->story, "%" PRIu64 " %u %d%d%d%d %" PRIu64 "\n", stream->now_ms,
			verdict->host, (int)verdict->type, verdict->ejected, verdict->enforced,
			verdict->capped, state.ejected_until_ms);
}

static void check_all(const struct stream *stream)
{
	size_t ejected = 0;

	for (size_t i = 0; i < stream->count; i++) {
		struct mrd_outlier_state state;

		assert_int_equal(mrd_outlier_get(stream->outlier, stream->hosts[i].id, &state), 0);
		assert_int_equal(state.ejected, stream->ejected[i]);
		assert_int_equal(state.ejections, stream->ejections[i]);
		ejected += stream->ejected[i];
	}
	assert_int_equal(mrd_outlier_ejected_count(stream->outlier), ejected);
}

/* ------------------------------------------------------------------------------- streams */

static void draw_rule(struct stream *stream)
{
	uint64_t *seed = &stream->seed;
	struct mrd_outlier_rule *rule = &stream->rule;

	*rule = mrd_outlier_defaults;
	rule->consecutive_5xx = (uint32_t)draw(seed, 6);
	rule->consecutive_gateway = (uint32_t)draw(seed, 4);
	rule->split_local_origin = draw(seed, 2);
	rule->consecutive_local_origin = (uint32_t)draw(seed, 5);
	rule->interval_ms = 1 + draw(seed, 2000);
	rule->base_ejection_ms = 1 + draw(seed, 5000);
	rule->max_ejection_ms = rule->base_ejection_ms + draw(seed, 20000);
	rule->max_jitter_ms = draw(seed, 2) ? draw(seed, 3000) : 0;
	rule->probation_ms = draw(seed, 3) ? 0 : draw(seed, 10000);
	rule->cap = (enum mrd_ejection_cap)draw(seed, MRD_CAP_PERCENT + 1);
	rule->max_ejection_percent = 1 + (uint32_t)draw(seed, 100);
	rule->success_rate = (struct mrd_success_rate_rule){
		.on = draw(seed, 2),
		.enforced = draw(seed, 4),
		.minimum_hosts = (uint32_t)draw(seed, 4),
		.request_volume = (uint32_t)draw(seed, 4),
		.stdev_factor = (uint32_t)draw(seed, 2000),
	};
	rule->failure_percentage = (struct mrd_failure_percentage_rule){
		.on = draw(seed, 2),
		.enforced = draw(seed, 2),
		.threshold = (uint32_t)draw(seed, 101),
		.minimum_hosts = (uint32_t)draw(seed, 4),
		.request_volume = (uint32_t)draw(seed, 4),
	};
	rule->has_error_codes = !draw(seed, 4);
	rule->error_codes[(429 - MRD_ERROR_CODE_MIN) / 8] |= 1 << (429 - MRD_ERROR_CODE_MIN) % 8;
}

static uint64_t draw_number(void *self)
{
	return draw(&((struct stream *)self)->seed, UINT64_MAX);
}

static void begin(struct stream *stream)
{
	const uint64_t regions = 1 + draw(&stream->seed, 3);

	draw_rule(stream);
	stream->count = 1 + draw(&stream->seed, HOSTS_MAX);
	for (size_t i = 0; i < stream->count; i++)
		stream->hosts[i] = (struct mrd_outlier_host){
			.id = (uint32_t)i + 1,
			.region = (uint32_t)draw(&stream->seed, regions),
			.in_route = draw(&stream->seed, 8),
			.usable = draw(&stream->seed, 8),
		};
	for (size_t i = 0; i < stream->count; i++)
		stream->returned_ms[i] = UINT64_MAX;
	stream->epoch_ms = draw(&stream->seed, 100000);
	stream->now_ms = stream->epoch_ms;
	stream->mirrored_ms = stream->epoch_ms;
	assert_int_equal(mrd_outlier_new(&stream->rule, draw(&stream->seed, 2), stream->now_ms,
					 &stream->outlier),
			 0);
	assert_int_equal(mrd_outlier_set_hosts(stream->outlier, stream->hosts, stream->count), 0);
	mrd_outlier_set_random(stream->outlier, draw_number, stream);
}

static void sweep_to(struct stream *stream, uint64_t time_ms)
{
	uint64_t due_ms = mrd_outlier_next_sweep(stream->outlier);

	stream->is_sweeping = true;
	for (; due_ms < time_ms; due_ms = mrd_outlier_next_sweep(stream->outlier)) {
		assert_true(due_ms >= stream->now_ms);
		stream->now_ms = due_ms;
		mrd_outlier_sweep(stream->outlier, due_ms, on_verdict, stream);
		/* Time goes on: the same sweep is never asked for twice. */
		assert_true(mrd_outlier_next_sweep(stream->outlier) > due_ms);
	}
	stream->is_sweeping = false;
	stream->now_ms = time_ms;
}

static void step(struct stream *stream)
{
	static const uint32_t codes[] = {200, 200, 429, 500, 503, 503};
	const uint64_t gap = draw(&stream->seed, 16);
	const uint32_t host = 1 + (uint32_t)draw(&stream->seed, stream->count);
	const enum mrd_outlier_signal signal =
		draw(&stream->seed, 2) ? MRD_SIGNAL_RESPONSE
				       : (enum mrd_outlier_signal)draw(&stream->seed, 5);
	const uint32_t code = codes[draw(&stream->seed, 6)];

	if (gap < 4)
		sweep_to(stream, stream->now_ms + draw(&stream->seed, stream->rule.interval_ms));
	else if (gap == 4)
		sweep_to(stream,
			 stream->now_ms + draw(&stream->seed, 30 * stream->rule.interval_ms));
	if (!draw(&stream->seed, 40)) {
		stream->is_helped = true;
		mrd_outlier_uneject(stream->outlier, host, stream->now_ms, on_verdict, stream);
		stream->is_helped = false;
		assert_false(stream->ejected[host - 1]);
	}
	mrd_outlier_signal(stream->outlier, host, signal, signal == MRD_SIGNAL_RESPONSE ? code : 0,
			   stream->now_ms, on_verdict, stream);
	check_all(stream);
}

/* Returns what happened, for the caller to free. */
static char *play_stream(uint64_t seed, unsigned int events)
{
	struct stream stream = {.seed = seed * SEED_STEP};

	begin(&stream);
	for (unsigned int i = 0; i < events; i++)
		step(&stream);
	mrd_outlier_free(stream.outlier);
	return mrd_strbuf_steal(&stream.story);
}

static void test_short_streams(void **state)
{
	(void)state;
	tally = (struct tally){0};
	for (unsigned int i = 1; i <= STREAMS; i++) {
		char *first;
		char *second;

		print_message("stream %u\n", i);
		first = play_stream(i, EVENTS);
		second = play_stream(i, EVENTS);
		assert_non_null(first);
		assert_string_equal(first, second);
		free(first);
		free(second);
	}
	for (size_t i = 0; i < sizeof(tally.ejects) / sizeof(*tally.ejects); i++) {
		print_message("ejections of type %zu: %u\n", i, tally.ejects[i]);
		assert_true(tally.ejects[i] > STREAMS / 20);
	}
	for (size_t i = 0; i < sizeof(tally.capped) / sizeof(*tally.capped); i++) {
		print_message("stopped by cap %zu: %u\n", i, tally.capped[i]);
		assert_true(tally.capped[i] > STREAMS / 20);
	}
	print_message("again %u, longest %u\n", tally.again, tally.topped);
	assert_true(tally.returns > STREAMS);
	assert_true(tally.again > STREAMS);
	assert_true(tally.topped > STREAMS / 20);
}

/* Each host goes out and comes back many times. */
static void test_long_streams(void **state)
{
	(void)state;
	tally = (struct tally){0};
	for (unsigned int i = 1; i <= LONG_STREAMS; i++) {
		print_message("long stream %u\n", i);
		free(play_stream(STREAMS + i, LONG_EVENTS));
	}
	print_message("returns %u, again %u, longest %u\n", tally.returns, tally.again,
		      tally.topped);
	assert_true(tally.returns > LONG_STREAMS * HOSTS_MAX * 10);
	assert_true(tally.again > LONG_STREAMS * HOSTS_MAX);
	assert_true(tally.topped > LONG_STREAMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_streams),
		cmocka_unit_test(test_long_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
