/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A loop that gives up after a while, and a folder with a kubeconfig: what tests of kube share. */
#ifndef MRD_TEST_KUBE_RIG_H
#define MRD_TEST_KUBE_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/strbuf.h"

enum { RIG_PATIENCE_MS = 15000 };

static char rig_folder[] = "/tmp/mrd-test-kube-XXXXXX";
static struct mrd_loop *rig_loop;
static struct mrd_timer *rig_patience;
static bool rig_gave_up;
static const bool *rig_until;

static inline const char *rig_path(const char *name)
{
	static char paths[4][128];
	static size_t turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", rig_folder, name);
	return path;
}

static inline void rig_write(const char *name, const char *text)
{
	FILE *out = fopen(rig_path(name), "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* As kubelet and editors do: another file takes the place. */
static inline void rig_replace(const char *name, const char *text)
{
	char new_path[160];

	rig_write(".new", text);
	snprintf(new_path, sizeof(new_path), "%s/.new", rig_folder);
	assert_int_equal(rename(new_path, rig_path(name)), 0);
}

/* Lines of the cluster and of the user, each with its indent of four. */
static inline void rig_kubeconfig(const char *name, const char *cluster, const char *user)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	mrd_strbuf_addf(&text,
			"clusters:\n- name: c\n  cluster:\n%s"
			"users:\n- name: u\n  user:\n%s"
			"contexts: [{name: x, context: {cluster: c, user: u}}]\n"
			"current-context: x\n",
			cluster, user);
	rig_replace(name, text.text);
}

static inline void rig_add_base64(struct mrd_strbuf *buf, const char *key, const char *text)
{
	mrd_strbuf_addf(buf, "    %s: ", key);
	mrd_strbuf_add_base64(buf, text, strlen(text));
	mrd_strbuf_addf(buf, "\n");
}

static inline void rig_on_patience(void *self)
{
	(void)self;
	rig_gave_up = true;
	mrd_loop_stop(rig_loop);
}

static inline void rig_on_idle(void *self)
{
	(void)self;
	if (*rig_until)
		mrd_loop_stop(rig_loop);
}

/* Runs the loop until it is so. */
static inline void rig_run_until(const bool *done)
{
	rig_until = done;
	rig_gave_up = false;
	mrd_timer_set(rig_patience, mrd_clock_ns() + (uint64_t)RIG_PATIENCE_MS * MRD_NS_PER_MS);
	mrd_loop_set_idle(rig_loop, rig_on_idle, NULL);
	assert_int_equal(mrd_loop_run(rig_loop), 0);
	mrd_timer_set(rig_patience, 0);
	assert_false(rig_gave_up);
}

static inline void rig_on_moment(void *self)
{
	*(bool *)self = true;
}

static inline void rig_run_for(uint64_t ms)
{
	struct mrd_timer *timer;
	bool done = false;

	assert_int_equal(mrd_loop_timer(rig_loop, rig_on_moment, &done, &timer), 0);
	mrd_timer_set(timer, mrd_clock_ns() + ms * MRD_NS_PER_MS);
	rig_run_until(&done);
	mrd_timer_free(timer);
}

static inline int rig_set_up(void **state)
{
	(void)state;
	if (!mkdtemp(rig_folder) || mrd_loop_new(&rig_loop) < 0)
		return -1;
	return mrd_loop_timer(rig_loop, rig_on_patience, NULL, &rig_patience);
}

static inline int rig_tear_down(void **state)
{
	char command[128];

	(void)state;
	mrd_loop_free(rig_loop);
	snprintf(command, sizeof(command), "rm -rf '%s'", rig_folder);
	return system(command);
}

#endif
