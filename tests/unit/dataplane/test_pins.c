/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The journal of the bpffs folder. Its steps are renames and removals, which work on any file
 * system, so a folder of plain files stands in for pins: a state is a list of files with a content
 * that tells the old set from the new.
 */
#include "dataplane/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

struct folder {
	char path[64];
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	strcpy(folder->path, "/tmp/mrd-pins-XXXXXX");
	*state = folder;
	return mkdtemp(folder->path) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder->path);
	free(*state);
	return system(command);
}

/* "mrd_route=old swap/mrd_name=new next/": a slash at the end makes a folder. */
static void lay_out(const struct folder *folder, const char *files)
{
	char *copy = strdup(files);
	char *rest = NULL;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *content = strchr(word, '=');
		char path[PATH_MAX];
		FILE *file;

		if (content)
			*content++ = '\0';
		mrd_pin_path(path, folder->path, "", word);
		if (!content) {
			assert_int_equal(mkdir(path, 0700), 0);
			continue;
		}
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(content, file);
		fclose(file);
	}
	free(copy);
}

static void read_back(const char *root, const char *prefix, struct mrd_strbuf *out)
{
	MRD_AUTO_NAMES struct mrd_names names = {0};

	assert_int_equal(mrd_names_read(root, "", &names), 0);
	for (size_t i = 0; i < names.count; i++) {
		char path[PATH_MAX], content[16] = "";
		struct stat st;

		mrd_pin_path(path, root, "", names.items[i]);
		assert_int_equal(stat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			char inner[PATH_MAX];

			mrd_strbuf_addf(out, "%s/ ", names.items[i]);
			snprintf(inner, sizeof(inner), "%s/", names.items[i]);
			read_back(path, inner, out);
			continue;
		}
		MRD_AUTO_FILE FILE *file = fopen(path, "r");
		assert_non_null(file);
		if (!fgets(content, sizeof(content), file))
			*content = '\0';
		mrd_strbuf_addf(out, "%s%s=%s ", prefix, names.items[i], content);
	}
}

static void expect(const struct folder *folder, const char *want)
{
	MRD_AUTO_STRBUF struct mrd_strbuf have = {0};

	read_back(folder->path, "", &have);
	assert_string_equal(have.text ? have.text : "", want);
}

static void empty(const struct folder *folder)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'/*", folder->path);
	assert_int_equal(system(command), 0);
}

static void recovers_from_every_step(void **state)
{
	static const struct {
		const char *name;
		const char *before;
		const char *want;
	} cases[] = {
		{.name = "nothing", .before = "", .want = ""},
		{.name = "in order",
		 .before = "mrd_name=old mrd_route=old link_a=old",
		 .want = "link_a=old mrd_name=old mrd_route=old "},
		{.name = "killed while it pinned: the old set stands",
		 .before = "mrd_name=old mrd_route=old next/ next/mrd_name=new",
		 .want = "mrd_name=old mrd_route=old "},
		{.name = "killed before the first pin",
		 .before = "mrd_name=old next/",
		 .want = "mrd_name=old "},
		{.name = "killed while links were swapped: the new set is in force",
		 .before = "mrd_name=old mrd_route=old swap/ swap/mrd_name=new swap/mrd_route=new",
		 .want = "mrd_name=new mrd_route=new "},
		{.name = "killed while it was moved into place",
		 .before = "mrd_name=new mrd_route=old swap/ swap/mrd_route=new",
		 .want = "mrd_name=new mrd_route=new "},
		{.name = "killed before the empty folder went",
		 .before = "mrd_name=new swap/",
		 .want = "mrd_name=new "},
		{.name = "first start, killed while links were made",
		 .before = "link_a=new swap/ swap/mrd_name=new",
		 .want = "link_a=new mrd_name=new "},
		{.name = "a link that did not get into place",
		 .before = "link_a=old new_link_a=new mrd_name=old",
		 .want = "link_a=old mrd_name=old "},
		{.name = "a failed clean-up and a whole set",
		 .before = "next/ next/mrd_name=lost swap/ swap/mrd_name=new",
		 .want = "mrd_name=new "},
		{.name = "what others put there stays",
		 .before = "theirs=1 mrd_name=old",
		 .want = "mrd_name=old theirs=1 "},
	};
	const struct folder *folder = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		lay_out(folder, cases[i].before);
		assert_int_equal(mrd_pins_recover(folder->path), 0);
		expect(folder, cases[i].want);
		/* A second start finds nothing more to do. */
		assert_int_equal(mrd_pins_recover(folder->path), 0);
		expect(folder, cases[i].want);
		empty(folder);
	}
}

