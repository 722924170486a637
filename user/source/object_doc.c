/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A document is read whole before anything of it is handed on: either all of its objects are good,
 * or none is delivered. Unknown fields are fine here, Kubernetes' objects have many that are not
 * for us; a known field of the wrong type is not.
 */
#include "source/object_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/object_fill.h"

enum { NAME_LEN_MAX = 253 }; /* a DNS name; Kubernetes' own limit */

static const struct kind {
	const char *api_version;
	const char *name;
	const char *list_name; /* of the list as the API writes it */
	enum mrd_kind kind;
	size_t size;
} kinds[] = {
	{"v1", "Service", "ServiceList", MRD_KIND_SERVICE, sizeof(struct mrd_service_object)},
	{"discovery.k8s.io/v1", "EndpointSlice", "EndpointSliceList", MRD_KIND_SLICE,
	 sizeof(struct mrd_slice_object)},
	{"v1", "Node", "NodeList", MRD_KIND_NODE, sizeof(struct mrd_node_object)},
	{"v1", "Pod", "PodList", MRD_KIND_POD, sizeof(struct mrd_pod_object)},
};

struct read_object {
	struct mrd_meta *object;
	struct mrd_place place;
};

/* What has been read of the document so far. */
struct batch {
	struct mrd_reading reading;
	const struct kind *expected; /* what metadata alone is of; NULL: of nothing */
	struct read_object *objects;
	size_t count;
	size_t room;
};

/* ------------------------------------------------------------------------ metadata */

static int compare_labels(const void *left, const void *right)
{
	return strcmp(((const struct mrd_label *)left)->key,
		      ((const struct mrd_label *)right)->key);
}

/* Sorted, so that their order in the file is no difference. */
static void read_labels(struct mrd_reading *reading, const struct mrd_field *metadata,
			struct mrd_labels *labels)
{
	const struct mrd_field map = mrd_field_get(metadata, "labels");
	const size_t count = mrd_field_is_map(reading, &map) ? map.node->count : 0;

	labels->items = mrd_field_alloc(reading, count, sizeof(*labels->items));
	if (!labels->items)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct mrd_field value = mrd_field_member(&map, i);
		struct mrd_label *label = &labels->items[labels->count++];

		label->key = mrd_text_copy(value.key);
		label->value = mrd_field_copy(reading, &value);
		reading->no_memory |= !label->key;
	}
	if (!reading->no_memory)
		qsort(labels->items, labels->count, sizeof(*labels->items), compare_labels);
}

/* A name stands in keys beside others and in log lines, so it is what Kubernetes lets it be. */
static char *read_name(struct mrd_reading *reading, const struct mrd_field *field,
		       const char *otherwise)
{
	const char *text = mrd_field_text(reading, field);
	char *name = mrd_text_copy(text[0] ? text : otherwise);

	if (strlen(text) > NAME_LEN_MAX)
		mrd_field_error(reading, field, "must not be longer than %d characters",
				NAME_LEN_MAX);
	else if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")])
		mrd_field_error(reading, field,
				"must consist of lower-case letters, digits, '-' and '.'");
	reading->no_memory |= !name;
	return name;
}

/* One that cannot be read leaves the object's age open, but the object is good. */
static int64_t read_created(struct mrd_reading *reading, const struct mrd_field *field)
{
	const size_t errors = reading->errors;
	const char *text = mrd_field_text(reading, field);
	int64_t created_us = MRD_INSTANT_NONE;

	if (field->node && reading->errors == errors && mrd_instant_parse(text, &created_us))
		mrd_field_warn(reading, field, "is no time as RFC 3339 has it: taken as not given");
	return created_us;
}

static void read_meta(struct mrd_reading *reading, const struct mrd_field *object,
		      const struct kind *kind, struct mrd_meta *meta)
{
	const struct mrd_field metadata = mrd_field_get(object, "metadata");
	const struct mrd_field name = mrd_field_get(&metadata, "name");
	const struct mrd_field namespace_ = mrd_field_get(&metadata, "namespace");
	const struct mrd_field created = mrd_field_get(&metadata, "creationTimestamp");
	const struct mrd_field version = mrd_field_get(&metadata, "resourceVersion");

	meta->kind = kind->kind;
	mrd_field_is_map(reading, &metadata);
	if (!name.node || (name.node->kind == MRD_DOC_SCALAR && !name.node->text[0]))
		mrd_field_error(reading, &name, "missing; every %s needs a name", kind->name);
	meta->name = read_name(reading, &name, "");
	if (kind->kind == MRD_KIND_NODE)
		meta->namespace_ = mrd_text_copy("");
	else
		meta->namespace_ = read_name(reading, &namespace_, "default");
	meta->created_us = read_created(reading, &created);
	meta->resource_version = mrd_field_copy(reading, &version);
	read_labels(reading, &metadata, &meta->labels);
}

/* ------------------------------------------------------------------------ objects */

