/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum {
	BIG = 8 << 20, /* more than both sockets' buffers take */
	STEP_MS = 20,
	TIMEOUT_MS = 1000,
	CLIENTS = MRD_WEB_CLIENTS_MAX + 16,
	AT_ONCE = 16, /* so many fit into any backlog */
	PATIENCE_MS = 5000,
};

static struct mrd_loop *loop;
static struct mrd_web *web;
static struct mrd_timer *timer;
static unsigned int pages_made;

static unsigned int good(void *self, struct mrd_strbuf *body)
{
	assert_ptr_equal(self, &pages_made);
	pages_made++;
	mrd_strbuf_addf(body, "fine\n");
	return 200;
}

static unsigned int bad(void *self, struct mrd_strbuf *body)
{
	(void)self;
	mrd_strbuf_addf(body, "not yet\n");
	return 503;
}

static unsigned int big(void *self, struct mrd_strbuf *body)
{
	char *text = malloc(BIG);

	(void)self;
	memset(text, 'x', BIG);
	mrd_strbuf_add(body, text, BIG);
	free(text);
	return 200;
}

static const struct mrd_web_page pages[] = {
	{.path = "/metrics", .content_type = "text/plain; version=0.0.4", .write = good},
	{.path = "/readyz", .content_type = "text/plain", .write = bad},
	{.path = "/big", .content_type = "text/plain", .write = big},
};

static struct mrd_web_config config_of(const char *address, uint16_t port)
{
	struct mrd_web_config config = {
		.port = port,
		.pages = pages,
		.page_count = sizeof(pages) / sizeof(*pages),
		.timeout_ms = TIMEOUT_MS,
		.self = &pages_made,
	};

	assert_int_equal(mrd_ip_parse(address, &config.ip), 0);
	return config;
}

static void stop(void *self)
{
	(void)self;
	mrd_loop_stop(loop);
}

static int open_web(void **state)
{
	const struct mrd_web_config config = config_of("127.0.0.1", 0);

	(void)state;
	pages_made = 0;
	assert_int_equal(mrd_loop_new(&loop), 0);
	assert_int_equal(mrd_loop_timer(loop, stop, NULL, &timer), 0);
	assert_int_equal(mrd_web_open(loop, &config, &web), 0);
	assert_int_not_equal(mrd_web_port(web), 0);
	return 0;
}

static int close_web(void **state)
{
	(void)state;
	mrd_web_close(web);
	web = NULL;
	mrd_timer_free(timer);
	mrd_loop_free(loop);
	return 0;
}

/* Lets the loop work for a moment. */
static void turn(void)
{
	mrd_timer_set(timer, mrd_clock_ns() + (uint64_t)STEP_MS * MRD_NS_PER_MS);
	assert_int_equal(mrd_loop_run(loop), 0);
}

