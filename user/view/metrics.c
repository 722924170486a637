/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "plan/plan_text.h"
#include "view/exposition.h"
#include "view/parts.h"
#include "view/traffic.h"

enum { NS_PER_US = 1000 };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---------------------------------------------------------------------------------------- agent */

/* A time of the monotonic clock as one of the wall clock. */
static uint64_t wall_ms(const struct mrd_metrics_agent *agent, uint64_t then_ns)
{
	const uint64_t ago_ms =
		agent->now_ns > then_ns ? (agent->now_ns - then_ns) / MRD_NS_PER_MS : 0;

	return agent->now_wall_ms > ago_ms ? agent->now_wall_ms - ago_ms : 0;
}

static void add_time(const struct mrd_metrics_agent *agent, const char *name, const char *help,
		     uint64_t then_ns, struct mrd_strbuf *out)
{
	mrd_metric_family(out, name, MRD_GAUGE, help);
	mrd_metric_begin(out, name, "");
	mrd_metric_end_milli(out, then_ns ? wall_ms(agent, then_ns) : 0);
}

static void add_identity(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	mrd_metric_family(out, "meridian_build_info", MRD_GAUGE, "The agent's version; always 1.");
	mrd_metric_begin(out, "meridian_build_info", "");
	mrd_metric_label(out, "version", agent->version, SIZE_MAX);
	mrd_metric_end(out, 1);
	mrd_metric_family(out, "meridian_node_info", MRD_GAUGE,
			  "The node and where it is; always 1.");
	mrd_metric_begin(out, "meridian_node_info", "");
	mrd_metric_label(out, "node", agent->node, SIZE_MAX);
	mrd_metric_label(out, "region", agent->region, SIZE_MAX);
	mrd_metric_label(out, "zone", agent->zone, SIZE_MAX);
	mrd_metric_end(out, 1);
	add_time(agent, "meridian_start_time_seconds", "When the agent started, as Unix time.",
		 agent->started_ns, out);
	mrd_metric_single(out, "meridian_ready", MRD_GAUGE,
			  "1 once the first plan is in the kernel and the hooks are attached.",
			  agent->ready);
}

static void add_process(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const char cpu[] = "meridian_process_cpu_seconds_total";

	mrd_metric_family(out, cpu, MRD_COUNTER, "CPU time of the agent, user and system.");
	mrd_metric_begin(out, cpu, "");
	mrd_metric_end_micro(out, agent->cpu_us);
	mrd_metric_single(out, "meridian_process_resident_memory_bytes", MRD_GAUGE,
			  "Resident memory of the agent.", agent->resident_bytes);
}

static void add_plans(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	mrd_metric_single(out, "meridian_services", MRD_GAUGE, "Services in the kernel.",
			  agent->services);
	mrd_metric_single(out, "meridian_service_ports", MRD_GAUGE,
			  "Ports of services in the kernel, one for each IP family.", agent->ports);
	mrd_metric_single(out, "meridian_services_unwritten", MRD_GAUGE,
			  "Services whose latest plan could not be written; an older one stands.",
			  agent->unwritten);
	mrd_metric_single(out, "meridian_policy_rules", MRD_GAUGE, "Rules in force.",
			  agent->policy_rules);
	mrd_metric_single(out, "meridian_policy_rejected", MRD_GAUGE,
			  "1 while the policy files have errors and an older policy holds.",
			  agent->policy_rejected);
	mrd_metric_single(out, "meridian_plan_writes_total", MRD_COUNTER,
			  "Plans of a port and IP family that changed something in the kernel.",
			  agent->plans_written);
	mrd_metric_single(out, "meridian_plan_failures_total", MRD_COUNTER,
			  "Plans of a service that could not be written, each try.",
			  agent->plans_failed);
	add_time(agent, "meridian_plan_last_timestamp_seconds",
		 "When a plan was last made and written, as Unix time; 0 = never.",
		 agent->last_plan_ns, out);
}

static void add_plan_durations(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const char name[] = "meridian_plan_duration_seconds";

	mrd_metric_family(out, name, MRD_HISTOGRAM,
			  "Work on the plan of one service: making it, and writing its rows.");
	mrd_metric_histogram(out, name, "step", "make", &agent->planning);
	mrd_metric_histogram(out, name, "step", "write", &agent->writing);
}

