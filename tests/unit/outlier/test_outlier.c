/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The detector against Envoy's published cases, by their ids in the vectors. A row is a script of
 * events ("TIME:HOST:[COUNT*]WHAT", blanks between) and the lines that must come out of it. WHAT is
 * a status code, or CF (connect failed), TO (timeout), RST, OK (connected), each with "/CODE" if it
 * carries one. Sweeps run when they are due, after events of the same time.
 */
#include "outlier/outlier.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"

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
};

struct run {
	struct mrd_outlier *outlier;
	struct mrd_strbuf lines;
	uint64_t now_ms;
};

static const char *const type_names[] = {"5XX", "GATEWAY", "LOCAL"};

static void write_line(void *self, const struct mrd_outlier_verdict *verdict)
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
	mrd_strbuf_addf(&run->lines, "; ");
}

static struct mrd_outlier_rule rule_of(const struct row *row)
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
	return rule;
}

static void set_hosts(struct mrd_outlier *outlier, const char *letters)
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

static void sweep_while(struct run *run, uint64_t limit_ms)
{
	while (mrd_outlier_next_sweep(run->outlier) <= limit_ms) {
		run->now_ms = mrd_outlier_next_sweep(run->outlier);
		mrd_outlier_sweep(run->outlier, run->now_ms, write_line, run);
	}
}

