/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where somebody asks from: what --from says, held against what the clusters say. */
#ifndef MRD_CTL_WHERE_H
#define MRD_CTL_WHERE_H

#include <stdio.h>

#include "model/model.h"
#include "plan/start.h"

/*
 * start is a locality, which is in *place already, or the address of a pod, whose place is looked
 * up. An address that nobody has is an error, a region without an endpoint a warning; either names
 * the regions that there are. Returns MRD_EXIT_GOOD, or the status to exit with.
 */
int mrd_where_find(const struct mrd_model *model, const struct mrd_start *start,
		   struct mrd_address_place *place, FILE *err);

#endif
