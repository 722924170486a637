/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Lines are read by jansson, which knows places of syntax errors alone. Where a member stands is
 * looked up in the line when there is something to say about it.
 */
#include "ctl/replay_events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "outlier/grpc_status.h"

enum { CODE_MIN = 100, CODE_MAX = 599 };

/* Nanoseconds of it still fit, as in a duration: 9223372036854. */
static const uint64_t t_ms_max = INT64_MAX / 1000000;

struct reading {
	const struct mrd_replay_arguments *arguments;
	struct mrd_diag *diag;
	struct mrd_replay_events *events;
	const char *text; /* the line */
	struct mrd_place place;
	uint64_t last_t_ms;
};

static void json_cleanup(json_t **json)
{
	json_decref(*json);
}

void mrd_replay_events_free(struct mrd_replay_events *events)
{
	free(events->events);
	*events = (struct mrd_replay_events){0};
}

/* ---------------------------------------------------------------------------------------- places
 */

/* Columns are characters, as in jansson's own findings. */
static unsigned int column_of(const char *text, const char *at)
{
	unsigned int column = 1;

	for (; text < at; text++)
		column += ((unsigned char)*text & 0xc0) != 0x80; /* UTF-8: goes on */
	return column;
}

static const char *skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* Where the object's member has its key, in a line that is a JSON object; the object, if the key is
 * written with escapes. */
static const char *find_key(const char *text, const char *key)
{
	const size_t len = strlen(key);
	const char *at = text;
	bool is_key = false;
	int depth = 0;

	while (*at) {
		const char *end = *at == '"' ? skip_string(at) : at + 1;

		if (is_key && *at == '"') {
			if ((size_t)(end - at) == len + 2 && !strncmp(at + 1, key, len))
				return at;
			is_key = false;
		}
		depth += *at == '{' || *at == '[';
		depth -= *at == '}' || *at == ']';
		is_key |= depth == 1 && (*at == '{' || *at == ',');
		at = end;
	}
	return text + strspn(text, " \t\r");
}

static const char *find_value(const char *text, const char *key)
{
	const char *at = find_key(text, key);

	if (*at != '"')
		return at;
	at = skip_string(at);
	return at + strspn(at, " \t\r:");
}

static void complain(struct reading *reading, const char *at, const char *field, const char *reason)
{
	reading->place.column = column_of(reading->text, at);
	mrd_diag_add(reading->diag, MRD_ERROR, &reading->place, field, "%s", reason);
}

static void complain_value(struct reading *reading, const char *field, const char *reason)
{
	complain(reading, find_value(reading->text, field), field, reason);
}

/* --------------------------------------------------------------------------------------- members
 */

/* JSON has numbers, not integers: 1e3 and 1000.0 are whole ones. */
static bool read_whole(const json_t *value, uint64_t max, uint64_t *ret_number)
{
	const double real = json_number_value(value);
	uint64_t number;

	if (!json_is_number(value) || !(real >= 0) || real > (double)max)
		return false;
	number = json_is_integer(value) ? (uint64_t)json_integer_value(value) : (uint64_t)real;
	if (number > max || (json_is_real(value) && (double)number != real))
		return false;
	*ret_number = number;
	return true;
}

static void read_time(struct reading *reading, const json_t *value, struct mrd_replay_event *event)
{
	uint64_t t_ms;

	if (!read_whole(value, t_ms_max, &t_ms))
		complain_value(reading, "t_ms",
			       "must be a whole number of milliseconds, 0 to 9223372036854");
	else if (t_ms < reading->last_t_ms)
		complain_value(reading, "t_ms",
			       "time runs backwards: a line before says a later one");
	else
		event->t_ms = reading->last_t_ms = t_ms;
}

static void read_endpoint(struct reading *reading, const json_t *value,
			  struct mrd_replay_event *event)
{
	MRD_AUTO_FREE char *text = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
	struct mrd_ip ip;
	uint16_t port;

	if (!text || mrd_ip_port_parse(text, &ip, &port) || !port)
		complain_value(reading, "endpoint", "must be \"IP:PORT\"");
	else if (mrd_replay_find_endpoint(reading->arguments, &ip, port, &event->endpoint))
		complain_value(reading, "endpoint", "is none of --endpoints");
}

