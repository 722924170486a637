/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reading typed fields of a document tree. A field knows the way to itself, so that a finding can
 * name it ("items[3].spec.ports[0].port"); the way is a chain of fields on the caller's stack, and
 * becomes text only when there is something to say.
 *
 * Readers do not fail one by one: they note what is wrong, leave the default, and go on. Whoever
 * reads a document asks at the end whether it is good.
 */
#ifndef MRD_SOURCE_FIELD_H
#define MRD_SOURCE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/doc.h"
#include "base/ip.h"

struct mrd_reading {
	const char *file;
	struct mrd_diag *diag;
	size_t errors;
	bool no_memory;
};

struct mrd_field {
	const struct mrd_field *up; /* NULL: the document itself */
	const char *key;	    /* NULL: an item of a list */
	size_t index;
	const struct mrd_doc_node *node;    /* NULL: it is not there, or is null */
	const struct mrd_doc_node *written; /* NULL: it is not there */
};

struct mrd_field mrd_field_root(const struct mrd_doc_node *node);
/* A member of a map. Of something that is no map there are none. */
struct mrd_field mrd_field_get(const struct mrd_field *up, const char *key);
/* A map's n-th member, with its key as it stands there. */
struct mrd_field mrd_field_member(const struct mrd_field *up, size_t index);
struct mrd_field mrd_field_item(const struct mrd_field *up, size_t index);

void mrd_field_error(struct mrd_reading *reading, const struct mrd_field *field, const char *format,
		     ...) __attribute__((format(printf, 3, 4)));
void mrd_field_warn(struct mrd_reading *reading, const struct mrd_field *field, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));
struct mrd_place mrd_field_place(const struct mrd_reading *reading, const struct mrd_field *field);

/* Something is written there, if only null: the file does not end, or go on, behind the key. */
bool mrd_field_is_given(const struct mrd_field *field);

/* For all of these an absent or null field is fine and gives the default; the wrong type is an
 * error. */
bool mrd_field_is_map(struct mrd_reading *reading, const struct mrd_field *field);
size_t mrd_field_count(struct mrd_reading *reading, const struct mrd_field *field); /* of a list */
/* Borrowed from the document; never NULL. */
const char *mrd_field_text(struct mrd_reading *reading, const struct mrd_field *field);
/* A copy for an object (mrd_text_free); NULL only with no_memory. */
char *mrd_field_copy(struct mrd_reading *reading, const struct mrd_field *field);
bool mrd_field_bool(struct mrd_reading *reading, const struct mrd_field *field, bool otherwise);
int64_t mrd_field_int(struct mrd_reading *reading, const struct mrd_field *field, int64_t least,
		      int64_t most, int64_t otherwise);

/* false, with an error: this is no address. */
bool mrd_field_ip(struct mrd_reading *reading, const struct mrd_field *field,
		  struct mrd_ip *ret_ip);
/* The index of a text in a list that ends with NULL; otherwise if absent; -1 with an error. */
int mrd_field_choice(struct mrd_reading *reading, const struct mrd_field *field,
		     const char *const *choices, int otherwise);
/* calloc() that notes its failure; NULL for count 0 too. */
void *mrd_field_alloc(struct mrd_reading *reading, size_t count, size_t size);

#endif
