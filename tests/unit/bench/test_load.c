/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The load generator, by its command line, against servers whose delays are known. A machine that
 * is busy makes requests later than the server does: what is asserted holds then, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/bench/slow_server.h"

enum { REQUESTS_MAX = 1 << 18, LINE_ROOM = 1024, WORD_ROOM = 32 };

struct request {
	char side[WORD_ROOM];
	unsigned long start_us;
	double connect_us;
	double latency_us;
	char outcome[WORD_ROOM];
};

/* What a run of the program gave. */
struct run {
	int status;
	char out[LINE_ROOM * 4];
	size_t count;
	struct request *requests;
};

static void run_free(struct run *run)
{
	free(run->requests);
}
#define AUTO_RUN __attribute__((cleanup(run_free)))

static void read_requests(struct run *run, const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long round;

	assert_non_null(file);
	run->requests = calloc(REQUESTS_MAX, sizeof(*run->requests));
	assert_non_null(run->requests);
	for (; run->count < REQUESTS_MAX; run->count++) {
		struct request *request = &run->requests[run->count];

		/* NOLINTNEXTLINE(cert-err34-c): the program's own numbers */
		if (fscanf(file, " [%lu, \"%31[^\"]\", %lu, %lf, %lf, \"%31[^\"]\"]", &round,
			   request->side, &request->start_us, &request->connect_us,
			   &request->latency_us, request->outcome) != 6)
			break;
	}
	fclose(file);
}

/* The program stands where this one's folder says. Workers write no requests. */
static struct run run_load(const char *arguments)
{
	const bool has_requests = !strstr(arguments, "--workers");
	char path[] = "/tmp/test_load.XXXXXX", self[LINE_ROOM / 2], line[LINE_ROOM];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const int fd = mkstemp(path);
	struct run run = {0};
	FILE *pipe;

	assert_true(len > 0 && fd >= 0);
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(line, sizeof(line), "%s/../../bench/load %s%s %s 2>&1", self,
		 has_requests ? "--requests=" : "", has_requests ? path : "", arguments);
	pipe = popen(line, "re"); /* NOLINT(cert-env33-c) */
	assert_non_null(pipe);
	run.out[fread(run.out, 1, sizeof(run.out) - 1, pipe)] = '\0';
	run.status = WEXITSTATUS(pclose(pipe));
	read_requests(&run, path);
	close(fd);
	unlink(path);
	return run;
}

/* run_load() on one side, of this machine. */
static struct run run_at(const char *arguments, uint16_t port)
{
	char line[LINE_ROOM];
	struct run run;

	snprintf(line, sizeof(line), "%s a=127.0.0.1:%u", arguments, port);
	run = run_load(line);
	print_message("load %s: exit %d: %s\n", line, run.status, run.out);
	return run;
}

static int by_latency(const void *a, const void *b)
{
	const struct request *left = a, *right = b;

	return (left->latency_us > right->latency_us) - (left->latency_us < right->latency_us);
}

static int by_start(const void *a, const void *b)
{
	const struct request *left = a, *right = b;

	return (left->start_us > right->start_us) - (left->start_us < right->start_us);
}

static double percentile_ms(struct run *run, unsigned int percent)
{
	qsort(run->requests, run->count, sizeof(*run->requests), by_latency);
	return run->requests[run->count * percent / 100].latency_us / 1000;
}

static size_t later_than(const struct run *run, unsigned int ms)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += run->requests[i].latency_us >= ms * 1000.0;
	return count;
}

