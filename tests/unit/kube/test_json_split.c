/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What comes out of a body is written as one line of text. Each body is fed whole, cut at every
 * byte, and byte by byte: the line must be the same.
 */
#include "kube/json_split.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/doc_json.h"

static void free_split(struct mrd_json_split *split)
{
	mrd_json_split_clear(split);
}

#define AUTO_SPLIT __attribute__((cleanup(free_split)))

static int add_item(void *self, const char *json, size_t len)
{
	mrd_strbuf_addf(self, "item(%.*s) ", (int)len, json);
	return len == strlen("\"stop\"") && !memcmp(json, "\"stop\"", len) ? -ECANCELED : 0;
}

static int add_event(void *self, const struct mrd_watch_event *event)
{
	static const char *const types[] = {"added",	"modified", "deleted",
					    "bookmark", "error",    "unknown"};

	mrd_strbuf_addf(self, "%s(%.*s version '%s'%s) ", types[event->type],
			(int)event->object_len, event->object, event->version,
			event->initial_end ? " end" : "");
	return 0;
}

static void begin(struct mrd_json_split *split, bool watch, struct mrd_strbuf *out)
{
	const struct mrd_json_split_hooks hooks = {
		.item = add_item, .event = add_event, .self = out};

	if (watch)
		mrd_json_split_watch(split, &hooks);
	else
		mrd_json_split_list(split, "K", "g/v1", &hooks);
}

/* Pieces of at most most bytes, the first of first. */
static char *split_text(bool watch, const char *text, size_t len, size_t first, size_t most)
{
	AUTO_SPLIT struct mrd_json_split split = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};
	size_t piece = first;
	int ret = 0;

	begin(&split, watch, &out);
	for (size_t at = 0; at < len && ret == 0; at += piece, piece = most) {
		MRD_AUTO_FREE char *copy = NULL;

		if (piece > len - at)
			piece = len - at;
		copy = malloc(piece + 1); /* of its own, so that ASan sees a read beyond it */
		memcpy(copy, text + at, piece);
		ret = mrd_json_split_feed(&split, copy, piece);
	}
	if (ret == 0)
		ret = mrd_json_split_end(&split);
	if (ret == 0 && !watch)
		mrd_strbuf_addf(&out, "version '%s' continue '%s' remaining '%s'",
				split.version.text, split.continue_token.text,
				split.remaining.text);
	mrd_strbuf_addf(&out, ret == -EBADMSG	 ? "broken"
			      : ret == -EMSGSIZE ? "too large"
			      : ret		 ? "stopped"
						 : "");
	return mrd_strbuf_steal(&out);
}

static void check(bool watch, const char *text, const char *want)
{
	const size_t len = strlen(text);
	MRD_AUTO_FREE char *whole = split_text(watch, text, len, len, len);
	MRD_AUTO_FREE char *bytes = split_text(watch, text, len, 1, 1);

	print_message("case %s\n", text);
	assert_string_equal(whole, want);
	assert_string_equal(bytes, want);
	for (size_t cut = 1; cut < len; cut++) {
		MRD_AUTO_FREE char *shown = split_text(watch, text, len, cut, len);

		if (strcmp(shown, want) != 0)
			print_message("cut behind byte %zu\n", cut);
		assert_string_equal(shown, want);
	}
}

#define SAID "{\"kind\":\"K\",\"apiVersion\":\"g/v1\""
#define META "\"metadata\":{\"resourceVersion\":\"7\"}"

