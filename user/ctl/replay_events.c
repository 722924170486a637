/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * jansson says whether a line is JSON; the document reader, to which JSON is YAML, knows the place
 * of each value.
 */
#include "ctl/replay_events.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/doc.h"

struct reading {
	const char *file;
	unsigned int line;
	const struct mrd_replay_service *service;
	struct mrd_diag *diag;
	uint64_t last_ms;
};

static const struct {
	const char *name;
	enum mrd_outlier_signal signal;
} signals[] = {
	{"connect-failed", MRD_SIGNAL_CONNECT_FAILED},
	{"reset", MRD_SIGNAL_RESET},
	{"timeout", MRD_SIGNAL_TIMEOUT},
	{"connected", MRD_SIGNAL_CONNECTED},
};

static void __attribute__((format(printf, 4, 5)))
complain(const struct reading *reading, unsigned int column, const char *field, const char *format,
	 ...)
{
	const struct mrd_place place = {
		.file = reading->file,
		.line = reading->line,
		.column = column,
	};
	char *reason;
	va_list args;

	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);
	mrd_diag_add(reading->diag, MRD_ERROR, &place, field, "%s", reason ? reason : "no memory");
	free(reason);
}

static bool read_number(const struct reading *reading, const struct mrd_doc_node *node,
			const char *field, int64_t least, int64_t most, int64_t *ret_number)
{
	int64_t number;

	if (mrd_doc_int(node, &number) < 0 || number < least || number > most) {
		if (most == INT64_MAX)
			complain(reading, node->column, field, "must be a whole number, 0 or more");
		else
			complain(reading, node->column, field, "must be a whole number, %d to %d",
				 (int)least, (int)most);
		return false;
	}
	*ret_number = number;
	return true;
}

static bool read_time(struct reading *reading, const struct mrd_doc_node *node,
		      struct mrd_replay_event *event)
{
	int64_t t_ms;

	if (!read_number(reading, node, "t_ms", 0, INT64_MAX, &t_ms))
		return false;
	event->t_ms = (uint64_t)t_ms;
	if (event->t_ms < reading->last_ms) {
		complain(reading, node->column, "t_ms",
			 "time runs backwards: a line before says %llu",
			 (unsigned long long)reading->last_ms);
		return false;
	}
	reading->last_ms = event->t_ms;
	return true;
}

static bool read_endpoint(const struct reading *reading, const struct mrd_doc_node *node,
			  struct mrd_replay_event *event)
{
	const struct mrd_replay_service *service = reading->service;
	struct mrd_replay_endpoint named;
	const char *text = "";

	if (!mrd_doc_string(node, &text) && !mrd_replay_endpoint_parse(text, &named))
		for (uint32_t i = 0; i < service->endpoint_count; i++)
			if (!strcmp(service->endpoints[i].url, named.url)) {
				event->endpoint = i;
				return true;
			}
	complain(reading, node->column, "endpoint", "\"%s\" is none of --endpoints", text);
	return false;
}

static bool read_signal(const struct reading *reading, const struct mrd_doc_node *node,
			struct mrd_replay_event *event)
{
	const char *text = "";

	if (!mrd_doc_string(node, &text))
		for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			if (!strcmp(signals[i].name, text)) {
				event->signal = signals[i].signal;
				return true;
			}
	complain(reading, node->column, "event",
		 "\"%s\" is not one of connect-failed, reset, timeout, connected", text);
	return false;
}

static bool read_code(const struct reading *reading, const struct mrd_doc_node *node,
		      struct mrd_replay_event *event)
{
	int64_t code;

	if (!read_number(reading, node, "code", MRD_ERROR_CODE_MIN, MRD_ERROR_CODE_MAX, &code))
		return false;
	event->code = (uint32_t)code;
	return true;
}

static bool check_members(const struct reading *reading, const struct mrd_doc_node *root)
{
	static const char *const known[] = {"t_ms", "endpoint", "event", "code"};
	enum { KNOWN = sizeof(known) / sizeof(known[0]) };
	bool good = true;

	for (size_t i = 0; i < root->count; i++) {
		size_t k = 0;

		while (k < KNOWN && strcmp(known[k], root->keys[i]->text) != 0)
			k++;
		if (k < KNOWN)
			continue;
		complain(reading, root->keys[i]->column, root->keys[i]->text,
			 "unknown: a line has t_ms, endpoint, code and event");
		good = false;
	}
	return good;
}

/* Every mistake of the line is told. */
static bool read_event(struct reading *reading, const struct mrd_doc_node *root,
		       struct mrd_replay_event *event)
{
	const struct mrd_doc_node *time = mrd_doc_get(root, "t_ms");
	const struct mrd_doc_node *endpoint = mrd_doc_get(root, "endpoint");
	const struct mrd_doc_node *name = mrd_doc_get(root, "event");
	const struct mrd_doc_node *code = mrd_doc_get(root, "code");
	bool good;

	if (!root || root->kind != MRD_DOC_MAP) {
		complain(reading, 1, "", "must be an object");
		return false;
	}
	*event = (struct mrd_replay_event){.signal = MRD_SIGNAL_RESPONSE};
	good = check_members(reading, root);
	if (!time)
		complain(reading, 1, "t_ms", "must be given");
	if (!endpoint)
		complain(reading, 1, "endpoint", "must be given");
	if (!name && !code)
		complain(reading, 1, "code", "a code or an event must be given");
	good &= time && read_time(reading, time, event);
	good &= endpoint && read_endpoint(reading, endpoint, event);
	good &= name || code;
	if (name)
		good &= read_signal(reading, name, event);
	if (code)
		good &= read_code(reading, code, event);
	return good;
}

static int append(struct mrd_replay_events *events, const struct mrd_replay_event *event)
{
	if (events->count == events->room) {
		const size_t room = events->room ? events->room * 2 : 64;
		struct mrd_replay_event *items = reallocarray(events->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		events->items = items;
		events->room = room;
	}
	events->items[events->count++] = *event;
	return 0;
}

static bool is_json(const struct reading *reading, const char *text, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	json_decref(json);
	if (!json)
		complain(reading, error.column > 0 ? (unsigned int)error.column : 1, "", "%s",
			 error.text);
	return json != NULL;
}

static int read_line(struct reading *reading, const char *text, size_t len,
		     struct mrd_replay_events *events)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	struct mrd_replay_event event;
	int r;

	if (strspn(text, " \t\r\n") >= len || !is_json(reading, text, len))
		return 0;
	r = mrd_doc_parse(reading->file, text, len, &diag, &file);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		complain(reading, 1, "", "%s", diag.count ? diag.findings[0].reason : "not read");
	else if (read_event(reading, mrd_doc_root(file, 0), &event))
		r = append(events, &event);
	mrd_doc_free(file);
	return r == -ENOMEM ? r : 0;
}

int mrd_replay_events_read(FILE *in, const char *name, const struct mrd_replay_service *service,
			   struct mrd_diag *diag, struct mrd_replay_events *ret_events)
{
	struct reading reading = {.file = name, .service = service, .diag = diag};
	MRD_AUTO_FREE char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int r = 0;

	errno = 0;
	while (!r && (len = getline(&line, &room, in)) >= 0) {
		reading.line++;
		r = read_line(&reading, line, (size_t)len, ret_events);
		errno = 0;
	}
	return r ? r : ferror(in) ? -(errno ? errno : EIO) : 0;
}

void mrd_replay_events_free(struct mrd_replay_events *events)
{
	free(events->items);
	*events = (struct mrd_replay_events){0};
}
