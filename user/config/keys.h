/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A map of a document into a struct, by a table of its keys. What is not in the table is an error
 * at its place; so is a value of another kind or out of its range. An empty value counts as absent.
 */
#ifndef MRD_CONFIG_KEYS_H
#define MRD_CONFIG_KEYS_H

#include <stdint.h>

#include "base/diag.h"
#include "base/doc.h"

struct mrd_key_reader {
	struct mrd_diag *diag;
	const char *file;
	const char *folder; /* of the file: relative paths start here */
	bool no_memory;
};

struct mrd_key {
	const char *key;
	/* path: the field's full name, for findings; into: the struct */
	void (*read)(struct mrd_key_reader *reader, const struct mrd_key *field,
		     const struct mrd_doc_node *node, const char *path, void *into);
	size_t offset; /* of what is read, in the struct */
	int64_t least; /* bounds of numbers and lengths, both allowed; of durations in ms */
	int64_t most;
	/* What is wrong with a string that is not empty (base/name.h); NULL: nothing can be. */
	const char *(*fault)(const char *text);
	const char *const *words; /* of mrd_key_word: NULL-terminated, the index is the value */
};

/* path: "" for the file's root. */
void mrd_keys_read(struct mrd_key_reader *reader, const struct mrd_doc_node *map, const char *path,
		   const struct mrd_key *fields, size_t count, void *into);

void mrd_key_complain(struct mrd_key_reader *reader, enum mrd_severity severity,
		      const struct mrd_doc_node *node, const char *path, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Readers: what each writes at its offset. */
void mrd_key_string(struct mrd_key_reader *reader, const struct mrd_key *field,
		    const struct mrd_doc_node *node, const char *path, void *into); /* char * */
void mrd_key_path(struct mrd_key_reader *reader, const struct mrd_key *field,
		  const struct mrd_doc_node *node, const char *path, void *into); /* char * */
void mrd_key_bool(struct mrd_key_reader *reader, const struct mrd_key *field,
		  const struct mrd_doc_node *node, const char *path, void *into); /* bool */
void mrd_key_number(struct mrd_key_reader *reader, const struct mrd_key *field,
		    const struct mrd_doc_node *node, const char *path, void *into); /* uint32_t */
void mrd_key_duration(struct mrd_key_reader *reader, const struct mrd_key *field,
		      const struct mrd_doc_node *node, const char *path,
		      void *into); /* uint64_t, ms */
void mrd_key_word(struct mrd_key_reader *reader, const struct mrd_key *field,
		  const struct mrd_doc_node *node, const char *path, void *into); /* int */

/* A path as the user wrote it, against the file's folder; to be freed. NULL without memory. */
char *mrd_key_resolve(const struct mrd_key_reader *reader, const char *text);

#endif
