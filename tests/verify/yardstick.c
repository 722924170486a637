// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "yardstick.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps/abi.h"

enum {
	WORD = sizeof(uint64_t),
	KEY_WORDS = (sizeof(struct mrd_flow_key) + WORD - 1) / WORD,
	INSNS_MAX = KEY_WORDS + YARDSTICK_LOOKUPS * 5 + 2,
};

int yardstick_load(int map_fd, unsigned int lookups)
{
	struct bpf_insn insns[INSNS_MAX];
	size_t count = 0;
	int program;

	for (int i = 1; i <= (int)KEY_WORDS; i++)
		insns[count++] = (struct bpf_insn){.code = BPF_ST | BPF_MEM | BPF_DW,
						   .dst_reg = BPF_REG_10,
						   .off = (int16_t)(-i * WORD)};
	for (unsigned int i = 0; i < lookups; i++) {
		insns[count++] = (struct bpf_insn){.code = BPF_LD | BPF_DW,
						   .dst_reg = BPF_REG_1,
						   .src_reg = BPF_PSEUDO_MAP_FD,
						   .imm = map_fd};
		insns[count++] = (struct bpf_insn){0};
		insns[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X,
						   .dst_reg = BPF_REG_2,
						   .src_reg = BPF_REG_10};
		insns[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD,
						   .dst_reg = BPF_REG_2,
						   .imm = -(int)(KEY_WORDS * WORD)};
		insns[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL,
						   .imm = BPF_FUNC_map_lookup_elem};
	}
	insns[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
	insns[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, NULL, "GPL", insns, count, NULL);
	if (program < 0) {
		fprintf(stderr, "a yardstick: %s\n", strerror(errno));
		exit(2);
	}
	return program;
}
