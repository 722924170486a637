/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include <errno.h>

#include "bench/load_request.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load_pace.h"

static const char keep_request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char close_request[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
static const char query[] = "a query that is thirty-two bytes";

void load_slot_close(struct load_slot *slot)
{
	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = -1;
	slot->is_connected = false;
}

bool load_is_own_error(int outcome)
{
	return outcome == -EADDRNOTAVAIL || outcome == -EMFILE || outcome == -ENFILE ||
	       outcome == -ENOBUFS || outcome == -ENOMEM;
}

/* Whom the next socket is for. */
static struct sockaddr_storage next_address(struct load_side *side)
{
	struct sockaddr_storage address = side->address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;

	if (side->address_count > 1) {
		v4->sin_addr.s_addr = htonl(ntohl(v4->sin_addr.s_addr) + side->next_address);
		side->next_address = (side->next_address + 1) % side->address_count;
	}
	return address;
}

static int open_socket(struct load_side *side, struct load_slot *slot, const struct load_kind *kind)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.ptr = slot};
	const int type = kind->is_udp ? SOCK_DGRAM : SOCK_STREAM;
	const struct sockaddr_storage address = next_address(side);
	const int one = 1;

	slot->fd = socket(side->address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (slot->fd < 0)
		return -errno;
	if (!kind->is_udp && setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		return -errno;
	if (connect(slot->fd, (const struct sockaddr *)&address, side->address_len) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return epoll_ctl(side->epoll, EPOLL_CTL_ADD, slot->fd, &event) < 0 ? -errno : 0;
}

static int send_request(struct load_slot *slot, const struct load_kind *kind)
{
	const char *text = kind->is_udp ? query : kind->stays ? keep_request : close_request;
	const size_t len = strlen(text);
	ssize_t sent;

	slot->have = 0;
	sent = send(slot->fd, text, len, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? LOAD_UNDER_WAY : -EMSGSIZE;
}

int load_request_start(struct load_side *side, struct load_slot *slot, const struct load_kind *kind)
{
	int result;

	slot->connected_ns = 0;
	if (slot->fd >= 0)
		return send_request(slot, kind);
	result = open_socket(side, slot, kind);
	if (result)
		return result;
	if (!kind->is_udp)
		return LOAD_UNDER_WAY; /* epoll tells when it stands */
	slot->is_connected = true;
	return send_request(slot, kind);
}

/* Bytes of a whole answer, 0 while it is not whole. */
static size_t answer_length(const struct load_slot *slot)
{
	const char *end = strstr(slot->answer, "\r\n\r\n");
	const char *length = end ? strcasestr(slot->answer, "\r\ncontent-length:") : NULL;
	size_t whole;

	if (!length || length > end)
		return 0;
	whole = (size_t)(end - slot->answer) + 4 +
		strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
	return whole <= slot->have ? whole : 0;
}

/* The outcome that a whole answer is. */
static int status_of(const struct load_slot *slot)
{
	unsigned long status;

	if (strncmp(slot->answer, "HTTP/1.1 ", 9) != 0)
		return -EPROTO;
	status = strtoul(slot->answer + 9, NULL, 10);
	if (status < 100 || status > 999)
		return -EPROTO;
	return status == 200 ? 0 : (int)status;
}

static int receive(struct load_slot *slot, const struct load_kind *kind)
{
	for (;;) {
		const ssize_t got =
			recv(slot->fd, slot->answer + slot->have, LOAD_ANSWER_MAX - slot->have, 0);

		if (got < 0)
			return errno == EAGAIN ? LOAD_UNDER_WAY : -errno;
		if (kind->is_udp)
			return 0;
		slot->have += (size_t)got;
		slot->answer[slot->have] = '\0';
		/* A connection of its own ends with its answer: the peer closes it. */
		if ((kind->stays || !got) && answer_length(slot))
			return status_of(slot);
		if (!got)
			return -ECONNRESET;
		if (slot->have == LOAD_ANSWER_MAX)
			return -EMSGSIZE;
	}
}

static int socket_error(const struct load_slot *slot)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return error ? -error : -ECONNRESET;
}

int load_request_ready(struct load_slot *slot, const struct load_kind *kind, uint32_t events)
{
	int result;

	if (!slot->is_connected) {
		if (events & (EPOLLERR | EPOLLHUP))
			return socket_error(slot);
		slot->is_connected = true;
		slot->connected_ns = load_now_ns();
		result = send_request(slot, kind);
		if (result != LOAD_UNDER_WAY)
			return result;
	}
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return LOAD_UNDER_WAY;
	return receive(slot, kind);
}
