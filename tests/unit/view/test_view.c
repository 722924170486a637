/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fake_inspect.h"

static const uint64_t now_ns = FAKE_NOW_S * FAKE_NS_PER_S;

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

/* The document as one line, reals as meridianctl prints them. Takes the reference. */
static char *dump(json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(9));

	json_decref(doc);
	assert_non_null(text);
	return text;
}

static void expect_text(void (*print)(const json_t *doc, FILE *out), json_t *doc, const char *want)
{
	MRD_AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(doc);
	assert_non_null(out);
	print(doc, out);
	fclose(out);
	json_decref(doc);
	print_message("%s", text);
	assert_string_equal(text, want);
}

/* ---------------------------------------------------------------------------------- documents */

static void services_join_names_vips_and_routes(void **state)
{
	MRD_AUTO_FREE char *text = dump(mrd_view_services(*state));

	assert_string_equal(
		text, "{\"services\":["
		      "{\"service\":\"default/details\",\"port\":\"\",\"protocol\":\"TCP\","
		      "\"family\":\"IPv4\",\"service_id\":3,\"vips\":[\"172.16.0.10:9080\"],"
		      "\"affinity_timeout_s\":0,\"mode\":\"none\",\"hops\":[]},"
		      "{\"service\":\"default/reviews\",\"port\":\"http\",\"protocol\":\"TCP\","
		      "\"family\":\"IPv4\",\"service_id\":7,\"vips\":[\"172.16.0.20:9080\"],"
		      "\"affinity_timeout_s\":0,\"mode\":\"failover\",\"hops\":["
		      "{\"region\":\"cn-hangzhou\",\"zone\":\"cn-hangzhou-h\",\"subzone\":\"\","
		      "\"priority\":0,\"share_percent\":70.0,\"members\":1,\"accept\":\"active\"},"
		      "{\"region\":\"cn-shanghai\",\"zone\":\"\",\"subzone\":\"\",\"priority\":1,"
		      "\"share_percent\":30.0,\"members\":1,\"accept\":\"active\"}]}]}");
}

static void a_service_has_all_its_vips_in_order(void **state)
{
	struct mrd_inspect *fake = *state;
	struct mrd_vip_key six = {
		.addr = {0xfd, 0, [15] = 0x14},
		.family = MRD_FAMILY_IPV6,
		.protocol = MRD_PROTOCOL_TCP,
		.port = 80,
	};
	struct mrd_vip_key before = {
		.addr = {10, 9, 9, 9},
		.family = MRD_FAMILY_IPV4,
		.protocol = MRD_PROTOCOL_TCP,
		.port = 80,
	};
	struct mrd_service service = {
		.service_id = 3,
		.affinity = MRD_AFFINITY_CLIENT_IP,
		.affinity_timeout_s = 10800,
	};
	json_t *doc, *details;

	fake_put(fake, MRD_MAP_SERVICE, &six, &service);
	fake_put(fake, MRD_MAP_SERVICE, &before, &service);
	doc = mrd_view_services(fake);
	details = json_array_get(json_object_get(doc, "services"), 0);
	assert_int_equal(json_integer_value(json_object_get(details, "affinity_timeout_s")), 10800);
	MRD_AUTO_FREE char *vips = json_dumps(json_object_get(details, "vips"), JSON_COMPACT);
	assert_string_equal(vips, "[\"10.9.9.9:80\",\"172.16.0.10:9080\",\"[fd00::14]:80\"]");
	json_decref(doc);
}

