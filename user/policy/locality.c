/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/locality.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { SEGMENTS = 3 };

/* A segment's text; "" for a "*", which must be the last one. NULL: *ret_error says why. */
static char *segment(const char *text, size_t len, bool last, int *ret_error)
{
	char *copy;

	if (!len) {
		*ret_error = -EINVAL;
		return NULL;
	}
	if (memchr(text, '*', len)) {
		if (len != 1 || !last) {
			*ret_error = -EDOM;
			return NULL;
		}
		len = 0;
	}
	copy = strndup(text, len);
	if (!copy)
		*ret_error = -ENOMEM;
	return copy;
}

int mrd_locality_parse(const char *text, struct mrd_locality_match *ret_match)
{
	MRD_CLEANUP(mrd_locality_match_free) struct mrd_locality_match match = {0};
	char **const parts[SEGMENTS] = {&match.region, &match.zone, &match.subzone};
	bool ended = false;
	int error = 0;

	for (size_t i = 0; i < SEGMENTS; i++) {
		const size_t len = ended ? 0 : strcspn(text, "/");
		const bool last = !text[len];

		*parts[i] = ended ? strdup("") : segment(text, len, last, &error);
		if (!*parts[i])
			return error ? error : -ENOMEM;
		ended |= last;
		text += len + (last ? 0 : 1);
	}
	*ret_match = (struct mrd_locality_match){
		.region = MRD_STEAL_PTR(match.region),
		.zone = MRD_STEAL_PTR(match.zone),
		.subzone = MRD_STEAL_PTR(match.subzone),
	};
	return 0;
}

void mrd_locality_match_free(struct mrd_locality_match *match)
{
	free(match->region);
	free(match->zone);
	free(match->subzone);
	*match = (struct mrd_locality_match){0};
}

static void distribute_free(struct mrd_distribute *rule)
{
	mrd_locality_match_free(&rule->from);
	for (size_t i = 0; i < rule->to_count; i++)
		mrd_locality_match_free(&rule->to[i].to);
	free(rule->to);
}

void mrd_locality_setting_free(struct mrd_locality_setting *setting)
{
	if (!setting)
		return;
	for (size_t i = 0; i < setting->distribute_count; i++)
		distribute_free(&setting->distribute[i]);
	free(setting->distribute);
	for (size_t i = 0; i < setting->failover_count; i++) {
		free(setting->failover[i].from);
		free(setting->failover[i].to);
	}
	free(setting->failover);
	for (size_t i = 0; i < setting->priority_count; i++) {
		free(setting->priority[i].key);
		free(setting->priority[i].value);
	}
	free(setting->priority);
	free(setting);
}
