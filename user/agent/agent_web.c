/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the agent serves over HTTP: /metrics, /healthz, /readyz.
 *
 * /healthz says that the loop runs, which is all that a restart could mend: a cluster that is not
 * heard or a policy that is refused is told in its text, never by its status. /readyz follows the
 * word "ready" of the log.
 */
#include "agent/agent_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "outlier/event_log.h"
#include "view/metrics.h"
#include "view/traffic.h"

enum {
	HTTP_OK = 200,
	HTTP_INTERNAL_ERROR = 500,
	HTTP_UNAVAILABLE = 503,
	US_PER_S = 1000000,
	DECIMAL = 10,
};

static void close_inspect(struct mrd_inspect **inspect)
{
	mrd_inspect_close(*inspect);
}

static void free_table(struct mrd_table **table)
{
	mrd_table_free(*table);
}

/* -------------------------------------------------------------------------------------- health */

static unsigned int write_health(void *self, struct mrd_strbuf *body)
{
	struct mrd_agent *agent = self;
	const uint64_t now_ns = mrd_clock_ns();

	mrd_agent_drain(agent);
	mrd_strbuf_addf(body, "ok\n");
	for (size_t i = 0; i < agent->config->cluster_count; i++) {
		struct mrd_source_status source;

		mrd_inputs_source_status(agent->inputs, i, &source);
		if (source.failing_since_ns)
			mrd_strbuf_addf(body, "cluster %s cannot be read for %llu s: %s\n",
					agent->config->clusters[i].name,
					(unsigned long long)((now_ns - source.failing_since_ns) /
							     MRD_NS_PER_MS / MRD_MS_PER_S),
					source.error);
	}
	if (mrd_inputs_rejection(agent->inputs))
		mrd_strbuf_addf(body, "the policy files have errors; an older policy holds\n");
	return HTTP_OK;
}

static unsigned int write_readiness(void *self, struct mrd_strbuf *body)
{
	const struct mrd_agent *agent = self;
	const char *missing = NULL;

	mrd_agent_drain(self);
	if (agent->detached)
		missing = "the hooks were detached; the agent ends";
	else if (!agent->dataplane)
		missing = "programs and maps are not loaded yet";
	else if (!agent->ready)
		missing = "the first plan is not in the kernel yet, or the hooks are not attached";
	mrd_strbuf_addf(body, "%s\n", missing ? missing : "ready");
	return missing ? HTTP_UNAVAILABLE : HTTP_OK;
}

/* ------------------------------------------------------------------------------------- metrics */

