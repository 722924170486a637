/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/instant.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum {
	DECIMAL = 10,
	TM_YEAR_0 = 1900,
	HOUR_MAX = 23,
	SIXTY_MAX = 59,
	S_PER_MIN = 60,
	US_PER_S = 1000000,
};

/* Reads "dd:dd" and the like: where the form has a "d" stands a digit, and its other characters
 * stand for themselves. Numbers go to values, one after the other. */
static bool read_form(const char **at, const char *form, int *values)
{
	bool in_number = false;

	for (; *form; form++, ++*at) {
		if (*form != 'd') {
			if (**at != *form)
				return false;
			values += in_number;
			in_number = false;
			continue;
		}
		if (**at < '0' || **at > '9')
			return false;
		*values = (in_number ? *values * DECIMAL : 0) + (**at - '0');
		in_number = true;
	}
	return true;
}

/* ".25", if there is one. */
static bool read_fraction(const char **at, int64_t *ret_us)
{
	int64_t digit_us = US_PER_S;

	*ret_us = 0;
	if (**at != '.')
		return true;
	if ((*at)[1] < '0' || (*at)[1] > '9')
		return false;
	for (++*at; **at >= '0' && **at <= '9'; ++*at) {
		digit_us /= DECIMAL;
		*ret_us += (**at - '0') * digit_us;
	}
	return true;
}

static bool read_offset(const char *at, int64_t *ret_s)
{
	const bool is_west = *at == '-';
	int values[2] = {0};

	*ret_s = 0;
	if (!strcmp(at, "Z"))
		return true;
	if (*at != '+' && !is_west)
		return false;
	at++;
	if (!read_form(&at, "dd:dd", values) || *at || values[0] > HOUR_MAX ||
	    values[1] > SIXTY_MAX)
		return false;
	*ret_s = (int64_t)(values[0] * S_PER_MIN + values[1]) * S_PER_MIN;
	if (is_west)
		*ret_s = -*ret_s;
	return true;
}

int mrd_instant_parse(const char *text, int64_t *ret_us)
{
	enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, COUNT };
	int values[COUNT] = {0};
	struct tm tm;
	int64_t fraction_us;
	int64_t offset_s;
	int64_t s;

	if (!read_form(&text, "dddd-dd-ddTdd:dd:dd", values) ||
	    !read_fraction(&text, &fraction_us) || !read_offset(text, &offset_s) ||
	    values[HOUR] > HOUR_MAX || values[MINUTE] > SIXTY_MAX || values[SECOND] > SIXTY_MAX)
		return -EINVAL;
	tm = (struct tm){
		.tm_year = values[YEAR] - TM_YEAR_0,
		.tm_mon = values[MONTH] - 1,
		.tm_mday = values[DAY],
		.tm_hour = values[HOUR],
		.tm_min = values[MINUTE],
		.tm_sec = values[SECOND],
	};
	s = timegm(&tm);
	/* A day that its month does not have becomes one of another. */
	if (tm.tm_mday != values[DAY] || tm.tm_mon != values[MONTH] - 1)
		return -EINVAL;
	*ret_us = (s - offset_s) * US_PER_S + fraction_us;
	return 0;
}

int mrd_instant_compare_age(int64_t a_us, int64_t b_us)
{
	if ((a_us == MRD_INSTANT_NONE) != (b_us == MRD_INSTANT_NONE))
		return a_us == MRD_INSTANT_NONE ? 1 : -1;
	return (a_us > b_us) - (a_us < b_us);
}
