/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/verbs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fake_agent.h"

struct run {
	int status;
	char *out;
	char *err;
};

static void run(const struct mrd_ctl_options *options, struct run *run)
{
	size_t out_size = 0, err_size = 0;
	FILE *out = open_memstream(&run->out, &out_size);
	FILE *err = open_memstream(&run->err, &err_size);

	run->status = mrd_ctl_run(options, out, err);
	fclose(out);
	fclose(err);
}

static void run_free(struct run *run)
{
	free(run->out);
	free(run->err);
}

#define GOOD_STATUS "{\"agent\":{\"unwritten\":[]},\"clusters\":[{\"error\":\"\"}],\"kernel\":{}}"

static void tells_bad_news_from_good(void **state)
{
	static const struct {
		const char *name;
		enum mrd_verb verb;
		const char *argument;
		const char *answer;
		bool want;
	} cases[] = {
		{.name = "all is well", .verb = MRD_VERB_STATUS, .answer = GOOD_STATUS},
		{.name = "no agent",
		 .verb = MRD_VERB_STATUS,
		 .answer = "{\"agent\":null,\"clusters\":[],\"kernel\":{}}",
		 .want = true},
		{.name = "nothing in the kernel",
		 .verb = MRD_VERB_STATUS,
		 .answer = "{\"agent\":{},\"clusters\":[],\"kernel\":null}",
		 .want = true},
		{.name = "a cluster fails",
		 .verb = MRD_VERB_STATUS,
		 .answer = "{\"agent\":{},\"clusters\":[{\"error\":\"\"},{\"error\":\"gone\"}],"
			   "\"kernel\":{}}",
		 .want = true},
		{.name = "a service is not written",
		 .verb = MRD_VERB_STATUS,
		 .answer = "{\"agent\":{\"unwritten\":[{\"error\":\"full\"}]},\"clusters\":[],"
			   "\"kernel\":{}}",
		 .want = true},
		{.name = "the policy files are not what holds",
		 .verb = MRD_VERB_STATUS,
		 .answer =
			 "{\"agent\":{\"policy_rejected\":{\"holds\":\"before\"}},\"clusters\":[],"
			 "\"kernel\":{}}",
		 .want = true},
		{.name = "the policy files hold",
		 .verb = MRD_VERB_STATUS,
		 .answer = "{\"agent\":{\"policy_rejected\":null},\"clusters\":[],\"kernel\":{}}"},
		{.name = "a rule of an API server does not hold",
		 .verb = MRD_VERB_STATUS,
		 .answer = "{\"agent\":{\"rules_rejected\":[{\"rule\":\"a/b/c\"}]},"
			   "\"clusters\":[],\"kernel\":{}}",
		 .want = true},
		{.name = "no endpoints at all",
		 .verb = MRD_VERB_ENDPOINTS,
		 .answer = "{\"endpoints\":[]}"},
		{.name = "none of the service that was asked for",
		 .verb = MRD_VERB_ENDPOINTS,
		 .argument = "default/lost",
		 .answer = "{\"endpoints\":[]}",
		 .want = true},
		{.name = "endpoints",
		 .verb = MRD_VERB_ENDPOINTS,
		 .argument = "default/reviews",
		 .answer = "{\"endpoints\":[{}]}"},
		{.name = "no services", .verb = MRD_VERB_SERVICES, .answer = "{\"services\":[]}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *answer = json_loads(cases[i].answer, 0, NULL);

		print_message("%s\n", cases[i].name);
		assert_non_null(answer);
		assert_int_equal(mrd_ctl_is_bad_news(cases[i].verb, cases[i].argument, answer),
				 cases[i].want);
		json_decref(answer);
	}
}

static void prints_what_the_agent_answers(void **state)
{
	static const struct {
		const char *name;
		struct mrd_ctl_options options;
		const char *answer;
		int status;
		const char *out;
		const char *err;
	} cases[] = {
		{.name = "detach",
		 .options = {.verb = MRD_VERB_DETACH},
		 .answer = "{\"links\": 12, \"maps\": 16}",
		 .out = "removed 12 links and 16 maps\n",
		 .err = ""},
		{.name = "an error of the agent",
		 .options = {.verb = MRD_VERB_SERVICES},
		 .answer = "{\"error\": \"the agent is starting\"}",
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "",
		 .err = "meridianctl: the agent is starting\n"},
		{.name = "an error for programs",
		 .options = {.verb = MRD_VERB_SERVICES, .json = true},
		 .answer = "{\"error\": \"the agent is starting\"}",
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "{\n  \"error\": \"the agent is starting\"\n}\n",
		 .err = "meridianctl: the agent is starting\n"},
		{.name = "text",
		 .options = {.verb = MRD_VERB_SERVICES},
		 .answer = "{\"services\": []}",
		 .out = "SERVICE  PORT  VIP  MODE  ROUTE\n",
		 .err = ""},
		{.name = "JSON, with shares as people write them",
		 .options = {.verb = MRD_VERB_SERVICES, .json = true},
		 .answer = "{\"services\":[{\"share_percent\":33.329999999999998}]}",
		 .out = "{\n  \"services\": [\n    {\n      \"share_percent\": 33.33\n    }\n"
			"  ]\n}\n",
		 .err = ""},
		{.name = "one service of all",
		 .options = {.verb = MRD_VERB_SERVICES, .argument = (char *)"a/b", .json = true},
		 .answer = "{\"services\":[{\"service\":\"a/c\"},{\"service\":\"a/b\"},{}]}",
		 .out = "{\n  \"services\": [\n    {\n      \"service\": \"a/b\"\n    }\n  ]\n}\n",
		 .err = ""},
		{.name = "none of them",
		 .options = {.verb = MRD_VERB_SERVICES, .argument = (char *)"a/b"},
		 .answer = "{\"services\":[{\"service\":\"a/c\"}]}",
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "SERVICE  PORT  VIP  MODE  ROUTE\n",
		 .err = "meridianctl: the kernel holds no service a/b\n"},
		{.name = "a policy",
		 .options = {.verb = MRD_VERB_SERVICES, .argument = (char *)"a/b", .yaml = true},
		 .answer = "{\"policy\": \"host: b\\n\"}",
		 .out = "host: b\n",
		 .err = ""},
		{.name = "no policy",
		 .options = {.verb = MRD_VERB_SERVICES, .argument = (char *)"a/b", .yaml = true},
		 .answer = "{\"error\": \"no such service\"}",
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "",
		 .err = "meridianctl: no such service\n"},
		{.name = "no such service",
		 .options = {.verb = MRD_VERB_ENDPOINTS, .argument = (char *)"a/b", .json = true},
		 .answer = "{\"endpoints\":[]}",
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "{\n  \"endpoints\": []\n}\n",
		 .err = "meridianctl: the kernel holds no endpoint of a/b\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_ctl_options options = cases[i].options;
		MRD_CLEANUP(run_free) struct run have = {0};
		struct fake_agent agent = {0};

		print_message("%s\n", cases[i].name);
		fake_agent_start(&agent, cases[i].answer);
		options.control = agent.path;
		options.bpffs = (char *)"/nonexistent";
		run(&options, &have);
		fake_agent_stop(&agent);
		assert_string_equal(have.err, cases[i].err);
		assert_string_equal(have.out, cases[i].out);
		assert_int_equal(have.status, cases[i].status);
	}
}

static void without_an_agent_and_without_maps(void **state)
{
	static const struct {
		enum mrd_verb verb;
		bool json;
		int status;
		const char *out;
		const char *err; /* a part */
	} cases[] = {
		{.verb = MRD_VERB_STATUS,
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "",
		 .err = "the agent is not running (control socket /nonexistent/c: No such file or "
			"directory); showing what the kernel holds\n"},
		{.verb = MRD_VERB_SERVICES,
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "",
		 .err = "/nonexistent/b"},
		/* Who reads JSON gets a document, whatever it says. */
		{.verb = MRD_VERB_STATUS,
		 .json = true,
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "{\n  \"agent\": null,\n  \"clusters\": [],\n  \"kernel\": null\n}\n",
		 .err = "/nonexistent/b"},
		{.verb = MRD_VERB_SERVICES,
		 .json = true,
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "{\n  \"services\": []\n}\n",
		 .err = "/nonexistent/b"},
		{.verb = MRD_VERB_ENDPOINTS,
		 .json = true,
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "{\n  \"endpoints\": []\n}\n",
		 .err = "/nonexistent/b"},
		{.verb = MRD_VERB_REGIONS,
		 .json = true,
		 .status = MRD_EXIT_BAD_NEWS,
		 .out = "{\n  \"regions\": []\n}\n",
		 .err = "/nonexistent/b"},
		{.verb = MRD_VERB_DETACH,
		 .json = true,
		 .status = MRD_EXIT_GOOD,
		 .out = "{\n  \"links\": 0,\n  \"maps\": 0\n}\n",
		 .err = "removing what the kernel holds\n"},
		{.verb = MRD_VERB_DETACH,
		 .status = MRD_EXIT_GOOD,
		 .out = "removed 0 links and 0 maps\n",
		 .err = "removing what the kernel holds\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mrd_ctl_options options = {
			.control = (char *)"/nonexistent/c",
			.bpffs = (char *)"/nonexistent/b",
			.verb = cases[i].verb,
			.json = cases[i].json,
		};
		MRD_CLEANUP(run_free) struct run have = {0};

		print_message("%s%s\n", mrd_verb_name(cases[i].verb),
			      cases[i].json ? " -o json" : "");
		run(&options, &have);
		assert_non_null(strstr(have.err, cases[i].err));
		assert_string_equal(have.out, cases[i].out);
		assert_int_equal(have.status, cases[i].status);
	}
}

/* A wrong path must not remove files that are no pins. */
static void detach_keeps_to_bpffs(void **state)
{
	const struct mrd_ctl_options options = {
		.control = (char *)"/nonexistent/c",
		.bpffs = (char *)"/tmp",
		.verb = MRD_VERB_DETACH,
	};
	MRD_CLEANUP(run_free) struct run have = {0};

	(void)state;
	run(&options, &have);
	assert_int_equal(have.status, MRD_EXIT_BAD_NEWS);
	assert_non_null(strstr(have.err, "/tmp is not on bpffs"));
}

static void help_and_version_need_nobody(void **state)
{
	const struct mrd_ctl_options help = {.verb = MRD_VERB_HELP};
	const struct mrd_ctl_options version = {.verb = MRD_VERB_VERSION};
	MRD_CLEANUP(run_free) struct run have_help = {0};
	MRD_CLEANUP(run_free) struct run have_version = {0};

	(void)state;
	run(&help, &have_help);
	assert_int_equal(have_help.status, MRD_EXIT_GOOD);
	assert_non_null(strstr(have_help.out, "usage: meridianctl"));
	run(&version, &have_version);
	assert_int_equal(have_version.status, MRD_EXIT_GOOD);
	assert_non_null(strstr(have_version.out, MRD_VERSION));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_bad_news_from_good),
		cmocka_unit_test(prints_what_the_agent_answers),
		cmocka_unit_test(without_an_agent_and_without_maps),
		cmocka_unit_test(detach_keeps_to_bpffs),
		cmocka_unit_test(help_and_version_need_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