/* A tenth of the answers comes 500 ms later. */
static void test_percentiles_find_the_delays(void **state)
{
	static const struct {
		const char *line;
		bool is_udp;
		bool connects; /* each request has a connection, and the delay is none of its making
				*/
	} cases[] = {
		{.line = "--rate=200 keepalive 64 1000 1"},
		{.line = "--rate=200 connect 64 1000 1", .connects = true},
		{.line = "--rate=200 udp 64 1000 1", .is_udp = true},
		{.line = "--rate=200 udp-connect 64 1000 1", .is_udp = true},
		{.line = "connect 4 1000 1", .connects = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct slow_server like = {
			.is_udp = cases[i].is_udp, .delay_every = 10, .delay_ms = 500};
		AUTO_RUN struct run run = run_at(cases[i].line, slow_server_start(&like));

		assert_int_equal(run.status, 0);
		assert_true(run.count >= 20);
		assert_true(percentile_ms(&run, 80) < 500);
		assert_true(percentile_ms(&run, 95) >= 500);
		for (size_t k = 0; k < run.count; k++) {
			const struct request *request = &run.requests[k];

			assert_string_equal(request->outcome, "ok");
			assert_true((request->connect_us > 0) == cases[i].connects);
			if (cases[i].connects && k >= run.count * 95 / 100)
				assert_true(request->latency_us - request->connect_us >= 500e3);
		}
	}
}

/* A server stands still for 400 ms: at 500 requests a second 200 were to start then, and those of
 * the first 300 ms wait for 100 ms and more. Where the next request waits for an answer there are
 * only so many as sockets, in each 100 ms. */
static void test_a_constant_rate_omits_nothing(void **state)
{
	static const struct slow_server like = {.stall_after_ms = 1000, .stall_ms = 400};
	AUTO_RUN struct run paced =
		run_at("--rate=500 keepalive 4 2000 1", slow_server_start(&like));
	AUTO_RUN struct run closed = run_at("keepalive 4 2000 1", slow_server_start(&like));

	(void)state;
	assert_int_equal(paced.status, 0);
	assert_int_equal(paced.count, 1000);
	assert_true(later_than(&paced, 100) >= 148);
	assert_true(later_than(&paced, 399) >= 1);
	qsort(paced.requests, paced.count, sizeof(*paced.requests), by_start);
	for (size_t i = 0; i < paced.count; i++) {
		const unsigned long since = paced.requests[i].start_us - paced.requests[0].start_us;

		assert_in_range(since, i * 2000 - (i > 0), i * 2000 + 1);
	}
	assert_int_equal(closed.status, 0);
	assert_true(later_than(&closed, 399) >= 1);
	assert_true(later_than(&closed, 100) <= 4 * 20);
}

static void test_how_requests_end(void **state)
{
	static const struct {
		struct slow_server like;
		const char *mode;
		const char *outcome;
		bool is_gone; /* nobody listens */
	} cases[] = {
		{.mode = "connect", .outcome = "ok"},
		{.mode = "keepalive", .outcome = "ok"},
		{.like.ending = SLOW_ANSWERS_AND_CLOSES, .mode = "keepalive", .outcome = "ok"},
		{.like.ending = SLOW_SAYS_503, .mode = "connect", .outcome = "503"},
		{.like.ending = SLOW_SAYS_503, .mode = "keepalive", .outcome = "503"},
		{.like.ending = SLOW_SAYS_NONSENSE, .mode = "connect", .outcome = "EPROTO"},
		{.like.ending = SLOW_CLOSES, .mode = "connect", .outcome = "reset"},
		{.like.ending = SLOW_CLOSES, .mode = "keepalive", .outcome = "reset"},
		{.like.ending = SLOW_RESETS, .mode = "connect", .outcome = "reset"},
		{.like.ending = SLOW_RESETS, .mode = "keepalive", .outcome = "reset"},
		{.like.ending = SLOW_IS_SILENT, .mode = "connect", .outcome = "timeout"},
		{.like.ending = SLOW_IS_SILENT, .mode = "keepalive", .outcome = "timeout"},
		{.is_gone = true, .mode = "connect", .outcome = "refused"},
		{.is_gone = true, .mode = "keepalive", .outcome = "refused"},
		{.like.is_udp = true, .mode = "udp", .outcome = "ok"},
		{.like.is_udp = true,
		 .like.ending = SLOW_IS_SILENT,
		 .mode = "udp",
		 .outcome = "timeout"},
		{.like.is_udp = true,
		 .like.ending = SLOW_IS_SILENT,
		 .mode = "udp-connect",
		 .outcome = "timeout"},
		/* Late answers, each while the socket's next query but one would be under way. */
		{.like = {.is_udp = true, .delay_every = 1, .delay_ms = 250},
		 .mode = "udp",
		 .outcome = "timeout"},
		{.is_gone = true, .mode = "udp", .outcome = "refused"},
		{.is_gone = true, .mode = "udp-connect", .outcome = "refused"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* No program is given port 1. */
		const uint16_t port = cases[i].is_gone ? 1 : slow_server_start(&cases[i].like);
		const bool is_good = !strcmp(cases[i].outcome, "ok");
		const char *timeout = !strcmp(cases[i].outcome, "timeout") ? "--timeout=100" : "";
		char line[LINE_ROOM];

		print_message("to be %s:\n", cases[i].outcome);
		snprintf(line, sizeof(line), "--go-on %s --rate=200 %s 4 100 1", timeout,
			 cases[i].mode);
		AUTO_RUN struct run run = run_at(line, port);
		assert_int_equal(run.status, 0);
		assert_int_equal(run.count, 20);
		for (size_t k = 0; k < run.count; k++)
			assert_string_equal(run.requests[k].outcome, cases[i].outcome);
		assert_true(!timeout[0] || later_than(&run, 100) == run.count);
		assert_int_equal(later_than(&run, 5000), 0); /* the time-out if none is given */

		snprintf(line, sizeof(line), "%s %s 4 20 1", timeout, cases[i].mode);
		AUTO_RUN struct run strict = run_at(line, port);
		assert_int_equal(strict.status, is_good ? 0 : 1);
	}
}

/* The server has the first of the three addresses alone. */
static void test_new_sockets_take_turns_between_addresses(void **state)
{
	static const char *const modes[] = {"connect", "udp-connect"};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const struct slow_server like = {.is_udp = i};
		const uint16_t port = slow_server_start(&like);
		char line[LINE_ROOM];
		size_t good = 0;

		snprintf(line, sizeof(line), "--go-on --rate=300 %s 4 100 1 a=127.0.0.1+3:%u",
			 modes[i], port);
		AUTO_RUN struct run run = run_load(line);
		print_message("load %s: %s\n", line, run.out);
		assert_int_equal(run.count, 30);
		qsort(run.requests, run.count, sizeof(*run.requests), by_start);
		for (size_t k = 0; k < run.count; k++) {
			good += !strcmp(run.requests[k].outcome, "ok");
			assert_string_equal(run.requests[k].outcome, run.requests[k % 3].outcome);
		}
		assert_int_equal(good, 10);
	}
}

/* Answers come long after a slice is over: each connection makes one request in it, whoever has it.
 */
static void test_workers_divide_the_connections(void **state)
{
	static const struct slow_server like = {.delay_every = 1, .delay_ms = 300};
	const uint16_t port = slow_server_start(&like);

	(void)state;
	for (unsigned int workers = 1; workers <= 5; workers++) {
		char line[LINE_ROOM], *rest = NULL;
		size_t slices = 0;

		snprintf(line, sizeof(line), "--workers=%u connect 5 20 2", workers);
		AUTO_RUN struct run run = run_at(line, port);
		assert_int_equal(run.status, 0);
		for (char *slice = strtok_r(run.out, "\n", &rest); slice;
		     slice = strtok_r(NULL, "\n", &rest)) {
			assert_string_equal(strrchr(slice, ' '), " 5");
			slices++;
		}
		assert_int_equal(slices, 3); /* and the warm-up */
	}
}

static void test_sides_take_turns(void **state)
{
	static const char *const turns[] = {"-1 a", "-1 b", "-1 c", "2 c", "2 b",
					    "2 a",  "3 b",  "3 c",  "3 a", "4 c",
					    "4 a",  "4 b",  "5 a",  "5 b", "5 c"};
	static const struct slow_server like = {0};
	const uint16_t port = slow_server_start(&like);
	char line[LINE_ROOM], *rest = NULL;
	unsigned long requests = 0;
	size_t count = 0;

	(void)state;
	snprintf(line, sizeof(line),
		 "--first-round=2 keepalive 2 20 4 a=127.0.0.1:%u b=127.0.0.1:%u c=127.0.0.1:%u",
		 port, port, port);
	AUTO_RUN struct run run = run_load(line);
	assert_int_equal(run.status, 0);
	for (char *turn = strtok_r(run.out, "\n", &rest); turn;
	     turn = strtok_r(NULL, "\n", &rest)) {
		assert_true(count < sizeof(turns) / sizeof(turns[0]));
		assert_int_equal(strncmp(turn, turns[count], strlen(turns[count])), 0);
		assert_true(strtod(turn + strlen(turns[count]), NULL) > 0);
		if (turn[0] != '-')
			requests += strtoul(strrchr(turn, ' '), NULL, 10);
		count++;
	}
	assert_int_equal(count, sizeof(turns) / sizeof(turns[0]));
	assert_int_equal(requests, run.count); /* those of the warm-up are not told one by one */
}

enum { ORDERED_MAX = 6 };

/* How often a side came at a place in the order, and right after each of the others. */
static void count_order(char *out, size_t sides, unsigned int at[][ORDERED_MAX],
			unsigned int after[][ORDERED_MAX])
{
	char *rest = NULL;
	size_t place = 0, before = 0;

	for (char *turn = strtok_r(out, "\n", &rest); turn; turn = strtok_r(NULL, "\n", &rest)) {
		const size_t side = (size_t)(strchr(turn, ' ')[1] - 'a');

		if (turn[0] == '-')
			continue;
		assert_in_range(side, 0, sides - 1);
		at[place][side]++;
		if (place)
			after[before][side]++;
		before = side;
		place = (place + 1) % sides;
	}
}

static void test_no_side_has_a_better_place(void **state)
{
	static const struct slow_server like = {0};
	const uint16_t port = slow_server_start(&like);

	(void)state;
	for (size_t sides = 1; sides <= ORDERED_MAX; sides++) {
		unsigned int at[ORDERED_MAX][ORDERED_MAX] = {0};
		unsigned int after[ORDERED_MAX][ORDERED_MAX] = {0};
		char line[LINE_ROOM];
		int len = snprintf(line, sizeof(line), "keepalive 1 1 %zu", 2 * sides);

		for (size_t i = 0; i < sides; i++)
			len += snprintf(line + len, sizeof(line) - (size_t)len, " %c=127.0.0.1:%u",
					(char)('a' + i), port);
		AUTO_RUN struct run run = run_load(line);
		assert_int_equal(run.status, 0);
		count_order(run.out, sides, at, after);
		for (size_t one = 0; one < sides; one++) {
			for (size_t other = 0; other < sides; other++) {
				assert_int_equal(at[one][other], 2);
				assert_int_equal(after[one][other], one == other ? 0 : 2);
			}
		}
	}
}

static void test_command_line(void **state)
{
	static const struct {
		const char *line;
		int status;
	} cases[] = {
		{.line = "", .status = 2},
		{.line = "connect 1 10 1", .status = 2},
		{.line = "other 1 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "connect 0 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "connect 9000 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "connect 1x 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "connect 1 10 -1 a=127.0.0.1:1", .status = 2},
		{.line = "connect 1 10 1 127.0.0.1:1", .status = 2},
		{.line = "connect 1 10 1 a=127.0.0.1", .status = 2},
		{.line = "connect 1 10 1 a=127.0.0.1:65536", .status = 2},
		{.line = "connect 1 10 1 a=[::1:1", .status = 2},
		{.line = "connect 1 10 1 a=127.0.0.1+0:1", .status = 2},
		{.line = "connect 1 10 1 a=127.0.0.1+:1", .status = 2},
		{.line = "connect 1 10 1 a=[::1]+2:1", .status = 2},
		{.line = "--rate=0 connect 1 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "--first-round=x connect 1 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "--timeout=x connect 1 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "--workers=0 connect 1 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "--workers=2 connect 1 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "--workers=2 --rate=9 connect 2 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "--workers=2 --requests=/dev/null connect 2 10 1 a=127.0.0.1:1",
		 .status = 2},
		{.line = "--workers=2 connect 2 10 1 a=127.0.0.1:1", .status = 1},
		{.line = "--what connect 1 10 1 a=127.0.0.1:1", .status = 2},
		{.line = "connect 1 10 1 a=127.0.0.1:1", .status = 1},
		{.line = "connect 1 10 1 a=[::1]:1", .status = 1},
		{.line = "connect 1 10 1 a=127.0.0.1:1@/nowhere", .status = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_RUN struct run run = run_load(cases[i].line);

		print_message("load %s\n", cases[i].line);
		assert_int_equal(run.status, cases[i].status);
		assert_int_equal(strncmp(run.out, "load: a: ", 9) == 0, run.status == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles_find_the_delays),
		cmocka_unit_test(test_a_constant_rate_omits_nothing),
		cmocka_unit_test(test_how_requests_end),
		cmocka_unit_test(test_new_sockets_take_turns_between_addresses),
		cmocka_unit_test(test_workers_divide_the_connections),
		cmocka_unit_test(test_sides_take_turns),
		cmocka_unit_test(test_no_side_has_a_better_place),
		cmocka_unit_test(test_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
