/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The clients and servers of the end-to-end tests that curl and nginx cannot play: many connections
 * a second with one line of result each, errno by name, peer names, datagrams with the address they
 * came from, TCP Fast Open, MPTCP, and HTTP answers in awkward pieces (peer_decoys.c).
 *
 * Every wait is bounded by PEER_TIMEOUT_MS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/peer_decoys.h"

enum { PEER_TIMEOUT_MS = 5000, PEER_BUFFER = 4096, PEER_DATAGRAM = 65507 };
enum { PEER_TRIES = 16, PEER_TRY_MS = PEER_TIMEOUT_MS / PEER_TRIES };

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static unsigned long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

static void pause_ms(unsigned long ms)
{
	const struct timespec pause = {.tv_sec = (time_t)(ms / 1000),
				       .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&pause, NULL);
}

static int resolve(const char *address, const char *port, int type, struct addrinfo **ret_info)
{
	const struct addrinfo hints = {.ai_socktype = type,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};

	if (getaddrinfo(address, port, &hints, ret_info)) {
		fprintf(stderr, "peer: %s %s is no address and port\n", address, port);
		return -EINVAL;
	}
	return 0;
}

static void print_name(const char *word, const struct sockaddr *addr, socklen_t len)
{
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];

	if (getnameinfo(addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		printf("%s ?", word);
	else
		printf("%s %s %s", word, host, port);
}

static int timed_socket(const struct addrinfo *info, int protocol)
{
	const struct timeval limit = {.tv_sec = PEER_TIMEOUT_MS / 1000};
	int fd = socket(info->ai_family, info->ai_socktype, protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

/* ------------------------------------------------------------------------------------- get */

/* One request on a connection of its own; the body's first line goes to line. */
static int get_once(const struct addrinfo *info, char *line, size_t room)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n";
	int fd = timed_socket(info, 0);
	size_t have = 0;
	ssize_t got;
	char *body;
	int status = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, info->ai_addr, info->ai_addrlen) ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		status = -errno;
	while (!status && have < room - 1) {
		got = recv(fd, line + have, room - 1 - have, 0);
		if (got < 0)
			status = -errno;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	close(fd);
	if (status)
		return status;
	line[have] = '\0';
	body = strstr(line, "\r\n\r\n");
	if (!body)
		return -EPROTO;
	if (strncmp(line + strlen("HTTP/1.1 "), "200", 3)) {
		body = line + strlen("HTTP/1.1");
		body[strlen(" 503")] = '\0';
		memmove(line + strlen("status"), body, strlen(body) + 1);
		memcpy(line, "status", strlen("status"));
		return 0;
	}
	body += 4;
	body[strcspn(body, "\r\n")] = '\0';
	memmove(line, body, strlen(body) + 1);
	return 0;
}

/* get ADDRESS PORT COUNT [INTERVAL_MS]: a line for each, the body's first or the error's name. */
static int run_get(char **args, int count)
{
	struct addrinfo *info;
	long times = count > 2 ? strtol(args[2], NULL, 10) : 1;
	long interval = count > 3 ? strtol(args[3], NULL, 10) : 0;
	char line[PEER_BUFFER];

	if (resolve(args[0], args[1], SOCK_STREAM, &info))
		return 2;
	for (long i = 0; i < times; i++) {
		int status = get_once(info, line, sizeof(line));

		printf("%s\n", status ? strerrorname_np(-status) : line);
		fflush(stdout);
		if (interval)
			pause_ms((unsigned long)interval);
	}
	freeaddrinfo(info);
	return 0;
}

/* ----------------------------------------------------------------------------------- burst */

enum { BURST_MAX = 1024 };

/* burst FIRST_IPV4 PORT COUNT: a connection to each of COUNT addresses in a row; when all are open,
 * one request on each, as fast as it can be done. Prints how many were answered. */
static int run_burst(char **args, int count)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n";
	struct addrinfo *info;
	struct sockaddr_in to;
	long times = strtol(args[2], NULL, 10);
	int fds[BURST_MAX];
	char answer[PEER_BUFFER];
	long answered = 0;

	(void)count;
	if (times > BURST_MAX || resolve(args[0], args[1], SOCK_STREAM, &info))
		return 2;
	memcpy(&to, info->ai_addr, sizeof(to));
	for (long i = 0; i < times; i++) {
		fds[i] = timed_socket(info, 0);
		if (fds[i] >= 0 && connect(fds[i], (const struct sockaddr *)&to, sizeof(to)))
			fprintf(stderr, "peer: %s\n", strerrorname_np(errno));
		to.sin_addr.s_addr = htonl(ntohl(to.sin_addr.s_addr) + 1);
	}
	for (long i = 0; i < times; i++)
		send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL);
	for (long i = 0; i < times; i++) {
		answered += recv(fds[i], answer, sizeof(answer), 0) > 0;
		close(fds[i]);
	}
	printf("%ld\n", answered);
	freeaddrinfo(info);
	return 0;
}

