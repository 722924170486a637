/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine_state.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

/* A full map does not empty by itself, so there is no hurry; a passing fault should not last. */
static const uint64_t retry_least_ns = 1000ULL * MRD_NS_PER_MS;
static const uint64_t retry_most_ns = 30000ULL * MRD_NS_PER_MS;

enum { REMOVALS_SHORT = 8 }; /* services */

int mrd_engine_new(const struct mrd_engine_config *config, struct mrd_engine **ret_engine)
{
	struct mrd_engine *engine = calloc(1, sizeof(*engine));
	int r;

	if (!engine)
		return -ENOMEM;
	engine->writer = config->writer;
	engine->now_ns = config->now_ns;
	engine->drain = config->drain;
	engine->relax = config->relax;
	engine->self = config->self;
	engine->event_fd = config->event_fd;
	engine->regions = mrd_table_new(NULL);
	engine->sweeping = mrd_table_new(NULL);
	engine->warming = mrd_table_new(NULL);
	r = mrd_book_init(&engine->book);
	r = r ?: mrd_ids_new(&engine->ids);
	if (!r && (!engine->regions || !engine->sweeping || !engine->warming))
		r = -ENOMEM;
	if (r) {
		mrd_engine_free(engine);
		return r;
	}
	engine->batch = (struct mrd_batch){
		.writer = &engine->writer,
		.ids = engine->ids,
		.book = &engine->book,
	};
	*ret_engine = engine;
	return 0;
}

void mrd_engine_free(struct mrd_engine *engine)
{
	if (!engine)
		return;
	mrd_batch_clear(&engine->batch);
	mrd_book_clear(&engine->book);
	mrd_ids_free(engine->ids);
	mrd_table_free(engine->regions);
	mrd_table_free(engine->sweeping);
	mrd_table_free(engine->warming);
	free(engine->notes);
	free(engine);
}

struct mrd_ids *mrd_engine_ids(struct mrd_engine *engine)
{
	return engine->ids;
}

void mrd_engine_breathe(const struct mrd_engine *engine)
{
	if (engine->drain)
		engine->drain(engine->self);
}

void mrd_engine_relax(const struct mrd_engine *engine)
{
	if (engine->relax)
		engine->relax(engine->self);
}

void mrd_engine_revisit(struct mrd_engine *engine, struct mrd_book_service *service)
{
	if (!service->revisit)
		engine->revisits++;
	service->revisit = true;
}

static void revisit_all(struct mrd_engine *engine)
{
	struct mrd_book_service *service;
	size_t cursor = 0;

	while ((service = mrd_table_next(engine->book.services, &cursor, NULL, NULL)))
		mrd_engine_revisit(engine, service);
}

void mrd_engine_set_input(struct mrd_engine *engine, const struct mrd_engine_input *input)
{
	engine->input = *input;
	mrd_model_touch_all(input->model);
	revisit_all(engine); /* also those that this model does not have */
}

/* ------------------------------------------------------------------------------ after a restart */

int mrd_engine_adopt(struct mrd_engine *engine, const struct mrd_name *name, struct mrd_rows *rows,
		     bool answered, bool in_kernel)
{
	char key[2 * MRD_NAME_LEN];
	struct mrd_book_service *service;
	struct mrd_entry *entry = NULL;
	int r;

	snprintf(key, sizeof(key), "%s/%s", name->namespace_, name->service);
	service = mrd_book_service(&engine->book, key);
	if (service)
		entry = mrd_book_entry(&engine->book, service, mrd_rows_service_id(rows), name);
	if (!entry) {
		mrd_rows_free(rows);
		return -ENOMEM;
	}
	service->held = true;
	service->replaced = !in_kernel;
	engine->holding = true;
	entry->watch->is_http |= answered;
	r = mrd_engine_restore(engine, entry, rows);
	if (in_kernel)
		entry->rows = rows;
	else
		mrd_rows_free(rows);
	return r;
}

void mrd_engine_release(struct mrd_engine *engine)
{
	struct mrd_book_service *service;
	size_t cursor = 0;

	engine->holding = false;
	engine->is_told = NULL;
	while ((service = mrd_table_next(engine->book.services, &cursor, NULL, NULL))) {
		service->held = false;
		mrd_engine_revisit(engine, service);
	}
}

void mrd_engine_release_told(struct mrd_engine *engine, mrd_told_fn fn, void *self)
{
	engine->is_told = fn;
	engine->told_self = self;
	revisit_all(engine);
}

