/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Kubernetes' own grammar: requirements joined by commas, all of which must hold. "!=" and "notin"
 * also hold for objects without the key; "<" and ">" compare whole numbers.
 */
#include "model/selector.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/label.h"

enum { DECIMAL = 10 };

enum operator{ OP_EXISTS, OP_MISSING, OP_IN, OP_NOT_IN, OP_LESS, OP_GREATER };

struct requirement {
	char *key;
	enum operator op;
	char **values;
	size_t value_count;
	long long number; /* of OP_LESS, OP_GREATER */
};

struct mrd_selector {
	struct requirement *requirements;
	size_t count;
};

void mrd_selector_free(struct mrd_selector *selector)
{
	if (!selector)
		return;
	for (size_t i = 0; i < selector->count; i++) {
		struct requirement *requirement = &selector->requirements[i];

		for (size_t j = 0; j < requirement->value_count; j++)
			free(requirement->values[j]);
		free(requirement->values);
		free(requirement->key);
	}
	free(selector->requirements);
	free(selector);
}

static void cleanup_selector(struct mrd_selector **selector)
{
	mrd_selector_free(*selector);
}

static void skip_space(const char **at)
{
	*at += strspn(*at, " \t\r\n");
}

/* The run of characters up to a space or a sign of the grammar. */
static size_t word_len(const char *at)
{
	return strcspn(at, "=!(),<> \t\r\n");
}

static int add_value(struct requirement *requirement, const char *text, size_t len)
{
	char **grown;

	if (!mrd_label_is_value(text, len))
		return -EINVAL;
	grown = reallocarray(requirement->values, requirement->value_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	requirement->values = grown;
	grown[requirement->value_count] = strndup(text, len);
	if (!grown[requirement->value_count])
		return -ENOMEM;
	requirement->value_count++;
	return 0;
}

/* "(a, b)" */
static int parse_set(const char **at, struct requirement *requirement)
{
	skip_space(at);
	if (**at != '(')
		return -EINVAL;
	do {
		size_t len;
		int ret;

		(*at)++;
		skip_space(at);
		len = word_len(*at);
		ret = add_value(requirement, *at, len);
		if (ret < 0)
			return ret;
		*at += len;
		skip_space(at);
	} while (**at == ',');
	if (**at != ')')
		return -EINVAL;
	(*at)++;
	return 0;
}

static int parse_number(const char *text, size_t len, struct requirement *requirement)
{
	char *end;

	if (!len || (!isdigit((unsigned char)text[0]) && text[0] != '-'))
		return -EINVAL;
	errno = 0;
	requirement->number = strtoll(text, &end, DECIMAL);
	return errno || end != text + len ? -EINVAL : 0;
}

/* "= a", "== a", "!= a", "< 1", "> 1" */
static int parse_comparison(const char **at, struct requirement *requirement)
{
	static const struct {
		const char *sign;
		enum operator op;
	} comparisons[] = {
		{"==", OP_IN}, {"=", OP_IN}, {"!=", OP_NOT_IN}, {"<", OP_LESS}, {">", OP_GREATER},
	};

	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
		const size_t sign_len = strlen(comparisons[i].sign);
		size_t len;
		int ret;

		if (strncmp(*at, comparisons[i].sign, sign_len) != 0)
			continue;
		*at += sign_len;
		skip_space(at);
		len = word_len(*at);
		requirement->op = comparisons[i].op;
		if (requirement->op == OP_LESS || requirement->op == OP_GREATER)
			ret = parse_number(*at, len, requirement);
		else
			ret = add_value(requirement, *at, len);
		*at += len;
		return ret;
	}
	return -EINVAL;
}

static int parse_requirement(const char **at, struct requirement *requirement)
{
	bool negated;
	size_t len;

	skip_space(at);
	negated = **at == '!';
	*at += negated;
	skip_space(at);
	len = word_len(*at);
	if (!mrd_label_is_key(*at, len))
		return -EINVAL;
	requirement->key = strndup(*at, len);
	if (!requirement->key)
		return -ENOMEM;
	*at += len;
	skip_space(at);
	requirement->op = negated ? OP_MISSING : OP_EXISTS;
	if (**at == '\0' || **at == ',')
		return 0;
	if (negated)
		return -EINVAL;

	len = word_len(*at);
	if (!len)
		return parse_comparison(at, requirement);
	if (len == strlen("in") && !strncmp(*at, "in", len))
		requirement->op = OP_IN;
	else if (len == strlen("notin") && !strncmp(*at, "notin", len))
		requirement->op = OP_NOT_IN;
	else
		return -EINVAL;
	*at += len;
	return parse_set(at, requirement);
}

int mrd_selector_parse(const char *text, struct mrd_selector **ret_selector)
{
	MRD_CLEANUP(cleanup_selector)
	struct mrd_selector *selector = calloc(1, sizeof(*selector));
	const char *at = text;

	if (!selector)
		return -ENOMEM;
	skip_space(&at);
	while (*at) {
		struct requirement *grown =
			reallocarray(selector->requirements, selector->count + 1, sizeof(*grown));
		int ret;

		if (!grown)
			return -ENOMEM;
		selector->requirements = grown;
		grown[selector->count] = (struct requirement){0};
		ret = parse_requirement(&at, &grown[selector->count++]);
		if (ret < 0)
			return ret;
		skip_space(&at);
		if (!*at)
			break;
		if (*at != ',')
			return -EINVAL;
		at++;
		skip_space(&at);
		if (!*at) /* a comma promises one more */
			return -EINVAL;
	}
	*ret_selector = MRD_STEAL_PTR(selector);
	return 0;
}

static bool is_among(const struct requirement *requirement, const char *value)
{
	for (size_t i = 0; i < requirement->value_count; i++)
		if (!strcmp(requirement->values[i], value))
			return true;
	return false;
}

static bool compares(const struct requirement *requirement, const char *value)
{
	struct requirement actual = {0};

	if (parse_number(value, strlen(value), &actual) < 0)
		return false;
	return requirement->op == OP_LESS ? actual.number < requirement->number
					  : actual.number > requirement->number;
}

static bool requirement_holds(const struct requirement *requirement,
			      const struct mrd_labels *labels)
{
	const char *value = NULL;

	for (size_t i = 0; i < labels->count && !value; i++)
		if (!strcmp(labels->items[i].key, requirement->key))
			value = labels->items[i].value;
	switch (requirement->op) {
	case OP_EXISTS:
		return value;
	case OP_MISSING:
		return !value;
	case OP_IN:
		return value && is_among(requirement, value);
	case OP_NOT_IN:
		return !value || !is_among(requirement, value);
	case OP_LESS:
	case OP_GREATER:
		return value && compares(requirement, value);
	}
	return false;
}

bool mrd_selector_matches(const struct mrd_selector *selector, const struct mrd_labels *labels)
{
	for (size_t i = 0; i < selector->count; i++)
		if (!requirement_holds(&selector->requirements[i], labels))
			return false;
	return true;
}
