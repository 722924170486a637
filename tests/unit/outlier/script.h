/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Scripts of events for the detector: "TIME:HOST:[COUNT*]WHAT", blanks between. WHAT is a status
 * code, or CF (connect failed), TO (timeout), RST, OK (connected), each with "/CODE" if it carries
 * one. Sweeps run when they are due, after events of the same time. What the detector says becomes
 * a line each.
 */
#ifndef MRD_TESTS_OUTLIER_SCRIPT_H
#define MRD_TESTS_OUTLIER_SCRIPT_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "outlier/outlier.h"

struct row {
	const char *id;
	const char *script;
	uint64_t until_ms; /* sweeps run up to here */
	const char *want;

	/* The rule, where it is not Envoy's with a cap of 100 %. */
	uint32_t threshold; /* 0: 5 */
	bool no_5xx;
	uint32_t gateway;
	bool gateway_off;
	bool split;
	uint64_t interval_ms; /* 0: 10,000 */
	uint64_t base_ms;     /* 0: 30,000 */
	uint64_t probation_ms;
	enum mrd_ejection_cap cap; /* with percent 0 */
	bool has_cap;
	uint32_t percent;
	const char *hosts; /* a letter each: its region; lower case: not ready; NULL: "A" */
	bool is_tcp;
	void (*tune)(struct mrd_outlier_rule *rule); /* the last word on it */
};

struct run {
	struct mrd_outlier *outlier;
	struct mrd_strbuf lines;
	uint64_t now_ms;
};

static const char *const type_names[] = {
	"5XX", "GATEWAY", "LOCAL", "RATE", "LOCAL_RATE", "FAILURES", "LOCAL_FAILURES",
};

static inline void write_line(void *self, const struct mrd_outlier_verdict *verdict)
{
	struct run *run = self;

	mrd_strbuf_addf(&run->lines, "%" PRIu64 " %u ", run->now_ms, verdict->host);
	if (verdict->capped)
		mrd_strbuf_addf(&run->lines, "CAPPED %s", type_names[verdict->type]);
	else if (verdict->ejected)
		mrd_strbuf_addf(&run->lines, "%s %s", verdict->enforced ? "EJECT" : "DETECT",
				type_names[verdict->type]);
	else
		mrd_strbuf_addf(&run->lines, "UNEJECT");
	mrd_strbuf_addf(&run->lines, " #%u", verdict->ejections);
	if (verdict->last_action_known)
		mrd_strbuf_addf(&run->lines, " +%" PRIu64, verdict->since_last_action_ms);
	if (verdict->type >= MRD_SUCCESS_RATE)
		mrd_strbuf_addf(&run->lines, " %u", verdict->rates.host);
	if (verdict->type == MRD_SUCCESS_RATE || verdict->type == MRD_SUCCESS_RATE_LOCAL_ORIGIN)
		mrd_strbuf_addf(&run->lines, "/%u/%u", verdict->rates.average,
				verdict->rates.threshold);
	mrd_strbuf_addf(&run->lines, "; ");
}

static inline struct mrd_outlier_rule rule_of(const struct row *row)
{
	struct mrd_outlier_rule rule = mrd_outlier_defaults;

	rule.consecutive_5xx = row->no_5xx ? 0 : row->threshold ? row->threshold : 5;
	rule.consecutive_gateway = row->gateway;
	rule.gateway_off = row->gateway_off;
	rule.split_local_origin = row->split;
	if (row->interval_ms)
		rule.interval_ms = row->interval_ms;
	if (row->base_ms)
		rule.base_ejection_ms = row->base_ms;
	rule.probation_ms = row->probation_ms;
	rule.cap = row->has_cap ? row->cap : MRD_CAP_PERCENT;
	rule.max_ejection_percent = row->percent ? row->percent : 100;
	if (row->tune)
		row->tune(&rule);
	return rule;
}