static void a_staged_set_can_be_taken_back(void **state)
{
	const struct folder *folder = *state;

	lay_out(folder, "mrd_name=old swap/ swap/mrd_name=new");
	mrd_pins_unstage(folder->path);
	expect(folder, "mrd_name=old ");
	mrd_pins_unstage(folder->path);
	expect(folder, "mrd_name=old ");
}

static void staging_without_maps_leaves_nothing(void **state)
{
	const struct folder *folder = *state;
	struct mrd_pinset set;

	mrd_pinset_init(&set);
	lay_out(folder, "mrd_name=old");
	assert_true(mrd_pins_stage(folder->path, &set) < 0);
	expect(folder, "mrd_name=old ");
}

static void sees_what_is_in_force(void **state)
{
	static const struct {
		const char *files;
		bool want;
	} cases[] = {
		{.files = "", .want = false},
		{.files = "theirs=1", .want = false},
		{.files = "next/ next/mrd_name=new", .want = false},
		{.files = "mrd_name=old", .want = true},
		{.files = "link_mrd_connect4=old", .want = true},
	};
	const struct folder *folder = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("'%s'\n", cases[i].files);
		lay_out(folder, cases[i].files);
		assert_int_equal(mrd_pins_present(folder->path), cases[i].want);
		empty(folder);
	}
	assert_false(mrd_pins_present("/nonexistent"));
}

static void sweeps_maps_of_other_versions(void **state)
{
	const struct folder *folder = *state;

	lay_out(folder, "mrd_route=new mrd_former=old theirs=1 link_mrd_xdp=old");
	mrd_pins_sweep(folder->path);
	expect(folder, "link_mrd_xdp=old mrd_route=new theirs=1 ");
}

static void removes_everything_of_ours(void **state)
{
	const struct folder *folder = *state;
	size_t maps = 0;

	lay_out(folder, "mrd_route=1 mrd_flow=2 theirs=1 swap/ swap/mrd_name=3 next/");
	assert_int_equal(mrd_pins_remove(folder->path, &maps), 0);
	assert_int_equal(maps, 2);
	expect(folder, "theirs=1 ");
	empty(folder);
	assert_int_equal(mrd_pins_remove(folder->path, &maps), 0);
	assert_int_equal(access(folder->path, F_OK), -1);
}

static void knows_whether_an_agent_holds_the_folder(void **state)
{
	const struct folder *folder = *state;
	MRD_AUTO_FD int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_false(mrd_pins_is_locked(folder->path));
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_true(mrd_pins_is_locked(folder->path));
	assert_int_equal(flock(fd, LOCK_UN), 0);
	assert_false(mrd_pins_is_locked(folder->path));
	assert_false(mrd_pins_is_locked("/nonexistent"));
}

static void a_path_too_long_is_no_path(void **state)
{
	char name[PATH_MAX + 1], path[PATH_MAX];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	mrd_pin_path(path, "/folder", "", name);
	assert_string_equal(path, "");
	mrd_pin_path(path, "/folder", "link_", "mrd_connect4");
	assert_string_equal(path, "/folder/link_mrd_connect4");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(recovers_from_every_step),
		IN_FOLDER(a_staged_set_can_be_taken_back),
		IN_FOLDER(staging_without_maps_leaves_nothing),
		IN_FOLDER(sees_what_is_in_force),
		IN_FOLDER(sweeps_maps_of_other_versions),
		IN_FOLDER(removes_everything_of_ours),
		IN_FOLDER(knows_whether_an_agent_holds_the_folder),
		cmocka_unit_test(a_path_too_long_is_no_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
