/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * libcurl names the descriptors and the time that it waits for; the loop calls it when they come. A
 * descriptor is taken out of the loop before libcurl closes it, whatever libcurl says of it
 * otherwise: its number may be another connection's a moment later.
 *
 * Certificates and keys are handed over as memory. Copies that libcurl makes of a header while it
 * sends it are out of reach; ours are overwritten.
 */
#include "kube/http_era.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strbuf.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	/* A peer that is gone is noticed after at most 25 s: idle, and then two probes. Data that
	 * nobody acknowledges, after 20. */
	KEEP_IDLE_S = 10,
	KEEP_INTERVAL_S = 5,
	KEEP_COUNT = 3,
	USER_TIMEOUT_MS = 20000,
	BUFFER_SIZE = 16 * 1024, /* a record of TLS; packed, it may hold a thousand times as much */
};

struct mrd_http_socket {
	struct mrd_http_era *era;
	struct mrd_http_socket *next;
	struct mrd_watch *watch;
	curl_socket_t fd;
	uint32_t events; /* that libcurl waits for */
	uint32_t missed; /* that came while it was held */
	uint64_t served_ns;
};

/* ------------------------------------------------------------------------ loop */

/* The end of a connection is no sign of life. */
static bool has_bytes(curl_socket_t fd)
{
	char byte;

	return recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void serve(struct mrd_http_socket *socket, uint32_t epoll_events)
{
	struct mrd_http_era *era = socket->era;
	const curl_socket_t fd = socket->fd;
	int running;
	int mask = 0;

	socket->missed = 0;
	socket->served_ns = mrd_clock_ns();
	mask |= epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0;
	mask |= epoll_events & (EPOLLOUT | EPOLLERR) ? CURL_CSELECT_OUT : 0;
	if (epoll_events & EPOLLIN && has_bytes(fd))
		era->heard_ns = socket->served_ns;
	era->enter(era->self, era);
	sym_curl_multi_socket_action(era->multi, fd, mask, &running);
	era->leave(era->self);
}

static void on_socket(void *self, uint32_t epoll_events)
{
	struct mrd_http_socket *socket = self;

	if (!socket->era->is_held) {
		serve(socket, epoll_events);
		return;
	}
	socket->missed |= epoll_events;
	/* The end of a connection is told whoever asks; by the edge, only once. */
	mrd_loop_rewatch(socket->watch, EPOLLET);
}

static void on_timer(void *self)
{
	struct mrd_http_era *era = self;
	int running;

	era->timer_is_due = era->is_held;
	if (era->is_held)
		return;
	era->enter(era->self, era);
	sym_curl_multi_socket_action(era->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	era->leave(era->self);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *self)
{
	const struct mrd_http_era *era = self;

	(void)multi;
	mrd_timer_set(era->timer,
		      timeout_ms < 0 ? 0 : mrd_clock_ns() + (uint64_t)timeout_ms * MRD_NS_PER_MS);
	return 0;
}

static struct mrd_http_socket **find_socket(struct mrd_http_era *era, curl_socket_t fd)
{
	struct mrd_http_socket **at = &era->sockets;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	return at;
}

static void drop_socket(struct mrd_http_era *era, curl_socket_t fd)
{
	struct mrd_http_socket **at = find_socket(era, fd);
	struct mrd_http_socket *socket = *at;

	if (!socket)
		return;
	*at = socket->next;
	mrd_loop_unwatch(socket->watch);
	free(socket);
}

static int add_socket(struct mrd_http_era *era, curl_socket_t fd, uint32_t events)
{
	MRD_AUTO_FREE struct mrd_http_socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return -1;
	*socket = (struct mrd_http_socket){
		.era = era,
		.fd = fd,
		.events = events,
		.served_ns = mrd_clock_ns(),
		.next = era->sockets,
	};
	if (mrd_loop_watch(era->loop, fd, events, on_socket, socket, &socket->watch) < 0)
		return -1;
	era->sockets = MRD_STEAL_PTR(socket);
	return 0;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *unused)
{
	struct mrd_http_era *era = self;
	struct mrd_http_socket *socket = *find_socket(era, fd);
	uint32_t events = 0;

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		drop_socket(era, fd);
		return 0;
	}
	events |= what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0;
	events |= what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0;
	if (!socket)
		return add_socket(era, fd, events);
	socket->events = events;
	return mrd_loop_rewatch(socket->watch, events) < 0 ? -1 : 0;
}

void mrd_http_era_hold(struct mrd_http_era *era)
{
	era->is_held = true;
}

void mrd_http_era_let_go(struct mrd_http_era *era)
{
	if (!era->is_held)
		return;
	era->is_held = false;
	for (const struct mrd_http_socket *it = era->sockets; it; it = it->next)
		mrd_loop_rewatch(it->watch, it->events);
	if (era->timer_is_due)
		mrd_timer_set(era->timer, mrd_clock_ns());
	era->timer_is_due = false;
}

static struct mrd_http_socket *first_missed(const struct mrd_http_era *era)
{
	struct mrd_http_socket *first = NULL;

	for (struct mrd_http_socket *it = era->sockets; it; it = it->next)
		if (it->missed && (!first || it->served_ns < first->served_ns))
			first = it;
	return first;
}

uint64_t mrd_http_era_missed_ns(const struct mrd_http_era *era)
{
	const struct mrd_http_socket *socket = first_missed(era);

	return socket ? socket->served_ns : UINT64_MAX;
}

void mrd_http_era_serve_missed(struct mrd_http_era *era)
{
	struct mrd_http_socket *socket = first_missed(era);

	if (socket)
		serve(socket, socket->missed);
}

static int on_close(void *self, curl_socket_t fd)
{
	drop_socket(self, fd);
	return close(fd);
}

static int on_open(void *self, curl_socket_t fd, curlsocktype purpose)
{
	static const struct {
		int level;
		int option;
		int value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
	};

	(void)self;
	(void)purpose;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(fd, options[i].level, options[i].option, &options[i].value,
			       sizeof(options[i].value)) < 0)
			return CURL_SOCKOPT_ERROR;
	return CURL_SOCKOPT_OK;
}

