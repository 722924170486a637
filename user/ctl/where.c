/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/where.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "ctl/arguments.h"

/* Regions in which services have endpoints, each once, by name; borrowed from the model. */
struct regions {
	const char **names;
	size_t count;
	size_t room;
};

static void regions_cleanup(struct regions *regions)
{
	free(regions->names);
}

static bool has_region(const struct regions *regions, const char *name)
{
	for (size_t i = 0; i < regions->count; i++)
		if (!strcmp(regions->names[i], name))
			return true;
	return false;
}

static int add_region(struct regions *regions, const char *name)
{
	if (!*name || has_region(regions, name))
		return 0;
	if (regions->count == regions->room) {
		const size_t room = regions->room ? regions->room * 2 : 4;
		const char **grown = reallocarray(regions->names, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		regions->names = grown;
		regions->room = room;
	}
	regions->names[regions->count++] = name;
	return 0;
}

/* A walk of the model has no self but this. */
struct search {
	const struct mrd_model *model;
	struct regions *regions;
};

static int add_service(void *self, const char *namespace_, const char *name)
{
	const struct search *search = self;
	struct mrd_view *view;
	int r = mrd_model_view(search->model, namespace_, name, &view);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < view->port_count; i++)
		for (size_t k = 0; !r && k < view->ports[i].endpoint_count; k++)
			r = add_region(search->regions,
				       view->ports[i].endpoints[k].locality.region);
	mrd_view_free(view);
	return r;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int find_regions(const struct mrd_model *model, struct regions *regions)
{
	struct search search = {.model = model, .regions = regions};
	const int r = mrd_model_walk_services(model, add_service, &search);

	if (regions->count)
		qsort(regions->names, regions->count, sizeof(*regions->names), compare_names);
	return r;
}

static void say_regions(const struct regions *regions, FILE *err)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	for (size_t i = 0; i < regions->count; i++) {
		mrd_strbuf_addf(&text, "%s", i ? ", " : "");
		mrd_strbuf_add_visible(&text, regions->names[i]);
	}
	fprintf(err, "%s\n", text.text ? text.text : "none");
}

int mrd_where_find(const struct mrd_model *model, const struct mrd_start *start,
		   struct mrd_address_place *place, FILE *err)
{
	MRD_CLEANUP(regions_cleanup) struct regions regions = {0};
	char address[MRD_IP_TEXT_MAX];

	if (find_regions(model, &regions))
		return mrd_ctl_no_memory(err);
	if (start->ip.version == MRD_IP_NONE) {
		/* Where nobody says where anything is, there is nothing to compare. */
		if (!regions.count || has_region(&regions, place->locality.region))
			return MRD_EXIT_GOOD;
		fprintf(err, "warning: --from: no endpoint is in a region of that name; regions: ");
		say_regions(&regions, err);
		return MRD_EXIT_GOOD;
	}
	if (!mrd_model_find_address(model, &start->ip, place))
		return MRD_EXIT_GOOD;
	fprintf(err,
		"meridianctl: no endpoint has the address %s, so where the pod is is not known: "
		"name its REGION[/ZONE[/SUBZONE]]; regions: ",
		mrd_ip_format(&start->ip, address));
	say_regions(&regions, err);
	return MRD_EXIT_BAD_NEWS;
}
