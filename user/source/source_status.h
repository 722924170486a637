/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How a cluster is doing as a source of objects, whatever they come by. */
#ifndef MRD_SOURCE_SOURCE_STATUS_H
#define MRD_SOURCE_SOURCE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct mrd_source_status {
	const char *where; /* the folder; the API server's URL, or the file that should name it */
	bool readable;	   /* it was there at the last look */
	bool read;	   /* all that a plan needs of it was read once */
	bool rules_read;   /* so were its rules, if it has any that are followed */
	/* It was read, and no file stands on what was said before this reader knew it: nothing that
	 * the kernel knows of this cluster is news to the model. */
	bool complete;
	/* CLOCK_MONOTONIC of the last successful look, or of an API server's last byte; 0 = never
	 */
	uint64_t last_heard_ns;
	/* The last sign of life: staleAfter counts from then. UINT64_MAX: it is there; the time it
	 * was opened, if there never was one. */
	uint64_t alive_ns;
	/* Since when its endpoints are not heard of; 0 = they are. A server may be alive and not
	 * give them. */
	uint64_t silent_since_ns;
	uint64_t failing_since_ns; /* 0 = it does not fail */
	bool settling;		   /* what fails may be well in a moment: no news yet */
	const char *error;	   /* the last one still standing ("" = none); the source's */
	uint64_t files;		   /* of a folder */
	uint64_t broken_files;	   /* that stand on their last good state */
	uint64_t broken_since_ns;  /* the first of these; 0 = there is none */
	uint64_t broken_objects;   /* likewise, of an API server */
};

/* One of those that are broken: a finding as mrd_finding_text() has it. Returns whether to go on.
 */
typedef bool (*mrd_broken_fn)(void *self, const char *finding);

#endif
