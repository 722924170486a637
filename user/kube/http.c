/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * libcurl must not be told to end a transfer while it is in a callback, and neither are requests
 * ended while another's hooks run. So what is asked for meanwhile is only noted; when the outermost
 * call is over, settle() does it. Whatever a hook does is thus safe: new requests, cancelled ones,
 * the end of the client.
 *
 * When a round of the loop has had its piece of what the server says, requests are paused as they
 * come to their next bytes, of which libcurl keeps a buffer, and go on when it is their turn: who
 * was served longest ago comes first, be it a request that is paused or a socket not read since.
 *
 * A server from which nothing comes for a while is asked for a sign of life: a small request, over
 * HTTP/2 on the same connection, which any answer answers. TCP's keep-alive does not notice a
 * server that has stopped, nor one that is gone behind a load balancer.
 */
#include "kube/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "kube/http_era.h"

enum {
	PING_MS = 10000, /* without a byte, until it is asked */
	ANSWER_MS = 10000,
	LOOK_MS = 1000, /* least time between two looks at who is silent, unless it is asked for */
	PIECE_BYTES = 64 * 1024, /* of a round, or what comes within */
	PIECE_NS = 2000000,
};

/* Whoever has an account may ask for it, and it waits in no queue of the server's. Whether its
 * storage answers, for which it would wait, is not what is asked. */
static const char ping_path[] = "/livez?exclude=etcd";

enum state { QUEUED, SENT, DONE };

struct mrd_http_request {
	struct mrd_http *http;
	struct era *era;
	struct mrd_http_request *next;
	struct mrd_http_hooks hooks;
	CURL *easy;
	struct curl_slist headers; /* its own, and then the era's */
	enum state state;
	CURLcode result;
	bool is_cancelled;
	bool is_ended; /* its end is being told */
	bool is_ping;
	bool is_paused;
	bool head_told;
	bool gave_up; /* by its body hook */
	uint64_t generation;
	uint64_t silence_ms;
	uint64_t heard_ns;
	uint64_t served_ns; /* when its body hook was last called */
	uint64_t silent_ms; /* not 0: ended for being silent so long */
	char detail[CURL_ERROR_SIZE];
};

struct era {
	struct era *next;
	struct mrd_http_era *io;
	struct mrd_http_request *requests;
	struct mrd_http_request *ping; /* one of them, or NULL */
	bool is_dead;		       /* its connection: nothing new on it */
};

struct mrd_http {
	struct mrd_loop *loop;
	struct mrd_credential *credential;
	char *user_agent;
	struct era *eras; /* the newest first */
	struct mrd_timer *timer;
	struct mrd_later *later;
	struct {
		size_t bytes;
		uint64_t since_ns;
		bool is_over; /* until it is the client's turn again, if anything is paused */
	} piece;
	bool is_paused; /* a request is, or a socket waits for a turn */
	uint64_t heard_ns;
	uint64_t ping_ms;
	uint64_t answer_ms;
	unsigned int depth; /* of calls during which nothing is ended */
	bool is_freed;
};

static void settle(struct mrd_http *http);

/* ------------------------------------------------------------------------ errors */

static const char *host_of(const struct mrd_http_request *request)
{
	return request->era->io->peer;
}

static void add_connect_error(struct mrd_strbuf *text, const struct mrd_http_request *request)
{
	long error = 0;

	sym_curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &error);
	mrd_strbuf_addf(text, "cannot connect%s: %s",
			request->era->io->proxy.data ? " to the proxy before it" : "",
			error ? strerror((int)error) : request->detail);
}

static void add_certificate_error(struct mrd_strbuf *text, const struct mrd_http_request *request)
{
	const struct mrd_tls_report *report = &request->era->io->report;

	if (report->fault.len)
		mrd_strbuf_addf(text, "%s", report->fault.text);
	else if (report->names.len)
		mrd_strbuf_addf(text,
				"the certificate is not for %s but for %s and no other name "
				"(tls-server-name says which one to expect)",
				request->era->io->name, report->names.text);
	else
		mrd_strbuf_addf(text, "the certificate is not good: %s", request->detail);
}

