/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How long from a watch's line to the row in the kernel. A relay between the agent and its API
 * server notes when the server's bytes come to it, which is before the agent has them; the pinned
 * health map is watched until the endpoint's state is another. Changes are made by kube_objects.py,
 * one slice after the other, slowly enough that they do not meet. Prints one number for each, in
 * microseconds.
 *
 * Usage: watch_latency LISTEN_PORT SERVER SERVER_PORT PINNED_MRD_HEALTH SLICES CHANGES
 * Says "relaying" on standard error, relays, and measures from the first line on standard input on:
 * standard error then has a number for each change, in microseconds.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "maps/abi.h"

enum {
	ENDPOINTS = 10,		    /* of a slice, as kube_objects.py makes them: */
	FIRST_ADDRESS = 0x0a100000, /* 10.16.0.0 */
	LOOK_NS = 20000,
	QUIET_US = 50000,
	CHANGE_LIMIT_S = 20,
	PIECE = 65536,
	LISTEN_BACKLOG = 8,
	NS_PER_S = 1000000000,
	NS_PER_US = 1000,
};

struct relay {
	struct sockaddr_in server;
	int listener;
};

struct pair {
	int agent;
	int server;
};

static _Atomic long heard_ns;

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int die(const char *what)
{
	fprintf(stderr, "watch_latency: %s: %s\n", what, strerror(errno));
	return 1;
}

/* ------------------------------------------------------------------------ relay */

/* False: there is no more. */
static bool pass_on(int from, int to, bool is_server)
{
	char piece[PIECE];
	const ssize_t got = read(from, piece, sizeof(piece));

	if (got <= 0)
		return false;
	if (is_server)
		atomic_store(&heard_ns, now_ns());
	for (ssize_t sent = 0; sent < got;) {
		const ssize_t some = write(to, piece + sent, (size_t)(got - sent));

		if (some < 0)
			return false;
		sent += some;
	}
	return true;
}

static void *relay_pair(void *self)
{
	struct pair *pair = self;
	struct pollfd fds[2] = {{.fd = pair->agent, .events = POLLIN},
				{.fd = pair->server, .events = POLLIN}};
	bool open = true;

	while (open && poll(fds, 2, -1) >= 0) {
		if (fds[0].revents)
			open = pass_on(pair->agent, pair->server, false);
		if (open && fds[1].revents)
			open = pass_on(pair->server, pair->agent, true);
	}
	close(pair->agent);
	close(pair->server);
	free(pair);
	return NULL;
}

static void *relay_all(void *self)
{
	const struct relay *relay = self;

	for (;;) {
		struct pair *pair = calloc(1, sizeof(*pair));
		pthread_t thread;

		if (!pair)
			return NULL;
		pair->agent = accept(relay->listener, NULL, NULL);
		pair->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(pair->server, (const void *)&relay->server, sizeof(relay->server)) ||
		    pthread_create(&thread, NULL, relay_pair, pair)) {
			close(pair->agent);
			close(pair->server);
			free(pair);
			continue;
		}
		pthread_detach(thread);
	}
}

static int open_relay(struct relay *relay, const char *port, const char *server,
		      const char *server_port)
{
	const struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int yes = 1;
	pthread_t thread;

	relay->server.sin_family = AF_INET;
	relay->server.sin_port = htons((uint16_t)strtoul(server_port, NULL, 10));
	if (inet_pton(AF_INET, server, &relay->server.sin_addr) != 1)
		return -1;
	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(relay->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(relay->listener, (const void *)&here, sizeof(here)) ||
	    listen(relay->listener, LISTEN_BACKLOG))
		return -1;
	return pthread_create(&thread, NULL, relay_all, relay);
}

/* ------------------------------------------------------------------------ rows */

/* The first endpoint of a slice. */
static int find_endpoint(int map, unsigned int slice, __u32 *ret_id, struct mrd_health *ret_row)
{
	const __u32 address = htonl(FIRST_ADDRESS + slice * ENDPOINTS);
	__u32 id;
	const __u32 *at = NULL;

	for (; !bpf_map_get_next_key(map, at, &id); at = &id) {
		if (bpf_map_lookup_elem(map, &id, ret_row) ||
		    memcmp(ret_row->addr, &address, sizeof(address)) != 0)
			continue;
		*ret_id = id;
		return 0;
	}
	errno = ENOENT;
	return -1;
}

/* Has the endpoint changed, and tells how long after the server's last bytes the row was. */
static int watch_row(int map, __u32 id, enum mrd_state before)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	const long start = now_ns();
	struct mrd_health row;

	usleep(QUIET_US);
	puts("change");
	for (;;) {
		const long now = now_ns();

		if (bpf_map_lookup_elem(map, &id, &row) || row.state != before) {
			fprintf(stderr, "%ld\n", (now - atomic_load(&heard_ns)) / NS_PER_US);
			return 0;
		}
		if (now - start > (long)CHANGE_LIMIT_S * NS_PER_S) {
			errno = ETIMEDOUT;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	struct relay relay = {0};
	unsigned int slices;
	unsigned int changes;
	int map;

	if (argc != 7) {
		fprintf(stderr,
			"usage: watch_latency PORT SERVER SERVER_PORT MAP SLICES CHANGES\n");
		return 2;
	}
	slices = (unsigned int)strtoul(argv[5], NULL, 10);
	changes = (unsigned int)strtoul(argv[6], NULL, 10);
	prctl(PR_SET_TIMERSLACK, 1);
	setlinebuf(stdout);
	if (open_relay(&relay, argv[1], argv[2], argv[3]))
		return die(argv[2]);
	fprintf(stderr, "relaying\n");
	if (getchar() == EOF)
		return 0;
	map = bpf_obj_get(argv[4]);
	if (map < 0)
		return die(argv[4]);
	for (unsigned int i = 0; i < changes; i++) {
		struct mrd_health row;
		__u32 id;

		if (find_endpoint(map, i % slices, &id, &row) || watch_row(map, id, row.state))
			return die("endpoint");
	}
	return 0;
}
