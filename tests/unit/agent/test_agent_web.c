/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What an agent answers over HTTP before there is anything in the kernel, and where. */
#include "agent/agent_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

enum { STEP_MS = 20, TURNS = 250 };

static struct mrd_agent_config config;
static struct mrd_agent agent;
static struct mrd_timer *timer;
static int log_fds[2];

static void stop(void *self)
{
	mrd_loop_stop(self);
}

static int start(void **state)
{
	(void)state;
	config = (struct mrd_agent_config){
		.metrics_ip = {.bytes = {127, 0, 0, 1}, .version = MRD_IPV4}};
	agent = (struct mrd_agent){.config = &config, .lock_fd = -1};
	assert_int_equal(mrd_loop_new(&agent.loop), 0);
	assert_int_equal(mrd_loop_timer(agent.loop, stop, agent.loop, &timer), 0);
	assert_int_equal(pipe(log_fds), 0);
	mrd_log_set_fd(log_fds[1]);
	return 0;
}

static int end(void **state)
{
	(void)state;
	mrd_log_set_fd(STDERR_FILENO);
	mrd_web_close(agent.web);
	mrd_timer_free(timer);
	mrd_loop_free(agent.loop);
	close(log_fds[0]);
	close(log_fds[1]);
	return 0;
}

/* The lines since the last call; there must be some. */
static const char *said(void)
{
	static char text[4096];
	const ssize_t len = read(log_fds[0], text, sizeof(text) - 1);

	assert_true(len > 0);
	text[len] = '\0';
	return text;
}

/* A socket that listens on the loopback, and so has a port that nobody else has. */
static int take_port(uint16_t *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* The whole answer to a GET; lives until the next call. */
static const char *get(uint16_t port, const char *path)
{
	static char text[4096];
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	len = (size_t)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
	len = 0;
	for (int i = 0; i < TURNS; i++) {
		const ssize_t got = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);

		if (got == 0)
			break;
		if (got > 0) {
			len += (size_t)got;
			continue;
		}
		mrd_timer_set(timer, mrd_clock_ns() + (uint64_t)STEP_MS * MRD_NS_PER_MS);
		assert_int_equal(mrd_loop_run(agent.loop), 0);
	}
	text[len] = '\0';
	close(fd);
	return text;
}

static void readiness_has_its_reasons(void **state)
{
	static const struct {
		bool ready;
		bool detached;
		const char *status;
		const char *body;
	} cases[] = {
		{.status = "HTTP/1.1 503 ", .body = "programs and maps are not loaded yet\n"},
		{.ready = true,
		 .detached = true,
		 .status = "HTTP/1.1 503 ",
		 .body = "the hooks were detached; the agent ends\n"},
	};

	(void)state;
	close(take_port(&config.metrics_port));
	mrd_agent_serve(&agent);
	assert_non_null(agent.web);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *answer;

		print_message("case: %s", cases[i].body);
		agent.ready = cases[i].ready;
		agent.detached = cases[i].detached;
		answer = get(config.metrics_port, "/readyz");
		assert_memory_equal(answer, cases[i].status, strlen(cases[i].status));
		assert_string_equal(strstr(answer, "\r\n\r\n") + 4, cases[i].body);
	}
}

static void a_taken_port_is_said_once_and_tried_again(void **state)
{
	const int taken = take_port(&config.metrics_port);

	(void)state;
	mrd_agent_serve(&agent);
	assert_null(agent.web);
	assert_int_equal(agent.web_error, -EADDRINUSE);
	assert_non_null(strstr(said(), "error msg=\"metrics not served\""));
	mrd_agent_serve(&agent);
	close(taken);
	mrd_agent_serve(&agent);
	assert_non_null(agent.web);
	assert_int_equal(agent.web_error, 0);
	/* The second try was silent. */
	assert_memory_equal(said(), "info msg=\"metrics served\"", 25);
}

static void it_follows_the_configuration(void **state)
{
	uint16_t first;

	(void)state;
	mrd_agent_serve(&agent); /* port 0: nowhere */
	assert_null(agent.web);
	close(take_port(&config.metrics_port));
	first = config.metrics_port;
	mrd_agent_serve(&agent);
	assert_int_equal(mrd_web_port(agent.web), first);
	do {
		close(take_port(&config.metrics_port));
	} while (config.metrics_port == first);
	mrd_agent_serve(&agent);
	assert_int_equal(mrd_web_port(agent.web), config.metrics_port);
	assert_memory_equal(get(config.metrics_port, "/readyz"), "HTTP/1.1 503 ", 13);
	config.metrics_port = 0;
	mrd_agent_serve(&agent);
	assert_null(agent.web);
	assert_int_equal(agent.web_error, 0);
}

int main(void)
{
#define STARTED(test) cmocka_unit_test_setup_teardown(test, start, end)
	const struct CMUnitTest tests[] = {
		STARTED(readiness_has_its_reasons),
		STARTED(a_taken_port_is_said_once_and_tried_again),
		STARTED(it_follows_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
