/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Skipped sweeps come out as if they had run: random streams of events go to the detector, which is
 * swept only when it asks for it or late, and to a naive one that is swept at every interval. After
 * each event both know the same. The naive one is written from Envoy's description alone.
 */
#include "outlier/outlier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/outlier/draw.h"

enum { HOSTS_MAX = 12, STREAMS = 400, EVENTS = 150 };

struct naive_host {
	uint32_t run_5xx;
	uint32_t run_gateway;
	struct mrd_outlier_state is;
};

struct naive {
	struct mrd_outlier_rule rule;
	uint64_t swept_ms;
	struct naive_host hosts[HOSTS_MAX];
	uint32_t count;
};

static uint32_t ejected_of(const struct naive *naive)
{
	uint32_t ejected = 0;

	for (uint32_t i = 0; i < naive->count; i++)
		ejected += naive->hosts[i].is.ejected;
	return ejected;
}

static void naive_eject(struct naive *naive, struct naive_host *host, uint64_t now_ms)
{
	const double percent = 100.0 * (ejected_of(naive) + 1) / naive->count;
	const uint64_t base_ms = naive->rule.base_ejection_ms;
	const uint64_t max_ms = naive->rule.max_ejection_ms;
	uint64_t time_ms;

	if (percent > naive->rule.max_ejection_percent)
		return;
	if (host->is.multiplier * base_ms < max_ms + base_ms)
		host->is.multiplier++;
	time_ms = host->is.multiplier * base_ms;
	host->is.ejected = true;
	host->is.ejections++;
	host->is.ejected_at_ms = now_ms;
	host->is.ejected_until_ms = now_ms + (time_ms < max_ms ? time_ms : max_ms);
}

static void naive_response(struct naive *naive, uint32_t id, uint32_t code, uint64_t now_ms)
{
	struct naive_host *host = &naive->hosts[id - 1];

	if (code < 500) {
		host->run_5xx = 0;
		host->run_gateway = 0;
		return;
	}
	host->run_gateway = code == 503 ? host->run_gateway + 1 : 0;
	if (code == 503 && host->run_gateway == naive->rule.consecutive_gateway &&
	    !host->is.ejected) {
		host->run_gateway = 0;
		naive_eject(naive, host, now_ms);
	}
	if (++host->run_5xx == naive->rule.consecutive_5xx && !host->is.ejected) {
		host->run_5xx = 0;
		naive_eject(naive, host, now_ms);
	}
}

static void naive_sweep(struct naive *naive, uint64_t now_ms)
{
	for (uint32_t i = 0; i < naive->count; i++) {
		struct naive_host *host = &naive->hosts[i];

		if (!host->is.ejected) {
			host->is.multiplier -= host->is.multiplier > 0;
		} else if (host->is.ejected_until_ms <= now_ms) {
			host->is.ejected = false;
			host->is.ejected_until_ms = 0;
			host->run_5xx = 0;
			host->run_gateway = 0;
		}
	}
}

/* Every sweep up to, not at, a time. */
static void naive_run_to(struct naive *naive, uint64_t time_ms)
{
	while (naive->swept_ms + naive->rule.interval_ms < time_ms) {
		naive->swept_ms += naive->rule.interval_ms;
		naive_sweep(naive, naive->swept_ms);
	}
}

/* ------------------------------------------------------------------------------- streams */

struct stream {
	uint64_t seed;
	struct mrd_outlier *outlier;
	struct naive naive;
	uint64_t now_ms;
	bool is_late; /* the driver sweeps only before an event, not when it is due */
	unsigned int ejects;
	unsigned int returns;
};

static void count_verdict(void *self, const struct mrd_outlier_verdict *verdict)
{
	struct stream *stream = self;

	stream->ejects += verdict->ejected && verdict->enforced;
	stream->returns += !verdict->ejected;
}

static void sweep_to(struct stream *stream, uint64_t time_ms)
{
	uint64_t due_ms = mrd_outlier_next_sweep(stream->outlier);

	if (stream->is_late && due_ms < time_ms)
		due_ms = time_ms - 1;
	for (; due_ms < time_ms; due_ms = mrd_outlier_next_sweep(stream->outlier))
		mrd_outlier_sweep(stream->outlier, due_ms, count_verdict, stream);
}

