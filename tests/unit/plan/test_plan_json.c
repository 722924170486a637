/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/plan_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct mrd_ip ip(uint8_t last)
{
	return (struct mrd_ip){.bytes = {10, 0, 0, last}, .version = MRD_IPV4};
}

static void a_plan_is_written_with_every_key(void **state)
{
	static const char want[] =
		"{\"from\":\"r1/z\",\"services\":[{\"service\":\"default/a\\\"b\",\"port\":\"\","
		"\"number\":53,\"protocol\":\"UDP\",\"family\":\"IPv6\",\"vips\":[\"[fd00::5]:53\"]"
		","
		"\"mode\":\"failover\",\"hops\":[{\"region\":\"r1\",\"zone\":\"z\",\"subzone\":"
		"\"\","
		"\"priority\":0,\"share\":0.7,\"panic\":true,\"healthy\":1,\"total\":2,"
		"\"endpoints\":[{\"address\":\"10.0.0.5:8080\",\"cluster\":\"c1\",\"state\":"
		"\"ACTIVE\","
		"\"share\":0.7},{\"address\":\"10.0.0.6:8081\",\"cluster\":\"c1\","
		"\"state\":\"EJECTED\",\"share\":0}]},{\"region\":\"r2\",\"zone\":\"\","
		"\"subzone\":\"s\",\"priority\":1,\"share\":0.3,\"panic\":false,\"healthy\":0,"
		"\"total\":0,\"endpoints\":[]}],\"warnings\":[\"one\",\"two\"]}]}\n";
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	struct mrd_ip vip = {.bytes = {0xfd, [15] = 5}, .version = MRD_IPV6};
	struct mrd_plan_endpoint endpoints[] = {
		{.ip = ip(5),
		 .port = 8080,
		 .cluster_name = (char *)"c1",
		 .state = MRD_STATE_ACTIVE,
		 .share = 0.7},
		{.ip = ip(6),
		 .port = 8081,
		 .cluster_name = (char *)"c1",
		 .state = MRD_STATE_EJECTED},
	};
	struct mrd_plan_hop hops[] = {
		{.region = (char *)"r1",
		 .zone = (char *)"z",
		 .subzone = (char *)"",
		 .panic = true,
		 .share = 1 - 0.3, /* 0.7 in arithmetic only */
		 .healthy = 1,
		 .total = 2,
		 .endpoints = endpoints,
		 .endpoint_count = 2},
		{.region = (char *)"r2",
		 .zone = (char *)"",
		 .subzone = (char *)"s",
		 .priority = 1,
		 .share = 1 - 0.7},
	};
	char *warnings[] = {(char *)"one", (char *)"two"};
	struct mrd_plan_port port = {
		.name = (char *)"",
		.number = 53,
		.protocol = MRD_PROTOCOL_UDP,
		.family = MRD_FAMILY_IPV6,
		.vips = &vip,
		.vip_count = 1,
		.mode = MRD_MODE_FAILOVER,
		.hops = hops,
		.hop_count = 2,
		.warnings = warnings,
		.warning_count = 2,
	};
	struct mrd_plan plan = {
		.namespace_ = (char *)"default",
		.service = (char *)"a\"b",
		.ports = &port,
		.port_count = 1,
	};
	struct mrd_plan *plans[] = {&plan};
	const struct mrd_plan_node node = {.name = "", .region = "r1", .zone = "z", .subzone = ""};

	(void)state;
	mrd_plans_json(&node, plans, 1, &text);
	assert_false(text.failed);
	assert_string_equal(text.text, want);
}

