/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { BACKLOG = 16, FOLDER_MODE = 0755, SOCKET_MODE = 0600 };

struct client {
	struct mrd_control *control;
	int fd; /* -1: this place is free */
	struct mrd_watch *watch;
	uint64_t until_ns;
	char line[MRD_CONTROL_LINE_MAX + 1];
	size_t line_len;
	char *answer; /* NULL: still asking */
	size_t answer_len;
	size_t sent;
};

struct mrd_control {
	struct mrd_loop *loop;
	mrd_control_fn fn;
	void *self;
	char *path;
	int fd;
	struct mrd_watch *watch;
	struct mrd_timer *timer; /* for the client whose time is over first */
	struct client clients[MRD_CONTROL_CLIENTS_MAX];
};

/* ------------------------------------------------------------------------------------ clients */

static struct client *free_place(struct mrd_control *control)
{
	for (size_t i = 0; i < MRD_CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd < 0)
			return &control->clients[i];
	return NULL;
}

static void set_timer(struct mrd_control *control)
{
	uint64_t until_ns = 0;

	for (size_t i = 0; i < MRD_CONTROL_CLIENTS_MAX; i++) {
		const struct client *client = &control->clients[i];

		if (client->fd >= 0 && (!until_ns || client->until_ns < until_ns))
			until_ns = client->until_ns;
	}
	mrd_timer_set(control->timer, until_ns);
}

static void drop_client(struct client *client)
{
	struct mrd_control *control = client->control;
	const bool was_full = !free_place(control);

	mrd_loop_unwatch(client->watch);
	close(client->fd);
	free(client->answer);
	*client = (struct client){.control = control, .fd = -1};
	set_timer(control);
	if (was_full && control->watch)
		mrd_loop_rewatch(control->watch, EPOLLIN);
}

static void on_time_over(void *self)
{
	struct mrd_control *control = self;
	const uint64_t now_ns = mrd_clock_ns();

	for (size_t i = 0; i < MRD_CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd >= 0 && control->clients[i].until_ns <= now_ns)
			drop_client(&control->clients[i]);
	set_timer(control);
}

static void send_answer(struct client *client)
{
	while (client->sent < client->answer_len) {
		const ssize_t sent =
			send(client->fd, client->answer + client->sent,
			     client->answer_len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN) {
			if (!mrd_loop_rewatch(client->watch, EPOLLOUT))
				return;
			break;
		}
		if (sent < 0)
			break;
		client->sent += (size_t)sent;
	}
	drop_client(client);
}

static char *dump(json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	return text;
}

/* The line is whole: what stands before its end is the verb, and perhaps an argument. */
static void answer(struct client *client)
{
	struct mrd_control *control = client->control;
	const char *error = "no memory";
	char *argument = strchr(client->line, ' ');

	if (argument)
		*argument++ = '\0';
	client->answer =
		dump(control->fn(control->self, client->line, argument ? argument : "", &error));
	if (!client->answer)
		client->answer = dump(json_pack("{s:s}", "error", error));
	if (!client->answer) {
		drop_client(client);
		return;
	}
	client->answer_len = strlen(client->answer);
	send_answer(client);
}

static void on_client(void *self, uint32_t epoll_events)
{
	struct client *client = self;
	char *end;
	ssize_t got;

	(void)epoll_events;
	if (client->answer) {
		send_answer(client);
		return;
	}
	got = recv(client->fd, client->line + client->line_len,
		   MRD_CONTROL_LINE_MAX - client->line_len, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) { /* gone, or no room: a longer line is no request */
		drop_client(client);
		return;
	}
	client->line_len += (size_t)got;
	client->line[client->line_len] = '\0';
	end = memchr(client->line, '\n', client->line_len);
	if (!end)
		return;
	*end = '\0';
	if (end > client->line && end[-1] == '\r')
		end[-1] = '\0';
	answer(client);
}

int mrd_control_serve(struct mrd_control *control, int fd)
{
	struct client *client = free_place(control);
	int r;

	if (!client)
		return -EBUSY;
	r = mrd_loop_watch(control->loop, fd, EPOLLIN, on_client, client, &client->watch);
	if (r)
		return r;
	client->fd = fd;
	client->until_ns = mrd_clock_ns() + (uint64_t)MRD_CONTROL_TIMEOUT_MS * MRD_NS_PER_MS;
	set_timer(control);
	return 0;
}

static void on_connect(void *self, uint32_t epoll_events)
{
	struct mrd_control *control = self;
	int fd;

	(void)epoll_events;
	if (!free_place(control)) {
		mrd_loop_rewatch(control->watch, 0); /* they wait in the backlog */
		return;
	}
	fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 && mrd_control_serve(control, fd))
		close(fd);
}

/* ------------------------------------------------------------------------------------- socket */

static int make_folder(const char *path)
{
	char *folder MRD_AUTO_FREE = strdup(path);

	if (!folder)
		return -ENOMEM;
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static bool is_answered(const struct sockaddr_un *at)
{
	MRD_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	/* EAGAIN: its backlog is full, so it lives. */
	return !connect(fd, (const struct sockaddr *)at, sizeof(*at)) || errno == EAGAIN;
}

/* The mode is set before the socket can be connected to, which is from listen() on. */
static int bind_socket(const char *path, int *ret_fd)
{
	MRD_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct stat found;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, strlen(path));
	if (is_answered(&at))
		return -EADDRINUSE;
	if (!lstat(path, &found)) {
		if (!S_ISSOCK(found.st_mode))
			return -EEXIST;
		unlink(path);
	}
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    chmod(path, SOCKET_MODE) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = MRD_STEAL_FD(fd);
	return 0;
}

static void close_control(struct mrd_control **control)
{
	mrd_control_close(*control);
}

int mrd_control_open(struct mrd_loop *loop, const char *path, mrd_control_fn fn, void *self,
		     struct mrd_control **ret_control)
{
	struct mrd_control *control MRD_CLEANUP(close_control) = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	*control = (struct mrd_control){.loop = loop, .fn = fn, .self = self, .fd = -1};
	for (size_t i = 0; i < MRD_CONTROL_CLIENTS_MAX; i++)
		control->clients[i] = (struct client){.control = control, .fd = -1};
	r = mrd_loop_timer(loop, on_time_over, control, &control->timer);
	r = r ?: make_folder(path);
	r = r ?: bind_socket(path, &control->fd);
	if (r)
		return r;
	control->path = strdup(path);
	if (!control->path)
		return -ENOMEM;
	r = mrd_loop_watch(loop, control->fd, EPOLLIN, on_connect, control, &control->watch);
	if (r)
		return r;
	*ret_control = MRD_STEAL_PTR(control);
	return 0;
}

void mrd_control_close(struct mrd_control *control)
{
	if (!control)
		return;
	mrd_loop_unwatch(control->watch);
	control->watch = NULL;
	for (size_t i = 0; i < MRD_CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd >= 0)
			drop_client(&control->clients[i]);
	mrd_timer_free(control->timer);
	if (control->fd >= 0)
		close(control->fd);
	if (control->path)
		unlink(control->path);
	free(control->path);
	free(control);
}
