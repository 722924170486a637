/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/http.h"

#include "web.h"

/* ------------------------------------------------------------------------ the server's script */

static bool say_whole(struct server_conn *conn, const char *type, const char *more,
		      const char *body)
{
	char head[512];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n", type, more,
		 strlen(body));
	server_say(conn, head);
	server_say(conn, body);
	return true;
}

static bool say_large(struct server_conn *conn)
{
	static char body[300000];

	memset(body, 'x', sizeof(body) - 1);
	return say_whole(conn, "text/plain", "", body);
}

/* "hello hello" by gzip. */
static bool say_packed(struct server_conn *conn)
{
	static const unsigned char body[] = {
		0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9,
		0xc9, 0x57, 0xc8, 0x00, 0x91, 0x00, 0x40, 0xa6, 0x2d, 0x01, 0x0b, 0x00, 0x00, 0x00};
	char head[128];

	if (!strstr(conn->request, "Accept-Encoding: gzip\r\n"))
		return false;
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		 sizeof(body));
	server_say(conn, head);
	server_write(conn, (const char *)body, sizeof(body));
	return true;
}

static bool say_without_end(struct server_conn *conn)
{
	static char piece[100000];

	memset(piece, 'x', sizeof(piece));
	server_say(conn, "HTTP/1.1 200 OK\r\n\r\n");
	for (;;) /* it ends with the connection */
		server_write(conn, piece, sizeof(piece));
	return false;
}

static bool is_stopped; /* nothing new is answered */

static bool script(struct server_conn *conn)
{
	char number[16];

	if (is_stopped && server_asked(conn, "/livez?exclude=etcd"))
		pause();

	snprintf(number, sizeof(number), "%d", conn->number);
	if (server_asked(conn, "/whole"))
		return say_whole(conn, "application/json", "", "{\"a\":1}");
	if (server_asked(conn, "/large"))
		return say_large(conn);
	if (server_asked(conn, "/endless"))
		return say_without_end(conn);
	if (server_asked(conn, "/packed"))
		return say_packed(conn);
	if (server_asked(conn, "/echo"))
		return say_whole(conn, "text/plain", "", conn->request);
	if (server_asked(conn, "/number"))
		return say_whole(conn, "text/plain", "", number);
	if (server_asked(conn, "/early"))
		server_say(conn, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
	if (server_asked(conn, "/early"))
		return say_whole(conn, "text/plain", "", "late");
	if (server_asked(conn, "/slow-down"))
		server_say(conn, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
				 "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nstop");
	else if (server_asked(conn, "/elsewhere"))
		server_say(conn, "HTTP/1.1 302 Found\r\nLocation: /whole\r\n"
				 "Content-Length: 0\r\n\r\n");
	else if (server_asked(conn, "/chunks") || server_asked(conn, "/cut-chunk") ||
		 server_asked(conn, "/hang"))
		server_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				 "5\r\nfirst\r\n");
	else if (server_asked(conn, "/short"))
		server_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfew");
	else if (!server_asked(conn, "/mute"))
		return false; /* "/nothing" */
	if (server_asked(conn, "/chunks"))
		server_say(conn, "6\r\nsecond\r\n0\r\n\r\n");
	if (server_asked(conn, "/cut-chunk"))
		server_say(conn, "ff\r\nmiddle");
	if (server_asked(conn, "/mute") || server_asked(conn, "/hang"))
		pause();
	return !server_asked(conn, "/cut-chunk") && !server_asked(conn, "/short");
}

/* ------------------------------------------------------------------------ answers */

static const struct answer_row {
	const char *path;
	unsigned int status; /* 0: none came */
	const char *content_type;
	const char *body;
	const char *error; /* part of it; NULL: there is none */
	uint64_t retry_after_ms;
	uint64_t silence_ms;
	int refuse;
} answer_rows[] = {
	{.path = "/whole", .status = 200, .content_type = "application/json", .body = "{\"a\":1}"},
	{.path = "/chunks", .status = 200, .body = "firstsecond"},
	{.path = "/packed", .status = 200, .body = "hello hello"},
	{.path = "/early", .status = 200, .content_type = "text/plain", .body = "late"},
	{.path = "/slow-down",
	 .status = 429,
	 .content_type = "text/plain",
	 .body = "stop",
	 .retry_after_ms = 7000},
	{.path = "/elsewhere", .status = 302}, /* not followed */
	{.path = "/cut-chunk",
	 .status = 200,
	 .body = "firstmiddle",
	 .error = "the connection ended in the middle of the answer"},
	{.path = "/short",
	 .status = 200,
	 .body = "few",
	 .error = "the connection ended in the middle of the answer"},
	{.path = "/nothing", .error = "the connection ended without an answer"},
	{.path = "/mute", .silence_ms = 200, .error = "silent for 0.2 s"},
	{.path = "/hang",
	 .silence_ms = 1500,
	 .status = 200,
	 .body = "first",
	 .error = "silent for 1.5 s"},
	{.path = "/whole",
	 .status = 200,
	 .content_type = "application/json",
	 .body = "{\"a\":1}",
	 .refuse = -EPROTO,
	 .error = "the answer was given up"},
};

