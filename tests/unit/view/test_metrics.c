/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "check_exposition.h"
#include "fake_inspect.h"
#include "view/exposition.h"
#include "view/traffic.h"

static int make_fake(void **state)
{
	*state = fake_guide();
	return *state ? 0 : -1;
}

static int free_fake(void **state)
{
	free(*state);
	return 0;
}

static void free_table(struct mrd_table **table)
{
	mrd_table_free(*table);
}

static void expect_valid(const char *text)
{
	size_t line;
	const char *error = check_exposition(text, &line);

	if (error)
		print_message("line %zu: %s\n%s", line, error, text);
	assert_null(error);
}

/* Whole lines, in this order, one after the other. */
static void expect_lines(const struct mrd_strbuf *out, const char *lines)
{
	const char *at = out->text ? strstr(out->text, lines) : NULL;

	if (!at)
		print_message("not in there:\n%s\nin:\n%s", lines, out->text);
	assert_non_null(at);
	assert_true(at == out->text || at[-1] == '\n');
	expect_valid(out->text);
}

/* ------------------------------------------------------------------------------------- the check
 */

static void the_check_refuses_what_is_wrong(void **state)
{
#define HEAD		     "# HELP meridian_a_total Text.\n# TYPE meridian_a_total counter\n"
#define GAUGE		     "# HELP meridian_b Text.\n# TYPE meridian_b gauge\n"
#define TIMES		     "# HELP meridian_d_seconds Text.\n# TYPE meridian_d_seconds histogram\n"
#define BUCKET(bound, count) "meridian_d_seconds_bucket{le=\"" bound "\"} " count "\n"
#define REST(count)	     "meridian_d_seconds_sum 1\nmeridian_d_seconds_count " count "\n"
#define SUMMARY		     "# HELP meridian_c_seconds Text.\n# TYPE meridian_c_seconds summary\n"
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{.text = "", .good = true},
		{.text = HEAD "meridian_a_total 1\n", .good = true},
		{.text = HEAD "meridian_a_total{b=\"\"} 1.5\n", .good = true},
		{.text = HEAD "meridian_a_total{b=\"x\\\\\\\"\\n\",c=\"}\"} 1\n", .good = true},
		{.text = GAUGE "meridian_b -1\n", .good = true},
		{.text = SUMMARY
		 "meridian_c_seconds{quantile=\"0.5\"} 1\nmeridian_c_seconds_sum 1\n"
		 "meridian_c_seconds_count 1\n",
		 .good = true},
		{.text = HEAD "meridian_a_total 1"},
		{.text = "meridian_a_total 1\n"},
		{.text = HEAD "meridian_b 1\n"},
		{.text = HEAD "meridian_a_total_more 1\n"},
		{.text = HEAD "meridian_a_total -1\n"},
		{.text = HEAD "meridian_a_total\n"},
		{.text = HEAD "meridian_a_total 1x\n"},
		{.text = HEAD "meridian_a_total nan\n"},
		{.text = HEAD "meridian_a_total  1\n"},
		{.text = HEAD "meridian_a_total{} 1\n"},
		{.text = HEAD "meridian_a_total{b=\"1\" 1\n"},
		{.text = HEAD "meridian_a_total{b=\"1} 1\n"},
		{.text = HEAD "meridian_a_total{b=\"\\t\"} 1\n"},
		{.text = HEAD "meridian_a_total{b=\"1\",b=\"2\"} 1\n"},
		{.text = HEAD "meridian_a_total{B=\"1\"} 1\n"},
		{.text = HEAD "meridian_a_total 1\nmeridian_a_total 2\n"},
		{.text = HEAD "\nmeridian_a_total 1\n"},
		{.text = HEAD HEAD},
		{.text = HEAD "meridian_a_total 1\n" GAUGE HEAD},
		{.text = "# HELP meridian_a_total Text.\nmeridian_a_total 1\n"},
		{.text = "# TYPE meridian_a_total counter\nmeridian_a_total 1\n"},
		{.text = "# HELP meridian_a_total \n"},
		{.text = "# HELP meridian_a T.\n# TYPE meridian_a counter\n"},
		{.text = "# HELP meridian_a_total T.\n# TYPE meridian_a_total gauge\n"},
		{.text = "# HELP meridian_a_count T.\n# TYPE meridian_a_count gauge\n"},
		{.text = "# HELP meridian_a_ms T.\n# TYPE meridian_a_ms gauge\n"},
		{.text = "# HELP a T.\n# TYPE a gauge\n"},
		{.text = "# HELP meridian_aB T.\n# TYPE meridian_aB gauge\n"},
		{.text = "# HELP meridian_a T.\n# TYPE meridian_a number\n"},
		{.text = SUMMARY "meridian_c_seconds 1\n"},
		{.text = SUMMARY "meridian_c_seconds_total 1\n"},
		{.text = TIMES BUCKET("0.1", "1") BUCKET("1", "1") BUCKET("+Inf", "3") REST("3"),
		 .good = true},
		{.text = TIMES BUCKET("0.1", "1") REST("1")},
		{.text = TIMES BUCKET("0.1", "1") BUCKET("+Inf", "3") REST("1")},
		{.text = TIMES BUCKET("0.1", "2") BUCKET("+Inf", "1") REST("1")},
		{.text = TIMES BUCKET("1", "1") BUCKET("0.1", "1") BUCKET("+Inf", "3") REST("3")},
		{.text = TIMES "meridian_d_seconds_bucket 1\n"},
		{.text = TIMES "meridian_d_seconds 1\n"},
		{.text = TIMES "meridian_d_seconds{quantile=\"0.5\"} 1\n"},
		{.text = SUMMARY "meridian_c_seconds_bucket{le=\"+Inf\"} 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t line;

		print_message("case:\n%s", cases[i].text);
		assert_true((check_exposition(cases[i].text, &line) == NULL) == cases[i].good);
	}
}

