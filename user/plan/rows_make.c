/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One port of a plan → rows.
 *
 * A hop's id names its member rows, so it may stand for one set of endpoints only: the locality, a
 * running number if the locality has hops in several priorities, and what the hop accepts. When a
 * hop begins to accept other states (panic, all terminating) it gets new member rows and the route
 * switches between the two at once; nobody ever reads members of one kind by the rule of the other.
 *
 * An endpoint that was in its hop before keeps its slot, unless the slot no longer exists; holes
 * are filled with the others. While one of a hop warms up, everybody has as many slots as its
 * weight says, spread evenly.
 */
#include "plan/rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "maps/seal.h"
#include "plan/load.h"

enum {
	HOP_ID_AGAIN_SHIFT = 16, /* above the locality id, see LOCALITY_ID_MAX in ids.c */
	HOP_ID_ACCEPT_SHIFT = 24,
	AFFINITY_TIMEOUT_MAX_S = 86400, /* Kubernetes' own limit */
	WEIGHT_SLOTS = 10,		/* of a warm endpoint, while another warms up */
	WEIGHTED_SLOTS_MAX = 1024,	/* of a hop; more endpoints have fewer each */
};

struct making {
	const struct mrd_plan *plan;
	const struct mrd_plan_port *port;
	struct mrd_ids *ids;
	const struct mrd_rows_ejections *ejections;
	const struct mrd_rows *old;
	struct mrd_rows *rows;
	uint32_t service_id;
};

/* A usable endpoint looking for its slot. */
struct candidate {
	uint32_t endpoint_id;
	const struct mrd_plan_endpoint *endpoint;
	bool placed;
	int32_t slots; /* while somebody warms up */
	int32_t owed;
};

static int copy_label(const char *from, char to[MRD_NAME_LEN])
{
	const size_t len = strlen(from);

	if (len >= MRD_NAME_LEN)
		return -ENAMETOOLONG;
	memset(to, 0, MRD_NAME_LEN);
	memcpy(to, from, len + 1);
	return 0;
}

static int name_of(const struct mrd_plan *plan, const struct mrd_plan_port *port,
		   struct mrd_name *ret_name)
{
	int r = copy_label(plan->namespace_, ret_name->namespace_);

	if (!r)
		r = copy_label(plan->service, ret_name->service);
	if (!r)
		r = copy_label(port->name, ret_name->port_name);
	ret_name->family = port->family;
	ret_name->protocol = port->protocol;
	return r;
}

/* The row as it was, whoever wrote it: the kernel's after a restart, too. */
static const void *old_row(const struct making *making, enum mrd_map map, const void *key)
{
	return making->old ? mrd_rows_get(making->old, map, key) : NULL;
}

/* ------------------------------------------------------------------------------- endpoints */

static int put_health(const struct making *making, uint32_t endpoint_id, uint32_t locality_id,
		      const struct mrd_plan_endpoint *endpoint)
{
	const struct mrd_health *old = old_row(making, MRD_MAP_HEALTH, &endpoint_id);
	struct mrd_health health = {
		.port = endpoint->port,
		.family = making->port->family,
		.service_id = making->service_id,
		.state = endpoint->state,
		.locality_id = locality_id,
		.is_http = making->port->is_http,
		.ejections = old ? old->ejections : 0,
		.ejection_multiplier = old ? old->ejection_multiplier : 0,
		.changed_ns = old ? old->changed_ns : 0,
	};

	if (old && endpoint->state == MRD_STATE_EJECTED)
		health.ejected_until_ns = old->ejected_until_ns;
	memcpy(health.addr, endpoint->ip.bytes, sizeof(health.addr));
	if (making->ejections)
		making->ejections->fill(making->ejections->self, endpoint_id, endpoint, &health);
	return mrd_rows_put(making->rows, MRD_MAP_HEALTH, &endpoint_id, &health);
}

static int put_endpoint(const struct making *making, uint32_t locality_id,
			const struct mrd_plan_endpoint *endpoint, uint32_t *ret_id)
{
	const struct mrd_stat none = {0};
	int r = mrd_ids_endpoint(making->ids, making->service_id, &endpoint->ip, endpoint->port,
				 ret_id);

	if (!r)
		r = mrd_rows_put(making->rows, MRD_MAP_STAT, ret_id, &none);
	return r ? r : put_health(making, *ret_id, locality_id, endpoint);
}

