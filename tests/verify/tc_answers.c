// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_answers.h"

#include <stdio.h>
#include <string.h>

#include "tc_frames.h"
#include "tc_services.h"
#include "wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define GET	"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
#define GOOD	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define BAD	"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
#define MISSING "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define GO_ON	"HTTP/1.1 100 Continue\r\n\r\n"
#define DECOY	"HTTP/1.1 500 x\r\n\r\n"

enum { SAYS_MAX = 12, CLIENT_PORT = 40000, FRAME_HEADERS4 = WIRE_ETH + 20 + 20, NOP_WORDS = 3 };

/* Who says what. Numbers go on by themselves, unless it is sent again or comes too early. */
struct say {
	enum way way;
	const char *text;
	uint8_t flags;	/* besides ACK */
	int32_t behind; /* how many bytes further than what was sent so far it stands */
};

/* An endpoint's row after all that was said, and what was told of it. */
struct outcome {
	uint32_t responses[MRD_CLASSES];
	uint32_t run;
	uint32_t told;		  /* events */
	enum mrd_event_kind last; /* of the last one */
	uint32_t status;
};

struct talk {
	const char *name;
	struct say says[SAYS_MAX];
	struct outcome want;
};

/* clang-format off */
#define C(...) {.way = FORWARD, .text = __VA_ARGS__}
#define S(...) {.way = REVERSE, .text = __VA_ARGS__}

#define ANSWERED(...) .responses = {__VA_ARGS__}
#define RUN_OF_ONE(kind, code) .run = 1, .told = 1, .last = MRD_EVENT_##kind, .status = (code)
#define LEN(text) ((int32_t)sizeof(text) - 1)

