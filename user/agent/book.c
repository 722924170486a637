/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void free_entry(void *value)
{
	struct mrd_entry *entry = value;

	mrd_rows_free(entry->rows);
	mrd_outlier_free(entry->detector);
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

void mrd_book_drop_service(struct mrd_book *book, struct mrd_book_service *service)
{
	if (!service->entry_count && !service->error && !service->held)
		mrd_table_delete_str(book->services, service->key);
}

struct mrd_entry *mrd_book_find_entry(const struct mrd_book *book, uint32_t id)
{
	return mrd_table_get(book->entries, &id, sizeof(id));
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
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	*entry = (struct mrd_entry){.id = id, .name = *name, .service = service};
	if (mrd_table_put(book->entries, &id, sizeof(id), entry)) {
		free(entry);
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
