/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Look-up follows Istio, except that a kernel's key has no client identity: the service's namespace
 * is asked first, then the root namespace, of whose rules only those count that are exported to the
 * service's; in each the exact host, then the longest wildcard. What a rule does not say comes from
 * the mesh's document, block by block.
 *
 * Exact hosts are found by hash, wildcards by walking those of the namespace, the longest first:
 * installations have a handful of them.
 */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/host.h"
#include "policy/locality.h"
#include "policy/rules.h"

enum {
	HOST_ROOM = 512, /* namespace and name are DNS labels, the domain at most 253 */
	KEY_ROOM = 1024, /* "namespace/host" */
};

const struct mrd_outlier_rule mrd_outlier_defaults = {
	.consecutive_5xx = 5,
	.consecutive_gateway = 0,
	.split_local_origin = false,
	.consecutive_local_origin = 5,
	.interval_ms = 10000,
	.base_ejection_ms = 30000,
	.max_ejection_ms = 300000,
	.cap = MRD_CAP_REGIONAL,
	.max_ejection_percent = 0,
	.probation_ms = 0,
	.success_rate = {.enforced = true,
			 .minimum_hosts = 5,
			 .request_volume = 100,
			 .stdev_factor = 1900},
	.failure_percentage = {.threshold = 85, .minimum_hosts = 5, .request_volume = 50},
};

const struct mrd_outlier_rule mrd_handshakes_defaults = {
	.gateway_off = true,
	.split_local_origin = true,
	.consecutive_local_origin = 5,
	.interval_ms = 10000,
	.base_ejection_ms = 30000,
	.max_ejection_ms = 300000,
	.cap = MRD_CAP_REGIONAL,
};

const struct mrd_pool_rule mrd_pool_defaults = {
	.idle_timeout_ms = 3600000,
	.http_idle_timeout_ms = 3600000,
};

uint64_t mrd_outlier_longest(uint64_t base_ms)
{
	const uint64_t most_ms = mrd_outlier_defaults.max_ejection_ms;

	return base_ms > most_ms ? base_ms : most_ms;
}

const char mrd_outlier_ejects_nobody[] =
	"ejects nobody: each of its detectors is off, or only tells";

bool mrd_outlier_ejects(const struct mrd_outlier_rule *rule)
{
	return rule->consecutive_5xx || rule->consecutive_gateway || rule->split_local_origin ||
	       (rule->success_rate.on && rule->success_rate.enforced) ||
	       (rule->failure_percentage.on && rule->failure_percentage.enforced);
}

/* ------------------------------------------------------------------------------- which rule */

/* The first of a host's rules that a service's namespace may use. Its own rules are for all of its
 * clients, whatever their exportTo. */
static const struct mrd_rule *visible(const struct mrd_rule *rule, const char *namespace_)
{
	while (rule && strcmp(rule->namespace_, namespace_) != 0 &&
	       !mrd_rule_is_exported_to(rule, namespace_))
		rule = rule->next;
	return rule;
}

/* Is one of a host's rules for other namespaces than its own? Istio keeps those apart that are not.
 */
static bool is_shared(const struct mrd_rule *rule)
{
	while (rule && rule->export_count == 1 && !strcmp(rule->exports[0], rule->namespace_))
		rule = rule->next;
	return rule;
}

static bool is_decided(const struct mrd_rule *first, const char *namespace_)
{
	return is_shared(first) || visible(first, namespace_);
}

/* The most specific host decides, also if none of its rules is exported to the service's namespace:
 * istio pilot/pkg/model/push_context.go, getExportedDestinationRuleFromNamespace. */
static const struct mrd_rule *find_in(const struct mrd_policy *policy, const char *rules_of,
				      const char *host, const char *namespace_)
{
	const struct mrd_wildcards *wildcards = mrd_table_get_str(policy->wildcards, rules_of);
	const struct mrd_rule *first = NULL;
	char key[KEY_ROOM];

	if ((size_t)snprintf(key, sizeof(key), "%s/%s", rules_of, host) < sizeof(key))
		first = mrd_table_get_str(policy->by_host, key);
	for (size_t i = 0; !is_decided(first, namespace_) && wildcards && i < wildcards->count; i++)
		if (mrd_host_matches(wildcards->rules[i]->host, host))
			first = wildcards->rules[i];
	return visible(first, namespace_);
}

static void host_of(const struct mrd_policy *policy, const char *namespace_, const char *service,
		    char host[HOST_ROOM])
{
	snprintf(host, HOST_ROOM, "%s.%s.svc.%s", service, namespace_, policy->cluster_domain);
}

static const struct mrd_rule *find_rule(const struct mrd_policy *policy, const char *host,
					const char *namespace_)
{
	const struct mrd_rule *rule = find_in(policy, namespace_, host, namespace_);

	return rule ? rule : find_in(policy, policy->root_namespace, host, namespace_);
}

