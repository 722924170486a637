/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One state for each place in JSON's grammar (RFC 8259). A number ends with the first byte that is
 * not of it, which is then read as what follows a value.
 *
 * The way to the current value is not kept. Instead there is, for each open bracket that is not
 * deeper than a path is long, the set of paths that lead there; a key narrows it to those whose
 * next step it is. Keys are compared as they are written: one with escapes is in no path.
 */
#include "kube/json_scan.h"

#include <errno.h>
#include <string.h>

enum state {
	DOCUMENT, /* between documents */
	VALUE,
	VALUE_OR_END, /* behind [ */
	KEY,
	KEY_OR_END, /* behind { */
	COLON,
	NEXT, /* behind a value: a comma or a closing bracket */
	STRING,
	ESCAPE,
	HEX,
	LITERAL,
	MINUS,
	ZERO,
	INTEGER,
	POINT,
	FRACTION,
	EXPONENT,
	EXPONENT_SIGN,
	EXPONENT_DIGITS,
};

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool in_list(const struct mrd_json_scan *scan)
{
	const unsigned int top = scan->depth - 1;

	return scan->is_list[top / 8] >> top % 8 & 1;
}

/* ------------------------------------------------------------------- paths */

/* Those of the open bracket whose next step is the key, or each element where key is NULL. */
static void narrow(struct mrd_json_scan *scan, const char *key)
{
	const unsigned int depth = scan->depth;
	const uint8_t open = depth <= MRD_JSON_STEPS_MAX ? scan->open[depth] : 0;

	scan->here = 0;
	for (unsigned int i = 0; open && i < scan->path_count; i++) {
		const char *step;

		if (!(open >> i & 1) || scan->paths[i].count < depth)
			continue;
		step = scan->paths[i].steps[depth - 1];
		if (key && step ? !strcmp(key, step) : !key && !step)
			scan->here |= (uint8_t)(1U << i);
	}
}

