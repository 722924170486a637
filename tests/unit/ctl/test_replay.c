/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What outlier detection makes of events, and how the command line is read. */
#include "ctl/verb_replay.h"

#include "replay.h"

#define HOSTS  "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80,10.0.0.4:80,10.0.0.5:80"
#define BACKUP "10.0.0.1:80@r1,10.0.0.2:80@r1,10.1.0.1:80@r2"

struct replay_case {
	const char *name;
	const char *outlier; /* outlierDetection's fields */
	bool no_outlier;     /* these are connectionPool's, and it is not there */
	const char *annotations;
	const char *locality; /* localityLbSetting's fields */
	const char *options;  /* --endpoints if it is not HOSTS, and others */
	const char *events;
	const char *want;
};

/* ------------------------------------------------------------------------------ short to long */

static void write_policy(const struct replay_case *c)
{
	struct mrd_strbuf out MRD_AUTO_STRBUF = {0};

	mrd_strbuf_addf(&out,
			"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
			"metadata: {name: web, namespace: default, annotations: {%s}}\n"
			"spec:\n  host: web\n  trafficPolicy:\n    %s: {%s}\n",
			c->annotations ? c->annotations : "",
			c->no_outlier ? "connectionPool" : "outlierDetection",
			c->outlier ? c->outlier : "");
	if (c->locality)
		mrd_strbuf_addf(&out, "    loadBalancer: {localityLbSetting: {%s}}\n", c->locality);
	run_write("policy.yaml", out.text);
}

static void must_log(const struct replay_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct replay_case *c = &cases[i];
		struct run run AUTO_RUN = {0};
		char line[2 * RUN_ROOM];
		char *got;

		write_policy(c);
		write_events(c->events);
		snprintf(line, sizeof(line),
			 "replay --policy policy.yaml --host web -o json %s%s events.jsonl",
			 c->options && strstr(c->options, "--endpoints") ? ""
									 : "--endpoints " HOSTS " ",
			 c->options ? c->options : "");
		run = run_line(line);
		if (run.status)
			print_error("%s: %s\n", c->name, run.err);
		assert_int_equal(run.status, 0);
		got = shorten(run.out);
		if (strcmp(got, c->want) != 0)
			print_error("%s: got  %s\n", c->name, got);
		assert_string_equal(got, c->want);
		free(got);
	}
}

/* ------------------------------------------------------------------------------------- cases */

#define ALL "maxEjectionPercent: 100"
#define ONE "consecutive5xxErrors: 1, " ALL

