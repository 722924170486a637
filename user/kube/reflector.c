/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Requests out, answers in. What an answer means when it has ended is reflector_outcome.c's; here
 * objects are handed on while they come.
 *
 * A streamed list is a request of its own, given up where the list is complete; the watch behind it
 * is the next one. A list that is silent has to be given up soon, a watch may be silent for
 * minutes, and one request cannot be both.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "kube/query.h"
#include "kube/reflector_state.h"

enum {
	WATCH_LEAST_S = 300, /* client-go: 5 to 10 minutes */
	WATCH_MOST_S = 600,
	REFUSAL_HELD_MAX = 64 * 1024, /* a Status is a fraction of it */
	REFUSAL_MAX = 1024 * 1024,
};

static const uint64_t ns_per_ms = 1000000;
/* Five times the slices of 100,000 endpoints, with all their metadata; once it is read, less than
 * the DaemonSet's memory limit. */
static const uint64_t list_bytes_max = UINT64_C(1) << 29;
static const char *const page_limit = "500";
static const uint64_t renew_least_ns = 10000000000;

#define METADATA(kind) "Accept: application/json;as=" kind ";g=meta.k8s.io;v=v1,application/json"

/* ------------------------------------------------------------------- from one list to the next */

int mrd_reflector_set(struct mrd_strbuf *buf, const char *text)
{
	if (buf->failed)
		mrd_strbuf_free(buf);
	buf->len = 0;
	mrd_strbuf_add(buf, text, strlen(text));
	return buf->failed ? -ENOMEM : 0;
}

static void empty(struct mrd_strbuf *buf)
{
	mrd_strbuf_free(buf);
}

void mrd_reflector_restart(struct mrd_reflector *reflector)
{
	reflector->phase = reflector->no_streaming ? MRD_PHASE_PAGES : MRD_PHASE_STREAM;
	reflector->list_pages = 0;
	reflector->watches_failed = 0;
	empty(&reflector->list_version);
	empty(&reflector->token);
}

void mrd_reflector_recovered(struct mrd_reflector *reflector)
{
	reflector->counts.failing_since_ns = 0;
	reflector->counts.settling = false;
	reflector->forbidden_ns = 0;
	empty(&reflector->error);
}

void mrd_reflector_listed(struct mrd_reflector *reflector, const char *version)
{
	struct mrd_reflector_status *counts = &reflector->counts;

	reflector->config.list_end(reflector->config.self);
	mrd_reflector_recovered(reflector);
	counts->lists++;
	counts->synced = true;
	counts->missing = false;
	reflector->absent = false;
	reflector->streams_cut = 0;
	reflector->due_ns = reflector->now_ns;
	if (mrd_reflector_set(&reflector->version, version) < 0) {
		mrd_reflector_restart(reflector);
		mrd_reflector_fail(reflector, 0, "out of memory");
		return;
	}
	mrd_reflector_restart(reflector);
	reflector->phase = MRD_PHASE_WATCH;
}

/* Not in a circle with a server that is back and gone again. */
static bool take_turn(uint64_t *last_ns, uint64_t now_ns)
{
	const bool is_free = !*last_ns || now_ns - *last_ns >= renew_least_ns;

	if (is_free)
		*last_ns = now_ns;
	return is_free;
}

/* What was waited for is over: failures from now on are others. */
static void note_back(struct mrd_reflector *reflector)
{
	if (reflector->away && take_turn(&reflector->renewed_ns, reflector->now_ns))
		mrd_backoff_restart(&reflector->backoff);
	reflector->away = false;
}

void mrd_reflector_fail(struct mrd_reflector *reflector, uint64_t least_ms, const char *format, ...)
{
	const struct mrd_answer *answer = &reflector->answer;
	const uint64_t wait_ns = mrd_backoff_next_ns(&reflector->backoff, reflector->now_ns);
	const uint64_t least_ns = least_ms * ns_per_ms;
	const bool worked = answer->events ||
			    reflector->now_ns - answer->begun_ns >= MRD_WATCH_SHORT_MS * ns_per_ms;
	va_list args;

	empty(&reflector->error);
	va_start(args, format);
	mrd_strbuf_vaddf(&reflector->error, format, args);
	va_end(args);
	reflector->counts.failures++;
	reflector->counts.settling = false;
	if (!reflector->counts.failing_since_ns)
		reflector->counts.failing_since_ns = answer->failing_before_ns && !worked
							     ? answer->failing_before_ns
							     : reflector->now_ns;
	reflector->not_before_ns = reflector->now_ns + least_ns;
	reflector->due_ns = reflector->now_ns + (wait_ns > least_ns ? wait_ns : least_ns);
}

