/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Connections that packets are translated for take rows in the kernel until they are over. Nobody
 * there says when that is, so the agent looks through them: by the state of each, with the times
 * that the kernel's own connection tracking has; and those of pods that are gone go at once.
 *
 * A pass also finds out where there are no rows at all, and tells the kernel, which then looks
 * nothing up for most packets there (mrd_settled).
 *
 * A few hundred rows a turn. Knows no libbpf; time is an argument.
 */
#ifndef MRD_AGENT_FLOW_SWEEP_H
#define MRD_AGENT_FLOW_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/abi.h"

/* Pure: is a connection over, by its forward row? */
bool mrd_flow_is_over(const struct mrd_flow *flow, uint64_t now_ns);

struct mrd_flow_port {
	void *self;
	/* Some rows: 1: there may be more, 0: that was the end, -errno. */
	int (*next)(void *self, int (*fn)(void *fn_self, const void *key, const void *value),
		    void *fn_self);
	int (*get)(void *self, const struct mrd_flow_key *key, struct mrd_flow *ret_flow);
	/* Both rows, by the forward row's key, or a reverse row that is alone; -errno: it stays. */
	int (*del)(void *self, const struct mrd_flow_key *key);
	bool (*is_there)(void *self, uint32_t ifindex);
	/* How often each place was given rows; and that none is left of those. */
	int (*places)(void *self, uint64_t ret_opened[MRD_PLACE_ANY + 1]);
	int (*settle)(void *self, uint32_t place, uint64_t opened);
};

struct mrd_flow_sweep;

int mrd_flow_sweep_new(const struct mrd_flow_port *port, struct mrd_flow_sweep **ret_sweep);
void mrd_flow_sweep_free(struct mrd_flow_sweep *sweep); /* NULL is fine */

/* One turn. When the next is due: now, if there are more rows, or in some seconds. */
uint64_t mrd_flow_sweep_turn(struct mrd_flow_sweep *sweep, uint64_t now_ns);
/* An interface is gone: the next turn begins to look for what it leaves behind. */
void mrd_flow_sweep_hurry(struct mrd_flow_sweep *sweep);

/* Connections that were removed so far. */
uint64_t mrd_flow_sweep_removed(const struct mrd_flow_sweep *sweep);

#endif