static void consecutive_errors(void **state)
{
	static const struct replay_case cases[] = {
		{.name = "below the threshold", .outlier = ALL, .events = "0 a 503*4", .want = ""},
		{.name = "a good answer ends the run",
		 .outlier = ALL,
		 .events = "0 a 500*4, 1 a 200, 2 a 500*4",
		 .want = ""},
		{.name = "O3: still out before its time",
		 .outlier = ALL,
		 .options = "--until 9999ms",
		 .events = "0 a 500*5",
		 .want = "0 a EJECT 5XX"},
		{.name = "O4: back at the sweep behind 30 s",
		 .outlier = ALL,
		 .options = "--until 30001ms",
		 .events = "0 a 500*5",
		 .want = "0 a EJECT 5XX, 30000 a UNEJECT"},
		{.name = "O5: and out again",
		 .outlier = ALL,
		 .events = "0 a 500*5, 30001 a 500*4, 40000 a 500",
		 .want = "0 a EJECT 5XX, 30000 a UNEJECT, 40000 a EJECT 5XX"},
		{.name = "O8",
		 .outlier = ALL ", consecutiveGatewayErrors: 5, consecutive5xxErrors: 10",
		 .events = "0 a 503, 1 a 200, 2 a 503*4",
		 .want = ""},
		{.name = "O9",
		 .outlier = ALL ", consecutiveGatewayErrors: 5, consecutive5xxErrors: 10",
		 .events = "0 a 503, 1 a 200, 2 a 503*5",
		 .want = "2 a EJECT GATEWAY_FAILURE"},
		{.name = "O12", .outlier = ALL, .events = "0 a CF, 1 a 200, 2 a CF*4", .want = ""},
		{.name = "O13",
		 .outlier = ALL,
		 .events = "0 a CF, 1 a 200, 2 a CF*5",
		 .want = "2 a EJECT GATEWAY_FAILURE?, 2 a EJECT 5XX"},
		{.name = "O15",
		 .outlier = ALL,
		 .events =
			 "0 a OK=200, 1 a CF, 2 a OK=200, 3 a CF, 4 a OK=200, 5 a CF, 6 a OK=200, "
			 "7 a CF, 8 a OK=200, 9 a CF",
		 .want = ""},
		{.name = "O17", .outlier = ALL, .events = "0 a 500*5", .want = "0 a EJECT 5XX"},
		{.name = "a gRPC answer counts by its status",
		 .outlier = ALL,
		 .events = "0 a 200#14*4, 1 a #4, 2 b 500*4, 3 b 500#0, 4 b 500",
		 .want = "1 a EJECT GATEWAY_FAILURE?, 1 a EJECT 5XX"},
		{.name = "O18: the code of an event stands for it",
		 .outlier = ALL,
		 .events = "0 a TO=500*5",
		 .want = "0 a EJECT 5XX"},
		{.name = "O20: without one it is a 504",
		 .outlier = ALL,
		 .events = "0 a TO*5",
		 .want = "0 a EJECT GATEWAY_FAILURE?, 0 a EJECT 5XX"},
		{.name = "a failover list alone: failed handshakes",
		 .no_outlier = true,
		 .outlier = "tcp: {connectTimeout: 1s}",
		 .locality = "failover: [{from: r1, to: r2}]",
		 .options = "--until 40s --from r1 --endpoints " BACKUP,
		 .events = "0 a 503*9, 1 a CF*4, 2 a OK, 3 a CF*4, 4 a CF",
		 .want = "4 a EJECT LOCAL_ORIGIN_FAILURE, 40000 a UNEJECT"},
		{.name = "O21: split",
		 .outlier = ALL ", splitExternalLocalOriginErrors: true",
		 .events = "0 a CF*5",
		 .want = "0 a EJECT LOCAL_ORIGIN_FAILURE"},
		{.name = "O23: errors while it is out do not count",
		 .outlier = ALL ", splitExternalLocalOriginErrors: true, baseEjectionTime: 10s",
		 .events = "0 a CF*9, 10001 a CF*4, 10002 a CF",
		 .want = "0 a EJECT LOCAL_ORIGIN_FAILURE, 10000 a UNEJECT, 10002 a EJECT "
			 "LOCAL_ORIGIN_FAILURE"},
		{.name = "events come before the sweep of their time",
		 .outlier = ONE ", interval: 1s, baseEjectionTime: 1s",
		 .events = "0 a 503, 1000 a 503, 1001 a 503",
		 .want = "0 a EJECT 5XX, 1000 a UNEJECT, 1001 a EJECT 5XX"},
		{.name = "connected is a success of TCP",
		 .outlier = ALL,
		 .options = "--protocol tcp",
		 .events = "0 a CF*4, 1 a OK, 2 a CF*4",
		 .want = ""},
		{.name = "and nothing to HTTP",
		 .outlier = ALL ", consecutiveGatewayErrors: 0",
		 .events = "0 a CF*4, 1 a OK, 2 a CF",
		 .want = "2 a EJECT 5XX"},
		{.name = "events behind the end are not fed",
		 .outlier = ONE,
		 .options = "--until 1s",
		 .events = "1000 a 503, 1001 b 503",
		 .want = "1000 a EJECT 5XX"},
	};

	(void)state;
	must_log(cases, sizeof(cases) / sizeof(cases[0]));
}

