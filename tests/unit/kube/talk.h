/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A conversation with an API server, step by step: what the reflector must ask and after how long,
 * what it is answered, and which calls must come of it. Bodies that begin with @ are files of
 * tests/unit/kube/data, which a real server has sent (less the fields that nobody reads).
 */
#ifndef TESTS_UNIT_KUBE_TALK_H
#define TESTS_UNIT_KUBE_TALK_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/doc_json.h"
#include "base/strbuf.h"
#include "kube/reflector.h"

static const uint64_t talk_ms = 1000000;

struct talk_step {
	/* "stream", "pages", "pages TOKEN", "watch VERSION" or "check NAMESPACE/NAME"; a check that
	 * is not in the table is answered as by a server that has it all. */
	const char *asks;
	uint64_t least_ms; /* of the wait before it; both 0: at once */
	uint64_t most_ms;
	unsigned int status; /* 0: no head, the transport fails with error */
	const char *type;    /* NULL: application/json, as the servers say */
	uint64_t retry_after_ms;
	const char *body;
	const char *error; /* NULL: the answer is whole */
	uint64_t lasts_ms; /* from its head to its end */
	int head;	   /* what on_head returns */
	const char *calls; /* NULL: none */
	const char *fails; /* a part of the error; NULL: nothing is wrong */
	bool unsynced;	   /* behind it no list has been complete yet */
	bool missing;
};

/* The first wait of the backoff, the second, the third. */
#define WAIT_1 .least_ms = 800, .most_ms = 1600
#define WAIT_2 .least_ms = 1600, .most_ms = 3200
#define WAIT_3 .least_ms = 3200, .most_ms = 6400

enum { TALK_STEPS_MAX = 12 };

struct talk {
	const char *name;
	bool may_be_missing;
	size_t objects_max; /* 0: any number */
	struct talk_step steps[TALK_STEPS_MAX];
};

/* How bodies are fed: pieces of at most most bytes (0 = any), cut behind byte cut of step. */
struct talk_feed {
	size_t most;
	size_t step;
	size_t cut;
};

/* ------------------------------------------------------------------- words for tables */

#define SERVICE(name, version)                                                       \
	"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" name \
	"\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, object)	"{\"type\":\"" type "\",\"object\":" object "}\n"
#define ADDED(name, version)	EVENT("ADDED", SERVICE(name, version))
#define MODIFIED(name, version) EVENT("MODIFIED", SERVICE(name, version))
#define DELETED(name, version)	EVENT("DELETED", SERVICE(name, version))
#define BOOKMARK(version)                                                       \
	EVENT("BOOKMARK", "{\"kind\":\"Service\",\"apiVersion\":\"v1\","        \
			  "\"metadata\":{\"resourceVersion\":\"" version "\"}," \
			  "\"spec\":{}}")
#define MARK(version)                                                             \
	EVENT("BOOKMARK", "{\"kind\":\"Service\",\"metadata\":{\"annotations\":{" \
			  "\"k8s.io/initial-events-end\":\"true\"},"              \
			  "\"resourceVersion\":\"" version "\"}}")
#define ERROR(code, reason)                                                                  \
	EVENT("ERROR", "{\"kind\":\"Status\",\"message\":\"why\",\"reason\":\"" reason "\"," \
		       "\"code\":" code "}")
#define LIST(meta, items) "{\"metadata\":{" meta "},\"items\":[" items "]}"
#define VERSION(version)  "\"resourceVersion\":\"" version "\""
#define TOKEN(token)	  ",\"continue\":\"" token "\""
#define ITEM(name)	  "{\"metadata\":{\"name\":\"" name "\"}}"

/* Answers that many conversations begin with. */
#define STREAMED                                                                    \
	{                                                                           \
		.asks = "stream", .status = 200, .body = ADDED("a", "5") MARK("7"), \
		.calls = "begin put Service:a end"                                  \
	}
#define NO_STREAM                                                                           \
	{                                                                                   \
		.asks = "stream", .status = 422, .body = "{\"code\":422}", .unsynced = true \
	}

/* ------------------------------------------------------------------- who takes the objects */

/* "Kind:name", so that a list's items must have got their kind. */
static inline void talk_name(struct mrd_strbuf *calls, const char *json, size_t len, bool *ret_bad)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const char *kind = "?";
	const char *version = "?";
	const char *name = "?";

	*ret_bad = true;
	if (mrd_doc_parse_json("object", json, len, &diag, &file) == 0) {
		const struct mrd_doc_node *root = mrd_doc_root(file, 0);
		const struct mrd_doc_node *meta = mrd_doc_get(root, "metadata");

		*ret_bad = mrd_doc_string(mrd_doc_get(root, "kind"), &kind) < 0 ||
			   mrd_doc_string(mrd_doc_get(root, "apiVersion"), &version) < 0 ||
			   mrd_doc_string(mrd_doc_get(meta, "name"), &name) < 0;
	}
	mrd_strbuf_addf(calls, "%s:%s ", kind, name);
	mrd_doc_free(file);
}