static inline void set_hosts(struct mrd_outlier *outlier, const char *letters)
{
	struct mrd_outlier_host hosts[32];
	size_t count = 0;

	for (; letters[count]; count++)
		hosts[count] = (struct mrd_outlier_host){
			.id = (uint32_t)count + 1,
			.region = (uint32_t)(letters[count] | 0x20),
			.in_route = true,
			.usable = letters[count] < 'a',
		};
	assert_int_equal(mrd_outlier_set_hosts(outlier, hosts, count), 0);
}

static inline void sweep_while(struct run *run, uint64_t limit_ms)
{
	while (mrd_outlier_next_sweep(run->outlier) <= limit_ms) {
		run->now_ms = mrd_outlier_next_sweep(run->outlier);
		mrd_outlier_sweep(run->outlier, run->now_ms, write_line, run);
	}
}

static inline void play_event(struct run *run, const char *event)
{
	static const struct {
		const char *word;
		enum mrd_outlier_signal signal;
	} words[] = {
		{.word = "CF", .signal = MRD_SIGNAL_CONNECT_FAILED},
		{.word = "TO", .signal = MRD_SIGNAL_TIMEOUT},
		{.word = "RST", .signal = MRD_SIGNAL_RESET},
		{.word = "OK", .signal = MRD_SIGNAL_CONNECTED},
		{.word = "ANSWERED", .signal = MRD_SIGNAL_ANSWERED},
	};
	enum mrd_outlier_signal signal = MRD_SIGNAL_RESPONSE;
	char *rest;
	const uint64_t time_ms = strtoull(event, &rest, 10);
	const uint32_t host = (uint32_t)strtoul(rest + 1, &rest, 10);
	unsigned long count = 1;
	unsigned long code = 0;

	rest++;
	if (strchr(rest, '*')) {
		count = strtoul(rest, &rest, 10);
		rest++;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strncmp(rest, words[i].word, strlen(words[i].word))) {
			signal = words[i].signal;
			rest += strlen(words[i].word);
			rest += *rest == '/';
			break;
		}
	if (*rest)
		code = strtoul(rest, &rest, 10);
	assert_int_equal(*rest, '\0');

	if (time_ms)
		sweep_while(run, time_ms - 1);
	run->now_ms = time_ms;
	while (count--)
		mrd_outlier_signal(run->outlier, host, signal, (uint32_t)code, time_ms, write_line,
				   run);
}

static inline void play(struct run *run, const char *script, uint64_t until_ms)
{
	char *copy = strdup(script);
	char *save = NULL;

	assert_non_null(copy);
	for (char *event = strtok_r(copy, " ", &save); event; event = strtok_r(NULL, " ", &save))
		play_event(run, event);
	sweep_while(run, until_ms);
	free(copy);
}

static inline void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct mrd_outlier_rule rule = rule_of(&rows[i]);
		struct run run = {0};

		print_message("%s\n", rows[i].id);
		assert_int_equal(mrd_outlier_new(&rule, !rows[i].is_tcp, 0, &run.outlier), 0);
		set_hosts(run.outlier, rows[i].hosts ? rows[i].hosts : "A");
		play(&run, rows[i].script, rows[i].until_ms);
		assert_string_equal(run.lines.text ? run.lines.text : "", rows[i].want);
		mrd_strbuf_free(&run.lines);
		mrd_outlier_free(run.outlier);
	}
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(*(rows)))

static inline void ignore(void *self, const struct mrd_outlier_verdict *verdict)
{
	(void)self, (void)verdict;
}

static inline struct mrd_outlier_state state_of(const struct mrd_outlier *outlier, uint32_t host)
{
	struct mrd_outlier_state state = {0};

	assert_int_equal(mrd_outlier_get(outlier, host, &state), 0);
	return state;
}

static inline struct mrd_outlier *outlier_of(const struct row *row)
{
	const struct mrd_outlier_rule rule = rule_of(row);
	struct mrd_outlier *outlier = NULL;

	assert_int_equal(mrd_outlier_new(&rule, true, 0, &outlier), 0);
	set_hosts(outlier, row->hosts ? row->hosts : "A");
	return outlier;
}

#endif
