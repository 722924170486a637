/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A document as a tree of maps, lists and scalars in which every node knows its place. Read from
 * YAML by libyaml; JSON is read by the same reader, being YAML's flow style.
 *
 * Safe against hostile input: depth and what aliases stand for are bounded (MRD_DOC_DEPTH_MAX,
 * MRD_DOC_ALIAS_NODES_MAX); what stands in a file, its size bounds. A byte-order
 * mark, CRLF, anchors, aliases and merge keys ("<<") are understood; a duplicate key is an error at
 * the second one.
 */
#ifndef MRD_BASE_DOC_H
#define MRD_BASE_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

enum {
	MRD_DOC_DEPTH_MAX = 64,
	MRD_DOC_NODES_MAX = 4000000, /* of a JSON document */
	/* A node counts once more for each so many bytes of its text, which readers copy. */
	MRD_DOC_ALIAS_NODES_MAX = 500000,
	MRD_DOC_NODE_TEXT = 32,
};

enum mrd_doc_kind { MRD_DOC_NULL, MRD_DOC_SCALAR, MRD_DOC_MAP, MRD_DOC_LIST };

struct mrd_doc_node {
	enum mrd_doc_kind kind;
	bool quoted;	   /* of a scalar: written in quotes or as a block, so a string for sure */
	bool is_blank;	   /* a null of which nothing is written, as where a file was cut off */
	bool is_missing;   /* a null in the place of what could not be read, which was told */
	bool has_doubles;  /* a map without what was given twice, which was told */
	unsigned int line; /* of its first character, from 1 */
	unsigned int column; /* from 1 */
	const char
		*text; /* of a scalar; "" otherwise. An unquoted null, ~ or nothing is NULL kind */
	size_t count;  /* of a map's pairs or a list's items */
	struct mrd_doc_node **items; /* a list's items, or a map's values */
	struct mrd_doc_node **keys;  /* of a map: scalars, in order of appearance */
};

struct mrd_doc_file; /* all documents of one file; owns the nodes */

/*
 * Reads a whole file's text. What is wrong becomes an error in diag with its place. Documents that
 * are no YAML are left out; of others only what is wrong is (doc_parse.c says how), so that readers
 * find what else is wrong. 0, or -EBADMSG if there was an error (ret_file is set all the same), or
 * -ENOMEM.
 */
int mrd_doc_parse(const char *file, const char *text, size_t len, struct mrd_diag *diag,
		  struct mrd_doc_file **ret_file);
/* The same from a path. -errno of the failed read as well. */
int mrd_doc_read(const char *path, struct mrd_diag *diag, struct mrd_doc_file **ret_file);
void mrd_doc_free(struct mrd_doc_file *file); /* NULL is fine */
/* Which files of a folder are read: *.yaml, *.yml, *.json, unless they are hidden. */
bool mrd_doc_is_file_name(const char *name);

const char *mrd_doc_name(const struct mrd_doc_file *file);
size_t mrd_doc_count(const struct mrd_doc_file *file);
/* NULL for an empty document. */
const struct mrd_doc_node *mrd_doc_root(const struct mrd_doc_file *file, size_t index);

/* A map's value by key, or NULL; NULL and other kinds of node are fine and have no keys. */
const struct mrd_doc_node *mrd_doc_get(const struct mrd_doc_node *map, const char *key);

/* What a scalar says. -EINVAL: of another kind; -ERANGE: does not fit. A quoted number is no
 * number. */
int mrd_doc_string(const struct mrd_doc_node *node, const char **ret_text);
int mrd_doc_int(const struct mrd_doc_node *node, int64_t *ret_number);
/* Would kubectl read a number where this stands? Also forms that readers of numbers refuse here:
 * octal ones with a leading zero, digits with "_" between them, what is none or has no end. */
bool mrd_doc_is_number(const struct mrd_doc_node *node);
/* true and false, and what kubectl takes for them (YAML 1.1): yes, no, on, off, y, n; each also
 * with a capital, or in capitals. */
int mrd_doc_bool(const struct mrd_doc_node *node, bool *ret_flag);

#endif
