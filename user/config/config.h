/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The agent's configuration file (/etc/meridian/meridian.yaml) as a struct. Strict: a key that
 * nobody knows is an error with its place, and all errors are told at once.
 */
#ifndef MRD_CONFIG_CONFIG_H
#define MRD_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/doc.h"
#include "base/ip.h"
#include "maps/abi.h"
#include "maps/limits.h"

struct mrd_cluster_config {
	char *name;
	char *region;	 /* "" = unknown */
	char *network;	 /* "" = one flat network */
	char *directory; /* resolved against the configuration file's folder */
	bool home;
	struct mrd_cidr *pod_cidrs;
	size_t pod_cidr_count;
	struct mrd_cidr *service_cidrs;
	size_t service_cidr_count;
};

struct mrd_agent_config {
	char *node_name;   /* NODE_NAME or the host name if the file names none */
	char *node_region; /* "": by the node's labels; so are zone and subzone */
	char *node_zone;
	char *node_subzone;
	struct mrd_cluster_config *clusters;
	size_t cluster_count;
	size_t home; /* index of the home cluster */
	char **policy;
	size_t policy_count;
	uint64_t stale_after_ms;
	enum mrd_unknown unknown_service;
	char *cluster_domain;
	char *root_namespace;
	char *service_selector; /* "" = all */
	char *cgroup;
	char *bpffs;
	bool probe;
	struct mrd_dataplane_limits limits;
	uint32_t hops; /* of a route; 0: MRD_HOPS_MAX */
	char *control;
};

/*
 * Reads and validates. -EBADMSG: diag has errors; -errno: the file cannot be read (diag says so
 * too); -ENOMEM. Warnings go to diag as well.
 */
int mrd_agent_config_load(const char *path, struct mrd_diag *diag,
			  struct mrd_agent_config **ret_config);
/* The same for those that only look: what a file with errors says all the same is handed out with
 * -EBADMSG; NULL if there is nothing. */
int mrd_agent_config_survey(const char *path, struct mrd_diag *diag,
			    struct mrd_agent_config **ret_config);
/* What was left out. -ENOMEM. */
int mrd_config_set_defaults(struct mrd_agent_config *config);
/* Is this a configuration, and no policy? It has a top-level key that only configurations have, and
 * is no object. */
bool mrd_agent_config_is(const struct mrd_doc_node *root);
/* For those that put others in their place. */
void mrd_agent_config_drop_clusters(struct mrd_agent_config *config);
void mrd_agent_config_drop_policy(struct mrd_agent_config *config);
void mrd_agent_config_free(struct mrd_agent_config *config); /* NULL is fine */

#endif