static void labels_are_escaped(void **state)
{
	static const struct {
		const char *value;
		size_t size;
		const char *want;
	} cases[] = {
		{.value = "plain", .size = SIZE_MAX, .want = "plain"},
		{.value = "", .size = SIZE_MAX, .want = ""},
		{.value = "cut off", .size = 3, .want = "cut"},
		{.value = "a\"b\\c\nd", .size = SIZE_MAX, .want = "a\\\"b\\\\c\\nd"},
		{.value = "\xe4\xb8\x8a\xe6\xb5\xb7",
		 .size = SIZE_MAX,
		 .want = "\xe4\xb8\x8a\xe6\xb5\xb7"},
		{.value = "\xe4\xb8\x8a\xe6\xb5\xb7", .size = 5, .want = "\xe4\xb8\x8a??"},
		{.value = "\xff.\xc0\xaf.\x80", .size = SIZE_MAX, .want = "?.??.?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf out = {0};
		char want[128];

		print_message("case: %s\n", cases[i].want);
		mrd_metric_family(&out, "meridian_x", MRD_GAUGE, "Text.");
		mrd_metric_begin(&out, "meridian_x", "");
		mrd_metric_label(&out, "a", cases[i].value, cases[i].size);
		mrd_metric_label(&out, "b", "c", SIZE_MAX);
		mrd_metric_end_signed(&out, -2);
		snprintf(want, sizeof(want), "meridian_x{a=\"%s\",b=\"c\"} -2\n", cases[i].want);
		expect_lines(&out, want);
	}
}

static void fractions_are_exact(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};

	(void)state;
	mrd_metric_begin(&out, "a", "");
	mrd_metric_end_micro(&out, UINT64_MAX);
	mrd_metric_begin(&out, "a", "_sum");
	mrd_metric_end_micro(&out, 1000001);
	mrd_metric_begin(&out, "a", "");
	mrd_metric_end_milli(&out, 7);
	assert_string_equal(out.text, "a 18446744073709.551615\na_sum 1.000001\na 0.007\n");
}

