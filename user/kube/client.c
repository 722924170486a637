/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Wires credential, connection and reflectors: whenever a reflector has something to ask and there
 * is a credential, it is sent; what comes back is the reflector's. Nothing is asked without a
 * credential, so that waiting for one is no failure of a kind.
 *
 * Another server is another world of versions: then everything is listed anew. Another credential
 * for the same one leaves open watches alone.
 */
#include "kube/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kube/credential.h"
#include "kube/http.h"

enum { HTTP_OK = 200 };

/* Together less than the 30 s in which a silent server is noticed. */
enum { PING_MOST_MS = 10000, PING_ANSWER_MS = 10000 };

struct kind {
	struct mrd_kube_client *client;
	struct mrd_reflector_config config; /* its strings are ours */
	struct mrd_reflector *reflector;
	struct mrd_http_request *request; /* NULL: none is under way */
	bool is_denied;			  /* the request was answered with 401 */
};

/* What mrd_kube_client_config.changed tells of. */
struct summary {
	bool synced;
	bool fails;
	char *error; /* NULL: none */
};

struct mrd_kube_client {
	struct mrd_loop *loop;
	struct mrd_kube_client_config config; /* without what is copied below */
	struct mrd_credential *credential;
	struct mrd_http *http;
	struct mrd_timer *timer;
	struct kind *kinds;
	size_t count;
	char *server;			 /* "" = not known yet */
	uint64_t no_credential_since_ns; /* 0: there is one */
	struct summary told;
	bool must_tell;
};

static void free_client(struct mrd_kube_client **client)
{
	mrd_kube_client_free(*client);
}

/* ------------------------------------------------------------------------ what is told */

/* Of what fails the first that is (not) settling; "": there is none. */
static const char *error_of_kinds(const struct mrd_kube_client *client, bool settling)
{
	for (size_t i = 0; i < client->count; i++) {
		struct mrd_reflector_status status;

		mrd_reflector_get_status(client->kinds[i].reflector, &status);
		if (status.error[0] && status.settling == settling)
			return status.error;
	}
	return "";
}

/* Without a credential nothing else can be right; what may be well in a moment is told last. */
static const char *error_of(const struct mrd_kube_client *client)
{
	const char *error = mrd_credential_error(client->credential);

	if (!error[0])
		error = error_of_kinds(client, false);
	return error[0] ? error : error_of_kinds(client, true);
}

static void add_kind(struct mrd_kube_client_status *sum, const struct kind *kind)
{
	struct mrd_reflector_status status;

	mrd_reflector_get_status(kind->reflector, &status);
	sum->synced = sum->synced && status.synced;
	if (status.failing_since_ns &&
	    (!sum->failing_since_ns || status.failing_since_ns < sum->failing_since_ns))
		sum->failing_since_ns = status.failing_since_ns;
	if (status.failing_since_ns && !status.settling)
		sum->settling = false;
}

void mrd_kube_client_get_status(const struct mrd_kube_client *client,
				struct mrd_kube_client_status *ret_status)
{
	/* Without an error a plugin runs: who runs too long has one. */
	const bool has_or_gets_credential =
		!client->no_credential_since_ns || !*mrd_credential_error(client->credential);
	struct mrd_kube_client_status sum = {
		.last_heard_ns = client->http ? mrd_http_heard_ns(client->http) : 0,
		.failing_since_ns = client->no_credential_since_ns,
		.synced = true,
		.settling = has_or_gets_credential,
		.server = client->server,
		.error = error_of(client),
	};

	for (size_t i = 0; i < client->count; i++)
		add_kind(&sum, &client->kinds[i]);
	sum.settling = sum.settling && sum.failing_since_ns;
	*ret_status = sum;
}

void mrd_kube_client_get_resource(const struct mrd_kube_client *client, size_t resource,
				  struct mrd_reflector_status *ret_status)
{
	mrd_reflector_get_status(client->kinds[resource].reflector, ret_status);
}

void mrd_kube_client_set_ping(struct mrd_kube_client *client, uint64_t ping_ms)
{
	mrd_http_set_ping(client->http, ping_ms < PING_MOST_MS ? ping_ms : PING_MOST_MS,
			  PING_ANSWER_MS);
}

/* ------------------------------------------------------------------------ requests */