static bool is_cluster_local(const struct mrd_policy *policy, const char *host)
{
	const struct mrd_local_host *best = NULL;

	for (size_t i = 0; i < policy->local_count; i++) {
		const struct mrd_local_host *local = &policy->local_hosts[i];

		if (mrd_host_matches(local->host, host) &&
		    (!best || mrd_host_compare(local->host, best->host) >= 0))
			best = local;
	}
	return best && best->is_local;
}

/* ------------------------------------------------------------------------------- what it says */

static void take_mesh_locality(const struct mrd_mesh *mesh, struct mrd_effective *into)
{
	into->locality = mesh->locality;
	into->locality_origin = mesh->locality ? MRD_ORIGIN_MESH : MRD_ORIGIN_NONE;
	into->locality_place = mesh->locality_place ? mesh->locality_place : "";
}

/* What holds where no block of a rule says otherwise: the mesh's baseline over the defaults. */
static void take_mesh(const struct mrd_mesh *mesh, const struct mrd_rule *rule,
		      struct mrd_effective *into)
{
	into->outlier = NULL;
	into->outlier_origin = MRD_ORIGIN_NONE;
	into->outlier_place = "";
	into->outlier_path = "";
	into->min_health_percent = 0;
	if (mesh->outlier.given) {
		into->outlier = rule ? &rule->inherited : &mesh->outlier.rule;
		into->outlier_origin = MRD_ORIGIN_MESH;
		into->outlier_place = mesh->outlier.place;
		into->outlier_path = mesh->outlier.path;
		into->min_health_percent = mesh->outlier.min_health_percent;
	}
	into->pool = mesh->pool.given ? &mesh->pool.rule : &mrd_pool_defaults;
	into->pool_place = mesh->pool.given ? mesh->pool.place : "";
	into->lb = MRD_LB_LEAST_REQUEST;
	into->hash_source_ip = false;
	into->warmup = (struct mrd_warmup_rule){0};
	into->lb_place = "";
	take_mesh_locality(mesh, into);
}

/* Each block that is given replaces what was there, whole. */
static void take_blocks(const struct mrd_mesh *mesh, const struct mrd_blocks *blocks,
			struct mrd_effective *into)
{
	if (blocks->outlier.given) {
		into->outlier = &blocks->outlier.rule;
		into->outlier_origin = MRD_ORIGIN_RULE;
		into->outlier_place = blocks->outlier.place;
		into->outlier_path = blocks->outlier.path;
		into->min_health_percent = blocks->outlier.min_health_percent;
	}
	if (blocks->pool.given) {
		into->pool = &blocks->pool.rule;
		into->pool_place = blocks->pool.place;
	}
	if (!blocks->lb.given)
		return;
	into->lb = blocks->lb.lb;
	into->hash_source_ip = blocks->lb.hash_source_ip;
	into->warmup = blocks->lb.warmup;
	into->lb_place = blocks->lb.place;
	take_mesh_locality(mesh, into);
	if (blocks->lb.locality) {
		into->locality = blocks->lb.locality;
		into->locality_origin = MRD_ORIGIN_RULE;
		into->locality_place = blocks->lb.locality_place;
	}
}

/*
 * A port's settings replace all of the policy's: blocks that they leave out return to the defaults,
 * which are the mesh's baseline where it gives one, as for a rule without these blocks.
 */
static void take_traffic(const struct mrd_policy *policy, const struct mrd_rule *rule,
			 const struct mrd_traffic *traffic, uint16_t port,
			 struct mrd_effective *into)
{
	for (size_t i = 0; i < traffic->port_count; i++)
		if (traffic->ports[i].number == port) {
			take_mesh(&policy->mesh, rule, into);
			take_blocks(&policy->mesh, &traffic->ports[i].blocks, into);
			into->port_place = traffic->ports[i].place;
			return;
		}
	take_blocks(&policy->mesh, &traffic->blocks, into);
}

static void take_ours(const struct mrd_ours *ours, struct mrd_effective *into)
{
	into->overprovisioning_percent = MRD_OVERPROVISIONING_PERCENT;
	if (ours->given[MRD_OUR_OVERPROVISION])
		into->overprovisioning_percent = (uint32_t)ours->value[MRD_OUR_OVERPROVISION];
	into->fallback_next_region = ours->value[MRD_OUR_FALLBACK];
	into->regions_strict = ours->value[MRD_OUR_REGIONS];
	into->unready_drop = ours->value[MRD_OUR_UNREADY];
	into->region_warmup_ms = ours->value[MRD_OUR_WARMUP];
	into->on_eject = (enum mrd_on_eject)ours->value[MRD_OUR_ON_EJECT];
	into->syn_timeout_ms = ours->value[MRD_OUR_SYN_TIMEOUT];
	into->rescue_off = ours->value[MRD_OUR_RESCUE];
}

