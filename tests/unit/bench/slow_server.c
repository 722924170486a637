/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "tests/unit/bench/slow_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct running {
	struct slow_server like;
	int fd;
	pthread_mutex_t
		turn; /* answers are counted one at a time, so that a stall holds them all */
	unsigned int answers;
	uint64_t first_ms;
	bool has_stalled;
};

/* What a thread works on. */
struct exchange {
	struct running *server;
	int fd; /* its connection; with datagrams the server's socket */
	struct sockaddr_in from;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

static void pause_ms(unsigned int ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits as the server is to, before an answer. */
static void take_time(struct running *server)
{
	const struct slow_server *like = &server->like;
	unsigned int number;

	pthread_mutex_lock(&server->turn);
	number = ++server->answers;
	if (number == 1)
		server->first_ms = now_ms();
	if (like->stall_ms && !server->has_stalled &&
	    now_ms() >= server->first_ms + like->stall_after_ms) {
		server->has_stalled = true;
		pause_ms(like->stall_ms);
	}
	pthread_mutex_unlock(&server->turn);
	if (like->delay_every && number % like->delay_every == 0)
		pause_ms(like->delay_ms);
}

/* Returns whether the connection goes on. */
static bool answer(enum slow_ending ending, int fd, bool is_last)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx\n";
	static const char bad[] = "HTTP/1.1 503 Unwell\r\nContent-Length: 2\r\n\r\nx\n";
	static const char nonsense[] = "220 mail\r\nContent-Length: 0\r\n\r\n";
	const char *text = ending == SLOW_SAYS_503	  ? bad
			   : ending == SLOW_SAYS_NONSENSE ? nonsense
							  : good;
	const struct linger at_once = {.l_onoff = 1};

	switch (ending) {
	case SLOW_RESETS:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		return false;
	case SLOW_CLOSES:
		return false;
	case SLOW_IS_SILENT:
		return true;
	case SLOW_ANSWERS_AND_CLOSES:
		is_last = true;
		break;
	default:
		break;
	}
	/* What waits for more is sent together with the end. */
	send(fd, text, strlen(text), MSG_NOSIGNAL | (is_last ? MSG_MORE : 0));
	return !is_last;
}

static void *serve_connection(void *arg)
{
	struct exchange *exchange = arg;
	char request[512] = "";
	size_t have = 0;
	ssize_t got;

	while ((got = recv(exchange->fd, request + have, sizeof(request) - 1 - have, 0)) > 0) {
		have += (size_t)got;
		request[have] = '\0';
		if (!strstr(request, "\r\n\r\n"))
			continue;
		take_time(exchange->server);
		if (!answer(exchange->server->like.ending, exchange->fd, strstr(request, "close")))
			break;
		have = 0;
	}
	close(exchange->fd);
	free(exchange);
	return NULL;
}

static void *serve_datagram(void *arg)
{
	struct exchange *exchange = arg;

	take_time(exchange->server);
	if (exchange->server->like.ending != SLOW_IS_SILENT)
		sendto(exchange->fd, "x", 1, 0, (struct sockaddr *)&exchange->from,
		       sizeof(exchange->from));
	free(exchange);
	return NULL;
}

static void *serve(void *arg)
{
	struct running *server = arg;
	char query[512];

	for (;;) {
		struct exchange *exchange = calloc(1, sizeof(*exchange));
		socklen_t len = sizeof(exchange->from);
		pthread_t thread;

		must(exchange, "calloc");
		exchange->server = server;
		exchange->fd = server->fd;
		if (server->like.is_udp)
			must(recvfrom(server->fd, query, sizeof(query), 0,
				      (struct sockaddr *)&exchange->from, &len) >= 0,
			     "recvfrom");
		else
			exchange->fd = accept(server->fd, NULL, NULL);
		must(exchange->fd >= 0, "accept");
		errno = pthread_create(&thread, NULL,
				       server->like.is_udp ? serve_datagram : serve_connection,
				       exchange);
		must(!errno, "pthread_create");
		pthread_detach(thread);
	}
	return NULL;
}

uint16_t slow_server_start(const struct slow_server *like)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct running *server = calloc(1, sizeof(*server));
	socklen_t len = sizeof(address);
	pthread_t thread;

	must(server, "calloc");
	server->like = *like;
	server->fd = socket(AF_INET, like->is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	must(server->fd >= 0, "socket");
	must(!bind(server->fd, (struct sockaddr *)&address, len), "bind");
	must(like->is_udp || !listen(server->fd, 512), "listen");
	must(!getsockname(server->fd, (struct sockaddr *)&address, &len), "getsockname");
	errno = pthread_mutex_init(&server->turn, NULL);
	must(!errno, "pthread_mutex_init");
	errno = pthread_create(&thread, NULL, serve, server);
	must(!errno, "pthread_create");
	pthread_detach(thread);
	return ntohs(address.sin_port);
}
