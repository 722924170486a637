// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The reader of requests, fed as the hook feeds it: message by message, cut anywhere. What leaves
 * is compared with what a plain parser says, which has the whole stream before it.
 */
#include "bpf/lib/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

enum { STREAM_MAX = 16384, CUTS_MAX = STREAM_MAX };

struct stream {
	char bytes[STREAM_MAX];
	size_t len;
};

static void add(struct stream *stream, const char *bytes, size_t len)
{
	assert_true(stream->len + len <= sizeof(stream->bytes));
	memcpy(stream->bytes + stream->len, bytes, len);
	stream->len += len;
}

static void add_text(struct stream *stream, const char *text)
{
	add(stream, text, strlen(text));
}

/* One message, as bpf/request_limit.bpf.c sends it on. */
static void send_message(struct mrd_request *request, const char *bytes, size_t len,
			 struct stream *out)
{
	size_t at = 0;

	while (at < len && !mrd_request_is_over(request)) {
		if (mrd_request_skips(request)) {
			const size_t skipped = mrd_request_skip(request, (__u32)(len - at));

			add(out, bytes + at, skipped);
			at += skipped;
			continue;
		}
		switch (mrd_request_step(request, (__u8)bytes[at])) {
		case MRD_REQUEST_INSERT:
			add_text(out, MRD_CLOSE_LINE);
			mrd_request_closed(request);
			break;
		case MRD_REQUEST_OVERWRITE:
			if (at < MRD_KEEP_ALIVE_LEN)
				break; /* part of it has gone */
			memcpy(out->bytes + out->len - MRD_KEEP_ALIVE_LEN, MRD_CLOSE_TOKEN,
			       MRD_KEEP_ALIVE_LEN);
			mrd_request_closed(request);
			break;
		case MRD_REQUEST_GO_ON:
			add(out, &bytes[at++], 1);
		}
	}
	add(out, bytes + at, len - at);
}

/* cuts: cuts[i]: a message ends in front of byte i. */
static enum mrd_request_stage feed(const struct stream *in, const bool *cuts, __u32 limit,
				   struct stream *out)
{
	struct mrd_request request = {.limit = limit};
	size_t from = 0;

	out->len = 0;
	for (size_t at = 1; at <= in->len; at++) {
		if (at < in->len && !cuts[at])
			continue;
		send_message(&request, in->bytes + from, at - from, out);
		from = at;
	}
	return request.stage;
}

/* ------------------------------------------------------------------------- a plain parser */

/* The rest of a line that starts with name, within the header; NULL: there is none. */
static const char *header_value(const char *header, const char *name)
{
	for (const char *line = strstr(header, "\r\n"); line; line = strstr(line + 2, "\r\n"))
		if (!strncasecmp(line + 2, name, strlen(name)))
			return line + 2 + strlen(name);
	return NULL;
}

static size_t body_length(const char *header, const char *body)
{
	const char *value = header_value(header, "Transfer-Encoding:");
	const char *at = body;

	if (!value) {
		value = header_value(header, "Content-Length:");
		return value ? strtoul(value, NULL, 10) : 0;
	}
	for (;;) {
		const size_t size = strtoul(at, NULL, 16);

		at = strstr(at, "\r\n") + 2;
		if (!size)
			break;
		at += size + 2;
	}
	while (strncmp(at, "\r\n", 2) != 0)
		at = strstr(at, "\r\n") + 2;
	return (size_t)(at + 2 - body);
}

/* A word has ended when the byte behind it has come. */
static bool is_cut(const bool *cuts, size_t from, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (cuts[from + i])
			return true;
	return false;
}

/* What should leave, of a stream of proper requests. */
static void expect_of(struct stream *in, const bool *cuts, __u32 limit, struct stream *out)
{
	size_t at = 0;
	__u32 number = 0;

	in->bytes[in->len] = '\0';
	out->len = 0;
	while (at < in->len) {
		char header[STREAM_MAX];
		const char *end = strstr(in->bytes + at, "\r\n\r\n") + 4;
		const size_t len = (size_t)(end - (in->bytes + at));
		const char *kept;

		memcpy(header, in->bytes + at, len);
		header[len] = '\0';
		number++;
		add(out, header, len);
		at += len;
		if (number == limit && !header_value(header, "Connection: close")) {
			kept = strcasestr(header, "keep-alive\r\n");
			out->len -= len;
			if (kept && !is_cut(cuts, at - len + (size_t)(kept - header), 11)) {
				memcpy(header + (kept - header), MRD_CLOSE_TOKEN, 10);
				add(out, header, len);
			} else {
				add(out, header, len - 2);
				add_text(out, MRD_CLOSE_LINE "\r\n");
			}
		}
		if (number == limit || header_value(header, "Connection: close"))
			break;
		add(out, in->bytes + at, body_length(header, end));
		at += body_length(header, end);
	}
	add(out, in->bytes + at, in->len - at);
}

