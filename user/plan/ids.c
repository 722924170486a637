/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Three registers of the same make: thing → number and number → thing. A thing is known by its
 * bytes, so it is brought into one form first: everything behind a name's end is zero.
 */
#include "plan/ids.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"

/* Localities share a word with other things in hop ids (rows_make.c). */
enum { LOCALITY_ID_MAX = 0xffff };

struct endpoint_key {
	uint32_t service_id;
	uint32_t port;
	uint32_t version;
	uint8_t addr[MRD_ADDR_LEN];
};

struct number_register {
	struct mrd_table *numbers; /* by thing; a number as pointer, never NULL */
	struct mrd_table *things;  /* by number; owns a copy of the thing */
	size_t thing_size;
	size_t room;
	uint32_t last;
	uint32_t last_max;
};

struct mrd_ids {
	struct number_register services;
	struct number_register endpoints;
	struct number_register localities;
};

/* ------------------------------------------------------------------------------- registers */

static int register_init(struct number_register *reg, size_t thing_size, size_t room,
			 uint32_t last_max)
{
	*reg = (struct number_register){
		.numbers = mrd_table_new(NULL),
		.things = mrd_table_new(free),
		.thing_size = thing_size,
		.room = room,
		.last_max = last_max,
	};
	return reg->numbers && reg->things ? 0 : -ENOMEM;
}

static void register_free(struct number_register *reg)
{
	mrd_table_free(reg->numbers);
	mrd_table_free(reg->things);
}

static uint32_t register_find(const struct number_register *reg, const void *thing)
{
	return (uint32_t)(uintptr_t)mrd_table_get(reg->numbers, thing, reg->thing_size);
}

static const void *register_thing(const struct number_register *reg, uint32_t id)
{
	return mrd_table_get(reg->things, &id, sizeof(id));
}

static int register_add(struct number_register *reg, uint32_t id, const void *thing)
{
	MRD_AUTO_FREE void *copy = malloc(reg->thing_size);
	int r;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, thing, reg->thing_size);
	r = mrd_table_put(reg->numbers, thing, reg->thing_size, (void *)(uintptr_t)id);
	if (r)
		return r;
	r = mrd_table_put(reg->things, &id, sizeof(id), copy);
	if (r) {
		mrd_table_take(reg->numbers, thing, reg->thing_size);
		return r;
	}
	MRD_STEAL_PTR(copy);
	return 0;
}

/* The number behind the last one; 0 is nobody's, and those in use are passed over. */
static uint32_t register_next(const struct number_register *reg)
{
	uint32_t id = reg->last;

	do
		id = id >= reg->last_max ? 1 : id + 1;
	while (register_thing(reg, id));
	return id;
}

static int register_get(struct number_register *reg, const void *thing, uint32_t *ret_id)
{
	uint32_t id = register_find(reg, thing);
	int r;

	if (!id) {
		if (mrd_table_count(reg->things) >= reg->room)
			return -ENOSPC;
		id = register_next(reg);
		r = register_add(reg, id, thing);
		if (r)
			return r;
		reg->last = id;
	}
	*ret_id = id;
	return 0;
}

/* Numbers go on behind the highest that was adopted, and so behind every one that is in use. */
static int register_adopt(struct number_register *reg, uint32_t id, const void *thing)
{
	const void *known = register_thing(reg, id);
	const uint32_t known_id = register_find(reg, thing);
	int r;

	if (!id || id > reg->last_max)
		return -EINVAL;
	if (known || known_id)
		return known_id == id ? 0 : -EEXIST;
	if (mrd_table_count(reg->things) >= reg->room)
		return -ENOSPC;
	r = register_add(reg, id, thing);
	if (!r && id > reg->last)
		reg->last = id;
	return r;
}

static void register_release(struct number_register *reg, uint32_t id)
{
	const void *thing = register_thing(reg, id);

	if (!thing)
		return;
	mrd_table_take(reg->numbers, thing, reg->thing_size);
	mrd_table_delete(reg->things, &id, sizeof(id));
}

/* ------------------------------------------------------------------------------ one form */

static int copy_label(const char from[MRD_NAME_LEN], char to[MRD_NAME_LEN])
{
	const size_t len = strnlen(from, MRD_NAME_LEN);

	if (len == MRD_NAME_LEN)
		return -ENAMETOOLONG;
	memset(to, 0, MRD_NAME_LEN);
	memcpy(to, from, len);
	return 0;
}

