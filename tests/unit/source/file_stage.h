/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A folder of its own for each test, real files and real inotify; the time is made up. The objects
 * are nodes n1 to n4 with a label v, so that the state of the model is a short text: "n1=a n3=b".
 */
#ifndef MRD_TESTS_SOURCE_FILE_STAGE_H
#define MRD_TESTS_SOURCE_FILE_STAGE_H

#include "source/file_source.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"

#define NODE(name, v) \
	"apiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {v: \"" v "\"}}\n"
#define BROKEN	"apiVersion: v1\nkind: Node\nmetadata: {}\n"
#define NO_NAME "a.yaml:3:11: error: metadata.name: missing; every Node needs a name\n"

enum { PATH_ROOM = 256, TREE_FDS = 8 };

#define SECOND_NS 1000000000ULL

struct stage {
	char base[PATH_ROOM]; /* of this test alone */
	char dir[PATH_ROOM];  /* base/state */
	struct mrd_model *model;
	struct mrd_file_source *source;
	struct mrd_strbuf news;
	uint64_t now_ns;
};

/* ------------------------------------------------------------------------ the stage */

static inline void note_findings(void *self, const struct mrd_diag *diag)
{
	struct stage *stage = self;

	for (size_t i = 0; i < diag->count; i++) {
		char *text = mrd_finding_text(&diag->findings[i]);

		/* Without the folder, which is another one at each run. */
		for (char *at; (at = strstr(text, stage->dir));)
			memmove(at, at + strlen(stage->dir) + 1,
				strlen(at + strlen(stage->dir) + 1) + 1);
		mrd_strbuf_addf(&stage->news, "%s\n", text);
		free(text);
	}
}

static inline void note_recovered(void *self, const char *file)
{
	struct stage *stage = self;

	mrd_strbuf_addf(&stage->news, "%s is whole\n", file + strlen(stage->dir) + 1);
}

static inline int set_up(void **state)
{
	static const struct mrd_model_cluster cluster = {.name = "home", .region = "r"};
	struct stage *stage = calloc(1, sizeof(*stage));

	snprintf(stage->base, sizeof(stage->base), "/tmp/mrd-file-source-XXXXXX");
	assert_non_null(mkdtemp(stage->base));
	snprintf(stage->dir, sizeof(stage->dir), "%.200s/state", stage->base);
	assert_int_equal(mkdir(stage->dir, 0755), 0);
	assert_int_equal(mrd_model_new(&cluster, 1, 0, "", &stage->model), 0);
	stage->now_ns = SECOND_NS;
	*state = stage;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	(void)info, (void)type, (void)ftw;
	return remove(path);
}

static inline int tear_down(void **state)
{
	struct stage *stage = *state;

	mrd_file_source_free(stage->source);
	mrd_model_free(stage->model);
	mrd_strbuf_free(&stage->news);
	nftw(stage->base, remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS);
	free(stage);
	return 0;
}

static inline void start(struct stage *stage)
{
	const struct mrd_file_source_config config = {
		.directory = stage->dir,
		.model = stage->model,
		.findings = note_findings,
		.recovered = note_recovered,
		.self = stage,
	};

	assert_int_equal(mrd_file_source_new(&config, stage->now_ns, &stage->source), 0);
}

static inline void dispatch(struct stage *stage)
{
	assert_int_equal(mrd_file_source_dispatch(stage->source, stage->now_ns), 0);
}

/* A second passes. */
static inline void tick(struct stage *stage)
{
	stage->now_ns += SECOND_NS;
	assert_int_equal(mrd_file_source_tick(stage->source, stage->now_ns), 0);
}

/* The nodes of the model, and what was said since the last time. */
static inline void expect(struct stage *stage, const char *want_nodes, const char *want_news)
{
	static const char *const names[] = {"n1", "n2", "n3", "n4"};
	struct mrd_strbuf nodes = {0};

	mrd_strbuf_add(&nodes, "", 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct mrd_meta *node =
			mrd_model_find(stage->model, 0, MRD_KIND_NODE, "", names[i]);

		if (node)
			mrd_strbuf_addf(&nodes, "%s%s=%s", nodes.len ? " " : "", names[i],
					mrd_labels_get(&node->labels, "v"));
	}
	mrd_strbuf_add(&stage->news, "", 0);
	printf("nodes: %s\n%s", nodes.text, stage->news.text);
	assert_string_equal(nodes.text, want_nodes);
	assert_string_equal(stage->news.text, want_news);
	mrd_strbuf_free(&nodes);
	mrd_strbuf_free(&stage->news);
}

/* ------------------------------------------------------------------------ acts */

static const char *path_of(const struct stage *stage, const char *name, char path[PATH_ROOM])
{
	if (name[0] == '/')
		snprintf(path, PATH_ROOM, "%.100s%.100s", stage->base, name);
	else
		snprintf(path, PATH_ROOM, "%.150s/%.100s", stage->dir, name);
	return path;
}

/* As a shell's ">" does: truncate, write, close. */
static inline void save(const struct stage *stage, const char *name, const char *text)
{
	char path[PATH_ROOM];
	FILE *file = fopen(path_of(stage, name, path), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void move(const struct stage *stage, const char *from, const char *to)
{
	char path_from[PATH_ROOM];
	char path_to[PATH_ROOM];

	assert_int_equal(rename(path_of(stage, from, path_from), path_of(stage, to, path_to)), 0);
}

static inline void discard(const struct stage *stage, const char *name)
{
	char path[PATH_ROOM];

	assert_int_equal(remove(path_of(stage, name, path)), 0);
}

static inline void make_folder(const struct stage *stage, const char *name)
{
	char path[PATH_ROOM];

	assert_int_equal(mkdir(path_of(stage, name, path), 0755), 0);
}

static inline void make_link(const struct stage *stage, const char *target, const char *name)
{
	char path[PATH_ROOM];

	assert_int_equal(symlink(target, path_of(stage, name, path)), 0);
}

static inline struct mrd_source_status status_of(const struct stage *stage)
{
	struct mrd_source_status status;

	mrd_file_source_get_status(stage->source, &status);
	return status;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

#endif