static int call(int family, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = family == AF_INET ? connect(fd, (const struct sockaddr *)&v4, sizeof(v4))
			      : connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
	assert_int_equal(r, 0); /* the backlog takes it: the loop does not run */
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static int ask(const char *request)
{
	const int fd = call(AF_INET, mrd_web_port(web));

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* What came until the end of the stream, as a string; NULL: no end within PATIENCE_MS. */
static char *hear(int fd, size_t *ret_len)
{
	const uint64_t until_ns = mrd_clock_ns() + (uint64_t)PATIENCE_MS * MRD_NS_PER_MS;
	char *text = malloc(BIG + 4096);
	size_t len = 0;

	while (mrd_clock_ns() < until_ns) {
		const ssize_t got = recv(fd, text + len, BIG + 4095 - len, 0);

		if (got > 0) {
			len += (size_t)got;
		} else if (got < 0 && errno == EAGAIN) {
			turn();
		} else {
			text[len] = '\0';
			if (ret_len)
				*ret_len = len;
			return text;
		}
	}
	free(text);
	return NULL;
}

static void pages_and_refusals(void **state)
{
	static const struct {
		const char *request;
		const char *status;
		const char *header; /* "" = none to look for */
		const char *body;   /* the whole of it */
	} cases[] = {
		{
			.request = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
			.status = "HTTP/1.1 200 ",
			.header = "\r\nContent-Type: text/plain; version=0.0.4\r\n",
			.body = "fine\n",
		},
		{
			.request = "GET /metrics?name=x HTTP/1.1\r\nHost: a\r\n\r\n",
			.status = "HTTP/1.1 200 ",
			.header = "\r\nConnection: close\r\n",
			.body = "fine\n",
		},
		{
			.request = "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
			.status = "HTTP/1.1 200 ",
			.header = "\r\nContent-Length: 5\r\n",
			.body = "",
		},
		{
			.request = "GET /metrics HTTP/1.0\r\n\r\n",
			.status = "HTTP/1.", /* libmicrohttpd says which it speaks */
			.header = " 200 OK\r\n",
			.body = "fine\n",
		},
		{
			.request = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n",
			.status = "HTTP/1.1 503 ",
			.header = "",
			.body = "not yet\n",
		},
		{
			.request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
			.status = "HTTP/1.1 404 ",
			.header = "",
			.body = "not found; known are /metrics, /readyz, /big\n",
		},
		{
			.request = "GET /metrics/ HTTP/1.1\r\nHost: a\r\n\r\n",
			.status = "HTTP/1.1 404 ",
			.header = "",
			.body = "not found; known are /metrics, /readyz, /big\n",
		},
		{
			.request =
				"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
			.status = "HTTP/1.1 404 ",
			.header = "",
			.body = "not found; known are /metrics, /readyz, /big\n",
		},
		{
			.request =
				"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
			.status = "HTTP/1.1 405 ",
			.header = "\r\nAllow: GET, HEAD\r\n",
			.body = "only GET and HEAD\n",
		},
		{
			.request = "DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
			.status = "HTTP/1.1 405 ",
			.header = "\r\nAllow: GET, HEAD\r\n",
			.body = "only GET and HEAD\n",
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const int fd = ask(cases[i].request);
		char *answer = hear(fd, NULL);
		const char *body;

		print_message("case: %s\n", cases[i].request);
		assert_non_null(answer);
		print_message("%s\n", answer);
		body = strstr(answer, "\r\n\r\n");
		assert_non_null(body);
		assert_memory_equal(answer, cases[i].status, strlen(cases[i].status));
		assert_non_null(strstr(answer, cases[i].header));
		assert_string_equal(body + 4, cases[i].body);
		free(answer);
		close(fd);
	}
	assert_int_equal(pages_made, 4);
}

static void nonsense_is_refused(void **state)
{
	char *long_request = malloc(4 * MRD_WEB_REQUEST_BYTES);
	const int noise = ask("\x16\x03\x01\x02 nonsense\r\n\r\n");
	char *answer = hear(noise, NULL);
	int fd;

	(void)state;
	assert_non_null(answer);
	assert_null(strstr(answer, "200 OK"));
	free(answer);
	close(noise);

	memset(long_request, 'a', 4 * MRD_WEB_REQUEST_BYTES);
	memcpy(long_request, "GET /", 5);
	long_request[4 * MRD_WEB_REQUEST_BYTES - 1] = '\0';
	fd = ask(long_request);
	answer = hear(fd, NULL);
	if (answer) /* "too long", unless the reset came first */
		assert_null(strstr(answer, "200 OK"));
	free(answer);
	free(long_request);
	close(fd);
	assert_int_equal(pages_made, 0);
}

/* In pieces, and the other way round: a request a byte at a time, an answer larger than buffers. */
static void pieces_are_put_together(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
	const int fd = call(AF_INET, mrd_web_port(web));
	char *answer;
	size_t len;
	int big_fd;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(request); i++) {
		assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
		if (i % 8 == 0)
			turn();
	}
	answer = hear(fd, NULL);
	assert_non_null(answer);
	assert_non_null(strstr(answer, "\r\n\r\nfine\n"));
	free(answer);
	close(fd);

	big_fd = ask("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	answer = hear(big_fd, &len);
	assert_non_null(answer);
	assert_int_equal(answer + len - (strstr(answer, "\r\n\r\n") + 4), BIG);
	free(answer);
	close(big_fd);
}

/* Each holds a connection: one says nothing, one reads nothing, one sends a byte now and then. */
static void the_slow_are_dropped_and_hold_nobody(void **state)
{
	const uint64_t start_ns = mrd_clock_ns();
	const int silent = call(AF_INET, mrd_web_port(web));
	const int reader = ask("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	const int dripping = call(AF_INET, mrd_web_port(web));
	char *answer;
	size_t len;
	int fd;

	(void)state;
	turn();
	fd = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	answer = hear(fd, NULL);
	assert_non_null(answer);
	assert_non_null(strstr(answer, "fine"));
	free(answer);
	close(fd);
	assert_true(mrd_clock_ns() - start_ns < (uint64_t)TIMEOUT_MS * MRD_NS_PER_MS);

	while (mrd_clock_ns() - start_ns < (uint64_t)2 * TIMEOUT_MS * MRD_NS_PER_MS) {
		send(dripping, "G", 1, MSG_NOSIGNAL);
		turn();
	}
	answer = hear(silent, &len);
	assert_non_null(answer);
	free(answer);
	answer = hear(reader, &len); /* what the buffers held, and then the end */
	assert_non_null(answer);
	assert_true(len < BIG);
	free(answer);
	assert_true(send(dripping, "G", 1, MSG_NOSIGNAL) < 0);
	close(silent);
	close(reader);
	close(dripping);
}

/* The first keep their places as long as they may; the others wait and are answered then. */
static void more_clients_than_places(void **state)
{
	int fds[CLIENTS];

	(void)state;
	for (size_t i = 0; i < CLIENTS; i++) {
		fds[i] = call(AF_INET, mrd_web_port(web));
		if (i % AT_ONCE == AT_ONCE - 1)
			turn();
	}
	for (size_t i = MRD_WEB_CLIENTS_MAX; i < CLIENTS; i++) {
		static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

		assert_int_equal(send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
				 sizeof(request) - 1);
	}
	turn();
	assert_int_equal(pages_made, 0);
	for (size_t i = MRD_WEB_CLIENTS_MAX; i < CLIENTS; i++) {
		char *answer = hear(fds[i], NULL);

		print_message("client %zu\n", i);
		assert_non_null(answer);
		assert_non_null(strstr(answer, "fine"));
		free(answer);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
	assert_int_equal(pages_made, CLIENTS - MRD_WEB_CLIENTS_MAX);
}

static void clients_that_leave_free_their_places(void **state)
{
	int holding[MRD_WEB_CLIENTS_MAX];
	int last;

	(void)state;
	for (size_t i = 0; i < MRD_WEB_CLIENTS_MAX; i++) {
		holding[i] = call(AF_INET, mrd_web_port(web));
		if (i % AT_ONCE == AT_ONCE - 1)
			turn();
	}
	last = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	turn();
	assert_int_equal(pages_made, 0);
	for (size_t i = 0; i < MRD_WEB_CLIENTS_MAX; i++)
		close(holding[i]); /* all within one turn of the loop */
	turn();
	assert_int_equal(pages_made, 1);
	close(last);
	for (size_t i = 0; i < CLIENTS; i++) {
		const int fd = ask(i % 2 ? "GET /big HTTP/1.1\r\nHost: a\r\n\r\n" : "GET /b");

		turn();
		close(fd);
	}
	last = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	free(hear(last, NULL));
	close(last);
	assert_int_equal(pages_made, 2);
}

static void closed_with_answers_under_way(void **state)
{
	const int reader = ask("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	const int asking = ask("GET /met");
	char *answer;
	size_t len;

	(void)state;
	turn();
	mrd_web_close(web);
	web = NULL;
	answer = hear(reader, &len);
	assert_non_null(answer);
	assert_true(len < BIG);
	free(answer);
	close(reader);
	close(asking);
	turn();
}

static void an_address_that_is_taken(void **state)
{
	const struct mrd_web_config config = config_of("127.0.0.1", mrd_web_port(web));
	const struct mrd_web_config nowhere = config_of("192.0.2.1", 0);
	struct mrd_web *second = NULL;
	int fd;

	(void)state;
	assert_int_equal(mrd_web_open(loop, &config, &second), -EADDRINUSE);
	assert_null(second);
	assert_int_equal(mrd_web_open(loop, &nowhere, &second), -EADDRNOTAVAIL);
	assert_null(second);
	fd = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	free(hear(fd, NULL));
	close(fd);
	assert_int_equal(pages_made, 1);

	mrd_web_close(web);
	web = NULL;
	assert_int_equal(mrd_web_open(loop, &config, &web), 0); /* free again at once */
}

static void both_families(void **state)
{
	static const struct {
		const char *address;
		int family;
	} cases[] = {
		{.address = "::1", .family = AF_INET6},
		{.address = "::", .family = AF_INET6},
		{.address = "::", .family = AF_INET},
		{.address = "0.0.0.0", .family = AF_INET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
		const struct mrd_web_config config = config_of(cases[i].address, 0);
		char *answer;
		int r, fd;

		print_message("case: %s\n", cases[i].address);
		mrd_web_close(web);
		web = NULL;
		r = mrd_web_open(loop, &config, &web);
		if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT)
			skip(); /* this machine has no IPv6 */
		assert_int_equal(r, 0);
		fd = call(cases[i].family, mrd_web_port(web));
		assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL),
				 sizeof(request) - 1);
		answer = hear(fd, NULL);
		assert_non_null(answer);
		assert_non_null(strstr(answer, "fine"));
		free(answer);
		close(fd);
	}
}

int main(void)
{
#define WITH_WEB(test) cmocka_unit_test_setup_teardown(test, open_web, close_web)
	const struct CMUnitTest tests[] = {
		WITH_WEB(pages_and_refusals),
		WITH_WEB(nonsense_is_refused),
		WITH_WEB(pieces_are_put_together),
		WITH_WEB(the_slow_are_dropped_and_hold_nobody),
		WITH_WEB(more_clients_than_places),
		WITH_WEB(clients_that_leave_free_their_places),
		WITH_WEB(closed_with_answers_under_way),
		WITH_WEB(an_address_that_is_taken),
		WITH_WEB(both_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
