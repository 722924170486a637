/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which regions, or endpoints, of a port were up when it was last planned, and since when: so that
 * what is back can ramp up (meridian.dev/warmup, loadBalancer.warmup). What was up at the first
 * plan always was: a restart of the agent ends every ramp.
 */
#ifndef MRD_AGENT_WARMTH_H
#define MRD_AGENT_WARMTH_H

#include <stdint.h>

struct mrd_warmth;

struct mrd_warmth *mrd_warmth_new(void);	 /* NULL without memory */
void mrd_warmth_free(struct mrd_warmth *warmth); /* NULL is fine, as everywhere */

/* It was up at the first plan. */
void mrd_warmth_know(struct mrd_warmth *warmth, const char *name);
/*
 * How long ago something that is up now came back; UINT64_MAX: it always was up (or there is no
 * memory). The plan being made asks for all that is up; what it did not ask for is down when it
 * settles.
 */
uint64_t mrd_warmth_ask(struct mrd_warmth *warmth, const char *name, uint64_t now_ms);
void mrd_warmth_settle(struct mrd_warmth *warmth);
/* What a plan made now would be answered, if it is not made. unknown_ms: of what is down. */
uint64_t mrd_warmth_peek(const struct mrd_warmth *warmth, const char *name, uint64_t now_ms,
			 uint64_t unknown_ms);

#endif
