/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

enum { BIG = 1 << 20, STEP_MS = 20 };

static char folder[] = "/tmp/mrd-test-control-XXXXXX";
static char path[100];
static struct mrd_loop *loop;
static struct mrd_control *control;
static struct mrd_timer *timer;
static char heard[128]; /* "verb|argument" of the last request */

static json_t *answer(void *self, const char *verb, const char *argument, const char **ret_error)
{
	(void)self;
	snprintf(heard, sizeof(heard), "%s|%s", verb, argument);
	if (!strcmp(verb, "big")) {
		char *text = calloc(1, BIG + 1);
		json_t *doc;

		memset(text, 'x', BIG);
		doc = json_pack("{s:s}", "big", text);
		free(text);
		return doc;
	}
	if (!strcmp(verb, "status"))
		return json_pack("{s:s}", "agent", "fine");
	*ret_error = "unknown verb";
	return NULL;
}

static void stop(void *self)
{
	(void)self;
	mrd_loop_stop(loop);
}

/* Lets the loop work for a moment. */
static void turn(void)
{
	mrd_timer_set(timer, mrd_clock_ns() + (uint64_t)STEP_MS * MRD_NS_PER_MS);
	assert_int_equal(mrd_loop_run(loop), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/run/deep/control.sock", folder);
	return mrd_loop_new(&loop) || mrd_loop_timer(loop, stop, NULL, &timer) ||
	       mrd_control_open(loop, path, answer, NULL, &control);
}

static int tear_down(void **state)
{
	char at[160];

	(void)state;
	mrd_control_close(control);
	mrd_timer_free(timer);
	mrd_loop_free(loop);
	snprintf(at, sizeof(at), "%s/run/deep", folder);
	rmdir(at);
	snprintf(at, sizeof(at), "%s/run", folder);
	rmdir(at);
	return rmdir(folder); /* fails if the socket is still there */
}

/* A client's end. */
static int client(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(mrd_control_serve(control, fds[0]), 0);
	return fds[1];
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	turn();
}

/* What has come; -1: nothing yet; 0: the end. */
static ssize_t hear(int fd, char *buf, size_t room)
{
	const ssize_t len = recv(fd, buf, room - 1, 0);

	buf[len > 0 ? len : 0] = '\0';
	return len;
}

struct request_case {
	const char *name;
	const char *text;
	const char *want_heard;
	const char *want;
};

static const struct request_case request_cases[] = {
	{"a verb", "status\n", "status|", "{\"agent\":\"fine\"}"},
	{"with a carriage return", "status\r\n", "status|", "{\"agent\":\"fine\"}"},
	{"with an argument", "endpoints default/reviews\n", "endpoints|default/reviews",
	 "{\"error\":\"unknown verb\"}"},
	{"an empty line", "\n", "|", "{\"error\":\"unknown verb\"}"},
	{"more than a line", "status\nstatus\n", "status|", "{\"agent\":\"fine\"}"},
};

static void answers_a_line(void **state)
{
	char buf[256];

	(void)state;
	for (size_t i = 0; i < sizeof(request_cases) / sizeof(*request_cases); i++) {
		int fd = client();

		print_message("case: %s\n", request_cases[i].name);
		say(fd, request_cases[i].text);
		assert_string_equal(heard, request_cases[i].want_heard);
		assert_true(hear(fd, buf, sizeof(buf)) > 0);
		assert_string_equal(buf, request_cases[i].want);
		assert_true(hear(fd, buf, sizeof(buf)) <= 0);
		assert_int_not_equal(errno, EAGAIN);
		errno = 0;
		close(fd);
	}
}

static void waits_for_the_rest_of_a_line(void **state)
{
	char buf[256];
	int fd = client();

	(void)state;
	say(fd, "sta");
	assert_int_equal(hear(fd, buf, sizeof(buf)), -1);
	say(fd, "tus\n");
	assert_true(hear(fd, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"agent\":\"fine\"}");
	close(fd);
}

static void drops_a_line_without_end(void **state)
{
	char text[MRD_CONTROL_LINE_MAX + 2];
	char buf[16];
	int fd = client();

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	heard[0] = '\0';
	say(fd, text);
	assert_string_equal(heard, "");
	errno = 0;
	assert_true(hear(fd, buf, sizeof(buf)) == 0 || errno == ECONNRESET);
	close(fd);
}

static void sends_more_than_a_buffer_holds(void **state)
{
	static char buf[65536];
	size_t total = 0;
	ssize_t got;
	int fd = client();

	(void)state;
	say(fd, "big\n");
	while ((got = hear(fd, buf, sizeof(buf))) != 0) {
		if (got < 0) {
			assert_int_equal(errno, EAGAIN);
			turn();
			continue;
		}
		total += (size_t)got;
	}
	assert_int_equal(total, BIG + strlen("{\"big\":\"\"}"));
	close(fd);
}

static void silent_clients_hold_nobody_up(void **state)
{
	int fds[MRD_CONTROL_CLIENTS_MAX];
	int pair[2];

	(void)state;
	for (size_t i = 0; i < MRD_CONTROL_CLIENTS_MAX; i++)
		fds[i] = client();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(mrd_control_serve(control, pair[0]), -EBUSY);
	close(fds[0]); /* one goes: its place is free */
	turn();
	assert_int_equal(mrd_control_serve(control, pair[0]), 0);
	for (size_t i = 1; i < MRD_CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	close(pair[1]);
	turn();
}

static int connect_to(const char *at)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", at);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void listens_for_its_owner_alone(void **state)
{
	struct stat found;
	char buf[64];
	int fd;

	(void)state;
	assert_int_equal(stat(path, &found), 0);
	assert_true(S_ISSOCK(found.st_mode));
	assert_int_equal(found.st_mode & 0777, 0600);
	fd = connect_to(path);
	say(fd, "status\n");
	turn();
	assert_true(hear(fd, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"agent\":\"fine\"}");
	close(fd);
}

static void a_live_socket_is_respected_a_dead_one_replaced(void **state)
{
	struct mrd_control *second = NULL;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(mrd_control_open(loop, path, answer, NULL, &second), -EADDRINUSE);
	assert_null(second);
	turn();

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/dead.sock", folder);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	close(fd); /* the file stays */
	assert_int_equal(mrd_control_open(loop, at.sun_path, answer, NULL, &second), 0);
	mrd_control_close(second);
	assert_int_equal(access(at.sun_path, F_OK), -1);
}

static void another_file_is_left_alone(void **state)
{
	struct mrd_control *second = NULL;
	char at[160];
	FILE *file;

	(void)state;
	snprintf(at, sizeof(at), "%s/file", folder);
	file = fopen(at, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(mrd_control_open(loop, at, answer, NULL, &second), -EEXIST);
	assert_int_equal(unlink(at), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_a_line),
		cmocka_unit_test(waits_for_the_rest_of_a_line),
		cmocka_unit_test(drops_a_line_without_end),
		cmocka_unit_test(sends_more_than_a_buffer_holds),
		cmocka_unit_test(silent_clients_hold_nobody_up),
		cmocka_unit_test(listens_for_its_owner_alone),
		cmocka_unit_test(a_live_socket_is_respected_a_dead_one_replaced),
		cmocka_unit_test(another_file_is_left_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
