/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct mrd_columns {
	const struct mrd_column *columns;
	size_t width; /* columns a row */
	char **cells;
	size_t count;
	size_t room;
};

static const char gap[] = "  ";

struct mrd_columns *mrd_columns_new(const struct mrd_column *columns, size_t count)
{
	struct mrd_columns *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->width = count;
	return table;
}

void mrd_columns_free(struct mrd_columns *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void mrd_columns_cleanup(struct mrd_columns **table)
{
	mrd_columns_free(*table);
}

void mrd_columns_add(struct mrd_columns *table, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	if (!table)
		return;
	if (table->count == table->room) {
		const size_t room = table->room ? table->room * 2 : table->width * 16;
		char **cells = reallocarray(table->cells, room, sizeof(*cells));

		if (!cells)
			return;
		table->cells = cells;
		table->room = room;
	}
	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len >= 0)
		table->cells[table->count++] = text;
}

static const char *cell(const struct mrd_columns *table, size_t row, size_t column)
{
	const size_t i = row * table->width + column;

	return i < table->count && *table->cells[i] ? table->cells[i] : "-";
}

static size_t rows_of(const struct mrd_columns *table)
{
	return (table->count + table->width - 1) / table->width;
}

static int width_of(const struct mrd_columns *table, size_t column)
{
	size_t width = strlen(table->columns[column].title);

	for (size_t row = 0; row < rows_of(table); row++) {
		const size_t len = strlen(cell(table, row, column));

		width = len > width ? len : width;
	}
	return (int)width;
}

static void print_cell(const struct mrd_columns *table, size_t column, int width, const char *text,
		       FILE *out)
{
	const char *before = column ? gap : "";

	if (table->columns[column].is_number)
		fprintf(out, "%s%*s", before, width, text);
	else if (column + 1 == table->width)
		fprintf(out, "%s%s", before, text); /* no blanks at the end of a line */
	else
		fprintf(out, "%s%-*s", before, width, text);
}

void mrd_columns_print(const struct mrd_columns *table, int indent, FILE *out)
{
	int *widths;

	if (!table)
		return;
	widths = calloc(table->width, sizeof(*widths));
	if (!widths)
		return;
	for (size_t i = 0; i < table->width; i++)
		widths[i] = width_of(table, i);
	fprintf(out, "%*s", indent, "");
	for (size_t i = 0; i < table->width; i++)
		print_cell(table, i, widths[i], table->columns[i].title, out);
	fputc('\n', out);
	for (size_t row = 0; row < rows_of(table); row++) {
		fprintf(out, "%*s", indent, "");
		for (size_t i = 0; i < table->width; i++)
			print_cell(table, i, widths[i], cell(table, row, i), out);
		fputc('\n', out);
	}
	free(widths);
}
