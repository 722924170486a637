/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Lines of Prometheus' text format: families, samples, labels. Names are the caller's to get right.
 */
#ifndef MRD_VIEW_EXPOSITION_H
#define MRD_VIEW_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/strbuf.h"

enum mrd_metric_type { MRD_COUNTER, MRD_GAUGE, MRD_SUMMARY, MRD_HISTOGRAM };

/* The head of a family, before its samples. */
void mrd_metric_family(struct mrd_strbuf *out, const char *name, enum mrd_metric_type type,
		       const char *help);

/* A sample is its name, labels from key and value, and a number:
 * mrd_metric_begin(), any mrd_metric_label(), one mrd_metric_…end(). suffix: "", "_sum", "_count",
 * "_bucket".
 */
void mrd_metric_begin(struct mrd_strbuf *out, const char *name, const char *suffix);
/* The value ends at a zero or at size. Bytes that are no UTF-8 become "?". */
void mrd_metric_label(struct mrd_strbuf *out, const char *key, const char *value, size_t size);
void mrd_metric_end(struct mrd_strbuf *out, uint64_t value);
void mrd_metric_end_signed(struct mrd_strbuf *out, int64_t value);
/* Thousandths (ms → s) and millionths (µs → s), without the errors of floating point. */
void mrd_metric_end_milli(struct mrd_strbuf *out, uint64_t value);
void mrd_metric_end_micro(struct mrd_strbuf *out, uint64_t value);

/* Times, counted by size: counts[i] up to and with bounds_us[i], one more for what is beyond. */
struct mrd_metric_times {
	const uint32_t *bounds_us;
	size_t bounds;
	const uint64_t *counts;
	uint64_t sum_us;
};

/* The samples of a histogram, in seconds. labels: what mrd_metric_label() wrote to a buffer of its
 * own; nothing: they have none. */
void mrd_metric_times(struct mrd_strbuf *out, const char *name, const struct mrd_strbuf *labels,
		      const struct mrd_metric_times *times);
/* The same of what the agent timed. key, value: the label; NULL: none. */
void mrd_metric_histogram(struct mrd_strbuf *out, const char *name, const char *key,
			  const char *value, const struct mrd_histogram *histogram);

/* Family and its only sample, without labels. */
void mrd_metric_single(struct mrd_strbuf *out, const char *name, enum mrd_metric_type type,
		       const char *help, uint64_t value);

#endif
