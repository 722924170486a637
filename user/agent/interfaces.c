/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/interfaces.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"

static const uint64_t retry_least_ns = 1000ULL * MRD_NS_PER_MS;
static const uint64_t retry_most_ns = 60000ULL * MRD_NS_PER_MS;

struct entry {
	struct mrd_link link;
	enum mrd_interface_kind wanted;
	enum mrd_interface_kind served;
	struct mrd_interface row; /* that it is served by */
	bool is_gone;		  /* to be forgotten once what is left of it is */
	bool is_left;		  /* an earlier agent's, or one whose interface may be gone */
	bool is_listed;		  /* the list that is under way has told of it */
	bool is_queued;
	uint64_t retry_ns; /* how long to wait after the next failure */
	uint64_t due_ns;   /* 0: has not failed */
	char *error;
	struct entry *next; /* in the queue */
};

struct queue {
	struct entry *first;
	struct entry *last;
};

/*
 * News come first: a list of hundreds takes seconds, and a pod that starts meanwhile waits for one
 * interface at most. Of a list the last one told of comes first: that is the youngest, whose news
 * may have been lost while an earlier list is still being served.
 */
enum { QUEUE_NEWS, QUEUE_LIST, QUEUES };

struct mrd_interfaces {
	struct mrd_interface_port port;
	const struct mrd_interface_choice *choice;
	struct mrd_table *entries; /* by index */
	struct queue queues[QUEUES];
	size_t queued;
	bool is_first_list; /* who is told of now may have been served by an earlier agent */
};

/* ----------------------------------------------------------------------------------- decisions */

const char *mrd_interface_kind_name(enum mrd_interface_kind kind)
{
	static const char *const names[] = {
		[MRD_INTERFACE_OTHER] = "other",
		[MRD_INTERFACE_POD] = "pod",
		[MRD_INTERFACE_UPLINK] = "uplink",
	};

	return names[kind];
}

static bool is_named(const struct mrd_interface_choice *choice, const char *name)
{
	for (size_t i = 0; i < choice->glob_count; i++)
		if (!fnmatch(choice->globs[i], name, 0))
			return true;
	return false;
}

enum mrd_interface_kind mrd_interface_kind(const struct mrd_interface_choice *choice,
					   const struct mrd_link *link)
{
	const bool is_veth = !strcmp(link->kind, "veth");

	/* Nothing but Ethernet has the headers that the programs look for, and what a host says to
	 * itself is no pod's. */
	if (!link->is_ethernet || link->is_loopback)
		return MRD_INTERFACE_OTHER;
	switch (choice->mode) {
	case MRD_INTERFACES_NONE:
		return MRD_INTERFACE_OTHER;
	case MRD_INTERFACES_AUTO:
		return is_veth && link->netns_id >= 0 ? MRD_INTERFACE_POD : MRD_INTERFACE_OTHER;
	case MRD_INTERFACES_GLOBS:
		if (!is_named(choice, link->name))
			return MRD_INTERFACE_OTHER;
		return is_veth ? MRD_INTERFACE_POD : MRD_INTERFACE_UPLINK;
	}
	return MRD_INTERFACE_OTHER;
}

static struct mrd_interface row_of(const struct entry *entry)
{
	return (struct mrd_interface){
		.netns_id = entry->link.netns_id,
		.is_uplink = entry->wanted == MRD_INTERFACE_UPLINK,
	};
}

static bool is_done(const struct entry *entry)
{
	const struct mrd_interface row = row_of(entry);

	if (entry->is_gone || entry->wanted != entry->served)
		return false;
	if (entry->wanted == MRD_INTERFACE_OTHER)
		return !entry->is_left;
	return !memcmp(&row, &entry->row, sizeof(row));
}

/* ---------------------------------------------------------------------------------- the entries */

static void free_entry(void *value)
{
	struct entry *entry = value;

	free(entry->error);
	free(entry);
}

int mrd_interfaces_new(const struct mrd_interface_port *port,
		       struct mrd_interfaces **ret_interfaces)
{
	static const struct mrd_interface_choice nothing = {.mode = MRD_INTERFACES_NONE};
	struct mrd_interfaces *interfaces = calloc(1, sizeof(*interfaces));

	if (!interfaces)
		return -ENOMEM;
	interfaces->port = *port;
	interfaces->choice = &nothing;
	interfaces->is_first_list = true;
	interfaces->entries = mrd_table_new(free_entry);
	if (!interfaces->entries) {
		free(interfaces);
		return -ENOMEM;
	}
	*ret_interfaces = interfaces;
	return 0;
}

void mrd_interfaces_free(struct mrd_interfaces *interfaces)
{
	if (!interfaces)
		return;
	mrd_table_free(interfaces->entries);
	free(interfaces);
}

