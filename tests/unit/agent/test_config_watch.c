/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/config_watch.h"

#include <errno.h>
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

#include "base/clock.h"

enum { PATH_SIZE = 256, COMMAND_SIZE = 1024 };

/* Longer than the file takes to settle. */
static const uint64_t patience_ns = UINT64_C(400) * 1000 * 1000;

struct room {
	char folder[PATH_SIZE];
	struct mrd_loop *loop;
	struct mrd_timer *over;
	struct mrd_config_watch *watch;
	int changes;
};

static void on_changed(void *self)
{
	struct room *room = self;

	room->changes++;
	mrd_config_watch_know(room->watch);
}

static void on_over(void *self)
{
	mrd_loop_stop(((struct room *)self)->loop);
}

/* Runs a line of shell in the folder. */
static void does(const struct room *room, const char *line)
{
	char command[COMMAND_SIZE];

	snprintf(command, sizeof(command), "cd '%s' && %s", room->folder, line);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) a line of a test */
}

static void open_room(struct room *room, const char *before)
{
	char path[PATH_SIZE + sizeof("/etc/meridian.yaml")];

	*room = (struct room){.folder = "/tmp/mrd-config-watch-XXXXXX"};
	assert_non_null(mkdtemp(room->folder));
	does(room, before);
	snprintf(path, sizeof(path), "%s/etc/meridian.yaml", room->folder);
	assert_int_equal(mrd_loop_new(&room->loop), 0);
	assert_int_equal(mrd_loop_timer(room->loop, on_over, room, &room->over), 0);
	assert_int_equal(mrd_config_watch_new(path, room->loop, on_changed, room, &room->watch), 0);
}

static void wait_a_while(struct room *room)
{
	mrd_timer_set(room->over, mrd_clock_ns() + patience_ns);
	assert_int_equal(mrd_loop_run(room->loop), 0);
	mrd_config_watch_tick(room->watch);
	mrd_timer_set(room->over, mrd_clock_ns() + patience_ns);
	assert_int_equal(mrd_loop_run(room->loop), 0);
}

static void close_room(struct room *room)
{
	mrd_config_watch_free(room->watch);
	mrd_timer_free(room->over);
	mrd_loop_free(room->loop);
	does(room, "rm -r etc ..?* 2>/dev/null; cd / && rmdir \"$OLDPWD\"");
}

static void another_text_is_a_change(void **state)
{
	static const struct {
		const char *name;
		const char *before; /* NULL: a plain file */
		const char *line;
		int want;
	} cases[] = {
		{.name = "written in place", .line = "echo b: 2 > etc/meridian.yaml", .want = 1},
		{.name = "put in its place",
		 .line = "echo b: 2 > etc/new && mv etc/new etc/meridian.yaml",
		 .want = 1},
		{.name = "in many steps, once",
		 .line = "for i in 1 2 3 4 5; do echo $i: x >> etc/meridian.yaml; done",
		 .want = 1},
		{.name = "a ConfigMap's links",
		 .before = "mkdir -p etc/..1 etc/..2 && echo a: 1 > etc/..1/meridian.yaml && "
			   "echo b: 2 > etc/..2/meridian.yaml && ln -s ..1 etc/..data && "
			   "ln -s ..data/meridian.yaml etc/meridian.yaml",
		 .line = "ln -s ..2 etc/..new && mv -T etc/..new etc/..data",
		 .want = 1},
		{.name = "emptied", .line = ": > etc/meridian.yaml", .want = 1},
		{.name = "touched", .line = "touch etc/meridian.yaml", .want = 0},
		{.name = "the same again", .line = "echo a: 1 > etc/meridian.yaml", .want = 0},
		{.name = "a neighbour", .line = "echo b: 2 > etc/other.yaml", .want = 0},
		{.name = "gone: what was read stays", .line = "rm etc/meridian.yaml", .want = 0},
		{.name = "gone, and back with another",
		 .line = "rm etc/meridian.yaml && echo b: 2 > etc/meridian.yaml",
		 .want = 1},
		{.name = "with its folder, and back",
		 .line = "mv etc old && mkdir etc && echo b: 2 > etc/meridian.yaml && rm -r old",
		 .want = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct room room;

		print_message("%s\n", cases[i].name);
		open_room(&room, cases[i].before ? cases[i].before
						 : "mkdir etc && echo a: 1 > etc/meridian.yaml");
		does(&room, cases[i].line);
		wait_a_while(&room);
		assert_int_equal(room.changes, cases[i].want);
		close_room(&room);
	}
}

static void what_is_known_is_no_change(void **state)
{
	struct room room;

	(void)state;
	open_room(&room, "mkdir etc && echo a: 1 > etc/meridian.yaml");
	does(&room, "echo b: 2 > etc/meridian.yaml");
	mrd_config_watch_know(room.watch);
	wait_a_while(&room);
	assert_int_equal(room.changes, 0);
	close_room(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_text_is_a_change),
		cmocka_unit_test(what_is_known_is_no_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