static void add_interfaces(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const char served[] = "meridian_interfaces_served";

	mrd_metric_family(out, served, MRD_GAUGE,
			  "Network interfaces at which connections are translated.");
	mrd_metric_begin(out, served, "");
	mrd_metric_label(out, "kind", "pod", SIZE_MAX);
	mrd_metric_end(out, agent->pods_served);
	mrd_metric_begin(out, served, "");
	mrd_metric_label(out, "kind", "uplink", SIZE_MAX);
	mrd_metric_end(out, agent->uplinks_served);
	mrd_metric_single(out, "meridian_interfaces_failed", MRD_GAUGE,
			  "Network interfaces that should be served and are not, by a failure.",
			  agent->interfaces_failed);
	mrd_metric_single(out, "meridian_flows_removed_total", MRD_COUNTER,
			  "Connections translated packet by packet whose rows were removed: over, "
			  "idle for too long, or of a pod that is gone.",
			  agent->flows_removed);
}

static void add_by_map(const char *name, const char *help, const uint64_t counts[MRD_MAP_COUNT],
		       struct mrd_strbuf *out)
{
	mrd_metric_family(out, name, MRD_COUNTER, help);
	for (size_t i = 0; i < MRD_MAP_COUNT; i++) {
		mrd_metric_begin(out, name, "");
		mrd_metric_label(out, "map", mrd_map_name((enum mrd_map)i), SIZE_MAX);
		mrd_metric_end(out, counts[i]);
	}
}

static void add_ejections(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const struct {
		const char *name;
		const char *help;
		size_t offset;
	} families[] = {
		{"meridian_ejections_detected_total", "Outliers detected, enforced or not.",
		 offsetof(struct mrd_metrics_ejections, detected)},
		{"meridian_ejections_enforced_total", "Endpoints ejected.",
		 offsetof(struct mrd_metrics_ejections, enforced)},
		{"meridian_ejections_overflow_total",
		 "Ejections not carried out because of maxEjectionPercent.",
		 offsetof(struct mrd_metrics_ejections, overflow)},
	};
	static const char delay[] = "meridian_ejection_delay_seconds";

	for (size_t f = 0; f < COUNT(families); f++) {
		mrd_metric_family(out, families[f].name, MRD_COUNTER, families[f].help);
		for (size_t i = 0; i < agent->ejection_types; i++) {
			const char *counts = (const char *)&agent->ejections[i];

			mrd_metric_begin(out, families[f].name, "");
			mrd_metric_label(out, "type", agent->ejections[i].type, SIZE_MAX);
			mrd_metric_end(out, *(const uint64_t *)(counts + families[f].offset));
		}
	}
	mrd_metric_single(out, "meridian_connections_reset_total", MRD_COUNTER,
			  "Connections ended because their endpoint was ejected, or terminated.",
			  agent->connections_reset);
	mrd_metric_single(out, "meridian_ejections_active", MRD_GAUGE, "Endpoints ejected now.",
			  agent->ejected);
	mrd_metric_family(out, delay, MRD_HISTOGRAM,
			  "From an error that a hook saw to the ejection in the kernel.");
	mrd_metric_histogram(out, delay, NULL, NULL, &agent->ejection_delay);
}

/* ------------------------------------------------------------------------------------- clusters */

static void begin_cluster(struct mrd_strbuf *out, const char *name,
			  const struct mrd_metrics_cluster *cluster)
{
	mrd_metric_begin(out, name, "");
	mrd_metric_label(out, "cluster", cluster->name, SIZE_MAX);
}

static void add_cluster_identity(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const char info[] = "meridian_cluster_info";
	static const char heard[] = "meridian_cluster_last_heard_timestamp_seconds";

	mrd_metric_family(out, info, MRD_GAUGE,
			  "A cluster of the configuration and its region; always 1.");
	for (size_t i = 0; i < agent->cluster_count; i++) {
		const struct mrd_metrics_cluster *cluster = &agent->clusters[i];

		begin_cluster(out, info, cluster);
		mrd_metric_label(out, "region", cluster->region, SIZE_MAX);
		mrd_metric_label(out, "home", cluster->home ? "true" : "false", SIZE_MAX);
		mrd_metric_end(out, 1);
	}
	mrd_metric_family(out, heard, MRD_GAUGE,
			  "When the cluster was last heard, as Unix time; 0 = never.");
	for (size_t i = 0; i < agent->cluster_count; i++) {
		const uint64_t heard_ns = agent->clusters[i].last_heard_ns;

		begin_cluster(out, heard, &agent->clusters[i]);
		mrd_metric_end_milli(out, heard_ns ? wall_ms(agent, heard_ns) : 0);
	}
}

