/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * "Which services mention this?": from a key (a node, a pod, a VIP) to services, counted, because
 * one service may mention the same thing many times.
 */
#ifndef MRD_MODEL_REFS_H
#define MRD_MODEL_REFS_H

#include <stddef.h>
#include <stdint.h>

struct mrd_refs;
struct mrd_entry;

struct mrd_ref {
	struct mrd_entry *entry;
	uint64_t count;
};

struct mrd_ref_list {
	struct mrd_ref *items; /* by the serial number of their entries */
	size_t count;
	size_t room;
};

struct mrd_refs *mrd_refs_new(void);	   /* NULL: no memory */
void mrd_refs_free(struct mrd_refs *refs); /* NULL is fine */

int mrd_refs_add(struct mrd_refs *refs, const void *key, size_t key_len, struct mrd_entry *entry);
/* Takes one mention back; one that was never added is fine. */
void mrd_refs_drop(struct mrd_refs *refs, const void *key, size_t key_len, struct mrd_entry *entry);
/* Who mentions key, or NULL for nobody; lives until the next change. */
const struct mrd_ref_list *mrd_refs_get(const struct mrd_refs *refs, const void *key,
					size_t key_len);

#endif
