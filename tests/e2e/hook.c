// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Somebody else's program at a network interface: counts packets and lets others run.
 *
 *   hook INTERFACE ingress|egress before|after|filter
 *
 * by a tcx link (Linux 6.6) before or after those that are there, or by a filter of clsact, which
 * stays. Says "attached", then the number of packets at each line that it reads, until there are no
 * more.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TCX_INGRESS = 46, TCX_EGRESS = 47, BEFORE = 1 << 3, AFTER = 1 << 4, EXIT_USAGE = 2 };

/*
 *	*(u64 *)(r10 - 8) = 0
 *	r0 = bpf_map_lookup_elem(map, r10 - 8)
 *	if (r0) lock *(u64 *)r0 += 1
 *	return -1
 */
static int load(int map_fd)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_2, .imm = -8},
		{.code = BPF_LD | BPF_DW, /* of two instructions: a number of 64 bits */
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = map_fd},
		{0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_0,
		 .src_reg = BPF_REG_1,
		 .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "other", "Dual BSD/GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

static int fail(const char *what)
{
	fprintf(stderr, "hook: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

static int attach(int program, const char *interface, bool ingress, const char *how)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = !strcmp(how, "before") ? BEFORE : AFTER);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program, .priority = 1, .handle = 1);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(interface),
		    .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);

	if (strcmp(how, "filter") != 0)
		return bpf_link_create(program, hook.ifindex,
				       (enum bpf_attach_type)(ingress ? TCX_INGRESS : TCX_EGRESS),
				       &opts);
	bpf_tc_hook_create(&hook);
	return bpf_tc_attach(&hook, &filter);
}

int main(int argc, char **argv)
{
	char line[16];
	int map, program;

	if (argc != 4)
		return EXIT_USAGE;
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "packets", sizeof(uint32_t), sizeof(uint64_t), 1,
			     NULL);
	program = map < 0 ? -1 : load(map);
	if (program < 0)
		return fail("load");
	if (attach(program, argv[1], !strcmp(argv[2], "ingress"), argv[3]) < 0)
		return fail("attach");
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("attached");
	while (fgets(line, sizeof(line), stdin)) {
		const uint32_t key = 0;
		uint64_t packets = 0;

		bpf_map_lookup_elem(map, &key, &packets);
		printf("%llu\n", (unsigned long long)packets);
	}
	return EXIT_SUCCESS;
}