static inline int talk_put(void *self, const char *json, size_t len)
{
	struct mrd_strbuf *calls = self;
	bool bad;

	mrd_strbuf_addf(calls, "put ");
	talk_name(calls, json, len, &bad);
	if (strstr(calls->text, ":no-space "))
		return -ENOSPC;
	return bad ? -EBADMSG : 0;
}

static inline int talk_remove(void *self, const char *json, size_t len)
{
	bool bad;

	mrd_strbuf_addf(self, "remove ");
	talk_name(self, json, len, &bad);
	return bad ? -EBADMSG : 0;
}

static inline void talk_list_begin(void *self)
{
	mrd_strbuf_addf(self, "begin ");
}

static inline void talk_list_end(void *self)
{
	mrd_strbuf_addf(self, "end ");
}

static inline void talk_list_drop(void *self)
{
	mrd_strbuf_addf(self, "drop ");
}

static inline struct mrd_reflector *talk_reflector(const struct mrd_reflector_config *more,
						   struct mrd_strbuf *calls, uint64_t now_ns)
{
	struct mrd_reflector_config config = *more;
	struct mrd_reflector *reflector = NULL;

	config.group = config.group ? config.group : "";
	config.versions = config.versions ? config.versions : "v1";
	config.resource = config.resource ? config.resource : "services";
	config.kind = config.kind ? config.kind : "Service";
	config.label_selector = config.label_selector ? config.label_selector : "";
	config.put = talk_put;
	config.remove = talk_remove;
	config.list_begin = talk_list_begin;
	config.list_end = talk_list_end;
	config.list_drop = talk_list_drop;
	config.self = calls;
	assert_int_equal(mrd_reflector_new(&config, now_ns, &reflector), 0);
	return reflector;
}

/* ------------------------------------------------------------------- what is said */

static inline char *talk_body(const char *body)
{
	char path[256];
	MRD_AUTO_FILE FILE *file = NULL;
	char *text;
	size_t len;

	if (!body || body[0] != '@')
		return strdup(body ? body : "");
	snprintf(path, sizeof(path), "tests/unit/kube/data/%s.json", body + 1);
	file = fopen(path, "r");
	assert_non_null(file);
	text = calloc(1, 8192);
	assert_non_null(text);
	len = fread(text, 1, 8191, file);
	assert_in_range(len, 1, 8190);
	return text;
}

/* A request in the words of talk_step. */
static inline void talk_request(struct mrd_strbuf *out, const char *request)
{
	const char *version = strstr(request, "resourceVersion=");
	const char *token = strstr(request, "continue=");
	const char *namespace_ = strstr(request, "/namespaces/");
	const char *name = strstr(request, "fieldSelector=metadata.name%3D");

	if (strstr(request, "sendInitialEvents=true"))
		mrd_strbuf_addf(out, "stream");
	else if (strstr(request, "watch=1"))
		mrd_strbuf_addf(out, "watch %.*s", (int)strcspn(version + 16, "&"), version + 16);
	else if (strstr(request, "limit=1&") || !strcmp(strchr(request, '?'), "?limit=1"))
		mrd_strbuf_addf(out, "check %.*s/%.*s",
				(int)(namespace_ ? strcspn(namespace_ + 12, "/") : 0),
				namespace_ ? namespace_ + 12 : "",
				(int)(name ? strcspn(name + 30, "&") : 0), name ? name + 30 : "");
	else if (token)
		mrd_strbuf_addf(out, "pages %.*s", (int)strcspn(token + 9, "&"), token + 9);
	else
		mrd_strbuf_addf(out, "pages");
}

/* The server has all that was asked about, and more. *asks: what is asked then. */
static inline void talk_pass_check(struct mrd_reflector *reflector, struct mrd_strbuf *asks,
				   uint64_t now_ns, struct mrd_reflector_request *request)
{
	static const char all[] =
		LIST(VERSION("1000000"), "{\"metadata\":{" VERSION("1000000") "}}");

	mrd_reflector_on_head(reflector, 200, "application/json", 0, now_ns);
	assert_int_equal(mrd_reflector_on_body(reflector, all, strlen(all), now_ns), 0);
	mrd_reflector_on_end(reflector, "", now_ns);
	assert_true(mrd_reflector_request(reflector, now_ns, request));
	asks->len = 0;
	talk_request(asks, request->path);
}

