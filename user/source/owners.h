/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which file of a folder an object is from. Several files may offer the same object: the file last
 * in name order wins, and when it goes the other's object is back.
 *
 * Files change in steps (mrd_owners_replace, _set_gone); mrd_owners_settle then brings the model to
 * what they say together. It puts before it deletes, so an object that moves between files in one
 * step is never lost in between.
 */
#ifndef MRD_SOURCE_OWNERS_H
#define MRD_SOURCE_OWNERS_H

#include <stdbool.h>

#include "base/diag.h"
#include "model/model.h"

struct mrd_owners;
struct mrd_owner; /* a file */

struct mrd_owned_object {
	struct mrd_meta *object;
	unsigned int line;
	unsigned int column;
};

int mrd_owners_new(struct mrd_model *model, size_t cluster, struct mrd_owners **ret_owners);
void mrd_owners_free(struct mrd_owners *owners); /* NULL is fine; frees its files too */
/* To another model, which has all that was in the old one. */
void mrd_owners_move(struct mrd_owners *owners, struct mrd_model *model, size_t cluster);

/* path orders the files and names them in findings. */
int mrd_owners_add(struct mrd_owners *owners, const char *path, struct mrd_owner **ret_owner);
/* The file offers nothing any more; takes effect with the next settling. */
void mrd_owners_remove(struct mrd_owners *owners, struct mrd_owner *owner);

size_t mrd_owner_count(const struct mrd_owner *owner); /* of its objects */

/* The file offers these and nothing else. Takes the objects over (and leaves NULL behind), except
 * on failure: -ENOMEM, and the file offers what it did before. What it offers twice is a warning.
 */
int mrd_owners_replace(struct mrd_owners *owners, struct mrd_owner *owner,
		       struct mrd_owned_object *objects, size_t count, struct mrd_diag *diag);
/* A file that has just vanished may be back in a moment: until it is removed, it yields to every
 * other file, but still counts where it is the only one. */
void mrd_owners_set_gone(struct mrd_owners *owners, struct mrd_owner *owner, bool gone);

/* Applies what changed. Objects that two files offer become warnings, once. -ENOMEM: some changes
 * were not applied; the files concerned have to be read again. */
int mrd_owners_settle(struct mrd_owners *owners, struct mrd_diag *diag);

#endif
