/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How long from a saved manifest to the row in the kernel. Swaps two versions of a manifest into
 * place in turn (rename, as editors and kubectl's users do) and watches the pinned route map until
 * its first row changes. Prints one number a round, in microseconds.
 *
 * Usage: edit_latency PINNED_MRD_ROUTE MANIFEST VERSION_A VERSION_B ROUNDS
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "maps/abi.h"

enum { ROUND_LIMIT_US = 5000000, QUIET_US = 20000 };

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Copies a version beside the manifest, so that only a rename remains to be timed. */
static int stage(const char *version, const char *staged)
{
	static char text[1 << 16];
	int in = open(version, O_RDONLY | O_CLOEXEC);
	int out = open(staged, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t len = in < 0 ? -1 : read(in, text, sizeof(text));
	int status = out < 0 || len < 0 || write(out, text, (size_t)len) != len ? -1 : 0;

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return status;
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
	} while (now_us() - start < ROUND_LIMIT_US);
	return -ETIMEDOUT;
}

int main(int argc, char **argv)
{
	char staged[4096];
	__u32 service_id;
	int map;

	if (argc != 6) {
		fprintf(stderr, "usage: edit_latency MAP MANIFEST VERSION_A VERSION_B ROUNDS\n");
		return 2;
	}
	map = bpf_obj_get(argv[1]);
	if (map < 0 || bpf_map_get_next_key(map, NULL, &service_id)) {
		perror(argv[1]);
		return 1;
	}
	snprintf(staged, sizeof(staged), "%s.staged", argv[2]);
	for (long round = 0; round < strtol(argv[5], NULL, 10); round++) {
		long took;

		if (stage(argv[3 + round % 2], staged)) {
			perror(staged);
			return 1;
		}
		usleep(QUIET_US);
		took = swap_and_wait(map, service_id, staged, argv[2]);
		if (took < 0) {
			fprintf(stderr, "edit_latency: %s\n", strerror((int)-took));
			return 1;
		}
		printf("%ld\n", took);
	}
	return 0;
}
