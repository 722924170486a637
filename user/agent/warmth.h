/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which regions of a port had usable endpoints when it was last planned, and since when: so that
 * one which is back can ramp up (meridian.dev/warmup). What was up at the first plan always was: a
 * restart of the agent ends every ramp.
 */
#ifndef MRD_AGENT_WARMTH_H
#define MRD_AGENT_WARMTH_H

#include <stdint.h>

#include "plan/plan.h"

struct mrd_warmth;

/* From the first plan. NULL without memory: then no region ramps up. */
struct mrd_warmth *mrd_warmth_new(const struct mrd_plan_port *port);
void mrd_warmth_free(struct mrd_warmth *warmth); /* NULL is fine */

/*
 * How long ago a region that has usable endpoints now came back, as mrd_plan_ejections'
 * region_back_ms tells it. The plan being made asks for each such region; those it did not ask for
 * are down when it settles.
 */
uint64_t mrd_warmth_ask(struct mrd_warmth *warmth, const char *region, uint64_t now_ms);
void mrd_warmth_settle(struct mrd_warmth *warmth);

#endif
