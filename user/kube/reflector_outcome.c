/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What an answer means once it has ended: what is asked next, and when.
 *
 * A refused watch is tried again from its version, for a list costs the server much more; after
 * the third in a row it is not, for nothing says that the server will ever serve that version.
 *
 * Before a watch that goes on where another ended the server is asked what it has: one whose
 * storage was set back would be silent until it has reached our version again, and wrong from then
 * on.
 *
 * A server that does not stream lists says so in many ways: 400 or 422, an ERROR event (etcd before
 * 3.5), a bookmark without the mark, objects without an end. Only a stream that was cut may have
 * been cut by accident: the second one in a row decides.
 */
#include <errno.h>
#include <string.h>

#include "kube/query.h"
#include "kube/reflector_state.h"

enum {
	STREAMS_CUT_MAX = 2,
	WATCHES_FAILED_MAX = 3,
	PAGES_MAX = 10000, /* of 500 objects */
	RETRY_AFTER_MAX_MS = 300000,
	COUNT_DIGITS_MAX = 19,
};

static const uint64_t list_silent_ns = MRD_LIST_SILENCE_MS * UINT64_C(1000000);
static const uint64_t watch_short_ns = MRD_WATCH_SHORT_MS * UINT64_C(1000000);
/* In which a server that starts has read its roles. */
static const uint64_t settled_ns = 5000000000;
/* A version that is too old twice within this time is no accident. */
static const uint64_t relist_ns = 30000000000;
static const uint64_t missing_least_ns = 10000000000;
static const uint64_t missing_most_ns = 30000000000;

static const char *verb(const struct mrd_reflector *reflector)
{
	return reflector->phase == MRD_PHASE_PAGES || reflector->phase == MRD_PHASE_CHECK ? "list"
											  : "watch";
}

static const char *resource(const struct mrd_reflector *reflector)
{
	return reflector->config.resource;
}

static bool has_lasted(const struct mrd_reflector *reflector, uint64_t least_ns)
{
	return reflector->now_ns - reflector->answer.begun_ns >= least_ns;
}

static void next_at_once(struct mrd_reflector *reflector)
{
	reflector->due_ns = reflector->now_ns;
}

static void use_pages(struct mrd_reflector *reflector)
{
	reflector->no_streaming = true;
	mrd_reflector_restart(reflector);
	next_at_once(reflector);
}

static void use_whole_objects(struct mrd_reflector *reflector)
{
	reflector->no_metadata = true;
	next_at_once(reflector);
}

/* An accident, unless it happens again. */
static void stream_failed(struct mrd_reflector *reflector, bool for_good)
{
	if (for_good || ++reflector->streams_cut == STREAMS_CUT_MAX)
		reflector->no_streaming = true;
	mrd_reflector_restart(reflector);
}

static void watch_failed(struct mrd_reflector *reflector, bool for_good)
{
	if (for_good || ++reflector->watches_failed == WATCHES_FAILED_MAX)
		mrd_reflector_restart(reflector);
}

/* ------------------------------------------------------------------- refusals */

static void on_forbidden(struct mrd_reflector *reflector, const struct mrd_api_status *status)
{
	const struct mrd_reflector_config *config = &reflector->config;
	const char *message = status->message.text ? status->message.text : "";

	mrd_reflector_fail(reflector, 0,
			   "may not %s %s: a role must grant the verb \"%s\" on the resource \"%s\""
			   " in the apiGroup \"%s\" (403%s%s)",
			   verb(reflector), config->resource, verb(reflector), config->resource,
			   config->group, *message ? ": " : "", message);
	if (!reflector->forbidden_ns)
		reflector->forbidden_ns = reflector->now_ns;
	reflector->counts.settling = reflector->now_ns - reflector->forbidden_ns < settled_ns;
}

/* Asks for the next version of the kind. false: all of them have been, and the best one is next. */
static bool ask_next_version(struct mrd_reflector *reflector)
{
	const char *versions = reflector->config.versions;
	const char *next = reflector->asked + strcspn(reflector->asked, " ");
	unsigned int count = 1;

	for (const char *at = versions; *at; at++)
		count += *at == ' ';
	reflector->asked = *next ? next + 1 : versions;
	if (++reflector->not_served < count)
		return true;
	reflector->asked = versions;
	reflector->not_served = 0;
	return false;
}

static void fail_missing(struct mrd_reflector *reflector)
{
	const struct mrd_query_kind kind = mrd_reflector_kind(reflector);
	MRD_AUTO_STRBUF struct mrd_strbuf path = {0};

	mrd_query_add_path(&path, &kind, "");
	mrd_reflector_fail(reflector, 0, "%s is not known to the API server (404)",
			   path.text ? path.text : kind.resource);
}

/*
 * The kind is not installed, which is an empty list. Where there had been a list, it is asked for
 * once more before all of it goes: a server that starts may not know its custom resources yet.
 */
