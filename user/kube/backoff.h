/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How long to wait before the next attempt: what client-go's Reflector does
 * (tools/cache/reflector.go: wait.Backoff{Duration: 800ms, Cap: 30s, Factor: 2, Jitter: 1} with a
 * reset after 2 minutes; apimachinery/pkg/util/wait/backoff.go: the jitter comes on top, so that
 * the longest wait is a minute).
 */
#ifndef MRD_KUBE_BACKOFF_H
#define MRD_KUBE_BACKOFF_H

#include <stdint.h>

struct mrd_backoff {
	uint64_t base_ns; /* of the next wait, without jitter */
	uint64_t last_ns; /* when the last one began */
	uint64_t random;
};

void mrd_backoff_init(struct mrd_backoff *backoff, uint32_t seed);
/* The next wait is as short as the first. */
void mrd_backoff_restart(struct mrd_backoff *backoff);
/* A wait that begins now. */
uint64_t mrd_backoff_next_ns(struct mrd_backoff *backoff, uint64_t now_ns);
/* Evenly from..to, to not included. */
uint64_t mrd_backoff_random(struct mrd_backoff *backoff, uint64_t from, uint64_t to);

#endif
