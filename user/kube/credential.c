/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whatever changes is read again as a whole and compared: only another content is another
 * generation. What cannot be read leaves the last good credential in use, beside the error.
 *
 * Who is told of a change is told from the loop and never from a call of its own, by the timer that
 * otherwise ticks each second.
 */
#include "kube/credential.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path_watch.h"
#include "base/strbuf.h"
#include "kube/contents.h"
#include "kube/plugin.h"

#define NS_PER_S ((uint64_t)MRD_MS_PER_S * MRD_NS_PER_MS)

enum {
	PATHS_MAX = 5,
	REREAD_S = 60, /* file systems that do not tell of changes */
	PLUGIN_TIMEOUT_S = 60,
	PLUGIN_RETRY_MIN_S = 1,
	PLUGIN_RETRY_MAX_S = 30,
	PLUGIN_EARLY_S = 30,	/* before the end of its answer, so that no request waits */
	PLUGIN_EARLY_PART = 10, /* but at most this part of its life */
	REFUSED_AGAIN_S = 10,	/* a plugin whose answers are all refused runs no more often */
};

struct answer {
	struct mrd_plugin_answer given; /* nothing in it: none */
	uint64_t expires_ns;		/* UINT64_MAX: never */
	uint64_t refresh_ns;
};

struct mrd_credential {
	struct mrd_loop *loop;
	struct mrd_kube_where where;
	char *kubeconfig;
	char *context;
	mrd_credential_fn changed;
	void (*findings)(void *self, const struct mrd_diag *diag);
	void *self;

	struct mrd_timer *timer;
	bool must_tell;
	struct mrd_path_watch *files;
	struct mrd_watch *files_watch;
	char *paths[PATHS_MAX];
	size_t path_count;
	uint64_t reread_ns;

	struct mrd_contents contents;
	uint64_t generation;
	char *error; /* NULL: none */
	char *told;  /* the findings, as they were handed on last */

	struct mrd_plugin *plugin;
	struct answer answer;
	char *plugin_error; /* NULL: none */
	uint64_t plugin_due_ns;
	uint64_t plugin_retry_ns;
	uint64_t refused_ns; /* 0: never */
};

static void free_credential(struct mrd_credential **credential)
{
	mrd_credential_free(*credential);
}

static void tell_soon(struct mrd_credential *credential)
{
	credential->must_tell = true;
	mrd_timer_set(credential->timer, mrd_clock_ns());
}

/* text is a copy, which the credential owns from here on, or NULL. */
static void set_error(struct mrd_credential *credential, char **at, char *text)
{
	if (!*at != !text || (text && strcmp(*at, text) != 0))
		tell_soon(credential);
	free(*at);
	*at = text;
}

/* ------------------------------------------------------------------------ plugin */

static bool has_answer(const struct mrd_credential *credential)
{
	return credential->answer.given.token.len || credential->answer.given.certificate.len;
}

/* What is given otherwise stands in front of a plugin, as in client-go. */
static const struct mrd_kube_exec *exec_of(const struct mrd_credential *credential)
{
	const struct mrd_kube_access *access = credential->contents.access;

	return access && !credential->contents.token.len && !access->username[0] ? access->exec
										 : NULL;
}

static void plugin_failed(struct mrd_credential *credential, const char *error, uint64_t now_ns)
{
	uint64_t *retry_ns = &credential->plugin_retry_ns;

	set_error(credential, &credential->plugin_error, strdup(error));
	*retry_ns = *retry_ns ? *retry_ns * 2 : PLUGIN_RETRY_MIN_S * NS_PER_S;
	if (*retry_ns > PLUGIN_RETRY_MAX_S * NS_PER_S)
		*retry_ns = PLUGIN_RETRY_MAX_S * NS_PER_S;
	credential->plugin_due_ns = now_ns + *retry_ns;
}

static bool same_answer(const struct mrd_plugin_answer *a, const struct mrd_plugin_answer *b)
{
	return a->token.len == b->token.len && a->certificate.len == b->certificate.len &&
	       a->key.len == b->key.len &&
	       (!a->token.len || !memcmp(a->token.data, b->token.data, a->token.len)) &&
	       (!a->certificate.len ||
		!memcmp(a->certificate.data, b->certificate.data, a->certificate.len)) &&
	       (!a->key.len || !memcmp(a->key.data, b->key.data, a->key.len));
}

