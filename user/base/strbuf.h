/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A string that grows. After a failed append (no memory) it stays failed: check once, at the end.
 */
#ifndef MRD_BASE_STRBUF_H
#define MRD_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct mrd_strbuf {
	char *text; /* always zero-terminated once something was appended; NULL before */
	size_t len;
	size_t room;
	bool failed;
};

void mrd_strbuf_free(struct mrd_strbuf *buf);
#define MRD_AUTO_STRBUF __attribute__((cleanup(mrd_strbuf_free)))

void mrd_strbuf_add(struct mrd_strbuf *buf, const char *text, size_t len);
void mrd_strbuf_addf(struct mrd_strbuf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void mrd_strbuf_vaddf(struct mrd_strbuf *buf, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Appends text as a JSON string, quotes included. */
void mrd_strbuf_add_json(struct mrd_strbuf *buf, const char *text);
/* Appends text for a line that people read: what would end it, drive the terminal or is no UTF-8
 * becomes visible ("\\n", "\\x1b"). */
void mrd_strbuf_add_visible(struct mrd_strbuf *buf, const char *text);

/* Steps of a field's path: "spec.subsets[1].labels", names with dots, slashes and such as ["a/b"].
 */
void mrd_strbuf_add_field(struct mrd_strbuf *path, const char *name);
void mrd_strbuf_add_index(struct mrd_strbuf *path, size_t index);

/* The text, to be freed by the caller, or NULL if an append failed. Empties buf either way. */
char *mrd_strbuf_steal(struct mrd_strbuf *buf);

#endif
