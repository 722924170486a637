/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One request on one socket: it is started, moved on by what epoll says of its socket, and ends
 * with an outcome. Who starts which when is load_pace.h's.
 *
 * A slot is such a socket, with its request while there is one. Where connections stay, the socket
 * outlives its requests, and is made anew by the request that finds it gone; else it ends with its
 * request.
 */
#ifndef MRD_BENCH_LOAD_REQUEST_H
#define MRD_BENCH_LOAD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum { LOAD_ANSWER_MAX = 4096 };

/* What is asked for, and how. */
struct load_kind {
	bool is_udp; /* a datagram there and one back; else HTTP/1.1 */
	bool stays;  /* sockets outlive their requests */
};

/* One of the things compared. */
struct load_side {
	const char *name;
	const char *cgroup; /* in which its sockets are made; "" = the one that this program has */
	const char *netns;  /* the same */
	struct sockaddr_storage address; /* the first, where connections take turns between some */
	socklen_t address_len;
	uint32_t address_count; /* more than 1: of IPv4 */
	uint32_t next_address;
	int epoll; /* with this side's sockets, and its timer */
	int timer;
	struct load_slot *slots;
};

struct load_slot {
	int fd; /* -1: none */
	bool is_connected;
	bool is_busy;
	uint64_t intended_ns;  /* of the request: when it was to start, */
	uint64_t started_ns;   /* when it did, */
	uint64_t connected_ns; /* and when its connection stood; 0: it found it there */
	size_t have;
	char answer[LOAD_ANSWER_MAX + 1];
	TAILQ_ENTRY(load_slot) link;
};

/* Outcomes: 0 a good answer, > 0 another status of HTTP, < 0 the errno that ended it. */
enum { LOAD_UNDER_WAY = -EINPROGRESS };

/* Starts a request on an idle slot; its times are set by the caller. Returns LOAD_UNDER_WAY or an
 * outcome. */
int load_request_start(struct load_side *side, struct load_slot *slot,
		       const struct load_kind *kind);

/* What epoll told of a busy slot's socket. Returns LOAD_UNDER_WAY or an outcome. */
int load_request_ready(struct load_slot *slot, const struct load_kind *kind, uint32_t events);

/* Ends the slot's socket, if it has one. */
void load_slot_close(struct load_slot *slot);

/* Is this an error of the machine that makes the load, and so none of a side's outcomes? */
bool load_is_own_error(int outcome);

#endif
