/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Localities as rules write them: "region/zone/subzone", "*" for any; and settings of them. */
#ifndef MRD_POLICY_LOCALITY_H
#define MRD_POLICY_LOCALITY_H

#include "base/strbuf.h"
#include "policy/policy.h"

/*
 * Levels below the third are passed over, as Istio does. -EINVAL: an empty segment. -EDOM: a "*"
 * that is not the whole last segment. -ENOMEM. *ret_match is untouched on failure.
 */
int mrd_locality_parse(const char *text, struct mrd_locality_match *ret_match);
void mrd_locality_match_free(struct mrd_locality_match *match); /* frees the members */
/* As rules write it. */
void mrd_locality_match_format(const struct mrd_locality_match *match, struct mrd_strbuf *out);

/* Has it a failover list, or one of failoverPriority? NULL has none. */
static inline bool mrd_locality_lists_failover(const struct mrd_locality_setting *setting)
{
	return setting && (setting->failover_count || setting->priority_count);
}

/* A distribution as well, which goes with it by a fallback alone. */
static inline bool mrd_locality_lists_both(const struct mrd_locality_setting *setting)
{
	return setting && setting->distribute_count && mrd_locality_lists_failover(setting);
}

/* What is said of a zoneAwareLbSetting that is enabled: where Envoy would weigh zones, and we do
 * not. NULL: nowhere, as its failoverPriority keeps the own zone apart. */
const char *mrd_locality_unweighed(const struct mrd_locality_setting *setting);

void mrd_locality_setting_free(struct mrd_locality_setting *setting); /* NULL is fine */

#endif