static void enqueue(struct mrd_interfaces *interfaces, struct entry *entry, int which)
{
	struct queue *queue = &interfaces->queues[which];

	if (entry->is_queued)
		return;
	entry->is_queued = true;
	entry->next = which == QUEUE_LIST ? queue->first : NULL;
	if (!queue->first)
		queue->first = queue->last = entry;
	else if (which == QUEUE_LIST)
		queue->first = entry;
	else
		queue->last = queue->last->next = entry;
	interfaces->queued++;
}

static struct entry *dequeue(struct mrd_interfaces *interfaces)
{
	for (int i = 0; i < QUEUES; i++) {
		struct queue *queue = &interfaces->queues[i];
		struct entry *entry = queue->first;

		if (!entry)
			continue;
		queue->first = entry->next;
		if (!entry->next)
			queue->last = NULL;
		entry->is_queued = false;
		interfaces->queued--;
		return entry;
	}
	return NULL;
}

/* Nothing is left to be said of an entry. */
static void settle(struct entry *entry)
{
	free(entry->error);
	entry->error = NULL;
	entry->due_ns = 0;
	entry->retry_ns = retry_least_ns;
}

/* Looks at an entry anew: what was in vain is tried at once. */
static void review(struct mrd_interfaces *interfaces, struct entry *entry, int which)
{
	entry->wanted = entry->is_gone ? MRD_INTERFACE_OTHER
				       : mrd_interface_kind(interfaces->choice, &entry->link);
	if (is_done(entry))
		settle(entry);
	else
		enqueue(interfaces, entry, which);
}

static struct entry *find_or_make(struct mrd_interfaces *interfaces, uint32_t index)
{
	struct entry *entry = mrd_table_get(interfaces->entries, &index, sizeof(index));

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->link.index = index;
	entry->retry_ns = retry_least_ns;
	entry->is_left =
		interfaces->is_first_list && interfaces->port.is_left(interfaces->port.self, index);
	if (mrd_table_put(interfaces->entries, &index, sizeof(index), entry)) {
		free(entry);
		return NULL;
	}
	return entry;
}

/* ----------------------------------------------------------------------------------------- told */

void mrd_interfaces_choose(struct mrd_interfaces *interfaces,
			   const struct mrd_interface_choice *choice)
{
	struct entry *entry;
	size_t cursor = 0;

	interfaces->choice = choice;
	while ((entry = mrd_table_next(interfaces->entries, &cursor, NULL, NULL)))
		review(interfaces, entry, QUEUE_LIST);
}

void mrd_interfaces_listing(struct mrd_interfaces *interfaces)
{
	struct entry *entry;
	size_t cursor = 0;

	while ((entry = mrd_table_next(interfaces->entries, &cursor, NULL, NULL)))
		entry->is_listed = false;
}

static void forget(struct mrd_interfaces *interfaces, struct entry *entry)
{
	const bool is_left = entry->is_left || entry->served != MRD_INTERFACE_OTHER;

	if (!is_left && !entry->is_queued) {
		mrd_table_delete(interfaces->entries, &entry->link.index,
				 sizeof(entry->link.index));
		return;
	}
	/* Its number may be given to another: whatever is there is not what it was. */
	entry->is_gone = true;
	entry->is_left = is_left;
	entry->served = MRD_INTERFACE_OTHER;
	review(interfaces, entry, QUEUE_LIST);
}

void mrd_interfaces_listed(struct mrd_interfaces *interfaces)
{
	struct entry *entry;
	size_t cursor = 0;

	interfaces->is_first_list = false;
	while ((entry = mrd_table_next(interfaces->entries, &cursor, NULL, NULL)))
		if (!entry->is_listed && !entry->is_gone)
			forget(interfaces, entry);
}

/* Without memory an interface is not served until it is told of again. */
void mrd_interfaces_changed(struct mrd_interfaces *interfaces, const struct mrd_link *link)
{
	struct entry *entry = find_or_make(interfaces, link->index);

	if (!entry)
		return;
	entry->link = *link;
	entry->is_gone = false;
	entry->is_listed = true;
	review(interfaces, entry, link->is_listed ? QUEUE_LIST : QUEUE_NEWS);
}

void mrd_interfaces_gone(struct mrd_interfaces *interfaces, uint32_t index)
{
	struct entry *entry = mrd_table_get(interfaces->entries, &index, sizeof(index));

	if (entry)
		forget(interfaces, entry);
}

void mrd_interfaces_stale(struct mrd_interfaces *interfaces, uint32_t index)
{
	struct entry *entry = mrd_table_get(interfaces->entries, &index, sizeof(index));

	if (entry)
		return; /* told of: what is left there is known */
	entry = find_or_make(interfaces, index);
	if (entry) {
		entry->is_left = true;
		forget(interfaces, entry);
	}
}

