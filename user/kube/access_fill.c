/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A kubeconfig's cluster and user. What client-go refuses is refused, in its sense. */
#include "kube/access_reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "kube/libraries.h"

static void free_url(CURLU **url)
{
	sym_curl_url_cleanup(*url);
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	const bool has = sym_curl_url_get(url, part, &text, 0) == CURLUE_OK && text[0];

	if (text)
		explicit_bzero(text, strlen(text));
	sym_curl_free(text);
	return has;
}

static bool has_scheme(CURLU *url, const char *scheme)
{
	char *text = NULL;
	const bool has = sym_curl_url_get(url, CURLUPART_SCHEME, &text, 0) == CURLUE_OK &&
			 !strcmp(text, scheme);

	sym_curl_free(text);
	return has;
}

void mrd_access_set_server(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			   const char *key, const char *server, struct mrd_kube_access *access)
{
	CURLU *url MRD_CLEANUP(free_url) = sym_curl_url();
	char *text = NULL;
	size_t len;

	if (!url) {
		reading->no_memory = true;
		return;
	}
	if (!server[0] ||
	    sym_curl_url_set(url, CURLUPART_URL, server, CURLU_DEFAULT_SCHEME) != CURLUE_OK ||
	    (!has_scheme(url, "https") && !has_scheme(url, "http"))) {
		mrd_access_error(reading, part, key, "must be a URL such as https://host:6443");
		return;
	}
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
	    has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT)) {
		mrd_access_error(reading, part, key,
				 "must be a URL without user, password, query or fragment");
		return;
	}
	if (has_scheme(url, "http"))
		mrd_access_warn(reading, part, key,
				"is not encrypted: whoever is on the way sees objects and secrets");
	if (sym_curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK) {
		reading->no_memory = true;
		return;
	}
	len = strlen(text);
	while (len && text[len - 1] == '/')
		text[--len] = '\0';
	access->server = mrd_access_copy(reading, text);
	sym_curl_free(text);
}

static void set_proxy(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		      struct mrd_kube_access *access)
{
	static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
	const char *proxy = mrd_access_text(reading, part, "proxy-url");
	CURLU *url MRD_CLEANUP(free_url) = sym_curl_url();
	bool is_good;

	reading->no_memory |= !url;
	if (!proxy[0] || !url)
		return;
	is_good = sym_curl_url_set(url, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME) ==
			  CURLUE_OK &&
		  has_part(url, CURLUPART_HOST);
	for (size_t i = 0; is_good && i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (!has_scheme(url, schemes[i]))
			continue;
		access->proxy_url = mrd_access_copy(reading, proxy);
		return;
	}
	mrd_access_error(reading, part, "proxy-url",
			 "must be a URL with http, https or socks5, such as http://host:3128");
}

/* Bytes under "key-data", or a file's name under "key". */
static void read_pem(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		     const char *key, const char *data_key, struct mrd_kube_pem *pem)
{
	const char *path = mrd_access_text(reading, part, key);
	const char *data = mrd_access_text(reading, part, data_key);
	int ret;

	if (path[0] && data[0]) {
		mrd_access_error(reading, part, data_key, "%s is given as well: keep one", key);
		return;
	}
	if (path[0])
		pem->path = mrd_access_path(reading, path);
	if (!data[0])
		return;
	ret = mrd_base64_decode(data, &pem->data, &pem->len);
	reading->no_memory |= ret == -ENOMEM;
	if (ret == -EINVAL)
		mrd_access_error(reading, part, data_key, "is not base64");
	else if (!ret && !strstr(pem->data, "-----BEGIN "))
		mrd_access_error(reading, part, data_key, "has no PEM block in its base64");
}

/* Also what could not be decoded was given. */
static bool has_text(const struct mrd_access_part *part, const char *key)
{
	const char *text = "";

	mrd_doc_string(mrd_access_get(part, key), &text);
	return text[0];
}

void mrd_access_read_cluster(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			     struct mrd_kube_access *access)
{
	const size_t errors = reading->errors;
	const char *server = mrd_access_text(reading, part, "server");

	if (reading->errors == errors)
		mrd_access_set_server(reading, part, "server", server, access);
	set_proxy(reading, part, access);
	access->tls_server_name =
		mrd_access_copy(reading, mrd_access_text(reading, part, "tls-server-name"));
	access->insecure = mrd_access_bool(reading, part, "insecure-skip-tls-verify");
	read_pem(reading, part, "certificate-authority", "certificate-authority-data", &access->ca);
	if (access->insecure && (access->ca.path || access->ca.data))
		mrd_access_error(reading, part, "insecure-skip-tls-verify",
				 "a certificate authority is given as well: keep one");
	else if (access->insecure)
		mrd_access_warn(reading, part, "insecure-skip-tls-verify",
				"the server is not verified: whoever answers at its address is "
				"believed and sees the credential");
}

/* ------------------------------------------------------------------------ exec */

static void read_args(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		      struct mrd_kube_exec *exec)
{
	const struct mrd_doc_node *list = mrd_access_get(part, "args");
	const size_t count = mrd_access_count(reading, part, "args");

	exec->args = calloc(count + 1, sizeof(*exec->args));
	reading->no_memory |= !exec->args;
	for (size_t i = 0; exec->args && i < count; i++) {
		const char *text = "";

		if (list->items[i]->kind != MRD_DOC_NULL &&
		    mrd_doc_string(list->items[i], &text) < 0)
			mrd_access_error(reading, part, "args", "item %zu must be a string", i);
		exec->args[i] = mrd_access_copy(reading, text);
	}
}