static void histograms_are_running_totals(void **state)
{
	struct mrd_histogram histogram = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};

	(void)state;
	mrd_histogram_add(&histogram, 60000);
	mrd_histogram_add(&histogram, 70000);
	mrd_histogram_add(&histogram, 2000000000);
	mrd_histogram_add(&histogram, 40000000000);
	mrd_metric_family(&out, "meridian_x_seconds", MRD_HISTOGRAM, "Text.");
	mrd_metric_histogram(&out, "meridian_x_seconds", NULL, NULL, &histogram);
	mrd_metric_histogram(&out, "meridian_x_seconds", "a", "b", &histogram);
	expect_lines(&out, "# TYPE meridian_x_seconds histogram\n"
			   "meridian_x_seconds_bucket{le=\"0.00005\"} 0\n"
			   "meridian_x_seconds_bucket{le=\"0.0001\"} 2\n"
			   "meridian_x_seconds_bucket{le=\"0.00025\"} 2\n");
	expect_lines(&out, "meridian_x_seconds_bucket{le=\"1\"} 2\n"
			   "meridian_x_seconds_bucket{le=\"2.5\"} 3\n"
			   "meridian_x_seconds_bucket{le=\"5\"} 3\n"
			   "meridian_x_seconds_bucket{le=\"10\"} 3\n"
			   "meridian_x_seconds_bucket{le=\"30\"} 3\n"
			   "meridian_x_seconds_bucket{le=\"+Inf\"} 4\n"
			   "meridian_x_seconds_sum 42.000130\n"
			   "meridian_x_seconds_count 4\n"
			   "meridian_x_seconds_bucket{a=\"b\",le=\"0.00005\"} 0\n");
}

/* --------------------------------------------------------------------------------------- parts */

#define GROUP(region)                                                                      \
	"namespace=\"default\",service=\"reviews\",port=\"http\",protocol=\"TCP\",family=" \
	"\"IPv4\",region=\"" region "\""
#define HANGZHOU	    GROUP("cn-hangzhou")
#define SHANGHAI	    GROUP("cn-shanghai")
#define TIMED(group, bound) "meridian_response_duration_seconds_bucket{" group ",le=\"" bound "\"} "

static void traffic_is_told_by_service_and_region(void **state)
{
	struct mrd_table *groups MRD_CLEANUP(free_table) = NULL;
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};

	assert_int_equal(mrd_traffic_read(*state, &groups), 0);
	assert_int_equal(mrd_metrics_add_traffic(groups, &out), 0);
	expect_lines(&out, "meridian_endpoints{region=\"cn-hangzhou\",state=\"ACTIVE\"} 1\n"
			   "meridian_endpoints{region=\"cn-hangzhou\",state=\"EJECTED\"} 1\n"
			   "meridian_endpoints{region=\"cn-hangzhou\",state=\"DRAINING\"} 0\n"
			   "meridian_endpoints{region=\"cn-hangzhou\",state=\"UNREADY\"} 0\n"
			   "meridian_endpoints{region=\"cn-shanghai\",state=\"ACTIVE\"} 1\n");
	expect_lines(&out, "# TYPE meridian_connections_total counter\n"
			   "meridian_connections_total{" HANGZHOU "} 10\n"
			   "meridian_connections_total{" SHANGHAI "} 30\n"
			   "# HELP ");
	expect_lines(&out, "meridian_connections_established_total{" HANGZHOU "} 8\n");
	expect_lines(&out, "meridian_connections_failed_total{" HANGZHOU "} 2\n"
			   "meridian_connections_failed_total{" SHANGHAI "} 0\n");
	expect_lines(&out, "meridian_connections_open{" HANGZHOU "} 0\n"
			   "meridian_connections_open{" SHANGHAI "} 2\n");
	expect_lines(&out, "meridian_endpoints_ejected{" HANGZHOU "} 1\n"
			   "meridian_endpoints_ejected{" SHANGHAI "} 0\n");
	expect_lines(&out, "meridian_responses_total{" HANGZHOU ",class=\"1xx\"} 0\n"
			   "meridian_responses_total{" HANGZHOU ",class=\"2xx\"} 3\n"
			   "meridian_responses_total{" HANGZHOU ",class=\"3xx\"} 0\n"
			   "meridian_responses_total{" HANGZHOU ",class=\"4xx\"} 0\n"
			   "meridian_responses_total{" HANGZHOU ",class=\"5xx\"} 5\n"
			   "meridian_responses_total{" SHANGHAI ",class=\"1xx\"} 1\n");
	expect_lines(&out, "# TYPE meridian_handshake_duration_seconds summary\n"
			   "meridian_handshake_duration_seconds_sum{" HANGZHOU "} 0.001680\n"
			   "meridian_handshake_duration_seconds_count{" HANGZHOU "} 8\n"
			   "meridian_handshake_duration_seconds_sum{" SHANGHAI "} 0.906000\n"
			   "meridian_handshake_duration_seconds_count{" SHANGHAI "} 30\n");
	expect_lines(
		&out,
		"# TYPE meridian_response_duration_seconds histogram\n" TIMED(
			HANGZHOU,
			"0.0003") "6\n" TIMED(HANGZHOU,
					      "0.001") "6\n" TIMED(HANGZHOU,
								   "0.003") "8\n" TIMED(HANGZHOU,
											"0.01") "8"
												"\n");
	expect_lines(&out,
		     TIMED(HANGZHOU, "10") "8\n" TIMED(
			     HANGZHOU, "+Inf") "8\n"
					       "meridian_response_duration_seconds_sum{" HANGZHOU
					       "} 0.008000\n"
					       "meridian_response_duration_seconds_count{" HANGZHOU
					       "} 8\n" TIMED(SHANGHAI, "0.0003") "0\n");
	expect_lines(
		&out,
		TIMED(SHANGHAI, "0.03") "0\n" TIMED(SHANGHAI, "0.1") "29\n" TIMED(SHANGHAI, "0.3") "29\n" TIMED(
			SHANGHAI,
			"1") "29\n" TIMED(SHANGHAI,
					  "3") "29\n" TIMED(SHANGHAI,
							    "10") "29\n" TIMED(SHANGHAI,
									       "+Inf") "30\n"
										       "meridian_"
										       "response_"
										       "duration_"
										       "seconds_"
										       "sum"
										       "{" SHANGHAI
										       "} "
										       "1.200000\n"
										       "meridian_"
										       "response_"
										       "duration_"
										       "seconds_"
										       "count"
										       "{" SHANGHAI
										       "} 30\n");
	expect_lines(&out, "meridian_traffic_unlisted 0\n");
	assert_null(strstr(out.text, "details")); /* never called */
}