static void set_timer(struct mrd_kube_client *client)
{
	uint64_t due_ns = UINT64_MAX;

	for (size_t i = 0; i < client->count && !client->no_credential_since_ns; i++) {
		const uint64_t its_ns = mrd_reflector_due_ns(client->kinds[i].reflector);

		if (its_ns < due_ns)
			due_ns = its_ns;
	}
	if (client->must_tell)
		due_ns = mrd_clock_ns();
	mrd_timer_set(client->timer, due_ns == UINT64_MAX ? 0 : due_ns ? due_ns : 1);
}

/* Told from the loop, so that who is called may end the client. */
static void note_changes(struct mrd_kube_client *client)
{
	struct summary *told = &client->told;
	struct mrd_kube_client_status now;

	mrd_kube_client_get_status(client, &now);
	if (now.synced != told->synced || !now.failing_since_ns != !told->fails ||
	    strcmp(now.error, told->error ? told->error : "") != 0) {
		free(told->error);
		*told = (struct summary){.synced = now.synced,
					 .fails = now.failing_since_ns != 0,
					 .error = strdup(now.error)};
		client->must_tell = true;
	}
	set_timer(client);
}

static bool has_credential(struct mrd_kube_client *client, uint64_t now_ns)
{
	struct mrd_credential_now credential;

	if (!mrd_credential_get(client->credential, now_ns, &credential)) {
		client->no_credential_since_ns = 0;
		return true;
	}
	if (!client->no_credential_since_ns)
		client->no_credential_since_ns = now_ns;
	return false;
}

/* A kind waits by itself for a server that was away, up to a minute: the first that hears of it
 * again ends the others' waits. */
static void tell_others(const struct kind *kind)
{
	const struct mrd_kube_client *client = kind->client;

	for (size_t i = 0; i < client->count; i++)
		if (&client->kinds[i] != kind)
			mrd_reflector_hurry(client->kinds[i].reflector, mrd_clock_ns());
}

static void on_head(void *self, const struct mrd_http_head *head)
{
	struct kind *kind = self;
	const int ret = mrd_reflector_on_head(kind->reflector, head->status, head->content_type,
					      head->retry_after_ms, mrd_clock_ns());

	kind->is_denied = ret == -EACCES;
	if (head->status == HTTP_OK)
		tell_others(kind);
	note_changes(kind->client);
}

static void tell_before(const struct mrd_kube_client *client)
{
	if (client->config.before)
		client->config.before(client->config.self);
}

static int on_body(void *self, const void *data, size_t len)
{
	const struct kind *kind = self;
	int ret;

	tell_before(kind->client);
	ret = mrd_reflector_on_body(kind->reflector, data, len, mrd_clock_ns());
	tell_before(kind->client);
	return ret;
}

static void send_due(struct mrd_kube_client *client);

static void on_end(void *self, const char *error)
{
	struct kind *kind = self;
	struct mrd_kube_client *client = kind->client;
	const uint64_t generation = mrd_http_generation(kind->request);
	const uint64_t now_ns = mrd_clock_ns();

	kind->request = NULL;
	if (kind->is_denied && mrd_credential_refuse(client->credential, generation))
		mrd_reflector_retry(kind->reflector, "", true, now_ns);
	else
		mrd_reflector_on_end(kind->reflector, error, now_ns);
	kind->is_denied = false;
	send_due(client);
}

static void send_for(struct kind *kind, uint64_t now_ns)
{
	const struct mrd_http_hooks hooks = {
		.head = on_head, .body = on_body, .end = on_end, .self = kind};
	struct mrd_reflector_request request;
	int ret;

	if (!mrd_reflector_request(kind->reflector, now_ns, &request))
		return;
	ret = mrd_http_get(kind->client->http, request.path, request.accept, request.silence_ms,
			   &hooks, &kind->request);
	if (ret < 0)
		mrd_reflector_retry(kind->reflector, strerror(-ret), false, now_ns);
}

/* Whatever is known came from another server, whose versions mean nothing here. What is not in the
 * new one's list goes when that is complete. */
static int begin_anew(struct kind *kind, uint64_t now_ns)
{
	struct mrd_reflector *reflector = NULL;
	const int ret = mrd_reflector_new(&kind->config, now_ns, &reflector);

	if (ret < 0)
		return ret;
	mrd_http_cancel(kind->request);
	kind->request = NULL;
	kind->is_denied = false;
	mrd_reflector_free(kind->reflector);
	kind->reflector = reflector;
	return 0;
}

