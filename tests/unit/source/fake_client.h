/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A client of an API server that says what the test wants. It stands in the place of kube/'s. */
#ifndef MRD_TESTS_SOURCE_FAKE_CLIENT_H
#define MRD_TESTS_SOURCE_FAKE_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube/client.h"

/* In the order in which they are asked for. */
enum { SERVICES, SLICES, NODES, RULES, RESOURCES_MAX };

struct mrd_kube_client {
	struct mrd_kube_client *next;
	char name[64];
	struct mrd_kube_client_config config;
	struct mrd_reflector_config resources[RESOURCES_MAX];
	struct mrd_kube_client_status status;
	struct mrd_reflector_status reflectors[RESOURCES_MAX];
	uint64_t ping_ms;
};

static struct mrd_kube_client *client;	/* the one that was made last */
static struct mrd_kube_client *clients; /* all that are open, newest first */
static int refuse_clients;

int mrd_kube_client_new(const struct mrd_kube_client_config *config, struct mrd_loop *loop,
			struct mrd_kube_client **ret_client)
{
	(void)loop;
	if (refuse_clients)
		return refuse_clients;
	client = calloc(1, sizeof(*client));
	assert_non_null(client);
	client->config = *config;
	client->config.resources = NULL; /* it is the caller's */
	snprintf(client->name, sizeof(client->name), "%s", config->name);
	client->next = clients;
	clients = client;
	assert_in_range(config->resource_count, 1, RESOURCES_MAX);
	memcpy(client->resources, config->resources,
	       config->resource_count * sizeof(*config->resources));
	client->status = (struct mrd_kube_client_status){.server = "", .error = ""};
	*ret_client = client;
	return 0;
}

void mrd_kube_client_free(struct mrd_kube_client *old)
{
	struct mrd_kube_client **at = &clients;

	if (!old)
		return;
	while (*at != old)
		at = &(*at)->next;
	*at = old->next;
	free(old);
}

void mrd_kube_client_set_ping(struct mrd_kube_client *of, uint64_t ping_ms)
{
	of->ping_ms = ping_ms;
}

/* The newest of a cluster; NULL: there is none. */
static inline struct mrd_kube_client *fake_of(const char *cluster)
{
	struct mrd_kube_client *at = clients;

	while (at && strcmp(at->name, cluster) != 0)
		at = at->next;
	return at;
}

static inline size_t fake_count(void)
{
	size_t count = 0;

	for (const struct mrd_kube_client *at = clients; at; at = at->next)
		count++;
	return count;
}

void mrd_kube_client_get_status(const struct mrd_kube_client *of,
				struct mrd_kube_client_status *ret_status)
{
	*ret_status = of->status;
}

void mrd_kube_client_get_resource(const struct mrd_kube_client *of, size_t resource,
				  struct mrd_reflector_status *ret_status)
{
	assert_in_range(resource, 0, of->config.resource_count - 1);
	*ret_status = of->reflectors[resource];
}

static inline int fake_put(const struct mrd_kube_client *of, size_t resource, const char *json)
{
	const struct mrd_reflector_config *config = &of->resources[resource];

	return config->put(config->self, json, strlen(json));
}

static inline int fake_take(const struct mrd_kube_client *of, size_t resource, const char *json)
{
	const struct mrd_reflector_config *config = &of->resources[resource];

	return config->remove(config->self, json, strlen(json));
}

static inline void fake_begin(const struct mrd_kube_client *of, size_t resource)
{
	of->resources[resource].list_begin(of->resources[resource].self);
}

static inline void fake_end(const struct mrd_kube_client *of, size_t resource)
{
	of->resources[resource].list_end(of->resources[resource].self);
}

#endif
