/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What several documents have in common, and how their text forms spell it. */
#ifndef MRD_VIEW_PARTS_H
#define MRD_VIEW_PARTS_H

#include <stdint.h>

#include <jansson.h>

#include "base/ip.h"
#include "maps/abi.h"
#include "view/rowset.h"

/* ------------------------------------------------------------------------ rows → documents */

/* Order of names as people read them: namespace, service, port, protocol, family. */
int mrd_view_compare_names(const struct mrd_name *a, const struct mrd_name *b);
/* A new object with service, port, protocol and family; the name may be NULL (its row is gone). */
json_t *mrd_view_name(const struct mrd_name *name);
/* Sets region, zone and subzone; "" where the row is gone. 0 or -1, as jansson's setters. */
int mrd_view_set_locality(json_t *object, const struct mrd_rowset *localities,
			  uint32_t locality_id);
/* The region's name, for comparing and adding up; "" if unknown. Lives as long as the rows. */
const char *mrd_view_region(const struct mrd_rowset *localities, uint32_t locality_id,
			    char buf[MRD_NAME_LEN + 1]);
const char *mrd_view_address(const uint8_t addr[MRD_ADDR_LEN], enum mrd_family family,
			     uint32_t port, char buf[MRD_IP_TEXT_MAX]);

json_t *mrd_view_number(uint64_t number);
/* sum ÷ count, in ms from µs; null if there is nothing to divide. */
json_t *mrd_view_mean_ms(uint64_t sum_us, uint64_t count);
/* {"1xx": 0, …, "5xx": 3} */
json_t *mrd_view_classes(const uint64_t responses[MRD_CLASSES]);

/* ------------------------------------------------------------------------- documents → text */

const char *mrd_view_text(const json_t *object, const char *key);  /* "" if there is none */
long long mrd_view_integer(const json_t *object, const char *key); /* 0 */
double mrd_view_real(const json_t *object, const char *key);	   /* 0 */
/* "cn-hangzhou/cn-hangzhou-h", as far as it is known. */
const char *mrd_view_place(const json_t *object, char *buf, size_t size);
/* "350ms", "12s", "3m05s", "2h07m", "4d03h" */
const char *mrd_view_span(long long ms, char *buf, size_t size);

#endif
