/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A strict reader of Prometheus' text format 0.0.4, and of the naming rules that
 * `promtool check metrics` holds names to: what it lets pass, every scraper reads.
 */
#ifndef MRD_TESTS_CHECK_EXPOSITION_H
#define MRD_TESTS_CHECK_EXPOSITION_H

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK_SERIES_MAX = 4096, CHECK_FAMILIES_MAX = 256 };

struct check {
	char family[128]; /* that the lines belong to; "" before the first */
	char type[16];	  /* "" between HELP and TYPE */
	char *series[CHECK_SERIES_MAX];
	size_t series_count;
	char *families[CHECK_FAMILIES_MAX];
	size_t family_count;
	double bound; /* of the last line, if that was a bucket; else below all */
	double below; /* how many were in it */
};

static inline bool check_ends(const char *text, const char *end)
{
	const size_t text_len = strlen(text), end_len = strlen(end);

	return text_len >= end_len && !strcmp(text + text_len - end_len, end);
}

/* Small letters, digits and "_": metric and label names of ours use nothing else. */
static inline size_t check_name(const char *text)
{
	size_t len = 0;

	if (*text < 'a' || *text > 'z')
		return 0;
	while ((text[len] >= 'a' && text[len] <= 'z') || isdigit((unsigned char)text[len]) ||
	       text[len] == '_')
		len++;
	return len;
}

static inline const char *check_family(struct check *check, const char *name)
{
	static const char *const no_base_units[] = {
		"_ms",	 "_us",	 "_ns",	 "_milliseconds", "_microseconds",
		"_mins", "_kib", "_mib", "_percent",	  "_minutes",
	};

	if (strncmp(name, "meridian_", 9) != 0)
		return "a name without our prefix";
	if (name[check_name(name)])
		return "a name with a letter that is none";
	for (size_t i = 0; i < check->family_count; i++)
		if (!strcmp(check->families[i], name))
			return "a family that was there before";
	for (size_t i = 0; i < sizeof(no_base_units) / sizeof(*no_base_units); i++)
		if (check_ends(name, no_base_units[i]))
			return "a unit that is no base unit";
	if (check->family_count == CHECK_FAMILIES_MAX)
		return "too many families for this check";
	check->families[check->family_count++] = strdup(name);
	snprintf(check->family, sizeof(check->family), "%s", name);
	*check->type = '\0';
	return NULL;
}

static inline const char *check_type(struct check *check, const char *name, const char *type)
{
	const bool total = check_ends(name, "_total");

	if (strcmp(name, check->family) != 0 || *check->type)
		return "a TYPE without its HELP before";
	snprintf(check->type, sizeof(check->type), "%s", type);
	if (!strcmp(type, "counter"))
		return total ? NULL : "a counter without _total";
	if (strcmp(type, "gauge") != 0 && strcmp(type, "summary") != 0 &&
	    strcmp(type, "histogram") != 0)
		return "an unknown type";
	if (total || check_ends(name, "_count") || check_ends(name, "_sum") ||
	    check_ends(name, "_bucket"))
		return "a suffix of another type";
	return NULL;
}

/* "key="value"" from text on; *ret_end behind it. */
static inline const char *check_label(const char *text, const char **ret_end)
{
	const size_t len = check_name(text);

	if (!len || text[len] != '=' || text[len + 1] != '"')
		return "a label that is none";
	for (text += len + 2; *text != '"'; text++) {
		if (*text == '\\' && (text[1] == '\\' || text[1] == '"' || text[1] == 'n'))
			text++;
		else if (*text == '\\' || !*text)
			return "a label's value that does not end";
	}
	*ret_end = text + 1;
	return NULL;
}

/* The labels in braces, if any; keys may not come twice. */
static inline const char *check_labels(const char *text, const char **ret_end)
{
	const char *keys[32];
	size_t count = 0;

	*ret_end = text;
	if (*text != '{')
		return NULL;
	do {
		const char *error;

		keys[count] = ++text;
		for (size_t i = 0; i < count; i++)
			if (!strncmp(keys[i], text, check_name(text) + 1))
				return "a label twice";
		count++;
		error = check_label(text, &text);
		if (error)
			return error;
	} while (*text == ',' && count < 32);
	if (*text != '}')
		return "labels that do not end";
	*ret_end = text + 1;
	return NULL;
}

