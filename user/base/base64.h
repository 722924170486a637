/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Base64 as RFC 4648 §4 has it: padded; line breaks between the characters are passed over. */
#ifndef MRD_BASE_BASE64_H
#define MRD_BASE_BASE64_H

#include <stddef.h>

#include "base/strbuf.h"

/* Decodes a whole text. *ret_data is the caller's to free, and has a zero behind its end that is
 * not counted. -EINVAL: this is no base64; -ENOMEM. */
int mrd_base64_decode(const char *text, char **ret_data, size_t *ret_len);
void mrd_strbuf_add_base64(struct mrd_strbuf *buf, const void *data, size_t len);

#endif