static inline void talk_answer(struct mrd_reflector *reflector, const struct talk_step *step,
			       const struct talk_feed *feed, bool is_cut, uint64_t *now_ns)
{
	MRD_AUTO_FREE char *body = talk_body(step->body);
	const size_t len = strlen(body);
	const char *error = step->error ? step->error : "";
	size_t piece;

	if (!step->status) {
		mrd_reflector_on_end(reflector, error, *now_ns);
		return;
	}
	assert_int_equal(mrd_reflector_on_head(reflector, step->status,
					       step->type ? step->type : "application/json",
					       step->retry_after_ms, *now_ns),
			 step->head);
	for (size_t at = 0; at < len; at += piece) {
		piece = feed->most ? feed->most : len;
		if (is_cut && at < feed->cut)
			piece = feed->cut - at;
		if (piece > len - at)
			piece = len - at;
		if (mrd_reflector_on_body(reflector, body + at, piece, *now_ns) < 0) {
			error = "given up by the reader";
			break;
		}
	}
	*now_ns += step->lasts_ms * talk_ms;
	mrd_reflector_on_end(reflector, error, *now_ns);
}

static inline void talk_check(const struct mrd_reflector *reflector, const struct talk_step *step,
			      const struct mrd_strbuf *calls)
{
	struct mrd_reflector_status status;
	const char *want = step->calls ? step->calls : "";
	const size_t len = strlen(want);

	/* The calls end with a space, which the table need not say. */
	if (calls->len != len + (len != 0) || strncmp(calls->text ? calls->text : "", want, len))
		print_message("  calls: '%s'\n", calls->text);
	assert_int_equal(calls->len, len + (len != 0));
	assert_int_equal(strncmp(calls->text ? calls->text : "", want, len), 0);
	mrd_reflector_get_status(reflector, &status);
	if (step->fails ? !strstr(status.error, step->fails) : *status.error)
		print_message("  error: '%s'\n", status.error);
	if (step->fails)
		assert_non_null(strstr(status.error, step->fails));
	else
		assert_string_equal(status.error, "");
	assert_int_equal(status.failing_since_ns != 0, step->fails != NULL);
	assert_int_equal(status.synced, !step->unsynced);
	assert_int_equal(status.missing, step->missing);
	assert_false(status.watching);
}

static inline void talk_run(const struct talk *talk, const struct talk_feed *feed, bool loud)
{
	const struct mrd_reflector_config config = {
		.may_be_missing = talk->may_be_missing,
		.objects_max = talk->objects_max,
		.objects_says = "kernel.limits.services",
	};
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 500000 * talk_ms;
	struct mrd_reflector *reflector = talk_reflector(&config, &calls, now_ns);

	for (size_t i = 0; i < TALK_STEPS_MAX && talk->steps[i].asks; i++) {
		const struct talk_step *step = &talk->steps[i];
		MRD_AUTO_STRBUF struct mrd_strbuf asks = {0};
		const uint64_t due_ns = mrd_reflector_due_ns(reflector);
		struct mrd_reflector_request request;

		if (loud)
			print_message("  %s: %s\n", talk->name, step->asks);
		assert_in_range(due_ns, now_ns + step->least_ms * talk_ms,
				now_ns + step->most_ms * talk_ms);
		if (due_ns > now_ns)
			assert_false(mrd_reflector_request(reflector, due_ns - 1, &request));
		now_ns = due_ns;
		assert_true(mrd_reflector_request(reflector, now_ns, &request));
		talk_request(&asks, request.path);
		if (!strncmp(asks.text, "check", 5) && strncmp(step->asks, "check", 5) != 0)
			talk_pass_check(reflector, &asks, now_ns, &request);
		assert_string_equal(asks.text, step->asks);
		assert_int_equal(request.silence_ms, strncmp(step->asks, "watch", 5) ? 30000 : 0);
		assert_false(mrd_reflector_request(reflector, now_ns, &request));
		assert_true(mrd_reflector_due_ns(reflector) == UINT64_MAX);
		talk_answer(reflector, step, feed, i == feed->step, &now_ns);
		talk_check(reflector, step, &calls);
		calls.len = 0;
	}
	mrd_reflector_free(reflector);
}

/* Whole, byte by byte, and cut at every byte of every answer. */
static inline void talk_all(const struct talk *talk)
{
	print_message("%s\n", talk->name);
	talk_run(talk, &(struct talk_feed){0}, true);
	print_message("  byte by byte\n");
	talk_run(talk, &(struct talk_feed){.most = 1}, false);
	for (size_t i = 0; i < TALK_STEPS_MAX && talk->steps[i].asks; i++) {
		MRD_AUTO_FREE char *body = talk_body(talk->steps[i].body);
		const size_t len = strlen(body);

		print_message("  step %zu, cut at each byte\n", i);
		for (size_t cut = 1; cut < len; cut++)
			talk_run(talk, &(struct talk_feed){.step = i, .cut = cut}, false);
	}
}

static inline void talk_table(const struct talk *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		talk_all(&table[i]);
}

#endif
