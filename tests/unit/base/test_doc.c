/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/doc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/unit/base/show.h"

/* All documents, with "|" between them, and what was wrong. */
static int read_text(const char *text, size_t len, char **ret_shown, char **ret_findings)
{
	MRD_AUTO_STRBUF struct mrd_strbuf shown = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf findings = {0};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const int ret = mrd_doc_parse("f", text, len, &diag, &file);

	for (size_t i = 0; file && i < mrd_doc_count(file); i++) {
		mrd_strbuf_addf(&shown, i ? "|" : "");
		show(&shown, mrd_doc_root(file, i));
	}
	for (size_t i = 0; i < diag.count; i++) {
		MRD_AUTO_FREE char *line = mrd_finding_text(&diag.findings[i]);

		mrd_strbuf_addf(&findings, "%s%s", i ? "\n" : "", line);
	}
	mrd_doc_free(file);
	*ret_shown = mrd_strbuf_steal(&shown);
	*ret_findings = mrd_strbuf_steal(&findings);
	return ret;
}

static void good_documents(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{.text = "", .want = ""},
		{.text = "# only a comment\n", .want = ""},
		{.text = "\xef\xbb\xbf", .want = ""},
		{.text = "---\n", .want = "null"},
		{.text = "---\n---\na: 1\n", .want = "null|{a:1}"},
		{.text = "a: 1\n---\nb: 2\n...\n---\nc: 3\n", .want = "{a:1}|{b:2}|{c:3}"},
		{.text = "\xef\xbb\xbf"
			 "a: 1\r\nb:\r\n  - x\r\n  - y\r\n",
		 .want = "{a:1 b:[x y]}"},
		{.text = "a:\nb: ~\nc: null\nd: Null\ne: NULL\n",
		 .want = "{a:null b:null c:null d:null e:null}"},
		{.text = "a: 'null'\nb: \"\"\nc: |\n  x\n",
		 .want = "{a:\"null\" b:\"\" c:\"x\\n\"}"},
		{.text = "null: 1\n~: 2\n", .want = "{null:1 ~:2}"},
		{.text = "a: !!str 5\nb: ! 6\nc: !!int 7\n", .want = "{a:\"5\" b:\"6\" c:7}"},
		{.text = "{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\\/\"}",
		 .want = "{a:[1 2 {b:null}] c:\"\xc3\xa9/\"}"},
		{.text = "{\n\t\"a\": 1,\n\t\"b\": [\n\t\t2\n\t]\n}\n", .want = "{a:1 b:[2]}"},
		/* JSON needs nothing between two documents. */
		{.text = "{\"a\": 1}\n{\"b\": 2}{\"c\": 3} {}\n---\nd: 4\n",
		 .want = "{a:1}|{b:2}|{c:3}|{}|{d:4}"},
		{.text = "a: {}\nb: []\n", .want = "{a:{} b:[]}"},
		{.text = "a: &x {b: 1}\nc: *x\nd: *x\n", .want = "{a:{b:1} c:{b:1} d:{b:1}}"},
		{.text = "a: &x 1\nb: &x 2\nc: *x\n", .want = "{a:1 b:2 c:2}"},
		{.text = "a: &k key\n*k : 1\n", .want = "{a:key key:1}"},
		{.text = "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n",
		 .want = "{a:{b:1 c:2} d:{c:3 b:1}}"},
		{.text = "- &x {b: 1}\n- &y {b: 2, c: 2}\n- {<<: [*x, *y], d: 3}\n",
		 .want = "[{b:1} {b:2 c:2} {d:3 b:1 c:2}]"},
		{.text = "{<<: {a: 1}, a: 2}", .want = "{a:2}"},
		{.text = "{<<: []}", .want = "{}"},
		{.text = "{\"<<\": {a: 1}}", .want = "{<<:{a:1}}"},
		{.text = "%YAML 1.1\n---\na: 1\n", .want = "{a:1}"},
		{.text = "a: b: c", .want = NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FREE char *shown = NULL;
		MRD_AUTO_FREE char *findings = NULL;
		int ret;

		print_message("case '%s'\n", cases[i].text);
		ret = read_text(cases[i].text, strlen(cases[i].text), &shown, &findings);
		assert_int_equal(ret, cases[i].want ? 0 : -EBADMSG);
		assert_string_equal(shown, cases[i].want ? cases[i].want : "");
		assert_int_equal(strlen(findings) != 0, !cases[i].want);
	}
}