static void keep(struct batch *batch, struct mrd_meta *object, const struct mrd_field *field)
{
	if (batch->count == batch->room) {
		const size_t room = batch->room ? batch->room * 2 : 1;
		struct read_object *grown = reallocarray(batch->objects, room, sizeof(*grown));

		if (!grown) {
			batch->reading.no_memory = true;
			mrd_object_free(object);
			return;
		}
		batch->objects = grown;
		batch->room = room;
	}
	batch->objects[batch->count++] = (struct read_object){
		.object = object,
		.place = mrd_field_place(&batch->reading, field),
	};
}

static void read_known(struct batch *batch, const struct mrd_field *field, const struct kind *kind)
{
	struct mrd_meta *object = mrd_field_alloc(&batch->reading, 1, kind->size);

	if (!object)
		return;
	read_meta(&batch->reading, field, kind, object);
	if (kind->kind == MRD_KIND_SERVICE)
		mrd_service_fill(&batch->reading, field, (void *)object);
	else if (kind->kind == MRD_KIND_SLICE)
		mrd_slice_fill(&batch->reading, field, (void *)object);
	keep(batch, object, field);
}

static bool is_metadata(const char *kind, const char *version)
{
	return !strcmp(kind, "PartialObjectMetadata") && !strcmp(version, "meta.k8s.io/v1");
}

static void read_any(struct batch *batch, const struct mrd_field *field, const struct kind *known);

static void read_items(struct batch *batch, const struct mrd_field *list, const struct kind *kind)
{
	const struct mrd_field items = mrd_field_get(list, "items");
	const size_t count = mrd_field_count(&batch->reading, &items);

	/* An API server writes null or [] for nothing; what has no such field may have a typo. */
	if (!items.written)
		mrd_field_warn(&batch->reading, &items, "not given: the list is empty");
	for (size_t i = 0; i < count && !batch->reading.no_memory; i++) {
		const struct mrd_field item = mrd_field_item(&items, i);

		read_any(batch, &item, kind);
	}
}

/* known: what the items of a list are that says so for all of them, or NULL. */
static void read_any(struct batch *batch, const struct mrd_field *field, const struct kind *known)
{
	struct mrd_reading *reading = &batch->reading;
	const struct mrd_field kind_field = mrd_field_get(field, "kind");
	const struct mrd_field version_field = mrd_field_get(field, "apiVersion");
	const char *kind = mrd_field_text(reading, &kind_field);
	const char *version = mrd_field_text(reading, &version_field);

	if (!field->node || field->node->kind != MRD_DOC_MAP) {
		mrd_field_error(reading, field,
				"must be an object: a map with apiVersion, kind and metadata");
		return;
	}
	if (!kind[0] && known) {
		read_known(batch, field, known);
		return;
	}
	if (batch->expected && is_metadata(kind, version)) {
		read_known(batch, field, batch->expected);
		return;
	}
	if (!kind[0]) {
		mrd_field_error(reading, &kind_field, "missing; an object says what it is");
		return;
	}
	if (!strcmp(kind, "List") && !strcmp(version, "v1")) {
		read_items(batch, field, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const bool is_list = !strcmp(kind, kinds[i].list_name);

		if (!is_list && strcmp(kind, kinds[i].name) != 0)
			continue;
		if (!version[0])
			mrd_field_error(reading, &version_field, "missing; must be %s",
					kinds[i].api_version);
		else if (strcmp(version, kinds[i].api_version) != 0)
			continue; /* somebody else's kind of the same name */
		else if (is_list)
			read_items(batch, field, &kinds[i]);
		else
			read_known(batch, field, &kinds[i]);
		return;
	}
}

static void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		mrd_object_free(batch->objects[i].object);
	free(batch->objects);
}

static const struct kind *row_of(enum mrd_kind kind)
{
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && kinds[i].kind != kind)
		i++;
	return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}

int mrd_object_read_as(enum mrd_kind expected, const struct mrd_doc_node *root, const char *file,
		       struct mrd_diag *diag, mrd_object_fn fn, void *self)
{
	MRD_CLEANUP(batch_clear)
	struct batch batch = {.reading = {.file = file, .diag = diag},
			      .expected = row_of(expected)};
	const struct mrd_field field = mrd_field_root(root);
	int ret = 0;

	if (!field.node)
		return 0; /* an empty document between two "---" */
	read_any(&batch, &field, NULL);
	if (batch.reading.no_memory)
		return -ENOMEM;
	if (batch.reading.errors)
		return -EBADMSG;
	for (size_t i = 0; i < batch.count && !ret; i++)
		ret = fn(self, MRD_STEAL_PTR(batch.objects[i].object), &batch.objects[i].place);
	return ret;
}

int mrd_object_read(const struct mrd_doc_node *root, const char *file, struct mrd_diag *diag,
		    mrd_object_fn fn, void *self)
{
	return mrd_object_read_as(MRD_KIND_COUNT, root, file, diag, fn, self);
}
