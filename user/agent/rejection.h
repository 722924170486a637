/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A policy that was not taken: why, and since when. */
#ifndef MRD_AGENT_REJECTION_H
#define MRD_AGENT_REJECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct mrd_rejection {
	uint64_t since_ns; /* when the first of those in a row was refused; 0: none is */
	char **findings;   /* of the last: errors as "file:line:column: error: field: reason" */
	size_t count;
};

/* error: for what no finding explains. Without memory findings may be missing. */
void mrd_rejection_set(struct mrd_rejection *rejection, const struct mrd_diag *diag, int error,
		       uint64_t now_ns);
void mrd_rejection_clear(struct mrd_rejection *rejection);

#endif
