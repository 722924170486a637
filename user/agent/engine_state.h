/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The engine's inside, shared by its files alone: engine.c (rounds, retries), engine_plan.c (one
 * service), engine_eject.c (events and sweeps), engine_tell.c (their words), engine_explain.c
 * (why). */
#ifndef MRD_AGENT_ENGINE_STATE_H
#define MRD_AGENT_ENGINE_STATE_H

#include "agent/batch.h"
#include "agent/book.h"
#include "agent/engine.h"
#include "base/table.h"

/* Up to so many lines of a kind a round; beyond, one line sums them up. */
enum { MRD_LINES_PER_ROUND = 16 };

/* What a round did, for its log lines. */
struct mrd_round {
	size_t services;
	size_t ports;
	size_t operations;
	size_t failed;
	size_t lines;
	size_t failure_lines;
};

/* A verdict whose effect is in the kernel, but of which nothing was said yet. */
struct mrd_note {
	uint32_t service_id; /* 0: no row of the host is known, so there is nothing to say */
	struct mrd_outlier_verdict verdict;
	uint64_t for_ms; /* of an ejection */
	int error;	 /* of writing the health row */
};

/* Whether a verdict changes what the kernel should do. */
static inline bool mrd_verdict_is_effective(const struct mrd_outlier_verdict *verdict)
{
	return !verdict->ejected || (verdict->enforced && !verdict->capped);
}

struct mrd_engine {
	struct mrd_map_writer writer;
	uint64_t (*now_ns)(void);
	void (*drain)(void *self);
	void (*relax)(void *self);
	void *self;
	int event_fd;

	struct mrd_engine_input input;
	struct mrd_ids *ids;
	struct mrd_book book;
	struct mrd_batch batch;
	struct mrd_table *regions;  /* name → number from 1, for detectors */
	struct mrd_table *sweeping; /* address → watch whose detector has a sweep to come */
	struct mrd_table *warming;  /* id → entry with what ramps up */

	bool holding;
	mrd_told_fn is_told; /* of held services; NULL: none is released before all are */
	void *told_self;
	size_t revisits;      /* services with that flag; an upper bound */
	size_t failing;	      /* services with an error */
	uint64_t retry_at_ns; /* 0: nothing to try again */
	uint64_t retry_delay_ns;
	uint64_t burst_since_ns; /* the first ejection of those not yet planned; 0: none */
	uint64_t last_burst_ns;	 /* the last of them */
	uint64_t last_plan_ns;
	struct mrd_round round;
	struct mrd_latency latency; /* of ejections, as the next */
	struct mrd_histogram ejection_delay;
	struct mrd_histogram planning;
	struct mrd_histogram writing;
	uint64_t plans_written; /* for life, as the next two */
	uint64_t plans_failed;
	struct mrd_ejection_counts ejections[MRD_OUTLIER_TYPES];
	struct mrd_note *notes;
	size_t note_count;
	size_t note_room;
};

static inline uint64_t mrd_engine_ms(uint64_t ns)
{
	return ns / 1000000;
}

void mrd_engine_revisit(struct mrd_engine *engine, struct mrd_book_service *service);
void mrd_engine_revisit_failed(struct mrd_engine *engine);

/* Why a service is planned. */
enum mrd_asker {
	MRD_ASKER_PLAN,	    /* to be written: what is up is noted */
	MRD_ASKER_HERE,	    /* to be told: nothing is noted, of this node's plan */
	MRD_ASKER_ELSEWHERE /* of another node's: what this one's leaves out always was up there */
};

/* Whether endpoints are ejected, asked for one after the other; the detector is the same for all of
 * a port. */
struct mrd_asking {
	struct mrd_engine *engine;
	enum mrd_asker asker;
	uint16_t port; /* of the Service that watch is about; 0: none was asked of */
	enum mrd_transport transport;
	const struct mrd_watch *watch; /* NULL: nobody of this port is ejected */
	bool is_ruled; /* there is outlier detection; else only unheard endpoints are ejected */
};

/* engine_plan.c: false if the endpoint is not ejected; else how, and until when. */
bool mrd_engine_find_ejection(struct mrd_asking *asking, const struct mrd_view *view,
			      const struct mrd_view_port *port,
			      const struct mrd_view_endpoint *endpoint,
			      struct mrd_outlier_state *ret_state);
/* engine_plan.c: what a plan is made with. Borrows. */
struct mrd_plan_ejections mrd_engine_ejections(struct mrd_asking *asking);
/* engine.c: between short pieces of work. */
void mrd_engine_breathe(const struct mrd_engine *engine);
/* What follows takes long. */
void mrd_engine_relax(const struct mrd_engine *engine);
/* engine_plan.c: plans and writes one service by its name; deletions are left to the batch. */
void mrd_engine_plan_service(struct mrd_engine *engine, const char *namespace_, const char *name);

/* engine_eject.c */
/* After a port was written, which begins at first among the plan's: the detector that its rule asks
 * for, with the hosts of its route. */
int mrd_engine_watch_hosts(struct mrd_engine *engine, struct mrd_watch *watch,
			   const struct mrd_plan *plan, size_t first);
void mrd_engine_stop_watch(struct mrd_engine *engine, struct mrd_watch *watch);
/* After a restart: the same from the rows. */
int mrd_engine_restore(struct mrd_engine *engine, struct mrd_entry *entry,
		       const struct mrd_rows *rows);
/* An endpoint, by either address of its pod. */
struct mrd_engine_address {
	const struct mrd_ip *ip;
	uint16_t port;
	const struct mrd_ip *twin_ip; /* NULL: has no other */
	uint16_t twin_port;
};
/* What the detector knows of it; the twin's ejection is its own, also before a plan has told the
 * detector that both are one. False: nothing. */
bool mrd_engine_get_state(const struct mrd_engine *engine, const struct mrd_watch *watch,
			  const struct mrd_engine_address *address,
			  struct mrd_outlier_state *ret_state);
/* Fills what outlier detection knows into a health row; self of the callbacks of plan and rows. */
struct mrd_fill {
	struct mrd_engine *engine;
	const struct mrd_entry *entry;
	uint64_t now_ns;
};
void mrd_engine_fill_health(void *self, uint32_t endpoint_id,
			    const struct mrd_plan_endpoint *endpoint, struct mrd_health *health);
/* The region of an endpoint, by the locality among the rows; "" if it is not known. */
const char *mrd_engine_region_of(const struct mrd_rows *rows, const struct mrd_health *health);

/* engine_tell.c: says what was noted, and forgets it. */
void mrd_engine_tell(struct mrd_engine *engine);

#endif
