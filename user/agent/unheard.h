/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A cluster that this agent has never heard, while an earlier one had: the rows that are held still
 * name its endpoints. They go on being known until the cluster itself says what there is, as they
 * would have if the agent had not been started anew.
 */
#ifndef MRD_AGENT_UNHEARD_H
#define MRD_AGENT_UNHEARD_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/engine.h"
#include "model/model.h"

/*
 * Puts the endpoints of held services that stand in a region, and that no cluster names, into the
 * model as the cluster's, unmet. To be called before mrd_engine_release(). region: the cluster's;
 * "" = not known, and so nothing is. -ENOMEM: a part of them.
 */
int mrd_unheard_keep(const struct mrd_engine *engine, struct mrd_model *model, size_t cluster,
		     const char *region, size_t *ret_kept);

/*
 * A folder of which some file cannot be read, and could not since the start: the rows of a held
 * service may be all that is known of what stands there. False: there is no Service; or the cluster
 * has no slice of it, while its rows have an endpoint in the cluster's region that no cluster
 * names.
 */
bool mrd_unheard_is_told(const struct mrd_engine *engine, const struct mrd_model *model,
			 size_t cluster, const char *region, const char *namespace_,
			 const char *name);

#endif
