/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The service of a replay: made from its endpoints alone, as a cluster's objects would describe it,
 * and planned by the real plan, so that it is known which endpoints are in its route. Ejections
 * change shares, not who is in the route: it is asked once.
 */
#ifndef MRD_CTL_REPLAY_WORLD_H
#define MRD_CTL_REPLAY_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "outlier/outlier.h"
#include "plan/plan.h"
#include "policy/policy.h"

/* IP:PORT[@R[/Z[/S]]] */
struct mrd_replay_endpoint {
	struct mrd_ip ip;
	uint16_t port;
	char url[MRD_IP_TEXT_MAX]; /* as Envoy's log prints it */
	char region[MRD_NAME_LEN];
	char zone[MRD_NAME_LEN];
	char subzone[MRD_NAME_LEN];
};

/* "R[/Z[/S]]" into three names of MRD_NAME_LEN, "" where there is none. -EINVAL. */
int mrd_replay_locality_parse(const char *text, char *region, char *zone, char *subzone);
/* -EINVAL. *ret_endpoint is untouched on failure. */
int mrd_replay_endpoint_parse(const char *text, struct mrd_replay_endpoint *ret_endpoint);

struct mrd_replay_service {
	const char *namespace_;
	const char *name;
	uint16_t port; /* the Service's own */
	bool is_http;
	const struct mrd_replay_endpoint *endpoints; /* of one IP family */
	size_t endpoint_count;
};

/*
 * The hosts of the service's outlier detector, one an endpoint in their order, with id 1 and up.
 * Free with free(). -ENOMEM.
 */
int mrd_replay_hosts(const struct mrd_replay_service *service, const struct mrd_policy *policy,
		     const struct mrd_plan_node *node, struct mrd_outlier_host **ret_hosts);

#endif
