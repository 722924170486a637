/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Localities of one list, of which none may be equal to, inside or around an earlier one, or the
 * order of writing would decide more than the first match; only a last "*" for all the rest is what
 * everybody expects. Each is asked about in constant time: such lists may be long.
 */
#ifndef MRD_POLICY_LOCALITY_SET_H
#define MRD_POLICY_LOCALITY_SET_H

#include "policy/policy.h"

struct mrd_locality_set;

struct mrd_locality_set *mrd_locality_set_new(void);	  /* NULL without memory */
void mrd_locality_set_free(struct mrd_locality_set *set); /* NULL is fine */

/*
 * Adds the locality of a list's index; indices grow from call to call. 1: it overlaps with earlier
 * ones, of which *ret_earlier is the first. 0, or -ENOMEM.
 */
int mrd_locality_set_add(struct mrd_locality_set *set, const struct mrd_locality_match *match,
			 size_t index, size_t *ret_earlier);

#endif
