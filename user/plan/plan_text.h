/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A plan, and its rows, as text for people and golden files: the same input gives the same bytes.
 * A failure for want of memory stays in the string buffer (strbuf.h).
 */
#ifndef MRD_PLAN_PLAN_TEXT_H
#define MRD_PLAN_PLAN_TEXT_H

#include "base/strbuf.h"
#include "plan/plan.h"
#include "plan/rows.h"

void mrd_plan_text(const struct mrd_plan *plan, struct mrd_strbuf *out);
/* One line a row, map by map in the order of creation. */
void mrd_rows_text(const struct mrd_rows *rows, struct mrd_strbuf *out);

/* "failover", "ACTIVE", "draining", "TCP", "IPv4": as users read them. */
const char *mrd_mode_name(enum mrd_mode mode);
const char *mrd_state_name(enum mrd_state state);
const char *mrd_accept_name(enum mrd_hop_accept accept);
const char *mrd_protocol_name(enum mrd_protocol protocol);
const char *mrd_family_name(enum mrd_family family);

#endif