static void endpoints_tell_state_counters_and_times(void **state)
{
	MRD_AUTO_FREE char *text = dump(mrd_view_endpoints(*state, NULL, now_ns));

	assert_string_equal(
		text,
		"{\"endpoints\":["
		"{\"service\":\"default/reviews\",\"port\":\"http\",\"protocol\":\"TCP\","
		"\"family\":\"IPv4\",\"address\":\"10.0.0.5:9080\",\"endpoint_id\":11,"
		"\"region\":\"cn-hangzhou\",\"zone\":\"cn-hangzhou-h\",\"subzone\":\"\","
		"\"state\":\"ACTIVE\",\"ejected_for_ms\":0,\"ejections\":0,\"open\":0,"
		"\"connects\":0,\"established\":0,\"failed\":0,"
		"\"responses\":{\"1xx\":0,\"2xx\":0,\"3xx\":0,\"4xx\":0,\"5xx\":0},"
		"\"handshake_mean_ms\":null,\"response_mean_ms\":null,\"last_heard_ms_ago\":null},"
		"{\"service\":\"default/reviews\",\"port\":\"http\",\"protocol\":\"TCP\","
		"\"family\":\"IPv4\",\"address\":\"10.0.0.6:9080\",\"endpoint_id\":12,"
		"\"region\":\"cn-hangzhou\",\"zone\":\"cn-hangzhou-h\",\"subzone\":\"\","
		"\"state\":\"EJECTED\",\"ejected_for_ms\":75000,\"ejections\":2,\"open\":0,"
		"\"connects\":10,\"established\":8,\"failed\":2,"
		"\"responses\":{\"1xx\":0,\"2xx\":3,\"3xx\":0,\"4xx\":0,\"5xx\":5},"
		"\"handshake_mean_ms\":0.21,\"response_mean_ms\":1.0,\"last_heard_ms_ago\":null},"
		"{\"service\":\"default/reviews\",\"port\":\"http\",\"protocol\":\"TCP\","
		"\"family\":\"IPv4\",\"address\":\"10.1.0.7:9080\",\"endpoint_id\":21,"
		"\"region\":\"cn-shanghai\",\"zone\":\"\",\"subzone\":\"\","
		"\"state\":\"ACTIVE\",\"ejected_for_ms\":0,\"ejections\":0,\"open\":2,"
		"\"connects\":30,\"established\":30,\"failed\":0,"
		"\"responses\":{\"1xx\":1,\"2xx\":28,\"3xx\":0,\"4xx\":2,\"5xx\":0},"
		"\"handshake_mean_ms\":30.2,\"response_mean_ms\":40.0,"
		"\"last_heard_ms_ago\":2000}]}");
}

