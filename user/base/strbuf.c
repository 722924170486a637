/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Appends never return errors: a buffer that ran out of memory swallows what follows, so that a
 * caller may write a whole text and check once. One byte is always kept for the ending zero.
 */
#include "base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROOM_MIN = 64,
	UTF8_LEN_MAX = 4,
};

void mrd_strbuf_free(struct mrd_strbuf *buf)
{
	free(buf->text);
	*buf = (struct mrd_strbuf){0};
}

/* Makes room for more bytes and the ending zero. */
static bool grow(struct mrd_strbuf *buf, size_t more)
{
	size_t room = buf->room ? buf->room : ROOM_MIN;
	char *text;

	if (buf->failed)
		return false;
	if (more >= SIZE_MAX / 2 - buf->len) {
		buf->failed = true;
		return false;
	}
	if (buf->text && buf->len + more < buf->room)
		return true;
	while (room <= buf->len + more)
		room *= 2;
	text = realloc(buf->text, room);
	if (!text) {
		buf->failed = true;
		return false;
	}
	buf->text = text;
	buf->room = room;
	return true;
}

void mrd_strbuf_add(struct mrd_strbuf *buf, const char *text, size_t len)
{
	if (!grow(buf, len))
		return;
	if (len)
		memcpy(buf->text + buf->len, text, len);
	buf->len += len;
	buf->text[buf->len] = '\0';
}

void mrd_strbuf_vaddf(struct mrd_strbuf *buf, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	if (!grow(buf, (size_t)len))
		return;
	vsnprintf(buf->text + buf->len, (size_t)len + 1, format, args);
	buf->len += (size_t)len;
}

void mrd_strbuf_addf(struct mrd_strbuf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mrd_strbuf_vaddf(buf, format, args);
	va_end(args);
}

/* The length of the UTF-8 sequence at text, or 0 if it is not a well-formed one. */
static size_t utf8_len(const unsigned char *text)
{
	/* The least code point of each length: a longer form of a smaller one is not allowed. */
	static const uint32_t least[UTF8_LEN_MAX + 1] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point;
	size_t len;

	if (text[0] < 0x80)
		return 1;
	if ((text[0] & 0xe0) == 0xc0)
		len = 2, point = text[0] & 0x1f;
	else if ((text[0] & 0xf0) == 0xe0)
		len = 3, point = text[0] & 0x0f;
	else if ((text[0] & 0xf8) == 0xf0)
		len = 4, point = text[0] & 0x07;
	else
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0; /* also the ending zero */
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return len;
}

static const char *json_escape(unsigned char byte, char buf[8])
{
	switch (byte) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		snprintf(buf, 8, "\\u%04x", byte);
		return buf;
	}
}

/* Bytes that are no UTF-8 become U+FFFD: the output is valid JSON whatever the input. */
void mrd_strbuf_add_json(struct mrd_strbuf *buf, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	const unsigned char *plain = at; /* start of the run that needs no escape */

	mrd_strbuf_add(buf, "\"", 1);
	while (*at) {
		size_t len = utf8_len(at);
		char escape[8];

		if (len && *at >= ' ' && *at != '"' && *at != '\\') {
			at += len;
			continue;
		}
		mrd_strbuf_add(buf, (const char *)plain, (size_t)(at - plain));
		mrd_strbuf_addf(buf, "%s", len ? json_escape(*at, escape) : "\\ufffd");
		plain = ++at;
	}
	mrd_strbuf_add(buf, (const char *)plain, (size_t)(at - plain));
	mrd_strbuf_add(buf, "\"", 1);
}

/* How a sequence of len bytes is written in a line of text, or NULL: as it is. */
static const char *visible_escape(const unsigned char *at, size_t len, char buf[8])
{
	if (len == 1 && strchr("\n\r\t", *at))
		return json_escape(*at, buf);
	if (len == 2 && at[0] == 0xc2 && at[1] < 0xa0) /* U+0080 to U+009F, of which one is CSI */
		snprintf(buf, 8, "\\u%04x", at[1]);
	else if (!len || *at < ' ' || *at == 0x7f)
		snprintf(buf, 8, "\\x%02x", *at);
	else
		return NULL;
	return buf;
}

void mrd_strbuf_add_visible(struct mrd_strbuf *buf, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		const size_t len = utf8_len(at);
		const size_t taken = len ? len : 1;
		char room[8];
		const char *escape = visible_escape(at, len, room);

		if (escape)
			mrd_strbuf_addf(buf, "%s", escape);
		else
			mrd_strbuf_add(buf, (const char *)at, taken);
		at += taken;
	}
}

void mrd_strbuf_add_field(struct mrd_strbuf *path, const char *name)
{
	if (!*name || strpbrk(name, "./ \"[]*"))
		mrd_strbuf_addf(path, "[\"%s\"]", name);
	else
		mrd_strbuf_addf(path, "%s%s", path->len ? "." : "", name);
}

void mrd_strbuf_add_index(struct mrd_strbuf *path, size_t index)
{
	mrd_strbuf_addf(path, "[%zu]", index);
}

char *mrd_strbuf_steal(struct mrd_strbuf *buf)
{
	char *text = NULL;

	mrd_strbuf_add(buf, "", 0); /* an empty buffer still gives a string */
	if (!buf->failed) {
		text = buf->text;
		buf->text = NULL;
	}
	mrd_strbuf_free(buf);
	return text;
}
