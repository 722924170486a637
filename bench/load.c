/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Load on several addresses in turn, a slice of a few ten milliseconds each. What disturbs a shared
 * machine for longer than that meets all sides alike, so that their ratio holds where tools that
 * run for a second at a time see nothing but noise. The usage below says all that it does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/load_crew.h"
#include "bench/load_pace.h"

enum { SIDES_MAX = 16, CONNECTIONS_MAX = 8192, ADDRESSES_MAX = 65536, TIMEOUT_MS = 5000 };

struct options {
	struct load load;
	unsigned long slices;
	unsigned long first_round;
	unsigned long workers;
	FILE *requests;		/* NULL: not wanted */
	uint64_t since_1970_ns; /* what the monotonic clock lacks to the time of day */
	size_t side_count;
	struct load_side sides[SIDES_MAX];
};

static const char usage[] =
	"usage: load [OPTION]... MODE CONNECTIONS SLICE_MS SLICES SIDE...\n"
	"\n"
	"Load on each address in turn, SLICES times for SLICE_MS milliseconds; the order changes "
	"with\n"
	"every round, so that in as many rounds as there are sides each is once first, second and "
	"so on,\n"
	"and comes as often after one of the others as after another: an odd number of sides "
	"needs two\n"
	"times as many for that. Prints \"ROUND NAME RATE REQUESTS\" for each slice: good answers "
	"a "
	"second,\n"
	"and how many requests there were. Round -1 is warm-up.\n"
	"\n"
	"MODE       keepalive: HTTP/1.1 on connections that stay; connect: a connection for each "
	"request\n"
	"           udp: queries on sockets that stay; udp-connect: a socket for each query\n"
	"CONNECTIONS  requests under way at once: all the time, or at most with --rate\n"
	"SIDE       NAME=ADDRESS:PORT[@CGROUP[@NETNS]]; ADDRESS: of IPv4, or [IPv6]; of IPv4 with "
	"+COUNT\n"
	"           behind it, that many from it on, one after the other by new sockets; CGROUP: "
	"the folder of\n"
	"           the cgroup in which its sockets are made and its requests sent; NETNS: the "
	"network\n"
	"           namespace of its sockets, by its name in /run/netns. Who names one for one "
	"side names\n"
	"           one for all\n"
	"\n"
	"  --rate=N         requests start N times a second in a slice, whether or not earlier "
	"ones were\n"
	"                   answered; latencies count from the time at which a request was to "
	"start\n"
	"  --requests=FILE  a line for every request, in the order in which they ended:\n"
	"                   [ROUND, NAME, START, CONNECT, LATENCY, OUTCOME], as JSON\n"
	"                   START: microseconds since 1970; CONNECT: from then until the "
	"connection\n"
	"                   stood, 0 if it was there; LATENCY: microseconds from START to the "
	"end;\n"
	"                   OUTCOME: ok, refused, timeout, reset, unreachable, another errno, or "
	"the status\n"
	"                   of an answer that is not 200\n"
	"  --first-round=N  the first round's number, to go on where an earlier run ended (0)\n"
	"  --go-on          a failed request does not end the program\n"
	"  --timeout=MS     for a request, from its real start (5000)\n"
	"  --workers=N      processes among which the connections are divided; not with --rate or "
	"--requests\n"
	"                   (1)\n"
	"\n"
	"A good answer has a Content-Length; any datagram is a good one. Before the first slice "
	"each side\n"
	"is warmed up, uncounted. A query is 32 bytes.\n";

/* The number, 0 if it is none or more than `most`. */
static unsigned long read_number(const char *text, unsigned long most)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	return errno || *end || end == text || *text == '-' || number > most ? 0 : number;
}

static bool read_address(char *text, struct load_side *side)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&side->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&side->address;
	char *colon = strrchr(text, ':');
	char *plus = strchr(text, '+');
	unsigned long port;

	if (!colon || colon == text)
		return false;
	*colon = '\0';
	port = read_number(colon + 1, UINT16_MAX);
	if (!port)
		return false;
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		side->address_len = sizeof(*v6);
		return inet_pton(AF_INET6, text + 1, &v6->sin6_addr) == 1;
	}
	side->address_count = 1;
	if (plus) {
		*plus++ = '\0';
		side->address_count = (uint32_t)read_number(plus, ADDRESSES_MAX);
		if (!side->address_count)
			return false;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	side->address_len = sizeof(*v4);
	return inet_pton(AF_INET, text, &v4->sin_addr) == 1;
}

/* NAME=ADDRESS:PORT[@CGROUP[@NETNS]], cut up in place. */
static bool read_side(char *text, struct load_side *side)
{
	char *address = strchr(text, '=');
	char *cgroup = address ? strchr(address, '@') : NULL;
	char *netns = cgroup ? strchr(cgroup + 1, '@') : NULL;

	if (!address)
		return false;
	*address++ = '\0';
	if (cgroup)
		*cgroup++ = '\0';
	if (netns)
		*netns++ = '\0';
	side->name = text;
	side->cgroup = cgroup ? cgroup : "";
	side->netns = netns ? netns : "";
	return read_address(address, side);
}

static bool read_mode(const char *text, struct load_kind *ret_kind)
{
	static const struct {
		const char *name;
		struct load_kind kind;
	} modes[] = {
		{.name = "keepalive", .kind = {.stays = true}},
		{.name = "connect"},
		{.name = "udp", .kind = {.is_udp = true, .stays = true}},
		{.name = "udp-connect", .kind = {.is_udp = true}},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, text) != 0)
			continue;
		*ret_kind = modes[i].kind;
		return true;
	}
	return false;
}