int mrd_engine_walk_service(
	const struct mrd_engine *engine, const char *namespace_, const char *name,
	int (*fn)(void *self, const struct mrd_name *name, const struct mrd_rows *rows), void *self)
{
	char key[2 * MRD_NAME_LEN];
	const struct mrd_book_service *service;
	int r = 0;

	snprintf(key, sizeof(key), "%s/%s", namespace_, name);
	service = mrd_book_find_service(&engine->book, key);
	for (size_t i = 0; service && !r && i < service->entry_count; i++)
		if (service->entries[i]->rows)
			r = fn(self, &service->entries[i]->name, service->entries[i]->rows);
	return r;
}

int mrd_engine_walk_held(const struct mrd_engine *engine,
			 int (*fn)(void *self, const struct mrd_name *name,
				   const struct mrd_rows *rows),
			 void *self)
{
	const struct mrd_entry *entry;
	size_t cursor = 0;
	int r = 0;

	while (!r && (entry = mrd_table_next(engine->book.entries, &cursor, NULL, NULL)))
		if (entry->service->held && entry->rows)
			r = fn(self, &entry->name, entry->rows);
	return r;
}

bool mrd_engine_is_holding(const struct mrd_engine *engine)
{
	return engine->holding;
}

/* -------------------------------------------------------------------------------------- rounds */

static void plan_key(struct mrd_engine *engine, const char *key)
{
	char *copy MRD_AUTO_FREE = strdup(key); /* the model's string does not last */
	struct mrd_book_service *service = mrd_book_find_service(&engine->book, key);
	char *slash = copy ? strchr(copy, '/') : NULL;

	if (service && service->revisit) {
		service->revisit = false;
		engine->revisits--;
	}
	if (!slash)
		return;
	*slash = '\0';
	if (service && service->held)
		service->held =
			!engine->is_told || !engine->is_told(engine->told_self, copy, slash + 1);
	if (service && service->held)
		return;
	mrd_engine_breathe(engine);
	mrd_engine_plan_service(engine, copy, slash + 1);
}

static bool is_over(const struct mrd_engine *engine, uint64_t until_ns)
{
	const uint64_t now_ns = engine->now_ns();

	return until_ns != UINT64_MAX &&
	       (now_ns >= until_ns || now_ns < mrd_engine_settles_at(engine));
}

/* Returns whether the time was over before the work. */
static bool plan_dirty(struct mrd_engine *engine, uint64_t until_ns)
{
	const char *key;

	while ((key = mrd_model_next_dirty(engine->input.model))) {
		plan_key(engine, key);
		if (is_over(engine, until_ns))
			return true;
	}
	return false;
}

static bool plan_revisits(struct mrd_engine *engine, uint64_t until_ns)
{
	struct mrd_book_service *service;
	size_t cursor = 0;

	while (engine->revisits &&
	       (service = mrd_table_next(engine->book.services, &cursor, NULL, NULL))) {
		if (!service->revisit)
			continue;
		plan_key(engine, service->key);
		if (is_over(engine, until_ns))
			return true;
	}
	engine->revisits = 0;
	return false;
}

void mrd_engine_revisit_failed(struct mrd_engine *engine)
{
	struct mrd_book_service *service;
	size_t cursor = 0;

	if (!engine->failing)
		return;
	while ((service = mrd_table_next(engine->book.services, &cursor, NULL, NULL)))
		if (service->error)
			mrd_engine_revisit(engine, service);
}

/* The deletions, and another try for those that found a map full. Returns whether there is one. */
static bool finish(struct mrd_engine *engine)
{
	size_t undeleted;
	size_t deleted;

	if (engine->batch.removal_count > REMOVALS_SHORT)
		mrd_engine_relax(engine);
	deleted = mrd_batch_finish(&engine->batch, &undeleted);
	if (undeleted)
		mrd_log_warn("rows could not be deleted", MRD_KV_NUM("rows", undeleted),
			     MRD_KV("consequence", "they take room until an agent starts again"));
	if (deleted)
		mrd_engine_revisit_failed(engine);
	return engine->revisits;
}

static void schedule_retry(struct mrd_engine *engine)
{
	const uint64_t now_ns = engine->now_ns();

	if (!engine->failing) {
		engine->retry_at_ns = 0;
		engine->retry_delay_ns = 0;
	} else if (engine->retry_at_ns <= now_ns) {
		engine->retry_delay_ns = engine->retry_delay_ns * 2 ?: retry_least_ns;
		if (engine->retry_delay_ns > retry_most_ns)
			engine->retry_delay_ns = retry_most_ns;
		engine->retry_at_ns = now_ns + engine->retry_delay_ns;
	}
}

