/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A folder of manifests as a cluster: read whole at the start, then followed with inotify. Each
 * file is a unit: a file that cannot be read as a whole keeps its last good objects and says why; a
 * deleted file takes its objects away; a folder that vanishes keeps everything until it is back.
 */
#ifndef MRD_SOURCE_FILE_SOURCE_H
#define MRD_SOURCE_FILE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "model/model.h"
#include "source/source_status.h"

struct mrd_file_source;

/* findings is called with what changed in what the files say wrong (also for warnings). May be
 * NULL. */
struct mrd_file_source_config {
	const char *directory;
	struct mrd_model *model;
	size_t cluster;
	void (*findings)(void *self, const struct mrd_diag *diag);
	void (*recovered)(void *self,
			  const char *file); /* a broken file is whole again; may be NULL */
	void *self;
};

/* -ENOMEM, or -errno of inotify. A folder that is not there is no failure: it is waited for. */
int mrd_file_source_new(const struct mrd_file_source_config *config, uint64_t now_ns,
			struct mrd_file_source **ret_source);
void mrd_file_source_free(
	struct mrd_file_source *source); /* NULL is fine; the model keeps the objects */

/* From now on it fills another model, which has all that was in the old one, for another owner; the
 * folder is the same. It is looked through at the next tick. */
void mrd_file_source_move(struct mrd_file_source *source,
			  const struct mrd_file_source_config *config);

/* The inotify descriptor, readable when there is something to do. */
int mrd_file_source_fd(const struct mrd_file_source *source);
/* Reads events and applies what changed. Never blocks. */
int mrd_file_source_dispatch(struct mrd_file_source *source, uint64_t now_ns);
/* To be called about once a second: looks whether the folder is (still, again) there. */
int mrd_file_source_tick(struct mrd_file_source *source, uint64_t now_ns);

void mrd_file_source_get_status(const struct mrd_file_source *source,
				struct mrd_source_status *ret_status);
void mrd_file_source_each_broken(const struct mrd_file_source *source, mrd_broken_fn fn,
				 void *self);

#endif
