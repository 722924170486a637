/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Strict reading of a document by tables: a block is a list of fields, a field has a name, a reader
 * and what Meridian does with it. A new field is a row, a new kind of value a reader.
 *
 * What is read goes into a draft: a plain struct whose members borrow from the document and keep
 * their node, so that a later check can point at the very scalar. A NULL draft means that a field
 * is checked but has no effect. Nothing here returns an error: findings go to the reader's diag.
 */
#ifndef MRD_POLICY_FIELD_H
#define MRD_POLICY_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/doc.h"
#include "base/table.h"

/* A step of the way from the document's root to a field; they live on the stack. */
struct mrd_step {
	const struct mrd_step *up;
	const char *name; /* NULL: an index */
	size_t index;
};

struct mrd_mesh;
struct mrd_notes;

struct mrd_reader {
	struct mrd_diag *diag;
	const char *file;
	const struct mrd_step *at;
	const struct mrd_doc_node
		*key;		     /* of the value that is being read: where its block starts */
	const struct mrd_mesh *mesh; /* what a rule inherits; NULL while it is being read itself */
	const struct mrd_notes *notes; /* the annotations that hold in this document */
	unsigned int muted; /* above 0: inside a block without effect, which was named already */
	bool no_memory;	    /* sticky; asked once, at the end */
};

void mrd_read_error(struct mrd_reader *reader, const struct mrd_doc_node *node, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));
void mrd_read_warning(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* spec is the field's own: limits, words, a table. */
typedef void (*mrd_read_fn)(struct mrd_reader *reader, const struct mrd_doc_node *node,
			    const void *spec, void *draft);

enum mrd_field_use {
	MRD_FIELD_TAKEN,
	MRD_FIELD_REQUIRED,
	MRD_FIELD_CHECKED, /* read for what is wrong with it; null is as good as nothing */
	MRD_FIELD_SILENT,  /* known, and of no concern to anybody here */
	MRD_FIELD_IGNORED, /* known to Istio, not honoured: checked, and a warning that names it */
	MRD_FIELD_KEPT,	   /* taken, but nothing acts on it yet: the same warning */
	MRD_FIELD_DEPRECATED,
};

struct mrd_field {
	const char *name;
	enum mrd_field_use use;
	mrd_read_fn read;
	const void *spec;
	size_t offset;	 /* of the member in the draft */
	const char *why; /* why it has no effect, or what to write instead; may be NULL */
};

struct mrd_block {
	const struct mrd_field *fields;
	size_t count;
};
#define MRD_BLOCK(array)                                                     \
	{                                                                    \
		.fields = (array), .count = sizeof(array) / sizeof(*(array)) \
	}

/* A field of Istio that has no effect here, checked by a reader. */
#define MRD_IGNORED(field, reader_fn, field_spec)                               \
	{                                                                       \
		.name = (field), .use = MRD_FIELD_IGNORED, .read = (reader_fn), \
		.spec = (field_spec)                                            \
	}

#define MRD_IGNORED_WHY(field, reader_fn, field_spec, reason)                   \
	{                                                                       \
		.name = (field), .use = MRD_FIELD_IGNORED, .read = (reader_fn), \
		.spec = (field_spec), .why = (reason)                           \
	}

/* ------------------------------------------------------------------------------- what drafts hold
 */

/* node is NULL while the field was not given, or was not valid. */
struct mrd_text {
	const struct mrd_doc_node *node;
	const char *text;
};
struct mrd_number {
	const struct mrd_doc_node *node;
	uint32_t value;
};
struct mrd_real {
	const struct mrd_doc_node *node;
	double value;
};
struct mrd_flag {
	const struct mrd_doc_node *node;
	bool value;
};
struct mrd_span {
	const struct mrd_doc_node *node;
	uint64_t ms;
};
struct mrd_word {
	const struct mrd_doc_node *node;
	size_t index; /* into the spec's words */
};

/* Below 0 only for fields without a draft. */
struct mrd_number_limits {
	int64_t min;
	int64_t max;
};
struct mrd_real_limits {
	double min;
	double max;
};
struct mrd_span_limits {
	uint64_t min_ms;
	uint64_t max_ms; /* 0: none */
};
struct mrd_words {
	const char *const *words;
	size_t count;
};
#define MRD_WORDS(array)                                                    \
	{                                                                   \
		.words = (array), .count = sizeof(array) / sizeof(*(array)) \
	}
/* Every item of a list is read with the same reader, into no draft. */
struct mrd_list_of {
	mrd_read_fn read;
	const void *spec;
};

/* ------------------------------------------------------------------------------- readers */

/* One field of a block by its key: for maps in which others may write too (annotations). */
void mrd_read_one(struct mrd_reader *reader, const struct mrd_block *block,
		  const struct mrd_doc_node *key, const struct mrd_doc_node *value, void *draft);
/* The key under which a map has a value: the place of a field as a whole. NULL: there is none. */
const struct mrd_doc_node *mrd_read_key(const struct mrd_doc_node *map, const char *name);

/* What was noted under this text first, or NULL: then it is noted now. So each of a long list is
 * told apart from those before it without comparing all of them. seen may be NULL, without memory.
 */
const void *mrd_read_first(struct mrd_reader *reader, struct mrd_table *seen, const char *text,
			   const void *value);
#define MRD_AUTO_TABLE __attribute__((cleanup(mrd_read_forget)))
void mrd_read_forget(struct mrd_table **seen);

/* "file:line:column" of a node, to be freed. NULL without memory, which the reader notes. */
char *mrd_read_place(struct mrd_reader *reader, const struct mrd_doc_node *node);
/* "spec.trafficPolicy…", where the reader is; likewise. */
char *mrd_read_path(struct mrd_reader *reader);

void mrd_read_block(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *block,
		    void *draft);
void mrd_read_text(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *text);
/* Where an API server asks for a string and a file of ours need not: a warning. */
void mrd_read_string(struct mrd_reader *reader, const struct mrd_doc_node *node);
void mrd_read_number(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *limits,
		     void *number); /* NULL limits: 0 to 2^32 - 1 */
void mrd_read_real(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *limits,
		   void *real);
void mrd_read_flag(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *flag);
void mrd_read_span(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *limits,
		   void *span); /* NULL limits: 1 ms and up */
void mrd_read_word(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *words,
		   void *word);
void mrd_read_list(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *list_of,
		   void *unused);
/* A map of labels: keys and values that an object in a cluster may have. */
void mrd_read_labels(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		     void *draft);
/* Keeps the node for its block's own code: a list or a map. */
void mrd_read_list_node(struct mrd_reader *reader, const struct mrd_doc_node *node,
			const void *unused, void *node_at);
void mrd_read_map_node(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *node_at);
/* Anything: the inside of a field that is no concern of ours. */
void mrd_read_any(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		  void *draft);

#endif