static int normal_name(const struct mrd_name *from, struct mrd_name *to)
{
	int r = copy_label(from->namespace_, to->namespace_);

	if (!r)
		r = copy_label(from->service, to->service);
	if (!r)
		r = copy_label(from->port_name, to->port_name);
	to->family = from->family;
	to->protocol = from->protocol;
	return r;
}

static int normal_locality(const struct mrd_locality *from, struct mrd_locality *to)
{
	int r = copy_label(from->region, to->region);

	if (!r)
		r = copy_label(from->zone, to->zone);
	return r ? r : copy_label(from->subzone, to->subzone);
}

static struct endpoint_key normal_endpoint(uint32_t service_id, const struct mrd_ip *ip,
					   uint16_t port)
{
	struct endpoint_key key = {
		.service_id = service_id,
		.port = port,
		.version = ip->version,
	};

	memcpy(key.addr, ip->bytes, sizeof(key.addr));
	return key;
}

/* -------------------------------------------------------------------------------- public */

int mrd_ids_new(struct mrd_ids **ret_ids)
{
	struct mrd_ids *ids = calloc(1, sizeof(*ids));
	int r;

	if (!ids)
		return -ENOMEM;
	r = register_init(&ids->services, sizeof(struct mrd_name), UINT32_MAX - 1, UINT32_MAX);
	if (!r)
		r = register_init(&ids->endpoints, sizeof(struct endpoint_key), UINT32_MAX - 1,
				  UINT32_MAX);
	if (!r)
		r = register_init(&ids->localities, sizeof(struct mrd_locality), MRD_LOCALITIES_MAX,
				  LOCALITY_ID_MAX);
	if (r) {
		mrd_ids_free(ids);
		return r;
	}
	*ret_ids = ids;
	return 0;
}

void mrd_ids_free(struct mrd_ids *ids)
{
	if (!ids)
		return;
	register_free(&ids->services);
	register_free(&ids->endpoints);
	register_free(&ids->localities);
	free(ids);
}

int mrd_ids_service(struct mrd_ids *ids, const struct mrd_name *name, uint32_t *ret_id)
{
	struct mrd_name key;
	const int r = normal_name(name, &key);

	return r ? r : register_get(&ids->services, &key, ret_id);
}

int mrd_ids_endpoint(struct mrd_ids *ids, uint32_t service_id, const struct mrd_ip *ip,
		     uint16_t port, uint32_t *ret_id)
{
	const struct endpoint_key key = normal_endpoint(service_id, ip, port);

	return register_get(&ids->endpoints, &key, ret_id);
}

int mrd_ids_locality(struct mrd_ids *ids, const struct mrd_locality *locality, uint32_t *ret_id)
{
	struct mrd_locality key;
	const int r = normal_locality(locality, &key);

	return r ? r : register_get(&ids->localities, &key, ret_id);
}

uint32_t mrd_ids_find_service(const struct mrd_ids *ids, const struct mrd_name *name)
{
	struct mrd_name key;

	return normal_name(name, &key) ? 0 : register_find(&ids->services, &key);
}

uint32_t mrd_ids_find_endpoint(const struct mrd_ids *ids, uint32_t service_id,
			       const struct mrd_ip *ip, uint16_t port)
{
	const struct endpoint_key key = normal_endpoint(service_id, ip, port);

	return register_find(&ids->endpoints, &key);
}

int mrd_ids_adopt_service(struct mrd_ids *ids, uint32_t id, const struct mrd_name *name)
{
	struct mrd_name key;
	const int r = normal_name(name, &key);

	return r ? r : register_adopt(&ids->services, id, &key);
}

int mrd_ids_adopt_endpoint(struct mrd_ids *ids, uint32_t id, uint32_t service_id,
			   const struct mrd_ip *ip, uint16_t port)
{
	const struct endpoint_key key = normal_endpoint(service_id, ip, port);

	return register_adopt(&ids->endpoints, id, &key);
}

int mrd_ids_adopt_locality(struct mrd_ids *ids, uint32_t id, const struct mrd_locality *locality)
{
	struct mrd_locality key;
	const int r = normal_locality(locality, &key);

	return r ? r : register_adopt(&ids->localities, id, &key);
}

void mrd_ids_release_service(struct mrd_ids *ids, uint32_t id)
{
	register_release(&ids->services, id);
}

void mrd_ids_release_endpoint(struct mrd_ids *ids, uint32_t id)
{
	register_release(&ids->endpoints, id);
}
