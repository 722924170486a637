/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "source/unit.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/doc.h"
#include "source/object_doc.h"

struct object_list {
	struct mrd_owned_object *objects;
	size_t count;
	size_t room;
};

static void object_list_clear(struct object_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		mrd_object_free(list->objects[i].object);
	free(list->objects);
}

static void cleanup_doc(struct mrd_doc_file **doc)
{
	mrd_doc_free(*doc);
}

static int collect(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	struct object_list *list = self;

	if (list->count == list->room) {
		const size_t room = list->room ? list->room * 2 : 1;
		struct mrd_owned_object *grown = reallocarray(list->objects, room, sizeof(*grown));

		if (!grown) {
			mrd_object_free(object);
			return -ENOMEM;
		}
		list->objects = grown;
		list->room = room;
	}
	list->objects[list->count++] = (struct mrd_owned_object){
		.object = object,
		.line = at->line,
		.column = at->column,
	};
	return 0;
}

/* ------------------------------------------------------------------------ life */

int mrd_unit_new(struct mrd_owners *owners, const char *path, struct mrd_unit **ret_unit)
{
	struct mrd_unit *unit = calloc(1, sizeof(*unit));

	if (!unit)
		return -ENOMEM;
	unit->path = strdup(path);
	if (!unit->path || mrd_owners_add(owners, path, &unit->owner) < 0) {
		free(unit->path);
		free(unit);
		return -ENOMEM;
	}
	*ret_unit = unit;
	return 0;
}