/* --------------------------------------------------------------------------------- connect */

static int finish_nonblocking(int fd)
{
	struct pollfd waiting = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&waiting, 1, PEER_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return -error;
}

/* connect ADDRESS PORT [tfo|mptcp|nonblock]: "connected peer ADDRESS PORT", or the error's name. */
static int run_connect(char **args, int count)
{
	const char *how = count > 2 ? args[2] : "plain";
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);
	unsigned long start = now_ms();
	struct addrinfo *info;
	int status = 0;
	int fd;

	if (resolve(args[0], args[1], SOCK_STREAM, &info))
		return 2;
	fd = timed_socket(info, strcmp(how, "mptcp") ? 0 : IPPROTO_MPTCP);
	if (fd < 0) {
		printf("%s\n", strerrorname_np(-fd));
		freeaddrinfo(info);
		return 1;
	}
	if (!strcmp(how, "tfo")) {
		if (sendto(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_FASTOPEN | MSG_NOSIGNAL,
			   info->ai_addr, info->ai_addrlen) < 0)
			status = -errno;
	} else if (!strcmp(how, "nonblock")) {
		int flags = 1;

		if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &flags, sizeof(flags)))
			status = -errno;
		close(fd);
		fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fd, info->ai_addr, info->ai_addrlen))
			status = errno == EINPROGRESS ? finish_nonblocking(fd) : -errno;
	} else if (connect(fd, info->ai_addr, info->ai_addrlen)) {
		status = -errno;
	}
	if (!status && getpeername(fd, (struct sockaddr *)&name, &len))
		status = -errno;
	if (status)
		printf("%s", strerrorname_np(-status));
	else
		print_name("connected", (struct sockaddr *)&name, len);
	printf(" after %lu ms\n", now_ms() - start);
	close(fd);
	freeaddrinfo(info);
	return status ? 1 : 0;
}

/* ------------------------------------------------------------------------------------- udp */

/* One datagram out, one in: prints what came and where it says it came from. */
static void udp_exchange(int fd, const struct addrinfo *to, const char *text)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	char reply[PEER_BUFFER];
	ssize_t got = to ? sendto(fd, text, strlen(text), 0, to->ai_addr, to->ai_addrlen)
			 : send(fd, text, strlen(text), 0);

	if (got >= 0)
		got = recvfrom(fd, reply, sizeof(reply) - 1, 0, (struct sockaddr *)&from, &len);
	if (got < 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	reply[got] = '\0';
	printf("%s ", reply);
	print_name("from", (struct sockaddr *)&from, len);
	printf("\n");
}

/* udp connected|named|unconnected COUNT ADDRESS PORT [ADDRESS PORT]: COUNT datagrams on one socket,
 * in turn to each address (connected: the first only). */