static void play_event(struct run *run, const char *event)
{
	static const struct {
		const char *word;
		enum mrd_outlier_signal signal;
	} words[] = {
		{.word = "CF", .signal = MRD_SIGNAL_CONNECT_FAILED},
		{.word = "TO", .signal = MRD_SIGNAL_TIMEOUT},
		{.word = "RST", .signal = MRD_SIGNAL_RESET},
		{.word = "OK", .signal = MRD_SIGNAL_CONNECTED},
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

static void play(struct run *run, const char *script, uint64_t until_ms)
{
	char *copy = strdup(script);
	char *save = NULL;

	assert_non_null(copy);
	for (char *event = strtok_r(copy, " ", &save); event; event = strtok_r(NULL, " ", &save))
		play_event(run, event);
	sweep_while(run, until_ms);
	free(copy);
}

static void check_rows(const struct row *rows, size_t count)
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

/* ------------------------------------------------------------------------------- detection */

static void test_consecutive(void **state)
{
	static const struct row rows[] = {
		{
			.id = "five answers of 500",
			.script = "0:1:4*500 7:1:500",
			.want = "7 1 EJECT 5XX #1; ",
		},
		{
			.id = "a success ends a run",
			.script = "0:1:4*500 0:1:200 0:1:4*500",
			.want = "",
		},
		{
			.id = "499 and 600 are no 5xx, 500 and 599 are",
			.script = "0:1:4*500 0:1:499 0:1:4*599 0:1:600 0:1:4*500",
			.want = "",
		},
		{
			.id = "O3",
			.script = "0:1:5*500",
			.until_ms = 29999,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "O4 on the grid: 30,001 ms is swept at 40,000",
			.script = "1:1:5*500",
			.until_ms = 40000,
			.want = "1 1 EJECT 5XX #1; 40000 1 UNEJECT #1 +39999; ",
		},
		{
			.id = "O4",
			.script = "0:1:5*500",
			.until_ms = 30000,
			.want = "0 1 EJECT 5XX #1; 30000 1 UNEJECT #1 +30000; ",
		},
		{
			.id = "O5",
			.script = "0:1:5*500 30001:1:4*500 40000:1:500",
			.until_ms = 100000,
			.want = "0 1 EJECT 5XX #1; 30000 1 UNEJECT #1 +30000; "
				"40000 1 EJECT 5XX #2 +10000; 100000 1 UNEJECT #2 +60000; ",
		},
		{
			.id = "O8",
			.script = "0:1:503 0:1:200 0:1:4*503",
			.gateway = 5,
			.no_5xx = true,
			.want = "",
		},
		{
			.id = "O9",
			.script = "0:1:503 0:1:200 0:1:5*503",
			.gateway = 5,
			.no_5xx = true,
			.want = "0 1 EJECT GATEWAY #1; ",
		},
		{
			.id = "another 5xx resets the gateway run",
			.script = "0:1:4*503 0:1:500 0:1:4*502 1:1:504",
			.gateway = 5,
			.no_5xx = true,
			.want = "1 1 EJECT GATEWAY #1; ",
		},
		{
			.id = "501 and 505 are no gateway errors",
			.script = "0:1:4*502 0:1:501 0:1:4*502 0:1:505",
			.gateway = 5,
			.no_5xx = true,
			.want = "",
		},
		{
			.id = "O25: an unset gateway threshold detects, unenforced, time and again",
			.script = "0:1:5*503 1:1:5*502",
			.no_5xx = true,
			.want = "0 1 DETECT GATEWAY #0; 1 1 DETECT GATEWAY #0; ",
		},
		{
			.id = "A6: gateway 0 does not even detect",
			.script = "0:1:9*503",
			.no_5xx = true,
			.gateway_off = true,
			.want = "",
		},
		{
			.id = "A7: 5xx 0 is off",
			.script = "0:1:9*500",
			.no_5xx = true,
			.want = "",
		},
		{
			.id = "O30: gateway at or above 5xx has no effect",
			.script = "0:1:9*503",
			.gateway = 7,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "A3: gateway below 5xx goes first",
			.script = "0:1:9*503",
			.threshold = 4,
			.gateway = 3,
			.want = "0 1 EJECT GATEWAY #1; ",
		},
		{
			.id = "unknown hosts are ignored",
			.script = "0:7:9*500",
			.want = "",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_events(void **state)
{
	static const struct row rows[] = {
		{
			.id = "O12",
			.script = "0:1:CF 0:1:200 0:1:4*CF",
			.want = "",
		},
		{
			.id = "O13",
			.script = "0:1:CF 0:1:200 0:1:5*CF",
			.want = "0 1 DETECT GATEWAY #0; 0 1 EJECT 5XX #1; ",
		},
		{
			.id = "O15",
			.script = "0:1:4*CF 0:1:OK/200 0:1:4*CF 0:1:OK/200 0:1:4*CF",
			.want = "",
		},
		{
			.id = "a handshake says nothing about an HTTP port",
			.script = "0:1:4*CF 0:1:OK 0:1:CF",
			.want = "0 1 DETECT GATEWAY #0; 0 1 EJECT 5XX #1; ",
		},
		{
			.id = "a handshake is a success of a TCP port",
			.script = "0:1:4*CF 0:1:OK 0:1:4*CF",
			.is_tcp = true,
			.want = "",
		},
		{
			.id = "O17",
			.script = "0:1:5*500",
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "O18",
			.script = "0:1:5*TO/500",
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "O20",
			.script = "0:1:5*TO",
			.want = "0 1 DETECT GATEWAY #0; 0 1 EJECT 5XX #1; ",
		},
		{
			.id = "a reset is a 503",
			.script = "0:1:5*RST",
			.gateway = 2,
			.want = "0 1 EJECT GATEWAY #1; ",
		},
		{
			.id = "O21",
			.script = "0:1:5*CF",
			.split = true,
			.want = "0 1 EJECT LOCAL #1; ",
		},
		{
			.id = "split: codes and events have runs of their own",
			.script = "0:1:4*500 0:1:4*CF 0:1:OK 0:1:4*TO 1:1:500",
			.split = true,
			.want = "1 1 EJECT 5XX #1; ",
		},
		{
			.id = "split: a response is no success of the connection",
			.script = "0:1:4*CF 0:1:200 1:1:RST",
			.split = true,
			.want = "1 1 EJECT LOCAL #1; ",
		},
		{
			.id = "O23",
			.script = "0:1:5*CF 1:1:9*CF 30001:1:4*CF",
			.split = true,
			.want = "0 1 EJECT LOCAL #1; 30000 1 UNEJECT #1 +30000; ",
		},
		{
			.id = "errors while ejected do not count, of either kind",
			.script = "0:1:5*500 1:1:9*503 30001:1:4*503",
			.want = "0 1 EJECT 5XX #1; 30000 1 UNEJECT #1 +30000; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_probation(void **state)
{
	static const struct row rows[] = {
		{
			.id = "one error is enough after a return",
			.script = "0:1:5*500 60000:1:500",
			.probation_ms = 30000,
			.want = "0 1 EJECT 5XX #1; 30000 1 UNEJECT #1 +30000; "
				"60000 1 EJECT 5XX #2 +30000; ",
		},
		{
			.id = "a success does not end it",
			.script = "0:1:5*500 30001:1:200 30002:1:500",
			.probation_ms = 30000,
			.want = "0 1 EJECT 5XX #1; 30000 1 UNEJECT #1 +30000; "
				"30002 1 EJECT 5XX #2 +2; ",
		},
		{
			.id = "it ends",
			.script = "0:1:5*500 60001:1:4*500",
			.probation_ms = 30000,
			.want = "0 1 EJECT 5XX #1; 30000 1 UNEJECT #1 +30000; ",
		},
		{
			.id = "it does not make the unenforced detector hasty",
			.script = "0:1:5*500 30001:1:503",
			.probation_ms = 30000,
			.want = "0 1 EJECT 5XX #1; 30000 1 UNEJECT #1 +30000; "
				"30001 1 EJECT 5XX #2 +1; ",
		},
		{
			.id = "none before the first ejection",
			.script = "0:1:4*500",
			.probation_ms = 30000,
			.want = "",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* ------------------------------------------------------------------------------- the cap */

static void test_cap_percent(void **state)
{
	static const struct row rows[] = {
		{
			.id = "C1",
			.script = "0:1:5*500 1:2:5*500 2:3:5*500",
			.hosts = "AAA",
			.percent = 50,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; 2 3 CAPPED 5XX #0; ",
		},
		{
			.id = "C2",
			.script = "0:1:5*500",
			.percent = 90,
			.want = "0 1 CAPPED 5XX #0; ",
		},
		{
			.id = "C4",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "AA",
			.percent = 50,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
		},
		{
			.id = "C5 since 1.28",
			.script = "0:1:5*500",
			.hosts = "AAA",
			.percent = 1,
			.want = "0 1 CAPPED 5XX #0; ",
		},
		{
			.id = "a capped detection starts its run again",
			.script = "0:1:9*500 1:1:500",
			.percent = 1,
			.want = "0 1 CAPPED 5XX #0; 1 1 CAPPED 5XX #0; ",
		},
		{
			.id = "regions do not matter to Envoy",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "ABCD",
			.percent = 25,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
		},
		{
			.id = "an unenforced detection under the cap is no line of Envoy's either",
			.script = "0:1:5*503",
			.no_5xx = true,
			.percent = 50,
			.want = "0 1 CAPPED GATEWAY #0; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_cap_envoy(void **state)
{
	static const struct row rows[] = {
		{
			.id = "C7: 1 host",
			.script = "0:1:5*500",
			.has_cap = true,
			.cap = MRD_CAP_ENVOY,
			.want = "0 1 CAPPED 5XX #0; ",
		},
		{
			.id = "C7: 2 hosts",
			.script = "0:1:5*500",
			.hosts = "AA",
			.has_cap = true,
			.cap = MRD_CAP_ENVOY,
			.want = "0 1 CAPPED 5XX #0; ",
		},
		{
			.id = "C7: 9 hosts",
			.script = "0:1:5*500",
			.hosts = "AAAAABBBB",
			.has_cap = true,
			.cap = MRD_CAP_ENVOY,
			.want = "0 1 CAPPED 5XX #0; ",
		},
		{
			.id = "10 hosts: one",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "AAAAABBBBB",
			.has_cap = true,
			.cap = MRD_CAP_ENVOY,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
		},
		{
			.id = "C10",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "AA",
			.has_cap = true,
			.cap = MRD_CAP_ALWAYS_ONE,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
		},
		{
			.id = "C10: 1 host",
			.script = "0:1:5*500",
			.has_cap = true,
			.cap = MRD_CAP_ALWAYS_ONE,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "always-one: 10 % of 20 hosts is two",
			.script = "0:1:5*500 1:2:5*500 2:3:5*500",
			.hosts = "AAAAAAAAAAAAAAAAAAAA",
			.has_cap = true,
			.cap = MRD_CAP_ALWAYS_ONE,
			.want = "0 1 EJECT 5XX #1; 1 2 EJECT 5XX #1; 2 3 CAPPED 5XX #0; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* A row without has_cap would have 100 %; REGIONAL is the default of a rule without a percentage.
 */
#define REGIONAL .has_cap = true, .cap = MRD_CAP_REGIONAL

static void test_cap_regional(void **state)
{
	static const struct row rows[] = {
		{
			.id = "1 host in 1 region stays",
			.script = "0:1:5*500",
			REGIONAL,
			.want = "0 1 CAPPED 5XX #0; ",
		},
		{
			.id = "2 hosts in 1 region: one may go, not both",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "AA",
			REGIONAL,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
		},
		{
			.id = "3 hosts in 1 region: one",
			.script = "0:1:5*500 1:2:5*500 2:3:5*500",
			.hosts = "AAA",
			REGIONAL,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; 2 3 CAPPED 5XX #0; ",
		},
		{
			.id = "10 hosts in 1 region: one, which is the 10 %",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "AAAAAAAAAA",
			REGIONAL,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
		},
		{
			.id = "20 hosts in 1 region: two",
			.script = "0:1:5*500 1:2:5*500 2:3:5*500",
			.hosts = "AAAAAAAAAAAAAAAAAAAA",
			REGIONAL,
			.want = "0 1 EJECT 5XX #1; 1 2 EJECT 5XX #1; 2 3 CAPPED 5XX #0; ",
		},
		{
			.id = "1 + 1: the first region may be emptied, the last may not",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "AB",
			REGIONAL,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
		},
		{
			.id = "3 + 2: all of one, then one of the other",
			.script = "0:1:5*500 1:2:5*500 2:3:5*500 3:4:5*500 4:5:5*500",
			.hosts = "AAABB",
			REGIONAL,
			.want = "0 1 EJECT 5XX #1; 1 2 EJECT 5XX #1; 2 3 EJECT 5XX #1; "
				"3 4 EJECT 5XX #1; 4 5 CAPPED 5XX #0; ",
		},
		{
			.id = "10 + 1",
			.script = "0:1:5*500 0:2:5*500 1:11:5*500 2:3:5*500",
			.hosts = "AAAAAAAAAAB",
			REGIONAL,
			.want = "0 1 EJECT 5XX #1; 0 2 EJECT 5XX #1; 1 11 EJECT 5XX #1; "
				"2 3 CAPPED 5XX #0; ",
		},
		{
			.id = "a region of unready hosts takes nothing",
			.script = "0:1:5*500",
			.hosts = "Abb",
			REGIONAL,
			.want = "0 1 CAPPED 5XX #0; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_cap_outside_route(void **state)
{
	const struct mrd_outlier_host hosts[] = {
		{.id = 1, .region = 1, .in_route = true, .usable = true},
		{.id = 2, .region = 2, .in_route = false, .usable = true},
	};
	struct run run = {0};

	(void)state;
	assert_int_equal(mrd_outlier_new(&mrd_outlier_defaults, true, 0, &run.outlier), 0);
	assert_int_equal(mrd_outlier_set_hosts(run.outlier, hosts, 2), 0);
	play(&run, "0:1:5*500", 0);
	assert_string_equal(run.lines.text, "0 1 CAPPED 5XX #0; ");
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(run.outlier);
}

/* ------------------------------------------------------------------------------- times */

static void ignore(void *self, const struct mrd_outlier_verdict *verdict)
{
	(void)self, (void)verdict;
}

static struct mrd_outlier_state state_of(const struct mrd_outlier *outlier, uint32_t host)
{
	struct mrd_outlier_state state = {0};

	assert_int_equal(mrd_outlier_get(outlier, host, &state), 0);
	return state;
}

static struct mrd_outlier *outlier_of(const struct row *row)
{
	const struct mrd_outlier_rule rule = rule_of(row);
	struct mrd_outlier *outlier = NULL;

	assert_int_equal(mrd_outlier_new(&rule, true, 0, &outlier), 0);
	set_hosts(outlier, row->hosts ? row->hosts : "A");
	return outlier;
}

/* T1, T4, T7, T8, T11: an error straight after each return. */
static void test_backoff(void **state)
{
	static const struct {
		const char *id;
		uint64_t base_ms;
		uint64_t max_ms;
		uint64_t interval_ms;
		unsigned int rounds;
	} cases[] = {
		{.id = "T1", .base_ms = 10000, .max_ms = 300000, .interval_ms = 10000, .rounds = 3},
		{.id = "T4, T8",
		 .base_ms = 10000,
		 .max_ms = 300000,
		 .interval_ms = 10000,
		 .rounds = 40},
		{.id = "T7",
		 .base_ms = 400000,
		 .max_ms = 400000,
		 .interval_ms = 10000,
		 .rounds = 4},
		{.id = "T11",
		 .base_ms = 30000,
		 .max_ms = 300000,
		 .interval_ms = 10000,
		 .rounds = 15},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct row row = {.threshold = 1,
					.interval_ms = cases[i].interval_ms,
					.base_ms = cases[i].base_ms};
		struct mrd_outlier_rule rule = rule_of(&row);
		struct mrd_outlier *outlier = NULL;
		uint64_t now_ms = 0;

		print_message("%s\n", cases[i].id);
		rule.max_ejection_ms = cases[i].max_ms;
		assert_int_equal(mrd_outlier_new(&rule, true, 0, &outlier), 0);
		set_hosts(outlier, "A");
		for (unsigned int n = 1; n <= cases[i].rounds; n++) {
			const uint64_t times = n * cases[i].base_ms;
			const uint64_t want_ms = times < cases[i].max_ms ? times : cases[i].max_ms;

			mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, now_ms, ignore,
					   NULL);
			assert_int_equal(state_of(outlier, 1).ejected_until_ms, now_ms + want_ms);
			assert_int_equal(mrd_outlier_next_sweep(outlier), now_ms + want_ms);
			now_ms += want_ms;
			mrd_outlier_sweep(outlier, now_ms - 1, ignore, NULL);
			assert_true(state_of(outlier, 1).ejected);
			mrd_outlier_sweep(outlier, now_ms, ignore, NULL);
			assert_false(state_of(outlier, 1).ejected);
		}
		mrd_outlier_free(outlier);
	}
}

static void test_decay(void **state)
{
	const struct row row = {.threshold = 1, .interval_ms = 1000, .base_ms = 1000};
	struct mrd_outlier *outlier = outlier_of(&row);
	struct run run = {.outlier = outlier};

	(void)state;
	/* Ejected at 0, 1 and 3 seconds, each time right after the return: the multiplier is 3. */
	play(&run, "0:1:500 1001:1:500 4001:1:500", 4001);
	assert_int_equal(state_of(outlier, 1).multiplier, 3);
	sweep_while(&run, 8000);
	assert_false(state_of(outlier, 1).ejected);
	assert_int_equal(state_of(outlier, 1).multiplier, 3);
	sweep_while(&run, 8999);
	assert_int_equal(state_of(outlier, 1).multiplier, 3);
	sweep_while(&run, 9000);
	assert_int_equal(state_of(outlier, 1).multiplier, 2);
	/* An event that nobody swept for meets the multiplier as if somebody had. */
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 10500, ignore, NULL);
	assert_int_equal(state_of(outlier, 1).multiplier, 2);
	assert_int_equal(state_of(outlier, 1).ejected_until_ms, 12500);
	assert_int_equal(state_of(outlier, 1).ejections, 4);
	sweep_while(&run, 20000);
	assert_int_equal(state_of(outlier, 1).multiplier, 0);
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(outlier);
}

static void test_event_before_sweep(void **state)
{
	const struct row row = {.threshold = 1, .interval_ms = 1000, .base_ms = 1000};
	struct mrd_outlier *outlier = outlier_of(&row);
	struct run run = {.outlier = outlier};

	(void)state;
	play(&run, "0:1:500", 1000);
	/* At 2,000 a sweep would lower the multiplier to 0; the event of that time comes first. */
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 2000, ignore, NULL);
	assert_int_equal(state_of(outlier, 1).multiplier, 2);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(outlier);
}

/* ------------------------------------------------------------------------------- hosts, rules */

static void test_hosts(void **state)
{
	const struct row row = {.threshold = 2, .hosts = "AAA"};
	struct mrd_outlier *outlier = outlier_of(&row);
	const struct mrd_outlier_host fewer[] = {{.id = 2}, {.id = 9}, {.id = 2}};
	struct mrd_outlier_state got;

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 0, ignore, NULL);
	mrd_outlier_signal(outlier, 2, MRD_SIGNAL_RESPONSE, 500, 0, ignore, NULL);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 1);

	/* O27: an ejected host that leaves is no ejection any more; the other keeps its run. */
	assert_int_equal(mrd_outlier_set_hosts(outlier, fewer, 3), 0);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 0);
	assert_int_equal(mrd_outlier_next_sweep(outlier), UINT64_MAX);
	assert_int_equal(mrd_outlier_get(outlier, 1, &got), -ENOENT);
	mrd_outlier_signal(outlier, 2, MRD_SIGNAL_RESPONSE, 500, 1, ignore, NULL);
	assert_true(state_of(outlier, 2).ejected);

	/* It comes back as a new one. */
	set_hosts(outlier, "AAA");
	assert_true(state_of(outlier, 2).ejected);
	assert_false(state_of(outlier, 1).ejected);
	assert_int_equal(state_of(outlier, 1).ejections, 0);
	assert_int_equal(mrd_outlier_set_hosts(outlier, NULL, 0), 0);
	assert_int_equal(mrd_outlier_ejected_count(outlier), 0);
	mrd_outlier_free(outlier);
}

static void test_restore(void **state)
{
	const struct row row = {.threshold = 1, .interval_ms = 1000, .base_ms = 1000};
	const struct mrd_outlier_state ejected = {
		.ejected = true,
		.ejected_at_ms = 95000,
		.ejected_until_ms = 104200,
		.ejections = 7,
		.multiplier = 3,
	};
	const struct mrd_outlier_state healthy = {.ejections = 2, .multiplier = 2};
	const struct mrd_outlier_rule rule = rule_of(&row);
	struct run run = {0};

	(void)state;
	assert_int_equal(mrd_outlier_new(&rule, true, 100000, &run.outlier), 0);
	set_hosts(run.outlier, "AAAA");
	assert_int_equal(mrd_outlier_restore(run.outlier, 9, &ejected), -ENOENT);
	assert_int_equal(mrd_outlier_restore(run.outlier, 1, &ejected), 0);
	assert_int_equal(mrd_outlier_restore(run.outlier, 2, &healthy), 0);
	assert_int_equal(mrd_outlier_ejected_count(run.outlier), 1);
	assert_int_equal(mrd_outlier_next_sweep(run.outlier), 101000);

	/* 1 returns at its own time; 2 forgets one step a sweep; both count on from what they had.
	 */
	sweep_while(&run, 101000);
	assert_int_equal(state_of(run.outlier, 2).multiplier, 1);
	sweep_while(&run, 105000);
	assert_string_equal(run.lines.text, "105000 1 UNEJECT #7 +10000; ");
	play(&run, "105001:1:500 105001:2:500", 105001);
	assert_int_equal(state_of(run.outlier, 1).ejections, 8);
	assert_int_equal(state_of(run.outlier, 1).multiplier, 4);
	assert_int_equal(state_of(run.outlier, 2).ejections, 3);
	assert_int_equal(state_of(run.outlier, 2).multiplier, 1);

	/* A time that ran out while nobody watched: back at the first sweep. */
	assert_int_equal(mrd_outlier_restore(run.outlier, 1, &healthy), 0);
	assert_int_equal(mrd_outlier_ejected_count(run.outlier), 1);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(run.outlier);
}

static void test_restore_overdue(void **state)
{
	const struct row row = {.interval_ms = 1000};
	const struct mrd_outlier_rule rule = rule_of(&row);
	const struct mrd_outlier_state overdue = {
		.ejected = true, .ejected_until_ms = 5, .ejections = 1, .multiplier = 1};
	struct run run = {0};

	(void)state;
	assert_int_equal(mrd_outlier_new(&rule, true, 100000, &run.outlier), 0);
	set_hosts(run.outlier, "A");
	assert_int_equal(mrd_outlier_restore(run.outlier, 1, &overdue), 0);
	assert_int_equal(mrd_outlier_next_sweep(run.outlier), 101000);
	sweep_while(&run, 101000);
	assert_false(state_of(run.outlier, 1).ejected);
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(run.outlier);
}

static void test_changed_rule(void **state)
{
	const struct row row = {.threshold = 3, .interval_ms = 1000, .base_ms = 2000};
	struct mrd_outlier_rule rule = rule_of(&row);
	struct mrd_outlier *outlier = outlier_of(&row);

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 0, ignore, NULL);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 2000);

	/* Another threshold leaves the row of sweeps alone, another interval starts a new one. */
	rule.consecutive_5xx = 1;
	mrd_outlier_set_rule(outlier, &rule, 1500);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 2000);
	rule.interval_ms = 700;
	mrd_outlier_set_rule(outlier, &rule, 1500);
	assert_int_equal(mrd_outlier_next_sweep(outlier), 2200);
	mrd_outlier_sweep(outlier, 2200, ignore, NULL);
	assert_false(state_of(outlier, 1).ejected);
	assert_int_equal(state_of(outlier, 1).multiplier, 1);
	mrd_outlier_set_http(outlier, false);
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 2300, ignore, NULL);
	assert_true(state_of(outlier, 1).ejected);
	mrd_outlier_free(outlier);
}

static void test_zero_rule(void **state)
{
	const struct mrd_outlier_rule zero = {.consecutive_5xx = 1, .cap = MRD_CAP_ALWAYS_ONE};
	struct mrd_outlier *outlier = NULL;

	(void)state;
	assert_int_equal(mrd_outlier_new(&zero, true, 0, &outlier), 0);
	set_hosts(outlier, "A");
	mrd_outlier_signal(outlier, 1, MRD_SIGNAL_RESPONSE, 500, 10, ignore, NULL);
	mrd_outlier_sweep(outlier, 1000, ignore, NULL);
	assert_false(state_of(outlier, 1).ejected);
	mrd_outlier_free(outlier);
	mrd_outlier_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consecutive),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_probation),
		cmocka_unit_test(test_cap_percent),
		cmocka_unit_test(test_cap_envoy),
		cmocka_unit_test(test_cap_regional),
		cmocka_unit_test(test_cap_outside_route),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_decay),
		cmocka_unit_test(test_event_before_sweep),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_restore_overdue),
		cmocka_unit_test(test_changed_rule),
		cmocka_unit_test(test_zero_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
