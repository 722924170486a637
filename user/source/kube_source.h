/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An API server as a cluster: its Services, EndpointSlices and Nodes are followed into the model,
 * by the reader that reads folders too; of the home cluster the DestinationRules as well.
 *
 * An object that cannot be understood is named and passed over; its last good version stays. What a
 * new list does not name goes when the list is complete, and not before.
 */
#ifndef MRD_SOURCE_KUBE_SOURCE_H
#define MRD_SOURCE_KUBE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/loop.h"
#include "kube/client.h"
#include "model/model.h"
#include "source/rule_docs.h"
#include "source/source_status.h"

struct mrd_kube_source;

struct mrd_kube_source_hooks {
	void (*before)(void *self);  /* before objects are read, which takes a while */
	void (*changed)(void *self); /* the status, or the rules */
	/* What is newly wrong, with an object or a kubeconfig. */
	void (*findings)(void *self, const struct mrd_diag *diag);
	void (*recovered)(void *self, const char *object); /* it can be understood again */
	/* Many objects are gone at once. */
	void (*dropped)(void *self);
	void *self;
};

struct mrd_kube_source_config {
	const char *name; /* of the cluster */
	struct mrd_kube_where where;
	struct mrd_model *model;
	size_t cluster;
	struct mrd_rule_docs *rules; /* follow DestinationRules, too; borrowed. NULL: do not */
	/* kernel.limits: a list that is much longer could never fit. 0: any number. */
	size_t services_max;
	size_t members_max;
	struct mrd_kube_source_hooks hooks;
};

/* Strings are copied. -ENOMEM, -errno of the loop or of inotify. A server that does not answer is
 * no failure. */
int mrd_kube_source_new(const struct mrd_kube_source_config *config, struct mrd_loop *loop,
			uint64_t now_ns, struct mrd_kube_source **ret_source);
/* NULL is fine; the model keeps the objects. */
void mrd_kube_source_free(struct mrd_kube_source *source);
/* From now on it fills another model, which has all that was in the old one, for another owner. */
void mrd_kube_source_move(struct mrd_kube_source *source, struct mrd_model *model, size_t cluster,
			  const struct mrd_kube_source_hooks *hooks);

/* As mrd_kube_client_set_ping(). */
void mrd_kube_source_set_ping(struct mrd_kube_source *source, uint64_t ping_ms);

void mrd_kube_source_get_status(const struct mrd_kube_source *source,
				struct mrd_source_status *ret_status);
void mrd_kube_source_each_broken(const struct mrd_kube_source *source, mrd_broken_fn fn,
				 void *self);
/* How one kind is doing; its plural name as the API has it, or NULL beyond the last one. */
const char *mrd_kube_source_get_resource(const struct mrd_kube_source *source, size_t index,
					 struct mrd_reflector_status *ret_status);

#endif