static void take_server(struct mrd_kube_client *client, uint64_t now_ns)
{
	struct mrd_credential_now credential;
	char *server;

	if (mrd_credential_get(client->credential, now_ns, &credential) < 0 ||
	    !strcmp(client->server, credential.access->server))
		return;
	server = strdup(credential.access->server);
	if (!server)
		return;
	for (size_t i = 0; i < client->count && client->server[0]; i++) {
		if (begin_anew(&client->kinds[i], now_ns) < 0) {
			free(server); /* it is tried again, with all of them */
			return;
		}
	}
	free(client->server);
	client->server = server;
}

static void send_due(struct mrd_kube_client *client)
{
	const uint64_t now_ns = mrd_clock_ns();

	take_server(client, now_ns);
	for (size_t i = 0; i < client->count && has_credential(client, now_ns); i++)
		send_for(&client->kinds[i], now_ns);
	note_changes(client);
}

static void on_timer(void *self)
{
	struct mrd_kube_client *client = self;

	if (client->must_tell) {
		client->must_tell = false;
		set_timer(client);
		if (client->config.changed)
			client->config.changed(client->config.self); /* may free the client */
		return;
	}
	send_due(client);
}

/* ------------------------------------------------------------------------ credential */

static void on_credential(void *self)
{
	send_due(self);
}

static void on_findings(void *self, const struct mrd_diag *diag)
{
	const struct mrd_kube_client *client = self;

	if (client->config.findings)
		client->config.findings(client->config.self, diag);
}

/* ------------------------------------------------------------------------ life */

static int copy_text(const char *text, const char **to)
{
	*to = strdup(text ? text : "");
	return *to ? 0 : -ENOMEM;
}

static int add_resource(struct mrd_kube_client *client, const struct mrd_reflector_config *config,
			uint64_t now_ns)
{
	struct kind *kind = &client->kinds[client->count++];
	struct mrd_reflector_config *own = &kind->config;
	int ret;

	kind->client = client;
	*own = *config;
	own->group = own->versions = own->resource = own->kind = own->label_selector = NULL;
	ret = copy_text(config->group, &own->group);
	ret = ret ?: copy_text(config->versions, &own->versions);
	ret = ret ?: copy_text(config->resource, &own->resource);
	ret = ret ?: copy_text(config->kind, &own->kind);
	ret = ret ?: copy_text(config->label_selector, &own->label_selector);
	return ret ?: mrd_reflector_new(own, now_ns, &kind->reflector);
}

static int fill(struct mrd_kube_client *client, const struct mrd_kube_client_config *config)
{
	const uint64_t now_ns = mrd_clock_ns();
	int ret = 0;

	client->server = strdup("");
	client->kinds = calloc(config->resource_count + 1, sizeof(*client->kinds));
	if (!client->server || !client->kinds)
		return -ENOMEM;
	for (size_t i = 0; i < config->resource_count && !ret; i++)
		ret = add_resource(client, &config->resources[i], now_ns);
	ret = ret ?: mrd_loop_timer(client->loop, on_timer, client, &client->timer);
	ret = ret
		      ?: mrd_credential_new(client->loop, &config->where, on_credential,
					    on_findings, client, &client->credential);
	return ret
		       ?: mrd_http_new(client->loop, client->credential, "meridiand/" MRD_VERSION,
				       &client->http);
}

int mrd_kube_client_new(const struct mrd_kube_client_config *config, struct mrd_loop *loop,
			struct mrd_kube_client **ret_client)
{
	struct mrd_kube_client *client MRD_CLEANUP(free_client) = calloc(1, sizeof(*client));
	int ret;

	if (!client)
		return -ENOMEM;
	client->loop = loop;
	client->config = *config;
	client->config.resources = NULL;
	client->config.name = NULL;
	client->config.where = (struct mrd_kube_where){0};
	ret = fill(client, config);
	if (ret < 0)
		return ret;
	on_credential(client);
	*ret_client = MRD_STEAL_PTR(client);
	return 0;
}

static void free_kind(const struct kind *kind)
{
	mrd_reflector_free(kind->reflector);
	free((char *)kind->config.group);
	free((char *)kind->config.versions);
	free((char *)kind->config.resource);
	free((char *)kind->config.kind);
	free((char *)kind->config.label_selector);
}

void mrd_kube_client_free(struct mrd_kube_client *client)
{
	if (!client)
		return;
	mrd_http_free(client->http);
	mrd_credential_free(client->credential);
	mrd_timer_free(client->timer);
	for (size_t i = 0; i < client->count; i++)
		free_kind(&client->kinds[i]);
	free(client->kinds);
	free(client->server);
	free(client->told.error);
	free(client);
}