static void add_cluster_lag(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const char lag[] = "meridian_watch_lag_seconds";
	static const char delay[] = "meridian_watch_delay_seconds";

	mrd_metric_family(out, lag, MRD_GAUGE,
			  "How far the kernel may be behind the cluster: the age of the oldest "
			  "change not in it yet, or the time without news while the cluster is not "
			  "heard; 0 = not at all.");
	for (size_t i = 0; i < agent->cluster_count; i++) {
		const uint64_t since_ns = agent->clusters[i].behind_since_ns;

		begin_cluster(out, lag, &agent->clusters[i]);
		mrd_metric_end_micro(out, since_ns && since_ns < agent->now_ns
						  ? (agent->now_ns - since_ns) / NS_PER_US
						  : 0);
	}
	mrd_metric_family(out, delay, MRD_HISTOGRAM,
			  "From a change that was read to its being in the kernel; changes that "
			  "come together count once, from the first.");
	for (size_t i = 0; i < agent->cluster_count; i++)
		mrd_metric_histogram(out, delay, "cluster", agent->clusters[i].name,
				     agent->clusters[i].delays);
}

static void add_cluster_state(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const struct {
		const char *name;
		const char *help;
	} families[] = {
		{"meridian_cluster_synced", "1 once the cluster's state was read whole."},
		{"meridian_cluster_failing", "1 while the cluster cannot be read."},
		{"meridian_cluster_objects_broken",
		 "Manifests or objects with errors; what they said before holds."},
	};

	for (size_t f = 0; f < COUNT(families); f++) {
		mrd_metric_family(out, families[f].name, MRD_GAUGE, families[f].help);
		for (size_t i = 0; i < agent->cluster_count; i++) {
			const struct mrd_metrics_cluster *cluster = &agent->clusters[i];
			const uint64_t values[COUNT(families)] = {cluster->synced, cluster->failing,
								  cluster->broken};

			begin_cluster(out, families[f].name, cluster);
			mrd_metric_end(out, values[f]);
		}
	}
}

static void add_cluster_objects(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	static const char name[] = "meridian_cluster_objects";
	static const char *const kinds[] = {"Service", "EndpointSlice", "Node"};

	mrd_metric_family(out, name, MRD_GAUGE, "Objects known of the cluster.");
	for (size_t i = 0; i < agent->cluster_count; i++) {
		const struct mrd_metrics_cluster *cluster = &agent->clusters[i];
		const uint64_t counts[COUNT(kinds)] = {cluster->services, cluster->slices,
						       cluster->nodes};

		for (size_t k = 0; k < COUNT(kinds); k++) {
			begin_cluster(out, name, cluster);
			mrd_metric_label(out, "kind", kinds[k], SIZE_MAX);
			mrd_metric_end(out, counts[k]);
		}
	}
}

void mrd_metrics_add_agent(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out)
{
	add_identity(agent, out);
	add_process(agent, out);
	add_plans(agent, out);
	add_plan_durations(agent, out);
	add_interfaces(agent, out);
	add_by_map("meridian_map_writes_total", "Rows written or deleted by the agent.",
		   agent->writes, out);
	add_by_map("meridian_map_write_failures_total", "Rows that could not be.",
		   agent->write_failures, out);
	add_ejections(agent, out);
	add_cluster_identity(agent, out);
	add_cluster_lag(agent, out);
	add_cluster_state(agent, out);
	add_cluster_objects(agent, out);
}

/* --------------------------------------------------------------------------------------- kernel */

/* Every reason of the hooks has its place; those of one family stand together. */
struct counter {
	enum mrd_reason reason;
	const char *family;
	const char *label; /* NULL: the family has this sample alone */
	const char *value;
	const char *help; /* of the family, at its first sample */
};

