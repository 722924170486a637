/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What model.c keeps and model_view.c reads. Not for others. */
#ifndef MRD_MODEL_INTERNAL_H
#define MRD_MODEL_INTERNAL_H

#include "base/table.h"
#include "model/model.h"
#include "model/refs.h"
#include "model/selector.h"

struct mrd_slice_ref {
	size_t cluster;
	const struct mrd_slice_object *slice;
};

/* A service of that name in any cluster, and what is known of it. It goes with its last trace. */
struct mrd_entry {
	char *key;				  /* "namespace/name" */
	uint64_t serial;			  /* orders what is made from sets of entries */
	const struct mrd_service_object *service; /* the home cluster's, or NULL */
	struct mrd_slice_ref *slices;		  /* of all clusters, in no order */
	size_t slice_count;
	size_t slice_room;
	bool dirty;
	struct mrd_entry *next_dirty;
};

struct mrd_cluster_state {
	char *name;
	char *region;
	char *network;
	size_t rank; /* home first, then by name: the order in which clusters are asked */
	struct mrd_table *objects[MRD_KIND_COUNT]; /* "namespace/name" → struct mrd_meta */
	bool unheard;
	uint64_t changes;
	uint32_t rounds[MRD_KIND_COUNT]; /* of mrd_model_mark() */
	uint32_t swept[MRD_KIND_COUNT];	 /* the last of them that was whole */
	struct mrd_refs *node_users;	 /* node name → entries with endpoints on it */
	struct mrd_refs *pod_users;	 /* "namespace/name" → entries with endpoints for it;
					  * NULL: there never was a pod */
};

struct mrd_model {
	struct mrd_cluster_state *clusters;
	size_t cluster_count;
	size_t home;
	struct mrd_selector *selector;
	struct mrd_table *entries; /* "namespace/name" → struct mrd_entry */
	struct mrd_refs *claims;   /* struct mrd_claim → entries whose Service has that address */
	uint64_t next_serial;
	struct mrd_entry *first_dirty;
	struct mrd_entry *last_dirty;
	char *returned; /* by mrd_model_next_dirty, of an entry that is gone since */
};

/* An address that a Service asks for. Zeroed before it is filled: it is used as bytes. */
struct mrd_claim {
	struct mrd_ip vip;
	uint32_t port;
	enum mrd_transport transport;
};

enum { MRD_KEY_MAX = 512 }; /* a namespace has 63 characters at most, a name 253 */

/* Writes "namespace/name" and returns its length; 0: longer than any object's. */
size_t mrd_model_key(char key[MRD_KEY_MAX], const char *namespace_, const char *name);
/* Is this Service for us to serve: selected, of no other proxy, with an address and a port? */
bool mrd_model_serves(const struct mrd_model *model, const struct mrd_service_object *service);
struct mrd_claim mrd_model_claim(const struct mrd_ip *vip, const struct mrd_service_port *port);
/* Does a keep an address that both claim? The older does; without a date it is the youngest. */
bool mrd_model_is_older(const struct mrd_service_object *a, const struct mrd_service_object *b);

#endif
