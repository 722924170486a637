/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What an API server says when it refuses: a meta/v1 Status, as an answer's body or as a watch's
 * ERROR event, or plain text.
 */
#ifndef MRD_KUBE_API_STATUS_H
#define MRD_KUBE_API_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct mrd_api_status {
	unsigned int code;		  /* 0 = it does not say */
	bool expired;			  /* the version or the continue token is too old */
	bool too_large;			  /* the version is from the future */
	uint64_t retry_after_ms;	  /* 0 = none said */
	struct mrd_strbuf continue_token; /* of what else would be lost; "" = none */
	struct mrd_strbuf message;	  /* one line, and not a long one; "" = none */
};

/* Of any bytes; what does not say anything leaves ret_status empty. -ENOMEM. */
int mrd_api_status_read(const char *text, size_t len, struct mrd_api_status *ret_status);
void mrd_api_status_clear(struct mrd_api_status *status);

#endif
