/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The status line's parser of the probe. Whatever the pieces and their order, gathering them says
 * what the whole line says; and what it says agrees with a reading of the line as text.
 */
#include "bpf/lib/http_status.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static __u32 code_of_text(const char *line)
{
	unsigned int minor;
	unsigned int code;
	int end = 0;

	if (strspn(line + 9, "0123456789") < 3 || strchr("0123456789", line[7]) == NULL)
		return 0;
	if (sscanf(line, "HTTP/1.%1u%n", &minor, &end) != 1 || end != 8 || line[8] != ' ')
		return 0;
	code = (unsigned int)strtoul(line + 9, NULL, 10);
	return code >= 100 && code <= 599 ? code : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[MRD_STATUS_LEN + 1] = "";
	__u8 gathered[MRD_STATUS_LEN] = {0};
	__u32 have = 0;
	__u32 code;

	mrd_is_request(data, size < MRD_METHOD_LEN ? (__u32)size : MRD_METHOD_LEN);
	if (size < MRD_STATUS_LEN)
		return 0;
	memcpy(line, data, MRD_STATUS_LEN);

	/* The rest of the input says which pieces come, and when. */
	for (size_t i = MRD_STATUS_LEN; i < size; i++) {
		const __u32 at = (data[i] & 0x0f) % MRD_STATUS_LEN;
		const __u32 count = (data[i] >> 4) % (MRD_STATUS_LEN - at) + 1;

		have = mrd_status_gather(gathered, have, data, mrd_status_bits(at, count));
	}
	code = mrd_status_code((const __u8 *)line);
	if (code != code_of_text(line))
		abort();
	if (have == MRD_STATUS_HAVE_ALL && mrd_status_code(gathered) != code)
		abort();
	return 0;
}
