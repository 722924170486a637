/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Keep-alive HTTP/1 traffic in which every byte that is not a status line tries to look like one.
 * One connection carries every exchange of the table below, round after round, and all final
 * answers are 200: a probe that reports an error was deceived, one that counts another number lost
 * its place.
 *
 * The server is told by the path what to answer, and in which pieces.
 */
#include "tests/e2e/peer_decoys.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DECOY	"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
#define OK(len) "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n"
#define LINK	"Link: </styles/with-a-long-name/HTTP/1.1 503 /site.css>; rel=preload; as=style\r\n"
#define LINKS	LINK LINK LINK LINK LINK LINK LINK LINK

enum { DECOY_BIG = 1 << 20, DECOY_BUFFER = 1 << 16 };

struct exchange {
	const char *path;
	const char *request_head; /* besides the request line and Host */
	const char *request_body; /* sent in a segment of its own */
	const char *method;
	const char *answer[4];	/* pieces, a short pause between them */
	int bytewise;		/* the first piece goes byte by byte */
	int big;		/* DECOY_BIG bytes of decoys follow */
	int after_continue;	/* the body waits for 100 Continue */
	unsigned int responses; /* status lines a probe must count, interim ones included */
};

static const struct exchange exchanges[] = {
	{.path = "/plain", .answer = {OK(2) "ok"}, .responses = 1},
	{.path = "/decoy-body", .answer = {OK(55) DECOY}, .responses = 1},
	{.path = "/decoy-segment", .answer = {OK(55), DECOY}, .responses = 1},
	{.path = "/chunked",
	 .answer = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "37\r\n" DECOY "\r\n",
		    "0\r\n\r\n"},
	 .responses = 1},
	{.path = "/bytewise", .answer = {OK(55), DECOY}, .bytewise = 1, .responses = 1},
	{.path = "/http10",
	 .answer = {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"},
	 .responses = 1},
	{.path = "/big", .answer = {OK(1048576)}, .big = 1, .responses = 1},
	{.path = "/head", .method = "HEAD", .answer = {OK(55)}, .responses = 1},
	{.path = "/no-content", .answer = {"HTTP/1.1 204 No Content\r\n\r\n"}, .responses = 1},
	{.path = "/hints",
	 .answer = {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK(2) "ok"},
	 .responses = 2},
	/* More than 10 KiB in a segment. */
	{.path = "/hints-long",
	 .answer = {"HTTP/1.1 103 Early Hints\r\n" LINKS LINKS LINKS LINKS LINKS LINKS LINKS LINKS
			    LINKS LINKS LINKS LINKS LINKS LINKS LINKS LINKS LINKS
		    "\r\n" OK(2) "ok"},
	 .responses = 2},
	{.path = "/hints-apart",
	 .answer = {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n", "\r\n", OK(2) "ok"},
	 .responses = 2},
	{.path = "/post",
	 .method = "POST",
	 .request_head = "Content-Length: 55\r\n",
	 .request_body = DECOY,
	 .answer = {OK(55) DECOY},
	 .responses = 1},
	{.path = "/post-method",
	 .method = "POST",
	 .request_head = "Content-Length: 18\r\n",
	 .request_body = "GET / HTTP/1.1\r\n\r\n",
	 .answer = {OK(55), DECOY},
	 .responses = 1},
	{.path = "/continue",
	 .method = "POST",
	 .request_head = "Expect: 100-continue\r\nContent-Length: 18\r\n",
	 .request_body = "GET / HTTP/1.1\r\n\r\n",
	 .after_continue = 1,
	 .answer = {OK(55), DECOY},
	 .responses = 2},
};

enum { EXCHANGES = sizeof(exchanges) / sizeof(exchanges[0]) };

static void pause_a_little(void)
{
	nanosleep(&(const struct timespec){.tv_nsec = 2000000}, NULL);
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return -1;
		text += sent;
		len -= (size_t)sent;
	}
	return 0;
}

/* Reads until the header's end; what follows it stays in buf. Returns the header's length, or -1.
 */
static ssize_t read_header(int fd, char *buf, size_t *have)
{
	for (;;) {
		char *end;
		ssize_t got;

		buf[*have] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (end)
			return end + 4 - buf;
		if (*have + 1 >= DECOY_BUFFER)
			return -1;
		got = recv(fd, buf + *have, DECOY_BUFFER - 1 - *have, 0);
		if (got <= 0)
			return -1;
		*have += (size_t)got;
	}
}

static void drop(char *buf, size_t *have, size_t len)
{
	memmove(buf, buf + len, *have - len);
	*have -= len;
}

/* Drops len bytes of the stream, part of which may be in buf already. */
static int skip(int fd, char *buf, size_t *have, size_t len)
{
	while (len) {
		size_t part = *have < len ? *have : len;
		ssize_t got;

		drop(buf, have, part);
		len -= part;
		if (!len)
			break;
		got = recv(fd, buf, DECOY_BUFFER - 1, 0);
		if (got <= 0)
			return -1;
		*have = (size_t)got;
	}
	return 0;
}