static void take_answer(struct mrd_credential *credential, struct mrd_plugin_answer *given,
			uint64_t now_ns)
{
	struct answer *answer = &credential->answer;
	const uint64_t wall_ms = mrd_clock_wall_ms();
	const uint64_t life_ns = given->expires_wall_ms > wall_ms
					 ? (given->expires_wall_ms - wall_ms) * MRD_NS_PER_MS
					 : 0;
	uint64_t early_ns = life_ns / PLUGIN_EARLY_PART;

	if (early_ns > PLUGIN_EARLY_S * NS_PER_S)
		early_ns = PLUGIN_EARLY_S * NS_PER_S;
	if (!same_answer(&answer->given, given))
		credential->generation++;
	mrd_plugin_answer_free(&answer->given);
	answer->given = *given;
	*given = (struct mrd_plugin_answer){0};
	answer->expires_ns = answer->given.expires_wall_ms ? now_ns + life_ns : UINT64_MAX;
	answer->refresh_ns =
		answer->given.expires_wall_ms ? now_ns + life_ns - early_ns : UINT64_MAX;
	credential->plugin_retry_ns = 0;
	credential->plugin_due_ns = now_ns + PLUGIN_RETRY_MIN_S * NS_PER_S;
	set_error(credential, &credential->plugin_error, NULL);
	tell_soon(credential);
}

static void on_plugin(void *self, const char *error, struct mrd_plugin_answer *answer)
{
	struct mrd_credential *credential = self;
	const uint64_t now_ns = mrd_clock_ns();
	MRD_AUTO_STRBUF struct mrd_strbuf expired = {0};

	credential->plugin = NULL;
	if (error[0]) {
		plugin_failed(credential, error, now_ns);
	} else if (answer->expires_wall_ms && answer->expires_wall_ms <= mrd_clock_wall_ms()) {
		mrd_strbuf_addf(&expired, "exec plugin %s: its answer has expired already",
				credential->contents.access->exec->command);
		plugin_failed(credential, expired.text ? expired.text : "out of memory", now_ns);
	} else {
		take_answer(credential, answer, now_ns);
	}
}

/* Starts a run if one is due. */
static void run_plugin(struct mrd_credential *credential, uint64_t now_ns)
{
	const struct mrd_kube_exec *exec = exec_of(credential);
	MRD_AUTO_STRBUF struct mrd_strbuf error = {0};
	int ret;

	if (!exec || credential->plugin || now_ns < credential->plugin_due_ns)
		return;
	if (has_answer(credential) && now_ns < credential->answer.refresh_ns)
		return;
	ret = mrd_plugin_start(credential->loop, credential->contents.access,
			       &credential->contents.ca, (uint64_t)PLUGIN_TIMEOUT_S * MRD_MS_PER_S,
			       on_plugin, credential, &credential->plugin);
	if (!ret)
		return;
	mrd_strbuf_addf(&error, "exec plugin %s: cannot be started: %s%s%s", exec->command,
			strerror(-ret), exec->install_hint[0] ? ": " : "", exec->install_hint);
	plugin_failed(credential, error.text ? error.text : "out of memory", now_ns);
}

/* Its answer belongs to what the kubeconfig said before. */
static void forget_plugin(struct mrd_credential *credential)
{
	mrd_plugin_free(credential->plugin);
	credential->plugin = NULL;
	mrd_plugin_answer_free(&credential->answer.given);
	credential->plugin_due_ns = 0;
	credential->plugin_retry_ns = 0;
	set_error(credential, &credential->plugin_error, NULL);
}

/* ------------------------------------------------------------------------ files */

static void load(struct mrd_credential *credential);

static void on_files(void *self, uint32_t epoll_events)
{
	struct mrd_credential *credential = self;

	(void)epoll_events;
	if (mrd_path_watch_dispatch(credential->files))
		load(credential);
}

static bool follows(const struct mrd_credential *credential, const char *const *paths, size_t count)
{
	if (!credential->files || count != credential->path_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(paths[i], credential->paths[i]) != 0)
			return false;
	return true;
}

static void stop_following(struct mrd_credential *credential)
{
	mrd_loop_unwatch(credential->files_watch);
	mrd_path_watch_free(credential->files);
	credential->files_watch = NULL;
	credential->files = NULL;
	while (credential->path_count)
		free(credential->paths[--credential->path_count]);
}

