/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/explain_eject.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/hosts.h"

/* Whose endpoints and regions are numbered. */
struct numbering {
	struct mrd_explain_detector *detector;
	const struct mrd_plan_port *ports; /* the port's, by its families */
	size_t port_count;
	int error;
};

static uint32_t number_endpoint(void *self, const struct mrd_ip *ip, uint16_t port)
{
	struct numbering *numbering = self;
	struct mrd_explain_detector *detector = numbering->detector;
	uint32_t id;
	int r = mrd_ids_endpoint(detector->ids, detector->service_id, ip, port, &id);

	if (r) {
		numbering->error = r;
		return 0;
	}
	return id;
}

/* The place of the first hop that is in it. */
static uint32_t number_region(void *self, const char *region)
{
	const struct numbering *numbering = self;
	uint32_t number = 1;

	for (size_t i = 0; i < numbering->port_count; i++)
		for (size_t k = 0; k < numbering->ports[i].hop_count; k++, number++)
			if (!strcmp(numbering->ports[i].hops[k].region, region))
				return number;
	return 0; /* not met: hosts are in hops */
}

static void restore(const struct mrd_explain_input *input, const struct mrd_view *view,
		    const struct mrd_view_port *seen, struct mrd_explain_detector *detector)
{
	const struct mrd_plan_ejections *known = &input->ejections;

	for (size_t i = 0; i < seen->endpoint_count; i++) {
		const struct mrd_view_endpoint *endpoint = &seen->endpoints[i];
		const uint32_t id = mrd_ids_find_endpoint(detector->ids, detector->service_id,
							  &endpoint->ip, endpoint->port);

		if (id && known->is_ejected(known->self, view, seen, endpoint))
			mrd_outlier_restore(detector->outlier, id,
					    &(struct mrd_outlier_state){.ejected = true});
	}
}

/* Where the families of the port at index begin. */
static size_t families_begin(const struct mrd_plan *plan, size_t index)
{
	size_t first = 0;

	for (size_t end; (end = mrd_plan_families_end(plan, first)) <= index;)
		first = end;
	return first;
}

int mrd_explain_detector_make(const struct mrd_explain_input *input, const struct mrd_view *view,
			      const struct mrd_view_port *seen, const struct mrd_plan *plan,
			      size_t index, struct mrd_explain_detector *ret_detector)
{
	const size_t first = families_begin(plan, index);
	const struct mrd_outlier_rule *rule = mrd_plan_hosts_rule(plan, first);
	struct numbering numbering = {
		.detector = ret_detector,
		.ports = &plan->ports[first],
		.port_count = mrd_plan_families_end(plan, first) - first,
	};
	const struct mrd_host_numbers numbers = {number_endpoint, number_region, &numbering};
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	size_t count;
	int r;

	*ret_detector = (struct mrd_explain_detector){0};
	if (!rule)
		return 0;
	ret_detector->ejects = mrd_outlier_ejects(rule);
	r = mrd_ids_new(&ret_detector->ids);
	r = r
		    ?: mrd_ids_service(ret_detector->ids, &(struct mrd_name){0},
				       &ret_detector->service_id);
	r = r ?: mrd_plan_hosts(plan, first, &numbers, &hosts, &count);
	r = r ?: numbering.error;
	r = r ?: mrd_outlier_new(rule, false, 0, &ret_detector->outlier);
	r = r ?: mrd_outlier_set_hosts(ret_detector->outlier, hosts, count);
	for (size_t i = 0; !r && input->ejections.is_ejected && i < view->port_count; i++)
		if (view->ports[i].number == seen->number &&
		    view->ports[i].transport == seen->transport)
			restore(input, view, &view->ports[i], ret_detector);
	return r;
}

void mrd_explain_detector_clear(struct mrd_explain_detector *detector)
{
	mrd_outlier_free(detector->outlier);
	mrd_ids_free(detector->ids);
}

enum mrd_explain_eject mrd_explain_eject(const struct mrd_explain_detector *detector,
					 const struct mrd_plan_endpoint *endpoint)
{
	/* What is not ready is not handed out, ejected or not. */
	if (!detector->outlier || endpoint->state != MRD_STATE_ACTIVE ||
	    !(detector->ejects || endpoint->unheard))
		return MRD_EXPLAIN_EJECT_NEVER;
	return mrd_outlier_may_eject(detector->outlier,
				     mrd_ids_find_endpoint(detector->ids, detector->service_id,
							   &endpoint->ip, endpoint->port))
		       ? MRD_EXPLAIN_EJECT_MAY
		       : MRD_EXPLAIN_EJECT_CAPPED;
}
