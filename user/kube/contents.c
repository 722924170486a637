/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/contents.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

void mrd_contents_free(struct mrd_contents *contents)
{
	mrd_secret_free(&contents->token);
	mrd_secret_free(&contents->certificate);
	mrd_secret_free(&contents->key);
	mrd_secret_free(&contents->ca);
	mrd_kube_access_free(contents->access);
	contents->access = NULL;
}

static int refuse(struct mrd_strbuf *error, const char *path, const char *reason, int ret)
{
	mrd_strbuf_addf(error, "%s: %s", path, reason);
	return ret;
}

static int read_file(const char *path, struct mrd_strbuf *error, struct mrd_secret *secret)
{
	const int ret = mrd_secret_read(path, secret);

	return ret < 0 ? refuse(error, path, strerror(-ret), ret) : 0;
}

static int read_token(const struct mrd_kube_access *access, struct mrd_strbuf *error,
		      struct mrd_secret *token)
{
	const bool is_file = access->token_file[0];
	int ret = is_file ? read_file(access->token_file, error, token)
			  : mrd_secret_copy(access->token, strlen(access->token), token);

	if (ret < 0)
		return ret;
	while (token->len && isspace((unsigned char)token->data[token->len - 1]))
		token->data[--token->len] = '\0';
	/* A line feed would end the header that it stands in. */
	if (strcspn(token->data, "\r\n") != token->len || (is_file && !token->len))
		return refuse(error, is_file ? access->token_file : access->file,
			      "its token must be one line", -EBADMSG);
	return 0;
}

static int read_pem(const struct mrd_kube_pem *pem, struct mrd_strbuf *error,
		    struct mrd_secret *secret)
{
	int ret;

	if (!pem->path)
		return pem->data ? mrd_secret_copy(pem->data, pem->len, secret) : 0;
	ret = read_file(pem->path, error, secret);
	if (ret < 0)
		return ret;
	if (!strstr(secret->data, "-----BEGIN "))
		return refuse(error, pem->path, "has no PEM block", -EBADMSG);
	return 0;
}

int mrd_contents_read(struct mrd_kube_access *access, struct mrd_strbuf *error,
		      struct mrd_contents *ret_contents)
{
	struct mrd_contents contents = {.access = access};
	int ret = read_token(access, error, &contents.token);

	ret = ret ?: read_pem(&access->ca, error, &contents.ca);
	ret = ret ?: read_pem(&access->certificate, error, &contents.certificate);
	ret = ret ?: read_pem(&access->key, error, &contents.key);
	if (ret < 0) {
		mrd_contents_free(&contents);
		return ret;
	}
	*ret_contents = contents;
	return 0;
}

/* ------------------------------------------------------------------------ equal */

static bool same_secret(const struct mrd_secret *a, const struct mrd_secret *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static bool same_env(const struct mrd_kube_exec *a, const struct mrd_kube_exec *b)
{
	if (a->env_count != b->env_count)
		return false;
	for (size_t i = 0; i < a->env_count; i++)
		if (strcmp(a->env[i].name, b->env[i].name) != 0 ||
		    strcmp(a->env[i].value, b->env[i].value) != 0)
			return false;
	return true;
}

static bool same_exec(const struct mrd_kube_exec *a, const struct mrd_kube_exec *b)
{
	size_t i = 0;

	if (!a || !b)
		return a == b;
	if (strcmp(a->api_version, b->api_version) != 0 || strcmp(a->command, b->command) != 0 ||
	    strcmp(a->install_hint, b->install_hint) != 0 ||
	    a->provide_cluster_info != b->provide_cluster_info)
		return false;
	while (a->args[i] && b->args[i] && !strcmp(a->args[i], b->args[i]))
		i++;
	return !a->args[i] && !b->args[i] && same_env(a, b);
}

static bool same_access(const struct mrd_kube_access *a, const struct mrd_kube_access *b)
{
	return !strcmp(a->server, b->server) && !strcmp(a->tls_server_name, b->tls_server_name) &&
	       !strcmp(a->proxy_url, b->proxy_url) && a->insecure == b->insecure &&
	       !strcmp(a->username, b->username) && !strcmp(a->password, b->password) &&
	       same_exec(a->exec, b->exec);
}

bool mrd_contents_equal(const struct mrd_contents *a, const struct mrd_contents *b)
{
	if (!a->access || !b->access)
		return a->access == b->access;
	return same_access(a->access, b->access) && same_secret(&a->token, &b->token) &&
	       same_secret(&a->certificate, &b->certificate) && same_secret(&a->key, &b->key) &&
	       same_secret(&a->ca, &b->ca);
}
