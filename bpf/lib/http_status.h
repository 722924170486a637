/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: what the probe reads of HTTP/1, byte by byte.
 *
 * A status line is known by its place, never by its look: the caller passes only bytes that stand
 * where a response must start. They may come in any order and any number of pieces; a bitmap says
 * which of the first twelve ("HTTP/1.1 200") are there.
 */
#ifndef MRD_BPF_HTTP_STATUS_H
#define MRD_BPF_HTTP_STATUS_H

#include <stdbool.h>

#include "maps/abi.h"

enum {
	MRD_STATUS_HAVE_ALL = (1 << MRD_STATUS_LEN) - 1,
	MRD_STATUS_NO_MORE = 1 << MRD_STATUS_LEN, /* the connection has left HTTP */
	MRD_METHOD_LEN = 16,			  /* a token and its space: "VERSION-CONTROL " */
	MRD_SWITCHING_PROTOCOLS = 101,
};

/* "\r\n\r\n" in a window of the last four bytes */
#define MRD_HEADER_END 0x0d0a0d0aU

/* Which bytes of the line a piece of `count` bytes, from offset `at` on, fills. */
static inline __u32 mrd_status_bits(__u32 at, __u32 count)
{
	return ((1U << count) - 1) << at & MRD_STATUS_HAVE_ALL;
}

/* Takes over those bytes of piece (which lies as the line does) whose bits are set. */
static inline __u32 mrd_status_gather(__u8 *line, __u32 have, const __u8 *piece, __u32 bits)
{
	for (int i = 0; i < MRD_STATUS_LEN; i++)
		if (bits & (1U << i))
			line[i] = piece[i];
	return have | bits;
}

static inline bool mrd_is_digit(__u8 byte)
{
	return byte >= '0' && byte <= '9';
}

/* 100 to 599, or 0: not a status line of HTTP/1. */
static inline __u32 mrd_status_code(const __u8 *line)
{
	if (line[0] != 'H' || line[1] != 'T' || line[2] != 'T' || line[3] != 'P' ||
	    line[4] != '/' || line[5] != '1' || line[6] != '.' || line[8] != ' ')
		return 0;
	if (!mrd_is_digit(line[7]) || line[9] < '1' || line[9] > '5' || !mrd_is_digit(line[10]) ||
	    !mrd_is_digit(line[11]))
		return 0;
	return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

/* Of a status line: 0 for 1xx, to 4 for 5xx. Its digit says it without a division. */
static inline __u32 mrd_status_class(const __u8 *line)
{
	return line[9] - '1';
}

/* Another response to the same request follows. 101 ends HTTP on the connection instead. */
static inline bool mrd_status_is_interim(__u32 status)
{
	return status < 200 && status != MRD_SWITCHING_PROTOCOLS;
}

/* Slides the window on by a byte; the header ends where it equals MRD_HEADER_END. */
static inline __u32 mrd_header_step(__u32 window, __u8 byte)
{
	return window << 8 | byte;
}

/*
 * RFC 9112, 3.2: "/path", "*" or "http://host/"; of CONNECT alone "host:port". So prose in
 * capitals, where a request's body goes on, is hardly ever taken for a request.
 */
static inline bool mrd_begins_target(__u8 byte, bool is_connect)
{
	return byte == '/' || byte == '*' || byte == 'h' || is_connect;
}

/*
 * Does a payload start like a request: a method token, a space and a target? Any token of capitals
 * will do (WebDAV has long ones); what is no HTTP after all shows in the answer. A first fragment
 * that ends sooner counts as far as it goes: some clients write "G", "E", "T". A byte is looked at
 * where its place is a constant: verifiers before 5.14 want that of the stack.
 */
static inline bool mrd_is_request(const __u8 *bytes, __u32 count)
{
	const bool is_connect =
		!((bytes[0] ^ 'C') | (bytes[1] ^ 'O') | (bytes[2] ^ 'N') | (bytes[3] ^ 'N'));
	bool has_method = false;

	for (__u32 i = 0; i < MRD_METHOD_LEN; i++) {
		if (i >= count)
			return i > 0;
		if (has_method)
			return mrd_begins_target(bytes[i], is_connect);
		has_method = bytes[i] == ' ';
		if (has_method ? i < 3 : (bytes[i] < 'A' || bytes[i] > 'Z') && bytes[i] != '-')
			return false;
	}
	return has_method;
}

#endif