static void check_answer(const struct answer *answer, const struct answer_row *row, int port)
{
	char peer[32];

	snprintf(peer, sizeof(peer), "127.0.0.1:%d: ", port);
	assert_int_equal(answer->heads, row->status ? 1 : 0);
	assert_int_equal(answer->head.status, row->status);
	assert_string_equal(answer->content_type, row->content_type ? row->content_type : "");
	assert_int_equal(answer->head.retry_after_ms, row->retry_after_ms);
	assert_string_equal(answer->body.text, row->body ? row->body : "");
	print_message("  %s\n", answer->error);
	if (!row->error) {
		assert_string_equal(answer->error, "");
		return;
	}
	assert_memory_equal(answer->error, peer, strlen(peer));
	assert_non_null(strstr(answer->error, row->error));
}

static void answers_come_as_they_are(void **state)
{
	const struct side sides[] = {{.cert = NULL}, {.cert = &good}};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(answer_rows) / sizeof(answer_rows[0]); i++) {
		const struct answer_row *row = &answer_rows[i / 2];
		struct answer answer = {.refuse = row->refuse};
		struct rig rig;

		print_message("%s %s\n", i % 2 ? "https" : "http", row->path);
		open_rig(&rig, &sides[i % 2]);
		get(&rig, row->path, row->silence_ms, &answer);
		rig_run_until(&answer.done);
		check_answer(&answer, row, rig.server.port);
		close_rig(&rig);
		clear(&answer);
	}
}

/* A body that is longer than any buffer comes in pieces. */
static void a_long_answer_is_whole(void **state)
{
	const struct side side = {.cert = &good};
	struct answer answer = {0};
	struct rig rig;

	(void)state;
	open_rig(&rig, &side);
	get(&rig, "/large", 0, &answer);
	rig_run_until(&answer.done);
	assert_string_equal(answer.error, "");
	assert_int_equal(answer.body.len, 299999);
	close_rig(&rig);
	clear(&answer);
}

static const struct request_row {
	const char *name;
	struct side side;
	const char *lines[4]; /* of the request */
} request_rows[] = {
	{.name = "a token",
	 .side = {.cert = &good},
	 .lines = {"GET /echo?a=b%2Fc HTTP/1.1", "Authorization: Bearer " TOKEN,
		   "User-Agent: meridian/test", "Accept: application/json"}},
	{.name = "name and password",
	 .side = {.cert = &good, .user = "    username: me\n    password: pass\n"},
	 .lines = {"Authorization: Basic bWU6cGFzcw=="}},
	{.name = "another name in TLS, the server's in HTTP",
	 .side = {.cert = &misnamed, .cluster = "    tls-server-name: other.example\n"},
	 .lines = {"Host: 127.0.0.1:", "Authorization: Bearer " TOKEN}},
	{.name = "a client certificate",
	 .side = {.cert = &good, .client = &authority, .as = &client, .user = "    username: ''\n"},
	 .lines = {"GET /echo?a=b%2Fc HTTP/1.1"}},
	{.name = "not verified",
	 .side = {.cert = &misnamed,
		  .trust_nobody = true,
		  .cluster = "    insecure-skip-tls-verify: true\n"},
	 .lines = {"Authorization: Bearer " TOKEN}},
};

static void requests_say_who_asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(request_rows) / sizeof(request_rows[0]); i++) {
		const struct request_row *row = &request_rows[i];
		struct answer answer = {0};
		struct rig rig;

		print_message("%s\n", row->name);
		open_rig(&rig, &row->side);
		get(&rig, "/echo?a=b%2Fc", 0, &answer);
		assert_int_equal(mrd_http_generation(answer.request), 1);
		rig_run_until(&answer.done);
		assert_string_equal(answer.error, "");
		for (size_t j = 0; j < 4 && row->lines[j]; j++)
			if (!strstr(answer.body.text, row->lines[j]))
				assert_string_equal(answer.body.text, row->lines[j]);
		close_rig(&rig);
		clear(&answer);
	}
}