static void caps(void **state)
{
	static const struct replay_case cases[] = {
		{.name = "C1",
		 .outlier = "consecutive5xxErrors: 1, maxEjectionPercent: 50",
		 .options = "--endpoints 10.0.0.1:80,10.0.0.2:80,10.0.0.3:80",
		 .events = "0 a 500, 1 b 500, 2 c 500",
		 .want = "0 a EJECT 5XX"},
		{.name = "C2",
		 .outlier = "consecutive5xxErrors: 1, maxEjectionPercent: 90",
		 .options = "--endpoints 10.0.0.1:80",
		 .events = "0 a 500",
		 .want = ""},
		{.name = "C4",
		 .outlier = "consecutive5xxErrors: 1, maxEjectionPercent: 50",
		 .options = "--endpoints 10.0.0.1:80,10.0.0.2:80",
		 .events = "0 a 500, 1 b 500",
		 .want = "0 a EJECT 5XX"},
		{.name = "a pod with two addresses is one host of two, with one run",
		 .outlier = "consecutive5xxErrors: 2, maxEjectionPercent: 50",
		 .options = "--until 40s --endpoints "
			    "10.0.0.1:80+[fd00::1]:80@r1,10.0.0.2:80+[fd00::2]:80@r1",
		 .events = "0 a 500, 1 A 500, 2 B 500*2",
		 .want = "1 a EJECT 5XX, 40000 a UNEJECT"},
		{.name = "two addresses of which nobody says that they are one pod's are two",
		 .outlier = "consecutive5xxErrors: 2, maxEjectionPercent: 50",
		 .options = "--endpoints 10.0.0.1:80@r1,[fd00::1]:80@r1",
		 .events = "0 a 500, 1 A 500, 2 a 500, 3 A 500",
		 .want = "2 a EJECT 5XX"},
		{.name = "C5",
		 .outlier = "consecutive5xxErrors: 1, maxEjectionPercent: 1",
		 .events = "0 a 500",
		 .want = ""},
		{.name = "C7: 5 hosts",
		 .outlier = "consecutive5xxErrors: 1",
		 .annotations = "meridian.dev/ejection-cap: envoy",
		 .events = "0 a 500",
		 .want = ""},
		{.name = "C7: 1 host",
		 .outlier = "consecutive5xxErrors: 1",
		 .annotations = "meridian.dev/ejection-cap: envoy",
		 .options = "--endpoints 10.0.0.1:80",
		 .events = "0 a 500",
		 .want = ""},
		{.name = "C7: 2 hosts",
		 .outlier = "consecutive5xxErrors: 1",
		 .annotations = "meridian.dev/ejection-cap: envoy",
		 .options = "--endpoints 10.0.0.1:80,10.0.0.2:80",
		 .events = "0 a 500",
		 .want = ""},
		{.name = "C7: 9 hosts",
		 .outlier = "consecutive5xxErrors: 1",
		 .annotations = "meridian.dev/ejection-cap: envoy",
		 .options = "--endpoints " HOSTS ",10.0.0.6:80,10.0.0.7:80,10.0.0.8:80,10.0.0.9:80",
		 .events = "0 a 500",
		 .want = ""},
		{.name = "10 hosts: one, and no more",
		 .outlier = "consecutive5xxErrors: 1",
		 .annotations = "meridian.dev/ejection-cap: envoy",
		 .options = "--endpoints " HOSTS ",10.0.0.6:80,10.0.0.7:80,10.0.0.8:80,10.0.0.9:80,"
			    "10.0.0.10:80",
		 .events = "0 a 500, 1 b 500",
		 .want = "0 a EJECT 5XX"},
		{.name = "hosts that are not in the route are none of the cluster's",
		 .outlier = "consecutive5xxErrors: 1, maxEjectionPercent: 50",
		 .locality = "distribute: [{from: r1, to: {r1: 100}}]",
		 .options =
			 "--endpoints 10.0.0.1:80@r1,10.0.0.2:80@r1,10.0.0.3:80@r2,10.0.0.4:80@r2 "
			 "--from r1",
		 .events = "0 c 500, 1 a 500, 2 b 500",
		 .want = "1 a EJECT 5XX"},
		{.name = "both families are one cluster",
		 .outlier = "consecutive5xxErrors: 1, maxEjectionPercent: 50",
		 .options = "--endpoints 10.0.0.1:80,[fd00::1]:80",
		 .events = "0 a 500",
		 .want = "0 a EJECT 5XX"},
		{.name = "C10",
		 .outlier = "consecutive5xxErrors: 1",
		 .annotations = "meridian.dev/ejection-cap: always-one",
		 .options = "--endpoints 10.0.0.1:80",
		 .events = "0 a 500",
		 .want = "0 a EJECT 5XX"},
		{.name = "ours, in the only region: one of two or more",
		 .outlier = "consecutive5xxErrors: 1",
		 .events = "0 a 500, 1 b 500",
		 .want = "0 a EJECT 5XX"},
		{.name = "ours, with a backup: the whole region",
		 .outlier = "consecutive5xxErrors: 1",
		 .options = "--endpoints " BACKUP " --from r1",
		 .events = "0 a 500, 1 b 500",
		 .want = "0 a EJECT 5XX, 1 b EJECT 5XX"},
		{.name = "ours, the backup is not in the route",
		 .outlier = "consecutive5xxErrors: 1",
		 .locality = "distribute: [{from: r1, to: {r1: 100}}]",
		 .options = "--endpoints " BACKUP " --from r1",
		 .events = "0 a 500, 1 b 500",
		 .want = "0 a EJECT 5XX"},
	};

	(void)state;
	must_log(cases, sizeof(cases) / sizeof(cases[0]));
}

