/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A service written as a line: "r1/z1/s1:AAE r2:U" is three endpoints in r1/z1/s1, one of them
 * ejected, and an unready one in r2. Letters: A active, E ready but ejected, U unready, D
 * terminating and serving, T terminating and not serving, - not there. A word may end in @1 for
 * cluster 1 (0 is home), and in #name for the name of a node. The n-th letter is the endpoint
 * 10.0.<n / 256>.<n % 256>:8080, so that two worlds written alike have the same endpoints.
 */
#ifndef MRD_TEST_PLAN_WORLD_H
#define MRD_TEST_PLAN_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

enum { WORLD_WORDS_MAX = 1024, WORLD_ENDPOINTS_MAX = 1024, WORLD_NAME_MAX = 48 };

struct world_word {
	char region[WORLD_NAME_MAX];
	char zone[WORLD_NAME_MAX];
	char subzone[WORLD_NAME_MAX];
	char node[WORLD_NAME_MAX];
};

struct world {
	struct mrd_view view;
	struct mrd_view_port port;
	struct mrd_ip vip;
	size_t word_count;
	size_t letter_count;
	struct world_word words[WORLD_WORDS_MAX];
	struct mrd_view_endpoint endpoints[WORLD_ENDPOINTS_MAX];
	bool ejected[WORLD_ENDPOINTS_MAX];
};

static inline struct mrd_ip world_ip(size_t n)
{
	return (struct mrd_ip){
		.bytes = {10, 0, (uint8_t)(n >> 8), (uint8_t)n},
		.version = MRD_IPV4,
	};
}

static inline void world_add(struct world *world, const struct world_word *word, size_t cluster,
			     char letter)
{
	const size_t letter_number = world->letter_count++;
	size_t n;

	if (letter == '-')
		return;
	n = world->port.endpoint_count++;
	if (n >= WORLD_ENDPOINTS_MAX)
		abort();
	world->ejected[n] = letter == 'E';
	world->endpoints[n] = (struct mrd_view_endpoint){
		.ip = world_ip(letter_number),
		.port = 8080,
		.cluster = cluster,
		.ready = letter == 'A' || letter == 'E',
		.serving = letter == 'A' || letter == 'E' || letter == 'D',
		.terminating = letter == 'D' || letter == 'T',
		.locality = {word->region, word->zone, word->subzone},
		.node_name = word->node,
		.hostname = "",
	};
}

/* One word: locality ':' letters [ '@' cluster ] [ '#' node ]. */
static inline void world_read_word(struct world *world, char *text)
{
	struct world_word *word = &world->words[world->word_count++];
	char *node = strchr(text, '#');
	char *cluster = strchr(text, '@');
	char *letters = strchr(text, ':');

	if (!letters || world->word_count > WORLD_WORDS_MAX)
		abort();
	*letters++ = '\0';
	memset(word, 0, sizeof(*word));
	if (node)
		snprintf(word->node, sizeof(word->node), "%s", node + 1);
	sscanf(text, "%47[^/]/%47[^/]/%47s", word->region, word->zone, word->subzone);
	for (; *letters && *letters != '@' && *letters != '#'; letters++)
		world_add(world, word, cluster ? (size_t)atoi(cluster + 1) : 0, *letters);
}

static inline struct world *world_new(const char *text)
{
	struct world *world = calloc(1, sizeof(*world));
	char *copy = strdup(text);

	if (!world || !copy)
		abort();
	for (char *save = NULL, *word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		world_read_word(world, word);
	free(copy);

	world->vip = (struct mrd_ip){.bytes = {172, 16, 0, 20}, .version = MRD_IPV4};
	world->port.name = "http";
	world->port.number = 80;
	world->port.transport = MRD_TRANSPORT_TCP;
	world->port.version = MRD_IPV4;
	world->port.vips = &world->vip;
	world->port.vip_count = 1;
	world->port.endpoints = world->endpoints;
	world->view.namespace_ = "default";
	world->view.name = "reviews";
	world->view.ports = &world->port;
	world->view.port_count = 1;
	return world;
}

static inline bool world_is_ejected(void *self, const struct mrd_view *view,
				    const struct mrd_view_port *port,
				    const struct mrd_view_endpoint *endpoint)
{
	const struct world *world = self;

	(void)view;
	return world->ejected[endpoint - port->endpoints];
}

#endif
