/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One API server: its credential, its connection, and a reflector for each kind of object, driven
 * on the agent's loop. One that is slow or down delays no other.
 */
#ifndef MRD_KUBE_CLIENT_H
#define MRD_KUBE_CLIENT_H

#include "base/loop.h"
#include "kube/access.h"
#include "kube/reflector.h"

struct mrd_kube_client;

struct mrd_kube_client_config {
	const char *name; /* of the cluster, for messages */
	struct mrd_kube_where where;
	/* Their config->self are the caller's. Copied. */
	const struct mrd_reflector_config *resources;
	size_t resource_count;
	/* Before objects are handed on, and after them (once for a burst): may be NULL. */
	void (*before)(void *self);
	/* Something of the status changed: synced, lost, back, an error. */
	void (*changed)(void *self);
	void (*findings)(void *self, const struct mrd_diag *diag); /* of kubeconfigs */
	void *self;
};

struct mrd_kube_client_status {
	uint64_t last_heard_ns;	   /* the last byte of anything from the server; 0 = never */
	uint64_t failing_since_ns; /* 0 = it does not fail */
	bool settling;		   /* all that fails may be well in a moment, as reflector.h says */
	bool synced;		   /* every kind's first list was complete */
	const char *server;	   /* "https://…"; "" = not known yet */
	const char *error;	   /* "" = none */
};

int mrd_kube_client_new(const struct mrd_kube_client_config *config, struct mrd_loop *loop,
			struct mrd_kube_client **ret_client);
void mrd_kube_client_free(struct mrd_kube_client *client); /* NULL is fine */

/* How soon a silent server is asked for a sign of life: after 10 s at most. */
void mrd_kube_client_set_ping(struct mrd_kube_client *client, uint64_t ping_ms);

void mrd_kube_client_get_status(const struct mrd_kube_client *client,
				struct mrd_kube_client_status *ret_status);
/* Of one kind, in the order of the configuration. */
void mrd_kube_client_get_resource(const struct mrd_kube_client *client, size_t resource,
				  struct mrd_reflector_status *ret_status);

#endif
