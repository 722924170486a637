/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The least that can be done from a 503 to a row that says so: a real-time task that waits for
 * the ring buffer, as the agent does, and writes one row of a map. What that takes is the
 * machine's: its kernel and, where it is a virtual one, how soon a processor that slept runs again.
 *
 * Usage: wake OBJECT CGROUP
 * Loads bench/wake.bpf.c for the sockets of a cgroup, and prints "ready". At SIGTERM it prints of
 * each answer how many microseconds it took, a line each.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/urgency.h"
#include "base/clock.h"
#include "base/loop.h"

enum { TIMES_MAX = 4096, NS_PER_US = 1000 };

struct wake {
	struct mrd_loop *loop;
	struct ring_buffer *ring;
	int row_fd;
	size_t count;
	uint64_t took_ns[TIMES_MAX];
};

static int on_record(void *self, void *data, size_t size)
{
	struct wake *wake = self;
	const uint32_t key = 0;
	uint64_t seen_ns;

	(void)size;
	memcpy(&seen_ns, data, sizeof(seen_ns));
	if (bpf_map_update_elem(wake->row_fd, &key, &seen_ns, BPF_ANY) || wake->count == TIMES_MAX)
		return 0;
	wake->took_ns[wake->count++] = mrd_clock_ns() - seen_ns;
	return 0;
}

static void on_events(void *self, uint32_t epoll_events)
{
	struct wake *wake = self;

	(void)epoll_events;
	ring_buffer__consume(wake->ring);
}

static void on_signal(void *self, int signal_number)
{
	struct wake *wake = self;

	(void)signal_number;
	mrd_loop_stop(wake->loop);
}

static int attach(struct wake *wake, const char *path, const char *cgroup)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	int cgroup_fd = open(cgroup, O_RDONLY | O_CLOEXEC);

	if (!object || cgroup_fd < 0 || bpf_object__load(object))
		return -errno;
	wake->row_fd = bpf_object__find_map_fd_by_name(object, "wake_row");
	wake->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "wake_event"),
				      on_record, wake, NULL);
	if (!wake->ring ||
	    !bpf_program__attach_cgroup(bpf_object__find_program_by_name(object, "wake_error"),
					cgroup_fd))
		return -errno;
	return 0; /* all ends with the program */
}

static int run(struct wake *wake, const char *path, const char *cgroup)
{
	struct mrd_watch *events;
	sigset_t signals;
	int r = attach(wake, path, cgroup);

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	r = r ?: mrd_loop_new(&wake->loop);
	r = r ?: mrd_loop_signals(wake->loop, &signals, on_signal, wake);
	r = r
		    ?: mrd_loop_watch(wake->loop, ring_buffer__epoll_fd(wake->ring), EPOLLIN,
				      on_events, wake, &events);
	r = r ?: mrd_urgency_set(true);
	if (r)
		return r;
	puts("ready");
	fflush(stdout);
	return mrd_loop_run(wake->loop);
}

int main(int argc, char **argv)
{
	static struct wake wake;
	int r;

	if (argc != 3) {
		fputs("usage: wake OBJECT CGROUP\n", stderr);
		return 2;
	}
	r = run(&wake, argv[1], argv[2]);
	if (r) {
		fprintf(stderr, "wake: %s\n", strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < wake.count; i++)
		printf("%lu\n", (unsigned long)(wake.took_ns[i] / NS_PER_US));
	return 0;
}
