/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Before a watch goes on: has the server still what it has told? */
#include "tests/unit/kube/talk.h"

#define OBJECT(name, version) \
	"{\"metadata\":{\"namespace\":\"shop\",\"name\":\"" name "\"," VERSION(version) "}}"

/* a at 5, b at 6 and gone at 8, the bookmark at 9: what most of these have before. */
#define WATCHED(name, events)                                                         \
	STREAMED,                                                                     \
	{                                                                             \
		.asks = "watch 7", .status = 200, .lasts_ms = 2000, .body = (events), \
		.calls = (name)                                                       \
	}

#define LISTED_ANEW                                                                      \
	{                                                                                \
		.asks = "stream", .status = 200, .body = MARK("3"), .calls = "begin end" \
	}
#define WATCHED_ON(version)                                               \
	{                                                                 \
		.asks = "watch " version, .status = 200, .lasts_ms = 2000 \
	}

static const struct talk versions[] = {
	{
		.name = "the server has more",
		.steps = {WATCHED("", BOOKMARK("9")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("10"), OBJECT("a", "5"))},
			  WATCHED_ON("9")},
	},
	{
		.name = "the same",
		.steps = {WATCHED("", BOOKMARK("9")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("9"), OBJECT("a", "5"))},
			  WATCHED_ON("9")},
	},
	{
		.name = "less",
		.steps = {WATCHED("", BOOKMARK("10")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("9"), OBJECT("a", "5"))},
			  LISTED_ANEW,
			  WATCHED_ON("3")},
	},
	{
		.name = "versions beyond 64 bits",
		.steps = {WATCHED("", BOOKMARK("18446744073709551617")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("18446744073709551616"), OBJECT("a", "5"))},
			  LISTED_ANEW},
	},
	{
		.name = "versions that are no numbers say nothing",
		.steps = {WATCHED("", BOOKMARK("x9")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("1"), OBJECT("a", "5"))},
			  WATCHED_ON("x9")},
	},
	{
		.name = "an empty list has no newest object",
		.steps =
			{{.asks = "stream", .status = 200, .body = MARK("9"), .calls = "begin end"},
			 WATCHED_ON("9"),
			 {.asks = "check /",
			  .status = 200,
			  .body = LIST(VERSION("9"), OBJECT("z", "1"))},
			 WATCHED_ON("9"),
			 {.asks = "check /", .status = 200, .body = LIST(VERSION("8"), "")},
			 LISTED_ANEW},
	},
};

/* The server has passed our version, in another history. */
static const struct talk objects[] = {
	{
		.name = "the newest change is there",
		.steps = {WATCHED("put Service:b", ADDED("b", "8") BOOKMARK("9")),
			  {.asks = "check /b",
			   .status = 200,
			   .body = LIST(VERSION("20"), OBJECT("b", "8"))},
			  WATCHED_ON("9")},
	},
	{
		.name = "the object has changed since",
		.steps = {WATCHED("put Service:b", ADDED("b", "8") BOOKMARK("9")),
			  {.asks = "check /b",
			   .status = 200,
			   .body = LIST(VERSION("20"), OBJECT("b", "19"))},
			  WATCHED_ON("9")},
	},
	{
		.name = "it is what it was before that",
		.steps = {WATCHED("put Service:a", MODIFIED("a", "8") BOOKMARK("9")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("20"), OBJECT("a", "5"))},
			  LISTED_ANEW,
			  WATCHED_ON("3"),
			  /* Of what was before the list nothing is asked. */
			  {.asks = "check /", .status = 200, .body = LIST(VERSION("21"), "")},
			  WATCHED_ON("3")},
	},
	{
		.name = "it is not there",
		.steps = {WATCHED("put Service:b", ADDED("b", "8")),
			  {.asks = "check /b", .status = 200, .body = LIST(VERSION("20"), "")},
			  LISTED_ANEW},
	},
	{
		.name = "it was deleted, and is not there",
		.steps = {WATCHED("remove Service:a", DELETED("a", "8")),
			  {.asks = "check /a", .status = 200, .body = LIST(VERSION("20"), "")},
			  WATCHED_ON("8")},
	},
	{
		.name = "it was deleted, and is there as before",
		.steps = {WATCHED("remove Service:a", DELETED("a", "8")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("20"), OBJECT("a", "5"))},
			  LISTED_ANEW},
	},
	{
		.name = "it was deleted, and made again",
		.steps = {WATCHED("remove Service:a", DELETED("a", "8")),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("20"), OBJECT("a", "12"))},
			  WATCHED_ON("8")},
	},
	{
		.name = "a list's objects come in no order",
		.steps = {{.asks = "stream",
			   .status = 200,
			   .body = ADDED("a", "11") ADDED("b", "9") ADDED("c", "10") MARK("12"),
			   .calls = "begin put Service:a put Service:b put Service:c end"},
			  WATCHED_ON("12"),
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("20"), OBJECT("a", "11"))},
			  WATCHED_ON("12")},
	},
	{
		.name = "pages, too",
		.steps = {NO_STREAM,
			  {.asks = "pages",
			   .status = 200,
			   .body = LIST(VERSION("12") TOKEN("x"),
					OBJECT("a", "9") "," OBJECT("b", "11")),
			   .unsynced = true,
			   .calls = "begin put Service:a put Service:b"},
			  {.asks = "pages x",
			   .status = 200,
			   .body = LIST(VERSION("12"), OBJECT("c", "10") "," ITEM("d") ",null"),
			   .calls = "put Service:c put Service:d put ?:? end"},
			  WATCHED_ON("12"),
			  {.asks = "check shop/b", .status = 200, .body = LIST(VERSION("20"), "")},
			  {.asks = "pages",
			   .status = 200,
			   .body = LIST(VERSION("12"), OBJECT("a", "7")),
			   .calls = "begin put Service:a end"},
			  WATCHED_ON("12"),
			  {.asks = "check shop/a",
			   .status = 200,
			   .body = LIST(VERSION("20"), OBJECT("a", "8"))},
			  WATCHED_ON("12")},
	},
	{
		.name = "in its namespace",
		.steps = {{.asks = "stream",
			   .status = 200,
			   .body = "@stream-endpointslices",
			   .calls = "begin put EndpointSlice:cart-abc put EndpointSlice:empty-1 "
				    "put EndpointSlice:nulls-1 put EndpointSlice:v6-1 end"},
			  WATCHED_ON("234"),
			  {.asks = "check shop/cart-abc",
			   .status = 200,
			   .body = LIST(VERSION("300"), "")},
			  LISTED_ANEW},
	},
};

