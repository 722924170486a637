/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: where the requests of an HTTP/1 connection begin and end, byte by byte, and where the last
 * one that it may carry is told so.
 *
 * The reader follows the stream from its first byte: header, then the body by its length or its
 * chunks, then the next header. A body is passed over by count, never read, so nothing in it can be
 * mistaken for a request. Whatever is not beyond doubt (another protocol, a tunnel, an upgrade, two
 * lengths, a folded line, a bare LF) makes it give the connection up for good: it changes nothing.
 *
 * "Connection: close" is put in front of the CR of the empty line that ends the header. That CR is
 * always at hand, however the header was cut; nothing that was sent before it need be known again.
 * A "keep-alive" that the application wrote is overwritten while it is at hand, for some servers
 * believe the first of two Connection lines; close holds wherever the standard is followed. Not one
 * that words follow: they may ask for an upgrade, which is not to be touched.
 */
#ifndef MRD_BPF_HTTP_REQUEST_H
#define MRD_BPF_HTTP_REQUEST_H

#include <stdbool.h>

#include "maps/abi.h"

#define MRD_CLOSE_LINE	"Connection: close\r\n"
#define MRD_CLOSE_TOKEN "close     " /* as long as "keep-alive" */

enum {
	MRD_CLOSE_LINE_LEN = 19,
	MRD_KEEP_ALIVE_LEN = 10,
	MRD_WORD_BYTES = 16, /* of a word, exactly; one letter more is kept apart */
	MRD_VERSION_LEN = 8,
};
_Static_assert(sizeof(MRD_CLOSE_LINE) == MRD_CLOSE_LINE_LEN + 1, "its length");
_Static_assert(sizeof(MRD_CLOSE_TOKEN) == MRD_KEEP_ALIVE_LEN + 1, "its length");

/* Eight letters as a word of the reader holds them. */
#define MRD_WORD8(a, b, c, d, e, f, g, h)                                            \
	((__u64)(a) << 56 | (__u64)(b) << 48 | (__u64)(c) << 40 | (__u64)(d) << 32 | \
	 (__u64)(e) << 24 | (__u64)(f) << 16 | (__u64)(g) << 8 | (__u64)(h))

#define MRD_LENGTH_MOST (1ULL << 56) /* of a body; far from what a digit more could overflow */

enum mrd_request_act {
	MRD_REQUEST_GO_ON,
	MRD_REQUEST_INSERT,    /* MRD_CLOSE_LINE in front of this byte, which comes again */
	MRD_REQUEST_OVERWRITE, /* the keep-alive in front of this byte, which comes again */
};

