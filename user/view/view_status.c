/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's part of status:
 *
 * {"programs": [{"program": "mrd_connect4", "link_id": 12, "program_id": 77}],
 *  "maps": [{"map": "mrd_service", "rows": 8, "limit": 262144}],
 *  "counters": {"pick_failover": 120}}
 *
 * and the text of the whole document, to which the agent adds "agent" and "clusters". Without an
 * agent both are missing, and the text tells only of the kernel.
 */
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "view/columns.h"
#include "view/parts.h"

static json_t *program_list(const struct mrd_inspect *inspect)
{
	MRD_AUTO_FREE struct mrd_link_info *links = NULL;
	json_t *list = NULL;
	size_t count;

	if (mrd_inspect_links(inspect, &links, &count) < 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:I}", "program", links[i].program,
						"link_id", (json_int_t)links[i].link_id,
						"program_id", (json_int_t)links[i].prog_id));
	return list;
}

static json_t *map_list(const struct mrd_inspect *inspect)
{
	MRD_AUTO_FREE struct mrd_map_fill *fills = NULL;
	json_t *list = NULL;
	size_t count;

	if (mrd_inspect_fill(inspect, &fills, &count) < 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "map", fills[i].name,
						      "rows", (json_int_t)fills[i].rows, "limit",
						      (json_int_t)fills[i].limit));
	return list;
}

static json_t *counter_object(const struct mrd_inspect *inspect)
{
	json_t *counters = json_object();

	for (unsigned int i = 0; i < MRD_REASON_COUNT; i++) {
		uint64_t count;

		if (mrd_inspect_count(inspect, (enum mrd_reason)i, &count) == 0 && count)
			json_object_set_new(counters, mrd_reason_name((enum mrd_reason)i),
					    mrd_view_number(count));
	}
	return counters;
}

json_t *mrd_view_kernel(const struct mrd_inspect *inspect)
{
	/* With a part missing, json_pack drops the others and answers NULL. */
	return json_pack("{s:o, s:o, s:o}", "programs", program_list(inspect), "maps",
			 map_list(inspect), "counters", counter_object(inspect));
}

/* -------------------------------------------------------------------------------------- text */

static void print_features(const json_t *agent, FILE *out)
{
	const json_t *feature;
	size_t i;

	json_array_foreach(json_object_get(agent, "features"), i, feature)
	{
		const bool used = json_is_true(json_object_get(feature, "used"));

		fprintf(out, "  feature %s: %s%s\n", mrd_view_text(feature, "name"),
			used ? "in use" : "missing: ",
			used ? "" : mrd_view_text(feature, "consequence"));
	}
}

static void print_unwritten(const json_t *agent, FILE *out)
{
	const json_t *service;
	char span[32];
	size_t i;

	json_array_foreach(json_object_get(agent, "unwritten"), i, service)
		fprintf(out, "  NOT WRITTEN %s: %s, for %s; %s\n",
			mrd_view_text(service, "service"), mrd_view_text(service, "error"),
			mrd_view_span(mrd_view_integer(service, "since_ms"), span, sizeof(span)),
			json_is_true(json_object_get(service, "has_plan"))
				? "the kernel keeps the plan before"
				: "the kernel has no plan of it");
}

static void print_metrics(const json_t *agent, FILE *out)
{
	const json_t *metrics = json_object_get(agent, "metrics");
	const char *error = mrd_view_text(metrics, "error");

	if (*error)
		fprintf(out, "  METRICS NOT SERVED on %s: %s\n", mrd_view_text(metrics, "address"),
			error);
	else if (json_is_object(metrics))
		fprintf(out, "  metrics on %s\n", mrd_view_text(metrics, "address"));
}

static void print_resets(const json_t *agent, FILE *out)
{
	const json_t *resets = json_object_get(agent, "resets");
	const char *error = mrd_view_text(resets, "error");

	if (*error)
		fprintf(out, "  CONNECTIONS NOT RESET, as on-eject asks of %lld ports: %s\n",
			mrd_view_integer(resets, "ports"), error);
}

static void print_rejected(const json_t *agent, FILE *out)
{
	const json_t *rejected = json_object_get(agent, "policy_rejected");
	const json_t *finding;
	char span[32];
	size_t i;

	if (!json_is_object(rejected))
		return;
	fprintf(out, "  POLICY REJECTED for %s: %s\n",
		mrd_view_span(mrd_view_integer(rejected, "since_ms"), span, sizeof(span)),
		!strcmp(mrd_view_text(rejected, "holds"), "kernel")
			? "the kernel keeps the plan of the agent before, nothing new is planned"
			: "the policy before holds");
	json_array_foreach(json_object_get(rejected, "findings"), i, finding)
		fprintf(out, "    %s\n", json_is_string(finding) ? json_string_value(finding) : "");
}

static void print_rejected_rules(const json_t *agent, FILE *out)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(json_object_get(agent, "rules_rejected"), i, rule)
	{
		const json_t *finding;
		size_t k;

		fprintf(out, "  RULE REJECTED %s: %s\n", mrd_view_text(rule, "rule"),
			!strcmp(mrd_view_text(rule, "holds"), "before") ? "its version before holds"
									: "nothing of it holds");
		json_array_foreach(json_object_get(rule, "findings"), k, finding) fprintf(
			out, "    %s\n", json_is_string(finding) ? json_string_value(finding) : "");
	}
}

