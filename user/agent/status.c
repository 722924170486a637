/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/status.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

static const char *adoption_text(enum mrd_adoption adoption)
{
	static const char *const texts[] = {
		[MRD_ADOPTION_FRESH] = "fresh",
		[MRD_ADOPTION_ADOPTED] = "adopted",
		[MRD_ADOPTION_REPLACED] = "replaced",
	};

	return texts[adoption];
}

/* Milliseconds since a time, or null if it has not come. */
static json_t *ms_since(uint64_t then_ns, uint64_t now_ns)
{
	if (!then_ns)
		return json_null();
	return json_integer(now_ns > then_ns ? (json_int_t)((now_ns - then_ns) / MRD_NS_PER_MS)
					     : 0);
}

static json_t *features_array(const struct mrd_status *status)
{
	json_t *array = json_array();

	for (size_t i = 0; i < status->feature_count; i++) {
		const struct mrd_feature *feature = &status->features[i];

		json_array_append_new(array, json_pack("{s:s, s:b, s:s?}", "name", feature->name,
						       "used", feature->used, "consequence",
						       feature->consequence));
	}
	return array;
}

struct unwritten {
	json_t *array;
	uint64_t now_ns;
};

static void add_unwritten(void *self, const char *service, const char *error, uint64_t since_ns,
			  bool has_plan)
{
	const struct unwritten *unwritten = self;

	json_array_append_new(unwritten->array,
			      json_pack("{s:s, s:s, s:o, s:b}", "service", service, "error", error,
					"since_ms", ms_since(since_ns, unwritten->now_ns),
					"has_plan", has_plan));
}

/* Why the policy files are not in force, or null. */
static json_t *rejection_object(const struct mrd_status *status)
{
	const struct mrd_rejection *rejection = mrd_inputs_rejection(status->inputs);
	json_t *findings;

	if (!rejection)
		return json_null();
	findings = json_array();
	for (size_t i = 0; i < rejection->count; i++)
		json_array_append_new(findings, json_string(rejection->findings[i]));
	return json_pack("{s:o, s:s, s:o}", "since_ms",
			 ms_since(rejection->since_ns, status->now_ns), "holds",
			 mrd_inputs_is_stand_in(status->inputs) ? "kernel" : "before", "findings",
			 findings);
}

static void add_rejected_rule(void *self, const char *name, bool has_older,
			      const struct mrd_diag *errors)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < errors->count; i++) {
		char *text MRD_AUTO_FREE = mrd_finding_text(&errors->findings[i]);

		json_array_append_new(findings, json_string(text ?: ""));
	}
	json_array_append_new(self,
			      json_pack("{s:s, s:s, s:o}", "rule", name, "holds",
					has_older ? "before" : "nothing", "findings", findings));
}

/* Rules of an API server whose newest version is not in force. */
static json_t *rejected_rules(const struct mrd_status *status)
{
	json_t *array = json_array();

	mrd_rule_docs_rejected(mrd_inputs_rules(status->inputs), add_rejected_rule, array);
	return array;
}

static json_t *metrics_object(const struct mrd_status *status)
{
	const struct mrd_agent_config *config = status->config;
	char address[MRD_IP_TEXT_MAX];

	if (!config->metrics_port)
		return json_null();
	return json_pack("{s:s, s:s}", "address",
			 mrd_ip_port_format(&config->metrics_ip, config->metrics_port, address),
			 "error", status->web_error ? strerror(-status->web_error) : "");
}

static json_t *resets_object(const struct mrd_status *status, size_t ports)
{
	if (!ports)
		return json_null();
	return json_pack("{s:I, s:s}", "ports", (json_int_t)ports, "error",
			 mrd_resets_obstacle(status->resets) ?: "");
}

static void add_interface(void *self, const struct mrd_link *link, enum mrd_interface_kind kind,
			  bool is_served, const char *error)
{
	json_array_append_new(self, json_pack("{s:s, s:I, s:s, s:b, s:s}", "interface", link->name,
					      "index", (json_int_t)link->index, "kind",
					      mrd_interface_kind_name(kind), "served", is_served,
					      "error", error ?: ""));
}

static json_t *interfaces_object(const struct mrd_status *status)
{
	const bool is_none =
		status->config->interfaces.mode == MRD_INTERFACES_NONE || !status->interfaces;
	struct mrd_interfaces_status counts = {0};
	json_t *list = json_array();

	if (status->interfaces) {
		mrd_interfaces_get_status(status->interfaces, &counts);
		mrd_interfaces_each(status->interfaces, add_interface, list);
	}
	return json_pack("{s:s, s:s, s:I, s:o}", "mode",
			 mrd_tc_mode_name(is_none ? MRD_TC_NONE : status->tc_mode), "error",
			 status->interfaces_error ?: "", "waiting", (json_int_t)counts.waiting,
			 "list", list);
}

