/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The detector's inside, shared by its files alone: outlier.c (signals, ejections, sweeps) and
 * outlier_hosts.c (whom it watches). */
#ifndef MRD_OUTLIER_OUTLIER_STATE_H
#define MRD_OUTLIER_OUTLIER_STATE_H

#include "outlier/outlier.h"

/* Who made the results that a rate is taken of; without the split all are external. */
enum mrd_result_origin { MRD_RESULT_EXTERNAL, MRD_RESULT_LOCAL, MRD_RESULT_ORIGINS };

/* The results of an interval. */
struct mrd_bucket {
	uint64_t total;
	uint64_t failed;
};

struct mrd_watched {
	struct mrd_outlier_host given;
	struct mrd_bucket buckets[MRD_RESULT_ORIGINS];
	bool is_judged; /* within a sweep: takes part in this origin's rates */
	uint32_t run_5xx;
	uint32_t run_gateway;
	uint32_t run_local;
	bool run_answers; /* in one of the first two are errors behind a handshake */
	bool ejected;
	bool has_returned; /* returned_at_ms is known */
	uint64_t ejected_at_ms;
	uint64_t ejected_until_ms;
	uint64_t returned_at_ms;
	uint64_t decayed_to_ms; /* a sweep */
	uint32_t ejections;
	uint32_t multiplier;
};

/* A number that stands for a host. */
struct mrd_host_number {
	uint32_t id;
	uint32_t index; /* of the host */
};

struct mrd_outlier {
	struct mrd_outlier_rule rule;
	bool is_http;
	uint64_t epoch_ms; /* sweeps lie at epoch + n × interval, n from 1 */
	uint64_t next_sweep_ms;
	uint64_t swept_ms;	 /* the last sweep; events of its time belong to the next one */
	uint64_t buckets_due_ms; /* UINT64_MAX: all are empty */
	uint64_t (*random)(void *self);
	void *random_self;
	struct mrd_watched *hosts; /* sorted by id */
	double *rates;		   /* room for one of each host */
	size_t count;
	struct mrd_host_number *numbers; /* sorted by id */
	size_t number_count;
	size_t ejected_count;
};

/* By either of its numbers; NULL: there is no such host. */
struct mrd_watched *mrd_outlier_find_host(const struct mrd_outlier *outlier, uint32_t id);
/* Finds out anew when a sweep is needed. */
void mrd_outlier_plan_sweep(struct mrd_outlier *outlier);

#endif