/* --------------------------------------------------------------------------------- slots */

/* What the detector of the port must hear of. */
static enum mrd_report report_of(const struct mrd_plan_port *port)
{
	const struct mrd_outlier_rule *rule = &port->outlier;

	if (!port->has_outlier)
		return MRD_REPORT_NOTHING;
	if (rule->has_error_codes || rule->success_rate.on || rule->failure_percentage.on)
		return MRD_REPORT_ALL;
	return rule->consecutive_5xx || !rule->gateway_off ? MRD_REPORT_ERRORS : MRD_REPORT_NOTHING;
}

static int put_member(const struct making *making, uint32_t hop_id, uint32_t slot,
		      const struct candidate *candidate)
{
	const struct mrd_member_key key = {making->service_id, hop_id, slot};
	struct mrd_member member = {
		.port = candidate->endpoint->port,
		.endpoint_id = candidate->endpoint_id,
		.report = report_of(making->port),
	};

	memcpy(member.addr, candidate->endpoint->ip.bytes, sizeof(member.addr));
	member.seal = mrd_member_seal(making->service_id, &member);
	return mrd_rows_put(making->rows, MRD_MAP_MEMBER, &key, &member);
}

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;

	return (a->endpoint_id > b->endpoint_id) - (a->endpoint_id < b->endpoint_id);
}

/* Who held the slot, if it may hold it again; candidates are sorted. */
static struct candidate *former_holder(const struct making *making, uint32_t hop_id, uint32_t slot,
				       struct candidate *candidates, size_t count)
{
	const struct mrd_member_key key = {making->service_id, hop_id, slot};
	const struct mrd_member *old = old_row(making, MRD_MAP_MEMBER, &key);
	const struct candidate wanted = {.endpoint_id = old ? old->endpoint_id : 0};
	struct candidate *found;

	if (!old)
		return NULL;
	found = bsearch(&wanted, candidates, count, sizeof(*candidates), compare_candidates);
	return found && !found->placed ? found : NULL;
}

static int put_members(const struct making *making, uint32_t hop_id, struct candidate *candidates,
		       size_t count)
{
	MRD_AUTO_FREE struct candidate **slots = calloc(count + 1, sizeof(struct candidate *));
	size_t next = 0;
	int r = 0;

	if (!slots)
		return -ENOMEM;
	qsort(candidates, count, sizeof(*candidates), compare_candidates);
	for (size_t slot = 0; slot < count; slot++) {
		slots[slot] = former_holder(making, hop_id, (uint32_t)slot, candidates, count);
		if (slots[slot])
			slots[slot]->placed = true;
	}
	for (size_t slot = 0; !r && slot < count; slot++) {
		if (!slots[slot]) {
			while (candidates[next].placed)
				next++;
			slots[slot] = &candidates[next++];
		}
		r = put_member(making, hop_id, (uint32_t)slot, slots[slot]);
	}
	return r;
}

static bool is_warming(const struct candidate *candidates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (candidates[i].endpoint->weight < 1)
			return true;
	return false;
}

/* Smooth weighted round robin: each slot goes to whom it is owed most. */
static int put_weighted(const struct making *making, uint32_t hop_id, struct candidate *candidates,
			size_t count, uint32_t *ret_slots)
{
	const size_t each = count * WEIGHT_SLOTS > WEIGHTED_SLOTS_MAX ? WEIGHTED_SLOTS_MAX / count
								      : WEIGHT_SLOTS;
	uint32_t slots = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		const double wanted = candidates[i].endpoint->weight * (double)each;

		candidates[i].slots = wanted < 1 ? 1 : (int32_t)lround(wanted);
		candidates[i].owed = 0;
		slots += (uint32_t)candidates[i].slots;
	}
	for (uint32_t slot = 0; !r && slot < slots; slot++) {
		struct candidate *next = candidates;

		for (size_t i = 0; i < count; i++) {
			candidates[i].owed += candidates[i].slots;
			if (candidates[i].owed > next->owed)
				next = &candidates[i];
		}
		next->owed -= (int32_t)slots;
		r = put_member(making, hop_id, slot, next);
	}
	*ret_slots = slots;
	return r;
}