static bool read_option(int option, const char *value, struct options *options)
{
	switch (option) {
	case 'r':
		options->load.per_second = read_number(value, 1000000);
		return options->load.per_second;
	case 'f':
		options->requests = fopen(value, "we");
		if (!options->requests)
			perror(value);
		return options->requests;
	case 'n':
		options->first_round = read_number(value, UINT32_MAX);
		return options->first_round || !strcmp(value, "0");
	case 'g':
		options->load.goes_on = true;
		return true;
	case 'w':
		options->workers = read_number(value, LOAD_CREW_MAX);
		return options->workers;
	case 't':
		options->load.timeout_ns = read_number(value, 3600000) * 1000000;
		return options->load.timeout_ns;
	default:
		return false;
	}
}

static bool read_arguments(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{.name = "rate", .has_arg = required_argument, .val = 'r'},
		{.name = "requests", .has_arg = required_argument, .val = 'f'},
		{.name = "first-round", .has_arg = required_argument, .val = 'n'},
		{.name = "go-on", .val = 'g'},
		{.name = "workers", .has_arg = required_argument, .val = 'w'},
		{.name = "timeout", .has_arg = required_argument, .val = 't'},
		{.name = NULL},
	};
	struct load *load = &options->load;
	int option;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) >= 0)
		if (!read_option(option, optarg, options))
			return false;
	argv += optind;
	argc -= optind;
	if (argc < 5 || argc - 4 > SIDES_MAX || !read_mode(argv[0], &load->kind))
		return false;
	load->slot_count = read_number(argv[1], CONNECTIONS_MAX);
	load->slice_ns = read_number(argv[2], 3600000) * 1000000;
	options->slices = read_number(argv[3], UINT32_MAX);
	if (load->slot_count < options->workers || !load->slice_ns || !options->slices ||
	    (options->workers > 1 && (load->per_second || options->requests)))
		return false;
	for (int i = 4; i < argc; i++)
		if (!read_side(argv[i], &options->sides[options->side_count++]))
			return false;
	return true;
}

static const char *outcome_word(int outcome)
{
	switch (-outcome) {
	case 0:
		return "ok";
	case ECONNREFUSED:
		return "refused";
	case ETIMEDOUT:
		return "timeout";
	case ECONNRESET:
	case EPIPE:
		return "reset";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "unreachable";
	default:
		return strerrorname_np(-outcome);
	}
}

static uint64_t since_1970_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - load_now_ns();
}

static void write_requests(const struct options *options, unsigned long round,
			   const struct load_side *side)
{
	for (size_t i = 0; i < options->load.record_count; i++) {
		const struct load_record *request = &options->load.records[i];

		fprintf(options->requests, "[%lu, \"%s\", %lu, %.3f, %.3f, ", round, side->name,
			(options->since_1970_ns + request->intended_ns) / 1000,
			(double)request->connect_ns / 1e3, (double)request->latency_ns / 1e3);
		if (request->outcome > 0)
			fprintf(options->requests, "\"%d\"]\n", request->outcome);
		else
			fprintf(options->requests, "\"%s\"]\n", outcome_word(request->outcome));
	}
}

/* A square of Williams: forth and back from the round's own side, which every round moves on by
 * one. With an even number of sides each follows each other one once in a sweep of as many rounds;
 * with an odd number the next sweep, which is the mirrored one, makes up for what the first has
 * not. */
static size_t side_of_turn(unsigned long round, size_t turn, size_t count)
{
	const size_t step = round / count % 2 ? count - 1 - turn : turn;
	const size_t from_own = step % 2 ? count - (step + 1) / 2 : step / 2;

	return (round + from_own) % count;
}

/* Good answers a second. */
static double rate_of(const struct load_sum *sum)
{
	return (double)sum->good * 1e9 / (double)sum->took_ns;
}

static void run_round(struct options *options, unsigned long round)
{
	struct load *load = &options->load;

	for (size_t i = 0; i < options->side_count; i++) {
		struct load_side *side =
			&options->sides[side_of_turn(round, i, options->side_count)];
		struct load_sum sum;

		load_crew_meet();
		sum = load_run_slice(load, side);
		if (!load_crew_add_up(&sum))
			continue;
		printf("%lu %s %.1f %zu\n", round, side->name, rate_of(&sum), sum.requests);
		if (options->requests)
			write_requests(options, round, side);
	}
}

static void warm_up(struct options *options)
{
	struct load *load = &options->load;

	for (size_t i = 0; i < options->side_count; i++) {
		struct load_sum sum;

		load_crew_meet();
		sum = load_open_side(load, &options->sides[i]);
		if (load_crew_add_up(&sum))
			printf("-1 %s %.1f %zu\n", options->sides[i].name, rate_of(&sum),
			       sum.requests);
	}
}

int main(int argc, char **argv)
{
	static struct options options = {.workers = 1, .load.timeout_ns = TIMEOUT_MS * 1000000UL};
	struct rlimit files;
	int worker;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (!read_arguments(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	options.since_1970_ns = since_1970_ns();
	worker = load_crew_begin(options.workers);
	if (worker < 0) {
		perror("load: --workers");
		return 1;
	}
	options.load.slot_count = (options.load.slot_count + (size_t)worker) / options.workers;
	/* Not all of them ask the same addresses at the same time. */
	for (size_t i = 0; i < options.side_count; i++)
		options.sides[i].next_address = options.sides[i].address_count * (uint32_t)worker /
						(uint32_t)options.workers;
	warm_up(&options);
	for (unsigned long i = 0; i < options.slices; i++)
		run_round(&options, options.first_round + i);
	for (size_t i = 0; i < options.side_count; i++)
		load_close_side(&options.load, &options.sides[i]);
	free(options.load.records);
	if (!load_crew_end())
		return 1;
	if (options.requests && fclose(options.requests)) {
		perror("load: --requests");
		return 1;
	}
	return 0;
}
