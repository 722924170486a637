/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tables of what policy files may say: texts and the places of their findings. */
#ifndef MRD_TESTS_POLICY_ROWS_H
#define MRD_TESTS_POLICY_ROWS_H

#include <errno.h>

#include "tests/unit/policy/load_text.h"

struct row {
	const char *id;
	const char *text;
	const char *second; /* of a second file; NULL: none */
	const char *want;   /* places, see load_text.h */
	const char *says;   /* a part of some finding's words; NULL: any */
	const char *never;  /* a part of no finding's words; NULL: any */
};

/* A second file: with it a list of the mesh's is as in Istio, and no warning says otherwise. */
#define WATCHED "defaultTrafficPolicy: {outlierDetection: {}}\n"

static inline bool some_finding_says(const struct mrd_diag *diag, const char *words)
{
	for (size_t i = 0; i < diag->count; i++)
		if (strstr(diag->findings[i].reason, words))
			return true;
	return false;
}

static inline void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *const texts[] = {rows[i].text, rows[i].second, NULL};
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_policy *policy = NULL;
		const int r = load_texts(texts, &diag, &policy);
		char *places = finding_places(&diag);

		print_message("%s\n", rows[i].id);
		assert_string_equal(places, rows[i].want);
		if (rows[i].says && !some_finding_says(&diag, rows[i].says)) {
			mrd_diag_print(&diag, stderr);
			fail_msg("no finding says \"%s\"", rows[i].says);
		}
		assert_false(rows[i].never && some_finding_says(&diag, rows[i].never));
		assert_int_equal(r, diag.errors ? -EBADMSG : 0);
		assert_int_equal(!policy, diag.errors != 0);
		mrd_policy_free(policy);
		free(places);
	}
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(*(rows)))

#endif