/* As Istio, and beyond it: a failover list needs no outlierDetection, readiness and failed
 * handshakes are enough. */
static enum mrd_locality_mode locality_mode(const struct mrd_locality_setting *locality,
					    bool has_outlier)
{
	if (locality && !locality->enabled)
		return MRD_LOCALITY_NONE;
	if (locality && locality->distribute_count)
		return MRD_LOCALITY_DISTRIBUTE;
	if (has_outlier || mrd_locality_lists_failover(locality))
		return MRD_LOCALITY_FAILOVER;
	return MRD_LOCALITY_NONE;
}

/* By a list, be it behind a distribution. */
static bool fails_over(const struct mrd_effective *effective)
{
	if (effective->locality_mode == MRD_LOCALITY_DISTRIBUTE)
		return effective->fallback_next_region &&
		       mrd_locality_lists_failover(effective->locality);
	return effective->locality_mode == MRD_LOCALITY_FAILOVER;
}

static void set_mode(const struct mrd_outlier_rule *handshakes, struct mrd_effective *effective)
{
	effective->locality_mode = locality_mode(effective->locality, effective->outlier != NULL);
	effective->detector = effective->outlier;
	if (!effective->detector && fails_over(effective))
		effective->detector = handshakes;
}

void mrd_blocks_effective(const struct mrd_mesh *mesh, const struct mrd_ours *ours,
			  const struct mrd_blocks *blocks, struct mrd_effective *ret_effective)
{
	*ret_effective = (struct mrd_effective){0};
	take_ours(ours, ret_effective);
	take_mesh(mesh, NULL, ret_effective);
	take_blocks(mesh, blocks, ret_effective);
	set_mode(&mesh->handshakes, ret_effective);
}

void mrd_policy_effective(const struct mrd_policy *policy, const char *namespace_,
			  const char *service, uint16_t port, struct mrd_effective *ret_effective)
{
	const struct mrd_rule *rule;
	char host[HOST_ROOM];

	host_of(policy, namespace_, service, host);
	rule = find_rule(policy, host, namespace_);
	*ret_effective = (struct mrd_effective){
		.cluster_local = is_cluster_local(policy, host),
		.rule = rule ? rule->label : "",
		.rule_place = rule ? rule->place : "",
		.port_place = "",
	};
	take_ours(rule ? &rule->ours : &policy->mesh.ours, ret_effective);
	take_mesh(&policy->mesh, rule, ret_effective);
	if (rule)
		take_traffic(policy, rule, &rule->traffic, port, ret_effective);
	set_mode(rule ? &rule->handshakes : &policy->mesh.handshakes, ret_effective);
}

bool mrd_effective_is_by_service(const struct mrd_effective *effective, bool has_distribution)
{
	return has_distribution && effective->locality_origin != MRD_ORIGIN_RULE;
}

const struct mrd_outlier_rule *mrd_effective_detector(const struct mrd_effective *effective,
						      bool has_distribution)
{
	return mrd_effective_is_by_service(effective, has_distribution) ? effective->outlier
									: effective->detector;
}

uint32_t mrd_effective_panic_percent(const struct mrd_effective *effective, bool has_distribution)
{
	return has_distribution ? 0 : effective->min_health_percent;
}

size_t mrd_policy_subset_count(const struct mrd_policy *policy, const char *namespace_,
			       const char *service)
{
	const struct mrd_rule *rule;
	char host[HOST_ROOM];

	host_of(policy, namespace_, service, host);
	rule = find_rule(policy, host, namespace_);
	return rule ? rule->held_count : 0;
}

int mrd_policy_subset(const struct mrd_policy *policy, const char *namespace_, const char *service,
		      uint16_t port, size_t index, struct mrd_subset *ret_subset)
{
	const struct mrd_rule_subset *subset;
	const struct mrd_rule *rule;
	char host[HOST_ROOM];

	host_of(policy, namespace_, service, host);
	rule = find_rule(policy, host, namespace_);
	if (!rule || index >= rule->held_count)
		return -ENOENT;
	subset = rule->held[index];
	*ret_subset = (struct mrd_subset){
		.name = subset->name,
		.place = subset->place,
		.labels = subset->labels,
		.label_count = subset->label_count,
	};
	mrd_policy_effective(policy, namespace_, service, port, &ret_subset->effective);
	take_traffic(policy, rule, &subset->traffic, port, &ret_subset->effective);
	set_mode(&rule->handshakes, &ret_subset->effective);
	return 0;
}

size_t mrd_policy_rule_count(const struct mrd_policy *policy)
{
	return policy->rule_count;
}
