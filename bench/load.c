/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * HTTP/1.1 load on several addresses in turn, a slice of a few ten milliseconds each. What disturbs
 * a shared machine for longer than that meets all sides alike, so that their ratio holds where
 * tools that run for a second at a time see nothing but noise.
 *
 * Usage: load keepalive|connect CONNECTIONS SLICE_MS SLICES NAME=ADDRESS:PORT[@CGROUP[@NETNS]]...
 *
 * keepalive: connections stay, each sends its next request when it has its answer. connect: each
 * request has a connection of its own. CGROUP: the folder of the cgroup in which that side's
 * sockets are made; NETNS: the network namespace, by its name in /run/netns. Who names one for one
 * side names one for all. The order of the sides changes with every round. Prints "ROUND NAME RATE
 * REQUESTS" for each slice, RATE in requests a second, with a first round -1 that is warm-up; a
 * failed request ends the run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIDES_MAX = 8, CONNECTIONS_MAX = 1024, ANSWER_MAX = 4096, PATIENCE_MS = 5000 };

struct side;

struct connection {
	struct side *side;
	int fd; /* -1: none */
	size_t have;
	char answer[ANSWER_MAX + 1];
};

struct side {
	const char *name;
	const char *cgroup; /* "" = the one that this program was started in */
	const char *netns;  /* the same */
	struct sockaddr_in address;
	struct connection *connections;
	int epoll; /* with this side's connections alone */
};

struct load {
	bool keep_alive;
	size_t connections;
	unsigned long slice_ms;
	size_t side_count;
	struct side sides[SIDES_MAX];

	/* of the slice that runs */
	unsigned long until_ns;
	size_t under_way;
	unsigned long done;
};

static const char keep_request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char close_request[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

static unsigned long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * 1000000000 + (unsigned long)now.tv_nsec;
}

static _Noreturn void fail(const struct side *side, const char *what)
{
	fprintf(stderr, "load: %s: %s: %s\n", side ? side->name : "", what, strerror(errno));
	exit(1);
}

/* Both bind when a socket is made. */
static void enter(const struct side *side)
{
	char path[4096];
	int fd;

	if (side->cgroup[0]) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", side->cgroup);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			fail(side, path);
		close(fd);
	}
	if (side->netns[0]) {
		snprintf(path, sizeof(path), "/run/netns/%s", side->netns);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
			fail(side, path);
		close(fd);
	}
}

static void start_connection(struct connection *connection)
{
	struct side *side = connection->side;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
	const int one = 1;

	connection->have = 0;
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->fd < 0 ||
	    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    (connect(connection->fd, (struct sockaddr *)&side->address, sizeof(side->address)) &&
	     errno != EINPROGRESS) ||
	    epoll_ctl(side->epoll, EPOLL_CTL_ADD, connection->fd, &event))
		fail(side, "connect");
}

static void send_request(const struct load *load, const struct connection *connection)
{
	const char *request = load->keep_alive ? keep_request : close_request;
	const size_t len = strlen(request);

	if (send(connection->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		fail(connection->side, "send");
}

/* Bytes of a whole answer, 0 while it is not whole. */
static size_t answer_length(const struct connection *connection)
{
	const char *end = strstr(connection->answer, "\r\n\r\n");
	const char *length = end ? strcasestr(connection->answer, "\r\ncontent-length:") : NULL;
	size_t whole;

	if (!length || length > end)
		return 0;
	whole = (size_t)(end - connection->answer) + 4 +
		strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
	return whole <= connection->have ? whole : 0;
}

/* true: the answer is there, and good. */
static bool receive(const struct load *load, struct connection *connection)
{
	for (;;) {
		const ssize_t got = recv(connection->fd, connection->answer + connection->have,
					 ANSWER_MAX - connection->have, 0);

		if (got < 0 && errno == EAGAIN)
			return false;
		if (got < 0)
			fail(connection->side, "receive");
		connection->have += (size_t)got;
		connection->answer[connection->have] = '\0';
		/* A connection of its own ends with its answer: the peer closes it. */
		if (load->keep_alive ? answer_length(connection) : !got)
			break;
		if (!got || connection->have == ANSWER_MAX) {
			errno = got ? EMSGSIZE : ECONNRESET;
			fail(connection->side, "receive");
		}
	}
	if (strncmp(connection->answer, "HTTP/1.1 200 ", 13) != 0) {
		errno = EPROTO;
		fail(connection->side, "answer");
	}
	return true;
}

static void on_ready(struct load *load, struct connection *connection, uint32_t events)
{
	const bool is_over = events & (EPOLLIN | EPOLLHUP | EPOLLERR);

	if (!is_over) {
		send_request(load, connection);
		return;
	}
	if (!receive(load, connection))
		return;
	load->done++;
	connection->have = 0;
	if (!load->keep_alive)
		close(connection->fd);
	if (now_ns() >= load->until_ns)
		load->under_way--;
	else if (load->keep_alive)
		send_request(load, connection);
	else
		start_connection(connection);
}

static void wait_once(struct load *load, struct side *side,
		      void (*fn)(struct load *load, struct connection *connection, uint32_t events))
{
	struct epoll_event events[64];
	const int count =
		epoll_wait(side->epoll, events, sizeof(events) / sizeof(events[0]), PATIENCE_MS);

	if (count <= 0) {
		errno = count ? errno : ETIMEDOUT;
		fail(side, "wait");
	}
	for (int i = 0; i < count; i++)
		fn(load, events[i].data.ptr, events[i].events);
}

static void run_slice(struct load *load, struct side *side, long round)
{
	unsigned long start;

	/* Whose processor time it is goes by the cgroup, also where sockets are there already. */
	enter(side);
	start = now_ns();
	load->until_ns = start + load->slice_ms * 1000000;
	load->under_way = load->connections;
	load->done = 0;
	for (size_t i = 0; i < load->connections; i++) {
		if (load->keep_alive)
			send_request(load, &side->connections[i]);
		else
			start_connection(&side->connections[i]);
	}
	while (load->under_way)
		wait_once(load, side, on_ready);
	printf("%ld %s %.1f %lu\n", round, side->name,
	       (double)load->done * 1e9 / (double)(now_ns() - start), load->done);
}

static void on_connected(struct load *load, struct connection *connection, uint32_t events)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = connection};

	if ((events & (EPOLLHUP | EPOLLERR)) ||
	    epoll_ctl(connection->side->epoll, EPOLL_CTL_MOD, connection->fd, &event))
		fail(connection->side, "connect");
	load->under_way--;
}