static void endpoints_of_one_service(void **state)
{
	static const struct {
		const char *service;
		size_t want;
	} cases[] = {
		{.service = NULL, .want = 3},
		{.service = "default/reviews", .want = 3},
		{.service = "default/review", .want = 0},
		{.service = "default/reviewsx", .want = 0},
		{.service = "default/details", .want = 0},
		{.service = "other/reviews", .want = 0},
		{.service = "defaultx/reviews", .want = 0},
		{.service = "default", .want = 0},
		{.service = "", .want = 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *doc = mrd_view_endpoints(*state, cases[i].service, now_ns);

		print_message("%s\n", cases[i].service ? cases[i].service : "(all)");
		assert_int_equal(json_array_size(json_object_get(doc, "endpoints")), cases[i].want);
		json_decref(doc);
	}
}

/* The sweep that ends an ejection comes a moment after its time. */
static void an_ejection_whose_time_is_over_has_nothing_left(void **state)
{
	json_t *doc = mrd_view_endpoints(*state, NULL, now_ns + 75 * FAKE_NS_PER_S);
	json_t *ejected = json_array_get(json_object_get(doc, "endpoints"), 1);

	assert_string_equal(json_string_value(json_object_get(ejected, "state")), "EJECTED");
	assert_int_equal(json_integer_value(json_object_get(ejected, "ejected_for_ms")), 0);
	json_decref(doc);
}

static void regions_add_up(void **state)
{
	MRD_AUTO_FREE char *text = dump(mrd_view_regions(*state));

	assert_string_equal(
		text, "{\"regions\":["
		      "{\"region\":\"cn-hangzhou\","
		      "\"endpoints\":{\"ACTIVE\":1,\"EJECTED\":1,\"DRAINING\":0,\"UNREADY\":0},"
		      "\"connects\":10,\"connects_percent\":25.0,\"failed\":2,\"open\":0,"
		      "\"responses\":{\"1xx\":0,\"2xx\":3,\"3xx\":0,\"4xx\":0,\"5xx\":5}},"
		      "{\"region\":\"cn-shanghai\","
		      "\"endpoints\":{\"ACTIVE\":1,\"EJECTED\":0,\"DRAINING\":0,\"UNREADY\":0},"
		      "\"connects\":30,\"connects_percent\":75.0,\"failed\":0,\"open\":2,"
		      "\"responses\":{\"1xx\":1,\"2xx\":28,\"3xx\":0,\"4xx\":2,\"5xx\":0}}]}");
}

static void the_kernel_tells_programs_fill_and_counters(void **state)
{
	MRD_AUTO_FREE char *text = dump(mrd_view_kernel(*state));

	assert_string_equal(
		text,
		"{\"programs\":[{\"program\":\"mrd_connect4\",\"link_id\":12,\"program_id\":345},"
		"{\"program\":\"mrd_sockops\",\"link_id\":9,\"program_id\":67}],"
		"\"maps\":[{\"map\":\"mrd_name\",\"rows\":2,\"limit\":8},"
		"{\"map\":\"mrd_service\",\"rows\":2,\"limit\":262144}],"
		"\"counters\":{\"pass_not_service\":1234567,\"pick_failover\":40}}");
}

/* Read without an agent in between, rows of two writes may meet, or miss their partner. */
static void rows_that_do_not_fit_together_are_shown_as_far_as_they_go(void **state)
{
	struct mrd_inspect *fake = *state;
	const uint32_t details = 3;
	struct mrd_route torn = {
		.service_id = details,
		.mode = (enum mrd_mode)99,
		.hop_count = 999,
		.hops = {{.locality_id = 77, .until = 5000}, {.locality_id = 1, .until = 4000}},
	};
	struct mrd_name full = {.protocol = (enum mrd_protocol)200};
	const uint32_t full_id = 9;
	json_t *doc, *entry, *hops;

	memset(full.namespace_, 'n', MRD_NAME_LEN);
	memset(full.service, 's', MRD_NAME_LEN);
	memset(full.port_name, 'p', MRD_NAME_LEN);
	fake_put(fake, MRD_MAP_NAME, &full_id, &full);
	fake_put(fake, MRD_MAP_ROUTE, &details, &torn);
	fake_endpoint(fake, 99,
		      (struct mrd_health){
			      .service_id = 55, .locality_id = 77, .state = (enum mrd_state)42},
		      NULL);
	doc = mrd_view_services(fake);
	assert_int_equal(json_array_size(json_object_get(doc, "services")), 3);
	entry = json_array_get(json_object_get(doc, "services"), 2);
	assert_int_equal(json_string_length(json_object_get(entry, "service")),
			 2 * MRD_NAME_LEN + 1);
	assert_string_equal(json_string_value(json_object_get(entry, "protocol")), "unknown");
	entry = json_array_get(json_object_get(doc, "services"), 0);
	hops = json_object_get(entry, "hops");
	assert_int_equal(json_array_size(hops), MRD_HOPS_MAX);
	assert_true(json_real_value(json_object_get(json_array_get(hops, 1), "share_percent")) ==
		    0);
	json_decref(doc);
	doc = mrd_view_endpoints(fake, NULL, now_ns);
	entry = json_array_get(json_object_get(doc, "endpoints"), 0);
	assert_string_equal(json_string_value(json_object_get(entry, "service")), "");
	assert_string_equal(json_string_value(json_object_get(entry, "region")), "");
	assert_string_equal(json_string_value(json_object_get(entry, "state")), "UNKNOWN");
	json_decref(doc);
	doc = mrd_view_regions(fake);
	entry = json_array_get(json_object_get(doc, "regions"), 0);
	assert_string_equal(json_string_value(json_object_get(entry, "region")), "");
	json_decref(doc);
}

static json_t *all_endpoints(const struct mrd_inspect *inspect)
{
	return mrd_view_endpoints(inspect, NULL, now_ns);
}

static void a_map_that_cannot_be_read_gives_no_document(void **state)
{
	static const struct {
		const char *name;
		json_t *(*make)(const struct mrd_inspect *inspect);
		int reads;
	} cases[] = {
		{.name = "services", .make = mrd_view_services, .reads = 4},
		{.name = "endpoints", .make = all_endpoints, .reads = 4},
		{.name = "regions", .make = mrd_view_regions, .reads = 3},
		{.name = "kernel", .make = mrd_view_kernel, .reads = 2},
	};
	struct mrd_inspect *fake = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int at = 1; at <= cases[i].reads; at++) {
			print_message("%s, reading %d\n", cases[i].name, at);
			fake->reads = 0;
			fake->fail_at = at;
			assert_null(cases[i].make(fake));
		}
		fake->fail_at = 0;
		fake->reads = 0;
		json_decref(cases[i].make(fake));
		assert_int_equal(fake->reads, cases[i].reads);
	}
}