/* ------------------------------------------------------------------------ who to be */

static int add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = line ? sym_curl_slist_append(*list, line) : NULL;

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int add_bearer(struct mrd_http_era *era, const char *token)
{
	char *line = NULL;
	int ret;

	if (!token[0])
		return 0;
	if (asprintf(&line, "Authorization: Bearer %s", token) < 0)
		return -ENOMEM;
	ret = add_line(&era->headers, line);
	mrd_secret_text_free(line);
	return ret;
}

static char *url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;

	return sym_curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK ? text : NULL;
}

/* With tls-server-name the URL has that name, which is asked for and checked in the handshake, and
 * the connection goes to the server all the same. */
static int set_names(struct mrd_http_era *era, const struct mrd_kube_access *access, CURLU *url)
{
	MRD_AUTO_FREE char *host = url_part(url, CURLUPART_HOST);
	MRD_AUTO_FREE char *port = url_part(url, CURLUPART_PORT);
	MRD_AUTO_FREE char *line = NULL;
	const char *name = access->tls_server_name;

	if (!host || !port || asprintf(&era->peer, "%s:%s", host, port) < 0)
		return -ENOMEM;
	era->name = strdup(name[0] ? name : host);
	if (!era->name)
		return -ENOMEM;
	if (!name[0]) {
		era->base = strdup(access->server);
		return era->base ? 0 : -ENOMEM;
	}
	if (asprintf(&line, "%s:%s:%s", name, port, era->peer) < 0)
		line = NULL;
	if (add_line(&era->connect_to, line) < 0)
		return -ENOMEM;
	free(MRD_STEAL_PTR(line));
	if (asprintf(&line, "Host: %s", era->peer) < 0)
		line = NULL;
	if (add_line(&era->headers, line) < 0)
		return -ENOMEM;
	if (sym_curl_url_set(url, CURLUPART_HOST, name, 0) != CURLUE_OK)
		return -EINVAL;
	era->base = url_part(url, CURLUPART_URL);
	if (!era->base)
		return -ENOMEM;
	for (size_t len = strlen(era->base); len && era->base[len - 1] == '/'; len--)
		era->base[len - 1] = '\0';
	return 0;
}

static int set_server(struct mrd_http_era *era, const struct mrd_kube_access *access)
{
	CURLU *url = sym_curl_url();
	int ret = -ENOMEM;

	era->server = strdup(access->server);
	if (url && era->server &&
	    sym_curl_url_set(url, CURLUPART_URL, access->server, 0) == CURLUE_OK)
		ret = set_names(era, access, url);
	sym_curl_url_cleanup(url);
	return ret;
}

static int copy_text(const char *text, struct mrd_secret *secret)
{
	return text[0] ? mrd_secret_copy(text, strlen(text), secret) : 0;
}

/* Names behind a SOCKS proxy are the proxy's to resolve, as in Go. */
static int copy_proxy(const char *url, struct mrd_secret *secret)
{
	static const char scheme[] = "socks5://";
	char *text = NULL;
	int ret;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return copy_text(url, secret);
	if (asprintf(&text, "socks5h://%s", url + sizeof(scheme) - 1) < 0)
		return -ENOMEM;
	ret = copy_text(text, secret);
	mrd_secret_text_free(text);
	return ret;
}

static int copy_bytes(const void *data, size_t len, struct mrd_secret *secret)
{
	return len ? mrd_secret_copy(data, len, secret) : 0;
}

static int set_identity(struct mrd_http_era *era, const struct mrd_credential_now *credential)
{
	const struct mrd_kube_access *access = credential->access;
	int ret = set_server(era, access);

	era->insecure = access->insecure;
	ret = ret ?: add_bearer(era, credential->token);
	ret = ret ?: copy_proxy(access->proxy_url, &era->proxy);
	ret = ret ?: copy_text(access->username, &era->username);
	ret = ret ?: copy_text(access->password, &era->password);
	ret = ret ?: copy_bytes(credential->ca, credential->ca_len, &era->ca);
	ret = ret
		      ?: copy_bytes(credential->certificate, credential->certificate_len,
				    &era->certificate);
	return ret ?: copy_bytes(credential->key, credential->key_len, &era->key);
}