static void read_code(struct reading *reading, const json_t *value, struct mrd_replay_event *event)
{
	uint64_t code = 0;

	if (read_whole(value, CODE_MAX, &code) && code >= CODE_MIN)
		event->code = (uint32_t)code;
	else
		complain_value(reading, "code", "must be a whole number, 100 to 599");
}

/* Where a gRPC answer says how it went, its status counts and not the 200 beside it. */
static void read_grpc_status(struct reading *reading, const json_t *value,
			     struct mrd_replay_event *event)
{
	uint64_t status;

	if (read_whole(value, UINT32_MAX, &status))
		event->code = mrd_grpc_http_code((uint32_t)status);
	else
		complain_value(reading, "grpc_status", "must be a whole number, 0 to 4294967295");
}

static void read_signal(struct reading *reading, const json_t *value,
			struct mrd_replay_event *event)
{
	static const struct {
		const char *name;
		enum mrd_outlier_signal signal;
	} signals[] = {
		{"connect-failed", MRD_SIGNAL_CONNECT_FAILED},
		{"reset", MRD_SIGNAL_RESET},
		{"timeout", MRD_SIGNAL_TIMEOUT},
		{"connected", MRD_SIGNAL_CONNECTED},
	};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (strcmp(signals[i].name, text) != 0)
			continue;
		event->signal = signals[i].signal;
		return;
	}
	complain_value(reading, "event", "must be connect-failed, reset, timeout or connected");
}

static const struct member {
	const char *name;
	void (*read)(struct reading *reading, const json_t *value, struct mrd_replay_event *event);
	bool required;
} members[] = {
	{.name = "t_ms", .read = read_time, .required = true},
	{.name = "endpoint", .read = read_endpoint, .required = true},
	{.name = "event", .read = read_signal},
	{.name = "code", .read = read_code},
	{.name = "grpc_status", .read = read_grpc_status}, /* after the code, which it replaces */
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

static bool is_known(const char *name)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (!strcmp(members[i].name, name))
			return true;
	return false;
}

static void read_members(struct reading *reading, json_t *object, struct mrd_replay_event *event)
{
	const char *start = reading->text + strspn(reading->text, " \t\r");
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (!is_known(name))
			complain(reading, find_key(reading->text, name), name,
				 "unknown: a line has t_ms, endpoint, code, event and grpc_status");
	}
	for (size_t i = 0; i < MEMBERS; i++) {
		value = json_object_get(object, members[i].name);
		if (value)
			members[i].read(reading, value, event);
		else if (members[i].required)
			complain(reading, start, members[i].name, "must be given");
	}
	if (!json_object_get(object, "code") && !json_object_get(object, "event") &&
	    !json_object_get(object, "grpc_status"))
		complain(reading, start, "code",
			 "must be given, or else an event or a grpc_status");
}

/* ----------------------------------------------------------------------------------------- lines
 */

