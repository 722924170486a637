/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The detector's rules beyond Envoy's published cases (test_vectors.c): a row is a script of events
 * and the lines that must come out of it. */
#include "outlier/outlier.h"

#include "tests/unit/outlier/script.h"

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
			.id = "a handshake behind which nobody reads is a success of handshakes",
			.script = "0:1:4*CF 0:1:ANSWERED 0:1:4*TO 0:1:ANSWERED 0:1:4*CF",
			.gateway_off = true,
			.want = "",
		},
		{
			.id = "it makes no response good",
			.script = "0:1:2*500 0:1:2*CF 0:1:ANSWERED 0:1:CF",
			.gateway_off = true,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "nor a reset",
			.script = "0:1:2*CF 0:1:2*RST 0:1:ANSWERED 0:1:CF",
			.gateway_off = true,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "until a response did",
			.script = "0:1:2*500 0:1:200 0:1:4*CF 0:1:ANSWERED 0:1:4*CF",
			.gateway_off = true,
			.want = "",
		},
		{
			.id = "split: such a handshake is one as well",
			.script = "0:1:4*CF 0:1:ANSWERED 0:1:4*CF",
			.split = true,
			.want = "",
		},
		{
			.id = "a code stands in for what a handshake counts as",
			.script = "0:1:4*503 0:1:OK/200 0:1:503",
			.want = "",
		},
		{
			.id = "not HTTP: a handshake ends a run of resets, whoever saw it",
			.script = "0:1:4*RST 0:1:OK 0:1:4*RST 0:1:ANSWERED 0:1:4*RST",
			.is_tcp = true,
			.want = "",
		},
		{
			.id = "a reset is a 503",
			.script = "0:1:5*RST",
			.gateway = 2,
			.want = "0 1 EJECT GATEWAY #1; ",
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
			.id = "10 hosts: one",
			.script = "0:1:5*500 1:2:5*500",
			.hosts = "AAAAABBBBB",
			.has_cap = true,
			.cap = MRD_CAP_ENVOY,
			.want = "0 1 EJECT 5XX #1; 1 2 CAPPED 5XX #0; ",
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

static void test_cap_asked(void **state)
{
	const struct mrd_outlier_host hosts[] = {
		{.id = 1, .region = 1, .in_route = true, .usable = true},
		{.id = 2, .region = 1, .in_route = true, .usable = true},
	};
	struct run run = {0};

	(void)state;
	assert_int_equal(mrd_outlier_new(&mrd_outlier_defaults, true, 0, &run.outlier), 0);
	assert_int_equal(mrd_outlier_set_hosts(run.outlier, hosts, 2), 0);
	assert_true(mrd_outlier_may_eject(run.outlier, 1));
	assert_true(mrd_outlier_may_eject(run.outlier, 2));
	assert_false(mrd_outlier_may_eject(run.outlier, 3));
	play(&run, "0:1:5*500", 0);
	assert_false(mrd_outlier_may_eject(run.outlier, 1));
	assert_false(mrd_outlier_may_eject(run.outlier, 2));
	mrd_strbuf_free(&run.lines);
	mrd_outlier_free(run.outlier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consecutive),	  cmocka_unit_test(test_events),
		cmocka_unit_test(test_probation),	  cmocka_unit_test(test_cap_percent),
		cmocka_unit_test(test_cap_envoy),	  cmocka_unit_test(test_cap_regional),
		cmocka_unit_test(test_cap_outside_route), cmocka_unit_test(test_cap_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
