/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static struct mrd_entry **place_in(struct mrd_watch *watch, enum mrd_family family)
{
	return family == MRD_FAMILY_IPV6 ? &watch->ipv6 : &watch->ipv4;
}

/* The last one switches off the light. */
static void leave_watch(struct mrd_entry *entry)
{
	struct mrd_watch *watch = entry->watch;

	*place_in(watch, entry->name.family) = NULL;
	if (watch->ipv4 || watch->ipv6)
		return;
	mrd_outlier_free(watch->detector);
	free(watch);
}

static void free_entry(void *value)
{
	struct mrd_entry *entry = value;

	leave_watch(entry);
	mrd_rows_free(entry->rows);
	mrd_warmth_free(entry->regions);
	mrd_warmth_free(entry->ready);
	free(entry);
}

static void free_service(void *value)
{
	struct mrd_book_service *service = value;

	free(service->key);
	free(service->entries);
	free(service->error);
	free(service->warnings);
	free(service);
}

int mrd_book_init(struct mrd_book *book)
{
	book->services = mrd_table_new(free_service);
	book->entries = mrd_table_new(free_entry);
	if (book->services && book->entries)
		return 0;
	mrd_book_clear(book);
	return -ENOMEM;
}

void mrd_book_clear(struct mrd_book *book)
{
	mrd_table_free(book->entries);
	mrd_table_free(book->services);
	*book = (struct mrd_book){0};
}

struct mrd_book_service *mrd_book_find_service(const struct mrd_book *book, const char *key)
{
	return mrd_table_get_str(book->services, key);
}

struct mrd_book_service *mrd_book_service(struct mrd_book *book, const char *key)
{
	struct mrd_book_service *service = mrd_book_find_service(book, key);

	if (service)
		return service;
	service = calloc(1, sizeof(*service));
	if (!service)
		return NULL;
	service->key = strdup(key);
	if (!service->key || mrd_table_put_str(book->services, key, service)) {
		free_service(service);
		return NULL;
	}
	return service;
}

bool mrd_book_has_rows(const struct mrd_book_service *service)
{
	for (size_t i = 0; i < service->entry_count; i++)
		if (service->entries[i]->rows)
			return true;
	return false;
}

void mrd_book_drop_service(struct mrd_book *book, struct mrd_book_service *service)
{
	if (!service->entry_count && !service->error && !service->held)
		mrd_table_delete_str(book->services, service->key);
}

struct mrd_entry *mrd_book_find_entry(const struct mrd_book *book, uint32_t id)
{
	return mrd_table_get(book->entries, &id, sizeof(id));
}

/* That of the port's other family, or a new one. */
static struct mrd_watch *find_watch(const struct mrd_book_service *service,
				    const struct mrd_name *name)
{
	for (size_t i = 0; i < service->entry_count; i++) {
		const struct mrd_entry *entry = service->entries[i];

		if (entry->name.protocol == name->protocol && entry->name.family != name->family &&
		    !strcmp(entry->name.port_name, name->port_name))
			return entry->watch;
	}
	return calloc(1, sizeof(struct mrd_watch));
}

static struct mrd_entry *new_entry(struct mrd_book_service *service, uint32_t id,
				   const struct mrd_name *name)
{
	struct mrd_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	*entry = (struct mrd_entry){.id = id, .name = *name, .service = service};
	entry->watch = find_watch(service, name);
	if (!entry->watch) {
		free(entry);
		return NULL;
	}
	*place_in(entry->watch, name->family) = entry;
	return entry;
}

struct mrd_entry *mrd_book_entry(struct mrd_book *book, struct mrd_book_service *service,
				 uint32_t id, const struct mrd_name *name)
{
	struct mrd_entry *entry = mrd_book_find_entry(book, id);
	struct mrd_entry **list;

	if (entry)
		return entry;
	list = reallocarray(service->entries, service->entry_count + 1, sizeof(*list));
	if (!list)
		return NULL;
	service->entries = list;
	entry = new_entry(service, id, name);
	if (!entry)
		return NULL;
	if (mrd_table_put(book->entries, &id, sizeof(id), entry)) {
		free_entry(entry);
		return NULL;
	}
	service->entries[service->entry_count++] = entry;
	return entry;
}

void mrd_book_drop_entry(struct mrd_book *book, struct mrd_entry *entry)
{
	struct mrd_book_service *service = entry->service;

	for (size_t i = 0; i < service->entry_count; i++) {
		if (service->entries[i] != entry)
			continue;
		service->entries[i] = service->entries[--service->entry_count];
		break;
	}
	mrd_table_delete(book->entries, &entry->id, sizeof(entry->id));
}
