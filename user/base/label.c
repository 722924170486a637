/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/label.h"

#include <string.h>

enum { WORD_LEN_MAX = 63, PREFIX_LEN_MAX = 253 };

/* Not isalnum(): what is a letter must not depend on a locale. */
static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* With letters or digits at both ends, and signs inside. */
static bool is_word(const char *text, size_t len, const char *signs)
{
	for (size_t i = 0; i < len; i++) {
		const bool at_end = i == 0 || i == len - 1;

		if (!is_alphanumeric(text[i]) && (at_end || !text[i] || !strchr(signs, text[i])))
			return false;
	}
	return true;
}

static bool has_capital(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			return true;
	return false;
}

bool mrd_label_is_dns(const char *text, size_t len)
{
	return len && len <= WORD_LEN_MAX && is_word(text, len, "-") && !has_capital(text, len);
}

bool mrd_label_is_value(const char *text, size_t len)
{
	return len <= WORD_LEN_MAX && is_word(text, len, "-_.");
}

static bool is_prefix(const char *text, size_t len)
{
	const char *end = text + len;

	if (len > PREFIX_LEN_MAX)
		return false;
	while (text < end) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		const size_t part = (size_t)((dot ? dot : end) - text);

		if (!part || !is_word(text, part, "-") || (dot && dot + 1 == end))
			return false;
		text += part + 1;
	}
	return len > 0;
}

bool mrd_label_is_dns_name(const char *text, size_t len)
{
	return is_prefix(text, len) && !has_capital(text, len);
}

bool mrd_label_is_key(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	const size_t before = slash ? (size_t)(slash - text) + 1 : 0;

	if (slash && !is_prefix(text, before - 1))
		return false;
	return len > before && mrd_label_is_value(text + before, len - before);
}

bool mrd_label_is_of_place(const char *key)
{
	static const char *const keys[] = {
		MRD_LABEL_REGION,  MRD_LABEL_ZONE,    MRD_LABEL_SUBZONE,
		MRD_LABEL_NETWORK, MRD_LABEL_CLUSTER, MRD_LABEL_HOSTNAME,
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}