/* ------------------------------------------------------------------- requests */

struct mrd_query_kind mrd_reflector_kind(const struct mrd_reflector *reflector)
{
	return (struct mrd_query_kind){
		.group = reflector->config.group,
		.version = reflector->asked,
		.version_len = strcspn(reflector->asked, " "),
		.resource = reflector->config.resource,
	};
}

static void add_watch(struct mrd_reflector *reflector)
{
	const uint64_t timeout_s =
		mrd_backoff_random(&reflector->backoff, WATCH_LEAST_S, WATCH_MOST_S + 1);
	struct mrd_strbuf *request = &reflector->request;
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, timeout_s);
	mrd_query_add(request, "watch", "1");
	mrd_query_add(request, "allowWatchBookmarks", "true");
	mrd_query_add(request, "timeoutSeconds", digits);
}

static void ask(struct mrd_reflector *reflector)
{
	const struct mrd_query_kind kind = mrd_reflector_kind(reflector);
	struct mrd_strbuf *request = &reflector->request;

	mrd_query_add_path(request, &kind, "");
	if (reflector->phase != MRD_PHASE_PAGES)
		add_watch(reflector);
	if (reflector->phase == MRD_PHASE_STREAM) {
		mrd_query_add(request, "sendInitialEvents", "true");
		mrd_query_add(request, "resourceVersionMatch", "NotOlderThan");
	} else if (reflector->phase == MRD_PHASE_WATCH) {
		mrd_query_add(request, "resourceVersion", reflector->version.text);
	} else {
		mrd_query_add(request, "limit", page_limit);
	}
	if (reflector->token.len)
		mrd_query_add(request, "continue", reflector->token.text);
}

static const char *accept_of(const struct mrd_reflector *reflector)
{
	const bool is_check = reflector->phase == MRD_PHASE_CHECK;

	if (reflector->no_metadata || !(is_check || reflector->config.metadata_only))
		return "Accept: application/json";
	return is_check || reflector->phase == MRD_PHASE_PAGES
		       ? METADATA("PartialObjectMetadataList")
		       : METADATA("PartialObjectMetadata");
}

bool mrd_reflector_request(struct mrd_reflector *reflector, uint64_t now_ns,
			   struct mrd_reflector_request *ret_request)
{
	struct mrd_strbuf *request = &reflector->request;

	reflector->now_ns = now_ns;
	if (reflector->under_way || now_ns < reflector->due_ns)
		return false;
	if (mrd_reflector_set(request, "") == 0) {
		if (reflector->phase == MRD_PHASE_CHECK)
			mrd_reflector_ask_check(reflector);
		else
			ask(reflector);
		if (*reflector->config.label_selector)
			mrd_query_add(request, "labelSelector", reflector->config.label_selector);
	}
	if (request->failed) {
		mrd_reflector_fail(reflector, 0, "out of memory");
		return false;
	}
	reflector->under_way = true;
	*ret_request = (struct mrd_reflector_request){
		.path = request->text,
		.accept = accept_of(reflector),
		.silence_ms = reflector->phase == MRD_PHASE_WATCH ? 0 : MRD_LIST_SILENCE_MS,
	};
	return true;
}

uint64_t mrd_reflector_due_ns(const struct mrd_reflector *reflector)
{
	return reflector->under_way ? UINT64_MAX : reflector->due_ns;
}

void mrd_reflector_hurry(struct mrd_reflector *reflector, uint64_t now_ns)
{
	const uint64_t least_ns =
		now_ns > reflector->not_before_ns ? now_ns : reflector->not_before_ns;

	reflector->now_ns = now_ns;
	if (reflector->under_way || !reflector->counts.failing_since_ns ||
	    reflector->due_ns <= least_ns || !take_turn(&reflector->hurried_ns, now_ns))
		return;
	note_back(reflector);
	reflector->due_ns = least_ns;
}