static int run_udp(char **args, int count)
{
	struct addrinfo *to[2] = {NULL, NULL};
	int addresses = count >= 6 ? 2 : 1;
	int connected = strcmp(args[0], "unconnected") != 0;
	int named = strcmp(args[0], "connected") !=
		    0; /* "named": connected, and each datagram says so */
	long times = strtol(args[1], NULL, 10);
	int fd;

	for (int i = 0; i < addresses; i++) {
		if (resolve(args[2 + 2 * i], args[3 + 2 * i], SOCK_DGRAM, &to[i]))
			return 2;
	}
	fd = timed_socket(to[0], 0);
	if (fd < 0 || (connected && connect(fd, to[0]->ai_addr, to[0]->ai_addrlen))) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if (connected) {
		struct sockaddr_storage name = {0};
		socklen_t len = sizeof(name);

		getpeername(fd, (struct sockaddr *)&name, &len);
		print_name("peer", (struct sockaddr *)&name, len);
		printf("\n");
	}
	for (long i = 0; i < times; i++)
		udp_exchange(fd, named ? to[i % addresses] : NULL, "hello");
	close(fd);
	for (int i = 0; i < addresses; i++)
		freeaddrinfo(to[i]);
	return 0;
}

/* One line: who answered and by what name, or the error's name. */
static void udp_ask(int fd, const struct addrinfo *to)
{
	struct sockaddr_storage from = {0};
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char reply[PEER_BUFFER];

	for (int i = 0; i < PEER_TRIES; i++) {
		socklen_t len = sizeof(from);
		ssize_t got = to ? sendto(fd, "hello", 5, 0, to->ai_addr, to->ai_addrlen)
				 : send(fd, "hello", 5, 0);

		if (got >= 0 && poll(&wait, 1, PEER_TRY_MS) == 0)
			continue;
		if (got >= 0)
			got = recvfrom(fd, reply, sizeof(reply) - 1, 0, (struct sockaddr *)&from,
				       &len);
		if (got < 0) {
			printf("%s\n", strerrorname_np(errno));
			return;
		}
		reply[got] = '\0';
		printf("%s ", reply);
		print_name("from", (struct sockaddr *)&from, len);
		printf("\n");
		return;
	}
	printf("none\n");
}

static int udp_bind(int fd, int family, const char *port)
{
	const char *any = family == AF_INET ? "0.0.0.0" : "::";
	struct addrinfo *from;
	int r;

	if (resolve(any, port, SOCK_DGRAM, &from))
		return -1;
	r = bind(fd, from->ai_addr, from->ai_addrlen);
	freeaddrinfo(from);
	return r;
}

/* udp-ask connected|unconnected COUNT ADDRESS PORT [LOCAL-PORT [FILE]]: COUNT questions on one
 * socket, each asked again until it is answered, as resolvers do; the second once FILE is there. */
static int run_udp_ask(char **args, int count)
{
	const int connected = !strcmp(args[0], "connected");
	const long times = strtol(args[1], NULL, 10);
	struct addrinfo *to;
	int fd;

	if (resolve(args[2], args[3], SOCK_DGRAM, &to))
		return 2;
	fd = timed_socket(to, 0);
	if (fd < 0 || (count > 4 && udp_bind(fd, to->ai_family, args[4])) ||
	    (connected && connect(fd, to->ai_addr, to->ai_addrlen))) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	for (long i = 0; i < times; i++) {
		for (int j = 0; i == 1 && count > 5 && access(args[5], F_OK) && j < 1000; j++)
			pause_ms(10);
		udp_ask(fd, connected ? NULL : to);
		fflush(stdout);
	}
	close(fd);
	freeaddrinfo(to);
	return 0;
}

/* udp-hold ADDRESS PORT: waits on a connected socket until the kernel ends it, and says how. */
static int run_udp_hold(char **args, int count)
{
	struct addrinfo *info;
	char text[PEER_BUFFER];
	int fd;

	(void)count;
	if (resolve(args[0], args[1], SOCK_DGRAM, &info))
		return 2;
	fd = socket(info->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, info->ai_addr, info->ai_addrlen)) {
		perror("peer: udp-hold");
		return 1;
	}
	freeaddrinfo(info);
	while (recv(fd, text, sizeof(text), 0) > 0)
		continue;
	printf("%s\n", strerrorname_np(errno));
	return 0;
}

