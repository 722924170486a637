/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the clusters say: their objects, and services merged across clusters by namespace and name
 * (KEP-1645, Istio, ASM). The home cluster's Service gives the addresses and ports; every cluster's
 * slices give endpoints. Knows nothing of policy: cluster-local services are the plan's to cut
 * down.
 *
 * A change marks the services that it touches as dirty, and no other.
 */
#ifndef MRD_MODEL_MODEL_H
#define MRD_MODEL_MODEL_H

#include "base/ip.h"
#include "model/object.h"

struct mrd_model;

enum { MRD_CLUSTERS_MAX = 64 };

struct mrd_model_cluster {
	const char *name;
	const char *region;  /* for endpoints whose node has no region label; "" = unknown */
	const char *network; /* topology.istio.io/network; "" = one flat network */
};

/* home: index of the home cluster. service_selector: which of its Services are taken ("" = all);
 * -EINVAL if it is not a Kubernetes label selector. Names are copied. */
int mrd_model_new(const struct mrd_model_cluster *clusters, size_t count, size_t home,
		  const char *service_selector, struct mrd_model **ret_model);
void mrd_model_free(struct mrd_model *model); /* NULL is fine */

/* Puts or replaces an object of a cluster; the model owns it, also on failure (-ENOMEM). An object
 * equal to the one it replaces makes nothing dirty. */
int mrd_model_put(struct mrd_model *model, size_t cluster, struct mrd_meta *object);
/* 0, or -ENOENT. */
int mrd_model_delete(struct mrd_model *model, size_t cluster, enum mrd_kind kind,
		     const char *namespace_, const char *name);

/*
 * For a reader that hears all objects of a kind anew: what is neither put nor kept between a mark
 * and the sweep is deleted by it. A second mark begins again; nothing goes without a sweep.
 */
void mrd_model_mark(struct mrd_model *model, size_t cluster, enum mrd_kind kind);
/* It is still there, but what is said of it now cannot be understood. 0, or -ENOENT. */
int mrd_model_keep(struct mrd_model *model, size_t cluster, enum mrd_kind kind,
		   const char *namespace_, const char *name);
/* As mrd_model_put(), of what the reader has not met: it goes with the next sweep unless the reader
 * meets it. */
int mrd_model_put_unmet(struct mrd_model *model, size_t cluster, struct mrd_meta *object);
/* How many are gone. */
size_t mrd_model_sweep(struct mrd_model *model, size_t cluster, enum mrd_kind kind);
/* What was not there before the last sweep goes again: the list that names it is not to be
 * believed. What was there stays, as it is said to be now. How many are gone. */
size_t mrd_model_forget(struct mrd_model *model, size_t cluster, enum mrd_kind kind);
/* What one model knows of a cluster, for another model's empty cluster; a mark holds there, too.
 * -ENOMEM: a part of it. */
int mrd_model_copy(const struct mrd_model *from, size_t from_cluster, struct mrd_model *to,
		   size_t to_cluster);

/* How many objects of a cluster were put, changed or deleted since the model was made; those that
 * came again and say the same do not count. */
uint64_t mrd_model_changes(const struct mrd_model *model, size_t cluster);

/* Whether a cluster has been silent for too long; at first it is not. Touches its services. */
void mrd_model_set_unheard(struct mrd_model *model, size_t cluster, bool unheard);

/* The next service ("namespace/name") whose view may have changed since it was last returned here,
 * or NULL. The string lives until the next call on the model. */
const char *mrd_model_next_dirty(struct mrd_model *model);
/* Marks all services dirty: the policy or this node changed. */
void mrd_model_touch_all(struct mrd_model *model);
void mrd_model_touch(struct mrd_model *model, const char *namespace_, const char *name);

size_t mrd_model_cluster_count(const struct mrd_model *model);
const char *mrd_model_cluster_name(const struct mrd_model *model, size_t cluster);
const char *mrd_model_cluster_network(const struct mrd_model *model, size_t cluster);
size_t mrd_model_home(const struct mrd_model *model);
/* Does a cluster say anything of a service's endpoints, if only that there are none? */
bool mrd_model_has_slice(const struct mrd_model *model, size_t cluster, const char *namespace_,
			 const char *name);