static void sum_up(struct mrd_engine *engine)
{
	const struct mrd_round *round = &engine->round;

	if (round->ports > round->lines)
		mrd_log_info("plans written", MRD_KV_NUM("services", round->services),
			     MRD_KV_NUM("ports", round->ports),
			     MRD_KV_NUM("operations", round->operations),
			     MRD_KV_NUM("not_shown", round->ports - round->lines));
	if (round->failed > round->failure_lines)
		mrd_log_error("plans not written", MRD_KV_NUM("services", round->failed),
			      MRD_KV_NUM("not_shown", round->failed - round->failure_lines),
			      MRD_KV("consequence", "their old plans stand"));
	engine->round = (struct mrd_round){0};
}

bool mrd_engine_round(struct mrd_engine *engine, uint64_t until_ns)
{
	bool tried_again = false;

	engine->burst_since_ns = 0;
	mrd_engine_tell(engine);
	if (engine->input.is_frozen)
		return false;
	do {
		if (plan_dirty(engine, until_ns) || plan_revisits(engine, until_ns))
			return true;
		if (!engine->batch.removal_count || !finish(engine))
			break;
		tried_again = !tried_again;
	} while (tried_again); /* once: what fails again waits for its time */
	mrd_engine_tell(engine);
	schedule_retry(engine);
	sum_up(engine);
	return false;
}

bool mrd_engine_is_settled(const struct mrd_engine *engine)
{
	return !engine->holding && !engine->failing && !engine->input.is_frozen;
}

/* ------------------------------------------------------------------------------------- telling */

static bool is_resetting(const struct mrd_entry *entry)
{
	const struct mrd_setting *setting =
		entry->rows ? mrd_rows_get(entry->rows, MRD_MAP_SETTING, &entry->id) : NULL;

	return setting && setting->on_eject == MRD_EJECT_RESET;
}

void mrd_engine_get_status(const struct mrd_engine *engine, struct mrd_engine_status *ret_status)
{
	const struct mrd_book_service *service;
	const struct mrd_entry *entry;
	size_t cursor = 0;

	*ret_status = (struct mrd_engine_status){
		.holding = engine->holding,
		.last_plan_ns = engine->last_plan_ns,
		.unwritten = engine->failing,
		.plans_written = engine->plans_written,
		.plans_failed = engine->plans_failed,
		.ejection_delay = engine->ejection_delay,
		.planning = engine->planning,
		.writing = engine->writing,
	};
	memcpy(ret_status->ejections, engine->ejections, sizeof(engine->ejections));
	while ((service = mrd_table_next(engine->book.services, &cursor, NULL, NULL))) {
		ret_status->services += service->entry_count && service->entries[0]->rows;
		ret_status->held += service->held;
	}
	cursor = 0;
	while ((entry = mrd_table_next(engine->book.entries, &cursor, NULL, NULL))) {
		ret_status->ports += entry->rows != NULL;
		ret_status->resetting += is_resetting(entry);
		/* Both families have one detector; it is asked once. */
		if (entry->watch->detector &&
		    entry != (entry->watch->ipv4 ? entry->watch->ipv6 : NULL))
			ret_status->ejected += mrd_outlier_ejected_count(entry->watch->detector);
	}
	mrd_latency_summarise(&engine->latency, &ret_status->ejection);
}

void mrd_engine_count_rows(const struct mrd_engine *engine, uint64_t ret_rows[MRD_MAP_COUNT])
{
	const struct mrd_entry *entry;
	size_t cursor = 0;

	memset(ret_rows, 0, MRD_MAP_COUNT * sizeof(*ret_rows));
	while ((entry = mrd_table_next(engine->book.entries, &cursor, NULL, NULL)))
		for (enum mrd_map map = 0; entry->rows && map < MRD_MAP_COUNT; map++)
			ret_rows[map] += mrd_rows_count(entry->rows, map);
	ret_rows[MRD_MAP_LOCALITY] = UINT64_MAX;
}

void mrd_engine_unwritten(const struct mrd_engine *engine,
			  void (*fn)(void *self, const char *service, const char *error,
				     uint64_t since_ns, bool has_plan),
			  void *self)
{
	const struct mrd_book_service *service;
	size_t cursor = 0;

	while ((service = mrd_table_next(engine->book.services, &cursor, NULL, NULL)))
		if (service->error)
			fn(self, service->key, service->error, service->failing_since_ns,
			   mrd_book_has_rows(service));
}

const char *mrd_engine_lost(const struct mrd_engine *engine, const char **ret_error)
{
	const struct mrd_book_service *service;
	size_t cursor = 0;

	while ((service = mrd_table_next(engine->book.services, &cursor, NULL, NULL)))
		if (service->error && service->replaced && !mrd_book_has_rows(service)) {
			*ret_error = service->error;
			return service->key;
		}
	return NULL;
}