static const struct talk talks[] = {
	{"a success", {C(GET), S(GOOD)}, {ANSWERED(0, 1)}},
	{"a 404 is a success, too", {C(GET), S(MISSING)}, {ANSWERED(0, 0, 0, 1)}},
	{"a failure", {C(GET), S(BAD)},
	 {ANSWERED(0, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"a success ends a run", {C(GET), S(BAD), C(GET), S(GOOD)},
	 {ANSWERED(0, 1, 0, 0, 1), .told = 2, .last = MRD_EVENT_RESPONSE, .status = 200}},
	{"successes that wait are told with the end",
	 {C(GET), S(GOOD), C(GET), S(GOOD), C(GET), S(GOOD), S("", .flags = FIN)},
	 {ANSWERED(0, 3)}},
	{"with the client's reset, which may be none, and what comes then",
	 {C(GET), S(GOOD), C(GET), S(GOOD), C("", .flags = RST), C(GET), S(GOOD),
	  C("", .flags = RST)},
	 {ANSWERED(0, 3)}},
	{"and with an answer that comes with it",
	 {C(GET), S(GOOD), C(GET), S(GOOD), C(GET), S(GOOD, .flags = FIN)}, {ANSWERED(0, 3)}},
	{"what is said before anybody asks", {S(BAD), C(GET), S(GOOD)}, {ANSWERED(0, 1)}},
	{"an answer's body",
	 {C(GET), S("HTTP/1.1 200 OK\r\n\r\n" DECOY), S(DECOY), S("", .flags = FIN)},
	 {ANSWERED(0, 1)}},
	{"a request's body", {C(POST), C("GET / HTTP"), S(GOOD), S(DECOY)}, {ANSWERED(0, 1)}},
	{"a request's body behind a part of the answer",
	 {C(POST), S("HTTP/1"), C("GET / HTTP"), S(".1 503 "), S(DECOY)},
	 {ANSWERED(0, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"an interim answer", {C(POST), S(GO_ON), C("0123456789"), S(GOOD)}, {ANSWERED(1, 1)}},
	{"an interim answer, and a body like a request",
	 {C(POST), S(GO_ON), C("GET / HTTP"), S(BAD), S(DECOY)},
	 {ANSWERED(1, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"an interim answer and the final one at once", {C(GET), S(GO_ON GO_ON BAD)},
	 {ANSWERED(2, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"two requests at once", {C(GET GET), S(GOOD), S(BAD)}, {ANSWERED(0, 1)}},
	{"two requests, the second before the answer", {C(GET), C(GET), S(GOOD), S(BAD)},
	 {ANSWERED(0, 1)}},
	{"a request sent again before the answer",
	 {C(GET), C(GET, .behind = -LEN(GET)), S(GOOD), S("", .flags = FIN)},
	 {ANSWERED(0, 1)}},
	{"a request sent again behind the answer",
	 {C(GET), S(GOOD), C(GET, .behind = -LEN(GET)), S(BAD), S("", .flags = FIN)},
	 {ANSWERED(0, 1)}},
	{"an answer sent again",
	 {C(GET), S(BAD), S(BAD, .behind = -LEN(BAD))},
	 {ANSWERED(0, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"a request letter by letter", {C("G"), C("E"), C("T / HTTP/1.1\r\n\r\n"), S(BAD)},
	 {ANSWERED(0, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"the answer's body before its line",
	 {C(GET), S(" body", .behind = 12), S("HTTP/1.1 503", .behind = -17),
	  S("", .flags = FIN, .behind = 5)},
	 {ANSWERED(0, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"an answer whose acknowledgement alone came by here",
	 {C(GET), S("", .behind = 40), C(GET), S(BAD)},
	 {ANSWERED(0, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
	{"another protocol", {C("\x16\x03\x01\x02"), S(BAD)}, {.run = 0}},
	{"no HTTP after all",
	 {C("QUIT now"), S("+OK good day"), C("QUIT now"), S("+OK good day")}, {.run = 0}},
	{"a reset while an answer is due", {C(GET), S("", .flags = RST)},
	 {RUN_OF_ONE(RESET, 0)}},
	{"a reset in the middle of the line", {C(GET), S("HTTP/1"), S("", .flags = RST)},
	 {RUN_OF_ONE(RESET, 0)}},
	{"a reset behind the answer", {C(GET), S(GOOD), S("", .flags = RST)}, {ANSWERED(0, 1)}},
	{"a reset out of place", {C(GET), S("", .flags = RST, .behind = 100)}, {.run = 0}},
	{"an end where an answer is due", {C(GET), S(GOOD), C(GET), S("", .flags = FIN)},
	 {ANSWERED(0, 1), RUN_OF_ONE(RESET, 0)}},
	{"an end, and nothing is known of HTTP", {C(GET), S("", .flags = FIN)}, {.run = 0}},
	{"a client that waits no longer",
	 {C(GET), S(GOOD), C(GET), C("", .flags = FIN), S("", .flags = FIN)}, {ANSWERED(0, 1)}},
	{"nor for the rest of a line",
	 {C(GET), S(GOOD), C(GET), S("HTTP/1"), C("", .flags = FIN), S("", .flags = RST)},
	 {ANSWERED(0, 1)}},
	{"one that has said all, and hears yet", {C(GET), C("", .flags = FIN), S(BAD)},
	 {ANSWERED(0, 0, 0, 0, 1), RUN_OF_ONE(RESPONSE, 503)}},
};
/* clang-format on */

/* ---------------------------------------------------------------------------------- talking */

/* One connection to an endpoint, and where both sides are. */
struct line {
	const struct world *world;
	bool is_ipv6;
	uint32_t next[2]; /* by way: the number of what is said next */
};

static struct wire wire_of(const struct line *line, enum way way)
{
	struct wire wire = {
		.from = line->is_ipv6 ? CLIENT6 : CLIENT4,
		.to = line->is_ipv6 ? VIP6 : VIP4,
		.from_port = CLIENT_PORT,
		.to_port = 80,
		.protocol = TCP,
		.flags = ACK,
		.seq = line->next[way],
		.ack = line->next[!way],
		/* Real ones have time stamps. */
		.words = line->is_ipv6 ? NOP_WORDS : 0,
	};

	if (way == REVERSE) {
		wire.from = line->is_ipv6 ? POD6 : POD4;
		wire.to = line->is_ipv6 ? CLIENT6 : CLIENT4;
		wire.from_port = 8080;
		wire.to_port = CLIENT_PORT;
	}
	return wire;
}

/* cut: only as many bytes of the frame; 0: all. Returns how many there are. */
static size_t send_cut(struct line *line, enum way way, const struct wire *wire, size_t cut)
{
	uint8_t frame[WIRE_MAX], out[WIRE_MAX];
	const size_t len = wire_build(wire, frame);
	size_t out_len;

	world_run(line->world, way, frame, cut ? cut : len, out, &out_len);
	return len;
}

static void send_flags(struct line *line, enum way way, uint8_t flags)
{
	struct wire wire = wire_of(line, way);

	wire.flags = flags;
	send_cut(line, way, &wire, 0);
	if (flags & SYN)
		line->next[way]++;
}

static uint32_t endpoint_of(const struct line *line)
{
	return line->is_ipv6 ? 33 : 17;
}

/* A world without flows and counts, and a connection; its numbers begin shortly before they wrap.
 */
static struct line call(const struct world *world, bool is_ipv6)
{
	struct line line = {
		.world = world,
		.is_ipv6 = is_ipv6,
		.next = {is_ipv6 ? 1000 : 0xfffffff0, is_ipv6 ? 0xfffffffa : 5000},
	};

	world_reset(world, false);
	world_put_run(world, endpoint_of(&line), 0, 0);
	send_flags(&line, FORWARD, SYN);
	send_flags(&line, REVERSE, SYN | ACK);
	send_flags(&line, FORWARD, ACK);
	world_hear(world);
	return line;
}

static void tell(struct line *line, const struct say *say)
{
	struct wire wire = wire_of(line, say->way);

	wire.text = say->text;
	wire.flags |= say->flags;
	wire.seq += (uint32_t)say->behind;
	send_cut(line, say->way, &wire, 0);
	line->next[say->way] = wire.seq + (uint32_t)strlen(say->text) + !!(say->flags & FIN);
}

static bool comes_to(const struct line *line, const char *name, const struct outcome *want)
{
	const struct world_heard *heard = line->world->heard;
	struct mrd_stat stat;
	bool good;

	world_hear(line->world);
	world_stat(line->world, endpoint_of(line), &stat);
	good = stat.run == want->run && heard->count == want->told;
	for (int i = 0; i < MRD_CLASSES; i++)
		good &= stat.responses[i] == want->responses[i];
	if (good && want->told) {
		const struct mrd_event *last = &heard->events[heard->count - 1];

		good = last->kind == want->last && last->status == want->status &&
		       last->endpoint_id == endpoint_of(line);
	}
	if (good)
		return true;
	printf("  %s%s: a run of %u, %zu told, responses", name, line->is_ipv6 ? ", IPv6" : "",
	       stat.run, heard->count);
	for (int i = 0; i < MRD_CLASSES; i++)
		printf(" %llu", (unsigned long long)stat.responses[i]);
	printf("\n");
	return false;
}

bool tc_check_answers(const struct world *world)
{
	bool good = true;

	for (size_t i = 0; i < 2 * COUNT(talks); i++) {
		const struct talk *talk = &talks[i / 2];
		struct line line = call(world, i % 2);

		for (size_t j = 0; j < SAYS_MAX && talk->says[j].text; j++)
			tell(&line, &talk->says[j]);
		good &= comes_to(&line, talk->name, &talk->want);
	}
	return good;
}

/* ---------------------------------------------------------------------------------- pieces */

static const struct outcome failed = {
	.responses = {0, 0, 0, 0, 1},
	.run = 1,
	.told = 1,
	.last = MRD_EVENT_RESPONSE,
	.status = 503,
};

/* Part of an answer, in whatever order. */
static void tell_part(struct line *line, size_t from, size_t to)
{
	char text[sizeof(GO_ON BAD)];
	struct wire wire = wire_of(line, REVERSE);

	snprintf(text, sizeof(text), "%.*s", (int)(to - from), GO_ON BAD + from);
	wire.text = text;
	wire.seq += (uint32_t)from;
	send_cut(line, REVERSE, &wire, 0);
}

bool tc_check_pieces(const struct world *world)
{
	const size_t begin = strlen(GO_ON), len = strlen(GO_ON BAD);
	const struct say ask = C(GET);
	bool good = true;

	/* In two, the second one first; the line begins behind an interim answer in one of both. */
	for (size_t cut = 1; cut < MRD_STATUS_LEN; cut++) {
		struct line line = call(world, cut % 2);

		tell(&line, &ask);
		line.next[REVERSE] -= (uint32_t)begin;
		tell_part(&line, begin + cut, len);
		tell_part(&line, begin, begin + cut);
		good &= comes_to(&line, "two pieces", &failed);
	}
	for (int is_interim = 0; is_interim < 2; is_interim++) {
		struct outcome want = failed;
		struct line line = call(world, is_interim);

		want.responses[0] = (uint32_t)is_interim;
		tell(&line, &ask);
		line.next[REVERSE] -= is_interim ? 0 : (uint32_t)begin;
		for (size_t at = is_interim ? 0 : begin; at < len; at++)
			tell_part(&line, at, at + 1);
		good &= comes_to(&line, "byte by byte", &want);
	}
	return good;
}

/* ---------------------------------------------------------------------------------- unread */

static bool is_unread(const struct world *world, const char *name)
{
	const struct say says[] = {C(GET), S(BAD)};
	const struct outcome nothing = {.run = 0};
	bool good = true;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		struct line line = call(world, is_ipv6);

		for (size_t i = 0; i < COUNT(says); i++)
			tell(&line, &says[i]);
		good &= comes_to(&line, name, &nothing);
	}
	return good;
}

/* Of a socket's connection that was moved: the probe at sockets reads its answers. */
static bool is_moved_unread(const struct world *world)
{
	static const struct world_move move = {CLIENT4, VIP4, POD4, CLIENT_PORT, 8080, TCP};
	const struct say says[] = {C(GET), S(BAD)};
	const struct outcome nothing = {.run = 0};
	struct line line = {.world = world, .next = {1000, 5000}};

	world_reset(world, false);
	world_put_run(world, endpoint_of(&line), 0, 0);
	world_put_move(world, &move);
	for (size_t i = 0; i < COUNT(says); i++) {
		struct wire wire = wire_of(&line, says[i].way);

		wire.text = says[i].text;
		*(says[i].way == FORWARD ? &wire.to_port : &wire.from_port) = move.port;
		send_cut(&line, says[i].way, &wire, 0);
	}
	return comes_to(&line, "a socket's connection", &nothing);
}

bool tc_check_unread(const struct world *world)
{
	const struct say says[] = {C(GET), S(GOOD)};
	const struct outcome all = {
		.responses = {0, 1},
		.told = 1,
		.last = MRD_EVENT_RESPONSE,
		.status = 200,
	};
	struct line line;
	bool good = is_moved_unread(world);

	world_put_report(world, 1, MRD_REPORT_NOTHING);
	world_put_report(world, 2, MRD_REPORT_NOTHING);
	good &= is_unread(world, "a service that no response ejects from");
	world_put_report(world, 1, MRD_REPORT_ERRORS);
	world_put_report(world, 2, MRD_REPORT_ERRORS);
	world_put_probe(world, false);
	good &= is_unread(world, "the probe is off");
	world_put_probe(world, true);

	world_put_report(world, 1, MRD_REPORT_ALL);
	line = call(world, false);
	for (size_t i = 0; i < COUNT(says); i++)
		tell(&line, &says[i]);
	good &= comes_to(&line, "a service of which everything is told", &all);
	world_put_report(world, 1, MRD_REPORT_ERRORS);
	return good;
}

/* ------------------------------------------------------------------------------------- long */

/* A request of up to 5 GiB, whose acknowledgements come by, and one behind its answer. */
bool tc_check_long(const struct world *world)
{
	const struct say before[] = {C(POST)}, behind[] = {S(GOOD), C(GET), S(BAD)};
	struct outcome want = failed;
	bool good = true;

	want.responses[MRD_CLASS_SUCCESS] = 1;
	for (unsigned int halves = 1; halves <= 10; halves++) {
		struct line line = call(world, halves % 2);

		tell(&line, &before[0]);
		for (unsigned int i = 0; i < halves; i++) {
			line.next[FORWARD] += 1 << 29;
			world_idle(world);
			send_flags(&line, REVERSE, ACK);
		}
		for (size_t i = 0; i < COUNT(behind); i++)
			tell(&line, &behind[i]);
		good &= comes_to(&line, "behind a long request", &want);
	}
	return good;
}

/* ----------------------------------------------------------------------------------- deleted */

/* An answer that was under way as the client reset the connection, and another one's SYN. */
static bool is_told_by_next(const struct world *world)
{
	const struct say says[] = {C(GET), S(GOOD), C(GET), C("", .flags = RST), S(GOOD)};
	const struct outcome told = {.responses = {0, 2}};
	struct line line = call(world, false);

	for (size_t i = 0; i < COUNT(says); i++)
		tell(&line, &says[i]);
	send_flags(&line, FORWARD, SYN);
	return comes_to(&line, "successes that wait when ports are used again", &told);
}

bool tc_check_deleted(const struct world *world)
{
	const struct say says[] = {C(GET), S(GOOD), C(GET), S(GOOD)};
	const struct outcome told = {.responses = {0, 2}};
	bool good = is_told_by_next(world);

	/* By the forward row, and by the other one alone. */
	for (int way = FORWARD; way <= REVERSE; way++) {
		struct line line = call(world, false);
		struct mrd_flow_key key;
		struct wire wire = wire_of(&line, (enum way)way);

		for (size_t i = 0; i < COUNT(says); i++)
			tell(&line, &says[i]);
		key_of(&wire, &key);
		good &= world_delete(world, &key) == 0 && world_flows(world) == (unsigned)way;
		good &= comes_to(&line, "successes that wait when a row is deleted", &told);
	}
	return good;
}

/* --------------------------------------------------------------------------------- cut off */

/* A frame that ends before the packet does tells what is in it. */
bool tc_check_cut_off(const struct world *world)
{
	const struct say ask = C(GET), fine = S(GOOD);
	const struct outcome nothing = {.run = 0};
	struct outcome good_one = {.responses = {0, 1}};
	size_t len = FRAME_HEADERS4 + 1;
	bool good = true;

	for (size_t cut = WIRE_ETH; cut < len; cut++) {
		struct line line = call(world, false);
		struct wire wire = wire_of(&line, REVERSE);

		tell(&line, &ask);
		wire.ack = line.next[FORWARD];
		wire.text = BAD;
		len = send_cut(&line, REVERSE, &wire, cut);
		good &= comes_to(&line, "an answer",
				 cut >= FRAME_HEADERS4 + MRD_STATUS_LEN ? &failed : &nothing);
	}
	len = FRAME_HEADERS4 + 1;
	for (size_t cut = WIRE_ETH; cut < len; cut++) {
		struct line line = call(world, false);
		struct wire wire = wire_of(&line, FORWARD);

		wire.text = GET;
		len = send_cut(&line, FORWARD, &wire, cut);
		tell(&line, &fine);
		/* Capitals alone may be the start of a token. */
		good_one.responses[1] = cut > FRAME_HEADERS4;
		good &= comes_to(&line, "a request", &good_one);
	}
	return good;
}

/* --------------------------------------------------------------------------------- handshake */

/* Fast Open: the request comes with the SYN. */
static bool is_early_read(const struct world *world)
{
	struct line line = {.world = world, .next = {1000, 5000}};
	const struct say says[] = {S(BAD)};
	struct wire syn = wire_of(&line, FORWARD);

	world_reset(world, false);
	world_put_run(world, endpoint_of(&line), 0, 0);
	syn.flags = SYN;
	syn.ack = 0;
	syn.text = GET;
	send_cut(&line, FORWARD, &syn, 0);
	line.next[FORWARD] += 1 + (uint32_t)strlen(GET);
	send_flags(&line, REVERSE, SYN | ACK);
	send_flags(&line, FORWARD, ACK);
	world_hear(world);
	tell(&line, &says[0]);
	return comes_to(&line, "a request that comes with the SYN", &failed);
}

bool tc_check_handshake(const struct world *world)
{
	const struct outcome still = {.run = 2, .responses = {0, 1}};
	const struct say says[] = {C(GET), S(GOOD)};
	struct line line = call(world, false);
	bool good;

	/* Once a response was read it is known to be HTTP. */
	for (size_t i = 0; i < COUNT(says); i++)
		tell(&line, &says[i]);
	world_reset(world, false);
	world_add_run(world, endpoint_of(&line), 2);
	line.next[FORWARD] = line.next[REVERSE] = 7;
	send_flags(&line, FORWARD, SYN);
	send_flags(&line, REVERSE, SYN | ACK);
	good = comes_to(&line, "a run of an HTTP port", &still);
	return is_early_read(world) && good;
}
