// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The probe's reader, fed like a connection: any stream, cut anywhere, in any order. The reader
 * here does with the pure functions what bpf/http_probe.bpf.c does with them.
 */
#include "bpf/lib/http_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/lib/tcp_seq.h"

enum { FIRST_SEQ = 0x7ffffff8, STATUSES_MAX = 8 };

struct reader {
	enum mrd_probe_stage stage;
	__u32 expect_seq, have, window;
	__u8 line[MRD_STATUS_LEN];
	__u32 statuses[STATUSES_MAX];
	size_t count;
};

static void reader_init(struct reader *reader)
{
	memset(reader, 0, sizeof(*reader));
	reader->stage = MRD_PROBE_STATUS_LINE;
	reader->expect_seq = FIRST_SEQ;
}

static bool reader_line(struct reader *reader, __u32 seq, const char *bytes, __u32 len)
{
	const struct mrd_overlap part =
		mrd_seq_overlap(reader->expect_seq, MRD_STATUS_LEN, seq, len);
	__u8 piece[MRD_STATUS_LEN] = {0};
	__u32 status;

	if (!part.count)
		return false;
	memcpy(piece + part.at, bytes + part.offset, part.count);
	reader->have = mrd_status_gather(reader->line, reader->have, piece,
					 mrd_status_bits(part.at, part.count));
	if (reader->have != MRD_STATUS_HAVE_ALL)
		return false;
	reader->have = 0;
	status = mrd_status_code(reader->line);
	if (status)
		reader->statuses[reader->count++] = status;
	if (!status || !mrd_status_is_interim(status)) {
		reader->stage = MRD_PROBE_IDLE;
		return false;
	}
	reader->stage = MRD_PROBE_SKIP_1XX;
	reader->expect_seq += MRD_STATUS_LEN;
	reader->window = 0;
	return true;
}

static bool reader_skip(struct reader *reader, __u32 seq, const char *bytes, __u32 len)
{
	const struct mrd_overlap part = mrd_seq_overlap(reader->expect_seq, len, seq, len);

	if (part.at || !part.count)
		return false;
	for (__u32 i = 0; i < part.count; i++) {
		reader->window = mrd_header_step(reader->window, (__u8)bytes[part.offset + i]);
		reader->expect_seq++;
		if (reader->window == MRD_HEADER_END) {
			reader->stage = MRD_PROBE_STATUS_LINE;
			return true;
		}
	}
	return false;
}

static void reader_feed(struct reader *reader, size_t offset, const char *bytes, size_t len)
{
	const __u32 seq = FIRST_SEQ + (__u32)offset;

	while (reader->stage != MRD_PROBE_IDLE)
		if (reader->stage == MRD_PROBE_SKIP_1XX
			    ? !reader_skip(reader, seq, bytes, (__u32)len)
			    : !reader_line(reader, seq, bytes, (__u32)len))
			break;
}

static void assert_statuses(const struct reader *reader, const __u32 *want)
{
	size_t count = 0;

	while (count < STATUSES_MAX && want[count])
		count++;
	assert_int_equal(reader->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(reader->statuses[i], want[i]);
}

static const struct {
	const char *name;
	const char *stream;
	__u32 want[STATUSES_MAX];
} streams[] = {
	{"plain", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", {200}},
	{"HTTP/1.0", "HTTP/1.0 503 Service Unavailable\r\n\r\n", {503}},
	{"no reason phrase", "HTTP/1.1 404\r\n\r\n", {404}},
	{"decoy in the body", "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 x\r\n\r\n", {200}},
	{"continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\n\r\n", {100, 201}},
	{"hints, twice",
	 "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	 "HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\nHTTP/1.1 502 Bad\r\n\r\n",
	 {103, 103, 502}},
	{"decoy in an interim header",
	 "HTTP/1.1 103 E\r\nX: HTTP/1.1 500\r\n\r\nHTTP/1.1 200 O\r\n\r\n",
	 {103, 200}},
	{"line ends that do not end a header",
	 "HTTP/1.1 103 E\r\nX: \r\r\n\n\r\nY: \r\n\r\nHTTP/1.1 200 O\r\n\r\n",
	 {103, 200}},
	{"switching protocols", "HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 500 x", {101}},
	{"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", {0}},
	{"HTTP/2", "HTTP/2.0 500 Nope\r\n", {0}},
	{"no such class", "HTTP/1.1 600 Nope\r\n", {0}},
	{"class 0", "HTTP/1.1 099 Nope\r\n", {0}},
	{"letters", "HTTP/1.1 5O0 Nope\r\n", {0}},
	{"lower case", "http/1.1 500 Nope\r\n", {0}},
	{"tab", "HTTP/1.1\t500 Nope\r\n", {0}},
	{"an interim response, then not HTTP", "HTTP/1.1 100 C\r\n\r\nGARBAGE GARBAGE", {100}},
	{"too short", "HTTP/1.1 50", {0}},
};

enum { STREAMS = sizeof(streams) / sizeof(streams[0]) };

static void test_streams_whole_and_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < STREAMS; i++) {
		const char *stream = streams[i].stream;
		struct reader reader;

		printf("%s\n", streams[i].name);
		reader_init(&reader);
		reader_feed(&reader, 0, stream, strlen(stream));
		assert_statuses(&reader, streams[i].want);

		reader_init(&reader);
		for (size_t k = 0; k < strlen(stream); k++)
			reader_feed(&reader, k, stream + k, 1);
		assert_statuses(&reader, streams[i].want);
	}
}