/* --------------------------------------------------------------------------------------- text */

static void services_as_a_table(void **state)
{
	struct mrd_inspect *fake = *state;
	const uint32_t lost = 4;
	const struct mrd_route nothing = {
		.service_id = lost,
		.mode = MRD_MODE_POOL,
		.hop_count = 1,
		.hops = {{.locality_id = 1, .accept = MRD_ACCEPT_DRAINING}},
	};

	fake_service(fake, lost, "lost", "tcp-echo", 30);
	fake_put(fake, MRD_MAP_ROUTE, &lost, &nothing);
	expect_text(mrd_view_print_services, mrd_view_services(fake),
		    "SERVICE          PORT          VIP               MODE      ROUTE\n"
		    "default/details  TCP           172.16.0.10:9080  none      "
		    "refused: nothing usable\n"
		    "default/lost     tcp-echo/TCP  172.16.0.30:9080  pool      "
		    "refused: nothing usable; cn-hangzhou/cn-hangzhou-h 0% (0 draining)\n"
		    "default/reviews  http/TCP      172.16.0.20:9080  failover  "
		    "cn-hangzhou/cn-hangzhou-h 70% (1), cn-shanghai 30% (1)\n");
}

static void endpoints_as_a_table(void **state)
{
	expect_text(
		mrd_view_print_endpoints, mrd_view_endpoints(*state, NULL, now_ns),
		"SERVICE          PORT  ADDRESS        REGION                     STATE          "
		"EJECTIONS  OPEN  CONNECTS  FAILED  2XX  3XX  4XX  5XX  HANDSHAKE  RESPONSE\n"
		"default/reviews  http  10.0.0.5:9080  cn-hangzhou/cn-hangzhou-h  ACTIVE         "
		"        0     0         0       0    0    0    0    0          -         -\n"
		"default/reviews  http  10.0.0.6:9080  cn-hangzhou/cn-hangzhou-h  EJECTED 1m15s  "
		"        2     0        10       2    3    0    0    5     0.21ms    1.00ms\n"
		"default/reviews  http  10.1.0.7:9080  cn-shanghai                ACTIVE         "
		"        0     2        30       0   28    0    2    0    30.20ms   40.00ms\n");
}

static void regions_as_a_table(void **state)
{
	expect_text(mrd_view_print_regions, mrd_view_regions(*state),
		    "REGION       ACTIVE  EJECTED  DRAINING  UNREADY  OPEN  CONNECTS  SHARE  "
		    "FAILED  2XX  3XX  4XX  5XX\n"
		    "cn-hangzhou       1        1         0        0     0        10  25.0%  "
		    "     2    3    0    0    5\n"
		    "cn-shanghai       1        0         0        0     2        30  75.0%  "
		    "     0   28    0    2    0\n");
}

#define KERNEL_TEXT                          \
	"\n"                                 \
	"PROGRAM       LINK   ID\n"          \
	"mrd_connect4    12  345\n"          \
	"mrd_sockops      9   67\n"          \
	"\n"                                 \
	"MAP          ROWS   LIMIT   FILL\n" \
	"mrd_name        2       8  25.0%\n" \
	"mrd_service     2  262144   0.0%\n" \
	"\n"                                 \
	"COUNTER             COUNT\n"        \
	"pass_not_service  1234567\n"        \
	"pick_failover          40\n"

