/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Closes the circle: what the clusters say (model) and what the operator wants (policy) → plan →
 * rows → maps; what the hooks saw (events) → outlier detection → the health row at once → plan.
 *
 * Knows nothing of sockets, files or libbpf: rows leave through a struct mrd_map_writer, time comes
 * from a function, so all of it runs in unit tests. One thread; nothing here blocks.
 *
 * Promises
 * - An ejection is in the kernel before anything else happens: not even its log line comes first,
 *   nor the line or the plan of another ejection of the same burst (mrd_engine_settles_at).
 * - A plan that cannot be written leaves the old one of that port whole, is logged once with its
 *   reason (again when the reason changes), and is tried again: after 1 s, 2 s, … 30 s, and
 *   whenever rows were deleted. Ports of a service go only when its other ports could be written.
 * - Adopted services stay as they are until mrd_engine_release(): a cluster that has not been read
 *   yet must not look like one without endpoints.
 *   All of them, also while one file alone is broken: rows do not say which file they came from.
 *   Nobody knows whether the broken file has endpoints of a service, another port of it, or the
 * Node objects that give endpoints their zones, on which the shares of every service depend; a plan
 *   without these is a wrong plan, though it deletes nothing. Services that are new are planned.
 */
#ifndef MRD_AGENT_ENGINE_H
#define MRD_AGENT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/latency.h"
#include "base/histogram.h"
#include "maps/event.h"
#include "model/model.h"
#include "outlier/outlier.h"
#include "plan/explain.h"
#include "plan/ids.h"
#include "plan/plan.h"
#include "plan/rows.h"
#include "policy/policy.h"

struct mrd_engine;

enum {
	/* Some turns of another task on the same CPU; asleep for so long, the agent has time for a
	 * plan of hundreds of endpoints that is urgent (agent/urgency.h). */
	MRD_SETTLE_NS = 10 * 1000 * 1000,
	MRD_SETTLE_MOST_NS = 2 * MRD_SETTLE_NS,
};

struct mrd_engine_config {
	struct mrd_map_writer writer;
	uint64_t (*now_ns)(void); /* CLOCK_MONOTONIC */
	/* Hands over the kernel's events that wait, by mrd_engine_event(); called before each
	 * service that is planned, each ejection's log line and sweeps, so that a long round delays
	 * none. May be NULL. */
	void (*drain)(void *self);
	void (*relax)(void *self); /* before what takes long as a whole; may be NULL */
	void *self;
	int event_fd; /* where Envoy's event log lines go; -1: nowhere */
};

/* What to plan from and for. All are borrowed until the next mrd_engine_set_input(). */
struct mrd_engine_input {
	struct mrd_model *model;
	const struct mrd_policy *policy;
	const struct mrd_plan_node *node;
	const char *cluster_domain; /* for the names in Envoy's event log */
	/* There is no policy to plan by: the kernel's rows stay, but for ejections whose time is
	 * over. Rules are not among the rows, so there are no new ones. */
	bool is_frozen;
};

int mrd_engine_new(const struct mrd_engine_config *config, struct mrd_engine **ret_engine);
void mrd_engine_free(struct mrd_engine *engine); /* NULL is fine; the kernel keeps its rows */

/* Everything is planned anew. To be called as well when something in the input has changed other
 * than by the model's own calls. */
void mrd_engine_set_input(struct mrd_engine *engine, const struct mrd_engine_input *input);

/* ------------------------------------------------------------------------------ after a restart */

/* For numbers to be taken over, before anything is planned. */
struct mrd_ids *mrd_engine_ids(struct mrd_engine *engine);
/*
 * Takes over what an earlier agent wrote for a service id: its rows (owned from now on, also on
 * failure), and its ejections with their remaining time. answered: a hook has read a response of
 * one of the endpoints. in_kernel: the rows stand in the maps that this agent writes; otherwise
 * they tell of ejections alone, and everything is written anew. The input must have been set. The
 * service is held.
 */
int mrd_engine_adopt(struct mrd_engine *engine, const struct mrd_name *name, struct mrd_rows *rows,
		     bool answered, bool in_kernel);
/* Every cluster was read: adopted services are planned like others, and those that are gone go. */
void mrd_engine_release(struct mrd_engine *engine);
/* Is all that the rows of a held service name known of otherwise, too? */
typedef bool (*mrd_told_fn)(void *self, const char *namespace_, const char *name);
/*
 * Of a cluster a part cannot be read: held services of which enough is known are planned like
 * others from now on; fn is asked of each, now and whenever it changes. The rest waits for
 * mrd_engine_release().
 */