static void broken_documents_name_place_and_reason(void **state)
{
	static const struct {
		const char *text;
		const char *kept; /* what is read all the same */
		const char *want;
	} cases[] = {
		{.text = "a:\n\tb: 1\n",
		 .want = "f:2:1: error: a tab cannot indent YAML: use spaces"},
		{.text = "a: 1\n\tb: 1\n",
		 .want = "f:2:1: error: a tab cannot indent YAML: use spaces"},
		{.text = "a:\n  - b\n \t- c\n",
		 .want = "f:3:2: error: a tab cannot indent YAML: use spaces"},
		{.text = "a: @b\n",
		 .want = "f:1:4: error: '@' cannot start a value: put the value in quotes"},
		{.text = "a: 1\nb: 2\na: 3\na: 4\n",
		 .kept = "{a:1 b:2}",
		 .want = "f:3:1: error: a: this key is given twice, first in line 1\n"
			 "f:4:1: error: a: this key is given twice, first in line 1"},
		{.text = "a: {b: 1, 'b': 2}\nc: 1\nc: 2\n---\nd: 1\n",
		 .kept = "{a:{b:1} c:1}|{d:1}",
		 .want = "f:1:11: error: a.b: this key is given twice, first in line 1\n"
			 "f:3:1: error: c: this key is given twice, first in line 2"},
		{.text = "a:\n- b\n- c.d:\n    e: {f: 1, f: 2}\n",
		 .kept = "{a:[b {c.d:{e:{f:1}}}]}",
		 .want = "f:4:15: error: a[1][\"c.d\"].e.f: this key is given twice, first in "
			 "line 4"},
		{.text = "<<: {a: 1}\n<<: {b: 1}\n",
		 .kept = "{a:1}",
		 .want = "f:2:1: error: <<: this key is given twice, first in line 1"},
		{.text = "{\"a\": 1}\n {\"b\": 2,\n\"b\": 3} {\"c\": 1, \"c\": *x}\n",
		 .kept = "{a:1}|{b:2}|{c:1}",
		 .want = "f:3:1: error: b: this key is given twice, first in line 2\n"
			 "f:3:23: error: c: an alias of an anchor that is not set\n"
			 "f:3:18: error: c: this key is given twice, first in line 3"},
		{.text = "{\"a\": 1} {\"b\": ]}\n---\nc: 1\n", .kept = "{a:1}|{c:1}", .want = NULL},
		{.text = "a: 1\n{b: 2}\n", .want = NULL},
		{.text = "a: 1\n---\nb: [\n", .kept = "{a:1}", .want = NULL},
		{.text = "a: 1\n---\nb: 1\nb: 2\n---\nc: 1\n",
		 .kept = "{a:1}|{b:1}|{c:1}",
		 .want = "f:4:1: error: b: this key is given twice, first in line 3"},
		{.text = "a: *x\nb: *y\nc: 1\n",
		 .kept = "{a:null b:null c:1}",
		 .want = "f:1:4: error: a: an alias of an anchor that is not set\n"
			 "f:2:4: error: b: an alias of an anchor that is not set"},
		{.text = "a:\n- b\n- [c, {d: *x}]\n*k : 1\ne: 2\n",
		 .kept = "{a:[b [c {d:null}]] e:2}",
		 .want = "f:3:11: error: a[1][1].d: an alias of an anchor that is not set\n"
			 "f:4:1: error: an alias of an anchor that is not set"},
		{.text = "*x",
		 .kept = "null",
		 .want = "f:1:1: error: an alias of an anchor that is not set"},
		{.text = "a: &x 1\n---\nb: *x\n",
		 .kept = "{a:1}|{b:null}",
		 .want = "f:3:4: error: b: an alias of an anchor that is not set"},
		{.text = "a: &x [*x, 1]\n",
		 .kept = "{a:[null 1]}",
		 .want = "f:1:8: error: a[0]: an alias inside of what it stands for"},
		{.text = "[a]: 1\nb: {? {c: {d: 1}} : [2], e: 3}\n",
		 .kept = "{b:{e:3}}",
		 .want = "f:1:1: error: a key must be a single word or text\n"
			 "f:2:7: error: b: a key must be a single word or text"},
		{.text = "{{ x }}: {? [{[a]: 1}] : 2}\nb: 1\n",
		 .kept = "{b:1}",
		 .want = "f:1:1: error: a key must be a single word or text\n"
			 "f:1:13: error: [\"\"]: a key must be a single word or text"},
		{.text = "a: {{ .Values.x }}\nb: 1\n",
		 .kept = "{a:{} b:1}",
		 .want = "f:1:5: error: a: a key must be a single word or text"},
		{.text = "- &x [1]\n- {*x : 1, y: 2}\n",
		 .kept = "[[1] {y:2}]",
		 .want = "f:2:4: error: [1]: a key must be a single word or text"},
		{.text = "{<<: 5, a: 1}",
		 .kept = "{a:1}",
		 .want = "f:1:6: error: <<: only maps can be merged with <<"},
		{.text = "a: {<<: [{a: 1}, 5, {b: 2}]}",
		 .kept = "{a:{a:1 b:2}}",
		 .want = "f:1:9: error: a.<<: only maps can be merged with <<"},
		{.text = "{<<: [*x, {b: 2}]}",
		 .kept = "{b:2}",
		 .want = "f:1:7: error: <<[0]: an alias of an anchor that is not set"},
		{.text = "{<<: *x}",
		 .kept = "{}",
		 .want = "f:1:6: error: <<: an alias of an anchor that is not set"},
		{.text = "a: !mine 5\nb: !mine {b: !mine [1]}\n",
		 .kept = "{a:5 b:{b:[1]}}",
		 .want = "f:1:4: error: a: a tag that is not one of YAML's own\n"
			 "f:2:4: error: b: a tag that is not one of YAML's own\n"
			 "f:2:14: error: b.b: a tag that is not one of YAML's own"},
		{.text = "a: \"x\\0y\"\n\"x\\0y\": 1\nb: 1\n",
		 .kept = "{a:null b:1}",
		 .want = "f:1:4: error: a: a zero character in a text\n"
			 "f:2:1: error: a zero character in a text"},
		/* Behind what is no YAML the next document begins. */
		{.text = "a: 1\n---\nb:\n\tc: 1\n---\nd: 2\nd: 3\n--- # e\ne: @\n---\n\tf\n---\nf: "
			 "'x\n"
			 "---\ng: *x\n",
		 .kept = "{a:1}|{d:2}|{g:null}",
		 .want = "f:4:1: error: a tab cannot indent YAML: use spaces\n"
			 "f:7:1: error: d: this key is given twice, first in line 6\n"
			 "f:9:4: error: '@' cannot start a value: put the value in quotes\n"
			 "f:11:1: error: a tab cannot indent YAML: use spaces\n"
			 "f:14:1: error: found unexpected document indicator while scanning a "
			 "quoted "
			 "scalar that starts in line 13\n"
			 "f:15:4: error: g: an alias of an anchor that is not set"},
		{.text = "--- @a\n--- @b\n--- c\n---",
		 .kept = "c|null",
		 .want = "f:1:5: error: '@' cannot start a value: put the value in quotes\n"
			 "f:2:5: error: '@' cannot start a value: put the value in quotes"},
		{.text = "a: @\r\n---\r\nb: 1\r\n----\r\n",
		 .want = "f:1:4: error: '@' cannot start a value: put the value in quotes\n"
			 "f:5:1: error: could not find expected ':' while scanning a simple key "
			 "that "
			 "starts in line 4"},
		{.text = "a: @\n---\nb: \xc3\xa9\xff\n---\nc: 1\n", .kept = "{c:1}", .want = NULL},
		{.text = "a: 1\nb: \xc3\xa9\xff\n",
		 .want = "f:2:5: error: invalid leading UTF-8 octet"},
		{.text = "a: \x01\n", .want = NULL},
		{.text = "{\"a\": [1, 2}", .want = NULL},
		{.text = "{\"a\": \"b", .want = NULL},
		{.text = "a: 'b\n", .want = NULL},
		{.text = "a: b: c\n",
		 .want = "f:1:5: error: mapping values are not allowed in this context"},
		{.text = "\xc3\xa9: *x\n",
		 .kept = "{\xc3\xa9:null}",
		 .want = "f:1:4: error: \xc3\xa9: an alias of an anchor that is not set"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FREE char *shown = NULL;
		MRD_AUTO_FREE char *findings = NULL;

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(read_text(cases[i].text, strlen(cases[i].text), &shown, &findings),
				 -EBADMSG);
		assert_string_equal(shown, cases[i].kept ? cases[i].kept : "");
		print_message("  %s\n", findings);
		if (cases[i].want)
			assert_string_equal(findings, cases[i].want);
		else
			assert_non_null(strstr(findings, ": error: "));
	}
}

/* Every prefix of a document is read or refused, but never misread or left without a reason. */
static void half_written_files_are_refused_with_a_reason(void **state)
{
	static const char text[] = "a: &x {b: [1, 'two', \"three\"]}\n"
				   "c:\n  - <<: *x\n    d: |\n      text\n---\n{\"e\": null}\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		MRD_AUTO_FREE char *shown = NULL;
		MRD_AUTO_FREE char *findings = NULL;
		const int ret = read_text(text, len, &shown, &findings);

		print_message("case %zu bytes: %d %s\n", len, ret, findings);
		assert_true(ret == 0 || ret == -EBADMSG);
		assert_int_equal(ret == -EBADMSG, strlen(findings) != 0);
	}
}

