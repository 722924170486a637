/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"

struct found {
	struct mrd_name name;
	struct mrd_rows *rows;
	bool answered; /* a hook has read a response of an endpoint */
};

struct orphan {
	enum mrd_map map;
	uint32_t service_id; /* 0: not known */
	unsigned char key[MRD_ROW_KEY_MAX];
};

struct adoption {
	struct mrd_ids *ids;
	struct mrd_table *services;   /* service id → found */
	struct mrd_table *owners;     /* endpoint id → found */
	struct mrd_table *localities; /* locality id → row */
	struct orphan *orphans;
	size_t orphan_count;
	struct mrd_adopted told;
};

static void free_found(void *value)
{
	struct found *found = value;

	mrd_rows_free(found->rows);
	free(found);
}

static void free_adoption(struct adoption *adoption)
{
	mrd_table_free(adoption->services);
	mrd_table_free(adoption->owners);
	mrd_table_free(adoption->localities);
	free(adoption->orphans);
}

static int add_orphan(struct adoption *adoption, enum mrd_map map, uint32_t service_id,
		      const void *key)
{
	struct orphan *more =
		reallocarray(adoption->orphans, adoption->orphan_count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	adoption->orphans = more;
	more += adoption->orphan_count++;
	*more = (struct orphan){.map = map, .service_id = service_id};
	memcpy(more->key, key, mrd_map_key_size(map));
	return 0;
}

static struct found *find_service(const struct adoption *adoption, uint32_t id)
{
	return mrd_table_get(adoption->services, &id, sizeof(id));
}

/* A row goes to its service, or to the orphans. */
static int place(struct adoption *adoption, enum mrd_map map, uint32_t service_id, const void *key,
		 const void *value)
{
	const struct found *found = find_service(adoption, service_id);

	return found ? mrd_rows_put(found->rows, map, key, value)
		     : add_orphan(adoption, map, service_id, key);
}

/* The row of a locality, in the set of a service that names it. */
static int place_locality(struct adoption *adoption, const struct found *found, uint32_t id)
{
	const struct mrd_locality *locality = mrd_table_get(adoption->localities, &id, sizeof(id));

	return locality ? mrd_rows_put(found->rows, MRD_MAP_LOCALITY, &id, locality) : 0;
}

static int take_locality(void *self, const void *key, const void *value)
{
	struct adoption *adoption = self;
	struct mrd_locality *copy = malloc(sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, value, sizeof(*copy));
	if (mrd_table_put(adoption->localities, key, sizeof(uint32_t), copy)) {
		free(copy);
		return -ENOMEM;
	}
	r = mrd_ids_adopt_locality(adoption->ids, *(const uint32_t *)key, copy);
	return r == -ENOMEM ? r : 0; /* one without a number gets a new one with the next plan */
}

static int take_name(void *self, const void *key, const void *value)
{
	struct adoption *adoption = self;
	const uint32_t id = *(const uint32_t *)key;
	struct found *found;
	int r = mrd_ids_adopt_service(adoption->ids, id, value);

	if (r)
		return r == -ENOMEM ? r : add_orphan(adoption, MRD_MAP_NAME, id, key);
	found = calloc(1, sizeof(*found));
	if (!found)
		return -ENOMEM;
	memcpy(&found->name, value, sizeof(found->name));
	r = mrd_rows_new(id, &found->rows);
	r = r ?: mrd_rows_put(found->rows, MRD_MAP_NAME, key, value);
	r = r ?: mrd_table_put(adoption->services, key, sizeof(id), found);
	if (r) {
		free_found(found);
		return r;
	}
	adoption->told.ports++;
	return 0;
}

static int take_health(void *self, const void *key, const void *value)
{
	struct adoption *adoption = self;
	const struct mrd_health *health = value;
	struct found *found = find_service(adoption, health->service_id);
	struct mrd_ip ip = {
		.version = health->family == MRD_FAMILY_IPV6 ? MRD_IPV6 : MRD_IPV4,
	};
	int r;

	memcpy(ip.bytes, health->addr, sizeof(ip.bytes));
	r = found ? mrd_ids_adopt_endpoint(adoption->ids, *(const uint32_t *)key,
					   health->service_id, &ip, (uint16_t)health->port)
		  : -ENOENT;
	if (r == -ENOMEM)
		return r;
	if (r)
		return add_orphan(adoption, MRD_MAP_HEALTH, health->service_id, key);
	adoption->told.endpoints++;
	adoption->told.ejected += health->state == MRD_STATE_EJECTED;
	r = mrd_rows_put(found->rows, MRD_MAP_HEALTH, key, value);
	r = r ?: place_locality(adoption, found, health->locality_id);
	return r ?: mrd_table_put(adoption->owners, key, sizeof(uint32_t), found);
}

static int take_stat(void *self, const void *key, const void *value)
{
	struct adoption *adoption = self;
	struct found *found = mrd_table_get(adoption->owners, key, sizeof(uint32_t));
	const struct mrd_stat *stat = value;

	if (!found)
		return add_orphan(adoption, MRD_MAP_STAT, 0, key);
	for (size_t i = 0; i < MRD_CLASSES; i++)
		found->answered |= stat->responses[i] != 0;
	return mrd_rows_put(found->rows, MRD_MAP_STAT, key, value);
}

static int take_setting(void *self, const void *key, const void *value)
{
	return place(self, MRD_MAP_SETTING, *(const uint32_t *)key, key, value);
}

static int take_open(void *self, const void *key, const void *value)
{
	return place(self, MRD_MAP_OPEN, *(const uint32_t *)key, key, value);
}

static int take_ticket(void *self, const void *key, const void *value)
{
	return place(self, MRD_MAP_TICKET, ((const struct mrd_ticket_key *)key)->service_id, key,
		     value);
}

static int take_member(void *self, const void *key, const void *value)
{
	return place(self, MRD_MAP_MEMBER, ((const struct mrd_member_key *)key)->service_id, key,
		     value);
}

static int take_route(void *self, const void *key, const void *value)
{
	struct adoption *adoption = self;
	const struct mrd_route *route = value;
	const uint32_t id = *(const uint32_t *)key;
	const struct found *found = find_service(adoption, id);
	int r = place(adoption, MRD_MAP_ROUTE, id, key, value);

	for (uint32_t i = 0; !r && found && i < route->hop_count && i < MRD_HOPS_MAX; i++)
		r = place_locality(adoption, found, route->hops[i].locality_id)
			    ?: place_locality(adoption, found, route->hops[i].region_id);
	return r;
}

static int take_vip(void *self, const void *key, const void *value)
{
	return place(self, MRD_MAP_SERVICE, ((const struct mrd_service *)value)->service_id, key,
		     value);
}

static int read_rows(struct adoption *adoption, const struct mrd_row_reader *reader)
{
	static const struct {
		enum mrd_map map;
		int (*take)(void *self, const void *key, const void *value);
	} passes[] = {
		{MRD_MAP_LOCALITY, take_locality}, {MRD_MAP_NAME, take_name},
		{MRD_MAP_SETTING, take_setting},   {MRD_MAP_OPEN, take_open},
		{MRD_MAP_HEALTH, take_health},	   {MRD_MAP_STAT, take_stat},
		{MRD_MAP_TICKET, take_ticket},	   {MRD_MAP_MEMBER, take_member},
		{MRD_MAP_ROUTE, take_route},	   {MRD_MAP_SERVICE, take_vip},
	};

	for (size_t i = 0; i < sizeof(passes) / sizeof(*passes); i++) {
		int r = reader->walk(reader->self, passes[i].map, passes[i].take, adoption);

		if (r)
			return r;
	}
	return 0;
}

/* What names comes before what is named: the opposite of the order in which it was read. */
static void delete_orphans(const struct adoption *adoption, const struct mrd_map_writer *writer)
{
	for (size_t i = adoption->orphan_count; i--;)
		writer->del(writer->self, adoption->orphans[i].map, adoption->orphans[i].key,
			    adoption->orphans[i].service_id);
}

int mrd_adopt(struct mrd_engine *engine, const struct mrd_row_reader *reader,
	      const struct mrd_map_writer *writer, struct mrd_adopted *ret_adopted)
{
	struct adoption adoption MRD_CLEANUP(free_adoption) = {
		.ids = mrd_engine_ids(engine),
		.services = mrd_table_new(free_found),
		.owners = mrd_table_new(NULL),
		.localities = mrd_table_new(free),
	};
	struct found *found;
	size_t cursor = 0;
	int r;

	if (!adoption.services || !adoption.owners || !adoption.localities)
		return -ENOMEM;
	r = read_rows(&adoption, reader);
	while (!r && (found = mrd_table_next(adoption.services, &cursor, NULL, NULL)))
		r = mrd_engine_adopt(engine, &found->name, MRD_STEAL_PTR(found->rows),
				     found->answered, writer != NULL);
	if (r)
		return r;
	if (writer)
		delete_orphans(&adoption, writer);
	adoption.told.orphans = adoption.orphan_count;
	*ret_adopted = adoption.told;
	return 0;
}
