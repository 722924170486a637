/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A text table: a header line and rows, columns as wide as their widest cell. */
#ifndef MRD_VIEW_COLUMNS_H
#define MRD_VIEW_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

struct mrd_column {
	const char *title;
	int is_number; /* stands at the right edge */
};

struct mrd_columns;

/* columns lives as long as the table. NULL without memory. */
struct mrd_columns *mrd_columns_new(const struct mrd_column *columns, size_t count);
void mrd_columns_free(struct mrd_columns *table); /* NULL is fine */
#define MRD_AUTO_COLUMNS __attribute__((cleanup(mrd_columns_cleanup)))
void mrd_columns_cleanup(struct mrd_columns **table);

/* The next cell, row by row. An empty text is shown as "-". Without memory the row stays short. */
void mrd_columns_add(struct mrd_columns *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* With indent blanks before each line; without rows only the header is printed. */
void mrd_columns_print(const struct mrd_columns *table, int indent, FILE *out);

#endif