/* ------------------------------------------------------------------------ no connection */

static const struct refusal_row {
	const char *name;
	struct side side;
	const char *errors[3]; /* parts of it */
} refusal_rows[] = {
	{.name = "nobody listens",
	 .side = {.port = 1},
	 .errors = {"127.0.0.1:1: cannot connect: "
		    "Connection refused"}},
	{.name = "another name",
	 .side = {.cert = &misnamed},
	 .errors = {"the certificate is not for 127.0.0.1 but for other.example, 10.9.8.7 and no "
		    "other name"}},
	{.name = "another name than tls-server-name",
	 .side = {.cert = &good, .cluster = "    tls-server-name: other.example\n"},
	 .errors = {"but for good.example, 127.0.0.1 and no other name", "127.0.0.1:"}},
	{.name = "an issuer that is not trusted",
	 .side = {.cert = &stranger},
	 .errors = {"the certificate of CN=stranger is issued by CN=stranger, which is not among"}},
	{.name = "an issuer that the system does not know",
	 .side = {.cert = &good, .trust_nobody = true},
	 .errors = {"the certificate of CN=good is issued by CN=authority, which is not among"}},
	{.name = "expired",
	 .side = {.cert = &expired},
	 .errors = {"the certificate of CN=expired has expired on "}},
	{.name = "no client certificate", .side = {.cert = &good, .client = &authority}},
	{.name = "a client certificate of another authority",
	 .side = {.cert = &good, .client = &authority, .as = &stranger}},
	{.name = "a proxy that is not there",
	 .side = {.cert = &good, .cluster = "    proxy-url: http://me:" TOKEN "@127.0.0.1:1\n"},
	 .errors = {"cannot connect to the proxy before it: Connection refused"}},
};

static void what_is_wrong_with_a_connection_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusal_rows) / sizeof(refusal_rows[0]); i++) {
		const struct refusal_row *row = &refusal_rows[i];
		struct answer answer = {0};
		struct rig rig;

		print_message("%s\n", row->name);
		open_rig(&rig, &row->side);
		get(&rig, "/whole", 0, &answer);
		rig_run_until(&answer.done);
		print_message("  %s\n", answer.error);
		assert_string_not_equal(answer.error, "");
		assert_int_equal(answer.heads, 0);
		assert_null(strstr(answer.error, TOKEN));
		for (size_t j = 0; j < 3 && row->errors[j]; j++)
			if (!strstr(answer.error, row->errors[j]))
				assert_string_equal(answer.error, row->errors[j]);
		close_rig(&rig);
		clear(&answer);
	}
}

/* ------------------------------------------------------------------------ meddling */

static void many_requests_run_at_once(void **state)
{
	static const char *const paths[] = {"/whole", "/chunks",    "/cut-chunk",
					    "/large", "/slow-down", "/packed"};
	const struct side side = {.cert = &good};
	struct answer answers[6] = {{0}};
	struct answer hanging = {0};
	struct rig rig;

	(void)state;
	open_rig(&rig, &side);
	get(&rig, "/hang", 0, &hanging);
	for (size_t i = 0; i < 6; i++)
		get(&rig, paths[i], 0, &answers[i]);
	for (size_t i = 0; i < 6; i++) {
		rig_run_until(&answers[i].done);
		print_message("%s: %s\n", paths[i], answers[i].error);
		assert_int_equal(!answers[i].error[0], i != 2);
		clear(&answers[i]);
	}
	assert_false(hanging.done); /* one that is slow delays no other */
	assert_string_equal(hanging.body.text, "first");
	mrd_http_cancel(hanging.request);
	assert_false(hanging.done);
	close_rig(&rig);
	clear(&hanging);
}

static void a_request_may_be_cancelled_in_each_of_its_hooks(void **state)
{
	static const char *const hooks[] = {"head", "body", "end"};
	const struct side side = {.cert = &good};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct answer answer = {.in = hooks[i]};
		struct rig rig;

		print_message("%s\n", hooks[i]);
		open_rig(&rig, &side);
		get(&rig, "/chunks", 0, &answer);
		answer.cancel = answer.request;
		rig_run_until(&answer.done);
		rig_run_for(50);
		assert_int_equal(answer.calls_after, 0);
		assert_int_equal(answer.error != NULL, i == 2);
		close_rig(&rig);
		clear(&answer);
	}
}