/* The second number of /proc/self/statm, in pages; 0: it cannot be read. */
static uint64_t resident_bytes(void)
{
	MRD_AUTO_FILE FILE *file = fopen("/proc/self/statm", "re");
	char line[128];
	char *end = line;

	if (!file || !fgets(line, sizeof(line), file))
		return 0;
	strtoull(line, &end, DECIMAL);
	return strtoull(end, NULL, DECIMAL) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t cpu_us(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * US_PER_S +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static struct mrd_metrics_cluster cluster_metrics(const struct mrd_agent *agent, size_t cluster)
{
	const struct mrd_cluster_config *config = &agent->config->clusters[cluster];
	const struct mrd_model *model = mrd_inputs_model(agent->inputs);
	struct mrd_source_status source;

	mrd_inputs_source_status(agent->inputs, cluster, &source);
	return (struct mrd_metrics_cluster){
		.name = config->name,
		.region = config->region,
		.home = config->home,
		.synced = source.read,
		.failing = source.failing_since_ns,
		.last_heard_ns = source.last_heard_ns,
		.behind_since_ns = source.read ? mrd_inputs_behind_since(agent->inputs, cluster)
					       : agent->waiting_since_ns,
		.delays = mrd_inputs_delays(agent->inputs, cluster),
		.services = mrd_model_count(model, cluster, MRD_KIND_SERVICE),
		.slices = mrd_model_count(model, cluster, MRD_KIND_SLICE),
		.nodes = mrd_model_count(model, cluster, MRD_KIND_NODE),
		.broken = source.broken_files + source.broken_objects,
	};
}

static void fill_engine(const struct mrd_agent *agent, struct mrd_metrics_agent *metrics,
			struct mrd_metrics_ejections ejections[MRD_OUTLIER_TYPES])
{
	const struct mrd_tally_writes *writes = mrd_tally_get_writes(agent->tally);
	struct mrd_engine_status engine;

	mrd_engine_get_status(agent->engine, &engine);
	for (size_t i = 0; i < MRD_OUTLIER_TYPES; i++)
		ejections[i] = (struct mrd_metrics_ejections){
			.type = mrd_outlier_type_name((enum mrd_outlier_type)i),
			.detected = engine.ejections[i].detected,
			.enforced = engine.ejections[i].enforced,
			.overflow = engine.ejections[i].overflow,
		};
	metrics->last_plan_ns = engine.last_plan_ns;
	metrics->services = engine.services;
	metrics->ports = engine.ports;
	metrics->unwritten = engine.unwritten;
	metrics->plans_written = engine.plans_written;
	metrics->plans_failed = engine.plans_failed;
	metrics->ejected = engine.ejected;
	metrics->connections_reset = mrd_resets_count(agent->resets);
	metrics->ejection_delay = engine.ejection_delay;
	metrics->planning = engine.planning;
	metrics->writing = engine.writing;
	memcpy(metrics->writes, writes->done, sizeof(metrics->writes));
	memcpy(metrics->write_failures, writes->failed, sizeof(metrics->write_failures));
}

static void fill_tc(const struct mrd_agent *agent, struct mrd_metrics_agent *metrics)
{
	struct mrd_interfaces_status interfaces;

	if (agent->flow_sweep)
		metrics->flows_removed = mrd_flow_sweep_removed(agent->flow_sweep);
	if (!agent->interfaces)
		return;
	mrd_interfaces_get_status(agent->interfaces, &interfaces);
	metrics->pods_served = interfaces.served[MRD_INTERFACE_POD];
	metrics->uplinks_served = interfaces.served[MRD_INTERFACE_UPLINK];
	metrics->interfaces_failed = interfaces.failed;
}

static void add_agent(const struct mrd_agent *agent, struct mrd_strbuf *out)
{
	const struct mrd_plan_node *node = mrd_inputs_node(agent->inputs);
	struct mrd_metrics_cluster clusters[MRD_CLUSTERS_MAX];
	struct mrd_metrics_ejections ejections[MRD_OUTLIER_TYPES];
	struct mrd_metrics_agent metrics = {
		.version = MRD_VERSION,
		.node = node->name,
		.region = node->region,
		.zone = node->zone,
		.now_ns = mrd_clock_ns(),
		.now_wall_ms = mrd_clock_wall_ms(),
		.started_ns = agent->started_ns,
		.ready = agent->ready && !agent->detached,
		.policy_rejected = mrd_inputs_rejection(agent->inputs),
		.policy_rules = mrd_policy_rule_count(mrd_inputs_policy(agent->inputs)),
		.cpu_us = cpu_us(),
		.resident_bytes = resident_bytes(),
		.clusters = clusters,
		.cluster_count = agent->config->cluster_count,
	};

	for (size_t i = 0; i < metrics.cluster_count; i++)
		clusters[i] = cluster_metrics(agent, i);
	if (agent->engine) {
		metrics.ejections = ejections;
		metrics.ejection_types = MRD_OUTLIER_TYPES;
		fill_engine(agent, &metrics, ejections);
	}
	fill_tc(agent, &metrics);
	mrd_metrics_add_agent(&metrics, out);
}

static int open_inspect(struct mrd_agent *agent, struct mrd_inspect **ret_inspect)
{
	int r = mrd_inspect_open(agent->config->bpffs, ret_inspect);

	if (!r)
		mrd_inspect_set_pause(*ret_inspect, mrd_agent_drain, agent);
	return r;
}

static int add_kernel(struct mrd_agent *agent, struct mrd_strbuf *out)
{
	struct mrd_inspect *inspect MRD_CLEANUP(close_inspect) = NULL;
	struct mrd_table *groups MRD_CLEANUP(free_table) = NULL;
	uint64_t rows[MRD_MAP_COUNT];
	int r = open_inspect(agent, &inspect);

	if (r)
		return r;
	mrd_engine_count_rows(agent->engine, rows);
	mrd_inspect_set_rows(inspect, rows);
	r = mrd_traffic_read(inspect, &groups);
	r = r ?: mrd_tally_complete(agent->tally, groups);
	r = r ?: mrd_metrics_add_kernel(inspect, out);
	return r ?: mrd_metrics_add_traffic(groups, out);
}

static unsigned int write_metrics(void *self, struct mrd_strbuf *body)
{
	struct mrd_agent *agent = self;
	int r = 0;

	mrd_agent_drain(agent);
	add_agent(agent, body);
	/* Before, the pinned maps may be an earlier agent's. */
	if (agent->ready && !agent->detached)
		r = add_kernel(agent, body);
	if (!r)
		return HTTP_OK;
	mrd_strbuf_free(body);
	mrd_strbuf_addf(body, "the pinned maps cannot be read: %s\n", strerror(-r));
	return HTTP_INTERNAL_ERROR;
}

int mrd_agent_start_tally(struct mrd_agent *agent)
{
	struct mrd_inspect *inspect MRD_CLEANUP(close_inspect) = NULL;
	struct mrd_table *groups MRD_CLEANUP(free_table) = NULL;
	int r = open_inspect(agent, &inspect);

	r = r ?: mrd_traffic_read(inspect, &groups);
	return r ?: mrd_tally_start(agent->tally, groups);
}

/* -------------------------------------------------------------------------------------- serving */

static const struct mrd_web_page pages[] = {
	{"/metrics", MRD_METRICS_CONTENT_TYPE, write_metrics},
	{"/healthz", "text/plain; charset=utf-8", write_health},
	{"/readyz", "text/plain; charset=utf-8", write_readiness},
};

static void open_web(struct mrd_agent *agent)
{
	const struct mrd_web_config config = {
		.ip = agent->web_ip,
		.port = agent->web_port,
		.pages = pages,
		.page_count = sizeof(pages) / sizeof(*pages),
		.timeout_ms = MRD_WEB_TIMEOUT_MS,
		.self = agent,
	};
	const int before = agent->web_error;
	char address[MRD_IP_TEXT_MAX];

	mrd_ip_port_format(&agent->web_ip, agent->web_port, address);
	agent->web_error = mrd_web_open(agent->loop, &config, &agent->web);
	if (!agent->web_error)
		mrd_log_info("metrics served", MRD_KV("address", address));
	else if (agent->web_error != before)
		mrd_log_error("metrics not served", MRD_KV("address", address),
			      MRD_KV("reason", strerror(-agent->web_error)),
			      MRD_KV("consequence", "services are; tried again each second"));
}

void mrd_agent_serve(struct mrd_agent *agent)
{
	const struct mrd_agent_config *config = agent->config;

	if (mrd_ip_compare(&agent->web_ip, &config->metrics_ip) ||
	    agent->web_port != config->metrics_port) {
		/* Closed before another is opened: they may overlap, as [::] and 127.0.0.1 do. */
		mrd_web_close(agent->web);
		agent->web = NULL;
		agent->web_error = 0;
		agent->web_ip = config->metrics_ip;
		agent->web_port = config->metrics_port;
	}
	if (!agent->web && agent->web_port)
		open_web(agent);
}
