/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is wrong is told with place and field, never with the value: a value that stands in the
 * wrong place may be a secret. Names of contexts, clusters and users are no secrets.
 *
 * The document's own memory returns to the kernel as a whole (base/arena.h), so that no secret
 * stays in the heap by it.
 */
#include "kube/access.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kube/access_reading.h"
#include "kube/libraries.h"
#include "kube/secret.h"

#define MOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

static void free_access(struct mrd_kube_access **access)
{
	mrd_kube_access_free(*access);
}

static void free_doc(struct mrd_doc_file **doc)
{
	mrd_doc_free(*doc);
}

/* ------------------------------------------------------------------------ findings */

static void add(struct mrd_access_reading *reading, enum mrd_severity severity,
		const struct mrd_access_part *part, const char *key, const char *format,
		va_list args)
{
	const struct mrd_doc_node *node = mrd_doc_get(part->node, key) ?: part->node;
	const struct mrd_place place = {
		.file = reading->file,
		.line = node ? node->line : 0,
		.column = node ? node->column : 0,
	};
	MRD_AUTO_STRBUF struct mrd_strbuf field = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};

	mrd_strbuf_addf(&field, "%s%s%s", part->name, part->name[0] && key[0] ? "." : "", key);
	mrd_strbuf_vaddf(&reason, format, args);
	mrd_diag_add(reading->diag, severity, &place, field.text ? field.text : "", "%s",
		     reason.text ? reason.text : "");
}

void mrd_access_error(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		      const char *key, const char *format, ...)
{
	va_list args;

	reading->errors++;
	va_start(args, format);
	add(reading, MRD_ERROR, part, key, format, args);
	va_end(args);
}

void mrd_access_warn(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		     const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(reading, MRD_WARNING, part, key, format, args);
	va_end(args);
}

/* ------------------------------------------------------------------------ values */

const struct mrd_doc_node *mrd_access_get(const struct mrd_access_part *part, const char *key)
{
	const struct mrd_doc_node *node = mrd_doc_get(part->node, key);

	return node && node->kind != MRD_DOC_NULL ? node : NULL;
}

const char *mrd_access_text(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			    const char *key)
{
	const struct mrd_doc_node *node = mrd_access_get(part, key);
	const char *text = "";

	if (node && mrd_doc_string(node, &text) < 0)
		mrd_access_error(reading, part, key, "must be a string");
	return text;
}

bool mrd_access_bool(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		     const char *key)
{
	const struct mrd_doc_node *node = mrd_access_get(part, key);
	bool flag = false;

	if (node && mrd_doc_bool(node, &flag) < 0)
		mrd_access_error(reading, part, key, "must be true or false");
	return flag;
}

char *mrd_access_copy(struct mrd_access_reading *reading, const char *text)
{
	char *copy = strdup(text);

	reading->no_memory |= !copy;
	return copy;
}

char *mrd_access_path(struct mrd_access_reading *reading, const char *path)
{
	char *whole = NULL;

	if (!path[0] || path[0] == '/' || !reading->folder[0])
		return mrd_access_copy(reading, path);
	if (asprintf(&whole, "%s/%s", reading->folder, path) < 0) {
		reading->no_memory = true;
		return NULL;
	}
	return whole;
}

/* ------------------------------------------------------------------------ sections */

/* Cut where it is too long, which no document's is that is any good. */
void mrd_access_set_name(struct mrd_access_part *part, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(part->name, sizeof(part->name), format, args);
	va_end(args);
}

struct mrd_access_part mrd_access_item(const struct mrd_access_part *part, const char *key,
				       size_t index)
{
	const struct mrd_doc_node *list = mrd_access_get(part, key);
	struct mrd_access_part item = {.node = list->items[index]};

	mrd_access_set_name(&item, "%s%s%s[%zu]", part->name, part->name[0] ? "." : "", key, index);
	return item;
}

size_t mrd_access_count(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			const char *key)
{
	const struct mrd_doc_node *list = mrd_access_get(part, key);

	if (!list || list->kind == MRD_DOC_LIST)
		return list ? list->count : 0;
	mrd_access_error(reading, part, key, "must be a list");
	return 0;
}

/* What stands under key in the item of that name: users[1].user. */
static bool find(struct mrd_access_reading *reading, const struct mrd_access_part *root,
		 const char *list, const char *key, const char *name,
		 struct mrd_access_part *ret_part)
{
	const size_t count = mrd_access_count(reading, root, list);
	MRD_AUTO_STRBUF struct mrd_strbuf known = {0};
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		struct mrd_access_part item = mrd_access_item(root, list, i);
		const char *its_name = mrd_access_text(reading, &item, "name");

