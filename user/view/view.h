/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What meridianctl shows, as JSON and as text, made from what the kernel holds. Used by the agent
 * (to answer on its control socket) and by meridianctl (to answer without an agent), so both say
 * the same.
 */
#ifndef MRD_VIEW_VIEW_H
#define MRD_VIEW_VIEW_H

#include <stdio.h>

#include <jansson.h>

#include "dataplane/inspect.h"

/* Each returns a new JSON reference, or NULL without memory. */
json_t *mrd_view_services(const struct mrd_inspect *inspect);
/* service: "namespace/name", or NULL for all. */
json_t *mrd_view_endpoints(const struct mrd_inspect *inspect, const char *service, uint64_t now_ns);
json_t *mrd_view_regions(const struct mrd_inspect *inspect);
/* The kernel's part of status: programs, maps' fill, counters that are not zero. */
json_t *mrd_view_kernel(const struct mrd_inspect *inspect);

/* Text tables from those documents. */
void mrd_view_print_services(const json_t *doc, FILE *out);
void mrd_view_print_endpoints(const json_t *doc, FILE *out);
void mrd_view_print_regions(const json_t *doc, FILE *out);
void mrd_view_print_status(const json_t *doc, FILE *out);

#endif