/* Several endpoints of a group are one; a service or region without a name spoils nothing. */
static void endpoints_are_added_up(void **state)
{
	struct mrd_table *groups MRD_CLEANUP(free_table) = NULL;
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};

	fake_endpoint(
		*state, 5,
		(struct mrd_health){.service_id = 7, .state = MRD_STATE_ACTIVE, .locality_id = 1},
		&(struct mrd_stat){.connects = 100, .open = 3});
	fake_endpoint(
		*state, 6,
		(struct mrd_health){.service_id = 7, .state = MRD_STATE_UNREADY, .locality_id = 99},
		&(struct mrd_stat){.connects = 4});
	fake_endpoint(
		*state, 7,
		(struct mrd_health){.service_id = 99, .state = MRD_STATE_ACTIVE, .locality_id = 1},
		&(struct mrd_stat){.connects = 1000});
	assert_int_equal(mrd_traffic_read(*state, &groups), 0);
	assert_int_equal(mrd_metrics_add_traffic(groups, &out), 0);
	expect_lines(&out, "# TYPE meridian_connections_total counter\n"
			   "meridian_connections_total{" GROUP(
				   "") "} 4\n"
				       "meridian_connections_total{" HANGZHOU "} 110\n"
				       "meridian_connections_total{" SHANGHAI "} 30\n"
				       "# HELP ");
	expect_lines(&out, "meridian_connections_open{" HANGZHOU "} 3\n");
	/* Who never answered has no histogram. */
	assert_null(strstr(out.text, TIMED(GROUP(""), "+Inf")));
	expect_lines(&out, TIMED(HANGZHOU, "+Inf") "8\n");
	expect_lines(&out, "meridian_endpoints{region=\"\",state=\"UNREADY\"} 1\n");
}

