/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Findings own copies of their strings: they outlive the document that they speak of. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/table.h"

enum { ROOM_MIN = 8, SEVERITIES = 2 };

static const char cut_mark[] = " ... ";

/* Of one file, by severity. */
struct tally {
	size_t kept[SEVERITIES];
	size_t more[SEVERITIES];
	size_t more_at[SEVERITIES]; /* the finding that counts them */
};

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
	mrd_table_free(diag->files);
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

/* Without its middle if it is long, at the bounds of characters: a message may speak of a value
 * before or behind it. */
static char *cut(const char *text)
{
	const size_t half = (MRD_FINDING_TEXT_MAX - sizeof(cut_mark)) / 2;
	const size_t len = strlen(text);
	size_t head = half;
	size_t tail = len - half;
	char *shorter;

	if (len <= MRD_FINDING_TEXT_MAX)
		return strdup(text);
	while (head && (text[head] & 0xc0) == 0x80)
		head--;
	while (tail < len && (text[tail] & 0xc0) == 0x80)
		tail++;
	return asprintf(&shorter, "%.*s%s%s", (int)head, text, cut_mark, text + tail) < 0 ? NULL
											  : shorter;
}

/* Takes the reason over. */
static bool keep(struct mrd_diag *diag, enum mrd_severity severity, const struct mrd_place *place,
		 const char *field, char *reason)
{
	struct mrd_finding *finding = finding_new(diag);

	if (!finding) {
		free(reason);
		return false;
	}
	*finding = (struct mrd_finding){
		.file = strdup(place && place->file ? place->file : ""),
		.line = place ? place->line : 0,
		.column = place ? place->column : 0,
		.severity = severity,
		.field = cut(field),
		.reason = reason,
	};
	if (!finding->file || !finding->field || !finding->reason) {
		finding_clear(finding);
		return false;
	}
	diag->count++;
	return true;
}

static struct tally *tally_get(struct mrd_diag *diag, const char *file)
{
	struct tally *tally;

	if (!diag->files)
		diag->files = mrd_table_new(free);
	if (!diag->files)
		return NULL;
	tally = mrd_table_get_str(diag->files, file);
	if (tally)
		return tally;
	tally = calloc(1, sizeof(*tally));
	if (tally && !mrd_table_put_str(diag->files, file, tally))
		return tally;
	free(tally);
	return NULL;
}

bool mrd_diag_is_full(const struct mrd_diag *diag, enum mrd_severity severity, const char *file)
{
	const struct tally *tally = diag->files ? mrd_table_get_str(diag->files, file) : NULL;

	return tally && tally->kept[severity] == MRD_FINDINGS_MAX;
}

/* Behind those that are kept: at the place of the first that is not. */
static void count_more(struct mrd_diag *diag, enum mrd_severity severity,
		       const struct mrd_place *place, struct tally *tally, size_t others)
{
	const size_t more = tally->more[severity] + others;
	char *reason;

	if (asprintf(&reason, "%zu more %s%s, not shown", more,
		     severity == MRD_ERROR ? "error" : "warning", more > 1 ? "s" : "") < 0)
		return;
	if (tally->more[severity]) {
		free(diag->findings[tally->more_at[severity]].reason);
		diag->findings[tally->more_at[severity]].reason = reason;
	} else if (keep(diag, severity, place, "", reason)) {
		tally->more_at[severity] = diag->count - 1;
	} else {
		return;
	}
	tally->more[severity] = more;
	diag->findings[tally->more_at[severity]].stands_for = more;
}

void mrd_diag_add(struct mrd_diag *diag, enum mrd_severity severity, const struct mrd_place *place,
		  const char *field, const char *format, ...)
{
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};
	struct tally *tally = tally_get(diag, place && place->file ? place->file : "");
	va_list args;

	if (severity == MRD_ERROR)
		diag->errors++;
	if (!tally)
		return;
	if (tally->kept[severity] == MRD_FINDINGS_MAX) {
		count_more(diag, severity, place, tally, 1);
		return;
	}
	va_start(args, format);
	mrd_strbuf_vaddf(&reason, format, args);
	va_end(args);
	if (keep(diag, severity, place, field ? field : "", reason.text ? cut(reason.text) : NULL))
		tally->kept[severity]++;
}

void mrd_diag_copy(struct mrd_diag *diag, const struct mrd_finding *finding)
{
	const struct mrd_place place = {
		.file = finding->file,
		.line = finding->line,
		.column = finding->column,
	};
	struct tally *tally;

	if (!finding->stands_for) {
		mrd_diag_add(diag, finding->severity, &place, finding->field, "%s",
			     finding->reason);
		return;
	}
	if (finding->severity == MRD_ERROR)
		diag->errors += finding->stands_for;
	tally = tally_get(diag, finding->file);
	if (tally)
		count_more(diag, finding->severity, &place, tally, finding->stands_for);
}

const char *mrd_diag_reason(const struct mrd_diag *diag, int error)
{
	return diag->errors ? "it has errors" : strerror(-error);
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
		order = !!a->stands_for - !!b->stands_for;
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
	for (size_t i = 0; i < diag->count; i++) {
		const struct mrd_finding *finding = &diag->findings[i];
		struct tally *tally = finding->stands_for ? tally_get(diag, finding->file) : NULL;

		if (tally)
			tally->more_at[finding->severity] = i;
	}
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