/* ------------------------------------------------------------------------------- whole cases */

#define GET	  "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_CLOSE "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define POST(n)	  "POST /x HTTP/1.1\r\nContent-Length: " #n "\r\n"
#define CHUNKED	  "PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"

static const struct {
	const char *name;
	const char *in;
	__u32 limit;
	const char *want; /* NULL: the same */
	enum mrd_request_stage stage;
} cases[] = {
	{"no limit", GET GET GET, 0, NULL, MRD_REQUEST_START},
	{"the first", GET, 1, GET_CLOSE, MRD_REQUEST_DONE},
	{"not yet", GET GET, 3, NULL, MRD_REQUEST_START},
	{"the third of three in one go", GET GET GET, 3, GET GET GET_CLOSE, MRD_REQUEST_DONE},
	{"what follows is left alone", GET GET GET, 2, GET GET_CLOSE GET, MRD_REQUEST_DONE},
	{
		.name = "a body by its length, with a decoy",
		.in = POST(27) "\r\n" GET GET,
		.limit = 2,
		.want = POST(27) "\r\n" GET GET_CLOSE,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "its own body is not touched",
		.in = POST(27) "\r\n" GET,
		.limit = 1,
		.want = POST(27) "Connection: close\r\n\r\n" GET,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "chunks, with decoys, an extension and a trailer",
		.in = CHUNKED "\r\n1B;x=\"y\"\r\n" GET "\r\n002\r\n\r\n\r\n0\r\nT: GET\r\n\r\n" GET,
		.limit = 2,
		.want = CHUNKED "\r\n1B;x=\"y\"\r\n" GET
				"\r\n002\r\n\r\n\r\n0\r\nT: GET\r\n\r\n" GET_CLOSE,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "keep-alive is overwritten",
		.in = "GET / HTTP/1.1\r\nConnection: Keep-Alive\r\nA: b\r\n\r\n",
		.limit = 1,
		.want = "GET / HTTP/1.1\r\nConnection: close     \r\nA: b\r\n\r\n",
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "behind another word",
		.in = "GET / HTTP/1.1\r\nconnection:TE,keep-alive\r\n\r\n",
		.limit = 1,
		.want = "GET / HTTP/1.1\r\nconnection:TE,close     \r\n\r\n",
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "in front of another word, which may be an upgrade",
		.in = "GET / HTTP/1.1\r\nconnection:keep-alive , x\r\n\r\n",
		.limit = 1,
		.want = "GET / HTTP/1.1\r\nconnection:keep-alive , x\r\nConnection: close\r\n\r\n",
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "another word alone",
		.in = "GET / HTTP/1.1\r\nConnection: TE\r\n\r\n",
		.limit = 1,
		.want = "GET / HTTP/1.1\r\nConnection: TE\r\nConnection: close\r\n\r\n",
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "the application says so itself, before its time",
		.in = GET_CLOSE GET,
		.limit = 2,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "HTTP/1.0",
		.in = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		.limit = 1,
		.want = "GET / HTTP/1.0\r\nConnection: close     \r\n\r\n",
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "a header called nearly so",
		.in = "GET / HTTP/1.1\r\nXConnection: keep-alive\r\nContent-Lengthy: 5\r\n"
		      "xransfer-encoding: chunked\r\n\r\n" GET,
		.limit = 2,
		.want = "GET / HTTP/1.1\r\nXConnection: keep-alive\r\nContent-Lengthy: 5\r\n"
			"xransfer-encoding: chunked\r\n\r\n" GET_CLOSE,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "Expect: 100-continue",
		.in = POST(4) "Expect: 100-continue\r\n\r\nGET " GET,
		.limit = 2,
		.want = POST(4) "Expect: 100-continue\r\n\r\nGET " GET_CLOSE,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "an empty line too many behind a body",
		.in = POST(2) "\r\nok\r\n" GET,
		.limit = 2,
		.want = POST(2) "\r\nok\r\n" GET_CLOSE,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "blanks around a length, and no body",
		.in = "POST / HTTP/1.1\r\nContent-Length: \t0 \r\n\r\n" GET,
		.limit = 2,
		.want = "POST / HTTP/1.1\r\nContent-Length: \t0 \r\n\r\n" GET_CLOSE,
		.stage = MRD_REQUEST_DONE,
	},
	{
		.name = "blanks around the coding",
		.in = "PUT /x HTTP/1.1\r\nTransfer-Encoding:\t chunked "
		      "\t\r\n\r\n1\r\na\r\n0\r\n\r\n" GET,
		.limit = 2,
		.want = "PUT /x HTTP/1.1\r\nTransfer-Encoding:\t chunked "
			"\t\r\n\r\n1\r\na\r\n0\r\n\r\n" GET_CLOSE,
		.stage = MRD_REQUEST_DONE,
	},
	{"words behind the coding", "PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked x\r\n\r\n" GET,
	 1, NULL, MRD_REQUEST_UNSURE},
	{"TLS", "\x16\x03\x01" GET, 1, NULL, MRD_REQUEST_UNSURE},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" GET, 1, NULL, MRD_REQUEST_UNSURE},
	{"HTTP/0.9", "GET /\r\n" GET, 1, NULL, MRD_REQUEST_UNSURE},
	{"a tunnel", "CONNECT a:1 HTTP/1.1\r\n\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{
		"an upgrade",
		"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" GET,
		2,
		NULL,
		MRD_REQUEST_UNSURE,
	},
	{
		"an upgrade as browsers ask for it",
		"GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
		1,
		NULL,
		MRD_REQUEST_UNSURE,
	},
	{"Redis", "SET a 1\r\nGET a\r\n", 1, NULL, MRD_REQUEST_UNSURE},
	{"mail", "EHLO a\r\nMAIL FROM:<a>\r\n", 1, NULL, MRD_REQUEST_UNSURE},
	{"bare LF", "GET / HTTP/1.1\nHost: a\n\n" GET, 1, NULL, MRD_REQUEST_UNSURE},
	{"bare LF later", "GET / HTTP/1.1\r\nHost: a\n\n" GET, 1, NULL, MRD_REQUEST_UNSURE},
	{"a folded line", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"a blank in a name", POST(5) "A : b\r\n\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"two lengths", POST(5) "Content-Length: 5\r\n\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"two at once", POST(5) "Transfer-Encoding: chunked\r\n\r\n" GET, 2, NULL,
	 MRD_REQUEST_UNSURE},
	{"a length of words", POST(5x) "\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"none", POST() "\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"less than none", POST(-1) "\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"a list", "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n" GET, 2, NULL,
	 MRD_REQUEST_UNSURE},
	{"too long", POST(99999999999999999999) "\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"another coding", "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" GET, 2,
	 NULL, MRD_REQUEST_UNSURE},
	{"chunks of HTTP/1.0", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" GET, 2, NULL,
	 MRD_REQUEST_UNSURE},
	{"a chunk without a size", CHUNKED "\r\n;\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"a chunk that is longer", CHUNKED "\r\n1\r\nab\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
	{"a chunk too long", CHUNKED "\r\nfffffffffffffffff\r\n" GET, 2, NULL, MRD_REQUEST_UNSURE},
};

static void check_case(size_t i, const bool *cuts)
{
	static struct stream in, out;
	const char *want = cases[i].want ? cases[i].want : cases[i].in;
	enum mrd_request_stage stage;

	in.len = 0;
	add_text(&in, cases[i].in);
	stage = feed(&in, cuts, cases[i].limit, &out);
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(out.bytes, want, out.len);
	assert_int_equal(stage, cases[i].stage);
}

static void in_one_go(void **state)
{
	static const bool none[CUTS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		check_case(i, none);
	}
}

/* Every case cut in two at every place; a keep-alive that is cut gets the line instead. */
static void cut_anywhere(void **state)
{
	static struct stream in, out;
	static bool cuts[CUTS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *kept = strcasestr(cases[i].in, "keep-alive");
		const size_t len = strlen(cases[i].in);

		for (size_t at = 1; at < len; at++) {
			const size_t from = kept ? (size_t)(kept - cases[i].in) : len;

			memset(cuts, 0, sizeof(cuts));
			cuts[at] = true;
			if (at <= from || at > from + MRD_KEEP_ALIVE_LEN) {
				check_case(i, cuts);
				continue;
			}
			in.len = 0;
			add_text(&in, cases[i].in);
			assert_int_equal(feed(&in, cuts, cases[i].limit, &out), cases[i].stage);
			assert_int_equal(out.len,
					 len + (strchr(cases[i].name, 'X') ||
								cases[i].stage == MRD_REQUEST_UNSURE
							? 0
							: 19));
		}
	}
}

static void byte_by_byte(void **state)
{
	static bool cuts[CUTS_MAX];

	(void)state;
	memset(cuts, 1, sizeof(cuts));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcasestr(cases[i].in, "keep-alive"))
			check_case(i, cuts);
}

