/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Objects differ only in their fields, so each type is described once, as a shape: which bytes say
 * something by themselves, which members are strings, which are lists of further shapes. Freeing,
 * copying and comparing then are one function each, and a new field is one line here.
 */
#include "model/object.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(type, member)                                         \
	{                                                           \
		offsetof(type, member), sizeof(((type *)0)->member) \
	}

struct span {
	size_t offset;
	size_t size;
};

struct shape;

struct list {
	size_t items;
	size_t count;
	const struct shape *shape;
};

enum { PLAIN_MAX = 5, STRINGS_MAX = 5, LISTS_MAX = 3 };

struct shape {
	size_t size;
	struct span plain[PLAIN_MAX]; /* without padding, so that memcmp() may compare them */
	size_t plain_count;
	size_t strings[STRINGS_MAX];
	size_t string_count;
	size_t silent_string; /* one more, not compared; only if has_silent */
	bool has_silent;
	struct list lists[LISTS_MAX];
	size_t list_count;
};

static const struct shape text_shape = {
	.size = sizeof(char *),
	.strings = {0},
	.string_count = 1,
};

static const struct shape ip_shape = {
	.size = sizeof(struct mrd_ip),
	.plain = {FIELD(struct mrd_ip, bytes), FIELD(struct mrd_ip, version)},
	.plain_count = 2,
};

static const struct shape label_shape = {
	.size = sizeof(struct mrd_label),
	.strings = {offsetof(struct mrd_label, key), offsetof(struct mrd_label, value)},
	.string_count = 2,
};

static const struct shape service_port_shape = {
	.size = sizeof(struct mrd_service_port),
	.plain = {FIELD(struct mrd_service_port, transport), FIELD(struct mrd_service_port, port)},
	.plain_count = 2,
	.strings = {offsetof(struct mrd_service_port, name),
		    offsetof(struct mrd_service_port, app_protocol)},
	.string_count = 2,
};

static const struct shape slice_port_shape = {
	.size = sizeof(struct mrd_slice_port),
	.plain = {FIELD(struct mrd_slice_port, transport), FIELD(struct mrd_slice_port, port)},
	.plain_count = 2,
	.strings = {offsetof(struct mrd_slice_port, name),
		    offsetof(struct mrd_slice_port, app_protocol)},
	.string_count = 2,
};

static const struct shape endpoint_shape = {
	.size = sizeof(struct mrd_slice_endpoint),
	.plain = {FIELD(struct mrd_slice_endpoint, ip.bytes),
		  FIELD(struct mrd_slice_endpoint, ip.version),
		  FIELD(struct mrd_slice_endpoint, ready),
		  FIELD(struct mrd_slice_endpoint, serving),
		  FIELD(struct mrd_slice_endpoint, terminating)},
	.plain_count = 5,
	.strings = {offsetof(struct mrd_slice_endpoint, node_name),
		    offsetof(struct mrd_slice_endpoint, zone),
		    offsetof(struct mrd_slice_endpoint, hostname),
		    offsetof(struct mrd_slice_endpoint, target_name),
		    offsetof(struct mrd_slice_endpoint, target_namespace)},
	.string_count = 5,
	.lists = {{offsetof(struct mrd_slice_endpoint, zone_hints),
		   offsetof(struct mrd_slice_endpoint, zone_hint_count), &text_shape},
		  {offsetof(struct mrd_slice_endpoint, node_hints),
		   offsetof(struct mrd_slice_endpoint, node_hint_count), &text_shape}},
	.list_count = 2,
};

/* What the meta at the start of each object adds to its shape. */
#define META_PLAIN   FIELD(struct mrd_meta, created_us)
#define META_STRINGS offsetof(struct mrd_meta, namespace_), offsetof(struct mrd_meta, name)
#define META_SILENT  .silent_string = offsetof(struct mrd_meta, resource_version), .has_silent = true
#define META_LABELS                                                                               \
	{                                                                                         \
		offsetof(struct mrd_meta, labels.items), offsetof(struct mrd_meta, labels.count), \
			&label_shape                                                              \
	}

static const struct shape shapes[MRD_KIND_COUNT] = {
	[MRD_KIND_SERVICE] =
		{
			.size = sizeof(struct mrd_service_object),
			.plain = {META_PLAIN, FIELD(struct mrd_service_object, internal_local),
				  FIELD(struct mrd_service_object, affinity_timeout_s),
				  FIELD(struct mrd_service_object, traffic_distribution)},
			.plain_count = 4,
			.strings = {META_STRINGS},
			.string_count = 2,
			META_SILENT,
			.lists = {META_LABELS,
				  {offsetof(struct mrd_service_object, vips),
				   offsetof(struct mrd_service_object, vip_count), &ip_shape},
				  {offsetof(struct mrd_service_object, ports),
				   offsetof(struct mrd_service_object, port_count),
				   &service_port_shape}},
			.list_count = 3,
		},
	[MRD_KIND_SLICE] =
		{
			.size = sizeof(struct mrd_slice_object),
			.plain = {META_PLAIN, FIELD(struct mrd_slice_object, version)},
			.plain_count = 2,
			.strings = {META_STRINGS, offsetof(struct mrd_slice_object, service_name)},
			.string_count = 3,
			META_SILENT,
			.lists = {META_LABELS,
				  {offsetof(struct mrd_slice_object, ports),
				   offsetof(struct mrd_slice_object, port_count),
				   &slice_port_shape},
				  {offsetof(struct mrd_slice_object, endpoints),
				   offsetof(struct mrd_slice_object, endpoint_count),
				   &endpoint_shape}},
			.list_count = 3,
		},
	[MRD_KIND_NODE] =
		{
			.size = sizeof(struct mrd_node_object),
			.plain = {META_PLAIN},
			.plain_count = 1,
			.strings = {META_STRINGS},
			.string_count = 2,
			META_SILENT,
			.lists = {META_LABELS},
			.list_count = 1,
		},
	[MRD_KIND_POD] =
		{
			.size = sizeof(struct mrd_pod_object),
			.plain = {META_PLAIN},
			.plain_count = 1,
			.strings = {META_STRINGS},
			.string_count = 2,
			META_SILENT,
			.lists = {META_LABELS},
			.list_count = 1,
		},
};