static void terms(void **state)
{
	static const struct replay_case cases[] = {
		{.name = "T1",
		 .outlier = ONE ", interval: 10s, baseEjectionTime: 10s",
		 .options = "--until 60s",
		 .events = "0 a 503, 10000 a 200, 10001 a 503, 40001 a 503",
		 .want = "0 a EJECT 5XX, 10000 a UNEJECT, 10001 a EJECT 5XX, 40000 a UNEJECT, "
			 "40001 a "
			 "EJECT 5XX"},
		{.name = "T4: no longer than 300 s",
		 .outlier = ONE ", interval: 200s, baseEjectionTime: 200s",
		 .options = "--until 1500s",
		 .events = "0 a 503, 200000 a 503, 200001 a 503, 600001 a 503",
		 .want = "0 a EJECT 5XX, 200000 a UNEJECT, 200001 a EJECT 5XX, 600000 a UNEJECT, "
			 "600001 a EJECT 5XX, 1000000 a UNEJECT"},
		{.name = "the backoff is forgotten sweep by sweep",
		 .outlier = ONE ", interval: 1s, baseEjectionTime: 1s",
		 .options = "--until 20s",
		 .events = "0 a 503, 1001 a 503, 10001 a 503",
		 .want = "0 a EJECT 5XX, 1000 a UNEJECT, 1001 a EJECT 5XX, 4000 a UNEJECT, 10001 a "
			 "EJECT 5XX, 12000 a UNEJECT"},
		{.name = "probation",
		 .outlier = "maxEjectionPercent: 100, interval: 1s, baseEjectionTime: 1s, "
			    "consecutiveGatewayErrors: 0",
		 .annotations = "meridian.dev/probation: 30s",
		 .events = "0 a 503*5, 2000 a 503, 2001 a 503",
		 .want = "0 a EJECT 5XX, 1000 a UNEJECT, 2000 a EJECT 5XX"},
	};

	(void)state;
	must_log(cases, sizeof(cases) / sizeof(cases[0]));
}

#define RATES_ALONE "consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, " ALL
#define GOOD	    "0 a 200*100, 0 b 200*100, 0 c 200*100, "

static void rates_at_sweeps(void **state)
{
	static const char by_success[] = "meridian.dev/success-rate-enforcing: '100'";
	static const char by_failure[] = "meridian.dev/failure-percentage-enforcing: '100'";
	static const struct replay_case cases[] = {
		/* 100, 100, 100, 100, 50: mean 90, deviation 20, so below 52. */
		{.name = "one below the others, by the events of the sweep's time, too",
		 .outlier = RATES_ALONE,
		 .annotations = by_success,
		 .events = GOOD "0 d 200*100, 0 e 200*50, 9999 e 500*49, 10000 e 500",
		 .want = "10000 e EJECT SUCCESS_RATE"},
		/* 100, 100, 100, 50, 50: mean 80, deviation 24.5, so below 33. */
		{.name = "two of five that are alike",
		 .outlier = RATES_ALONE,
		 .annotations = by_success,
		 .options = "--until 10s",
		 .events = GOOD "0 d 200*50, 0 d 500*50, 0 e 200*50, 0 e 500*50",
		 .want = ""},
		{.name = "one request too few",
		 .outlier = RATES_ALONE,
		 .annotations = by_success,
		 .options = "--until 10s",
		 .events = GOOD "0 d 200*99, 0 e 500*100",
		 .want = ""},
		{.name = "an interval counts by itself",
		 .outlier = RATES_ALONE,
		 .annotations = by_success,
		 .options = "--until 20s",
		 .events =
			 GOOD "0 d 200*100, 0 e 500*60, 10001 a 200*100, 10001 b 200*100, 10001 c "
			      "200*100, 10001 d 200*100, 10001 e 500*60",
		 .want = ""},
		{.name = "connections have rates of their own",
		 .outlier = RATES_ALONE ", splitExternalLocalOriginErrors: true, "
					"consecutiveLocalOriginFailures: 1000",
		 .annotations = by_success,
		 .options = "--until 10s",
		 .events = "0 a OK*100, 0 b OK*100, 0 c OK*100, 0 d OK*100, 0 e CF*100",
		 .want = "10000 e EJECT SUCCESS_RATE_LOCAL_ORIGIN"},
		{.name = "85 of 100 are too many",
		 .outlier = RATES_ALONE,
		 .annotations = by_failure,
		 .options = "--until 10s",
		 .events = GOOD "0 d 200*16, 0 d 500*84, 0 e 200*15, 0 e 500*85",
		 .want = "10000 e EJECT FAILURE_PERCENTAGE"},
		{.name = "which is told alone by default",
		 .outlier = RATES_ALONE,
		 .annotations = "meridian.dev/failure-percentage-threshold: '84'",
		 .options = "--until 10s",
		 .events = GOOD "0 d 200*16, 0 d 500*84, 0 e 200*15, 0 e 500*85",
		 .want = "10000 d EJECT FAILURE_PERCENTAGE?, 10000 e EJECT FAILURE_PERCENTAGE?"},
		{.name = "listed codes are the failures",
		 .outlier = RATES_ALONE ", outlierDetectionHttpErrorCodes: [429]",
		 .annotations = by_failure,
		 .options = "--until 10s",
		 .events = GOOD "0 d 500*100, 0 e 429*100",
		 .want = "10000 e EJECT FAILURE_PERCENTAGE"},
		/* It has been back for an interval at 30 s, where it is judged before that counts.
		 */
		{.name = "who goes at a sweep loses none of the backoff by it",
		 .outlier = RATES_ALONE ", baseEjectionTime: 10s",
		 .annotations = by_failure,
		 .options = "--until 50s",
		 .events =
			 GOOD "0 d 200*100, 0 e 500*100, 20001 a 200*100, 20001 b 200*100, 20001 c "
			      "200*100, 20001 d 200*100, 20001 e 500*100",
		 .want = "10000 e EJECT FAILURE_PERCENTAGE, 20000 e UNEJECT, 30000 e EJECT "
			 "FAILURE_PERCENTAGE, 50000 e UNEJECT"},
	};

	(void)state;
	must_log(cases, sizeof(cases) / sizeof(cases[0]));
}