static void add_cause(struct mrd_strbuf *text, const struct mrd_http_request *request)
{
	const char *detail =
		request->detail[0] ? request->detail : sym_curl_easy_strerror(request->result);

	switch (request->result) {
	case CURLE_COULDNT_RESOLVE_HOST:
		mrd_strbuf_addf(text, "the name cannot be resolved");
		break;
	case CURLE_COULDNT_CONNECT:
		add_connect_error(text, request);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		add_certificate_error(text, request);
		break;
	case CURLE_SSL_CERTPROBLEM:
		mrd_strbuf_addf(text, "client certificate or key cannot be used: %s", detail);
		break;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		mrd_strbuf_addf(text, "%s: %s",
				request->head_told
					? "the connection ended in the middle of the answer"
					: "the connection ended without an answer",
				detail);
		break;
	default:
		mrd_strbuf_addf(text, "%s", detail);
	}
}

/* "" when all is well. */
static void add_error(struct mrd_strbuf *text, const struct mrd_http_request *request)
{
	mrd_strbuf_add(text, "", 0);
	if (request->result == CURLE_OK && !request->silent_ms)
		return;
	mrd_strbuf_addf(text, "%s: ", host_of(request));
	if (request->silent_ms)
		mrd_strbuf_addf(text, "silent for %.3g s",
				(double)request->silent_ms / MRD_MS_PER_S);
	else if (request->gave_up)
		mrd_strbuf_addf(text, "the answer was given up");
	else
		add_cause(text, request);
}

/* ------------------------------------------------------------------------ libcurl's callbacks */

static bool is_over(const struct mrd_http_request *request)
{
	return request->is_cancelled || request->http->is_freed;
}

static void note_heard(struct mrd_http_request *request)
{
	request->heard_ns = mrd_clock_ns();
	request->http->heard_ns = request->era->io->heard_ns = request->heard_ns;
}

static void begin_piece(struct mrd_http *http)
{
	http->piece.bytes = 0;
	http->piece.since_ns = mrd_clock_ns();
	http->piece.is_over = false;
}

static void take_of_piece(struct mrd_http *http, size_t len)
{
	http->piece.bytes += len;
	http->piece.is_over = http->piece.bytes >= PIECE_BYTES ||
			      mrd_clock_ns() - http->piece.since_ns >= PIECE_NS;
}

static void wait_for_turn(struct mrd_http *http)
{
	for (struct era *era = http->eras; era; era = era->next)
		mrd_http_era_hold(era->io);
	http->is_paused = true;
	mrd_later_ask(http->later);
}

static size_t pause_request(struct mrd_http_request *request)
{
	request->is_paused = true;
	wait_for_turn(request->http);
	return CURL_WRITEFUNC_PAUSE;
}

static size_t on_header(char *line, size_t size, size_t count, void *self)
{
	struct mrd_http_request *request = self;
	struct mrd_http_head head = {.content_type = ""};
	const char *content_type = NULL;
	curl_off_t retry_after_s = 0;
	long status = 0;
	size_t len = size * count;

	if (is_over(request))
		return 0;
	note_heard(request);
	if (line[0] != '\r' && line[0] != '\n')
		return len;
	sym_curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || request->head_told) /* an answer before the answer; a trailer */
		return len;
	sym_curl_easy_getinfo(request->easy, CURLINFO_CONTENT_TYPE, &content_type);
	sym_curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	head.status = (unsigned int)status;
	if (content_type)
		head.content_type = content_type;
	if (retry_after_s > 0)
		head.retry_after_ms = (uint64_t)retry_after_s * MRD_MS_PER_S;
	request->head_told = true;
	request->hooks.head(request->hooks.self, &head);
	return is_over(request) ? 0 : len;
}

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
	struct mrd_http_request *request = self;
	const size_t len = size * count;

	if (is_over(request))
		return 0;
	if (request->http->piece.is_over)
		return pause_request(request);
	note_heard(request);
	request->served_ns = request->heard_ns;
	request->gave_up = request->hooks.body(request->hooks.self, data, len) != 0;
	take_of_piece(request->http, len);
	return request->gave_up || is_over(request) ? 0 : len;
}

/* ------------------------------------------------------------------------ settling */

static void free_request(struct mrd_http_request *request)
{
	struct era *era = request->era;
	struct mrd_http_request **at = &era->requests;

	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	if (era->ping == request)
		era->ping = NULL;
	if (request->state != QUEUED)
		sym_curl_multi_remove_handle(era->io->multi, request->easy);
	sym_curl_easy_cleanup(request->easy);
	free(request);
}

static bool start(struct mrd_http_request *request)
{
	request->state = SENT;
	if (sym_curl_multi_add_handle(request->era->io->multi, request->easy) == CURLM_OK)
		return true;
	request->state = DONE;
	request->result = CURLE_OUT_OF_MEMORY;
	return false;
}

