/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Durations as Go writes them ("1h30m", "500ms", "1.5s"): time.ParseDuration's grammar. */
#ifndef MRD_BASE_DURATION_H
#define MRD_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a whole string as a duration. -EINVAL: not a duration. -ERANGE: negative, or more than
 * INT64_MAX nanoseconds (as in Go). -EDOM: not a whole number of milliseconds.
 * *ret_ms is untouched on failure. "0" and "0s" are 0.
 */
int mrd_duration_parse(const char *text, uint64_t *ret_ms);

enum { MRD_DURATION_TEXT_MAX = 32 };

/* Writes ms as Go prints it ("1m0s", "1h30m0s", "500ms", "0s"). Returns buf. */
const char *mrd_duration_format(uint64_t ms, char buf[MRD_DURATION_TEXT_MAX]);

#endif
