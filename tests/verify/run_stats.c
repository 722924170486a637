// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Has the kernel count how long BPF programs run, for as long as this one does, and runs a
 * yardstick (yardstick.h) meanwhile. Says "ready ID LOOKUPS", the yardstick's, and goes on until it
 * is ended. What a program had is read elsewhere (bpftool prog show).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "maps/abi.h"
#include "yardstick.h"

enum { ROWS = 65536, PACKET_LEN = 64, PAUSE_NS = 500000 };

static int must(int fd, const char *what)
{
	if (fd < 0) {
		fprintf(stderr, "run_stats: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return fd;
}

int main(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	const uint8_t packet[PACKET_LEN] = {0};
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int map, program;

	must(bpf_enable_stats(BPF_STATS_RUN_TIME), "statistics");
	map = must(bpf_map_create(BPF_MAP_TYPE_HASH, "yardstick", sizeof(struct mrd_flow_key),
				  sizeof(uint64_t), ROWS, NULL),
		   "a map");
	program = yardstick_load(map, YARDSTICK_LOOKUPS);
	must(bpf_obj_get_info_by_fd(program, &info, &len), "the yardstick");
	printf("ready %u %d\n", info.id, YARDSTICK_LOOKUPS);
	fflush(stdout);
	for (;;) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
			    .data_size_in = sizeof(packet));

		must(bpf_prog_test_run_opts(program, &opts), "a run");
		nanosleep(&pause, NULL);
	}
}