static void print_agent(const json_t *agent, FILE *out)
{
	const json_t *planned = json_object_get(agent, "last_plan_ms_ago");
	char span[32], place[256];

	fprintf(out, "agent %s, pid %lld, up %s, node %s in %s; maps %s\n",
		mrd_view_text(agent, "version"), mrd_view_integer(agent, "pid"),
		mrd_view_span(mrd_view_integer(agent, "uptime_s") * MRD_MS_PER_S, span,
			      sizeof(span)),
		mrd_view_text(agent, "node"),
		*mrd_view_place(agent, place, sizeof(place)) ? place : "no region",
		mrd_view_text(agent, "adoption"));
	fprintf(out, "  services %lld, policy rules %lld, endpoints ejected %lld",
		mrd_view_integer(agent, "services"), mrd_view_integer(agent, "policy_rules"),
		mrd_view_integer(agent, "ejected"));
	if (json_is_integer(planned))
		fprintf(out, ", last plan %s ago",
			mrd_view_span(json_integer_value(planned), span, sizeof(span)));
	fputc('\n', out);
	if (json_is_true(json_object_get(agent, "holding")))
		fprintf(out,
			"  holding %lld services as they were adopted, until all that tells of "
			"them is read\n",
			mrd_view_integer(agent, "held"));
	if (json_is_true(json_object_get(agent, "waiting")))
		fprintf(out, "  waiting for clusters to be read\n");
	print_metrics(agent, out);
	print_resets(agent, out);
	print_rejected(agent, out);
	print_rejected_rules(agent, out);
	print_features(agent, out);
	print_unwritten(agent, out);
}

/* Where in the history of each kind of object a cluster's API server is followed. */
static void print_versions(const json_t *cluster, FILE *out)
{
	const json_t *resource;
	const char *before = "";
	size_t i;

	if (!json_array_size(json_object_get(cluster, "resources")))
		return;
	fprintf(out, "  %s at version: ", mrd_view_text(cluster, "name"));
	json_array_foreach(json_object_get(cluster, "resources"), i, resource)
	{
		const char *version = mrd_view_text(resource, "version");

		fprintf(out, "%s%s %s", before, mrd_view_text(resource, "resource"),
			json_is_true(json_object_get(resource, "missing")) ? "not served"
			: *version					   ? version
									   : "none");
		before = ", ";
	}
	fputc('\n', out);
}

static long long broken_count(const json_t *cluster)
{
	return mrd_view_integer(cluster, "broken_files") +
	       mrd_view_integer(cluster, "broken_objects");
}

static void print_broken(const json_t *cluster, FILE *out)
{
	const json_t *broken = json_object_get(cluster, "broken");
	const long long more = broken_count(cluster) - (long long)json_array_size(broken);
	const json_t *finding;
	size_t i;

	json_array_foreach(broken, i, finding)
		fprintf(out, "  NOT UNDERSTOOD %s\n",
			json_is_string(finding) ? json_string_value(finding) : "");
	if (json_array_size(broken) && more > 0)
		fprintf(out, "  NOT UNDERSTOOD of %s: %lld more, which the log names\n",
			mrd_view_text(cluster, "name"), more);
}

static void print_failing(const json_t *cluster, FILE *out)
{
	const json_t *failing = json_object_get(cluster, "failing_for_ms");
	const json_t *broken = json_object_get(cluster, "broken_for_ms");
	char span[32];

	if (json_is_integer(failing))
		fprintf(out, "  %s fails for %s: %s\n", mrd_view_text(cluster, "name"),
			mrd_view_span(json_integer_value(failing), span, sizeof(span)),
			mrd_view_text(cluster, "error"));
	if (json_is_integer(broken))
		fprintf(out, "  %s has broken files for %s\n", mrd_view_text(cluster, "name"),
			mrd_view_span(json_integer_value(broken), span, sizeof(span)));
}

static void print_clusters(const json_t *clusters, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"CLUSTER", 0},	 {"REGION", 0}, {"SOURCE", 0}, {"HEARD", 1},
		{"SERVICES", 1}, {"SLICES", 1}, {"NODES", 1},  {"BROKEN", 1},
	};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *cluster;
	char span[32];
	size_t i;

	json_array_foreach(clusters, i, cluster)
	{
		const json_t *heard = json_object_get(cluster, "last_heard_ms_ago");
		const bool home = json_is_true(json_object_get(cluster, "home"));

		mrd_columns_add(table, "%s%s", mrd_view_text(cluster, "name"),
				home ? " (home)" : "");
		mrd_columns_add(table, "%s", mrd_view_text(cluster, "region"));
		mrd_columns_add(table, "%s", mrd_view_text(cluster, "source"));
		if (json_is_integer(heard))
			mrd_columns_add(
				table, "%s ago%s",
				mrd_view_span(json_integer_value(heard), span, sizeof(span)),
				json_is_true(json_object_get(cluster, "stale")) ? ", stale" : "");
		else
			mrd_columns_add(table, "%s", "never");
		mrd_columns_add(table, "%lld", mrd_view_integer(cluster, "services"));
		mrd_columns_add(table, "%lld", mrd_view_integer(cluster, "slices"));
		mrd_columns_add(table, "%lld", mrd_view_integer(cluster, "nodes"));
		mrd_columns_add(table, "%lld", broken_count(cluster));
	}
	fputc('\n', out);
	mrd_columns_print(table, 0, out);
	json_array_foreach(clusters, i, cluster) print_versions(cluster, out);
	json_array_foreach(clusters, i, cluster) print_broken(cluster, out);
	json_array_foreach(clusters, i, cluster) print_failing(cluster, out);
}