static void another_request_may_be_cancelled_in_a_hook(void **state)
{
	static const char *const hooks[] = {"head", "body", "end"};
	const struct side sides[] = {{.cert = NULL}, {.cert = &good}};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct answer victim = {0};
		struct answer answer = {.in = hooks[i / 2]};
		struct rig rig;

		print_message("%s %s\n", i % 2 ? "https" : "http", hooks[i / 2]);
		open_rig(&rig, &sides[i % 2]);
		get(&rig, "/mute", 0, &victim);
		get(&rig, "/chunks", 0, &answer);
		answer.cancel = victim.request;
		rig_run_until(&answer.done);
		assert_string_equal(answer.error, "");
		assert_string_equal(answer.body.text, "firstsecond");
		rig_run_for(50);
		assert_false(victim.done);
		close_rig(&rig);
		clear(&victim);
		clear(&answer);
	}
}

static void a_hook_may_send_another_request(void **state)
{
	static const char *const hooks[] = {"head", "body", "end"};
	const struct side side = {.cert = &good};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct answer next = {0};
		struct answer answer = {.in = hooks[i], .then_get = "/whole", .then = &next};
		struct rig rig;

		print_message("%s\n", hooks[i]);
		open_rig(&rig, &side);
		get(&rig, "/chunks", 0, &answer);
		rig_run_until(&answer.done);
		rig_run_until(&next.done);
		assert_string_equal(answer.error, "");
		assert_string_equal(next.error, "");
		assert_string_equal(next.body.text, "{\"a\":1}");
		close_rig(&rig);
		clear(&next);
		clear(&answer);
	}
}

static void the_client_may_end_in_a_hook_and_in_flight(void **state)
{
	static const char *const hooks[] = {"head", "body", "end", NULL};
	const struct side side = {.cert = &good};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct answer other = {0};
		struct answer answer = {.in = hooks[i], .free_client = true};
		struct rig rig;

		print_message("%s\n", hooks[i]);
		open_rig(&rig, &side);
		get(&rig, "/hang", 0, &other);
		get(&rig, "/chunks", 0, &answer);
		if (hooks[i])
			rig_run_until(&answer.done);
		close_rig(&rig);
		rig_run_for(50);
		assert_int_equal(answer.calls_after, 0);
		assert_false(other.done);
		clear(&other);
		clear(&answer);
	}
}

/* ------------------------------------------------------------------------ connections */

/* One answer after the other comes over one connection; another credential gets another. */
static void a_connection_is_used_again_until_the_credential_changes(void **state)
{
	const char *const numbers[] = {"1", "1", "2", "2"};
	const struct side side = {.cert = &good};
	const struct side next = {.cert = &good, .user = "    token: another\n"};
	struct answer answer = {0};
	struct rig rig;

	(void)state;
	open_rig(&rig, &side);
	for (size_t i = 0; i < 4; i++) {
		if (i == 2) {
			write_side(&next, rig.server.port);
			rig_run_for(50);
		}
		get(&rig, "/number", 0, &answer);
		assert_int_equal(mrd_http_generation(answer.request), i < 2 ? 1 : 2);
		rig_run_until(&answer.done);
		assert_string_equal(answer.error, "");
		assert_string_equal(answer.body.text, numbers[i]);
		clear(&answer);
	}
	close_rig(&rig);
}

/* Over HTTP/1.1 the sign of life is asked for on a connection of its own. */
static void a_server_that_has_stopped_is_noticed(void **state)
{
	const struct side side = {.cert = &good};
	struct answer watched = {0};
	struct rig rig;

	(void)state;
	for (int stopped = 0; stopped < 2; stopped++) {
		is_stopped = stopped;
		open_rig(&rig, &side);
		get(&rig, "/hang", 0, &watched);
		while (!mrd_http_heard_ns(rig.http))
			rig_run_for(10);
		mrd_http_set_ping(rig.http, 300, 300);
		if (stopped) {
			rig_run_until(&watched.done);
			assert_non_null(strstr(watched.error, "silent for 0.6 s"));
		} else {
			rig_run_for(1500);
			assert_false(watched.done);
		}
		close_rig(&rig);
		clear(&watched);
	}
	is_stopped = false;
}