/* udp-echo ADDRESS PORT NAME [COUNT]: answers "NAME" to every datagram until it is killed, or to
 * COUNT of them. */
static int run_udp_echo(char **args, int count)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	long left = count > 3 ? strtol(args[3], NULL, 10) : 0;
	struct addrinfo *info;
	char text[PEER_BUFFER];
	int fd;

	if (resolve(args[0], args[1], SOCK_DGRAM, &info))
		return 2;
	fd = socket(info->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen)) {
		perror("peer: udp-echo");
		return 1;
	}
	freeaddrinfo(info);
	printf("ready\n");
	fflush(stdout);
	while (recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len) >= 0) {
		sendto(fd, args[2], strlen(args[2]), 0, (struct sockaddr *)&from, len);
		len = sizeof(from);
		if (--left == 0)
			return 0;
	}
	return 1;
}

/* udp-mirror ADDRESS PORT: sends every datagram back until it is killed. */
static int run_udp_mirror(char **args, int count)
{
	static char text[PEER_DATAGRAM];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct addrinfo *info;
	ssize_t got;
	int fd;

	(void)count;
	if (resolve(args[0], args[1], SOCK_DGRAM, &info))
		return 2;
	fd = socket(info->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen)) {
		perror("peer: udp-mirror");
		return 1;
	}
	freeaddrinfo(info);
	printf("ready\n");
	fflush(stdout);
	while ((got = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len)) >= 0) {
		sendto(fd, text, (size_t)got, 0, (struct sockaddr *)&from, len);
		len = sizeof(from);
	}
	return 1;
}

/* datagram BYTES ADDRESS PORT: one of that size to a mirror; "same" if it comes back as it was, or
 * what else came. */
static int run_datagram(char **args, int count)
{
	static char sent[PEER_DATAGRAM], got[PEER_DATAGRAM];
	const size_t bytes = strtoul(args[0], NULL, 10);
	struct addrinfo *info;
	ssize_t back;
	int fd;

	(void)count;
	if (bytes > sizeof(sent) || resolve(args[1], args[2], SOCK_DGRAM, &info))
		return 2;
	for (size_t i = 0; i < bytes; i++)
		sent[i] = (char)(i * 31 + i / 251);
	fd = timed_socket(info, 0);
	if (fd < 0 || connect(fd, info->ai_addr, info->ai_addrlen) ||
	    send(fd, sent, bytes, 0) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	freeaddrinfo(info);
	back = recv(fd, got, sizeof(got), 0);
	if (back < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%s\n",
		       (size_t)back == bytes && !memcmp(sent, got, bytes) ? "same" : "different");
	close(fd);
	return 0;
}

/* ---------------------------------------------------------------------------- early endings */

/* How the path of a request wants its connection to end: after which bytes, in which way. */
static const struct {
	const char *path;
	const char *answer;
	int reset;
	int goes_on;
} endings[] = {
	{.path = "/whole",
	 .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	 .goes_on = 1},
	{.path = "/switch", .answer = "HTTP/1.1 101 Switching Protocols\r\n\r\n", .goes_on = 1},
	{.path = "/fin", .answer = ""},
	{.path = "/rst", .answer = "", .reset = 1},
	{.path = "/half-rst", .answer = "HTTP/1.", .reset = 1},
	{.path = "/interim-rst", .answer = "HTTP/1.1 103 Early Hints\r\n\r\n", .reset = 1},
	{.path = "/whole-fin", .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
	{.path = "/whole-rst",
	 .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	 .reset = 1},
};

/* Takes a request, and answers it. False: that was the last. */
static bool answer_as_asked(int fd)
{
	static const struct linger at_once = {.l_onoff = 1};
	char request[PEER_BUFFER] = {0};
	char path[sizeof(request)] = "";

	if (recv(fd, request, sizeof(request) - 1, 0) > 0)
		sscanf(request, "%*s %4095s", path);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strcmp(path, endings[i].path) != 0)
			continue;
		send(fd, endings[i].answer, strlen(endings[i].answer), MSG_NOSIGNAL);
		if (endings[i].goes_on)
			return true;
		pause_ms(20); /* the answer is read before the end comes */
		if (endings[i].reset)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	}
	return false;
}

