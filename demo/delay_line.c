// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A wire with a length: two TAP devices, in two network namespaces, and every frame that enters one
 * leaves the other a fixed time later. For kernels without netem, and the same on all of them.
 *
 *	delay_line NETNS_A TAP_A NETNS_B TAP_B DELAY_US
 *
 * A namespace is a name in /run/netns, or a path. The line makes the devices (they vanish with it),
 * prints "forwarding" when they are there, and runs until it is told to stop.
 *
 * Each direction is a ring of frames in the order they came, each with the time it is due; since
 *the delay is fixed, that is also the order they leave. One timerfd stands at the next due time of
 * both. A full ring drops, as a full router queue does. Frames that come due while others are sent
 * leave in the same round, so a burst costs one wake-up, and an idle line none.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	FRAME_MAX = 1514 + 4, /* an MTU of 1500, its Ethernet header, one VLAN tag */
	RING_FRAMES = 4096,   /* 15 ms at 3 Gbit/s; a power of two, as the indices wrap */
	READ_BURST = 64,      /* frames taken from one device before the other has its turn */
	DELAY_MAX_US = 1000000,
};

_Static_assert((RING_FRAMES & (RING_FRAMES - 1)) == 0, "indices wrap at 2^32");

struct frame {
	uint64_t due_ns;
	uint32_t len;
	uint8_t data[FRAME_MAX];
};

struct direction {
	int from_fd;
	int to_fd;
	uint32_t head; /* next to leave */
	uint32_t tail; /* next free */
	struct frame ring[RING_FRAMES];
};

enum line_end { END_A, END_B, END_COUNT };

struct line {
	struct direction way[END_COUNT]; /* way[END_A] leads from A to B */
	uint64_t delay_ns;
	int timer_fd;
	int epoll_fd;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Moves this process into a namespace: a TAP device is made where its maker is. */
static int enter_netns(const char *name)
{
	char path[256];
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (setns(fd, CLONE_NEWNET) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int open_tap(const char *netns, const char *name, int *ret_fd)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd, err;

	if (strlen(name) >= sizeof(request.ifr_name))
		return -ENAMETOOLONG;
	memcpy(request.ifr_name, name, strlen(name) + 1);
	err = enter_netns(netns);
	if (err < 0)
		return err;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

/* Takes what came in, up to a burst. Level-triggered epoll brings us back for the rest. */
static void take(struct direction *way, uint64_t delay_ns)
{
	for (int i = 0; i < READ_BURST; i++) {
		struct frame *frame = &way->ring[way->tail % RING_FRAMES];
		uint8_t dropped[FRAME_MAX];
		const int full = way->tail - way->head == RING_FRAMES;
		const ssize_t len = read(way->from_fd, full ? dropped : frame->data, FRAME_MAX);

		if (len <= 0)
			return;
		if (full)
			continue;
		frame->len = (uint32_t)len;
		frame->due_ns = now_ns() + delay_ns;
		way->tail++;
	}
}

/* Lets go what is due. A device that is down or full loses the frame, like any other. */
static void release(struct direction *way)
{
	while (way->head != way->tail) {
		const struct frame *frame = &way->ring[way->head % RING_FRAMES];

		if (frame->due_ns > now_ns())
			return;
		if (write(way->to_fd, frame->data, frame->len) < 0 && errno == EINTR)
			continue;
		way->head++;
	}
}

static uint64_t next_due_ns(const struct line *line)
{
	uint64_t due_ns = 0;

	for (int i = 0; i < END_COUNT; i++) {
		const struct direction *way = &line->way[i];
		const struct frame *frame = &way->ring[way->head % RING_FRAMES];

		if (way->head != way->tail && (!due_ns || frame->due_ns < due_ns))
			due_ns = frame->due_ns;
	}
	return due_ns;
}

/* 0 disarms, which is right for an empty line. A time that has passed fires at once. */
static int arm(const struct line *line)
{
	const uint64_t due_ns = next_due_ns(line);
	const struct itimerspec at = {
		.it_value.tv_sec = (time_t)(due_ns / 1000000000ULL),
		.it_value.tv_nsec = (long)(due_ns % 1000000000ULL),
	};

	return timerfd_settime(line->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) < 0 ? -errno : 0;
}

static int run(struct line *line)
{
	struct epoll_event ready[END_COUNT + 1];

	for (;;) {
		const int count = epoll_wait(line->epoll_fd, ready, END_COUNT + 1, -1);
		uint64_t fired;
		int err;

		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++) {
			if (ready[i].data.u32 < END_COUNT)
				take(&line->way[ready[i].data.u32], line->delay_ns);
			else if (read(line->timer_fd, &fired, sizeof(fired)) < 0 && errno != EAGAIN)
				return -errno;
		}
		for (int i = 0; i < END_COUNT; i++)
			release(&line->way[i]);
		err = arm(line);
		if (err < 0)
			return err;
	}
}

static int watch(int epoll_fd, int fd, uint32_t id)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = id};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int line_open(struct line *line, char *const ends[])
{
	int fd[END_COUNT] = {-1, -1}, err;

	line->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	line->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (line->epoll_fd < 0 || line->timer_fd < 0)
		return -errno;
	for (int i = 0; i < END_COUNT; i++) {
		err = open_tap(ends[2 * i], ends[2 * i + 1], &fd[i]);
		if (err < 0)
			return err;
	}
	for (int i = 0; i < END_COUNT; i++) {
		line->way[i].from_fd = fd[i];
		line->way[i].to_fd = fd[!i];
		err = watch(line->epoll_fd, fd[i], (uint32_t)i);
		if (err < 0)
			return err;
	}
	return watch(line->epoll_fd, line->timer_fd, END_COUNT);
}

int main(int argc, char *argv[])
{
	static struct line line; /* of 12 MB, touched as frames come */
	long delay_us;
	char *end;
	int err;

	if (argc != 6) {
		fprintf(stderr, "usage: delay_line NETNS_A TAP_A NETNS_B TAP_B DELAY_US\n");
		return 2;
	}
	delay_us = strtol(argv[5], &end, 10);
	if (*end || end == argv[5] || delay_us < 0 || delay_us > DELAY_MAX_US) {
		fprintf(stderr, "delay_line: delay %s: not 0 to %d microseconds\n", argv[5],
			DELAY_MAX_US);
		return 2;
	}
	line.delay_ns = (uint64_t)delay_us * 1000;
	err = line_open(&line, argv + 1);
	if (err < 0) {
		fprintf(stderr, "delay_line: %s to %s: %s\n", argv[1], argv[3], strerror(-err));
		return 1;
	}
	printf("forwarding %s to %s, %ld us each way\n", argv[1], argv[3], delay_us);
	fflush(stdout);
	err = run(&line);
	fprintf(stderr, "delay_line: %s\n", strerror(-err));
	return 1;
}