		mrd_strbuf_addf(&known, "%s%s", known.len ? ", " : "", its_name);
		if (strcmp(its_name, name) != 0)
			continue;
		if (found) {
			mrd_access_error(reading, &item, "name", "there are two named %s", name);
			continue;
		}
		found = true;
		*ret_part = (struct mrd_access_part){.node = mrd_access_get(&item, key)};
		mrd_access_set_name(ret_part, "%s.%s", item.name, key);
	}
	if (!found)
		mrd_access_error(reading, root, list, "there is no %s named %s (there is %s)", key,
				 name, known.len ? known.text : "none");
	else if (!ret_part->node || ret_part->node->kind != MRD_DOC_MAP)
		mrd_access_error(reading, ret_part, "", "must be a map");
	return found && ret_part->node;
}

static const struct mrd_doc_node *root_of(struct mrd_access_reading *reading,
					  const struct mrd_doc_file *doc)
{
	struct mrd_access_part root = {.node = mrd_doc_root(doc, 0)};
	const char *kind;

	if (!root.node || root.node->kind != MRD_DOC_MAP || mrd_doc_count(doc) > 1) {
		mrd_access_error(reading, &root, "",
				 "a kubeconfig must be one map of clusters, users and contexts");
		return NULL;
	}
	kind = mrd_access_text(reading, &root, "kind");
	if (kind[0] && strcmp(kind, "Config") != 0)
		mrd_access_error(reading, &root, "kind", "must be Config");
	return root.node;
}

static void read_context(struct mrd_access_reading *reading, const struct mrd_doc_file *doc,
			 const char *wanted, struct mrd_kube_access *access)
{
	struct mrd_access_part root = {.node = root_of(reading, doc)};
	const size_t errors = reading->errors;
	struct mrd_access_part context;
	struct mrd_access_part part;
	const char *name = wanted[0] ? wanted : mrd_access_text(reading, &root, "current-context");
	const char *user;
	const char *cluster;

	access->context = mrd_access_copy(reading, name);
	if (!root.node)
		return;
	if (!name[0] && reading->errors == errors)
		mrd_access_error(reading, &root, "current-context",
				 "says nothing, and no context is configured: name one");
	if (!name[0])
		return;
	if (!find(reading, &root, "contexts", "context", name, &context))
		return;
	cluster = mrd_access_text(reading, &context, "cluster");
	user = mrd_access_text(reading, &context, "user");
	if (!cluster[0])
		mrd_access_error(reading, &context, "cluster", "must name a cluster");
	else if (find(reading, &root, "clusters", "cluster", cluster, &part))
		mrd_access_read_cluster(reading, &part, access);
	if (user[0] && find(reading, &root, "users", "user", user, &part))
		mrd_access_read_user(reading, &part, access);
}

/* ------------------------------------------------------------------------ where */

