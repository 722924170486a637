/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/hosts.h"

#include <errno.h>
#include <stdlib.h>

static size_t endpoint_count(const struct mrd_plan_port *port)
{
	size_t count = 0;

	for (size_t i = 0; i < port->hop_count; i++)
		count += port->hops[i].endpoint_count;
	return count;
}

int mrd_plan_hosts(const struct mrd_plan_port *port, const struct mrd_host_numbers *numbers,
		   struct mrd_outlier_host **ret_hosts, size_t *ret_count)
{
	struct mrd_outlier_host *hosts = calloc(endpoint_count(port) + 1, sizeof(*hosts));
	size_t count = 0;

	if (!hosts)
		return -ENOMEM;
	for (size_t i = 0; i < port->hop_count; i++) {
		const struct mrd_plan_hop *hop = &port->hops[i];
		const uint32_t region = numbers->of_region(numbers->self, hop->region);

		for (size_t k = 0; k < hop->endpoint_count; k++) {
			const struct mrd_plan_endpoint *at = &hop->endpoints[k];

			hosts[count++] = (struct mrd_outlier_host){
				.id = numbers->of_endpoint(numbers->self, at),
				.region = region,
				.in_route = true,
				.unheard = at->unheard,
				.usable = at->state == MRD_STATE_ACTIVE ||
					  at->state == MRD_STATE_EJECTED,
			};
		}
	}
	*ret_hosts = hosts;
	*ret_count = count;
	return 0;
}
