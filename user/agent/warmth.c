/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/warmth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct region {
	char *name;
	bool is_up;
	bool was_asked;
	bool is_old;	  /* it was up at the first plan, and ever since */
	uint64_t back_ms; /* if not old */
};

struct mrd_warmth {
	struct region *regions;
	size_t count;
};

static struct region *find(const struct mrd_warmth *warmth, const char *name)
{
	for (size_t i = 0; i < warmth->count; i++)
		if (!strcmp(warmth->regions[i].name, name))
			return &warmth->regions[i];
	return NULL;
}

static struct region *add(struct mrd_warmth *warmth, const char *name)
{
	struct region *regions = reallocarray(warmth->regions, warmth->count + 1, sizeof(*regions));

	if (!regions)
		return NULL;
	warmth->regions = regions;
	regions[warmth->count] = (struct region){.name = strdup(name)};
	return regions[warmth->count].name ? &regions[warmth->count++] : NULL;
}

struct mrd_warmth *mrd_warmth_new(const struct mrd_plan_port *port)
{
	struct mrd_warmth *warmth = calloc(1, sizeof(*warmth));

	for (size_t i = 0; warmth && i < port->hop_count; i++) {
		const struct mrd_plan_hop *hop = &port->hops[i];
		struct region *region;

		if (!hop->healthy || find(warmth, hop->region))
			continue;
		region = add(warmth, hop->region);
		if (region)
			region->is_up = region->is_old = true;
	}
	return warmth;
}

uint64_t mrd_warmth_ask(struct mrd_warmth *warmth, const char *name, uint64_t now_ms)
{
	struct region *region = find(warmth, name);

	if (!region)
		region = add(warmth, name);
	if (!region)
		return UINT64_MAX;
	region->was_asked = true;
	if (!region->is_up) {
		region->is_up = true;
		region->is_old = false;
		region->back_ms = now_ms;
	}
	return region->is_old ? UINT64_MAX : now_ms - region->back_ms;
}

void mrd_warmth_settle(struct mrd_warmth *warmth)
{
	for (size_t i = 0; i < warmth->count; i++) {
		warmth->regions[i].is_up = warmth->regions[i].was_asked;
		warmth->regions[i].was_asked = false;
	}
}

void mrd_warmth_free(struct mrd_warmth *warmth)
{
	if (!warmth)
		return;
	for (size_t i = 0; i < warmth->count; i++)
		free(warmth->regions[i].name);
	free(warmth->regions);
	free(warmth);
}