static const char passes[] = "meridian_passes_total";
static const char picks[] = "meridian_picks_total";
static const char retries[] = "meridian_pick_retries_total";
static const char refusals[] = "meridian_refusals_total";
static const char handshakes[] = "meridian_handshakes_total";
static const char rescues[] = "meridian_rescues_total";
static const char packet_passes[] = "meridian_packet_passes_total";

static const struct counter counters[] = {
	{MRD_REASON_PASS_NOT_SERVICE, passes, "reason", "not_service", "Calls left alone."},
	{MRD_REASON_PASS_PROTOCOL, passes, "reason", "protocol", NULL},
	{MRD_REASON_PICK_POOL, picks, "reason", "pool",
	 "Calls to a service that were given an endpoint."},
	{MRD_REASON_PICK_FAILOVER, picks, "reason", "failover", NULL},
	{MRD_REASON_PICK_DISTRIBUTE, picks, "reason", "distribute", NULL},
	{MRD_REASON_PICK_AFFINITY, picks, "reason", "affinity", NULL},
	{MRD_REASON_PICK_UDP_FLOW, picks, "reason", "udp_flow", NULL},
	{MRD_REASON_NEXT_MEMBER, retries, "reason", "next_member",
	 "Further tries of a pick: an unusable endpoint, a region without one, a rewritten row."},
	{MRD_REASON_NEXT_HOP, retries, "reason", "next_hop", NULL},
	{MRD_REASON_RACE, retries, "reason", "race", NULL},
	{MRD_REASON_REFUSE_NO_ROUTE, refusals, "reason", "no_route",
	 "Calls to a service that were refused."},
	{MRD_REASON_REFUSE_NO_ENDPOINT, refusals, "reason", "no_endpoint", NULL},
	{MRD_REASON_REFUSE_UNKNOWN, refusals, "reason", "unknown", NULL},
	{MRD_REASON_REFUSE_FLOWS, refusals, "reason", "flows", NULL},
	{MRD_REASON_REFUSE_CLASH, refusals, "reason", "clash", NULL},
	{MRD_REASON_REFUSE_LIMIT, refusals, "reason", "limit", NULL},
	{MRD_REASON_NO_UDP_FLOW, refusals, "reason", "no_udp_flow", NULL},
	{MRD_REASON_HANDSHAKE_DONE, handshakes, "result", "done", "TCP handshakes with endpoints."},
	{MRD_REASON_HANDSHAKE_REFUSED, handshakes, "result", "refused", NULL},
	{MRD_REASON_HANDSHAKE_UNREACHABLE, handshakes, "result", "unreachable", NULL},
	{MRD_REASON_HANDSHAKE_TIMEOUT, handshakes, "result", "timeout", NULL},
	{MRD_REASON_HANDSHAKE_ABANDONED, handshakes, "result", "abandoned", NULL},
	{MRD_REASON_NO_SOCKET_STORAGE, "meridian_connections_untracked_total", NULL, NULL,
	 "Connections given an endpoint but not counted: no memory, or MPTCP."},
	{MRD_REASON_REPLY_UDP, "meridian_udp_replies_total", NULL, NULL,
	 "Datagrams whose source was turned back into the service's address."},
	{MRD_REASON_PEER_NAME, "meridian_peer_names_total", NULL, NULL,
	 "Calls of getpeername that were told the service's address."},
	{MRD_REASON_RESET_IN_REQUEST, "meridian_requests_reset_total", NULL, NULL,
	 "Connections reset while a response was due."},
	{MRD_REASON_REQUEST_LAST, "meridian_requests_closing_total", "reason", "limit",
	 "Requests that were told to be the last of their connection."},
	{MRD_REASON_REQUEST_EJECTED, "meridian_requests_closing_total", "reason", "ejected", NULL},
	{MRD_REASON_NO_CONNECTION_ROW, "meridian_connections_unresettable_total", NULL, NULL,
	 "Connections that an ejection cannot reset: the map of these was full."},
	{MRD_REASON_REQUEST_UNSURE, "meridian_connections_unfollowed_total", NULL, NULL,
	 "Connections whose requests could not be followed, so that no limit holds for them."},
	{MRD_REASON_FLOW_CUT, "meridian_reset_answers_total", NULL, NULL,
	 "Packets of connections at TC that an ejection had reset, answered by a reset."},
	{MRD_REASON_RESPONSE, "meridian_status_lines_total", NULL, NULL,
	 "HTTP status lines read, of endpoints that are gone as well."},
	{MRD_REASON_EVENT_LOST, "meridian_events_lost_total", NULL, NULL,
	 "Errors that the agent was not told of: the ring buffer was full."},
	{MRD_REASON_PASS_MALFORMED, packet_passes, "reason", "malformed",
	 "Packets at TC that could not be read, and were left alone."},
	{MRD_REASON_PASS_HEADERS, packet_passes, "reason", "headers", NULL},
	{MRD_REASON_PASS_FRAGMENT, packet_passes, "reason", "fragment", NULL},
	{MRD_REASON_HAIRPIN, "meridian_hairpins_total", NULL, NULL,
	 "Connections of a pod to itself, the one endpoint, by way of its service."},
	{MRD_REASON_ICMP_ERROR, "meridian_icmp_errors_total", NULL, NULL,
	 "ICMP errors about translated connections that were translated, too."},
	{MRD_REASON_RESCUE_TIMEOUT, rescues, "reason", "timeout",
	 "Connections that went to another endpoint, as the first did not answer their SYN."},
	{MRD_REASON_RESCUE_REFUSED, rescues, "reason", "refused", NULL},
	{MRD_REASON_RESCUE_UNREACHABLE, rescues, "reason", "unreachable", NULL},
	{MRD_REASON_RESCUE_NOWHERE, "meridian_rescues_failed_total", NULL, NULL,
	 "Connections whose endpoint did not answer, and that had nowhere else to go."},
	{MRD_REASON_LATE_ANSWER, "meridian_late_answers_total", NULL, NULL,
	 "Answers of endpoints that a connection had left, dropped."},
	{MRD_REASON_DROP_UNWRITTEN, "meridian_packet_drops_total", NULL, NULL,
	 "Packets dropped for want of memory to translate them."},
};
_Static_assert(COUNT(counters) == MRD_REASON_COUNT, "every reason is told");