static void status_of_an_agent(void **state)
{
	static const char agent[] =
		"{\"agent\":{\"version\":\"0.1.0\",\"pid\":42,\"uptime_s\":3725,"
		"\"node\":\"node-a\",\"region\":\"cn-hangzhou\",\"zone\":\"\",\"subzone\":\"\","
		"\"adoption\":\"adopted\",\"holding\":true,\"held\":3,\"services\":2,\"policy_"
		"rules\":1,"
		"\"ejected\":1,\"last_plan_ms_ago\":1500,"
		"\"features\":[{\"name\":\"bpf_set_retval\",\"used\":true},"
		"{\"name\":\"atomic_fetch_add\",\"used\":false,\"consequence\":\"per CPU\"}],"
		"\"unwritten\":[{\"service\":\"default/big\",\"error\":\"mrd_member is full\","
		"\"since_ms\":90000,\"has_plan\":true},{\"service\":\"default/new\","
		"\"error\":\"mrd_member is full\",\"since_ms\":2000,\"has_plan\":false}]},"
		"\"clusters\":[{\"name\":\"ack-hangzhou\",\"region\":\"cn-hangzhou\","
		"\"home\":true,\"source\":\"/state/h\",\"last_heard_ms_ago\":200,\"error\":\"\","
		"\"failing_for_ms\":null,\"services\":4,\"slices\":4,\"nodes\":1,"
		"\"broken_files\":0},"
		"{\"name\":\"ack-shanghai\",\"region\":\"\",\"home\":false,\"source\":\"/state/s\","
		"\"last_heard_ms_ago\":null,\"error\":\"/state/s: No such file or directory\","
		"\"failing_for_ms\":61000,\"services\":0,\"slices\":0,\"nodes\":0,"
		"\"broken_files\":2,\"broken_for_ms\":5000,\"broken_objects\":3,"
		"\"broken\":[\"a.yaml:1:1: error: kind: missing\",\"b: error: x\"],\"resources\":["
		"{\"resource\":\"services\",\"version\":\"17\",\"missing\":false},"
		"{\"resource\":\"nodes\",\"version\":\"\",\"missing\":false},"
		"{\"resource\":\"destinationrules\",\"version\":\"\",\"missing\":true}]}]}";
	json_t *doc = json_loads(agent, 0, NULL);

	json_object_set_new(doc, "kernel", mrd_view_kernel(*state));
	expect_text(
		mrd_view_print_status, doc,
		"agent 0.1.0, pid 42, up 1h02m, node node-a in cn-hangzhou; maps adopted\n"
		"  services 2, policy rules 1, endpoints ejected 1, last plan 1s ago\n"
		"  holding 3 services as they were adopted, until all that tells of them is "
		"read\n"
		"  feature bpf_set_retval: in use\n"
		"  feature atomic_fetch_add: missing: per CPU\n"
		"  NOT WRITTEN default/big: mrd_member is full, for 1m30s; the kernel keeps "
		"the plan before\n"
		"  NOT WRITTEN default/new: mrd_member is full, for 2s; the kernel has no plan of "
		"it\n"
		"\n"
		"CLUSTER              REGION       SOURCE        HEARD  SERVICES  SLICES  NODES  "
		"BROKEN\n"
		"ack-hangzhou (home)  cn-hangzhou  /state/h  200ms ago         4       4      1  "
		"     0\n"
		"ack-shanghai         -            /state/s      never         0       0      0  "
		"     5\n"
		"  ack-shanghai at version: services 17, nodes none, destinationrules not served\n"
		"  NOT UNDERSTOOD a.yaml:1:1: error: kind: missing\n"
		"  NOT UNDERSTOOD b: error: x\n"
		"  NOT UNDERSTOOD of ack-shanghai: 3 more, which the log names\n"
		"  ack-shanghai fails for 1m01s: /state/s: No such file or directory\n"
		"  ack-shanghai has broken files for 5s\n" KERNEL_TEXT);
}

