/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The mesh's serviceSettings: which hosts are cluster-local, and which are not after all. What
 * changes nothing is told, since a typo in a host looks the same.
 */
#include "policy/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/host.h"

struct service_draft {
	struct mrd_flag cluster_local;
	const struct mrd_doc_node *hosts;
};

static const struct mrd_field settings_fields[] = {
	{
		.name = "clusterLocal",
		.read = mrd_read_flag,
		.offset = offsetof(struct service_draft, cluster_local),
	},
};
static const struct mrd_block settings_block = MRD_BLOCK(settings_fields);

static const struct mrd_field service_fields[] = {
	{.name = "settings", .read = mrd_read_block, .spec = &settings_block},
	{
		.name = "hosts",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_list_node,
		.offset = offsetof(struct service_draft, hosts),
	},
};
static const struct mrd_block service_block = MRD_BLOCK(service_fields);

/* ------------------------------------------------------------------------- reading */

/* A host where it is listed. */
struct listed {
	size_t item;
	size_t index;
	const struct mrd_doc_node *node;
	size_t local; /* its number among the policy's; those before the first are built in */
};

struct listing {
	struct listed *hosts;
	size_t count;
};

static void read_host(struct mrd_reader *reader, const struct mrd_text *host, bool is_local,
		      struct mrd_policy *policy, struct listing *listing)
{
	const struct mrd_step *item = reader->at->up->up;
	MRD_AUTO_FREE char *name = mrd_host_trim(host->text);

	if (!name) {
		reader->no_memory = true;
		return;
	}
	if (!mrd_host_is_valid(host->text))
		mrd_read_error(reader, host->node, "\"%s\" is no host name", host->text);
	else if (!mrd_host_may_be_service(name, policy->cluster_domain))
		mrd_read_warning(reader, host->node,
				 "no effect: no Service's host can match (they end with .svc.%s)",
				 policy->cluster_domain);
	else
		listing->hosts[listing->count++] = (struct listed){
			.item = item->index,
			.index = reader->at->index,
			.node = host->node,
			.local = policy->local_count,
		};
	if (mrd_policy_add_local_host(policy, name, is_local) < 0)
		reader->no_memory = true;
}

static void read_hosts(struct mrd_reader *reader, const struct service_draft *draft,
		       struct mrd_policy *policy, struct listing *listing)
{
	const struct mrd_step step = {.up = reader->at, .name = "hosts"};

	reader->at = &step;
	if (draft->hosts && !draft->hosts->count)
		mrd_read_warning(reader, draft->hosts, "no effect: no host is listed");
	for (size_t i = 0; draft->hosts && i < draft->hosts->count; i++) {
		const struct mrd_step item = {.up = &step, .index = i};
		struct mrd_text host = {0};

		reader->at = &item;
		mrd_read_text(reader, draft->hosts->items[i], NULL, &host);
		if (host.node)
			read_host(reader, &host, draft->cluster_local.value, policy, listing);
	}
	reader->at = step.up;
}

/* ------------------------------------------------------------------------- what changes nothing */

/* Is the host cluster-local by what says less of it? by_host: the entry of each that counts. */
static bool is_local_anyway(struct mrd_reader *reader, const struct mrd_policy *policy,
			    size_t built_in, const struct mrd_table *by_host, const char *host)
{
	MRD_AUTO_FREE char *pattern = strdup(host);
	const struct mrd_local_host *wider;

	if (!pattern) {
		reader->no_memory = true;
		return false;
	}
	for (size_t i = 0; i < built_in; i++)
		if (!strcmp(policy->local_hosts[i].host, host))
			return policy->local_hosts[i].is_local;
	/* The longest wildcard that covers it: the same from some character on. */
	for (char *at = pattern + (*host == '*'); *at; at++) {
		const char kept = *at;

		*at = '*';
		wider = strcmp(at, host) != 0 ? mrd_table_get_str(by_host, at) : NULL;
		*at = kept;
		if (wider)
			return wider->is_local;
	}
	return false;
}

static void check_listed(struct mrd_reader *reader, const struct mrd_policy *policy,
			 size_t built_in, const struct mrd_table *by_host,
			 const struct listed *listed)
{
	const struct mrd_local_host *local = &policy->local_hosts[listed->local];

	if (mrd_table_get_str(by_host, local->host) != local)
		mrd_read_warning(reader, listed->node,
				 "no effect: \"%s\" is listed again, and the last one counts",
				 local->host);
	else if (is_local_anyway(reader, policy, built_in, by_host, local->host) == local->is_local)
		mrd_read_warning(reader, listed->node, "no effect: %s",
				 local->is_local ? "its services are cluster-local anyway"
						 : "its services are not cluster-local anyway");
}

static void check_listing(struct mrd_reader *reader, const struct mrd_policy *policy,
			  size_t built_in, const struct listing *listing)
{
	MRD_AUTO_TABLE struct mrd_table *by_host = mrd_table_new(NULL);
	const struct mrd_step *at = reader->at;

	for (size_t i = 0; i < policy->local_count; i++)
		if (!by_host || mrd_table_put_str(by_host, policy->local_hosts[i].host,
						  &policy->local_hosts[i]) < 0) {
			reader->no_memory = true;
			return;
		}
	for (size_t i = 0; i < listing->count; i++) {
		const struct mrd_step item = {.up = at, .index = listing->hosts[i].item};
		const struct mrd_step hosts = {.up = &item, .name = "hosts"};
		const struct mrd_step host = {.up = &hosts, .index = listing->hosts[i].index};

		reader->at = &host;
		check_listed(reader, policy, built_in, by_host, &listing->hosts[i]);
	}
	reader->at = at;
}

/* ------------------------------------------------------------------------- whole */

static size_t count_hosts(const struct mrd_doc_node *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_doc_node *hosts = mrd_doc_get(list->items[i], "hosts");

		count += hosts ? hosts->count : 0;
	}
	return count;
}

void mrd_read_services(struct mrd_reader *reader, const struct mrd_doc_node *list,
		       struct mrd_policy *policy)
{
	const struct mrd_step step = {.up = reader->at, .name = "serviceSettings"};
	const size_t built_in = policy->local_count;
	MRD_AUTO_FREE struct listed *hosts = NULL;
	struct listing listing = {0};

	if (!list)
		return;
	hosts = listing.hosts = calloc(count_hosts(list) + 1, sizeof(*hosts));
	if (!hosts) {
		reader->no_memory = true;
		return;
	}
	reader->at = &step;
	if (!list->count)
		mrd_read_warning(reader, list, "empty, which is the same as not given");
	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_step item = {.up = &step, .index = i};
		struct service_draft draft = {0};

		reader->at = &item;
		mrd_read_block(reader, list->items[i], &service_block, &draft);
		read_hosts(reader, &draft, policy, &listing);
	}
	reader->at = &step;
	check_listing(reader, policy, built_in, &listing);
	reader->at = step.up;
}