/* ---------------------------------------------------------------------------------- hops */

static int put_locality(const struct making *making, const struct mrd_plan_hop *hop,
			uint32_t *ret_id)
{
	struct mrd_locality locality;
	int r = copy_label(hop->region, locality.region);

	if (!r)
		r = copy_label(hop->zone, locality.zone);
	if (!r)
		r = copy_label(hop->subzone, locality.subzone);
	if (!r)
		r = mrd_ids_locality(making->ids, &locality, ret_id);
	return r ? r : mrd_rows_put(making->rows, MRD_MAP_LOCALITY, ret_id, &locality);
}

/* The region as a whole has an id, too: a rescue leaves the region that does not answer. */
static int put_region(const struct making *making, const struct mrd_plan_hop *hop, uint32_t *ret_id)
{
	const struct mrd_plan_hop region = {.region = hop->region, .zone = "", .subzone = ""};

	return put_locality(making, &region, ret_id);
}

static uint32_t hop_id_of(const struct mrd_route *route, uint32_t count, uint32_t locality_id,
			  enum mrd_hop_accept accept)
{
	uint32_t again = 0;

	for (uint32_t i = 0; i < count; i++)
		again += route->hops[i].locality_id == locality_id;
	return locality_id | again << HOP_ID_AGAIN_SHIFT | (uint32_t)accept << HOP_ID_ACCEPT_SHIFT;
}

static int put_ticket(const struct making *making, uint32_t hop_id)
{
	const struct mrd_ticket_key key = {making->service_id, hop_id};
	const uint64_t first = 0;

	return mrd_rows_put(making->rows, MRD_MAP_TICKET, &key, &first);
}

/* Fills the next hop of the route, but for its share. */
static int put_hop(const struct making *making, const struct mrd_plan_hop *hop,
		   struct mrd_route *route)
{
	MRD_AUTO_FREE struct candidate *candidates =
		calloc(hop->endpoint_count + 1, sizeof(*candidates));
	struct mrd_hop *row = &route->hops[route->hop_count];
	size_t count = 0;
	int r;

	if (!candidates)
		return -ENOMEM;
	r = put_locality(making, hop, &row->locality_id);
	if (!r)
		r = put_region(making, hop, &row->region_id);
	for (size_t i = 0; !r && i < hop->endpoint_count; i++) {
		candidates[count].endpoint = &hop->endpoints[i];
		r = put_endpoint(making, row->locality_id, &hop->endpoints[i],
				 &candidates[count].endpoint_id);
		count += hop->endpoints[i].usable;
	}
	if (r)
		return r;

	row->hop_id = hop_id_of(route, route->hop_count, row->locality_id, hop->accept);
	row->accept = hop->accept;
	row->priority = hop->priority;
	route->hop_count++;
	row->member_count = (uint32_t)count;
	r = put_ticket(making, row->hop_id);
	if (r)
		return r;
	if (is_warming(candidates, count))
		return put_weighted(making, row->hop_id, candidates, count, &row->member_count);
	return put_members(making, row->hop_id, candidates, count);
}

/* Running shares: a ticket falls to the first hop whose share reaches above it. */
static void set_shares(const struct mrd_plan_port *port, struct mrd_route *route)
{
	double shares[MRD_HOPS_MAX];
	uint32_t parts[MRD_HOPS_MAX];
	uint32_t until = 0;

	for (size_t i = 0; i < port->hop_count; i++)
		shares[i] = port->hops[i].share;
	mrd_load_apportion(shares, port->hop_count, MRD_SHARE_TOTAL, parts);
	for (size_t i = 0; i < port->hop_count; i++) {
		until += parts[i];
		route->hops[i].until = until;
	}
}

