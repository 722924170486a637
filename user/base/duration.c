/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Go's rules, its arithmetic included: a fraction is scaled as a double and cut to whole
 * nanoseconds, so that "0.3333333333333333333h" is 20 minutes here as well.
 */
#include "base/duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
	MS_PER_MIN = 60 * MRD_MS_PER_S,
	MS_PER_HOUR = 60 * MS_PER_MIN,
};

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{.name = "ns", .ns = 1},
	{.name = "us", .ns = 1000},
	{.name = "\xc2\xb5s", .ns = 1000}, /* U+00B5, micro sign */
	{.name = "\xce\xbcs", .ns = 1000}, /* U+03BC, Greek letter mu */
	{.name = "ms", .ns = MRD_NS_PER_MS},
	{.name = "s", .ns = (uint64_t)MRD_NS_PER_MS * MRD_MS_PER_S},
	{.name = "m", .ns = (uint64_t)MRD_NS_PER_MS * MS_PER_MIN},
	{.name = "h", .ns = (uint64_t)MRD_NS_PER_MS * MS_PER_HOUR},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int parse_unit(const char **at, uint64_t *ret_ns)
{
	/* A unit's name reaches to the next number, as in Go: "1sx" is an unknown unit. */
	const size_t len = strcspn(*at, ".0123456789");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == len && !memcmp(*at, units[i].name, len)) {
			*at += len;
			*ret_ns = units[i].ns;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_whole(const char **at, uint64_t *ret_whole)
{
	uint64_t whole = 0;

	for (; is_digit(**at); ++*at) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(**at - '0'), &whole) ||
		    whole > INT64_MAX)
			return -ERANGE;
	}
	*ret_whole = whole;
	return 0;
}

/* Digits beyond what 63 bits hold are read and dropped. */
static void parse_fraction(const char **at, uint64_t *ret_fraction, double *ret_scale)
{
	bool full = false;

	*ret_fraction = 0;
	*ret_scale = 1;
	for (; is_digit(**at); ++*at) {
		uint64_t next;

		if (full || __builtin_mul_overflow(*ret_fraction, 10, &next) ||
		    __builtin_add_overflow(next, (uint64_t)(**at - '0'), &next) ||
		    next > INT64_MAX) {
			full = true;
			continue;
		}
		*ret_fraction = next;
		*ret_scale *= 10;
	}
}

/* One number with its unit, added to *total_ns. */
static int parse_term(const char **at, uint64_t *total_ns)
{
	const char *start = *at;
	uint64_t whole, fraction = 0, unit_ns, ns;
	double scale = 1;
	bool dot = false;
	int ret;

	ret = parse_whole(at, &whole);
	if (ret < 0)
		return ret;
	if (**at == '.') {
		dot = true;
		++*at;
		parse_fraction(at, &fraction, &scale);
	}
	if (*at - start == (dot ? 1 : 0))
		return -EINVAL; /* no digit on either side */
	ret = parse_unit(at, &unit_ns);
	if (ret < 0)
		return ret;
	if (__builtin_mul_overflow(whole, unit_ns, &ns))
		return -ERANGE;
	if (fraction)
		ns += (uint64_t)((double)fraction * ((double)unit_ns / scale));
	if (__builtin_add_overflow(*total_ns, ns, total_ns) || *total_ns > INT64_MAX)
		return -ERANGE;
	return 0;
}

int mrd_duration_parse(const char *text, uint64_t *ret_ms)
{
	const bool negative = *text == '-';
	uint64_t total_ns = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (!strcmp(text, "0")) {
		*ret_ms = 0;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	while (*text) {
		const int ret = parse_term(&text, &total_ns);

		if (ret < 0)
			return ret;
	}
	if (negative && total_ns)
		return -ERANGE;
	if (total_ns % MRD_NS_PER_MS)
		return -EDOM;
	*ret_ms = total_ns / MRD_NS_PER_MS;
	return 0;
}

const char *mrd_duration_format(uint64_t ms, char buf[MRD_DURATION_TEXT_MAX])
{
	const uint64_t hours = ms / MS_PER_HOUR;
	const unsigned int minutes = (unsigned int)(ms % MS_PER_HOUR / MS_PER_MIN);
	const unsigned int seconds = (unsigned int)(ms % MS_PER_MIN / MRD_MS_PER_S);
	unsigned int rest = (unsigned int)(ms % MRD_MS_PER_S);
	int digits = 3;
	int len = 0;

	if (ms && ms < MRD_MS_PER_S) {
		snprintf(buf, MRD_DURATION_TEXT_MAX, "%ums", rest);
		return buf;
	}
	if (hours)
		len += snprintf(buf, MRD_DURATION_TEXT_MAX, "%lluh", (unsigned long long)hours);
	if (hours || minutes)
		len += snprintf(buf + len, (size_t)(MRD_DURATION_TEXT_MAX - len), "%um", minutes);
	if (!rest) {
		snprintf(buf + len, (size_t)(MRD_DURATION_TEXT_MAX - len), "%us", seconds);
		return buf;
	}
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	snprintf(buf + len, (size_t)(MRD_DURATION_TEXT_MAX - len), "%u.%0*us", seconds, digits,
		 rest);
	return buf;
}