/* ------------------------------------------------------------------- objects */

static bool is_list(const struct mrd_reflector *reflector)
{
	return reflector->phase == MRD_PHASE_STREAM || reflector->phase == MRD_PHASE_PAGES;
}

/* One more of a list. */
static int count_object(struct mrd_reflector *reflector)
{
	const size_t most = reflector->config.objects_max;

	if (!is_list(reflector) || !most)
		return 0;
	return ++reflector->list_objects > most ? -E2BIG : 0;
}

/* One that does not decode is passed over. Another error ends the request. */
static int hand_on(struct mrd_reflector *reflector, int (*fn)(void *, const char *, size_t),
		   const char *json, size_t len)
{
	int ret = count_object(reflector);

	if (ret < 0)
		return ret;
	ret = fn(reflector->config.self, json, len);
	if (ret == -EBADMSG)
		reflector->counts.undecoded++;
	else if (ret < 0)
		return ret;
	else
		reflector->counts.objects++;
	return 0;
}

static int on_item(void *self, const char *json, size_t len)
{
	struct mrd_reflector *reflector = self;

	if (reflector->phase == MRD_PHASE_CHECK) {
		mrd_reflector_check_item(reflector, json, len);
		return 0;
	}
	mrd_reflector_note_item(reflector, json, len);
	return hand_on(reflector, reflector->config.put, json, len);
}

static int on_error_event(struct mrd_reflector *reflector, const struct mrd_watch_event *event)
{
	struct mrd_answer *answer = &reflector->answer;

	answer->state = MRD_ANSWER_REFUSAL;
	answer->is_event = true;
	mrd_strbuf_add(&answer->body, event->object, event->object_len);
	return -ECANCELED;
}

/* Of a list that is streamed the first bookmark is its end, or there will be none. */
static int on_stream_bookmark(struct mrd_reflector *reflector, const struct mrd_watch_event *event)
{
	if (!event->initial_end || !*event->version) {
		reflector->answer.state = MRD_ANSWER_UNSUPPORTED;
		return -ECANCELED;
	}
	reflector->answer.state = MRD_ANSWER_LISTED;
	mrd_reflector_listed(reflector, event->version);
	return -ECANCELED;
}

static int on_event(void *self, const struct mrd_watch_event *event)
{
	struct mrd_reflector *reflector = self;
	const struct mrd_reflector_config *config = &reflector->config;
	int ret = 0;

	switch (event->type) {
	case MRD_WATCH_ADDED:
	case MRD_WATCH_MODIFIED:
		ret = hand_on(reflector, config->put, event->object, event->object_len);
		break;
	case MRD_WATCH_DELETED:
		ret = hand_on(reflector, config->remove, event->object, event->object_len);
		break;
	case MRD_WATCH_BOOKMARK:
		if (reflector->phase == MRD_PHASE_STREAM)
			return on_stream_bookmark(reflector, event);
		break;
	case MRD_WATCH_ERROR:
		return on_error_event(reflector, event);
	case MRD_WATCH_UNKNOWN:
	default:
		reflector->counts.undecoded++;
		return 0;
	}
	if (ret < 0)
		return ret;
	reflector->answer.events++;
	reflector->watches_failed = 0;
	if (event->type != MRD_WATCH_BOOKMARK)
		mrd_reflector_note_event(reflector, event);
	/* The objects of a streamed list come in no order: only its end has a version. */
	if (reflector->phase == MRD_PHASE_WATCH && *event->version)
		return mrd_reflector_set(&reflector->version, event->version);
	return 0;
}

/* ------------------------------------------------------------------- answers */

static void clear_answer(struct mrd_reflector *reflector)
{
	struct mrd_answer *answer = &reflector->answer;

	mrd_json_split_clear(&answer->split);
	mrd_strbuf_free(&answer->body);
	mrd_strbuf_free(&answer->problem);
	*answer = (struct mrd_answer){0};
	reflector->under_way = false;
	reflector->counts.watching = false;
}

