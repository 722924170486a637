/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/mounts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* A line of mountinfo, with root, mount point and type. */
#define LINE(root, point, type) "31 23 0:28 " root " " point " rw,relatime - " type " none rw\n"

static void finds_the_widest_cgroup2(void **state)
{
	static const struct {
		const char *name;
		const char *mountinfo;
		const char *want;      /* NULL: -ENOENT */
		const char *want_root; /* NULL: "/" */
	} cases[] = {
		{.name = "unified",
		 .mountinfo = LINE("/", "/", "ext4") LINE("/", "/sys/fs/cgroup", "cgroup2"),
		 .want = "/sys/fs/cgroup"},
		{.name = "hybrid: v1 controllers beside it",
		 .mountinfo = LINE("/", "/sys/fs/cgroup", "tmpfs")
			 LINE("/", "/sys/fs/cgroup/cpu", "cgroup")
				 LINE("/", "/sys/fs/cgroup/unified", "cgroup2"),
		 .want = "/sys/fs/cgroup/unified"},
		{.name = "optional fields before the separator",
		 .mountinfo = "35 24 0:30 / /cg rw,nosuid shared:9 master:1 - cgroup2 cgroup2 rw\n",
		 .want = "/cg"},
		{.name = "a blank in the path",
		 .mountinfo = LINE("/", "/mnt/my\\040groups\\134", "cgroup2"),
		 .want = "/mnt/my groups\\"},
		{.name = "a bind mount of a child comes first",
		 .mountinfo = LINE("/kubepods/pod1", "/cg", "cgroup2")
			 LINE("/", "/sys/fs/cgroup", "cgroup2"),
		 .want = "/sys/fs/cgroup"},
		{.name = "of two whole ones the first",
		 .mountinfo = LINE("/", "/a", "cgroup2") LINE("/", "/b", "cgroup2"),
		 .want = "/a"},
		{.name = "the host's, seen from a container's namespace",
		 .mountinfo = LINE("/", "/sys/fs/cgroup", "cgroup2")
			 LINE("/../../..", "/host/cgroup", "cgroup2"),
		 .want = "/host/cgroup",
		 .want_root = "/../../.."},
		{.name = "mounted over by something else",
		 .mountinfo =
			 LINE("/", "/sys/fs/cgroup", "cgroup2") LINE("/", "/sys/fs/cgroup", "tmpfs")
				 LINE("/", "/sys/fs/cgroup/unified", "cgroup2"),
		 .want = "/sys/fs/cgroup/unified"},
		{.name = "mounted over: the second best serves",
		 .mountinfo = LINE("/part", "/part", "cgroup2") LINE("/", "/whole", "cgroup2")
			 LINE("/", "/whole", "tmpfs"),
		 .want = "/part",
		 .want_root = "/part"},
		{.name = "a part is better than nothing",
		 .mountinfo = LINE("/docker/1", "/sys/fs/cgroup", "cgroup2"),
		 .want = "/sys/fs/cgroup",
		 .want_root = "/docker/1"},
		{.name = "the host's beside the container's own, without a namespace",
		 .mountinfo = LINE("/kubepods/pod1/c1", "/sys/fs/cgroup", "cgroup2")
			 LINE("/", "/host/cgroup", "cgroup2"),
		 .want = "/host/cgroup"},
		{.name = "lines that do not read are passed over",
		 .mountinfo = "nonsense\n - cgroup2\n1 2 3 - cgroup2 x y\n1 2 3 / /x rw -\n"
			      "1 2 3 / /x rw - \n" LINE("/", "/cg", "cgroup2"),
		 .want = "/cg"},
		{.name = "v1 only", .mountinfo = LINE("/", "/sys/fs/cgroup/cpu", "cgroup")},
		{.name = "nothing", .mountinfo = "\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FILE FILE *in =
			fmemopen((void *)cases[i].mountinfo, strlen(cases[i].mountinfo), "r");
		MRD_AUTO_FREE char *path = NULL;
		MRD_AUTO_FREE char *root = NULL;
		int r;

		print_message("%s\n", cases[i].name);
		assert_non_null(in);
		r = mrd_mounts_cgroup2(in, &path, &root);
		assert_int_equal(r, cases[i].want ? 0 : -ENOENT);
		if (!cases[i].want)
			continue;
		assert_string_equal(path, cases[i].want);
		assert_string_equal(root, cases[i].want_root ? cases[i].want_root : "/");
	}
}

static void reads_its_own_cgroup(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: -ENOENT */
	} cases[] = {
		{.text = "0::/\n", .want = "/"},
		{.text = "0::/system.slice/meridiand.service\n",
		 .want = "/system.slice/meridiand.service"},
		{.text = "10:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n", .want = "/c"},
		{.text = "0::/no/newline", .want = "/no/newline"},
		{.text = "0::/with:colons and blanks\n", .want = "/with:colons and blanks"},
		{.text = "0::/../sibling\n", .want = "/../sibling"},
		{.text = "10:cpu,cpuacct:/a\n1:name=systemd:/b\n"},
		{.text = "\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FILE FILE *in =
			fmemopen((void *)cases[i].text, strlen(cases[i].text), "r");
		MRD_AUTO_FREE char *path = NULL;
		int r;

		print_message("%s\n", cases[i].text);
		assert_non_null(in);
		r = mrd_mounts_own_cgroup(in, &path);
		assert_int_equal(r, cases[i].want ? 0 : -ENOENT);
		if (cases[i].want)
			assert_string_equal(path, cases[i].want);
	}
}

static void refuses_a_cgroup_that_is_none(void **state)
{
	static const struct {
		const char *cgroup;
		int want;
	} cases[] = {
		{.cgroup = "/nonexistent/group", .want = -ENOENT},
		{.cgroup = "/proc", .want = -EINVAL},
		{.cgroup = "/proc/self/stat", .want = -ENOTDIR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FREE char *path = NULL;
		MRD_AUTO_FREE char *error = NULL;
		int fd = -1;
		int r = mrd_mounts_open_cgroup(cases[i].cgroup, &path, &fd, &error);

		print_message("%s: %s\n", cases[i].cgroup, error);
		assert_null(path);
		assert_int_equal(fd, -1);
		assert_non_null(error);
		if (strstr(error, "cgroup v2 is not mounted"))
			continue; /* a machine without any */
		assert_int_equal(r, cases[i].want);
		assert_non_null(strstr(error, cases[i].cgroup));
		assert_non_null(strstr(error, "auto"));
	}
}

static void refuses_a_folder_that_cannot_be_one(void **state)
{
	static const char *const folders[] = {
		"relative/path", "", "/proc/meridian", /* procfs lets nobody make folders */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		MRD_AUTO_FREE char *mounted = NULL;
		MRD_AUTO_FREE char *error = NULL;
		int r = mrd_mounts_make_bpffs(folders[i], &mounted, &error);

		print_message("'%s': %s\n", folders[i], error);
		assert_true(r < 0);
		assert_null(mounted);
		assert_non_null(error);
	}
	assert_false(mrd_mounts_is_bpffs("/proc"));
	assert_false(mrd_mounts_is_bpffs("/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_widest_cgroup2),
		cmocka_unit_test(reads_its_own_cgroup),
		cmocka_unit_test(refuses_a_cgroup_that_is_none),
		cmocka_unit_test(refuses_a_folder_that_cannot_be_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
