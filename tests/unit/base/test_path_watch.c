/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/path_watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* root/folder is watched whole, of root/one only the file policy.yaml. */
static char root[] = "/tmp/mrd-test-watch-XXXXXX";
static char folder[64];
static char file[64];

static char *in(const char *name)
{
	static char path[2][128];
	static int turn;

	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", root, name);
	return path[turn];
}

static void write_file(const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	snprintf(folder, sizeof(folder), "%s/folder", root);
	snprintf(file, sizeof(file), "%s/one/policy.yaml", root);
	if (mkdir(folder, 0700) || mkdir(in("one"), 0700))
		return -1;
	write_file(file);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	rmdir(in("one"));
	rmdir(folder);
	return rmdir(root);
}

static struct mrd_path_watch *open_watch(void)
{
	char *const paths[] = {folder, file};
	struct mrd_path_watch *watch;

	assert_int_equal(mrd_path_watch_new(paths, 2, &watch), 0);
	assert_false(mrd_path_watch_dispatch(watch));
	return watch;
}

static void saving_and_deleting_count(void **state)
{
	struct mrd_path_watch *watch = open_watch();

	(void)state;
	write_file(in("folder/a.yaml"));
	assert_true(mrd_path_watch_dispatch(watch));
	assert_false(mrd_path_watch_dispatch(watch));
	assert_int_equal(unlink(in("folder/a.yaml")), 0);
	assert_true(mrd_path_watch_dispatch(watch));
	write_file(file);
	assert_true(mrd_path_watch_dispatch(watch));
	mrd_path_watch_free(watch);
}

static void a_file_that_is_being_written_does_not(void **state)
{
	struct mrd_path_watch *watch = open_watch();
	int fd = open(in("folder/half.yaml"), O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_int_equal(write(fd, "spec:", 5), 5);
	assert_false(mrd_path_watch_dispatch(watch));
	close(fd);
	assert_true(mrd_path_watch_dispatch(watch));
	unlink(in("folder/half.yaml"));
	mrd_path_watch_free(watch);
}

static void a_file_put_in_place_counts(void **state)
{
	struct mrd_path_watch *watch = open_watch();

	(void)state;
	write_file(in("one/other"));
	assert_false(mrd_path_watch_dispatch(watch)); /* not the file that is named */
	assert_int_equal(rename(in("one/other"), file), 0);
	assert_true(mrd_path_watch_dispatch(watch));
	mrd_path_watch_free(watch);
}

/* A ConfigMap's volume: ..data points to a folder of files, and is replaced. */
static void a_config_map_counts(void **state)
{
	struct mrd_path_watch *watch = open_watch();

	(void)state;
	assert_int_equal(symlink("a", in("one/..tmp")), 0);
	assert_true(mrd_path_watch_dispatch(watch));
	assert_int_equal(rename(in("one/..tmp"), in("one/..data")), 0);
	assert_true(mrd_path_watch_dispatch(watch));
	unlink(in("one/..data"));
	mrd_path_watch_free(watch);
}

static void a_folder_may_go_and_come(void **state)
{
	struct mrd_path_watch *watch = open_watch();

	(void)state;
	assert_int_equal(rmdir(folder), 0);
	assert_true(mrd_path_watch_dispatch(watch));
	assert_false(mrd_path_watch_tick(watch));
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_true(mrd_path_watch_tick(watch));
	assert_false(mrd_path_watch_tick(watch));
	write_file(in("folder/a.yaml"));
	assert_true(mrd_path_watch_dispatch(watch));
	unlink(in("folder/a.yaml"));
	mrd_path_watch_free(watch);
}

static void what_a_link_leads_to_counts_once_it_is_left_alone(void **state)
{
	struct mrd_path_watch *watch;

	(void)state;
	write_file(in("target"));
	assert_int_equal(symlink("../target", in("folder/a.yaml")), 0);
	watch = open_watch();
	assert_false(mrd_path_watch_tick(watch));
	unlink(in("target"));
	write_file(in("target"));
	assert_int_equal(truncate(in("target"), 100), 0);
	assert_false(mrd_path_watch_dispatch(watch)); /* nobody tells of it */
	assert_false(mrd_path_watch_tick(watch));     /* it may go on */
	assert_true(mrd_path_watch_tick(watch));
	assert_false(mrd_path_watch_tick(watch));
	unlink(in("folder/a.yaml"));
	unlink(in("target"));
	mrd_path_watch_free(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saving_and_deleting_count),
		cmocka_unit_test(a_file_that_is_being_written_does_not),
		cmocka_unit_test(a_file_put_in_place_counts),
		cmocka_unit_test(a_config_map_counts),
		cmocka_unit_test(a_folder_may_go_and_come),
		cmocka_unit_test(what_a_link_leads_to_counts_once_it_is_left_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