static void finish(struct mrd_http_request *request)
{
	MRD_AUTO_STRBUF struct mrd_strbuf error = {0};

	request->is_ended = true;
	add_error(&error, request);
	request->hooks.end(request->hooks.self, error.text ? error.text : "out of memory");
	free_request(request);
}

static void take_results(struct era *era)
{
	CURLMsg *message;
	int left;

	while ((message = sym_curl_multi_info_read(era->io->multi, &left))) {
		struct mrd_http_request *request = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		sym_curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		if (!request)
			continue;
		request->state = DONE;
		request->result = message->data.result;
	}
}

/* One thing that is to be done; false: there is none. */
static bool settle_one(struct mrd_http *http)
{
	for (struct era *era = http->eras; era; era = era->next) {
		take_results(era);
		for (struct mrd_http_request *it = era->requests; it; it = it->next) {
			if (it->is_cancelled)
				free_request(it);
			else if (it->state == QUEUED)
				start(it);
			else if (it->state == DONE || it->silent_ms)
				finish(it);
			else
				continue;
			return true;
		}
	}
	return false;
}

static void free_era(struct era *era)
{
	while (era->requests)
		free_request(era->requests);
	mrd_http_era_free(era->io);
	free(era);
}

static void drop_old_eras(struct mrd_http *http)
{
	struct era **at = http->eras ? &http->eras->next : &http->eras;

	while (*at) {
		struct era *era = *at;

		if (era->requests) {
			at = &era->next;
			continue;
		}
		*at = era->next;
		free_era(era);
	}
}

static void destroy(struct mrd_http *http)
{
	while (http->eras) {
		struct era *era = http->eras;

		http->eras = era->next;
		free_era(era);
	}
	mrd_timer_free(http->timer);
	mrd_later_free(http->later);
	free(http->user_agent);
	free(http);
}

/* May free the client. */
static void settle(struct mrd_http *http)
{
	if (http->depth)
		return;
	http->depth++;
	while (!http->is_freed && settle_one(http))
		;
	if (!http->is_freed)
		drop_old_eras(http);
	http->depth--;
	if (http->is_freed)
		destroy(http);
}

static bool is_answered(const struct mrd_http_request *request)
{
	return request->state == SENT && request->head_told;
}

static bool any_answered(const struct era *era)
{
	for (const struct mrd_http_request *it = era->requests; it; it = it->next)
		if (is_answered(it))
			return true;
	return false;
}

static bool has_answered(const struct mrd_http *http, const struct mrd_http_era *io)
{
	for (const struct era *era = http->eras; era; era = era->next)
		if (era->io == io)
			return any_answered(era);
	return false;
}

static void enter(void *self, struct mrd_http_era *io)
{
	struct mrd_http *http = self;

	if (!http->is_paused)
		begin_piece(http);
	/* A connection that says nothing but its handshake may be anybody's. */
	if (io->heard_ns > http->heard_ns && has_answered(http, io))
		http->heard_ns = io->heard_ns;
	http->depth++;
}

static void leave(void *self)
{
	struct mrd_http *http = self;

	http->depth--;
	settle(http);
}

/* ------------------------------------------------------------------------ turns */

struct waiter {
	struct mrd_http_request *request; /* that is paused; NULL: a socket of the era */
	struct era *era;
	uint64_t since_ns;
};

/* To read for one is to read, and keep, what comes for the others. */
static bool shares_connection(const struct mrd_http_request *request)
{
	long version = 0;

	sym_curl_easy_getinfo(request->easy, CURLINFO_HTTP_VERSION, &version);
	return version >= CURL_HTTP_VERSION_2_0;
}

static void find_in_era(struct era *era, struct waiter *first)
{
	bool may_read = true;
	uint64_t missed_ns;

	for (struct mrd_http_request *it = era->requests; it; it = it->next) {
		if (!it->is_paused)
			continue;
		may_read = may_read && !shares_connection(it);
		if (it->served_ns < first->since_ns)
			*first = (struct waiter){it, era, it->served_ns};
	}
	missed_ns = mrd_http_era_missed_ns(era->io);
	if (may_read && missed_ns < first->since_ns)
		*first = (struct waiter){NULL, era, missed_ns};
}

/* Who was served longest ago. false: nobody waits. */
static bool find_waiter(const struct mrd_http *http, struct waiter *ret_first)
{
	*ret_first = (struct waiter){.since_ns = UINT64_MAX};
	for (struct era *era = http->eras; era; era = era->next)
		find_in_era(era, ret_first);
	return ret_first->since_ns != UINT64_MAX;
}