/* An ejection comes between two requests, or in the middle of one: the next one is told. */
static void an_ejected_endpoint_gets_no_further_request(void **state)
{
	struct mrd_request request = {0};
	static struct stream out;

	(void)state;
	out.len = 0;
	send_message(&request, GET, strlen(GET), &out);
	send_message(&request, "GET / HTTP/1.1\r\n", 16, &out);
	request.eject_close = 1;
	send_message(&request, "\r\n", 2, &out);
	assert_int_equal(request.stage, MRD_REQUEST_START);
	send_message(&request, GET, strlen(GET), &out);
	assert_int_equal(request.stage, MRD_REQUEST_DONE);
	out.bytes[out.len] = '\0';
	assert_string_equal(out.bytes, GET "GET / HTTP/1.1\r\n\r\n" GET_CLOSE);
}

/* ------------------------------------------------------------------------------- at random */

static size_t draw(size_t count)
{
	return (size_t)rand() % count;
}

static void add_body(struct stream *in, size_t len)
{
	static const char decoy[] = "GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n";

	for (size_t i = 0; i < len; i++)
		add(in, &decoy[i % (sizeof(decoy) - 1)], 1);
}

static void add_request(struct stream *in)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "M-SEARCH", "PROPFIND"};
	static const char *const lines[] = {
		"Host: a\r\n",		"Connection: keep-alive\r\n", "connection:  Keep-Alive\r\n",
		"Accept: */*\r\n",	"X: GET / HTTP/1.1\r\n",      "Expect: 100-continue\r\n",
		"Keep-Alive: 5\r\n",	"Connection: close\r\n",      "A:\r\n",
		"Content-Type: a/b\r\n"};
	char text[128];
	const size_t kind = draw(3);
	const size_t len = draw(4) ? draw(80) : draw(700);

	snprintf(text, sizeof(text), "%s /%zu HTTP/1.%zu\r\n", methods[draw(5)], draw(1000),
		 kind == 2 ? 1 : draw(2));
	add_text(in, text);
	for (size_t lines_left = draw(4); lines_left; lines_left--) {
		const size_t line = draw(draw(6) ? 7 : 10);
		bool is_connection = line == 1 || line == 2 || line == 7;

		/* One line of Connection at most: the plain parser knows no more. */
		if (!is_connection || lines_left == 1)
			add_text(in, lines[line]);
	}
	if (kind == 1) {
		snprintf(text, sizeof(text), "content-length: %zu\r\n\r\n", len);
		add_text(in, text);
		add_body(in, len);
		return;
	}
	add_text(in, kind == 2 ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
	for (size_t chunks = draw(4); kind == 2 && chunks; chunks--) {
		const size_t size = 1 + draw(60);

		snprintf(text, sizeof(text), "%zx%s\r\n", size, draw(2) ? ";x=y" : "");
		add_text(in, text);
		add_body(in, size);
		add_text(in, "\r\n");
	}
	if (kind == 2)
		add_text(in, draw(2) ? "0\r\n\r\n" : "0\r\nTrailer: x\r\n\r\n");
}