/* An answer that may be silent must have begun. Who did not answer is not asked on that connection.
 */
static void an_answer_that_does_not_begin_is_given_up(void **state)
{
	const struct side side = {.cert = &good};
	struct answer muted = {0};
	struct answer next = {0};
	struct rig rig;

	(void)state;
	open_rig(&rig, &side);
	mrd_http_set_ping(rig.http, 500, 500);
	get(&rig, "/mute", 0, &muted);
	rig_run_until(&muted.done);
	assert_int_equal(muted.heads, 0);
	assert_non_null(strstr(muted.error, "silent for 1 s"));
	mrd_http_set_ping(rig.http, 60000, 60000);
	get(&rig, "/number", 0, &next);
	rig_run_until(&next.done);
	assert_string_equal(next.error, "");
	close_rig(&rig);
	clear(&muted);
	clear(&next);
}

/* ------------------------------------------------------------------------ streams without end */

static struct {
	size_t bytes;
	size_t round; /* of which in this one */
	size_t most;
} stream;

static void begin_round(void *self)
{
	(void)self;
	stream.round = 0;
}

static void ignore_head(void *self, const struct mrd_http_head *head)
{
	(void)self;
	(void)head;
}

static int count_body(void *self, const void *data, size_t len)
{
	(void)self;
	(void)data;
	stream.bytes += len;
	stream.round += len;
	if (stream.round > stream.most)
		stream.most = stream.round;
	return 0;
}

static void never_end(void *self, const char *error)
{
	(void)self;
	fail_msg("ended: %s", error);
}

static bool is_much; /* of the stream */

static void stop_at_much(void *self)
{
	(void)self;
	is_much = stream.bytes > 5000000;
	if (*rig_until || is_much)
		mrd_loop_stop(rig_loop);
}

static size_t bytes_after(uint64_t ms)
{
	rig_run_for(ms);
	return stream.bytes;
}

/* However fast it comes, a round of the loop takes a piece of it, and none while it is behind. */
static void a_stream_without_end_comes_in_pieces(void **state)
{
	static const struct side sides[] = {{.cert = NULL}, {.cert = &good}};
	const struct mrd_http_hooks hooks = {
		.head = ignore_head, .body = count_body, .end = never_end};
	const bool never = false;

	(void)state;
	mrd_loop_set_wake(rig_loop, begin_round, NULL);
	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		struct mrd_http_request *request;
		struct answer answer = {0};
		struct rig fast;
		struct rig rig;
		size_t bytes;

		print_message("case: %s\n", sides[i].cert ? "encrypted" : "plain");
		memset(&stream, 0, sizeof(stream));
		open_rig(&fast, &sides[i]);
		open_rig(&rig, &sides[i]);
		assert_int_equal(
			mrd_http_get(fast.http, "/endless", "Accept: */*", 0, &hooks, &request), 0);
		rig_until = &never;
		mrd_loop_set_idle(rig_loop, stop_at_much, NULL);
		assert_int_equal(mrd_loop_run(rig_loop), 0);
		assert_true(is_much);
		get(&rig, "/whole", 0, &answer);
		rig_run_until(&answer.done);
		assert_string_equal(answer.error, "");
		print_message("at most %zu bytes in a round\n", stream.most);
		assert_in_range(stream.most, 1, 200000);

		mrd_loop_set_behind(rig_loop, true);
		bytes = bytes_after(100);
		assert_int_equal(bytes_after(100), bytes);
		clear(&answer);
		get(&rig, "/whole", 0, &answer);
		rig_run_until(&answer.done);
		assert_string_equal(answer.error, "");
		assert_int_equal(stream.bytes, bytes);
		mrd_loop_set_behind(rig_loop, false);
		assert_true(bytes_after(100) > bytes);
		close_rig(&fast);
		close_rig(&rig);
		clear(&answer);
	}
	mrd_loop_set_wake(rig_loop, NULL, NULL);
}

