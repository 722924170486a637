/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/features.h"

#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "dataplane/tcx.h"

/*
 *	r1 = 1
 *	*(u64 *)(r10 - 8) = r1
 *	r1 = atomic_fetch_add((u64 *)(r10 - 8), r1)
 *	r0 = 0
 *	exit
 */
static const struct bpf_insn fetch_add[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
	{.code = BPF_STX | BPF_MEM | BPF_DW,
	 .dst_reg = BPF_REG_10,
	 .src_reg = BPF_REG_1,
	 .off = -8},
	{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
	 .dst_reg = BPF_REG_10,
	 .src_reg = BPF_REG_1,
	 .off = -8,
	 .imm = BPF_ADD | BPF_FETCH},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

/*
 *	r1 = -ECONNREFUSED
 *	call bpf_set_retval
 *	r0 = 0
 *	exit
 */
static const struct bpf_insn set_retval[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = -ECONNREFUSED},
	{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_set_retval},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

/*
 *	r0 = -1
 *	exit
 */
static const struct bpf_insn pass_on[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
	{.code = BPF_JMP | BPF_EXIT},
};

/* A kernel that knows such links looks for the interface, and there is none of number 0. */
static bool has_tcx(void)
{
	MRD_AUTO_FD int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "mrd_try", "Dual BSD/GPL",
					   pass_on, sizeof(pass_on) / sizeof(pass_on[0]), NULL);

	return fd >= 0 && bpf_link_create(fd, 0, (enum bpf_attach_type)MRD_TCX_INGRESS, NULL) < 0 &&
	       errno == ENODEV;
}

/* With the type of the connect hook: what is allowed depends on it. */
static bool loads(const struct bpf_insn *insns, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "mrd_try", "Dual BSD/GPL", insns,
			       count, &opts);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void mrd_features_probe(struct mrd_features *features)
{
	*features = (struct mrd_features){
		.items = {
			[MRD_FEATURE_SET_RETVAL] =
				{
					.name = "bpf_set_retval",
					.used = loads(set_retval,
						      sizeof(set_retval) / sizeof(set_retval[0])),
					.consequence =
						"a refused connect says EPERM, not ECONNREFUSED "
						"(Linux 5.18 and newer say the latter)",
				},
			[MRD_FEATURE_ATOMIC_RESULT] =
				{
					.name = "atomic_fetch_add",
					.used = loads(fetch_add,
						      sizeof(fetch_add) / sizeof(fetch_add[0])),
					.consequence =
						"shares are exact for each CPU, not over all "
						"(Linux 5.12 and newer: over all)",
				},
			[MRD_FEATURE_TCX] =
				{
					.name = "tcx",
					.used = has_tcx(),
					.consequence =
						"programs at network interfaces are filters, which "
						"others may remove (Linux 6.6 and newer: links)",
				},
		}};
}