static int add_counters(const struct mrd_inspect *inspect, struct mrd_strbuf *out)
{
	for (size_t i = 0; i < COUNT(counters); i++) {
		const struct counter *counter = &counters[i];
		uint64_t count;
		int r = mrd_inspect_count(inspect, counter->reason, &count);

		if (r < 0)
			return r;
		if (counter->help)
			mrd_metric_family(out, counter->family, MRD_COUNTER, counter->help);
		mrd_metric_begin(out, counter->family, "");
		if (counter->label)
			mrd_metric_label(out, counter->label, counter->value, SIZE_MAX);
		mrd_metric_end(out, count);
	}
	return 0;
}

static void add_fills(const struct mrd_map_fill *fills, size_t count, struct mrd_strbuf *out)
{
	static const char rows[] = "meridian_map_rows";
	static const char most[] = "meridian_map_rows_max";

	mrd_metric_family(out, rows, MRD_GAUGE, "Rows in a map.");
	for (size_t i = 0; i < count; i++) {
		mrd_metric_begin(out, rows, "");
		mrd_metric_label(out, "map", fills[i].name, SIZE_MAX);
		mrd_metric_end(out, fills[i].rows);
	}
	mrd_metric_family(out, most, MRD_GAUGE, "Rows that a map has room for.");
	for (size_t i = 0; i < count; i++) {
		mrd_metric_begin(out, most, "");
		mrd_metric_label(out, "map", fills[i].name, SIZE_MAX);
		mrd_metric_end(out, fills[i].limit);
	}
}

int mrd_metrics_add_kernel(const struct mrd_inspect *inspect, struct mrd_strbuf *out)
{
	MRD_AUTO_FREE struct mrd_map_fill *fills = NULL;
	MRD_AUTO_FREE struct mrd_link_info *links = NULL;
	size_t fill_count, link_count;
	int r = mrd_inspect_links(inspect, &links, &link_count);

	r = r < 0 ? r : mrd_inspect_fill(inspect, &fills, &fill_count);
	if (r < 0)
		return r;
	mrd_metric_single(out, "meridian_programs_attached", MRD_GAUGE,
			  "BPF programs attached by a pinned link.", link_count);
	add_fills(fills, fill_count, out);
	return add_counters(inspect, out);
}