void mrd_unit_free(struct mrd_unit *unit)
{
	if (!unit)
		return;
	mrd_diag_free(&unit->said);
	free(unit->error);
	free(unit->path);
	free(unit);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static struct mrd_stamp stamp_of(const struct stat *info)
{
	return (struct mrd_stamp){
		.device = info->st_dev,
		.inode = info->st_ino,
		.size = info->st_size,
		.modified = info->st_mtim,
		.changed = info->st_ctim,
	};
}

bool mrd_unit_differs(const struct mrd_unit *unit)
{
	struct mrd_stamp now;
	struct stat info;

	if (stat(unit->path, &info) < 0)
		return true;
	now = stamp_of(&info);
	return now.device != unit->stamp.device || now.inode != unit->stamp.inode ||
	       now.size != unit->stamp.size || !same_time(&now.modified, &unit->stamp.modified) ||
	       !same_time(&now.changed, &unit->stamp.changed);
}

/* ------------------------------------------------------------------------ findings */

static bool said_before(const struct mrd_unit *unit, const struct mrd_finding *finding)
{
	for (size_t i = 0; i < unit->said.count; i++) {
		const struct mrd_finding *said = &unit->said.findings[i];

		if (said->line == finding->line && said->column == finding->column &&
		    said->severity == finding->severity && !strcmp(said->field, finding->field) &&
		    !strcmp(said->reason, finding->reason))
			return true;
	}
	return false;
}

/* The first error as a single line, for the status. */
static char *first_error(const struct mrd_diag *diag)
{
	char *text = NULL;

	for (size_t i = 0; i < diag->count && !text; i++)
		if (diag->findings[i].severity == MRD_ERROR)
			text = mrd_finding_text(&diag->findings[i]);
	for (char *at = text; at && *at; at++)
		if (iscntrl((unsigned char)*at))
			*at = ' ';
	return text;
}

/* Adds what is new to news and remembers all of it. Takes the findings over. */
static void remember(struct mrd_unit *unit, struct mrd_diag *diag, struct mrd_diag *news,
		     uint64_t now_ns)
{
	mrd_diag_sort(diag);
	for (size_t i = 0; i < diag->count; i++)
		if (!said_before(unit, &diag->findings[i]))
			mrd_diag_copy(news, &diag->findings[i]);
	mrd_diag_free(&unit->said);
	unit->said = *diag;
	*diag = (struct mrd_diag){0};
	free(unit->error);
	unit->error = first_error(&unit->said);
	unit->error_ns = now_ns;
}

/* ------------------------------------------------------------------------ reading */

void mrd_unit_set_present(struct mrd_unit *unit, struct mrd_owners *owners)
{
	unit->gone_since_ns = 0;
	mrd_owners_set_gone(owners, unit->owner, false);
}

static void set_gone(struct mrd_unit *unit, struct mrd_owners *owners, uint64_t now_ns)
{
	if (!unit->gone_since_ns)
		unit->gone_since_ns = now_ns;
	unit->retry = false;
	mrd_owners_set_gone(owners, unit->owner, true);
}

/*
 * Is there nothing behind an object's kind? kubectl writes it before the metadata that every object
 * has, so that a file may be cut off within the kind's name, which then is none of ours.
 */
static bool is_cut(const struct mrd_doc_node *root)
{
	return root && root->kind == MRD_DOC_MAP && mrd_doc_get(root, "kind") &&
	       !mrd_doc_get(root, "metadata") && !mrd_doc_get(root, "items");
}

/* Collects the objects of all documents. What is wrong is in diag. */
static int read_objects(const char *path, bool had_objects, struct mrd_diag *diag,
			struct object_list *list)
{
	MRD_CLEANUP(cleanup_doc) struct mrd_doc_file *doc = NULL;
	bool is_empty = true;
	int ret = mrd_doc_read(path, diag, &doc);

	if (ret < 0 && ret != -EBADMSG)
		return ret;
	for (size_t i = 0; i < mrd_doc_count(doc); i++) {
		const struct mrd_doc_node *root = mrd_doc_root(doc, i);

		is_empty &= !root;
		ret = mrd_object_read(root, path, diag, collect, list);
		if (!ret && had_objects && i + 1 == mrd_doc_count(doc) && is_cut(root))
			mrd_diag_add(diag, MRD_ERROR,
				     &(struct mrd_place){path, root->line, root->column},
				     "metadata",
				     "missing; delete the file to take its objects away");
		if (ret < 0 && ret != -EBADMSG)
			return ret;
	}
	return is_empty && !diag->errors ? -ENODATA : 0;
}

/*
 * "kubectl get … > file" truncates the file first, and leaves it empty if it fails: an empty file
 * takes nothing away. Deleting it does.
 */
static int note_failure(const struct mrd_unit *unit, int error, struct mrd_diag *diag)
{
	const struct mrd_place place = {.file = unit->path};
	const struct mrd_place begin = {.file = unit->path, .line = 1, .column = 1};

	if (error == -ENODATA && mrd_owner_count(unit->owner))
		mrd_diag_add(diag, MRD_ERROR, &begin, "",
			     "is empty; delete the file to take its objects away");
	else if (error != -ENODATA)
		mrd_diag_add(diag, MRD_ERROR, &place, "", "cannot be read: %s", strerror(-error));
	return diag->errors ? -EBADMSG : 0;
}

static int read_whole(struct mrd_unit *unit, struct mrd_owners *owners, struct mrd_diag *diag)
{
	MRD_CLEANUP(object_list_clear) struct object_list list = {0};
	int ret = read_objects(unit->path, mrd_owner_count(unit->owner), diag, &list);

	if (ret == -ENOMEM || ret == -ENOENT)
		return ret;
	unit->retry = ret < 0 && ret != -ENODATA;
	if (ret < 0) {
		ret = note_failure(unit, ret, diag);
		if (ret < 0)
			return ret;
	}
	if (diag->errors)
		return -EBADMSG;
	return mrd_owners_replace(owners, unit->owner, list.objects, list.count, diag);
}

int mrd_unit_read(struct mrd_unit *unit, struct mrd_owners *owners, uint64_t now_ns,
		  struct mrd_diag *news, bool *ret_recovered)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	const bool was_broken = unit->broken;
	struct stat info = {0}, link;
	int ret;

	*ret_recovered = false;
	/* Looked at before it is read: a change in between shows at the next look. Nothing but
	 * plain files is opened, for a pipe would block. */
	if (stat(unit->path, &info) < 0 ? errno == ENOENT : !S_ISREG(info.st_mode)) {
		set_gone(unit, owners, now_ns);
		return 0;
	}
	unit->stamp = stamp_of(&info);
	unit->is_link = !lstat(unit->path, &link) && S_ISLNK(link.st_mode);
	ret = read_whole(unit, owners, &diag);
	if (ret == -ENOENT) {
		set_gone(unit, owners, now_ns);
		return 0;
	}
	if (ret == -ENOMEM) {
		unit->retry = true;
		return ret;
	}
	mrd_unit_set_present(unit, owners);
	unit->broken = ret < 0;
	if (!unit->broken)
		unit->broken_ns = 0;
	else if (!unit->broken_ns)
		unit->broken_ns = now_ns;
	*ret_recovered = was_broken && !unit->broken;
	remember(unit, &diag, news, now_ns);
	return 0;
}