static void read_env(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		     struct mrd_kube_exec *exec)
{
	const size_t count = mrd_access_count(reading, part, "env");

	exec->env = calloc(count + 1, sizeof(*exec->env));
	reading->no_memory |= !exec->env;
	for (size_t i = 0; exec->env && i < count; i++) {
		const struct mrd_access_part item = mrd_access_item(part, "env", i);
		const char *name = mrd_access_text(reading, &item, "name");
		struct mrd_kube_env *env = &exec->env[exec->env_count++];

		if (!name[0] || strchr(name, '='))
			mrd_access_error(reading, &item, "name", "must name a variable");
		env->name = mrd_access_copy(reading, name);
		env->value = mrd_access_copy(reading, mrd_access_text(reading, &item, "value"));
	}
}

/* client-go asks v1 for it; there is nobody to ask here, whatever it says. */
static void check_interactive(struct mrd_access_reading *reading,
			      const struct mrd_access_part *part, bool is_v1)
{
	static const char key[] = "interactiveMode";
	const char *mode = mrd_access_text(reading, part, key);

	if (!strcmp(mode, "Always"))
		mrd_access_error(reading, part, key,
				 "Always: there is no terminal for the plugin to ask at");
	else if (strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0 &&
		 (mode[0] || is_v1))
		mrd_access_error(reading, part, key, "must be Never, IfAvailable or Always");
}

static void read_exec(struct mrd_access_reading *reading, const struct mrd_access_part *user,
		      struct mrd_kube_access *access)
{
	struct mrd_access_part part = {.node = mrd_access_get(user, "exec")};
	struct mrd_kube_exec *exec;
	const char *version;
	const char *command;
	bool is_v1;

	if (!part.node)
		return;
	mrd_access_set_name(&part, "%s.exec", user->name);
	if (part.node->kind != MRD_DOC_MAP) {
		mrd_access_error(reading, &part, "", "must be a map");
		return;
	}
	access->exec = exec = calloc(1, sizeof(*exec));
	reading->no_memory |= !exec;
	if (!exec)
		return;
	version = mrd_access_text(reading, &part, "apiVersion");
	is_v1 = !strcmp(version, "client.authentication.k8s.io/v1");
	if (!is_v1 && strcmp(version, "client.authentication.k8s.io/v1beta1") != 0)
		mrd_access_error(reading, &part, "apiVersion",
				 "must be client.authentication.k8s.io/v1 or /v1beta1");
	exec->api_version = mrd_access_copy(reading, version);
	command = mrd_access_text(reading, &part, "command");
	if (!command[0])
		mrd_access_error(reading, &part, "command", "must name a program");
	/* A bare name is looked for in PATH. */
	exec->command = strchr(command, '/') ? mrd_access_path(reading, command)
					     : mrd_access_copy(reading, command);
	exec->provide_cluster_info = mrd_access_bool(reading, &part, "provideClusterInfo");
	exec->install_hint =
		mrd_access_copy(reading, mrd_access_text(reading, &part, "installHint"));
	read_args(reading, &part, exec);
	read_env(reading, &part, exec);
	check_interactive(reading, &part, is_v1);
}

/* ------------------------------------------------------------------------ user */

static void refuse_unsupported(struct mrd_access_reading *reading,
			       const struct mrd_access_part *part)
{
	static const char *const impersonation[] = {"as", "as-uid", "as-groups", "as-user-extra"};

	for (size_t i = 0; i < sizeof(impersonation) / sizeof(impersonation[0]); i++)
		if (mrd_access_get(part, impersonation[i]))
			mrd_access_error(reading, part, impersonation[i],
					 "impersonation is not supported: give the account itself "
					 "the rights");
	if (mrd_access_get(part, "auth-provider"))
		mrd_access_error(reading, part, "auth-provider",
				 "is not supported, nor by Kubernetes since 1.26: use exec");
}

void mrd_access_read_user(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			  struct mrd_kube_access *access)
{
	const char *token_file = mrd_access_text(reading, part, "tokenFile");
	const bool has_certificate =
		has_text(part, "client-certificate") || has_text(part, "client-certificate-data");
	const bool has_key = has_text(part, "client-key") || has_text(part, "client-key-data");

	access->token = mrd_access_copy(reading, mrd_access_text(reading, part, "token"));
	access->token_file = mrd_access_path(reading, token_file);
	access->username = mrd_access_copy(reading, mrd_access_text(reading, part, "username"));
	access->password = mrd_access_copy(reading, mrd_access_text(reading, part, "password"));
	read_pem(reading, part, "client-certificate", "client-certificate-data",
		 &access->certificate);
	read_pem(reading, part, "client-key", "client-key-data", &access->key);
	read_exec(reading, part, access);
	refuse_unsupported(reading, part);
	if (reading->no_memory)
		return;
	if ((access->token[0] || token_file[0]) && (access->username[0] || access->password[0]))
		mrd_access_error(reading, part, "username",
				 "a token is given as well: keep one of the two");
	if (has_certificate && !has_key)
		mrd_access_error(reading, part, "client-key",
				 "is missing: the client certificate is of no use without it");
	if (has_key && !has_certificate)
		mrd_access_error(reading, part, "client-certificate",
				 "is missing: the client key is of no use without it");
}