/* -------------------------------------------------------------------------------------- traffic */

/* Has this node had to do with these endpoints? */
static bool is_used(const struct mrd_traffic *group)
{
	return group->sums.connects || group->open || group->ejections ||
	       group->by_state[MRD_STATE_EJECTED];
}

static int compare_groups(const void *a, const void *b)
{
	const struct mrd_traffic_key *left = &(*(const struct mrd_traffic *const *)a)->key;
	const struct mrd_traffic_key *right = &(*(const struct mrd_traffic *const *)b)->key;
	const int order = mrd_view_compare_names(&left->name, &right->name);

	return order ? order : strncmp(left->region, right->region, MRD_NAME_LEN);
}

static void add_labels(struct mrd_strbuf *out, const struct mrd_traffic_key *key)
{
	mrd_metric_label(out, "namespace", key->name.namespace_, MRD_NAME_LEN);
	mrd_metric_label(out, "service", key->name.service, MRD_NAME_LEN);
	mrd_metric_label(out, "port", key->name.port_name, MRD_NAME_LEN);
	mrd_metric_label(out, "protocol", mrd_protocol_name(key->name.protocol), SIZE_MAX);
	mrd_metric_label(out, "family", mrd_family_name(key->name.family), SIZE_MAX);
	mrd_metric_label(out, "region", key->region, MRD_NAME_LEN);
}

static void begin_group(struct mrd_strbuf *out, const char *name, const char *suffix,
			const struct mrd_traffic_key *key)
{
	mrd_metric_begin(out, name, suffix);
	add_labels(out, key);
}

static void add_numbers(const struct mrd_traffic *const *groups, size_t count,
			struct mrd_strbuf *out)
{
	static const struct {
		const char *name;
		enum mrd_metric_type type;
		const char *help;
	} families[] = {
		{"meridian_connections_total", MRD_COUNTER,
		 "Connections and datagrams given to endpoints."},
		{"meridian_connections_established_total", MRD_COUNTER,
		 "TCP handshakes completed with endpoints."},
		{"meridian_connections_failed_total", MRD_COUNTER,
		 "TCP handshakes that were refused, reset or not answered."},
		{"meridian_connections_open", MRD_GAUGE,
		 "Connections that are open, TCP and connected UDP."},
		{"meridian_endpoints_ejected", MRD_GAUGE, "Endpoints that are ejected."},
	};

	for (size_t f = 0; f < COUNT(families); f++) {
		mrd_metric_family(out, families[f].name, families[f].type, families[f].help);
		for (size_t i = 0; i < count; i++) {
			const struct mrd_traffic *group = groups[i];
			const int64_t values[COUNT(families)] = {
				(int64_t)group->sums.connects,
				(int64_t)group->sums.established,
				(int64_t)group->sums.failed,
				group->open,
				(int64_t)group->by_state[MRD_STATE_EJECTED],
			};

			begin_group(out, families[f].name, "", &group->key);
			mrd_metric_end_signed(out, values[f]);
		}
	}
}

static void add_responses(const struct mrd_traffic *const *groups, size_t count,
			  struct mrd_strbuf *out)
{
	static const char name[] = "meridian_responses_total";
	static const char *const classes[MRD_CLASSES] = {"1xx", "2xx", "3xx", "4xx", "5xx"};

	mrd_metric_family(out, name, MRD_COUNTER, "HTTP responses of endpoints, by status class.");
	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < MRD_CLASSES; c++) {
			begin_group(out, name, "", &groups[i]->key);
			mrd_metric_label(out, "class", classes[c], SIZE_MAX);
			mrd_metric_end(out, groups[i]->sums.responses[c]);
		}
}

static void add_handshake_durations(const struct mrd_traffic *const *groups, size_t count,
				    struct mrd_strbuf *out)
{
	static const char name[] = "meridian_handshake_duration_seconds";

