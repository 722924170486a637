/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "outlier/grpc_status.h"

enum { INTERNAL_SERVER_ERROR = 500 };

uint32_t mrd_grpc_http_code(uint32_t grpc_status)
{
	static const uint32_t codes[] = {
		200, /* OK */
		499, /* CANCELLED */
		500, /* UNKNOWN */
		400, /* INVALID_ARGUMENT */
		504, /* DEADLINE_EXCEEDED */
		404, /* NOT_FOUND */
		409, /* ALREADY_EXISTS */
		403, /* PERMISSION_DENIED */
		429, /* RESOURCE_EXHAUSTED */
		400, /* FAILED_PRECONDITION */
		409, /* ABORTED */
		400, /* OUT_OF_RANGE */
		501, /* UNIMPLEMENTED */
		500, /* INTERNAL */
		503, /* UNAVAILABLE */
		500, /* DATA_LOSS */
		401, /* UNAUTHENTICATED */
	};

	return grpc_status < sizeof(codes) / sizeof(*codes) ? codes[grpc_status]
							    : INTERNAL_SERVER_ERROR;
}