#define REPLAY "replay --policy policy.yaml --host web --endpoints " HOSTS " "

static void text_is_a_line_an_event(void **state)
{
	static const struct replay_case one = {.outlier = ONE};
	struct run run AUTO_RUN = {0};

	(void)state;
	write_policy(&one);
	write_events("0 a 503");
	run = run_line(REPLAY "--until 30s events.jsonl");
	run_must_be(
		&run, 0,
		"{\"type\":\"CONSECUTIVE_5XX\",\"cluster_name\":\"outbound|80||web.default.svc."
		"cluster.local\",\"upstream_url\":\"10.0.0.1:80\",\"action\":\"EJECT\",\"num_"
		"ejections\":1,\"enforced\":true,\"eject_consecutive_event\":{},\"t_ms\":0}\n"
		"{\"type\":\"CONSECUTIVE_5XX\",\"cluster_name\":\"outbound|80||web.default.svc."
		"cluster.local\",\"upstream_url\":\"10.0.0.1:80\",\"action\":\"UNEJECT\",\"num_"
		"ejections\":1,\"enforced\":false,\"t_ms\":30000,\"secs_since_last_action\":\"30\"}"
		"\n",
		"");
}

static void standard_input_is_a_dash(void **state)
{
	static const struct replay_case one = {.outlier = ONE};
	struct run run AUTO_RUN = {0};

	(void)state;
	write_policy(&one);
	write_events("7 b 503");
	assert_non_null(freopen("events.jsonl", "r", stdin));
	run = run_line(REPLAY "-");
	assert_int_equal(run.status, 0);
	assert_non_null(strstr(run.out, "\"10.0.0.2:80\",\"action\":\"EJECT\""));
	assert_non_null(strstr(run.out, "\"t_ms\":7}"));
}

static void a_byte_order_mark_is_no_event(void **state)
{
	static const struct replay_case one = {.outlier = ONE};
	struct run run AUTO_RUN = {0};

	(void)state;
	write_policy(&one);
	run_write("events.jsonl",
		  "\xef\xbb\xbf{\"t_ms\":7,\"endpoint\":\"10.0.0.2:80\",\"code\":503}\n");
	run = run_line(REPLAY "events.jsonl");
	assert_int_equal(run.status, 0);
	assert_non_null(strstr(run.out, "\"10.0.0.2:80\",\"action\":\"EJECT\""));
}

static void every_mistake_is_told_and_nothing_printed(void **state)
{
	static const struct replay_case one = {.outlier = ONE};
	struct run run AUTO_RUN = {0};

	(void)state;
	write_policy(&one);
	run_write("events.jsonl",
		  "{\"t_ms\": 0, \"endpoint\": \"10.0.0.1:80\", \"code\": 503}\n"
		  "{\"t_ms\": -1, \"endpoint\": \"10.0.0.9:80\", \"code\": 600, \"x\": 1}\n"
		  "{\"t_ms\": 5.5, \"endpoint\": 7, \"event\": \"gone\"}\n"
		  "{t_ms: 5}\n"
		  "[]\n"
		  "{}\n"
		  "{\"t_ms\": 9, \"endpoint\": \"10.0.0.1:80\", \"code\": 200}\n"
		  "{\"t_ms\": 8, \"endpoint\": \"10.0.0.1:80\", \"code\": \"200\"}\n"
		  "oops\n"
		  "{\"t_ms\": 9, \"oops\"}\n"
		  "{\"t_ms\": 1e30, \"endpoint\": \"10.0.0.1:80\", \"code\": 50.05e1}\n"
		  "{\"t_ms\": 9\n"
		  "{\"t_ms\": oooooooooooooooooooooooops}\n");
	run = run_line(REPLAY "events.jsonl");
	run_must_be(
		&run, 1, "",
		"events.jsonl:2:10: error: t_ms: must be a whole number of milliseconds, 0 to "
		"9223372036854\n"
		"events.jsonl:2:26: error: endpoint: is none of --endpoints\n"
		"events.jsonl:2:49: error: code: must be a whole number, 100 to 599\n"
		"events.jsonl:2:54: error: x: unknown: a line has t_ms, endpoint, code, event and "
		"grpc_status\n"
		"events.jsonl:3:10: error: t_ms: must be a whole number of milliseconds, 0 to "
		"9223372036854\n"
		"events.jsonl:3:27: error: endpoint: must be \"IP:PORT\"\n"
		"events.jsonl:3:39: error: event: must be connect-failed, reset, timeout or "
		"connected\n"
		"events.jsonl:4:2: error: not JSON: string or '}' expected near 't'\n"
		"events.jsonl:5:1: error: must be an object\n"
		"events.jsonl:6:1: error: code: must be given, or else an event or a grpc_status\n"
		"events.jsonl:6:1: error: endpoint: must be given\n"
		"events.jsonl:6:1: error: t_ms: must be given\n"
		"events.jsonl:8:10: error: t_ms: time runs backwards: a line before says a later "
		"one\n"
		"events.jsonl:8:48: error: code: must be a whole number, 100 to 599\n"
		"events.jsonl:9:1: error: not JSON: invalid token near 'oops'\n"
		"events.jsonl:10:19: error: not JSON: ':' expected near '}'\n"
		"events.jsonl:11:10: error: t_ms: must be a whole number of milliseconds, 0 to "
		"9223372036854\n"
		"events.jsonl:11:51: error: code: must be a whole number, 100 to 599\n"
		"events.jsonl:12:10: error: not JSON: '}' expected near end of file\n"
		"events.jsonl:13:10: error: not JSON: invalid token\n");
}

