/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What /metrics says, in Prometheus' text format 0.0.4. Names, once given, stay.
 *
 * The series are bounded: labels are a node's services, regions, clusters and maps, never
 * endpoints; services that this node's pods never called have none.
 */
#ifndef MRD_VIEW_METRICS_H
#define MRD_VIEW_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/strbuf.h"
#include "base/table.h"
#include "dataplane/inspect.h"
#include "plan/rows.h"

#define MRD_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Groups (struct mrd_traffic) that are listed; the rest is only counted. */
enum { MRD_METRICS_GROUPS_MAX = 2000 };

struct mrd_metrics_cluster {
	const char *name;
	const char *region;
	bool home;
	bool synced;		/* its state was read whole at least once */
	bool failing;		/* what was read last stands, and grows old */
	uint64_t last_heard_ns; /* CLOCK_MONOTONIC; 0 = never */
	/* Since when the kernel may not say what the cluster says; 0: it does. */
	uint64_t behind_since_ns;
	const struct mrd_histogram *delays; /* change read → in the kernel */
	uint64_t services;
	uint64_t slices;
	uint64_t nodes;
	uint64_t broken; /* manifests or objects that stand on their last good state */
};

struct mrd_metrics_ejections {
	const char *type; /* as in Envoy's event log */
	uint64_t detected;
	uint64_t enforced;
	uint64_t overflow; /* not carried out because of maxEjectionPercent */
};

/* What no map says. Strings are borrowed. */
struct mrd_metrics_agent {
	const char *version;
	const char *node;
	const char *region;
	const char *zone;
	uint64_t now_ns;       /* CLOCK_MONOTONIC, at the same moment as */
	uint64_t now_wall_ms;  /* the wall clock */
	uint64_t started_ns;   /* CLOCK_MONOTONIC, as all below */
	uint64_t last_plan_ns; /* 0 = none */
	bool ready;
	bool policy_rejected;
	uint64_t services;
	uint64_t ports;
	uint64_t policy_rules;
	uint64_t unwritten;	/* services whose plan is not in the kernel */
	uint64_t plans_written; /* of a port and family */
	uint64_t plans_failed;
	uint64_t ejected;
	uint64_t pods_served;	 /* network interfaces with the programs of TC */
	uint64_t uplinks_served; /* likewise */
	uint64_t interfaces_failed;
	uint64_t flows_removed;
	uint64_t connections_reset;
	uint64_t cpu_us;
	uint64_t resident_bytes;
	uint64_t writes[MRD_MAP_COUNT];
	uint64_t write_failures[MRD_MAP_COUNT];
	const struct mrd_metrics_cluster *clusters;
	size_t cluster_count;
	const struct mrd_metrics_ejections *ejections;
	size_t ejection_types;
	struct mrd_histogram ejection_delay; /* hook saw the error → health row written */
	struct mrd_histogram planning;	     /* of a service: what is known of it → plan */
	struct mrd_histogram writing;	     /* of a service: plan → rows in the kernel */
};

/* Parts of the text, in any order. A name is in one part alone. */
void mrd_metrics_add_agent(const struct mrd_metrics_agent *agent, struct mrd_strbuf *out);
/* Programs, maps, and the hooks' counters. -ENOMEM, -errno of the reading; what was added stays. */
int mrd_metrics_add_kernel(const struct mrd_inspect *inspect, struct mrd_strbuf *out);
/* groups: as of mrd_traffic_read(). -ENOMEM. */
int mrd_metrics_add_traffic(const struct mrd_table *groups, struct mrd_strbuf *out);

#endif