static json_t *agent_object(const struct mrd_status *status)
{
	const struct mrd_plan_node *node = mrd_inputs_node(status->inputs);
	struct unwritten unwritten = {.array = json_array(), .now_ns = status->now_ns};
	struct mrd_engine_status engine;
	json_t *latency;

	mrd_engine_get_status(status->engine, &engine);
	mrd_engine_unwritten(status->engine, add_unwritten, &unwritten);
	latency = json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)engine.ejection.count,
			    "p50", (json_int_t)engine.ejection.p50_us, "p99",
			    (json_int_t)engine.ejection.p99_us, "max",
			    (json_int_t)engine.ejection.max_us);
	return json_pack(
		"{s:s, s:i, s:o, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:I, s:I, s:I, s:o, "
		"s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}",
		"version", MRD_VERSION, "pid", (int)getpid(), "uptime_s",
		json_integer((json_int_t)((status->now_ns - status->started_ns) / MRD_NS_PER_MS /
					  MRD_MS_PER_S)),
		"node", node->name, "region", node->region, "zone", node->zone, "subzone",
		node->subzone, "adoption", adoption_text(status->adoption), "holding",
		engine.holding, "held", (json_int_t)engine.held, "features", features_array(status),
		"services", (json_int_t)engine.services, "ports", (json_int_t)engine.ports,
		"policy_rules",
		(json_int_t)mrd_policy_rule_count(mrd_inputs_policy(status->inputs)),
		"last_plan_ms_ago", ms_since(engine.last_plan_ns, status->now_ns), "ejected",
		(json_int_t)engine.ejected, "unwritten", unwritten.array, "policy_rejected",
		rejection_object(status), "rules_rejected", rejected_rules(status),
		"ejection_latency_us", latency, "waiting", status->waiting, "metrics",
		metrics_object(status), "resets", resets_object(status, engine.resetting),
		"interfaces", interfaces_object(status));
}

/* How each kind of object of an API server is doing; of a folder nothing. */
static json_t *resources_array(const struct mrd_status *status, size_t cluster)
{
	json_t *array = json_array();
	struct mrd_reflector_status of;
	const char *name;

	for (size_t i = 0; (name = mrd_inputs_resource(status->inputs, cluster, i, &of)); i++)
		json_array_append_new(
			array, json_pack("{s:s, s:s, s:b, s:b, s:o, s:s, s:o}", "resource", name,
					 "version", of.version ?: "", "read", of.synced, "missing",
					 of.missing, "last_heard_ms_ago",
					 ms_since(of.last_heard_ns, status->now_ns), "error",
					 of.error ?: "", "failing_for_ms",
					 ms_since(of.failing_since_ns, status->now_ns)));
	return array;
}

enum { BROKEN_MOST = 10 }; /* the log names all of them */

static bool add_broken(void *self, const char *finding)
{
	json_array_append_new(self, json_string(finding));
	return json_array_size(self) < BROKEN_MOST;
}

/* Which files or objects stand on their last good state, and why. */
static json_t *broken_array(const struct mrd_status *status, size_t cluster)
{
	json_t *array = json_array();

	mrd_inputs_each_broken(status->inputs, cluster, add_broken, array);
	return array;
}

static json_t *cluster_object(const struct mrd_status *status, size_t cluster)
{
	const struct mrd_cluster_config *config = &status->config->clusters[cluster];
	const struct mrd_model *model = mrd_inputs_model(status->inputs);
	struct mrd_source_status source;

	mrd_inputs_source_status(status->inputs, cluster, &source);
	return json_pack(
		"{s:s, s:s, s:b, s:s, s:b, s:b, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, "
		"s:o}",
		"name", config->name, "region", config->region, "home", config->home, "source",
		source.where, "read", source.read, "stale",
		mrd_inputs_is_stale(status->inputs, cluster), "last_heard_ms_ago",
		ms_since(source.last_heard_ns, status->now_ns), "error",
		source.error ? source.error : "", "failing_for_ms",
		ms_since(source.failing_since_ns, status->now_ns), "services",
		(json_int_t)mrd_model_count(model, cluster, MRD_KIND_SERVICE), "slices",
		(json_int_t)mrd_model_count(model, cluster, MRD_KIND_SLICE), "nodes",
		(json_int_t)mrd_model_count(model, cluster, MRD_KIND_NODE), "broken_files",
		(json_int_t)source.broken_files, "broken_objects",
		(json_int_t)source.broken_objects, "broken_for_ms",
		ms_since(source.broken_since_ns, status->now_ns), "broken",
		broken_array(status, cluster), "resources", resources_array(status, cluster));
}

json_t *mrd_status_document(const struct mrd_status *status, json_t *kernel)
{
	json_t *clusters = json_array();

	for (size_t i = 0; i < status->config->cluster_count; i++)
		json_array_append_new(clusters, cluster_object(status, i));
	return json_pack("{s:o, s:o, s:o}", "agent", agent_object(status), "clusters", clusters,
			 "kernel", kernel ? kernel : json_null());
}
