/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Findings about what a user wrote: all of them, each with its place, so that one run shows every
 * mistake. Printed as "file:line:column: error: field: reason" (interfaces: check).
 *
 * Bounded, or a small file could fill memory with what is wrong with it: of one file and severity
 * MRD_FINDINGS_MAX are kept, behind them one that counts the others; fields and reasons that are
 * longer than MRD_FINDING_TEXT_MAX lose their middle.
 */
#ifndef MRD_BASE_DIAG_H
#define MRD_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { MRD_FINDINGS_MAX = 1000, MRD_FINDING_TEXT_MAX = 512 };

enum mrd_severity { MRD_WARNING, MRD_ERROR };

struct mrd_place {
	const char *file;    /* as the user named it; borrowed */
	unsigned int line;   /* from 1; 0: no place inside the file is known */
	unsigned int column; /* from 1 */
};

struct mrd_finding {
	char *file;
	unsigned int line;
	unsigned int column;
	enum mrd_severity severity;
	char *field;	   /* "spec.subsets[1].name"; "" if there is none */
	char *reason;	   /* what is wrong and, where it is not obvious, the remedy */
	size_t stands_for; /* others, that are not kept; 0: it is one itself */
};

struct mrd_table;

struct mrd_diag {
	struct mrd_finding *findings;
	size_t count;
	size_t errors;
	size_t room;
	struct mrd_table *files; /* how many of each are kept */
};

void mrd_diag_free(struct mrd_diag *diag); /* frees the findings, not diag itself */
#define MRD_AUTO_DIAG __attribute__((cleanup(mrd_diag_free)))

/* Never fails: without memory the finding is dropped but still counted in errors. */
void mrd_diag_add(struct mrd_diag *diag, enum mrd_severity severity, const struct mrd_place *place,
		  const char *field, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Adds one of another diag; one that counts others adds what it counts. */
void mrd_diag_copy(struct mrd_diag *diag, const struct mrd_finding *finding);

/* Whether another of this file would only be counted: nobody need put it into words. */
bool mrd_diag_is_full(const struct mrd_diag *diag, enum mrd_severity severity, const char *file);

/* Why something was not taken, where its errors were told one by one: that, or the error's own
 * words. */
const char *mrd_diag_reason(const struct mrd_diag *diag, int error);

/* Sorts by file, line and column; those that count others go last in their file. More may be added
 * behind it. */
void mrd_diag_sort(struct mrd_diag *diag);
/* "file:line:column: error: field: reason", without line feed; parts that are unknown are left out.
 * It is one line whatever the user wrote (mrd_strbuf_add_visible). Returns a string that the caller
 * frees, or NULL without memory. */
char *mrd_finding_text(const struct mrd_finding *finding);
void mrd_diag_print(const struct mrd_diag *diag, FILE *out);

#endif