/* How many of the pieces fit; "%" in piece is the number of the piece before, "#" its own. */
static char *repeat(const char *head, const char *piece, unsigned int count, const char *tail)
{
	struct mrd_strbuf text = {0};

	mrd_strbuf_addf(&text, "%s", head);
	for (unsigned int i = 1; i <= count; i++) {
		for (const char *at = piece; *at; at++) {
			if (*at == '%' || *at == '#')
				mrd_strbuf_addf(&text, "%u", *at == '#' ? i : i - 1);
			else
				mrd_strbuf_add(&text, at, 1);
		}
	}
	mrd_strbuf_addf(&text, "%s", tail);
	return mrd_strbuf_steal(&text);
}

static void hostile_documents_are_bounded(void **state)
{
	static const struct {
		const char *name;
		const char *head;
		const char *piece;
		unsigned int count;
		const char *want; /* NULL: fine */
	} cases[] = {
		{.name = "billion laughs",
		 .head = "- &a0 [x,x,x,x,x,x,x,x,x,x]\n",
		 .piece = "- &a# [*a%,*a%,*a%,*a%,*a%,*a%,*a%,*a%,*a%,*a%]\n",
		 .count = 12,
		 .want = "aliases stand for too many nodes"},
		{.name = "laughs by merging",
		 .head = "- &a0 {x: y}\n",
		 .piece = "- &a# {<<: [*a%,*a%,*a%,*a%], x#: [*a%,*a%,*a%,*a%]}\n",
		 .count = 30,
		 .want = "aliases stand for too many nodes"},
		{.name = "laughs by text",
		 .head = "- &v \"0123456789012345678901234567890123456789"
			 "012345678901234567890123456789012345678901234567890123456789\"\n"
			 "- &a0 [*v,*v,*v,*v,*v,*v,*v,*v,*v,*v]\n",
		 .piece = "- &a# [*a%,*a%,*a%,*a%,*a%,*a%,*a%,*a%,*a%,*a%]\n",
		 .count = 5,
		 .want = "aliases stand for too many nodes or too long texts"},
		{.name = "few aliases",
		 .head = "- &a0 [x]\n",
		 .piece = "- &a# [*a%, *a%]\n",
		 .count = 15},
		{.name = "depth by brackets",
		 .head = "",
		 .piece = "[",
		 .count = 100000,
		 .want = "nested too deep"},
		{.name = "depth by aliases",
		 .head = "- &a0 [x]\n",
		 .piece = "- &a# [*a%]\n",
		 .count = 100,
		 .want = "nested too deep through aliases"},
		{.name = "depth that is allowed",
		 .head = "- &a0 [x]\n",
		 .piece = "- &a# [*a%]\n",
		 .count = 62},
		{.name = "many duplicates",
		 .head = "",
		 .piece = "a: #\n",
		 .count = 5000,
		 .want = "given twice"},
		{.name = "JSON in a row", .head = "", .piece = "{}", .count = 5000},
		{.name = "many keys", .head = "", .piece = "a#: #\n", .count = 20000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_FREE char *text =
			repeat(cases[i].head, cases[i].piece, cases[i].count, "");
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;

		print_message("case %s\n", cases[i].name);
		assert_int_equal(mrd_doc_parse("f", text, strlen(text), &diag, &file),
				 cases[i].want ? -EBADMSG : 0);
		if (cases[i].want)
			assert_non_null(strstr(diag.findings[0].reason, cases[i].want));
		assert_in_range(diag.count, !!cases[i].want, 101);
		mrd_doc_free(file);
	}
}

/* A large cluster's dump: what stands in the file itself is bounded by the file's size. */
static void only_aliases_are_counted(void **state)
{
	enum { ITEMS = MRD_DOC_NODES_MAX };
	static const char item[] = "-\n";
	static const size_t size = sizeof(item) - 1;
	MRD_AUTO_FREE char *text = malloc(ITEMS * size);
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < ITEMS; i++)
		memcpy(text + i * size, item, size);
	assert_int_equal(mrd_doc_parse("f", text, ITEMS * size, &diag, &file), 0);
	assert_int_equal(mrd_doc_root(file, 0)->count, ITEMS);
	mrd_doc_free(file);
}