static void end_early(int fd)
{
	while (answer_as_asked(fd))
		;
	close(fd);
}

/* end-server ADDRESS PORT: takes requests, one connection at a time, and ends that as the path
 * says. */
static int run_end_server(char **args, int count)
{
	struct addrinfo *info;
	int on = 1;
	int fd;

	(void)count;
	if (resolve(args[0], args[1], SOCK_STREAM, &info))
		return 2;
	fd = socket(info->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, 16)) {
		perror("peer: end-server");
		return 1;
	}
	freeaddrinfo(info);
	for (;;) {
		const int connection = accept(fd, NULL, NULL);

		if (connection >= 0)
			end_early(connection);
	}
}

/* ------------------------------------------------------------------------------------ hold */

/* hold ADDRESS PORT SECONDS: a connection that is kept, told by a line, and then closed. */
static int run_hold(char **args, int count)
{
	struct addrinfo *info;
	int fd;

	(void)count;
	if (resolve(args[0], args[1], SOCK_STREAM, &info))
		return 2;
	fd = timed_socket(info, 0);
	if (fd < 0 || connect(fd, info->ai_addr, info->ai_addrlen)) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	printf("held\n");
	fflush(stdout);
	pause_ms(strtoul(args[2], NULL, 10) * 1000);
	close(fd);
	freeaddrinfo(info);
	return 0;
}

/* --------------------------------------------------------------------------------- options */

static int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	getsockopt(fd, level, option, &value, &len);
	return value;
}

/* options ADDRESS PORT [USER_TIMEOUT_MS]: what a connection's socket has set, when it is there. */
static int run_options(char **args, int count)
{
	const int own_ms = count > 2 ? atoi(args[2]) : 0;
	struct addrinfo *info;
	int status = 0;
	int fd;

	if (resolve(args[0], args[1], SOCK_STREAM, &info))
		return 2;
	fd = timed_socket(info, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof(own_ms)) ||
	    connect(fd, info->ai_addr, info->ai_addrlen))
		status = errno;
	if (status)
		printf("%s\n", strerrorname_np(status));
	else
		printf("keepalive %d idle %d interval %d probes %d user-timeout %d\n",
		       option_of(fd, SOL_SOCKET, SO_KEEPALIVE),
		       option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE),
		       option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL),
		       option_of(fd, IPPROTO_TCP, TCP_KEEPCNT),
		       option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
	close(fd);
	freeaddrinfo(info);
	return status ? 1 : 0;
}

static const struct {
	const char *name;
	int least; /* arguments */
	int (*run)(char **args, int count);
} commands[] = {
	{.name = "get", .least = 2, .run = run_get},
	{.name = "burst", .least = 3, .run = run_burst},
	{.name = "connect", .least = 2, .run = run_connect},
	{.name = "udp", .least = 4, .run = run_udp},
	{.name = "udp-ask", .least = 4, .run = run_udp_ask},
	{.name = "udp-hold", .least = 2, .run = run_udp_hold},
	{.name = "udp-echo", .least = 3, .run = run_udp_echo},
	{.name = "udp-mirror", .least = 2, .run = run_udp_mirror},
	{.name = "datagram", .least = 3, .run = run_datagram},
	{.name = "hold", .least = 3, .run = run_hold},
	{.name = "options", .least = 2, .run = run_options},
	{.name = "end-server", .least = 2, .run = run_end_server},
	{.name = "decoy-server", .least = 2, .run = peer_decoy_server},
	{.name = "decoys", .least = 3, .run = peer_decoy_client},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc > 1 && !strcmp(argv[1], commands[i].name) && argc - 2 >= commands[i].least)
			return commands[i].run(argv + 2, argc - 2);
	}
	fprintf(stderr,
		"usage: peer get|burst|connect|udp|udp-ask|udp-hold|udp-echo|udp-mirror|datagram|"
		"hold|options|end-server|decoy-server|decoys …\n");
	return 2;
}
