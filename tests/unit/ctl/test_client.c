/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fake_agent.h"

enum { TIMEOUT_MS = 5000 };

static void asks_one_line_and_reads_one_document(void **state)
{
	static const struct {
		const char *verb;
		const char *argument;
		size_t chunk;
		const char *request;
	} cases[] = {
		{.verb = "status", .request = "status\n"},
		{.verb = "endpoints",
		 .argument = "default/reviews",
		 .request = "endpoints default/reviews\n"},
		{.verb = "regions", .chunk = 1, .request = "regions\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_agent agent = {.chunk = cases[i].chunk};
		json_t *answer = NULL;
		int r;

		print_message("%s\n", cases[i].verb);
		fake_agent_start(&agent, "{\"pid\": 42}\n");
		r = mrd_client_ask(agent.path, cases[i].verb, cases[i].argument, TIMEOUT_MS,
				   &answer);
		fake_agent_stop(&agent);
		assert_int_equal(r, 0);
		assert_string_equal(agent.request, cases[i].request);
		assert_int_equal(json_integer_value(json_object_get(answer, "pid")), 42);
		json_decref(answer);
	}
}

/* More than a socket's buffer holds. */
static void reads_a_long_answer(void **state)
{
	enum { COUNT = 400000 };
	MRD_AUTO_FREE char *text = malloc(2 * COUNT + 2);
	struct fake_agent agent = {0};
	json_t *answer = NULL;
	char *at = text;
	int r;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < COUNT; i++) {
		*at++ = i ? ',' : '[';
		*at++ = '1';
	}
	*at++ = ']';
	*at = '\0';
	fake_agent_start(&agent, text);
	r = mrd_client_ask(agent.path, "services", NULL, TIMEOUT_MS, &answer);
	fake_agent_stop(&agent);
	assert_int_equal(r, 0);
	assert_int_equal(json_array_size(answer), COUNT);
	json_decref(answer);
}

static void an_answer_that_is_no_document(void **state)
{
	static const char *const answers[] = {"", "{\"cut\": ", "nonsense", "{} {}"};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct fake_agent agent = {0};
		json_t *answer = NULL;
		int r;

		print_message("'%s'\n", answers[i]);
		fake_agent_start(&agent, answers[i]);
		r = mrd_client_ask(agent.path, "status", NULL, TIMEOUT_MS, &answer);
		fake_agent_stop(&agent);
		assert_int_equal(r, -EBADMSG);
		assert_null(answer);
	}
}

static void an_agent_that_says_nothing(void **state)
{
	struct fake_agent agent = {0};
	json_t *answer = NULL;
	int r;

	(void)state;
	fake_agent_start(&agent, NULL);
	r = mrd_client_ask(agent.path, "status", NULL, 50, &answer);
	fake_agent_stop(&agent);
	assert_int_equal(r, -ETIMEDOUT);
	assert_null(answer);
}

static void no_agent(void **state)
{
	struct fake_agent agent = {0};
	char long_path[256];
	json_t *answer = NULL;

	(void)state;
	assert_int_equal(
		mrd_client_ask("/nonexistent/control.sock", "status", NULL, TIMEOUT_MS, &answer),
		-ENOENT);
	memset(long_path, 'p', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(mrd_client_ask(long_path, "status", NULL, TIMEOUT_MS, &answer),
			 -ENAMETOOLONG);

	/* A socket that nobody listens on any more. */
	fake_agent_start(&agent, "{}");
	assert_int_equal(mrd_client_ask(agent.path, "status", NULL, TIMEOUT_MS, &answer), 0);
	json_decref(answer);
	pthread_join(agent.thread, NULL);
	close(agent.fd);
	assert_int_equal(mrd_client_ask(agent.path, "status", NULL, TIMEOUT_MS, &answer),
			 -ECONNREFUSED);
	unlink(agent.path);
	rmdir(agent.folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_one_line_and_reads_one_document),
		cmocka_unit_test(reads_a_long_answer),
		cmocka_unit_test(an_answer_that_is_no_document),
		cmocka_unit_test(an_agent_that_says_nothing),
		cmocka_unit_test(no_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
