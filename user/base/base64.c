/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum {
	GROUP_LEN = 4, /* characters that hold… */
	GROUP_BYTES = 3,
	SEXTET_BITS = 6,
	BYTE_BITS = 8,
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t count_padding(const char **text)
{
	size_t count = 0;

	for (; **text == '=' || **text == '\n' || **text == '\r'; (*text)++)
		count += **text == '=';
	return count;
}

int mrd_base64_decode(const char *text, char **ret_data, size_t *ret_len)
{
	MRD_AUTO_FREE char *data = malloc(strlen(text) / GROUP_LEN * GROUP_BYTES + GROUP_LEN);
	uint32_t bits = 0;
	size_t characters = 0;
	size_t len = 0;

	if (!data)
		return -ENOMEM;
	for (; *text && *text != '='; text++) {
		const char *found = strchr(alphabet, *text);

		if (*text == '\n' || *text == '\r')
			continue;
		if (!found)
			break;
		bits = bits << SEXTET_BITS | (uint32_t)(found - alphabet);
		characters++;
		/* Each character but the first of a group completes a byte. */
		if (characters % GROUP_LEN != 1) {
			const size_t spare = (GROUP_LEN - characters % GROUP_LEN) % GROUP_LEN * 2;

			data[len++] = (char)(bits >> spare);
		}
	}
	characters += count_padding(&text);
	if (*text || characters % GROUP_LEN || characters / GROUP_LEN * GROUP_BYTES - len > 2) {
		explicit_bzero(data, len);
		return -EINVAL;
	}
	data[len] = '\0';
	*ret_data = MRD_STEAL_PTR(data);
	*ret_len = len;
	return 0;
}

void mrd_strbuf_add_base64(struct mrd_strbuf *buf, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t at = 0; at < len; at += GROUP_BYTES) {
		const size_t count = len - at < GROUP_BYTES ? len - at : GROUP_BYTES;
		char group[GROUP_LEN];
		uint32_t bits = 0;

		for (size_t i = 0; i < GROUP_BYTES; i++)
			bits = bits << BYTE_BITS | (i < count ? bytes[at + i] : 0U);
		for (size_t i = 0; i < GROUP_LEN; i++) {
			const size_t shift = (GROUP_LEN - 1 - i) * SEXTET_BITS;

			group[i] = '=';
			if (i <= count)
				group[i] = alphabet[bits >> shift & (sizeof(alphabet) - 2)];
		}
		mrd_strbuf_add(buf, group, GROUP_LEN);
	}
}
