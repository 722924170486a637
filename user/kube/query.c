/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/query.h"

#include <string.h>

static void add_escaped(struct mrd_strbuf *query, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	while (*value) {
		const size_t len = strspn(value, plain);

		mrd_strbuf_add(query, value, len);
		value += len;
		if (*value)
			mrd_strbuf_addf(query, "%%%02X", (unsigned char)*value++);
	}
}

void mrd_query_add(struct mrd_strbuf *query, const char *key, const char *value)
{
	const char *sign = query->text && strchr(query->text, '?') ? "&" : "?";

	mrd_strbuf_addf(query, "%s%s=", sign, key);
	add_escaped(query, value);
}

struct mrd_query_names mrd_query_names(const char *path)
{
	static const char groups[] = "/apis/";
	struct mrd_query_names names = {.group = "", .resource = path};
	const char *slash = strrchr(path, '/');

	if (slash)
		names.resource = slash + 1;
	if (!strncmp(path, groups, strlen(groups))) {
		names.group = path + strlen(groups);
		names.group_len = strcspn(names.group, "/");
	}
	return names;
}
