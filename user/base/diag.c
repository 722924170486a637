/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Findings own copies of their strings: they outlive the document that they speak of. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

enum { ROOM_MIN = 8 };

static void finding_clear(struct mrd_finding *finding)
{
	free(finding->file);
	free(finding->field);
	free(finding->reason);
}

void mrd_diag_free(struct mrd_diag *diag)
{
	for (size_t i = 0; i < diag->count; i++)
		finding_clear(&diag->findings[i]);
	free(diag->findings);
	*diag = (struct mrd_diag){0};
}

static struct mrd_finding *finding_new(struct mrd_diag *diag)
{
	if (diag->count == diag->room) {
		const size_t room = diag->room ? diag->room * 2 : ROOM_MIN;
		struct mrd_finding *grown =
			reallocarray(diag->findings, room, sizeof(*diag->findings));

		if (!grown)
			return NULL;
		diag->findings = grown;
		diag->room = room;
	}
	return &diag->findings[diag->count];
}

void mrd_diag_add(struct mrd_diag *diag, enum mrd_severity severity, const struct mrd_place *place,
		  const char *field, const char *format, ...)
{
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};
	struct mrd_finding *finding = finding_new(diag);
	va_list args;

	if (severity == MRD_ERROR)
		diag->errors++;
	if (!finding)
		return;
	va_start(args, format);
	mrd_strbuf_vaddf(&reason, format, args);
	va_end(args);

	*finding = (struct mrd_finding){
		.file = strdup(place && place->file ? place->file : ""),
		.line = place ? place->line : 0,
		.column = place ? place->column : 0,
		.severity = severity,
		.field = strdup(field ? field : ""),
		.reason = mrd_strbuf_steal(&reason),
	};
	if (!finding->file || !finding->field || !finding->reason) {
		finding_clear(finding);
		return;
	}
	diag->count++;
}

static int compare_numbers(unsigned int a, unsigned int b)
{
	return (a > b) - (a < b);
}

static int compare_findings(const void *left, const void *right)
{
	const struct mrd_finding *a = left;
	const struct mrd_finding *b = right;
	int order = strcmp(a->file, b->file);

	if (!order)
		order = compare_numbers(a->line, b->line);
	if (!order)
		order = compare_numbers(a->column, b->column);
	/* qsort is not stable: the rest of the text decides, so that the output is always the same.
	 */
	if (!order)
		order = strcmp(a->field, b->field);
	return order ? order : strcmp(a->reason, b->reason);
}

void mrd_diag_sort(struct mrd_diag *diag)
{
	if (diag->count)
		qsort(diag->findings, diag->count, sizeof(*diag->findings), compare_findings);
}

char *mrd_finding_text(const struct mrd_finding *finding)
{
	MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};

	if (finding->file[0]) {
		mrd_strbuf_add_visible(&buf, finding->file);
		mrd_strbuf_addf(&buf, ":");
	}
	if (finding->line)
		mrd_strbuf_addf(&buf, "%u:", finding->line);
	if (finding->line && finding->column)
		mrd_strbuf_addf(&buf, "%u:", finding->column);
	mrd_strbuf_addf(&buf, "%s%s: ", buf.len ? " " : "",
			finding->severity == MRD_ERROR ? "error" : "warning");
	if (finding->field[0]) {
		mrd_strbuf_add_visible(&buf, finding->field);
		mrd_strbuf_addf(&buf, ": ");
	}
	mrd_strbuf_add_visible(&buf, finding->reason);
	return mrd_strbuf_steal(&buf);
}

void mrd_diag_print(const struct mrd_diag *diag, FILE *out)
{
	for (size_t i = 0; i < diag->count; i++) {
		MRD_AUTO_FREE char *text = mrd_finding_text(&diag->findings[i]);

		fprintf(out, "%s\n", text ? text : "error: out of memory");
	}
}