static inline __u8 mrd_lower(__u8 byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

static inline bool mrd_is_blank(__u8 byte)
{
	return byte == ' ' || byte == '\t';
}

/* ------------------------------------------------------------------------------- words */

static inline void mrd_word_start(struct mrd_request *request)
{
	request->word[0] = 0;
	request->word[1] = 0;
	request->word_len = 0;
}

/* The first 16 letters slide through two numbers; the last one of all stands apart. */
static inline void mrd_word_add(struct mrd_request *request, __u8 letter)
{
	if (request->word_len < MRD_WORD_BYTES) {
		request->word[0] = request->word[0] << 8 | request->word[1] >> 56;
		request->word[1] = request->word[1] << 8 | letter;
	}
	request->word_last = letter;
	request->word_len++;
}

static inline bool mrd_word_is(const struct mrd_request *request, __u64 high, __u64 low, __u32 len)
{
	return request->word_len == len && request->word[1] == low && request->word[0] == high;
}

#define MRD_WORD_IS_CLOSE(r)   mrd_word_is(r, 0, MRD_WORD8(0, 0, 0, 'c', 'l', 'o', 's', 'e'), 5)
#define MRD_WORD_IS_CHUNKED(r) mrd_word_is(r, 0, MRD_WORD8(0, 'c', 'h', 'u', 'n', 'k', 'e', 'd'), 7)
#define MRD_WORD_IS_UPGRADE(r) mrd_word_is(r, 0, MRD_WORD8(0, 'u', 'p', 'g', 'r', 'a', 'd', 'e'), 7)
/* A method is no name of a header: it is kept as it is written. */
#define MRD_WORD_IS_CONNECT(r) mrd_word_is(r, 0, MRD_WORD8(0, 'C', 'O', 'N', 'N', 'E', 'C', 'T'), 7)
#define MRD_WORD_IS_KEEP_ALIVE(r)                             \
	mrd_word_is(r, MRD_WORD8(0, 0, 0, 0, 0, 0, 'k', 'e'), \
		    MRD_WORD8('e', 'p', '-', 'a', 'l', 'i', 'v', 'e'), MRD_KEEP_ALIVE_LEN)
#define MRD_WORD_IS_CONNECTION(r)                             \
	mrd_word_is(r, MRD_WORD8(0, 0, 0, 0, 0, 0, 'c', 'o'), \
		    MRD_WORD8('n', 'n', 'e', 'c', 't', 'i', 'o', 'n'), 10)
#define MRD_WORD_IS_LENGTH(r)                                         \
	mrd_word_is(r, MRD_WORD8(0, 0, 'c', 'o', 'n', 't', 'e', 'n'), \
		    MRD_WORD8('t', '-', 'l', 'e', 'n', 'g', 't', 'h'), 14)
#define MRD_WORD_IS_CODING(r)                                              \
	((r)->word_last == 'g' &&                                          \
	 mrd_word_is(r, MRD_WORD8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r'), \
		     MRD_WORD8('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n'), 17))

/* ------------------------------------------------------------------------------- the request line
 */

static inline enum mrd_request_stage mrd_request_on_start(struct mrd_request *request, __u8 byte)
{
	if (byte == '\r' || byte == '\n')
		return MRD_REQUEST_START; /* some clients end a body with an empty line too many */
	if (byte < 'A' || byte > 'Z')
		return MRD_REQUEST_UNSURE;
	request->left = 0;
	request->has_length = 0;
	request->is_chunked = 0;
	request->is_old = 0;
	request->closes = 0;
	request->requests++;
	request->wants_close =
		request->eject_close || (request->limit && request->requests >= request->limit);
	mrd_word_start(request);
	mrd_word_add(request, byte);
	return MRD_REQUEST_METHOD;
}

static inline enum mrd_request_stage mrd_request_on_method(struct mrd_request *request, __u8 byte)
{
	if ((byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_') {
		mrd_word_add(request, byte);
		return MRD_REQUEST_METHOD;
	}
	if (byte != ' ' || MRD_WORD_IS_CONNECT(request))
		return MRD_REQUEST_UNSURE;
	mrd_word_start(request);
	return MRD_REQUEST_TARGET;
}

static inline enum mrd_request_stage mrd_request_on_target(struct mrd_request *request, __u8 byte)
{
	if (byte > ' ' && byte != 0x7f) {
		request->word_len = 1;
		return MRD_REQUEST_TARGET;
	}
	if (byte != ' ' || !request->word_len)
		return MRD_REQUEST_UNSURE;
	mrd_word_start(request);
	return MRD_REQUEST_VERSION;
}

/* "HTTP/1.1" or "HTTP/1.0", and CR. */
static inline enum mrd_request_stage mrd_request_on_version(struct mrd_request *request, __u8 byte)
{
	if (request->word_len < MRD_VERSION_LEN) {
		mrd_word_add(request, byte);
		return MRD_REQUEST_VERSION;
	}
	request->is_old = (request->word[1] & 0xff) == '0';
	if (byte != '\r' ||
	    (request->word[1] | 1) != MRD_WORD8('H', 'T', 'T', 'P', '/', '1', '.', '1'))
		return MRD_REQUEST_UNSURE;
	return MRD_REQUEST_LINE_END;
}

/* ------------------------------------------------------------------------------- header lines */

static inline enum mrd_request_stage mrd_request_on_line(struct mrd_request *request, __u8 byte)
{
	if (byte == '\r')
		return MRD_REQUEST_HEADER_END;
	if (byte <= ' ' || byte == ':' || byte >= 0x7f)
		return MRD_REQUEST_UNSURE; /* a folded line, among others */
	mrd_word_start(request);
	mrd_word_add(request, mrd_lower(byte));
	return MRD_REQUEST_NAME;
}

static inline enum mrd_request_stage mrd_request_value_of(struct mrd_request *request)
{
	if (MRD_WORD_IS_LENGTH(request)) {
		const bool again = request->has_length;

		request->has_length = 1;
		mrd_word_start(request);
		return again ? MRD_REQUEST_UNSURE : MRD_REQUEST_LENGTH;
	}
	if (MRD_WORD_IS_CODING(request)) {
		const bool again = request->is_chunked;

		request->is_chunked = 1;
		mrd_word_start(request);
		return again ? MRD_REQUEST_UNSURE : MRD_REQUEST_CODING;
	}
	if (MRD_WORD_IS_CONNECTION(request)) {
		mrd_word_start(request);
		return MRD_REQUEST_CONNECTION;
	}
	return MRD_WORD_IS_UPGRADE(request) ? MRD_REQUEST_UNSURE : MRD_REQUEST_VALUE;
}

static inline enum mrd_request_stage mrd_request_on_name(struct mrd_request *request, __u8 byte)
{
	if (byte == ':')
		return mrd_request_value_of(request);
	if (byte <= ' ' || byte >= 0x7f)
		return MRD_REQUEST_UNSURE;
	mrd_word_add(request, mrd_lower(byte));
	return MRD_REQUEST_NAME;
}

/* A value of no interest, or what follows one. */
static inline enum mrd_request_stage mrd_request_on_text(__u8 byte, enum mrd_request_stage here,
							 enum mrd_request_stage behind)
{
	if (byte == '\r')
		return behind;
	return byte == '\n' || !byte ? MRD_REQUEST_UNSURE : here;
}

/* word_len: 0: no digit yet, 1: digits, 2: blanks behind them. */
static inline enum mrd_request_stage mrd_request_on_length(struct mrd_request *request, __u8 byte)
{
	if (mrd_is_blank(byte)) {
		request->word_len += request->word_len == 1;
		return MRD_REQUEST_LENGTH;
	}
	if (byte == '\r' && request->word_len)
		return MRD_REQUEST_LINE_END;
	if (byte < '0' || byte > '9' || request->word_len == 2 || request->left >= MRD_LENGTH_MOST)
		return MRD_REQUEST_UNSURE;
	request->left = request->left * 10 + (byte - '0');
	request->word_len = 1;
	return MRD_REQUEST_LENGTH;
}

/* "chunked" alone: what else may stand there, nobody sends in requests. */
static inline enum mrd_request_stage mrd_request_on_coding(struct mrd_request *request, __u8 byte)
{
	if (mrd_is_blank(byte) && (!request->word_len || MRD_WORD_IS_CHUNKED(request)))
		return MRD_REQUEST_CODING;
	if (byte == '\r')
		return MRD_WORD_IS_CHUNKED(request) ? MRD_REQUEST_LINE_END : MRD_REQUEST_UNSURE;
	if (byte <= ' ')
		return MRD_REQUEST_UNSURE;
	mrd_word_add(request, mrd_lower(byte));
	return MRD_REQUEST_CODING;
}

/* A list of words. True: it has just ended by keep-alive, which is not welcome. */
static inline bool mrd_request_on_connection(struct mrd_request *request, __u8 byte,
					     enum mrd_request_stage *ret_stage)
{
	*ret_stage = MRD_REQUEST_CONNECTION;
	if (byte > ' ' && byte != ',') {
		mrd_word_add(request, mrd_lower(byte));
		return false;
	}
	if (!mrd_is_blank(byte) && byte != ',' && byte != '\r')
		*ret_stage = MRD_REQUEST_UNSURE;
	else if (MRD_WORD_IS_UPGRADE(request))
		*ret_stage = MRD_REQUEST_UNSURE;
	else if (MRD_WORD_IS_CLOSE(request))
		request->closes = 1;
	else if (MRD_WORD_IS_KEEP_ALIVE(request) && byte == '\r' && request->wants_close &&
		 !request->closes) {
		mrd_word_start(request);
		return true;
	}
	mrd_word_start(request);
	if (byte == '\r' && *ret_stage == MRD_REQUEST_CONNECTION)
		*ret_stage = MRD_REQUEST_LINE_END;
	return false;
}

/* The header is whole. HTTP/1.0 knows no chunks; two ways to end a body are a trap. */
static inline enum mrd_request_stage mrd_request_on_end(const struct mrd_request *request)
{
	if (request->is_chunked && (request->has_length || request->is_old))
		return MRD_REQUEST_UNSURE;
	if (request->closes)
		return MRD_REQUEST_DONE; /* whatever follows, no request does */
	if (request->is_chunked)
		return MRD_REQUEST_CHUNK_SIZE;
	return request->left ? MRD_REQUEST_BODY : MRD_REQUEST_START;
}

/* ------------------------------------------------------------------------------- chunks */

static inline __u32 mrd_hex_digit(__u8 byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = mrd_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10U : 16U;
}

static inline enum mrd_request_stage mrd_request_on_size(struct mrd_request *request, __u8 byte)
{
	const __u32 digit = mrd_hex_digit(byte);

	if (digit < 16) {
		if (request->left >= MRD_LENGTH_MOST)
			return MRD_REQUEST_UNSURE;
		request->left = request->left << 4 | digit;
		request->has_length = 1; /* a digit was there */
		return MRD_REQUEST_CHUNK_SIZE;
	}
	if (!request->has_length || (byte != ';' && byte != '\r'))
		return MRD_REQUEST_UNSURE;
	request->has_length = 0;
	return byte == ';' ? MRD_REQUEST_CHUNK_NOTE : MRD_REQUEST_CHUNK_START;
}

static inline enum mrd_request_stage mrd_request_expect(__u8 byte, __u8 wanted,
							enum mrd_request_stage next)
{
	return byte == wanted ? next : MRD_REQUEST_UNSURE;
}

static inline enum mrd_request_stage mrd_request_on_chunk(struct mrd_request *request, __u8 byte)
{
	switch (request->stage) {
	case MRD_REQUEST_CHUNK_SIZE:
		return mrd_request_on_size(request, byte);
	case MRD_REQUEST_CHUNK_NOTE:
		return mrd_request_on_text(byte, MRD_REQUEST_CHUNK_NOTE, MRD_REQUEST_CHUNK_START);
	case MRD_REQUEST_CHUNK_START:
		return mrd_request_expect(byte, '\n',
					  request->left ? MRD_REQUEST_CHUNK : MRD_REQUEST_TRAILER);
	case MRD_REQUEST_CHUNK_END:
		return mrd_request_expect(byte, '\r', MRD_REQUEST_CHUNK_LF);
	case MRD_REQUEST_CHUNK_LF:
		return mrd_request_expect(byte, '\n', MRD_REQUEST_CHUNK_SIZE);
	case MRD_REQUEST_TRAILER:
		return mrd_request_on_text(byte, MRD_REQUEST_TRAILER_TEXT, MRD_REQUEST_TRAILER_END);
	case MRD_REQUEST_TRAILER_TEXT:
		return mrd_request_on_text(byte, MRD_REQUEST_TRAILER_TEXT, MRD_REQUEST_TRAILER_LF);
	case MRD_REQUEST_TRAILER_LF:
		return mrd_request_expect(byte, '\n', MRD_REQUEST_TRAILER);
	case MRD_REQUEST_TRAILER_END:
		return mrd_request_expect(byte, '\n', MRD_REQUEST_START);
	default:
		return MRD_REQUEST_UNSURE;
	}
}

/* ------------------------------------------------------------------------------- the stream */

/* Is the reader in a part that is passed over by count? */
static inline bool mrd_request_skips(const struct mrd_request *request)
{
	return request->stage == MRD_REQUEST_BODY || request->stage == MRD_REQUEST_CHUNK;
}

/* Passes over as much of count bytes as belongs to it. Only while it skips. */
static inline __u32 mrd_request_skip(struct mrd_request *request, __u32 count)
{
	if (request->left > count) {
		request->left -= count;
		return count;
	}
	count = (__u32)request->left;
	request->left = 0;
	request->stage =
		request->stage == MRD_REQUEST_BODY ? MRD_REQUEST_START : MRD_REQUEST_CHUNK_END;
	return count;
}

static inline bool mrd_request_is_over(const struct mrd_request *request)
{
	return request->stage >= MRD_REQUEST_DONE;
}

/* The line was put in, or the word overwritten. */
static inline void mrd_request_closed(struct mrd_request *request)
{
	request->closes = 1;
}

/* Takes a byte while it neither skips nor is over. */
static inline enum mrd_request_act mrd_request_step(struct mrd_request *request, __u8 byte)
{
	enum mrd_request_stage next;

	switch (request->stage) {
	case MRD_REQUEST_START:
		next = mrd_request_on_start(request, byte);
		break;
	case MRD_REQUEST_METHOD:
		next = mrd_request_on_method(request, byte);
		break;
	case MRD_REQUEST_TARGET:
		next = mrd_request_on_target(request, byte);
		break;
	case MRD_REQUEST_VERSION:
		next = mrd_request_on_version(request, byte);
		break;
	case MRD_REQUEST_LINE_END:
		next = mrd_request_expect(byte, '\n', MRD_REQUEST_LINE);
		break;
	case MRD_REQUEST_LINE:
		if (byte == '\r' && request->wants_close && !request->closes)
			return MRD_REQUEST_INSERT;
		next = mrd_request_on_line(request, byte);
		break;
	case MRD_REQUEST_NAME:
		next = mrd_request_on_name(request, byte);
		break;
	case MRD_REQUEST_VALUE:
		next = mrd_request_on_text(byte, MRD_REQUEST_VALUE, MRD_REQUEST_LINE_END);
		break;
	case MRD_REQUEST_LENGTH:
		next = mrd_request_on_length(request, byte);
		break;
	case MRD_REQUEST_CODING:
		next = mrd_request_on_coding(request, byte);
		break;
	case MRD_REQUEST_CONNECTION:
		if (mrd_request_on_connection(request, byte, &next))
			return MRD_REQUEST_OVERWRITE;
		break;
	case MRD_REQUEST_HEADER_END:
		next = byte == '\n' ? mrd_request_on_end(request) : MRD_REQUEST_UNSURE;
		break;
	default:
		next = mrd_request_on_chunk(request, byte);
	}
	request->stage = next;
	return MRD_REQUEST_GO_ON;
}

#endif
