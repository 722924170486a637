/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The detector against Envoy's published cases, each by its id in the vectors: a row is a script of
 * events and the lines that must come out of it. T6 is the policy reader's; S1 to S8 are in
 * test_rates.c, the log's line is in test_event_log.c. */
#include "outlier/grpc_status.h"
#include "outlier/outlier.h"

#include "tests/unit/outlier/script.h"

/* ------------------------------------------------------------------------- consecutive errors */

static void judge_unenforced(struct mrd_outlier_rule *rule)
{
	rule->success_rate.on = true;
	rule->success_rate.enforced = false;
	rule->success_rate.request_volume = 5;
	rule->success_rate.minimum_hosts = 5;
	rule->success_rate.stdev_factor = 1900;
}

static void test_o(void **state)
{
	static const struct row rows[] = {
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
			.id = "O21",
			.script = "0:1:5*CF",
			.split = true,
			.want = "0 1 EJECT LOCAL #1; ",
		},
		{
			.id = "O23",
			.script = "0:1:5*CF 1:1:9*CF 30001:1:4*CF",
			.split = true,
			.want = "0 1 EJECT LOCAL #1; 30000 1 UNEJECT #1 +30000; ",
		},
		{
			.id = "O25: an unset gateway threshold detects, unenforced, time and again",
			.script = "0:1:5*503 1:1:5*502",
			.no_5xx = true,
			.want = "0 1 DETECT GATEWAY #0; 1 1 DETECT GATEWAY #0; ",
		},
		{
			.id = "O30: gateway above 5xx has no effect",
			.script = "0:1:9*503",
			.gateway = 7,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			/* "No effect" is who is ejected and when, not the name in the log: Envoy's
			 * DetectorHostMonitorImpl::putHttpResponseCode (E-ODC) counts the gateway's
			 * run before that of all 5xx, Istio enforces both at 100 (A3), and the
			 * second finding meets a host that is ejected already. */
			.id = "O30: nor has one of as many as 5xx, but on the line's type",
			.script = "0:1:4*503 1:1:503 2:1:5*503",
			.gateway = 5,
			.want = "1 1 EJECT GATEWAY #1; ",
		},
		{
			.id = "O30: as many, and not all of them the gateway's",
			.script = "0:1:500 0:1:4*503",
			.gateway = 5,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "O25: so does a rate detector that is not enforced",
			.script = "0:1:5*200 0:2:5*200 0:3:5*200 0:4:5*200 0:5:5*500",
			.hosts = "AAAAA",
			.no_5xx = true,
			.tune = judge_unenforced,
			.until_ms = 20000,
			.want = "10000 5 DETECT RATE #0 0/80/4; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void test_o15(void **state)
{
	const struct row row = {0};
	struct mrd_outlier *outlier = outlier_of(&row);
	struct run run = {.outlier = outlier};

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		play(&run, "0:1:OK/200 0:1:CF", 0);
	assert_null(run.lines.text);
	mrd_outlier_free(outlier);
}

static void test_o27(void **state)
{
	static const struct {
		const char *id;
		const char *script;
		const char *hosts; /* that are left; the first of them is the first */
		size_t ejected;
		size_t want;
	} cases[] = {
		{.id = "O27", .script = "0:2:5*500", .hosts = "A", .ejected = 1},
		{.id = "O27: the last host of all",
		 .script = "0:1:5*500",
		 .hosts = "",
		 .ejected = 1},
		{.id = "O27: another one stays out",
		 .script = "0:1:5*500 0:2:5*500",
		 .hosts = "A",
		 .ejected = 2,
		 .want = 1},
		{.id = "O27: one that was in",
		 .script = "0:1:5*500",
		 .hosts = "A",
		 .ejected = 1,
		 .want = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct row row = {.hosts = "AA"};
		struct mrd_outlier *outlier = outlier_of(&row);
		struct run run = {.outlier = outlier};

		print_message("%s\n", cases[i].id);
		play(&run, cases[i].script, 0);
		assert_int_equal(mrd_outlier_ejected_count(outlier), cases[i].ejected);
		set_hosts(outlier, cases[i].hosts);
		assert_int_equal(mrd_outlier_ejected_count(outlier), cases[i].want);
		/* And no sweep is left to be done for it. */
		assert_int_equal(mrd_outlier_next_sweep(outlier) == UINT64_MAX, !cases[i].want);
		mrd_strbuf_free(&run.lines);
		mrd_outlier_free(outlier);
	}
}

/* A health check passes at 12,345 ms; without the flag nobody tells the detector. */
static void test_o28_o29(void **state)
{
	static const struct {
		const char *id;
		bool tells;
		const char *want;
	} cases[] = {
		{.id = "O28",
		 .tells = true,
		 .want = "0 1 EJECT 5XX #1; 12345 1 UNEJECT #1 +12345; "
			 "12347 1 EJECT 5XX #2 +2; "},
		{.id = "O29", .want = "0 1 EJECT 5XX #1; "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct row row = {0};
		struct mrd_outlier *outlier = outlier_of(&row);
		struct run run = {.outlier = outlier};

		print_message("%s\n", cases[i].id);
		play(&run, "0:1:5*500 1:1:9*500", 12344);
		run.now_ms = 12345;
		if (cases[i].tells)
			mrd_outlier_uneject(outlier, 1, run.now_ms, write_line, &run);
		assert_int_equal(state_of(outlier, 1).ejected, !cases[i].tells);
		assert_int_equal(mrd_outlier_ejected_count(outlier), !cases[i].tells);
		/* Four errors are a run that began after the return, the fifth ends it. */
		play(&run, "12346:1:4*500", 12346);
		assert_int_equal(state_of(outlier, 1).ejected, !cases[i].tells);
		play(&run, "12347:1:500", 12347);
		assert_true(state_of(outlier, 1).ejected);
		assert_string_equal(run.lines.text, cases[i].want);
		mrd_strbuf_free(&run.lines);
		mrd_outlier_free(outlier);
	}
}

/* ------------------------------------------------------------------------------- the cap */

static void test_c(void **state)
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
			.id = "C7: 5 hosts",
			.script = "0:1:5*500",
			.hosts = "AAAAA",
			.has_cap = true,
			.cap = MRD_CAP_ENVOY,
			.want = "0 1 CAPPED 5XX #0; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* ------------------------------------------------------------------------------- times */

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

static uint64_t fixed_random(void *self)
{
	return *(const uint64_t *)self;
}

static void test_jitter(void **state)
{
	static const struct {
		const char *id;
		uint64_t max_jitter_ms;
		bool has_random;
		uint64_t random;
		uint64_t want_ms;
	} cases[] = {
		{.id = "T9",
		 .max_jitter_ms = 10000,
		 .has_random = true,
		 .random = 123456789,
		 .want_ms = 4445},
		{.id = "T9: the most",
		 .max_jitter_ms = 10000,
		 .has_random = true,
		 .random = 20001,
		 .want_ms = 10000},
		{.id = "T9: around", .max_jitter_ms = 10000, .has_random = true, .random = 10001},
		{.id = "T10", .has_random = true, .random = 123456789},
		{.id = "nobody gives numbers", .max_jitter_ms = 10000},
		{.id = "as long as can be",
		 .max_jitter_ms = UINT64_MAX,
		 .has_random = true,
		 .random = 77,
		 .want_ms = 77},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct row row = {0};
		struct mrd_outlier_rule rule = rule_of(&row);
		struct run run = {0};
		uint64_t number = cases[i].random;

		print_message("%s\n", cases[i].id);
		rule.max_jitter_ms = cases[i].max_jitter_ms;
		assert_int_equal(mrd_outlier_new(&rule, true, 0, &run.outlier), 0);
		set_hosts(run.outlier, "A");
		if (cases[i].has_random)
			mrd_outlier_set_random(run.outlier, fixed_random, &number);
		play(&run, "0:1:5*500", 0);
		assert_int_equal(state_of(run.outlier, 1).ejected_until_ms,
				 30000 + cases[i].want_ms);
		/* At the sweep that follows, which the jitter may put off. */
		assert_int_equal(mrd_outlier_next_sweep(run.outlier),
				 30000 + (cases[i].want_ms + 9999) / 10000 * 10000);
		mrd_strbuf_free(&run.lines);
		mrd_outlier_free(run.outlier);
	}
}

/* ------------------------------------------------------------------------------- gRPC */

/* Whether five of the mapped code make a run of 5xx, and whether of gateway errors. */
static void check_errors(uint32_t code, bool is_5xx, bool is_gateway)
{
	char script[32];
	struct row rows[2];

	snprintf(script, sizeof(script), "0:1:5*%u", code);
	rows[0] = (struct row){
		.id = "as 5xx",
		.script = script,
		.gateway_off = true,
		.want = is_5xx ? "0 1 EJECT 5XX #1; " : "",
	};
	rows[1] = (struct row){
		.id = "as gateway error",
		.script = script,
		.no_5xx = true,
		.gateway = 5,
		.want = is_gateway ? "0 1 EJECT GATEWAY #1; " : "",
	};
	check_rows(rows, 2);
}

static void test_r(void **state)
{
	static const struct {
		const char *id;
		uint32_t status;
		uint32_t want;
		bool is_5xx;
		bool is_gateway;
	} cases[] = {
		{.id = "R1: OK", .status = 0, .want = 200},
		{.id = "R2: CANCELLED", .status = 1, .want = 499},
		{.id = "UNKNOWN", .status = 2, .want = 500, .is_5xx = true},
		{.id = "R4: INVALID_ARGUMENT", .status = 3, .want = 400},
		{.id = "DEADLINE_EXCEEDED",
		 .status = 4,
		 .want = 504,
		 .is_5xx = true,
		 .is_gateway = true},
		{.id = "R6: NOT_FOUND", .status = 5, .want = 404},
		{.id = "R7: ALREADY_EXISTS", .status = 6, .want = 409},
		{.id = "R8: PERMISSION_DENIED", .status = 7, .want = 403},
		{.id = "R9: RESOURCE_EXHAUSTED", .status = 8, .want = 429},
		{.id = "R4: FAILED_PRECONDITION", .status = 9, .want = 400},
		{.id = "R7: ABORTED", .status = 10, .want = 409},
		{.id = "R4: OUT_OF_RANGE", .status = 11, .want = 400},
		{.id = "R10: UNIMPLEMENTED", .status = 12, .want = 501, .is_5xx = true},
		{.id = "INTERNAL", .status = 13, .want = 500, .is_5xx = true},
		{.id = "UNAVAILABLE",
		 .status = 14,
		 .want = 503,
		 .is_5xx = true,
		 .is_gateway = true},
		{.id = "DATA_LOSS", .status = 15, .want = 500, .is_5xx = true},
		{.id = "R12: UNAUTHENTICATED", .status = 16, .want = 401},
		{.id = "none of gRPC's", .status = 17, .want = 500, .is_5xx = true},
		{.id = "far from it", .status = UINT32_MAX, .want = 500, .is_5xx = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("%s\n", cases[i].id);
		assert_int_equal(mrd_grpc_http_code(cases[i].status), cases[i].want);
		check_errors(cases[i].want, cases[i].is_5xx, cases[i].is_gateway);
	}
}

/* ------------------------------------------------------------------------------- error codes */

static void add_code(struct mrd_outlier_rule *rule, uint32_t code)
{
	rule->has_error_codes = true;
	rule->error_codes[(code - MRD_ERROR_CODE_MIN) / 8] |= 1 << (code - MRD_ERROR_CODE_MIN) % 8;
}

static void only_429(struct mrd_outlier_rule *rule)
{
	add_code(rule, 429);
}

static void codes_429_503(struct mrd_outlier_rule *rule)
{
	add_code(rule, 429);
	add_code(rule, 503);
}

static void codes_at_the_ends(struct mrd_outlier_rule *rule)
{
	add_code(rule, 100);
	add_code(rule, 599);
}

static void test_a11(void **state)
{
	static const struct row rows[] = {
		{
			.id = "A11: [429]",
			.script = "0:1:5*429",
			.tune = only_429,
			.want = "0 1 EJECT 5XX #1; ",
		},
		{
			.id = "A11: what is not listed is a success",
			.script = "0:1:9*503 0:1:4*429 0:1:500 0:1:4*429 0:1:200 0:1:4*429 0:1:430",
			.tune = only_429,
			.want = "",
		},
		{
			.id = "A11: [429, 503] is one run of both",
			.script = "0:1:2*429 0:1:503 0:1:429 1:1:503",
			.tune = codes_429_503,
			.want = "1 1 EJECT 5XX #1; ",
		},
		{
			.id = "A11: a listed 503 is a gateway error, a listed 429 ends their run",
			.script = "0:1:503 0:1:429 0:1:503 1:1:503",
			.tune = codes_429_503,
			.gateway = 2,
			.want = "1 1 EJECT GATEWAY #1; ",
		},
		{
			.id = "A11: a 503 that is not listed is no gateway error",
			.script = "0:1:9*503",
			.tune = only_429,
			.gateway = 2,
			.want = "",
		},
		{
			.id = "A11: the ends of the list",
			.script = "0:1:2*100 0:1:2*599 1:1:100",
			.tune = codes_at_the_ends,
			.want = "1 1 EJECT 5XX #1; ",
		},
		{
			.id = "A11: codes that no list can hold are successes",
			.script = "0:1:4*599 0:1:600 0:1:4*599 0:1:99 0:1:4*599 0:1:4000000000",
			.tune = codes_at_the_ends,
			.want = "",
		},
		{
			.id = "A11: the list is about responses",
			.script = "0:1:5*CF",
			.tune = only_429,
			.gateway_off = true,
			.want = "0 1 EJECT 5XX #1; ",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_o),      cmocka_unit_test(test_o15),
		cmocka_unit_test(test_o27),    cmocka_unit_test(test_o28_o29),
		cmocka_unit_test(test_c),      cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_jitter), cmocka_unit_test(test_r),
		cmocka_unit_test(test_a11),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