static void on_missing(struct mrd_reflector *reflector)
{
	struct mrd_reflector_status *counts = &reflector->counts;
	const struct mrd_reflector_config *config = &reflector->config;
	const uint64_t now_ns = reflector->now_ns;

	mrd_reflector_restart(reflector);
	if (ask_next_version(reflector)) {
		next_at_once(reflector);
		return;
	}
	if (!config->may_be_missing || (counts->synced && !counts->missing && !reflector->absent)) {
		reflector->absent = true;
		fail_missing(reflector);
		return;
	}
	if (!counts->missing) {
		config->list_begin(config->self);
		mrd_reflector_listed(reflector, "");
	}
	mrd_reflector_restart(reflector);
	mrd_reflector_recovered(reflector);
	counts->missing = true;
	counts->last_heard_ns = now_ns;
	reflector->due_ns =
		now_ns + mrd_backoff_random(&reflector->backoff, missing_least_ns, missing_most_ns);
}

/* What we know is too old. */
static void on_expired(struct mrd_reflector *reflector, const struct mrd_api_status *status)
{
	const bool paged = reflector->phase == MRD_PHASE_PAGES;
	const char *token = status->continue_token.text;

	/* The rest of a list as it is now, behind pages of the past: the watch goes over it. */
	if (paged && reflector->token.len && token && *token &&
	    strcmp(token, reflector->token.text) != 0 && reflector->list_pages++ < PAGES_MAX) {
		if (mrd_reflector_set(&reflector->token, token) < 0)
			mrd_reflector_restart(reflector);
		next_at_once(reflector);
		return;
	}
	/* The server forgets, all the more when it has been started anew: that is no failure. One
	 * that forgets what it has just said, or within a list, is given time. */
	if (reflector->phase == MRD_PHASE_WATCH &&
	    (!reflector->expired_ns || reflector->now_ns - reflector->expired_ns >= relist_ns))
		next_at_once(reflector);
	else
		mrd_reflector_fail(reflector, 0, "%s %s: the version is too old already (410)",
				   verb(reflector), resource(reflector));
	reflector->expired_ns = reflector->now_ns;
	mrd_reflector_restart(reflector);
}

static void on_other(struct mrd_reflector *reflector, unsigned int code, uint64_t retry_after_ms,
		     const struct mrd_api_status *status)
{
	const char *message = status->message.text ? status->message.text : "";

	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		retry_after_ms = RETRY_AFTER_MAX_MS;
	mrd_reflector_fail(reflector, retry_after_ms, "%s %s: the API server answers %u%s%s",
			   verb(reflector), resource(reflector), code, *message ? ": " : "",
			   message);
	if (reflector->phase == MRD_PHASE_WATCH)
		watch_failed(reflector, status->too_large);
	else if (reflector->phase == MRD_PHASE_STREAM && code == HTTP_INTERNAL)
		stream_failed(reflector, false);
	else if (code < HTTP_INTERNAL && code != HTTP_TOO_MANY)
		mrd_reflector_restart(reflector); /* such as a token that it does not know */
}

static bool is_unsupported(const struct mrd_reflector *reflector, unsigned int code)
{
	if (reflector->phase != MRD_PHASE_STREAM)
		return false;
	if (code == HTTP_BAD_REQUEST || code == HTTP_UNPROCESSABLE)
		return true;
	return reflector->answer.is_event && code != HTTP_TOO_MANY && code != HTTP_UNAVAILABLE &&
	       code != HTTP_TIMEOUT;
}

static void on_refusal(struct mrd_reflector *reflector)
{
	const struct mrd_answer *answer = &reflector->answer;
	uint64_t retry_after_ms = answer->retry_after_ms;
	unsigned int code = answer->status;
	struct mrd_api_status status = {0};

	if (mrd_api_status_read(answer->body.text ? answer->body.text : "", answer->body.len,
				&status) < 0) {
		mrd_reflector_fail(reflector, 0, "out of memory");
		return;
	}
	if (answer->is_event)
		code = status.code;
	if (!retry_after_ms)
		retry_after_ms = status.retry_after_ms;
	if (code == HTTP_GONE || (answer->is_event && status.expired))
		on_expired(reflector, &status);
	else if (is_unsupported(reflector, code))
		use_pages(reflector);
	else if (code == HTTP_NOT_ACCEPTABLE && !reflector->no_metadata)
		use_whole_objects(reflector);
	else if (code == HTTP_UNAUTHORIZED)
		mrd_reflector_fail(reflector, retry_after_ms,
				   "the API server does not accept the credentials (401)");
	else if (code == HTTP_FORBIDDEN)
		on_forbidden(reflector, &status);
	else if (code == HTTP_NOT_FOUND)
		on_missing(reflector);
	else
		on_other(reflector, code, retry_after_ms, &status);
	mrd_api_status_clear(&status);
}

/* ------------------------------------------------------------------- ends of objects */

