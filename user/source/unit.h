/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One file of a folder: read whole or not at all. What it says wrong is told when it changes, not
 * at each look.
 */
#ifndef MRD_SOURCE_UNIT_H
#define MRD_SOURCE_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/diag.h"
#include "source/owners.h"

/* What tells that a file is another one than at the last look. */
struct mrd_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

struct mrd_unit {
	char *path;
	struct mrd_owner *owner;
	struct mrd_stamp stamp;
	struct mrd_diag said; /* the findings of the last reading */
	bool pending;	      /* to be read at the next occasion */
	bool is_link;	    /* what it leads to is watched by nobody, and looked at now and then */
	bool retry;	    /* the last reading failed for a reason that may pass */
	bool seen;	    /* by the scan that is under way */
	bool broken;	    /* stands on its last good state */
	uint64_t broken_ns; /* since when; 0: it is not */
	uint64_t gone_since_ns; /* 0: it is there */
	char *error;		/* the first one of the last reading, on one line; NULL: none */
	uint64_t error_ns;	/* of that reading */
};

int mrd_unit_new(struct mrd_owners *owners, const char *path, struct mrd_unit **ret_unit);
void mrd_unit_free(struct mrd_unit *unit); /* leaves its objects to the owners */

/* Does the file differ from what was read last? */
bool mrd_unit_differs(const struct mrd_unit *unit);

/*
 * Reads the file and hands its objects to the owners; a file that is not there becomes gone. What
 * is newly wrong is added to news; *ret_recovered: it was broken and is whole again. -ENOMEM: the
 * unit is as it was, and to be read again.
 */
int mrd_unit_read(struct mrd_unit *unit, struct mrd_owners *owners, uint64_t now_ns,
		  struct mrd_diag *news, bool *ret_recovered);
/* It is not known to be gone any more. */
void mrd_unit_set_present(struct mrd_unit *unit, struct mrd_owners *owners);

#endif
