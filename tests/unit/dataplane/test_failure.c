/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/failure.h"

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define ALL_CAPABILITIES \
	(UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON | UINT64_C(1) << CAP_NET_ADMIN)

static const char rejected[] =
	"libbpf: prog 'mrd_connect4': BPF program load failed: Permission denied\n"
	"libbpf: prog 'mrd_connect4': -- BEGIN PROG LOAD LOG --\n"
	"0: R1=ctx(off=0,imm=0) R10=fp0\n"
	"; int mrd_connect4(struct bpf_sock_addr *ctx)\n"
	"12: (79) r3 = *(u64 *)(r2 +0)\n"
	"R2 invalid mem access 'scalar'\n"
	"verification time 31 usec\n"
	"stack depth 24\n"
	"processed 13 insns (limit 1000000) max_states_per_insn 0 total_states 1\n"
	"-- END PROG LOAD LOG --\n"
	"libbpf: prog 'mrd_connect4': failed to load: -13\n"
	"libbpf: failed to load object 'meridian'\n";

static void finds_the_verifiers_reason(void **state)
{
	static const struct {
		const char *name;
		const char *log;
		const char *want; /* NULL: none */
	} cases[] = {
		{.name = "whole", .log = rejected, .want = "R2 invalid mem access 'scalar'"},
		{.name = "beginning cut off",
		 .log = "processed 3 insns\nunknown func bpf_x#999\nprocessed 9 insns (limit 1)\n"
			"-- END PROG LOAD LOG --\n",
		 .want = "unknown func bpf_x#999"},
		{.name = "prefix before the end mark",
		 .log = "libbpf: prog 'a': -- BEGIN PROG LOAD LOG --\nbad thing\nstack depth 8\n"
			"libbpf: prog 'a': -- END PROG LOAD LOG --\n",
		 .want = "bad thing"},
		{.name = "the last of two programs is not reached",
		 .log = "-- BEGIN PROG LOAD LOG --\nfirst\n-- END PROG LOAD LOG --\nother\n",
		 .want = "first"},
		{.name = "statistics only",
		 .log = "-- BEGIN PROG LOAD LOG --\nprocessed 3 insns (limit 1000000)\n"
			"-- END PROG LOAD LOG --\n"},
		{.name = "empty log between the marks",
		 .log = "-- BEGIN PROG LOAD LOG --\n-- END PROG LOAD LOG --\n"},
		{.name = "no end", .log = "-- BEGIN PROG LOAD LOG --\nreason\n"},
		{.name = "nothing", .log = ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FREE char *reason = mrd_verifier_reason(cases[i].log);

		print_message("%s\n", cases[i].name);
		if (cases[i].want) {
			assert_non_null(reason);
			assert_string_equal(reason, cases[i].want);
		} else {
			assert_null(reason);
		}
	}
}

static void says_cause_and_remedy(void **state)
{
	static const struct {
		const char *name;
		struct mrd_load_facts facts;
		const char *want[3]; /* parts of the sentence */
	} cases[] = {
		{.name = "no capability at all",
		 .facts = {.error = -EPERM, .log = "", .has_btf = true, .lockdown = "none"},
		 .want = {"CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are missing", "run as root"}},
		{.name = "sys_admin stands for bpf",
		 .facts = {.error = -EPERM,
			   .log = "",
			   .has_btf = true,
			   .lockdown = "none",
			   .capabilities = UINT64_C(1) << CAP_SYS_ADMIN},
		 .want = {": CAP_NET_ADMIN is missing", "grant it"}},
		{.name = "net_admin alone",
		 .facts = {.error = -EPERM,
			   .log = "",
			   .has_btf = true,
			   .lockdown = "none",
			   .capabilities = UINT64_C(1) << CAP_NET_ADMIN},
		 .want = {": CAP_BPF and CAP_PERFMON are missing"}},
		{.name = "a capability explains more than a log",
		 .facts = {.error = -EACCES, .log = rejected, .has_btf = true, .lockdown = "none"},
		 .want = {"CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are missing"}},
		{.name = "lockdown",
		 .facts = {.error = -EPERM,
			   .log = "",
			   .has_btf = true,
			   .capabilities = ALL_CAPABILITIES,
			   .lockdown = "confidentiality"},
		 .want = {"lockdown is in mode confidentiality", "boot with lockdown=integrity"}},
		{.name = "locked memory before 5.11",
		 .facts = {.error = -EPERM,
			   .log = "",
			   .has_btf = true,
			   .capabilities = ALL_CAPABILITIES,
			   .lockdown = "none",
			   .memlock_bytes = 65536},
		 .want = {"65536 bytes", "LimitMEMLOCK=infinity"}},
		{.name = "something else forbids it",
		 .facts = {.error = -EPERM,
			   .log = "",
			   .has_btf = true,
			   .capabilities = ALL_CAPABILITIES,
			   .lockdown = "none",
			   .memlock_bytes = UINT64_MAX},
		 .want = {"seccomp"}},
		{.name = "verifier",
		 .facts = {.error = -EACCES,
			   .log = rejected,
			   .kernel = "5.15.0",
			   .has_btf = true,
			   .capabilities = ALL_CAPABILITIES,
			   .lockdown = "none"},
		 .want = {"kernel 5.15.0 rejects program mrd_connect4",
			  "R2 invalid mem access 'scalar'", "report"}},
		{.name = "no type information",
		 .facts = {.error = -ESRCH,
			   .log = "libbpf: failed to find valid kernel BTF\n",
			   .kernel = "5.10.0",
			   .capabilities = ALL_CAPABILITIES,
			   .lockdown = "none"},
		 .want = {"kernel 5.10.0", "/sys/kernel/btf/vmlinux is missing",
			  "CONFIG_DEBUG_INFO_BTF"}},
		{.name = "no memory for a map",
		 .facts = {.error = -ENOMEM,
			   .log = "libbpf: Error in bpf_create_map_xattr(mrd_member)\n"
				  "libbpf: map 'mrd_member': failed to create: Cannot allocate "
				  "memory(-12)\n"
				  "libbpf: failed to load object 'meridian'\n",
			   .has_btf = true,
			   .capabilities = ALL_CAPABILITIES,
			   .lockdown = "none"},
		 .want = {"mrd_member", "lower kernel.limits"}},
		{.name = "map beyond what the kernel takes",
		 .facts = {.error = -E2BIG, .log = "", .has_btf = true, .lockdown = "none"},
		 .want = {"no room for the maps", "lower kernel.limits"}},
		{.name = "program too complex",
		 .facts = {.error = -E2BIG,
			   .log = "libbpf: prog 'mrd_sockops': BPF program load failed: x\n"
				  "libbpf: prog 'mrd_sockops': -- BEGIN PROG LOAD LOG --\n"
				  "BPF program is too large. Processed 1000001 insn\n"
				  "-- END PROG LOAD LOG --\n",
			   .kernel = "6.1.0",
			   .has_btf = true,
			   .lockdown = "none"},
		 .want = {"mrd_sockops", "too large"}},
		{.name = "anything else: libbpf's last words",
		 .facts = {.error = -EINVAL,
			   .log = "libbpf: first\nlibbpf: second\n",
			   .kernel = "6.1.0",
			   .has_btf = true,
			   .lockdown = "none"},
		 .want = {"kernel 6.1.0", "Invalid argument", ": second"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FREE char *sentence = mrd_load_sentence(&cases[i].facts);

		assert_non_null(sentence);
		print_message("%s: %s\n", cases[i].name, sentence);
		assert_null(strchr(sentence, '\n'));
		for (size_t w = 0; w < 3 && cases[i].want[w]; w++)
			assert_non_null(strstr(sentence, cases[i].want[w]));
	}
}

static void refuses_kernels_before_5_10(void **state)
{
	static const struct {
		const char *release;
		int want;
	} cases[] = {
		{.release = "6.18.44"},
		{.release = "5.10.0-28-amd64"},
		{.release = "5.10"},
		{.release = "10.0.0"},
		{.release = "not a number"},
		{.release = "5.9.16", .want = -EOPNOTSUPP},
		{.release = "4.19.0-26-amd64", .want = -EOPNOTSUPP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FREE char *error = NULL;

		print_message("%s\n", cases[i].release);
		assert_int_equal(mrd_check_kernel(cases[i].release, &error), cases[i].want);
		if (cases[i].want) {
			assert_non_null(error);
			assert_non_null(strstr(error, cases[i].release));
		} else {
			assert_null(error);
		}
	}
}

static void failure_without_a_place_for_the_sentence(void **state)
{
	(void)state;
	assert_int_equal(mrd_failure(NULL, -EIO, "lost %d", 1), -EIO);
}

static void permission_is_explained_other_errors_are_told(void **state)
{
	MRD_AUTO_FREE char *denied = NULL;
	MRD_AUTO_FREE char *other = NULL;

	(void)state;
	assert_int_equal(mrd_permission_failure(-EPERM, "it cannot be done", &denied), -EPERM);
	assert_non_null(strstr(denied, "it cannot be done: Operation not permitted: "));
	assert_int_equal(mrd_permission_failure(-EIO, "it cannot be done", &other), -EIO);
	assert_string_equal(other, "it cannot be done: Input/output error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_verifiers_reason),
		cmocka_unit_test(says_cause_and_remedy),
		cmocka_unit_test(refuses_kernels_before_5_10),
		cmocka_unit_test(failure_without_a_place_for_the_sentence),
		cmocka_unit_test(permission_is_explained_other_errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
