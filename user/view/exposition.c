/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { US_PER_S = 1000000, BOUND_TEXT_MAX = 24 };

void mrd_metric_family(struct mrd_strbuf *out, const char *name, enum mrd_metric_type type,
		       const char *help)
{
	static const char *const types[] = {
		[MRD_COUNTER] = "counter",
		[MRD_GAUGE] = "gauge",
		[MRD_SUMMARY] = "summary",
		[MRD_HISTOGRAM] = "histogram",
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
	mrd_strbuf_addf(out, "%" PRIu64 ".%06" PRIu64 "\n", value / US_PER_S, value % US_PER_S);
}

static void begin_part(struct mrd_strbuf *out, const char *name, const char *suffix,
		       const struct mrd_strbuf *labels)
{
	mrd_metric_begin(out, name, suffix);
	mrd_strbuf_add(out, labels->text, labels->len);
}

/* In seconds, as a decimal fraction without zeros at its end. */
static void bound_text(uint32_t us, char text[BOUND_TEXT_MAX])
{
	size_t len = (size_t)snprintf(text, BOUND_TEXT_MAX, "%" PRIu32 ".%06" PRIu32, us / US_PER_S,
				      us % US_PER_S);

	while (text[len - 1] == '0')
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[len - 1] = '\0';
}

void mrd_metric_times(struct mrd_strbuf *out, const char *name, const struct mrd_strbuf *labels,
		      const struct mrd_metric_times *times)
{
	uint64_t count = 0;

	out->failed |= labels->failed;
	for (size_t i = 0; i <= times->bounds; i++) {
		char bound[BOUND_TEXT_MAX] = "+Inf";

		if (i < times->bounds)
			bound_text(times->bounds_us[i], bound);
		count += times->counts[i];
		begin_part(out, name, "_bucket", labels);
		mrd_metric_label(out, "le", bound, SIZE_MAX);
		mrd_metric_end(out, count);
	}
	begin_part(out, name, "_sum", labels);
	mrd_metric_end_micro(out, times->sum_us);
	begin_part(out, name, "_count", labels);
	mrd_metric_end(out, count);
}

void mrd_metric_histogram(struct mrd_strbuf *out, const char *name, const char *key,
			  const char *value, const struct mrd_histogram *histogram)
{
	const struct mrd_metric_times times = {
		.bounds_us = mrd_histogram_bounds_us,
		.bounds = MRD_HISTOGRAM_BOUNDS,
		.counts = histogram->counts,
		.sum_us = histogram->sum_us,
	};
	MRD_AUTO_STRBUF struct mrd_strbuf labels = {0};

	if (key)
		mrd_metric_label(&labels, key, value, SIZE_MAX);
	mrd_metric_times(out, name, &labels, &times);
}

void mrd_metric_single(struct mrd_strbuf *out, const char *name, enum mrd_metric_type type,
		       const char *help, uint64_t value)
{
	mrd_metric_family(out, name, type, help);
	mrd_metric_begin(out, name, "");
	mrd_metric_end(out, value);
}