static bool is_json(const char *content_type)
{
	static const char json[] = "application/json";
	const size_t len = strlen(json);

	/* What says nothing at all may be JSON, and is held to it. */
	return !*content_type ||
	       (!strncasecmp(content_type, json, len) && strchr("; \t", content_type[len]));
}

static void begin_list(struct mrd_reflector *reflector)
{
	if (reflector->token.len)
		return;
	reflector->list_bytes = 0;
	reflector->list_objects = 0;
	mrd_reflector_forget_newest(reflector);
	reflector->config.list_begin(reflector->config.self);
}

static void begin_watch(struct mrd_reflector *reflector)
{
	reflector->counts.watching = true;
	reflector->counts.watches++;
	reflector->answer.failing_before_ns = reflector->counts.failing_since_ns;
	mrd_reflector_recovered(reflector);
}

static void begin_objects(struct mrd_reflector *reflector)
{
	const struct mrd_query_kind kind = mrd_reflector_kind(reflector);
	MRD_AUTO_STRBUF struct mrd_strbuf api_version = {0};
	const struct mrd_json_split_hooks hooks = {
		.item = on_item, .event = on_event, .self = reflector};
	struct mrd_json_split *split = &reflector->answer.split;

	reflector->answer.state = MRD_ANSWER_OBJECTS;
	reflector->counts.last_heard_ns = reflector->now_ns;
	reflector->not_served = 0;
	if (reflector->phase == MRD_PHASE_WATCH)
		begin_watch(reflector);
	else if (reflector->phase != MRD_PHASE_CHECK)
		begin_list(reflector);
	if (reflector->phase == MRD_PHASE_WATCH || reflector->phase == MRD_PHASE_STREAM) {
		mrd_json_split_watch(split, &hooks);
		return;
	}
	mrd_query_add_api_version(&api_version, &kind);
	mrd_json_split_list(split, reflector->config.kind, api_version.text ? api_version.text : "",
			    &hooks);
}

int mrd_reflector_on_head(struct mrd_reflector *reflector, unsigned int status,
			  const char *content_type, uint64_t retry_after_ms, uint64_t now_ns)
{
	struct mrd_answer *answer = &reflector->answer;
	const bool again = reflector->denied;

	reflector->now_ns = now_ns;
	note_back(reflector);
	answer->status = status;
	answer->retry_after_ms = retry_after_ms;
	answer->begun_ns = now_ns;
	reflector->denied = status == HTTP_UNAUTHORIZED && !again;
	if (status != HTTP_OK) {
		answer->state = MRD_ANSWER_REFUSAL;
	} else if (is_json(content_type)) {
		begin_objects(reflector);
	} else {
		answer->state = MRD_ANSWER_UNFIT;
		mrd_strbuf_addf(&answer->problem,
				"the answer is %.100s and not JSON: is that an API server?",
				content_type);
	}
	return reflector->denied ? -EACCES : 0;
}

static int keep_refusal(struct mrd_answer *answer, const void *data, size_t len)
{
	size_t room = REFUSAL_HELD_MAX - answer->body.len;

	answer->body_len += len;
	mrd_strbuf_add(&answer->body, data, len < room ? len : room);
	return answer->body_len > REFUSAL_MAX ? -EMSGSIZE : 0;
}

static void name_problem(struct mrd_reflector *reflector, int error)
{
	struct mrd_answer *answer = &reflector->answer;

	answer->state = MRD_ANSWER_UNFIT;
	if (error == -EBADMSG)
		mrd_strbuf_addf(&answer->problem, "the answer is broken");
	else if (error == -EMSGSIZE)
		mrd_strbuf_addf(&answer->problem, "an object is larger than %d MiB, as none can be",
				MRD_JSON_OBJECT_MAX / (1024 * 1024));
	else if (error == -EFBIG)
		mrd_strbuf_addf(&answer->problem, "the list is larger than %d MiB: it has no end",
				(int)(list_bytes_max / (1024 * 1024)));
	else if (error == -E2BIG)
		mrd_strbuf_addf(&answer->problem,
				"there are more than %zu objects, and %s allows no more: raise it, "
				"unless the list has no end",
				reflector->config.objects_max, reflector->config.objects_says);
	else
		mrd_strbuf_addf(&answer->problem, "an object could not be taken: %s",
				strerror(-error));
}