static void says_what_a_plain_parser_says(void **state)
{
	static struct stream in, out, want;
	static bool cuts[CUTS_MAX];

	(void)state;
	srand(7);
	for (int round = 0; round < 4000; round++) {
		const __u32 limit = (__u32)draw(6);
		const size_t sparse = 1 + draw(120);

		in.len = 0;
		for (size_t count = 1 + draw(6); count; count--)
			add_request(&in);
		for (size_t i = 0; i < in.len; i++)
			cuts[i] = !draw(sparse);
		expect_of(&in, cuts, limit, &want);
		feed(&in, cuts, limit, &out);
		if (out.len != want.len || memcmp(out.bytes, want.bytes, out.len) != 0)
			print_message("round %d, limit %u\n%.*s\n--- came\n%.*s\n", round, limit,
				      (int)in.len, in.bytes, (int)out.len, out.bytes);
		assert_int_equal(out.len, want.len);
		assert_memory_equal(out.bytes, want.bytes, out.len);
	}
}

/* Any bytes: nothing but one line and some words is ever changed, and none of a body. */
static void any_bytes_pass(void **state)
{
	static const char letters[] = "GET / HTTP/1.1\r\n\r\n:0a;connection: keep-alive, close";
	static struct stream in, out;
	static bool cuts[CUTS_MAX];

	(void)state;
	srand(8);
	for (int round = 0; round < 4000; round++) {
		in.len = 0;
		if (draw(2))
			add_request(&in);
		for (size_t len = draw(300); len; len--)
			add(&in, &letters[draw(sizeof(letters) - 1)], 1);
		for (size_t i = 0; i < in.len; i++)
			cuts[i] = !draw(9);
		feed(&in, cuts, 1 + (__u32)draw(2), &out);
		assert_true(out.len == in.len || out.len == in.len + MRD_CLOSE_LINE_LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_one_go),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(an_ejected_endpoint_gets_no_further_request),
		cmocka_unit_test(says_what_a_plain_parser_says),
		cmocka_unit_test(any_bytes_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