int mrd_kube_where_file(const struct mrd_kube_where *where, char **ret_path)
{
	const char *home = getenv("HOME");
	const char *path = getenv("KUBECONFIG");
	char *whole = NULL;

	if (where->in_cluster)
		return -ENOENT;
	if (where->kubeconfig && where->kubeconfig[0])
		path = where->kubeconfig;
	if (path && path[0])
		whole = strdup(path);
	else if (!home || !home[0])
		return -ENOENT;
	else if (asprintf(&whole, "%s/.kube/config", home) < 0)
		whole = NULL;
	if (!whole)
		return -ENOMEM;
	*ret_path = whole;
	return 0;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup("");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int read_pod(struct mrd_access_reading *reading, struct mrd_kube_access *access)
{
	const struct mrd_access_part pod = {.node = NULL};
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	MRD_AUTO_FREE char *server = NULL;
	const bool is_v6 = host && strchr(host, ':');

	if (!host || !host[0] || !port || !port[0]) {
		mrd_access_error(reading, &pod, "inCluster",
				 "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: "
				 "this is no pod, name a kubeconfig");
		return -EBADMSG;
	}
	if (asprintf(&server, "https://%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port) <
	    0) {
		server = NULL;
		return -ENOMEM;
	}
	mrd_access_set_server(reading, &pod, "inCluster", server, access);
	access->context = mrd_access_copy(reading, "");
	access->token_file = mrd_access_copy(reading, MOUNT "/token");
	access->ca.path = mrd_access_copy(reading, MOUNT "/ca.crt");
	return 0;
}

static int read_file(struct mrd_access_reading *reading, const char *context,
		     struct mrd_kube_access *access)
{
	const struct mrd_access_part none = {.node = NULL};
	struct mrd_doc_file *doc MRD_CLEANUP(free_doc) = NULL;
	MRD_AUTO_SECRET struct mrd_secret text = {0};
	int ret = mrd_secret_read(reading->file, &text);

	if (ret == -ENOENT && strchr(reading->file, ':')) {
		mrd_access_error(reading, &none, "",
				 "names several files, which are not merged: name one");
		return -EBADMSG;
	}
	if (ret < 0) {
		mrd_access_error(reading, &none, "", "cannot be read: %s", strerror(-ret));
		return ret;
	}
	ret = mrd_doc_parse(reading->file, text.data, text.len, reading->diag, &doc);
	if (ret < 0)
		return ret;
	read_context(reading, doc, context, access);
	return 0;
}

/* What was not said is "", so that nobody needs to look for NULL. */
static void fill(struct mrd_access_reading *reading, struct mrd_kube_access *access)
{
	char **texts[] = {&access->file,       &access->context,  &access->server,
			  &access->proxy_url,  &access->token,	  &access->tls_server_name,
			  &access->token_file, &access->username, &access->password};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!*texts[i])
			*texts[i] = mrd_access_copy(reading, "");
}

int mrd_kube_access_read(const struct mrd_kube_where *where, struct mrd_diag *diag,
			 struct mrd_kube_access **ret_access)
{
	struct mrd_kube_access *access MRD_CLEANUP(free_access) = calloc(1, sizeof(*access));
	struct mrd_access_reading reading = {.file = "", .diag = diag};
	MRD_AUTO_FREE char *folder = NULL;
	const char *missing = mrd_libraries_load();
	int ret = access ? 0 : -ENOMEM;

	if (missing) {
		mrd_diag_add(diag, MRD_ERROR, NULL, "", "%s", missing);
		return -ENOSYS;
	}
	if (!ret && !where->in_cluster)
		ret = mrd_kube_where_file(where, &access->file);
	if (ret == -ENOENT)
		mrd_diag_add(diag, MRD_ERROR, NULL, "kubeconfig",
			     "no file is named, and neither KUBECONFIG nor HOME is set");
	if (ret < 0)
		return ret;
	if (where->in_cluster) {
		ret = read_pod(&reading, access);
	} else {
		folder = folder_of(access->file);
		reading.file = access->file;
		reading.folder = folder ? folder : "";
		ret = folder ? read_file(&reading, where->context ? where->context : "", access)
			     : -ENOMEM;
	}
	fill(&reading, access);
	if (ret < 0)
		return ret;
	if (reading.no_memory)
		return -ENOMEM;
	if (reading.errors)
		return -EBADMSG;
	*ret_access = MRD_STEAL_PTR(access);
	return 0;
}

/* ------------------------------------------------------------------------ the end */

static void free_pem(struct mrd_kube_pem *pem)
{
	struct mrd_secret data = {.data = pem->data, .len = pem->len};

	mrd_secret_free(&data);
	free(pem->path);
}

static void free_exec(struct mrd_kube_exec *exec)
{
	if (!exec)
		return;
	for (size_t i = 0; exec->args && exec->args[i]; i++)
		mrd_secret_text_free(exec->args[i]);
	for (size_t i = 0; i < exec->env_count; i++) {
		free(exec->env[i].name);
		mrd_secret_text_free(exec->env[i].value);
	}
	free(exec->args);
	free(exec->env);
	free(exec->api_version);
	free(exec->command);
	free(exec->install_hint);
	free(exec);
}

void mrd_kube_access_free(struct mrd_kube_access *access)
{
	if (!access)
		return;
	free(access->file);
	free(access->context);
	free(access->server);
	free(access->tls_server_name);
	mrd_secret_text_free(access->proxy_url); /* may have a password */
	free_pem(&access->ca);
	free_pem(&access->certificate);
	free_pem(&access->key);
	mrd_secret_text_free(access->token);
	free(access->token_file);
	free(access->username);
	mrd_secret_text_free(access->password);
	free_exec(access->exec);
	free(access);
}
