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

void mrd_query_add_api_version(struct mrd_strbuf *text, const struct mrd_query_kind *kind)
{
	mrd_strbuf_addf(text, "%s%s%.*s", kind->group, *kind->group ? "/" : "",
			(int)kind->version_len, kind->version);
}

void mrd_query_add_path(struct mrd_strbuf *query, const struct mrd_query_kind *kind,
			const char *namespace_)
{
	mrd_strbuf_addf(query, *kind->group ? "/apis/" : "/api/");
	mrd_query_add_api_version(query, kind);
	if (*namespace_) {
		mrd_strbuf_addf(query, "/namespaces/");
		add_escaped(query, namespace_);
	}
	mrd_strbuf_addf(query, "/%s", kind->resource);
}
