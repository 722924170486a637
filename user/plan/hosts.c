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

static void set_numbers(const struct mrd_plan_endpoint *endpoint,
			const struct mrd_host_numbers *numbers, struct mrd_outlier_host *host)
{
	host->id = numbers->of_endpoint(numbers->self, &endpoint->ip, endpoint->port);
	if (endpoint->twin_ip.version != MRD_IP_NONE)
		host->twin = numbers->of_endpoint(numbers->self, &endpoint->twin_ip,
						  endpoint->twin_port);
	if (host->twin && endpoint->ip.version == MRD_IPV6) {
		const uint32_t id = host->id;

		host->id = host->twin;
		host->twin = id;
	}
}

/* Returns how many there are with those of this port. */
static size_t add_hosts(const struct mrd_plan_port *port, const struct mrd_host_numbers *numbers,
			struct mrd_outlier_host *hosts, size_t count)
{
	for (size_t i = 0; i < port->hop_count; i++) {
		const struct mrd_plan_hop *hop = &port->hops[i];
		const uint32_t region = numbers->of_region(numbers->self, hop->region);

		for (size_t k = 0; k < hop->endpoint_count; k++) {
			const struct mrd_plan_endpoint *at = &hop->endpoints[k];
			struct mrd_outlier_host *host = &hosts[count];

			if (at->uncounted)
				continue;
			*host = (struct mrd_outlier_host){
				.region = region,
				.in_route = true,
				.unheard = at->unheard,
				.usable = at->state == MRD_STATE_ACTIVE ||
					  at->state == MRD_STATE_EJECTED,
			};
			set_numbers(at, numbers, host);
			count += host->id != 0;
		}
	}
	return count;
}

int mrd_plan_hosts(const struct mrd_plan *plan, size_t first,
		   const struct mrd_host_numbers *numbers, struct mrd_outlier_host **ret_hosts,
		   size_t *ret_count)
{
	const size_t end = mrd_plan_families_end(plan, first);
	struct mrd_outlier_host *hosts;
	size_t count = 0;

	for (size_t i = first; i < end; i++)
		count += endpoint_count(&plan->ports[i]);
	hosts = calloc(count + 1, sizeof(*hosts));
	if (!hosts)
		return -ENOMEM;
	count = 0;
	for (size_t i = first; i < end; i++)
		count = add_hosts(&plan->ports[i], numbers, hosts, count);
	*ret_hosts = hosts;
	*ret_count = count;
	return 0;
}

const struct mrd_outlier_rule *mrd_plan_hosts_rule(const struct mrd_plan *plan, size_t first)
{
	const size_t end = mrd_plan_families_end(plan, first);
	bool has_unheard = false;

	if (plan->ports[first].has_outlier)
		return &plan->ports[first].outlier;
	for (size_t i = first; i < end; i++)
		has_unheard |= plan->ports[i].has_unheard;
	return has_unheard ? &mrd_outlier_unheard : NULL;
}
