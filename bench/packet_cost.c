/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a packet costs in a loaded program: it is fed single packets by BPF_PROG_TEST_RUN, at an
 * interface of this network namespace. Prints the median of the nanoseconds that the kernel counts,
 * less what it counts for a program that does nothing. A program that translates a packet would not
 * translate it twice, so each such run has a packet of its own, and the clock's own tens of
 * nanoseconds are in either count. A packet that passes as it came is fed REPEATS times a run,
 * which counts whole nanoseconds truly.
 *
 * Usage: packet_cost PROGRAM_ID INTERFACE RUNS FROM:PORT TO:PORT FLAGS
 * FLAGS: of TCP, as a number. With a SYN each packet comes from the next port: another connection.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 7, WINDOW = 64240, TTL = 64, REPEATS = 1000, PAYLOAD = 100 };

struct frame {
	struct ethhdr link;
	struct iphdr ip;
	struct tcphdr tcp;
	char payload[PAYLOAD]; /* an empty one is let through at a glance */
} __attribute__((packed));

static struct sockaddr_in address_of(char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char *colon = strchr(text, ':');

	if (colon) {
		*colon = '\0';
		address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	}
	if (!colon || inet_pton(AF_INET, text, &address.sin_addr) != 1) {
		fprintf(stderr, "packet_cost: no address and port: %s\n", text);
		exit(2);
	}
	return address;
}

static uint16_t sum_of(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The transport's checksum is none: programs change it by what they change, and do not check it. */
static struct frame frame_of(const struct sockaddr_in *from, const struct sockaddr_in *to,
			     uint8_t flags)
{
	struct frame frame = {
		.link.h_proto = htons(ETH_P_IP),
		.ip = {.version = 4,
		       .ihl = sizeof(frame.ip) / 4,
		       .tot_len = htons(sizeof(frame) - sizeof(frame.link)),
		       .ttl = TTL,
		       .protocol = IPPROTO_TCP,
		       .saddr = from->sin_addr.s_addr,
		       .daddr = to->sin_addr.s_addr},
		.tcp = {.source = from->sin_port,
			.dest = to->sin_port,
			.doff = sizeof(frame.tcp) / 4,
			.window = htons(WINDOW)},
	};

	frame.ip.check = sum_of(&frame.ip, sizeof(frame.ip));
	frame.tcp.th_flags = flags;
	return frame;
}

/* Nanoseconds for one packet. ret_out: the last one as it leaves. */
static uint32_t run(int program, unsigned int ifindex, const struct frame *frame, int repeats,
		    struct frame *ret_out)
{
	struct __sk_buff context = {.ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(*frame),
		    .data_out = ret_out, .data_size_out = sizeof(*ret_out), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = repeats);

	if (bpf_prog_test_run_opts(program, &opts)) {
		perror("packet_cost: a test run");
		exit(1);
	}
	return opts.duration;
}

/*
 * How often a run may feed this packet: 1 if it is changed. A SYN that was seen is no first one.
 * Link headers are none of it: programs of sockets see none, and such a run gives back zeroes.
 */
static int repeats_of(int program, unsigned int ifindex, const struct frame *frame)
{
	struct frame out;

	if (frame->tcp.th_flags & TH_SYN)
		return 1;
	run(program, ifindex, frame, 1, &out);
	return memcmp(&frame->ip, &out.ip, sizeof(out) - sizeof(out.link)) ? 1 : REPEATS;
}

static int by_size(const void *left, const void *right)
{
	const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static uint32_t median(uint32_t *numbers, size_t count)
{
	qsort(numbers, count, sizeof(*numbers), by_size);
	return numbers[count / 2];
}

/* A program of the same kind that lets everything pass. */
static int nothing_like(int program)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return -1;
	return bpf_prog_load((enum bpf_prog_type)info.type, NULL, "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in from, to;
	struct frame frame, out;
	int program, nothing, repeats;
	unsigned int ifindex;
	uint32_t *ours, *none;
	size_t runs;
	uint8_t flags;

	if (argc != ARGUMENTS) {
		fprintf(stderr,
			"usage: packet_cost PROGRAM_ID INTERFACE RUNS FROM:PORT TO:PORT FLAGS\n");
		return 2;
	}
	program = bpf_prog_get_fd_by_id((__u32)strtoul(argv[1], NULL, 10));
	nothing = program < 0 ? -1 : nothing_like(program);
	ifindex = if_nametoindex(argv[2]);
	runs = strtoul(argv[3], NULL, 10);
	from = address_of(argv[4]);
	to = address_of(argv[5]);
	flags = (uint8_t)strtoul(argv[6], NULL, 0);
	ours = calloc(runs + 1, sizeof(*ours));
	none = calloc(runs + 1, sizeof(*none));
	if (nothing < 0 || !ifindex || !ours || !none) {
		perror("packet_cost");
		return 1;
	}
	frame = frame_of(&from, &to, flags);
	repeats = repeats_of(program, ifindex, &frame);
	for (size_t i = 0; i < runs; i++) {
		frame = frame_of(&from, &to, flags);

		ours[i] = run(program, ifindex, &frame, repeats, &out);
		none[i] = run(nothing, ifindex, &frame, repeats, &out);
		if (flags & TH_SYN)
			from.sin_port = htons((uint16_t)(ntohs(from.sin_port) + 1));
	}
	printf("%d\n", (int)median(ours, runs) - (int)median(none, runs));
	free(ours);
	free(none);
	return 0;
}
