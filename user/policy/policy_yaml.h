/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Policy files (YAML or JSON, several documents a file, kind List) → policy. Strict: see policy.h.
 */
#ifndef MRD_POLICY_POLICY_YAML_H
#define MRD_POLICY_POLICY_YAML_H

#include "base/diag.h"
#include "policy/policy.h"

/*
 * Reads files and folders (*.yaml, *.yml, *.json in name order, not deeper). All findings of all
 * files go to diag: a field that nobody knows is an error, one that Istio knows and Meridian cannot
 * honour yet a warning. *ret_policy holds everything that is valid as a whole: with errors the
 * result is -EBADMSG and *ret_policy is NULL, so that a caller keeps the policy it had. -ENOMEM.
 *
 * The older of two rules (metadata.creationTimestamp, then the name) is the earlier one; those that
 * do not say it come last, in order of appearance.
 */
int mrd_policy_load(const char *const *paths, size_t count, const struct mrd_policy_names *names,
		    struct mrd_diag *diag, struct mrd_policy **ret_policy);

/*
 * What is saved anew is empty for a moment, or stays so if that fails: a file of this policy's that
 * said something and is empty now is an error, added to diag. Deleting it takes its rules away.
 */
void mrd_policy_check_emptied(const struct mrd_policy *before, struct mrd_diag *diag);

/* A document in memory, as JSON. name stands for its file in findings and places. */
struct mrd_policy_document {
	const char *name;
	const char *json;
	size_t len;
};

/* The same with documents, which are read behind the files. */
int mrd_policy_load_with(const char *const *paths, size_t count,
			 const struct mrd_policy_document *documents, size_t document_count,
			 const struct mrd_policy_names *names, struct mrd_diag *diag,
			 struct mrd_policy **ret_policy);

#endif
