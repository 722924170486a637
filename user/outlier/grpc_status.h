/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* gRPC answers for the detector, which thinks in HTTP codes. */
#ifndef MRD_OUTLIER_GRPC_STATUS_H
#define MRD_OUTLIER_GRPC_STATUS_H

#include <stdint.h>

/* The code that a grpc-status of the response's headers stands for (Envoy's grpcToHttpStatus); a
 * number that is none of gRPC's is 500. */
uint32_t mrd_grpc_http_code(uint32_t grpc_status);

#endif