static int follow_paths(struct mrd_credential *credential, const char *const *paths, size_t count)
{
	int ret;

	stop_following(credential);
	for (size_t i = 0; i < count; i++) {
		credential->paths[i] = strdup(paths[i]);
		if (!credential->paths[i])
			return -ENOMEM;
		credential->path_count++;
	}
	ret = mrd_path_watch_new(credential->paths, count, &credential->files);
	return ret
		       ?: mrd_loop_watch(credential->loop, mrd_path_watch_fd(credential->files),
					 EPOLLIN, on_files, credential, &credential->files_watch);
}

/* access NULL: only the kubeconfig is known. 1: they are followed since now; -errno. */
static int follow(struct mrd_credential *credential, const struct mrd_kube_access *access)
{
	MRD_AUTO_FREE char *file = NULL;
	const char *named[PATHS_MAX] = {NULL};
	const char *paths[PATHS_MAX];
	size_t count = 0;
	int ret = mrd_kube_where_file(&credential->where, &file);

	if (ret == -ENOMEM)
		return ret;
	named[0] = file;
	if (access) {
		named[1] = access->token_file[0] ? access->token_file : NULL;
		named[2] = access->ca.path;
		named[3] = access->certificate.path;
		named[4] = access->key.path;
	}
	for (size_t i = 0; i < PATHS_MAX; i++)
		if (named[i])
			paths[count++] = named[i];
	if (follows(credential, paths, count))
		return 0;
	ret = follow_paths(credential, paths, count);
	return ret < 0 ? ret : 1;
}

/* ------------------------------------------------------------------------ reading */

static char *diag_text(const struct mrd_diag *diag, bool only_error)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	for (size_t i = 0; i < diag->count; i++) {
		MRD_AUTO_FREE char *finding = mrd_finding_text(&diag->findings[i]);

		if (only_error && diag->findings[i].severity != MRD_ERROR)
			continue;
		mrd_strbuf_addf(&text, "%s%s", text.len ? "\n" : "", finding ? finding : "");
		if (only_error)
			break;
	}
	return mrd_strbuf_steal(&text);
}

/* A file that stays wrong is told of once. */
static void tell_findings(struct mrd_credential *credential, const struct mrd_diag *diag)
{
	char *text = diag_text(diag, false);

	if (text && diag->count && (!credential->told || strcmp(text, credential->told) != 0) &&
	    credential->findings)
		credential->findings(credential->self, diag);
	free(credential->told);
	credential->told = text;
}

/* What a file says may have changed before it was followed: then it is read once more. */
static int read_access(struct mrd_credential *credential, struct mrd_kube_access **ret_access,
		       char **ret_error)
{
	for (;;) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_kube_access *access = NULL;
		int ret = mrd_kube_access_read(&credential->where, &diag, &access);
		const int followed = follow(credential, access);

		if (followed > 0 && !ret) {
			mrd_kube_access_free(access);
			continue;
		}
		tell_findings(credential, &diag);
		ret = ret ?: followed;
		if (ret < 0) {
			mrd_kube_access_free(access);
			*ret_error = diag.errors ? diag_text(&diag, true) : strdup(strerror(-ret));
			return ret;
		}
		*ret_access = access;
		return 0;
	}
}

static void replace(struct mrd_credential *credential, struct mrd_contents *contents)
{
	if (mrd_contents_equal(&credential->contents, contents)) {
		mrd_contents_free(contents);
		return;
	}
	forget_plugin(credential);
	mrd_contents_free(&credential->contents);
	credential->contents = *contents;
	credential->generation++;
	tell_soon(credential);
}

static void load(struct mrd_credential *credential)
{
	const uint64_t now_ns = mrd_clock_ns();
	struct mrd_contents contents = {0};
	struct mrd_kube_access *access = NULL;
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};
	char *error = NULL;

	credential->reread_ns = now_ns + REREAD_S * NS_PER_S;
	if (!read_access(credential, &access, &error)) {
		if (mrd_contents_read(access, &reason, &contents) < 0)
			error = reason.text ? mrd_strbuf_steal(&reason) : strdup("out of memory");
		else
			replace(credential, &contents);
	}
	set_error(credential, &credential->error, error);
	run_plugin(credential, now_ns);
}

/* Each second, and when the plugin is due. */
static uint64_t next_look_ns(const struct mrd_credential *credential, uint64_t now_ns)
{
	const uint64_t refresh_ns = credential->answer.refresh_ns;
	const uint64_t next_ns = now_ns + NS_PER_S;

	return has_answer(credential) && refresh_ns > now_ns && refresh_ns < next_ns ? refresh_ns
										     : next_ns;
}