static void test_streams_cut_twice_anywhere_and_sent_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < STREAMS; i++) {
		const char *stream = streams[i].stream;
		const size_t len = strlen(stream);

		printf("%s\n", streams[i].name);
		for (size_t a = 0; a <= len; a++)
			for (size_t b = a; b <= len; b++) {
				struct reader reader;

				reader_init(&reader);
				reader_feed(&reader, 0, stream, a);
				reader_feed(&reader, a, stream + a, b - a);
				reader_feed(&reader, 0, stream, b); /* a retransmission */
				reader_feed(&reader, b, stream + b, len - b);
				assert_statuses(&reader, streams[i].want);
			}
	}
}

/* The status line's own bytes may come in any order; three pieces in all six of them. */
static void test_status_lines_out_of_order(void **state)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					{1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const char stream[] = "HTTP/1.1 503 Service Unavailable\r\n\r\nHTTP/1.1 200 OK\r\n";
	const __u32 want[STATUSES_MAX] = {503};

	(void)state;
	for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++)
		for (size_t a = 0; a < MRD_STATUS_LEN; a++)
			for (size_t b = a; b < sizeof(stream) - 1; b++) {
				const size_t cuts[] = {0, a, b, sizeof(stream) - 1};
				struct reader reader;

				reader_init(&reader);
				for (int i = 0; i < 3; i++) {
					const int p = orders[o][i];

					reader_feed(&reader, cuts[p], stream + cuts[p],
						    cuts[p + 1] - cuts[p]);
				}
				assert_statuses(&reader, want);
			}
}

static void test_codes_of_all_numbers(void **state)
{
	(void)state;
	for (__u32 code = 0; code <= 999; code++) {
		char line[MRD_STATUS_LEN + 1];

		snprintf(line, sizeof(line), "HTTP/1.%u %03u", code % 10, code);
		assert_int_equal(mrd_status_code((const __u8 *)line),
				 code >= 100 && code <= 599 ? code : 0);
	}
}

static void test_any_wrong_byte_is_no_status_line(void **state)
{
	static const char good[] = "HTTP/1.1 200";

	(void)state;
	for (int i = 0; i < MRD_STATUS_LEN; i++)
		for (int byte = 0; byte < 256; byte++) {
			char line[sizeof(good)];
			const bool is_digit = i == 7 || i > 9;
			const bool fits = byte == good[i] ||
					  (is_digit && byte >= '0' && byte <= '9') ||
					  (i == 9 && byte >= '1' && byte <= '5');

			memcpy(line, good, sizeof(line));
			line[i] = (char)byte;
			if ((mrd_status_code((const __u8 *)line) != 0) != fits)
				fail_msg("byte %d as 0x%02x", i, (unsigned)byte);
		}
}

static void test_which_statuses_are_interim(void **state)
{
	(void)state;
	for (__u32 status = 100; status <= 599; status++) {
		printf("%u\n", status);
		assert_int_equal(mrd_status_is_interim(status), status < 200 && status != 101);
	}
}

static void test_what_starts_like_a_request(void **state)
{
	static const struct {
		const char *payload;
		bool want;
	} cases[] = {
		{"GET / HTTP/1.1\r\n", true},
		{"POST /a HTTP/1.1\r\n", true},
		{"OPTIONS * HTTP/1.1\r\n", true},
		{"VERSION-CONTROL /a HTTP/1.1", true},
		{"M-SEARCH * HTTP/1.1", true},
		{"PRI * HTTP/2.0\r\n", true}, /* its answer will not be */
		{"G", true},		      /* a first fragment */
		{"GE", true},
		{"GET", true},
		{"GET ", true},
		{"", false},
		{" GET /", false},
		{"GE /", false},
		{"OPTIONS * HTTP/1.1\r\n", true},
		{"GET http://a/ HTTP/1.1\r\n", true},
		{"CONNECT a:1 HTTP/1.1\r\n", true},
		{"VERSION-CONTROL /", true},
		{"get / HTTP/1.1", false},
		{"Get / HTTP/1.1", false},
		{"\x16\x03\x01\x02", false}, /* TLS */
		{"\r\nGET /", false},
		{"AAAAAAAAAAAAAAAAAAAAAAAA /", false},
		{"QUIT\r\n", false},
		{"VERSION-CONTROL ", true},
		{"GET  /", false},
		{"THE END of it", false}, /* prose */
		{"CON 1:1", false},
		{"USD 100", false},
		{"ET / HTTP/1.1", false},
		{"name=value", false},
		{"{\"a\":1}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t len = strlen(cases[i].payload);
		__u8 bytes[MRD_METHOD_LEN] = {0};
		const __u32 count = len < sizeof(bytes) ? (__u32)len : sizeof(bytes);

		printf("\"%s\"\n", cases[i].payload);
		memcpy(bytes, cases[i].payload, count);
		assert_int_equal(mrd_is_request(bytes, count), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_whole_and_byte_by_byte),
		cmocka_unit_test(test_streams_cut_twice_anywhere_and_sent_again),
		cmocka_unit_test(test_status_lines_out_of_order),
		cmocka_unit_test(test_codes_of_all_numbers),
		cmocka_unit_test(test_any_wrong_byte_is_no_status_line),
		cmocka_unit_test(test_which_statuses_are_interim),
		cmocka_unit_test(test_what_starts_like_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