static void on_page_end(struct mrd_reflector *reflector)
{
	const struct mrd_json_split *split = &reflector->answer.split;
	const char *token = split->continue_token.text;
	int ret = 0;

	if (!reflector->list_version.len)
		ret = mrd_reflector_set(&reflector->list_version, split->version.text);
	if (ret == 0)
		ret = mrd_reflector_set(&reflector->token, token ? token : "");
	if (ret < 0) {
		mrd_reflector_restart(reflector);
		mrd_reflector_fail(reflector, 0, "out of memory");
	} else if (!reflector->token.len) {
		mrd_reflector_listed(reflector, reflector->list_version.text);
	} else if (++reflector->list_pages < PAGES_MAX) {
		next_at_once(reflector);
	} else {
		mrd_reflector_restart(reflector);
		mrd_reflector_fail(reflector, 0, "list %s: the list has no end",
				   resource(reflector));
	}
}

static void on_check_end(struct mrd_reflector *reflector)
{
	mrd_reflector_check_end(reflector, reflector->answer.split.version.text);
	reflector->phase = MRD_PHASE_WATCH;
	if (reflector->is_set_back)
		mrd_reflector_restart(reflector);
	next_at_once(reflector);
}

static void on_watch_end(struct mrd_reflector *reflector)
{
	if (!has_lasted(reflector, watch_short_ns)) {
		mrd_reflector_fail(reflector, 0, "watch %s: the API server ends it at once",
				   resource(reflector));
		watch_failed(reflector, false);
		return;
	}
	reflector->watches_failed = 0;
	next_at_once(reflector);
}

static void on_cut(struct mrd_reflector *reflector, const char *error)
{
	const struct mrd_strbuf *remaining = &reflector->answer.split.remaining;
	const bool more = remaining->len && remaining->len <= COUNT_DIGITS_MAX &&
			  strspn(remaining->text, "0123456789") == remaining->len;
	const bool silent = reflector->now_ns - reflector->counts.last_heard_ns >= list_silent_ns;

	mrd_reflector_fail(reflector, 0, "%s %s: the answer was cut%s%s%s%s%s", verb(reflector),
			   resource(reflector), more ? ", " : "", more ? remaining->text : "",
			   more ? " objects were to follow" : "", *error ? ": " : "", error);
	if (reflector->phase == MRD_PHASE_WATCH && has_lasted(reflector, watch_short_ns))
		next_at_once(reflector); /* it worked, and only the connection has ended */
	/* A server that streams lists does not stop in the middle of one: this one has sent it all,
	 * as a watch. */
	if (reflector->phase == MRD_PHASE_STREAM)
		stream_failed(reflector, silent);
}

static void on_objects_end(struct mrd_reflector *reflector, const char *error)
{
	const bool whole = !*error && mrd_json_split_end(&reflector->answer.split) == 0;

	if (!whole || reflector->phase == MRD_PHASE_STREAM)
		on_cut(reflector, error);
	else if (reflector->phase == MRD_PHASE_PAGES)
		on_page_end(reflector);
	else if (reflector->phase == MRD_PHASE_CHECK)
		on_check_end(reflector);
	else
		on_watch_end(reflector);
}

static void on_unfit(struct mrd_reflector *reflector)
{
	const struct mrd_strbuf *problem = &reflector->answer.problem;

	mrd_reflector_fail(reflector, 0, "%s %s: %s", verb(reflector), resource(reflector),
			   problem->text ? problem->text : "out of memory");
	if (reflector->phase == MRD_PHASE_WATCH)
		watch_failed(reflector, false);
	else if (reflector->phase == MRD_PHASE_STREAM)
		stream_failed(reflector, false);
	else if (reflector->phase == MRD_PHASE_PAGES)
		mrd_reflector_restart(reflector);
}

void mrd_reflector_decide(struct mrd_reflector *reflector, const char *error)
{
	/* Behind a streamed list the watch is next already. */
	const bool was_watch =
		reflector->phase == MRD_PHASE_WATCH && reflector->answer.state != MRD_ANSWER_LISTED;

	switch (reflector->answer.state) {
	case MRD_ANSWER_NONE:
		reflector->away = true;
		reflector->forbidden_ns = 0; /* what answers next may have just started */
		mrd_reflector_fail(reflector, 0, "%s %s: %s", verb(reflector), resource(reflector),
				   *error ? error : "no answer");
		break;
	case MRD_ANSWER_OBJECTS:
		on_objects_end(reflector, error);
		break;
	case MRD_ANSWER_LISTED:
		break; /* and the watch is due */
	case MRD_ANSWER_UNSUPPORTED:
		use_pages(reflector);
		break;
	case MRD_ANSWER_REFUSAL:
		on_refusal(reflector);
		break;
	case MRD_ANSWER_UNFIT:
		on_unfit(reflector);
		break;
	}
	if (was_watch && reflector->phase == MRD_PHASE_WATCH)
		reflector->phase = MRD_PHASE_CHECK;
}