static void nesting_stops_at_the_limit(void **state)
{
	(void)state;
	for (unsigned int depth = MRD_DOC_DEPTH_MAX - 1; depth <= MRD_DOC_DEPTH_MAX + 1; depth++) {
		MRD_AUTO_FREE char *open = repeat("", "[", depth, "");
		MRD_AUTO_FREE char *text = repeat(open, "]", depth, "");
		MRD_AUTO_FREE char *shown = NULL;
		MRD_AUTO_FREE char *findings = NULL;

		print_message("case %u\n", depth);
		assert_int_equal(read_text(text, strlen(text), &shown, &findings),
				 depth > MRD_DOC_DEPTH_MAX ? -EBADMSG : 0);
	}
}

/* What "kubectl get -o json" prints for many endpoints, on one line. */
static void a_long_json_line_is_read(void **state)
{
	enum { ITEMS = 20000 };
	MRD_AUTO_FREE char *text = repeat(
		"{\"items\":[0", ",{\"addresses\":[\"10.0.0.#\"],\"ready\":true}", ITEMS, "]}");
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const struct mrd_doc_node *items;

	(void)state;
	assert_int_equal(mrd_doc_parse("f", text, strlen(text), &diag, &file), 0);
	items = mrd_doc_get(mrd_doc_root(file, 0), "items");
	assert_int_equal(items->count, ITEMS + 1);
	assert_string_equal(mrd_doc_get(items->items[ITEMS], "addresses")->items[0]->text,
			    "10.0.0.20000");
	assert_int_equal(mrd_doc_get(items->items[ITEMS], "ready")->line, 1);
	mrd_doc_free(file);
}