static void shares_are_decimals_as_short_as_they_are_exact(void **state)
{
	static const struct {
		double share;
		const char *want;
	} cases[] = {
		{.share = 0, .want = "\"share\":0,"},
		{.share = 1, .want = "\"share\":1,"},
		{.share = 0.69999999999999996, .want = "\"share\":0.7,"},
		{.share = 1 - 0.9, .want = "\"share\":0.1,"},
		{.share = 0.1 + 0.2, .want = "\"share\":0.3,"},
		{.share = 0.35 * 3 / 3, .want = "\"share\":0.35,"},
		{.share = 1.0 / 3, .want = "\"share\":0.333333333333333,"},
		{.share = 1.0 / 1024, .want = "\"share\":0.0009765625,"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
		struct mrd_plan_hop hop = {
			.region = (char *)"r",
			.zone = (char *)"",
			.subzone = (char *)"",
			.share = cases[i].share,
		};
		const struct mrd_plan_port port = {
			.name = (char *)"",
			.hops = &hop,
			.hop_count = 1,
		};
		const struct mrd_plan plan = {.namespace_ = (char *)"n", .service = (char *)"s"};

		print_message("%.17g\n", cases[i].share);
		mrd_plan_port_json(&plan, &port, &text);
		assert_non_null(strstr(text.text, cases[i].want));
	}
}

static void entries_are_sorted(void **state)
{
	static const char *const want[] = {
		"a/z\",\"port\":\"2t4\"",  "a/z\",\"port\":\"10t4\"",  "a/z\",\"port\":\"10t6\"",
		"a/z\",\"port\":\"10u4\"", "a-b/y\",\"port\":\"1t4\"", "b/a\",\"port\":\"1t4\"",
	};
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	struct mrd_plan_port first = {
		.name = (char *)"1t4",
		.number = 1,
		.protocol = MRD_PROTOCOL_TCP,
		.family = MRD_FAMILY_IPV4,
	};
	struct mrd_plan_port ports[] = {
		{.name = (char *)"10u4",
		 .number = 10,
		 .protocol = MRD_PROTOCOL_UDP,
		 .family = MRD_FAMILY_IPV4},
		{.name = (char *)"10t6",
		 .number = 10,
		 .protocol = MRD_PROTOCOL_TCP,
		 .family = MRD_FAMILY_IPV6},
		{.name = (char *)"10t4",
		 .number = 10,
		 .protocol = MRD_PROTOCOL_TCP,
		 .family = MRD_FAMILY_IPV4},
		{.name = (char *)"2t4",
		 .number = 2,
		 .protocol = MRD_PROTOCOL_TCP,
		 .family = MRD_FAMILY_IPV4},
	};
	struct mrd_plan all[] = {
		{.namespace_ = (char *)"b",
		 .service = (char *)"a",
		 .ports = &first,
		 .port_count = 1},
		{.namespace_ = (char *)"a-b",
		 .service = (char *)"y",
		 .ports = &first,
		 .port_count = 1},
		{.namespace_ = (char *)"a",
		 .service = (char *)"z",
		 .ports = ports,
		 .port_count = 4},
		{.namespace_ = (char *)"a", .service = (char *)"none"},
	};
	struct mrd_plan *plans[] = {&all[0], &all[1], &all[2], &all[3]};
	const struct mrd_plan_node node = {.name = "", .region = "", .zone = "", .subzone = ""};
	const char *at;

	(void)state;
	mrd_plans_json(&node, plans, 4, &text);
	at = strstr(text.text, "\"services\":[");
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		print_message("%s\n", want[i]);
		at = strstr(at, want[i]);
		assert_non_null(at);
	}
	assert_null(strstr(text.text, "none"));
	assert_null(strstr(text.text, "}],\"warnings\""));
}

static void what_has_no_entry_is_said(void **state)
{
	struct mrd_plan_left_out why[] = {{.why = (char *)"no \"b\""}, {.why = (char *)"no c"}};
	struct mrd_plan all[] = {
		{.namespace_ = (char *)"a",
		 .service = (char *)"x",
		 .left_out = why,
		 .left_out_count = 2},
		{.namespace_ = (char *)"a", .service = (char *)"y"},
		{.namespace_ = (char *)"a",
		 .service = (char *)"z",
		 .left_out = why,
		 .left_out_count = 1},
	};
	struct mrd_plan *plans[] = {&all[0], &all[1], &all[2]};
	const struct mrd_plan_node node = {.name = "", .region = "r", .zone = "", .subzone = ""};
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	(void)state;
	mrd_plans_json(&node, plans, 3, &text);
	assert_string_equal(text.text,
			    "{\"from\":\"r\",\"services\":[],\"warnings\":[\"a/x: no \\\"b\\\"\","
			    "\"a/x: no c\",\"a/z: no \\\"b\\\"\"]}\n");
}

static void a_node_is_named_as_far_as_it_is_known(void **state)
{
	static const struct {
		struct mrd_plan_node node;
		const char *want;
	} cases[] = {
		{.node = {.region = "", .zone = "", .subzone = ""}, .want = ""},
		{.node = {.region = "r", .zone = "", .subzone = ""}, .want = "r"},
		{.node = {.region = "r", .zone = "z", .subzone = ""}, .want = "r/z"},
		{.node = {.region = "r", .zone = "z", .subzone = "s"}, .want = "r/z/s"},
		{.node = {.region = "r", .zone = "", .subzone = "s"}, .want = "r//s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

		print_message("'%s'\n", cases[i].want);
		mrd_plan_node_text(&cases[i].node, &text);
		assert_string_equal(text.text, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_no_entry_is_said),
		cmocka_unit_test(a_plan_is_written_with_every_key),
		cmocka_unit_test(shares_are_decimals_as_short_as_they_are_exact),
		cmocka_unit_test(entries_are_sorted),
		cmocka_unit_test(a_node_is_named_as_far_as_it_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