static int put_route(const struct making *making)
{
	struct mrd_route route = {
		.service_id = making->service_id,
		.mode = making->port->mode,
	};
	int r = 0;

	if (making->port->hop_count > MRD_HOPS_MAX)
		return -E2BIG;
	for (size_t i = 0; !r && i < making->port->hop_count; i++)
		r = put_hop(making, &making->port->hops[i], &route);
	if (!r)
		r = put_ticket(making, MRD_SERVICE_TICKET);
	if (r)
		return r;
	set_shares(making->port, &route);
	return mrd_rows_put(making->rows, MRD_MAP_ROUTE, &making->service_id, &route);
}

static bool asks_for_something(const struct mrd_plan_port *port)
{
	static const struct mrd_setting nothing;

	return memcmp(&port->setting, &nothing, sizeof(nothing)) != 0;
}

/* The limit is the service's: the same port by the other IP family counts, too. 0: there is none.
 */
static int find_peer(const struct making *making, uint32_t *ret_id)
{
	const struct mrd_plan *plan = making->plan;
	const size_t mine = (size_t)(making->port - plan->ports);
	size_t first = 0, end;
	struct mrd_name name;
	int r;

	for (end = mrd_plan_families_end(plan, 0); end <= mine;
	     end = mrd_plan_families_end(plan, first))
		first = end;
	*ret_id = 0;
	for (size_t i = first; i < end; i++) {
		if (i == mine)
			continue;
		r = name_of(plan, &plan->ports[i], &name);
		return r ? r : mrd_ids_service(making->ids, &name, ret_id);
	}
	return 0;
}

/* A limit's count stays while the service does: connections may outlive the limit. */
static int put_setting(const struct making *making)
{
	static const struct mrd_open none;
	struct mrd_setting setting = making->port->setting;
	int r = 0;

	if (setting.max_connections)
		r = find_peer(making, &setting.peer_id);
	if (!r && asks_for_something(making->port))
		r = mrd_rows_put(making->rows, MRD_MAP_SETTING, &making->service_id, &setting);
	if (!r && (setting.max_connections || old_row(making, MRD_MAP_OPEN, &making->service_id)))
		r = mrd_rows_put(making->rows, MRD_MAP_OPEN, &making->service_id, &none);
	return r;
}

static int put_vip(const struct making *making, const struct mrd_ip *vip)
{
	const uint32_t timeout_s = making->port->affinity_timeout_s;
	struct mrd_vip_key key = {
		.family = making->port->family,
		.protocol = making->port->protocol,
		.port = making->port->number,
	};
	struct mrd_service service = {
		.service_id = making->service_id,
		.affinity = timeout_s ? MRD_AFFINITY_CLIENT_IP : MRD_AFFINITY_NONE,
		.affinity_timeout_s =
			timeout_s < AFFINITY_TIMEOUT_MAX_S ? timeout_s : AFFINITY_TIMEOUT_MAX_S,
		.has_setting = asks_for_something(making->port),
	};

	memcpy(key.addr, vip->bytes, sizeof(key.addr));
	service.seal = mrd_service_seal(&key, &service);
	return mrd_rows_put(making->rows, MRD_MAP_SERVICE, &key, &service);
}

static int put_all(struct making *making, const struct mrd_name *name)
{
	int r = mrd_rows_put(making->rows, MRD_MAP_NAME, &making->service_id, name);

	if (!r)
		r = put_setting(making);
	if (!r)
		r = put_route(making);
	for (size_t i = 0; !r && i < making->port->vip_count; i++)
		r = put_vip(making, &making->port->vips[i]);
	return r;
}

int mrd_rows_make(const struct mrd_plan *plan, const struct mrd_plan_port *port,
		  struct mrd_ids *ids, const struct mrd_rows_ejections *ejections,
		  const struct mrd_rows *old, struct mrd_rows **ret_rows)
{
	struct making making = {
		.plan = plan,
		.port = port,
		.ids = ids,
		.ejections = ejections,
		.old = old,
	};
	struct mrd_name name;
	int r = name_of(plan, port, &name);

	if (!r)
		r = mrd_ids_service(ids, &name, &making.service_id);
	if (!r)
		r = mrd_rows_new(making.service_id, &making.rows);
	if (r)
		return r;
	r = put_all(&making, &name);
	if (!r)
		r = mrd_rows_trim(making.rows);
	if (r) {
		mrd_rows_free(making.rows);
		return r;
	}
	*ret_rows = making.rows;
	return 0;
}