/* ---------------------------------------------------------------------------------- server */

static int answer(int fd, const struct exchange *what)
{
	for (size_t i = 0; i < 4 && what->answer[i]; i++) {
		const char *piece = what->answer[i];
		size_t step = what->bytewise && i == 0 ? 1 : strlen(piece);

		for (size_t at = 0; at < strlen(piece); at += step) {
			if (send_all(fd, piece + at, step))
				return -1;
			pause_a_little();
		}
	}
	for (size_t sent = 0; what->big && sent < DECOY_BIG;) {
		size_t left = DECOY_BIG - sent;
		size_t step = left < strlen(DECOY) ? left : strlen(DECOY);

		if (send_all(fd, DECOY, step))
			return -1;
		sent += step;
	}
	return 0;
}

static const struct exchange *find_exchange(const char *request)
{
	const char *path = strchr(request, ' ');

	for (size_t i = 0; path && i < EXCHANGES; i++) {
		size_t len = strlen(exchanges[i].path);

		if (!strncmp(path + 1, exchanges[i].path, len) && path[1 + len] == ' ')
			return &exchanges[i];
	}
	return NULL;
}

static void serve(int fd)
{
	static char buf[DECOY_BUFFER];
	const int on = 1;
	size_t have = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (;;) {
		ssize_t head = read_header(fd, buf, &have);
		const struct exchange *what = head < 0 ? NULL : find_exchange(buf);

		if (!what)
			return;
		drop(buf, &have, (size_t)head);
		if (what->after_continue && send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25))
			return;
		if (what->request_body && skip(fd, buf, &have, strlen(what->request_body)))
			return;
		if (answer(fd, what))
			return;
	}
}

static int open_socket(char **args, int server)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	const struct timeval limit = {.tv_sec = 10};
	const int on = 1;
	struct addrinfo *info;
	int fd;

	if (getaddrinfo(args[0], args[1], &hints, &info))
		return -1;
	fd = socket(info->ai_family, SOCK_STREAM, 0);
	if (server) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, 16))
			fd = -1;
	} else {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (connect(fd, info->ai_addr, info->ai_addrlen))
			fd = -1;
	}
	freeaddrinfo(info);
	return fd;
}

int peer_decoy_server(char **args, int count)
{
	int listener = open_socket(args, 1);

	(void)count;
	if (listener < 0) {
		perror("peer: decoy-server");
		return 1;
	}
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			return 1;
		serve(fd);
		close(fd);
	}
}

/* ---------------------------------------------------------------------------------- client */

/* Reads one final answer whole, passing interim ones over. */
static int read_answer(int fd, char *buf, size_t *have, const struct exchange *what)
{
	const char *length;
	size_t body = 0;
	ssize_t head;

	for (;;) {
		head = read_header(fd, buf, have);
		if (head < 0)
			return -1;
		if (buf[9] != '1')
			break;
		drop(buf, have, (size_t)head);
	}
	if (buf[9] != '2')
		return -1;
	buf[head - 1] = '\0';
	length = strstr(buf, "Content-Length: ");
	if (length && (!what->method || strcmp(what->method, "HEAD")))
		body = strtoul(length + strlen("Content-Length: "), NULL, 10);
	else if (!strcmp(what->path, "/chunked"))
		body = strlen("37\r\n" DECOY "\r\n0\r\n\r\n");
	drop(buf, have, (size_t)head);
	return skip(fd, buf, have, body);
}

static int exchange_once(int fd, char *buf, size_t *have, const struct exchange *what)
{
	char request[512];
	int len = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: decoy\r\n%s\r\n",
			   what->method ? what->method : "GET", what->path,
			   what->request_head ? what->request_head : "");

	if (send_all(fd, request, (size_t)len))
		return -1;
	if (what->after_continue) {
		ssize_t head = read_header(fd, buf, have);

		if (head < 0)
			return -1;
		drop(buf, have, (size_t)head);
	} else if (what->request_body) {
		pause_a_little();
	}
	if (what->request_body && send_all(fd, what->request_body, strlen(what->request_body)))
		return -1;
	return read_answer(fd, buf, have, what);
}

int peer_decoy_client(char **args, int count)
{
	static char buf[DECOY_BUFFER];
	long rounds = strtol(args[2], NULL, 10);
	unsigned int responses = 0;
	size_t have = 0;
	int fd = open_socket(args, 0);

	(void)count;
	if (fd < 0) {
		perror("peer: decoys");
		return 1;
	}
	for (long round = 0; round < rounds; round++) {
		for (size_t i = 0; i < EXCHANGES; i++) {
			if (exchange_once(fd, buf, &have, &exchanges[i])) {
				printf("failed %s\n", exchanges[i].path);
				return 1;
			}
			responses += exchanges[i].responses;
		}
	}
	close(fd);
	printf("ok %u\n", responses);
	return 0;
}