static void whole_numbers_may_be_written_as_json_has_them(void **state)
{
	static const struct replay_case one = {.outlier = ONE};
	struct run run AUTO_RUN = {0};

	(void)state;
	write_policy(&one);
	run_write("events.jsonl",
		  "{\"t_ms\": 1e3, \"endpoint\": \"10.0.0.1:80\", \"code\": 5.03e2}\n");
	run = run_line(REPLAY "events.jsonl");
	assert_string_equal(run.err, "");
	assert_non_null(strstr(run.out, "\"t_ms\":1000}"));
}

static void command_lines(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *err; /* a part of it */
	} cases[] = {
		{"replay --host web --endpoints 10.0.0.1:80 events.jsonl", 0,
		 "no outlierDetection holds for default/web port 80"},
		{REPLAY "--policy bad.yaml events.jsonl", 1, "bad.yaml:1:1: error: nonsense"},
		{REPLAY "none.jsonl", 1, "none.jsonl: error: cannot be read"},
		{REPLAY, 2, "a file of events is missing"},
		{REPLAY "events.jsonl more", 2, "unexpected argument more"},
		{"replay --endpoints 10.0.0.1:80 events.jsonl", 2, "--host is missing"},
		{"replay --host web events.jsonl", 2, "--endpoints is missing"},
		{"replay --host w*b --endpoints 10.0.0.1:80 events.jsonl", 2, "--host takes"},
		{"replay --host web --endpoints 10.0.0.1 events.jsonl", 2, "--endpoints takes"},
		{"replay --host web --endpoints 10.0.0.1:0 events.jsonl", 2, "not 10.0.0.1:0\n"},
		{"replay --host web --endpoints 10.0.0.1:80@a//b events.jsonl", 2,
		 "--endpoints takes"},
		{"replay --host web --endpoints 10.0.0.1:80,10.0.0.1:80 events.jsonl", 2,
		 "names twice 10.0.0.1:80"},
		{"replay --host web --endpoints 10.0.0.1:80+[fd00::1]:80,[fd00::1]:80 events.jsonl",
		 2, "names twice [fd00::1]:80"},
		{"replay --host web --endpoints 10.0.0.1:80+10.0.0.2:80 events.jsonl", 2,
		 "joins an IPv4 and an IPv6 address, not 10.0.0.1:80+10.0.0.2:80"},
		{"replay --host web --endpoints 10.0.0.1:80+ events.jsonl", 2, "--endpoints takes"},
		{"replay --policy policy.yaml --host web --from a --endpoints "
		 "10.0.0.1:80@a+b events.jsonl",
		 2, "--endpoints takes @REGION[/ZONE[/SUBZONE]], not \"a+b\": must be"},
		{REPLAY "--from 10.0.0.9 events.jsonl", 2,
		 "--from takes REGION[/ZONE[/SUBZONE]], not \"10.0.0.9\": an address is no place"},
		{"replay --host w.x.y --endpoints 10.0.0.1:80 events.jsonl", 2, "--host takes"},
		{"replay --host default/Web --endpoints 10.0.0.1:80 events.jsonl", 2,
		 "svc.cluster.local, with :PORT or without, not default/Web"},
		{"replay --host web:0 --endpoints 10.0.0.1:80 events.jsonl", 2, "--host takes"},
		{REPLAY "--until 1us events.jsonl", 2, "--until takes"},
		{"replay --policy policy.yaml --host web --from r1 --endpoints "
		 "10.0.0.1:80,[fd00::1]:80@r2 events.jsonl",
		 0, ""},
		{"replay --policy only-r1.yaml --host web --from r1 --endpoints "
		 "10.0.0.1:80@r1,10.0.0.2:80@r2 events.jsonl",
		 0, "10.0.0.2:80 is not in the route"},
		{REPLAY "--protocol udp events.jsonl", 2, "--protocol takes http or tcp"},
		{REPLAY "--until soon events.jsonl", 2, "--until takes"},
		{REPLAY "--from /a events.jsonl", 2, "--from takes"},
		{REPLAY "--seed -1 events.jsonl", 2, "--seed takes a whole number, not -1"},
		{"replay --host web --endpoints 10.0.0.1:80@r1= events.jsonl", 2,
		 "--endpoints takes =CLUSTER, not \"\": must not be empty"},
		{REPLAY "--nonsense events.jsonl", 2, "unknown option --nonsense"},
		{"replay --help", 0, ""},
		{"replay --policy policy.yaml --host default/web:80 --endpoints 10.0.0.1:80 "
		 "events.jsonl",
		 0, ""},
		{"replay --policy policy.yaml --host web.default.svc.cluster.local. --endpoints "
		 "[fd00::1]:80 empty.jsonl",
		 0, ""},
		{"replay --host web.default. --endpoints 10.0.0.1:80 events.jsonl", 2,
		 "--host takes"},
		{"replay --host web.default --endpoints 10.0.0.1:80 events.jsonl", 2,
		 "--host takes NAME (of namespace default), NAMESPACE/NAME or "
		 "NAME.NAMESPACE.svc.cluster.local, with :PORT or without, not web.default\n"},
		{"replay --host web.default.svc --endpoints 10.0.0.1:80 events.jsonl", 2,
		 "not web.default.svc\n"},
		{"replay --host web.svc.cluster.local --endpoints 10.0.0.1:80 events.jsonl", 0,
		 "default/web port 80"},
		{"replay --policy policy.yaml --host web.default.svc.cluster.local --endpoints "
		 "[fd00::1]:80 empty.jsonl",
		 0, ""},
	};
	static const struct replay_case one = {.outlier = ONE};

	(void)state;
	write_policy(&(struct replay_case){
		.outlier = ONE,
		.locality = "distribute: [{from: r1, to: {r1: 100}}]",
	});
	assert_int_equal(rename("policy.yaml", "only-r1.yaml"), 0);
	write_policy(&one);
	write_events("0 a 200");
	run_write("bad.yaml", "nonsense: 1\n");
	run_write("empty.jsonl", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run AUTO_RUN = run_line(cases[i].line);

		if (run.status != cases[i].status || !strstr(run.err, cases[i].err))
			print_error("%s: status %d, %s\n", cases[i].line, run.status, run.err);
		assert_int_equal(run.status, cases[i].status);
		assert_non_null(strstr(run.err, cases[i].err));
	}
}

