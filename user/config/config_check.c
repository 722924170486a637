/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What concerns several keys: one home, and no two blocks of addresses that overlap. An overlap
 * would send one cluster's traffic to another's pods, and nobody would see why.
 */
#include "config/config_reading.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void mrd_config_check_home(struct mrd_config_reading *reading, const struct mrd_doc_node *clusters)
{
	struct mrd_agent_config *config = reading->config;
	size_t homes = 0;

	if (!config->cluster_count)
		return;
	for (size_t i = 0; i < config->cluster_count; i++) {
		if (!config->clusters[i].home)
			continue;
		if (homes++)
			mrd_key_complain(&reading->reader, MRD_ERROR, clusters->items[i],
					 "clusters",
					 "%s and %s both say home: a node belongs to one",
					 config->clusters[config->home].name ?: "?",
					 config->clusters[i].name ?: "?");
		else
			config->home = i;
	}
	if (!homes && config->cluster_count > 1)
		mrd_key_complain(&reading->reader, MRD_ERROR, clusters, "clusters",
				 "one of them must say home: true, the one this node belongs to");
	if (!homes)
		config->clusters[0].home = true;
}

/* Blocks of one kind may touch inside one cluster; nothing else may. */
void mrd_config_check_overlaps(struct mrd_config_reading *reading)
{
	const struct mrd_cluster_config *clusters = reading->config->clusters;

	for (size_t i = 0; i < reading->block_count; i++) {
		const struct mrd_config_block *later = &reading->blocks[i];

		for (size_t k = 0; k < i; k++) {
			const struct mrd_config_block *earlier = &reading->blocks[k];
			char a[MRD_CIDR_TEXT_MAX];
			char b[MRD_CIDR_TEXT_MAX];

			if ((earlier->cluster == later->cluster &&
			     earlier->is_service == later->is_service) ||
			    !mrd_cidr_overlaps(&earlier->cidr, &later->cidr))
				continue;
			mrd_key_complain(&reading->reader, MRD_ERROR, later->node, later->path,
					 "%s block %s of %s overlaps %s block %s of %s",
					 later->is_service ? "service" : "pod",
					 mrd_cidr_format(&later->cidr, a),
					 clusters[later->cluster].name ?: "?",
					 earlier->is_service ? "service" : "pod",
					 mrd_cidr_format(&earlier->cidr, b),
					 clusters[earlier->cluster].name ?: "?");
		}
	}
}

static int set_default(char **at, const char *text)
{
	if (!*at)
		*at = strdup(text);
	return *at ? 0 : -ENOMEM;
}

int mrd_config_set_defaults(struct mrd_agent_config *config)
{
	char host[HOST_NAME_MAX + 1] = "";
	const char *node = getenv("NODE_NAME");
	int r;

	if (!node || !*node) {
		gethostname(host, HOST_NAME_MAX);
		node = host;
	}
	r = set_default(&config->node_name, node);
	r = r ?: set_default(&config->node_region, "");
	r = r ?: set_default(&config->node_zone, "");
	r = r ?: set_default(&config->node_subzone, "");
	r = r ?: set_default(&config->cluster_domain, "cluster.local");
	r = r ?: set_default(&config->root_namespace, "istio-system");
	r = r ?: set_default(&config->service_selector, "");
	r = r ?: set_default(&config->cgroup, "auto");
	r = r ?: set_default(&config->bpffs, "/sys/fs/bpf/meridian");
	r = r ?: set_default(&config->control, "/run/meridian/control.sock");
	for (size_t i = 0; !r && i < config->cluster_count; i++) {
		r = set_default(&config->clusters[i].region, "");
		r = r ?: set_default(&config->clusters[i].network, "");
	}
	return r;
}