static void status_of_rejected_rules(void **state)
{
	json_t *doc = json_pack(
		"{s:{s:b, s:[{s:s, s:s, s:[s]}, {s:s, s:s, s:[]}]}, s:[], s:n}", "agent", "waiting",
		true, "rules_rejected", "rule", "east/shop/web", "holds", "before", "findings",
		"east/shop/web: error: spec.hots: unknown field", "rule", "east/shop/db", "holds",
		"nothing", "findings", "clusters", "kernel");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	mrd_view_print_status(doc, out);
	fclose(out);
	print_message("%s\n", text);
	assert_non_null(strstr(text, "  waiting for clusters to be read\n"
				     "  RULE REJECTED east/shop/web: its version before holds\n"
				     "    east/shop/web: error: spec.hots: unknown field\n"
				     "  RULE REJECTED east/shop/db: nothing of it holds\n"));
	free(text);
	json_decref(doc);
}

static void status_of_a_rejected_policy(void **state)
{
	static const struct {
		const char *holds;
		const char *want;
	} cases[] = {
		{"before", "the policy before holds"},
		{"kernel", "the kernel keeps the plan of the agent before, nothing new is planned"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *doc =
			json_pack("{s:{s:{s:i, s:s, s:[s, s]}}, s:[], s:n}", "agent",
				  "policy_rejected", "since_ms", 61000, "holds", cases[i].holds,
				  "findings", "p.yaml:3:1: error: spec.hots: unknown field",
				  "p.yaml:9:2: error: too", "clusters", "kernel");
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		char line[160];

		(void)state;
		print_message("case: %s\n", cases[i].holds);
		mrd_view_print_status(doc, out);
		fclose(out);
		snprintf(line, sizeof(line),
			 "  POLICY REJECTED for 1m01s: %s\n"
			 "    p.yaml:3:1: error: spec.hots: unknown field\n"
			 "    p.yaml:9:2: error: too\n",
			 cases[i].want);
		assert_non_null(strstr(text, line));
		free(text);
		json_decref(doc);
	}
}

static void status_of_metrics(void **state)
{
	static const struct {
		const char *error; /* NULL: there are to be none */
		const char *want;
	} cases[] = {
		{.error = "", .want = "  metrics on [::1]:9464\n"},
		{.error = "Address already in use",
		 .want = "  METRICS NOT SERVED on [::1]:9464: Address already in use\n"},
		{.error = NULL, .want = NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *metrics = cases[i].error ? json_pack("{s:s, s:s}", "address", "[::1]:9464",
							     "error", cases[i].error)
						 : json_null();
		json_t *doc = json_pack("{s:{s:o}, s:[], s:n}", "agent", "metrics", metrics,
					"clusters", "kernel");
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		print_message("case: %s\n", cases[i].want ? cases[i].want : "none");
		mrd_view_print_status(doc, out);
		fclose(out);
		if (cases[i].want)
			assert_non_null(strstr(text, cases[i].want));
		else
			assert_null(strcasestr(text, "metrics"));
		free(text);
		json_decref(doc);
	}
}

static void status_of_resets(void **state)
{
	static const struct {
		const char *error; /* NULL: no service asks */
		const char *want;
	} cases[] = {
		{.error = "", .want = NULL},
		{.error = "no right",
		 .want = "  CONNECTIONS NOT RESET, as on-eject asks of 3 ports: no right\n"},
		{.error = NULL, .want = NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *resets = cases[i].error ? json_pack("{s:i, s:s}", "ports", 3, "error",
							    cases[i].error)
						: json_null();
		json_t *doc = json_pack("{s:{s:o}, s:[], s:n}", "agent", "resets", resets,
					"clusters", "kernel");
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		print_message("case: %s\n", cases[i].want ? cases[i].want : "none");
		mrd_view_print_status(doc, out);
		fclose(out);
		if (cases[i].want)
			assert_non_null(strstr(text, cases[i].want));
		else
			assert_null(strcasestr(text, "reset"));
		free(text);
		json_decref(doc);
	}
}

static void status_of_interfaces(void **state)
{
	static const struct {
		const char *interfaces;
		const char *want[4];
	} cases[] = {
		{
			.interfaces = "{\"mode\": \"none\", \"error\": \"\", \"list\": []}",
			.want = {"\ninterfaces: none\n"},
		},
		{
			.interfaces = "{\"mode\": \"tcx\", \"error\": \"\", \"list\": []}",
			.want = {"\ninterfaces: none to be served\n"},
		},
		{
			.interfaces = "{\"mode\": \"none\", \"error\": \"too old: buy\", "
				      "\"list\": []}",
			.want = {"\ninterfaces: none\n", "  NOT SERVED: too old: buy\n"},
		},
		{
			.interfaces =
				"{\"mode\": \"clsact\", \"error\": \"\", \"list\": "
				"[{\"interface\": "
				"\"cali1\", \"index\": 7, \"kind\": \"pod\", \"served\": true, "
				"\"error\": "
				"\"\"}, {\"interface\": \"eth0\", \"index\": 2, \"kind\": "
				"\"uplink\", "
				"\"served\": false, \"error\": \"full: empty it\"}, "
				"{\"interface\": "
				"\"cali2\", \"index\": 12, \"kind\": \"pod\", \"served\": false, "
				"\"error\": \"\"}]}",
			.want = {"INTERFACE  INDEX  KIND    TC\n"
				 "cali1          7  pod     clsact\n",
				 "eth0           2  uplink  failed\n",
				 "cali2         12  pod     waiting\n",
				 "  NOT SERVED eth0: full: empty it\n"},
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *doc =
			json_pack("{s:{s:o}, s:[], s:n}", "agent", "interfaces",
				  json_loads(cases[i].interfaces, 0, NULL), "clusters", "kernel");
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_non_null(doc);
		mrd_view_print_status(doc, out);
		fclose(out);
		print_message("%s\n", text);
		for (size_t k = 0; k < 4 && cases[i].want[k]; k++)
			assert_non_null(strstr(text, cases[i].want[k]));
		free(text);
		json_decref(doc);
	}
}

static void status_without_an_agent(void **state)
{
	expect_text(mrd_view_print_status,
		    json_pack("{s:n, s:[], s:o}", "agent", "clusters", "kernel",
			      mrd_view_kernel(*state)),
		    "agent not running\n" KERNEL_TEXT);
	expect_text(mrd_view_print_status, json_object(),
		    "agent not running\n\nnothing in the kernel\n");
}

static void documents_without_rows_have_a_header(void **state)
{
	(void)state;
	expect_text(mrd_view_print_services, json_object(), "SERVICE  PORT  VIP  MODE  ROUTE\n");
}

int main(void)
{
#define OF_GUIDE(test) cmocka_unit_test_setup_teardown(test, make_fake, free_fake)
	const struct CMUnitTest tests[] = {
		OF_GUIDE(services_join_names_vips_and_routes),
		OF_GUIDE(a_service_has_all_its_vips_in_order),
		OF_GUIDE(endpoints_tell_state_counters_and_times),
		OF_GUIDE(endpoints_of_one_service),
		OF_GUIDE(an_ejection_whose_time_is_over_has_nothing_left),
		OF_GUIDE(regions_add_up),
		OF_GUIDE(the_kernel_tells_programs_fill_and_counters),
		OF_GUIDE(rows_that_do_not_fit_together_are_shown_as_far_as_they_go),
		OF_GUIDE(a_map_that_cannot_be_read_gives_no_document),
		OF_GUIDE(services_as_a_table),
		OF_GUIDE(endpoints_as_a_table),
		OF_GUIDE(regions_as_a_table),
		OF_GUIDE(status_of_an_agent),
		OF_GUIDE(status_of_rejected_rules),
		OF_GUIDE(status_of_metrics),
		OF_GUIDE(status_of_resets),
		OF_GUIDE(status_of_a_rejected_policy),
		OF_GUIDE(status_of_interfaces),
		OF_GUIDE(status_without_an_agent),
		cmocka_unit_test(documents_without_rows_have_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