static void on_timer(void *self)
{
	struct mrd_credential *credential = self;
	const uint64_t now_ns = mrd_clock_ns();

	mrd_timer_set(credential->timer, next_look_ns(credential, now_ns));
	if (credential->must_tell) {
		credential->must_tell = false;
		credential->changed(credential->self); /* may free the credential */
		return;
	}
	if ((credential->files && mrd_path_watch_tick(credential->files)) || credential->error ||
	    now_ns >= credential->reread_ns)
		load(credential);
	run_plugin(credential, now_ns);
}

/* ------------------------------------------------------------------------ outside */

int mrd_credential_new(struct mrd_loop *loop, const struct mrd_kube_where *where,
		       mrd_credential_fn changed,
		       void (*findings)(void *self, const struct mrd_diag *diag), void *self,
		       struct mrd_credential **ret_credential)
{
	struct mrd_credential *credential MRD_CLEANUP(free_credential) =
		calloc(1, sizeof(*credential));
	int ret;

	if (!credential)
		return -ENOMEM;
	credential->loop = loop;
	credential->changed = changed;
	credential->findings = findings;
	credential->self = self;
	credential->kubeconfig = strdup(where->kubeconfig ? where->kubeconfig : "");
	credential->context = strdup(where->context ? where->context : "");
	if (!credential->kubeconfig || !credential->context)
		return -ENOMEM;
	credential->where = (struct mrd_kube_where){.kubeconfig = credential->kubeconfig,
						    .context = credential->context,
						    .in_cluster = where->in_cluster};
	ret = mrd_loop_timer(loop, on_timer, credential, &credential->timer);
	ret = ret ?: follow(credential, NULL);
	if (ret < 0)
		return ret;
	mrd_timer_set(credential->timer, mrd_clock_ns() + NS_PER_S);
	load(credential);
	*ret_credential = MRD_STEAL_PTR(credential);
	return 0;
}

void mrd_credential_free(struct mrd_credential *credential)
{
	if (!credential)
		return;
	stop_following(credential);
	mrd_timer_free(credential->timer);
	mrd_plugin_free(credential->plugin);
	mrd_plugin_answer_free(&credential->answer.given);
	mrd_contents_free(&credential->contents);
	free(credential->kubeconfig);
	free(credential->context);
	free(credential->error);
	free(credential->plugin_error);
	free(credential->told);
	free(credential);
}

int mrd_credential_get(struct mrd_credential *credential, uint64_t now_ns,
		       struct mrd_credential_now *ret_now)
{
	const struct mrd_contents *contents = &credential->contents;
	const struct mrd_plugin_answer *answer = &credential->answer.given;
	const struct mrd_secret *certificate = &contents->certificate;
	const struct mrd_secret *key = &contents->key;
	const struct mrd_secret *token = &contents->token;

	if (!contents->access)
		return -EAGAIN;
	if (exec_of(credential)) {
		run_plugin(credential, now_ns);
		if (!has_answer(credential) || now_ns >= credential->answer.expires_ns)
			return -EAGAIN;
		token = &answer->token;
		certificate = answer->certificate.len ? &answer->certificate : certificate;
		key = answer->certificate.len ? &answer->key : key;
	}
	*ret_now = (struct mrd_credential_now){
		.access = contents->access,
		.generation = credential->generation,
		.token = token->data ? token->data : "",
		.certificate = certificate->data,
		.certificate_len = certificate->len,
		.key = key->data,
		.key_len = key->len,
		.ca = contents->ca.data,
		.ca_len = contents->ca.len,
	};
	return 0;
}

const char *mrd_credential_error(const struct mrd_credential *credential)
{
	if (credential->error)
		return credential->error;
	return credential->plugin_error ? credential->plugin_error : "";
}

bool mrd_credential_refuse(struct mrd_credential *credential, uint64_t generation)
{
	const uint64_t now_ns = mrd_clock_ns();

	if (generation != credential->generation || (credential->plugin && !has_answer(credential)))
		return true;
	if (credential->refused_ns && now_ns - credential->refused_ns < REFUSED_AGAIN_S * NS_PER_S)
		return false;
	credential->refused_ns = now_ns;
	load(credential);
	if (generation != credential->generation)
		return true;
	if (!exec_of(credential))
		return false;
	forget_plugin(credential);
	run_plugin(credential, now_ns);
	return true;
}