/* ------------------------------------------------------------------------ handles */

static void set_blob(CURL *easy, CURLoption option, const struct mrd_secret *secret)
{
	struct curl_blob blob = {
		.data = secret->data, .len = secret->len, .flags = CURL_BLOB_NOCOPY};

	if (secret->data)
		sym_curl_easy_setopt(easy, option, &blob);
}

static void set_tls(CURL *easy, struct mrd_http_era *era)
{
	sym_curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_blob(easy, CURLOPT_SSLCERT_BLOB, &era->certificate);
	set_blob(easy, CURLOPT_SSLKEY_BLOB, &era->key);
	if (era->insecure) {
		sym_curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		sym_curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
		return;
	}
	mrd_tls_watch(easy, &era->report);
	if (!era->ca.data)
		return;
	/* Who is named is trusted, and nobody of the system's besides. */
	sym_curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	sym_curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	set_blob(easy, CURLOPT_CAINFO_BLOB, &era->ca);
}

static void set_way(CURL *easy, struct mrd_http_era *era)
{
	sym_curl_easy_setopt(easy, CURLOPT_CONNECT_TO, era->connect_to);
	if (era->proxy.data) {
		sym_curl_easy_setopt(easy, CURLOPT_PROXY, era->proxy.data);
		sym_curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	}
	sym_curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	sym_curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	sym_curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open);
	sym_curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	sym_curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, era);
	sym_curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	sym_curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* never waits for a name's address */
}

CURL *mrd_http_era_handle(struct mrd_http_era *era, const char *path, const char *user_agent)
{
	MRD_AUTO_FREE char *url = NULL;
	CURL *easy;

	if (asprintf(&url, "%s%s", era->base, path) < 0) {
		url = NULL;
		return NULL;
	}
	easy = sym_curl_easy_init();
	if (!easy)
		return NULL;
	set_tls(easy, era);
	set_way(easy, era);
	sym_curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	sym_curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* Rather the same connection than two, but who does not encrypt has no HTTP/2 to wait for.
	 */
	sym_curl_easy_setopt(easy, CURLOPT_PIPEWAIT, strncmp(era->base, "https:", 6) ? 0L : 1L);
	sym_curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	sym_curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
	sym_curl_easy_setopt(easy, CURLOPT_HEADEROPT,
			     (long)CURLHEADER_SEPARATE); /* not to proxies */
	sym_curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
	if (era->username.data || era->password.data) {
		sym_curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		sym_curl_easy_setopt(easy, CURLOPT_USERNAME, era->username.data ?: "");
		sym_curl_easy_setopt(easy, CURLOPT_PASSWORD, era->password.data ?: "");
	}
	/* The one that copies what it is given and is of no use without. */
	if (sym_curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK) {
		sym_curl_easy_cleanup(easy);
		return NULL;
	}
	return easy;
}

/* ------------------------------------------------------------------------ life */

static void free_era(struct mrd_http_era **era)
{
	mrd_http_era_free(*era);
}

int mrd_http_era_new(struct mrd_loop *loop, const struct mrd_credential_now *credential,
		     struct mrd_http_era **ret_era)
{
	struct mrd_http_era *era MRD_CLEANUP(free_era) = calloc(1, sizeof(*era));
	int ret;

	if (!era)
		return -ENOMEM;
	era->loop = loop;
	era->generation = credential->generation;
	era->multi = sym_curl_multi_init();
	if (!era->multi)
		return -ENOMEM;
	ret = mrd_loop_timer(loop, on_timer, era, &era->timer);
	ret = ret ?: set_identity(era, credential);
	if (ret < 0)
		return ret;
	sym_curl_multi_setopt(era->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	sym_curl_multi_setopt(era->multi, CURLMOPT_SOCKETDATA, era);
	sym_curl_multi_setopt(era->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	sym_curl_multi_setopt(era->multi, CURLMOPT_TIMERDATA, era);
	*ret_era = MRD_STEAL_PTR(era);
	return 0;
}

static void free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *line = headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	sym_curl_slist_free_all(headers);
}

void mrd_http_era_free(struct mrd_http_era *era)
{
	if (!era)
		return;
	sym_curl_multi_cleanup(era->multi); /* closes connections, which asks for the timer */
	while (era->sockets)
		drop_socket(era, era->sockets->fd);
	mrd_timer_free(era->timer);
	mrd_tls_report_free(&era->report);
	free_headers(era->headers);
	sym_curl_slist_free_all(era->connect_to);
	mrd_secret_free(&era->ca);
	mrd_secret_free(&era->certificate);
	mrd_secret_free(&era->key);
	mrd_secret_free(&era->proxy);
	mrd_secret_free(&era->username);
	mrd_secret_free(&era->password);
	free(era->server);
	free(era->peer);
	free(era->name);
	free(era->base);
	free(era);
}
