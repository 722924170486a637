/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Any bytes as the answers of an API server, with a zero byte between them; an answer that begins
 * with a control character has another status than 200. However the bytes are cut, the reflector
 * must do the same; it ends only lists that it has begun; and what jansson reads, the scanner
 * reads.
 */
#include "kube/reflector.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc_json.h"
#include "base/strbuf.h"
#include "kube/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct mrd_strbuf calls;
	bool in_list;
};

static void require(bool truth)
{
	if (!truth)
		abort();
}

static int take(struct seen *seen, const char *what, const char *json, size_t len)
{
	require(len && json[len - 1] > ' ');
	mrd_strbuf_addf(&seen->calls, "%s ", what);
	mrd_strbuf_add(&seen->calls, json, len);
	return len % 7 ? 0 : -EBADMSG;
}

static int put(void *self, const char *json, size_t len)
{
	return take(self, "put", json, len);
}

static int remove_object(void *self, const char *json, size_t len)
{
	return take(self, "remove", json, len);
}

static void list_begin(void *self)
{
	struct seen *seen = self;

	seen->in_list = true;
	mrd_strbuf_addf(&seen->calls, "begin ");
}

static void list_drop(void *self)
{
	struct seen *seen = self;

	require(seen->in_list);
	mrd_strbuf_addf(&seen->calls, "drop ");
}

static void list_end(void *self)
{
	struct seen *seen = self;

	require(seen->in_list);
	seen->in_list = false;
	mrd_strbuf_addf(&seen->calls, "end ");
}

static void note_status(const struct mrd_reflector *reflector, struct mrd_strbuf *out)
{
	struct mrd_reflector_status status;

	mrd_reflector_get_status(reflector, &status);
	require(!*status.error == !status.failing_since_ns);
	require(strlen(status.error) < 1000);
	require(!strpbrk(status.error, "\n\r\t"));
	mrd_strbuf_addf(out, "[%d%d%d %lu %lu %lu %lu %s %s]", status.synced, status.watching,
			status.missing, (unsigned long)status.objects,
			(unsigned long)status.undecoded, (unsigned long)status.lists,
			(unsigned long)status.failures, status.version, status.error);
}

static void answer(struct mrd_reflector *reflector, const char *text, size_t len, size_t piece,
		   uint64_t *now_ns)
{
	static const unsigned int others[] = {400, 401, 403, 404, 406, 410,
					      422, 429, 500, 503, 504};
	const char *error = len % 5 ? "" : "cut";
	unsigned int status = 200;

	if (len && (unsigned char)text[0] < ' ') {
		status = others[(unsigned char)text[0] % (sizeof(others) / sizeof(others[0]))];
		text++;
		len--;
	}
	mrd_reflector_on_head(reflector, status, "application/json", 0, *now_ns);
	for (size_t at = 0; at < len; at += piece) {
		const size_t left = len - at;

		if (mrd_reflector_on_body(reflector, text + at, piece < left ? piece : left,
					  *now_ns) < 0) {
			error = "given up";
			break;
		}
	}
	*now_ns += len * 1000000;
	mrd_reflector_on_end(reflector, error, *now_ns);
}

/* Everything that comes of a conversation, as text. */
static char *talk(const char *text, size_t size, size_t piece)
{
	struct seen seen = {0};
	const struct mrd_reflector_config config = {
		.group = "g",
		.versions = size % 3 ? "v1" : "v1 v1beta1",
		.resource = "things",
		.kind = "Thing",
		.label_selector = "",
		.may_be_missing = size % 2,
		.metadata_only = size % 5 == 0,
		.put = put,
		.remove = remove_object,
		.list_begin = list_begin,
		.list_end = list_end,
		.list_drop = list_drop,
		.objects_max = 4,
		.objects_says = "a limit",
		.self = &seen,
	};
	struct mrd_reflector *reflector = NULL;
	uint64_t now_ns = 1000000000000;

	require(mrd_reflector_new(&config, now_ns, &reflector) == 0);
	for (size_t at = 0; at < size;) {
		const char *zero = memchr(text + at, '\0', size - at);
		const size_t len = zero ? (size_t)(zero - text) - at : size - at;
		const uint64_t due_ns = mrd_reflector_due_ns(reflector);
		struct mrd_reflector_request request;

		require(due_ns <= now_ns + UINT64_C(300000000000));
		now_ns = due_ns > now_ns ? due_ns : now_ns;
		require(mrd_reflector_request(reflector, now_ns, &request));
		require(!strpbrk(request.path, " \"<>\\^`{|}\n"));
		mrd_strbuf_addf(&seen.calls, "\n%s\n%s\n", request.path, request.accept);
		answer(reflector, text + at, len, piece, &now_ns);
		note_status(reflector, &seen.calls);
		at += len + 1;
	}
	mrd_reflector_free(reflector);
	mrd_strbuf_add(&seen.calls, "", 0);
	return mrd_strbuf_steal(&seen.calls);
}

/* jansson takes no depth or document that the scanner would not take, if it is an object. */
static void check_grammar(const char *text, size_t size)
{
	const struct mrd_json_scan_hooks hooks = {0};
	struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	struct mrd_json_scan scan;

	if (mrd_doc_parse_json("fuzz", text, size, &diag, &file) == 0 && mrd_doc_root(file, 0) &&
	    mrd_doc_root(file, 0)->kind == MRD_DOC_MAP) {
		mrd_json_scan_begin(&scan, NULL, 0, false, &hooks);
		require(mrd_json_scan_feed(&scan, text, size) == 0);
		require(mrd_json_scan_is_whole(&scan));
	}
	mrd_doc_free(file);
	mrd_diag_free(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char *whole = talk(text, size, size + 1);
	char *bytes = talk(text, size, 1);
	char *pieces = talk(text, size, 7);

	require(!strcmp(whole, bytes) && !strcmp(whole, pieces));
	free(whole);
	free(bytes);
	free(pieces);
	check_grammar(text, size);
	return 0;
}
