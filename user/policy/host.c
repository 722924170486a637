/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/host.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"

enum { HOST_LEN_MAX = 253, LABEL_LEN_MAX = 63 }; /* RFC 1035 */

static bool is_ip(const char *host)
{
	struct mrd_ip ip;

	return !mrd_ip_parse(host, &ip);
}

char *mrd_host_trim(const char *host)
{
	const size_t len = strlen(host);

	return strndup(host, len - (len > 1 && host[len - 1] == '.'));
}

int mrd_host_expand(const char *host, const char *namespace_, const char *domain, char **ret_host)
{
	const bool full = !*host || !strcmp(host, "*") || strchr(host, '.') || is_ip(host);
	char *text;

	if (full)
		text = mrd_host_trim(host);
	else if (asprintf(&text, "%s%s%s%s%s", host, *namespace_ ? "." : "", namespace_,
			  *domain ? ".svc." : "", domain) < 0)
		text = NULL;
	if (!text)
		return -ENOMEM;
	*ret_host = text;
	return 0;
}

static bool is_label(const char *text, size_t len)
{
	if (!len || len > LABEL_LEN_MAX || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-')
			return false;
	return true;
}

/* Istio, too: no domain above all others is a number. */
static bool is_number(const char *text, size_t len)
{
	return strspn(text, "0123456789") >= len;
}

bool mrd_host_is_valid(const char *host)
{
	const char *rest = host;
	size_t len;

	if (!*host || strlen(host) > HOST_LEN_MAX)
		return false;
	if (is_ip(host))
		return true;
	if (*rest == '*') {
		rest++;
		if (!*rest)
			return true;
		if (*rest == '-' || *rest == '.') /* "*-blue.example.org" */
			rest++;
	}
	for (;; rest += len + 1) {
		len = strcspn(rest, ".");
		if (!is_label(rest, len))
			return false;
		if (!rest[len])
			return rest == host || !is_number(rest, len);
		if (!rest[len + 1])
			return true;
	}
}

bool mrd_host_is_wildcard(const char *host)
{
	return *host == '*';
}

static bool ends_with(const char *text, const char *end)
{
	const size_t text_len = strlen(text);
	const size_t end_len = strlen(end);

	return text_len >= end_len && !strcmp(text + text_len - end_len, end);
}

bool mrd_host_matches(const char *pattern, const char *host)
{
	return mrd_host_is_wildcard(pattern) ? ends_with(host, pattern + 1)
					     : !strcmp(pattern, host);
}

int mrd_host_compare(const char *a, const char *b)
{
	const bool a_wild = mrd_host_is_wildcard(a);
	const bool b_wild = mrd_host_is_wildcard(b);
	const size_t a_len = strlen(a);
	const size_t b_len = strlen(b);

	if (a_wild != b_wild)
		return a_wild ? -1 : 1;
	return (a_len > b_len) - (a_len < b_len);
}

bool mrd_host_may_be_service(const char *host, const char *domain)
{
	char tail[HOST_LEN_MAX + sizeof(".svc.")];

	snprintf(tail, sizeof(tail), ".svc.%s", domain);
	if (!mrd_host_is_wildcard(host))
		return ends_with(host, tail);
	return ends_with(host + 1, tail) || ends_with(tail, host + 1);
}

const char *mrd_host_namespace(const char *host, const char *domain, size_t *ret_len)
{
	char tail[HOST_LEN_MAX + sizeof(".svc.")];
	const char *end;
	const char *start;

	snprintf(tail, sizeof(tail), ".svc.%s", domain);
	if (!ends_with(host, tail))
		return NULL;
	end = host + strlen(host) - strlen(tail);
	for (start = end; start > host && start[-1] != '.'; start--)
		;
	/* Without a dot before it, it is "*space": the tail of several namespaces. */
	if (start == host || start == end)
		return NULL;
	*ret_len = (size_t)(end - start);
	return start;
}