void mrd_engine_release_told(struct mrd_engine *engine, mrd_told_fn fn, void *self);
bool mrd_engine_is_holding(const struct mrd_engine *engine);
/* The rows of held services, port by port. fn returns 0 to go on. */
int mrd_engine_walk_held(const struct mrd_engine *engine,
			 int (*fn)(void *self, const struct mrd_name *name,
				   const struct mrd_rows *rows),
			 void *self);

/* The same of one service, held or not. */
int mrd_engine_walk_service(const struct mrd_engine *engine, const char *namespace_,
			    const char *name,
			    int (*fn)(void *self, const struct mrd_name *name,
				      const struct mrd_rows *rows),
			    void *self);

/* ------------------------------------------------------------------------------------ running */

/* Plans and writes what has changed, until there is nothing more or the time is over; a burst of
 * ejections ends it as well. UINT64_MAX: nothing but the end of the work does. Returns whether
 * there is more. */
bool mrd_engine_round(struct mrd_engine *engine, uint64_t until_ns);
/* After a round without more to do: whether all that is known is in the kernel. It is not while
 * services are held, or have a plan that could not be written. */
bool mrd_engine_is_settled(const struct mrd_engine *engine);
/*
 * When a round is welcome again; 0 or a time that is past: now. Errors seldom come alone, and each
 * of them would have to wait for the words and the plan of the one before. So after an ejection
 * rounds wait until for MRD_SETTLE_NS there was no other, or the first is MRD_SETTLE_MOST_NS old:
 * the health rows keep connections away from what is ejected, the plan only mends the shares.
 */
uint64_t mrd_engine_settles_at(const struct mrd_engine *engine);
void mrd_engine_event(struct mrd_engine *engine, const struct mrd_event *event);
/* When mrd_engine_tick() is due (sweeps, retries); UINT64_MAX: never. */
uint64_t mrd_engine_due(const struct mrd_engine *engine);
void mrd_engine_tick(struct mrd_engine *engine);

/* ------------------------------------------------------------------------------------- telling */

/* Envoy's counters of a detector, of all services. */
struct mrd_ejection_counts {
	uint64_t detected;
	uint64_t enforced;
	uint64_t overflow; /* not carried out because of maxEjectionPercent */
};

struct mrd_engine_status {
	size_t services;  /* with rows in the kernel */
	size_t ports;	  /* service ids */
	size_t ejected;	  /* endpoints; the two addresses of a pod are one */
	size_t resetting; /* service ids with on-eject: reset */
	size_t held;	  /* services that are left as they were adopted */
	bool holding;
	uint64_t last_plan_ns;		     /* 0: none was written yet */
	struct mrd_latency_summary ejection; /* hook saw it → health row written */
	struct mrd_histogram ejection_delay; /* the same, for life */
	struct mrd_histogram planning;	     /* of a service: what is known of it → plan */
	struct mrd_histogram writing;	     /* of a service: plan → rows in the kernel */
	size_t unwritten;		     /* services whose plan is not in the kernel */
	uint64_t plans_written;		     /* of a port, with a change; since the start, as */
	uint64_t plans_failed;		     /* of a service, each try */
	struct mrd_ejection_counts ejections[MRD_OUTLIER_TYPES];
};

/* Why a service goes where it goes, as it would be planned now. node: another one than this, or
 * NULL. As mrd_explain_make(). */
int mrd_engine_explain(struct mrd_engine *engine, const struct mrd_explain_target *target,
		       const struct mrd_plan_node *node, struct mrd_explanation **ret_explanation);
/* How many rows each map holds of all services; UINT64_MAX where that is not known: localities,
 * which services share. Rows that wait for their deletion are not counted. */
void mrd_engine_count_rows(const struct mrd_engine *engine, uint64_t ret_rows[MRD_MAP_COUNT]);
void mrd_engine_get_status(const struct mrd_engine *engine, struct mrd_engine_status *ret_status);
/* Services whose plan could not be written. has_plan: the kernel holds an earlier one. */
void mrd_engine_unwritten(const struct mrd_engine *engine,
			  void (*fn)(void *self, const char *service, const char *error,
				     uint64_t since_ns, bool has_plan),
			  void *self);
/* One whose plan could not be written to maps that replace others which hold it; NULL: none. */
const char *mrd_engine_lost(const struct mrd_engine *engine, const char **ret_error);

#endif