static void serve(const struct waiter *waiter)
{
	if (!waiter->request) {
		mrd_http_era_serve_missed(waiter->era->io);
		return;
	}
	waiter->request->is_paused = false;
	sym_curl_easy_pause(waiter->request->easy, CURLPAUSE_CONT);
}

/* Who waits goes on, one after the other, until the piece is over. What came while nobody read has
 * been waiting for us, not we for it. */
static void on_turn(void *self)
{
	struct mrd_http *http = self;
	struct waiter first;
	bool waits;

	http->depth++;
	begin_piece(http);
	for (struct era *era = http->eras; era; era = era->next) {
		mrd_http_era_let_go(era->io);
		for (struct mrd_http_request *it = era->requests; it; it = it->next)
			it->heard_ns = http->piece.since_ns;
	}
	while ((waits = find_waiter(http, &first)) && !http->piece.is_over)
		serve(&first);
	http->is_paused = waits;
	if (waits)
		wait_for_turn(http);
	http->depth--;
	settle(http);
}

/* ------------------------------------------------------------------------ silence */

static void ignore_head(void *self, const struct mrd_http_head *head)
{
	(void)self;
	(void)head;
}

static int ignore_body(void *self, const void *data, size_t len)
{
	(void)self;
	(void)data;
	(void)len;
	return 0;
}

static int add_request(struct mrd_http *http, struct era *era, const char *path, const char *accept,
		       uint64_t silence_ms, const struct mrd_http_hooks *hooks,
		       struct mrd_http_request **ret_request);

/* Without an answer to the ping the whole connection is silent. */
static void end_ping(void *self, const char *error)
{
	struct era *era = self;
	const struct mrd_http *http = era->ping->http;

	(void)error;
	if (!era->ping->silent_ms)
		return;
	era->is_dead = true;
	for (struct mrd_http_request *it = era->requests; it; it = it->next)
		if (it != era->ping)
			it->silent_ms = http->ping_ms + http->answer_ms;
}

static void ping(struct mrd_http *http, struct era *era, uint64_t now_ns)
{
	const struct mrd_http_hooks hooks = {
		.head = ignore_head, .body = ignore_body, .end = end_ping, .self = era};

	if (era->ping || era->is_dead || now_ns - era->io->heard_ns < http->ping_ms * MRD_NS_PER_MS)
		return;
	if (any_answered(era))
		add_request(http, era, ping_path, "Accept: */*", http->answer_ms, &hooks,
			    &era->ping);
}

/* Of an answer that may be silent the beginning must come as soon as a sign of life would. 0: it
 * may be silent. */
static uint64_t silence_of(const struct mrd_http_request *request)
{
	const struct mrd_http *http = request->http;

	if (request->silence_ms || request->head_told)
		return request->silence_ms;
	return http->ping_ms + http->answer_ms;
}

static void look_again(struct mrd_http *http, uint64_t now_ns)
{
	const uint64_t look_ms = http->ping_ms < LOOK_MS ? http->ping_ms : LOOK_MS;
	uint64_t due_ns = now_ns + look_ms * MRD_NS_PER_MS;
	bool any = false;

	for (const struct era *era = http->eras; era; era = era->next) {
		for (const struct mrd_http_request *it = era->requests; it; it = it->next) {
			const uint64_t silence_ms = silence_of(it);
			const uint64_t end_ns = it->heard_ns + silence_ms * MRD_NS_PER_MS;

			any = true;
			if (silence_ms && end_ns < due_ns)
				due_ns = end_ns;
		}
	}
	mrd_timer_set(http->timer, any ? due_ns : 0);
}

/* A connection of which nothing but silence is known is not used again. */
static void end_silent(struct era *era, uint64_t now_ns)
{
	bool any = false;

	for (struct mrd_http_request *it = era->requests; it; it = it->next) {
		const uint64_t silence_ms = silence_of(it);

		if (!silence_ms || now_ns - it->heard_ns < silence_ms * MRD_NS_PER_MS)
			continue;
		it->silent_ms = silence_ms;
		any = true;
	}
	era->is_dead |= any && !any_answered(era);
}

static void on_look(void *self)
{
	struct mrd_http *http = self;
	const uint64_t now_ns = mrd_clock_ns();

	http->depth++;
	for (struct era *era = http->is_paused ? NULL : http->eras; era; era = era->next) {
		end_silent(era, now_ns);
		ping(http, era, now_ns);
	}
	look_again(http, now_ns);
	http->depth--;
	settle(http);
}

