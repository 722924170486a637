/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What an API server answers, taken apart while it comes: a list into its items, a watch into its
 * events. Pieces may be of any size. Of a list no more is held than the largest item.
 *
 * Bounded whatever the server sends: the size of an object, the depth of its brackets, and how much
 * may come that is no part of an object.
 */
#ifndef MRD_KUBE_JSON_SPLIT_H
#define MRD_KUBE_JSON_SPLIT_H

#include "base/strbuf.h"
#include "kube/json_scan.h"

enum {
	/* etcd takes 1.5 MiB, in a form that is denser than JSON. */
	MRD_JSON_OBJECT_MAX = 4 * 1024 * 1024,
	/* Between two objects. */
	MRD_JSON_GAP_MAX = 1024 * 1024,
	/* A continue token is the largest of the words that are kept. */
	MRD_JSON_WORD_MAX = 64 * 1024,
};

enum mrd_watch_type {
	MRD_WATCH_ADDED,
	MRD_WATCH_MODIFIED,
	MRD_WATCH_DELETED,
	MRD_WATCH_BOOKMARK,
	MRD_WATCH_ERROR,
	MRD_WATCH_UNKNOWN, /* of a newer server */
};

/* All of it is borrowed. */
struct mrd_watch_event {
	enum mrd_watch_type type;
	const char *object; /* one JSON object */
	size_t object_len;
	const char *version; /* its metadata.resourceVersion; "" = none */
	bool initial_end;    /* annotated k8s.io/initial-events-end: "true" */
};

struct mrd_json_split_hooks {
	/* An element of the list's items: one JSON value, borrowed. */
	int (*item)(void *self, const char *json, size_t len);
	int (*event)(void *self, const struct mrd_watch_event *event);
	void *self;
};

struct mrd_json_split {
	struct mrd_json_split_hooks hooks;
	struct mrd_json_scan scan;
	bool watch;

	/* Of a list, so far: wherever they stand in it. */
	bool has_items;
	struct mrd_strbuf version;	  /* metadata.resourceVersion */
	struct mrd_strbuf continue_token; /* metadata.continue */
	struct mrd_strbuf remaining;	  /* metadata.remainingItemCount, as digits */

	/* Inside. */
	struct mrd_strbuf prefix; /* `{"kind":…,"apiVersion":…,` for items that do not say */
	struct mrd_strbuf held;	  /* of the values that are open, or of the event */
	const char *piece;
	size_t from;	    /* of the piece: where the open value has not been held yet */
	uint64_t before;    /* bytes in pieces before this one */
	uint64_t object_at; /* where the last object ended */
	unsigned int open;  /* values that are held, within each other */
	unsigned int seen;  /* a bit for each path that was met in this item or event */
	struct mrd_json_span {
		size_t from; /* in held */
		size_t to;
	} spans[MRD_JSON_PATHS_MAX];
};

/* Both take an empty split (all zero), or one that was ended by mrd_json_split_clear. */
void mrd_json_split_list(struct mrd_json_split *split, const char *kind, const char *api_version,
			 const struct mrd_json_split_hooks *hooks);
void mrd_json_split_watch(struct mrd_json_split *split, const struct mrd_json_split_hooks *hooks);
void mrd_json_split_clear(struct mrd_json_split *split);

/* 0; -EBADMSG: not JSON, or no list or watch; -EMSGSIZE: beyond the bounds; -ENOMEM; or what a hook
 * returned. No more pieces then. */
int mrd_json_split_feed(struct mrd_json_split *split, const char *data, size_t len);
/* The body is at its end. -EBADMSG: cut in the middle, or a list without items or version. */
int mrd_json_split_end(const struct mrd_json_split *split);

#endif
