/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/exposition.h"

#include <inttypes.h>
#include <string.h>

void mrd_metric_family(struct mrd_strbuf *out, const char *name, enum mrd_metric_type type,
		       const char *help)
{
	static const char *const types[] = {
		[MRD_COUNTER] = "counter",
		[MRD_GAUGE] = "gauge",
		[MRD_SUMMARY] = "summary",
	};

	mrd_strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

void mrd_metric_begin(struct mrd_strbuf *out, const char *name, const char *suffix)
{
	mrd_strbuf_addf(out, "%s%s", name, suffix);
}

/* Bytes of the UTF-8 character at text; 0: it is none. */
static size_t character(const unsigned char *text, size_t left)
{
	const size_t len = text[0] < 0x80   ? 1
			   : text[0] < 0xc2 ? 0
			   : text[0] < 0xe0 ? 2
			   : text[0] < 0xf0 ? 3
			   : text[0] < 0xf5 ? 4
					    : 0;

	if (len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void add_escaped(struct mrd_strbuf *out, const char *value, size_t len)
{
	for (size_t i = 0; i < len;) {
		const size_t bytes = character((const unsigned char *)value + i, len - i);

		if (!bytes)
			mrd_strbuf_add(out, "?", 1);
		else if (value[i] == '\n')
			mrd_strbuf_add(out, "\\n", 2);
		else if (value[i] == '"' || value[i] == '\\')
			mrd_strbuf_addf(out, "\\%c", value[i]);
		else
			mrd_strbuf_add(out, value + i, bytes);
		i += bytes ? bytes : 1;
	}
}

void mrd_metric_label(struct mrd_strbuf *out, const char *key, const char *value, size_t size)
{
	const bool first = !out->len || out->text[out->len - 1] != '"';

	mrd_strbuf_addf(out, "%s%s=\"", first ? "{" : ",", key);
	add_escaped(out, value, strnlen(value, size));
	mrd_strbuf_add(out, "\"", 1);
}

/* Closes the labels, if there are any: a name never ends in a quote. */
static void close_labels(struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, "%s", out->len && out->text[out->len - 1] == '"' ? "} " : " ");
}

void mrd_metric_end(struct mrd_strbuf *out, uint64_t value)
{
	close_labels(out);
	mrd_strbuf_addf(out, "%" PRIu64 "\n", value);
}

void mrd_metric_end_signed(struct mrd_strbuf *out, int64_t value)
{
	close_labels(out);
	mrd_strbuf_addf(out, "%" PRId64 "\n", value);
}

void mrd_metric_end_milli(struct mrd_strbuf *out, uint64_t value)
{
	close_labels(out);
	mrd_strbuf_addf(out, "%" PRIu64 ".%03" PRIu64 "\n", value / 1000, value % 1000);
}

void mrd_metric_end_micro(struct mrd_strbuf *out, uint64_t value)
{
	close_labels(out);
	mrd_strbuf_addf(out, "%" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
}

void mrd_metric_single(struct mrd_strbuf *out, const char *name, enum mrd_metric_type type,
		       const char *help, uint64_t value)
{
	mrd_metric_family(out, name, type, help);
	mrd_metric_begin(out, name, "");
	mrd_metric_end(out, value);
}
