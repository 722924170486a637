/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A client with its credential, a server with its certificate, and what comes of a request. */
#ifndef MRD_TEST_KUBE_WEB_H
#define MRD_TEST_KUBE_WEB_H

#include "kube/http.h"
#include "rig.h"
#include "server.h"

#define TOKEN "s3cr3t-token"

static struct cert authority;
static struct cert stranger; /* an authority that nobody trusts */
static struct cert good;
static struct cert misnamed;
static struct cert expired;
static struct cert client;

static server_script web_script; /* of the servers that open_rig() starts */

struct rig {
	struct server server;
	struct mrd_credential *credential;
	struct mrd_http *http;
};

struct answer {
	struct rig *rig;
	struct mrd_http_request *request;
	struct mrd_http_request *cancel; /* in the first call of the hook that is named… */
	const char *in;			 /* "head", "body" or "end" */
	const char *then_get;		 /* …or get this */
	struct answer *then;		 /* …into here */
	bool free_client;		 /* …or end the client */
	int refuse;			 /* what body returns */
	struct mrd_http_head head;
	char content_type[64];
	struct mrd_strbuf body;
	char *error;
	unsigned int heads;
	unsigned int calls_after; /* of the end, or of having been cancelled in a hook */
	bool over;
	bool done;
};

static inline void get(struct rig *rig, const char *path, uint64_t silence_ms,
		       struct answer *answer);

static inline void meddle(struct answer *answer, const char *where)
{
	if (answer->over)
		answer->calls_after++;
	if (!answer->in || strcmp(answer->in, where) != 0)
		return;
	answer->in = NULL;
	if (answer->cancel) {
		answer->over = answer->cancel == answer->request;
		mrd_http_cancel(answer->cancel);
		answer->done |= answer->over;
	}
	if (answer->then_get)
		get(answer->rig, answer->then_get, 0, answer->then);
	if (answer->free_client) {
		mrd_http_free(answer->rig->http);
		answer->rig->http = NULL;
		answer->over = answer->done = true;
	}
}

static inline void on_head(void *self, const struct mrd_http_head *head)
{
	struct answer *answer = self;

	answer->heads++;
	answer->head = *head;
	snprintf(answer->content_type, sizeof(answer->content_type), "%s", head->content_type);
	meddle(answer, "head");
}

static inline int on_body(void *self, const void *data, size_t len)
{
	struct answer *answer = self;

	mrd_strbuf_add(&answer->body, data, len);
	meddle(answer, "body");
	return answer->refuse;
}

static inline void on_end(void *self, const char *error)
{
	struct answer *answer = self;

	answer->error = strdup(error);
	answer->done = true;
	meddle(answer, "end");
	answer->over = true;
}

static inline void get(struct rig *rig, const char *path, uint64_t silence_ms,
		       struct answer *answer)
{
	const struct mrd_http_hooks hooks = {
		.head = on_head, .body = on_body, .end = on_end, .self = answer};

	answer->rig = rig;
	mrd_strbuf_add(&answer->body, "", 0);
	assert_int_equal(mrd_http_get(rig->http, path, "Accept: application/json", silence_ms,
				      &hooks, &answer->request),
			 0);
	assert_false(answer->done);
}

static inline void clear(struct answer *answer)
{
	mrd_strbuf_free(&answer->body);
	free(answer->error);
	*answer = (struct answer){0};
}

static inline void on_change(void *self)
{
	(void)self;
}

struct side {
	const struct cert *cert;   /* the server's; NULL: not encrypted */
	const struct cert *client; /* must have signed clients */
	const char *cluster;	   /* further lines */
	const char *user;	   /* NULL: the token */
	const struct cert *as;	   /* the client's certificate */
	bool trust_nobody;	   /* no authority in the kubeconfig */
	int port;		   /* 0: the server's */
};

static inline void write_side(const struct side *side, int port)
{
	MRD_AUTO_STRBUF struct mrd_strbuf cluster = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf user = {0};

	mrd_strbuf_addf(&cluster, "    server: %s://127.0.0.1:%d\n", side->cert ? "https" : "http",
			port);
	if (side->cert && !side->trust_nobody)
		rig_add_base64(&cluster, "certificate-authority-data", authority.pem);
	mrd_strbuf_addf(&cluster, "%s", side->cluster ? side->cluster : "");
	mrd_strbuf_addf(&user, "%s", side->user ? side->user : "    token: " TOKEN "\n");
	if (side->as) {
		rig_add_base64(&user, "client-certificate-data", side->as->pem);
		rig_add_base64(&user, "client-key-data", side->as->key_pem);
	}
	rig_kubeconfig("config", cluster.text, user.text);
}

static inline void open_rig(struct rig *rig, const struct side *side)
{
	const struct server_config server = {
		.script = web_script, .cert = side->cert, .client = side->client};
	const struct mrd_kube_where where = {.kubeconfig = rig_path("config"), .context = ""};

	*rig = (struct rig){0};
	if (!side->port)
		rig->server = server_start(&server);
	write_side(side, side->port ? side->port : rig->server.port);
	assert_int_equal(
		mrd_credential_new(rig_loop, &where, on_change, NULL, rig, &rig->credential), 0);
	assert_string_equal(mrd_credential_error(rig->credential), "");
	assert_int_equal(mrd_http_new(rig_loop, rig->credential, "meridian/test", &rig->http), 0);
}

static inline void close_rig(struct rig *rig)
{
	mrd_http_free(rig->http);
	mrd_credential_free(rig->credential);
	server_stop(&rig->server);
}

static inline int web_set_up(void **state)
{
	authority = cert_make("authority", NULL, NULL, 1);
	stranger = cert_make("stranger", "IP:127.0.0.1", NULL, 1);
	good = cert_make("good", "DNS:good.example,IP:127.0.0.1", &authority, 1);
	misnamed = cert_make("misnamed", "DNS:other.example,IP:10.9.8.7", &authority, 1);
	expired = cert_make("expired", "IP:127.0.0.1", &authority, -1);
	client = cert_make("client", NULL, &authority, 1);
	return rig_set_up(state);
}

static inline int web_tear_down(void **state)
{
	cert_free(&authority);
	cert_free(&stranger);
	cert_free(&good);
	cert_free(&misnamed);
	cert_free(&expired);
	cert_free(&client);
	return rig_tear_down(state);
}

#endif
