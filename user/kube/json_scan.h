/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * JSON that comes in pieces of any size, held to its grammar byte by byte, and where in it the
 * values stand that are asked for. Nothing is kept of it but its open brackets.
 */
#ifndef MRD_KUBE_JSON_SCAN_H
#define MRD_KUBE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MRD_JSON_STEPS_MAX = 4,	  /* of a path */
	MRD_JSON_PATHS_MAX = 8,	  /* asked for by one scan */
	MRD_JSON_KEY_MAX = 64,	  /* longer keys are in no path */
	MRD_JSON_DEPTH_MAX = 128, /* open brackets: an object within a list within an event */
};

/* The keys to a value. NULL in place of a key: each element of a list. */
struct mrd_json_path {
	const char *steps[MRD_JSON_STEPS_MAX];
	unsigned int count;
};

struct mrd_json_scan_hooks {
	/* A value that was asked for begins before byte at of the piece, or ends there. */
	int (*begin)(void *self, unsigned int path, size_t at);
	int (*end)(void *self, unsigned int path, size_t at);
	/* A document, which is an object, has ended. NULL is fine. */
	int (*document)(void *self, size_t at);
	void *self;
};

struct mrd_json_scan {
	const struct mrd_json_path *paths;
	unsigned int path_count;
	bool many; /* documents, with space between them or none; else one */
	struct mrd_json_scan_hooks hooks;

	/* Inside. A set of paths is a bit each. */
	int state;
	bool in_key;
	bool complete;	      /* the only document has ended */
	unsigned int pending; /* hexadecimal digits of an escape */
	const char *literal;  /* what is to come of true, false or null */
	unsigned int depth;
	uint8_t is_list[MRD_JSON_DEPTH_MAX / 8];
	uint8_t open[MRD_JSON_STEPS_MAX + 2]; /* paths that lead to the open bracket, by depth */
	uint8_t here; /* paths that lead to the value that comes or is read */
	char key[MRD_JSON_KEY_MAX];
	size_t key_len;
};

/* paths live as long as the scan. */
void mrd_json_scan_begin(struct mrd_json_scan *scan, const struct mrd_json_path *paths,
			 unsigned int path_count, bool many,
			 const struct mrd_json_scan_hooks *hooks);
/* 0; -EBADMSG: not JSON, or nested too deep; or what a hook returned. No more pieces then. */
int mrd_json_scan_feed(struct mrd_json_scan *scan, const char *data, size_t len);
/* Nothing is open, and there was a document where there is to be one. */
bool mrd_json_scan_is_whole(const struct mrd_json_scan *scan);

#endif