static char shared_empty[1];

char *mrd_text_copy(const char *text)
{
	return text[0] ? strdup(text) : shared_empty;
}

void mrd_text_free(char *text)
{
	if (text != shared_empty)
		free(text);
}

static char **string_at(const void *row, size_t offset)
{
	return (char **)((char *)row + offset);
}

static void **items_at(const void *row, const struct list *list)
{
	return (void **)((char *)row + list->items);
}

static size_t *count_at(const void *row, const struct list *list)
{
	return (size_t *)((char *)row + list->count);
}

static void clear(void *row, const struct shape *shape)
{
	for (size_t i = 0; i < shape->string_count; i++)
		mrd_text_free(*string_at(row, shape->strings[i]));
	if (shape->has_silent)
		mrd_text_free(*string_at(row, shape->silent_string));
	for (size_t i = 0; i < shape->list_count; i++) {
		const struct list *list = &shape->lists[i];
		char *items = *items_at(row, list);

		for (size_t j = 0; items && j < *count_at(row, list); j++)
			clear(items + j * list->shape->size, list->shape);
		free(items);
	}
}

static bool copy_string(void *to, const void *from, size_t offset)
{
	const char *text = *string_at(from, offset);

	*string_at(to, offset) = mrd_text_copy(text ? text : "");
	return *string_at(to, offset);
}

/* Fills a zeroed row; after a failure what is there can be cleared. */
static bool copy(void *to, const void *from, const struct shape *shape)
{
	for (size_t i = 0; i < shape->plain_count; i++)
		memcpy((char *)to + shape->plain[i].offset,
		       (const char *)from + shape->plain[i].offset, shape->plain[i].size);
	for (size_t i = 0; i < shape->string_count; i++)
		if (!copy_string(to, from, shape->strings[i]))
			return false;
	if (shape->has_silent && !copy_string(to, from, shape->silent_string))
		return false;
	for (size_t i = 0; i < shape->list_count; i++) {
		const struct list *list = &shape->lists[i];
		const size_t count = *count_at(from, list);
		const size_t size = list->shape->size;

		if (!count)
			continue;
		*items_at(to, list) = calloc(count, size);
		if (!*items_at(to, list))
			return false;
		*count_at(to, list) = count;
		for (size_t j = 0; j < count; j++)
			if (!copy((char *)*items_at(to, list) + j * size,
				  (const char *)*items_at(from, list) + j * size, list->shape))
				return false;
	}
	return true;
}

static bool equal(const void *a, const void *b, const struct shape *shape)
{
	for (size_t i = 0; i < shape->plain_count; i++)
		if (memcmp((const char *)a + shape->plain[i].offset,
			   (const char *)b + shape->plain[i].offset, shape->plain[i].size))
			return false;
	for (size_t i = 0; i < shape->string_count; i++)
		if (strcmp(*string_at(a, shape->strings[i]), *string_at(b, shape->strings[i])))
			return false;
	for (size_t i = 0; i < shape->list_count; i++) {
		const struct list *list = &shape->lists[i];
		const size_t size = list->shape->size;

		if (*count_at(a, list) != *count_at(b, list))
			return false;
		for (size_t j = 0; j < *count_at(a, list); j++)
			if (!equal((const char *)*items_at(a, list) + j * size,
				   (const char *)*items_at(b, list) + j * size, list->shape))
				return false;
	}
	return true;
}

void mrd_object_free(struct mrd_meta *object)
{
	if (!object)
		return;
	clear(object, &shapes[object->kind]);
	free(object);
}

struct mrd_meta *mrd_object_copy(const struct mrd_meta *object)
{
	struct mrd_meta *made = calloc(1, shapes[object->kind].size);

	if (!made)
		return NULL;
	made->kind = object->kind;
	if (!copy(made, object, &shapes[object->kind])) {
		mrd_object_free(made);
		return NULL;
	}
	return made;
}

bool mrd_object_equal(const struct mrd_meta *a, const struct mrd_meta *b)
{
	return a->kind == b->kind && equal(a, b, &shapes[a->kind]);
}

const char *mrd_labels_get(const struct mrd_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->count; i++)
		if (!strcmp(labels->items[i].key, key))
			return labels->items[i].value;
	return "";
}

const char *mrd_distribution_word(size_t index, enum mrd_traffic_distribution *ret_meaning)
{
	/* Of two for one thing the later is the newer. */
	static const struct {
		const char *word;
		enum mrd_traffic_distribution meaning;
	} words[] = {
		{"PreferClose", MRD_DISTRIBUTION_SAME_ZONE},
		{"PreferSameZone", MRD_DISTRIBUTION_SAME_ZONE},
		{"PreferSameNode", MRD_DISTRIBUTION_SAME_NODE},
	};

	if (index >= sizeof(words) / sizeof(words[0]))
		return NULL;
	*ret_meaning = words[index].meaning;
	return words[index].word;
}

const char *mrd_distribution_name(enum mrd_traffic_distribution distribution)
{
	enum mrd_traffic_distribution meaning;
	const char *name = "";
	const char *word;

	for (size_t i = 0; (word = mrd_distribution_word(i, &meaning)); i++)
		if (meaning == distribution)
			name = word;
	return name;
}
