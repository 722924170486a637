/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A cluster of the configuration, followed in the loop: by a folder or by an API server. Says in
 * the log when it is lost, and when it is back. One that is slow delays no other.
 */
#ifndef MRD_AGENT_CLUSTER_H
#define MRD_AGENT_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/histogram.h"
#include "base/loop.h"
#include "config/config.h"
#include "kube/reflector.h"
#include "model/model.h"
#include "source/rule_docs.h"
#include "source/source_status.h"

struct mrd_cluster;

/* Whom a cluster serves. All of it is borrowed. */
struct mrd_cluster_place {
	const struct mrd_cluster_config *config;
	struct mrd_model *model;
	size_t index;		 /* in the model */
	uint64_t stale_after_ms; /* so long it may be silent */
	size_t services_max;	 /* kernel.limits */
	size_t members_max;
	struct mrd_rule_docs *rules; /* where its DestinationRules go; NULL: nowhere */
	void (*before)(void *self);  /* before something is read, which takes a while */
	void (*between)(void *self); /* before and behind what is short */
	void (*changed)(void *self); /* something may have been read */
	void (*dropped)(void *self); /* much was, and is gone */
	void *self;
};

/* -ENOMEM, -errno of the loop or of inotify. A cluster that cannot be reached is no failure. */
int mrd_cluster_open(const struct mrd_cluster_place *place, struct mrd_loop *loop,
		     struct mrd_cluster **ret_cluster);
/*
 * The same, in the place of another source of the same cluster, whose objects the model has: they
 * stay until the new source has said what there is.
 */
int mrd_cluster_replace(const struct mrd_cluster_place *place, struct mrd_loop *loop,
			struct mrd_cluster **ret_cluster);
/* The model has objects of it that nobody has read; they go when it was read. */
void mrd_cluster_has_leftovers(struct mrd_cluster *cluster);
/* Do both name one folder, or one server by one way? */
bool mrd_cluster_has_source_of(const struct mrd_cluster_config *a,
			       const struct mrd_cluster_config *b);
/* Does the configuration name the source that is open here? */
bool mrd_cluster_is_of(const struct mrd_cluster *cluster, const struct mrd_cluster_place *place);
/* It serves another from now on, whose model has all that is known of it. */
void mrd_cluster_move(struct mrd_cluster *cluster, const struct mrd_cluster_place *place);
void mrd_cluster_free(struct mrd_cluster *cluster); /* NULL is fine; the model keeps the objects */

/* To be called about once a second. */
void mrd_cluster_tick(struct mrd_cluster *cluster, uint64_t now_ns);

/* All that was read is in the kernel. counted: how long it took is one more of the delays. */
void mrd_cluster_settle(struct mrd_cluster *cluster, uint64_t now_ns, bool counted);
/* From a change that was read to its being in the kernel; what came together counts once. */
const struct mrd_histogram *mrd_cluster_delays(const struct mrd_cluster *cluster);
/* Since when the kernel may not say what the cluster says: a change is not in there yet, or it is
 * not heard. 0: it does. */
uint64_t mrd_cluster_behind_since(const struct mrd_cluster *cluster);

/* Nothing has come from it for stale_after_ms, answers to pings counted: its endpoints count as
 * unheard. */
bool mrd_cluster_is_stale(const struct mrd_cluster *cluster);
void mrd_cluster_get_status(const struct mrd_cluster *cluster,
			    struct mrd_source_status *ret_status);
/* What stands on its last good state, and why. */
void mrd_cluster_each_broken(const struct mrd_cluster *cluster, mrd_broken_fn fn, void *self);
/* As mrd_kube_source_get_resource(); a folder has none. */
const char *mrd_cluster_get_resource(const struct mrd_cluster *cluster, size_t index,
				     struct mrd_reflector_status *ret_status);

#endif
