/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * libmicrohttpd has an epoll descriptor of its own, which the loop watches; what it wants to do
 * without an event it says as a timeout, which goes to a timer.
 *
 * Its own time-out is one of silence: a client that sends or reads a byte now and then would never
 * meet it. So each connection has an end here, at which its socket is shut down; libmicrohttpd
 * finds it closed then.
 */
#include "agent/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { BACKLOG = 64 };

struct client {
	struct mrd_web *web;
	int fd;		   /* libmicrohttpd's; -1: this place is free */
	uint64_t until_ns; /* UINT64_MAX: shut down already */
};

struct mrd_web {
	struct mrd_web_config config;
	struct MHD_Daemon *daemon;
	struct mrd_watch *watch;
	struct mrd_timer *timer;
	uint16_t port;
	/* A connection has ended: only the next run looks whether another may be accepted. */
	bool has_room;
	struct client clients[MRD_WEB_CLIENTS_MAX];
};

static void give_time(struct client *client, uint64_t ms)
{
	client->until_ns = mrd_clock_ns() + ms * MRD_NS_PER_MS;
}

/* ------------------------------------------------------------------------------------- answers */

static const struct mrd_web_page *find_page(const struct mrd_web *web, const char *path)
{
	for (size_t i = 0; i < web->config.page_count; i++)
		if (!strcmp(web->config.pages[i].path, path))
			return &web->config.pages[i];
	return NULL;
}

static unsigned int not_found(const struct mrd_web *web, struct mrd_strbuf *body)
{
	mrd_strbuf_addf(body, "not found; known are");
	for (size_t i = 0; i < web->config.page_count; i++)
		mrd_strbuf_addf(body, "%s %s", i ? "," : "", web->config.pages[i].path);
	mrd_strbuf_addf(body, "\n");
	return MHD_HTTP_NOT_FOUND;
}

/* Takes the text over. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status,
			       const char *content_type, struct mrd_strbuf *body)
{
	const size_t len = body->len;
	char *text = mrd_strbuf_steal(body);
	struct MHD_Response *response;
	enum MHD_Result result;

	response = text ? MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE) : NULL;
	if (!response) {
		free(text);
		return MHD_NO; /* without memory the connection is closed */
	}
	result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type) &&
				 MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
							 "close") &&
				 (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
				  MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
							  "GET, HEAD"))
			 ? MHD_queue_response(connection, status, response)
			 : MHD_NO;
	MHD_destroy_response(response); /* the connection has its own reference */
	return result;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_len, void **request)
{
	struct mrd_web *web = self;
	const struct mrd_web_page *page = find_page(web, path);
	const char *content_type = "text/plain; charset=utf-8";
	struct mrd_strbuf body MRD_AUTO_STRBUF = {0};
	const union MHD_ConnectionInfo *about;
	unsigned int status;

	(void)version, (void)upload, (void)upload_len, (void)request;
	about = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	if (about && about->socket_context)
		give_time(about->socket_context, web->config.timeout_ms);
	if (!page) {
		status = not_found(web, &body);
	} else if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
		mrd_strbuf_addf(&body, "only GET and HEAD\n");
	} else {
		status = page->write(web->config.self, &body);
		content_type = page->content_type;
	}
	return respond(connection, status, content_type, &body);
}

/* ------------------------------------------------------------------------------------- clients */

static struct client *free_place(struct mrd_web *web)
{
	for (size_t i = 0; i < MRD_WEB_CLIENTS_MAX; i++)
		if (web->clients[i].fd < 0)
			return &web->clients[i];
	return NULL;
}

static void on_connection(void *self, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct mrd_web *web = self;
	struct client *client = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		client = free_place(web);
		if (!client)
			return; /* libmicrohttpd has the same limit, so there is one */
		client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				     ->connect_fd;
		give_time(client, web->config.timeout_ms < MRD_WEB_REQUEST_MS
					  ? web->config.timeout_ms
					  : MRD_WEB_REQUEST_MS);
		*context = client;
	} else if (client) {
		client->fd = -1;
		web->has_room = true;
	}
}

static void end_overdue(struct mrd_web *web, uint64_t now_ns)
{
	for (size_t i = 0; i < MRD_WEB_CLIENTS_MAX; i++) {
		struct client *client = &web->clients[i];

		if (client->fd < 0 || client->until_ns > now_ns)
			continue;
		shutdown(client->fd, SHUT_RDWR);
		client->until_ns = UINT64_MAX;
	}
}

