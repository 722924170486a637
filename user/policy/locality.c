/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/locality.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/label.h"

enum { SEGMENTS = 3 };

/* All segments, those below the subzone too: a "*" ends the last one, and none is empty. Beside
 * other letters it is one of them, as in Istio, and so of no place. */
static int check_segments(const char *text)
{
	bool last;

	do {
		const size_t len = strcspn(text, "/");

		last = !text[len];
		if (!len)
			return -EINVAL;
		if (memchr(text, '*', len) && (memchr(text, '*', len) != text + len - 1 || !last))
			return -EDOM;
		text += len + 1;
	} while (!last);
	return 0;
}

int mrd_locality_parse(const char *text, struct mrd_locality_match *ret_match)
{
	MRD_CLEANUP(mrd_locality_match_free) struct mrd_locality_match match = {0};
	char **const parts[SEGMENTS] = {&match.region, &match.zone, &match.subzone};
	const int error = check_segments(text);

	if (error)
		return error;
	for (size_t i = 0; i < SEGMENTS; i++) {
		const size_t len = strcspn(text, "/");

		*parts[i] = strndup(text, len == 1 && *text == '*' ? 0 : len);
		if (!*parts[i])
			return -ENOMEM;
		text += len + (text[len] == '/');
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

void mrd_locality_match_format(const struct mrd_locality_match *match, struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, "%s%s%s%s%s", *match->region ? match->region : "*",
			*match->zone ? "/" : "", match->zone, *match->subzone ? "/" : "",
			match->subzone);
}

const char *mrd_locality_unweighed(const struct mrd_locality_setting *setting)
{
	static const char *const inside[] = {MRD_LABEL_ZONE, MRD_LABEL_SUBZONE, MRD_LABEL_HOSTNAME};

	for (size_t i = 0; i < setting->priority_count; i++)
		for (size_t k = 0; k < sizeof(inside) / sizeof(*inside); k++)
			if (!setting->priority[i].value &&
			    !strcmp(setting->priority[i].key, inside[k]))
				return NULL;
	return setting->priority_count
		       ? "endpoints of one priority are equal; Envoy would prefer those of the own "
			 "zone by its capacity"
		       : "inside a region the split is even; Envoy would prefer the own zone by "
			 "its capacity";
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
