/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Streams of one server share what is read of it. */
#include "kube/http.h"

#include "web.h"

enum {
	STREAMS = 3,
	ENOUGH = 4 * 1024 * 1024,
	SHARE_DIV = 4, /* of what the first has, each other has this part at least */
};

/* One event a chunk, as API servers send them. */
static bool say_chunks(struct server_conn *conn)
{
	static char chunks[64 * 1024];
	size_t len = 0;

	while (len < sizeof(chunks) - 600)
		len += (size_t)snprintf(chunks + len, sizeof(chunks) - len, "200\r\n%0512d\r\n", 0);
	server_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (;;) /* it ends with the connection */
		server_write(conn, chunks, len);
	return false;
}

struct stream {
	size_t bytes;
	useconds_t work_us; /* that each call takes */
};

static bool is_enough;

static void ignore_head(void *self, const struct mrd_http_head *head)
{
	(void)self;
	(void)head;
}

static int take(void *self, const void *data, size_t len)
{
	struct stream *stream = self;

	(void)data;
	stream->bytes += len;
	is_enough |= stream->bytes >= ENOUGH;
	usleep(stream->work_us);
	return 0;
}

static void never_end(void *self, const char *error)
{
	(void)self;
	fail_msg("ended: %s", error);
}

static const struct turn_row {
	const char *name;
	struct side side;
	useconds_t work_us;
} turn_rows[] = {
	{.name = "a piece is what comes within a time", .work_us = 100},
	{.name = "a piece is so many bytes", .side = {.cert = &good}},
};

static void streams_of_a_server_take_turns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(turn_rows) / sizeof(turn_rows[0]); i++) {
		struct stream streams[STREAMS] = {{0}};
		struct mrd_http_request *request;
		struct rig rig;

		print_message("case: %s\n", turn_rows[i].name);
		open_rig(&rig, &turn_rows[i].side);
		is_enough = false;
		for (size_t k = 0; k < STREAMS; k++) {
			const struct mrd_http_hooks hooks = {.head = ignore_head,
							     .body = take,
							     .end = never_end,
							     .self = &streams[k]};

			streams[k].work_us = turn_rows[i].work_us;
			assert_int_equal(mrd_http_get(rig.http, "/chunks", "Accept: */*", 0, &hooks,
						      &request),
					 0);
		}
		rig_run_until(&is_enough);
		for (size_t k = 0; k < STREAMS; k++)
			print_message("  %zu bytes\n", streams[k].bytes);
		for (size_t k = 0; k < STREAMS; k++)
			assert_true(streams[k].bytes >= ENOUGH / SHARE_DIV);
		close_rig(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_of_a_server_take_turns),
	};

	web_script = say_chunks;
	return cmocka_run_group_tests_name("kube/http_turns", tests, web_set_up, web_tear_down);
}