static void set_timer(struct mrd_web *web, uint64_t now_ns)
{
	uint64_t due_ns = web->has_room ? now_ns : UINT64_MAX;
	MHD_UNSIGNED_LONG_LONG wait_ms;

	if (MHD_get_timeout(web->daemon, &wait_ms) == MHD_YES &&
	    now_ns + wait_ms * MRD_NS_PER_MS < due_ns)
		due_ns = now_ns + wait_ms * MRD_NS_PER_MS;
	for (size_t i = 0; i < MRD_WEB_CLIENTS_MAX; i++)
		if (web->clients[i].fd >= 0 && web->clients[i].until_ns < due_ns)
			due_ns = web->clients[i].until_ns;
	mrd_timer_set(web->timer, due_ns == UINT64_MAX ? 0 : due_ns);
}

static void run(struct mrd_web *web)
{
	end_overdue(web, mrd_clock_ns());
	web->has_room = false;
	MHD_run(web->daemon);
	set_timer(web, mrd_clock_ns());
}

static void on_ready(void *self, uint32_t epoll_events)
{
	(void)epoll_events;
	run(self);
}

static void on_time(void *self)
{
	run(self);
}

/* ------------------------------------------------------------------------------- open and close */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t make_address(const struct mrd_web_config *config, union address *address)
{
	*address = (union address){0};
	if (config->ip.version == MRD_IPV6) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(config->port);
		memcpy(&address->v6.sin6_addr, config->ip.bytes, sizeof(address->v6.sin6_addr));
		return sizeof(address->v6);
	}
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = htons(config->port);
	memcpy(&address->v4.sin_addr, config->ip.bytes, sizeof(address->v4.sin_addr));
	return sizeof(address->v4);
}

/* Bound here and not by the library, whose failure has no errno. */
static int listen_at(const struct mrd_web_config *config, int *ret_fd, uint16_t *ret_port)
{
	const int on = 1, off = 0;
	union address address;
	socklen_t len = make_address(config, &address);
	MRD_AUTO_FD int fd =
		socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* An agent that starts again must not wait for the connections of the one before. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (config->ip.version == MRD_IPV6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -errno;
	if (bind(fd, &address.any, len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, &address.any, &len) < 0)
		return -errno;
	*ret_port =
		ntohs(config->ip.version == MRD_IPV6 ? address.v6.sin6_port : address.v4.sin_port);
	*ret_fd = MRD_STEAL_FD(fd);
	return 0;
}

static int start(struct mrd_web *web)
{
	MRD_AUTO_FD int fd = -1;
	int r = listen_at(&web->config, &fd, &web->port);

	if (r)
		return r;
	web->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, web, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MRD_WEB_CLIENTS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MRD_WEB_REQUEST_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, web, MHD_OPTION_END);
	if (!web->daemon)
		return -ENOMEM;
	MRD_STEAL_FD(fd); /* closed with the daemon */
	return 0;
}

static void close_web(struct mrd_web **web)
{
	mrd_web_close(*web);
}

int mrd_web_open(struct mrd_loop *loop, const struct mrd_web_config *config,
		 struct mrd_web **ret_web)
{
	struct mrd_web *web MRD_CLEANUP(close_web) = calloc(1, sizeof(*web));
	int r;

	if (!web)
		return -ENOMEM;
	web->config = *config;
	for (size_t i = 0; i < MRD_WEB_CLIENTS_MAX; i++)
		web->clients[i].fd = -1;
	r = mrd_loop_timer(loop, on_time, web, &web->timer);
	r = r ?: start(web);
	if (r)
		return r;
	r = mrd_loop_watch(loop,
			   MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
			   EPOLLIN, on_ready, web, &web->watch);
	if (r)
		return r;
	run(web); /* the listening socket joins the library's epoll at its first run */
	*ret_web = MRD_STEAL_PTR(web);
	return 0;
}

uint16_t mrd_web_port(const struct mrd_web *web)
{
	return web->port;
}

void mrd_web_close(struct mrd_web *web)
{
	if (!web)
		return;
	mrd_loop_unwatch(web->watch);
	if (web->daemon)
		MHD_stop_daemon(web->daemon);
	mrd_timer_free(web->timer);
	free(web);
}
