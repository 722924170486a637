/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The document that "meridianctl status" prints:
 *
 *	{"agent": {"version", "pid", "uptime_s", "node", "region", "zone", "subzone", "adoption",
 *	           "holding", "held", "waiting", "features": [{"name", "used", "consequence"}],
 *	           "services", "ports", "policy_rules", "last_plan_ms_ago", "ejected",
 *	           "unwritten": [{"service", "error", "since_ms", "has_plan"}],
 *	           "policy_rejected": {"since_ms", "holds": "before" or "kernel", "findings": []},
 *	           "rules_rejected": [{"rule", "holds": "before" or "nothing", "findings": []}],
 *	           "ejection_latency_us": {"count", "p50", "p99", "max"},
 *	           "metrics": {"address", "error"},
 *	           "resets": {"ports", "error"},
 *	           "interfaces": {"mode": "tcx", "clsact" or "none", "error", "waiting",
 *	                          "list": [{"interface", "index", "kind": "pod" or "uplink",
 *	                                    "served", "error"}]}},
 *	 "clusters": [{"name", "region", "home", "source", "read", "stale",
 *	               "last_heard_ms_ago", "error", "failing_for_ms",
 *	               "services", "slices", "nodes", "broken_files", "broken_objects",
 *	               "broken_for_ms", "broken": [],
 *	               "resources": [{"resource", "version", "read", "missing",
 *	                              "last_heard_ms_ago", "error", "failing_for_ms"}]}],
 *	 "kernel": of view/view.h}
 *
 * held counts the services that are left as they were adopted. has_plan: the kernel holds an
 * earlier one. broken_for_ms is of the file that has been broken for longest. broken has one
 * finding of each of the first ten files or objects that stand on their last good state.
 *
 * Times that have not come are null; so is policy_rejected while the files are in force, metrics
 * if there are to be none, and resets if no service asks for on-eject: reset. An error is "" while
 * there is none. Interfaces are listed if they are served or should be; waiting counts those whose
 * turn has not come.
 */
#ifndef MRD_AGENT_STATUS_H
#define MRD_AGENT_STATUS_H

#include <jansson.h>

#include "agent/engine.h"
#include "agent/inputs.h"
#include "agent/interfaces.h"
#include "agent/resets.h"
#include "config/config.h"
#include "dataplane/dataplane.h"

struct mrd_status {
	const struct mrd_agent_config *config;
	const struct mrd_inputs *inputs;
	const struct mrd_engine *engine;
	enum mrd_adoption adoption;
	const struct mrd_feature *features;
	size_t feature_count;
	const struct mrd_interfaces *interfaces; /* NULL: none can be served */
	enum mrd_tc_mode tc_mode;
	const char *interfaces_error; /* why none can be; NULL: they can, or are not to be */
	uint64_t started_ns;
	struct mrd_resets *resets;
	int web_error; /* why metrics are not served, -errno; 0: they are, or are not to be */
	uint64_t now_ns;
	bool waiting; /* for clusters, with the first plan */
};

/* kernel: a reference that the document takes over; may be NULL. NULL without memory. */
json_t *mrd_status_document(const struct mrd_status *status, json_t *kernel);

#endif