static void lists(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{.text = "{\"kind\":\"KList\",\"apiVersion\":\"g/v1\",\"metadata\":{"
			 "\"resourceVersion\":\"221\",\"continue\":\"abc\",\"remainingItemCount\":"
			 "2},"
			 "\"items\":[{\"a\":1},{\"b\":[{}]}]}\n",
		 .want = "item(" SAID ",\"a\":1}) item(" SAID ",\"b\":[{}]}) "
			 "version '221' continue 'abc' remaining '2'"},
		/* Custom resources: what is behind the items counts as well. */
		{.text = "{\"apiVersion\":\"g/v1\",\"items\":[{\"apiVersion\":\"g/"
			 "v1\",\"kind\":\"K\","
			 "\"x\":\"]}\\\"\"}],\"kind\":\"KList\",\"metadata\":{\"continue\":\"\","
			 "\"resourceVersion\":\"221\"}}",
		 .want = "item({\"apiVersion\":\"g/v1\",\"kind\":\"K\",\"x\":\"]}\\\"\"}) "
			 "version '221' continue '' remaining '(null)'"},
		/* Printed for people. */
		{.text = "{\n  \"items\": [\n    {\n      \"a\": 1\n    },\n    {\n    }\n  ],\n"
			 "  \"metadata\": {\n    \"resourceVersion\": \"7\"\n  }\n}\n",
		 .want = "item(" SAID ",\n      \"a\": 1\n    }) item(" SAID " \n    }) "
			 "version '7' continue '(null)' remaining '(null)'"},
		{.text = "{" META ",\"items\":[]}",
		 .want = "version '7' continue '(null)' remaining '(null)'"},
		{.text = "{" META ",\"items\":null}",
		 .want = "version '7' continue '(null)' remaining '(null)'"},
		{.text = "{" META ",\"items\":[{},null,5,-1.5e3,\"\",[true],[]]}",
		 .want = "item(" SAID " }) item(null) item(5) item(-1.5e3) item(\"\") item([true]) "
			 "item([]) version '7' continue '(null)' remaining '(null)'"},
		/* Only the item's own words say what it is. */
		{.text = "{" META ",\"items\":[{\"spec\":{\"kind\":\"X\",\"apiVersion\":\"Y\"}}]}",
		 .want = "item(" SAID ",\"spec\":{\"kind\":\"X\",\"apiVersion\":\"Y\"}}) "
			 "version '7' continue '(null)' remaining '(null)'"},
		/* Half a name is none of ours to complete. */
		{.text = "{" META ",\"items\":[{\"kind\":\"X\"},{\"a\":2}]}",
		 .want = "item({\"kind\":\"X\"}) item(" SAID ",\"a\":2}) "
			 "version '7' continue '(null)' remaining '(null)'"},
		/* The same words elsewhere are not the list's. */
		{.text = "{\"spec\":{\"items\":[1],\"resourceVersion\":\"9\"}," META
			 ",\"items\":[{\"items\":[2]," META "}]}",
		 .want = "item(" SAID ",\"items\":[2]," META
			 "}) version '7' continue '(null)' remaining '(null)'"},
		{.text = "{\"metadata\":{\"resourceVersion\":\"\\u0037\\/\",\"continue\":null,"
			 "\"remainingItemCount\":-0},\"items\":[]}",
		 .want = "version '7/' continue '' remaining '0'"},
		/* Who wrote which field is nobody's to know, but for words that are not metadata's.
		 */
		{.text = "{" META ",\"items\":[{\"metadata\":{\"managedFields\":[{\"f:a\":{\"b\":"
			 "[\"]}\"]}}],\"name\":\"n\"},\"managedFields\":[1]},"
			 "{\"metadata\":{\"name\":\"m\",\"managedFields\":null}}]}",
		 .want = "item(" SAID ",\"metadata\":{\"managedFields\":[],\"name\":\"n\"},"
			 "\"managedFields\":[1]}) "
			 "item(" SAID ",\"metadata\":{\"name\":\"m\",\"managedFields\":[]}}) "
			 "version '7' continue '(null)' remaining '(null)'"},
		/* A list begun twice. */
		{.text = "{" META ",\"items\":[1],\"items\":[2]}", .want = "item(1) broken"},
		{.text = "{" META ",\"items\":[1]}{", .want = "item(1) broken"},
		/* No list. */
		{.text = "{}", .want = "broken"},
		{.text = "{" META "}", .want = "broken"},
		{.text = "{\"items\":[1]}", .want = "item(1) broken"},
		{.text = "{\"metadata\":{\"resourceVersion\":\"\"},\"items\":[]}",
		 .want = "broken"},
		{.text = "{\"metadata\":{\"resourceVersion\":7e0},\"items\":[]}",
		 .want = "version '7.0' continue '(null)' remaining '(null)'"},
		{.text = "{\"metadata\":{\"resourceVersion\":{}},\"items\":[]}", .want = "broken"},
		{.text = "{" META ",\"items\":{}}", .want = "broken"},
		{.text = "{" META ",\"items\":5}", .want = "broken"},
		{.text = "{\"it\\u0065ms\":[1]," META "}", .want = "broken"},
		{.text = "", .want = "broken"},
		{.text = " ", .want = "broken"},
		{.text = "[]", .want = "broken"},
		{.text = "404 page not found\n", .want = "broken"},
		/* Cut in the middle. */
		{.text = "{" META ",\"items\":[{\"a\":1},{\"b\":",
		 .want = "item(" SAID ",\"a\":1}) broken"},
		{.text = "{" META ",\"items\":[]", .want = "broken"},
		/* Who takes the items may end it. */
		{.text = "{" META ",\"items\":[1,\"stop\",2]}",
		 .want = "item(1) item(\"stop\") stopped"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(false, cases[i].text, cases[i].want);
}

static void watches(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{.text = "", .want = ""},
		{.text = "\n \n", .want = ""},
		{.text = "{\"type\":\"ADDED\",\"object\":{\"kind\":\"K\"," META "}}\n"
			 "{\"type\":\"MODIFIED\",\"object\":{\"a\":[\"}\"]}}\n",
		 .want = "added({\"kind\":\"K\"," META "} version '7') "
			 "modified({\"a\":[\"}\"]} version '') "},
		{.text = "{\"type\":\"DELETED\",\"object\":{}}{\"object\":{\"code\":410},\"type\":"
			 "\"ERROR\"}",
		 .want = "deleted({} version '') error({\"code\":410} version '') "},
		{.text = "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{"
			 "\"k8s.io/initial-events-end\":\"true\"},\"resourceVersion\":\"234\"}}}",
		 .want = "bookmark({\"metadata\":{\"annotations\":{\"k8s.io/"
			 "initial-events-end\":\"true\"},"
			 "\"resourceVersion\":\"234\"}} version '234' end) "},
		{.text = "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{"
			 "\"k8s.io/initial-events-end\":\"false\"}}}}",
		 .want = "bookmark({\"metadata\":{\"annotations\":{\"k8s.io/"
			 "initial-events-end\":\"false\"}}}"
			 " version '') "},
		{.text = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"managedFields\":[{\"f:"
			 "a\":{}}],"
			 "\"resourceVersion\":\"7\"},\"managedFields\":{}}}",
		 .want = "added({\"metadata\":{\"managedFields\":[],\"resourceVersion\":\"7\"},"
			 "\"managedFields\":{}} version '7') "},
		{.text = "{\"type\":\"COFFEE\",\"object\":{}}", .want = "unknown({} version '') "},
		{.text = "{\"type\":5,\"object\":{}}", .want = "unknown({} version '') "},
		{.text = "{\"more\":[1,{\"object\":2}],\"type\":\"ADDED\",\"object\":{\"object\":{"
			 "\"type\":1}}}",
		 .want = "added({\"object\":{\"type\":1}} version '') "},
		{.text = "{\"type\":\"ADDED\"}", .want = "broken"},
		{.text = "{\"object\":{}}", .want = "broken"},
		{.text = "{\"type\":\"ADDED\",\"object\":null}", .want = "broken"},
		{.text = "{\"type\":\"ADDED\",\"object\":[]}", .want = "broken"},
		{.text = "{\"type\":\"ADDED\",\"object\":{},\"object\":{}}", .want = "broken"},
		{.text = "{\"type\":\"ADDED\",\"type\":\"ADDED\",\"object\":{}}", .want = "broken"},
		{.text = "{\"type\":\"ADDED\",\"object\":{}}\n{\"type\":\"ADD",
		 .want = "added({} version '') broken"},
		{.text = "{\"type\":\"ADDED\",\"object\":{}}\n]",
		 .want = "added({} version '') broken"},
		/* A list, where a watch was asked for. */
		{.text = "{\"kind\":\"KList\"," META ",\"items\":[]}", .want = "broken"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(true, cases[i].text, cases[i].want);
}

/* The grammar, where the object's reader would never see it; jansson must agree. */
static void grammar(void **state)
{
	static const struct {
		const char *value;
		bool bad;
	} cases[] = {
		{.value = "0"},
		{.value = "-0"},
		{.value = "10"},
		{.value = "0.5"},
		{.value = "-1.25e+10"},
		{.value = "1E5"},
		{.value = "1e-5"},
		{.value = "01", .bad = true},
		{.value = "-", .bad = true},
		{.value = "+1", .bad = true},
		{.value = ".5", .bad = true},
		{.value = "1.", .bad = true},
		{.value = "1.e5", .bad = true},
		{.value = "1e", .bad = true},
		{.value = "1e+", .bad = true},
		{.value = "0x10", .bad = true},
		{.value = "1 2", .bad = true},
		{.value = "true"},
		{.value = "false"},
		{.value = "null"},
		{.value = "tru", .bad = true},
		{.value = "truer", .bad = true},
		{.value = "True", .bad = true},
		{.value = "nul l", .bad = true},
		{.value = "NaN", .bad = true},
		{.value = "\"\""},
		{.value = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u00E9\""},
		{.value = "\"\\x\"", .bad = true},
		{.value = "\"\\u12g4\"", .bad = true},
		{.value = "\"\\u12\"", .bad = true},
		{.value = "\"\n\"", .bad = true},
		{.value = "\"\t\"", .bad = true},
		{.value = "'a'", .bad = true},
		{.value = "[]"},
		{.value = "[ ]"},
		{.value = "[1 , [ ] ,{ } ]"},
		{.value = "[1,]", .bad = true},
		{.value = "[,]", .bad = true},
		{.value = "[1 1]", .bad = true},
		{.value = "[1}", .bad = true},
		{.value = "[", .bad = true},
		{.value = "{}"},
		{.value = "{ \"a\" : 1 , \"b\" : { } }"},
		{.value = "{\"a\":1,}", .bad = true},
		{.value = "{\"a\" 1}", .bad = true},
		{.value = "{\"a\":}", .bad = true},
		{.value = "{a:1}", .bad = true},
		{.value = "{1:1}", .bad = true},
		{.value = "{,}", .bad = true},
		{.value = "{\"a\":1]", .bad = true},
		{.value = "// no\n1", .bad = true},
		{.value = "", .bad = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf want = {0};
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;

		mrd_strbuf_addf(&text, "{" META ",\"items\":[0],\"x\":%s}", cases[i].value);
		mrd_strbuf_addf(&want, "item(0) %s",
				cases[i].bad ? "broken"
					     : "version '7' continue '(null)' remaining '(null)'");
		check(false, text.text, want.text);
		assert_int_equal(mrd_doc_parse_json("f", text.text, text.len, &diag, &file),
				 cases[i].bad ? -EBADMSG : 0);
		mrd_doc_free(file);
	}
}

/* As large as they may be, and one more. What is fed is made piece by piece. */
static void bounds(void **state)
{
	static const struct {
		const char *name;
		bool watch;
		const char *head;
		char fill;
		size_t count;
		const char *tail;
		int want;
	} cases[] = {
		{.name = "an item",
		 .head = "{" META ",\"items\":[\"",
		 .fill = 'a',
		 .count = MRD_JSON_OBJECT_MAX - 100,
		 .tail = "\"]}"},
		{.name = "an endless item",
		 .head = "{" META ",\"items\":[\"",
		 .fill = 'a',
		 .count = MRD_JSON_OBJECT_MAX,
		 .tail = "\"]}",
		 .want = -EMSGSIZE},
		{.name = "an event",
		 .watch = true,
		 .head = "{\"type\":\"ADDED\",\"object\":{\"a\":\"",
		 .fill = 'a',
		 .count = MRD_JSON_OBJECT_MAX - 100,
		 .tail = "\"}}"},
		{.name = "an endless event",
		 .watch = true,
		 .head = "{\"type\":\"ADDED\",\"object\":{\"a\":\"",
		 .fill = 'a',
		 .count = MRD_JSON_OBJECT_MAX,
		 .tail = "\"}}",
		 .want = -EMSGSIZE},
		{.name = "space", .watch = true, .fill = ' ', .count = MRD_JSON_GAP_MAX},
		{.name = "endless space",
		 .watch = true,
		 .fill = ' ',
		 .count = MRD_JSON_GAP_MAX + 1,
		 .want = -EMSGSIZE},
		{.name = "endless space in a list",
		 .head = "{",
		 .fill = ' ',
		 .count = MRD_JSON_GAP_MAX,
		 .want = -EMSGSIZE},
		{.name = "what is in no path",
		 .head = "{" META ",\"x\":\"",
		 .fill = 'a',
		 .count = MRD_JSON_GAP_MAX,
		 .want = -EMSGSIZE},
		{.name = "a key",
		 .head = "{" META ",\"",
		 .fill = 'a',
		 .count = 1000,
		 .tail = "\":1,\"items\":[]}"},
		{.name = "a version",
		 .head = "{\"items\":[],\"metadata\":{\"resourceVersion\":\"",
		 .fill = '1',
		 .count = MRD_JSON_WORD_MAX,
		 .tail = "\"}}",
		 .want = -EMSGSIZE},
		{.name = "depth",
		 .head = "{\"items\":[],\"x\":",
		 .fill = '[',
		 .count = MRD_JSON_DEPTH_MAX,
		 .want = -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_SPLIT struct mrd_json_split split = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf out = {0};
		MRD_AUTO_FREE char *fill = malloc(cases[i].count);
		const char *head = cases[i].head ? cases[i].head : "";
		const char *tail = cases[i].tail ? cases[i].tail : "";
		int ret;

		print_message("%s\n", cases[i].name);
		memset(fill, cases[i].fill, cases[i].count);
		begin(&split, cases[i].watch, &out);
		ret = mrd_json_split_feed(&split, head, strlen(head));
		if (ret == 0)
			ret = mrd_json_split_feed(&split, fill, cases[i].count);
		if (ret == 0)
			ret = mrd_json_split_feed(&split, tail, strlen(tail));
		if (ret == 0)
			ret = mrd_json_split_end(&split);
		assert_int_equal(ret, cases[i].want);
	}
}

/* Of a list no more is held than its largest item: the others leave nothing. */
static void holds_one_item(void **state)
{
	enum { ITEMS = 1000, ITEM_LEN = 1000 };
	AUTO_SPLIT struct mrd_json_split split = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf item = {0};

	(void)state;
	mrd_strbuf_addf(&item, "{\"a\":\"%*s\"},", ITEM_LEN, "");
	begin(&split, false, &out);
	assert_int_equal(mrd_json_split_feed(&split, "{\"items\":[", strlen("{\"items\":[")), 0);
	for (int i = 0; i < ITEMS; i++) {
		assert_int_equal(mrd_json_split_feed(&split, item.text, item.len), 0);
		assert_in_range(split.held.room, ITEM_LEN, ITEM_LEN * 4);
		assert_true(out.len > ITEM_LEN);
		out.len = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),	  cmocka_unit_test(watches),
		cmocka_unit_test(grammar),	  cmocka_unit_test(bounds),
		cmocka_unit_test(holds_one_item),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
