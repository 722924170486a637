/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The DestinationRules of an API server, as documents, and the policy that they make with those of
 * files. One that is wrong is left out, or stands on its last version that was good: unlike a file
 * it cannot be refused before others saw it, and must not hold up its neighbours.
 */
#ifndef MRD_SOURCE_RULE_DOCS_H
#define MRD_SOURCE_RULE_DOCS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "policy/policy.h"

struct mrd_rule_docs;

/* Findings name a rule "cluster/namespace/name". -ENOMEM. */
int mrd_rule_docs_new(const char *cluster, struct mrd_rule_docs **ret_docs);
void mrd_rule_docs_free(struct mrd_rule_docs *docs); /* NULL is fine */

/* key: "namespace/name". -ENOMEM. */
int mrd_rule_docs_put(struct mrd_rule_docs *docs, const char *key, const char *json, size_t len);
void mrd_rule_docs_remove(struct mrd_rule_docs *docs, const char *key);
/* All are heard anew: what is not put between the two is gone. */
void mrd_rule_docs_mark(struct mrd_rule_docs *docs);
void mrd_rule_docs_sweep(struct mrd_rule_docs *docs);
/* The list that is under way is not to be believed: whom it alone names is gone again. */
void mrd_rule_docs_forget(struct mrd_rule_docs *docs);

size_t mrd_rule_docs_count(const struct mrd_rule_docs *docs);
/* Something has changed since the last load, and no list is under way. */
bool mrd_rule_docs_is_due(const struct mrd_rule_docs *docs);

/*
 * The policy of files and rules, files first; docs may be NULL. As mrd_policy_load, but a rule that
 * is wrong is no failure: its errors go to diag when they are news, beside a policy.
 */
int mrd_rule_docs_load(struct mrd_rule_docs *docs, const char *const *paths, size_t count,
		       const struct mrd_policy_names *names, struct mrd_diag *diag,
		       struct mrd_policy **ret_policy);
/* Rules whose newest version is not in force; docs may be NULL. has_older: one before it is. */
void mrd_rule_docs_rejected(const struct mrd_rule_docs *docs,
			    void (*fn)(void *self, const char *name, bool has_older,
				       const struct mrd_diag *errors),
			    void *self);

#endif