	mrd_metric_family(out, name, MRD_SUMMARY, "From connect() to the handshake's end.");
	for (size_t i = 0; i < count; i++) {
		begin_group(out, name, "_sum", &groups[i]->key);
		mrd_metric_end_micro(out, groups[i]->sums.handshake_sum_us);
		begin_group(out, name, "_count", &groups[i]->key);
		mrd_metric_end(out, groups[i]->sums.established);
	}
}

/* Of groups with responses alone: the others would have as many series, of nothing. */
static void add_response_durations(const struct mrd_traffic *const *groups, size_t count,
				   struct mrd_strbuf *out)
{
#define BOUND(us) us,
	static const uint32_t bounds_us[] = {MRD_RESPONSE_BOUNDS_US(BOUND)};
#undef BOUND
	static const char name[] = "meridian_response_duration_seconds";

	mrd_metric_family(out, name, MRD_HISTOGRAM,
			  "From a request's first byte to the response's status line, of the "
			  "responses that are timed: of a connection's successes that follow each "
			  "other within 50 ms every 32nd, and all others.");
	for (size_t i = 0; i < count; i++) {
		const struct mrd_traffic_sums *sums = &groups[i]->sums;
		const struct mrd_metric_times times = {
			.bounds_us = bounds_us,
			.bounds = MRD_RESPONSE_BOUNDS,
			.counts = sums->responses_timed,
			.sum_us = sums->response_sum_us,
		};
		MRD_AUTO_STRBUF struct mrd_strbuf labels = {0};

		if (!mrd_traffic_timed(sums->responses_timed))
			continue;
		add_labels(&labels, &groups[i]->key);
		mrd_metric_times(out, name, &labels, &times);
	}
}

/* By region, of all services, called or not; groups are sorted by region here. */
static int compare_regions(const void *a, const void *b)
{
	return strncmp((*(const struct mrd_traffic *const *)a)->key.region,
		       (*(const struct mrd_traffic *const *)b)->key.region, MRD_NAME_LEN);
}

static void add_regions(const struct mrd_traffic **groups, size_t count, struct mrd_strbuf *out)
{
	static const char name[] = "meridian_endpoints";

	mrd_metric_family(out, name, MRD_GAUGE,
			  "Endpoints of all services, by region and state; once for each service.");
	if (count)
		qsort(groups, count, sizeof(*groups), compare_regions);
	for (size_t first = 0, end = 0; first < count; first = end) {
		uint64_t by_state[MRD_STATE_UNREADY + 1] = {0};

		for (; end < count && !compare_regions(&groups[first], &groups[end]); end++)
			for (size_t s = 0; s < COUNT(by_state); s++)
				by_state[s] += groups[end]->by_state[s];
		for (size_t s = MRD_STATE_ACTIVE; s < COUNT(by_state); s++) {
			mrd_metric_begin(out, name, "");
			mrd_metric_label(out, "region", groups[first]->key.region, MRD_NAME_LEN);
			mrd_metric_label(out, "state", mrd_state_name((enum mrd_state)s), SIZE_MAX);
			mrd_metric_end(out, by_state[s]);
		}
	}
}

int mrd_metrics_add_traffic(const struct mrd_table *groups, struct mrd_strbuf *out)
{
	MRD_AUTO_FREE const struct mrd_traffic **list =
		calloc(mrd_table_count(groups) + 1, sizeof(*list));
	const struct mrd_traffic *group;
	size_t count = 0, used = 0, listed, cursor = 0;

	if (!list)
		return -ENOMEM;
	while ((group = mrd_table_next(groups, &cursor, NULL, NULL)))
		list[count++] = group;
	add_regions(list, count, out);
	for (size_t i = 0; i < count; i++)
		if (is_used(list[i]))
			list[used++] = list[i];
	if (used)
		qsort(list, used, sizeof(*list), compare_groups);
	listed = used < MRD_METRICS_GROUPS_MAX ? used : MRD_METRICS_GROUPS_MAX;
	add_numbers(list, listed, out);
	add_responses(list, listed, out);
	add_handshake_durations(list, listed, out);
	add_response_durations(list, listed, out);
	mrd_metric_single(out, "meridian_traffic_unlisted", MRD_GAUGE,
			  "Services, by port and region, with traffic but beyond the number of "
			  "those listed above.",
			  used - listed);
	return 0;
}
