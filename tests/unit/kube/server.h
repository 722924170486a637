/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A server of HTTP/1.1 that does what a script says, also what no good server does. It is a process
 * of its own, and so is each of its connections: a script may block.
 */
#ifndef MRD_TEST_KUBE_SERVER_H
#define MRD_TEST_KUBE_SERVER_H

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs.h"

enum { SERVER_REQUEST_MAX = 8192 };

struct server_conn {
	int fd;
	int number; /* of the connection, from 1 */
	SSL *ssl;   /* NULL: not encrypted */
	char request[SERVER_REQUEST_MAX];
};

/* Answers conn->request. false: close the connection. */
typedef bool (*server_script)(struct server_conn *conn);

struct server_config {
	server_script script;
	const struct cert *cert;   /* NULL: not encrypted */
	const struct cert *client; /* whoever it has not signed is refused; NULL: all may come */
	int port;		   /* 0: one that is free */
};

struct server {
	pid_t pid;
	int port;
};

static inline void server_write(struct server_conn *conn, const char *data, size_t len)
{
	const int sent = conn->ssl ? SSL_write(conn->ssl, data, (int)len)
				   : (int)send(conn->fd, data, len, MSG_NOSIGNAL);

	if (sent < 0)
		_exit(0);
}

static inline void server_say(struct server_conn *conn, const char *text)
{
	server_write(conn, text, strlen(text));
}

static inline bool server_read(struct server_conn *conn)
{
	size_t len = 0;

	memset(conn->request, 0, sizeof(conn->request));
	while (!strstr(conn->request, "\r\n\r\n") && len < sizeof(conn->request) - 1) {
		char *at = conn->request + len;
		const int room = (int)(sizeof(conn->request) - 1 - len);
		const int got = conn->ssl ? SSL_read(conn->ssl, at, room)
					  : (int)read(conn->fd, at, (size_t)room);

		if (got <= 0)
			return false;
		len += (size_t)got;
	}
	return true;
}

static inline bool server_asked(const struct server_conn *conn, const char *path)
{
	return !strncmp(conn->request, "GET ", 4) &&
	       !strncmp(conn->request + 4, path, strlen(path)) &&
	       strchr(" ?", conn->request[4 + strlen(path)]);
}

static inline SSL_CTX *server_context(const struct server_config *config)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(context, config->cert->x509);
	SSL_CTX_use_PrivateKey(context, config->cert->key);
	if (config->client) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(context), config->client->x509);
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	}
	return context;
}

static inline void server_serve(const struct server_config *config, int fd, int number)
{
	static struct server_conn conn;
	SSL_CTX *context = NULL;

	conn = (struct server_conn){.fd = fd, .number = number};
	if (config->cert) {
		context = server_context(config);
		conn.ssl = SSL_new(context);
		SSL_set_fd(conn.ssl, fd);
		if (SSL_accept(conn.ssl) != 1)
			return;
	}
	while (server_read(&conn) && config->script(&conn))
		;
}

static inline void server_run(const struct server_config *config, int listener)
{
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (int number = 1;; number++) {
		const int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(listener); /* its port is free as soon as the server has ended */
			server_serve(config, fd, number);
			_exit(0); /* the connection ends with it, without TLS's farewell */
		}
		close(fd);
	}
}

/* A socket on a port of loopback, listening. */
static inline int server_listen(int port, int *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port)};
	const int again = 1;
	socklen_t len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &again, sizeof(again)) ||
	    bind(fd, (struct sockaddr *)&at, len) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		abort();
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static inline struct server server_start(const struct server_config *config)
{
	struct server server = {0};
	const int listener = server_listen(config->port, &server.port);

	server.pid = fork();
	if (!server.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also of a test that fails */
		setpgid(0, 0);
		server_run(config, listener);
	}
	setpgid(server.pid, server.pid);
	close(listener);
	return server;
}

static inline void server_stop(struct server *server)
{
	if (!server->pid)
		return;
	kill(-server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

#endif