static void series_are_bounded(void **state)
{
	struct mrd_table *groups MRD_CLEANUP(free_table) = mrd_table_new(free);
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};
	size_t lines = 0;

	(void)state;
	for (unsigned int i = 0; i < MRD_METRICS_GROUPS_MAX + 5; i++) {
		struct mrd_traffic_key key = {.name = {.namespace_ = "n", .service = "s"}};
		struct mrd_traffic *group;

		snprintf(key.name.port_name, sizeof(key.name.port_name), "p%u", i);
		group = mrd_traffic_group(groups, &key);
		assert_non_null(group);
		assert_ptr_equal(mrd_traffic_group(groups, &key), group);
		group->sums.connects = 1;
	}
	assert_int_equal(mrd_metrics_add_traffic(groups, &out), 0);
	for (const char *at = out.text; (at = strstr(at, "\nmeridian_connections_total{")); at++)
		lines++;
	assert_int_equal(lines, MRD_METRICS_GROUPS_MAX);
	assert_non_null(strstr(out.text, "\nmeridian_traffic_unlisted 5\n"));
}

static void the_kernels_part(void **state)
{
	struct mrd_inspect *fake = *state;
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};

	for (unsigned int i = 0; i < MRD_REASON_COUNT; i++)
		fake->reasons[i] = 1000 + i;
	assert_int_equal(mrd_metrics_add_kernel(fake, &out), 0);
	expect_lines(&out, "meridian_programs_attached 2\n");
	expect_lines(&out, "meridian_map_rows{map=\"mrd_name\"} 2\n"
			   "meridian_map_rows{map=\"mrd_service\"} 2\n");
	expect_lines(&out, "meridian_map_rows_max{map=\"mrd_name\"} 8\n"
			   "meridian_map_rows_max{map=\"mrd_service\"} 262144\n");
	/* Each reason once, under a name that says the same as status does. */
	for (unsigned int i = 0; i < MRD_REASON_COUNT; i++) {
		const char *name = mrd_reason_name((enum mrd_reason)i);
		char wanted[16];
		const char *line;
		const char *at;

		snprintf(wanted, sizeof(wanted), " %u\n", 1000 + i);
		at = strstr(out.text, wanted);
		print_message("%s\n", name);
		assert_non_null(at);
		assert_null(strstr(at + 1, wanted));
		for (line = at; line > out.text && line[-1] != '\n';)
			line--;
		if (!strncmp(name, "pick_", 5) || !strncmp(name, "pass_", 5) ||
		    !strncmp(name, "refuse_", 7) || !strncmp(name, "handshake_", 10))
			assert_int_equal(strncmp(strchr(line, '"') + 1, strchr(name, '_') + 1,
						 strlen(strchr(name, '_') + 1)),
					 0);
	}
	expect_lines(&out, "meridian_picks_total{reason=\"failover\"} 1003\n");
	expect_lines(&out, "meridian_refusals_total{reason=\"no_endpoint\"} 1011\n");
	expect_lines(&out, "meridian_events_lost_total 1024\n");
	expect_lines(&out, "meridian_packet_passes_total{reason=\"malformed\"} 1025\n"
			   "meridian_packet_passes_total{reason=\"headers\"} 1026\n"
			   "meridian_packet_passes_total{reason=\"fragment\"} 1027\n");
}

static void readings_that_fail_are_told(void **state)
{
	struct mrd_inspect *fake = *state;

	for (int i = 1; i <= 4; i++) {
		struct mrd_table *groups = NULL;

		print_message("reading %d\n", i);
		fake->reads = 0;
		fake->fail_at = i;
		assert_int_equal(mrd_traffic_read(fake, &groups), -EIO);
		assert_null(groups);
	}
	for (int i = 1; i <= 2; i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf out = {0};

		fake->reads = 0;
		fake->fail_at = i;
		assert_int_equal(mrd_metrics_add_kernel(fake, &out), -EIO);
	}
}

