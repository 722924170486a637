/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strbuf.h"

static int connect_to(const char *control, int *ret_fd)
{
	MRD_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -errno;
	if (strlen(control) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, control, strlen(control) + 1);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	*ret_fd = MRD_STEAL_FD(fd);
	return 0;
}

/* Until the descriptor is ready; the deadline is for the whole conversation. */
static int wait_for(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd at = {.fd = fd, .events = events};

	for (;;) {
		const uint64_t now_ns = mrd_clock_ns();
		const int left_ms = now_ns < deadline_ns
					    ? (int)((deadline_ns - now_ns) / MRD_NS_PER_MS) + 1
					    : 0;
		const int r = poll(&at, 1, left_ms);

		if (r > 0)
			return 0;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int send_all(int fd, const char *text, size_t len, uint64_t deadline_ns)
{
	while (len) {
		const ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
		int r;

		if (sent >= 0) {
			text += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(fd, POLLOUT, deadline_ns);
		if (r < 0)
			return r;
	}
	return 0;
}

static int receive_all(int fd, struct mrd_strbuf *out, uint64_t deadline_ns)
{
	char chunk[16384];

	for (;;) {
		const ssize_t got = recv(fd, chunk, sizeof(chunk), 0);
		int r;

		if (got == 0)
			return out->failed ? -ENOMEM : 0;
		if (got > 0) {
			mrd_strbuf_add(out, chunk, (size_t)got);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(fd, POLLIN, deadline_ns);
		if (r < 0)
			return r;
	}
}

int mrd_client_ask(const char *control, const char *verb, const char *argument, int timeout_ms,
		   json_t **ret_answer)
{
	const uint64_t deadline_ns = mrd_clock_ns() + (uint64_t)timeout_ms * MRD_NS_PER_MS;
	MRD_AUTO_STRBUF struct mrd_strbuf request = {0}, answer = {0};
	MRD_AUTO_FD int fd = -1;
	json_t *doc;
	int r;

	mrd_strbuf_addf(&request, "%s%s%s\n", verb, argument ? " " : "", argument ? argument : "");
	if (request.failed)
		return -ENOMEM;
	r = connect_to(control, &fd);
	if (r < 0)
		return r;
	r = send_all(fd, request.text, request.len, deadline_ns);
	if (r < 0)
		return r;
	r = receive_all(fd, &answer, deadline_ns);
	if (r < 0)
		return r;
	doc = json_loadb(answer.text ? answer.text : "", answer.len, 0, NULL);
	if (!doc)
		return -EBADMSG;
	*ret_answer = doc;
	return 0;
}