static void open_side(struct load *load, struct side *side)
{
	side->epoll = epoll_create1(EPOLL_CLOEXEC);
	side->connections = calloc(load->connections, sizeof(*side->connections));
	if (side->epoll < 0 || !side->connections)
		fail(side, "start");
	for (size_t i = 0; i < load->connections; i++)
		side->connections[i] = (struct connection){.side = side, .fd = -1};
	if (!load->keep_alive)
		return;
	enter(side);
	for (size_t i = 0; i < load->connections; i++)
		start_connection(&side->connections[i]);
	load->under_way = load->connections;
	while (load->under_way)
		wait_once(load, side, on_connected);
}

static void close_side(struct load *load, struct side *side)
{
	for (size_t i = 0; load->keep_alive && i < load->connections; i++)
		close(side->connections[i].fd);
	free(side->connections);
	close(side->epoll);
}

/* NAME=ADDRESS:PORT[@CGROUP[@NETNS]], cut up in place. */
static bool read_side(char *text, struct side *side)
{
	char *address = strchr(text, '=');
	char *port = address ? strchr(address, ':') : NULL;
	char *cgroup = port ? strchr(port, '@') : NULL;
	char *netns = cgroup ? strchr(cgroup + 1, '@') : NULL;

	if (!port)
		return false;
	*address++ = '\0';
	*port++ = '\0';
	if (cgroup)
		*cgroup++ = '\0';
	if (netns)
		*netns++ = '\0';
	side->name = text;
	side->cgroup = cgroup ? cgroup : "";
	side->netns = netns ? netns : "";
	side->address.sin_family = AF_INET;
	side->address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	return inet_pton(AF_INET, address, &side->address.sin_addr) == 1;
}

static bool read_arguments(int argc, char **argv, struct load *load)
{
	if (argc < 6 || argc - 5 > SIDES_MAX)
		return false;
	load->keep_alive = !strcmp(argv[1], "keepalive");
	if (!load->keep_alive && strcmp(argv[1], "connect") != 0)
		return false;
	load->connections = strtoul(argv[2], NULL, 10);
	load->slice_ms = strtoul(argv[3], NULL, 10);
	if (!load->connections || load->connections > CONNECTIONS_MAX || !load->slice_ms)
		return false;
	for (int i = 5; i < argc; i++)
		if (!read_side(argv[i], &load->sides[load->side_count++]))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct load load = {0};
	long slices;

	if (!read_arguments(argc, argv, &load)) {
		fprintf(stderr, "usage: load keepalive|connect CONNECTIONS SLICE_MS SLICES "
				"NAME=ADDRESS:PORT[@CGROUP[@NETNS]]...\n");
		return 2;
	}
	slices = strtol(argv[4], NULL, 10);
	for (size_t i = 0; i < load.side_count; i++) {
		open_side(&load, &load.sides[i]);
		run_slice(&load, &load.sides[i], -1);
	}
	for (long round = 0; round < slices; round++)
		for (size_t i = 0; i < load.side_count; i++)
			run_slice(&load, &load.sides[((size_t)round + i) % load.side_count], round);
	for (size_t i = 0; i < load.side_count; i++)
		close_side(&load, &load.sides[i]);
	return 0;
}