static void compare(const struct stream *stream)
{
	const struct naive *naive = &stream->naive;

	assert_int_equal(mrd_outlier_ejected_count(stream->outlier), ejected_of(naive));
	for (uint32_t i = 0; i < naive->count; i++) {
		const struct mrd_outlier_state *want = &naive->hosts[i].is;
		struct mrd_outlier_state got = {0};

		assert_int_equal(mrd_outlier_get(stream->outlier, i + 1, &got), 0);
		assert_int_equal(got.ejected, want->ejected);
		assert_int_equal(got.ejected_at_ms, want->ejected_at_ms);
		assert_int_equal(got.ejected_until_ms, want->ejected_until_ms);
		assert_int_equal(got.ejections, want->ejections);
		assert_int_equal(got.multiplier, want->multiplier);
	}
	/* The cap holds at all times. */
	assert_true(100 * ejected_of(naive) <= naive->rule.max_ejection_percent * naive->count);
}

static void begin(struct stream *stream)
{
	struct mrd_outlier_host hosts[HOSTS_MAX] = {0};
	struct naive *naive = &stream->naive;

	naive->count = 1 + (uint32_t)draw(&stream->seed, HOSTS_MAX);
	naive->rule = mrd_outlier_defaults;
	naive->rule.consecutive_5xx = 1 + (uint32_t)draw(&stream->seed, 4);
	naive->rule.consecutive_gateway = 1 + (uint32_t)draw(&stream->seed, 4);
	naive->rule.interval_ms = 1 + draw(&stream->seed, 2000);
	naive->rule.base_ejection_ms = 1 + draw(&stream->seed, 5000);
	naive->rule.max_ejection_ms = naive->rule.base_ejection_ms + draw(&stream->seed, 20000);
	naive->rule.cap = MRD_CAP_PERCENT;
	naive->rule.max_ejection_percent = 1 + (uint32_t)draw(&stream->seed, 100);
	stream->now_ms = draw(&stream->seed, 100000);
	stream->is_late = draw(&stream->seed, 2);
	naive->swept_ms = stream->now_ms;

	for (uint32_t i = 0; i < naive->count; i++)
		hosts[i].id = i + 1;
	assert_int_equal(mrd_outlier_new(&naive->rule, true, stream->now_ms, &stream->outlier), 0);
	assert_int_equal(mrd_outlier_set_hosts(stream->outlier, hosts, naive->count), 0);
}

/* Bursts, gaps of some sweeps, and now and then a silence of many. */
static uint64_t draw_gap(struct stream *stream)
{
	const uint64_t interval_ms = stream->naive.rule.interval_ms;

	switch (draw(&stream->seed, 8)) {
	case 0:
		/* To the very time of a sweep. */
		return stream->naive.swept_ms + interval_ms - stream->now_ms;
	case 1:
		return draw(&stream->seed, 50 * interval_ms);
	case 2:
	case 3:
		return draw(&stream->seed, 3 * interval_ms);
	default:
		return draw(&stream->seed, 2);
	}
}

static void play_stream(uint64_t seed, unsigned int *ejects, unsigned int *returns)
{
	static const uint32_t codes[] = {200, 500, 503, 503};
	struct stream stream = {.seed = seed};

	begin(&stream);
	for (unsigned int i = 0; i < EVENTS; i++) {
		const uint32_t host = 1 + (uint32_t)draw(&stream.seed, stream.naive.count);
		const uint32_t code = codes[draw(&stream.seed, 4)];

		stream.now_ms += draw_gap(&stream);
		naive_run_to(&stream.naive, stream.now_ms);
		sweep_to(&stream, stream.now_ms);
		compare(&stream);
		naive_response(&stream.naive, host, code, stream.now_ms);
		mrd_outlier_signal(stream.outlier, host, MRD_SIGNAL_RESPONSE, code, stream.now_ms,
				   count_verdict, &stream);
		compare(&stream);
	}
	*ejects += stream.ejects;
	*returns += stream.returns;
	mrd_outlier_free(stream.outlier);
}

static void test_streams(void **state)
{
	unsigned int ejects = 0;
	unsigned int returns = 0;

	(void)state;
	for (uint64_t i = 1; i <= STREAMS; i++) {
		const uint64_t seed = i * 0x9e3779b97f4a7c15ULL;

		print_message("stream %u\n", (unsigned int)i);
		play_stream(seed, &ejects, &returns);
	}
	/* The streams are worth their time only if much happens in them. */
	assert_true(ejects > STREAMS * 5);
	assert_true(returns > STREAMS * 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
