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
	char *region;  /* "" = unknown */
	char *network; /* "" = one flat network */
	/* Where its state comes from: a folder; or an API server, by in_cluster, or by a kubeconfig
	 * and the name of its context, either of which may be NULL. Paths are resolved against the
	 * configuration file's folder. */
	char *directory;
	char *kubeconfig;
	char *context;
	bool in_cluster;
	bool home;
	struct mrd_cidr *pod_cidrs;
	size_t pod_cidr_count;
	struct mrd_cidr *service_cidrs;
	size_t service_cidr_count;
};

enum mrd_interface_mode {
	MRD_INTERFACES_AUTO, /* the host's ends of pods' veths */
	MRD_INTERFACES_NONE,
	MRD_INTERFACES_GLOBS,
};

/* At which interfaces connections are translated that no socket hook sees. */
struct mrd_interface_choice {
	enum mrd_interface_mode mode;
	char **globs; /* as of fnmatch(3) */
	size_t glob_count;
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
	uint64_t startup_wait_ms;
	enum mrd_unknown unknown_service;
	char *cluster_domain;
	char *root_namespace;
	char *service_selector; /* "" = all */
	char *cgroup;
	char *bpffs;
	bool probe;
	struct mrd_interface_choice interfaces;
	bool fast_forward;
	struct mrd_dataplane_limits limits;
	uint32_t hops; /* of a route; 0: MRD_HOPS_MAX */
	char *control;
	struct mrd_ip metrics_ip;
	uint16_t metrics_port; /* 0: no metrics */
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