/* ------------------------------------------------------------------------ outside */

int mrd_http_new(struct mrd_loop *loop, struct mrd_credential *credential, const char *user_agent,
		 struct mrd_http **ret_http)
{
	struct mrd_http *http;
	int ret;

	if (mrd_libraries_load())
		return -ENOSYS;
	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	http->loop = loop;
	mrd_http_set_ping(http, PING_MS, ANSWER_MS);
	http->credential = credential;
	http->user_agent = strdup(user_agent);
	ret = http->user_agent ? mrd_loop_timer(loop, on_look, http, &http->timer) : -ENOMEM;
	ret = ret ?: mrd_loop_later(loop, on_turn, http, &http->later);
	if (ret < 0) {
		destroy(http);
		return ret;
	}
	*ret_http = http;
	return 0;
}

void mrd_http_set_ping(struct mrd_http *http, uint64_t ping_ms, uint64_t answer_ms)
{
	http->ping_ms = ping_ms;
	http->answer_ms = answer_ms;
}

uint64_t mrd_http_heard_ns(const struct mrd_http *http)
{
	return http->heard_ns;
}

void mrd_http_free(struct mrd_http *http)
{
	if (!http)
		return;
	http->is_freed = true;
	settle(http);
}

static int add_era(struct mrd_http *http, const struct mrd_credential_now *credential)
{
	struct era *era = calloc(1, sizeof(*era));
	int ret;

	if (!era)
		return -ENOMEM;
	ret = mrd_http_era_new(http->loop, credential, &era->io);
	if (ret < 0) {
		free(era);
		return ret;
	}
	era->io->enter = enter;
	era->io->leave = leave;
	era->io->self = http;
	era->next = http->eras;
	http->eras = era;
	return 0;
}

static int add_request(struct mrd_http *http, struct era *era, const char *path, const char *accept,
		       uint64_t silence_ms, const struct mrd_http_hooks *hooks,
		       struct mrd_http_request **ret_request)
{
	struct mrd_http_request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	*request = (struct mrd_http_request){
		.http = http,
		.era = era,
		.next = era->requests,
		.hooks = *hooks,
		.easy = mrd_http_era_handle(era->io, path, http->user_agent),
		.headers = {.data = (char *)accept, .next = era->io->headers},
		.generation = era->io->generation,
		.silence_ms = silence_ms,
		.heard_ns = mrd_clock_ns(),
	};
	if (!request->easy) {
		free(request);
		return -ENOMEM;
	}
	sym_curl_easy_setopt(request->easy, CURLOPT_PRIVATE, request);
	sym_curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, &request->headers);
	sym_curl_easy_setopt(request->easy, CURLOPT_ERRORBUFFER, request->detail);
	sym_curl_easy_setopt(request->easy, CURLOPT_HEADERFUNCTION, on_header);
	sym_curl_easy_setopt(request->easy, CURLOPT_HEADERDATA, request);
	sym_curl_easy_setopt(request->easy, CURLOPT_WRITEFUNCTION, on_body);
	sym_curl_easy_setopt(request->easy, CURLOPT_WRITEDATA, request);
	era->requests = request;
	*ret_request = request;
	return 0;
}

int mrd_http_get(struct mrd_http *http, const char *path, const char *accept, uint64_t silence_ms,
		 const struct mrd_http_hooks *hooks, struct mrd_http_request **ret_request)
{
	struct mrd_http_request *request = NULL;
	struct mrd_credential_now credential;
	const uint64_t now_ns = mrd_clock_ns();
	int ret = mrd_credential_get(http->credential, now_ns, &credential);

	if (ret < 0)
		return ret;
	if (!http->eras || http->eras->is_dead ||
	    http->eras->io->generation != credential.generation)
		ret = add_era(http, &credential);
	ret = ret ?: add_request(http, http->eras, path, accept, silence_ms, hooks, &request);
	if (!request)
		return ret;
	if (!http->depth && !start(request)) {
		free_request(request);
		return -ENOMEM;
	}
	look_again(http, now_ns);
	*ret_request = request;
	return 0;
}

void mrd_http_cancel(struct mrd_http_request *request)
{
	if (!request || request->is_ended)
		return;
	request->is_cancelled = true;
	settle(request->http);
}

uint64_t mrd_http_generation(const struct mrd_http_request *request)
{
	return request->generation;
}