/* Where the first of two endpoints returns; the log is that of a seed. */
static char *jittered(unsigned int seed)
{
	char line[RUN_ROOM];

	snprintf(line, sizeof(line),
		 "replay --policy policy.yaml --host web --seed %u --until 1m -o json --endpoints "
		 "10.0.0.1:80,10.0.0.2:80 events.jsonl",
		 seed);
	AUTO_RUN struct run run = run_line(line);

	assert_int_equal(run.status, 0);
	assert_string_equal(run.err, "");
	return shorten(run.out);
}

static void jitter_is_the_seeds(void **state)
{
	enum { SEEDS = 20, BASE_S = 2, MOST_S = 13 };
	size_t others = 0;

	(void)state;
	run_write("policy.yaml", POLICY("meridian.dev/max-ejection-time-jitter: 10s", DETECTION));
	write_events("0 a 503");
	for (unsigned int seed = 0; seed < SEEDS; seed++) {
		MRD_AUTO_FREE char *first = jittered(0);
		MRD_AUTO_FREE char *got = jittered(seed);
		MRD_AUTO_FREE char *again = jittered(seed);
		unsigned int back_ms = 0;

		print_message("%u: %s\n", seed, got);
		assert_string_equal(got, again);
		assert_int_equal(sscanf(got, "0 a EJECT 5XX, %u a UNEJECT", &back_ms), 1);
		assert_in_range(back_ms, BASE_S * 1000, MOST_S * 1000);
		others += strcmp(first, got) != 0;
	}
	assert_in_range(others, SEEDS / 2, SEEDS);
}

static void a_pod_of_two_addresses_is_called_by_its_ipv4_one(void **state)
{
	(void)state;
	run_write("policy.yaml", POLICY("", DETECTION));
	write_events("0 A 503");
	AUTO_RUN struct run run = run_line("replay --policy policy.yaml --host web -o json "
					   "--endpoints [fd00::1]:80+10.0.0.1:80 events.jsonl");
	MRD_AUTO_FREE char *got = shorten(run.out);

	assert_string_equal(got, "0 a EJECT 5XX");
}

