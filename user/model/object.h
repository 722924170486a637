/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The Kubernetes objects that Meridian reads, reduced to what it uses. Made by source/, owned by
 * the model once they are put into it. Strings are never NULL (missing = "") unless said.
 */
#ifndef MRD_MODEL_OBJECT_H
#define MRD_MODEL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/ip.h"

enum mrd_kind { MRD_KIND_SERVICE, MRD_KIND_SLICE, MRD_KIND_NODE, MRD_KIND_POD, MRD_KIND_COUNT };

enum mrd_transport { MRD_TRANSPORT_OTHER, MRD_TRANSPORT_TCP, MRD_TRANSPORT_UDP };

struct mrd_label {
	char *key;
	char *value;
};

struct mrd_labels {
	struct mrd_label *items;
	size_t count;
};

/* What every object has. */
struct mrd_meta {
	enum mrd_kind kind;
	uint32_t round;	  /* of reading all of its kind, in which it was met last: the model's */
	uint32_t born;	  /* likewise, in which it was met first */
	char *namespace_; /* "" for nodes; "default" if a namespaced object names none */
	char *name;
	int64_t created_us; /* metadata.creationTimestamp, or MRD_INSTANT_NONE */
	char *resource_version;
	struct mrd_labels labels;
};

struct mrd_service_port {
	char *name;
	char *app_protocol;
	enum mrd_transport transport;
	uint16_t port;
};

enum mrd_traffic_distribution {
	MRD_DISTRIBUTION_NONE,
	MRD_DISTRIBUTION_SAME_ZONE,
	MRD_DISTRIBUTION_SAME_NODE,
};

/* The words of trafficDistribution by their index, with what each means; NULL: there is none more.
 */
const char *mrd_distribution_word(size_t index, enum mrd_traffic_distribution *ret_meaning);
/* The word that Kubernetes has for it now; "" of none. */
const char *mrd_distribution_name(enum mrd_traffic_distribution distribution);

struct mrd_service_object {
	struct mrd_meta meta;
	struct mrd_ip
		*vips;	  /* clusterIPs, externalIPs, load balancer addresses (not ipMode Proxy) */
	size_t vip_count; /* 0 for headless and ExternalName */
	struct mrd_service_port *ports;
	size_t port_count;
	bool internal_local;	     /* internalTrafficPolicy: Local */
	uint32_t affinity_timeout_s; /* sessionAffinity: ClientIP; 0: none */
	enum mrd_traffic_distribution traffic_distribution;
};

struct mrd_slice_port {
	char *name;
	char *app_protocol;
	enum mrd_transport transport;
	uint16_t port; /* 0: none given, the port is skipped */
};

struct mrd_slice_endpoint {
	struct mrd_ip ip; /* of endpoints[].addresses[0], the only one that kube-proxy uses too */
	bool ready;	  /* missing = true */
	bool serving;	  /* missing = ready */
	bool terminating; /* missing = false */
	char *node_name;
	char *zone;
	char *hostname;
	char *target_name;	/* targetRef of kind Pod, or "" */
	char *target_namespace; /* the slice's, if targetRef names none */
	char **zone_hints;
	size_t zone_hint_count;
	char **node_hints;
	size_t node_hint_count;
};

struct mrd_slice_object {
	struct mrd_meta meta;
	char *service_name;	     /* label kubernetes.io/service-name; "" = belongs to none */
	enum mrd_ip_version version; /* MRD_IP_NONE: addressType FQDN, ignored */
	struct mrd_slice_port *ports;
	size_t port_count;
	struct mrd_slice_endpoint *endpoints;
	size_t endpoint_count;
};

struct mrd_node_object {
	struct mrd_meta meta; /* the labels carry region, zone and subzone */
};

struct mrd_pod_object {
	struct mrd_meta meta;
};

/* A string of an object. Most are empty, so "" is shared: made and freed by these two only, or by
 * strdup. NULL: no memory. */
char *mrd_text_copy(const char *text);
void mrd_text_free(char *text); /* NULL is fine */

/* Frees an object of any kind, given by its meta (the first member of each). NULL is fine. */
void mrd_object_free(struct mrd_meta *object);
/* A deep copy, or NULL without memory. */
struct mrd_meta *mrd_object_copy(const struct mrd_meta *object);
/* Do both say the same? The resource version is no part of it: a node's heartbeat changes it. */
bool mrd_object_equal(const struct mrd_meta *a, const struct mrd_meta *b);
/* "" if there is no such label. */
const char *mrd_labels_get(const struct mrd_labels *labels, const char *key);

#endif