static void nodes_know_their_place(void **state)
{
	static const char body[] = "a:\n  - b: 1\n    c: 'x'\n";
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const struct mrd_doc_node *list;

	(void)state;
	assert_int_equal(mrd_doc_parse("dir/f.yaml", body, strlen(body), &diag, &file), 0);
	assert_string_equal(mrd_doc_name(file), "dir/f.yaml");
	list = mrd_doc_get(mrd_doc_root(file, 0), "a");
	assert_int_equal(list->line, 2);
	assert_int_equal(list->column, 3);
	assert_int_equal(list->items[0]->line, 2);
	assert_int_equal(list->items[0]->column, 5);
	assert_int_equal(list->items[0]->keys[1]->line, 3);
	assert_int_equal(list->items[0]->keys[1]->column, 5);
	assert_int_equal(mrd_doc_get(list->items[0], "c")->column, 8);
	assert_null(mrd_doc_root(file, 1));
	mrd_doc_free(file);
}

static void numbers_and_flags(void **state)
{
	static const struct {
		const char *text;
		int want_int;
		int64_t number;
		int want_bool;
		bool flag;
	} cases[] = {
		{.text = "0", .want_bool = -EINVAL},
		{.text = "-0", .want_bool = -EINVAL},
		{.text = "+17", .number = 17, .want_bool = -EINVAL},
		{.text = "-17", .number = -17, .want_bool = -EINVAL},
		{.text = "0x1F", .number = 31, .want_bool = -EINVAL},
		{.text = "0o17", .number = 15, .want_bool = -EINVAL},
		{.text = "1_000", .number = 1000, .want_bool = -EINVAL},
		{.text = "-1_0_", .number = -10, .want_bool = -EINVAL},
		{.text = "_1", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "1_a", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "9223372036854775807", .number = INT64_MAX, .want_bool = -EINVAL},
		{.text = "-9223372036854775808", .number = INT64_MIN, .want_bool = -EINVAL},
		{.text = "9223372036854775808", .want_int = -ERANGE, .want_bool = -EINVAL},
		{.text = "-9223372036854775809", .want_int = -ERANGE, .want_bool = -EINVAL},
		{.text = "99999999999999999999", .want_int = -ERANGE, .want_bool = -EINVAL},
		{.text = "017", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "0x", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "0xg", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "0o8", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "1.0", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "1e3", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "- 1", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "'5'", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "null", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "[5]", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "true", .want_int = -EINVAL, .flag = true},
		{.text = "TRUE", .want_int = -EINVAL, .flag = true},
		{.text = "False", .want_int = -EINVAL},
		{.text = "'true'", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "yes", .want_int = -EINVAL, .flag = true},
		{.text = "Y", .want_int = -EINVAL, .flag = true},
		{.text = "ON", .want_int = -EINVAL, .flag = true},
		{.text = "No", .want_int = -EINVAL},
		{.text = "n", .want_int = -EINVAL},
		{.text = "off", .want_int = -EINVAL},
		{.text = "'yes'", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "yEs", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "yess", .want_int = -EINVAL, .want_bool = -EINVAL},
		{.text = "tRUE", .want_int = -EINVAL, .want_bool = -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;
		const struct mrd_doc_node *root;
		int64_t number = 77;
		bool flag = !cases[i].flag;

		print_message("case %s\n", cases[i].text);
		assert_int_equal(
			mrd_doc_parse("f", cases[i].text, strlen(cases[i].text), &diag, &file), 0);
		root = mrd_doc_root(file, 0);
		assert_int_equal(mrd_doc_int(root, &number), cases[i].want_int);
		assert_true(number == (cases[i].want_int ? 77 : cases[i].number));
		assert_int_equal(mrd_doc_bool(root, &flag), cases[i].want_bool);
		assert_int_equal(flag, cases[i].want_bool ? !cases[i].flag : cases[i].flag);
		mrd_doc_free(file);
	}
}

/* What kubectl would send as a number. */
static void numbers_of_all_forms(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{"17", true},	 {"-1.5", true},  {"+.5e-3", true}, {"1.", true},    {"017", true},
		{"08", true},	 {"1_000", true}, {"0x1F", true},   {"-0b10", true}, {".inf", true},
		{"-.INF", true}, {".NaN", true},  {"", false},	    {".", false},    {"-", false},
		{"e3", false},	 {"1e", false},	  {"1.2.3", false}, {"0xg", false},  {"0b2", false},
		{"_1", false},	 {"'17'", false}, {"1s", false},    {"[1]", false},  {"inf", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;

		print_message("case %s\n", cases[i].text);
		assert_int_equal(
			mrd_doc_parse("f", cases[i].text, strlen(cases[i].text), &diag, &file), 0);
		assert_int_equal(mrd_doc_is_number(mrd_doc_root(file, 0)), cases[i].want);
		mrd_doc_free(file);
	}
}

/* Whatever of it is in a parser's next piece. */
static void characters_may_lie_between_pieces(void **state)
{
	(void)state;
	for (unsigned int shift = 0; shift < 4; shift++) {
		MRD_AUTO_FREE char *head = repeat("a: ", "x", shift, "");
		MRD_AUTO_FREE char *text = repeat(head, "\xf0\x9f\x8c\x8d", 20000, "\n");
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_doc_file *file = NULL;
		const struct mrd_doc_node *value;

		assert_int_equal(mrd_doc_parse("f", text, strlen(text), &diag, &file), 0);
		value = mrd_doc_get(mrd_doc_root(file, 0), "a");
		assert_int_equal(strlen(value->text), strlen(text) - 4);
		assert_memory_equal(value->text, text + 3, strlen(value->text));
		mrd_doc_free(file);
	}
}

/* Where files were put together. */
static void marks_may_begin_documents(void **state)
{
	static const char body[] = "\xef\xbb\xbf"
				   "a: 1\n"
				   "\xef\xbb\xbf"
				   "---\nb: 2\n"
				   "\xef\xbb\xbf"
				   "--- {c: }}\n"
				   "---\n\xef\xbb\xbf"
				   "d: 4\nd2: 4\n"
				   "---\n{\"e\": 5}\n\xef\xbb\xbf"
				   "{\"f\": 6}\n";
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;

	(void)state;
	assert_int_equal(mrd_doc_parse("f", body, sizeof(body) - 1, &diag, &file), -EBADMSG);
	assert_int_equal(diag.count, 1);
	assert_int_equal(diag.findings[0].line, 4);
	assert_int_equal(mrd_doc_count(file), 6);
	assert_non_null(mrd_doc_get(mrd_doc_root(file, 0), "a"));
	assert_non_null(mrd_doc_get(mrd_doc_root(file, 1), "b"));
	assert_non_null(mrd_doc_get(mrd_doc_root(file, 3), "d"));
	assert_non_null(mrd_doc_get(mrd_doc_root(file, 3), "d2"));
	assert_non_null(mrd_doc_get(mrd_doc_root(file, 5), "f"));
	mrd_doc_free(file);
}

static void asking_the_wrong_kind_is_harmless(void **state)
{
	static const char body[] = "[a, {b: c}]";
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const struct mrd_doc_node *root;
	const char *text = "unchanged";

	(void)state;
	assert_int_equal(mrd_doc_parse("f", body, strlen(body), &diag, &file), 0);
	root = mrd_doc_root(file, 0);
	assert_null(mrd_doc_get(root, "b"));
	assert_null(mrd_doc_get(NULL, "b"));
	assert_null(mrd_doc_get(root->items[1], "c"));
	assert_int_equal(mrd_doc_string(root, &text), -EINVAL);
	assert_int_equal(mrd_doc_string(NULL, &text), -EINVAL);
	assert_string_equal(text, "unchanged");
	assert_int_equal(mrd_doc_string(root->items[0], &text), 0);
	assert_string_equal(text, "a");
	mrd_doc_free(file);
	mrd_doc_free(NULL);
}

static void files_and_pipes_are_read_to_the_end(void **state)
{
	enum { LINES = 3000 };
	MRD_AUTO_FREE char *text = repeat("", "key#: value\n", LINES, "");
	char path[] = "/tmp/meridian-test-doc-XXXXXX";
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	MRD_AUTO_FD int fd = mkstemp(path);
	char pipe_path[64];
	int ends[2];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(mrd_doc_read(path, &diag, &file), 0);
	assert_int_equal(mrd_doc_root(file, 0)->count, LINES);
	assert_string_equal(mrd_doc_name(file), path);
	mrd_doc_free(file);
	unlink(path);
	assert_int_equal(mrd_doc_read(path, &diag, &file), -ENOENT);
	assert_int_equal(mrd_doc_read("/tmp", &diag, &file), -EISDIR);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text)); /* fits its buffer */
	close(ends[1]);
	snprintf(pipe_path, sizeof(pipe_path), "/dev/fd/%d", ends[0]);
	assert_int_equal(mrd_doc_read(pipe_path, &diag, &file), 0);
	assert_int_equal(mrd_doc_root(file, 0)->count, LINES);
	mrd_doc_free(file);
	close(ends[0]);
}