/* What is JSON is not called something else, and each has its place, though lines are foreign. */
static void odd_lines_are_named(void **state)
{
	static const struct {
		const char *line;
		size_t len;	  /* 0: up to its end */
		const char *want; /* NULL: nothing */
	} cases[] = {
		{.line = "{\"t_ms\":0,\"t_ms\":1,\"code\":503}",
		 .want = "1:11: error: t_ms: this key is given twice\n"},
		{.line = "{\"\":\"t\\\"_ms\",\"\\u0074\":0, \"t\" :1}",
		 .want = "1:26: error: t: this key is given twice\n"},
		{.line = "{\"x\":[{\"a_key_that_is_longer_than_is_named\":1,"
			 "\"a_key_that_is_longer_than_is_named\":2}]}",
		 .want = "1:47: error: a_key_that_is_longer_than_is_named: this key is given "
			 "twice\n"},
		{.line = "{\"\xc3\xa9\":0,\"\xc3\xa9\":1}",
		 .want = "1:8: error: \xc3\xa9: this key is given twice\n"},
		{.line = "{\"t_ms\":99999999999999999999999}",
		 .want = "1:9: error: this number is too large\n"},
		{.line = "{\"t_ms\":-1e+400}", .want = "1:9: error: this number is too large\n"},
		{.line = "{\"t_ms\":0,\"endpoint\":\"10.0.0.1:80\\u0000\",\"code\":503}",
		 .want = "1:22: error: \\u0000 stands in no text here\n"},
		{.line = "{\"t_ms\\u0000\":0}",
		 .want = "1:2: error: \\u0000 stands in no text here\n"},
		{.line = "{\"t_ms\":0,\"endpoint\":\"10.0.0.1:80\",\"code\":503}\0",
		 .len = 47,
		 .want = "1:47: error: not JSON: a byte of value 0\n"},
		{.line = "\0", .len = 1, .want = "1:1: error: not JSON: a byte of value 0\n"},
		{.line = "{\"t_ms\":9223372036855,\"endpoint\":\"10.0.0.1:80\",\"code\":503}",
		 .want = "1:9: error: t_ms: must be a whole number of milliseconds, 0 to "
			 "9223372036854\n"},
		{.line = "{\"t_ms\":9223372036854,\"endpoint\":\"10.0.0.1:80\",\"code\":503}"},
		{.line = "{\"t_ms\":-0.0,\"endpoint\":\"10.0.0.1:80\",\"code\":503}\r\n\r\n \t\r"},
		{.line = ""},
		{.line = "{\"t_ms\":0,\"endpoint\":\"10.0.0.1:80\",\"grpc_status\":4294967295}"},
		{.line = "{\"t_ms\":0,\"endpoint\":\"10.0.0.1:80\",\"grpc_status\":4294967296}",
		 .want = "1:50: error: grpc_status: must be a whole number, 0 to 4294967295\n"},
		{.line = "{\"t_ms\":0,\"endpoi",
		 .want = "1:11: error: not JSON: premature end of "
			 "input near '\"endpoi'\n"},
	};
	static const struct replay_case one = {.outlier = ONE};

	(void)state;
	write_policy(&one);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *file = fopen("events.jsonl", "w");
		char want[RUN_ROOM] = "";
		struct run run AUTO_RUN = {0};

		assert_non_null(file);
		fwrite(cases[i].line, 1, cases[i].len ? cases[i].len : strlen(cases[i].line), file);
		assert_int_equal(fclose(file), 0);
		if (cases[i].want)
			snprintf(want, sizeof(want), "events.jsonl:%s", cases[i].want);
		print_message("%s\n", cases[i].line);
		run = run_line(REPLAY "events.jsonl");
		assert_string_equal(run.err, want);
		assert_int_equal(run.status, *want ? 1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(consecutive_errors),
		cmocka_unit_test(caps),
		cmocka_unit_test(terms),
		cmocka_unit_test(text_is_a_line_an_event),
		cmocka_unit_test(standard_input_is_a_dash),
		cmocka_unit_test(a_byte_order_mark_is_no_event),
		cmocka_unit_test(every_mistake_is_told_and_nothing_printed),
		cmocka_unit_test(odd_lines_are_named),
		cmocka_unit_test(rates_at_sweeps),
		cmocka_unit_test(whole_numbers_may_be_written_as_json_has_them),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(jitter_is_the_seeds),
		cmocka_unit_test(a_pod_of_two_addresses_is_called_by_its_ipv4_one),
	};

	return cmocka_run_group_tests(tests, run_enter, run_leave);
}
