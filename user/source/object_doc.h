/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Kubernetes objects from a document tree: the one reader behind every transport. */
#ifndef MRD_SOURCE_OBJECT_DOC_H
#define MRD_SOURCE_OBJECT_DOC_H

#include "base/diag.h"
#include "base/doc.h"
#include "model/object.h"

/* Receives each object; it owns the object from then on. at: its place, borrowed. */
typedef int (*mrd_object_fn)(void *self, struct mrd_meta *object, const struct mrd_place *at);

/*
 * Reads one document: an object, or a List of them (also ServiceList, EndpointSliceList, NodeList
 * as the API writes them). Kinds that are not used are passed over in silence. What is broken
 * becomes an error in diag with its place, and the whole document counts as broken: -EBADMSG.
 * Returns the first non-zero result of fn, or -ENOMEM.
 */
int mrd_object_read(const struct mrd_doc_node *root, const char *file, struct mrd_diag *diag,
		    mrd_object_fn fn, void *self);
/* The same of an answer to who has asked for no more than the metadata of an expected kind: a
 * PartialObjectMetadata is one of these. MRD_KIND_COUNT: there is none. */
int mrd_object_read_as(enum mrd_kind expected, const struct mrd_doc_node *root, const char *file,
		       struct mrd_diag *diag, mrd_object_fn fn, void *self);

#endif
