/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How long from a saved manifest to the row in the kernel. Swaps two versions of a manifest into
 * place in turn (rename, as editors and kubectl's users do) and watches the pinned route map until
 * the row of the service at VIP changes. Prints one number a round, in microseconds, at once.
 *
 * Usage: edit_latency PINS VIP PORT MANIFEST VERSION_A VERSION_B ROUNDS PAUSE_US
 * PINS: the agent's folder in a bpffs. PAUSE_US: between two edits.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "maps/abi.h"

enum { ARGUMENTS = 9, ROUND_LIMIT_US = 5000000, TEXT_ROOM = 1 << 16, NAP_US = 20 };

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static ssize_t read_file(const char *path, char *text)
{
	const int in = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t len = in < 0 ? -1 : read(in, text, TEXT_ROOM);

	if (in >= 0)
		close(in);
	return len;
}

static bool is_like(const char *path, const char *other)
{
	static char text[TEXT_ROOM], other_text[TEXT_ROOM];
	const ssize_t len = read_file(path, text);

	return len >= 0 && len == read_file(other, other_text) &&
	       !memcmp(text, other_text, (size_t)len);
}

/* Copies a version beside the manifest, so that only a rename remains to be timed. */
static int stage(const char *version, const char *staged)
{
	static char text[TEXT_ROOM];
	const ssize_t len = read_file(version, text);
	const int out = open(staged, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const int status = out < 0 || len < 0 || write(out, text, (size_t)len) != len ? -1 : 0;

	if (out >= 0)
		close(out);
	return status;
}

static int map_of(const char *pins, const char *name)
{
	char path[4096];
	int map;

	snprintf(path, sizeof(path), "%s/%s", pins, name);
	map = bpf_obj_get(path);
	if (map < 0)
		perror(path);
	return map;
}

/* 0: there is none. */
static __u32 service_at(const char *pins, const char *vip, const char *port)
{
	const int map = map_of(pins, "mrd_service");
	struct mrd_vip_key key = {
		.family = MRD_FAMILY_IPV4,
		.protocol = MRD_PROTOCOL_TCP,
		.port = (__u32)strtoul(port, NULL, 10),
	};
	struct mrd_service service;

	if (map < 0)
		return 0;
	if (inet_pton(AF_INET, vip, key.addr) != 1 || bpf_map_lookup_elem(map, &key, &service)) {
		fprintf(stderr, "edit_latency: no service is at %s:%s\n", vip, port);
		return 0;
	}
	return service.service_id;
}

static long swap_and_wait(int map, __u32 service_id, const char *staged, const char *manifest)
{
	struct mrd_route before;
	struct mrd_route after;
	long start;

	if (bpf_map_lookup_elem(map, &service_id, &before))
		return -errno;
	start = now_us();
	if (rename(staged, manifest))
		return -errno;
	do {
		if (bpf_map_lookup_elem(map, &service_id, &after))
			return -errno;
		if (memcmp(&before, &after, sizeof(before)) != 0)
			return now_us() - start;
		usleep(NAP_US); /* the processor is the clients', and the agent's */
	} while (now_us() - start < ROUND_LIMIT_US);
	return -ETIMEDOUT;
}

int main(int argc, char **argv)
{
	char staged[4096];
	__u32 service_id;
	int map, first; /* the version that is not there yet */

	if (argc != ARGUMENTS) {
		fprintf(stderr, "usage: edit_latency PINS VIP PORT MANIFEST VERSION_A VERSION_B "
				"ROUNDS PAUSE_US\n");
		return 2;
	}
	service_id = service_at(argv[1], argv[2], argv[3]);
	map = service_id ? map_of(argv[1], "mrd_route") : -1;
	if (map < 0)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_TIMERSLACK, 1UL);
	first = is_like(argv[4], argv[5]);
	snprintf(staged, sizeof(staged), "%s.staged", argv[4]);
	for (long round = 0; round < strtol(argv[7], NULL, 10); round++) {
		long took;

		if (stage(argv[5 + (round + first) % 2], staged)) {
			perror(staged);
			return 1;
		}
		usleep((useconds_t)strtoul(argv[8], NULL, 10));
		took = swap_and_wait(map, service_id, staged, argv[4]);
		if (took < 0) {
			fprintf(stderr, "edit_latency: %s\n", strerror((int)-took));
			return 1;
		}
		printf("%ld\n", took);
	}
	return 0;
}