/* Whatever comes is a sign of life, a ping's answer too; that nothing comes, or an end, is none. */
static void when_it_was_heard_is_told(void **state)
{
	const struct side side = {.cert = &good};
	struct answer watched = {0};
	struct answer ended = {0};
	uint64_t heard_ns;
	struct rig rig;

	(void)state;
	for (int stopped = 0; stopped < 2; stopped++) {
		print_message("case: %s\n", stopped ? "stopped" : "idle");
		is_stopped = stopped;
		open_rig(&rig, &side);
		assert_int_equal(mrd_http_heard_ns(rig.http), 0);
		get(&rig, "/hang", 0, &watched);
		while (!mrd_http_heard_ns(rig.http))
			rig_run_for(10);
		mrd_http_set_ping(rig.http, 100, 100);
		heard_ns = mrd_http_heard_ns(rig.http);
		if (stopped) {
			rig_run_until(&watched.done);
			heard_ns = mrd_http_heard_ns(rig.http); /* the ping's handshake */
			rig_run_for(300);
			assert_int_equal(mrd_http_heard_ns(rig.http), heard_ns);
		} else {
			while (mrd_http_heard_ns(rig.http) == heard_ns)
				rig_run_for(10);
			mrd_http_set_ping(rig.http, 60000, 60000);
			do {
				heard_ns = mrd_http_heard_ns(rig.http);
				rig_run_for(300);
			} while (mrd_http_heard_ns(rig.http) != heard_ns);
			server_stop(&rig.server);
			rig_run_until(&watched.done);
			assert_int_equal(mrd_http_heard_ns(rig.http), heard_ns);
			get(&rig, "/whole", 0, &ended);
			rig_run_until(&ended.done);
			assert_string_not_equal(ended.error, "");
			assert_int_equal(mrd_http_heard_ns(rig.http), heard_ns);
		}
		close_rig(&rig);
		clear(&watched);
		clear(&ended);
	}
	is_stopped = false;
}

/* What is under way with the old credential goes on. */
static void an_open_answer_outlives_its_credential(void **state)
{
	const struct side side = {.cert = &good};
	const struct side next = {.cert = &good, .user = "    token: another\n"};
	struct answer old = {0};
	struct answer answer = {0};
	struct rig rig;

	(void)state;
	open_rig(&rig, &side);
	get(&rig, "/hang", 1500, &old);
	rig_run_for(50);
	write_side(&next, rig.server.port);
	rig_run_for(50);
	get(&rig, "/echo", 0, &answer);
	rig_run_until(&answer.done);
	assert_non_null(strstr(answer.body.text, "Authorization: Bearer another\r\n"));
	assert_false(old.done);
	rig_run_until(&old.done);
	assert_non_null(strstr(old.error, "silent for 1.5 s"));
	close_rig(&rig);
	clear(&old);
	clear(&answer);
}

static void without_a_credential_nothing_is_sent(void **state)
{
	const struct mrd_kube_where where = {.kubeconfig = rig_path("none"), .context = ""};
	const struct mrd_http_hooks hooks = {.head = on_head, .body = on_body, .end = on_end};
	struct mrd_http_request *request = NULL;
	struct rig rig = {0};

	(void)state;
	assert_int_equal(
		mrd_credential_new(rig_loop, &where, on_change, NULL, &rig, &rig.credential), 0);
	assert_int_equal(mrd_http_new(rig_loop, rig.credential, "meridian/test", &rig.http), 0);
	assert_int_equal(mrd_http_get(rig.http, "/whole", "Accept: */*", 0, &hooks, &request),
			 -EAGAIN);
	assert_null(request);
	close_rig(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_has_stopped_is_noticed),
		cmocka_unit_test(an_answer_that_does_not_begin_is_given_up),
		cmocka_unit_test(a_stream_without_end_comes_in_pieces),
		cmocka_unit_test(when_it_was_heard_is_told),
		cmocka_unit_test(answers_come_as_they_are),
		cmocka_unit_test(a_long_answer_is_whole),
		cmocka_unit_test(requests_say_who_asks),
		cmocka_unit_test(what_is_wrong_with_a_connection_is_said),
		cmocka_unit_test(many_requests_run_at_once),
		cmocka_unit_test(a_request_may_be_cancelled_in_each_of_its_hooks),
		cmocka_unit_test(another_request_may_be_cancelled_in_a_hook),
		cmocka_unit_test(a_hook_may_send_another_request),
		cmocka_unit_test(the_client_may_end_in_a_hook_and_in_flight),
		cmocka_unit_test(a_connection_is_used_again_until_the_credential_changes),
		cmocka_unit_test(an_open_answer_outlives_its_credential),
		cmocka_unit_test(without_a_credential_nothing_is_sent),
	};

	web_script = script;
	return cmocka_run_group_tests_name("kube/http", tests, web_set_up, web_tear_down);
}