/* Of very many mistakes the first hundred are told, and that there are more. */
static void where_mistakes_end_is_told(void **state)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	static const char one[] = "---\na: @\n";
	enum { TIMES = 150, TOLD = 100 };
	char text[TIMES * (sizeof(one) - 1) + 1] = "";

	(void)state;
	for (int i = 0; i < TIMES; i++)
		memcpy(text + i * (sizeof(one) - 1), one, sizeof(one));
	assert_int_equal(mrd_doc_parse("f", text, strlen(text), &diag, &file), -EBADMSG);
	assert_int_equal(diag.count, TOLD + 1);
	assert_int_equal(diag.findings[TOLD].line, 0);
	assert_string_equal(diag.findings[TOLD].reason,
			    "100 mistakes, and no more are looked for: mend these first");
	mrd_doc_free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_documents),
		cmocka_unit_test(where_mistakes_end_is_told),
		cmocka_unit_test(broken_documents_name_place_and_reason),
		cmocka_unit_test(half_written_files_are_refused_with_a_reason),
		cmocka_unit_test(hostile_documents_are_bounded),
		cmocka_unit_test(only_aliases_are_counted),
		cmocka_unit_test(nesting_stops_at_the_limit),
		cmocka_unit_test(a_long_json_line_is_read),
		cmocka_unit_test(nodes_know_their_place),
		cmocka_unit_test(numbers_and_flags),
		cmocka_unit_test(numbers_of_all_forms),
		cmocka_unit_test(characters_may_lie_between_pieces),
		cmocka_unit_test(marks_may_begin_documents),
		cmocka_unit_test(asking_the_wrong_kind_is_harmless),
		cmocka_unit_test(files_and_pipes_are_read_to_the_end),
	};

	return cmocka_run_group_tests_name("base/doc", tests, NULL, NULL);
}