static const struct talk answers[] = {
	{
		.name = "the check fails, and is made again",
		.steps = {WATCHED("", BOOKMARK("9")),
			  {.asks = "check /a",
			   .error = "refused",
			   .fails = "list services: refused"},
			  {.asks = "check /a",
			   WAIT_1,
			   .status = 503,
			   .fails = "list services: the API "
				    "server answers 503"},
			  {.asks = "check /a",
			   .least_ms = 800,
			   .most_ms = 3200,
			   .status = 200,
			   .type = "text/html",
			   .fails = "text/html"},
			  {.asks = "check /a",
			   .least_ms = 1600,
			   .most_ms = 6400,
			   .status = 200,
			   .body = "{\"items\":[",
			   .error = "reset",
			   .fails = "cut"},
			  {.asks = "check /a",
			   .least_ms = 3200,
			   .most_ms = 12800,
			   .status = 403,
			   .fails = "must grant the verb \"list\""},
			  {.asks = "check /a",
			   .least_ms = 6400,
			   .most_ms = 25600,
			   .status = 200,
			   .fails = "must grant the verb \"list\"",
			   .body = LIST(VERSION("9"), OBJECT("a", "5"))},
			  WATCHED_ON("9")},
	},
	{
		.name = "what is asked is not understood: a list",
		.steps = {WATCHED("", BOOKMARK("9")),
			  {.asks = "check /a", .status = 400, .fails = "400"},
			  {.asks = "stream",
			   WAIT_1,
			   .status = 200,
			   .body = MARK("3"),
			   .calls = "begin end"}},
	},
	{
		.name = "the kind is gone",
		.may_be_missing = true,
		.steps = {WATCHED("", BOOKMARK("9")),
			  {.asks = "check /a", .status = 404, .fails = "404"},
			  {.asks = "stream",
			   WAIT_1,
			   .status = 404,
			   .calls = "begin end",
			   .missing = true}},
	},
	{
		.name = "no metadata alone",
		.steps = {WATCHED("", BOOKMARK("9")),
			  {.asks = "check /a", .status = 406},
			  {.asks = "check /a",
			   .status = 200,
			   .body = LIST(VERSION("8"), SERVICE("a", "5"))},
			  LISTED_ANEW},
	},
};

static void runs_versions(void **state)
{
	(void)state;
	talk_table(versions, sizeof(versions) / sizeof(versions[0]));
}

static void runs_objects(void **state)
{
	(void)state;
	talk_table(objects, sizeof(objects) / sizeof(objects[0]));
}

static void runs_answers(void **state)
{
	(void)state;
	talk_table(answers, sizeof(answers) / sizeof(answers[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_versions),
		cmocka_unit_test(runs_objects),
		cmocka_unit_test(runs_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