static void the_agents_part(void **state)
{
	const struct mrd_histogram delays[] = {
		{.counts = {[2] = 7}, .sum_us = 1500},
		{.sum_us = 0},
	};
	const struct mrd_metrics_cluster clusters[] = {
		{.name = "ack-hangzhou",
		 .region = "cn-hangzhou",
		 .home = true,
		 .synced = true,
		 .last_heard_ns = 60 * FAKE_NS_PER_S,
		 .delays = &delays[0],
		 .services = 3,
		 .slices = 4,
		 .nodes = 5},
		{.name = "ack-shanghai",
		 .region = "",
		 .failing = true,
		 .behind_since_ns = 95 * FAKE_NS_PER_S,
		 .delays = &delays[1],
		 .broken = 2},
	};
	static const struct mrd_metrics_ejections ejections[] = {
		{.type = "CONSECUTIVE_5XX", .detected = 5, .enforced = 3, .overflow = 2},
		{.type = "SUCCESS_RATE"},
	};
	struct mrd_metrics_agent agent = {
		.version = "1.2.3",
		.node = "node-a",
		.region = "cn-hangzhou",
		.zone = "",
		.now_ns = 100 * FAKE_NS_PER_S,
		.now_wall_ms = 1700000100500,
		.started_ns = 40 * FAKE_NS_PER_S,
		.last_plan_ns = 0,
		.ready = true,
		.services = 6,
		.ports = 7,
		.plans_written = 8,
		.plans_failed = 9,
		.ejected = 1,
		.pods_served = 13,
		.uplinks_served = 2,
		.interfaces_failed = 4,
		.flows_removed = 77,
		.connections_reset = 17,
		.cpu_us = 1500000,
		.resident_bytes = 4096,
		.writes = {[MRD_MAP_ROUTE] = 11},
		.write_failures = {[MRD_MAP_STAT] = 12},
		.clusters = clusters,
		.cluster_count = 2,
		.ejections = ejections,
		.ejection_types = 2,
	};
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0}, later = {0};

	(void)state;
	mrd_metrics_add_agent(&agent, &out);
	expect_lines(&out, "meridian_build_info{version=\"1.2.3\"} 1\n");
	expect_lines(&out,
		     "meridian_node_info{node=\"node-a\",region=\"cn-hangzhou\",zone=\"\"} 1\n");
	expect_lines(&out, "meridian_start_time_seconds 1700000040.500\n");
	expect_lines(&out, "meridian_ready 1\n");
	expect_lines(&out, "meridian_process_cpu_seconds_total 1.500000\n");
	expect_lines(&out, "meridian_process_resident_memory_bytes 4096\n");
	expect_lines(&out, "meridian_services 6\n");
	expect_lines(&out, "meridian_plan_writes_total 8\n");
	expect_lines(&out, "meridian_plan_failures_total 9\n");
	expect_lines(&out, "meridian_plan_last_timestamp_seconds 0.000\n");
	expect_lines(&out, "meridian_map_writes_total{map=\"mrd_route\"} 11\n");
	expect_lines(&out, "meridian_map_write_failures_total{map=\"mrd_stat\"} 12\n");
	expect_lines(&out, "meridian_ejections_detected_total{type=\"CONSECUTIVE_5XX\"} 5\n");
	expect_lines(&out, "meridian_ejections_enforced_total{type=\"CONSECUTIVE_5XX\"} 3\n"
			   "meridian_ejections_enforced_total{type=\"SUCCESS_RATE\"} 0\n");
	expect_lines(&out, "meridian_ejections_overflow_total{type=\"CONSECUTIVE_5XX\"} 2\n");
	expect_lines(&out, "meridian_ejections_active 1\n");
	expect_lines(&out, "meridian_connections_reset_total 17\n");
	expect_lines(&out, "# TYPE meridian_ejection_delay_seconds histogram\n"
			   "meridian_ejection_delay_seconds_bucket{le=\"0.00005\"} 0\n");
	expect_lines(&out, "meridian_ejection_delay_seconds_sum 0.000000\n"
			   "meridian_ejection_delay_seconds_count 0\n");
	expect_lines(&out, "# TYPE meridian_watch_lag_seconds gauge\n"
			   "meridian_watch_lag_seconds{cluster=\"ack-hangzhou\"} 0.000000\n"
			   "meridian_watch_lag_seconds{cluster=\"ack-shanghai\"} 5.000000\n");
	expect_lines(&out, "meridian_watch_delay_seconds_sum{cluster=\"ack-hangzhou\"} 0.001500\n"
			   "meridian_watch_delay_seconds_count{cluster=\"ack-hangzhou\"} 7\n");
	expect_lines(&out, "meridian_interfaces_served{kind=\"pod\"} 13\n"
			   "meridian_interfaces_served{kind=\"uplink\"} 2\n");
	expect_lines(&out, "meridian_interfaces_failed 4\n");
	expect_lines(&out, "meridian_flows_removed_total 77\n");
	expect_lines(&out, "meridian_cluster_info{cluster=\"ack-hangzhou\",region=\"cn-hangzhou\","
			   "home=\"true\"} 1\n");
	expect_lines(&out,
		     "meridian_cluster_last_heard_timestamp_seconds{cluster=\"ack-hangzhou\"} "
		     "1700000060.500\n"
		     "meridian_cluster_last_heard_timestamp_seconds{cluster=\"ack-shanghai\"} "
		     "0.000\n");
	expect_lines(&out, "meridian_cluster_synced{cluster=\"ack-hangzhou\"} 1\n"
			   "meridian_cluster_synced{cluster=\"ack-shanghai\"} 0\n");
	expect_lines(&out, "meridian_cluster_failing{cluster=\"ack-hangzhou\"} 0\n"
			   "meridian_cluster_failing{cluster=\"ack-shanghai\"} 1\n");
	expect_lines(&out, "meridian_cluster_objects_broken{cluster=\"ack-shanghai\"} 2\n");
	expect_lines(&out,
		     "meridian_cluster_objects{cluster=\"ack-hangzhou\",kind=\"Service\"} 3\n"
		     "meridian_cluster_objects{cluster=\"ack-hangzhou\",kind=\"EndpointSlice\"} 4\n"
		     "meridian_cluster_objects{cluster=\"ack-hangzhou\",kind=\"Node\"} 5\n");

	agent.ready = false;
	agent.last_plan_ns = 99 * FAKE_NS_PER_S;
	mrd_histogram_add(&agent.ejection_delay, 200000);
	mrd_histogram_add(&agent.ejection_delay, 800000);
	mrd_histogram_add(&agent.planning, 30000);
	mrd_histogram_add(&agent.writing, 40000);
	mrd_metrics_add_agent(&agent, &later);
	expect_lines(&later, "meridian_ready 0\n");
	expect_lines(&later, "meridian_plan_last_timestamp_seconds 1700000099.500\n");
	expect_lines(&later, "meridian_ejection_delay_seconds_bucket{le=\"0.00025\"} 1\n"
			     "meridian_ejection_delay_seconds_bucket{le=\"0.0005\"} 1\n"
			     "meridian_ejection_delay_seconds_bucket{le=\"0.001\"} 2\n");
	expect_lines(&later, "meridian_ejection_delay_seconds_sum 0.001000\n"
			     "meridian_ejection_delay_seconds_count 2\n");
	expect_lines(&later, "meridian_plan_duration_seconds_sum{step=\"make\"} 0.000030\n"
			     "meridian_plan_duration_seconds_count{step=\"make\"} 1\n");
	expect_lines(&later, "meridian_plan_duration_seconds_sum{step=\"write\"} 0.000040\n"
			     "meridian_plan_duration_seconds_count{step=\"write\"} 1\n");
}