/* Tells the hook about each path that leads to the current value and no further. */
static int tell(const struct mrd_json_scan *scan, int (*hook)(void *, unsigned int, size_t),
		size_t at)
{
	for (unsigned int i = 0; scan->here && i < scan->path_count; i++) {
		int ret;

		if (!(scan->here >> i & 1) || scan->paths[i].count != scan->depth)
			continue;
		ret = hook(scan->hooks.self, i, at);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ------------------------------------------------------------------- values */

static int end_value(struct mrd_json_scan *scan, size_t at)
{
	const int ret = tell(scan, scan->hooks.end, at);

	scan->state = NEXT;
	return ret;
}

static int open_bracket(struct mrd_json_scan *scan, bool list)
{
	const unsigned int top = scan->depth;
	const uint8_t bit = (uint8_t)(1U << top % 8);

	if (top == MRD_JSON_DEPTH_MAX)
		return -EBADMSG;
	if (list)
		scan->is_list[top / 8] |= bit;
	else
		scan->is_list[top / 8] &= (uint8_t)~bit;
	scan->depth++;
	if (scan->depth < sizeof(scan->open))
		scan->open[scan->depth] = scan->here;
	scan->state = list ? VALUE_OR_END : KEY_OR_END;
	return 0;
}

/* The bracket at at closes. */
static int close_bracket(struct mrd_json_scan *scan, size_t at)
{
	int ret;

	scan->here = scan->depth < sizeof(scan->open) ? scan->open[scan->depth] : 0;
	scan->depth--;
	ret = end_value(scan, at + 1);
	if (ret < 0 || scan->depth)
		return ret;
	scan->state = DOCUMENT;
	scan->complete = !scan->many;
	return scan->hooks.document ? scan->hooks.document(scan->hooks.self, at + 1) : 0;
}

static int begin_value(struct mrd_json_scan *scan, char byte, size_t at)
{
	static const struct {
		char first;
		const char *rest;
	} literals[] = {{'t', "rue"}, {'f', "alse"}, {'n', "ull"}};
	int ret;

	if (in_list(scan))
		narrow(scan, NULL);
	ret = tell(scan, scan->hooks.begin, at);
	if (ret < 0)
		return ret;
	if (byte == '{' || byte == '[')
		return open_bracket(scan, byte == '[');
	if (byte == '"') {
		scan->in_key = false;
		scan->state = STRING;
		return 0;
	}
	if (byte == '-' || is_digit(byte)) {
		scan->state = byte == '-' ? MINUS : byte == '0' ? ZERO : INTEGER;
		return 0;
	}
	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		if (byte == literals[i].first) {
			scan->literal = literals[i].rest;
			scan->state = LITERAL;
			return 0;
		}
	}
	return -EBADMSG;
}

/* ------------------------------------------------------------------- inside a value */

static void add_to_key(struct mrd_json_scan *scan, const char *text, size_t len)
{
	if (len >= sizeof(scan->key) - scan->key_len) {
		scan->key_len = sizeof(scan->key) - 1; /* too long for any path, and stays so */
		return;
	}
	memcpy(scan->key + scan->key_len, text, len);
	scan->key_len += len;
}

static void end_key(struct mrd_json_scan *scan)
{
	scan->key[scan->key_len] = '\0'; /* no zero byte stands before it: strings have none */
	if (scan->key_len < sizeof(scan->key) - 1)
		narrow(scan, scan->key);
	else
		scan->here = 0;
	scan->state = COLON;
}

/* The run of a string's ordinary bytes from at, and the byte that ends it. *at: the next one. */
static int read_string(struct mrd_json_scan *scan, const char *data, size_t len, size_t *at)
{
	const size_t from = *at;
	size_t to = from;

	while (to < len && (unsigned char)data[to] >= ' ' && data[to] != '"' && data[to] != '\\')
		to++;
	if (scan->in_key)
		add_to_key(scan, data + from, to - from);
	*at = to;
	if (to == len)
		return 0;
	*at = to + 1;
	if (data[to] == '\\') {
		if (scan->in_key)
			add_to_key(scan, "\\", 1);
		scan->state = ESCAPE;
		return 0;
	}
	if (data[to] != '"')
		return -EBADMSG;
	if (!scan->in_key)
		return end_value(scan, to + 1);
	end_key(scan);
	return 0;
}

static int read_escape(struct mrd_json_scan *scan, char byte)
{
	enum { UNICODE_DIGITS = 4 };

	if (scan->state == HEX) {
		if (!is_hex(byte))
			return -EBADMSG;
		if (!--scan->pending)
			scan->state = STRING;
		return 0;
	}
	scan->state = byte == 'u' ? HEX : STRING;
	scan->pending = UNICODE_DIGITS;
	return byte && strchr("\"\\/bfnrtu", byte) ? 0 : -EBADMSG;
}

static int read_literal(struct mrd_json_scan *scan, char byte, size_t at)
{
	if (byte != *scan->literal)
		return -EBADMSG;
	return *++scan->literal ? 0 : end_value(scan, at + 1);
}

/* The state behind byte within a number, NEXT where the number has ended before it, or -EBADMSG. */
static int number_state(int state, char byte)
{
	const bool digit = is_digit(byte);
	const bool exponent = byte == 'e' || byte == 'E';

	switch (state) {
	case MINUS:
		return byte == '0' ? ZERO : digit ? INTEGER : -EBADMSG;
	case ZERO:
		return byte == '.' ? POINT : exponent ? EXPONENT : digit ? -EBADMSG : NEXT;
	case INTEGER:
		return byte == '.' ? POINT : exponent ? EXPONENT : digit ? INTEGER : NEXT;
	case POINT:
		return digit ? FRACTION : -EBADMSG;
	case FRACTION:
		return exponent ? EXPONENT : digit ? FRACTION : NEXT;
	case EXPONENT:
		if (byte == '+' || byte == '-')
			return EXPONENT_SIGN;
		return digit ? EXPONENT_DIGITS : -EBADMSG;
	case EXPONENT_SIGN:
		return digit ? EXPONENT_DIGITS : -EBADMSG;
	default: /* EXPONENT_DIGITS */
		return digit ? EXPONENT_DIGITS : NEXT;
	}
}

/* ------------------------------------------------------------------- between values */

static int read_next(struct mrd_json_scan *scan, char byte, size_t at)
{
	if (byte == (in_list(scan) ? ']' : '}'))
		return close_bracket(scan, at);
	scan->state = in_list(scan) ? VALUE : KEY;
	return byte == ',' ? 0 : -EBADMSG;
}

static int read_between(struct mrd_json_scan *scan, char byte, size_t at)
{
	if (is_space(byte))
		return 0;
	switch (scan->state) {
	case DOCUMENT:
		if (scan->complete || byte != '{')
			return -EBADMSG;
		scan->here = UINT8_MAX; /* every path begins here */
		return open_bracket(scan, false);
	case VALUE_OR_END:
		if (byte == ']')
			return close_bracket(scan, at);
		return begin_value(scan, byte, at);
	case VALUE:
		return begin_value(scan, byte, at);
	case KEY_OR_END:
		if (byte == '}')
			return close_bracket(scan, at);
		break;
	case KEY:
		break;
	case COLON:
		scan->state = VALUE;
		return byte == ':' ? 0 : -EBADMSG;
	default:
		return read_next(scan, byte, at);
	}
	scan->in_key = true;
	scan->key_len = 0;
	scan->state = STRING;
	return byte == '"' ? 0 : -EBADMSG;
}

/* Reads from *at on, at least one byte or the end of a number. */
static int read_some(struct mrd_json_scan *scan, const char *data, size_t len, size_t *at)
{
	const char byte = data[*at];
	int state;

	switch (scan->state) {
	case STRING:
		return read_string(scan, data, len, at);
	case ESCAPE:
	case HEX:
		++*at;
		return read_escape(scan, byte);
	case LITERAL:
		return read_literal(scan, byte, (*at)++);
	case MINUS:
	case ZERO:
	case INTEGER:
	case POINT:
	case FRACTION:
	case EXPONENT:
	case EXPONENT_SIGN:
	case EXPONENT_DIGITS:
		state = number_state(scan->state, byte);
		if (state == NEXT)
			return end_value(scan, *at);
		scan->state = state;
		++*at;
		return state < 0 ? state : 0;
	default:
		return read_between(scan, byte, (*at)++);
	}
}

void mrd_json_scan_begin(struct mrd_json_scan *scan, const struct mrd_json_path *paths,
			 unsigned int path_count, bool many,
			 const struct mrd_json_scan_hooks *hooks)
{
	*scan = (struct mrd_json_scan){
		.paths = paths,
		.path_count = path_count,
		.many = many,
		.hooks = *hooks,
		.state = DOCUMENT,
	};
}

int mrd_json_scan_feed(struct mrd_json_scan *scan, const char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const int ret = read_some(scan, data, len, &at);

		if (ret < 0)
			return ret;
	}
	return 0;
}

bool mrd_json_scan_is_whole(const struct mrd_json_scan *scan)
{
	return !scan->depth && (scan->many || scan->complete);
}