static inline const char *check_suffix(const struct check *check, const char *line, size_t len)
{
	const size_t family_len = strlen(check->family);
	const bool labelled = !strncmp(line + len, "{quantile=\"", 11);
	const bool is_histogram = !strcmp(check->type, "histogram");

	if (!*check->type || len < family_len || strncmp(line, check->family, family_len) != 0)
		return "a sample outside of its family";
	if (strcmp(check->type, "summary") != 0 && !is_histogram)
		return len == family_len ? NULL : "a sample outside of its family";
	if (is_histogram && len == family_len + 7 && !strncmp(line + family_len, "_bucket", 7))
		return NULL;
	if (len == family_len)
		return labelled && !is_histogram ? NULL : "a quantile without its label";
	if ((len == family_len + 4 && !strncmp(line + family_len, "_sum", 4)) ||
	    (len == family_len + 6 && !strncmp(line + family_len, "_count", 6)))
		return NULL;
	return "a sample outside of its family";
}

/* Buckets come by their bounds, each with all that is below it; the last is all, as _count says. */
static inline const char *check_bucket(struct check *check, const char *line, size_t len,
				       double value)
{
	const bool is_count = len > 6 && !strncmp(line + len - 6, "_count", 6);
	const bool is_bucket = len > 7 && !strncmp(line + len - 7, "_bucket", 7);
	const char *bound = strstr(line, "le=\"");
	double below;

	if (strcmp(check->type, "histogram") != 0)
		return NULL;
	if (!is_bucket) {
		if (is_count && value != check->below)
			return "a count that is not all";
		if (check->bound < HUGE_VAL)
			return "buckets that do not end";
		if (is_count)
			check->bound = -1;
		return NULL;
	}
	if (!bound)
		return "a bucket without its bound";
	below = !strncmp(bound + 4, "+Inf\"", 5) ? HUGE_VAL : strtod(bound + 4, NULL);
	if (below <= check->bound || (check->bound >= 0 && value < check->below))
		return "buckets that do not grow";
	check->bound = below;
	check->below = value;
	return NULL;
}

static inline const char *check_sample(struct check *check, const char *line)
{
	const size_t len = check_name(line);
	const char *error = check_suffix(check, line, len);
	const char *end;
	char *number_end;
	double value;
	char *series;

	if (!error)
		error = check_labels(line + len, &end);
	if (error)
		return error;
	if (*end != ' ' || (!isdigit((unsigned char)end[1]) && end[1] != '-'))
		return "a sample without a number";
	value = strtod(end + 1, &number_end);
	if (value < 0 && !strcmp(check->type, "counter"))
		return "a counter below zero";
	if (*number_end)
		return "a number that does not end";
	error = check_bucket(check, line, len, value);
	if (error)
		return error;
	series = strndup(line, (size_t)(end - line));
	for (size_t i = 0; i < check->series_count; i++)
		if (!strcmp(check->series[i], series)) {
			free(series);
			return "a series twice";
		}
	if (check->series_count == CHECK_SERIES_MAX) {
		free(series);
		return "too many series for this check";
	}
	check->series[check->series_count++] = series;
	return NULL;
}

static inline const char *check_line(struct check *check, char *line)
{
	char *rest;

	if (strncmp(line, "# HELP ", 7) != 0 && strncmp(line, "# TYPE ", 7) != 0)
		return check_sample(check, line);
	rest = strchr(line + 7, ' ');
	if (!rest || !rest[1])
		return "a comment without its text";
	*rest++ = '\0';
	return line[2] == 'H' ? check_family(check, line + 7) : check_type(check, line + 7, rest);
}

/* NULL if all is well; else what is wrong with *ret_line (its number, from 1). */
static inline const char *check_exposition(const char *text, size_t *ret_line)
{
	struct check *check = calloc(1, sizeof(*check));
	char *copy = strdup(text), *next = copy;
	const char *error = NULL;

	*ret_line = 0;
	check->bound = -1;
	if (*text && !check_ends(text, "\n"))
		error = "no line feed at the end";
	while (!error && *next) {
		char *line = strsep(&next, "\n");

		++*ret_line;
		error = check_line(check, line);
	}
	for (size_t i = 0; i < check->series_count; i++)
		free(check->series[i]);
	for (size_t i = 0; i < check->family_count; i++)
		free(check->families[i]);
	free(check);
	free(copy);
	return error;
}

#endif
