/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Endpoints wait in a list until all their connections are dealt with. If that cannot be done at
 * all, they are given up: the connections stay as they are, and the log says why. */
#include "agent/resets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	RESETS_AT_ONCE = 500,
	PAUSE_MS = 100, /* so 5,000 a second at most */
};

struct mrd_resets {
	struct mrd_resets_config config;
	uint32_t *waiting; /* endpoint ids */
	size_t waiting_count;
	uint64_t ended; /* in all */
	uint64_t round; /* of those that wait now */
	uint64_t flows;
	uint64_t unseen;
	bool is_checked;
	int check; /* what came of it */
};

struct mrd_resets *mrd_resets_new(const struct mrd_resets_config *config)
{
	struct mrd_resets *resets = calloc(1, sizeof(*resets));

	if (resets)
		resets->config = *config;
	return resets;
}

void mrd_resets_free(struct mrd_resets *resets)
{
	if (!resets)
		return;
	free(resets->waiting);
	free(resets);
}

/* -------------------------------------------------------------------------- what is in the way */

/* With the remedy. */
static const char *words_for(int error)
{
	switch (error) {
	case -EPERM:
		return "network namespaces of pods cannot be entered: CAP_SYS_ADMIN, in "
		       "Kubernetes by the component deploy/daemonset/reset";
	case -ENOENT:
		return "network namespaces of pods are not in sight: the node's /run/netns, or "
		       "its processes in /proc with CAP_SYS_PTRACE";
	case -EOPNOTSUPP:
		return "the kernel cannot: Linux 5.14 with INET_DIAG_DESTROY";
	default:
		return strerror(-error);
	}
}

const char *mrd_resets_obstacle(struct mrd_resets *resets)
{
	if (!resets->is_checked) {
		resets->is_checked = true;
		resets->check = resets->config.check(resets->config.self);
		if (resets->check)
			mrd_log_warn("connections will not be reset",
				     MRD_KV("reason", words_for(resets->check)),
				     MRD_KV("consequence", "on-eject: reset does nothing"));
	}
	return resets->check ? words_for(resets->check) : NULL;
}

/* ---------------------------------------------------------------------------- what is to be ended
 */

static bool asks_for_it(const struct mrd_resets *resets, uint32_t service_id)
{
	const struct mrd_map_writer *writer = &resets->config.writer;
	struct mrd_setting setting;

	return !writer->get(writer->self, MRD_MAP_SETTING, &service_id, &setting) &&
	       setting.on_eject == MRD_EJECT_RESET;
}

/* Does this row take an endpoint out that was not out before? */
static bool takes_out(const struct mrd_resets *resets, const void *key,
		      const struct mrd_health *health)
{
	const struct mrd_map_writer *writer = &resets->config.writer;
	struct mrd_health before;

	if (health->state != MRD_STATE_EJECTED && health->state != MRD_STATE_DRAINING)
		return false;
	return asks_for_it(resets, health->service_id) &&
	       !writer->get(writer->self, MRD_MAP_HEALTH, key, &before) &&
	       before.state != health->state;
}

static void add(struct mrd_resets *resets, uint32_t endpoint_id)
{
	uint32_t *more = reallocarray(resets->waiting, resets->waiting_count + 1, sizeof(*more));

	if (!more) {
		mrd_log_warn("connections not reset", MRD_KV("reason", "no memory"));
		return;
	}
	resets->waiting = more;
	more[resets->waiting_count++] = endpoint_id;
	if (resets->waiting_count == 1)
		resets->config.wake(resets->config.self, resets->config.now_ns());
}

static int put(void *self, enum mrd_map map, const void *key, const void *value, int create_only)
{
	struct mrd_resets *resets = self;
	const struct mrd_map_writer *writer = &resets->config.writer;
	const bool is_out = map == MRD_MAP_HEALTH && takes_out(resets, key, value);
	const int r = writer->put(writer->self, map, key, value, create_only);

	if (map == MRD_MAP_SETTING &&
	    ((const struct mrd_setting *)value)->on_eject == MRD_EJECT_RESET)
		mrd_resets_obstacle(resets);
	if (!r && is_out)
		add(resets, *(const uint32_t *)key);
	return r;
}

static int del(void *self, enum mrd_map map, const void *key, uint32_t service_id)
{
	struct mrd_resets *resets = self;
	const struct mrd_map_writer *writer = &resets->config.writer;
	const bool is_out = map == MRD_MAP_HEALTH && asks_for_it(resets, service_id);
	const int r = writer->del(writer->self, map, key, service_id);

	if (!r && is_out)
		add(resets, *(const uint32_t *)key);
	return r;
}

static int get(void *self, enum mrd_map map, const void *key, void *ret_value)
{
	const struct mrd_resets *resets = self;
	const struct mrd_map_writer *writer = &resets->config.writer;

	return writer->get(writer->self, map, key, ret_value);
}

struct mrd_map_writer mrd_resets_writer(struct mrd_resets *resets)
{
	return (struct mrd_map_writer){.self = resets, .put = put, .del = del, .get = get};
}

/* ----------------------------------------------------------------------------------- ending it */

static int compare_ids(const void *left, const void *right)
{
	const uint32_t a = *(const uint32_t *)left;
	const uint32_t b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static void tell(struct mrd_resets *resets, int error)
{
	if (resets->round || resets->flows)
		mrd_log_info("connections reset", MRD_KV_NUM("endpoints", resets->waiting_count),
			     MRD_KV_NUM("connections", resets->round),
			     MRD_KV_NUM("flows", resets->flows));
	if (error || resets->unseen)
		mrd_log_warn("connections not reset",
			     MRD_KV_NUM("endpoints", resets->waiting_count),
			     MRD_KV("reason", words_for(error ? error : -ENOENT)),
			     MRD_KV("consequence", "they stay with endpoints that are out"));
}

void mrd_resets_run(struct mrd_resets *resets)
{
	const struct mrd_resets_config *config = &resets->config;
	struct mrd_reset done = {0};
	int r;

	if (!resets->waiting_count)
		return;
	qsort(resets->waiting, resets->waiting_count, sizeof(*resets->waiting), compare_ids);
	r = config->reset(config->self, resets->waiting, resets->waiting_count, RESETS_AT_ONCE,
			  &done);
	resets->ended += done.ended + done.flows;
	resets->round += done.ended;
	resets->flows += done.flows;
	resets->unseen += done.unseen;
	if (!r && done.more) {
		config->wake(config->self, config->now_ns() + PAUSE_MS * MRD_NS_PER_MS);
		return;
	}
	tell(resets, r);
	resets->waiting_count = 0;
	resets->round = 0;
	resets->flows = 0;
	resets->unseen = 0;
}

uint64_t mrd_resets_count(const struct mrd_resets *resets)
{
	return resets->ended;
}
