/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a configuration means to the model: its clusters, and where among them this node is. */
#ifndef MRD_CONFIG_CONFIG_MODEL_H
#define MRD_CONFIG_CONFIG_MODEL_H

#include "config/config.h"
#include "model/model.h"

/* A model of the configured clusters, without objects yet. -ENOMEM. */
int mrd_config_model_new(const struct mrd_agent_config *config, struct mrd_model **ret_model);

/*
 * The configuration's word first, then the node's own labels; without either the node is where its
 * home cluster is. A zone is only taken from the labels if they speak of the same region. Borrows
 * from both.
 */
void mrd_config_locality(const struct mrd_agent_config *config, const struct mrd_model *model,
			 struct mrd_locality_name *ret_locality);

#endif