static int take_objects(struct mrd_reflector *reflector, const void *data, size_t len)
{
	struct mrd_answer *answer = &reflector->answer;
	int ret = mrd_json_split_feed(&answer->split, data, len);

	reflector->list_bytes += len;
	if (ret == 0 && is_list(reflector) && reflector->list_bytes > list_bytes_max)
		ret = -EFBIG;
	if (ret == 0 || answer->state == MRD_ANSWER_LISTED)
		reflector->counts.last_heard_ns = reflector->now_ns;
	/* Events end it too, when they have said all. */
	if (ret < 0 && answer->state == MRD_ANSWER_OBJECTS)
		name_problem(reflector, ret);
	if (is_list(reflector) && (ret == -EFBIG || ret == -E2BIG))
		reflector->config.list_drop(reflector->config.self);
	return ret;
}

int mrd_reflector_on_body(struct mrd_reflector *reflector, const void *data, size_t len,
			  uint64_t now_ns)
{
	reflector->now_ns = now_ns;
	switch (reflector->answer.state) {
	case MRD_ANSWER_OBJECTS:
		return take_objects(reflector, data, len);
	case MRD_ANSWER_REFUSAL:
		if (reflector->answer.is_event)
			return -ECANCELED;
		return keep_refusal(&reflector->answer, data, len);
	case MRD_ANSWER_UNFIT:
		return -EBADMSG;
	default:
		return -ECANCELED;
	}
}

void mrd_reflector_on_end(struct mrd_reflector *reflector, const char *error, uint64_t now_ns)
{
	reflector->now_ns = now_ns;
	mrd_reflector_decide(reflector, error);
	clear_answer(reflector);
}

void mrd_reflector_retry(struct mrd_reflector *reflector, const char *error, bool no_backoff,
			 uint64_t now_ns)
{
	reflector->now_ns = now_ns;
	if (no_backoff)
		reflector->due_ns = now_ns;
	else if (reflector->under_way)
		mrd_reflector_fail(reflector, 0, "%s", error);
	clear_answer(reflector);
}

/* ------------------------------------------------------------------- the whole of it */

static void free_config(struct mrd_reflector_config *config)
{
	free((char *)config->group);
	free((char *)config->versions);
	free((char *)config->resource);
	free((char *)config->kind);
	free((char *)config->label_selector);
}

int mrd_reflector_new(const struct mrd_reflector_config *config, uint64_t now_ns,
		      struct mrd_reflector **ret_reflector)
{
	struct mrd_reflector *reflector = calloc(1, sizeof(*reflector));
	struct mrd_reflector_config *own;

	if (!reflector)
		return -ENOMEM;
	own = &reflector->config;
	*own = *config;
	own->group = strdup(config->group);
	own->versions = strdup(config->versions);
	own->resource = strdup(config->resource);
	own->kind = strdup(config->kind);
	own->label_selector = strdup(config->label_selector);
	if (!own->group || !own->versions || !own->resource || !own->kind || !own->label_selector) {
		free_config(own);
		free(reflector);
		return -ENOMEM;
	}
	reflector->asked = own->versions;
	mrd_backoff_init(&reflector->backoff, config->seed);
	reflector->due_ns = now_ns;
	*ret_reflector = reflector;
	return 0;
}

void mrd_reflector_free(struct mrd_reflector *reflector)
{
	if (!reflector)
		return;
	clear_answer(reflector);
	mrd_reflector_forget_newest(reflector);
	mrd_strbuf_free(&reflector->list_version);
	mrd_strbuf_free(&reflector->token);
	mrd_strbuf_free(&reflector->request);
	mrd_strbuf_free(&reflector->version);
	mrd_strbuf_free(&reflector->error);
	free_config(&reflector->config);
	free(reflector);
}

void mrd_reflector_get_status(const struct mrd_reflector *reflector,
			      struct mrd_reflector_status *ret_status)
{
	*ret_status = reflector->counts;
	ret_status->error = reflector->error.text ? reflector->error.text : "";
	ret_status->version = reflector->version.text ? reflector->version.text : "";
}