/* ----------------------------------------------------------------------------------------- done */

/* Said once for each reason. */
static void fail(struct entry *entry, char *error, uint64_t now_ns)
{
	const bool is_new = !entry->error || !error || strcmp(entry->error, error) != 0;

	free(entry->error);
	entry->error = error;
	entry->due_ns = now_ns + entry->retry_ns;
	entry->retry_ns = entry->retry_ns * 2 < retry_most_ns ? entry->retry_ns * 2 : retry_most_ns;
	if (is_new)
		mrd_log_warn(
			"interface not served", MRD_KV("interface", entry->link.name),
			MRD_KV("reason", error ? error : "no memory"),
			MRD_KV("consequence", "socket hooks alone translate there; tried again"));
}

static void succeed(struct entry *entry)
{
	settle(entry);
	entry->served = entry->wanted;
	entry->row = row_of(entry);
	entry->is_left = false;
}

static void work_on(struct mrd_interfaces *interfaces, struct entry *entry, uint64_t now_ns)
{
	const struct mrd_interface_port *port = &interfaces->port;
	const uint32_t index = entry->link.index;
	const struct mrd_interface row = row_of(entry);
	char *error = NULL;
	int r;

	if (is_done(entry)) { /* it changed back while it waited */
		settle(entry);
		return;
	}
	r = entry->wanted == MRD_INTERFACE_OTHER ? port->leave(port->self, index, &error)
						 : port->serve(port->self, index, &row, &error);
	if (r == -ENODEV && !entry->is_gone) {
		free(error);
		return;
	}
	if (r < 0 && !entry->is_gone) {
		fail(entry, error, now_ns);
		return;
	}
	free(error);
	if (entry->is_gone) {
		mrd_table_delete(interfaces->entries, &index, sizeof(index));
		return;
	}
	mrd_log_debug(entry->wanted == MRD_INTERFACE_OTHER ? "interface left" : "interface served",
		      MRD_KV("interface", entry->link.name),
		      MRD_KV("kind", mrd_interface_kind_name(entry->wanted)));
	succeed(entry);
}

static void enqueue_due(struct mrd_interfaces *interfaces, uint64_t now_ns)
{
	struct entry *entry;
	size_t cursor = 0;

	while ((entry = mrd_table_next(interfaces->entries, &cursor, NULL, NULL)))
		if (entry->due_ns && entry->due_ns <= now_ns)
			enqueue(interfaces, entry, QUEUE_LIST);
}

bool mrd_interfaces_step(struct mrd_interfaces *interfaces, uint64_t now_ns)
{
	struct entry *entry;

	if (!interfaces->queued)
		enqueue_due(interfaces, now_ns);
	entry = dequeue(interfaces);
	if (!entry)
		return false;
	work_on(interfaces, entry, now_ns);
	return interfaces->queued > 0;
}

bool mrd_interfaces_has_news(const struct mrd_interfaces *interfaces)
{
	return interfaces->queues[QUEUE_NEWS].first != NULL;
}

uint64_t mrd_interfaces_due(const struct mrd_interfaces *interfaces)
{
	uint64_t due_ns = UINT64_MAX;
	const struct entry *entry;
	size_t cursor = 0;

	while ((entry = mrd_table_next(interfaces->entries, &cursor, NULL, NULL)))
		if (entry->due_ns && entry->due_ns < due_ns)
			due_ns = entry->due_ns;
	return due_ns;
}

/* --------------------------------------------------------------------------------------- status */

bool mrd_interfaces_is_there(const struct mrd_interfaces *interfaces, uint32_t index)
{
	const struct entry *entry = mrd_table_get(interfaces->entries, &index, sizeof(index));

	return interfaces->is_first_list || (entry && !entry->is_gone);
}

void mrd_interfaces_get_status(const struct mrd_interfaces *interfaces,
			       struct mrd_interfaces_status *ret_status)
{
	const struct entry *entry;
	size_t cursor = 0;

	*ret_status = (struct mrd_interfaces_status){.waiting = interfaces->queued};
	while ((entry = mrd_table_next(interfaces->entries, &cursor, NULL, NULL))) {
		ret_status->served[entry->served]++;
		ret_status->failed += entry->error != NULL;
	}
}

void mrd_interfaces_each(const struct mrd_interfaces *interfaces, mrd_interface_fn fn, void *self)
{
	const struct entry *entry;
	size_t cursor = 0;

	while ((entry = mrd_table_next(interfaces->entries, &cursor, NULL, NULL))) {
		const bool is_served = entry->served != MRD_INTERFACE_OTHER;

		if (is_served || entry->wanted != MRD_INTERFACE_OTHER || entry->error)
			fn(self, &entry->link, is_served ? entry->served : entry->wanted, is_served,
			   entry->error);
	}
}