/* A scrape is all parts in one text: no family may stand in two of them. */
static void the_parts_are_one_text(void **state)
{
	const struct mrd_metrics_agent agent = {
		.version = "", .node = "", .region = "", .zone = ""};
	struct mrd_table *groups MRD_CLEANUP(free_table) = NULL;
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};

	assert_int_equal(mrd_traffic_read(*state, &groups), 0);
	mrd_metrics_add_agent(&agent, &out);
	assert_int_equal(mrd_metrics_add_kernel(*state, &out), 0);
	assert_int_equal(mrd_metrics_add_traffic(groups, &out), 0);
	assert_false(out.failed);
	expect_valid(out.text);
}

int main(void)
{
#define WITH_FAKE(test) cmocka_unit_test_setup_teardown(test, make_fake, free_fake)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_check_refuses_what_is_wrong),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(fractions_are_exact),
		cmocka_unit_test(histograms_are_running_totals),
		WITH_FAKE(traffic_is_told_by_service_and_region),
		WITH_FAKE(endpoints_are_added_up),
		cmocka_unit_test(series_are_bounded),
		WITH_FAKE(the_kernels_part),
		WITH_FAKE(readings_that_fail_are_told),
		cmocka_unit_test(the_agents_part),
		WITH_FAKE(the_parts_are_one_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