static void print_interfaces(const json_t *interfaces, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"INTERFACE", 0},
		{"INDEX", 1},
		{"KIND", 0},
		{"TC", 0},
	};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *list = json_object_get(interfaces, "list");
	const char *mode = mrd_view_text(interfaces, "mode");
	const json_t *interface;
	size_t i;

	if (!json_is_object(interfaces))
		return;
	json_array_foreach(list, i, interface)
	{
		const bool served = json_is_true(json_object_get(interface, "served"));
		const bool failed = *mrd_view_text(interface, "error");

		mrd_columns_add(table, "%s", mrd_view_text(interface, "interface"));
		mrd_columns_add(table, "%lld", mrd_view_integer(interface, "index"));
		mrd_columns_add(table, "%s", mrd_view_text(interface, "kind"));
		mrd_columns_add(table, "%s", served ? mode : failed ? "failed" : "waiting");
	}
	fputc('\n', out);
	if (json_array_size(list))
		mrd_columns_print(table, 0, out);
	else
		fprintf(out, "interfaces: %s\n",
			strcmp(mode, "none") != 0 ? "none to be served" : "none");
	if (*mrd_view_text(interfaces, "error"))
		fprintf(out, "  NOT SERVED: %s\n", mrd_view_text(interfaces, "error"));
	json_array_foreach(list, i, interface) if (*mrd_view_text(interface, "error"))
		fprintf(out, "  NOT SERVED %s: %s\n", mrd_view_text(interface, "interface"),
			mrd_view_text(interface, "error"));
}

static void print_programs(const json_t *kernel, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"PROGRAM", 0},
		{"LINK", 1},
		{"ID", 1},
	};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *program;
	size_t i;

	json_array_foreach(json_object_get(kernel, "programs"), i, program)
	{
		mrd_columns_add(table, "%s", mrd_view_text(program, "program"));
		mrd_columns_add(table, "%lld", mrd_view_integer(program, "link_id"));
		mrd_columns_add(table, "%lld", mrd_view_integer(program, "program_id"));
	}
	fputc('\n', out);
	mrd_columns_print(table, 0, out);
}

static void print_maps(const json_t *kernel, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"MAP", 0},
		{"ROWS", 1},
		{"LIMIT", 1},
		{"FILL", 1},
	};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *map;
	size_t i;

	json_array_foreach(json_object_get(kernel, "maps"), i, map)
	{
		const long long rows = mrd_view_integer(map, "rows");
		const long long limit = mrd_view_integer(map, "limit");

		mrd_columns_add(table, "%s", mrd_view_text(map, "map"));
		mrd_columns_add(table, "%lld", rows);
		mrd_columns_add(table, "%lld", limit);
		mrd_columns_add(table, "%.1f%%",
				limit ? 100.0 * (double)rows / (double)limit : 0.0);
	}
	fputc('\n', out);
	mrd_columns_print(table, 0, out);
}

static void print_counters(const json_t *kernel, FILE *out)
{
	static const struct mrd_column columns[] = {
		{"COUNTER", 0},
		{"COUNT", 1},
	};
	MRD_AUTO_COLUMNS struct mrd_columns *table =
		mrd_columns_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *counters = json_object_get(kernel, "counters");

	/* In the order of enum mrd_reason: passes, picks, refusals, the rest. */
	for (unsigned int i = 0; i < MRD_REASON_COUNT; i++) {
		const char *name = mrd_reason_name((enum mrd_reason)i);

		if (!mrd_view_integer(counters, name))
			continue;
		mrd_columns_add(table, "%s", name);
		mrd_columns_add(table, "%lld", mrd_view_integer(counters, name));
	}
	fputc('\n', out);
	mrd_columns_print(table, 0, out);
}

void mrd_view_print_status(const json_t *doc, FILE *out)
{
	const json_t *agent = json_object_get(doc, "agent");
	const json_t *kernel = json_object_get(doc, "kernel");

	if (json_is_object(agent)) {
		print_agent(agent, out);
		print_clusters(json_object_get(doc, "clusters"), out);
		print_interfaces(json_object_get(agent, "interfaces"), out);
	} else {
		fprintf(out, "agent not running\n");
	}
	if (!json_is_object(kernel)) {
		fprintf(out, "\nnothing in the kernel\n");
		return;
	}
	print_programs(kernel, out);
	print_maps(kernel, out);
	print_counters(kernel, out);
}
