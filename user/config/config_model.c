/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "config/config_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int mrd_config_model_new(const struct mrd_agent_config *config, struct mrd_model **ret_model)
{
	struct mrd_model_cluster *clusters MRD_AUTO_FREE =
		calloc(config->cluster_count, sizeof(*clusters));

	if (!clusters)
		return -ENOMEM;
	for (size_t i = 0; i < config->cluster_count; i++)
		clusters[i] = (struct mrd_model_cluster){
			.name = config->clusters[i].name,
			.region = config->clusters[i].region,
			.network = config->clusters[i].network,
		};
	return mrd_model_new(clusters, config->cluster_count, config->home,
			     config->service_selector, ret_model);
}

void mrd_config_locality(const struct mrd_agent_config *config, const struct mrd_model *model,
			 struct mrd_locality_name *ret_locality)
{
	struct mrd_locality_name label = {.region = "", .zone = "", .subzone = ""};
	const char *region = config->node_region;
	bool is_same;

	if (mrd_model_node_locality(model, config->home, config->node_name, &label))
		label = (struct mrd_locality_name){.region = "", .zone = "", .subzone = ""};
	if (!*region)
		region = *label.region ? label.region : config->clusters[config->home].region;
	/* Without a region of its own the label's zone is in whatever region the node is. */
	is_same = !*label.region || !strcmp(region, label.region);
	*ret_locality = (struct mrd_locality_name){
		.region = region,
		.zone = *config->node_zone ? config->node_zone
			: is_same	   ? label.zone
					   : "",
		.subzone = *config->node_subzone ? config->node_subzone
			   : is_same		 ? label.subzone
						 : "",
	};
}
