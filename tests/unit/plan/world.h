/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A service written as a line: "r1/z1/s1:AAE r2:U" is three endpoints in r1/z1/s1, one of them
 * ejected, and an unready one in r2. Letters: A active, E ready but ejected, U unready, D
 * terminating and serving, T terminating and not serving, - not there. A word may go on with @1 for
 * cluster 1 (0 is home), #name for the name of a node, %key=value and $key=value for a label of its
 * pods and of its node, ~zone and ^node for topology hints. The n-th letter is the endpoint
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

enum {
	WORLD_WORDS_MAX = 1024,
	WORLD_ENDPOINTS_MAX = 1024,
	WORLD_NAME_MAX = 48,
	WORLD_LABELS_MAX = 4
};

struct world_word {
	char region[WORLD_NAME_MAX];
	char zone[WORLD_NAME_MAX];
	char subzone[WORLD_NAME_MAX];
	char node[WORLD_NAME_MAX];
	struct mrd_label pod_labels[WORLD_LABELS_MAX];
	struct mrd_label node_labels[WORLD_LABELS_MAX];
	char *zone_hints[WORLD_LABELS_MAX];
	char *node_hints[WORLD_LABELS_MAX];
	struct mrd_labels of_pod;
	struct mrd_labels of_node;
	size_t cluster;
	size_t zone_hint_count;
	size_t node_hint_count;
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
	char *text; /* what labels and hints point into */
};

static inline struct mrd_ip world_ip(size_t n)
{
	return (struct mrd_ip){
		.bytes = {10, 0, (uint8_t)(n >> 8), (uint8_t)n},
		.version = MRD_IPV4,
	};
}

static inline void world_add(struct world *world, const struct world_word *word, char letter)
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
		.cluster = word->cluster,
		.ready = letter == 'A' || letter == 'E',
		.serving = letter == 'A' || letter == 'E' || letter == 'D',
		.terminating = letter == 'D' || letter == 'T',
		.locality = {word->region, word->zone, word->subzone},
		.node_name = word->node,
		.hostname = "",
		.pod_labels = word->of_pod.count ? &word->of_pod : NULL,
		.node_labels = word->of_node.count ? &word->of_node : NULL,
		.zone_hints = word->zone_hints,
		.zone_hint_count = word->zone_hint_count,
		.node_hints = word->node_hints,
		.node_hint_count = word->node_hint_count,
	};
}

static inline void world_label(struct mrd_labels *labels, struct mrd_label *items, char *text)
{
	char *value = strchr(text, '=');

	if (!value || labels->count == WORLD_LABELS_MAX)
		abort();
	*value++ = '\0';
	labels->items = items;
	items[labels->count++] = (struct mrd_label){text, value};
}

/* What follows the letters: text is without its first character, which is kind. */
static inline void world_more(struct world_word *word, char kind, char *text)
{
	if (kind == '@')
		word->cluster = (size_t)atoi(text);
	else if (kind == '#')
		snprintf(word->node, sizeof(word->node), "%s", text);
	else if (kind == '%')
		world_label(&word->of_pod, word->pod_labels, text);
	else if (kind == '$')
		world_label(&word->of_node, word->node_labels, text);
	else if (kind == '~')
		word->zone_hints[word->zone_hint_count++] = text;
	else
		word->node_hints[word->node_hint_count++] = text;
}

static inline void world_read_word(struct world *world, char *text)
{
	static const char kinds[] = "@#%$~^";
	struct world_word *word = &world->words[world->word_count++];
	char *letters = strchr(text, ':');
	char *more;
	char kind;

	if (!letters || world->word_count > WORLD_WORDS_MAX)
		abort();
	*letters++ = '\0';
	sscanf(text, "%47[^/]/%47[^/]/%47s", word->region, word->zone, word->subzone);
	more = letters + strcspn(letters, kinds);
	for (kind = *more; kind;) {
		char *end = more + 1 + strcspn(more + 1, kinds);
		const char next = *end;

		*more = *end = '\0';
		world_more(word, kind, more + 1);
		more = end;
		kind = next;
	}
	for (; *letters; letters++)
		world_add(world, word, *letters);
}

static inline struct world *world_new(const char *text)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || !(world->text = strdup(text)))
		abort();
	for (char *save = NULL, *word = strtok_r(world->text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		world_read_word(world, word);

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

static inline void world_free(struct world *world)
{
	free(world->text);
	free(world);
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