static int add_event(struct mrd_replay_events *events, const struct mrd_replay_event *event)
{
	if (events->count == events->room) {
		const size_t room = events->room ? events->room * 2 : 1;
		struct mrd_replay_event *grown = reallocarray(events->events, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		events->events = grown;
		events->room = room;
	}
	events->events[events->count++] = *event;
	return 0;
}

/* Jansson tells the last character of what it stumbled over, and says "… near 'word'" behind it; it
 * does not name a long one. */
static unsigned int error_column(const char *text, const json_error_t *error)
{
	static const char near[] = " near '";
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	const char *named = strstr(error->text, near);
	const unsigned int column = error->column > 0 ? (unsigned int)error->column : 1;
	unsigned int width = 0;

	if (named) {
		named += sizeof(near) - 1;
		width = column_of(named, error->text + strlen(error->text) - 1) - 1;
	} else if (error->position > 0 && !strstr(error->text, " near ")) {
		while ((int)width < error->position &&
		       strchr(word, text[error->position - 1 - (int)width]))
			width++;
	}
	return width && width <= column ? column - width + 1 : column;
}

/* The string that ends there, or behind it. */
static const char *string_before(const char *text, const char *end)
{
	const char *next;

	for (const char *at = text; *at; at = next) {
		next = *at == '"' ? skip_string(at) : at + 1;
		if (*at == '"' && next >= end)
			return at;
	}
	return text;
}

static void complain_duplicate(struct reading *reading, const json_error_t *error)
{
	const char *at = string_before(reading->text, reading->text + error->position);
	MRD_CLEANUP(json_cleanup)
	json_t *key = json_loadb(at, (size_t)(skip_string(at) - at), JSON_DECODE_ANY, NULL);

	complain(reading, at, json_is_string(key) ? json_string_value(key) : "",
		 "this key is given twice");
}

static void complain_number(struct reading *reading, const json_error_t *error)
{
	const char *at = reading->text + error->position;

	while (at > reading->text && strchr("0123456789+-.eE", at[-1]))
		at--;
	complain(reading, at, "", "this number is too large");
}

/* Some of what jansson refuses is JSON. */
static void complain_refused(struct reading *reading, const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		complain_duplicate(reading, error);
		return;
	case json_error_numeric_overflow:
		complain_number(reading, error);
		return;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		complain(reading, string_before(reading->text, reading->text + error->position), "",
			 "\\u0000 stands in no text here");
		return;
	default:
		reading->place.column = error_column(reading->text, error);
		mrd_diag_add(reading->diag, MRD_ERROR, &reading->place, "", "not JSON: %s",
			     error->text);
	}
}

static int read_line(struct reading *reading, size_t len)
{
	struct mrd_replay_event event = {.signal = MRD_SIGNAL_RESPONSE};
	const size_t errors = reading->diag->errors;
	json_error_t error;
	MRD_CLEANUP(json_cleanup)
	json_t *json =
		json_loadb(reading->text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (strlen(reading->text) != len) {
		complain(reading, reading->text + strlen(reading->text), "",
			 "not JSON: a byte of value 0");
		return 0;
	}
	if (!json) {
		complain_refused(reading, &error);
		return 0;
	}
	if (!json_is_object(json)) {
		complain(reading, reading->text, "", "must be an object");
		return 0;
	}
	read_members(reading, json, &event);
	return reading->diag->errors == errors ? add_event(reading->events, &event) : 0;
}

/* Editors of some systems put a byte-order mark before the first line. */
static size_t mark_len(const char *line)
{
	static const char mark[] = "\xef\xbb\xbf";

	return strncmp(line, mark, sizeof(mark) - 1) ? 0 : sizeof(mark) - 1;
}

static int read_lines(struct reading *reading, FILE *file)
{
	MRD_AUTO_FREE char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int r = 0;

	while (!r && (errno = 0, len = getline(&line, &room, file)) >= 0) {
		if (len && line[len - 1] == '\n')
			line[--len] = '\0';
		reading->text = line + (reading->place.line++ ? 0 : mark_len(line));
		len -= reading->text - line;
		if (strspn(reading->text, " \t\r") != (size_t)len)
			r = read_line(reading, (size_t)len);
	}
	if (!r && ferror(file)) {
		const struct mrd_place place = {.file = reading->place.file};

		mrd_diag_add(reading->diag, MRD_ERROR, &place, "", "cannot be read: %s",
			     strerror(errno));
	}
	return r;
}

int mrd_replay_events_read(const struct mrd_replay_arguments *arguments, struct mrd_diag *diag,
			   struct mrd_replay_events *ret_events)
{
	MRD_AUTO_REPLAY_EVENTS struct mrd_replay_events events = {0};
	const bool is_stdin = !strcmp(arguments->events, "-");
	MRD_AUTO_FILE FILE *opened = is_stdin ? NULL : fopen(arguments->events, "re");
	struct reading reading = {
		.arguments = arguments,
		.diag = diag,
		.events = &events,
		.place.file = arguments->events,
	};
	int r;

	if (!is_stdin && !opened) {
		mrd_diag_add(diag, MRD_ERROR, &reading.place, "", "cannot be read: %s",
			     strerror(errno));
		return 0;
	}
	r = read_lines(&reading, is_stdin ? stdin : opened);
	if (r)
		return r;
	*ret_events = events;
	events = (struct mrd_replay_events){0};
	return 0;
}