/* How many objects of a kind a cluster has. */
size_t mrd_model_count(const struct mrd_model *model, size_t cluster, enum mrd_kind kind);
/* An object, or NULL; the model's. */
const struct mrd_meta *mrd_model_find(const struct mrd_model *model, size_t cluster,
				      enum mrd_kind kind, const char *namespace_, const char *name);

/* ------------------------------------------------------------------------ the merged service */

struct mrd_locality_name {
	const char *region; /* "" = unknown */
	const char *zone;
	const char *subzone;
};

struct mrd_view_endpoint {
	struct mrd_ip ip;
	uint16_t port;
	size_t cluster;
	bool ready; /* ready and not terminating */
	bool serving;
	bool terminating;
	bool unheard; /* its cluster has fallen silent: whether it still is there is not known */
	struct mrd_locality_name
		locality; /* by node, else zone of the endpoint, else the cluster */
	const char *node_name;
	const char *hostname;
	const char *pod; /* what the slice says it is an address of; "" = not said */
	const char *pod_namespace;
	/* The same pod by its address of the other IP family, at the same port; NULL: none. */
	const struct mrd_view_endpoint *twin;
	const struct mrd_labels *pod_labels;  /* NULL: no Pod object is known */
	const struct mrd_labels *node_labels; /* NULL: no Node object is known */
	char *const *zone_hints;
	size_t zone_hint_count;
	char *const *node_hints;
	size_t node_hint_count;
};

/* One for each port of the Service and IP family that has a VIP. */
struct mrd_view_port {
	const char *name;
	uint16_t number;
	enum mrd_transport transport;
	enum mrd_ip_version version;
	bool is_http;	     /* declared so by appProtocol or by name (Istio's rule); of TCP only */
	bool is_http2;	     /* in frames, that is: HTTP/2 in the clear, or gRPC */
	struct mrd_ip *vips; /* of this family, without those that an older service claims */
	size_t vip_count;
	struct mrd_view_endpoint *endpoints; /* the home cluster's, then others' by its name; by ip,
					      * port; each address:port once */
	size_t endpoint_count;
};

/* An address claimed by an older service, a port twice, … */
struct mrd_view_warning {
	char *text;
	/* The port that it is about, which need not have an entry in the view. */
	uint16_t port;
	const char *port_name;
	enum mrd_transport transport;
	enum mrd_ip_version version; /* MRD_IP_NONE: both families */
};

struct mrd_view {
	const char *namespace_;
	const char *name;
	const struct mrd_labels *labels;
	bool internal_local;
	uint32_t affinity_timeout_s; /* 0: none */
	enum mrd_traffic_distribution traffic_distribution;
	struct mrd_view_port *ports;
	size_t port_count;
	struct mrd_view_warning *warnings;
	size_t warning_count;
};

bool mrd_view_warning_is_about(const struct mrd_view_warning *warning,
			       const struct mrd_view_port *port);

/*
 * The service as it is now. -ENOENT: no such Service in the home cluster, or it is none of ours
 * (not selected, foreign proxy, no VIP, no TCP or UDP port). The view borrows strings from the
 * model and lives until the next change of the model; free it with mrd_view_free.
 */
int mrd_model_view(const struct mrd_model *model, const char *namespace_, const char *name,
		   struct mrd_view **ret_view);
void mrd_view_free(struct mrd_view *view); /* NULL is fine */
/* By its number, whatever the family. */
bool mrd_view_has_port(const struct mrd_view *view, uint16_t number);

/* Every Service of the home cluster that is ours, in no order. fn returns 0 to go on; what it
 * returns otherwise is handed out. */
int mrd_model_walk_services(const struct mrd_model *model,
			    int (*fn)(void *self, const char *namespace_, const char *name),
			    void *self);

struct mrd_address_place {
	size_t cluster;
	struct mrd_locality_name locality;
	const char *node_name; /* of that cluster; "" = on none, or not known */
};

/* Where the endpoint of that address is, of any service. Of clusters that claim it one counts as in
 * views: where it is ready, then home, then the first by name. 0, or -ENOENT. Looks through all
 * slices. */
int mrd_model_find_address(const struct mrd_model *model, const struct mrd_ip *ip,
			   struct mrd_address_place *ret_place);

/* A node's locality in a cluster by its labels, with "" where there is none. 0, or -ENOENT. */
int mrd_model_node_locality(const struct mrd_model *model, size_t cluster, const char *node_name,
			    struct mrd_locality_name *ret_locality);

#endif
